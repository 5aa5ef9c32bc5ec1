//! A stack as the tool sees it, and the road that fills its ledger.

use crate::aws::{Aws, Message, There};
use crate::dynamo::{self, LEDGER, ROSTER};
use aws_config::{Region, SdkConfig};
use aws_lambda_events::event::sqs::{SqsEvent, SqsMessage, SqsMessageAttribute};
use aws_sdk_dynamodb::config::Credentials;
use jiff::{SignedDuration, Timestamp};
use rollcall::batch::Road;
use rollcall::decide::decide;
use rollcall::directory::Deadline;
use rollcall::directory::chime::Chime;
use rollcall::host::{Host, System};
use rollcall::ledger::{EventItem, Ledger};
use rollcall::policy::Policy;
use rollcall::queue::Sqs;
use rollcall::routes::Function;
use rollcall::rules::Rules;
use rollcall::seal::Keys;
use rollcall::start::sdk_loader;
use rollcall_local::chime::{LocalChime, seed};
use rollcall_tables::Served;
use serde_json::{Value, json};
use std::path::PathBuf;
use std::process::Stdio;
use std::sync::{Arc, RwLock};
use std::time::Duration;
use tokio::io::AsyncWriteExt;
use tokio::process::Command;

pub(crate) const KEY: &str = "a-person-key-of-more-than-32-characters";
pub(crate) const STACK: &str = "acme";
/// The parameter that hands the person key through.
pub(crate) const SECRET: &str = "/aws/reference/secretsmanager/acme-PersonKey";
pub(crate) const POLICY: &str = "acme-policy";
/// The account of the fixtures: addresses `p<n>@lwa.example`.
pub(crate) const LWA: &str = "lwa";

/// How long the tool may take here.
const WITHIN: Duration = Duration::from_secs(60);

/// What the tool printed.
#[derive(Debug)]
pub(crate) struct Told {
    pub(crate) code: Option<i32>,
    pub(crate) out: String,
    pub(crate) err: String,
}

impl Told {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.out).unwrap_or_else(|_| panic!("no JSON: {self:?}"))
    }
}

pub(crate) struct Stage {
    pub(crate) aws: Aws,
    pub(crate) chime: LocalChime,
    pub(crate) dynamo: aws_sdk_dynamodb::Client,
    /// The tool's folder, of this stage alone.
    pub(crate) folder: PathBuf,
    _database: Served,
}

pub(crate) fn queue(name: &str) -> String {
    format!("https://sqs.eu-west-1.amazonaws.com/111122223333/{name}")
}

pub(crate) fn queue_of(function: Function) -> String {
    queue(function.as_str())
}

pub(crate) fn dlq_of(function: Function) -> String {
    queue(&format!("{}-dlq", function.as_str()))
}

/// An account with `n` registered users `u0`, `u1` …, addresses `p<i>@<account>.example`.
pub(crate) fn account(id: &str, kind: &str, n: usize) -> Value {
    let user = |index: usize| {
        json!({
            "UserId": format!("u{index}"), "PrimaryEmail": format!("p{index}@{id}.example"), "LicenseType": "Pro",
            "UserRegistrationStatus": "Registered", "PersonalPIN": "0123456789", "Sessions": 1,
        })
    };
    json!({ "AccountId": id, "Name": id, "AccountType": kind, "users": (0..n).map(user).collect::<Vec<_>>() })
}

/// The policy that maps `lwa.example` to its account, with more sections.
pub(crate) fn policy(sections: &Value) -> Value {
    let mut policy = json!({ "accounts": [{ "account": LWA, "domains": ["lwa.example"] }], "pin_reset": "never" });
    policy.as_object_mut().unwrap().extend(sections.as_object().unwrap().clone());
    policy
}

