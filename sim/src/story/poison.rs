//! Messages that are wrong in one way each, and what must become of them.

use super::people::Person;
use super::wire::{self, Effective, Subject, Told};
use super::{NOON, Send, TODAY, Telling};
use crate::bounds::{DAY, MINUTE};
use crate::functions::Function;
use crate::oracle::{Assertion, Job, Kind, Phase};
use rollcall::seal::sha256;
use rollcall_local::chime::random::Random;
use serde_json::{Value, json};

/// What is wrong with a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Poison {
    /// It is no JSON.
    NotJson,
    /// Its source is another.
    WrongEnvelope,
    /// Its detail-type disagrees with its detail.
    WrongDetailType,
    /// Its detail lacks a member.
    MissingField,
    /// A member has a value that it cannot have.
    InvalidField,
    /// It is another function's.
    NotOurs,
    /// It was said tomorrow.
    FromTheFuture,
    /// A compromise of last week.
    TooOld,
    /// It bites in two hours, and says that it is in force.
    TooEarly,
    /// Nobody can tell when it bites.
    Undatable,
    /// It says itself that it lacks what it needs.
    MissingFacts,
    /// Its id came before, with another meaning. It, or the other one, whichever comes second.
    ReusedId,
}

impl Poison {
    const ALL: [Poison; 12] = [
        Poison::NotJson,
        Poison::WrongEnvelope,
        Poison::WrongDetailType,
        Poison::MissingField,
        Poison::InvalidField,
        Poison::NotOurs,
        Poison::FromTheFuture,
        Poison::TooOld,
        Poison::TooEarly,
        Poison::Undatable,
        Poison::MissingFacts,
        Poison::ReusedId,
    ];

    /// The state and the reason that must be recorded.
    #[must_use]
    pub fn end(self) -> (&'static str, &'static str) {
        match self {
            Poison::NotJson => ("parked", "not_json"),
            Poison::WrongEnvelope => ("parked", "wrong_envelope"),
            Poison::WrongDetailType | Poison::NotOurs => ("parked", "wrong_detail_type"),
            Poison::MissingField => ("parked", "missing_field"),
            Poison::InvalidField => ("parked", "invalid_field"),
            Poison::FromTheFuture => ("parked", "from_the_future"),
            Poison::TooOld => ("parked", "too_old"),
            Poison::TooEarly => ("parked", "not_yet_effective"),
            Poison::Undatable => ("held", "undatable"),
            Poison::MissingFacts => ("held", "missing_facts"),
            Poison::ReusedId => ("parked", "event_id_reused"),
        }
    }
}

/// Adds some poison to a story.
pub(super) fn add(random: &mut Random, people: &[Person], tellings: &mut Vec<Telling>, sends: &mut Vec<Send>) {
    if !random.chance(400) {
        return;
    }
    for _ in 0..=random.below(3) {
        let poison = random.one_of(&Poison::ALL).copied().unwrap_or(Poison::NotJson);
        if poison == Poison::ReusedId && tellings.iter().any(|telling| telling.poison == Some(Poison::ReusedId)) {
            continue;
        }
        let index = usize::try_from(random.below(people.len() as u64)).unwrap_or(0);
        let changes_hands = |(other, person): (usize, &Person)| {
            (other == index && person.renamed.is_some()) || person.succeeds == Some(index)
        };
        if people.iter().enumerate().any(changes_hands) {
            continue;
        }
        let Some(person) = people.get(index).filter(|person| person.succeeds.is_none()) else { continue };
        let carried = random.one_of(person.carries).copied().unwrap_or((true, false, true));
        let queue = random.one_of(&Function::ALL).copied().unwrap_or(Function::Suspend);
        let telling = telling(poison, queue, tellings.len(), index, &Subject::of(person, carried));
        tellings.push(telling);
        let at = i64::try_from(random.below(20)).unwrap_or(0) * MINUTE;
        sends.push(Send { telling: tellings.len() - 1, at });
        if poison == Poison::ReusedId {
            // The other one: an event of the same id that says something else. Both count as poison.
            let mut twin = tellings[tellings.len() - 1].clone();
            twin.body = twin.body.replace("2026-01-05", "2026-01-06");
            twin.words.push_str(", a day later");
            tellings.push(twin);
            sends.push(Send {
                telling: tellings.len() - 1,
                at: at + i64::try_from(random.below(3)).unwrap_or(0) * MINUTE,
            });
        }
    }
}

