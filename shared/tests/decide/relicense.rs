//! relicense-user: a job comes with a licence, as the policy says.

use crate::{LICENCES, PAST, SHOWN, Scene, Shown, TYPES, account, consumed, detail, of_type, taken, with_job};
use rollcall::decide::Known;
use rollcall::directory::{AccountType, Found};
use rollcall::event::Phase;
use rollcall::protect::Guard;
use rollcall::routes::Function;
use serde_json::{Value, json};

/// What relicense-user does where Basic is due; whoever is there has Pro.
fn cell(kind: AccountType, shown: Shown) -> &'static str {
    match (kind, shown) {
        (AccountType::Team | AccountType::EnterpriseLwa, Shown::Nobody) => "Unchanged UserNotFound, wish Basic",
        (AccountType::Team | AccountType::EnterpriseLwa, Shown::Pending | Shown::Bounced | Shown::Suspended) => {
            "Unchanged LicenceKept, wish Basic"
        }
        (AccountType::Team | AccountType::EnterpriseLwa, Shown::Registered | Shown::Unknown) => "set_licence Basic",
        (
            AccountType::EnterpriseDirectory | AccountType::EnterpriseOidc,
            Shown::Nobody | Shown::Pending | Shown::Bounced | Shown::Registered | Shown::Suspended | Shown::Unknown,
        ) => "park licence_by_groups account",
    }
}

fn scene(event: Value) -> Scene {
    Scene { policy: LICENCES, ..Scene::new(Function::RelicenseUser, event) }
}

fn moved(code: &str) -> Value {
    with_job(detail("job_change", "effective", PAST), None, Some(code))
}

/// Event × account type × user state. A change that is taken back leads to the job before it.
#[test]
fn every_cell() {
    let events = consumed(Function::RelicenseUser);
    assert_eq!(events.len(), 3);
    for (event_type, login) in events {
        let (before, after) = match event_type.phase() {
            Phase::Rescinded => ("HR-1", "ENG-1"),
            Phase::Scheduled | Phase::Effective | Phase::Requested | Phase::Unknown | Phase::Detected => {
                ("ENG-1", "HR-1")
            }
        };
        let event = with_job(of_type(event_type, login), Some(before), Some(after));
        for (kind, shown) in TYPES.into_iter().flat_map(|kind| SHOWN.map(|shown| (kind, shown))) {
            let context = format!("{}, {kind:?}, {shown:?}", event_type.detail_type());
            assert_eq!(scene(event.clone()).told(Known::Found(&shown.found(kind))), cell(kind, shown), "{context}");
        }
    }
}

#[test]
fn by_what_is_known_of_the_user() {
    let user = "u1".to_owned().try_into().unwrap();
    let accounts = TYPES.map(account);
    let remembered = |kind: usize, licence| Known::Remembered { account: &accounts[kind], user: &user, licence };
    let table = [
        (Known::NotYet, "look up"),
        (Known::NoAddress, "hold NoAddress"),
        (Known::Found(&Found::SeveralAccounts), "park several_accounts detail.subject.email"),
        (Known::Found(&Found::UnknownAccount), "park unknown_account policy.accounts"),
        (Known::Found(&Found::SomebodyElses), "hold AddressReused"),
        (remembered(0, Some("Pro")), "set_licence Basic"),
        (remembered(1, None), "look up"),
        (remembered(1, Some("Basic")), "Unchanged LicenceAlready, no wish"),
        (remembered(2, Some("Basic")), "park licence_by_groups account"),
        (remembered(3, Some("Pro")), "park licence_by_groups account"),
    ];
    for (known, expected) in table {
        assert_eq!(scene(moved("HR-1")).told(known), expected, "{known:?}");
    }
    // The audit has seen what memory has not.
    let mut reclaim = detail("license_reclaim", "requested", PAST);
    reclaim["occurredAt"] = json!("2026-11-22T08:00:00Z");
    assert_eq!(scene(reclaim).told(remembered(1, Some("Basic"))), "set_licence Basic");
    // What an attempt that died may have set is not inferred from memory.
    let died = Scene { takeover: true, ..scene(moved("HR-1")) };
    assert_eq!(died.told(remembered(1, Some("Basic"))), "set_licence Basic");
}

