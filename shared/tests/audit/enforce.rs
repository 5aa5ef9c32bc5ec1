//! Acting on what was found: once, a licence before access, and only on what is still true.

use crate::stage::{MemoryBus, Stage};
use jiff::{SignedDuration, Timestamp};
use rollcall::audit::{Action, Again, AuditFailure, Withheld};
use rollcall::event::parse;
use rollcall::host::Host;
use rollcall::policy::AuditMode;
use rollcall_local::chime::state::License;
use std::collections::BTreeSet;

const FOREVER: Timestamp = Timestamp::MAX;

#[tokio::test]
async fn a_second_run_after_enforcing_proposes_nothing() {
    let stage = Stage::generated("accounts=3,users=900,rng-seed=2").await;
    let first = stage.run_as("first", AuditMode::Enforce).await;
    let proposed: u64 = first.proposals.values().sum();
    assert!(first.proposals[&Action::Reclaim] > 50 && first.proposals[&Action::Removal] > 5, "{:?}", first.proposals);
    let bus = MemoryBus::default();
    let asked = stage.audit().await.ask("first", &stage.policy, None, &bus, FOREVER).await.unwrap();
    assert_eq!((asked.asked, asked.gone, asked.done), (proposed, 0, true));
    // Nothing of it has been applied yet: the events may still be on their way.
    let second = stage.run_as("second", AuditMode::Enforce).await;
    assert_eq!(second.proposals.values().sum::<u64>(), 0);
    let cooling = stage.findings("second").await;
    let cooling = cooling.iter().filter(|finding| finding.withheld == Some(Withheld::CoolDown)).count() as u64;
    assert_eq!(cooling, proposed, "they are found, and not asked for again");
    // After the cool-down they are asked for again, if they still are as they were.
    stage.host.sleep(std::time::Duration::from_hours(30 * 24)).await;
    let mut request = stage.request("third").await;
    request.roster.as_mut().unwrap().loaded_at = stage.host.now();
    let third = stage.audit().await.run(request, &stage.policy).await.unwrap();
    assert!(third.proposals.values().sum::<u64>() >= proposed);
}

#[tokio::test]
async fn events_are_parsed_licences_first_and_have_one_id_each() {
    let stage = Stage::generated("accounts=3,users=900,rng-seed=2").await;
    stage.run_as("first", AuditMode::Enforce).await;
    let bus = MemoryBus::default();
    // The bus fails on the way: what was published comes again under the same ids, and nothing is left out.
    *bus.passes.lock().unwrap() = Some(3);
    let failed = stage.audit().await.ask("first", &stage.policy, None, &bus, FOREVER).await.unwrap_err();
    assert!(failed.is_retryable(), "{failed}");
    *bus.passes.lock().unwrap() = None;
    stage.audit().await.ask("first", &stage.policy, None, &bus, FOREVER).await.unwrap();
    let plan = stage.audit().await.plan_of("first").await.unwrap();
    let published = bus.published.lock().unwrap().clone();
    assert!(published.len() as u64 > plan.len(), "some came twice");
    let mut ids = BTreeSet::new();
    for entry in &published {
        let event = parse(&entry.detail).unwrap();
        assert_eq!(event.event_type.detail_type(), entry.detail_type);
        ids.insert(event.id.as_str().to_owned());
    }
    assert_eq!(ids.len() as u64, plan.len());
    let last_reclaim = published.iter().rposition(|entry| entry.detail_type == "license.reclaim.requested").unwrap();
    let first_removal = published.iter().position(|entry| entry.detail_type == "access.removal.requested").unwrap();
    assert!(last_reclaim < first_removal);
}

