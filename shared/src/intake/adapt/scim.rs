//! SCIM 2.0: what an identity provider writes to a user, as far as it switches the login on or off.
//!
//! A PATCH with `Operations`, or a PUT with the whole user (RFC 7644, §3.5). Attribute names are compared without
//! regard to case (RFC 7643, §2.1), and `"False"` counts as `false`, because Entra sends it. A PATCH names its user in
//! the address and not in the body: whoever has the address calls [`adapt_user`]. A request has neither id nor time:
//! its event's id is of its bytes, its user and the time of receipt. Not read: groups and bulk requests.

mod active;
#[cfg(test)]
mod tests;

use super::piece::{Piece, about, email, nobody, park, subject_id, worker_id};
use crate::event::wire::{EmailKind, Kind, LoginStatus, Missing, Phase, Status, Subject};
use crate::intake::{Adapted, Received, Source};
use active::Active;
use serde_json::{Map, Value};

/// What the schema of a whole user is called.
const USER: &str = "urn:ietf:params:scim:schemas:core:2.0:User";

/// What the schema of an employee's further attributes is called.
const ENTERPRISE: &str = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User";

/// Reads one request whose address is not known.
#[must_use]
pub fn adapt(received: Received<'_>) -> Vec<Adapted> {
    adapt_user(received, None)
}

/// Reads one request to `/Users/<id>`. When it is read again, `received.at` must be when it first came: it is part of
/// the event's id.
#[must_use]
pub fn adapt_user(received: Received<'_>, id: Option<&str>) -> Vec<Adapted> {
    vec![request(&Piece::whole(Source::Scim, received), id)]
}

fn request(element: &Piece<'_>, id: Option<&str>) -> Adapted {
    let Ok(body) = serde_json::from_slice::<Map<String, Value>>(element.raw) else {
        return element.unclassified("unreadable", "the body is no SCIM request");
    };
    let mut parts = vec![&body];
    let (method, active) = match member(&body, "operations") {
        Said::Once(Value::Array(operations)) => {
            parts.extend(operations.iter().filter_map(Value::as_object).filter_map(active::object));
            ("PATCH", active::of_operations(operations))
        }
        Said::Once(_) | Said::Twice => return element.unclassified("PATCH", "Operations is not a list"),
        Said::Never => ("PUT", active::of_user(&body)),
    };
    let after = match active {
        Active::On => LoginStatus::Active,
        Active::Off => LoginStatus::Deactivated,
        Active::Unsaid => return Adapted::Nothing("it does not say whether the user is active"),
        Active::Address => {
            return element.unclassified(method, "the address may have changed, and nothing says from what");
        }
        Active::Unreadable(reason) => return element.unclassified(method, reason),
    };
    let mut event = element.event(Kind::AccountStatus, Phase::Effective, method);
    event.event_id = element.id(&[id.unwrap_or_default().as_bytes(), element.raw, element.at.to_string().as_bytes()]);
    event.subject = subject(&parts, id);
    event.status = Some(Status { before: None, after: Some(after) });
    event.missing.insert(Missing::OccurredAt);
    if event.subject.provider_subject_id.is_none() && event.subject.email.is_none() && event.subject.worker_id.is_none()
    {
        return park(event, "a PATCH names its user in the address, which is not known");
    }
    about(event)
}

/// Whom the request is about: the id of its address or body, else the sender's own; the work address, else the login
/// where it is one; the employee number.
fn subject(parts: &[&Map<String, Value>], id: Option<&str>) -> Subject {
    let text = |name: &str| parts.iter().find_map(|part| member(part, name).once()?.as_str());
    let work = parts.iter().find_map(|part| work_address(member(part, "emails").once()?.as_array()?));
    let (address, kind) = match work {
        Some(work) => (Some(work), EmailKind::Work),
        None => (text("userName").and_then(email), EmailKind::Login),
    };
    let number = parts.iter().find_map(|part| {
        let extension = member(part, ENTERPRISE).once()?.as_object()?;
        member(extension, "employeeNumber").once()?.as_str()
    });
    let own = id.or_else(|| text("id")).and_then(subject_id);
    Subject {
        worker_id: number.and_then(worker_id),
        provider_subject_id: own.or_else(|| text("externalId").and_then(subject_id)),
        email_kind: address.is_some().then_some(kind),
        email: address,
        ..nobody()
    }
}

/// The primary work address, else the first that is for work. Others are nobody's at work.
fn work_address(emails: &[Value]) -> Option<String> {
    let work = || {
        emails.iter().filter_map(Value::as_object).filter(|one| {
            let kind = member(one, "type").once().and_then(Value::as_str);
            kind.is_some_and(|kind| kind.eq_ignore_ascii_case("work"))
        })
    };
    let primary = work().find(|one| member(one, "primary").once().is_some_and(|value| value == true));
    email(member(primary.or_else(|| work().next())?, "value").once()?.as_str()?)
}

/// How often an object has a member, without regard to case.
enum Said<'a> {
    Never,
    Once(&'a Value),
    Twice,
}

impl<'a> Said<'a> {
    fn once(self) -> Option<&'a Value> {
        match self {
            Said::Once(value) => Some(value),
            Said::Never | Said::Twice => None,
        }
    }
}

fn member<'a>(object: &'a Map<String, Value>, name: &str) -> Said<'a> {
    let full = |key: &str| {
        let (schema, attribute) = key.rsplit_once(':').unwrap_or_default();
        schema.eq_ignore_ascii_case(USER) && attribute.eq_ignore_ascii_case(name)
    };
    let mut found = object.iter().filter(|(key, _)| key.eq_ignore_ascii_case(name) || full(key));
    match (found.next(), found.next()) {
        (None, _) => Said::Never,
        (Some((_, value)), None) => Said::Once(value),
        (Some(_), Some(_)) => Said::Twice,
    }
}
