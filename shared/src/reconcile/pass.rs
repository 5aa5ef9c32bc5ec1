//! A pass: everybody who left by the roster, and everybody from whom something was taken, in pages; what was missed goes to
//! the bus.
//!
//! A page is in memory, never all. A pass that runs out of time, or fails, is nothing lost: the next begins anew, and its
//! events have the same ids.

use super::ask::entry;
use super::{Grounds, Judgement, Leaving, Restoring, judge, leaving, restore};
use crate::batch::REALM;
use crate::bus::{Bus, ENTRIES, Entry};
use crate::directory::Deadline;
use crate::event::wire::Detail;
use crate::failure::Failure;
use crate::host::Host;
use crate::ledger::{Known, Ledger, Part, PersonItem, TakenPage};
use crate::person::{PersonKey, What};
use crate::policy::Policy;
use crate::roster::{Index, Leaver, Roster};
use crate::runs::Merged;
use crate::seal::Keys;
use crate::store::{Store, StoreFailure};
use jiff::{SignedDuration, Timestamp};
use serde::Serialize;
use thiserror::Error;

/// The most leavers that one pass asks for; the others are counted, and the next pass asks for them.
pub const MOST: u64 = 10_000;

/// How many people of the ledger are read at once.
const PAGE: usize = 100;

/// In how many parts the ledger is scanned side by side.
const PARTS: i32 = 4;

/// The most people of one kind that are named in the log; all are counted.
const NAMED: u64 = 100;

/// A pass ends so long before the deadline.
const MARGIN: SignedDuration = SignedDuration::from_secs(60);

/// How a pass ended.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// Everybody was compared.
    #[default]
    Done,
    /// The time ended first; the next pass begins anew.
    OutOfTime,
    /// No roster is in force: nothing was compared.
    NoRoster,
    /// The roster in force is older than the policy believes: nothing was compared.
    RosterTooOld,
}

/// What a pass found: the function's answer. Numbers only.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Summary {
    /// How it ended.
    pub outcome: Outcome,
    /// So many leavers of the roster were looked at.
    pub leavers: u64,
    /// So many were missed, and were asked for.
    pub missed: u64,
    /// So many were missed beyond [`MOST`], and were not asked for.
    pub deferred: u64,
    /// So many have an end that is over, and nobody knows since when: the roster tells no zone, nor does the policy.
    pub undated: u64,
    /// From so many people something was taken.
    pub taken: u64,
    /// So many of them are due to have it back, and were asked for.
    pub restored: u64,
    /// So many work there by the roster, and left by the ledger before it was dropped.
    pub contradicted: u64,
    /// So many could not be judged or not be asked for: not in the roster, or an item that cannot be read.
    pub unreached: u64,
}

/// Why a pass did not come to its end. Another may.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum PassFailure {
    /// The ledger or the roster table does not answer.
    #[error("a table: {0}")]
    Table(Failure),
    /// The leavers of the roster cannot be read.
    #[error(transparent)]
    Leavers(#[from] StoreFailure),
    /// The bus does not take events.
    #[error("the bus: {0}")]
    Bus(Failure),
}

/// Whatever a pass reads and writes.
#[derive(Debug)]
pub struct Reconcile<S, B, H> {
    /// The roster table.
    pub roster: Roster<H>,
    /// The ledger. It is only read.
    pub ledger: Ledger<H>,
    /// The objects of the rosters.
    pub store: S,
    /// Where events go.
    pub bus: B,
    /// The keys that name people.
    pub keys: Keys,
    /// Time and chance.
    pub host: H,
}

/// A pass under way.
struct Pass<'a, S, B, H> {
    over: &'a Reconcile<S, B, H>,
    grounds: Grounds<'a>,
    index: &'a Index,
    deadline: Deadline,
    /// Events that wait for a full call.
    waiting: Vec<Entry>,
    summary: Summary,
}

