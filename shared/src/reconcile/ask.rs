//! The events of the pass: one shape, and ids that say the same thing once.

use super::Grounds;
use crate::bus::Entry;
use crate::event::EventType;
use crate::event::wire::{
    Assurance, Change, ChangedField, Detail, Effective, EmailKind, Kind, Phase, Provider, Reason, SchemaVersion,
    Subject,
};
use crate::intake::Source;
use crate::person::{FactId, Job, Revision, SubjectId, WorkEmail, WorkerId};
use crate::seal::Keys;
use jiff::Timestamp;
use uuid::Uuid;

/// The name of the sender in events of the pass.
pub(super) const PROVIDER: &str = "roster";

/// The name of their kind.
pub(super) const EVENT_TYPE: &str = "reconcile";

/// The name space of their ids.
const IDS: Uuid = Uuid::from_u128(0x6f1d_3c52_8b0e_4a79_9e57_2d84_c1fa_60b3);

/// Whom an event is about, as the roster has them.
#[derive(Clone, Copy, Debug)]
pub(super) struct Whom<'a> {
    pub(super) worker_id: &'a WorkerId,
    pub(super) subjects: &'a [SubjectId],
    pub(super) email: Option<&'a WorkEmail>,
}

impl Whom<'_> {
    fn subject(self) -> Subject {
        // An event has room for one provider's id. Only one that says whose it is, as events do, is certain to be known.
        let qualified = |subject: &&SubjectId| {
            subject.as_ref().split_once(':').is_some_and(|(source, _)| Source::named(source).is_some())
        };
        let email = self.email.map(|email| email.as_ref().to_owned());
        Subject {
            worker_id: Some(self.worker_id.as_ref().to_owned()),
            provider_subject_id: self.subjects.iter().find(qualified).map(|subject| subject.as_ref().to_owned()),
            email_kind: email.as_ref().map(|_| EmailKind::Work),
            email,
            previous_email: None,
            display_name: None,
        }
    }
}

/// What an event of the pass asserts.
pub(super) struct Asserts<'a> {
    pub(super) kind: Kind,
    pub(super) phase: Phase,
    pub(super) fact: &'a FactId,
    pub(super) occurred_at: Timestamp,
    pub(super) revision: Option<&'a Revision>,
    pub(super) effective: Effective,
    pub(super) reason: Option<crate::event::ReasonCategory>,
    pub(super) job: &'a Job,
}

/// The event. `again` tells apart what is asked for another time though it says the same.
pub(super) fn detail(grounds: &Grounds<'_>, whom: Whom<'_>, asserts: Asserts<'_>, again: &str) -> Detail {
    let detail = Detail {
        schema_version: SchemaVersion::V1,
        event_id: String::new(),
        kind: asserts.kind,
        phase: asserts.phase,
        occurred_at: asserts.occurred_at.to_string(),
        occurred_at_source: None,
        received_at: None,
        provider: Some(Provider {
            name: PROVIDER.to_owned(),
            tenant: None,
            event_type: EVENT_TYPE.to_owned(),
            event_id: None,
            revision: asserts.revision.map(|revision| revision.as_str().to_owned()),
        }),
        subject: whom.subject(),
        effective: Some(asserts.effective),
        status: None,
        reason: asserts.reason.map(|category| Reason { code: None, category: Some(category) }),
        changes: changes(asserts.job),
        credential: None,
        missing: [].into(),
        assurance: Some(Assurance::Polled),
        raw_sha256: None,
        fact_id: Some(asserts.fact.as_str().to_owned()),
        evidence: None,
    };
    Detail { event_id: event_id(grounds.keys, &detail, again), ..detail }
}

/// An id that follows from all that the event says: two passes ask once, and one id never has two meanings.
///
/// The hash is keyed, since ids stand in logs, and an address can be guessed.
fn event_id(keys: &Keys, detail: &Detail, again: &str) -> String {
    let meaning = serde_json::to_string(detail).unwrap_or_default();
    Uuid::new_v5(&IDS, keys.hash(&[EVENT_TYPE, again, &meaning]).as_bytes()).to_string()
}

/// What a start tells of the job, so that telling it again loses nothing of it.
fn changes(job: &Job) -> Vec<Change> {
    let members = [
        (ChangedField::JobCode, &job.code),
        (ChangedField::Department, &job.department),
        (ChangedField::Location, &job.location),
        (ChangedField::EmploymentType, &job.employment_type),
    ];
    let change = |(field, value): (ChangedField, &Option<String>)| {
        let after = Some(value.clone()?);
        Some(Change { field, before: None, after, value_known: Some(true) })
    };
    members.into_iter().filter_map(change).collect()
}

/// The event as the bus takes it; `None` where it is no event that exists.
pub(super) fn entry(detail: &Detail) -> Option<Entry> {
    let detail_type = EventType::new(detail.kind, detail.phase)?.detail_type();
    Some(Entry { detail_type, detail: serde_json::to_string(detail).ok()? })
}
