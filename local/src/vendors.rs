//! Local APIs of HR systems: each answers for the people that it is given, as its vendor documents it, on a port of
//! 127.0.0.1 of its own choice. Tokens are checked, and faults strike on command.
//!
//! What the documents do not say is not imitated: the pages are named where the clients are, in `complete/vendor` of the core.

mod bamboohr;
mod gusto;
mod hibob;
mod personio;

use anyhow::{Context, Result};
use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, Uri, header};
use axum::response::Response;
use serde_json::Value;
use std::collections::{BTreeMap, VecDeque};
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::net::TcpListener;

/// Whose API it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Vendor {
    /// `BambooHR`. Token: the API key.
    BambooHr,
    /// `HiBob`. Token: `<id>:<token>` of a service user.
    HiBob,
    /// Gusto. Token: the access token.
    Gusto,
    /// Personio. Token: `<client id>:<client secret>`.
    Personio,
}

/// Whether a person works there.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Standing {
    /// Has a contract, and has not begun.
    Hired,
    /// Works there.
    #[default]
    Employed,
    /// Works there, and is away.
    OnLeave,
    /// Has left.
    Terminated,
}

/// A person as HR keeps them. Dates are `2026-11-30`. A vendor tells what its API has a member for.
#[derive(Clone, Debug, Default)]
pub struct Person {
    /// The vendor's own id.
    pub id: String,
    /// The employee number.
    pub worker_id: Option<String>,
    /// The work address.
    pub email: Option<String>,
    /// Whether the person works there.
    pub standing: Standing,
    /// The first day.
    pub started: Option<String>,
    /// The day of the end.
    pub ends: Option<String>,
    /// The first day of the employment after the end.
    pub rehired: Option<String>,
    /// The department, now.
    pub department: Option<String>,
    /// The location, now.
    pub location: Option<String>,
    /// The members, by the vendor's names, that the token may not read: they are left out without a word.
    pub hidden: Vec<String>,
}

/// A fault that strikes one request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// This status, and no body worth reading.
    Status(u16),
    /// 429 with this `Retry-After`, in seconds.
    RetryAfter(u16),
    /// 302 to `/elsewhere`.
    Redirect,
    /// The answer comes so many milliseconds late.
    Slow(u64),
    /// 200 with something that is no JSON.
    Garbage,
    /// 200 with more JSON than anybody wants: so many bytes.
    Huge(usize),
}

/// A request, as the vendors look at it.
struct Request<'a> {
    method: &'a Method,
    path: Vec<&'a str>,
    query: BTreeMap<String, String>,
    body: &'a [u8],
}

/// What a vendor answers.
struct Answer {
    status: u16,
    body: Value,
}

impl Answer {
    fn ok(body: Value) -> Answer {
        Answer { status: 200, body }
    }

    fn not_found() -> Answer {
        Answer { status: 404, body: Value::Null }
    }
}

/// What a local API knows.
struct Shared {
    vendor: Vendor,
    token: String,
    people: BTreeMap<String, Person>,
    faults: VecDeque<Fault>,
    asked: Vec<String>,
    /// Personio alone: how many access tokens there were. The last one is good.
    issued: u32,
}

type Known = Arc<Mutex<Shared>>;

/// A local API that serves until it is dropped.
#[derive(Debug)]
pub struct LocalVendor {
    address: SocketAddr,
    known: Handle,
    serving: tokio::task::JoinHandle<()>,
}

struct Handle(Known);

impl std::fmt::Debug for Handle {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Handle")
    }
}

impl LocalVendor {
    /// Serves these people to whoever has the token.
    ///
    /// # Errors
    /// Where no port can be bound.
    pub async fn start(vendor: Vendor, token: &str, people: Vec<Person>) -> Result<LocalVendor> {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.context("no port can be bound")?;
        let address = listener.local_addr()?;
        let people = people.into_iter().map(|person| (person.id.clone(), person)).collect();
        let shared =
            Shared { vendor, token: token.to_owned(), people, faults: VecDeque::new(), asked: Vec::new(), issued: 0 };
        let known: Known = Arc::new(Mutex::new(shared));
        let router = Router::new().fallback(serve).with_state(Arc::clone(&known));
        let serving = tokio::spawn(async move {
            // It ends when the handle is dropped.
            let _ended = axum::serve(listener, router).await;
        });
        Ok(LocalVendor { address, known: Handle(known), serving })
    }

