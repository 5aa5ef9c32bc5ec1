//! From the dead-letter queue to the function's queue.
//!
//! *Invariant*: a message is deleted from the dead-letter queue only when its copy is on the function's queue. Whatever stops
//! this between the two leaves a second copy, which the road takes for a duplicate.

use super::Redrive;
use super::letters::{Letter, Letters};
use crate::aws;
use crate::held::{Acted, find, function_of, waiting};
use crate::stack::{Part, Stack};
use anyhow::Result;
use aws_sdk_sqs::Client;
use aws_sdk_sqs::types::{DeleteMessageBatchRequestEntry, MessageAttributeValue, SendMessageBatchRequestEntry};
use indicatif::ProgressBar;
use jiff::Timestamp;
use rollcall::ledger::{EventItem, State};
use rollcall::queue::PARKED_AS;
use rollcall::routes::Function;
use std::collections::{BTreeMap, BTreeSet, HashMap};

/// The largest request, in bytes: all its messages with their attributes. Source: SQS quotas.
const REQUEST_LIMIT: usize = 1_048_576;

/// What the refusal left in the message: it is not asked again.
const OF_THE_REFUSAL: [&str; 2] = ["ErrorCode", "ErrorMessage"];

const GONE: &str = "not in the dead-letter queue (any more): it was redriven a moment ago, or 14 days are over; then its \
                    sender must send it again, under another id";
const AGAIN: &str = "parked again since this began: see why it was, then redrive it again";
const NOT_SEEN: &str = "not among the messages that were looked at; redrive it again";

/// Sends what is wanted again; answers for each, and how many more records cannot be read.
pub(super) async fn redrive(stack: &Stack<'_>, wanted: &Redrive) -> Result<(Vec<Acted>, usize)> {
    let (ledger, began) = (stack.ledger().await?, stack.now());
    let (mut acted, mut parked): (Vec<Acted>, Vec<EventItem>) = (Vec::new(), Vec::new());
    let mut unreadable = 0;
    if wanted.all {
        let found = waiting(stack, &ledger, &[State::Parked], usize::MAX).await?;
        (parked, unreadable) = (found.events, found.unreadable);
    }
    for name in &wanted.events {
        match find(&ledger, name).await {
            Ok(event) if event.state == State::Parked => parked.push(event),
            Ok(event) => acted.push(failed(&event.id, format!("is {}, not parked", event.state.as_str()))),
            Err(error) => acted.push(failed(name, aws::line(&error))),
        }
    }
    let mut of_functions: BTreeMap<Function, Vec<EventItem>> = BTreeMap::new();
    if wanted.all {
        of_functions = Function::ALL.into_iter().map(|function| (function, Vec::new())).collect();
    }
    for event in parked {
        if let Some(function) = function_of(&event.id) {
            of_functions.entry(function).or_default().push(event);
        }
    }
    of_functions.retain(|function, _| wanted.function.is_none_or(|only| only == *function));
    for (function, events) in of_functions {
        let names: Vec<String> = events.iter().map(|event| event.id.clone()).collect();
        match of_function(stack, function, events, wanted.all.then_some(began)).await {
            Ok(more) => acted.extend(more),
            // Nothing of this function was sent. What became of the others is told all the same.
            Err(error) if names.is_empty() => acted.push(failed(function.as_str(), aws::line(&error))),
            Err(error) => acted.extend(names.iter().map(|name| failed(name, aws::line(&error)))),
        }
    }
    Ok((acted, unreadable))
}

fn failed(event: &str, message: String) -> Acted {
    Acted { event: event.to_owned(), result: "failed", message }
}

/// What became of one message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Became {
    /// It is on the function's queue, and nowhere else.
    Moved,
    /// It is on both queues.
    Copied,
    /// It is where it was.
    Stayed,
}

impl Became {
    fn told(self) -> (&'static str, &'static str) {
        match self {
            Became::Moved => ("redriven", "on its way: the whole road again, what is due included"),
            Became::Copied => {
                ("redriven", "on its way; its copy stays in the dead-letter queue, and will be a duplicate")
            }
            Became::Stayed => ("failed", "its queue did not take it; it stays parked: redrive it again"),
        }
    }
}

