//! Each fence by itself. A settle writes two items, and each has its own condition: these tests leave only one of them
//! to hold an old worker back.

use crate::stage::{Fault, Stage, Strike, account, batch, envelope, event, failed, termination};
use rollcall::ledger::State;
use serde_json::json;

const WRITE: &str = "TransactWriteItems";

async fn stage() -> Stage {
    Stage::new(json!([account("lwa", "EnterpriseLWA", 1)])).await
}

/// A body that is no event concerns no person: only its own record can hold the old worker back.
#[tokio::test]
async fn the_record_of_a_parked_body_stays_that_of_who_parked_it_last() {
    let stage = stage().await;
    let old = stage.worker();
    let body = ["no JSON".to_owned()];
    stage.wire.set(Strike::on(Fault::Hold, WRITE, 2, 1));
    let takeover = async {
        stage.wire.struck().await;
        stage.outlive_leases();
        let report = stage.deliver(&body).await;
        assert_eq!(failed(&report), Vec::<String>::new());
        let items = stage.items().await;
        stage.wire.let_go();
        items
    };
    let (late, items) = tokio::join!(old.handle(batch(&body), stage.deadline()), takeover);
    assert_eq!(failed(&late), ["m0"]);
    assert_eq!(stage.items().await, items, "the old worker's settle changes nothing");
    let parked = stage.queue.parked.lock().unwrap().clone();
    let owner = items[0]["owner"].as_s().unwrap().clone();
    assert_eq!(parked.iter().filter(|message| message.parked_as == owner).count(), 1, "its token reopens it");
}

/// Another event of the person took the lease over; nobody touched the first event's record meanwhile.
#[tokio::test]
async fn a_lease_that_another_event_took_over_is_not_released_by_the_first() {
    let stage = stage().await;
    let old = stage.worker();
    let first = [envelope(&termination("e1", "lwa", 0))];
    let second = [envelope(&event("e2", "termination", "effective", "2026-11-23T08:00:00Z", "lwa", 0))];
    stage.wire.set(Strike::on(Fault::Hold, WRITE, 2, 1));
    let takeover = async {
        stage.wire.struck().await;
        stage.outlive_leases();
        // The second event's worker claims, and is still at work (it died, but nobody can know).
        assert!(stage.deliver_until(&second, Strike::on(Fault::StopAfter, WRITE, 1, 1)).await.is_none());
        stage.wire.let_go();
    };
    let (late, ()) = tokio::join!(old.handle(batch(&first), stage.deadline()), takeover);
    assert_eq!(Stage::told(&late)["e1"], "again fenced");
    assert_eq!(stage.event("e1").await.unwrap().state, State::Running, "it did not settle");
    let lease = stage.person().await.lease.expect("the second event holds the person");
    assert_eq!(lease.event, "suspend-user#e2");
    stage.outlive_leases();
    stage.deliver_to_the_end(&[first, second].concat()).await;
    assert_eq!(stage.users()["lwa/u0"], "Suspended");
    assert_eq!(stage.person().await.lease, None);
}

/// Between an event's recall and its claim another event of the person settles: the claim must not rest on old facts.
#[tokio::test]
async fn a_claim_loses_where_the_person_has_changed_since_the_recall() {
    let stage = stage().await;
    stage.deliver(&[envelope(&event("h", "hire", "effective", "2025-01-07T08:00:00Z", "lwa", 0))]).await;
    let old = stage.worker();
    let termination = [envelope(&termination("t", "lwa", 0))];
    stage.wire.forget();
    stage.wire.set(Strike::on(Fault::Hold, WRITE, 1, 1));
    let rehire = async {
        stage.wire.struck().await;
        stage.deliver(&[envelope(&event("r", "rehire", "effective", "2026-11-23T08:00:00Z", "lwa", 0))]).await;
        stage.wire.let_go();
    };
    let (late, ()) = tokio::join!(old.handle(batch(&termination), stage.deadline()), rehire);
    assert_eq!(Stage::told(&late)["t"], "superseded access_due");
    assert_eq!(stage.changes(), Vec::<String>::new());
    assert_eq!(stage.users()["lwa/u0"], "Registered");
}

/// A body that is no event has no person whose lease could hold a second worker back: its own record does.
#[tokio::test]
async fn a_body_that_is_being_parked_is_parked_once() {
    let stage = stage().await;
    let first = stage.worker();
    let body = ["no JSON".to_owned()];
    stage.wire.set(Strike::on(Fault::Hold, WRITE, 2, 1));
    let second = async {
        stage.wire.struck().await;
        let report = stage.deliver(&body).await;
        stage.wire.let_go();
        report
    };
    let (first, second) = tokio::join!(first.handle(batch(&body), stage.deadline()), second);
    assert_eq!((failed(&first), failed(&second)), (vec![], vec!["m0".to_owned()]));
    assert_eq!(stage.queue.parked.lock().unwrap().len(), 1);
}

/// Time for the recall, but not for claim, steps and settle: nothing is claimed.
#[tokio::test]
async fn nothing_is_claimed_that_could_not_be_finished() {
    let stage = stage().await;
    let deadline = rollcall::directory::Deadline::at(stage.host.now_then(jiff::SignedDuration::from_secs(40)));
    let report = stage.worker().handle(batch(&[envelope(&termination("e1", "lwa", 0))]), deadline).await;
    assert_eq!(Stage::told(&report)["e1"], "again out_of_time");
    assert_eq!(stage.event("e1").await, None);
    assert_eq!(stage.changes(), Vec::<String>::new());
}
