//! The rules of safety: the brake counts every change once and never allows one too many; the protected keep everything.

use super::record::{self, Plan};
use super::{Rule, Watch};
use crate::bounds::SECOND;
use crate::dynamo::{Attribute, Change, Item, at, number_at, text_at};
use crate::functions::Function;
use crate::oracle::Licence;
use crate::story::{Limit, Limits};
use crate::timeline::TaskId;
use rollcall_local::chime::core::Core;
use rollcall_local::chime::state::Registration;
use std::collections::{BTreeMap, BTreeSet};

/// By how much a window may look shorter to us than to the workers: a claim is on its way for 10 s, and clocks differ.
const UNSHARP: i64 = 15 * SECOND;

/// How long after an event gave access back the quota of a group may not show it yet.
const GIVEN_BACK: i64 = 120 * SECOND;

/// A class of changes, each with a brake of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Class {
    Access,
    Licence,
}

impl Class {
    /// The budget over all accounts.
    fn budget(self) -> &'static str {
        match self {
            Class::Access => "budget#access",
            Class::Licence => "budget#licence",
        }
    }
}

/// What the brake must count.
#[derive(Debug, Default)]
pub(super) struct Counts {
    /// When access was about to be taken, by budget; since the last reset.
    taken: BTreeMap<String, Vec<i64>>,
    /// The events that took a unit, by budget; since the last reset.
    events: BTreeMap<String, BTreeSet<String>>,
    /// The events that took a unit, ever.
    counted: BTreeSet<String>,
    /// The budgets that hold every change.
    latched: BTreeSet<String>,
    /// When the users were counted.
    population_at: Option<i64>,
    /// The members of the group who lost access, as the policy names them.
    gone: BTreeSet<String>,
    /// Those of them who got it back, and when.
    back: BTreeMap<String, i64>,
}

/// One change of a transaction that the brake looks at.
struct Wanted<'c> {
    change: &'c Change,
    occurred: &'c str,
    held: bool,
    class: Class,
    account: String,
}

