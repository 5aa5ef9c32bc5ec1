//! What is due, once more: a small model of facts and of what follows from them.
//!
//! Written from the rules (ARCHITECTURE.md) and not from the code. It shares no code with the product, so that a mistake in
//! either shows.

mod licence;

pub use licence::{Job, Licence, Licences, licence};

use crate::functions::Function;
use std::cmp::Ordering;
use std::collections::BTreeSet;

/// The kinds of event.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// Employed from.
    Hire,
    /// Employed again from.
    Rehire,
    /// Employed until.
    Termination,
    /// On leave from.
    Leave,
    /// Back from leave.
    Return,
    /// What the identity provider says of the login.
    Login,
    /// Another job from.
    JobChange,
    /// The audit asks a licence back.
    Reclaim,
    /// A credential is in foreign hands.
    Compromise,
    /// Another address.
    Identity,
}

/// What an event does to its fact.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Phase {
    /// It announces it.
    Scheduled,
    /// It is in force.
    Effective,
    /// It was never so.
    Rescinded,
}

/// One assertion: what one event says.
#[derive(Clone, Debug, PartialEq)]
pub struct Assertion {
    /// The event's id.
    pub event: String,
    /// What it is about.
    pub kind: Kind,
    /// Which fact of that kind.
    pub fact: String,
    /// What it does to the fact.
    pub phase: Phase,
    /// When it was said, in the timeline's microseconds.
    pub occurred: i64,
    /// The sender's ordering token: a number.
    pub revision: Option<u32>,
    /// From when, in the timeline's microseconds; `None` where it cannot be told.
    pub at: Option<i64>,
    /// The local date, in days since 1970.
    pub date: Option<i64>,
    /// For a login: may it be used?
    pub active: bool,
    /// What it tells of the job.
    pub job: Job,
}

/// What an event asks for, besides that its fact is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Asks {
    /// That access goes.
    Taking,
    /// That access comes.
    Giving,
    /// Another licence.
    Licence,
    /// That sessions end.
    SigningOut,
    /// Nothing.
    Nothing,
}

/// Which absences take access away: the policy's choice.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Absences {
    /// A leave does.
    pub leave: bool,
    /// An inactive login does.
    pub login: bool,
}

/// What is due.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Due {
    /// Access.
    Access,
    /// No access.
    NoAccess,
    /// No fact says: as the directory has it.
    AsIs,
}

impl Kind {
    fn is_employment(self) -> bool {
        matches!(self, Kind::Hire | Kind::Rehire | Kind::Termination)
    }

    fn is_start(self) -> bool {
        matches!(self, Kind::Hire | Kind::Rehire)
    }

    fn is_leave(self) -> bool {
        matches!(self, Kind::Leave | Kind::Return)
    }

    /// Whether it asserts a fact. A compromise has no order, and an address is an alias.
    fn is_fact(self) -> bool {
        !matches!(self, Kind::Compromise | Kind::Identity)
    }
}

/// What an operator rejected: an assertion of a fact, whichever event carried it.
pub type Rejected = BTreeSet<(Kind, String, i64, Option<u32>)>;

impl Assertion {
    /// What a rejection of this event rejects.
    #[must_use]
    pub fn rejects(&self) -> (Kind, String, i64, Option<u32>) {
        (self.kind, self.fact.clone(), self.occurred, self.revision)
    }

    /// Whose queue the event goes to.
    #[must_use]
    pub fn function(&self) -> Function {
        Function::of(self.kind, self.phase, self.active)
    }

    /// What the event asks for: an announcement and another address ask for nothing.
    #[must_use]
    pub fn asks(&self) -> Asks {
        if self.phase == Phase::Scheduled || self.kind == Kind::Identity {
            return Asks::Nothing;
        }
        match self.function() {
            Function::Invite | Function::Reinstate => Asks::Giving,
            Function::Suspend => Asks::Taking,
            Function::Relicense => Asks::Licence,
            Function::Logout => Asks::SigningOut,
            Function::Intake => Asks::Nothing,
        }
    }

    /// Whether it counts at all: an assertion without an instant is held, and takes no other's place.
    fn counts(&self) -> bool {
        self.kind.is_fact() && (self.at.is_some() || self.phase == Phase::Rescinded)
    }

    /// Which of two assertions of one fact is newer: said later; of logins said at once the inactive one; then the
    /// sender's token (none is before any), then the event's id.
    fn newness(&self, other: &Assertion) -> Ordering {
        let inactive = |one: &Assertion| one.kind == Kind::Login && !one.active;
        (self.occurred, inactive(self), self.revision, &self.event).cmp(&(
            other.occurred,
            inactive(other),
            other.revision,
            &other.event,
        ))
    }

