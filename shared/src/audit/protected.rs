//! Whom the policy protects, by the names that roster and directory have for people.

use crate::pattern::matches;
use crate::policy::ProtectedRules;
use std::collections::BTreeSet;
use std::fmt;

/// The protected people. The road asks again, by every identifier that the ledger ties to a person.
#[derive(Clone, Default)]
pub struct Protected {
    names: BTreeSet<String>,
    patterns: Vec<String>,
}

/// It names people.
impl fmt::Debug for Protected {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Protected(redacted)")
    }
}

impl Protected {
    /// Reads the policy's section. Members of a group that must stay whole are protected, others are not.
    #[must_use]
    pub fn new(rules: &ProtectedRules) -> Protected {
        let lower = |name: &String| name.trim().to_lowercase();
        let whole = rules.groups.iter().filter(|group| group.minimum.is_none());
        let members = whole.flat_map(|group| &group.members);
        Protected {
            names: rules.emails.iter().chain(&rules.worker_ids).chain(members).map(lower).collect(),
            patterns: rules.patterns.iter().map(lower).collect(),
        }
    }

    /// Whether an address or an employee number is one of theirs.
    #[must_use]
    pub fn has(&self, name: &str) -> bool {
        let name = name.to_lowercase();
        self.names.contains(&name) || self.patterns.iter().any(|pattern| matches(pattern, &name))
    }
}
