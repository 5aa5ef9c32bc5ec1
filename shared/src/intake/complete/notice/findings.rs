//! What a record says and the ledger does not have, one question a function.

use super::super::Whence;
use super::super::known::{ENDS, Known, STARTS, day, day_in, days_after, is_of};
use super::super::record::Record;
use super::Finding;
use crate::event::Kind;
use crate::event::wire::{Change, ChangedField};
use crate::person::{Fact, FactKind, Job, Standing};
use crate::roster::Status;
use jiff::Timestamp;
use jiff::civil::Date;

/// How long a status may lag behind its own date, in days: zones, nightly jobs, and an export that waited.
const LAG: i64 = 2;

/// Record, ledger and time, as the questions look at them.
struct Case<'a> {
    record: &'a Record<'a>,
    whence: Whence,
    known: &'a Known<'a>,
    /// When the notice was sent.
    occurred: Timestamp,
    today: Date,
}

/// Everything that the record says and the ledger does not have: in the order of a life at work.
pub(super) fn of(record: &Record<'_>, whence: Whence, known: &Known<'_>, occurred: Timestamp) -> Vec<Finding> {
    let zone = known.zone().map(|(zone, _)| zone);
    let case = Case { record, whence, known, occurred, today: day_in(zone, known.now) };
    let start = case.start();
    let restarted = start.as_ref().is_some_and(|start| start.kind == Kind::Rehire);
    let end = case.end();
    let taken_back = case.end_taken_back().filter(|_| !restarted && end.is_none());
    let started = start.is_some();
    let job = case.job().filter(|_| !started);
    [start, end, taken_back].into_iter().flatten().chain(case.leave()).chain(job).collect()
}

/// How the employment ends, as the record has it.
enum End {
    On(Date),
    /// It is over, and nobody tells since when.
    Over,
    None,
}

