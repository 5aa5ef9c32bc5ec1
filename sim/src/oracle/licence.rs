//! Which licence is due, by a model of its own: the latest fact of the licence family, the job, and the first rule that
//! fits.

use super::{Assertion, Kind, Rejected, before, employment, facts};

/// A licence, from the least to the most.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Licence {
    /// Attends.
    Basic,
    /// In between.
    Plus,
    /// Hosts.
    Pro,
}

impl Licence {
    /// All of them.
    pub const ALL: [Licence; 3] = [Licence::Basic, Licence::Plus, Licence::Pro];

    /// Its name in the API.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Licence::Basic => "Basic",
            Licence::Plus => "Plus",
            Licence::Pro => "Pro",
        }
    }

    /// The licence of a name.
    #[must_use]
    pub fn named(word: &str) -> Option<Licence> {
        Licence::ALL.into_iter().find(|licence| licence.word() == word)
    }
}

/// What is told of a job.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Job {
    /// Its code.
    pub code: Option<&'static str>,
    /// Its department.
    pub department: Option<&'static str>,
}

impl Job {
    fn with(self, later: &Job) -> Job {
        Job { code: later.code.or(self.code), department: later.department.or(self.department) }
    }
}

/// Which licence a job comes with, as the policy says.
#[derive(Clone, Debug)]
pub struct Licences {
    /// The first that fits counts: code, department, licence. A member that is absent fits everybody.
    pub rules: Vec<(Option<&'static str>, Option<&'static str>, Licence)>,
    /// Where none fits.
    pub default: Option<Licence>,
    /// What is left after a reclaim.
    pub reclaim: Licence,
}

impl Licences {
    /// The licence of a job. Of who has none that is known, nothing is said.
    fn of(&self, job: &Job) -> Option<Licence> {
        if job == &Job::default() {
            return None;
        }
        let fits = |rule: &&(Option<&str>, Option<&str>, Licence)| {
            rule.0.is_none_or(|code| job.code == Some(code))
                && rule.1.is_none_or(|department| job.department == Some(department))
        };
        self.rules.iter().find(fits).map(|rule| rule.2).or(self.default)
    }
}

/// The licence that is due at a time, by all that was said; `None`: the policy has nothing to choose by.
#[must_use]
pub fn licence(said: &[&Assertion], rejected: &Rejected, now: i64, licences: &Licences) -> Option<Licence> {
    let mut facts = facts(said);
    facts.retain(|fact| !rejected.contains(&fact.rejects()) && fact.holds(now));
    let start = employment(&facts).filter(|fact| fact.kind.is_start());
    // A job of a former employment says nothing of this one.
    let bears = |fact: &&&Assertion| start.is_none_or(|start| !before(fact, start));
    let mut changes: Vec<&Assertion> =
        facts.iter().filter(|fact| fact.kind == Kind::JobChange).filter(bears).copied().collect();
    let reclaims = facts.iter().filter(|fact| fact.kind == Kind::Reclaim).filter(bears).copied();
    let job = |last: Option<&Assertion>, changes: &mut Vec<&Assertion>| {
        let is_last = |fact: &Assertion| last.is_some_and(|last| last.fact == fact.fact);
        changes.sort_by(|a, b| (a.at, is_last(a), &a.fact).cmp(&(b.at, is_last(b), &b.fact)));
        let told = start.map(|start| start.job.clone()).unwrap_or_default();
        changes.iter().fold(told, |job, change| job.with(&change.job))
    };
    let family: Vec<&Assertion> = changes.iter().copied().chain(reclaims).collect();
    let Some(latest) = family.iter().filter_map(|fact| fact.at).max() else {
        return licences.of(&job(None, &mut changes));
    };
    let said = family.into_iter().filter(|fact| fact.at == Some(latest));
    let licence = |fact: &Assertion| match fact.kind {
        Kind::Reclaim => Some(licences.reclaim),
        Kind::Hire
        | Kind::Rehire
        | Kind::Termination
        | Kind::Leave
        | Kind::Return
        | Kind::Login
        | Kind::JobChange
        | Kind::Compromise
        | Kind::Identity => licences.of(&job(Some(fact), &mut changes.clone())),
    };
    said.filter_map(licence).min()
}
