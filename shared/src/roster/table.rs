//! The roster table: one item a person and version, pointers to it, and the item that says which version is in force.
//!
//! *Invariant*: `current` is only ever replaced by a later version, and only where it still is the one that the later one
//! was compared with.

mod people;

use super::item::RowItem;
use super::{Index, Row, Version};
use crate::batch::REALM;
use crate::directory::Deadline;
use crate::failure::{Cause, Failure};
use crate::host::Host;
use crate::ledger::{failure, read, refused};
use crate::person::WorkerId;
use crate::seal::Keys;
use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::types::{AttributeValue, PutRequest, WriteRequest};
use futures_util::{StreamExt, TryStreamExt, stream};
use std::collections::HashMap;
use std::time::Duration;

/// The key of the item that says which version is in force.
const CURRENT: &str = "current";

/// The most items of one `BatchWriteItem`. Source: DynamoDB's quotas.
const BATCH_ITEMS: usize = 25;

/// How many writes are under way at once.
const IN_FLIGHT: usize = 8;

/// How often a write is sent again that DynamoDB neither takes nor throttles.
const ATTEMPTS: u32 = 5;

/// How long rows are kept, in seconds: 30 days.
const KEPT_FOR: i64 = 30 * 24 * 60 * 60;

/// The roster table.
#[derive(Clone, Debug)]
pub struct Roster<H> {
    client: Client,
    table: String,
    pub(super) keys: Keys,
    host: H,
}

/// What became of a version that would take force.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Force {
    /// It is in force.
    Taken,
    /// A later version is.
    Overtaken,
    /// Another took force since, and is not later: this one has to be compared with that.
    Contended,
}

/// The roster in force in a table, for whoever holds no person key; `None` before the first.
///
/// # Errors
/// [`Failure::Retryable`] where DynamoDB does not answer.
pub async fn in_force(client: &Client, table: &str) -> Result<Option<Index>, Failure> {
    get(client, table, CURRENT.to_owned()).await
}

async fn get<T: serde::de::DeserializeOwned>(client: &Client, table: &str, key: String) -> Result<Option<T>, Failure> {
    let request = client.get_item().table_name(table).key("id", AttributeValue::S(key));
    let answer = request.consistent_read(true).send().await.map_err(|error| failure(&error))?;
    answer.item.map(read).transpose()
}

impl<H: Host> Roster<H> {
    /// A roster on a table.
    pub fn new(client: Client, table: impl Into<String>, keys: Keys, host: H) -> Roster<H> {
        Roster { client, table: table.into(), keys, host }
    }

    /// The roster in force, strongly consistent; `None` before the first.
    ///
    /// # Errors
    /// [`Failure::Retryable`] where DynamoDB does not answer.
    pub async fn current(&self) -> Result<Option<Index>, Failure> {
        in_force(&self.client, &self.table).await
    }

    /// One person of a version, by HR's employee number.
    ///
    /// # Errors
    /// [`Failure::Retryable`] where DynamoDB does not answer, or the item cannot be read.
    pub async fn row(&self, version: &Version, worker_id: &WorkerId) -> Result<Option<Row>, Failure> {
        self.row_at(self.key(version, worker_id)).await
    }

    pub(super) async fn row_at(&self, key: String) -> Result<Option<Row>, Failure> {
        let item: Option<RowItem> = self.get(key).await?;
        item.map(|item| item.into_row().ok_or(Failure::retryable(Cause::Unanswered))).transpose()
    }

    /// Puts a version in force that was compared with the one before it.
    ///
    /// # Errors
    /// [`Failure::Retryable`] where DynamoDB does not answer.
    pub async fn take_force(&self, index: &Index, before: Option<&Index>) -> Result<Force, Failure> {
        if before.is_some_and(|before| before.version > index.version) {
            return Ok(Force::Overtaken);
        }
        let mut item: HashMap<String, AttributeValue> =
            serde_dynamo::to_item(index).map_err(|_| Failure::retryable(Cause::Unanswered))?;
        item.insert("id".into(), AttributeValue::S(CURRENT.into()));
        let put = self.client.put_item().table_name(&self.table).set_item(Some(item));
        let put = match before {
            None => put.condition_expression("attribute_not_exists(id)"),
            Some(before) => put
                .condition_expression("#version = :before")
                .expression_attribute_names("#version", "version")
                .expression_attribute_values(":before", AttributeValue::S(before.version.as_str().to_owned())),
        };
        match put.send().await {
            Ok(_) => Ok(Force::Taken),
            Err(error) if refused(&error) => match self.current().await? {
                // The first answer was lost.
                Some(current) if current.version == index.version => Ok(Force::Taken),
                Some(current) if current.version > index.version => Ok(Force::Overtaken),
                Some(_) | None => Ok(Force::Contended),
            },
            Err(error) => Err(failure(&error)),
        }
    }

    pub(super) fn key(&self, version: &Version, worker_id: &WorkerId) -> String {
        format!("{version}#worker#{}", self.keys.hash(&[REALM, "worker", worker_id.as_ref()]))
    }

    pub(super) async fn get<T: serde::de::DeserializeOwned>(&self, key: String) -> Result<Option<T>, Failure> {
        get(&self.client, &self.table, key).await
    }

    /// When what is written now may go, in seconds since 1970.
    pub(super) fn expiration(&self) -> i64 {
        self.host.now().as_second() + KEPT_FOR
    }

    pub(super) fn request(&self, version: &Version, row: &Row) -> Result<WriteRequest, Failure> {
        let item = RowItem::of(self.key(version, &row.worker_id), row, self.expiration());
        self.put_request(serde_dynamo::to_item(item).map_err(|_| Failure::retryable(Cause::Unanswered))?)
    }

    pub(super) fn put_request(&self, item: HashMap<String, AttributeValue>) -> Result<WriteRequest, Failure> {
        let put = PutRequest::builder().set_item(Some(item)).build();
        let put = put.map_err(|_| Failure::retryable(Cause::Unanswered))?;
        Ok(WriteRequest::builder().put_request(put).build())
    }

    /// Writes items of different keys, several batches at once.
    pub(super) async fn write_all(&self, requests: &[WriteRequest], deadline: Deadline) -> Result<(), Failure> {
        stream::iter(requests.chunks(BATCH_ITEMS))
            .map(|batch| self.write(batch.to_vec(), deadline))
            .buffer_unordered(IN_FLIGHT)
            .try_collect()
            .await
    }

    /// Writes up to 25 items, again and again, until each is there.
    async fn write(&self, mut left: Vec<WriteRequest>, deadline: Deadline) -> Result<(), Failure> {
        let mut backoff = Duration::from_millis(20);
        let mut attempt = 1;
        loop {
            if !deadline.allows(self.host.now(), 1) {
                return Err(Failure::retryable(Cause::OutOfTime));
            }
            match self.client.batch_write_item().request_items(&self.table, left.clone()).send().await {
                Ok(answer) => {
                    left = answer.unprocessed_items.unwrap_or_default().into_values().flatten().collect();
                    if left.is_empty() {
                        return Ok(());
                    }
                }
                Err(error) => {
                    let failure = failure(&error);
                    if failure != Failure::retryable(Cause::Throttled) {
                        if attempt == ATTEMPTS {
                            return Err(failure);
                        }
                        attempt += 1;
                    }
                }
            }
            self.host.sleep(self.host.jitter(backoff)).await;
            backoff = (backoff * 2).min(Duration::from_secs(2));
        }
    }
}
