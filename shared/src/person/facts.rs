//! Facts: what HR asserts about a person, the newest assertion of each.
//!
//! An event asserts a fact. Inside a fact the newest assertion wins; between facts the *effective* time decides, never
//! announcement or arrival. *Invariant*: what is due depends on the set of assertions seen, not on their order.

use super::due::{before, latest};
use crate::event::{EventType, Kind, LoginStatus, Phase, ReasonCategory, WorkerEvent};
use crate::person::{FactId, Job, Revision};
use jiff::{Timestamp, civil::Date};
use serde::{Deserialize, Serialize};
use std::cmp::Ordering;
use thiserror::Error;

/// The most facts that one person keeps.
const FACT_LIMIT: usize = 32;

/// What HR asserts about a person, as far as it bears on access or licence.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FactKind {
    /// Employed from.
    Hire,
    /// Employed again from.
    Rehire,
    /// Not employed from.
    Termination,
    /// On leave from.
    Leave,
    /// Back from leave.
    Return,
    /// What an identity provider says of the login.
    Login,
    /// Another job from.
    JobChange,
    /// The licence is asked back from. Rollcall's own audit asserts it.
    Reclaim,
}

impl FactKind {
    /// The kind of fact that an event of this type asserts; `None` where it asserts none that bears on access or licence.
    #[must_use]
    pub fn of(event_type: EventType) -> Option<FactKind> {
        match event_type.kind() {
            Kind::Hire => Some(FactKind::Hire),
            Kind::Rehire => Some(FactKind::Rehire),
            Kind::Termination => Some(FactKind::Termination),
            Kind::Leave => Some(FactKind::Leave),
            Kind::Return => Some(FactKind::Return),
            Kind::AccountStatus => Some(FactKind::Login),
            Kind::JobChange => Some(FactKind::JobChange),
            Kind::LicenseReclaim => Some(FactKind::Reclaim),
            Kind::IdentityChange | Kind::CredentialCompromise | Kind::Unclassified | Kind::AccessRemoval => None,
        }
    }

    /// Whether it tells of the employment.
    #[must_use]
    pub fn is_employment(self) -> bool {
        match self {
            FactKind::Hire | FactKind::Rehire | FactKind::Termination => true,
            FactKind::Leave | FactKind::Return | FactKind::Login | FactKind::JobChange | FactKind::Reclaim => false,
        }
    }

    pub(super) fn is_start(self) -> bool {
        self == FactKind::Hire || self == FactKind::Rehire
    }

    /// Whether it tells of a leave.
    #[must_use]
    pub fn is_leave(self) -> bool {
        match self {
            FactKind::Leave | FactKind::Return => true,
            FactKind::Hire
            | FactKind::Rehire
            | FactKind::Termination
            | FactKind::Login
            | FactKind::JobChange
            | FactKind::Reclaim => false,
        }
    }

    /// Whether a licence follows from it.
    #[must_use]
    pub fn is_licence(self) -> bool {
        self == FactKind::JobChange || self == FactKind::Reclaim
    }

    /// On one day a start beats an end (a contract change), and at one instant a leave beats a return.
    pub(super) fn wins_ties(self) -> bool {
        match self {
            FactKind::Hire | FactKind::Rehire | FactKind::Leave => true,
            FactKind::Termination | FactKind::Return | FactKind::Login | FactKind::JobChange | FactKind::Reclaim => {
                false
            }
        }
    }
}

/// How an assertion stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Standing {
    /// HR says that it is so.
    Asserted,
    /// HR took it back: it is not so.
    Rescinded,
    /// An operator rejected it.
    Rejected,
}

/// Who asserted it, and when: orders the assertions of one fact.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Assertion {
    /// When the sender asserted it.
    pub occurred_at: Timestamp,
    /// The sender's ordering token.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub revision: Option<Revision>,
    /// The event that carried it.
    pub event: String,
}

/// Which fact an event asserts, and with which assertion of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Asserted {
    /// What the fact says.
    pub kind: FactKind,
    /// Its name.
    pub id: FactId,
    /// When the sender asserted it.
    pub occurred_at: Timestamp,
    /// The sender's ordering token.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub revision: Option<Revision>,
}

impl Asserted {
    /// The newest assertion of a fact.
    #[must_use]
    pub fn of(fact: &Fact) -> Asserted {
        let (occurred_at, revision) = (fact.assertion.occurred_at, fact.assertion.revision.clone());
        Asserted { kind: fact.kind, id: fact.id.clone(), occurred_at, revision }
    }
}

