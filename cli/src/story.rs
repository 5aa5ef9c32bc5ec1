//! One person's story, as the ledger tells it: what HR says, what came, what was decided, what was sent, and who had a say.

#[cfg(test)]
mod tests;

use crate::held::function_of;
use crate::stack::Stack;
use anyhow::{Result, bail};
use jiff::{SignedDuration, Timestamp};
use rollcall::batch::REALM;
use rollcall::decide::Reason;
use rollcall::ledger::{EventItem, History, Ledger, RECEIPT, State, Taken};
use rollcall::outcome::Outcome;
use rollcall::person::{AccessPolicy, Fact, FactKind, Identity, PersonKey, Standing, What};
use rollcall::plan::{Step, StepStatus};
use rollcall::routes::Function;
use rollcall::{
    directory::{Operation, Sent},
    host::System,
};
use serde::Serialize;
use serde_json::Value;
use std::collections::BTreeMap;

/// A person's story. No address, no name, no number.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Story {
    /// Keyed hash of the person; none for a record that names nobody.
    pub(crate) person: Option<String>,
    /// The record that was asked for, where it was one.
    pub(crate) asked: Option<String>,
    pub(crate) access: DueAccess,
    /// The fact that says so.
    pub(crate) access_by: Option<FactLine>,
    /// What was taken, and is to be given back.
    pub(crate) taken: Option<TakenLine>,
    /// The user in the directory, where it is remembered.
    pub(crate) user: Option<String>,
    /// The user's licence when it was last looked up.
    pub(crate) licence: Option<String>,
    /// The licence that is set once the person has registered.
    pub(crate) wish: Option<String>,
    /// What HR says, by when it takes effect.
    pub(crate) facts: Vec<FactLine>,
    /// The records, by when they came.
    pub(crate) events: Vec<EventLine>,
    /// How many records cannot be read.
    pub(crate) unreadable: usize,
}

/// Whether access is due.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum DueAccess {
    /// A fact says so.
    Due,
    /// A fact says that none is.
    NotDue,
    /// No fact says: as the directory has it.
    AsIs,
    /// What is kept of the person cannot be read, so nobody knows.
    Unreadable,
}

/// One fact. Its name is the sender's own words, and is not told.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct FactLine {
    pub(crate) kind: String,
    /// From when it holds; none where that cannot be told.
    pub(crate) from: Option<Timestamp>,
    /// `asserted`, `rescinded` or `rejected`.
    pub(crate) standing: Standing,
    /// Of a login: may it be used?
    pub(crate) active: Option<bool>,
    /// When the sender said so last.
    pub(crate) said_at: Timestamp,
    /// The id of the event that said so last.
    #[serde(skip)]
    pub(crate) event: String,
}

/// What was taken.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct TakenLine {
    pub(crate) at: Timestamp,
    pub(crate) by: String,
    pub(crate) licence: Option<String>,
    pub(crate) pin_replaced: bool,
}

/// One record.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct EventLine {
    /// Its key: the function and the event's id, or `receipt#` and the id of what was received.
    pub(crate) event: String,
    #[serde(rename = "type")]
    pub(crate) detail_type: Option<String>,
    /// When the sender said it.
    pub(crate) said_at: Option<Timestamp>,
    /// When it takes effect, where it says.
    pub(crate) effective_at: Option<Timestamp>,
    /// When Rollcall saw it first.
    pub(crate) came_at: Option<Timestamp>,
    pub(crate) state: State,
    /// When it got there.
    pub(crate) settled_at: Option<Timestamp>,
    /// When it wakes up, of what is announced.
    pub(crate) due_at: Option<Timestamp>,
    pub(crate) reason: Option<String>,
    pub(crate) message: Option<String>,
    /// The fact that decided, where it is still known.
    pub(crate) decided_by: Option<FactLine>,
    /// Which system sent it, of what was received.
    pub(crate) source: Option<String>,
    /// What the sender did not tell, and where it came from.
    pub(crate) filled: BTreeMap<String, String>,
    pub(crate) released: Option<ActedLine>,
    pub(crate) rejected: Option<ActedLine>,
    pub(crate) steps: Vec<StepLine>,
    /// From when it was due, or came if later said, to its end. Only of what was applied.
    pub(crate) took_seconds: Option<i64>,
}

/// What an operator did.
#[derive(Debug, Serialize)]
pub(crate) struct ActedLine {
    /// Who, in the operator's own words.
    pub(crate) by: String,
    /// The AWS principal that sent it, as SQS says; of a release only.
    pub(crate) sender: Option<String>,
    pub(crate) at: Timestamp,
    /// Why: the operator's words, or what it was held for.
    pub(crate) reason: Option<String>,
}

