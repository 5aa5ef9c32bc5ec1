//! What waits for a person: listed, shown, released, rejected.

mod command;

pub(crate) use command::{HeldCommand, acted, run};

use crate::aws;
use crate::stack::{Part, Stack};
use anyhow::{Result, bail};
use command::{ForReason, Which};
use jiff::Timestamp;
use rollcall::host::System;
use rollcall::ledger::{EventItem, Ledger, Rejection, Releasing, State};
use rollcall::outcome::Outcome;
use rollcall::queue;
use rollcall::routes::Function;
use serde::Serialize;
use serde_json::Value;
use std::collections::BTreeMap;

/// One event that waits.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Held {
    /// Key of its record.
    pub(crate) event: String,
    pub(crate) state: State,
    /// Since when.
    pub(crate) since: Option<Timestamp>,
    /// When the sender asserted it.
    pub(crate) occurred_at: Option<Timestamp>,
    /// Keyed hash of whom it is about.
    pub(crate) person: Option<String>,
    pub(crate) reason: String,
    pub(crate) message: String,
    /// What it would do.
    pub(crate) steps: Vec<String>,
    /// Who released it, while that is on its way.
    pub(crate) releasing: Option<String>,
}

/// One event with all that the ledger tells.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Shown {
    #[serde(flatten)]
    pub(crate) held: Held,
    pub(crate) released: Option<Value>,
    pub(crate) rejected: Option<Value>,
    /// The event itself. Personal data: only with the person key.
    pub(crate) detail: Option<Value>,
}

/// What became of one event that was to be released, rejected or redriven.
#[derive(Serialize)]
pub(crate) struct Acted {
    pub(crate) event: String,
    /// `released`, `rejected`, `redriven`; or `failed`, `missing` where there is nothing to redrive, and `left`
    /// where it was parked again meanwhile.
    pub(crate) result: &'static str,
    pub(crate) message: String,
}

impl Acted {
    pub(crate) fn is_done(&self) -> bool {
        !matches!(self.result, "failed" | "missing" | "left")
    }
}

/// What waits, oldest first.
#[derive(Serialize)]
pub(crate) struct Listed {
    pub(crate) events: Vec<Held>,
    /// More wait than were asked for.
    pub(crate) truncated: bool,
}

/// What waits, and how many more records of it cannot be read.
async fn list(stack: &Stack<'_>, states: &[State], limit: usize) -> Result<(Listed, usize)> {
    let found = waiting(stack, &stack.ledger().await?, states, limit).await?;
    let listed = Listed { events: found.events.iter().map(held).collect(), truncated: found.truncated };
    Ok((listed, found.unreadable))
}

async fn show(stack: &Stack<'_>, name: &str, open: bool) -> Result<Shown> {
    let event = find(&stack.ledger().await?, name).await?;
    let keys = if open { Some(stack.keys().await?) } else { stack.given_keys()? };
    let detail = match (keys, &event.event) {
        (Some(keys), Some(sealed)) => {
            let text = keys.open(sealed, &event.id).map_err(|unopenable| anyhow::anyhow!("{unopenable}"))?;
            Some(serde_json::from_str(&text)?)
        }
        (Some(_) | None, _) => None,
    };
    Ok(Shown {
        held: held(&event),
        released: event.released.map(serde_json::to_value).transpose()?,
        rejected: event.rejected.map(serde_json::to_value).transpose()?,
        detail,
    })
}

