//! Whom a completed event is about.

use super::stage::rows;
use super::{facts, kind_word, lines, only};
use rollcall::event::Missing;
use rollcall::event::wire::Detail;
use rollcall::intake::Source;
use rollcall::intake::complete::{Completed, Employee, Event, Gathered, complete};
use rollcall::policy::Policy;
use rollcall::roster::Status;
use serde_json::{Value, json};

fn completed(source: Source, kind: &str, subject: &Value, gathered: &Gathered, policy: &str) -> Completed {
    let mut detail = json!({
        "schemaVersion": "1.0", "eventId": "e:1", "kind": kind, "phase": "effective",
        "occurredAt": "2026-12-01T08:00:00Z", "subject": subject, "missing": [],
    });
    if kind == "account_status" {
        detail["status"] = json!({ "after": "deactivated" });
    }
    if kind == "unclassified" {
        detail["phase"] = json!("unknown");
        detail["missing"] = json!(["kind", "phase", "effective.date", "effective.zone"]);
    }
    let detail: Detail = serde_json::from_value(detail).unwrap();
    let rules = Policy::parse(policy).unwrap().sources;
    complete(detail, source, gathered, &facts([]), &rules, "2026-12-01T08:01:00Z".parse().unwrap())
}

fn login(source: Source, subject: &Value, gathered: &Gathered) -> Event {
    only(completed(source, "account_status", subject, gathered, "{}"))
}

fn in_roster() -> Gathered {
    let csv = "worker_id,email,status\n7,ann@acme.example,active\n";
    Gathered { row: rows(csv).pop(), roster_at: Some("2026-11-01T00:00:00Z".parse().unwrap()), ..Gathered::default() }
}

#[test]
fn a_private_address_is_no_work_address_and_goes_no_further() {
    let private = json!({ "workerId": "7", "email": "ann@never.example", "emailKind": "personal" });
    let event = login(Source::Merge, &private, &in_roster());
    assert_eq!(event.detail.subject.email.as_deref(), Some("ann@acme.example"));
    let event = login(Source::Merge, &private, &Gathered::default());
    assert_eq!(event.detail.subject.email, None);
    assert!(event.detail.missing.contains(&Missing::Email));
    let alone = json!({ "email": "ann@never.example", "emailKind": "personal" });
    let parked = completed(Source::Merge, "account_status", &alone, &Gathered::default(), "{}");
    assert!(matches!(&parked, Completed::Parked(reason, _) if reason.starts_with("it names nobody at work")));
}

/// What the roster has may be the address before the change.
#[test]
fn a_change_of_address_gets_no_address_of_the_roster() {
    let subject = json!({ "providerSubjectId": "00u7" });
    let event = only(completed(Source::Okta, "identity_change", &subject, &in_roster(), "{}"));
    assert_eq!(event.detail.subject.email, None);
    assert_eq!(event.detail.subject.worker_id.as_deref(), Some("7"));
}

#[test]
fn a_providers_id_is_qualified_once_and_not_in_rollcalls_own_events() {
    let id = |source, id: &str| {
        let event = login(source, &json!({ "providerSubjectId": id }), &Gathered::default());
        event.detail.subject.provider_subject_id.unwrap()
    };
    assert_eq!(id(Source::Okta, "00u7"), "okta:00u7");
    assert_eq!(id(Source::Okta, "okta:00u7"), "okta:00u7");
    assert_eq!(id(Source::Canonical, "00u7"), "00u7");
    assert_eq!(id(Source::CloudEvents, "00u7"), "00u7");
    let long = "x".repeat(255);
    assert_eq!(id(Source::Okta, &long), long, "it would be too long for the road");
}

#[test]
fn what_the_sender_said_is_not_replaced() {
    let subject = json!({ "workerId": "007", "email": "a.login@acme.example", "emailKind": "login" });
    let event = login(Source::Okta, &subject, &in_roster());
    assert_eq!(
        lines(&Completed::Events(vec![event])),
        ["account_status/effective | 007 a.login@acme.example |  | - |  |"]
    );
}

/// The day of an end may not be over where the person works: without a zone nobody is suspended for it.
#[test]
fn an_end_of_today_without_a_zone_is_held() {
    let employee =
        Employee { status: Some(Status::Terminated), ends: Some("2026-12-01".parse().unwrap()), ..Employee::default() };
    let gathered = Gathered { employee: Some(employee), ..Gathered::default() };
    let subject = json!({ "workerId": "7" });
    let event = only(completed(Source::HiBob, "unclassified", &subject, &gathered, "{}"));
    assert_eq!(kind_word(&event.detail), "termination/scheduled");
    let missing: Vec<Missing> = event.detail.missing.iter().copied().collect();
    assert_eq!(missing, [Missing::EffectiveZone, Missing::Phase]);
    let with_zone =
        completed(Source::HiBob, "unclassified", &subject, &gathered, r#"{"sources":{"zone":"Asia/Tokyo"}}"#);
    assert!(only(with_zone).detail.missing.is_empty());
}