/// One step, with its requests.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct StepLine {
    pub(crate) operation: Operation,
    pub(crate) decisive: bool,
    pub(crate) status: StepStatus,
    pub(crate) code: Option<String>,
    /// An earlier send may have taken effect as well.
    pub(crate) repeated: bool,
    /// When a look-up showed that it had taken effect.
    pub(crate) read_back_at: Option<Timestamp>,
    pub(crate) requests: Vec<RequestLine>,
}

/// One request to the directory.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct RequestLine {
    pub(crate) sent_at: Option<Timestamp>,
    pub(crate) took_ms: u32,
    /// The directory's own id of it; none where no answer came.
    pub(crate) request_id: Option<String>,
}

/// Finds whom an operator means, and tells the story.
///
/// `who`: an event's id or record key, a person's hash, an address, `worker:<number>` or `subject:<id>`.
pub(crate) async fn tell(stack: &Stack<'_>, who: &str, policy: AccessPolicy) -> Result<Story> {
    let ledger = stack.ledger().await?;
    let (key, asked) = match find(stack, &ledger, who).await? {
        Meant::Person(key) => (key, None),
        Meant::Event(event) => match event.person.clone() {
            Some(key) => (key, Some(event.id)),
            None => {
                let line = line(&event, &[], stack.now());
                return Ok(Story { events: vec![line], ..Story::nobody(Some(event.id)) });
            }
        },
    };
    let history = ledger.history(&key, stack.deadline()).await?;
    if history.person.is_none() && !history.person_unreadable && history.events.is_empty() {
        bail!("the ledger knows nobody of this name; an address must be one that an event carried");
    }
    Ok(Story::of(history, asked, policy, stack.now()))
}

enum Meant {
    Person(PersonKey),
    Event(Box<EventItem>),
}

async fn find(stack: &Stack<'_>, ledger: &Ledger<System>, who: &str) -> Result<Meant> {
    let named = if who.contains('@') {
        Some((What::Email, who.trim().to_lowercase()))
    } else if let Some(number) = who.strip_prefix("worker:") {
        Some((What::Worker, number.to_owned()))
    } else {
        who.strip_prefix("subject:").map(|id| (What::Subject, id.to_owned()))
    };
    if let Some((what, value)) = named {
        let keys = stack.keys().await?;
        return Ok(Meant::Person(ledger.holder(&Identity::named(REALM, what, &value, &keys)).await?));
    }
    let records: Vec<String> = if who.contains('#') {
        vec![who.to_owned()]
    } else {
        let functions = Function::ALL.iter().map(|function| format!("{}#{who}", function.as_str()));
        functions.chain([format!("{RECEIPT}{who}")]).collect()
    };
    for record in &records {
        if let Some(event) = ledger.event(record).await? {
            return Ok(Meant::Event(Box::new(event)));
        }
    }
    // An event's id may look like a person's hash, and is tried first.
    if let Some(key) = PersonKey::parse(who) {
        return Ok(Meant::Person(key));
    }
    bail!("no record {}; a person is named by address, worker:<number>, subject:<id> or hash", records.join(" or "))
}

impl Story {
    fn nobody(asked: Option<String>) -> Story {
        Story {
            person: None,
            asked,
            access: DueAccess::AsIs,
            access_by: None,
            taken: None,
            user: None,
            licence: None,
            wish: None,
            facts: Vec::new(),
            events: Vec::new(),
            unreadable: 0,
        }
    }

    fn of(history: History, asked: Option<String>, policy: AccessPolicy, now: Timestamp) -> Story {
        let person = history.person.as_ref();
        let mut facts: Vec<&Fact> = person.iter().flat_map(|person| person.facts.iter()).collect();
        facts.sort_by(|a, b| (a.at, &a.id).cmp(&(b.at, &b.id)));
        let (access, by) = match person.and_then(|person| person.facts.decides_access(now, policy)) {
            Some((by, true)) => (DueAccess::Due, Some(by)),
            Some((by, false)) => (DueAccess::NotDue, Some(by)),
            None if history.person_unreadable => (DueAccess::Unreadable, None),
            None => (DueAccess::AsIs, None),
        };
        Story {
            person: Some(history.key.as_str().to_owned()),
            asked,
            access,
            access_by: by.map(fact),
            taken: person.and_then(|person| person.taken.as_ref()).map(taken),
            user: person.and_then(|person| person.user.as_ref()).map(|user| user.as_ref().to_owned()),
            licence: person.and_then(|person| person.licence.clone()),
            wish: person.and_then(|person| person.wish).map(|licence| licence.as_str().to_owned()),
            events: history.events.iter().map(|event| line(event, &facts, now)).collect(),
            facts: facts.into_iter().map(fact).collect(),
            unreadable: history.unreadable,
        }
    }
}

