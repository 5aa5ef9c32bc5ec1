//! Logs and metrics: one JSON line an event, one EMF line a batch. No personal data, whatever the level.

use crate::batch::{BatchReport, EventReport, Told};
use crate::decide::Reason;
use crate::failure::Cause;
use crate::outcome::Why;
use jiff::Timestamp;
use lambda_runtime::Context;
use serde_json::{Value, json};
use std::io::Write;
use std::time::Duration;
use tracing::Level;
use tracing_subscriber::filter::Targets;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;

/// The most values of one metric in one EMF line. Source: CloudWatch's embedded metric format.
const EMF_VALUES: usize = 100;

/// Logs as JSON on standard output, and panics by their place only: a panic's message may quote what it met.
///
/// Only Rollcall's own events are written: the SDK's, at lower levels, hold whole requests.
pub fn init() {
    let own = Targets::new().with_target("rollcall", Level::INFO);
    let lines =
        tracing_subscriber::fmt::layer().json().flatten_event(true).with_current_span(false).with_span_list(false);
    let _already_set = tracing_subscriber::registry().with(own).with(lines).try_init();
    std::panic::set_hook(Box::new(|panic| {
        let place = panic.location().map(ToString::to_string).unwrap_or_default();
        tracing::error!(panic.location = place, "a panic: this is a defect of Rollcall");
    }));
}

/// What a line of metrics is about: one invocation of one function.
#[derive(Clone, Copy, Debug)]
pub struct Invoked<'a> {
    /// The function's name in Lambda, `<stack>-suspend-user` for example: the dimension `function`. It has the stack in it,
    /// so that two stacks in one account and Region do not raise each other's alarms.
    pub function: &'a str,
    /// The request's id, to find the invocation in the log.
    pub request_id: &'a str,
}

impl<'a> Invoked<'a> {
    /// As Lambda tells it.
    #[must_use]
    pub fn of(context: &'a Context) -> Invoked<'a> {
        Invoked { function: &context.env_config.function_name, request_id: &context.request_id }
    }
}

/// Writes what happened to a batch.
pub fn report(invoked: Invoked<'_>, report: &BatchReport, took: Duration, now: Timestamp) {
    let duration_ms = u64::try_from(took.as_millis()).unwrap_or(u64::MAX);
    for event in &report.events {
        log(event, invoked.request_id, duration_ms);
    }
    write(&metrics(invoked, report, took, now));
}

/// Writes a line of metrics. CloudWatch reads them from the log itself, so they go beside it, as they are.
pub(crate) fn write(line: &Value) {
    let _closed = writeln!(std::io::stdout().lock(), "{line}");
}

/// One line of CloudWatch's embedded metric format with these counts.
pub(crate) fn counts(invoked: Invoked<'_>, counts: &[(&str, u64)], now: Timestamp) -> Value {
    let metrics: Vec<Value> = counts.iter().map(|(name, _)| json!({ "Name": name, "Unit": "Count" })).collect();
    let mut line = line(invoked, &metrics, now);
    for (name, count) in counts {
        line[name] = json!(count);
    }
    line
}

/// One line of CloudWatch's embedded metric format with these metrics, and no values yet.
pub(crate) fn line(invoked: Invoked<'_>, metrics: &[Value], now: Timestamp) -> Value {
    json!({
        "_aws": {
            "Timestamp": now.as_millisecond(),
            "CloudWatchMetrics": [{ "Namespace": "Rollcall", "Dimensions": [["function"]], "Metrics": metrics }],
        },
        "function": invoked.function,
        "request.id": invoked.request_id,
    })
}

/// The same for each source by itself, and for all together: an alarm watches one metric, not 22.
pub(crate) fn source_counts(invoked: Invoked<'_>, source: &str, counted: &[(&str, u64)], now: Timestamp) -> Value {
    let mut line = counts(invoked, counted, now);
    line["_aws"]["CloudWatchMetrics"][0]["Dimensions"] = json!([["function", "source"], ["function"]]);
    line["source"] = json!(source);
    line
}

fn log(event: &EventReport, request_id: &str, duration_ms: u64) {
    let line = Line::of(event);
    let (outcome, reason) = (line.outcome, line.reason.as_str());
    tracing::info!(
        request.id = request_id,
        event.id = event.event_key,
        event.r#type = event.detail_type,
        person = event.person.as_ref().map(crate::person::PersonKey::as_str),
        outcome,
        reason,
        messages = event.messages.len(),
        duration_ms,
        confirmed_after_ms = event.confirmed_after.map(|after| u64::try_from(after.as_millis()).unwrap_or(u64::MAX)),
        "{}",
        line.message
    );
}

/// The words of one log line.
struct Line {
    outcome: &'static str,
    reason: String,
    message: String,
}

impl Line {
    fn of(event: &EventReport) -> Line {
        match &event.told {
            Told::Outcome(outcome) => Line {
                outcome: outcome.outcome.as_str(),
                reason: outcome.reason.word(),
                message: outcome.message.clone(),
            },
            Told::Duplicate(_) => {
                Line { outcome: "duplicate", reason: String::new(), message: "came before; its outcome stands".into() }
            }
            Told::Again(cause) => {
                Line { outcome: "retried", reason: cause.to_string(), message: "the message comes again".into() }
            }
        }
    }
}

/// One line of CloudWatch's embedded metric format: how many events ended how, and how long confirmation took.
///
/// `Throttled` counts the events that come again because the directory, or the ledger, asks for fewer requests. What the
/// SDK tried again with success is not among them.
#[must_use]
pub fn metrics(invoked: Invoked<'_>, report: &BatchReport, took: Duration, now: Timestamp) -> Value {
    let names = ["Applied", "Unchanged", "Duplicate", "Superseded", "Held", "Observed", "Parked", "Retried"];
    let count = |name: &str| {
        let same = |event: &&EventReport| Line::of(event).outcome.eq_ignore_ascii_case(name);
        report.events.iter().filter(same).count()
    };
    let mut metrics: Vec<Value> = names.iter().map(|name| json!({ "Name": name, "Unit": "Count" })).collect();
    metrics.push(json!({ "Name": "BatchDuration", "Unit": "Milliseconds" }));
    let confirmed: Vec<u64> = report
        .events
        .iter()
        .filter_map(|event| event.confirmed_after)
        .map(|after| u64::try_from(after.as_millis()).unwrap_or(u64::MAX))
        .take(EMF_VALUES)
        .collect();
    metrics.extend(["BrakeHeld", "BrakeUncounted", "Throttled"].map(|name| json!({ "Name": name, "Unit": "Count" })));
    if !confirmed.is_empty() {
        metrics.push(json!({ "Name": "ConfirmedAfter", "Unit": "Milliseconds" }));
    }
    let mut line = line(invoked, &metrics, now);
    line["BatchDuration"] = json!(u64::try_from(took.as_millis()).unwrap_or(u64::MAX));
    let braked = |event: &&EventReport| match &event.told {
        Told::Outcome(outcome) => outcome.reason == Why::Decided(Reason::MassChange),
        Told::Duplicate(_) | Told::Again(_) => false,
    };
    line["BrakeHeld"] = json!(report.events.iter().filter(braked).count());
    line["BrakeUncounted"] = json!(u8::from(report.uncounted));
    let throttled = |event: &&EventReport| event.told == Told::Again(Cause::Throttled);
    line["Throttled"] = json!(report.events.iter().filter(throttled).count());
    for name in names {
        line[name] = json!(count(name));
    }
    if !confirmed.is_empty() {
        line["ConfirmedAfter"] = json!(confirmed);
    }
    line
}
