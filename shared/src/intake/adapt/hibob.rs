//! `HiBob` webhooks, version 2.
//!
//! There is no event id, and an address only where a record was deleted. `triggeredAt` has no offset: it is read as UTC.
//! Lifecycle events come at midnight of the site's zone on the effective date, so they are in force; the date itself is
//! not told, and the time of the event is in the wrong zone for it: it is missing. `left` is an end or garden leave,
//! `inactivated` a leave or an end, `activated` an access given back for whatever reason: notices. `table.entry` tells a
//! date, which may be to come, and not what is to come. A deleted row of a table tells nothing at all.
//!
//! Beyond the reference: `data.employeeId`, `data.email` and `data.fieldUpdates`. Where they are named otherwise, the
//! event names nobody and is parked.

use super::draft::{Draft, single};
use super::element::Element;
use super::{Adapted, Received, Source, timestamps};
use crate::event::wire::{ChangedField, EmailKind};
use crate::event::{Kind, Phase};

pub(super) fn adapt(received: Received<'_>) -> Vec<Adapted> {
    single(Source::HiBob, received, event)
}

fn event(draft: Draft<'_>, event: &Element<'_>) -> Adapted {
    const PING: &str = "Ping test";
    if event.is_text(PING) || event.text("text") == Some(PING) {
        return Adapted::Nothing("a ping");
    }
    let draft = draft
        .named(event.text("type"))
        .tenant(event.id("companyId"))
        .occurred(event.text("triggeredAt").and_then(timestamps::text))
        .provider_subject(event.id("data.employeeId"));
    match event.text("type") {
        Some("employee.joined") => draft.event(Kind::Hire, Phase::Effective),
        Some("employee.temporaryLeave") => draft.event(Kind::Leave, Phase::Effective),
        Some("employee.left" | "employee.inactivated" | "employee.activated" | "employee.created") => draft.notice(),
        Some("employee.updated") => {
            draft.changed(event.list("data.fieldUpdates").first().map(|_| ChangedField::Other)).notice()
        }
        Some("employee.deleted") => draft.email(event.text("data.email"), EmailKind::Unknown).notice(),
        Some("table.entry.created" | "table.entry.updated") => draft.date(event.text("data.effectiveDate")).notice(),
        Some(_) => draft.unclassified("a type that is not in the table"),
        None => draft.unclassified("there is no type"),
    }
}

#[cfg(test)]
pub(super) const CASES: &[super::tests::Case] = &[
    case!("hibob/hire", "hire/effective | id | - | email worker date zone"),
    case!("hibob/leave", "leave/effective | id | - | email worker date zone"),
    case!("hibob/left", "unclassified/unknown | id | - | email worker date zone kind phase"),
    case!("hibob/inactivated", "unclassified/unknown | id | - | email worker date zone kind phase"),
    case!("hibob/activated", "unclassified/unknown | id | - | email worker date zone kind phase"),
    case!("hibob/created", "unclassified/unknown | id | - | email worker date zone kind phase"),
    case!("hibob/updated", "unclassified/unknown | id | - | email worker date zone kind phase values"),
    case!("hibob/deleted", "unclassified/unknown | id email(unknown) | - | worker date zone kind phase"),
    case!("hibob/table", "unclassified/unknown | id | 2027-01-31 | email worker zone kind phase"),
    case!("hibob/unclassified", "parked unclassified/unknown | id | - | email worker date zone kind phase"),
    case!("hibob/ping", "nothing"),
    case!("hibob/ping.text", "nothing"),
];
