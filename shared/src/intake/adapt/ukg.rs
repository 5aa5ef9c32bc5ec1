//! UKG Pro webhooks.
//!
//! Whose record changed, by `EeId`, and in what way (`Operation`): no value, no address, no date. Every event is a
//! notice. `EventTime` has no offset: it is read as UTC. `EeId` stands in `Payload`, as the vendor's catalogue of events
//! shows it (<https://developer.ukg.com/general/docs/ukg-webhooks-events-catalog>); beside `EventId` it is read, too.

use super::draft::single;
use super::{Adapted, Received, Source, timestamps};

pub(super) fn adapt(received: Received<'_>) -> Vec<Adapted> {
    single(Source::Ukg, received, |draft, event| {
        let draft = draft
            .named(event.text("EventType"))
            .tenant(event.id("Tenant"))
            .id(event.id("EventId"))
            .occurred(event.text("EventTime").and_then(timestamps::text))
            .provider_subject(event.id("Payload.EeId").or_else(|| event.id("EeId")));
        match event.text("EventType") {
            Some(_) => draft.notice(),
            None => draft.unclassified("there is no EventType"),
        }
    })
}

#[cfg(test)]
pub(super) const CASES: &[super::tests::Case] = &[
    case!("ukg/changed", "unclassified/unknown | id | - | email worker date zone kind phase"),
    case!("ukg/changed.payload", "unclassified/unknown | id | - | email worker date zone kind phase"),
    case!("ukg/unclassified", "parked unclassified/unknown | id | - | email worker date zone kind phase"),
];