/// Sends each event to its function's queue, sealed as it is, with the token of its hold. Of all that waits, those of these
/// reasons go, once `confirmed` has heard how many of which.
async fn release(
    stack: &Stack<'_>,
    which: &Which,
    reasons: &[ForReason],
    by: &str,
    confirmed: impl FnOnce(&[(String, usize)]) -> Result<()>,
) -> Result<(Vec<Acted>, usize)> {
    let ledger = stack.ledger().await?;
    let mut acted = Vec::new();
    let mut by_queue: BTreeMap<String, Vec<EventItem>> = BTreeMap::new();
    let (mut chosen, unreadable) = choose(stack, which).await?;
    if which.all.is_some() {
        chosen.retain(|chosen| chosen.as_ref().is_ok_and(|event| is_for(event, reasons)));
        let mut counts: BTreeMap<String, usize> = BTreeMap::new();
        for event in chosen.iter().flatten() {
            *counts.entry(held(event).reason).or_default() += 1;
        }
        if !counts.is_empty() {
            confirmed(&counts.into_iter().collect::<Vec<_>>())?;
        }
    }
    for chosen in chosen {
        let failed = |event: String, message: &str| Acted { event, result: "failed", message: message.to_owned() };
        let event = match chosen {
            Ok(event) => event,
            Err(failed) => {
                acted.push(failed);
                continue;
            }
        };
        let queue = match function_of(&event.id) {
            Some(function) => stack.find_part(function, Part::Queue).await?,
            None => None,
        };
        let Some(queue) = queue else {
            acted.push(failed(event.id, "which queue? Give --stack-name, or --queue <function>=<url>"));
            continue;
        };
        if event.event.as_ref().is_none_or(|sealed| sealed.is_empty()) {
            acted.push(failed(event.id, "holds no sealed event; it can only be rejected"));
            continue;
        }
        // Noted first, so that nobody rejects what is on its way.
        let releasing = Releasing { by: by.to_owned(), at: stack.now() };
        match ledger.releasing(&event, &releasing).await {
            Ok(true) => by_queue.entry(queue).or_default().push(event),
            Ok(false) => acted.push(failed(event.id, "does not wait any more")),
            Err(error) => acted.push(failed(event.id, &aws::line(&error.into()))),
        }
    }
    for (queue, events) in by_queue {
        let sent = queue::release(&stack.sqs().await, &queue, &events, by).await;
        for (event, sent) in events.into_iter().zip(sent) {
            let (result, message) = if sent {
                ("released", "on its way: the whole road again, what is due included")
            } else {
                ("failed", "the queue did not take it; it waits as before: release it again")
            };
            acted.push(Acted { event: event.id, result, message: message.to_owned() });
        }
    }
    Ok((acted, unreadable))
}

async fn reject(stack: &Stack<'_>, which: &Which, by: &str, reason: &str, force: bool) -> Result<(Vec<Acted>, usize)> {
    if reason.trim().is_empty() {
        bail!("--reason must say why");
    }
    let ledger = stack.ledger().await?;
    let mut acted = Vec::new();
    let (chosen, unreadable) = choose(stack, which).await?;
    for chosen in chosen {
        let event = match chosen {
            Ok(event) => event,
            Err(failed) => {
                acted.push(failed);
                continue;
            }
        };
        let rejection = Rejection { by: by.to_owned(), at: stack.now(), reason: reason.to_owned() };
        let (result, message) = match ledger.reject(&event.id, &rejection, force).await {
            Ok(_) => ("rejected", "its fact is void; nothing was applied".to_owned()),
            Err(error) => ("failed", error.to_string()),
        };
        acted.push(Acted { event: event.id, result, message });
    }
    Ok((acted, unreadable))
}

/// The events that the operator means: each, or why it cannot be one of them; and how many more cannot be read.
async fn choose(stack: &Stack<'_>, which: &Which) -> Result<(Vec<Result<EventItem, Acted>>, usize)> {
    let ledger = stack.ledger().await?;
    if let Some(all) = which.all {
        let found = waiting(stack, &ledger, all.states(), usize::MAX).await?;
        return Ok((found.events.into_iter().map(Ok).collect(), found.unreadable));
    }
    let mut chosen = Vec::new();
    for name in &which.events {
        let failed = |event: &str, message: String| Err(Acted { event: event.to_owned(), result: "failed", message });
        chosen.push(match find(&ledger, name).await {
            Ok(event) if event.state == State::Held || event.state == State::Observed => Ok(event),
            Ok(event) => failed(&event.id, format!("is {}, not held or observed", event.state.as_str())),
            Err(error) => failed(name, aws::line(&error)),
        });
    }
    Ok((chosen, 0))
}

