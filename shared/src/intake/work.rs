//! From a receipt to worker events on the bus: adapted, looked up, completed, kept, published. Each element once.

mod record;

use super::adapt::scim;
use super::complete::{Completed, Tokens, Vendors, Whence, complete, is_canonical, look_up, whom};
use super::receipt::{Message, PREFIX, Receipt};
use super::silence::Noted;
use super::waking::{LATE, entry};
use super::{Adapted, Received, Source, adapt};
use crate::batch::REALM;
use crate::bus::{Bus, ENTRIES, Entry};
use crate::decide::Reason;
use crate::directory::Deadline;
use crate::event;
use crate::event::wire::{Assurance, Detail, Missing};
use crate::failure::{Cause, Failure, Refusal, RefusalCode};
use crate::host::Host;
use crate::ledger::{Budgets, EventItem, Ledger, RECEIPT, State, Wanted};
use crate::outcome::Outcome;
use crate::person::{Facts, PersonKey, Subject};
use crate::policy::SourceRules;
use crate::queue::{Parked, Queue};
use crate::roster::Roster;
use crate::seal::{Keys, sha256};
use crate::store::{Store, StoreFailure};
use jiff::{SignedDuration, Timestamp};
use record::{blank, end, is_over, means_another};
use serde_bytes::ByteBuf;
use serde_json::{Map, Value, json};
use std::collections::BTreeSet;

const REUSED: &str = "its id came before with another meaning: give each event an id of its own";

/// For how many calls there must be time before another element is begun.
const CALLS: u32 = 4;

/// How often an element is looked at when its record changes meanwhile.
const LOOKS: u32 = 4;

/// All that the work on receipts needs.
#[derive(Debug)]
pub struct Work<'a, Q, B, S, T, H> {
    /// The ledger.
    pub ledger: &'a Ledger<H>,
    /// The roster.
    pub roster: &'a Roster<H>,
    /// Where worker events go.
    pub bus: &'a B,
    /// Where receipts are kept.
    pub store: &'a S,
    /// The vendors' own APIs.
    pub vendors: &'a Vendors<H>,
    /// What opens those.
    pub tokens: &'a T,
    /// Which sources were noted as heard.
    pub noted: &'a Noted,
    /// The dead-letter queue.
    pub queue: &'a Q,
    /// The policy's section.
    pub rules: &'a SourceRules,
    /// The keys that hash people and seal events.
    pub keys: &'a Keys,
    /// Time and chance.
    pub host: &'a H,
    /// When it must be done.
    pub deadline: Deadline,
}

