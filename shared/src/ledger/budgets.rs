//! The brake's items: read with the recall, written with the claim, each under its `rev`.

use super::claim::{number, to_item, unbuilt};
use super::{Item, Ledger, failure, read, refused};
use crate::brake::{Budget, POPULATION_KEY, Population, QUOTAS, Quota};
use crate::directory::Deadline;
use crate::failure::Failure;
use crate::host::Host;
use aws_sdk_dynamodb::types::{AttributeValue, Put};
use serde::de::DeserializeOwned;
use std::collections::{BTreeMap, BTreeSet};

/// Budgets and quotas, as read or with what was taken from them since.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Budgets {
    budgets: BTreeMap<String, Stored<Budget>>,
    quotas: BTreeMap<String, Stored<Quota>>,
    population: Option<Population>,
    known: BTreeSet<String>,
}

/// An item, and the `rev` under which it was read: 0 where there was none.
#[derive(Clone, Debug, Default, PartialEq)]
struct Stored<T> {
    item: T,
    rev: u64,
}

impl Budgets {
    /// The budget under a key, to take from. One that was not read counts as new, and then its write is refused.
    pub fn budget(&mut self, key: &str) -> &mut Budget {
        &mut self.budgets.entry(key.to_owned()).or_default().item
    }

    /// The quota of a group under a key, to take from.
    pub fn quota(&mut self, key: &str) -> &mut Quota {
        &mut self.quotas.entry(key.to_owned()).or_default().item
    }

    /// The last count of users.
    #[must_use]
    pub fn population(&self) -> Option<&Population> {
        self.population.as_ref()
    }

    /// The budget under a key, to look at.
    #[must_use]
    pub fn look(&self, key: &str) -> Option<&Budget> {
        self.budgets.get(key).map(|stored| &stored.item)
    }

    /// The quota under a key, to look at.
    #[must_use]
    pub fn look_at_quota(&self, key: &str) -> Option<&Quota> {
        self.quotas.get(key).map(|stored| &stored.item)
    }

    /// The same once what differs from `before` is written.
    #[must_use]
    pub fn written(mut self, before: &Budgets) -> Budgets {
        bump(&mut self.budgets, &before.budgets);
        bump(&mut self.quotas, &before.quotas);
        self
    }

    /// The items that differ from `before`, each with the `rev` as read.
    pub(super) fn changes(&self, before: &Budgets) -> Result<Vec<(String, Item, u64)>, Failure> {
        let mut changes = Vec::new();
        for (key, stored) in differing(&self.budgets, &before.budgets) {
            changes.push((key.clone(), to_item(&stored.item)?, stored.rev));
        }
        for (key, stored) in differing(&self.quotas, &before.quotas) {
            changes.push((key.clone(), to_item(&stored.item)?, stored.rev));
        }
        Ok(changes)
    }

    /// Those of these keys that were not read yet.
    pub(super) fn missing(&self, keys: &BTreeSet<String>) -> BTreeSet<String> {
        keys.difference(&self.known).cloned().collect()
    }

    pub(super) fn learn(&mut self, key: &str, item: Option<Item>) -> Result<(), Failure> {
        fn stored<T: DeserializeOwned + Default>(item: Option<Item>) -> Result<Stored<T>, Failure> {
            let Some(item) = item else { return Ok(Stored::default()) };
            let rev = item.get("rev").and_then(|rev| rev.as_n().ok()?.parse().ok()).unwrap_or_default();
            Ok(Stored { item: read(item)?, rev })
        }
        if key == POPULATION_KEY {
            self.population = item.map(read).transpose()?;
        } else if key.starts_with(QUOTAS) {
            self.quotas.insert(key.to_owned(), stored(item)?);
        } else {
            self.budgets.insert(key.to_owned(), stored(item)?);
        }
        self.known.insert(key.to_owned());
        Ok(())
    }
}

fn differing<'a, T: PartialEq>(
    after: &'a BTreeMap<String, Stored<T>>,
    before: &'a BTreeMap<String, Stored<T>>,
) -> impl Iterator<Item = (&'a String, &'a Stored<T>)> {
    after.iter().filter(|(key, stored)| before.get(*key).is_none_or(|before| before.item != stored.item))
}

