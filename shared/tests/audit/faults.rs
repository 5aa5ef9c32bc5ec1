//! Killed, throttled, and with pages that fail, shrink or come again: the same result, or an account that is not
//! believed; never a wrong proposal.

use crate::stage::Stage;
use rollcall::audit::{Finding, Request, Rule, Summary};
use rollcall::host::Host;
use rollcall_local::chime::faults::{Chance, Fault, FaultKind};
use rollcall_local::chime::routes::Operation;
use rollcall_local::chime::state::{AccountState, GlobalSettings};
use std::collections::BTreeSet;

const PLAN: &str = "accounts=3,users=3000,rng-seed=11";

fn fault(kind: FaultKind, after: u32, times: u32) -> Fault {
    Fault { operation: Operation::ListUsers, kind, after, times }
}

/// What is found about the users of accounts that are believed is what is found without any trouble; of others nothing.
fn same_or_incomplete(told: &Summary, findings: &[Finding], undisturbed: &[Finding], what: &str) -> usize {
    let doubted: BTreeSet<&str> = told
        .accounts
        .iter()
        .filter(|account| account.incomplete.is_some())
        .map(|account| account.id.as_str())
        .collect();
    let about_users = |finding: &&Finding| !matches!(finding.rule, Rule::SettingsDrift | Rule::AccountSuspended);
    let expected: Vec<&Finding> = undisturbed
        .iter()
        .filter(about_users)
        .filter(|finding| finding.account.as_deref().is_none_or(|account| !doubted.contains(account)))
        .collect();
    let found: Vec<&Finding> = findings.iter().filter(about_users).collect();
    assert_eq!(found, expected, "{what}");
    doubted.len()
}

#[tokio::test]
async fn a_failing_page_is_tried_again_where_it_failed() {
    // One account, so that all failures meet it: its second slice has read a page when the next one fails.
    let stage = Stage::generated("accounts=1,users=1400,rng-seed=11").await;
    stage.run("calm").await;
    let calm = stage.findings("calm").await;
    let calls = stage.calls(Operation::ListUsers);
    let kinds = [FaultKind::Throttle, FaultKind::ServiceFailure, FaultKind::CutBefore];
    for (number, kind) in kinds.into_iter().enumerate() {
        // Five attempts in a row fail: the SDK has three, so the slice comes again.
        stage.chime.core().arm(fault(kind, 4, 5));
        stage.chime.core().log_mut().reset_counters();
        let told = stage.run(&format!("r-{number}")).await;
        let findings = stage.findings(&format!("r-{number}")).await;
        assert_eq!(same_or_incomplete(&told, &findings, &calm, "passing trouble"), 0, "{kind:?}");
        assert_eq!(stage.calls(Operation::ListUsers), calls + 5, "{kind:?}: no page that came is read again");
    }
}

/// A token is good for one page: where the answer is lost, or the token expires, the account is listed anew.
#[tokio::test]
async fn a_token_that_is_no_good_any_more_begins_the_account_anew() {
    let stage = Stage::generated(PLAN).await;
    stage.run("calm").await;
    let calm = stage.findings("calm").await;
    let kinds = [FaultKind::TokenExpired, FaultKind::TokenForged, FaultKind::LostAnswer];
    for (number, kind) in kinds.into_iter().enumerate() {
        stage.chime.core().arm(fault(kind, 4, 1));
        let told = stage.run(&format!("r-{number}")).await;
        let findings = stage.findings(&format!("r-{number}")).await;
        assert_eq!(same_or_incomplete(&told, &findings, &calm, "a token that is refused"), 0, "{kind:?}");
    }
}

#[tokio::test]
async fn a_page_that_never_comes_ends_its_account_alone() {
    let stage = Stage::generated(PLAN).await;
    stage.run("calm").await;
    let calm = stage.findings("calm").await;
    // A first page that is refused; then pages none of which comes.
    for (run, kind, times, expected) in [("one", FaultKind::Forbidden, 1, 1), ("all", FaultKind::Throttle, 9_999, 3)] {
        stage.chime.core().arm(fault(kind, 0, times));
        let told = stage.run(run).await;
        let findings = stage.findings(run).await;
        assert_eq!(same_or_incomplete(&told, &findings, &calm, run), expected);
        assert!(told.population().is_none(), "a part is no count");
        stage.chime.core().disarm();
    }
}

