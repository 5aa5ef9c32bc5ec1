//! Records of received elements: `receipt#<event id>`. They fold what comes twice, and keep what was made of an element from
//! before it is published until it was, so that a second attempt publishes the same.

use super::claim::to_item;
use super::items::EventItem;
use super::{Ledger, failure, refused};
use crate::failure::Failure;
use crate::host::Host;
use aws_sdk_dynamodb::types::AttributeValue;

/// What the key of such a record begins with.
pub const RECEIPT: &str = "receipt#";

impl<H: Host> Ledger<H> {
    /// Writes a record in the place of the one that was read; `before` is its `rev`, or `None` where there was none.
    /// Answers `false` where it changed since.
    ///
    /// # Errors
    /// [`Failure::Retryable`] where DynamoDB does not answer.
    pub async fn keep(&self, record: &EventItem, before: Option<u64>) -> Result<bool, Failure> {
        let put = self.client.put_item().table_name(&self.table).set_item(Some(to_item(record)?));
        let put = match before {
            None => put.condition_expression("attribute_not_exists(id)"),
            Some(rev) => put
                .condition_expression("rev = :rev")
                .expression_attribute_values(":rev", AttributeValue::N(rev.to_string())),
        };
        match put.send().await {
            Ok(_) => Ok(true),
            Err(error) if refused(&error) => Ok(false),
            Err(error) => Err(failure(&error)),
        }
    }
}
