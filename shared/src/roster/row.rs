//! One row: a person as HR has them, in types that cannot be wrong.

use super::{Refused, Why};
use crate::person::{Job, SubjectId, WorkEmail, WorkerId};
use jiff::civil::Date;
use serde::{Deserialize, Serialize};
use std::fmt;

/// The most ids of one person at identity providers.
const SUBJECTS_LIMIT: usize = 20;

/// A person as HR has them.
#[derive(Clone, PartialEq, Eq)]
pub struct Row {
    /// The line of the file; in JSON, that on which the row ends.
    pub line: u64,
    /// HR's employee number.
    pub worker_id: WorkerId,
    /// The identity providers' ids of the person.
    pub subjects: Vec<SubjectId>,
    /// The work address.
    pub email: Option<WorkEmail>,
    /// The time zone of the place of work, by its IANA name.
    pub time_zone: Option<String>,
    /// Whether the person works there.
    pub status: Status,
    /// The first day.
    pub started: Option<Date>,
    /// The last day.
    pub ends: Option<Date>,
    /// The file speaks of the end, be it to say that there is none: it has the column.
    pub tells_end: bool,
    /// A leave that is under way or agreed.
    pub leave: Option<Leave>,
    /// What the person does.
    pub job: Job,
    /// The employee number of whom the person reports to.
    pub manager: Option<WorkerId>,
}

/// A row is about a person.
impl fmt::Debug for Row {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Row").field("line", &self.line).field("status", &self.status).finish_non_exhaustive()
    }
}

/// A leave.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Leave {
    /// Its first day.
    pub from: Date,
    /// Its last day; `None` where that is open.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub to: Option<Date>,
}

/// Whether a person works there, in HR's words.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// Has a contract, and has not begun.
    PreHire,
    /// Works there.
    Active,
    /// Works there, and is away.
    OnLeave,
    /// Has left.
    Terminated,
}

/// What a column holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Column {
    WorkerId,
    SubjectIds,
    Email,
    TimeZone,
    Status,
    StartDate,
    EndDate,
    LeaveStart,
    LeaveEnd,
    JobCode,
    Department,
    Location,
    EmploymentType,
    Manager,
}

impl Column {
    pub(super) const ALL: [Column; 14] = [
        Column::WorkerId,
        Column::SubjectIds,
        Column::Email,
        Column::TimeZone,
        Column::Status,
        Column::StartDate,
        Column::EndDate,
        Column::LeaveStart,
        Column::LeaveEnd,
        Column::JobCode,
        Column::Department,
        Column::Location,
        Column::EmploymentType,
        Column::Manager,
    ];

    /// Its name in errors, and the first of the names that a file may give it.
    pub(super) fn name(self) -> &'static str {
        self.names()[0]
    }

    /// The names that HR systems give it.
    fn names(self) -> &'static [&'static str] {
        match self {
            Column::WorkerId => &["worker_id", "employee_id", "employee_number", "personnel_number", "person_number"],
            Column::SubjectIds => &["provider_subject_ids", "provider_subject_id", "directory_id", "object_id"],
            Column::Email => &["email", "work_email", "email_address", "primary_work_email", "business_email"],
            Column::TimeZone => &["time_zone", "work_time_zone"],
            Column::Status => &["status", "worker_status", "employment_status", "employee_status"],
            Column::StartDate => &["start_date", "hire_date", "date_of_joining"],
            Column::EndDate => &["end_date", "termination_date", "last_day_of_work", "date_of_leaving"],
            Column::LeaveStart => &["leave_start", "leave_start_date", "first_day_of_leave"],
            Column::LeaveEnd => &["leave_end", "leave_end_date", "last_day_of_leave"],
            Column::JobCode => &["job_code", "job_profile", "position_code"],
            Column::Department => &["department", "org_unit", "supervisory_organization"],
            Column::Location => &["location", "work_location", "office"],
            Column::EmploymentType => &["employment_type", "worker_type", "employee_type"],
            Column::Manager => &["manager_worker_id", "manager_id", "manager_employee_id", "supervisor_id"],
        }
    }

    /// The column that a file means by a name, if it is one of them.
    pub(super) fn named(name: &str) -> Option<Column> {
        let same = |known: &&str| plain(known).eq(plain(name));
        Column::ALL.into_iter().find(|column| column.names().iter().any(same))
    }
}

/// A name without what does not count in it. Compared letter by letter: JSON has the names in every row.
fn plain(name: &str) -> impl Iterator<Item = char> {
    name.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase)
}

/// The fields of a row, by column, before they are read.
#[derive(Default)]
pub(super) struct Fields {
    values: [Option<String>; Column::ALL.len()],
    tells_end: bool,
}

