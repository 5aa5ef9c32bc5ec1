//! boto3 as a client of the local AWS, for whatever comes from outside: events, messages, files, secrets.
//!
//! What Rollcall understands must be what clients send, not what Rollcall's own SDK sends. So a program in Python puts it.

use super::Stack;
use anyhow::{Context, Result, bail};
use serde_json::{Value, json};
use std::process::Stdio;
use std::time::Duration;
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader, Lines};
use tokio::process::{Child, ChildStdin, ChildStdout, Command};
use tokio::sync::Mutex;

/// How long one call may take.
const WITHIN: Duration = Duration::from_secs(60);

/// A process with boto3 that does one call after the other. Dropping it ends it.
#[derive(Debug)]
pub struct Boto {
    pipes: Mutex<(ChildStdin, Lines<BufReader<ChildStdout>>)>,
    _process: Child,
}

impl Boto {
    /// Starts it for a stack.
    ///
    /// # Errors
    /// Where Python cannot be run.
    pub fn start(stack: &Stack) -> Result<Boto> {
        let mut process = Command::new(stack.python())
            .args(["-c", include_str!("../../stack/boto.py"), &stack.endpoint])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .context("boto3 cannot be run")?;
        let input = process.stdin.take().context("boto3 has no standard input")?;
        let output = process.stdout.take().context("boto3 has no standard output")?;
        Ok(Boto { pipes: Mutex::new((input, BufReader::new(output).lines())), _process: process })
    }

    /// Calls an operation by its name in Python, with its input as boto3 takes it; answers its output.
    ///
    /// # Errors
    /// What the service answered, or that nothing came within a minute.
    pub async fn call(&self, service: &str, operation: &str, input: Value) -> Result<Value> {
        let mut line = json!({ "service": service, "operation": operation, "input": input }).to_string();
        line.push('\n');
        let mut pipes = self.pipes.lock().await;
        pipes.0.write_all(line.as_bytes()).await?;
        let answer = tokio::time::timeout(WITHIN, pipes.1.next_line()).await;
        let answer = answer.with_context(|| format!("{service} {operation} took longer than 60 s"))??;
        let mut answer: Value = serde_json::from_str(&answer.context("boto3 ended")?)?;
        match answer["error"].as_str() {
            Some(error) => bail!("{service} {operation}: {error}"),
            None => Ok(answer["output"].take()),
        }
    }
}
