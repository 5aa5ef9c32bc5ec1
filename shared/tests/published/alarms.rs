//! `template.yaml`: alarms and dashboard, against what the functions really emit and against the runbooks.

use crate::emitted::{
    Metric, applied, audited, batch, decided, emitted, event, intake, quiet, reconciled, request, roster_refused,
    sweep, throttled, values,
};
use crate::template::{logical, of_type, resources, template, text};
use crate::{read, root};
use rollcall::decide::Reason;
use rollcall::intake::gauges::Gauges;
use rollcall::intake::receive::outcome::{NotTaken, Outcome as Request};
use rollcall::intake::tally::Tally;
use rollcall::intake::verify::Refused;
use rollcall::ledger::State;
use rollcall::reconcile::Outcome as Reconciled;
use rollcall::routes::Function;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;
use yaml_rust2::Yaml;

fn alarms(resources: &Yaml) -> BTreeMap<String, Yaml> {
    of_type(resources, "AWS::CloudWatch::Alarm")
}

/// The namespace and the metric of an alarm. `!Ref X` and `!GetAtt X.Y` are read as their arguments.
fn watched(alarm: &Yaml) -> (String, Metric) {
    let dimensions = alarm["Dimensions"].as_vec().unwrap().iter();
    let dimensions = dimensions.map(|it| (text(&it["Name"]), text(&it["Value"]))).collect();
    (text(&alarm["Namespace"]), (text(&alarm["MetricName"]), dimensions))
}

fn metric(name: &str, dimension: &str, value: impl Into<String>) -> Metric {
    (name.to_owned(), BTreeMap::from([(dimension.to_owned(), value.into())]))
}

/// The dashboard, with each `${X}` replaced by `X`, and a number where a number must stand.
fn dashboard(resources: &Yaml) -> Value {
    let body = text(&resources["Dashboard"]["Properties"]["DashboardBody"]);
    let mut parts = body.split("${");
    let mut plain = parts.next().unwrap().to_owned();
    for part in parts {
        let (name, rest) = part.split_once('}').unwrap();
        plain.push_str(if name == "LockOutTargetMs" { "60000" } else { name });
        plain.push_str(rest);
    }
    serde_json::from_str(&plain).unwrap_or_else(|error| panic!("the dashboard is no JSON: {error}"))
}

/// The metrics of the dashboard, with their namespaces.
fn shown(dashboard: &Value) -> Vec<(String, Metric)> {
    let widgets = dashboard["widgets"].as_array().unwrap().iter();
    let rows = widgets.filter_map(|widget| widget["properties"]["metrics"].as_array()).flatten();
    let row = |row: &Value| {
        let words: Vec<&str> = row.as_array().unwrap().iter().filter_map(Value::as_str).collect();
        let [namespace, name, dimension, value] = words[..] else { panic!("{row} has another shape") };
        (namespace.to_owned(), metric(name, dimension, value))
    };
    rows.map(row).collect()
}

#[test]
fn every_alarm_wakes_somebody_and_names_its_page_and_every_page_is_named() {
    let resources = resources();
    let index = read("docs/runbooks/README.md");
    let mut named = BTreeSet::new();
    for (name, alarm) in alarms(&resources) {
        assert_eq!(alarm["AlarmActions"][0].as_str(), Some("AlarmTopic"), "{name}");
        assert!(alarm["TreatMissingData"].as_str().is_some(), "{name} leaves open what no figures mean");
        let description = text(&alarm["AlarmDescription"]);
        let page = description.rsplit_once("See docs/runbooks/").map(|(_, page)| page.to_owned());
        let page = page.unwrap_or_else(|| panic!("{name} names no page: {description}"));
        assert!(read(&format!("docs/runbooks/{page}")).starts_with("# "), "{page}");
        assert!(index.contains(&format!("({page})")), "docs/runbooks/README.md does not name {page}");
        named.insert(page);
    }
    let pages = std::fs::read_dir(root().join("docs/runbooks")).unwrap();
    let pages = pages.map(|file| file.unwrap().file_name().into_string().unwrap());
    assert_eq!(pages.filter(|page| page != "README.md").collect::<BTreeSet<_>>(), named, "pages that no alarm names");
}

