//! `cargo stack`: the whole template on this machine, until Ctrl-C.

use anyhow::{Context, Result};
use rollcall_local::stack::{How, Progress, Stack, interrupted, local_dir, policy, seeded, workspace};
use serde_json::{Value, json};
use std::io::Write;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<()> {
    let (how, progress) = (How::default(), Progress::new());
    let policy = policy()?;
    let stack = tokio::select! {
        stack = Stack::start(seeded("acme.json")?, &policy, &how, &progress) => stack?,
        ended = interrupted() => return ended,
    };
    drop(progress);
    let description = stack.description()?;
    std::fs::write(local_dir().join("stack.json"), format!("{description}\n"))?;
    writeln!(std::io::stdout(), "{description}")?;
    hint(&stack)?;
    interrupted().await
}

/// The three commands to try.
fn hint(stack: &Stack) -> Result<()> {
    let leaver = local_dir().join("leaver.json");
    std::fs::write(&leaver, entries(stack)?.to_string())?;
    let (endpoint, chime, table) = (&stack.endpoint, stack.chime.endpoint(), stack.output("LedgerTable")?);
    writeln!(
        std::io::stderr(),
        "\nThe stack is up until Ctrl-C. For any AWS SDK or CLI:\n
  export AWS_ENDPOINT_URL={endpoint} AWS_REGION=us-east-1 AWS_DEFAULT_REGION=us-east-1 AWS_ACCESS_KEY_ID=test AWS_SECRET_ACCESS_KEY=test\n
Three commands to try:\n
  1. Ada leaves:           aws events put-events --entries file://{leaver}
  2. What the ledger says: aws dynamodb scan --table-name {table}
  3. What Chime was asked: curl -s {chime}/_local/calls\n",
        leaver = leaver.display(),
    )?;
    Ok(())
}

/// The sample termination as `put-events` takes it.
fn entries(stack: &Stack) -> Result<Value> {
    let path = workspace().join("events/worker.termination.effective.json");
    let text = std::fs::read_to_string(&path).with_context(|| format!("{} cannot be read", path.display()))?;
    let envelope: Value = serde_json::from_str(&text)?;
    Ok(json!([{
        "EventBusName": stack.output("BusName")?, "Source": envelope["source"],
        "DetailType": envelope["detail-type"], "Detail": envelope["detail"].to_string(),
    }]))
}
