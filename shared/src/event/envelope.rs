//! From a message body to the `detail`: EventBridge envelopes, bare details and SNS notifications.

use super::{Refusal, RefusalCode};
use serde::Deserialize;
use serde_json::value::RawValue;
use std::borrow::Cow;

/// The `source` of every Rollcall event on the bus.
pub const SOURCE: &str = "rollcall.hr";

/// The largest body that is read at all, in bytes. EventBridge carries 256 KB, SNS escapes quotes: twice that is ample.
const BODY_LIMIT: usize = 512 * 1024;

/// The largest `detail`, in bytes.
const DETAIL_LIMIT: usize = 64 * 1024;

/// What is left when the wrapping is off.
pub(super) struct Opened<'a> {
    /// The `detail-type` of the envelope; `None` for a bare detail.
    pub(super) detail_type: Option<String>,
    /// The `detail`, still JSON.
    pub(super) detail: Cow<'a, str>,
}

/// The members of the three wrappings that Rollcall looks at. All others are the bus's own business.
#[derive(Deserialize)]
struct Wrapping<'a> {
    #[serde(rename = "detail-type", borrow)]
    detail_type: Option<&'a RawValue>,
    #[serde(borrow)]
    source: Option<&'a RawValue>,
    #[serde(borrow)]
    detail: Option<&'a RawValue>,
    #[serde(rename = "Type", borrow)]
    sns_type: Option<&'a RawValue>,
    #[serde(rename = "Message", borrow)]
    sns_message: Option<&'a RawValue>,
    #[serde(rename = "schemaVersion", borrow)]
    schema_version: Option<&'a RawValue>,
}

/// Takes the wrapping off a message body.
///
/// # Errors
/// A [`Refusal`] that names the member of the wrapping that is wrong.
pub(super) fn open(body: &str) -> Result<Opened<'_>, Refusal> {
    if body.len() > BODY_LIMIT {
        return Err(Refusal::new(
            RefusalCode::TooLarge,
            "body",
            format!("is {} bytes; at most {BODY_LIMIT} are read", body.len()),
        ));
    }
    let wrapping = wrapping(body)?;
    if wrapping.sns_type.and_then(text).as_deref() == Some("Notification") {
        let message = wrapping.sns_message.and_then(text).ok_or_else(|| {
            Refusal::new(RefusalCode::WrongEnvelope, "Message", "must be a string in an SNS notification")
        })?;
        let inner = open_bus(&message)?;
        return Ok(Opened { detail_type: inner.detail_type, detail: Cow::Owned(inner.detail.into_owned()) });
    }
    open_bus(body)
}

fn open_bus(body: &str) -> Result<Opened<'_>, Refusal> {
    let wrapping = wrapping(body)?;
    let opened = match (wrapping.detail_type, wrapping.detail) {
        (Some(detail_type), Some(detail)) => {
            let source = wrapping.source.and_then(text);
            if source.as_deref() != Some(SOURCE) {
                return Err(Refusal::new(RefusalCode::WrongEnvelope, "source", format!("must be \"{SOURCE}\"")));
            }
            let detail_type = text(detail_type)
                .ok_or_else(|| Refusal::new(RefusalCode::WrongEnvelope, "detail-type", "must be a string"))?;
            Opened { detail_type: Some(detail_type), detail: Cow::Borrowed(detail.get()) }
        }
        (None, None) if wrapping.schema_version.is_some() => Opened { detail_type: None, detail: Cow::Borrowed(body) },
        (Some(_), None) => {
            return Err(Refusal::new(RefusalCode::WrongEnvelope, "detail", "is missing from the EventBridge envelope"));
        }
        (None, Some(_)) => {
            return Err(Refusal::new(
                RefusalCode::WrongEnvelope,
                "detail-type",
                "is missing from the EventBridge envelope",
            ));
        }
        (None, None) => {
            return Err(Refusal::new(
                RefusalCode::WrongEnvelope,
                "body",
                "is neither an EventBridge envelope (detail-type, source, detail), nor a detail (schemaVersion), nor an SNS notification",
            ));
        }
    };
    if opened.detail.len() > DETAIL_LIMIT {
        return Err(Refusal::new(
            RefusalCode::TooLarge,
            "detail",
            format!("is {} bytes; at most {DETAIL_LIMIT} are allowed", opened.detail.len()),
        ));
    }
    Ok(opened)
}

fn wrapping(body: &str) -> Result<Wrapping<'_>, Refusal> {
    if body.trim_start().starts_with('[') {
        return Err(Refusal::new(RefusalCode::WrongEnvelope, "body", "must be a JSON object, not a list"));
    }
    serde_json::from_str(body).map_err(|error| match error.classify() {
        serde_json::error::Category::Data if body.trim_start().starts_with('{') => {
            Refusal::new(RefusalCode::WrongEnvelope, "body", "names a member of its envelope twice")
        }
        serde_json::error::Category::Data => Refusal::new(RefusalCode::WrongEnvelope, "body", "must be a JSON object"),
        serde_json::error::Category::Io | serde_json::error::Category::Syntax | serde_json::error::Category::Eof => {
            Refusal::new(
                RefusalCode::NotJson,
                "body",
                format!("is not JSON (line {}, column {})", error.line(), error.column()),
            )
        }
    })
}

fn text(raw: &RawValue) -> Option<String> {
    serde_json::from_str(raw.get()).ok()
}
