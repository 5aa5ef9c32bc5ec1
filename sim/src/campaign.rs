//! Many runs: on every processor, added up, and the first that breaks a rule shown as small as it can be made.

mod survey;

pub use survey::survey;

use crate::bounds::Beyond;
use crate::faults::Fault;
use crate::schedule::{Options, Report, run as run_one};
use crate::shrink;
use crate::watch::Rule;
use anyhow::{Context, Result};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use rollcall::seal::Keys;
use std::io::{IsTerminal, Write};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::thread;
use std::time::Duration;

/// From so many runs on, a premise that never occurred fails the whole: its rule was put to no test.
const PREMISES_FROM: u64 = 1_000;

/// The seeds to run.
#[derive(Clone, Copy, Debug)]
pub struct Range {
    /// The first.
    pub from: u64,
    /// How many.
    pub seeds: u64,
}

/// How runs are done.
#[derive(Clone, Debug, Default)]
pub struct How {
    /// Beyond this bound, of which they must show the violation that it prevents. `None`: within all bounds.
    pub beyond: Option<Beyond>,
    /// Kinds of fault that strike more often than any run draws. Bounds hold all the same.
    pub insist: Vec<Fault>,
    /// The only rule that is watched; `None`: all of them, or beyond a bound the one that it shows.
    pub only: Option<Rule>,
}

impl How {
    fn options(&self) -> Options {
        let insist = self.insist.iter().map(|kind| (*kind, kind.insisted())).collect();
        let mut options = Options { insist, only: self.only, ..Options::default() };
        if let Some(beyond) = self.beyond {
            options.bounds = beyond.bounds();
            options.insist.extend(beyond.insists());
            options.only = self.only.or(Some(beyond.shows()));
        }
        options
    }

    /// The same on the command line.
    #[must_use]
    pub fn arguments(&self) -> String {
        let beyond = self.beyond.map(|beyond| format!(" --beyond {}", beyond.word()));
        let insist = self.insist.iter().map(|kind| format!(" --insist {}", kind.option()));
        let only = self.only.map(|rule| format!(" --only {}", rule.letter()));
        beyond.into_iter().chain(insist).chain(only).collect()
    }
}

/// What came of all runs.
#[derive(Debug, Default)]
struct Totals {
    runs: u64,
    calls: u64,
    premises: [u64; Rule::ALL.len()],
    faults: [u64; Fault::ALL.len()],
}

impl Totals {
    fn add(&mut self, report: &Report) {
        self.runs += 1;
        self.calls += report.calls;
        self.premises.iter_mut().zip(report.premises).for_each(|(total, count)| *total += count);
        self.faults.iter_mut().zip(report.faults).for_each(|(total, count)| *total += count);
    }

    fn join(&mut self, other: &Totals) {
        self.runs += other.runs;
        self.calls += other.calls;
        self.premises.iter_mut().zip(other.premises).for_each(|(total, count)| *total += count);
        self.faults.iter_mut().zip(other.faults).for_each(|(total, count)| *total += count);
    }
}

/// The keys of the simulated installation. Nothing is secret about them.
fn keys() -> Result<Keys> {
    Ok(Keys::from_secret("the simulated installation's person key")?)
}

/// Runs one seed, and prints its whole trace. Answers whether it went as it should.
///
/// # Errors
/// Where the output cannot be written.
pub fn one(seed: u64, how: &How, output: &mut impl Write) -> Result<bool> {
    let report = run_one(seed, &Options { trace: true, ..how.options() }, &keys()?)?;
    for line in &report.trace {
        writeln!(output, "{line}")?;
    }
    match &report.violation {
        Some(violation) => writeln!(output, "seed {seed} breaks invariant {violation}")?,
        None => writeln!(output, "seed {seed}: {} calls, no violation", report.calls)?,
    }
    Ok(report.violation.is_none() != how.beyond.is_some())
}

