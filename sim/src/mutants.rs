//! Does the simulator find bugs? Each mutant is a patch that breaks one thing; each must be caught by an invariant.
//!
//! The product has no switch for them: a patch is applied to a copy of the sources under `target/`, the simulator is
//! built there, and runs until an invariant breaks.

use anyhow::{Context, Result, bail, ensure};
use std::collections::BTreeSet;
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

/// What a mutant came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// An invariant broke, after so many seeds.
    Caught {
        /// The line that tells which.
        invariant: String,
        /// How many schedules were run.
        schedules: u64,
    },
    /// None did.
    Survived,
}

/// A copy of the sources, and what is built from it.
#[derive(Debug)]
pub struct Copy {
    source: PathBuf,
    tree: PathBuf,
    target: PathBuf,
}

/// One mutant: its name, what it breaks, and its patch.
#[derive(Clone, Debug)]
pub struct Mutant {
    /// The name of its file.
    pub name: String,
    /// What it breaks: the patch's first line.
    pub breaks: String,
    /// How the simulator is run, where its faults seldom come together so: the patch's second line.
    pub with: Vec<String>,
    patch: PathBuf,
}

/// The mutants of a workspace, by name.
///
/// # Errors
/// Where they cannot be read.
pub fn mutants(workspace: &Path) -> Result<Vec<Mutant>> {
    let folder = workspace.join("sim/mutants");
    let mut mutants = Vec::new();
    for entry in fs::read_dir(&folder).context("sim/mutants cannot be read")? {
        let patch = entry?.path();
        if patch.extension().is_none_or(|extension| extension != "patch") {
            continue;
        }
        let text = fs::read_to_string(&patch)?;
        let breaks = text.lines().next().and_then(|line| line.strip_prefix("# ")).unwrap_or_default().to_owned();
        let name = patch.file_stem().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        ensure!(!breaks.is_empty(), "{name}.patch does not say in its first line what it breaks");
        let with = text.lines().nth(1).and_then(|line| line.strip_prefix("# with ")).unwrap_or_default();
        let with = with.split_whitespace().map(str::to_owned).collect();
        mutants.push(Mutant { name, breaks, with, patch });
    }
    mutants.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(mutants)
}

impl Copy {
    /// Copies the sources that git knows, or would take in.
    ///
    /// # Errors
    /// Where git or the file system refuses.
    pub fn of(workspace: &Path) -> Result<Copy> {
        let place = workspace.join("target/mutants");
        let copy = Copy { source: workspace.to_owned(), tree: place.join("tree"), target: place.join("target") };
        fs::create_dir_all(&copy.tree)?;
        copy.refresh()?;
        Ok(copy)
    }

    /// Brings the copy to the sources as they are. What did not change keeps its time, so that little is built anew.
    fn refresh(&self) -> Result<()> {
        let list = ["ls-files", "--cached", "--others", "--exclude-standard", "-z"];
        let listed = finished(Command::new("git").args(list).current_dir(&self.source))?;
        let names: BTreeSet<String> = String::from_utf8_lossy(&listed.stdout)
            .split('\0')
            .filter(|name| !name.is_empty())
            .map(str::to_owned)
            .collect();
        for name in &names {
            let (from, to) = (self.source.join(name), self.tree.join(name));
            let Ok(wanted) = fs::read(&from) else { continue };
            if fs::read(&to).is_ok_and(|found| found == wanted) {
                continue;
            }
            if let Some(folder) = to.parent() {
                fs::create_dir_all(folder)?;
            }
            fs::write(&to, wanted)?;
        }
        self.remove_others(&self.tree, &names)
    }

    /// A patch may have made files of its own.
    fn remove_others(&self, folder: &Path, names: &BTreeSet<String>) -> Result<()> {
        for entry in fs::read_dir(folder)? {
            let path = entry?.path();
            let name = path.strip_prefix(&self.tree)?.to_string_lossy().into_owned();
            if path.is_dir() {
                self.remove_others(&path, names)?;
            } else if !names.contains(&name) {
                fs::remove_file(&path)?;
            }
        }
        Ok(())
    }

