//! Which address takes what, handshakes, sizes, and what nobody can verify.

use crate::senders::senders;
use crate::stage::{NOW, Stage, event};
use lambda_runtime::{Context, LambdaEvent};
use rollcall::intake::Source;
use rollcall::intake::receive::LIMIT;
use rollcall::intake::receive::serve::serve;
use rollcall::intake::verify::Scheme;
use rollcall::telemetry::Invoked;
use serde_json::{Value, json};

fn bare(method: &str, path: &str) -> Value {
    event(method, path, &[], b"{}")
}

#[tokio::test]
async fn an_address_of_no_source_is_unknown() {
    let stage = Stage::new();
    let paths = [
        "/",
        "/workday",
        "/GUSTO",
        "/gusto/more",
        "/health",
        "/onelogin",
        "/scim",
        "/scim/Users",
        "/scim/Users/1/2",
        "/scim/Groups/1",
        "/gusto%2f",
    ];
    for path in paths {
        for method in ["GET", "POST", "PUT", "PATCH", "DELETE"] {
            assert_eq!(stage.outcome(bare(method, path)).await, (404, "SenderUnknown", 0, 0), "{method} {path}");
        }
    }
    let long = format!("/scim/Users/{}", "x".repeat(257));
    assert_eq!(stage.outcome(bare("PATCH", &long)).await.0, 404);
    assert_eq!(stage.look_ups(), 0);
}

/// Nobody's text becomes a dimension.
#[tokio::test]
async fn a_metric_names_a_source_or_none() {
    let stage = Stage::new();
    let now = jiff::Timestamp::from_second(NOW).unwrap();
    let invoked = Invoked { function: "acme-hr-receive", request_id: "r-1" };
    let unknown = stage.take(bare("POST", "/secret.person@acme.example")).await.metrics(invoked, now);
    assert_eq!((&unknown["source"], &unknown["SenderUnknown"]), (&json!("unknown"), &json!(1)), "{unknown}");
    let gusto = stage.take(bare("POST", "/gusto")).await.metrics(invoked, now);
    assert_eq!((&gusto["source"], &gusto["function"]), (&json!("gusto"), &json!("acme-hr-receive")));
    let metrics = &gusto["_aws"]["CloudWatchMetrics"][0];
    assert_eq!(metrics["Dimensions"], json!([["function", "source"], ["function"]]));
    assert_eq!(metrics["Metrics"], json!([{ "Name": "SignatureRefused", "Unit": "Count" }]));
    assert_eq!((&gusto["SignatureRefused"], &metrics["Namespace"]), (&json!(1), &json!("Rollcall")));
}

#[tokio::test]
async fn another_method_is_told_which_ones_there_are() {
    for sender in senders() {
        let stage = Stage::new();
        stage.secret(sender.source, sender.secret);
        let others = if sender.source == "scim" { ["GET", "POST", "DELETE"] } else { ["GET", "PUT", "DELETE"] };
        for method in others {
            let mut event = sender.good();
            event["requestContext"]["http"]["method"] = json!(method);
            let told = stage.take(event).await;
            assert_eq!((told.response().status_code, told.count()), (405, "SenderUnknown"), "{method} {}", sender.path);
            let allowed = if sender.source == "scim" { "PATCH, PUT" } else { "POST" };
            assert_eq!(told.response().headers["allow"], allowed);
        }
        assert!(stage.receipts().is_empty() && stage.messages().is_empty());
    }
}

