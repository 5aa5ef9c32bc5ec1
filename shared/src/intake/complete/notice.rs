//! A notice: a record changed. What it says now, against what the ledger knows, is what happened.
//!
//! The record is the one of the sender's own API; without it the roster's row, where the roster was dropped after the
//! notice. Nothing differs: nothing happened that bears on access or licence. An older roster counts for one thing: an end in
//! force, where the ledger has heard nothing of the employment since that roster.
//!
//! *Invariants*: an end is never taken back because somebody did not speak of it; an old end or start of a person whom the
//! ledger does not know is no news (`sources.reconcile.looks_back_days`): addresses are used again, and what was missed so
//! long ago is the audit's matter. What an operator rejected is not asserted again by a notice.

mod findings;

use super::known::{ENDS, Known, STARTS, day_in, occurred};
use super::record::Record;
use super::vendor::Vendor;
use super::{Completed, Event, Whence, dated};
use crate::event::wire::{Basis, Change, Effective, EffectiveSource};
use crate::event::{EventId, Kind, Missing, Phase};
use crate::intake::Source;
use crate::person::Fact;
use crate::policy::EndDate;
use crate::seal;
use jiff::civil::Date;

const NO_RECORD: &str = "it says no more than that a record changed: redrive it once a later roster was loaded";
const NO_ANSWER: &str = "it says no more than that a record changed, and the sender's API did not tell of the person: \
                         add a token for it, or redrive the event once a later roster was loaded";
const SEVERAL: &str = "it says no more than that a record changed, and several people of the roster have its identifiers: \
                       mend the roster, and redrive it";
const MUTE: &str = "the sender's API tells neither status nor dates of the person: let the token's user read them, \
                    and redrive it";
const NO_NEWS: &str = "the record says nothing that the ledger does not have";

/// Something that the record says and the ledger does not have.
struct Finding {
    kind: Kind,
    /// It is taken back.
    rescinded: bool,
    /// Its day; `None`: the time of the notice.
    date: Option<Date>,
    /// What it tells of the job.
    changes: Vec<Change>,
}

impl Finding {
    fn new(kind: Kind, date: Option<Date>) -> Finding {
        Finding { kind, rescinded: false, date, changes: Vec::new() }
    }
}

/// What a notice comes to.
pub(super) fn complete(notice: Event, known: &Known<'_>) -> Completed {
    let Some((record, whence)) = record(&notice, known) else {
        let ends = ends_by_an_older_roster(&notice, known);
        if !ends.is_empty() {
            return Completed::Events(ends);
        }
        let reason = match Vendor::of(known.source) {
            _ if known.gathered.several => SEVERAL,
            Some(_) => NO_ANSWER,
            None => NO_RECORD,
        };
        return Completed::Parked(reason, Box::new(notice.detail));
    };
    if record.is_mute() {
        return Completed::Parked(MUTE, Box::new(notice.detail));
    }
    let findings = findings::of(&record, whence, known, occurred(&notice, known.now));
    if findings.is_empty() {
        return Completed::Nothing(NO_NEWS);
    }
    Completed::Events(findings.into_iter().map(|finding| event(&notice, finding, whence, known)).collect())
}

/// The record that is newer than the notice.
fn record<'a>(notice: &Event, known: &Known<'a>) -> Option<(Record<'a>, Whence)> {
    if let Some(employee) = &known.gathered.employee {
        return Some((Record::of_employee(employee), Whence::Api));
    }
    let newer = known.roster_is_newer_than(occurred(notice, known.now));
    known.gathered.row.as_ref().filter(|_| newer).map(|row| (Record::of_row(row), Whence::Roster))
}

/// An end that is in force by a roster that is older than the notice: it was so already, and the notice says that something
/// is not as the ledger has it.
fn ends_by_an_older_roster(notice: &Event, known: &Known<'_>) -> Vec<Event> {
    let Some((row, dropped)) = known.gathered.row.as_ref().zip(known.gathered.roster_at) else { return Vec::new() };
    let bears = |fact: &&Fact| STARTS.contains(&fact.kind) || ENDS.contains(&fact.kind);
    if known.facts.iter().filter(bears).any(|fact| fact.assertion.occurred_at > dropped) {
        return Vec::new();
    }
    let findings = findings::of(&Record::of_row(row), Whence::Roster, known, occurred(notice, known.now));
    let ends = findings.into_iter().filter(|finding| finding.kind == Kind::Termination && !finding.rescinded);
    let ends = ends.map(|finding| event(notice, finding, Whence::Roster, known));
    ends.filter(|event| event.detail.phase == Phase::Effective).collect()
}

/// The event of a finding: the notice's time, sender and subject, and a name of its own.
fn event(notice: &Event, finding: Finding, whence: Whence, known: &Known<'_>) -> Event {
    let mut event = notice.clone();
    let zone = known.zone().map(|(zone, _)| zone);
    let today = day_in(zone, occurred(notice, known.now));
    // Without a zone nobody knows whether a day has ended, or begun: the event is held, as undatable.
    let undatable = finding.date.is_some() && zone.is_none();
    let detail = &mut event.detail;
    detail.event_id = id(known.source, &detail.event_id, finding.kind);
    detail.kind = finding.kind;
    detail.phase = match finding.date {
        _ if finding.rescinded => Phase::Rescinded,
        Some(date) if undatable || date > today => Phase::Scheduled,
        Some(_) | None => Phase::Effective,
    };
    detail.changes = finding.changes;
    detail.status = None;
    detail.effective = Some(Effective {
        date: finding.date.map(|date| date.to_string()),
        at: None,
        zone: None,
        basis: basis(finding.kind, whence, known),
        source: if finding.date.is_some() { EffectiveSource::Enriched } else { EffectiveSource::None },
    });
    detail.missing.remove(&Missing::ChangedValues);
    detail.missing.insert(Missing::EffectiveZone);
    detail.missing.insert(Missing::EffectiveDate);
    event.fill(Missing::Kind, whence);
    if !undatable {
        event.fill(Missing::Phase, whence);
    }
    if finding.date.is_some() {
        event.fill(Missing::EffectiveDate, whence);
    }
    dated::complete(&mut event, known);
    event
}

/// What the record's date means.
fn basis(kind: Kind, whence: Whence, known: &Known<'_>) -> Basis {
    let of_system = || known.rules.of(known.source).map(|rule| rule.end_date).unwrap_or_default();
    let end: EndDate = match whence {
        Whence::Roster => known.rules.roster_end_date,
        Whence::Api | Whence::Ledger | Whence::Policy | Whence::EventTime => of_system(),
    };
    if kind == Kind::Termination { end.basis() } else { Basis::StartOfDay }
}

/// The notice's id and the kind. Where that is too long, a hash stands for the notice's.
fn id(source: Source, notice: &str, kind: Kind) -> String {
    let kind = kind.as_str();
    let whole = format!("{notice}:{kind}");
    if EventId::parse(&whole).is_ok() {
        return whole;
    }
    let hash = seal::sha256(notice);
    format!("{}:{}:{kind}", source.as_str(), hash.get(..32).unwrap_or(&hash))
}
