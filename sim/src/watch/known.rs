//! What was known of a person when an event about it was recorded: all that identifiers tie to it by then.

use super::Watch;
use crate::bounds::SECOND;
use crate::oracle::{self, Asks, Assertion, Due, Licence};
use crate::story::Telling;
use std::collections::BTreeSet;

impl<'a> Watch<'a> {
    /// The event of a record, by position in the story.
    pub(super) fn telling(&self, key: &str) -> Option<usize> {
        let is_it = |telling: &Telling| telling.key == key;
        self.story.tellings.iter().position(is_it)
    }

    /// What is known, once an event is recorded, of the person it is about: all that was recorded before and is tied to
    /// it by identifiers.
    pub(super) fn known(&self, telling: usize) -> (Vec<&'a Assertion>, oracle::Rejected) {
        let tied = self.tied(telling);
        (tied.iter().filter_map(|telling| telling.assertion.as_ref()).collect(), self.rejected_of(&tied))
    }

    /// What was rejected of the events of one person.
    pub(super) fn rejected_of(&self, tellings: &[&Telling]) -> oracle::Rejected {
        let rejected = tellings.iter().filter(|telling| self.rejected.contains(&telling.key));
        rejected.filter_map(|telling| telling.assertion.as_ref()).map(Assertion::rejects).collect()
    }

    /// The identifiers that are tied to the person of an event, once it is recorded.
    pub(super) fn identifiers(&self, telling: usize) -> BTreeSet<&'a String> {
        let tied = self.tied(telling);
        let renames =
            |telling: &&&Telling| telling.assertion.as_ref().is_some_and(|said| said.kind == oracle::Kind::Identity);
        // A change of address names the one of before as well.
        let former = tied.iter().filter(renames).filter_map(|telling| self.story.people.get(telling.person?));
        let former: Vec<&'a String> = former.map(|person| &person.email).collect();
        tied.iter().flat_map(|telling| &telling.identifiers).chain(former).collect()
    }

    pub(super) fn tied(&self, telling: usize) -> Vec<&'a Telling> {
        let all = &self.story.tellings;
        let Some(event) = all.get(telling) else { return Vec::new() };
        let others = self.recorded.iter().filter(|index| **index != telling).filter_map(|index| all.get(*index));
        let mut apart: Vec<_> = others.filter(|other| other.person == event.person).collect();
        let (mut identifiers, mut tied) = (event.identifiers.clone(), vec![event]);
        loop {
            let shares = |other: &&Telling| other.identifiers.iter().any(|id| identifiers.contains(id));
            let (joins, rest): (Vec<_>, Vec<_>) = apart.into_iter().partition(shares);
            if joins.is_empty() {
                break;
            }
            identifiers.extend(joins.iter().flat_map(|other| other.identifiers.iter().cloned()));
            tied.extend(joins);
            apart = rest;
        }
        tied
    }

    /// What was due, as known then, over the time in which a worker decided: a call may be on its way for 10 s, and the
    /// worker's clock may be off.
    pub(super) fn due_around(&self, telling: usize, worker_now: i64) -> [Due; 2] {
        let (said, rejected) = self.known(telling);
        let earlier = worker_now - 20 * SECOND;
        [earlier, worker_now].map(|at| oracle::due(&said, &rejected, at, self.story.absences))
    }

    /// Which licence was due, over the same time; `None` where the policy has nothing to choose by.
    pub(super) fn licence_around(&self, telling: usize, worker_now: i64) -> [Option<Licence>; 2] {
        let Some(licences) = &self.story.licences else { return [None; 2] };
        let (said, rejected) = self.known(telling);
        let earlier = worker_now - 20 * SECOND;
        [earlier, worker_now].map(|at| oracle::licence(&said, &rejected, at, licences))
    }

    /// What an event asks for; `None` where it is nobody's, or wrong.
    pub(super) fn asks(&self, telling: usize) -> Option<Asks> {
        let telling = self.story.tellings.get(telling)?;
        telling.assertion.as_ref().map(Assertion::asks)
    }
}
