//! The decision table of suspend-user: every account type and user state, every event type, and what comes of it.
//! Expectations are the design's: what each function does, what is due, what is held and what is parked.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use jiff::Timestamp;
use rollcall::decide::{Case, Decision, Known, decide};
use rollcall::directory::{Account, AccountType, Found, Invitation, Registration, User};
use rollcall::event::{EventType, Kind, Phase, parse};
use rollcall::person::{Fact, Facts};
use rollcall::plan::Plan;
use rollcall::policy::Policy;
use rollcall::protect::Guard;
use rollcall::routes::{Function, consumer};
use serde_json::{Value, json};

fn now() -> Timestamp {
    "2026-11-23T12:00:00Z".parse().unwrap()
}

fn detail(kind: &str, phase: &str, at: &str) -> Value {
    json!({
        "schemaVersion": "1.0", "eventId": "e1", "kind": kind, "phase": phase, "occurredAt": "2026-11-20T08:00:00Z",
        "subject": { "workerId": "1", "email": "a@b.example" },
        "effective": { "date": null, "at": at, "zone": null, "basis": "instant", "source": "payload" },
    })
}

fn account(kind: AccountType) -> Account {
    Account { id: "acc".to_owned().try_into().unwrap(), kind }
}

fn somebody(kind: AccountType, registration: Registration) -> Found {
    let invitation = Invitation::None;
    let user = User { id: "u1".to_owned().try_into().unwrap(), registration, invitation, licence: Some("Pro".into()) };
    Found::Somebody { account: account(kind), user }
}

/// A decision in one line: its steps (an auxiliary one in brackets), or its kind and reason.
fn told(decision: &Decision) -> String {
    let steps = |plan: &Plan| {
        let step = |step: &rollcall::plan::Step| {
            let name = step.operation.as_str();
            if step.decisive { name.to_owned() } else { format!("[{name}]") }
        };
        plan.steps.iter().map(step).collect::<Vec<_>>().join(", ")
    };
    match decision {
        Decision::LookUp => "look up".into(),
        Decision::Act(plan) => steps(plan),
        Decision::Observe(plan) => format!("observe {}", steps(plan)),
        Decision::Conclude(conclusion) => format!("{:?} {:?}", conclusion.result, conclusion.reason),
        Decision::Hold(reason) => format!("hold {reason:?}"),
        Decision::Park(refusal) => format!("park {} {}", refusal.code.as_str(), refusal.field),
        Decision::Wait(after) => format!("wait {} s", after.as_secs()),
    }
}

fn check(detail: &Value, facts: &[Value], known: Known<'_>, takeover: bool, policy: &str) -> String {
    let event = parse(&detail.to_string()).unwrap_or_else(|refusal| panic!("{refusal}"));
    let mut all = Facts::default();
    for other in facts.iter().map(|fact| parse(&fact.to_string()).unwrap()).chain([event.clone()]) {
        if let Some(fact) = Fact::asserted_by(&other) {
            all.assert(fact, now()).unwrap();
        }
    }
    let policy = Policy::parse(policy).unwrap();
    let case = Case {
        function: Function::SuspendUser,
        event: &event,
        facts: &all,
        known,
        account: None,
        taken: None,
        wish: None,
        prior: None,
        takeover,
        policy: &policy,
        guard: Guard::Open,
        released: None,
        now: now(),
    };
    told(&decide(&case))
}

const PAST: &str = "2026-11-22T18:00:00Z";
const ALWAYS: &str = r#"{"pin_reset":"always"}"#;
/// Absences take access away as well.
const ABSENCES: &str = r#"{"access":{"on_leave":"suspend","on_inactive_login":"suspend"}}"#;

/// Account type × user state, for a termination that is due.
#[test]
fn a_due_termination_by_account_type_and_user_state() {
    use AccountType::{EnterpriseDirectory, EnterpriseLwa, EnterpriseOidc, Team};
    use Registration::{Registered, Suspended, Unknown, Unregistered};
    let blocked = "suspend, [reset_pin]";
    let removed = "[logout], [reset_pin], remove";
    let signed_out = "logout, [reset_pin]";
    let table = [
        (EnterpriseLwa, Registered, blocked),
        (EnterpriseLwa, Unregistered, blocked),
        (EnterpriseLwa, Unknown, blocked),
        (EnterpriseLwa, Suspended, "Unchanged AlreadySuspended"),
        (Team, Registered, removed),
        (Team, Unregistered, removed),
        (Team, Suspended, removed),
        (Team, Unknown, removed),
        (EnterpriseDirectory, Registered, signed_out),
        (EnterpriseDirectory, Suspended, signed_out),
        (EnterpriseDirectory, Unregistered, signed_out),
        (EnterpriseDirectory, Unknown, signed_out),
        (EnterpriseOidc, Registered, signed_out),
        (EnterpriseOidc, Suspended, signed_out),
        (EnterpriseOidc, Unregistered, signed_out),
        (EnterpriseOidc, Unknown, signed_out),
    ];
    for (kind, registration, expected) in table {
        let found = somebody(kind, registration);
        let told = check(&detail("termination", "effective", PAST), &[], Known::Found(&found), false, ALWAYS);
        assert_eq!(told, expected, "{kind:?} {registration:?}");
    }
    // After a takeover the wished state is sent again, never inferred from a look-up.
    let found = somebody(EnterpriseLwa, Suspended);
    assert_eq!(check(&detail("termination", "effective", PAST), &[], Known::Found(&found), true, ALWAYS), blocked);
}

