//! A user as a run keeps it between listing and judging.

use crate::directory::listing::ListedUser;
use crate::directory::{Invitation, Registration, UserId};
use crate::runs::Keyed;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use std::fmt;

/// A user as the listing of its account showed it.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SeenUser {
    /// The address, lower case; empty where the directory shows none.
    #[serde(rename = "e")]
    pub email: String,
    /// The number of its account in this run.
    #[serde(rename = "a")]
    pub account: usize,
    /// Its id.
    #[serde(rename = "u")]
    pub id: UserId,
    /// Whether it can sign in.
    #[serde(rename = "r")]
    pub registration: Registration,
    /// What became of its invitation.
    #[serde(rename = "i")]
    pub invitation: Invitation,
    /// Its licence, as the directory names it.
    #[serde(rename = "l", default, skip_serializing_if = "Option::is_none")]
    pub licence: Option<String>,
    /// When it was invited, in seconds since 1970.
    #[serde(rename = "v", default, skip_serializing_if = "Option::is_none")]
    pub(in crate::audit) invited_on: Option<i64>,
    /// When it registered, in seconds since 1970.
    #[serde(rename = "g", default, skip_serializing_if = "Option::is_none")]
    pub(in crate::audit) registered_on: Option<i64>,
    /// It is a device in a room, and no person.
    #[serde(rename = "d", default, skip_serializing_if = "std::ops::Not::not")]
    pub shared_device: bool,
}

/// It names a person.
impl fmt::Debug for SeenUser {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SeenUser").field("account", &self.account).field("id", &self.id).finish_non_exhaustive()
    }
}

impl Keyed for SeenUser {
    fn key(&self) -> &str {
        &self.email
    }
}

impl SeenUser {
    /// Keeps what a listing shows.
    #[must_use]
    pub fn new(user: ListedUser, account: usize) -> SeenUser {
        SeenUser {
            email: user.email.map(|email| email.as_ref().to_owned()).unwrap_or_default(),
            account,
            id: user.id,
            registration: user.registration,
            invitation: user.invitation,
            licence: user.licence,
            invited_on: user.invited_on.map(Timestamp::as_second),
            registered_on: user.registered_on.map(Timestamp::as_second),
            shared_device: user.shared_device,
        }
    }

    /// When it was invited.
    #[must_use]
    pub fn invited_on(&self) -> Option<Timestamp> {
        Timestamp::from_second(self.invited_on?).ok()
    }

    /// When it registered.
    #[must_use]
    pub fn registered_on(&self) -> Option<Timestamp> {
        Timestamp::from_second(self.registered_on?).ok()
    }
}
