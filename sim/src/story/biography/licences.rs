//! What is told besides employments and absences: jobs, the audit's requests, compromises, and another address.

use super::super::wire::{Effective, Told};
use super::super::{NOON, TODAY};
use super::{Fact, HANDED_OVER, Writer};
use crate::bounds::{DAY, MINUTE, SECOND};
use crate::oracle::{Job, Kind, Phase};

impl Writer<'_> {
    pub(super) fn job_change(&mut self, day: i64) {
        let change = self.fact(Kind::JobChange, day);
        let said = self.said(day);
        self.job_changed = change.effective.at;
        self.announce(&change, said, 250);
        self.tell(&change, Phase::Effective, said);
        if change.name.is_some() && self.random.chance(200) {
            let later = self.after(said);
            let day = (day + self.days(9) - 4).min(-3);
            let moved = Fact { effective: self.effective(day), job: self.job(Kind::JobChange), ..change.clone() };
            self.tell(&moved, Phase::Effective, later);
        }
        if self.random.chance(250) {
            let later = self.after(said);
            self.tell(&change, Phase::Rescinded, later);
        }
    }

    /// The audit asks a licence back; now and then at the very instant at which a job changed.
    pub(super) fn reclaim(&mut self, day: i64) {
        let at = NOON + day * DAY + self.days(24) * 60 * MINUTE;
        let at = self.job_changed.filter(|_| self.random.chance(400)).unwrap_or(at);
        let at = if self.is_successor() { self.said(day) } else { at.min(HANDED_OVER) };
        let name = self.random.chance(500).then(|| self.name());
        let effective = Effective { at: Some(at), date: None, told: Told::Nothing };
        self.tell(&Fact { kind: Kind::Reclaim, name, effective, job: Job::default() }, Phase::Effective, at);
    }

    pub(super) fn compromise(&mut self) {
        let hours = self.days(6 * 24);
        let at = if self.is_successor() { self.said(-1) } else { HANDED_OVER - hours * 60 * MINUTE };
        let effective = Effective { at: Some(at), date: None, told: Told::Nothing };
        self.tell(&Fact { kind: Kind::Compromise, name: None, effective, job: Job::default() }, Phase::Effective, at);
    }

    /// The address changes: it is told after everything that was told by the old one.
    pub(super) fn identity(&mut self) {
        self.renamed = true;
        let at = HANDED_OVER + 30 * SECOND;
        let effective = Effective { at: Some(at), date: Some(TODAY), told: Told::Instant };
        self.tell(&Fact { kind: Kind::Identity, name: None, effective, job: Job::default() }, Phase::Effective, at);
    }
}
