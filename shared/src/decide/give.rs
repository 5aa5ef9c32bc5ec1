//! What invite-user and reinstate-user share: giving access to whom it is due, by account type, with a licence.

use super::{
    Case, Concluded, Conclusion, Decision, Known, Reason, account_suspended, carry_out, conclude, guarded, no_account,
    several_accounts, unknown_account,
};
use crate::directory::{Account, AccountType, Found, Invitation, Licence, Operation, Registration, User, UserId};
use crate::person::FactId;
use crate::plan::{ActionClass, Before, Plan, Step, StepStatus, Wish};
use crate::routes::Function;
use jiff::Timestamp;

/// How access is given.
pub(super) struct Giving {
    /// The licence of whoever is invited, to be set after registering.
    pub(super) joining: Option<Licence>,
    /// The licence of whoever is there already, blocked or not. `None`: as the directory has it.
    pub(super) present: Option<Licence>,
    /// Why an invitation is sent.
    pub(super) invited: Reason,
}

/// Gives access, or says why nothing is to be done for that.
pub(super) fn access(case: &Case<'_>, giving: &Giving, fact: Option<FactId>) -> Decision {
    match case.known {
        Known::NotYet => Decision::LookUp,
        Known::NoAddress => Decision::Hold(Reason::NoAddress),
        Known::Remembered { account, user, .. } => match account.kind {
            AccountType::EnterpriseDirectory | AccountType::EnterpriseOidc => managed(fact),
            // Blocked by us, or perhaps by an attempt that died: the wished state is set, whatever a look-up shows.
            AccountType::EnterpriseLwa if case.taken.is_some() || case.takeover => {
                unsuspend(case, giving, account, user, None)
            }
            AccountType::EnterpriseLwa | AccountType::Team => Decision::LookUp,
        },
        Known::Found(Found::SeveralAccounts) => several_accounts(),
        Known::Found(Found::UnknownAccount) => unknown_account(),
        Known::Found(Found::SomebodyElses) => Decision::Hold(Reason::AddressReused),
        Known::Found(Found::Nobody { account: None }) => no_account(),
        Known::Found(Found::Nobody { account: Some(account) }) => match account.kind {
            AccountType::Team => nobody(case, giving, account, fact),
            AccountType::EnterpriseLwa => restored(Reason::JoinsByDomain, fact, Wish::Keep),
            AccountType::EnterpriseDirectory | AccountType::EnterpriseOidc => managed(fact),
        },
        Known::Found(Found::Somebody { account, user }) => match account.kind {
            AccountType::Team => member(case, giving, account, user, fact),
            AccountType::EnterpriseLwa => {
                let blocked = user.registration == Registration::Suspended;
                // After a takeover the wished state is sent again, never inferred from a look-up.
                let resumes = case.prior.is_some_and(|prior| prior.gives_access);
                if blocked || case.takeover || resumes {
                    return unsuspend(case, giving, account, &user.id, Some(user));
                }
                if user.registration == Registration::Unregistered {
                    return restored(Reason::JoinsByDomain, fact, Wish::Keep);
                }
                present(case, giving, account, user, fact)
            }
            AccountType::EnterpriseDirectory | AccountType::EnterpriseOidc => managed(fact),
        },
    }
}

/// Sets the licence that was wished for, where somebody has registered by now. Gives no access.
pub(super) fn licence(case: &Case<'_>, giving: &Giving, fact: Option<FactId>) -> Decision {
    let nothing = || conclude(Concluded::Unchanged, Reason::NothingTaken, fact.clone());
    match case.known {
        Known::NotYet | Known::Remembered { .. } => Decision::LookUp,
        Known::NoAddress => nothing(),
        Known::Found(Found::Somebody { account, user }) => match (account.kind, user.registration) {
            (AccountType::Team | AccountType::EnterpriseLwa, Registration::Registered | Registration::Unknown) => {
                present(case, giving, account, user, fact)
            }
            (AccountType::Team | AccountType::EnterpriseLwa, Registration::Unregistered | Registration::Suspended)
            | (AccountType::EnterpriseDirectory | AccountType::EnterpriseOidc, _) => nothing(),
        },
        Known::Found(Found::Nobody { .. } | Found::SomebodyElses | Found::SeveralAccounts | Found::UnknownAccount) => {
            nothing()
        }
    }
}

