//! `template.yaml`: everything that keeps something is encrypted by the stack's key, with two exceptions, and forgets in time;
//! every function has a role and a log of its own; and every parameter can be left as it is.

use crate::read;
use crate::template::{of_type, resources, statement, strings, template, text};
use std::collections::{BTreeMap, BTreeSet};
use yaml_rust2::Yaml;

/// What a resource of each type says of its key.
fn key(kind: &str, properties: &Yaml) -> Option<Yaml> {
    let bucket = &properties["BucketEncryption"]["ServerSideEncryptionConfiguration"][0];
    let key = match kind {
        "AWS::SQS::Queue" | "AWS::SNS::Topic" => &properties["KmsMasterKeyId"],
        "AWS::DynamoDB::Table" => &properties["SSESpecification"]["KMSMasterKeyId"],
        "AWS::S3::Bucket" => &bucket["ServerSideEncryptionByDefault"]["KMSMasterKeyID"],
        "AWS::Logs::LogGroup" | "AWS::SecretsManager::Secret" => &properties["KmsKeyId"],
        "AWS::Events::EventBus" | "AWS::Events::Archive" => &properties["KmsKeyIdentifier"],
        "AWS::Serverless::Function" => &properties["KmsKeyArn"],
        _ => return None,
    };
    Some(key.clone())
}

/// What must work when the key is switched off, and what encrypts it instead.
const WITHOUT_THE_KEY: [(&str, Option<&str>); 2] = [
    // What the bus cannot encrypt ends here. Where the queue needed the same key, it would be lost.
    ("Undelivered", Some("SqsManagedSseEnabled")),
    // Who is told that it is switched off is told by this. CloudWatch cannot use the key that SNS has by itself.
    ("AlarmTopic", None),
];

#[test]
fn whatever_keeps_something_is_encrypted_by_the_key() {
    let mut kinds: BTreeMap<String, u32> = BTreeMap::new();
    for (name, resource) in resources().as_hash().unwrap() {
        let kind = text(&resource["Type"]);
        if let Some(key) = key(&kind, &resource["Properties"]) {
            if let Some((_, instead)) = WITHOUT_THE_KEY.iter().find(|(exception, _)| name.as_str() == Some(exception)) {
                assert!(key.is_badvalue(), "{name:?} needs the key: {key:?}");
                assert!(instead.is_none_or(|it| resource["Properties"][it].as_bool() == Some(true)), "{name:?}");
                continue;
            }
            assert!(matches!(key.as_str(), Some("Key" | "Key.Arn")), "{name:?} is not encrypted by the key: {key:?}");
            *kinds.entry(kind).or_default() += 1;
        }
    }
    assert_eq!(kinds.len(), 9, "each of these types is there: {kinds:?}");
    let uses = ["Bus", "BusLooks", "Logs"];
    let services = ["events", "events", "logs.${AWS::Region}"];
    let statements = &resources()["Key"]["Properties"]["KeyPolicy"]["Statement"];
    assert_eq!(statements.as_vec().unwrap().len(), uses.len() + 1, "and the account's administrators");
    for (sid, service) in uses.into_iter().zip(services) {
        let found = statements.as_vec().unwrap().iter().find(|it| it["Sid"].as_str() == Some(sid)).unwrap();
        assert_eq!(text(&found["Principal"]["Service"]), format!("{service}.amazonaws.com"), "{sid}");
    }
    assert_eq!(resources()["Key"]["Properties"]["EnableKeyRotation"].as_bool(), Some(true));
}

#[test]
fn every_function_has_a_role_a_log_and_traces_of_its_own() {
    let resources = resources();
    assert_eq!(template()["Globals"]["Function"]["Tracing"].as_str(), Some("Active"));
    let functions = of_type(&resources, "AWS::Serverless::Function");
    let mut roles = BTreeSet::new();
    for (name, function) in &functions {
        let role = text(&function["Role"]);
        assert_eq!(role, format!("{name}Role.Arn"));
        roles.insert(role);
        let log = text(&function["LoggingConfig"]["LogGroup"]);
        assert_eq!(log, format!("{name}Logs"));
        let group = &resources[log.as_str()]["Properties"];
        assert_eq!(group["RetentionInDays"].as_str(), Some("LogRetentionDays"), "{name}");
        assert_eq!(
            text(&group["LogGroupName"]),
            format!("/aws/lambda/{}", text(&function["FunctionName"])),
            "where people look for it, and what the key's policy lets in"
        );
        let role = &resources[format!("{name}Role").as_str()]["Properties"];
        assert_eq!(text(&statement(role, "Logs")["Resource"]), format!("${{{log}.Arn}}"));
        assert!(strings(&statement(role, "Traces")["Action"]).contains("xray:PutTraceSegments"), "{name}");
        assert!(function["Tracing"].is_badvalue(), "{name}: as all");
    }
    assert_eq!(roles.len(), functions.len());
    assert_eq!(resources["AuditMachine"]["Properties"]["Tracing"]["Enabled"].as_bool(), Some(true));
}

