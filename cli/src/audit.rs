//! The licence audit, run from here: the same library as the stack's state machine.

mod command;

pub(crate) use command::{AuditCommand, run};

use crate::stack::{Place, Stack};
use anyhow::{Context, Result, bail};
use command::{AuditPlace, FOLDER, Mode};
use indicatif::{ProgressBar, ProgressStyle};
use jiff::{SignedDuration, Timestamp};
use rollcall::audit::{Action, Again, Audit, Plan, Progress, Request, Seen, Summary, Watcher};
use rollcall::directory::chime::Chime;
use rollcall::host::{Host, System};
use rollcall::policy::{AuditMode, Policy};
use rollcall::roster::load::{Load, Nowhere, index};
use rollcall::roster::{Index, Shrinkage, Version};
use rollcall::store::Store;
use rollcall::store::files::Files;
use serde::Serialize;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

/// What is asked of a run.
pub(crate) struct Wanted<'a> {
    pub(crate) folder: &'a Path,
    pub(crate) name: Option<&'a str>,
    pub(crate) roster: Option<&'a Path>,
    pub(crate) usage: &'a [PathBuf],
    pub(crate) policy: &'a Policy,
    pub(crate) mode: Option<Mode>,
}

/// A run, as it is told.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Told {
    #[serde(flatten)]
    pub(crate) summary: Summary,
    /// The plan that may be applied; none where the run only reports.
    pub(crate) plan: Option<PlanTold>,
    /// Where the report for people is.
    pub(crate) report: String,
}

/// A plan, as it is told: enough to confirm it.
#[derive(Serialize)]
pub(crate) struct PlanTold {
    pub(crate) digest: String,
    pub(crate) proposals: BTreeMap<Action, u64>,
}

impl Told {
    fn new(summary: Summary, plan: &Plan, folder: &str) -> Told {
        let proposals = plan.parts.iter().map(|part| (part.action, part.proposals.rows)).collect();
        let plan = match summary.mode {
            AuditMode::Report => None,
            AuditMode::Propose | AuditMode::Enforce => Some(PlanTold { digest: plan.digest.clone(), proposals }),
        };
        Told { report: format!("{folder}/audits/{}/report.html", summary.run), summary, plan }
    }
}

async fn audit(stack: &Stack<'_>, wanted: &Wanted<'_>) -> Result<Told> {
    let store = Files::new(wanted.folder);
    let now = stack.now();
    let roster = match wanted.roster {
        Some(path) => Some(roster(&store, path, stack).await?),
        None => None,
    };
    let mut usage = Vec::new();
    for path in wanted.usage {
        let name = path.file_name().and_then(|name| name.to_str()).context("a usage report needs a name")?;
        let bytes = std::fs::read(path).with_context(|| format!("{} cannot be read", path.display()))?;
        let key = format!("usage/{name}");
        store.write(&key, bytes).await?;
        usage.push(key);
    }
    let run = wanted.name.map_or_else(|| format!("{}", now.strftime("%Y%m%dT%H%M%SZ")), str::to_owned);
    let audit = Audit { progress: watcher(), ..Audit::new(stack.chime().await, store, System::default()) };
    let mode = wanted.mode.map(Mode::audit);
    let request = Request { run: run.clone(), at: now, mode, roster, usage };
    let summary = audit.run(request, wanted.policy).await?;
    Ok(Told::new(summary, &audit.plan_of(&run).await?, &wanted.folder.display().to_string()))
}

/// Loads a roster from a file of this machine.
async fn roster(store: &Files, path: &Path, stack: &Stack<'_>) -> Result<Index> {
    let (folder, name) = (path.parent().unwrap_or(Path::new("")), path.file_name().and_then(|name| name.to_str()));
    std::fs::metadata(path).with_context(|| format!("{} cannot be read", path.display()))?;
    let host = System::default();
    let load = Load {
        from: &Files::new(if folder.as_os_str().is_empty() { Path::new(".") } else { folder }),
        source: name.context("a roster needs a name that ends with .csv, .json or .jsonl")?,
        version: Version::new(stack.now(), stack.now(), host.random()),
        shrinkage: Shrinkage { before: None, percent: 0 },
        deadline: stack.deadline(),
    };
    index(&load, store, &Nowhere, &host).await.with_context(|| format!("the roster {}", path.display()))
}

/// Where a run is kept.
enum Kept {
    /// On this machine.
    Folder(PathBuf),
    /// In the stack's bucket.
    Bucket(String),
}

