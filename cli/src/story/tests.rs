//! Stories from stored records: what `why` prints, and what `proof` concludes.

use super::{DueAccess, Story};
use crate::proof::{Conclusion, Doubt, Proof};
use crate::why;
use jiff::Timestamp;
use rollcall::ledger::{EventItem, History, PersonItem};
use rollcall::person::{AccessPolicy, PersonKey};
use serde_json::{Value, json};

const PERSON: &str = "0123456789abcdef0123456789abcdef";

fn now() -> Timestamp {
    "2026-11-27T12:00:00Z".parse().unwrap()
}

fn ms(text: &str) -> i64 {
    text.parse::<Timestamp>().unwrap().as_millisecond()
}

fn record(id: &str, state: &str, came: &str, more: &Value) -> EventItem {
    let mut record = json!({
        "id": id, "status": "COMPLETED", "state": state, "rev": 2, "owner": "o", "attempt": 1, "person": PERSON,
        "first_claimed_at": ms(came), "validation": "v",
    });
    record.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    serde_json::from_value(record).unwrap()
}

fn data(state: &str, reason: &str, message: &str) -> Value {
    json!(json!({ "outcome": state, "reason": reason, "message": message }).to_string())
}

fn plan(steps: &Value) -> Value {
    json!({ "account": { "id": "acc", "type": "EnterpriseLWA" }, "user": "u1", "fresh": true, "steps": steps, "done": "suspended" })
}

fn story(person: Value, events: Vec<EventItem>, asked: Option<&str>) -> Story {
    let mut item = json!({ "id": format!("person#{PERSON}"), "rev": 3 });
    item.as_object_mut().unwrap().extend(person.as_object().unwrap().clone());
    let person: PersonItem = serde_json::from_value(item).unwrap();
    let key = PersonKey::parse(PERSON).unwrap();
    let history = History { key, person: Some(person), person_unreadable: false, events, unreadable: 0 };
    Story::of(history, asked.map(str::to_owned), AccessPolicy::default(), now())
}

fn fact(kind: &str, id: &str, from: &str) -> Value {
    json!({ "kind": kind, "id": id, "at": from, "standing": "asserted", "occurred_at": "2026-11-25T09:00:00Z", "event": "e" })
}

/// Somebody who was dismissed while the brake held everything.
fn leaver() -> Story {
    let steps = json!([
        { "operation": "suspend", "decisive": true, "status": "confirmed", "repeated": true, "sent": [
            { "at": ms("2026-11-26T18:00:02.250Z"), "took": 3500 },
            { "at": ms("2026-11-26T18:00:05.750Z"), "took": 120, "request": "6f1e-1" },
        ] },
        { "operation": "reset_pin", "decisive": false, "status": "refused", "code": "Throttled", "sent": [
            { "at": ms("2026-11-26T18:00:06Z"), "took": 30, "request": "6f1e-2" },
        ] },
    ]);
    let applied = record(
        "suspend-user#t1",
        "applied",
        // A release claims it anew.
        "2026-11-26T18:00:01Z",
        &json!({ "received_at": ms("2026-11-26T17:30:00Z"),
            "detail_type": "worker.termination.effective", "occurred_at": "2026-11-26T17:29:58Z",
            "effective_at": ms("2026-11-26T17:00:00Z"), "settled_at": ms("2026-11-26T18:00:07Z"),
            "data": data("applied", "suspended", "suspended: signed out everywhere and blocked"), "plan": plan(&steps),
            "released": { "by": "ops@desk", "sender": "AIDAOPERATOR", "at": "2026-11-26T18:00:01Z", "held_for": "mass_change" },
        }),
    );
    let superseded = record(
        "reinstate-user#r1",
        "superseded",
        "2026-11-26T19:00:00Z",
        &json!({
            "detail_type": "worker.return.effective", "occurred_at": "2026-11-24T08:00:00Z",
            "settled_at": ms("2026-11-26T19:00:00Z"),
            "data": json!(json!({ "outcome": "superseded", "reason": "access_not_due",
                "message": "another fact says that no access is due", "decidedBy": "termination" }).to_string()),
        }),
    );
    let person = json!({
        "user": "u1", "licence": "Pro",
        "facts": [fact("hire", "hire", "2026-01-05T08:00:00Z"), fact("termination", "termination", "2026-11-26T17:00:00Z")],
        "taken": { "account": { "id": "acc", "type": "EnterpriseLWA" }, "licence": "Pro", "event": "suspend-user#t1",
            "at": "2026-11-26T18:00:07Z" },
    });
    story(person, vec![applied, superseded], Some("suspend-user#t1"))
}

