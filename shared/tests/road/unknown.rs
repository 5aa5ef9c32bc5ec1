//! What Chime does to a call, and what becomes of the message: lost answers, throttling, refusals, and giving up.

use crate::stage::{Stage, account, envelope, event, failed, termination};
use jiff::SignedDuration;
use rollcall::ledger::State;
use rollcall_local::chime::faults::{Fault, FaultKind};
use rollcall_local::chime::routes::Operation;
use serde_json::{Value, json};

/// How many times the SDK sends one call.
const ATTEMPTS: u32 = 3;

const FOR_EVER: u32 = u32::MAX;

async fn stage(pin_reset: &str) -> Stage {
    let accounts = json!([account("team", "Team", 2), account("lwa", "EnterpriseLWA", 2)]);
    Stage::new(accounts).await.with_policy(json!({ "pin_reset": pin_reset }))
}

fn arm(stage: &Stage, operation: Operation, kind: FaultKind, times: u32) {
    stage.chime.core().arm(Fault { operation, kind, after: 0, times });
}

fn body(account: &str) -> [String; 1] {
    [envelope(&termination("e1", account, 0))]
}

fn outcome_of(account: &str) -> &'static str {
    if account == "team" { "applied removed_from_team" } else { "applied suspended" }
}

async fn check_access_is_gone(stage: &Stage, account: &str, context: &str) {
    let status = stage.users().get(&format!("{account}/u0")).cloned();
    assert_eq!(status.as_deref(), (account == "lwa").then_some("Suspended"), "{context}");
    assert_eq!(stage.event("e1").await.unwrap().state, State::Applied, "{context}");
    let person = stage.person().await;
    // What was sent without an answer keeps others away to the end of its lease, and no longer.
    let later = stage.host.now_then(SignedDuration::from_secs(120)).as_millisecond();
    assert_eq!(person.busy_until("another event", later), None, "{context}");
    let taken = person.taken.unwrap_or_else(|| panic!("{context}: what was taken is not remembered"));
    assert_eq!((taken.licence.as_deref(), taken.event.as_str()), (Some("Pro"), "suspend-user#e1"), "{context}");
}

fn count(stage: &Stage, operation: &str) -> usize {
    stage.changes().iter().filter(|change| *change == operation).count()
}

/// One fault of the decisive call: what the first delivery says, and how many calls Chime saw of it.
#[tokio::test]
async fn a_fault_of_the_decisive_call_ends_applied() {
    use FaultKind::{CutBefore, LostAnswer, ServiceFailure, ServiceUnavailable, Throttle, ThrottleUsers};
    let applied = None;
    let table = [
        // The SDK's own attempts mend these inside the call: our classifier says that throttling may be retried.
        (Throttle, 1, applied, 2),
        (ServiceFailure, 2, applied, 3),
        (CutBefore, 1, applied, 2),
        // (A lost answer that they mend is a test of its own: on Team it takes away whom it names.)
        // These outlast them: the message comes again.
        (Throttle, ATTEMPTS, Some("again throttled"), 3),
        (ThrottleUsers, 1, Some("again throttled"), 1),
        (ServiceFailure, ATTEMPTS, Some("again unanswered"), 3),
        (ServiceUnavailable, ATTEMPTS, Some("again unanswered"), 3),
        (CutBefore, ATTEMPTS, Some("again unanswered"), 3),
        (LostAnswer, ATTEMPTS, Some("again unanswered"), 3),
    ];
    for account in ["lwa", "team"] {
        for (kind, times, first, calls) in table {
            let context = format!("{account}: {kind:?} {times} times");
            let stage = stage("never").await;
            arm(&stage, Operation::BatchSuspendUser, kind, times);
            let report = stage.deliver(&body(account)).await;
            assert_eq!(Stage::told(&report)["e1"], first.unwrap_or(outcome_of(account)), "{context}");
            assert_eq!(count(&stage, "BatchSuspendUser"), calls, "{context}");
            if first.is_some() {
                assert_eq!(failed(&report), ["m0"], "{context}");
                assert_eq!(stage.event("e1").await.unwrap().state, State::Retry, "{context}");
                // What may still take effect keeps the person's other events away until the lease is over.
                let unresolved = first == Some("again unanswered");
                assert_eq!(stage.person().await.lease.is_some(), unresolved, "{context}");
                stage.wait_for_the_queue();
                let report = stage.deliver(&body(account)).await;
                assert_eq!(Stage::told(&report)["e1"], outcome_of(account), "{context}");
            }
            check_access_is_gone(&stage, account, &context).await;
        }
    }
}