/// A termination of `p<n>@lwa.example`, as a bare detail.
pub(crate) fn termination(id: &str, n: usize) -> Value {
    json!({
        "schemaVersion": "1.0", "eventId": id, "kind": "termination", "phase": "effective",
        "occurredAt": "2024-01-20T08:00:00Z",
        "subject": { "workerId": format!("lwa-{n}"), "email": format!("p{n}@lwa.example") },
        "effective": { "date": "2024-01-22", "at": "2024-01-22T18:00:00Z", "zone": "UTC", "basis": "instant",
            "source": "payload" },
    })
}

async fn sdk(endpoint: &str) -> SdkConfig {
    let credentials = Credentials::new("test", "test", None, None, "test");
    sdk_loader().region(Region::new("eu-west-1")).credentials_provider(credentials).endpoint_url(endpoint).load().await
}

/// What the stack's own parameter says.
fn operator() -> Value {
    let part = |function: Function| {
        let name = function.as_str();
        let parts = json!({ "mapping": format!("map-{name}"), "queue": queue_of(function), "dlq": dlq_of(function) });
        (name.to_owned(), parts)
    };
    let functions: serde_json::Map<String, Value> = Function::ALL.into_iter().map(part).collect();
    json!({
        "table": LEDGER, "rosterTable": ROSTER, "bus": "acme-bus", "policy": POLICY, "functions": functions,
        "personKey": "arn:aws:secretsmanager:eu-west-1:111122223333:secret:acme-PersonKey-x9Yz0Q",
        "unrouted": queue("unrouted"), "undelivered": queue("undelivered"),
    })
}

impl Stage {
    /// A quiet stack over these accounts. `name` is the test's own.
    pub(crate) async fn new(name: &str, accounts: Value, sections: &Value) -> Stage {
        let chime =
            LocalChime::start(seed::read(&json!({ "accounts": accounts }).to_string()).unwrap(), 0).await.unwrap();
        let database = dynamo::serve();
        let client = aws_sdk_dynamodb::Client::new(&sdk(&database.endpoint()).await);
        let mut there = There::default();
        there.parameters.insert(format!("/{STACK}/operator"), operator().to_string());
        there.parameters.insert(POLICY.to_owned(), policy(sections).to_string());
        there.parameters.insert(SECRET.to_owned(), KEY.to_owned());
        for function in Function::ALL {
            there.mappings.insert(format!("map-{}", function.as_str()), "Enabled");
            there.queues.insert(queue_of(function), Vec::new());
            there.queues.insert(dlq_of(function), Vec::new());
        }
        there.queues.insert(queue("unrouted"), Vec::new());
        there.queues.insert(queue("undelivered"), Vec::new());
        let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(name);
        // What another run left there would be found.
        let _absent = std::fs::remove_dir_all(&folder);
        std::fs::create_dir_all(&folder).unwrap();
        Stage { aws: Aws::start(there, database.endpoint()).await, chime, dynamo: client, folder, _database: database }
    }

    /// Runs the tool on the stack.
    pub(crate) async fn run(&self, words: &str) -> Told {
        self.run_with(&words.split(' ').collect::<Vec<_>>(), "").await
    }

    pub(crate) async fn run_with(&self, words: &[&str], input: &str) -> Told {
        self.tool(&[("ROLLCALL_STACK", STACK)], words, input).await
    }

    /// Runs the tool where nothing says which stack, but for these variables.
    pub(crate) async fn tool(&self, variables: &[(&str, &str)], words: &[&str], input: &str) -> Told {
        let mut command = Command::new(env!("CARGO_BIN_EXE_rollcall"));
        command.args(words).env_clear().current_dir(&self.folder).kill_on_drop(true);
        command.envs([("HOME", "/nowhere"), ("AWS_EC2_METADATA_DISABLED", "true"), ("AWS_REGION", "eu-west-1")]);
        command.envs([("AWS_ACCESS_KEY_ID", "test"), ("AWS_SECRET_ACCESS_KEY", "test")]);
        command.env("AWS_ENDPOINT_URL", self.aws.endpoint());
        command.env("AWS_ENDPOINT_URL_CHIME", self.chime.endpoint()).envs(variables.iter().copied());
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let mut stdin = child.stdin.take().unwrap();
        // Who reads nothing closes it.
        let _closed = stdin.write_all(input.as_bytes()).await;
        drop(stdin);
        let Ok(output) = tokio::time::timeout(WITHIN, child.wait_with_output()).await else { panic!("the tool hangs") };
        let output = output.unwrap();
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap().trim_end().to_owned();
        Told { code: output.status.code(), out: text(output.stdout), err: text(output.stderr) }
    }

