//! The call log: what was asked, of which users, and how it ended. No addresses.

use super::http::{Reply, Response};
use super::routes::{Operation, Routed};
use super::state::Moment;
use serde::Serialize;
use std::collections::BTreeMap;

/// How many calls are kept; twice as many are held before the oldest go.
const KEPT: usize = 50_000;

/// What stands in the log for an id that may be an address. The service's audit log uses these words.
const HIDDEN: &str = "HIDDEN_DUE_TO_SECURITY_REASONS";

/// One call.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Call {
    /// Counts from 1.
    pub number: u64,
    /// When it came, by the service's clock.
    pub at: Moment,
    /// The operation; `null` for a request that is none.
    pub operation: Option<Operation>,
    /// The account of the path.
    pub account: Option<String>,
    /// The users of path or body, by id.
    pub users: Vec<String>,
    /// The access key that signed it.
    pub access_key: Option<String>,
    /// Under which id it was answered (`x-amzn-requestid`); `null` where nobody gave it one.
    pub request_id: Option<String>,
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

impl CallOutcome {
    /// The outcome of a reply.
    #[must_use]
    pub fn of(reply: &Reply, took_effect: bool) -> CallOutcome {
        let answered = |response: &Response| CallOutcome {
            status: Some(response.status),
            error: response.error_type,
            user_errors: response.body.as_ref().and_then(|body| body["UserErrors"].as_array()).map_or(0, Vec::len),
            took_effect,
        };
        match reply {
            Reply::Cut => CallOutcome { status: None, error: None, user_errors: 0, took_effect },
            Reply::Answer(response) | Reply::Late(_, response) => answered(response),
        }
    }
}

/// How often an operation was asked for, and how it went.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Counter {
    /// All calls.
    pub calls: u64,
    /// Those that answered with success.
    pub succeeded: u64,
    /// Those that answered with an exception.
    pub refused: u64,
    /// Those whose connection was cut.
    pub cut: u64,
    /// Entries of `UserErrors`, together.
    pub user_errors: u64,
}

/// The calls so far, and their counters.
#[derive(Clone, Debug, Default)]
pub struct CallLog {
    calls: Vec<Call>,
    number: u64,
    counters: BTreeMap<Operation, Counter>,
}

impl CallLog {
    /// Notes a call.
    pub fn note(
        &mut self,
        at: Moment,
        routed: Option<&Routed>,
        users: Vec<String>,
        access_key: Option<String>,
        outcome: CallOutcome,
    ) {
        self.number += 1;
        if let Some(routed) = routed {
            let counter = self.counters.entry(routed.operation).or_default();
            counter.calls += 1;
            counter.user_errors += outcome.user_errors as u64;
            match outcome.status {
                None => counter.cut += 1,
                Some(..400) => counter.succeeded += 1,
                Some(400..) => counter.refused += 1,
            }
        }
        if self.calls.len() >= 2 * KEPT {
            self.calls.drain(..KEPT);
        }
        self.calls.push(Call {
            number: self.number,
            at,
            operation: routed.map(|routed| routed.operation),
            account: routed.and_then(|routed| routed.account.clone()).map(without_address),
            users: users.into_iter().map(without_address).collect(),
            access_key: access_key.map(without_address),
            request_id: None,
            outcome,
        });
    }

    /// Notes the id under which the last call is answered.
    pub fn name_last(&mut self, request_id: &str) {
        if let Some(call) = self.calls.last_mut() {
            call.request_id = Some(request_id.to_owned());
        }
    }

    /// The calls so far, the oldest first.
    #[must_use]
    pub fn calls(&self) -> &[Call] {
        &self.calls
    }

    /// Forgets the calls.
    pub fn forget(&mut self) {
        self.calls.clear();
        self.number = 0;
    }

    /// The counters, by operation.
    #[must_use]
    pub fn counters(&self) -> &BTreeMap<Operation, Counter> {
        &self.counters
    }

    /// Sets the counters to nothing, and says what they were.
    pub fn reset_counters(&mut self) -> BTreeMap<Operation, Counter> {
        std::mem::take(&mut self.counters)
    }
}

/// A client can put anything where an id belongs, an address too.
fn without_address(id: String) -> String {
    if id.contains('@') { HIDDEN.to_owned() } else { id }
}
