//! Pointers: from a provider's id, or an address, to the row that has it.
//!
//! *Invariant*: an id or address that two rows have names nobody. Its first row writes the pointer; that it has another is
//! written after all rows, so that no race of batches hides it. A roster with such a one is not refused: the others of it
//! are as good as ever.

use super::load::Rows;
use super::table::Roster;
use super::{Row, Version};
use crate::batch::REALM;
use crate::directory::Deadline;
use crate::failure::{Cause, Failure};
use crate::host::Host;
use crate::person::{SubjectId, WorkEmail};
use aws_sdk_dynamodb::types::WriteRequest;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeSet, HashSet};
use std::sync::{Mutex, PoisonError};

/// A pointer as an item: `row` is the key of the row; without it, several rows have the id or address.
#[derive(Serialize, Deserialize)]
pub(super) struct Pointer {
    id: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) row: Option<String>,
    expiration: i64,
}

/// A roster while one version of it is written.
#[derive(Debug)]
pub struct Loading<'r, H> {
    roster: &'r Roster<H>,
    // Never held across an await.
    seen: Mutex<Seen>,
}

/// The pointers that were written, as halves of their hashes, and those that another row has too.
///
/// Two of a million halves are the same by chance once in thirty million rosters, and then that id names nobody.
#[derive(Debug, Default)]
struct Seen {
    once: HashSet<u64>,
    again: BTreeSet<String>,
}

impl Seen {
    /// Which of a row's pointers are new. Those that are not are remembered.
    fn new_of(&mut self, keys: BTreeSet<String>) -> Vec<String> {
        let mut new = Vec::with_capacity(keys.len());
        for key in keys {
            if self.once.insert(half(&key)) {
                new.push(key);
            } else {
                self.again.insert(key);
            }
        }
        new
    }
}

/// Half of the hash that a key ends with. Ids and addresses are hashed apart, so their halves are as different.
fn half(key: &str) -> u64 {
    let digits = key.get(key.len().saturating_sub(16)..).unwrap_or_default();
    u64::from_str_radix(digits, 16).unwrap_or_default()
}

impl<H: Host> Roster<H> {
    /// Begins to write a version: one for each load.
    pub fn loading(&self) -> Loading<'_, H> {
        Loading { roster: self, seen: Mutex::default() }
    }

    pub(super) fn subject_key(&self, version: &Version, subject: &SubjectId) -> String {
        format!("{version}#subject#{}", self.keys.hash(&[REALM, "subject", subject.as_ref()]))
    }

    pub(super) fn email_key(&self, version: &Version, email: &WorkEmail) -> String {
        format!("{version}#email#{}", self.keys.hash(&[REALM, "email", email.as_ref()]))
    }

    fn pointer(&self, id: String, row: Option<String>) -> Result<WriteRequest, Failure> {
        let unbuilt = || Failure::retryable(Cause::Unanswered);
        let pointer = Pointer { id, row, expiration: self.expiration() };
        self.put_request(serde_dynamo::to_item(pointer).map_err(|_| unbuilt())?)
    }
}

impl<H: Host> Loading<'_, H> {
    /// A row and its pointers, as far as they are new.
    fn requests(&self, version: &Version, row: &Row) -> Result<Vec<WriteRequest>, Failure> {
        let roster = self.roster;
        let keys = row.subjects.iter().map(|subject| roster.subject_key(version, subject));
        let keys = keys.chain(row.email.iter().map(|email| roster.email_key(version, email))).collect();
        let new = self.seen.lock().unwrap_or_else(PoisonError::into_inner).new_of(keys);
        let target = roster.key(version, &row.worker_id);
        let mut requests = vec![roster.request(version, row)?];
        for key in new {
            requests.push(roster.pointer(key, Some(target.clone()))?);
        }
        Ok(requests)
    }
}

impl<H: Host> Rows for Loading<'_, H> {
    async fn put(&self, version: &Version, rows: &[Row], deadline: Deadline) -> Result<(), Failure> {
        let mut requests = Vec::with_capacity(rows.len() * 2);
        for row in rows {
            requests.extend(self.requests(version, row)?);
        }
        self.roster.write_all(&requests, deadline).await
    }

    async fn end(&self, _version: &Version, deadline: Deadline) -> Result<(), Failure> {
        let again = std::mem::take(&mut self.seen.lock().unwrap_or_else(PoisonError::into_inner).again);
        let requests: Vec<WriteRequest> =
            again.into_iter().map(|key| self.roster.pointer(key, None)).collect::<Result<_, _>>()?;
        self.roster.write_all(&requests, deadline).await
    }
}
