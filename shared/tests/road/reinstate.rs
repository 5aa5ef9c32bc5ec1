//! Reinstating: exactly what was taken comes back, by account type, whatever happened in between.

use crate::stage::{Fault as Cut, Stage, Strike, account, envelope, event, mapped, termination};
use rollcall::directory::Licence;
use rollcall_local::chime::faults::{EntryCode, Fault, FaultKind};
use rollcall_local::chime::routes::Operation;
use rollcall_local::chime::state::License;
use serde_json::{Value, json};

async fn stage() -> Stage {
    let accounts = json!([
        account("team", "Team", 2),
        account("lwa", "EnterpriseLWA", 3),
        account("ad", "EnterpriseDirectory", 1),
        account("oidc", "EnterpriseOIDC", 1),
    ]);
    let mut policy = mapped(&["team", "lwa", "ad", "oidc"]);
    policy["licences"] = json!({ "rules": [{ "job_code": ["ENG-*"], "licence": "Pro" }], "default": "Basic" });
    let stage = Stage::new(accounts).await.with_policy(policy);
    // Somebody pays for Plus: no default would bring that back.
    for account in ["team", "lwa"] {
        let mut core = stage.chime.core();
        let account = core.account_mut(account).unwrap();
        account.account.supported_licenses = vec![License::Basic, License::Plus, License::Pro];
        account.user_mut("u0").unwrap().license_type = Some(License::Plus);
    }
    stage
}

fn back(id: &str, account: &str) -> [String; 1] {
    [envelope(&event(id, "termination", "rescinded", "2026-11-22T18:00:00Z", account, 0))].map(|body| {
        let mut event: Value = serde_json::from_str(&body).unwrap();
        event["detail"]["occurredAt"] = json!("2026-11-23T08:00:00Z");
        event.to_string()
    })
}

fn left(account: &str) -> [String; 1] {
    [envelope(&termination("t", account, 0))]
}

/// Status and licence of the person's user, by address: a user that was invited again has another id.
fn user(stage: &Stage, account: &str) -> String {
    let core = stage.chime.core();
    let user = core.account(account).unwrap().by_email(&format!("p0@{account}.example"));
    user.map_or("nobody".to_owned(), |user| format!("{:?} {:?}", user.user_registration_status, user.license_type))
}

#[tokio::test]
async fn a_termination_that_is_taken_back_by_account_type() {
    let table = [
        ("lwa", "applied suspended", "Suspended Some(Plus)", "applied reinstated", "Registered Some(Plus)"),
        ("team", "applied removed_from_team", "nobody", "applied reinvited", "Unregistered None"),
        ("ad", "applied directory_managed", "Registered Some(Pro)", "unchanged nothing_taken", "Registered Some(Pro)"),
        (
            "oidc",
            "applied directory_managed",
            "Registered Some(Pro)",
            "unchanged nothing_taken",
            "Registered Some(Pro)",
        ),
    ];
    for (account, taken, without, given, with) in table {
        let stage = stage().await;
        assert_eq!(Stage::told(&stage.deliver(&left(account)).await)["t"], taken);
        assert_eq!(user(&stage, account), without);
        assert_eq!(Stage::told(&stage.deliver(&back("b", account)).await)["b"], given);
        assert_eq!(user(&stage, account), with);
        let person = stage.person().await;
        assert_eq!((person.taken, person.lease), (None, None), "{account}");
        assert_eq!(Stage::told(&stage.deliver(&back("b", account)).await)["b"], "duplicate");
    }
}

/// Who is invited again gets the licence of before with the next event after registering.
#[tokio::test]
async fn the_licence_of_a_removed_user_comes_back_when_it_registers() {
    let stage = stage().await;
    stage.deliver(&left("team")).await;
    stage.deliver(&back("b", "team")).await;
    assert_eq!(stage.person().await.wish, Some(Licence::Plus));
    let id = stage.chime.core().account("team").unwrap().by_email("p0@team.example").unwrap().user_id.clone();
    stage.chime.core().accept("team", &id, None).unwrap();
    assert_eq!(user(&stage, "team"), "Registered Some(Pro)", "the account's default");
    let returned = event("r", "return", "effective", "2026-11-23T09:00:00Z", "team", 0);
    assert_eq!(Stage::told(&stage.deliver(&[envelope(&returned)]).await)["r"], "applied licence_set");
    assert_eq!(user(&stage, "team"), "Registered Some(Plus)");
    assert_eq!(stage.person().await.wish, None);
}

