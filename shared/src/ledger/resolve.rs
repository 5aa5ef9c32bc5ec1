//! Whom an event is about: from its identifiers, and what the ledger ties them to, to one person. Pure.

use super::items::{AliasItem, EventItem, PersonItem};
use super::recall::{AliasWrite, Cache, Wanted};
use crate::directory::AccountType;
use crate::failure::Failure;
use crate::person::{GivenUp, Identity, PersonKey, What};
use jiff::Timestamp;
use std::collections::BTreeSet;

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
    pub(super) apart: BTreeSet<String>,
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
    let mut before = None;
    // An employee number names its person by itself; a weaker identifier may be tied to a stronger one.
    let named = if strongest.what() == What::Worker {
        strongest.person()
    } else {
        match alias(cache, strongest)? {
            Some(alias) => {
                let holder = alias.holder(wanted.occurred_at);
                address_lost = strongest.what() == What::Email && holder != alias.person;
                if let Some(former) = alias.former.as_ref().filter(|former| *former != &holder) {
                    before = user_of(former.clone(), cache)?.map(|former| (former, alias.given_up));
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
    let mut apart = BTreeSet::new();
    // Who has an address now matters as soon as the directory is asked for it: not while what is known of the user is
    // enough to act.
    let acts_from_memory = |person: &&PersonItem| person.user.is_some() && (!wanted.looks_up || person.taken.is_some());
    let known = person.as_ref().filter(acts_from_memory).map_or(&[][..], |person| &person.aliases);
    let named_by = strongest.what().stronger(person.as_ref().and_then(|person| person.named_by));
    // Who has a given-up address now is certainly not who had it before.
    let certain = |(other, given_up): (PersonItem, bool)| Some(other).filter(|it| given_up || another(it, named_by));
    others_users.extend(before.and_then(certain));
    for other in others.iter().filter(|other| !known.contains(&other.alias_key())) {
        match tie(other, (&key, named_by), &merges, wanted.occurred_at, cache) {
            Ok(tie) => {
                aliases.extend(tie.alias);
                others_users.extend(tie.other);
                merges.extend(tie.merge);
                absent.extend(tie.absent);
                apart.extend(tie.apart);
                address_lost |= tie.belongs_to_another && other.what() == What::Email;
            }
            Err(Stop::Needs(keys)) => needs.extend(keys),
            Err(stop) => return Err(stop),
        }
    }
    if let Some(given_up) = &wanted.given_up {
        match hand_over(given_up, &key, wanted.occurred_at, cache) {
            Ok(handed) => {
                aliases.extend(handed.alias);
                others_users.extend(handed.other);
                merges.extend(handed.merge);
                absent.extend(handed.absent);
            }
            Err(Stop::Needs(keys)) => needs.extend(keys),
            Err(stop) => return Err(stop),
        }
    }
    if !needs.is_empty() {
        return Err(Stop::Needs(needs));
    }
    // Who is merged is written, and needs no check besides.
    apart.retain(|apart| merges.iter().all(|merge: &PersonKey| &merge.item_key() != apart));
    let whom = Whom { key, aliases, merges, absent, apart, address_lost, others: others_users };
    Ok(Resolved::Person(Box::new(whom)))
}

/// Another person, where it may have a user in the directory: not who was removed from a Team account, and not invited
/// there since.
fn user_of(person: PersonKey, cache: &Cache) -> Result<Option<PersonItem>, Stop> {
    let key = follow(person, cache)?;
    let removed = |person: &PersonItem| {
        let has_none = person.user.is_none() && person.account.is_none();
        has_none && person.taken.as_ref().is_some_and(|taken| taken.account.kind == AccountType::Team)
    };
    Ok(item::<PersonItem>(cache, &key.item_key())?.filter(|person| !removed(person)))
}

/// An address that a person gave up is anybody's from then on: who comes with it alone is somebody else.
fn hand_over(given_up: &GivenUp, person: &PersonKey, occurred_at: Timestamp, cache: &Cache) -> Result<Tie, Stop> {
    let item = |former: &PersonKey| AliasItem {
        id: given_up.address.alias_key(),
        person: given_up.stranger.clone(),
        since: occurred_at,
        former: Some(former.clone()),
        given_up: true,
    };
    let Some(alias) = alias(cache, &given_up.address)? else {
        // Whoever was known by it alone is this person.
        let Tie { merge, absent, .. } = tie(&given_up.address, (person, What::Email), &[], occurred_at, cache)?;
        let alias = Some(AliasWrite { item: item(person), prior: None });
        return Ok(Tie { alias, merge, absent, ..Tie::default() });
    };
    let holder = follow(alias.person.clone(), cache)?;
    if &holder != person {
        return Ok(Tie { other: user_of(holder, cache)?, ..Tie::default() });
    }
    let newer = occurred_at > alias.since;
    let alias = newer.then(|| AliasWrite { item: item(&holder), prior: Some(alias) });
    Ok(Tie { alias, ..Tie::default() })
}

/// Whether who had an address before is another person for certain: two employee numbers are two people, an employee
/// number and a provider's id may be one whom nobody has put together yet.
fn another(other: &PersonItem, named_by: What) -> bool {
    other.named_by.is_none_or(|other| other == named_by)
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
    /// The key of the person who has it: nobody may have found them to be this one meanwhile.
    apart: Option<String>,
    belongs_to_another: bool,
    /// Whoever had it before.
    other: Option<PersonItem>,
}

fn tie(
    other: &Identity,
    (person, named_by): (&PersonKey, What),
    merges: &[PersonKey],
    occurred_at: Timestamp,
    cache: &Cache,
) -> Result<Tie, Stop> {
    let id = other.alias_key();
    let Some(alias) = alias(cache, other)? else {
        let alone = other.person();
        let known: Option<PersonItem> = item(cache, &alone.item_key())?;
        let item = AliasItem { id, person: person.clone(), since: occurred_at, former: None, given_up: false };
        // The identifier may be what names this person by itself.
        let absent = (known.is_none() && &alone != person).then(|| alone.item_key());
        let merge = known.filter(|known| known.merged_into.is_none() && &alone != person).map(|_| alone);
        let alias = Some(AliasWrite { item, prior: None });
        return Ok(Tie { alias, merge, absent, ..Tie::default() });
    };
    let holder = follow(alias.person.clone(), cache)?;
    if &holder == person || merges.contains(&holder) {
        let former = alias.former.as_ref().filter(|former| *former != person);
        let other = former.map(|former| user_of(former.clone(), cache)).transpose()?.flatten();
        return Ok(Tie { other: other.filter(|other| another(other, named_by)), ..Tie::default() });
    }
    let newer = occurred_at > alias.since;
    if newer && alias.given_up {
        // Given up by its former holder, and nobody's since: it is this person's, with whatever came with it alone.
        let known: Option<PersonItem> = item(cache, &holder.item_key())?;
        let other = alias.former.clone().map(|former| user_of(former, cache)).transpose()?.flatten();
        let absent = known.is_none().then(|| holder.item_key());
        let merge = known.map(|_| holder);
        let item = AliasItem { person: person.clone(), given_up: false, ..alias.clone() };
        let alias = Some(AliasWrite { item, prior: Some(alias) });
        return Ok(Tie { alias, merge, absent, other, ..Tie::default() });
    }
    let apart = holder.item_key();
    let theirs = user_of(holder, cache)?.filter(|other| another(other, named_by));
    let item = if newer {
        // An address that somebody else had is given to this person, who inherits nothing.
        let former = Some(alias.person.clone());
        Some(AliasItem { id, person: person.clone(), since: occurred_at, former, given_up: false })
    } else {
        // An older event tells who had it before.
        alias.former.is_none().then(|| AliasItem { former: Some(person.clone()), ..alias.clone() })
    };
    let write = item.map(|item| AliasWrite { item, prior: Some(alias) });
    Ok(Tie {
        alias: write,
        apart: (!newer).then_some(apart),
        belongs_to_another: !newer,
        other: theirs,
        ..Tie::default()
    })
}
