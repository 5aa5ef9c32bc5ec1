//! A function as it runs on Lambda: the program in a process of its own, at a Runtime API.

use crate::clock;
use crate::process::{peak_memory, processor_time};
use crate::runtime::Runtime;
use anyhow::{Context, Result, ensure};
use axum::body::Bytes;
use serde::Deserialize;
use std::path::Path;
use std::process::Stdio;
use std::time::Duration;
use tokio::process::{Child, Command};

/// How long the function is left alone before its figures are read, so that it sleeps by then.
const SETTLED: Duration = Duration::from_millis(2);

/// A running function.
#[derive(Debug)]
pub(crate) struct Function {
    runtime: Runtime,
    process: Child,
    /// From the process's start to its first question for work.
    pub(crate) init: Duration,
    /// Processor time until then.
    pub(crate) init_processor: Duration,
    /// Peak memory until then, in bytes.
    pub(crate) init_memory: u64,
}

/// What one invocation took.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Taken {
    /// From the event being sent to the answer being there.
    pub(crate) wall: Duration,
    /// Processor time, user and system, until it asked for work again.
    pub(crate) processor: Duration,
}

/// Of a function's answer, what tells whether all is well.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Answer {
    batch_item_failures: Vec<serde_json::Value>,
}

impl Function {
    /// Starts a program with this environment and nothing else, and waits until it asks for work.
    ///
    /// # Errors
    /// Where it cannot be run, fails, or does not ask in time.
    pub(crate) async fn start(program: &Path, environment: &[(&'static str, String)]) -> Result<Function> {
        let mut runtime = Runtime::start().await?;
        let mut command = Command::new(program);
        command
            .env_clear()
            .env("AWS_LAMBDA_RUNTIME_API", runtime.address())
            .env("AWS_LAMBDA_FUNCTION_NAME", "bench")
            .env("AWS_LAMBDA_FUNCTION_VERSION", "$LATEST")
            .env("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "128")
            .env("AWS_LAMBDA_LOG_GROUP_NAME", "/aws/lambda/bench")
            .env("AWS_LAMBDA_LOG_STREAM_NAME", "bench")
            .envs(environment.iter().map(|(name, value)| (*name, value)))
            .stdin(Stdio::null())
            // The lines are written, and nobody keeps them.
            .stdout(Stdio::null())
            .kill_on_drop(true);
        let started = clock::moment();
        let process = command.spawn().with_context(|| format!("{} cannot be run", program.display()))?;
        let polled = runtime.polled().await.with_context(|| format!("{} does not start", program.display()))?;
        let pid = process.id().context("the function has ended")?;
        tokio::time::sleep(SETTLED).await;
        Ok(Function {
            init: polled.saturating_duration_since(started),
            init_processor: processor_time(pid)?,
            init_memory: peak_memory(pid)?,
            runtime,
            process,
        })
    }

    /// Hands it a batch, and waits until it asks for work again.
    ///
    /// # Errors
    /// Where it fails, or reports a message that it could not handle: then nothing that was measured means anything.
    pub(crate) async fn invoke(&mut self, batch: Bytes) -> Result<Taken> {
        let before = processor_time(self.pid()?)?;
        let answered = self.runtime.invoke(batch).await?;
        self.runtime.polled().await?;
        tokio::time::sleep(SETTLED).await;
        let processor = processor_time(self.pid()?)?.saturating_sub(before);
        let answer: Answer = serde_json::from_slice(&answered.body).context("the answer is no batch response")?;
        let failures = answer.batch_item_failures.len();
        ensure!(failures == 0, "{failures} messages of the batch were not handled");
        Ok(Taken { wall: answered.took, processor })
    }

    /// Its peak memory so far, in bytes.
    ///
    /// # Errors
    /// Where it has ended.
    pub(crate) fn peak_memory(&self) -> Result<u64> {
        peak_memory(self.pid()?)
    }

    /// Ends it.
    ///
    /// # Errors
    /// Where the system does not let it.
    pub(crate) async fn stop(mut self) -> Result<()> {
        self.process.kill().await.context("the function does not end")
    }

    fn pid(&self) -> Result<u32> {
        self.process.id().context("the function has ended")
    }
}
