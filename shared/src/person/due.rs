//! What is due, by all facts of a person: access, the job, and what a licence follows from. Pure.

use super::facts::{Fact, FactKind, Facts, Standing};
use super::{FactId, Job};
use jiff::Timestamp;
use std::cmp::Ordering;

/// Whether a person must have access now, and which fact says so.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Access {
    /// Access is due.
    Due(FactId),
    /// No access is due.
    NotDue(FactId),
    /// No fact says: as the directory has it.
    AsIs,
}

/// Which families besides employment take access away.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AccessPolicy {
    /// A leave takes access away.
    pub leave: bool,
    /// An inactive login takes access away.
    pub login: bool,
}

impl Default for AccessPolicy {
    fn default() -> Self {
        AccessPolicy { leave: true, login: true }
    }
}

impl Facts {
    /// Whether access is due now.
    #[must_use]
    pub fn access(&self, now: Timestamp, policy: AccessPolicy) -> Access {
        match self.decides_access(now, policy) {
            Some((fact, true)) => Access::Due(fact.id.clone()),
            Some((fact, false)) => Access::NotDue(fact.id.clone()),
            None => Access::AsIs,
        }
    }

    /// The fact that says whether access is due now, and what it says; `None` where no fact does.
    #[must_use]
    pub fn decides_access(&self, now: Timestamp, policy: AccessPolicy) -> Option<(&Fact, bool)> {
        let employment = self.employment(now);
        if let Some(Employment::Over(fact)) = employment {
            return Some((fact, false));
        }
        let start = match employment {
            Some(Employment::Running(start)) => Some(start),
            Some(Employment::Over(_)) | None => None,
        };
        if let Some(leave) = self.leave(now, start).filter(|_| policy.leave) {
            return Some((leave, false));
        }
        if let Some(login) = self.inactive_login(now).filter(|_| policy.login) {
            return Some((login, false));
        }
        start.map(|start| (start, true))
    }

