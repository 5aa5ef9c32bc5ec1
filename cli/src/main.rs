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
use clap::Parser;
use report::Report;
use stack::Stack;
use std::io::Write;
use std::process::ExitCode;

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    let arguments = Arguments::parse();
    match run(&arguments).await {
        Ok(report) => {
            let _closed = writeln!(std::io::stdout(), "{}", report.text);
            report.notes.iter().for_each(|note| complain(note, arguments.output));
            if report.done { ExitCode::SUCCESS } else { ExitCode::FAILURE }
        }
        Err(error) => {
            let hint = aws::hint(&error).map(|hint| format!(": {hint}")).unwrap_or_default();
            complain(&format!("{error:#}{hint}"), arguments.output);
            ExitCode::FAILURE
        }
    }
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
