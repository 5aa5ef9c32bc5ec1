//! `template.yaml`: what reaches the intake queue from other buses, and what hr-receive may do.

use crate::read;
use crate::template::{delivered_from, of_type, resources, set, statement, strings, template, text};
use rollcall::config::ReceiveConfig;
use rollcall::intake::receipt;
use rollcall::intake::receive::serve::TIMEOUT;
use serde_json::{Value, json};
use std::cell::RefCell;
use std::collections::BTreeSet;
use yaml_rust2::{Yaml, YamlLoader};

/// The rules that deliver to the intake queue, and the condition that each hangs on.
const RULES: [(&str, Option<&str>); 5] = [
    ("HealthRisk", None),
    ("IdentityCenter", None),
    ("OktaEvents", Some("HasOktaEventBus")),
    ("Auth0Events", Some("HasAuth0EventBus")),
    ("OneLoginEvents", Some("HasOneLoginEventBus")),
];

fn fixture(name: &str) -> Value {
    serde_json::from_str(&read(&format!("events/sources/{name}.json"))).unwrap()
}

/// A call on a directory of IAM Identity Center, as `CloudTrail` tells of it.
fn call(source: &str, event_source: &str) -> Value {
    let detail =
        json!({ "eventSource": event_source, "eventName": "DisableUser", "requestParameters": { "userId": "u" } });
    json!({ "source": source, "detail-type": "AWS API Call via CloudTrail", "detail": detail })
}

#[test]
fn what_partners_and_aws_say_reaches_the_intake_queue() {
    let resources = resources();
    // `!Ref OktaEventBus` is read as its argument.
    for (bus, name) in [
        ("OktaEventBus", "okta/account_status.bus"),
        ("Auth0EventBus", "auth0/account_status.bus"),
        ("OneLoginEventBus", "onelogin/bus"),
    ] {
        assert_eq!(delivered_from(&resources, Some(bus), &fixture(name)), ["HrIntakeQueue.Arn"], "{name}");
        let foreign = json!({ "source": "aws.partner/somebody.example/x", "detail": {} });
        assert!(delivered_from(&resources, Some(bus), &foreign).is_empty(), "{bus}");
    }
    let exposed = fixture("health/credentials_exposed");
    assert_eq!(delivered_from(&resources, None, &exposed), ["HrIntakeQueue.Arn"]);
    assert!(delivered_from(&resources, None, &fixture("health/other_service")).is_empty());
    for (source, event_source) in [
        ("aws.sso-directory", "sso-directory.amazonaws.com"),
        ("aws.identitystore", "identitystore.amazonaws.com"),
        ("aws.identitystore-scim", "identitystore-scim.amazonaws.com"),
    ] {
        let mut event = call(source, event_source);
        assert_eq!(delivered_from(&resources, None, &event), ["HrIntakeQueue.Arn"], "{event_source}");
        event["detail"]["errorCode"] = json!("AccessDenied");
        assert!(delivered_from(&resources, None, &event).is_empty(), "{event_source}: the call failed");
    }
    assert!(delivered_from(&resources, None, &call("aws.sso", "sso.amazonaws.com")).is_empty());
}

#[test]
fn a_rule_without_its_bus_is_not_made() {
    let template = YamlLoader::load_from_str(&read("template.yaml")).unwrap().remove(0);
    for (rule, condition) in RULES {
        assert_eq!(template["Resources"][rule]["Condition"].as_str(), condition, "{rule}");
        let Some(condition) = condition else { continue };
        let bus = template["Resources"][rule]["Properties"]["EventBusName"].as_str().unwrap();
        assert_eq!(template["Parameters"][bus]["Default"].as_str(), Some(""), "{bus}");
        let equals = &template["Conditions"][condition][0];
        assert_eq!((equals[0].as_str(), equals[1].as_str()), (Some(bus), Some("")), "{condition}");
    }
}

