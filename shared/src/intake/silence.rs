//! Sources that should have been heard by now: which, is pure; and what remembers that one was heard.

use super::Source;
use crate::ledger::{Heard, NOTED_EVERY};
use crate::policy::SourceRules;
use jiff::{SignedDuration, Timestamp};
use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

/// A source that should have been heard.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Silent {
    /// Which.
    pub source: Source,
    /// For how long nothing came.
    pub for_hours: i64,
}

/// The sources of which nothing came for longer than the policy allows. One without a note is not silent: it is looked for
/// from now on.
#[must_use]
pub fn silent(rules: &SourceRules, heard: &BTreeMap<Source, Heard>, now: Timestamp) -> Vec<Silent> {
    let silent = |(source, hours): (Source, u16)| {
        let lasts = now.duration_since(heard.get(&source)?.since()?);
        let too_long = lasts > SignedDuration::from_hours(i64::from(hours));
        too_long.then(|| Silent { source, for_hours: lasts.as_hours() })
    };
    rules.watched().filter_map(silent).collect()
}

/// What this process noted already: a source is noted once a minute, however much it sends.
#[derive(Debug, Default)]
pub struct Noted(Mutex<BTreeMap<Source, Timestamp>>);

impl Noted {
    /// Whether a source that was heard at an instant is to be noted; it counts as noted then.
    pub fn is_due(&self, source: Source, at: Timestamp) -> bool {
        let mut noted = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let due = noted.get(&source).is_none_or(|before| at.duration_since(*before) >= NOTED_EVERY);
        if due {
            noted.insert(source, at);
        }
        due
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::policy::Policy;

    fn at(hour: i64) -> Timestamp {
        Timestamp::from_second(1_795_000_000 + hour * 3600).unwrap()
    }

    #[test]
    fn a_source_is_silent_when_nothing_came_for_longer_than_its_hours() {
        let policy = r#"{"sources":{"systems":{"okta":{"silent_after_hours":24},"gusto":{}}}}"#;
        let rules = Policy::parse(policy).unwrap().sources;
        let okta = |heard| BTreeMap::from([(Source::Okta, heard)]);
        let second = SignedDuration::from_secs(1);
        let table = [
            (BTreeMap::new(), at(999), None),
            (okta(Heard::at(at(0))), at(24), None),
            (okta(Heard::at(at(0))), at(24).checked_add(second).unwrap(), Some(24)),
            (okta(Heard::nothing_since(at(0))), at(24), None),
            (okta(Heard::nothing_since(at(0))), at(30), Some(30)),
            // Gusto has no limit, and was never told to have one.
            (BTreeMap::from([(Source::Gusto, Heard::at(at(0)))]), at(999), None),
        ];
        for (heard, now, hours) in table {
            let expected: Vec<Silent> =
                hours.map(|for_hours| Silent { source: Source::Okta, for_hours }).into_iter().collect();
            assert_eq!(silent(&rules, &heard, now), expected, "{heard:?} {now}");
        }
    }

    #[test]
    fn a_source_is_noted_once_a_minute() {
        let noted = Noted::default();
        let second = |second: i64| Timestamp::from_second(1_795_000_000 + second).unwrap();
        let due: Vec<bool> = [0, 59, 60, 61, 30].map(|at| noted.is_due(Source::Okta, second(at))).into();
        assert_eq!(due, [true, false, true, false, false]);
        assert!(noted.is_due(Source::Gusto, second(61)), "each by itself");
    }
}