/// What became of one element of a request. Safe to log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Became {
    /// Worker events, on the bus: their detail-types, and what was filled in from where.
    Published {
        /// Their detail-types.
        events: Vec<&'static str>,
        /// What the sender did not tell, and where it was found.
        filled: Vec<(Missing, Whence)>,
        /// It is due so long already.
        late_by: Option<SignedDuration>,
    },
    /// It came before.
    Duplicate,
    /// It asks for nothing, for this reason.
    Nothing(&'static str),
    /// Nobody can say what it means: parked, with this reason.
    Unclassified(&'static str),
}

/// One element, and what became of it.
#[derive(Clone, Debug)]
pub struct Element {
    /// Key of its record; `None` for an element that has none.
    pub record: Option<String>,
    /// What became of it.
    pub became: Became,
}

/// An element that is parked: its record, and the record's `rev` before.
struct ToPark {
    key: String,
    before: Option<EventItem>,
    reason: &'static str,
    validation: String,
}

impl<Q: Queue, B: Bus, S: Store, T: Tokens, H: Host> Work<'_, Q, B, S, T, H> {
    /// Keeps a raw event of a bus as a receipt, and works on it.
    ///
    /// # Errors
    /// [`Failure`]; the message comes again.
    pub async fn raw(&self, source: Source, body: &str, parked_as: Option<&str>) -> Result<Vec<Element>, Failure> {
        let headers = super::Headers::default();
        let received = Received { body: body.as_bytes(), headers: &headers, at: self.host.now() };
        let on_aws = source == Source::Health || source == Source::IdentityCenter;
        let assurance = if on_aws { Assurance::AwsService } else { Assurance::PartnerBus };
        let receipt = Receipt::new(source, assurance, None, &received);
        let key = receipt.key(&sha256(body));
        let bytes = serde_json::to_vec(&receipt).map_err(|_| Failure::retryable(Cause::Unanswered))?;
        self.store.write(&key, bytes).await.map_err(|error| stored(&error))?;
        self.work(&receipt, &key, parked_as).await
    }

    /// Works on a receipt.
    ///
    /// # Errors
    /// [`Failure`]; the message comes again.
    pub async fn receipt(&self, key: &str, parked_as: Option<&str>) -> Result<Vec<Element>, Failure> {
        let bytes = match key.starts_with(PREFIX) {
            true => self.store.read(key, 0, u64::MAX).await.map_err(|error| stored(&error))?,
            false => None,
        };
        let receipt = bytes.as_deref().and_then(|bytes| Receipt::parse(bytes).ok());
        match receipt {
            Some(receipt) => self.work(&receipt, key, parked_as).await,
            None => {
                let message = "is not in the bucket any more, or is none that hr-receive wrote";
                let refusal = Refusal::new(RefusalCode::Expired, "receipt", message);
                self.park(key, refusal, &self.owner()).await?;
                Ok(vec![Element { record: None, became: Became::Unclassified("its receipt is gone") }])
            }
        }
    }

    async fn work(&self, receipt: &Receipt, key: &str, parked_as: Option<&str>) -> Result<Vec<Element>, Failure> {
        self.note(receipt).await;
        let (mut elements, mut to_park) = (Vec::new(), Vec::new());
        // The same twice in one request, to the byte, is one.
        let mut seen = BTreeSet::new();
        let mut late = false;
        for adapted in adapted(receipt)? {
            let came = match &adapted {
                Adapted::Nothing(_) => None,
                Adapted::Unclassified { event, .. } | Adapted::Event(event) => {
                    Some((event.event_id.clone(), event.raw_sha256.clone()))
                }
            };
            if came.is_some_and(|came| !seen.insert(came)) {
                elements.push(Element { record: None, became: Became::Duplicate });
                continue;
            }
            late = !self.deadline.allows(self.host.now(), CALLS);
            if late {
                break;
            }
            match adapted {
                Adapted::Nothing(reason) => elements.push(Element { record: None, became: Became::Nothing(reason) }),
                Adapted::Unclassified { reason, event } => {
                    let record = format!("{RECEIPT}{}", event.event_id);
                    let before = self.ledger.event(&record).await?;
                    if is_over(before.as_ref(), parked_as) {
                        elements.push(Element { record: Some(record), became: Became::Duplicate });
                    } else {
                        to_park.push(ToPark { key: record, before, reason, validation: String::new() });
                    }
                }
                Adapted::Event(mut event) => {
                    event.assurance = Some(receipt.assurance);
                    match self.element(receipt, *event, parked_as).await? {
                        Ok(element) => elements.push(element),
                        Err(parked) => to_park.push(parked),
                    }
                }
            }
        }
        // What was read so far is done: the next attempt goes on from there.
        elements.extend(self.park_all(key, to_park).await?);
        if late {
            return Err(Failure::retryable(Cause::OutOfTime));
        }
        elements.iter().for_each(|element| log(receipt.source, element));
        Ok(elements)
    }

    /// Notes that the source was heard. What cannot be noted stands in nobody's way: what comes in a minute is noted too.
    async fn note(&self, receipt: &Receipt) {
        if self.noted.is_due(receipt.source, receipt.at)
            && let Err(failure) = self.ledger.note_heard(receipt.source, receipt.at).await
        {
            tracing::warn!(source = receipt.source.as_str(), "that it was heard is not noted: {failure}");
        }
    }

    /// `Err`: it is to be parked.
    async fn element(
        &self,
        receipt: &Receipt,
        event: Detail,
        parked_as: Option<&str>,
    ) -> Result<Result<Element, ToPark>, Failure> {
        let key = format!("{RECEIPT}{}", event.event_id);
        let validation = self.validation(receipt.source, &event);
        for _ in 0..LOOKS {
            let before = self.ledger.event(&key).await?;
            if before.as_ref().is_some_and(|record| means_another(record, &validation)) {
                return self.reused(&event, parked_as).await;
            }
            if is_over(before.as_ref(), parked_as) {
                return Ok(Ok(Element { record: Some(key), became: Became::Duplicate }));
            }
            // What an earlier attempt kept is published as it is: looked up again, it might say something else.
            if let Some(kept) = before.as_ref().filter(|record| record.state == State::Running) {
                if let Some(became) = self.publish(kept).await? {
                    return Ok(Ok(Element { record: Some(key), became }));
                }
                continue;
            }
            let in_force = self.roster.current().await?.map(|index| index.version);
            let roster = (self.roster, in_force.as_ref());
            let gathered = look_up(&event, receipt.source, roster, (self.vendors, self.tokens), self.rules).await?;
            let subject = whom(&event, receipt.source, &gathered, self.rules);
            let (person, facts) = self.facts(&subject, &event, &key).await?;
            let now = self.host.now();
            let rev = before.as_ref().map(|record| record.rev);
            match complete(event.clone(), receipt.source, &gathered, &facts, self.rules, now) {
                Completed::Events(events) => {
                    let details: Vec<&Detail> = events.iter().map(|event| &event.detail).collect();
                    let filled: Vec<_> = events.iter().flat_map(|event| event.filled.iter().copied()).collect();
                    let text = serde_json::to_string(
                        &json!({ "source": receipt.source, "events": details, "filled": filled }),
                    )
                    .map_err(|_| Failure::retryable(Cause::Unanswered))?;
                    let mut record = self.record(&key, before.as_ref(), person, receipt, &validation);
                    record.event = self.keys.seal(&text, &key, self.nonce()).map(ByteBuf::from);
                    if !self.ledger.keep(&record, rev).await? {
                        continue;
                    }
                    if let Some(became) = self.publish(&record).await? {
                        return Ok(Ok(Element { record: Some(key), became }));
                    }
                }
                Completed::Parked(reason, _) => return Ok(Err(ToPark { key, before, reason, validation })),
                Completed::Nothing(reason) => {
                    let mut record = self.record(&key, before.as_ref(), person, receipt, &validation);
                    let outcome = Outcome::decided(State::Unchanged, Reason::NothingTold, None, None);
                    end(&mut record, &outcome, json!({ "source": receipt.source, "why": reason }), now);
                    if self.ledger.keep(&record, rev).await? {
                        return Ok(Ok(Element { record: Some(key), became: Became::Nothing(reason) }));
                    }
                }
            }
        }
        Err(Failure::retryable(Cause::Contended))
    }

    /// Publishes what a record keeps, and ends it. `None`: it changed meanwhile.
    async fn publish(&self, record: &EventItem) -> Result<Option<Became>, Failure> {
        let sealed = record.event.as_deref().map(Vec::as_slice).unwrap_or_default();
        let unopenable = || {
            let message = "does not open with this person key: see whether ROLLCALL_PERSON_KEY is the stack's own";
            Failure::Permanent(Refusal::new(RefusalCode::Unopenable, "record", message))
        };
        let text = self.keys.open(sealed, &record.id).map_err(|_| unopenable())?;
        let kept: Kept = serde_json::from_str(&text).map_err(|_| unopenable())?;
        let entries: Vec<Entry> = kept.events.iter().map(entry).collect::<Result<_, _>>()?;
        for part in entries.chunks(ENTRIES) {
            self.bus.publish(part).await?;
        }
        let now = self.host.now();
        let came = Timestamp::from_millisecond(record.first_claimed_at).unwrap_or(now);
        let late_by = kept.events.iter().filter_map(|detail| late_by(detail, came)).max();
        let events: Vec<&'static str> = entries.iter().map(|entry| entry.detail_type).collect();
        let mut done = EventItem { rev: record.rev + 1, event: None, ..record.clone() };
        let filled: Map<String, Value> = kept.filled.iter().map(told).collect();
        let more = json!({ "source": kept.source, "events": events, "filled": filled, "lateBySeconds": late_by.map(|late| late.as_secs()) });
        end(&mut done, &Outcome::decided(State::Applied, Reason::Published, None, None), more, now);
        let written = self.ledger.keep(&done, Some(record.rev)).await?;
        Ok(written.then_some(Became::Published { events, filled: kept.filled, late_by }))
    }

    /// What the ledger knows of whom it is about.
    async fn facts(&self, subject: &Subject, event: &Detail, key: &str) -> Result<(Option<PersonKey>, Facts), Failure> {
        let identities = subject.identities(REALM, self.keys);
        if identities.is_empty() {
            return Ok((None, Facts::default()));
        }
        let occurred_at = event.occurred_at.parse().unwrap_or_else(|_| self.host.now());
        let wanted = Wanted { event_key: key.to_owned(), identities, given_up: None, looks_up: false, occurred_at };
        let mut budgets = Budgets::default();
        let recalled = self.ledger.recall(&[wanted], &BTreeSet::new(), &mut budgets, self.deadline).await?;
        let person = recalled.into_iter().next().transpose()?.and_then(|recalled| recalled.person);
        Ok(person.map_or((None, Facts::default()), |(key, person)| (Some(key), person.facts)))
    }

    /// The dead-letter queue first, then the records: a crash between leaves a second copy, and loses nothing.
    async fn park_all(&self, receipt: &str, all: Vec<ToPark>) -> Result<Vec<Element>, Failure> {
        let reasons: BTreeSet<&str> = all.iter().map(|one| one.reason).collect();
        if reasons.is_empty() {
            return Ok(Vec::new());
        }
        let reasons: Vec<&str> = reasons.into_iter().take(3).collect();
        let refusal = Refusal::new(RefusalCode::Unclassified, "worker.unclassified", reasons.join("; "));
        let owner = self.owner();
        self.park(receipt, refusal.clone(), &owner).await?;
        let mut elements = Vec::new();
        for ToPark { key, before, reason, validation } in all {
            let now = self.host.now();
            let refusal = Refusal::new(RefusalCode::Unclassified, "worker.unclassified", reason);
            let outcome = Outcome::parked(&refusal, None);
            let rev = before.as_ref().map(|record| record.rev);
            let record = EventItem {
                owner: owner.clone(),
                rev: rev.unwrap_or(0) + 1,
                state: State::Parked,
                status: State::Parked.status().to_owned(),
                attention: State::Parked.attention().map(str::to_owned),
                settled_at: Some(now.as_millisecond()),
                data: Some(outcome.to_json()),
                validation,
                ..blank(&key, now)
            };
            // Somebody else's attempt at it is as good.
            self.ledger.keep(&record, rev).await?;
            elements.push(Element { record: Some(key), became: Became::Unclassified(reason) });
        }
        Ok(elements)
    }

    async fn park(&self, receipt: &str, refusal: Refusal, owner: &str) -> Result<(), Failure> {
        let body = serde_json::to_string(&Message { receipt: receipt.to_owned() })
            .map_err(|_| Failure::retryable(Cause::Unanswered))?;
        let parked = self.queue.park(&[Parked { body, refusal, parked_as: owner.to_owned() }]).await;
        if parked.iter().all(|parked| *parked) { Ok(()) } else { Err(Failure::retryable(Cause::Unanswered)) }
    }

    /// An event whose id came before with another meaning: parked under a record of its own body.
    async fn reused(&self, event: &Detail, parked_as: Option<&str>) -> Result<Result<Element, ToPark>, Failure> {
        let key = format!("{RECEIPT}{}", event.raw_sha256.as_deref().unwrap_or_default());
        let before = self.ledger.event(&key).await?;
        if is_over(before.as_ref(), parked_as) {
            return Ok(Ok(Element { record: Some(key), became: Became::Duplicate }));
        }
        Ok(Err(ToPark { key, before, reason: REUSED, validation: String::new() }))
    }

    /// What an event means, where its sender chose its id freely; empty where the id is derived from what was sent.
    fn validation(&self, source: Source, event: &Detail) -> String {
        if !is_canonical(source) {
            return String::new();
        }
        let meaning = Detail { received_at: None, assurance: None, raw_sha256: None, ..event.clone() };
        serde_json::to_string(&meaning).map_or_else(|_| String::new(), |meaning| self.keys.validation(&meaning))
    }

    fn record(
        &self,
        key: &str,
        before: Option<&EventItem>,
        person: Option<PersonKey>,
        receipt: &Receipt,
        validation: &str,
    ) -> EventItem {
        EventItem {
            validation: validation.to_owned(),
            rev: before.map_or(0, |record| record.rev) + 1,
            owner: self.owner(),
            person,
            occurred_at: Some(receipt.at),
            ..blank(key, receipt.at)
        }
    }

    fn owner(&self) -> String {
        format!("{:032x}", self.host.random())
    }

    fn nonce(&self) -> [u8; 12] {
        let mut nonce = [0; 12];
        nonce.copy_from_slice(&self.host.random().to_be_bytes()[..12]);
        nonce
    }
}

