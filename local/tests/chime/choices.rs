//! Every choice: what its default does, and what each alternative does. The expected answers are those that the choice
//! itself documents.

use crate::stage::{ask, core, signed_for, told};
use rollcall_local::chime::choices::{ALTERNATIVES, Choices};
use rollcall_local::chime::core::Core;
use rollcall_local::chime::http::{Reply, Request};
use serde_json::{Value, json};
use std::collections::BTreeSet;

/// Asks, and answers status and exception, or what the body has at a pointer.
fn seen(core: &mut Core, method: &str, target: &str, body: &Value, pointer: &str) -> String {
    let response = ask(core, method, target, body);
    match (response.error_type, pointer) {
        (Some(error), _) => format!("{} {error}", response.status),
        (None, "") => response.status.to_string(),
        (None, pointer) => response.body.unwrap().pointer(pointer).map_or("absent".into(), Value::to_string),
    }
}

/// One line a choice: the request, what of the answer is looked at, and what it must be by default and by alternative.
type Line = (&'static str, &'static str, &'static str, &'static str, Value, &'static str, &'static str, &'static str);

#[expect(clippy::too_many_lines, reason = "one line a choice")]
fn table() -> Vec<Line> {
    let (get, post, put) = ("GET", "POST", "PUT");
    let refused = "400 BadRequestException";
    let suspend_lwa = "/accounts/lwa/users?operation=suspend";
    let one = |id: &str| json!({ "UserIdList": [id] });
    let other = json!({ "LicenseType": "Basic", "UserType": "SharedDevice" });
    let delegates = json!({ "SigninDelegateGroups": [{ "GroupName": "a" }] });
    let off = json!({ "AccountSettings": { "EnableDialOut": true } });
    vec![
        (
            "path_labels",
            "decode_first",
            get,
            "/accounts/lwa%2Fusers",
            Value::Null,
            "/Users/0/UserId",
            "404 NotFoundException",
            "\"lwa-u0\"",
        ),
        ("console_prefix", "refused", get, "/console/accounts/lwa", Value::Null, "", "200", refused),
        ("blank_label", "not_found", get, "/accounts/", Value::Null, "", refused, "404 NotFoundException"),
        (
            "unknown_request",
            "not_found",
            post,
            "/accounts/lwa/users?operation=supend",
            Value::Null,
            "",
            refused,
            "404 NotFoundException",
        ),
        (
            "broken_constraint",
            "validation_exception",
            post,
            "/accounts",
            json!({}),
            "",
            refused,
            "400 ValidationException",
        ),
        ("error_header", "omitted", get, "/accounts/none", Value::Null, "", "404 NotFoundException", "404"),
        (
            "sample_members",
            "shown",
            get,
            "/accounts/lwa",
            Value::Null,
            "/Account/BillingType",
            "absent",
            "\"SeatBilling\"",
        ),
        (
            "unknown_account",
            "forbidden",
            get,
            "/accounts/nowhere",
            Value::Null,
            "",
            "404 NotFoundException",
            "403 ForbiddenException",
        ),
        (
            "unknown_id",
            "ignored",
            post,
            suspend_lwa,
            one("nobody"),
            "/UserErrors/0/ErrorCode",
            "\"NotFound\"",
            "absent",
        ),
        (
            "unsupported_licence",
            "accepted",
            post,
            "/accounts/lwa/users/lwa-u0",
            json!({ "LicenseType": "Plus" }),
            "/User/LicenseType",
            refused,
            "\"Plus\"",
        ),
        ("empty_batch", "refused", post, suspend_lwa, json!({ "UserIdList": [] }), "/UserErrors", "[]", refused),
        (
            "repeated_ids",
            "refused",
            post,
            suspend_lwa,
            json!({ "UserIdList": ["lwa-u0", "lwa-u0"] }),
            "/UserErrors",
            "[]",
            refused,
        ),
        (
            "entry_order",
            "by_id",
            post,
            suspend_lwa,
            json!({ "UserIdList": ["z", "a"] }),
            "/UserErrors/0/UserId",
            "\"z\"",
            "\"a\"",
        ),
        ("no_user_errors", "absent", post, suspend_lwa, one("lwa-u0"), "/UserErrors", "[]", "absent"),
        (
            "batch_on_wrong_type",
            "bad_request",
            post,
            "/accounts/oidc/users?operation=suspend",
            one("oidc-u0"),
            "/UserErrors/0/ErrorCode",
            "\"BadRequest\"",
            refused,
        ),
        (
            "unsuspend_unknown",
            "ignored",
            post,
            "/accounts/lwa/users?operation=unsuspend",
            one("none"),
            "/UserErrors/0/ErrorCode",
            "\"NotFound\"",
            "absent",
        ),
        (
            "invite_on_enterprise",
            "forbidden",
            post,
            "/accounts/lwa/users?operation=add",
            json!({ "UserEmailList": [] }),
            "",
            refused,
            "403 ForbiddenException",
        ),
        (
            "invite_registered",
            "refused",
            post,
            "/accounts/team/users?operation=add",
            json!({ "UserEmailList": ["p0@team.example"] }),
            "/Invites/0/EmailStatus",
            "\"NotSent\"",
            refused,
        ),
        (
            "sessions_on_directory",
            "refused",
            post,
            "/accounts/directory/users/directory-u0?operation=logout",
            Value::Null,
            "",
            "204",
            refused,
        ),
        (
            "private_user_on_team",
            "refused",
            post,
            "/accounts/team/users?operation=create",
            json!({}),
            "",
            "201",
            refused,
        ),
        (
            "created_user",
            "unregistered",
            post,
            "/accounts/team/users?operation=create",
            json!({}),
            "/User/UserRegistrationStatus",
            "\"Registered\"",
            "\"Unregistered\"",
        ),
        (
            "licence_on_directory",
            "accepted",
            post,
            "/accounts/oidc/users/oidc-u0",
            json!({ "LicenseType": "Basic" }),
            "/User/LicenseType",
            refused,
            "\"Basic\"",
        ),
        (
            "other_user_members",
            "refused",
            post,
            "/accounts/lwa/users/lwa-u0",
            other,
            "/User/UserType",
            "\"PrivateUser\"",
            refused,
        ),
        (
            "update_user_answer",
            "id_only",
            post,
            "/accounts/lwa/users/lwa-u0",
            json!({}),
            "/User/LicenseType",
            "\"Pro\"",
            "absent",
        ),
        (
            "email_filter",
            "exact",
            get,
            "/accounts/lwa/users?user-email=P0@LWA.example",
            Value::Null,
            "/Users/0/UserId",
            "\"lwa-u0\"",
            "absent",
        ),
        (
            "name_filter",
            "exact",
            get,
            "/accounts?name=acme%20l",
            Value::Null,
            "/Accounts/0/AccountId",
            "\"lwa\"",
            "absent",
        ),
        (
            "both_filters",
            "email_only",
            get,
            "/accounts?name=Other&user-email=p0@lwa.example",
            Value::Null,
            "/Accounts/0/AccountId",
            "absent",
            "\"lwa\"",
        ),
        (
            "accounts_of_nobody",
            "not_found",
            get,
            "/accounts?user-email=no@body.example",
            Value::Null,
            "/Accounts",
            "[]",
            "404 NotFoundException",
        ),
        (
            "list_order",
            "newest_first",
            get,
            "/accounts/lwa/users",
            Value::Null,
            "/Users/0/UserId",
            "\"lwa-u0\"",
            "\"lwa-u2\"",
        ),
        (
            "delete_with_users",
            "accepted",
            "DELETE",
            "/accounts/team",
            Value::Null,
            "",
            "422 UnprocessableEntityException",
            "204",
        ),
        (
            "delete_with_domains",
            "accepted",
            "DELETE",
            "/accounts/lwa",
            Value::Null,
            "",
            "422 UnprocessableEntityException",
            "204",
        ),
        (
            "groups_elsewhere",
            "accepted",
            post,
            "/accounts/lwa?operation=associate-signin-delegate-groups",
            delegates,
            "",
            refused,
            "200",
        ),
        ("absent_settings", "reset", put, "/accounts/lwa/settings", off, "", "204", "204"),
        ("after_end_of_support", "true", get, "/accounts", Value::Null, "", "200", "403 ForbiddenException"),
    ]
}

/// Choices that need more than one request; each has a test below.
const LONGER: [&str; 12] = [
    "scope_region",
    "unsigned",
    "bad_signature",
    "length_header",
    "throttled_entry",
    "team_removal",
    "pin_of_unregistered",
    "token_reuse",
    "token_page_size",
    "deleted_account",
    "repeated_groups",
    "absent_settings",
];

#[test]
fn one_request_shows_default_and_alternative() {
    for (name, word, method, target, body, pointer, by_default, otherwise) in table() {
        let mut service = core(3);
        assert_eq!(seen(&mut service, method, target, &body, pointer), by_default, "{name}, the default");
        let mut service = core(3);
        service.choices_mut().set(name, word).unwrap();
        assert_eq!(seen(&mut service, method, target, &body, pointer), otherwise, "{name}={word}");
    }
}

#[test]
fn every_choice_is_shown_by_a_test() {
    let shown: BTreeSet<&str> = table().iter().map(|line| line.0).chain(LONGER).collect();
    let all: BTreeSet<&str> = ALTERNATIVES.iter().map(|(name, _)| *name).collect();
    assert_eq!(all.difference(&shown).collect::<Vec<_>>(), Vec::<&&str>::new());
    assert!(ALTERNATIVES.iter().all(|(_, words)| words.len() == 2), "one alternative each, or the tables lack some");
}

#[test]
fn an_unknown_choice_changes_nothing() {
    let mut choices = Choices::default();
    assert!(choices.set("colour", "red").is_err());
    assert!(choices.set("team_removal", "red").is_err());
    assert_eq!(choices, Choices::default());
    choices.set("team-removal", "kept-suspended").unwrap();
    choices.set("requests_per_second", "5").unwrap();
    assert_eq!(choices.requests_per_second, Some(5));
    assert_ne!(choices, Choices::default());
}

fn signed(core: &mut Core, authorization: Option<String>, has_length: bool) -> (u16, String) {
    let request = Request {
        method: "POST".into(),
        path: "/accounts/lwa/users/lwa-u0".into(),
        query: "operation=logout".into(),
        authorization,
        has_length,
        body: Vec::new(),
    };
    match core.answer(&request) {
        Reply::Answer(response) => (response.status, response.error_type.unwrap_or("").to_owned()),
        Reply::Late(..) | Reply::Cut => panic!("no fault is armed"),
    }
}

#[test]
fn signatures() {
    let (elsewhere, wrong) = (signed_for("chime", "eu-west-1"), signed_for("s3", "us-east-1"));
    let unauthorized = (401, "UnauthorizedClientException".to_owned());
    let ok = (204, String::new());
    for (name, word, authorization, has_length, by_default, otherwise) in [
        ("scope_region", "us_east1", Some(elsewhere), true, ok.clone(), unauthorized.clone()),
        ("unsigned", "refused", None, true, ok.clone(), unauthorized.clone()),
        ("bad_signature", "forbidden", Some(wrong), true, unauthorized, (403, "ForbiddenException".to_owned())),
        ("length_header", "required", None, false, ok, (411, "LengthRequiredException".to_owned())),
    ] {
        assert_eq!(signed(&mut core(1), authorization.clone(), has_length), by_default, "{name}, the default");
        let mut service = core(1);
        service.choices_mut().set(name, word).unwrap();
        assert_eq!(signed(&mut service, authorization, has_length), otherwise, "{name}={word}");
    }
}

fn both(name: &str, word: &str, play: impl Fn(&mut Core) -> String) -> [String; 2] {
    let mut other = core(3);
    other.choices_mut().set(name, word).unwrap();
    [play(&mut core(3)), play(&mut other)]
}

#[test]
fn what_a_second_request_shows() {
    let user = |core: &mut Core| {
        ask(core, "POST", "/accounts/team/users?operation=suspend", &json!({ "UserIdList": ["team-u0"] }));
        seen(core, "GET", "/accounts/team/users/team-u0", &Value::Null, "/User/UserRegistrationStatus")
    };
    assert_eq!(both("team_removal", "kept_suspended", user), ["404 NotFoundException", "\"Suspended\""]);

    let throttled = |core: &mut Core| {
        let fault = r#"{"operation":"BatchSuspendUser","kind":"throttle_users"}"#;
        core.arm(serde_json::from_str(fault).unwrap());
        let ids = json!({ "UserIdList": ["lwa-u0"] });
        seen(core, "POST", "/accounts/lwa/users?operation=suspend", &ids, "/UserErrors/0/ErrorCode")
    };
    assert_eq!(both("throttled_entry", "throttling", throttled), ["\"Throttled\"", "\"Throttling\""]);

    let pin = |core: &mut Core| {
        ask(core, "POST", "/accounts/team/users?operation=add", &json!({ "UserEmailList": ["n@x.example"] }));
        let id = core.user_id_of("team", "n@x.example").unwrap();
        let target = format!("/accounts/team/users/{id}?operation=reset-personal-pin");
        seen(core, "POST", &target, &Value::Null, "")
    };
    assert_eq!(both("pin_of_unregistered", "refused", pin), ["200", "400 BadRequestException"]);

    let token = |core: &mut Core| {
        let page = ask(core, "GET", "/accounts/lwa/users?max-results=1", &Value::Null).body.unwrap();
        format!("/accounts/lwa/users?next-token={}", page["NextToken"].as_str().unwrap())
    };
    let again = |core: &mut Core| {
        let target = token(core);
        ask(core, "GET", &target, &Value::Null);
        seen(core, "GET", &target, &Value::Null, "")
    };
    assert_eq!(both("token_reuse", "accepted", again), ["400 BadRequestException", "200"]);
    let size = |core: &mut Core| {
        let target = token(core);
        ask(core, "GET", &target, &Value::Null).body.unwrap()["Users"].as_array().unwrap().len().to_string()
    };
    assert_eq!(both("token_page_size", "default", size), ["1", "2"]);

    let deleted = |core: &mut Core| {
        core.claim_domains("lwa", Vec::new()).unwrap();
        assert_eq!(ask(core, "DELETE", "/accounts/lwa", &Value::Null).status, 204);
        seen(core, "GET", "/accounts/lwa", &Value::Null, "/Account/AccountStatus")
    };
    assert_eq!(both("deleted_account", "suspended", deleted), ["404 NotFoundException", "\"Suspended\""]);

    let groups = |core: &mut Core| {
        let leave = "/accounts/directory?operation=disassociate-signin-delegate-groups";
        seen(core, "POST", leave, &json!({ "GroupNames": ["none"] }), "")
    };
    assert_eq!(both("repeated_groups", "refused", groups), ["200", "400 BadRequestException"]);

    let settings = |core: &mut Core| {
        for member in ["DisableRemoteControl", "EnableDialOut"] {
            ask(core, "PUT", "/accounts/lwa/settings", &json!({ "AccountSettings": { member: true } }));
        }
        seen(core, "GET", "/accounts/lwa/settings", &Value::Null, "/AccountSettings/DisableRemoteControl")
    };
    assert_eq!(both("absent_settings", "reset", settings), ["true", "false"]);
}

#[test]
fn the_rate_is_counted_by_the_second() {
    let mut core = core(1);
    core.choices_mut().set("requests_per_second", "2").unwrap();
    let at = |core: &mut Core, second: i64| {
        core.clock_mut().tick(rollcall_local::chime::state::Moment::from_millis(second * 1000));
        told(&ask(core, "GET", "/accounts", &Value::Null)).0
    };
    assert_eq!([1, 1, 1, 2, 2, 2].map(|second| at(&mut core, second)), [200, 200, 429, 200, 200, 429]);
}
