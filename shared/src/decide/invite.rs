//! invite-user: gives access to whom was hired. The policy's licence follows as soon as the person has registered.

use super::give::{self, Giving};
use super::{Case, Concluded, Decision, Known, Reason, conclude, licence, overruled};
use crate::directory::{AccountType, Found};
use crate::event::Phase;
use crate::person::Access;

pub(super) fn decide(case: &Case<'_>) -> Decision {
    if case.event.event_type.phase() == Phase::Scheduled {
        return conclude(Concluded::Unchanged, Reason::FactRecorded, None);
    }
    match (case.facts.access(case.now, case.policy.access_policy()), overruled(case.event, case.facts)) {
        (Access::Due(fact), _) => give::access(case, &giving(case), Some(fact)),
        (Access::NotDue(fact), _) => conclude(Concluded::Superseded, Reason::AccessNotDue, Some(fact)),
        (Access::AsIs, newer) => conclude(Concluded::Superseded, Reason::NewerAssertion, newer),
    }
}

/// Who joins a Team account gets the policy's licence. In the other accounts people join by themselves: there only what
/// was taken before is given back.
fn giving(case: &Case<'_>) -> Giving {
    let prior = licence::prior(case);
    let account = match case.known {
        Known::Remembered { account, .. } => Some(account),
        Known::Found(Found::Somebody { account, .. } | Found::Nobody { account: Some(account) }) => Some(account),
        Known::Found(
            Found::Nobody { account: None } | Found::SeveralAccounts | Found::UnknownAccount | Found::SomebodyElses,
        )
        | Known::NoAddress
        | Known::NotYet => None,
    };
    let is_team = account.is_some_and(|account| account.kind == AccountType::Team);
    let by_policy = licence::of_policy(case).filter(|_| is_team);
    Giving { licence: by_policy.or(prior), relicenses: is_team || prior.is_some(), invited: Reason::Invited }
}
