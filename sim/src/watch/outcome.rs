//! The rules of outcomes: which one an event may have, and whether what it says is true.

use super::record;
use super::{Rule, Watch};
use crate::dynamo::{Change, Item};
use crate::oracle::Due;
use crate::story::{Poison, Telling};
use crate::timeline::TaskId;
use rollcall_local::chime::core::Core;
use rollcall_local::chime::state::Registration;

impl Watch<'_> {
    /// An event was given its outcome, by a claim or by a settle.
    pub(super) fn ended(
        &mut self,
        now: i64,
        task: TaskId,
        change: &Change,
        after: &Item,
        by_claim: bool,
        directory: &Core,
    ) {
        let (state, reason) = (record::state(after).to_owned(), record::reason(after));
        let key = &change.id;
        let is_there = state != "parked" || self.parked.contains(record::owner(after));
        self.check(Rule::Outcome, is_there, || format!("{key} is parked, and not in the dead-letter queue"));
        let Some(index) = self.telling(key) else {
            // The second of two events with one id is recorded under its body.
            let known = self.story.tellings.iter().any(|telling| telling.poison == Some(Poison::ReusedId));
            return self.check(Rule::Outcome, known && reason == "event_id_reused", || {
                format!("{key} is nobody's record, and {state} ({reason})")
            });
        };
        let Some(telling) = self.story.tellings.get(index) else { return };
        let may = self.may_end(telling, &state, &reason);
        self.check(Rule::Outcome, may, || format!("{key} ended as {state} ({reason})"));
        self.premise(Rule::Reason);
        if matches!(reason.as_str(), "protected" | "protection_unknown" | "group_minimum") {
            self.premise(Rule::Protected);
        }
        let worker_now = self.worker_now(task, now);
        let due = self.due_around(index, worker_now);
        let user = || self.user_of(telling, directory);
        let takes = telling.assertion.as_ref().is_some_and(crate::oracle::Assertion::takes_access);
        let holds = match reason.as_str() {
            "fact_recorded" => telling.poison.is_some() || !takes,
            "access_due" | "newer_assertion" | "nothing_due" => takes && due.iter().any(|due| *due != Due::NoAccess),
            "already_suspended" => {
                let took_over = change.before.as_deref().is_some_and(|before| record::state(before) == "running");
                due.contains(&Due::NoAccess) && user() == Some(Registration::Suspended) && !took_over
            }
            "user_not_found" => due.contains(&Due::NoAccess) && user().is_none(),
            "protected" => {
                let safety = &self.story.safety;
                let named = |id: &&String| safety.protected.contains(*id) || safety.patterns.contains(*id);
                due.contains(&Due::NoAccess) && self.identifiers(index).iter().any(named)
            }
            "suspended" | "removed_from_team" | "directory_managed" => !by_claim || due.contains(&Due::NoAccess),
            _ => true,
        };
        self.check(Rule::Reason, holds, || format!("{key} is {state} ({reason}), and due is {:?}", due[1]));
    }

    /// How the user with the person's address stands now; `None` where there is none.
    fn user_of(&self, telling: &Telling, directory: &Core) -> Option<Registration> {
        let person = telling.person.and_then(|person| self.story.people.get(person))?;
        let mut users = directory.accounts().filter_map(|account| account.by_email(&person.email));
        users.next().map(|user| user.user_registration_status)
    }

    fn may_end(&self, telling: &Telling, state: &str, reason: &str) -> bool {
        if let Some(poison) = telling.poison.filter(|poison| *poison != Poison::ReusedId) {
            let is_held = poison.end().0 == "held";
            let rejected = is_held && (state, reason) == ("rejected", "rejected");
            // Released, an event without its facts is held again, unless it turns out that nothing is to be done.
            return poison.end() == (state, reason) || rejected || self.excuses(telling, state, reason);
        }
        match state {
            "applied" | "unchanged" | "superseded" => true,
            "held" => self.may_be_held(telling, reason),
            "observed" => self.story.safety.observes && reason == "observe_mode",
            "rejected" => reason == "rejected",
            "parked" => self.excuses(telling, state, reason),
            _ => false,
        }
    }

    fn may_be_held(&self, telling: &Telling, reason: &str) -> bool {
        let safety = &self.story.safety;
        match reason {
            "no_address" => !telling.has_email,
            "mass_change" => !safety.limits.is_empty() || !safety.per_account.is_empty(),
            "protected" => !safety.protected.is_empty() || !safety.patterns.is_empty(),
            "protection_unknown" => !safety.patterns.is_empty() && !telling.has_email,
            "group_minimum" => safety.group.is_some(),
            _ => false,
        }
    }

    /// Parked because of what went wrong: an operator sends it back.
    fn excuses(&self, telling: &Telling, state: &str, reason: &str) -> bool {
        let exhausted = || self.unsettled.get(&telling.key).is_some_and(|attempts| *attempts >= 5);
        state == "parked" && (self.excused.contains(reason) || (reason == "attempts_exhausted" && exhausted()))
    }
}
