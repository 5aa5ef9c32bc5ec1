//! What becomes of an announcement when it wakes up: the fact on the person is the truth, the schedule only a call to look.
//!
//! Pure. The instant is computed anew each time: the rules of time zones change.

use crate::decide::{Reason, SOON};
use crate::event::wire::{Basis, Detail};
use crate::event::{self, Kind, Missing, Phase, WorkerEvent};
use crate::ledger::{DUE, EventItem};
use crate::person::{Fact, Facts, Subject};
use crate::policy::SourceRules;
use crate::roster::{Row, Status};
use jiff::civil::{Date, Time};
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use uuid::Uuid;

/// How much older than its correction the rescission is that takes the former time back. It only calls for another look:
/// what is due follows from the correction.
const JUST_BEFORE: SignedDuration = SignedDuration::from_micros(1);

/// An announcement as its record keeps it.
#[derive(Clone)]
pub struct Announcement {
    detail: Detail,
    event: WorkerEvent,
}

/// It is about a person.
impl std::fmt::Debug for Announcement {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Announcement").field("event_type", &self.event.event_type).finish_non_exhaustive()
    }
}

/// What HR knew of the person when the roster was dropped.
#[derive(Clone, Copy, Debug)]
pub struct Known<'a> {
    /// The person's row.
    pub row: &'a Row,
    /// When the roster was dropped.
    pub at: Timestamp,
    /// What the policy says of rosters: what their ends mean, and the zone of whoever has none.
    pub rules: &'a SourceRules,
}

/// What becomes of an announcement now.
#[derive(Clone)]
pub enum Due {
    /// It waits no more.
    Over,
    /// What followed from the time of before is taken back first.
    TakeBack(Box<Detail>),
    /// It is not due yet: wake up then.
    Later(Timestamp),
    /// It is due.
    Publish(Box<Detail>),
    /// Another assertion of its fact stands.
    Superseded,
    /// A newer roster says otherwise.
    Disagrees,
}

impl Announcement {
    /// Reads what a record keeps; `None` where that is no announcement.
    #[must_use]
    pub fn parse(text: &str) -> Option<Announcement> {
        let detail = serde_json::from_str(text).ok()?;
        let event = event::parse(text).ok()?;
        (event.event_type.phase() == Phase::Scheduled).then_some(Announcement { detail, event })
    }

    /// What is announced.
    #[must_use]
    pub fn kind(&self) -> Kind {
        self.event.event_type.kind()
    }

    /// The fact that it asserts: its name in the person's facts, whatever the kind.
    #[must_use]
    pub fn fact(&self) -> &str {
        self.event.fact.as_str()
    }

    /// Whom it is about.
    #[must_use]
    pub fn subject(&self) -> &Subject {
        &self.event.subject
    }

    /// Whether the roster is read again before it acts: an end that was taken back in silence must not.
    #[must_use]
    pub fn asks_the_roster(&self) -> bool {
        self.kind() == Kind::Termination
    }

    /// Says what becomes of it. `known` is the person's row of the roster in force, where there is one.
    #[must_use]
    pub fn due(&self, record: &EventItem, facts: &Facts, known: Option<Known<'_>>, now: Timestamp) -> Due {
        if record.due.as_deref() != Some(DUE) {
            return Due::Over;
        }
        let fact = Fact::asserted_by(&self.event);
        if fact.is_some_and(|fact| facts.overtook(&fact)) {
            return Due::Superseded;
        }
        if record.takes_back {
            return Due::TakeBack(Box::new(self.taking_back()));
        }
        let Some(at) = self.event.moment.at() else { return Due::Superseded };
        if at.duration_since(now) > SOON {
            return Due::Later(at);
        }
        let allowed = record.released.as_ref().is_some_and(|it| it.held_for == Some(Reason::RosterDisagrees));
        if self.asks_the_roster() && !allowed && known.is_some_and(|known| self.stays(known, at)) {
            return Due::Disagrees;
        }
        Due::Publish(Box::new(self.effective()))
    }

    /// Whether a roster that is newer than the announcement knows of no end by then.
    ///
    /// Compared is the first day without access: one and the same end is a last day here, and the day after there. A roster
    /// that does not speak of ends disagrees with nobody.
    fn stays(&self, known: Known<'_>, at: Timestamp) -> bool {
        if known.at <= self.event.occurred_at {
            return false;
        }
        match known.row.status {
            Status::Active | Status::OnLeave => match known.row.ends {
                Some(ends) => known.rules.roster_end_date.first_day_without(ends) > self.first_day_without(known, at),
                None => known.row.tells_end,
            },
            // Who has a contract for later may leave before.
            Status::PreHire | Status::Terminated => false,
        }
    }

    /// The first day without access of what is announced: HR's own date as it means it, else the day on which the instant is
    /// over at the place of work.
    fn first_day_without(&self, known: Known<'_>, at: Timestamp) -> Option<Date> {
        let of_date =
            self.event.moment.date().and_then(|date| match self.detail.effective.as_ref().map(|it| it.basis) {
                Some(Basis::LastDayWorked) => date.tomorrow().ok(),
                Some(Basis::FirstDayInactive | Basis::StartOfDay) => Some(date),
                Some(Basis::Instant | Basis::Unknown) | None => None,
            });
        of_date.or_else(|| {
            let zone = known.row.time_zone.as_deref().or(known.rules.zone.as_deref());
            let there = at.to_zoned(zone.and_then(|zone| TimeZone::get(zone).ok()).unwrap_or(TimeZone::UTC));
            if there.time() == Time::midnight() { Some(there.date()) } else { there.date().tomorrow().ok() }
        })
    }

    /// The event that it is when it is due. It keeps the announcement's time and fact, so it is the same assertion.
    fn effective(&self) -> Detail {
        let mut detail = self.detail.clone();
        detail.phase = Phase::Effective;
        detail.event_id = derived(&self.detail.event_id, "effective");
        detail.fact_id = Some(self.event.fact.as_str().to_owned());
        detail.missing.remove(&Missing::Phase);
        detail
    }

    /// The event that takes the time of before back.
    fn taking_back(&self) -> Detail {
        let before = self.event.occurred_at.saturating_sub(JUST_BEFORE).unwrap_or(self.event.occurred_at);
        Detail {
            phase: Phase::Rescinded,
            event_id: derived(&self.detail.event_id, "rescinded"),
            occurred_at: before.to_string(),
            ..self.effective()
        }
    }
}

/// The id of an event that follows from another: `UUIDv5(<the other's id>, <what>)`. An id that is no UUID counts by its own
/// `UUIDv5` in the name space of OIDs.
#[must_use]
pub fn derived(event_id: &str, what: &str) -> String {
    let name_space =
        Uuid::parse_str(event_id).unwrap_or_else(|_| Uuid::new_v5(&Uuid::NAMESPACE_OID, event_id.as_bytes()));
    Uuid::new_v5(&name_space, what.as_bytes()).to_string()
}
