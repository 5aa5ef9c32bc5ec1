//! The six event sequences that no watermark gets right: every order of arrival, with and without a duplicate, ends in
//! the same access, and nobody is suspended on the way whose access is known to be due.

use crate::stage::{Stage, account, envelope, event, failed, mapped};
use proptest::prelude::*;
use proptest::sample::Index;
use rollcall::event::{ReasonCategory, parse};
use rollcall::host::Host;
use rollcall::person::{Access, AccessPolicy, Assertion, Fact, FactId, FactKind, Facts, Job, Revision, Standing};
use serde_json::json;
use std::collections::HashMap;

/// One event of a sequence. A fired schedule keeps the announcement's `occurred` and `fact`.
struct Says {
    kind: &'static str,
    phase: &'static str,
    occurred: &'static str,
    at: &'static str,
    fact: Option<&'static str>,
}

const fn says(
    kind: &'static str,
    phase: &'static str,
    occurred: &'static str,
    at: &'static str,
    fact: Option<&'static str>,
) -> Says {
    Says { kind, phase, occurred, at, fact }
}

const HIRED: Says = says("hire", "effective", "2025-01-02", "2025-01-07T08:00:00Z", None);
const LEAVE: Says = says("leave", "effective", "2026-11-03", "2026-11-05T08:00:00Z", None);
const RETURN: Says = says("return", "effective", "2026-11-14", "2026-11-15T08:00:00Z", None);

/// The termination that was announced on the 1st for the 22nd. The stage's clock stands at noon of the 23rd.
const fn end(phase: &'static str, occurred: &'static str) -> Says {
    says("termination", phase, occurred, "2026-11-22T18:00:00Z", Some("end"))
}

const ANNOUNCED: Says = end("scheduled", "2026-11-01");
const FIRED: Says = end("effective", "2026-11-01");
const RESCINDED: Says = end("rescinded", "2026-11-10");

#[tokio::test]
async fn announced_then_leave_and_return_then_it_bites() {
    ends(NO_ACCESS, &[], &[ANNOUNCED, LEAVE, RETURN, FIRED]).await;
}

#[tokio::test]
async fn a_return_that_was_scheduled_before_the_termination() {
    let back = |phase| says("return", phase, "2026-11-04", "2026-11-20T08:00:00Z", Some("back"));
    let end = says("termination", "effective", "2026-11-09", "2026-11-10T18:00:00Z", None);
    ends(NO_ACCESS, &[], &[LEAVE, back("scheduled"), end, back("effective")]).await;
}

#[tokio::test]
async fn rescinded_during_a_leave_and_the_schedule_fires_all_the_same() {
    ends(NO_ACCESS, &[], &[ANNOUNCED, LEAVE, RESCINDED, FIRED]).await;
}

#[tokio::test]
async fn rescinded_during_a_leave_that_is_over() {
    ends(ACCESS, &[HIRED], &[LEAVE, RESCINDED, FIRED, RETURN]).await;
}

#[tokio::test]
async fn a_rehire_and_the_old_termination_entered_again() {
    let old = |occurred, fact| says("termination", "effective", occurred, "2026-10-01T18:00:00Z", fact);
    let rehired = says("rehire", "effective", "2026-10-20", "2026-11-02T08:00:00Z", None);
    // Once more as the same fact, and once as a fact of another name.
    let (same, anew) = (old("2026-11-10", None), old("2026-11-11", Some("typed in anew")));
    ends(ACCESS, &[], &[old("2026-09-20", None), rehired, same, anew]).await;
}

#[tokio::test]
async fn an_end_and_a_start_on_the_same_day() {
    for kind in ["hire", "rehire"] {
        // The end bites later on that day than the start, and is told first.
        let end = says("termination", "effective", "2026-11-01", "2026-11-20T18:00:00Z", None);
        let start = says(kind, "effective", "2026-11-02", "2026-11-20T08:00:00Z", None);
        ends(ACCESS, &[], &[HIRED, end, start]).await;
    }
}

#[tokio::test]
async fn corrected_to_an_earlier_date_then_a_rehire_and_the_original_late() {
    let corrected = says("termination", "effective", "2026-11-04", "2026-11-05T18:00:00Z", Some("end"));
    let rehired = says("rehire", "effective", "2026-11-08", "2026-11-10T08:00:00Z", None);
    ends(ACCESS, &[], &[corrected, rehired, ANNOUNCED, FIRED]).await;
}

impl Says {
    /// The event as person `n` gets it; `index` is its place in the sequence.
    fn body(&self, index: usize, n: usize) -> String {
        let mut event = event(&format!("{index}-{n}"), self.kind, self.phase, self.at, "lwa", n);
        event["occurredAt"] = json!(format!("{}T09:00:00Z", self.occurred));
        if let Some(fact) = self.fact {
            event["factId"] = json!(fact);
        }
        envelope(&event)
    }

