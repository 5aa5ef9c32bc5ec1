//! The laws of completing, for whatever comes: no panic, nothing invented, nothing turned into something else.

use super::facts;
use jiff::civil::{Date, date};
use jiff::{Timestamp, ToSpan};
use proptest::prelude::*;
use rollcall::event::wire::Detail;
use rollcall::event::{Kind, Missing};
use rollcall::intake::Source;
use rollcall::intake::complete::{Completed, Employee, Event, Gathered, Whence, complete};
use rollcall::person::{Assertion, Fact, FactId, FactKind, Job, Standing, SubjectId, WorkEmail, WorkerId};
use rollcall::policy::Policy;
use rollcall::roster::{Leave, Row, Status};
use serde_json::{Value, json};
use std::collections::BTreeSet;

const NOW: &str = "2026-12-01T09:00:00Z";
const ZONES: [&str; 3] = ["Europe/Oslo", "America/Havana", "Pacific/Kiritimati"];

fn day() -> impl Strategy<Value = Date> {
    (-400i64..400).prop_map(|days| date(2026, 12, 1).saturating_add(days.days()))
}

fn instant() -> impl Strategy<Value = Timestamp> {
    (-400i64 * 24..400 * 24).prop_map(|hours| NOW.parse::<Timestamp>().unwrap() + hours.hours())
}

fn status() -> impl Strategy<Value = Status> {
    prop_oneof![Just(Status::PreHire), Just(Status::Active), Just(Status::OnLeave), Just(Status::Terminated)]
}

fn leave() -> impl Strategy<Value = Leave> {
    (day(), proptest::option::of(0i64..60))
        .prop_map(|(from, days)| Leave { from, to: days.map(|days| from.saturating_add(days.days())) })
}

fn job(of: &'static str) -> impl Strategy<Value = Job> {
    proptest::option::of(Just(format!("{of}-dept"))).prop_map(|department| Job { department, ..Job::default() })
}

fn zone() -> impl Strategy<Value = Option<String>> {
    proptest::option::of(proptest::sample::select(&ZONES[..]).prop_map(str::to_owned))
}

fn row() -> impl Strategy<Value = Row> {
    let dates = (proptest::option::of(day()), proptest::option::of(day()), proptest::option::of(leave()));
    let has = (any::<bool>(), any::<bool>());
    (has, zone(), status(), dates, job("row")).prop_map(|((email, column), time_zone, status, dates, job)| Row {
        line: 2,
        worker_id: WorkerId::parse("row-7").unwrap(),
        subjects: vec![SubjectId::parse("7731").unwrap()],
        email: email.then(|| WorkEmail::parse("row@acme.example").unwrap()),
        time_zone,
        status,
        started: dates.0,
        ends: dates.1,
        tells_end: column || dates.1.is_some(),
        leave: dates.2,
        job,
        manager: None,
    })
}

fn employee() -> impl Strategy<Value = Employee> {
    let dates = (proptest::option::of(day()), proptest::option::of(day()), proptest::option::of(leave()));
    let has = (any::<bool>(), any::<bool>(), any::<bool>());
    (has, zone(), proptest::option::of(status()), dates, job("api")).prop_map(
        |((worker, email, tells_end), time_zone, status, dates, job)| Employee {
            worker_id: worker.then(|| WorkerId::parse("api-7").unwrap()),
            email: email.then(|| WorkEmail::parse("api@acme.example").unwrap()),
            time_zone,
            status,
            started: dates.0,
            ends: dates.1,
            tells_end,
            leave: dates.2,
            job,
        },
    )
}

fn ledger_fact() -> impl Strategy<Value = Fact> {
    let kinds = proptest::sample::select(vec![
        FactKind::Hire,
        FactKind::Rehire,
        FactKind::Termination,
        FactKind::Leave,
        FactKind::Return,
        FactKind::Login,
        FactKind::JobChange,
    ]);
    let standings = proptest::sample::select(vec![Standing::Asserted, Standing::Rescinded, Standing::Rejected]);
    let when = (proptest::option::of(instant()), proptest::option::of(day()));
    (kinds, standings, when, instant(), 0u8..3, job("ledger")).prop_map(
        |(kind, standing, (at, date), occurred_at, name, job)| Fact {
            id: FactId::parse(["hire", "termination", "leave:2026-12-01"][usize::from(name)]).unwrap(),
            kind,
            at,
            date,
            standing,
            active: None,
            rejected_at: None,
            reason: None,
            job,
            assertion: Assertion { occurred_at, revision: None, event: "e-1".into() },
        },
    )
}