/// Half of the users are gone: perhaps they are, perhaps the listing is. For eight days nobody believes it.
#[tokio::test]
async fn an_account_that_shrank_is_not_believed() {
    let stage = Stage::generated("accounts=2,users=400,rng-seed=3").await;
    assert!(stage.run("before").await.accounts.iter().all(|account| account.incomplete.is_none()));
    let mut accounts: Vec<AccountState> = stage.chime.core().accounts().cloned().collect();
    let mut half = AccountState::new(accounts[0].account.clone());
    accounts[0].users().step_by(2).for_each(|user| assert!(half.add(user.clone())));
    accounts[0] = half;
    stage.chime.core().replace(accounts, GlobalSettings::default());
    // Whoever is in HR would be missed anyway; without a roster nobody is.
    let shrunken = async |run: &str| {
        let request = Request { roster: None, ..stage.request(run).await };
        let told = stage.audit().await.run(request, &stage.policy).await.unwrap();
        told.accounts.iter().filter_map(|account| account.incomplete.clone()).collect::<Vec<_>>()
    };
    assert_eq!(shrunken("after").await, ["it has far fewer users than at the last count"]);
    stage.host.sleep(std::time::Duration::from_hours(8 * 24)).await;
    assert!(shrunken("later").await.is_empty());
}

#[tokio::test]
async fn pages_that_skip_or_come_again_are_not_believed() {
    let stage = Stage::generated(PLAN).await;
    stage.run("calm").await;
    let calm = stage.findings("calm").await;
    for after in [0, 2, 5, 8, 11] {
        for kind in [FaultKind::ListReorders, FaultKind::ListShrinks { by: 40 }] {
            let run = format!("r-{after}-{}", u8::from(kind == FaultKind::ListReorders));
            stage.chime.core().arm(fault(kind, after, 1));
            let told = stage.run(&run).await;
            let findings = stage.findings(&run).await;
            assert_eq!(same_or_incomplete(&told, &findings, &calm, &run), 1, "{kind:?} at {after}");
            stage.chime.core().disarm();
        }
    }
}

/// An account that is not listed any more: nobody is called absent for that, and the report says so.
#[tokio::test]
async fn an_account_that_vanished_is_told() {
    let mut stage = Stage::generated("accounts=3,users=300,rng-seed=3").await;
    // Nobody knows whose domain is whose: anybody could be in any account.
    stage.policy.accounts.clear();
    stage.run("before").await;
    let accounts: Vec<AccountState> = stage.chime.core().accounts().skip(1).cloned().collect();
    stage.chime.core().replace(accounts, GlobalSettings::default());
    let told = stage.run("after").await;
    let incomplete: Vec<_> = told.accounts.iter().filter_map(|account| account.incomplete.as_deref()).collect();
    assert_eq!(incomplete, ["it was there at the last audit, and is not listed now"]);
    assert!(told.population().is_none());
    let findings = stage.findings("after").await;
    assert!(findings.iter().all(|finding| finding.rule != Rule::AbsentFromChime));
}

/// One user alone is skipped, and HR may not know them: the last listing does.
#[tokio::test]
async fn a_page_that_skips_one_user_is_not_believed() {
    let stage = Stage::generated("accounts=2,users=1400,rng-seed=19").await;
    stage.run("calm").await;
    let calm = stage.findings("calm").await;
    for after in 0..6 {
        let run = format!("r-{after}");
        stage.chime.core().arm(fault(FaultKind::ListShrinks { by: 1 }, after, 1));
        let told = stage.run(&run).await;
        let findings = stage.findings(&run).await;
        assert_eq!(same_or_incomplete(&told, &findings, &calm, &run), 1, "at {after}");
        stage.chime.core().disarm();
    }
}

/// Killed again and again, at any call, with a directory in trouble all the while.
#[tokio::test]
async fn a_run_that_is_killed_goes_on() {
    let stage = Stage::generated(PLAN).await;
    stage.run("calm").await;
    let calm = stage.findings("calm").await;
    for seed in 0..5 {
        let kinds = [FaultKind::Throttle, FaultKind::ServiceFailure, FaultKind::LostAnswer];
        for (n, kind) in kinds.into_iter().enumerate() {
            let chance = Chance { operation: None, kind, per_mille: 60, seed: seed * 31 + n as u64 };
            stage.chime.core().arm_chance(chance);
        }
        let run = format!("r-{seed}");
        let mut kills = 0;
        let told = loop {
            let audit = stage.audit().await;
            let request = stage.request(&run).await;
            let deadly = stage.calls(Operation::ListUsers) + 3 + (seed + kills) % 7;
            let killed = async {
                while stage.calls(Operation::ListUsers) < deadly {
                    tokio::time::sleep(std::time::Duration::from_millis(1)).await;
                }
            };
            tokio::select! {
                told = audit.run(request, &stage.policy) => break told.unwrap(),
                () = killed, if kills < 6 => kills += 1,
            }
        };
        stage.chime.core().disarm();
        assert!(kills > 0);
        let findings = stage.findings(&run).await;
        same_or_incomplete(&told, &findings, &calm, &run);
    }
}
