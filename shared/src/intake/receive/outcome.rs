//! What becomes of a request: what the sender is answered, what is counted, and what is logged. No value of the request.

use crate::failure::Cause;
use crate::intake::Source;
use crate::intake::handshake::Answer;
use crate::intake::parameters::NoSecret;
use crate::intake::verify::{Refused, Scheme};
use crate::store::Trouble;
use crate::telemetry::{self, Invoked};
use jiff::Timestamp;
use serde::Serialize;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::fmt;
use thiserror::Error;

/// What became of a request, and whose it was.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Told {
    /// The source of the address; `None` where there is no such source.
    pub source: Option<Source>,
    /// What became of it.
    pub outcome: Outcome,
}

/// What became of a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It is kept, and on the queue.
    Received(Thanks),
    /// It was a handshake.
    Handshake(Answer),
    /// Its sender is somebody else.
    Refused(Refused),
    /// Nobody is known who sends this.
    Unknown(Unknown),
    /// It is too large.
    TooLarge,
    /// It is not taken, and that is our fault: it should come again.
    NotTaken(NotTaken),
}

/// How a source wants to hear that its request was taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Thanks {
    /// 200 with an empty object.
    Object,
    /// 204, for a SCIM PATCH: 200 would have to show the whole user (RFC 7644, §3.5.2).
    NoContent,
    /// 202, for a security event token (RFC 8935, §2.2).
    Accepted,
}

/// Why nobody is known who sends this.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum Unknown {
    /// No source has this address.
    #[error("there is no such source")]
    Source,
    /// A source's address, with another method.
    #[error("the method is not allowed here")]
    Method {
        /// Those that are.
        allowed: &'static str,
    },
    /// It says to be base64, and is not.
    #[error("the body cannot be read")]
    Body,
    /// Nobody can say whether it is the source's own.
    #[error("requests of this source cannot be verified, and the policy does not accept them (accept_unverified)")]
    Unverified,
}

/// What of ours stood in the way.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum NotTaken {
    /// What it takes to verify it is not there, or of no use.
    #[error("{0}")]
    Unverifiable(Refused),
    /// The parameter holds no secret.
    #[error("the parameter with the secret of this source {0}")]
    Secret(#[from] NoSecret),
    /// Parameter Store did not tell the secret.
    #[error("the secret of this source cannot be read: {0}")]
    Parameter(Cause),
    /// The issuer's keys are not to be had.
    #[error(
        "the keys of the issuer cannot be read from their address; see sources.systems.risc.tokens.keys of the policy"
    )]
    Keys,
    /// The receipt could not be written.
    #[error("the receipt was not kept: {0}")]
    Store(Trouble),
    /// The queue did not take the message.
    #[error("the intake queue did not take the message: {0}")]
    Queue(Cause),
    /// There was no time left.
    #[error("there was no time left")]
    OutOfTime,
    /// A defect.
    #[error("a panic")]
    Panicked,
}

impl NotTaken {
    /// Whether its source was never set up. Anybody can send to its address, so nobody is woken for it.
    fn is_unconfigured(self) -> bool {
        match self {
            NotTaken::Unverifiable(refused) => matches!(refused, Refused::NoSecret | Refused::NeedsKeys),
            NotTaken::Secret(_)
            | NotTaken::Parameter(_)
            | NotTaken::Keys
            | NotTaken::Store(_)
            | NotTaken::Queue(_)
            | NotTaken::OutOfTime
            | NotTaken::Panicked => false,
        }
    }
}

/// The answer, as a function's URL wants it.
#[derive(Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Response {
    /// The HTTP status.
    pub status_code: u16,
    /// The headers.
    pub headers: BTreeMap<&'static str, &'static str>,
    /// The body.
    pub body: String,
}

/// A handshake's answer holds what the sender asked.
impl fmt::Debug for Response {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Response").field("status_code", &self.status_code).finish_non_exhaustive()
    }
}

impl Response {
    fn empty(status_code: u16) -> Response {
        Response { status_code, headers: BTreeMap::new(), body: String::new() }
    }

    fn json(status_code: u16, body: &Value) -> Response {
        let headers = BTreeMap::from([("content-type", "application/json")]);
        Response { status_code, headers, body: body.to_string() }
    }

    fn with(mut self, name: &'static str, value: &'static str) -> Response {
        self.headers.insert(name, value);
        self
    }
}

