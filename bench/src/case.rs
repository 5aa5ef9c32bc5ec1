//! What is measured: programs, kinds of batch, sizes, and how often. And the calls that must come of them.

use crate::company::PEOPLE;
use crate::events::Assertion;
use crate::programs::Program;
use serde::Serialize;
use std::collections::BTreeMap;

/// What a batch consists of. Everybody in it is somebody else.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Kind {
    /// Events about people whom the ledger knows from an event before.
    Known,
    /// Events about people of whom nothing was heard before.
    FirstSeen,
    /// Events that were handled before.
    Duplicates,
    /// Of four events two about known people, one about somebody first seen, and a duplicate.
    Mixed,
}

impl Kind {
    /// All of them.
    pub(crate) const ALL: [Kind; 4] = [Kind::Known, Kind::FirstSeen, Kind::Duplicates, Kind::Mixed];

    /// What it is called.
    pub(crate) fn word(self) -> &'static str {
        match self {
            Kind::Known => "known",
            Kind::FirstSeen => "first seen",
            Kind::Duplicates => "duplicates",
            Kind::Mixed => "mixed",
        }
    }

    /// What holds of the event at this place of a batch.
    pub(crate) fn of_place(self, place: usize) -> Kind {
        match (self, place % 4) {
            (Kind::Mixed, 2) => Kind::FirstSeen,
            (Kind::Mixed, 3) => Kind::Duplicates,
            (Kind::Mixed, _) => Kind::Known,
            (Kind::Known | Kind::FirstSeen | Kind::Duplicates, _) => self,
        }
    }
}

/// One thing that is measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Case {
    pub(crate) program: Program,
    pub(crate) kind: Kind,
    pub(crate) batch: usize,
    /// Invocations that are measured.
    pub(crate) samples: usize,
    /// Invocations before them, which are not.
    pub(crate) warm_up: usize,
}

/// The sizes: one event, SQS's default batch, a slice of the ledger (and the template's batch), more than a slice, and
/// many.
pub(crate) const BATCHES: [usize; 5] = [1, 10, 48, 50, 1000];

impl Case {
    /// A case, repeated as its size allows.
    pub(crate) fn new(program: Program, kind: Kind, batch: usize, quick: bool) -> Case {
        let (samples, warm_up) = match batch {
            0..10 => (60, 3),
            10..40 => (40, 2),
            40..100 => (20, 2),
            _ => (5, 1),
        };
        let (samples, warm_up) = if quick { ((samples / 10).max(2), 1) } else { (samples, warm_up) };
        Case { program, kind, batch, samples, warm_up }
    }

    /// Everything that is measured without delays.
    pub(crate) fn all(quick: bool) -> Vec<Case> {
        let mut cases = Vec::new();
        for batch in BATCHES {
            cases.push(Case::new(Program::BenchEmpty, Kind::Known, batch, quick));
        }
        for program in [Program::BenchNaive, Program::SuspendUser] {
            for kind in Kind::ALL {
                for batch in BATCHES {
                    cases.push(Case::new(program, kind, batch, quick));
                }
            }
        }
        for program in [Program::ReinstateUser, Program::LogoutUser, Program::RelicenseUser] {
            cases.push(Case::new(program, Kind::Known, 48, quick));
        }
        cases.push(Case::new(Program::InviteUser, Kind::FirstSeen, 48, quick));
        cases
    }

    /// The invocations of it, warm-up and all.
    pub(crate) fn invocations(&self) -> usize {
        self.warm_up + self.samples
    }

    /// Who the event at a place of an invocation's batch is about. Duplicates of one batch serve every invocation.
    pub(crate) fn person(&self, invocation: usize, place: usize) -> usize {
        let first = if self.kind == Kind::Duplicates { 0 } else { invocation * self.batch };
        (first + place) % PEOPLE
    }

