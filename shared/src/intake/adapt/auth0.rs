//! Auth0 Event Streams: `CloudEvents` 1.0, by webhook or in an EventBridge envelope.
//!
//! The catalogue's form is read (`specversion`, `user.updated`); the overview's (`spec_version`,
//! `com.auth0.user.updated`) is parked. A test event (`a0purpose`) is nothing. A deactivation shows only as
//! `blocked: true` in `user.updated`, and that may be partial: where `blocked` is not told, it is a notice. A deleted
//! user may come without an address.
//!
//! Beyond the reference: `data.object.{user_id,email,blocked}`, as the vendor's schema has them. Whether `email` is a
//! work address is not told.

use super::draft::{Draft, batch};
use super::element::Element;
use super::{Adapted, Received, Source, timestamps};
use crate::event::LoginStatus;
use crate::event::wire::EmailKind;
use serde_json::Value;

pub(super) fn adapt(received: Received<'_>) -> Vec<Adapted> {
    batch(Source::Auth0, received, |whole| Some(vec![whole.off_the_bus().unwrap_or(whole)]), one)
}

fn one(draft: Draft<'_>, event: &Element<'_>) -> Adapted {
    if event.text("a0purpose") == Some("test") {
        return Adapted::Nothing("a test event");
    }
    let draft = draft
        .named(event.text("type"))
        .tenant(event.id("a0tenant"))
        .id(event.id("id"))
        .occurred(event.text("time").and_then(timestamps::text))
        .provider_subject(event.id("data.object.user_id"))
        .email(event.text("data.object.email"), EmailKind::Unknown);
    if event.text("specversion") != Some("1.0") {
        return draft.unclassified("there is no specversion 1.0");
    }
    let blocked = event.at("data.object.blocked").and_then(Value::as_bool);
    match (event.text("type"), blocked) {
        (Some("user.created" | "user.updated"), Some(true)) => draft.login(LoginStatus::Deactivated),
        (Some("user.created"), Some(false) | None) => Adapted::Nothing("a login was created, and is not blocked"),
        (Some("user.updated"), Some(false)) => draft.login(LoginStatus::Active),
        (Some("user.updated"), None) => draft.notice(),
        (Some("user.deleted"), _) => draft.login(LoginStatus::Deleted),
        (Some(_), _) => draft.unclassified("a type that is not in the table"),
        (None, _) => draft.unclassified("there is no type"),
    }
}

#[cfg(test)]
pub(super) const CASES: &[super::tests::Case] = &[
    case!("auth0/account_status.blocked", "account_status/effective=deactivated | id email(unknown) | - | worker"),
    case!("auth0/account_status.unblocked", "account_status/effective=active | id email(unknown) | - | worker"),
    case!("auth0/account_status.deleted", "account_status/effective=deleted | id | - | email worker"),
    case!("auth0/account_status.bus", "account_status/effective=deactivated | id email(unknown) | - | worker"),
    case!("auth0/partial", "unclassified/unknown | id | - | email worker date zone kind phase"),
    case!("auth0/unclassified", "parked unclassified/unknown | id | - | email worker date zone kind phase"),
    case!("auth0/created", "nothing"),
    case!("auth0/test", "nothing"),
];