/// The queue's policy names the rules: another rule of the account cannot put anything there.
#[test]
fn the_queue_lets_just_these_rules_in() {
    let resources = resources();
    let to_intake = |rule: &Yaml| {
        let targets = rule["Properties"]["Targets"].as_vec().unwrap();
        targets.iter().any(|target| target["Arn"].as_str() == Some("HrIntakeQueue.Arn"))
    };
    let all = resources.as_hash().unwrap().iter();
    let rules = all.filter(|(_, it)| it["Type"].as_str() == Some("AWS::Events::Rule") && to_intake(it));
    // Rules of Rollcall's own bus are let in by its statement.
    let other = rules.filter(|(_, rule)| rule["Properties"]["EventBusName"].as_str() != Some("Bus"));
    let other: BTreeSet<&str> = other.map(|(name, _)| name.as_str().unwrap()).collect();
    assert_eq!(other, RULES.iter().map(|(rule, _)| *rule).collect());

    let mut let_in: BTreeSet<String> = RULES.iter().map(|(rule, _)| format!("{rule}.Arn")).collect();
    assert_eq!(by_name(&resources, "HrIntakeQueue"), let_in);
    // And where what they could not deliver ends. The bus itself and roster-load's rule end there, too.
    let_in.extend(["Bus.Arn", "RosterDropped.Arn"].map(str::to_owned));
    assert_eq!(by_name(&resources, "Undelivered"), let_in);
}

/// The sources of events that a queue's policy names, with or without a condition.
fn by_name(resources: &Yaml, queue: &str) -> BTreeSet<String> {
    let policies = of_type(resources, "AWS::SQS::QueuePolicy");
    let policy = policies.values().find(|policy| strings(&policy["Queues"]).contains(queue)).unwrap();
    let statements = policy["PolicyDocument"]["Statement"].as_vec().unwrap().iter();
    let arns = statements.filter_map(|statement| statement["Condition"]["ArnEquals"]["aws:SourceArn"].as_vec());
    arns.flatten().map(|arn| text(if arn.is_array() { &arn[1] } else { arn })).collect()
}

/// SQS refuses a statement with two resources, a policy with more than ten conditions, and the later of two policies would
/// take the place of the earlier one.
/// Source: Amazon SQS developer guide, "Limitations of custom policies", and API reference, `SetQueueAttributes`.
#[test]
fn each_queue_has_one_policy_that_sqs_takes() {
    let resources = resources();
    let mut with_policy = Vec::new();
    for (name, policy) in of_type(&resources, "AWS::SQS::QueuePolicy") {
        let queues = strings(&policy["Queues"]);
        let mut conditions = 0;
        for statement in policy["PolicyDocument"]["Statement"].as_vec().unwrap() {
            let resource = statement["Resource"].as_str();
            let resource = resource.unwrap_or_else(|| panic!("{name} names several resources in one statement"));
            let own = queues.len() == 1 && queues.contains(resource.trim_end_matches(".Arn"));
            assert!(resource == "*" || own, "{name}: {resource}");
            assert_eq!(statement["Action"].as_str(), Some("sqs:SendMessage"), "{name}");
            assert_eq!(statement["Principal"]["Service"].as_str(), Some("events.amazonaws.com"), "{name}");
            let sources = ["ArnLike", "ArnEquals"].map(|kind| &statement["Condition"][kind]["aws:SourceArn"]);
            let sources = sources.map(|it| it.as_vec().map_or(usize::from(it.as_str().is_some()), Vec::len));
            assert!(sources.iter().sum::<usize>() > 0, "{name} lets every rule of every account in");
            conditions += sources.iter().sum::<usize>();
        }
        assert!(conditions <= 10, "{name}: {conditions} conditions");
        with_policy.extend(queues);
    }
    with_policy.sort();
    let mut delivered_to = BTreeSet::from(["Undelivered".to_owned()]);
    for rule in of_type(&resources, "AWS::Events::Rule").values() {
        let targets = rule["Targets"].as_vec().unwrap().iter().map(|target| text(&target["Arn"]));
        let queues = targets.map(|arn| arn.trim_end_matches(".Arn").to_owned());
        delivered_to.extend(queues.filter(|name| resources[name.as_str()]["Type"].as_str() == Some("AWS::SQS::Queue")));
    }
    assert_eq!(with_policy, delivered_to.into_iter().collect::<Vec<_>>(), "each once");
}