/// An event as an adapter leaves it.
fn detail() -> impl Strategy<Value = Value> {
    let kinds = proptest::sample::select(vec![
        ("unclassified", "unknown"),
        ("hire", "effective"),
        ("hire", "rescinded"),
        ("rehire", "scheduled"),
        ("termination", "scheduled"),
        ("termination", "effective"),
        ("termination", "rescinded"),
        ("leave", "effective"),
        ("return", "effective"),
        ("job_change", "scheduled"),
        ("identity_change", "effective"),
        ("account_status", "effective"),
        ("credential_compromise", "detected"),
    ]);
    let subject =
        (any::<bool>(), any::<bool>(), proptest::option::of(proptest::sample::select(vec!["work", "personal"])));
    let when = (proptest::option::of(day()), proptest::option::of(instant()), any::<bool>());
    (kinds, subject, when, instant()).prop_map(|((kind, phase), (worker, id, email), (date, at, unsure), occurred)| {
        let mut missing: Vec<&str> = Vec::new();
        if kind == "unclassified" {
            missing.extend(["kind", "phase"]);
        }
        if phase == "scheduled" && unsure {
            missing.push("phase");
        }
        missing.extend((!worker).then_some("subject.workerId"));
        missing.extend(email.is_none().then_some("subject.email"));
        missing.extend((date.is_none() && at.is_none()).then_some("effective.date"));
        missing.extend(at.is_none().then_some("effective.zone"));
        let mut event = json!({
            "schemaVersion": "1.0", "eventId": "hibob:1", "kind": kind, "phase": phase,
            "occurredAt": occurred.to_string(),
            "subject": {
                "workerId": worker.then_some("own-7"),
                "providerSubjectId": id.then_some("7731"),
                "email": email.map(|_| "own@acme.example"),
                "emailKind": email,
            },
            "effective": { "date": date.map(|date| date.to_string()), "at": at.map(|at| at.to_string()) },
            "missing": missing,
        });
        if kind == "account_status" {
            event["status"] = json!({ "after": "deactivated" });
        }
        event
    })
}

fn gathered() -> impl Strategy<Value = Gathered> {
    (proptest::option::of(row()), proptest::option::of(instant()), proptest::option::of(employee()), any::<bool>())
        .prop_map(|(row, roster_at, employee, several)| Gathered {
            several: several && row.is_none(),
            row,
            roster_at,
            employee,
        })
}

/// Every date and instant that anybody told.
fn told(gathered: &Gathered, facts: &[Fact], own: &Detail) -> BTreeSet<String> {
    let records = [
        gathered.row.as_ref().map(|row| (row.started, row.ends, row.leave)),
        gathered.employee.as_ref().map(|employee| (employee.started, employee.ends, employee.leave)),
    ];
    let mut told = BTreeSet::from([own.occurred_at.clone()]);
    for (started, ends, leave) in records.into_iter().flatten() {
        let back = leave.and_then(|leave| leave.to).map(|last| last.saturating_add(1.day()));
        let dates = [started, ends, leave.map(|leave| leave.from), back];
        told.extend(dates.into_iter().flatten().map(|date| date.to_string()));
    }
    for fact in facts {
        told.extend(fact.date.map(|date| date.to_string()));
        told.extend(fact.at.map(|at| at.to_string()));
    }
    let own = own.effective.as_ref();
    told.extend(own.and_then(|effective| effective.date.clone()));
    told.extend(own.and_then(|effective| effective.at.clone()));
    told
}

