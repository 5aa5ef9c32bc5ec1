//! Recall: what the ledger knows of a slice, in one strongly consistent read (plus one for aliases where needed).

use super::budgets::Budgets;
use super::items::{AliasItem, EventItem, PersonItem};
use super::resolve::{Resolved, alias_keys, resolve};
use super::{Item, Ledger, TRANSACTION_ACTIONS, failure, read};
use crate::directory::Deadline;
use crate::failure::{Cause, Failure};
use crate::host::Host;
use crate::person::{GivenUp, Identity, PersonKey, What};
use aws_sdk_dynamodb::types::{AttributeValue, KeysAndAttributes};
use jiff::Timestamp;
use std::collections::{BTreeSet, HashMap};
use std::time::Duration;

/// What to recall for one event.
#[derive(Clone, Debug)]
pub struct Wanted {
    /// Key of its record.
    pub event_key: String,
    /// Who it is about, strongest identifier first. Empty for a body that could not be read.
    pub identities: Vec<Identity>,
    /// The address that the person gave up by it.
    pub given_up: Option<GivenUp>,
    /// The function looks people up though their user is remembered.
    pub looks_up: bool,
    /// When it was asserted: a reused address means another person before and after.
    pub occurred_at: Timestamp,
}

/// What the ledger knows of one event and its person.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Recollection {
    /// The event's record.
    pub event: Option<EventItem>,
    /// The person; `None` for a body that could not be read.
    pub person: Option<(PersonKey, PersonItem)>,
    /// Identifiers to tie to the person in the claim.
    pub aliases: Vec<AliasWrite>,
    /// Persons that this event shows to be the same one: their facts join, and they point here afterwards.
    pub merges: Vec<(PersonKey, PersonItem)>,
    /// Keys of items whose absence the resolution rests on: the claim checks them.
    pub absent: Vec<String>,
    /// Keys of people whom the resolution takes for somebody else: the claim checks that they were not merged meanwhile.
    pub apart: BTreeSet<String>,
    /// The event's address belongs to somebody else by now: nobody may be looked up by it.
    pub address_lost: bool,
    /// Other people who had the event's address before, and who may have a user in the directory.
    pub others: Vec<PersonItem>,
}

/// An alias item to write in the claim.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AliasWrite {
    /// The item.
    pub item: AliasItem,
    /// The item as recalled; the write is conditional on that.
    pub prior: Option<AliasItem>,
}

impl<H: Host> Ledger<H> {
    /// Recalls a slice, and with it those of the brake's items that `budgets` lacks. Answers in the order asked; an item
    /// that cannot be read fails its own event only.
    ///
    /// # Errors
    /// [`Failure::Retryable`] where DynamoDB does not answer completely in time, or one of the brake's items cannot be
    /// read.
    pub async fn recall(
        &self,
        wanted: &[Wanted],
        brake: &BTreeSet<String>,
        budgets: &mut Budgets,
        deadline: Deadline,
    ) -> Result<Vec<Result<Recollection, Failure>>, Failure> {
        let mut cache = Cache::default();
        let brake = budgets.missing(brake);
        let mut keys: BTreeSet<String> = wanted.iter().map(|wanted| wanted.event_key.clone()).collect();
        keys.extend(wanted.iter().filter_map(|wanted| Some(wanted.identities.first()?.person().item_key())));
        keys.extend(brake.iter().cloned());
        // Aliases are rarely needed. While there is room, they cost no call of their own.
        let tied = |identity: &&Identity| identity.what() != What::Worker;
        for identity in wanted.iter().flat_map(|wanted| {
            wanted.identities.iter().chain(wanted.given_up.as_ref().map(|it| &it.address)).filter(tied)
        }) {
            if keys.len() + 2 <= TRANSACTION_ACTIONS {
                keys.extend(alias_keys(identity));
            }
        }
        loop {
            self.fetch(&keys, &mut cache, deadline).await?;
            let resolved: Vec<Resolved> = wanted.iter().map(|wanted| resolve(wanted, &cache)).collect();
            keys = resolved
                .iter()
                .filter_map(|resolved| if let Resolved::Needs(keys) = resolved { Some(keys) } else { None })
                .flatten()
                .cloned()
                .collect();
            if keys.is_empty() {
                for key in &brake {
                    budgets.learn(key, cache.items.remove(key).flatten())?;
                }
                let recollect = |(wanted, resolved)| cache.recollection(wanted, resolved);
                return Ok(wanted.iter().zip(resolved).map(recollect).collect());
            }
        }
    }

