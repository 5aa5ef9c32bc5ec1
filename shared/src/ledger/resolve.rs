//! Whom an event is about: from its identifiers, and what the ledger ties them to, to one person. Pure.

use super::items::{AliasItem, EventItem, PersonItem};
use super::recall::{AliasWrite, Cache, Wanted};
use crate::failure::Failure;
use crate::person::{Identity, PersonKey, What};
use jiff::Timestamp;

/// Whom the identifiers of an event lead to.
pub(super) enum Resolved {
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
pub(super) struct Whom {
    pub(super) key: PersonKey,
    pub(super) aliases: Vec<AliasWrite>,
    pub(super) merges: Vec<PersonKey>,
    pub(super) absent: Vec<String>,
    pub(super) address_lost: bool,
    pub(super) others: Vec<PersonItem>,
}

/// Finds the person of an event: its strongest identifier says who, the others are tied to that person.
pub(super) fn resolve(wanted: &Wanted, cache: &Cache) -> Resolved {
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
pub(super) fn alias_keys(identity: &Identity) -> [String; 2] {
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
