//! Who has left by a roster, or will: what the reconcile pass compares with the ledger.
//!
//! The sorted runs hold people with an address, and who has left often has none any more. So these lie in objects of their
//! own, by employee number.

use super::{Row, Status};
use crate::person::{SubjectId, WorkEmail, WorkerId};
use crate::runs::Keyed;
use jiff::civil::Date;
use serde::de::Error;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::fmt;

/// A person of the roster who has left or will: one line of an object, with short names.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Leaver {
    /// HR's employee number: what the objects are sorted by.
    #[serde(rename = "w", serialize_with = "text", deserialize_with = "worker_id")]
    pub worker_id: WorkerId,
    /// The identity providers' ids of the person.
    #[serde(
        rename = "p",
        default,
        skip_serializing_if = "Vec::is_empty",
        serialize_with = "texts",
        deserialize_with = "subjects"
    )]
    pub subjects: Vec<SubjectId>,
    /// The work address, where there still is one.
    #[serde(
        rename = "e",
        default,
        skip_serializing_if = "Option::is_none",
        serialize_with = "maybe_text",
        deserialize_with = "email"
    )]
    pub email: Option<WorkEmail>,
    /// The time zone of the place of work, by its IANA name.
    #[serde(rename = "z", default, skip_serializing_if = "Option::is_none")]
    pub time_zone: Option<String>,
    /// Whether the person works there.
    #[serde(rename = "s")]
    pub status: Status,
    /// The first day.
    #[serde(rename = "f", default, skip_serializing_if = "Option::is_none")]
    pub started: Option<Date>,
    /// The end, as HR dates it; what it means is in the policy.
    #[serde(rename = "l", default, skip_serializing_if = "Option::is_none")]
    pub ends: Option<Date>,
}

/// It is about a person.
impl fmt::Debug for Leaver {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Leaver").field("status", &self.status).finish_non_exhaustive()
    }
}

impl Keyed for Leaver {
    fn key(&self) -> &str {
        self.worker_id.as_ref()
    }
}

impl Leaver {
    /// The part of a row that tells of leaving; `None` for a row that tells of none.
    #[must_use]
    pub fn of(row: &Row) -> Option<Leaver> {
        let leaves = match row.status {
            Status::Terminated => true,
            Status::PreHire | Status::Active | Status::OnLeave => row.ends.is_some(),
        };
        leaves.then(|| Leaver {
            worker_id: row.worker_id.clone(),
            subjects: row.subjects.clone(),
            email: row.email.clone(),
            time_zone: row.time_zone.clone(),
            status: row.status,
            started: row.started,
            ends: row.ends,
        })
    }
}

fn text<S: Serializer>(value: &impl AsRef<str>, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(value.as_ref())
}

fn maybe_text<S: Serializer>(value: &Option<WorkEmail>, serializer: S) -> Result<S::Ok, S::Error> {
    value.as_ref().map(AsRef::as_ref).serialize(serializer)
}

fn texts<S: Serializer>(values: &[SubjectId], serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_seq(values.iter().map(AsRef::as_ref))
}

fn worker_id<'de, D: Deserializer<'de>>(deserializer: D) -> Result<WorkerId, D::Error> {
    WorkerId::parse(&String::deserialize(deserializer)?).map_err(|_| D::Error::custom("is no employee number"))
}

fn email<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<WorkEmail>, D::Error> {
    let text: Option<String> = Option::deserialize(deserializer)?;
    text.map(|text| WorkEmail::parse(&text).map_err(|_| D::Error::custom("is no address"))).transpose()
}

fn subjects<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<SubjectId>, D::Error> {
    let texts: Vec<String> = Vec::deserialize(deserializer)?;
    let subject = |text: &String| SubjectId::parse(text).map_err(|_| D::Error::custom("is no provider's id"));
    texts.iter().map(subject).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::roster::{Format, Refused, Shrinkage, read};

    #[test]
    fn who_has_left_or_will_is_kept_as_it_was_and_names_nobody_by_debug() {
        let csv = "worker_id,object_id,email,time_zone,status,start_date,end_date\n\
                   007,okta:s-1;s-2,Ann@X.example,Europe/Berlin,terminated,2020-01-02,2026-11-20\n\
                   8,,,,left,,\n\
                   9,,b@x.example,,active,,2027-01-31\n\
                   10,,c@x.example,,active,,\n\
                   11,,d@x.example,,on_leave,2020-01-02,\n";
        let mut all = Vec::new();
        read(Format::Csv, csv.as_bytes(), Shrinkage { before: None, percent: 0 }, |row| {
            all.push(Leaver::of(&row));
            Ok::<(), Refused>(())
        })
        .unwrap();
        let [Some(ann), Some(bare), Some(later), None, None] = all.as_slice() else { panic!("{all:?}") };
        for leaver in [ann, bare, later] {
            let line = serde_json::to_string(leaver).unwrap();
            assert_eq!(&serde_json::from_str::<Leaver>(&line).unwrap(), leaver, "{line}");
        }
        assert_eq!(ann.subjects.len(), 2);
        assert_eq!(serde_json::to_string(bare).unwrap(), r#"{"w":"8","s":"terminated"}"#);
        assert_eq!(format!("{ann:?}"), "Leaver { status: Terminated, .. }");
    }
}
