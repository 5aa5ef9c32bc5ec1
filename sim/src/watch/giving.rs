//! The rules of giving access: only to whom it is due, with what was there before, and so that it lasts.

use super::record::{self, Plan};
use super::{Rule, Watch};
use crate::dynamo::{Change, Item, text_at};
use crate::functions::Function;
use crate::oracle::{Asks, Due, Licence};
use crate::story::AccountKind;
use crate::timeline::TaskId;
use rollcall_local::chime::core::Core;
use rollcall_local::chime::state::{Registration, User};

/// Who gave or took a person's access last.
#[derive(Clone, Debug)]
pub(super) struct Act {
    /// It was given.
    pub(super) gave: bool,
    /// By which event.
    pub(super) event: String,
}

/// One event that ended, and what was written with it.
#[derive(Clone, Copy)]
pub(super) struct Ended<'e> {
    pub(super) now: i64,
    pub(super) task: TaskId,
    /// The event, by position in the story.
    pub(super) telling: usize,
    pub(super) change: &'e Change,
    pub(super) after: &'e Item,
    /// All that was written at once.
    pub(super) changes: &'e [Change],
    pub(super) reason: &'e str,
}

impl Ended<'_> {
    /// The person's item: before and after.
    pub(super) fn person(&self) -> Option<(Option<&Item>, &Item)> {
        let key = format!("person#{}", text_at(self.after, &["person"])?);
        let change = self.changes.iter().find(|change| change.id == key)?;
        Some((change.before.as_deref(), change.after.as_deref()?))
    }

    pub(super) fn function(&self) -> Option<Function> {
        Function::of_key(&self.change.id)
    }
}