/// One line for each element. It names facts, and nobody.
fn log(source: Source, element: &Element) {
    let (source, record) = (source.as_str(), element.record.as_deref());
    match &element.became {
        Became::Published { events, filled, late_by } => {
            let filled: Vec<String> =
                filled.iter().map(|(fact, whence)| format!("{}: {}", word(*fact), whence.as_str())).collect();
            tracing::info!(
                source,
                record,
                events = events.join(" "),
                filled = filled.join(", "),
                late_by_s = late_by.map(|late| late.as_secs()),
                "published"
            );
        }
        Became::Duplicate => tracing::info!(source, record, "came before"),
        Became::Nothing(reason) => tracing::info!(source, record, "asks for nothing: {reason}"),
        Became::Unclassified(reason) => tracing::warn!(source, record, "parked as worker.unclassified: {reason}"),
    }
}

/// What a record keeps of an element until it is published.
#[derive(serde::Deserialize)]
struct Kept {
    source: Source,
    events: Vec<Detail>,
    filled: Vec<(Missing, Whence)>,
}

/// What the adapter of a source makes of a receipt.
fn adapted(receipt: &Receipt) -> Result<Vec<Adapted>, Failure> {
    let (body, headers) = receipt.request().map_err(|_| Failure::retryable(Cause::Unanswered))?;
    let received = Received { body: &body, headers: &headers, at: receipt.at };
    Ok(match &receipt.user {
        Some(user) if receipt.source == Source::Scim => scim::adapt_user(received, Some(user)),
        Some(_) | None => adapt::adapt(receipt.source, received),
    })
}

/// How long before it came an event was due, where that is late.
fn late_by(detail: &Detail, came: Timestamp) -> Option<SignedDuration> {
    let text = serde_json::to_string(detail).ok()?;
    let due = event::parse(&text).ok().filter(|event| event.event_type.is_dated())?.moment.at()?;
    Some(came.duration_since(due)).filter(|late| *late > LATE)
}

fn told((missing, whence): &(Missing, Whence)) -> (String, Value) {
    (word(*missing), json!(whence))
}

/// The name of a fact in events.
fn word(missing: Missing) -> String {
    json!(missing).as_str().unwrap_or_default().to_owned()
}

fn stored(error: &StoreFailure) -> Failure {
    if !error.is_retryable() {
        tracing::error!("a receipt cannot be read or written: {}", error.trouble);
    }
    Failure::retryable(Cause::Unanswered)
}
