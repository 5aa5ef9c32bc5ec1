//! `OneLogin`: a list of events by webhook, or one in an EventBridge envelope.
//!
//! `event_timestamp` is written `YYYY-MM-DD HH:MM:SS UTC`. `user_name` is the display name, also where it looks like an
//! address: it is left alone.
//!
//! One type is known: 551, a user was suspended by the API (source: the public detection rule `onelogin_user_account_locked`
//! of `SigmaHQ`, which cites the vendor's event resource). 532 and 553 are locks after failed attempts: they pass by
//! themselves. Every other event that names a user is parked, so that the table can be made from real ones. Beyond the
//! reference: `event_type_id`, the vendor's number of the type.

use super::draft::{Draft, batch};
use super::element::Element;
use super::{Adapted, Received, Source, timestamps};
use crate::event::LoginStatus;

pub(super) fn adapt(received: Received<'_>) -> Vec<Adapted> {
    batch(Source::OneLogin, received, events, one)
}

fn events(whole: Element<'_>) -> Option<Vec<Element<'_>>> {
    match whole.off_the_bus() {
        Some(event) => Some(vec![event]),
        None => whole.items(),
    }
}

fn one(draft: Draft<'_>, event: &Element<'_>) -> Adapted {
    let user = event.id("user_id");
    let kind = event.id("event_type_id");
    let draft = draft
        .named(kind.as_deref())
        .id(event.id("uuid"))
        .occurred(event.text("event_timestamp").and_then(timestamps::text))
        .provider_subject(user.clone());
    match (event.id("uuid"), user) {
        (Some(_), Some(_)) => match kind.as_deref() {
            Some("551") => draft.login(LoginStatus::Suspended),
            Some("532" | "553") => Adapted::Nothing("a lock after failed attempts, which passes by itself"),
            Some(_) | None => draft.unclassified("its types have no documented meaning"),
        },
        (Some(_), None) => Adapted::Nothing("about no user"),
        (None, _) => draft.unclassified("there is no uuid"),
    }
}

#[cfg(test)]
pub(super) const CASES: &[super::tests::Case] = &[
    case!(
        "onelogin/batch",
        "parked unclassified/unknown | id | - | email worker date zone kind phase",
        "parked unclassified/unknown | id | - | email worker date zone kind phase",
        "nothing"
    ),
    case!("onelogin/account_status.suspended", "account_status/effective=suspended | id | - | email worker"),
    case!("onelogin/locked", "nothing"),
    case!("onelogin/bus", "parked unclassified/unknown | id | - | email worker date zone kind phase"),
];
