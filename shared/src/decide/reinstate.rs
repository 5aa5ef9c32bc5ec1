//! reinstate-user: gives back what was taken, exactly, to whom access is due again.

use super::give::{self, Giving};
use super::{Case, Concluded, Decision, Reason, conclude, licence, overruled};
use crate::directory::Licence;
use crate::person::Access;

pub(super) fn decide(case: &Case<'_>) -> Decision {
    let event = case.event;
    // Whatever else is routed here is about access that may be due again.
    // Where no fact says that access is due, it is as it was before: what was taken is given back all the same.
    let taken = case.taken.is_some() || case.suspension_died || case.prior.is_some_and(|prior| prior.gives_access);
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

/// The licence of before, for who is there as for who is invited. Who had none that is known gets the policy's with an
/// invitation; whoever is there keeps theirs.
fn giving(case: &Case<'_>) -> Giving {
    let prior = licence::prior(case);
    // A removal that nobody wrote down left what was last known of the licence.
    let last = || case.last_licence.filter(|_| case.suspension_died).and_then(Licence::named);
    let joining = prior.or_else(last).or_else(|| licence::of_job(case)).or_else(|| licence::by_default(case));
    let invited = if case.taken.is_some() { Reason::Reinvited } else { Reason::Invited };
    Giving { joining, present: prior, invited }
}
