//! ADP event notifications.
//!
//! There is no time. `workerID.idValue` is the employee number, a text with leading zeros. `worker.terminate` carries
//! neither date nor address, so that nobody knows whether it is announced or in force. The end of a work assignment has
//! a `terminationDate`, and need not be the end of the employment: a notice. Cancelled ends, rehires and hires take back.
//! A changed date (`workerTerminationDate.change`) has no `workerID`.
//!
//! The shape of the context varies (`worker` or not), so that `workerID`, `associateOID`, `terminationDate` and
//! `terminationReason` are looked for wherever they are; of two that differ none is believed. The addresses are left
//! out: the reference does not name the branches of the business and of the private one. Neither does it name the
//! member with the event's name: `eventNameCode` is taken, or its `codeValue`.

use super::draft::{Draft, batch};
use super::element::{Element, id};
use super::{Adapted, Received, Source};
use crate::event::{Kind, Phase};

pub(super) fn adapt(received: Received<'_>) -> Vec<Adapted> {
    batch(Source::Adp, received, |whole| whole.member("events")?.items(), one)
}

fn one(draft: Draft<'_>, event: &Element<'_>) -> Adapted {
    let name = event.text("eventNameCode.codeValue").or_else(|| event.text("eventNameCode"));
    let draft = draft
        .named(name)
        .id(event.id("eventID"))
        .worker(event.anywhere("workerID").and_then(|worker| id(worker.get("idValue")?)))
        .provider_subject(event.anywhere("associateOID").and_then(id))
        .date(event.anywhere("terminationDate").and_then(serde_json::Value::as_str))
        .reason(event.anywhere("terminationReason").and_then(serde_json::Value::as_str));
    match name {
        Some("worker.terminate" | "workerTerminationDate.change") => draft.of_unknown_phase(Kind::Termination),
        Some("worker.workAssignment.terminate") => draft.notice(),
        Some("workerTermination.cancel") => draft.event(Kind::Termination, Phase::Rescinded),
        Some("workerRehire.cancel") => draft.event(Kind::Rehire, Phase::Rescinded),
        Some("workerHire.cancel") => draft.event(Kind::Hire, Phase::Rescinded),
        Some(_) => draft.unclassified("an event that is not in the table"),
        None => draft.unclassified("there is no eventNameCode"),
    }
}

#[cfg(test)]
pub(super) const CASES: &[super::tests::Case] = &[
    case!("adp/termination", "termination/scheduled | worker id | - | email date zone phase time"),
    case!("adp/termination.changed", "termination/scheduled | id | 2027-03-31 | email worker zone phase time"),
    case!(
        "adp/rescinded",
        "termination/rescinded | worker id | - | email date zone time",
        "rehire/rescinded | worker | - | email date zone time",
        "hire/rescinded | worker | - | email date zone time"
    ),
    case!("adp/assignment", "unclassified/unknown | worker id | 2026-12-18 | email zone kind phase time"),
    case!(
        "adp/unclassified",
        "parked unclassified/unknown | worker | - | email date zone kind phase time",
        "parked unclassified/unknown | id | - | email worker date zone kind phase time"
    ),
];