#[test]
fn why_tells_the_whole_story() {
    let expected = "\
person 0123456789abcdef0123456789abcdef, user u1, licence Pro
no access is due: termination from 2026-11-26T17:00:00Z, said 2026-11-25T09:00:00Z
access was taken 2026-11-26T18:00:07Z by suspend-user#t1; the licence was Pro

what HR says
  hire from 2026-01-05T08:00:00Z, said 2026-11-25T09:00:00Z
  termination from 2026-11-26T17:00:00Z, said 2026-11-25T09:00:00Z

what happened
> 2026-11-26T17:30:00Z  worker.termination.effective  suspend-user#t1
      said 2026-11-26T17:29:58Z, takes effect 2026-11-26T17:00:00Z
      released 2026-11-26T18:00:01Z by ops@desk, sent by AIDAOPERATOR (it was held: the mass-change brake holds it: over a limit of policy.brake, or latched since)
      applied 2026-11-26T18:00:07Z: suspended: signed out everywhere and blocked (30m 9s after it was due)
      suspend confirmed, sent again: an earlier send was not answered
        sent 2026-11-26T18:00:02.250Z, no answer within 3500 ms
        sent 2026-11-26T18:00:05.750Z, answered after 120 ms, request 6f1e-1
      reset_pin (auxiliary) refused (Throttled)
        sent 2026-11-26T18:00:06.000Z, answered after 30 ms, request 6f1e-2
  2026-11-26T19:00:00Z  worker.return.effective  reinstate-user#r1
      said 2026-11-24T08:00:00Z
      superseded 2026-11-26T19:00:00Z: another fact says that no access is due
      decided by termination from 2026-11-26T17:00:00Z, said 2026-11-25T09:00:00Z";
    assert_eq!(why::text(&leaver()), expected);
}

#[test]
fn a_lock_out_is_proven_by_its_confirmed_request() {
    let proof = Proof::of(leaver(), "rollcall-ledger", now());
    assert_eq!(
        (proof.conclusion, proof.by.as_deref(), proof.seconds),
        (Conclusion::LockedOut, Some("suspend-user#t1"), Some(1809))
    );
    assert!(proof.holds());
    let document = proof.document();
    for line in [
        "| conclusion | locked out by suspend-user#t1, 30m 9s after it was due |",
        "| access | not due, by the termination of 2026-11-26T17:00:00.000Z |",
        "| the sender said it (`worker.termination.effective`) | 2026-11-26T17:29:58.000Z |",
        "| Rollcall received it | 2026-11-26T17:30:00.000Z |",
        "| released by ops@desk, sent by the AWS principal `AIDAOPERATOR` | 2026-11-26T18:00:01.000Z |",
        "| suspend: no answer | 2026-11-26T18:00:05.750Z |",
        "| suspend: answered, request `6f1e-1` | 2026-11-26T18:00:05.870Z |",
        "| reset_pin: refused (Throttled) | 2026-11-26T18:00:07.000Z |",
        "| recorded as applied | 2026-11-26T18:00:07.000Z |",
    ] {
        assert!(document.contains(&format!("{line}\n")), "{line} is missing in\n{document}");
    }
}

#[test]
fn a_proof_tells_who_rejected_what_and_why() {
    let at = "2026-11-26T18:00:00Z";
    let rejected = json!({ "by": "ops@desk", "at": at, "reason": "wrong person | a broken\nfeed" });
    let event = record("suspend-user#a", "rejected", at, &json!({ "settled_at": ms(at), "rejected": rejected }));
    let document = Proof::of(story(json!({}), vec![event], None), "ledger", now()).document();
    let line = "| 2026-11-26T18:00:00.000Z | suspend-user#a | ops@desk | wrong person \\| a broken feed |\n";
    assert!(document.contains(line), "{document}");
}

