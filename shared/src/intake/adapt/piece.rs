//! One element of a request: a piece of its raw bytes that says one thing.

use crate::event::wire::{Detail, Kind, Missing, OccurredAtSource, Phase, Provider, SchemaVersion, Subject};
use crate::intake::{Adapted, Received, Source};
use crate::person::{SubjectId, WorkEmail, WorkerId};
use crate::seal::hex;
use jiff::Timestamp;
use ring::digest;

/// How many elements of one request are read. More are parked together: each would become an event of its own.
pub(super) const PIECES: usize = 1000;

/// How much of a sender's own name for something is kept, in characters.
const NAME_LIMIT: usize = 256;

/// A piece of a request.
#[derive(Clone, Copy)]
pub(super) struct Piece<'a> {
    /// Who sent it.
    pub(super) source: Source,
    /// Its raw bytes.
    pub(super) raw: &'a [u8],
    /// When the request came.
    pub(super) at: Timestamp,
}

impl<'a> Piece<'a> {
    /// The whole body as one element.
    pub(super) fn whole(source: Source, received: Received<'a>) -> Piece<'a> {
        Piece { source, raw: received.body, at: received.at }
    }

    /// An id for a sender that has none: 32 hexadecimal digits of SHA-256 over the source and the parts. The same
    /// parts are the same event.
    pub(super) fn id(&self, parts: &[&[u8]]) -> String {
        let mut context = digest::Context::new(&digest::SHA256);
        for part in [self.source.as_str().as_bytes()].iter().chain(parts) {
            // Length first, so that two lists of parts never run together.
            context.update(&(part.len() as u64).to_be_bytes());
            context.update(part);
        }
        hex(&context.finish().as_ref()[..16])
    }

    /// An event of which nothing is known but where it came from and when. Its id is of its raw bytes, its time that
    /// of receipt. `event_type` is the sender's name for it.
    pub(super) fn event(&self, kind: Kind, phase: Phase, event_type: &str) -> Box<Detail> {
        Box::new(Detail {
            schema_version: SchemaVersion::V1,
            event_id: self.id(&[self.raw]),
            kind,
            phase,
            occurred_at: self.at.to_string(),
            occurred_at_source: Some(OccurredAtSource::Received),
            received_at: Some(self.at.to_string()),
            provider: Some(Provider {
                name: self.source.as_str().to_owned(),
                tenant: None,
                event_type: name(event_type),
                event_id: None,
                revision: None,
            }),
            subject: nobody(),
            effective: None,
            status: None,
            reason: None,
            changes: Vec::new(),
            credential: None,
            missing: [].into(),
            assurance: None,
            raw_sha256: Some(hex(digest::digest(&digest::SHA256, self.raw).as_ref())),
            fact_id: None,
            evidence: None,
        })
    }

    /// An element that nobody can read.
    pub(super) fn unclassified(&self, event_type: &str, reason: &'static str) -> Adapted {
        park(self.event(Kind::Unclassified, Phase::Unknown, event_type), reason)
    }
}

/// Parks an event that says too little to act on. What is known of it stays in it.
pub(super) fn park(mut event: Box<Detail>, reason: &'static str) -> Adapted {
    event.kind = Kind::Unclassified;
    event.phase = Phase::Unknown;
    let missing = missing(&event.subject);
    event.missing.extend(missing);
    let Subject { worker_id, provider_subject_id, email, .. } = &event.subject;
    if worker_id.is_none() && provider_subject_id.is_none() && email.is_none() {
        // An event is about somebody, even where nobody can say whom.
        event.subject.provider_subject_id = Some(event.event_id.clone());
    }
    Adapted::Unclassified { reason, event }
}

/// An event about whoever its subject names; parked where that is nobody. What the subject lacks is named in `missing`.
pub(super) fn about(mut event: Box<Detail>) -> Adapted {
    let Subject { worker_id, provider_subject_id, email, .. } = &event.subject;
    if worker_id.is_none() && provider_subject_id.is_none() && email.is_none() {
        return park(event, "it names nobody");
    }
    let missing = missing(&event.subject);
    event.missing.extend(missing);
    Adapted::Event(event)
}

fn missing(subject: &Subject) -> impl Iterator<Item = Missing> + use<> {
    let email = subject.email.is_none().then_some(Missing::Email);
    email.into_iter().chain(subject.worker_id.is_none().then_some(Missing::WorkerId))
}

/// A sender's own name for something, as it may stand in an event.
pub(super) fn name(text: &str) -> String {
    text.chars().filter(|c| !c.is_control()).take(NAME_LIMIT).collect()
}

/// A subject that names nobody yet.
pub(super) fn nobody() -> Subject {
    Subject {
        worker_id: None,
        provider_subject_id: None,
        email: None,
        email_kind: None,
        previous_email: None,
        display_name: None,
    }
}

/// An employee number, where the text can be one.
pub(super) fn worker_id(text: &str) -> Option<String> {
    WorkerId::parse(text).ok().map(|_| text.to_owned())
}

/// A provider's id of a person, where the text can be one.
pub(super) fn subject_id(text: &str) -> Option<String> {
    SubjectId::parse(text).ok().map(|_| text.to_owned())
}

/// An address, where the text is one.
pub(super) fn email(text: &str) -> Option<String> {
    WorkEmail::parse(text).ok().map(|_| text.to_owned())
}
