//! The directory port: accounts and users, and the few things that Rollcall does to them.
//!
//! Amazon Chime stands behind it ([`chime::Chime`]); another directory can take its place.

pub mod chime;
pub mod listing;
pub mod nobody;

use crate::failure::{Cause, Failure};
use crate::person::WorkEmail;
use jiff::{SignedDuration, Timestamp};
use schemars::JsonSchema;
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

/// How an account stands now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AccountState {
    /// Its type.
    pub kind: AccountType,
    /// It is in use: not suspended as a whole.
    pub active: bool,
    /// The licences that its users can have. Empty where the directory does not tell.
    pub licences: Vec<String>,
}

/// A licence that Rollcall sets, from the least to the most. Source: the service model; Basic attends and chats, Pro
/// hosts meetings, Plus is explained nowhere. A trial is a user's own and is never set.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
pub enum Licence {
    /// Attends and chats.
    Basic,
    /// Explained by no page of the service.
    Plus,
    /// Hosts meetings.
    Pro,
}

impl Licence {
    /// The name in the directory.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Licence::Basic => "Basic",
            Licence::Plus => "Plus",
            Licence::Pro => "Pro",
        }
    }

    /// The licence of a name; `None` for one that is never set.
    #[must_use]
    pub fn named(name: &str) -> Option<Licence> {
        [Licence::Basic, Licence::Plus, Licence::Pro].into_iter().find(|licence| licence.as_str() == name)
    }

    /// Whether who has a licence of this name would lose something by this one. A name that is not known, or none, may be
    /// worth anything; a trial is worth as much as Pro.
    #[must_use]
    pub fn is_less_than(self, name: Option<&str>) -> bool {
        match name {
            Some("Basic") => false,
            Some("Plus") => self < Licence::Plus,
            Some(_) | None => self < Licence::Pro,
        }
    }
}

/// What became of a user's invitation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Invitation {
    /// There was none, or the directory does not tell.
    None,
    /// Sent, not yet answered.
    Pending,
    /// Accepted.
    Accepted,
    /// The mail could not be delivered.
    Failed,
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
    /// What became of its invitation.
    pub invitation: Invitation,
    /// Its licence, as the directory names it.
    pub licence: Option<String>,
}

/// A person to look for: by the user that is remembered, and where that is gone by the address.
#[derive(Clone, Debug)]
pub struct Sought {
    /// The user that is remembered, and its account.
    pub user: Option<(Account, UserId)>,
    /// The address; `None` where nobody may be looked up by one.
    pub email: Option<WorkEmail>,
    /// The account to look for the address in, where it is known; else all accounts are searched.
    pub account: Option<AccountId>,
}

/// What a look-up found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Found {
    /// Nobody has the address. The listing was complete.
    Nobody {
        /// The account that was searched, where it was one alone.
        account: Option<Account>,
    },
    /// One user has it.
    Somebody {
        /// The account that holds the user.
        account: Account,
        /// The user.
        user: User,
    },
    /// One user has it, who is known to be another person's: of somebody who had the address before.
    SomebodyElses,
    /// Users in several accounts have it.
    SeveralAccounts,
    /// The account that the policy names is not there.
    UnknownAccount,
}

/// Something that Rollcall does to users.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Operation {
    /// Invite into a Team account: sends a mail, so never twice.
    Invite,
    /// Unblock (EnterpriseLWA): sets a state.
    Unsuspend,
    /// Set the licence: sets a state.
    SetLicence,
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
    /// The most users of one call. Source: the service model (`UserIdList` and `UserEmailList`, max 50;
    /// `UpdateUserRequestItems`, max 20).
    #[must_use]
    pub fn users_per_call(self) -> usize {
        match self {
            Operation::Invite | Operation::Unsuspend | Operation::Suspend | Operation::Remove => 50,
            Operation::SetLicence => 20,
            Operation::Logout | Operation::ResetPin => 1,
        }
    }

    /// The name in tables and logs.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Operation::Invite => "invite",
            Operation::Unsuspend => "unsuspend",
            Operation::SetLicence => "set_licence",
            Operation::Suspend => "suspend",
            Operation::Remove => "remove",
            Operation::Logout => "logout",
            Operation::ResetPin => "reset_pin",
        }
    }
}

/// One call, for one account: whom it is about, and what is to be done to them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Change {
    /// Invite these addresses.
    Invite(Vec<WorkEmail>),
    /// Unblock.
    Unsuspend(Vec<UserId>),
    /// Set to each the licence beside it.
    SetLicence(Vec<(UserId, Licence)>),
    /// Block.
    Suspend(Vec<UserId>),
    /// Remove.
    Remove(Vec<UserId>),
    /// End all sessions.
    Logout(UserId),
    /// Replace the personal meeting PIN.
    ResetPin(UserId),
}

impl Change {
    /// How many people it is about.
    #[must_use]
    pub fn len(&self) -> usize {
        match self {
            Change::Invite(addresses) => addresses.len(),
            Change::SetLicence(users) => users.len(),
            Change::Unsuspend(users) | Change::Suspend(users) | Change::Remove(users) => users.len(),
            Change::Logout(_) | Change::ResetPin(_) => 1,
        }
    }

    /// It is about nobody.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

/// What became of one person of a call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// HTTP success, and no error entry for this user.
    Confirmed,
    /// Invited, and the mail could not be delivered.
    Bounced,
    /// Nothing was done; fewer requests are wanted.
    Throttled,
    /// Whether it was done is unknown.
    Unknown,
    /// The user or the account is not there.
    NotFound,
    /// The directory refuses, under this code of its own.
    Refused(Code),
    /// This, and an earlier send of the same call had no answer: that one may still take effect.
    Repeated(Box<Answer>),
}

/// What came of a call: an answer for each person that it names, in that order, and the evidence of its requests.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Acted {
    /// What became of each person.
    pub answers: Vec<Answer>,
    /// Each request that was sent for it, in order.
    pub sent: Vec<Sent>,
}

/// One request to the directory: what the ledger keeps as proof of it. Retries that the SDK makes by itself count as one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sent {
    /// When it was sent, in milliseconds since 1970.
    pub at: i64,
    /// How long the answer took, or was waited for, in milliseconds.
    pub took: u32,
    /// Under which id the directory knows it; none where no answer came.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub request: Option<RequestId>,
}

/// The id of a request, as the directory's answer named it (`x-amzn-requestid`). Letters, digits and `-`: it is safe to log.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct RequestId(String);

impl RequestId {
    /// Keeps what an id is made of, 64 characters at most.
    #[must_use]
    pub fn new(id: &str) -> RequestId {
        RequestId(id.chars().filter(|c| c.is_ascii_alphanumeric() || *c == '-').take(64).collect())
    }

    /// The id.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
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

    /// An account as it is now, or was a quarter of an hour ago; `None` where it is not there.
    fn account(
        &self,
        account: &AccountId,
        deadline: Deadline,
    ) -> impl Future<Output = Result<Option<AccountState>, Failure>>;

    /// Makes one call, for at most [`Operation::users_per_call`] people of one account.
    ///
    /// Answers in the order in which the change names them, and never twice for one of them. Invitations are sent once:
    /// whether to send again is the plan's business.
    fn act(&self, account: &AccountId, change: &Change) -> impl Future<Output = Acted>;
}

/// The failure of a read that the deadline no longer allows.
fn out_of_time() -> Failure {
    Failure::retryable(Cause::OutOfTime)
}
