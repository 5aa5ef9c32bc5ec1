//! Reading many people at once: those of a list, and all from whom something was taken. Nothing is written here.

use super::items::PersonItem;
use super::{Ledger, failure, read};
use crate::directory::Deadline;
use crate::failure::Failure;
use crate::host::Host;
use crate::person::PersonKey;
use aws_sdk_dynamodb::operation::scan::builders::ScanFluentBuilder;
use aws_sdk_dynamodb::types::AttributeValue;
use std::collections::{BTreeMap, BTreeSet, HashMap};

/// How often the pointer of a merged person is followed: address to provider's id to employee number, so two at most.
const POINTERS: usize = 3;

/// What the ledger has under a person's key.
#[derive(Clone, Debug, PartialEq)]
pub enum Known {
    /// Nothing.
    Nobody,
    /// The person; where this one was found to be another, that other.
    Person(Box<PersonItem>),
    /// An item of a shape that cannot be read: a newer version's, or damage.
    Unreadable,
}

/// A part of a scan, and where its next page begins.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Part {
    /// Which part, from 0.
    pub(super) number: i32,
    /// Of how many.
    pub(super) of: i32,
    /// The key that was looked at last.
    after: Option<String>,
}

/// A page of people from whom something was taken.
#[derive(Clone, Debug, Default)]
pub struct TakenPage {
    /// The people. Some pages have none.
    pub people: Vec<PersonItem>,
    /// How many items of the page cannot be read.
    pub unreadable: u64,
    /// Where it goes on; `None` at the end of the part.
    pub next: Option<Part>,
}

impl Part {
    /// All parts of a scan that is made in so many.
    #[must_use]
    pub fn all(of: i32) -> Vec<Part> {
        (0..of).map(|number| Part { number, of, after: None }).collect()
    }

    /// Where its next page begins, as DynamoDB wants to be told.
    pub(super) fn start(&self) -> Option<HashMap<String, AttributeValue>> {
        self.after.clone().map(|id| [("id".to_owned(), AttributeValue::S(id))].into())
    }

    /// The same part, behind a key.
    pub(super) fn after(self, key: String) -> Part {
        Part { after: Some(key), ..self }
    }
}

impl PersonItem {
    /// Every key that the person may have been known by: one for each identifier that is tied to them, or was.
    pub fn names(&self) -> impl Iterator<Item = PersonKey> {
        self.aliases.iter().chain(&self.former_aliases).filter_map(|alias| PersonKey::of_alias(alias))
    }

    /// The person's key.
    #[must_use]
    pub fn key(&self) -> Option<PersonKey> {
        PersonKey::of_item(&self.id)
    }
}

impl<H: Host> Ledger<H> {
    /// Reads people, strongly consistent and a hundred a call, following the pointers of those that were merged. Answers
    /// each that was asked for.
    ///
    /// # Errors
    /// [`Failure::Retryable`] where DynamoDB does not answer completely in time.
    pub async fn people(&self, keys: &[PersonKey], deadline: Deadline) -> Result<BTreeMap<PersonKey, Known>, Failure> {
        let mut known: BTreeMap<PersonKey, Known> = BTreeMap::new();
        // Whom to read next, and for whom.
        let mut next: BTreeMap<PersonKey, Vec<PersonKey>> =
            keys.iter().map(|key| (key.clone(), vec![key.clone()])).collect();
        for _ in 0..POINTERS {
            if next.is_empty() {
                break;
            }
            let items: BTreeSet<String> = next.keys().map(PersonKey::item_key).collect();
            let mut items = self.items(&items, deadline).await?;
            for (key, asked) in std::mem::take(&mut next) {
                let found = match items.remove(&key.item_key()).flatten().map(read::<PersonItem>) {
                    None => Known::Nobody,
                    Some(Err(_)) => Known::Unreadable,
                    Some(Ok(PersonItem { merged_into: Some(other), .. })) => {
                        next.entry(other).or_default().extend(asked);
                        continue;
                    }
                    Some(Ok(person)) => Known::Person(Box::new(person)),
                };
                known.extend(asked.into_iter().map(|asked| (asked, found.clone())));
            }
        }
        // Pointers that do not come to an end are damage.
        known.extend(next.into_values().flatten().map(|asked| (asked, Known::Unreadable)));
        Ok(known)
    }

    /// A consistent scan of a part of the table, from where its last page ended.
    pub(super) fn scan(&self, part: &Part) -> ScanFluentBuilder {
        self.client
            .scan()
            .table_name(&self.table)
            .consistent_read(true)
            .segment(part.number)
            .total_segments(part.of)
            .set_exclusive_start_key(part.start())
    }

    /// Reads a page of a part of the table, and answers the people of it from whom something was taken. A page is 1 MB of
    /// the table at most (source: the DynamoDB API reference, Scan).
    ///
    /// # Errors
    /// [`Failure::Retryable`] where DynamoDB does not answer.
    pub async fn taken_from(&self, part: Part) -> Result<TakenPage, Failure> {
        let scan = self.scan(&part).filter_expression("attribute_exists(taken)");
        let page = scan.send().await.map_err(|error| failure(&error))?;
        let next = page.last_evaluated_key.and_then(|key| key.get("id")?.as_s().ok().cloned());
        let items: Vec<_> = page.items.unwrap_or_default().into_iter().map(read::<PersonItem>).collect();
        let all = items.len();
        let people: Vec<PersonItem> = items.into_iter().filter_map(Result::ok).collect();
        Ok(TakenPage { unreadable: (all - people.len()) as u64, people, next: next.map(|after| part.after(after)) })
    }
}
