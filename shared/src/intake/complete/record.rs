//! An employee record: a row of the roster, or what the sender's own API says.

use super::vendor::Employee;
use crate::event::Kind;
use crate::person::Job;
use crate::roster::{Leave, Row, Status};
use jiff::ToSpan;
use jiff::civil::Date;

/// An employee record, as far as it bears on access or licence.
#[derive(Clone, Copy)]
pub(super) struct Record<'a> {
    pub(super) status: Option<Status>,
    pub(super) started: Option<Date>,
    pub(super) ends: Option<Date>,
    /// Whoever wrote the record spoke of the end, be it to say that there is none.
    pub(super) tells_end: bool,
    pub(super) leave: Option<Leave>,
    pub(super) job: &'a Job,
}

impl<'a> Record<'a> {
    /// A row of the roster.
    pub(super) fn of_row(row: &'a Row) -> Record<'a> {
        Record {
            status: Some(row.status),
            started: row.started,
            ends: row.ends,
            tells_end: row.tells_end,
            leave: row.leave,
            job: &row.job,
        }
    }

    /// What an API says.
    pub(super) fn of_employee(employee: &'a Employee) -> Record<'a> {
        Record {
            status: employee.status,
            started: employee.started,
            ends: employee.ends,
            tells_end: employee.tells_end,
            leave: employee.leave,
            job: &employee.job,
        }
    }

    /// It says neither whether the person works there, nor from when or until when.
    pub(super) fn is_mute(&self) -> bool {
        self.status.is_none() && self.started.is_none() && self.ends.is_none()
    }

    /// The end of the employment that it is about: not that of one before.
    pub(super) fn end(&self) -> Option<Date> {
        self.ends.filter(|end| self.started.is_none_or(|start| start <= *end))
    }

    /// Its date of a change; `None` for a change that records have no date of.
    pub(super) fn date_of(&self, kind: Kind) -> Option<Date> {
        match kind {
            Kind::Hire | Kind::Rehire => self.started,
            Kind::Termination => self.end(),
            Kind::Leave => self.leave.map(|leave| leave.from),
            Kind::Return => self.leave.and_then(|leave| leave.to).map(|last| last.saturating_add(1.day())),
            Kind::JobChange
            | Kind::IdentityChange
            | Kind::AccountStatus
            | Kind::CredentialCompromise
            | Kind::Unclassified
            | Kind::LicenseReclaim
            | Kind::AccessRemoval => None,
        }
    }
}
