//! Gusto webhooks.
//!
//! Ids only: no address, no date. `terminated` and `rehired` announce; the cancelled ones take back. The effective ones
//! are spelt both `terminated_effective` and `termination_effective`, and come at 00:00 Pacific on the day after the
//! last day: the date itself is looked up. Events may come twice and in any order: `uuid` and `timestamp` say which.
//!
//! Hires are not in the reference: those events are parked. So are a contractor's. Beyond the reference: `event_type`,
//! `entity_uuid` and `resource_uuid` (the company), and the spelling `rehire_effective`, as the vendor's pages show them.

use super::draft::{Draft, single};
use super::element::Element;
use super::{Adapted, Received, Source, timestamps};
use crate::event::{Kind, Phase};

pub(super) fn adapt(received: Received<'_>) -> Vec<Adapted> {
    single(Source::Gusto, received, event)
}

fn event(draft: Draft<'_>, event: &Element<'_>) -> Adapted {
    let draft = draft
        .named(event.text("event_type"))
        .tenant(event.id("resource_uuid"))
        .id(event.id("uuid"))
        .occurred(event.at("timestamp").and_then(serde_json::Value::as_i64).and_then(timestamps::seconds))
        .provider_subject(event.id("entity_uuid"));
    match event.text("event_type") {
        Some("employee.terminated") => draft.event(Kind::Termination, Phase::Scheduled),
        Some("employee.terminated_effective" | "employee.termination_effective") => {
            draft.event(Kind::Termination, Phase::Effective)
        }
        Some("employee.termination_cancelled") => draft.event(Kind::Termination, Phase::Rescinded),
        Some("employee.rehired") => draft.event(Kind::Rehire, Phase::Scheduled),
        Some("employee.rehired_effective" | "employee.rehire_effective") => draft.event(Kind::Rehire, Phase::Effective),
        Some("employee.rehire_cancelled") => draft.event(Kind::Rehire, Phase::Rescinded),
        Some(other) if other.starts_with("employee.") || other.starts_with("contractor.") => {
            draft.unclassified("an event of a worker that is not in the table")
        }
        Some(_) => Adapted::Nothing("about no worker"),
        None => draft.unclassified("there is no event_type"),
    }
}

#[cfg(test)]
pub(super) const CASES: &[super::tests::Case] = &[
    case!("gusto/termination.scheduled", "termination/scheduled | id | - | email worker date zone"),
    case!("gusto/termination.effective", "termination/effective | id | - | email worker date zone"),
    case!("gusto/termination.effective.embedded", "termination/effective | id | - | email worker date zone"),
    case!("gusto/termination.rescinded", "termination/rescinded | id | - | email worker date zone"),
    case!("gusto/rehire.scheduled", "rehire/scheduled | id | - | email worker date zone"),
    case!("gusto/rehire.effective", "rehire/effective | id | - | email worker date zone"),
    case!("gusto/rehire.rescinded", "rehire/rescinded | id | - | email worker date zone"),
    case!("gusto/unclassified", "parked unclassified/unknown | id | - | email worker date zone kind phase"),
    case!("gusto/nothing", "nothing"),
];