/// The resources that a statement of hr-receive's role names: one, or one for each place of secrets.
fn named(resource: &Yaml) -> Vec<String> {
    let text = |it: &Yaml| it.as_str().unwrap().to_owned();
    match resource.as_vec() {
        Some(list) => list[1..].iter().map(text).collect(),
        None => vec![text(resource)],
    }
}

#[test]
fn hr_receive_may_do_what_it_does_and_nothing_else() {
    let resources = resources();
    let role = &resources["HrReceiveRole"]["Properties"];
    let arn = |rest: &str| format!("arn:${{AWS::Partition}}:ssm:${{AWS::Region}}:${{AWS::AccountId}}:parameter/{rest}");
    let receipts = format!("${{IntakeBucket.Arn}}/{}*", receipt::PREFIX);
    let secrets = [
        arn("aws/reference/secretsmanager/${AWS::StackName}/sources/*/secret"),
        arn("${AWS::StackName}/sources/*/secret"),
    ];
    let allowed: [(&str, &[&str], Vec<String>); 7] = [
        ("Receipts", &["s3:PutObject"], vec![receipts]),
        ("Messages", &["sqs:SendMessage"], vec!["HrIntakeQueue.Arn".into()]),
        ("Secrets", &["ssm:GetParameter"], secrets.to_vec()),
        ("Policy", &["ssm:GetParameter", "ssm:GetParameterHistory"], vec![arn("${PolicyDocument}")]),
        ("AtRest", &["kms:Decrypt", "kms:GenerateDataKey"], vec!["Key.Arn".into()]),
        ("Logs", &["logs:CreateLogStream", "logs:PutLogEvents"], vec!["${HrReceiveLogs.Arn}".into()]),
        ("Traces", &["xray:PutTelemetryRecords", "xray:PutTraceSegments"], vec!["*".into()]),
    ];
    for (sid, actions, resource) in &allowed {
        let statement = statement(role, sid);
        let found = statement["Action"].as_str().map_or_else(|| strings(&statement["Action"]), |one| set(&[one]));
        assert_eq!(found, set(actions), "{sid}");
        assert_eq!(named(&statement["Resource"]), *resource, "{sid}");
    }
    let statements = role["Policies"][0]["PolicyDocument"]["Statement"].as_vec().unwrap();
    // And, where secrets are in Secrets Manager, those.
    let conditional: Vec<&Yaml> = statements.iter().filter(|statement| statement.as_vec().is_some()).collect();
    assert_eq!((statements.len(), conditional.len()), (allowed.len() + 1, 1));
    let manager = &conditional[0][1];
    assert_eq!(conditional[0][0].as_str(), Some("SecretsInSecretsManager"));
    assert_eq!(manager["Action"].as_str(), Some("secretsmanager:GetSecretValue"));
    assert_eq!(in_secrets_manager(role), names("secret"));
    // hr-intake reads tokens there, in the same way.
    assert_eq!(in_secrets_manager(&resources["HrIntakeRole"]["Properties"]), names("token"));
}

/// A secret's name as IAM compares it. One that does not exist has no characters of chance at its end: where just the longer
/// pattern is allowed, it would be forbidden, not absent.
fn names(purpose: &str) -> BTreeSet<String> {
    let arn =
        "arn:${AWS::Partition}:secretsmanager:${AWS::Region}:${AWS::AccountId}:secret:${AWS::StackName}/sources/*";
    ["", "-??????"].map(|end| format!("{arn}/{purpose}{end}")).into()
}

