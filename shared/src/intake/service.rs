//! Wiring of hr-intake: from the environment to an [`Intake`], once per process, and from an invocation to it.

use super::complete::{Token, Tokens, Vendors};
use super::parameters::{Parameters, Purpose};
use super::serve::{Handled, Intake};
use super::silence::Noted;
use super::wake::{Clock, Scheduler};
use crate::batch::Road;
use crate::bus::{Bus, EventBus};
use crate::config::IntakeConfig;
use crate::decide::decide;
use crate::directory::nobody::Nobody;
use crate::failure::Failure;
use crate::host::{Host, System};
use crate::ledger::Ledger;
use crate::queue::{Queue, Sqs};
use crate::roster::Roster;
use crate::routes::Function;
use crate::rules::{Loader, Source};
use crate::start::{POLICY_TIMEOUT, TIMEOUT, deadline, sdk_config};
use crate::store::Store;
use crate::store::s3::Bucket;
use crate::telemetry::{self, Invoked};
use aws_lambda_events::event::sqs::{SqsBatchResponse, SqsEvent};
use futures_util::FutureExt;
use lambda_runtime::LambdaEvent;
use std::panic::AssertUnwindSafe;
use std::sync::{Arc, RwLock};
use std::time::Duration;

/// hr-intake as it stands ready.
#[derive(Debug)]
pub struct Service<Q, B, C, S, T, H> {
    /// What it does.
    pub intake: Intake<Q, B, C, S, T, H>,
    /// The policy's source.
    pub policy: Loader,
}

/// hr-intake on AWS.
pub type AwsService = Service<Sqs, EventBus<System>, Scheduler, Bucket, SourceTokens<System>, System>;

/// Tokens of vendors' APIs, as Systems Manager keeps them.
#[derive(Debug)]
pub struct SourceTokens<H> {
    /// The parameters.
    pub parameters: Parameters,
    /// Time.
    pub host: H,
}

impl<H: Host> Tokens for SourceTokens<H> {
    async fn token(&self, source: super::Source) -> Result<Option<Token>, Failure> {
        let value = self.parameters.get(source, Purpose::Token, self.host.now()).await?;
        Ok(value.map(|value| Token::new(value.expose())))
    }
}

/// Loads the policy and builds the service.
///
/// # Errors
/// Without a policy nothing is done; without root certificates no vendor is asked.
pub async fn service(config: IntakeConfig) -> Result<AwsService, lambda_runtime::Error> {
    let sdk = sdk_config().await;
    let host = System::default();
    let road = config.road;
    let ssm = matches!(road.policy, Source::Parameter(_)).then(|| aws_sdk_ssm::Client::new(&sdk));
    let policy = Loader::new(road.policy, ssm, Function::HrIntake, road.mode, &road.keys);
    let rules = policy.first(host.now()).await?;
    let dynamo = aws_sdk_dynamodb::Client::new(&sdk);
    let intake = Intake {
        roster: Roster::new(dynamo.clone(), config.roster_table, road.keys.clone(), host.clone()),
        bus: EventBus::new(aws_sdk_eventbridge::Client::new(&sdk), config.bus, host.clone()),
        clock: Scheduler::new(aws_sdk_scheduler::Client::new(&sdk), config.places),
        store: Bucket::new(&sdk, config.bucket),
        vendors: Vendors::new(host.clone())?,
        tokens: SourceTokens {
            parameters: Parameters::new(aws_sdk_ssm::Client::new(&sdk), &config.sources),
            host: host.clone(),
        },
        noted: Noted::default(),
        road: Road {
            function: Function::HrIntake,
            directory: Nobody,
            ledger: Ledger::new(dynamo, road.table, host.clone()),
            queue: Sqs::new(aws_sdk_sqs::Client::new(&sdk), road.queue_url, road.dlq_url),
            host,
            rules: RwLock::new(Arc::new(rules)),
            keys: road.keys,
            decide,
        },
    };
    Ok(Service { intake, policy })
}

/// Serves one invocation. A panic fails the batch, not the environment.
///
/// # Errors
/// None that is expected: every message is done or reported.
pub async fn serve<Q, B, C, S, T, H>(
    service: &Service<Q, B, C, S, T, H>,
    event: LambdaEvent<SqsEvent>,
) -> Result<SqsBatchResponse, lambda_runtime::Error>
where
    Q: Queue,
    B: Bus,
    C: Clock,
    S: Store,
    T: Tokens,
    H: Host + Clone,
{
    let road = &service.intake.road;
    let began = road.host.now();
    if let Ok(Some(rules)) = tokio::time::timeout(POLICY_TIMEOUT, service.policy.newer(began)).await {
        road.set_rules(rules);
    }
    let deadline = deadline(event.context.deadline, began, TIMEOUT);
    let handled = AssertUnwindSafe(service.intake.handle(event.payload, deadline)).catch_unwind().await;
    let Handled { response, road: report, tally } = handled.map_err(|_| "a panic: the whole batch comes again")?;
    let now = road.host.now();
    let took = Duration::try_from(now.duration_since(began)).unwrap_or_default();
    let invoked = Invoked::of(&event.context);
    telemetry::report(invoked, &report, took, now);
    telemetry::write(&tally.metrics(invoked, now));
    if let Some(gauges) = &tally.gauges {
        telemetry::write(&gauges.metrics(invoked, now));
    }
    Ok(response)
}
