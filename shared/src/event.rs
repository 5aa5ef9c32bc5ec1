//! Parse: a message body becomes a [`WorkerEvent`] that cannot be wrong, or a [`Refusal`] that names the field.
//!
//! No refusal repeats what the sender wrote: members are named, values are not.

mod dating;
mod envelope;
mod strict;
pub mod wire;

pub use dating::Moment;
pub(crate) use dating::moment;
pub use envelope::SOURCE;
pub use wire::{Kind, LoginStatus, Missing, Phase, ReasonCategory};

use crate::failure::{Refusal, RefusalCode};
use crate::person::{FactId, Job, Revision, Subject, SubjectId, WorkEmail, WorkerId};
use jiff::{SignedDuration, Timestamp};
use std::collections::BTreeSet;
use std::fmt;

/// How far a sender's clock may be ahead of ours before its event is parked.
pub const CLOCK_TOLERANCE: SignedDuration = SignedDuration::from_mins(5);

/// One worker event, parsed and consistent.
#[derive(Clone, Debug)]
pub struct WorkerEvent {
    /// Its business id.
    pub id: EventId,
    /// What happened, and at which stage.
    pub event_type: EventType,
    /// When the sender asserted it.
    pub occurred_at: Timestamp,
    /// The sender's ordering token.
    pub revision: Option<Revision>,
    /// Whom it is about.
    pub subject: Subject,
    /// When it bites. Undated kinds bite when they occurred.
    pub moment: Moment,
    /// Which fact it asserts, corrects or rescinds.
    pub fact: FactId,
    /// The login's status after it; only with [`Kind::AccountStatus`].
    pub login: Option<LoginStatus>,
    /// What its reason amounts to.
    pub reason: Option<ReasonCategory>,
    /// What it tells of the job that it leads to.
    pub job: Job,
    /// What it tells of the job before.
    pub job_before: Job,
    /// What the sender could not tell.
    pub missing: BTreeSet<Missing>,
    /// What the event means, without the marks of its transport: two events with one id and another meaning are not equal.
    pub meaning: Meaning,
}

/// A business id: 1 to 128 characters of `A-Z a-z 0-9 . _ : -`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct EventId(String);

impl EventId {
    /// Reads an id.
    ///
    /// # Errors
    /// A [`Refusal`] that names `detail.eventId`.
    pub fn parse(text: &str) -> Result<EventId, Refusal> {
        let allowed = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | ':' | '-');
        if (1..=128).contains(&text.len()) && text.chars().all(allowed) {
            return Ok(EventId(text.to_owned()));
        }
        Err(Refusal::new(
            RefusalCode::InvalidField,
            "detail.eventId",
            "must be 1 to 128 characters of A-Z a-z 0-9 . _ : -",
        ))
    }

    /// The id as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// The canonical text of what an event means. It holds personal data: it is stored hashed with a key, or sealed.
#[derive(Clone, PartialEq, Eq)]
pub struct Meaning(String);

impl Meaning {
    /// The text: a bare detail, which [`parse`] reads again as the same event.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Meaning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Meaning(redacted)")
    }
}

/// Kind and phase of an event, in a combination that exists.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct EventType {
    kind: Kind,
    phase: Phase,
}

impl EventType {
    /// Every event type there is.
    #[must_use]
    pub fn all() -> Vec<EventType> {
        let kinds = [
            Kind::Hire,
            Kind::Termination,
            Kind::Rehire,
            Kind::JobChange,
            Kind::Leave,
            Kind::Return,
            Kind::IdentityChange,
            Kind::AccountStatus,
            Kind::CredentialCompromise,
            Kind::Unclassified,
            Kind::LicenseReclaim,
            Kind::AccessRemoval,
        ];
        let phases =
            [Phase::Scheduled, Phase::Effective, Phase::Rescinded, Phase::Unknown, Phase::Detected, Phase::Requested];
        kinds.iter().flat_map(|kind| phases.iter().filter_map(|phase| EventType::new(*kind, *phase))).collect()
    }

