//! The scenarios, and what each of them publishes. Expectations come from the rules: what is due by all facts of a
//! person, and what each function does by account type.

use crate::chime::faults::FaultKind;
use crate::chime::routes::Operation;
use clap::ValueEnum;
use jiff::Timestamp;
use serde_json::{Value, json};

/// The scenarios.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Scenario {
    /// A week of one person in each type of account: hired, promoted, away, gone and back, with every sample event.
    CompanyWeek,
    /// Terminations in every account type, and what can go wrong with them.
    FirstLight,
    /// 400 terminations from a broken feed, as a burst and as a drip: the brake holds them, and an operator decides.
    RunawayFeed,
    /// A leaver for each HR and identity system, sent as it sends, with what is missing looked up.
    Sources,
}

impl Scenario {
    /// The name on the command line.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Scenario::CompanyWeek => "company-week",
            Scenario::FirstLight => "first-light",
            Scenario::RunawayFeed => "runaway-feed",
            Scenario::Sources => "sources",
        }
    }
}

/// What is published together.
pub(super) struct Act {
    /// What Chime does to the next calls.
    pub(super) fault: Option<(Operation, FaultKind, u32)>,
    pub(super) events: Vec<Published>,
}

/// One event, and what must come of it.
pub(super) struct Published {
    pub(super) id: String,
    pub(super) story: String,
    pub(super) detail_type: String,
    pub(super) body: Body,
    /// The one function that must consume it.
    pub(super) function: &'static str,
    pub(super) record: Record,
    pub(super) outcome: &'static str,
    pub(super) reason: &'static str,
}

/// How an event is published.
pub(super) enum Body {
    /// On the bus.
    Bus(Value),
    /// Straight on its function's queue, as it is.
    Queue(&'static str),
}

/// What its record in the ledger is named after.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Record {
    /// Its own id.
    Id,
    /// The hash of its body: it cannot be read.
    Body,
}

pub(super) fn event(id: &str, kind: &str, worker: &str, email: &str, occurred: Timestamp, at: Timestamp) -> Value {
    json!({
        "schemaVersion": "1.0", "eventId": id, "kind": kind, "phase": "effective",
        "occurredAt": format!("{occurred:.3}"),
        "provider": { "name": "acme-hr", "tenant": "acme", "eventType": kind },
        "subject": { "workerId": worker, "email": email, "emailKind": "work" },
        "effective": { "date": null, "at": format!("{at:.3}"), "zone": "Europe/Paris", "basis": "instant", "source": "payload" },
    })
}
