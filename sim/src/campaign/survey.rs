//! A survey: all seeds of a range, whatever they break, and for each rule how many break it, and the first.

use super::{How, Range, keys};
use crate::schedule::run;
use crate::watch::{Rule, Violation};
use anyhow::{Context, Result};
use std::collections::BTreeMap;
use std::io::Write;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::thread;

/// How many examples of each rule are shown.
const EXAMPLES: usize = 6;

/// Runs all seeds of a range, and prints which rules they break. Answers whether none does.
///
/// # Errors
/// Where the output cannot be written, or a run cannot be made.
pub fn survey(range: Range, how: &How, threads: usize, output: &mut impl Write) -> Result<bool> {
    let (keys, options) = (keys()?, how.options());
    let next = AtomicU64::new(range.from);
    let broken: Mutex<BTreeMap<Rule, Vec<(u64, Violation)>>> = Mutex::default();
    let work = || -> Result<()> {
        loop {
            let seed = next.fetch_add(1, Ordering::Relaxed);
            if seed >= range.from + range.seeds {
                return Ok(());
            }
            let report = run(seed, &options, &keys).with_context(|| format!("seed {seed}"))?;
            if let Some(violation) = report.violation {
                let mut broken = broken.lock().unwrap_or_else(PoisonError::into_inner);
                broken.entry(violation.rule).or_default().push((seed, violation));
            }
        }
    };
    thread::scope(|scope| -> Result<()> {
        let handles: Vec<_> = (0..threads.max(1)).map(|_| scope.spawn(work)).collect();
        for handle in handles {
            handle.join().map_err(|_| anyhow::anyhow!("a thread of the simulator panicked"))??;
        }
        Ok(())
    })?;
    let mut broken = broken.into_inner().unwrap_or_else(PoisonError::into_inner);
    for (rule, seeds) in &mut broken {
        seeds.sort_by_key(|(seed, _)| *seed);
        writeln!(output, "{} ({}): {} of {} seeds", rule.letter(), rule.words(), seeds.len(), range.seeds)?;
        for (seed, violation) in seeds.iter().take(EXAMPLES) {
            writeln!(output, "  {seed}: {}", violation.what)?;
        }
    }
    writeln!(output, "{} seeds, {} rules broken", range.seeds, broken.len())?;
    Ok(broken.is_empty())
}
