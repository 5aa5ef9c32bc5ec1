//! hr-intake: keeps what is announced until it is due. It asks nothing of the directory.

use super::{Case, Concluded, Conclusion, Decision, Reason, conclude, overruled};

pub(super) fn decide(case: &Case<'_>) -> Decision {
    // Whoever asserts the fact otherwise since is the one that wakes up.
    if let Some(newer) = overruled(case.event, case.facts) {
        return conclude(Concluded::Superseded, Reason::NewerAssertion, Some(newer));
    }
    let kept = Conclusion::new(Concluded::Unchanged, Reason::FactRecorded, None);
    Decision::Conclude(Conclusion { due: case.event.moment.at(), ..kept })
}
