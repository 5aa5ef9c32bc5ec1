//! The rule of PINs: nobody gets a new one twice for one event, unless its outcome says so.

use super::record;
use super::{Effect, Rule, Watch};
use crate::dynamo::Dynamo;
use crate::story::{Poison, Telling};
use crate::timeline::TaskId;
use std::collections::BTreeSet;

/// How often an event reset the PIN of a user, and whether its outcome says that it may have been twice.
struct Pin {
    key: String,
    user: String,
    times: usize,
    says: bool,
    tasks: BTreeSet<TaskId>,
}

impl Watch<'_> {
    /// In the end: how often each event reset a PIN, beside what its outcome says of it.
    pub(super) fn pins(&mut self, ledger: &Dynamo) {
        let told = |telling: &Telling| {
            let plan = record::plan(ledger.items().get(&telling.key)?)?;
            // A reset whose fate is unknown may have been done by each who tried.
            let may_be = |step: &record::Step| step.repeated || step.status == "unknown";
            let says = plan.steps.iter().any(|step| step.operation == "reset_pin" && may_be(step));
            let (key, user) = (telling.key.clone(), plan.user.clone()?);
            let of = |effect: &&Effect| effect.user == user && effect.event.as_ref() == Some(&key);
            let times = self.effects.iter().filter(|effect| effect.done && effect.operation == "reset_pin").filter(of);
            Some(Pin { times: times.count(), tasks: self.tasks_of(&key), key, user, says })
        };
        let tellings = self.story.tellings.iter().filter(|telling| telling.poison != Some(Poison::ReusedId));
        let pins: Vec<Pin> = tellings.filter_map(told).collect();
        for pin in pins.iter().filter(|pin| pin.times > 0) {
            self.premise(Rule::PinOnce);
            // Two compromises of one person in one batch: which of them reset the PIN, nobody can tell.
            let beside =
                |other: &&Pin| other.key != pin.key && other.user == pin.user && !other.tasks.is_disjoint(&pin.tasks);
            let (mut times, mut events, mut says) = (pin.times, 1, pin.says);
            for other in pins.iter().filter(beside) {
                (times, events, says) = (times + other.times, events + 1, says || other.says);
            }
            self.check(Rule::PinOnce, times <= events || says, || {
                format!("{}: the PIN was reset {times} times, and the outcome does not say so", pin.key)
            });
        }
    }

    /// The invocations that claimed an event.
    fn tasks_of(&self, event: &str) -> BTreeSet<TaskId> {
        self.attempts.values().filter(|attempt| attempt.event == event).map(|attempt| attempt.task).collect()
    }
}
