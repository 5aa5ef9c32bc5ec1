//! Metrics as the functions really emit them: the emitters are run, and what they write is read.
//!
//! A function's name is its logical name in the template, as `!Ref` is read there: `SuspendUser`.

use crate::template::logical;
use jiff::Timestamp;
use rollcall::audit;
use rollcall::batch::{BatchReport, EventReport, Told};
use rollcall::decide::Reason;
use rollcall::failure::Cause;
use rollcall::intake::Source;
use rollcall::intake::gauges::Gauges;
use rollcall::intake::receive::outcome::{self, NotTaken, Thanks, Unknown};
use rollcall::intake::tally::Tally;
use rollcall::intake::verify::Refused;
use rollcall::ledger::State;
use rollcall::outcome::Outcome;
use rollcall::reconcile;
use rollcall::roster::{self, Index, Version};
use rollcall::routes::Function;
use rollcall::telemetry::{self, Invoked};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

/// A metric: its name and its dimensions.
pub(crate) type Metric = (String, BTreeMap<String, String>);

const NOW: Timestamp = Timestamp::UNIX_EPOCH;

fn of(function: &str) -> Invoked<'_> {
    Invoked { function, request_id: "r-1" }
}

/// What happened to an event.
pub(crate) fn event(told: Told, confirmed_after: Option<Duration>) -> EventReport {
    let event_key = "suspend-user#e-1".to_owned();
    EventReport { event_key, detail_type: None, person: None, told, messages: Vec::new(), confirmed_after }
}

pub(crate) fn decided(state: State, reason: Reason) -> Told {
    Told::Outcome(Outcome::decided(state, reason, None, None))
}

/// An event that was carried out, and so long after it was due.
pub(crate) fn applied(after: Duration) -> EventReport {
    event(decided(State::Applied, Reason::Suspended), Some(after))
}

pub(crate) fn throttled() -> EventReport {
    event(Told::Again(Cause::Throttled), None)
}

/// What a function on the road writes of a batch.
pub(crate) fn batch(function: Function, events: Vec<EventReport>) -> Value {
    let report = BatchReport { response: Default::default(), events, uncounted: false };
    telemetry::metrics(of(&logical(function)), &report, Duration::ZERO, NOW)
}

pub(crate) fn intake(tally: Tally) -> Value {
    tally.metrics(of("HrIntake"), NOW)
}

pub(crate) fn sweep(gauges: Gauges) -> Value {
    gauges.metrics(of("HrIntake"), NOW)
}

pub(crate) fn request(outcome: outcome::Outcome) -> Value {
    outcome::Told { source: Some(Source::Okta), outcome }.metrics(of("HrReceive"), NOW)
}

/// What license-audit writes of a run that did not believe so many of its accounts.
pub(crate) fn audited(incomplete: usize) -> Value {
    let account = audit::AccountSummary { incomplete: Some("page_failed".to_owned()), ..Default::default() };
    let summary = audit::Summary { accounts: vec![account; incomplete], ..Default::default() };
    audit::serve::metrics(&summary, of("LicenseAudit"), NOW)
}

pub(crate) fn reconciled(outcome: reconcile::Outcome) -> Value {
    let summary = reconcile::Summary { outcome, ..Default::default() };
    reconcile::serve::metrics(&summary, of("HrReconcile"), NOW)
}

pub(crate) fn roster_in_force() -> Value {
    let index = Index {
        version: Version::new(NOW, NOW, 0),
        rows: 3,
        without_address: 0,
        loaded_at: NOW,
        runs: Vec::new(),
        leavers: Vec::new(),
        source: "roster/people.csv".to_owned(),
    };
    roster::serve::metrics(&roster::serve::Outcome::InForce(index), of("RosterLoad"), NOW).unwrap()
}

pub(crate) fn roster_refused() -> Value {
    let source = "roster/people.csv".to_owned();
    let refusal = roster::serve::Refusal { source, line: 2, column: None, why: "is empty".to_owned(), at: NOW };
    roster::serve::metrics(&roster::serve::Outcome::Refused(refusal), of("RosterLoad"), NOW).unwrap()
}

/// One line of every emitter, and of each that writes one thing or another, every one.
fn lines() -> Vec<Value> {
    let requests = [
        outcome::Outcome::Received(Thanks::Object),
        outcome::Outcome::Refused(Refused::Wrong),
        outcome::Outcome::Unknown(Unknown::Source),
        outcome::Outcome::TooLarge,
        outcome::Outcome::NotTaken(NotTaken::OutOfTime),
        outcome::Outcome::NotTaken(NotTaken::Unverifiable(Refused::NoSecret)),
        outcome::Outcome::Handshake(rollcall::intake::handshake::Answer {
            status: 200,
            content_type: "text/plain",
            body: String::new(),
        }),
    ];
    let road = Function::ALL.into_iter().map(|function| {
        // hr-intake's announcements are kept, not confirmed.
        let events = if function == Function::HrIntake { vec![] } else { vec![applied(Duration::from_secs(1))] };
        batch(function, events)
    });
    let others = [
        intake(Tally::default()),
        sweep(Gauges::default()),
        audited(0),
        reconciled(reconcile::Outcome::Done),
        roster_in_force(),
        roster_refused(),
    ];
    road.chain(requests.into_iter().map(request)).chain(others).collect()
}

/// The metrics of a line, each with its values.
pub(crate) fn values(line: &Value) -> Vec<(Metric, Vec<f64>)> {
    let directive = &line["_aws"]["CloudWatchMetrics"][0];
    assert_eq!(directive["Namespace"], "Rollcall");
    let mut found = Vec::new();
    for dimensions in directive["Dimensions"].as_array().unwrap() {
        let names = dimensions.as_array().unwrap().iter().map(|name| name.as_str().unwrap());
        let dimensions: BTreeMap<String, String> =
            names.map(|name| (name.to_owned(), line[name].as_str().unwrap().to_owned())).collect();
        for metric in directive["Metrics"].as_array().unwrap() {
            let name = metric["Name"].as_str().unwrap();
            let one = || vec![line[name].as_f64().unwrap_or_else(|| panic!("{name} has no value in {line}"))];
            let several = line[name].as_array();
            let numbers =
                several.map_or_else(one, |numbers| numbers.iter().map(|number| number.as_f64().unwrap()).collect());
            found.push(((name.to_owned(), dimensions.clone()), numbers));
        }
    }
    found
}

/// Every metric that the functions emit.
pub(crate) fn emitted() -> BTreeSet<Metric> {
    lines().iter().flat_map(values).map(|(metric, _)| metric).collect()
}

/// What each function writes when all is well.
pub(crate) fn quiet() -> Vec<Value> {
    let second = || vec![applied(Duration::from_secs(1))];
    let road = Function::ALL.into_iter().filter(|function| *function != Function::HrIntake);
    let road = road.map(|function| batch(function, second()));
    let others = [
        intake(Tally { told: 3, scheduled: 1, ..Tally::default() }),
        sweep(Gauges::default()),
        request(outcome::Outcome::Received(Thanks::Object)),
        audited(0),
        reconciled(reconcile::Outcome::Done),
        roster_in_force(),
    ];
    road.chain(others).collect()
}
