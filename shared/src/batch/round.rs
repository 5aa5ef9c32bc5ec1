//! One round of the road: recall, look up, decide, claim, apply, settle, for all slices together.

use super::consider::{Considered, Open, consider};
use super::job::Job;
use super::write::Chosen;
use super::{Road, Verdict, slices};
use crate::directory::{Deadline, Directory};
use crate::failure::{Cause, Failure};
use crate::host::Host;
use crate::ledger::{Budgets, ClaimError, Wanted, transactions};
use crate::queue::Queue;
use jiff::Timestamp;
use std::collections::BTreeSet;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Duration;

/// A slice is claimed only if so many calls still fit: claim, two waves of steps, settle.
const CALLS_AFTER_CLAIM: u32 = 4;

/// How often a slice may find that others took from its budgets first.
const BUDGET_TRIES: u64 = 8;

/// How often a job may lose a race, or go round again, in one invocation.
const ROUNDS: u32 = 3;

/// What one round leaves.
#[derive(Default)]
pub(super) struct Round {
    pub(super) finished: Vec<(Job, Verdict)>,
    /// Jobs for the next round.
    pub(super) again: Vec<Job>,
    /// The brake was asked for a share of users whom nobody counted.
    pub(super) uncounted: bool,
    /// The brake's items, as recalled and as claimed from since.
    budgets: Budgets,
}

impl Round {
    pub(super) fn finish(&mut self, job: Job, verdict: Verdict) {
        self.finished.push((job, verdict));
    }

    pub(super) fn again_now(&mut self, mut job: Job, cause: Cause) {
        job.rounds += 1;
        job.stale_id |= cause == Cause::StaleId;
        if job.rounds > ROUNDS { self.finish(job, Verdict::again(cause, None)) } else { self.again.push(job) }
    }
}

impl<D: Directory, Q: Queue, H: Host + Clone> Road<D, Q, H> {
    pub(super) async fn round(&self, jobs: Vec<Job>, deadline: Deadline) -> Round {
        let mut round = Round::default();
        if jobs.iter().any(|job| job.rounds > 0) {
            self.host.sleep(self.host.jitter(Duration::from_millis(200))).await;
        }
        let mut people = BTreeSet::new();
        let mut open = Vec::new();
        for slice in slices(jobs) {
            open.push(self.recall(slice, deadline, &mut people, &mut round).await);
        }
        let open = self.decide_all(open, deadline, &mut round).await;
        let mut claimed = Vec::new();
        for slice in open {
            claimed.push(self.claim(slice, deadline, &mut round).await);
        }
        self.carry_out(claimed, deadline, &mut round).await;
        round
    }

    /// Recalls a slice; duplicates and running leases end here.
    async fn recall(
        &self,
        jobs: Vec<Job>,
        deadline: Deadline,
        people: &mut BTreeSet<String>,
        round: &mut Round,
    ) -> Vec<Open> {
        let wanted: Vec<Wanted> = jobs
            .iter()
            .map(|job| Wanted {
                event_key: job.event_key.clone(),
                identities: job.identities.clone(),
                given_up: job.given_up.clone(),
                looks_up: self.function.looks_up(),
                occurred_at: job.content.as_ref().map_or(Timestamp::UNIX_EPOCH, |event| event.occurred_at),
            })
            .collect();
        let brake = self.brake_keys();
        let recalled = match self.ledger.recall(&wanted, &brake, &mut round.budgets, deadline).await {
            Ok(recalled) => recalled,
            Err(failure) => {
                jobs.into_iter().for_each(|job| round.finish(job, again(&failure)));
                return Vec::new();
            }
        };
        let mut open = Vec::new();
        for (job, recalled) in jobs.into_iter().zip(recalled) {
            let recalled = match recalled {
                Ok(recalled) => recalled,
                Err(failure) => {
                    round.finish(job, again(&failure));
                    continue;
                }
            };
            // Two identifiers may lead to one person, and two people may share one: the later event waits its turn.
            let touched = if self.function.never_waits() { Vec::new() } else { recalled.touched() };
            if touched.iter().any(|key| people.contains(key)) {
                round.again.push(job);
                continue;
            }
            people.extend(touched);
            let (spare, now) = (job.clone(), self.host.now());
            match catch_unwind(AssertUnwindSafe(|| consider(job, recalled, self.function, now))) {
                Ok(Considered::Finished(job, verdict)) => round.finish(*job, verdict),
                Ok(Considered::Rekeyed(job)) => round.again.push(*job),
                Ok(Considered::Open(considered)) => open.push(*considered),
                Err(_) => round.finish(spare, Verdict::again(Cause::Panicked, None)),
            }
        }
        open
    }

