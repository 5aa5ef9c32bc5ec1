//! A service with four accounts, a client of the Rust SDK, and requests by hand.

use aws_sdk_chime::Client;
use aws_sdk_chime::config::{BehaviorVersion, Credentials, Region, retry::RetryConfig};
use rollcall_local::chime::core::Core;
use rollcall_local::chime::http::{Reply, Request, Response};
use rollcall_local::chime::{LocalChime, seed};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

/// One account of each type; `team` and the others have users `<account>-u0` and so on.
pub(crate) fn accounts(users: usize) -> Value {
    let types =
        [("team", "Team"), ("lwa", "EnterpriseLWA"), ("directory", "EnterpriseDirectory"), ("oidc", "EnterpriseOIDC")];
    let account = |(id, account_type): (&str, &str)| {
        let user = |number| {
            json!({
                "UserId": format!("{id}-u{number}"), "PrimaryEmail": format!("p{number}@{id}.example"),
                "DisplayName": format!("Person {number}"), "LicenseType": "Pro", "UserType": "PrivateUser",
                "UserRegistrationStatus": "Registered", "RegisteredOn": "2024-03-04T09:12:45.120Z",
                "PersonalPIN": "0123456789", "Sessions": 2,
            })
        };
        json!({
            "AccountId": id, "Name": format!("Acme {id}"), "AccountType": account_type,
            "CreatedTimestamp": "2019-01-08T17:59:18.006Z", "users": (0..users).map(user).collect::<Vec<_>>(),
        })
    };
    json!({ "accounts": types.map(account) })
}

pub(crate) fn core(users: usize) -> Core {
    Core::new(seed::read(&accounts(users).to_string()).unwrap())
}

pub(crate) async fn serve(users: usize) -> LocalChime {
    LocalChime::serve(core(users), 0).await.unwrap()
}

/// A client of the Rust SDK as a program has it that changes nothing: standard retries.
pub(crate) fn client(chime: &LocalChime) -> Client {
    in_region(chime, "us-east-1", RetryConfig::standard())
}

pub(crate) fn in_region(chime: &LocalChime, region: &'static str, retries: RetryConfig) -> Client {
    let config = aws_sdk_chime::Config::builder()
        .behavior_version(BehaviorVersion::v2026_01_12())
        .http_client(aws_smithy_http_client::Builder::new().build_http())
        .credentials_provider(Credentials::new("AKIDTEST", "secret", None, None, "test"))
        .region(Region::new(region))
        .retry_config(retries)
        .endpoint_url(chime.endpoint())
        .build();
    Client::from_conf(config)
}

/// A signature's header, as far as the service reads it.
pub(crate) fn signed_for(service: &str, region: &str) -> String {
    format!(
        "AWS4-HMAC-SHA256 Credential=AKIDTEST/20261122/{region}/{service}/aws4_request, \
         SignedHeaders=host;x-amz-date, Signature=0123456789abcdef"
    )
}

/// One request without a network.
pub(crate) fn ask(core: &mut Core, method: &str, target: &str, body: &Value) -> Response {
    let body = if body.is_null() { Vec::new() } else { body.to_string().into_bytes() };
    raw(core, method, target, body)
}

pub(crate) fn raw(core: &mut Core, method: &str, target: &str, body: Vec<u8>) -> Response {
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    let request = Request {
        method: method.into(),
        path: path.into(),
        query: query.into(),
        authorization: Some(signed_for("chime", "us-east-1")),
        has_length: true,
        body,
    };
    match core.answer(&request) {
        Reply::Answer(response) | Reply::Late(_, response) => response,
        Reply::Cut => panic!("the connection was cut"),
    }
}

/// Status and exception of an answer.
pub(crate) fn told(response: &Response) -> (u16, &str) {
    (response.status, response.error_type.unwrap_or(""))
}

/// One request by hand over the network: head and body of the answer. Empty where the connection was cut.
pub(crate) async fn wire(chime: &LocalChime, request: &str) -> (String, String) {
    let address = chime.endpoint().trim_start_matches("http://").to_owned();
    let exchange = async {
        let mut connection = tokio::net::TcpStream::connect(address).await.unwrap();
        connection.write_all(request.as_bytes()).await.unwrap();
        let mut answer = Vec::new();
        let _cut = connection.read_to_end(&mut answer).await;
        String::from_utf8(answer).unwrap()
    };
    let answer = tokio::time::timeout(std::time::Duration::from_secs(10), exchange).await.unwrap();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap_or((&answer, ""));
    (head.to_lowercase(), body.to_owned())
}

/// A hook: status and answer.
pub(crate) async fn hook(chime: &LocalChime, method: &str, path: &str, body: &Value) -> (u16, Value) {
    let body = if body.is_null() { String::new() } else { body.to_string() };
    let request = format!(
        "{method} /_local/{path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    );
    let (head, body) = wire(chime, &request).await;
    let status = head.split(' ').nth(1).unwrap().parse().unwrap();
    (status, serde_json::from_str(&body).unwrap_or_default())
}
