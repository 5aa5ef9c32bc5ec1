//! Whom the policy protects, as keyed hashes: an event may name a person by another identifier than the policy does.

use crate::pattern::matches;
use crate::person::{Identity, PersonKey, Subject, WorkEmail, WorkerId};
use crate::policy::{GroupRule, ProtectedRules};
use crate::seal::Keys;
use std::collections::BTreeSet;
use std::fmt;

/// The protected people of a policy.
#[derive(Clone, Default)]
pub struct Shield {
    protected: BTreeSet<String>,
    patterns: Vec<String>,
    groups: Vec<Group>,
}

/// Patterns name people.
impl fmt::Debug for Shield {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Shield").field("groups", &self.groups).finish_non_exhaustive()
    }
}

/// A group that must keep a minimum of its members.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Group {
    /// Its name in the policy.
    pub name: String,
    /// How many must stay.
    pub minimum: usize,
    /// The keyed hashes of its members.
    pub members: BTreeSet<String>,
}

/// How a person stands with the policy's protection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Guard {
    /// Nothing protects them.
    Open,
    /// Nothing is taken from them.
    Protected,
    /// The policy protects patterns of addresses, and the event carries none to compare.
    Unsure,
}

impl Shield {
    /// Hashes whom the policy names.
    #[must_use]
    pub fn new(rules: &ProtectedRules, realm: &str, keys: &Keys) -> Shield {
        let hash = |name: &String| hashed(name, realm, keys);
        let whole = |group: &&GroupRule| group.minimum.is_none();
        let members = rules.groups.iter().filter(whole).flat_map(|group| &group.members);
        let names = rules.emails.iter().chain(&rules.worker_ids).chain(members);
        let group = |rule: &GroupRule| {
            let members = rule.members.iter().filter_map(hash).collect();
            Some(Group { name: rule.name.clone(), minimum: rule.minimum? as usize, members })
        };
        Shield {
            protected: names.filter_map(hash).collect(),
            patterns: rules.patterns.iter().map(|pattern| pattern.trim().to_lowercase()).collect(),
            groups: rules.groups.iter().filter_map(group).collect(),
        }
    }

    /// Whether a person is protected: by any identifier that the event or the ledger ties to them.
    #[must_use]
    pub fn guard(&self, hashes: &BTreeSet<String>, subject: &Subject) -> Guard {
        let matched = |email: &WorkEmail| self.patterns.iter().any(|pattern| matches(pattern, email.as_ref()));
        if !self.protected.is_disjoint(hashes) || subject.email.as_ref().is_some_and(matched) {
            return Guard::Protected;
        }
        if subject.email.is_none() && !self.patterns.is_empty() { Guard::Unsure } else { Guard::Open }
    }

    /// The groups that a person belongs to, with the hashes under which each lists them: by an address, an employee
    /// number, or both.
    pub fn groups(&self, hashes: &BTreeSet<String>) -> impl Iterator<Item = (&Group, BTreeSet<String>)> {
        let listed = |group: &Group| -> BTreeSet<String> { group.members.intersection(hashes).cloned().collect() };
        self.groups.iter().map(move |group| (group, listed(group))).filter(|(_, listed)| !listed.is_empty())
    }

    /// Every group with a minimum.
    #[must_use]
    pub fn quotas(&self) -> &[Group] {
        &self.groups
    }
}

/// The keyed hashes of a person: what the event says, and what the ledger has tied to them.
#[must_use]
pub fn hashes<'a>(
    identities: &[Identity],
    person: Option<&PersonKey>,
    aliases: impl IntoIterator<Item = &'a String>,
) -> BTreeSet<String> {
    let said = identities.iter().map(|identity| identity.person().as_str().to_owned());
    let known = person.map(|person| person.as_str().to_owned());
    // `alias#<realm>#<what>#<hash>`
    let tied = aliases.into_iter().filter_map(|alias| alias.rsplit('#').next().map(str::to_owned));
    said.chain(known).chain(tied).collect()
}

/// The keyed hash of somebody whom the policy names by an address or an employee number.
fn hashed(name: &str, realm: &str, keys: &Keys) -> Option<String> {
    let email = WorkEmail::parse(name).ok();
    let worker_id = if email.is_none() { WorkerId::parse(name).ok() } else { None };
    let subject = Subject { worker_id, provider_subject: None, email, former_email: None };
    let identities = subject.identities(realm, keys);
    identities.first().map(|identity| identity.person().as_str().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_identifier_that_the_ledger_ties_protects_too() {
        let keys = Keys::from_secret(&"k".repeat(32)).unwrap();
        let rules = ProtectedRules { emails: vec!["CEO@x.example".into()], ..ProtectedRules::default() };
        let shield = Shield::new(&rules, "hr", &keys);
        let subject = |worker: Option<&str>, email: Option<&str>| Subject {
            worker_id: worker.map(|id| WorkerId::parse(id).unwrap()),
            provider_subject: None,
            email: email.map(|email| WorkEmail::parse(email).unwrap()),
            former_email: None,
        };
        let by_number = subject(Some("7"), None);
        let alias = subject(None, Some("ceo@x.example")).identities("hr", &keys)[0].alias_key();
        let identities = by_number.identities("hr", &keys);
        let guard = |aliases: &[String]| shield.guard(&hashes(&identities, None, aliases), &by_number);
        assert_eq!((guard(&[]), guard(&[alias])), (Guard::Open, Guard::Protected));
        let other = subject(Some("8"), Some("ceo@x.example"));
        assert_eq!(shield.guard(&hashes(&other.identities("hr", &keys), None, &[]), &other), Guard::Protected);
    }

    #[test]
    fn without_an_address_nobody_can_tell_whether_a_pattern_matches() {
        let keys = Keys::from_secret(&"k".repeat(32)).unwrap();
        let rules = ProtectedRules { patterns: vec!["svc-*@x.example".into()], ..ProtectedRules::default() };
        let shield = Shield::new(&rules, "hr", &keys);
        let subject =
            Subject { worker_id: WorkerId::parse("7").ok(), provider_subject: None, email: None, former_email: None };
        assert_eq!(shield.guard(&BTreeSet::new(), &subject), Guard::Unsure);
    }
}