impl<S: Store, B: Bus, H: Host> Reconcile<S, B, H> {
    /// Compares everybody, and asks for what was missed.
    ///
    /// # Errors
    /// [`PassFailure`]. What was asked for by then is asked for again by the next pass, under the same ids.
    pub async fn pass(&self, policy: &Policy, deadline: Deadline) -> Result<Summary, PassFailure> {
        let now = self.host.now();
        let none = |outcome| Ok(Summary { outcome, ..Summary::default() });
        let Some(index) = self.roster.current().await.map_err(PassFailure::Table)? else {
            return none(Outcome::NoRoster);
        };
        let dropped_at = index.version.dropped_at();
        if now.duration_since(dropped_at).as_secs() > i64::from(policy.audit.roster_max_age.seconds()) {
            return none(Outcome::RosterTooOld);
        }
        let grounds = Grounds::new(policy, &self.keys, dropped_at, now);
        let mut pass =
            Pass { over: self, grounds, index: &index, deadline, waiting: Vec::new(), summary: Summary::default() };
        let done = pass.leavers().await? && pass.taken().await?;
        pass.publish(1).await?;
        pass.summary.outcome = if done { Outcome::Done } else { Outcome::OutOfTime };
        Ok(pass.summary)
    }
}

impl<S: Store, B: Bus, H: Host> Pass<'_, S, B, H> {
    /// Looks at the leavers of the roster. `false`: the time ended first.
    async fn leavers(&mut self) -> Result<bool, PassFailure> {
        for run in &self.index.leavers {
            let mut rows: Merged<'_, S, Leaver> = Merged::open(&self.over.store, [run.clone()]).await?;
            let mut page = Vec::with_capacity(PAGE);
            loop {
                // Who left long ago costs no read of the ledger, so a page is one of those who matter.
                let next = rows.next().await?;
                let ended = next.is_none();
                self.summary.leavers += u64::from(!ended);
                page.extend(next.filter(|leaver| self.matters(leaver)));
                if page.len() == PAGE || ended {
                    if self.is_late() {
                        return Ok(false);
                    }
                    self.judge(std::mem::take(&mut page)).await?;
                }
                if ended {
                    break;
                }
            }
        }
        Ok(true)
    }

    fn matters(&self, leaver: &Leaver) -> bool {
        match leaving(leaver, &self.grounds) {
            Leaving::Left { .. } | Leaving::Undated => true,
            Leaving::Ahead | Leaving::LongAgo => false,
        }
    }

    async fn judge(&mut self, page: Vec<Leaver>) -> Result<(), PassFailure> {
        let key = |leaver: &Leaver| PersonKey::named(REALM, What::Worker, leaver.worker_id.as_ref(), &self.over.keys);
        let keys: Vec<PersonKey> = page.iter().map(key).collect();
        let people = self.over.ledger.people(&keys, self.deadline).await.map_err(PassFailure::Table)?;
        for (leaver, key) in page.iter().zip(&keys) {
            let person = match people.get(key) {
                None | Some(Known::Nobody) => None,
                Some(Known::Person(person)) => Some(person.as_ref()),
                Some(Known::Unreadable) => {
                    self.unreached(key, "the ledger's item cannot be read");
                    continue;
                }
            };
            let mut judgement = judge(leaver, person, &self.grounds);
            if matches!(judgement, Judgement::Missed(_)) && self.summary.missed < MOST {
                judgement = judge(&self.own(leaver).await?, person, &self.grounds);
            }
            match judgement {
                Judgement::Missed(_) if self.summary.missed >= MOST => self.summary.deferred += 1,
                Judgement::Missed(detail) => {
                    self.summary.missed += 1;
                    self.ask(key, &detail, "a leaver was missed, and is asked for").await?;
                }
                Judgement::Undated => {
                    if self.summary.undated < NAMED {
                        tracing::warn!(
                            person = key.as_str(),
                            "a leaver cannot be dated; give the roster a time zone, or the policy sources.zone"
                        );
                    }
                    self.summary.undated += 1;
                }
                Judgement::Known | Judgement::Elsewhen => {}
            }
        }
        Ok(())
    }

    /// The leaver by what names nobody else: who works there may have an id or the address of who has left.
    async fn own(&self, leaver: &Leaver) -> Result<Leaver, PassFailure> {
        let (roster, version) = (&self.over.roster, &self.index.version);
        let own = roster.own(version, &leaver.worker_id, &leaver.subjects, leaver.email.as_ref()).await;
        let (subjects, email) = own.map_err(PassFailure::Table)?;
        Ok(Leaver { subjects, email, ..leaver.clone() })
    }

    /// Looks at everybody from whom something was taken. `false`: the time ended first.
    async fn taken(&mut self) -> Result<bool, PassFailure> {
        let mut parts = Part::all(PARTS);
        while !parts.is_empty() {
            if self.is_late() {
                return Ok(false);
            }
            let ledger = &self.over.ledger;
            let pages = parts.drain(..).map(|part| ledger.taken_from(part));
            let pages: Vec<TakenPage> = futures_util::future::try_join_all(pages).await.map_err(PassFailure::Table)?;
            for page in pages {
                parts.extend(page.next);
                self.summary.unreached += page.unreadable;
                for people in page.people.chunks(PAGE) {
                    self.restore(people).await?;
                }
            }
        }
        Ok(true)
    }

    async fn restore(&mut self, people: &[PersonItem]) -> Result<(), PassFailure> {
        let keys: Vec<PersonKey> = people.iter().filter_map(PersonItem::key).collect();
        let rows = self.over.roster.people(&self.index.version, &keys, self.deadline).await;
        let rows = rows.map_err(PassFailure::Table)?;
        for (person, key) in people.iter().filter_map(|person| Some((person, person.key()?))) {
            self.summary.taken += 1;
            let mut restoring = restore(person, rows.get(&key), &self.grounds);
            if let (Restoring::Due(_), Some(row)) = (&restoring, rows.get(&key)) {
                let own = self.over.roster.own_row(&self.index.version, row.clone()).await;
                restoring = restore(person, Some(&own.map_err(PassFailure::Table)?), &self.grounds);
            }
            match restoring {
                Restoring::Due(detail) => {
                    self.summary.restored += 1;
                    self.ask(&key, &detail, "access is due again, and is asked for").await?;
                }
                Restoring::NotDue | Restoring::Busy => {}
                Restoring::Contradicted => {
                    if self.summary.contradicted < NAMED {
                        tracing::warn!(
                            person = key.as_str(),
                            "works there by the roster, and left by the ledger: if the roster is right, HR must rescind"
                        );
                    }
                    self.summary.contradicted += 1;
                }
                Restoring::Unreached => {
                    self.unreached(&key, "access may be due again, and the roster does not say whose")
                }
            }
        }
        Ok(())
    }

    async fn ask(&mut self, person: &PersonKey, detail: &Detail, what: &'static str) -> Result<(), PassFailure> {
        tracing::info!(person = person.as_str(), event.id = detail.event_id, "{what}");
        self.waiting.extend(entry(detail));
        self.publish(ENTRIES).await
    }

    /// Publishes what waits, where that is so much.
    async fn publish(&mut self, least: usize) -> Result<(), PassFailure> {
        if self.waiting.len() >= least {
            self.over.bus.publish(&self.waiting).await.map_err(PassFailure::Bus)?;
            self.waiting.clear();
        }
        Ok(())
    }

    fn unreached(&mut self, person: &PersonKey, why: &'static str) {
        if self.summary.unreached < NAMED {
            tracing::warn!(person = person.as_str(), "{why}");
        }
        self.summary.unreached += 1;
    }

    fn is_late(&self) -> bool {
        let until: Timestamp = self.deadline.instant().saturating_sub(MARGIN).unwrap_or(self.grounds.now);
        self.over.host.now() >= until
    }
}
