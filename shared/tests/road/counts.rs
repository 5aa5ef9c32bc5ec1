//! Remote calls, counted at the wire: what a batch costs once its people are known, and what the first time adds.

use crate::stage::{Stage, TestRoad, account, batch, envelope, event, failed, mapped};
use rollcall::batch::BatchReport;
use serde_json::{Value, json};
use std::collections::BTreeMap;

const RECALL: &str = "BatchGetItem";
const WRITE: &str = "TransactWriteItems";
const CHIME: &str = "chime";

/// Terminations `<wave>-<n>` of people of one account; a later wave bites later.
fn wave(wave: usize, account: &str, people: std::ops::Range<usize>) -> Vec<String> {
    let at = format!("2026-11-2{}T08:00:00Z", wave);
    people.map(|n| envelope(&event(&format!("{wave}-{n}"), "termination", "effective", &at, account, n))).collect()
}

async fn one_account(kind: &str, users: usize, policy: Value) -> Stage {
    Stage::new(json!([account("acc", kind, users)])).await.with_policy(policy)
}

/// Handles a batch on a worker that stays, and answers the calls that this took.
async fn calls(stage: &Stage, worker: &TestRoad, bodies: &[String]) -> (BatchReport, Vec<String>) {
    stage.wire.forget();
    let report = worker.handle(batch(bodies), stage.deadline()).await;
    assert_eq!(failed(&report), Vec::<String>::new());
    (report, stage.wire.calls())
}

fn all_told(report: &BatchReport, expected: &str) {
    let told = Stage::told(report);
    assert!(told.values().all(|told| told == expected), "{told:?}");
}

fn counted(calls: &[String]) -> BTreeMap<&str, usize> {
    let mut counts = BTreeMap::new();
    calls.iter().for_each(|call| *counts.entry(call.as_str()).or_default() += 1);
    counts
}

#[tokio::test]
async fn terminations_of_known_people_cost_recall_claim_suspend_and_settle() {
    let one_slice = vec![RECALL, WRITE, CHIME, WRITE];
    // Two slices, and all their people in one BatchSuspendUser.
    let two_slices = vec![RECALL, RECALL, WRITE, WRITE, CHIME, WRITE, WRITE];
    for (people, expected) in [(1, one_slice.clone()), (48, one_slice), (50, two_slices)] {
        let stage = one_account("EnterpriseLWA", 50, mapped(&["acc"])).await;
        let worker = stage.worker();
        calls(&stage, &worker, &wave(0, "acc", 0..people)).await;
        let (report, calls) = calls(&stage, &worker, &wave(1, "acc", 0..people)).await;
        all_told(&report, "applied suspended");
        assert_eq!(calls, expected, "{people} people");
    }
}

