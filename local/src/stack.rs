//! The local stack: the real `template.yaml`, deployed by CloudFormation with the real Lambda binaries on a local AWS.
//!
//! The local AWS is `ministack` (from `PyPI`, MIT): EventBridge, SQS with event source mappings, Lambda on native binaries,
//! DynamoDB and CloudFormation with the SAM transform in one process, without Docker. It lives in a virtual environment
//! under the target directory, which this module makes. Everything listens on 127.0.0.1.

mod aws;
mod boto;
mod progress;
mod venv;

pub use boto::Boto;
pub use progress::Progress;

use crate::chime::state::AccountState;
use crate::chime::{LocalChime, seed};
use anyhow::{Context, Result, bail};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use tokio::process::Command;

/// The functions of the template that have a queue: package name, and the prefix of their outputs.
const FUNCTIONS: [(&str, &str); 6] = [
    ("invite-user", "InviteUser"),
    ("suspend-user", "SuspendUser"),
    ("reinstate-user", "ReinstateUser"),
    ("logout-user", "LogoutUser"),
    ("relicense-user", "RelicenseUser"),
    ("hr-intake", "HrIntake"),
];

/// The functions of the template that have none.
const WITHOUT_QUEUE: [&str; 4] = ["hr-receive", "hr-reconcile", "license-audit", "roster-load"];

/// Name of the CloudFormation stack.
const STACK: &str = "rollcall";

/// Region and keys of the local AWS. Any will do.
pub const REGION: &str = "us-east-1";
/// See [`REGION`].
pub const ACCESS_KEY: &str = "test";

/// How a stack is run.
#[derive(Clone, Debug, Default)]
pub struct How {
    /// The functions are built as they are deployed: optimised. Minutes instead of seconds.
    pub release: bool,
    /// Each function is its own role, which gets what `template.yaml` allows it and nothing else, and what it asks the
    /// local AWS for is written down in this folder. Without: nobody is asked who they are.
    pub recorded_in: Option<PathBuf>,
}

/// A running stack. Dropping it stops everything.
#[derive(Debug)]
pub struct Stack {
    /// The local Chime.
    pub chime: LocalChime,
    /// Endpoint of the local AWS.
    pub endpoint: String,
    outputs: BTreeMap<String, String>,
    python: PathBuf,
    binaries: Vec<String>,
    aws: aws::LocalAws,
}

/// Root of the workspace.
#[must_use]
pub fn workspace() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap_or(Path::new("."))
}

/// Where the stack keeps its files: `target/local`.
#[must_use]
#[expect(clippy::disallowed_methods, reason = "cargo says by the environment where its target directory is")]
pub fn local_dir() -> PathBuf {
    std::env::var("CARGO_TARGET_DIR").map_or_else(|_| workspace().join("target"), PathBuf::from).join("local")
}

/// The virtual environment of the local AWS.
fn venv() -> PathBuf {
    local_dir().join("venv")
}

/// The Python that the local AWS runs on, once a stack was started. It has boto3.
#[must_use]
pub fn python() -> PathBuf {
    venv::python(&venv())
}

impl Stack {
    /// Builds the functions, starts the local AWS and the local Chime, and deploys the template.
    ///
    /// # Errors
    /// What is missing on this machine, with the line that installs it; or what failed, with the log to read.
    pub async fn start(accounts: Vec<AccountState>, policy: &Value, how: &How, progress: &Progress) -> Result<Stack> {
        let dir = local_dir();
        std::fs::create_dir_all(&dir).with_context(|| format!("{} cannot be made", dir.display()))?;
        let python = venv::ready(&venv(), progress).await?;
        progress.step("building the functions");
        let names: Vec<&str> = Stack::functions().chain(WITHOUT_QUEUE).collect();
        let programs: Vec<(&str, &str)> = names.iter().map(|function| (*function, *function)).collect();
        let built = build(&programs, how.release).await?;
        let binaries: Vec<String> =
            names.iter().zip(built).map(|(function, program)| format!("{function}={program}")).collect();
        progress.step("starting the local Chime and the local AWS");
        let chime = LocalChime::start(accounts, 0).await?;
        let aws = aws::LocalAws::start(&dir, &python, &chime.endpoint(), how).await?;
        progress.step("deploying template.yaml");
        let outputs = deploy(&python, &aws.endpoint, policy, &binaries).await?;
        Ok(Stack { chime, endpoint: aws.endpoint.clone(), outputs, python, binaries, aws })
    }