    /// Joins a kind and a phase; `None` where they do not go together.
    #[must_use]
    pub fn new(kind: Kind, phase: Phase) -> Option<EventType> {
        let goes = match kind {
            Kind::Hire
            | Kind::Termination
            | Kind::Rehire
            | Kind::JobChange
            | Kind::Leave
            | Kind::Return
            | Kind::IdentityChange => {
                matches!(phase, Phase::Scheduled | Phase::Effective | Phase::Rescinded)
            }
            Kind::AccountStatus => phase == Phase::Effective,
            Kind::CredentialCompromise => phase == Phase::Detected,
            Kind::Unclassified => phase == Phase::Unknown,
            Kind::LicenseReclaim | Kind::AccessRemoval => phase == Phase::Requested,
        };
        goes.then_some(EventType { kind, phase })
    }

    /// What happened.
    #[must_use]
    pub fn kind(self) -> Kind {
        self.kind
    }

    /// At which stage.
    #[must_use]
    pub fn phase(self) -> Phase {
        self.phase
    }

    /// The `detail-type` on the bus.
    #[must_use]
    pub fn detail_type(self) -> &'static str {
        let [scheduled, effective, rescinded] = match self.kind {
            Kind::Hire => ["worker.hire.scheduled", "worker.hire.effective", "worker.hire.rescinded"],
            Kind::Termination => {
                ["worker.termination.scheduled", "worker.termination.effective", "worker.termination.rescinded"]
            }
            Kind::Rehire => ["worker.rehire.scheduled", "worker.rehire.effective", "worker.rehire.rescinded"],
            Kind::JobChange => {
                ["worker.job_change.scheduled", "worker.job_change.effective", "worker.job_change.rescinded"]
            }
            Kind::Leave => ["worker.leave.scheduled", "worker.leave.effective", "worker.leave.rescinded"],
            Kind::Return => ["worker.return.scheduled", "worker.return.effective", "worker.return.rescinded"],
            Kind::IdentityChange => [
                "worker.identity_change.scheduled",
                "worker.identity_change.effective",
                "worker.identity_change.rescinded",
            ],
            Kind::AccountStatus => ["account.status.effective"; 3],
            Kind::CredentialCompromise => ["credential.compromise.detected"; 3],
            Kind::Unclassified => ["worker.unclassified"; 3],
            Kind::LicenseReclaim => ["license.reclaim.requested"; 3],
            Kind::AccessRemoval => ["access.removal.requested"; 3],
        };
        match self.phase {
            Phase::Scheduled => scheduled,
            Phase::Effective | Phase::Unknown | Phase::Detected | Phase::Requested => effective,
            Phase::Rescinded => rescinded,
        }
    }

    /// Whether it counts when events of this kind say when they bite.
    #[must_use]
    pub fn may_be_dated(self) -> bool {
        self.is_dated() || self.kind == Kind::IdentityChange
    }

    /// Whether events of this kind must say when they bite.
    #[must_use]
    pub fn is_dated(self) -> bool {
        match self.kind {
            Kind::Hire | Kind::Termination | Kind::Rehire | Kind::JobChange | Kind::Leave | Kind::Return => true,
            Kind::IdentityChange
            | Kind::AccountStatus
            | Kind::CredentialCompromise
            | Kind::Unclassified
            | Kind::LicenseReclaim
            | Kind::AccessRemoval => false,
        }
    }
}