impl Fields {
    /// Takes a value. An empty field is one that is not there.
    pub(super) fn put(&mut self, column: Column, value: &str) {
        let value = value.trim();
        self.tells_end |= column == Column::EndDate;
        self.values[column as usize] = (!value.is_empty()).then(|| value.to_owned());
    }

    fn take(&mut self, column: Column) -> Option<String> {
        self.values[column as usize].take()
    }

    /// Reads the row that ends on a line.
    pub(super) fn into_row(mut self, line: u64) -> Result<Row, Refused> {
        let refused = |column, why| Refused::in_column(line, column, why);
        let tells_end = self.tells_end;
        let number = "must be an employee number of 1 to 256 visible characters";
        let worker = |text: &str, column| WorkerId::parse(text).map_err(|_| refused(column, Why::Value(number)));
        let worker_id = self.take(Column::WorkerId).ok_or(refused(Column::WorkerId, Why::Missing))?;
        let status = self.take(Column::Status).ok_or(refused(Column::Status, Why::Missing))?;
        let mut date = |column| self.take(column).map(|text| self::date(&text).map_err(|why| refused(column, why)));
        let (started, ends) = (date(Column::StartDate).transpose()?, date(Column::EndDate).transpose()?);
        let (from, to) = (date(Column::LeaveStart).transpose()?, date(Column::LeaveEnd).transpose()?);
        let leave = match (from, to) {
            (Some(from), to) if to.is_none_or(|to| from <= to) => Some(Leave { from, to }),
            (Some(_), Some(_)) => return Err(refused(Column::LeaveEnd, Why::Value("must not be before leave_start"))),
            (None, Some(_)) => return Err(refused(Column::LeaveStart, Why::Missing)),
            (Some(_) | None, None) => None,
        };
        let email = self.take(Column::Email).map(|text| {
            let must = Why::Value("must be an e-mail address");
            WorkEmail::parse(&text).map_err(|_| refused(Column::Email, must))
        });
        let subject = |text: &str| {
            let must = Why::Value("must be ids of 1 to 256 visible characters, with ; between them");
            SubjectId::parse(text).map_err(|_| refused(Column::SubjectIds, must))
        };
        let subjects = self.take(Column::SubjectIds);
        let subjects: Vec<_> =
            subjects.iter().flat_map(|text| text.split(';')).map(subject).collect::<Result<_, _>>()?;
        if subjects.len() > SUBJECTS_LIMIT {
            return Err(refused(Column::SubjectIds, Why::Value("must be 20 ids at most")));
        }
        let time_zone = self.take(Column::TimeZone).map(|name| match jiff::tz::TimeZone::get(&name) {
            Ok(_) => Ok(name),
            Err(_) => Err(refused(Column::TimeZone, Why::Value("must be an IANA name, like Europe/Berlin"))),
        });
        let manager = self.take(Column::Manager).map(|text| worker(&text, Column::Manager));
        let mut value = |column| self.take(column).and_then(|text| Job::value(&text));
        let job = Job {
            code: value(Column::JobCode),
            department: value(Column::Department),
            location: value(Column::Location),
            employment_type: value(Column::EmploymentType),
        };
        Ok(Row {
            line,
            worker_id: worker(&worker_id, Column::WorkerId)?,
            subjects,
            email: email.transpose()?,
            time_zone: time_zone.transpose()?,
            status: self::status(&status)
                .ok_or(refused(Column::Status, Why::Value("must be active, on_leave, terminated or pre_hire")))?,
            started,
            ends,
            tells_end,
            leave,
            job,
            manager: manager.transpose()?,
        })
    }
}

/// The day of an ISO date, or of an ISO date with a time: `2026-11-23`, `2026-11-23T00:00:00Z`.
fn date(text: &str) -> Result<Date, Why> {
    let day = text.split_once(['T', ' ']).map_or(text, |(day, _)| day);
    let is_iso = day.len() == 10 && day.as_bytes()[4] == b'-';
    let parsed = if is_iso { day.parse().ok() } else { None };
    parsed.ok_or(Why::Value("must be a date like 2026-11-23; other orders of day and month are not told apart"))
}

/// The words of the HR systems for one thing.
fn status(word: &str) -> Option<Status> {
    let word: String = word.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect();
    match word.as_str() {
        "active" | "employed" | "a" => Some(Status::Active),
        "onleave" | "leave" | "leaveofabsence" | "paidleave" | "unpaidleave" | "l" => Some(Status::OnLeave),
        "terminated" | "inactive" | "left" | "former" | "separated" | "t" => Some(Status::Terminated),
        "prehire" | "future" | "pending" | "notstarted" | "onboarding" => Some(Status::PreHire),
        _ => None,
    }
}
