//! What the audit says: one finding a rule and user (or account), with reason, evidence and confidence.

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fmt;

/// A rule of the audit. Its settings are in the policy's `audit.rules`, under the same name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Rule {
    /// Suspended or removed in HR, and active in the directory.
    Orphan,
    /// Nobody in HR has this address.
    UnknownToHr,
    /// The licence is above what the policy gives to the job.
    LicenceAbovePolicy,
    /// A Pro licence of somebody who never registered.
    ProNeverRegistered,
    /// A licence that the account does not offer.
    UnsupportedLicence,
    /// A trial ends soon.
    TrialRunningOut,
    /// An invitation waits.
    InvitationPending,
    /// The mail of an invitation came back.
    InvitationFailed,
    /// Active in HR, and not in the directory.
    AbsentFromChime,
    /// One address has several users.
    DuplicatePerson,
    /// The policy protects the address, and nobody in HR has it.
    ProtectedUnknownToHr,
    /// An account's settings are not what is wanted.
    SettingsDrift,
    /// An account is suspended as a whole.
    AccountSuspended,
}

impl Rule {
    /// Every rule, in the order of a report: what is most urgent comes first.
    pub const ALL: [Rule; 13] = [
        Rule::Orphan,
        Rule::UnknownToHr,
        Rule::LicenceAbovePolicy,
        Rule::ProNeverRegistered,
        Rule::UnsupportedLicence,
        Rule::TrialRunningOut,
        Rule::InvitationPending,
        Rule::InvitationFailed,
        Rule::AbsentFromChime,
        Rule::DuplicatePerson,
        Rule::ProtectedUnknownToHr,
        Rule::SettingsDrift,
        Rule::AccountSuspended,
    ];

    /// The name in the policy, in reports and in metrics.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Rule::Orphan => "orphan",
            Rule::UnknownToHr => "unknown_to_hr",
            Rule::LicenceAbovePolicy => "licence_above_policy",
            Rule::ProNeverRegistered => "pro_never_registered",
            Rule::UnsupportedLicence => "unsupported_licence",
            Rule::TrialRunningOut => "trial_running_out",
            Rule::InvitationPending => "invitation_pending",
            Rule::InvitationFailed => "invitation_failed",
            Rule::AbsentFromChime => "absent_from_chime",
            Rule::DuplicatePerson => "duplicate_person",
            Rule::ProtectedUnknownToHr => "protected_unknown_to_hr",
            Rule::SettingsDrift => "settings_drift",
            Rule::AccountSuspended => "account_suspended",
        }
    }

    /// A heading for people.
    #[must_use]
    pub fn title(self) -> &'static str {
        match self {
            Rule::Orphan => "Left in HR, active in Chime",
            Rule::UnknownToHr => "Unknown to HR",
            Rule::LicenceAbovePolicy => "Licence above the policy's for the job",
            Rule::ProNeverRegistered => "Pro licence, never registered",
            Rule::UnsupportedLicence => "Licence that the account does not offer",
            Rule::TrialRunningOut => "Trial runs out",
            Rule::InvitationPending => "Invitation not answered",
            Rule::InvitationFailed => "Invitation could not be delivered",
            Rule::AbsentFromChime => "Active in HR, not in Chime",
            Rule::DuplicatePerson => "Several users with one address",
            Rule::ProtectedUnknownToHr => "Protected, and unknown to HR",
            Rule::SettingsDrift => "Settings of an account differ from the policy",
            Rule::AccountSuspended => "Account suspended as a whole",
        }
    }
}

/// How sure a finding is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Confidence {
    /// Something that nobody can see from here may explain it.
    Low,
    /// Probable.
    Medium,
    /// HR and the directory say so.
    High,
}

impl Confidence {
    /// The name in reports.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Confidence::Low => "low",
            Confidence::Medium => "medium",
            Confidence::High => "high",
        }
    }
}

/// What acting on a finding is good for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Effect {
    /// Somebody loses access that is not due.
    ClosesAccess,
    /// Costs less: the usage shows days on which the user hosted meetings.
    SavesMoney,
    /// Costs the same: Chime bills Pro by the day on which a meeting is hosted.
    TidiesUp,
    /// Somebody should look.
    Informs,
}

impl Effect {
    /// Every effect, in the order of a report.
    pub const ALL: [Effect; 4] = [Effect::ClosesAccess, Effect::SavesMoney, Effect::TidiesUp, Effect::Informs];

    /// The name in reports.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Effect::ClosesAccess => "closes_access",
            Effect::SavesMoney => "saves_money",
            Effect::TidiesUp => "tidies_up",
            Effect::Informs => "informs",
        }
    }
}

/// What the audit asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Action {
    /// `license.reclaim.requested`: a lower licence.
    Reclaim,
    /// `access.removal.requested`: no access.
    Removal,
}

impl Action {
    /// Both, the lesser first: a licence goes before access does.
    pub const ALL: [Action; 2] = [Action::Reclaim, Action::Removal];

    /// The name in reports.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Action::Reclaim => "reclaim",
            Action::Removal => "removal",
        }
    }
}

/// Why nothing is proposed though something could be.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Withheld {
    /// The rule only tells (`act` is false).
    OnlyTells,
    /// It was asked for lately.
    CoolDown,
    /// The policy protects the person.
    Protected,
    /// Licences of this account come from the groups of the company's directory.
    LicenceByGroups,
    /// The account is suspended as a whole.
    AccountSuspended,
    /// One address has several users: nobody can say which one is meant.
    SeveralUsers,
    /// The policy names another account for the address: the road would look there.
    OtherAccount,
    /// HR has several people with this address.
    SeveralInHr,
    /// The roster is too old, or there is none.
    NoRoster,
    /// The job's licence is not the one that reclaiming leaves (`licences.reclaim`).
    OtherLicence,
    /// The policy sets no licences.
    NoLicencePolicy,
    /// Nobody can be found by this user's address.
    NoAddress,
}

