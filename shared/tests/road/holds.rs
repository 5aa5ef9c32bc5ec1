//! What waits for a person: released it runs the whole road again, once; rejected its fact is void; observed it is kept.

use crate::stage::{
    Fault, Stage, Strike, account, batch, envelope, event, failed, mapped, message, release, termination,
};
use jiff::SignedDuration;
use rollcall::failure::RefusalCode;
use rollcall::ledger::{NotRejected, Rejection, Releasing, State};
use rollcall::person::Standing;
use serde_json::{Value, json};

const LWA: &str = "lwa";

/// A stage whose brake holds every suspension, or whatever else `section` says.
async fn stage(section: Value) -> Stage {
    let mut policy = mapped(&[LWA]);
    for (name, rules) in section.as_object().unwrap() {
        policy[name] = rules.clone();
    }
    Stage::new(json!([account(LWA, "EnterpriseLWA", 6)])).await.with_policy(policy)
}

async fn holding() -> Stage {
    stage(json!({ "brake": { "access": { "limits": [{ "count": 0, "window": "1h" }] } } })).await
}

fn status(stage: &Stage, n: usize) -> String {
    stage.users()[&format!("{LWA}/u{n}")].clone()
}

fn rejection(stage: &Stage) -> Rejection {
    let at = stage.host.now_then(SignedDuration::ZERO);
    Rejection { by: "operator@desk".into(), at, reason: "the feed was broken".into() }
}

#[tokio::test]
async fn a_released_event_is_applied_once_and_tells_who_released_it() {
    let stage = holding().await;
    stage.deliver(&[envelope(&termination("t1", LWA, 1)), envelope(&termination("t2", LWA, 2))]).await;
    assert_eq!(stage.waiting(State::Held).await, ["t1", "t2"]);
    let message = release(0, &stage.event("t1").await.unwrap(), "operator@desk");
    let mut releases = batch(&[]);
    // The same release twice in one batch, and once more afterwards.
    releases.records = vec![message.clone(), {
        let mut twin = message.clone();
        twin.message_id = Some("m1".into());
        twin
    }];
    let report = stage.worker().handle(releases.clone(), stage.deadline()).await;
    assert_eq!(failed(&report), Vec::<String>::new());
    assert_eq!((status(&stage, 1), status(&stage, 2)), ("Suspended".into(), "Registered".into()));
    let item = stage.event("t1").await.unwrap();
    let released = item.released.unwrap();
    assert_eq!((item.state, released.by.as_str()), (State::Applied, "operator@desk"));
    assert_eq!(released.sender.as_deref(), Some("AIDAOPERATOR"), "and who sent it, which SQS says");
    assert_eq!((item.event, item.braked), (None, None), "the sealed event is gone, and no unit was taken");
    let calls = stage.changes().len();
    let again = stage.worker().handle(releases, stage.deadline()).await;
    assert_eq!(Stage::told(&again)["t1"], "duplicate");
    assert_eq!(stage.changes().len(), calls);
}

/// What is told afterwards is when an event came, not when somebody let it go on: only its 24 hours begin anew.
#[tokio::test]
async fn when_an_event_came_outlives_its_release_and_its_redrive() {
    let stage = holding().await;
    stage.deliver(&[envelope(&termination("t1", LWA, 1))]).await;
    let came = stage.event("t1").await.unwrap();
    assert_eq!((came.received_at, came.came_at()), (None, came.first_claimed_at), "stored once");
    // Refused for good after the release, redriven, and refused again.
    stage.chime.core().arm(rollcall_local::chime::faults::Fault {
        operation: rollcall_local::chime::routes::Operation::BatchSuspendUser,
        kind: rollcall_local::chime::faults::FaultKind::Forbidden,
        after: 0,
        times: 2,
    });
    stage.host.advance(SignedDuration::from_hours(20));
    stage.release(&["t1"], "operator").await;
    for _ in 0..2 {
        let parked = stage.event("t1").await.unwrap();
        let now = stage.host.now_then(SignedDuration::ZERO).as_millisecond();
        assert_eq!((parked.state, parked.first_claimed_at), (State::Parked, now));
        assert_eq!((parked.received_at, parked.came_at()), (Some(came.first_claimed_at), came.first_claimed_at));
        stage.host.advance(SignedDuration::from_hours(20));
        let mut redrive = batch(&[]);
        let body = envelope(&termination("t1", LWA, 1));
        redrive.records = vec![crate::stage::message(0, &body, Some(&parked.owner))];
        stage.worker().handle(redrive, stage.deadline()).await;
    }
    let applied = stage.event("t1").await.unwrap();
    assert_eq!((applied.state, applied.came_at()), (State::Applied, came.first_claimed_at));
}

