//! Laws that hold for any batch and any body: partition, chunks, robust parse, and the round trip of a good detail.

use crate::stage::{Fault, Stage, Strike, account, envelope, event, failed, mapped, termination};
use jiff::{SignedDuration, Timestamp};
use proptest::prelude::*;
use proptest::sample::{Index, select, subsequence};
use rollcall::batch::Told;
use rollcall::event::{EventType, Kind, LoginStatus, Missing, Moment, ReasonCategory, parse, wire};
use rollcall::seal::sha256;
use rollcall_local::chime::faults::{self, FaultKind};
use rollcall_local::chime::routes::Operation;
use serde_json::{Value, json};
use std::collections::BTreeSet;

fn config(cases: u32) -> ProptestConfig {
    ProptestConfig { cases, failure_persistence: None, ..ProptestConfig::default() }
}

/// Runs one case on a runtime of its own: each has a stage, and each stage a DynamoDB and a Chime.
fn block_on<T>(case: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(case)
}

/// What a message of a batch may be.
#[derive(Clone, Copy, Debug)]
enum Sort {
    Good,
    NotJson,
    /// Held: its date has no zone.
    Undatable,
    /// The same message as the one before it.
    Twin,
    /// Applied by an earlier batch.
    Replay,
    /// Claimed by a worker that did not come back yet.
    Busy,
    /// Its id came before, with another meaning.
    Reused,
}

fn body(sort: Sort, n: usize) -> String {
    let mut detail = termination(&format!("e{n}"), "lwa", n);
    match sort {
        Sort::NotJson => return format!("no JSON, {n}"),
        Sort::Undatable => detail["effective"] = json!({ "date": "2026-11-22", "basis": "last_day_worked" }),
        Sort::Good | Sort::Twin | Sort::Replay | Sort::Busy | Sort::Reused => {}
    }
    envelope(&detail)
}

/// What happened before the batch came.
async fn prepare(stage: &Stage, sorts: &[Sort]) {
    let of = |wanted: fn(&Sort) -> bool| sorts.iter().enumerate().filter(move |(_, sort)| wanted(sort));
    let replays: Vec<String> = of(|sort| matches!(sort, Sort::Replay)).map(|(n, sort)| body(*sort, n)).collect();
    let hires: Vec<String> = of(|sort| matches!(sort, Sort::Reused))
        .map(|(n, _)| envelope(&event(&format!("e{n}"), "hire", "effective", "2025-01-07T08:00:00Z", "lwa", n)))
        .collect();
    stage.deliver(&[replays, hires].concat()).await;
    let busy: Vec<String> = of(|sort| matches!(sort, Sort::Busy)).map(|(n, sort)| body(*sort, n)).collect();
    if !busy.is_empty() {
        let died = stage.deliver_until(&busy, Strike::on(Fault::StopAfter, "TransactWriteItems", 1, 1)).await;
        assert!(died.is_none());
    }
}

proptest! {
    #![proptest_config(config(24))]

    /// Every message is either settled, and its record says so, or reported to come again: never both, never neither.
    #[test]
    fn failed_and_settled_messages_make_up_the_batch(
        sorts in prop::collection::vec(select(vec![
            Sort::Good, Sort::NotJson, Sort::Undatable, Sort::Twin, Sort::Replay, Sort::Busy, Sort::Reused,
        ]), 1..20),
        fault in prop::option::of(select(vec![
            FaultKind::ThrottleUsers, FaultKind::Throttle, FaultKind::Forbidden, FaultKind::LostAnswer,
        ])),
        dlq_is_broken in prop::bool::weighted(0.2),
    ) {
        block_on(async {
            let stage = Stage::new(json!([account("lwa", "EnterpriseLWA", 20)])).await.with_policy(mapped(&["lwa"]));
            prepare(&stage, &sorts).await;
            if let Some(kind) = fault {
                stage.chime.core().arm(faults::Fault { operation: Operation::BatchSuspendUser, kind, after: 0, times: 3 });
            }
            *stage.queue.broken.lock().unwrap() = dlq_is_broken;
            let mut bodies: Vec<String> = Vec::new();
            let mut keys: Vec<String> = Vec::new();
            for (n, sort) in sorts.iter().enumerate() {
                let twin = bodies.last().filter(|_| matches!(sort, Sort::Twin)).cloned();
                let (body, key) = match (sort, twin) {
                    (Sort::Twin, Some(twin)) => (twin, keys[n - 1].clone()),
                    (Sort::NotJson | Sort::Reused, _) => {
                        let body = body(*sort, n);
                        let key = format!("suspend-user#body:{}", sha256(&body));
                        (body, key)
                    }
                    (_, _) => (body(*sort, n), format!("suspend-user#e{n}")),
                };
                bodies.push(body);
                keys.push(key);
            }
            let report = stage.deliver(&bodies).await;

            let failures = failed(&report);
            let distinct: BTreeSet<&String> = failures.iter().collect();
            prop_assert_eq!(distinct.len(), failures.len(), "no message is reported twice");
            let again = |told: &Told| matches!(told, Told::Again(_));
            let told: usize = report.events.iter().map(|event| event.messages).sum();
            let told_again: usize = report.events.iter().filter(|event| again(&event.told)).map(|event| event.messages).sum();
            prop_assert_eq!((told, told_again), (bodies.len(), failures.len()));
            for (n, key) in keys.iter().enumerate() {
                let record = stage.item(key).await;
                let state = record.as_ref().map_or("none", |record| record["state"].as_s().unwrap());
                let settled = ["applied", "unchanged", "superseded", "held", "parked"].contains(&state);
                let failed = failures.contains(&format!("m{n}"));
                prop_assert!(settled != failed, "m{} ({:?}) is {}, and failed: {}", n, sorts[n], state, failed);
            }
            let parked = stage.queue.parked.lock().unwrap().len();
            prop_assert!(parked == 0 || !dlq_is_broken);
            Ok(())
        })?;
    }
}

