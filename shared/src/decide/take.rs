//! suspend-user: takes access away from whom it is not due.

use super::{
    Case, Concluded, Conclusion, Decision, Known, Reason, carry_out, conclude, guarded, lacks_facts, overruled,
    several_accounts, unknown_account,
};
use crate::directory::{Account, AccountType, Found, Operation, Registration, UserId};
use crate::event::{Kind, Phase};
use crate::person::{Access, FactId};
use crate::plan::{ActionClass, Before, Plan, Step};

pub(super) fn decide(case: &Case<'_>) -> Decision {
    let event = case.event;
    if event.event_type.kind() == Kind::IdentityChange {
        // The directory keeps the address of before, and this is the last that anybody tells of it.
        let last_chance = event.event_type.phase() == Phase::Effective && event.subject.former_email.is_some();
        return match case.known {
            Known::NotYet | Known::NoAddress if last_chance && case.may_look_up => Decision::LookUp,
            Known::NotYet | Known::NoAddress | Known::Remembered { .. } | Known::Found(_) => {
                conclude(Concluded::Unchanged, Reason::IdentityRecorded, None)
            }
        };
    }
    if lacks_facts(event) {
        return Decision::Hold(Reason::MissingFacts);
    }
    // What is due decides. Whether the event's own assertion still stands only tells why nothing is.
    let newer = overruled(event, case.facts);
    match (case.facts.access(case.now, case.policy.access_policy()), newer) {
        (Access::NotDue(fact), _) => take_access(case, fact),
        (Access::Due(_) | Access::AsIs, Some(newer)) => {
            conclude(Concluded::Superseded, Reason::NewerAssertion, Some(newer))
        }
        (Access::Due(fact), None) => conclude(Concluded::Superseded, Reason::AccessDue, Some(fact)),
        // The audit's request asserts no fact. Where no fact says, its evidence suffices.
        (Access::AsIs, None) if event.event_type.kind() == Kind::AccessRemoval => take_access(case, event.fact.clone()),
        (Access::AsIs, None) => conclude(Concluded::Unchanged, Reason::NothingDue, None),
    }
}

fn take_access(case: &Case<'_>, fact: FactId) -> Decision {
    if let Some(held) = guarded(case) {
        return held;
    }
    match case.known {
        Known::NotYet => Decision::LookUp,
        // A planned removal that was sent and is not found took effect; nothing else may be called absent unseen.
        Known::NoAddress if case.prior.is_some_and(Plan::removal_may_have_worked) => nobody(case, fact),
        Known::NoAddress => Decision::Hold(Reason::NoAddress),
        // Seen before it had registered: what is taken must be known exactly.
        Known::Remembered { account, licence: None, .. } if keeps_licence(account) && !saw_licence(case) => {
            Decision::LookUp
        }
        Known::Remembered { account, user, licence, .. } => {
            let before = licence
                .map(|licence| Before { registration: Registration::Unknown, licence: Some(licence.to_owned()) });
            carry_out(case, Some(ActionClass::Access), plan(case, account, user, false, before))
        }
        Known::Found(Found::Nobody { .. }) => nobody(case, fact),
        Known::Found(Found::SomebodyElses) => Decision::Hold(Reason::AddressReused),
        Known::Found(Found::SeveralAccounts) => several_accounts(),
        Known::Found(Found::UnknownAccount) => unknown_account(),
        Known::Found(Found::Somebody { account, user }) => {
            let blocked = account.kind == AccountType::EnterpriseLwa && user.registration == Registration::Suspended;
            // After a takeover the wished state is sent again, never inferred from a look-up.
            if blocked && !case.takeover && case.prior.is_none() {
                return conclude(Concluded::Unchanged, Reason::AlreadySuspended, Some(fact));
            }
            let before = Before { registration: user.registration, licence: user.licence.clone() };
            carry_out(case, Some(ActionClass::Access), plan(case, account, &user.id, true, Some(before)))
        }
    }
}

/// Whether a user's licence is Rollcall's to give back. In the other accounts the company's directory gives it.
fn keeps_licence(account: &Account) -> bool {
    match account.kind {
        AccountType::Team | AccountType::EnterpriseLwa => true,
        AccountType::EnterpriseDirectory | AccountType::EnterpriseOidc => false,
    }
}

/// Whether an earlier attempt at the event saw a licence: that is the one that is taken.
fn saw_licence(case: &Case<'_>) -> bool {
    case.prior.and_then(|prior| prior.before.as_ref()).is_some_and(|before| before.licence.is_some())
}

/// Nobody is there: either an earlier attempt's removal took effect, or there never was anybody.
fn nobody(case: &Case<'_>, fact: FactId) -> Decision {
    let Some(prior) = case.prior.filter(|prior| prior.removal_may_have_worked()) else {
        if case.renamed && case.released != Some(Reason::FormerAddress) {
            return Decision::Hold(Reason::FormerAddress);
        }
        return conclude(Concluded::Unchanged, Reason::UserNotFound, Some(fact));
    };
    let mut confirmed = prior.clone();
    for step in confirmed.steps.iter_mut().filter(|step| step.operation == Operation::Remove) {
        step.confirm_read_back(case.now);
    }
    let removed = Conclusion::new(Concluded::Applied, Reason::RemovedFromTeam, Some(fact));
    Decision::Conclude(Conclusion { confirmed: Some(confirmed), ..removed })
}

/// The steps that take access away, by account type, in order.
fn plan(case: &Case<'_>, account: &Account, user: &UserId, fresh: bool, before: Option<Before>) -> Plan {
    let pin = case.policy.pin_reset.applies(case.event.reason).then(|| Step::auxiliary(Operation::ResetPin));
    let mut steps: Vec<Step> = match account.kind {
        // Suspending signs out by itself.
        AccountType::EnterpriseLwa => [Some(Step::decisive(Operation::Suspend)), pin].into_iter().flatten().collect(),
        // A removed user cannot be signed out any more, so that comes first.
        AccountType::Team => [Some(Step::auxiliary(Operation::Logout)), pin, Some(Step::decisive(Operation::Remove))]
            .into_iter()
            .flatten()
            .collect(),
        AccountType::EnterpriseDirectory | AccountType::EnterpriseOidc => {
            [Some(Step::decisive(Operation::Logout)), pin].into_iter().flatten().collect()
        }
    };
    let prior = case.prior.filter(|prior| prior.user.as_ref() == Some(user));
    if let Some(prior) = prior {
        steps.iter_mut().for_each(|step| step.resume(prior));
    }
    let earlier = prior.and_then(|prior| prior.before.clone());
    Plan {
        account: account.clone(),
        user: Some(user.clone()),
        address: None,
        fresh,
        steps,
        // What an earlier attempt found is older, and nearer to how it was. Who had no licence then may have registered.
        before: if saw_licence(case) { earlier.or(before) } else { before.or(earlier) },
        wish: None,
        gives_access: false,
        follows_removal: case.suspension_died || prior.is_some_and(|prior| prior.follows_removal),
        done: match account.kind {
            AccountType::Team => Reason::RemovedFromTeam,
            AccountType::EnterpriseLwa => Reason::Suspended,
            AccountType::EnterpriseDirectory | AccountType::EnterpriseOidc => Reason::DirectoryManaged,
        },
    }
}
