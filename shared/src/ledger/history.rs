//! What the ledger tells afterwards: whom an identifier names, every record of a person, and all that ended since a time.
//! Nothing is written here.

use super::items::{AliasItem, EventItem, PersonItem, State};
use super::{Known, Ledger, Part, failure, read};
use crate::directory::Deadline;
use crate::failure::Failure;
use crate::host::Host;
use crate::person::{Identity, PersonKey};
use aws_sdk_dynamodb::types::AttributeValue;
use jiff::Timestamp;
use std::collections::BTreeSet;

/// A person, and each of their records, by when it came.
#[derive(Clone, Debug)]
pub struct History {
    /// The key that the person has now.
    pub key: PersonKey,
    /// What is known of the person; nothing where only records tell of them, as a compromise does.
    pub person: Option<PersonItem>,
    /// Something is kept of the person, and cannot be read: a newer version's, or damage. Then nobody knows what is due.
    pub person_unreadable: bool,
    /// The records: of functions, and of what was received (`receipt#…`).
    pub events: Vec<EventItem>,
    /// How many records have a shape that cannot be read: a newer version's, or damage.
    pub unreadable: usize,
}

/// A page of records that ended in a time.
#[derive(Clone, Debug, Default)]
pub struct EndedPage {
    /// The records, in no order. Some pages have none.
    pub events: Vec<EventItem>,
    /// How many records have a shape that cannot be read: a newer version's, or damage.
    pub unreadable: usize,
    /// Where it goes on; `None` at the end of the part.
    pub next: Option<Part>,
}

impl<H: Host> Ledger<H> {
    /// Whom an identifier names now: its holder, or the person that it names by itself.
    ///
    /// # Errors
    /// [`Failure::Retryable`] where DynamoDB does not answer.
    pub async fn holder(&self, identity: &Identity) -> Result<PersonKey, Failure> {
        let alias = self.get(&identity.alias_key()).await?.map(read::<AliasItem>).transpose()?;
        Ok(alias.map_or_else(|| identity.person(), |alias| alias.person))
    }

    /// A person with every record, under each key that they ever had. Of the records the ledger has those of the last
    /// [`super::REMEMBERED_FOR`] seconds, and whatever is not done.
    ///
    /// The index is read eventually consistent: a record of this second may be missing.
    ///
    /// # Errors
    /// [`Failure::Retryable`] where DynamoDB does not answer completely in time.
    pub async fn history(&self, key: &PersonKey, deadline: Deadline) -> Result<History, Failure> {
        let mut people = self.people(std::slice::from_ref(key), deadline).await?;
        let (person, person_unreadable) = match people.remove(key) {
            Some(Known::Person(person)) => (Some(*person), false),
            Some(Known::Unreadable) => (None, true),
            Some(Known::Nobody) | None => (None, false),
        };
        let now = person.as_ref().and_then(PersonItem::key).unwrap_or_else(|| key.clone());
        let mut names: BTreeSet<PersonKey> = [key.clone(), now.clone()].into();
        names.extend(person.iter().flat_map(PersonItem::names));
        let mut keys = BTreeSet::new();
        for name in names {
            keys.extend(self.records_of(&name).await?);
        }
        let items = self.items(&keys, deadline).await?;
        let read: Vec<Result<EventItem, Failure>> = items.into_values().flatten().map(read).collect();
        let all = read.len();
        let mut events: Vec<EventItem> = read.into_iter().filter_map(Result::ok).collect();
        events.sort_by(|a, b| (a.came_at(), &a.id).cmp(&(b.came_at(), &b.id)));
        Ok(History { key: now, person, person_unreadable, unreadable: all - events.len(), events })
    }

    /// The keys of the records under one of a person's keys.
    async fn records_of(&self, person: &PersonKey) -> Result<Vec<String>, Failure> {
        let mut pages = self
            .client
            .query()
            .table_name(&self.table)
            .index_name("by_person")
            .key_condition_expression("person = :person")
            .expression_attribute_values(":person", AttributeValue::S(person.as_str().to_owned()))
            .into_paginator()
            .items()
            .send();
        let mut keys = Vec::new();
        while let Some(item) = pages.next().await {
            let item = item.map_err(|error| failure(&error))?;
            keys.extend(item.get("id").and_then(|id| id.as_s().ok()).cloned());
        }
        Ok(keys)
    }

    /// Reads a page of a part of the table, and answers the records of it that ended in a time: at or after `since`, and
    /// before `until`. A page is 1 MB of the table at most (source: the DynamoDB API reference, Scan).
    ///
    /// # Errors
    /// [`Failure::Retryable`] where DynamoDB does not answer.
    pub async fn ended_between(&self, part: Part, since: Timestamp, until: Timestamp) -> Result<EndedPage, Failure> {
        let number = |at: Timestamp| AttributeValue::N(at.as_millisecond().to_string());
        let scan = self
            .scan(&part)
            .filter_expression("settled_at >= :since AND settled_at < :until AND #state IN (:a, :b, :c, :d)")
            .expression_attribute_names("#state", "state")
            .expression_attribute_values(":since", number(since))
            .expression_attribute_values(":until", number(until));
        let scan = [":a", ":b", ":c", ":d"].into_iter().zip(State::DONE).fold(scan, |scan, (name, state)| {
            scan.expression_attribute_values(name, AttributeValue::S(state.as_str().to_owned()))
        });
        let page = scan.send().await.map_err(|error| failure(&error))?;
        let next = page.last_evaluated_key.and_then(|key| key.get("id")?.as_s().ok().cloned());
        let read: Vec<Result<EventItem, Failure>> = page.items.unwrap_or_default().into_iter().map(read).collect();
        let all = read.len();
        let events: Vec<EventItem> = read.into_iter().filter_map(Result::ok).collect();
        Ok(EndedPage { unreadable: all - events.len(), events, next: next.map(|after| part.after(after)) })
    }
}
