//! A row of the roster as an item of its table.

use super::{Leave, Row, Status};
use crate::person::{Job, SubjectId, WorkEmail, WorkerId};
use jiff::civil::Date;
use serde::{Deserialize, Serialize};

/// A row as an item. Attributes that nobody told are absent.
#[derive(Serialize, Deserialize)]
pub(super) struct RowItem {
    id: String,
    line: u64,
    worker_id: String,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    subjects: Vec<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    email: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    time_zone: Option<String>,
    status: Status,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    started: Option<Date>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    ends: Option<Date>,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    tells_end: bool,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    leave_from: Option<Date>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    leave_to: Option<Date>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    job_code: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    department: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    location: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    employment_type: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    manager: Option<String>,
    expiration: i64,
}

impl RowItem {
    pub(super) fn of(id: String, row: &Row, expiration: i64) -> RowItem {
        let job = row.job.clone();
        RowItem {
            id,
            line: row.line,
            worker_id: row.worker_id.as_ref().to_owned(),
            subjects: row.subjects.iter().map(|subject| subject.as_ref().to_owned()).collect(),
            email: row.email.as_ref().map(|email| email.as_ref().to_owned()),
            time_zone: row.time_zone.clone(),
            status: row.status,
            started: row.started,
            ends: row.ends,
            tells_end: row.tells_end,
            leave_from: row.leave.map(|leave| leave.from),
            leave_to: row.leave.and_then(|leave| leave.to),
            job_code: job.code,
            department: job.department,
            location: job.location,
            employment_type: job.employment_type,
            manager: row.manager.as_ref().map(|manager| manager.as_ref().to_owned()),
            expiration,
        }
    }

    /// The row that it was; `None` where it is none that was written here.
    pub(super) fn into_row(self) -> Option<Row> {
        Some(Row {
            line: self.line,
            worker_id: WorkerId::parse(&self.worker_id).ok()?,
            subjects: self.subjects.iter().map(|subject| SubjectId::parse(subject).ok()).collect::<Option<_>>()?,
            email: self.email.map(|email| WorkEmail::parse(&email).ok().ok_or(())).transpose().ok()?,
            time_zone: self.time_zone,
            status: self.status,
            started: self.started,
            ends: self.ends,
            tells_end: self.tells_end,
            leave: self.leave_from.map(|from| Leave { from, to: self.leave_to }),
            job: Job {
                code: self.job_code,
                department: self.department,
                location: self.location,
                employment_type: self.employment_type,
            },
            manager: self.manager.map(|manager| WorkerId::parse(&manager).ok().ok_or(())).transpose().ok()?,
        })
    }
}
