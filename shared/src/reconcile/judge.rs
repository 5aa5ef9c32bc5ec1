//! Whether somebody who left by the roster was missed by the ledger. Pure.

use super::Grounds;
use super::ask::{Asserts, Whom, detail};
use crate::event::moment;
use crate::event::wire::{Basis, Detail, Effective, EffectiveSource, Kind, Phase};
use crate::ledger::PersonItem;
use crate::person::{Employment, Fact, FactId, FactKind, Facts, Job, Standing};
use crate::policy::EndDate;
use crate::roster::{Leaver, Status};
use jiff::civil::Date;
use jiff::{SignedDuration, Timestamp, tz::TimeZone};

/// The fact that every end of an employment is, for vendors' events as well: their order of arrival does not matter then.
const FACT: &str = "termination";

/// A day that is over at noon UTC of the next one is over everywhere: the last zone is 12 hours behind.
const EVERYWHERE: SignedDuration = SignedDuration::from_hours(12);

/// Where a leaver of the roster stands in time.
#[derive(Clone)]
pub enum Leaving {
    /// The person has left, within the days that the policy looks back.
    Left {
        /// From which instant; later than that where the roster tells no date or no zone.
        at: Timestamp,
        /// HR's date, where the roster has one.
        date: Option<Date>,
        /// The same, as an event says it.
        effective: Effective,
    },
    /// The end is still ahead.
    Ahead,
    /// The end is longer ago than the policy looks back.
    LongAgo,
    /// The day is over, HR does not say that the person has left, and nobody knows the zone: it cannot be told since when.
    Undated,
}

/// What becomes of a leaver of the roster.
#[derive(Clone)]
pub enum Judgement {
    /// The ledger missed it: this asks for it.
    Missed(Box<Detail>),
    /// The ledger knows it, or something that is newer than the roster.
    Known,
    /// The end is still ahead, or longer ago than the policy looks back.
    Elsewhen,
    /// See [`Leaving::Undated`].
    Undated,
}

/// Judges a leaver of the roster by what the ledger knows of the person.
#[must_use]
pub fn judge(leaver: &Leaver, person: Option<&PersonItem>, grounds: &Grounds<'_>) -> Judgement {
    let (at, date, effective) = match leaving(leaver, grounds) {
        Leaving::Left { at, date, effective } => (at, date, effective),
        Leaving::Ahead | Leaving::LongAgo => return Judgement::Elsewhen,
        Leaving::Undated => return Judgement::Undated,
    };
    if person.is_some_and(|person| knows(&person.facts, at, date, grounds)) {
        return Judgement::Known;
    }
    let Ok(fact) = FactId::parse(FACT) else { return Judgement::Known };
    let whom = Whom { worker_id: &leaver.worker_id, subjects: &leaver.subjects, email: leaver.email.as_ref() };
    let asserts = Asserts {
        kind: Kind::Termination,
        phase: Phase::Effective,
        fact: &fact,
        occurred_at: grounds.dropped_at,
        revision: None,
        effective,
        reason: None,
        job: &Job::default(),
    };
    Judgement::Missed(Box::new(detail(grounds, whom, asserts, "")))
}

/// When a leaver of the roster left.
///
/// A date with a zone says so itself. HR's word that somebody *has* left counts without: from when the roster was dropped,
/// which is late rather than early.
#[must_use]
pub fn leaving(leaver: &Leaver, grounds: &Grounds<'_>) -> Leaving {
    let end = grounds.rules.roster_end_date;
    let zone = leaver.time_zone.as_deref().or(grounds.rules.zone.as_deref());
    let has_left = match leaver.status {
        Status::Terminated => true,
        Status::PreHire | Status::Active | Status::OnLeave => false,
    };
    let by_word = |date: Option<Date>| {
        let at = grounds.dropped_at;
        let effective = Effective {
            date: date.map(|date| date.to_string()),
            at: Some(at.to_string()),
            zone: None,
            basis: Basis::Instant,
            source: EffectiveSource::EventTime,
        };
        Leaving::Left { at, date, effective }
    };
    // When it is over, and what follows where that is neither ahead nor too long ago.
    let (over, left) = match (leaver.ends, zone, has_left) {
        (None, _, false) => return Leaving::Ahead,
        (None, _, true) => (grounds.dropped_at, by_word(None)),
        (Some(date), Some(zone), _) => {
            let effective = Effective {
                date: Some(date.to_string()),
                at: None,
                zone: Some(zone.to_owned()),
                basis: end.basis(),
                source: EffectiveSource::Enriched,
            };
            let Some(at) = moment(&effective).ok().and_then(|moment| moment.at()) else { return Leaving::Undated };
            (at, Leaving::Left { at, date: Some(date), effective })
        }
        (Some(date), None, has_left) => {
            let Some(over) = over_everywhere(date, end) else { return Leaving::Undated };
            match has_left {
                // It must have been over when HR said so.
                true if over > grounds.dropped_at => return Leaving::Ahead,
                true => (over, by_word(Some(date))),
                false => (over, Leaving::Undated),
            }
        }
    };
    let most = SignedDuration::from_hours(24 * i64::from(grounds.rules.reconcile.looks_back_days));
    if over > grounds.now {
        Leaving::Ahead
    } else if grounds.now.duration_since(over) > most {
        Leaving::LongAgo
    } else {
        left
    }
}

/// When the employment is over wherever on Earth the place of work is.
fn over_everywhere(date: Date, end: EndDate) -> Option<Timestamp> {
    end.first_day_without(date)?.to_zoned(TimeZone::UTC).ok()?.timestamp().checked_add(EVERYWHERE).ok()
}

/// Whether the ledger knows that the person left, or something newer than what the roster says.
fn knows(facts: &Facts, at: Timestamp, date: Option<Date>, grounds: &Grounds<'_>) -> bool {
    match facts.employment(grounds.now) {
        Some(Employment::Over(_)) => true,
        Some(Employment::Running(start)) => starts_since(start, at, date) || overtaken(facts, grounds),
        None => overtaken(facts, grounds),
    }
}

/// Whether an employment began since the end that the roster tells of. On one day the start wins, as among facts.
fn starts_since(start: &Fact, at: Timestamp, date: Option<Date>) -> bool {
    match (start.date, date) {
        (Some(start), Some(date)) => start >= date,
        (Some(_) | None, Some(_) | None) => start.at.is_some_and(|start| start >= at),
    }
}

/// Whether anybody said something of an end of the employment, or an operator rejected one, since the roster was dropped.
pub(super) fn overtaken(facts: &Facts, grounds: &Grounds<'_>) -> bool {
    facts.iter().filter(|fact| fact.kind == FactKind::Termination).any(|fact| match fact.standing {
        Standing::Asserted | Standing::Rescinded => fact.assertion.occurred_at > grounds.dropped_at,
        // A rejection whose time is not known is an operator's no all the same.
        Standing::Rejected => fact.rejected_at.is_none_or(|at| at > grounds.dropped_at),
    })
}
