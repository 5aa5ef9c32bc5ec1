//! Whether somebody from whom something was taken is due to have it back. Pure.
//!
//! A function that finds that access is not due gives nothing, and nobody asks again when an operator rejects the fact that
//! stood in the way. So the pass asks again: with the start that decides, or, where no fact says, by taking back once more
//! what was taken back or rejected. Either repeats an assertion that the ledger has; nothing new is asserted.

use super::Grounds;
use super::ask::{Asserts, Whom, detail};
use super::judge::{Leaving, leaving, overtaken};
use crate::audit;
use crate::event::wire::{Basis, Detail, Effective, EffectiveSource, Kind, Phase};
use crate::ledger::{PersonItem, Taken};
use crate::person::{Access, Employment, Fact, FactKind, Facts, Standing};
use crate::roster::{Leaver, Row, Status};
use jiff::Timestamp;

/// What becomes of somebody from whom something was taken.
#[derive(Clone)]
pub enum Restoring {
    /// It is due back: this asks for it.
    Due(Box<Detail>),
    /// It is not due back.
    NotDue,
    /// An attempt at another event of the person is under way: the next pass looks again.
    Busy,
    /// HR's roster says that the person works there, and the ledger that the person left before it was dropped. Nobody
    /// rescinded that: it is told, and not acted on.
    Contradicted,
    /// It is due back, and the roster does not have the person, or no event can say it.
    Unreached,
}

/// Judges somebody from whom something was taken. `row` is the person's in the roster.
#[must_use]
pub fn restore(person: &PersonItem, row: Option<&Row>, grounds: &Grounds<'_>) -> Restoring {
    let Some(taken) = &person.taken else { return Restoring::NotDue };
    let facts = &person.facts;
    let again = match facts.access(grounds.now, grounds.access) {
        Access::NotDue(_) if contradicts(facts, row, grounds) => return Restoring::Contradicted,
        Access::NotDue(_) => return Restoring::NotDue,
        Access::Due(_) => match facts.employment(grounds.now) {
            Some(Employment::Running(start)) => again(start),
            Some(Employment::Over(_)) | None => None,
        },
        // The audit saw that nobody in HR owns the user. It asserts no fact, so that no fact says is how it was.
        Access::AsIs if of_audit(taken) => return Restoring::NotDue,
        Access::AsIs => void(facts).and_then(again),
    };
    if person.lease.as_ref().is_some_and(|lease| lease.until > grounds.now.as_millisecond()) {
        return Restoring::Busy;
    }
    let (Some(again), Some(row)) = (again, row) else { return Restoring::Unreached };
    if has_left(row, grounds) && !overtaken(facts, grounds) {
        return Restoring::NotDue;
    }
    let whom = Whom { worker_id: &row.worker_id, subjects: &row.subjects, email: row.email.as_ref() };
    // What is taken another time is due back another time, by the same fact.
    Restoring::Due(Box::new(detail(grounds, whom, again, &format!("{} {}", taken.event, taken.at))))
}

fn of_audit(taken: &Taken) -> bool {
    taken.event.split_once('#').is_some_and(|(_, id)| audit::is_removal(id))
}

/// The newest end or leave that was taken back or rejected.
fn void(facts: &Facts) -> Option<&Fact> {
    let ends = facts.iter().filter(|fact| match fact.kind {
        FactKind::Termination | FactKind::Leave => fact.standing != Standing::Asserted,
        FactKind::Hire
        | FactKind::Rehire
        | FactKind::Return
        | FactKind::Login
        | FactKind::JobChange
        | FactKind::Reclaim => false,
    });
    ends.max_by(|a, b| {
        a.assertion.occurred_at.cmp(&b.assertion.occurred_at).then_with(|| (a.kind, &a.id).cmp(&(b.kind, &b.id)))
    })
}

/// The same assertion of a fact once more; `None` for a fact that gives no access.
fn again(fact: &Fact) -> Option<Asserts<'_>> {
    let (kind, phase) = match fact.kind {
        FactKind::Hire => (Kind::Hire, Phase::Effective),
        FactKind::Rehire => (Kind::Rehire, Phase::Effective),
        FactKind::Termination => (Kind::Termination, Phase::Rescinded),
        FactKind::Leave => (Kind::Leave, Phase::Rescinded),
        FactKind::Return | FactKind::Login | FactKind::JobChange | FactKind::Reclaim => return None,
    };
    let at = fact.at.unwrap_or(fact.assertion.occurred_at);
    Some(Asserts {
        kind,
        phase,
        fact: &fact.id,
        occurred_at: fact.assertion.occurred_at,
        revision: fact.assertion.revision.as_ref(),
        effective: Effective {
            date: fact.date.map(|date| date.to_string()),
            at: Some(at.to_string()),
            zone: None,
            basis: Basis::Instant,
            source: EffectiveSource::Enriched,
        },
        reason: fact.reason,
        job: &fact.job,
    })
}

/// The roster says that the person works there, and was dropped after the end that the ledger has.
fn contradicts(facts: &Facts, row: Option<&Row>, grounds: &Grounds<'_>) -> bool {
    let before = |at: Timestamp| at < grounds.dropped_at;
    let works = row.is_some_and(|row| works(row.status) && !has_left(row, grounds));
    match facts.employment(grounds.now) {
        Some(Employment::Over(end)) => {
            works
                && end.kind == FactKind::Termination
                && before(end.assertion.occurred_at)
                && end.at.is_some_and(before)
        }
        Some(Employment::Running(_)) | None => false,
    }
}

fn works(status: Status) -> bool {
    match status {
        Status::Active | Status::OnLeave => true,
        Status::PreHire | Status::Terminated => false,
    }
}

/// Whether the roster says that the person has left, however long ago.
fn has_left(row: &Row, grounds: &Grounds<'_>) -> bool {
    match Leaver::of(row).map(|leaver| leaving(&leaver, grounds)) {
        None | Some(Leaving::Ahead) => false,
        // The day is over everywhere.
        Some(Leaving::Left { .. } | Leaving::LongAgo | Leaving::Undated) => true,
    }
}
