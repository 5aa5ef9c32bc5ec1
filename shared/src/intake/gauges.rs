//! How things stand at a sweep: what counts of events cannot tell, since nothing happens while something waits.

use crate::ledger::Held;
use crate::telemetry::{self, Invoked};
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

/// What a sweep saw.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Gauges {
    /// Events that are held; 1000 stands for more.
    pub held: u64,
    /// How long the oldest of them waits, in seconds; 0 where none does.
    pub oldest_held: u64,
    /// Budgets of the mass-change brake that hold every change. Those of accounts that the policy does not name are not
    /// looked at; `BrakeHeld` counts what they hold.
    pub latched: u64,
    /// Sources that should have been heard.
    pub silent: u64,
}

impl Gauges {
    /// What a sweep at an instant saw.
    #[must_use]
    pub fn new(held: Held, latched: usize, silent: usize, now: Timestamp) -> Gauges {
        let age = held.oldest.map_or(SignedDuration::ZERO, |oldest| now.duration_since(oldest));
        Gauges {
            held: held.events,
            oldest_held: u64::try_from(age.as_secs()).unwrap_or(0),
            latched: latched as u64,
            silent: silent as u64,
        }
    }

    /// One line of CloudWatch's embedded metric format.
    #[must_use]
    pub fn metrics(&self, invoked: Invoked<'_>, now: Timestamp) -> Value {
        let gauges = [
            ("HeldWaiting", "Count", self.held),
            ("OldestHeld", "Seconds", self.oldest_held),
            ("Latched", "Count", self.latched),
            ("SilentSources", "Count", self.silent),
        ];
        let names = gauges.map(|(name, unit, _)| json!({ "Name": name, "Unit": unit }));
        let mut line = telemetry::line(invoked, &names, now);
        for (name, _, value) in gauges {
            line[name] = json!(value);
        }
        line
    }
}
