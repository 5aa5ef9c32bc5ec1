//! Faults on command: each does what it says, in sequence and by chance, the same every time.

use crate::stage::{ask, core, hook, in_region, serve, told, wire};
use aws_sdk_chime::config::retry::RetryConfig;
use rollcall_local::chime::core::Core;
use rollcall_local::chime::faults::{Chance, EntryCode, Fault, FaultKind};
use rollcall_local::chime::routes::Operation;
use serde_json::{Value, json};
use std::time::{Duration, Instant};

fn fault(operation: Operation, kind: FaultKind) -> Fault {
    Fault { operation, kind, after: 0, times: 1 }
}

fn suspend(core: &mut Core, ids: &[&str]) -> Value {
    let ids = json!({ "UserIdList": ids });
    ask(core, "POST", "/accounts/lwa/users?operation=suspend", &ids).body.unwrap()
}

#[test]
fn faults_strike_in_the_order_they_were_armed() {
    let mut core = core(1);
    core.arm(Fault { operation: Operation::GetAccount, kind: FaultKind::Throttle, after: 1, times: 2 });
    core.arm(fault(Operation::GetAccount, FaultKind::ServiceUnavailable));
    core.arm(fault(Operation::GetUser, FaultKind::Unauthorized));
    let statuses: Vec<u16> = (0..5).map(|_| told(&ask(&mut core, "GET", "/accounts/lwa", &Value::Null)).0).collect();
    assert_eq!(statuses, [200, 429, 429, 503, 200]);
    assert_eq!(told(&ask(&mut core, "GET", "/accounts/lwa/users/lwa-u0", &Value::Null)).0, 401);
}

#[test]
fn chance_is_the_same_for_the_same_seed() {
    let play = |seed| {
        let mut core = core(1);
        core.arm_chance(Chance { operation: None, kind: FaultKind::ServiceFailure, per_mille: 300, seed });
        (0..200).map(|_| told(&ask(&mut core, "GET", "/accounts", &Value::Null)).0).collect::<Vec<_>>()
    };
    assert_eq!(play(7), play(7));
    assert_ne!(play(7), play(8));
    let struck = play(7).iter().filter(|status| **status == 500).count();
    assert!((30..=90).contains(&struck), "{struck} of 200 at 300 in a thousand");
}

#[test]
fn entries_strike_some_users_and_the_others_take_effect() {
    let mut core = core(5);
    core.arm(fault(Operation::BatchSuspendUser, FaultKind::UserErrors { code: EntryCode::ServiceFailure, every: 2 }));
    let ids = ["lwa-u0", "lwa-u1", "lwa-u2", "lwa-u3", "lwa-u4"];
    let answer = suspend(&mut core, &ids);
    let failed: Vec<&str> =
        answer["UserErrors"].as_array().unwrap().iter().map(|entry| entry["UserId"].as_str().unwrap()).collect();
    assert_eq!(failed, ["lwa-u1", "lwa-u3"]);
    assert_eq!(answer["UserErrors"][0]["ErrorCode"], "ServiceFailure");
    assert_eq!(core.account_mut("lwa").unwrap().counts().suspended, 3);
    core.arm(fault(Operation::BatchSuspendUser, FaultKind::ThrottleUsers));
    let answer = suspend(&mut core, &["lwa-u1", "lwa-u3"]);
    assert_eq!(answer["UserErrors"].as_array().unwrap().len(), 2);
    assert_eq!(core.account_mut("lwa").unwrap().counts().suspended, 3, "throttled ones took no effect");
}

/// Lists 9 users by 3, one fault armed for a later page; answers ids, or the status that ended it.
fn listed(kind: Option<FaultKind>) -> Result<Vec<usize>, u16> {
    let mut core = core(9);
    if let Some(kind) = kind {
        core.arm(fault(Operation::ListUsers, kind));
    }
    let mut target = "/accounts/lwa/users?max-results=3".to_owned();
    let mut seen = Vec::new();
    loop {
        let response = ask(&mut core, "GET", &target, &Value::Null);
        if response.status != 200 {
            return Err(response.status);
        }
        let page = response.body.unwrap();
        let number =
            |user: &Value| user["UserId"].as_str().unwrap().trim_start_matches("lwa-u").parse::<usize>().unwrap();
        seen.extend(page["Users"].as_array().unwrap().iter().map(number));
        let Some(token) = page["NextToken"].as_str() else { return Ok(seen) };
        target = format!("/accounts/lwa/users?next-token={token}");
    }
}