fn telling(poison: Poison, queue: Function, number: usize, person: usize, subject: &Subject) -> Telling {
    let id = format!("x{number}");
    let plain = Effective { at: Some(NOON - 3 * DAY), date: Some(TODAY - 3), told: Told::Instant };
    let assertion = |kind, effective: &Effective, occurred| Assertion {
        event: id.clone(),
        kind,
        fact: format!("poison-{number}"),
        phase: Phase::Effective,
        occurred,
        revision: None,
        at: effective.at,
        date: effective.date,
        active: true,
        job: Job::default(),
    };
    let good = assertion(Kind::Termination, &plain, NOON - DAY);
    let body = |assertion: &Assertion, effective: &Effective, mend: &dyn Fn(&mut Value)| {
        let named = assertion.fact.clone();
        let mut detail = wire::detail(assertion, subject, effective, Some(&named), false);
        mend(&mut detail);
        wire::envelope(&detail)
    };
    let unchanged = |_: &mut Value| {};
    // What leaves a fact all the same: it counts in what is due.
    let mut fact = None;
    let body = match poison {
        Poison::NotJson => format!("no JSON, {number}"),
        Poison::WrongEnvelope => body(&good, &plain, &unchanged).replace("rollcall.hr", "somebody.else"),
        Poison::WrongDetailType => {
            body(&good, &plain, &unchanged).replace("worker.termination.effective", "worker.leave.effective")
        }
        Poison::MissingField => {
            body(&good, &plain, &|detail| drop(detail.as_object_mut().map(|all| all.remove("effective"))))
        }
        Poison::InvalidField => body(&good, &plain, &|detail| detail["subject"]["email"] = json!("nobody")),
        // A termination is suspend-user's.
        Poison::NotOurs => body(&good, &plain, &unchanged),
        Poison::TooOld => body(&assertion(Kind::Compromise, &plain, NOON - 8 * DAY), &plain, &unchanged),
        Poison::FromTheFuture => body(&assertion(Kind::Termination, &plain, NOON + DAY), &plain, &unchanged),
        Poison::TooEarly => {
            let early = Effective { at: Some(NOON + 6 * 60 * MINUTE), date: Some(TODAY), told: Told::Instant };
            let said = assertion(Kind::Termination, &early, NOON - DAY);
            let body = body(&said, &early, &unchanged);
            fact = Some(said);
            body
        }
        Poison::Undatable => {
            let undatable = Effective { at: None, date: Some(TODAY - 3), told: Told::DateOnly };
            let said = assertion(Kind::Termination, &undatable, NOON - DAY);
            let body = body(&said, &undatable, &unchanged);
            fact = Some(said);
            body
        }
        Poison::MissingFacts => {
            let body = body(&good, &plain, &|detail| detail["missing"] = json!(["kind"]));
            fact = Some(good.clone());
            body
        }
        Poison::ReusedId => {
            let hire = Effective { at: Some(NOON - 322 * DAY), date: Some(TODAY - 322), told: Told::Instant };
            // Long before anything else: whichever of the two counts, it changes nothing that is due.
            body(&assertion(Kind::Return, &hire, NOON - 300 * DAY), &hire, &unchanged)
        }
    };
    let unreadable = matches!(
        poison,
        Poison::NotJson | Poison::WrongEnvelope | Poison::WrongDetailType | Poison::MissingField | Poison::InvalidField
    );
    let key = if unreadable { format!("body:{}", sha256(&body)) } else { id.clone() };
    let function = match poison {
        // Whosever queue it came into.
        Poison::NotJson
        | Poison::WrongEnvelope
        | Poison::WrongDetailType
        | Poison::MissingField
        | Poison::InvalidField => queue,
        Poison::NotOurs if queue == Function::Suspend => Function::Relicense,
        Poison::NotOurs => queue,
        Poison::TooOld => Function::Logout,
        Poison::ReusedId => Function::Reinstate,
        Poison::FromTheFuture | Poison::TooEarly | Poison::Undatable | Poison::MissingFacts => Function::Suspend,
    };
    Telling {
        function,
        key: function.key(&key),
        id: if unreadable { String::new() } else { id },
        person: (!unreadable).then_some(person),
        assertion: fact,
        poison: Some(poison),
        email: subject.email().filter(|_| !unreadable),
        identifiers: if unreadable { Vec::new() } else { subject.identifiers() },
        security: false,
        words: format!("{poison:?}"),
        body,
    }
}
