//! What a decision writes: the claim before, and the settlement after. Pure.

use super::consider::Open;
use crate::apply::Ending;
use crate::decide::{Concluded, Conclusion, Decision, Reason};
use crate::directory::{AccountType, Found, Operation, Registration};
use crate::failure::{Cause, Refusal};
use crate::ledger::{
    Claim, DUE, EventItem, Learnt, Lease, PersonItem, REMEMBERED_FOR, Settlement, State, Taken, TakenChange,
};
use crate::outcome::Outcome;
use crate::person::{Asserted, Fact};
use crate::plan::{ActionClass, Plan, StepStatus, Wish};
use jiff::Timestamp;
use serde_bytes::ByteBuf;
use std::collections::BTreeSet;
use std::time::Duration;

/// What an attempt is about to write, and what follows from it.
#[derive(Debug)]
pub(super) struct Chosen {
    pub(super) open: Open,
    pub(super) claim: Claim,
    pub(super) next: Next,
    /// The person was found to have access: nothing is left to be given back.
    pub(super) restored: bool,
    /// When it was decided.
    pub(super) claimed_at: Timestamp,
}

/// What follows once a claim is written.
#[derive(Debug)]
pub(super) enum Next {
    /// The steps of the plan.
    Act(Plan),
    /// Nothing: the outcome was written with the claim.
    Nothing(Outcome),
    /// The dead-letter queue.
    Park(Refusal),
    /// Nothing now: the record says `retry`, and the message comes again.
    Postponed(Cause, Option<Duration>),
}

/// The stamp of one attempt.
#[derive(Clone, Debug)]
pub(super) struct Attempt {
    /// Its fencing token.
    pub(super) owner: String,
    /// When its lease ends, in milliseconds since 1970.
    pub(super) until: i64,
    /// The time now.
    pub(super) now: Timestamp,
}

/// Builds the claim of a decision. `None` where the decision claims nothing.
pub(super) fn choose(
    open: Open,
    decision: Decision,
    found: Option<&Found>,
    attempt: &Attempt,
    sealed: Option<Vec<u8>>,
) -> Option<Chosen> {
    let mut event = event_item(&open, attempt);
    let mut kept = Kept::default();
    let next = match decision {
        Decision::LookUp | Decision::Wait(_) => return None,
        Decision::Act(plan) => {
            event.plan = Some(plan.clone());
            Next::Act(plan)
        }
        Decision::Park(refusal) => {
            event.plan.clone_from(&open.prior);
            Next::Park(refusal)
        }
        Decision::Conclude(conclusion) => {
            event.plan.clone_from(&conclusion.confirmed);
            kept = Kept { wish: conclusion.wish, restored: conclusion.restored };
            if let Some(due) = conclusion.due {
                event.event = sealed.map(ByteBuf::from);
                (event.due, event.due_at) = (Some(DUE.to_owned()), Some(due.as_millisecond()));
            } else {
                event.takes_back = false;
            }
            Next::Nothing(concluded(conclusion))
        }
        Decision::Hold(reason) => {
            event.event = sealed.map(ByteBuf::from);
            event.plan.clone_from(&open.prior);
            Next::Nothing(Outcome::decided(State::Held, reason, None, None))
        }
        Decision::Observe(plan) => {
            event.event = sealed.map(ByteBuf::from);
            let outcome = Outcome::decided(State::Observed, Reason::ObserveMode, None, Some(&plan));
            event.plan = Some(plan);
            Next::Nothing(outcome)
        }
    };
    if let Next::Nothing(outcome) = &next {
        // What waits for its time is remembered until then, and from then on as long as any other.
        let expiration = expiration(outcome.outcome, attempt.now).filter(|_| event.due.is_none());
        conclude(&mut event, outcome, expiration, attempt.now);
    }
    let person = person_item(&open, &next, kept, found, attempt);
    let claim = claim(&open, event, person);
    Some(Chosen { open, claim, next, restored: kept.restored, claimed_at: attempt.now })
}

/// What goes with the person is written with the person: not where the event was refused, or claims its record alone.
fn claim(open: &Open, event: EventItem, person: Option<PersonItem>) -> Claim {
    let with_person = person.is_some();
    Claim {
        event,
        event_rev: open.event_rev,
        merged: if with_person { open.merged.clone() } else { Vec::new() },
        aliases: if with_person { open.aliases.clone() } else { Vec::new() },
        absent: if with_person { open.absent.clone() } else { Vec::new() },
        apart: if with_person { open.apart.clone() } else { BTreeSet::new() },
        budgets: BTreeSet::new(),
        person,
    }
}

