//! The section `audit`: what the licence audit looks for, whom it spares, and what it may ask for.

use super::Window;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What the licence audit looks for, whom it spares, and what it may ask for.
#[derive(Clone, Debug, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct AuditRules {
    /// What becomes of what it would do.
    pub mode: AuditMode,
    /// The oldest roster that is believed. With an older one, or none, nothing is said that rests on HR, and nothing is
    /// proposed. 28 days at most.
    pub roster_max_age: Window,
    /// By so many of a hundred rows a roster may be smaller than the last one; a smaller one is refused whole.
    #[schemars(range(min = 0, max = 100))]
    pub roster_shrinks_at_most: u8,
    /// By so many of a hundred users an account may be smaller than at its last count, if that is not older than 8 days;
    /// the listing of a smaller one is not believed.
    #[schemars(range(min = 0, max = 100))]
    pub accounts_shrink_at_most: u8,
    /// Whom it spares.
    pub exempt: Exemptions,
    /// What Chime bills for a day on which a Pro user hosts a meeting. Absent: savings are told in days.
    pub hosting_day_price: Option<Price>,
    /// The rules.
    pub rules: RuleSettings,
}

impl Default for AuditRules {
    fn default() -> Self {
        AuditRules {
            mode: AuditMode::Report,
            roster_max_age: Window::days(7),
            roster_shrinks_at_most: 10,
            accounts_shrink_at_most: 20,
            exempt: Exemptions::default(),
            hosting_day_price: None,
            rules: RuleSettings::default(),
        }
    }
}

/// What becomes of what the audit would do.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum AuditMode {
    /// It is told, and that is all.
    #[default]
    Report,
    /// A plan is written, which an operator may apply later: then only what is still true is done.
    Propose,
    /// It is asked for at once, by events on the same road as every other.
    Enforce,
}

/// Whom the audit spares.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Exemptions {
    /// Nobody who began less than so many days ago loses a licence.
    pub tenure_days: u16,
    /// Nobody is asked about again within so many days of the last time; 60 at most.
    #[schemars(range(max = 60))]
    pub cool_down_days: u16,
}

impl Default for Exemptions {
    fn default() -> Self {
        Exemptions { tenure_days: 30, cool_down_days: 30 }
    }
}

/// An amount of money.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Price {
    /// How much.
    pub amount: f64,
    /// In which currency, for example `USD`.
    pub currency: String,
}

/// The settings of each rule.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct RuleSettings {
    /// The licence is above what `licences` gives to the job.
    pub licence_above_policy: Acting,
    /// A Pro licence of somebody who was invited so many days ago and never registered.
    pub pro_never_registered: ActingAfter,
    /// An invitation has waited for so many days.
    pub invitation_pending: After,
    /// The mail of an invitation came back so many days ago.
    pub invitation_failed: After,
    /// A trial ends within so many days.
    pub trial_running_out: After,
    /// HR's status is terminated for more than so many days, and the user is active.
    pub orphan: ActingAfter,
    /// Nobody in HR has this address.
    pub unknown_to_hr: Acting,
    /// The policy protects this address, and nobody in HR has it.
    pub protected_unknown_to_hr: Looking,
    /// HR's status is active for more than so many days, and no user has the address.
    pub absent_from_chime: After,
    /// One address has several users.
    pub duplicate_person: Looking,
    /// An account's settings are not what is wanted here.
    pub settings_drift: WantedSettings,
    /// A licence that the account does not offer.
    pub unsupported_licence: Looking,
    /// An account is suspended as a whole.
    pub account_suspended: Looking,
}

impl Default for RuleSettings {
    fn default() -> Self {
        let looking = Looking { enabled: true };
        let after = |days| After { enabled: true, days };
        RuleSettings {
            licence_above_policy: Acting { enabled: true, act: true },
            pro_never_registered: ActingAfter { enabled: true, act: false, days: 30 },
            invitation_pending: after(14),
            invitation_failed: after(0),
            trial_running_out: after(7),
            orphan: ActingAfter { enabled: true, act: true, days: 1 },
            unknown_to_hr: Acting { enabled: true, act: false },
            protected_unknown_to_hr: looking,
            absent_from_chime: after(7),
            duplicate_person: looking,
            settings_drift: WantedSettings { enabled: true, disable_remote_control: None, enable_dial_out: None },
            unsupported_licence: looking,
            account_suspended: looking,
        }
    }
}

