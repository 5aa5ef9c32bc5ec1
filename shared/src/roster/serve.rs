//! roster-load: a file was dropped, or an operator asks for one by hand; it takes force, or it is refused with its line.
//!
//! A roster that is refused is an answer: the function ends well, since a retry would find the same line. What may pass
//! (no answer, no time) fails the invocation, and Lambda tries again.

use super::asked::Asked;
use super::load::{Load, NotLoaded, index};
use super::table::Force;
use super::{Index, Refused, Roster, Shrinkage, Version};
use crate::config::RosterConfig;
use crate::directory::Deadline;
use crate::host::{Host, System};
use crate::rules::{Loader, NoPolicy, Rules, Source};
use crate::start::{POLICY_TIMEOUT, deadline, sdk_config};
use crate::store::s3::Bucket;
use crate::store::{Store, write_json};
use crate::telemetry::{self, Invoked};
use jiff::{SignedDuration, Timestamp};
use lambda_runtime::LambdaEvent;
use serde::Serialize;
use serde_json::Value;
use std::sync::{Arc, Mutex, PoisonError};

/// The function's timeout in `template.yaml`.
pub const TIMEOUT: SignedDuration = SignedDuration::from_secs(900);

/// roster-load as it stands ready.
#[derive(Debug)]
pub struct Service<S, H> {
    /// The name of the bucket that events must be about.
    pub bucket: String,
    /// The objects of that bucket.
    pub store: S,
    /// The roster table.
    pub roster: Roster<H>,
    /// The policy's source.
    pub policy: Loader,
    /// The policy in force. Never held across an await.
    pub rules: Mutex<Arc<Rules>>,
    /// Time and chance.
    pub host: H,
}

/// What became of a roster: the function's answer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "outcome", rename_all = "snake_case")]
pub enum Outcome {
    /// It is in force.
    InForce(Index),
    /// It is refused whole; the one before it stays in force.
    Refused(Refusal),
    /// A later one is in force, which stays.
    Overtaken {
        /// The version of this one.
        version: Version,
    },
    /// It was no file.
    Nothing,
}

/// A refused roster, as `rosters/refused/<version>.json` keeps it. It holds no value of the file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Refusal {
    /// The key of the file.
    pub source: String,
    /// The line, from 1.
    pub line: u64,
    /// The column, where it is about one.
    pub column: Option<&'static str>,
    /// What is wrong.
    pub why: String,
    /// When it was refused.
    pub at: Timestamp,
}

/// Loads the policy and builds the service.
///
/// # Errors
/// [`NoPolicy`]: without a policy nothing is done.
pub async fn service(config: RosterConfig) -> Result<Service<Bucket, System>, NoPolicy> {
    let sdk = sdk_config().await;
    let host = System::default();
    let ssm = matches!(config.policy, Source::Parameter(_)).then(|| aws_sdk_ssm::Client::new(&sdk));
    let policy = Loader::without_events(config.policy, ssm, &config.keys);
    let rules = policy.first(host.now()).await?;
    let dynamo = aws_sdk_dynamodb::Client::new(&sdk);
    Ok(Service {
        store: Bucket::new(&sdk, config.bucket.clone()),
        bucket: config.bucket,
        roster: Roster::new(dynamo, config.table, config.keys, host.clone()),
        policy,
        rules: Mutex::new(Arc::new(rules)),
        host,
    })
}

/// Serves one invocation.
///
/// # Errors
/// What may pass, and an input that is none: Lambda tries again, and then keeps the event in the queue `Undelivered`.
pub async fn serve<S: Store, H: Host>(
    service: &Service<S, H>,
    event: LambdaEvent<Value>,
) -> Result<Outcome, lambda_runtime::Error> {
    let began = service.host.now();
    if let Ok(Some(rules)) = tokio::time::timeout(POLICY_TIMEOUT, service.policy.newer(began)).await {
        *service.rules.lock().unwrap_or_else(PoisonError::into_inner) = Arc::new(rules);
    }
    let deadline = deadline(event.context.deadline, began, TIMEOUT);
    let asked = match Asked::parse(event.payload, &service.bucket) {
        Ok(Some(asked)) => asked,
        Ok(None) => return Ok(Outcome::Nothing),
        Err(error) => {
            tracing::error!("no roster is loaded: {error}");
            return Err(error.into());
        }
    };
    match service.load(&asked, deadline).await {
        Ok(outcome) => {
            report(&outcome, &asked, Invoked::of(&event.context), service.host.now());
            Ok(outcome)
        }
        Err(error) => {
            tracing::error!(roster.source = asked.source, "the roster is not loaded: {error}");
            Err(error.into())
        }
    }
}

