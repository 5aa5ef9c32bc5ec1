//! hr-intake: a batch of its queue in, and exactly the messages to see again out.
//!
//! Announcements go down the road, which keeps their facts; then each wakes up later, or is published at once. Receipts and
//! raw events become worker events on the bus (`work`). Wake-ups and the sweep look at what may be due.

use super::arrival::Arrival;
use super::complete::{Tokens, Vendors};
use super::silence::Noted;
use super::tally::Tally;
use super::wake::Clock;
use super::waking::{Waking, Woken};
use super::work::Work;
use crate::batch::{BatchReport, GIVE_UP_AFTER, Road, Told};
use crate::bus::Bus;
use crate::directory::Deadline;
use crate::directory::nobody::Nobody;
use crate::failure::{Cause, Failure, Refusal, RefusalCode};
use crate::host::Host;
use crate::outcome::Why;
use crate::policy::SourceRules;
use crate::queue::{PARKED_AS, Parked, Queue};
use crate::roster::Roster;
use crate::store::Store;
use aws_lambda_events::event::sqs::{BatchItemFailure, SqsBatchResponse, SqsEvent, SqsMessage};
use futures_util::{StreamExt, stream};
use jiff::Timestamp;
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

/// How many messages are worked on at once: each waits for the network most of its time.
pub(super) const AT_ONCE: usize = 8;

/// When an announcement shows again whose schedule is not there yet.
const AGAIN_AFTER: Duration = Duration::from_secs(30);

/// hr-intake, wired once at start.
#[derive(Debug)]
pub struct Intake<Q, B, C, S, T, H> {
    /// The road of announcements. It has no directory.
    pub road: Road<Nobody, Q, H>,
    /// The roster.
    pub roster: Roster<H>,
    /// Where worker events go.
    pub bus: B,
    /// The alarm clock.
    pub clock: C,
    /// Where receipts are kept.
    pub store: S,
    /// The vendors' own APIs.
    pub vendors: Vendors<H>,
    /// What opens those.
    pub tokens: T,
    /// Which sources were noted as heard.
    pub noted: Noted,
}

/// What happened to a batch.
#[derive(Clone, Debug)]
pub struct Handled {
    /// The answer to Lambda.
    pub response: SqsBatchResponse,
    /// What went down the road.
    pub road: BatchReport,
    /// What is counted.
    pub tally: Tally,
}

/// One message that is no announcement.
struct Message {
    id: String,
    receipt: String,
    arrival: Arrival,
    body: String,
    /// The token of the parking that this message is a redrive of.
    parked_as: Option<String>,
    /// How often it has come, this time included.
    receive_count: u32,
    /// When it was put on the queue.
    sent: Option<Timestamp>,
}

impl<Q: Queue, B: Bus, C: Clock, S: Store, T: Tokens, H: Host + Clone> Intake<Q, B, C, S, T, H> {
    /// Works through a batch. Never fails as a whole: each message is done or reported.
    pub async fn handle(&self, event: SqsEvent, deadline: Deadline) -> Handled {
        let (mut announced, mut others) = (SqsEvent::default(), Vec::new());
        for record in event.records {
            let arrival = Arrival::of(record.body.as_deref().unwrap_or_default());
            if arrival == Arrival::Canonical {
                announced.records.push(record);
            } else {
                others.push(message(record, arrival));
            }
        }
        let mut tally = Tally::default();
        let receipts: BTreeMap<String, String> = announced
            .records
            .iter()
            .filter_map(|record| Some((record.message_id.clone()?, record.receipt_handle.clone()?)))
            .collect();
        let road = if announced.records.is_empty() {
            BatchReport { response: SqsBatchResponse::default(), events: Vec::new(), uncounted: false }
        } else {
            self.road.handle(announced, deadline).await
        };
        let mut again: BTreeMap<String, (String, Duration)> = BTreeMap::new();
        for id in self.wake_up(&road, deadline, &mut tally).await {
            let receipt = receipts.get(&id).cloned().unwrap_or_default();
            again.insert(id, (receipt, AGAIN_AFTER));
        }
        let worked = stream::iter(others).map(|message| async {
            let mut tally = Tally::default();
            let done = self.other(&message, deadline, &mut tally).await;
            (message, done, tally)
        });
        let worked: Vec<(Message, Result<(), Failure>, Tally)> = worked.buffer_unordered(AT_ONCE).collect().await;
        for (message, done, more) in worked {
            tally.add(&more);
            let Err(failure) = done else { continue };
            if self.parks(&message, &failure).await {
                continue;
            }
            tracing::warn!("a message of the intake comes again: {failure}");
            let after = failure.after().unwrap_or_else(|| self.road.backoff(message.receive_count));
            again.insert(message.id, (message.receipt, after));
        }
        let delays: Vec<(String, Duration)> = again.values().cloned().collect();
        if !delays.is_empty() {
            self.road.queue.delay(&delays).await;
        }
        let mut response = road.response.clone();
        let failed: BTreeSet<String> =
            response.batch_item_failures.iter().map(|failure| failure.item_identifier.clone()).collect();
        response.batch_item_failures.extend(again.into_keys().filter(|id| !failed.contains(id)).map(item_failure));
        tally.again(response.batch_item_failures.len());
        Handled { response, road, tally }
    }

