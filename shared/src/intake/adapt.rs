//! One pure module a source: from raw bytes to canonical events.
//!
//! Each module reads as a table of what its vendor says. They are made of the same pieces: `element` (one element of a
//! request, as JSON and as it came), `timestamps` (every style that a vendor writes times in) and `draft` (a
//! canonical event in the making, which knows what it lacks).
//!
//! Three answers that are not a fact yet, and how they differ:
//!
//! * An event of kind `unclassified` is a **notice**: the vendor tells that something changed and no more. Its kind and
//!   phase are in `missing`; whoever completes the event looks them up.
//! * [`Adapted::Unclassified`] is **parked**: nobody knows what it means, or it names nobody.
//! * [`Adapted::Nothing`] is about nobody's employment or login.

/// A fixture of `events/sources`, the headers that it comes with, and what is expected of each of its elements.
#[cfg(test)]
macro_rules! case {
    ($name:literal, [$($header:expr),+], $($expected:literal),+ $(,)?) => {
        super::tests::Case {
            name: $name,
            body: include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/../events/sources/", $name, ".json")),
            headers: &[$($header),+],
            expected: &[$($expected),+],
        }
    };
    ($name:literal, $($expected:literal),+ $(,)?) => {
        super::tests::Case {
            name: $name,
            body: include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/../events/sources/", $name, ".json")),
            headers: &[],
            expected: &[$($expected),+],
        }
    };
}

mod adp;
mod auth0;
mod bamboohr;
pub mod canonical;
pub mod cloud_events;
mod deel;
mod draft;
mod element;
mod entra;
mod finch;
mod greenhouse;
mod gusto;
pub mod health;
mod hibob;
mod identity_center;
#[cfg(test)]
mod laws;
mod merge;
mod okta;
mod onelogin;
mod personio;
mod piece;
pub mod risc;
mod sailpoint;
pub mod scim;
pub mod successfactors;
mod timestamps;
mod ukg;

#[cfg(test)]
mod tests;

use super::{Adapted, Received, Source};

/// What a source's request says. Total: arbitrary bytes are an answer, never a panic.
#[must_use]
pub fn adapt(source: Source, received: Received<'_>) -> Vec<Adapted> {
    match source {
        Source::Okta => okta::adapt(received),
        Source::BambooHr => bamboohr::adapt(received),
        Source::HiBob => hibob::adapt(received),
        Source::Gusto => gusto::adapt(received),
        Source::Finch => finch::adapt(received),
        Source::Auth0 => auth0::adapt(received),
        Source::OneLogin => onelogin::adapt(received),
        Source::Personio => personio::adapt(received),
        Source::Greenhouse => greenhouse::adapt(received),
        Source::Adp => adp::adapt(received),
        Source::Ukg => ukg::adapt(received),
        Source::Entra => entra::adapt(received),
        Source::SailPoint => sailpoint::adapt(received),
        Source::Merge => merge::adapt(received),
        Source::Deel => deel::adapt(received),
        Source::Canonical => canonical::adapt(received),
        Source::CloudEvents => cloud_events::adapt(received),
        Source::Scim => scim::adapt(received),
        Source::SuccessFactors => successfactors::adapt(received),
        Source::Risc => risc::adapt(received),
        Source::Health => health::adapt(received),
        Source::IdentityCenter => identity_center::adapt(received),
    }
}
