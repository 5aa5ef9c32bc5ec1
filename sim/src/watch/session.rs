//! The rule of compromises: each acts at once, on its own record alone.

use super::{Rule, Watch};
use crate::dynamo::{Change, Item};
use crate::functions::Function;
use crate::story::Telling;
use crate::timeline::TaskId;

impl Watch<'_> {
    /// A transaction that records a compromise writes nothing else: no person, no alias, no budget.
    pub(super) fn alone(&mut self, changes: &[Change]) {
        let is_session = |change: &&Change| Function::of_key(&change.id) == Some(Function::Logout);
        let Some(session) = changes.iter().find(is_session) else { return };
        self.premise(Rule::Session);
        let other = changes.iter().find(|change| !is_session(change));
        self.check(Rule::Session, other.is_none(), || {
            let other = other.map_or("", |change| change.id.as_str());
            format!("{} was written together with {other}", session.id)
        });
    }

    /// A message was reported as failed. Where no fault struck, a compromise has its record by then: it waits for nobody.
    pub fn comes_again(&mut self, now: i64, task: TaskId, telling: &Telling, record: Option<&Item>) {
        let is_session = telling.function == Function::Logout && telling.poison.is_none();
        let Some(invocation) = self.invocations.get(&task).filter(|_| is_session) else { return };
        // Near the deadline nothing is claimed.
        let in_time = invocation.deadline - now - invocation.skew > 50 * crate::bounds::SECOND;
        let waited = !invocation.was_struck && in_time && record.is_none();
        self.check(Rule::Session, !waited, || {
            format!("{} went back to its queue, and nothing stood in its way", telling.key)
        });
    }
}
