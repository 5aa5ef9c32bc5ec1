//! The sample events: one of each kind that a function consumes, for each type of account.
//!
//! `events/<detail-type>.json` is about somebody of an EnterpriseLWA account. A login that is switched on has another
//! consumer than one that is switched off: its sample ends in `.active.json`. `events/<account type>/` holds the same
//! events about somebody of such an account, and `events/invoke/` all of a function's as SQS delivers them; both are
//! generated.

use crate::{every_event, published, published_json, root};
use jiff::Timestamp;
use rollcall::decide::admit;
use rollcall::event::{EventType, LoginStatus, parse};
use rollcall::routes::{Function, consumer};
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};

/// Somebody of one type of account.
struct Person {
    folder: &'static str,
    /// How the ids of their envelopes begin.
    id: Option<&'static str>,
    worker: &'static str,
    subject: &'static str,
    email: &'static str,
    other_email: &'static str,
    /// Where `events/seed/acme.json` has their user.
    account: &'static str,
    user: &'static str,
}

/// Whom the samples of `events/` are about.
const ADA: Person = Person {
    folder: "",
    id: None,
    worker: "00417",
    subject: "00u1a2b3c4",
    email: "ada@acme.example",
    other_email: "ada.moreau@acme.example",
    account: "34eea043-68a7-5040-af38-83c7df5f7952",
    user: "afccba91-458b-5c40-82b9-562681021366",
};

const OTHERS: [Person; 3] = [
    Person {
        folder: "team/",
        id: Some("00000001"),
        worker: "00523",
        subject: "00u5d6e7f8",
        email: "finn@contractors.acme.example",
        other_email: "finn.aalto@contractors.acme.example",
        account: "8a26af1c-aeb6-5b2c-b382-c8e47c5eede6",
        user: "b6b1b903-6d46-5082-9b8b-dffb02997b79",
    },
    Person {
        folder: "enterprise-directory/",
        id: Some("00000002"),
        worker: "00611",
        subject: "00u9g1h2i3",
        email: "ivy@works.acme.example",
        other_email: "ivy.lindqvist@works.acme.example",
        account: "89ad353e-a295-5e07-802f-3a5275d3ac0f",
        user: "ff9c0996-f002-51a5-977e-af6958e7d083",
    },
    Person {
        folder: "enterprise-oidc/",
        id: Some("00000003"),
        worker: "00702",
        subject: "00u4j5k6l7",
        email: "jo@labs.acme.example",
        other_email: "jo.petrov@labs.acme.example",
        account: "f2d40426-9d42-594c-84e0-b6f5d803340f",
        user: "f40bb8f4-32ca-5275-bd50-358098dae41b",
    },
];

/// The samples about somebody, by file name without `.json`.
fn samples(person: &Person) -> BTreeMap<String, String> {
    files(ADA.folder).into_iter().map(|(name, body)| (name, about(person, &body))).collect()
}

fn files(folder: &str) -> BTreeMap<String, String> {
    let files = std::fs::read_dir(root().join("events").join(folder)).unwrap().map(|file| file.unwrap().path());
    let samples = files.filter(|path| path.extension().is_some_and(|kind| kind == "json"));
    samples
        .map(|path| (path.file_stem().unwrap().to_str().unwrap().to_owned(), std::fs::read_to_string(path).unwrap()))
        .collect()
}

/// The name of an event's sample.
fn name(event_type: EventType, login: Option<LoginStatus>) -> String {
    let is_active = login == Some(LoginStatus::Active);
    format!("{}{}", event_type.detail_type(), if is_active { ".active" } else { "" })
}

#[test]
fn every_event_that_a_function_consumes_has_a_sample_that_it_admits() {
    let consumed = every_event().into_iter().filter(|(event_type, login)| consumer(*event_type, *login).is_some());
    let expected: BTreeSet<String> = consumed.map(|(event_type, login)| name(event_type, login)).collect();
    let now: Timestamp = "2026-11-23T12:00:00Z".parse().unwrap();
    let mut ids = BTreeSet::new();
    for person in std::iter::once(&ADA).chain(&OTHERS) {
        let samples = samples(person);
        assert_eq!(samples.keys().cloned().collect::<BTreeSet<_>>(), expected, "events/{}", person.folder);
        for (file, body) in &samples {
            let file = format!("{}{file}", person.folder);
            let event = parse(body).unwrap_or_else(|refusal| panic!("{file}: {refusal}"));
            assert_eq!(format!("{}{}", person.folder, name(event.event_type, event.login)), file);
            let function = consumer(event.event_type, event.login).unwrap();
            assert_eq!(admit(function, &event, now), Ok(()), "{file}");
            assert!(ids.insert(event.id.as_str().to_owned()), "{file} has the id of another sample");
        }
    }
}

#[test]
fn the_samples_of_other_accounts_differ_in_whom_they_are_about() {
    for person in &OTHERS {
        let samples = samples(person);
        for (name, body) in &samples {
            published(&format!("events/{}{name}.json", person.folder), body);
        }
        assert_eq!(files(person.folder), samples, "events/{}", person.folder);
    }
}

/// A sample about somebody, under ids of its own.
fn about(person: &Person, body: &str) -> String {
    let sample: Value = serde_json::from_str(body).unwrap();
    let id = sample["id"].as_str().unwrap();
    let own = person.folder.replace('/', "-");
    body.replace(ADA.other_email, person.other_email)
        .replace(ADA.email, person.email)
        .replace(ADA.worker, person.worker)
        .replace(ADA.subject, person.subject)
        .replace(ADA.account, person.account)
        .replace(ADA.user, person.user)
        .replace(id, &format!("{}{}", person.id.unwrap_or(&id[..8]), &id[8..]))
        .replace("\"sample-", &format!("\"sample-{own}"))
}

#[test]
fn invocations_are_the_samples_as_sqs_delivers_them() {
    for function in Function::ALL {
        let people = std::iter::once(&ADA).chain(&OTHERS);
        let bodies = people.flat_map(|person| samples(person).into_values());
        let consumed =
            |body: &String| parse(body).is_ok_and(|event| consumer(event.event_type, event.login) == Some(function));
        let records: Vec<Value> =
            bodies.filter(consumed).enumerate().map(|(index, body)| record(function, index, &body)).collect();
        published_json(&format!("events/invoke/{}.json", function.as_str()), &json!({ "Records": records }));
    }
    let files = std::fs::read_dir(root().join("events/invoke")).unwrap().count();
    assert_eq!(files, Function::ALL.len());
}

fn record(function: Function, index: usize, body: &str) -> Value {
    let body: Value = serde_json::from_str(body).unwrap();
    json!({
        "messageId": format!("00000000-0000-4000-8000-{index:012}"),
        "receiptHandle": format!("receipt-{index}"),
        "body": body.to_string(),
        "attributes": {
            "ApproximateReceiveCount": "1", "SentTimestamp": "1795255201000", "SenderId": "AIDAEXAMPLE",
            "ApproximateFirstReceiveTimestamp": "1795255201500",
        },
        "messageAttributes": {},
        "md5OfBody": "00000000000000000000000000000000",
        "eventSource": "aws:sqs",
        "eventSourceARN": format!("arn:aws:sqs:us-east-1:111122223333:rollcall-{}", function.as_str()),
        "awsRegion": "us-east-1",
    })
}