impl<S: Store, H: Host> Service<S, H> {
    async fn load(&self, asked: &Asked, deadline: Deadline) -> Result<Outcome, NotLoaded> {
        let now = self.host.now();
        // A retry of an older file's event is still the older file.
        let version = Version::new(asked.at.map_or(now, |at| at.min(now)), now, self.host.random());
        let before = self.roster.current().await?;
        if before.as_ref().is_some_and(|before| before.version > version) {
            return Ok(Outcome::Overtaken { version });
        }
        let percent = {
            let rules = self.rules.lock().unwrap_or_else(PoisonError::into_inner);
            rules.policy.audit.roster_shrinks_at_most
        };
        let rows = before.as_ref().map(|before| before.rows).filter(|_| !asked.allow_shrink);
        let shrinkage = Shrinkage { before: rows, percent };
        let load = Load { from: &self.store, source: &asked.source, version: version.clone(), shrinkage, deadline };
        match index(&load, &self.store, &self.roster.loading(), &self.host).await {
            Ok(index) => match self.roster.take_force(&index, before.as_ref()).await? {
                Force::Taken => Ok(Outcome::InForce(index)),
                Force::Overtaken => Ok(Outcome::Overtaken { version }),
                Force::Contended => Err(NotLoaded::Contended),
            },
            Err(NotLoaded::Refused(refused)) => {
                let refusal = self.refusal(asked, refused);
                write_json(&self.store, &format!("rosters/refused/{version}.json"), &refusal).await?;
                Ok(Outcome::Refused(refusal))
            }
            Err(error) => Err(error),
        }
    }

    fn refusal(&self, asked: &Asked, refused: Refused) -> Refusal {
        let why = refused.why.to_string();
        let at = self.host.now();
        Refusal { source: asked.source.clone(), line: refused.line, column: refused.column, why, at }
    }
}

/// Logs and counts what became of a roster.
fn report(outcome: &Outcome, asked: &Asked, invoked: Invoked<'_>, now: Timestamp) {
    match outcome {
        Outcome::InForce(index) => {
            tracing::info!(
                roster.source = index.source,
                roster.version = index.version.as_str(),
                roster.rows = index.rows,
                roster.without_address = index.without_address,
                "a roster is in force"
            );
        }
        Outcome::Refused(refusal) => {
            tracing::error!(
                roster.source = refusal.source,
                roster.line = refusal.line,
                roster.column = refusal.column,
                "a roster is refused, and the one before it stays in force: {}",
                refusal.why
            );
        }
        Outcome::Overtaken { version } => {
            tracing::warn!(
                roster.source = asked.source,
                roster.version = version.as_str(),
                "a later roster is in force, and stays"
            );
        }
        Outcome::Nothing => {}
    }
    if let Some(line) = metrics(outcome, invoked, now) {
        telemetry::write(&line);
    }
}

/// What is counted of an outcome: one line of metrics, or none.
#[must_use]
pub fn metrics(outcome: &Outcome, invoked: Invoked<'_>, now: Timestamp) -> Option<Value> {
    let counts: &[(&str, u64)] = match outcome {
        Outcome::InForce(index) => &[("RosterLoaded", 1), ("RosterRows", index.rows)],
        Outcome::Refused(_) => &[("RosterRefused", 1)],
        Outcome::Overtaken { .. } | Outcome::Nothing => return None,
    };
    Some(telemetry::counts(invoked, counts, now))
}