/// A change of job while somebody is away changes the licence to restore, and calls nothing.
#[tokio::test]
async fn a_licence_that_changed_meanwhile_is_the_one_that_comes_back() {
    for account in ["lwa", "team"] {
        let stage = stage().await;
        stage.deliver(&left(account)).await;
        stage.chime.core().forget_calls();
        let mut moved = event("j", "job_change", "effective", "2026-11-22T20:00:00Z", account, 0);
        moved["changes"] = json!([{ "field": "job_code", "before": "ENG-1", "after": "HR-1" }]);
        assert_eq!(Stage::told(&stage.deliver(&[envelope(&moved)]).await)["j"], "unchanged licence_kept");
        assert!(stage.chime.core().calls().is_empty());
        let taken = stage.person().await.taken.unwrap();
        assert_eq!(taken.licence.as_deref(), Some("Plus"), "what was taken stays as it was");
        stage.deliver(&back("b", account)).await;
        match account {
            "lwa" => assert_eq!(user(&stage, account), "Registered Some(Basic)"),
            _ => assert_eq!(stage.person().await.wish, Some(Licence::Basic)),
        }
    }
}

/// A second leave while access is gone takes nothing, so what the first took is what comes back.
#[tokio::test]
async fn a_no_change_does_not_overwrite_what_was_taken() {
    let stage = stage().await;
    stage.deliver(&left("lwa")).await;
    // Somebody downgrades the blocked user by hand.
    stage.chime.core().account_mut("lwa").unwrap().user_mut("u0").unwrap().license_type = Some(License::Basic);
    let leave = event("l", "leave", "effective", "2026-11-22T19:00:00Z", "lwa", 0);
    stage.deliver(&[envelope(&leave)]).await;
    assert_eq!(stage.person().await.taken.unwrap().event, "suspend-user#t");
    let returned = event("r", "return", "effective", "2026-11-22T20:00:00Z", "lwa", 0);
    assert_eq!(Stage::told(&stage.deliver(&[envelope(&returned)]).await)["r"], "superseded access_not_due");
    stage.deliver(&back("b", "lwa")).await;
    assert_eq!(user(&stage, "lwa"), "Registered Some(Plus)");
}

#[tokio::test]
async fn a_pin_that_was_replaced_is_said_to_be_gone() {
    let stage = stage().await;
    let stage = stage.with_policy(json!({ "pin_reset": "always" }));
    stage.deliver(&left("lwa")).await;
    assert!(stage.person().await.taken.unwrap().pin);
    assert_eq!(Stage::told(&stage.deliver(&back("b", "lwa")).await)["b"], "applied reinstated_new_pin");
    assert!(stage.outcome("b").await["message"].as_str().unwrap().contains("PIN"));
}

/// The licence fails, and access is back all the same; the next event sets it.
#[tokio::test]
async fn a_licence_that_is_refused_stops_nobody() {
    let stage = stage().await;
    stage.deliver(&left("lwa")).await;
    let kind = FaultKind::UserErrors { code: EntryCode::Forbidden, every: 1 };
    stage.chime.core().account_mut("lwa").unwrap().user_mut("u0").unwrap().license_type = Some(License::Basic);
    stage.chime.core().arm(Fault { operation: Operation::BatchUpdateUser, kind, after: 0, times: 1 });
    assert_eq!(Stage::told(&stage.deliver(&back("b", "lwa")).await)["b"], "applied reinstated");
    assert_eq!(stage.outcome("b").await["steps"][1]["code"], "Forbidden");
    assert_eq!(user(&stage, "lwa"), "Registered Some(Basic)");
    assert_eq!(stage.person().await.wish, Some(Licence::Plus));
    let rehired = event("r", "rehire", "effective", "2026-11-23T09:00:00Z", "lwa", 0);
    assert_eq!(Stage::told(&stage.deliver(&[envelope(&rehired)]).await)["r"], "applied licence_set");
    assert_eq!(user(&stage, "lwa"), "Registered Some(Plus)");
}

