//! Each broken constraint is a typed 400 that names the member, and nothing of the request is applied.

use crate::stage::{accounts, ask, core, raw, serve, told, wire};
use rollcall_local::chime::seed;
use serde_json::{Value, json};

/// Method, target, body, and the member that the message must name.
fn broken() -> Vec<(&'static str, String, Value, &'static str)> {
    let (suspend, unsuspend) = ("/accounts/lwa/users?operation=suspend", "/accounts/lwa/users?operation=unsuspend");
    let (invite, create) = ("/accounts/team/users?operation=add", "/accounts/team/users?operation=create");
    let (update, batch) = ("/accounts/lwa/users/lwa-u0", "/accounts/lwa/users");
    let (join, leave) = (
        "/accounts/directory?operation=associate-signin-delegate-groups",
        "/accounts/directory?operation=disassociate-signin-delegate-groups",
    );
    let fifty_one: Vec<String> = (0..51).map(|number| format!("p{number}@x.example")).collect();
    let items: Vec<Value> = (0..21).map(|number| json!({ "UserId": format!("lwa-u{number}") })).collect();
    let long = "x".repeat(101);
    let post = |target: &str, body: Value, member| ("POST", target.to_owned(), body, member);
    let put = |target: &str, body: Value, member| ("PUT", target.to_owned(), body, member);
    let get = |target: &str, member| ("GET", target.to_owned(), Value::Null, member);
    vec![
        post("/accounts", json!({}), "Name"),
        post("/accounts", json!({ "Name": null }), "Name"),
        post("/accounts", json!({ "Name": "" }), "Name"),
        post("/accounts", json!({ "Name": " \t" }), "Name"),
        post("/accounts", json!({ "Name": 7 }), "Name"),
        post("/accounts", json!({ "Name": long }), "Name"),
        post("/accounts", json!([]), "body"),
        post("/accounts/lwa", json!({ "Name": long, "DefaultLicense": "Basic" }), "Name"),
        post("/accounts/lwa", json!({ "Name": "New", "DefaultLicense": "Gold" }), "DefaultLicense"),
        post("/accounts/lwa", json!({ "Name": "New", "DefaultLicense": "Plus" }), "DefaultLicense"),
        put("/accounts/lwa/settings", json!({}), "AccountSettings"),
        put("/accounts/lwa/settings", json!({ "AccountSettings": [] }), "AccountSettings"),
        put(
            "/accounts/lwa/settings",
            json!({ "AccountSettings": { "DisableRemoteControl": true, "EnableDialOut": "yes" } }),
            "AccountSettings.EnableDialOut",
        ),
        put("/settings", json!({ "BusinessCalling": { "CdrBucket": "b" }, "VoiceConnector": 3 }), "VoiceConnector"),
        put("/settings", json!({ "VoiceConnector": { "CdrBucket": 3 } }), "VoiceConnector.CdrBucket"),
        post(suspend, json!({}), "UserIdList"),
        post(suspend, json!({ "UserIdList": "lwa-u0" }), "UserIdList"),
        post(suspend, json!({ "UserIdList": ["lwa-u0", 1] }), "UserIdList[1]"),
        post(suspend, json!({ "UserIdList": ["lwa-u0", null] }), "UserIdList[1]"),
        post(suspend, json!({ "UserIdList": ["lwa-u0", " "] }), "UserIdList[1]"),
        post(suspend, json!({ "UserIdList": fifty_one }), "UserIdList"),
        post(unsuspend, json!({ "UserIdList": fifty_one }), "UserIdList"),
        post(invite, json!({}), "UserEmailList"),
        post(invite, json!({ "UserEmailList": fifty_one }), "UserEmailList"),
        post(invite, json!({ "UserEmailList": ["ok@x.example", "no-address"] }), "UserEmailList[1]"),
        post(invite, json!({ "UserEmailList": ["ok@x.example"], "UserType": "Robot" }), "UserType"),
        post(create, json!({ "Email": "no-address" }), "Email"),
        post(create, json!({ "Email": "a@b.example", "UserType": "Robot" }), "UserType"),
        post(create, json!({ "Username": {} }), "Username"),
        post(update, json!({ "LicenseType": "Gold" }), "LicenseType"),
        post(update, json!({ "LicenseType": "Basic", "UserType": "Robot" }), "UserType"),
        post(update, json!({ "LicenseType": "Basic", "AlexaForBusinessMetadata": 1 }), "AlexaForBusinessMetadata"),
        post(batch, json!({}), "UpdateUserRequestItems"),
        post(batch, json!({ "UpdateUserRequestItems": items }), "UpdateUserRequestItems"),
        post(
            batch,
            json!({ "UpdateUserRequestItems": [{ "UserId": "lwa-u0", "LicenseType": "Basic" }, {}] }),
            "UpdateUserRequestItems[1].UserId",
        ),
        post(
            batch,
            json!({ "UpdateUserRequestItems": [{ "UserId": "lwa-u0", "LicenseType": "Basic" },
                                               { "UserId": "lwa-u1", "LicenseType": "Gold" }] }),
            "UpdateUserRequestItems[1].LicenseType",
        ),
        put("/accounts/lwa/users/lwa-u0/settings", json!({}), "UserSettings"),
        put("/accounts/lwa/users/lwa-u0/settings", json!({ "UserSettings": {} }), "UserSettings.Telephony"),
        put(
            "/accounts/lwa/users/lwa-u0/settings",
            json!({ "UserSettings": { "Telephony": { "InboundCalling": true, "OutboundCalling": true } } }),
            "UserSettings.Telephony.SMS",
        ),
        post(join, json!({}), "SigninDelegateGroups"),
        post(
            join,
            json!({ "SigninDelegateGroups": [{ "GroupName": "a" }, { "GroupName": "" }] }),
            "SigninDelegateGroups[1].GroupName",
        ),
        post(leave, json!({ "GroupNames": [] }), "GroupNames"),
        post(leave, json!({ "GroupNames": [1] }), "GroupNames[0]"),
        get("/accounts/lwa/users?max-results=0", "MaxResults"),
        get("/accounts/lwa/users?max-results=201", "MaxResults"),
        get("/accounts?max-results=many", "MaxResults"),
        get("/accounts/lwa/users?user-email=nobody", "UserEmail"),
        get("/accounts/lwa/users?user-type=Robot", "UserType"),
        get("/accounts?name=%20", "Name"),
        get("/accounts?next-token=forged", "NextToken"),
        get("/accounts/lwa/users?next-token=v1-1-1-1", "NextToken"),
    ]
}

