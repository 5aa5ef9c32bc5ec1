//! `rollcall`, the operator's tool: what is held and why, releasing and rejecting it, the mass-change brake, and the
//! licence audit.
//!
//! Exit codes: 0, all that was asked for is done; 1, something was not, and each such thing is told; 2, the command line
//! is wrong.

mod arguments;
mod audit;
mod brake;
mod held;
mod proof;
mod show;
mod stack;
mod story;
mod why;

use anyhow::Result;
use arguments::{Arguments, AuditCommand, BrakeCommand, Command, HeldCommand, Output};
use clap::Parser;
use stack::Stack;
use std::io::Write;
use std::process::ExitCode;

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    let arguments = Arguments::parse();
    match run(&arguments).await {
        Ok(report) => {
            let _closed = writeln!(std::io::stdout(), "{}", report.text);
            if report.done { ExitCode::SUCCESS } else { ExitCode::FAILURE }
        }
        Err(error) => {
            let _closed = writeln!(std::io::stderr(), "rollcall: {error:#}");
            ExitCode::FAILURE
        }
    }
}

/// What a command prints, and whether all that was asked for is done.
struct Report {
    text: String,
    done: bool,
}

async fn run(arguments: &Arguments) -> Result<Report> {
    let output = arguments.output;
    let stack = Stack::connect(&arguments.stack).await;
    match &arguments.command {
        Command::Held(HeldCommand::List { state, limit }) => {
            let held = held::list(&stack, state.states(), *limit).await?;
            Ok(Report { text: show::held(&held, output), done: true })
        }
        Command::Held(HeldCommand::Show { event }) => {
            let event = held::show(&stack, event).await?;
            Ok(Report { text: show::event(&event, output), done: true })
        }
        Command::Held(HeldCommand::Release { which, by }) => {
            let acted = held::release(&stack, which, by).await?;
            Ok(Report { done: acted.iter().all(held::Acted::is_done), text: show::acted(&acted, output) })
        }
        Command::Held(HeldCommand::Reject { which, by, reason, force }) => {
            let acted = held::reject(&stack, which, by, reason, *force).await?;
            Ok(Report { done: acted.iter().all(held::Acted::is_done), text: show::acted(&acted, output) })
        }
        Command::Brake(BrakeCommand::Show { policy }) => {
            let budgets = brake::show(&stack, policy).await?;
            Ok(Report { text: show::budgets(&budgets, output), done: true })
        }
        Command::Brake(BrakeCommand::Reset { budget }) => {
            let key = budget.key();
            let done = brake::reset(&stack, &key).await?;
            let told = if done {
                "reset: its window is empty and its latch open; nothing was released"
            } else {
                "there is no such budget: nothing was taken from it yet"
            };
            Ok(Report { text: show::line(&key, told, done, output), done })
        }
        Command::Brake(BrakeCommand::Population { users, accounts }) => {
            let population = brake::population(&stack, *users, accounts).await?;
            let told = format!("{users} registered, unsuspended users, counted at {}", population.counted_at);
            Ok(Report { text: show::line("population", &told, true, output), done: true })
        }
        Command::Audit(command) => audit(&stack, command, output).await,
        Command::Why { who, policy } => {
            let story = story::tell(&stack, who, policy.read()?).await?;
            Ok(Report { text: show::either(&story, output, why::text), done: true })
        }
        Command::Proof { who: Some(who), policy, .. } => {
            let story = story::tell(&stack, who, policy.read()?).await?;
            let proof = proof::Proof::of(story, stack.table(), stack.now());
            Ok(Report { text: show::either(&proof, output, proof::Proof::document), done: proof.holds() })
        }
        Command::Proof { since, until, .. } => {
            let (since, until) = (since.unwrap_or_default(), until.unwrap_or_else(|| stack.now()));
            let mut lines = Vec::new();
            proof::window(&stack, since, until, &mut lines).await?;
            Ok(Report { text: String::from_utf8(lines)?.trim_end().to_owned(), done: true })
        }
    }
}

async fn audit(stack: &Stack, command: &AuditCommand, output: Output) -> Result<Report> {
    match command {
        AuditCommand::Run { folder, name, roster, usage, policy, mode } => {
            let (name, roster) = (name.as_deref(), roster.as_deref());
            let told = audit::run(stack, &audit::Wanted { folder, name, roster, usage, policy, mode: *mode }).await?;
            // An account that is not believed is nothing that was asked for.
            let done = told.summary.accounts.iter().all(|account| account.incomplete.is_none());
            Ok(Report { text: show::audit(&told, output), done })
        }
        AuditCommand::Show { run, place } => {
            let told = audit::show(stack, place, run).await?;
            Ok(Report { text: show::audit(&told, output), done: true })
        }
        AuditCommand::Apply { run, place, digest, bus, policy, roster, roster_table } => {
            let (roster, roster_table) = (roster.as_deref(), roster_table.as_deref());
            let confirmed = audit::Confirmed { run, digest, bus, policy, roster, roster_table };
            let progress = audit::apply(stack, place, &confirmed).await?;
            let told = format!("{} asked for, {} no longer true", progress.asked, progress.gone);
            Ok(Report { text: show::line(run, &told, progress.done, output), done: progress.done })
        }
    }
}
