//! reinstate-user: gives back what was taken, exactly, to whom access is due again.

use super::give::{self, Giving};
use super::{Case, Concluded, Decision, Reason, conclude, licence, overruled};
use crate::event::{Kind, LoginStatus, Phase, WorkerEvent};
use crate::person::Access;

pub(super) fn decide(case: &Case<'_>) -> Decision {
    let event = case.event;
    if !gives_access(event) {
        return conclude(Concluded::Unchanged, Reason::FactRecorded, None);
    }
    // Where no fact says that access is due, it is as it was before: what was taken is given back all the same.
    let taken = case.taken.is_some() || case.takeover || case.prior.is_some_and(|prior| prior.gives_access);
    match (case.facts.access(case.now, case.policy.access_policy()), overruled(event, case.facts)) {
        (Access::Due(fact), _) => give::access(case, &giving(case), Some(fact)),
        (Access::AsIs, _) if taken => give::access(case, &giving(case), None),
        (Access::NotDue(fact), _) => conclude(Concluded::Superseded, Reason::AccessNotDue, Some(fact)),
        // Nothing is to be given back but the licence that waits for somebody who has registered by now.
        (Access::AsIs, newer) if case.wish.is_some() => give::licence(case, &giving(case), newer),
        (Access::AsIs, Some(newer)) => conclude(Concluded::Superseded, Reason::NewerAssertion, Some(newer)),
        (Access::AsIs, None) => conclude(Concluded::Unchanged, Reason::NothingTaken, None),
    }
}

/// The licence of before. Who had none that is known gets the policy's when invited.
fn giving(case: &Case<'_>) -> Giving {
    let prior = licence::prior(case);
    let invited = if case.taken.is_some() { Reason::Reinvited } else { Reason::Invited };
    Giving { licence: prior.or_else(|| licence::of_policy(case)), relicenses: prior.is_some(), invited }
}

/// Whether an event is about access that may be due again.
fn gives_access(event: &WorkerEvent) -> bool {
    match (event.event_type.kind(), event.event_type.phase()) {
        (Kind::Rehire | Kind::Return, Phase::Effective) | (Kind::Termination | Kind::Leave, Phase::Rescinded) => true,
        (Kind::AccountStatus, Phase::Effective) => match event.login {
            Some(LoginStatus::Active | LoginStatus::Pending) => true,
            Some(
                LoginStatus::OnLeave
                | LoginStatus::Suspended
                | LoginStatus::Deactivated
                | LoginStatus::Terminated
                | LoginStatus::Deleted
                | LoginStatus::Unknown,
            )
            | None => false,
        },
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
        ) => false,
    }
}
