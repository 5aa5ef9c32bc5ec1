//! What the ledger keeps as proof of a step: when it was sent, how long it took, under which id Chime knows it, and when
//! it was read back instead.

use crate::stage::{Stage, account, envelope, event, termination};
use aws_sdk_dynamodb::types::AttributeValue;
use jiff::SignedDuration;
use rollcall::batch::REALM;
use rollcall::directory::{Operation, Sent};
use rollcall::ledger::Part;
use rollcall::person::{Identity, What};
use rollcall::routes::Function;
use rollcall_local::chime::faults::{Fault, FaultKind};
use rollcall_local::chime::routes::Operation as Call;
use serde_json::json;

/// The ids under which Chime answered an operation, in order; `None` for a call that it did not answer.
fn answered(stage: &Stage, operation: Call) -> Vec<Option<String>> {
    let core = stage.chime.core();
    let calls = core.calls().iter().filter(|call| call.operation == Some(operation));
    calls.map(|call| call.outcome.status.and(call.request_id.clone())).collect()
}

async fn sent(stage: &Stage, function: Function, event: &str, operation: Operation) -> Vec<Sent> {
    let item = stage.event_of(function, event).await.unwrap();
    item.plan.unwrap().step(operation).unwrap().sent.clone()
}

fn ids(sent: &[Sent]) -> Vec<Option<String>> {
    sent.iter().map(|sent| sent.request.as_ref().map(|id| id.as_str().to_owned())).collect()
}

#[tokio::test]
async fn each_step_keeps_the_request_that_carried_it() {
    let accounts = json!([account("lwa", "EnterpriseLWA", 3), account("team", "Team", 1)]);
    let stage = Stage::new(accounts).await.with_policy(json!({ "pin_reset": "always" }));
    let events = [("a", "lwa", 0), ("b", "lwa", 1), ("c", "lwa", 2), ("d", "team", 0)];
    let bodies = events.map(|(id, account, n)| envelope(&termination(id, account, n)));
    stage.deliver(&bodies).await;
    let now = stage.host.now_then(SignedDuration::ZERO).as_millisecond();

    // One request suspends all three of one account: it is the proof of each.
    let suspended = answered(&stage, Call::BatchSuspendUser);
    assert_eq!(suspended.len(), 2, "one for each account");
    let mut decisive = Vec::new();
    for id in ["a", "b", "c"] {
        let proof = sent(&stage, Function::SuspendUser, id, Operation::Suspend).await;
        assert_eq!((proof.len(), proof[0].at, proof[0].took), (1, now, 0), "{id}");
        decisive.extend(ids(&proof));
    }
    assert!(decisive.iter().all(|id| id.is_some() && *id == decisive[0]), "{decisive:?}");
    let removed = ids(&sent(&stage, Function::SuspendUser, "d", Operation::Remove).await);
    assert_ne!(removed[0], decisive[0]);
    for id in [&removed[0], &decisive[0]] {
        assert!(suspended.contains(id), "{id:?} is none of Chime's: {suspended:?}");
    }
    // A PIN is reset for each by itself.
    let pins = answered(&stage, Call::ResetPersonalPIN);
    let mut of_events = Vec::new();
    for (id, ..) in events {
        of_events.extend(ids(&sent(&stage, Function::SuspendUser, id, Operation::ResetPin).await));
    }
    of_events.sort();
    let mut expected = pins.clone();
    expected.sort();
    assert_eq!(of_events, expected);
    assert_eq!(stage.event("a").await.unwrap().settled_at, Some(now));
}

#[tokio::test]
async fn a_send_without_an_answer_is_told_beside_the_one_that_was_answered() {
    let stage = Stage::new(json!([account("lwa", "EnterpriseLWA", 1)])).await;
    stage.chime.core().arm(Fault {
        operation: Call::BatchSuspendUser,
        kind: FaultKind::LostAnswer,
        after: 0,
        times: 1,
    });
    stage.deliver(&[envelope(&termination("e1", "lwa", 0))]).await;
    let proof = sent(&stage, Function::SuspendUser, "e1", Operation::Suspend).await;
    let chime = answered(&stage, Call::BatchSuspendUser);
    assert_eq!((chime.len(), chime[0].is_none(), chime[1].is_some()), (2, true, true));
    assert_eq!(ids(&proof), chime);
    assert!(proof[0].at <= proof[1].at);
}

#[tokio::test]
async fn requests_of_earlier_attempts_are_kept_the_first_and_the_last() {
    let stage = Stage::new(json!([account("lwa", "EnterpriseLWA", 1)])).await;
    // Three sends an attempt: two attempts of nothing, and then one that is answered.
    stage.chime.core().arm(Fault { operation: Call::BatchSuspendUser, kind: FaultKind::Throttle, after: 0, times: 6 });
    let body = [envelope(&termination("e1", "lwa", 0))];
    for _ in 0..3 {
        stage.deliver(&body).await;
        stage.outlive_leases();
    }
    let chime = answered(&stage, Call::BatchSuspendUser);
    assert_eq!(chime.len(), 7);
    let kept = [&chime[0..1], &chime[4..7]].concat();
    assert_eq!(ids(&sent(&stage, Function::SuspendUser, "e1", Operation::Suspend).await), kept);
}

