//! The directory port: accounts and users, and the few things that Rollcall does to them.
//!
//! Amazon Chime stands behind it ([`chime::Chime`]); another directory can take its place.

pub mod chime;

use crate::failure::{Cause, Failure};
use crate::person::WorkEmail;
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use std::fmt;
use std::future::Future;
use std::time::Duration;

/// The longest that one call may take, its retries included.
pub const CALL_TIMEOUT: Duration = Duration::from_secs(10);

/// What is kept free before the deadline, for the settle and the report.
const MARGIN: SignedDuration = SignedDuration::from_secs(5);

/// When the invocation ends, whatever is under way.
#[derive(Clone, Copy, Debug)]
pub struct Deadline(Timestamp);

impl Deadline {
    /// A deadline at an instant.
    #[must_use]
    pub fn at(at: Timestamp) -> Deadline {
        Deadline(at)
    }

    /// The instant.
    #[must_use]
    pub fn instant(self) -> Timestamp {
        self.0
    }

    /// Whether so many calls, one after the other, would all end 5 s before the deadline.
    #[must_use]
    pub fn allows(self, now: Timestamp, calls: u32) -> bool {
        let longest = SignedDuration::try_from(CALL_TIMEOUT * calls).unwrap_or(SignedDuration::MAX);
        self.0.duration_since(now) >= longest.saturating_add(MARGIN)
    }
}

/// Names an account of the directory: never blank.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct AccountId(String);

/// Names a user of the directory: never blank.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct UserId(String);

macro_rules! directory_id {
    ($name:ident) => {
        impl TryFrom<String> for $name {
            type Error = &'static str;

            fn try_from(text: String) -> Result<$name, &'static str> {
                if text.trim().is_empty() { Err("must not be blank") } else { Ok($name(text)) }
            }
        }

        impl From<$name> for String {
            fn from(id: $name) -> String {
                id.0
            }
        }

        impl AsRef<str> for $name {
            fn as_ref(&self) -> &str {
                &self.0
            }
        }
    };
}

directory_id!(AccountId);
directory_id!(UserId);

/// How an account's people sign in, and so what can be done to them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum AccountType {
    /// By invitation; suspending *removes*, and the person stays a free user.
    Team,
    /// Login with Amazon on a claimed domain; Chime itself can block.
    #[serde(rename = "EnterpriseLWA")]
    EnterpriseLwa,
    /// Active Directory decides.
    EnterpriseDirectory,
    /// Okta decides.
    #[serde(rename = "EnterpriseOIDC")]
    EnterpriseOidc,
}

/// An account of the directory.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Account {
    /// Its id.
    pub id: AccountId,
    /// Its type.
    #[serde(rename = "type")]
    pub kind: AccountType,
}

/// Whether a user can sign in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Registration {
    /// Invited, not yet registered.
    Unregistered,
    /// Registered.
    Registered,
    /// Blocked.
    Suspended,
    /// A status that this version does not know.
    Unknown,
}

/// A user as the directory shows it. No address, no name: those stay in the directory.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct User {
    /// Its id.
    pub id: UserId,
    /// Whether it can sign in.
    pub registration: Registration,
    /// Its licence, as the directory names it.
    pub licence: Option<String>,
}

/// A person to look for.
#[derive(Clone, Debug)]
pub struct Sought {
    /// The address.
    pub email: WorkEmail,
    /// The account, where the policy names it; else all accounts are searched.
    pub account: Option<AccountId>,
}

/// What a look-up found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Found {
    /// Nobody has the address. The listing was complete.
    Nobody,
    /// One user has it.
    Somebody {
        /// The account that holds the user.
        account: Account,
        /// The user.
        user: User,
    },
    /// Users in several accounts have it.
    SeveralAccounts,
    /// The account that the policy names is not there.
    UnknownAccount,
}

/// Something that Rollcall does to users.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Operation {
    /// Block (EnterpriseLWA): sets a state.
    Suspend,
    /// Remove from a Team account: the person stays a free user.
    Remove,
    /// End all sessions.
    Logout,
    /// Replace the personal meeting PIN. The new one is never read.
    ResetPin,
}

impl Operation {
    /// The most users of one call. Source: the service model (`UserIdList`, max 50).
    #[must_use]
    pub fn users_per_call(self) -> usize {
        match self {
            Operation::Suspend | Operation::Remove => 50,
            Operation::Logout | Operation::ResetPin => 1,
        }
    }

    /// The name in tables and logs.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Operation::Suspend => "suspend",
            Operation::Remove => "remove",
            Operation::Logout => "logout",
            Operation::ResetPin => "reset_pin",
        }
    }
}

/// What became of one user of a call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// HTTP success, and no error entry for this user.
    Confirmed,
    /// Nothing was done; fewer requests are wanted.
    Throttled,
    /// Whether it was done is unknown.
    Unknown,
    /// The user or the account is not there.
    NotFound,
    /// The directory refuses, under this code of its own.
    Refused(Code),
}

/// An error code of the directory's own vocabulary. Only letters: it is safe to log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Code(String);

impl Code {
    /// Keeps the letters of a code, 64 at most.
    #[must_use]
    pub fn new(code: &str) -> Code {
        Code(code.chars().filter(char::is_ascii_alphanumeric).take(64).collect())
    }
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The port to the directory. Each method's promise binds every implementation.
pub trait Directory {
    /// Looks people up; answers in the order asked.
    ///
    /// Fails closed: `Nobody` only after a complete answer. No call starts that the deadline does not allow.
    fn look_up(&self, sought: &[Sought], deadline: Deadline) -> impl Future<Output = Vec<Result<Found, Failure>>>;

    /// The type of an account as it is now, or was a quarter of an hour ago; `None` where it is not there.
    fn account_type(
        &self,
        account: &AccountId,
        deadline: Deadline,
    ) -> impl Future<Output = Result<Option<AccountType>, Failure>>;

    /// Makes exactly one call, for at most [`Operation::users_per_call`] users of one account.
    ///
    /// Answers in the order of `users`, and never twice for one of them.
    fn act(&self, operation: Operation, account: &AccountId, users: &[UserId]) -> impl Future<Output = Vec<Answer>>;
}

/// The failure of a read that the deadline no longer allows.
fn out_of_time() -> Failure {
    Failure::retryable(Cause::OutOfTime)
}
