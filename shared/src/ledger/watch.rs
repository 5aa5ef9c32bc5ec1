//! What the sweep looks at for its gauges: held events, and when each source was heard (`source#<name>`).

use super::{Ledger, failure, read, refused};
use crate::directory::Deadline;
use crate::failure::Failure;
use crate::host::Host;
use crate::intake::Source;
use crate::ledger::State;
use aws_sdk_dynamodb::types::AttributeValue;
use jiff::{SignedDuration, Timestamp};
use serde::Deserialize;
use std::collections::{BTreeMap, BTreeSet};

/// How many held events are counted at most. A thousand keys of the index are some 100 KB: 13 read units each sweep.
const COUNTED: i32 = 1000;

/// How much later than the note that is there a source must be heard to be noted again.
pub const NOTED_EVERY: SignedDuration = SignedDuration::from_mins(1);

/// What the key of such an item begins with.
const SOURCE: &str = "source#";

/// The events that are held.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Held {
    /// How many; 1000 where there are as many or more.
    pub events: u64,
    /// When the one that waits longest was first claimed. An announcement was claimed when it was announced.
    pub oldest: Option<Timestamp>,
}

/// When a source was heard: the item `source#<name>`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
pub struct Heard {
    /// When something of it came last, in milliseconds since 1970.
    #[serde(default)]
    heard_at: Option<i64>,
    /// When it was first looked for, in milliseconds since 1970, where nothing of it had come by then.
    #[serde(default)]
    watched_since: Option<i64>,
}

impl Heard {
    /// Nothing came, and it is looked for since then.
    #[must_use]
    pub fn nothing_since(at: Timestamp) -> Heard {
        Heard { heard_at: None, watched_since: Some(at.as_millisecond()) }
    }

    /// Something came then.
    #[must_use]
    pub fn at(at: Timestamp) -> Heard {
        Heard { heard_at: Some(at.as_millisecond()), watched_since: None }
    }

    /// Since when nothing came.
    #[must_use]
    pub fn since(&self) -> Option<Timestamp> {
        self.heard_at.max(self.watched_since).and_then(|at| Timestamp::from_millisecond(at).ok())
    }
}

impl<H: Host> Ledger<H> {
    /// Counts what is held, in one read of at most a thousand keys. The index follows the table.
    ///
    /// # Errors
    /// [`Failure::Retryable`] where DynamoDB does not answer.
    pub async fn held(&self) -> Result<Held, Failure> {
        let query = self
            .client
            .query()
            .table_name(&self.table)
            .index_name("by_attention")
            .key_condition_expression("attention = :held")
            .expression_attribute_values(":held", AttributeValue::S(State::Held.as_str().to_owned()))
            .projection_expression("first_claimed_at")
            .limit(COUNTED);
        let items = query.send().await.map_err(|error| failure(&error))?.items.unwrap_or_default();
        let first = items.first().and_then(|item| item.get("first_claimed_at")?.as_n().ok()?.parse().ok());
        let oldest = first.and_then(|at| Timestamp::from_millisecond(at).ok());
        Ok(Held { events: items.len() as u64, oldest })
    }

    /// Notes that a source was heard, unless a note less than a minute older is there, or a newer one.
    ///
    /// # Errors
    /// [`Failure::Retryable`] where DynamoDB does not answer.
    pub async fn note_heard(&self, source: Source, at: Timestamp) -> Result<(), Failure> {
        let before = at.saturating_sub(NOTED_EVERY).unwrap_or(Timestamp::MIN);
        let number = |at: Timestamp| AttributeValue::N(at.as_millisecond().to_string());
        let update = self
            .client
            .update_item()
            .table_name(&self.table)
            .key("id", AttributeValue::S(key(source)))
            .condition_expression("attribute_not_exists(heard_at) OR heard_at <= :before")
            .update_expression("SET heard_at = :at")
            .expression_attribute_values(":at", number(at))
            .expression_attribute_values(":before", number(before));
        match update.send().await {
            Ok(_) => Ok(()),
            Err(error) if refused(&error) => Ok(()),
            Err(error) => Err(failure(&error)),
        }
    }

    /// Notes since when a source is looked for that was never heard.
    ///
    /// # Errors
    /// [`Failure::Retryable`] where DynamoDB does not answer.
    pub async fn watch_source(&self, source: Source, now: Timestamp) -> Result<(), Failure> {
        let update = self
            .client
            .update_item()
            .table_name(&self.table)
            .key("id", AttributeValue::S(key(source)))
            .update_expression("SET watched_since = if_not_exists(watched_since, :now)")
            .expression_attribute_values(":now", AttributeValue::N(now.as_millisecond().to_string()));
        update.send().await.map(|_| ()).map_err(|error| failure(&error))
    }

    /// Reads when these sources were heard. One that was never heard nor looked for is not in the answer.
    ///
    /// # Errors
    /// [`Failure::Retryable`] where DynamoDB does not answer completely in time.
    pub async fn heard(
        &self,
        sources: &BTreeSet<Source>,
        deadline: Deadline,
    ) -> Result<BTreeMap<Source, Heard>, Failure> {
        if sources.is_empty() {
            return Ok(BTreeMap::new());
        }
        let mut items = self.items(&sources.iter().copied().map(key).collect(), deadline).await?;
        let known = sources.iter().filter_map(|source| Some((*source, items.remove(&key(*source))??)));
        known.map(|(source, item)| Ok((source, read(item)?))).collect()
    }
}

fn key(source: Source) -> String {
    format!("{SOURCE}{}", source.as_str())
}
