//! `audit`: a run from here, by the stack's policy, and its plan applied on the stack's bus.

use crate::stage::{LWA, Stage, account};
use serde_json::{Value, json};

const ROSTER: &str = "worker_id,email,status,end_date\n\
    1,p0@lwa.example,active,\n2,p1@lwa.example,terminated,2024-01-05\n3,p2@lwa.example,active,\n";

#[tokio::test]
async fn a_run_is_shown_and_what_was_looked_at_is_applied() {
    let stage = Stage::new("audit", json!([account(LWA, "EnterpriseLWA", 3)]), &json!({})).await;
    std::fs::write(stage.folder.join("people.csv"), ROSTER).unwrap();
    let run = stage.run("audit run --roster people.csv --name first --mode propose --output json").await;
    assert_eq!(run.code, Some(0), "{run:?}");
    let told = run.json();
    assert_eq!((&told["run"], &told["accounts"][0]["users"]), (&json!("first"), &json!(3)), "{told}");
    assert_eq!(stage.changes(), Vec::<String>::new(), "it changes nothing");
    let shown = stage.run("audit show first --output json").await;
    assert_eq!(shown.json(), told);
    let digest = told["plan"]["digest"].as_str().unwrap();
    let proposed: u64 = told["plan"]["proposals"].as_object().unwrap().values().filter_map(Value::as_u64).sum();
    let words = ["audit", "apply", "first", "--roster", "people.csv", "--digest", "0000"];
    let other = stage.run_with(&words, "").await;
    assert_eq!((other.code, stage.aws.there().count("PutEvents")), (Some(1), 0), "{other:?}");
    let words = ["audit", "apply", "first", "--roster", "people.csv", "--digest", digest];
    let applied = stage.run_with(&words, "").await;
    assert_eq!((applied.out, applied.code), (format!("first: {proposed} asked for, 0 no longer true"), Some(0)));
    assert!(proposed > 0, "{told}");
    assert!(stage.aws.there().published.iter().all(|entry| entry["EventBusName"] == "acme-bus"));
    assert_eq!(stage.aws.there().published.len() as u64, proposed);
}
