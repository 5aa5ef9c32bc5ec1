//! Faults on command: each is armed for an operation, and strikes so many times.

use super::routes::Operation;
use serde::{Deserialize, Serialize};

/// A fault to come.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Fault {
    /// The operation that it strikes.
    pub operation: Operation,
    /// What it does.
    pub kind: FaultKind,
    /// How many calls pass before it strikes.
    #[serde(default)]
    pub after: u32,
    /// How many calls it strikes.
    #[serde(default = "once")]
    pub times: u32,
}

/// What a fault does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FaultKind {
    /// 429 `ThrottledClientException`; nothing is done.
    Throttle,
    /// Each user of a batch gets an entry `Throttled` inside HTTP 200; nothing is done.
    ThrottleUsers,
    /// 500 `ServiceFailureException`; nothing is done.
    ServiceFailure,
    /// 503 `ServiceUnavailableException`; nothing is done.
    ServiceUnavailable,
    /// 403 `ForbiddenException`; nothing is done.
    Forbidden,
    /// The connection is cut before anything is done.
    CutBefore,
    /// It takes effect, and then the connection is cut.
    LostAnswer,
}

fn once() -> u32 {
    1
}

/// The faults that are armed, in the order they were.
#[derive(Clone, Debug, Default)]
pub struct Faults(Vec<Fault>);

impl Faults {
    /// Arms a fault.
    pub fn arm(&mut self, fault: Fault) {
        self.0.push(fault);
    }

    /// The fault that strikes this call, if one does. Counts the call.
    pub fn strike(&mut self, operation: Operation) -> Option<FaultKind> {
        let fault = self.0.iter_mut().find(|fault| fault.operation == operation && fault.times > 0)?;
        if fault.after > 0 {
            fault.after -= 1;
            return None;
        }
        fault.times -= 1;
        let kind = fault.kind;
        self.0.retain(|fault| fault.times > 0);
        Some(kind)
    }

    /// The faults that did not strike yet.
    #[must_use]
    pub fn armed(&self) -> &[Fault] {
        &self.0
    }
}
