//! What is to be done about each open job: decided, looked up where that is needed, and decided again.

use super::consider::Open;
use super::job::{Job, PANICS, panicked};
use super::round::Round;
use super::write::{Attempt, Chosen, choose, postpone};
use super::{Road, Verdict};
use crate::decide::{Case, Decision, Known, Reason};
use crate::directory::{Account, AccountId, AccountState, Deadline, Directory, Found, Operation, Sought, UserId};
use crate::event::{Kind, WorkerEvent};
use crate::failure::{Cause, Failure, RefusalCode};
use crate::host::Host;
use crate::ledger::PersonItem;
use crate::person::WorkEmail;
use crate::queue::Queue;
use crate::routes::Function;
use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Duration;

/// How long after its invocation a lease runs: no call of the invocation can still take effect then.
const LEASE_MARGIN: Duration = Duration::from_secs(30);

/// The same where an invitation is sent: it cannot be sent again, so it is read back when it must have taken effect.
const INVITATION_MARGIN: Duration = Duration::from_secs(15 * 60);

/// What is to be done about a job, as far as the directory answered.
enum Decided {
    Decision(Decision),
    /// The directory did not answer.
    Postponed(Failure),
}

impl<D: Directory, Q: Queue, H: Host + Clone> Road<D, Q, H> {
    /// Decides every open job, looking up those that need it in one go.
    pub(super) async fn decide_all(
        &self,
        slices: Vec<Vec<Open>>,
        deadline: Deadline,
        round: &mut Round,
    ) -> Vec<Vec<Chosen>> {
        let mut first = Vec::new();
        let mut accounts = BTreeMap::new();
        for slice in slices {
            let mut part = Vec::new();
            for open in slice {
                if let Some((open, decision)) = self.decided(open, None, round) {
                    part.extend(self.with_account_as_it_is(open, decision, &mut accounts, deadline, round).await);
                }
            }
            first.push(part);
        }
        let seek = |(open, decision): &(Open, Decided)| self.sought(open, decision);
        let sought: Vec<Sought> = first.iter().flatten().filter_map(seek).collect();
        let found = if sought.is_empty() { Vec::new() } else { self.directory.look_up(&sought, deadline).await };
        let mut found = found.into_iter();
        let mut chosen = Vec::new();
        for slice in first {
            let mut part = Vec::new();
            for (open, decided) in slice {
                let decision = match decided {
                    Decided::Postponed(failure) => {
                        part.push(self.postponed(open, &failure, deadline));
                        continue;
                    }
                    Decided::Decision(decision) => decision,
                };
                if decision != Decision::LookUp {
                    part.extend(self.chosen(open, decision, None, deadline, round));
                    continue;
                }
                let found = found.next().unwrap_or(Err(Failure::retryable(Cause::IncompleteListing)));
                let mut open = open;
                match self.with_its_account(found, &mut open, deadline).await {
                    // The user that was known is gone, and no address says whether there is another by now.
                    Ok(Found::Nobody { .. }) if !looked_up_by_address(&open) => {
                        open.job.stale_id = true;
                        if let Some((open, decision)) = self.decided(open, None, round) {
                            part.extend(self.chosen(open, decision, None, deadline, round));
                        }
                    }
                    Ok(found) => {
                        if let Some((open, decision)) = self.decided(open, Some(&found), round) {
                            part.extend(self.chosen(open, decision, Some(&found), deadline, round));
                        }
                    }
                    Err(Failure::Permanent(refusal)) => {
                        part.extend(self.chosen(open, Decision::Park(refusal), None, deadline, round));
                    }
                    Err(failure) => part.push(self.postponed(open, &failure, deadline)),
                }
            }
            chosen.push(part);
        }
        chosen
    }

    /// What can be done for somebody who was looked up depends on the account as it is; the look-up has just read it.
    async fn with_its_account(
        &self,
        found: Result<Found, Failure>,
        open: &mut Open,
        deadline: Deadline,
    ) -> Result<Found, Failure> {
        let found = open.own(found?, self.host.now());
        let account = match &found {
            Found::Somebody { account, .. } | Found::Nobody { account: Some(account) } => account,
            Found::Nobody { account: None } | Found::SomebodyElses | Found::SeveralAccounts | Found::UnknownAccount => {
                return Ok(found);
            }
        };
        open.account = self.directory.account(&account.id, deadline).await?;
        Ok(if open.account.is_some() { found } else { Found::UnknownAccount })
    }

