//! license-audit: one step of a run for each invocation, as the state machine asks (`statemachines/license-audit.asl.json`).
//!
//! What may pass fails the invocation with the error type `Retryable`, and the state machine tries again; what will not
//! is a `Permanent` one.

use super::{Audit, AuditFailure, Request, Summary};
use crate::audit::finding::Rule;
use crate::bus::EventBus;
use crate::config::AuditConfig;
use crate::directory::chime::Chime;
use crate::host::{Host, System};
use crate::ledger::Ledger;
use crate::policy::AuditMode;
use crate::roster::Roster;
use crate::rules::{Loader, NoPolicy, Rules, Source};
use crate::start::{POLICY_TIMEOUT, deadline, sdk_config};
use crate::store::s3::Bucket;
use crate::telemetry::{self, Invoked};
use jiff::{SignedDuration, Timestamp};
use lambda_runtime::{Diagnostic, LambdaEvent};
use serde::Deserialize;
use serde_json::{Value, json};
use std::sync::{Arc, Mutex, PoisonError};

/// The function's timeout in `template.yaml`.
pub const TIMEOUT: SignedDuration = SignedDuration::from_secs(900);

/// What is kept free before the deadline: one call with its retries, and what it read has to be written.
const MARGIN: SignedDuration = SignedDuration::from_secs(60);

/// The longest that one slice may take: a state machine shows how far it is.
const SLICE_TIME: SignedDuration = SignedDuration::from_mins(5);

/// What the state machine asks for.
#[derive(Debug, Deserialize)]
#[serde(tag = "task", rename_all = "snake_case", deny_unknown_fields)]
enum Task {
    /// Begin a run.
    Open {
        /// The execution's name.
        execution: String,
        /// When it began.
        started_at: Timestamp,
        /// What the execution was given.
        #[serde(default)]
        input: Input,
    },
    /// Read the next slice of an account.
    Slice { run: String, account: usize },
    /// Give an account up.
    GiveUp { run: String, account: usize },
    /// Decide which listings are believed.
    Check { run: String },
    /// Judge everybody.
    Judge { run: String },
    /// Ask for what is proposed.
    Ask { run: String },
}

/// What an execution may be given. The schedule gives nothing.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Input {
    /// What becomes of what it proposes; absent: as the policy says.
    #[serde(default)]
    mode: Option<AuditMode>,
    /// Keys of usage reports in the bucket.
    #[serde(default)]
    usage: Vec<String>,
}

/// license-audit as it stands ready.
#[derive(Debug)]
pub struct Service {
    audit: Audit<Chime<System>, Bucket, System>,
    roster: Roster<System>,
    ledger: Ledger<System>,
    bus: EventBus<System>,
    policy: Loader,
    rules: Mutex<Arc<Rules>>,
}

/// Loads the policy and builds the service.
///
/// # Errors
/// [`NoPolicy`]: without a policy nothing is done.
pub async fn service(config: AuditConfig) -> Result<Service, NoPolicy> {
    let sdk = sdk_config().await;
    let host = System::default();
    let ssm = matches!(config.policy, Source::Parameter(_)).then(|| aws_sdk_ssm::Client::new(&sdk));
    let policy = Loader::without_events(config.policy, ssm, &config.keys);
    let rules = policy.first(host.now()).await?;
    let dynamo = aws_sdk_dynamodb::Client::new(&sdk);
    let events = aws_sdk_eventbridge::Client::new(&sdk);
    Ok(Service {
        audit: Audit::new(Chime::new(&sdk, host.clone()), Bucket::new(&sdk, config.bucket), host.clone()),
        roster: Roster::new(dynamo.clone(), config.roster_table, config.keys, host.clone()),
        ledger: Ledger::new(dynamo, config.ledger_table, host.clone()),
        bus: EventBus::new(events, config.bus, host),
        policy,
        rules: Mutex::new(Arc::new(rules)),
    })
}

