//! The stage: hr-receive with a store of files, and a Parameter Store and a queue that the test can look into.

use aws_smithy_runtime_api::client::http::{HttpConnector, HttpConnectorFuture, SharedHttpConnector, http_client_fn};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use jiff::Timestamp;
use rollcall::directory::Deadline;
use rollcall::host::Host;
use rollcall::intake::Headers;
use rollcall::intake::parameters::Parameters;
use rollcall::intake::receipt::{Message, Receipt};
use rollcall::intake::receive::keys::Keys;
use rollcall::intake::receive::serve::Service;
use rollcall::intake::receive::{Request, Told};
use rollcall::policy::Policy;
use rollcall::rules::{Loader, Rules, Source as PolicySource};
use rollcall::seal;
use rollcall::store::files::Files;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// When everything happens, in seconds since 1970.
pub(crate) const NOW: i64 = 1_795_162_800;

/// A clock that the test sets, and chance that counts.
#[derive(Clone, Debug)]
pub(crate) struct TestHost(Arc<Mutex<(Timestamp, u128)>>);

impl Host for TestHost {
    fn now(&self) -> Timestamp {
        self.0.lock().unwrap().0
    }

    async fn sleep(&self, duration: Duration) {
        tokio::time::sleep(duration).await;
    }

    fn random(&self) -> u128 {
        let mut state = self.0.lock().unwrap();
        state.1 += 1;
        state.1
    }
}

/// How a service behaves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mood {
    Well,
    /// It answers 503.
    Failing,
    /// It answers that the role may not.
    Forbidding,
    /// It never answers.
    Silent,
}

/// Parameter Store and SQS, on one connector: which it is, the target says.
#[derive(Debug)]
struct Aws {
    secrets: Mutex<BTreeMap<String, String>>,
    asked: Mutex<Vec<String>>,
    messages: Mutex<Vec<String>>,
    /// Whether each message's receipt was there when it was sent.
    receipts_first: Mutex<Vec<bool>>,
    store: PathBuf,
    ssm: Mutex<Mood>,
    sqs: Mutex<Mood>,
}

impl HttpConnector for Aws {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let target = request.headers().get("x-amz-target").unwrap().to_owned();
        let body: Value = serde_json::from_slice(request.body().bytes().unwrap()).unwrap();
        let is_ssm = target == "AmazonSSM.GetParameter";
        let mood = *if is_ssm { &self.ssm } else { &self.sqs }.lock().unwrap();
        if is_ssm {
            self.asked.lock().unwrap().push(body["Name"].as_str().unwrap().to_owned());
        }
        let (status, answer) = match mood {
            Mood::Silent => return HttpConnectorFuture::new(std::future::pending()),
            Mood::Failing => (503, json!({})),
            Mood::Forbidding => (400, json!({ "__type": "AccessDeniedException" })),
            Mood::Well if is_ssm => match self.secrets.lock().unwrap().get(body["Name"].as_str().unwrap()) {
                Some(value) => (200, json!({ "Parameter": { "Value": value } })),
                None => (400, json!({ "__type": "ParameterNotFound" })),
            },
            Mood::Well => {
                assert_eq!(target, "AmazonSQS.SendMessage");
                let message = body["MessageBody"].as_str().unwrap().to_owned();
                let key = serde_json::from_str::<Message>(&message).unwrap().receipt;
                self.receipts_first.lock().unwrap().push(self.store.join(key).exists());
                self.messages.lock().unwrap().push(message);
                (200, json!({ "MessageId": "1" }))
            }
        };
        HttpConnectorFuture::ready(Ok(HttpResponse::new(status.try_into().unwrap(), answer.to_string().into())))
    }
}

pub(crate) struct Stage {
    pub(crate) service: Service<Files, TestHost>,
    aws: Arc<Aws>,
    root: PathBuf,
}

impl Drop for Stage {
    fn drop(&mut self) {
        // A file, once the store is broken.
        let _gone = std::fs::remove_dir_all(&self.root).or_else(|_| std::fs::remove_file(&self.root));
    }
}

static STAGES: AtomicU64 = AtomicU64::new(0);

impl Stage {
    pub(crate) fn new() -> Stage {
        Stage::with_policy(&json!({}))
    }

