//! Laws of parsing: nothing panics, nothing is repeated, and a good detail comes out as it went in.

use super::config;
use crate::stage::termination;
use jiff::{SignedDuration, Timestamp};
use proptest::prelude::*;
use proptest::sample::{Index, select, subsequence};
use rollcall::event::{EventType, LoginStatus, Missing, Moment, ReasonCategory, parse, wire};
use serde_json::{Value, json};
use std::collections::BTreeSet;

/// One change to a text.
#[derive(Clone, Debug)]
enum Edit {
    Delete(Index, usize),
    Insert(Index, String),
    /// Copies a stretch to another place.
    Copy(Index, usize, Index),
}

fn edits() -> impl Strategy<Value = Vec<Edit>> {
    let token = select(vec![
        "{",
        "}",
        "[",
        "]",
        ",",
        ":",
        "\"",
        "null",
        "-1e999",
        "\\ud800",
        "\u{0}",
        "[[[[",
        "\"\":",
        "true",
        " at line ",
        "\"senders.word@senders.example\":1,",
        ", expected senders",
        "senders",
    ]);
    let edit = prop_oneof![
        (any::<Index>(), 1..20_usize).prop_map(|(at, count)| Edit::Delete(at, count)),
        (any::<Index>(), token).prop_map(|(at, token)| Edit::Insert(at, token.to_owned())),
        (any::<Index>(), any::<char>()).prop_map(|(at, any)| Edit::Insert(at, any.to_string())),
        (any::<Index>(), 1..60_usize, any::<Index>()).prop_map(|(from, count, to)| Edit::Copy(from, count, to)),
    ];
    prop::collection::vec(edit, 1..5)
}

fn edited(body: &str, edits: Vec<Edit>) -> String {
    let mut text: Vec<char> = body.chars().collect();
    for edit in edits {
        let at = |index: Index, text: &Vec<char>| index.index(text.len() + 1);
        match edit {
            Edit::Delete(index, count) => {
                let from = at(index, &text);
                let to = (from + count).min(text.len());
                text.drain(from..to);
            }
            Edit::Insert(index, new) => {
                let place = at(index, &text);
                text.splice(place..place, new.chars());
            }
            Edit::Copy(from, count, to) => {
                let from = at(from, &text);
                let copied: Vec<char> = text[from..(from + count).min(text.len())].to_vec();
                let place = at(to, &text);
                text.splice(place..place, copied);
            }
        }
    }
    text.into_iter().collect()
}

/// The three wrappings of one detail.
fn wrapped(detail_type: &str, detail: &Value) -> [String; 3] {
    let bus =
        json!({ "version": "0", "detail-type": detail_type, "source": "rollcall.hr", "detail": detail }).to_string();
    let sns = json!({ "Type": "Notification", "Message": bus }).to_string();
    [detail.to_string(), bus, sns]
}

/// Whatever is refused, the sender's words stay out of the refusal.
fn refusal_is_mute(body: &str) -> Result<(), TestCaseError> {
    if let Err(refusal) = parse(body) {
        prop_assert!(!refusal.to_string().to_lowercase().contains("senders"), "{}", refusal);
        prop_assert!(!refusal.field.is_empty() && !refusal.message.is_empty());
    }
    Ok(())
}

proptest! {
    #![proptest_config(config(512))]

    #[test]
    fn any_text_is_an_event_or_a_refusal(text in any::<String>(), bytes in prop::collection::vec(any::<u8>(), 0..400)) {
        refusal_is_mute(&text)?;
        refusal_is_mute(&String::from_utf8_lossy(&bytes))?;
    }

    #[test]
    fn a_damaged_event_is_an_event_or_a_refusal(which in 0..3_usize, edits in edits()) {
        let mut detail = termination("e1", "lwa", 0);
        detail["subject"] = json!({ "workerId": "SENDERS", "email": "senders.word@senders.example" });
        detail["reason"] = json!({ "code": "senders.word", "category": "voluntary" });
        let body = &wrapped("worker.termination.effective", &detail)[which];
        refusal_is_mute(&edited(body, edits))?;
    }
}

fn effective() -> impl Strategy<Value = Value> {
    let bases = vec!["last_day_worked", "first_day_inactive", "start_of_day", "unknown"];
    let zones = vec!["UTC", "Europe/Paris", "Asia/Kolkata"];
    let day = (1..=28_i8).prop_map(|day| format!("2026-11-{day:02}"));
    let optional_day = prop::option::of((1..=28_i8).prop_map(|day| format!("2026-11-{day:02}")));
    let instant = (second(), optional_day, select(zones.clone()));
    prop_oneof![
        instant.prop_map(|(at, date, zone)| json!({ "at": at, "date": date, "zone": zone, "basis": "instant" })),
        (day.clone(), select(zones), select(bases))
            .prop_map(|(date, zone, basis)| json!({ "date": date, "zone": zone, "basis": basis, "source": "payload" })),
        day.prop_map(|date| json!({ "date": date })),
    ]
}

fn second() -> impl Strategy<Value = String> {
    (0..2_000_000_000_i64).prop_map(|second| Timestamp::from_second(second).unwrap().to_string())
}

fn subject() -> impl Strategy<Value = Value> {
    let email = "[a-zA-Z]{1,8}[.][a-z]{1,8}@[a-z]{1,8}[.]example";
    ("[A-Z0-9-]{1,20}", email, "[0-9a-f]{8}", 1..8_u8).prop_map(|(worker, email, id, which)| {
        let when = |bit: u8, value: &str| (which & bit > 0).then(|| value.to_owned());
        json!({ "workerId": when(1, &worker), "email": when(2, &email), "providerSubjectId": when(4, &id) })
    })
}

