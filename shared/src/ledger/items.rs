//! The items of the table, as stored.

use crate::decide::Reason;
use crate::directory::{Account, Licence, UserId};
use crate::person::{Asserted, Facts, PersonKey, What};
use crate::plan::{ActionClass, Plan, Wish};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_bytes::ByteBuf;

/// The partition of the index `by_attention` that holds people whose licence is still to be set.
pub const WISH: &str = "licence_wish";

/// The partition of the index `by_due` that holds announcements until they are due.
pub const DUE: &str = "due";

/// How far an event is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// An attempt is under way, or died.
    Running,
    /// Its message comes again.
    Retry,
    /// Kept unapplied until a person releases or rejects it.
    Held,
    /// Seen in observe mode; nothing was applied.
    Observed,
    /// Refused for good, in the dead-letter queue.
    Parked,
    /// Carried out and confirmed.
    Applied,
    /// No change was needed.
    Unchanged,
    /// Another fact decided.
    Superseded,
    /// Rejected by an operator.
    Rejected,
}

impl State {
    /// The states of what is over.
    pub const DONE: [State; 4] = [State::Applied, State::Unchanged, State::Superseded, State::Rejected];

    /// The name in tables, logs and metrics.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            State::Running => "running",
            State::Retry => "retry",
            State::Held => "held",
            State::Observed => "observed",
            State::Parked => "parked",
            State::Applied => "applied",
            State::Unchanged => "unchanged",
            State::Superseded => "superseded",
            State::Rejected => "rejected",
        }
    }

    /// Whether the event is over: a duplicate gets its stored outcome.
    #[must_use]
    pub fn is_done(self) -> bool {
        State::DONE.contains(&self)
    }

    /// The `status` that Powertools gives it.
    #[must_use]
    pub fn status(self) -> &'static str {
        if self.is_done() { "COMPLETED" } else { "INPROGRESS" }
    }

    /// Whether somebody should look at it: the partition of the index `by_attention`.
    #[must_use]
    pub fn attention(self) -> Option<&'static str> {
        match self {
            State::Held | State::Observed | State::Parked => Some(self.as_str()),
            State::Running | State::Retry | State::Applied | State::Unchanged | State::Superseded | State::Rejected => {
                None
            }
        }
    }
}

/// The record of one event: `<function>#<eventId>`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct EventItem {
    /// The key.
    pub id: String,
    /// `INPROGRESS` or `COMPLETED`.
    pub status: String,
    /// How far it is.
    pub state: State,
    /// Counts every change.
    pub rev: u64,
    /// The fencing token of the attempt that wrote last.
    pub owner: String,
    /// Attempts in a row that ended without a settle, this one included.
    pub attempt: u32,
    /// Whom it is about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub person: Option<PersonKey>,
    /// When the sender asserted it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub occurred_at: Option<Timestamp>,
    /// What the sender said: its detail-type.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub detail_type: Option<String>,
    /// From when it bites, in milliseconds since 1970, where it has a time of its own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub effective_at: Option<i64>,
    /// When it was first claimed since it was last released or redriven, in milliseconds since 1970: what an attempt has 24
    /// hours from.
    pub first_claimed_at: i64,
    /// When it was first claimed at all, in milliseconds since 1970; only where that was earlier.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub received_at: Option<i64>,
    /// When its state was last written, other than `running`, in milliseconds since 1970: of an event that is done, when it
    /// was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub settled_at: Option<i64>,
    /// When the running attempt's lease ends, in milliseconds since 1970.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub in_progress_expiration: Option<i64>,
    /// When DynamoDB may forget it, in seconds since 1970.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expiration: Option<i64>,
    /// Keyed hash of what the event means.
    pub validation: String,
    /// The outcome, as JSON.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub data: Option<String>,
    /// The plan, and what became of its steps.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub plan: Option<Plan>,
    /// Why somebody should look at it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub attention: Option<String>,
    /// The sealed event, as a bare detail, while held or observed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub event: Option<ByteBuf>,
    /// The fact that it asserts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub asserts: Option<Asserted>,
    /// It was released, and the message that says so is on its way.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub releasing: Option<Releasing>,
    /// [`DUE`] while an announcement waits for its time: the partition of the index `by_due`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub due: Option<String>,
    /// When it is due, in milliseconds since 1970. It stays when the announcement was published as effective.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub due_at: Option<i64>,
    /// It moved a fact that was in force to a later time, and that was not taken back yet.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub takes_back: bool,
    /// It took a unit of this class's budget: once, whatever becomes of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub braked: Option<ActionClass>,
    /// Who released it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub released: Option<Release>,
    /// Who rejected it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rejected: Option<Rejection>,
}

impl EventItem {
    /// When Rollcall first had it, in milliseconds since 1970, however often it was released or redriven since.
    #[must_use]
    pub fn came_at(&self) -> i64 {
        self.received_at.unwrap_or(self.first_claimed_at)
    }
}