#[tokio::test]
async fn a_message_without_the_holds_token_is_a_duplicate() {
    let stage = holding().await;
    let body = envelope(&termination("t1", LWA, 1));
    stage.deliver(std::slice::from_ref(&body)).await;
    let mut forged = release(0, &stage.event("t1").await.unwrap(), "somebody");
    forged.message_attributes.get_mut("ReleasedAs").unwrap().string_value = Some("guessed".into());
    let mut event = batch(&[body]);
    event.records.push({
        forged.message_id = Some("m1".into());
        forged
    });
    let report = stage.worker().handle(event, stage.deadline()).await;
    assert!(report.events.iter().all(|event| crate::stage::told(&event.told) == "duplicate"), "{:?}", report.events);
    assert_eq!(status(&stage, 1), "Registered");
}

#[tokio::test]
async fn a_sealed_event_that_was_tampered_with_is_parked() {
    let stage = holding().await;
    stage.deliver(&[envelope(&termination("t1", LWA, 1))]).await;
    let held = stage.event("t1").await.unwrap();
    let mut broken = held.clone();
    broken.event.as_mut().unwrap()[20] ^= 1;
    let mut event = batch(&[]);
    event.records.push(release(0, &broken, "operator"));
    let report = stage.worker().handle(event, stage.deadline()).await;
    assert_eq!(failed(&report), Vec::<String>::new());
    assert_eq!(stage.queue.parked.lock().unwrap()[0].refusal.code, RefusalCode::Unopenable);
    assert_eq!(stage.event("t1").await.unwrap(), held, "the held event waits as before");
}

#[tokio::test]
async fn a_release_runs_the_whole_road_so_a_rehire_since_stands() {
    let stage = holding().await;
    stage.deliver(&[envelope(&termination("t1", LWA, 1))]).await;
    stage.deliver(&[envelope(&event("r1", "rehire", "effective", "2026-11-23T08:00:00Z", LWA, 1))]).await;
    stage.release(&["t1"], "operator").await;
    assert_eq!(status(&stage, 1), "Registered");
    let outcome = stage.outcome("t1").await;
    assert_eq!((outcome["outcome"].as_str(), outcome["reason"].as_str()), (Some("superseded"), Some("access_due")));
    assert!(outcome["decidedBy"].is_string(), "it names the fact that decided");
}

#[tokio::test]
async fn a_released_event_whose_worker_dies_is_carried_on_by_its_message() {
    let stage = holding().await;
    stage.deliver(&[envelope(&termination("t1", LWA, 1))]).await;
    let mut event = batch(&[]);
    event.records.push(release(0, &stage.event("t1").await.unwrap(), "operator"));
    stage.wire.set(Strike::on(Fault::StopBefore, "chime", 1, 1));
    let worker = stage.worker();
    tokio::select! {
        biased;
        () = stage.wire.struck() => {}
        _ = worker.handle(event.clone(), stage.deadline()) => panic!("it was to die"),
    }
    stage.wire.clear();
    stage.outlive_leases();
    let report = stage.worker().handle(event, stage.deadline()).await;
    assert_eq!(failed(&report), Vec::<String>::new());
    assert_eq!(status(&stage, 1), "Suspended");
    assert_eq!(stage.event("t1").await.unwrap().released.unwrap().by, "operator");
}

#[tokio::test]
async fn a_held_event_does_not_expire_and_its_fact_counts() {
    let stage = holding().await;
    stage.deliver(&[envelope(&termination("t1", LWA, 1))]).await;
    let item = stage.event("t1").await.unwrap();
    assert_eq!((item.expiration, item.status.as_str(), item.in_progress_expiration), (None, "INPROGRESS", None));
    assert_eq!(stage.person().await.lease, None, "it holds nobody up");
    stage.host.advance(SignedDuration::from_hours(24 * 365));
    stage.release(&["t1"], "operator").await;
    assert_eq!(status(&stage, 1), "Suspended", "a year later it can still be released");
}

