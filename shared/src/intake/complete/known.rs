//! What is known of a person besides the event.

use super::gather::Gathered;
use super::{Event, Whence};
use crate::intake::Source;
use crate::person::{Fact, FactKind, Facts, Standing};
use crate::policy::SourceRules;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan};

/// What is known of a person besides the event.
#[derive(Clone, Copy)]
pub(super) struct Known<'a> {
    pub(super) source: Source,
    pub(super) gathered: &'a Gathered,
    pub(super) facts: &'a Facts,
    pub(super) rules: &'a SourceRules,
    pub(super) now: Timestamp,
}

impl<'a> Known<'a> {
    /// The zone of the person's place of work: as the roster has it, the API, or the policy.
    pub(super) fn zone(&self) -> Option<(&'a str, Whence)> {
        let row = self.gathered.row.as_ref().and_then(|row| row.time_zone.as_deref());
        let employee = self.gathered.employee.as_ref().and_then(|employee| employee.time_zone.as_deref());
        row.map(|zone| (zone, Whence::Roster))
            .or(employee.map(|zone| (zone, Whence::Api)))
            .or(self.rules.zone(self.source).map(|zone| (zone, Whence::Policy)))
    }

    /// The roster was dropped after an instant. When it was exported, nobody tells.
    pub(super) fn roster_is_newer_than(&self, at: Timestamp) -> bool {
        self.gathered.roster_at.is_some_and(|roster| roster > at)
    }

    /// The facts of some kinds that HR asserts, and has not taken back.
    pub(super) fn asserted(&self, kinds: &'static [FactKind]) -> impl Iterator<Item = &'a Fact> {
        self.facts.iter().filter(|fact| kinds.contains(&fact.kind) && fact.standing == Standing::Asserted)
    }

    /// The latest of the facts of some kinds, by day and then by instant.
    pub(super) fn latest(&self, kinds: &'static [FactKind]) -> Option<&'a Fact> {
        self.asserted(kinds).max_by_key(|fact| (day(fact), fact.at))
    }
}

/// Rollcall's own event, in whatever envelope: it means what it says.
pub(in crate::intake) fn is_canonical(source: Source) -> bool {
    source == Source::Canonical || source == Source::CloudEvents
}

/// Facts that begin an employment.
pub(super) const STARTS: &[FactKind] = &[FactKind::Hire, FactKind::Rehire];

/// Facts that end an employment.
pub(super) const ENDS: &[FactKind] = &[FactKind::Termination];

/// The day of a fact: its own, or that of its instant in UTC.
pub(super) fn day(fact: &Fact) -> Option<Date> {
    fact.date.or_else(|| fact.at.map(|at| at.to_zoned(TimeZone::UTC).date()))
}

/// The fact is of a day. Of one that knows its instant only, the day before and the day after will do: zones differ.
pub(super) fn is_of(fact: &Fact, date: Date) -> bool {
    match fact.date {
        Some(own) => own == date,
        None => day(fact).is_some_and(|own| (days_after(date, -1)..=days_after(date, 1)).contains(&own)),
    }
}

/// A date some days later, or as late as the calendar goes.
pub(super) fn days_after(date: Date, days: i64) -> Date {
    date.saturating_add(days.days())
}

/// When an event occurred. Adapters write an instant; whatever is none counts as now.
pub(super) fn occurred(event: &Event, now: Timestamp) -> Timestamp {
    event.detail.occurred_at.parse().unwrap_or(now)
}

/// The day of an instant in a zone; in UTC where that is unknown.
pub(super) fn day_in(zone: Option<&str>, at: Timestamp) -> Date {
    let zone = zone.and_then(|zone| TimeZone::get(zone).ok()).unwrap_or(TimeZone::UTC);
    at.to_zoned(zone).date()
}
