//! The reconcile pass from a roster to Chime: what a silent stream missed goes the whole road, under the brake; what is due
//! again is given back; and nothing else happens.

use crate::privacy::Log;
use crate::roster::bucket::TestBucket;
use crate::roster::company::{Company, TABLE, in_force};
use crate::stage::{self, Fault, Stage, Strike, TestHost, account, envelope, event, keys, mapped, termination};
use aws_sdk_dynamodb::types::AttributeValue;
use jiff::{SignedDuration, Timestamp};
use lambda_runtime::{Context, LambdaEvent};
use rollcall::bus::{Bus, ENTRIES, Entry};
use rollcall::directory::Deadline;
use rollcall::failure::{Cause, Failure};
use rollcall::ledger::{Known, Ledger, Rejection, State};
use rollcall::person::{PersonKey, Standing, What};
use rollcall::reconcile::serve::{Service, serve};
use rollcall::reconcile::{MOST, Outcome, Reconcile, Summary};
use rollcall::roster::load::{Load, Nowhere, index};
use rollcall::roster::serve::Outcome as Loaded;
use rollcall::roster::{Roster, Shrinkage, Version};
use rollcall::rules::{Loader, Rules, Source};
use rollcall::store::Store;
use serde_json::{Value, json};
use std::sync::{Arc, Mutex};

const LWA: &str = "lwa";

/// A bus that keeps what it is given, and may refuse.
#[derive(Clone, Debug, Default)]
struct MemoryBus {
    taken: Arc<Mutex<Vec<Entry>>>,
    refuses: Arc<Mutex<bool>>,
}

impl Bus for MemoryBus {
    async fn publish(&self, entries: &[Entry]) -> Result<(), Failure> {
        assert!((1..=ENTRIES).contains(&entries.len()), "{} at once", entries.len());
        if *self.refuses.lock().unwrap() {
            return Err(Failure::retryable(Cause::Throttled));
        }
        self.taken.lock().unwrap().extend(entries.iter().cloned());
        Ok(())
    }
}

/// A company with a Chime account, a roster, and a reconcile pass.
struct Office {
    company: Company,
    bus: MemoryBus,
    policy: Value,
}

impl Office {
    /// `people` registered users of one account; the policy's other sections on top of the mapping.
    async fn new(people: usize, sections: Value) -> Office {
        let mut policy = mapped(&[LWA]);
        policy["sources"] = json!({ "zone": "UTC" });
        for (name, section) in sections.as_object().unwrap() {
            policy[name] = section.clone();
        }
        let stage = Stage::new(json!([account(LWA, "EnterpriseLWA", people)])).await.with_policy(policy.clone());
        Office { company: Company::on(stage).await, bus: MemoryBus::default(), policy }
    }

    fn stage(&self) -> &Stage {
        &self.company.stage
    }

    /// A roster in which these people left on a day, and all others of so many work.
    async fn roster(&self, people: usize, left: &[(usize, &str)]) {
        let row = |n: usize| match left.iter().find(|(gone, _)| *gone == n) {
            // Who has left has no address any more.
            Some((_, day)) => format!("{LWA}-{n},,terminated,{day}\n"),
            None => format!("{LWA}-{n},p{n}@{LWA}.example,active,\n"),
        };
        let rows: String = (0..people).map(row).collect();
        in_force(self.company.drop("roster/all.csv", &format!("worker_id,email,status,end_date\n{rows}")).await);
    }

    fn service(&self) -> Service<TestBucket, MemoryBus, TestHost> {
        let host = self.stage().host.clone();
        let policy = self.policy.to_string();
        Service {
            reconcile: Reconcile {
                roster: Roster::new(self.stage().watched(), TABLE, keys(), host.clone()),
                ledger: Ledger::new(self.stage().watched(), stage::TABLE, host.clone()),
                store: self.company.bucket.clone(),
                bus: self.bus.clone(),
                keys: keys(),
                host,
            },
            rules: Mutex::new(Arc::new(Rules::new(self.stage().policy.clone(), &keys()))),
            policy: Loader::without_events(Source::Inline(policy), None, &keys()),
        }
    }

    /// A pass that must be done by then; what it asks for waits on the bus.
    async fn pass_within(&self, within: SignedDuration) -> Result<Summary, String> {
        let mut context = Context::default();
        context.deadline = u64::try_from((self.now() + within).as_millisecond()).unwrap();
        serve(&self.service(), LambdaEvent::new(json!({}), context)).await.map_err(|error| error.to_string())
    }

