//! A whole run: what it finds, and how many calls it makes.

use crate::stage::{InHr, Stage, in_hr};
use rollcall::audit::{Action, Effect, Finding, Request, Rule, Withheld};
use rollcall::store::Store;
use rollcall_local::chime::routes::Operation;
use rollcall_local::chime::state::{AccountType, Invitation, License, Registration, UserType};
use std::collections::{BTreeMap, BTreeSet};

#[tokio::test]
async fn calls_are_the_pages_and_a_constant() {
    let stage = Stage::generated("accounts=5,users=3304,rng-seed=3").await;
    let summary = stage.run("r-1").await;
    // 661 and 660 users an account: four pages each.
    assert_eq!(stage.calls(Operation::ListUsers), 5 * 4);
    assert_eq!(stage.calls(Operation::GetAccountSettings), 5);
    assert_eq!(stage.calls(Operation::ListAccounts), 1);
    assert_eq!(summary.accounts.iter().map(|account| account.users).sum::<u64>(), 3304);
    assert!(summary.accounts.iter().all(|account| account.incomplete.is_none()));
}

/// Orphans and licences above the policy, person by person, against what the generator made and HR was told.
#[tokio::test]
async fn exactly_those_are_found_whom_the_rules_mean() {
    let stage = Stage::generated("accounts=4,users=2600,rng-seed=5").await;
    stage.run("r-1").await;
    let findings = stage.findings("r-1").await;
    let types =
        [AccountType::Team, AccountType::EnterpriseLWA, AccountType::EnterpriseDirectory, AccountType::EnterpriseOIDC];
    let (mut orphans, mut above, mut unknown) = (BTreeSet::new(), BTreeMap::new(), BTreeSet::new());
    for (account, number, user) in stage.users() {
        if user.user_type == Some(UserType::SharedDevice) {
            continue;
        }
        let id = user.user_id.clone();
        let open = match user.user_registration_status {
            Registration::Registered => true,
            Registration::Unregistered => user.user_invitation_status != Some(Invitation::Failed),
            Registration::Suspended => false,
        };
        let registered_pro =
            user.user_registration_status == Registration::Registered && user.license_type == Some(License::Pro);
        match in_hr(number) {
            InHr::Left if open => drop(orphans.insert(id)),
            InHr::Unknown if open => drop(unknown.insert(id)),
            InHr::Clerk if registered_pro => drop(above.insert(id, types[account])),
            InHr::Left | InHr::Unknown | InHr::Clerk | InHr::OnLeave | InHr::New | InHr::Engineer => {}
        }
    }
    let of = |rule: Rule| findings.iter().filter(move |finding| finding.rule == rule);
    let ids = |rule| of(rule).map(|finding| finding.user.clone().unwrap()).collect::<BTreeSet<_>>();
    assert!(orphans.len() > 30 && above.len() > 300 && unknown.len() > 30);
    assert_eq!(ids(Rule::Orphan), orphans);
    assert_eq!(ids(Rule::UnknownToHr), unknown);
    assert_eq!(ids(Rule::LicenceAbovePolicy), above.keys().cloned().collect());
    assert!(of(Rule::Orphan).all(|finding| finding.proposal == Some(Action::Removal)));
    assert!(of(Rule::UnknownToHr).all(|finding| finding.withheld == Some(Withheld::OnlyTells)));
    for (id, kind) in &above {
        let finding = of(Rule::LicenceAbovePolicy).find(|finding| finding.user.as_ref() == Some(id)).unwrap();
        let expected = match kind {
            AccountType::Team | AccountType::EnterpriseLWA => (Some(Action::Reclaim), None),
            AccountType::EnterpriseDirectory | AccountType::EnterpriseOIDC => (None, Some(Withheld::LicenceByGroups)),
        };
        assert_eq!((finding.proposal, finding.withheld), expected);
    }
    let addresses: Vec<&str> = findings.iter().filter_map(|finding: &Finding| finding.email.as_deref()).collect();
    assert!(addresses.is_sorted(), "findings come by address");
}