#[test]
fn tables_can_be_restored_and_forget() {
    for (name, table) in of_type(&resources(), "AWS::DynamoDB::Table") {
        let recovery = &table["PointInTimeRecoverySpecification"]["PointInTimeRecoveryEnabled"];
        assert_eq!(recovery.as_bool(), Some(true), "{name}");
        assert_eq!(table["TimeToLiveSpecification"]["AttributeName"].as_str(), Some("expiration"), "{name}");
    }
}

/// But for a first deployment that fails: what it made is empty, and the next one makes it anew.
#[test]
fn what_must_not_be_lost_stays_when_the_stack_goes() {
    let kept = ["Key", "PersonKey", "Ledger", "IntakeBucket", "RosterTable", "AuditBucket"];
    let resources = resources();
    for (name, resource) in resources.as_hash().unwrap() {
        let policies = ["DeletionPolicy", "UpdateReplacePolicy"].map(|policy| resource[policy].as_str());
        let is_kept = kept.contains(&name.as_str().unwrap());
        let expected = if is_kept { [Some("RetainExceptOnCreate"), Some("Retain")] } else { [None, None] };
        assert_eq!(policies, expected, "{name:?}");
    }
}

/// Nobody else puts events unless the operator names the account, and then as HR alone.
#[test]
fn another_account_is_let_in_by_name_only() {
    let resources = resources();
    let senders = &resources["BusSenders"];
    assert_eq!(senders["Condition"].as_str(), Some("HasSenderAccounts"));
    assert_eq!(template()["Parameters"]["SenderAccounts"]["Default"].as_str(), Some(""));
    let statement = &senders["Properties"]["Statement"];
    assert_eq!(statement["Principal"]["AWS"].as_str(), Some("SenderAccounts"));
    assert_eq!(statement["Action"].as_str(), Some("events:PutEvents"));
    assert_eq!(statement["Condition"]["StringEquals"]["events:source"].as_str(), Some(rollcall::event::SOURCE));
    assert_eq!(of_type(&resources, "AWS::Events::EventBusPolicy").len(), 1);
}

#[test]
fn every_parameter_is_explained_has_a_default_and_stands_in_one_group() {
    let template = template();
    let parameters = template["Parameters"].as_hash().unwrap();
    let groups = &template["Metadata"]["AWS::CloudFormation::Interface"]["ParameterGroups"];
    let grouped: Vec<String> =
        groups.as_vec().unwrap().iter().flat_map(|group| strings(&group["Parameters"])).collect();
    assert_eq!(grouped.len(), parameters.len(), "each once");
    for (name, parameter) in parameters {
        let name = text(name);
        assert!(grouped.contains(&name), "{name}");
        assert!(!parameter["Default"].is_badvalue(), "{name}: `sam deploy` without an answer must work");
        assert!(parameter["Description"].as_str().is_some(), "{name}");
        let checked =
            ["AllowedValues", "AllowedPattern", "MinValue"].iter().any(|rule| !parameter[*rule].is_badvalue());
        assert!(checked, "{name}: a wrong value is refused before anything is deployed");
        let number = parameter["Type"].as_str() == Some("Number") && parameter["AllowedValues"].is_badvalue();
        assert!(!number || !parameter["MaxValue"].is_badvalue(), "{name}");
        assert!(parameter["AllowedPattern"].is_badvalue() || parameter["ConstraintDescription"].as_str().is_some());
    }
}

#[test]
fn the_environments_set_parameters_that_there_are() {
    let template = template();
    let config = read("samconfig.toml");
    let lines: Vec<&str> = config.lines().filter_map(|line| line.strip_prefix("parameter_overrides = ")).collect();
    assert_eq!(lines.len(), 2, "default and prod");
    for line in lines {
        for setting in line.trim_matches('"').split(' ') {
            let (name, value) = setting.split_once('=').unwrap();
            let parameter = &template["Parameters"][name];
            assert!(!parameter.is_badvalue(), "{name}");
            let allowed = parameter["AllowedValues"].as_vec();
            assert!(allowed.is_none_or(|all| all.iter().any(|it| text(it) == value)), "{setting}");
        }
    }
    assert!(!config.contains("cached ="), "SAM would not see that shared/ changed");
}