/// Serves one step.
///
/// # Errors
/// A diagnostic of type `Retryable` or `Permanent`, for the state machine. It names no person.
pub async fn serve(service: &Service, event: LambdaEvent<Value>) -> Result<Value, Diagnostic> {
    let began = service.audit.host.now();
    if let Ok(Some(rules)) = tokio::time::timeout(POLICY_TIMEOUT, service.policy.newer(began)).await {
        *service.rules.lock().unwrap_or_else(PoisonError::into_inner) = Arc::new(rules);
    }
    let until = deadline(event.context.deadline, began, TIMEOUT).instant().saturating_sub(MARGIN).unwrap_or(began);
    let task: Task = serde_json::from_value(event.payload).map_err(|error| {
        // serde quotes what it met only where it is a name of ours.
        diagnostic("Permanent", format!("the task cannot be read: {error}"))
    })?;
    service.step(task, until, Invoked::of(&event.context)).await.map_err(|failure| {
        let kind = if failure.is_retryable() { "Retryable" } else { "Permanent" };
        tracing::warn!(retryable = failure.is_retryable(), "a step of the audit failed: {failure}");
        diagnostic(kind, failure.to_string())
    })
}

fn diagnostic(kind: &str, message: String) -> Diagnostic {
    Diagnostic { error_type: kind.to_owned(), error_message: message }
}

impl Service {
    async fn step(&self, task: Task, until: Timestamp, invoked: Invoked<'_>) -> Result<Value, AuditFailure> {
        let rules = Arc::clone(&self.rules.lock().unwrap_or_else(PoisonError::into_inner));
        let policy = &rules.policy;
        match task {
            Task::Open { execution, started_at, input } => {
                let run: String = execution.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '-' }).collect();
                let roster = self.roster.current().await.map_err(AuditFailure::Roster)?;
                let request =
                    Request { run: run.clone(), at: started_at, mode: input.mode, roster, usage: input.usage };
                let accounts = self.audit.open(request).await?;
                let items: Vec<Value> =
                    (0..accounts).map(|account| json!({ "run": run, "account": account })).collect();
                Ok(json!({ "run": run, "accounts": items }))
            }
            Task::Slice { run, account } => {
                let now = self.audit.host.now();
                let until = until.min(now.saturating_add(SLICE_TIME).unwrap_or(now));
                let done = self.audit.slice(&run, account, until).await?;
                Ok(json!({ "done": done }))
            }
            Task::GiveUp { run, account } => {
                self.audit.give_up(&run, account).await?;
                Ok(json!({ "done": true }))
            }
            Task::Check { run } => {
                self.audit.check(&run, policy).await?;
                Ok(json!({ "run": run }))
            }
            Task::Judge { run } => {
                let summary = self.audit.judge(&run, policy).await?;
                if let Some(population) = summary.population() {
                    self.ledger.set_population(&population).await.map_err(AuditFailure::Population)?;
                }
                telemetry::write(&metrics(&summary, invoked, self.audit.host.now()));
                Ok(told(&summary))
            }
            Task::Ask { run } => {
                let progress = self.audit.ask(&run, policy, None, &self.bus, until).await?;
                tracing::info!(audit.run = run, audit.asked = progress.asked, "the audit asked for what it proposes");
                Ok(json!({ "done": progress.done, "asked": progress.asked }))
            }
        }
    }
}

fn incomplete(summary: &Summary) -> u64 {
    summary.accounts.iter().filter(|account| account.incomplete.is_some()).count() as u64
}

fn users(summary: &Summary) -> u64 {
    summary.accounts.iter().map(|account| account.users).sum()
}

/// What is counted of a run: one line of metrics.
#[must_use]
pub fn metrics(summary: &Summary, invoked: Invoked<'_>, now: Timestamp) -> Value {
    let of = |rule: Rule| summary.findings.get(&rule).copied().unwrap_or(0);
    let counts = [
        ("AuditUsers", users(summary)),
        ("AuditFindings", summary.findings.values().sum()),
        ("AuditOrphans", of(Rule::Orphan)),
        ("AuditLicencesAbovePolicy", of(Rule::LicenceAbovePolicy)),
        ("AuditProposals", summary.proposals.values().sum()),
        ("AuditIncompleteAccounts", incomplete(summary)),
    ];
    telemetry::counts(invoked, &counts, now)
}

