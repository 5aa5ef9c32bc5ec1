//! `held` on the command line: its arguments, and how it tells.

use super::{Acted, Listed, Shown};
use crate::arguments::{Output, words};
use crate::report::{Report, instant, table};
use crate::stack::Stack;
use anyhow::{Result, bail};
use clap::{Args, Subcommand, ValueEnum};
use rollcall::decide::Reason;
use rollcall::ledger::State;
use std::io::{BufRead, IsTerminal, Write};

#[derive(Subcommand)]
pub(crate) enum HeldCommand {
    /// Lists what waits, oldest first.
    List {
        /// Only what waits like this.
        #[arg(long, value_enum, default_value_t = Waiting::Any)]
        state: Waiting,
        /// At most so many.
        #[arg(long, default_value_t = 1000)]
        limit: usize,
    },
    /// Shows one event: why it waits, what it would do, and with --open, or the person key, whom it is about.
    Show {
        /// Its id (`<eventId>`, or `<function>#<eventId>`).
        event: String,
        /// Opens it with the person key, which is read from the stack unless it is given: personal data.
        #[arg(long)]
        open: bool,
    },
    /// Sends events down the whole road again, each exactly once. What is due by then is applied, and nothing else.
    Release {
        #[command(flatten)]
        which: Which,
        /// With --all, only what waits for these reasons, as `held list --output json` tells them, or `any`: several times, or
        /// with commas. What is held is released by its reason only: a yes to the brake is none to a protected person.
        #[arg(long = "reason", value_name = "REASON", value_delimiter = ',', value_parser = for_reason,
            conflicts_with = "events", required_if_eq_any = [("all", "held"), ("all", "any")])]
        reasons: Vec<ForReason>,
        /// With --all, asks nobody.
        #[arg(long, conflicts_with = "events")]
        yes: bool,
        /// Who releases them: kept with each event.
        #[arg(long, env = "ROLLCALL_OPERATOR", value_parser = words)]
        by: String,
    },
    /// Ends events for good: nothing is applied, and the facts they assert are void.
    Reject {
        #[command(flatten)]
        which: Which,
        /// Who rejects them: kept with each event.
        #[arg(long, env = "ROLLCALL_OPERATOR", value_parser = words)]
        by: String,
        /// Why: kept with each event.
        #[arg(long)]
        reason: String,
        /// Though its release is on its way: whichever comes first wins.
        #[arg(long)]
        force: bool,
    },
}

/// Which events.
#[derive(Args)]
#[group(required = true, multiple = false)]
pub(crate) struct Which {
    /// Their ids (`<eventId>`, or `<function>#<eventId>`).
    #[arg(value_name = "EVENT")]
    pub(crate) events: Vec<String>,
    /// All that wait like this.
    #[arg(long, value_enum)]
    pub(crate) all: Option<Waiting>,
}

/// For which reason an event waits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum ForReason {
    /// Whatever it is.
    Any,
    /// This one.
    One(Reason),
}

fn for_reason(text: &str) -> Result<ForReason, String> {
    if text == "any" {
        return Ok(ForReason::Any);
    }
    let reason = serde_json::from_value(text.into()).map(ForReason::One);
    reason.map_err(|_| {
        "must be a reason, for example mass_change (`held list --output json` tells each), or any".to_owned()
    })
}

/// Lets an operator see how many of which reason go, and say yes; `yes`: they did.
fn confirm(chosen: &[(String, usize)], yes: bool, output: Output) -> Result<()> {
    let all: usize = chosen.iter().map(|(_, n)| n).sum();
    let each: Vec<String> = chosen.iter().map(|(reason, n)| format!("{n} {reason}")).collect();
    let told = format!("this releases {all}: {}", each.join(", "));
    if yes {
        if output == Output::Table {
            writeln!(std::io::stderr(), "{told}")?;
        }
        return Ok(());
    }
    if !std::io::stdin().is_terminal() {
        bail!("{told}; nobody is there to confirm: give --yes");
    }
    let mut asked = std::io::stderr();
    write!(asked, "{told}. Type yes: ")?;
    asked.flush()?;
    let mut line = String::new();
    std::io::stdin().lock().read_line(&mut line)?;
    if line.trim() != "yes" {
        bail!("nothing was released");
    }
    Ok(())
}