impl Chosen {
    /// The same, held by the brake instead of carried out. Its plan stays to be seen.
    pub(super) fn held(&self, reason: Reason, sealed: Vec<u8>) -> (Claim, Outcome) {
        let mut claim = self.claim.clone();
        let outcome = Outcome::decided(State::Held, reason, None, claim.event.plan.as_ref());
        claim.event.event = Some(ByteBuf::from(sealed));
        conclude(&mut claim.event, &outcome, None, self.claimed_at);
        if let Some(person) = &mut claim.person {
            person.lease = self.open.person.as_ref().and_then(|(_, person)| person.lease.clone());
        }
        (claim, outcome)
    }

    /// The same once its claim is written, with what was written in place of its plan.
    pub(super) fn written(self, claim: Claim, held: Option<Outcome>) -> Chosen {
        let next = held.map_or(self.next, Next::Nothing);
        Chosen { open: self.open, claim, next, restored: self.restored, claimed_at: self.claimed_at }
    }

    /// What it is about to take away.
    pub(super) fn takes(&self) -> Option<ActionClass> {
        match &self.next {
            Next::Act(plan) => plan.takes(),
            Next::Nothing(_) | Next::Park(_) | Next::Postponed(..) => None,
        }
    }
}

/// Writes an outcome that needs no step into the record.
fn conclude(event: &mut EventItem, outcome: &Outcome, expiration: Option<i64>, now: Timestamp) {
    event.state = outcome.outcome;
    event.settled_at = Some(now.as_millisecond());
    event.status = outcome.outcome.status().to_owned();
    event.attention = outcome.outcome.attention().map(str::to_owned);
    event.data = Some(outcome.to_json());
    event.in_progress_expiration = None;
    event.expiration = expiration;
}

/// Builds the claim of an event that the directory gave no answer for: its fact, and since when it is tried.
pub(super) fn postpone(open: Open, cause: Cause, after: Option<Duration>, attempt: &Attempt) -> Chosen {
    let mut event = event_item(&open, attempt);
    let outcome = Outcome::again(cause, open.prior.as_ref());
    event.state = outcome.outcome;
    event.settled_at = Some(attempt.now.as_millisecond());
    event.data = Some(outcome.to_json());
    event.in_progress_expiration = None;
    event.plan.clone_from(&open.prior);
    let next = Next::Postponed(cause, after);
    let person = person_item(&open, &next, Kept::default(), None, attempt);
    let claim = claim(&open, event, person);
    Chosen { open, claim, next, restored: false, claimed_at: attempt.now }
}

fn event_item(open: &Open, attempt: &Attempt) -> EventItem {
    let content = open.job.content.as_ref().ok();
    EventItem {
        id: open.job.event_key.clone(),
        status: State::Running.status().to_owned(),
        state: State::Running,
        rev: open.event_rev.unwrap_or(0) + 1,
        owner: attempt.owner.clone(),
        attempt: open.attempt,
        person: open.person.as_ref().map(|(key, _)| key.clone()),
        occurred_at: content.map(|event| event.occurred_at),
        detail_type: content.map(|event| event.event_type.detail_type().to_owned()),
        effective_at: content.and_then(|event| event.moment.at()).map(Timestamp::as_millisecond),
        first_claimed_at: open.first_claimed_at,
        received_at: Some(open.received_at).filter(|at| *at != open.first_claimed_at),
        settled_at: None,
        in_progress_expiration: Some(attempt.until),
        expiration: None,
        validation: open.job.validation.clone(),
        data: None,
        plan: None,
        attention: None,
        event: None,
        asserts: content.and_then(Fact::asserted_by).map(|fact| Asserted::of(&fact)),
        releasing: None,
        due: None,
        due_at: None,
        takes_back: open.takes_back,
        braked: open.braked,
        released: open.released.clone(),
        rejected: None,
    }
}

/// What a conclusion changes of what is kept on the person.
#[derive(Clone, Copy, Default)]
struct Kept {
    wish: Wish,
    restored: bool,
}