    pub(crate) fn with_policy(policy: &Value) -> Stage {
        let name = format!("rollcall-receive-{}-{}", std::process::id(), STAGES.fetch_add(1, Ordering::Relaxed));
        let root = std::env::temp_dir().join(name);
        let aws = Arc::new(Aws {
            secrets: Mutex::default(),
            asked: Mutex::default(),
            messages: Mutex::default(),
            receipts_first: Mutex::default(),
            store: root.clone(),
            ssm: Mutex::new(Mood::Well),
            sqs: Mutex::new(Mood::Well),
        });
        let connector = SharedHttpConnector::new(Shared(Arc::clone(&aws)));
        let sdk = aws_config::SdkConfig::builder()
            .behavior_version(aws_config::BehaviorVersion::v2026_01_12())
            .region(aws_config::Region::new("eu-west-1"))
            .credentials_provider(aws_sdk_ssm::config::SharedCredentialsProvider::new(
                aws_sdk_ssm::config::Credentials::new("test", "test", None, None, "test"),
            ))
            .retry_config(aws_config::retry::RetryConfig::disabled())
            .http_client(http_client_fn(move |_, _| connector.clone()))
            .build();
        let host = TestHost(Arc::new(Mutex::new((Timestamp::from_second(NOW).unwrap(), 0))));
        let keys = seal::Keys::from_secret(&"k".repeat(32)).unwrap();
        let text = policy.to_string();
        let service = Service {
            store: Files::new(&root),
            sqs: aws_sdk_sqs::Client::new(&sdk),
            queue_url: "https://sqs.eu-west-1.amazonaws.com/111122223333/intake".to_owned(),
            parameters: Parameters::new(aws_sdk_ssm::Client::new(&sdk), "/rollcall/sources"),
            keys: Keys::default(),
            rules: Mutex::new(Arc::new(Rules::new(Policy::parse(&text).unwrap(), &keys))),
            policy: Loader::without_events(PolicySource::Inline(text), None, &keys),
            host,
        };
        Stage { service, aws, root }
    }

    pub(crate) fn secret(&self, source: &str, value: &str) {
        self.aws.secrets.lock().unwrap().insert(format!("/rollcall/sources/{source}/secret"), value.to_owned());
    }

    pub(crate) fn parameter_store(&self, mood: Mood) {
        *self.aws.ssm.lock().unwrap() = mood;
    }

    pub(crate) fn queue(&self, mood: Mood) {
        *self.aws.sqs.lock().unwrap() = mood;
    }

    /// From here on nothing can be written.
    pub(crate) fn break_store(&mut self) {
        std::fs::write(&self.root, "a file where the directory should be").unwrap();
    }

    /// The next random number panics.
    pub(crate) fn break_chance(&self) {
        self.service.host.0.lock().unwrap().1 = u128::MAX;
    }

    pub(crate) fn later(&self, seconds: i64) {
        let mut state = self.service.host.0.lock().unwrap();
        state.0 = Timestamp::from_second(state.0.as_second() + seconds).unwrap();
    }

    pub(crate) async fn take(&self, event: Value) -> Told {
        let deadline = Timestamp::from_second(self.service.host.now().as_second() + 3).unwrap();
        let told = self.take_until(event, Deadline::at(deadline)).await;
        // A receipt is written before its message is sent, whatever happens.
        assert!(self.aws.receipts_first.lock().unwrap().iter().all(|first| *first));
        told
    }

    pub(crate) async fn take_until(&self, event: Value, deadline: Deadline) -> Told {
        self.service.take(&Request::parse(event).unwrap(), deadline).await
    }

    /// The receipts that are kept, by their keys.
    pub(crate) fn receipts(&self) -> BTreeMap<String, Receipt> {
        let mut found = BTreeMap::new();
        let mut left = vec![self.root.clone()];
        while let Some(path) = left.pop() {
            if path.is_dir() {
                left.extend(std::fs::read_dir(&path).unwrap().map(|entry| entry.unwrap().path()));
            } else if path != self.root && path.exists() {
                let key = path.strip_prefix(&self.root).unwrap().to_str().unwrap().to_owned();
                found.insert(key, Receipt::parse(&std::fs::read(&path).unwrap()).unwrap());
            }
        }
        found
    }

    pub(crate) fn messages(&self) -> Vec<String> {
        self.aws.messages.lock().unwrap().clone()
    }

    /// How often Parameter Store was asked.
    pub(crate) fn look_ups(&self) -> usize {
        self.aws.asked.lock().unwrap().len()
    }

    /// Status, count, receipts, messages.
    pub(crate) async fn outcome(&self, event: Value) -> (u16, &'static str, usize, usize) {
        let told = self.take(event).await;
        (told.response().status_code, told.count(), self.receipts().len(), self.messages().len())
    }
}

#[derive(Debug)]
struct Shared(Arc<Aws>);

impl HttpConnector for Shared {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        self.0.call(request)
    }
}

/// The event of a function's URL.
pub(crate) fn event(method: &str, path: &str, headers: &[(String, String)], body: &[u8]) -> Value {
    use base64::Engine;
    let headers: BTreeMap<&str, &str> = headers.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    json!({
        "version": "2.0", "routeKey": "$default", "rawPath": path, "rawQueryString": "", "headers": headers,
        "requestContext": { "http": { "method": method, "path": path } },
        "body": base64::engine::general_purpose::STANDARD.encode(body), "isBase64Encoded": true,
    })
}

/// The receipt's body and headers.
pub(crate) fn kept(receipt: &Receipt) -> (Vec<u8>, Headers) {
    receipt.request().unwrap()
}
