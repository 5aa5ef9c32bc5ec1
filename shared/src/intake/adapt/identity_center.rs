//! AWS IAM Identity Center, as `CloudTrail` tells of it on the default bus.
//!
//! What is called on a user's login is told, by the user's id; names and addresses are hidden. Three services tell:
//! `sso-directory`, `identitystore` and `identitystore-scim`. A call that failed carries an `errorCode`. It is the user
//! of the request who counts, never `userIdentity`, who is the administrator or the provisioning system.
//!
//! `DisableUser`, `EnableUser` and `DeleteUser` name the user in `requestParameters.userId`. AWS's guide lists the
//! names (<https://docs.aws.amazon.com/singlesignon/latest/userguide/sso-info-in-cloudtrail.html>), and no more; the
//! members of the first two are those of events in a public repository (`jSherz/automate-aws-access-removal`).
//!
//! SCIM's calls carry the answer, as AWS's guide shows it for `CreateUser`
//! (<https://docs.aws.amazon.com/singlesignon/latest/userguide/scim-logging-using-cloudtrail.html>): `id`, and `active`
//! in the clear. The values of a `PatchUser` are hidden and its paths are not, so that only an answer says what became of
//! `active`, and a patch of something else says nothing of the login. Beyond the guide: that `PatchUser` and `PutUser`
//! have such an answer too, and that `DeleteUser` names its user in `requestParameters.id`, as `PatchUser` does. Where
//! that is otherwise, the event is parked.
//!
//! Left out: the directory's own notifications (`User Updated` and others, without `CloudTrail`), because the members
//! of their `detail` were not to be found. They are parked.

use super::draft::{Draft, batch};
use super::element::Element;
use super::{Adapted, Received, Source, timestamps};
use crate::event::LoginStatus;
use crate::event::wire::ChangedField;
use serde_json::Value;

/// The service that takes SCIM requests.
const SCIM: &str = "identitystore-scim.amazonaws.com";

pub(super) fn adapt(received: Received<'_>) -> Vec<Adapted> {
    batch(Source::IdentityCenter, received, |whole| Some(vec![whole.off_the_bus().unwrap_or(whole)]), one)
}

fn one(draft: Draft<'_>, event: &Element<'_>) -> Adapted {
    let Some(name) = event.text("eventName") else {
        return draft.unclassified("it is no API call that CloudTrail tells of");
    };
    let draft = draft
        .named(Some(name))
        .tenant(event.id("recipientAccountId"))
        .id(event.id("eventID"))
        .occurred(event.text("eventTime").and_then(timestamps::text));
    let scim = match event.text("eventSource") {
        Some(SCIM) => true,
        Some("sso-directory.amazonaws.com" | "identitystore.amazonaws.com") => false,
        Some(_) | None => return draft.unclassified("detail.eventSource is no directory of IAM Identity Center"),
    };
    if event.text("errorCode").is_some() {
        return Adapted::Nothing("a call that failed");
    }
    if event.at("readOnly").and_then(Value::as_bool) == Some(true) {
        return Adapted::Nothing("a call that only reads");
    }
    if scim { provisioned(draft, event, name) } else { called(draft, event, name) }
}

/// A call of the console or of the API.
fn called(draft: Draft<'_>, event: &Element<'_>, name: &str) -> Adapted {
    let draft = draft.provider_subject(event.id("requestParameters.userId"));
    match name {
        "DisableUser" => draft.login(LoginStatus::Deactivated),
        "EnableUser" => draft.login(LoginStatus::Active),
        "DeleteUser" => draft.login(LoginStatus::Deleted),
        "CreateUser" => Adapted::Nothing("a login was created, and nothing says whether it is active"),
        "UpdateUser" => draft.changed([ChangedField::Other]).notice(),
        other => others(draft, other),
    }
}