/// The person after the claim; `None` for an event that was refused before its fact could count, or claims its record
/// alone.
fn person_item(open: &Open, next: &Next, kept: Kept, found: Option<&Found>, attempt: &Attempt) -> Option<PersonItem> {
    let (_, person) = open.person.as_ref().filter(|_| open.refused.is_none() && !open.alone)?;
    let mut person = person.clone();
    person.rev += 1;
    // A lease of this event has nothing left to guard, unless something may still take effect under it. One that another
    // event left behind stays, until that event comes back: it says that what the directory shows may still change.
    let resolved = matches!(next, Next::Nothing(outcome) if outcome.outcome == State::Applied);
    let unresolved = !resolved && open.prior.as_ref().is_some_and(|it| it.is_unresolved() || it.may_echo());
    let guards = |lease: &Lease| unresolved && lease.until > attempt.now.as_millisecond();
    person.lease = person.lease.take().filter(|lease| lease.event != open.job.event_key || guards(lease));
    match next {
        Next::Act(plan) => {
            let (owner, event) = (attempt.owner.clone(), open.job.event_key.clone());
            person.lease = Some(Lease { owner, until: attempt.until, event });
            person.account = Some(plan.account.clone());
            person.user = plan.user.clone().filter(|_| !blocked_by_others(plan, Some(&person)));
            person.licence = plan.before.as_ref().and_then(|before| before.licence.clone()).or(person.licence);
        }
        Next::Nothing(outcome) => {
            match found {
                // Whom somebody else blocked is looked up again next time: blocked from memory, it would count as taken.
                Some(Found::Somebody { user, .. })
                    if user.registration == Registration::Suspended && person.taken.is_none() => {}
                Some(Found::Somebody { account, user }) => {
                    person.account = Some(account.clone());
                    person.user = Some(user.id.clone());
                    person.licence.clone_from(&user.licence);
                }
                Some(Found::Nobody { .. }) => (person.account, person.user, person.licence) = (None, None, None),
                Some(Found::SomebodyElses | Found::SeveralAccounts | Found::UnknownAccount) | None => {}
            }
            // An earlier attempt's removal, read back.
            let removal = open.prior.as_ref().filter(|prior| prior.takes_access());
            if outcome.outcome == State::Applied && person.taken.is_none() {
                person.taken = removal.map(|prior| taken(prior, &open.job.event_key, attempt.now));
            }
            if kept.restored {
                person.taken = None;
            }
            person.set_wish(kept.wish, attempt.now);
        }
        Next::Park(_) | Next::Postponed(..) => {}
    }
    // Whose user is known, or is made now, is not missed under an address of before.
    let invites = matches!(next, Next::Act(plan) if plan.step(Operation::Invite).is_some());
    person.renamed &= person.user.is_none() && !invites;
    Some(person)
}

fn concluded(conclusion: Conclusion) -> Outcome {
    let state = match conclusion.result {
        Concluded::Applied => State::Applied,
        Concluded::Unchanged => State::Unchanged,
        Concluded::Superseded => State::Superseded,
    };
    Outcome::decided(state, conclusion.reason, conclusion.decided_by, conclusion.confirmed.as_ref())
}

/// Builds the settlement of a plan that was carried out as far as it went.
pub(super) fn settle_plan(
    chosen: &Chosen,
    plan: &Plan,
    ending: &Ending,
    parked: bool,
    now: Timestamp,
) -> (Settlement, Outcome) {
    // An invitation that had to wait for another attempt was not sent a second time.
    let waited = matches!(ending, Ending::Again(cause) if *cause != Cause::Unanswered);
    let unsent = waited.then(|| plan.clone().unsent());
    let plan = unsent.as_ref().unwrap_or(plan);
    let again = |cause| Outcome::again(cause, Some(plan));
    let outcome = match ending {
        Ending::Done(reason) => Outcome::decided(State::Applied, *reason, None, Some(plan)),
        Ending::Gone => Outcome::decided(State::Unchanged, Reason::UserNotFound, None, Some(plan)),
        Ending::Again(cause) => again(*cause),
        Ending::LookAgain => again(Cause::StaleId),
        Ending::Refused(refusal) if parked => Outcome::parked(refusal, Some(plan)),
        Ending::Refused(_) => again(Cause::Unanswered),
    };
    let remembered = || Some((plan.account.clone(), plan.user.clone()?));
    let sent = plan.step(Operation::Invite).is_some_and(|step| match step.status {
        StepStatus::Confirmed | StepStatus::Unknown => true,
        // Whose mail comes back is there all the same.
        StepStatus::Refused => plan.has_bounced(),
        StepStatus::Planned => false,
    });
    // The directory does not tell the id of whom it invites.
    let invited_into = sent.then(|| plan.account.clone());
    let at = now.as_millisecond();
    let learnt = match ending {
        Ending::Done(_) => Learnt {
            // A removed user's id is dead: an invitation makes a new one.
            user: remembered().filter(|_| plan.step(Operation::Remove).is_none()),
            account: invited_into.clone(),
            licence: licence_set(plan),
            taken: if takes(plan) {
                TakenChange::Took(taken(plan, &chosen.open.job.event_key, now))
            } else if plan.gives_access {
                TakenChange::Restored
            } else {
                TakenChange::Keep
            },
            wish: wish(plan),
            at,
        },
        Ending::Gone | Ending::LookAgain => Learnt { account: invited_into, at, ..Learnt::default() },
        Ending::Again(_) | Ending::Refused(_) => {
            let person = chosen.open.person.as_ref().map(|(_, person)| person);
            let user = remembered().filter(|_| !blocked_by_others(plan, person));
            Learnt { user, account: invited_into, at, ..Learnt::default() }
        }
    };
    let settlement = Settlement {
        event_key: chosen.claim.event.id.clone(),
        owner: chosen.claim.event.owner.clone(),
        state: outcome.outcome,
        data: outcome.to_json(),
        plan: Some(plan.clone()),
        expiration: expiration(outcome.outcome, now),
        settled_at: at,
        person: chosen.open.person.as_ref().filter(|_| !chosen.open.alone).map(|(key, _)| (key.clone(), learnt)),
        unresolved: plan.is_unresolved() || echoes(chosen, plan),
    };
    (settlement, outcome)
}

