//! Rules about accounts.

use super::Ground;
use crate::audit::finding::{Confidence, Effect, Finding, Rule};
use crate::audit::listing::AccountListing;
use std::collections::BTreeMap;

/// What is found about the accounts themselves, whose listing need not be complete for that.
#[must_use]
pub fn about_accounts(ground: &Ground<'_>) -> Vec<Finding> {
    let each = ground.accounts.iter().flat_map(|listing| [suspended(ground, listing), drift(ground, listing)]);
    let mut findings: Vec<Finding> = each.flatten().collect();
    findings.sort_by_key(|finding| finding.rule);
    findings
}

fn suspended(ground: &Ground<'_>, listing: &AccountListing) -> Option<Finding> {
    let fits = ground.policy.audit.rules.account_suspended.enabled && !listing.account.active;
    let reason = "the account is suspended as a whole: nobody can be given access or a licence there";
    fits.then(|| finding(listing, Rule::AccountSuspended, reason, BTreeMap::new()))
}

fn drift(ground: &Ground<'_>, listing: &AccountListing) -> Option<Finding> {
    let wanted = ground.policy.audit.rules.settings_drift;
    let has = listing.settings.filter(|_| wanted.enabled)?;
    let settings = [
        ("disable_remote_control", wanted.disable_remote_control, has.disable_remote_control),
        ("enable_dial_out", wanted.enable_dial_out, has.enable_dial_out),
    ];
    let differs = settings.into_iter().filter_map(|(name, wanted, has)| match (wanted, has) {
        (Some(wanted), Some(has)) if wanted != has => Some((name.to_owned(), format!("is {has}, wanted {wanted}"))),
        (Some(_) | None, _) => None,
    });
    let evidence: BTreeMap<String, String> = differs.collect();
    let reason = "settings of the account are not what the policy wants";
    (!evidence.is_empty()).then(|| finding(listing, Rule::SettingsDrift, reason, evidence))
}

fn finding(listing: &AccountListing, rule: Rule, reason: &str, evidence: BTreeMap<String, String>) -> Finding {
    Finding {
        rule,
        account: Some(listing.account.id.as_ref().to_owned()),
        account_name: Some(listing.account.name.clone()),
        user: None,
        email: None,
        worker_id: None,
        department: None,
        licence: None,
        reason: reason.to_owned(),
        evidence,
        confidence: Confidence::High,
        effect: Effect::Informs,
        hosting_days: None,
        proposal: None,
        withheld: None,
    }
}