#[tokio::test]
async fn handshakes_are_answered_before_any_look_up_and_kept_by_nobody() {
    let challenge = [("x-okta-verification-challenge".to_owned(), "a-challenge".to_owned())];
    let table = [
        (event("GET", "/okta", &challenge, b""), json!({ "verification": "a-challenge" })),
        (event("POST", "/hibob", &[], include_bytes!("../../../events/sources/hibob/ping.json")), json!({})),
        (event("POST", "/hibob", &[], include_bytes!("../../../events/sources/hibob/ping.object.json")), json!({})),
        (event("POST", "/greenhouse", &[], include_bytes!("../../../events/sources/greenhouse/ping.json")), json!({})),
    ];
    for (event, expected) in table {
        let stage = Stage::new();
        let told = stage.take(event).await;
        let response = told.response();
        assert_eq!((response.status_code, told.count()), (200, "Handshake"));
        assert_eq!(serde_json::from_str::<Value>(&response.body).unwrap(), expected);
        assert_eq!(response.headers["content-type"], "application/json");
        assert!(stage.receipts().is_empty() && stage.messages().is_empty() && stage.look_ups() == 0);
    }
    // Somebody else's handshake is none.
    let stage = Stage::new();
    assert_eq!(stage.outcome(event("GET", "/hibob", &challenge, b"")).await.0, 405);
    assert_eq!(stage.outcome(event("GET", "/okta", &[], b"")).await.0, 405);
}

#[tokio::test]
async fn a_megabyte_is_taken_and_a_byte_more_is_not() {
    for sender in senders() {
        for (size, expected) in [(LIMIT, (sender.thanks, "Received", 1, 1)), (LIMIT + 1, (413, "TooLarge", 0, 0))] {
            let stage = Stage::new();
            stage.secret(sender.source, sender.secret);
            let body: &'static str = Box::leak("x".repeat(size).into_boxed_str());
            let large = crate::senders::Sender { body, ..sender };
            assert_eq!(stage.outcome(large.good()).await, expected, "{} {size}", sender.source);
            assert_eq!(stage.look_ups(), usize::from(size == LIMIT), "{} {size}", sender.source);
        }
    }
}

#[tokio::test]
async fn whom_nobody_can_verify_is_let_in_by_the_policy_alone() {
    let unverified: Vec<Source> =
        Source::ALL.into_iter().filter(|source| source.scheme() == Scheme::Unverified).collect();
    assert!(unverified.contains(&Source::Adp) && unverified.contains(&Source::Ukg));
    for source in unverified {
        let path = format!("/{}", source.as_str());
        for policy in [json!({}), json!({ "sources": { "systems": { source.as_str(): { "zone": "Europe/Paris" } } } })]
        {
            let stage = Stage::with_policy(&policy);
            assert_eq!(stage.outcome(bare("POST", &path)).await, (403, "SenderUnknown", 0, 0), "{path}");
        }
        let policy = json!({ "sources": { "systems": { source.as_str(): { "accept_unverified": true } } } });
        let stage = Stage::with_policy(&policy);
        assert_eq!(stage.outcome(bare("POST", &path)).await, (200, "Received", 1, 1), "{path}");
        let (_, receipt) = stage.receipts().pop_first().unwrap();
        assert_eq!(receipt.assurance, rollcall::event::wire::Assurance::None);
        assert_eq!(stage.look_ups(), 0, "{path}: there is no secret to look for");
    }
}

/// To accept whoever cannot be verified never lowers what can be.
#[tokio::test]
async fn accept_unverified_opens_no_other_source() {
    for sender in senders() {
        let policy = json!({ "sources": { "systems": { sender.source: { "accept_unverified": true } } } });
        let stage = Stage::with_policy(&policy);
        stage.secret(sender.source, sender.secret);
        let found = stage.outcome(sender.signed(sender.other, NOW)).await;
        assert_eq!(found, (401, "SignatureRefused", 0, 0), "{}", sender.source);
    }
}

#[tokio::test]
async fn the_answer_is_what_a_functions_url_wants() {
    let gusto = senders().into_iter().find(|sender| sender.source == "gusto").unwrap();
    let stage = Stage::new();
    stage.secret("gusto", gusto.secret);
    let response = serve(&stage.service, LambdaEvent::new(gusto.good(), Context::default())).await.unwrap();
    let expected = json!({ "statusCode": 200, "headers": { "content-type": "application/json" }, "body": "{}" });
    assert_eq!(serde_json::to_value(response).unwrap(), expected);
    assert_eq!((stage.receipts().len(), stage.messages().len()), (1, 1));
    let error =
        serve(&stage.service, LambdaEvent::new(json!({ "Records": [] }), Context::default())).await.unwrap_err();
    assert_eq!(error.to_string(), "the event is no request to the function's URL; send one with HTTPS");
}
