//! Personio webhooks, version 2.
//!
//! Dataless: ids and no more, and no event id. `employment.started` and `employment.terminated` come on the day itself;
//! which day that is where the person works is not told. Everything else is a notice. Some job changes send nothing.
//!
//! An absence may be a holiday: it is parked (its name comes with `_`, the documents write `-`). The reference does not
//! name the ids in `payload`: `person_id`, or the `id` of `person`, is taken for the person's; an event without either
//! is parked.

use super::draft::{Draft, single};
use super::element::Element;
use super::{Adapted, Received, Source, timestamps};
use crate::event::{Kind, Phase};

pub(super) fn adapt(received: Received<'_>) -> Vec<Adapted> {
    single(Source::Personio, received, event)
}

fn event(draft: Draft<'_>, event: &Element<'_>) -> Adapted {
    let draft = draft
        .named(event.text("event_name"))
        .tenant(event.id("company_id"))
        .occurred(event.text("occurred_at").and_then(timestamps::text))
        .provider_subject(event.id("payload.person_id").or_else(|| event.id("payload.person.id")));
    match event.text("event_name") {
        Some("employment.started") => draft.event(Kind::Hire, Phase::Effective),
        Some("employment.terminated") => draft.event(Kind::Termination, Phase::Effective),
        Some(
            "person.created" | "person.updated" | "person.deleted" | "employment.created" | "employment.updated"
            | "employment.deleted",
        ) => draft.notice(),
        Some(other) if other.starts_with("absence_period") || other.starts_with("absence-period") => {
            draft.unclassified("an absence: a leave or a holiday")
        }
        Some(_) => draft.unclassified("an event_name that is not in the table"),
        None => draft.unclassified("there is no event_name"),
    }
}

#[cfg(test)]
pub(super) const CASES: &[super::tests::Case] = &[
    case!("personio/hire", "hire/effective | id | - | email worker date zone"),
    case!("personio/termination", "termination/effective | id | - | email worker date zone"),
    case!("personio/updated", "unclassified/unknown | id | - | email worker date zone kind phase"),
    case!("personio/absence", "parked unclassified/unknown | id | - | email worker date zone kind phase"),
    case!("personio/unclassified", "parked unclassified/unknown | id | - | email worker date zone kind phase"),
];
