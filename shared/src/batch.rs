//! The batch harness: SQS in, the road for all messages together, and exactly the messages to see again out.
//!
//! What each failure does to its message: retryable, it is in `batchItemFailures` and shows again after its delay;
//! permanent, it goes to the dead-letter queue, is recorded as parked, and is acknowledged. A panic while a
//! record is read, weighed or decided fails that record only.

mod brake;
mod carry_out;
mod consider;
mod job;
mod round;
mod weigh;
mod write;

use crate::decide::{Case, Decision};
use crate::directory::{Deadline, Directory};
use crate::failure::Cause;
use crate::host::Host;
use crate::ledger::{Ledger, SLICE_EVENTS};
use crate::outcome::{Outcome, StoredOutcome};
use crate::person::PersonKey;
use crate::queue::Queue;
use crate::routes::Function;
use crate::rules::Rules;
use crate::seal::Keys;
use aws_lambda_events::event::sqs::{BatchItemFailure, SqsBatchResponse, SqsEvent};
pub(crate) use consider::GIVE_UP_AFTER;
use job::Job;
pub use job::REALM;
use std::collections::BTreeSet;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

/// The longest back-off before a message shows again.
const LONGEST_BACKOFF: Duration = Duration::from_secs(15 * 60);

/// Everything that an action function needs, wired once at start.
#[derive(Debug)]
pub struct Road<D, Q, H> {
    /// Which function this is.
    pub function: Function,
    /// The directory.
    pub directory: D,
    /// The ledger.
    pub ledger: Ledger<H>,
    /// The queue.
    pub queue: Q,
    /// Time and chance.
    pub host: H,
    /// What the operator decided. It may be exchanged between two invocations.
    pub rules: RwLock<Arc<Rules>>,
    /// The keys that hash people.
    pub keys: Keys,
    /// How it decides: [`crate::decide::decide`].
    pub decide: fn(&Case<'_>) -> Decision,
}

/// What happened to a batch: the answer to Lambda, and a report of each event for logs and metrics.
#[derive(Clone, Debug)]
pub struct BatchReport {
    /// The answer.
    pub response: SqsBatchResponse,
    /// The events, in the order they were finished.
    pub events: Vec<EventReport>,
    /// The brake was asked for a share of users whom nobody counted in the last 7 days.
    pub uncounted: bool,
}

/// What happened to one event. Safe to log.
#[derive(Clone, Debug)]
pub struct EventReport {
    /// Key of its ledger record.
    pub event_key: String,
    /// Its detail-type, where it could be read.
    pub detail_type: Option<&'static str>,
    /// The person's keyed hash.
    pub person: Option<PersonKey>,
    /// What happened.
    pub told: Told,
    /// The messages that carried it, by their ids.
    pub messages: Vec<String>,
    /// From the event's own time (or the time it bites, if later) to its confirmation.
    pub confirmed_after: Option<Duration>,
}

/// What happened to an event in this invocation.
#[derive(Clone, Debug, PartialEq)]
pub enum Told {
    /// It ended, or waits for a person, with this outcome.
    Outcome(Outcome),
    /// It came before; this is the stored outcome.
    Duplicate(Option<StoredOutcome>),
    /// It comes again.
    Again(Cause),
}

/// What becomes of the messages of a job.
#[derive(Clone, Debug)]
struct Verdict {
    told: Told,
    after: Option<Duration>,
    confirmed_after: Option<Duration>,
}

impl Verdict {
    fn outcome(outcome: Outcome) -> Verdict {
        Verdict { told: Told::Outcome(outcome), after: None, confirmed_after: None }
    }

    fn again(cause: Cause, after: Option<Duration>) -> Verdict {
        Verdict { told: Told::Again(cause), after, confirmed_after: None }
    }

