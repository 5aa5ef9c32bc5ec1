//! `BambooHR`: event-based webhooks, and field-based ones.
//!
//! Both tell whose record changed, and the names of the fields: no value, no address, no date, no event id. There is no
//! event for a hire or an end: every one is a notice. `timestamp` has an offset without a colon.
//!
//! Left out: the values of field-based webhooks, because the customer chooses which and how they are named; form posts,
//! which are no JSON. The reference does not name the fields either, so that a change is one of `other`. Beyond it: the
//! members within `data`, and `id`, `action` and `changedFields` of an employee, as the vendor's pages show them.

use super::draft::{Draft, batch, single};
use super::element::Element;
use super::{Adapted, Received, Source, timestamps};
use crate::event::wire::ChangedField;

pub(super) fn adapt(received: Received<'_>) -> Vec<Adapted> {
    let by_fields = Element::whole(received.body).is_some_and(|whole| whole.at("employees").is_some());
    if !by_fields {
        return single(Source::BambooHr, received, event);
    }
    let sent = received.headers.get("x-bamboohr-timestamp").and_then(timestamps::header);
    batch(
        Source::BambooHr,
        received,
        |whole| whole.member("employees")?.items(),
        |draft, employee| {
            let at = employee.text("timestamp").and_then(timestamps::text).or(sent);
            changes(draft.occurred(at).named(employee.text("action")), employee, "changedFields")
                .provider_subject(employee.id("id"))
                .notice()
        },
    )
}

fn event(draft: Draft<'_>, event: &Element<'_>) -> Adapted {
    let draft = draft
        .named(event.text("type"))
        .tenant(event.id("data.companyId"))
        .occurred(event.text("timestamp").and_then(timestamps::text))
        .provider_subject(event.id("data.employeeId"));
    let draft = changes(draft, event, "data.changedFields");
    match event.text("type") {
        Some("employee.created" | "employee.updated" | "employee.deleted") => draft.notice(),
        Some(_) => draft.unclassified("a type that is not in the table"),
        None => draft.unclassified("there is neither a type nor a list of employees"),
    }
}

fn changes<'a>(draft: Draft<'a>, element: &Element<'_>, path: &str) -> Draft<'a> {
    draft.changed(element.list(path).first().map(|_| ChangedField::Other))
}

#[cfg(test)]
pub(super) const CASES: &[super::tests::Case] = &[
    case!("bamboohr/created", "unclassified/unknown | id | - | email worker date zone kind phase"),
    case!("bamboohr/updated", "unclassified/unknown | id | - | email worker date zone kind phase values"),
    case!("bamboohr/deleted", "unclassified/unknown | id | - | email worker date zone kind phase"),
    case!(
        "bamboohr/fields",
        [("x-bamboohr-timestamp", "1795162500")],
        "unclassified/unknown | id | - | email worker date zone kind phase values time",
        "parked unclassified/unknown | id | - | email worker date zone kind phase values time"
    ),
    case!("bamboohr/unclassified", "parked unclassified/unknown | id | - | email worker date zone kind phase"),
];