fn bump<T: PartialEq>(after: &mut BTreeMap<String, Stored<T>>, before: &BTreeMap<String, Stored<T>>) {
    for (key, stored) in after {
        if before.get(key).is_none_or(|before| before.item != stored.item) {
            stored.rev += 1;
        }
    }
}

impl<H: Host> Ledger<H> {
    /// Reads budgets, quotas and the count of users by their keys, strongly consistent.
    ///
    /// # Errors
    /// [`Failure::Retryable`] where DynamoDB does not answer completely in time.
    pub async fn budgets(&self, keys: &BTreeSet<String>, deadline: Deadline) -> Result<Budgets, Failure> {
        let mut budgets = Budgets::default();
        self.more_budgets(keys, &mut budgets, deadline).await?;
        Ok(budgets)
    }

    /// Reads those of `keys` that `budgets` lacks.
    ///
    /// # Errors
    /// As [`Ledger::budgets`].
    pub async fn more_budgets(
        &self,
        keys: &BTreeSet<String>,
        budgets: &mut Budgets,
        deadline: Deadline,
    ) -> Result<(), Failure> {
        let missing = budgets.missing(keys);
        if missing.is_empty() {
            return Ok(());
        }
        for (key, item) in self.items(&missing, deadline).await? {
            budgets.learn(&key, item)?;
        }
        Ok(())
    }

    /// Says how many registered, unsuspended users there are: what `percent` is a share of.
    ///
    /// # Errors
    /// [`Failure::Retryable`] where DynamoDB does not answer.
    pub async fn set_population(&self, population: &Population) -> Result<(), Failure> {
        let mut item = to_item(population)?;
        item.insert("id".into(), AttributeValue::S(POPULATION_KEY.to_owned()));
        let put = self.client.put_item().table_name(&self.table).set_item(Some(item));
        put.send().await.map(|_| ()).map_err(|error| failure(&error))
    }

    /// Empties a budget or a quota and opens its latch. Releases nothing. Answers whether there was one to reset.
    ///
    /// Claims under way that rest on the item as it was lose their race, and read it anew.
    ///
    /// # Errors
    /// [`Failure::Retryable`] where DynamoDB does not answer.
    pub async fn reset_budget(&self, key: &str) -> Result<bool, Failure> {
        let update = self
            .client
            .update_item()
            .table_name(&self.table)
            .key("id", AttributeValue::S(key.to_owned()))
            .condition_expression("attribute_exists(id)")
            .update_expression("SET rev = rev + :one REMOVE windows, latch, gone")
            .expression_attribute_values(":one", number(1));
        match update.send().await {
            Ok(_) => Ok(true),
            Err(error) if refused(&error) => Ok(false),
            Err(error) => Err(failure(&error)),
        }
    }

    /// Counts a member of a group among the rest again, since it has access. Best effort: where it is not written, the
    /// group counts one too few, and holds rather than lets pass.
    pub async fn give_back(&self, key: &str, member: &str) {
        let update = self
            .client
            .update_item()
            .table_name(&self.table)
            .key("id", AttributeValue::S(key.to_owned()))
            .condition_expression("attribute_exists(gone.#member)")
            .update_expression("SET rev = rev + :one REMOVE gone.#member")
            .expression_attribute_names("#member", member)
            .expression_attribute_values(":one", number(1));
        match update.send().await {
            Ok(_) => {}
            // It was not counted as gone.
            Err(error) if refused(&error) => {}
            Err(_) => tracing::warn!(quota = key, "a member of a group is not counted again: reset the quota"),
        }
    }

    /// Writes an item whose `rev` is still as it was read.
    pub(super) fn put_at(&self, key: &str, mut item: Item, rev: u64) -> Result<Put, Failure> {
        item.insert("id".into(), AttributeValue::S(key.to_owned()));
        item.insert("rev".into(), number(rev + 1));
        let put = Put::builder().table_name(&self.table).set_item(Some(item));
        let put = if rev == 0 {
            put.condition_expression("attribute_not_exists(id)")
        } else {
            put.condition_expression("rev = :rev").expression_attribute_values(":rev", number(rev))
        };
        put.build().map_err(|_| unbuilt())
    }
}
