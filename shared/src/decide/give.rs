//! What invite-user and reinstate-user share: giving access to whom it is due, by account type, with a licence.

use super::{
    Case, Concluded, Conclusion, Decision, Known, Reason, account_suspended, carry_out, conclude, guarded, no_account,
    several_accounts, unknown_account,
};
use crate::directory::{Account, AccountType, Found, Invitation, Licence, Operation, Registration, User, UserId};
use crate::person::FactId;
use crate::plan::{ActionClass, BOUNCED, Before, Plan, Step, StepStatus, Wish};
use crate::routes::Function;

/// How access is given.
pub(super) struct Giving {
    /// The licence that goes with it.
    pub(super) licence: Option<Licence>,
    /// Whether who has access already gets the licence, too.
    pub(super) relicenses: bool,
    /// Why an invitation is sent.
    pub(super) invited: Reason,
}

/// Gives access, or says why nothing is to be done for that.
pub(super) fn access(case: &Case<'_>, giving: &Giving, fact: Option<FactId>) -> Decision {
    match case.known {
        Known::NotYet => Decision::LookUp,
        Known::NoAddress => Decision::Hold(Reason::NoAddress),
        Known::Remembered { account, user, can_look_up, .. } => match account.kind {
            AccountType::EnterpriseDirectory | AccountType::EnterpriseOidc => managed(fact),
            // Blocked by us, or perhaps by an attempt that died: the wished state is set, whatever a look-up shows.
            AccountType::EnterpriseLwa if case.taken.is_some() || case.takeover || !can_look_up => {
                unsuspend(case, giving, account, user, None)
            }
            AccountType::Team if !can_look_up => conclude(Concluded::Unchanged, Reason::AlreadyRegistered, fact),
            AccountType::EnterpriseLwa | AccountType::Team => Decision::LookUp,
        },
        Known::Found(Found::SeveralAccounts) => several_accounts(),
        Known::Found(Found::UnknownAccount) => unknown_account(),
        Known::Found(Found::SomebodyElses) => Decision::Hold(Reason::AddressReused),
        Known::Found(Found::Nobody { account: None }) => no_account(),
        Known::Found(Found::Nobody { account: Some(account) }) => match account.kind {
            AccountType::Team => nobody(case, giving, account, fact),
            AccountType::EnterpriseLwa => restored(Reason::JoinsByDomain, fact),
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
        Known::NotYet | Known::Remembered { can_look_up: true, .. } => Decision::LookUp,
        Known::NoAddress | Known::Remembered { can_look_up: false, .. } => nothing(),
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
    match sent.map(|(prior, step)| (prior, step.status, step)) {
        Some((_, StepStatus::Refused, step)) if step.code.as_deref() == Some(BOUNCED) => {
            if case.released == Some(Reason::InvitationFailed) {
                return invite(case, giving, account);
            }
            Decision::Hold(Reason::InvitationFailed)
        }
        // It was sent, and somebody removed the user since.
        Some((prior, StepStatus::Confirmed, _)) => read_back(prior, giving, fact),
        // Sent again once, and not to be seen all the same.
        Some((_, StepStatus::Unknown, step)) if step.repeated && case.released != Some(Reason::InvitationUnknown) => {
            Decision::Hold(Reason::InvitationUnknown)
        }
        Some((_, StepStatus::Planned | StepStatus::Refused | StepStatus::Unknown, _)) | None => {
            invite(case, giving, account)
        }
    }
}

/// Somebody of a Team account.
fn member(case: &Case<'_>, giving: &Giving, account: &Account, user: &User, fact: Option<FactId>) -> Decision {
    let failed = user.registration == Registration::Unregistered && user.invitation == Invitation::Failed;
    if failed && case.released != Some(Reason::InvitationFailed) {
        return Decision::Hold(Reason::InvitationFailed);
    }
    if failed || user.registration == Registration::Suspended {
        return invite(case, giving, account);
    }
    if let Some(prior) = case.prior.filter(|prior| prior.awaits_invitation()) {
        return read_back(prior, giving, fact);
    }
    match user.registration {
        Registration::Unregistered => Decision::Conclude(Conclusion {
            wish: giving.licence.map_or(Wish::Keep, Wish::Set),
            restored: true,
            ..Conclusion::new(Concluded::Unchanged, Reason::AlreadyInvited, fact)
        }),
        Registration::Registered | Registration::Suspended | Registration::Unknown => {
            present(case, giving, account, user, fact)
        }
    }
}

/// An earlier attempt's invitation, found to have worked.
fn read_back(prior: &Plan, giving: &Giving, fact: Option<FactId>) -> Decision {
    let mut confirmed = prior.clone();
    for step in confirmed.steps.iter_mut().filter(|step| step.operation == Operation::Invite) {
        step.status = StepStatus::Confirmed;
    }
    Decision::Conclude(Conclusion {
        wish: giving.licence.map_or(Wish::Keep, Wish::Set),
        restored: true,
        confirmed: Some(confirmed),
        ..Conclusion::new(Concluded::Applied, prior.done, fact)
    })
}

/// Somebody who has access already. The licence may still be another.
fn present(case: &Case<'_>, giving: &Giving, account: &Account, user: &User, fact: Option<FactId>) -> Decision {
    match giving.licence.filter(|_| giving.relicenses) {
        Some(licence) if user.licence.as_deref() != Some(licence.as_str()) && case.offers(licence) => {
            let before = Before { registration: user.registration, licence: user.licence.clone() };
            set_licence(case, account, &user.id, true, Some(before), licence)
        }
        Some(_) | None => restored(Reason::AlreadyRegistered, fact),
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
    let steps = vec![Step::licence(licence, true)];
    let before = earlier(case, Some(user)).and_then(|prior| prior.before.clone()).or(before);
    let mut plan = Plan {
        account: account.clone(),
        user: Some(user.clone()),
        address: None,
        fresh,
        steps,
        before,
        wish: None,
        gives_access: case.function != Function::RelicenseUser,
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
    let Some(address) = case.event.subject.email.clone() else {
        return Decision::Hold(Reason::NoAddress);
    };
    let mut steps = vec![Step::decisive(Operation::Invite)];
    let offered = giving.licence.filter(|licence| case.offers(*licence));
    steps.extend(giving.licence.filter(|_| offered.is_none()).map(Step::unsupported));
    let mut plan = Plan {
        account: account.clone(),
        user: None,
        address: Some(address),
        fresh: true,
        steps,
        before: None,
        wish: offered,
        gives_access: true,
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
    if let Some(licence) = giving.licence.filter(|licence| !same(licence)) {
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
        done: if new_pin { Reason::ReinstatedNewPin } else { Reason::Reinstated },
    };
    resume(case, &mut plan);
    carry_out(case, None, plan)
}

fn earlier<'c>(case: &Case<'c>, user: Option<&UserId>) -> Option<&'c Plan> {
    case.prior.filter(|prior| prior.user.as_ref() == user)
}

fn resume(case: &Case<'_>, plan: &mut Plan) {
    if let Some(prior) = earlier(case, plan.user.as_ref()) {
        plan.steps.iter_mut().filter(|step| !step.is_unsupported()).for_each(|step| step.resume(prior));
    }
}

/// Nothing has to be done, and nothing is left to be given back.
fn restored(reason: Reason, fact: Option<FactId>) -> Decision {
    Decision::Conclude(Conclusion { restored: true, ..Conclusion::new(Concluded::Unchanged, reason, fact) })
}

fn managed(fact: Option<FactId>) -> Decision {
    conclude(Concluded::Unchanged, Reason::ManagedByDirectory, fact)
}
