//! Publishing events by hand: each validated first, and nothing published where one is not valid.

mod read;

use crate::arguments::Output;
use crate::report::{Report, table};
use crate::stack::Stack;
use anyhow::Result;
use clap::Args;
use indicatif::ProgressBar;
use jiff::Timestamp;
use read::{Document, documents};
use rollcall::bus::{ENTRIES, Entry};
use rollcall::decide::taken_up_by;
use rollcall::event;
use rollcall::failure::Refusal;
use rollcall::routes::Function;
use serde::Serialize;
use std::path::PathBuf;

/// What is sent.
#[derive(Args)]
pub(crate) struct Send {
    /// Files; `-` is the standard input. Each is one event or JSON lines of events: bare details, or `EventBridge`
    /// envelopes.
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
    /// Only validates. Needs nothing of AWS.
    #[arg(long)]
    dry_run: bool,
    /// Publishes what is valid though something else is not, and goes on where the bus refuses an event.
    #[arg(long)]
    keep_going: bool,
}

/// What became of one event.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Sent {
    /// The file and the line that it begins in.
    at: String,
    event_id: Option<String>,
    detail_type: Option<&'static str>,
    /// The function that takes it up.
    function: Option<Function>,
    result: Became,
    /// What is wrong, and where.
    message: String,
}

/// What became of an event.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
enum Became {
    /// It may be sent.
    Valid,
    /// It may not.
    Invalid,
    /// It is on the bus.
    Published,
    /// Another one is wrong.
    NotSent,
    /// The bus did not take it, or did not answer.
    Failed,
}

impl Became {
    fn as_str(self) -> &'static str {
        match self {
            Became::Valid => "valid",
            Became::Invalid => "invalid",
            Became::Published => "published",
            Became::NotSent => "not sent",
            Became::Failed => "failed",
        }
    }
}

pub(crate) async fn run(send: &Send, stack: &Stack<'_>, output: Output) -> Result<Report> {
    let (mut events, mut entries) = (Vec::new(), Vec::new());
    for document in documents(&send.files)? {
        let (sent, entry) = validate(document, stack.now());
        events.push(sent);
        entries.push(entry);
    }
    let whole = entries.iter().all(Option::is_some);
    if !send.dry_run {
        if whole || send.keep_going {
            publish(stack, &mut events, &entries, send.keep_going).await?;
        } else {
            let valid = events.iter_mut().filter(|sent| sent.result == Became::Valid);
            valid.for_each(|sent| sent.result = Became::NotSent);
        }
    }
    let wanted = if send.dry_run { Became::Valid } else { Became::Published };
    let done = !events.is_empty() && events.iter().all(|sent| sent.result == wanted);
    Ok(Report { done, ..Report::of(&events, output, |events| tell(events, wanted)) })
}

/// What may be sent of a document, or why not.
fn validate(document: Document, now: Timestamp) -> (Sent, Option<Entry>) {
    let Document { at, body } = document;
    let mut sent =
        Sent { at, event_id: None, detail_type: None, function: None, result: Became::Valid, message: String::new() };
    let entry = event::parse(&body).and_then(|parsed| {
        sent.event_id = Some(parsed.id.as_str().to_owned());
        let detail_type = parsed.event_type.detail_type();
        sent.detail_type = Some(detail_type);
        sent.function = Some(taken_up_by(&parsed, now)?);
        Ok(Entry { detail_type, detail: event::detail(&body)? })
    });
    let entry = entry.map_err(|refusal: Refusal| (sent.result, sent.message) = (Became::Invalid, refusal.to_string()));
    (sent, entry.ok())
}

/// Publishes the valid ones in order, ten at a time. Without `keep_going` nothing is sent after the ten that one of failed.
async fn publish(stack: &Stack<'_>, events: &mut [Sent], entries: &[Option<Entry>], keep_going: bool) -> Result<()> {
    let bus = stack.bus().await?;
    let valid: Vec<(usize, &Entry)> =
        entries.iter().enumerate().filter_map(|(index, entry)| Some((index, entry.as_ref()?))).collect();
    // It shows on a terminal only.
    let bar = ProgressBar::new(valid.len() as u64);
    let mut failed = false;
    for part in valid.chunks(ENTRIES) {
        if failed && !keep_going {
            part.iter().for_each(|(index, _)| events[*index].result = Became::NotSent);
            continue;
        }
        let ten: Vec<Entry> = part.iter().map(|(_, entry)| (*entry).clone()).collect();
        for ((index, _), answer) in part.iter().zip(bus.put(&ten).await) {
            let sent = &mut events[*index];
            (sent.result, sent.message) = match answer {
                Ok(()) => (Became::Published, String::new()),
                Err(why) => (Became::Failed, why.to_string()),
            };
            failed |= sent.result == Became::Failed;
        }
        bar.inc(part.len() as u64);
    }
    bar.finish_and_clear();
    Ok(())
}

fn tell(events: &[Sent], wanted: Became) -> String {
    let mut table = table(&["at", "event", "type", "for", "result", ""]);
    for sent in events {
        table.add_row([
            sent.at.as_str(),
            sent.event_id.as_deref().unwrap_or_default(),
            sent.detail_type.unwrap_or_default(),
            sent.function.map(Function::as_str).unwrap_or_default(),
            sent.result.as_str(),
            &sent.message,
        ]);
    }
    let done = events.iter().filter(|sent| sent.result == wanted).count();
    format!("{table}\n{done} of {} {}", events.len(), wanted.as_str())
}
