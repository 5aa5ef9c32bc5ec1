//! A stage for the road: the real handler on an embedded DynamoDB and a local Chime, with every remote call counted,
//! a clock that only the test moves, and faults that strike any call.

mod messages;
mod wire;

pub(crate) use messages::{account, batch, envelope, event, failed, mapped, message, release, termination};
pub(crate) use wire::{Fault, Strike, Wire};

use aws_config::{BehaviorVersion, SdkConfig};
use aws_lambda_events::event::sqs::{SqsBatchResponse, SqsEvent, SqsMessage};
use aws_sdk_dynamodb::config::{Credentials, Region, SharedCredentialsProvider};
use aws_sdk_dynamodb::types::AttributeValue;
use aws_smithy_runtime_api::client::http::{SharedHttpConnector, http_client_fn};
use jiff::{SignedDuration, Timestamp};
use rollcall::batch::{BatchReport, Road};
use rollcall::decide::decide;
use rollcall::directory::Deadline;
use rollcall::directory::chime::Chime;
use rollcall::event::parse;
use rollcall::host::Host;
use rollcall::ledger::{EventItem, Ledger, PersonItem, State};
use rollcall::policy::Policy;
use rollcall::queue::{Parked, Queue};
use rollcall::routes::{Function, consumer};
use rollcall::rules::Rules;
use rollcall::seal::Keys;
use rollcall_local::chime::LocalChime;
use rollcall_local::chime::seed;
use rollcall_tables::{Definition, Served};
use serde_json::{Value, json};
use std::collections::{BTreeMap, HashMap};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, RwLock};
use std::time::Duration;
use wire::Watched;

pub(crate) const TABLE: &str = "rollcall";
pub(crate) const ROSTER: &str = "roster";

/// The stage's clock starts here.
pub(crate) const NOON: &str = "2026-11-23T12:00:00Z";

pub(crate) type TestRoad = Road<Chime<TestHost>, MemoryQueue, TestHost>;

/// Time that only sleeping and the test move, and chance that repeats.
#[derive(Clone, Debug)]
pub(crate) struct TestHost {
    now: Arc<Mutex<Timestamp>>,
    random: Arc<AtomicU64>,
}

impl TestHost {
    pub(crate) fn advance(&self, by: SignedDuration) {
        let mut now = self.now.lock().unwrap();
        *now += by;
    }

    pub(crate) fn now_then(&self, later: SignedDuration) -> Timestamp {
        self.now() + later
    }
}

impl Host for TestHost {
    fn now(&self) -> Timestamp {
        *self.now.lock().unwrap()
    }

    async fn sleep(&self, duration: Duration) {
        self.advance(SignedDuration::try_from(duration).unwrap());
        tokio::task::yield_now().await;
    }

    fn random(&self) -> u128 {
        let count = u128::from(self.random.fetch_add(1, Ordering::SeqCst));
        count.wrapping_mul(0x9e37_79b9_7f4a_7c15_f39c_c060_5ced_c835)
    }
}

/// What the road tells its queue.
#[derive(Clone, Debug)]
pub(crate) struct MemoryQueue {
    pub(crate) parked: Arc<Mutex<Vec<Parked>>>,
    pub(crate) delays: Arc<Mutex<Vec<(String, Duration)>>>,
    pub(crate) broken: Arc<Mutex<bool>>,
    wire: Wire,
}

impl Queue for MemoryQueue {
    async fn park(&self, messages: &[Parked]) -> Vec<bool> {
        let fault = self.wire.pass("sqs").await;
        if *self.broken.lock().unwrap() {
            return vec![false; messages.len()];
        }
        self.parked.lock().unwrap().extend(messages.iter().cloned());
        self.wire.passed(fault).await;
        vec![true; messages.len()]
    }

    async fn delay(&self, messages: &[(String, Duration)]) {
        self.delays.lock().unwrap().extend(messages.iter().cloned());
    }
}

