//! Decide: what an event asks for, given all facts of the person. Pure: no I/O, no clock, no chance.
//!
//! A function only moves the directory towards what is due. Whatever the order of arrival, the end is the same.

use crate::directory::{Account, AccountType, Found, Operation, Registration, UserId};
use crate::event::{CLOCK_TOLERANCE, Kind, LoginStatus, Missing, Moment, Phase, WorkerEvent};
use crate::failure::{Refusal, RefusalCode};
use crate::person::{Access, Fact, FactId, Facts};
use crate::plan::{ActionClass, Before, Plan, Step, StepStatus};
use crate::policy::{Mode, Policy};
use crate::protect::Guard;
use crate::routes::{Function, consumer};
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// How far ahead of our clock a change may bite and still be waited for: clocks differ that much.
const SKEW: SignedDuration = SignedDuration::from_secs(60);

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
    /// The plan of an earlier attempt at this event that did not settle its outcome.
    pub prior: Option<&'a Plan>,
    /// An attempt at another event of this person ended without a settle: what the directory shows may still change.
    pub takeover: bool,
    /// What the operator decided.
    pub policy: &'a Policy,
    /// How the person stands with the policy's protection.
    pub guard: Guard,
    /// An operator released the event.
    pub released: bool,
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

/// Why an event ended as it did.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Reason {
    /// Blocked in the directory and signed out.
    Suspended,
    /// Removed from the Team account; the person stays a free user of Chime.
    RemovedFromTeam,
    /// Signed out; only the company's directory can block the login.
    DirectoryManaged,
    /// The user was suspended already.
    AlreadySuspended,
    /// Nobody in the directory has this identity.
    UserNotFound,
    /// The fact is kept; nothing has to be done for it here.
    FactRecorded,
    /// Another fact says that access is due.
    AccessDue,
    /// A newer assertion of the same fact decides.
    NewerAssertion,
    /// No fact takes access away now.
    NothingDue,
    /// Date, zone and basis do not give an instant.
    Undatable,
    /// The event says itself that it lacks a fact that is needed.
    MissingFacts,
    /// The user is not known, and there is no address to look for.
    NoAddress,
    /// The policy protects this person.
    Protected,
    /// The policy protects patterns of addresses, and the event carries none.
    ProtectionUnknown,
    /// Too few of a group would keep their access.
    GroupMinimum,
    /// More changes than the brake allows, or it has latched.
    MassChange,
    /// The function only observes.
    ObserveMode,
    /// An operator rejected the event.
    Rejected,
}

impl Reason {
    /// A sentence for people.
    #[must_use]
    pub fn sentence(self) -> &'static str {
        match self {
            Reason::Suspended => "suspended: signed out everywhere and blocked",
            Reason::RemovedFromTeam => "removed from the Team account; the person stays a free user of Chime",
            Reason::DirectoryManaged => {
                "signed out; the login is managed by the company's directory, which must block it"
            }
            Reason::AlreadySuspended => "the user was suspended already",
            Reason::UserNotFound => "nobody in the directory has this identity",
            Reason::FactRecorded => "the fact is kept; nothing to do for it here",
            Reason::AccessDue => "another fact says that access is due",
            Reason::NewerAssertion => "a newer assertion of the same fact decides",
            Reason::NothingDue => "no fact takes access away now",
            Reason::Undatable => "effective.date, zone and basis do not give an instant",
            Reason::MissingFacts => "the event lacks a fact that a destructive action needs (detail.missing)",
            Reason::NoAddress => "the user is not known yet and detail.subject.email is not there to look for",
            Reason::Protected => "policy.protected names this person",
            Reason::ProtectionUnknown => {
                "policy.protected has patterns of addresses, and the event carries no address to compare"
            }
            Reason::GroupMinimum => "fewer of a group of policy.protected would keep their access than must",
            Reason::MassChange => "the mass-change brake holds it: over a limit of policy.brake, or latched since",
            Reason::ObserveMode => "observe mode: the steps are recorded, and none was carried out",
            Reason::Rejected => "an operator rejected the event; its fact is void",
        }
    }
}