impl Watch<'_> {
    /// Looks at a transaction as the brake should have.
    pub(super) fn braked(&mut self, now: i64, task: TaskId, changes: &[Change], directory: &Core) {
        for change in changes.iter().filter(|change| change.id.starts_with("budget#")) {
            self.budget(task, change);
        }
        if changes.iter().any(|change| change.id == "population") {
            self.brake.population_at = Some(now);
        }
        self.marked(changes);
        let events = changes.iter().filter(|change| Function::of_key(&change.id).is_some());
        // Whoever lost access before, and has not got it back, is not counted again.
        let gone_before = |change: &Change| {
            let key = change
                .after
                .as_deref()
                .and_then(|after| text_at(after, &["person"]))
                .map(|key| format!("person#{key}"));
            let person = key.and_then(|key| changes.iter().find(|change| change.id == key));
            person.and_then(|person| person.before.as_deref()).is_some_and(|before| record::taken(before).is_some())
        };
        let counts = |one: &Wanted<'_>| one.held || one.class == Class::Licence || !gone_before(one.change);
        let mut wanted: Vec<Wanted<'_>> =
            events.filter_map(|change| self.wanted(change, directory)).filter(counts).collect();
        // The oldest that fit are applied, so those come first.
        wanted.sort_by_key(|one| one.held);
        for one in &wanted {
            let keys = self.budgets(one.class, &one.account);
            if one.held {
                self.premise(Rule::Brake);
                // Which of several budgets is full, its own count does not tell for certain.
                if let [(key, _)] = keys.as_slice() {
                    self.brake.latched.insert(key.clone());
                }
                continue;
            }
            self.brake.counted.insert(one.change.id.clone());
            for (key, limits) in keys {
                self.takes(now, one.change, &key, &limits);
            }
        }
        for class in [Class::Access, Class::Licence] {
            let limits = self.limits(class);
            if !limits.each.is_empty() || limits.all.is_empty() {
                continue;
            }
            let of = |held: bool| wanted.iter().filter(move |one| one.class == class && one.held == held);
            let oldest_held = of(true).map(|one| one.occurred).min();
            let newest_taken = of(false).map(|one| one.occurred).max();
            let fair = oldest_held.is_none() || newest_taken <= oldest_held;
            self.check(Rule::Brake, fair, || {
                "of one batch, an older change was held and a newer one applied".to_owned()
            });
        }
    }

    /// A change that counts, or that the brake held; `None` for all others.
    fn wanted<'c>(&self, change: &'c Change, directory: &Core) -> Option<Wanted<'c>> {
        let after = change.after.as_deref()?;
        let plan = record::plan(after)?;
        let occurred = text_at(after, &["occurred_at"]).unwrap_or_default();
        let account = plan.account.clone();
        let held = record::state(after) == "held" && record::reason(after) == "mass_change";
        let is_claim = change.before.as_deref().is_none_or(|before| record::owner(before) != record::owner(after));
        if held && is_claim {
            let class = if plan.takes() { Class::Access } else { Class::Licence };
            return Some(Wanted { change, occurred, held, class, account });
        }
        let released = at(after, &["released"]).is_some();
        let counted = self.brake.counted.contains(&change.id);
        let acts = record::state(after) == "running" && is_claim && !released && !counted;
        let class = if takes_access(&plan, directory) {
            Class::Access
        } else if lowers(&plan, directory) {
            Class::Licence
        } else {
            return None;
        };
        acts.then_some(Wanted { change, occurred, held, class, account })
    }

    fn limits(&self, class: Class) -> &Limits {
        match class {
            Class::Access => &self.story.safety.access,
            Class::Licence => &self.story.safety.licence,
        }
    }

    /// The budgets of a change, and their limits.
    fn budgets(&self, class: Class, account: &str) -> Vec<(String, Vec<Limit>)> {
        let (limits, all) = (self.limits(class), class.budget());
        let scopes = [(all.to_owned(), &limits.all), (format!("{all}#{account}"), &limits.each)];
        scopes.into_iter().filter(|(_, limits)| !limits.is_empty()).map(|(key, limits)| (key, limits.clone())).collect()
    }

    fn takes(&mut self, now: i64, change: &Change, key: &str, limits: &[Limit]) {
        let latched = self.brake.latched.contains(key);
        self.check(Rule::Brake, !latched, || format!("{} takes something, and {key} had latched", change.id));
        let taken = self.brake.taken.entry(key.to_owned()).or_default();
        taken.push(now);
        let taken = taken.clone();
        // Only the number of all users is counted; and a claim may rest on what was read a minute ago.
        let population = self.story.safety.population.filter(|_| !key.trim_start_matches("budget#").contains('#'));
        let known = self.brake.population_at.is_some_and(|counted| now - counted > 60 * SECOND);
        for limit in limits {
            let within = taken.iter().filter(|then| now - **then < limit.window - UNSHARP).count() as u64;
            let alone = if known { 0 } else { limit.allows(None) };
            let allowed = limit.allows(population.filter(|_| self.brake.population_at.is_some())).max(alone);
            self.check(Rule::Brake, within <= allowed, || {
                format!("{}: {within} changes in {} s, and {allowed} are allowed", change.id, limit.window / SECOND)
            });
        }
    }

    /// A budget was written: by a claim that took a unit, or by an operator who reset it.
    fn budget(&mut self, task: TaskId, change: &Change) {
        let Some(after) = change.after.as_deref() else {
            return self.breaks(Rule::Brake, format!("{} was deleted", change.id));
        };
        let rev = |item: &Item| number_at(item, &["rev"]).unwrap_or(0);
        let counted = rev(after) == change.before.as_deref().map_or(0, rev) + 1;
        self.check(Rule::Brake, counted, || format!("a write of {} did not count its rev", change.id));
        if self.invocations.get(&task).is_some_and(|one| one.is_desk) {
            self.brake.taken.remove(&change.id);
            self.brake.events.remove(&change.id);
            self.brake.latched.remove(&change.id);
            if change.id.starts_with("budget#group#") {
                self.brake.gone.clear();
                self.brake.back.clear();
            }
        }
        let empty =
            after.get("latch").is_some() && change.before.as_deref().is_some_and(|was| was.get("latch").is_some());
        self.check(Rule::Brake, !empty, || format!("{} had latched, and changed without a reset", change.id));
    }

    /// An event marks that it took a unit, and the budget counts no more than those that did.
    fn marked(&mut self, changes: &[Change]) {
        for change in changes.iter().filter(|change| Function::of_key(&change.id).is_some()) {
            let Some(after) = change.after.as_deref() else { continue };
            let was = change.before.as_deref().and_then(|before| text_at(before, &["braked"]));
            let class = match text_at(after, &["braked"]) {
                Some("access") if was.is_none() => Class::Access,
                Some("licence") if was.is_none() => Class::Licence,
                Some(_) | None => continue,
            };
            let account = record::plan(after).map(|plan| plan.account).unwrap_or_default();
            for (key, _) in self.budgets(class, &account) {
                self.brake.events.entry(key).or_default().insert(change.id.clone());
            }
        }
        for change in changes.iter().filter(|change| change.id.starts_with("budget#")) {
            let counted = change.after.as_deref().map_or(0, units);
            let events = self.brake.events.get(&change.id).map_or(0, BTreeSet::len);
            let fits = usize::try_from(counted).is_ok_and(|counted| counted <= events);
            self.check(Rule::Brake, fits, || format!("{} counts {counted} changes of {events} events", change.id));
        }
    }

    /// Nobody protected is touched, and a group keeps its minimum.
    pub(super) fn guarded(&mut self, telling: usize, change: &Change, takes: bool) {
        let safety = &self.story.safety;
        // A release is a yes to what the event was held for.
        let held_for = change.after.as_deref().and_then(|after| text_at(after, &["released", "held_for"]));
        let forced = held_for == Some("group_minimum");
        let released = matches!(held_for, Some("protected" | "protection_unknown"));
        let identifiers = self.identifiers(telling);
        let named = |names: &BTreeSet<String>| identifiers.iter().any(|identifier| names.contains(*identifier));
        // A pattern is compared with the address that the event carries: the ledger keeps none.
        let email = self.story.tellings.get(telling).and_then(|telling| telling.email.as_ref());
        let fits = email.is_some_and(|email| safety.patterns.contains(email));
        let protected = named(&safety.protected) || fits;
        let plan = change.after.as_deref().and_then(record::plan);
        self.check(Rule::Protected, !protected || released || !takes, || {
            format!("{} plans to take something from somebody protected", change.id)
        });
        let Some(group) = safety.group.as_ref().filter(|_| plan.is_some_and(|plan| plan.takes())) else { return };
        for member in self.members(telling) {
            // Whose access was taken before is not counted again.
            let counts = self.brake.gone.insert(member) && !forced;
            let left = group.members.len().saturating_sub(self.brake.gone.len());
            self.check(Rule::Protected, !counts || left >= group.minimum, || {
                format!("{}: {left} of the group keep their access, and {} must", change.id, group.minimum)
            });
        }
    }
}

