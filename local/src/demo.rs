//! The demo: what is published, what must come of it, and what did.
//!
//! The expected end is written down in `demo/week/table.rs` and `demo/first_light.rs` from the rules, before any
//! run; the demo fails where the directory or the ledger ends otherwise.

mod first_light;
mod play;
mod runaway;
mod scenario;
mod show;
mod sources;
mod users;
mod week;

pub use play::{Played, run};
pub use scenario::Scenario;
pub use show::table;

use serde::Serialize;
use serde_json::Value;

/// What a scenario did.
#[derive(Clone, Debug, Serialize)]
pub struct Report {
    /// Its name.
    pub scenario: String,
    /// Directory and ledger ended exactly as expected.
    pub ok: bool,
    /// What was done in turn, and what came of it; for scenarios of many events.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub acts: Vec<ActReport>,
    /// Each event, in the order published.
    pub events: Vec<EventReport>,
    /// The users before.
    pub before: Vec<UserReport>,
    /// The users after.
    pub after: Vec<UserReport>,
    /// The calls that Chime was asked for, in order.
    pub calls: Vec<Value>,
    /// What ended otherwise than expected.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub unexpected: Vec<String>,
}

/// What was done, what must come of it, and what did.
#[derive(Clone, Debug, Serialize)]
pub struct ActReport {
    /// What was done.
    pub act: String,
    /// What must come of it by the rules.
    pub expected: String,
    /// What came of it.
    pub got: String,
}

/// What happened to one event.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct EventReport {
    /// Its id.
    pub event_id: String,
    /// Its detail-type.
    pub detail_type: String,
    /// The function that consumed it.
    pub function: String,
    /// What it is about, for people.
    #[serde(skip)]
    pub story: String,
    /// What became of it.
    pub outcome: String,
    /// Why, in one word.
    pub reason: String,
    /// Why, as a sentence.
    pub message: String,
    /// Its steps, and how far each got.
    pub steps: Vec<Value>,
}

/// How one user stands.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct UserReport {
    /// The account's name.
    pub account: String,
    /// The account's type.
    #[serde(rename = "accountType")]
    pub account_type: String,
    /// The user's name.
    pub user: String,
    /// The user's address.
    pub email: String,
    /// `Registered`, `Unregistered` or `Suspended`.
    pub status: String,
    /// The licence, where there is one.
    pub licence: Option<String>,
    /// What became of the invitation, where there was one.
    pub invitation: Option<String>,
    /// Open sessions.
    pub sessions: u32,
}