/// Each function, 48 events of people of one account in one slice: the changes it costs, and the look-ups.
///
/// Ceil(n/50) invites, suspends and unsuspends, ceil(n/20) licence updates, one logout and one PIN
/// reset for each who needs it, and one look-up for each who is not known (a page where that is fewer).
#[tokio::test]
async fn every_function_groups_what_it_does() {
    let mut policy = mapped(&["acc"]);
    policy["licences"] = json!({ "rules": [{ "job_code": ["ENG-*"], "licence": "Pro" }], "default": "Basic" });
    let about = |kind: &str, phase: &str, at: &str, n: usize| {
        let mut event = event(&format!("{kind}-{phase}-{n}"), kind, phase, at, "acc", n);
        event["changes"] = json!([{ "field": "job_code", "after": "HR-1" }]);
        event
    };
    let of = |kind: &str, phase: &str, at: &str, people: std::ops::Range<usize>| -> Vec<String> {
        people.map(|n| envelope(&about(kind, phase, at, n))).collect()
    };
    let ops = |stage: &Stage| {
        let names: Vec<String> =
            stage.chime.core().calls().iter().map(|call| format!("{:?}", call.operation.unwrap())).collect();
        let counts: BTreeMap<String, usize> = names.iter().fold(BTreeMap::new(), |mut counts, name| {
            *counts.entry(name.clone()).or_default() += 1;
            counts
        });
        stage.chime.core().forget_calls();
        counts.into_iter().map(|(name, count)| format!("{name} {count}")).collect::<Vec<_>>().join(", ")
    };
    let (hired, left) = ("2026-11-20T08:00:00Z", "2026-11-21T18:00:00Z");
    // Unknown people of a Team account: a page for all of them, one invitation call.
    let stage = one_account("Team", 1, policy.clone()).await;
    stage.deliver(&of("hire", "effective", hired, 10..58)).await;
    assert_eq!(ops(&stage), "GetAccount 1, InviteUsers 1, ListUsers 1");
    // Known people of EnterpriseLWA: leave, back again in four ways, other jobs, and a leak.
    let stage = one_account("EnterpriseLWA", 48, policy).await;
    stage.deliver(&of("termination", "effective", left, 0..48)).await;
    assert_eq!(ops(&stage), "BatchSuspendUser 1, GetAccount 1, ListUsers 1");
    let mixed = [
        of("termination", "rescinded", left, 0..16),
        of("rehire", "effective", "2026-11-22T08:00:00Z", 16..32),
        of("termination", "rescinded", left, 32..48),
    ];
    let report = stage.deliver(&mixed.concat()).await;
    all_told(&report, "applied reinstated");
    // The licence of before is set for each, unseen: 48 in three calls of twenty at most.
    assert_eq!(ops(&stage), "BatchUnsuspendUser 1, BatchUpdateUser 3, GetAccount 1");
    let report = stage.deliver(&of("job_change", "effective", "2026-11-22T09:00:00Z", 0..48)).await;
    all_told(&report, "applied licence_set");
    assert_eq!(ops(&stage), "BatchUpdateUser 3, GetAccount 1");
    let leaks: Vec<String> = (0..48)
        .map(|n| {
            let mut leak = about("credential_compromise", "detected", left, n);
            leak["occurredAt"] = json!("2026-11-23T08:00:00Z");
            envelope(&leak)
        })
        .collect();
    all_told(&stage.deliver(&leaks).await, "applied signed_out");
    assert_eq!(ops(&stage), "GetAccount 1, LogoutUser 48, ResetPersonalPIN 48");
}

/// Who is known costs as little to reinstate as to suspend.
#[tokio::test]
async fn reinstating_known_people_costs_recall_claim_two_waves_and_settle() {
    let stage = one_account("EnterpriseLWA", 48, mapped(&["acc"])).await;
    stage.deliver(&wave(0, "acc", 0..48)).await;
    let back = |n| event(&format!("b-{n}"), "rehire", "effective", "2026-11-22T08:00:00Z", "acc", n);
    let bodies: Vec<String> = (0..48).map(|n| envelope(&back(n))).collect();
    let worker = stage.worker_of(rollcall::routes::Function::ReinstateUser);
    worker.directory.warm_up(&worker.rules().policy.accounts.iter().map(|rule| rule.account.clone()).collect()).await;
    let (report, calls) = calls(&stage, &worker, &bodies).await;
    all_told(&report, "applied reinstated");
    // One BatchUnsuspendUser, three BatchUpdateUser of twenty users at most.
    assert_eq!(calls, [RECALL, WRITE, CHIME, CHIME, CHIME, CHIME, WRITE]);
}

#[tokio::test]
async fn duplicates_cost_one_recall() {
    check_duplicates(&["EnterpriseLWA", "EnterpriseDirectory"]).await;
}

/// Who was removed has no user id to remember; a stored outcome needs none.
#[tokio::test]
async fn duplicates_of_removals_cost_one_recall_too() {
    check_duplicates(&["Team"]).await;
}

