//! The mass-change brake: what counts, what is held, and what an operator's reset does. Expectations are the rules
//! of docs/safety.md.

use crate::stage::{Fault, Stage, Strike, account, batch, envelope, failed, mapped, termination};
use jiff::SignedDuration;
use rollcall::brake::{Population, budget_key};
use rollcall::ledger::State;
use rollcall::plan::ActionClass;
use serde_json::{Value, json};
use std::collections::BTreeMap;

const LWA: &str = "lwa";

/// The mapping of accounts, and a brake on access with these limits.
fn braked(limits: Value) -> Value {
    let mut policy = mapped(&[LWA, "team"]);
    policy["brake"] = json!({ "access": { "limits": limits } });
    policy
}

async fn stage(people: usize, limits: Value) -> Stage {
    Stage::new(json!([account(LWA, "EnterpriseLWA", people), account("team", "Team", 4)]))
        .await
        .with_policy(braked(limits))
}

/// Terminations of `p<n>`, each an hour after the one before, so that their order is known.
fn terminations(people: std::ops::Range<usize>) -> Vec<String> {
    people
        .map(|n| {
            let mut event = termination(&format!("t{n:03}"), LWA, n);
            event["occurredAt"] = json!(format!("2026-11-20T{:02}:{:02}:00Z", n / 60, n % 60));
            envelope(&event)
        })
        .collect()
}

fn suspended(stage: &Stage) -> Vec<usize> {
    let users = stage.users();
    let number = |key: &String| key.rsplit_once('u').unwrap().1.parse::<usize>().unwrap();
    let mut numbers: Vec<usize> =
        users.iter().filter(|(_, status)| *status == "Suspended").map(|(key, _)| number(key)).collect();
    numbers.sort_unstable();
    numbers
}

async fn latched(stage: &Stage) -> bool {
    let key = budget_key(ActionClass::Access, None);
    let budgets = stage.ledger().budgets(&[key.clone()].into(), stage.deadline()).await.unwrap();
    budgets.look(&key).unwrap().latch().is_some()
}

#[tokio::test]
async fn the_oldest_that_fit_are_applied_and_the_rest_is_held() {
    let stage = stage(8, json!([{ "count": 3, "window": "1h" }])).await;
    let mut bodies = terminations(0..8);
    bodies.reverse();
    let report = stage.deliver(&bodies).await;
    assert_eq!(failed(&report), Vec::<String>::new());
    assert_eq!(suspended(&stage), [0, 1, 2]);
    assert_eq!(stage.waiting(State::Held).await.len(), 5);
    assert_eq!(stage.outcome("t003").await["reason"], "mass_change");
    assert!(latched(&stage).await);
}

#[tokio::test]
async fn a_latched_brake_holds_even_when_the_window_has_passed_until_it_is_reset() {
    let stage = stage(6, json!([{ "count": 2, "window": "1h" }])).await;
    stage.deliver(&terminations(0..3)).await;
    stage.host.advance(SignedDuration::from_hours(48));
    stage.deliver(&terminations(3..4)).await;
    assert_eq!(suspended(&stage), [0, 1], "a new day changes nothing");
    let key = budget_key(ActionClass::Access, None);
    assert_eq!(stage.ledger().reset_budget(&key).await, Ok(true));
    assert_eq!(suspended(&stage), [0, 1], "a reset releases nothing");
    stage.deliver(&terminations(4..6)).await;
    assert_eq!(suspended(&stage), [0, 1, 4, 5], "the window is empty again");
    assert_eq!(stage.waiting(State::Held).await, ["t002", "t003"]);
    assert_eq!(stage.ledger().reset_budget("budget#licence").await, Ok(false), "there is none to reset");
}

#[tokio::test]
async fn a_drip_that_passes_the_short_window_meets_the_long_one() {
    let stage = stage(8, json!([{ "count": 2, "window": "1h" }, { "count": 5, "window": "7d" }])).await;
    for body in terminations(0..8) {
        stage.deliver(&[body]).await;
        stage.host.advance(SignedDuration::from_hours(6));
    }
    assert_eq!(suspended(&stage), [0, 1, 2, 3, 4]);
}

