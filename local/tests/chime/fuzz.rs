//! Ten thousand requests that nobody would send: never a panic, never a 500, always a typed answer.

use crate::stage::{core, serve, signed_for, wire};
use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;
use rollcall_local::chime::http::{Reply, Request};
use serde_json::Value;

fn json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        ".{0,12}".prop_map(Value::from),
        prop_oneof![Just("lwa-u0"), Just("p0@lwa.example"), Just("Basic"), Just("SharedDevice")].prop_map(Value::from),
    ];
    let names = prop_oneof![
        Just("Name"),
        Just("UserIdList"),
        Just("UserEmailList"),
        Just("UpdateUserRequestItems"),
        Just("UserId"),
        Just("LicenseType"),
        Just("UserType"),
        Just("AccountSettings"),
        Just("UserSettings"),
        Just("Telephony"),
        Just("InboundCalling"),
        Just("SMS"),
        Just("GroupNames"),
        Just("SigninDelegateGroups"),
        Just("GroupName"),
        Just("BusinessCalling"),
        Just("CdrBucket"),
        Just("AlexaForBusinessMetadata"),
        Just("Email"),
        Just("Username"),
    ];
    leaf.prop_recursive(4, 24, 4, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::vec((names.clone(), inner), 0..4).prop_map(|members| {
                Value::Object(members.into_iter().map(|(name, value)| (name.to_owned(), value)).collect())
            }),
        ]
    })
}

fn segment() -> impl Strategy<Value = String> {
    prop_oneof![
        4 => prop_oneof![
            Just("accounts"), Just("users"), Just("settings"), Just("lwa"), Just("team"), Just("directory"),
            Just("lwa-u0"), Just("team-u1"), Just("console"), Just(".."), Just(""), Just("%2F"), Just("%"), Just("%zz%00%ff"),
        ].prop_map(str::to_owned),
        1 => "[ -~]{0,10}".prop_map(|text| text.replace(['/', '?', '#', ' '], "%20")),
    ]
}

fn path() -> impl Strategy<Value = String> {
    let likely = prop_oneof![
        Just("/accounts"),
        Just("/accounts/lwa"),
        Just("/accounts/team"),
        Just("/accounts/lwa/users"),
        Just("/accounts/team/users"),
        Just("/accounts/lwa/users/lwa-u0"),
        Just("/accounts/lwa/settings"),
        Just("/accounts/directory"),
        Just("/accounts/lwa/users/lwa-u0/settings"),
        Just("/settings"),
    ];
    prop_oneof![
        3 => likely.prop_map(str::to_owned),
        2 => prop::collection::vec(segment(), 0..7).prop_map(|segments| format!("/{}", segments.join("/"))),
    ]
}

fn query() -> impl Strategy<Value = String> {
    let name = prop_oneof![
        3 => Just("operation"), 1 => Just("max-results"), 1 => Just("next-token"), 1 => Just("user-email"),
        1 => Just("user-type"), 1 => Just("name"), 1 => Just("X-Amz-Credential"), 1 => Just("X-Amz-Signature"),
    ];
    let value = prop_oneof![
        4 => prop_oneof![
            Just("suspend"), Just("unsuspend"), Just("add"), Just("create"), Just("logout"), Just("reset-personal-pin"),
            Just("associate-signin-delegate-groups"), Just("disassociate-signin-delegate-groups"), Just("5"),
        ].prop_map(str::to_owned),
        1 => "[!-~]{0,12}".prop_map(|text| text.replace(['#', '?'], "%")),
    ];
    prop::collection::vec((name, value), 0..3).prop_map(|pairs| {
        pairs.into_iter().map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>().join("&")
    })
}

