//! A stage for the road: the real handler on an embedded DynamoDB and a local Chime, with every remote call counted,
//! a clock that only the test moves, and a worker that can be stopped dead at any call.

use aws_config::{BehaviorVersion, SdkConfig};
use aws_lambda_events::event::sqs::{SqsEvent, SqsMessage, SqsMessageAttribute};
use aws_sdk_dynamodb::config::{Credentials, Region, SharedCredentialsProvider};
use aws_sdk_dynamodb::types::{
    AttributeDefinition, AttributeValue, BillingMode, GlobalSecondaryIndex, KeySchemaElement, KeyType, Projection,
    ProjectionType, ScalarAttributeType,
};
use aws_smithy_runtime_api::client::http::{HttpConnector, HttpConnectorFuture, SharedHttpConnector, http_client_fn};
use aws_smithy_runtime_api::client::orchestrator::HttpRequest;
use aws_smithy_runtime_api::client::result::ConnectorError;
use jiff::{SignedDuration, Timestamp};
use rollcall::batch::{BatchReport, Road};
use rollcall::decide::decide;
use rollcall::directory::Deadline;
use rollcall::directory::chime::Chime;
use rollcall::host::Host;
use rollcall::ledger::{EventItem, Ledger, PersonItem};
use rollcall::policy::Policy;
use rollcall::queue::{PARKED_AS, Parked, Queue};
use rollcall::routes::Function;
use rollcall::seal::Keys;
use rollcall_local::chime::LocalChime;
use rollcall_local::chime::seed;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::sync::Notify;

pub(crate) const TABLE: &str = "rollcall";

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
        self.wire.pass("sqs").await;
        if *self.broken.lock().unwrap() {
            return vec![false; messages.len()];
        }
        self.parked.lock().unwrap().extend(messages.iter().cloned());
        self.wire.passed().await;
        vec![true; messages.len()]
    }

    async fn delay(&self, messages: &[(String, Duration)]) {
        self.delays.lock().unwrap().extend(messages.iter().cloned());
    }
}

/// Where a worker is stopped dead.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Stop {
    /// Before the call with this number (from 1) reaches its service.
    Before(usize),
    /// After it took effect, before its answer comes back.
    After(usize),
}

/// Every remote call of every worker, in order, and the stop that is set.
#[derive(Clone, Debug, Default)]
pub(crate) struct Wire(Arc<WireState>);

#[derive(Debug, Default)]
struct WireState {
    calls: Mutex<Vec<String>>,
    stop: Mutex<Option<Stop>>,
    stopped: Notify,
}

impl Wire {
    async fn pass(&self, name: &str) {
        let count = {
            let mut calls = self.0.calls.lock().unwrap();
            calls.push(name.to_owned());
            calls.len()
        };
        if *self.0.stop.lock().unwrap() == Some(Stop::Before(count)) {
            self.die().await;
        }
    }

    async fn passed(&self) {
        let count = self.0.calls.lock().unwrap().len();
        if *self.0.stop.lock().unwrap() == Some(Stop::After(count)) {
            self.die().await;
        }
    }

    async fn die(&self) {
        *self.0.stop.lock().unwrap() = None;
        self.0.stopped.notify_one();
        std::future::pending::<()>().await;
    }

    pub(crate) fn calls(&self) -> Vec<String> {
        self.0.calls.lock().unwrap().clone()
    }

    pub(crate) fn forget(&self) {
        self.0.calls.lock().unwrap().clear();
    }
}

/// A connector that tells the wire of each request.
#[derive(Debug)]
struct Watched {
    inner: SharedHttpConnector,
    wire: Wire,
}

impl HttpConnector for Watched {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let target =
            request.headers().get("x-amz-target").and_then(|target| target.split('.').nth(1)).map(str::to_owned);
        let name = target.unwrap_or_else(|| "chime".to_owned());
        let (inner, wire) = (self.inner.clone(), self.wire.clone());
        HttpConnectorFuture::new(async move {
            wire.pass(&name).await;
            let answer: Result<_, ConnectorError> = inner.call(request).await;
            wire.passed().await;
            answer
        })
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
    database: String,
    _stop: tokio::sync::oneshot::Sender<()>,
}

impl Stage {
    /// A stage with these accounts; the policy is empty.
    pub(crate) async fn new(accounts: Value) -> Stage {
        let chime =
            LocalChime::start(seed::read(&json!({ "accounts": accounts }).to_string()).unwrap(), 0).await.unwrap();
        let (database, stop) = serve_dynamo();
        let wire = Wire::default();
        let host = TestHost { now: Arc::new(Mutex::new(NOON.parse().unwrap())), random: Arc::new(AtomicU64::new(1)) };
        let queue =
            MemoryQueue { parked: Arc::default(), delays: Arc::default(), broken: Arc::default(), wire: wire.clone() };
        let dynamo = aws_sdk_dynamodb::Client::new(&sdk(&database, None));
        create_table(&dynamo).await;
        Stage { chime, host, queue, wire, policy: Policy::default(), dynamo, database, _stop: stop }
    }

