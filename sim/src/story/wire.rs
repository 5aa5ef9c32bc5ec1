//! Events as JSON: the `detail`, in its envelope.

use super::people::{Carried, Person};
use crate::bounds::DAY;
use crate::oracle::{Assertion, Kind, Phase};
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
}

impl Subject {
    pub(super) fn of(person: &Person, (worker, subject, email): Carried) -> Subject {
        Subject {
            worker: worker.then(|| person.worker.clone()),
            subject: subject.then(|| person.subject.clone()),
            email: email.then(|| person.email.clone()),
        }
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
        "phase": phase(assertion.phase),
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

/// A detail in its EventBridge envelope.
pub(super) fn envelope(detail: &Value) -> String {
    let word = |member: &str| detail[member].as_str().unwrap_or_default().to_owned();
    let (kind, phase) = (word("kind"), word("phase"));
    let detail_type =
        if kind == "account_status" { "account.status.effective".to_owned() } else { format!("worker.{kind}.{phase}") };
    let envelope = json!({
        "version": "0", "id": "6a7e8feb-b491-4cf7-a9f1-bf3703467718", "detail-type": detail_type,
        "source": "rollcall.hr", "account": "111122223333", "time": "2026-11-23T11:59:59Z", "region": "eu-west-1",
        "resources": [], "detail": detail,
    });
    envelope.to_string()
}

/// The fact that an event is about by default: its kind and its local date, else the date in UTC.
pub(super) fn default_fact(kind_: Kind, effective: &Effective) -> String {
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
    }
}

fn phase(phase: Phase) -> &'static str {
    match phase {
        Phase::Scheduled => "scheduled",
        Phase::Effective => "effective",
        Phase::Rescinded => "rescinded",
    }
}