/// A call of SCIM: the identity provider's.
fn provisioned(draft: Draft<'_>, event: &Element<'_>, name: &str) -> Adapted {
    let user = event.id("responseElements.id").or_else(|| event.id("requestParameters.id"));
    let draft = draft.provider_subject(user);
    let active = event.at("responseElements.active").and_then(Value::as_bool);
    if name == "PatchUser" && is_of_something_else(event) {
        return draft.changed([ChangedField::Other]).notice();
    }
    match (name, active) {
        ("CreateUser" | "PatchUser" | "PutUser", Some(true)) => draft.login(LoginStatus::Active),
        ("CreateUser" | "PatchUser" | "PutUser", Some(false)) => draft.login(LoginStatus::Deactivated),
        ("CreateUser", None) => Adapted::Nothing("a login was created, and nothing says whether it is active"),
        ("PatchUser" | "PutUser", None) => draft.unclassified("its values are hidden, and no answer says what it did"),
        ("DeleteUser", _) => draft.login(LoginStatus::Deleted),
        (other, _) => others(draft, other),
    }
}

/// Whether a patch names what it changes, and `active` is not among it.
fn is_of_something_else(event: &Element<'_>) -> bool {
    let operations = event.list("requestParameters.httpBody.operations");
    let other = |operation: &Value| {
        let path = operation.get("path").and_then(Value::as_str);
        path.and_then(|path| path.rsplit(':').next()).is_some_and(|name| !name.eq_ignore_ascii_case("active"))
    };
    !operations.is_empty() && operations.iter().all(other)
}

/// A call on a user (not on what a user has, as `DeleteMfaDeviceForUser`) that nobody knows may be about a login.
fn others(draft: Draft<'_>, name: &str) -> Adapted {
    if name.ends_with("User") && !name.ends_with("ForUser") {
        return draft.unclassified("a call on a user that is not in the table");
    }
    Adapted::Nothing("a call about nobody's login")
}

#[cfg(test)]
pub(super) const CASES: &[super::tests::Case] = &[
    case!("identitycenter/account_status.disabled", "account_status/effective=deactivated | id | - | email worker"),
    case!("identitycenter/account_status.enabled", "account_status/effective=active | id | - | email worker"),
    case!("identitycenter/account_status.deleted", "account_status/effective=deleted | id | - | email worker"),
    case!("identitycenter/scim.created", "account_status/effective=active | id | - | email worker"),
    case!("identitycenter/scim.patched", "account_status/effective=deactivated | id | - | email worker"),
    case!("identitycenter/scim.deleted", "account_status/effective=deleted | id | - | email worker"),
    case!("identitycenter/scim.other", "unclassified/unknown | id | - | email worker date zone kind phase values"),
    case!("identitycenter/scim.hidden", "parked unclassified/unknown | id | - | email worker date zone kind phase"),
    case!("identitycenter/updated", "unclassified/unknown | id | - | email worker date zone kind phase values"),
    case!("identitycenter/unclassified", "parked unclassified/unknown | id | - | email worker date zone kind phase"),
    case!(
        "identitycenter/notification",
        "parked unclassified/unknown | id | - | email worker date zone kind phase time"
    ),
    case!("identitycenter/elsewhere", "parked unclassified/unknown | id | - | email worker date zone kind phase"),
    case!("identitycenter/created", "nothing"),
    case!("identitycenter/reads", "nothing"),
    case!("identitycenter/failed", "nothing"),
    case!("identitycenter/group", "nothing"),
    case!("identitycenter/device", "nothing"),
];

#[cfg(test)]
mod tests {
    use super::super::laws::parked;
    use super::*;

    #[test]
    fn what_is_parked_says_why() {
        let table = [
            (
                include_str!("../../../../events/sources/identitycenter/scim.hidden.json"),
                "its values are hidden, and no answer says what it did",
            ),
            (
                include_str!("../../../../events/sources/identitycenter/unclassified.json"),
                "a call on a user that is not in the table",
            ),
            (
                include_str!("../../../../events/sources/identitycenter/elsewhere.json"),
                "detail.eventSource is no directory of IAM Identity Center",
            ),
            (
                include_str!("../../../../events/sources/identitycenter/notification.json"),
                "it is no API call that CloudTrail tells of",
            ),
            ("[]", "it is no API call that CloudTrail tells of"),
        ];
        for (body, reason) in table {
            assert_eq!(parked(adapt, body.as_bytes()).0, reason);
        }
    }
}