/// The secrets that a role may read where they are in Secrets Manager.
fn in_secrets_manager(role: &Yaml) -> BTreeSet<String> {
    let statements = role["Policies"][0]["PolicyDocument"]["Statement"].as_vec().unwrap().iter();
    let mut conditional = statements.filter(|it| it[0].as_str() == Some("SecretsInSecretsManager"));
    strings(&conditional.next().unwrap()[1]["Resource"])
}

#[test]
fn hr_receive_finds_its_time_its_address_and_its_variables() {
    let resources = resources();
    let function = &resources["HrReceive"]["Properties"];
    assert_eq!(function["Timeout"].as_i64(), Some(TIMEOUT.as_secs()));
    assert_eq!(function["FunctionUrlConfig"]["AuthType"].as_str(), Some("NONE"));
    let variables = function["Environment"]["Variables"].as_hash().unwrap();
    let set: BTreeSet<String> = variables.keys().map(|name| name.as_str().unwrap().to_owned()).collect();
    let read = RefCell::new(BTreeSet::new());
    ReceiveConfig::read(|name| {
        read.borrow_mut().insert(name.to_owned());
        set.contains(name).then(|| "x".to_owned())
    })
    .unwrap();
    assert_eq!(read.into_inner(), set);
}

/// A new account has no concurrency to reserve: the stack must come up without, and prod must set the limit.
#[test]
fn hr_receive_is_limited_where_somebody_says_so_and_no_other_function_is() {
    let (template, resources) = (template(), resources());
    assert_eq!(template["Parameters"]["ReceiveConcurrency"]["Default"].as_i64(), Some(0));
    let equals = &template["Conditions"]["ReceiveIsLimited"][0];
    assert_eq!((equals[0].as_str(), equals[1].as_i64()), (Some("ReceiveConcurrency"), Some(0)));
    for (name, function) in of_type(&resources, "AWS::Serverless::Function") {
        let reserved = &function["ReservedConcurrentExecutions"];
        if name == "HrReceive" {
            let parts: Vec<String> = reserved.as_vec().unwrap().iter().map(text).collect();
            assert_eq!(parts, ["ReceiveIsLimited", "ReceiveConcurrency", "AWS::NoValue"]);
        } else {
            assert!(reserved.is_badvalue(), "{name}");
        }
    }
    let prod = read("samconfig.toml").rsplit_once("parameter_overrides").unwrap().1.to_owned();
    assert!(prod.contains("ReceiveConcurrency=50") && prod.contains("Mode=observe"), "{prod}");
}

#[test]
fn receipts_are_encrypted_and_expire() {
    let resources = resources();
    let bucket = &resources["IntakeBucket"]["Properties"];
    let encryption = &bucket["BucketEncryption"]["ServerSideEncryptionConfiguration"][0];
    assert_eq!(encryption["ServerSideEncryptionByDefault"]["KMSMasterKeyID"].as_str(), Some("Key.Arn"));
    let rule = &bucket["LifecycleConfiguration"]["Rules"][0];
    assert_eq!(
        (rule["Prefix"].as_str(), rule["ExpirationInDays"].as_str()),
        (Some(receipt::PREFIX), Some("ReceiptDays"))
    );
    assert!(bucket["VersioningConfiguration"].is_badvalue(), "what expires is gone");
    for block in ["BlockPublicAcls", "BlockPublicPolicy", "IgnorePublicAcls", "RestrictPublicBuckets"] {
        assert_eq!(bucket["PublicAccessBlockConfiguration"][block].as_bool(), Some(true), "{block}");
    }
    let policy = &resources["IntakeBucketPolicy"]["Properties"];
    let tls = &policy["PolicyDocument"]["Statement"][0];
    assert_eq!((policy["Bucket"].as_str(), tls["Effect"].as_str()), (Some("IntakeBucket"), Some("Deny")));
    assert_eq!(tls["Condition"]["Bool"]["aws:SecureTransport"].as_str(), Some("false"));
}
