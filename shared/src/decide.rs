//! Decide: what an event asks for, given all facts of the person. Pure: no I/O, no clock, no chance.
//!
//! A function only moves the directory towards what is due. Whatever the order in which facts arrive, the end is the same.

mod announced;
mod give;
mod invite;
mod licence;
mod logout;
mod reason;
mod reinstate;
mod relicense;
mod take;

pub use reason::Reason;

use crate::directory::{Account, AccountState, Found, Licence, UserId};
use crate::event::{CLOCK_TOLERANCE, Missing, Moment, Phase, WorkerEvent};
use crate::failure::{Refusal, RefusalCode};
use crate::ledger::Taken;
use crate::person::{Fact, FactId, Facts};
use crate::plan::{ActionClass, Plan, Wish};
use crate::policy::{Mode, Policy};
use crate::protect::Guard;
use crate::routes::{Function, consumer};
use jiff::{SignedDuration, Timestamp};
use std::time::Duration;

/// How far ahead of our clock a change may bite and still be waited for. Clocks differ, and what is due so soon is published
/// at once instead of scheduled.
pub const SOON: SignedDuration = SignedDuration::from_mins(2);

/// All that a decision rests on.
#[derive(Clone, Copy, Debug)]
pub struct Case<'a> {
    /// The function that decides.
    pub function: Function,
    /// The event.
    pub event: &'a WorkerEvent,
    /// All facts of the person, this event's among them.
    pub facts: &'a Facts,
    /// What is known of the person's user.
    pub known: Known<'a>,
    /// The account of that user, or where it would be, as it is now; `None` where it was not asked for yet.
    pub account: Option<&'a AccountState>,
    /// What was taken from the person and not given back.
    pub taken: Option<&'a Taken>,
    /// The licence that the person is to have as soon as it can be set.
    pub wish: Option<Licence>,
    /// The plan of an earlier attempt at this event that did not settle its outcome.
    pub prior: Option<&'a Plan>,
    /// Nobody else is known to have the address that can be looked for.
    pub may_look_up: bool,
    /// The person had another address before.
    pub renamed: bool,
    /// The licence that the person's user had when it was last seen.
    pub last_licence: Option<&'a str>,
    /// An attempt at another event of this person ended without a settle: what the directory shows may still change.
    pub takeover: bool,
    /// That attempt was about to take access, and may have.
    pub suspension_died: bool,
    /// What the operator decided.
    pub policy: &'a Policy,
    /// How the person stands with the policy's protection.
    pub guard: Guard,
    /// An operator released the event, which was held for this: the yes is to that.
    pub released: Option<Reason>,
    /// The time.
    pub now: Timestamp,
}

/// What is known of a person's user in the directory.
#[derive(Clone, Copy, Debug)]
pub enum Known<'a> {
    /// Nothing yet, and there is no address to look for.
    NoAddress,
    /// Nothing yet: it can be looked up.
    NotYet,
    /// Account and user id from an earlier event; its state is not known.
    Remembered {
        /// The account.
        account: &'a Account,
        /// The user.
        user: &'a UserId,
        /// Its licence, where an earlier look-up showed it.
        licence: Option<&'a str>,
    },
    /// As the directory has it now.
    Found(&'a Found),
}

/// What to do about an event.
#[derive(Clone, Debug, PartialEq)]
pub enum Decision {
    /// Look the person up, then decide again.
    LookUp,
    /// Carry out these steps.
    Act(Plan),
    /// Record these steps, and carry none out: observe mode.
    Observe(Plan),
    /// Nothing to carry out: this is the outcome.
    Conclude(Conclusion),
    /// Keep it unapplied until a person releases or rejects it.
    Hold(Reason),
    /// Refuse it for good.
    Park(Refusal),
    /// Come back in a moment.
    Wait(Duration),
}

/// An outcome without a step of its own.
#[derive(Clone, Debug, PartialEq)]
pub struct Conclusion {
    /// What became of the event.
    pub result: Concluded,
    /// Why.
    pub reason: Reason,
    /// The fact that decided.
    pub decided_by: Option<FactId>,
    /// The plan of an earlier attempt, where reading back confirmed it.
    pub confirmed: Option<Plan>,
    /// What becomes of the licence that the person is to have.
    pub wish: Wish,
    /// The person has what was taken: nothing is left to be given back.
    pub restored: bool,
    /// It is due then: the event is kept until it was published as effective.
    pub due: Option<Timestamp>,
}

impl Conclusion {
    /// An outcome that changes nothing of what is kept on the person.
    #[must_use]
    pub fn new(result: Concluded, reason: Reason, decided_by: Option<FactId>) -> Conclusion {
        Conclusion { result, reason, decided_by, confirmed: None, wish: Wish::Keep, restored: false, due: None }
    }
}

impl Case<'_> {
    /// Whether the account offers a licence, as far as the directory told.
    fn offers(&self, licence: Licence) -> bool {
        let offered = self.account.map(|account| account.licences.as_slice()).unwrap_or_default();
        offered.is_empty() || offered.iter().any(|offered| offered == licence.as_str())
    }
}

/// What became of an event that needed no step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Concluded {
    /// An earlier attempt's step is confirmed by reading back.
    Applied,
    /// No change was needed.
    Unchanged,
    /// Another fact decides.
    Superseded,
}

