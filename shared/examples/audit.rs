//! The licence audit over a generated company: how many calls it makes, how much memory it takes, and how many users it
//! looks through in a second. The directory is the local Chime in a process of its own; so is each audit that is measured.
//!
//! `cargo bench-audit`, or with other numbers `cargo bench-audit -- 1000000 1500000`.

use anyhow::{Context, Result, ensure};
use jiff::Timestamp;
use rollcall::audit::{Audit, Request, Seen, Watcher};
use rollcall::directory::Deadline;
use rollcall::directory::chime::Chime;
use rollcall::host::{Host, System};
use rollcall::policy::Policy;
use rollcall::roster::load::{Load, Nowhere, index};
use rollcall::roster::{Shrinkage, Version};
use rollcall::store::files::Files;
use rollcall_local::chime::LocalChime;
use rollcall_local::chime::core::Core;
use rollcall_local::chime::generate::{Plan, company};
use rollcall_local::chime::routes::Operation;
use serde_json::{Value, json};
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::time::Instant;

const ACCOUNTS: u64 = 40;

#[tokio::main(flavor = "multi_thread", worker_threads = 2)]
async fn main() -> Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match arguments.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
        ["serve", users, folder] => serve(users.parse()?, Path::new(folder)).await,
        ["audit", endpoint, folder] => audit(endpoint, Path::new(folder)).await,
        [] => compare(&[1_000_000, 1_500_000]),
        sizes => compare(&sizes.iter().map(|users| users.parse()).collect::<Result<Vec<u64>, _>>()?),
    }
}

/// Audits companies of these sizes, and tells what each further user costs.
fn compare(sizes: &[u64]) -> Result<()> {
    let mut measured = Vec::new();
    for users in sizes {
        let folder = std::env::temp_dir().join(format!("rollcall-bench-{}-{users}", std::process::id()));
        std::fs::create_dir_all(&folder)?;
        let mut server = child(&["serve", &users.to_string(), &folder.to_string_lossy()])?;
        let told = first_line(&mut server)?;
        let endpoint = told["endpoint"].as_str().context("no endpoint")?.to_owned();
        let mut audit = child(&["audit", &endpoint, &folder.to_string_lossy()])?;
        let figures = first_line(&mut audit)?;
        audit.wait()?;
        drop(server.stdin.take());
        let calls: Value = first_line(&mut server)?;
        server.wait()?;
        std::fs::remove_dir_all(&folder)?;
        report(*users, &told, &figures, &calls)?;
        measured.push((*users, figures["peak_kb"].as_u64().context("no peak")?));
    }
    let mut out = std::io::stdout();
    for pair in measured.windows(2) {
        if let [(few, low), (many, high)] = pair {
            let bytes = (high.saturating_sub(*low) * 1024) as f64 / (many - few) as f64;
            writeln!(out, "each further user from {few} to {many}: {bytes:.1} bytes (at most 64)")?;
            ensure!(bytes <= 64.0, "more than 64 bytes for each further user");
        }
    }
    Ok(())
}

fn report(users: u64, told: &Value, figures: &Value, calls: &Value) -> Result<()> {
    let pages = told["pages"].as_u64().context("no pages")?;
    let n = |name: &str| calls[name].as_u64().unwrap_or(0);
    let (seconds, peak) = (figures["seconds"].as_f64().unwrap_or(0.0), figures["peak_kb"].as_u64().unwrap_or(0));
    let mut out = std::io::stdout();
    writeln!(out, "{users} users in {ACCOUNTS} accounts, {} in HR", told["rows"])?;
    writeln!(
        out,
        "  calls: ListUsers {} (the sum of ceil(users/200) is {pages}), GetAccountSettings {}, ListAccounts {}",
        n("ListUsers"),
        n("GetAccountSettings"),
        n("ListAccounts")
    )?;
    writeln!(
        out,
        "  {seconds:.1} s: {:.0} users/s (roster {:.1} s, listing {:.1} s, check {:.1} s, judgement and report {:.1} s)",
        users as f64 / seconds,
        figures["roster"].as_f64().unwrap_or(0.0),
        figures["listing"].as_f64().unwrap_or(0.0),
        figures["check"].as_f64().unwrap_or(0.0),
        figures["judgement"].as_f64().unwrap_or(0.0),
    )?;
    writeln!(
        out,
        "  peak memory {:.1} MB; {} findings, {} proposals",
        peak as f64 / 1024.0,
        figures["findings"],
        figures["proposals"]
    )?;
    ensure!(n("ListUsers") == pages, "more pages than there are");
    ensure!(
        n("GetAccountSettings") == ACCOUNTS && n("ListAccounts") <= 1 + 26 * ACCOUNTS,
        "more calls than the constant"
    );
    ensure!(users > 1_000_000 || peak < 256 * 1024, "256 MB or more");
    Ok(())
}

fn child(arguments: &[&str]) -> Result<Child> {
    let program = std::env::current_exe()?;
    Command::new(program).args(arguments).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().context("no process")
}

/// The next line of a process, which is JSON.
fn first_line(child: &mut Child) -> Result<Value> {
    let mut line = String::new();
    let out = child.stdout.as_mut().context("no output")?;
    // One line at a time is written: nothing is left in the buffer.
    BufReader::with_capacity(1, out).read_line(&mut line)?;
    serde_json::from_str(&line).with_context(|| format!("not JSON: {line}"))
}

