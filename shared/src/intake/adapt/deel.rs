//! Deel webhooks.
//!
//! `contract.terminated` tells that the end of a contract is done, with `completion_date`, of which nobody says whether
//! it is the last day. `resource` is an object there and a list elsewhere: one event each. Its `id` is the contract's,
//! which is all there is to name the person by.
//!
//! Beyond the reference: `data.meta` (`event_type`, `tracking_id`, `organization_id`), `data.resource` and `timestamp`,
//! as the vendor's pages list them. Other types are parked.

use super::draft::{Draft, batch};
use super::element::Element;
use super::{Adapted, Received, Source, timestamps};
use crate::event::{Kind, Phase};

pub(super) fn adapt(received: Received<'_>) -> Vec<Adapted> {
    // An unreadable body is `batch`'s business.
    let whole = Element::whole(received.body).unwrap_or_else(|| Element::unreadable(received.body));
    batch(Source::Deel, received, resources, |draft, resource| one(draft, &whole, resource))
}

fn resources(body: Element<'_>) -> Option<Vec<Element<'_>>> {
    let resource = body.member("data")?.member("resource")?;
    if resource.is_list() { resource.items() } else { Some(vec![resource]) }
}

fn one(draft: Draft<'_>, whole: &Element<'_>, resource: &Element<'_>) -> Adapted {
    let tracking = whole.id("data.meta.tracking_id");
    // One request, one tracking_id: in a list, the contract tells its events apart.
    let id = match (tracking, resource.id("id")) {
        (Some(tracking), Some(contract)) if whole.at("data.resource").is_some_and(serde_json::Value::is_array) => {
            Some(format!("{tracking}:{contract}"))
        }
        (tracking, _) => tracking,
    };
    let draft = draft
        .named(whole.text("data.meta.event_type"))
        .tenant(whole.id("data.meta.organization_id"))
        .id(id)
        .occurred(whole.text("timestamp").and_then(timestamps::text))
        .provider_subject(resource.id("id"));
    match whole.text("data.meta.event_type") {
        Some("contract.terminated") => {
            draft.date(resource.text("completion_date")).event(Kind::Termination, Phase::Effective)
        }
        Some(_) => draft.unclassified("an event_type that is not in the table"),
        None => draft.unclassified("there is no event_type"),
    }
}

#[cfg(test)]
pub(super) const CASES: &[super::tests::Case] = &[
    case!("deel/termination", "termination/effective | id | 2026-11-27 | email worker zone"),
    case!(
        "deel/termination.list",
        "termination/effective | id | 2026-11-27 | email worker zone",
        "termination/effective | id | - | email worker date zone"
    ),
    case!("deel/unclassified", "parked unclassified/unknown | id | - | email worker date zone kind phase"),
];