/// Reads one message body: an EventBridge envelope, a bare detail, or an SNS notification of either.
///
/// # Errors
/// A [`Refusal`] that names the field that is wrong and says what it must be. It never repeats the value.
pub fn parse(body: &str) -> Result<WorkerEvent, Refusal> {
    let opened = envelope::open(body)?;
    if !opened.detail.trim_start().starts_with('{') {
        return Err(Refusal::new(RefusalCode::InvalidField, "detail", "must be a JSON object"));
    }
    let mut json = serde_json::Deserializer::from_str(&opened.detail);
    let detail: wire::Detail = serde_path_to_error::deserialize(&mut json).map_err(|error| shape_refusal(&error))?;
    let event_type = event_type(&detail, opened.detail_type.as_deref())?;
    let occurred_at = utc(&detail.occurred_at, "detail.occurredAt")?;
    detail.received_at.as_deref().map(|received| utc(received, "detail.receivedAt")).transpose()?;
    let moment = match &detail.effective {
        Some(effective) if event_type.may_be_dated() => moment(effective)?,
        // An undated kind bites when it occurred, whatever else it says.
        Some(_) | None if !event_type.is_dated() => Moment::At { at: occurred_at, date: None },
        Some(_) | None => {
            return Err(Refusal::new(
                RefusalCode::MissingField,
                "detail.effective",
                "is required: when does this bite?",
            ));
        }
    };
    let login = detail.status.as_ref().and_then(|status| status.after);
    if event_type.kind() == Kind::AccountStatus && login.is_none() {
        return Err(Refusal::new(RefusalCode::MissingField, "detail.status.after", "is required with account.status"));
    }
    Ok(WorkerEvent {
        id: EventId::parse(&detail.event_id)?,
        event_type,
        occurred_at,
        revision: detail
            .provider
            .as_ref()
            .and_then(|provider| provider.revision.as_deref())
            .map(Revision::parse)
            .transpose()?,
        subject: subject(&detail.subject, event_type)?,
        moment,
        fact: fact(&detail, event_type, moment)?,
        login,
        reason: detail.reason.as_ref().and_then(|reason| reason.category),
        job: job(&detail.changes, |change| change.after.as_deref()),
        job_before: job(&detail.changes, |change| change.before.as_deref()),
        missing: detail.missing.clone(),
        meaning: meaning(detail)?,
    })
}

/// The `detail` of a message body as its sender wrote it, out of whatever wrapping [`parse`] reads. Personal data.
///
/// # Errors
/// A [`Refusal`] that names the member of the wrapping that is wrong.
pub fn detail(body: &str) -> Result<String, Refusal> {
    Ok(envelope::open(body)?.detail.into_owned())
}

fn event_type(detail: &wire::Detail, detail_type: Option<&str>) -> Result<EventType, Refusal> {
    let event_type = EventType::new(detail.kind, detail.phase)
        .ok_or_else(|| Refusal::new(RefusalCode::InvalidField, "detail.phase", "does not exist for this kind"))?;
    match detail_type {
        Some(named) if named != event_type.detail_type() => Err(Refusal::new(
            RefusalCode::WrongDetailType,
            "detail-type",
            format!("disagrees with detail.kind and detail.phase, which say \"{}\"", event_type.detail_type()),
        )),
        Some(_) | None => Ok(event_type),
    }
}

fn utc(text: &str, field: &'static str) -> Result<Timestamp, Refusal> {
    let parsed = text.ends_with('Z').then(|| text.parse().ok()).flatten();
    let message = "must be a time in UTC, for example \"2026-11-23T09:30:00Z\"";
    parsed.ok_or_else(|| Refusal::new(RefusalCode::InvalidField, field, message))
}

fn subject(subject: &wire::Subject, event_type: EventType) -> Result<Subject, Refusal> {
    let changes_identity = event_type.kind() == Kind::IdentityChange;
    // A private address names nobody at work.
    let personal = matches!(subject.email_kind, Some(wire::EmailKind::Personal));
    let email = subject.email.as_deref().map(WorkEmail::parse).transpose()?;
    let previous = subject
        .previous_email
        .as_deref()
        .filter(|_| changes_identity)
        .map(WorkEmail::parse)
        .transpose()
        .map_err(|refusal| Refusal { field: "detail.subject.previousEmail".into(), ..refusal })?;
    // A change that is taken back leads to the address before it.
    let taken_back = previous.is_some() && event_type.phase() == Phase::Rescinded;
    let (email, previous) = if taken_back { (previous, email) } else { (email, previous) };
    let parsed = Subject {
        worker_id: subject.worker_id.as_deref().map(WorkerId::parse).transpose()?,
        provider_subject: subject.provider_subject_id.as_deref().map(SubjectId::parse).transpose()?,
        email: email.filter(|_| !personal),
        former_email: previous,
    };
    if parsed.worker_id.is_none() && parsed.provider_subject.is_none() && parsed.email.is_none() {
        let message = "must carry workerId, providerSubjectId or an email that is not personal";
        return Err(Refusal::new(RefusalCode::MissingField, "detail.subject", message));
    }
    Ok(parsed)
}