/// What is due, what the last confirmed step did, and whether that is a proof.
#[test]
fn what_is_not_confirmed_proves_nothing() {
    let person = |kind: &str| json!({ "facts": [fact(kind, kind, "2026-11-26T17:00:00Z")] });
    let event = |id: &str, at: &str, operation: &str, status: &str| {
        let steps = json!([{ "operation": operation, "decisive": true, "status": status }]);
        record(id, "applied", at, &json!({ "settled_at": ms(at), "plan": plan(&steps) }))
    };
    let (early, late) = ("2026-11-26T18:00:00Z", "2026-11-26T19:00:00Z");
    let table = [
        ("termination", vec![event("a", early, "suspend", "confirmed")], Conclusion::LockedOut, true),
        ("termination", vec![event("a", early, "suspend", "unknown")], Conclusion::NothingSent, false),
        ("termination", vec![], Conclusion::NothingSent, false),
        (
            "termination",
            vec![event("a", early, "remove", "confirmed"), event("b", late, "invite", "confirmed")],
            Conclusion::HasAccess,
            false,
        ),
        (
            "termination",
            vec![event("b", late, "remove", "confirmed"), event("a", early, "invite", "confirmed")],
            Conclusion::LockedOut,
            true,
        ),
        // An auxiliary PIN reset locks nobody out, and a licence is no access.
        ("termination", vec![event("a", early, "reset_pin", "confirmed")], Conclusion::NothingSent, false),
        ("termination", vec![event("a", early, "set_licence", "confirmed")], Conclusion::NothingSent, false),
        // Signed out: where the company's directory manages the login that is not enough, and a compromise takes nothing.
        ("termination", vec![event("suspend-user#a", early, "logout", "confirmed")], Conclusion::SignedOut, false),
        ("termination", vec![event("logout-user#a", early, "logout", "confirmed")], Conclusion::NothingSent, false),
        ("hire", vec![event("a", early, "invite", "confirmed")], Conclusion::HasAccess, true),
        ("hire", vec![], Conclusion::NothingSent, true),
    ];
    for (index, (due, events, conclusion, holds)) in table.into_iter().enumerate() {
        let proof = Proof::of(story(person(due), events, None), "ledger", now());
        assert_eq!((proof.conclusion, proof.holds()), (conclusion, holds), "row {index}");
    }
}

/// The record of a lock-out expires 60 days after it ended. What is kept of the person stays, and says so.
#[test]
fn a_lock_out_whose_record_has_expired_is_told_from_what_was_taken() {
    let taken = |at: &str| {
        json!({ "facts": [fact("termination", "termination", "2026-09-01T17:00:00Z")],
            "taken": { "account": { "id": "acc", "type": "EnterpriseLWA" }, "event": "suspend-user#t1", "at": at } })
    };
    let steps = json!([{ "operation": "unsuspend", "decisive": true, "status": "confirmed" }]);
    let at = "2026-09-01T12:00:00Z";
    let given = record("reinstate-user#r1", "applied", at, &json!({ "settled_at": ms(at), "plan": plan(&steps) }));
    for events in [vec![], vec![given]] {
        let proof = Proof::of(story(taken("2026-09-01T17:00:10Z"), events, None), "ledger", now());
        assert_eq!(
            (proof.conclusion, proof.by.as_deref(), proof.holds()),
            (Conclusion::Taken, Some("suspend-user#t1"), true)
        );
        let document = proof.document();
        for line in [
            "| conclusion | taken 2026-09-01T17:00:10.000Z by suspend-user#t1; its record has expired, so no request can be \
             shown |",
            "| taken | 2026-09-01T17:00:10.000Z, by suspend-user#t1 |",
        ] {
            assert!(document.contains(&format!("{line}\n")), "{line} is missing in\n{document}");
        }
    }
    // Without it nobody may say that nothing was done: the record may have expired.
    let mut silent = json!({ "facts": [fact("termination", "termination", "2026-09-01T17:00:00Z")] });
    silent["facts"][0]["occurred_at"] = "2026-09-01T09:00:00Z".into();
    let silent = Proof::of(story(silent, vec![], None), "ledger", now());
    assert!(!silent.holds());
    assert!(silent.document().contains("those that ended 60 days ago have expired"), "{}", silent.document());
}

/// A request without an answer may have given access back, and so may one that is being sent.
#[test]
fn what_may_have_given_access_since_leaves_a_lock_out_unproven() {
    let step = |operation: &str, status: &str, sent: &[&str]| {
        let sent: Vec<Value> = sent.iter().map(|at| json!({ "at": ms(at), "took": 10 })).collect();
        json!([{ "operation": operation, "decisive": true, "status": status, "sent": sent }])
    };
    let taken = record(
        "suspend-user#a",
        "applied",
        "2026-11-26T18:00:00Z",
        &json!({
            "settled_at": ms("2026-11-26T18:00:01Z"), "plan": plan(&step("suspend", "confirmed", &["2026-11-26T18:00:00Z"])),
        }),
    );
    let (before, after) = ("2026-11-26T17:00:00Z", "2026-11-26T19:00:00Z");
    let table = [
        ("retry", step("unsuspend", "unknown", &[before, after]), false),
        ("parked", step("invite", "unknown", &[after]), false),
        ("retry", step("unsuspend", "unknown", &[before]), true),
        ("running", step("unsuspend", "planned", &[]), false),
        ("held", step("unsuspend", "planned", &[]), true),
        ("applied", step("unsuspend", "refused", &[after]), true),
    ];
    for (index, (state, steps, holds)) in table.into_iter().enumerate() {
        let given = record("reinstate-user#b", state, before, &json!({ "plan": plan(&steps) }));
        let person = json!({ "facts": [fact("termination", "t", before)] });
        let story = story(person, vec![taken.clone(), given], None);
        let told = why::text(&story).contains("planned, and perhaps sent: its attempt is under way, or died");
        assert_eq!(told, state == "running", "row {index}");
        let proof = Proof::of(story, "ledger", now());
        let doubt = (!holds).then_some(Doubt::GivenPerhaps);
        assert_eq!((proof.doubt, proof.holds()), (doubt, holds), "row {index}");
    }
}