/// Each member is what somebody told, and what was filled in is no longer missing.
fn check(event: &Event, own: &Detail, gathered: &Gathered, ledger: &[Fact], policy_zone: &str) {
    let detail = &event.detail;
    let value = serde_json::to_value(detail).unwrap();
    let subject = &value["subject"];
    let among = |value: &Value, allowed: &[&str]| {
        value.is_null() || allowed.iter().any(|allowed| value.as_str() == Some(allowed))
    };
    assert!(among(&subject["workerId"], &["own-7", "row-7", "api-7", "7731"]));
    assert!(among(&subject["email"], &["own@acme.example", "row@acme.example", "api@acme.example"]));
    assert!(among(&subject["providerSubjectId"], &["hibob:7731"]));
    let effective = &value["effective"];
    let zones: Vec<&str> = [
        gathered.row.as_ref().and_then(|row| row.time_zone.as_deref()),
        gathered.employee.as_ref().and_then(|employee| employee.time_zone.as_deref()),
        Some(policy_zone),
    ]
    .into_iter()
    .flatten()
    .collect();
    assert!(among(&effective["zone"], &zones), "{effective}");
    let told = told(gathered, ledger, own);
    for member in ["date", "at"] {
        assert!(effective[member].as_str().is_none_or(|text| told.contains(text)), "{member}: {effective}");
    }
    assert_eq!(detail.occurred_at, own.occurred_at);
    for (fact, whence) in &event.filled {
        assert!(!detail.missing.contains(fact), "{fact:?} was filled in");
        match whence {
            Whence::Roster => assert!(gathered.row.is_some()),
            Whence::Api => assert!(gathered.employee.is_some()),
            Whence::Ledger => assert!(!ledger.is_empty()),
            Whence::Policy => assert!(matches!(fact, Missing::EffectiveZone | Missing::WorkerId | Missing::Phase)),
            Whence::EventTime => assert!(matches!(fact, Missing::EffectiveDate | Missing::Phase)),
        }
    }
    // What is not missing is there.
    let has = |fact: Missing, member: &Value| assert!(detail.missing.contains(&fact) || !member.is_null(), "{fact:?}");
    has(Missing::Email, &subject["email"]);
    has(Missing::WorkerId, &subject["workerId"]);
    let parsed = rollcall::event::parse(&value.to_string()).unwrap();
    let needed = [Missing::EffectiveDate, Missing::EffectiveZone, Missing::Phase];
    if parsed.event_type.is_dated() && parsed.moment.at().is_none() {
        assert!(needed.iter().any(|fact| detail.missing.contains(fact)), "undated, and nothing is missing: {value}");
    }
    if parsed.event_type.is_dated() && parsed.moment.at().is_some() {
        assert!(!needed.iter().any(|fact| detail.missing.contains(fact)), "dated, and something is missing: {value}");
    }
    for change in value["changes"].as_array().into_iter().flatten() {
        assert!(among(&change["after"], &["row-dept", "api-dept"]));
        assert!(among(&change["before"], &["ledger-dept"]));
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2000, ..ProptestConfig::default() })]
    #[test]
    fn nothing_is_invented_whatever_comes(
        own in detail(),
        gathered in gathered(),
        ledger in proptest::collection::vec(ledger_fact(), 0..6),
        by_policy in any::<bool>(),
        zone in proptest::sample::select(&ZONES[..]),
    ) {
        let own: Detail = serde_json::from_value(own).unwrap();
        let policy = json!({ "sources": { "zone": zone, "systems": { "hibob": { "subject_is_worker_id": by_policy } } } });
        let rules = Policy::parse(&policy.to_string()).unwrap().sources;
        let known = facts(ledger.clone());
        let kept: Vec<Fact> = known.iter().cloned().collect();
        let now = NOW.parse().unwrap();
        let done = complete(own.clone(), Source::HiBob, &gathered, &known, &rules, now);
        match &done {
            Completed::Events(events) => {
                let ids: BTreeSet<&str> = events.iter().map(|event| event.detail.event_id.as_str()).collect();
                prop_assert_eq!(ids.len(), events.len(), "an id each");
                for event in events {
                    check(event, &own, &gathered, &kept, zone);
                    prop_assert!(own.kind == Kind::Unclassified || event.detail.kind == own.kind);
                }
            }
            Completed::Parked(reason, detail) => {
                prop_assert!(!reason.is_empty());
                prop_assert!(detail.kind == own.kind);
            }
            Completed::Nothing(_) => prop_assert!(own.kind == Kind::Unclassified),
        }
        let again = complete(own, Source::HiBob, &gathered, &known, &rules, now);
        prop_assert_eq!(format!("{done:?}"), format!("{again:?}"));
    }
}