#[test]
fn the_dashboard_shows_every_alarm() {
    let resources = resources();
    let dashboard = dashboard(&resources);
    let shown = dashboard["widgets"].as_array().unwrap().iter().find(|widget| widget["type"] == "alarm").unwrap();
    let shown = shown["properties"]["alarms"].as_array().unwrap().iter().map(|arn| arn.as_str().unwrap().to_owned());
    let all = alarms(&resources).into_keys().map(|name| format!("{name}.Arn"));
    assert_eq!(shown.collect::<BTreeSet<_>>(), all.collect());
}

/// Whatever is watched is there: a metric that a function emits with just these dimensions, or one of AWS's, of a resource
/// of this template.
#[test]
fn what_is_watched_is_emitted() {
    let resources = resources();
    let emitted = emitted();
    let queues = of_type(&resources, "AWS::SQS::Queue").into_keys().collect::<Vec<_>>();
    let functions = of_type(&resources, "AWS::Serverless::Function").into_keys().collect::<Vec<_>>();
    let known = |namespace: &str, metric: &Metric| {
        let (name, dimensions) = metric;
        let (dimension, value) = dimensions.iter().next().unwrap();
        match (namespace, name.as_str(), dimension.as_str()) {
            ("Rollcall", _, _) => emitted.contains(metric),
            ("AWS/SQS", "ApproximateNumberOfMessagesVisible" | "ApproximateAgeOfOldestMessage", "QueueName") => {
                queues.iter().any(|queue| *value == format!("{queue}.QueueName"))
            }
            ("AWS/Lambda", "Errors" | "Throttles", "FunctionName") => functions.contains(value),
            ("AWS/States", "ExecutionsFailed", "StateMachineArn") => value == "AuditMachine",
            (_, _, _) => false,
        }
    };
    let watched = alarms(&resources).values().map(watched).collect::<Vec<_>>();
    for (namespace, metric) in watched.into_iter().chain(shown(&dashboard(&resources))) {
        assert!(known(&namespace, &metric), "nothing emits {namespace} {metric:?}");
    }
}

#[test]
fn every_queue_and_every_function_has_its_alarms() {
    let resources = resources();
    let watched: BTreeSet<Metric> = alarms(&resources).values().map(|alarm| watched(alarm).1).collect();
    let of_queue = |name: &str, queue: &str| metric(name, "QueueName", format!("{queue}.QueueName"));
    let mut letters = BTreeSet::new();
    for (name, queue) in of_type(&resources, "AWS::SQS::Queue") {
        let Some(dlq) = queue["RedrivePolicy"]["deadLetterTargetArn"].as_str() else {
            assert!(watched.contains(&of_queue("ApproximateNumberOfMessagesVisible", &name)), "{name}");
            continue;
        };
        assert!(watched.contains(&of_queue("ApproximateAgeOfOldestMessage", &name)), "{name}");
        letters.insert(dlq.to_owned());
    }
    assert_eq!(letters.len(), Function::ALL.len(), "each has a dead-letter queue of its own");
    for (name, _) in of_type(&resources, "AWS::Serverless::Function") {
        for what in ["Errors", "Throttles"] {
            assert!(watched.contains(&metric(what, "FunctionName", &name)), "{name} {what}");
        }
    }
}