    async fn pass(&self) -> Summary {
        self.pass_within(SignedDuration::from_secs(900)).await.unwrap()
    }

    fn now(&self) -> Timestamp {
        self.stage().host.now_then(SignedDuration::ZERO)
    }

    /// What the bus was given since last time.
    fn asked(&self) -> Vec<Value> {
        let entries = self.bus.taken.lock().unwrap().drain(..).collect::<Vec<_>>();
        let detail = |entry: &Entry| {
            let detail: Value = serde_json::from_str(&entry.detail).unwrap();
            assert!(envelope(&detail).contains(&format!("\"detail-type\":\"{}\"", entry.detail_type)));
            detail
        };
        entries.iter().map(detail).collect()
    }

    /// What the bus was given goes its road.
    async fn deliver(&self) -> Vec<Value> {
        let asked = self.asked();
        self.stage().deliver_by_function(asked.iter().map(envelope).collect()).await;
        asked
    }

    fn suspended(&self) -> Vec<usize> {
        let users = self.stage().users();
        let number = |key: &String| key.rsplit_once('u').unwrap().1.parse::<usize>().unwrap();
        let mut all: Vec<usize> =
            users.iter().filter(|(_, it)| *it == "Suspended").map(|(key, _)| number(key)).collect();
        all.sort_unstable();
        all
    }

    async fn hire(&self, people: std::ops::Range<usize>) {
        let hire = |n| event(&format!("h{n}"), "hire", "effective", "2020-01-01T08:00:00Z", LWA, n);
        self.stage().deliver_by_function(people.map(|n| envelope(&hire(n))).collect()).await;
    }
}

fn ids(details: &[Value]) -> Vec<&str> {
    details.iter().map(|detail| detail["eventId"].as_str().unwrap()).collect()
}

fn rejection(office: &Office) -> Rejection {
    Rejection { by: "operator@desk".into(), at: office.now(), reason: "the feed was broken".into() }
}

#[tokio::test]
async fn leavers_that_nobody_told_of_are_suspended_under_the_brake() {
    let brake = json!({ "brake": { "access": { "limits": [{ "count": 2, "window": "1h" }] } } });
    let office = Office::new(20, brake).await;
    office.hire(0..20).await;
    let gone: Vec<(usize, &str)> = (3..8).map(|n| (n, "2026-11-20")).collect();
    office.roster(20, &gone).await;
    let summary = office.pass().await;
    assert_eq!((summary.outcome, summary.leavers, summary.missed), (Outcome::Done, 5, 5));
    assert_eq!((summary.restored, summary.contradicted, summary.unreached), (0, 0, 0));
    let asked = office.deliver().await;
    assert_eq!(office.suspended().len(), 2, "the brake lets two through");
    assert!(office.suspended().iter().all(|n| (3..8).contains(n)));
    assert_eq!(office.stage().waiting(State::Held).await.len(), 3);
    let dropped = office.company.current().await.unwrap().version.dropped_at();
    for detail in &asked {
        assert_eq!(detail["occurredAt"], json!(dropped), "as old as the roster");
        let told = [&detail["factId"], &detail["provider"]["name"], &detail["assurance"]];
        assert_eq!(told, ["termination", "roster", "polled"]);
    }
    // A second pass, by the next roster: held or applied, the ledger knows of all five.
    office.stage().host.advance(SignedDuration::from_hours(24));
    office.roster(20, &gone).await;
    let summary = office.pass().await;
    assert_eq!((summary.missed, summary.restored), (0, 0));
    assert_eq!(office.asked(), Vec::<Value>::new());
}

#[tokio::test]
async fn two_passes_over_one_roster_ask_under_the_same_ids_and_change_nothing_more() {
    let office = Office::new(4, json!({})).await;
    office.hire(0..4).await;
    office.roster(4, &[(1, "2026-11-20"), (2, "2026-11-21")]).await;
    office.pass().await;
    let first = office.asked();
    office.stage().host.advance(SignedDuration::from_secs(60));
    office.pass().await;
    let second = office.asked();
    assert_eq!((ids(&first).len(), &first), (2, &second), "nothing was delivered meanwhile");
    office.stage().deliver_by_function(first.iter().map(envelope).collect()).await;
    assert_eq!(office.suspended(), [1, 2]);
    let changes = office.stage().changes();
    let report = office.stage().deliver_by_function(second.iter().map(envelope).collect()).await;
    assert!(Stage::told(&report).values().all(|told| told == "duplicate"), "{:?}", Stage::told(&report));
    assert_eq!(office.stage().changes(), changes);
    assert_eq!(office.pass().await.missed, 0);
}