    /// The Python that the local AWS runs on. It has boto3.
    #[must_use]
    pub fn python(&self) -> &Path {
        &self.python
    }

    /// The functions' programs: `<function>=<path>`.
    #[must_use]
    pub fn binaries(&self) -> &[String] {
        &self.binaries
    }

    /// The process group of the local AWS; the functions' processes are in it too.
    #[must_use]
    pub fn process_group(&self) -> Option<u32> {
        self.aws.process_group()
    }

    /// Where the local AWS writes its log, with what functions print.
    #[must_use]
    pub fn log(&self) -> &Path {
        self.aws.log()
    }

    /// One output of the deployed stack.
    ///
    /// # Errors
    /// Where the template has no such output.
    pub fn output(&self, name: &str) -> Result<&str> {
        self.outputs.get(name).map(String::as_str).with_context(|| format!("template.yaml has no output {name}"))
    }

    /// The queue that feeds a function.
    ///
    /// # Errors
    /// Where the template has no such function.
    pub fn queue_url(&self, function: &str) -> Result<&str> {
        let known = FUNCTIONS.iter().find(|(name, _)| *name == function);
        let (_, prefix) = known.with_context(|| format!("there is no function {function}"))?;
        self.output(&format!("{prefix}QueueUrl"))
    }

    /// Where sources send on this machine, with a `/` at the end: `<this>gusto` is Gusto's address.
    ///
    /// The template's output is the address that AWS would give. The local AWS serves it by its path.
    ///
    /// # Errors
    /// Where the template has no such output, or it is no address of a function.
    pub fn receive_url(&self) -> Result<String> {
        let url = self.output("HrReceiveUrl")?;
        let id = url.strip_prefix("https://").and_then(|rest| rest.split_once(".lambda-url."));
        let (id, _) = id.with_context(|| format!("{url} is no address of a function"))?;
        Ok(format!("{}/_aws/lambda-url/{id}/", self.endpoint))
    }

    /// The names of the functions that have a queue.
    pub fn functions() -> impl Iterator<Item = &'static str> {
        FUNCTIONS.iter().map(|(name, _)| *name)
    }

    /// What a client needs to use the stack.
    ///
    /// # Errors
    /// Where the template lacks an output.
    pub fn description(&self) -> Result<Value> {
        let mut queues = serde_json::Map::new();
        for (function, prefix) in FUNCTIONS {
            let (url, dlq_url) = (self.output(&format!("{prefix}QueueUrl"))?, self.output(&format!("{prefix}DlqUrl"))?);
            queues.insert(function.into(), json!({ "url": url, "dlqUrl": dlq_url }));
        }
        Ok(json!({
            "endpoint": self.endpoint, "chime": self.chime.endpoint(), "region": REGION,
            "accessKeyId": ACCESS_KEY, "secretAccessKey": ACCESS_KEY,
            "bus": self.output("BusName")?, "table": self.output("LedgerTable")?,
            "policy": self.output("PolicyParameter")?, "queues": queues,
            "bucket": self.output("AuditBucketName")?, "rosterTable": self.output("RosterTableName")?,
            "receive": self.receive_url()?,
            "auditMachine": self.output("AuditMachineArn")?, "auditTopic": self.output("AuditTopicArn")?,
        }))
    }

    /// Configuration for an AWS SDK client of the local AWS.
    pub async fn sdk(&self) -> aws_config::SdkConfig {
        let credentials = aws_sdk_dynamodb::config::Credentials::new(ACCESS_KEY, ACCESS_KEY, None, None, "local");
        aws_config::defaults(aws_config::BehaviorVersion::v2026_01_12())
            .http_client(aws_smithy_http_client::Builder::new().build_http())
            .credentials_provider(credentials)
            .region(aws_config::Region::new(REGION))
            .endpoint_url(&self.endpoint)
            .load()
            .await
    }
}