    /// Whether it asks for access to be given.
    fn gives_access(&self) -> bool {
        matches!(
            (self.kind, self.phase),
            ("hire" | "rehire" | "return", "effective") | ("termination" | "leave", "rescinded")
        )
    }

    /// Whether suspend-user acts on it.
    fn takes_access(&self) -> bool {
        matches!(
            (self.kind, self.phase),
            ("termination" | "leave", "effective") | ("hire" | "rehire" | "return", "rescinded")
        )
    }
}

fn permutations(n: usize) -> Vec<Vec<usize>> {
    if n == 0 {
        return vec![Vec::new()];
    }
    let shorter = permutations(n - 1);
    let insert = |order: &Vec<usize>, place: usize| [&order[..place], &[n - 1], &order[place..]].concat();
    shorter.iter().flat_map(|order| (0..n).map(move |place| insert(order, place))).collect()
}

/// Every order of arrival of `n` events: as it is, and with one of them doubled at the end or at the front.
fn arrivals(n: usize) -> Vec<Vec<usize>> {
    let doubled = |order: Vec<usize>| {
        let front = (0..n).map(|twice| [&[twice], &order[..]].concat());
        let end = (0..n).map(|twice| [&order[..], &[twice]].concat());
        front.chain(end).chain([order.clone()]).collect::<Vec<_>>()
    };
    permutations(n).into_iter().flat_map(doubled).collect()
}

const ACCESS: bool = true;
const NO_ACCESS: bool = false;

/// Delivers every order of arrival, after what was known `before`, and checks each step and the end.
///
/// Each order is a person of its own, so that one stage serves them all: at each step everybody's next event.
async fn ends(access_is_due: bool, before: &[Says], sequence: &[Says]) {
    let all: Vec<&Says> = sequence.iter().chain(before).collect();
    let known = sequence.len()..all.len();
    let arrivals: Vec<Vec<usize>> =
        arrivals(sequence.len()).into_iter().map(|order| known.clone().chain(order).collect()).collect();
    let stage = Stage::new(json!([account("lwa", "EnterpriseLWA", arrivals.len())])).await;
    let stage = stage.with_policy(mapped(&["lwa"]));
    let mut facts = vec![Facts::default(); arrivals.len()];
    let mut keys = HashMap::new();
    for step in 0..=all.len() {
        let users_before = stage.users();
        let arriving: Vec<(usize, usize)> =
            arrivals.iter().enumerate().filter_map(|(n, order)| Some((n, *order.get(step)?))).collect();
        for part in arriving.chunks(240) {
            let bodies: Vec<String> = part.iter().map(|(n, index)| all[*index].body(*index, *n)).collect();
            let report = stage.deliver_by_function(bodies).await;
            assert_eq!(failed(&report), Vec::<String>::new());
            let n = |event: &str| event.rsplit_once('-').unwrap().1.parse::<usize>().unwrap();
            keys.extend(report.events.into_iter().map(|event| (n(&event.event_key), event.person.unwrap())));
        }
        let users = stage.users();
        for (n, index) in arriving {
            let context = format!("arrivals {:?}, at {step}", arrivals[n]);
            if arrivals[n][..step].contains(&index) {
                assert_eq!(users[&format!("lwa/u{n}")], users_before[&format!("lwa/u{n}")], "{context}: a duplicate");
                continue;
            }
            let (user, now) = (format!("lwa/u{n}"), stage.host.now());
            let said = Fact::asserted_by(&parse(&all[index].body(index, n)).unwrap()).unwrap();
            facts[n].assert(said, now).unwrap();
            match facts[n].access(now, AccessPolicy::default()) {
                Access::NotDue(_) if all[index].takes_access() => assert_eq!(users[&user], "Suspended", "{context}"),
                // Who asks for access to be given finds it due, or as it was before somebody was suspended.
                Access::Due(_) | Access::AsIs if all[index].gives_access() => {
                    assert_eq!(users[&user], "Registered", "{context}");
                }
                // Whatever came before: nobody is suspended by an event that finds access due, nor the other way round.
                Access::Due(_) | Access::AsIs | Access::NotDue(_) => {
                    assert_eq!(users[&user], users_before[&user], "{context}");
                }
            }
        }
    }
    let (users, people) = (stage.users(), stage.people().await);
    for (n, order) in arrivals.iter().enumerate() {
        let ledger = &people[&keys[&n].item_key()].facts;
        assert_eq!(ledger, &facts[n], "{order:?}: the ledger keeps every fact");
        match ledger.access(stage.host.now(), AccessPolicy::default()) {
            Access::Due(_) => {
                // What a correction uncovers, without an event that asks for it, the reconcile pass gives back.
                let first_time = |place: &usize| !order[..*place].contains(&order[*place]);
                let places = (0..order.len()).rev().filter(first_time);
                let last = places.map(|place| all[order[place]]).find(|says| says.phase != "scheduled").unwrap();
                let uncovered = last.takes_access() && all.iter().filter(|says| says.fact == last.fact).count() > 1;
                let status = &users[&format!("lwa/u{n}")];
                assert!(access_is_due && (status == "Registered" || uncovered), "{order:?}: {status}");
            }
            Access::NotDue(_) => assert!(!access_is_due && users[&format!("lwa/u{n}")] == "Suspended", "{order:?}"),
            Access::AsIs => panic!("{order:?}: some fact must say"),
        }
    }
    // A replay of everything is answered from the ledger, and asks nothing of Chime.
    let calls = stage.chime.core().calls().len();
    let bodies: Vec<String> = all.iter().enumerate().map(|(index, says)| says.body(index, 0)).collect();
    let report = stage.deliver_by_function(bodies).await;
    assert!(Stage::told(&report).values().all(|told| told == "duplicate"));
    assert_eq!(stage.chime.core().calls().len(), calls);
}

