//! What a recollection means for a job, before anything is looked up or decided. Pure.

use super::job::{Job, PANICS};
use super::{Told, Verdict};
use crate::decide::{Reason, admit};
use crate::directory::{AccountState, Found};
use crate::event::Kind;
use crate::failure::{Cause, Refusal, RefusalCode};
use crate::ledger::AliasWrite;
use crate::ledger::{EventItem, Lease, PersonItem, Recollection, Release, State};
use crate::outcome::{Outcome, StoredOutcome};
use crate::person::{Fact, PersonKey, Standing};
use crate::plan::{ActionClass, Plan, Wish};
use crate::protect;
use crate::routes::Function;
use jiff::{SignedDuration, Timestamp};
use std::collections::BTreeSet;
use std::time::Duration;

/// When the function gives up on an event, counted from its first claim.
pub(crate) const GIVE_UP_AFTER: SignedDuration = SignedDuration::from_hours(24);

/// How many attempts in a row may end without a settle.
const ATTEMPTS: u32 = 5;

/// A job that is to be decided, with all that its claim rests on.
#[derive(Clone, Debug)]
pub(super) struct Open {
    pub(super) job: Job,
    /// The `rev` of the event's record; `None` where there is none yet.
    pub(super) event_rev: Option<u64>,
    pub(super) first_claimed_at: i64,
    /// When it came first, in milliseconds since 1970: a release or a redrive begins its time anew, and not this.
    pub(super) received_at: i64,
    pub(super) attempt: u32,
    /// The plan of an earlier attempt, where it did not conclude.
    pub(super) prior: Option<Plan>,
    /// An attempt at another event of the person ended without a settle.
    pub(super) takeover: bool,
    /// That attempt was about to take access.
    pub(super) suspension_died: bool,
    /// The person with all its facts, this event's among them.
    pub(super) person: Option<(PersonKey, PersonItem)>,
    /// The persons that it was merged with.
    pub(super) merged: Vec<PersonItem>,
    pub(super) aliases: Vec<AliasWrite>,
    /// Keys of items whose absence the resolution rests on.
    pub(super) absent: Vec<String>,
    /// Keys of people whom the resolution takes for somebody else.
    pub(super) apart: BTreeSet<String>,
    /// The address belongs to somebody else by now.
    pub(super) address_lost: bool,
    /// Other people who had the address before, and who may have a user.
    pub(super) others: Vec<PersonItem>,
    /// The account of the person's user, as it is now.
    pub(super) account: Option<AccountState>,
    /// The class of whose budget it took a unit.
    pub(super) braked: Option<ActionClass>,
    /// Who released it.
    pub(super) released: Option<Release>,
    /// It moves a fact that is in force to a later time: what followed from that must be taken back.
    pub(super) takes_back: bool,
    /// It claims its own record alone.
    pub(super) alone: bool,
    /// Refused before its fact could count.
    pub(super) refused: Option<Refusal>,
    /// Tried for too long. Its fact counts.
    pub(super) gave_up: Option<Refusal>,
}

impl Open {
    /// The keyed hashes of whom it is about, by every identifier that is or was tied to them: whoever gets another
    /// address stays whom the policy names by the one of before.
    pub(super) fn hashes(&self) -> BTreeSet<String> {
        let person = self.person.as_ref();
        let aliases = person.into_iter().flat_map(|(_, person)| person.aliases.iter().chain(&person.former_aliases));
        protect::hashes(&self.job.identities, person.map(|(key, _)| key), aliases)
    }

