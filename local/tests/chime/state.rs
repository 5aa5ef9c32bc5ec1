//! Seeds, the generator, snapshots: what is written comes back, and the same numbers make the same company.

use crate::stage::{accounts, ask, core, hook, serve};
use rollcall_local::chime::core::Core;
use rollcall_local::chime::generate::{Plan, company};
use rollcall_local::chime::seed;
use rollcall_local::chime::state::{AccountType, Invitation, Registration};
use serde_json::{Value, json};

#[test]
fn the_same_numbers_make_the_same_company() {
    let write = |plan: &str| seed::write(&Core::new(company(plan.parse().unwrap()))).unwrap();
    assert_eq!(write("accounts=3,users=1000,rng-seed=7"), write("rng-seed=7,users=1000,accounts=3"));
    assert_ne!(write("accounts=3,users=1000,rng-seed=7"), write("accounts=3,users=1000,rng-seed=8"));
    for wrong in ["accounts", "accounts=x", "colour=3", "accounts=0,users=1"] {
        assert!(wrong.parse::<Plan>().is_err(), "{wrong}");
    }
}

#[test]
fn a_generated_company_is_plausible() {
    let made = company("accounts=5,users=5003,rng-seed=7".parse().unwrap());
    let types: Vec<AccountType> = made.iter().map(|state| state.account.account_type).collect();
    use AccountType::{EnterpriseDirectory, EnterpriseLWA, EnterpriseOIDC, Team};
    assert_eq!(types, [Team, EnterpriseLWA, EnterpriseDirectory, EnterpriseOIDC, Team], "in turn");
    assert_eq!(made.iter().map(|state| state.len()).collect::<Vec<_>>(), [1001, 1001, 1001, 1000, 1000]);
    let (mut pending, mut suspended) = (0, 0);
    for state in &made {
        let is_team = state.account.account_type == Team;
        for user in state.users() {
            let registered = user.user_registration_status != Registration::Unregistered;
            assert_eq!(user.registered_on.is_some(), registered);
            assert_eq!(user.license_type.is_some(), registered);
            assert_eq!(user.invited_on.is_some(), is_team, "only Team invites");
            assert!(is_team || registered, "only Team has unregistered users");
            assert!(user.registered_on.is_none() || user.invited_on <= user.registered_on);
            assert!(user.sessions == 0 || user.user_registration_status == Registration::Registered);
            pending += usize::from(user.user_invitation_status == Some(Invitation::Pending));
            suspended += usize::from(user.user_registration_status == Registration::Suspended);
            if user.user_registration_status == Registration::Suspended {
                assert_eq!(state.account.account_type, EnterpriseLWA, "Suspended is for Enterprise");
            }
        }
    }
    assert!(pending > 50 && suspended > 10, "{pending} pending, {suspended} suspended");
}

#[test]
fn what_is_written_is_read_again() {
    let mut core = core(3);
    ask(&mut core, "PUT", "/accounts/lwa/settings", &json!({ "AccountSettings": { "EnableDialOut": true } }));
    ask(&mut core, "PUT", "/settings", &json!({ "VoiceConnector": { "CdrBucket": "b" } }));
    ask(&mut core, "POST", "/accounts/team/users?operation=add", &json!({ "UserEmailList": ["n@x.example"] }));
    let telephony = json!({ "InboundCalling": true, "OutboundCalling": false, "SMS": true });
    let settings = json!({ "UserSettings": { "Telephony": telephony } });
    ask(&mut core, "PUT", "/accounts/lwa/users/lwa-u0/settings", &settings);
    let written = seed::write(&core).unwrap();
    let (accounts, global) = seed::read_all(&written).unwrap();
    let mut again = Core::default();
    again.replace(accounts, global);
    assert_eq!(seed::write(&again).unwrap(), written);
    let value: Value = serde_json::from_slice(&written).unwrap();
    assert_eq!(value["accounts"][1]["users"][0]["Telephony"], telephony);
    assert_eq!(value["accounts"][1]["users"][0]["Sessions"], 2);
}

#[test]
fn a_seed_that_holds_somebody_twice_is_refused() {
    let twice = |pointer: &str, with: Value| {
        let mut seed = accounts(2);
        *seed.pointer_mut(pointer).unwrap() = with;
        seed::read(&seed.to_string()).map(|accounts| accounts.len())
    };
    assert_eq!(twice("/accounts/0/Name", json!("x")).unwrap(), 4);
    assert!(twice("/accounts/0/AccountId", json!("lwa")).is_err());
    assert!(twice("/accounts/0/users/0/UserId", json!("team-u1")).is_err());
    assert!(twice("/accounts/0/users/0/PrimaryEmail", json!("P1@Team.example")).is_err());
    assert!(twice("/accounts/0/users/0/LicenseType", json!("Gold")).is_err());
}

#[tokio::test]
async fn a_snapshot_brings_everything_back() {
    let chime = serve(3).await;
    let (status, snapshot) = hook(&chime, "GET", "snapshot", &Value::Null).await;
    assert_eq!(status, 200);
    let kept = chime.core().snapshot();
    let suspend = |core: &mut Core| {
        ask(core, "POST", "/accounts/team/users?operation=suspend", &json!({ "UserIdList": ["team-u0"] }))
    };
    suspend(&mut chime.core());
    assert_eq!(chime.core().account("team").unwrap().len(), 2);
    chime.core().restore(kept);
    assert_eq!(chime.core().account("team").unwrap().len(), 3);
    suspend(&mut chime.core());
    assert_eq!(hook(&chime, "PUT", "snapshot", &json!({ "accounts": 3 })).await.0, 400);
    assert_eq!(chime.core().account("team").unwrap().len(), 2, "a wrong one changes nothing");
    assert_eq!(hook(&chime, "PUT", "snapshot", &snapshot).await.0, 204);
    assert_eq!(hook(&chime, "GET", "snapshot", &Value::Null).await.1, snapshot);
}

#[test]
fn removed_users_leave_no_trace_in_the_indexes() {
    let mut core = core(200);
    let account = core.account_mut("team").unwrap();
    for number in (0..200).step_by(2) {
        assert!(account.remove(&format!("team-u{number}")).is_some());
    }
    for number in 0..200 {
        let there = number % 2 == 1;
        assert_eq!(account.user(&format!("team-u{number}")).is_some(), there);
        assert_eq!(account.by_email(&format!("P{number}@team.EXAMPLE")).is_some(), there);
    }
}