fn any_fact() -> impl Strategy<Value = Fact> {
    let kinds = [
        FactKind::Hire,
        FactKind::Rehire,
        FactKind::Termination,
        FactKind::Leave,
        FactKind::Return,
        FactKind::Login,
        FactKind::JobChange,
        FactKind::Reclaim,
    ];
    let standings = [Standing::Asserted, Standing::Rescinded, Standing::Rejected];
    // Few values of each, so that ties of every sort come up: dates and instants that agree, disagree, or are missing.
    let at = prop::option::weighted(0.9, 18..26_i8);
    let date = prop::option::of(18..26_i8);
    let stamp = (18..21_i8, prop::option::of(prop::sample::select(vec!["7", "10", "x"])));
    (
        prop::sample::select(kinds.to_vec()),
        prop::sample::select(standings.to_vec()),
        0..3_u8,
        at,
        date,
        stamp,
        any::<bool>(),
    )
        .prop_map(|(kind, standing, id, at, date, (occurred, revision), active)| Fact {
            id: FactId::parse(&format!("fact-{id}")).unwrap(),
            kind,
            at: at.map(|day| format!("2026-11-{day}T08:00:00Z").parse().unwrap()),
            date: date.map(|day| format!("2026-11-{day}").parse().unwrap()),
            standing,
            rejected_at: None,
            active: (kind == FactKind::Login).then_some(active),
            reason: active.then_some(ReasonCategory::Voluntary),
            job: Job { code: (kind == FactKind::JobChange).then(|| format!("J{id}{occurred}")), ..Job::default() },
            assertion: Assertion {
                occurred_at: format!("2026-11-{occurred}T09:00:00Z").parse().unwrap(),
                revision: revision.map(|token| Revision::parse(token).unwrap()),
                event: String::new(),
            },
        })
}

fn facts_of(assertions: impl IntoIterator<Item = Fact>) -> Facts {
    let mut facts = Facts::default();
    for fact in assertions {
        facts.assert(fact, crate::stage::NOON.parse().unwrap()).unwrap();
    }
    facts
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 512, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn facts_and_access_depend_on_the_set_of_assertions_alone(
        mut assertions in prop::collection::vec(any_fact(), 1..12),
        order in prop::collection::vec(any::<Index>(), 12),
        doubled in prop::collection::vec(any::<Index>(), 0..4),
    ) {
        // An event id is told once: no two assertions share it.
        assertions.iter_mut().enumerate().for_each(|(index, fact)| fact.assertion.event = format!("e{index}"));
        let mut arrived = assertions.clone();
        for (index, other) in order.iter().enumerate().take(arrived.len()) {
            let other = other.index(arrived.len());
            arrived.swap(index, other);
        }
        arrived.extend(doubled.iter().map(|index| assertions[index.index(assertions.len())].clone()));
        let (straight, shuffled) = (facts_of(assertions), facts_of(arrived));
        prop_assert_eq!(&straight, &shuffled);
        for now in ["2026-11-17T00:00:00Z", "2026-11-21T08:00:00Z", "2026-11-23T12:00:00Z", "2026-12-01T00:00:00Z"] {
            for policy in [(true, true), (true, false), (false, true), (false, false)] {
                let policy = AccessPolicy { leave: policy.0, login: policy.1 };
                let now = now.parse().unwrap();
                prop_assert_eq!(straight.access(now, policy), shuffled.access(now, policy));
                prop_assert_eq!(straight.licence(now), shuffled.licence(now));
                prop_assert_eq!(straight.job(now), shuffled.job(now));
            }
        }
    }
}