proptest! {
    #![proptest_config(config(16))]

    /// No request names more than 50 users, there are no more requests than needed, and each person is in one of them.
    #[test]
    fn chunks_are_small_and_lose_nobody(people in 1..=130_usize, kind in select(vec!["EnterpriseLWA", "Team"])) {
        block_on(async {
            let stage = Stage::new(json!([account("acc", kind, 130)])).await.with_policy(mapped(&["acc"]));
            let bodies: Vec<String> = (0..people).map(|n| envelope(&termination(&format!("e{n}"), "acc", n))).collect();
            let report = stage.deliver(&bodies).await;
            prop_assert_eq!(failed(&report), Vec::<String>::new());
            let core = stage.chime.core();
            let calls = core.calls().iter().filter(|call| call.operation == Some(Operation::BatchSuspendUser));
            let requests: Vec<&Vec<String>> = calls.map(|call| &call.users).collect();
            prop_assert_eq!(requests.len(), people.div_ceil(50));
            prop_assert!(requests.iter().all(|users| users.len() <= 50));
            let mut named: Vec<&String> = requests.into_iter().flatten().collect();
            named.sort();
            let mut due: Vec<String> = (0..people).map(|n| format!("u{n}")).collect();
            due.sort();
            prop_assert_eq!(named, due.iter().collect::<Vec<_>>());
            Ok(())
        })?;
    }
}

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

proptest! {
    #![proptest_config(config(512))]

    #[test]
    fn any_text_is_an_event_or_a_refusal(text in any::<String>(), bytes in prop::collection::vec(any::<u8>(), 0..400)) {
        let _either = parse(&text);
        let _either = parse(&String::from_utf8_lossy(&bytes));
    }

    /// The sender's words stay out of whatever is refused.
    #[test]
    fn a_damaged_event_is_an_event_or_a_refusal(which in 0..3_usize, edits in edits()) {
        let mut detail = termination("e1", "lwa", 0);
        detail["subject"] = json!({ "workerId": "SENDERS", "email": "senders.word@senders.example", "displayName": "senders" });
        detail["reason"] = json!({ "code": "senders.word", "category": "voluntary" });
        let body = &wrapped("worker.termination.effective", &detail)[which];
        if let Err(refusal) = parse(&edited(body, edits)) {
            prop_assert!(!refusal.to_string().to_lowercase().contains("senders"), "{}", refusal);
            prop_assert!(!refusal.field.is_empty() && !refusal.message.is_empty());
        }
    }
}

