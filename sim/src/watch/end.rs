//! The rules of the end: when everything has come to rest.

use super::record;
use super::{Rule, Watch};
use crate::dynamo::{Dynamo, Item, at, text_at};
use crate::functions::Function;
use crate::oracle::{self, Assertion, Due};
use crate::story::{AccountKind, Telling};
use crate::worker::instant;
use rollcall_local::chime::core::Core;
use rollcall_local::chime::state::Registration;
use std::collections::{BTreeMap, BTreeSet};

impl Watch<'_> {
    /// Everything has come to rest, or had its time to. `left`: messages that the queue still has.
    pub fn ends(&mut self, now: i64, ledger: &Dynamo, directory: &Core, sent: &BTreeSet<usize>, left: &[String]) {
        if self.broken.is_some() {
            return;
        }
        self.drained(now, ledger, left, sent.len());
        self.outcomes(ledger, sent);
        for person in 0..self.story.people.len() {
            self.person_ends(now, person, ledger, directory);
        }
        self.pins(ledger);
    }

    fn drained(&mut self, now: i64, ledger: &Dynamo, left: &[String], sent: usize) {
        self.premises[Rule::Drained as usize] += sent as u64;
        self.check(Rule::Drained, left.is_empty(), || format!("the queue still has {}", left.join(", ")));
        for (key, item) in ledger.items() {
            let waits = matches!(record::state(item), "running" | "retry") && Function::of_key(key).is_some();
            self.check(Rule::Drained, !waits, || format!("{key} is still {}", record::state(item)));
            // What was sent without an answer kept its lease until that ran out. Nobody needed the person since.
            let left = record::lease(item).filter(|lease| {
                let event = ledger.items().get(&lease.event);
                let over = event.is_some_and(|event| !matches!(record::state(event), "running" | "retry"));
                !over || lease.until > now.div_euclid(crate::bounds::MS)
            });
            self.check(Rule::Drained, left.is_none(), || format!("{key} still has a lease"));
        }
    }

    fn outcomes(&mut self, ledger: &Dynamo, sent: &BTreeSet<usize>) {
        let told = self.story.tellings.iter().enumerate().filter(|(index, _)| sent.contains(index));
        let missing: Vec<&Telling> =
            told.map(|(_, telling)| telling).filter(|telling| !ledger.items().contains_key(&telling.key)).collect();
        self.premises[Rule::Outcome as usize] += sent.len() as u64;
        if let Some(telling) = missing.first() {
            self.breaks(Rule::Outcome, format!("{} has no record", telling.key));
        }
        for (key, item) in ledger.items().iter().filter(|(key, _)| Function::of_key(key).is_some()) {
            let told = self.telling(key).and_then(|index| self.story.tellings.get(index));
            let stays = told.is_none_or(|telling| self.stays_parked(telling, &record::reason(item)))
                || record::state(item) != "parked";
            self.check(Rule::Outcome, stays, || {
                format!("{key} is parked, though it was sent back: {}", record::reason(item))
            });
        }
    }

    fn person_ends(&mut self, now: i64, person: usize, ledger: &Dynamo, directory: &Core) {
        let state = |telling: &Telling| ledger.items().get(&telling.key).map(|item| record::state(item).to_owned());
        let mine: Vec<&Telling> = self
            .story
            .tellings
            .iter()
            .enumerate()
            .filter(|(index, telling)| self.recorded.contains(index) && telling.person == Some(person))
            .map(|(_, telling)| telling)
            .collect();
        // Those that are not tied to each other are several people, as far as anybody can know.
        for group in groups(&mine) {
            let all: Vec<&Assertion> = group.iter().filter_map(|telling| telling.assertion.as_ref()).collect();
            if all.is_empty() {
                continue;
            }
            let is_over = |telling: &Telling| {
                !matches!(state(telling).as_deref(), Some("held" | "parked" | "observed" | "rejected"))
            };
            let acted = acted(&group, is_over);
            let rejected = self.rejected_of(&group);
            let none = oracle::Rejected::new();
            // What was decided meanwhile may rest on what still waits, though nothing was done for that.
            let asked = self::acted(&group, |telling| is_over(telling) || !takes(telling));
            let cases = [(&all, &rejected), (&acted, &rejected), (&asked, &rejected), (&all, &none)];
            let due = cases.map(|(said, rejected)| oracle::due(said, rejected, now, self.story.absences));
            // Who is due nothing because an operator rejected a start keeps it until the next reconcile pass; and what was
            // to be taken, and is held or was rejected, nobody takes.
            let waits = |key: &str| {
                ledger
                    .items()
                    .get(key)
                    .is_some_and(|item| matches!(record::state(item), "held" | "parked" | "observed"))
            };
            let not_taken = |key: &str| self.rejected.contains(key) || waits(key);
            let spared = group.iter().any(|telling| takes(telling) && not_taken(&telling.key));
            let elsewhere = self.was_sought_elsewhere(&group, ledger)
                || self.has_two_users(person)
                || self.met_late(person, &group, ledger);
            if due == [Due::NoAccess; 4] && !spared && !elsewhere {
                self.leaver(person, directory);
            }
            if due[..2] == [Due::Access; 2] {
                self.has_access(person, directory);
                self.licensed(person, &group, [&all, &acted], &rejected, now, directory);
            }
            self.facts_kept(&group, &all, &rejected, ledger);
        }
        self.taken_kept(person, ledger);
    }

    /// An event came by an address that the directory did not have any more, or not yet: it found nobody.
    fn was_sought_elsewhere(&self, group: &[&Telling], ledger: &Dynamo) -> bool {
        group.iter().any(|telling| {
            let person = telling.person.and_then(|person| self.story.people.get(person));
            let renamed = person.is_some_and(|person| person.renamed.is_some());
            renamed && ledger.items().get(&telling.key).is_some_and(|item| record::reason(item) == "user_not_found")
        })
    }

    /// Two halves of a person that nobody could put together yet, when each event that takes access was decided; what
    /// they say together asks nobody to act before the reconcile pass.
    fn met_late(&self, person: usize, group: &[&Telling], ledger: &Dynamo) -> bool {
        let merged = |(key, item): (&String, &std::sync::Arc<Item>)| {
            self.people.get(key) == Some(&person) && text_at(item, &["merged_into"]).is_some()
        };
        let took_nothing = |telling: &&Telling| {
            let reason = ledger.items().get(&telling.key).map(|item| record::reason(item));
            matches!(reason.as_deref(), Some("access_due" | "nothing_due" | "newer_assertion"))
        };
        let mut taking = group.iter().filter(|telling| takes(telling));
        ledger.items().iter().any(merged) && taking.all(took_nothing)
    }

    /// Whoever got another address from an administrator, and was invited under the one that HR still told.
    pub(super) fn has_two_users(&self, person: usize) -> bool {
        let Some(someone) = self.story.people.get(person).filter(|person| person.renamed.is_some()) else {
            return false;
        };
        let owned = self.owners.values().filter(|owner| **owner == person).count();
        // The id of the start is nobody's where there was no user.
        owned > 1 + usize::from(someone.account.is_none())
    }

    /// Who has no access due has none: blocked, removed, or signed out where only the company's directory can block.
    fn leaver(&mut self, person: usize, directory: &Core) {
        let Some(someone) = self.story.people.get(person) else { return };
        let accounts = &self.story.accounts;
        let Some(account) = accounts.get(someone.home) else { return };
        self.premise(Rule::Leaver);
        let user = self.users_of(person, directory).next();
        let gone = match (account.kind, user) {
            (_, None) => true,
            (AccountKind::Team, Some(_)) => false,
            (AccountKind::Lwa, Some(user)) => user.user_registration_status == Registration::Suspended,
            (AccountKind::Directory, Some(user)) => user.sessions == 0,
        };
        self.check(Rule::Leaver, gone, || format!("p{person} ({}) still has access", account.kind.word()));
    }

    /// The ledger keeps the newest assertion of every fact that was told.
    fn facts_kept(&mut self, group: &[&Telling], said: &[&Assertion], rejected: &oracle::Rejected, ledger: &Dynamo) {
        let keys = group.iter().filter_map(|telling| {
            text_at(ledger.items().get(&telling.key)?, &["person"]).map(|key| format!("person#{key}"))
        });
        let mut items: BTreeMap<String, &Item> = BTreeMap::new();
        for mut key in keys {
            // Two persons that were found to be one: one of them points at the other.
            for _ in 0..3 {
                let Some(item) = ledger.items().get(&key) else { break };
                match text_at(item, &["merged_into"]) {
                    Some(into) => key = format!("person#{into}"),
                    None => {
                        items.insert(key.clone(), item);
                        break;
                    }
                }
            }
        }
        self.premise(Rule::Facts);
        let ids: Vec<String> = items.keys().cloned().collect();
        self.check(Rule::Facts, items.len() == 1, || format!("one person has the items {}", ids.join(", ")));
        let kept: BTreeSet<String> = items.values().flat_map(|item| facts(item)).collect();
        let newest: BTreeSet<String> = oracle::facts(said).into_iter().map(|said| fact(said, rejected)).collect();
        let is_poison = |fact: &&String| fact.contains("poison-");
        let lost: Vec<&String> = newest.difference(&kept).filter(|fact| !is_poison(fact)).collect();
        let more: Vec<&String> = kept.difference(&newest).filter(|fact| !is_poison(fact)).collect();
        self.check(Rule::Facts, lost.is_empty() && more.is_empty(), || {
            format!("{}: lost are {lost:?}, and kept instead {more:?}", ids.join(", "))
        });
    }

    fn taken_kept(&mut self, person: usize, ledger: &Dynamo) {
        let Some(first) = self.first_taken.get(&person).cloned() else { return };
        self.premise(Rule::Taken);
        let mine = |key: &String| self.people.get(key) == Some(&person);
        // Of an attempt that died and whose event other facts have overtaken since, nobody knows that it took something.
        let state = ledger.items().get(&first.event).map(|item| record::state(item));
        let known = ledger.items().iter().any(|(key, item)| mine(key) && record::taken(item).is_some());
        self.check(Rule::Taken, known || state != Some("applied"), || {
            format!("p{person} had {:?} taken, and nobody wrote it down", first.licence)
        });
    }
}

