//! Rules about invitations.

use super::{Case, Hr, with};
use crate::audit::finding::{Effect, Finding, Rule};
use crate::audit::seen::SeenUser;
use crate::directory::{Invitation, Registration};
use crate::policy::After;

/// An invitation waits.
pub(super) fn pending(case: &Case<'_>, user: &SeenUser) -> Option<Finding> {
    let rule = case.rules().invitation_pending;
    let days = waited(case, user, rule, Invitation::Pending)?;
    let reason = format!("was invited {days} days ago and has not answered");
    Some(told(case, Rule::InvitationPending, user, days, reason))
}

/// The mail of an invitation came back.
pub(super) fn failed(case: &Case<'_>, user: &SeenUser) -> Option<Finding> {
    let rule = case.rules().invitation_failed;
    let days = waited(case, user, rule, Invitation::Failed)?;
    let reason = "the mail of the invitation could not be delivered";
    Some(told(case, Rule::InvitationFailed, user, days, reason.to_owned()))
}

/// For how many days it has been so, where that is long enough to be told.
fn waited(case: &Case<'_>, user: &SeenUser, rule: After, state: Invitation) -> Option<i64> {
    let fits = rule.enabled && user.registration == Registration::Unregistered && user.invitation == state;
    // Who has left is another rule's business.
    let ours = !matches!(case.hr, Hr::Left(_));
    let days = case.ground.days_since(user.invited_on()?);
    (fits && ours && days >= i64::from(rule.days)).then_some(days)
}

fn told(case: &Case<'_>, rule: Rule, user: &SeenUser, days: i64, reason: String) -> Finding {
    let finding = Finding { effect: Effect::TidiesUp, ..case.finding(rule, Some(user), reason) };
    with(finding, "days_since_invitation", days)
}
