//! What HR tells of one person: employments, leaves and logins, announced, corrected, taken back, and told again.
//!
//! One rule keeps the end exact: a *start* (hire, rehire, return) is taken back, never re-dated. Where it would move
//! behind an end, access would no longer be due, and no event asks for it to be taken: the design leaves that to the
//! reconcile pass.

use super::people::Person;
use super::wire::{self, Effective, Subject};
use super::{NOON, Send, TODAY, Telling, window};
use crate::bounds::{DAY, MINUTE, SECOND};
use crate::oracle::{Assertion, Kind, Phase};
use rollcall_local::chime::random::Random;

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
}

/// One fact, as it is asserted first.
#[derive(Clone)]
struct Fact {
    kind: Kind,
    name: Option<String>,
    effective: Effective,
}

impl<'a> Writer<'a> {
    pub(super) fn new(random: &'a mut Random, people: &'a [Person]) -> Writer<'a> {
        let window = window(random);
        Writer { random, people, tellings: Vec::new(), sends: Vec::new(), window, person: 0, facts: 0, revision: None }
    }

    pub(super) fn finish(self) -> (Vec<Telling>, Vec<Send>) {
        (self.tellings, self.sends)
    }

    /// Tells one person's story.
    pub(super) fn person(&mut self, person: usize) {
        self.person = person;
        if self.random.chance(600) {
            self.hire(-400);
        }
        let mut day = -30 - self.days(10);
        for _ in 0..=self.random.below(3) {
            // Now and then two things happen on one day.
            day = (day + self.days(9)).min(-3);
            match self.random.below(12) {
                0..4 => self.termination(day),
                4 | 5 => self.rehire(day),
                6 | 7 => self.leave(day),
                8 => self.login(day),
                9 => self.hire(day),
                _ => self.later(),
            }
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
            self.say(Kind::Login, Some("account".to_owned()), Phase::Effective, &effective, at, active);
            // Two at one instant: the inactive one counts.
            at += if self.random.chance(150) { 0 } else { (1 + self.days(40)) * 60 * MINUTE };
        }
    }

    /// Something that bites while the run is under way: announced before, and fired when it is time.
    fn later(&mut self) {
        let kinds = [Kind::Termination, Kind::Termination, Kind::Rehire, Kind::Leave];
        let kind = self.random.one_of(&kinds).copied().unwrap_or(Kind::Termination);
        let at = NOON + (5 + self.days(40)) * MINUTE;
        let effective = Effective { at: Some(at), date: Some(TODAY), told: wire::Told::Instant };
        let fact = Fact { kind, name: Some(self.name()), effective };
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
        Fact { kind, name, effective: self.effective(day) }
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
        (NOON + day * DAY + hours * 60 * MINUTE).min(NOON - 60 * MINUTE)
    }

    /// Later than that; sometimes, because a sender's clock went wrong, earlier. Never at the same instant as another
    /// assertion of the fact: then the event's id would decide, and an announcement could win over what came of it.
    fn after(&mut self, said: i64) -> i64 {
        let hours = self.days(48) - 5;
        let apart = i64::try_from(self.tellings.len()).unwrap_or(0) + 1;
        (said + hours * 60 * MINUTE + apart * SECOND).min(NOON - MINUTE + apart * SECOND)
    }

    /// Tells an assertion of a fact. Answers the position of its message.
    fn tell(&mut self, fact: &Fact, phase: Phase, occurred: i64) -> usize {
        self.say(fact.kind, fact.name.clone(), phase, &fact.effective, occurred, true)
    }

    fn say(
        &mut self,
        kind: Kind,
        name: Option<String>,
        phase: Phase,
        effective: &Effective,
        occurred: i64,
        active: bool,
    ) -> usize {
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
        };
        let security = self.random.chance(400);
        let subject = Subject::of(person, carried);
        let detail = wire::detail(&assertion, &subject, effective, name.as_deref(), security);
        self.tellings.push(Telling {
            key: format!("suspend-user#{id}"),
            id,
            person: Some(self.person),
            poison: None,
            has_email: carried.2,
            identifiers: subject.identifiers(),
            security,
            body: wire::envelope(&detail),
            words: wire::words(&assertion),
            assertion: Some(assertion),
        });
        let at = i64::try_from(self.random.below(u64::try_from(self.window).unwrap_or(1))).unwrap_or(0);
        self.sends.push(Send { telling: self.tellings.len() - 1, at });
        self.sends.len() - 1
    }
}
