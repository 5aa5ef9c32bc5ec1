//! The policy: one JSON document (`policy.json`), with a section for each part that needs one.
//!
//! What has a default is `Serialize`, so that the published schema tells it.

mod audit;
mod licences;
mod safety;
mod sources;

pub use audit::{
    Acting, ActingAfter, After, AuditMode, AuditRules, Exemptions, Looking, Price, RuleSettings, WantedSettings,
};
pub use licences::{LicenceRule, LicenceRules};
pub use safety::{BrakeRules, ClassRules, GroupRule, Limit, Mode, ModeRules, Percent, ProtectedRules, When, Window};
pub use sources::{EndDate, ReconcileRules, SourceRules, SystemRule, TokenRule};

use crate::brake::budget_key;
use crate::directory::AccountId;
use crate::event::ReasonCategory;
use crate::person::{AccessPolicy, WorkEmail};
use crate::plan::ActionClass;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use thiserror::Error;

/// What the operator of Rollcall decided.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Policy {
    /// Which Chime account holds the people of which domains. Others are searched in all accounts.
    #[serde(default)]
    pub accounts: Vec<AccountRule>,
    /// When a personal meeting PIN is reset besides taking access away.
    #[serde(default)]
    pub pin_reset: PinReset,
    /// Which facts besides employment take access away.
    #[serde(default)]
    pub access: AccessRules,
    /// Which licence a job comes with. Absent: Rollcall sets no licences.
    #[serde(default)]
    pub licences: Option<LicenceRules>,
    /// How many changes may be made in which time before the rest is held.
    #[serde(default)]
    pub brake: BrakeRules,
    /// From whom nothing is taken unless an operator says so.
    #[serde(default)]
    pub protected: ProtectedRules,
    /// What acts, and what only observes.
    #[serde(default)]
    pub mode: ModeRules,
    /// What the licence audit looks for, and what it may ask for.
    #[serde(default)]
    pub audit: AuditRules,
    /// What the operator knows of the systems that send.
    #[serde(default)]
    pub sources: SourceRules,
}

/// One Chime account and its domains.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AccountRule {
    /// The Chime account's id.
    #[schemars(with = "String")]
    pub account: AccountId,
    /// The domains of its people's addresses, for example `example.com`. Subdomains are named by themselves.
    pub domains: Vec<String>,
}

/// When a personal meeting PIN is reset.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum PinReset {
    /// Whenever access is taken away.
    Always,
    /// When the reason is involuntary or a matter of security.
    #[default]
    Security,
    /// Never, except for a compromised credential.
    Never,
}

impl PinReset {
    /// Whether a PIN is reset for this reason.
    #[must_use]
    pub fn applies(self, reason: Option<ReasonCategory>) -> bool {
        match self {
            PinReset::Always => true,
            PinReset::Never => false,
            PinReset::Security => match reason {
                Some(ReasonCategory::Involuntary | ReasonCategory::Security) => true,
                Some(ReasonCategory::Voluntary | ReasonCategory::Unknown) | None => false,
            },
        }
    }
}

/// Which facts besides employment take access away. By default both do.
#[derive(Clone, Copy, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct AccessRules {
    /// A leave takes access away until the return.
    pub on_leave: OnAbsence,
    /// A login that the identity provider switched off takes access away until it is switched on.
    pub on_inactive_login: OnAbsence,
}

impl Default for AccessRules {
    fn default() -> Self {
        AccessRules { on_leave: OnAbsence::Suspend, on_inactive_login: OnAbsence::Suspend }
    }
}

/// What an absence does to access.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum OnAbsence {
    /// It takes access away.
    Suspend,
    /// It leaves access alone.
    Keep,
}

/// The policy document cannot be used.
#[derive(Debug, Error)]
pub enum BrokenPolicy {
    /// It is not JSON, or not of the schema's shape. What is wrong is told without the values: they may name people.
    #[error("the policy is wrong at line {line}, column {column}: {problem}")]
    Shape {
        /// Which line, from 1.
        line: usize,
        /// Which column of it.
        column: usize,
        /// What is wrong.
        problem: String,
    },
    /// A domain stands under two accounts, or is no domain.
    #[error("policy.accounts[{index}].domains: {problem}")]
    Domain {
        /// Which rule, from 0.
        index: usize,
        /// What is wrong.
        problem: &'static str,
    },
    /// A member of a section has a value that it cannot have.
    #[error("policy.{path} {problem}")]
    Member {
        /// The member.
        path: String,
        /// What is wrong.
        problem: &'static str,
    },
}

/// Says what is wrong with the shape of a document, and where. serde quotes the value that it met before what it
/// expected; only the latter is told.
fn shape(error: &serde_json::Error) -> BrokenPolicy {
    let message = error.to_string();
    let message = message.rsplit_once(" at line ").map_or(message.as_str(), |(head, _)| head);
    let quotes = ["invalid type: ", "invalid value: ", "invalid length ", "unknown variant "];
    let expected = quotes.iter().any(|start| message.starts_with(start)).then(|| message.rsplit_once(", expected "));
    let problem = expected.flatten().map_or_else(|| message.to_owned(), |(_, expected)| format!("expected {expected}"));
    BrokenPolicy::Shape { line: error.line(), column: error.column(), problem }
}