/// Runs a range of seeds. Answers whether it went as it should: without a violation, or beyond a bound with one.
///
/// # Errors
/// Where the output cannot be written, or a run cannot be made.
pub fn run(range: Range, how: &How, threads: Option<usize>, output: &mut impl Write) -> Result<bool> {
    let options = how.options();
    let keys = keys()?;
    let progress = progress(range.seeds);
    let threads = threads.or_else(|| thread::available_parallelism().ok().map(usize::from)).unwrap_or(1);
    let (totals, failed) = run_all(range, threads, &options, &keys, &progress)?;
    let elapsed = progress.elapsed().as_secs_f64();
    progress.finish_and_clear();
    let mut passed = failed.is_none();
    if let Some(seed) = failed {
        let shrunk = shrink::shrink(seed, &options, &keys)?;
        shrunk.print(seed, how, output)?;
    } else {
        passed = premises(&totals, range, output)?;
    }
    let faults: u64 = totals.faults.iter().sum();
    let kinds: Vec<String> =
        Fault::ALL.iter().zip(totals.faults).map(|(kind, count)| format!("{} {count}", kind.word())).collect();
    let violations = u32::from(failed.is_some());
    writeln!(
        output,
        "{} schedules, {:.1}/s, {} calls, {faults} faults ({}), {violations} violations",
        totals.runs,
        totals.runs as f64 / elapsed.max(0.001),
        totals.calls,
        kinds.join(", ")
    )?;
    Ok(if how.beyond.is_some() { failed.is_some() } else { passed })
}

/// Runs the seeds on all threads. Answers the lowest seed that broke a rule, if one did.
fn run_all(
    range: Range,
    threads: usize,
    options: &Options,
    keys: &Keys,
    progress: &ProgressBar,
) -> Result<(Totals, Option<u64>)> {
    let next = AtomicU64::new(range.from);
    // Seeds above one that failed need not be run any more.
    let end = AtomicU64::new(range.from + range.seeds);
    let failed: Mutex<Option<u64>> = Mutex::new(None);
    let work = || -> Result<Totals> {
        let mut totals = Totals::default();
        loop {
            let seed = next.fetch_add(1, Ordering::Relaxed);
            if seed >= end.load(Ordering::Relaxed) {
                return Ok(totals);
            }
            let report = run_one(seed, options, keys).with_context(|| format!("seed {seed}"))?;
            totals.add(&report);
            progress.inc(1);
            if report.violation.is_some() {
                end.fetch_min(seed, Ordering::Relaxed);
                let mut failed = failed.lock().unwrap_or_else(PoisonError::into_inner);
                *failed = Some(failed.map_or(seed, |known| known.min(seed)));
            }
        }
    };
    let mut totals = Totals::default();
    thread::scope(|scope| -> Result<()> {
        let handles: Vec<_> = (0..threads.max(1)).map(|_| scope.spawn(work)).collect();
        for handle in handles {
            let part = handle.join().map_err(|_| anyhow::anyhow!("a thread of the simulator panicked"))?;
            totals.join(&part?);
        }
        Ok(())
    })?;
    Ok((totals, failed.into_inner().unwrap_or_else(PoisonError::into_inner)))
}

/// Prints how often each premise occurred. Answers whether each did, as far as that can be asked.
fn premises(totals: &Totals, range: Range, output: &mut impl Write) -> Result<bool> {
    writeln!(output, "invariant (premise, and how often it occurred)")?;
    for (rule, count) in Rule::ALL.iter().zip(totals.premises) {
        writeln!(output, "  {:3} {} ({}: {count})", rule.letter(), rule.words(), rule.premise())?;
    }
    let never: Vec<&str> =
        Rule::ALL.iter().zip(totals.premises).filter(|(_, count)| *count == 0).map(|(rule, _)| rule.letter()).collect();
    if range.seeds < PREMISES_FROM || never.is_empty() {
        return Ok(true);
    }
    writeln!(output, "never put to the test: {}", never.join(", "))?;
    Ok(false)
}

fn progress(seeds: u64) -> ProgressBar {
    let bar = ProgressBar::new(seeds);
    if !std::io::stderr().is_terminal() {
        bar.set_draw_target(ProgressDrawTarget::hidden());
    }
    if let Ok(style) = ProgressStyle::with_template("{bar:40} {pos}/{len} schedules, {per_sec}, {eta} left") {
        bar.set_style(style);
    }
    bar.enable_steady_tick(Duration::from_millis(200));
    bar
}
