//! Pausing and resuming: the event source mapping between a function and its queue.

use crate::arguments::{Output, function};
use crate::aws;
use crate::queues::{Depth, depth};
use crate::report::{Report, table};
use crate::stack::{Part, Stack};
use anyhow::{Result, bail};
use aws_sdk_lambda::error::ProvideErrorMetadata;
use clap::Args;
use futures_util::future::join_all;
use jiff::{SignedDuration, Timestamp};
use rollcall::host::Host;
use rollcall::routes::Function;
use serde::Serialize;
use std::time::Duration;

/// How long a mapping is waited for. Lambda says nothing of how long it takes; it has been a minute at most.
const WITHIN: SignedDuration = SignedDuration::from_mins(3);

/// How often its state is asked for.
const EVERY: Duration = Duration::from_secs(1);

/// Which functions.
#[derive(Args)]
#[command(group = clap::ArgGroup::new("which").required(true))]
pub(crate) struct Pause {
    /// Their names, for example `suspend-user`.
    #[arg(value_name = "FUNCTION", value_parser = function, group = "which")]
    functions: Vec<Function>,
    /// All that take messages.
    #[arg(long, group = "which")]
    all: bool,
}

/// The state that is wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Wanted {
    /// It takes no messages.
    Paused,
    /// It takes messages.
    Enabled,
}

impl Wanted {
    /// Lambda's word for it. Source: the Lambda API reference, `GetEventSourceMapping`, `State`.
    fn state(self) -> &'static str {
        match self {
            Wanted::Paused => "Disabled",
            Wanted::Enabled => "Enabled",
        }
    }
}

/// What became of one function.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Line {
    function: Function,
    /// Its mapping's state, in Lambda's words.
    state: Option<String>,
    done: bool,
    /// Whether it was in that state before.
    already: bool,
    /// Its queue.
    queue: Option<Depth>,
    message: String,
}

pub(crate) async fn run(pause: &Pause, wanted: Wanted, stack: &Stack<'_>, output: Output) -> Result<Report> {
    let functions = if pause.all { Function::ALL.to_vec() } else { pause.functions.clone() };
    let lines = join_all(functions.into_iter().map(|function| line(function, wanted, stack))).await;
    let done = lines.iter().all(|line| line.done);
    Ok(Report { done, ..Report::of(&lines, output, |lines| tell(lines)) })
}

async fn line(function: Function, wanted: Wanted, stack: &Stack<'_>) -> Line {
    let mut line = Line { function, state: None, done: false, already: false, queue: None, message: String::new() };
    match set(function, wanted, stack).await {
        Ok(already) => {
            (line.done, line.already, line.state) = (true, already, Some(wanted.state().to_owned()));
            line.message = if already { "was so before".to_owned() } else { String::new() };
        }
        Err(error) => line.message = format!("{error:#}"),
    }
    // What waits is worth knowing either way, and its lack is no failure.
    if let Ok(Some(queue)) = stack.find_part(function, Part::Queue).await
        && let Ok(depth) = depth(&stack.sqs().await, &queue).await
    {
        line.queue = Some(depth);
        if line.done && wanted == Wanted::Paused {
            let expires = expires(stack.now(), depth);
            let comma = if line.message.is_empty() { "" } else { "; " };
            line.message =
                format!("{}{comma}what comes in now expires at {expires:.0}, what waits already before", line.message);
        }
    }
    line
}

/// When a message that comes in now is lost, unless it is taken.
fn expires(now: Timestamp, depth: Depth) -> Timestamp {
    now.saturating_add(SignedDuration::from_secs(depth.kept_for)).unwrap_or(Timestamp::MAX)
}

/// Sets the mapping's state and waits for it. Answers whether it was so before.
async fn set(function: Function, wanted: Wanted, stack: &Stack<'_>) -> Result<bool> {
    let mapping = stack.part(function, Part::Mapping).await?;
    let lambda = stack.lambda().await;
    let until = stack.now().saturating_add(WITHIN).unwrap_or(Timestamp::MAX);
    let mut asked = false;
    loop {
        let state = lambda.get_event_source_mapping().uuid(&mapping).send().await.map_err(aws::told)?.state;
        let state = state.unwrap_or_default();
        if state == wanted.state() {
            return Ok(!asked);
        }
        // While it changes, Lambda refuses another change.
        if !asked && matches!(state.as_str(), "Enabled" | "Disabled") {
            let update = lambda.update_event_source_mapping().uuid(&mapping).enabled(wanted == Wanted::Enabled);
            match update.send().await {
                Ok(_) => asked = true,
                Err(error) if error.code() == Some("ResourceInUseException") => {}
                Err(error) => return Err(aws::told(error)),
            }
        }
        if stack.now() > until {
            bail!(
                "asked for, but its mapping is still {state} after {} s; look again with `rollcall status`",
                WITHIN.as_secs()
            );
        }
        stack.host().sleep(EVERY).await;
    }
}

fn tell(lines: &[Line]) -> String {
    let mut table = table(&["function", "mapping", "waiting", "in flight", ""]);
    for line in lines {
        let number = |of: fn(Depth) -> u64| line.queue.map(|depth| of(depth).to_string()).unwrap_or_default();
        table.add_row([
            line.function.as_str().to_owned(),
            line.state.clone().unwrap_or_default(),
            number(|depth| depth.waiting),
            number(|depth| depth.in_flight),
            line.message.clone(),
        ]);
    }
    let done = lines.iter().filter(|line| line.done).count();
    format!("{table}\n{done} of {} done", lines.len())
}
