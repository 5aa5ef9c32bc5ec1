//! The one place of the benchmark that reads clocks.

use jiff::Timestamp;
use std::time::Instant;

/// A moment to measure from.
#[expect(clippy::disallowed_methods, reason = "measuring time is what the benchmark is for")]
pub(crate) fn moment() -> Instant {
    Instant::now()
}

/// The time of day, for events and deadlines.
#[expect(clippy::disallowed_methods, reason = "the functions read the real clock, so their events carry real times")]
pub(crate) fn now() -> Timestamp {
    Timestamp::now()
}
