//! Whatever comes, there is an answer that the road accepts, and no panic.

use super::{SOURCES, cases, is_canonical, received};
use proptest::prelude::*;
use serde_json::Value;

/// JSON of any shape, whose members are often those that somebody reads.
fn any_json() -> impl Strategy<Value = Value> {
    let names = [
        "data",
        "events",
        "detail",
        "detail-type",
        "source",
        "eventType",
        "target",
        "actor",
        "type",
        "id",
        "uuid",
        "published",
        "alternateId",
        "employees",
        "employeeId",
        "timestamp",
        "event_type",
        "entity_uuid",
        "payload",
        "application",
        "candidate",
        "offer",
        "starts_at",
        "action",
        "employment_status",
        "termination_date",
        "meta",
        "resource",
        "completion_date",
        "object",
        "blocked",
        "specversion",
        "workerID",
        "idValue",
        "eventNameCode",
        "terminationDate",
        "subject",
        "identity",
        "changes",
        "attribute",
        "EventType",
        "EeId",
        "EventTime",
    ];
    let texts = [
        "User",
        "1.0",
        "user.updated",
        "user.lifecycle.deactivate",
        "employee.left",
        "employee.terminated",
        "hire_candidate",
        "INACTIVE",
        "ACTIVE",
        "contract.terminated",
        "worker.terminate",
        "employment.started",
        "table.entry.created",
        "2026-11-20T08:15:00",
        "9999-12-31",
        "-009999-01-01",
        "a@b.example",
        "\u{0}",
        "",
    ];
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        prop::sample::select(texts.to_vec()).prop_map(Value::from),
        ".{0,12}".prop_map(Value::from),
    ];
    leaf.prop_recursive(5, 48, 6, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::vec((prop::sample::select(names.to_vec()), inner), 0..6)
                .prop_map(|members| members.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()),
        ]
    })
}

/// A fixture with some of its leaves replaced.
fn bend(value: &mut Value, with: &[Value], turn: &mut usize) {
    match value {
        Value::Object(members) => members.values_mut().for_each(|member| bend(member, with, turn)),
        Value::Array(items) => items.iter_mut().for_each(|item| bend(item, with, turn)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {
            if let Some(other) = with.get(*turn).filter(|other| !other.is_null()) {
                *value = other.clone();
            }
            *turn += 1;
        }
    }
}

proptest! {
    #[test]
    fn any_bytes_get_an_answer(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        for source in SOURCES.iter().map(|(source, _)| *source) {
            let all = received(source, &bytes, &[]);
            prop_assert!(!all.is_empty());
            all.iter().for_each(|adapted| is_canonical(source, adapted));
        }
    }

    #[test]
    fn any_json_gets_an_answer(json in any_json(), header in ".{0,20}") {
        let headers = ["finch-event-id", "finch-timestamp", "x-bamboohr-timestamp", "greenhouse-event-id"];
        let headers = headers.map(|name| (name, header.as_str()));
        for source in SOURCES.iter().map(|(source, _)| *source) {
            let all = received(source, json.to_string().as_bytes(), &headers);
            prop_assert!(!all.is_empty());
            all.iter().for_each(|adapted| is_canonical(source, adapted));
        }
    }

    #[test]
    fn any_bent_fixture_gets_an_answer(pick in any::<prop::sample::Index>(), with in prop::collection::vec(any_json(), 0..12)) {
        let all: Vec<_> = cases().collect();
        let (source, case) = all[pick.index(all.len())];
        let mut json: Value = serde_json::from_str(case.body).unwrap();
        bend(&mut json, &with, &mut 0);
        received(source, json.to_string().as_bytes(), case.headers).iter().for_each(|adapted| is_canonical(source, adapted));
    }
}

#[test]
fn large_and_deep_bodies_are_bounded() {
    let deep = "[".repeat(500_000);
    let many = format!("{{\"data\":{{\"events\":[{}0]}}}}", "0,".repeat(499_000));
    let nested = format!("{{\"events\":{}{}}}", "[".repeat(120), "]".repeat(120));
    for source in SOURCES.iter().map(|(source, _)| *source) {
        for body in [&deep, &many, &nested] {
            let all = received(source, body.as_bytes(), &[]);
            assert!((1..=10).contains(&all.len()), "{}", source.as_str());
            all.iter().for_each(|adapted| is_canonical(source, adapted));
        }
    }
}
