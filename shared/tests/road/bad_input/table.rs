//! Bodies that are no good event: what is wrong, the code that they are parked with, and the field that is named.

use crate::stage::{envelope, termination};
use serde_json::{Value, json};

/// Stands for all that a sender may write and nobody may repeat; compared in lower case.
pub(super) const CANARY: &str = "canary";

/// One bad body.
pub(super) struct Bad {
    pub(super) name: String,
    pub(super) body: String,
    pub(super) code: &'static str,
    pub(super) field: &'static str,
}

/// A good detail that is full of canaries.
pub(super) fn detail() -> Value {
    let mut detail = termination("e1", "lwa", 0);
    detail["subject"]["displayName"] = json!("Canary Kim");
    detail["subject"]["workerId"] = json!("CANARY-0");
    detail["reason"] = json!({ "code": "canary.reason@lwa.example", "category": "voluntary" });
    detail
}

/// The good detail with one member set; `null` takes it away.
pub(super) fn with(pointer: &str, value: Value) -> Value {
    let mut detail = detail();
    let (parent, name) = pointer.rsplit_once('/').unwrap();
    set(detail.pointer_mut(parent).unwrap(), name, value);
    detail
}

fn set(object: &mut Value, name: &str, value: Value) {
    let object = object.as_object_mut().unwrap();
    if value.is_null() {
        object.remove(name)
    } else {
        object.insert(name.to_owned(), value)
    };
}

fn deep(depth: usize) -> String {
    "[".repeat(depth) + &"]".repeat(depth)
}

/// A good envelope, made longer by white space.
fn padded(bytes: usize) -> String {
    let mut body = envelope(&detail());
    body.insert_str(body.len() - 1, &" ".repeat(bytes - body.len()));
    body
}

