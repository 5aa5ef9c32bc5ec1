//! The call log: what was asked, of which users, and how it ended. No addresses.

use super::routes::Operation;
use serde::Serialize;

/// One call.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Call {
    /// Counts from 1.
    pub number: u64,
    /// The operation; `null` for a request that is none.
    pub operation: Option<Operation>,
    /// The account of the path.
    pub account: Option<String>,
    /// The users of path or body, by id.
    pub users: Vec<String>,
    /// The access key that signed it.
    pub access_key: Option<String>,
    /// How it ended.
    pub outcome: CallOutcome,
}

/// How a call ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct CallOutcome {
    /// The HTTP status; `null` where the connection was cut.
    pub status: Option<u16>,
    /// The exception.
    pub error: Option<&'static str>,
    /// How many entries `UserErrors` had.
    pub user_errors: usize,
    /// It took effect.
    pub took_effect: bool,
}