/// Refuses what no fact may come of: another function's events, and events from the future.
///
/// # Errors
/// A [`Refusal`] that names the field.
pub fn admit(function: Function, event: &WorkerEvent, now: Timestamp) -> Result<(), Refusal> {
    if consumer(event.event_type, event.login) != Some(function) {
        let message = format!("{} is not for {}", event.event_type.detail_type(), function.as_str());
        return Err(Refusal::new(RefusalCode::WrongDetailType, "detail-type", message));
    }
    if event.occurred_at.duration_since(now) > CLOCK_TOLERANCE {
        return Err(Refusal::new(RefusalCode::FromTheFuture, "detail.occurredAt", "lies more than 5 minutes ahead"));
    }
    Ok(())
}

/// The function that would take an event up now.
///
/// # Errors
/// The [`Refusal`] that it would be parked for, whatever is known of its person; or that nobody consumes it.
pub fn taken_up_by(event: &WorkerEvent, now: Timestamp) -> Result<Function, Refusal> {
    let Some(function) = consumer(event.event_type, event.login) else {
        let message = "is for no function: the event would end in the queue `unrouted`";
        return Err(Refusal::new(RefusalCode::WrongDetailType, "detail-type", message));
    };
    admit(function, event, now)?;
    match too_early(event, now) {
        Some(Decision::Park(refusal)) => Err(refusal),
        Some(_) | None => Ok(function),
    }
}

/// Decides one case.
#[must_use]
pub fn decide(case: &Case<'_>) -> Decision {
    let event = case.event;
    if let Some(early) = too_early(event, case.now) {
        return early;
    }
    if event.event_type.may_be_dated() && matches!(event.moment, Moment::Undatable { .. }) {
        return Decision::Hold(Reason::Undatable);
    }
    match case.function {
        Function::InviteUser => invite::decide(case),
        Function::SuspendUser => take::decide(case),
        Function::ReinstateUser => reinstate::decide(case),
        Function::LogoutUser => logout::decide(case),
        Function::RelicenseUser => relicense::decide(case),
        Function::HrIntake => announced::decide(case),
    }
}

fn too_early(event: &WorkerEvent, now: Timestamp) -> Option<Decision> {
    let at = event.moment.at().filter(|_| event.event_type.phase() == Phase::Effective)?;
    let ahead = at.duration_since(now);
    if ahead <= SignedDuration::ZERO {
        return None;
    }
    if ahead <= SOON {
        return Some(Decision::Wait(Duration::try_from(ahead).unwrap_or_default()));
    }
    let message = "lies ahead; publish it as scheduled and it will be taken up then";
    Some(Decision::Park(Refusal::new(RefusalCode::NotYetEffective, "detail.effective", message)))
}

/// A destructive action is never taken while a fact that it needs is missing.
fn lacks_facts(event: &WorkerEvent) -> bool {
    event.missing.iter().any(|missing| match missing {
        Missing::Kind | Missing::Phase | Missing::EffectiveDate => true,
        Missing::EffectiveZone => event.moment.at().is_none(),
        // Who it is shows in the look-up; the others bear on nothing that takes access.
        Missing::Email | Missing::WorkerId | Missing::ChangedValues | Missing::OccurredAt => false,
    })
}

/// The event's own fact, where its newest assertion says something else than the event.
fn overruled(event: &WorkerEvent, facts: &Facts) -> Option<FactId> {
    let said = Fact::asserted_by(event)?;
    let stands = facts.get(said.kind, &said.id)?;
    let same =
        (stands.standing, stands.at, stands.date, stands.active) == (said.standing, said.at, said.date, said.active);
    (!same).then_some(said.id)
}

/// Whom the policy protects loses nothing, unless an operator says so.
fn guarded(case: &Case<'_>) -> Option<Decision> {
    let allowed = matches!(case.released, Some(Reason::Protected | Reason::ProtectionUnknown));
    match case.guard {
        Guard::Protected if !allowed => Some(Decision::Hold(Reason::Protected)),
        Guard::Unsure if !allowed => Some(Decision::Hold(Reason::ProtectionUnknown)),
        Guard::Open | Guard::Protected | Guard::Unsure => None,
    }
}

/// In observe mode a plan is told, and not carried out.
fn carry_out(case: &Case<'_>, class: Option<ActionClass>, plan: Plan) -> Decision {
    match case.policy.mode.of(case.function, class) {
        Mode::Act => Decision::Act(plan),
        // What was sent is brought to its end, whatever the policy says since.
        Mode::Observe if case.prior.is_some_and(Plan::has_begun) => Decision::Act(plan),
        Mode::Observe => Decision::Observe(plan),
    }
}

fn several_accounts() -> Decision {
    let message = "is in several accounts; name the right one for its domain in policy.accounts";
    Decision::Park(Refusal::new(RefusalCode::SeveralAccounts, "detail.subject.email", message))
}

fn unknown_account() -> Decision {
    let message = "names an account for this domain that the directory does not have";
    Decision::Park(Refusal::new(RefusalCode::UnknownAccount, "policy.accounts", message))
}

fn no_account() -> Decision {
    let message = "is in no account; name the account of its domain in policy.accounts";
    Decision::Park(Refusal::new(RefusalCode::NoAccount, "detail.subject.email", message))
}

fn account_suspended() -> Decision {
    let message = "is suspended as a whole: nobody can be given access or a licence there";
    Decision::Park(Refusal::new(RefusalCode::AccountSuspended, "account", message))
}

fn conclude(result: Concluded, reason: Reason, decided_by: Option<FactId>) -> Decision {
    Decision::Conclude(Conclusion::new(result, reason, decided_by))
}