/// A good detail as JSON, and the event type that it has.
fn good_detail() -> impl Strategy<Value = (EventType, Value)> {
    let moments =
        (0..2_000_000_000_i64, prop::option::of(1..28_i8), select(vec!["UTC", "Europe/Paris", "Asia/Kolkata"]));
    let effective = (moments, select(vec!["last_day_worked", "first_day_inactive", "start_of_day", "unknown"]), 0..3_u8)
        .prop_map(|((at, day, zone), basis, shape)| {
            let date = day.map(|day| format!("2026-11-{day:02}"));
            match shape {
                0 => json!({ "at": Timestamp::from_second(at).unwrap().to_string(), "date": date, "zone": zone, "basis": "instant" }),
                1 => json!({ "date": format!("2026-11-{:02}", day.unwrap_or(28)), "zone": zone, "basis": basis, "source": "payload" }),
                _ => json!({ "date": date }),
            }
        });
    let subject = ("[A-Z0-9-]{1,20}", "[a-zA-Z]{1,8}[.][a-z]{1,8}@[a-z]{1,8}[.]example", "[0-9a-f]{8}", 1..8_u8)
        .prop_map(|(worker, email, id, which)| {
            let when = |bit: u8, value: &str| (which & bit > 0).then(|| value.to_owned());
            json!({ "workerId": when(1, &worker), "email": when(2, &email), "providerSubjectId": when(4, &id) })
        });
    let missing =
        subsequence(vec!["subject.email", "subject.workerId", "effective.zone", "changes.values", "occurredAt"], 0..=5);
    let extras = (
        prop::option::of("[!-~]{1,40}"),
        prop::option::of("[0-9]{1,12}"),
        prop::option::of(select(vec!["voluntary", "involuntary", "security"])),
        missing,
    );
    let status =
        select(vec!["active", "pending", "on_leave", "suspended", "deactivated", "terminated", "deleted", "unknown"]);
    (select(EventType::all()), "[A-Za-z0-9._:-]{1,128}", 0..2_000_000_000_i64, subject, effective, extras, status)
        .prop_map(|(event_type, id, occurred, subject, effective, (fact, revision, reason, missing), status)| {
            let mut detail = json!({
                "schemaVersion": "1.0", "eventId": id, "kind": event_type.kind(), "phase": event_type.phase(),
                "occurredAt": Timestamp::from_second(occurred).unwrap().to_string(), "subject": subject,
                "effective": effective, "missing": missing, "status": { "before": "unknown", "after": status },
            });
            if let Some(fact) = fact {
                detail["factId"] = json!(fact)
            }
            if let Some(revision) = revision {
                detail["provider"] = json!({ "name": "hr", "eventType": "x", "revision": revision })
            }
            if let Some(reason) = reason {
                detail["reason"] = json!({ "category": reason })
            }
            (event_type, detail)
        })
}

fn read<T: serde::de::DeserializeOwned>(value: &Value) -> T {
    serde_json::from_value(value.clone()).unwrap()
}

/// When the effective member bites; by hand, so only for whole days in UTC and for instants.
fn bites(effective: &Value) -> Option<Option<Timestamp>> {
    match (effective["at"].as_str(), effective["zone"].as_str(), effective["basis"].as_str()) {
        (Some(at), _, _) => Some(Some(at.parse().unwrap())),
        (None, Some("UTC"), Some(basis @ ("last_day_worked" | "first_day_inactive" | "start_of_day"))) => {
            let midnight: Timestamp = format!("{}T00:00:00Z", effective["date"].as_str()?).parse().unwrap();
            let days = if basis == "last_day_worked" { 1 } else { 0 };
            Some(Some(midnight + SignedDuration::from_hours(24 * days)))
        }
        (None, None, _) | (None, _, Some("unknown")) => Some(None),
        (None, _, _) => None,
    }
}

proptest! {
    #![proptest_config(config(512))]

    #[test]
    fn what_is_rendered_is_parsed_to_the_same((event_type, json) in good_detail()) {
        let detail: wire::Detail = read(&json);
        let rendered = serde_json::to_value(&detail).unwrap();
        for body in wrapped(event_type.detail_type(), &rendered) {
            let event = parse(&body).map_err(|refusal| TestCaseError::fail(refusal.to_string()))?;
            prop_assert_eq!(event.id.as_str(), json["eventId"].as_str().unwrap());
            prop_assert_eq!(event.event_type, event_type);
            prop_assert_eq!(event.occurred_at.to_string(), json["occurredAt"].as_str().unwrap());
            let subject = &json["subject"];
            prop_assert_eq!(event.subject.worker_id.as_ref().map(AsRef::as_ref), subject["workerId"].as_str());
            prop_assert_eq!(event.subject.provider_subject.as_ref().map(AsRef::as_ref), subject["providerSubjectId"].as_str());
            let email = subject["email"].as_str().map(str::to_lowercase);
            prop_assert_eq!(event.subject.email.as_ref().map(AsRef::as_ref), email.as_deref());
            prop_assert_eq!(event.revision.as_deref(), json["provider"]["revision"].as_str());
            prop_assert_eq!(event.reason, read::<Option<ReasonCategory>>(&json["reason"]["category"]));
            prop_assert_eq!(event.missing, read::<BTreeSet<Missing>>(&json["missing"]));
            prop_assert_eq!(event.login, read::<Option<LoginStatus>>(&json["status"]["after"]));
            if let Some(at) = bites(&json["effective"]) {
                prop_assert_eq!(event.moment.at(), at);
            }
            if let Some(fact) = json["factId"].as_str() {
                prop_assert_eq!(event.fact.as_str(), fact);
            } else if let (true, Moment::At { date: Some(date), .. }) = (event_type.is_dated(), event.moment) {
                let kind: String = read(&serde_json::to_value(event_type.kind()).unwrap());
                prop_assert_eq!(event.fact.as_str(), format!("{kind}:{date}"));
            }
            prop_assert_eq!(event.meaning.as_bytes(), parse(&json.to_string()).unwrap().meaning.as_bytes());
            prop_assert!(event_type.kind() != Kind::Unclassified || rollcall::routes::consumer(event_type).is_none());
        }
    }
}
