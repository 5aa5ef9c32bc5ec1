//! The result: one JSON document, `target/bench/results.json`.
//!
//! Members, version 1. All times are numbers in the unit of their name; a *spread* has `samples`, `min`, `p10`, `median`,
//! `p90`, `p99` (null below a hundred samples) and `max`, each a measured value (nearest rank).
//!
//! | member | holds |
//! |---|---|
//! | `version` | 1 |
//! | `at` | when the run ended, RFC 3339 |
//! | `machine` | `processor`, `processors`, `memory_kb`, `kernel` |
//! | `versions` | of `rollcall`, `rustc`, and the crates that matter most |
//! | `profile` | the Cargo profile of the programs |
//! | `starts[]` | `program`, `size_bytes`, spreads `init_ms`, `init_processor_ms`, `memory_bytes` |
//! | `cases[]` | `program`, `kind`, `batch`, spreads `wall_ms` and `processor_ms` of an invocation, `processor_us_per_event` (of the median), `ready_memory_bytes`, `peak_memory_bytes`, `memory_per_event_bytes`; `calls` of an invocation by `<service>.<operation>`; per event `calls_per_event`, `table_writes`, `index_writes`, `reads` in request units |
//! | `latencies[]` | `program`, `batch`, `delays` (`dynamodb_ms`, `transaction_ms`, `chime_ms`), spread `wall_ms` of an invocation and spread `processor_ms` |
//! | `costs[]` | `program`, `batch`, and US dollars a million events: `dynamodb`, `lambda`, `sqs` |

use crate::case::{Case, Kind};
use crate::cost::{Cost, Use};
use crate::measure::{Measured, Started};
use crate::programs::Program;
use crate::remotes::Delays;
use crate::spread::Spread;
use anyhow::{Context, Result};
use rollcall_local::stack::workspace;
use serde::Serialize;
use std::collections::BTreeMap;

/// All that was measured.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Report {
    pub(crate) version: u32,
    pub(crate) at: String,
    pub(crate) machine: Machine,
    pub(crate) versions: BTreeMap<String, String>,
    pub(crate) profile: String,
    pub(crate) starts: Vec<Start>,
    pub(crate) cases: Vec<CaseReport>,
    pub(crate) latencies: Vec<Latency>,
    pub(crate) costs: Vec<CostReport>,
}

/// What it was measured on.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Machine {
    pub(crate) processor: String,
    pub(crate) processors: usize,
    pub(crate) memory_kb: u64,
    pub(crate) kernel: String,
}

/// A program's start.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Start {
    pub(crate) program: Program,
    pub(crate) size_bytes: u64,
    pub(crate) init_ms: Spread,
    pub(crate) init_processor_ms: Spread,
    pub(crate) memory_bytes: Spread,
}

/// A case, and what came of it.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct CaseReport {
    pub(crate) program: Program,
    pub(crate) kind: Kind,
    pub(crate) batch: usize,
    pub(crate) wall_ms: Spread,
    pub(crate) processor_ms: Spread,
    pub(crate) processor_us_per_event: f64,
    pub(crate) ready_memory_bytes: u64,
    pub(crate) peak_memory_bytes: u64,
    pub(crate) memory_per_event_bytes: f64,
    pub(crate) calls: BTreeMap<String, f64>,
    pub(crate) calls_per_event: f64,
    pub(crate) table_writes: f64,
    pub(crate) index_writes: f64,
    pub(crate) reads: f64,
}

/// How long an invocation takes where the services take their time.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Latency {
    pub(crate) program: Program,
    pub(crate) batch: usize,
    pub(crate) delays: Delays,
    pub(crate) wall_ms: Spread,
    pub(crate) processor_ms: Spread,
}

/// What a million events cost.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct CostReport {
    pub(crate) program: Program,
    pub(crate) batch: usize,
    #[serde(flatten)]
    pub(crate) cost: Cost,
}

impl Start {
    pub(crate) fn of(program: Program, size_bytes: u64, started: Started) -> Start {
        let Started { init_ms, processor_ms, memory } = started;
        Start { program, size_bytes, init_ms, init_processor_ms: processor_ms, memory_bytes: memory }
    }
}