/// People whom HR has and Chime has not.
#[tokio::test]
async fn who_is_absent_is_looked_up_before_it_is_told() {
    let stage = Stage::generated("accounts=2,users=450,rng-seed=5").await;
    let gone: Vec<(usize, usize, _)> =
        stage.users().into_iter().filter(|(_, number, _)| in_hr(*number) == InHr::Engineer).take(3).collect();
    {
        let mut core = stage.chime.core();
        let accounts: Vec<_> = core.accounts().cloned().collect();
        let without = accounts.into_iter().map(|state| {
            let mut kept = rollcall_local::chime::state::AccountState::new(state.account.clone());
            state.users().filter(|user| gone.iter().all(|(_, _, it)| it.user_id != user.user_id)).for_each(|user| {
                kept.add(user.clone());
            });
            kept
        });
        let without = without.collect();
        core.replace(without, rollcall_local::chime::state::GlobalSettings::default());
    }
    stage.run("r-1").await;
    let findings = stage.findings("r-1").await;
    let absent: BTreeSet<_> = findings
        .iter()
        .filter(|finding| finding.rule == Rule::AbsentFromChime)
        .map(|finding| (finding.email.clone(), finding.confidence.as_str()))
        .collect();
    assert_eq!(absent, gone.into_iter().map(|(_, _, user)| (user.primary_email, "high")).collect());
    assert_eq!(stage.calls(Operation::ListAccounts), 1 + 3, "one look-up each");
}

/// Chime bills Pro by the day on which a meeting is hosted: only the usage tells what a licence costs.
#[tokio::test]
async fn savings_are_computed_from_the_usage_that_was_given() {
    let mut stage = Stage::generated("accounts=2,users=300,rng-seed=5").await;
    stage.policy.audit.hosting_day_price = Some(rollcall::policy::Price { amount: 3.0, currency: "USD".to_owned() });
    let above: Vec<String> = {
        stage.run("before").await;
        let findings = stage.findings("before").await;
        assert!(findings.iter().all(|finding| finding.effect != Effect::SavesMoney), "no usage, no saving");
        let above = findings.iter().filter(|finding| finding.rule == Rule::LicenceAbovePolicy);
        above.map(|finding| finding.email.clone().unwrap()).collect()
    };
    // Two weeks: one hosts on two meetings, then on nine (seven days at most); another none; the others are in no row.
    let report = |first: u32, second: u32| {
        format!("Name,Email,Meetings Hosted\nA,{},{first}\nB,{},{second}\nC,nobody@x.example,5\n", above[0], above[1])
    };
    for (week, text) in [("20261114", report(2, 0)), ("20261121", report(9, 0))] {
        stage.files.write(&format!("usage/Acme_{week}.csv"), text.into_bytes()).await.unwrap();
    }
    let usage = ["20261114", "20261121"].map(|week| format!("usage/Acme_{week}.csv")).to_vec();
    let request = Request { usage, ..stage.request("after").await };
    let summary = stage.audit().await.run(request, &stage.policy).await.unwrap();
    let findings = stage.findings("after").await;
    let effects: Vec<_> = findings
        .iter()
        .filter(|finding| finding.rule == Rule::LicenceAbovePolicy)
        .map(|finding| (finding.email.as_deref().unwrap(), finding.effect, finding.hosting_days))
        .collect();
    assert_eq!(effects[0], (above[0].as_str(), Effect::SavesMoney, Some(9)));
    assert!(effects[1..].iter().all(|(_, effect, days)| (*effect, *days) == (Effect::TidiesUp, Some(0))));
    assert_eq!((summary.savings.weeks, summary.savings.hosting_days), (2, 9));
    assert_eq!(summary.savings.cost.unwrap().amount, 27.0);
}
