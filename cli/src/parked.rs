//! Events that were refused for good: listed and shown from the ledger, and sent down the road again from the dead-letter
//! queues.

mod letters;
mod redrive;
mod tell;

use crate::arguments::{Output, function, words};
use crate::aws;
use crate::held::{Acted, acted, find, function_of, waiting};
use crate::queues::{Depth, depth};
use crate::report::Report;
use crate::stack::{Part, Place, Stack};
use anyhow::Result;
use clap::{ArgGroup, Args, Subcommand};
use jiff::Timestamp;
use letters::Letters;
use rollcall::ledger::{EventItem, Rejection, State};
use rollcall::outcome::Outcome;
use rollcall::release;
use rollcall::routes::Function;
use rollcall::seal::Keys;
use serde::Serialize;
use serde_json::Value;
use std::collections::BTreeMap;

#[derive(Subcommand)]
pub(crate) enum ParkedCommand {
    /// Lists what is parked, oldest first, and how much is in the dead-letter queues.
    List {
        /// At most so many.
        #[arg(long, default_value_t = 1000)]
        limit: usize,
    },
    /// Shows one event: why it is parked, and with --open, or the person key, its message.
    Show {
        /// Its id (`<eventId>`, or `<function>#<eventId>`).
        event: String,
        /// Shows its message, where it is still in the dead-letter queue: personal data. The person key is read from the
        /// stack unless it is given.
        #[arg(long)]
        open: bool,
    },
    /// Sends events from the dead-letter queues to their functions again: the whole road, what is due included.
    Redrive(Redrive),
    /// Ends events for good that are not to be redriven: the facts they assert are void. Their messages stay in the
    /// dead-letter queue, and are duplicates from then on.
    Reject {
        /// Their ids (`<eventId>`, or `<function>#<eventId>`).
        #[arg(value_name = "EVENT", required = true)]
        events: Vec<String>,
        /// Who rejects them: kept with each event.
        #[arg(long, env = "ROLLCALL_OPERATOR", value_parser = words)]
        by: String,
        /// Why: kept with each event.
        #[arg(long, value_parser = words)]
        reason: String,
    },
}

/// Which events.
#[derive(Args)]
#[command(group = ArgGroup::new("which").required(true))]
pub(crate) struct Redrive {
    /// Their ids (`<eventId>`, or `<function>#<eventId>`).
    #[arg(value_name = "EVENT", group = "which")]
    events: Vec<String>,
    /// Everything in the dead-letter queues.
    #[arg(long, group = "which")]
    all: bool,
    /// With --all, only of this function.
    #[arg(long, value_parser = function, conflicts_with = "events")]
    function: Option<Function>,
}

/// One event that is parked.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Parked {
    /// Key of its record.
    event: String,
    state: State,
    function: Option<Function>,
    /// When it was first claimed.
    since: Option<Timestamp>,
    /// The refusal's code.
    code: String,
    message: String,
    /// Keyed hash of whom it is about.
    person: Option<String>,
}

/// What is parked, and how much is in queues that nobody takes from.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Listed {
    events: Vec<Parked>,
    /// More are parked than were asked for.
    truncated: bool,
    /// Messages in the dead-letter queue of each function, as far as the places are known.
    dead_letters: BTreeMap<Function, u64>,
    unrouted: Option<u64>,
    undelivered: Option<u64>,
}

/// One event with all that is known of it.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Shown {
    #[serde(flatten)]
    parked: Parked,
    occurred_at: Option<Timestamp>,
    /// Each step of its plan, with what became of it.
    steps: Vec<String>,
    /// Whether its message is in the dead-letter queue; nobody looked without the person key.
    in_dead_letters: Option<bool>,
    /// The message. Personal data: only with the person key.
    body: Option<Value>,
}

pub(crate) async fn run(command: &ParkedCommand, stack: &Stack<'_>, output: Output) -> Result<Report> {
    match command {
        ParkedCommand::List { limit } => {
            let (listed, unreadable) = list(stack, *limit).await?;
            Ok(Report::of(&listed, output, tell::list).without(unreadable))
        }
        ParkedCommand::Show { event, open } => {
            let shown = show(stack, event, *open).await?;
            Ok(Report::of(&shown, output, tell::show))
        }
        ParkedCommand::Reject { events, by, reason } => {
            Ok(acted(&self::reject(stack, events, by, reason).await?, output))
        }
        ParkedCommand::Redrive(wanted) => {
            let (events, unreadable) = redrive::redrive(stack, wanted).await?;
            Ok(acted(&events, output).without(unreadable))
        }
    }
}

