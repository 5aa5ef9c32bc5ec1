//! logout-user: a compromised credential ends every session, whatever else is known.

use crate::{SHOWN, Scene, Shown, TYPES, account, consumed, detail, of_type};
use rollcall::decide::Known;
use rollcall::routes::Function;
use serde_json::{Value, json};

fn cell(shown: Shown) -> &'static str {
    match shown {
        Shown::Nobody => "Unchanged UserNotFound",
        Shown::Pending | Shown::Bounced | Shown::Registered | Shown::Suspended | Shown::Unknown => {
            "logout, [reset_pin]"
        }
    }
}

/// Event × account type × user state.
#[test]
fn every_cell() {
    let events = consumed(Function::LogoutUser);
    assert_eq!(events.len(), 1);
    for (event_type, login) in events {
        for (kind, shown) in TYPES.into_iter().flat_map(|kind| SHOWN.map(|shown| (kind, shown))) {
            let found = shown.found(kind);
            let told = Scene::new(Function::LogoutUser, of_type(event_type, login)).told(Known::Found(&found));
            assert_eq!(told, cell(shown), "{kind:?} {shown:?}");
        }
    }
}

#[test]
fn neither_facts_nor_policy_decide_and_an_old_one_is_refused() {
    let compromise = |occurred: &str| {
        let mut detail = detail("credential_compromise", "detected", occurred);
        detail["occurredAt"] = json!(occurred);
        detail
    };
    let told = |event: Value| {
        let left = vec![detail("termination", "effective", "2026-11-10T08:00:00Z")];
        let scene =
            Scene { facts: left, policy: r#"{"pin_reset":"never"}"#, ..Scene::new(Function::LogoutUser, event) };
        let (account, user) = (account(TYPES[1]), "u1".to_owned().try_into().unwrap());
        scene.told(Known::Remembered { account: &account, user: &user, licence: None })
    };
    assert_eq!(told(compromise("2026-11-16T12:00:00Z")), "logout, [reset_pin]");
    assert_eq!(told(compromise("2026-11-16T11:59:59Z")), "park too_old detail.occurredAt");
}
