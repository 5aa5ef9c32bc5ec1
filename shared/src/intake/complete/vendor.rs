//! The senders' own APIs: one person as the vendor has them now. One module a vendor, with the pages that its paths and
//! fields are from; what nobody documents is not read.
//!
//! Bounds: 5 seconds for a person, however many requests that takes; 1 MiB an answer; no redirects; one retry, of 429 and
//! 5xx. *Invariant*: neither tokens nor what an API says of a person are in a log or an error.

mod bamboohr;
mod gusto;
mod hibob;
mod personio;

use super::gather::Token;
use crate::failure::{Cause, Failure};
use crate::host::Host;
use crate::intake::Source;
use crate::person::{Job, WorkEmail, WorkerId};
use crate::policy::SystemRule;
use crate::roster::{Leave, Status};
use jiff::civil::Date;
use jiff::tz::TimeZone;
use reqwest::{RequestBuilder, Response, StatusCode, Url, header};
use serde_json::Value;
use std::fmt;
use std::sync::Mutex;
use std::time::Duration;
use thiserror::Error;

/// How long one person may take, all requests and waits together.
pub const LIMIT: Duration = Duration::from_secs(5);

/// The largest answer that is read, in bytes.
pub const ANSWER_LIMIT: usize = 1024 * 1024;

/// How long a connection may take.
const CONNECT: Duration = Duration::from_secs(2);

/// The wait before the retry where the vendor names none.
const WAIT: Duration = Duration::from_millis(200);

/// The longest wait that a vendor may ask for within the limit; longer ones are the queue's.
const LONGEST_WAIT: Duration = Duration::from_secs(2);

/// A person as the sender's own API has them: a row of the roster, as far as it goes.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Employee {
    /// HR's employee number.
    pub worker_id: Option<WorkerId>,
    /// The work address.
    pub email: Option<WorkEmail>,
    /// The time zone of the place of work, by its IANA name.
    pub time_zone: Option<String>,
    /// Whether the person works there.
    pub status: Option<Status>,
    /// The first day.
    pub started: Option<Date>,
    /// The day of the end; whether that is the last day is the policy's `end_date`.
    pub ends: Option<Date>,
    /// The answer spoke of the end, be it to say that there is none. A token that may not read it gets no such member.
    pub tells_end: bool,
    /// A leave that is under way or agreed.
    pub leave: Option<Leave>,
    /// What the person does.
    pub job: Job,
}

/// It is a person.
impl fmt::Debug for Employee {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Employee").field("status", &self.status).finish_non_exhaustive()
    }
}

/// The APIs of all vendors that have one here.
pub struct Vendors<H> {
    http: reqwest::Client,
    host: H,
    // Never held across an await.
    personio: Mutex<Option<personio::Access>>,
}

impl<H> fmt::Debug for Vendors<H> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Vendors")
    }
}

