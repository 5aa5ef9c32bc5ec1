//! A canonical event in the making. It knows what it lacks, and is never one that the road would refuse.

use super::element::Element;
use super::timestamps::{self, When};
use super::{Adapted, Received, Source};
use crate::event::wire::{
    Basis, Change, ChangedField, Detail, Effective, EffectiveSource, EmailKind, OccurredAtSource, Provider, Reason,
    SchemaVersion, Status, Subject,
};
use crate::event::{EventId, EventType, Kind, LoginStatus, Missing, Phase};
use crate::person::{SubjectId, WorkEmail, WorkerId};
use ring::digest;

/// The longest text that is taken over from a sender, in characters.
const TEXT_LIMIT: usize = 256;

/// What came is no JSON.
const NO_JSON: &str = "the body is no JSON, is nested too deeply, or has more than 30,000 objects and lists";

/// Reads the whole body as one event.
pub(super) fn single(
    source: Source,
    received: Received<'_>,
    read: impl FnOnce(Draft<'_>, &Element<'_>) -> Adapted,
) -> Vec<Adapted> {
    match Element::whole(received.body) {
        Some(element) => vec![read(Draft::of(source, &element, received), &element)],
        None => vec![unreadable(source, received, NO_JSON)],
    }
}

/// Reads each element of a list; `items` finds it in the body. Where there is none, the body is parked whole.
pub(super) fn batch<'a>(
    source: Source,
    received: Received<'a>,
    items: impl FnOnce(Element<'a>) -> Option<Vec<Element<'a>>>,
    read: impl Fn(Draft<'_>, &Element<'_>) -> Adapted,
) -> Vec<Adapted> {
    let Some(whole) = Element::whole(received.body) else {
        return vec![unreadable(source, received, NO_JSON)];
    };
    match items(whole) {
        Some(items) if items.is_empty() => vec![Adapted::Nothing("an empty list")],
        Some(items) => items.iter().map(|item| read(Draft::of(source, item, received), item)).collect(),
        None => vec![unreadable(source, received, "there is no list of events, or too long a one")],
    }
}

fn unreadable(source: Source, received: Received<'_>, reason: &'static str) -> Adapted {
    Draft::of(source, &Element::unreadable(received.body), received).unclassified(reason)
}

/// A canonical event in the making.
pub(super) struct Draft<'a> {
    source: Source,
    raw: &'a [u8],
    detail: Detail,
}

