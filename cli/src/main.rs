//! `rollcall`, the operator's tool: sending events, seeing how the stack is, what is held or parked, what happened
//! to somebody and what of it can be proven, the mass-change brake, pausing, the licence audit, and Amazon Chime's accounts.
//!
//! Exit codes: 0, all that was asked for is done; 1, something was not, or needs a person, and each such thing is told; 2,
//! the command line is wrong. What a command answers is on the standard output, an error on the other: one line, with
//! `--output json` the JSON object `{"error": "…"}`.

mod account;
mod arguments;
mod audit;
mod aws;
mod brake;
mod completions;
mod held;
mod parked;
mod pause;
mod proof;
mod queues;
mod report;
mod send;
mod stack;
mod status;
mod story;
mod why;

use anyhow::Result;
use arguments::{Arguments, Command, Output};
use clap::parser::ValueSource;
use clap::{CommandFactory, FromArgMatches};
use report::Report;
use stack::Stack;
use std::io::{ErrorKind, Write};
use std::process::ExitCode;

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    let arguments = match arguments() {
        Ok(arguments) => arguments,
        Err(wrong) => return refuse(&wrong),
    };
    match run(&arguments).await {
        Ok(report) => {
            if let Err(error) = print(&report.text) {
                complain(&format!("the answer cannot be written: {error}"), arguments.output);
                return ExitCode::FAILURE;
            }
            report.notes.iter().for_each(|note| complain(note, arguments.output));
            if report.done { ExitCode::SUCCESS } else { ExitCode::FAILURE }
        }
        Err(error) => {
            complain(&aws::line(&error), arguments.output);
            ExitCode::FAILURE
        }
    }
}

/// The command line. A stack that is named there wins over places of the environment: those are another stack's, perhaps.
fn arguments() -> Result<Arguments, clap::Error> {
    let matches = Arguments::command().try_get_matches()?;
    let mut arguments = Arguments::from_arg_matches(&matches)?;
    if matches.value_source("stack_name") == Some(ValueSource::CommandLine) {
        arguments.stack.keep(|place| matches.value_source(place) != Some(ValueSource::EnvVariable));
    }
    Ok(arguments)
}

/// Tells what is wrong with the command line, or what was asked for: help, or the version.
fn refuse(wrong: &clap::Error) -> ExitCode {
    let words: Vec<String> = std::env::args().collect();
    let json =
        words.windows(2).any(|pair| pair == ["--output", "json"]) || words.iter().any(|it| it == "--output=json");
    if wrong.use_stderr() && json {
        complain(wrong.to_string().trim().trim_start_matches("error: "), Output::Json);
    } else {
        let _closed = wrong.print();
    }
    u8::try_from(wrong.exit_code()).map_or(ExitCode::FAILURE, ExitCode::from)
}

/// Prints an answer, if there is one. Whoever reads may have heard enough; all other errors are told.
fn print(text: &str) -> std::io::Result<()> {
    if text.is_empty() {
        return Ok(());
    }
    let mut out = std::io::stdout().lock();
    let written = writeln!(out, "{text}").and_then(|()| out.flush());
    written.or_else(|error| if error.kind() == ErrorKind::BrokenPipe { Ok(()) } else { Err(error) })
}

/// Tells what went wrong, as one line.
fn complain(told: &str, output: Output) {
    let told = match output {
        Output::Json => serde_json::json!({ "error": told }).to_string(),
        Output::Table => format!("rollcall: {told}"),
    };
    let _closed = writeln!(std::io::stderr(), "{told}");
}

async fn run(arguments: &Arguments) -> Result<Report> {
    let output = arguments.output;
    let stack = &Stack::new(&arguments.stack);
    match &arguments.command {
        Command::Send(command) => send::run(command, stack, output).await,
        Command::Status(command) => status::run(command, stack, output).await,
        Command::Held(command) => held::run(command, stack, output).await,
        Command::Parked(command) => parked::run(command, stack, output).await,
        Command::Brake(command) => brake::run(command, stack, output).await,
        Command::Pause(command) => pause::run(command, pause::Wanted::Paused, stack, output).await,
        Command::Resume(command) => pause::run(command, pause::Wanted::Enabled, stack, output).await,
        Command::Why(command) => why::run(command, stack, output).await,
        Command::Proof(command) => proof::run(command, stack, output).await,
        Command::Audit(command) => audit::run(command, stack, output).await,
        Command::Account(command) => account::run(command, stack, output).await,
        Command::Completions(command) => Ok(completions::run(command)),
    }
}
