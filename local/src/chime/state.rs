//! Accounts and users, and what the operations do to them. No wire, no clock, no faults.

use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, HashMap};

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
    /// When it was made; ISO 8601 with milliseconds.
    #[serde(default)]
    pub created_timestamp: Option<String>,
    /// The licence of new users.
    #[serde(default = "default_license")]
    pub default_license: String,
    /// The licences that its users may have.
    #[serde(default = "default_licenses")]
    pub supported_licenses: Vec<String>,
    /// `Active` or `Suspended`.
    #[serde(default = "default_status")]
    pub account_status: String,
}

fn default_aws_account() -> String {
    "111122223333".into()
}

fn default_license() -> String {
    "Pro".into()
}

fn default_licenses() -> Vec<String> {
    vec!["Basic".into(), "Pro".into()]
}

fn default_status() -> String {
    "Active".into()
}

/// Whether a user can sign in.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Registration {
    /// Invited, not yet registered.
    Unregistered,
    /// Registered.
    #[default]
    Registered,
    /// Blocked.
    Suspended,
}

/// The members of a user, as on the wire.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct User {
    /// Its id.
    pub user_id: String,
    /// Its account. Filled in from the account that holds it.
    #[serde(default)]
    pub account_id: String,
    /// Its address.
    #[serde(default)]
    pub primary_email: Option<String>,
    /// Its name.
    #[serde(default)]
    pub display_name: Option<String>,
    /// Its licence.
    #[serde(default)]
    pub license_type: Option<String>,
    /// `PrivateUser` or `SharedDevice`.
    #[serde(default)]
    pub user_type: Option<String>,
    /// Whether it can sign in.
    #[serde(default)]
    pub user_registration_status: Registration,
    /// `Pending`, `Accepted` or `Failed`.
    #[serde(default)]
    pub user_invitation_status: Option<String>,
    /// When it registered.
    #[serde(default)]
    pub registered_on: Option<String>,
    /// When it was invited.
    #[serde(default)]
    pub invited_on: Option<String>,
    /// Its meeting PIN: ten digits.
    #[serde(default, rename = "PersonalPIN")]
    pub personal_pin: Option<String>,
    /// Open sessions. Not on the wire.
    #[serde(default, skip_serializing)]
    pub sessions: u32,
}

/// One account with its users, in the order they came.
#[derive(Clone, Debug)]
pub struct AccountState {
    /// The account.
    pub account: Account,
    users: BTreeMap<u64, User>,
    next: u64,
    by_id: HashMap<String, u64>,
    by_email: HashMap<String, u64>,
}

/// Why one user of a batch was not touched.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UserProblem {
    /// No such user in the account.
    NotFound,
    /// The account's type does not allow it.
    BadRequest,
}

impl AccountState {
    /// An account without users.
    #[must_use]
    pub fn new(account: Account) -> AccountState {
        AccountState { account, users: BTreeMap::new(), next: 0, by_id: HashMap::new(), by_email: HashMap::new() }
    }

    /// Adds a user; `false` where its id or address is taken.
    pub fn add(&mut self, mut user: User) -> bool {
        let email = user.primary_email.as_deref().map(str::to_lowercase);
        if self.by_id.contains_key(&user.user_id)
            || email.as_ref().is_some_and(|email| self.by_email.contains_key(email))
        {
            return false;
        }
        user.account_id.clone_from(&self.account.account_id);
        self.by_id.insert(user.user_id.clone(), self.next);
        if let Some(email) = email {
            self.by_email.insert(email, self.next);
        }
        self.users.insert(self.next, user);
        self.next += 1;
        true
    }

    /// A user by id.
    #[must_use]
    pub fn user(&self, id: &str) -> Option<&User> {
        self.users.get(self.by_id.get(id)?)
    }

    /// A user by id, to change.
    pub fn user_mut(&mut self, id: &str) -> Option<&mut User> {
        self.users.get_mut(self.by_id.get(id)?)
    }

    /// The user with an address, whatever its case.
    #[must_use]
    pub fn by_email(&self, email: &str) -> Option<&User> {
        self.users.get(self.by_email.get(&email.to_lowercase())?)
    }

    /// Users from a position on, in the order they came, each with its position.
    pub fn users_from(&self, position: u64) -> impl Iterator<Item = (u64, &User)> {
        self.users.range(position..).map(|(position, user)| (*position, user))
    }

    /// All users.
    pub fn users(&self) -> impl Iterator<Item = &User> {
        self.users.values()
    }

    /// Suspends one user: on Team it *removes*, on EnterpriseLWA it blocks and ends all sessions.
    ///
    /// # Errors
    /// [`UserProblem`]; nothing changed.
    pub fn suspend(&mut self, id: &str) -> Result<(), UserProblem> {
        match self.account.account_type {
            AccountType::Team => self.remove(id),
            AccountType::EnterpriseLWA => {
                let user = self.user_mut(id).ok_or(UserProblem::NotFound)?;
                user.user_registration_status = Registration::Suspended;
                user.sessions = 0;
                Ok(())
            }
            // Undocumented what the service answers here; the console sends people to their directory.
            AccountType::EnterpriseDirectory | AccountType::EnterpriseOIDC => Err(UserProblem::BadRequest),
        }
    }

    fn remove(&mut self, id: &str) -> Result<(), UserProblem> {
        let position = self.by_id.remove(id).ok_or(UserProblem::NotFound)?;
        if let Some(email) = self.users.remove(&position).and_then(|user| user.primary_email) {
            self.by_email.remove(&email.to_lowercase());
        }
        Ok(())
    }
}
