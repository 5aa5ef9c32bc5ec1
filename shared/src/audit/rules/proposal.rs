//! What the audit asks for, and why it does not.

use super::hr::are_several;
use super::{Case, Hr};
use crate::audit::finding::{Action, Finding, Withheld};
use crate::audit::seen::SeenUser;
use crate::directory::{AccountType, Licence, Registration};
use crate::person::WorkEmail;
use jiff::SignedDuration;

/// Proposes that somebody loses access, or says why not.
pub(super) fn removal(case: &Case<'_>, user: &SeenUser, act: bool, finding: Finding) -> Finding {
    let withheld = common(case, user, act).or_else(|| cool_down(case, user, Action::Removal));
    settled(finding, Action::Removal, withheld)
}

/// Proposes a lower licence, or says why not. `wanted` is what the job comes with; `None` where no job tells.
pub(super) fn reclaim(
    case: &Case<'_>,
    user: &SeenUser,
    act: bool,
    wanted: Option<Licence>,
    finding: Finding,
) -> Finding {
    let leaves = case.ground.policy.licences.as_ref().map(|licences| licences.reclaim);
    let by_groups = case.account(user).is_some_and(|listing| match listing.account.kind {
        AccountType::Team | AccountType::EnterpriseLwa => false,
        AccountType::EnterpriseDirectory | AccountType::EnterpriseOidc => true,
    });
    let withheld = common(case, user, act)
        .or_else(|| by_groups.then_some(Withheld::LicenceByGroups))
        .or_else(|| leaves.is_none().then_some(Withheld::NoLicencePolicy))
        .or_else(|| (wanted.is_some() && wanted != leaves).then_some(Withheld::OtherLicence))
        .or_else(|| are_several(case.person.rows).then_some(Withheld::SeveralInHr))
        .or_else(|| cool_down(case, user, Action::Reclaim));
    settled(finding, Action::Reclaim, withheld)
}

/// A licence goes before access does, where there is one to lower.
pub(super) fn step_down(case: &Case<'_>, user: &SeenUser) -> Action {
    let Some(licences) = &case.ground.policy.licences else { return Action::Removal };
    let lower = user.licence.as_deref().and_then(Licence::named).is_some_and(|has| has > licences.reclaim);
    let ours = case.account(user).is_some_and(|listing| match listing.account.kind {
        AccountType::Team | AccountType::EnterpriseLwa => true,
        AccountType::EnterpriseDirectory | AccountType::EnterpriseOidc => false,
    });
    let registered = user.registration == Registration::Registered;
    if lower && ours && registered { Action::Reclaim } else { Action::Removal }
}

fn settled(mut finding: Finding, action: Action, withheld: Option<Withheld>) -> Finding {
    finding.withheld = withheld;
    finding.proposal = withheld.is_none().then_some(action);
    finding
}

/// What stands in the way of any proposal.
fn common(case: &Case<'_>, user: &SeenUser, act: bool) -> Option<Withheld> {
    if !act {
        return Some(Withheld::OnlyTells);
    }
    if case.hr == Hr::NoRoster {
        return Some(Withheld::NoRoster);
    }
    if case.is_protected() {
        return Some(Withheld::Protected);
    }
    if case.person.email.is_empty() {
        return Some(Withheld::NoAddress);
    }
    if case.person.users.len() > 1 {
        return Some(Withheld::SeveralUsers);
    }
    // The road looks where the policy says, and acts on whom it finds there.
    let named = WorkEmail::parse(case.person.email).ok();
    let named = named.as_ref().and_then(|email| case.ground.policy.account_of(email));
    if named.is_some_and(|id| case.account(user).is_none_or(|listing| &listing.account.id != id)) {
        return Some(Withheld::OtherAccount);
    }
    let suspended = case.account(user).is_some_and(|listing| !listing.account.active);
    suspended.then_some(Withheld::AccountSuspended)
}

/// What was asked for lately is not asked for again: of a licence not after either, of access not after access.
fn cool_down(case: &Case<'_>, user: &SeenUser, action: Action) -> Option<Withheld> {
    let days = i64::from(case.ground.policy.audit.exempt.cool_down_days);
    let unknown = case.hr == Hr::Unknown;
    let lately = case.person.asked.iter().any(|asked| {
        let same = asked.account == user.account_id(case) && asked.user == user.id.as_ref();
        // Whom nobody in HR has gets time after a lower licence; who has left does not.
        let counts = match (action, asked.action) {
            (Action::Reclaim, Action::Reclaim | Action::Removal) | (Action::Removal, Action::Removal) => true,
            (Action::Removal, Action::Reclaim) => unknown,
        };
        same && counts && case.ground.now.duration_since(asked.at) < SignedDuration::from_hours(24 * days)
    });
    lately.then_some(Withheld::CoolDown)
}

impl SeenUser {
    fn account_id(&self, case: &Case<'_>) -> String {
        case.account(self).map(|listing| listing.account.id.as_ref().to_owned()).unwrap_or_default()
    }
}
