//! Many rows of a version at once, by whom they are about.

use super::super::item::RowItem;
use super::super::{Row, Version};
use super::Roster;
use crate::directory::Deadline;
use crate::failure::{Cause, Failure};
use crate::host::Host;
use crate::ledger::{failure, read};
use crate::person::PersonKey;
use aws_sdk_dynamodb::types::{AttributeValue, KeysAndAttributes};
use std::collections::{BTreeMap, HashMap};
use std::time::Duration;

/// The most keys of one `BatchGetItem`. Source: DynamoDB's quotas.
const BATCH_KEYS: usize = 100;

impl<H: Host> Roster<H> {
    /// The rows of people, a hundred a call: of those who have one, and are known by HR's employee number.
    ///
    /// # Errors
    /// [`Failure::Retryable`] where DynamoDB does not answer completely in time, or a row cannot be read.
    pub async fn people(
        &self,
        version: &Version,
        people: &[PersonKey],
        deadline: Deadline,
    ) -> Result<BTreeMap<PersonKey, Row>, Failure> {
        // A row's key has the same hash as its person's.
        let key = |person: &PersonKey| format!("{version}#worker#{}", person.as_str());
        let asked: HashMap<String, &PersonKey> = people.iter().map(|person| (key(person), person)).collect();
        let mut left: Vec<String> = asked.keys().cloned().collect();
        let mut rows = BTreeMap::new();
        let mut backoff = Duration::from_millis(20);
        while !left.is_empty() {
            if !deadline.allows(self.host.now(), 1) {
                return Err(Failure::retryable(Cause::OutOfTime));
            }
            let chunk: Vec<String> = left.drain(..left.len().min(BATCH_KEYS)).collect();
            let keys = chunk.iter().map(|key| HashMap::from([("id".to_owned(), AttributeValue::S(key.clone()))]));
            let request = KeysAndAttributes::builder().set_keys(Some(keys.collect())).build();
            let request = request.map_err(|_| Failure::retryable(Cause::Unanswered))?;
            let answer = self.client.batch_get_item().request_items(&self.table, request).send().await;
            let answer = answer.map_err(|error| failure(&error))?;
            for item in answer.responses.unwrap_or_default().into_values().flatten() {
                let id = item.get("id").and_then(|id| id.as_s().ok()).cloned().unwrap_or_default();
                let row: RowItem = read(item)?;
                let row = row.into_row().ok_or(Failure::retryable(Cause::Unanswered))?;
                if let Some(person) = asked.get(&id) {
                    rows.insert((*person).clone(), row);
                }
            }
            let unprocessed = answer.unprocessed_keys.unwrap_or_default().into_values().flat_map(|keys| keys.keys);
            let unprocessed: Vec<String> = unprocessed.filter_map(|key| key.get("id")?.as_s().ok().cloned()).collect();
            if !unprocessed.is_empty() {
                self.host.sleep(self.host.jitter(backoff)).await;
                backoff = (backoff * 2).min(Duration::from_secs(1));
            }
            left.extend(unprocessed);
        }
        Ok(rows)
    }
}