#[tokio::test]
async fn one_unit_an_event_however_often_it_is_tried() {
    let stage = stage(4, json!([{ "count": 2, "window": "1h" }])).await;
    // The first suspension's answers are lost twice: three attempts, one unit.
    // Each time it is the call that suspends: after account and look-up, then after the account alone.
    for first in [3, 2] {
        stage.wire.set(Strike::on(Fault::LoseAnswer, "chime", first, 8));
        stage.deliver(&terminations(0..1)).await;
        stage.wire.clear();
        let item = stage.event("t000").await.unwrap();
        assert_eq!((item.state, item.braked), (State::Retry, Some(ActionClass::Access)));
        stage.host.advance(SignedDuration::from_mins(14));
    }
    stage.deliver(&terminations(0..1)).await;
    assert_eq!(stage.event("t000").await.unwrap().state, State::Applied);
    stage.deliver(&terminations(1..2)).await;
    assert_eq!(suspended(&stage), [0, 1], "the second unit was still there");
    stage.deliver(&terminations(2..3)).await;
    assert_eq!(suspended(&stage), [0, 1], "and no third");
}

#[tokio::test]
async fn nothing_counts_that_takes_nothing() {
    let stage = stage(3, json!([{ "count": 1, "window": "1h" }])).await;
    let mut nobody = termination("t900", LWA, 900);
    nobody["subject"]["email"] = json!("nobody@lwa.example");
    stage.deliver(&[envelope(&nobody)]).await;
    stage.deliver(&terminations(0..1)).await;
    assert_eq!(suspended(&stage), [0], "somebody whom nobody knows took no unit");
    stage.deliver(&terminations(0..1)).await;
    assert!(!latched(&stage).await, "a duplicate is none, and does not trip it");
}

#[tokio::test]
async fn a_share_is_of_the_last_count_of_users() {
    let stage = stage(8, json!([{ "count": 6, "percent": 25, "window": "1h" }])).await;
    let counted_at = stage.host.now_then(SignedDuration::ZERO);
    let population = Population { counted_at, users: 8, accounts: BTreeMap::new() };
    stage.ledger().set_population(&population).await.unwrap();
    let report = stage.deliver(&terminations(0..8)).await;
    assert_eq!(suspended(&stage), [0, 1], "a quarter of eight");
    assert!(!report.uncounted);
}

#[tokio::test]
async fn without_a_count_of_users_the_number_stands_alone_and_is_told() {
    let stage = stage(8, json!([{ "count": 6, "percent": 25, "window": "1h" }])).await;
    let counted_at = stage.host.now_then(SignedDuration::from_hours(-7 * 24 - 1));
    let population = Population { counted_at, users: 8, accounts: BTreeMap::new() };
    stage.ledger().set_population(&population).await.unwrap();
    let report = stage.deliver(&terminations(0..8)).await;
    assert_eq!(suspended(&stage), [0, 1, 2, 3, 4, 5]);
    assert!(report.uncounted, "the count is older than seven days");
}

#[tokio::test]
async fn an_account_may_have_a_limit_of_its_own() {
    let stage = Stage::new(json!([account(LWA, "EnterpriseLWA", 4), account("team", "Team", 4)])).await;
    let mut policy = mapped(&[LWA, "team"]);
    policy["brake"] = json!({ "access": {
        "limits": [{ "count": 5, "window": "1h" }], "per_account": [{ "count": 2, "window": "1h" }],
    } });
    let stage = stage.with_policy(policy);
    let mut bodies = terminations(0..4);
    bodies.extend((0..2).map(|n| envelope(&termination(&format!("team{n}"), "team", n))));
    stage.deliver(&bodies).await;
    assert_eq!(suspended(&stage), [0, 1]);
    let team = stage.users().keys().filter(|key| key.starts_with("team/")).count();
    assert_eq!(team, 2, "the other account's own limit is not touched: two of four are removed");
}

