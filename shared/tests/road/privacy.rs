//! Canaries: what is personal goes into the directory and nowhere else. Not into logs at any level, metrics, debug
//! output, ledger or refusals, however an event ends.

use crate::stage::{Stage, account, batch, envelope, keys, mapped, message, termination};
use aws_sdk_dynamodb::types::AttributeValue;
use rollcall::batch::BatchReport;
use rollcall::event::parse;
use rollcall::telemetry::{self, Invoked};
use rollcall_local::chime::faults::{Fault, FaultKind};
use rollcall_local::chime::routes::Operation;
use serde_json::{Value, json};
use std::collections::{BTreeMap, HashMap};
use std::io::Write;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tracing_subscriber::filter::Targets;
use tracing_subscriber::fmt::MakeWriter;
use tracing_subscriber::layer::SubscriberExt;

/// Parts of addresses, names, employee numbers, bodies and PINs; compared in lower case.
///
/// The PINs are those that the stage's people have, and the first ones that the local Chime makes.
const CANARIES: [&str; 9] = [
    "secret.person",
    "canaria",
    "vogelsang",
    "staff-4711",
    "subject-0815",
    "marker-of-the-body",
    "0123456789",
    "1234575810",
    "1234583729",
];

const INVOKED: Invoked<'_> = Invoked { function: "acme-suspend-user", request_id: "request-1" };

fn canaries_in(text: &str) -> Vec<&'static str> {
    let text = text.to_lowercase();
    CANARIES.into_iter().filter(|canary| text.contains(canary)).collect()
}

fn check(what: &str, text: &str) {
    assert_eq!(canaries_in(text), Vec::<&str>::new(), "{what}: {text}");
}

/// All that tracing wrote.
#[derive(Clone, Default)]
pub(crate) struct Log(Arc<Mutex<Vec<u8>>>);

impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl<'a> MakeWriter<'a> for Log {
    type Writer = Log;

    fn make_writer(&'a self) -> Log {
        self.clone()
    }
}

impl Log {
    /// Catches everything from Rollcall on this thread, spans and their fields too, until the guard is dropped.
    pub(crate) fn listen(&self) -> tracing::subscriber::DefaultGuard {
        let own = Targets::new().with_target("rollcall", tracing::Level::TRACE);
        let lines = tracing_subscriber::fmt::layer().json().with_writer(self.clone());
        tracing::subscriber::set_default(tracing_subscriber::registry().with(own).with(lines))
    }

    pub(crate) fn text(&self) -> String {
        String::from_utf8(self.0.lock().unwrap().clone()).unwrap()
    }
}

/// An account whose people's addresses are canaries: `secret.person0@lwa.example` and so on.
fn accounts() -> Value {
    let mut accounts = json!([account("lwa", "EnterpriseLWA", 8), account("team", "Team", 8)]);
    for account in accounts.as_array_mut().unwrap() {
        let domain = format!("{}.example", account["AccountId"].as_str().unwrap());
        for (n, user) in account["users"].as_array_mut().unwrap().iter_mut().enumerate() {
            user["PrimaryEmail"] = json!(format!("secret.person{n}@{domain}"));
            user["DisplayName"] = json!("Canaria Vogelsang");
        }
    }
    // One address that is in both accounts.
    accounts[1]["users"][7]["PrimaryEmail"] = json!("secret.person7@lwa.example");
    accounts
}

/// A termination that carries every canary that an event may carry.
fn detail(id: &str, account: &str, n: usize) -> Value {
    let mut detail = termination(id, account, n);
    detail["subject"] = json!({
        "workerId": format!("STAFF-4711-{account}-{n}"), "providerSubjectId": format!("subject-0815-{account}-{n}"),
        "email": format!("Secret.Person{n}@{account}.example"), "emailKind": "work",
        "previousEmail": format!("Secret.Person{n}.Vogelsang@{account}.example"), "displayName": "Canaria Vogelsang",
    });
    detail["provider"] = json!({
        "name": "marker-of-the-body", "tenant": "marker-of-the-body", "eventType": "marker-of-the-body",
        "eventId": "secret.person@lwa.example",
    });
    detail["reason"] = json!({ "code": "marker-of-the-body", "category": "security" });
    detail["changes"] = json!([{ "field": "name", "before": "Canaria", "after": "Vogelsang" }]);
    detail["credential"] = json!({ "type": "password", "ref": "marker-of-the-body" });
    detail["evidence"] = json!({
        "run": "marker-of-the-body", "rule": "marker-of-the-body", "confidence": "marker-of-the-body",
        "account": "marker-of-the-body", "user": "secret.person@lwa.example", "rosterLoadedAt": "marker-of-the-body",
    });
    detail
}

