//! The plan: the steps that an event asks for, as stored before the first of them is sent, and what became of each.

use crate::decide::Reason;
use crate::directory::{Account, Operation, Registration, UserId};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The steps for one user. *Invariant*: nothing is sent to the directory that is not in a stored plan.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Plan {
    /// The account.
    pub account: Account,
    /// The user.
    pub user: UserId,
    /// The user id comes from a look-up of this attempt, not from memory.
    pub fresh: bool,
    /// The steps, in order.
    pub steps: Vec<Step>,
    /// What was there before, where it was looked up.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub before: Option<Before>,
    /// Why the event is done once its decisive step is confirmed.
    pub done: Reason,
}

/// What kind of change a plan makes, where it takes something away: each class has a brake of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ActionClass {
    /// Access: suspensions and removals.
    Access,
    /// Licences: downgrades.
    Licence,
}

impl ActionClass {
    /// Every class.
    pub const ALL: [ActionClass; 2] = [ActionClass::Access, ActionClass::Licence];

    /// The name in keys, commands and logs.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            ActionClass::Access => "access",
            ActionClass::Licence => "licence",
        }
    }
}

/// The user as it was before the plan.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Before {
    /// Whether it could sign in.
    pub registration: Registration,
    /// Its licence.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub licence: Option<String>,
}

/// One step of a plan.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Step {
    /// What to do.
    pub operation: Operation,
    /// The event is done when the decisive step is confirmed. An auxiliary step never stops it.
    pub decisive: bool,
    /// How far it got.
    pub status: StepStatus,
    /// An earlier send may have taken effect as well.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub repeated: bool,
    /// The directory's error code, where it gave one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code: Option<String>,
}

/// How far a step got.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StepStatus {
    /// Not sent, as far as is known.
    Planned,
    /// HTTP success and no error entry for the user, or read back.
    Confirmed,
    /// The directory said no, or had no time for an auxiliary step.
    Refused,
    /// Sent, and whether it took effect is unknown.
    Unknown,
}

impl StepStatus {
    /// The name in tables and logs.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            StepStatus::Planned => "planned",
            StepStatus::Confirmed => "confirmed",
            StepStatus::Refused => "refused",
            StepStatus::Unknown => "unknown",
        }
    }
}

impl Step {
    /// A step without which the event is not done.
    #[must_use]
    pub fn decisive(operation: Operation) -> Step {
        Step { operation, decisive: true, status: StepStatus::Planned, repeated: false, code: None }
    }

    /// A step that helps.
    #[must_use]
    pub fn auxiliary(operation: Operation) -> Step {
        Step { decisive: false, ..Step::decisive(operation) }
    }

    /// Takes over what an earlier attempt knows of the same step.
    ///
    /// A state is set again whatever was known. A PIN that was reset stays reset, and an auxiliary logout has one try.
    pub(crate) fn resume(&mut self, prior: &Plan) {
        let Some(earlier) = prior.steps.iter().find(|step| step.operation == self.operation) else {
            return;
        };
        if !self.decisive && self.operation == Operation::Logout && earlier.status != StepStatus::Planned {
            *self = earlier.clone();
            return;
        }
        match (self.operation, earlier.status) {
            (Operation::ResetPin, StepStatus::Confirmed) => *self = earlier.clone(),
            (Operation::Suspend | Operation::Remove | Operation::Logout, StepStatus::Confirmed)
            | (Operation::Suspend | Operation::Remove | Operation::Logout | Operation::ResetPin, StepStatus::Unknown) =>
            {
                self.repeated = true;
                self.status = StepStatus::Unknown;
            }
            (
                Operation::Suspend | Operation::Remove | Operation::Logout | Operation::ResetPin,
                StepStatus::Planned | StepStatus::Refused,
            ) => {}
        }
    }
}

impl Plan {
    /// The plan of a worker that never settled: what it planned, it may have sent.
    #[must_use]
    pub fn abandoned(mut self) -> Plan {
        // Signing out once more is harmless, so an auxiliary logout keeps its one try.
        let spared = |step: &Step| !step.decisive && step.operation == Operation::Logout;
        for step in self.steps.iter_mut().filter(|step| step.status == StepStatus::Planned && !spared(step)) {
            step.status = StepStatus::Unknown;
        }
        self
    }

    /// What it takes away from somebody who, as far as is known, has it. Signing out takes nothing.
    #[must_use]
    pub fn takes(&self) -> Option<ActionClass> {
        let blocked = self.before.as_ref().is_some_and(|before| before.registration == Registration::Suspended);
        let took = |step: &Step| match step.operation {
            Operation::Suspend => !blocked,
            Operation::Remove => true,
            Operation::Logout | Operation::ResetPin => false,
        };
        self.steps.iter().any(took).then_some(ActionClass::Access)
    }

    /// A decisive step was sent, and whether it took effect is unknown.
    #[must_use]
    pub fn is_unresolved(&self) -> bool {
        self.steps.iter().any(|step| step.decisive && step.status == StepStatus::Unknown)
    }

    /// Something of it may have been sent.
    #[must_use]
    pub fn has_begun(&self) -> bool {
        self.steps.iter().any(|step| step.status != StepStatus::Planned)
    }

    /// A removal of this plan may have taken effect in an earlier attempt: then the user is not found any more.
    #[must_use]
    pub fn resumes_removal(&self) -> bool {
        self.steps.iter().any(|step| step.operation == Operation::Remove && step.repeated)
    }

    /// A removal was sent whose answer never came.
    #[must_use]
    pub fn removal_may_have_worked(&self) -> bool {
        self.steps.iter().any(|step| step.operation == Operation::Remove && step.status == StepStatus::Unknown)
    }
}

/// The code of a step whose user was not there.
pub(crate) const NOT_FOUND: &str = "NotFound";
