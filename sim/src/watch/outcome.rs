//! The rules of outcomes: which one an event may have, and whether what it says is true.

use super::giving::Ended;
use super::record;
use super::{Rule, Watch};
use crate::dynamo::{Change, text_at};
use crate::functions::Function;
use crate::oracle::{Asks, Due};
use crate::story::{AccountKind, Bounce, Observes, Poison, Telling};
use crate::timeline::TaskId;
use rollcall_local::chime::core::Core;
use rollcall_local::chime::state::{Invitation, Registration, User};

impl Watch<'_> {
    /// An event was given its outcome, by a claim or by a settle.
    pub(super) fn ended(
        &mut self,
        now: i64,
        task: TaskId,
        change: &Change,
        changes: &[Change],
        by_claim: bool,
        directory: &Core,
    ) {
        let Some(after) = change.after.as_deref() else { return };
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
        let ended = Ended { now, task, telling: index, change, after, changes, reason: &reason };
        let holds = self.is_true(ended, telling, due, by_claim, directory);
        self.check(Rule::Reason, holds, || format!("{key} is {state} ({reason}), and due is {:?}", due[1]));
        self.accessed(ended, directory);
        self.relicensed(ended, directory);
    }

    /// Whether the reason is true, as far as facts and directory tell.
    fn is_true(&self, ended: Ended<'_>, telling: &Telling, due: [Due; 2], by_claim: bool, directory: &Core) -> bool {
        let asks = telling.asks();
        let (takes, gives) = (asks == Some(Asks::Taking), asks == Some(Asks::Giving));
        let gone = due.contains(&Due::NoAccess);
        let stays = due.iter().any(|due| *due != Due::NoAccess);
        // Who is known by an id was not looked for by the address.
        let known = ended.person().and_then(|(_, after)| text_at(after, &["user"]));
        let by_id = || directory.accounts().find_map(|account| account.user(known?));
        let user = || by_id().or_else(|| self.user_of(telling, directory));
        let stands = |registration| user().is_some_and(|user| user.user_registration_status == registration);
        let kind = telling.person.and_then(|person| self.story.people.get(person)).map(|person| person.home);
        let kind = kind.and_then(|home| self.story.accounts.get(home)).map(|account| account.kind);
        let took_over = ended.change.before.as_deref().is_some_and(|before| record::state(before) == "running");
        match ended.reason {
            "fact_recorded" => telling.poison.is_some() || asks == Some(Asks::Nothing),
            "identity_recorded" => {
                telling.assertion.as_ref().is_some_and(|said| said.kind == crate::oracle::Kind::Identity)
            }
            "access_due" | "nothing_due" => takes && stays,
            "newer_assertion" if asks == Some(Asks::Nothing) => self.is_overtaken(ended.telling),
            "newer_assertion" => asks == Some(Asks::Licence) || ((takes || gives) && stays),
            "access_not_due" => gives && gone,
            // What was taken and not given back is still to be given.
            "nothing_taken" => {
                let taken = telling.person.and_then(|person| self.first_taken.get(&person));
                // Only as far as identifiers tie the one event to the other.
                let by = taken.and_then(|taken| self.telling(&taken.event));
                let tied = by
                    .and_then(|by| self.story.tellings.get(by))
                    .is_some_and(|by| self.tied(ended.telling).iter().any(|other| other.key == by.key));
                gives && due.contains(&Due::AsIs) && !tied
            }
            "already_suspended" => {
                let users = telling.person.into_iter().flat_map(|person| self.users_of(person, directory));
                let mut all = user().into_iter().chain(users);
                gone && all.any(|user| user.user_registration_status == Registration::Suspended) && !took_over
            }
            "already_registered" => {
                gives && stays && !stands(Registration::Suspended) && !stands(Registration::Unregistered)
            }
            "already_invited" => {
                let pending = |user: &User| {
                    user.user_registration_status == Registration::Unregistered
                        && user.user_invitation_status != Some(Invitation::Failed)
                };
                // Somebody may register between the look-up and the claim.
                let just_joined = telling.person.is_some_and(|person| self.had_mail_during(ended.task, person));
                gives && stays && user().is_some_and(|user| pending(user) || just_joined)
            }
            "joins_by_domain" => {
                let not_yet = user().is_none() || stands(Registration::Unregistered);
                gives && kind == Some(AccountKind::Lwa) && not_yet
            }
            "former_address" => {
                let renamed = telling.person.and_then(|person| self.story.people.get(person)?.renamed.as_ref());
                renamed.is_some() && (takes || gives)
            }
            "managed_by_directory" => gives && kind == Some(AccountKind::Directory),
            "invitation_failed" => user().is_none_or(|user| user.user_invitation_status == Some(Invitation::Failed)),
            // It was sent again once. Whoever is there has bounced before, or has not been told yet.
            "invitation_unknown" => user().is_none() || stands(Registration::Unregistered),
            // A compromise has no lease: somebody may be invited between its look-up and its claim.
            "user_not_found" if asks == Some(Asks::SigningOut) => true,
            "user_not_found" => {
                let renamed = telling.person.and_then(|person| self.story.people.get(person)?.renamed.as_ref());
                // Whoever else has the address by now is another matter.
                let is_theirs = |user: &User| self.owner(&user.user_id) == telling.person;
                (gone || !takes) && (renamed.is_some() || !user().is_some_and(is_theirs))
            }
            "protected" => {
                let safety = &self.story.safety;
                let named = |id: &&String| safety.protected.contains(*id);
                let fits = telling.email.as_ref().is_some_and(|email| safety.patterns.contains(email));
                (gone || !takes) && (fits || self.identifiers(ended.telling).iter().any(named))
            }
            "group_minimum" => self.group_is_full(ended.telling, ended.now),
            "suspended" | "removed_from_team" | "directory_managed" => !by_claim || gone,
            "no_licence_policy" => self.story.licences.is_none(),
            "job_unknown" => self.licence_around(ended.telling, self.worker_now(ended.task, ended.now)).contains(&None),
            "licence_kept" => {
                let taken = ended.person().is_some_and(|(_, after)| record::taken(after).is_some());
                let no_access = |user: &User| {
                    matches!(user.user_registration_status, Registration::Suspended | Registration::Unregistered)
                };
                // Somebody renamed is found by the id, under the address of before.
                let users = telling.person.into_iter().flat_map(|person| self.users_of(person, directory));
                // Whoever was looked up before registering has registered by now, perhaps.
                let just_joined = telling.person.is_some_and(|person| self.had_mail_during(ended.task, person));
                taken || gone || just_joined || user().into_iter().chain(users).any(no_access)
            }
            _ => true,
        }
    }

    /// Whether another assertion of the same fact stands, or an operator rejected this one.
    fn is_overtaken(&self, telling: usize) -> bool {
        let Some(said) = self.story.tellings.get(telling).and_then(|telling| telling.assertion.as_ref()) else {
            return false;
        };
        let (known, rejected) = self.known(telling);
        rejected.contains(&said.rejects()) || known.iter().any(|other| other.overtakes(said))
    }

    /// The user with the address that an event carries, or else the person's; `None` where there is none.
    fn user_of<'d>(&self, telling: &Telling, directory: &'d Core) -> Option<&'d User> {
        match &telling.email {
            Some(email) => directory.accounts().find_map(|account| account.by_email(email)),
            None => self.users_of(telling.person?, directory).next(),
        }
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
            "observed" => self.is_observed(telling) && reason == "observe_mode",
            "rejected" => reason == "rejected",
            "parked" => self.may_be_parked(telling, reason) || self.excuses(telling, state, reason),
            _ => false,
        }
    }

    fn is_observed(&self, telling: &Telling) -> bool {
        match self.story.safety.observes {
            None => false,
            Some(Observes::Access) => telling.function == Function::Suspend,
            // With access that is given back a licence may be lowered.
            Some(Observes::Licence) => !matches!(telling.function, Function::Suspend | Function::Logout),
            Some(Observes::Function(function)) => telling.function == function,
        }
    }

    fn may_be_held(&self, telling: &Telling, reason: &str) -> bool {
        let safety = &self.story.safety;
        let person = telling.person.and_then(|person| self.story.people.get(person));
        let hands = |other: &crate::story::Person| {
            other.succeeds.is_some()
                && (other.succeeds == telling.person || person.is_some_and(|one| one.email == other.email))
        };
        let changed_hands = self.story.people.iter().any(hands);
        match reason {
            "no_address" => telling.email.is_none() || changed_hands || person.is_some_and(|one| one.renamed.is_some()),
            "mass_change" if telling.function == Function::Suspend => !safety.access.is_empty(),
            "mass_change" => !safety.licence.is_empty() && telling.function != Function::Logout,
            "protected" => !safety.protected.is_empty() || !safety.patterns.is_empty(),
            "protection_unknown" => !safety.patterns.is_empty() && telling.email.is_none(),
            "group_minimum" => safety.group.is_some(),
            "address_reused" => changed_hands,
            "former_address" => person.is_some_and(|one| one.renamed.is_some()),
            "invitation_failed" => changed_hands || person.is_some_and(|one| !matches!(one.bounce, Bounce::Never(_))),
            "invitation_unknown" => self.excused.contains("invitation_unknown"),
            _ => false,
        }
    }

    /// Refused for good, and rightly.
    fn may_be_parked(&self, telling: &Telling, reason: &str) -> bool {
        let account = telling.person.and_then(|person| self.story.accounts.get(self.story.people.get(person)?.home));
        let Some(account) = account else { return false };
        let asks = telling.assertion.as_ref().map(crate::oracle::Assertion::asks);
        match reason {
            "no_account" => !self.story.mapped && matches!(telling.function, Function::Invite | Function::Reinstate),
            "licence_by_groups" => asks == Some(Asks::Licence) && account.kind == AccountKind::Directory,
            "unsupported_licence" => {
                asks == Some(Asks::Licence) && !account.offers.contains(&crate::oracle::Licence::Plus)
            }
            _ => false,
        }
    }

    /// Whether an event that is parked in the end was parked rightly.
    pub(super) fn stays_parked(&self, telling: &Telling, reason: &str) -> bool {
        telling.poison.is_some() || self.may_be_parked(telling, reason)
    }

    /// Parked because of what went wrong: an operator sends it back.
    fn excuses(&self, telling: &Telling, state: &str, reason: &str) -> bool {
        let exhausted = || self.unsettled.get(&telling.key).is_some_and(|attempts| *attempts >= 5);
        state == "parked" && (self.excused.contains(reason) || (reason == "attempts_exhausted" && exhausted()))
    }
}