/// What the changes of an event tell of a job, by the side that is looked at. A value that is not the real one tells
/// nothing.
fn job(changes: &[wire::Change], side: impl Fn(&wire::Change) -> Option<&str>) -> Job {
    let mut job = Job::default();
    for change in changes.iter().filter(|change| change.value_known != Some(false)) {
        let member = match change.field {
            wire::ChangedField::JobCode => &mut job.code,
            wire::ChangedField::Department => &mut job.department,
            wire::ChangedField::Location => &mut job.location,
            wire::ChangedField::EmploymentType => &mut job.employment_type,
            wire::ChangedField::Email
            | wire::ChangedField::Name
            | wire::ChangedField::JobTitle
            | wire::ChangedField::Manager
            | wire::ChangedField::Other => continue,
        };
        *member = side(change).and_then(Job::value).or(member.take());
    }
    job
}

/// The fact that the event names, else kind and effective date. A login has one standing fact.
fn fact(detail: &wire::Detail, event_type: EventType, moment: Moment) -> Result<FactId, Refusal> {
    if let Some(named) = &detail.fact_id {
        return FactId::parse(named);
    }
    let kind = event_type.detail_type().trim_start_matches("worker.").split('.').next().unwrap_or_default();
    let date = moment.date().or_else(|| moment.at().map(|at| at.to_zoned(jiff::tz::TimeZone::UTC).date()));
    match (event_type.is_dated(), date) {
        (true, Some(date)) => FactId::parse(&format!("{kind}:{date}")),
        // Undatable: it takes no effect, so its own id is as good as any.
        (true, None) => FactId::parse(&format!("{kind}:{}", detail.event_id)),
        (false, _) => FactId::parse(kind),
    }
}

/// What the event says, without how and when it came: those differ between two deliveries of one event.
fn meaning(mut detail: wire::Detail) -> Result<Meaning, Refusal> {
    detail.occurred_at_source = None;
    detail.received_at = None;
    detail.assurance = None;
    detail.raw_sha256 = None;
    serde_json::to_string(&detail)
        .map(Meaning)
        .map_err(|_| Refusal::new(RefusalCode::InvalidField, "detail", "cannot be written back as JSON"))
}

/// Says which member has the wrong shape, without the sender's words.
fn shape_refusal(error: &serde_path_to_error::Error<serde_json::Error>) -> Refusal {
    // serde's message begins with what is wrong and ends with what it expected, in our words; the sender's stand between.
    let message = error.inner().to_string();
    let message = message.rsplit_once(" at line ").map_or(message.as_str(), |(head, _)| head);
    let unknown = message.starts_with("unknown field ");
    let field = path(error.path(), unknown);
    // The envelope was JSON, so whatever serde_json calls a syntax error here is a value of another type.
    if message == "recursion limit exceeded" {
        return Refusal::new(RefusalCode::InvalidField, field, "is nested too deeply");
    }
    if let Some(name) = message.strip_prefix("missing field ") {
        return Refusal::new(RefusalCode::MissingField, format!("{field}.{}", name.trim_matches('`')), "is required");
    }
    if message.starts_with("duplicate field ") {
        return Refusal::new(RefusalCode::InvalidField, field, "is there twice");
    }
    let ours = ["unknown field ", "unknown variant ", "invalid type: ", "invalid value: ", "invalid length "];
    let expected =
        if ours.iter().any(|start| message.starts_with(start)) { message.rsplit_once(", expected ") } else { None };
    let expected = expected.map_or("another type", |(_, expected)| expected);
    let message = if unknown {
        format!("has a member that is not in the schema; it may have {expected}")
    } else {
        format!("has the wrong shape: expected {expected}")
    };
    Refusal::new(RefusalCode::InvalidField, field, message)
}

/// The path of a member. An unknown member's own name is the sender's, and may be anything: its parent is named.
fn path(path: &serde_path_to_error::Path, unknown: bool) -> String {
    let segments: Vec<String> = path.iter().map(ToString::to_string).collect();
    let known = &segments[..segments.len() - usize::from(unknown && !segments.is_empty())];
    known.iter().fold("detail".to_owned(), |path, segment| format!("{path}.{segment}"))
}
