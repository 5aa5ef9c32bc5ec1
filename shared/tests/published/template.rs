//! `template.yaml`: where the bus delivers each event, and what each function may do.

use crate::{every_event, read};
use rollcall::event::{EventType, LoginStatus, SOURCE};
use rollcall::ledger::SLICE_EVENTS;
use rollcall::routes::{Function, consumer};
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use yaml_rust2::{Yaml, YamlLoader};

/// The template.
pub(crate) fn template() -> Yaml {
    YamlLoader::load_from_str(&read("template.yaml")).unwrap().remove(0)
}

/// The template's resources.
pub(crate) fn resources() -> Yaml {
    template()["Resources"].clone()
}

/// A text or a number, as text.
pub(crate) fn text(yaml: &Yaml) -> String {
    yaml.as_str().map(str::to_owned).or_else(|| yaml.as_i64().map(|it| it.to_string())).unwrap()
}

/// The properties of the resources of a type, by their logical names.
pub(crate) fn of_type(resources: &Yaml, kind: &str) -> BTreeMap<String, Yaml> {
    let all = resources.as_hash().unwrap().iter().filter(|(_, it)| it["Type"].as_str() == Some(kind));
    all.map(|(name, it)| (text(name), it["Properties"].clone())).collect()
}

pub(crate) fn strings(list: &Yaml) -> BTreeSet<String> {
    list.as_vec().unwrap().iter().map(|item| item.as_str().unwrap().to_owned()).collect()
}

pub(crate) fn set(list: &[&str]) -> BTreeSet<String> {
    list.iter().map(|item| (*item).to_owned()).collect()
}

/// The logical name of a function: `suspend-user` is `SuspendUser`.
pub(crate) fn logical(function: Function) -> String {
    let word = |word: &str| word[..1].to_uppercase() + &word[1..];
    function.as_str().split('-').map(word).collect()
}

/// Whether an event matches a pattern of EventBridge, of what the template uses of that language.
fn matches(pattern: &Yaml, event: Option<&Value>) -> bool {
    let member = |(name, pattern): (&Yaml, &Yaml)| matches(pattern, event.and_then(|event| event.get(name.as_str()?)));
    match pattern.as_hash() {
        Some(members) => members.iter().all(member),
        None => pattern.as_vec().unwrap().iter().any(|one| one_matches(one, event)),
    }
}

fn one_matches(one: &Yaml, value: Option<&Value>) -> bool {
    if let Some(text) = one.as_str() {
        return value.is_some_and(|value| value == text);
    }
    if let Some(prefix) = one["prefix"].as_str() {
        return value.and_then(Value::as_str).is_some_and(|text| text.starts_with(prefix));
    }
    match (one["anything-but"].as_vec(), one["exists"].as_bool()) {
        (Some(_), None) => {
            let excluded = strings(&one["anything-but"]);
            value.is_some_and(|value| value.as_str().is_none_or(|text| !excluded.contains(text)))
        }
        (None, Some(false)) => value.is_none(),
        (_, _) => panic!("{one:?} is no pattern that this test knows"),
    }
}

/// What the template's rules deliver an event of Rollcall's bus to.
fn delivered(resources: &Yaml, event: &Value) -> Vec<String> {
    delivered_from(resources, Some("Bus"), event)
}

/// What the template's rules deliver an event of a bus to; `None` is the default bus.
pub(crate) fn delivered_from(resources: &Yaml, bus: Option<&str>, event: &Value) -> Vec<String> {
    let rules = resources.as_hash().unwrap().values().filter(|it| it["Type"].as_str() == Some("AWS::Events::Rule"));
    let rules = rules.filter(|rule| rule["Properties"]["EventBusName"].as_str() == bus);
    let matched = rules.filter(|rule| matches(&rule["Properties"]["EventPattern"], Some(event)));
    let targets = matched.flat_map(|rule| rule["Properties"]["Targets"].as_vec().unwrap());
    targets.map(|target| target["Arn"].as_str().unwrap().to_owned()).collect()
}