impl Watch<'_> {
    /// A plan that gives access is claimed.
    pub(super) fn gives(&mut self, now: i64, task: TaskId, telling: usize, key: &str) {
        self.premise(Rule::Given);
        let due = self.due_around(telling, self.worker_now(task, now));
        self.check(Rule::Given, due != [Due::NoAccess; 2], || format!("{key} plans to give access, and none is due"));
    }

    /// An event that gives or takes access ended: what it did last, and whether what it gave is what was there before.
    pub(super) fn accessed(&mut self, ended: Ended<'_>, directory: &Core) {
        let Some(telling) = self.story.tellings.get(ended.telling) else { return };
        let Some(asks) = telling.asks() else { return };
        let Some(person) = telling.person else { return };
        let gave = match (asks, ended.reason) {
            (
                Asks::Giving,
                "invited" | "reinvited" | "reinstated" | "reinstated_new_pin" | "licence_set" | "already_invited"
                | "already_registered" | "joins_by_domain",
            ) => true,
            (
                Asks::Taking,
                "suspended" | "removed_from_team" | "directory_managed" | "already_suspended" | "user_not_found",
            ) => false,
            (Asks::Giving | Asks::Taking | Asks::Licence | Asks::SigningOut | Asks::Nothing, _) => return,
        };
        // Whoever got another address from an administrator is not found under the one that HR still tells.
        let renamed = self.story.people.get(person).is_some_and(|person| person.renamed.is_some());
        let found = !(renamed && ended.reason == "joins_by_domain");
        self.last_act.insert(person, Act { gave: gave && found, event: ended.change.id.clone() });
        self.last_licence.remove(&person);
        if gave {
            self.restored(ended, directory);
            self.first_taken.remove(&person);
            self.comes_back(ended.telling, ended.now);
        }
    }

    /// Nothing is left to be given back, and the licence is right, or will be.
    fn restored(&mut self, ended: Ended<'_>, directory: &Core) {
        let key = &ended.change.id;
        let Some((before, after)) = ended.person() else { return };
        self.check(Rule::Restored, record::taken(after).is_none(), || {
            format!("{key} gave back what was taken, and it is kept as taken")
        });
        let expected = self.licence_to_give(ended, before);
        if expected.is_empty() {
            return;
        }
        self.premise(Rule::Restored);
        let wish = record::wish(after).and_then(Licence::named);
        let plan = record::plan(ended.after);
        let refused = plan.and_then(|plan| Some(plan.step("set_licence")?.status == "refused")).unwrap_or(false);
        let has = match ended.reason {
            "invited" | "reinvited" | "already_invited" => wish,
            // What the directory refuses to set stays to be set.
            "reinstated" | "reinstated_new_pin" if refused => wish,
            "reinstated" | "reinstated_new_pin" | "licence_set" | "already_registered" => {
                let Some(user) = self.user(ended.telling, record::plan(ended.after).as_ref(), directory) else {
                    return;
                };
                licence(user)
            }
            _ => return,
        };
        self.check(Rule::Restored, has.is_some_and(|has| expected.contains(&has)), || {
            format!("{key} ({}) gave access with {has:?}, and due was {expected:?}", ended.reason)
        });
    }

    /// The licences that may go with access that an event gives; none where nothing is said, or cannot be had.
    fn licence_to_give(&self, ended: Ended<'_>, before: Option<&Item>) -> Vec<Licence> {
        let prior = before.and_then(record::licence_to_restore);
        let telling = self.story.tellings.get(ended.telling);
        let home = telling.and_then(|telling| self.story.people.get(telling.person?)).map(|person| person.home);
        let Some(account) = home.and_then(|home| self.story.accounts.get(home)) else { return Vec::new() };
        let joins = ended.function() == Some(Function::Invite) && account.kind == AccountKind::Team;
        let by_policy = |due: Option<Licence>| {
            let default = self.story.licences.as_ref().and_then(|licences| licences.default);
            due.or(default).or(prior)
        };
        let said: Vec<Option<Licence>> = if joins {
            self.licence_around(ended.telling, self.worker_now(ended.task, ended.now)).map(by_policy).to_vec()
        } else {
            vec![prior]
        };
        // Who lacks one of them may have any.
        let all: Option<Vec<Licence>> = said.into_iter().collect();
        all.filter(|all| all.iter().all(|licence| account.offers.contains(licence))).unwrap_or_default()
    }

    /// The user of an event's person: that of the plan, or whose it is.
    pub(super) fn user<'d>(&self, telling: usize, plan: Option<&Plan>, directory: &'d Core) -> Option<&'d User> {
        let planned = plan.and_then(|plan| directory.account(&plan.account)?.user(plan.user.as_ref()?));
        let person = self.story.tellings.get(telling).and_then(|telling| telling.person);
        planned.or_else(|| self.users_of(person?, directory).next())
    }

    /// All users of a person.
    pub(super) fn users_of<'d>(&self, person: usize, directory: &'d Core) -> impl Iterator<Item = &'d User> {
        let all = directory.accounts().flat_map(|account| account.users());
        all.filter(move |user| self.owner(&user.user_id) == Some(person))
    }

    /// Whose access is due and was given last has it.
    pub(super) fn has_access(&mut self, person: usize, directory: &Core) {
        let Some(act) = self.last_act.get(&person).filter(|act| act.gave).cloned() else { return };
        let kind = self.story.people.get(person).and_then(|person| self.story.accounts.get(person.home));
        let Some(kind) = kind.map(|account| account.kind) else { return };
        self.premise(Rule::Has);
        let mut users: Vec<&User> = self.users_of(person, directory).collect();
        let has = match kind {
            AccountKind::Team => !users.is_empty(),
            AccountKind::Lwa => users.drain(..).all(|user| user.user_registration_status != Registration::Suspended),
            AccountKind::Directory => true,
        };
        self.check(Rule::Has, has, || {
            format!("p{person} ({}) has no access, and {} gave it last", kind.word(), act.event)
        });
    }
}

/// The licence of a user, where it is one that can be set.
pub(super) fn licence(user: &User) -> Option<Licence> {
    let word = serde_json::to_value(user.license_type).ok()?;
    Licence::named(word.as_str()?)
}