/// How an event waits.
#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Waiting {
    /// Held: by the brake, for protection, or for a fact that is not there.
    Held,
    /// Observed: recorded in observe mode.
    Observed,
    /// Either.
    Any,
}

impl Waiting {
    pub(crate) fn states(self) -> &'static [State] {
        match self {
            Waiting::Held => &[State::Held],
            Waiting::Observed => &[State::Observed],
            Waiting::Any => &[State::Held, State::Observed],
        }
    }
}

pub(crate) async fn run(command: &HeldCommand, stack: &Stack<'_>, output: Output) -> Result<Report> {
    match command {
        HeldCommand::List { state, limit } => {
            let (held, unreadable) = super::list(stack, state.states(), *limit).await?;
            Ok(Report::of(&held, output, list).without(unreadable))
        }
        HeldCommand::Show { event, open } => {
            let shown = super::show(stack, event, *open).await?;
            Ok(Report::of(&shown, output, show))
        }
        HeldCommand::Release { which, reasons, yes, by } => {
            let confirmed = |chosen: &[(String, usize)]| confirm(chosen, *yes, output);
            let (events, unreadable) = super::release(stack, which, reasons, by, confirmed).await?;
            Ok(acted(&events, output).without(unreadable))
        }
        HeldCommand::Reject { which, by, reason, force } => {
            let (events, unreadable) = super::reject(stack, which, by, reason, *force).await?;
            Ok(acted(&events, output).without(unreadable))
        }
    }
}

fn list(held: &Listed) -> String {
    let mut table = table(&["event", "state", "since", "why", "would do", "person"]);
    for event in &held.events {
        table.add_row([
            event.event.clone(),
            event.state.as_str().to_owned(),
            instant(event.since),
            event.message.clone(),
            event.steps.join(", "),
            event.person.clone().unwrap_or_default(),
        ]);
    }
    let first = if held.truncated { "the first " } else { "" };
    format!("{table}\n{first}{} waiting", held.events.len())
}

fn show(event: &Shown) -> String {
    let mut table = table(&["", ""]);
    let mut row = |name: &str, value: String| {
        if !value.is_empty() {
            table.add_row([name.to_owned(), value]);
        }
    };
    row("event", event.held.event.clone());
    row("state", event.held.state.as_str().to_owned());
    row("since", instant(event.held.since));
    row("occurred at", instant(event.held.occurred_at));
    row("why", format!("{}: {}", event.held.reason, event.held.message));
    row("would do", event.held.steps.join(", "));
    row("person", event.held.person.clone().unwrap_or_default());
    row("being released by", event.held.releasing.clone().unwrap_or_default());
    row("released", event.released.as_ref().map(ToString::to_string).unwrap_or_default());
    row("rejected", event.rejected.as_ref().map(ToString::to_string).unwrap_or_default());
    let detail = event.detail.as_ref().and_then(|detail| serde_json::to_string_pretty(detail).ok());
    row("the event", detail.unwrap_or_else(|| "sealed; give --open, or --person-key, to open it".to_owned()));
    table.to_string()
}

/// What became of each event; done where all are.
pub(crate) fn acted(acted: &[Acted], output: Output) -> Report {
    let report = Report::of(acted, output, |acted| {
        let mut table = table(&["event", "result", ""]);
        for event in acted {
            table.add_row([&event.event, event.result, &event.message]);
        }
        let done = acted.iter().filter(|event| event.is_done()).count();
        format!("{table}\n{done} of {} done", acted.len())
    });
    Report { done: acted.iter().all(Acted::is_done), ..report }
}
