//! Rules about who has a user and who should.

use super::proposal::{removal, step_down};
use super::{Case, Hr, hr, with};
use crate::audit::finding::{Action, Confidence, Effect, Finding, Rule};
use crate::audit::seen::SeenUser;
use crate::directory::{Invitation, Registration};
use crate::roster::Listed;

/// Whether somebody can use a user, now or by accepting an invitation.
fn is_open(user: &SeenUser) -> bool {
    match user.registration {
        Registration::Registered | Registration::Unknown => true,
        Registration::Unregistered => user.invitation != Invitation::Failed,
        Registration::Suspended => false,
    }
}

/// Has left in HR, and can still use a user.
pub(super) fn orphan(case: &Case<'_>, user: &SeenUser) -> Option<Finding> {
    let rule = case.rules().orphan;
    let Hr::Left(row) = case.hr else { return None };
    if !rule.enabled || !is_open(user) {
        return None;
    }
    let reason = match user.registration {
        Registration::Unregistered => "has left, and can still accept the invitation",
        Registration::Registered | Registration::Unknown | Registration::Suspended => {
            "has left, and the user is active"
        }
    };
    let finding = case.finding(Rule::Orphan, Some(user), reason);
    let finding = last_day(finding, row);
    Some(removal(
        case,
        user,
        rule.act,
        Finding { effect: Effect::ClosesAccess, hosting_days: case.person.hosting_days, ..finding },
    ))
}

/// Nobody in HR has the address. The roster may lack contractors, shared mailboxes or an address of before.
pub(super) fn unknown_to_hr(case: &Case<'_>, user: &SeenUser) -> Option<Finding> {
    let rule = case.rules().unknown_to_hr;
    if case.hr != Hr::Unknown || !rule.enabled || case.is_protected() || !is_open(user) {
        return None;
    }
    let reason = if case.person.email.is_empty() {
        "the user shows no address, so nobody in HR can be found for it"
    } else {
        "nobody in HR has this address"
    };
    let finding = case.finding(Rule::UnknownToHr, Some(user), reason);
    let finding = Finding { effect: Effect::ClosesAccess, confidence: Confidence::Low, ..finding };
    // A licence goes before access does: if that was wrong, little is lost.
    Some(match step_down(case, user) {
        Action::Reclaim => super::proposal::reclaim(case, user, rule.act, None, finding),
        Action::Removal => removal(case, user, rule.act, finding),
    })
}

/// The policy protects the address, and nobody in HR has it: a service account, or one that was forgotten.
pub(super) fn protected_unknown_to_hr(case: &Case<'_>, user: &SeenUser) -> Option<Finding> {
    let rule = case.rules().protected_unknown_to_hr;
    let fits = rule.enabled && case.hr == Hr::Unknown && case.is_protected() && is_open(user);
    let reason = "the policy protects this address, and nobody in HR has it: is it still needed?";
    fits.then(|| case.finding(Rule::ProtectedUnknownToHr, Some(user), reason))
}

/// Active in HR for some days, and without a user.
pub(super) fn absent(case: &Case<'_>) -> Option<Finding> {
    let rule = case.rules().absent_from_chime;
    let has_user = !case.person.users.is_empty();
    if !rule.enabled || !hr::is_absent(case.ground, case.person.email, case.person.rows, has_user) {
        return None;
    }
    let reason = "active in HR, and no user has the address";
    let home = hr::home(case.ground, case.person.email).and_then(|number| case.ground.accounts.get(number));
    let mut finding = case.finding(Rule::AbsentFromChime, None, reason);
    finding.account = home.map(|listing| listing.account.id.as_ref().to_owned());
    finding.account_name = home.map(|listing| listing.account.name.clone());
    // A listing may skip somebody without a sign. A look-up by the address cannot.
    finding.confidence = if case.person.looked_up { Confidence::High } else { Confidence::Medium };
    let started = case.hr.row().and_then(|row| row.started);
    Some(match started {
        Some(started) => with(finding, "first_day", started),
        None => finding,
    })
}

/// One address has several users.
pub(super) fn duplicate(case: &Case<'_>, users: &[&SeenUser]) -> Option<Finding> {
    if !case.rules().duplicate_person.enabled || users.len() < 2 || case.person.email.is_empty() {
        return None;
    }
    let mut finding = case.finding(Rule::DuplicatePerson, None, "several users have this address");
    for (number, user) in users.iter().enumerate() {
        let name = case.account(user).map_or_else(String::new, |listing| listing.account.name.clone());
        let told = format!("{name}, {}, {}", user.id.as_ref(), hr::registration(user));
        finding.evidence.insert(format!("user_{}", number + 1), told);
    }
    Some(finding)
}

fn last_day(finding: Finding, row: &Listed) -> Finding {
    match row.ends {
        Some(ends) => with(finding, "last_day", ends),
        None => finding,
    }
}