#[tokio::test]
async fn whom_no_event_has_ever_named_is_looked_for_by_the_address_of_the_roster() {
    let office = Office::new(3, json!({})).await;
    let csv = format!("worker_id,email,status,end_date\n1,,active,\n2,p1@{LWA}.example,terminated,2026-11-20\n");
    in_force(office.company.drop("roster/all.csv", &csv).await);
    assert_eq!(office.pass().await.missed, 1);
    office.deliver().await;
    assert_eq!(office.suspended(), [1]);
}

#[tokio::test]
async fn a_rejected_termination_is_restored() {
    let office = Office::new(4, json!({})).await;
    office.hire(1..2).await;
    let leave = |phase, at| event("x", "leave", phase, at, LWA, 1);
    let mut away = leave("effective", "2026-11-01T08:00:00Z");
    away["eventId"] = json!("l1");
    office.stage().deliver(&[envelope(&away)]).await;
    assert_eq!(office.suspended(), [1]);
    // Held, its fact counts: so the return finds that access is not due.
    let mut undated = termination("t1", LWA, 1);
    undated["missing"] = json!(["kind"]);
    office.stage().deliver(&[envelope(&undated)]).await;
    let back = event("r1", "return", "effective", "2026-11-23T08:00:00Z", LWA, 1);
    office.stage().deliver(&[envelope(&back)]).await;
    assert_eq!(office.stage().outcome("r1").await["reason"], "access_not_due");
    let held = office.stage().event("t1").await.unwrap();
    assert_eq!(held.state, State::Held);
    office.stage().ledger().reject(&held.id, &rejection(&office), false).await.unwrap();
    assert_eq!(office.suspended(), [1], "nobody asks again");
    office.roster(4, &[]).await;
    let before = office.stage().person().await;
    let summary = office.pass().await;
    assert_eq!((summary.taken, summary.restored, summary.missed), (1, 1, 0));
    let asked = office.deliver().await;
    assert_eq!(asked[0]["kind"], "hire");
    assert_eq!(office.suspended(), Vec::<usize>::new());
    let person = office.stage().person().await;
    assert_eq!(person.taken, None);
    let without_names = |person: &rollcall::ledger::PersonItem| -> Vec<_> {
        person.facts.iter().map(|fact| (fact.kind, fact.standing, fact.at, fact.assertion.occurred_at)).collect()
    };
    assert_eq!(without_names(&person), without_names(&before), "nothing new is asserted");
    assert_eq!(office.pass().await.restored, 0);
}

#[tokio::test]
async fn where_no_fact_says_what_was_taken_is_given_back_by_taking_the_rejected_fact_back() {
    let office = Office::new(4, json!({})).await;
    let away = event("l1", "leave", "effective", "2026-11-01T08:00:00Z", LWA, 1);
    office.stage().deliver(&[envelope(&away)]).await;
    let mut held = termination("t1", LWA, 1);
    held["missing"] = json!(["kind"]);
    let mut rescinded = away.clone();
    (rescinded["eventId"], rescinded["phase"]) = (json!("l2"), json!("rescinded"));
    rescinded["occurredAt"] = json!("2026-11-22T08:00:00Z");
    office.stage().deliver(&[envelope(&held), envelope(&rescinded)]).await;
    assert_eq!(office.suspended(), [1]);
    let held = office.stage().event("t1").await.unwrap();
    office.stage().ledger().reject(&held.id, &rejection(&office), false).await.unwrap();
    office.roster(4, &[]).await;
    assert_eq!(office.pass().await.restored, 1);
    let asked = office.deliver().await;
    assert_eq!((&asked[0]["kind"], &asked[0]["phase"]), (&json!("leave"), &json!("rescinded")));
    assert_eq!(office.suspended(), Vec::<usize>::new());
    let standings: Vec<Standing> = office.stage().person().await.facts.iter().map(|fact| fact.standing).collect();
    assert_eq!(standings, [Standing::Rejected, Standing::Rescinded], "the reject stands");
}

