//! A failing run, made as small as it goes: fewer kinds of fault, then fewer messages, as long as the same rule breaks.

use crate::campaign::How;
use crate::faults::Fault;
use crate::schedule::{Options, Report, run};
use crate::watch::Rule;
use anyhow::{Context, Result};
use rollcall::seal::Keys;
use std::io::Write;

/// How many times the messages are gone through.
const PASSES: usize = 2;

/// A failing run that cannot lose a kind of fault or a message without passing.
#[derive(Debug)]
pub struct Shrunk {
    report: Report,
    options: Options,
}

/// Shrinks the run of a seed that breaks a rule.
///
/// # Errors
/// Where a run cannot be made, or the seed breaks no rule after all.
pub fn shrink(seed: u64, options: &Options, keys: &Keys) -> Result<Shrunk> {
    let mut smallest = options.clone();
    let first = run(seed, &smallest, keys)?;
    let rule = first.violation.context("the seed breaks no rule when it is run again")?.rule;
    let breaks = |options: &Options| -> Result<bool> {
        Ok(run(seed, options, keys)?.violation.is_some_and(|violation| violation.rule == rule))
    };
    for kind in Fault::ALL.into_iter().filter(|kind| options.insist.iter().all(|(insisted, _)| insisted != kind)) {
        let mut fewer = smallest.clone();
        fewer.without.insert(kind);
        if breaks(&fewer)? {
            smallest = fewer;
        }
    }
    for _ in 0..PASSES {
        for send in (0..first.sends).rev() {
            let mut fewer = smallest.clone();
            if fewer.unsent.insert(send) && breaks(&fewer)? {
                smallest = fewer;
            }
        }
    }
    smallest.trace = true;
    Ok(Shrunk { report: run(seed, &smallest, keys)?, options: smallest })
}

impl Shrunk {
    /// The rule that breaks.
    #[must_use]
    pub fn rule(&self) -> Option<Rule> {
        self.report.violation.as_ref().map(|violation| violation.rule)
    }

    /// Prints the trace, and what breaks.
    ///
    /// # Errors
    /// Where the output cannot be written.
    pub fn print(&self, seed: u64, how: &How, output: &mut impl Write) -> Result<()> {
        let told = self.report.sends - self.options.unsent.len();
        let kinds = Fault::ALL.len() - self.options.without.len();
        writeln!(output, "seed {seed}, with {told} of {} messages and {kinds} kinds of fault:", self.report.sends)?;
        for line in &self.report.trace {
            writeln!(output, "{line}")?;
        }
        if let Some(violation) = &self.report.violation {
            writeln!(output, "seed {seed} breaks invariant {violation}")?;
        }
        writeln!(output, "the whole run: cargo sim -- --seed {seed}{}", how.arguments())?;
        Ok(())
    }
}