    /// Whether it takes the place of another assertion of the same fact.
    #[must_use]
    pub fn overtakes(&self, other: &Assertion) -> bool {
        (self.kind, &self.fact) == (other.kind, &other.fact) && self.newness(other) == Ordering::Greater
    }

    fn holds(&self, now: i64) -> bool {
        self.phase != Phase::Rescinded && self.at.is_some_and(|at| at <= now)
    }
}

/// The newest assertion of each fact.
#[must_use]
pub fn facts<'a>(said: &[&'a Assertion]) -> Vec<&'a Assertion> {
    let mut newest: Vec<&Assertion> = Vec::new();
    for assertion in said.iter().filter(|assertion| assertion.counts()) {
        let same = |known: &&mut &Assertion| (known.kind, &known.fact) == (assertion.kind, &assertion.fact);
        match newest.iter_mut().find(same) {
            Some(known) if assertion.newness(known) == Ordering::Greater => *known = assertion,
            Some(_) => {}
            None => newest.push(assertion),
        }
    }
    newest
}

/// What is due at a time, by all that was said. What an operator `rejected` is void: it holds nothing, and
/// was nothing that HR took back.
#[must_use]
pub fn due(said: &[&Assertion], rejected: &Rejected, now: i64, absences: Absences) -> Due {
    let mut facts = facts(said);
    facts.retain(|fact| !rejected.contains(&fact.rejects()));
    let in_force: Vec<&Assertion> = facts.iter().copied().filter(|fact| fact.holds(now)).collect();
    let start = match employment(&in_force) {
        Some(fact) if fact.kind.is_start() => Some(fact),
        Some(_) => return Due::NoAccess,
        // A first employment that was taken back never was.
        None if facts.iter().any(|fact| never_was(fact, now)) => return Due::NoAccess,
        None => None,
    };
    if absences.leave && on_leave(&in_force, start) {
        return Due::NoAccess;
    }
    let login = in_force.iter().filter(|fact| fact.kind == Kind::Login).max_by(|a, b| a.newness(b));
    if absences.login && login.is_some_and(|login| !login.active) {
        return Due::NoAccess;
    }
    if start.is_some() { Due::Access } else { Due::AsIs }
}

fn never_was(fact: &Assertion, now: i64) -> bool {
    fact.kind == Kind::Hire && fact.phase == Phase::Rescinded && fact.at.is_some_and(|at| at <= now)
}

/// The latest employment fact: of those with a date by date, of those without by instant, and those two by instant.
/// On one date, or at one instant, a start wins.
fn latest<'a>(facts: impl Iterator<Item = &'a Assertion>) -> Option<&'a Assertion> {
    let (dated, undated): (Vec<&Assertion>, Vec<&Assertion>) = facts.partition(|fact| fact.date.is_some());
    // Of two that are alike the name decides: it bears on the job only.
    let dated = dated.into_iter().max_by_key(|fact| (fact.date, fact.kind.is_start(), fact.at, &fact.fact));
    let undated = undated.into_iter().max_by_key(|fact| (fact.at, fact.kind.is_start(), &fact.fact));
    match (dated, undated) {
        (Some(one), Some(other)) => {
            let key = |fact: &Assertion| (fact.at, fact.kind.is_start());
            Some(if key(one) >= key(other) { one } else { other })
        }
        (one, other) => one.or(other),
    }
}

fn employment<'a>(in_force: &[&'a Assertion]) -> Option<&'a Assertion> {
    latest(in_force.iter().copied().filter(|fact| fact.kind.is_employment()))
}

/// From before an employment: by date where both have one, else by instant.
fn before(fact: &Assertion, start: &Assertion) -> bool {
    match (fact.date, start.date) {
        (Some(date), Some(start)) => date < start,
        (_, _) => fact.at < start.at,
    }
}

/// The latest of leave and return says so, and at one instant the leave; one from before the employment does not count.
fn on_leave(in_force: &[&Assertion], start: Option<&Assertion>) -> bool {
    let leaves = in_force.iter().filter(|fact| fact.kind.is_leave() && start.is_none_or(|start| !before(fact, start)));
    leaves.max_by_key(|fact| (fact.at, fact.kind == Kind::Leave)).is_some_and(|fact| fact.kind == Kind::Leave)
}