#[tokio::test]
async fn what_hr_says_after_the_roster_wins_and_before_it_loses() {
    // A termination at a later day, and a rescission; both asserted an hour after the roster was dropped, and before it.
    for (hours, suspended) in [(1, false), (-1, true)] {
        for (phase, at) in [("scheduled", "2026-12-31T18:00:00Z"), ("rescinded", "2026-11-20T18:00:00Z")] {
            for late in [true, false] {
                let office = Office::new(4, json!({})).await;
                office.hire(1..2).await;
                office.roster(4, &[(1, "2026-11-20")]).await;
                let mut real = event("t1", "termination", phase, at, LWA, 1);
                real["factId"] = json!("termination");
                real["occurredAt"] = json!(office.now() + SignedDuration::from_hours(hours));
                office.stage().host.advance(SignedDuration::from_hours(2));
                if late {
                    office.pass().await;
                    office.deliver().await;
                    assert_eq!(office.suspended(), [1]);
                }
                office.stage().deliver(&[envelope(&real)]).await;
                if !late {
                    assert_eq!(office.pass().await.missed, u64::from(suspended), "{phase} {hours}");
                    office.deliver().await;
                }
                // A later day gives nothing back by itself: its sender rescinds too, or the next pass gives it back.
                office.pass().await;
                office.deliver().await;
                let expected = if suspended { vec![1] } else { Vec::new() };
                assert_eq!(office.suspended(), expected, "{phase} {hours} {late}");
            }
        }
    }
}

#[tokio::test]
async fn a_refused_roster_changes_nothing_and_the_pass_works_with_the_one_before() {
    let office = Office::new(10, json!({})).await;
    office.hire(0..10).await;
    office.roster(10, &[(1, "2026-11-20")]).await;
    let good = office.company.current().await.unwrap();
    let bad = [
        ("empty", String::new()),
        ("cut short", "worker_id,email,status,end_date\n1,,terminated,2026-11-20\n2,,terminated,\"2026".to_owned()),
        ("shrunken", "worker_id,email,status,end_date\nlwa-2,,terminated,2026-11-20\n".to_owned()),
    ];
    for (name, file) in bad {
        office.stage().host.advance(SignedDuration::from_secs(60));
        let loaded = office.company.drop("roster/bad.csv", &file).await.unwrap();
        assert!(matches!(loaded, Loaded::Refused(_)), "{name}: {loaded:?}");
        let summary = office.pass().await;
        assert_eq!((summary.outcome, summary.leavers, summary.missed), (Outcome::Done, 1, 1), "{name}");
        office.asked();
    }
    assert_eq!(office.company.current().await, Some(good));
}

#[tokio::test]
async fn without_a_roster_or_with_an_old_one_nothing_is_done_and_that_is_told() {
    let office = Office::new(4, json!({ "audit": { "roster_max_age": "2d" } })).await;
    assert_eq!(office.pass().await, Summary { outcome: Outcome::NoRoster, ..Summary::default() });
    office.roster(4, &[(1, "2026-11-20")]).await;
    office.stage().host.advance(SignedDuration::from_hours(48));
    assert_eq!(office.pass().await.missed, 1);
    office.stage().host.advance(SignedDuration::from_secs(1));
    office.asked();
    assert_eq!(office.pass().await, Summary { outcome: Outcome::RosterTooOld, ..Summary::default() });
    assert_eq!(office.asked(), Vec::<Value>::new());
}

#[tokio::test]
async fn who_works_by_the_roster_and_left_by_the_ledger_is_told_and_not_acted_on() {
    let office = Office::new(4, json!({})).await;
    office.hire(1..3).await;
    office.stage().deliver(&[envelope(&termination("t1", LWA, 1))]).await;
    office.roster(4, &[]).await;
    let summary = office.pass().await;
    assert_eq!((summary.taken, summary.contradicted, summary.restored, summary.missed), (1, 1, 0, 0));
    assert_eq!(office.asked(), Vec::<Value>::new());
    assert_eq!(office.suspended(), [1]);
}

