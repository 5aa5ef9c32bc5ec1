//! Logs and metrics: one JSON line an event, one EMF line a batch. No personal data, whatever the level.

use crate::batch::{BatchReport, EventReport, Told};
use crate::decide::Reason;
use crate::outcome::Why;
use crate::routes::Function;
use jiff::Timestamp;
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

/// Writes what happened to a batch.
pub fn report(function: Function, request_id: &str, report: &BatchReport, took: Duration, now: Timestamp) {
    let duration_ms = u64::try_from(took.as_millis()).unwrap_or(u64::MAX);
    for event in &report.events {
        log(event, request_id, duration_ms);
    }
    write(&metrics(function, request_id, report, took, now));
}

/// Writes a line of metrics. CloudWatch reads them from the log itself, so they go beside it, as they are.
pub(crate) fn write(line: &Value) {
    let _closed = writeln!(std::io::stdout().lock(), "{line}");
}

/// One line of CloudWatch's embedded metric format with these counts.
pub(crate) fn counts(function: &str, request_id: &str, counts: &[(&str, u64)], now: Timestamp) -> Value {
    let metrics: Vec<Value> = counts.iter().map(|(name, _)| json!({ "Name": name, "Unit": "Count" })).collect();
    let mut line = json!({
        "_aws": {
            "Timestamp": now.as_millisecond(),
            "CloudWatchMetrics": [{ "Namespace": "Rollcall", "Dimensions": [["function"]], "Metrics": metrics }],
        },
        "function": function,
        "request.id": request_id,
    });
    for (name, count) in counts {
        line[name] = json!(count);
    }
    line
}

/// The same, for each source by itself.
pub(crate) fn source_counts(
    function: &str,
    source: &str,
    request_id: &str,
    counted: &[(&str, u64)],
    now: Timestamp,
) -> Value {
    let mut line = counts(function, request_id, counted, now);
    line["_aws"]["CloudWatchMetrics"][0]["Dimensions"] = json!([["function", "source"]]);
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
#[must_use]
pub fn metrics(function: Function, request_id: &str, report: &BatchReport, took: Duration, now: Timestamp) -> Value {
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
    metrics.extend(["BrakeHeld", "BrakeUncounted"].map(|name| json!({ "Name": name, "Unit": "Count" })));
    if !confirmed.is_empty() {
        metrics.push(json!({ "Name": "ConfirmedAfter", "Unit": "Milliseconds" }));
    }
    let mut line = json!({
        "_aws": {
            "Timestamp": now.as_millisecond(),
            "CloudWatchMetrics": [{ "Namespace": "Rollcall", "Dimensions": [["function"]], "Metrics": metrics }],
        },
        "function": function.as_str(),
        "request.id": request_id,
        "BatchDuration": u64::try_from(took.as_millis()).unwrap_or(u64::MAX),
    });
    let braked = |event: &&EventReport| match &event.told {
        Told::Outcome(outcome) => outcome.reason == Why::Decided(Reason::MassChange),
        Told::Duplicate(_) | Told::Again(_) => false,
    };
    line["BrakeHeld"] = json!(report.events.iter().filter(braked).count());
    line["BrakeUncounted"] = json!(u8::from(report.uncounted));
    for name in names {
        line[name] = json!(count(name));
    }
    if !confirmed.is_empty() {
        line["ConfirmedAfter"] = json!(confirmed);
    }
    line
}
