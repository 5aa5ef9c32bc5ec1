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
    /// Nor does an address count whose row has another id of the same provider (`<source>:<id>`). At most two reads for
    /// each identifier.
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
            let row = self.row(version, worker).await?;
            return Ok(row.map_or(Found::Nobody, |row| Found::Row(Box::new(row))));
        }
        let mut nobody = Found::Nobody;
        for subject in subjects {
            match self.pointed(self.subject_key(version, subject)).await? {
                row @ Found::Row(_) => return Ok(row),
                Found::Several => nobody = Found::Several,
                Found::Nobody => {}
            }
        }
        let Some(email) = email else { return Ok(nobody) };
        Ok(match self.pointed(self.email_key(version, email)).await? {
            Found::Row(row) if subjects.iter().any(|subject| contradicts(&row, subject)) => Found::Nobody,
            found @ (Found::Row(_) | Found::Several) => found,
            Found::Nobody => nobody,
        })
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
