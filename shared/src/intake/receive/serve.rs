//! One request: verified, kept, sent on, answered; or not, in time for the sender to know.
//!
//! *Invariant*: success is answered only when the receipt is written and the queue has taken its message, in this order.
//! What is kept without a message is harmless; it comes again, and expires.

use super::keys::Keys;
use super::outcome::{NotTaken, Outcome, Response, Told, Unknown};
use super::{Call, Request, read};
use crate::config::ReceiveConfig;
use crate::directory::Deadline;
use crate::event::wire::Assurance;
use crate::failure::{Cause, Failure};
use crate::host::{Host, System};
use crate::intake::parameters::{Parameters, Purpose, Value as Parameter};
use crate::intake::receipt::{Message, Receipt};
use crate::intake::verify::{Jwks, Refused, Scheme, Secrets, verify, verify_jwt};
use crate::intake::{Received, Source};
use crate::queue;
use crate::rules::{self, Loader, NoPolicy, Rules};
use crate::start::{deadline, sdk_loader};
use crate::store::s3::Bucket;
use crate::store::{Store, write_json};
use crate::telemetry::{self, Invoked};
use aws_config::retry::RetryConfig;
use aws_config::timeout::TimeoutConfig;
use futures_util::FutureExt;
use jiff::{SignedDuration, Timestamp};
use lambda_runtime::LambdaEvent;
use serde_json::Value;
use std::panic::AssertUnwindSafe;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

/// The function's timeout in `template.yaml`.
pub const TIMEOUT: SignedDuration = SignedDuration::from_secs(3);

/// How long a request may take here. Okta and Personio wait 3 s, and the answer has a way to go.
const ANSWER_WITHIN: SignedDuration = SignedDuration::from_millis(2500);

/// What is kept free before Lambda's deadline, so that 503 is still answered.
const MARGIN: SignedDuration = SignedDuration::from_millis(300);

/// How long a request waits for another policy: the one in force is good enough.
const POLICY_WITHIN: Duration = Duration::from_millis(500);

/// hr-receive as it stands ready.
#[derive(Debug)]
pub struct Service<S, H> {
    /// Where receipts are kept.
    pub store: S,
    /// The client of the intake queue.
    pub sqs: aws_sdk_sqs::Client,
    /// The URL of the intake queue.
    pub queue_url: String,
    /// The secrets of the sources.
    pub parameters: Parameters,
    /// The keys of the issuer of tokens.
    pub keys: Keys,
    /// The policy's source.
    pub policy: Loader,
    /// The policy in force. Never held across an await.
    pub rules: Mutex<Arc<Rules>>,
    /// Time and chance.
    pub host: H,
}

/// Loads the policy and builds the service.
///
/// # Errors
/// [`NoPolicy`]: without a policy nothing is done.
pub async fn service(config: ReceiveConfig) -> Result<Service<Bucket, System>, NoPolicy> {
    // Two calls one after the other, receipt and message, fit into a request.
    let timeouts = TimeoutConfig::builder()
        .connect_timeout(Duration::from_millis(500))
        .operation_attempt_timeout(Duration::from_millis(800))
        .operation_timeout(Duration::from_millis(1200))
        .build();
    let retries = RetryConfig::standard().with_max_attempts(2).with_initial_backoff(Duration::from_millis(50));
    let sdk = sdk_loader().timeout_config(timeouts).retry_config(retries).load().await;
    let host = System::default();
    let ssm = aws_sdk_ssm::Client::new(&sdk);
    let asked = matches!(config.policy, rules::Source::Parameter(_)).then(|| ssm.clone());
    let policy = Loader::without_events(config.policy, asked, &throwaway(&host));
    let rules = policy.first(host.now()).await?;
    Ok(Service {
        store: Bucket::new(&sdk, config.bucket),
        sqs: aws_sdk_sqs::Client::new(&sdk),
        queue_url: config.queue_url,
        parameters: Parameters::new(ssm, &config.sources),
        keys: Keys::default(),
        policy,
        rules: Mutex::new(Arc::new(rules)),
        host,
    })
}

/// Keys that name nobody. The policy's loader hashes protected people with them, and nothing here asks about people:
/// the function that the world can reach does not hold the person key.
#[expect(clippy::expect_used, reason = "64 digits are longer than the shortest key")]
fn throwaway(host: &impl Host) -> crate::seal::Keys {
    crate::seal::Keys::from_secret(&format!("{:032x}{:032x}", host.random(), host.random())).expect("it is long enough")
}

/// Serves one invocation.
///
/// # Errors
/// Where the event is no request to the function's URL.
pub async fn serve<S: Store, H: Host>(
    service: &Service<S, H>,
    event: LambdaEvent<Value>,
) -> Result<Response, lambda_runtime::Error> {
    let began = service.host.now();
    let request = Request::parse(event.payload)?;
    let told = service.take(&request, deadline(event.context.deadline, began, TIMEOUT)).await;
    told.log(&event.context.request_id);
    telemetry::write(&told.metrics(Invoked::of(&event.context), began));
    Ok(told.response())
}

impl<S: Store, H: Host> Service<S, H> {
    /// Takes a request, or says why not, before the deadline.
    pub async fn take(&self, request: &Request, deadline: Deadline) -> Told {
        let call = match read(request) {
            Ok(call) => call,
            Err(told) => return told,
        };
        let at = self.host.now();
        let left = deadline.instant().duration_since(at).saturating_sub(MARGIN).min(ANSWER_WITHIN);
        let received = Received { body: call.body, headers: &request.headers, at };
        let taken = AssertUnwindSafe(self.verified_and_kept(&call, &received)).catch_unwind();
        let outcome = match tokio::time::timeout(Duration::try_from(left).unwrap_or_default(), taken).await {
            Ok(Ok(Ok(()))) => Outcome::Received(call.thanks),
            Ok(Ok(Err(outcome))) => outcome,
            Ok(Err(_)) => Outcome::NotTaken(NotTaken::Panicked),
            Err(_) => Outcome::NotTaken(NotTaken::OutOfTime),
        };
        Told { source: Some(call.source), outcome }
    }