/// Path and query, half of them of an operation.
fn target() -> impl Strategy<Value = (String, String)> {
    let whole = prop_oneof![
        Just(("/accounts", "")),
        Just(("/accounts/team/users", "operation=add")),
        Just(("/accounts/team/users", "operation=create")),
        Just(("/accounts/lwa/users", "operation=suspend")),
        Just(("/accounts/lwa/users", "operation=unsuspend")),
        Just(("/accounts/lwa/users", "")),
        Just(("/accounts/lwa/users/lwa-u0", "")),
        Just(("/accounts/lwa/users/lwa-u0", "operation=logout")),
        Just(("/accounts/lwa/users/lwa-u0", "operation=reset-personal-pin")),
        Just(("/accounts/lwa/settings", "")),
        Just(("/accounts/directory", "operation=associate-signin-delegate-groups")),
        Just(("/settings", "")),
    ];
    prop_oneof![whole.prop_map(|(path, query)| (path.to_owned(), query.to_owned())), (path(), query())]
}

fn request() -> impl Strategy<Value = Request> {
    let method = prop_oneof![
        4 => Just("POST"), 3 => Just("GET"), 2 => Just("PUT"), 1 => Just("DELETE"), 1 => Just("PATCH"), 1 => Just("HEAD"),
    ];
    let body = prop_oneof![
        4 => json().prop_map(|value| value.to_string().into_bytes()),
        // Enough that are whole: they reach the operations behind the checks.
        2 => prop_oneof![
            Just(r#"{"Name":"New"}"#), Just(r#"{"UserEmailList":["n@x.example"]}"#), Just(r#"{"UserIdList":["lwa-u0"]}"#),
        ].prop_map(|text| text.as_bytes().to_vec()),
        1 => prop::collection::vec(any::<u8>(), 0..64),
        1 => Just(Vec::new()),
    ];
    let authorization = prop_oneof![
        6 => Just(Some(signed_for("chime", "us-east-1"))),
        1 => Just(None),
        1 => ".{0,80}".prop_map(Some),
    ];
    (method, target(), authorization, any::<bool>(), body).prop_map(
        |(method, (path, query), authorization, has_length, body)| Request {
            method: method.to_owned(),
            path,
            query,
            authorization,
            has_length,
            body,
        },
    )
}

#[test]
fn ten_thousand_requests_without_a_panic_or_a_500() {
    let mut service = core(3);
    let fresh = service.snapshot();
    let mut statuses = std::collections::BTreeMap::<u16, u32>::new();
    let (requests, mut runner) = (request(), TestRunner::default());
    for number in 0..10_000 {
        let request = requests.new_tree(&mut runner).unwrap().current();
        if number % 500 == 0 {
            service.restore(fresh.clone());
        }
        let Reply::Answer(response) = service.answer(&request) else { panic!("no fault is armed") };
        *statuses.entry(response.status).or_default() += 1;
        let expected = [200, 201, 204, 400, 401, 404, 409, 422].contains(&response.status);
        assert!(expected, "{} for {request:?}", response.status);
        assert_eq!(response.error_type.is_some(), response.status >= 400, "{request:?}");
    }
    assert!(statuses[&200] > 300 && statuses[&201] > 30 && statuses[&204] > 30, "many hit an operation: {statuses:?}");
}

#[tokio::test]
async fn malformed_http_does_not_end_the_service() {
    let chime = serve(1).await;
    for request in [
        "NONSENSE\r\n\r\n".to_owned(),
        "GET /accounts HTTP/9.9\r\n\r\n".to_owned(),
        "GET accounts HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n".to_owned(),
        "POST /accounts HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: many\r\n\r\n{}".to_owned(),
        "POST /accounts HTTP/1.1\r\nHost: x\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n"
            .to_owned(),
        format!("GET /{} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", "a/".repeat(20_000)),
        "GET /accounts HTTP/1.1\r\nHost: x\r\nConnection: close\r\nAuthorization: \u{e9}\r\n\r\n".to_owned(),
        "GET /_local/nothing HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n".to_owned(),
    ] {
        let (head, _) = wire(&chime, &request).await;
        assert!(!head.starts_with("http/1.1 5"), "{request:.60}: {head}");
    }
    let (head, _) = wire(&chime, "GET /accounts HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n").await;
    assert!(head.starts_with("http/1.1 200"), "{head}");
}
