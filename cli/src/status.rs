//! How a stack is, on one screen, and what of it needs a person.

mod look;
mod needs;

use crate::arguments::Output;
use crate::queues::Depth;
use crate::report::{Report, instant, table};
use crate::stack::Stack;
use anyhow::Result;
use clap::Args;
use jiff::Timestamp;
use rollcall::routes::Function;
use serde::Serialize;
use std::fmt::Write;
use std::path::PathBuf;

/// What the status rests on.
#[derive(Args)]
pub(crate) struct Status {
    /// The policy document, for the budgets of its accounts and how old a roster may be. Default: the stack's own, or
    /// `policy.json` where it is there.
    #[arg(long)]
    policy: Option<PathBuf>,
}

/// How a stack is.
#[derive(Debug, Default, Serialize)]
#[serde(rename_all = "camelCase")]
struct Screen {
    functions: Vec<FunctionLine>,
    /// Messages that no function consumes.
    unrouted: Option<u64>,
    /// Messages that the bus could not deliver.
    undelivered: Option<u64>,
    held: Option<Waiting>,
    observed: Option<Waiting>,
    parked: Option<Waiting>,
    /// Budgets that hold everything.
    latched: Vec<Latched>,
    announced: Option<Announced>,
    roster: Option<Roster>,
    /// When the last audit began that believed a listing.
    last_audit: Option<Timestamp>,
    /// What needs a person, each with what to do.
    needs: Vec<String>,
    /// What could not be asked for.
    unknown: Vec<String>,
}

/// One function.
#[derive(Debug, Serialize)]
struct FunctionLine {
    function: Function,
    /// The state of its mapping, in Lambda's words.
    mapping: Option<String>,
    queue: Option<Depth>,
    dlq: Option<Depth>,
}

/// Events in a state.
#[derive(Clone, Copy, Debug, Serialize)]
struct Waiting {
    count: u64,
    oldest: Option<Timestamp>,
}

/// A budget that holds everything.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Latched {
    /// Its name on the command line.
    pub(crate) budget: String,
    pub(crate) since: Timestamp,
    /// The event that did not fit.
    pub(crate) because_of: String,
}

/// Announcements that wait for their time.
#[derive(Clone, Copy, Debug, Serialize)]
struct Announced {
    count: u64,
    next: Option<Timestamp>,
    /// Due for longer than the sweep takes to find them.
    overdue: u64,
}

/// The roster in force.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Roster {
    version: String,
    people: u64,
    dropped_at: Timestamp,
    age_seconds: i64,
    /// How old the policy lets it be.
    at_most_seconds: i64,
}

pub(crate) async fn run(status: &Status, stack: &Stack<'_>, output: Output) -> Result<Report> {
    let mut screen = look::screen(stack, status.policy.as_deref()).await?;
    screen.needs = needs::needs(&screen);
    let done = screen.needs.is_empty() && screen.unknown.is_empty();
    Ok(Report { done, ..Report::of(&screen, output, tell) })
}

fn tell(screen: &Screen) -> String {
    let mut functions = table(&["function", "mapping", "waiting", "in flight", "dead letters"]);
    for line in &screen.functions {
        let number = |depth: Option<u64>| depth.map(|depth| depth.to_string()).unwrap_or_default();
        functions.add_row([
            line.function.as_str().to_owned(),
            line.mapping.clone().unwrap_or_default(),
            number(line.queue.map(|depth| depth.waiting)),
            number(line.queue.map(|depth| depth.in_flight)),
            number(line.dlq.map(Depth::all)),
        ]);
    }
    let mut stack = table(&["", "", ""]);
    let mut row = |name: &str, value: Option<String>, more: String| {
        if let Some(value) = value {
            stack.add_row([name.to_owned(), value, more]);
        }
    };
    let since = |waiting: Option<Waiting>| {
        let oldest = waiting.and_then(|waiting| waiting.oldest);
        oldest.map(|_| format!("the oldest since {}", instant(oldest))).unwrap_or_default()
    };
    let count = |waiting: Option<Waiting>| waiting.map(|waiting| waiting.count.to_string());
    row("held", count(screen.held), since(screen.held));
    row("observed", count(screen.observed), since(screen.observed));
    row("parked", count(screen.parked), since(screen.parked));
    for latched in &screen.latched {
        let because = format!("since {}, by {}", instant(Some(latched.since)), latched.because_of);
        row("budget latched", Some(latched.budget.clone()), because);
    }
    let next = screen.announced.and_then(|announced| announced.next);
    let due = next.map(|_| format!("the next is due at {}", instant(next))).unwrap_or_default();
    row("announced", screen.announced.map(|announced| announced.count.to_string()), due);
    row("unrouted", screen.unrouted.map(|n| n.to_string()), String::new());
    row("undelivered", screen.undelivered.map(|n| n.to_string()), String::new());
    let roster = screen.roster.as_ref();
    let days = |roster: &Roster| format!("{} people, {} days old", roster.people, roster.age_seconds / (24 * 60 * 60));
    row("roster in force", roster.map(|roster| roster.version.clone()), roster.map(days).unwrap_or_default());
    row("last audit", screen.last_audit.map(|at| instant(Some(at))), String::new());
    let mut text = format!("{functions}\n{stack}");
    let mut list = |what: &str, lines: &[String]| {
        for line in lines {
            let _written = write!(text, "\n{what}: {line}");
        }
    };
    list("needs a person", &screen.needs);
    list("unknown", &screen.unknown);
    if screen.needs.is_empty() && screen.unknown.is_empty() {
        text.push_str("\nnothing needs a person");
    }
    text
}