#[tokio::test]
async fn a_brake_costs_no_call_of_its_own() {
    let stage = stage(48, json!([{ "count": 100, "window": "1h" }, { "count": 200, "window": "7d" }])).await;
    // Known people: a first round of terminations ends without an answer, so that their user ids are remembered.
    let worker = stage.worker();
    stage.chime.core().arm(rollcall_local::chime::faults::Fault {
        operation: rollcall_local::chime::routes::Operation::BatchSuspendUser,
        kind: rollcall_local::chime::faults::FaultKind::ThrottleUsers,
        after: 0,
        times: 1,
    });
    worker.handle(batch(&terminations(0..48)), stage.deadline()).await;
    assert_eq!(suspended(&stage), Vec::<usize>::new());
    stage.wire.forget();
    let again: Vec<String> = (0..48)
        .map(|n| {
            let mut event = termination(&format!("again{n}"), LWA, n);
            event["factId"] = json!("another");
            envelope(&event)
        })
        .collect();
    worker.handle(batch(&again), stage.deadline()).await;
    assert_eq!(stage.wire.calls(), ["BatchGetItem", "TransactWriteItems", "chime", "TransactWriteItems"]);
}

#[tokio::test]
async fn a_worker_that_dies_after_its_claim_has_taken_its_unit() {
    let stage = stage(4, json!([{ "count": 1, "window": "1h" }])).await;
    let struck =
        stage.deliver_until(&terminations(0..1), Strike::on(Fault::StopAfter, "TransactWriteItems", 1, 1)).await;
    assert!(struck.is_none());
    stage.deliver(&terminations(1..2)).await;
    assert_eq!(suspended(&stage), Vec::<usize>::new(), "its unit is gone, so the second is held");
    stage.outlive_leases();
    stage.deliver(&terminations(0..1)).await;
    assert_eq!(suspended(&stage), [0], "and the next attempt needs none, latched or not");
}

/// On a server that speaks DynamoDB's protocol: 64 workers at once, one budget.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn sixty_four_workers_never_take_one_too_many() {
    const WORKERS: usize = 64;
    const EACH: usize = 3;
    const ALLOWED: usize = 20;
    let stage = stage(WORKERS * EACH, json!([{ "count": ALLOWED, "window": "1h" }])).await;
    let bodies = terminations(0..WORKERS * EACH);
    let mut most = 0;
    let mut open: Vec<Vec<String>> = bodies.chunks(EACH).map(<[String]>::to_vec).collect();
    let mut races = 0;
    for _ in 0..200 {
        if open.is_empty() {
            break;
        }
        let workers: Vec<_> = open.iter().map(|bodies| (stage.worker(), batch(bodies))).collect();
        let deadline = stage.deadline();
        let running = workers.into_iter().map(|(worker, event)| {
            tokio::task::spawn_blocking(move || {
                let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
                runtime.block_on(async { worker.handle(event, deadline).await })
            })
        });
        let reports = futures_join(running.collect()).await;
        most = most.max(suspended(&stage).len());
        open = open
            .into_iter()
            .zip(reports)
            .map(|(bodies, report)| {
                let failed = failed(&report);
                races += failed.len();
                let again = |(index, _): &(usize, &String)| failed.contains(&format!("m{index}"));
                bodies.iter().enumerate().filter(again).map(|(_, body)| body.clone()).collect::<Vec<_>>()
            })
            .filter(|bodies| !bodies.is_empty())
            .collect();
        stage.wait_for_the_queue();
    }
    assert_eq!(open, Vec::<Vec<String>>::new(), "every message was taken in the end");
    assert_eq!((most, suspended(&stage).len()), (ALLOWED, ALLOWED), "exactly as many as the limit allows");
    let held = stage.items().await.iter().filter(|item| item.get("attention").is_some()).count();
    assert_eq!(held, WORKERS * EACH - ALLOWED);
}

async fn futures_join<T>(tasks: Vec<tokio::task::JoinHandle<T>>) -> Vec<T> {
    let mut done = Vec::new();
    for task in tasks {
        done.push(task.await.unwrap());
    }
    done
}