fn envelope(source: &str, event_type: EventType, login: Option<LoginStatus>) -> Value {
    let mut event = json!({ "source": source, "detail-type": event_type.detail_type(), "detail": {} });
    if let Some(login) = login {
        event["detail"]["status"] = json!({ "before": null, "after": login });
    }
    event
}

#[test]
fn each_event_goes_to_its_one_consumer_and_the_rest_to_unrouted() {
    let resources = resources();
    for (event_type, login) in every_event() {
        let queue = consumer(event_type, login).map_or("Unrouted".to_owned(), |it| format!("{}Queue", logical(it)));
        let ours = delivered(&resources, &envelope(SOURCE, event_type, login));
        assert_eq!(ours, [format!("{queue}.Arn")], "{} {login:?}", event_type.detail_type());
        let foreign = delivered(&resources, &envelope("somebody.else", event_type, login));
        assert_eq!(foreign, ["Unrouted.Arn"], "{} {login:?}", event_type.detail_type());
    }
    let unknown = json!({ "source": SOURCE, "detail-type": "worker.promotion", "detail": {} });
    assert_eq!(delivered(&resources, &unknown), ["Unrouted.Arn"]);
    // A status that is none is for suspend-user, which parks it.
    for status in [json!({}), json!({ "after": null }), json!({ "after": "asleep" }), json!({ "after": 3 })] {
        let login =
            json!({ "source": SOURCE, "detail-type": "account.status.effective", "detail": { "status": status } });
        assert_eq!(delivered(&resources, &login), ["SuspendUserQueue.Arn"], "{login}");
    }
}

#[test]
fn queue_and_function_agree_on_time_and_size() {
    let resources = resources();
    let globals = YamlLoader::load_from_str(&read("template.yaml")).unwrap()[0]["Globals"]["Function"].clone();
    let timeout = globals["Timeout"].as_i64().unwrap();
    for function in Function::ALL {
        let name = logical(function);
        let source = &resources[name.as_str()]["Properties"]["Events"]["Messages"]["Properties"];
        let window = source["MaximumBatchingWindowInSeconds"].as_i64().unwrap();
        let queue = &resources[format!("{name}Queue").as_str()]["Properties"];
        assert_eq!(queue["VisibilityTimeout"].as_i64(), Some(6 * timeout + window), "{name}");
        assert_eq!(source["BatchSize"].as_i64(), Some(i64::try_from(SLICE_EVENTS).unwrap()), "{name}");
        assert_eq!(strings(&source["FunctionResponseTypes"]), set(&["ReportBatchItemFailures"]));
        assert_eq!(queue["RedrivePolicy"]["maxReceiveCount"].as_i64(), Some(200), "{name}");
    }
}

/// What a function does in the directory, besides looking people up.
fn changes(function: Function) -> &'static [&'static str] {
    match function {
        Function::InviteUser | Function::ReinstateUser => {
            &["chime:InviteUsers", "chime:BatchUnsuspendUser", "chime:BatchUpdateUser"]
        }
        Function::SuspendUser => &["chime:BatchSuspendUser", "chime:LogoutUser", "chime:ResetPersonalPIN"],
        Function::LogoutUser => &["chime:LogoutUser", "chime:ResetPersonalPIN"],
        Function::RelicenseUser => &["chime:BatchUpdateUser"],
        Function::HrIntake => &[],
    }
}

/// The budgets that a function draws on.
fn budgets(function: Function) -> &'static [&'static str] {
    match function {
        Function::InviteUser | Function::ReinstateUser => &["budget#licence*", "budget#group#*", "population"],
        Function::SuspendUser => &["budget#access*", "budget#group#*", "population"],
        Function::RelicenseUser => &["budget#licence*", "population"],
        Function::LogoutUser | Function::HrIntake => &[],
    }
}

/// What a role's statement of this name allows, and on what.
pub(crate) fn statement<'a>(role: &'a Yaml, sid: &str) -> &'a Yaml {
    let statements = role["Policies"][0]["PolicyDocument"]["Statement"].as_vec().unwrap();
    statements.iter().find(|statement| statement["Sid"].as_str() == Some(sid)).unwrap()
}

