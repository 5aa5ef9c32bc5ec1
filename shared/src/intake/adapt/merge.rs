//! Merge webhooks: a whole employee, as it is now.
//!
//! There is no time and no event id: `hook.id` is the subscription's. `INACTIVE` is an end in force. `ACTIVE` with a
//! `termination_date` of today or later, or of yesterday by UTC, is an end announced. `termination_date` is typed as a time and means a date, of which
//! nobody says whether it is the last day. Any other snapshot tells no change: it is a notice. There is no leave.
//!
//! The reference does not tell where the employee stands, nor how its id is named: `data` and `id` are taken. An
//! employee number, a start date and the linked account are not in it, and are left out.

use super::draft::single;
use super::{Adapted, Received, Source, timestamps};
use crate::event::wire::EmailKind;
use crate::event::{Kind, Phase};
use jiff::SignedDuration;

const ONE_DAY: SignedDuration = SignedDuration::from_hours(24);

pub(super) fn adapt(received: Received<'_>) -> Vec<Adapted> {
    single(Source::Merge, received, |draft, event| {
        let date = event.text("data.termination_date");
        // The day may not be over at the place of work, wherever that is; whether it is, its zone decides.
        let yesterday = received.at.saturating_sub(ONE_DAY).unwrap_or(received.at).to_string();
        // Both are written year first: text compares as the dates do.
        let to_come =
            date.and_then(timestamps::date).is_some_and(|date| date.as_str() >= yesterday.get(..10).unwrap_or(""));
        let draft = draft
            .named(event.text("hook.event"))
            .provider_subject(event.id("data.id"))
            .email(event.text("data.work_email"), EmailKind::Work);
        match event.text("data.employment_status") {
            Some("INACTIVE") => draft.date(date).event(Kind::Termination, Phase::Effective),
            Some("ACTIVE") if to_come => draft.date(date).event(Kind::Termination, Phase::Scheduled),
            Some("ACTIVE" | "PENDING") => draft.notice(),
            Some(_) => draft.unclassified("an employment_status that is not in the table"),
            None => draft.unclassified("there is no employment_status"),
        }
    })
}

#[cfg(test)]
pub(super) const CASES: &[super::tests::Case] = &[
    case!("merge/termination.effective", "termination/effective | id email(work) | 2026-11-18 | worker zone time"),
    case!("merge/termination.scheduled", "termination/scheduled | id email(work) | 2027-01-15 | worker zone time"),
    case!("merge/termination.undated", "termination/effective | id email(work) | - | worker date zone time"),
    case!("merge/active", "unclassified/unknown | id email(work) | - | worker date zone kind phase time"),
    case!("merge/pending", "unclassified/unknown | id | - | email worker date zone kind phase time"),
    case!("merge/unclassified", "parked unclassified/unknown | id | - | email worker date zone kind phase time"),
];
