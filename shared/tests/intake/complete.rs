//! From a vendor's bytes to complete events: adapt, look up, complete.

mod dates;
mod laws;
mod notices;
mod sources;
pub(crate) mod stage;
mod subject;

use jiff::Timestamp;
use jiff::civil::Date;
use rollcall::event::wire::{Basis, Detail};
use rollcall::event::{Kind, Missing, Phase};
use rollcall::intake::complete::{Completed, Event, Whence};
use rollcall::person::{Assertion, Fact, FactId, FactKind, Facts, Job, Standing};

/// What became of an event, a line an event.
///
/// `kind/phase | worker email | date zone basis @at | fact | filled<whence … | missing …`
fn lines(completed: &Completed) -> Vec<String> {
    match completed {
        Completed::Events(events) => events.iter().map(line).collect(),
        Completed::Parked(reason, _) => vec![format!("parked: {reason}")],
        Completed::Nothing(reason) => vec![format!("nothing: {reason}")],
    }
}

fn line(event: &Event) -> String {
    let detail = &event.detail;
    let or = |text: Option<&str>| text.unwrap_or("-").to_owned();
    let subject = format!("{} {}", or(detail.subject.worker_id.as_deref()), or(detail.subject.email.as_deref()));
    let when = detail.effective.as_ref().map_or(String::new(), |effective| {
        let at = effective.at.as_ref().map(|at| format!(" @{at}")).unwrap_or_default();
        format!("{} {} {}{at}", or(effective.date.as_deref()), or(effective.zone.as_deref()), basis(effective.basis))
    });
    let filled: Vec<String> =
        event.filled.iter().map(|(fact, whence)| format!("{}<{}", fact_word(*fact), whence.as_str())).collect();
    let missing: Vec<&str> = detail.missing.iter().map(|fact| fact_word(*fact)).collect();
    let fact = or(detail.fact_id.as_deref());
    let filled = filled.join(" ");
    let missing = missing.join(" ");
    format!("{} | {subject} | {when} | {fact} | {filled} | {missing}", kind_word(detail)).trim_end().to_owned()
}

fn kind_word(detail: &Detail) -> String {
    let word = |value: serde_json::Value| value.as_str().unwrap().to_owned();
    let kind = word(serde_json::to_value(detail.kind).unwrap());
    format!("{kind}/{}", word(serde_json::to_value(detail.phase).unwrap()))
}

fn basis(basis: Basis) -> &'static str {
    match basis {
        Basis::LastDayWorked => "last_day",
        Basis::FirstDayInactive => "first_day_off",
        Basis::StartOfDay => "start",
        Basis::Instant => "instant",
        Basis::Unknown => "unknown",
    }
}

fn fact_word(fact: Missing) -> &'static str {
    match fact {
        Missing::Email => "email",
        Missing::WorkerId => "worker",
        Missing::EffectiveDate => "date",
        Missing::EffectiveZone => "zone",
        Missing::Kind => "kind",
        Missing::Phase => "phase",
        Missing::ChangedValues => "values",
        Missing::OccurredAt => "time",
    }
}

/// A fact that HR asserted: its name, its day and its instant.
fn fact(kind: FactKind, name: &str, date: Option<&str>, at: Option<&str>) -> Fact {
    Fact {
        id: FactId::parse(name).unwrap(),
        kind,
        at: at.map(|at| at.parse().unwrap()),
        date: date.map(|date| date.parse::<Date>().unwrap()),
        standing: Standing::Asserted,
        active: None,
        rejected_at: None,
        reason: None,
        job: Job::default(),
        assertion: Assertion {
            occurred_at: "2026-01-01T00:00:00Z".parse().unwrap(),
            revision: None,
            event: format!("e-{name}"),
        },
    }
}

fn facts(all: impl IntoIterator<Item = Fact>) -> Facts {
    let mut facts = Facts::default();
    let now: Timestamp = "2026-12-01T09:00:00Z".parse().unwrap();
    for fact in all {
        facts.assert(fact, now).unwrap();
    }
    facts
}

/// The road takes what was completed, as what it says it is.
fn parsed(event: &Event) -> rollcall::event::WorkerEvent {
    rollcall::event::parse(&serde_json::to_string(&event.detail).unwrap()).unwrap()
}

/// The one event that it came to.
fn only(completed: Completed) -> Event {
    let Completed::Events(mut events) = completed else { panic!("{completed:?}") };
    assert_eq!(events.len(), 1);
    events.remove(0)
}

/// What came of kind, phase and whence.
fn whence(event: &Event, fact: Missing) -> Option<Whence> {
    event.filled.iter().find(|(filled, _)| *filled == fact).map(|(_, whence)| *whence)
}

/// Kind and phase of an event.
fn is(event: &Event, kind: Kind, phase: Phase) -> bool {
    event.detail.kind == kind && event.detail.phase == phase
}
