//! `brake` on the command line: its arguments, and how it tells.

use super::BudgetLine;
use crate::arguments::Output;
use crate::report::{Report, table};
use crate::stack::Stack;
use anyhow::Result;
use clap::Subcommand;
use rollcall::brake::{budget_key, quota_key};
use rollcall::plan::ActionClass;
use std::path::PathBuf;

#[derive(Subcommand)]
pub(crate) enum BrakeCommand {
    /// Shows each budget: what is used, what is allowed, and since when it holds everything.
    Show {
        /// The policy document with the limits. Default: the stack's own, or `policy.json`.
        #[arg(long)]
        policy: Option<PathBuf>,
    },
    /// Empties a budget's window and opens its latch. Releases nothing.
    Reset {
        /// `access`, `licence`, `access@<account id>`, `licence@<account id>` or `group:<name>`.
        #[arg(value_parser = BudgetName::parse)]
        budget: BudgetName,
    },
    /// Tells how many registered, unsuspended users there are: what `percent` is a share of, for seven days.
    Population {
        /// In all accounts.
        users: u64,
        /// In one account: `<account id>=<users>`. May be given several times.
        #[arg(long = "account", value_parser = account_users)]
        accounts: Vec<(String, u64)>,
    },
}

/// Names a budget on the command line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum BudgetName {
    Class(ActionClass, Option<String>),
    Group(String),
}

impl BudgetName {
    fn parse(text: &str) -> Result<BudgetName, String> {
        if let Some(group) = text.strip_prefix("group:") {
            return Ok(BudgetName::Group(group.to_owned()));
        }
        let (class, account) = text.split_once('@').map_or((text, None), |(class, account)| (class, Some(account)));
        let class = ActionClass::ALL.into_iter().find(|known| known.as_str() == class);
        class
            .map(|class| BudgetName::Class(class, account.map(str::to_owned)))
            .ok_or_else(|| "must be access, licence, access@<account id>, licence@<account id> or group:<name>".into())
    }

    pub(crate) fn key(&self) -> String {
        match self {
            BudgetName::Class(class, account) => budget_key(*class, account.as_deref()),
            BudgetName::Group(group) => quota_key(group),
        }
    }
}

fn account_users(text: &str) -> Result<(String, u64), String> {
    let (account, users) = text.split_once('=').ok_or("must be <account id>=<users>")?;
    Ok((account.to_owned(), users.parse().map_err(|_| "must be <account id>=<users>, users being a number")?))
}

pub(crate) async fn run(command: &BrakeCommand, stack: &Stack<'_>, output: Output) -> Result<Report> {
    match command {
        BrakeCommand::Show { policy } => {
            let policy = stack.policy(policy.as_deref()).await?;
            let budgets = super::show(stack, &policy).await?;
            Ok(Report::of(&budgets, output, |lines| budget_table(lines)))
        }
        BrakeCommand::Reset { budget } => {
            let key = budget.key();
            let done = super::reset(stack, &key).await?;
            let told = if done {
                "reset: its window is empty and its latch open; nothing was released"
            } else {
                "there is no such budget: nothing was taken from it yet"
            };
            Ok(Report::line(&key, told, done, output))
        }
        BrakeCommand::Population { users, accounts } => {
            let population = super::population(stack, *users, accounts).await?;
            let told = format!("{users} registered, unsuspended users, counted at {}", population.counted_at);
            Ok(Report::line("population", &told, true, output))
        }
    }
}

fn budget_table(lines: &[BudgetLine]) -> String {
    if lines.is_empty() {
        return "the policy has no brake and no group with a minimum".to_owned();
    }
    let mut table = table(&["budget", "window", "used", "allowed", "holds everything since", "because of"]);
    for line in lines {
        table.add_row([
            line.budget.clone(),
            line.window_seconds.map(|seconds| format!("{seconds} s")).unwrap_or_default(),
            line.used.to_string(),
            line.allowed.to_string(),
            line.latched_at.clone().unwrap_or_default(),
            line.latched_by.clone().unwrap_or_default(),
        ]);
    }
    table.to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_budget_has_its_key() {
        let table = [
            ("access", "budget#access"),
            ("licence@a-1", "budget#licence#a-1"),
            ("group:administrators", "budget#group#administrators"),
        ];
        for (name, key) in table {
            assert_eq!(BudgetName::parse(name).map(|name| name.key()), Ok(key.to_owned()));
        }
        assert!(BudgetName::parse("acces").is_err());
    }
}
