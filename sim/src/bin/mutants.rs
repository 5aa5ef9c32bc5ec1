//! `cargo mutants`: breaks the product in one way after another, and asks the simulator each time.

use anyhow::{Context, Result};
use clap::Parser;
use rollcall_sim::mutants;
use std::path::Path;
use std::process::ExitCode;

/// Applies each mutant to a copy of the sources, and runs the simulator there until an invariant breaks.
#[derive(Debug, Parser)]
#[command(name = "cargo mutants --")]
struct Arguments {
    /// Which mutants; all where none is named.
    names: Vec<String>,
    /// How many seeds a mutant has to survive to be called a survivor.
    #[arg(long, default_value_t = 20_000)]
    seeds: u64,
}

fn main() -> Result<ExitCode> {
    let arguments = Arguments::parse();
    let workspace = Path::new(env!("CARGO_MANIFEST_DIR")).parent().context("the package lies in a workspace")?;
    let caught = mutants::run(workspace, &arguments.names, arguments.seeds, &mut std::io::stdout())?;
    Ok(if caught { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
