//! The rules of the directory: what may reach it, and what it must show.

use super::record::Plan;
use super::{Attempt, Rule, Watch};
use crate::bounds::SKEW;
use crate::dynamo::Change;
use crate::timeline::TaskId;
use rollcall_local::chime::core::Core;
use rollcall_local::chime::state::Registration;

/// One change that was asked of the directory, for one user.
#[derive(Clone, Debug)]
pub struct Effect {
    /// When it took effect.
    pub at: i64,
    /// When it was sent.
    pub sent_at: i64,
    /// The invocation that asked.
    pub task: TaskId,
    /// `suspend`, `logout` or `reset_pin`.
    pub operation: &'static str,
    /// The account.
    pub account: String,
    /// The user.
    pub user: String,
    /// It was done.
    pub done: bool,
    /// How the user stood before, and its licence; `None` where there was none.
    pub before: Option<(Registration, Option<String>)>,
    /// Whom the user is, by position in the story.
    pub person: Option<usize>,
    /// The event whose plan it is part of; filled in by the watch.
    pub event: Option<String>,
}

/// What a person had when access was first taken from it.
#[derive(Clone, Debug)]
pub(super) struct FirstTaken {
    pub(super) account: String,
    pub(super) licence: Option<String>,
    /// The event that took it.
    pub(super) event: String,
}

impl Watch<'_> {
    /// A call to the directory starts.
    pub fn calls(&mut self, now: i64, task: TaskId, attempt: u32) {
        let Some(invocation) = self.invocations.get(&task) else { return };
        // A retry is part of its call, whose timeout covers it.
        if attempt > 1 {
            return;
        }
        let latest = invocation.deadline - 15 * crate::bounds::SECOND;
        let late = now + invocation.skew - latest;
        self.premise(Rule::InTime);
        self.check(Rule::InTime, late <= 0, || {
            format!("a call to the directory started {} ms too late for its timeout", late / crate::bounds::MS)
        });
    }

    /// A change reached the directory.
    pub fn effect(&mut self, mut effect: Effect) {
        self.premise(Rule::Planned);
        match self.planned(&effect) {
            Ok(event) => effect.event = Some(event),
            Err(why) => self
                .breaks(Rule::Planned, format!("{} of {} reached the directory {why}", effect.operation, effect.user)),
        }
        if let (true, "suspend", Some(person), Some((registration, licence)), Some(event)) =
            (effect.done, effect.operation, effect.person, &effect.before, &effect.event)
            && *registration != Registration::Suspended
        {
            let (account, licence, event) = (effect.account.clone(), licence.clone(), event.clone());
            self.first_taken.entry(person).or_insert(FirstTaken { account, licence, event });
        }
        self.effects.push(effect);
    }

    /// The event whose plan a change is part of: its sender must have stored it, and hold the person.
    fn planned(&self, effect: &Effect) -> Result<String, String> {
        let of = |attempt: &Attempt| {
            let plan =
                attempt.plan.as_ref().filter(|plan| plan.account == effect.account && plan.user == effect.user)?;
            plan.steps.iter().find(|step| same(&step.operation, effect.operation)).cloned()
        };
        // One attempt at a time has the person: the one under which this was sent.
        let sent_under = |attempt: &Attempt| {
            attempt.task == effect.task
                && attempt.claimed_at <= effect.sent_at
                && attempt.settled_at.is_none_or(|settled| effect.sent_at <= settled)
                && of(attempt).is_some()
        };
        let Some((token, attempt)) = self.attempts.iter().find(|(_, attempt)| sent_under(attempt)) else {
            return Err("and no plan of its sender holds it".to_owned());
        };
        // A worker whose clock is ahead takes the person over so much earlier.
        if effect.at > attempt.until - SKEW {
            return Err(format!("after the lease of {} had ended", attempt.event));
        }
        let Some(person) = &attempt.person else { return Err("for an event without a person".to_owned()) };
        if self.leases.get(person) == Some(token) || self.is_echo(effect, attempt) {
            return Ok(attempt.event.clone());
        }
        // Settled without an answer: the person's other events wait as long as it may still take effect.
        let last = self.last_holder.get(person).and_then(|token| self.attempts.get(token));
        if attempt.settled_at.is_some() && last.is_some_and(|last| last.event == attempt.event) {
            return Ok(attempt.event.clone());
        }
        Err(format!("after the lease of {} had ended or passed on", attempt.event))
    }

    /// A later send of the same change was answered, in the same attempt or the event's next, and an earlier one comes
    /// late. An auxiliary step that got no answer holds nobody up either.
    fn is_echo(&self, effect: &Effect, attempt: &Attempt) -> bool {
        let answered = |other: &&Attempt| {
            let steps = other.plan.iter().flat_map(|plan| &plan.steps);
            let mut steps = steps.filter(|step| same(&step.operation, effect.operation));
            other.settled_at.is_some() && steps.any(|step| !step.decisive || step.status != "unknown")
        };
        let others = self.attempts.values().filter(|other| other.event == attempt.event);
        attempt.settled_at.is_some()
            && others.filter(|other| other.claimed_at >= attempt.claimed_at).any(|other| answered(&other))
    }

    /// Steps that are recorded as confirmed must be shown by the directory.
    pub(super) fn confirmed(&mut self, change: &Change, plan: &Plan, directory: &Core) {
        let earlier = change.before.as_deref().and_then(super::record::plan);
        for (index, step) in plan.steps.iter().enumerate().filter(|(_, step)| step.status == "confirmed") {
            let known = earlier.as_ref().and_then(|plan| plan.steps.get(index));
            if known.is_some_and(|known| known.status == "confirmed" && known.operation == step.operation) {
                continue;
            }
            self.premise(Rule::Shown);
            let user = directory.account(&plan.account).and_then(|account| account.user(&plan.user));
            let shown = match step.operation.as_str() {
                "suspend" => user.is_some_and(|user| user.user_registration_status == Registration::Suspended),
                "remove" => user.is_none(),
                operation => self.effects.iter().any(|effect| {
                    effect.done
                        && effect.user == plan.user
                        && effect.operation == operation
                        && self.is_of(effect.task, &change.id)
                }),
            };
            self.check(Rule::Shown, shown, || format!("{}: {} is confirmed, and not shown", change.id, step.operation));
        }
    }

    /// Whether an invocation claimed an event.
    pub(super) fn is_of(&self, task: TaskId, event: &str) -> bool {
        self.attempts.values().any(|attempt| attempt.task == task && attempt.event == event)
    }
}

fn same(planned: &str, sent: &str) -> bool {
    planned == sent || (planned == "remove" && sent == "suspend")
}
