//! `template.yaml`: what starts roster-load, and what it may do.

use crate::template::{delivered_from, resources, set, statement, strings};
use rollcall::config::RosterConfig;
use rollcall::roster::serve::TIMEOUT;
use serde_json::json;
use std::cell::RefCell;
use std::collections::BTreeSet;

#[test]
fn a_roster_that_is_dropped_goes_to_roster_load_and_nothing_else_does() {
    let resources = resources();
    // `!Ref AuditBucket` is read as its argument.
    let to = |bucket: &str, key: &str| {
        let detail = json!({ "bucket": { "name": bucket }, "object": { "key": key } });
        let event = json!({ "source": "aws.s3", "detail-type": "Object Created", "detail": detail });
        delivered_from(&resources, None, &event)
    };
    assert_eq!(to("AuditBucket", "roster/all.csv"), ["RosterLoad.Arn"]);
    let others = [
        ("AuditBucket", "rosters/1/run-0000.jsonl"),
        ("AuditBucket", "audits/1/roster/x"),
        ("Another", "roster/all.csv"),
    ];
    for (bucket, key) in others {
        assert!(to(bucket, key).is_empty(), "{bucket} {key}: what it writes itself must not start it");
    }
}

#[test]
fn roster_load_may_do_what_it_does_and_nothing_else() {
    let resources = resources();
    let role = &resources["RosterLoadRole"]["Properties"];
    let items = ["dynamodb:BatchWriteItem", "dynamodb:GetItem", "dynamodb:PutItem"];
    let allowed: [(&str, &[&str], &str); 8] = [
        ("Dropped", &["s3:GetObject"], "${AuditBucket.Arn}/roster/*"),
        ("Runs", &["s3:PutObject"], "${AuditBucket.Arn}/rosters/*"),
        ("RosterItems", &items, "RosterTable.Arn"),
        ("GivenUp", &["sqs:SendMessage"], "Undelivered.Arn"),
        ("Policy", &["ssm:GetParameter", "ssm:GetParameterHistory"], ":parameter/${PolicyDocument}"),
        ("AtRest", &["kms:Decrypt", "kms:GenerateDataKey"], "Key.Arn"),
        ("Logs", &["logs:CreateLogStream", "logs:PutLogEvents"], "${RosterLoadLogs.Arn}"),
        ("Traces", &["xray:PutTelemetryRecords", "xray:PutTraceSegments"], "*"),
    ];
    assert_eq!(role["Policies"][0]["PolicyDocument"]["Statement"].as_vec().unwrap().len(), allowed.len());
    for (sid, actions, resource) in allowed {
        let statement = statement(role, sid);
        let found = statement["Action"].as_str().map_or_else(|| strings(&statement["Action"]), |one| set(&[one]));
        assert_eq!(found, set(actions), "{sid}");
        assert!(statement["Resource"].as_str().unwrap().ends_with(resource), "{sid}");
    }
}

#[test]
fn roster_load_finds_its_time_and_its_variables() {
    let function = &resources()["RosterLoad"]["Properties"];
    assert_eq!(function["Timeout"].as_i64(), Some(TIMEOUT.as_secs()));
    let variables = function["Environment"]["Variables"].as_hash().unwrap();
    let set: BTreeSet<String> = variables.keys().map(|name| name.as_str().unwrap().to_owned()).collect();
    let read = RefCell::new(BTreeSet::new());
    RosterConfig::read(|name| {
        read.borrow_mut().insert(name.to_owned());
        set.contains(name).then(|| "k".repeat(32))
    })
    .unwrap();
    assert_eq!(read.into_inner(), set);
}