/// What the audit's state machine tries again wakes nobody until a step had all of its attempts.
#[test]
fn an_audits_step_that_is_tried_again_wakes_nobody() {
    let machine: Value = serde_json::from_str(&read("statemachines/license-audit.asl.json")).unwrap();
    let (mut retries, mut left) = (Vec::new(), vec![&machine["States"]]);
    while let Some(states) = left.pop() {
        for state in states.as_object().unwrap().values().filter(|it| it["Resource"] == "${LicenseAuditArn}") {
            let rules = state["Retry"].as_array().unwrap().iter();
            retries.extend(rules.map(|rule| rule["MaxAttempts"].as_i64().unwrap()).filter(|attempts| *attempts > 0));
        }
        left.extend(states.as_object().unwrap().values().filter_map(|it| it["ItemProcessor"].get("States")));
    }
    let alarm = &alarms(&resources())["LicenseAuditErrors"];
    let threshold = f64::from(i32::try_from(alarm["Threshold"].as_i64().unwrap()).unwrap());
    let fails = |times: i64| is_raised(alarm, &vec![1.0; usize::try_from(times).unwrap()], threshold);
    let fewest = *retries.iter().min().unwrap();
    assert!(!fails(fewest) && fails(fewest + 1), "a step has {fewest} more attempts");
    assert_eq!((retries.len(), alarm["Period"].as_i64()), (6, Some(900)), "the attempts of a step take no longer");
}

/// Whether an alarm is raised by the figures of one period, as CloudWatch compares them.
fn is_raised(alarm: &Yaml, figures: &[f64], threshold: f64) -> bool {
    if figures.is_empty() {
        return alarm["TreatMissingData"].as_str() == Some("breaching");
    }
    let figure = match alarm["Statistic"].as_str().unwrap() {
        "Sum" => figures.iter().sum(),
        "Maximum" => figures.iter().copied().fold(f64::NEG_INFINITY, f64::max),
        "SampleCount" => f64::from(u32::try_from(figures.len()).unwrap()),
        other => panic!("{other} is no statistic of ours"),
    };
    match alarm["ComparisonOperator"].as_str().unwrap() {
        "GreaterThanThreshold" => figure > threshold,
        "LessThanThreshold" => figure < threshold,
        other => panic!("{other} is no comparison of ours"),
    }
}

/// Which alarms on Rollcall's own metrics these lines of one period raise. Thresholds of parameters are their defaults.
fn raised(template: &Yaml, lines: &[Value]) -> Vec<String> {
    let (resources, parameters) = (&template["Resources"], &template["Parameters"]);
    let seen: Vec<(Metric, Vec<f64>)> = lines.iter().flat_map(values).collect();
    let own = alarms(resources).into_iter().filter(|(_, alarm)| alarm["Namespace"].as_str() == Some("Rollcall"));
    let mut raised = Vec::new();
    for (name, alarm) in own {
        let (_, metric) = watched(&alarm);
        let numbers: Vec<f64> = seen.iter().filter(|(it, _)| *it == metric).flat_map(|(_, all)| all.clone()).collect();
        let threshold =
            alarm["Threshold"].as_i64().or_else(|| parameters[text(&alarm["Threshold"]).as_str()]["Default"].as_i64());
        let threshold = f64::from(i32::try_from(threshold.unwrap()).unwrap());
        if is_raised(&alarm, &numbers, threshold) {
            raised.push(name);
        }
    }
    raised
}

