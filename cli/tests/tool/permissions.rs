//! What docs/operator.md says that each command may be allowed, against what it asks for when it is run.

use crate::stage::{LWA, Stage, account, policy, termination};
use rollcall::routes::Function;
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};

/// The table under the page's heading "Permissions": a command, and its actions.
fn table() -> BTreeMap<String, BTreeSet<String>> {
    let page = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/operator.md")).unwrap();
    let section = page.split_once("## Permissions\n").unwrap().1;
    let rows = section.lines().filter(|line| line.starts_with("| `"));
    let row = |line: &str| {
        let cells: Vec<&str> = line.trim_matches('|').split('|').collect();
        let quoted = |cell: &str| cell.split('`').skip(1).step_by(2).map(str::to_owned).collect::<Vec<_>>();
        (quoted(cells[0]).remove(0), quoted(cells[1]).into_iter().collect())
    };
    rows.map(row).collect()
}

/// The actions that were asked for since the last time. A request for a batch is allowed by the action of one; a
/// transaction by those of its parts. Sources: the Service Authorization Reference, and "Using IAM with transactions" of
/// the DynamoDB guide.
fn asked(stage: &Stage) -> BTreeSet<String> {
    let mut there = stage.aws.there();
    let mut actions: BTreeSet<String> =
        std::mem::take(&mut there.tables).into_iter().map(|operation| format!("dynamodb:{operation}")).collect();
    for call in std::mem::take(&mut there.calls) {
        let (operation, about) = call.split_once(' ').unwrap();
        let operation = operation.trim_end_matches("Batch");
        let service = match operation {
            // Every command asks for it.
            "GetParameter" if about.ends_with("/operator") => continue,
            "GetParameter" if about.starts_with("/aws/reference/") => {
                actions.insert("secretsmanager:GetSecretValue".to_owned());
                "ssm"
            }
            "GetParameter" => "ssm",
            "PutEvents" => "events",
            "GetEventSourceMapping" | "UpdateEventSourceMapping" => "lambda",
            _ => "sqs",
        };
        actions.insert(format!("{service}:{operation}"));
    }
    let mut chime = stage.chime.core();
    let operations = chime.calls().iter().filter_map(|call| call.operation);
    actions.extend(operations.map(|operation| format!("chime:{operation:?}")));
    chime.forget_calls();
    actions
}

#[tokio::test]
async fn each_command_asks_for_what_the_page_says() {
    let brake = json!({ "brake": { "access": { "limits": [{ "count": 0, "window": "1h" }] } } });
    let accounts = json!([account(LWA, "EnterpriseLWA", 6), account("team", "Team", 2)]);
    let stage = Stage::new("permissions", accounts, &brake).await;
    let mut wrong = policy(&json!({}));
    wrong["accounts"][0]["account"] = "lwb".into();
    stage.set_policy(&wrong);
    stage.terminate(&[termination("p1", 4), termination("p2", 5), termination("p3", 0)]).await;
    stage.set_policy(&policy(&brake));
    stage.terminate(&[termination("h1", 1), termination("h2", 2), termination("h3", 3)]).await;
    stage.aws.there().put(&crate::stage::queue_of(Function::SuspendUser), "{}", Value::Null);
    {
        // Parked after every pass began: it is put back.
        let (mut there, dlq) = (stage.aws.there(), crate::stage::dlq_of(Function::SuspendUser));
        there.put(&dlq, "{}", Value::Null);
        there.queues.get_mut(&dlq).unwrap().last_mut().unwrap().sent_at = i64::MAX;
    }
    std::fs::write(stage.folder.join("event.json"), termination("e1", 0).to_string()).unwrap();
    let roster = "worker_id,email,status,end_date\n1,p0@lwa.example,terminated,2024-01-05\n2,p1@lwa.example,active,\n";
    std::fs::write(stage.folder.join("people.csv"), roster).unwrap();
    asked(&stage);
    let mut digest = String::new();
    let mut found = BTreeMap::new();
    for (row, words) in [
        ("send", "send event.json"),
        ("status", "status"),
        ("held list", "held list"),
        ("held show", "held show h1"),
        ("held show --open", "held show h1 --open"),
        ("held release", "held release h1 --by ana"),
        ("held release --all", "held release --all held --reason any --yes --by ana"),
        ("held reject", "held reject h2 --by ana --reason wrong --force"),
        ("held reject --all", "held reject --all held --by ana --reason wrong --force"),
        ("parked list", "parked list"),
        ("parked show", "parked show p1"),
        ("parked show --open", "parked show p1 --open"),
        ("parked reject", "parked reject p3 --by ana --reason wrong"),
        ("parked redrive", "parked redrive p1"),
        ("parked redrive --all", "parked redrive --all"),
        ("brake show", "brake show"),
        ("brake reset", "brake reset access"),
        ("brake population", "brake population 100"),
        ("pause", "pause suspend-user"),
        ("resume", "resume suspend-user"),
        ("why", "why h1"),
        ("why ADDRESS", "why p1@lwa.example"),
        ("proof", "proof h1"),
        ("proof --since", "proof --since 2024-01-01T00:00:00Z"),
        ("audit run", "audit run --roster people.csv --name first --mode propose --output json"),
        ("audit show", "audit show first"),
        ("audit apply", "audit apply first --roster people.csv --digest"),
        ("account list", "account list"),
        ("account create", "account create Acme"),
        ("account rename", "account rename team Staff"),
        ("account settings", "account settings team --dial-out on"),
        ("account close", "account close team --yes Staff"),
    ] {
        let words = if row == "audit apply" { format!("{words} {digest}") } else { words.to_owned() };
        let told = stage.run(&words).await;
        // A proof of what was not done exits 1, and so does a status that needs somebody, and a letter that is gone.
        assert!(told.code == Some(0) || ["status", "proof", "parked redrive --all"].contains(&row), "{row}: {told:?}");
        if row == "audit run" {
            digest = told.json()["plan"]["digest"].as_str().unwrap().to_owned();
        }
        found.insert(row.to_owned(), asked(&stage));
    }
    let told = table();
    let differ: Vec<_> = found.iter().filter(|(row, actions)| told.get(*row) != Some(*actions)).collect();
    assert!(differ.is_empty(), "asked for, and not as the page says: {differ:#?}");
    assert_eq!(told.len(), found.len(), "every row of the page was run");
}