#[tokio::test]
async fn a_rejected_event_ends_and_its_fact_is_void() {
    let stage = holding().await;
    let body = envelope(&termination("t1", LWA, 1));
    stage.deliver(std::slice::from_ref(&body)).await;
    let held = stage.event("t1").await.unwrap();
    stage.ledger().reject(&held.id, &rejection(&stage), false).await.unwrap();
    let item = stage.event("t1").await.unwrap();
    assert_eq!(
        (item.state, item.status.as_str(), item.attention, item.event),
        (State::Rejected, "COMPLETED", None, None)
    );
    assert_eq!(item.rejected.unwrap().reason, "the feed was broken");
    assert!(item.expiration.is_some());
    assert_eq!(stage.person().await.facts.iter().next().unwrap().standing, Standing::Rejected);
    // Neither a late duplicate nor a late release does anything, and another event decides without the void fact.
    let mut late = batch(&[body]);
    late.records.push(release(1, &held, "operator"));
    stage.worker().handle(late, stage.deadline()).await;
    stage.deliver(&[envelope(&event("l1", "return", "rescinded", "2026-11-22T08:00:00Z", LWA, 1))]).await;
    assert_eq!(stage.outcome("l1").await["reason"], "nothing_due", "no fact takes access any more");
    assert_eq!((status(&stage, 1).as_str(), stage.changes().len()), ("Registered", 0));
    let not = stage.ledger().reject(&held.id, &Rejection { reason: "again".into(), ..rejection(&stage) }, false).await;
    assert_eq!(not, Err(NotRejected::NotWaiting(State::Rejected)));
    assert_eq!(stage.ledger().reject("suspend-user#none", &rejection(&stage), false).await, Err(NotRejected::Unknown));
}

#[tokio::test]
async fn release_and_reject_at_once_end_in_one_of_the_two() {
    let stage = holding().await;
    stage.deliver(&[envelope(&termination("t1", LWA, 1))]).await;
    let held = stage.event("t1").await.unwrap();
    let mut event = batch(&[]);
    event.records.push(release(0, &held, "operator"));
    // The release has recalled the event, and its claim waits; the reject comes in between.
    stage.wire.set(Strike::on(Fault::Hold, "TransactWriteItems", 1, 1));
    let worker = stage.worker();
    let handling = worker.handle(event, stage.deadline());
    let rejecting = async {
        stage.wire.struck().await;
        stage.wire.clear();
        stage.ledger().reject(&held.id, &rejection(&stage), false).await.unwrap();
        stage.wire.let_go();
    };
    let (report, ()) = tokio::join!(handling, rejecting);
    assert_eq!(Stage::told(&report)["t1"], "duplicate");
    assert_eq!(stage.event("t1").await.unwrap().state, State::Rejected);
    assert_eq!((status(&stage, 1).as_str(), stage.changes().len()), ("Registered", 0));
}

#[tokio::test]
async fn observe_mode_records_the_plan_and_touches_nothing_and_what_is_still_true_applies_later() {
    let observing = stage(json!({ "mode": { "functions": { "suspend-user": "observe" } } })).await;
    let bodies = [envelope(&termination("t1", LWA, 1)), envelope(&termination("t2", LWA, 2))];
    observing.deliver(&bodies).await;
    assert_eq!(observing.changes(), Vec::<String>::new());
    assert_eq!(observing.waiting(State::Observed).await, ["t1", "t2"]);
    let item = observing.event("t1").await.unwrap();
    assert_eq!(item.plan.unwrap().steps.len(), 1, "suspend");
    assert_eq!(observing.outcome("t1").await["reason"], "observe_mode");
    // While it observes, a release observes again.
    observing.release(&["t1"], "operator").await;
    assert_eq!((observing.changes().len(), observing.event("t1").await.unwrap().state), (0, State::Observed));
    // One of the two is rehired. Then the function acts, and both are released.
    observing.deliver(&[envelope(&event("r2", "rehire", "effective", "2026-11-23T08:00:00Z", LWA, 2))]).await;
    let acting = observing.with_policy(mapped(&[LWA]));
    acting.release(&["t1", "t2"], "operator").await;
    assert_eq!((status(&acting, 1), status(&acting, 2)), ("Suspended".into(), "Registered".into()));
    assert_eq!(acting.event("t2").await.unwrap().state, State::Superseded);
}

#[tokio::test]
async fn observe_mode_by_class_takes_no_units() {
    let mut policy = mapped(&[LWA]);
    policy["mode"] = json!({ "classes": { "access": "observe" } });
    policy["brake"] = json!({ "access": { "limits": [{ "count": 1, "window": "1h" }] } });
    let observing = Stage::new(json!([account(LWA, "EnterpriseLWA", 6)])).await.with_policy(policy.clone());
    let bodies: Vec<String> = (0..4).map(|n| envelope(&termination(&format!("t{n}"), LWA, n))).collect();
    observing.deliver(&bodies).await;
    assert_eq!(observing.waiting(State::Observed).await.len(), 4);
    assert_eq!(observing.item("budget#access").await, None);
}

