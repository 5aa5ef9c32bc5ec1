//! `cargo sim`: runs schedules, and tells which invariant broke first, if one did.

use anyhow::Result;
use clap::Parser;
use rollcall_sim::bounds::Beyond;
use rollcall_sim::campaign::{self, How, Range};
use rollcall_sim::faults::Fault;
use rollcall_sim::watch::Rule;
use std::process::ExitCode;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Runs the real road through schedules of crashes, duplicates, delays, lost answers and the like, each from a seed.
#[derive(Debug, Parser)]
#[command(name = "cargo sim --")]
struct Arguments {
    /// How many seeds to run.
    #[arg(long, default_value_t = 1_000)]
    seeds: u64,
    /// The first of them.
    #[arg(long, default_value_t = 0)]
    from: u64,
    /// Runs one seed, and prints its whole trace.
    #[arg(long, conflicts_with_all = ["seeds", "from"])]
    seed: Option<u64>,
    /// Goes beyond a bound that the design rests on, and must show the violation that it prevents.
    #[arg(long, value_name = "BOUND")]
    beyond: Option<Beyond>,
    /// Makes a kind of fault strike more often than any run draws, for example `late-effect`. May be given several times.
    #[arg(long, value_name = "FAULT")]
    insist: Vec<Fault>,
    /// Watches one rule only, by its letter.
    #[arg(long, value_name = "RULE")]
    only: Option<Rule>,
    /// Goes on after a violation, and prints which rules were broken how often instead of a trace.
    #[arg(long, conflicts_with_all = ["seed", "beyond"])]
    survey: bool,
    /// How many threads. Default: as many as the machine has processors.
    #[arg(long)]
    threads: Option<usize>,
}

fn main() -> Result<ExitCode> {
    let arguments = Arguments::parse();
    let output = &mut std::io::stdout();
    let how = How { beyond: arguments.beyond, insist: arguments.insist, only: arguments.only };
    let range = Range { from: arguments.from, seeds: arguments.seeds };
    let passed = match arguments.seed {
        Some(seed) => campaign::one(seed, &how, output)?,
        None if arguments.survey => campaign::survey(range, &how, arguments.threads.unwrap_or(2), output)?,
        None => campaign::run(range, &how, arguments.threads, output)?,
    };
    Ok(if passed { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
