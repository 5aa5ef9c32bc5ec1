//! Greenhouse Recruiting webhooks.
//!
//! `hire_candidate` announces a hire for `offer.starts_at`, a date; `unhire_candidate` takes it back, and comes only
//! where somebody pressed that button. The body has neither time nor event id: that is in `Greenhouse-Event-ID`. The
//! person is a candidate, so the id is the candidate's. Its addresses are left alone: the one of kind `work` is another
//! employer's, and never the corporate one.
//!
//! Left out: Onboarding's `employee:updated`, because the reference does not say which member names it; it is parked.
//! Beyond the reference: `action` and `payload.application.{candidate,offer}`, as the vendor's pages show them.

use super::draft::single;
use super::{Adapted, Received, Source};
use crate::event::{Kind, Phase};

pub(super) fn adapt(received: Received<'_>) -> Vec<Adapted> {
    single(Source::Greenhouse, received, |draft, event| {
        let draft = draft
            .named(event.text("action"))
            .id(received.headers.get("greenhouse-event-id").map(str::to_owned))
            .provider_subject(event.id("payload.application.candidate.id"))
            .date(event.text("payload.application.offer.starts_at"));
        match event.text("action") {
            Some("hire_candidate") => draft.event(Kind::Hire, Phase::Scheduled),
            Some("unhire_candidate") => draft.event(Kind::Hire, Phase::Rescinded),
            Some("ping") => Adapted::Nothing("a ping"),
            Some(_) => draft.unclassified("an action that is not in the table"),
            None => draft.unclassified("there is no action"),
        }
    })
}

#[cfg(test)]
pub(super) const CASES: &[super::tests::Case] = &[
    case!(
        "greenhouse/hire.scheduled",
        [("Greenhouse-Event-ID", "5f0c2a9e-0d7b-4c55-9a53-2f6f4f3f9d11")],
        "hire/scheduled | id | 2027-02-01 | email worker zone time"
    ),
    case!("greenhouse/hire.rescinded", "hire/rescinded | id | - | email worker date zone time"),
    case!("greenhouse/unclassified", "parked unclassified/unknown | id | - | email worker date zone kind phase time"),
    case!("greenhouse/ping", "nothing"),
];
