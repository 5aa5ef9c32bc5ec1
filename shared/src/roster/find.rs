//! One person of a version, by whatever is known of them.

use super::pointer::Pointer;
use super::table::Roster;
use super::{Row, Version};
use crate::failure::Failure;
use crate::host::Host;
use crate::person::{SubjectId, WorkEmail, WorkerId};

/// Whom identifiers name in a version of the roster.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Found {
    /// One person.
    Row(Box<Row>),
    /// Nobody, or somebody of whom a stronger identifier says that it is another.
    Nobody,
    /// Several people have the identifier: it names nobody.
    Several,
}

impl<H: Host> Roster<H> {
    /// One person of a version, strongly consistent: by the employee number, else by providers' ids in the order given,
    /// else by the address.
    ///
    /// Where an employee number is given, nobody else is looked for: whoever has the id or the address has another number.
    /// Nor does an address count whose row has another id of the same provider (`<source>:<id>`).
    ///
    /// What the row has and another row too is left out of it: whoever is asked for by that might be the other. At most two
    /// reads for each identifier, and one for each of the row's own.
    ///
    /// # Errors
    /// [`Failure::Retryable`] where `DynamoDB` does not answer, or an item cannot be read.
    pub async fn find(
        &self,
        version: &Version,
        worker: Option<&WorkerId>,
        subjects: &[SubjectId],
        email: Option<&WorkEmail>,
    ) -> Result<Found, Failure> {
        if let Some(worker) = worker {
            return match self.row(version, worker).await? {
                Some(row) => Ok(Found::Row(Box::new(self.own_row(version, row).await?))),
                None => Ok(Found::Nobody),
            };
        }
        let mut nobody = Found::Nobody;
        for subject in subjects {
            match self.pointed(self.subject_key(version, subject)).await? {
                Found::Row(row) => return Ok(Found::Row(Box::new(self.own_row(version, *row).await?))),
                Found::Several => nobody = Found::Several,
                Found::Nobody => {}
            }
        }
        let Some(email) = email else { return Ok(nobody) };
        Ok(match self.pointed(self.email_key(version, email)).await? {
            Found::Row(row) if subjects.iter().any(|subject| contradicts(&row, subject)) => Found::Nobody,
            Found::Row(row) => Found::Row(Box::new(self.own_row(version, *row).await?)),
            Found::Several => Found::Several,
            Found::Nobody => nobody,
        })
    }

    /// The provider's ids and the address of a row, without those that another row of the version has too. One read for
    /// each.
    ///
    /// # Errors
    /// [`Failure::Retryable`] where `DynamoDB` does not answer, or an item cannot be read.
    pub async fn own(
        &self,
        version: &Version,
        worker: &WorkerId,
        subjects: &[SubjectId],
        email: Option<&WorkEmail>,
    ) -> Result<(Vec<SubjectId>, Option<WorkEmail>), Failure> {
        let row = self.key(version, worker);
        let mut own = Vec::with_capacity(subjects.len());
        for subject in subjects {
            if self.leads_to(self.subject_key(version, subject), &row).await? {
                own.push(subject.clone());
            }
        }
        match email {
            Some(email) if self.leads_to(self.email_key(version, email), &row).await? => Ok((own, Some(email.clone()))),
            Some(_) | None => Ok((own, None)),
        }
    }

    /// A row of the version without what another has too, as [`Roster::own`].
    pub(crate) async fn own_row(&self, version: &Version, row: Row) -> Result<Row, Failure> {
        let (subjects, email) = self.own(version, &row.worker_id, &row.subjects, row.email.as_ref()).await?;
        Ok(Row { subjects, email, ..row })
    }

    async fn leads_to(&self, pointer: String, row: &str) -> Result<bool, Failure> {
        Ok(self.get::<Pointer>(pointer).await?.is_some_and(|pointer| pointer.row.as_deref() == Some(row)))
    }

    /// Where a pointer leads.
    async fn pointed(&self, key: String) -> Result<Found, Failure> {
        let Some(pointer) = self.get::<Pointer>(key).await? else { return Ok(Found::Nobody) };
        let Some(row) = pointer.row else { return Ok(Found::Several) };
        // Rows and pointers expire together, and not at one instant.
        Ok(self.row_at(row).await?.map_or(Found::Nobody, |row| Found::Row(Box::new(row))))
    }
}

/// The row has another id of the same provider.
fn contradicts(row: &Row, subject: &SubjectId) -> bool {
    let Some((provider, _)) = subject.as_ref().split_once(':') else { return false };
    let same = |known: &&SubjectId| known.as_ref().split_once(':').is_some_and(|(named, _)| named == provider);
    let mut ids = row.subjects.iter().filter(same).peekable();
    ids.peek().is_some() && !ids.any(|known| known == subject)
}
