//! Asking for what a plan proposes: events on the same road as every other, each once.

use super::check::{Checked, checked_key};
use super::finding::Action;
use super::history::{Asked, HISTORY_KEY, History};
use super::join::{open_roster, roster_state};
use super::plan::{Plan, Proposal};
use super::protected::Protected;
use super::rules::{Ground, Person, judge};
use super::run::Run;
use super::seen::SeenUser;
use super::{Audit, AuditFailure};
use crate::bus::{Bus, ENTRIES, Entry};
use crate::directory::listing::Listing;
use crate::directory::{AccountId, UserId};
use crate::host::Host;
use crate::person::WorkEmail;
use crate::policy::{AuditMode, Policy};
use crate::roster;
use crate::runs::{Keyed, Merged, RunInfo, line, write_run};
use crate::store::{Output, Store, must_read_json, read_json, write_json};
use jiff::{SignedDuration, Timestamp};
use ring::digest::{SHA256, digest};
use serde::{Deserialize, Serialize};
use serde_json::json;

/// Proposals that are asked for between two notes of how far it has come.
const STEP: usize = 500;

/// How far asking has come.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Progress {
    /// The digest of the plan.
    plan: String,
    /// The part of the plan.
    part: usize,
    /// How many of its proposals are done with.
    position: u64,
    /// How many were asked for.
    pub asked: u64,
    /// How many were no longer true.
    pub gone: u64,
    /// All are done with, and the history is written.
    pub done: bool,
    /// What was asked for, for the history.
    runs: Vec<RunInfo>,
}

/// What a plan is compared with before it is applied later than it was made.
#[derive(Clone, Debug)]
pub struct Again {
    /// The digest that the operator confirms.
    pub digest: String,
    /// The roster in force now.
    pub roster: Option<roster::Index>,
    /// The time.
    pub now: Timestamp,
}

fn progress_key(run: &str) -> String {
    format!("audits/{run}/asked.json")
}

impl<D: Listing, S: Store, H: Host> Audit<D, S, H> {
    /// Asks for what the plan of a run proposes, a licence before access; goes on where it was left, and stops when the
    /// time ends. With `again`, only for what the rules still say, by the roster and the directory of now.
    ///
    /// # Errors
    /// [`AuditFailure`]. What was asked for by then may be asked for again: the event has the same id.
    pub async fn ask(
        &self,
        run: &str,
        policy: &Policy,
        again: Option<&Again>,
        bus: &impl Bus,
        until: Timestamp,
    ) -> Result<Progress, AuditFailure> {
        let plan = self.plan_of(run).await?;
        if again.is_some_and(|again| again.digest != plan.digest) {
            return Err(AuditFailure::OtherPlan);
        }
        let run = self.run_of(run).await?;
        // What only reports asks for nothing, and what proposes asks for nothing unseen.
        match (self.summary_of(&run.id).await?.mode, again) {
            (AuditMode::Enforce, _) | (AuditMode::Propose, Some(_)) => {}
            (AuditMode::Propose, None) | (AuditMode::Report, _) => return Err(AuditFailure::NotAsked),
        }
        let earlier: Option<Progress> = read_json(&self.store, &progress_key(&run.id)).await?;
        // A run that was judged anew has another plan.
        let fresh = || Progress { plan: plan.digest.clone(), ..Progress::default() };
        let mut progress = earlier.filter(|earlier| earlier.plan == plan.digest).unwrap_or_else(fresh);
        while !progress.done && self.host.now() < until {
            match plan.parts.get(progress.part) {
                Some(part) if progress.position < part.proposals.rows => {
                    self.step(&run, &plan, &part.proposals, policy, again, bus, &mut progress).await?;
                }
                Some(_) => {
                    progress.part += 1;
                    progress.position = 0;
                }
                None => {
                    self.remember(&run, &plan, &progress.runs, policy).await?;
                    progress.done = true;
                }
            }
            write_json(&self.store, &progress_key(&run.id), &progress).await?;
        }
        Ok(progress)
    }

    /// Asks for the next few proposals of a part.
    #[expect(clippy::too_many_arguments, reason = "what one step rests on; nowhere else does it come together")]
    async fn step(
        &self,
        run: &Run,
        plan: &Plan,
        part: &RunInfo,
        policy: &Policy,
        again: Option<&Again>,
        bus: &impl Bus,
        progress: &mut Progress,
    ) -> Result<(), AuditFailure> {
        let mut proposals: Merged<'_, S, Proposal> = Merged::open(&self.store, [part.clone()]).await?;
        for _ in 0..progress.position {
            proposals.next().await?;
        }
        let mut few = Vec::new();
        while few.len() < STEP {
            let Some(proposal) = proposals.next().await? else { break };
            few.push(proposal);
        }
        let n = few.len() as u64;
        let still = match again {
            Some(again) => self.still_true(run, policy, again, few).await?,
            None => few,
        };
        for entries in still.chunks(ENTRIES) {
            let entries: Vec<Entry> = entries.iter().map(|proposal| event(plan, proposal)).collect();
            bus.publish(&entries).await.map_err(AuditFailure::Bus)?;
            self.progress.asked(entries.len());
        }
        let key = format!("audits/{}/asked-{}-{:05}.jsonl", run.id, plan.digest, progress.runs.len());
        let asked = still.iter().map(|proposal| proposal.asked(plan.at)).collect();
        progress.runs.push(write_run(&self.store, &key, asked).await?);
        progress.position += n;
        progress.asked += still.len() as u64;
        progress.gone += n - still.len() as u64;
        Ok(())
    }

