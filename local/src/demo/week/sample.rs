//! A sample event with the times of this week, and under an id of its own.

use super::table::Whom;
use crate::stack::workspace;
use anyhow::{Context, Result};
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp, ToSpan};
use serde_json::{Value, json};
use std::collections::BTreeSet;

/// The folders of `events/`, in the order of [`super::table::ACCOUNTS`].
pub(super) const FOLDERS: [&str; 4] = ["team/", "", "enterprise-directory/", "enterprise-oidc/"];

/// By folder: who has a user in `events/seed/acme.json`, and is in no sample.
const UNKNOWN: [&str; 4] = ["gus", "dan", "lou", "mia"];

/// One sample, and where it is from.
pub(super) struct Sample {
    folder: &'static str,
    name: String,
    envelope: Value,
}

/// What is put in place of the sample's own.
pub(super) struct Rewriting {
    /// Counts the events: a later one was said later.
    pub(super) number: i64,
    pub(super) whom: Whom,
    /// So many days ago HR said so.
    pub(super) said: i64,
    /// So many days from today it bites.
    pub(super) effective: Option<i64>,
    pub(super) now: Timestamp,
}

impl Sample {
    pub(super) fn read(folder: &'static str, name: &str) -> Result<Sample> {
        let path = workspace().join(format!("events/{folder}{name}.json"));
        let text = std::fs::read_to_string(&path).with_context(|| format!("{} cannot be read", path.display()))?;
        let envelope = serde_json::from_str(&text).with_context(|| format!("{} is not JSON", path.display()))?;
        Ok(Sample { folder, name: name.to_owned(), envelope })
    }

    pub(super) fn detail_type(&self) -> &str {
        self.envelope["detail-type"].as_str().unwrap_or_default()
    }

    /// The address of whom it is about.
    pub(super) fn email(&self) -> Result<String> {
        let email = self.envelope["detail"]["subject"]["email"].as_str();
        email.map(str::to_owned).with_context(|| format!("{} has no address", self.name))
    }

    /// The address of somebody else of the same account.
    pub(super) fn address_of(&self, whom: Whom) -> Result<String> {
        let email = self.email()?;
        let (_, domain) = email.rsplit_once('@').context("an address has a domain")?;
        Ok(match whom {
            Whom::Sample | Whom::Number | Whom::Successor => email,
            Whom::Newcomer => format!("nils@{domain}"),
            Whom::Blocked => format!("ole@{domain}"),
            Whom::Unknown => {
                let unknown = FOLDERS.into_iter().zip(UNKNOWN).find(|(folder, _)| *folder == self.folder);
                format!("{}@{domain}", unknown.context("each folder has somebody unknown")?.1)
            }
        })
    }

    /// The detail, rewritten.
    pub(super) fn rewritten(&self, to: &Rewriting) -> Result<Value> {
        let mut detail = self.envelope["detail"].clone();
        let account = if self.folder.is_empty() { "enterprise-lwa" } else { self.folder.trim_end_matches('/') };
        detail["eventId"] = json!(format!("{:02}-{account}", to.number));
        // Whole days ago, and a minute later than what was said before.
        let today = to.now.to_zoned(TimeZone::UTC).start_of_day()?.timestamp();
        let said = today - SignedDuration::from_hours(24 * to.said) + SignedDuration::from_mins(to.number);
        detail["occurredAt"] = json!(format!("{said:.0}"));
        if let Some(days) = to.effective {
            let zone = detail["effective"]["zone"].as_str().context("the sample has a zone")?;
            let date = to.now.to_zoned(TimeZone::get(zone)?).date().checked_add(days.days())?;
            detail["effective"]["date"] = json!(date.to_string());
        }
        let worker = detail["subject"]["workerId"].clone();
        let named = |number: u32| {
            let worker = worker.as_str().unwrap_or_default();
            Ok::<_, anyhow::Error>(json!({
                "workerId": format!("{number}{worker}"), "providerSubjectId": format!("00u-{number}{worker}"),
                "email": self.address_of(to.whom)?, "emailKind": "work",
            }))
        };
        match to.whom {
            Whom::Sample => {}
            Whom::Number => detail["subject"] = json!({ "workerId": worker }),
            Whom::Successor => detail["subject"] = named(1)?,
            Whom::Newcomer => detail["subject"] = named(2)?,
            Whom::Blocked => detail["subject"] = named(3)?,
            Whom::Unknown => detail["subject"] = json!({ "email": self.address_of(to.whom)?, "emailKind": "work" }),
        }
        Ok(detail)
    }
}

/// Every sample there is, by folder and name without `.json`.
pub(super) fn all() -> Result<BTreeSet<String>> {
    let mut samples = BTreeSet::new();
    for folder in FOLDERS {
        for file in std::fs::read_dir(workspace().join("events").join(folder))? {
            let name = file?.file_name().to_string_lossy().into_owned();
            samples.extend(name.strip_suffix(".json").map(|name| format!("{folder}{name}")));
        }
    }
    Ok(samples)
}
