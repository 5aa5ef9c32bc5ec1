//! `cargo clients`: the local Chime, used by clients that nobody here wrote, and a table of what passed.
//!
//! boto3 and the AWS CLI come from `PyPI`, the AWS SDK for JavaScript from npm, all pinned, into `target/clients`. Each
//! plays `clients/steps.json` on a service of its own and then provokes the model's exceptions.

use anyhow::{Context, Result, bail};
use comfy_table::Table;
use rollcall_local::chime::{LocalChime, seed};
use rollcall_local::stack::{local_dir, workspace};
use serde::Deserialize;
use serde_json::json;
use std::collections::BTreeMap;
use std::io::Write;
use std::path::Path;
use std::process::ExitCode;
use std::time::Duration;
use tokio::process::Command;

/// From `PyPI`.
const PYTHON: [&str; 3] = ["boto3==1.43.106", "botocore==1.43.106", "awscli==1.46.3"];

/// From npm.
const JAVASCRIPT: &str = "@aws-sdk/client-chime@3.1138.0";

const CLIENTS: [&str; 3] = ["boto3", "aws-cli", "js-v3"];

/// The operations of the admin API.
const OPERATIONS: usize = 23;

/// How long one client may take.
const WITHIN: Duration = Duration::from_secs(300);

#[derive(Deserialize)]
struct Line {
    operation: String,
    calls: u32,
    failures: Vec<String>,
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<ExitCode> {
    let folder = local_dir().with_file_name("clients");
    install(&folder).await?;
    let mut table: BTreeMap<String, Vec<Line>> = BTreeMap::new();
    for client in CLIENTS {
        for line in drive(client, &folder).await? {
            table.entry(line.operation.clone()).or_default().push(line);
        }
    }
    let mut shown = Table::new();
    shown.set_header([&["operation"], &CLIENTS[..]].concat());
    let (mut passed, mut calls) = (0, 0);
    for (operation, lines) in &table {
        let cell = |line: &Line| {
            let verdict = if line.failures.is_empty() { "pass" } else { "FAIL" };
            format!("{verdict} ({} calls)", line.calls)
        };
        shown.add_row(std::iter::once(operation.clone()).chain(lines.iter().map(cell)));
        passed += lines.iter().filter(|line| line.failures.is_empty()).count();
        calls += lines.iter().map(|line| line.calls).sum::<u32>();
    }
    let mut out = std::io::stdout();
    writeln!(out, "{shown}")?;
    for line in table.values().flatten().filter(|line| !line.failures.is_empty()) {
        writeln!(out, "{}: {}", line.operation, line.failures.join("; "))?;
    }
    let all = OPERATIONS * CLIENTS.len();
    writeln!(out, "{passed} of {all} operations x clients pass, none skipped; {calls} calls")?;
    Ok(if passed == all && table.len() == OPERATIONS { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Makes the clients' folder, once for these versions.
async fn install(folder: &Path) -> Result<()> {
    let (marker, wanted) = (folder.join("installed"), format!("{}\n{JAVASCRIPT}", PYTHON.join("\n")));
    if !std::fs::read_to_string(&marker).is_ok_and(|installed| installed == wanted) {
        std::fs::create_dir_all(folder)?;
        run(Command::new("python3").args(["-m", "venv", "--clear"]).arg(folder.join("venv"))).await?;
        let pip = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check"];
        run(Command::new(folder.join("venv/bin/python")).args(pip).args(PYTHON)).await?;
        let npm = ["install", "--silent", "--no-audit", "--no-fund", "--prefix"];
        run(Command::new("npm").args(npm).arg(folder).arg(JAVASCRIPT)).await?;
        std::fs::write(&marker, wanted)?;
    }
    // Node finds the SDK beside the program.
    std::fs::copy(workspace().join("local/clients/drive.mjs"), folder.join("drive.mjs"))?;
    Ok(())
}

async fn drive(client: &str, folder: &Path) -> Result<Vec<Line>> {
    let chime = LocalChime::start(seed::read(&accounts())?, 0).await?;
    let program = workspace().join("local/clients/drive.py");
    let mut command = Command::new(folder.join("venv/bin/python"));
    command.arg(program).args([client, &chime.endpoint()]).arg(folder).kill_on_drop(true);
    let output = tokio::time::timeout(WITHIN, command.output()).await;
    let output = output.with_context(|| format!("{client} took longer than {} s", WITHIN.as_secs()))??;
    if !output.status.success() {
        bail!("{client}: {}", String::from_utf8_lossy(&output.stderr).trim());
    }
    let lines = String::from_utf8(output.stdout)?;
    lines.lines().map(|line| serde_json::from_str(line).context("the client's answer")).collect()
}

/// One account of each type with 25 users.
fn accounts() -> String {
    let types =
        [("team", "Team"), ("lwa", "EnterpriseLWA"), ("directory", "EnterpriseDirectory"), ("oidc", "EnterpriseOIDC")];
    let account = |(id, account_type): (&str, &str)| {
        let user = |number: usize| {
            json!({
                "UserId": format!("{id}-u{number}"), "PrimaryEmail": format!("p{number}@{id}.example"),
                "DisplayName": format!("Person {number}"), "LicenseType": "Pro", "UserType": "PrivateUser",
                "UserRegistrationStatus": "Registered", "RegisteredOn": "2024-03-04T09:12:45.120Z",
                "PersonalPIN": "0123456789", "Sessions": 2,
            })
        };
        let users: Vec<_> = (0..25).map(user).collect();
        json!({ "AccountId": id, "Name": format!("Acme {id}"), "AccountType": account_type,
                "CreatedTimestamp": "2019-01-08T17:59:18.006Z", "users": users })
    };
    json!({ "accounts": types.map(account) }).to_string()
}

async fn run(command: &mut Command) -> Result<()> {
    let output = command.output().await.context("python3 with venv and npm are needed")?;
    if !output.status.success() {
        bail!("{}", String::from_utf8_lossy(&output.stderr).trim());
    }
    Ok(())
}