/// Each alarm is raised by what a function writes when that happens, and by nothing less.
#[test]
fn alarms_are_raised_by_what_functions_write() {
    let seconds = Duration::from_secs;
    let braked = || event(decided(State::Held, Reason::MassChange), None);
    let held = || event(decided(State::Held, Reason::Protected), None);
    let suspend = |events| vec![batch(Function::SuspendUser, events)];
    let logout = |events| vec![batch(Function::LogoutUser, events)];
    let refused = |n| vec![request(Request::Refused(Refused::Wrong)); n];
    let gauges = Gauges { held: 1, oldest_held: 86_400, latched: 0, silent: 0 };
    let mut table: Vec<(Vec<Value>, &[&str])> = vec![
        (quiet(), &[]),
        (suspend(vec![applied(seconds(60))]), &[]),
        (suspend(vec![applied(seconds(1)), applied(Duration::from_millis(60_001))]), &["SuspendUserLate"]),
        (logout(vec![applied(seconds(61))]), &["LogoutUserLate"]),
        (logout((0..10).map(|_| applied(seconds(1))).collect()), &[]),
        (logout((0..11).map(|_| applied(seconds(1))).collect()), &["CompromiseSurge"]),
        (suspend(vec![held()]), &[]),
        (vec![sweep(gauges)], &["HeldEvents"]),
        (vec![sweep(Gauges { oldest_held: 86_401, ..gauges })], &["HeldEvents", "HeldForgotten"]),
        (vec![sweep(Gauges { latched: 1, ..Gauges::default() })], &["BrakeLatched"]),
        (vec![sweep(Gauges { silent: 1, ..Gauges::default() })], &["SourceSilent"]),
        (vec![intake(Tally { unswept: 1, ..Tally::default() })], &["DueUnpublished"]),
        (refused(2), &[]),
        (refused(3), &["SignaturesRefused"]),
        (vec![request(Request::NotTaken(NotTaken::OutOfTime))], &["RequestsNotTaken"]),
        // Anybody may send to the address of a source that nobody set up.
        (vec![request(Request::NotTaken(NotTaken::Unverifiable(Refused::NoSecret)))], &[]),
        (vec![request(Request::NotTaken(NotTaken::Unverifiable(Refused::NeedsKeys)))], &[]),
        (vec![request(Request::NotTaken(NotTaken::Unverifiable(Refused::UnusableSecret)))], &["RequestsNotTaken"]),
        (vec![audited(1)], &["AuditIncomplete"]),
        (vec![reconciled(Reconciled::NoRoster)], &["RosterUnusable"]),
        (vec![reconciled(Reconciled::RosterTooOld)], &["RosterUnusable"]),
        (vec![roster_refused()], &["RosterRefused"]),
    ];
    let by_function = |function: Function, what: &str| format!("{}{what}", logical(function));
    let road = || Function::ALL.into_iter().filter(|function| *function != Function::HrIntake);
    let throttling: Vec<String> = road().map(|function| by_function(function, "Throttled")).collect();
    // A compromise is never braked.
    let braking = || road().filter(|function| !function.never_waits());
    let brakes: Vec<String> = braking().map(|function| by_function(function, "Braked")).collect();
    let expected: Vec<[&str; 1]> = throttling.iter().chain(&brakes).map(|name| [name.as_str()]).collect();
    let lines = road().map(|function| batch(function, vec![throttled()]));
    let lines = lines.chain(braking().map(|function| batch(function, vec![braked()])));
    table.extend(lines.zip(&expected).map(|(line, expected)| (vec![line], expected.as_slice())));

    let (template, mut can_be_raised) = (template(), BTreeSet::new());
    for (lines, expected) in table {
        // That no sweep came is another test's matter: most of these lines are of other functions.
        let raised: Vec<_> = raised(&template, &lines).into_iter().filter(|name| name != "SweepMissing").collect();
        assert_eq!(raised, expected, "{lines:?}");
        can_be_raised.extend(expected.iter().map(|name| (*name).to_owned()));
    }
    let own = alarms(&resources()).into_iter().filter(|(_, alarm)| alarm["Namespace"].as_str() == Some("Rollcall"));
    let own = own.map(|(name, _)| name).filter(|name| name != "SweepMissing");
    assert_eq!(own.collect::<BTreeSet<_>>(), can_be_raised, "an alarm that nothing here raises");
}

#[test]
fn a_sweep_that_does_not_come_is_noticed() {
    // Every quarter of an hour, and the alarm looks at half an hour.
    let (template, sweeps) = (template(), [sweep(Gauges::default()), sweep(Gauges::default())]);
    assert_eq!(raised(&template, &sweeps), Vec::<String>::new());
    let others: Vec<Value> = quiet().into_iter().filter(|line| line["HeldWaiting"].is_null()).collect();
    assert_eq!(others.len(), quiet().len() - 1);
    assert_eq!(raised(&template, &others), ["SweepMissing"]);
}
