//! The checklist of the API's reference, one test an item.

use crate::stage::{ask, client, core, in_region, serve, signed_for, told, wire};
use aws_sdk_chime::config::retry::RetryConfig;
use aws_sdk_chime::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_chime::types::{ErrorCode, RegistrationStatus};
use rollcall_local::chime::choices::ErrorHeader;
use rollcall_local::chime::faults::{Fault, FaultKind};
use rollcall_local::chime::routes::Operation;
use serde_json::{Value, json};

fn fault(operation: Operation, kind: FaultKind) -> Fault {
    Fault { operation, kind, after: 0, times: 1 }
}

#[tokio::test]
async fn suspending_on_team_removes_and_does_not_block() {
    let chime = serve(2).await;
    let client = client(&chime);
    let answer = client.batch_suspend_user().account_id("team").user_id_list("team-u0").send().await.unwrap();
    assert_eq!(answer.user_errors(), []);
    let gone = client.get_user().account_id("team").user_id("team-u0").send().await.unwrap_err();
    assert!(gone.into_service_error().is_not_found_exception());
    let listed = client.list_users().account_id("team").user_email("p0@team.example").send().await.unwrap();
    assert_eq!(listed.users().len(), 0);
    assert_eq!(client.list_users().account_id("team").send().await.unwrap().users().len(), 1);
}

#[tokio::test]
async fn suspending_on_enterprise_lwa_blocks_until_unsuspended() {
    let chime = serve(1).await;
    let client = client(&chime);
    let status = async || {
        let user = client.get_user().account_id("lwa").user_id("lwa-u0").send().await.unwrap().user.unwrap();
        user.user_registration_status.unwrap()
    };
    client.batch_suspend_user().account_id("lwa").user_id_list("lwa-u0").send().await.unwrap();
    assert_eq!(status().await, RegistrationStatus::Suspended);
    assert_eq!(chime.core().account("lwa").unwrap().user("lwa-u0").unwrap().sessions, 0);
    for _ in 0..2 {
        let answer = client.batch_unsuspend_user().account_id("lwa").user_id_list("lwa-u0").send().await.unwrap();
        assert_eq!(answer.user_errors(), [], "ids that are not suspended are ignored");
        assert_eq!(status().await, RegistrationStatus::Registered);
    }
}

#[tokio::test]
async fn an_unknown_id_is_one_entry_and_the_others_take_effect() {
    let chime = serve(2).await;
    let request = client(&chime).batch_suspend_user().account_id("lwa");
    let ids = ["lwa-u0", "nobody", "lwa-u1"].map(str::to_owned);
    let answer = request.set_user_id_list(Some(ids.to_vec())).send().await.unwrap();
    let [error] = answer.user_errors() else { panic!("one entry") };
    assert_eq!((error.user_id(), error.error_code()), (Some("nobody"), Some(&ErrorCode::NotFound)));
    assert_eq!(chime.core().account_mut("lwa").unwrap().counts().suspended, 2);
}

#[tokio::test]
async fn fifty_one_ids_are_refused_and_none_is_applied() {
    let chime = serve(51).await;
    let ids: Vec<String> = (0..51).map(|number| format!("lwa-u{number}")).collect();
    let request = client(&chime).batch_suspend_user().account_id("lwa");
    let error = request.clone().set_user_id_list(Some(ids.clone())).send().await.unwrap_err().into_service_error();
    assert!(error.is_bad_request_exception(), "{error:?}");
    assert!(error.message().unwrap().contains("UserIdList") && error.message().unwrap().contains("50"), "{error:?}");
    assert_eq!(chime.core().account_mut("lwa").unwrap().counts().suspended, 0);
    let answer = request.set_user_id_list(Some(ids[..50].to_vec())).send().await.unwrap();
    assert_eq!(answer.user_errors(), []);
    assert_eq!(chime.core().account_mut("lwa").unwrap().counts().suspended, 50);
}