impl Withheld {
    /// A sentence for people.
    #[must_use]
    pub fn sentence(self) -> &'static str {
        match self {
            Withheld::OnlyTells => "the rule only tells",
            Withheld::CoolDown => "asked for lately",
            Withheld::Protected => "protected by the policy",
            Withheld::LicenceByGroups => "the company's directory gives the licences of this account",
            Withheld::AccountSuspended => "the account is suspended as a whole",
            Withheld::SeveralUsers => "the address has several users",
            Withheld::OtherAccount => "the policy names another account for this address",
            Withheld::SeveralInHr => "HR has several people with this address",
            Withheld::NoRoster => "no roster that is new enough",
            Withheld::OtherLicence => "the job's licence is not the one that reclaiming leaves",
            Withheld::NoLicencePolicy => "the policy sets no licences",
            Withheld::NoAddress => "the user has no address",
        }
    }
}

/// Why a person is not named by a rule that would fit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Exemption {
    /// Began lately, or has not begun.
    Tenure,
    /// Is on leave.
    OnLeave,
    /// The policy protects the person.
    Protected,
}

impl Exemption {
    /// The name in reports.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Exemption::Tenure => "tenure",
            Exemption::OnLeave => "on_leave",
            Exemption::Protected => "protected",
        }
    }
}

/// One thing that the audit found. It names a person: the report is for those who may see that.
#[derive(Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Finding {
    /// The rule that says so.
    pub rule: Rule,
    /// The account's id; absent where the person has no user.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub account: Option<String>,
    /// The account's name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub account_name: Option<String>,
    /// The user's id.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user: Option<String>,
    /// The address.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub email: Option<String>,
    /// HR's employee number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub worker_id: Option<String>,
    /// The department.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub department: Option<String>,
    /// The licence, as the directory names it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub licence: Option<String>,
    /// Why, in a sentence.
    pub reason: String,
    /// What it rests on: a name and a value each.
    pub evidence: BTreeMap<String, String>,
    /// How sure it is.
    pub confidence: Confidence,
    /// What acting on it is good for.
    pub effect: Effect,
    /// Days on which the user hosted meetings, at most, in the weeks of the usage that was given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hosting_days: Option<u32>,
    /// What the audit asks for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub proposal: Option<Action>,
    /// Why it asks for nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub withheld: Option<Withheld>,
}

/// It names a person.
impl fmt::Debug for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Finding")
            .field("rule", &self.rule)
            .field("effect", &self.effect)
            .field("proposal", &self.proposal)
            .field("withheld", &self.withheld)
            .finish_non_exhaustive()
    }
}

/// The report as one JSON document.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Report {
    /// Version of this shape; always `1.0`.
    pub schema_version: String,
    /// What the audit found, accounts first, then by address.
    pub findings: Vec<Finding>,
    /// The numbers.
    pub summary: Summary,
}

/// The numbers of a run. No personal data.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Summary {
    /// The run's name.
    pub run: String,
    /// When it began.
    #[schemars(with = "String", extend("format" = "date-time"))]
    pub at: Timestamp,
    /// What becomes of what it proposes: `report`, `propose` or `enforce`.
    pub mode: crate::policy::AuditMode,
    /// The roster that it rests on.
    pub roster: RosterUsed,
    /// The accounts, by name.
    pub accounts: Vec<AccountSummary>,
    /// Users by department and licence. Those whom HR does not know are in none.
    pub departments: BTreeMap<String, BTreeMap<String, u64>>,
    /// How many findings each rule has.
    pub findings: BTreeMap<Rule, u64>,
    /// How many findings are good for what.
    pub effects: BTreeMap<Effect, u64>,
    /// How many people were spared.
    pub exempted: BTreeMap<Exemption, u64>,
    /// How much is proposed.
    pub proposals: BTreeMap<Action, u64>,
    /// What the licences cost that could go, as far as the usage tells.
    pub savings: Savings,
}

/// The roster that a run rests on.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct RosterUsed {
    /// Whether it could be used.
    pub state: RosterState,
    /// When it was loaded.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<String>", extend("format" = "date-time"))]
    pub loaded_at: Option<Timestamp>,
    /// How many people it has.
    pub rows: u64,
    /// How many of them have no address: nobody can tell whether they have a user.
    pub without_address: u64,
}

/// Whether the roster could be used.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum RosterState {
    /// It was.
    Used,
    /// It is older than the policy believes.
    TooOld,
    /// There is none.
    #[default]
    Missing,
}

/// One account.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct AccountSummary {
    /// Its id.
    pub id: String,
    /// Its name.
    pub name: String,
    /// Its type, as the directory names it.
    #[serde(rename = "type")]
    pub kind: String,
    /// How many users were listed.
    pub users: u64,
    /// Those who have registered and may sign in.
    pub registered: u64,
    /// Those who are blocked.
    pub suspended: u64,
    /// Those who have not registered.
    pub unregistered: u64,
    /// Users by licence; `none` for those who have none yet.
    pub licences: BTreeMap<String, u64>,
    /// Why its listing is not believed. Then nothing is said or proposed about its users.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub incomplete: Option<String>,
}

/// What could be saved, as far as the usage tells.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Savings {
    /// How many weeks of usage were given. None: nothing is computed.
    pub weeks: u32,
    /// Days on which users hosted meetings whose licence could go, at most, in those weeks.
    pub hosting_days: u64,
    /// What these days cost at the policy's price.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cost: Option<crate::policy::Price>,
}
