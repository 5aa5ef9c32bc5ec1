//! What the sorted runs of a roster hold of a person: what the audit compares with the directory.

use super::{Leave, Row, Status};
use crate::person::{Job, WorkEmail, WorkerId};
use jiff::civil::Date;
use serde::de::Error;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::fmt;

/// A person of the roster who has a work address: one line of a run, with short names.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Listed {
    /// The work address, lower case: what runs are sorted by.
    #[serde(rename = "e", serialize_with = "text", deserialize_with = "email")]
    pub email: WorkEmail,
    /// HR's employee number.
    #[serde(rename = "w", serialize_with = "text", deserialize_with = "worker_id")]
    pub worker_id: WorkerId,
    /// Whether the person works there.
    #[serde(rename = "s")]
    pub status: Status,
    /// The first day.
    #[serde(rename = "f", default, skip_serializing_if = "Option::is_none")]
    pub started: Option<Date>,
    /// The last day.
    #[serde(rename = "l", default, skip_serializing_if = "Option::is_none")]
    pub ends: Option<Date>,
    /// A leave that is under way or agreed.
    #[serde(rename = "a", default, skip_serializing_if = "Option::is_none")]
    pub leave: Option<Leave>,
    /// What the person does.
    #[serde(rename = "j", default, skip_serializing_if = "Job::is_unknown")]
    pub job: Job,
}

/// It is about a person.
impl fmt::Debug for Listed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Listed").field("status", &self.status).finish_non_exhaustive()
    }
}

impl Listed {
    /// What a run holds of a row; `None` for a row without an address.
    #[must_use]
    pub fn of(row: &Row) -> Option<Listed> {
        Some(Listed {
            email: row.email.clone()?,
            worker_id: row.worker_id.clone(),
            status: row.status,
            started: row.started,
            ends: row.ends,
            leave: row.leave,
            job: row.job.clone(),
        })
    }

    /// The work address, lower case: what runs are sorted by.
    #[must_use]
    pub fn email(&self) -> &str {
        self.email.as_ref()
    }
}

fn text<S: Serializer>(value: &impl AsRef<str>, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(value.as_ref())
}

fn email<'de, D: Deserializer<'de>>(deserializer: D) -> Result<WorkEmail, D::Error> {
    WorkEmail::parse(&String::deserialize(deserializer)?).map_err(|_| D::Error::custom("is no address"))
}

fn worker_id<'de, D: Deserializer<'de>>(deserializer: D) -> Result<WorkerId, D::Error> {
    WorkerId::parse(&String::deserialize(deserializer)?).map_err(|_| D::Error::custom("is no employee number"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::roster::{Format, Refused, Shrinkage, read};

    fn listed(csv: &str) -> Vec<Option<Listed>> {
        let mut all = Vec::new();
        read(Format::Csv, csv.as_bytes(), Shrinkage { before: None, percent: 0 }, |row| {
            all.push(Listed::of(&row));
            Ok::<(), Refused>(())
        })
        .unwrap();
        all
    }

    #[test]
    fn a_line_is_read_as_it_was_written_and_names_nobody_by_debug() {
        let header = "worker_id,email,status,start_date,end_date,leave_start,leave_end,job_code,department";
        let full = "007,Ann@X.example,on_leave,2020-01-02,2027-01-02,2026-11-01,2026-12-01,ENG-1,Rockets";
        let all = listed(&format!("{header}\n{full}\n8,b@x.example,active,,,,,,\n9,,active,,,,,,\n"));
        let [Some(ann), Some(bob), None] = all.as_slice() else { panic!("the third has no address: {all:?}") };
        for person in [ann, bob] {
            let line = serde_json::to_string(person).unwrap();
            assert_eq!(&serde_json::from_str::<Listed>(&line).unwrap(), person, "{line}");
        }
        assert_eq!(serde_json::to_string(bob).unwrap(), r#"{"e":"b@x.example","w":"8","s":"active"}"#);
        assert_eq!(ann.email(), "ann@x.example");
        assert_eq!(format!("{ann:?}"), "Listed { status: OnLeave, .. }");
    }
}