#[tokio::test]
async fn without_the_error_header_the_rust_client_cannot_tell_errors_apart() {
    let chime = serve(0).await;
    let request = client(&chime).get_account().account_id("none");
    assert!(request.clone().send().await.unwrap_err().into_service_error().is_not_found_exception());
    chime.core().choices_mut().error_header = ErrorHeader::Omitted;
    let error = request.send().await.unwrap_err().into_service_error();
    assert!(!error.is_not_found_exception() && error.meta().code().is_none(), "{error:?}");
}

#[tokio::test]
async fn throttling_is_not_tried_again_in_standard_mode_and_500_and_503_are() {
    let chime = serve(0).await;
    let table = [
        (FaultKind::Throttle, 1, "ThrottledClientException"),
        (FaultKind::ServiceFailure, 3, "ServiceFailureException"),
        (FaultKind::ServiceUnavailable, 3, "ServiceUnavailableException"),
        (FaultKind::Forbidden, 1, "ForbiddenException"),
    ];
    for (kind, attempts, name) in table {
        chime.core().forget_calls();
        chime.core().arm(Fault { times: attempts, ..fault(Operation::GetAccount, kind) });
        let error = client(&chime).get_account().account_id("team").send().await.unwrap_err().into_service_error();
        assert_eq!(error.code(), Some(name));
        assert_eq!(chime.core().calls().len(), attempts as usize, "{name}");
    }
}

#[tokio::test]
async fn three_pages_with_max_results_on_the_first_only() {
    let chime = serve(25).await;
    let client = client(&chime);
    let mut seen = Vec::new();
    let mut sizes = Vec::new();
    let mut request = client.list_users().account_id("lwa").max_results(10);
    let mut tokens = std::collections::BTreeSet::new();
    loop {
        let page = request.send().await.unwrap();
        sizes.push(page.users().len());
        seen.extend(page.users().iter().map(|user| user.user_id().to_owned()));
        let Some(token) = page.next_token() else { break };
        assert!(tokens.insert(token.to_owned()), "a token never comes twice");
        request = client.list_users().account_id("lwa").next_token(token);
    }
    assert_eq!(sizes, [10, 10, 5]);
    assert_eq!(seen, (0..25).map(|number| format!("lwa-u{number}")).collect::<Vec<_>>());
}

#[tokio::test]
async fn the_paginators_end() {
    let chime = serve(7).await;
    let client = client(&chime);
    let users = client.list_users().account_id("oidc").max_results(3).into_paginator().send();
    let pages: Vec<_> = users.collect::<Result<_, _>>().await.unwrap();
    assert_eq!(pages.iter().map(|page| page.users().len()).collect::<Vec<_>>(), [3, 3, 1]);
    let accounts = client.list_accounts().max_results(2).into_paginator().send();
    let pages: Vec<_> = accounts.collect::<Result<_, _>>().await.unwrap();
    assert_eq!(pages.iter().map(|page| page.accounts().len()).collect::<Vec<_>>(), [2, 2]);
    let mut core = core(1);
    let last = ask(&mut core, "GET", "/accounts/lwa/users", &Value::Null).body.unwrap();
    assert_eq!(last.get("NextToken"), Some(&Value::Null), "null, not absent");
}

#[test]
fn a_blank_label_is_no_shorter_path() {
    let mut core = core(1);
    for target in
        ["/accounts/", "/accounts/%20", "/accounts//users", "/accounts/team/users/", "/accounts/team/users/%09"]
    {
        let response = ask(&mut core, "GET", target, &Value::Null);
        assert_eq!(told(&response), (400, "BadRequestException"), "{target}");
    }
}

#[tokio::test]
async fn a_post_needs_no_content_length() {
    let chime = serve(1).await;
    let request = "POST /accounts/lwa/users/lwa-u0?operation=logout HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n";
    let (head, body) = wire(&chime, request).await;
    assert!(head.starts_with("http/1.1 204"), "{head}");
    assert!(head.contains("content-type: application/json") && head.contains("x-amzn-requestid: "), "{head}");
    assert_eq!(body, "");
    client(&chime).logout_user().account_id("lwa").user_id("lwa-u0").send().await.unwrap();
}