    /// Reads items by key: each with its item, or that there is none.
    pub(super) async fn items(
        &self,
        keys: &BTreeSet<String>,
        deadline: Deadline,
    ) -> Result<HashMap<String, Option<Item>>, Failure> {
        let mut cache = Cache::default();
        self.fetch(keys, &mut cache, deadline).await?;
        Ok(cache.items)
    }

    /// Fetches keys, 100 a call, until each was answered.
    async fn fetch(&self, keys: &BTreeSet<String>, cache: &mut Cache, deadline: Deadline) -> Result<(), Failure> {
        let mut left: Vec<String> = keys.iter().cloned().collect();
        let mut backoff = Duration::from_millis(20);
        while !left.is_empty() {
            if !deadline.allows(self.host.now(), 1) {
                return Err(Failure::retryable(Cause::OutOfTime));
            }
            let chunk: Vec<String> = left.drain(..left.len().min(TRANSACTION_ACTIONS)).collect();
            let unprocessed = self.batch_get(&chunk, cache).await?;
            if !unprocessed.is_empty() {
                self.host.sleep(self.host.jitter(backoff)).await;
                backoff = (backoff * 2).min(Duration::from_secs(1));
            }
            left.extend(unprocessed);
        }
        Ok(())
    }

    async fn batch_get(&self, keys: &[String], cache: &mut Cache) -> Result<Vec<String>, Failure> {
        let keys_of =
            keys.iter().map(|key| HashMap::from([("id".to_owned(), AttributeValue::S(key.clone()))])).collect();
        let request = KeysAndAttributes::builder().set_keys(Some(keys_of)).consistent_read(true).build();
        let request = request.map_err(|_| Failure::retryable(Cause::Unanswered))?;
        let answer = self
            .client
            .batch_get_item()
            .request_items(&self.table, request)
            .send()
            .await
            .map_err(|error| failure(&error))?;
        let unprocessed: Vec<String> = answer
            .unprocessed_keys
            .unwrap_or_default()
            .into_values()
            .flat_map(|keys| keys.keys)
            .filter_map(|key| key.get("id").and_then(|id| id.as_s().ok()).cloned())
            .collect();
        for key in keys.iter().filter(|key| !unprocessed.contains(key)) {
            cache.items.insert(key.clone(), None);
        }
        for item in answer.responses.unwrap_or_default().into_values().flatten() {
            if let Some(Ok(id)) = item.get("id").map(|id| id.as_s().cloned()) {
                cache.items.insert(id, Some(item));
            }
        }
        Ok(unprocessed)
    }
}

/// Every key that was answered: its item, or that there is none.
#[derive(Default)]
pub(super) struct Cache {
    items: HashMap<String, Option<Item>>,
}

impl Cache {
    /// The item under a key: outer `None` where it was not asked for yet.
    pub(super) fn get<T: serde::de::DeserializeOwned>(&self, key: &str) -> Option<Result<Option<T>, Failure>> {
        self.items.get(key).map(|item| item.clone().map(read).transpose())
    }

    fn recollection(&self, wanted: &Wanted, resolved: Resolved) -> Result<Recollection, Failure> {
        let event = self.get(&wanted.event_key).transpose()?.flatten();
        let person = |key: PersonKey| -> Result<(PersonKey, PersonItem), Failure> {
            let item: Option<PersonItem> = self.get(&key.item_key()).transpose()?.flatten();
            let item = item.unwrap_or_else(|| PersonItem { id: key.item_key(), ..PersonItem::default() });
            Ok((key, item))
        };
        match resolved {
            Resolved::Needs(_) => Err(Failure::retryable(Cause::Unanswered)),
            Resolved::Unreadable(failure) => Err(failure),
            Resolved::Nobody => Ok(Recollection { event, ..Recollection::default() }),
            Resolved::Person(whom) => Ok(Recollection {
                absent: whom.absent,
                apart: whom.apart,
                event,
                person: Some(person(whom.key)?),
                aliases: whom.aliases,
                address_lost: whom.address_lost,
                others: whom.others,
                merges: whom.merges.into_iter().map(person).collect::<Result<_, _>>()?,
            }),
        }
    }
}

impl Recollection {
    /// The items of people that its claim writes or rests on: no other event of the same round may.
    pub(crate) fn touched(&self) -> Vec<String> {
        let people = self.person.iter().chain(&self.merges).map(|(key, _)| key.item_key());
        let people = people.chain(self.others.iter().map(|other| other.id.clone()));
        let aliases = self.aliases.iter().map(|alias| alias.item.id.clone());
        people.chain(aliases).chain(self.absent.iter().chain(&self.apart).cloned()).collect()
    }
}
