//! The plan: the steps that an event asks for, as stored before the first of them is sent, and what became of each.

use crate::decide::Reason;
use crate::directory::{Account, Licence, Operation, Registration, Sent, UserId};
use crate::person::WorkEmail;
use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The steps for one person. *Invariant*: nothing is sent to the directory that is not in a stored plan.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Plan {
    /// The account.
    pub account: Account,
    /// The user; `None` where there is none yet, and an invitation makes one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user: Option<UserId>,
    /// The address to invite. It comes with the event, and is not stored.
    #[serde(skip)]
    pub address: Option<WorkEmail>,
    /// The user id comes from a look-up of this attempt, not from memory.
    pub fresh: bool,
    /// The steps, in order.
    pub steps: Vec<Step>,
    /// What was there before, where it was looked up.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub before: Option<Before>,
    /// The licence to set once the person has registered.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub wish: Option<Licence>,
    /// It gives access: once it is done, nothing that was taken is left to be given back.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub gives_access: bool,
    /// An attempt at another event of the person, which may have removed the user, ended without a settle.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub follows_removal: bool,
    /// Why the event is done once its decisive step is confirmed.
    pub done: Reason,
}

/// What becomes of the licence that a person is to have as soon as it can be set.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Wish {
    /// It stays as it is.
    #[default]
    Keep,
    /// It is this one from now on.
    Set(Licence),
    /// It is fulfilled, or no longer wanted.
    Clear,
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
    /// Which licence to set.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub licence: Option<Licence>,
    /// How far it got.
    pub status: StepStatus,
    /// An earlier send may have taken effect as well.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub repeated: bool,
    /// This attempt sent it more than once, and an earlier send was not answered.
    #[serde(skip)]
    pub echoed: bool,
    /// The directory's error code, where it gave one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code: Option<String>,
    /// Each request that was sent for it, over all attempts: the first and the last three.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub sent: Vec<Sent>,
    /// When it was confirmed by what a look-up showed instead of by an answer, in milliseconds since 1970.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub read_back: Option<i64>,
}

