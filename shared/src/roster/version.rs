//! Which load of a roster it was, and which of two is the later.

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use serde::{Deserialize, Serialize};
use std::fmt;

/// One load of a roster. Its text sorts by time, so of two versions the greater is the later.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Version(String);

impl Version {
    /// The version of a roster that was dropped, or asked for, at an instant, and whose load began then or later.
    ///
    /// S3 tells whole seconds. Of what was dropped within one, the load that began later is the later. `random` tells
    /// apart what began at once.
    #[must_use]
    pub fn new(at: Timestamp, began: Timestamp, random: u128) -> Version {
        let lag = began.as_millisecond().saturating_sub(at.as_second().saturating_mul(1000)).clamp(0, 999_999_999);
        Version(format!("{}-{lag:09}-{:04x}", at.strftime("%Y%m%dT%H%M%SZ"), random & 0xffff))
    }

    /// When it was dropped, to the second: so old is what it says. 1970 for a text that is no version.
    #[must_use]
    pub fn dropped_at(&self) -> Timestamp {
        let at = self.0.split_once('-').map_or("", |(at, _)| at);
        DateTime::strptime("%Y%m%dT%H%M%SZ", at)
            .and_then(|at| at.to_zoned(TimeZone::UTC))
            .map_or(Timestamp::UNIX_EPOCH, |at| at.timestamp())
    }

    /// Its text, as it stands in keys.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_dropped_later_is_later_and_within_a_second_what_began_later() {
        let version = |at: &str, began: &str| Version::new(at.parse().unwrap(), began.parse().unwrap(), 0xabcd_1234);
        let in_order = [
            // Tried again an hour later, and still the older file.
            version("2026-11-23T11:59:59Z", "2026-11-23T12:59:59Z"),
            version("2026-11-23T12:00:00Z", "2026-11-23T12:00:00.2Z"),
            // By hand.
            version("2026-11-23T12:00:00.7Z", "2026-11-23T12:00:00.7Z"),
            version("2026-11-23T12:00:00Z", "2026-11-23T12:00:01.3Z"),
            version("2026-11-23T12:00:01Z", "2026-11-23T12:00:01.1Z"),
        ];
        assert!(in_order.is_sorted_by(|a, b| a < b), "{in_order:?}");
        let dropped: Vec<String> = in_order.iter().map(|version| version.dropped_at().to_string()).collect();
        let whole = "2026-11-23T12:00:00Z";
        assert_eq!(dropped, ["2026-11-23T11:59:59Z", whole, whole, whole, "2026-11-23T12:00:01Z"]);
        assert_eq!(in_order[1].as_str(), "20261123T120000Z-000000200-1234");
    }
}