#[tokio::test]
async fn any_region_of_the_scope_is_taken_and_only_this_service() {
    let chime = serve(0).await;
    in_region(&chime, "eu-west-1", RetryConfig::standard()).get_account().account_id("team").send().await.unwrap();
    let ask = async |authorization: &str| {
        let request =
            format!("GET /accounts HTTP/1.1\r\nHost: x\r\nConnection: close\r\nAuthorization: {authorization}\r\n\r\n");
        wire(&chime, &request).await.0
    };
    assert!(ask(&signed_for("chime", "eu-west-1")).await.starts_with("http/1.1 200"));
    for wrong in [signed_for("iam", "us-east-1"), "Bearer abc".into(), "AWS4-HMAC-SHA256 Credential=x".into()] {
        let head = ask(&wrong).await;
        assert!(head.starts_with("http/1.1 401") && head.contains("unauthorizedclientexception"), "{head}");
    }
    // Presigned: the same in the query.
    let presigned = |service: &str| {
        format!(
            "GET /accounts/team?X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=AKIDQUERY%2F20261122%2Feu-west-1%2F\
             {service}%2Faws4_request&X-Amz-Date=20261122T120000Z&X-Amz-Expires=60&X-Amz-SignedHeaders=host&\
             X-Amz-Signature=00 HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
        )
    };
    assert!(wire(&chime, &presigned("chime")).await.0.starts_with("http/1.1 200"));
    assert_eq!(chime.core().calls().last().unwrap().access_key.as_deref(), Some("AKIDQUERY"));
    assert!(wire(&chime, &presigned("s3")).await.0.starts_with("http/1.1 401"));
}

#[test]
fn the_old_prefix_is_taken() {
    let mut core = core(1);
    assert_eq!(ask(&mut core, "GET", "/console/accounts/team", &Value::Null).status, 200);
    assert_eq!(ask(&mut core, "GET", "/console/settings", &Value::Null).status, 200);
    assert_eq!(ask(&mut core, "GET", "/consoleaccounts/team", &Value::Null).status, 400);
}

#[test]
fn timestamps_are_iso_8601_with_milliseconds() {
    let mut core = core(1);
    let account = ask(&mut core, "GET", "/accounts/team", &Value::Null).body.unwrap();
    assert_eq!(account["Account"]["CreatedTimestamp"], "2019-01-08T17:59:18.006Z");
    let user = ask(&mut core, "GET", "/accounts/team/users/team-u0", &Value::Null).body.unwrap();
    assert_eq!(user["User"]["RegisteredOn"], "2024-03-04T09:12:45.120Z");
    core.clock_mut().set("2026-02-19T23:59:59Z".parse::<jiff::Timestamp>().unwrap().into(), true);
    let made = ask(&mut core, "POST", "/accounts", &json!({ "Name": "New" })).body.unwrap();
    assert_eq!(made["Account"]["CreatedTimestamp"], "2026-02-19T23:59:59.000Z");
}

#[test]
fn making_is_201_and_signing_out_is_204() {
    let mut core = core(1);
    let table = [
        ("POST", "/accounts", json!({ "Name": "New" }), 201),
        ("POST", "/accounts/team/users?operation=add", json!({ "UserEmailList": ["n@x.example"] }), 201),
        ("POST", "/accounts/team/users?operation=create", json!({ "Email": "m@x.example" }), 201),
        ("POST", "/accounts/team/users/team-u0?operation=logout", Value::Null, 204),
        ("PUT", "/accounts/team/settings", json!({ "AccountSettings": {} }), 204),
        ("PUT", "/settings", json!({}), 204),
    ];
    for (method, target, body, status) in table {
        assert_eq!(ask(&mut core, method, target, &body).status, status, "{method} {target}");
    }
}