/// The assertions that were acted upon. An end that no event brought into force, because that event waits for somebody
/// or was never sent, takes no access: nobody asked for it.
fn acted<'t>(group: &[&'t Telling], has_ended: impl Fn(&Telling) -> bool) -> Vec<&'t Assertion> {
    let (over, waiting): (Vec<&Telling>, Vec<&Telling>) = group.iter().partition(|telling| has_ended(telling));
    let of = |tellings: &[&'t Telling]| -> Vec<&'t Assertion> {
        tellings.iter().filter_map(|telling| telling.assertion.as_ref()).collect()
    };
    let (over, waiting) = (of(&over), of(&waiting));
    let same = |one: &Assertion, other: &Assertion| (one.kind, &one.fact) == (other.kind, &other.fact);
    let asked = |said: &&Assertion| {
        let is_end = matches!(said.kind, oracle::Kind::Termination | oracle::Kind::Leave);
        let in_force = |other: &&Assertion| same(said, other) && other.phase == oracle::Phase::Effective;
        !is_end || (over.iter().any(in_force) && !waiting.iter().any(|other| same(said, other)))
    };
    over.iter().copied().filter(asked).collect()
}

fn takes(telling: &Telling) -> bool {
    telling.assertion.as_ref().is_some_and(|said| said.asks() == oracle::Asks::Taking)
}

