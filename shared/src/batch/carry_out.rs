//! Carrying out what was claimed: apply, park, settle, and what each ending means for its messages.

use super::round::{Round, again};
use super::write::{Chosen, Next, settle_plan, settle_refusal};
use super::{Road, Verdict};
use crate::apply::{Ending, apply};
use crate::directory::{Deadline, Directory};
use crate::failure::{Cause, Refusal};
use crate::host::Host;
use crate::ledger::{Settled, Settlement};
use crate::outcome::Outcome;
use crate::plan::Plan;
use crate::queue::{Parked, Queue};
use jiff::Timestamp;
use std::time::Duration;

impl<D: Directory, Q: Queue, H: Host + Clone> Road<D, Q, H> {
    /// Applies all slices together, parks what is refused, and settles slice by slice.
    pub(super) async fn carry_out(&self, slices: Vec<Vec<Chosen>>, deadline: Deadline, round: &mut Round) {
        let mut plans: Vec<Plan> = slices.iter().flatten().filter_map(|chosen| plan(chosen).cloned()).collect();
        let endings = apply(&self.directory, &self.host, &mut plans, deadline).await;
        let mut carried = plans.into_iter().zip(endings);
        let mut worked: Vec<Vec<Worked>> = slices
            .into_iter()
            .map(|slice| slice.into_iter().map(|chosen| Worked::new(chosen, &mut carried)).collect())
            .collect();
        self.park(worked.iter_mut().flatten().collect()).await;
        let now = self.host.now();
        for slice in worked {
            let mut waiting = Vec::new();
            for work in slice {
                match work.settlement(now) {
                    Some((settlement, outcome)) => waiting.push((work, settlement, outcome)),
                    None => work.concluded(round),
                }
            }
            let settlements: Vec<Settlement> = waiting.iter().map(|(_, settlement, _)| settlement.clone()).collect();
            let settled =
                if settlements.is_empty() { Vec::new() } else { self.ledger.settle(&settlements, deadline).await };
            for ((work, _, outcome), settled) in waiting.into_iter().zip(settled) {
                if settled == Settled::Written && work.gave_access() {
                    for (quota, member) in self.groups(&work.chosen) {
                        self.ledger.give_back(&quota, &member).await;
                    }
                }
                work.settled(settled, outcome, self.host.now(), round);
            }
        }
    }

    /// Sends what is refused for good to the dead-letter queue, before its record says so.
    async fn park(&self, mut works: Vec<&mut Worked>) {
        let parked: Vec<(usize, Parked)> = works
            .iter()
            .enumerate()
            .filter_map(|(index, work)| {
                let parked_as = work.chosen.claim.event.owner.clone();
                Some((
                    index,
                    Parked {
                        body: work.chosen.open.job.body().to_owned(),
                        refusal: work.refusal()?.clone(),
                        parked_as,
                    },
                ))
            })
            .collect();
        if parked.is_empty() {
            return;
        }
        let (indexes, messages): (Vec<usize>, Vec<Parked>) = parked.into_iter().unzip();
        for (index, sent) in indexes.into_iter().zip(self.queue.park(&messages).await) {
            works[index].parked = sent;
        }
    }
}

/// A claimed job, as far as it was carried out.
struct Worked {
    chosen: Chosen,
    carried: Option<(Plan, Ending)>,
    parked: bool,
}

impl Worked {
    fn new(chosen: Chosen, carried: &mut impl Iterator<Item = (Plan, Ending)>) -> Worked {
        let carried = plan(&chosen).is_some().then(|| carried.next()).flatten();
        Worked { chosen, carried, parked: false }
    }

    fn refusal(&self) -> Option<&Refusal> {
        match (&self.chosen.next, &self.carried) {
            (Next::Park(refusal), _) | (Next::Act(_), Some((_, Ending::Refused(refusal)))) => Some(refusal),
            (Next::Act(_) | Next::Nothing(_) | Next::Postponed(..), _) => None,
        }
    }

    /// The person has access again.
    fn gave_access(&self) -> bool {
        matches!(&self.carried, Some((plan, Ending::Done(_))) if plan.gives_access)
    }

    /// What to settle; `None` where the claim already wrote the outcome.
    fn settlement(&self, now: Timestamp) -> Option<(Settlement, Outcome)> {
        match (&self.chosen.next, &self.carried) {
            (Next::Act(_), Some((plan, ending))) => Some(settle_plan(&self.chosen, plan, ending, self.parked, now)),
            (Next::Park(refusal), _) => Some(settle_refusal(&self.chosen, refusal, self.parked, now)),
            (Next::Nothing(_) | Next::Postponed(..), _) | (Next::Act(_), None) => None,
        }
    }

    fn concluded(self, round: &mut Round) {
        let verdict = match self.chosen.next {
            Next::Nothing(outcome) => Verdict::outcome(outcome),
            Next::Postponed(cause, after) => Verdict::again(cause, after),
            Next::Act(_) | Next::Park(_) => return,
        };
        round.finish(self.chosen.open.job, verdict);
    }

    fn settled(self, settled: Settled, outcome: Outcome, now: Timestamp, round: &mut Round) {
        let until = self.chosen.claim.event.in_progress_expiration.unwrap_or_default();
        let until = Timestamp::from_millisecond(until).unwrap_or(now);
        let mut job = self.chosen.open.job;
        job.owner = None;
        match (settled, self.carried) {
            (Settled::Fenced, _) => round.finish(job, Verdict::again(Cause::Fenced, None)),
            (Settled::Failed(failure), _) => round.finish(job, again(&failure)),
            (Settled::Written, Some((_, Ending::LookAgain))) => round.again_now(job, Cause::StaleId),
            (Settled::Written, Some((plan, Ending::Again(cause)))) => {
                // What became of an invitation shows when it must have taken effect.
                let awaited = plan.awaits_invitation().then_some(until);
                let after = awaited.and_then(|until| Duration::try_from(until.duration_since(now)).ok());
                round.finish(job, Verdict::again(cause, after.map(|after| after + Duration::from_secs(1))));
            }
            (Settled::Written, Some((_, Ending::Refused(_))) | None) if !self.parked => {
                round.finish(job, Verdict::again(Cause::Unanswered, None));
            }
            (Settled::Written, Some((_, Ending::Done(_)))) => {
                let since = job
                    .content
                    .as_ref()
                    .ok()
                    .map(|event| event.moment.at().unwrap_or(event.occurred_at).max(event.occurred_at));
                let mut verdict = Verdict::outcome(outcome);
                verdict.confirmed_after = since.and_then(|since| Duration::try_from(now.duration_since(since)).ok());
                round.finish(job, verdict);
            }
            (Settled::Written, Some((_, Ending::Gone | Ending::Refused(_))) | None) => {
                round.finish(job, Verdict::outcome(outcome))
            }
        }
    }
}

fn plan(chosen: &Chosen) -> Option<&Plan> {
    match &chosen.next {
        Next::Act(plan) => Some(plan),
        Next::Nothing(_) | Next::Park(_) | Next::Postponed(..) => None,
    }
}
