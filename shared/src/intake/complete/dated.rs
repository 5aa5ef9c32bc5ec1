//! When a change bites, whether it is announced or in force, and which fact it is.
//!
//! `effective.at` is left open where date, zone and basis are known, so that it is computed each time: a zone's rules
//! change, and one table of them is enough.

use super::known::{ENDS, Known, STARTS, day, day_in, days_after, is_canonical, occurred};
use super::record::Record;
use super::{AT_ONCE, Event, Whence};
use crate::event::wire::{Basis, Effective, EffectiveSource};
use crate::event::{Kind, Missing, Moment, Phase, moment};
use crate::person::{Fact, FactId, FactKind, Standing};
use crate::policy::EndDate;
use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;

/// What stands between the constant name and the date of the fact of before, in the name of a later employment's fact.
const AFTER: &str = "-after:";

/// A start that is in force for longer than these days is not moved by so many days: what comes is another start.
const SETTLED: i64 = 31;

/// Completes an event of a kind that must say when it bites.
pub(super) fn complete(event: &mut Event, known: &Known<'_>) {
    let occurred = occurred(event, known.now);
    let mut effective = event.detail.effective.take().unwrap_or(Effective {
        date: None,
        at: None,
        zone: None,
        basis: Basis::Unknown,
        source: EffectiveSource::None,
    });
    let mut completed_by = None;
    if effective.at.is_none() {
        completed_by = zone(event, &mut effective, known);
        completed_by = date(event, &mut effective, known, occurred).or(completed_by);
        basis(event.detail.kind, &mut effective, known);
        without_zone_or_date(event, &mut effective, occurred);
    }
    phase(event, &effective, known.now, completed_by.unwrap_or(Whence::EventTime));
    event.detail.effective = Some(effective);
    name(event, known);
}

fn zone(event: &mut Event, effective: &mut Effective, known: &Known<'_>) -> Option<Whence> {
    if effective.zone.is_some() {
        return None;
    }
    let (zone, whence) = known.zone()?;
    effective.zone = Some(zone.to_owned());
    event.fill(Missing::EffectiveZone, whence);
    Some(whence)
}

/// The date: of a rescission that of the fact that it takes back, else that of the sender's record or the roster's.
fn date(event: &mut Event, effective: &mut Effective, known: &Known<'_>, occurred: Timestamp) -> Option<Whence> {
    if effective.date.is_some() {
        return None;
    }
    if event.detail.phase == Phase::Rescinded {
        let fact = taken_back(event.detail.kind, known)?;
        if fact.date.is_none() && fact.at.is_none() {
            return None;
        }
        effective.date = fact.date.map(|date| date.to_string());
        effective.at = fact.at.map(|at| at.to_string());
        effective.source = EffectiveSource::Enriched;
        if effective.at.is_some() {
            effective.basis = Basis::Instant;
            event.detail.missing.remove(&Missing::EffectiveZone);
        }
        event.fill(Missing::EffectiveDate, Whence::Ledger);
        return Some(Whence::Ledger);
    }
    let (date, whence, end) = dates(event.detail.kind, known)
        .find(|(date, whence, _)| agrees(event, *date, *whence, effective.zone.as_deref(), known, occurred))?;
    effective.date = Some(date.to_string());
    effective.source = EffectiveSource::Enriched;
    effective.basis = meaning(event.detail.kind, end);
    event.fill(Missing::EffectiveDate, whence);
    Some(whence)
}

/// The dates that records have of a change, the sender's own first: it was asked now. Each with what an end would mean.
fn dates<'a>(kind: Kind, known: &Known<'a>) -> impl Iterator<Item = (Date, Whence, EndDate)> + use<'a> {
    let api = known.gathered.employee.as_ref().and_then(|employee| Record::of_employee(employee).date_of(kind));
    let row = known.gathered.row.as_ref().and_then(|row| Record::of_row(row).date_of(kind));
    let of_system = known.rules.of(known.source).map(|rule| rule.end_date).unwrap_or_default();
    let of_roster = known.rules.roster_end_date;
    let api = api.map(|date| (date, Whence::Api, of_system));
    api.into_iter().chain(row.map(|date| (date, Whence::Roster, of_roster)))
}