    /// Those of some proposals, by address, that the rules still make.
    async fn still_true(
        &self,
        run: &Run,
        policy: &Policy,
        again: &Again,
        proposals: Vec<Proposal>,
    ) -> Result<Vec<Proposal>, AuditFailure> {
        let now = Run { at: again.now, roster: again.roster.clone(), ..run.clone() };
        let checked: Checked = must_read_json(&self.store, &checked_key(&run.id)).await?;
        let mut roster = open_roster(&self.store, &now, policy).await?;
        let history: Option<History> = read_json(&self.store, HISTORY_KEY).await?;
        let mut history: Merged<'_, S, Asked> = Merged::open(&self.store, history.unwrap_or_default().runs).await?;
        let protected = Protected::new(&policy.protected);
        let ground = Ground {
            policy,
            protected: &protected,
            accounts: &checked.listings,
            vanished: !run.vanished(&checked.listings).is_empty(),
            roster: roster_state(&now, policy),
            weeks: 0,
            now: now.at,
        };
        let mut still = Vec::new();
        for proposal in proposals {
            let Ok(email) = WorkEmail::parse(&proposal.email) else { continue };
            while roster.peek().is_some_and(|next| next < proposal.email.as_str()) {
                let Some(next) = roster.peek().map(str::to_owned) else { break };
                roster.group(&next).await?;
            }
            let rows = roster.group(&proposal.email).await?;
            while history.peek().is_some_and(|next| next < proposal.email.as_str()) {
                history.next().await?;
            }
            let asked = history.group(&proposal.email).await?;
            let Ok(account) = AccountId::try_from(proposal.account.clone()) else { continue };
            let number = ground.accounts.iter().position(|listing| listing.account.id == account);
            let found = self.directory.user_with(&account, &email).await.map_err(AuditFailure::Directory)?;
            let (Some(number), Some(user)) = (number, found) else { continue };
            let users = [SeenUser::new(user, number)];
            let person = Person {
                email: &proposal.email,
                users: &users,
                rows: &rows,
                hosting_days: None,
                asked: &asked,
                looked_up: false,
            };
            let findings = judge(&ground, &person).findings;
            let same = |now: &Proposal| now.action == proposal.action && now.user == proposal.user;
            if findings.iter().filter_map(Proposal::of).any(|now| same(&now)) {
                still.push(proposal);
            }
        }
        Ok(still)
    }

    /// Adds what was asked for to the history, and drops what is long ago.
    async fn remember(&self, run: &Run, plan: &Plan, asked: &[RunInfo], policy: &Policy) -> Result<(), AuditFailure> {
        let before: History = read_json(&self.store, HISTORY_KEY).await?.unwrap_or_default();
        if before.plan == plan.digest {
            return Ok(());
        }
        let runs = before.runs.into_iter().chain(asked.iter().cloned());
        let mut all: Merged<'_, S, Asked> = Merged::open(&self.store, runs).await?;
        let key = format!("audits/history-{}.jsonl", plan.digest);
        let mut output = Output::new(&self.store, &key);
        let kept = SignedDuration::from_hours(24 * i64::from(policy.audit.exempt.cool_down_days));
        let mut rows = 0;
        while let Some(asked) = all.next().await? {
            if run.at.duration_since(asked.at) >= kept {
                continue;
            }
            let mut bytes = Vec::new();
            line(&mut bytes, &key, &asked)?;
            output.add(&bytes).await?;
            rows += 1;
        }
        let bytes = output.finish().await?;
        let history = History { plan: plan.digest.clone(), runs: vec![RunInfo { key, bytes, rows }] };
        Ok(write_json(&self.store, HISTORY_KEY, &history).await?)
    }
}

/// How the ids of what the audit asks for begin.
fn ids_begin(action: Action) -> String {
    format!("audit-{}-", action.as_str())
}

/// Whether an event is the audit's request to remove access, by its id.
#[must_use]
pub fn is_removal(event_id: &str) -> bool {
    event_id.starts_with(&ids_begin(Action::Removal))
}

/// The event that asks for what is proposed: evidence, and no fact of HR's. Made again, it is the same.
#[must_use]
pub fn event(plan: &Plan, proposal: &Proposal) -> Entry {
    let (kind, detail_type) = match proposal.action {
        Action::Reclaim => ("license_reclaim", "license.reclaim.requested"),
        Action::Removal => ("access_removal", "access.removal.requested"),
    };
    let user = UserId::try_from(proposal.user.clone()).map(String::from).unwrap_or_default();
    // The digest is of all that stands below: one id never has two contents.
    let name = format!("{}\n{}\n{}\n{}\n{user}", plan.run, plan.digest, proposal.action.as_str(), proposal.account);
    let hash: String = digest(&SHA256, name.as_bytes()).as_ref().iter().take(16).map(|b| format!("{b:02x}")).collect();
    let detail = json!({
        "schemaVersion": "1.0",
        "eventId": format!("{}{hash}", ids_begin(proposal.action)),
        "kind": kind,
        "phase": "requested",
        "occurredAt": plan.at,
        "provider": { "name": "rollcall-audit", "eventType": detail_type, "eventId": plan.run },
        "subject": { "workerId": proposal.worker_id, "email": proposal.key(), "emailKind": "work" },
        "reason": { "code": proposal.rule.as_str() },
        "evidence": {
            "run": plan.run,
            "rule": proposal.rule.as_str(),
            "confidence": proposal.confidence.as_str(),
            "account": proposal.account,
            "user": user,
            "rosterLoadedAt": plan.roster_loaded_at,
        },
    });
    Entry { detail_type, detail: detail.to_string() }
}
