//! The rule of mails: an invitation is a mail, and nobody gets two for one decision.

use super::record::{self, Plan};
use super::{Effect, Rule, Watch};
use crate::dynamo::{Change, Item};
use rollcall_local::chime::http::Request;
use rollcall_local::chime::state::{Invitation, Registration};

impl Watch<'_> {
    /// An invitation starts: the SDK must not send it again by itself.
    pub(super) fn sends_once(&mut self, request: &Request, attempt: u32) {
        let invites = request.method == "POST" && request.query.contains("operation=add");
        self.check(Rule::Mail, !invites || attempt == 1, || {
            format!("the SDK sends an invitation again: attempt {attempt}")
        });
    }

    /// A mail went out.
    pub(super) fn mailed(&mut self, effect: &Effect) {
        self.premise(Rule::Mail);
        // Whoever else has the address by now is another matter.
        let event = effect.event.clone().unwrap_or_else(|| "nobody's plan any more".to_owned());
        let of = self.telling(&event).and_then(|index| self.story.tellings.get(index)?.person);
        let is_own = effect.person.is_none() || effect.person == of;
        let is_there = is_own
            && effect.before.as_ref().is_some_and(|before| {
                let failed = before.invitation == Some(Invitation::Failed);
                !(before.registration == Registration::Unregistered && failed)
            });
        self.check(Rule::Mail, !is_there, || format!("{event}: {} was invited, and is there", effect.user));
        let mails = 1 + self.effects.iter().filter(|other| other.mailed && other.event == effect.event).count();
        let allowed = self.allowed(&event);
        self.check(Rule::Mail, mails <= allowed, || format!("{event}: {mails} mails went to {}", effect.user));
    }

    /// An invitation without an answer is sent again only when it must have taken effect: once its lease has ended.
    pub(super) fn waits_for_the_mail(&mut self, worker_now: i64, change: &Change, after: &Item, plan: Option<&Plan>) {
        let invites = record::state(after) == "running" && plan.is_some_and(|plan| plan.step("invite").is_some());
        // Whoever waits for an operator goes on when that operator says so.
        let tried = |before: &&Item| invites && record::state(before) == "retry";
        let Some(before) = change.before.as_deref().filter(tried) else { return };
        let step = record::plan(before).and_then(|plan| Some(plan.step("invite")?.status.clone()));
        // Where a later attempt did not come to send it, the lease of the one that did has ended already.
        let unanswered = step.as_deref() == Some("unknown") && record::reason(before) == "unanswered";
        let Some(until) = self.attempts.get(record::owner(before)).map(|attempt| attempt.until).filter(|_| unanswered)
        else {
            return;
        };
        self.check(Rule::Mail, until <= worker_now, || format!("{} invites again before its lease ended", change.id));
    }

    /// How many mails an event may send: one, and one for each release that says yes; each of them once more where
    /// its plan says so.
    fn allowed(&self, event: &str) -> usize {
        let of = |attempt: &&super::Attempt| attempt.event == event;
        let invites = |attempt: &&super::Attempt| {
            attempt.plan.as_ref().and_then(|plan| plan.step("invite")).is_some_and(|step| step.repeated)
        };
        let repeated = self.attempts.values().filter(of).any(|attempt| invites(&attempt));
        (1 + usize::from(repeated)) * (1 + self.released.get(event).copied().unwrap_or(0))
    }

    /// An operator's yes to an invitation that failed, or whose fate is unknown.
    pub(super) fn says_yes(&mut self, change: &Change) {
        let held_for =
            change.after.as_deref().and_then(|after| crate::dynamo::text_at(after, &["released", "held_for"]));
        let was = change.before.as_deref().map(super::record::state);
        if was == Some("held") && matches!(held_for, Some("invitation_failed" | "invitation_unknown")) {
            *self.released.entry(change.id.clone()).or_default() += 1;
        }
    }
}