/// Splits the events of one person into those that identifiers tie to each other.
fn groups<'t>(tellings: &[&'t Telling]) -> Vec<Vec<&'t Telling>> {
    let mut groups: Vec<Vec<&Telling>> = Vec::new();
    for telling in tellings {
        let shares = |group: &Vec<&Telling>| {
            group.iter().any(|other| other.identifiers.iter().any(|id| telling.identifiers.contains(id)))
        };
        let (tied, mut apart): (Vec<_>, Vec<_>) = groups.into_iter().partition(shares);
        let mut joined: Vec<&Telling> = tied.into_iter().flatten().collect();
        joined.push(telling);
        apart.push(joined);
        groups = apart;
    }
    groups
}

/// The facts of a person's item, each as one line.
fn facts(item: &Item) -> Vec<String> {
    let list = at(item, &["facts"]).and_then(|facts| facts.list()).unwrap_or_default();
    let line = |fact: &crate::dynamo::Attribute| {
        let fact = fact.map()?;
        let word = |name: &str| text_at(fact, &[name]).unwrap_or_default();
        let active = at(fact, &["active"]).and_then(|active| active.flag());
        Some(format!(
            "{} {} {} {} {} {} {}",
            word("kind"),
            word("id"),
            word("standing"),
            word("at"),
            word("occurred_at"),
            if word("standing") == "rejected" { "" } else { word("event") },
            active.map_or("", |active| if active { "active" } else { "inactive" })
        ))
    };
    list.iter().filter_map(line).collect()
}

/// The same line of an assertion.
fn fact(said: &Assertion, rejected: &oracle::Rejected) -> String {
    let (kind, active) = match said.kind {
        oracle::Kind::Hire => ("hire", ""),
        oracle::Kind::Rehire => ("rehire", ""),
        oracle::Kind::Termination => ("termination", ""),
        oracle::Kind::Leave => ("leave", ""),
        oracle::Kind::Return => ("return", ""),
        oracle::Kind::Login => ("login", if said.active { "active" } else { "inactive" }),
        oracle::Kind::JobChange => ("job_change", ""),
        oracle::Kind::Reclaim => ("reclaim", ""),
        oracle::Kind::Compromise => ("compromise", ""),
        oracle::Kind::Identity => ("identity", ""),
    };
    let standing = match said.phase {
        _ if rejected.contains(&said.rejects()) => "rejected",
        oracle::Phase::Rescinded => "rescinded",
        oracle::Phase::Scheduled | oracle::Phase::Effective => "asserted",
    };
    let at = said.at.map(|at| instant(at).to_string()).unwrap_or_default();
    // One assertion may come under two ids. Once it is rejected, the one that came later is not even looked at.
    let event = if standing == "rejected" { "" } else { said.event.as_str() };
    format!("{kind} {} {standing} {at} {} {event} {active}", said.fact, instant(said.occurred))
}