async fn list(stack: &Stack<'_>, limit: usize) -> Result<(Listed, usize)> {
    let found = waiting(stack, &stack.ledger().await?, &[State::Parked], limit).await?;
    let mut dead_letters = BTreeMap::new();
    for function in Function::ALL {
        if let Some(url) = stack.find_part(function, Part::Dlq).await? {
            dead_letters.insert(function, depth(&stack.sqs().await, &url).await?.all());
        }
    }
    let listed = Listed {
        events: found.events.iter().map(parked).collect(),
        truncated: found.truncated,
        dead_letters,
        unrouted: count(stack, Place::Unrouted).await?,
        undelivered: count(stack, Place::Undelivered).await?,
    };
    Ok((listed, found.unreadable))
}

/// Ends parked events. Their messages are not looked for: a copy may be on its way, and a duplicate does nothing.
async fn reject(stack: &Stack<'_>, names: &[String], by: &str, reason: &str) -> Result<Vec<Acted>> {
    let ledger = stack.ledger().await?;
    let mut acted = Vec::new();
    for name in names {
        let failed = |event: &str, message| Acted { event: event.to_owned(), result: "failed", message };
        let event = match find(&ledger, name).await {
            Ok(event) => event,
            Err(error) => {
                acted.push(failed(name, aws::line(&error)));
                continue;
            }
        };
        let rejection = Rejection { by: by.to_owned(), at: stack.now(), reason: reason.to_owned() };
        acted.push(match ledger.reject_parked(&event.id, &rejection).await {
            Ok(rejected) => {
                let function = function_of(&rejected.id).map(Function::as_str).unwrap_or_default();
                let message = format!(
                    "its fact is void; a message that is still in the dead-letter queue is a duplicate now: delete it \
                     there, or `rollcall parked redrive --all --function {function}` lets it end as one"
                );
                Acted { event: rejected.id, result: "rejected", message }
            }
            Err(error) => failed(&event.id, error.to_string()),
        });
    }
    Ok(acted)
}

async fn count(stack: &Stack<'_>, place: Place) -> Result<Option<u64>> {
    match stack.find(place).await? {
        Some(url) => Ok(Some(depth(&stack.sqs().await, &url).await.map(Depth::all)?)),
        None => Ok(None),
    }
}

async fn show(stack: &Stack<'_>, name: &str, open: bool) -> Result<Shown> {
    let event = find(&stack.ledger().await?, name).await?;
    let keys = if open { Some(stack.keys().await?) } else { stack.given_keys()? };
    let (mut in_dead_letters, mut body) = (None, None);
    if let (Some(keys), State::Parked, Some(function)) = (keys, event.state, function_of(&event.id)) {
        let letter = letter(stack, function, &event).await?;
        in_dead_letters = Some(letter.is_some());
        body = letter.map(|letter| opened(&letter, &keys));
    }
    let outcome = outcome(&event);
    let steps = outcome.iter().flat_map(|outcome| &outcome.steps).map(|step| {
        let code = step.code.as_ref().map(|code| format!(" ({code})")).unwrap_or_default();
        format!("{}: {}{code}", step.operation.as_str(), step.status.as_str())
    });
    let steps = steps.collect();
    Ok(Shown { parked: parked(&event), occurred_at: event.occurred_at, steps, in_dead_letters, body })
}

/// The body of an event's message, looked for in the dead-letter queue. All that was looked at shows there again at once.
async fn letter(stack: &Stack<'_>, function: Function, event: &EventItem) -> Result<Option<String>> {
    let url = stack.part(function, Part::Dlq).await?;
    let client = stack.sqs().await;
    let mut letters = Letters::new(&client, &url, stack.host());
    let mut found = None;
    while found.is_none()
        && let Some(batch) = letters.next().await?
    {
        for letter in batch {
            if letter.is_of(event) {
                found = Some(letter.body.clone());
            }
            letters.put_back(letter);
        }
    }
    letters.end().await;
    Ok(found)
}

/// A message as it is told: sealed ones opened, JSON as JSON.
fn opened(body: &str, keys: &Keys) -> Value {
    let text = match release::open(body, keys) {
        Some(Ok(opened)) => opened,
        Some(Err(_)) | None => body.to_owned(),
    };
    serde_json::from_str(&text).unwrap_or(Value::String(text))
}

fn parked(event: &EventItem) -> Parked {
    let outcome = outcome(event);
    Parked {
        event: event.id.clone(),
        state: event.state,
        function: function_of(&event.id),
        since: Timestamp::from_millisecond(event.first_claimed_at).ok(),
        code: outcome.as_ref().map(|outcome| outcome.reason.word()).unwrap_or_default(),
        message: outcome.map(|outcome| outcome.message).unwrap_or_default(),
        person: event.person.as_ref().map(|person| person.as_str().to_owned()),
    }
}

fn outcome(event: &EventItem) -> Option<Outcome> {
    event.data.as_deref().and_then(|data| serde_json::from_str(data).ok())
}
