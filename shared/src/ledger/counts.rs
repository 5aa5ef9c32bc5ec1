//! How much waits: counted by the indexes alone, for whoever looks how a stack is. Indexes follow the table.

use super::items::DUE;
use super::{Ledger, State, failure};
use crate::directory::Deadline;
use crate::failure::{Cause, Failure};
use crate::host::Host;
use aws_sdk_dynamodb::operation::query::builders::QueryFluentBuilder;
use aws_sdk_dynamodb::types::AttributeValue;
use jiff::Timestamp;

/// What waits in a state.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Backlog {
    /// How many.
    pub count: u64,
    /// When the longest waiting one was first claimed.
    pub oldest: Option<Timestamp>,
}

/// Announcements that wait for their time.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Announced {
    /// How many.
    pub count: u64,
    /// When the next one is due.
    pub next: Option<Timestamp>,
    /// How many were due before the instant that was asked about.
    pub overdue: u64,
}

impl<H: Host> Ledger<H> {
    /// How many events are held, observed or parked; none in any other state.
    ///
    /// # Errors
    /// [`Failure::Retryable`] where DynamoDB does not answer completely in time.
    pub async fn backlog(&self, state: State, deadline: Deadline) -> Result<Backlog, Failure> {
        let Some(attention) = state.attention() else { return Ok(Backlog::default()) };
        let query = self.times("by_attention", "attention", attention, "first_claimed_at");
        let mut backlog = Backlog::default();
        self.each(query, "first_claimed_at", deadline, |at| {
            backlog.oldest = backlog.oldest.or(Timestamp::from_millisecond(at).ok());
            backlog.count += 1;
        })
        .await?;
        Ok(backlog)
    }

    /// How many announcements wait, and how many of them were due before an instant.
    ///
    /// # Errors
    /// [`Failure::Retryable`] where DynamoDB does not answer completely in time.
    pub async fn announced(&self, before: Timestamp, deadline: Deadline) -> Result<Announced, Failure> {
        let query = self.times("by_due", "due", DUE, "due_at");
        let mut announced = Announced::default();
        self.each(query, "due_at", deadline, |at| {
            announced.next = announced.next.or(Timestamp::from_millisecond(at).ok());
            announced.overdue += u64::from(at < before.as_millisecond());
            announced.count += 1;
        })
        .await?;
        Ok(announced)
    }

    /// The times of one partition of an index, earliest first.
    fn times(&self, index: &str, partition: &str, value: &str, time: &str) -> QueryFluentBuilder {
        self.client
            .query()
            .table_name(&self.table)
            .index_name(index)
            .key_condition_expression("#partition = :value")
            .projection_expression("#time")
            .expression_attribute_names("#partition", partition)
            .expression_attribute_names("#time", time)
            .expression_attribute_values(":value", AttributeValue::S(value.to_owned()))
    }

    async fn each(
        &self,
        query: QueryFluentBuilder,
        time: &str,
        deadline: Deadline,
        mut seen: impl FnMut(i64),
    ) -> Result<(), Failure> {
        let mut from = None;
        loop {
            if !deadline.allows(self.host.now(), 1) {
                return Err(Failure::retryable(Cause::OutOfTime));
            }
            let page = query.clone().set_exclusive_start_key(from).send().await.map_err(|error| failure(&error))?;
            let times = page.items().iter().filter_map(|item| item.get(time)?.as_n().ok()?.parse().ok());
            times.for_each(&mut seen);
            from = page.last_evaluated_key;
            if from.is_none() {
                return Ok(());
            }
        }
    }
}