/// The SDK sends again by itself: `NotFound` then means that the first send removed the user.
#[tokio::test]
async fn a_lost_answer_that_the_sdk_mends_is_applied() {
    for account in ["lwa", "team"] {
        for times in [1, 2] {
            let context = format!("{account}: {times} answers lost");
            let stage = stage("never").await;
            arm(&stage, Operation::BatchSuspendUser, FaultKind::LostAnswer, times);
            let report = stage.deliver_to_the_end(&body(account)).await;
            assert_eq!(Stage::told(&report)["e1"], outcome_of(account), "{context}");
            check_access_is_gone(&stage, account, &context).await;
        }
    }
}

/// Nothing was done in the first attempt, and then an administrator removes the user: that was not us.
#[tokio::test]
async fn a_removal_that_another_made_is_not_called_ours() {
    let stage = stage("never").await;
    arm(&stage, Operation::BatchSuspendUser, FaultKind::Throttle, ATTEMPTS);
    let report = stage.deliver(&body("team")).await;
    assert_eq!(Stage::told(&report)["e1"], "again throttled");
    stage.chime.core().account_mut("team").unwrap().suspend("u0").unwrap();
    stage.wait_for_the_queue();
    let report = stage.deliver(&body("team")).await;
    assert_eq!(Stage::told(&report)["e1"], "unchanged user_not_found");
    assert_eq!(stage.person().await.taken, None);
}

#[tokio::test]
async fn a_batch_with_one_bad_user_settles_the_others() {
    let stage = stage("never").await;
    // The user vanishes between look-up and call: remembered from an attempt that was throttled as a whole.
    let bodies = [0, 1].map(|n| envelope(&termination(&format!("e{n}"), "lwa", n)));
    arm(&stage, Operation::BatchSuspendUser, FaultKind::ThrottleUsers, 1);
    stage.deliver(&bodies).await;
    {
        let mut core = stage.chime.core();
        let account = core.account_mut("lwa").unwrap();
        account.account.account_type = rollcall_local::chime::state::AccountType::Team;
        account.suspend("u0").unwrap();
        account.account.account_type = rollcall_local::chime::state::AccountType::EnterpriseLWA;
    }
    stage.wait_for_the_queue();
    let told = Stage::told(&stage.deliver(&bodies).await);
    assert_eq!([&told["e0"], &told["e1"]], ["unchanged user_not_found", "applied suspended"]);
}

#[tokio::test]
async fn what_the_directory_forbids_is_parked() {
    for account in ["lwa", "team"] {
        let stage = stage("never").await;
        arm(&stage, Operation::BatchSuspendUser, FaultKind::Forbidden, 1);
        let report = stage.deliver(&body(account)).await;
        assert_eq!(Stage::told(&report)["e1"], "parked refused_by_directory");
        assert_eq!(failed(&report), Vec::<String>::new());
        assert_eq!(count(&stage, "BatchSuspendUser"), 1, "a refusal is not tried again");
        assert_eq!(stage.users()[&format!("{account}/u0")], "Registered");
        let parked = stage.queue.parked.lock().unwrap().clone();
        assert_eq!((parked.len(), &parked[0].body), (1, &body(account)[0]));
        let event = stage.event("e1").await.unwrap();
        assert_eq!((event.state, event.owner), (State::Parked, parked[0].parked_as.clone()));
        let outcome = stage.outcome("e1").await;
        assert!(outcome["message"].as_str().unwrap().contains("Forbidden"), "{outcome}");
        assert_eq!(stage.person().await.lease, None, "a parked event releases the lease");
        assert_eq!(stage.person().await.taken, None, "nothing was taken");
    }
}