#[test]
fn the_latest_fact_decides_and_at_one_instant_the_lower_licence() {
    let found = Shown::Registered.found(AccountType::Team);
    let at = |code: &str, at: &str, fact: &str| {
        let mut event = with_job(detail("job_change", "effective", at), None, Some(code));
        event["factId"] = json!(fact);
        event
    };
    let told = |event: Value, facts: Vec<Value>| Scene { facts, ..scene(event) }.told(Known::Found(&found));
    let ago = "2026-11-10T08:00:00Z";
    assert_eq!(told(moved("ENG-1"), vec![]), "Unchanged LicenceAlready, no wish");
    assert_eq!(told(at("HR-1", ago, "a"), vec![at("ENG-1", PAST, "b")]), "Superseded OtherLicenceFact, no wish");
    assert_eq!(told(at("ENG-1", ago, "a"), vec![at("HR-1", PAST, "b")]), "set_licence Basic", "what is due decides");
    assert_eq!(told(at("ENG-1", PAST, "b"), vec![at("HR-1", PAST, "a")]), "set_licence Basic");
    assert_eq!(told(at("HR-1", PAST, "b"), vec![at("ENG-1", PAST, "a")]), "set_licence Basic");
    // The audit asks the licence back after the change; a later change gives it again.
    let mut reclaim = detail("license_reclaim", "requested", PAST);
    reclaim["occurredAt"] = json!("2026-11-20T08:00:00Z");
    assert_eq!(told(reclaim.clone(), vec![at("ENG-1", ago, "a")]), "set_licence Basic");
    assert_eq!(told(at("ENG-1", PAST, "a"), vec![reclaim]), "Unchanged LicenceAlready, no wish");
}

/// A change tells a part of the job; the hire and earlier changes tell the rest.
#[test]
fn what_a_change_leaves_untold_stays() {
    let policy =
        r#"{"licences":{"rules":[{"job_code":["ENG-*"],"department":["Lab"],"licence":"Pro"}],"default":"Basic"}}"#;
    let mut hire = detail("hire", "effective", "2025-01-02T08:00:00Z");
    hire["changes"] = json!([{ "field": "department", "after": "lab" }]);
    let told = |facts: Vec<Value>| {
        let scene = Scene { policy, facts, ..scene(moved("ENG-1")) };
        scene.told(Known::Found(&Shown::Registered.found(AccountType::EnterpriseLwa)))
    };
    assert_eq!(told(vec![hire.clone()]), "Unchanged LicenceAlready, no wish");
    assert_eq!(told(vec![]), "set_licence Basic");
    // A new employment starts with a job of its own.
    let rehired = detail("rehire", "effective", "2026-11-01T08:00:00Z");
    assert_eq!(told(vec![hire, rehired]), "set_licence Basic");
}

#[test]
fn nothing_is_changed_without_a_rule_or_a_job() {
    let found = Shown::Registered.found(AccountType::Team);
    let told = |scene: Scene| scene.told(Known::Found(&found));
    assert_eq!(told(Scene { policy: "{}", ..scene(moved("HR-1")) }), "Unchanged NoLicencePolicy");
    let untold = with_job(detail("job_change", "effective", PAST), None, None);
    assert_eq!(told(scene(untold)), "Unchanged JobUnknown");
    let mut masked = moved("HR-1");
    masked["changes"][0]["valueKnown"] = json!(false);
    assert_eq!(told(scene(masked)), "Unchanged JobUnknown");
    let mut missing = moved("HR-1");
    missing["missing"] = json!(["changes.values"]);
    assert_eq!(told(scene(missing)), "hold MissingFacts");
    let rescinded = with_job(detail("job_change", "rescinded", PAST), None, Some("ENG-1"));
    assert_eq!(told(scene(rescinded.clone())), "Unchanged JobUnknown");
    // While access is gone, what was taken is what comes back.
    let gone = Scene { taken: Some(taken(AccountType::Team, "Pro", false)), ..scene(rescinded) };
    assert_eq!(told(gone), "Unchanged JobUnknown, no wish");
}

/// While access is not due, the licence to restore changes, and nothing is called.
#[test]
fn without_access_the_licence_is_kept() {
    let left = Scene { facts: vec![detail("termination", "effective", PAST)], ..scene(moved("HR-1")) };
    assert_eq!(left.told(Known::NotYet), "Unchanged LicenceKept, wish Basic");
    let taken = Scene { taken: Some(taken(AccountType::Team, "Pro", false)), ..scene(moved("HR-1")) };
    assert_eq!(taken.told(Known::NotYet), "Unchanged LicenceKept, wish Basic");
}

#[test]
fn a_downgrade_may_be_protected_and_an_upgrade_not() {
    let found = |licence: &str| Found::Somebody {
        account: account(AccountType::EnterpriseLwa),
        user: crate::user(
            rollcall::directory::Registration::Registered,
            rollcall::directory::Invitation::None,
            licence,
        ),
    };
    let guarded = |code: &str| Scene { guard: Guard::Protected, ..scene(moved(code)) };
    assert_eq!(guarded("HR-1").told(Known::Found(&found("Pro"))), "hold Protected");
    assert_eq!(guarded("ENG-1").told(Known::Found(&found("Basic"))), "set_licence Pro");
}

#[test]
fn what_the_account_does_not_offer_is_refused() {
    let found = Shown::Registered.found(AccountType::Team);
    let pro_only = Scene { account: (true, vec!["Pro"]), ..scene(moved("HR-1")) };
    assert_eq!(pro_only.told(Known::Found(&found)), "park unsupported_licence policy.licences");
    let suspended = Scene { account: (false, vec!["Basic", "Pro"]), ..scene(moved("HR-1")) };
    assert_eq!(suspended.told(Known::Found(&found)), "park account_suspended account");
}