/// What waits.
pub(crate) struct Found {
    /// Oldest first.
    pub(crate) events: Vec<EventItem>,
    /// How many records cannot be read.
    pub(crate) unreadable: usize,
    /// More wait than were asked for.
    pub(crate) truncated: bool,
}

/// Every event in these states.
pub(crate) async fn waiting(
    stack: &Stack<'_>,
    ledger: &Ledger<System>,
    states: &[State],
    limit: usize,
) -> Result<Found> {
    let (mut events, mut unreadable, mut truncated) = (Vec::new(), 0, false);
    for state in states {
        let mut from = None;
        loop {
            let part = ledger.waiting(*state, from, stack.deadline()).await?;
            events.extend(part.events);
            unreadable += part.unreadable;
            from = part.next;
            if from.is_none() || events.len() > limit {
                truncated |= from.is_some();
                break;
            }
        }
    }
    events.sort_by(|a: &EventItem, b| (a.first_claimed_at, &a.id).cmp(&(b.first_claimed_at, &b.id)));
    truncated |= events.len() > limit;
    events.truncate(limit);
    Ok(Found { events, unreadable, truncated })
}

/// The record of an event that is named by its key, or by its id alone.
pub(crate) async fn find(ledger: &Ledger<System>, name: &str) -> Result<EventItem> {
    let keys: Vec<String> = if name.contains('#') {
        vec![name.to_owned()]
    } else {
        Function::ALL.iter().map(|function| format!("{}#{name}", function.as_str())).collect()
    };
    let mut found: Vec<EventItem> = Vec::new();
    for key in &keys {
        found.extend(ledger.event(key).await?);
    }
    // The same id may be known to two functions: what waits is what is meant.
    found.sort_by_key(|event| event.state.attention().is_none());
    if let Some(event) = found.into_iter().next() {
        return Ok(event);
    }
    bail!("no event is recorded under {}", keys.join(" or "))
}

/// The function that a record belongs to, by its key.
pub(crate) fn function_of(event_key: &str) -> Option<Function> {
    let (name, _) = event_key.split_once('#')?;
    Function::ALL.into_iter().find(|function| function.as_str() == name)
}

/// Whether an event waits for one of these reasons; where none is named, for whatever reason.
fn is_for(event: &EventItem, reasons: &[ForReason]) -> bool {
    let outcome: Option<Outcome> = event.data.as_deref().and_then(|data| serde_json::from_str(data).ok());
    let waits_for = outcome.and_then(|outcome| outcome.reason.decided());
    reasons.is_empty()
        || reasons.iter().any(|reason| match reason {
            ForReason::Any => true,
            ForReason::One(reason) => waits_for == Some(*reason),
        })
}

fn held(event: &EventItem) -> Held {
    let outcome: Option<Outcome> = event.data.as_deref().and_then(|data| serde_json::from_str(data).ok());
    let steps = event.plan.iter().flat_map(|plan| &plan.steps);
    Held {
        event: event.id.clone(),
        state: event.state,
        since: Timestamp::from_millisecond(event.first_claimed_at).ok(),
        occurred_at: event.occurred_at,
        person: event.person.as_ref().map(|person| person.as_str().to_owned()),
        reason: outcome.as_ref().map(|outcome| outcome.reason.word()).unwrap_or_default(),
        message: outcome.map(|outcome| outcome.message).unwrap_or_default(),
        steps: steps.map(|step| step.operation.as_str().to_owned()).collect(),
        releasing: event.releasing.as_ref().map(|releasing| releasing.by.clone()),
    }
}
