//! A compromised credential: signed out at once, whoever else is at work on the person and whatever else is known.

use crate::stage::{Fault, Stage, Strike, TestRoad, account, batch, envelope, event, failed, mapped, termination};
use jiff::SignedDuration;
use rollcall::ledger::State;
use rollcall::plan::StepStatus;
use rollcall::routes::Function;
use serde_json::{Value, json};

const LWA: &str = "lwa";

async fn stage() -> Stage {
    Stage::new(json!([account(LWA, "EnterpriseLWA", 4)])).await.with_policy(mapped(&[LWA]))
}

fn compromise(id: &str, n: usize) -> Value {
    let mut leaked = event(id, "credential_compromise", "detected", "2026-11-23T11:00:00Z", LWA, n);
    leaked["occurredAt"] = json!("2026-11-23T11:00:00Z");
    leaked
}

fn worker(stage: &Stage) -> TestRoad {
    stage.worker_of(Function::LogoutUser)
}

async fn deliver(stage: &Stage, details: &[Value]) -> rollcall::batch::BatchReport {
    let bodies: Vec<String> = details.iter().map(envelope).collect();
    worker(stage).handle(batch(&bodies), stage.deadline()).await
}

#[tokio::test]
async fn it_ends_the_sessions_and_replaces_the_pin_and_nothing_else() {
    let stage = stage().await;
    let before = stage.chime.core().account(LWA).unwrap().user("u1").unwrap().clone();
    deliver(&stage, &[compromise("c1", 1)]).await;
    let after = stage.chime.core().account(LWA).unwrap().user("u1").unwrap().clone();
    assert_eq!((before.sessions, after.sessions), (1, 0));
    assert_ne!(before.personal_pin, after.personal_pin);
    assert_eq!(before.user_registration_status, after.user_registration_status);
    assert_eq!(stage.changes(), ["LogoutUser", "ResetPersonalPIN"]);
    let item = stage.event_of(Function::LogoutUser, "c1").await.unwrap();
    assert_eq!(item.state, State::Applied);
    let written = format!("{:?}", stage.items().await);
    assert!(!written.contains(&after.personal_pin.unwrap()), "the new PIN is nowhere in the ledger");
    assert_eq!(stage.people().await.len(), 0, "it writes nothing of the person");
}

#[tokio::test]
async fn it_does_not_wait_for_another_event_of_the_person() {
    let stage = stage().await;
    // A termination has claimed the person, and its call to Chime hangs.
    stage.wire.set(Strike::on(Fault::Hold, "chime", 3, 1));
    let terminating = stage.worker();
    let leaving = batch(&[envelope(&termination("t1", LWA, 1))]);
    let slow = terminating.handle(leaving, stage.deadline());
    let quick = async {
        stage.wire.struck().await;
        stage.wire.clear();
        assert!(stage.person().await.lease.is_some(), "the termination holds the person");
        let report = deliver(&stage, &[compromise("c1", 1)]).await;
        stage.wire.let_go();
        report
    };
    let (slow, quick) = tokio::join!(slow, quick);
    assert_eq!((failed(&slow).len(), failed(&quick).len()), (0, 0));
    assert_eq!(Stage::told(&quick)["c1"], "applied signed_out");
    assert_eq!(Stage::told(&slow)["t1"], "applied suspended");
}

#[tokio::test]
async fn each_event_acts_and_a_duplicate_does_not() {
    let stage = stage().await;
    deliver(&stage, &[compromise("c1", 1), compromise("c1", 1), compromise("c2", 1)]).await;
    assert_eq!(stage.changes().len(), 4, "two events, two calls each");
    deliver(&stage, &[compromise("c2", 1)]).await;
    assert_eq!(stage.changes().len(), 4);
}

#[tokio::test]
async fn neither_brake_nor_protection_holds_it() {
    let mut policy = mapped(&[LWA]);
    policy["brake"] = json!({ "access": { "limits": [{ "count": 0, "window": "1h" }] } });
    policy["protected"] = json!({ "emails": ["p1@lwa.example"] });
    let stage = Stage::new(json!([account(LWA, "EnterpriseLWA", 4)])).await.with_policy(policy);
    let report = deliver(&stage, &[compromise("c1", 1)]).await;
    assert_eq!(Stage::told(&report)["c1"], "applied signed_out");
}

#[tokio::test]
async fn one_of_more_than_seven_days_ago_is_parked() {
    let stage = stage().await;
    let mut old = compromise("c1", 1);
    old["occurredAt"] = json!("2026-11-16T11:59:59Z");
    let mut just = compromise("c2", 2);
    just["occurredAt"] = json!("2026-11-16T12:00:00Z");
    let report = deliver(&stage, &[old, just]).await;
    assert_eq!(Stage::told(&report)["c1"], "parked too_old");
    assert_eq!(Stage::told(&report)["c2"], "applied signed_out");
}

#[tokio::test]
async fn a_remembered_id_that_does_not_hold_is_looked_up_in_the_same_attempt() {
    let stage = Stage::new(json!([account("team", "Team", 2)])).await.with_policy(mapped(&["team"]));
    // A removal that is refused leaves the user id in the ledger; then the user is invited anew, under another id.
    stage.chime.core().arm(rollcall_local::chime::faults::Fault {
        operation: rollcall_local::chime::routes::Operation::BatchSuspendUser,
        kind: rollcall_local::chime::faults::FaultKind::Forbidden,
        after: 0,
        times: 1,
    });
    stage.deliver(&[envelope(&termination("t1", "team", 0))]).await;
    assert_eq!(stage.person().await.user.unwrap().as_ref(), "u0");
    {
        let mut core = stage.chime.core();
        let mut moved = core.account("team").unwrap().user("u0").unwrap().clone();
        core.account_mut("team").unwrap().suspend("u0").unwrap();
        moved.user_id = "u9".into();
        assert!(core.account_mut("team").unwrap().add(moved));
    }
    let mut leaked = compromise("c1", 0);
    leaked["subject"] = json!({ "workerId": "team-0", "email": "p0@team.example" });
    let report = deliver(&stage, &[leaked]).await;
    assert_eq!(Stage::told(&report)["c1"], "applied signed_out");
    assert_eq!(stage.event_of(Function::LogoutUser, "c1").await.unwrap().plan.unwrap().user.unwrap().as_ref(), "u9");
}

#[tokio::test]
async fn a_worker_that_dies_is_followed_by_one_that_does_it_again_and_says_so() {
    let stage = stage().await;
    let body = [envelope(&compromise("c1", 1))];
    stage.wire.set(Strike::on(Fault::StopAfter, "chime", 4, 1));
    let dying = worker(&stage);
    tokio::select! {
        biased;
        () = stage.wire.struck() => {}
        _ = dying.handle(batch(&body), stage.deadline()) => panic!("it was to die"),
    }
    stage.wire.clear();
    let waiting = worker(&stage).handle(batch(&body), stage.deadline()).await;
    assert_eq!(Stage::told(&waiting)["c1"], "again busy");
    stage.host.advance(SignedDuration::from_secs(92));
    let report = worker(&stage).handle(batch(&body), stage.deadline()).await;
    assert_eq!(failed(&report), Vec::<String>::new());
    let plan = stage.event_of(Function::LogoutUser, "c1").await.unwrap().plan.unwrap();
    assert!(plan.steps.iter().all(|step| step.status == StepStatus::Confirmed && step.repeated), "{plan:?}");
}
