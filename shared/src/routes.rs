//! Which function consumes which detail-type: one table, checked against `template.yaml` by a test.

use crate::event::{EventType, Kind, Phase};
use serde::{Deserialize, Serialize};

/// A function of Rollcall that consumes events.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Function {
    /// Takes access away, and until the other functions exist keeps the facts that bear on access.
    SuspendUser,
    /// Ends sessions after a compromise, at once.
    LogoutUser,
}

impl Function {
    /// Every function.
    pub const ALL: [Function; 2] = [Function::SuspendUser, Function::LogoutUser];

    /// The name of its folder, its package and the prefix of its ledger items.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Function::SuspendUser => "suspend-user",
            Function::LogoutUser => "logout-user",
        }
    }

    /// Whether its events have no order: each acts at once, and claims its own record alone. No fact, no lease, no budget.
    #[must_use]
    pub fn never_waits(self) -> bool {
        match self {
            Function::SuspendUser => false,
            Function::LogoutUser => true,
        }
    }
}

/// The one consumer of an event type; `None` goes to the queue `unrouted`.
///
/// Facts decide what is due, so each fact that bears on access needs a consumer that keeps it: a termination that was
/// rescinded must not bite. While suspend-user stands alone, it keeps them all.
#[must_use]
pub fn consumer(event_type: EventType) -> Option<Function> {
    match (event_type.kind(), event_type.phase()) {
        (
            Kind::Hire | Kind::Termination | Kind::Rehire | Kind::Leave | Kind::Return,
            Phase::Scheduled | Phase::Effective | Phase::Rescinded,
        )
        | (Kind::AccountStatus, Phase::Effective) => Some(Function::SuspendUser),
        (Kind::CredentialCompromise, Phase::Detected) => Some(Function::LogoutUser),
        (
            Kind::Hire
            | Kind::Termination
            | Kind::Rehire
            | Kind::JobChange
            | Kind::Leave
            | Kind::Return
            | Kind::IdentityChange
            | Kind::AccountStatus
            | Kind::CredentialCompromise
            | Kind::Unclassified
            | Kind::LicenseReclaim
            | Kind::AccessRemoval,
            Phase::Scheduled
            | Phase::Effective
            | Phase::Rescinded
            | Phase::Unknown
            | Phase::Detected
            | Phase::Requested,
        ) => None,
    }
}
