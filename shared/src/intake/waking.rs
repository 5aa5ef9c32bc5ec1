//! Looking at one announcement: it wakes up later, is published now, or waits no more.
//!
//! The order keeps it from being lost: the fact and the record are written first (by the road's claim), then the schedule,
//! then the message is acknowledged. What is published is published before the record says so, with an id that follows from
//! the announcement's, so that a crash between publishes the same event twice, and no two.

use super::due::{Announcement, Due, Known};
use super::wake::Clock;
use crate::bus::{Bus, Entry};
use crate::decide::Reason;
use crate::event::EventType;
use crate::event::wire::Detail;
use crate::failure::{Cause, Failure, Refusal, RefusalCode};
use crate::host::Host;
use crate::ledger::{Ended, EventItem, Ledger};
use crate::person::{Facts, SubjectId};
use crate::policy::SourceRules;
use crate::roster::{Found, Roster, Row};
use crate::seal::Keys;
use jiff::{SignedDuration, Timestamp};

/// How often one record is looked at when it changes meanwhile.
const LOOKS: u32 = 6;

/// From when on an announcement counts as late: it was due so long before it came.
pub const LATE: SignedDuration = SignedDuration::from_hours(1);

/// All that looking at announcements needs.
#[derive(Debug)]
pub struct Waking<'a, B, C, H> {
    /// The ledger.
    pub ledger: &'a Ledger<H>,
    /// The roster, read again before an end acts.
    pub roster: &'a Roster<H>,
    /// What the policy says of its ends.
    pub rules: &'a SourceRules,
    /// Where it is published.
    pub bus: &'a B,
    /// The alarm clock.
    pub clock: &'a C,
    /// The keys that open records and name schedules.
    pub keys: &'a Keys,
    /// Time and chance.
    pub host: &'a H,
}

/// What became of an announcement.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Woken {
    /// It waited no more.
    Over,
    /// It wakes up then.
    Set(Timestamp),
    /// It was published as effective.
    Published {
        /// It was due so long before it came.
        late_by: Option<SignedDuration>,
    },
    /// Another assertion of its fact stands.
    Superseded,
    /// A newer roster says otherwise: it is held.
    Held,
}

impl<B: Bus, C: Clock, H: Host> Waking<'_, B, C, H> {
    /// Looks at the announcement of a record.
    ///
    /// # Errors
    /// [`Failure`]; it will be looked at again, by its message or by the sweep.
    pub async fn look(&self, key: &str) -> Result<Woken, Failure> {
        for _ in 0..LOOKS {
            let Some(record) = self.ledger.event(key).await?.filter(|record| record.due.is_some()) else {
                return Ok(Woken::Over);
            };
            if let Some(woken) = self.once(&record).await? {
                return Ok(woken);
            }
            self.host.sleep(self.host.jitter(std::time::Duration::from_millis(100))).await;
        }
        Err(Failure::retryable(Cause::Contended))
    }

    /// `None`: the record changed, or has to be looked at once more.
    async fn once(&self, record: &EventItem) -> Result<Option<Woken>, Failure> {
        let announcement = self.open(record)?;
        let person = match &record.person {
            Some(person) => self.ledger.person(person).await?,
            None => None,
        };
        let facts = person.map(|person| person.facts).unwrap_or_default();
        let row = self.row(&announcement, record, &facts).await?;
        let known = row.as_ref().map(|(row, at)| Known { row, at: *at, rules: self.rules });
        let now = self.host.now();
        match announcement.due(record, &facts, known, now) {
            Due::Over => Ok(Some(Woken::Over)),
            Due::TakeBack(detail) => {
                self.publish(&detail).await?;
                self.ledger.taken_back(record).await?;
                Ok(None)
            }
            Due::Later(at) => {
                if record.due_at != Some(at.as_millisecond()) && !self.ledger.redated(record, at).await? {
                    return Ok(None);
                }
                self.clock.set(&self.name(&announcement, record), at, &record.id).await?;
                Ok(Some(Woken::Set(at)))
            }
            Due::Publish(detail) => {
                self.publish(&detail).await?;
                let woken = Woken::Published { late_by: late_by(record) };
                Ok(self.ledger.ended(record, Ended::Published, now).await?.then_some(woken))
            }
            Due::Superseded => {
                Ok(self.ledger.ended(record, Ended::Superseded, now).await?.then_some(Woken::Superseded))
            }
            Due::Disagrees => {
                let owner = format!("{:032x}", self.host.random());
                let held = self.ledger.hold_due(record, Reason::RosterDisagrees, &owner, now).await?;
                Ok(held.then_some(Woken::Held))
            }
        }
    }

    fn open(&self, record: &EventItem) -> Result<Announcement, Failure> {
        let sealed = record.event.as_deref().map(Vec::as_slice).unwrap_or_default();
        let text = self.keys.open(sealed, &record.id).ok();
        text.as_deref().and_then(Announcement::parse).ok_or_else(|| {
            let message = "does not open with this person key: see whether ROLLCALL_PERSON_KEY is the stack's own";
            Failure::Permanent(Refusal::new(RefusalCode::Unopenable, "record", message))
        })
    }

    /// The person's row, where the roster has a say: just before an end acts.
    async fn row(
        &self,
        announcement: &Announcement,
        record: &EventItem,
        facts: &Facts,
    ) -> Result<Option<(Row, Timestamp)>, Failure> {
        let now = self.host.now();
        let acts = matches!(announcement.due(record, facts, None, now), Due::Publish(_));
        if !acts || !announcement.asks_the_roster() {
            return Ok(None);
        }
        let Some(current) = self.roster.current().await? else { return Ok(None) };
        let subject = announcement.subject();
        let ids: Vec<SubjectId> = subject.provider_subject.iter().cloned().collect();
        let version = &current.version;
        let found = self.roster.find(version, subject.worker_id.as_ref(), &ids, subject.email.as_ref()).await?;
        Ok(match found {
            Found::Row(row) => Some((*row, version.dropped_at())),
            Found::Nobody | Found::Several => None,
        })
    }

    async fn publish(&self, detail: &Detail) -> Result<(), Failure> {
        self.bus.publish(&[entry(detail)?]).await
    }

    /// `<kind>-` and 32 hexadecimal digits of a keyed hash of person and fact: one schedule a fact, and nobody is named.
    fn name(&self, announcement: &Announcement, record: &EventItem) -> String {
        let person = record.person.as_ref().map(|person| person.as_str()).unwrap_or_default();
        let kind = announcement.kind().as_str();
        format!("{kind}-{}", self.keys.hash(&["schedule", person, kind, announcement.fact()]))
    }
}

/// How long before it came it was due, where that is late.
fn late_by(record: &EventItem) -> Option<SignedDuration> {
    let came = Timestamp::from_millisecond(record.first_claimed_at).ok()?;
    let due = Timestamp::from_millisecond(record.due_at?).ok()?;
    Some(came.duration_since(due)).filter(|late| *late > LATE)
}

/// An event as the bus takes it.
///
/// # Errors
/// [`Failure::Permanent`] where kind and phase do not go together.
pub fn entry(detail: &Detail) -> Result<Entry, Failure> {
    let refusal = |message| Failure::Permanent(Refusal::new(RefusalCode::InvalidField, "detail", message));
    let event_type = EventType::new(detail.kind, detail.phase)
        .ok_or_else(|| refusal("has a kind and a phase that do not go together"))?;
    let text = serde_json::to_string(detail).map_err(|_| refusal("cannot be written as JSON"))?;
    Ok(Entry { detail_type: event_type.detail_type(), detail: text })
}
