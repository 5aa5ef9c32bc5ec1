//! What HR tells of one person: employments, leaves and logins, announced, corrected, taken back, and told again.
//!
//! One rule keeps the end exact: a *start* (hire, rehire, return) is taken back, never re-dated. Where it would move
//! behind an end, access would no longer be due, and no event asks for it to be taken: that is left to the
//! reconcile pass.

mod licences;

use super::people::Person;
use super::wire::{self, Effective, Subject};
use super::{NOON, Send, TODAY, Telling, window};
use crate::bounds::{DAY, MINUTE, SECOND};
use crate::oracle::{Assertion, Job, Kind, Phase};
use rollcall_local::chime::random::Random;

/// Codes of jobs.
pub(super) const CODES: [&str; 3] = ["ENG", "OPS", "MGR"];

/// Departments.
pub(super) const DEPARTMENTS: [&str; 2] = ["Sales", "IT"];

/// Until when somebody was spoken of whose address another person has now: an hour before the start.
const HANDED_OVER: i64 = NOON - 60 * MINUTE;

/// Writes the events of all people.
pub(super) struct Writer<'a> {
    random: &'a mut Random,
    people: &'a [Person],
    tellings: Vec<Telling>,
    sends: Vec<Send>,
    window: i64,
    person: usize,
    facts: u32,
    /// The ordering token of what is told now.
    revision: Option<u32>,
    /// The address changed: it is told as it is now.
    renamed: bool,
    /// When the last change of the job took effect.
    job_changed: Option<i64>,
}

/// One fact, as it is asserted first.
#[derive(Clone)]
struct Fact {
    kind: Kind,
    name: Option<String>,
    effective: Effective,
    job: Job,
}

