//! Protected people: held, never touched and never skipped in silence; groups keep their minimum, whoever asks at once.

use crate::stage::{Fault, Stage, Strike, account, batch, envelope, failed, mapped, termination};
use rollcall::ledger::State;
use serde_json::{Value, json};

const LWA: &str = "lwa";

async fn stage(protected: Value) -> Stage {
    let mut policy = mapped(&[LWA]);
    policy["protected"] = protected;
    Stage::new(json!([account(LWA, "EnterpriseLWA", 6)])).await.with_policy(policy)
}

fn status(stage: &Stage, n: usize) -> String {
    stage.users()[&format!("{LWA}/u{n}")].clone()
}

#[tokio::test]
async fn a_protected_leaver_is_held_by_address_pattern_worker_id_or_group() {
    let table = [
        json!({ "emails": ["p1@lwa.example"] }),
        json!({ "patterns": ["P1@*"] }),
        json!({ "worker_ids": ["lwa-1"] }),
        json!({ "groups": [{ "name": "board", "members": ["lwa-1"] }] }),
    ];
    for protected in table {
        let stage = stage(protected.clone()).await;
        stage.deliver(&[envelope(&termination("t1", LWA, 1)), envelope(&termination("t2", LWA, 2))]).await;
        assert_eq!((status(&stage, 1), status(&stage, 2)), ("Registered".into(), "Suspended".into()), "{protected}");
        assert_eq!(stage.outcome("t1").await["reason"], "protected", "{protected}");
        stage.release(&["t1"], "operator").await;
        assert_eq!(status(&stage, 1), "Suspended", "{protected}: an operator may");
    }
}

#[tokio::test]
async fn an_event_with_another_identifier_of_a_protected_person_is_held_too() {
    let stage = stage(json!({ "emails": ["p1@lwa.example"] })).await;
    // The first event ties address and employee number, the second carries the number only.
    let mut tie = termination("r1", LWA, 1);
    (tie["kind"], tie["effective"]["at"]) = (json!("rehire"), json!("2026-11-01T08:00:00Z"));
    tie["effective"]["date"] = json!("2026-11-01");
    let mut by_number = termination("t1", LWA, 1);
    by_number["subject"] = json!({ "workerId": "lwa-1" });
    stage.deliver(&[envelope(&tie)]).await;
    stage.deliver(&[envelope(&by_number)]).await;
    assert_eq!(stage.outcome("t1").await["reason"], "protected");
    assert_eq!(status(&stage, 1), "Registered");
}

#[tokio::test]
async fn with_patterns_an_event_without_an_address_is_held() {
    let stage = stage(json!({ "patterns": ["svc-*@lwa.example"] })).await;
    let mut by_number = termination("t1", LWA, 1);
    by_number["subject"] = json!({ "workerId": "lwa-1" });
    stage.deliver(&[envelope(&by_number)]).await;
    assert_eq!(stage.outcome("t1").await["reason"], "protection_unknown");
}

/// Of three administrators one must stay.
fn administrators() -> Value {
    let members = ["p0@lwa.example", "p1@lwa.example", "lwa-2"];
    json!({ "groups": [{ "name": "administrators", "members": members, "minimum": 1 }] })
}

#[tokio::test]
async fn a_group_keeps_its_minimum_within_a_batch_and_after_it() {
    let stage = stage(administrators()).await;
    let bodies: Vec<String> = (0..3).map(|n| envelope(&termination(&format!("t{n}"), LWA, n))).collect();
    stage.deliver(&bodies).await;
    assert_eq!([0, 1, 2].map(|n| status(&stage, n)), ["Suspended", "Suspended", "Registered"]);
    assert_eq!(stage.outcome("t2").await["reason"], "group_minimum");
    // Nobody else is held for it: a group's minimum does not latch.
    stage.deliver(&[envelope(&termination("t4", LWA, 4))]).await;
    assert_eq!(status(&stage, 4), "Suspended");
    stage.release(&["t2"], "operator").await;
    assert_eq!(status(&stage, 2), "Suspended", "an operator may");
}