/// One function's queue, with the events that are parked and wanted; `all`: and every other message that was there at that
/// time. What the function parks again meanwhile stays: whoever took it once more would never come to an end.
async fn of_function(
    stack: &Stack<'_>,
    function: Function,
    events: Vec<EventItem>,
    all: Option<Timestamp>,
) -> Result<Vec<Acted>> {
    let (queue, dlq) = (stack.part(function, Part::Queue).await?, stack.part(function, Part::Dlq).await?);
    let client = stack.sqs().await;
    let mut letters = Letters::new(&client, &dlq, stack.host());
    let (mut acted, mut found) = (Vec::new(), BTreeSet::new());
    // It shows on a terminal only.
    let bar = ProgressBar::new_spinner();
    let mut stopped = None;
    while all.is_some() || found.len() < events.len() {
        let batch = match letters.next().await {
            Ok(Some(batch)) => batch,
            Ok(None) => break,
            // What was sent until then is told.
            Err(error) => {
                stopped = Some(aws::line(&error));
                break;
            }
        };
        bar.inc(batch.len() as u64);
        let mut mine: Vec<(Letter, Vec<&EventItem>)> = Vec::new();
        for letter in batch {
            // One message of the intake may stand for several events.
            let of: Vec<&EventItem> = events.iter().filter(|event| letter.is_of(event)).collect();
            if all.is_some_and(|began| letter.is_later_than(began)) {
                let message = AGAIN.to_owned();
                acted.extend(names(function, &letter, &of).map(|event| Acted {
                    event,
                    result: "left",
                    message: message.clone(),
                }));
                found.extend(of.iter().map(|event| event.id.as_str()));
                letters.put_back(letter);
                continue;
            }
            if all.is_some() || !of.is_empty() { mine.push((letter, of)) } else { letters.put_back(letter) }
        }
        let became = carry(&client, &queue, &dlq, &mine).await;
        for ((letter, of), became) in mine.into_iter().zip(became) {
            let (result, message) = became.told();
            acted.extend(names(function, &letter, &of).map(|event| Acted {
                event,
                result,
                message: message.to_owned(),
            }));
            found.extend(of.iter().map(|event| event.id.as_str()));
            if became == Became::Stayed {
                letters.put_back(letter);
            }
        }
    }
    bar.finish_and_clear();
    let whole = letters.end().await;
    if let Some(error) = &stopped {
        acted.push(failed(&format!("{}, the rest of its dead letters", function.as_str()), error.clone()));
    }
    let message = if whole { GONE } else { NOT_SEEN };
    let missing = events.iter().filter(|event| !found.contains(event.id.as_str()));
    acted.extend(missing.map(|event| Acted {
        event: event.id.clone(),
        result: "missing",
        message: message.to_owned(),
    }));
    Ok(acted)
}

/// What a message is told as: the events that it stands for, or itself.
fn names<'a>(function: Function, letter: &Letter, of: &'a [&EventItem]) -> impl Iterator<Item = String> + use<'a> {
    let nobodys = of.is_empty().then(|| format!("{}, message {}", function.as_str(), letter.id));
    of.iter().map(|event| event.id.clone()).chain(nobodys)
}

/// Sends messages to the function's queue, then deletes those that are there from the dead-letter queue.
async fn carry(client: &Client, queue: &str, dlq: &str, letters: &[(Letter, Vec<&EventItem>)]) -> Vec<Became> {
    let mut became = vec![Became::Stayed; letters.len()];
    let (mut part, mut bytes) = (Vec::new(), 0);
    for (index, (letter, of)) in letters.iter().enumerate() {
        let attributes = attributes(letter, of.first().map(|event| event.owner.as_str()));
        let size = letter.body.len() + attributes.iter().map(size).sum::<usize>();
        if bytes + size > REQUEST_LIMIT {
            send(client, queue, std::mem::take(&mut part))
                .await
                .into_iter()
                .for_each(|sent| became[sent] = Became::Copied);
            bytes = 0;
        }
        let entry = SendMessageBatchRequestEntry::builder().id(index.to_string()).message_body(&letter.body);
        part.extend(entry.set_message_attributes(Some(attributes)).build());
        bytes += size;
    }
    send(client, queue, part).await.into_iter().for_each(|sent| became[sent] = Became::Copied);
    let there = letters.iter().enumerate().filter(|(index, _)| became[*index] == Became::Copied);
    let entries = there.filter_map(|(index, (letter, _))| {
        DeleteMessageBatchRequestEntry::builder().id(index.to_string()).receipt_handle(&letter.receipt).build().ok()
    });
    let entries: Vec<DeleteMessageBatchRequestEntry> = entries.collect();
    if !entries.is_empty()
        && let Ok(answer) = client.delete_message_batch().queue_url(dlq).set_entries(Some(entries)).send().await
    {
        let deleted = answer.successful.iter().filter_map(|entry| entry.id.parse::<usize>().ok());
        deleted.for_each(|index| became[index] = Became::Moved);
    }
    became
}

/// Answers which are there for certain, ten at most.
async fn send(client: &Client, queue: &str, entries: Vec<SendMessageBatchRequestEntry>) -> Vec<usize> {
    if entries.is_empty() {
        return Vec::new();
    }
    let sent = client.send_message_batch().queue_url(queue).set_entries(Some(entries)).send().await;
    sent.map(|answer| answer.successful.iter().filter_map(|entry| entry.id.parse().ok()).collect()).unwrap_or_default()
}

/// What a message carries: what it came with, and the token that its event is parked under.
fn attributes(letter: &Letter, token: Option<&str>) -> HashMap<String, MessageAttributeValue> {
    let mut attributes = letter.attributes.clone();
    attributes.retain(|name, _| !OF_THE_REFUSAL.contains(&name.as_str()));
    let token = token.filter(|_| letter.parked_as().is_none());
    let token =
        token.and_then(|token| MessageAttributeValue::builder().data_type("String").string_value(token).build().ok());
    attributes.extend(token.map(|token| (PARKED_AS.to_owned(), token)));
    attributes
}

/// What an attribute takes of a message's size. Source: SQS quotas: name, type and value count.
fn size((name, value): (&String, &MessageAttributeValue)) -> usize {
    let binary = value.binary_value().map_or(0, |bytes| bytes.as_ref().len());
    name.len() + value.data_type().len() + value.string_value().map_or(0, str::len) + binary
}
