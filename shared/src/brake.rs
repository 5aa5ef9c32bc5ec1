//! The mass-change brake: budgets of a class of changes, taken inside the claim. Pure.
//!
//! A budget counts the changes of a sliding window. The change that would go over a limit is held, and the budget
//! *latches*: every later change is held too, until an operator resets it. *Invariant*: in no window of a limit's length
//! are more changes applied than the limit allows. A group that must keep a minimum of its members is a quota.

use crate::plan::ActionClass;
use crate::policy::{Limit, When};
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// Into how many buckets a window is divided. The oldest is counted whole, so the count is never too low.
const BUCKETS: i64 = 60;

/// How long a count of users may be used.
const POPULATION_KEPT: SignedDuration = SignedDuration::from_hours(7 * 24);

/// The key of the item that holds the number of users.
pub const POPULATION_KEY: &str = "population";

/// How the keys of quotas begin.
pub(crate) const QUOTAS: &str = "budget#group#";

/// The ledger key of a class's budget, over all accounts or in one.
#[must_use]
pub fn budget_key(class: ActionClass, account: Option<&str>) -> String {
    match account {
        None => format!("budget#{}", class.as_str()),
        Some(account) => format!("budget#{}#{account}", class.as_str()),
    }
}

/// The ledger key of a group's quota.
#[must_use]
pub fn quota_key(group: &str) -> String {
    format!("{QUOTAS}{group}")
}

/// What a class of changes has used up: `budget#<class>` or `budget#<class>#<account>`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Budget {
    /// The changes of each window's length, in buckets.
    #[serde(default)]
    windows: Vec<Used>,
    /// Since when every change is held.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    latch: Option<Latch>,
}

/// The changes within one window's length.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
struct Used {
    seconds: u32,
    /// Number of the bucket since 1970, and the changes in it; oldest first, none of them empty.
    buckets: Vec<(i64, u64)>,
}

/// A budget that holds every change.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Latch {
    /// Since when.
    pub at: Timestamp,
    /// Key of the event that did not fit.
    pub event: String,
}

/// One limit of a budget, and how far it is used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Usage {
    /// The window's length, in seconds.
    pub seconds: u32,
    /// The changes in it.
    pub used: u64,
    /// How many are allowed.
    pub allowed: u64,
}

impl Budget {
    /// Takes one unit, unless that goes over a limit or the budget has latched. Answers whether it was taken.
    pub fn take(&mut self, limits: &[Limit], population: Option<u64>, now: Timestamp, event: &str) -> bool {
        if self.latch.is_some() {
            return false;
        }
        if self.usage(limits, population, now).iter().any(|usage| usage.used >= usage.allowed) {
            self.latch = Some(Latch { at: now, event: event.to_owned() });
            return false;
        }
        let lengths: BTreeSet<u32> = limits.iter().map(|limit| limit.window.seconds()).collect();
        self.windows = lengths.into_iter().map(|seconds| self.window(seconds).with_one_more(now)).collect();
        true
    }

    /// How far each limit is used.
    #[must_use]
    pub fn usage(&self, limits: &[Limit], population: Option<u64>, now: Timestamp) -> Vec<Usage> {
        let usage = |limit: &Limit| {
            let seconds = limit.window.seconds();
            Usage { seconds, used: self.window(seconds).count(now), allowed: allowed(limit, population) }
        };
        limits.iter().map(usage).collect()
    }

    /// Since when every change is held, and which event did not fit.
    #[must_use]
    pub fn latch(&self) -> Option<&Latch> {
        self.latch.as_ref()
    }

    /// The changes of a length. One that the policy names anew begins with what the longest known one tells.
    fn window(&self, seconds: u32) -> Used {
        if let Some(used) = self.windows.iter().find(|used| used.seconds == seconds) {
            return used.clone();
        }
        let Some(longest) = self.windows.iter().max_by_key(|used| used.seconds) else {
            return Used { seconds, buckets: Vec::new() };
        };
        let mut buckets: BTreeMap<i64, u64> = BTreeMap::new();
        for (bucket, units) in &longest.buckets {
            // Each as late as it may have been.
            let last = (bucket + 1) * i64::from(longest.seconds) * 1000 / BUCKETS - 1;
            *buckets.entry(bucket_of(last, seconds)).or_default() += units;
        }
        Used { seconds, buckets: buckets.into_iter().collect() }
    }
}

impl Used {
    fn count(&self, now: Timestamp) -> u64 {
        let oldest = bucket_of(now.as_millisecond(), self.seconds) - BUCKETS;
        self.buckets.iter().filter(|(bucket, _)| *bucket >= oldest).map(|(_, units)| units).sum()
    }

