//! hr-reconcile: one pass for each invocation, as its schedule asks, or an operator by hand.
//!
//! A pass without a roster that can be believed is an answer, told as an error and counted: a retry would find the same.
//! What may pass fails the invocation, and Lambda tries again.

use super::{Outcome, Reconcile, Summary};
use crate::bus::{Bus, EventBus};
use crate::config::ReconcileConfig;
use crate::host::{Host, System};
use crate::ledger::Ledger;
use crate::roster::Roster;
use crate::rules::{Loader, NoPolicy, Rules, Source};
use crate::start::{POLICY_TIMEOUT, deadline, sdk_config};
use crate::store::Store;
use crate::store::s3::Bucket;
use crate::telemetry::{self, Invoked};
use jiff::{SignedDuration, Timestamp};
use lambda_runtime::LambdaEvent;
use serde_json::Value;
use std::sync::{Arc, Mutex, PoisonError};

/// The function's timeout in `template.yaml`.
pub const TIMEOUT: SignedDuration = SignedDuration::from_secs(900);

/// hr-reconcile as it stands ready.
#[derive(Debug)]
pub struct Service<S, B, H> {
    /// What a pass reads and writes.
    pub reconcile: Reconcile<S, B, H>,
    /// The policy's source.
    pub policy: Loader,
    /// The policy in force. Never held across an await.
    pub rules: Mutex<Arc<Rules>>,
}

/// The service on AWS.
pub type AwsService = Service<Bucket, EventBus<System>, System>;

/// Loads the policy and builds the service.
///
/// # Errors
/// [`NoPolicy`]: without a policy nothing is done.
pub async fn service(config: ReconcileConfig) -> Result<AwsService, NoPolicy> {
    let sdk = sdk_config().await;
    let host = System::default();
    let ssm = matches!(config.policy, Source::Parameter(_)).then(|| aws_sdk_ssm::Client::new(&sdk));
    let policy = Loader::without_events(config.policy, ssm, &config.keys);
    let rules = policy.first(host.now()).await?;
    let dynamo = aws_sdk_dynamodb::Client::new(&sdk);
    let reconcile = Reconcile {
        roster: Roster::new(dynamo.clone(), config.roster_table, config.keys.clone(), host.clone()),
        ledger: Ledger::new(dynamo, config.ledger_table, host.clone()),
        store: Bucket::new(&sdk, config.bucket),
        bus: EventBus::new(aws_sdk_eventbridge::Client::new(&sdk), config.bus, host.clone()),
        keys: config.keys,
        host,
    };
    Ok(Service { reconcile, policy, rules: Mutex::new(Arc::new(rules)) })
}

/// Serves one invocation. What it was invoked with does not matter.
///
/// # Errors
/// What may pass: Lambda tries again, and then keeps the event in the queue `Undelivered`.
pub async fn serve<S: Store, B: Bus, H: Host>(
    service: &Service<S, B, H>,
    event: LambdaEvent<Value>,
) -> Result<Summary, lambda_runtime::Error> {
    let host = &service.reconcile.host;
    let began = host.now();
    if let Ok(Some(rules)) = tokio::time::timeout(POLICY_TIMEOUT, service.policy.newer(began)).await {
        *service.rules.lock().unwrap_or_else(PoisonError::into_inner) = Arc::new(rules);
    }
    let rules = Arc::clone(&service.rules.lock().unwrap_or_else(PoisonError::into_inner));
    let deadline = deadline(event.context.deadline, began, TIMEOUT);
    match service.reconcile.pass(&rules.policy, deadline).await {
        Ok(summary) => {
            report(&summary);
            telemetry::write(&metrics(&summary, Invoked::of(&event.context), host.now()));
            Ok(summary)
        }
        Err(error) => {
            tracing::error!("the reconcile pass failed, and is tried again: {error}");
            Err(error.into())
        }
    }
}

fn report(summary: &Summary) {
    match summary.outcome {
        Outcome::Done => tracing::info!(
            roster.leavers = summary.leavers,
            missed = summary.missed,
            restored = summary.restored,
            contradicted = summary.contradicted,
            unreached = summary.unreached,
            "the reconcile pass is done"
        ),
        Outcome::OutOfTime => tracing::warn!(
            roster.leavers = summary.leavers,
            missed = summary.missed,
            taken = summary.taken,
            restored = summary.restored,
            "the reconcile pass ran out of time after so many; the next begins anew, and asks under the same ids"
        ),
        Outcome::NoRoster => {
            tracing::error!("nothing is reconciled: no roster is in force; drop one in the bucket, under roster/");
        }
        Outcome::RosterTooOld => tracing::error!(
            "nothing is reconciled: the roster is older than audit.roster_max_age; drop a new one in the bucket"
        ),
    }
    if summary.deferred > 0 {
        tracing::warn!(deferred = summary.deferred, "more leavers were missed than one pass asks for");
    }
}

/// What is counted of a pass: one line of metrics.
#[must_use]
pub fn metrics(summary: &Summary, invoked: Invoked<'_>, now: Timestamp) -> Value {
    let unusable = match summary.outcome {
        Outcome::Done | Outcome::OutOfTime => 0,
        Outcome::NoRoster | Outcome::RosterTooOld => 1,
    };
    let counts = [
        ("Missed", summary.missed),
        ("Deferred", summary.deferred),
        ("Undated", summary.undated),
        ("Restored", summary.restored),
        ("Contradicted", summary.contradicted),
        ("Unreached", summary.unreached),
        ("RosterUnusable", unusable),
    ];
    telemetry::counts(invoked, &counts, now)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_told_is_numbers_and_a_roster_that_is_not_believed_is_counted() {
        let summary = Summary { missed: 3, restored: 2, contradicted: 1, unreached: 4, ..Summary::default() };
        let invoked = Invoked { function: "f", request_id: "r-1" };
        let line = metrics(&summary, invoked, Timestamp::UNIX_EPOCH);
        let of = |name: &str| line[name].as_u64();
        assert_eq!(
            [of("Missed"), of("Restored"), of("Contradicted"), of("Unreached")],
            [Some(3), Some(2), Some(1), Some(4)]
        );
        assert_eq!(of("RosterUnusable"), Some(0));
        for outcome in [Outcome::NoRoster, Outcome::RosterTooOld] {
            let line = metrics(&Summary { outcome, ..Summary::default() }, invoked, Timestamp::UNIX_EPOCH);
            assert_eq!(line["RosterUnusable"], 1);
        }
        let told = serde_json::to_value(&summary).unwrap();
        let members = told.as_object().unwrap().iter().filter(|(name, _)| *name != "outcome");
        assert!(members.into_iter().all(|(_, value)| value.is_u64()), "{told}");
    }
}