    /// Exchanges the policy of the stack.
    pub(crate) fn set_policy(&self, policy: &Value) {
        self.aws.there().parameters.insert(POLICY.to_owned(), policy.to_string());
    }

    pub(crate) fn ledger(&self) -> Ledger<System> {
        Ledger::new(self.dynamo.clone(), LEDGER, System::default())
    }

    pub(crate) async fn event(&self, id: &str) -> EventItem {
        self.ledger().event(id).await.unwrap().unwrap()
    }

    /// Lets a function take all that is on its queue, under the policy of the stack; answers how many messages that were.
    pub(crate) async fn work(&self, function: Function) -> usize {
        let messages = std::mem::take(self.aws.there().queues.get_mut(&queue_of(function)).unwrap());
        let policy = Policy::parse(&self.aws.there().parameters[POLICY]).unwrap();
        let keys = Keys::from_secret(KEY).unwrap();
        let sqs = aws_sdk_sqs::Client::new(&sdk(&self.aws.endpoint()).await);
        let road = Road {
            function,
            directory: Chime::new(&sdk(&self.chime.endpoint()).await, System::default()),
            ledger: self.ledger(),
            queue: Sqs::new(sqs, queue_of(function), dlq_of(function)),
            host: System::default(),
            rules: RwLock::new(Arc::new(Rules::new(policy, &keys))),
            keys,
            decide,
        };
        let mut event = SqsEvent::default();
        event.records = messages.iter().map(delivered).collect();
        let report = road.handle(event, Deadline::at(now() + SignedDuration::from_secs(60))).await;
        assert_eq!(report.response.batch_item_failures.len(), 0, "{report:?}");
        messages.len()
    }

    /// Puts events on suspend-user's queue and lets it work.
    pub(crate) async fn terminate(&self, events: &[Value]) {
        for event in events {
            self.aws.there().put(&queue_of(Function::SuspendUser), &event.to_string(), Value::Null);
        }
        self.work(Function::SuspendUser).await;
    }

    /// How a user of the fixture's account stands.
    pub(crate) fn status(&self, n: usize) -> String {
        let core = self.chime.core();
        let mut users = core.accounts().flat_map(|account| account.users());
        let user = users.find(|user| user.user_id == format!("u{n}")).unwrap();
        format!("{:?}", user.user_registration_status)
    }

    /// The changes that Chime was asked for.
    pub(crate) fn changes(&self) -> Vec<String> {
        let core = self.chime.core();
        let names = core.calls().iter().filter_map(|call| call.operation.map(|operation| format!("{operation:?}")));
        names.filter(|name| !name.starts_with("List") && !name.starts_with("Get")).collect()
    }
}

pub(crate) fn now() -> Timestamp {
    System::default().now()
}

fn delivered(message: &Message) -> SqsMessage {
    let mut delivered = SqsMessage::default();
    delivered.message_id = Some(message.id.clone());
    delivered.receipt_handle = Some(format!("r-{}", message.id));
    delivered.body = Some(message.body.clone());
    delivered.attributes.insert("ApproximateReceiveCount".into(), "1".into());
    for name in message.attributes.as_object().into_iter().flat_map(serde_json::Map::keys) {
        let mut attribute = SqsMessageAttribute::default();
        attribute.string_value = message.attribute(name).map(str::to_owned);
        delivered.message_attributes.insert(name.clone(), attribute);
    }
    delivered
}