    /// The employment family: the latest effective fact, and where there is none, a start that HR took back. `None`: no
    /// fact says.
    #[must_use]
    pub fn employment(&self, now: Timestamp) -> Option<Employment<'_>> {
        let in_force = latest(self.iter().filter(|fact| fact.kind.is_employment() && fact.holds(now)));
        if let Some(fact) = in_force {
            return Some(match fact.kind {
                FactKind::Hire | FactKind::Rehire => Employment::Running(fact),
                FactKind::Termination
                | FactKind::Leave
                | FactKind::Return
                | FactKind::Login
                | FactKind::JobChange
                | FactKind::Reclaim => Employment::Over(fact),
            });
        }
        // A first employment that was taken back never was. Anything else that was taken back says nothing.
        let never = self.iter().filter(|fact| {
            fact.kind == FactKind::Hire && fact.standing == Standing::Rescinded && fact.at.is_some_and(|at| at <= now)
        });
        latest(never).map(Employment::Over)
    }

    /// The leave in force. One that began before the present employment ended with the former.
    fn leave(&self, now: Timestamp, start: Option<&Fact>) -> Option<&Fact> {
        let running = self
            .iter()
            .filter(|fact| fact.kind.is_leave() && fact.holds(now) && start.is_none_or(|start| !before(fact, start)));
        running
            .max_by(|a, b| {
                a.at.cmp(&b.at).then_with(|| a.kind.wins_ties().cmp(&b.kind.wins_ties())).then_with(|| a.id.cmp(&b.id))
            })
            .filter(|fact| fact.kind == FactKind::Leave)
    }

    fn inactive_login(&self, now: Timestamp) -> Option<&Fact> {
        self.iter()
            .filter(|fact| fact.kind == FactKind::Login && fact.holds(now))
            .max_by(|a, b| a.newness(b))
            .filter(|fact| fact.active == Some(false))
    }

    /// The job now: what the start of the employment told of it, and then each change in force, by when it took effect.
    /// Where none of them tells, what stood before a change that was taken back.
    #[must_use]
    pub fn job(&self, now: Timestamp) -> Job {
        self.job_with_last(now, None)
    }

    /// The job now, where `last` counts as the last of the changes that took effect with it.
    fn job_with_last(&self, now: Timestamp, last: Option<&Fact>) -> Job {
        let start = match self.employment(now) {
            Some(Employment::Running(start)) => Some(start),
            Some(Employment::Over(_)) | None => None,
        };
        let job_changes = || self.iter().filter(|fact| fact.kind == FactKind::JobChange);
        let in_order = |mut facts: Vec<&Fact>| {
            let is_last = |fact: &Fact| last.is_some_and(|last| last.id == fact.id);
            facts.sort_by(|a, b| a.at.cmp(&b.at).then(is_last(a).cmp(&is_last(b))).then_with(|| a.id.cmp(&b.id)));
            facts.into_iter().fold(Job::default(), |job, fact| job.with(&fact.job))
        };
        let taken_back = in_order(job_changes().filter(|fact| fact.standing == Standing::Rescinded).collect());
        let told = start.map(|start| start.job.clone()).unwrap_or_default();
        taken_back.with(&told).with(&in_order(job_changes().filter(|fact| self.bears_on(fact, start, now)).collect()))
    }

    /// What the licence follows from now: the latest fact in force of its family, one of each kind where several took
    /// effect at one instant. A change of job comes with the job that it leads to.
    #[must_use]
    pub fn licence(&self, now: Timestamp) -> Vec<(&Fact, Job)> {
        let start = match self.employment(now) {
            Some(Employment::Running(start)) => Some(start),
            Some(Employment::Over(_)) | None => None,
        };
        let family: Vec<&Fact> =
            self.iter().filter(|fact| fact.kind.is_licence() && self.bears_on(fact, start, now)).collect();
        let latest = family.iter().filter_map(|fact| fact.at).max();
        let latest = family.into_iter().filter(|fact| fact.at == latest);
        latest.map(|fact| (fact, self.job_with_last(now, Some(fact)))).collect()
    }

    /// In force, and not of a former employment.
    fn bears_on(&self, fact: &Fact, start: Option<&Fact>, now: Timestamp) -> bool {
        fact.holds(now) && start.is_none_or(|start| !before(fact, start))
    }
}

/// What the facts say of a person's employment, and which of them says so.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Employment<'a> {
    /// The person works there since this start.
    Running(&'a Fact),
    /// The person does not work there: an end, or a first start that was taken back.
    Over(&'a Fact),
}

/// The latest employment fact: by local date where both have one, else by instant.
///
/// Dates and instants do not mix into one order, so the latest dated and the latest undated fact are found first.
pub(super) fn latest<'a>(facts: impl Iterator<Item = &'a Fact>) -> Option<&'a Fact> {
    let (dated, undated): (Vec<&Fact>, Vec<&Fact>) = facts.partition(|fact| fact.date.is_some());
    let tie = |a: &Fact, b: &Fact| a.kind.wins_ties().cmp(&b.kind.wins_ties());
    let last = |a: &Fact, b: &Fact| a.at.cmp(&b.at).then_with(|| a.id.cmp(&b.id));
    let dated = dated.into_iter().max_by(|a, b| a.date.cmp(&b.date).then_with(|| tie(a, b)).then_with(|| last(a, b)));
    let undated = undated.into_iter().max_by(|a, b| a.at.cmp(&b.at).then_with(|| tie(a, b)).then_with(|| last(a, b)));
    match (dated, undated) {
        (Some(dated), Some(undated)) => {
            let order = dated.at.cmp(&undated.at).then_with(|| tie(dated, undated));
            Some(if order == Ordering::Less { undated } else { dated })
        }
        (dated, undated) => dated.or(undated),
    }
}

pub(super) fn before(fact: &Fact, start: &Fact) -> bool {
    match (fact.date, start.date) {
        (Some(date), Some(start)) => date < start,
        (Some(_) | None, Some(_) | None) => fact.at < start.at,
    }
}