/// Everything that outlives a worker.
pub(crate) struct Stage {
    pub(crate) chime: LocalChime,
    pub(crate) host: TestHost,
    pub(crate) queue: MemoryQueue,
    pub(crate) wire: Wire,
    pub(crate) policy: Policy,
    pub(crate) dynamo: aws_sdk_dynamodb::Client,
    database: Served,
}

impl Stage {
    /// A stage with these accounts; the policy is empty.
    pub(crate) async fn new(accounts: Value) -> Stage {
        let chime =
            LocalChime::start(seed::read(&json!({ "accounts": accounts }).to_string()).unwrap(), 0).await.unwrap();
        let tables = [Definition::ledger(TABLE).unwrap(), Definition::roster(ROSTER).unwrap()];
        let database = Served::start(&tables).unwrap();
        let wire = Wire::default();
        let host = TestHost { now: Arc::new(Mutex::new(NOON.parse().unwrap())), random: Arc::new(AtomicU64::new(1)) };
        let queue =
            MemoryQueue { parked: Arc::default(), delays: Arc::default(), broken: Arc::default(), wire: wire.clone() };
        let dynamo = aws_sdk_dynamodb::Client::new(&sdk(&database.endpoint(), None));
        Stage { chime, host, queue, wire, policy: Policy::default(), dynamo, database }
    }

    pub(crate) fn with_policy(mut self, policy: Value) -> Stage {
        self.policy = Policy::parse(&policy.to_string()).unwrap();
        self
    }

    /// A new worker: as a Lambda environment that was just started.
    pub(crate) fn worker(&self) -> TestRoad {
        self.worker_of(Function::SuspendUser)
    }

    /// A new worker of a function.
    pub(crate) fn worker_of(&self, function: Function) -> TestRoad {
        let dynamo = self.watched();
        Road {
            function,
            directory: Chime::new(&sdk(&self.chime.endpoint(), Some(&self.wire)), self.host.clone()),
            ledger: Ledger::new(dynamo, TABLE, self.host.clone()),
            queue: self.queue.clone(),
            host: self.host.clone(),
            rules: RwLock::new(Arc::new(Rules::new(self.policy.clone(), &keys()))),
            keys: keys(),
            decide,
        }
    }

    /// A client of the database whose requests are told to the wire.
    pub(crate) fn watched(&self) -> aws_sdk_dynamodb::Client {
        aws_sdk_dynamodb::Client::new(&sdk(&self.database.endpoint(), Some(&self.wire)))
    }

    /// The ledger as the operator's tool sees it.
    pub(crate) fn ledger(&self) -> Ledger<TestHost> {
        Ledger::new(self.dynamo.clone(), TABLE, self.host.clone())
    }

    /// Releases events, all in one batch.
    pub(crate) async fn release(&self, ids: &[&str], by: &str) -> BatchReport {
        let mut messages = Vec::new();
        for (index, id) in ids.iter().enumerate() {
            let event = self.event(id).await.unwrap();
            let same = |function: &Function| event.id.starts_with(&format!("{}#", function.as_str()));
            let function = Function::ALL.into_iter().find(same).unwrap();
            messages.push((function, release(index, &event, by)));
        }
        self.hand_out(messages).await
    }

    /// Hands messages to a new worker of each one's function, in order: a run of one function's is a batch.
    async fn hand_out(&self, messages: Vec<(Function, SqsMessage)>) -> BatchReport {
        let mut all = BatchReport { response: SqsBatchResponse::default(), events: Vec::new(), uncounted: false };
        for run in messages.chunk_by(|a, b| a.0 == b.0) {
            let mut batch = SqsEvent::default();
            batch.records = run.iter().map(|(_, message)| message.clone()).collect();
            let report = self.worker_of(run[0].0).handle(batch, self.deadline()).await;
            all.response.batch_item_failures.extend(report.response.batch_item_failures);
            all.events.extend(report.events);
            all.uncounted |= report.uncounted;
        }
        all
    }

    /// The ids of the events in a state, oldest first, as the operator's tool lists them.
    pub(crate) async fn waiting(&self, state: State) -> Vec<String> {
        let waiting = self.ledger().waiting(state, None, self.deadline()).await.unwrap();
        waiting.events.iter().map(|event| event.id.split_once('#').unwrap().1.to_owned()).collect()
    }