    /// What a look-up by the address found for this person: a user that another person had is not theirs, unless an
    /// operator says so. Then it is no longer the other's.
    pub(super) fn own(&mut self, found: Found, now: Timestamp) -> Found {
        let Found::Somebody { account, user } = &found else { return found };
        let Some((_, person)) = self.person.as_ref().filter(|_| !self.alone) else { return found };
        // Of whom Rollcall invited, it knows the account alone: the directory does not tell the id.
        let invited_there =
            |it: &PersonItem| it.user.is_none() && it.account.as_ref().is_some_and(|known| known.id == account.id);
        // By an address that was given up, whoever was invited by it since is found.
        let renames = self.job.content.as_ref().is_ok_and(|event| event.event_type.kind() == Kind::IdentityChange);
        let invited = invited_there(person) && !(renames && self.others.iter().any(invited_there));
        let known = person.user.as_ref() == Some(&user.id);
        // Whose user is not known may have this one.
        let theirs = |other: &&PersonItem| {
            other.id != person.id
                && other.user.as_ref().map_or(!known && !invited, |theirs| theirs == &user.id && !known)
        };
        let Some(other) = self.others.iter().find(theirs) else { return found };
        let allowed = self.released.as_ref().is_some_and(|it| it.held_for == Some(Reason::AddressReused));
        if !allowed || other.busy_until(&self.job.event_key, now.as_millisecond()).is_some() {
            return Found::SomebodyElses;
        }
        // It is written now: no check of it besides.
        self.apart.remove(&other.id);
        let (rev, taken) = (other.rev + 1, None);
        self.merged.push(PersonItem { rev, user: None, account: None, licence: None, taken, ..other.clone() });
        found
    }
}

/// What a recollection means for a job.
#[derive(Debug)]
pub(super) enum Considered {
    /// It is over for this invocation.
    Finished(Box<Job>, Verdict),
    /// It takes another round, under another key.
    Rekeyed(Box<Job>),
    /// It is to be decided.
    Open(Box<Open>),
}

/// Duplicates and running leases end here; a person's facts join the event's.
pub(super) fn consider(mut job: Job, recalled: Recollection, function: Function, now: Timestamp) -> Considered {
    let now_ms = now.as_millisecond();
    let owner = job.owner.clone().unwrap_or_default();
    let recorded = || recalled.event.as_ref().and_then(|event| event.person.clone());
    job.person = recalled.person.as_ref().map(|(key, _)| key.clone()).or_else(recorded);
    if let Some(event) = &recalled.event {
        match standing(&job, event, &owner, now_ms) {
            Bearing::Reused => {
                let message = "came before with another meaning; give each event an id of its own";
                let refusal = Refusal::new(RefusalCode::EventIdReused, "detail.eventId", message);
                return Considered::Rekeyed(Box::new(job.under_its_body(function, refusal)));
            }
            Bearing::Duplicate => {
                let told = Told::Duplicate(event.data.clone().map(StoredOutcome::new));
                return Considered::Finished(Box::new(job), Verdict { told, after: None, confirmed_after: None });
            }
            Bearing::Busy(until) => return busy(job, until, now_ms),
            Bearing::Open => {}
        }
    }
    if let Some(until) = awaited(&recalled, &job.event_key, now_ms) {
        return busy(job, until, now_ms);
    }
    let leases = recalled.person.iter().chain(&recalled.merges).filter(|_| !function.never_waits());
    if let Some(until) = leases.filter_map(|(_, person)| person.busy_until(&job.event_key, now_ms)).max() {
        return busy(job, until, now_ms);
    }
    if job.content.as_ref().is_err_and(|refusal| refusal.code == RefusalCode::Panicked) && job.receive_count() < PANICS
    {
        return Considered::Finished(Box::new(job), Verdict::again(Cause::Panicked, None));
    }
    Considered::Open(Box::new(open(job, recalled, function, now)))
}

/// How an event's record bears on a message that carries it.
enum Bearing {
    Reused,
    Duplicate,
    Busy(i64),
    Open,
}

fn standing(job: &Job, event: &EventItem, owner: &str, now: i64) -> Bearing {
    if event.validation != job.validation {
        return Bearing::Reused;
    }
    match event.state {
        State::Applied | State::Unchanged | State::Superseded | State::Rejected => Bearing::Duplicate,
        // Without the token of the hold, a message is a duplicate.
        State::Held | State::Observed if job.release.as_ref().is_some_and(|it| it.token == event.owner) => {
            Bearing::Open
        }
        State::Held | State::Observed => Bearing::Duplicate,
        State::Parked if job.parked_as.as_ref() == Some(&event.owner) => Bearing::Open,
        State::Parked => Bearing::Duplicate,
        State::Running => match event.in_progress_expiration {
            Some(until) if until > now && event.owner != owner => Bearing::Busy(until),
            Some(_) | None => Bearing::Open,
        },
        State::Retry => Bearing::Open,
    }
}