#[tokio::test]
async fn a_pass_stops_a_minute_before_its_deadline_and_the_next_begins_anew() {
    let office = Office::new(4, json!({})).await;
    office.hire(0..4).await;
    office.roster(4, &[(1, "2026-11-20"), (2, "2026-11-20")]).await;
    let late = office.pass_within(SignedDuration::from_secs(60)).await.unwrap();
    assert_eq!((late.outcome, late.missed, late.taken), (Outcome::OutOfTime, 0, 0));
    assert_eq!(office.asked(), Vec::<Value>::new());
    assert_eq!(office.pass_within(SignedDuration::from_secs(61)).await.unwrap().missed, 2);
}

#[tokio::test]
async fn what_may_pass_fails_the_invocation_and_the_retry_asks_under_the_same_ids() {
    let office = Office::new(4, json!({})).await;
    office.roster(4, &[(1, "2026-11-20"), (2, "2026-11-20")]).await;
    *office.bus.refuses.lock().unwrap() = true;
    assert_eq!(office.pass_within(SignedDuration::from_secs(900)).await.unwrap_err(), "the bus: throttled");
    *office.bus.refuses.lock().unwrap() = false;
    office.company.bucket.fail_reads(1);
    let unread = office.pass_within(SignedDuration::from_secs(900)).await.unwrap_err();
    assert!(
        unread.starts_with("rosters/") && unread.ends_with("/leavers-0000.jsonl: no answer; try again"),
        "{unread}"
    );
    office.pass().await;
    let first = office.asked();
    // Where a table asks for fewer requests, all is asked for all the same.
    office.stage().wire.set(Strike::on(Fault::Throttle, "BatchGetItem", 1, 2));
    office.pass().await;
    assert_eq!(office.asked(), first);
}

/// Many people are read a hundred a call, and whoever was merged is who they were found to be.
#[tokio::test]
async fn people_are_read_by_the_hundred_and_through_their_pointers() {
    let office = Office::new(4, json!({})).await;
    let mut by_address = termination("t1", LWA, 1);
    by_address["subject"] = json!({ "email": format!("p1@{LWA}.example") });
    by_address["factId"] = json!("termination");
    let mut by_both = by_address.clone();
    (by_both["eventId"], by_both["occurredAt"]) = (json!("t2"), json!("2026-11-21T08:00:00Z"));
    by_both["subject"]["workerId"] = json!("1");
    office.stage().deliver(&[envelope(&by_address), envelope(&by_both)]).await;
    let key = |what, value: &str| PersonKey::named(rollcall::batch::REALM, what, value, &keys());
    let (address, worker) = (key(What::Email, &format!("p1@{LWA}.example")), key(What::Worker, "1"));
    let mut asked: Vec<PersonKey> = (100..350).map(|n| key(What::Worker, &n.to_string())).collect();
    asked.extend([address.clone(), worker.clone()]);
    office.stage().wire.forget();
    let ledger = Ledger::new(office.stage().watched(), stage::TABLE, office.stage().host.clone());
    let people = ledger.people(&asked, office.stage().deadline()).await.unwrap();
    assert_eq!(people.len(), asked.len());
    let Known::Person(person) = &people[&worker] else { panic!("{:?}", people[&worker]) };
    assert_eq!(people[&address], Known::Person(person.clone()), "the address leads to the same person");
    assert_eq!(people.values().filter(|known| **known == Known::Nobody).count(), 250);
    let calls = office.stage().wire.calls().iter().filter(|call| call.as_str() == "BatchGetItem").count();
    assert_eq!(calls, 4, "252 people, and one pointer");
}