/// A worker is stopped dead at each of its calls; another takes over, and the end is the same.
#[tokio::test]
async fn a_worker_that_dies_leaves_nobody_blocked() {
    for cut in [Cut::StopBefore, Cut::StopAfter] {
        for n in 1.. {
            let stage = stage().await;
            stage.deliver(&left("lwa")).await;
            stage.wire.forget();
            let died = stage.deliver_until(&back("b", "lwa"), Strike::at(cut, n)).await.is_none();
            stage.outlive_leases();
            stage.deliver_to_the_end(&back("b", "lwa")).await;
            assert_eq!(user(&stage, "lwa"), "Registered Some(Plus)", "{cut:?} {n}");
            let person = stage.person().await;
            assert_eq!((person.taken, person.lease, person.wish), (None, None, None), "{cut:?} {n}");
            if !died {
                assert!(n > 4, "{cut:?} {n}");
                break;
            }
        }
    }
}

/// The termination's worker dies after the user was blocked, and HR takes the termination back meanwhile.
#[tokio::test]
async fn what_a_dead_attempt_took_is_given_back() {
    let stage = stage().await;
    let died = stage.deliver_until(&left("lwa"), Strike::on(Cut::StopAfter, "TransactWriteItems", 1, 1)).await;
    assert!(died.is_none());
    // The call was under way, and lands.
    stage.chime.core().account_mut("lwa").unwrap().suspend("u0").unwrap();
    assert_eq!(Stage::told(&stage.deliver(&back("b", "lwa")).await)["b"], "again busy");
    stage.outlive_leases();
    assert_eq!(Stage::told(&stage.deliver(&back("b", "lwa")).await)["b"], "applied reinstated");
    assert_eq!(user(&stage, "lwa"), "Registered Some(Plus)", "the policy's default is not for who is there");
    assert_eq!(Stage::told(&stage.deliver(&left("lwa")).await)["t"], "superseded newer_assertion");
    assert_eq!(user(&stage, "lwa"), "Registered Some(Plus)");
    assert_eq!(stage.person().await.lease, None);
}

/// The user was removed, the worker died, and another notice of the same end found nobody: the removal was still ours.
#[tokio::test]
async fn what_a_dead_attempt_removed_is_given_back_after_another_notice() {
    let stage = stage().await;
    let died = stage.deliver_until(&left("team"), Strike::on(Cut::StopAfter, "TransactWriteItems", 1, 1)).await;
    assert!(died.is_none());
    stage.chime.core().account_mut("team").unwrap().suspend("u0").unwrap();
    stage.outlive_leases();
    let told = Stage::told(&stage.deliver(&[envelope(&termination("t2", "team", 0))]).await);
    assert_eq!(told["t2"], "applied removed_from_team");
    let taken = stage.person().await.taken.unwrap();
    assert_eq!((taken.event.as_str(), taken.licence.as_deref()), ("suspend-user#t2", Some("Plus")));
    assert_eq!(Stage::told(&stage.deliver(&back("b", "team")).await)["b"], "applied reinvited");
}

/// The same, and meanwhile another event tells that the person has a number: what is unfinished goes with them.
#[tokio::test]
async fn what_a_dead_attempt_took_goes_with_who_is_merged() {
    let stage = stage().await;
    let about = |mut event: Value, subject: Value, occurred: &str| {
        (event["subject"], event["occurredAt"]) = (subject, json!(occurred));
        [envelope(&event)]
    };
    let by_provider = json!({ "providerSubjectId": "s", "email": "p0@lwa.example" });
    let left = about(termination("t", "lwa", 0), by_provider, "2026-11-20T08:00:00Z");
    assert!(stage.deliver_until(&left, Strike::on(Cut::StopAfter, "TransactWriteItems", 1, 1)).await.is_none());
    stage.chime.core().account_mut("lwa").unwrap().suspend("u0").unwrap();
    stage.outlive_leases();
    let both = json!({ "workerId": "w", "providerSubjectId": "s" });
    let leave = event("n", "leave", "scheduled", "2026-12-20T08:00:00Z", "lwa", 0);
    let leave = about(leave, both, "2026-11-21T08:00:00Z");
    assert_eq!(Stage::told(&stage.deliver(&leave).await)["n"], "unchanged fact_recorded");
    let back = event("b", "termination", "rescinded", "2026-11-22T18:00:00Z", "lwa", 0);
    let back = about(back, json!({ "workerId": "w", "email": "p0@lwa.example" }), "2026-11-23T08:00:00Z");
    assert_eq!(Stage::told(&stage.deliver(&back).await)["b"], "applied reinstated");
    assert!(user(&stage, "lwa").starts_with("Registered"));
}