    async fn verified_and_kept(&self, call: &Call<'_>, received: &Received<'_>) -> Result<(), Outcome> {
        let assurance = match call.scheme {
            Scheme::Bearer | Scheme::Exact | Scheme::Hmac { .. } | Scheme::Finch => self.secret(call, received).await?,
            Scheme::Jwt => self.token(call.source, received).await?,
            Scheme::Unverified => self.unverified(call.source, received.at).await?,
            Scheme::Bus => return Err(refused(Refused::NotByRequest)),
        };
        let receipt = Receipt::new(call.source, assurance, call.user.map(str::to_owned), received);
        let key = receipt.key(&format!("{:032x}", self.host.random()));
        let stored = write_json(&self.store, &key, &receipt).await;
        stored.map_err(|failure| Outcome::NotTaken(NotTaken::Store(failure.trouble)))?;
        let sent = queue::send(&self.sqs, &self.queue_url, Message { receipt: key }.body()).await;
        sent.map_err(|cause| Outcome::NotTaken(NotTaken::Queue(cause)))
    }

    async fn secret(&self, call: &Call<'_>, received: &Received<'_>) -> Result<Assurance, Outcome> {
        // Whoever sends no signature at all costs no look-up.
        match verify(call.scheme, &Secrets::none(), received) {
            Err(Refused::NoSecret) => {}
            other => return other.map_err(refused),
        }
        let check = |parameter: Result<Option<Parameter>, Failure>| match parameter {
            Ok(Some(parameter)) => {
                let secrets = parameter.secrets().map_err(|none| Outcome::NotTaken(NotTaken::Secret(none)))?;
                verify(call.scheme, &secrets, received).map_err(refused)
            }
            Ok(None) => Err(refused(Refused::NoSecret)),
            Err(Failure::Retryable { cause, .. }) => Err(Outcome::NotTaken(NotTaken::Parameter(cause))),
            Err(Failure::Permanent(_)) => Err(Outcome::NotTaken(NotTaken::Parameter(Cause::Unanswered))),
        };
        let kept = check(self.parameters.get(call.source, Purpose::Secret, received.at).await);
        match kept {
            Err(outcome) if another_secret_may_help(&outcome) => {
                check(self.parameters.anew(call.source, Purpose::Secret, received.at).await)
            }
            other => other,
        }
    }

    async fn token(&self, source: Source, received: &Received<'_>) -> Result<Assurance, Outcome> {
        let token = std::str::from_utf8(received.body).map_err(|_| refused(Refused::Malformed("token")))?.trim();
        let rules = self.rules(received.at).await;
        let rule = rules.policy.sources.of(source).and_then(|system| system.tokens.as_ref());
        let rule = rule.ok_or(refused(Refused::NeedsKeys))?;
        let check = |keys: &Jwks| verify_jwt(token, keys, &rule.issuer, &rule.audience, received.at).map(drop);
        // What is no token costs no look-up.
        match check(&Jwks::none()) {
            Err(Refused::UnknownKey) => {}
            other => return other.map(|()| Assurance::SignedJwt).map_err(refused),
        }
        let no_keys = |_| Outcome::NotTaken(NotTaken::Keys);
        let kept = check(&self.keys.get(&rule.keys, received.at).await.map_err(no_keys)?);
        let found = match kept {
            Err(Refused::UnknownKey) => check(&self.keys.anew(&rule.keys, received.at).await.map_err(no_keys)?),
            other => other,
        };
        found.map(|()| Assurance::SignedJwt).map_err(refused)
    }

    async fn unverified(&self, source: Source, now: Timestamp) -> Result<Assurance, Outcome> {
        let rules = self.rules(now).await;
        let accepted = rules.policy.sources.of(source).is_some_and(|system| system.accept_unverified);
        if accepted { Ok(Assurance::None) } else { Err(Outcome::Unknown(Unknown::Unverified)) }
    }

    /// The policy in force; another is looked for once a minute.
    async fn rules(&self, now: Timestamp) -> Arc<Rules> {
        let newer = tokio::time::timeout(POLICY_WITHIN, self.policy.newer(now)).await;
        let mut rules = self.rules.lock().unwrap_or_else(PoisonError::into_inner);
        if let Ok(Some(newer)) = newer {
            *rules = Arc::new(newer);
        }
        Arc::clone(&rules)
    }
}

/// A sender who is refused; or ourselves, who are to blame.
fn refused(refused: Refused) -> Outcome {
    if refused.is_ours() { Outcome::NotTaken(NotTaken::Unverifiable(refused)) } else { Outcome::Refused(refused) }
}

/// Whether what stands in the way may be gone with the secret that is in the parameter by now.
fn another_secret_may_help(outcome: &Outcome) -> bool {
    match outcome {
        Outcome::Refused(refused) | Outcome::NotTaken(NotTaken::Unverifiable(refused)) => {
            matches!(refused, Refused::Wrong | Refused::NoSecret | Refused::UnusableSecret)
        }
        Outcome::NotTaken(NotTaken::Secret(_)) => true,
        Outcome::NotTaken(_)
        | Outcome::Received(_)
        | Outcome::Handshake(_)
        | Outcome::Unknown(_)
        | Outcome::TooLarge => false,
    }
}
