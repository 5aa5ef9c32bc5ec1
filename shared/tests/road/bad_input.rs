//! Bad input: each a named outcome with a message that names the field and repeats nothing; nothing is lost, and the
//! rest of the batch is unharmed.

mod table;

use crate::stage::{Stage, TestRoad, account, batch, envelope, event, failed, mapped, message, termination};
use aws_lambda_events::event::sqs::SqsEvent;
use futures_util::FutureExt;
use jiff::SignedDuration;
use rollcall::batch::{BatchReport, Told};
use rollcall::decide::{Case, Decision, decide};
use rollcall::directory::Deadline;
use rollcall::ledger::State;
use serde_json::json;
use std::panic::AssertUnwindSafe;
use table::{Bad, CANARY, detail, table, with};

async fn one_account() -> Stage {
    Stage::new(json!([account("lwa", "EnterpriseLWA", 2)])).await
}

fn good() -> String {
    envelope(&termination("good", "lwa", 1))
}

/// What parking must leave of the bad message of a batch, whatever was wrong with it.
async fn check_parked(stage: &Stage, report: &BatchReport, bad: &Bad) {
    let Bad { name, body, code, field } = bad;
    assert_eq!(failed(report), Vec::<String>::new(), "{name}: a parked message is acknowledged");
    assert_eq!(Stage::told(report)["good"], "applied suspended", "{name}: the rest of the batch is unharmed");
    let event = report.events.iter().find(|event| event.event_key != "suspend-user#good").unwrap();
    let Told::Outcome(outcome) = &event.told else { panic!("{name}: {:?}", event.told) };
    let message = outcome.message.as_str();
    assert_eq!((outcome.outcome, outcome.reason.word().as_str()), (State::Parked, *code), "{name}: {message}");
    assert!(message.starts_with(&format!("{field} ")), "{name}: must name {field}: {message}");
    assert!(!message.to_lowercase().contains(CANARY), "{name}: {message}");
    assert!(!event.event_key.to_lowercase().contains(CANARY), "{name}: {}", event.event_key);
    let parked = stage.queue.parked.lock().unwrap().clone();
    assert_eq!(parked.len(), 1, "{name}");
    assert_eq!((parked[0].refusal.code.as_str(), parked[0].refusal.to_string().as_str()), (*code, message));
    assert!(&parked[0].body == body, "{name}: the body is unchanged");
    let record = stage.item(&event.event_key).await.unwrap();
    assert_eq!(record["state"].as_s().unwrap(), "parked", "{name}");
    assert_eq!(record["attention"].as_s().unwrap(), "parked", "{name}: an operator can list it");
    assert_eq!(record["owner"].as_s().unwrap(), &parked[0].parked_as, "{name}: a redrive reopens it");
}

#[tokio::test]
async fn bad_input_is_parked_with_its_field_and_harms_nobody() {
    let mut wrong = Vec::new();
    let table = table();
    for bad in &table {
        let check = async {
            let stage = one_account().await;
            let report = stage.deliver(&[bad.body.clone(), good()]).await;
            check_parked(&stage, &report, bad).await;
            assert_eq!(stage.users()["lwa/u0"], "Registered", "{}", bad.name);
            let report = stage.deliver(std::slice::from_ref(&bad.body)).await;
            assert!(matches!(report.events[0].told, Told::Duplicate(_)), "{}: a second copy is a duplicate", bad.name);
        };
        // Every row is looked at, whatever became of those before it.
        wrong.extend(AssertUnwindSafe(check).catch_unwind().await.is_err().then_some(bad.name.as_str()));
    }
    assert_eq!(wrong, Vec::<&str>::new());
}

#[tokio::test]
async fn a_clock_that_is_a_little_ahead_is_forgiven() {
    let stage = one_account().await;
    let mut early = detail();
    early["occurredAt"] = json!("2026-11-23T12:05:00Z");
    let report = stage.deliver(&[envelope(&early)]).await;
    assert_eq!(Stage::told(&report)["e1"], "applied suspended");
}

/// An announced change of address has no consumer yet; on the queue of a function it is refused.
#[tokio::test]
async fn an_event_of_no_function_is_parked() {
    let stage = one_account().await;
    let mut unrouted = event("e1", "unclassified", "unknown", "2026-11-20T08:00:00Z", "lwa", 0);
    unrouted["subject"]["previousEmail"] = json!("canary@lwa.example");
    let body = unrouted.to_string();
    let report = stage.deliver(&[body.clone(), good()]).await;
    check_parked(
        &stage,
        &report,
        &Bad { name: "unrouted".into(), body, code: "wrong_detail_type", field: "detail-type" },
    )
    .await;
}

#[tokio::test]
async fn an_event_id_that_comes_with_another_meaning_is_parked() {
    let stage = one_account().await;
    stage.deliver(&[envelope(&event("e1", "hire", "rescinded", "2027-01-07T08:00:00Z", "lwa", 0))]).await;
    let body = envelope(&detail());
    let report = stage.deliver(&[body.clone(), good()]).await;
    let bad = Bad { name: "reused".into(), body, code: "event_id_reused", field: "detail.eventId" };
    check_parked(&stage, &report, &bad).await;
    assert_eq!(stage.event("e1").await.unwrap().state, State::Unchanged, "the first event's record stays");
    // Transport marks are no meaning: the same event, received at another time, is a duplicate.
    let stage = one_account().await;
    stage.deliver(&[envelope(&detail())]).await;
    let again = with("/receivedAt", json!("2026-11-23T11:59:00Z"));
    assert_eq!(Stage::told(&stage.deliver(&[envelope(&again)]).await)["e1"], "duplicate");
}