/// Refuses what no fact may come of: another function's events, and events from the future.
///
/// # Errors
/// A [`Refusal`] that names the field.
pub fn admit(function: Function, event: &WorkerEvent, now: Timestamp) -> Result<(), Refusal> {
    if consumer(event.event_type) != Some(function) {
        let message = format!("{} is not for {}", event.event_type.detail_type(), function.as_str());
        return Err(Refusal::new(RefusalCode::WrongDetailType, "detail-type", message));
    }
    if event.occurred_at.duration_since(now) > CLOCK_TOLERANCE {
        return Err(Refusal::new(RefusalCode::FromTheFuture, "detail.occurredAt", "lies more than 5 minutes ahead"));
    }
    Ok(())
}

/// Decides one case.
#[must_use]
pub fn decide(case: &Case<'_>) -> Decision {
    let event = case.event;
    if let Some(early) = too_early(event, case.now) {
        return early;
    }
    if event.event_type.is_dated() && matches!(event.moment, Moment::Undatable { .. }) {
        return Decision::Hold(Reason::Undatable);
    }
    if !takes_access(event) {
        return conclude(Concluded::Unchanged, Reason::FactRecorded, None);
    }
    if lacks_facts(event) {
        return Decision::Hold(Reason::MissingFacts);
    }
    // What is due decides. Whether the event's own assertion still stands only tells why nothing is.
    let newer = overruled(event, case.facts);
    match (case.facts.access(case.now, case.policy.access_policy()), newer) {
        (Access::NotDue(fact), _) => take_access(case, fact),
        (Access::Due(_) | Access::AsIs, Some(newer)) => {
            conclude(Concluded::Superseded, Reason::NewerAssertion, Some(newer))
        }
        (Access::Due(fact), None) => conclude(Concluded::Superseded, Reason::AccessDue, Some(fact)),
        (Access::AsIs, None) => conclude(Concluded::Unchanged, Reason::NothingDue, None),
    }
}

/// Whether an event is about access that must go.
fn takes_access(event: &WorkerEvent) -> bool {
    match (event.event_type.kind(), event.event_type.phase()) {
        (Kind::Termination | Kind::Leave, Phase::Effective)
        | (Kind::Hire | Kind::Rehire | Kind::Return, Phase::Rescinded) => true,
        (Kind::AccountStatus, Phase::Effective) => match event.login {
            Some(LoginStatus::Active | LoginStatus::Pending) | None => false,
            Some(
                LoginStatus::OnLeave
                | LoginStatus::Suspended
                | LoginStatus::Deactivated
                | LoginStatus::Terminated
                | LoginStatus::Deleted
                | LoginStatus::Unknown,
            ) => true,
        },
        (
            Kind::Hire
            | Kind::Termination
            | Kind::Rehire
            | Kind::JobChange
            | Kind::Leave
            | Kind::Return
            | Kind::IdentityChange
            | Kind::AccountStatus
            | Kind::CredentialCompromise
            | Kind::Unclassified
            | Kind::LicenseReclaim
            | Kind::AccessRemoval,
            Phase::Scheduled
            | Phase::Effective
            | Phase::Rescinded
            | Phase::Unknown
            | Phase::Detected
            | Phase::Requested,
        ) => false,
    }
}