/// Who is remembered is looked up by id where memory alone is not enough.
fn by_id(function: Function) -> &'static [&'static str] {
    match function {
        Function::InviteUser | Function::SuspendUser | Function::ReinstateUser | Function::RelicenseUser => {
            &["chime:GetUser"]
        }
        Function::LogoutUser | Function::HrIntake => &[],
    }
}

/// What hr-intake may besides: keep receipts, ask roster and tokens, publish, set schedules, and see what waits and whether
/// the brake has latched. Nothing of the directory.
const INTAKE: [&str; 10] =
    ["Due", "Waiting", "Budgets", "Roster", "Receipts", "Absence", "Publishing", "WakeUps", "WakeAs", "Tokens"];

#[test]
fn a_role_allows_what_its_function_does_and_nothing_else() {
    let resources = resources();
    let sids = ["Directory", "LedgerItems", "Queue", "Parking", "Policy", "AtRest", "Logs", "Traces"];
    for function in Function::ALL {
        let name = logical(function);
        let role = &resources[format!("{name}Role").as_str()]["Properties"];
        let found: BTreeSet<String> = role["Policies"][0]["PolicyDocument"]["Statement"]
            .as_vec()
            .unwrap()
            .iter()
            // A statement of one condition alone is a list: where secrets are not in Parameter Store.
            .filter_map(|statement| statement["Sid"].as_str().map(str::to_owned))
            .collect();
        let is_intake = function == Function::HrIntake;
        let people = function.never_waits().then_some("People");
        let expected = sids.into_iter().filter(|sid| !is_intake || *sid != "Directory").chain(people);
        let expected = expected.chain(INTAKE.into_iter().filter(|_| is_intake));
        assert_eq!(found, expected.map(str::to_owned).collect(), "{name}");

        if !is_intake {
            let look_up = ["chime:GetAccount", "chime:ListAccounts", "chime:ListUsers"];
            let directory = [changes(function), &look_up, by_id(function)].concat();
            assert_eq!(strings(&statement(role, "Directory")["Action"]), set(&directory), "{name}");
        }

        let own = format!("{}#*", function.as_str());
        let people: &[&str] = if function.never_waits() { &[] } else { &["person#*", "alias#*"] };
        let receipts: &[&str] = if is_intake { &["receipt#*", "source#*"] } else { &[] };
        let items = [&[own.as_str()], people, receipts, budgets(function)].concat();
        let ledger = statement(role, "LedgerItems");
        let keys = &ledger["Condition"]["ForAllValues:StringLike"]["dynamodb:LeadingKeys"];
        assert_eq!(strings(keys), set(&items), "{name}");

        if is_intake {
            let absence = statement(role, "Absence");
            assert_eq!(absence["Action"].as_str(), Some("s3:ListBucket"), "else a receipt that expired is forbidden");
            assert_eq!(absence["Resource"].as_str(), Some("IntakeBucket.Arn"));
            let held = &statement(role, "Waiting")["Condition"]["ForAllValues:StringEquals"]["dynamodb:LeadingKeys"];
            assert_eq!(strings(held), set(&["held"]));
            let reads = statement(role, "Budgets");
            assert_eq!(reads["Action"].as_str(), Some("dynamodb:BatchGetItem"));
            let budgets = &reads["Condition"]["ForAllValues:StringLike"]["dynamodb:LeadingKeys"];
            assert_eq!(strings(budgets), set(&["budget#access*", "budget#licence*"]));
        }

        let policy = statement(role, "Policy");
        assert_eq!(strings(&policy["Action"]), set(&["ssm:GetParameter", "ssm:GetParameterHistory"]), "{name}");
        assert!(policy["Resource"].as_str().unwrap().ends_with(":parameter/${PolicyDocument}"), "{name}");
        let variables = &resources[name.as_str()]["Properties"]["Environment"]["Variables"];
        assert_eq!(variables["ROLLCALL_POLICY"].as_str(), Some("ssm:${PolicyDocument}"), "{name}");
        for (sid, resource) in [("Queue", "Queue"), ("Parking", "Dlq")] {
            let allowed = statement(role, sid)["Resource"].as_str().unwrap();
            assert_eq!(allowed, format!("{name}{resource}.Arn"), "{name}");
        }
    }
}