    /// Where it answers, for the policy's `sources.systems.<name>.api`.
    #[must_use]
    pub fn endpoint(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Adds a person, or changes one.
    pub fn put(&self, person: Person) {
        lock(&self.known.0).people.insert(person.id.clone(), person);
    }

    /// Removes a person.
    pub fn remove(&self, id: &str) {
        lock(&self.known.0).people.remove(id);
    }

    /// Arms a fault: it strikes one request, after those that were armed before.
    pub fn strike(&self, fault: Fault) {
        lock(&self.known.0).faults.push_back(fault);
    }

    /// Personio alone: access tokens that were given out are good no more.
    pub fn revoke(&self) {
        lock(&self.known.0).issued += 1;
    }

    /// The requests so far: method, path and query.
    #[must_use]
    pub fn asked(&self) -> Vec<String> {
        lock(&self.known.0).asked.clone()
    }
}

impl Drop for LocalVendor {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

fn lock(known: &Known) -> MutexGuard<'_, Shared> {
    known.lock().unwrap_or_else(PoisonError::into_inner)
}

async fn serve(State(known): State<Known>, method: Method, uri: Uri, headers: HeaderMap, body: Bytes) -> Response {
    let fault = {
        let mut known = lock(&known);
        known.asked.push(format!("{method} {uri}"));
        known.faults.pop_front()
    };
    match fault {
        None => {}
        Some(Fault::Slow(millis)) => tokio::time::sleep(Duration::from_millis(millis)).await,
        Some(Fault::Status(status)) => return response(status, Body::from("trouble")),
        Some(Fault::RetryAfter(seconds)) => {
            return with(response(429, Body::empty()), header::RETRY_AFTER, seconds.into());
        }
        Some(Fault::Redirect) => {
            let elsewhere = HeaderValue::from_static("/elsewhere");
            return with(response(302, Body::empty()), header::LOCATION, elsewhere);
        }
        Some(Fault::Garbage) => return response(200, Body::from("<html>")),
        Some(Fault::Huge(bytes)) => return response(200, Body::from(format!("\"{}\"", "x".repeat(bytes)))),
    }
    let authorization = headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let query = uri.query().unwrap_or_default().split('&').filter_map(|pair| pair.split_once('='));
    let request = Request {
        method: &method,
        path: uri.path().split('/').skip(1).collect(),
        query: query.map(|(name, value)| (name.to_owned(), value.replace("%2C", ","))).collect(),
        body: &body,
    };
    let mut known = lock(&known);
    let answer = match known.vendor {
        Vendor::BambooHr => bamboohr::answer(&known, &request, authorization),
        Vendor::HiBob => hibob::answer(&known, &request, authorization),
        Vendor::Gusto => gusto::answer(&known, &request, authorization),
        Vendor::Personio => personio::answer(&mut known, &request, authorization),
    };
    response(answer.status, Body::from(answer.body.to_string()))
}

fn response(status: u16, body: Body) -> Response {
    let mut response = Response::new(body);
    *response.status_mut() = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    with(response, header::CONTENT_TYPE, HeaderValue::from_static("application/json"))
}

fn with(mut response: Response, name: header::HeaderName, value: HeaderValue) -> Response {
    response.headers_mut().insert(name, value);
    response
}

/// HTTP basic authentication, as a header: RFC 7617.
fn basic(user: &str, password: &str) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::from("Basic ");
    for chunk in format!("{user}:{password}").as_bytes().chunks(3) {
        let bits = chunk.iter().fold(0u32, |bits, byte| bits << 8 | u32::from(*byte)) << (8 * (3 - chunk.len()));
        for place in 0..4 {
            let digit = usize::try_from(bits >> (18 - 6 * place) & 63).unwrap_or_default();
            text.push(if place > chunk.len() { '=' } else { char::from(DIGITS[digit]) });
        }
    }
    text
}

fn unauthorized() -> Answer {
    Answer { status: 401, body: Value::Null }
}
