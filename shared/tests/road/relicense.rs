//! Licences: by job, in chunks of twenty, under a brake of their own.

use crate::stage::{Fault as Cut, Stage, Strike, account, envelope, event, failed, mapped, termination};
use rollcall::directory::Licence;
use rollcall_local::chime::faults::{Fault, FaultKind};
use rollcall_local::chime::routes::Operation;
use serde_json::{Value, json};

fn policy(account: &str) -> Value {
    let mut policy = mapped(&[account]);
    policy["licences"] = json!({ "rules": [{ "job_code": ["ENG-*"], "licence": "Pro" }], "default": "Basic" });
    policy
}

async fn stage(kind: &str, users: usize) -> Stage {
    Stage::new(json!([account("acc", kind, users)])).await.with_policy(policy("acc"))
}

fn moved(id: &str, n: usize, code: &str, hour: u32) -> Value {
    let mut event = event(id, "job_change", "effective", &format!("2026-11-22T{hour:02}:00:00Z"), "acc", n);
    event["factId"] = json!(id);
    event["changes"] = json!([{ "field": "job_code", "after": code }]);
    event
}

fn licence(stage: &Stage, n: usize) -> String {
    let core = stage.chime.core();
    format!("{:?}", core.account("acc").unwrap().user(&format!("u{n}")).unwrap().license_type.unwrap())
}

#[tokio::test]
async fn a_job_comes_with_its_licence_in_chunks_of_twenty() {
    for kind in ["EnterpriseLWA", "Team"] {
        let stage = stage(kind, 45).await;
        let bodies: Vec<String> = (0..45).map(|n| envelope(&moved(&format!("j{n}"), n, "HR-1", 10))).collect();
        let report = stage.deliver(&bodies).await;
        assert_eq!(failed(&report), Vec::<String>::new());
        assert!(Stage::told(&report).values().all(|told| told == "applied licence_set"), "{kind}");
        let core = stage.chime.core();
        let calls = core.calls().iter().filter(|call| call.operation == Some(Operation::BatchUpdateUser));
        assert_eq!(calls.map(|call| call.users.len()).collect::<Vec<_>>(), [20, 20, 5]);
        drop(core);
        assert!((0..45).all(|n| licence(&stage, n) == "Basic"));
    }
}

/// The later change decides, in whatever order the two arrive.
#[tokio::test]
async fn a_late_change_undoes_nothing() {
    let stage = stage("EnterpriseLWA", 1).await;
    stage.deliver(&[envelope(&moved("new", 0, "HR-1", 12))]).await;
    let report = stage.deliver(&[envelope(&moved("old", 0, "ENG-1", 10))]).await;
    assert_eq!(Stage::told(&report)["old"], "superseded other_licence_fact");
    assert_eq!(licence(&stage, 0), "Basic");
    // The later one is taken back: the earlier one counts.
    let mut back = moved("new", 0, "HR-1", 12);
    (back["phase"], back["eventId"], back["occurredAt"]) =
        (json!("rescinded"), json!("b"), json!("2026-11-23T08:00:00Z"));
    assert_eq!(Stage::told(&stage.deliver(&[envelope(&back)]).await)["b"], "applied licence_set");
    assert_eq!(licence(&stage, 0), "Pro");
}

#[tokio::test]
async fn equal_needs_no_call_and_a_directory_decides_by_its_groups() {
    let stage = stage("EnterpriseLWA", 1).await;
    assert_eq!(
        Stage::told(&stage.deliver(&[envelope(&moved("a", 0, "ENG-1", 9))]).await)["a"],
        "unchanged licence_already"
    );
    assert!(stage.changes().is_empty());
    for kind in ["EnterpriseDirectory", "EnterpriseOIDC"] {
        let stage = self::stage(kind, 1).await;
        let report = stage.deliver(&[envelope(&moved("a", 0, "HR-1", 9))]).await;
        assert_eq!(Stage::told(&report)["a"], "parked licence_by_groups");
        assert!(stage.changes().is_empty());
    }
}

#[tokio::test]
async fn the_audit_asks_a_licence_back() {
    let stage = stage("Team", 1).await;
    let mut reclaim = event("c", "license_reclaim", "requested", "2026-11-22T09:00:00Z", "acc", 0);
    reclaim["occurredAt"] = json!("2026-11-22T09:00:00Z");
    assert_eq!(Stage::told(&stage.deliver(&[envelope(&reclaim)]).await)["c"], "applied licence_set");
    assert_eq!(licence(&stage, 0), "Basic");
    assert_eq!(Stage::told(&stage.deliver(&[envelope(&moved("j", 0, "ENG-1", 12))]).await)["j"], "applied licence_set");
    assert_eq!(licence(&stage, 0), "Pro");
}