/// An identity provider switches a login off and on: no termination, and it follows all the same.
#[tokio::test]
async fn a_login_that_is_switched_off_and_on() {
    let stage = stage().await;
    let login = |id: &str, after: &str, hour: u32| {
        let mut event = event(id, "account_status", "effective", "2026-11-22T18:00:00Z", "lwa", 0);
        event["occurredAt"] = json!(format!("2026-11-22T{hour:02}:00:00Z"));
        event["status"] = json!({ "after": after });
        [envelope(&event)]
    };
    assert_eq!(Stage::told(&stage.deliver(&login("off", "deactivated", 10)).await)["off"], "applied suspended");
    assert_eq!(Stage::told(&stage.deliver(&login("on", "active", 11)).await)["on"], "applied reinstated");
    assert_eq!(user(&stage, "lwa"), "Registered Some(Plus)");
    // Late, and older than the last.
    assert_eq!(Stage::told(&stage.deliver(&login("late", "suspended", 9)).await)["late"], "superseded newer_assertion");
    assert_eq!(user(&stage, "lwa"), "Registered Some(Plus)");
}

/// Of two administrators one must stay. Who comes back counts again.
#[tokio::test]
async fn a_group_counts_who_comes_back() {
    let mut policy = mapped(&["lwa"]);
    let members = ["p0@lwa.example", "p1@lwa.example"];
    policy["protected"] = json!({ "groups": [{ "name": "admins", "members": members, "minimum": 1 }] });
    let stage = Stage::new(json!([account("lwa", "EnterpriseLWA", 3)])).await.with_policy(policy);
    let of = |id: &str, kind: &str, phase: &str, at: &str, n: usize| [envelope(&event(id, kind, phase, at, "lwa", n))];
    let ends = |id: &str, n: usize| of(id, "leave", "effective", "2026-11-22T18:00:00Z", n);
    assert_eq!(Stage::told(&stage.deliver(&ends("a", 0)).await)["a"], "applied suspended");
    assert_eq!(Stage::told(&stage.deliver(&ends("b", 1)).await)["b"], "held group_minimum");
    let returned = of("r", "return", "effective", "2026-11-22T20:00:00Z", 0);
    assert_eq!(Stage::told(&stage.deliver(&returned).await)["r"], "applied reinstated");
    let again = of("c", "termination", "effective", "2026-11-22T21:00:00Z", 1);
    assert_eq!(Stage::told(&stage.deliver(&again).await)["c"], "applied suspended");
}

/// Chime knows who was renamed by the address of before: the user is found by its id, and nobody is invited twice.
#[tokio::test]
async fn who_was_renamed_is_found_by_the_user_that_is_remembered() {
    for account in ["lwa", "team"] {
        let stage = stage().await;
        let hired = event("h", "hire", "effective", "2026-11-01T08:00:00Z", account, 0);
        stage.deliver(&[envelope(&hired)]).await;
        let mut renamed = event("n", "identity_change", "effective", "2026-11-02T08:00:00Z", account, 0);
        renamed["subject"]["previousEmail"] = json!(format!("p0@{account}.example"));
        renamed["subject"]["email"] = json!(format!("new@{account}.example"));
        stage.deliver(&[envelope(&renamed)]).await;
        let mut back = event("r", "return", "effective", "2026-11-03T08:00:00Z", account, 0);
        back["subject"]["email"] = json!(format!("new@{account}.example"));
        let told = Stage::told(&stage.deliver(&[envelope(&back)]).await)["r"].clone();
        assert_eq!(told, "unchanged already_registered", "{account}");
        assert!(!stage.changes().contains(&"InviteUsers".to_owned()), "{account}: nobody is invited");
        let mut left = termination("t", account, 0);
        left["subject"]["email"] = json!(format!("new@{account}.example"));
        stage.deliver(&[envelope(&left)]).await;
        let expected = if account == "lwa" { "Suspended Some(Plus)" } else { "nobody" };
        assert_eq!(user(&stage, account), expected);
    }
}