    /// What the road kept wakes up later, or is published now. Answers the messages that must come again for that.
    ///
    /// A duplicate is looked at too: the attempt that kept its fact may have died before its schedule was there.
    async fn wake_up(&self, road: &BatchReport, deadline: Deadline, tally: &mut Tally) -> Vec<String> {
        let kept = road.events.iter().filter(|event| match &event.told {
            Told::Outcome(outcome) => matches!(outcome.reason, Why::Decided(_)),
            Told::Duplicate(_) => true,
            Told::Again(_) => false,
        });
        let looked =
            stream::iter(kept).map(|event| async move { (event, self.look(&event.event_key, deadline).await) });
        let looked: Vec<_> = looked.buffer_unordered(AT_ONCE).collect().await;
        let mut again = Vec::new();
        for (event, woken) in looked {
            match woken {
                Ok(woken) => tally.woken(woken),
                Err(failure) => {
                    tracing::warn!(event.id = event.event_key, "an announcement has no schedule yet: {failure}");
                    again.extend(event.messages.iter().cloned());
                }
            }
        }
        again
    }

    /// Looks at one announcement, and logs what became of it.
    pub(super) async fn look(&self, key: &str, deadline: Deadline) -> Result<Woken, Failure> {
        if !deadline.allows(self.road.host.now(), 4) {
            return Err(Failure::retryable(Cause::OutOfTime));
        }
        let rules = self.road.rules();
        let waking = Waking {
            ledger: &self.road.ledger,
            roster: &self.roster,
            rules: &rules.policy.sources,
            bus: &self.bus,
            clock: &self.clock,
            keys: &self.road.keys,
            host: &self.road.host,
        };
        let woken = waking.look(key).await?;
        log(key, woken);
        Ok(woken)
    }

    async fn other(&self, message: &Message, deadline: Deadline, tally: &mut Tally) -> Result<(), Failure> {
        if !deadline.allows(self.road.host.now(), 4) {
            return Err(Failure::retryable(Cause::OutOfTime));
        }
        match &message.arrival {
            Arrival::Wake(record) => {
                let woken = self.look(record, deadline).await?;
                tally.woken(woken);
                Ok(())
            }
            Arrival::Sweep => self.sweep(deadline, tally).await,
            Arrival::Receipt(key) => {
                let rules = self.road.rules();
                let work = self.work(&rules.policy.sources, deadline);
                let elements = work.receipt(key, message.parked_as.as_deref()).await?;
                elements.iter().for_each(|element| tally.element(element));
                Ok(())
            }
            Arrival::Raw(source) => {
                let rules = self.road.rules();
                let work = self.work(&rules.policy.sources, deadline);
                let elements = work.raw(*source, &message.body, message.parked_as.as_deref()).await?;
                elements.iter().for_each(|element| tally.element(element));
                Ok(())
            }
            Arrival::Canonical => Ok(()),
        }
    }

    /// Parks what another try would not help, or what did not work for a day, as the road does. `false`: it comes again.
    ///
    /// Wake-ups and sweeps are only calls to look; the next sweep looks anyway.
    async fn parks(&self, message: &Message, failure: &Failure) -> bool {
        match message.arrival {
            Arrival::Receipt(_) | Arrival::Raw(_) => {}
            Arrival::Canonical | Arrival::Wake(_) | Arrival::Sweep => return false,
        }
        let now = self.road.host.now();
        let refusal = match failure {
            Failure::Permanent(refusal) => refusal.clone(),
            Failure::Retryable { cause, .. } => {
                if message.sent.is_none_or(|sent| now.duration_since(sent) < GIVE_UP_AFTER) {
                    return false;
                }
                let message = format!("did not work for 24 hours: {cause}; redrive it once that is mended");
                Refusal::new(RefusalCode::GaveUp, "receipt", message)
            }
        };
        tracing::warn!("a message of the intake is parked: {refusal}");
        let parked_as = format!("{:032x}", self.road.host.random());
        let parked = [Parked { body: message.body.clone(), refusal, parked_as }];
        self.road.queue.park(&parked).await.iter().all(|parked| *parked)
    }

    fn work<'a>(&'a self, rules: &'a SourceRules, deadline: Deadline) -> Work<'a, Q, B, S, T, H> {
        Work {
            ledger: &self.road.ledger,
            roster: &self.roster,
            bus: &self.bus,
            store: &self.store,
            vendors: &self.vendors,
            tokens: &self.tokens,
            noted: &self.noted,
            queue: &self.road.queue,
            rules,
            keys: &self.road.keys,
            host: &self.road.host,
            deadline,
        }
    }
}

/// One line for what became of an announcement.
fn log(key: &str, woken: Woken) {
    match woken {
        Woken::Over => {}
        Woken::Set(at) => tracing::info!(event.id = key, due.at = %at, "announced: it wakes up then"),
        Woken::Published { late_by: None } => tracing::info!(event.id = key, "due: published as effective"),
        Woken::Published { late_by: Some(late) } => {
            tracing::warn!(event.id = key, late_by_s = late.as_secs(), "came late: published as effective at once");
        }
        Woken::Superseded => tracing::info!(event.id = key, "another assertion of its fact stands"),
        Woken::Held => tracing::warn!(event.id = key, "held: a newer roster says that the person stays"),
    }
}

fn message(record: SqsMessage, arrival: Arrival) -> Message {
    let parked_as = record.message_attributes.get(PARKED_AS).and_then(|attribute| attribute.string_value.clone());
    let number = |name: &str| record.attributes.get(name).and_then(|number| number.parse::<i64>().ok());
    let receive_count = number("ApproximateReceiveCount").and_then(|count| u32::try_from(count).ok());
    Message {
        parked_as,
        receive_count: receive_count.unwrap_or(1),
        sent: number("SentTimestamp").and_then(|at| Timestamp::from_millisecond(at).ok()),
        body: record.body.unwrap_or_default(),
        id: record.message_id.unwrap_or_default(),
        receipt: record.receipt_handle.unwrap_or_default(),
        arrival,
    }
}

fn item_failure(id: String) -> BatchItemFailure {
    let mut failure = BatchItemFailure::default();
    failure.item_identifier = id;
    failure
}