#[tokio::test]
async fn a_plan_that_is_applied_later_does_what_is_still_true() {
    let stage = Stage::generated("accounts=3,users=900,rng-seed=2").await;
    let told = stage.run_as("first", AuditMode::Propose).await;
    let plan = stage.audit().await.plan_of("first").await.unwrap();
    let findings = stage.findings("first").await;
    let mut proposed: Vec<_> = findings.iter().filter(|finding| finding.proposal.is_some()).collect();
    // Somebody lowered the licence of one by hand, and another came back to HR.
    proposed.retain(|finding| finding.proposal == Some(Action::Reclaim));
    let (account, user) = (proposed[0].account.clone().unwrap(), proposed[0].user.clone().unwrap());
    let lowered = |core: &mut rollcall_local::chime::core::Core| {
        core.account_mut(&account)?.user_mut(&user)?.license_type = Some(License::Basic);
        Some(())
    };
    lowered(&mut stage.chime.core()).unwrap();
    stage.host.sleep(std::time::Duration::from_hours(20)).await;
    let mut again = Again { digest: "0".repeat(64), roster: Some(stage.roster().await), now: stage.host.now() };
    let bus = MemoryBus::default();
    let audit = stage.audit().await;
    let refused = audit.ask("first", &stage.policy, Some(&again), &bus, FOREVER).await.unwrap_err();
    assert_eq!(refused, AuditFailure::OtherPlan);
    assert!(bus.published.lock().unwrap().is_empty());
    again.digest = plan.digest;
    let asked = audit.ask("first", &stage.policy, Some(&again), &bus, FOREVER).await.unwrap();
    let proposed: u64 = told.proposals.values().sum();
    assert_eq!((asked.asked, asked.gone), (proposed - 1, 1));
    let published = bus.published.lock().unwrap().clone();
    assert!(published.iter().all(|entry| !entry.detail.contains(&user)));
    assert_eq!(published.len() as u64, proposed - 1);
    // An old roster is not believed: nothing is asked for.
    again.now += SignedDuration::from_hours(8 * 24);
    stage.run_as("second", AuditMode::Propose).await;
    let plan = audit.plan_of("second").await.unwrap();
    again.digest = plan.digest;
    let asked = audit.ask("second", &stage.policy, Some(&again), &bus, FOREVER).await.unwrap();
    assert_eq!(asked.asked, 0);
}

#[tokio::test]
async fn what_only_reports_asks_for_nothing() {
    let stage = Stage::generated("accounts=2,users=300,rng-seed=2").await;
    let bus = MemoryBus::default();
    let audit = stage.audit().await;
    stage.run("reported").await;
    let digest = audit.plan_of("reported").await.unwrap().digest;
    let again = Again { digest, roster: Some(stage.roster().await), now: stage.host.now() };
    for again in [None, Some(&again)] {
        let refused = audit.ask("reported", &stage.policy, again, &bus, FOREVER).await.unwrap_err();
        assert_eq!(refused, AuditFailure::NotAsked);
    }
    stage.run_as("proposed", AuditMode::Propose).await;
    let refused = audit.ask("proposed", &stage.policy, None, &bus, FOREVER).await.unwrap_err();
    assert_eq!(refused, AuditFailure::NotAsked, "nobody has confirmed it");
    assert!(bus.published.lock().unwrap().is_empty());
}

/// A run that is judged anew under another policy has another plan, whose events are others.
#[tokio::test]
async fn another_plan_of_a_run_is_asked_for_under_other_ids() {
    let mut stage = Stage::generated("accounts=2,users=300,rng-seed=2").await;
    stage.run_as("first", AuditMode::Enforce).await;
    let bus = MemoryBus::default();
    let one = stage.audit().await.ask("first", &stage.policy, None, &bus, FOREVER).await.unwrap();
    stage.policy.audit.rules.orphan.act = false;
    stage.audit().await.judge("first", &stage.policy).await.unwrap();
    let two = stage.audit().await.ask("first", &stage.policy, None, &bus, FOREVER).await.unwrap();
    assert!(two.done && two.asked < one.asked && two.asked > 0, "{one:?} {two:?}");
    let published = bus.published.lock().unwrap().clone();
    let mut contents = std::collections::BTreeMap::new();
    for entry in &published {
        let event = parse(&entry.detail).unwrap();
        let before = contents.insert(event.id.as_str().to_owned(), entry.detail.clone());
        assert!(before.is_none_or(|before| before == entry.detail), "one id, one content");
    }
    assert_eq!(contents.len() as u64, one.asked + two.asked);
}