/// Where a run is kept: as is said, else here where it is here, else in the stack's bucket.
async fn kept(stack: &Stack<'_>, place: &AuditPlace, run: &str) -> Result<Kept> {
    match (&place.bucket, &place.folder) {
        (Some(bucket), _) => return Ok(Kept::Bucket(bucket.clone())),
        (None, Some(folder)) => return Ok(Kept::Folder(folder.clone())),
        (None, None) => {}
    }
    let here = Path::new(FOLDER);
    if here.join("audits").join(run).exists() {
        return Ok(Kept::Folder(here.to_owned()));
    }
    let bucket = stack.find(Place::AuditBucket).await?;
    Ok(bucket.map_or_else(|| Kept::Folder(here.to_owned()), Kept::Bucket))
}

async fn show(stack: &Stack<'_>, place: &AuditPlace, run: &str) -> Result<Told> {
    match kept(stack, place, run).await? {
        Kept::Bucket(bucket) => {
            let store = stack.bucket(&bucket).await;
            told(&Audit::new(stack.chime().await, store, System::default()), run, &bucket).await
        }
        Kept::Folder(folder) => {
            let audit = Audit::new(stack.chime().await, Files::new(&folder), System::default());
            told(&audit, run, &folder.display().to_string()).await
        }
    }
}

async fn told<S: Store>(audit: &Audit<Chime<System>, S, System>, run: &str, folder: &str) -> Result<Told> {
    Ok(Told::new(audit.summary_of(run).await?, &audit.plan_of(run).await?, folder))
}

/// What is confirmed, and where it goes.
pub(crate) struct Confirmed<'a> {
    pub(crate) run: &'a str,
    pub(crate) digest: &'a str,
    pub(crate) policy: &'a Policy,
    pub(crate) roster: Option<&'a Path>,
}

/// Asks for what a plan proposes, as far as it is still true.
async fn apply(stack: &Stack<'_>, place: &AuditPlace, confirmed: &Confirmed<'_>) -> Result<Progress> {
    // A roster's runs lie where the plan does.
    match (kept(stack, place, confirmed.run).await?, confirmed.roster) {
        (Kept::Folder(folder), Some(path)) => {
            let store = Files::new(&folder);
            let roster = roster(&store, path, stack).await?;
            ask(stack, store, confirmed, roster).await
        }
        (Kept::Folder(_), None) => bail!("which roster? A run from here needs --roster"),
        (Kept::Bucket(_), Some(_)) => {
            bail!("the run is in the stack's bucket, and so is its roster: leave --roster out")
        }
        (Kept::Bucket(bucket), None) => {
            let table = stack.place(Place::RosterTable).await?;
            let roster = rollcall::roster::in_force(&stack.dynamo().await, &table).await?;
            let roster = roster.context("no roster is in force; drop one in the bucket first")?;
            ask(stack, stack.bucket(&bucket).await, confirmed, roster).await
        }
    }
}

async fn ask<S: Store>(stack: &Stack<'_>, store: S, confirmed: &Confirmed<'_>, roster: Index) -> Result<Progress> {
    let audit = Audit { progress: watcher(), ..Audit::new(stack.chime().await, store, System::default()) };
    let again = Again { digest: confirmed.digest.to_owned(), roster: Some(roster), now: stack.now() };
    let until = stack.now().saturating_add(SignedDuration::from_hours(12)).unwrap_or(Timestamp::MAX);
    Ok(audit.ask(confirmed.run, confirmed.policy, Some(&again), &stack.bus().await?, until).await?)
}

/// A bar that tells how far the run is. It shows on a terminal only.
fn watcher() -> Watcher {
    let bar = ProgressBar::new_spinner();
    let style =
        |template: &str| ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar());
    bar.set_style(style("{spinner} {msg} {human_pos} users, {per_sec}, {elapsed}"));
    bar.enable_steady_tick(std::time::Duration::from_millis(100));
    let (listed, stage) = (AtomicU64::new(0), AtomicU64::new(0));
    Watcher::new(move |seen| {
        let begin = |number: u64, name: &'static str| {
            if stage.swap(number, Ordering::Relaxed) != number {
                bar.set_style(style("{bar:30} {msg} {human_pos}/{human_len}, {per_sec}, {eta} left"));
                bar.reset();
                bar.set_length(listed.load(Ordering::Relaxed));
                bar.set_message(name);
            }
        };
        match seen {
            Seen::Accounts(n) => bar.set_message(format!("listing {n} accounts:")),
            Seen::Page { users, .. } => {
                listed.fetch_add(users as u64, Ordering::Relaxed);
                bar.inc(users as u64);
            }
            Seen::Checked(users) => {
                begin(1, "checking");
                bar.inc(users as u64);
            }
            Seen::Judged(users) => {
                begin(2, "judging");
                bar.inc(users as u64);
            }
            Seen::Asked(n) => {
                bar.set_message("asking for");
                bar.inc(n as u64);
            }
        }
    })
}