impl<'a> Draft<'a> {
    /// Nothing is known yet, but what came and when.
    pub(super) fn of(source: Source, element: &Element<'a>, received: Received<'_>) -> Draft<'a> {
        let name = source.as_str().to_owned();
        let detail = Detail {
            schema_version: SchemaVersion::V1,
            event_id: String::new(),
            kind: Kind::Unclassified,
            phase: Phase::Unknown,
            occurred_at: received.at.to_string(),
            occurred_at_source: Some(OccurredAtSource::Received),
            received_at: Some(received.at.to_string()),
            provider: Some(Provider { name, tenant: None, event_type: String::new(), event_id: None, revision: None }),
            subject: Subject {
                worker_id: None,
                provider_subject_id: None,
                email: None,
                email_kind: None,
                previous_email: None,
                display_name: None,
            },
            effective: None,
            status: None,
            reason: None,
            changes: Vec::new(),
            credential: None,
            missing: [].into(),
            assurance: None,
            raw_sha256: Some(hex(digest::digest(&digest::SHA256, element.raw).as_ref())),
            fact_id: None,
            evidence: None,
        };
        Draft { source, raw: element.raw, detail }
    }

    /// The vendor's own name for the event.
    pub(super) fn named(mut self, event_type: Option<&str>) -> Draft<'a> {
        if let (Some(provider), Some(event_type)) = (&mut self.detail.provider, event_type) {
            provider.event_type = short(event_type);
        }
        self
    }

    /// The vendor's name for whose event it is.
    pub(super) fn tenant(mut self, tenant: Option<String>) -> Draft<'a> {
        if let Some(provider) = &mut self.detail.provider {
            provider.tenant = tenant.as_deref().map(short);
        }
        self
    }

    /// The vendor's own id of the event.
    pub(super) fn id(mut self, id: Option<String>) -> Draft<'a> {
        if let Some(provider) = &mut self.detail.provider {
            provider.event_id = id;
        }
        self
    }

    /// When the vendor says that it happened. Without it, the time of receipt stands.
    pub(super) fn occurred(mut self, when: Option<When>) -> Draft<'a> {
        if let Some((at, source)) = when {
            self.detail.occurred_at = at.to_string();
            self.detail.occurred_at_source = Some(source);
        }
        self
    }

    /// The vendor's id of the person.
    pub(super) fn provider_subject(mut self, id: Option<String>) -> Draft<'a> {
        self.detail.subject.provider_subject_id = id.filter(|id| SubjectId::parse(id).is_ok());
        self
    }

    /// The employee number.
    pub(super) fn worker(mut self, id: Option<String>) -> Draft<'a> {
        self.detail.subject.worker_id = id.filter(|id| WorkerId::parse(id).is_ok());
        self
    }

    /// The address, where it is one.
    pub(super) fn email(mut self, email: Option<&str>, kind: EmailKind) -> Draft<'a> {
        let email = email.filter(|email| WorkEmail::parse(email).is_ok());
        self.detail.subject.email_kind = email.map(|_| kind);
        self.detail.subject.email = email.map(str::to_owned);
        self
    }

    /// The effective date, of which nobody knows whether it is the last day or the day after.
    pub(super) fn date(mut self, date: Option<&str>) -> Draft<'a> {
        self.detail.effective = date.and_then(timestamps::date).map(|date| Effective {
            date: Some(date),
            at: None,
            zone: None,
            basis: Basis::Unknown,
            source: EffectiveSource::Payload,
        });
        self
    }

    /// Fields that changed; their values are not told.
    pub(super) fn changed(mut self, fields: impl IntoIterator<Item = ChangedField>) -> Draft<'a> {
        let change = |field| Change { field, before: None, after: None, value_known: Some(false) };
        self.detail.changes = fields.into_iter().map(change).collect();
        self
    }

    /// The vendor's code for why.
    pub(super) fn reason(mut self, code: Option<&str>) -> Draft<'a> {
        self.detail.reason = code.map(|code| Reason { code: Some(short(code)), category: None });
        self
    }

    /// A fact of this kind and phase.
    pub(super) fn event(mut self, kind: Kind, phase: Phase) -> Adapted {
        if EventType::new(kind, phase).is_none() {
            return self.unclassified("its kind and phase do not go together");
        }
        (self.detail.kind, self.detail.phase) = (kind, phase);
        self.finished()
    }

    /// A fact of this kind, of which nobody knows whether it is announced or in force. It goes for announced: that acts
    /// on nobody.
    pub(super) fn of_unknown_phase(mut self, kind: Kind) -> Adapted {
        self.detail.missing.insert(Missing::Phase);
        self.event(kind, Phase::Scheduled)
    }

    /// The login's status after it.
    pub(super) fn login(mut self, after: LoginStatus) -> Adapted {
        self.detail.status = Some(Status { before: None, after: Some(after) });
        self.event(Kind::AccountStatus, Phase::Effective)
    }

    /// Something changed: what, is looked up.
    pub(super) fn notice(self) -> Adapted {
        self.event(Kind::Unclassified, Phase::Unknown)
    }

    /// Nobody knows what it means.
    pub(super) fn unclassified(mut self, reason: &'static str) -> Adapted {
        (self.detail.kind, self.detail.phase, self.detail.status) = (Kind::Unclassified, Phase::Unknown, None);
        self.complete();
        Adapted::Unclassified { reason, event: Box::new(self.detail) }
    }

    /// An event about nobody is parked.
    fn finished(mut self) -> Adapted {
        let subject = &self.detail.subject;
        if subject.worker_id.is_none() && subject.provider_subject_id.is_none() && subject.email.is_none() {
            return self.unclassified("it names nobody, where its sender's documents say that it does");
        }
        self.complete();
        Adapted::Event(Box::new(self.detail))
    }

    fn complete(&mut self) {
        self.detail.event_id = self.event_id();
        let event_type = EventType::new(self.detail.kind, self.detail.phase);
        if event_type.is_some_and(EventType::is_dated) && self.detail.effective.is_none() {
            let (basis, source) = (Basis::Unknown, EffectiveSource::None);
            self.detail.effective = Some(Effective { date: None, at: None, zone: None, basis, source });
        }
        let missing = self.missing(event_type);
        self.detail.missing.extend(missing);
        let subject = &mut self.detail.subject;
        if subject.worker_id.is_none() && subject.provider_subject_id.is_none() && subject.email.is_none() {
            subject.provider_subject_id = Some(self.detail.event_id.clone());
        }
        if let Some(provider) = &mut self.detail.provider {
            provider.event_id = provider.event_id.as_deref().map(short);
        }
    }

    /// What the event does not carry. Of an unclassified one nobody knows whether it needs a date: it lacks it.
    fn missing(&self, event_type: Option<EventType>) -> Vec<Missing> {
        let detail = &self.detail;
        let unclassified = detail.kind == Kind::Unclassified;
        let dated = unclassified || event_type.is_some_and(EventType::is_dated);
        let effective = detail.effective.as_ref();
        let undated = dated && effective.is_none_or(|effective| effective.at.is_none());
        let unvalued = detail.changes.iter().any(|change| change.value_known == Some(false));
        [
            (Missing::Email, detail.subject.email.is_none()),
            (Missing::WorkerId, detail.subject.worker_id.is_none()),
            (Missing::EffectiveDate, undated && effective.is_none_or(|effective| effective.date.is_none())),
            (Missing::EffectiveZone, undated && effective.is_none_or(|effective| effective.zone.is_none())),
            (Missing::Kind, unclassified),
            (Missing::Phase, unclassified),
            (Missing::ChangedValues, unvalued),
            (Missing::OccurredAt, !self.has_own_time()),
        ]
        .into_iter()
        .filter_map(|(fact, missing)| missing.then_some(fact))
        .collect()
    }

    fn has_own_time(&self) -> bool {
        match self.detail.occurred_at_source {
            Some(OccurredAtSource::Payload | OccurredAtSource::PayloadAssumedUtc) => true,
            Some(OccurredAtSource::Header | OccurredAtSource::Received) | None => false,
        }
    }

    /// The vendor's id, made to fit; else a hash of what came. Where that says no time either, two equal elements may be
    /// two events: the time outside is hashed in.
    fn event_id(&self) -> String {
        let source = self.source.as_str();
        if let Some(id) = self.detail.provider.as_ref().and_then(|provider| provider.event_id.as_deref()) {
            let whole = format!("{source}:{id}");
            return if EventId::parse(&whole).is_ok() {
                whole
            } else {
                format!("{source}:{}", hash(source, id.as_bytes(), ""))
            };
        }
        let outside = if self.has_own_time() { "" } else { self.detail.occurred_at.as_str() };
        format!("{source}:{}", hash(source, self.raw, outside))
    }
}

/// 32 hexadecimal digits of SHA-256. Zero bytes part what is hashed: none of it but the element holds any.
fn hash(source: &str, element: &[u8], outside: &str) -> String {
    let mut context = digest::Context::new(&digest::SHA256);
    for part in [source.as_bytes(), b"\0", outside.as_bytes(), b"\0", element] {
        context.update(part);
    }
    hex(&context.finish().as_ref()[..16])
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn short(text: &str) -> String {
    text.chars().take(TEXT_LIMIT).collect()
}