    fn comes_again(&self) -> bool {
        match self.told {
            Told::Again(_) => true,
            Told::Outcome(_) | Told::Duplicate(_) => false,
        }
    }
}

impl<D: Directory, Q: Queue, H: Host + Clone> Road<D, Q, H> {
    /// The rules in force.
    #[must_use]
    pub fn rules(&self) -> Arc<Rules> {
        Arc::clone(&self.rules.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Puts other rules in force, from the next batch on.
    pub fn set_rules(&self, rules: Rules) {
        *self.rules.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(rules);
    }

    /// Takes a batch down the road. Never fails as a whole: each message is settled or reported.
    pub async fn handle(&self, event: SqsEvent, deadline: Deadline) -> BatchReport {
        let mut open = job::read(event, self.function, &self.keys);
        let mut finished: Vec<(Job, Verdict)> = Vec::new();
        let mut uncounted = false;
        while !open.is_empty() && deadline.allows(self.host.now(), 1) {
            let now = take_round(&mut open, self.function);
            let round = self.round(now, deadline).await;
            finished.extend(round.finished);
            uncounted |= round.uncounted;
            // What goes again now stays in front of what waits, so that a person's events keep their order.
            open.splice(0..0, round.again);
        }
        finished
            .extend(open.into_iter().map(|job| (job, Verdict::again(Cause::OutOfTime, Some(Duration::from_secs(1))))));
        let report = self.report(finished).await;
        BatchReport { uncounted, ..report }
    }

    /// Tells the queue when to show what comes again, and Lambda which messages those are.
    async fn report(&self, finished: Vec<(Job, Verdict)>) -> BatchReport {
        let (mut failures, mut delays, mut events) = (Vec::new(), Vec::new(), Vec::new());
        for (job, verdict) in finished {
            if verdict.comes_again() {
                for message in &job.messages {
                    failures.push(message.id.clone());
                    let backoff = || self.backoff(message.receive_count);
                    delays.push((message.receipt.clone(), verdict.after.unwrap_or_else(backoff)));
                }
            }
            events.push(EventReport {
                detail_type: job.content.as_ref().ok().map(|event| event.event_type.detail_type()),
                messages: job.messages.iter().map(|message| message.id.clone()).collect(),
                person: job.person,
                event_key: job.event_key,
                told: verdict.told,
                confirmed_after: verdict.confirmed_after,
            });
        }
        if !delays.is_empty() {
            self.queue.delay(&delays).await;
        }
        let mut response = SqsBatchResponse::default();
        response.batch_item_failures = failures.into_iter().map(failure).collect();
        BatchReport { response, events, uncounted: false }
    }

    /// Full jitter over an exponential, from 2 s to 15 min.
    pub(crate) fn backoff(&self, receive_count: u32) -> Duration {
        let most = Duration::from_secs(1) * 2_u32.saturating_pow(receive_count.min(16));
        self.host.jitter(most.min(LONGEST_BACKOFF)).max(Duration::from_secs(1))
    }
}

fn failure(id: String) -> BatchItemFailure {
    let mut failure = BatchItemFailure::default();
    failure.item_identifier = id;
    failure
}

/// Takes the jobs of the next round: each event and each person once. The others wait, in order.
fn take_round(open: &mut Vec<Job>, function: Function) -> Vec<Job> {
    let (mut events, mut people) = (BTreeSet::new(), BTreeSet::new());
    let (mut round, mut wait) = (Vec::new(), Vec::new());
    for job in open.drain(..) {
        let person = job.identities.first().filter(|_| !function.never_waits()).map(|identity| identity.person());
        let new_event = events.insert(job.event_key.clone());
        let new_person = person.is_none_or(|person| people.insert(person));
        if new_event && new_person { round.push(job) } else { wait.push(job) }
    }
    *open = wait;
    round
}

/// How many slices a round takes: [`SLICE_EVENTS`] each.
fn slices(jobs: Vec<Job>) -> Vec<Vec<Job>> {
    let mut slices: Vec<Vec<Job>> = Vec::new();
    for job in jobs {
        match slices.last_mut() {
            Some(slice) if slice.len() < SLICE_EVENTS => slice.push(job),
            Some(_) | None => slices.push(vec![job]),
        }
    }
    slices
}
