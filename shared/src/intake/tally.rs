//! What hr-intake counts of a batch.

use super::gauges::Gauges;
use super::waking::Woken;
use super::work::{Became, Element};
use crate::telemetry::{self, Invoked};
use jiff::Timestamp;
use serde_json::Value;

/// The counts of a batch: one line of metrics.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// Announcements that wake up later.
    pub scheduled: u64,
    /// Announcements that were published as effective.
    pub published: u64,
    /// Announcements and elements that came more than an hour after they were due.
    pub late: u64,
    /// Of the published, how many no schedule had woken.
    pub swept: u64,
    /// Announcements that are due and could not be published.
    pub unswept: u64,
    /// Announcements whose fact stands otherwise by now.
    pub superseded: u64,
    /// Announcements that a newer roster contradicts.
    pub held: u64,
    /// Elements of requests that became worker events.
    pub told: u64,
    /// Elements of requests that came before.
    pub duplicates: u64,
    /// Elements of requests that ask for nothing.
    pub nothing: u64,
    /// Elements of requests that nobody could read: they are parked.
    pub unclassified: u64,
    /// Messages that come again.
    pub again: u64,
    /// How things stood, where the sweep came round.
    pub gauges: Option<Gauges>,
}

impl Tally {
    pub(super) fn woken(&mut self, woken: Woken) {
        match woken {
            Woken::Over => {}
            Woken::Set(_) => self.scheduled += 1,
            Woken::Published { late_by } => {
                self.published += 1;
                self.late += u64::from(late_by.is_some());
            }
            Woken::Superseded => self.superseded += 1,
            Woken::Held => self.held += 1,
        }
    }

    pub(super) fn swept(&mut self, woken: Woken) {
        self.woken(woken);
        self.swept += u64::from(matches!(woken, Woken::Published { .. }));
    }

    pub(super) fn unswept(&mut self) {
        self.unswept += 1;
    }

    pub(super) fn element(&mut self, element: &Element) {
        match &element.became {
            Became::Published { late_by, .. } => {
                self.told += 1;
                self.late += u64::from(late_by.is_some());
            }
            Became::Duplicate => self.duplicates += 1,
            Became::Nothing(_) => self.nothing += 1,
            Became::Unclassified(_) => self.unclassified += 1,
        }
    }

    pub(super) fn again(&mut self, messages: usize) {
        self.again += messages as u64;
    }

    pub(super) fn add(&mut self, other: &Tally) {
        self.scheduled += other.scheduled;
        self.published += other.published;
        self.late += other.late;
        self.swept += other.swept;
        self.unswept += other.unswept;
        self.superseded += other.superseded;
        self.held += other.held;
        self.told += other.told;
        self.duplicates += other.duplicates;
        self.nothing += other.nothing;
        self.unclassified += other.unclassified;
        self.again += other.again;
        self.gauges = other.gauges.or(self.gauges);
    }

    /// One line of CloudWatch's embedded metric format.
    #[must_use]
    pub fn metrics(&self, invoked: Invoked<'_>, now: Timestamp) -> Value {
        let counts = [
            ("Scheduled", self.scheduled),
            ("Published", self.published),
            ("Late", self.late),
            ("Swept", self.swept),
            ("DueUnpublished", self.unswept),
            ("Superseded", self.superseded),
            ("RosterDisagrees", self.held),
            ("Told", self.told),
            ("Duplicates", self.duplicates),
            ("Nothing", self.nothing),
            ("Unclassified", self.unclassified),
            ("Again", self.again),
        ];
        telemetry::counts(invoked, &counts, now)
    }
}
