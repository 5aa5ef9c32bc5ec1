//! The hooks under `/_local/`: the states a user goes through, sessions, the clock, calls and counters, the page's view.

use crate::stage::{client, hook, serve, wire};
use aws_sdk_chime::types::{InviteStatus, License, RegistrationStatus};
use serde_json::{Value, json};

#[tokio::test]
async fn an_invitation_is_accepted_or_bounces() {
    let chime = serve(0).await;
    let client = client(&chime);
    let clock = json!({ "now": "2026-02-01T10:00:00Z", "frozen": true });
    assert_eq!(hook(&chime, "PUT", "clock", &clock).await.0, 204);
    for email in ["yes@x.example", "no@x.example"] {
        client.invite_users().account_id("team").user_email_list(email).send().await.unwrap();
    }
    let user = async |email: &str| {
        client.list_users().account_id("team").user_email(email).send().await.unwrap().users()[0].clone()
    };
    let invited = user("yes@x.example").await;
    assert_eq!(invited.invited_on().unwrap().to_string(), "2026-02-01T10:00:00Z");
    hook(&chime, "PUT", "clock", &json!({ "now": "2026-02-02T10:00:00Z", "frozen": true })).await;
    let accept = json!({ "account": "team", "email": "yes@x.example", "displayName": "Yes" });
    assert_eq!(hook(&chime, "POST", "accept", &accept).await.0, 200);
    let accepted = user("yes@x.example").await;
    assert_eq!(accepted.user_id(), invited.user_id());
    assert_eq!(accepted.user_registration_status(), Some(&RegistrationStatus::Registered));
    assert_eq!(accepted.user_invitation_status(), Some(&InviteStatus::Accepted));
    assert_eq!(accepted.license_type(), Some(&License::Pro), "the account's default");
    assert_eq!(accepted.registered_on().unwrap().to_string(), "2026-02-02T10:00:00Z");
    assert_eq!(hook(&chime, "POST", "accept", &accept).await.0, 409, "only once");
    let bounce = json!({ "account": "team", "email": "no@x.example" });
    assert_eq!(hook(&chime, "POST", "bounce", &bounce).await.0, 200);
    let bounced = user("no@x.example").await;
    assert_eq!(bounced.user_registration_status(), Some(&RegistrationStatus::Unregistered));
    assert_eq!(bounced.user_invitation_status(), Some(&InviteStatus::Failed));
    // Removed, invited again, back on accept.
    client.batch_suspend_user().account_id("team").user_id_list(accepted.user_id()).send().await.unwrap();
    client.invite_users().account_id("team").user_email_list("yes@x.example").send().await.unwrap();
    assert_eq!(user("yes@x.example").await.user_invitation_status(), Some(&InviteStatus::Pending));
    hook(&chime, "POST", "accept", &json!({ "account": "team", "email": "yes@x.example" })).await;
    assert_eq!(user("yes@x.example").await.user_registration_status(), Some(&RegistrationStatus::Registered));
}

#[tokio::test]
async fn people_register_by_domain_and_sign_in_until_they_are_signed_out() {
    let chime = serve(0).await;
    let client = client(&chime);
    hook(&chime, "POST", "domains", &json!({ "account": "lwa", "domains": ["lwa.example"] })).await;
    let register = |email: &str, account: &str| json!({ "account": account, "email": email, "displayName": "Ada" });
    assert_eq!(hook(&chime, "POST", "register", &register("ada@other.example", "lwa")).await.0, 409);
    assert_eq!(hook(&chime, "POST", "register", &register("ada@team.example", "team")).await.0, 409);
    let (status, told) = hook(&chime, "POST", "register", &register("ada@lwa.example", "lwa")).await;
    assert_eq!(status, 200);
    let id = told["user"].as_str().unwrap();
    let user = client.get_user().account_id("lwa").user_id(id).send().await.unwrap().user.unwrap();
    assert_eq!(user.user_registration_status(), Some(&RegistrationStatus::Registered));
    assert!(user.user_invitation_status().is_none() && user.invited_on().is_none() && user.registered_on().is_some());
    let sign_in = json!({ "account": "lwa", "user": id });
    for sessions in 1..=2 {
        assert_eq!(hook(&chime, "POST", "sign-in", &sign_in).await.1["sessions"], sessions);
    }
    let sessions = || chime.core().account("lwa").unwrap().user(id).unwrap().sessions;
    client.logout_user().account_id("lwa").user_id(id).send().await.unwrap();
    assert_eq!(sessions(), 0);
    hook(&chime, "POST", "sign-in", &sign_in).await;
    client.batch_suspend_user().account_id("lwa").user_id_list(id).send().await.unwrap();
    assert_eq!(sessions(), 0);
    assert_eq!(hook(&chime, "POST", "sign-in", &sign_in).await.0, 409, "a suspended user cannot sign in");
    assert_eq!(hook(&chime, "POST", "register", &register("ada@lwa.example", "lwa")).await.0, 409, "nor register anew");
    // Nobody may invite an address of a domain that another organisation claimed.
    let taken = client.invite_users().account_id("team").user_email_list("new@lwa.example").send().await;
    assert!(taken.unwrap_err().into_service_error().is_bad_request_exception());
    // With its domains released, the account can be deleted.
    hook(&chime, "POST", "domains", &json!({ "account": "lwa" })).await;
    client.delete_account().account_id("lwa").send().await.unwrap();
}

