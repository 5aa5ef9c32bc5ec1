//! When a change bites: from date, zone and basis to an instant.
//!
//! A bare date is never midnight UTC. Without zone or basis there is no instant, and the event is held.

use super::wire::{Basis, Effective};
use super::{Refusal, RefusalCode};
use jiff::{Timestamp, civil::Date, tz::TimeZone};

/// When a fact takes effect.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Moment {
    /// At an instant; the local date too, where it is known.
    At {
        /// The instant.
        at: Timestamp,
        /// The date at the person's work site.
        date: Option<Date>,
    },
    /// The sender gave too little to compute an instant.
    Undatable {
        /// The date, where at least that is known.
        date: Option<Date>,
    },
}

impl Moment {
    /// The instant, where there is one.
    #[must_use]
    pub fn at(self) -> Option<Timestamp> {
        match self {
            Moment::At { at, .. } => Some(at),
            Moment::Undatable { .. } => None,
        }
    }

    /// The local date, where it is known.
    #[must_use]
    pub fn date(self) -> Option<Date> {
        match self {
            Moment::At { date, .. } | Moment::Undatable { date } => date,
        }
    }
}

/// Dates a change.
///
/// An instant that the sender gave wins. Else the last day worked ends with that day at the work site (the first
/// instant of the next day there, whatever daylight saving does), and the other bases start with it.
///
/// # Errors
/// A [`Refusal`] where the zone is no IANA zone or the date has no such day.
pub(crate) fn moment(effective: &Effective) -> Result<Moment, Refusal> {
    let zone = effective.zone.as_deref().map(zone).transpose()?;
    let date = effective.date.as_deref().map(date).transpose()?;
    if let Some(at) = effective.at.as_deref().map(instant).transpose()? {
        let date = date.or_else(|| zone.map(|zone| at.to_zoned(zone).date()));
        return Ok(Moment::At { at, date });
    }
    let (Some(date), Some(zone)) = (date, zone) else {
        return Ok(Moment::Undatable { date });
    };
    let first_day = match effective.basis {
        Basis::LastDayWorked => date.tomorrow().map_err(|_| out_of_range())?,
        Basis::FirstDayInactive | Basis::StartOfDay => date,
        Basis::Instant | Basis::Unknown => return Ok(Moment::Undatable { date: Some(date) }),
    };
    let at =
        first_day.to_zoned(zone).map_err(|_| out_of_range())?.start_of_day().map_err(|_| out_of_range())?.timestamp();
    Ok(Moment::At { at, date: Some(date) })
}

fn zone(name: &str) -> Result<TimeZone, Refusal> {
    TimeZone::get(name).map_err(|_| {
        Refusal::new(
            RefusalCode::InvalidField,
            "detail.effective.zone",
            "is no IANA time zone, for example \"Europe/Paris\"",
        )
    })
}

/// A date and nothing else: jiff reads the date of a longer text, too.
fn date(text: &str) -> Result<Date, Refusal> {
    let parsed = (text.len() == "2026-11-30".len()).then(|| text.parse().ok()).flatten();
    let message = "must be a date, for example \"2026-11-30\"";
    parsed.ok_or_else(|| Refusal::new(RefusalCode::InvalidField, "detail.effective.date", message))
}

fn instant(text: &str) -> Result<Timestamp, Refusal> {
    text.parse().map_err(|_| {
        let message = "must be a time with an offset, for example \"2026-11-30T17:00:00Z\"";
        Refusal::new(RefusalCode::InvalidField, "detail.effective.at", message)
    })
}

fn out_of_range() -> Refusal {
    Refusal::new(RefusalCode::InvalidField, "detail.effective.date", "is outside the calendar")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::wire::EffectiveSource;

    fn at(date: &str, zone: &str, basis: Basis) -> Option<String> {
        let effective = Effective {
            date: Some(date.into()),
            at: None,
            zone: Some(zone.into()),
            basis,
            source: EffectiveSource::Payload,
        };
        moment(&effective).unwrap().at().map(|at| at.to_string())
    }

    #[test]
    fn a_last_day_worked_ends_with_that_day_at_the_work_site() {
        assert_eq!(at("2026-11-30", "America/New_York", Basis::LastDayWorked).as_deref(), Some("2026-12-01T05:00:00Z"));
        assert_eq!(at("2026-11-30", "Pacific/Auckland", Basis::LastDayWorked).as_deref(), Some("2026-11-30T11:00:00Z"));
    }

    #[test]
    fn a_first_day_inactive_starts_that_day() {
        assert_eq!(at("2026-11-30", "Europe/Paris", Basis::FirstDayInactive).as_deref(), Some("2026-11-29T23:00:00Z"));
    }

    #[test]
    fn a_day_without_midnight_starts_at_its_first_instant() {
        // Clocks in Santiago skip from 24:00 on 2026-09-05 to 01:00 on 2026-09-06 (IANA tzdb).
        assert_eq!(at("2026-09-05", "America/Santiago", Basis::LastDayWorked).as_deref(), Some("2026-09-06T04:00:00Z"));
    }

    #[test]
    fn a_date_of_unknown_meaning_has_no_instant() {
        assert_eq!(at("2026-11-30", "Europe/Paris", Basis::Unknown), None);
    }
}
