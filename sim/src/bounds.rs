//! The bounds that the design rests on, as the simulator keeps them. A run beyond one of them shows what it prevents.
//!
//! With a function timeout of 60 s, all from an invocation's start: no call starts after 45 s (its timeout of 10 s must
//! end 5 s before the deadline), a retry inside that timeout starts before 60 s (then Lambda kills the process), and the
//! lease ends at 90 s. What was sent at 60 s at the latest, by a worker whose clock is 2 s behind, must have taken
//! effect when another, whose clock is 2 s ahead, takes the person over: `60 + LATE_EFFECT <= 90 - 2 - 2`.
//!
//! An invitation sends a mail and cannot be sent again to make sure, so its lease waits longer: until 15 min after the
//! deadline. It is sent at 45 s at the latest, and once: `45 + LATE_INVITATION <= 60 + 900 - 2 - 2`.

use crate::faults::Fault;
use crate::watch::Rule;

/// A millisecond, in the timeline's microseconds.
pub const MS: i64 = 1_000;

/// A second, in the timeline's microseconds.
pub const SECOND: i64 = 1_000 * MS;

/// A minute, in the timeline's microseconds.
pub const MINUTE: i64 = 60 * SECOND;

/// A day, in the timeline's microseconds.
pub const DAY: i64 = 24 * 60 * MINUTE;

/// The functions' timeout in `template.yaml`.
pub const FUNCTION_TIMEOUT: i64 = MINUTE;

/// The queue's visibility timeout: six times the function's, and the batching window (`template.yaml`).
pub const VISIBILITY: i64 = 6 * FUNCTION_TIMEOUT + 5 * SECOND;

/// After so many receives SQS gives a message up by itself (`template.yaml`).
pub const MAX_RECEIVES: u32 = 200;

/// The most messages of a batch (`template.yaml`).
pub const BATCH: usize = 48;

/// How long after it was sent a request may take effect at the latest, whether or not anybody still waits for it.
pub const LATE_EFFECT: i64 = 25 * SECOND;

/// The same for an invitation.
pub const LATE_INVITATION: i64 = 14 * MINUTE;

/// How far a worker's clock may be off, either way.
pub const SKEW: i64 = 2 * SECOND;

/// How long a worker may stand still, and then go on. Beyond the deadline only its writes to the ledger do.
pub const FREEZE: i64 = 150 * SECOND;

/// How long after the faults stop everything must have come to its end: a few rounds of the longest back-off
/// (15 min), of the visibility timeout, of a lease and of an invitation's.
pub const DRAIN: i64 = 150 * MINUTE;

/// The bounds of one run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bounds {
    /// [`LATE_EFFECT`]
    pub late_effect: i64,
    /// [`LATE_INVITATION`]
    pub late_invitation: i64,
    /// [`SKEW`]
    pub skew: i64,
}

impl Default for Bounds {
    fn default() -> Bounds {
        Bounds { late_effect: LATE_EFFECT, late_invitation: LATE_INVITATION, skew: SKEW }
    }
}

/// A bound that a run goes beyond.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum Beyond {
    /// Requests take effect up to two minutes after they were sent.
    LateEffect,
    /// Invitations take effect up to 40 minutes after they were sent.
    LateInvitation,
    /// Clocks are off by up to two minutes.
    Skew,
}

impl Beyond {
    /// Its name on the command line.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Beyond::LateEffect => "late-effect",
            Beyond::LateInvitation => "late-invitation",
            Beyond::Skew => "skew",
        }
    }

    /// The kinds of fault that show it, and how often they strike, of a thousand chances.
    #[must_use]
    pub fn insists(self) -> &'static [(Fault, u32)] {
        match self {
            Beyond::LateEffect => &[(Fault::LateEffect, 60), (Fault::Crash, 400), (Fault::Duplicate, 300)],
            Beyond::LateInvitation => &[(Fault::LateInvitation, 400)],
            Beyond::Skew => &[(Fault::Skew, 1000)],
        }
    }

    /// The rule that must break: what the bound prevents.
    #[must_use]
    pub fn shows(self) -> Rule {
        match self {
            // A change lands while another attempt has the person, or after it.
            Beyond::LateEffect => Rule::Planned,
            // It is read back as absent, sent again, and then the first mail goes out as well.
            Beyond::LateInvitation => Rule::Mail,
            // What bites now lies ahead for such a worker: it is parked. (Leases stay sound far beyond the bound: a worker
            // whose clock is 15 s ahead or more believes that it has no time left, and claims nothing.)
            Beyond::Skew => Rule::Outcome,
        }
    }

    /// The bounds of a run beyond this one.
    #[must_use]
    pub fn bounds(self) -> Bounds {
        let kept = Bounds::default();
        match self {
            Beyond::LateEffect => Bounds { late_effect: 2 * MINUTE, ..kept },
            Beyond::LateInvitation => Bounds { late_invitation: 40 * MINUTE, ..kept },
            Beyond::Skew => Bounds { skew: 2 * MINUTE, ..kept },
        }
    }
}