    fn with_one_more(mut self, now: Timestamp) -> Used {
        let current = bucket_of(now.as_millisecond(), self.seconds);
        self.buckets.retain(|(bucket, _)| *bucket >= current - BUCKETS);
        match self.buckets.last_mut() {
            // A worker whose clock is behind adds to what the others count now.
            Some((bucket, units)) if *bucket >= current => *units += 1,
            Some(_) | None => self.buckets.push((current, 1)),
        }
        self
    }
}

fn bucket_of(millis: i64, seconds: u32) -> i64 {
    (millis * BUCKETS).div_euclid(i64::from(seconds) * 1000)
}

/// How many changes a limit allows.
fn allowed(limit: &Limit, population: Option<u64>) -> u64 {
    let count = u64::from(limit.count);
    match (limit.percent, population, limit.when) {
        (None, _, _) | (Some(_), None, _) => count,
        (Some(percent), Some(population), When::Any) => count.min(percent.of(population)),
        (Some(percent), Some(population), When::All) => count.max(percent.of(population)),
    }
}

/// How many registered, unsuspended users there were at the last complete count: the item `population`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Population {
    /// When they were counted.
    pub counted_at: Timestamp,
    /// In all accounts.
    pub users: u64,
    /// In each account, where that is known.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub accounts: BTreeMap<String, u64>,
}

impl Population {
    /// The users of all accounts or of one; `None` where nobody counted them in the last 7 days.
    #[must_use]
    pub fn of(&self, account: Option<&str>, now: Timestamp) -> Option<u64> {
        if now.duration_since(self.counted_at) > POPULATION_KEPT {
            return None;
        }
        account.map_or(Some(self.users), |account| self.accounts.get(account).copied())
    }
}

/// Who of a group has lost access: `budget#group#<name>`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Quota {
    /// By the keyed hash of the member, as the policy lists it: the key of the event that took it.
    #[serde(default)]
    gone: BTreeMap<String, String>,
}

impl Quota {
    /// Takes access from a person, unless fewer than `minimum` members would keep theirs. Answers whether it may be taken.
    ///
    /// `listed`: the names under which the group has the person; all of them go. Who lost access before is not counted
    /// again. `forced`: an operator released the event.
    pub fn take(
        &mut self,
        members: &BTreeSet<String>,
        minimum: usize,
        listed: &BTreeSet<String>,
        event: &str,
        forced: bool,
    ) -> bool {
        let left = members.iter().filter(|other| !listed.contains(*other) && !self.gone.contains_key(*other)).count();
        let lost_before = listed.iter().all(|member| self.gone.contains_key(member));
        let allowed = forced || lost_before || left >= minimum;
        if allowed {
            for member in listed {
                self.gone.entry(member.clone()).or_insert_with(|| event.to_owned());
            }
        }
        allowed
    }

    /// Gives access back to a member. Answers whether it had lost it.
    pub fn give_back(&mut self, member: &str) -> bool {
        self.gone.remove(member).is_some()
    }

    /// How many have lost access, former members among them.
    #[must_use]
    pub fn len(&self) -> usize {
        self.gone.len()
    }

