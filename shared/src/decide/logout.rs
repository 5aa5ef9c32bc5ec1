//! logout-user: a credential is in foreign hands. Each such event acts, whatever else is known of the person.

use super::{Case, Concluded, Decision, Known, Reason, carry_out, conclude, several_accounts, unknown_account};
use crate::directory::{Account, Found, Operation, UserId};
use crate::failure::{Refusal, RefusalCode};
use crate::plan::{Plan, Step};
use jiff::SignedDuration;

/// How old a compromise may be: older ones were dealt with long ago, or a queue was replayed.
const OLDEST: SignedDuration = SignedDuration::from_hours(7 * 24);

pub(super) fn decide(case: &Case<'_>) -> Decision {
    if case.now.duration_since(case.event.occurred_at) > OLDEST {
        let message = "is more than 7 days ago; publish a new event if the credential is still in foreign hands";
        return Decision::Park(Refusal::new(RefusalCode::TooOld, "detail.occurredAt", message));
    }
    match case.known {
        Known::NotYet => Decision::LookUp,
        Known::NoAddress => Decision::Hold(Reason::NoAddress),
        Known::Remembered { account, user, .. } => sign_out(case, account, user, false),
        Known::Found(Found::Nobody { .. }) => conclude(Concluded::Unchanged, Reason::UserNotFound, None),
        Known::Found(Found::SomebodyElses) => Decision::Hold(Reason::AddressReused),
        Known::Found(Found::SeveralAccounts) => several_accounts(),
        Known::Found(Found::UnknownAccount) => unknown_account(),
        Known::Found(Found::Somebody { account, user }) => sign_out(case, account, &user.id, true),
    }
}

fn sign_out(case: &Case<'_>, account: &Account, user: &UserId, fresh: bool) -> Decision {
    let mut steps = vec![Step::decisive(Operation::Logout), Step::auxiliary(Operation::ResetPin)];
    if let Some(prior) = case.prior.filter(|prior| prior.user.as_ref() == Some(user)) {
        steps.iter_mut().for_each(|step| step.resume(prior));
    }
    let plan = Plan {
        account: account.clone(),
        user: Some(user.clone()),
        address: None,
        fresh,
        steps,
        before: None,
        wish: None,
        gives_access: false,
        follows_removal: false,
        done: Reason::SignedOut,
    };
    carry_out(case, None, plan)
}
