//! What keeps Rollcall safe to act unattended, as a story draws it: the brake, protected people, observe mode, and what
//! the operator does about what is held.

use super::people::Person;
use crate::bounds::{MINUTE, SECOND};
use crate::functions::Function;
use rollcall_local::chime::random::Random;
use serde_json::{Value, json};
use std::collections::BTreeSet;

/// One limit of the brake.
#[derive(Clone, Copy, Debug)]
pub struct Limit {
    /// So many changes.
    pub count: u64,
    /// So many of a hundred users, and whether both must be exceeded.
    pub percent: Option<(u64, bool)>,
    /// In any window of this length.
    pub window: i64,
}

impl Limit {
    /// How many changes it allows, where so many users were counted.
    #[must_use]
    pub fn allows(&self, population: Option<u64>) -> u64 {
        match (self.percent, population) {
            (None, _) | (Some(_), None) => self.count,
            (Some((percent, both)), Some(users)) => {
                let share = (users * percent / 100).max(1);
                if both { self.count.max(share) } else { self.count.min(share) }
            }
        }
    }

    fn write(&self) -> Value {
        let minutes = self.window / MINUTE;
        let mut limit = json!({ "count": self.count, "window": format!("PT{minutes}M") });
        if let Some((percent, both)) = self.percent {
            limit["percent"] = json!(percent);
            limit["when"] = json!(if both { "all" } else { "any" });
        }
        limit
    }
}

/// The limits of one class of changes.
#[derive(Clone, Debug, Default)]
pub struct Limits {
    /// Over all accounts.
    pub all: Vec<Limit>,
    /// In each account.
    pub each: Vec<Limit>,
}

impl Limits {
    fn draw(random: &mut Random) -> Limits {
        let limit = |random: &mut Random| Limit {
            count: random.below(4),
            percent: random.chance(300).then(|| (10 + random.below(60), random.chance(500))),
            window: if random.chance(500) { 10 * MINUTE } else { 60 * MINUTE },
        };
        let (all, each) = (random.below(4), random.below(3));
        Limits {
            all: (0..all.min(2)).map(|_| limit(random)).collect(),
            each: if each == 0 || all == 0 { vec![limit(random)] } else { Vec::new() },
        }
    }

    /// There is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.all.is_empty() && self.each.is_empty()
    }

    fn write(&self) -> Value {
        let rules = |limits: &[Limit]| limits.iter().map(Limit::write).collect::<Vec<_>>();
        json!({ "limits": rules(&self.all), "per_account": rules(&self.each) })
    }
}

/// A group of people of whom some must stay.
#[derive(Clone, Debug)]
pub struct Group {
    /// Its members' identifiers, as the policy names them.
    pub members: Vec<String>,
    /// How many must keep their access.
    pub minimum: usize,
}

/// The policy's sections on safety, and the operator.
#[derive(Clone, Debug, Default)]
pub struct Safety {
    /// The brake's limits on access.
    pub access: Limits,
    /// The brake's limits on licences.
    pub licence: Limits,
    /// The users that were counted.
    pub population: Option<u64>,
    /// Identifiers of people from whom nothing is taken.
    pub protected: BTreeSet<String>,
    /// Some of them are named by a pattern of addresses.
    pub patterns: BTreeSet<String>,
    /// A group of whom some must stay.
    pub group: Option<Group>,
    /// Who only observes.
    pub observes: Option<Observes>,
    /// What the operator does, and when, after the start.
    pub desk: Vec<Desk>,
}

/// What is observed and not done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Observes {
    /// All that takes access.
    Access,
    /// All that takes a licence.
    Licence,
    /// All that a function does.
    Function(Function),
}

/// Something that the operator does.
#[derive(Clone, Copy, Debug)]
pub struct Desk {
    /// When, after the start.
    pub at: i64,
    /// What.
    pub act: Act,
}

/// What the operator does about what waits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Act {
    /// Releases some of it: of four, those at the positions whose bit is set.
    Release(u8),
    /// Rejects some of it.
    Reject(u8),
    /// Resets the brake.
    Reset,
}

impl Safety {
    /// Draws the sections. Half of the stories have none.
    pub(super) fn draw(random: &mut Random, people: &[Person]) -> Safety {
        let mut safety = Safety::default();
        if random.chance(350) {
            safety.brake(random);
        }
        if random.chance(250) {
            safety.protect(random, people);
        }
        if random.chance(80) {
            let functions = Function::ALL.map(Observes::Function);
            let all = [[Observes::Access, Observes::Licence].as_slice(), &functions].concat();
            safety.observes = random.one_of(&all).copied();
        }
        if random.chance(700) {
            let acts = random.below(6);
            safety.desk = (0..acts).map(|_| desk(random)).collect();
        }
        safety
    }

    fn brake(&mut self, random: &mut Random) {
        let classes = random.below(4);
        if classes != 0 {
            self.access = Limits::draw(random);
        }
        if classes < 2 {
            self.licence = Limits::draw(random);
        }
        self.population = random.chance(500).then(|| 1 + random.below(12));
    }

    fn protect(&mut self, random: &mut Random, people: &[Person]) {
        for _ in 0..=random.below(2) {
            let Some(person) = random.one_of(people) else { return };
            match random.below(3) {
                0 => drop(self.protected.insert(person.email.clone())),
                1 => drop(self.protected.insert(person.worker.clone())),
                _ => drop(self.patterns.insert(person.email.clone())),
            }
        }
        if random.chance(500) && people.len() > 1 {
            let of = |person: &Person, random: &mut Random| {
                if random.chance(500) { person.email.clone() } else { person.worker.clone() }
            };
            let mut members: Vec<String> = people.iter().take(3).map(|person| of(person, random)).collect();
            members.sort();
            members.dedup();
            let minimum = usize::try_from(1 + random.below(members.len() as u64)).unwrap_or(1);
            self.group = Some(Group { members, minimum });
        }
    }

    /// Writes the sections into a policy.
    pub(super) fn write(&self, policy: &mut Value) {
        for (class, limits) in [("access", &self.access), ("licence", &self.licence)] {
            if !limits.is_empty() {
                policy["brake"][class] = limits.write();
            }
        }
        let is_address = |name: &&String| name.contains('@');
        let (emails, workers): (Vec<&String>, Vec<&String>) = self.protected.iter().partition(is_address);
        let patterns: Vec<String> = self.patterns.iter().map(|email| email.replacen("@acc", "@*cc", 1)).collect();
        let groups: Vec<Value> = self
            .group
            .iter()
            .map(|group| json!({ "name": "admins", "members": group.members, "minimum": group.minimum }))
            .collect();
        policy["protected"] =
            json!({ "emails": emails, "worker_ids": workers, "patterns": patterns, "groups": groups });
        policy["mode"] = match self.observes {
            None => return,
            Some(Observes::Access) => json!({ "classes": { "access": "observe" } }),
            Some(Observes::Licence) => json!({ "classes": { "licence": "observe" } }),
            Some(Observes::Function(function)) => json!({ "functions": { function.word(): "observe" } }),
        };
    }
}

fn desk(random: &mut Random) -> Desk {
    let some = u8::try_from(1 + random.below(15)).unwrap_or(15);
    let act = match random.below(8) {
        0..4 => Act::Release(some),
        4 | 5 => Act::Reject(some),
        _ => Act::Reset,
    };
    Desk { at: i64::try_from(30 + random.below(6_000)).unwrap_or(30) * SECOND, act }
}