#[tokio::test]
async fn two_at_once_cannot_both_take_the_last_but_one() {
    let stage = stage(json!({ "groups": [
        { "name": "administrators", "members": ["p0@lwa.example", "p1@lwa.example"], "minimum": 1 },
    ] }))
    .await;
    // The first worker has recalled the quota, and its claim waits while the second goes all the way.
    stage.wire.set(Strike::on(Fault::Hold, "TransactWriteItems", 1, 1));
    let (first, second) = (stage.worker(), stage.worker());
    let one = batch(&[envelope(&termination("t0", LWA, 0))]);
    let other = batch(&[envelope(&termination("t1", LWA, 1))]);
    let late = first.handle(one, stage.deadline());
    let early = async {
        stage.wire.struck().await;
        stage.wire.clear();
        let report = second.handle(other, stage.deadline()).await;
        stage.wire.let_go();
        report
    };
    let (late, early) = tokio::join!(late, early);
    assert_eq!((failed(&late).len(), failed(&early).len()), (0, 0));
    assert_eq!([0, 1].map(|n| status(&stage, n)), ["Registered", "Suspended"]);
    assert_eq!(stage.event("t0").await.unwrap().state, State::Held);
    assert_eq!(stage.outcome("t0").await["reason"], "group_minimum");
}

/// A yes to the brake is no yes to losing the last administrator, nor to touching somebody protected.
#[tokio::test]
async fn a_release_from_the_brake_does_not_pass_a_minimum_or_a_protection() {
    let mut policy = mapped(&[LWA]);
    policy["protected"] = administrators();
    policy["brake"] = json!({ "access": { "limits": [{ "count": 0, "window": "1h" }] } });
    let stage = Stage::new(json!([account(LWA, "EnterpriseLWA", 6)])).await.with_policy(policy);
    let bodies: Vec<String> = (0..3).map(|n| envelope(&termination(&format!("t{n}"), LWA, n))).collect();
    stage.deliver(&bodies).await;
    assert_eq!(stage.waiting(State::Held).await.len(), 3);
    stage.release(&["t0", "t1", "t2"], "operator").await;
    assert_eq!([0, 1, 2].map(|n| status(&stage, n)), ["Suspended", "Suspended", "Registered"]);
    assert_eq!(stage.outcome("t2").await["reason"], "group_minimum");
    stage.release(&["t2"], "operator").await;
    assert_eq!(status(&stage, 2), "Suspended", "a second yes, to the minimum");
}

/// Whom the policy protects by an address is protected by the number that the ledger ties to it, through a merge too.
#[tokio::test]
async fn a_merge_keeps_what_protects() {
    let stage = stage(json!({ "emails": ["p1@lwa.example"] })).await;
    let about = |id: &str, kind: &str, at: &str, subject: Value| {
        let mut event = termination(id, LWA, 1);
        (event["kind"], event["effective"]["at"], event["effective"]["date"]) =
            (json!(kind), json!(at), json!(&at[..10]));
        event["subject"] = subject;
        envelope(&event)
    };
    let start = "2026-11-01T08:00:00Z";
    let by_provider = json!({ "providerSubjectId": "s-1", "email": "p1@lwa.example" });
    stage.deliver(&[about("r1", "rehire", start, by_provider)]).await;
    stage.deliver(&[about("r2", "rehire", start, json!({ "workerId": "w-1", "providerSubjectId": "s-1" }))]).await;
    stage.deliver(&[about("t1", "termination", "2026-11-22T18:00:00Z", json!({ "workerId": "w-1" }))]).await;
    assert_eq!(stage.outcome("t1").await["reason"], "protected");
    assert_eq!(status(&stage, 1), "Registered");
}

/// Whoever gets another address stays whom the policy names by the one of before.
#[tokio::test]
async fn a_former_address_protects() {
    for known_before in [true, false] {
        let stage = stage(json!({ "emails": ["p1@lwa.example"] })).await;
        let mut known = termination("s1", LWA, 1);
        known["phase"] = json!("scheduled");
        if known_before {
            stage.deliver(&[envelope(&known)]).await;
        }
        let mut renamed = termination("n1", LWA, 1);
        renamed["kind"] = json!("identity_change");
        renamed["subject"] =
            json!({ "workerId": "lwa-1", "email": "new@lwa.example", "previousEmail": "p1@lwa.example" });
        stage.deliver(&[envelope(&renamed)]).await;
        let mut left = termination("t1", LWA, 1);
        left["subject"] = json!({ "workerId": "lwa-1", "email": "new@lwa.example" });
        stage.deliver(&[envelope(&left)]).await;
        assert_eq!(stage.outcome("t1").await["reason"], "protected", "{known_before}");
        assert_eq!(status(&stage, 1), "Registered", "{known_before}");
    }
}

/// A group that lists one person by address and by number has one administrator there, not two.
#[tokio::test]
async fn whom_a_group_lists_twice_counts_once() {
    let members = ["p1@lwa.example", "lwa-1"];
    let stage = stage(json!({ "groups": [{ "name": "administrators", "members": members, "minimum": 1 }] })).await;
    stage.deliver(&[envelope(&termination("t1", LWA, 1))]).await;
    assert_eq!(stage.outcome("t1").await["reason"], "group_minimum");
    assert_eq!(status(&stage, 1), "Registered");
}