/// Until when nobody can tell what became of an invitation of this event: what was sent may still take effect.
fn awaited(recalled: &Recollection, event_key: &str, now: i64) -> Option<i64> {
    let sent = recalled.event.as_ref()?.plan.as_ref()?.awaits_invitation();
    let (_, person) = recalled.person.as_ref().filter(|_| sent)?;
    person.lease.as_ref().filter(|lease| lease.event == event_key && lease.until > now).map(|lease| lease.until)
}

fn busy(job: Job, until: i64, now: i64) -> Considered {
    let wait = u64::try_from(until - now).unwrap_or_default();
    // A little later than the lease's end: clocks differ.
    let after = Duration::from_millis(wait) + Duration::from_secs(1);
    Considered::Finished(Box::new(job), Verdict::again(Cause::Busy, Some(after)))
}

fn open(job: Job, recalled: Recollection, function: Function, now: Timestamp) -> Open {
    let Recollection { event, person, aliases, merges, absent, apart, address_lost, others } = recalled;
    let mut open = Open {
        event_rev: event.as_ref().map(|event| event.rev),
        first_claimed_at: now.as_millisecond(),
        received_at: now.as_millisecond(),
        attempt: 1,
        prior: None,
        takeover: false,
        suspension_died: false,
        person,
        merged: Vec::new(),
        aliases,
        absent,
        apart,
        address_lost,
        others,
        account: None,
        braked: None,
        released: None,
        takes_back: false,
        alone: function.never_waits(),
        refused: None,
        gave_up: None,
        job,
    };
    if let Some(event) = event {
        remember(&mut open, event, now);
    }
    open.gave_up = gives_up(&open, now);
    open.refused = admission(&mut open, merges, function, now).err();
    open
}

/// Takes over what an earlier attempt left in the event's record.
fn remember(open: &mut Open, event: EventItem, now: Timestamp) {
    open.received_at = event.came_at();
    open.braked = event.braked;
    open.released = event.released;
    open.takes_back = event.takes_back;
    match event.state {
        // A redrive starts anew.
        State::Parked => open.prior = event.plan,
        State::Retry => {
            open.first_claimed_at = event.first_claimed_at;
            open.prior = event.plan;
        }
        // Our own claim, whose answer was lost: nothing of its plan was sent.
        State::Running if open.job.owner.as_ref() == Some(&event.owner) => {
            open.first_claimed_at = event.first_claimed_at;
            open.attempt = event.attempt;
            open.prior = event.plan.map(Plan::unsent);
        }
        State::Running => {
            open.first_claimed_at = event.first_claimed_at;
            open.attempt = event.attempt + 1;
            open.prior = event.plan.map(Plan::abandoned);
        }
        // A release starts anew. What was only planned when it was held was never sent.
        State::Held | State::Observed => {
            let outcome: Option<Outcome> = event.data.as_deref().and_then(|data| serde_json::from_str(data).ok());
            let held_for = outcome.and_then(|outcome| outcome.reason.decided());
            let release = |it: &crate::release::Release| Release {
                by: it.by.clone(),
                sender: it.sender.clone(),
                at: now,
                held_for,
            };
            open.released = open.job.release.as_ref().map(release);
            let prior = event.plan.filter(Plan::has_begun);
            // A yes to another mail is used up by that mail.
            let mails = matches!(held_for, Some(Reason::InvitationFailed | Reason::InvitationUnknown));
            open.prior = if mails { prior.map(Plan::mailing_again) } else { prior };
        }
        State::Applied | State::Unchanged | State::Superseded | State::Rejected => {}
    }
}

