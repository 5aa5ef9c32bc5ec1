//! Plays the scenarios of a stage, one after the other, on one stack; then looks at what the stack left behind.

use crate::company;
use crate::scenario::{Scenario, Stage};
use anyhow::{Context, Result, bail};
use rollcall_local::chime::seed;
use rollcall_local::demo;
use rollcall_local::stack::{How, Progress, Stack, policy, python, seeded, workspace};
use serde::Deserialize;
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, BufReader};
use tokio::process::Command;
use tokio::time::Instant;

/// How long one scenario may take.
const WITHIN: Duration = Duration::from_secs(1800);

/// How many people the company has, and the crowd.
const PEOPLE: usize = 400;
const CROWD: usize = 10_000;

/// What all stages are played with.
pub(crate) struct Rig {
    /// The functions are built as they are deployed.
    pub(crate) release: bool,
    /// The operator's tool.
    pub(crate) tool: String,
    /// What the tool tells is written down, instead of compared with what is written.
    pub(crate) accept: bool,
}

/// What became of a scenario.
#[derive(Debug)]
pub(crate) struct Row {
    pub(crate) name: String,
    pub(crate) asserted: Vec<String>,
    pub(crate) unexpected: Vec<String>,
    pub(crate) took: Duration,
}

/// Plays them; a row each, and one for what was found afterwards.
pub(crate) async fn play(
    stage: Stage,
    scenarios: &[Scenario],
    rig: &Rig,
    folder: &Path,
    progress: &Progress,
) -> Vec<Row> {
    let how = How { release: rig.release, recorded_in: Some(folder.to_owned()) };
    let mut rows = Vec::new();
    let began = Instant::now();
    let stack = match stage {
        Stage::Demo(demo) => match demo::run(demo.scenario(), &how, progress).await {
            Ok(played) => {
                rows.push(demo_row(&played.report, began.elapsed()));
                Ok(played.stack)
            }
            Err(error) => Err(error),
        },
        Stage::Company => start(company::seed(PEOPLE), company::policy(), &how, progress).await,
        Stage::Crowd => start(company::seed(CROWD), company::policy(), &how, progress).await,
        Stage::Acme => acme(&how, progress).await,
    };
    let stack = match stack {
        Ok(stack) => stack,
        Err(error) => {
            let name = scenarios.iter().map(|scenario| scenario.name()).collect::<Vec<_>>().join(", ");
            let mut unexpected = vec![format!("{error:#}")];
            unexpected.extend(denied(folder).into_iter().map(|action| format!("{action} was denied")));
            return vec![Row { name, asserted: Vec::new(), unexpected, took: began.elapsed() }];
        }
    };
    let one = async |scenario: &Scenario| {
        let (program, name) = match stage {
            Stage::Demo(_) => ("why".to_owned(), format!("{} why", scenario.name())),
            Stage::Company | Stage::Acme | Stage::Crowd => (scenario.name(), scenario.name()),
        };
        let played = on(&stack, &program, &scenario.name(), rig, folder, progress).await;
        Row { name, ..played }
    };
    let mut left = scenarios;
    while let [scenario, rest @ ..] = left {
        left = match rest {
            // Both wait for leases most of the time, each of a function of its own.
            [next, after @ ..] if (*scenario, *next) == (Scenario::NewVersion, Scenario::Crash) => {
                rows.extend(<[Row; 2]>::from(tokio::join!(one(scenario), one(next))));
                after
            }
            rest => {
                rows.push(one(scenario).await);
                rest
            }
        };
    }
    let after = on(&stack, "afterwards", "", rig, folder, progress).await;
    rows.push(Row { name: format!("{} afterwards", folder_name(folder)), ..after });
    rows
}

/// What functions were denied. It is why most stages stop that stop.
fn denied(folder: &Path) -> BTreeSet<String> {
    let record = std::fs::read_to_string(folder.join("requests.jsonl")).unwrap_or_default();
    let lines = record.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
    lines.filter(|line| line["denied"] == true).filter_map(|line| Some(line["action"].as_str()?.to_owned())).collect()
}

async fn start(company: Value, policy: Value, how: &How, progress: &Progress) -> Result<Stack> {
    Stack::start(seed::read(&company.to_string())?, &policy, how, progress).await
}

async fn acme(how: &How, progress: &Progress) -> Result<Stack> {
    Stack::start(seeded("acme.json")?, &policy()?, how, progress).await
}

fn folder_name(folder: &Path) -> String {
    folder.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default()
}

