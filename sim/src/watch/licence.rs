//! The rules of licences: what is set, what is kept to be set, and what is there in the end.

use super::giving::{Ended, licence};
use super::record::{self, Plan};
use super::{Rule, Watch};
use crate::dynamo::{Change, Item, text_at};
use crate::functions::Function;
use crate::oracle::{self, Asks, Assertion, Licence, Rejected};
use crate::story::Telling;
use crate::timeline::TaskId;
use rollcall_local::chime::core::Core;
use rollcall_local::chime::state::Registration;

/// What a licence event made of a person's licence.
#[derive(Clone, Debug)]
pub(super) struct Told {
    licence: Licence,
    event: String,
    /// When.
    at: i64,
    /// How many events were recorded by then.
    recorded: usize,
}

impl Watch<'_> {
    /// A plan that sets a licence is claimed.
    pub(super) fn relicenses(&mut self, now: i64, task: TaskId, telling: usize, key: &str, plan: &Plan) {
        self.premise(Rule::Licence);
        let due = self.licence_around(telling, self.worker_now(task, now));
        let sets = plan.relicenses().and_then(Licence::named);
        self.check(Rule::Licence, sets.is_some() && due.contains(&sets), || {
            format!("{key} plans to set {sets:?}, and due is {:?}", due[1])
        });
    }

    /// A licence event ended.
    pub(super) fn relicensed(&mut self, ended: Ended<'_>, directory: &Core) {
        let telling = self.story.tellings.get(ended.telling);
        if self.asks(ended.telling) != Some(Asks::Licence) {
            return;
        }
        let due = self.licence_around(ended.telling, self.worker_now(ended.task, ended.now));
        let Some(person) = telling.and_then(|telling| telling.person) else { return };
        let key = &ended.change.id;
        match ended.reason {
            "licence_kept" | "user_not_found" => {
                self.premise(Rule::Licence);
                let wish = ended.person().and_then(|(_, after)| record::wish(after)).and_then(Licence::named);
                self.check(Rule::Licence, wish.is_some() && due.contains(&wish), || {
                    format!("{key} keeps {wish:?} to be set, and due is {:?}", due[1])
                });
            }
            "licence_set" | "licence_already" | "other_licence_fact" | "newer_assertion" => {
                let plan = record::plan(ended.after);
                let has = self.user(ended.telling, plan.as_ref(), directory).and_then(licence);
                self.check(Rule::Licence, has.is_none() || due.contains(&has), || {
                    format!("{key} ({}) leaves {has:?}, and due is {:?}", ended.reason, due[1])
                });
                if let Some(licence) = has {
                    let (event, recorded) = (key.clone(), self.recorded.len());
                    self.last_licence.insert(person, Told { licence, event, at: ended.now, recorded });
                }
            }
            _ => {}
        }
    }

    /// What is kept to be set is given up only where it is set, or where another licence fact says so.
    pub(super) fn wished(&mut self, change: &Change, after: &Item, changes: &[Change], directory: &Core) {
        let wish = change.before.as_deref().and_then(record::wish).filter(|_| record::wish(after).is_none());
        let Some(wish) = wish else { return };
        // Whoever has it already needs no step.
        let user = text_at(after, &["user"]);
        let user = user.and_then(|user| directory.accounts().find_map(|account| account.user(user)));
        let has = user.and_then(licence).is_some_and(|has| Licence::named(wish) == Some(has));
        if has || text_at(after, &["merged_into"]).is_some() {
            return;
        }
        let key = change.id.trim_start_matches("person#");
        let settles = changes.iter().any(|other| {
            let Some(item) = other.after.as_deref() else { return false };
            let of_person = text_at(item, &["person"]) == Some(key);
            let set = record::plan(item)
                .and_then(|plan| Some(plan.step("set_licence")?.status == "confirmed"))
                .unwrap_or(false);
            let reason = record::reason(item);
            let decided = Function::of_key(&other.id) == Some(Function::Relicense)
                && matches!(
                    reason.as_str(),
                    "licence_already" | "other_licence_fact" | "newer_assertion" | "job_unknown"
                );
            // Who joins gets what the policy says by now, and has it.
            let joined = Function::of_key(&other.id) == Some(Function::Invite) && reason == "already_registered";
            of_person && (set || decided || joined)
        });
        self.check(Rule::Restored, settles, || format!("{} lost the licence that was to be set", change.id));
    }

    /// In the end the licence is as the last licence event made it, and as all facts say.
    pub(super) fn licensed(
        &mut self,
        person: usize,
        group: &[&Telling],
        [all, acted]: [&[&Assertion]; 2],
        rejected: &Rejected,
        now: i64,
        directory: &Core,
    ) {
        let (Some(told), Some(licences)) = (self.last_licence.get(&person).cloned(), &self.story.licences) else {
            return;
        };
        let registered =
            |user: &&rollcall_local::chime::state::User| user.user_registration_status == Registration::Registered;
        if self.has_two_users(person) {
            return;
        }
        let Some(has) = self.users_of(person, directory).find(registered).and_then(licence) else { return };
        self.premise(Rule::Licence);
        self.check(Rule::Licence, has == told.licence, || {
            format!("p{person} has {has:?}, and {} left it with {:?}", told.event, told.licence)
        });
        // What an operator rejects, and what comes into force by itself, changes what is due, and nobody looks at the
        // licence for it before the next event.
        let none = Rejected::new();
        let cases = [(all, rejected, now), (acted, rejected, now), (all, &none, now), (all, rejected, told.at)];
        let due = cases.map(|(said, rejected, at)| oracle::licence(said, rejected, at, licences));
        // What became known later was no licence event's: nobody looked at the licence for it.
        let tellings = &self.story.tellings;
        let later = self.recorded.iter().skip(told.recorded).filter_map(|index| tellings.get(*index));
        let nobody_looked = later.into_iter().any(|telling| group.iter().any(|other| other.key == telling.key));
        let unsure = due.iter().any(|other| *other != due[0]) || due[0].is_none() || nobody_looked;
        self.check(Rule::Licence, unsure || due[0] == Some(has), || {
            format!("p{person} has {has:?}, and due is {due:?}")
        });
    }
}