#[tokio::test]
async fn an_invitation_that_was_read_back_says_when() {
    let stage = Stage::new(json!([account("team", "Team", 0)])).await.with_policy(crate::stage::mapped(&["team"]));
    stage.chime.core().arm(Fault { operation: Call::InviteUsers, kind: FaultKind::LostAnswer, after: 0, times: 1 });
    let body = [envelope(&event("h1", "hire", "effective", "2026-11-23T08:00:00Z", "team", 7))];
    let road = stage.worker_of(Function::InviteUser);
    road.handle(crate::stage::batch(&body), stage.deadline()).await;
    stage.host.advance(SignedDuration::from_mins(16));
    let later = stage.host.now_then(SignedDuration::ZERO).as_millisecond();
    let road = stage.worker_of(Function::InviteUser);
    road.handle(crate::stage::batch(&body), stage.deadline()).await;
    let item = stage.event_of(Function::InviteUser, "h1").await.unwrap();
    let step = item.plan.as_ref().unwrap().step(Operation::Invite).unwrap().clone();
    assert_eq!(ids(&step.sent), [None], "one mail, whose answer was lost");
    assert_eq!(step.read_back, Some(later));
    assert_eq!(item.settled_at, Some(later));
}

/// 8 write units an event. A transaction costs two for each started kilobyte, so a record must stay within one
/// where there is one step, with ids as long as Amazon's and a sender's are; with more steps it costs two more.
#[tokio::test]
async fn a_record_with_its_proof_stays_small() {
    let id = |n: u8| format!("01968a1e-7b6e-7c1a-9d3b-5f2f3c4d5e{n:02x}");
    for (kind, most, pin_reset) in [("EnterpriseLWA", 1024, "never"), ("Team", 2048, "always")] {
        let mut seed = account(&id(9), kind, 1);
        seed["users"][0]["UserId"] = json!(id(8));
        let stage = Stage::new(json!([seed])).await.with_policy(json!({ "pin_reset": pin_reset }));
        let mut detail = termination(&id(7), &id(9), 0);
        detail["effective"]["at"] = json!("2026-11-22T22:59:59.999Z");
        stage.deliver(&[envelope(&detail)]).await;
        let item = stage.item(&format!("suspend-user#{}", id(7))).await.unwrap();
        assert_eq!(item["state"].as_s().unwrap(), "applied", "{kind}");
        let bytes: usize = item.iter().map(|(name, value)| name.len() + size(value)).sum();
        assert!(bytes > most / 2 && bytes <= most, "{kind}: {bytes} bytes");
    }
}

/// Bytes of a value. Source: DynamoDB developer guide, "Item sizes and formats".
#[expect(clippy::wildcard_enum_match_arm, reason = "the records hold no other types")]
fn size(value: &AttributeValue) -> usize {
    match value {
        AttributeValue::S(text) => text.len(),
        AttributeValue::N(digits) => digits.len().div_ceil(2) + 1,
        AttributeValue::B(bytes) => bytes.as_ref().len(),
        AttributeValue::L(list) => 3 + list.iter().map(|value| 1 + size(value)).sum::<usize>(),
        AttributeValue::M(map) => 3 + map.iter().map(|(name, value)| 1 + name.len() + size(value)).sum::<usize>(),
        _ => 1,
    }
}

/// Somebody is known by an address first, by a number later, and has another address since: one history, whoever asks.
#[tokio::test]
async fn the_history_of_a_person_has_every_name() {
    let stage =
        Stage::new(json!([account("lwa", "EnterpriseLWA", 2)])).await.with_policy(crate::stage::mapped(&["lwa"]));
    let by_address = |id: &str, address: &str| {
        let mut detail = event(id, "leave", "effective", "2026-11-21T08:00:00Z", "lwa", 0);
        detail["subject"] = json!({ "email": address });
        detail
    };
    let mut by_number = event("b", "leave", "effective", "2026-11-22T08:00:00Z", "lwa", 0);
    by_number["subject"] = json!({ "workerId": "lwa-0", "email": "p0@lwa.example" });
    let mut renamed = event("c", "leave", "effective", "2026-11-22T09:00:00Z", "lwa", 0);
    renamed["subject"] = json!({ "workerId": "lwa-0", "email": "married@lwa.example" });
    let other = event("z", "leave", "effective", "2026-11-22T08:00:00Z", "lwa", 1);
    for detail in [by_address("a", "p0@lwa.example"), by_number, renamed, other] {
        stage.deliver(&[envelope(&detail)]).await;
        stage.host.advance(SignedDuration::from_secs(60));
    }
    let keys = crate::stage::keys();
    let identities = [(What::Email, "p0@lwa.example"), (What::Worker, "lwa-0"), (What::Email, "married@lwa.example")]
        .map(|(what, value)| Identity::named(REALM, what, value, &keys));
    for identity in identities {
        let holder = stage.ledger().holder(&identity).await.unwrap();
        let history = stage.ledger().history(&holder, stage.deadline()).await.unwrap();
        let ids: Vec<&str> = history.events.iter().map(|event| event.id.as_str()).collect();
        assert_eq!(ids, ["suspend-user#a", "suspend-user#b", "suspend-user#c"]);
        assert_eq!((history.person.unwrap().facts.iter().count(), history.unreadable), (2, 0));
    }
    // What ended in a time: from its first moment, up to and without its last.
    let ended = |from: i64, to: i64| {
        let start: jiff::Timestamp = crate::stage::NOON.parse().unwrap();
        let (since, until) = (start + SignedDuration::from_secs(from), start + SignedDuration::from_secs(to));
        let ledger = stage.ledger();
        async move {
            let page = ledger.ended_between(Part::all(1).remove(0), since, until).await.unwrap();
            let mut ids: Vec<String> = page.events.into_iter().map(|event| event.id).collect();
            ids.sort();
            ids
        }
    };
    assert_eq!(ended(60, 180).await, ["suspend-user#b", "suspend-user#c"]);
    assert_eq!(ended(61, 180).await, ["suspend-user#c"]);
    assert_eq!(ended(181, 1000).await, Vec::<String>::new());
}
