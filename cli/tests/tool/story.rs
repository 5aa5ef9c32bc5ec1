//! `why` and `proof`: by the stack's policy and key, or by those that are given.

use crate::dynamo::{LEDGER, put};
use crate::stage::{LWA, SECRET, Stage, account, policy, termination};
use serde_json::{Value, json};

async fn stage(name: &str) -> Stage {
    let stage = Stage::new(name, json!([account(LWA, "EnterpriseLWA", 2)]), &json!({})).await;
    stage.terminate(&[termination("t1", 1)]).await;
    assert_eq!(stage.status(1), "Suspended", "the road did it");
    stage
}

#[tokio::test]
async fn a_person_is_found_by_every_name_and_named_by_none() {
    let stage = stage("why").await;
    stage.aws.there().calls.clear();
    let by_event = stage.run("why t1").await;
    assert_eq!(by_event.code, Some(0), "{by_event:?}");
    assert!(!stage.aws.there().calls.contains(&format!("GetParameter {SECRET}")), "an event needs no key");
    for told in ["no access is due: termination from 2024-01-22T18:00:00Z", "suspend confirmed", "> "] {
        assert!(by_event.out.contains(told), "{told}: {by_event:?}");
    }
    assert!(!by_event.out.contains("lwa.example") && !by_event.out.contains("lwa-1"), "{by_event:?}");
    let person = stage.run("why t1 --output json").await.json()["person"].as_str().unwrap().to_owned();
    for who in ["P1@lwa.example", "worker:lwa-1", &person] {
        let told = stage.run_with(&["why", who, "--output", "json"], "").await;
        assert_eq!((told.code, &told.json()["person"]), (Some(0), &json!(person)), "{who}");
    }
    assert!(stage.aws.there().calls.contains(&format!("GetParameter {SECRET}")), "an address does");
    // An event's id may look like the hash of a person.
    let like_a_hash = "01968a1e7b6e7c1a9d3b5f2f3c4d5e6f";
    stage.terminate(&[termination(like_a_hash, 0)]).await;
    let told = stage.run(&format!("why {like_a_hash} --output json")).await.json();
    assert_eq!(told["asked"], format!("suspend-user#{like_a_hash}"));
    let nobody = stage.run("why nobody").await;
    assert_eq!((nobody.code, nobody.out.as_str()), (Some(1), ""), "{nobody:?}");
}

/// A leave takes access only where the policy says so.
#[tokio::test]
async fn the_policy_of_a_file_wins_over_the_stacks() {
    let stage = stage("why-policy").await;
    let mut leave = termination("l1", 0);
    leave["kind"] = "leave".into();
    stage.terminate(&[leave]).await;
    let keeps = policy(&json!({ "access": { "on_leave": "keep" } }));
    std::fs::write(stage.folder.join("other.json"), keeps.to_string()).unwrap();
    // The stack's policy suspends by default.
    for (words, not_due) in [("l1", true), ("l1 --policy other.json", false)] {
        let why = stage.run(&format!("why {words} --output json")).await.json()["access"] == "not_due";
        let proof = stage.run(&format!("proof {words} --output json")).await.json()["access"] == "not_due";
        assert_eq!((why, proof), (not_due, not_due), "{words}");
    }
}

#[tokio::test]
async fn a_lock_out_is_proven_with_chimes_own_request_id() {
    let stage = stage("proof").await;
    let told = stage.run("proof t1").await;
    assert_eq!(told.code, Some(0), "{told:?}");
    let request = {
        let core = stage.chime.core();
        let mut calls =
            core.calls().iter().filter(|call| call.operation.is_some_and(|it| format!("{it:?}") == "BatchSuspendUser"));
        calls.next().unwrap().request_id.clone().unwrap()
    };
    for line in
        ["| ledger | acme-ledger |", "| conclusion | locked out by suspend-user#t1", &format!("request `{request}`")]
    {
        assert!(told.out.contains(line), "{line}: {told:?}");
    }
    let json = stage.run("proof t1 --output json").await.json();
    assert_eq!((&json["conclusion"], &json["ledger"]), (&json!("locked_out"), &json!("acme-ledger")));
}

/// The brake holds it, so no access is due and nobody was locked out.
#[tokio::test]
async fn what_is_not_proven_exits_1() {
    let brake = json!({ "brake": { "access": { "limits": [{ "count": 0, "window": "1h" }] } } });
    let stage = Stage::new("proof-held", json!([account(LWA, "EnterpriseLWA", 2)]), &brake).await;
    stage.terminate(&[termination("t1", 1)]).await;
    let told = stage.run("proof t1").await;
    assert_eq!(told.code, Some(1));
    assert!(told.out.contains("NOT locked out by Rollcall"), "{told:?}");
}

#[tokio::test]
async fn a_time_is_every_record_as_json_lines() {
    let stage = stage("proof-window").await;
    let ids = |out: &str| -> Vec<Value> {
        out.lines().map(|line| serde_json::from_str::<Value>(line).unwrap()["event"].clone()).collect()
    };
    let told = stage.run("proof --since 2024-01-01T00:00:00Z").await;
    assert_eq!((ids(&told.out), told.code), (vec![json!("suspend-user#t1")], Some(0)));
    // What waits has not ended, and one record that cannot be read takes nothing from the rest.
    let at = crate::stage::now().as_millisecond();
    let waits = json!({ "id": "suspend-user#w", "status": "INPROGRESS", "state": "held", "rev": 1, "owner": "o", "attempt": 1,
        "first_claimed_at": at, "settled_at": at, "validation": "v" });
    put(&stage.dynamo, LEDGER, &waits).await;
    let told = stage.run("proof --since 2024-01-01T00:00:00Z").await;
    assert_eq!((ids(&told.out), told.code), (vec![json!("suspend-user#t1")], Some(0)));
    put(&stage.dynamo, LEDGER, &json!({ "id": "suspend-user#x", "state": "applied", "settled_at": at })).await;
    let told = stage.run("proof --since 2024-01-01T00:00:00Z --output json").await;
    assert_eq!((ids(&told.out), told.code), (vec![json!("suspend-user#t1")], Some(1)));
    let error = "1 record cannot be read, and not told here: of a newer version, or damaged";
    assert_eq!(serde_json::from_str::<Value>(&told.err).unwrap(), json!({ "error": error }));
    let before = stage.run("proof --since 2024-01-01T00:00:00Z --until 2024-02-01T00:00:00Z").await;
    assert_eq!((before.out.as_str(), before.code), ("", Some(0)));
    for words in ["proof", "proof t1 --since 2024-01-01T00:00:00Z", "proof --until 2024-01-01T00:00:00Z t1"] {
        assert_eq!(stage.run(words).await.code, Some(2), "{words}");
    }
}