/// A release that was sent.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Releasing {
    /// Who sent it.
    pub by: String,
    /// When.
    pub at: Timestamp,
}

/// An operator's yes to a held or observed event.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Release {
    /// Who, as the operator's tool said.
    pub by: String,
    /// The AWS principal that sent the message, as SQS said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sender: Option<String>,
    /// When it came down the road again.
    pub at: Timestamp,
    /// Why it was held: the yes is to that, and to the brake.
    pub held_for: Option<Reason>,
}

/// An operator's no.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rejection {
    /// Who.
    pub by: String,
    /// When.
    pub at: Timestamp,
    /// Why, in the operator's words.
    pub reason: String,
}

/// What Rollcall knows of a person: `person#<key>`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct PersonItem {
    /// The key.
    pub id: String,
    /// Counts every change; 0 where there is no item yet.
    pub rev: u64,
    /// The facts.
    #[serde(default)]
    pub facts: Facts,
    /// The one running attempt.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lease: Option<Lease>,
    /// The account of the person's user.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub account: Option<Account>,
    /// The person's user.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user: Option<UserId>,
    /// Its licence, when it was last looked up.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub licence: Option<String>,
    /// What was taken, so that reinstating restores exactly that.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub taken: Option<Taken>,
    /// The licence that the person is to have as soon as it can be set.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub wish: Option<Licence>,
    /// Why somebody should look at the person: [`WISH`], for the audit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub attention: Option<String>,
    /// Since when, in milliseconds since 1970.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub first_claimed_at: Option<i64>,
    /// The alias items that lead here.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub aliases: Vec<String>,
    /// The alias items of addresses that the person gave up. The policy may still name the person by one.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub former_aliases: Vec<String>,
    /// The strongest kind of identifier that an event has named the person by.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub named_by: Option<What>,
    /// The person had another address before: the directory may know them by that.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub renamed: bool,
    /// The person that this one was found to be.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub merged_into: Option<PersonKey>,
}

impl PersonItem {
    /// The attributes that this version writes.
    pub(super) const OWNED: [&'static str; 15] = [
        "rev",
        "facts",
        "lease",
        "account",
        "user",
        "licence",
        "taken",
        "wish",
        "attention",
        "first_claimed_at",
        "aliases",
        "former_aliases",
        "named_by",
        "renamed",
        "merged_into",
    ];

    /// An address is no longer the person's, though the policy may still name the person by it.
    pub fn gives_up(&mut self, alias: String) {
        self.aliases.retain(|known| known != &alias);
        if !self.former_aliases.contains(&alias) {
            self.former_aliases.push(alias);
        }
    }

    /// Takes a wish for a licence, or gives it up; the audit finds it by the index `by_attention`.
    pub fn set_wish(&mut self, wish: Wish, now: Timestamp) {
        match wish {
            Wish::Keep => {}
            Wish::Set(licence) => {
                self.wish = Some(licence);
                self.attention = Some(WISH.to_owned());
                self.first_claimed_at = Some(self.first_claimed_at.unwrap_or(now.as_millisecond()));
            }
            Wish::Clear => (self.wish, self.attention, self.first_claimed_at) = (None, None, None),
        }
    }

    /// Until when another event has a hold on the person, seen at `now` (milliseconds since 1970).
    ///
    /// Two attempts at one event are told apart by the event's own record.
    #[must_use]
    pub fn busy_until(&self, event: &str, now: i64) -> Option<i64> {
        self.lease.as_ref().filter(|lease| lease.event != event && lease.until > now).map(|lease| lease.until)
    }
}

/// One attempt's hold on a person.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Lease {
    /// The fencing token.
    pub owner: String,
    /// When it ends, in milliseconds since 1970.
    pub until: i64,
    /// The event that it is for.
    pub event: String,
}

/// What was taken from a person.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Taken {
    /// The account it was taken in.
    pub account: Account,
    /// The licence that the user had, where it was looked up.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub licence: Option<String>,
    /// The meeting PIN was replaced: nobody can restore it.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub pin: bool,
    /// The event that took it.
    pub event: String,
    /// When.
    pub at: Timestamp,
}

/// An identifier tied to a person: `alias#<realm>#<what>#<hash>`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AliasItem {
    /// The key.
    pub id: String,
    /// Who has it.
    pub person: PersonKey,
    /// Since when. An older event means the former holder.
    pub since: Timestamp,
    /// Who had it before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub former: Option<PersonKey>,
    /// Its holder gave it up, and nobody has come with it and more since.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub given_up: bool,
}

impl AliasItem {
    /// Whom the identifier meant at a time: the former holder before the change, where one is known.
    #[must_use]
    pub fn holder(&self, occurred_at: Timestamp) -> PersonKey {
        match &self.former {
            Some(former) if occurred_at < self.since => former.clone(),
            Some(_) | None => self.person.clone(),
        }
    }
}
