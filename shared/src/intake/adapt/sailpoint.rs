//! `SailPoint` Identity Security Cloud event triggers.
//!
//! There is no event id, no time and no address, and nothing is sent twice. A changed life-cycle state comes as a change
//! of the attribute `cloudLifecycleState`, whose values are the customer's own; that from nothing to active does not
//! come at all. Values are cut off at 450 characters. So the names of the attributes are taken, not the values, and
//! every event is a notice.
//!
//! Beyond the reference: `identity.id` and `changes[].attribute`, as the vendor's examples of filters have them.

use super::draft::single;
use super::{Adapted, Received, Source};
use crate::event::wire::ChangedField;

pub(super) fn adapt(received: Received<'_>) -> Vec<Adapted> {
    single(Source::SailPoint, received, |draft, event| {
        let changes = event.list("changes").iter().filter_map(|change| change.get("attribute")?.as_str());
        let mut fields: Vec<&str> = changes.map(|name| if name == "manager" { name } else { "" }).collect();
        fields.sort_unstable();
        fields.dedup();
        let fields = fields.into_iter().map(|name| match name {
            "manager" => ChangedField::Manager,
            _ => ChangedField::Other,
        });
        let draft = draft.provider_subject(event.id("identity.id")).changed(fields);
        match event.id("identity.id") {
            Some(_) => draft.notice(),
            None => draft.unclassified("there is no identity"),
        }
    })
}

#[cfg(test)]
pub(super) const CASES: &[super::tests::Case] = &[
    case!("sailpoint/changed", "unclassified/unknown | id | - | email worker date zone kind phase values time"),
    case!("sailpoint/created", "unclassified/unknown | id | - | email worker date zone kind phase time"),
    case!("sailpoint/unclassified", "parked unclassified/unknown | id | - | email worker date zone kind phase time"),
];
