//! A company whose announcements go through hr-intake: its queue, its bus, its alarm clock, and the functions behind the bus.

use crate::roster::bucket::TestBucket;
use crate::stage::{MemoryQueue, ROSTER, Stage, TestHost, account, batch, envelope, keys, mapped, message, release};
use aws_lambda_events::event::sqs::SqsEvent;
use jiff::{SignedDuration, Timestamp};
use rollcall::batch::Road;
use rollcall::bus::{Bus, Entry};
use rollcall::directory::nobody::Nobody;
use rollcall::event::parse;
use rollcall::failure::{Cause, Failure};
use rollcall::host::Host;
use rollcall::intake::Source;
use rollcall::intake::complete::{Token, Tokens, Vendors};
use rollcall::intake::serve::{Handled, Intake};
use rollcall::intake::silence::Noted;
use rollcall::intake::wake::Clock;
use rollcall::roster::Roster;
use rollcall::routes::{Function, consumer};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

/// What was published, and has not been delivered yet.
#[derive(Clone, Debug, Default)]
pub(crate) struct MemoryBus {
    pub(crate) entries: Arc<Mutex<Vec<Entry>>>,
    pub(crate) broken: Arc<Mutex<bool>>,
    /// How long a call takes, and on whose clock.
    pub(crate) slow: Arc<Mutex<Option<(TestHost, SignedDuration)>>>,
}

impl Bus for MemoryBus {
    async fn publish(&self, entries: &[Entry]) -> Result<(), Failure> {
        if let Some((host, takes)) = &*self.slow.lock().unwrap() {
            host.advance(*takes);
        }
        if *self.broken.lock().unwrap() {
            return Err(Failure::retryable(Cause::Unanswered));
        }
        self.entries.lock().unwrap().extend(entries.iter().cloned());
        Ok(())
    }
}

/// Alarms by name: when, and for which record.
#[derive(Clone, Debug, Default)]
pub(crate) struct MemoryClock {
    pub(crate) alarms: Arc<Mutex<BTreeMap<String, (Timestamp, String)>>>,
    pub(crate) broken: Arc<Mutex<bool>>,
}

impl Clock for MemoryClock {
    async fn set(&self, name: &str, at: Timestamp, record: &str) -> Result<(), Failure> {
        if *self.broken.lock().unwrap() {
            return Err(Failure::retryable(Cause::Unanswered));
        }
        self.alarms.lock().unwrap().insert(name.to_owned(), (at, record.to_owned()));
        Ok(())
    }
}

/// No vendor is asked here: the clients have tests of their own.
#[derive(Clone, Copy, Debug)]
pub(crate) struct NoTokens;

impl Tokens for NoTokens {
    async fn token(&self, _source: Source) -> Result<Option<Token>, Failure> {
        Ok(None)
    }
}

pub(crate) struct Company {
    pub(crate) stage: Stage,
    pub(crate) bucket: TestBucket,
    pub(crate) bus: MemoryBus,
    pub(crate) clock: MemoryClock,
    /// Every event that was published, as its detail.
    pub(crate) published: Mutex<Vec<Value>>,
}

impl Company {
    /// One EnterpriseLWA account with registered users.
    pub(crate) async fn new(users: usize) -> Company {
        let stage = Stage::new(json!([account("lwa", "EnterpriseLWA", users)])).await.with_policy(mapped(&["lwa"]));
        let bucket = TestBucket::default();
        Company { stage, bucket, bus: MemoryBus::default(), clock: MemoryClock::default(), published: Mutex::default() }
    }

    /// The same under a policy of its own.
    pub(crate) fn with_sources(mut self, sources: Value) -> Company {
        let mut policy = mapped(&["lwa"]);
        policy["sources"] = sources;
        self.stage = self.stage.with_policy(policy);
        self
    }

    pub(crate) fn roster(&self) -> Roster<TestHost> {
        Roster::new(self.stage.dynamo.clone(), ROSTER, keys(), self.stage.host.clone())
    }