impl Told {
    /// What the sender is answered.
    #[must_use]
    pub fn response(&self) -> Response {
        let why = |status, why: &str| Response::json(status, &json!({ "error": why }));
        match &self.outcome {
            Outcome::Received(Thanks::Object) => Response::json(200, &json!({})),
            Outcome::Received(Thanks::NoContent) => Response::empty(204),
            Outcome::Received(Thanks::Accepted) => Response::empty(202),
            Outcome::Handshake(answer) => {
                let headers = BTreeMap::from([("content-type", answer.content_type)]);
                Response { status_code: answer.status, headers, body: answer.body.clone() }
            }
            // RFC 8935, §2.3: 400, the error's code, and words whose language is said.
            Outcome::Refused(refused) if self.sends_tokens() => {
                let body = json!({ "err": set_error(*refused), "description": refused.to_string() });
                Response::json(400, &body).with("content-language", "en")
            }
            Outcome::Refused(refused) => why(401, &refused.to_string()),
            Outcome::Unknown(unknown @ Unknown::Source) => why(404, &unknown.to_string()),
            Outcome::Unknown(unknown @ Unknown::Method { allowed }) => {
                why(405, &unknown.to_string()).with("allow", allowed)
            }
            Outcome::Unknown(unknown @ Unknown::Body) => why(400, &unknown.to_string()),
            Outcome::Unknown(unknown @ Unknown::Unverified) => why(403, &unknown.to_string()),
            Outcome::TooLarge => why(413, "the body is larger than 1 MiB"),
            // What of ours stood in the way is no business of the sender's.
            Outcome::NotTaken(_) => why(503, "it could not be taken; send it again"),
        }
    }

    fn sends_tokens(&self) -> bool {
        self.source.is_some_and(|source| source.scheme() == Scheme::Jwt)
    }

    /// The metric that counts it.
    #[must_use]
    pub fn count(&self) -> &'static str {
        match self.outcome {
            Outcome::Received(_) => "Received",
            Outcome::Handshake(_) => "Handshake",
            Outcome::Refused(_) => "SignatureRefused",
            Outcome::Unknown(_) => "SenderUnknown",
            Outcome::TooLarge => "TooLarge",
            Outcome::NotTaken(ours) if ours.is_unconfigured() => "Unconfigured",
            Outcome::NotTaken(_) => "NotTaken",
        }
    }

    /// One line of metrics.
    #[must_use]
    pub fn metrics(&self, invoked: Invoked<'_>, now: Timestamp) -> Value {
        telemetry::source_counts(invoked, self.name(), &[(self.count(), 1)], now)
    }

    /// Never what a sender wrote: that would be a metric for each wrong address.
    fn name(&self) -> &'static str {
        self.source.map_or("unknown", Source::as_str)
    }

    /// Logs what somebody should look at: source and reason, and no value.
    pub fn log(&self, request_id: &str) {
        let source = self.name();
        match &self.outcome {
            Outcome::Received(_) | Outcome::Handshake(_) => {}
            Outcome::Refused(refused) => {
                tracing::warn!(request.id = request_id, source, "a request is refused: {refused}");
            }
            Outcome::Unknown(unknown) => {
                tracing::info!(request.id = request_id, source, "a request of nobody known: {unknown}");
            }
            Outcome::TooLarge => tracing::warn!(request.id = request_id, source, "a request is larger than 1 MiB"),
            Outcome::NotTaken(ours) if ours.is_unconfigured() => {
                tracing::warn!(request.id = request_id, source, "a request is not taken: {ours}")
            }
            Outcome::NotTaken(ours) => {
                tracing::error!(request.id = request_id, source, "a request is not taken: {ours}")
            }
        }
    }
}

/// The code of RFC 8935, §2.4, for a token that is refused.
fn set_error(refused: Refused) -> &'static str {
    match refused {
        Refused::WrongClaim("iss") => "invalid_issuer",
        Refused::WrongClaim("aud") => "invalid_audience",
        Refused::UnknownKey | Refused::Wrong => "invalid_key",
        Refused::WrongClaim(_)
        | Refused::MissingHeader(_)
        | Refused::Malformed(_)
        | Refused::Stale
        | Refused::FromTheFuture
        | Refused::NoSecret
        | Refused::UnusableSecret
        | Refused::UnusableKeys
        | Refused::NeedsKeys
        | Refused::NotByRequest => "invalid_request",
    }
}