#[tokio::test]
async fn what_is_well_formed_and_cannot_be_done_has_a_named_outcome() {
    let accounts = || json!([account("lwa", "EnterpriseLWA", 2), account("other", "Team", 1)]);
    let twice = || {
        let mut accounts = accounts();
        accounts[1]["users"][0]["PrimaryEmail"] = json!("P0@LWA.example");
        accounts
    };
    let date_only = with("/effective", json!({ "date": "2026-11-22", "basis": "last_day_worked" }));
    let number_only = with("/subject", json!({ "workerId": "CANARY-9" }));
    let unknown = with("/subject", json!({ "workerId": "CANARY-9", "email": "canary@lwa.example" }));
    let lacking = with("/missing", json!(["effective.date"]));
    let open = || json!({});
    let table = [
        ("a date without a zone", accounts(), open(), date_only, "held undatable", ""),
        ("no address, and unknown", accounts(), open(), number_only, "held no_address", ""),
        ("a fact that is missing", accounts(), open(), lacking, "held missing_facts", ""),
        ("two accounts", twice(), open(), detail(), "parked several_accounts", "detail.subject.email "),
        ("unknown person", accounts(), open(), unknown.clone(), "unchanged user_not_found", ""),
        ("unknown person of a known account", accounts(), mapped(&["lwa"]), unknown, "unchanged user_not_found", ""),
        (
            "unknown account",
            json!([account("other", "Team", 1)]),
            mapped(&["lwa"]),
            detail(),
            "parked unknown_account",
            "policy.accounts ",
        ),
    ];
    for (name, accounts, policy, detail, expected, field) in table {
        let stage = Stage::new(accounts).await.with_policy(policy);
        let body = envelope(&detail);
        let good = envelope(&termination("good", "other", 0));
        let users = stage.users();
        let report = stage.deliver(&[body.clone(), good]).await;
        assert_eq!(Stage::told(&report)["e1"], expected, "{name}");
        assert_eq!(failed(&report), Vec::<String>::new(), "{name}: it waits for nobody's retry");
        let outcome = stage.outcome("e1").await;
        assert!(outcome["message"].as_str().unwrap().starts_with(field), "{name}: {outcome}");
        assert!(!outcome.to_string().to_lowercase().contains(CANARY), "{name}: {outcome}");
        assert_eq!(stage.users().get("lwa/u0"), users.get("lwa/u0"), "{name}: nobody is touched");
        assert_eq!(stage.queue.parked.lock().unwrap().len(), usize::from(expected.starts_with("parked")), "{name}");
        let state = stage.event("e1").await.unwrap();
        assert_eq!(state.event.is_some(), expected.starts_with("held"), "{name}: a held event is kept, sealed");
        assert_eq!(Stage::told(&stage.deliver(&[body]).await)["e1"], "duplicate", "{name}");
    }
}

fn panics_for_one(case: &Case<'_>) -> Decision {
    assert!(case.event.id.as_str() != "e1", "a defect, for one event");
    decide(case)
}

#[tokio::test]
async fn a_panic_fails_its_record_only_and_parks_it_at_the_fifth_receive() {
    let stage = one_account().await;
    let body = envelope(&detail());
    let worker = TestRoad { decide: panics_for_one, ..stage.worker() };
    let received = |count: u32| {
        let mut records = vec![message(0, &body, None), message(1, &good(), None)];
        records[0].attributes.insert("ApproximateReceiveCount".into(), count.to_string());
        let mut event = SqsEvent::default();
        event.records = records;
        event
    };
    for count in 1..=4 {
        let report = worker.handle(received(count), stage.deadline()).await;
        let good = if count == 1 { "applied suspended" } else { "duplicate" };
        assert_eq!([&Stage::told(&report)["e1"], &Stage::told(&report)["good"]], ["again panicked", good]);
        assert_eq!(failed(&report), ["m0"]);
    }
    let report = worker.handle(received(5), stage.deadline()).await;
    assert_eq!(Stage::told(&report)["e1"], "parked panicked");
    assert_eq!(failed(&report), Vec::<String>::new());
    assert!(stage.queue.parked.lock().unwrap()[0].body == body);
}

#[tokio::test]
async fn with_too_little_time_nothing_is_claimed_and_everything_comes_again() {
    let stage = one_account().await;
    let bodies = [envelope(&detail()), good(), "no JSON".to_owned()];
    let deadline = Deadline::at(stage.host.now_then(SignedDuration::from_secs(10)));
    let report = stage.worker().handle(batch(&bodies), deadline).await;
    assert_eq!(failed(&report), ["m0", "m1", "m2"]);
    assert!(report.events.iter().all(|event| crate::stage::told(&event.told) == "again out_of_time"));
    assert!(!stage.wire.calls().contains(&"TransactWriteItems".to_owned()), "{:?}", stage.wire.calls());
    assert_eq!(stage.changes(), Vec::<String>::new());
    assert_eq!(stage.queue.parked.lock().unwrap().len(), 0);
    // Later, with time enough, all is well.
    let report = stage.deliver(&bodies).await;
    assert_eq!(failed(&report), Vec::<String>::new());
}