impl Assertion {
    fn is(&self, asserted: &Asserted) -> bool {
        self.occurred_at == asserted.occurred_at && self.revision == asserted.revision
    }
}

/// One fact: the newest assertion of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fact {
    /// Its name; unique with `kind`.
    pub id: FactId,
    /// What it says.
    pub kind: FactKind,
    /// From which instant; `None` where that cannot be told, and then it takes no effect.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at: Option<Timestamp>,
    /// The date at the person's work site.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub date: Option<Date>,
    /// How it stands.
    pub standing: Standing,
    /// When an operator rejected it; only with [`Standing::Rejected`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rejected_at: Option<Timestamp>,
    /// Only for [`FactKind::Login`]: may the login be used?
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub active: Option<bool>,
    /// What its reason amounts to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<ReasonCategory>,
    /// What it tells of the job; of a job change that was taken back, the job that stands again.
    #[serde(default, skip_serializing_if = "Job::is_unknown")]
    pub job: Job,
    /// Who asserted it last, and when.
    #[serde(flatten)]
    pub assertion: Assertion,
}

impl Fact {
    /// The fact that an event asserts; `None` where it asserts none that bears on access or licence.
    #[must_use]
    pub fn asserted_by(event: &WorkerEvent) -> Option<Fact> {
        let kind = FactKind::of(event.event_type)?;
        let standing = match event.event_type.phase() {
            Phase::Rescinded => Standing::Rescinded,
            Phase::Scheduled | Phase::Effective | Phase::Unknown | Phase::Detected | Phase::Requested => {
                Standing::Asserted
            }
        };
        let active = event.login.map(|status| match status {
            LoginStatus::Active | LoginStatus::Pending => true,
            LoginStatus::OnLeave
            | LoginStatus::Suspended
            | LoginStatus::Deactivated
            | LoginStatus::Terminated
            | LoginStatus::Deleted
            | LoginStatus::Unknown => false,
        });
        Some(Fact {
            id: event.fact.clone(),
            kind,
            at: event.moment.at(),
            date: event.moment.date(),
            standing,
            rejected_at: None,
            active: if kind == FactKind::Login { active } else { None },
            reason: event.reason,
            job: match (kind, standing) {
                (FactKind::JobChange, Standing::Rescinded) => event.job_before.clone(),
                (FactKind::Hire | FactKind::Rehire | FactKind::JobChange, Standing::Asserted) => event.job.clone(),
                (
                    FactKind::Hire
                    | FactKind::Rehire
                    | FactKind::Termination
                    | FactKind::Leave
                    | FactKind::Return
                    | FactKind::Login
                    | FactKind::JobChange
                    | FactKind::Reclaim,
                    Standing::Asserted | Standing::Rescinded | Standing::Rejected,
                ) => Job::default(),
            },
            assertion: Assertion {
                occurred_at: event.occurred_at,
                revision: event.revision.clone(),
                event: event.id.as_str().to_owned(),
            },
        })
    }

    /// Orders the assertions of one fact. Of two logins at one instant the inactive one counts as newer.
    ///
    /// One assertion may come twice, announced and fired: rejected under one event's id, it stays so under the other's.
    pub(super) fn newness(&self, other: &Fact) -> Ordering {
        let rejected = |fact: &Fact| fact.standing == Standing::Rejected;
        self.assertion
            .occurred_at
            .cmp(&other.assertion.occurred_at)
            .then_with(|| (self.active == Some(false)).cmp(&(other.active == Some(false))))
            .then_with(|| self.assertion.revision.cmp(&other.assertion.revision))
            .then_with(|| rejected(self).cmp(&rejected(other)))
            .then_with(|| self.assertion.event.cmp(&other.assertion.event))
    }

    /// Whether it is in force.
    #[must_use]
    pub fn holds(&self, now: Timestamp) -> bool {
        self.standing == Standing::Asserted && self.at.is_some_and(|at| at <= now)
    }
}

/// A person has more facts than the ledger keeps, and none is over.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("the person already has {FACT_LIMIT} facts that are not over")]
pub struct TooManyFacts;

/// The facts of one person, ordered by name.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Facts(Vec<Fact>);

impl Facts {
    /// The facts, ordered by kind and name.
    pub fn iter(&self) -> impl Iterator<Item = &Fact> {
        self.0.iter()
    }

    /// The current assertion of a fact.
    #[must_use]
    pub fn get(&self, kind: FactKind, id: &FactId) -> Option<&Fact> {
        self.0.iter().find(|fact| fact.kind == kind && &fact.id == id)
    }