#[test]
fn a_broken_constraint_is_refused_by_name_and_nothing_is_applied() {
    let mut core = core(3);
    let before = seed::write(&core).unwrap();
    for (method, target, body, member) in broken() {
        let response = ask(&mut core, method, &target, &body);
        assert_eq!(told(&response), (400, "BadRequestException"), "{method} {target} {body:.80}");
        let answer = response.body.unwrap();
        assert_eq!(answer["Code"], "BadRequest");
        let message = answer["Message"].as_str().unwrap();
        assert!(message.starts_with(&format!("{member}: ")), "{method} {target} says {message:?}, not {member}");
        assert_eq!(seed::write(&core).unwrap(), before, "{method} {target} changed something");
    }
}

#[test]
fn what_the_constraints_allow_is_taken() {
    let mut core = core(3);
    let fifty: Vec<String> = (0..50).map(|number| format!("p{number}@x.example")).collect();
    for (method, target, body) in [
        ("POST", "/accounts", json!({ "Name": "x".repeat(100) })),
        ("POST", "/accounts", json!({ "Name": "é".repeat(100), "Unknown": 1 })),
        ("POST", "/accounts/lwa/users?operation=suspend", json!({ "UserIdList": [] })),
        ("POST", "/accounts/team/users?operation=add", json!({ "UserEmailList": fifty })),
        ("POST", "/accounts/lwa/users/lwa-u0", json!({})),
        ("POST", "/accounts/lwa/users/lwa-u0", Value::Null),
        ("GET", "/accounts/lwa/users?max-results=200&next-token=", Value::Null),
        ("GET", "/accounts/lwa/users?max-results=1", Value::Null),
    ] {
        let response = ask(&mut core, method, target, &body);
        assert!(response.status < 300, "{method} {target}: {response:?}");
    }
}