    pub(crate) fn with_policy(mut self, policy: Value) -> Stage {
        self.policy = Policy::parse(&policy.to_string()).unwrap();
        self
    }

    /// A new worker: as a Lambda environment that was just started.
    pub(crate) fn worker(&self) -> TestRoad {
        let dynamo = aws_sdk_dynamodb::Client::new(&sdk(&self.database, Some(&self.wire)));
        Road {
            function: Function::SuspendUser,
            directory: Chime::new(&sdk(&self.chime.endpoint(), Some(&self.wire)), self.host.clone()),
            ledger: Ledger::new(dynamo, TABLE, self.host.clone()),
            queue: self.queue.clone(),
            host: self.host.clone(),
            policy: self.policy.clone(),
            keys: keys(),
            decide,
        }
    }

    pub(crate) fn deadline(&self) -> Deadline {
        Deadline::at(self.host.now() + SignedDuration::from_secs(60))
    }

    /// Delivers bodies to a new worker as one batch.
    pub(crate) async fn deliver(&self, bodies: &[String]) -> BatchReport {
        self.worker().handle(batch(bodies), self.deadline()).await
    }

    /// Delivers bodies to a new worker that is stopped dead. `None`: it died; `Some`: it finished before the stop.
    pub(crate) async fn deliver_until(&self, bodies: &[String], stop: Stop) -> Option<BatchReport> {
        self.wire.forget();
        *self.wire.0.stop.lock().unwrap() = Some(stop);
        let worker = self.worker();
        let report = tokio::select! {
            biased;
            () = self.wire.0.stopped.notified() => None,
            report = worker.handle(batch(bodies), self.deadline()) => Some(report),
        };
        *self.wire.0.stop.lock().unwrap() = None;
        report
    }

    /// Outcome words of a report, by event id.
    pub(crate) fn told(report: &BatchReport) -> BTreeMap<String, String> {
        let id = |key: &str| key.split_once('#').unwrap().1.to_owned();
        report.events.iter().map(|event| (id(&event.event_key), told(&event.told))).collect()
    }

    pub(crate) async fn event(&self, id: &str) -> Option<EventItem> {
        self.item(&format!("suspend-user#{id}")).await.map(|item| serde_dynamo::from_item(item).unwrap())
    }

    pub(crate) async fn item(&self, key: &str) -> Option<std::collections::HashMap<String, AttributeValue>> {
        let key = AttributeValue::S(key.to_owned());
        self.dynamo.get_item().table_name(TABLE).key("id", key).send().await.unwrap().item
    }

