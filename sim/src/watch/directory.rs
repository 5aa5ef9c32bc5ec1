//! The rules of the directory: what may reach it, and what it must show.

use super::record::Plan;
use super::{Attempt, Rule, Watch};
use crate::bounds::{FUNCTION_TIMEOUT, SKEW};
use crate::dynamo::Change;
use crate::functions::Function;
use crate::oracle::Licence;
use crate::timeline::TaskId;
use rollcall_local::chime::core::Core;
use rollcall_local::chime::http::Request;
use rollcall_local::chime::state::{Invitation, Registration};

/// One change that was asked of the directory, for one user.
#[derive(Clone, Debug)]
pub struct Effect {
    /// When it took effect.
    pub at: i64,
    /// When it was sent.
    pub sent_at: i64,
    /// The invocation that asked.
    pub task: TaskId,
    /// In the words of plans; `suspend` also for a removal.
    pub operation: &'static str,
    /// The account.
    pub account: String,
    /// The user; of an invitation, the address.
    pub user: String,
    /// The licence to set.
    pub licence: Option<String>,
    /// It was done.
    pub done: bool,
    /// A mail went out.
    pub mailed: bool,
    /// How the user stood before; `None` where there was none.
    pub before: Option<Before>,
    /// Whom the user is, by position in the story.
    pub person: Option<usize>,
    /// The event whose plan it is part of; filled in by the watch.
    pub event: Option<String>,
}

/// How a user stood before a change.
#[derive(Clone, Debug)]
pub struct Before {
    /// Whether it could sign in.
    pub registration: Registration,
    /// What became of its invitation.
    pub invitation: Option<Invitation>,
    /// Its licence.
    pub licence: Option<String>,
}

/// What a person had when access was first taken from it.
#[derive(Clone, Debug)]
pub(super) struct FirstTaken {
    pub(super) account: String,
    pub(super) licence: Option<String>,
    /// The event that took it.
    pub(super) event: String,
    /// The person had registered only a moment before.
    pub(super) just_joined: bool,
}

impl Watch<'_> {
    /// A call to the directory starts.
    pub fn calls(&mut self, now: i64, task: TaskId, request: &Request, attempt: u32) {
        self.sends_once(request, attempt);
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

    /// A change reached the directory. Answers whose event it is part of.
    pub fn effect(&mut self, mut effect: Effect) -> Option<usize> {
        self.premise(Rule::Planned);
        match self.planned(&effect) {
            Ok(event) => effect.event = Some(event),
            Err(why) => self
                .breaks(Rule::Planned, format!("{} of {} reached the directory {why}", effect.operation, effect.user)),
        }
        if let (true, "suspend", Some(person), Some(before), Some(event)) =
            (effect.done, effect.operation, effect.person, &effect.before, &effect.event)
            && before.registration != Registration::Suspended
        {
            let (account, licence, event) = (effect.account.clone(), before.licence.clone(), event.clone());
            // Who registers after the look-up had no licence then.
            let just_joined = self.had_mail_during(effect.task, person);
            self.first_taken.entry(person).or_insert(FirstTaken { account, licence, event, just_joined });
        }
        if effect.mailed {
            self.mailed(&effect);
        }
        let event = effect.event.as_ref().and_then(|key| self.telling(key));
        self.effects.push(effect);
        self.story.tellings.get(event?)?.person
    }

    /// Whether a mail reached a person, or came back, since an invocation began.
    pub(super) fn had_mail_during(&self, task: TaskId, person: usize) -> bool {
        let began = self.invocations.get(&task).map_or(i64::MAX, |one| one.deadline - FUNCTION_TIMEOUT);
        self.mails.get(&person).is_some_and(|at| *at >= began)
    }

    /// The event whose plan a change is part of: its sender must have stored it, and hold the person.
    fn planned(&self, effect: &Effect) -> Result<String, String> {
        let of = |attempt: &Attempt| {
            let plan = attempt.plan.as_ref().filter(|plan| plan.account == effect.account)?;
            let is_user = match &plan.user {
                Some(user) => user == &effect.user,
                None => self.address(&attempt.event) == Some(&effect.user),
            };
            let is_it = |step: &&super::record::Step| {
                same(&step.operation, effect.operation) && (effect.licence.is_none() || step.licence == effect.licence)
            };
            plan.steps.iter().filter(|_| is_user).find(is_it).cloned()
        };
        // One attempt at a time has the person: the one under which this was sent.
        let sent_under = |attempt: &Attempt| {
            attempt.task == effect.task
                && attempt.claimed_at <= effect.sent_at
                && attempt.settled_at.is_none_or(|settled| effect.sent_at <= settled)
                && of(attempt).is_some()
        };
        // Two compromises of one person may be dealt with at once: each has sent its own.
        let sent = |attempt: &Attempt| {
            let of = |other: &&Effect| {
                other.task == effect.task
                    && other.operation == effect.operation
                    && other.user == effect.user
                    && other.event.as_ref() == Some(&attempt.event)
            };
            self.effects.iter().filter(of).count()
        };
        let candidates = self.attempts.iter().filter(|(_, attempt)| sent_under(attempt));
        let Some((token, attempt)) = candidates.min_by_key(|(_, attempt)| sent(attempt)) else {
            return Err("and no plan of its sender holds it".to_owned());
        };
        // Signing out has no order and no lease: whenever it comes, it does no harm.
        if Function::of_key(&attempt.event) == Some(Function::Logout) {
            return Ok(attempt.event.clone());
        }
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

    /// The address that an event carries.
    fn address(&self, event: &str) -> Option<&String> {
        self.story.tellings.get(self.telling(event)?)?.email.as_ref()
    }

    /// A later send of the same change was answered, in the same attempt or the event's next, and an earlier one comes
    /// late. An auxiliary step that got no answer holds nobody up either. Only where that undoes nothing: signing out, a
    /// PIN, and the removal of a user whose id is dead by then.
    fn is_echo(&self, effect: &Effect, attempt: &Attempt) -> bool {
        let answered = |other: &&Attempt| {
            let steps = other.plan.iter().flat_map(|plan| &plan.steps);
            let mut steps = steps.filter(|step| same(&step.operation, effect.operation));
            other.settled_at.is_some() && steps.any(|step| !step.decisive || step.status != "unknown")
        };
        let others = self.attempts.values().filter(|other| other.event == attempt.event);
        let harmless = matches!(effect.operation, "logout" | "reset_pin") || effect.before.is_none();
        harmless
            && attempt.settled_at.is_some()
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
            let account = directory.account(&plan.account);
            let user = plan.user.as_ref().and_then(|user| account?.user(user));
            let invited = || self.address(&change.id).and_then(|address| account?.by_email(address));
            let shown = match step.operation.as_str() {
                "suspend" => user.is_some_and(|user| user.user_registration_status == Registration::Suspended),
                "remove" => user.is_none(),
                "unsuspend" => user.is_some_and(|user| user.user_registration_status != Registration::Suspended),
                "set_licence" => user.and_then(super::giving::licence).map(Licence::word) == step.licence.as_deref(),
                "invite" if invited().is_some() => true,
                operation => self.effects.iter().any(|effect| {
                    effect.done
                        && (operation == "invite" || Some(&effect.user) == plan.user.as_ref())
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