impl Watch<'_> {
    /// The names under which an event's person is in the group.
    fn members(&self, telling: usize) -> Vec<String> {
        let Some(group) = &self.story.safety.group else { return Vec::new() };
        let identifiers = self.identifiers(telling);
        group.members.iter().filter(|member| identifiers.contains(member)).cloned().collect()
    }

    /// An event gave access back: its person is one of those who are left.
    pub(super) fn comes_back(&mut self, telling: usize, now: i64) {
        for member in self.members(telling) {
            if self.brake.gone.remove(&member) {
                self.brake.back.insert(member, now);
            }
        }
    }

    /// Whether one more of the group may not go. Who came back is counted a moment later.
    pub(super) fn group_is_full(&self, telling: usize, now: i64) -> bool {
        let Some(group) = &self.story.safety.group else { return false };
        let lately = self.brake.back.iter().filter(|(_, at)| now - **at < GIVEN_BACK).map(|(member, _)| member.clone());
        let mut gone = self.brake.gone.clone();
        gone.extend(lately);
        gone.extend(self.members(telling));
        group.members.len().saturating_sub(gone.len()) < group.minimum
    }
}

/// A plan that lowers the licence of somebody.
pub(super) fn lowers(plan: &Plan, directory: &Core) -> bool {
    let sets = plan.relicenses().and_then(Licence::named);
    let user = plan.user.as_ref().and_then(|user| directory.account(&plan.account)?.user(user));
    // A trial is worth as much as the most.
    let has = user.map(|user| super::giving::licence(user).unwrap_or(Licence::Pro));
    matches!((sets, has), (Some(sets), Some(has)) if sets < has)
}

/// A plan that takes access from somebody who has it.
fn takes_access(plan: &Plan, directory: &Core) -> bool {
    let user = plan.user.as_ref().and_then(|user| directory.account(&plan.account)?.user(user));
    plan.takes() && user.is_some_and(|user| user.user_registration_status != Registration::Suspended)
}

/// The units of a budget's longest window.
fn units(budget: &Item) -> i64 {
    let windows = at(budget, &["windows"]).and_then(Attribute::list).unwrap_or_default();
    let longest = windows.iter().filter_map(Attribute::map).max_by_key(|window| number_at(window, &["seconds"]));
    let buckets = longest.and_then(|window| at(window, &["buckets"])?.list()).unwrap_or_default();
    let unit = |bucket: &Attribute| bucket.list().and_then(|pair| pair.get(1)?.number()).unwrap_or(0);
    buckets.iter().map(unit).sum()
}