/// No HTTP client can be built: TLS has no roots here.
#[derive(Debug, Error)]
#[error("no HTTP client can be built: {0}")]
pub struct NoClient(#[from] reqwest::Error);

/// A vendor whose API is asked.
#[derive(Clone, Copy)]
pub(super) enum Vendor {
    BambooHr,
    HiBob,
    Gusto,
    Personio,
}

impl Vendor {
    /// The vendor of a source; `None` where its API is not asked.
    pub(super) fn of(source: Source) -> Option<Vendor> {
        match source {
            Source::BambooHr => Some(Vendor::BambooHr),
            Source::HiBob => Some(Vendor::HiBob),
            Source::Gusto => Some(Vendor::Gusto),
            Source::Personio => Some(Vendor::Personio),
            Source::Canonical
            | Source::CloudEvents
            | Source::Okta
            | Source::Finch
            | Source::Scim
            | Source::Auth0
            | Source::OneLogin
            | Source::Greenhouse
            | Source::Adp
            | Source::SuccessFactors
            | Source::Ukg
            | Source::Entra
            | Source::SailPoint
            | Source::Merge
            | Source::Deel
            | Source::Risc
            | Source::Health
            | Source::IdentityCenter => None,
        }
    }
}

/// What a request to a vendor comes to.
enum Heard {
    /// An answer.
    Answer(Value),
    /// 404: the vendor has nobody by that id.
    Nobody,
}

impl<H: Host> Vendors<H> {
    /// The client of all vendors. One for a process: it keeps its connections.
    ///
    /// # Errors
    /// [`NoClient`].
    pub fn new(host: H) -> Result<Vendors<H>, NoClient> {
        // TLS is ring's, as the AWS SDK's is. Somebody may have said so already.
        let _known = rustls::crypto::ring::default_provider().install_default();
        let http = reqwest::Client::builder()
            .redirect(reqwest::redirect::Policy::none())
            .connect_timeout(CONNECT)
            .timeout(LIMIT)
            .build()?;
        Ok(Vendors { http, host, personio: Mutex::new(None) })
    }

    /// One person by the vendor's own id. `None` where the vendor has nobody by it, has no API here, or no address of its
    /// own and the policy names none.
    ///
    /// # Errors
    /// [`Failure::Retryable`]: [`Cause::Throttled`], [`Cause::TokenRefused`] (401, 403), or [`Cause::Unanswered`] for
    /// everything else that is no answer.
    pub async fn employee(
        &self,
        source: Source,
        rule: Option<&SystemRule>,
        token: &Token,
        id: &str,
    ) -> Result<Option<Employee>, Failure> {
        let Some(vendor) = Vendor::of(source) else { return Ok(None) };
        let own = match vendor {
            Vendor::BambooHr => None,
            Vendor::HiBob => Some(hibob::ADDRESS),
            Vendor::Gusto => Some(gusto::ADDRESS),
            Vendor::Personio => Some(personio::ADDRESS),
        };
        let address = rule.and_then(|rule| rule.api.as_deref()).or(own);
        let address = address.and_then(|address| Url::parse(address).ok());
        // Vendors' ids are numbers and UUIDs. Anything else could be another path.
        let plain = !id.is_empty() && id.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
        let Some(address) = address.filter(|_| plain) else { return Ok(None) };
        let ask = async {
            match vendor {
                Vendor::BambooHr => bamboohr::employee(self, &address, token, id).await,
                Vendor::HiBob => hibob::employee(self, &address, token, id).await,
                Vendor::Gusto => gusto::employee(self, &address, token, id).await,
                Vendor::Personio => personio::employee(self, &address, token, id).await,
            }
        };
        tokio::time::timeout(LIMIT, ask).await.unwrap_or(Err(Failure::retryable(Cause::Unanswered)))
    }

    fn today(&self) -> Date {
        self.host.now().to_zoned(TimeZone::UTC).date()
    }

    /// Sends a request, and once more where the vendor says 429 or 5xx.
    async fn ask(&self, source: Source, request: impl Fn() -> RequestBuilder) -> Result<Heard, Failure> {
        let first = request().send().await.map_err(|_| Failure::retryable(Cause::Unanswered))?;
        let Some(cause) = passing(first.status()) else { return self.heard(source, first).await };
        let wait = retry_after(&first).unwrap_or(WAIT);
        if wait > LONGEST_WAIT {
            return Err(Failure::Retryable { cause, after: Some(wait) });
        }
        self.host.sleep(wait).await;
        let second = request().send().await.map_err(|_| Failure::retryable(Cause::Unanswered))?;
        match passing(second.status()) {
            Some(cause) => Err(Failure::Retryable { cause, after: retry_after(&second) }),
            None => self.heard(source, second).await,
        }
    }

    async fn heard(&self, source: Source, mut response: Response) -> Result<Heard, Failure> {
        let status = response.status();
        match status {
            StatusCode::NOT_FOUND => return Ok(Heard::Nobody),
            StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => {
                let (source, status) = (source.as_str(), status.as_u16());
                tracing::error!(source, status, "the sender's API refuses the token: renew it, or let it read people");
                return Err(Failure::retryable(Cause::TokenRefused));
            }
            _ if !status.is_success() => {
                let (source, status) = (source.as_str(), status.as_u16());
                tracing::error!(
                    source,
                    status,
                    "the sender's API refuses the request: is its address in the policy right?"
                );
                return Err(Failure::retryable(Cause::Unanswered));
            }
            _ => {}
        }
        let unanswered = || Failure::retryable(Cause::Unanswered);
        let mut body = Vec::new();
        while let Some(chunk) = response.chunk().await.map_err(|_| unanswered())? {
            if body.len() + chunk.len() > ANSWER_LIMIT {
                return Err(unanswered());
            }
            body.extend_from_slice(&chunk);
        }
        serde_json::from_slice(&body).map(Heard::Answer).map_err(|_| unanswered())
    }
}

/// A status that may pass.
fn passing(status: StatusCode) -> Option<Cause> {
    match status {
        StatusCode::TOO_MANY_REQUESTS => Some(Cause::Throttled),
        status if status.is_server_error() => Some(Cause::Unanswered),
        _ => None,
    }
}

/// The wait that the vendor asks for, in seconds; a date is not read. At most a quarter of an hour.
fn retry_after(response: &Response) -> Option<Duration> {
    let seconds: u64 = response.headers().get(header::RETRY_AFTER)?.to_str().ok()?.trim().parse().ok()?;
    Some(Duration::from_secs(seconds.min(900)))
}

/// An address below another, each part escaped.
fn below(address: &Url, parts: &[&str]) -> Url {
    let mut url = address.clone();
    if let Ok(mut path) = url.path_segments_mut() {
        path.pop_if_empty().extend(parts);
    }
    url
}

/// A text, or a number as text; nothing where it is empty.
fn text(value: Option<&Value>) -> Option<String> {
    let text = match value? {
        Value::String(text) => text.trim().to_owned(),
        Value::Number(number) => number.to_string(),
        Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => return None,
    };
    (!text.is_empty()).then_some(text)
}

/// The day of `2026-11-30`, or of a time that begins so. Vendors write "no date" as nothing, null or `0000-00-00`.
fn date(value: Option<&Value>) -> Option<Date> {
    let text = text(value)?;
    let day = text.split_once(['T', ' ']).map_or(text.as_str(), |(day, _)| day);
    (day.len() == "2026-11-30".len()).then(|| day.parse().ok()).flatten()
}

fn worker(value: Option<&Value>) -> Option<WorkerId> {
    WorkerId::parse(&text(value)?).ok()
}

fn email(value: Option<&Value>) -> Option<WorkEmail> {
    WorkEmail::parse(&text(value)?).ok()
}
