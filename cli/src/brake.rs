//! The mass-change brake: what is used, and starting anew.

mod command;

pub(crate) use command::{BrakeCommand, run};

use crate::stack::Stack;
use crate::status::Latched;
use anyhow::Result;
use rollcall::brake::{POPULATION_KEY, Population, budget_key, quota_key};
use rollcall::plan::ActionClass;
use rollcall::policy::{Limit, Policy};
use serde::Serialize;
use std::collections::BTreeSet;

/// One line of `brake show`.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct BudgetLine {
    /// Its name on the command line.
    pub(crate) budget: String,
    /// The window's length; none for a group.
    pub(crate) window_seconds: Option<u32>,
    /// Changes in the window, or members who lost access.
    pub(crate) used: u64,
    /// How many are allowed.
    pub(crate) allowed: u64,
    /// Since when every change is held.
    pub(crate) latched_at: Option<String>,
    /// The event that did not fit.
    pub(crate) latched_by: Option<String>,
}

pub(crate) async fn show(stack: &Stack<'_>, policy: &Policy) -> Result<Vec<BudgetLine>> {
    let budgets = braked(policy);
    let mut keys: BTreeSet<String> = budgets.iter().map(|(_, key, _, _)| key.clone()).collect();
    let quotas = || policy.protected.groups.iter().filter_map(|group| Some((group, group.minimum?)));
    keys.extend(quotas().map(|(group, _)| quota_key(&group.name)));
    keys.insert(POPULATION_KEY.to_owned());
    let now = stack.now();
    let stored = stack.ledger().await?.budgets(&keys, stack.deadline()).await?;
    let mut lines = Vec::new();
    for (budget, key, account, limits) in budgets {
        let Some(item) = stored.look(&key) else { continue };
        let population = stored.population().and_then(|population| population.of(account, now));
        for usage in item.usage(limits, population, now) {
            lines.push(BudgetLine {
                budget: budget.clone(),
                window_seconds: Some(usage.seconds),
                used: usage.used,
                allowed: usage.allowed,
                latched_at: item.latch().map(|latch| latch.at.to_string()),
                latched_by: item.latch().map(|latch| latch.event.clone()),
            });
        }
    }
    for (group, minimum) in quotas() {
        let gone = stored.look_at_quota(&quota_key(&group.name)).map_or(0, rollcall::brake::Quota::len);
        lines.push(BudgetLine {
            budget: format!("group:{}", group.name),
            window_seconds: None,
            used: gone as u64,
            allowed: (group.members.len() as u64).saturating_sub(u64::from(minimum)),
            latched_at: None,
            latched_by: None,
        });
    }
    Ok(lines)
}

/// The budgets that hold everything: of the classes, and of each account that the policy names. A latch outlives the
/// limits that closed it, so it is looked for whether or not there are any.
pub(crate) async fn latched(stack: &Stack<'_>, policy: &Policy) -> Result<Vec<Latched>> {
    let mut names: Vec<(String, String)> = Vec::new();
    for class in ActionClass::ALL {
        names.push((class.as_str().to_owned(), budget_key(class, None)));
        for rule in &policy.accounts {
            let account = rule.account.as_ref();
            names.push((format!("{}@{account}", class.as_str()), budget_key(class, Some(account))));
        }
    }
    let keys: BTreeSet<String> = names.iter().map(|(_, key)| key.clone()).collect();
    let stored = stack.ledger().await?.budgets(&keys, stack.deadline()).await?;
    let latched = names.into_iter().filter_map(|(budget, key)| {
        let latch = stored.look(&key)?.latch()?;
        Some(Latched { budget, since: latch.at, because_of: latch.event.clone() })
    });
    Ok(latched.collect())
}

/// Each budget of a policy: its name, its key, its account, its limits.
fn braked(policy: &Policy) -> Vec<(String, String, Option<&str>, &[Limit])> {
    let mut budgets: Vec<(String, String, Option<&str>, &[Limit])> = Vec::new();
    for class in ActionClass::ALL {
        let Some(rules) = policy.brake.of(class) else { continue };
        budgets.push((class.as_str().to_owned(), budget_key(class, None), None, &rules.limits));
        let accounts = policy.accounts.iter().map(|rule| rule.account.as_ref());
        for account in accounts.filter(|_| !rules.per_account.is_empty()) {
            let name = format!("{}@{account}", class.as_str());
            budgets.push((name, budget_key(class, Some(account)), Some(account), &rules.per_account));
        }
    }
    budgets
}

async fn reset(stack: &Stack<'_>, key: &str) -> Result<bool> {
    Ok(stack.ledger().await?.reset_budget(key).await?)
}

async fn population(stack: &Stack<'_>, users: u64, accounts: &[(String, u64)]) -> Result<Population> {
    let population = Population { counted_at: stack.now(), users, accounts: accounts.iter().cloned().collect() };
    stack.ledger().await?.set_population(&population).await?;
    Ok(population)
}
