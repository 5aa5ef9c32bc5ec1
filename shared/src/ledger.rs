//! The ledger: recall, claim and settle, on DynamoDB; and what an operator does with what is held.
//!
//! One table holds events, persons, aliases and the brake's budgets. Attribute names and statuses of event records are those of Powertools
//! for AWS Lambda, so that people read them with what they know.
//!
//! *Invariant*: every write after the claim carries the claim's owner token. A worker that outlived its lease changes
//! nothing here.

mod budgets;
mod claim;
mod counts;
mod due;
mod history;
mod holds;
mod items;
mod people;
mod recall;
mod receipts;
mod resolve;
mod settle;
mod watch;

pub use budgets::Budgets;
pub(crate) use claim::transactions;
pub use claim::{Claim, ClaimError};
pub use counts::{Announced, Backlog};
pub use due::{DuePage, Ended};
pub use history::{EndedPage, History};
pub use holds::{NotRejected, Waiting};
pub use items::{AliasItem, DUE, EventItem, Lease, PersonItem, Rejection, Release, Releasing, State, Taken, WISH};
pub use people::{Known, Part, TakenPage};
pub use recall::{AliasWrite, Recollection, Wanted};
pub use receipts::RECEIPT;
pub use settle::{Learnt, Settled, Settlement, TakenChange};
pub use watch::{Heard, Held, NOTED_EVERY};

use crate::failure::{Cause, Failure};
use crate::host::Host;
use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_dynamodb::types::AttributeValue;
use std::collections::HashMap;

/// One item as DynamoDB gives it.
pub(crate) type Item = HashMap<String, AttributeValue>;

/// The most events of one slice: each takes two actions of the claim's transaction.
pub const SLICE_EVENTS: usize = 48;

/// The most actions of one transaction, and the most keys of one `BatchGetItem`. Source: DynamoDB's quotas.
pub const TRANSACTION_ACTIONS: usize = 100;

/// What a claim keeps free in its transaction for the mass-change brake, at least.
pub const BUDGET_ACTIONS: usize = 4;

/// How long a finished event is remembered by itself, in seconds: 60 days. After that the person's facts tell a replay.
pub const REMEMBERED_FOR: i64 = 60 * 24 * 60 * 60;

/// The table, and the clock that its retries wait by.
#[derive(Clone, Debug)]
pub struct Ledger<H> {
    client: Client,
    table: String,
    host: H,
}

impl<H: Host> Ledger<H> {
    /// A ledger on a table.
    pub fn new(client: Client, table: impl Into<String>, host: H) -> Ledger<H> {
        Ledger { client, table: table.into(), host }
    }

    /// Opens the connection before the first event needs it. What the answer says does not matter.
    pub async fn warm_up(&self) {
        let key = AttributeValue::S("person#warm-up".into());
        let _answer = self.client.get_item().table_name(&self.table).key("id", key).send().await;
    }

    /// Reads one event's record, strongly consistent.
    ///
    /// # Errors
    /// [`Failure::Retryable`] where DynamoDB does not answer, or an item that cannot be read.
    pub async fn event(&self, key: &str) -> Result<Option<EventItem>, Failure> {
        self.get(key).await?.map(read).transpose()
    }

    async fn get(&self, key: &str) -> Result<Option<Item>, Failure> {
        let answer = self
            .client
            .get_item()
            .table_name(&self.table)
            .key("id", AttributeValue::S(key.to_owned()))
            .consistent_read(true)
            .send()
            .await
            .map_err(|error| failure(&error))?;
        Ok(answer.item)
    }
}

/// The condition of a single write did not hold.
pub(crate) fn refused<E: ProvideErrorMetadata, R>(error: &SdkError<E, R>) -> bool {
    error.as_service_error().and_then(ProvideErrorMetadata::code) == Some("ConditionalCheckFailedException")
}

/// Reads an item into its shape.
pub(crate) fn read<T: serde::de::DeserializeOwned>(item: Item) -> Result<T, Failure> {
    // An item of another shape is a newer version's, or damage: neither is this event's fault, and time may mend it.
    serde_dynamo::from_item(item).map_err(|_| Failure::retryable(Cause::Unanswered))
}

/// What an error of DynamoDB means: trying again always may help, since the requests are ours.
pub(crate) fn failure<E: ProvideErrorMetadata, R>(error: &SdkError<E, R>) -> Failure {
    match error.as_service_error().and_then(ProvideErrorMetadata::code) {
        Some("ThrottlingException" | "ProvisionedThroughputExceededException" | "RequestLimitExceeded") => {
            Failure::retryable(Cause::Throttled)
        }
        Some(code) => {
            tracing::error!(error.code = code, "DynamoDB refused a request");
            Failure::retryable(Cause::Unanswered)
        }
        None => Failure::retryable(Cause::Unanswered),
    }
}

/// Builds the update of one item: each attribute of `item` is set, each of `owned` that it lacks is removed.
///
/// Attributes that are not `owned` stay: another version's, or an operator's.
fn set_all(mut item: Item, owned: &[&str]) -> (String, HashMap<String, String>, HashMap<String, AttributeValue>) {
    item.remove("id");
    let (mut sets, mut removes) = (Vec::new(), Vec::new());
    let (mut names, mut values) = (HashMap::new(), HashMap::new());
    for (index, attribute) in owned.iter().enumerate() {
        names.insert(format!("#a{index}"), (*attribute).to_owned());
        match item.remove(*attribute) {
            Some(value) => {
                sets.push(format!("#a{index} = :a{index}"));
                values.insert(format!(":a{index}"), value);
            }
            None => removes.push(format!("#a{index}")),
        }
    }
    let sets = if sets.is_empty() { String::new() } else { format!("SET {}", sets.join(", ")) };
    let removes = if removes.is_empty() { String::new() } else { format!(" REMOVE {}", removes.join(", ")) };
    (format!("{sets}{removes}"), names, values)
}