#[tokio::test]
async fn an_event_that_is_undatable_is_held_again_when_it_is_released() {
    let stage = stage(json!({})).await;
    let mut undatable = termination("t1", LWA, 1);
    undatable["effective"] =
        json!({ "date": "2026-11-20", "at": null, "zone": null, "basis": "unknown", "source": "payload" });
    stage.deliver(&[envelope(&undatable)]).await;
    assert_eq!(stage.outcome("t1").await["reason"], "undatable");
    let before = stage.event("t1").await.unwrap();
    stage.release(&["t1"], "operator").await;
    let after = stage.event("t1").await.unwrap();
    assert_eq!((after.state, stage.changes().len()), (State::Held, 0));
    assert_ne!(after.owner, before.owner, "the old release opens it no more");
}

#[tokio::test]
async fn a_released_event_that_is_refused_can_be_redriven() {
    let stage = holding().await;
    stage.deliver(&[envelope(&termination("t1", LWA, 1))]).await;
    stage.chime.core().arm(rollcall_local::chime::faults::Fault {
        operation: rollcall_local::chime::routes::Operation::BatchSuspendUser,
        kind: rollcall_local::chime::faults::FaultKind::Forbidden,
        after: 0,
        times: 1,
    });
    stage.release(&["t1"], "operator").await;
    let parked = stage.queue.parked.lock().unwrap()[0].clone();
    assert_eq!(stage.event("t1").await.unwrap().state, State::Parked);
    let mut redrive = batch(&[]);
    redrive.records.push(message(0, &parked.body, Some(&parked.parked_as)));
    stage.worker().handle(redrive, stage.deadline()).await;
    assert_eq!((stage.event("t1").await.unwrap().state, status(&stage, 1).as_str()), (State::Applied, "Suspended"));
}

/// Announcement and fired event make one assertion, under two ids: rejecting the one that waits voids the fact, whichever
/// of the ids is greater, and whatever comes late.
#[tokio::test]
async fn rejecting_a_fired_schedule_voids_what_was_announced() {
    for (announced, fired) in [("a", "z"), ("z", "a")] {
        let stage = holding().await;
        let says = |id: &str, phase: &str| {
            let mut event = event(id, "termination", phase, "2026-11-22T18:00:00Z", LWA, 1);
            event["factId"] = json!("end");
            envelope(&event)
        };
        stage.deliver(&[says(announced, "scheduled")]).await;
        stage.deliver(&[says(fired, "effective")]).await;
        let held = stage.event(fired).await.unwrap();
        assert_eq!(held.state, State::Held);
        stage.ledger().reject(&held.id, &rejection(&stage), false).await.unwrap();
        let standing = |stage: &Stage| {
            let ledger = stage.ledger();
            let key = held.person.clone().unwrap();
            async move { ledger.person(&key).await.unwrap().unwrap().facts.iter().next().unwrap().standing }
        };
        assert_eq!(standing(&stage).await, Standing::Rejected, "announced as {announced}");
        stage.deliver(&[says("zz", "scheduled")]).await;
        assert_eq!(standing(&stage).await, Standing::Rejected, "the same assertion once more, under another id");
    }
}

#[tokio::test]
async fn what_is_being_released_is_not_rejected_with_the_rest() {
    let stage = holding().await;
    stage.deliver(&[envelope(&termination("t1", LWA, 1)), envelope(&termination("t2", LWA, 2))]).await;
    let held = stage.event("t1").await.unwrap();
    let releasing = Releasing { by: "operator".into(), at: stage.host.now_then(SignedDuration::ZERO) };
    assert_eq!(stage.ledger().releasing(&held, &releasing).await, Ok(true));
    let refused = stage.ledger().reject(&held.id, &rejection(&stage), false).await;
    assert_eq!(refused, Err(NotRejected::Released(releasing.clone())));
    // The release comes, with the token as it was.
    stage.release(&["t1"], "operator").await;
    assert_eq!(status(&stage, 1), "Suspended");
    assert_eq!(stage.event("t1").await.unwrap().releasing, None);
    assert_eq!(stage.ledger().releasing(&held, &releasing).await, Ok(false), "it does not wait any more");
    stage.ledger().reject("suspend-user#t2", &rejection(&stage), false).await.unwrap();
}
