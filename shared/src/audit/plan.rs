//! The plan: what a run proposes, in the order in which it would be asked for, with a digest that an operator confirms.

use super::finding::{Action, Confidence, Finding, Rule};
use super::history::Asked;
use super::{Audit, AuditFailure};
use crate::directory::listing::Listing;
use crate::host::Host;
use crate::runs::{Keyed, RunInfo, line};
use crate::store::{Output, Store, StoreFailure, read_json, write_json};
use jiff::Timestamp;
use ring::digest::{Context, SHA256};
use serde::{Deserialize, Serialize};
use std::fmt;

/// One thing that is proposed.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Proposal {
    /// What is asked for.
    pub action: Action,
    /// The rule that says so.
    pub rule: Rule,
    /// How sure it is.
    pub confidence: Confidence,
    /// The user's address, lower case.
    pub email: String,
    /// HR's employee number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub worker_id: Option<String>,
    /// The account.
    pub account: String,
    /// The user.
    pub user: String,
}

/// It names a person.
impl fmt::Debug for Proposal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Proposal").field("action", &self.action).field("rule", &self.rule).finish_non_exhaustive()
    }
}

impl Keyed for Proposal {
    fn key(&self) -> &str {
        &self.email
    }
}

impl Proposal {
    /// What a finding proposes.
    #[must_use]
    pub fn of(finding: &Finding) -> Option<Proposal> {
        Some(Proposal {
            action: finding.proposal?,
            rule: finding.rule,
            confidence: finding.confidence,
            email: finding.email.clone()?,
            worker_id: finding.worker_id.clone(),
            account: finding.account.clone()?,
            user: finding.user.clone()?,
        })
    }

    /// What the history keeps of it.
    #[must_use]
    pub fn asked(&self, at: Timestamp) -> Asked {
        let (email, account, user) = (self.email.clone(), self.account.clone(), self.user.clone());
        Asked { email, account, user, action: self.action, at }
    }
}

/// The plan of a run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Plan {
    /// The run.
    pub run: String,
    /// When it began: its requests are of that time.
    pub at: Timestamp,
    /// SHA-256 over all proposals, as hexadecimal digits. Whoever applies the plan names it.
    pub digest: String,
    /// The proposals of each action, the lesser first: a licence goes before access does.
    pub parts: Vec<Part>,
    /// When the roster was loaded that it rests on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub roster_loaded_at: Option<Timestamp>,
}

/// The proposals of one action, by address.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Part {
    /// The action.
    pub action: Action,
    /// The proposals.
    pub proposals: RunInfo,
}

impl Plan {
    /// How many proposals it has.
    #[must_use]
    pub fn len(&self) -> u64 {
        self.parts.iter().map(|part| part.proposals.rows).sum()
    }

    /// It proposes nothing.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

fn plan_key(run: &str) -> String {
    format!("audits/{run}/plan.json")
}

/// Writes a plan while the findings come, by address.
pub(super) struct Planner<'s, S: Store> {
    parts: Vec<Writing<'s, S>>,
}

/// The proposals of one action, while they are written.
struct Writing<'s, S: Store> {
    action: Action,
    key: String,
    output: Output<'s, S>,
    digest: Context,
    rows: u64,
}

impl<'s, S: Store> Planner<'s, S> {
    pub(super) fn new(store: &'s S, run: &str) -> Planner<'s, S> {
        let writing = |action: Action| {
            let key = format!("audits/{run}/plan-{}.jsonl", action.as_str());
            Writing { action, output: Output::new(store, &key), key, digest: Context::new(&SHA256), rows: 0 }
        };
        Planner { parts: Action::ALL.into_iter().map(writing).collect() }
    }

    pub(super) async fn add(&mut self, finding: &Finding) -> Result<(), StoreFailure> {
        let Some(proposal) = Proposal::of(finding) else { return Ok(()) };
        let Some(part) = self.parts.iter_mut().find(|part| part.action == proposal.action) else { return Ok(()) };
        let mut bytes = Vec::new();
        line(&mut bytes, &part.key, &proposal)?;
        part.digest.update(&bytes);
        part.rows += 1;
        part.output.add(&bytes).await
    }

    pub(super) async fn finish(
        self,
        store: &S,
        run: &str,
        at: Timestamp,
        roster_loaded_at: Option<Timestamp>,
    ) -> Result<Plan, StoreFailure> {
        let mut whole = Context::new(&SHA256);
        let mut parts = Vec::new();
        for part in self.parts {
            whole.update(part.digest.finish().as_ref());
            let bytes = part.output.finish().await?;
            parts.push(Part { action: part.action, proposals: RunInfo { key: part.key, bytes, rows: part.rows } });
        }
        let digest = whole.finish().as_ref().iter().map(|byte| format!("{byte:02x}")).collect();
        let plan = Plan { run: run.to_owned(), at, digest, parts, roster_loaded_at };
        write_json(store, &plan_key(run), &plan).await?;
        Ok(plan)
    }
}

impl<D: Listing, S: Store, H: Host> Audit<D, S, H> {
    /// The plan of a run.
    ///
    /// # Errors
    /// [`AuditFailure`], also where the run has none yet.
    pub async fn plan_of(&self, run: &str) -> Result<Plan, AuditFailure> {
        read_json(&self.store, &plan_key(run)).await?.ok_or(AuditFailure::UnknownRun)
    }
}
