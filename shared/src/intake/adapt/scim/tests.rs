//! The shapes of a request that switches a login off, and of those that do not.

use super::super::laws::{adapted, event, now, parked};
use super::*;
use crate::intake::Headers;
use serde_json::json;

const PATH: &str = include_str!("../../../../../events/sources/scim/patch.path.json");
const OBJECT: &str = include_str!("../../../../../events/sources/scim/patch.object.json");
const TEXT: &str = include_str!("../../../../../events/sources/scim/patch.text.json");
const ON: &str = include_str!("../../../../../events/sources/scim/patch.on.json");
const OTHER: &str = include_str!("../../../../../events/sources/scim/patch.other.json");
const ADDRESS: &str = include_str!("../../../../../events/sources/scim/patch.address.json");
const PUT: &str = include_str!("../../../../../events/sources/scim/put.json");

/// A request to `/Users/u-417`.
fn to_user(received: Received<'_>) -> Vec<Adapted> {
    adapt_user(received, Some("u-417"))
}

/// A PATCH with these operations.
fn patch(operations: &str) -> Vec<u8> {
    format!(r#"{{"Operations":{operations}}}"#).into_bytes()
}

#[test]
fn a_patch_switches_the_user_of_its_address() {
    for (body, after) in [(PATH, "deactivated"), (OBJECT, "deactivated"), (TEXT, "deactivated"), (ON, "active")] {
        let event = event(to_user, body.as_bytes());
        assert_eq!((&event["kind"], &event["status"]["after"]), (&json!("account_status"), &json!(after)));
        assert_eq!(event["subject"]["providerSubjectId"], "u-417");
        assert_eq!(event["occurredAtSource"], "received");
        assert_eq!(event["missing"], json!(["subject.email", "subject.workerId", "occurredAt"]));
    }
}

#[test]
fn a_patch_without_its_address_names_nobody_unless_it_says_so() {
    let (reason, event_of_path) = parked(adapt, PATH.as_bytes());
    assert_eq!(reason, "a PATCH names its user in the address, which is not known");
    assert_eq!(event_of_path["status"]["after"], "deactivated");
    assert_eq!(event(adapt, ON.as_bytes())["subject"]["providerSubjectId"], "acme|417");
}

#[test]
fn a_put_holds_the_whole_user() {
    let event_of_put = event(adapt, PUT.as_bytes());
    assert_eq!(event_of_put["status"]["after"], "deactivated");
    assert_eq!(
        event_of_put["subject"],
        json!({
            "workerId": "000417", "providerSubjectId": "u-417", "email": "lin@acme.example", "emailKind": "work",
            "previousEmail": null, "displayName": null,
        })
    );
    // Without a work address, the login is one where it can be.
    let login = PUT.replace("\"work\"", "\"other\"").replace("\"lin\"", "\"lin@login.example\"");
    let event_of_login = event(adapt, login.as_bytes());
    assert_eq!(event_of_login["subject"]["email"], "lin@login.example");
    assert_eq!(event_of_login["subject"]["emailKind"], "login");
    assert!(matches!(adapted(adapt, PUT.replace("\"active\": false,", "").as_bytes())[..], [Adapted::Nothing(_)]));
}

#[test]
fn every_spelling_of_active_counts() {
    for (operations, after) in [
        (r#"[{"op":"REPLACE","path":"Active","value":"false"}]"#, "deactivated"),
        (r#"[{"op":"add","path":" urn:ietf:params:scim:schemas:core:2.0:User:active","value":true}]"#, "active"),
        (r#"[{"op":"replace","value":{"ACTIVE":"TRUE","title":"x"}}]"#, "active"),
        // The operations are carried out in order.
        (
            r#"[{"op":"replace","path":"active","value":true},{"op":"replace","path":"active","value":false},{"op":"add","path":"title","value":"x"}]"#,
            "deactivated",
        ),
    ] {
        assert_eq!(event(to_user, &patch(operations))["status"]["after"], after, "{operations}");
    }
}

#[test]
fn what_cannot_be_read_is_parked() {
    for (operations, wanted) in [
        (r#"[{"op":"remove","path":"active"}]"#, "active is neither added nor replaced"),
        (r#"[{"op":"remove","path":"active","value":true}]"#, "active is neither added nor replaced"),
        (r#"[{"op":"replace","path":"active","value":0}]"#, "active is neither true nor false"),
        (r#"[{"op":"replace","value":{"active":true,"Active":false}}]"#, "active is there twice"),
        (r#"[{"op":"replace","path":"active","value":false},7]"#, "an operation is not an object"),
        (r#"[{"path":"active","value":false}]"#, "an operation has no op"),
        (r#"[{"op":"replace","path":7,"value":false}]"#, "the path of an operation is not a text"),
        (r#"[{"op":"replace","value":false}]"#, "an operation has neither a path nor an object"),
        (r#"[{"method":"PATCH","path":"/Users/1","data":{}}]"#, "an operation has no op"),
        (
            r#"[{"op":"replace","path":"userName","value":"x"}]"#,
            "the address may have changed, and nothing says from what",
        ),
        ("7", "Operations is not a list"),
    ] {
        assert_eq!(parked(to_user, &patch(operations)).0, wanted, "{operations}");
    }
    assert_eq!(parked(to_user, ADDRESS.as_bytes()).0, "the address may have changed, and nothing says from what");
    assert_eq!(parked(to_user, b"[]").0, "the body is no SCIM request");
}

#[test]
fn what_is_about_something_else_is_nothing() {
    for body in [OTHER.as_bytes(), b"{}", &patch("[]"), &patch(r#"[{"op":"add","path":"members","value":[]}]"#)] {
        assert!(matches!(adapted(to_user, body)[..], [Adapted::Nothing(_)]));
    }
}

#[test]
fn the_same_words_about_another_user_or_at_another_time_are_another_event() {
    let headers = Headers::default();
    let id = |user, at| match &adapt_user(Received { body: PATH.as_bytes(), headers: &headers, at }, Some(user))[..] {
        [Adapted::Event(event)] => event.event_id.clone(),
        other => panic!("{other:?}"),
    };
    assert_eq!(id("u-1", now()), id("u-1", now()));
    assert_ne!(id("u-1", now()), id("u-2", now()));
    assert_ne!(id("u-1", now()), id("u-1", now() + jiff::SignedDuration::from_secs(1)));
}
