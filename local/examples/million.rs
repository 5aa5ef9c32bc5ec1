//! A million generated users: how long they take to load and to restore, what they cost in memory, and how many
//! ListUsers-by-e-mail requests a second one connection and eight get on loopback.
//!
//! `cargo run --release -p rollcall-local --example million`; without `--release` it measures an unoptimised build.

use anyhow::{Context, Result};
use rollcall_local::chime::LocalChime;
use rollcall_local::chime::core::Core;
use rollcall_local::chime::generate::{Plan, company};
use std::io::Write;
use std::time::{Duration, Instant};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

const PLAN: &str = "accounts=4,users=1000000,rng-seed=7";

/// How long requests are counted.
const COUNTED: Duration = Duration::from_secs(3);

#[tokio::main(flavor = "multi_thread", worker_threads = 2)]
#[expect(clippy::disallowed_methods, reason = "a benchmark looks at the clock")]
async fn main() -> Result<()> {
    let before = resident()?;
    let began = Instant::now();
    let core = Core::new(company(PLAN.parse::<Plan>()?));
    let loaded = began.elapsed();
    let memory = resident()?.saturating_sub(before);
    let emails: Vec<(String, String)> = core
        .accounts()
        .flat_map(|state| state.users().step_by(997).map(|user| (state.account.account_id.clone(), user)))
        .filter_map(|(account, user)| Some((account, user.primary_email.clone()?)))
        .collect();
    let began = Instant::now();
    let snapshot = core.snapshot();
    let snapped = began.elapsed();
    drop(snapshot);
    let chime = LocalChime::serve(core, 0).await?;
    let mut told = vec![format!("load {loaded:.2?}, {} MB resident, snapshot {snapped:.2?}", memory / 1024)];
    for connections in [1, 8] {
        let began = Instant::now();
        let mut tasks = tokio::task::JoinSet::new();
        for number in 0..connections {
            let own: Vec<_> = emails.iter().cycle().skip(number * 31).take(emails.len()).cloned().collect();
            tasks.spawn(ask(chime.endpoint(), own, began));
        }
        let mut count = 0;
        for asked in tasks.join_all().await {
            count += asked?;
        }
        let rate = f64::from(count) / began.elapsed().as_secs_f64();
        told.push(format!("ListUsers by e-mail, {connections} connections: {rate:.0} requests/s"));
    }
    writeln!(std::io::stdout(), "{PLAN}\n{}", told.join("\n"))?;
    Ok(())
}

/// Asks for one user after the other on one connection; answers how often.
async fn ask(endpoint: String, emails: Vec<(String, String)>, began: Instant) -> Result<u32> {
    let mut connection = tokio::net::TcpStream::connect(endpoint.trim_start_matches("http://")).await?;
    connection.set_nodelay(true)?;
    let (mut answer, mut count) = (vec![0; 16 * 1024], 0);
    for (account, email) in emails.iter().cycle() {
        if began.elapsed() > COUNTED {
            break;
        }
        let request = format!("GET /accounts/{account}/users?user-email={email} HTTP/1.1\r\nHost: localhost\r\n\r\n");
        connection.write_all(request.as_bytes()).await?;
        // One user fits one segment.
        let read = connection.read(&mut answer).await?;
        let text = String::from_utf8_lossy(&answer[..read]);
        anyhow::ensure!(text.contains(email.as_str()) && text.ends_with('}'), "not the user that was asked for");
        count += 1;
    }
    Ok(count)
}

/// Resident memory, in kB.
fn resident() -> Result<u64> {
    let status = std::fs::read_to_string("/proc/self/status")?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).context("no VmRSS")?;
    Ok(line.trim().trim_end_matches("kB").trim().parse()?)
}