    /// Claims a slice, in as few transactions as it fits. What lost a race goes round again.
    async fn claim(&self, chosen: Vec<Chosen>, deadline: Deadline, round: &mut Round) -> Vec<Chosen> {
        let claims: Vec<_> = chosen.iter().map(|chosen| chosen.claim.clone()).collect();
        let mut chosen = chosen.into_iter();
        let mut won = Vec::new();
        for part in transactions(&claims) {
            let part: Vec<Chosen> = chosen.by_ref().take(part.len()).collect();
            won.extend(self.claim_part(part, deadline, round).await);
        }
        won
    }

    async fn claim_part(&self, mut part: Vec<Chosen>, deadline: Deadline, round: &mut Round) -> Vec<Chosen> {
        let (mut tries, mut spent) = (0, 0);
        while tries <= ROUNDS && spent <= BUDGET_TRIES {
            if part.is_empty() {
                return part;
            }
            if !deadline.allows(self.host.now(), CALLS_AFTER_CLAIM) {
                let late = Verdict::again(Cause::OutOfTime, Some(Duration::from_secs(1)));
                part.into_iter().for_each(|chosen| round.finish(chosen.open.job, late.clone()));
                return Vec::new();
            }
            let drawn: BTreeSet<String> = part.iter().flat_map(|chosen| chosen.claim.budgets.iter().cloned()).collect();
            if let Err(failure) = self.ledger.more_budgets(&drawn, &mut round.budgets, deadline).await {
                part.into_iter().for_each(|chosen| round.finish(chosen.open.job, again(&failure)));
                return Vec::new();
            }
            let braked = self.brake(&part, &round.budgets, self.host.now());
            match self.ledger.claim(&braked.claims, &round.budgets, &braked.budgets).await {
                Ok(()) => {
                    round.uncounted |= braked.uncounted;
                    round.budgets = braked.budgets.written(&round.budgets);
                    let written = part.into_iter().zip(braked.claims).zip(braked.held);
                    return written.map(|((chosen, claim), held)| chosen.written(claim, held)).collect();
                }
                Err(ClaimError::Lost(lost)) => {
                    tries += 1;
                    let mut kept = Vec::new();
                    for (index, chosen) in part.into_iter().enumerate() {
                        if lost.contains(&index) {
                            round.again_now(chosen.open.job, Cause::Contended)
                        } else {
                            kept.push(chosen)
                        }
                    }
                    part = kept;
                }
                Err(ClaimError::Spent) => {
                    spent += 1;
                    round.budgets = Budgets::default();
                    self.host.sleep(self.host.jitter(Duration::from_millis(50 * spent))).await;
                }
                Err(ClaimError::Conflict) => {
                    tries += 1;
                    self.host.sleep(self.host.jitter(Duration::from_millis(200))).await;
                }
                Err(ClaimError::Failed(_)) => {
                    // Perhaps it was written: the next recall recognises our token.
                    round.budgets = Budgets::default();
                    for chosen in part {
                        let mut job = chosen.open.job;
                        job.owner = Some(chosen.claim.event.owner);
                        round.again_now(job, Cause::Unanswered);
                    }
                    return Vec::new();
                }
            }
        }
        part.into_iter().for_each(|chosen| round.finish(chosen.open.job, Verdict::again(Cause::Contended, None)));
        Vec::new()
    }
}

pub(super) fn again(failure: &Failure) -> Verdict {
    match failure {
        Failure::Retryable { cause, after } => Verdict::again(*cause, *after),
        // Reads are never refused for good: the messages come again until the function gives up.
        Failure::Permanent(_) => Verdict::again(Cause::Unanswered, None),
    }
}
