//! Release: a held or observed event goes down the road again, because an operator says so.
//!
//! The operator's tool sends a message whose body is the event as the ledger keeps it, still sealed, with the token under
//! which it is held and who released it. Only with that token the record opens; it opens once, since the claim writes a
//! new one. The tool needs no key, and what it sends tells nothing about anybody.

use crate::failure::{Refusal, RefusalCode};
use crate::seal::Keys;
use aws_smithy_types::base64;
use serde::{Deserialize, Serialize};

/// The message attribute with the token under which an event is held: only with it the event is opened again.
pub const RELEASED_AS: &str = "ReleasedAs";

/// The message attribute that tells who released an event.
pub const RELEASED_BY: &str = "ReleasedBy";

/// How the body of a released event begins.
const MARK: &str = r#"{"sealedEvent":"#;

/// The body of a released event.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Sealed {
    /// Key of its record.
    sealed_event: String,
    /// What the ledger keeps, in base64.
    sealed: String,
}

/// A release as a message carries it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Release {
    /// The token under which the event is held.
    pub token: String,
    /// Who released it, as the operator's tool says.
    pub by: String,
    /// The principal that sent the message, as SQS says (`SenderId`).
    pub sender: Option<String>,
}

/// The message body that releases an event.
#[must_use]
pub fn body(event_key: &str, sealed: &[u8]) -> String {
    let body = Sealed { sealed_event: event_key.to_owned(), sealed: base64::encode(sealed) };
    serde_json::to_string(&body).unwrap_or_default()
}

/// Opens the body of a released event; `None` for every other body.
///
/// # Errors
/// A [`Refusal`] where it does not open.
#[must_use]
pub fn open(body: &str, keys: &Keys) -> Option<Result<String, Refusal>> {
    if !body.starts_with(MARK) {
        return None;
    }
    let refusal = || {
        let message = "does not open with this person key: release the event again, with the stack's own key";
        Refusal::new(RefusalCode::Unopenable, "sealed", message)
    };
    let opened = || {
        let body: Sealed = serde_json::from_str(body).ok()?;
        keys.open(&base64::decode(&body.sealed).ok()?, &body.sealed_event).ok()
    };
    Some(opened().ok_or_else(refusal))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sealed_event_opens_under_its_own_key_only() {
        let keys = Keys::from_secret(&"k".repeat(32)).unwrap();
        let sealed = keys.seal("{}", "suspend-user#e", [1; 12]).unwrap();
        assert_eq!(open(&body("suspend-user#e", &sealed), &keys), Some(Ok("{}".to_owned())));
        let other = open(&body("suspend-user#f", &sealed), &keys).unwrap().unwrap_err();
        assert_eq!((other.code, other.field.as_ref()), (RefusalCode::Unopenable, "sealed"));
        assert_eq!(open("{}", &keys), None);
    }
}