#[test]
fn a_misspelt_operation_never_falls_through() {
    let mut core = core(1);
    let before = core.snapshot();
    let items =
        json!({ "UpdateUserRequestItems": [{ "UserId": "team-u0", "LicenseType": "Basic" }], "LicenseType": "Basic" });
    for target in [
        "/accounts/team/users?operation=supend",
        "/accounts/team/users?operation=",
        "/accounts/team/users/team-u0?operation=log-out",
        "/accounts/team/users/team-u0?operation=associate-phone-number",
        "/accounts/team?operation=associate",
    ] {
        assert_eq!(told(&ask(&mut core, "POST", target, &items)), (400, "BadRequestException"), "{target}");
    }
    assert_eq!(format!("{before:?}"), format!("{:?}", core.snapshot()), "nothing changed");
}

#[tokio::test]
async fn an_address_with_a_plus_is_found() {
    let chime = serve(0).await;
    let client = client(&chime);
    let email = "ada+chime@x.example";
    client.invite_users().account_id("team").user_email_list(email).send().await.unwrap();
    for asked in [email, "ADA+Chime@X.example"] {
        let page = client.list_users().account_id("team").user_email(asked).send().await.unwrap();
        assert_eq!(page.users().len(), 1, "{asked}");
        let accounts = client.list_accounts().user_email(asked).send().await.unwrap();
        assert_eq!(accounts.accounts()[0].account_id(), "team");
    }
    assert_eq!(
        client.list_users().account_id("team").user_email("ada@x.example").send().await.unwrap().users().len(),
        0
    );
}

#[tokio::test]
async fn after_a_lost_answer_a_suspend_may_be_sent_again() {
    let chime = serve(1).await;
    let once = in_region(&chime, "us-east-1", RetryConfig::disabled());
    chime.core().arm(fault(Operation::BatchSuspendUser, FaultKind::LostAnswer));
    let request = once.batch_suspend_user().account_id("lwa").user_id_list("lwa-u0");
    let error = request.clone().send().await.unwrap_err();
    assert!(matches!(error, SdkError::DispatchFailure(_)), "{error:?}");
    assert_eq!(chime.core().account_mut("lwa").unwrap().counts().suspended, 1, "it took effect");
    assert_eq!(request.send().await.unwrap().user_errors(), []);
    assert_eq!(chime.core().account_mut("lwa").unwrap().counts().suspended, 1);
}

#[test]
fn neither_log_nor_errors_nor_debug_hold_addresses_names_or_pins() {
    let mut core = core(1);
    let email = "secret.person@x.example";
    ask(&mut core, "POST", "/accounts/team/users?operation=add", &json!({ "UserEmailList": [email] }));
    ask(&mut core, "GET", &format!("/accounts/team/users?user-email={email}"), &Value::Null);
    ask(&mut core, "GET", &format!("/accounts?user-email={email}&name=secret.person"), &Value::Null);
    ask(&mut core, "GET", &format!("/accounts/{email}/users/{email}"), &Value::Null);
    let ids = json!({ "UserIdList": [email, "team-u0"] });
    ask(&mut core, "POST", "/accounts/lwa/users?operation=suspend", &ids);
    ask(&mut core, "POST", "/accounts/team/users/team-u0?operation=reset-personal-pin", &Value::Null);
    let wrong = json!({ "Email": "secret.person", "UserType": "secret.person" });
    let error = ask(&mut core, "POST", "/accounts/team/users?operation=create", &wrong);
    let mut texts = vec![serde_json::to_string(core.calls()).unwrap(), error.body.unwrap().to_string()];
    texts.push(format!("{core:?}"));
    let pin = core.account("team").unwrap().user("team-u0").unwrap().personal_pin.clone().unwrap();
    assert_eq!(pin.len(), 10);
    for text in texts {
        for secret in ["secret.person", pin.as_str(), "Person 0"] {
            assert!(!text.contains(secret), "{secret} is in {text:.2000}");
        }
    }
    assert!(core.calls().iter().any(|call| call.users.contains(&"team-u0".to_owned())), "ids are in the log");
}
