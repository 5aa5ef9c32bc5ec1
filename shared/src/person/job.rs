//! A person's job, as far as HR tells it: what the policy looks at to choose a licence.

use serde::{Deserialize, Serialize};
use std::fmt;

/// The longest value that is kept, in characters.
const VALUE_LIMIT: usize = 64;

/// What HR tells of a job. A member that nobody told is absent.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Job {
    /// Its code.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code: Option<String>,
    /// Its department.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub department: Option<String>,
    /// Its location.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub location: Option<String>,
    /// The kind of employment.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub employment_type: Option<String>,
}

/// A sender chose the values.
impl fmt::Debug for Job {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Job(redacted)")
    }
}

impl Job {
    /// Nothing is known of it.
    #[must_use]
    pub fn is_unknown(&self) -> bool {
        self == &Job::default()
    }

    /// This job with what a later fact tells of it.
    #[must_use]
    pub fn with(self, later: &Job) -> Job {
        let newer = |later: &Option<String>, known| later.clone().or(known);
        Job {
            code: newer(&later.code, self.code),
            department: newer(&later.department, self.department),
            location: newer(&later.location, self.location),
            employment_type: newer(&later.employment_type, self.employment_type),
        }
    }

    /// A value as it is kept: without surrounding space, 64 characters at most; `None` where nothing is left.
    #[must_use]
    pub fn value(text: &str) -> Option<String> {
        let kept: String = text.trim().chars().filter(|c| !c.is_control()).take(VALUE_LIMIT).collect();
        (!kept.is_empty()).then_some(kept)
    }
}
