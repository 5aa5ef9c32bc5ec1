//! Which function consumes which event: one table, checked against `template.yaml` by a test.

use crate::event::{EventType, Kind, LoginStatus, Phase};
use serde::{Deserialize, Serialize};

/// A function of Rollcall that consumes events.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Function {
    /// Invites who was hired.
    InviteUser,
    /// Takes access away from whom it is not due.
    SuspendUser,
    /// Gives access back to whom it is due again.
    ReinstateUser,
    /// Ends sessions after a compromise, at once.
    LogoutUser,
    /// Sets the licence that the policy gives to a job.
    RelicenseUser,
    /// Keeps what is announced until it is due, and makes worker events of what HR and identity systems send.
    HrIntake,
}

impl Function {
    /// Every function.
    pub const ALL: [Function; 6] = [
        Function::InviteUser,
        Function::SuspendUser,
        Function::ReinstateUser,
        Function::LogoutUser,
        Function::RelicenseUser,
        Function::HrIntake,
    ];

    /// The name of its folder, its package and the prefix of its ledger items.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Function::InviteUser => "invite-user",
            Function::SuspendUser => "suspend-user",
            Function::ReinstateUser => "reinstate-user",
            Function::LogoutUser => "logout-user",
            Function::RelicenseUser => "relicense-user",
            Function::HrIntake => "hr-intake",
        }
    }

    /// Whether it looks people up though their user is remembered: to give access is not urgent, and what is there already
    /// decides.
    #[must_use]
    pub fn looks_up(self) -> bool {
        match self {
            Function::InviteUser | Function::ReinstateUser => true,
            Function::SuspendUser | Function::LogoutUser | Function::RelicenseUser | Function::HrIntake => false,
        }
    }

    /// Whether its events have no order: each acts at once, and claims its own record alone. No fact, no lease, no budget.
    #[must_use]
    pub fn never_waits(self) -> bool {
        match self {
            Function::LogoutUser => true,
            Function::InviteUser
            | Function::SuspendUser
            | Function::ReinstateUser
            | Function::RelicenseUser
            | Function::HrIntake => false,
        }
    }
}

/// The one consumer of an event; `None` goes to the queue `unrouted`.
///
/// A login's status after the event decides who consumes `account.status.effective`: switched on, access may be due
/// again; else it may have to go.
///
/// Whatever is announced is for hr-intake, which publishes it again when it is due. An address that changed is tied to its
/// person by suspend-user, because the user may have to be looked up by the address of before, and hr-intake has no rights
/// in the directory.
#[must_use]
pub fn consumer(event_type: EventType, login: Option<LoginStatus>) -> Option<Function> {
    match (event_type.kind(), event_type.phase()) {
        (
            Kind::Hire
            | Kind::Termination
            | Kind::Rehire
            | Kind::JobChange
            | Kind::Leave
            | Kind::Return
            | Kind::IdentityChange,
            Phase::Scheduled,
        ) => Some(Function::HrIntake),
        (Kind::Hire, Phase::Effective) => Some(Function::InviteUser),
        (Kind::Termination | Kind::Leave, Phase::Effective)
        | (Kind::Hire | Kind::Rehire | Kind::Return, Phase::Rescinded)
        | (Kind::IdentityChange, Phase::Effective | Phase::Rescinded)
        | (Kind::AccessRemoval, Phase::Requested) => Some(Function::SuspendUser),
        (Kind::Rehire | Kind::Return, Phase::Effective) | (Kind::Termination | Kind::Leave, Phase::Rescinded) => {
            Some(Function::ReinstateUser)
        }
        (Kind::AccountStatus, Phase::Effective) => Some(match login {
            Some(LoginStatus::Active | LoginStatus::Pending) => Function::ReinstateUser,
            Some(
                LoginStatus::OnLeave
                | LoginStatus::Suspended
                | LoginStatus::Deactivated
                | LoginStatus::Terminated
                | LoginStatus::Deleted
                | LoginStatus::Unknown,
            )
            | None => Function::SuspendUser,
        }),
        (Kind::CredentialCompromise, Phase::Detected) => Some(Function::LogoutUser),
        (Kind::JobChange, Phase::Effective | Phase::Rescinded) | (Kind::LicenseReclaim, Phase::Requested) => {
            Some(Function::RelicenseUser)
        }
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