/// Whether a record's date can be that of this event.
///
/// What is in force does not lie ahead. What is announced does, unless the record is newer than the announcement. Neither
/// lies before the change that it follows: that is the date of a former employment, or of a former leave.
fn agrees(
    event: &Event,
    date: Date,
    whence: Whence,
    zone: Option<&str>,
    known: &Known<'_>,
    occurred: Timestamp,
) -> bool {
    let today = day_in(zone, occurred);
    let of_unknown_phase = event.detail.missing.contains(&Missing::Phase);
    let in_time = match event.detail.phase {
        Phase::Scheduled if of_unknown_phase => true,
        Phase::Scheduled => date >= today || whence == Whence::Api || known.roster_is_newer_than(occurred),
        Phase::Effective => date <= today,
        Phase::Rescinded | Phase::Unknown | Phase::Detected | Phase::Requested => false,
    };
    let follows = known.latest(before(event.detail.kind)).filter(|fact| fact.at.is_some_and(|at| at <= known.now));
    in_time && follows.and_then(day).is_none_or(|former| date >= former)
}

/// The kinds of fact that a change follows.
fn before(kind: Kind) -> &'static [FactKind] {
    match kind {
        Kind::Termination => STARTS,
        Kind::Hire | Kind::Rehire => ENDS,
        Kind::Leave => &[FactKind::Return, FactKind::Hire, FactKind::Rehire],
        Kind::Return => &[FactKind::Leave],
        Kind::JobChange
        | Kind::IdentityChange
        | Kind::AccountStatus
        | Kind::CredentialCompromise
        | Kind::Unclassified
        | Kind::LicenseReclaim
        | Kind::AccessRemoval => &[],
    }
}

/// What a date means that nobody explained. Rollcall's own events say it themselves, unless the policy speaks of them.
fn basis(kind: Kind, effective: &mut Effective, known: &Known<'_>) {
    let rule = known.rules.of(known.source);
    let speaks_for_itself = is_canonical(known.source) && rule.is_none();
    if effective.date.is_some() && effective.basis == Basis::Unknown && !speaks_for_itself {
        effective.basis = meaning(kind, rule.map(|rule| rule.end_date).unwrap_or_default());
    }
}

/// An end means what the policy says; everything else starts with its day.
fn meaning(kind: Kind, end: EndDate) -> Basis {
    if kind == Kind::Termination { end.basis() } else { Basis::StartOfDay }
}

/// What is in force, or taken back, bites at the time of the event where nobody has a better one.
///
/// A date of the sender's own is never overruled so: without a zone it is held, as the policy's `sources.zone` says.
fn without_zone_or_date(event: &mut Event, effective: &mut Effective, occurred: Timestamp) {
    let now = match event.detail.phase {
        Phase::Effective | Phase::Rescinded => effective.at.is_none(),
        Phase::Scheduled | Phase::Unknown | Phase::Detected | Phase::Requested => false,
    };
    let undated = effective.date.is_none();
    let enriched = matches!(effective.source, EffectiveSource::Enriched);
    if !now || !(undated || (enriched && effective.zone.is_none())) {
        return;
    }
    effective.at = Some(occurred.to_string());
    effective.basis = Basis::Instant;
    if undated {
        effective.source = EffectiveSource::EventTime;
        event.fill(Missing::EffectiveDate, Whence::EventTime);
    }
    event.detail.missing.remove(&Missing::EffectiveZone);
}

/// Announced or in force, as its instant says. What is taken back stays so; what has no instant stays what it was.
fn phase(event: &mut Event, effective: &Effective, now: Timestamp, whence: Whence) {
    let Some(at) = moment(effective).ok().and_then(Moment::at) else { return };
    event.detail.phase = match event.detail.phase {
        Phase::Rescinded => Phase::Rescinded,
        Phase::Scheduled | Phase::Effective | Phase::Unknown | Phase::Detected | Phase::Requested => {
            let ahead = at.duration_since(now);
            if ahead <= AT_ONCE { Phase::Effective } else { Phase::Scheduled }
        }
    };
    if event.detail.missing.contains(&Missing::Phase) {
        event.fill(Missing::Phase, whence);
    }
}