    pub(crate) fn deadline(&self) -> Deadline {
        Deadline::at(self.host.now() + SignedDuration::from_secs(60))
    }

    /// Delivers bodies, in order, each to a new worker of its function. What is no event goes to suspend-user.
    pub(crate) async fn deliver(&self, bodies: &[String]) -> BatchReport {
        let functions = bodies.iter().map(|body| function_of(std::slice::from_ref(body)));
        self.hand_out(functions.zip(batch(bodies).records).collect()).await
    }

    /// The same, one batch for each function, whatever the order: for events of different people.
    pub(crate) async fn deliver_by_function(&self, mut bodies: Vec<String>) -> BatchReport {
        bodies.sort_by_key(|body| function_of(std::slice::from_ref(body)));
        self.deliver(&bodies).await
    }

    /// Delivers bodies to a new worker that is stopped dead. `None`: it died; `Some`: it finished before the strike.
    pub(crate) async fn deliver_until(&self, bodies: &[String], strike: Strike) -> Option<BatchReport> {
        self.wire.set(strike);
        let worker = self.worker_of(function_of(bodies));
        let report = tokio::select! {
            biased;
            () = self.wire.struck() => None,
            report = worker.handle(batch(bodies), self.deadline()) => Some(report),
        };
        self.wire.clear();
        report
    }

    /// Delivers bodies again and again, each time as late as the queue was told, until none is reported as failed.
    pub(crate) async fn deliver_to_the_end(&self, bodies: &[String]) -> BatchReport {
        for _ in 0..8 {
            let report = self.deliver(bodies).await;
            if failed(&report).is_empty() {
                return report;
            }
            self.wait_for_the_queue();
        }
        panic!("the messages come again for ever");
    }

    /// Lets the clock run until every message that the queue was told to delay shows again.
    pub(crate) fn wait_for_the_queue(&self) {
        let longest = self.queue.delays.lock().unwrap().drain(..).map(|(_, delay)| delay).max().unwrap_or_default();
        self.host.advance(SignedDuration::try_from(longest).unwrap());
    }

    /// Lets the clock run past every lease that a worker may have now: its deadline and 30 s.
    pub(crate) fn outlive_leases(&self) {
        self.host.advance(SignedDuration::from_secs(60 + 30 + 2));
    }

    /// Outcome words of a report, by event id.
    pub(crate) fn told(report: &BatchReport) -> BTreeMap<String, String> {
        let id = |key: &str| key.split_once('#').unwrap().1.to_owned();
        report.events.iter().map(|event| (id(&event.event_key), told(&event.told))).collect()
    }

    /// The stored outcome of an event.
    pub(crate) async fn outcome(&self, id: &str) -> Value {
        serde_json::from_str(&self.event(id).await.unwrap().data.unwrap()).unwrap()
    }

    /// The only person that was not merged into another.
    pub(crate) async fn person(&self) -> PersonItem {
        let mut people = self.people().await.into_values().filter(|person| person.merged_into.is_none());
        let person = people.next().unwrap();
        assert_eq!(people.next(), None, "there is one person only");
        person
    }

    /// The record of an event, whichever function's it is.
    pub(crate) async fn event(&self, id: &str) -> Option<EventItem> {
        for function in Function::ALL {
            if let Some(event) = self.event_of(function, id).await {
                return Some(event);
            }
        }
        None
    }

    pub(crate) async fn event_of(&self, function: Function, id: &str) -> Option<EventItem> {
        let item = self.item(&format!("{}#{id}", function.as_str())).await;
        item.map(|item| serde_dynamo::from_item(item).unwrap())
    }

    pub(crate) async fn item(&self, key: &str) -> Option<HashMap<String, AttributeValue>> {
        let key = AttributeValue::S(key.to_owned());
        self.dynamo.get_item().table_name(TABLE).key("id", key).send().await.unwrap().item
    }