#[test]
fn unknown_accounts_and_users_are_404() {
    let mut core = core(1);
    let body = json!({ "UserIdList": [], "UserEmailList": [], "UpdateUserRequestItems": [], "AccountSettings": {},
        "GroupNames": ["a"], "SigninDelegateGroups": [],
        "UserSettings": { "Telephony": { "InboundCalling": true, "OutboundCalling": true, "SMS": true } } });
    for (method, target) in [
        ("GET", "/accounts/none"),
        ("POST", "/accounts/none"),
        ("DELETE", "/accounts/none"),
        ("GET", "/accounts/none/settings"),
        ("PUT", "/accounts/none/settings"),
        ("POST", "/accounts/none?operation=associate-signin-delegate-groups"),
        ("POST", "/accounts/none?operation=disassociate-signin-delegate-groups"),
        ("GET", "/accounts/none/users"),
        ("POST", "/accounts/none/users"),
        ("POST", "/accounts/none/users?operation=suspend"),
        ("POST", "/accounts/none/users?operation=unsuspend"),
        ("POST", "/accounts/none/users?operation=add"),
        ("POST", "/accounts/none/users?operation=create"),
        ("GET", "/accounts/lwa/users/none"),
        ("POST", "/accounts/lwa/users/none"),
        ("POST", "/accounts/lwa/users/none?operation=logout"),
        ("POST", "/accounts/lwa/users/none?operation=reset-personal-pin"),
        ("GET", "/accounts/lwa/users/none/settings"),
        ("PUT", "/accounts/lwa/users/none/settings"),
    ] {
        assert_eq!(told(&ask(&mut core, method, target, &body)), (404, "NotFoundException"), "{method} {target}");
    }
}

#[test]
fn no_json_is_a_typed_400() {
    let mut core = core(1);
    let deep = "[".repeat(5_000) + &"]".repeat(5_000);
    for body in [b"{".to_vec(), b"{\"Name\":".to_vec(), vec![0xff, 0xfe], b"nonsense".to_vec(), deep.into_bytes()] {
        assert_eq!(told(&raw(&mut core, "POST", "/accounts", body)), (400, "BadRequestException"));
    }
    assert_eq!(core.accounts().count(), 4);
}

#[tokio::test]
async fn a_body_over_the_limit_is_a_typed_400() {
    let chime = serve(1).await;
    let body = accounts(1).to_string() + &" ".repeat(1024 * 1024);
    let request = format!(
        "POST /accounts HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    );
    let (head, body) = wire(&chime, &request).await;
    assert!(head.starts_with("http/1.1 400") && head.contains("badrequestexception"), "{head}");
    assert!(body.contains("\"Code\":\"BadRequest\""), "{body}");
}

#[test]
fn unknown_paths_and_methods_are_refused() {
    let mut core = core(1);
    for (method, target) in [
        ("GET", "/nothing"),
        ("GET", "/accounts/lwa/users/lwa-u0/sessions"),
        ("GET", "//accounts"),
        ("PATCH", "/accounts/lwa"),
        ("DELETE", "/accounts/lwa/users/lwa-u0"),
        ("DELETE", "/settings"),
        ("POST", "/settings"),
        ("OPTIONS", "/accounts"),
        ("GET", "/accounts/lwa?operation=logout"),
    ] {
        assert_eq!(
            told(&ask(&mut core, method, target, &Value::Null)),
            (400, "BadRequestException"),
            "{method} {target}"
        );
    }
}
