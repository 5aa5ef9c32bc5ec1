//! What the repository publishes agrees with the code: schemas, sample events, and the template's routes.
//!
//! Generated files are written anew with `ROLLCALL_ACCEPT=1 cargo test -p rollcall --test published`.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use jiff::Timestamp;
use rollcall::decide::admit;
use rollcall::event::wire::Detail;
use rollcall::event::{EventType, parse};
use rollcall::ledger::SLICE_EVENTS;
use rollcall::policy::Policy;
use rollcall::routes::{Function, consumer};
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use yaml_rust2::{Yaml, YamlLoader};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_owned()
}

fn read(path: &str) -> String {
    std::fs::read_to_string(root().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// Compares a generated file, or writes it where the caller asked for that.
#[expect(clippy::disallowed_methods, reason = "the caller says by the environment that files shall be written")]
fn published(path: &str, generated: &Value) {
    let generated = format!("{}\n", serde_json::to_string_pretty(generated).unwrap());
    if std::env::var("ROLLCALL_ACCEPT").is_ok() {
        let path = root().join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, &generated).unwrap();
    }
    assert!(read(path) == generated, "{path} is not what the code says; see the head of this test");
}

#[test]
fn schemas_are_those_of_the_types() {
    published("events/schema/worker-event.schema.json", &json!(schemars::schema_for!(Detail)));
    published("events/schema/policy.schema.json", &json!(schemars::schema_for!(Policy)));
}

/// The samples, by file name without `.json`.
fn samples() -> BTreeMap<String, String> {
    let files = std::fs::read_dir(root().join("events")).unwrap().map(|file| file.unwrap().path());
    let samples = files.filter(|path| path.extension().is_some_and(|kind| kind == "json"));
    samples
        .map(|path| (path.file_stem().unwrap().to_str().unwrap().to_owned(), std::fs::read_to_string(path).unwrap()))
        .collect()
}

#[test]
fn every_event_that_a_function_consumes_has_a_sample_that_it_admits() {
    let samples = samples();
    let routed: BTreeSet<String> = EventType::all()
        .into_iter()
        .filter(|event_type| consumer(*event_type).is_some())
        .map(|event_type| event_type.detail_type().to_owned())
        .collect();
    assert_eq!(samples.keys().cloned().collect::<BTreeSet<_>>(), routed);
    let now: Timestamp = "2026-11-23T12:00:00Z".parse().unwrap();
    for (name, body) in &samples {
        let event = parse(body).unwrap_or_else(|refusal| panic!("{name}: {refusal}"));
        assert_eq!(event.event_type.detail_type(), name);
        assert_eq!(admit(consumer(event.event_type).unwrap(), &event, now), Ok(()), "{name}");
    }
}

#[test]
fn invocations_are_the_samples_as_sqs_delivers_them() {
    for function in Function::ALL {
        let records: Vec<Value> = samples()
            .iter()
            .filter(|(_, body)| parse(body).is_ok_and(|event| consumer(event.event_type) == Some(function)))
            .filter(|(name, _)| name.as_str() == invoked(function))
            .enumerate()
            .map(|(index, (_, body))| record(function, index, body))
            .collect();
        published(&format!("events/invoke/{}.json", function.as_str()), &json!({ "Records": records }));
    }
}

/// The event that a function is tried by hand with.
fn invoked(function: Function) -> &'static str {
    match function {
        Function::SuspendUser => "worker.termination.effective",
        Function::LogoutUser => "credential.compromise.detected",
    }
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

#[test]
fn the_repositorys_policy_is_one() {
    Policy::parse(&read("policy.json")).unwrap();
}

/// The template's resources.
fn resources() -> Yaml {
    YamlLoader::load_from_str(&read("template.yaml")).unwrap()[0]["Resources"].clone()
}

fn strings(list: &Yaml) -> BTreeSet<String> {
    list.as_vec().unwrap().iter().map(|item| item.as_str().unwrap().to_owned()).collect()
}

/// The logical name of a function: `suspend-user` is `SuspendUser`.
fn logical(function: Function) -> String {
    let word = |word: &str| word[..1].to_uppercase() + &word[1..];
    function.as_str().split('-').map(word).collect()
}

#[test]
fn each_detail_type_goes_to_its_one_consumer_and_the_rest_to_unrouted() {
    let resources = resources();
    let mut routed = BTreeSet::new();
    for function in Function::ALL {
        let rule = &resources[format!("{}Rule", logical(function)).as_str()]["Properties"];
        let types = strings(&rule["EventPattern"]["detail-type"]);
        let expected: BTreeSet<String> = EventType::all()
            .into_iter()
            .filter(|event_type| consumer(*event_type) == Some(function))
            .map(|event_type| event_type.detail_type().to_owned())
            .collect();
        assert_eq!(types, expected, "{}", function.as_str());
        assert_eq!(strings(&rule["EventPattern"]["source"]), BTreeSet::from(["rollcall.hr".to_owned()]));
        assert!(routed.is_disjoint(&types), "one consumer each");
        routed.extend(types);
    }
    let rest = &resources["UnroutedType"]["Properties"]["EventPattern"]["detail-type"][0]["anything-but"];
    assert_eq!(strings(rest), routed);
}

#[test]
fn queue_and_function_agree_on_time_and_size() {
    let resources = resources();
    let globals = YamlLoader::load_from_str(&read("template.yaml")).unwrap()[0]["Globals"]["Function"].clone();
    let timeout = globals["Timeout"].as_i64().unwrap();
    for function in Function::ALL {
        let name = logical(function);
        let source = &resources[name.as_str()]["Properties"]["Events"]["Messages"]["Properties"];
        let window = source["MaximumBatchingWindowInSeconds"].as_i64().unwrap();
        let queue = &resources[format!("{name}Queue").as_str()]["Properties"];
        assert_eq!(queue["VisibilityTimeout"].as_i64(), Some(6 * timeout + window), "{name}");
        assert_eq!(source["BatchSize"].as_i64(), Some(i64::try_from(SLICE_EVENTS).unwrap()), "{name}");
        assert_eq!(strings(&source["FunctionResponseTypes"]), BTreeSet::from(["ReportBatchItemFailures".to_owned()]));
        assert_eq!(queue["RedrivePolicy"]["maxReceiveCount"].as_i64(), Some(200), "{name}");
    }
}