/// What is known of the user, for a termination that is due.
#[test]
fn a_due_termination_by_what_is_known_of_the_user() {
    let acc = account(AccountType::EnterpriseLwa);
    let user = "u1".to_owned().try_into().unwrap();
    let table = [
        (Known::NotYet, "look up"),
        (Known::NoAddress, "hold NoAddress"),
        (Known::Remembered { account: &acc, user: &user, licence: None, can_look_up: true }, "suspend"),
        (Known::Found(&Found::Nobody { account: None }), "Unchanged UserNotFound"),
        (Known::Found(&Found::SomebodyElses), "hold AddressReused"),
        (Known::Found(&Found::SeveralAccounts), "park several_accounts detail.subject.email"),
        (Known::Found(&Found::UnknownAccount), "park unknown_account policy.accounts"),
    ];
    for (known, expected) in table {
        assert_eq!(check(&detail("termination", "effective", PAST), &[], known, false, "{}"), expected, "{known:?}");
    }
}

/// Every event type that suspend-user consumes, for a person whose only employment fact is a hire in 2025.
#[test]
fn each_consumed_event_type_has_its_row() {
    let employed = detail("hire", "effective", "2025-01-02T08:00:00Z");
    let table = [
        ("hire", "scheduled", "Unchanged FactRecorded"),
        ("hire", "effective", "Unchanged FactRecorded"),
        // Another start stands: access is due by it.
        ("hire", "rescinded", "Superseded AccessDue"),
        ("rehire", "scheduled", "Unchanged FactRecorded"),
        ("rehire", "effective", "Unchanged FactRecorded"),
        ("rehire", "rescinded", "Superseded AccessDue"),
        ("termination", "scheduled", "Unchanged FactRecorded"),
        ("termination", "effective", "look up"),
        ("termination", "rescinded", "Unchanged FactRecorded"),
        ("leave", "scheduled", "Unchanged FactRecorded"),
        ("leave", "effective", "look up"),
        ("leave", "rescinded", "Unchanged FactRecorded"),
        ("return", "scheduled", "Unchanged FactRecorded"),
        ("return", "effective", "Unchanged FactRecorded"),
        // No leave is known that the return would have ended.
        ("return", "rescinded", "Superseded AccessDue"),
        ("account_status", "effective", "look up"),
    ];
    let mine = |event_type: &EventType| consumer(*event_type) == Some(Function::SuspendUser);
    let consumed = EventType::all().into_iter().filter(mine).count();
    assert_eq!(table.len(), consumed, "a row for each");
    for (kind, phase, expected) in table {
        let mut detail = detail(kind, phase, PAST);
        if kind == "account_status" {
            detail["status"] = json!({ "after": "suspended" });
        }
        assert_eq!(
            check(&detail, std::slice::from_ref(&employed), Known::NotYet, false, ABSENCES),
            expected,
            "{kind} {phase}"
        );
    }
}

/// Who is not employed or on leave loses access by whichever event says so; who is, keeps it.
#[test]
fn the_facts_decide_and_not_the_event() {
    let hired = |at: &str| detail("hire", "effective", at);
    let on_leave = detail("leave", "effective", "2026-11-10T08:00:00Z");
    let newer = |phase: &str, at: &str| {
        let mut newer = detail("termination", phase, at);
        newer["factId"] = json!("end");
        newer["occurredAt"] = json!("2026-11-21T08:00:00Z");
        newer["eventId"] = json!("e2");
        newer
    };
    let mut end = detail("termination", "effective", PAST);
    end["factId"] = json!("end");
    let cases: [(&str, Value, Vec<Value>, &str); 13] = [
        ("taken back since", end.clone(), vec![newer("rescinded", PAST)], "Superseded NewerAssertion"),
        (
            "corrected to a time that is past too",
            end.clone(),
            vec![newer("scheduled", "2026-11-20T18:00:00Z")],
            "look up",
        ),
        (
            "corrected to a time ahead",
            end.clone(),
            vec![newer("scheduled", "2026-12-20T18:00:00Z")],
            "Superseded NewerAssertion",
        ),
        ("the newer assertion says the same", end, vec![newer("effective", PAST)], "look up"),
        (
            "rehired since",
            detail("termination", "effective", "2026-11-01T18:00:00Z"),
            vec![hired("2026-11-02T08:00:00Z")],
            "Superseded AccessDue",
        ),
        ("left since", detail("termination", "effective", PAST), vec![hired("2025-01-02T08:00:00Z")], "look up"),
        (
            "the return is taken back: the leave goes on",
            detail("return", "rescinded", PAST),
            vec![hired("2025-01-02T08:00:00Z"), on_leave],
            "look up",
        ),
        ("the only start is taken back", detail("hire", "rescinded", PAST), vec![], "look up"),
        ("a rehire that nothing came before", detail("rehire", "rescinded", PAST), vec![], "Unchanged NothingDue"),
        (
            "a start that lies ahead is taken back",
            detail("hire", "rescinded", "2026-12-01T08:00:00Z"),
            vec![],
            "Unchanged NothingDue",
        ),
        (
            "the end lies ahead",
            detail("termination", "effective", "2026-12-01T18:00:00Z"),
            vec![],
            "park not_yet_effective detail.effective",
        ),
        ("clocks differ", detail("termination", "effective", "2026-11-23T12:00:40Z"), vec![], "wait 40 s"),
        (
            "start and end on one day",
            dated("termination", "2026-11-20"),
            vec![dated("rehire", "2026-11-20")],
            "Superseded AccessDue",
        ),
    ];
    for (story, detail, facts, expected) in cases {
        assert_eq!(check(&detail, &facts, Known::NotYet, false, ABSENCES), expected, "{story}");
    }
}