/// Serves a company until the standard input ends, then tells its calls. What HR knows of it lies in the folder.
async fn serve(users: u64, folder: &Path) -> Result<()> {
    let accounts = company(Plan { accounts: ACCOUNTS, users, rng_seed: 7 });
    let mut roster = std::io::BufWriter::new(std::fs::File::create(folder.join("roster.csv"))?);
    writeln!(roster, "worker_id,email,status,start_date,end_date,job_code,department")?;
    let (mut rows, mut pages) = (0u64, 0u64);
    let mut domains = Vec::new();
    for (number, account) in accounts.iter().enumerate() {
        pages += (account.len() as u64).div_ceil(200).max(1);
        domains.push(
            json!({ "account": account.account.account_id, "domains": [format!("company-{}.example", number + 1)] }),
        );
        for (index, user) in account.users().enumerate() {
            let Some(email) = &user.primary_email else { continue };
            let department = ["Sales", "Support", "Rockets", "Finance", "Legal"][index % 5];
            let row = match index % 200 {
                0 => continue,
                1 => format!("{email},terminated,2021-03-01,2026-10-01,OPS-1,{department}"),
                2 => format!("{email},on_leave,2021-03-01,,OPS-1,{department}"),
                n if n % 10 == 3 => format!("{email},active,2021-03-01,,OPS-1,{department}"),
                _ => format!("{email},active,2021-03-01,,ENG-1,{department}"),
            };
            writeln!(roster, "{number}-{index},{row}")?;
            rows += 1;
        }
    }
    roster.flush()?;
    let licences = json!({ "rules": [{ "job_code": ["ENG-*"], "licence": "Pro" }], "default": "Basic" });
    std::fs::write(folder.join("policy.json"), json!({ "accounts": domains, "licences": licences }).to_string())?;
    let chime = LocalChime::serve(Core::new(accounts), 0).await?;
    let mut out = std::io::stdout();
    writeln!(out, "{}", json!({ "endpoint": chime.endpoint(), "rows": rows, "pages": pages }))?;
    tokio::task::spawn_blocking(|| std::io::stdin().lines().for_each(drop)).await?;
    let core = chime.core();
    let calls = |operation| core.log().counters().get(&operation).map_or(0, |counter| counter.calls);
    let told = json!({
        "ListUsers": calls(Operation::ListUsers),
        "GetAccountSettings": calls(Operation::GetAccountSettings),
        "ListAccounts": calls(Operation::ListAccounts),
    });
    writeln!(out, "{told}")?;
    Ok(())
}

/// Audits a company once, from its roster to its report, and tells what it took.
#[expect(clippy::disallowed_methods, reason = "a benchmark looks at the clock")]
async fn audit(endpoint: &str, folder: &Path) -> Result<()> {
    let host = System::default();
    let policy = Policy::parse(&std::fs::read_to_string(folder.join("policy.json"))?)?;
    let sdk = rollcall::start::sdk_loader()
        .http_client(aws_smithy_http_client::Builder::new().build_http())
        .credentials_provider(aws_sdk_chime::config::Credentials::new("test", "test", None, None, "bench"))
        .region(aws_config::Region::new("us-east-1"))
        .endpoint_url(endpoint)
        .load()
        .await;
    let store = Files::new(folder.join("objects"));
    let began = Instant::now();
    let load = Load {
        from: &Files::new(PathBuf::from(folder)),
        source: "roster.csv",
        version: Version::new(host.now(), host.now(), host.random()),
        shrinkage: Shrinkage { before: None, percent: 0 },
        deadline: Deadline::at(Timestamp::MAX),
    };
    let roster = index(&load, &store, &Nowhere, &host).await?;
    let loaded = began.elapsed();
    // When the first user was looked through, and when the first was judged.
    let marks: Arc<Mutex<[Option<Instant>; 2]>> = Arc::default();
    let seen = Arc::clone(&marks);
    let watcher = Watcher::new(move |event| {
        let index = match event {
            Seen::Checked(_) => 0,
            Seen::Judged(_) => 1,
            Seen::Accounts(_) | Seen::Page { .. } | Seen::Asked(_) => return,
        };
        if let Ok(mut marks) = seen.lock() {
            marks[index].get_or_insert_with(Instant::now);
        }
    });
    let mut audit = Audit::new(Chime::new(&sdk, host.clone()), store, host.clone());
    audit.progress = watcher;
    let request =
        Request { run: "bench".to_owned(), at: host.now(), mode: None, roster: Some(roster), usage: Vec::new() };
    let summary = audit.run(request, &policy).await?;
    let (all, marks) = (began.elapsed(), *marks.lock().map_err(|_| anyhow::anyhow!("a panic"))?);
    let at = |mark: Option<Instant>| mark.map_or(0.0, |mark| mark.duration_since(began).as_secs_f64());
    let told = json!({
        "seconds": all.as_secs_f64(),
        "roster": loaded.as_secs_f64(),
        "listing": at(marks[0]) - loaded.as_secs_f64(),
        "check": at(marks[1]) - at(marks[0]),
        "judgement": all.as_secs_f64() - at(marks[1]),
        "peak_kb": peak()?,
        "findings": summary.findings.values().sum::<u64>(),
        "proposals": summary.proposals.values().sum::<u64>(),
    });
    writeln!(std::io::stdout(), "{told}")?;
    Ok(())
}

/// The most memory that this process ever had resident, in kB.
fn peak() -> Result<u64> {
    let status = std::fs::read_to_string("/proc/self/status")?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).context("no VmHWM")?;
    Ok(line.trim().trim_end_matches("kB").trim().parse()?)
}
