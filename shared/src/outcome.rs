//! The outcome of an event: what is stored, answered to duplicates, logged and counted.

use crate::decide::Reason;
use crate::directory::Operation;
use crate::failure::{Cause, Refusal, RefusalCode};
use crate::ledger::State;
use crate::person::FactId;
use crate::plan::{Plan, StepStatus};
use serde::{Deserialize, Serialize};
use std::fmt;

/// What became of an event, as the ledger keeps it (`data`).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Outcome {
    /// The state that it ended in.
    pub outcome: State,
    /// Why.
    pub reason: Why,
    /// The same, as a sentence. No personal data.
    pub message: String,
    /// The fact that decided.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub decided_by: Option<FactId>,
    /// What became of each step.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub steps: Vec<StepOutcome>,
}

/// Why an event is in its state: one word, from one of three vocabularies.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Why {
    /// A decision's reason.
    Decided(Reason),
    /// A refusal's code.
    Refused(RefusalCode),
    /// What stands in the way.
    Waiting(Cause),
}

/// What became of one step.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct StepOutcome {
    /// What was to be done.
    pub operation: Operation,
    /// How far it got.
    pub status: StepStatus,
    /// An earlier send may have taken effect as well.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub repeated: bool,
    /// The directory's error code.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code: Option<String>,
}

impl Outcome {
    /// The outcome of a decision.
    #[must_use]
    pub fn decided(outcome: State, reason: Reason, decided_by: Option<FactId>, plan: Option<&Plan>) -> Outcome {
        let message = reason.sentence().to_owned();
        Outcome { outcome, reason: Why::Decided(reason), message, decided_by, steps: steps(plan) }
    }

    /// The outcome of a refusal.
    #[must_use]
    pub fn parked(refusal: &Refusal, plan: Option<&Plan>) -> Outcome {
        let reason = Why::Refused(refusal.code);
        Outcome { outcome: State::Parked, reason, message: refusal.to_string(), decided_by: None, steps: steps(plan) }
    }

    /// The outcome of an attempt whose message comes again.
    #[must_use]
    pub fn again(cause: Cause, plan: Option<&Plan>) -> Outcome {
        let reason = Why::Waiting(cause);
        Outcome { outcome: State::Retry, reason, message: cause.to_string(), decided_by: None, steps: steps(plan) }
    }

    /// The outcome as the ledger stores it.
    #[must_use]
    pub fn to_json(&self) -> String {
        serde_json::to_string(self).unwrap_or_default()
    }
}

/// An outcome as the ledger keeps it, JSON of [`Outcome`]. It names facts in their senders' words: not for logs.
#[derive(Clone, PartialEq, Eq)]
pub struct StoredOutcome(String);

impl StoredOutcome {
    pub(crate) fn new(json: String) -> StoredOutcome {
        StoredOutcome(json)
    }

    /// The JSON.
    #[must_use]
    pub fn as_json(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for StoredOutcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("StoredOutcome(redacted)")
    }
}

impl Why {
    /// The reason of a decision.
    #[must_use]
    pub fn decided(self) -> Option<Reason> {
        match self {
            Why::Decided(reason) => Some(reason),
            Why::Refused(_) | Why::Waiting(_) => None,
        }
    }

    /// The word.
    #[must_use]
    pub fn word(self) -> String {
        serde_json::to_value(self).ok().and_then(|value| value.as_str().map(str::to_owned)).unwrap_or_default()
    }
}

fn steps(plan: Option<&Plan>) -> Vec<StepOutcome> {
    let steps = plan.map(|plan| plan.steps.as_slice()).unwrap_or_default();
    let outcome = |step: &crate::plan::Step| StepOutcome {
        operation: step.operation,
        status: step.status,
        repeated: step.repeated,
        code: step.code.clone(),
    };
    steps.iter().map(outcome).collect()
}