    /// What its events assert.
    pub(crate) fn assertion(&self) -> Assertion {
        match self.program {
            Program::BenchEmpty | Program::BenchNaive | Program::SuspendUser => Assertion::Left,
            Program::InviteUser => Assertion::Hired,
            Program::ReinstateUser => Assertion::Returned,
            Program::LogoutUser => Assertion::Leaked,
            Program::RelicenseUser => Assertion::Clerk,
        }
    }

    /// How people become known: which function handles which event about them before.
    pub(crate) fn acquaintance(&self) -> (Program, Assertion) {
        match self.program {
            Program::RelicenseUser => (Program::RelicenseUser, Assertion::Engineer),
            Program::BenchEmpty
            | Program::BenchNaive
            | Program::InviteUser
            | Program::SuspendUser
            | Program::ReinstateUser
            | Program::LogoutUser => (Program::SuspendUser, Assertion::LeftBefore),
        }
    }

    /// The calls of one invocation, where their number follows from the batch: recall, claim, suspend and
    /// settle for each slice of 48 events, as many people in one BatchSuspendUser as Chime takes (50), one recall a
    /// slice of duplicates; and what the plain function's text says.
    pub(crate) fn promised(&self) -> Option<BTreeMap<String, u64>> {
        let (events, slices) = (self.batch as u64, self.batch.div_ceil(48) as u64);
        let calls = match (self.program, self.kind) {
            (Program::BenchEmpty, _) => Vec::new(),
            (Program::BenchNaive, Kind::Duplicates) => vec![("DynamoDB.GetItem", events)],
            (Program::BenchNaive, Kind::Known | Kind::FirstSeen) => vec![
                ("DynamoDB.GetItem", events),
                ("Chime.ListUsers", events),
                ("DynamoDB.PutItem", events),
                ("Chime.BatchSuspendUser", events),
                ("DynamoDB.UpdateItem", events),
            ],
            (Program::SuspendUser, Kind::Known) => vec![
                ("DynamoDB.BatchGetItem", slices),
                ("DynamoDB.TransactWriteItems", 2 * slices),
                ("Chime.BatchSuspendUser", events.div_ceil(50)),
            ],
            (Program::SuspendUser, Kind::Duplicates) => vec![("DynamoDB.BatchGetItem", slices)],
            (Program::SuspendUser, Kind::FirstSeen | Kind::Mixed)
            | (Program::BenchNaive, Kind::Mixed)
            | (Program::InviteUser | Program::ReinstateUser | Program::LogoutUser | Program::RelicenseUser, _) => {
                return None;
            }
        };
        Some(calls.into_iter().map(|(name, calls)| (name.to_owned(), calls)).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Nobody is met twice in a case that is about people who are somebody else each time.
    #[test]
    fn the_company_is_large_enough() {
        for case in Case::all(false) {
            let events = case.invocations() * case.batch;
            assert!(events <= PEOPLE || case.program == Program::BenchEmpty, "{case:?} needs {events} people");
        }
    }

    #[test]
    fn a_mixed_batch_is_half_known() {
        let kinds: Vec<Kind> = (0..4).map(|place| Kind::Mixed.of_place(place)).collect();
        assert_eq!(kinds, [Kind::Known, Kind::Known, Kind::FirstSeen, Kind::Duplicates]);
    }

    /// 48 known terminations are recall, claim, suspend and settle; 48 duplicates one recall; 50 are two slices
    /// and still one suspend.
    #[test]
    fn what_is_promised_is_what_the_slices_need() {
        let promised = |kind, batch| {
            let calls = Case::new(Program::SuspendUser, kind, batch, false).promised().unwrap();
            (calls.values().sum::<u64>(), calls.get("Chime.BatchSuspendUser").copied())
        };
        assert_eq!(promised(Kind::Known, 48), (4, Some(1)));
        assert_eq!(promised(Kind::Known, 50), (7, Some(1)));
        assert_eq!(promised(Kind::Duplicates, 48), (1, None));
        assert_eq!(promised(Kind::Known, 1000), (21 + 42 + 20, Some(20)));
    }
}
