//! Whether a request switches a user on or off.

use super::{Said, USER, member};
use serde_json::{Map, Value};

/// What a request says of `active`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Active {
    /// It is on.
    On,
    /// It is off.
    Off,
    /// Nothing.
    Unsaid,
    /// Nothing, but it changes a login name or an address.
    Address,
    /// Something that nobody can read.
    Unreadable(&'static str),
}

/// What the operations of a PATCH say: they are carried out in order, so that the last word counts.
pub(super) fn of_operations(operations: &[Value]) -> Active {
    operations.iter().fold(Active::Unsaid, |before, operation| {
        let now = operation.as_object().map_or(Active::Unreadable("an operation is not an object"), of_operation);
        match (before, now) {
            (Active::Unreadable(_), _) => before,
            (Active::On | Active::Off, Active::Unsaid | Active::Address) => before,
            (Active::Address, Active::Unsaid) => before,
            (Active::On | Active::Off | Active::Address | Active::Unsaid, _) => now,
        }
    })
}

/// What a whole user says. It always holds the address, which tells nothing of a change.
pub(super) fn of_user(user: &Map<String, Value>) -> Active {
    match of_object(user) {
        Active::Address => Active::Unsaid,
        said @ (Active::On | Active::Off | Active::Unsaid | Active::Unreadable(_)) => said,
    }
}

/// The object of an operation without a path: attributes by their names.
pub(super) fn object(operation: &Map<String, Value>) -> Option<&Map<String, Value>> {
    match member(operation, "path") {
        Said::Never => member(operation, "value").once()?.as_object(),
        Said::Once(_) | Said::Twice => None,
    }
}

fn of_operation(operation: &Map<String, Value>) -> Active {
    let Some(op) = member(operation, "op").once().and_then(Value::as_str) else {
        return Active::Unreadable("an operation has no op");
    };
    let sets = op.eq_ignore_ascii_case("replace") || op.eq_ignore_ascii_case("add");
    let said = match member(operation, "path") {
        Said::Never => match member(operation, "value") {
            Said::Once(Value::Object(attributes)) => of_object(attributes),
            Said::Once(_) | Said::Twice => return Active::Unreadable("an operation has neither a path nor an object"),
            Said::Never => Active::Unsaid,
        },
        Said::Once(Value::String(path)) => of_path(path.trim(), member(operation, "value")),
        Said::Once(_) | Said::Twice => return Active::Unreadable("the path of an operation is not a text"),
    };
    match said {
        Active::Unsaid | Active::Address => said,
        Active::On | Active::Off | Active::Unreadable(_) if sets => said,
        Active::On | Active::Off | Active::Unreadable(_) => Active::Unreadable("active is neither added nor replaced"),
    }
}

fn of_path(path: &str, value: Said<'_>) -> Active {
    let plain = match path.get(..USER.len()) {
        Some(schema) if schema.eq_ignore_ascii_case(USER) => path[USER.len()..].trim_start_matches(':'),
        Some(_) | None => path,
    };
    if plain.eq_ignore_ascii_case("active") {
        return of_value(value);
    }
    let attribute = plain.split(['[', '.']).next().unwrap_or_default();
    if is_address(attribute) { Active::Address } else { Active::Unsaid }
}

fn of_object(attributes: &Map<String, Value>) -> Active {
    match member(attributes, "active") {
        Said::Never if attributes.keys().any(|name| is_address(name)) => Active::Address,
        Said::Never => Active::Unsaid,
        said @ (Said::Once(_) | Said::Twice) => of_value(said),
    }
}

fn of_value(value: Said<'_>) -> Active {
    match value {
        Said::Once(Value::Bool(true)) => Active::On,
        Said::Once(Value::Bool(false)) => Active::Off,
        Said::Once(Value::String(text)) if text.eq_ignore_ascii_case("true") => Active::On,
        Said::Once(Value::String(text)) if text.eq_ignore_ascii_case("false") => Active::Off,
        Said::Once(_) | Said::Never => Active::Unreadable("active is neither true nor false"),
        Said::Twice => Active::Unreadable("active is there twice"),
    }
}

/// Whether an attribute, by its plain name, is or holds an address.
fn is_address(name: &str) -> bool {
    let plain = name.rsplit_once(':').map_or(name, |(_, plain)| plain);
    plain.eq_ignore_ascii_case("userName") || plain.eq_ignore_ascii_case("emails")
}
