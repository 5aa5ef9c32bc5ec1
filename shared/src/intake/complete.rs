//! What a sender did not tell: where it is found, and what the event is then.
//!
//! 1. [`look_up`] asks the roster, and where that is not enough the sender's own API ([`vendor`]). It decides nothing.
//! 2. [`complete`] is pure: from the event, what was gathered, and the facts that the ledger knows, to events that can go
//!    on their way, each with what was filled in and whence. What nobody tells stays in `missing`, and the road holds it.
//!
//! A notice (an event of kind `unclassified` that lacks kind and phase) says no more than that a record changed: it
//! becomes what that record says and the ledger does not have.
//!
//! *Invariant*: nothing is invented. Each member that is filled in comes from the roster, the API, the ledger, the policy
//! or the event's own time, and its [`Whence`] says from which.

mod dated;
mod gather;
mod known;
mod notice;
mod record;
mod subject;
pub mod vendor;

pub use gather::{Gathered, Token, Tokens, look_up};
pub use vendor::{Employee, Vendors};

use crate::decide::SOON;
use crate::event::wire::{Detail, EmailKind};
use crate::event::{Kind, Missing};
use crate::intake::Source;
use crate::person::{Facts, Subject, SubjectId, WorkEmail, WorkerId};
use crate::policy::SourceRules;
use jiff::{SignedDuration, Timestamp};
use known::Known;
pub(super) use known::is_canonical;
use serde::{Deserialize, Serialize};
use std::fmt;

/// How far ahead a change may lie that is published as in force, instead of a schedule: a schedule is as late as that.
pub const AT_ONCE: SignedDuration = SOON;

/// Where a fact comes from that the sender did not tell.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Whence {
    /// The roster.
    Roster,
    /// The sender's own API.
    Api,
    /// What the ledger knows of the person.
    Ledger,
    /// The policy.
    Policy,
    /// The time of the event itself.
    EventTime,
}

impl Whence {
    /// The name in logs and counts.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Whence::Roster => "roster",
            Whence::Api => "api",
            Whence::Ledger => "ledger",
            Whence::Policy => "policy",
            Whence::EventTime => "event_time",
        }
    }
}

/// An event, as complete as it can be.
#[derive(Clone)]
pub struct Event {
    /// The event. `missing` says what nobody told.
    pub detail: Detail,
    /// What was filled in, and whence.
    pub filled: Vec<(Missing, Whence)>,
}

/// An event is about a person.
impl fmt::Debug for Event {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Event")
            .field("kind", &self.detail.kind)
            .field("phase", &self.detail.phase)
            .field("missing", &self.detail.missing)
            .field("filled", &self.filled)
            .finish_non_exhaustive()
    }
}

impl Event {
    fn new(detail: Detail) -> Event {
        Event { detail, filled: Vec::new() }
    }

    /// A fact was filled in: it is no longer missing.
    fn fill(&mut self, fact: Missing, whence: Whence) {
        self.detail.missing.remove(&fact);
        self.filled.push((fact, whence));
    }
}

/// What became of an event.
#[derive(Clone)]
pub enum Completed {
    /// Events for the road; of a notice perhaps several.
    Events(Vec<Event>),
    /// Nobody can say what it means. The reason says what to do; it names no person.
    Parked(&'static str, Box<Detail>),
    /// There is nothing to tell, for this reason.
    Nothing(&'static str),
}

impl fmt::Debug for Completed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Completed::Events(events) => f.debug_tuple("Events").field(events).finish(),
            Completed::Parked(reason, _) => f.debug_tuple("Parked").field(reason).finish(),
            Completed::Nothing(reason) => f.debug_tuple("Nothing").field(reason).finish(),
        }
    }
}

const NOBODY: &str = "it names nobody at work: it has a private address, and the roster knows nobody by it; \
                      add the person's provider id to the roster, and redrive it";
const UNREADABLE: &str = "it is unclassified, and no notice: its sender must say what happened";

/// Completes an event of an adapter with what was gathered and what the ledger knows of the person.
#[must_use]
pub fn complete(
    detail: Detail,
    source: Source,
    gathered: &Gathered,
    facts: &Facts,
    rules: &SourceRules,
    now: Timestamp,
) -> Completed {
    let known = Known { source, gathered, facts, rules, now };
    let mut event = Event::new(detail);
    subject::complete(&mut event, &known);
    if !subject::names_somebody(&event.detail) {
        return Completed::Parked(NOBODY, Box::new(event.detail));
    }
    match event.detail.kind {
        Kind::Hire | Kind::Termination | Kind::Rehire | Kind::JobChange | Kind::Leave | Kind::Return => {
            dated::complete(&mut event, &known);
            Completed::Events(vec![event])
        }
        // They bite when they occurred. A login's status is never more than that.
        Kind::IdentityChange
        | Kind::AccountStatus
        | Kind::CredentialCompromise
        | Kind::LicenseReclaim
        | Kind::AccessRemoval => Completed::Events(vec![event]),
        Kind::Unclassified if is_notice(&event.detail) => notice::complete(event, &known),
        Kind::Unclassified => Completed::Parked(UNREADABLE, Box::new(event.detail)),
    }
}

/// Whom an event is about, by what was gathered: what the ledger is asked by.
#[must_use]
pub fn whom(detail: &Detail, source: Source, gathered: &Gathered, rules: &SourceRules) -> Subject {
    let nothing = Facts::default();
    let known = Known { source, gathered, facts: &nothing, rules, now: Timestamp::UNIX_EPOCH };
    let mut event = Event::new(detail.clone());
    subject::complete(&mut event, &known);
    let subject = event.detail.subject;
    let personal = matches!(subject.email_kind, Some(EmailKind::Personal));
    let address = |email: Option<&str>| email.and_then(|email| WorkEmail::parse(email).ok());
    Subject {
        worker_id: subject.worker_id.as_deref().and_then(|id| WorkerId::parse(id).ok()),
        provider_subject: subject.provider_subject_id.as_deref().and_then(|id| SubjectId::parse(id).ok()),
        email: address(subject.email.as_deref()).filter(|_| !personal),
        former_email: address(subject.previous_email.as_deref()),
    }
}

/// Something changed, and what is to be looked up.
fn is_notice(detail: &Detail) -> bool {
    detail.kind == Kind::Unclassified
        && [Missing::Kind, Missing::Phase].iter().all(|fact| detail.missing.contains(fact))
}