/// The accounts of a seed file in `events/seed/`.
///
/// # Errors
/// Where it cannot be read, or is no seed.
pub fn seeded(name: &str) -> Result<Vec<AccountState>> {
    let path = workspace().join("events/seed").join(name);
    let text = std::fs::read_to_string(&path).with_context(|| format!("{} cannot be read", path.display()))?;
    seed::read(&text)
}

/// The policy of the repository, `policy.json`.
///
/// # Errors
/// Where it cannot be read, or is no JSON.
pub fn policy() -> Result<Value> {
    let path = workspace().join("policy.json");
    let text = std::fs::read_to_string(&path).with_context(|| format!("{} cannot be read", path.display()))?;
    serde_json::from_str(&text).with_context(|| format!("{} is not JSON", path.display()))
}

/// Completes when somebody wants the program to end: Ctrl-C, or SIGTERM.
///
/// # Errors
/// Where signals cannot be listened to.
pub async fn interrupted() -> Result<()> {
    let mut terminate = tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate())?;
    tokio::select! {
        ended = tokio::signal::ctrl_c() => ended?,
        _ = terminate.recv() => {}
    }
    Ok(())
}

/// Builds programs, each named with its package; answers their paths.
///
/// They have the features of the whole workspace's build, so that nothing compiles twice. In release they are optimised,
/// as they are deployed.
///
/// # Errors
/// Where cargo is not there, or a program does not build.
pub async fn build(programs: &[(&str, &str)], release: bool) -> Result<Vec<String>> {
    let mut cargo = Command::new("cargo");
    cargo.args(["build", "--quiet", "--message-format", "json-render-diagnostics"]);
    if release {
        cargo.arg("--release");
    }
    for (package, _) in programs {
        cargo.args(["--package", package]);
    }
    // `cargo run` tells its program about itself. Build scripts that look at that would run, and compile, again.
    for (name, _) in std::env::vars_os() {
        let text = name.to_string_lossy();
        if text.starts_with("CARGO_PKG_") || text.starts_with("CARGO_MANIFEST_") {
            cargo.env_remove(&name);
        }
    }
    let output = cargo
        .current_dir(workspace())
        .stderr(Stdio::inherit())
        .output()
        .await
        .context("cargo cannot be run; install Rust with rustup")?;
    if !output.status.success() {
        bail!("cargo build failed");
    }
    let lines = String::from_utf8_lossy(&output.stdout);
    let built: Vec<Value> = lines.lines().filter_map(|line| serde_json::from_str(line).ok()).collect();
    let path = |(_, program): &(&str, &str)| {
        let ours = |message: &&Value| message["reason"] == "compiler-artifact" && message["target"]["name"] == *program;
        let executable = built.iter().filter(ours).find_map(|message| message["executable"].as_str());
        executable.map(str::to_owned).with_context(|| format!("cargo build made no program {program}"))
    };
    programs.iter().map(path).collect()
}

async fn deploy(
    python: &Path,
    endpoint: &str,
    policy: &Value,
    functions: &[String],
) -> Result<BTreeMap<String, String>> {
    let parameters = json!({ "Architecture": "x86_64", "Policy": policy.to_string() });
    let output = Command::new(python)
        .args(["-c", include_str!("../stack/deploy.py"), endpoint, STACK])
        .arg(workspace().join("template.yaml"))
        .arg(parameters.to_string())
        .args(functions)
        .output()
        .await?;
    if !output.status.success() {
        bail!("template.yaml was not deployed:\n{}", String::from_utf8_lossy(&output.stderr));
    }
    serde_json::from_slice(&output.stdout).context("the deployment did not tell its outputs")
}
