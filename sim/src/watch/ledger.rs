//! The rules of writes: who may write what, when, and over whom.

use super::directory::FirstTaken;
use super::record::{self, Plan};
use super::{Attempt, Rule, Watch};
use crate::bounds::MS;
use crate::dynamo::{Change, Item, number_at, text_at};
use crate::functions::Function;
use crate::oracle::{Asks, Due};
use crate::timeline::TaskId;
use crate::worker::millis;
use rollcall_local::chime::core::Core;

impl Watch<'_> {
    /// A request of an invocation changed these items, in one go.
    pub fn wrote(&mut self, now: i64, task: TaskId, changes: &[Change], directory: &Core) {
        // Facts first: what an event's claim rests on includes its own.
        for change in changes {
            if let (Some(index), Some(after)) = (self.telling(&change.id), &change.after) {
                self.recorded_with(now, index, after, changes);
            }
        }
        for change in changes.iter().filter(|change| change.id.starts_with("person#")) {
            self.person(now, task, change, changes, directory);
        }
        self.braked(now, task, changes, directory);
        self.alone(changes);
        // Of one write, what goes on comes before what must wait for it.
        let held = |change: &&Change| change.after.as_deref().is_some_and(|after| record::state(after) == "held");
        let events = changes.iter().filter(|change| Function::of_key(&change.id).is_some());
        let (waiting, going_on): (Vec<&Change>, Vec<&Change>) = events.partition(held);
        for change in going_on.into_iter().chain(waiting) {
            self.event(now, task, change, changes, directory);
        }
    }

    fn recorded_with(&mut self, now: i64, index: usize, event: &Item, changes: &[Change]) {
        let Some(key) = text_at(event, &["person"]).map(|key| format!("person#{key}")) else { return };
        // A refused event leaves no fact: its person is not written.
        if changes.iter().any(|change| change.id == key) && !self.recorded.contains(&index) {
            self.recorded.push(index);
            self.recorded_at.insert(index, now);
        }
        if let Some(person) = self.story.tellings.get(index).and_then(|telling| telling.person) {
            self.people.insert(key, person);
        }
    }

    fn person(&mut self, now: i64, task: TaskId, change: &Change, changes: &[Change], directory: &Core) {
        let Some(after) = &change.after else {
            return self.breaks(Rule::Fenced, format!("{} was deleted", change.id));
        };
        let rev = |item: &Item| number_at(item, &["rev"]).unwrap_or(0);
        let before = change.before.as_deref();
        let counted = rev(after) == before.map_or(0, rev) + 1;
        self.check(Rule::Fenced, counted, || format!("a write of {} did not count its rev", change.id));
        if let Some(lease) = before.and_then(record::lease)
            && record::lease(after).as_ref() != Some(&lease)
        {
            let own = self.attempts.get(&lease.owner).is_some_and(|attempt| attempt.task == task);
            let over = lease.until <= millis(self.worker_now(task, now));
            if !own {
                self.premise(Rule::Fenced);
                let gives =
                    self.attempts.get(&lease.owner).and_then(|attempt| attempt.plan.as_ref()?.step("unsuspend"));
                if gives.is_some() {
                    self.perhaps_given.insert(change.id.clone());
                }
            }
            // What was sent for an event may still take effect: only that event itself may be tried again meanwhile.
            let again = changes.iter().any(|other| {
                let waits = |before: &Item| matches!(record::state(before), "retry" | "parked" | "held");
                other.id == lease.event && other.before.as_deref().is_some_and(waits)
            });
            self.check(Rule::Fenced, own || over || again, || {
                format!("{} was written while the lease of another attempt runs", change.id)
            });
        }
        match record::lease(after) {
            Some(lease) => {
                self.last_holder.insert(change.id.clone(), lease.owner.clone());
                self.leases.insert(change.id.clone(), lease.owner);
            }
            None => drop(self.leases.remove(&change.id)),
        }
        self.wished(change, after, changes, directory);
        self.taken(change, before, after, changes);
    }

    fn taken(&mut self, change: &Change, before: Option<&Item>, after: &Item, changes: &[Change]) {
        let (was, is) = (before.and_then(record::taken), record::taken(after));
        if was == is || text_at(after, &["merged_into"]).is_some() {
            return;
        }
        let passes_on = |other: &Change| {
            let released = other.after.as_deref().and_then(|after| text_at(after, &["released", "held_for"]));
            released == Some("address_reused")
        };
        if is.is_none() && changes.iter().any(passes_on) {
            // An operator says that the user is another person's: what was taken from it goes with it.
            if let Some(person) = self.people.get(&change.id) {
                self.first_taken.remove(person);
            }
            return;
        }
        if was.is_some() {
            let key = change.id.trim_start_matches("person#");
            let given_back = is.is_none()
                && changes.iter().any(|other| {
                    let gives = matches!(Function::of_key(&other.id), Some(Function::Invite | Function::Reinstate));
                    let ended = |item: &Item| {
                        text_at(item, &["person"]) == Some(key)
                            && matches!(record::state(item), "applied" | "unchanged")
                    };
                    gives && other.after.as_deref().is_some_and(ended)
                });
            return self
                .check(Rule::Taken, given_back, || format!("what was taken from {} was overwritten", change.id));
        }
        let person = self.people.get(&change.id).copied();
        let first = person.and_then(|person| self.first_taken.get(&person)).cloned();
        let same = |is: &record::Taken, first: &FirstTaken| {
            is.account == first.account && (is.licence == first.licence || (is.licence.is_none() && first.just_joined))
        };
        // Whom an administrator made anew, nobody can tell from somebody else, who has perhaps just been given the user.
        let made_anew = first.is_none() && text_at(after, &["user"]).is_some_and(|user| user.ends_with("-anew"));
        // Whoever was blocked by an administrator, was perhaps unblocked by an attempt that died, and is blocked now: only
        // who writes down that it was taken can give it back.
        let perhaps_given = first.is_none() && self.perhaps_given.contains(&change.id);
        let right = made_anew || perhaps_given || matches!((&is, &first), (Some(is), Some(first)) if same(is, first));
        self.check(Rule::Taken, right, || {
            format!("{} is said to have had {is:?} taken, and the directory showed {first:?}", change.id)
        });
    }

    fn event(&mut self, now: i64, task: TaskId, change: &Change, changes: &[Change], directory: &Core) {
        let Some(after) = change.after.as_deref() else {
            return self.breaks(Rule::Outcome, format!("{} was deleted", change.id));
        };
        let owner = record::owner(after).to_owned();
        let (own, settles) = match change.before.as_deref() {
            Some(before) => {
                self.reopened(now, task, change, before);
                (record::owner(before) == owner, record::owner(before) == owner && record::state(after) != "running")
            }
            None => (false, false),
        };
        let is_desk = self.invocations.get(&task).is_some_and(|one| one.is_desk);
        if record::state(after) == "rejected" {
            self.rejected.insert(change.id.clone());
            self.check(Rule::Outcome, is_desk, || format!("{} was rejected, and not by an operator", change.id));
        } else if own && !is_desk {
            let same = self.attempts.get(&owner).is_some_and(|attempt| attempt.task == task);
            self.check(Rule::Fenced, same, || format!("{} was written under another attempt's token", change.id));
        }
        let plan = record::plan(after);
        if !settles {
            self.says_yes(change);
            self.owned(now, change, after, changes, plan.as_ref(), directory);
            self.waits_for_the_mail(self.worker_now(task, now), change, after, plan.as_ref());
            self.claimed(now, task, change, after, plan.as_ref(), directory);
        }
        if let Some(attempt) = self.attempts.get_mut(&owner) {
            attempt.settled_at = (record::state(after) != "running").then_some(now);
            attempt.plan = plan.clone().or(attempt.plan.take());
        }
        if let Some(plan) = &plan {
            self.confirmed(change, plan, directory);
            // What an operator writes settles no attempt.
            if settles && !is_desk {
                self.auxiliary(now, task, change, after, plan);
                self.unresolved(change, after, plan);
            }
        }
        let ended = !matches!(record::state(after), "running" | "retry");
        // Who only notes that a release is on its way changes nothing of the outcome.
        let noted = own && change.before.as_deref().is_some_and(|before| record::state(before) == record::state(after));
        if ended && !noted {
            self.ended(now, task, change, changes, !settles, directory);
        }
    }

    /// What was final, or another's, was written again.
    fn reopened(&mut self, now: i64, task: TaskId, change: &Change, before: &Item) {
        let (state, owner) = (record::state(before), record::owner(before));
        self.check(Rule::Outcome, !record::is_done(state), || format!("{} was {state}, and changed", change.id));
        if matches!(state, "held" | "observed") {
            let released =
                self.invocations.get(&task).is_some_and(|one| one.is_desk || one.released_as.contains(owner));
            self.check(Rule::Outcome, released, || format!("{} was {state}, and changed without a release", change.id));
        }
        if state == "parked" {
            let redriven = self.invocations.get(&task).is_some_and(|one| one.parked_as.contains(owner));
            self.check(Rule::Outcome, redriven, || format!("{} was parked, and opened without its token", change.id));
        }
        let own = self.attempts.get(owner).is_some_and(|attempt| attempt.task == task);
        let unsettled = self.unsettled.entry(change.id.clone()).or_default();
        *unsettled = if state == "running" { *unsettled + u32::from(!own) } else { 0 };
        if state == "running" && !own {
            self.premise(Rule::Fenced);
            let until = number_at(before, &["in_progress_expiration"]).unwrap_or(0);
            let over = until <= millis(self.worker_now(task, now));
            self.check(Rule::Fenced, over, || format!("{} was claimed while another attempt has it", change.id));
        }
    }

    fn claimed(
        &mut self,
        now: i64,
        task: TaskId,
        change: &Change,
        after: &Item,
        plan: Option<&Plan>,
        directory: &Core,
    ) {
        let running = record::state(after) == "running";
        let attempt = Attempt {
            task,
            event: change.id.clone(),
            person: text_at(after, &["person"]).map(|key| format!("person#{key}")),
            plan: plan.cloned(),
            claimed_at: now,
            until: number_at(after, &["in_progress_expiration"]).map_or(i64::MAX, |until| until * MS),
            settled_at: (!running).then_some(now),
        };
        self.attempts.insert(record::owner(after).to_owned(), attempt);
        let Some(index) = self.telling(&change.id) else { return };
        let holds = |attempt: &&Attempt| {
            attempt
                .person
                .as_ref()
                .and_then(|key| self.leases.get(key))
                .is_some_and(|token| token == record::owner(after))
        };
        let acts = self.attempts.get(record::owner(after)).filter(holds).is_some();
        let Some(plan) = plan.filter(|_| running && acts) else { return };
        match self.asks(index) {
            Some(Asks::Taking) => {
                self.premise(Rule::Kept);
                let due = self.due_around(index, self.worker_now(task, now));
                self.check(Rule::Kept, due.contains(&Due::NoAccess), || {
                    format!("{} plans to take access, and due is {:?}", change.id, due[1])
                });
                self.guarded(index, change, true);
            }
            Some(Asks::Giving) => {
                self.gives(now, task, index, &change.id);
                self.guarded(index, change, super::brake::lowers(plan, directory));
            }
            Some(Asks::Licence) => {
                self.relicenses(now, task, index, &change.id, plan);
                self.guarded(index, change, super::brake::lowers(plan, directory));
            }
            Some(Asks::Nothing | Asks::SigningOut) | None => {}
        }
    }

    /// A decisive step without an answer may still take effect: the lease runs on.
    fn unresolved(&mut self, change: &Change, after: &Item, plan: &Plan) {
        let matters = |step: &record::Step| step.decisive || step.operation == "set_licence";
        let unknown = plan.steps.iter().any(|step| matters(step) && step.status == "unknown");
        // A compromise has no lease.
        let unknown = unknown && Function::of_key(&change.id) != Some(Function::Logout);
        let person = text_at(after, &["person"]).map(|key| format!("person#{key}"));
        let Some(person) = person.filter(|_| unknown && record::state(after) == "retry") else { return };
        // Where this attempt had no hold, it sent nothing; what an earlier one sent had its time.
        let sent = self.last_holder.get(&person).is_some_and(|token| token == record::owner(after));
        let held = self.leases.get(&person).is_some_and(|token| token == record::owner(after));
        self.check(Rule::Fenced, held || !sent, || {
            format!("{} settled without an answer, and gave up its lease", change.id)
        });
    }

    /// A failed auxiliary step, and the decisive one not even tried.
    fn auxiliary(&mut self, now: i64, task: TaskId, change: &Change, after: &Item, plan: &Plan) {
        let failed = |step: &&record::Step| !step.decisive && matches!(step.status.as_str(), "refused" | "unknown");
        let Some(step) = plan.steps.iter().find(failed) else { return };
        self.premise(Rule::Auxiliary);
        let untried = plan.steps.iter().any(|step| step.decisive && step.status == "planned");
        if !untried {
            return;
        }
        let reason = record::reason(after);
        let left = self.invocations.get(&task).map_or(0, |one| one.deadline - now - one.skew);
        let excused = match reason.as_str() {
            // One call and the settle no longer fitted when it was decided.
            "out_of_time" => left < 25 * crate::bounds::SECOND,
            // The decisive call itself was answered so.
            "throttled" => true,
            // The user id did not hold: the road looked again, whatever came of that. Or the account has no such licence.
            _ => matches!(step.code.as_deref(), Some("NotFound" | "Unsupported")),
        };
        self.check(Rule::Auxiliary, excused, || {
            format!("{}: {} failed, and the decisive step was not sent ({reason})", change.id, step.operation)
        });
    }
}