/// What is wrong with whole bodies.
fn bodies() -> Vec<(&'static str, String, &'static str, &'static str)> {
    // A reader that takes a list for its members in order would act on this one.
    let as_list = json!(["worker.termination.effective", "rollcall.hr", detail(), null, null, null]).to_string();
    let deep_detail = enveloped("detail", json!({})).replace("{}", &deep(10_000));
    vec![
        ("empty", String::new(), "not_json", "body"),
        ("not JSON", "canary@lwa.example is no JSON".into(), "not_json", "body"),
        ("cut off", envelope(&detail())[..300].to_owned(), "not_json", "body"),
        ("a JSON array", r#"["canary@lwa.example"]"#.into(), "wrong_envelope", "body"),
        ("an envelope as a list", as_list, "wrong_envelope", "body"),
        ("a JSON string", r#""canary@lwa.example""#.into(), "wrong_envelope", "body"),
        ("an unknown envelope", r#"{"canary@lwa.example":1}"#.into(), "wrong_envelope", "body"),
        ("an SNS notification without a message", r#"{"Type":"Notification"}"#.into(), "wrong_envelope", "Message"),
        ("a body of 1 MB", padded(1024 * 1024), "too_large", "body"),
        ("10,000 lists deep", deep(10_000), "wrong_envelope", "body"),
        ("a detail 10,000 lists deep", deep_detail, "invalid_field", "detail"),
    ]
}

/// What is wrong with one member of the envelope; `null`: it is not there.
fn envelopes() -> Vec<(&'static str, Value, &'static str, &'static str)> {
    let as_list = json!([
        "1.0",
        "e1",
        "termination",
        "effective",
        "2026-11-20T08:00:00Z",
        null,
        null,
        null,
        detail()["subject"],
        detail()["effective"],
        null,
        null,
        [],
        null,
        [],
        null,
        null,
        null,
        null
    ]);
    vec![
        ("detail", Value::Null, "wrong_envelope", "detail"),
        ("detail", as_list, "invalid_field", "detail"),
        ("detail", json!("canary"), "invalid_field", "detail"),
        ("detail-type", Value::Null, "wrong_envelope", "detail-type"),
        ("detail-type", json!(1), "wrong_envelope", "detail-type"),
        ("detail-type", json!("worker.canary"), "wrong_detail_type", "detail-type"),
        ("detail-type", json!("worker.leave.effective"), "wrong_detail_type", "detail-type"),
        ("source", json!("canary.source"), "wrong_envelope", "source"),
        ("source", Value::Null, "wrong_envelope", "source"),
    ]
}

/// What is wrong with one member of the detail; `null`: it is not there.
fn members() -> Vec<(&'static str, Value, &'static str, &'static str)> {
    let (missing, invalid) = ("missing_field", "invalid_field");
    let nobody = json!({ "displayName": "Canary" });
    let as_list = json!(["CANARY", null, null, null, null, null]);
    vec![
        ("/schemaVersion", Value::Null, missing, "detail.schemaVersion"),
        ("/schemaVersion", json!("canary"), invalid, "detail.schemaVersion"),
        ("/eventId", Value::Null, missing, "detail.eventId"),
        ("/eventId", json!("canary@lwa.example"), invalid, "detail.eventId"),
        ("/eventId", json!(""), invalid, "detail.eventId"),
        ("/eventId", json!("x".repeat(129)), invalid, "detail.eventId"),
        ("/eventId", json!(7), invalid, "detail.eventId"),
        ("/kind", Value::Null, missing, "detail.kind"),
        ("/kind", json!("canary"), invalid, "detail.kind"),
        ("/kind", json!(7), invalid, "detail.kind"),
        ("/phase", json!(["canary"]), invalid, "detail.phase"),
        ("/phase", json!("detected"), invalid, "detail.phase"),
        ("/occurredAt", Value::Null, missing, "detail.occurredAt"),
        ("/occurredAt", json!("canary"), invalid, "detail.occurredAt"),
        ("/occurredAt", json!("2026-11-20T08:00:00"), invalid, "detail.occurredAt"),
        ("/occurredAt", json!("2026-11-20T08:00:00+01:00"), invalid, "detail.occurredAt"),
        ("/occurredAt", json!("2026-11-23T12:05:01Z"), "from_the_future", "detail.occurredAt"),
        ("/receivedAt", json!("canary, expected canary@lwa.example"), invalid, "detail.receivedAt"),
        ("/subject", Value::Null, missing, "detail.subject"),
        ("/subject", json!({}), missing, "detail.subject"),
        ("/subject", nobody, missing, "detail.subject"),
        ("/subject", json!("canary@lwa.example"), invalid, "detail.subject"),
        ("/subject", as_list, invalid, "detail.subject"),
        ("/subject/email", json!("canary"), invalid, "detail.subject.email"),
        ("/subject/workerId", json!(" "), invalid, "detail.subject.workerId"),
        ("/subject/workerId", json!(42), invalid, "detail.subject.workerId"),
        ("/effective", Value::Null, missing, "detail.effective"),
        ("/effective", json!("canary"), invalid, "detail.effective"),
        ("/effective/date", json!("canary"), invalid, "detail.effective.date"),
        ("/effective/date", json!("x, expected canary@lwa.example"), invalid, "detail.effective.date"),
        ("/effective/at", json!("canary, expected canary"), invalid, "detail.effective.at"),
        ("/effective/zone", json!("Canary/Nest"), invalid, "detail.effective.zone"),
        ("/effective/basis", json!(true), invalid, "detail.effective.basis"),
        ("/effective/at", json!("2026-11-30T18:00:00Z"), "not_yet_effective", "detail.effective"),
        ("/reason/category", json!(7), invalid, "detail.reason.category"),
        ("/reason/code", json!("canary".repeat(11_000)), "too_large", "detail"),
        ("/evidence", json!(["canary", "canary", "canary", null, null, null]), invalid, "detail.evidence"),
        ("/evidence", json!({ "run": "canary", "rule": "canary" }), missing, "detail.evidence.confidence"),
        ("/evidence", evidence("user", json!(["canary"])), invalid, "detail.evidence.user"),
        ("/evidence", evidence("canary@lwa.example", json!(1)), invalid, "detail.evidence"),
        ("/canary", json!(1), invalid, "detail"),
        ("/canary@lwa.example", json!(1), invalid, "detail"),
        ("/subject/canary@lwa.example", json!(1), invalid, "detail.subject"),
        ("/x`, expected `canary@lwa.example", json!(1), invalid, "detail"),
    ]
}

/// What a request of the audit rests on, with one member more.
fn evidence(name: &str, value: Value) -> Value {
    let mut evidence = json!({ "run": "canary", "rule": "canary", "confidence": "canary" });
    set(&mut evidence, name, value);
    evidence
}

fn enveloped(name: &str, value: Value) -> String {
    let mut envelope: Value = serde_json::from_str(&envelope(&detail())).unwrap();
    set(&mut envelope, name, value);
    envelope.to_string()
}

fn body(pointer: &str, value: Value) -> String {
    let detail = with(pointer, value);
    // Without a kind and phase there is no detail-type to write on the envelope; a bare detail needs none.
    if pointer == "/kind" || pointer == "/phase" {
        return detail.to_string();
    }
    envelope(&detail)
}

/// Everything above, as bodies.
pub(super) fn table() -> Vec<Bad> {
    let shown =
        |name: &str, value: &Value| format!("{name} {}", value.to_string().chars().take(40).collect::<String>());
    let bodies = bodies().into_iter().map(|(name, body, code, field)| Bad { name: name.into(), body, code, field });
    let envelopes = envelopes().into_iter().map(|(name, value, code, field)| Bad {
        name: shown(name, &value),
        body: enveloped(name, value),
        code,
        field,
    });
    let members = members().into_iter().map(|(pointer, value, code, field)| Bad {
        name: shown(pointer, &value),
        body: body(pointer, value),
        code,
        field,
    });
    bodies.chain(envelopes).chain(members).collect()
}