fn step<'a>(outcome: &'a Value, operation: &str) -> &'a Value {
    let steps = outcome["steps"].as_array().unwrap();
    steps.iter().find(|step| step["operation"] == operation).unwrap()
}

/// An auxiliary step gets its try; whatever it answers, the decisive step follows, and the outcome names the failure.
#[tokio::test]
async fn an_auxiliary_failure_never_stops_the_decisive_step() {
    use FaultKind::{Forbidden, LostAnswer, ServiceFailure, Throttle};
    use Operation::{LogoutUser, ResetPersonalPIN};
    let table = [
        ("team", LogoutUser, "logout", Forbidden, "refused"),
        ("team", LogoutUser, "logout", Throttle, "refused"),
        ("team", LogoutUser, "logout", ServiceFailure, "unknown"),
        ("team", LogoutUser, "logout", LostAnswer, "unknown"),
        ("team", ResetPersonalPIN, "reset_pin", Forbidden, "refused"),
        ("team", ResetPersonalPIN, "reset_pin", Throttle, "refused"),
        ("team", ResetPersonalPIN, "reset_pin", ServiceFailure, "unknown"),
        ("lwa", ResetPersonalPIN, "reset_pin", Forbidden, "refused"),
        ("lwa", ResetPersonalPIN, "reset_pin", LostAnswer, "unknown"),
    ];
    for (account, operation, name, kind, status) in table {
        let context = format!("{account}: {operation:?} meets {kind:?}");
        let stage = stage("always").await;
        arm(&stage, operation, kind, FOR_EVER);
        let report = stage.deliver(&body(account)).await;
        assert_eq!(Stage::told(&report)["e1"], outcome_of(account), "{context}");
        check_access_is_gone(&stage, account, &context).await;
        let outcome = stage.outcome("e1").await;
        assert_eq!(step(&outcome, name)["status"], status, "{context}: {outcome}");
        if kind == Forbidden {
            assert!(step(&outcome, name)["code"].as_str().unwrap().contains("Forbidden"), "{context}: {outcome}");
        }
        let decisive = if account == "team" { "remove" } else { "suspend" };
        assert_eq!(step(&outcome, decisive)["status"], "confirmed", "{context}");
    }
}

#[tokio::test]
async fn a_pin_whose_answer_is_lost_is_reset_once_more_and_says_so() {
    for (times, status) in [(1, "confirmed"), (FOR_EVER, "unknown")] {
        for account in ["lwa", "team"] {
            let stage = stage("always").await;
            arm(&stage, Operation::ResetPersonalPIN, FaultKind::LostAnswer, times);
            let report = stage.deliver(&body(account)).await;
            assert_eq!(Stage::told(&report)["e1"], outcome_of(account));
            assert_eq!(count(&stage, "ResetPersonalPIN"), 2, "{account}: once more, not more often");
            let outcome = stage.outcome("e1").await;
            let pin = step(&outcome, "reset_pin");
            assert_eq!((&pin["status"], &pin["repeated"]), (&json!(status), &json!(true)), "{account}");
        }
    }
}

/// A PIN that was reset in an attempt that comes again stays as it is.
#[tokio::test]
async fn a_pin_that_was_reset_is_not_reset_by_the_next_attempt() {
    let stage = stage("always").await;
    arm(&stage, Operation::BatchSuspendUser, FaultKind::ThrottleUsers, 2);
    stage.deliver_to_the_end(&body("team")).await;
    check_access_is_gone(&stage, "team", "throttled twice").await;
    assert_eq!(count(&stage, "ResetPersonalPIN"), 1);
}