impl Case<'_> {
    /// The status says that the person works there, or will.
    fn works(&self) -> bool {
        match self.record.status {
            Some(Status::Active | Status::OnLeave | Status::PreHire) => true,
            Some(Status::Terminated) | None => false,
        }
    }

    fn is_over(&self) -> bool {
        self.record.status == Some(Status::Terminated)
    }

    /// The date is not so long ago that it is no news.
    fn is_recent(&self, date: Date) -> bool {
        date >= days_after(self.today, -i64::from(self.known.rules.reconcile.looks_back_days))
    }

    /// HR asserted, or an operator rejected, just this.
    fn has(&self, kinds: &'static [FactKind], date: Date) -> bool {
        let said = |fact: &Fact| match fact.standing {
            Standing::Asserted | Standing::Rejected => true,
            Standing::Rescinded => false,
        };
        self.known.facts.iter().any(|fact| kinds.contains(&fact.kind) && said(fact) && is_of(fact, date))
    }

    /// The end that the ledger has, where no later start follows it.
    fn ledger_end(&self) -> Option<&Fact> {
        let end = self.known.latest(ENDS)?;
        let start = self.known.latest(STARTS);
        // On one day a start beats an end: a contract change.
        start.is_none_or(|start| (day(start), start.at) < (day(end), end.at) && day(start) != day(end)).then_some(end)
    }

    fn in_force(&self, fact: &Fact) -> bool {
        fact.at.is_some_and(|at| at <= self.known.now)
    }

    /// The fact was asserted before the notice; else a notice says nothing about it.
    fn is_older(&self, fact: &Fact) -> bool {
        fact.assertion.occurred_at < self.occurred
    }

    fn start(&self) -> Option<Finding> {
        let date = self.record.started.filter(|_| !self.is_over())?;
        if self.has(STARTS, date) {
            return None;
        }
        let end = self.ledger_end();
        let kind = match end.and_then(|end| day(end).map(|day| (end, day))) {
            Some((_, end)) if end < date => Kind::Rehire,
            // It is the start of the employment that has ended.
            Some((end, _)) if self.in_force(end) => return None,
            Some(_) | None if !self.is_recent(date) => return None,
            Some(_) | None => match self.known.latest(STARTS).map(|start| start.kind) {
                Some(FactKind::Rehire) => Kind::Rehire,
                Some(_) | None => Kind::Hire,
            },
        };
        let changes = changes(&Job::default(), self.record.job, |_, _| true);
        Some(Finding { changes, ..Finding::new(kind, Some(date)) })
    }

    fn recorded_end(&self) -> End {
        let former = |date: Date| self.works() && date < days_after(self.today, -LAG);
        match self.record.end() {
            Some(date) if !former(date) => End::On(date),
            Some(_) | None if self.is_over() => End::Over,
            Some(_) | None => End::None,
        }
    }

    fn end(&self) -> Option<Finding> {
        let start = self.known.latest(STARTS);
        let is_known = start.is_some() || self.known.latest(ENDS).is_some();
        match self.recorded_end() {
            End::On(date) => {
                let former = start.and_then(day).is_some_and(|start| start > date);
                let news = !former && !self.has(ENDS, date) && (is_known || self.is_recent(date));
                news.then(|| Finding::new(Kind::Termination, Some(date)))
            }
            End::Over => {
                let ended = self.ledger_end().is_some_and(|end| self.in_force(end));
                let rejected = self.known.facts.iter().any(|fact| {
                    fact.kind == FactKind::Termination && fact.standing == Standing::Rejected && self.is_older(fact)
                });
                (!ended && !rejected).then(|| Finding::new(Kind::Termination, None))
            }
            End::None => None,
        }
    }

    /// The ledger has an end that the record does not have any more.
    ///
    /// Whoever does not speak of the end takes none back: a field that a token may not read, and a column that a roster
    /// does not have, look the same. But who works there days after the end has not left.
    fn end_taken_back(&self) -> Option<Finding> {
        let works = matches!(self.record.status, Some(Status::Active | Status::OnLeave));
        let none = matches!(self.recorded_end(), End::None);
        let end = self.ledger_end().filter(|end| works && none && self.is_older(end))?;
        let told = self.record.tells_end && self.whence == Whence::Api;
        let long_over = day(end).is_some_and(|end| end < days_after(self.seen(), -LAG));
        (told || long_over).then(|| Finding { rescinded: true, ..Finding::new(Kind::Termination, None) })
    }

    /// The day on which somebody saw the record so.
    fn seen(&self) -> Date {
        let at = match self.whence {
            Whence::Roster => self.known.gathered.roster_at.unwrap_or(Timestamp::UNIX_EPOCH),
            Whence::Api | Whence::Ledger | Whence::Policy | Whence::EventTime => self.known.now,
        };
        day_in(self.known.zone().map(|(zone, _)| zone), at)
    }

    fn leave(&self) -> Vec<Finding> {
        const LEAVES: &[FactKind] = &[FactKind::Leave];
        const RETURNS: &[FactKind] = &[FactKind::Return];
        if self.is_over() {
            return Vec::new();
        }
        let back = |last: Date| {
            let day = days_after(last, 1);
            (!self.has(RETURNS, day)).then(|| Finding::new(Kind::Return, Some(day)))
        };
        match (self.record.leave, self.record.status) {
            (Some(leave), _) => {
                let known = self.has(LEAVES, leave.from);
                let past = leave.to.is_some_and(|last| last < self.today);
                let away = (!known && !past).then(|| Finding::new(Kind::Leave, Some(leave.from)));
                let back = leave.to.filter(|_| known || !past).and_then(back);
                away.into_iter().chain(back).collect()
            }
            (None, Some(Status::OnLeave)) if self.on_leave().is_none() => vec![Finding::new(Kind::Leave, None)],
            (None, Some(Status::Active)) => {
                let seen = |leave: &&Fact| match self.whence {
                    Whence::Api => true,
                    Whence::Roster | Whence::Ledger | Whence::Policy | Whence::EventTime => {
                        day(leave).is_some_and(|from| from < days_after(self.seen(), -LAG))
                    }
                };
                let over = self.on_leave().filter(|leave| self.is_older(leave)).filter(seen);
                over.map(|_| Finding::new(Kind::Return, None)).into_iter().collect()
            }
            (None, Some(Status::PreHire | Status::OnLeave | Status::Terminated) | None) => Vec::new(),
        }
    }

    /// The leave that the ledger has in force.
    fn on_leave(&self) -> Option<&Fact> {
        let running = self.known.asserted(&[FactKind::Leave, FactKind::Return]).filter(|fact| self.in_force(fact));
        let last = running.max_by_key(|fact| (fact.at, fact.kind == FactKind::Leave))?;
        (last.kind == FactKind::Leave).then_some(last)
    }

    fn job(&self) -> Option<Finding> {
        let before = self.known.facts.job(self.known.now);
        if before.is_unknown() || self.is_over() {
            return None;
        }
        let changes = changes(&before, self.record.job, |before, after| before.is_some_and(|before| before != after));
        (!changes.is_empty()).then(|| Finding { changes, ..Finding::new(Kind::JobChange, None) })
    }
}

/// The members of a job that the record tells, and that count as changed.
fn changes(before: &Job, after: &Job, changed: impl Fn(Option<&str>, &str) -> bool) -> Vec<Change> {
    let members = [
        (ChangedField::JobCode, &before.code, &after.code),
        (ChangedField::Department, &before.department, &after.department),
        (ChangedField::Location, &before.location, &after.location),
        (ChangedField::EmploymentType, &before.employment_type, &after.employment_type),
    ];
    let told = members.into_iter().filter_map(|(field, before, after)| Some((field, before, after.as_ref()?)));
    told.filter(|(_, before, after)| changed(before.as_deref(), after))
        .map(|(field, before, after)| Change {
            field,
            before: before.clone(),
            after: Some(after.clone()),
            value_known: Some(true),
        })
        .collect()
}