fn changed(mut detail: Value, pointer: &str, value: Value) -> String {
    let (parent, name) = pointer.rsplit_once('/').unwrap();
    detail.pointer_mut(parent).unwrap()[name] = value;
    envelope(&detail)
}

/// Messages for every kind of ending, each with the ending that it must have.
fn messages() -> Vec<(&'static str, String)> {
    let hire = |detail: Value| changed(detail, "/kind", json!("hire"));
    let no_zone = json!({ "date": "2026-11-22", "basis": "last_day_worked" });
    vec![
        ("applied suspended", envelope(&detail("e0", "lwa", 0))),
        ("applied removed_from_team", envelope(&detail("e1", "team", 1))),
        ("unchanged already_registered", hire(detail("e2", "lwa", 2))),
        ("superseded access_due", envelope(&detail("e3", "lwa", 2))),
        (
            "unchanged user_not_found",
            changed(detail("e4", "lwa", 3), "/subject/email", json!("secret.person99@lwa.example")),
        ),
        ("held undatable", changed(detail("e5", "lwa", 4), "/effective", no_zone)),
        ("parked several_accounts", envelope(&detail("e6", "lwa", 7))),
        ("parked not_yet_effective", changed(detail("e7", "lwa", 5), "/effective/at", json!("2027-01-01T00:00:00Z"))),
        ("parked from_the_future", changed(detail("e8", "lwa", 5), "/occurredAt", json!("2027-01-01T00:00:00Z"))),
        ("parked not_json", "secret.person is no JSON: marker-of-the-body".to_owned()),
        ("parked wrong_envelope", json!({ "marker-of-the-body": detail("e9", "lwa", 5) }).to_string()),
        (
            "parked invalid_field",
            changed(detail("e10", "lwa", 5), "/secret.person@lwa.example", json!("marker-of-the-body")),
        ),
        ("parked invalid_field", changed(detail("e11", "lwa", 5), "/kind", json!("marker-of-the-body"))),
        ("parked invalid_field", changed(detail("e12", "lwa", 5), "/eventId", json!("secret.person@lwa.example"))),
        ("parked invalid_field", changed(detail("e13", "lwa", 5), "/subject/email", json!("secret.person"))),
        ("again throttled", envelope(&detail("e14", "team", 6))),
    ]
}

/// Delivers the messages, one after the other, and a duplicate of each; answers all reports.
async fn play(stage: &Stage) -> Vec<BatchReport> {
    let mut reports = Vec::new();
    for (expected, body) in messages() {
        if expected == "again throttled" {
            let fault =
                Fault { operation: Operation::BatchSuspendUser, kind: FaultKind::ThrottleUsers, after: 0, times: 1 };
            stage.chime.core().arm(fault);
        }
        let report = stage.deliver(std::slice::from_ref(&body)).await;
        let told: Vec<String> = report.events.iter().map(|event| crate::stage::told(&event.told)).collect();
        assert_eq!(told, [expected], "{body:.200}");
        reports.push(report);
        if expected != "again throttled" {
            reports.push(stage.deliver(&[body]).await);
        }
    }
    reports
}

#[tokio::test]
async fn no_canary_leaves_by_log_metric_or_debug_output() {
    let log = Log::default();
    let listening = log.listen();
    let stage = Stage::new(accounts()).await.with_policy(json!({ "pin_reset": "always" }));
    let reports = play(&stage).await;
    for report in &reports {
        let (took, now) = (Duration::from_millis(7), stage.deadline().instant());
        telemetry::report(INVOKED, report, took, now);
        check("metrics", &telemetry::metrics(INVOKED, report, took, now).to_string());
        check("Debug of BatchReport", &format!("{report:?}"));
    }
    drop(listening);
    let log = log.text();
    assert!(log.lines().count() >= reports.len(), "each event has its line: {log}");
    assert!(log.contains("suspend-user#e0") && log.contains("removed_from_team"), "the log was caught: {log}");
    check("log", &log);
    let pins: Vec<String> =
        stage.chime.core().account("lwa").unwrap().users().filter_map(|user| user.personal_pin.clone()).collect();
    assert!(pins.contains(&"1234575810".to_owned()), "the PIN that is looked for was made: {pins:?}");
}

