//! `cargo e2e`: the real `template.yaml` on a local AWS, each function under its own role; scenarios that must end as the
//! rules say; and what the stacks left behind: who was allowed what, and whether anybody's name turns up anywhere.

mod company;
mod play;
mod scenario;
mod table;

use anyhow::{Context, Result, bail};
use clap::Parser;
use play::{Rig, Row};
use rollcall_local::stack::{Progress, build, interrupted, local_dir};
use scenario::{Scenario, Stage};
use std::collections::BTreeMap;
use std::io::Write;
use std::process::ExitCode;
use tokio::time::Instant;

/// Deploys template.yaml on this machine and plays scenarios on it.
#[derive(Parser)]
struct Arguments {
    /// What to play; several times for several. Default: all but load.
    #[arg(long, value_enum)]
    scenario: Vec<Scenario>,
    /// Debug builds of the functions instead of the optimised ones that are deployed: seconds instead of minutes.
    #[arg(long)]
    debug: bool,
    /// Writes golden/why anew: what `rollcall why` tells after the demo's scenarios. Read it before it is committed.
    #[arg(long)]
    golden: bool,
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<ExitCode> {
    let arguments = Arguments::parse();
    let began = Instant::now();
    let rows = tokio::select! {
        rows = all(&arguments) => rows?,
        ended = interrupted() => {
            ended?;
            bail!("interrupted");
        }
    };
    writeln!(std::io::stdout(), "{}", table::table(&rows, began.elapsed()))?;
    let ok = rows.iter().all(|row| row.unexpected.is_empty());
    Ok(if ok { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

async fn all(arguments: &Arguments) -> Result<Vec<Row>> {
    let progress = Progress::new();
    let all: Vec<Scenario> = if arguments.scenario.is_empty() {
        <Scenario as clap::ValueEnum>::value_variants().iter().copied().filter(|one| one.by_default()).collect()
    } else {
        arguments.scenario.clone()
    };
    let mut stages: BTreeMap<Stage, Vec<Scenario>> = BTreeMap::new();
    all.into_iter().for_each(|scenario| stages.entry(scenario.stage()).or_default().push(scenario));
    let folder = local_dir().with_file_name("e2e");
    progress.step("building the operator's tool");
    let tool = build(&[("rollcall-cli", "rollcall")], false).await?.swap_remove(0);
    let rig = Rig { release: !arguments.debug, tool, accept: arguments.golden };
    let (mut rows, mut folders) = (Vec::new(), Vec::new());
    for (stage, scenarios) in stages {
        let folder = folder.join(format!("{stage:?}").to_lowercase().replace(['(', ')'], ""));
        let _of_before = std::fs::remove_dir_all(&folder);
        std::fs::create_dir_all(&folder).with_context(|| format!("{} cannot be made", folder.display()))?;
        rows.extend(play::play(stage, &scenarios, &rig, &folder, &progress).await);
        folders.push(folder);
    }
    rows.push(play::roles(arguments.scenario.is_empty(), &folders, &progress).await);
    Ok(rows)
}