fn demo_row(report: &demo::Report, took: Duration) -> Row {
    let asserted = if report.acts.is_empty() {
        let events = report.events.iter().filter(|event| !event.event_id.is_empty()).count();
        vec![
            format!("{events} events: consumer, outcome and reason of each"),
            "everybody's status, licence and sessions; no lease is left".to_owned(),
        ]
    } else {
        report.acts.iter().map(|act| act.act.clone()).collect()
    };
    Row { name: report.scenario.clone(), asserted, unexpected: report.unexpected.clone(), took }
}

/// What a program prints.
#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
enum Line {
    Asserted(String),
    Unexpected(String),
}

/// Compares what the roles of all stages may do with what they did. Whether they did all that they may can be told only
/// after everything was played.
pub(crate) async fn roles(everything: bool, folders: &[PathBuf], progress: &Progress) -> Row {
    let left: Vec<String> = folders
        .iter()
        .filter(|folder| folder.join("roles.json").is_file())
        .map(|folder| folder.to_string_lossy().into_owned())
        .collect();
    // A stage that stopped used less than it may.
    let complete = everything && left.len() == folders.len();
    let arguments = std::iter::once(complete.to_string()).chain(left).collect();
    asked("roles", &python(), arguments, progress).await
}

/// Runs one of the programs in `scenarios/` on a stack.
async fn on(stack: &Stack, name: &str, scenario: &str, rig: &Rig, folder: &Path, progress: &Progress) -> Row {
    match description(stack, scenario, rig, folder) {
        Ok(description) => asked(name, stack.python(), vec![description.to_string()], progress).await,
        Err(error) => Row {
            name: name.to_owned(),
            asserted: Vec::new(),
            unexpected: vec![format!("{error:#}")],
            took: Duration::ZERO,
        },
    }
}

/// Runs one of the programs with these arguments.
async fn asked(name: &str, python: &Path, arguments: Vec<String>, progress: &Progress) -> Row {
    progress.step(name);
    let began = Instant::now();
    let mut row = Row { name: name.to_owned(), asserted: Vec::new(), unexpected: Vec::new(), took: Duration::ZERO };
    let ran = tokio::time::timeout(WITHIN, run(name, python, arguments, progress, &mut row)).await;
    match ran {
        Ok(Ok(())) => {}
        Ok(Err(error)) => row.unexpected.push(format!("{error:#}")),
        Err(_) => row.unexpected.push(format!("it took longer than {} s", WITHIN.as_secs())),
    }
    row.took = began.elapsed();
    row
}

/// Where the programs are.
fn programs() -> PathBuf {
    workspace().join("e2e/scenarios")
}

async fn run(name: &str, python: &Path, arguments: Vec<String>, progress: &Progress, row: &mut Row) -> Result<()> {
    let mut process = Command::new(python)
        .arg(programs().join(format!("{}.py", name.replace('-', "_"))))
        .args(arguments)
        // Nothing is written beside the programs.
        .env("PYTHONDONTWRITEBYTECODE", "1")
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true)
        .spawn()?;
    let output = process.stdout.take().context("the program has no standard output")?;
    let mut errors = process.stderr.take().context("the program has no standard error")?;
    let errors = tokio::spawn(async move {
        let mut text = String::new();
        let _read = errors.read_to_string(&mut text).await;
        text
    });
    let mut lines = BufReader::new(output).lines();
    while let Some(line) = lines.next_line().await? {
        match serde_json::from_str(&line).with_context(|| format!("{name} printed {line}"))? {
            Line::Asserted(what) => {
                progress.step(&format!("{name}: {what}"));
                row.asserted.push(what);
            }
            Line::Unexpected(what) => row.unexpected.push(what),
        }
    }
    let status = process.wait().await?;
    if !status.success() && row.unexpected.is_empty() {
        bail!("{}", errors.await?.trim());
    }
    Ok(())
}

/// What the programs know of the stack.
fn description(stack: &Stack, scenario: &str, rig: &Rig, folder: &Path) -> Result<Value> {
    let mut description = stack.description()?;
    description["folder"] = json!(folder);
    description["tool"] = json!(rig.tool);
    description["accept"] = json!(rig.accept);
    description["scenario"] = json!(scenario);
    description["golden"] = json!(workspace().join("e2e/golden/why"));
    description["log"] = json!(stack.log());
    description["processGroup"] = json!(stack.process_group());
    description["binaries"] = json!(stack.binaries());
    description["template"] = json!(workspace().join("template.yaml"));
    description["lwa"] = json!(company::LWA);
    description["team"] = json!(company::TEAM);
    Ok(description)
}
