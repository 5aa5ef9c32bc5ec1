//! Accounts and users, and what the operations do to them. No wire, no clock, no faults.

mod account;
mod index;
mod moment;
mod user;

pub use account::{
    Account, AccountSettings, AccountStatus, AccountType, CdrSettings, GlobalSettings, SigninDelegateGroup,
};
pub use moment::Moment;
pub use user::{Invitation, License, Registration, Telephony, User, UserType};

use index::Index;
use std::collections::BTreeMap;
use std::sync::Arc;

/// One account with its users, in the order they came.
///
/// *Invariant*: both indexes hold exactly the users that are there; nobody changes an id or an address in place.
#[derive(Clone, Debug)]
pub struct AccountState {
    /// The account.
    pub account: Account,
    /// Its settings.
    pub settings: AccountSettings,
    /// Claimed domains. An Enterprise account always has some; a seed may leave open which.
    pub domains: Vec<String>,
    /// Its domains were released, so that it may be deleted.
    pub domains_released: bool,
    id: Arc<str>,
    users: BTreeMap<u64, Box<User>>,
    next: u64,
    by_id: Index,
    by_email: Index,
    changes: u64,
    counted: Option<(u64, Counts)>,
}

/// How many users stand how.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Counts {
    /// All users.
    pub users: usize,
    /// Registered ones.
    pub registered: usize,
    /// Invited ones.
    pub unregistered: usize,
    /// Blocked ones.
    pub suspended: usize,
    /// Open sessions.
    pub sessions: u64,
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
        AccountState {
            id: Arc::from(account.account_id.as_str()),
            account,
            settings: AccountSettings::default(),
            domains: Vec::new(),
            domains_released: false,
            users: BTreeMap::new(),
            next: 0,
            by_id: Index::default(),
            by_email: Index::default(),
            changes: 0,
            counted: None,
        }
    }

    /// Adds a user; `false` where its id or address is taken.
    pub fn add(&mut self, mut user: User) -> bool {
        let email = user.primary_email.as_deref().map(str::to_lowercase);
        if self.user(&user.user_id).is_some() || email.as_ref().is_some_and(|email| self.by_email(email).is_some()) {
            return false;
        }
        user.account_id = Arc::clone(&self.id);
        self.by_id.insert(&user.user_id, self.next);
        if let Some(email) = email {
            self.by_email.insert(&email, self.next);
        }
        self.users.insert(self.next, Box::new(user));
        self.next += 1;
        self.changes += 1;
        true
    }

    /// A user by id.
    #[must_use]
    pub fn user(&self, id: &str) -> Option<&User> {
        self.at(self.position(id)?)
    }

    /// A user by id, to change. Its id and its address stay as they are.
    pub fn user_mut(&mut self, id: &str) -> Option<&mut User> {
        self.changes += 1;
        self.users.get_mut(&self.position(id)?).map(Box::as_mut)
    }

    /// The user with an address, whatever its case.
    #[must_use]
    pub fn by_email(&self, email: &str) -> Option<&User> {
        let email = email.to_lowercase();
        let is_it = |position| {
            let known = self.at(position).and_then(|user| user.primary_email.as_deref());
            known.is_some_and(|known| known == email || known.to_lowercase() == email)
        };
        self.at(self.by_email.find(&email, is_it)?)
    }

    /// Users from a position on, in the order they came, each with its position.
    pub fn users_from(&self, position: u64) -> impl DoubleEndedIterator<Item = (u64, &User)> {
        self.users.range(position..).map(|(position, user)| (*position, &**user))
    }

    /// Users up to a position, the last that came first, each with its position.
    pub fn users_down_from(&self, position: u64) -> impl Iterator<Item = (u64, &User)> {
        self.users.range(..=position).rev().map(|(position, user)| (*position, &**user))
    }

    /// All users.
    pub fn users(&self) -> impl Iterator<Item = &User> {
        self.users.values().map(Box::as_ref)
    }

    /// How many users there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.users.len()
    }

    /// There is no user.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.users.is_empty()
    }

    /// Counts the users; again only where something changed since the last time.
    pub fn counts(&mut self) -> Counts {
        if let Some((changes, counts)) = self.counted.filter(|(changes, _)| *changes == self.changes) {
            debug_assert_eq!(changes, self.changes);
            return counts;
        }
        let mut counts = Counts { users: self.users.len(), ..Counts::default() };
        for user in self.users.values() {
            counts.sessions += u64::from(user.sessions);
            match user.user_registration_status {
                Registration::Registered => counts.registered += 1,
                Registration::Unregistered => counts.unregistered += 1,
                Registration::Suspended => counts.suspended += 1,
            }
        }
        self.counted = Some((self.changes, counts));
        counts
    }

    /// Suspends one user: on Team it *removes*, on EnterpriseLWA it blocks and ends all sessions.
    ///
    /// # Errors
    /// [`UserProblem`]; nothing changed.
    pub fn suspend(&mut self, id: &str) -> Result<(), UserProblem> {
        match self.account.account_type {
            AccountType::Team => self.remove(id).map(|_| ()).ok_or(UserProblem::NotFound),
            AccountType::EnterpriseLWA => self.block(id),
            // Undocumented what the service answers here; the console sends people to their directory.
            AccountType::EnterpriseDirectory | AccountType::EnterpriseOIDC => Err(UserProblem::BadRequest),
        }
    }

    /// Blocks one user and ends its sessions.
    ///
    /// # Errors
    /// [`UserProblem::NotFound`]; nothing changed.
    pub fn block(&mut self, id: &str) -> Result<(), UserProblem> {
        let user = self.user_mut(id).ok_or(UserProblem::NotFound)?;
        user.user_registration_status = Registration::Suspended;
        user.sessions = 0;
        Ok(())
    }

    /// Lets a blocked user in again; a user who is not blocked stays as it is.
    ///
    /// # Errors
    /// [`UserProblem`]; nothing changed.
    pub fn unsuspend(&mut self, id: &str) -> Result<(), UserProblem> {
        if self.account.account_type != AccountType::EnterpriseLWA {
            return Err(UserProblem::BadRequest);
        }
        let user = self.user_mut(id).ok_or(UserProblem::NotFound)?;
        if user.user_registration_status == Registration::Suspended {
            user.user_registration_status = Registration::Registered;
        }
        Ok(())
    }

    /// Takes a user out.
    pub fn remove(&mut self, id: &str) -> Option<User> {
        let position = self.position(id)?;
        let user = self.users.remove(&position)?;
        self.by_id.remove(id, position);
        if let Some(email) = &user.primary_email {
            self.by_email.remove(&email.to_lowercase(), position);
        }
        self.changes += 1;
        Some(*user)
    }

    fn position(&self, id: &str) -> Option<u64> {
        self.by_id.find(id, |position| self.at(position).is_some_and(|user| user.user_id == id))
    }

    fn at(&self, position: u64) -> Option<&User> {
        self.users.get(&position).map(Box::as_ref)
    }
}