    /// What can be done depends on the account: a remembered one is compared with the directory's.
    async fn with_account_as_it_is(
        &self,
        mut open: Open,
        decision: Decision,
        accounts: &mut BTreeMap<AccountId, Result<Option<AccountState>, Failure>>,
        deadline: Deadline,
        round: &mut Round,
    ) -> Option<(Open, Decided)> {
        let known = open.person.as_ref().and_then(|(_, person)| Some(remembered(person)?.0.clone()));
        let remembered = match &decision {
            Decision::Act(plan) | Decision::Observe(plan) if !plan.fresh => Some(plan.account.clone()),
            // That the company's directory manages an account is the account's type, and nothing else.
            Decision::Conclude(conclusion) if conclusion.reason == Reason::ManagedByDirectory => known,
            Decision::Park(refusal) if refusal.code == RefusalCode::LicenceByGroups => known,
            Decision::LookUp
            | Decision::Act(_)
            | Decision::Observe(_)
            | Decision::Conclude(_)
            | Decision::Hold(_)
            | Decision::Park(_)
            | Decision::Wait(_) => None,
        };
        let Some(remembered) = remembered.filter(|_| open.account.is_none()) else {
            return Some((open, Decided::Decision(decision)));
        };
        if !accounts.contains_key(&remembered.id) {
            let now = self.directory.account(&remembered.id, deadline).await;
            accounts.insert(remembered.id.clone(), now);
        }
        let person = open.person.as_mut().map(|(_, person)| person)?;
        match accounts.get(&remembered.id)? {
            Ok(Some(state)) => {
                open.account = Some(state.clone());
                person.account = Some(Account { kind: state.kind, ..remembered });
            }
            Ok(None) => (person.account, person.user) = (None, None),
            Err(Failure::Permanent(refusal)) => {
                let park = Decision::Park(refusal.clone());
                return Some((open, Decided::Decision(park)));
            }
            Err(failure) => return Some((open, Decided::Postponed(failure.clone()))),
        }
        self.decided(open, None, round).map(|(open, decision)| (open, Decided::Decision(decision)))
    }

    /// The directory did not answer: the event's fact and its first attempt are recorded all the same.
    fn postponed(&self, open: Open, failure: &Failure, deadline: Deadline) -> Chosen {
        let (cause, after) = match failure {
            Failure::Retryable { cause, after } => (*cause, *after),
            Failure::Permanent(_) => (Cause::Unanswered, None),
        };
        let attempt = self.attempt(&open, deadline, LEASE_MARGIN);
        postpone(open, cause, after, &attempt)
    }

    fn attempt(&self, open: &Open, deadline: Deadline, margin: Duration) -> Attempt {
        Attempt {
            owner: open.job.owner.clone().unwrap_or_else(|| format!("{:032x}", self.host.random())),
            until: (deadline.instant() + margin).as_millisecond(),
            now: self.host.now(),
        }
    }

    /// Decides one job. A panic fails this record only.
    fn decided(&self, open: Open, found: Option<&Found>, round: &mut Round) -> Option<(Open, Decision)> {
        let decision = catch_unwind(AssertUnwindSafe(|| self.decision(&open, found)));
        match decision {
            Ok(decision) => Some((open, decision)),
            Err(_) if open.job.receive_count() >= PANICS => Some((open, Decision::Park(panicked()))),
            Err(_) => {
                round.finish(open.job, Verdict::again(Cause::Panicked, None));
                None
            }
        }
    }

    fn decision(&self, open: &Open, found: Option<&Found>) -> Decision {
        let event = match (&open.refused, &open.job.content) {
            (Some(refusal), _) | (None, Err(refusal)) => return Decision::Park(refusal.clone()),
            (None, Ok(event)) => event,
        };
        if let Some(refusal) = &open.gave_up {
            return Decision::Park(refusal.clone());
        }
        let no_facts = crate::person::Facts::default();
        let person = open.person.as_ref().map(|(_, person)| person);
        let can_look_up = event.subject.email.is_some() && !open.address_lost;
        let known = match (found, person.and_then(remembered).filter(|_| !open.job.stale_id)) {
            (Some(found), _) => Known::Found(found),
            (None, Some((account, user))) => {
                Known::Remembered { account, user, licence: person.and_then(|person| person.licence.as_deref()) }
            }
            (None, None) if !can_look_up => Known::NoAddress,
            (None, None) => Known::NotYet,
        };
        let rules = self.rules();
        (self.decide)(&Case {
            function: self.function,
            event,
            facts: person.map_or(&no_facts, |person| &person.facts),
            known,
            account: open.account.as_ref(),
            taken: person.and_then(|person| person.taken.as_ref()),
            wish: person.and_then(|person| person.wish),
            prior: open.prior.as_ref(),
            may_look_up: !open.address_lost,
            renamed: person.is_some_and(|person| person.renamed),
            last_licence: person.and_then(|person| person.licence.as_deref()),
            takeover: open.takeover,
            suspension_died: open.suspension_died,
            policy: &rules.policy,
            guard: rules.shield.guard(&open.hashes(), &event.subject),
            released: open.released.as_ref().and_then(|release| release.held_for),
            now: self.host.now(),
        })
    }