/// What a pass writes names people by their keyed hashes, whatever it finds of them.
#[tokio::test]
async fn a_pass_tells_numbers_and_hashes() {
    let office = Office::new(6, json!({ "sources": {} })).await;
    office.hire(1..3).await;
    let end = |n: usize| envelope(&termination(&format!("t{n}"), LWA, n));
    office.stage().deliver_by_function(vec![end(1), end(3)]).await;
    let away = event("l2", "leave", "effective", "2026-11-01T08:00:00Z", LWA, 2);
    office.stage().deliver(&[envelope(&away)]).await;
    let mut unknown = event("l5", "leave", "effective", "2026-11-01T08:00:00Z", LWA, 5);
    unknown["subject"] = json!({ "email": format!("p5@{LWA}.example") });
    office.stage().deliver(&[envelope(&unknown)]).await;
    // Access is due again to the two, and nobody has acted on it: the ledger no longer has their leaves.
    for id in ["l2", "l5"] {
        let person = office.stage().event(id).await.unwrap().person.unwrap();
        let mut item = office.stage().item(&person.item_key()).await.unwrap();
        let mut facts = item["facts"].as_l().unwrap().clone();
        facts.retain(|fact| fact.as_m().unwrap()["kind"].as_s().unwrap() != "leave");
        item.insert("facts".into(), AttributeValue::L(facts));
        office.stage().dynamo.put_item().table_name(stage::TABLE).set_item(Some(item)).send().await.unwrap();
    }
    let rows = "lwa-1,p1@lwa.example,active,,\nlwa-2,p2@lwa.example,active,,\nlwa-3,,terminated,2026-11-20,UTC\n\
                lwa-4,p4@lwa.example,active,2026-11-20,\nlwa-6,p0@lwa.example,terminated,2026-11-20,UTC\n";
    let csv = format!("worker_id,email,status,end_date,time_zone\n{rows}");
    in_force(office.company.drop("roster/all.csv", &csv).await);
    let log = Log::default();
    // With one listener alone, tracing asks the thread that comes first to a line whether anybody listens; that may be
    // another test's. With two it asks the listeners.
    let _second = tracing::Dispatch::new(tracing::subscriber::NoSubscriber::default());
    let summary = {
        let _listening = log.listen();
        office.pass().await
    };
    let found = (summary.missed, summary.undated, summary.restored, summary.contradicted, summary.unreached);
    assert_eq!(found, (1, 1, 1, 1, 1), "{summary:?}");
    let text = log.text().to_lowercase();
    assert!(text.lines().count() >= 6, "{text}");
    let told =
        format!("{text} {summary:?} {} {:?}", serde_json::to_string(&summary).unwrap(), office.service().reconcile);
    for personal in ["lwa-", ".example", "@"] {
        assert!(!told.to_lowercase().contains(personal), "{personal}: {told}");
    }
}

#[tokio::test]
async fn no_more_than_ten_thousand_are_asked_for_and_the_rest_is_counted() {
    let office = Office::new(1, json!({})).await;
    let people = usize::try_from(MOST).unwrap() + 105;
    let rows: String = (0..people).map(|n| format!("{n},,terminated,2026-11-20\n")).collect();
    office
        .company
        .bucket
        .write("roster/many.csv", format!("worker_id,email,status,end_date\n{rows}").into())
        .await
        .unwrap();
    let load = Load {
        from: &office.company.bucket,
        source: "roster/many.csv",
        version: Version::new(office.now(), office.now(), 1),
        shrinkage: Shrinkage { before: None, percent: 0 },
        deadline: Deadline::at(office.now() + SignedDuration::from_secs(900)),
    };
    let many = index(&load, &office.company.bucket, &Nowhere, &office.stage().host).await.unwrap();
    office.company.roster().take_force(&many, None).await.unwrap();
    let summary = office.pass().await;
    assert_eq!((summary.leavers, summary.missed, summary.deferred), (people as u64, MOST, 105));
    assert_eq!(office.asked().len() as u64, MOST, "the last few as well");
}

/// A ledger of several pages in each part of the scan: everybody from whom something was taken is found once.
#[tokio::test]
async fn everybody_from_whom_something_was_taken_is_found_in_a_large_ledger() {
    let office = Office::new(1, json!({})).await;
    office.roster(1, &[]).await;
    let text = |text: String| AttributeValue::S(text);
    let taken =
        json!({ "account": { "id": LWA, "type": "EnterpriseLWA" }, "event": "suspend-user#e", "at": office.now() });
    let taken: AttributeValue = serde_dynamo::to_attribute_value(taken).unwrap();
    for n in 0..400 {
        let mut put = office.stage().dynamo.put_item().table_name(stage::TABLE);
        put = put.item("id", text(format!("person#{n:032x}"))).item("rev", AttributeValue::N("1".into()));
        put = put.item("filler", text("x".repeat(20_000)));
        if n % 2 == 0 {
            put = put.item("taken", taken.clone());
        }
        put.send().await.unwrap();
    }
    office.stage().wire.forget();
    let summary = office.pass().await;
    assert_eq!((summary.outcome, summary.taken, summary.unreached), (Outcome::Done, 200, 200));
    let scans = office.stage().wire.calls().iter().filter(|call| call.as_str() == "Scan").count();
    assert!(scans > 4, "{scans} calls for 8 MB");
}
