//! A stand-in for SSM, SQS, EventBridge and Lambda: as much of each as the tool and the road call, on the wire as the SDK
//! expects it. DynamoDB's calls are passed on. Every call is noted, and any operation can be made to refuse.

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::response::Response;
use hyper_util::client::legacy::Client;
use hyper_util::rt::TokioExecutor;
use serde_json::{Map, Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

/// A message on a queue.
#[derive(Clone, Debug)]
pub(crate) struct Message {
    pub(crate) id: String,
    pub(crate) body: String,
    pub(crate) attributes: Value,
    /// When it was sent, in milliseconds since 1970.
    pub(crate) sent_at: i64,
    pub(crate) hidden: bool,
}

impl Message {
    /// The text of an attribute.
    pub(crate) fn attribute(&self, name: &str) -> Option<&str> {
        self.attributes[name]["StringValue"].as_str()
    }
}

/// Everything that is there.
#[derive(Debug, Default)]
pub(crate) struct There {
    /// Values of parameters, by name.
    pub(crate) parameters: BTreeMap<String, String>,
    /// Queues, by URL.
    pub(crate) queues: BTreeMap<String, Vec<Message>>,
    /// States of event source mappings, by id.
    pub(crate) mappings: BTreeMap<String, &'static str>,
    /// Entries on the bus, in order.
    pub(crate) published: Vec<Value>,
    /// Every call: the operation, and what it was about.
    pub(crate) calls: Vec<String>,
    /// Every call of DynamoDB: the operation, or those of a transaction's parts.
    pub(crate) tables: Vec<String>,
    /// Operations that are not allowed, each as its name, or the name and the queue's.
    pub(crate) denied: BTreeSet<&'static str>,
    /// An event id that the bus does not take.
    pub(crate) unwanted: Option<&'static str>,
    sent: u64,
}

impl There {
    /// Puts a message on a queue.
    pub(crate) fn put(&mut self, queue: &str, body: &str, attributes: Value) {
        self.sent += 1;
        let id = format!("m{}", self.sent);
        let sent_at = crate::stage::now().as_millisecond();
        let message = Message { id, body: body.to_owned(), attributes, sent_at, hidden: false };
        self.queues.get_mut(queue).unwrap().push(message);
    }

    /// How often an operation was called.
    pub(crate) fn count(&self, operation: &str) -> usize {
        self.calls.iter().filter(|call| call.split(' ').next() == Some(operation)).count()
    }
}

/// The stand-in; it serves until it is dropped.
pub(crate) struct Aws {
    address: SocketAddr,
    there: Arc<Mutex<There>>,
    serving: JoinHandle<()>,
}

impl Drop for Aws {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

impl Aws {
    /// Serves what is there; DynamoDB is at `database`.
    pub(crate) async fn start(there: There, database: String) -> Aws {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let address = listener.local_addr().unwrap();
        let there = Arc::new(Mutex::new(there));
        let router = Router::new().fallback(answer).with_state((Arc::clone(&there), database));
        let serving = tokio::spawn(async move {
            let _ended = axum::serve(listener, router).await;
        });
        Aws { address, there, serving }
    }

    pub(crate) fn endpoint(&self) -> String {
        format!("http://{}", self.address)
    }

    pub(crate) fn there(&self) -> MutexGuard<'_, There> {
        self.there.lock().unwrap()
    }
}

async fn answer(State((there, database)): State<(Arc<Mutex<There>>, String)>, request: Request) -> Response {
    let target = request.headers().get("x-amz-target").map(|target| target.to_str().unwrap().to_owned());
    if let Some(operation) = target.as_ref().and_then(|target| target.strip_prefix("DynamoDB_20120810.")) {
        return pass_on(&database, &there, operation, request).await;
    }
    let (method, path) = (request.method().to_string(), request.uri().path().to_owned());
    let body = to_bytes(request.into_body(), 1 << 22).await.unwrap();
    let body: Value = serde_json::from_slice(&body).unwrap_or_default();
    let mut there = there.lock().unwrap();
    let operation = match &target {
        Some(target) => target.split('.').next_back().unwrap().to_owned(),
        None if method == "PUT" => "UpdateEventSourceMapping".to_owned(),
        None => "GetEventSourceMapping".to_owned(),
    };
    let about = [&body["Name"], &body["QueueUrl"]].into_iter().find_map(Value::as_str).unwrap_or(&path);
    let about = about.rsplit_once("111122223333/").map_or(about, |(_, queue)| queue).to_owned();
    there.calls.push(format!("{operation} {about}"));
    if there.denied.contains(operation.as_str()) || there.denied.contains(format!("{operation} {about}").as_str()) {
        return error("AccessDeniedException", "the role does not allow it");
    }
    match operation.as_str() {
        "GetParameter" => match there.parameters.get(&about) {
            Some(value) => ok(&json!({ "Parameter": { "Name": about, "Value": value } })),
            None => error("ParameterNotFound", "there is none of this name"),
        },
        "PutEvents" => put_events(&mut there, &body),
        "GetEventSourceMapping" | "UpdateEventSourceMapping" => mapping(&mut there, &path, &body),
        _ => queue(&mut there, &operation, &body),
    }
}

/// Hands a call of DynamoDB on. Of a transaction each part is noted, since each part's action must be allowed.
async fn pass_on(database: &str, there: &Mutex<There>, operation: &str, request: Request) -> Response {
    let (mut parts, body) = request.into_parts();
    let body = to_bytes(body, 1 << 24).await.unwrap();
    let parsed: Value = serde_json::from_slice(&body).unwrap();
    let inner = parsed["TransactItems"].as_array().into_iter().flatten();
    let inner: Vec<String> =
        inner.flat_map(|part| part.as_object().unwrap().keys()).map(|kind| format!("{kind}Item")).collect();
    let noted = if inner.is_empty() { vec![operation.to_owned()] } else { inner };
    there.lock().unwrap().tables.extend(noted);
    parts.uri = format!("{database}/").parse().unwrap();
    let client = Client::builder(TokioExecutor::new()).build_http::<Body>();
    client.request(Request::from_parts(parts, Body::from(body))).await.unwrap().map(Body::new)
}

fn put_events(there: &mut There, body: &Value) -> Response {
    let (mut entries, mut failed) = (Vec::new(), 0);
    for entry in body["Entries"].as_array().unwrap() {
        let detail = entry["Detail"].as_str().unwrap();
        if there.unwanted.is_some_and(|id| detail.contains(id)) {
            failed += 1;
            entries.push(json!({ "ErrorCode": "NotAuthorizedForBus", "ErrorMessage": "no" }));
        } else {
            there.published.push(entry.clone());
            entries.push(json!({ "EventId": format!("bus-{}", there.published.len()) }));
        }
    }
    ok(&json!({ "FailedEntryCount": failed, "Entries": entries }))
}

/// A change is under way until it is asked for once more.
fn mapping(there: &mut There, path: &str, body: &Value) -> Response {
    let id = path.rsplit('/').next().unwrap();
    let Some(state) = there.mappings.get_mut(id) else { return error("ResourceNotFoundException", "no such mapping") };
    let told = *state;
    match body["Enabled"].as_bool() {
        Some(true) => *state = "Enabling",
        Some(false) => *state = "Disabling",
        None if told == "Enabling" => *state = "Enabled",
        None if told == "Disabling" => *state = "Disabled",
        None => {}
    }
    ok(&json!({ "UUID": id, "State": told }))
}

fn queue(there: &mut There, operation: &str, body: &Value) -> Response {
    let url = body["QueueUrl"].as_str().unwrap_or_default();
    if !there.queues.contains_key(url) {
        return error("com.amazonaws.sqs#QueueDoesNotExist", "no such queue");
    }
    let none = Vec::new();
    let entries = body["Entries"].as_array().unwrap_or(&none);
    let answer = match operation {
        "GetQueueAttributes" => {
            let queue = &there.queues[url];
            let hidden = queue.iter().filter(|message| message.hidden).count();
            json!({ "Attributes": {
                "ApproximateNumberOfMessages": (queue.len() - hidden).to_string(),
                "ApproximateNumberOfMessagesDelayed": "0",
                "ApproximateNumberOfMessagesNotVisible": hidden.to_string(),
                "MessageRetentionPeriod": "1209600",
            } })
        }
        "SendMessageBatch" => {
            for entry in entries {
                let attributes = entry["MessageAttributes"].clone();
                there.put(url, entry["MessageBody"].as_str().unwrap(), attributes);
            }
            json!({ "Successful": successful(entries), "Failed": [] })
        }
        "ReceiveMessage" => {
            let most = usize::try_from(body["MaxNumberOfMessages"].as_u64().unwrap()).unwrap();
            let shown = there.queues.get_mut(url).unwrap().iter_mut().filter(|message| !message.hidden).take(most);
            let timed =
                body["MessageSystemAttributeNames"].as_array().is_some_and(|it| it.contains(&"SentTimestamp".into()));
            let messages: Vec<Value> = shown.map(|message| receive(message, timed)).collect();
            json!({ "Messages": messages })
        }
        "DeleteMessageBatch" => {
            let receipts: Vec<&str> = entries.iter().filter_map(|entry| entry["ReceiptHandle"].as_str()).collect();
            let queue = there.queues.get_mut(url).unwrap();
            queue.retain(|message| !receipts.contains(&format!("r-{}", message.id).as_str()));
            json!({ "Successful": successful(entries), "Failed": [] })
        }
        "ChangeMessageVisibilityBatch" => {
            for entry in entries.iter().filter(|entry| entry["VisibilityTimeout"] == 0) {
                let queue = there.queues.get_mut(url).unwrap();
                let of = |message: &&mut Message| entry["ReceiptHandle"] == format!("r-{}", message.id);
                queue.iter_mut().filter(of).for_each(|message| message.hidden = false);
            }
            json!({ "Successful": successful(entries), "Failed": [] })
        }
        other => panic!("nobody said what {other} answers"),
    };
    ok(&answer)
}

fn receive(message: &mut Message, timed: bool) -> Value {
    message.hidden = true;
    let mut told = Map::new();
    told.insert("MessageId".into(), message.id.clone().into());
    told.insert("ReceiptHandle".into(), format!("r-{}", message.id).into());
    told.insert("Body".into(), message.body.clone().into());
    if timed {
        told.insert("Attributes".into(), json!({ "SentTimestamp": message.sent_at.to_string() }));
    }
    if message.attributes.is_object() {
        told.insert("MessageAttributes".into(), message.attributes.clone());
    }
    told.into()
}

fn successful(entries: &[Value]) -> Vec<Value> {
    entries.iter().map(|entry| json!({ "Id": entry["Id"], "MessageId": "m", "MD5OfMessageBody": "" })).collect()
}

fn ok(answer: &Value) -> Response {
    respond(StatusCode::OK, answer, None)
}

fn error(code: &str, message: &str) -> Response {
    respond(StatusCode::BAD_REQUEST, &json!({ "__type": code, "message": message }), Some(code))
}

fn respond(status: StatusCode, answer: &Value, code: Option<&str>) -> Response {
    let response = Response::builder().status(status).header("content-type", "application/x-amz-json-1.0");
    let response = code.into_iter().fold(response, |response, code| response.header("x-amzn-errortype", code));
    response.body(Body::from(answer.to_string())).unwrap()
}