    fn sought(&self, open: &Open, decided: &Decided) -> Option<Sought> {
        if !matches!(decided, Decided::Decision(Decision::LookUp)) {
            return None;
        }
        let event = open.job.content.as_ref().ok()?;
        let email = address_of(event).filter(|_| !open.address_lost).cloned();
        let person = open.person.as_ref().map(|(_, person)| person);
        let user = person.and_then(remembered).filter(|_| !open.job.stale_id);
        let rules = self.rules();
        let by_policy = email.as_ref().and_then(|email| rules.policy.account_of(email));
        let taken = person.and_then(|person| person.taken.as_ref()).map(|taken| &taken.account.id);
        let invited_into = person.filter(|person| person.user.is_none()).and_then(|person| person.account.as_ref());
        let sent = open.prior.as_ref().filter(|prior| prior.awaits_invitation()).map(|prior| &prior.account.id);
        // What was sent is read back where it was sent, and what was taken is given back where it was taken.
        let first = sent.or(invited_into.map(|account| &account.id));
        let account = first.or(match self.function {
            Function::ReinstateUser => taken.or(by_policy),
            Function::InviteUser => by_policy.or(taken),
            Function::SuspendUser | Function::LogoutUser | Function::RelicenseUser | Function::HrIntake => by_policy,
        });
        let user = user.map(|(account, user)| (account.clone(), user.clone()));
        Some(Sought { user, email, account: account.cloned() })
    }

    fn chosen(
        &self,
        open: Open,
        decision: Decision,
        found: Option<&Found>,
        deadline: Deadline,
        round: &mut Round,
    ) -> Option<Chosen> {
        if let Decision::Wait(after) = decision {
            round.finish(open.job, Verdict::again(Cause::NotQuiteYet, Some(after)));
            return None;
        }
        let invites = matches!(&decision, Decision::Act(plan) if plan.step(Operation::Invite).is_some());
        let attempt = self.attempt(&open, deadline, if invites { INVITATION_MARGIN } else { LEASE_MARGIN });
        let waits = match &decision {
            Decision::Hold(_) | Decision::Observe(_) => true,
            Decision::Conclude(conclusion) => conclusion.due.is_some(),
            Decision::LookUp | Decision::Act(_) | Decision::Park(_) | Decision::Wait(_) => false,
        };
        let sealed = waits.then(|| self.seal(&open.job));
        let mut chosen = choose(open, decision, found, &attempt, sealed)?;
        chosen.claim.budgets = self.drawn(&chosen);
        Some(chosen)
    }

    /// Seals an event that waits, so that its release needs no message. What does not seal is held all the
    /// same, and can only be rejected.
    pub(super) fn seal(&self, job: &Job) -> Vec<u8> {
        let mut nonce = [0; 12];
        nonce.copy_from_slice(&self.host.random().to_be_bytes()[..12]);
        let meaning = job.content.as_ref().map(|event| event.meaning.as_str()).unwrap_or_default();
        self.keys.seal(meaning, &job.event_key, nonce).unwrap_or_default()
    }
}

/// Whether the event's address was looked up, the one of before where it changes.
fn looked_up_by_address(open: &Open) -> bool {
    let address = open.job.content.as_ref().ok().and_then(address_of);
    address.is_some() && !open.address_lost
}

/// Who gets another address is looked for by the one of before.
fn address_of(event: &WorkerEvent) -> Option<&WorkEmail> {
    match event.event_type.kind() == Kind::IdentityChange {
        true => event.subject.former_email.as_ref(),
        false => event.subject.email.as_ref(),
    }
}

fn remembered(person: &PersonItem) -> Option<(&Account, &UserId)> {
    Some((person.account.as_ref()?, person.user.as_ref()?))
}