    /// Every person item, by key.
    pub(crate) async fn people(&self) -> BTreeMap<String, PersonItem> {
        let items = self.dynamo.scan().table_name(TABLE).send().await.unwrap().items.unwrap_or_default();
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

    pub(crate) fn chime_calls(&self) -> usize {
        self.chime.core().calls().len()
    }
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

/// An account of a type with `n` registered users `u0`, `u1` …, addresses `p<i>@<account>.example`.
pub(crate) fn account(id: &str, kind: &str, n: usize) -> Value {
    let user = |index: usize| {
        json!({
            "UserId": format!("u{index}"), "PrimaryEmail": format!("p{index}@{id}.example"), "LicenseType": "Pro",
            "UserRegistrationStatus": "Registered", "PersonalPIN": "0123456789", "sessions": 1,
        })
    };
    json!({ "AccountId": id, "Name": id, "AccountType": kind, "users": (0..n).map(user).collect::<Vec<_>>() })
}

/// The policy that maps `<account>.example` to each account.
pub(crate) fn mapped(accounts: &[&str]) -> Value {
    let rule = |account: &&str| json!({ "account": account, "domains": [format!("{account}.example")] });
    json!({ "accounts": accounts.iter().map(rule).collect::<Vec<_>>(), "pin_reset": "never" })
}

/// An event about the person `p<n>` of an account, whose employee number is `<account>-<n>`.
pub(crate) fn event(id: &str, kind: &str, phase: &str, at: &str, account: &str, n: usize) -> Value {
    json!({
        "schemaVersion": "1.0", "eventId": id, "kind": kind, "phase": phase, "occurredAt": "2026-11-20T08:00:00Z",
        "subject": { "workerId": format!("{account}-{n}"), "email": format!("P{n}@{account}.example") },
        "effective": { "date": at.get(..10), "at": at, "zone": "UTC", "basis": "instant", "source": "payload" },
    })
}

pub(crate) fn termination(id: &str, account: &str, n: usize) -> Value {
    event(id, "termination", "effective", "2026-11-22T18:00:00Z", account, n)
}

/// A detail in its EventBridge envelope.
pub(crate) fn envelope(detail: &Value) -> String {
    let detail_type = format!("worker.{}.{}", detail["kind"].as_str().unwrap(), detail["phase"].as_str().unwrap());
    json!({
        "version": "0", "id": "6a7e8feb-b491-4cf7-a9f1-bf3703467718", "detail-type": detail_type, "source": "rollcall.hr",
        "account": "111122223333", "time": "2026-11-23T11:59:59Z", "region": "eu-west-1", "resources": [], "detail": detail,
    })
    .to_string()
}

/// An SQS event of these bodies; message ids are `m0`, `m1` ….
pub(crate) fn batch(bodies: &[String]) -> SqsEvent {
    let mut event = SqsEvent::default();
    event.records = bodies.iter().enumerate().map(|(index, body)| message(index, body, None)).collect();
    event
}

pub(crate) fn message(index: usize, body: &str, parked_as: Option<&str>) -> SqsMessage {
    let mut message = SqsMessage::default();
    message.message_id = Some(format!("m{index}"));
    message.receipt_handle = Some(format!("r{index}"));
    message.body = Some(body.to_owned());
    message.attributes.insert("ApproximateReceiveCount".into(), "1".into());
    if let Some(token) = parked_as {
        let mut attribute = SqsMessageAttribute::default();
        attribute.string_value = Some(token.to_owned());
        message.message_attributes.insert(PARKED_AS.into(), attribute);
    }
    message
}

pub(crate) fn failed(report: &BatchReport) -> Vec<String> {
    let mut ids: Vec<String> =
        report.response.batch_item_failures.iter().map(|item| item.item_identifier.clone()).collect();
    ids.sort();
    ids
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
    #[derive(Debug)]
    struct Sleep;
    impl aws_sdk_dynamodb::config::AsyncSleep for Sleep {
        fn sleep(&self, duration: Duration) -> aws_sdk_dynamodb::config::Sleep {
            aws_sdk_dynamodb::config::Sleep::new(tokio::time::sleep(duration))
        }
    }
    aws_sdk_dynamodb::config::SharedAsyncSleep::new(Sleep)
}

/// Serves an empty in-memory DynamoDB on a thread of its own, since it blocks.
fn serve_dynamo() -> (String, tokio::sync::oneshot::Sender<()>) {
    let listener = std::net::TcpListener::bind(("127.0.0.1", 0)).unwrap();
    listener.set_nonblocking(true).unwrap();
    let address = listener.local_addr().unwrap();
    let (stop, stopped) = tokio::sync::oneshot::channel();
    std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async move {
            let listener = tokio::net::TcpListener::from_std(listener).unwrap();
            let database = dynoxide::Database::memory().unwrap();
            let shutdown = async move {
                let _dropped = stopped.await;
            };
            tokio::select! {
                () = shutdown => {}
                _ = dynoxide::server::serve_with_shutdown(listener, database, std::future::pending()) => {}
            }
        });
    });
    (format!("http://{address}"), stop)
}

async fn create_table(dynamo: &aws_sdk_dynamodb::Client) {
    let string = |name: &str| {
        AttributeDefinition::builder().attribute_name(name).attribute_type(ScalarAttributeType::S).build().unwrap()
    };
    let key =
        |name: &str, kind: KeyType| KeySchemaElement::builder().attribute_name(name).key_type(kind).build().unwrap();
    let index = |name: &str, partition: &str| {
        GlobalSecondaryIndex::builder()
            .index_name(name)
            .key_schema(key(partition, KeyType::Hash))
            .key_schema(key("occurred_at", KeyType::Range))
            .projection(Projection::builder().projection_type(ProjectionType::KeysOnly).build())
            .build()
            .unwrap()
    };
    dynamo
        .create_table()
        .table_name(TABLE)
        .attribute_definitions(string("id"))
        .attribute_definitions(string("person"))
        .attribute_definitions(string("occurred_at"))
        .attribute_definitions(string("attention"))
        .key_schema(key("id", KeyType::Hash))
        .global_secondary_indexes(index("by_person", "person"))
        .global_secondary_indexes(index("by_attention", "attention"))
        .billing_mode(BillingMode::PayPerRequest)
        .send()
        .await
        .unwrap();
}
