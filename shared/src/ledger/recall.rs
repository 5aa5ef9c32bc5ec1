//! Recall: what the ledger knows of a slice, in one strongly consistent read (plus one for aliases where needed).

use super::budgets::Budgets;
use super::items::{AliasItem, EventItem, PersonItem};
use super::{Item, Ledger, TRANSACTION_ACTIONS, failure, read};
use crate::directory::Deadline;
use crate::failure::{Cause, Failure};
use crate::host::Host;
use crate::person::{Identity, PersonKey, What};
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
    pub given_up: Option<Identity>,
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
    /// The event's address belongs to somebody else by now: nobody may be looked up by it.
    pub address_lost: bool,
    /// Other people who had the event's address before, and whose user in the directory is remembered.
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
        for identity in wanted.iter().flat_map(|wanted| wanted.identities.iter().chain(&wanted.given_up).filter(tied)) {
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
struct Cache {
    items: HashMap<String, Option<Item>>,
}

/// Whom the identifiers of an event lead to.
enum Resolved {
    /// These keys must be read first.
    Needs(Vec<String>),
    /// A body without a person.
    Nobody,
    /// A person.
    Person(Box<Whom>),
    /// An item has a shape that cannot be read.
    Unreadable(Failure),
}

/// A person, and what its claim writes or rests on besides.
struct Whom {
    key: PersonKey,
    aliases: Vec<AliasWrite>,
    merges: Vec<PersonKey>,
    absent: Vec<String>,
    address_lost: bool,
    others: Vec<PersonItem>,
}

impl Cache {
    /// The item under a key: outer `None` where it was not asked for yet.
    fn get<T: serde::de::DeserializeOwned>(&self, key: &str) -> Option<Result<Option<T>, Failure>> {
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

/// Finds the person of an event: its strongest identifier says who, the others are tied to that person.
fn resolve(wanted: &Wanted, cache: &Cache) -> Resolved {
    match try_resolve(wanted, cache) {
        Ok(resolved) => resolved,
        Err(Stop::Needs(keys)) => Resolved::Needs(keys),
        Err(Stop::Failed(failure)) => Resolved::Unreadable(failure),
    }
}

/// Why a resolution cannot go on yet.
enum Stop {
    Needs(Vec<String>),
    Failed(Failure),
}

fn item<T: serde::de::DeserializeOwned>(cache: &Cache, key: &str) -> Result<Option<T>, Stop> {
    match cache.get(key) {
        None => Err(Stop::Needs(vec![key.to_owned()])),
        Some(answer) => answer.map_err(Stop::Failed),
    }
}

/// The alias of an identifier, and whom it names by itself: both are needed where it is not tied yet.
fn alias_keys(identity: &Identity) -> [String; 2] {
    [identity.alias_key(), identity.person().item_key()]
}

fn alias(cache: &Cache, identity: &Identity) -> Result<Option<AliasItem>, Stop> {
    item(cache, &identity.alias_key()).map_err(|stop| match stop {
        Stop::Needs(_) => Stop::Needs(alias_keys(identity).to_vec()),
        Stop::Failed(failure) => Stop::Failed(failure),
    })
}

fn try_resolve(wanted: &Wanted, cache: &Cache) -> Result<Resolved, Stop> {
    let Some((strongest, others)) = wanted.identities.split_first() else {
        return Ok(Resolved::Nobody);
    };
    // A finished event has its outcome: whom it was about is in its record.
    if item::<EventItem>(cache, &wanted.event_key)?.is_some_and(|event| event.state.is_done()) {
        return Ok(Resolved::Nobody);
    }
    let (mut address_lost, mut absent, mut others_users) = (false, Vec::new(), Vec::new());
    // An employee number names its person by itself; a weaker identifier may be tied to a stronger one.
    let named = if strongest.what() == What::Worker {
        strongest.person()
    } else {
        match alias(cache, strongest)? {
            Some(alias) => {
                let holder = alias.holder(wanted.occurred_at);
                address_lost = strongest.what() == What::Email && holder != alias.person;
                if let Some(former) = alias.former.filter(|former| former != &holder) {
                    others_users.extend(user_of(former, cache)?);
                }
                holder
            }
            None => {
                absent.push(strongest.alias_key());
                strongest.person()
            }
        }
    };
    let key = follow(named, cache)?;
    let person: Option<PersonItem> = item(cache, &key.item_key())?;
    let (mut aliases, mut merges, mut needs) = (Vec::new(), Vec::new(), Vec::new());
    // Who has an address now matters as soon as the directory is asked for it: not while the user id is known.
    let known = person.as_ref().filter(|person| person.user.is_some()).map_or(&[][..], |person| &person.aliases);
    for other in others.iter().filter(|other| !known.contains(&other.alias_key())) {
        match tie(other, &key, &merges, wanted.occurred_at, cache) {
            Ok(tie) => {
                aliases.extend(tie.alias);
                others_users.extend(tie.other);
                merges.extend(tie.merge);
                absent.extend(tie.absent);
                address_lost |= tie.belongs_to_another && other.what() == What::Email;
            }
            Err(Stop::Needs(keys)) => needs.extend(keys),
            Err(stop) => return Err(stop),
        }
    }
    if let Some(given_up) = &wanted.given_up {
        match hand_over(given_up, &key, wanted.occurred_at, cache) {
            Ok(handed) => aliases.extend(handed),
            Err(Stop::Needs(keys)) => needs.extend(keys),
            Err(stop) => return Err(stop),
        }
    }
    if !needs.is_empty() {
        return Err(Stop::Needs(needs));
    }
    let whom = Whom { key, aliases, merges, absent, address_lost, others: others_users };
    Ok(Resolved::Person(Box::new(whom)))
}

/// Another person, where its user in the directory is remembered.
fn user_of(person: PersonKey, cache: &Cache) -> Result<Option<PersonItem>, Stop> {
    let key = follow(person, cache)?;
    Ok(item::<PersonItem>(cache, &key.item_key())?.filter(|person| person.user.is_some()))
}

/// An address that a person gave up is anybody's from then on: who comes with it alone is somebody else.
fn hand_over(
    given_up: &Identity,
    person: &PersonKey,
    occurred_at: Timestamp,
    cache: &Cache,
) -> Result<Option<AliasWrite>, Stop> {
    let anybody = given_up.person();
    let Some(alias) = alias(cache, given_up)? else { return Ok(None) };
    let theirs = &follow(alias.person.clone(), cache)? == person && &anybody != person;
    let handed = theirs && occurred_at > alias.since && follow(anybody.clone(), cache)? != *person;
    Ok(handed.then(|| AliasWrite {
        item: AliasItem { person: anybody, since: occurred_at, former: Some(alias.person.clone()), ..alias.clone() },
        prior: Some(alias),
    }))
}

/// Follows the pointers of merged persons: address to provider's id to employee number, so two at most.
fn follow(mut key: PersonKey, cache: &Cache) -> Result<PersonKey, Stop> {
    for _ in 0..3 {
        match item::<PersonItem>(cache, &key.item_key())?.and_then(|person| person.merged_into) {
            Some(next) => key = next,
            None => break,
        }
    }
    Ok(key)
}

/// How one more identifier is tied to a person.
#[derive(Default)]
struct Tie {
    alias: Option<AliasWrite>,
    merge: Option<PersonKey>,
    absent: Option<String>,
    belongs_to_another: bool,
    /// Whoever had it before.
    other: Option<PersonItem>,
}

fn tie(
    other: &Identity,
    person: &PersonKey,
    merges: &[PersonKey],
    occurred_at: Timestamp,
    cache: &Cache,
) -> Result<Tie, Stop> {
    let id = other.alias_key();
    let Some(alias) = alias(cache, other)? else {
        let alone = other.person();
        let known: Option<PersonItem> = item(cache, &alone.item_key())?;
        let item = AliasItem { id, person: person.clone(), since: occurred_at, former: None };
        let absent = known.is_none().then(|| alone.item_key());
        let merge = known.filter(|known| known.merged_into.is_none()).map(|_| alone);
        let alias = Some(AliasWrite { item, prior: None });
        return Ok(Tie { alias, merge, absent, ..Tie::default() });
    };
    let holder = follow(alias.person.clone(), cache)?;
    if &holder == person || merges.contains(&holder) {
        let other = match alias.former.filter(|former| former != person) {
            Some(former) => user_of(former, cache)?,
            None => None,
        };
        return Ok(Tie { other, ..Tie::default() });
    }
    let newer = occurred_at > alias.since;
    if newer && alias.person == other.person() {
        // Given up by its former holder, and nobody's since: it is this person's, with whatever came with it alone.
        let known: Option<PersonItem> = item(cache, &holder.item_key())?;
        let other = alias.former.clone().map(|former| user_of(former, cache)).transpose()?.flatten();
        let absent = known.is_none().then(|| holder.item_key());
        let merge = known.map(|_| holder);
        let item = AliasItem { person: person.clone(), ..alias.clone() };
        let alias = Some(AliasWrite { item, prior: Some(alias) });
        return Ok(Tie { alias, merge, absent, belongs_to_another: false, other });
    }
    let theirs = user_of(holder, cache)?;
    let item = if newer {
        // An address that somebody else had is given to this person, who inherits nothing.
        Some(AliasItem { id, person: person.clone(), since: occurred_at, former: Some(alias.person.clone()) })
    } else {
        // An older event tells who had it before.
        alias.former.is_none().then(|| AliasItem { former: Some(person.clone()), ..alias.clone() })
    };
    let write = item.map(|item| AliasWrite { item, prior: Some(alias) });
    Ok(Tie { alias: write, merge: None, absent: None, belongs_to_another: !newer, other: theirs })
}

impl Recollection {
    /// The items of people that its claim writes or rests on: no other event of the same round may.
    pub(crate) fn touched(&self) -> Vec<String> {
        let people = self.person.iter().chain(&self.merges).map(|(key, _)| key.item_key());
        let aliases = self.aliases.iter().map(|alias| alias.item.id.clone());
        people.chain(aliases).chain(self.absent.iter().cloned()).collect()
    }
}
