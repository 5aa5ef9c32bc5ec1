//! Intake: from what HR and identity systems send to worker events.
//!
//! 1. [`source`]: who sends, and how that is known for certain, or is not.
//! 2. [`verify`]: the signature over the raw bytes, before anything is read.
//! 3. [`handshake`]: what a sender asks once, before it sends anything.
//! 4. [`adapt`]: one pure module a source, from raw bytes to canonical events. What it cannot tell is named in `missing`.
//! 5. [`complete`]: what the sender did not tell, from the roster, its own API, the ledger and the policy.
//!
//! [`receive`] does the first three for a request, with the secrets of [`parameters`], and leaves a [`receipt`] for the
//! fourth.

pub mod adapt;
pub mod arrival;
pub mod complete;
pub mod due;
pub mod gauges;
pub mod handshake;
pub mod parameters;
pub mod receipt;
pub mod receive;
pub mod serve;
pub mod service;
pub mod silence;
pub mod source;
mod sweep;
pub mod tally;
pub mod verify;
pub mod wake;
pub mod waking;
pub mod work;

pub use source::Source;

use crate::event::wire::Detail;
use jiff::Timestamp;
use std::fmt;

/// The headers of a request, by their names in lower case.
#[derive(Clone, Default)]
pub struct Headers(Vec<(String, String)>);

/// A header may hold a secret.
impl fmt::Debug for Headers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.0.iter().map(|(name, _)| name)).finish()
    }
}

impl Headers {
    /// Takes headers as they came.
    pub fn new<N: AsRef<str>, V: Into<String>>(headers: impl IntoIterator<Item = (N, V)>) -> Headers {
        Headers(headers.into_iter().map(|(name, value)| (name.as_ref().to_lowercase(), value.into())).collect())
    }

    /// The value of a header; `name` in lower case. Of one that came twice, none: nobody can say which counts.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&str> {
        let mut values = self.0.iter().filter(|(known, _)| known == name).map(|(_, value)| value.as_str());
        values.next().filter(|_| values.next().is_none())
    }
}

/// A request of a source, as it came. It holds personal data.
#[derive(Clone, Copy)]
pub struct Received<'a> {
    /// The raw bytes of the body.
    pub body: &'a [u8],
    /// The headers.
    pub headers: &'a Headers,
    /// When it came.
    pub at: Timestamp,
}

impl fmt::Debug for Received<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Received").field("at", &self.at).field("bytes", &self.body.len()).finish_non_exhaustive()
    }
}

/// What an adapter makes of one element of a request.
#[derive(Clone)]
pub enum Adapted {
    /// A worker event. What the sender did not tell is named in `missing`.
    Event(Box<Detail>),
    /// Nobody can say what it means: `worker.unclassified`, parked and counted, with this reason.
    Unclassified {
        /// Why, in our words: it names a member, never a value.
        reason: &'static str,
        /// The event that is parked.
        event: Box<Detail>,
    },
    /// It is about nobody's employment or login: a ping, a test event, a kind that asks for nothing.
    Nothing(&'static str),
}

/// An event is about a person.
impl fmt::Debug for Adapted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Adapted::Event(event) => f.debug_tuple("Event").field(&event.kind).field(&event.phase).finish(),
            Adapted::Unclassified { reason, .. } => f.debug_tuple("Unclassified").field(reason).finish(),
            Adapted::Nothing(reason) => f.debug_tuple("Nothing").field(reason).finish(),
        }
    }
}