    /// Runs the simulator of the sources as they are, in the same way: it must pass.
    ///
    /// # Errors
    /// Where it cannot be built, or an invariant breaks.
    pub fn passes(&self, seeds: u64, with: &[String]) -> Result<()> {
        match self.run(seeds, with)? {
            Verdict::Survived => Ok(()),
            Verdict::Caught { invariant, .. } => bail!("without a mutant, {invariant}"),
        }
    }

    /// Applies a mutant, runs the simulator until an invariant breaks, and takes the mutant out again.
    ///
    /// # Errors
    /// Where the patch does not apply, or the result cannot be built.
    pub fn try_on(&self, mutant: &Mutant, seeds: u64) -> Result<Verdict> {
        let mut apply = Command::new("git");
        // Git must not take the copy for a part of the repository around it: it would skip what it does not know.
        apply.env("GIT_CEILING_DIRECTORIES", self.tree.parent().unwrap_or(&self.tree));
        let applied = finished(apply.arg("apply").arg(&mutant.patch).current_dir(&self.tree));
        applied.with_context(|| format!("{}.patch does not apply", mutant.name))?;
        let verdict = self.run(seeds, &mutant.with).with_context(|| format!("{} cannot be run", mutant.name));
        self.refresh()?;
        verdict
    }

    fn run(&self, seeds: u64, with: &[String]) -> Result<Verdict> {
        let build = ["build", "--quiet", "--profile", "sim", "-p", "rollcall-sim", "--bin", "rollcall-sim"];
        let mut cargo = Command::new("cargo");
        finished(cargo.args(build).current_dir(&self.tree).env("CARGO_TARGET_DIR", &self.target))?;
        let simulator = self.target.join("sim/rollcall-sim");
        let output = Command::new(simulator)
            .args(["--seeds", &seeds.to_string()])
            .args(with)
            .current_dir(&self.tree)
            .output()?;
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        let invariant = text.lines().rev().find(|line| line.contains(" breaks invariant ")).map(str::to_owned);
        match (output.status.success(), invariant) {
            (true, None) => Ok(Verdict::Survived),
            (false, Some(line)) => {
                let (seed, invariant) = line.split_once(" breaks invariant ").unwrap_or(("", &line));
                let seed: u64 = seed.trim_start_matches("seed ").parse().unwrap_or(0);
                Ok(Verdict::Caught { invariant: invariant.to_owned(), schedules: seed + 1 })
            }
            (_, _) => bail!("the simulator ended without a verdict: {}", text.lines().last().unwrap_or_default()),
        }
    }
}

fn finished(command: &mut Command) -> Result<Output> {
    let output = command.output()?;
    if !output.status.success() {
        bail!("{}", String::from_utf8_lossy(&output.stderr).trim());
    }
    Ok(output)
}

/// Tries every mutant, or those whose names are given. Answers whether each was caught.
///
/// # Errors
/// Where a mutant cannot be tried, or the sources without one do not pass.
pub fn run(workspace: &Path, only: &[String], seeds: u64, output: &mut impl Write) -> Result<bool> {
    let all = mutants(workspace)?;
    let chosen: Vec<&Mutant> = all.iter().filter(|mutant| only.is_empty() || only.contains(&mutant.name)).collect();
    ensure!(!chosen.is_empty(), "there is no such mutant");
    let copy = Copy::of(workspace)?;
    let ways: BTreeSet<&[String]> = chosen.iter().map(|mutant| mutant.with.as_slice()).collect();
    for with in ways {
        copy.passes(seeds.min(1_000), with)?;
    }
    let mut caught = 0;
    for mutant in &chosen {
        match copy.try_on(mutant, seeds)? {
            Verdict::Caught { invariant, schedules } => {
                caught += 1;
                writeln!(output, "{}: caught by invariant {invariant} after {schedules} seeds", mutant.name)?;
            }
            Verdict::Survived => writeln!(output, "{}: SURVIVED {seeds} seeds. {}", mutant.name, mutant.breaks)?,
        }
    }
    writeln!(output, "{caught} of {} mutants caught", chosen.len())?;
    Ok(caught == chosen.len())
}