#[test]
fn listings_misbehave_between_pages() {
    assert_eq!(listed(None), Ok((0..9).collect()));
    assert_eq!(listed(Some(FaultKind::PageFails)), Err(500));
    assert_eq!(listed(Some(FaultKind::TokenExpired)), Err(400));
    assert_eq!(listed(Some(FaultKind::TokenForged)), Err(400));
    assert_eq!(listed(Some(FaultKind::ListShrinks { by: 2 })), Ok(vec![0, 1, 2, 5, 6, 7, 8]), "3 and 4 are skipped");
    let reordered = listed(Some(FaultKind::ListReorders)).unwrap();
    assert_eq!(reordered, [0, 1, 2, 3, 2, 1, 6, 7, 8], "1 and 2 twice, 4 and 5 never");
}

#[tokio::test]
async fn a_slow_answer_comes_late_and_a_cut_one_never() {
    let chime = serve(2).await;
    let client = in_region(&chime, "us-east-1", RetryConfig::disabled());
    chime.core().arm(fault(Operation::LogoutUser, FaultKind::Slow { millis: 300 }));
    #[expect(clippy::disallowed_methods, reason = "the wait is what is tested")]
    let began = Instant::now();
    client.logout_user().account_id("lwa").user_id("lwa-u0").send().await.unwrap();
    assert!(began.elapsed() >= Duration::from_millis(300));
    for (kind, user, sessions) in [(FaultKind::CutBefore, "lwa-u1", 2), (FaultKind::LostAnswer, "lwa-u1", 0)] {
        chime.core().arm(fault(Operation::LogoutUser, kind));
        client.logout_user().account_id("lwa").user_id(user).send().await.unwrap_err();
        assert_eq!(chime.core().account("lwa").unwrap().user(user).unwrap().sessions, sessions, "{kind:?}");
        let core = chime.core();
        let outcome = &core.calls().last().unwrap().outcome;
        assert_eq!((outcome.status, outcome.took_effect), (None, kind == FaultKind::LostAnswer));
    }
    chime.core().arm(fault(Operation::ListAccounts, FaultKind::CutBefore));
    let request = "GET /accounts HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n";
    assert_eq!(wire(&chime, request).await, (String::new(), String::new()), "not a byte");
}

#[tokio::test]
async fn faults_are_armed_over_the_network() {
    let chime = serve(1).await;
    let sequence = json!([
        { "operation": "GetUser", "kind": "throttle" },
        { "operation": "BatchSuspendUser", "kind": { "user_errors": { "code": "Conflict", "every": 1 } }, "after": 1, "times": 3 },
        { "operation": "ListUsers", "kind": { "list_shrinks": { "by": 1 } } },
        { "operation": "GetUser", "kind": { "slow": { "millis": 5 } } },
    ]);
    assert_eq!(hook(&chime, "POST", "faults", &sequence).await.0, 204);
    let chance = json!({ "kind": "lost_answer", "perMille": 1, "seed": 3 });
    assert_eq!(hook(&chime, "POST", "chances", &chance).await.0, 204);
    let (_, told) = hook(&chime, "GET", "faults", &Value::Null).await;
    assert_eq!((told["armed"].as_array().unwrap().len(), told["chances"].as_array().unwrap().len()), (4, 1));
    for wrong in [
        json!({ "operation": "GetUser", "kind": "throttle_users" }),
        json!({ "operation": "GetUser", "kind": "list_reorders" }),
        json!({ "operation": "Nothing", "kind": "throttle" }),
        json!({ "operation": "GetUser", "kind": "explode" }),
        json!(7),
    ] {
        assert_eq!(hook(&chime, "POST", "faults", &wrong).await.0, 400, "{wrong}");
    }
    assert_eq!(chime.core().armed().len(), 4, "a wrong one arms nothing");
    assert_eq!(hook(&chime, "DELETE", "faults", &Value::Null).await.0, 204);
    let core = chime.core();
    assert_eq!((core.armed().len(), core.chances().count()), (0, 0));
}
