//! `template.yaml`: when hr-reconcile runs, and what it may do.

use crate::template::{resources, set, statement, strings};
use rollcall::config::ReconcileConfig;
use rollcall::event::{EventType, Kind, Phase, SOURCE};
use rollcall::reconcile::serve::TIMEOUT;
use std::cell::RefCell;
use std::collections::BTreeSet;

#[test]
fn hr_reconcile_may_do_what_it_does_and_nothing_else() {
    let resources = resources();
    let role = &resources["HrReconcileRole"]["Properties"];
    let allowed: [(&str, &[&str], &str); 10] = [
        ("People", &["dynamodb:BatchGetItem"], "Ledger.Arn"),
        ("Taken", &["dynamodb:Scan"], "Ledger.Arn"),
        ("RosterItems", &["dynamodb:BatchGetItem", "dynamodb:GetItem"], "RosterTable.Arn"),
        ("Leavers", &["s3:GetObject"], "${AuditBucket.Arn}/rosters/*"),
        ("Requests", &["events:PutEvents"], "Bus.Arn"),
        ("GivenUp", &["sqs:SendMessage"], "Undelivered.Arn"),
        ("Policy", &["ssm:GetParameter", "ssm:GetParameterHistory"], ":parameter/${PolicyDocument}"),
        ("AtRest", &["kms:Decrypt", "kms:GenerateDataKey"], "Key.Arn"),
        ("Logs", &["logs:CreateLogStream", "logs:PutLogEvents"], "${HrReconcileLogs.Arn}"),
        ("Traces", &["xray:PutTelemetryRecords", "xray:PutTraceSegments"], "*"),
    ];
    assert_eq!(role["Policies"][0]["PolicyDocument"]["Statement"].as_vec().unwrap().len(), allowed.len());
    for (sid, actions, resource) in allowed {
        let statement = statement(role, sid);
        let found = statement["Action"].as_str().map_or_else(|| strings(&statement["Action"]), |one| set(&[one]));
        assert_eq!(found, set(actions), "{sid}");
        assert!(statement["Resource"].as_str().unwrap().ends_with(resource), "{sid}");
    }
    let people = &statement(role, "People")["Condition"]["ForAllValues:StringLike"];
    assert_eq!(strings(&people["dynamodb:LeadingKeys"]), set(&["person#*"]));
}

#[test]
fn hr_reconcile_may_ask_for_its_own_events_only() {
    let resources = resources();
    let condition = &statement(&resources["HrReconcileRole"]["Properties"], "Requests")["Condition"];
    let may = strings(&condition["StringEquals"]["events:detail-type"]);
    let asks = [
        (Kind::Hire, Phase::Effective),
        (Kind::Leave, Phase::Rescinded),
        (Kind::Rehire, Phase::Effective),
        (Kind::Termination, Phase::Effective),
        (Kind::Termination, Phase::Rescinded),
    ];
    let asks = asks.map(|(kind, phase)| EventType::new(kind, phase).unwrap().detail_type());
    assert_eq!(may, set(&asks));
    assert_eq!(strings(&condition["ForAllValues:StringEquals"]["events:source"]), set(&[SOURCE]));
}

#[test]
fn hr_reconcile_finds_its_time_and_its_variables() {
    let function = &resources()["HrReconcile"]["Properties"];
    assert_eq!(function["Timeout"].as_i64(), Some(TIMEOUT.as_secs()));
    let variables = function["Environment"]["Variables"].as_hash().unwrap();
    let set: BTreeSet<String> = variables.keys().map(|name| name.as_str().unwrap().to_owned()).collect();
    let read = RefCell::new(BTreeSet::new());
    ReconcileConfig::read(|name| {
        read.borrow_mut().insert(name.to_owned());
        set.contains(name).then(|| "k".repeat(32))
    })
    .unwrap();
    assert_eq!(read.into_inner(), set);
}

#[test]
fn the_schedule_starts_hr_reconcile_and_tells_where_it_could_not() {
    let resources = resources();
    let schedule = &resources["ReconcileEvery"]["Properties"];
    assert_eq!(schedule["Target"]["Arn"].as_str(), Some("HrReconcile.Arn"));
    assert_eq!(schedule["Target"]["DeadLetterConfig"]["Arn"].as_str(), Some("Undelivered.Arn"));
    let role = &resources["ReconcileScheduleRole"]["Properties"]["Policies"][0]["PolicyDocument"]["Statement"];
    let allowed =
        |action: &str| role.as_vec().unwrap().iter().find(|it| it["Action"].as_str() == Some(action)).unwrap();
    assert_eq!(allowed("lambda:InvokeFunction")["Resource"].as_str(), Some("HrReconcile.Arn"));
    assert_eq!(allowed("sqs:SendMessage")["Resource"].as_str(), Some("Undelivered.Arn"));
}
