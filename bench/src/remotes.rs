//! The services that the functions call, in a process of their own: an embedded DynamoDB behind a proxy that counts, the
//! local Chime, and a queue that takes everything.
//!
//! The harness starts its own program with the hidden command `remotes`, and talks to it in lines of JSON. The process
//! ends when its standard input does, so it never outlives the harness.

mod dynamo;
mod queue;

use crate::company;
use anyhow::{Context, Result, bail};
use dynamo::Dynamo;
use queue::Queue;
use rollcall_local::chime::LocalChime;
use rollcall_local::chime::faults::{Chance, FaultKind};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::io::Write;
use std::process::Stdio;
use std::time::Duration;
use tokio::io::{AsyncBufReadExt, BufReader, Lines};
use tokio::process::{Child, ChildStdin, ChildStdout, Command};

/// How long the services may take to answer a line.
const PATIENCE: Duration = Duration::from_secs(60);

/// Where the services are.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Addresses {
    pub(crate) dynamodb: String,
    pub(crate) chime: String,
    pub(crate) sqs: String,
}

/// How long the services take at least, in milliseconds. 0: as long as they take.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Delays {
    /// A read or write of DynamoDB.
    pub(crate) dynamodb_ms: u32,
    /// A transaction of DynamoDB.
    pub(crate) transaction_ms: u32,
    /// Any call of Chime.
    pub(crate) chime_ms: u32,
}

/// What the services were asked for since they were last asked for this.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Counts {
    /// Calls, by `<service>.<operation>`.
    pub(crate) calls: BTreeMap<String, u64>,
    /// Write request units of tables.
    pub(crate) table_writes: f64,
    /// Write request units of indexes.
    pub(crate) index_writes: f64,
    /// Read request units.
    pub(crate) reads: f64,
    /// Calls that were refused: none is expected.
    pub(crate) refused: u64,
}

impl Counts {
    fn note(&mut self, service: &str, operation: &str, calls: u64) {
        *self.calls.entry(format!("{service}.{operation}")).or_default() += calls;
    }
}

/// A line to the services. Each is answered by one line.
#[derive(Clone, Debug, Serialize, Deserialize)]
enum Line {
    /// Answered by [`Counts`], which begin anew.
    Count,
    /// Answered by `null`.
    Delay(Delays),
}

/// The services, seen by the harness. They end with it.
#[derive(Debug)]
pub(crate) struct Remotes {
    /// Where they are.
    pub(crate) addresses: Addresses,
    input: ChildStdin,
    output: Lines<BufReader<ChildStdout>>,
    _process: Child,
}

impl Remotes {
    /// Starts them, with an empty ledger and the company of [`company::accounts`].
    ///
    /// # Errors
    /// Where they cannot be started.
    pub(crate) async fn start() -> Result<Remotes> {
        let own = std::env::current_exe().context("the program does not know where it is")?;
        let mut process = Command::new(own)
            .arg("remotes")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .context("the local services cannot be run")?;
        let input = process.stdin.take().context("no standard input")?;
        let mut output = BufReader::new(process.stdout.take().context("no standard output")?).lines();
        let addresses = read(&mut output).await.context("the local services do not start")?;
        Ok(Remotes { addresses, input, output, _process: process })
    }

    /// What they were asked for since the last time.
    ///
    /// # Errors
    /// Where they do not answer.
    pub(crate) async fn counts(&mut self) -> Result<Counts> {
        self.ask(&Line::Count).await
    }

    /// Sets how long they take.
    ///
    /// # Errors
    /// Where they do not answer.
    pub(crate) async fn delay(&mut self, delays: Delays) -> Result<()> {
        self.ask(&Line::Delay(delays)).await
    }

    async fn ask<T: for<'a> Deserialize<'a>>(&mut self, line: &Line) -> Result<T> {
        use tokio::io::AsyncWriteExt;
        self.input.write_all(format!("{}\n", serde_json::to_string(line)?).as_bytes()).await?;
        read(&mut self.output).await
    }
}

async fn read<T: for<'a> Deserialize<'a>>(lines: &mut Lines<BufReader<ChildStdout>>) -> Result<T> {
    let line = tokio::time::timeout(PATIENCE, lines.next_line()).await.context("no answer for 60 s")??;
    Ok(serde_json::from_str(&line.context("the local services have ended")?)?)
}

/// Serves, until standard input ends.
///
/// # Errors
/// Where a service cannot be started, or a line is none of the harness's.
pub(crate) async fn serve() -> Result<()> {
    let dynamo = Dynamo::start().await?;
    let chime = LocalChime::start(company::accounts()?, 0).await?;
    let queue = Queue::start().await?;
    answer(&Addresses { dynamodb: dynamo.endpoint(), chime: chime.endpoint(), sqs: queue.endpoint() })?;
    let mut lines = BufReader::new(tokio::io::stdin()).lines();
    while let Some(line) = lines.next_line().await? {
        match serde_json::from_str(&line).context("the line is none of the harness's")? {
            Line::Count => {
                let mut counts = dynamo.take_counts();
                for (operation, counter) in chime.core().log_mut().reset_counters() {
                    counts.note("Chime", &format!("{operation:?}"), counter.calls);
                    counts.refused += counter.refused + counter.cut;
                }
                queue.take_calls().into_iter().for_each(|(name, calls)| counts.note("SQS", &name, calls));
                answer(&counts)?;
            }
            Line::Delay(delays) => {
                dynamo.delay(delays);
                chime.core().disarm();
                if delays.chime_ms > 0 {
                    let kind = FaultKind::Slow { millis: delays.chime_ms };
                    chime.core().arm_chance(Chance { operation: None, kind, per_mille: 1000, seed: 1 });
                }
                answer(&())?;
            }
        }
    }
    Ok(())
}

fn answer(value: &impl Serialize) -> Result<()> {
    let mut out = std::io::stdout().lock();
    writeln!(out, "{}", serde_json::to_string(value)?)?;
    if out.flush().is_err() {
        bail!("the harness has ended");
    }
    Ok(())
}