#[tokio::test]
async fn calls_and_counters_are_read_and_reset() {
    let chime = serve(1).await;
    let client = client(&chime);
    client.list_users().account_id("lwa").send().await.unwrap();
    client.get_user().account_id("lwa").user_id("none").send().await.unwrap_err();
    client.batch_suspend_user().account_id("lwa").user_id_list("none").user_id_list("lwa-u0").send().await.unwrap();
    let (_, told) = hook(&chime, "GET", "calls?since=1", &Value::Null).await;
    let calls = told["calls"].as_array().unwrap();
    assert_eq!(calls.len(), 2);
    assert_eq!((&calls[0]["operation"], &calls[0]["outcome"]["status"]), (&json!("GetUser"), &json!(404)));
    assert_eq!(calls[1]["users"], json!(["none", "lwa-u0"]));
    assert_eq!((&calls[1]["accessKey"], &calls[1]["outcome"]["userErrors"]), (&json!("AKIDTEST"), &json!(1)));
    assert!(calls[1]["at"].as_str().unwrap().ends_with('Z'));
    let (_, told) = hook(&chime, "DELETE", "counters", &Value::Null).await;
    let counted = |operation: &str| told["counters"][operation].clone();
    let expected = json!({ "calls": 1, "succeeded": 0, "refused": 1, "cut": 0, "userErrors": 0 });
    assert_eq!(counted("GetUser"), expected);
    let expected = json!({ "calls": 1, "succeeded": 1, "refused": 0, "cut": 0, "userErrors": 1 });
    assert_eq!(counted("BatchSuspendUser"), expected);
    assert_eq!(hook(&chime, "GET", "counters", &Value::Null).await.1, json!({ "counters": {} }));
    assert_eq!(hook(&chime, "DELETE", "calls", &Value::Null).await.0, 204);
    assert!(chime.core().calls().is_empty());
}

#[tokio::test]
async fn choices_and_end_of_support_are_switched_while_it_runs() {
    let chime = serve(1).await;
    let (_, told) = hook(&chime, "GET", "choices", &Value::Null).await;
    assert_eq!(told["choices"]["team_removal"], "gone");
    assert_eq!(told["alternatives"]["team_removal"], json!(["Gone", "KeptSuspended"]));
    let half_wrong = json!({ "token_reuse": "accepted", "team_removal": "red" });
    assert_eq!(hook(&chime, "PATCH", "choices", &half_wrong).await.0, 400);
    assert_eq!(
        hook(&chime, "GET", "choices", &Value::Null).await.1["choices"]["token_reuse"],
        "refused",
        "all or none"
    );
    assert_eq!(hook(&chime, "PATCH", "choices", &json!({ "after_end_of_support": true })).await.0, 204);
    let error = client(&chime).list_accounts().send().await.unwrap_err().into_service_error();
    assert!(error.is_forbidden_exception());
}

#[tokio::test]
async fn the_page_stands_alone_and_its_view_has_what_it_shows() {
    let chime = serve(120).await;
    let (head, page) = wire(&chime, "GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n").await;
    assert!(head.starts_with("http/1.1 200") && head.contains("content-type: text/html"), "{head}");
    for external in ["http://", "https://", "src=", "@import", "url("] {
        assert!(!page.contains(external), "the page asks for something else: {external}");
    }
    client(&chime).get_account().account_id("lwa").send().await.unwrap();
    let (_, view) = hook(&chime, "GET", "view?account=lwa&from=50", &Value::Null).await;
    assert_eq!(view["accounts"][1]["counts"]["registered"], 120);
    let shown = view["users"]["shown"].as_array().unwrap();
    assert_eq!((shown.len(), &shown[0]["id"]), (50, &json!("lwa-u50")));
    assert_eq!((&view["users"]["next"], &view["users"]["previous"]), (&json!(100), &json!(0)));
    assert_eq!(
        (&shown[0]["licence"], &shown[0]["sessions"], &shown[0]["status"]),
        (&json!("Pro"), &json!(2), &json!("Registered"))
    );
    assert_eq!(view["calls"][0]["operation"], "GetAccount");
    let (_, found) = hook(&chime, "GET", "view?account=lwa&email=P7@lwa.example", &Value::Null).await;
    assert_eq!(found["users"]["shown"][0]["id"], "lwa-u7");
}