    fn intake(&self) -> Intake<MemoryQueue, MemoryBus, MemoryClock, TestBucket, NoTokens, TestHost> {
        let Road { function, ledger, queue, host, rules, keys, decide, .. } = self.stage.worker_of(Function::HrIntake);
        let road = Road { function, directory: Nobody, ledger, queue, host, rules, keys, decide };
        let vendors = Vendors::new(self.stage.host.clone()).unwrap();
        let (bus, clock, store) = (self.bus.clone(), self.clock.clone(), self.bucket.clone());
        Intake { road, roster: self.roster(), bus, clock, store, vendors, tokens: NoTokens, noted: Noted::default() }
    }

    /// hr-intake gets a batch.
    pub(crate) async fn handle(&self, event: SqsEvent) -> Handled {
        self.intake().handle(event, self.stage.deadline()).await
    }

    /// Bodies come, each to whom the bus delivers it, and whatever is published on the way too.
    pub(crate) async fn deliver(&self, bodies: &[String]) {
        for body in bodies {
            let event = parse(body).ok();
            match event.and_then(|event| consumer(event.event_type, event.login)) {
                Some(Function::HrIntake) | None => {
                    let handled = self.handle(batch(std::slice::from_ref(body))).await;
                    assert_eq!(handled.response.batch_item_failures.len(), 0, "{:?}", handled.road.events);
                }
                Some(_) => {
                    self.stage.deliver_to_the_end(std::slice::from_ref(body)).await;
                }
            }
            Box::pin(self.drain()).await;
        }
    }

    /// What is on the bus is delivered.
    pub(crate) async fn drain(&self) {
        loop {
            let entries: Vec<Entry> = self.bus.entries.lock().unwrap().drain(..).collect();
            if entries.is_empty() {
                return;
            }
            for entry in entries {
                let detail: Value = serde_json::from_str(&entry.detail).unwrap();
                self.published.lock().unwrap().push(detail.clone());
                self.deliver(&[envelope(&detail)]).await;
            }
        }
    }

    /// The clock goes on to an instant; alarms ring on the way, each as its schedule would.
    pub(crate) async fn until(&self, then: &str) {
        let then: Timestamp = then.parse().unwrap();
        loop {
            let next = {
                let mut alarms = self.clock.alarms.lock().unwrap();
                let next = alarms.iter().filter(|(_, (at, _))| *at <= then).min_by_key(|(_, (at, _))| *at);
                next.map(|(name, _)| name.clone()).and_then(|name| alarms.remove(&name))
            };
            let Some((at, record)) = next else { break };
            self.advance_to(at);
            self.deliver(&[json!({ "wake": record }).to_string()]).await;
        }
        self.advance_to(then);
    }

    fn advance_to(&self, at: Timestamp) {
        let by = at.duration_since(self.stage.host.now());
        self.stage.host.advance(by.max(SignedDuration::ZERO));
    }

    /// The sweep comes round.
    pub(crate) async fn sweep(&self) -> Handled {
        let handled = self.handle(batch(&[json!({ "sweep": true }).to_string()])).await;
        self.drain().await;
        handled
    }

    /// The operator releases what hr-intake holds.
    pub(crate) async fn release(&self, id: &str) -> Handled {
        let event = self.stage.event_of(Function::HrIntake, id).await.unwrap();
        let mut batch = SqsEvent::default();
        batch.records = vec![release(0, &event, "olga")];
        let handled = self.handle(batch).await;
        self.drain().await;
        handled
    }

    /// The announcements that wait.
    pub(crate) async fn waiting(&self) -> Vec<String> {
        let items = self.stage.items().await;
        let due = items.iter().filter(|item| item.contains_key("due"));
        due.map(|item| item["id"].as_s().unwrap().clone()).collect()
    }
}

/// One message, as it is.
pub(crate) fn one(body: &str) -> SqsEvent {
    let mut event = SqsEvent::default();
    event.records = vec![message(0, body, None)];
    event
}
