//! An account's members, as on the wire and in a seed.

use super::{License, Moment};
use serde::{Deserialize, Serialize};

/// How an account's people sign in.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum AccountType {
    /// By invitation.
    #[default]
    Team,
    /// Active Directory.
    EnterpriseDirectory,
    /// Login with Amazon, on a claimed domain.
    EnterpriseLWA,
    /// Okta.
    EnterpriseOIDC,
}

impl AccountType {
    /// Users, groups and licences come from the company's directory.
    #[must_use]
    pub fn is_directory(self) -> bool {
        match self {
            AccountType::EnterpriseDirectory | AccountType::EnterpriseOIDC => true,
            AccountType::Team | AccountType::EnterpriseLWA => false,
        }
    }
}

/// Whether an account is in use.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum AccountStatus {
    /// It is.
    #[default]
    Active,
    /// It is not.
    Suspended,
}

/// A group of the directory whose members may sign in for others.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct SigninDelegateGroup {
    /// Its name.
    pub group_name: Option<String>,
}

/// The members of an account, as on the wire.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Account {
    /// Its id.
    pub account_id: String,
    /// Its name.
    pub name: String,
    /// Its type.
    #[serde(default)]
    pub account_type: AccountType,
    /// The AWS account that holds it.
    #[serde(default = "default_aws_account")]
    pub aws_account_id: String,
    /// When it was made.
    #[serde(default)]
    pub created_timestamp: Option<Moment>,
    /// The licence of new users.
    #[serde(default)]
    pub default_license: License,
    /// The licences that its users may have.
    #[serde(default = "default_licenses")]
    pub supported_licenses: Vec<License>,
    /// Whether it is in use.
    #[serde(default)]
    pub account_status: AccountStatus,
    /// Groups whose members may sign in for others.
    #[serde(default)]
    pub signin_delegate_groups: Vec<SigninDelegateGroup>,
}

impl Account {
    /// A new account, as CreateAccount makes one.
    #[must_use]
    pub fn new(account_id: String, name: String, created: Moment) -> Account {
        Account {
            account_id,
            name,
            account_type: AccountType::Team,
            aws_account_id: default_aws_account(),
            created_timestamp: Some(created),
            default_license: License::Pro,
            supported_licenses: default_licenses(),
            account_status: AccountStatus::Active,
            signin_delegate_groups: Vec::new(),
        }
    }
}

/// An account's settings. A new account has both off.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct AccountSettings {
    /// Nobody may take over a shared screen.
    #[serde(default)]
    pub disable_remote_control: bool,
    /// Meetings may call out.
    #[serde(default)]
    pub enable_dial_out: bool,
}

/// Settings above all accounts: where call detail records go.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct GlobalSettings {
    /// Of Business Calling.
    #[serde(default)]
    pub business_calling: Option<CdrSettings>,
    /// Of Voice Connectors.
    #[serde(default)]
    pub voice_connector: Option<CdrSettings>,
}

/// A bucket for call detail records.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct CdrSettings {
    /// Its name.
    #[serde(default)]
    pub cdr_bucket: Option<String>,
}

fn default_aws_account() -> String {
    "111122223333".into()
}

fn default_licenses() -> Vec<License> {
    vec![License::Basic, License::Pro]
}