/// Builds the settlement of an event that was refused before any step.
pub(super) fn settle_refusal(
    chosen: &Chosen,
    refusal: &Refusal,
    parked: bool,
    now: Timestamp,
) -> (Settlement, Outcome) {
    let plan = chosen.claim.event.plan.as_ref();
    let outcome = if parked { Outcome::parked(refusal, plan) } else { Outcome::again(Cause::Unanswered, plan) };
    let settlement = Settlement {
        event_key: chosen.claim.event.id.clone(),
        owner: chosen.claim.event.owner.clone(),
        state: outcome.outcome,
        data: outcome.to_json(),
        plan: None,
        expiration: None,
        settled_at: now.as_millisecond(),
        person: None,
        unresolved: false,
    };
    (settlement, outcome)
}

/// Whether a send without an answer may still take effect though a later one was answered: one of this attempt, or of an
/// earlier one whose lease ran on.
fn echoes(chosen: &Chosen, plan: &Plan) -> bool {
    let (event, now) = (&chosen.open.job.event_key, chosen.claimed_at.as_millisecond());
    let lease = chosen.open.person.as_ref().and_then(|(_, person)| person.lease.as_ref());
    let ran_on = lease.is_some_and(|lease| &lease.event == event && lease.until > now);
    plan.echoes() || (ran_on && plan.may_echo())
}

/// Whom somebody else blocked is looked up again each time, until access was given for certain: blocked once more from
/// memory, it would count as taken.
fn blocked_by_others(plan: &Plan, person: Option<&PersonItem>) -> bool {
    let blocked = plan.before.as_ref().is_some_and(|before| before.registration == Registration::Suspended);
    blocked && person.is_none_or(|person| person.taken.is_none())
}

/// Signing out takes nothing that could be given back, whatever the account.
fn takes(plan: &Plan) -> bool {
    match plan.account.kind {
        AccountType::Team | AccountType::EnterpriseLwa => plan.takes_access(),
        AccountType::EnterpriseDirectory | AccountType::EnterpriseOidc => false,
    }
}

/// The licence that a plan has set for certain.
fn licence_set(plan: &Plan) -> Option<String> {
    let step = plan.step(Operation::SetLicence).filter(|step| step.status == StepStatus::Confirmed)?;
    Some(step.licence?.as_str().to_owned())
}

/// What is left to be set once a plan is done: the licence of an invitation, or one that could not be set now.
fn wish(plan: &Plan) -> Wish {
    match (plan.step(Operation::SetLicence), plan.wish) {
        (Some(step), _) if step.status == StepStatus::Confirmed => Wish::Clear,
        (Some(step), _) if !step.is_unsupported() => step.licence.map_or(Wish::Keep, Wish::Set),
        (Some(_) | None, Some(licence)) => Wish::Set(licence),
        // Whoever has access back, and nothing was left to set: the wish is fulfilled.
        (None, None) if plan.gives_access => Wish::Clear,
        // What the account does not offer stays wished for.
        (Some(_) | None, None) => Wish::Keep,
    }
}

fn taken(plan: &Plan, event: &str, at: Timestamp) -> Taken {
    let licence = plan.before.as_ref().and_then(|before| before.licence.clone());
    let pin = plan.step(Operation::ResetPin).is_some_and(|step| match step.status {
        StepStatus::Confirmed | StepStatus::Unknown => true,
        StepStatus::Planned | StepStatus::Refused => false,
    });
    Taken { account: plan.account.clone(), licence, pin, event: event.to_owned(), at }
}

fn expiration(state: State, now: Timestamp) -> Option<i64> {
    state.is_done().then(|| now.as_second() + REMEMBERED_FOR)
}
