//! Events as JSON: the `detail`, in its envelope.

use super::people::{Carried, Person};
use crate::bounds::DAY;
use crate::oracle::{Assertion, Job, Kind, Phase};
use crate::worker::instant;
use serde_json::{Value, json};

/// When something bites, and how that is told.
#[derive(Clone, Debug)]
pub(super) struct Effective {
    pub(super) at: Option<i64>,
    pub(super) date: Option<i64>,
    pub(super) told: Told,
}

/// How the time of an event is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Told {
    /// As an instant, and the date if there is one.
    Instant,
    /// As a date, whose start counts.
    StartOfDay,
    /// As a date, whose end counts.
    LastDayWorked,
    /// As a date, and nobody says what of it counts.
    DateOnly,
    /// Not at all: it bites when it occurred.
    Nothing,
}

/// Whom an event is about.
#[derive(Clone, Debug)]
pub(super) struct Subject {
    worker: Option<String>,
    subject: Option<String>,
    email: Option<String>,
    former: Option<String>,
}

impl Subject {
    pub(super) fn of(person: &Person, (worker, subject, email): Carried) -> Subject {
        Subject {
            worker: worker.then(|| person.worker.clone()),
            subject: subject.then(|| person.subject.clone()),
            email: email.then(|| person.email.clone()),
            former: None,
        }
    }

    /// The same after an address changed.
    pub(super) fn with_address(self, email: &str) -> Subject {
        Subject { email: self.email.map(|_| email.to_owned()), ..self }
    }

    /// Tells which address it was before.
    pub(super) fn formerly(self, former: &str) -> Subject {
        Subject { former: Some(former.to_owned()), ..self }
    }

    pub(super) fn email(&self) -> Option<String> {
        self.email.clone()
    }

    pub(super) fn identifiers(&self) -> Vec<String> {
        [&self.worker, &self.subject, &self.email].into_iter().flatten().cloned().collect()
    }
}

/// The `detail` of an assertion.
pub(super) fn detail(
    assertion: &Assertion,
    subject: &Subject,
    effective: &Effective,
    named: Option<&str>,
    security: bool,
) -> Value {
    let mut detail = json!({
        "schemaVersion": "1.0",
        "eventId": assertion.event,
        "kind": kind(assertion.kind),
        "phase": match assertion.kind {
            Kind::Reclaim => "requested",
            Kind::Compromise => "detected",
            Kind::Hire | Kind::Rehire | Kind::Termination | Kind::Leave | Kind::Return | Kind::Login | Kind::JobChange | Kind::Identity => phase(assertion.phase),
        },
        "occurredAt": instant(assertion.occurred).to_string(),
        "subject": { "workerId": subject.worker, "providerSubjectId": subject.subject, "email": subject.email },
        "reason": { "category": if security { "involuntary" } else { "voluntary" } },
    });
    let date = effective.date.map(date);
    let at = effective.at.map(|at| instant(at).to_string());
    match effective.told {
        Told::Instant => detail["effective"] = json!({ "date": date, "at": at, "basis": "instant" }),
        Told::StartOfDay => detail["effective"] = json!({ "date": date, "zone": "UTC", "basis": "start_of_day" }),
        Told::LastDayWorked => {
            detail["effective"] = json!({ "date": date, "zone": "UTC", "basis": "last_day_worked" });
        }
        Told::DateOnly => detail["effective"] = json!({ "date": date }),
        Told::Nothing => {}
    }
    if let Some(former) = &subject.former {
        detail["subject"]["previousEmail"] = json!(former);
    }
    let changes = changes(&assertion.job);
    if !changes.is_empty() {
        detail["changes"] = json!(changes);
    }
    if assertion.kind == Kind::Login {
        detail["status"] = json!({ "after": if assertion.active { "active" } else { "deactivated" } });
    } else if let Some(named) = named {
        detail["factId"] = json!(named);
    }
    if let Some(revision) = assertion.revision {
        detail["provider"] = json!({ "name": "hr", "eventType": "change", "revision": revision.to_string() });
    }
    detail
}

/// What a job's members are told as.
fn changes(job: &Job) -> Vec<Value> {
    let change = |field: &str, after: Option<&str>| after.map(|after| json!({ "field": field, "after": after }));
    [change("job_code", job.code), change("department", job.department)].into_iter().flatten().collect()
}

/// A detail in its EventBridge envelope.
pub(super) fn envelope(detail: &Value) -> String {
    let word = |member: &str| detail[member].as_str().unwrap_or_default().to_owned();
    let (kind, phase) = (word("kind"), word("phase"));
    let detail_type = match kind.as_str() {
        "account_status" => "account.status.effective".to_owned(),
        "license_reclaim" => "license.reclaim.requested".to_owned(),
        "credential_compromise" => "credential.compromise.detected".to_owned(),
        kind => format!("worker.{kind}.{phase}"),
    };
    let envelope = json!({
        "version": "0", "id": "6a7e8feb-b491-4cf7-a9f1-bf3703467718", "detail-type": detail_type,
        "source": "rollcall.hr", "account": "111122223333", "time": "2026-11-23T11:59:59Z", "region": "eu-west-1",
        "resources": [], "detail": detail,
    });
    envelope.to_string()
}

/// The fact that an event is about by default: its kind and its local date, else the date in UTC. Each of the audit's
/// requests is about the one licence that a person has.
pub(super) fn default_fact(kind_: Kind, effective: &Effective) -> String {
    if kind_ == Kind::Reclaim {
        return "license".to_owned();
    }
    let day = effective.date.or_else(|| effective.at.map(|at| at.div_euclid(DAY)));
    format!("{}:{}", kind(kind_), day.map(date).unwrap_or_default())
}

/// An assertion, for people.
pub(super) fn words(assertion: &Assertion) -> String {
    let login = match (assertion.kind, assertion.active) {
        (Kind::Login, true) => " (active)",
        (Kind::Login, false) => " (inactive)",
        (_, _) => "",
    };
    let login = match (&assertion.job.code, &assertion.job.department) {
        (None, None) => login.to_owned(),
        (code, department) => format!("{login} (as {}, {})", code.unwrap_or("-"), department.unwrap_or("-")),
    };
    let from = assertion.at.map_or_else(|| "at no known time".to_owned(), |at| format!("from {}", instant(at)));
    format!(
        "{}.{}{login} {from}, said {}, fact {}",
        kind(assertion.kind),
        phase(assertion.phase),
        instant(assertion.occurred),
        assertion.fact
    )
}

/// A day as a date.
fn date(day: i64) -> String {
    instant(day * DAY).to_string().chars().take(10).collect()
}

fn kind(kind: Kind) -> &'static str {
    match kind {
        Kind::Hire => "hire",
        Kind::Rehire => "rehire",
        Kind::Termination => "termination",
        Kind::Leave => "leave",
        Kind::Return => "return",
        Kind::Login => "account_status",
        Kind::JobChange => "job_change",
        Kind::Reclaim => "license_reclaim",
        Kind::Compromise => "credential_compromise",
        Kind::Identity => "identity_change",
    }
}

fn phase(phase: Phase) -> &'static str {
    match phase {
        Phase::Scheduled => "scheduled",
        Phase::Effective => "effective",
        Phase::Rescinded => "rescinded",
    }
}