/// What the state machine publishes: numbers, and where the report is. No personal data.
fn told(summary: &Summary) -> Value {
    let run = &summary.run;
    let proposals: u64 = summary.proposals.values().sum();
    let n = |rule: Rule| summary.findings.get(&rule).copied().unwrap_or(0);
    let message = format!(
        "Licence audit {run}: {} accounts ({} not believed), {} users.\n\
         {} people have left and can still use Chime. {} licences are above the policy. {} findings in all.\n\
         {proposals} changes are proposed.\nThe report is audits/{run}/report.html in the bucket.",
        summary.accounts.len(),
        incomplete(summary),
        users(summary),
        n(Rule::Orphan),
        n(Rule::LicenceAbovePolicy),
        summary.findings.values().sum::<u64>(),
    );
    json!({
        "run": run,
        "mode": summary.mode,
        "proposals": proposals,
        "message": message,
        "completed": {
            "schemaVersion": "1.0",
            "run": run,
            "at": summary.at,
            "mode": summary.mode,
            "accounts": summary.accounts.len(),
            "incompleteAccounts": incomplete(summary),
            "users": users(summary),
            "findings": summary.findings,
            "exempted": summary.exempted,
            "proposals": summary.proposals,
            "report": format!("audits/{run}/report.json"),
        },
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_state_machine_asks_for_steps() {
        let good = [
            json!({ "task": "open", "execution": "x", "started_at": "2026-11-23T03:00:00.123Z", "input": {} }),
            json!({ "task": "open", "execution": "x", "started_at": "2026-11-23T03:00:00Z",
                    "input": { "mode": "enforce", "usage": ["usage/a_20261121.csv"] } }),
            json!({ "task": "slice", "run": "x", "account": 3 }),
            json!({ "task": "give_up", "run": "x", "account": 3 }),
            json!({ "task": "check", "run": "x" }),
            json!({ "task": "judge", "run": "x" }),
            json!({ "task": "ask", "run": "x" }),
        ];
        for task in good {
            serde_json::from_value::<Task>(task.clone()).unwrap_or_else(|error| panic!("{task}: {error}"));
        }
        let wrong =
            json!({ "task": "open", "execution": "x", "started_at": "2026-11-23T03:00:00Z", "input": { "mod": 1 } });
        assert!(serde_json::from_value::<Task>(wrong).is_err(), "a misspelt member is refused");
    }

    /// Every step that the state machine asks for is one that can be read, and every one is asked for.
    #[test]
    fn the_state_machine_and_the_function_speak_of_the_same_steps() {
        let machine: Value =
            serde_json::from_str(include_str!("../../../statemachines/license-audit.asl.json")).unwrap();
        let mut states = vec![&machine["States"]];
        let mut asked = Vec::new();
        while let Some(map) = states.pop() {
            for state in map.as_object().unwrap().values() {
                if let Some(inner) = state.get("ItemProcessor") {
                    states.push(&inner["States"]);
                }
                if state["Resource"] == "${LicenseAuditArn}" {
                    asked.push(state["Parameters"].clone());
                }
            }
        }
        let mut names = Vec::new();
        for parameters in asked {
            let filled = parameters.as_object().unwrap().iter().map(|(name, value)| {
                let sample = match name.as_str() {
                    "execution.$" | "run.$" => json!("x"),
                    "started_at.$" => json!("2026-11-23T03:00:00.123Z"),
                    "input.$" => json!({}),
                    "account.$" => json!(3),
                    _ => value.clone(),
                };
                (name.trim_end_matches(".$").to_owned(), sample)
            });
            let task: serde_json::Map<String, Value> = filled.collect();
            names.push(task["task"].as_str().unwrap().to_owned());
            serde_json::from_value::<Task>(Value::Object(task)).unwrap();
        }
        names.sort();
        assert_eq!(names, ["ask", "check", "give_up", "judge", "open", "slice"]);
    }

    #[test]
    fn what_is_published_is_numbers() {
        let summary = Summary { run: "r-1".to_owned(), ..Summary::default() };
        let told = told(&summary);
        assert_eq!(told["completed"]["report"], "audits/r-1/report.json");
        assert!(told["message"].as_str().is_some_and(|message| !message.contains('@')), "{told}");
    }
}