impl Policy {
    /// Reads a policy document.
    ///
    /// # Errors
    /// [`BrokenPolicy`], with the line or the rule that is wrong.
    pub fn parse(text: &str) -> Result<Policy, BrokenPolicy> {
        let mut policy: Policy = serde_json::from_str(text).map_err(|error| shape(&error))?;
        let mut seen = BTreeSet::new();
        for (index, rule) in policy.accounts.iter_mut().enumerate() {
            for domain in &mut rule.domains {
                *domain = domain.trim().to_lowercase();
                if domain.is_empty() || domain.contains('@') {
                    return Err(BrokenPolicy::Domain { index, problem: "holds something that is no domain" });
                }
                if !seen.insert(domain.clone()) {
                    return Err(BrokenPolicy::Domain {
                        index,
                        problem: "holds a domain that an earlier rule already has",
                    });
                }
            }
        }
        let rules = policy.licences.iter().flat_map(|licences| &licences.rules);
        if let Some(index) = rules.into_iter().position(LicenceRule::is_empty) {
            let path = format!("licences.rules[{index}]");
            let problem =
                "names no job_code, department, location or employment_type; use licences.default for everybody";
            return Err(BrokenPolicy::Member { path, problem });
        }
        match policy.protected.problem().or_else(|| policy.audit.problem()).or_else(|| policy.sources.problem()) {
            Some((path, problem)) => Err(BrokenPolicy::Member { path, problem }),
            None => Ok(policy),
        }
    }

    /// The account that the policy names for an address.
    #[must_use]
    pub fn account_of(&self, email: &WorkEmail) -> Option<&AccountId> {
        self.accounts
            .iter()
            .find(|rule| rule.domains.iter().any(|domain| domain == email.domain()))
            .map(|rule| &rule.account)
    }

    /// The ledger keys of the brake's budgets: over all accounts, and in each account that the policy names.
    #[must_use]
    pub fn budget_keys(&self) -> BTreeSet<String> {
        let mut keys = BTreeSet::new();
        for class in ActionClass::ALL {
            let Some(rules) = self.brake.of(class) else { continue };
            keys.insert(budget_key(class, None));
            let accounts = self.accounts.iter().filter(|_| !rules.per_account.is_empty());
            keys.extend(accounts.map(|rule| budget_key(class, Some(rule.account.as_ref()))));
        }
        keys
    }

    /// Which fact families take access away.
    #[must_use]
    pub fn access_policy(&self) -> AccessPolicy {
        AccessPolicy {
            leave: self.access.on_leave == OnAbsence::Suspend,
            login: self.access.on_inactive_login == OnAbsence::Suspend,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pin_is_reset_as_the_policy_says() {
        let reasons = [
            None,
            Some(ReasonCategory::Voluntary),
            Some(ReasonCategory::Unknown),
            Some(ReasonCategory::Involuntary),
            Some(ReasonCategory::Security),
        ];
        let table = [
            (PinReset::Always, [true, true, true, true, true]),
            (PinReset::Security, [false, false, false, true, true]),
            (PinReset::Never, [false, false, false, false, false]),
        ];
        for (policy, expected) in table {
            assert_eq!(reasons.map(|reason| policy.applies(reason)), expected, "{policy:?}");
        }
    }

    #[test]
    fn a_domain_belongs_to_one_account() {
        let twice = r#"{"accounts":[{"account":"a","domains":["x.example"]},{"account":"b","domains":["X.example"]}]}"#;
        let error = Policy::parse(twice).unwrap_err().to_string();
        assert_eq!(error, "policy.accounts[1].domains: holds a domain that an earlier rule already has");
    }

    #[test]
    fn a_protected_section_that_cannot_be_is_refused_with_its_member() {
        let group = |rest: &str| format!(r#"{{"groups":[{{"name":"a","members":["x@y.example"]{rest}}}]}}"#);
        let table = [
            (r#"{"emails":["nobody"]}"#.to_owned(), "policy.protected.emails[0] must be an e-mail address"),
            (group(r#","minimum":2"#), "policy.protected.groups[0].minimum must not be above the number of members"),
            (
                r#"{"groups":[{"name":"a b","members":[]}]}"#.to_owned(),
                "policy.protected.groups[0].name must be letters, digits and -",
            ),
        ];
        for (section, expected) in table {
            let error = Policy::parse(&format!(r#"{{"protected":{section}}}"#)).unwrap_err().to_string();
            assert_eq!(error, expected);
        }
        Policy::parse(&format!(r#"{{"protected":{}}}"#, group(""))).unwrap();
    }

    #[test]
    fn a_misspelt_section_is_refused_with_its_line() {
        let error = Policy::parse("{\n \"pin_resets\": \"never\"\n}").unwrap_err().to_string();
        assert!(error.contains("pin_resets") && error.contains("line 2"), "{error}");
    }

    #[test]
    fn a_refusal_does_not_repeat_whom_the_policy_names() {
        let wrong = "{\n \"protected\": {\n  \"emails\": \"ceo@x.example\"\n }\n}";
        let error = Policy::parse(wrong).unwrap_err().to_string();
        assert_eq!(error, "the policy is wrong at line 3, column 27: expected a sequence");
    }

    #[test]
    fn a_rule_for_everybody_is_the_default() {
        let error = Policy::parse(r#"{"licences":{"rules":[{"licence":"Pro"}]}}"#).unwrap_err().to_string();
        assert!(error.starts_with("policy.licences.rules[0] names no job_code"), "{error}");
    }
}
