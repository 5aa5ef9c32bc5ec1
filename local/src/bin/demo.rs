//! `cargo demo`: HR events from a bus to Chime on this machine, and a table of what happened to each.

use anyhow::{Result, bail};
use clap::Parser;
use rollcall_local::demo::{Scenario, run, table};
use rollcall_local::stack::{How, Progress, interrupted};
use std::io::Write;
use std::process::ExitCode;

/// Publishes HR events on a local AWS and shows what Rollcall makes of them.
#[derive(Parser)]
struct Arguments {
    /// Print one JSON object instead of tables.
    #[arg(long)]
    json: bool,
    /// What to play.
    #[arg(long, value_enum, default_value_t = Scenario::CompanyWeek)]
    scenario: Scenario,
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<ExitCode> {
    let arguments = Arguments::parse();
    let (how, progress) = (How::default(), Progress::new());
    let report = tokio::select! {
        played = run(arguments.scenario, &how, &progress) => played?.report,
        ended = interrupted() => {
            ended?;
            bail!("interrupted");
        }
    };
    drop(progress);
    let text = if arguments.json { serde_json::to_string(&report)? } else { table(&report) };
    writeln!(std::io::stdout(), "{text}")?;
    Ok(if report.ok { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
