//! `audit` on the command line: its arguments, and how it tells.

use super::{Confirmed, Told, Wanted};
use crate::arguments::Output;
use crate::report::{Report, table};
use crate::stack::Stack;
use anyhow::Result;
use clap::{Args, Subcommand, ValueEnum};
use rollcall::audit::RosterState;
use rollcall::policy::AuditMode;
use std::path::PathBuf;

/// Where runs from here are kept.
pub(super) const FOLDER: &str = "rollcall-audit";

#[derive(Subcommand)]
pub(crate) enum AuditCommand {
    /// Audits the directory from here, and writes the report into a folder. Changes nothing.
    Run {
        /// Where reports and what lies between two steps are kept.
        #[arg(long, default_value = FOLDER)]
        folder: PathBuf,
        /// The run's name; the same name goes on with a run that was cut off. Default: the time.
        #[arg(long)]
        name: Option<String>,
        /// The roster: CSV or JSON, as HR exports it. Without one, nothing is said that rests on HR.
        #[arg(long)]
        roster: Option<PathBuf>,
        /// A weekly usage report of Chime. May be given several times.
        #[arg(long)]
        usage: Vec<PathBuf>,
        /// The policy document. Default: the stack's own, or `policy.json`.
        #[arg(long)]
        policy: Option<PathBuf>,
        /// Only report, or make a plan that `audit apply` may apply. Default: as the policy says.
        #[arg(long, value_enum)]
        mode: Option<Mode>,
    },
    /// Shows the numbers of a run, and its plan.
    Show {
        /// The run's name.
        run: String,
        #[command(flatten)]
        place: AuditPlace,
    },
    /// Asks for what a plan proposes, as far as roster and directory still say so. What was asked for before is not again.
    Apply {
        /// The run's name.
        run: String,
        #[command(flatten)]
        place: AuditPlace,
        /// The plan's digest, as `audit show` tells it: what you have looked at is what is applied.
        #[arg(long)]
        digest: String,
        /// The policy document. Default: the stack's own, or `policy.json`.
        #[arg(long)]
        policy: Option<PathBuf>,
        /// The roster of today, for a run from here. A run of the state machine takes the one in force.
        #[arg(long)]
        roster: Option<PathBuf>,
    },
}

/// Where a run is.
#[derive(Args)]
pub(crate) struct AuditPlace {
    /// The folder of a run from here. Default: `rollcall-audit`, or the stack's bucket where the run is not there.
    #[arg(long, conflicts_with = "bucket")]
    pub(crate) folder: Option<PathBuf>,
    /// The stack's bucket, its output `AuditBucketName`, for a run of the state machine.
    #[arg(long)]
    pub(crate) bucket: Option<String>,
}

/// What becomes of what an audit would do.
#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Mode {
    /// It is told.
    Report,
    /// A plan is made.
    Propose,
}

impl Mode {
    pub(crate) fn audit(self) -> AuditMode {
        match self {
            Mode::Report => AuditMode::Report,
            Mode::Propose => AuditMode::Propose,
        }
    }
}

pub(crate) async fn run(command: &AuditCommand, stack: &Stack<'_>, output: Output) -> Result<Report> {
    match command {
        AuditCommand::Run { folder, name, roster, usage, policy, mode } => {
            let policy = stack.policy(policy.as_deref()).await?;
            let (name, roster) = (name.as_deref(), roster.as_deref());
            let told =
                super::audit(stack, &Wanted { folder, name, roster, usage, policy: &policy, mode: *mode }).await?;
            // An account that is not believed is nothing that was asked for.
            let done = told.summary.accounts.iter().all(|account| account.incomplete.is_none());
            Ok(Report { done, ..Report::of(&told, output, tell) })
        }
        AuditCommand::Show { run, place } => {
            let told = super::show(stack, place, run).await?;
            Ok(Report::of(&told, output, tell))
        }
        AuditCommand::Apply { run, place, digest, policy, roster } => {
            let policy = stack.policy(policy.as_deref()).await?;
            let confirmed = Confirmed { run, digest, policy: &policy, roster: roster.as_deref() };
            let progress = super::apply(stack, place, &confirmed).await?;
            let told = format!("{} asked for, {} no longer true", progress.asked, progress.gone);
            Ok(Report::line(run, &told, progress.done, output))
        }
    }
}

fn tell(told: &Told) -> String {
    let summary = &told.summary;
    let mut accounts = table(&["account", "type", "users", "registered", "suspended", "not registered", "believed"]);
    for account in &summary.accounts {
        accounts.add_row([
            account.name.clone(),
            account.kind.clone(),
            account.users.to_string(),
            account.registered.to_string(),
            account.suspended.to_string(),
            account.unregistered.to_string(),
            account.incomplete.as_ref().map_or_else(|| "yes".to_owned(), |why| format!("no: {why}")),
        ]);
    }
    let mut findings = table(&["finding", "how many"]);
    for (rule, n) in &summary.findings {
        findings.add_row([rule.title(), &n.to_string()]);
    }
    let roster = match summary.roster.state {
        RosterState::Used => format!("{} people in HR", summary.roster.rows),
        RosterState::TooOld => "the roster is too old: nothing is said that rests on HR".to_owned(),
        RosterState::Missing => "no roster: nothing is said that rests on HR".to_owned(),
    };
    let proposed: Vec<String> =
        summary.proposals.iter().map(|(action, n)| format!("{n} {}", action.as_str())).collect();
    let proposed = if proposed.is_empty() { "nothing".to_owned() } else { proposed.join(", ") };
    let plan = told.plan.as_ref().map_or_else(String::new, |plan| format!("\nplan {}", plan.digest));
    format!(
        "{accounts}\n{findings}\nrun {}: {roster}; would ask for {proposed}{plan}\nreport {}",
        summary.run, told.report
    )
}