    /// Every item of the table.
    pub(crate) async fn items(&self) -> Vec<HashMap<String, AttributeValue>> {
        let pages = self.dynamo.scan().table_name(TABLE).into_paginator().items().send();
        pages.collect::<Result<_, _>>().await.unwrap()
    }

    /// Every person item, by key.
    pub(crate) async fn people(&self) -> BTreeMap<String, PersonItem> {
        let items = self.items().await;
        let people = items.into_iter().filter(|item| item["id"].as_s().unwrap().starts_with("person#"));
        people.map(|item| (item["id"].as_s().unwrap().clone(), serde_dynamo::from_item(item).unwrap())).collect()
    }

    /// How users stand, `<account>/<user>` to status; a removed one is not there.
    pub(crate) fn users(&self) -> BTreeMap<String, String> {
        let core = self.chime.core();
        core.accounts()
            .flat_map(|account| account.users())
            .map(|user| {
                (format!("{}/{}", user.account_id, user.user_id), format!("{:?}", user.user_registration_status))
            })
            .collect()
    }

    /// The operations that Chime was asked for, reads left out.
    pub(crate) fn changes(&self) -> Vec<String> {
        let core = self.chime.core();
        let names = core.calls().iter().filter_map(|call| call.operation.map(|operation| format!("{operation:?}")));
        names.filter(|name| !name.starts_with("List") && !name.starts_with("Get")).collect()
    }
}

/// The function of the first of these bodies; suspend-user's where it is no event.
fn function_of(bodies: &[String]) -> Function {
    let event = bodies.first().and_then(|body| parse(body).ok());
    event.and_then(|event| consumer(event.event_type, event.login)).unwrap_or(Function::SuspendUser)
}

pub(crate) fn told(told: &rollcall::batch::Told) -> String {
    match told {
        rollcall::batch::Told::Outcome(outcome) => format!("{} {}", outcome.outcome.as_str(), outcome.reason.word()),
        rollcall::batch::Told::Duplicate(_) => "duplicate".into(),
        rollcall::batch::Told::Again(cause) => format!("again {cause}"),
    }
}

pub(crate) fn keys() -> Keys {
    Keys::from_secret("a-person-key-of-more-than-32-characters").unwrap()
}

/// An SDK configuration for one endpoint; with a wire, every request is told to it.
fn sdk(endpoint: &str, wire: Option<&Wire>) -> SdkConfig {
    let http = aws_smithy_http_client::Builder::new().build_http();
    let config = SdkConfig::builder()
        .behavior_version(BehaviorVersion::v2026_01_12())
        .region(Region::new("eu-west-1"))
        .credentials_provider(SharedCredentialsProvider::new(Credentials::new("test", "test", None, None, "test")))
        .endpoint_url(endpoint)
        .sleep_impl(aws_smithy_async_sleep())
        .retry_config(aws_config::retry::RetryConfig::standard().with_initial_backoff(Duration::from_millis(1)));
    match wire {
        None => config.http_client(http).build(),
        Some(wire) => {
            let wire = wire.clone();
            let client = http_client_fn(move |settings, components| {
                use aws_smithy_runtime_api::client::http::HttpClient;
                let inner = http.http_connector(settings, components);
                SharedHttpConnector::new(Watched { inner, wire: wire.clone() })
            });
            config.http_client(client).build()
        }
    }
}

fn aws_smithy_async_sleep() -> aws_sdk_dynamodb::config::SharedAsyncSleep {
    /// The SDK's back-offs pass at once; its timeouts are real, since they must never fire here.
    #[derive(Debug)]
    struct Sleep;
    impl aws_sdk_dynamodb::config::AsyncSleep for Sleep {
        fn sleep(&self, duration: Duration) -> aws_sdk_dynamodb::config::Sleep {
            let backoff = duration < Duration::from_millis(500);
            let duration = if backoff { Duration::ZERO } else { duration };
            aws_sdk_dynamodb::config::Sleep::new(tokio::time::sleep(duration))
        }
    }
    aws_sdk_dynamodb::config::SharedAsyncSleep::new(Sleep)
}
