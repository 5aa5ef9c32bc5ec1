//! Reconcile: what the roster says is compared with what the ledger knows, and what was missed is asked for.
//!
//! Some streams die silently: Okta switches a log stream off that could not be delivered, HiBob tells nothing of a deleted
//! row. The pass publishes worker events on the same bus as everybody, so they go the same road, under the same brake.
//! It changes nothing by itself: it reads, and it asks.
//!
//! [`judge()`] and [`restore()`] are pure: one person each. [`pass`] reads everybody in pages and publishes; [`serve`] is the
//! function hr-reconcile.
//!
//! *Invariant*: an event of the pass says when it was asserted: when the roster was dropped, or when the fact was that it
//! asks for again. So what anybody asserted since wins, whatever comes first.

mod ask;
mod judge;
pub mod pass;
mod restore;
pub mod serve;

pub use judge::{Judgement, Leaving, judge, leaving};
pub use pass::{MOST, Outcome, Reconcile, Summary};
pub use restore::{Restoring, restore};

use crate::person::AccessPolicy;
use crate::policy::{Policy, SourceRules};
use crate::seal::Keys;
use jiff::Timestamp;

/// What every judgement of a pass rests on.
#[derive(Clone, Copy, Debug)]
pub struct Grounds<'a> {
    /// What the operator knows of dates, and how far the pass looks back.
    pub rules: &'a SourceRules,
    /// Which families of facts take access away.
    pub access: AccessPolicy,
    /// The keys that make event ids.
    pub keys: &'a Keys,
    /// When the roster was dropped: so old is what it says.
    pub dropped_at: Timestamp,
    /// The time.
    pub now: Timestamp,
}

impl<'a> Grounds<'a> {
    /// The grounds of a policy.
    #[must_use]
    pub fn new(policy: &'a Policy, keys: &'a Keys, dropped_at: Timestamp, now: Timestamp) -> Grounds<'a> {
        Grounds { rules: &policy.sources, access: policy.access_policy(), keys, dropped_at, now }
    }
}

#[cfg(test)]
mod tests;