/// The most requests of one step that are remembered: a record must stay small.
const KEPT: usize = 4;

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
        let status = StepStatus::Planned;
        Step {
            operation,
            decisive: true,
            licence: None,
            status,
            repeated: false,
            echoed: false,
            code: None,
            sent: Vec::new(),
            read_back: None,
        }
    }

    /// It sets what another event may set otherwise.
    fn sets_state(&self) -> bool {
        match self.operation {
            Operation::Suspend | Operation::Unsuspend | Operation::SetLicence => true,
            Operation::Invite | Operation::Remove | Operation::Logout | Operation::ResetPin => false,
        }
    }

    /// A step that sets a licence.
    #[must_use]
    pub fn licence(licence: Licence, decisive: bool) -> Step {
        Step { decisive, licence: Some(licence), ..Step::decisive(Operation::SetLicence) }
    }

    /// A step that is told and not taken: the account does not offer the licence.
    #[must_use]
    pub fn unsupported(licence: Licence) -> Step {
        Step { status: StepStatus::Refused, code: Some(UNSUPPORTED.to_owned()), ..Step::licence(licence, false) }
    }

    /// The account does not offer what it would set.
    #[must_use]
    pub fn is_unsupported(&self) -> bool {
        self.code.as_deref() == Some(UNSUPPORTED)
    }

    /// A step that helps.
    #[must_use]
    pub fn auxiliary(operation: Operation) -> Step {
        Step { decisive: false, ..Step::decisive(operation) }
    }

    /// Remembers the requests of a call that was made for it.
    pub(crate) fn note(&mut self, sent: &[Sent]) {
        for request in sent {
            if self.sent.len() == KEPT {
                self.sent.remove(1);
            }
            self.sent.push(request.clone());
        }
    }

    /// Confirms it by what a look-up showed.
    pub(crate) fn confirm_read_back(&mut self, now: Timestamp) {
        (self.status, self.read_back) = (StepStatus::Confirmed, Some(now.as_millisecond()));
    }

    /// Takes over what an earlier attempt knows of the same step.
    ///
    /// A state is set again whatever was known. A PIN that was reset stays reset, and an auxiliary logout has one try.
    pub(crate) fn resume(&mut self, prior: &Plan) {
        let Some(earlier) = prior.steps.iter().find(|step| step.operation == self.operation) else {
            return;
        };
        self.sent.clone_from(&earlier.sent);
        if !self.decisive && self.operation == Operation::Logout && earlier.status != StepStatus::Planned {
            *self = earlier.clone();
            return;
        }
        match (self.operation, earlier.status) {
            (Operation::ResetPin | Operation::Invite, StepStatus::Confirmed) => *self = earlier.clone(),
            (
                Operation::Unsuspend
                | Operation::SetLicence
                | Operation::Suspend
                | Operation::Remove
                | Operation::Logout,
                StepStatus::Confirmed,
            )
            | (
                Operation::Invite
                | Operation::Unsuspend
                | Operation::SetLicence
                | Operation::Suspend
                | Operation::Remove
                | Operation::Logout
                | Operation::ResetPin,
                StepStatus::Unknown,
            ) => {
                self.repeated = true;
                self.status = StepStatus::Unknown;
            }
            (
                Operation::Invite
                | Operation::Unsuspend
                | Operation::SetLicence
                | Operation::Suspend
                | Operation::Remove
                | Operation::Logout
                | Operation::ResetPin,
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
        let licence = self.before.as_ref().and_then(|before| before.licence.as_deref());
        let took = |step: &Step| match step.operation {
            Operation::Suspend => (!blocked).then_some(ActionClass::Access),
            Operation::Remove => Some(ActionClass::Access),
            // What comes with access that is given back restores, whatever it was.
            Operation::SetLicence => {
                let less = step.licence.is_some_and(|wanted| wanted.is_less_than(licence));
                (step.decisive && less).then_some(ActionClass::Licence)
            }
            Operation::Invite | Operation::Unsuspend | Operation::Logout | Operation::ResetPin => None,
        };
        self.steps.iter().find_map(took)
    }

    /// It takes what can be given back: signing out, and a licence, are no access.
    #[must_use]
    pub fn takes_access(&self) -> bool {
        self.steps.iter().any(|step| step.operation == Operation::Suspend || step.operation == Operation::Remove)
    }

    /// Its step of this kind.
    #[must_use]
    pub fn step(&self, operation: Operation) -> Option<&Step> {
        self.steps.iter().find(|step| step.operation == operation)
    }

    /// Something was sent that sets how the person stands, and whether it took effect is unknown.
    #[must_use]
    pub fn is_unresolved(&self) -> bool {
        let matters = |step: &Step| step.decisive || step.operation == Operation::SetLicence;
        self.steps.iter().any(|step| matters(step) && step.status == StepStatus::Unknown)
    }

    /// What was sent without an answer and then again: the first may still take effect after the second was answered, and
    /// would undo what another event does meanwhile. A removed user's id is dead, and signing out is harmless.
    #[must_use]
    pub fn may_echo(&self) -> bool {
        self.steps.iter().any(|step| step.sets_state() && step.repeated)
    }

    /// The same for what this attempt sent.
    #[must_use]
    pub fn echoes(&self) -> bool {
        self.steps.iter().any(|step| step.sets_state() && step.echoed)
    }

    /// The mail of its invitation could not be delivered.
    #[must_use]
    pub fn has_bounced(&self) -> bool {
        self.step(Operation::Invite).is_some_and(|step| step.code.as_deref() == Some(BOUNCED))
    }

    /// The same once somebody said yes to one more mail: what stood in its way is forgotten.
    #[must_use]
    pub fn mailing_again(mut self) -> Plan {
        for step in self.steps.iter_mut().filter(|step| step.operation == Operation::Invite) {
            step.repeated = false;
            if step.code.as_deref() == Some(BOUNCED) {
                (step.status, step.code) = (StepStatus::Planned, None);
            }
        }
        self
    }

    /// The same where nothing was sent since it was stored: a second mail is still to come.
    #[must_use]
    pub fn unsent(mut self) -> Plan {
        for step in self.steps.iter_mut().filter(|step| step.operation == Operation::Invite) {
            step.repeated = false;
        }
        self
    }

    /// An invitation was sent, and whether it took effect is unknown: time must pass before it can be read back.
    #[must_use]
    pub fn awaits_invitation(&self) -> bool {
        self.step(Operation::Invite).is_some_and(|step| step.status == StepStatus::Unknown)
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

    /// A removal was sent whose answer never came, for this event or for the one whose attempt it follows.
    #[must_use]
    pub fn removal_may_have_worked(&self) -> bool {
        let removal = self.steps.iter().find(|step| step.operation == Operation::Remove);
        removal.is_some_and(|step| step.status == StepStatus::Unknown || self.follows_removal)
    }
}

/// The code of a step whose licence the account does not offer.
const UNSUPPORTED: &str = "Unsupported";

/// The code of an invitation whose mail could not be delivered.
pub(crate) const BOUNCED: &str = "MailFailed";

/// The code of a step whose user was not there.
pub(crate) const NOT_FOUND: &str = "NotFound";