/// The fact that decided an event, as it is known now. Its name alone was kept, and facts of other kinds may have the same
/// one: a newer assertion is of the event's own fact, what decides a licence is of that family, and what decides access is of
/// employment first. What is still to come decided nothing; what is in force comes before what was taken back.
fn decided_by(event: &EventItem, outcome: &Outcome, facts: &[&Fact], now: Timestamp) -> Option<FactLine> {
    let id = outcome.decided_by.as_ref()?;
    let mut named = facts.iter().filter(|fact| &fact.id == id);
    if outcome.reason.decided() == Some(Reason::NewerAssertion) {
        let own = event.asserts.as_ref().map(|asserted| asserted.kind);
        return named.find(|fact| own == Some(fact.kind)).map(|known| fact(known));
    }
    let of_licence = function_of(&event.id) == Some(Function::RelicenseUser);
    let rank = |known: &FactKind| (known.is_licence() != of_licence, !known.is_employment(), !known.is_leave());
    let began = named.filter(|fact| fact.at.is_some_and(|at| at <= now));
    began.min_by_key(|fact| (!fact.holds(now), rank(&fact.kind))).map(|known| fact(known))
}

fn fact(fact: &Fact) -> FactLine {
    FactLine {
        kind: word(&fact.kind),
        from: fact.at,
        standing: fact.standing,
        active: fact.active,
        said_at: fact.assertion.occurred_at,
        event: fact.assertion.event.clone(),
    }
}

fn taken(taken: &Taken) -> TakenLine {
    TakenLine { at: taken.at, by: taken.event.clone(), licence: taken.licence.clone(), pin_replaced: taken.pin }
}

/// One record, told by itself.
pub(crate) fn line(event: &EventItem, facts: &[&Fact], now: Timestamp) -> EventLine {
    let data: Option<Value> = event.data.as_deref().and_then(|data| serde_json::from_str(data).ok());
    let outcome: Option<Outcome> = data.clone().and_then(|data| serde_json::from_value(data).ok());
    let told = |name: &str| data.as_ref().and_then(|data| data.get(name)).and_then(Value::as_str).map(str::to_owned);
    let filled = data.as_ref().and_then(|data| data.get("filled")).and_then(Value::as_object);
    let filled = filled.into_iter().flatten();
    let settled_at = event.settled_at.and_then(at);
    let due = event.effective_at.and_then(at).max(event.occurred_at);
    let applied = settled_at.filter(|_| event.state == State::Applied);
    EventLine {
        event: event.id.clone(),
        detail_type: event.detail_type.clone(),
        said_at: event.occurred_at,
        effective_at: event.effective_at.and_then(at),
        came_at: at(event.came_at()),
        state: event.state,
        settled_at,
        due_at: event.due_at.filter(|_| event.due.is_some()).and_then(at),
        reason: outcome.as_ref().map(|outcome| outcome.reason.word()),
        decided_by: outcome.as_ref().and_then(|outcome| decided_by(event, outcome, facts, now)),
        message: outcome.map(|outcome| outcome.message),
        source: told("source"),
        filled: filled.filter_map(|(what, whence)| Some((what.clone(), whence.as_str()?.to_owned()))).collect(),
        released: event.released.as_ref().map(|release| ActedLine {
            by: release.by.clone(),
            sender: release.sender.clone(),
            at: release.at,
            reason: release.held_for.map(|reason| reason.sentence().to_owned()),
        }),
        rejected: event.rejected.as_ref().map(|rejection| ActedLine {
            by: rejection.by.clone(),
            sender: None,
            at: rejection.at,
            reason: Some(rejection.reason.clone()),
        }),
        steps: event.plan.iter().flat_map(|plan| &plan.steps).map(step).collect(),
        took_seconds: applied.zip(due).map(|(done, due)| SignedDuration::as_secs(&done.duration_since(due))),
    }
}

fn step(step: &Step) -> StepLine {
    StepLine {
        operation: step.operation,
        decisive: step.decisive,
        status: step.status,
        code: step.code.clone(),
        repeated: step.repeated,
        read_back_at: step.read_back.and_then(at),
        requests: step.sent.iter().map(request).collect(),
    }
}

fn request(sent: &Sent) -> RequestLine {
    let request_id = sent.request.as_ref().map(|id| id.as_str().to_owned());
    RequestLine { sent_at: at(sent.at), took_ms: sent.took, request_id }
}

fn at(milliseconds: i64) -> Option<Timestamp> {
    Timestamp::from_millisecond(milliseconds).ok()
}

/// The word by which a value is stored.
pub(crate) fn word<T: Serialize>(value: &T) -> String {
    serde_json::to_value(value).ok().and_then(|value| value.as_str().map(str::to_owned)).unwrap_or_default()
}
