//! Which licence is due: by the facts of the person and the policy, or by what the person had. Pure.

use super::Case;
use crate::directory::Licence;
use crate::person::{Fact, FactId, FactKind};

/// The licence that is due by the facts, and the fact that says so.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Due {
    /// This one.
    Licence(Licence, FactKind, FactId),
    /// No fact tells the job, so the policy has nothing to choose by.
    JobUnknown,
    /// The policy chooses no licences.
    NoPolicy,
}

/// The licence that is due now: the latest fact of the family decides, at one instant the lower licence. Where no such
/// fact is in force, the job decides as far as it is known.
pub(super) fn due(case: &Case<'_>) -> Due {
    let Some(licences) = &case.policy.licences else { return Due::NoPolicy };
    let of = |fact: &Fact, job| match fact.kind {
        FactKind::Reclaim => Some(licences.reclaim),
        FactKind::Hire
        | FactKind::Rehire
        | FactKind::Termination
        | FactKind::Leave
        | FactKind::Return
        | FactKind::Login
        | FactKind::JobChange => licences.of(job),
    };
    let latest = case.facts.licence(case.now);
    let said = latest.iter().filter_map(|(fact, job)| Some((of(fact, job)?, fact.kind, fact.id.clone())));
    if let Some((licence, kind, fact)) = said.min_by(|a, b| a.0.cmp(&b.0)) {
        return Due::Licence(licence, kind, fact);
    }
    match licences.of(&case.facts.job(case.now)) {
        Some(licence) if latest.is_empty() => Due::Licence(licence, FactKind::Hire, case.event.fact.clone()),
        Some(_) | None => Due::JobUnknown,
    }
}

/// The licence that the policy gives to the person's job, as far as it is known.
pub(super) fn of_job(case: &Case<'_>) -> Option<Licence> {
    match due(case) {
        Due::Licence(licence, _, _) => Some(licence),
        Due::JobUnknown | Due::NoPolicy => None,
    }
}

/// The licence that the policy gives to who joins without a known job.
pub(super) fn by_default(case: &Case<'_>) -> Option<Licence> {
    case.policy.licences.as_ref()?.default
}

/// The licence to give back: what it was to become meanwhile, else what was taken. A trial is never given.
pub(super) fn prior(case: &Case<'_>) -> Option<Licence> {
    case.wish.or_else(|| case.taken.and_then(|taken| Licence::named(taken.licence.as_deref()?)))
}
