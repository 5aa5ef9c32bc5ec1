//! What the audit asked for lately, so that it does not ask again.

use super::finding::Action;
use crate::runs::{Keyed, RunInfo};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use std::fmt;

/// The object that says where the history is.
pub(super) const HISTORY_KEY: &str = "audits/history.json";

/// The history in force.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct History {
    /// The digest of the plan that it was written for last.
    pub(super) plan: String,
    /// Its rows.
    pub(super) runs: Vec<RunInfo>,
}

/// Something that was asked for.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Asked {
    /// The address.
    pub email: String,
    /// The account.
    pub account: String,
    /// The user.
    pub user: String,
    /// What.
    pub action: Action,
    /// When.
    pub at: Timestamp,
}

/// It names a person.
impl fmt::Debug for Asked {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Asked").field("action", &self.action).field("at", &self.at).finish_non_exhaustive()
    }
}

impl Keyed for Asked {
    fn key(&self) -> &str {
        &self.email
    }
}
