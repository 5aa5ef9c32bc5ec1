//! A receipt: a request that was let in, as it is kept until it expires, for work and for replay.

use super::{Headers, Received, Source};
use crate::event::wire::Assurance;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use std::fmt;

/// The headers that an adapter reads. No other is kept: some hold secrets.
pub const KEPT: [&str; 4] = ["finch-event-id", "finch-timestamp", "greenhouse-event-id", "x-bamboohr-timestamp"];

/// Where receipts are kept in the bucket.
pub const PREFIX: &str = "receipts/";

/// A request that was let in. It holds personal data: it is kept encrypted, and expires.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Receipt {
    /// Who sent it.
    pub source: Source,
    /// When it came.
    pub at: Timestamp,
    /// How far its sender is known.
    pub assurance: Assurance,
    /// SCIM alone: the user of the address, which the body does not name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user: Option<String>,
    /// The headers that an adapter reads.
    #[serde(default)]
    pub headers: Vec<(String, String)>,
    /// The raw body, in base64.
    body: String,
}

impl fmt::Debug for Receipt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Receipt").field("source", &self.source).field("at", &self.at).finish_non_exhaustive()
    }
}

/// A receipt is none that was written here.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the receipt is none that hr-receive wrote")]
pub struct Unreadable;

impl Receipt {
    /// A receipt of a request.
    #[must_use]
    pub fn new(source: Source, assurance: Assurance, user: Option<String>, received: &Received<'_>) -> Receipt {
        let kept = KEPT.iter().filter_map(|name| Some(((*name).to_owned(), received.headers.get(name)?.to_owned())));
        let body = STANDARD.encode(received.body);
        Receipt { source, at: received.at, assurance, user, headers: kept.collect(), body }
    }

    /// Where it is kept: `receipts/<source>/<day>/<id>.json`. `id` must be new for each, or of the bytes alone.
    #[must_use]
    pub fn key(&self, id: &str) -> String {
        format!("{PREFIX}{}/{}/{id}.json", self.source.as_str(), self.at.strftime("%Y-%m-%d"))
    }

    /// Reads one that was kept.
    ///
    /// # Errors
    /// [`Unreadable`].
    pub fn parse(bytes: &[u8]) -> Result<Receipt, Unreadable> {
        serde_json::from_slice(bytes).map_err(|_| Unreadable)
    }

    /// The raw body and the headers, as they came.
    ///
    /// # Errors
    /// [`Unreadable`].
    pub fn request(&self) -> Result<(Vec<u8>, Headers), Unreadable> {
        let body = STANDARD.decode(&self.body).map_err(|_| Unreadable)?;
        Ok((body, Headers::new(self.headers.iter().map(|(name, value)| (name, value.clone())))))
    }
}

/// What the intake queue says of a receipt: where it is, and nothing of what is in it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Message {
    /// Its key in the bucket.
    pub receipt: String,
}

impl Message {
    /// The body of the message.
    #[must_use]
    pub fn body(&self) -> String {
        serde_json::json!({ "receipt": self.receipt }).to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_read_as_it_was_written_and_keeps_no_other_header() {
        let headers = Headers::new([("Authorization", "Bearer a-secret-of-somebody"), ("Finch-Event-Id", "e-1")]);
        let at = "2026-11-27T10:00:00Z".parse().unwrap();
        let received = Received { body: b"\xff{}", headers: &headers, at };
        let receipt = Receipt::new(Source::Finch, Assurance::HmacBodyTimestamp, None, &received);
        let text = serde_json::to_string(&receipt).unwrap();
        assert!(!text.contains("a-secret"), "{text}");
        let read = Receipt::parse(text.as_bytes()).unwrap();
        let (body, headers) = read.request().unwrap();
        assert_eq!((body.as_slice(), headers.get("finch-event-id")), (&b"\xff{}"[..], Some("e-1")));
        assert_eq!(read.key("0af3"), "receipts/finch/2026-11-27/0af3.json");
        assert_eq!(Receipt::parse(b"{}"), Err(Unreadable));
        let message = Message { receipt: read.key("0af3") };
        assert_eq!(serde_json::from_str::<Message>(&message.body()).unwrap(), message);
    }
}
