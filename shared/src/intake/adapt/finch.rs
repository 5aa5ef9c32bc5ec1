//! Finch webhooks.
//!
//! A payload carries `individual_id` and no more; the event's id is in the header `finch-event-id`, the time of sending
//! in `finch-timestamp`. What happened is looked up: every event of an individual is a notice.
//!
//! Beyond the reference: `event_type`, `connection_id` (whose event it is), the place of `individual_id` in `data`, and
//! that events of an account or a job are about nobody, as the vendor's pages show them.

use super::draft::single;
use super::{Adapted, Received, Source, timestamps};

pub(super) fn adapt(received: Received<'_>) -> Vec<Adapted> {
    single(Source::Finch, received, |draft, event| {
        let draft = draft
            .named(event.text("event_type"))
            .tenant(event.id("connection_id"))
            .id(received.headers.get("finch-event-id").map(str::to_owned))
            .occurred(received.headers.get("finch-timestamp").and_then(timestamps::header))
            .provider_subject(event.id("data.individual_id"));
        match event.text("event_type") {
            Some(_) if event.id("data.individual_id").is_some() => draft.notice(),
            Some(other) if other.starts_with("account.") || other.starts_with("job.") => {
                Adapted::Nothing("about no individual")
            }
            Some(_) => draft.unclassified("there is no individual_id"),
            None => draft.unclassified("there is no event_type"),
        }
    })
}

#[cfg(test)]
pub(super) const CASES: &[super::tests::Case] = &[
    case!(
        "finch/individual",
        [("finch-event-id", "fe_7k2m"), ("finch-timestamp", "1795162500")],
        "unclassified/unknown | id | - | email worker date zone kind phase time"
    ),
    case!("finch/unclassified", "parked unclassified/unknown | id | - | email worker date zone kind phase time"),
    case!("finch/nothing", "nothing"),
];
