//! Announcements that wait for their time: finding what is due, and writing what became of it.
//!
//! Each write rests on the record being as it was read. Whatever loses that race is looked at again.

use super::claim::number;
use super::items::{DUE, EventItem, State};
use super::{Ledger, REMEMBERED_FOR, failure, refused};
use crate::decide::Reason;
use crate::failure::Failure;
use crate::host::Host;
use crate::outcome::Outcome;
use aws_sdk_dynamodb::operation::update_item::builders::UpdateItemFluentBuilder;
use aws_sdk_dynamodb::types::AttributeValue;
use jiff::Timestamp;

/// The most records that are listed at once.
const PAGE: i32 = 200;

/// Part of what is due.
#[derive(Clone, Debug, Default)]
pub struct DuePage {
    /// The keys of records, the longest due first.
    pub keys: Vec<String>,
    /// Where the next part begins; `None` at the end.
    pub next: Option<(String, i64)>,
}

/// What became of an announcement.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ended {
    /// It was published as effective.
    Published,
    /// Another assertion of its fact stands.
    Superseded,
}

impl<H: Host> Ledger<H> {
    /// The announcements that are due by an instant, at most 200 at a time. The index follows the table: what became of
    /// them shows in their records.
    ///
    /// # Errors
    /// [`Failure::Retryable`] where DynamoDB does not answer.
    pub async fn due(&self, by: Timestamp, from: Option<(String, i64)>) -> Result<DuePage, Failure> {
        let mut query = self
            .client
            .query()
            .table_name(&self.table)
            .index_name("by_due")
            .key_condition_expression("due = :due AND due_at <= :by")
            .expression_attribute_values(":due", AttributeValue::S(DUE.to_owned()))
            .expression_attribute_values(":by", AttributeValue::N(by.as_millisecond().to_string()))
            .limit(PAGE);
        if let Some((id, due_at)) = from {
            query = query
                .exclusive_start_key("id", AttributeValue::S(id))
                .exclusive_start_key("due", AttributeValue::S(DUE.to_owned()))
                .exclusive_start_key("due_at", AttributeValue::N(due_at.to_string()));
        }
        let page = query.send().await.map_err(|error| failure(&error))?;
        let next = page
            .last_evaluated_key
            .and_then(|key| Some((key.get("id")?.as_s().ok()?.clone(), key.get("due_at")?.as_n().ok()?.parse().ok()?)));
        let items = page.items.unwrap_or_default();
        let keys = items.iter().filter_map(|item| item.get("id")?.as_s().ok().cloned()).collect();
        Ok(DuePage { keys, next })
    }

    /// Notes another time at which it is due. Answers `false` where the record changed since it was read.
    ///
    /// # Errors
    /// [`Failure::Retryable`] where DynamoDB does not answer.
    pub async fn redated(&self, record: &EventItem, at: Timestamp) -> Result<bool, Failure> {
        let update = self
            .still_due(record)
            .update_expression("SET due_at = :at, rev = rev + :one")
            .expression_attribute_values(":at", AttributeValue::N(at.as_millisecond().to_string()));
        written(update).await
    }

    /// Notes that what followed from the time of before was taken back. Answers `false` where the record changed.
    ///
    /// # Errors
    /// [`Failure::Retryable`] where DynamoDB does not answer.
    pub async fn taken_back(&self, record: &EventItem) -> Result<bool, Failure> {
        written(self.still_due(record).update_expression("SET rev = rev + :one REMOVE takes_back")).await
    }

    /// Notes what became of it. Answers `false` where the record changed.
    ///
    /// # Errors
    /// [`Failure::Retryable`] where DynamoDB does not answer.
    pub async fn ended(&self, record: &EventItem, ended: Ended, now: Timestamp) -> Result<bool, Failure> {
        let outcome = match ended {
            Ended::Published => Outcome::decided(State::Applied, Reason::Published, None, None),
            Ended::Superseded => Outcome::decided(State::Superseded, Reason::NewerAssertion, None, None),
        };
        let expiration = now.as_second() + REMEMBERED_FOR;
        let update = self
            .still_due(record)
            .update_expression(
                "SET #state = :state, #data = :data, expiration = :expiration, settled_at = :at, rev = rev + :one \
                 REMOVE due, #event",
            )
            .expression_attribute_names("#state", "state")
            .expression_attribute_names("#data", "data")
            .expression_attribute_names("#event", "event")
            .expression_attribute_values(":state", AttributeValue::S(outcome.outcome.as_str().to_owned()))
            .expression_attribute_values(":data", AttributeValue::S(outcome.to_json()))
            .expression_attribute_values(":at", AttributeValue::N(now.as_millisecond().to_string()))
            .expression_attribute_values(":expiration", AttributeValue::N(expiration.to_string()));
        written(update).await
    }

    /// Holds it: an operator releases or rejects it, under this token. Answers `false` where the record changed.
    ///
    /// # Errors
    /// [`Failure::Retryable`] where DynamoDB does not answer.
    pub async fn hold_due(
        &self,
        record: &EventItem,
        reason: Reason,
        owner: &str,
        now: Timestamp,
    ) -> Result<bool, Failure> {
        let outcome = Outcome::decided(State::Held, reason, None, None);
        let text = |text: &str| AttributeValue::S(text.to_owned());
        let attention = State::Held.attention().unwrap_or_default();
        let update = self
            .still_due(record)
            .update_expression(
                "SET #state = :state, #status = :status, #data = :data, attention = :attention, #owner = :owner, \
                 settled_at = :at, rev = rev + :one REMOVE due",
            )
            .expression_attribute_names("#state", "state")
            .expression_attribute_names("#status", "status")
            .expression_attribute_names("#data", "data")
            .expression_attribute_names("#owner", "owner")
            .expression_attribute_values(":state", text(State::Held.as_str()))
            .expression_attribute_values(":status", text(State::Held.status()))
            .expression_attribute_values(":data", AttributeValue::S(outcome.to_json()))
            .expression_attribute_values(":attention", text(attention))
            .expression_attribute_values(":at", AttributeValue::N(now.as_millisecond().to_string()))
            .expression_attribute_values(":owner", text(owner));
        written(update).await
    }

    fn still_due(&self, record: &EventItem) -> UpdateItemFluentBuilder {
        self.client
            .update_item()
            .table_name(&self.table)
            .key("id", AttributeValue::S(record.id.clone()))
            .condition_expression("rev = :rev AND attribute_exists(due)")
            .expression_attribute_values(":rev", number(record.rev))
            .expression_attribute_values(":one", number(1))
    }
}

async fn written(update: UpdateItemFluentBuilder) -> Result<bool, Failure> {
    match update.send().await {
        Ok(_) => Ok(true),
        Err(error) if refused(&error) => Ok(false),
        Err(error) => Err(failure(&error)),
    }
}