/// Members that may be there or not.
fn extras() -> impl Strategy<Value = Value> {
    let reasons = vec!["voluntary", "involuntary", "security", "unknown"];
    let lacking = vec!["subject.email", "subject.workerId", "effective.zone", "changes.values", "occurredAt"];
    let fact = prop::option::of("[!-~]{1,40}");
    let revision = prop::option::of("[0-9]{1,12}");
    let evidence = prop::option::of(("[ -~]{0,12}", prop::option::of("[ -~]{0,12}")));
    (fact, revision, prop::option::of(select(reasons)), subsequence(lacking, 0..=5), evidence).prop_map(
        |(fact, revision, reason, missing, evidence)| {
            let provider = revision.map(|revision| json!({ "name": "hr", "eventType": "x", "revision": revision }));
            let reason = reason.map(|category| json!({ "category": category }));
            let evidence = evidence.map(|(required, optional)| {
                json!({ "run": required, "rule": required, "confidence": required, "user": optional })
            });
            json!({
                "factId": fact, "provider": provider, "reason": reason, "missing": missing, "evidence": evidence,
            })
        },
    )
}

/// A good detail as JSON, and the event type that it has.
fn good_detail() -> impl Strategy<Value = (EventType, Value)> {
    let statuses =
        vec!["active", "pending", "on_leave", "suspended", "deactivated", "terminated", "deleted", "unknown"];
    let id = "[A-Za-z0-9._:-]{1,128}";
    (select(EventType::all()), id, second(), subject(), effective(), extras(), select(statuses)).prop_map(
        |(event_type, id, occurred_at, subject, effective, mut detail, status)| {
            let rest = json!({
                "schemaVersion": "1.0", "eventId": id, "kind": event_type.kind(), "phase": event_type.phase(),
                "occurredAt": occurred_at, "subject": subject, "effective": effective, "status": { "after": status },
            });
            detail.as_object_mut().unwrap().extend(rest.as_object().unwrap().clone());
            (event_type, detail)
        },
    )
}

fn read<T: serde::de::DeserializeOwned>(value: &Value) -> T {
    serde_json::from_value(value.clone()).unwrap()
}

/// When the effective member bites, reckoned by hand: an instant, whole days in UTC, or never. `None`: not reckoned.
fn bites(effective: &Value) -> Option<Option<Timestamp>> {
    match (effective["at"].as_str(), effective["zone"].as_str(), effective["basis"].as_str()) {
        (Some(at), _, _) => Some(Some(at.parse().unwrap())),
        (None, None, _) | (None, _, Some("unknown")) => Some(None),
        (None, Some("UTC"), Some(basis)) => {
            let midnight: Timestamp = format!("{}T00:00:00Z", effective["date"].as_str()?).parse().unwrap();
            let days = i64::from(basis == "last_day_worked");
            Some(Some(midnight + SignedDuration::from_hours(24 * days)))
        }
        (None, Some(_), _) => None,
    }
}

fn round_trip(event_type: EventType, json: &Value) -> Result<(), TestCaseError> {
    let rendered = serde_json::to_value(read::<wire::Detail>(json)).unwrap();
    let meaning = parse(&json.to_string()).map_err(|refusal| TestCaseError::fail(refusal.to_string()))?.meaning;
    for body in wrapped(event_type.detail_type(), &rendered) {
        let event = parse(&body).map_err(|refusal| TestCaseError::fail(refusal.to_string()))?;
        prop_assert_eq!(event.id.as_str(), json["eventId"].as_str().unwrap());
        prop_assert_eq!(event.event_type, event_type);
        prop_assert_eq!(event.occurred_at.to_string(), json["occurredAt"].as_str().unwrap());
        let subject = &json["subject"];
        prop_assert_eq!(event.subject.worker_id.as_ref().map(AsRef::as_ref), subject["workerId"].as_str());
        let provider_subject = event.subject.provider_subject.as_ref().map(AsRef::as_ref);
        prop_assert_eq!(provider_subject, subject["providerSubjectId"].as_str());
        let email = subject["email"].as_str().map(str::to_lowercase);
        prop_assert_eq!(event.subject.email.as_ref().map(AsRef::as_ref), email.as_deref());
        prop_assert_eq!(
            event.revision.as_ref().map(rollcall::person::Revision::as_str),
            json["provider"]["revision"].as_str()
        );
        prop_assert_eq!(event.reason, read::<Option<ReasonCategory>>(&json["reason"]["category"]));
        prop_assert_eq!(event.missing, read::<BTreeSet<Missing>>(&json["missing"]));
        prop_assert_eq!(event.login, read::<Option<LoginStatus>>(&json["status"]["after"]));
        if let Some(at) = bites(&json["effective"]).filter(|_| event_type.may_be_dated()) {
            prop_assert_eq!(event.moment.at(), at);
        }
        if let Some(fact) = json["factId"].as_str() {
            prop_assert_eq!(event.fact.as_str(), fact);
        } else if let (true, Moment::At { date: Some(date), .. }) = (event_type.is_dated(), event.moment) {
            let kind: String = read(&json["kind"]);
            prop_assert_eq!(event.fact.as_str(), format!("{kind}:{date}"), "default: kind and effective date");
        }
        prop_assert!(event.meaning == meaning, "the wrapping is no meaning");
    }
    Ok(())
}

proptest! {
    #![proptest_config(config(512))]

    #[test]
    fn what_is_rendered_is_parsed_to_the_same((event_type, json) in good_detail()) {
        round_trip(event_type, &json)?;
    }
}