/// The fact that a rescission takes back: the latest of those that have the constant name, else the latest of its kind.
fn taken_back<'a>(kind: Kind, known: &Known<'a>) -> Option<&'a Fact> {
    let kinds: &'static [FactKind] = match kind {
        Kind::Hire => &[FactKind::Hire],
        Kind::Rehire => &[FactKind::Rehire],
        Kind::Termination => ENDS,
        Kind::Leave => &[FactKind::Leave],
        Kind::Return => &[FactKind::Return],
        Kind::JobChange => &[FactKind::JobChange],
        Kind::IdentityChange
        | Kind::AccountStatus
        | Kind::CredentialCompromise
        | Kind::Unclassified
        | Kind::LicenseReclaim
        | Kind::AccessRemoval => return None,
    };
    let named = constant(kind).and_then(|(_, constant)| {
        let own = known.asserted(kinds).filter(|fact| is_named(fact, constant));
        own.max_by_key(|fact| (day(fact), fact.at))
    });
    named.or_else(|| known.latest(kinds))
}

/// The fact about employment that an event asserts, and the name that it has, so that every order of arrival ends the same.
fn constant(kind: Kind) -> Option<(FactKind, &'static str)> {
    match kind {
        Kind::Hire => Some((FactKind::Hire, "hire")),
        Kind::Rehire => Some((FactKind::Rehire, "rehire")),
        Kind::Termination => Some((FactKind::Termination, "termination")),
        Kind::JobChange
        | Kind::Leave
        | Kind::Return
        | Kind::IdentityChange
        | Kind::AccountStatus
        | Kind::CredentialCompromise
        | Kind::Unclassified
        | Kind::LicenseReclaim
        | Kind::AccessRemoval => None,
    }
}

/// The fact has the constant name, be it of a later employment.
fn is_named(fact: &Fact, constant: &str) -> bool {
    fact.id.as_str().strip_prefix(constant).is_some_and(|rest| rest.is_empty() || rest.starts_with(AFTER))
}

/// The constant name, or where a fact of that name is in force that belongs to an employment of before, the name of the
/// next one after it: `termination-after:2026-01-31`. Else the end of a second contract would be taken for a correction
/// that moves the end of the first, and give access back.
fn employment(kind: Kind, date: Option<Date>, known: &Known<'_>) -> Option<String> {
    let (kind, constant) = constant(kind)?;
    let mut name = constant.to_owned();
    let Some(date) = date else { return Some(name) };
    let mut before = None;
    loop {
        let id = FactId::parse(&name).ok()?;
        let former = known.facts.get(kind, &id).filter(|fact| fact.standing == Standing::Asserted);
        let former = former.filter(|fact| fact.at.is_some_and(|at| at <= known.now)).and_then(day);
        match former.filter(|former| before < Some(*former) && is_another(kind, *former, date, known)) {
            None => return Some(name),
            Some(former) => {
                name = format!("{constant}{AFTER}{former}");
                before = Some(former);
            }
        }
    }
}

/// Whether a start or an end of a date is of another employment than one that is in force since a former date.
fn is_another(kind: FactKind, former: Date, date: Date, known: &Known<'_>) -> bool {
    let between = |day: Date| former <= day && day <= date;
    let known_between = |kinds| known.asserted(kinds).filter_map(day).any(between);
    if STARTS.contains(&kind) {
        let settled = days_after(former, SETTLED);
        let today = day_in(known.zone().map(|(zone, _)| zone), known.now);
        return known_between(ENDS) || (settled < date && settled < today);
    }
    let row = known.gathered.row.as_ref().and_then(|row| row.started);
    let employee = known.gathered.employee.as_ref().and_then(|employee| employee.started);
    known_between(STARTS) || [row, employee].into_iter().flatten().any(between)
}

/// Names the fact: what is taken back by the name it has, employment by its constant name, all else by kind and date.
fn name(event: &mut Event, known: &Known<'_>) {
    if event.detail.fact_id.is_some() {
        return;
    }
    let effective = event.detail.effective.as_ref();
    let date = effective
        .and_then(|effective| moment(effective).ok())
        .and_then(|moment| moment.date().or_else(|| moment.at().map(|at| at.to_zoned(TimeZone::UTC).date())));
    let named = employment(event.detail.kind, date, known).filter(|_| !is_canonical(known.source));
    let taken_back = match event.detail.phase {
        Phase::Rescinded if event.filled.contains(&(Missing::EffectiveDate, Whence::Ledger)) => {
            taken_back(event.detail.kind, known)
        }
        Phase::Rescinded
        | Phase::Scheduled
        | Phase::Effective
        | Phase::Unknown
        | Phase::Detected
        | Phase::Requested => None,
    };
    event.detail.fact_id = taken_back.map(|fact| fact.id.as_str().to_owned()).or(named);
}