fn gives_up(open: &Open, now: Timestamp) -> Option<Refusal> {
    let since = now.as_millisecond() - open.first_claimed_at;
    if since > i64::try_from(GIVE_UP_AFTER.as_millis()).unwrap_or(i64::MAX) {
        return Some(Refusal::new(
            RefusalCode::GaveUp,
            "event",
            "was not settled within 24 hours of its first attempt",
        ));
    }
    (open.attempt > ATTEMPTS)
        .then(|| Refusal::new(RefusalCode::AttemptsExhausted, "event", "had 5 attempts that ended without an outcome"))
}

/// Admits the event and joins its fact to the person's. A refused event leaves no fact.
fn admission(
    open: &mut Open,
    merges: Vec<(PersonKey, PersonItem)>,
    function: Function,
    now: Timestamp,
) -> Result<(), Refusal> {
    let event = open.job.content.as_ref().map_err(Clone::clone)?;
    admit(function, event, now)?;
    let Some((key, person)) = open.person.as_mut().filter(|_| !function.never_waits()) else {
        return Ok(());
    };
    let too_many =
        |_| Refusal::new(RefusalCode::TooManyFacts, "subject", "has 32 facts already, and none of them is over");
    let mut abandoned: Vec<Lease> = Vec::new();
    for (_, mut merged) in merges {
        person.facts.unite(&merged.facts, now).map_err(too_many)?;
        if person.user.is_none() {
            person.account = merged.account.take().or(person.account.take());
            (person.user, person.licence) = (merged.user.take(), merged.licence.take());
        }
        person.renamed |= merged.renamed;
        person.taken = person.taken.take().or(merged.taken.take());
        if person.wish.is_none() {
            person.set_wish(merged.wish.take().map_or(Wish::Keep, Wish::Set), now);
        }
        // What died under the one person is unfinished for the other.
        let lease = merged.lease.take().filter(|lease| lease.event != open.job.event_key);
        abandoned.extend(lease.clone());
        person.lease = person.lease.take().or(lease);
        // By whatever identifier an event or the policy names them.
        let known = |alias: &String| !person.aliases.contains(alias);
        let more: Vec<String> = merged.aliases.drain(..).filter(known).collect();
        person.aliases.extend(more);
        person.former_aliases.append(&mut merged.former_aliases);
        open.merged.push(PersonItem {
            id: merged.id,
            rev: merged.rev + 1,
            merged_into: Some(key.clone()),
            ..PersonItem::default()
        });
    }
    // A fact without an instant decides nothing, and must not take the place of a dated one: the event is held.
    if let Some(fact) = Fact::asserted_by(event).filter(|fact| fact.at.is_some() || fact.standing != Standing::Asserted)
    {
        open.takes_back |= person.facts.moves_later(&fact, now);
        person.facts.assert(fact, now).map_err(too_many)?;
    }
    abandoned.extend(person.lease.clone().filter(|lease| lease.event != open.job.event_key));
    for lease in abandoned {
        let took = lease.event.starts_with(Function::SuspendUser.as_str());
        open.takeover = true;
        open.suspension_died |= took;
        // Every other attempt may have set a licence, and nobody wrote down which.
        person.licence = person.licence.take().filter(|_| took);
    }
    if let Some(strongest) = open.job.identities.first() {
        person.named_by = Some(strongest.what().stronger(person.named_by));
    }
    // A change of address that is not in force yet, or that nobody can date, ties nothing.
    if event.event_type.kind() == Kind::IdentityChange {
        match event.moment.at() {
            Some(at) if at <= now => {
                person.renamed |= event.subject.former_email.is_some();
                if let Some(given_up) = &open.job.given_up {
                    person.gives_up(given_up.address.alias_key());
                }
            }
            Some(_) | None => {
                open.aliases.clear();
                open.absent.clear();
            }
        }
    }
    for alias in &open.aliases {
        let id = &alias.item.id;
        if &alias.item.person != key {
            person.aliases.retain(|known| known != id);
        } else if !person.aliases.contains(id) {
            person.aliases.push(id.clone());
        }
    }
    Ok(())
}
