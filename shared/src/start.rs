//! Wiring: from the environment to a road, once per process, and from an invocation to that road.

use crate::batch::Road;
use crate::config::Config;
use crate::decide::decide;
use crate::directory::chime::Chime;
use crate::directory::{AccountId, CALL_TIMEOUT, Deadline, Directory};
use crate::host::{Host, System};
use crate::ledger::Ledger;
use crate::queue::{Queue, Sqs};
use crate::routes::Function;
use crate::rules::{Loader, NoPolicy, Source};
use crate::telemetry::{self, Invoked};
use aws_config::retry::RetryConfig;
use aws_config::timeout::TimeoutConfig;
use aws_config::{BehaviorVersion, ConfigLoader, SdkConfig};
use aws_lambda_events::event::sqs::{SqsBatchResponse, SqsEvent};
use aws_smithy_http_client::tls::{Provider, rustls_provider::CryptoMode};
use futures_util::FutureExt;
use jiff::{SignedDuration, Timestamp};
use lambda_runtime::LambdaEvent;
use std::collections::BTreeSet;
use std::panic::AssertUnwindSafe;
use std::sync::{Arc, RwLock};
use std::time::Duration;

/// How long an invocation waits for another policy.
pub(crate) const POLICY_TIMEOUT: Duration = Duration::from_secs(1);

/// The functions' timeout in `template.yaml`.
pub(crate) const TIMEOUT: SignedDuration = SignedDuration::from_secs(60);

/// The SDK's configuration from the environment.
pub async fn sdk_config() -> SdkConfig {
    sdk_loader().load().await
}

/// What every SDK configuration begins with: one HTTP and TLS stack, bounded calls, standard retries.
#[must_use]
pub fn sdk_loader() -> ConfigLoader {
    // TLS on ring: its first random number costs microseconds, aws-lc's jitter entropy 25 to 65 ms of CPU.
    let http = aws_smithy_http_client::Builder::new().tls_provider(Provider::Rustls(CryptoMode::Ring)).build_https();
    aws_config::defaults(BehaviorVersion::v2026_01_12())
        .http_client(http)
        .timeout_config(timeouts())
        .retry_config(retries())
}

/// How long a call may take. The simulator's clients have the same.
#[must_use]
pub fn timeouts() -> TimeoutConfig {
    TimeoutConfig::builder()
        .connect_timeout(Duration::from_secs(2))
        .operation_attempt_timeout(Duration::from_millis(3500))
        .operation_timeout(CALL_TIMEOUT)
        .build()
}

/// How often the SDK sends a call. The simulator's clients do the same.
#[must_use]
pub fn retries() -> RetryConfig {
    RetryConfig::standard().with_max_attempts(3)
}

/// A function as it stands ready: its road, and where its policy comes from.
#[derive(Debug)]
pub struct Service<D, Q, H> {
    /// The road.
    pub road: Road<D, Q, H>,
    /// The policy's source.
    pub policy: Loader,
}

/// A function on AWS.
pub type AwsService = Service<Chime<System>, Sqs, System>;

/// Loads the policy, builds the road and opens its connections: initialisation has a full processor, the first event
/// may not.
///
/// # Errors
/// [`NoPolicy`]: without a policy nothing is done.
pub async fn service(function: Function, config: Config) -> Result<AwsService, NoPolicy> {
    let sdk = sdk_config().await;
    let host = System::default();
    let ssm = matches!(config.policy, Source::Parameter(_)).then(|| aws_sdk_ssm::Client::new(&sdk));
    let policy = Loader::new(config.policy, ssm, function, config.mode, &config.keys);
    let rules = policy.first(host.now()).await?;
    let accounts: BTreeSet<AccountId> = rules.policy.accounts.iter().map(|rule| rule.account.clone()).collect();
    let road = Road {
        function,
        directory: Chime::new(&sdk, host.clone()),
        ledger: Ledger::new(aws_sdk_dynamodb::Client::new(&sdk), config.table, host.clone()),
        queue: Sqs::new(aws_sdk_sqs::Client::new(&sdk), config.queue_url, config.dlq_url),
        host,
        rules: RwLock::new(Arc::new(rules)),
        keys: config.keys,
        decide,
    };
    let both = futures_util::future::join(road.directory.warm_up(&accounts), road.ledger.warm_up(function));
    // A service that does not answer now is asked again when an event needs it.
    let _answered = tokio::time::timeout(CALL_TIMEOUT, both).await;
    Ok(Service { road, policy })
}

/// Serves one invocation. A panic outside a record's own code fails the batch, not the environment.
///
/// # Errors
/// None that is expected: every message is settled or reported.
pub async fn serve<D, Q, H>(
    service: &Service<D, Q, H>,
    event: LambdaEvent<SqsEvent>,
) -> Result<SqsBatchResponse, lambda_runtime::Error>
where
    D: Directory,
    Q: Queue,
    H: Host + Clone,
{
    let road = &service.road;
    let began = road.host.now();
    // Nobody waits long for a policy: the one in force is good enough.
    if let Ok(Some(rules)) = tokio::time::timeout(POLICY_TIMEOUT, service.policy.newer(began)).await {
        road.set_rules(rules);
    }
    let deadline = deadline(event.context.deadline, began, TIMEOUT);
    let handled = AssertUnwindSafe(road.handle(event.payload, deadline)).catch_unwind().await;
    let report = handled.map_err(|_| "a panic: the whole batch comes again")?;
    let now = road.host.now();
    let took = Duration::try_from(now.duration_since(began)).unwrap_or_default();
    telemetry::report(Invoked::of(&event.context), &report, took, now);
    Ok(report.response)
}

/// The deadline of an invocation that began at an instant, in a function with this timeout.
pub(crate) fn deadline(told: u64, began: Timestamp, timeout: SignedDuration) -> Deadline {
    let told = i64::try_from(told).ok().and_then(|at| Timestamp::from_millisecond(at).ok());
    // Lambda's deadline lies ahead. `cargo lambda watch` sends a constant of 1970 instead: then the template's timeout holds.
    Deadline::at(told.filter(|at| *at > began).unwrap_or_else(|| began.saturating_add(timeout).unwrap_or(began)))
}
