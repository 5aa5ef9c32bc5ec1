//! Parameters against a Parameter Store that answers what the test says, one answer after the other.

use super::*;
use crate::event::wire::Assurance;
use crate::intake::verify::{Refused, Scheme, verify};
use crate::intake::{Headers, Received};
use aws_smithy_runtime_api::client::http::{HttpConnector, HttpConnectorFuture, SharedHttpConnector, http_client_fn};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use serde_json::json;
use std::collections::VecDeque;
use std::sync::Arc;

const ONE: &str = "rollcall-test-secret-1";
const TWO: &str = "rollcall-test-secret-2";

/// Answers, and the bodies of what was asked.
#[derive(Clone, Debug, Default)]
struct Store {
    answers: Arc<Mutex<VecDeque<(u16, String)>>>,
    asked: Arc<Mutex<Vec<String>>>,
}

impl HttpConnector for Store {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let body = String::from_utf8(request.body().bytes().unwrap().to_vec()).unwrap();
        self.asked.lock().unwrap().push(body);
        let (status, body) = self.answers.lock().unwrap().pop_front().unwrap_or((503, String::new()));
        HttpConnectorFuture::ready(Ok(HttpResponse::new(status.try_into().unwrap(), body.into())))
    }
}

fn value(text: &str) -> (u16, String) {
    (200, json!({ "Parameter": { "Value": text } }).to_string())
}

fn error(code: &str) -> (u16, String) {
    (400, json!({ "__type": code }).to_string())
}

fn parameters(answers: &[(u16, String)]) -> (Parameters, Store) {
    let store = Store { answers: Arc::new(Mutex::new(answers.iter().cloned().collect())), ..Store::default() };
    let connector = SharedHttpConnector::new(store.clone());
    let config = aws_sdk_ssm::Config::builder()
        .behavior_version(aws_config::BehaviorVersion::v2026_01_12())
        .region(aws_config::Region::new("eu-west-1"))
        .credentials_provider(aws_sdk_ssm::config::Credentials::new("test", "test", None, None, "test"))
        .retry_config(aws_config::retry::RetryConfig::disabled())
        .http_client(http_client_fn(move |_, _| connector.clone()))
        .build();
    (Parameters::new(Client::from_conf(config), "/rollcall/sources/"), store)
}

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_second(1_795_000_000 + seconds).unwrap()
}

async fn get(parameters: &Parameters, seconds: i64) -> Result<Option<Value>, Failure> {
    parameters.get(Source::Gusto, Purpose::Secret, at(seconds)).await
}

async fn anew(parameters: &Parameters, seconds: i64) -> Result<Option<Value>, Failure> {
    parameters.anew(Source::Gusto, Purpose::Secret, at(seconds)).await
}

