//! The policy's section `sources`: what the operator knows of the systems that send, and they do not tell themselves.

use crate::event::wire::Basis;
use crate::intake::Source;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// What the operator knows of the systems that send.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SourceRules {
    /// The IANA zone of people whose place of work nobody tells. Absent: their dates are held.
    #[serde(default)]
    pub zone: Option<String>,
    /// What the end date of the roster means.
    #[serde(default)]
    pub roster_end_date: EndDate,
    /// Each system by its name, the last part of its address.
    #[serde(default)]
    pub systems: BTreeMap<Source, SystemRule>,
    /// What the reconcile pass looks for.
    #[serde(default)]
    pub reconcile: ReconcileRules,
}

/// What the operator knows of one system.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SystemRule {
    /// The IANA zone of its dates, for people whose zone nobody tells; before `sources.zone`.
    #[serde(default)]
    pub zone: Option<String>,
    /// What its date of a termination means.
    #[serde(default)]
    pub end_date: EndDate,
    /// Its requests are let in though nobody can say that they are its own. Whoever knows the address can then send them.
    #[serde(default)]
    pub accept_unverified: bool,
    /// Its own id of a person is HR's employee number.
    #[serde(default)]
    pub subject_is_worker_id: bool,
    /// Where its own API answers, for example `https://acme.bamboohr.com`. Absent: the vendor's own address, where it has
    /// one for everybody.
    #[serde(default)]
    pub api: Option<String>,
    /// After so many hours without anything of it an alarm is raised: 1 to 8760, a year. Absent: it may be silent. Only what
    /// comes to its address or over its own bus counts, not events that somebody puts on Rollcall's bus.
    #[serde(default)]
    #[schemars(range(min = 1, max = 8760))]
    pub silent_after_hours: Option<u16>,
    /// Signed tokens alone: who issues them, for whom, and where the keys are.
    #[serde(default)]
    pub tokens: Option<TokenRule>,
}

/// Whose signed tokens are believed.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct TokenRule {
    /// The claim `iss`.
    pub issuer: String,
    /// The claim `aud`.
    pub audience: String,
    /// Where the issuer publishes its keys (JWKS), by HTTPS.
    pub keys: String,
}

/// What the date of an end means.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum EndDate {
    /// The last day with access: it ends with that day.
    #[default]
    LastDayWorked,
    /// The first day without access: it ends before that day.
    FirstDayInactive,
}

impl EndDate {
    /// As an event says it.
    #[must_use]
    pub fn basis(self) -> Basis {
        match self {
            EndDate::LastDayWorked => Basis::LastDayWorked,
            EndDate::FirstDayInactive => Basis::FirstDayInactive,
        }
    }

    /// The first day without access; `None` at the end of the calendar.
    #[must_use]
    pub fn first_day_without(self, date: Date) -> Option<Date> {
        match self {
            EndDate::LastDayWorked => date.tomorrow().ok(),
            EndDate::FirstDayInactive => Some(date),
        }
    }
}

/// What the reconcile pass looks for.
#[derive(Clone, Copy, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct ReconcileRules {
    /// Leavers of the roster are asked for whose last day is at most so many days past.
    pub looks_back_days: u16,
}

impl Default for ReconcileRules {
    fn default() -> Self {
        ReconcileRules { looks_back_days: 30 }
    }
}

impl SourceRules {
    /// What is known of a system.
    #[must_use]
    pub fn of(&self, source: Source) -> Option<&SystemRule> {
        self.systems.get(&source)
    }

    /// The zone of people whom this source tells of, where nothing better is known.
    #[must_use]
    pub fn zone(&self, source: Source) -> Option<&str> {
        self.of(source).and_then(|rule| rule.zone.as_deref()).or(self.zone.as_deref())
    }

    /// The sources that may not be silent for longer than so many hours.
    pub fn watched(&self) -> impl Iterator<Item = (Source, u16)> {
        self.systems.iter().filter_map(|(source, rule)| Some((*source, rule.silent_after_hours?)))
    }

    /// What is wrong, and with which member.
    pub(super) fn problem(&self) -> Option<(String, &'static str)> {
        let bad = |zone: &Option<String>| zone.as_deref().is_some_and(|zone| TimeZone::get(zone).is_err());
        if bad(&self.zone) {
            return Some(("sources.zone".into(), NO_ZONE));
        }
        self.systems.iter().find_map(|(source, rule)| {
            let path = |member: &str| format!("sources.systems.{}.{member}", source.as_str());
            if bad(&rule.zone) {
                return Some((path("zone"), NO_ZONE));
            }
            if rule.api.as_deref().is_some_and(|api| !is_address(api)) {
                return Some((path("api"), NO_ADDRESS));
            }
            if rule.silent_after_hours.is_some_and(|hours| !(1..=8760).contains(&hours)) {
                return Some((path("silent_after_hours"), NO_SILENCE));
            }
            let keys = rule.tokens.as_ref().map(|tokens| tokens.keys.as_str());
            keys.filter(|keys| !is_address(keys)).map(|_| (path("tokens.keys"), NO_ADDRESS))
        })
    }
}

const NO_ZONE: &str = "must be an IANA time zone, for example \"Europe/Paris\"";
const NO_SILENCE: &str = "must be a number of hours from 1 to 8760, a year";
const NO_ADDRESS: &str = "must begin with https://";

/// HTTPS; plain HTTP on this machine only, for tests.
fn is_address(text: &str) -> bool {
    text.starts_with("https://") || text.starts_with("http://127.0.0.1:")
}

#[cfg(test)]
mod tests {
    use crate::policy::Policy;

    #[test]
    fn what_is_wrong_is_refused_with_its_member() {
        let table = [
            (r#"{"zone":"Paris"}"#, "policy.sources.zone must be an IANA time zone, for example \"Europe/Paris\""),
            (
                r#"{"systems":{"gusto":{"zone":"PST8"}}}"#,
                "policy.sources.systems.gusto.zone must be an IANA time zone, for example \"Europe/Paris\"",
            ),
            (
                r#"{"systems":{"bamboohr":{"api":"http://acme.example"}}}"#,
                "policy.sources.systems.bamboohr.api must begin with https://",
            ),
            (
                r#"{"systems":{"okta":{"silent_after_hours":0}}}"#,
                "policy.sources.systems.okta.silent_after_hours must be a number of hours from 1 to 8760, a year",
            ),
            (
                r#"{"systems":{"okta":{"silent_after_hours":8761}}}"#,
                "policy.sources.systems.okta.silent_after_hours must be a number of hours from 1 to 8760, a year",
            ),
            (
                r#"{"systems":{"risc":{"tokens":{"issuer":"i","audience":"a","keys":"ftp://k"}}}}"#,
                "policy.sources.systems.risc.tokens.keys must begin with https://",
            ),
        ];
        for (section, expected) in table {
            let error = Policy::parse(&format!(r#"{{"sources":{section}}}"#)).unwrap_err().to_string();
            assert_eq!(error, expected);
        }
        let good = r#"{"sources":{"zone":"Europe/Paris","systems":{"hibob":{"api":"http://127.0.0.1:8080"}}}}"#;
        Policy::parse(good).unwrap();
        assert!(Policy::parse(r#"{"sources":{"systems":{"workdayy":{}}}}"#).is_err());
    }
}