    /// Nobody has lost access.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.gone.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_second(1_795_000_000 + seconds).unwrap()
    }

    fn limits(text: &str) -> Vec<Limit> {
        serde_json::from_str(text).unwrap()
    }

    /// How many of these moments, in seconds, each get their unit.
    fn taken(budget: &mut Budget, limits: &[Limit], population: Option<u64>, moments: &[i64]) -> Vec<bool> {
        moments.iter().map(|moment| budget.take(limits, population, at(*moment), "e")).collect()
    }

    #[test]
    fn what_does_not_fit_latches_and_stays_latched() {
        let hour = limits(r#"[{"count":2,"window":"1h"}]"#);
        let mut budget = Budget::default();
        assert_eq!(taken(&mut budget, &hour, None, &[0, 10, 20]), [true, true, false]);
        assert_eq!(budget.latch().map(|latch| latch.at), Some(at(20)));
        // Long after the window there is room again, and it is held all the same.
        assert_eq!(taken(&mut budget, &hour, None, &[36_000]), [false]);
    }

    #[test]
    fn the_window_slides_and_its_oldest_bucket_is_counted_whole() {
        let hour = limits(r#"[{"count":1,"window":"1h"}]"#);
        // Buckets of a minute: what was taken in the first second of one is counted until its last, an hour later.
        let start = 60 - 1_795_000_000 % 60;
        for (after, free) in [(3600, false), (3659, false), (3660, true)] {
            let mut budget = Budget::default();
            assert_eq!(taken(&mut budget, &hour, None, &[start, start + after]), [true, free], "{after}");
        }
    }

    #[test]
    fn a_slow_drip_meets_the_long_window() {
        let both = limits(r#"[{"count":3,"window":"1h"},{"count":5,"window":"7d"}]"#);
        let drip: Vec<i64> = (0..8).map(|n| n * 7200).collect();
        let mut budget = Budget::default();
        assert_eq!(taken(&mut budget, &both, None, &drip), [true, true, true, true, true, false, false, false]);
    }

    #[test]
    fn a_share_is_of_the_fixed_count_and_any_or_all_decides() {
        let allowed = |text: &str, population| allowed(&limits(text)[0], population);
        let any = r#"[{"count":10,"percent":5,"window":"1h"}]"#;
        let all = r#"[{"count":10,"percent":5,"when":"all","window":"1h"}]"#;
        let table = [
            (any, None, 10),
            (any, Some(100), 5),
            (any, Some(10), 1),
            (any, Some(1000), 10),
            (all, None, 10),
            (all, Some(100), 10),
            (all, Some(1000), 50),
        ];
        for (text, population, expected) in table {
            assert_eq!(allowed(text, population), expected, "{text} {population:?}");
        }
    }

    #[test]
    fn a_window_that_the_policy_names_anew_knows_what_was_taken() {
        let mut budget = Budget::default();
        taken(&mut budget, &limits(r#"[{"count":9,"window":"7d"}]"#), None, &[0, 1, 2]);
        let tighter = limits(r#"[{"count":3,"window":"1d"}]"#);
        assert_eq!(taken(&mut budget, &tighter, None, &[3]), [false]);
    }

    #[test]
    fn a_clock_that_is_behind_counts_and_adds_to_what_is_there() {
        let hour = limits(r#"[{"count":2,"window":"1h"}]"#);
        let mut budget = Budget::default();
        assert_eq!(taken(&mut budget, &hour, None, &[300, 0, 1]), [true, true, false]);
    }

    #[test]
    fn a_count_of_users_lasts_seven_days() {
        let accounts = BTreeMap::from([("a".to_owned(), 3)]);
        let population = Population { counted_at: at(0), users: 9, accounts };
        let week = 7 * 24 * 3600;
        assert_eq!(population.of(None, at(week)), Some(9));
        assert_eq!(population.of(None, at(week + 1)), None);
        assert_eq!((population.of(Some("a"), at(0)), population.of(Some("b"), at(0))), (Some(3), None));
    }

    #[test]
    fn a_group_keeps_its_minimum() {
        let of = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<BTreeSet<String>>();
        let members = of(&["a", "b", "c"]);
        let mut quota = Quota::default();
        let mut take = |name, event, forced| quota.take(&members, 1, &of(&[name]), event, forced);
        assert!(take("a", "e1", false));
        assert!(take("a", "e2", false), "who is gone is not counted twice");
        assert!(take("b", "e3", false));
        assert!(!take("c", "e4", false));
        assert!(take("c", "e4", true), "an operator released it");
        assert_eq!(quota.len(), 3);
    }

    #[test]
    fn whom_a_group_lists_twice_is_one_of_those_who_go() {
        let of = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<BTreeSet<String>>();
        let members = of(&["address of a", "number of a"]);
        let mut quota = Quota::default();
        assert!(!quota.take(&members, 1, &members, "e1", false), "nobody else would be left");
        assert!(quota.is_empty());
        assert!(quota.take(&members, 0, &members, "e1", false));
        assert_eq!(quota.len(), 2);
    }

    proptest::proptest! {
        /// Whatever the moments: no window of the limit's length holds more than the limit allows.
        #[test]
        fn never_one_over(mut moments in proptest::collection::vec(0i64..20_000, 1..60), count in 1u32..6) {
            moments.sort_unstable();
            let hour = limits(&format!(r#"[{{"count":{count},"window":"1h"}}]"#));
            let mut budget = Budget::default();
            let mut applied = Vec::new();
            for moment in moments {
                if budget.take(&hour, None, at(moment), "e") {
                    applied.push(moment);
                } else {
                    budget.latch = None;
                }
            }
            for (index, first) in applied.iter().enumerate() {
                let within = applied[index..].iter().filter(|moment| **moment - first < 3600).count();
                proptest::prop_assert!(within <= count as usize);
            }
        }
    }
}