async fn check_duplicates(kinds: &[&str]) {
    for kind in kinds {
        let stage = one_account(kind, 48, mapped(&["acc"])).await;
        let worker = stage.worker();
        let bodies = wave(0, "acc", 0..48);
        calls(&stage, &worker, &bodies).await;
        let (report, calls) = calls(&stage, &worker, &bodies).await;
        all_told(&report, "duplicate");
        assert_eq!(calls, [RECALL], "{kind}");
    }
}

/// Policy, people, and the look-ups that they cost: one each where the policy names the account, else two.
#[tokio::test]
async fn unknown_people_add_their_look_ups_and_nothing_else() {
    let named = mapped(&["acc"]);
    let unnamed = json!({ "pin_reset": "never" });
    for (policy, people, look_ups) in [(&named, 1, 1), (&named, 2, 2), (&unnamed, 1, 2), (&unnamed, 2, 4)] {
        let stage = one_account("EnterpriseLWA", 50, policy.clone()).await;
        let worker = stage.worker();
        // Initialisation learns the types of the accounts that the policy names.
        worker
            .directory
            .warm_up(&worker.rules().policy.accounts.iter().map(|rule| rule.account.clone()).collect())
            .await;
        let (report, calls) = calls(&stage, &worker, &wave(0, "acc", 0..people)).await;
        all_told(&report, "applied suspended");
        let mut expected = vec![RECALL];
        expected.extend(vec![CHIME; look_ups]);
        expected.extend([WRITE, CHIME, WRITE]);
        assert_eq!(calls, expected, "{people} people, policy {policy}");
    }
}

#[tokio::test]
async fn many_unknown_people_of_a_small_account_cost_its_single_page() {
    let stage = one_account("EnterpriseLWA", 60, mapped(&["acc"])).await;
    let worker = stage.worker();
    worker.directory.warm_up(&worker.rules().policy.accounts.iter().map(|rule| rule.account.clone()).collect()).await;
    stage.chime.core().forget_calls();
    let (report, calls) = calls(&stage, &worker, &wave(0, "acc", 0..48)).await;
    all_told(&report, "applied suspended");
    let operations: Vec<String> =
        stage.chime.core().calls().iter().map(|call| format!("{:?}", call.operation.unwrap())).collect();
    assert_eq!(operations, ["ListUsers", "BatchSuspendUser"]);
    let counts = counted(&calls);
    // Keys: 48 events, 48 persons and their addresses do not fit into one read of 100 keys.
    assert!(counts[RECALL] <= 2, "recall is one read, plus one for aliases: {calls:?}");
    // Claim: event, person and alias of each are 144 actions of at most 100 a transaction. Settle: 96.
    assert_eq!(counts[WRITE], 2 + 1, "{calls:?}");
}

#[tokio::test]
async fn aliases_of_new_people_are_all_written() {
    let stage = one_account("EnterpriseLWA", 48, mapped(&["acc"])).await;
    stage.deliver(&wave(0, "acc", 0..48)).await;
    let people = stage.people().await;
    assert_eq!(people.len(), 48);
    for person in people.values() {
        assert_eq!(person.aliases.len(), 1, "the address is tied to the number");
        assert!(stage.item(&person.aliases[0]).await.is_some());
    }
}

#[tokio::test]
async fn no_request_names_more_than_fifty_users() {
    for kind in ["EnterpriseLWA", "Team"] {
        let stage = one_account(kind, 130, mapped(&["acc"])).await;
        let report = stage.deliver(&wave(0, "acc", 0..130)).await;
        assert_eq!(failed(&report), Vec::<String>::new());
        let sizes: Vec<usize> = stage.chime.core().calls().iter().map(|call| call.users.len()).collect();
        assert_eq!(sizes.iter().max(), Some(&50), "{kind}: {sizes:?}");
        let left = stage.users().values().filter(|status| *status == "Registered").count();
        assert_eq!(left, 0, "{kind}: nobody is left out");
    }
}