/// Nobody is there: invited, unless an earlier attempt's invitation says otherwise.
fn nobody(case: &Case<'_>, giving: &Giving, account: &Account, fact: Option<FactId>) -> Decision {
    let sent = case.prior.and_then(|prior| Some((prior, prior.step(Operation::Invite)?)));
    match sent.map(|(prior, step)| (prior, step.status, step.repeated)) {
        Some((prior, StepStatus::Refused, _)) if prior.has_bounced() => Decision::Hold(Reason::InvitationFailed),
        // It was sent, and somebody removed the user since.
        Some((prior, StepStatus::Confirmed, _)) => read_back(prior, case.now, giving, fact),
        // Sent again once, and not to be seen all the same.
        Some((_, StepStatus::Unknown, true)) => Decision::Hold(Reason::InvitationUnknown),
        // Perhaps the user is there under the address of before: a second one must not be made. Not where we removed it.
        None if case.renamed && case.taken.is_none() && case.released != Some(Reason::FormerAddress) => {
            Decision::Hold(Reason::FormerAddress)
        }
        Some((_, StepStatus::Planned | StepStatus::Refused | StepStatus::Unknown, _)) | None => {
            invite(case, giving, account)
        }
    }
}

/// Somebody of a Team account.
fn member(case: &Case<'_>, giving: &Giving, account: &Account, user: &User, fact: Option<FactId>) -> Decision {
    let failed = user.registration == Registration::Unregistered && user.invitation == Invitation::Failed;
    // A release is a yes to one more mail. If that bounced as well, it waits for another yes.
    let allowed = case.released == Some(Reason::InvitationFailed) && !case.prior.is_some_and(Plan::has_bounced);
    if failed && !allowed {
        return Decision::Hold(Reason::InvitationFailed);
    }
    let sent = case.prior.and_then(|prior| prior.step(Operation::Invite));
    if failed && sent.is_some_and(|step| step.status == StepStatus::Unknown && step.repeated) {
        return Decision::Hold(Reason::InvitationUnknown);
    }
    if failed || user.registration == Registration::Suspended {
        return invite(case, giving, account);
    }
    if let Some(prior) = case.prior.filter(|prior| prior.awaits_invitation()) {
        return read_back(prior, case.now, giving, fact);
    }
    match user.registration {
        Registration::Unregistered => {
            restored(Reason::AlreadyInvited, fact, giving.joining.map_or(Wish::Keep, Wish::Set))
        }
        Registration::Registered | Registration::Suspended | Registration::Unknown => {
            present(case, giving, account, user, fact)
        }
    }
}

/// An earlier attempt's invitation, found to have worked.
fn read_back(prior: &Plan, now: Timestamp, giving: &Giving, fact: Option<FactId>) -> Decision {
    let mut confirmed = prior.clone();
    for step in confirmed.steps.iter_mut().filter(|step| step.operation == Operation::Invite) {
        step.confirm_read_back(now);
    }
    Decision::Conclude(Conclusion {
        wish: giving.joining.map_or(Wish::Keep, Wish::Set),
        restored: true,
        confirmed: Some(confirmed),
        ..Conclusion::new(Concluded::Applied, prior.done, fact)
    })
}

/// Somebody who has access already. The licence may still be another.
fn present(case: &Case<'_>, giving: &Giving, account: &Account, user: &User, fact: Option<FactId>) -> Decision {
    match giving.present {
        Some(licence) if user.licence.as_deref() != Some(licence.as_str()) && case.offers(licence) => {
            let before = Before { registration: user.registration, licence: user.licence.clone() };
            set_licence(case, account, &user.id, true, Some(before), licence)
        }
        // It is so: nothing is left to wish for.
        Some(licence) if user.licence.as_deref() == Some(licence.as_str()) => {
            restored(Reason::AlreadyRegistered, fact, Wish::Clear)
        }
        // Nothing is asked for, or what the account does not offer yet: what was wished for stays.
        Some(_) | None => restored(Reason::AlreadyRegistered, fact, Wish::Keep),
    }
}

