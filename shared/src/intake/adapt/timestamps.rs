//! Times and dates, in every style that a vendor writes them in.
//!
//! A time without an offset is read as UTC, and says so. A date is never a time.

use crate::event::wire::OccurredAtSource;
use jiff::civil::{Date, DateTime};
use jiff::{Timestamp, tz::TimeZone};

/// A time, and where it comes from.
pub(super) type When = (Timestamp, OccurredAtSource);

/// A time as text: RFC 3339, an offset without a colon (`+0000`), no offset at all, or `UTC` after a space.
pub(super) fn text(text: &str) -> Option<When> {
    let text = text.trim();
    // jiff reads an offset with and without a colon. A date alone is no time to it.
    if let Ok(at) = text.parse::<Timestamp>() {
        return Some((at, OccurredAtSource::Payload));
    }
    match text.strip_suffix(" UTC") {
        Some(civil) => Some((utc(civil)?, OccurredAtSource::Payload)),
        None => Some((utc(text)?, OccurredAtSource::PayloadAssumedUtc)),
    }
}

/// A time in seconds since 1970.
pub(super) fn seconds(seconds: i64) -> Option<When> {
    Timestamp::from_second(seconds).ok().map(|at| (at, OccurredAtSource::Payload))
}

/// A time in milliseconds since 1970.
#[cfg_attr(not(test), expect(dead_code, reason = "SAP SuccessFactors writes them"))]
pub(super) fn milliseconds(milliseconds: i64) -> Option<When> {
    Timestamp::from_millisecond(milliseconds).ok().map(|at| (at, OccurredAtSource::Payload))
}

/// A header's time, in seconds since 1970 or as text.
pub(super) fn header(value: &str) -> Option<When> {
    let value = value.trim();
    let (at, _) = value.parse().ok().and_then(seconds).or_else(|| text(value))?;
    Some((at, OccurredAtSource::Header))
}

/// A date, or the date of a time that means a date: what follows it is not looked at.
pub(super) fn date(text: &str) -> Option<String> {
    let text = text.trim();
    let (date, rest) = text.split_at_checked("2026-11-30".len())?;
    let parsed: Date = date.parse().ok()?;
    (rest.is_empty() || rest.starts_with(['T', ' '])).then(|| parsed.to_string())
}

/// A date and a time of day in UTC, without anything that could be an offset.
fn utc(text: &str) -> Option<Timestamp> {
    let (date, time) = text.split_at_checked("2026-11-30".len())?;
    let clock = time.strip_prefix(['T', ' '])?;
    let plain = !clock.is_empty() && clock.chars().all(|c| c.is_ascii_digit() || matches!(c, ':' | '.'));
    let civil: DateTime = plain.then(|| format!("{date}T{clock}").parse().ok()).flatten()?;
    civil.to_zoned(TimeZone::UTC).ok().map(|zoned| zoned.timestamp())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name(when: Option<When>) -> Option<(String, &'static str)> {
        let (at, source) = when?;
        let source = match source {
            OccurredAtSource::Payload => "payload",
            OccurredAtSource::PayloadAssumedUtc => "assumed",
            OccurredAtSource::Header => "header",
            OccurredAtSource::Received => "received",
        };
        Some((at.to_string(), source))
    }

    #[test]
    fn every_style_of_a_time_is_read() {
        let table = [
            ("2026-11-20T08:15:00Z", Some(("2026-11-20T08:15:00Z", "payload"))),
            ("2026-11-20T08:15:00.250Z", Some(("2026-11-20T08:15:00.25Z", "payload"))),
            ("2026-11-20T09:15:00+01:00", Some(("2026-11-20T08:15:00Z", "payload"))),
            ("2026-11-20T08:15:00+0000", Some(("2026-11-20T08:15:00Z", "payload"))),
            ("2026-11-20T00:15:00-0800", Some(("2026-11-20T08:15:00Z", "payload"))),
            ("2026-11-20T08:15:00", Some(("2026-11-20T08:15:00Z", "assumed"))),
            ("2026-11-20T08:15:00.125", Some(("2026-11-20T08:15:00.125Z", "assumed"))),
            ("2026-11-20 08:15:00 UTC", Some(("2026-11-20T08:15:00Z", "payload"))),
            ("2026-11-20 08:15:00", Some(("2026-11-20T08:15:00Z", "assumed"))),
            // A date is no time; neither is an offset that there is not, nor a zone in words.
            ("2026-11-20", None),
            ("2026-11-20T", None),
            ("2026-11-20T08:15:00+99:00", None),
            ("2026-11-20 08:15:00 PST", None),
            ("2026-11-31T08:15:00", None),
            ("1795162500", None),
            ("soon", None),
            ("", None),
            ("２０２６-11-20T08:15", None),
        ];
        for (written, expected) in table {
            let expected = expected.map(|(at, source)| (at.to_owned(), source));
            assert_eq!(name(text(written)), expected, "{written}");
        }
    }

    #[test]
    fn numbers_count_from_1970() {
        let at = Some(("2026-11-20T08:15:00Z".to_owned(), "payload"));
        assert_eq!(name(seconds(1_795_162_500)), at);
        assert_eq!(name(milliseconds(1_795_162_500_000)), at);
        assert_eq!(name(header("1795162500")), Some(("2026-11-20T08:15:00Z".to_owned(), "header")));
        assert_eq!(name(seconds(i64::MAX)), None);
        assert_eq!(name(milliseconds(i64::MIN)), None);
    }

    #[test]
    fn a_date_may_come_as_a_time_that_means_a_date() {
        let table = [
            ("2026-11-30", Some("2026-11-30")),
            ("2026-11-30T00:00:00Z", Some("2026-11-30")),
            ("2026-11-30 00:00:00", Some("2026-11-30")),
            ("2026-11-31", None),
            ("2026-11-301", None),
            ("30/11/2026", None),
            ("", None),
        ];
        for (written, expected) in table {
            assert_eq!(date(written).as_deref(), expected, "{written}");
        }
    }
}