/// A rule that only tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Looking {
    /// It looks at all.
    pub enabled: bool,
}

/// A rule that may ask for something.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Acting {
    /// It looks at all.
    pub enabled: bool,
    /// It proposes what follows from what it finds.
    pub act: bool,
}

/// A rule that only tells, of what is so for some days.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct After {
    /// It looks at all.
    pub enabled: bool,
    /// How many days.
    pub days: u16,
}

/// A rule that may ask for something, about what is so for some days.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ActingAfter {
    /// It looks at all.
    pub enabled: bool,
    /// It proposes what follows from what it finds.
    pub act: bool,
    /// How many days.
    pub days: u16,
}

/// Which settings an account should have. A member that is absent is not looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct WantedSettings {
    /// It looks at all.
    pub enabled: bool,
    /// Whether remote control of a shared screen should be off.
    #[serde(default)]
    pub disable_remote_control: Option<bool>,
    /// Whether meetings should be able to dial out.
    #[serde(default)]
    pub enable_dial_out: Option<bool>,
}

impl AuditRules {
    /// What is wrong, and where; `None` where nothing is.
    pub(super) fn problem(&self) -> Option<(String, &'static str)> {
        if self.roster_shrinks_at_most > 100 {
            return Some(("audit.roster_shrinks_at_most".to_owned(), "must be a share of a hundred"));
        }
        if self.accounts_shrink_at_most > 100 {
            return Some(("audit.accounts_shrink_at_most".to_owned(), "must be a share of a hundred"));
        }
        // What a roster was read into is kept for 30 days.
        if self.roster_max_age > Window::days(28) {
            return Some(("audit.roster_max_age".to_owned(), "must be 28 days at most"));
        }
        // What was asked for is kept for 90 days.
        if self.exempt.cool_down_days > 60 {
            return Some(("audit.exempt.cool_down_days".to_owned(), "must be 60 at most"));
        }
        let price = self.hosting_day_price.as_ref()?;
        if !(price.amount.is_finite() && price.amount >= 0.0) {
            return Some(("audit.hosting_day_price.amount".to_owned(), "must be an amount of money, not below 0"));
        }
        let currency = price.currency.len() == 3 && price.currency.chars().all(|c| c.is_ascii_uppercase());
        (!currency).then(|| ("audit.hosting_day_price.currency".to_owned(), "must be three letters, for example USD"))
    }
}

#[cfg(test)]
mod tests {
    use crate::policy::Policy;

    #[test]
    fn a_section_that_cannot_be_is_refused_with_its_member() {
        let table = [
            (r#"{"roster_shrinks_at_most":101}"#, "policy.audit.roster_shrinks_at_most must be a share of a hundred"),
            (r#"{"roster_max_age":"29d"}"#, "policy.audit.roster_max_age must be 28 days at most"),
            (r#"{"exempt":{"cool_down_days":61}}"#, "policy.audit.exempt.cool_down_days must be 60 at most"),
            (
                r#"{"hosting_day_price":{"amount":-1,"currency":"USD"}}"#,
                "policy.audit.hosting_day_price.amount must be an amount of money, not below 0",
            ),
            (
                r#"{"hosting_day_price":{"amount":3,"currency":"dollar"}}"#,
                "policy.audit.hosting_day_price.currency must be three letters, for example USD",
            ),
        ];
        for (section, expected) in table {
            let error = Policy::parse(&format!(r#"{{"audit":{section}}}"#)).unwrap_err().to_string();
            assert_eq!(error, expected);
        }
        let rules = r#"{"audit":{"rules":{"orphan":{"enabled":true,"act":false,"days":3}}}}"#;
        assert_eq!(Policy::parse(rules).unwrap().audit.rules.orphan.days, 3);
    }
}
