//! `send`: validated first, published in order, each entry's own answer told.

use crate::stage::{Stage, termination};
use serde_json::{Value, json};

async fn stage(name: &str) -> Stage {
    Stage::new(name, json!([]), &json!({})).await
}

/// A detail in its EventBridge envelope.
fn envelope(detail: &Value) -> Value {
    json!({
        "version": "0", "id": "6a7e8feb-b491-4cf7-a9f1-bf3703467718", "detail-type": "worker.termination.effective",
        "source": "rollcall.hr", "account": "111122223333", "time": "2024-01-23T11:59:59Z", "region": "eu-west-1",
        "resources": [], "detail": detail,
    })
}

/// The ids on the bus, in order.
fn published(stage: &Stage) -> Vec<String> {
    let there = stage.aws.there();
    let detail = |entry: &Value| serde_json::from_str::<Value>(entry["Detail"].as_str().unwrap()).unwrap();
    there.published.iter().map(|entry| detail(entry)["eventId"].as_str().unwrap().to_owned()).collect()
}

/// Results in order.
fn results(out: &Value) -> Vec<&str> {
    out.as_array().unwrap().iter().map(|sent| sent["result"].as_str().unwrap()).collect()
}

/// So many events, as JSON lines.
fn lines(n: usize) -> String {
    (0..n).map(|n| format!("{}\n", termination(&format!("t{n:02}"), n))).collect()
}

const GOLDEN: &str = "\
┌───────────────┬───────┬──────────────────────────────┬──────────────┬─────────┬────────────────────────────────────────────────┐
│ at            ┆ event ┆ type                         ┆ for          ┆ result  ┆                                                │
╞═══════════════╪═══════╪══════════════════════════════╪══════════════╪═════════╪════════════════════════════════════════════════╡
│ good.json:1   ┆ t1    ┆ worker.termination.effective ┆ suspend-user ┆ valid   ┆                                                │
│ lines.jsonl:1 ┆ t2    ┆ worker.termination.effective ┆ suspend-user ┆ valid   ┆                                                │
│ lines.jsonl:3 ┆       ┆                              ┆              ┆ invalid ┆ detail.subject.email must be an e-mail address │
│ lines.jsonl:4 ┆       ┆                              ┆              ┆ invalid ┆ body is not JSON (line 1, column 7)            │
│ -:1           ┆ t4    ┆ worker.termination.effective ┆ suspend-user ┆ valid   ┆                                                │
└───────────────┴───────┴──────────────────────────────┴──────────────┴─────────┴────────────────────────────────────────────────┘
3 of 5 valid";

#[tokio::test]
async fn a_dry_run_tells_what_is_wrong_and_where_and_never_a_value() {
    let stage = stage("send-dry").await;
    let pretty = serde_json::to_string_pretty(&termination("t1", 1)).unwrap();
    std::fs::write(stage.folder.join("good.json"), pretty).unwrap();
    let mut wrong = termination("t3", 3);
    wrong["subject"]["email"] = "Grace-Hopper-at-lwa".into();
    let second = envelope(&termination("t2", 2));
    std::fs::write(stage.folder.join("lines.jsonl"), format!("{second}\n\n{wrong}\n{{\"Ada\":\n")).unwrap();
    let words = ["send", "--dry-run", "good.json", "lines.jsonl", "-"];
    let told = stage.tool(&[], &words, &termination("t4", 4).to_string()).await;
    assert_eq!((told.out.as_str(), told.code), (GOLDEN, Some(1)));
    assert!(!told.out.contains("Grace") && !told.out.contains("Ada"), "{told:?}");
    assert_eq!(stage.aws.there().calls, Vec::<String>::new(), "it needs nothing of AWS");
}

