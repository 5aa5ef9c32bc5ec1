//! invite-user: gives access to whom was hired. The policy's licence follows as soon as the person has registered.

use super::give::{self, Giving};
use super::{Case, Concluded, Decision, Known, Reason, conclude, licence, overruled};
use crate::directory::{AccountType, Found};
use crate::person::Access;

pub(super) fn decide(case: &Case<'_>) -> Decision {
    match (case.facts.access(case.now, case.policy.access_policy()), overruled(case.event, case.facts)) {
        (Access::Due(fact), _) => give::access(case, &giving(case), Some(fact)),
        (Access::NotDue(fact), _) => conclude(Concluded::Superseded, Reason::AccessNotDue, Some(fact)),
        (Access::AsIs, newer) => conclude(Concluded::Superseded, Reason::NewerAssertion, newer),
    }
}

/// Who joins a Team account gets the policy's licence, whether invited now or registered already. In the other accounts
/// people join by themselves: there only what was taken before is given back.
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
    let of_policy = licence::of_job(case).or_else(|| licence::by_default(case)).or(prior);
    let licence = if is_team { of_policy } else { prior };
    Giving { joining: licence, present: licence, invited: Reason::Invited }
}