    /// Adds an assertion. The newest assertion of a fact stays; an older one changes nothing.
    ///
    /// # Errors
    /// [`TooManyFacts`] where 32 facts are there, and each of them may still decide.
    pub fn assert(&mut self, fact: Fact, now: Timestamp) -> Result<(), TooManyFacts> {
        match self.0.iter_mut().find(|known| known.kind == fact.kind && known.id == fact.id) {
            Some(known) => {
                if fact.newness(known) == Ordering::Greater {
                    *known = fact;
                }
            }
            None => {
                self.0.push(fact);
                self.0.sort_by(|a, b| (a.kind, &a.id).cmp(&(b.kind, &b.id)));
            }
        }
        while self.0.len() > FACT_LIMIT {
            let oldest = self.oldest_that_is_over(now).ok_or(TooManyFacts)?;
            let oldest = self.0.remove(oldest);
            self.keep_job_of(&oldest, now);
        }
        Ok(())
    }

    /// Whether another assertion of a fact took the place of this one, or an operator rejected it.
    #[must_use]
    pub fn overtook(&self, fact: &Fact) -> bool {
        self.get(fact.kind, &fact.id).is_some_and(|known| {
            let same = known.assertion.is(&Asserted::of(fact));
            known.standing == Standing::Rejected || (!same && known.newness(fact) == Ordering::Greater)
        })
    }

    /// Whether an assertion moves a fact that is in force to a time to come.
    #[must_use]
    pub fn moves_later(&self, fact: &Fact, now: Timestamp) -> bool {
        let known = self.get(fact.kind, &fact.id).filter(|known| known.holds(now));
        let comes = fact.standing == Standing::Asserted && fact.at.is_some_and(|at| at > now);
        comes && known.is_some_and(|known| fact.newness(known) == Ordering::Greater)
    }

    /// A change of job tells a part of the job only: what a later one leaves untold goes on from it.
    fn keep_job_of(&mut self, dropped: &Fact, now: Timestamp) {
        let later = |fact: &&mut Fact| fact.kind == FactKind::JobChange && fact.holds(now) && fact.at >= dropped.at;
        let next = self.0.iter_mut().filter(later).min_by(|a, b| a.at.cmp(&b.at).then_with(|| a.id.cmp(&b.id)));
        if let Some(next) = next.filter(|_| dropped.kind == FactKind::JobChange && dropped.holds(now)) {
            next.job = dropped.job.clone().with(&next.job);
        }
    }

    /// Voids a fact, since an operator rejected what asserts it at a time; not where HR has asserted it anew since. Answers whether
    /// it is there.
    ///
    /// An announcement and the event that it fires make the same assertion: whichever is rejected, the fact is void.
    pub fn reject(&mut self, asserted: &Asserted, at: Timestamp) -> bool {
        let same = |fact: &&mut Fact| fact.kind == asserted.kind && fact.id == asserted.id;
        let Some(fact) = self.0.iter_mut().find(same).filter(|fact| fact.assertion.is(asserted)) else {
            return false;
        };
        fact.standing = Standing::Rejected;
        fact.rejected_at = Some(at);
        true
    }

    /// Adds all facts of another set: two persons were found to be one.
    ///
    /// # Errors
    /// As [`Facts::assert`].
    pub fn unite(&mut self, other: &Facts, now: Timestamp) -> Result<(), TooManyFacts> {
        other.iter().try_for_each(|fact| self.assert(fact.clone(), now))
    }

    /// The oldest fact that decides nothing any more: before the latest start in force, else overtaken in its family.
    fn oldest_that_is_over(&self, now: Timestamp) -> Option<usize> {
        let in_force = |family: Family| latest(self.0.iter().filter(move |fact| family(fact.kind) && fact.holds(now)));
        let start = in_force(FactKind::is_start);
        let employment = in_force(FactKind::is_employment);
        let leave = in_force(FactKind::is_leave);
        let licence = in_force(FactKind::is_licence);
        let rules: [(Option<&Fact>, Family); 4] = [
            (start, |kind| kind != FactKind::Login),
            (leave, FactKind::is_leave),
            (employment, FactKind::is_employment),
            (licence, FactKind::is_licence),
        ];
        rules.into_iter().find_map(|(newer, family)| {
            let newer = newer?;
            let over = self.0.iter().enumerate().filter(|(_, fact)| family(fact.kind) && before(fact, newer));
            over.min_by(|(_, a), (_, b)| a.at.cmp(&b.at).then_with(|| a.id.cmp(&b.id))).map(|(index, _)| index)
        })
    }
}

/// Which kinds of fact belong together.
type Family = fn(FactKind) -> bool;