/// A downgrade takes something: the brake counts it. An upgrade does not.
#[tokio::test]
async fn downgrades_are_braked_and_upgrades_are_not() {
    let mut policy = policy("acc");
    policy["brake"] = json!({ "licence": { "limits": [{ "count": 2, "window": "1h" }] } });
    let stage = Stage::new(json!([account("acc", "EnterpriseLWA", 4)])).await.with_policy(policy);
    for n in 0..4 {
        let id = format!("d{n}");
        let expected = if n < 2 { "applied licence_set" } else { "held mass_change" };
        assert_eq!(Stage::told(&stage.deliver(&[envelope(&moved(&id, n, "HR-1", 9))]).await)[&id], expected);
    }
    assert_eq!(Stage::told(&stage.deliver(&[envelope(&moved("u", 0, "ENG-2", 12))]).await)["u"], "applied licence_set");
    assert_eq!(Stage::told(&stage.release(&["d2"], "ana").await)["d2"], "applied licence_set");
    assert_eq!([0, 1, 2, 3].map(|n| licence(&stage, n)), ["Pro", "Basic", "Basic", "Pro"]);
}

/// A lost answer is sent again: it sets a state. Until that is known the person's other events wait.
#[tokio::test]
async fn a_lost_answer_is_sent_again() {
    let stage = stage("EnterpriseLWA", 1).await;
    let bodies = [envelope(&moved("j", 0, "HR-1", 9))];
    stage.chime.core().arm(Fault {
        operation: Operation::BatchUpdateUser,
        kind: FaultKind::LostAnswer,
        after: 0,
        times: 3,
    });
    assert_eq!(Stage::told(&stage.deliver(&bodies).await)["j"], "again unanswered");
    let later = [envelope(&moved("k", 0, "ENG-1", 10))];
    assert_eq!(Stage::told(&stage.deliver(&later).await)["k"], "again busy");
    stage.wait_for_the_queue();
    assert_eq!(Stage::told(&stage.deliver(&bodies).await)["j"], "applied licence_set");
    assert_eq!(Stage::told(&stage.deliver(&later).await)["k"], "applied licence_set");
    assert_eq!(licence(&stage, 0), "Pro");
}

/// The same inside one call: the second send was answered, and the first lands when somebody else has acted, were it let.
#[tokio::test]
async fn a_send_without_an_answer_keeps_others_away_though_the_next_was_answered() {
    let stage = stage("EnterpriseLWA", 1).await;
    let fault = Fault { operation: Operation::BatchUpdateUser, kind: FaultKind::CutBefore, after: 0, times: 1 };
    stage.chime.core().arm(fault);
    assert_eq!(Stage::told(&stage.deliver(&[envelope(&moved("j", 0, "HR-1", 9))]).await)["j"], "applied licence_set");
    assert_eq!(stage.outcome("j").await["steps"][0]["repeated"], true);
    let later = [envelope(&moved("k", 0, "ENG-1", 10))];
    assert_eq!(Stage::told(&stage.deliver(&later).await)["k"], "again busy");
    stage.outlive_leases();
    assert_eq!(Stage::told(&stage.deliver(&later).await)["k"], "applied licence_set");
    assert_eq!(stage.person().await.lease, None);
}

/// Somebody who has not registered yet gets the licence of the job with the next event after that.
#[tokio::test]
async fn who_has_not_registered_keeps_a_wish() {
    let stage = stage("Team", 1).await;
    let hire = event("h", "hire", "effective", "2026-11-20T08:00:00Z", "acc", 7);
    stage.deliver(&[envelope(&hire)]).await;
    assert_eq!(
        Stage::told(&stage.deliver(&[envelope(&moved("j", 7, "ENG-1", 9))]).await)["j"],
        "unchanged licence_kept"
    );
    assert_eq!(stage.person().await.wish, Some(Licence::Pro));
    assert_eq!(
        Stage::told(&stage.deliver(&[envelope(&moved("k", 7, "HR-1", 10))]).await)["k"],
        "unchanged licence_kept"
    );
    assert_eq!(stage.person().await.wish, Some(Licence::Basic));
}

/// A worker set the licence and died. What is remembered is older: the next event looks, so that what it takes is known.
#[tokio::test]
async fn a_licence_that_a_dead_attempt_set_is_looked_up() {
    let stage = stage("EnterpriseLWA", 1).await;
    let strike = Strike::on(Cut::StopBefore, "TransactWriteItems", 2, 1);
    assert!(stage.deliver_until(&[envelope(&moved("j", 0, "HR-1", 10))], strike).await.is_none());
    assert_eq!(licence(&stage, 0), "Basic");
    assert_eq!(stage.person().await.licence.as_deref(), Some("Pro"), "as it was before");
    stage.outlive_leases();
    let left = termination("t", "acc", 0);
    assert_eq!(Stage::told(&stage.deliver(&[envelope(&left)]).await)["t"], "applied suspended");
    assert_eq!(stage.person().await.taken.unwrap().licence.as_deref(), Some("Basic"));
}
