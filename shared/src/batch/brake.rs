//! The brake in the claim: which of a slice's plans fit their budgets, and what is held instead.

use super::Road;
use super::write::{Chosen, Next};
use crate::brake::{POPULATION_KEY, budget_key, quota_key};
use crate::decide::Reason;
use crate::directory::Directory;
use crate::host::Host;
use crate::ledger::{Budgets, Claim};
use crate::outcome::Outcome;
use crate::plan::ActionClass;
use crate::policy::Limit;
use crate::queue::Queue;
use crate::routes::Function;
use jiff::Timestamp;
use std::collections::BTreeSet;

/// The claims of a slice with the brake applied, and for each what is written instead of its plan.
pub(super) struct Braked {
    pub(super) claims: Vec<Claim>,
    pub(super) held: Vec<Option<Outcome>>,
    /// The budgets with what the claims take from them.
    pub(super) budgets: Budgets,
    /// A share was asked for, and nobody counted the users.
    pub(super) uncounted: bool,
}

impl<D: Directory, Q: Queue, H: Host + Clone> Road<D, Q, H> {
    /// The brake's items that every slice may need: they are read with the recall.
    pub(super) fn brake_keys(&self) -> BTreeSet<String> {
        let rules = self.rules();
        let (class, gives_or_takes) = match self.function {
            Function::SuspendUser => (ActionClass::Access, true),
            Function::InviteUser | Function::ReinstateUser => (ActionClass::Licence, true),
            Function::RelicenseUser => (ActionClass::Licence, false),
            Function::LogoutUser | Function::HrIntake => return BTreeSet::new(),
        };
        let mut keys = BTreeSet::new();
        if rules.policy.brake.of(class).is_some() {
            keys.extend([budget_key(class, None), POPULATION_KEY.to_owned()]);
        }
        keys.extend(rules.shield.quotas().iter().filter(|_| gives_or_takes).map(|group| quota_key(&group.name)));
        keys
    }

    /// The brake's items that a plan draws on.
    pub(super) fn drawn(&self, chosen: &Chosen) -> BTreeSet<String> {
        let groups = || self.groups(chosen).into_iter().map(|(key, _)| key).collect();
        let Next::Act(plan) = &chosen.next else {
            return if chosen.restored { groups() } else { BTreeSet::new() };
        };
        let Some(class) = plan.takes() else { return BTreeSet::new() };
        let mut keys: BTreeSet<String> = if class == ActionClass::Access { groups() } else { BTreeSet::new() };
        let rules = self.rules();
        if let Some(rules) = rules.policy.brake.of(class).filter(|_| self.counts(chosen, class)) {
            let account = Some(plan.account.id.as_ref()).filter(|_| !rules.per_account.is_empty());
            keys.extend([budget_key(class, None), POPULATION_KEY.to_owned()]);
            keys.extend(account.map(|account| budget_key(class, Some(account))));
        }
        keys
    }

    /// A unit is taken once for each event. An operator's release needs none, nor does whoever lost access before.
    fn counts(&self, chosen: &Chosen, class: ActionClass) -> bool {
        let taken = chosen.open.person.as_ref().is_some_and(|(_, person)| person.taken.is_some());
        let gone = class == ActionClass::Access && taken;
        chosen.open.braked != Some(class) && chosen.open.released.is_none() && !gone
    }

    /// Takes units for a slice, oldest event first. What does not fit is held.
    pub(super) fn brake(&self, part: &[Chosen], before: &Budgets, now: Timestamp) -> Braked {
        let claims = part.iter().map(|chosen| chosen.claim.clone()).collect();
        let mut braked = Braked { claims, held: vec![None; part.len()], budgets: before.clone(), uncounted: false };
        let mut order: Vec<usize> = (0..part.len()).collect();
        order.sort_by_key(|index| (part[*index].claim.event.occurred_at, &part[*index].claim.event.id));
        for index in order {
            let chosen = &part[index];
            let Some(class) = chosen.takes() else {
                self.give_back(chosen, &mut braked.budgets);
                continue;
            };
            match self.take(chosen, class, &mut braked, now) {
                None if self.counts(chosen, class) && self.rules().policy.brake.of(class).is_some() => {
                    braked.claims[index].event.braked = Some(class);
                }
                None => {}
                Some(reason) => {
                    let (claim, outcome) = chosen.held(reason, self.seal(&chosen.open.job));
                    braked.claims[index] = claim;
                    braked.held[index] = Some(outcome);
                }
            }
        }
        braked
    }

    /// Who is found to have access counts among the rest of a group again.
    fn give_back(&self, chosen: &Chosen, budgets: &mut Budgets) {
        for (key, member) in self.groups(chosen).into_iter().filter(|_| chosen.restored) {
            budgets.quota(&key).give_back(&member);
        }
    }

    /// The keys of the quotas that somebody counts in, with the hashes under which each lists them.
    pub(super) fn groups(&self, chosen: &Chosen) -> Vec<(String, String)> {
        let rules = self.rules();
        let hashes = chosen.open.hashes();
        let groups = rules.shield.groups(&hashes);
        groups.flat_map(|(group, listed)| listed.into_iter().map(|member| (quota_key(&group.name), member))).collect()
    }

    /// Takes what one plan needs; answers why it must be held instead.
    fn take(&self, chosen: &Chosen, class: ActionClass, braked: &mut Braked, now: Timestamp) -> Option<Reason> {
        let event = &chosen.claim.event.id;
        let mut after = braked.budgets.clone();
        let rules = self.rules();
        for (group, listed) in rules.shield.groups(&chosen.open.hashes()).filter(|_| class == ActionClass::Access) {
            let quota = after.quota(&quota_key(&group.name));
            let held_for = chosen.open.released.as_ref().and_then(|release| release.held_for);
            let forced = held_for == Some(Reason::GroupMinimum);
            if !quota.take(&group.members, group.minimum, &listed, event, forced) {
                return Some(Reason::GroupMinimum);
            }
        }
        if let Some(rules) = rules.policy.brake.of(class).filter(|_| self.counts(chosen, class)) {
            let account = match &chosen.next {
                Next::Act(plan) => Some(plan.account.id.as_ref()),
                Next::Nothing(_) | Next::Park(_) | Next::Postponed(..) => None,
            };
            let scopes: [(Option<&str>, &[Limit]); 2] = [(None, &rules.limits), (account, &rules.per_account)];
            for (account, limits) in scopes.into_iter().filter(|(_, limits)| !limits.is_empty()) {
                let population = after.population().and_then(|population| population.of(account, now));
                braked.uncounted |= population.is_none() && limits.iter().any(|limit| limit.percent.is_some());
                let key = budget_key(class, account);
                if !after.budget(&key).take(limits, population, now, event) {
                    // The latch is kept, and nothing else that this plan took.
                    braked.budgets.budget(&key).clone_from(after.budget(&key));
                    return Some(Reason::MassChange);
                }
            }
        }
        braked.budgets = after;
        None
    }
}
