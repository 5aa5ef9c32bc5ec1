//! The audit asks for access to be taken away: evidence that HR's facts outweigh, before it is acted on and after.

use crate::stage::{Stage, account, envelope, event, failed, mapped};
use rollcall::ledger::State;
use rollcall_local::chime::state::License;
use serde_json::{Value, json};

async fn stage_with(section: Value) -> Stage {
    let accounts = json!([
        account("team", "Team", 2),
        account("lwa", "EnterpriseLWA", 3),
        account("ad", "EnterpriseDirectory", 1),
        account("oidc", "EnterpriseOIDC", 1),
    ]);
    let mut policy = mapped(&["team", "lwa", "ad", "oidc"]);
    for (name, rules) in section.as_object().unwrap() {
        policy[name] = rules.clone();
    }
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

async fn stage() -> Stage {
    stage_with(json!({})).await
}

/// The audit's request about `p<n>` of an account. It knows the address alone.
fn request(id: &str, account: &str, n: usize) -> Value {
    let email = format!("p{n}@{account}.example");
    json!({
        "schemaVersion": "1.0", "eventId": id, "kind": "access_removal", "phase": "requested",
        "occurredAt": "2026-11-22T09:00:00Z", "subject": { "email": email },
        "evidence": {
            "run": "2026-11-22T08:00:00Z", "rule": "unknown_to_hr", "confidence": "medium", "account": account,
            "user": format!("u{n}"), "rosterLoadedAt": "2026-11-22T04:00:00Z",
        },
    })
}

/// HR tells of the person, by number and address.
fn told(id: &str, kind: &str, phase: &str, account: &str, n: usize) -> String {
    envelope(&event(id, kind, phase, "2026-11-20T08:00:00Z", account, n))
}

/// Status and licence of a person's user, by address: a user that was invited again has another id.
fn user(stage: &Stage, account: &str, n: usize) -> String {
    let core = stage.chime.core();
    let user = core.account(account).unwrap().by_email(&format!("p{n}@{account}.example"));
    user.map_or("nobody".to_owned(), |user| format!("{:?} {:?}", user.user_registration_status, user.license_type))
}

async fn deliver(stage: &Stage, id: &str, body: String) -> String {
    let report = stage.deliver(&[body]).await;
    assert_eq!(failed(&report), Vec::<String>::new(), "{id}");
    Stage::told(&report)[id].clone()
}

/// No fact says: the evidence suffices. What was taken is kept, no fact is invented, and a rehire gives it back.
#[tokio::test]
async fn of_whom_nothing_is_told_access_is_taken_and_a_rehire_gives_it_back() {
    let (plus, pro) = ("Registered Some(Plus)", "Registered Some(Pro)");
    let table = [
        ("lwa", "applied suspended", "Suspended Some(Plus)", "applied reinstated", plus),
        ("team", "applied removed_from_team", "nobody", "applied reinvited", "Unregistered None"),
        ("ad", "applied directory_managed", pro, "unchanged managed_by_directory", pro),
        ("oidc", "applied directory_managed", pro, "unchanged managed_by_directory", pro),
    ];
    for (account, taking, without, giving, with) in table {
        let stage = stage().await;
        assert_eq!(deliver(&stage, "a", envelope(&request("a", account, 0))).await, taking, "{account}");
        assert_eq!(user(&stage, account, 0), without, "{account}");
        let person = stage.person().await;
        assert_eq!((person.facts.iter().count(), &person.lease), (0, &None), "{account}: evidence is no fact");
        assert_eq!(stage.event("a").await.unwrap().asserts, None, "{account}");
        // Signing out takes nothing that could be given back.
        let keeps = matches!(account, "lwa" | "team");
        let taken = person.taken.map(|taken| (taken.licence.unwrap(), taken.event));
        assert_eq!(taken, keeps.then(|| ("Plus".into(), "suspend-user#a".into())), "{account}");
        // HR knows the person after all, by a number that the audit did not know.
        assert_eq!(deliver(&stage, "r", told("r", "rehire", "effective", account, 0)).await, giving, "{account}");
        assert_eq!(user(&stage, account, 0), with, "{account}");
        assert_eq!(stage.person().await.taken, None, "{account}");
        // And from now on HR's facts win.
        let again = deliver(&stage, "b", envelope(&request("b", account, 0))).await;
        assert_eq!(again, "superseded access_due", "{account}");
        assert_eq!(user(&stage, account, 0), with, "{account}");
    }
}

/// Whichever event lets access be due or leaves it as it was gives back what the evidence took, a late one too.
#[tokio::test]
async fn a_late_hire_a_return_or_a_rescission_gives_it_back() {
    let table = [
        ("hire", "effective"),
        ("rehire", "effective"),
        ("return", "effective"),
        ("termination", "rescinded"),
        ("leave", "rescinded"),
    ];
    for (kind, phase) in table {
        let stage = stage().await;
        assert_eq!(deliver(&stage, "a", envelope(&request("a", "lwa", 0))).await, "applied suspended");
        let given = deliver(&stage, "b", told("b", kind, phase, "lwa", 0)).await;
        assert_eq!(given, "applied reinstated", "{kind}.{phase}");
        assert_eq!(user(&stage, "lwa", 0), "Registered Some(Plus)", "{kind}.{phase}");
        assert_eq!(stage.person().await.taken, None, "{kind}.{phase}");
    }
}

#[tokio::test]
async fn who_is_employed_by_the_ledger_is_not_touched() {
    for account in ["team", "lwa", "ad", "oidc"] {
        let stage = stage().await;
        deliver(&stage, "h", told("h", "hire", "effective", account, 0)).await;
        stage.chime.core().forget_calls();
        let outcome = deliver(&stage, "a", envelope(&request("a", account, 0))).await;
        assert_eq!(outcome, "superseded access_due", "{account}");
        assert_eq!(stage.outcome("a").await["decidedBy"], "hire:2026-11-20", "{account}");
        assert!(stage.chime.core().calls().is_empty(), "{account}: the directory was not even asked");
        assert_eq!(stage.person().await.taken, None, "{account}");
    }
}

/// Who left by HR's own word loses access by that word.
#[tokio::test]
async fn who_left_by_the_ledger_and_is_still_there_loses_access() {
    let stage = stage_with(json!({ "mode": { "functions": { "suspend-user": "observe" } } })).await;
    assert_eq!(deliver(&stage, "t", told("t", "termination", "effective", "lwa", 0)).await, "observed observe_mode");
    let stage = stage.with_policy(mapped(&["lwa"]));
    assert_eq!(deliver(&stage, "a", envelope(&request("a", "lwa", 0))).await, "applied suspended");
    assert_eq!(user(&stage, "lwa", 0), "Suspended Some(Plus)");
}

#[tokio::test]
async fn a_protected_person_is_held_and_a_release_is_weighed_again() {
    for known_meanwhile in [false, true] {
        let stage = stage_with(json!({ "protected": { "emails": ["p0@lwa.example"] } })).await;
        assert_eq!(deliver(&stage, "a", envelope(&request("a", "lwa", 0))).await, "held protected");
        assert_eq!(stage.waiting(State::Held).await, ["a"]);
        assert!(stage.changes().is_empty());
        if known_meanwhile {
            deliver(&stage, "h", told("h", "hire", "effective", "lwa", 0)).await;
        }
        let (outcome, user_then) = match known_meanwhile {
            false => ("applied suspended", "Suspended Some(Plus)"),
            true => ("superseded access_due", "Registered Some(Plus)"),
        };
        assert_eq!(Stage::told(&stage.release(&["a"], "ana").await)["a"], outcome);
        assert_eq!(user(&stage, "lwa", 0), user_then);
    }
}

/// A run of the audit with an empty roster would ask for everybody: the brake holds what is over its limit.
#[tokio::test]
async fn the_brake_counts_it() {
    let stage = stage_with(json!({ "brake": { "access": { "limits": [{ "count": 1, "window": "1h" }] } } })).await;
    let mut bodies = Vec::new();
    for n in 0..3 {
        let mut request = request(&format!("a{n}"), "lwa", n);
        request["occurredAt"] = json!(format!("2026-11-22T09:0{n}:00Z"));
        bodies.push(envelope(&request));
    }
    let told = Stage::told(&stage.deliver(&bodies).await);
    assert_eq!([&told["a0"], &told["a1"], &told["a2"]], ["applied suspended", "held mass_change", "held mass_change"]);
    let users = [0, 1, 2].map(|n| user(&stage, "lwa", n));
    assert_eq!(users, ["Suspended Some(Plus)", "Registered Some(Pro)", "Registered Some(Pro)"]);
    assert_eq!(Stage::told(&stage.release(&["a1"], "ana").await)["a1"], "applied suspended");
    assert_eq!(user(&stage, "lwa", 1), "Suspended Some(Pro)");
}

#[tokio::test]
async fn the_same_request_twice_acts_once() {
    for account in ["team", "lwa"] {
        let stage = stage().await;
        let body = envelope(&request("a", account, 0));
        let report = stage.deliver(&[body.clone(), body.clone()]).await;
        assert!(Stage::told(&report)["a"].starts_with("applied "), "{account}");
        let (changes, taken) = (stage.changes(), stage.person().await.taken);
        assert_eq!(deliver(&stage, "a", body).await, "duplicate", "{account}");
        assert_eq!(changes.iter().filter(|call| *call == "BatchSuspendUser").count(), 1, "{account}");
        assert_eq!((stage.changes(), stage.person().await.taken), (changes, taken), "{account}");
        // The next run asks again: what was taken first stays what is given back.
        deliver(&stage, "b", envelope(&request("b", account, 0))).await;
        assert_eq!(stage.person().await.taken.unwrap().event, "suspend-user#a", "{account}");
        // What it rests on is part of what it means.
        let mut other = request("a", account, 0);
        other["evidence"]["rule"] = json!("orphan");
        assert_eq!(stage.deliver(&[envelope(&other)]).await.events.len(), 1);
        assert_eq!(stage.queue.parked.lock().unwrap()[0].refusal.code.as_str(), "event_id_reused", "{account}");
    }
}

#[tokio::test]
async fn nobody_there_is_no_failure_and_nothing_is_kept_as_taken() {
    let stage = stage().await;
    assert_eq!(deliver(&stage, "a", envelope(&request("a", "lwa", 9))).await, "unchanged user_not_found");
    assert_eq!(stage.outcome("a").await["decidedBy"], "access", "its own word, since HR said nothing");
    assert_eq!(stage.person().await.taken, None);
    // Whom somebody else blocked was not blocked by us: a rehire would not know what to give back.
    stage.chime.core().account_mut("lwa").unwrap().suspend("u1").unwrap();
    assert_eq!(deliver(&stage, "b", envelope(&request("b", "lwa", 1))).await, "unchanged already_suspended");
    assert!(stage.people().await.values().all(|person| person.taken.is_none()));
}