#[tokio::test]
async fn nothing_that_handles_people_shows_them() {
    let stage = Stage::new(accounts()).await.with_policy(mapped(&["lwa"]));
    let road = stage.worker();
    check("Road.keys", &format!("{:?}", road.keys));
    assert!(!format!("{:?}", road.keys).contains("a-person-key"), "nor the key itself");
    let event = parse(&envelope(&detail("e0", "lwa", 0))).unwrap();
    check("Debug of WorkerEvent", &format!("{event:?}"));
    check("Debug of identities", &format!("{:?}", event.subject.identities("hr", &keys())));
    for (_, body) in messages() {
        match parse(&body) {
            Ok(event) => check("Debug of WorkerEvent", &format!("{event:?}")),
            Err(refusal) => check("refusal", &format!("{refusal} {refusal:?}")),
        }
    }
}

/// A sender may name facts and revisions as it likes, by an address too: those words go into no log either.
#[tokio::test]
async fn what_a_sender_names_freely_is_not_shown() {
    let log = Log::default();
    let listening = log.listen();
    let stage = Stage::new(accounts()).await;
    let named = |id: &str, kind: &str, occurred: &str| {
        let mut detail = detail(id, "lwa", 0);
        detail["kind"] = json!(kind);
        detail["occurredAt"] = json!(occurred);
        detail["factId"] = json!(format!("{kind} of secret.person@lwa.example"));
        detail["provider"]["revision"] = json!("marker-of-the-body");
        envelope(&detail)
    };
    let rehire = named("r", "rehire", "2026-11-21T08:00:00Z");
    let late = named("t", "termination", "2026-11-20T08:00:00Z");
    for body in [rehire, late.clone(), late.clone()] {
        let report = stage.deliver(&[body]).await;
        telemetry::report(INVOKED, &report, Duration::ZERO, stage.deadline().instant());
        check("Debug of BatchReport, which is safe to log", &format!("{report:?}"));
    }
    drop(listening);
    check("log", &log.text());
    check("Debug of WorkerEvent", &format!("{:?}", parse(&late).unwrap()));
}

/// Text and bytes of an item, so that no canary hides in a binary attribute.
fn written(value: &AttributeValue) -> String {
    if let Ok(bytes) = value.as_b() {
        String::from_utf8_lossy(bytes.as_ref()).into_owned()
    } else if let Ok(members) = value.as_m() {
        members.iter().map(|(name, value)| format!("{name} {} ", written(value))).collect()
    } else if let Ok(list) = value.as_l() {
        list.iter().map(written).collect()
    } else {
        format!("{value:?}")
    }
}

#[tokio::test]
async fn the_ledger_knows_people_by_keyed_hashes_and_keeps_waiting_events_sealed() {
    let stage = Stage::new(accounts()).await.with_policy(json!({ "pin_reset": "always" }));
    play(&stage).await;
    let items: Vec<HashMap<String, AttributeValue>> = stage.items().await;
    let kinds: BTreeMap<&str, usize> = items.iter().fold(BTreeMap::new(), |mut kinds, item| {
        *kinds.entry(item["id"].as_s().unwrap().split('#').next().unwrap()).or_default() += 1;
        kinds
    });
    assert!(["suspend-user", "person", "alias"].iter().all(|kind| kinds.contains_key(kind)), "{kinds:?}");
    for item in &items {
        let text: String = item.iter().map(|(name, value)| format!("{name} {} ", written(value))).collect();
        check("item", &text);
    }
    let held = stage.event("e5").await.unwrap();
    let sealed = held.event.expect("a held event is kept");
    let opened = keys().open(&sealed, &held.id).unwrap();
    let meaning = |body: &str| rollcall::event::parse(body).ok().map(|event| event.meaning);
    let same = messages().iter().any(|(_, body)| meaning(body).is_some_and(|sent| Some(sent) == meaning(&opened)));
    assert!(same, "with the key it is the event that was sent");
}

/// The body of a parked message is in the dead-letter queue; its attributes are for everybody's eyes.
#[tokio::test]
async fn what_stands_beside_a_parked_body_names_nobody() {
    let stage = Stage::new(accounts()).await.with_policy(json!({}));
    play(&stage).await;
    let parked = stage.queue.parked.lock().unwrap().clone();
    assert!(parked.len() >= 8, "{}", parked.len());
    for parked in &parked {
        check("ErrorMessage", &parked.refusal.to_string());
        check("ParkedAs", &parked.parked_as);
    }
    // A redrive that is parked anew says no more.
    let mut redrive = batch(&[]);
    redrive.records =
        parked.iter().enumerate().map(|(n, parked)| message(n, &parked.body, Some(&parked.parked_as))).collect();
    let report = stage.worker().handle(redrive, stage.deadline()).await;
    check("redrive", &format!("{report:?}"));
}
