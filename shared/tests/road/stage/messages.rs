//! Accounts, events and messages of the stage.

use aws_lambda_events::event::sqs::{SqsEvent, SqsMessage, SqsMessageAttribute};
use rollcall::batch::BatchReport;
use rollcall::ledger::EventItem;
use rollcall::queue::PARKED_AS;
use rollcall::release::{RELEASED_AS, RELEASED_BY};
use serde_json::{Value, json};

/// An account of a type with `n` registered users `u0`, `u1` …, addresses `p<i>@<account>.example`.
pub(crate) fn account(id: &str, kind: &str, n: usize) -> Value {
    let user = |index: usize| {
        json!({
            "UserId": format!("u{index}"), "PrimaryEmail": format!("p{index}@{id}.example"), "LicenseType": "Pro",
            "UserRegistrationStatus": "Registered", "PersonalPIN": "0123456789", "Sessions": 1,
        })
    };
    json!({ "AccountId": id, "Name": id, "AccountType": kind, "users": (0..n).map(user).collect::<Vec<_>>() })
}

/// The policy that maps `<account>.example` to each account.
pub(crate) fn mapped(accounts: &[&str]) -> Value {
    let rule = |account: &&str| json!({ "account": account, "domains": [format!("{account}.example")] });
    let access = json!({ "on_leave": "suspend", "on_inactive_login": "suspend" });
    json!({ "accounts": accounts.iter().map(rule).collect::<Vec<_>>(), "pin_reset": "never", "access": access })
}

/// An event about the person `p<n>` of an account, whose employee number is `<account>-<n>`.
pub(crate) fn event(id: &str, kind: &str, phase: &str, at: &str, account: &str, n: usize) -> Value {
    json!({
        "schemaVersion": "1.0", "eventId": id, "kind": kind, "phase": phase, "occurredAt": "2026-11-20T08:00:00Z",
        "subject": { "workerId": format!("{account}-{n}"), "email": format!("P{n}@{account}.example") },
        "effective": { "date": at.get(..10), "at": at, "zone": "UTC", "basis": "instant", "source": "payload" },
    })
}

pub(crate) fn termination(id: &str, account: &str, n: usize) -> Value {
    event(id, "termination", "effective", "2026-11-22T18:00:00Z", account, n)
}

/// A detail in its EventBridge envelope.
pub(crate) fn envelope(detail: &Value) -> String {
    let (kind, phase) = (detail["kind"].as_str().unwrap(), detail["phase"].as_str().unwrap());
    let detail_type = match kind {
        "credential_compromise" => "credential.compromise.detected".to_owned(),
        "account_status" => "account.status.effective".to_owned(),
        "license_reclaim" => "license.reclaim.requested".to_owned(),
        "access_removal" => "access.removal.requested".to_owned(),
        _ => format!("worker.{kind}.{phase}"),
    };
    json!({
        "version": "0", "id": "6a7e8feb-b491-4cf7-a9f1-bf3703467718", "detail-type": detail_type, "source": "rollcall.hr",
        "account": "111122223333", "time": "2026-11-23T11:59:59Z", "region": "eu-west-1", "resources": [], "detail": detail,
    })
    .to_string()
}

/// An SQS event of these bodies; message ids are `m0`, `m1` ….
pub(crate) fn batch(bodies: &[String]) -> SqsEvent {
    let mut event = SqsEvent::default();
    event.records = bodies.iter().enumerate().map(|(index, body)| message(index, body, None)).collect();
    event
}

pub(crate) fn message(index: usize, body: &str, parked_as: Option<&str>) -> SqsMessage {
    let mut message = SqsMessage::default();
    message.message_id = Some(format!("m{index}"));
    message.receipt_handle = Some(format!("r{index}"));
    message.body = Some(body.to_owned());
    message.attributes.insert("ApproximateReceiveCount".into(), "1".into());
    if let Some(token) = parked_as {
        let mut attribute = SqsMessageAttribute::default();
        attribute.string_value = Some(token.to_owned());
        message.message_attributes.insert(PARKED_AS.into(), attribute);
    }
    message
}

/// A message that releases a held event, as the operator's tool sends it.
pub(crate) fn release(index: usize, item: &EventItem, by: &str) -> SqsMessage {
    let body = rollcall::release::body(&item.id, item.event.as_ref().unwrap());
    let mut message = message(index, &body, None);
    message.attributes.insert("SenderId".into(), "AIDAOPERATOR".into());
    for (name, value) in [(RELEASED_AS, item.owner.as_str()), (RELEASED_BY, by)] {
        let mut attribute = SqsMessageAttribute::default();
        attribute.string_value = Some(value.to_owned());
        message.message_attributes.insert(name.into(), attribute);
    }
    message
}

pub(crate) fn failed(report: &BatchReport) -> Vec<String> {
    let mut ids: Vec<String> =
        report.response.batch_item_failures.iter().map(|item| item.item_identifier.clone()).collect();
    ids.sort();
    ids
}