#[tokio::test]
async fn nothing_is_published_where_one_is_wrong_unless_told_to_keep_going() {
    let stage = stage("send-one-wrong").await;
    let input = format!("{}\n{{\"eventId\":\"t2\"}}\n{}", termination("t1", 1), termination("t3", 3));
    let told = stage.run_with(&["send", "-", "--output", "json"], &input).await;
    assert_eq!((results(&told.json()), told.code), (vec!["not_sent", "invalid", "not_sent"], Some(1)));
    assert_eq!(published(&stage), Vec::<String>::new());
    let told = stage.run_with(&["send", "-", "--keep-going", "--output", "json"], &input).await;
    assert_eq!((results(&told.json()), told.code), (vec!["published", "invalid", "published"], Some(1)));
    assert_eq!(published(&stage), ["t1", "t3"]);
}

#[tokio::test]
async fn events_go_out_in_tens_and_in_order() {
    let stage = stage("send-tens").await;
    let told = stage.run_with(&["send", "-", "--output", "json"], &lines(23)).await;
    assert_eq!(told.code, Some(0), "{told:?}");
    assert_eq!(published(&stage), (0..23).map(|n| format!("t{n:02}")).collect::<Vec<_>>());
    let there = stage.aws.there();
    assert_eq!(there.count("PutEvents"), 3);
    let entry = &there.published[0];
    assert_eq!(
        (&entry["EventBusName"], &entry["Source"], &entry["DetailType"]),
        (&json!("acme-bus"), &json!("rollcall.hr"), &json!("worker.termination.effective"))
    );
    assert_eq!(told.json()[22]["eventId"], "t22");
}

/// An envelope's own detail goes out, as its sender wrote it.
#[tokio::test]
async fn an_envelope_is_opened() {
    let stage = stage("send-envelope").await;
    let detail = termination("t1", 1);
    let told = stage.run_with(&["send", "-"], &envelope(&detail).to_string()).await;
    assert_eq!(told.code, Some(0), "{told:?}");
    let sent: Value = serde_json::from_str(stage.aws.there().published[0]["Detail"].as_str().unwrap()).unwrap();
    assert_eq!(sent, detail);
}

#[tokio::test]
async fn what_the_bus_does_not_take_is_told_by_entry() {
    let stage = stage("send-refused").await;
    stage.aws.there().unwanted = Some("t03");
    let told = stage.run_with(&["send", "-", "--output", "json"], &lines(12)).await;
    let out = told.json();
    assert_eq!(told.code, Some(1));
    assert_eq!(results(&out)[..4], ["published", "published", "published", "failed"]);
    assert_eq!(out[3]["message"], "the bus did not take it: NotAuthorizedForBus");
    assert_eq!(results(&out)[9..], ["published", "not_sent", "not_sent"], "what follows would overtake it");
    stage.aws.there().published.clear();
    let told = stage.run_with(&["send", "-", "--keep-going", "--output", "json"], &lines(12)).await;
    assert_eq!((results(&told.json())[10], told.code), ("published", Some(1)));
    assert_eq!(published(&stage).len(), 11);
}

#[tokio::test]
async fn what_no_function_consumes_and_what_is_not_there_is_not_sent() {
    let stage = stage("send-nobody").await;
    let mut nobody = termination("t1", 1);
    (nobody["kind"], nobody["phase"]) = ("unclassified".into(), "unknown".into());
    let told = stage.run_with(&["send", "-", "--output", "json"], &nobody.to_string()).await;
    assert_eq!((results(&told.json()), told.code), (vec!["invalid"], Some(1)), "{told:?}");
    let absent = stage.run("send absent.json").await;
    assert_eq!((absent.code, absent.out.as_str()), (Some(1), ""));
    assert!(absent.err.starts_with("rollcall: absent.json cannot be read: "), "{absent:?}");
    // Nothing is no success: a feed that wrote an empty file did not send.
    assert_eq!(stage.run_with(&["send", "-"], "").await.code, Some(1));
    assert_eq!(stage.aws.there().count("PutEvents"), 0);
}