/// Facts are unique by kind and name: a leave and a termination may have the same one.
#[test]
fn the_fact_that_decided_is_the_one_of_the_family_that_decides() {
    let mut taken_back = fact("return", "case-7", "2026-11-26T19:00:00Z");
    taken_back["standing"] = "rescinded".into();
    let facts = [
        fact("job_change", "case-7", "2026-11-26T18:00:00Z"),
        fact("leave", "case-7", "2026-11-26T17:30:00Z"),
        fact("termination", "case-7", "2026-11-26T17:00:00Z"),
        fact("hire", "case-7", "2026-12-24T17:00:00Z"),
        taken_back,
    ];
    let decided = |id: &str, reason: &str, asserts: &str| {
        let data = json!({ "outcome": "superseded", "reason": reason, "message": "m", "decidedBy": "case-7" });
        let asserts = json!({ "kind": asserts, "id": "case-7", "occurred_at": "2026-11-24T08:00:00Z" });
        let more = json!({ "settled_at": ms("2026-11-26T20:00:00Z"), "data": data.to_string(), "asserts": asserts });
        record(id, "superseded", "2026-11-26T20:00:00Z", &more)
    };
    let events = vec![
        decided("reinstate-user#a", "access_not_due", "return"),
        decided("reinstate-user#b", "newer_assertion", "return"),
        decided("relicense-user#c", "other_licence_fact", "reclaim"),
    ];
    let story = story(json!({ "facts": facts }), events, None);
    assert_eq!(story.access_by.as_ref().unwrap().kind, "termination");
    let by: Vec<&str> = story.events.iter().map(|event| event.decided_by.as_ref().unwrap().kind.as_str()).collect();
    assert_eq!(by, ["termination", "return", "job_change"]);
}

#[test]
fn what_cannot_be_read_proves_nothing() {
    let key = PersonKey::parse(PERSON).unwrap();
    let steps = json!([{ "operation": "suspend", "decisive": true, "status": "confirmed" }]);
    let at = "2026-11-26T18:00:00Z";
    let event = record("suspend-user#a", "applied", at, &json!({ "settled_at": ms(at), "plan": plan(&steps) }));
    let history = History { key, person: None, person_unreadable: true, events: vec![event.clone()], unreadable: 0 };
    let unknown = Story::of(history, None, AccessPolicy::default(), now());
    assert_eq!(unknown.access, DueAccess::Unreadable);
    assert!(why::text(&unknown).contains("what is kept of the person cannot be read"), "{}", why::text(&unknown));
    let proof = Proof::of(unknown, "ledger", now());
    let found = (proof.conclusion, proof.doubt, proof.holds());
    assert_eq!(found, (Conclusion::NotProven, Some(Doubt::PersonUnreadable), false));
    // A record that cannot be read may tell of a later change.
    let mut story = story(json!({ "facts": [fact("termination", "t", at)] }), vec![event], None);
    story.unreadable = 2;
    let proof = Proof::of(story, "ledger", now());
    assert_eq!((proof.conclusion, proof.holds()), (Conclusion::NotProven, false));
    assert!(proof.document().contains("| records that cannot be read | 2 |\n"), "{}", proof.document());
}

#[test]
fn a_receipt_tells_its_source_and_what_was_missing() {
    let receipt = record(
        "receipt#bamboohr:7",
        "applied",
        "2026-11-26T17:29:59Z",
        &json!({
            "occurred_at": "2026-11-26T17:29:58Z", "settled_at": ms("2026-11-26T17:30:00Z"),
            "data": json!(json!({ "outcome": "applied", "reason": "published",
                "message": "published on the bus for the function that acts on it", "source": "bamboohr",
                "events": ["worker.termination.effective"], "filled": { "subject.email": "roster" } }).to_string()),
        }),
    );
    let text = why::text(&story(json!({}), vec![receipt], None));
    assert!(text.contains("  2026-11-26T17:29:59Z  bamboohr  receipt#bamboohr:7\n"), "{text}");
    assert!(text.contains("      it lacked: subject.email from roster\n"), "{text}");
    assert!(text.starts_with(&format!("person {PERSON}\nno fact says")), "{text}");
}