fn dated(kind: &str, date: &str) -> Value {
    let mut detail = detail(kind, "effective", PAST);
    detail["effective"] =
        json!({ "date": date, "at": null, "zone": "Asia/Tokyo", "basis": "start_of_day", "source": "payload" });
    detail
}

#[test]
fn a_policy_may_leave_access_alone_during_absences() {
    let keep = "{}";
    assert_eq!(check(&detail("leave", "effective", PAST), &[], Known::NotYet, false, keep), "Unchanged NothingDue");
    let mut login = detail("account_status", "effective", PAST);
    login["status"] = json!({ "after": "deactivated" });
    assert_eq!(check(&login, &[], Known::NotYet, false, keep), "Unchanged NothingDue");
    assert_eq!(check(&detail("termination", "effective", PAST), &[], Known::NotYet, false, keep), "look up");
}

#[test]
fn a_destructive_action_is_never_taken_while_a_fact_it_needs_is_missing() {
    let table = [
        ("kind", "hold MissingFacts"),
        ("phase", "hold MissingFacts"),
        ("effective.date", "hold MissingFacts"),
        ("effective.zone", "look up"),
        ("occurredAt", "look up"),
        ("changes.values", "look up"),
        ("subject.workerId", "look up"),
        ("subject.email", "look up"),
    ];
    for (missing, expected) in table {
        let mut detail = detail("termination", "effective", PAST);
        detail["missing"] = json!([missing]);
        assert_eq!(check(&detail, &[], Known::NotYet, false, "{}"), expected, "{missing}");
    }
}

#[test]
fn kinds_and_phases_that_do_not_go_together_do_not_exist() {
    assert_eq!(EventType::new(Kind::Termination, Phase::Detected), None);
    assert_eq!(EventType::new(Kind::AccountStatus, Phase::Scheduled), None);
    assert_eq!(EventType::all().len(), 7 * 3 + 5);
}

/// A leave that nobody ended, a termination, and a rehire: the leave ended with the former employment.
#[test]
fn a_leave_of_a_former_employment_takes_nothing_from_the_present_one() {
    let facts = [
        detail("hire", "effective", "2024-01-08T08:00:00Z"),
        detail("leave", "effective", "2024-06-03T08:00:00Z"),
        detail("rehire", "effective", "2026-02-02T08:00:00Z"),
    ];
    let late = detail("termination", "effective", "2024-09-30T18:00:00Z");
    assert_eq!(check(&late, &facts, Known::NotYet, false, ABSENCES), "Superseded AccessDue");
}

/// Twenty seasons of a seasonal worker are more facts than the ledger keeps: the old ones make room, and the last counts.
#[test]
fn a_person_with_a_long_history_can_still_leave() {
    let mut facts = Facts::default();
    for year in 2001..=2020 {
        for (kind, day) in [("rehire", "04-01"), ("leave", "06-01"), ("return", "06-15"), ("termination", "10-31")] {
            let event = parse(&detail(kind, "effective", &format!("{year}-{day}T08:00:00Z")).to_string()).unwrap();
            facts.assert(Fact::asserted_by(&event).unwrap(), now()).unwrap();
        }
    }
    assert_eq!(facts.iter().count(), 32);
    let access = facts.access(now(), rollcall::person::AccessPolicy::default());
    let last = facts.iter().find(|fact| {
        fact.kind == rollcall::person::FactKind::Termination
            && fact.at.is_some_and(|at| at.to_string().starts_with("2020"))
    });
    assert_eq!(access, rollcall::person::Access::NotDue(last.unwrap().id.clone()));
}