#[tokio::test]
async fn the_function_gives_up_after_24_hours() {
    for account in ["lwa", "team"] {
        let stage = stage("never").await;
        arm(&stage, Operation::BatchSuspendUser, FaultKind::ServiceFailure, FOR_EVER);
        // It is tried for a day, and not an attempt is counted: each one was settled.
        for _ in 0..=23 {
            let report = stage.deliver(&body(account)).await;
            assert_eq!(Stage::told(&report)["e1"], "again unanswered");
            stage.host.advance(SignedDuration::from_hours(1));
        }
        stage.host.advance(SignedDuration::from_hours(1));
        let report = stage.deliver(&body(account)).await;
        assert_eq!(Stage::told(&report)["e1"], "parked gave_up");
        assert_eq!(failed(&report), Vec::<String>::new());
        assert_eq!(stage.users()[&format!("{account}/u0")], "Registered");
        let parked = stage.queue.parked.lock().unwrap().clone();
        assert_eq!((parked.len(), &parked[0].body), (1, &body(account)[0]));
        assert_eq!(stage.person().await.lease, None);
    }
}

/// Reads fail closed: a listing that does not answer never means that nobody is there.
#[tokio::test]
async fn a_look_up_that_fails_never_means_nobody() {
    use FaultKind::{CutBefore, Forbidden, ServiceFailure, Throttle};
    let table = [
        (Throttle, "again throttled"),
        (ServiceFailure, "again unanswered"),
        (CutBefore, "again unanswered"),
        (Forbidden, "parked refused_by_directory"),
    ];
    for operation in [Operation::ListAccounts, Operation::ListUsers] {
        for (kind, expected) in table {
            let stage = stage("never").await;
            arm(&stage, operation, kind, ATTEMPTS);
            let report = stage.deliver(&body("lwa")).await;
            assert_eq!(Stage::told(&report)["e1"], expected, "{operation:?} meets {kind:?}");
            assert_eq!(stage.changes(), Vec::<String>::new());
        }
    }
}

/// The person's licence is remembered with the user id, so that it can be given back.
#[tokio::test]
async fn what_a_known_person_had_is_known_when_it_is_taken() {
    let stage = stage("never").await;
    arm(&stage, Operation::BatchSuspendUser, FaultKind::ThrottleUsers, 1);
    stage.deliver(&body("lwa")).await;
    let later = envelope(&event("e2", "termination", "effective", "2026-11-23T08:00:00Z", "lwa", 0));
    let report = stage.deliver(&[later]).await;
    assert_eq!(Stage::told(&report)["e2"], "applied suspended");
    let taken = stage.person().await.taken.unwrap();
    assert_eq!((taken.licence.as_deref(), taken.event.as_str()), (Some("Pro"), "suspend-user#e2"));
}

/// An earlier event's attempt may have taken effect: the wished state is sent again, never inferred.
#[tokio::test]
async fn a_later_termination_finishes_what_an_earlier_could_not() {
    for fault in [FaultKind::LostAnswer, FaultKind::ServiceFailure] {
        let stage = stage("never").await;
        arm(&stage, Operation::BatchSuspendUser, fault, ATTEMPTS);
        stage.deliver(&body("lwa")).await;
        let later = envelope(&event("e2", "termination", "effective", "2026-11-23T08:00:00Z", "lwa", 0));
        let report = stage.deliver(std::slice::from_ref(&later)).await;
        assert_eq!(Stage::told(&report)["e2"], "again busy", "the first may still take effect");
        stage.outlive_leases();
        let report = stage.deliver(&[later]).await;
        assert_eq!(Stage::told(&report)["e2"], "applied suspended");
        stage.deliver_to_the_end(&body("lwa")).await;
        assert_eq!(stage.users()["lwa/u0"], "Suspended");
    }
}
