//! Rules about licences.

use super::proposal::reclaim;
use super::{Case, Hr, with};
use crate::audit::finding::{Confidence, Effect, Finding, Rule};
use crate::audit::seen::SeenUser;
use crate::directory::{Licence, Registration};

/// How long a trial lasts, in days. Source: the administration guide.
const TRIAL_DAYS: i64 = 30;

/// The name of a trial in the directory. Source: the service model.
const TRIAL: &str = "ProTrial";

/// The licence is above what the policy gives to the job.
pub(super) fn above_policy(case: &Case<'_>, user: &SeenUser) -> Option<Finding> {
    let rule = case.rules().licence_above_policy;
    let Hr::Employed(row) = case.hr else { return None };
    let wanted = case.ground.policy.licences.as_ref()?.of(&row.job)?;
    let has = Licence::named(user.licence.as_deref()?)?;
    if !rule.enabled || user.registration != Registration::Registered || has <= wanted {
        return None;
    }
    let reason = format!("has {}; the policy gives {} to the job", has.as_str(), wanted.as_str());
    let finding = with(case.finding(Rule::LicenceAbovePolicy, Some(user), reason), "policy_licence", wanted.as_str());
    Some(reclaim(case, user, rule.act, Some(wanted), by_usage(case, job(case, finding))))
}

/// A Pro licence of somebody who was invited long ago and never registered. It costs nothing, and is in nobody's use.
pub(super) fn never_registered(case: &Case<'_>, user: &SeenUser) -> Option<Finding> {
    let rule = case.rules().pro_never_registered;
    let is_pro = user.licence.as_deref() == Some(Licence::Pro.as_str());
    let never = user.registration == Registration::Unregistered && user.registered_on().is_none();
    let days = case.ground.days_since(user.invited_on()?);
    // Whom HR does not know or no longer employs, another rule names.
    let known = matches!(case.hr, Hr::Employed(_) | Hr::NotBegun(_) | Hr::NoRoster);
    if !rule.enabled || !is_pro || !never || !known || days < i64::from(rule.days) {
        return None;
    }
    let reason = format!("has Pro, was invited {days} days ago and never registered");
    let finding = with(case.finding(Rule::ProNeverRegistered, Some(user), reason), "days_since_invitation", days);
    Some(reclaim(case, user, rule.act, None, Finding { effect: Effect::TidiesUp, ..finding }))
}

/// The account does not offer the licence.
pub(super) fn unsupported(case: &Case<'_>, user: &SeenUser) -> Option<Finding> {
    let offered = &case.account(user)?.account.licences;
    let licence = user.licence.as_deref()?;
    // A trial is the user's own, and no account lists it.
    let known = offered.iter().any(|offered| offered == licence) || licence == TRIAL;
    if !case.rules().unsupported_licence.enabled || offered.is_empty() || known {
        return None;
    }
    let reason = format!("has {licence}, which the account does not offer");
    Some(with(case.finding(Rule::UnsupportedLicence, Some(user), reason), "offered", offered.join(", ")))
}

/// A trial ends soon, or has ended.
pub(super) fn trial(case: &Case<'_>, user: &SeenUser) -> Option<Finding> {
    let rule = case.rules().trial_running_out;
    if !rule.enabled || user.licence.as_deref() != Some(TRIAL) {
        return None;
    }
    let Some(began) = user.registered_on() else {
        let finding = case.finding(Rule::TrialRunningOut, Some(user), "is on a trial, and nobody knows since when");
        return Some(Finding { confidence: Confidence::Low, ..finding });
    };
    let left = TRIAL_DAYS - case.ground.days_since(began);
    if left > i64::from(rule.days) {
        return None;
    }
    let reason =
        if left > 0 { format!("the trial ends in {left} days") } else { "the trial should have ended".to_owned() };
    let finding = case.finding(Rule::TrialRunningOut, Some(user), reason);
    // That the trial began with the registration is read between the guide's lines.
    Some(with(Finding { confidence: Confidence::Medium, ..finding }, "days_left", left))
}

/// What acting is good for, as far as the usage tells: Chime bills Pro by the day on which a meeting is hosted.
fn by_usage(case: &Case<'_>, finding: Finding) -> Finding {
    let weeks = case.ground.weeks;
    if weeks == 0 {
        return with(Finding { effect: Effect::TidiesUp, ..finding }, "usage", "not given");
    }
    // Who is in no row of the usage hosted nothing.
    let days = case.person.hosting_days.unwrap_or(0);
    let effect = if days > 0 { Effect::SavesMoney } else { Effect::TidiesUp };
    let told = format!("hosted on at most {days} days in {weeks} weeks");
    with(Finding { effect, hosting_days: Some(days), ..finding }, "usage", told)
}

fn job(case: &Case<'_>, finding: Finding) -> Finding {
    let Some(row) = case.hr.row() else { return finding };
    let told =
        [("job_code", &row.job.code), ("location", &row.job.location), ("employment_type", &row.job.employment_type)];
    told.into_iter().fold(finding, |finding, (name, value)| match value {
        Some(value) => with(finding, name, value),
        None => finding,
    })
}