fn too_early(event: &WorkerEvent, now: Timestamp) -> Option<Decision> {
    let at = event.moment.at().filter(|_| event.event_type.phase() == Phase::Effective)?;
    let ahead = at.duration_since(now);
    if ahead <= SignedDuration::ZERO {
        return None;
    }
    if ahead <= SKEW {
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

fn take_access(case: &Case<'_>, fact: FactId) -> Decision {
    match (case.guard, case.released) {
        (Guard::Protected, false) => return Decision::Hold(Reason::Protected),
        (Guard::Unsure, false) => return Decision::Hold(Reason::ProtectionUnknown),
        (Guard::Open, _) | (Guard::Protected | Guard::Unsure, true) => {}
    }
    match case.known {
        Known::NotYet => Decision::LookUp,
        // A planned removal that was sent and is not found took effect; nothing else may be called absent unseen.
        Known::NoAddress if case.prior.is_some_and(Plan::removal_may_have_worked) => nobody(case, fact),
        Known::NoAddress => Decision::Hold(Reason::NoAddress),
        Known::Remembered { account, user, licence } => {
            let before = licence
                .map(|licence| Before { registration: Registration::Unknown, licence: Some(licence.to_owned()) });
            carry_out(case, plan(case, account, user, false, before))
        }
        Known::Found(Found::Nobody) => nobody(case, fact),
        Known::Found(Found::SeveralAccounts) => {
            let message = "is in several accounts; name the right one for its domain in policy.accounts";
            Decision::Park(Refusal::new(RefusalCode::SeveralAccounts, "detail.subject.email", message))
        }
        Known::Found(Found::UnknownAccount) => {
            let message = "names an account for this domain that the directory does not have";
            Decision::Park(Refusal::new(RefusalCode::UnknownAccount, "policy.accounts", message))
        }
        Known::Found(Found::Somebody { account, user }) => {
            let blocked = account.kind == AccountType::EnterpriseLwa && user.registration == Registration::Suspended;
            // After a takeover the wished state is sent again, never inferred from a look-up.
            if blocked && !case.takeover && case.prior.is_none() {
                return conclude(Concluded::Unchanged, Reason::AlreadySuspended, Some(fact));
            }
            let before = Before { registration: user.registration, licence: user.licence.clone() };
            carry_out(case, plan(case, account, &user.id, true, Some(before)))
        }
    }
}

/// In observe mode a plan is told, and not carried out.
fn carry_out(case: &Case<'_>, plan: Plan) -> Decision {
    match case.policy.mode.of(case.function, ActionClass::Access) {
        Mode::Act => Decision::Act(plan),
        Mode::Observe => Decision::Observe(plan),
    }
}

/// Nobody is there: either an earlier attempt's removal took effect, or there never was anybody.
fn nobody(case: &Case<'_>, fact: FactId) -> Decision {
    let Some(prior) = case.prior.filter(|prior| prior.removal_may_have_worked()) else {
        return conclude(Concluded::Unchanged, Reason::UserNotFound, Some(fact));
    };
    let mut confirmed = prior.clone();
    for step in confirmed.steps.iter_mut().filter(|step| step.operation == Operation::Remove) {
        step.status = StepStatus::Confirmed;
    }
    Decision::Conclude(Conclusion {
        result: Concluded::Applied,
        reason: Reason::RemovedFromTeam,
        decided_by: Some(fact),
        confirmed: Some(confirmed),
    })
}

/// The steps that take access away, by account type, in order.
fn plan(case: &Case<'_>, account: &Account, user: &UserId, fresh: bool, before: Option<Before>) -> Plan {
    let pin = case.policy.pin_reset.applies(case.event.reason).then(|| Step::auxiliary(Operation::ResetPin));
    let mut steps: Vec<Step> = match account.kind {
        // Suspending signs out by itself.
        AccountType::EnterpriseLwa => [Some(Step::decisive(Operation::Suspend)), pin].into_iter().flatten().collect(),
        // A removed user cannot be signed out any more, so that comes first.
        AccountType::Team => [Some(Step::auxiliary(Operation::Logout)), pin, Some(Step::decisive(Operation::Remove))]
            .into_iter()
            .flatten()
            .collect(),
        AccountType::EnterpriseDirectory | AccountType::EnterpriseOidc => {
            [Some(Step::decisive(Operation::Logout)), pin].into_iter().flatten().collect()
        }
    };
    if let Some(prior) = case.prior.filter(|prior| &prior.user == user) {
        steps.iter_mut().for_each(|step| step.resume(prior));
    }
    Plan {
        account: account.clone(),
        user: user.clone(),
        fresh,
        steps,
        // What an earlier attempt found is older, and nearer to how it was.
        before: case.prior.filter(|prior| &prior.user == user).and_then(|prior| prior.before.clone()).or(before),
    }
}

fn conclude(result: Concluded, reason: Reason, decided_by: Option<FactId>) -> Decision {
    Decision::Conclude(Conclusion { result, reason, decided_by, confirmed: None })
}
