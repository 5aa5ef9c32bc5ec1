//! The port to the directory as a whole: every account and every user, page by page, for the licence audit.

use super::{AccountId, AccountType, Invitation, Registration, UserId};
use crate::failure::Failure;
use crate::person::WorkEmail;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use std::fmt;
use std::future::Future;

/// Users of a full page. Source: the service model (`MaxResults`, 200 at most).
pub const PAGE: usize = 200;

/// An account as a listing shows it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ListedAccount {
    /// Its id.
    pub id: AccountId,
    /// Its name, of 1 to 100 characters.
    pub name: String,
    /// Its type.
    pub kind: AccountType,
    /// It is in use: not suspended as a whole.
    pub active: bool,
    /// The licences that its users can have. Empty where the directory does not tell.
    pub licences: Vec<String>,
}

/// An account's settings. Absent: the directory does not tell.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Settings {
    /// Remote control of a shared screen is off.
    pub disable_remote_control: Option<bool>,
    /// Meetings can dial out.
    pub enable_dial_out: Option<bool>,
}

/// A user as a listing shows it.
#[derive(Clone, PartialEq, Eq)]
pub struct ListedUser {
    /// Its id.
    pub id: UserId,
    /// Its address.
    pub email: Option<WorkEmail>,
    /// Whether it can sign in.
    pub registration: Registration,
    /// What became of its invitation.
    pub invitation: Invitation,
    /// Its licence, as the directory names it.
    pub licence: Option<String>,
    /// When it was invited.
    pub invited_on: Option<Timestamp>,
    /// When it registered.
    pub registered_on: Option<Timestamp>,
    /// It is a device in a room, and no person.
    pub shared_device: bool,
}

/// It names a person.
impl fmt::Debug for ListedUser {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ListedUser").field("id", &self.id).finish_non_exhaustive()
    }
}

/// One page of an account's users.
#[derive(Clone, Debug)]
pub struct UserPage {
    /// Its users.
    pub users: Vec<ListedUser>,
    /// The token of the next page; `None` on the last. Never empty.
    pub next: Option<String>,
}

/// The port to the directory as a whole. Each method is one read that fails closed: what it answers is whole.
pub trait Listing {
    /// Every account.
    ///
    /// # Errors
    /// [`Failure`], also where a page of the accounts comes again.
    fn accounts(&self) -> impl Future<Output = Result<Vec<ListedAccount>, Failure>>;

    /// The settings of an account.
    ///
    /// # Errors
    /// [`Failure`].
    fn settings(&self, account: &AccountId) -> impl Future<Output = Result<Settings, Failure>>;

    /// One page of an account's users, of [`PAGE`] at most: the first, or that of a token.
    ///
    /// # Errors
    /// [`Failure`].
    fn users(&self, account: &AccountId, token: Option<&str>) -> impl Future<Output = Result<UserPage, Failure>>;

    /// The accounts that have a user with this address.
    ///
    /// # Errors
    /// [`Failure`].
    fn accounts_with(&self, email: &WorkEmail) -> impl Future<Output = Result<Vec<AccountId>, Failure>>;

    /// The user of an account with this address, as it is now.
    ///
    /// # Errors
    /// [`Failure`].
    fn user_with(
        &self,
        account: &AccountId,
        email: &WorkEmail,
    ) -> impl Future<Output = Result<Option<ListedUser>, Failure>>;
}