impl<'a> Writer<'a> {
    pub(super) fn new(random: &'a mut Random, people: &'a [Person]) -> Writer<'a> {
        let window = window(random);
        Writer {
            random,
            people,
            tellings: Vec::new(),
            sends: Vec::new(),
            window,
            person: 0,
            facts: 0,
            revision: None,
            renamed: false,
            job_changed: None,
        }
    }

    pub(super) fn finish(self) -> (Vec<Telling>, Vec<Send>) {
        (self.tellings, self.sends)
    }

    /// Tells one person's story.
    pub(super) fn person(&mut self, person: usize) {
        (self.person, self.renamed, self.job_changed) = (person, false, None);
        let Some(someone) = self.people.get(person) else { return };
        let renames = someone.renamed.is_some();
        if self.random.chance(if someone.account.is_none() { 850 } else { 600 }) {
            let day = if self.random.chance(700) { -400 } else { -20 };
            self.hire(day);
        }
        let mut day = -30 - self.days(10);
        let beats = 1 + self.random.below(4);
        let renamed_at = self.random.below(beats + 1);
        for beat in 0..beats {
            if renames && beat == renamed_at {
                self.identity();
            }
            // Now and then two things happen on one day.
            day = (day + self.days(9)).min(-3);
            match self.random.below(19) {
                0..4 => self.termination(day),
                4..6 => self.rehire(day),
                6..8 => self.leave(day),
                8 => self.login(day),
                9 => self.hire(day),
                // What bites while the run is under way is told by one address only.
                10..12 if !renames => self.later(),
                10..15 => self.job_change(day),
                15 | 16 => self.reclaim(day),
                _ => self.compromise(),
            }
        }
        if renames && !self.renamed {
            self.identity();
        }
    }

    fn days(&mut self, most: u64) -> i64 {
        i64::try_from(self.random.below(most)).unwrap_or(0)
    }

    fn hire(&mut self, day: i64) {
        let hire = self.fact(Kind::Hire, day);
        let said = self.said(day);
        self.tell(&hire, Phase::Effective, said);
        if self.random.chance(100) {
            let later = self.after(said);
            self.tell(&hire, Phase::Rescinded, later);
        }
    }

    fn rehire(&mut self, day: i64) {
        let rehire = self.fact(Kind::Rehire, day);
        let said = self.said(day);
        self.announce(&rehire, said, 300);
        self.tell(&rehire, Phase::Effective, said);
        if self.random.chance(200) {
            let later = self.after(said);
            self.tell(&rehire, Phase::Rescinded, later);
        }
    }

    fn termination(&mut self, day: i64) {
        let end = self.fact(Kind::Termination, day);
        let said = self.said(day);
        // Entered and corrected within one second: the sender's own token tells which came last.
        let twice = end.name.is_some() && self.random.chance(150);
        self.revision = twice.then_some(9);
        self.announce(&end, said, 400);
        self.tell(&end, Phase::Effective, said);
        if twice {
            self.revision = Some(10);
            let corrected = Fact { effective: self.effective((day - 2).min(-3)), ..end.clone() };
            self.tell(&corrected, Phase::Effective, said);
        }
        self.revision = None;
        let mut last = said;
        if end.name.is_some() && self.random.chance(300) {
            last = self.after(last);
            let day = (day + self.days(11) - 5).min(-3);
            let moved = Fact { effective: self.effective(day), ..end.clone() };
            self.tell(&moved, Phase::Effective, last);
        }
        if self.random.chance(250) {
            last = self.after(last);
            self.tell(&end, Phase::Rescinded, last);
        }
        if self.random.chance(100) {
            // The same thing, typed in anew: another fact of the same day.
            let again = Fact { name: Some(self.name()), ..end };
            self.tell(&again, Phase::Effective, last);
        }
    }

    fn leave(&mut self, day: i64) {
        let leave = self.fact(Kind::Leave, day);
        let said = self.said(day);
        self.announce(&leave, said, 300);
        self.tell(&leave, Phase::Effective, said);
        if self.random.chance(200) {
            let later = self.after(said);
            self.tell(&leave, Phase::Rescinded, later);
        }
        if self.random.chance(600) {
            let end = (day + self.days(6)).min(-3);
            let back = self.fact(Kind::Return, end);
            let said = self.said(end);
            self.announce(&back, said, 300);
            self.tell(&back, Phase::Effective, said);
            if self.random.chance(250) {
                let later = self.after(said);
                self.tell(&back, Phase::Rescinded, later);
            }
        }
    }

    fn login(&mut self, day: i64) {
        let mut at = NOON + day * DAY + self.days(3) * 60 * MINUTE;
        for _ in 0..=self.random.below(3) {
            let active = self.random.chance(450);
            let effective = Effective { at: Some(at), date: None, told: wire::Told::Nothing };
            let account = Fact { kind: Kind::Login, name: Some("account".to_owned()), effective, job: Job::default() };
            self.say(&account, Phase::Effective, at, active);
            // Two at one instant: the inactive one counts.
            at += if self.random.chance(150) { 0 } else { (1 + self.days(40)) * 60 * MINUTE };
        }
    }

    /// Something that bites while the run is under way: announced before, and fired when it is time.
    fn later(&mut self) {
        let kinds = [Kind::Termination, Kind::Termination, Kind::Rehire, Kind::Leave, Kind::JobChange, Kind::Hire];
        let kind = self.random.one_of(&kinds).copied().unwrap_or(Kind::Termination);
        let at = NOON + (5 + self.days(40)) * MINUTE;
        let effective = Effective { at: Some(at), date: Some(TODAY), told: wire::Told::Instant };
        let fact = Fact { kind, name: Some(self.name()), effective, job: self.job(kind) };
        let said = self.said(-4);
        self.tell(&fact, Phase::Scheduled, said);
        if kind == Kind::Termination && self.random.chance(250) {
            let later = self.after(said);
            self.tell(&fact, Phase::Rescinded, later);
        }
        let fired = self.tell(&fact, Phase::Effective, said);
        let early = self.days(110) * SECOND - 50 * SECOND;
        if let Some(send) = self.sends.get_mut(fired) {
            // The scheduler's clock and ours differ: it may come a moment too early.
            send.at = at - NOON + early;
        }
    }

    fn announce(&mut self, fact: &Fact, said: i64, per_mille: u32) {
        if self.random.chance(per_mille) {
            self.tell(fact, Phase::Scheduled, said);
        }
    }

    fn fact(&mut self, kind: Kind, day: i64) -> Fact {
        let name = self.random.chance(500).then(|| self.name());
        Fact { kind, name, effective: self.effective(day), job: self.job(kind) }
    }

    /// What is told of a job by an event of a kind.
    fn job(&mut self, kind: Kind) -> Job {
        let tells = match kind {
            Kind::Hire => 700,
            Kind::Rehire => 400,
            Kind::JobChange => 750,
            Kind::Termination
            | Kind::Leave
            | Kind::Return
            | Kind::Login
            | Kind::Reclaim
            | Kind::Compromise
            | Kind::Identity => 0,
        };
        let code = self.random.one_of(&CODES).copied().filter(|_| self.random.chance(tells));
        let department = self.random.one_of(&DEPARTMENTS).copied().filter(|_| self.random.chance(tells * 2 / 3));
        Job { code, department }
    }

    fn name(&mut self) -> String {
        self.facts += 1;
        format!("fact-{}", self.facts)
    }

    /// When a fact of a day bites: told as date and instant, as a date that begins or ends there, or as an instant.
    fn effective(&mut self, day: i64) -> Effective {
        let date = TODAY + day;
        let midnight = date * DAY;
        match self.random.below(8) {
            0 => Effective { at: Some(midnight), date: Some(date), told: wire::Told::StartOfDay },
            1 => Effective { at: Some(midnight + DAY), date: Some(date), told: wire::Told::LastDayWorked },
            2 => Effective { at: Some(midnight + self.days(24) * 60 * MINUTE), date: None, told: wire::Told::Instant },
            _ => {
                let at = midnight + self.days(24) * 60 * MINUTE;
                Effective { at: Some(at), date: Some(date), told: wire::Told::Instant }
            }
        }
    }

    /// When something of a day is said: a few days before or after, never ahead of the run's start.
    fn said(&mut self, day: i64) -> i64 {
        let hours = self.days(24 * 8) - 24 * 4;
        let said = (NOON + day * DAY + hours * 60 * MINUTE).min(HANDED_OVER);
        if self.is_successor() { HANDED_OVER + (40 + self.facts_told()) * SECOND } else { said }
    }

    fn facts_told(&self) -> i64 {
        i64::try_from(self.tellings.len()).unwrap_or(0)
    }

    fn is_successor(&self) -> bool {
        self.people.get(self.person).is_some_and(|person| person.succeeds.is_some())
    }

    /// Whose address is another's by now.
    fn is_succeeded(&self) -> bool {
        self.people.iter().any(|person| person.succeeds == Some(self.person))
    }

    /// Later than that; sometimes, because a sender's clock went wrong, earlier. Never at the same instant as another
    /// assertion of the fact: then the event's id would decide, and an announcement could win over what came of it.
    fn after(&mut self, said: i64) -> i64 {
        let hours = self.days(48) - 5;
        let apart = self.facts_told() + 1;
        let latest = match self.people.get(self.person) {
            // Of whose address changes hands, nothing is told by the old one any more.
            Some(person) if self.is_succeeded() || person.renamed.is_some() => HANDED_OVER - 5 * MINUTE,
            Some(_) | None => NOON - MINUTE,
        };
        let later = said + hours * 60 * MINUTE;
        let earliest = if self.is_successor() { HANDED_OVER + 40 * SECOND } else { i64::MIN };
        later.clamp(earliest, latest) + apart * SECOND
    }

    /// Tells an assertion of a fact. Answers the position of its message.
    fn tell(&mut self, fact: &Fact, phase: Phase, occurred: i64) -> usize {
        self.say(fact, phase, occurred, true)
    }

    fn say(&mut self, fact: &Fact, phase: Phase, occurred: i64, active: bool) -> usize {
        let Fact { kind, name, effective, job } = fact;
        let (kind, name) = (*kind, name.clone());
        let Some(person) = self.people.get(self.person) else { return 0 };
        let id = format!("e{}", self.tellings.len());
        let carried = self.random.one_of(person.carries).copied().unwrap_or((true, false, true));
        let assertion = Assertion {
            event: id.clone(),
            kind,
            fact: name.clone().unwrap_or_else(|| wire::default_fact(kind, effective)),
            phase,
            occurred,
            revision: self.revision,
            at: effective.at,
            date: effective.date,
            active,
            job: job.clone(),
        };
        let security = self.random.chance(400);
        let mut subject = Subject::of(person, carried);
        if let Some((address, _)) = person.renamed.as_ref().filter(|_| self.renamed) {
            subject = subject.with_address(address);
        }
        if kind == Kind::Identity {
            subject = subject.formerly(&person.email);
        }
        let function = assertion.function();
        let detail = wire::detail(&assertion, &subject, effective, name.as_deref(), security);
        self.tellings.push(Telling {
            function,
            key: function.key(&id),
            id,
            person: Some(self.person),
            poison: None,
            email: subject.email(),
            identifiers: subject.identifiers(),
            security,
            body: wire::envelope(&detail),
            words: wire::words(&assertion),
            assertion: Some(assertion),
        });
        let at = self.sent_at();
        self.sends.push(Send { telling: self.tellings.len() - 1, at });
        self.sends.len() - 1
    }

    /// When what is told now is sent: by an address only as long as the directory has it.
    fn sent_at(&mut self) -> i64 {
        let Some(person) = self.people.get(self.person) else { return 0 };
        let renamed_at = |person: &Person| person.renamed.as_ref().map(|(_, at)| *at);
        let below = |random: &mut Random, most: i64| {
            i64::try_from(random.below(u64::try_from(most).unwrap_or(1).max(1))).unwrap_or(0)
        };
        if let Some(at) = renamed_at(person) {
            return match self.renamed {
                true => at + SECOND + below(self.random, self.window),
                false => below(self.random, self.window.min(at)),
            };
        }
        let former = person.succeeds.and_then(|former| self.people.get(former));
        let since = former.map_or(0, |former| renamed_at(former).unwrap_or(0) + 2 * MINUTE);
        since + below(self.random, self.window)
    }
}
