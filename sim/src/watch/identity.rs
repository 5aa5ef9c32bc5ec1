//! The rule of identity: an address may change hands, and its user does not go with it.

use super::record::{self, Plan};
use super::{Rule, Watch};
use crate::bounds::MINUTE;
use crate::dynamo::{Change, Item, text_at};
use crate::functions::Function;
use crate::story::{Person, Telling};
use rollcall_local::chime::core::Core;

impl Watch<'_> {
    /// An event is about to change a user, or takes it for its person's. Where the address changed hands, that is another
    /// person's user, as far as it is known that there was one.
    pub(super) fn owned(
        &mut self,
        now: i64,
        change: &Change,
        after: &Item,
        changes: &[Change],
        plan: Option<&Plan>,
        directory: &Core,
    ) {
        // A compromise is of whoever has the address.
        let (Some(index), false) = (self.telling(&change.id), Function::of_key(&change.id) == Some(Function::Logout))
        else {
            return;
        };
        let Some(telling) = self.story.tellings.get(index) else { return };
        let Some((person, someone)) = telling.person.and_then(|one| Some((one, self.story.people.get(one)?))) else {
            return;
        };
        if !self
            .story
            .people
            .iter()
            .any(|other| hands(other, person) || (other.email == someone.email && other.succeeds.is_some()))
        {
            return;
        }
        if text_at(after, &["released", "held_for"]) == Some("address_reused") {
            self.passed_on.insert(person);
        }
        // Who is known by an id was not looked for by the address.
        let known = known_user(after, changes);
        let by_id = |user: &String| directory.accounts().any(|account| account.user(user).is_some());
        let found = || known.filter(by_id).or_else(|| self.taken_for_its_own(telling, after, plan, directory));
        let Some(user) = remembered(after, changes).or_else(found) else { return };
        let Some(owner) = self.owner(&user).filter(|owner| *owner != person) else { return };
        self.premise(Rule::Identity);
        let released = self.passed_on.contains(&person);
        let number = |person: usize| self.story.people.get(person).map(|one| &one.worker);
        let by_number = |telling: &Telling, person| number(person).is_some_and(|it| telling.identifiers.contains(it));
        // Who asked the ledger just before does not see it.
        let long_ago = |index: &usize| self.recorded_at.get(index).is_some_and(|at| now - at > MINUTE);
        let tells_of = |index: &usize| {
            let other = self.story.tellings.get(*index);
            long_ago(index)
                && other.is_some_and(|it| it.person == Some(owner) && it.email == telling.email && by_number(it, owner))
        };
        // An address that comes with a number here and without one there may be one person's. Whom an administrator made
        // anew, nobody can tell from somebody else.
        let told_apart = by_number(telling, person) && self.recorded.iter().any(tells_of);
        // Nor whom an invitation under the address of before made twice; and who was perhaps invited, for this event or
        // another of the person, may be who is there.
        let tells_of_person = |key: &str| {
            let telling = self.telling(key).and_then(|index| self.story.tellings.get(index));
            telling.is_some_and(|telling| telling.person == Some(person))
        };
        let invites = |attempt: &&super::Attempt| {
            attempt.plan.as_ref().is_some_and(|plan| plan.step("invite").is_some()) && tells_of_person(&attempt.event)
        };
        let unsure = self.has_two_users(owner) || self.attempts.values().any(|attempt| invites(&attempt));
        let is_known = told_apart && !unsure && !user.ends_with("-anew");
        self.check(Rule::Identity, released || !is_known, || {
            format!("{} takes {user} for p{person}'s, who is p{owner}'s", change.id)
        });
        // An operator says so, or nobody can know better: from now on it is.
        self.owners.insert(user, person);
        self.first_taken.remove(&owner);
        self.last_act.remove(&owner);
        self.last_licence.remove(&owner);
    }

    /// The user that an event takes for its person's: that of its plan, or whom its outcome is about.
    fn taken_for_its_own(
        &self,
        telling: &Telling,
        after: &Item,
        plan: Option<&Plan>,
        directory: &Core,
    ) -> Option<String> {
        let by_address = |email: &String| {
            let mut users = directory.accounts().filter_map(|account| account.by_email(email));
            users.next().map(|user| user.user_id.clone())
        };
        if record::state(after) == "running" {
            let plan = plan?;
            let invited = || plan.step("invite").and(telling.email.as_ref()).and_then(by_address);
            return plan.user.clone().or_else(invited);
        }
        let about = ["already_registered", "already_invited", "already_suspended"];
        let email = telling.email.as_ref().filter(|_| about.contains(&record::reason(after).as_str()))?;
        by_address(email)
    }
}

/// The user that a person's item knows.
fn known_user(event: &Item, changes: &[Change]) -> Option<String> {
    let after = person(event, changes)?.after.as_deref()?;
    text_at(after, &["user"]).map(str::to_owned)
}

/// The user that a person's item knows from now on.
fn remembered(event: &Item, changes: &[Change]) -> Option<String> {
    let before = person(event, changes)?.before.as_deref().and_then(|before| text_at(before, &["user"]));
    known_user(event, changes).filter(|after| before != Some(after.as_str()))
}

fn person<'c>(event: &Item, changes: &'c [Change]) -> Option<&'c Change> {
    let key = format!("person#{}", text_at(event, &["person"])?);
    changes.iter().find(|change| change.id == key)
}

fn hands(other: &Person, person: usize) -> bool {
    other.succeeds == Some(person)
}
