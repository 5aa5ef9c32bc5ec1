//! `cargo bench-all`: what the functions cost, against an empty function and against plain per-record processing.
//!
//! The real programs run as on Lambda, each in a process of its own at a local Runtime API. They call an embedded
//! DynamoDB, the local Chime and a queue that takes everything, in another process, which counts calls and request units.
//! Results go to `target/bench/results.json`, and as tables to standard output or, with `--write`, to
//! `docs/performance.md`. Time is never judged; calls are, where their number follows from the batch.

mod case;
mod clock;
mod company;
mod cost;
mod events;
mod function;
mod measure;
mod page;
mod process;
mod programs;
mod remotes;
mod report;
mod runtime;
mod spread;
mod tables;

use anyhow::{Context, Result};
use case::{Case, Kind};
use clap::{Parser, Subcommand};
use measure::{measure, starts};
use programs::{Program, Programs};
use remotes::Delays;
use report::{CaseReport, Latency, Machine, Report, Start, costs, versions};
use rollcall_local::stack::{Progress, interrupted, local_dir, workspace};
use std::io::Write;
use std::path::PathBuf;

/// Calls that take a stated time: DynamoDB 5 ms, Chime 50 ms.
const SIMULATED: Delays = Delays { dynamodb_ms: 5, transaction_ms: 5, chime_ms: 50 };

/// The same, with transactions as slow as was published of those with 25 items (median, from a Lambda function in Python,
/// alexdebrie/dynamodb-performance-testing).
const SLOW_TRANSACTIONS: Delays = Delays { dynamodb_ms: 5, transaction_ms: 32, chime_ms: 50 };

/// Measures what Rollcall's functions cost.
#[derive(Parser)]
struct Arguments {
    /// Write the tables into docs/performance.md.
    #[arg(long, conflicts_with_all = ["quick", "debug"])]
    write: bool,
    /// A tenth of the repetitions.
    #[arg(long)]
    quick: bool,
    /// Measure debug builds: a check of the harness, and no figures.
    #[arg(long, conflicts_with = "profile_dir")]
    debug: bool,
    /// Measure the programs in this directory, and build nothing.
    #[arg(long, value_name = "DIRECTORY")]
    profile_dir: Option<PathBuf>,
    #[command(subcommand)]
    inner: Option<Inner>,
}

#[derive(Subcommand)]
enum Inner {
    /// Serves what the functions call, for the harness.
    #[command(hide = true)]
    Remotes,
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<()> {
    let arguments = Arguments::parse();
    match arguments.inner {
        Some(Inner::Remotes) => remotes::serve().await,
        None => tokio::select! {
            done = bench(arguments) => done,
            ended = interrupted() => ended.context("interrupted"),
        },
    }
}

async fn bench(arguments: Arguments) -> Result<()> {
    let progress = Progress::new();
    let programs = match arguments.profile_dir {
        Some(directory) => Programs::found(directory)?,
        None => Programs::build(arguments.debug, &progress).await?,
    };
    let report = run(&programs, arguments.quick, &progress).await?;
    drop(progress);
    let directory = local_dir().with_file_name("bench");
    std::fs::create_dir_all(&directory).with_context(|| format!("{} cannot be made", directory.display()))?;
    let path = directory.join("results.json");
    std::fs::write(&path, serde_json::to_string_pretty(&report)? + "\n")
        .with_context(|| format!("{} cannot be written", path.display()))?;
    let tables = page::tables(&report)?;
    if arguments.write {
        let path = workspace().join("docs/performance.md");
        let text = std::fs::read_to_string(&path).with_context(|| format!("{} cannot be read", path.display()))?;
        std::fs::write(&path, page::rewritten(&text, &tables)?)
            .with_context(|| format!("{} cannot be written", path.display()))?;
    } else {
        write!(std::io::stdout(), "{tables}")?;
    }
    Ok(())
}

async fn run(programs: &Programs, quick: bool, progress: &Progress) -> Result<Report> {
    let few = |samples: usize| if quick { (samples / 10).max(2) } else { samples };
    let mut started = Vec::new();
    for program in Program::ALL {
        progress.step(&format!("starting {}", program.name()));
        let measured = starts(&programs.path(program), few(20)).await?;
        started.push(Start::of(program, programs.size(program)?, measured));
    }
    let mut cases = Vec::new();
    for case in Case::all(quick) {
        progress.step(&format!("{}: {} events, {}", case.program.name(), case.batch, case.kind.word()));
        let measured = measure(case, programs, Delays::default()).await;
        let measured = measured.with_context(|| format!("{} {} {}", case.program.name(), case.kind.word(), case.batch));
        cases.push(CaseReport::of(case, &measured?));
    }
    let mut latencies = Vec::new();
    let series = [
        (SIMULATED, Program::SuspendUser, [(1, 100), (10, 100), (48, 100)]),
        (SLOW_TRANSACTIONS, Program::SuspendUser, [(1, 100), (10, 100), (48, 100)]),
        // One invocation of 48 takes it five seconds and a half.
        (SIMULATED, Program::BenchNaive, [(1, 100), (10, 20), (48, 10)]),
    ];
    for (delays, program, sizes) in series {
        for (batch, samples) in sizes {
            progress.step(&format!("{}: {batch} events, slow services", program.name()));
            let case = Case { program, kind: Kind::Known, batch, samples: few(samples), warm_up: 1 };
            let measured = measure(case, programs, delays).await?;
            let (wall_ms, processor_ms) = (measured.wall_ms, measured.processor_ms);
            latencies.push(Latency { program, batch, delays, wall_ms, processor_ms });
        }
    }
    Ok(Report {
        version: 1,
        at: clock::now().round(jiff::Unit::Second)?.to_string(),
        machine: Machine::this()?,
        versions: versions().await?,
        profile: programs.profile.clone(),
        costs: costs(&cases, &latencies, SIMULATED),
        starts: started,
        cases,
        latencies,
    })
}