impl CaseReport {
    #[expect(clippy::cast_precision_loss, reason = "counts and bytes are far below 2^52")]
    pub(crate) fn of(case: Case, measured: &Measured) -> CaseReport {
        let (batch, samples) = (case.batch as f64, case.samples as f64);
        let events = batch * samples;
        let counts = &measured.counts;
        let calls: BTreeMap<String, f64> =
            counts.calls.iter().map(|(name, calls)| (name.clone(), *calls as f64 / samples)).collect();
        let grown = measured.peak_memory.saturating_sub(measured.ready_memory);
        CaseReport {
            program: case.program,
            kind: case.kind,
            batch: case.batch,
            wall_ms: measured.wall_ms,
            processor_ms: measured.processor_ms,
            processor_us_per_event: measured.processor_ms.median * 1e3 / batch,
            ready_memory_bytes: measured.ready_memory,
            peak_memory_bytes: measured.peak_memory,
            memory_per_event_bytes: grown as f64 / batch,
            calls_per_event: calls.values().sum::<f64>() / batch,
            calls,
            table_writes: counts.table_writes / events,
            index_writes: counts.index_writes / events,
            reads: counts.reads / events,
        }
    }
}

/// What a million events cost in every batch whose latency and units were both measured. `delays` are those whose
/// latencies are billed.
pub(crate) fn costs(cases: &[CaseReport], latencies: &[Latency], delays: Delays) -> Vec<CostReport> {
    let mut costs = Vec::new();
    for latency in latencies.iter().filter(|latency| latency.delays == delays) {
        let same =
            |case: &&CaseReport| (case.program, case.kind, case.batch) == (latency.program, Kind::Known, latency.batch);
        if let Some(case) = cases.iter().find(same) {
            #[expect(clippy::cast_precision_loss, reason = "a batch is far below 2^52")]
            let used = Use {
                batch: case.batch as f64,
                writes: case.table_writes + case.index_writes,
                reads: case.reads,
                wall: latency.wall_ms.median / 1e3,
                processor: latency.processor_ms.median / 1e3,
            };
            costs.push(CostReport { program: case.program, batch: case.batch, cost: Cost::of(used) });
        }
    }
    costs
}

impl Machine {
    /// This one, by the kernel's word.
    ///
    /// # Errors
    /// Where the kernel says nothing.
    pub(crate) fn this() -> Result<Machine> {
        let read = |path: &str| std::fs::read_to_string(path).with_context(|| format!("{path} cannot be read"));
        let field = |text: &str, name: &str| {
            let line = text.lines().find(|line| line.starts_with(name))?;
            line.split_once(':').map(|(_, value)| value.trim().to_owned())
        };
        let (cpus, memory) = (read("/proc/cpuinfo")?, read("/proc/meminfo")?);
        let memory = field(&memory, "MemTotal").unwrap_or_default();
        Ok(Machine {
            processor: field(&cpus, "model name").unwrap_or_else(|| std::env::consts::ARCH.to_owned()),
            processors: std::thread::available_parallelism()?.get(),
            memory_kb: memory.trim_end_matches(" kB").parse().unwrap_or(0),
            kernel: read("/proc/sys/kernel/osrelease")?.trim().to_owned(),
        })
    }
}

/// The versions of what matters for the figures: the compiler's own words, and crates by `Cargo.lock`.
///
/// # Errors
/// Where the compiler or `Cargo.lock` is not there.
pub(crate) async fn versions() -> Result<BTreeMap<String, String>> {
    let rustc = tokio::process::Command::new("rustc").arg("-V").output().await.context("rustc cannot be run")?;
    let mut versions: BTreeMap<String, String> =
        [("rustc".to_owned(), String::from_utf8_lossy(&rustc.stdout).trim().trim_start_matches("rustc ").to_owned())]
            .into();
    let path = workspace().join("Cargo.lock");
    let lock = std::fs::read_to_string(&path).with_context(|| format!("{} cannot be read", path.display()))?;
    for name in ["rollcall", "lambda_runtime", "aws-sdk-dynamodb", "aws-sdk-chime", "tokio", "dynoxide-rs"] {
        if let Some(version) = locked(&lock, name) {
            versions.insert(name.to_owned(), version);
        }
    }
    Ok(versions)
}

fn locked(lock: &str, name: &str) -> Option<String> {
    let (_, rest) = lock.split_once(&format!("name = \"{name}\"\nversion = \""))?;
    rest.split_once('"').map(|(version, _)| version.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_crates_version_is_read() {
        let lock = "[[package]]\nname = \"tokio-util\"\nversion = \"0.7.1\"\n\n[[package]]\nname = \"tokio\"\nversion = \"1.54.0\"\n";
        assert_eq!(locked(lock, "tokio"), Some("1.54.0".into()));
        assert_eq!(locked(lock, "axum"), None);
    }
}