/// A removal landed whose worker died, and the rehire tells no address: memory alone proves nothing.
#[tokio::test]
async fn a_remembered_user_that_is_gone_is_not_called_present() {
    let stage = stage().await;
    stage.deliver(&[envelope(&event("h", "hire", "effective", "2026-11-01T08:00:00Z", "team", 0))]).await;
    let died = stage.deliver_until(&left("team"), Strike::on(Cut::StopAfter, "TransactWriteItems", 1, 1)).await;
    assert!(died.is_none());
    stage.chime.core().account_mut("team").unwrap().suspend("u0").unwrap();
    stage.outlive_leases();
    let mut rehired = event("r", "rehire", "effective", "2026-11-23T09:00:00Z", "team", 0);
    rehired["subject"] = json!({ "workerId": "team-0" });
    assert_eq!(Stage::told(&stage.deliver(&[envelope(&rehired)]).await)["r"], "held no_address");
}

/// The unblocking is refused: the member still counts as gone, so that the last administrator stays.
#[tokio::test]
async fn a_group_counts_nobody_back_who_is_not() {
    let mut policy = mapped(&["lwa"]);
    let members = ["p0@lwa.example", "p1@lwa.example"];
    policy["protected"] = json!({ "groups": [{ "name": "admins", "members": members, "minimum": 1 }] });
    let stage = Stage::new(json!([account("lwa", "EnterpriseLWA", 3)])).await.with_policy(policy);
    let of = |id: &str, kind: &str, at: &str, n: usize| [envelope(&event(id, kind, "effective", at, "lwa", n))];
    stage.deliver(&of("a", "leave", "2026-11-22T18:00:00Z", 0)).await;
    stage.chime.core().arm(Fault {
        operation: Operation::BatchUnsuspendUser,
        kind: FaultKind::Forbidden,
        after: 0,
        times: 1,
    });
    let returned = of("r", "return", "2026-11-22T20:00:00Z", 0);
    assert_eq!(Stage::told(&stage.deliver(&returned).await)["r"], "parked refused_by_directory");
    let left = of("b", "termination", "2026-11-22T21:00:00Z", 1);
    assert_eq!(Stage::told(&stage.deliver(&left).await)["b"], "held group_minimum");
    // Somebody unblocks the member by hand, and the next event finds it so.
    stage.chime.core().account_mut("lwa").unwrap().unsuspend("u0").unwrap();
    let rehired = of("r2", "rehire", "2026-11-22T22:00:00Z", 0);
    assert!(Stage::told(&stage.deliver(&rehired).await)["r2"].starts_with("applied"));
    let again = of("c", "termination", "2026-11-22T23:00:00Z", 1);
    assert_eq!(Stage::told(&stage.deliver(&again).await)["c"], "applied suspended");
}

/// A user whom an administrator blocked, and an attempt at a licence that died: nobody gave access to be given back.
#[tokio::test]
async fn a_dead_attempt_at_a_licence_unblocks_nobody() {
    let stage = stage().await;
    let mut moved = event("j", "job_change", "effective", "2026-11-22T08:00:00Z", "lwa", 0);
    moved["changes"] = json!([{ "field": "job_code", "after": "HR-1" }]);
    let strike = Strike::on(Cut::StopAfter, "TransactWriteItems", 1, 1);
    assert!(stage.deliver_until(&[envelope(&moved)], strike).await.is_none());
    stage.chime.core().account_mut("lwa").unwrap().suspend("u0").unwrap();
    stage.outlive_leases();
    let mut login = event("on", "account_status", "effective", "2026-11-23T08:00:00Z", "lwa", 0);
    login["occurredAt"] = json!("2026-11-23T08:00:00Z");
    login["status"] = json!({ "after": "active" });
    assert_eq!(Stage::told(&stage.deliver(&[envelope(&login)]).await)["on"], "unchanged nothing_taken");
    assert!(user(&stage, "lwa").starts_with("Suspended"));
}

/// An administrator blocked somebody, and giving access did not come through: who leaves then had nothing to be taken.
#[tokio::test]
async fn whom_nobody_unblocked_had_nothing_taken() {
    let stage = stage().await;
    stage.chime.core().account_mut("lwa").unwrap().suspend("u0").unwrap();
    let fault = Fault { operation: Operation::BatchUnsuspendUser, kind: FaultKind::Throttle, after: 0, times: 9 };
    stage.chime.core().arm(fault);
    let hired = event("h", "hire", "effective", "2026-11-20T08:00:00Z", "lwa", 0);
    assert_eq!(Stage::told(&stage.deliver(&[envelope(&hired)]).await)["h"], "again throttled");
    assert_eq!(Stage::told(&stage.deliver(&left("lwa")).await)["t"], "unchanged already_suspended");
    assert_eq!(stage.person().await.taken, None);
}