/// Sets a licence, and nothing else. What is less than before is a downgrade: it may be protected, and is braked.
pub(super) fn set_licence(
    case: &Case<'_>,
    account: &Account,
    user: &UserId,
    fresh: bool,
    before: Option<Before>,
    licence: Licence,
) -> Decision {
    let before = earlier(case, account, Some(user)).and_then(|prior| prior.before.clone()).or(before);
    let mut plan = Plan {
        account: account.clone(),
        user: Some(user.clone()),
        address: None,
        fresh,
        steps: vec![Step::licence(licence, true)],
        before,
        wish: None,
        gives_access: case.function != Function::RelicenseUser,
        follows_removal: false,
        done: Reason::LicenceSet,
    };
    resume(case, &mut plan);
    let class = plan.takes();
    match guarded(case).filter(|_| class == Some(ActionClass::Licence)) {
        Some(held) => held,
        None => carry_out(case, class, plan),
    }
}

fn invite(case: &Case<'_>, giving: &Giving, account: &Account) -> Decision {
    if case.account.is_some_and(|account| !account.active) {
        return account_suspended();
    }
    // An address that is another person's by now is not this one's to be invited by.
    let Some(address) = case.event.subject.email.clone().filter(|_| case.may_look_up) else {
        return Decision::Hold(Reason::NoAddress);
    };
    let mut steps = vec![Step::decisive(Operation::Invite)];
    let offered = giving.joining.filter(|licence| case.offers(*licence));
    steps.extend(giving.joining.filter(|_| offered.is_none()).map(Step::unsupported));
    let mut plan = Plan {
        account: account.clone(),
        user: None,
        address: Some(address),
        fresh: true,
        steps,
        before: None,
        wish: offered,
        gives_access: true,
        follows_removal: false,
        done: giving.invited,
    };
    resume(case, &mut plan);
    carry_out(case, None, plan)
}

fn unsuspend(case: &Case<'_>, giving: &Giving, account: &Account, user: &UserId, found: Option<&User>) -> Decision {
    if case.account.is_some_and(|account| !account.active) {
        return account_suspended();
    }
    let mut steps = vec![Step::decisive(Operation::Unsuspend)];
    let same = |licence: &Licence| found.is_some_and(|user| user.licence.as_deref() == Some(licence.as_str()));
    if let Some(licence) = giving.present.filter(|licence| !same(licence)) {
        steps.push(if case.offers(licence) { Step::licence(licence, false) } else { Step::unsupported(licence) });
    }
    let new_pin = case.taken.is_some_and(|taken| taken.pin);
    let mut plan = Plan {
        account: account.clone(),
        user: Some(user.clone()),
        address: None,
        fresh: found.is_some(),
        steps,
        before: found.map(|user| Before { registration: user.registration, licence: user.licence.clone() }),
        wish: None,
        gives_access: true,
        follows_removal: false,
        done: if new_pin { Reason::ReinstatedNewPin } else { Reason::Reinstated },
    };
    resume(case, &mut plan);
    carry_out(case, None, plan)
}

/// The plan of an earlier attempt for the same user, or for an invitation into the same account.
fn earlier<'c>(case: &Case<'c>, account: &Account, user: Option<&UserId>) -> Option<&'c Plan> {
    case.prior.filter(|prior| prior.user.as_ref() == user && prior.account.id == account.id)
}

fn resume(case: &Case<'_>, plan: &mut Plan) {
    if let Some(prior) = earlier(case, &plan.account, plan.user.as_ref()) {
        plan.steps.iter_mut().filter(|step| !step.is_unsupported()).for_each(|step| step.resume(prior));
    }
}

/// Nothing has to be done, and nothing is left to be given back.
fn restored(reason: Reason, fact: Option<FactId>, wish: Wish) -> Decision {
    Decision::Conclude(Conclusion { wish, restored: true, ..Conclusion::new(Concluded::Unchanged, reason, fact) })
}

fn managed(fact: Option<FactId>) -> Decision {
    conclude(Concluded::Unchanged, Reason::ManagedByDirectory, fact)
}