#[tokio::test]
async fn a_value_is_kept_for_five_minutes() {
    let (parameters, store) = parameters(&[value(ONE), value(TWO)]);
    assert_eq!(get(&parameters, 0).await, Ok(Some(Value::new(ONE))));
    assert_eq!(get(&parameters, 299).await, Ok(Some(Value::new(ONE))));
    assert_eq!(get(&parameters, 300).await, Ok(Some(Value::new(TWO))));
    let asked = store.asked.lock().unwrap().clone();
    assert_eq!(asked, [r#"{"Name":"/rollcall/sources/gusto/secret","WithDecryption":true}"#; 2]);
}

#[tokio::test]
async fn a_value_that_did_not_do_is_asked_for_anew_but_not_all_the_time() {
    let (parameters, store) = parameters(&[value(ONE), value(TWO), value(ONE)]);
    assert_eq!(get(&parameters, 0).await, Ok(Some(Value::new(ONE))));
    assert_eq!(anew(&parameters, 29).await, Ok(Some(Value::new(ONE))));
    assert_eq!(anew(&parameters, 30).await, Ok(Some(Value::new(TWO))));
    assert_eq!(anew(&parameters, 59).await, Ok(Some(Value::new(TWO))));
    assert_eq!(get(&parameters, 59).await, Ok(Some(Value::new(TWO))));
    assert_eq!(anew(&parameters, 60).await, Ok(Some(Value::new(ONE))));
    assert_eq!(store.asked.lock().unwrap().len(), 3);
}

#[tokio::test]
async fn names_are_kept_apart() {
    let (parameters, _) = parameters(&[value("gusto's"), value("hibob's"), value("a token")]);
    assert_eq!(get(&parameters, 0).await, Ok(Some(Value::new("gusto's"))));
    assert_eq!(parameters.get(Source::HiBob, Purpose::Secret, at(0)).await, Ok(Some(Value::new("hibob's"))));
    assert_eq!(parameters.get(Source::Gusto, Purpose::Token, at(0)).await, Ok(Some(Value::new("a token"))));
    assert_eq!(get(&parameters, 1).await, Ok(Some(Value::new("gusto's"))));
}

#[tokio::test]
async fn what_is_not_there_is_none_and_is_looked_for_again() {
    let (parameters, store) = parameters(&[error("ParameterNotFound"), value(ONE)]);
    assert_eq!(get(&parameters, 0).await, Ok(None));
    assert_eq!(get(&parameters, 299).await, Ok(None));
    assert_eq!(store.asked.lock().unwrap().len(), 1);
    assert_eq!(anew(&parameters, 299).await, Ok(Some(Value::new(ONE))));
}

#[tokio::test]
async fn no_answer_is_a_failure_that_may_pass_and_is_not_kept() {
    let table = [
        ((500, String::new()), Cause::Unanswered),
        (error("ThrottlingException"), Cause::Throttled),
        (error("AccessDeniedException"), Cause::Unanswered),
        (error("InvalidKeyId"), Cause::Unanswered),
    ];
    for (answer, cause) in table {
        let (parameters, _) = parameters(&[answer.clone(), value(ONE)]);
        assert_eq!(get(&parameters, 0).await, Err(Failure::retryable(cause)), "{answer:?}");
        assert_eq!(get(&parameters, 0).await, Ok(Some(Value::new(ONE))), "{answer:?}");
    }
}

/// Whether a value lets in what this secret signed.
fn lets_in(value: &Value, secret: &str) -> bool {
    let headers = Headers::new([("Authorization", secret)]);
    let received = Received { body: b"{}", headers: &headers, at: at(0) };
    let found = verify(Scheme::Exact, &value.secrets().unwrap(), &received);
    assert!(matches!(found, Ok(Assurance::StaticSecret) | Err(Refused::Wrong)), "{found:?}");
    found.is_ok()
}

#[test]
fn during_rotation_both_secrets_are_valid() {
    let both = json!({ "current": TWO, "previous": ONE }).to_string();
    let table = [
        (ONE.to_owned(), [true, false]),
        (both, [true, true]),
        (json!({ "current": TWO }).to_string(), [false, true]),
        (json!({ "current": TWO, "previous": null }).to_string(), [false, true]),
    ];
    for (text, expected) in table {
        let value = Value::new(&text);
        assert_eq!([lets_in(&value, ONE), lets_in(&value, TWO)], expected, "{text}");
        assert!(!lets_in(&value, &format!("{ONE}{TWO}")), "{text}");
    }
}

#[test]
fn what_is_no_secret_is_none() {
    let table = [
        String::new(),
        "short".to_owned(),
        format!("{ONE}\n"),
        "{}".to_owned(),
        json!({ "previous": ONE }).to_string(),
        json!({ "current": ONE, "previous": "short" }).to_string(),
        json!({ "current": ONE, "next": TWO }).to_string(),
        format!("{{\"current\":\"{ONE}\""),
    ];
    for text in table {
        assert_eq!(Value::new(&text).secrets().err(), Some(NoSecret), "{text}");
    }
}

#[tokio::test]
async fn a_value_does_not_show() {
    let (parameters, _) = parameters(&[value(ONE)]);
    let value = get(&parameters, 0).await.unwrap().unwrap();
    for shown in [format!("{value:?}"), format!("{parameters:?}"), format!("{:?}", value.secrets())] {
        assert!(!shown.contains(ONE), "{shown}");
    }
    assert_eq!(value.expose(), ONE);
}
