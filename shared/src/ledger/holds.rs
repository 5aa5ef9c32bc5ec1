//! What waits for a person: listing it, and rejecting it. A release is a message (see [`crate::release`]).

use super::claim::{cancelled, number, to_item, unbuilt};
use super::items::{EventItem, PersonItem, Rejection, Releasing, State};
use super::{Ledger, REMEMBERED_FOR, failure, read, refused, set_all};
use crate::decide::Reason;
use crate::directory::Deadline;
use crate::failure::{Cause, Failure};
use crate::host::Host;
use crate::outcome::Outcome;
use crate::person::PersonKey;
use aws_sdk_dynamodb::types::{AttributeValue, TransactWriteItem, Update};
use std::collections::BTreeSet;
use std::time::Duration;
use thiserror::Error;

/// How often a rejection may lose a race.
const TRIES: u32 = 8;

/// Part of what waits, oldest first.
#[derive(Clone, Debug, Default)]
pub struct Waiting {
    /// The records.
    pub events: Vec<EventItem>,
    /// How many records have a shape that cannot be read: a newer version's, or damage.
    pub unreadable: usize,
    /// Where the next part begins; `None` at the end.
    pub next: Option<(String, i64)>,
}

/// Why an event was not rejected.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum NotRejected {
    /// There is no record under this key.
    #[error("no event is recorded under this key")]
    Unknown,
    /// Its release is on its way.
    #[error("the event was released at {}, and its message is on its way; look again in a moment", .0.at)]
    Released(Releasing),
    /// It is not held or observed (any more).
    #[error("the event is {}, not held or observed", .0.as_str())]
    NotWaiting(State),
    /// It is not parked (any more).
    #[error("the event is {}, not parked", .0.as_str())]
    NotParked(State),
    /// DynamoDB did not answer, or others changed the person again and again.
    #[error("the ledger did not take it: {0}")]
    Failed(#[from] Failure),
}

impl<H: Host> Ledger<H> {
    /// Lists what is held, observed or parked, oldest first, at most a hundred at a time.
    ///
    /// # Errors
    /// [`Failure::Retryable`] where DynamoDB does not answer.
    pub async fn waiting(
        &self,
        state: State,
        from: Option<(String, i64)>,
        deadline: Deadline,
    ) -> Result<Waiting, Failure> {
        let Some(attention) = state.attention() else { return Ok(Waiting::default()) };
        let mut query = self
            .client
            .query()
            .table_name(&self.table)
            .index_name("by_attention")
            .key_condition_expression("attention = :attention")
            .expression_attribute_values(":attention", AttributeValue::S(attention.to_owned()))
            .limit(100);
        if let Some((id, first_claimed_at)) = from {
            query = query
                .exclusive_start_key("id", AttributeValue::S(id))
                .exclusive_start_key("attention", AttributeValue::S(attention.to_owned()))
                .exclusive_start_key("first_claimed_at", AttributeValue::N(first_claimed_at.to_string()));
        }
        let page = query.send().await.map_err(|error| failure(&error))?;
        let next = page.last_evaluated_key.and_then(|key| {
            Some((key.get("id")?.as_s().ok()?.clone(), key.get("first_claimed_at")?.as_n().ok()?.parse().ok()?))
        });
        let keys: BTreeSet<String> =
            page.items.unwrap_or_default().iter().filter_map(|item| item.get("id")?.as_s().ok().cloned()).collect();
        let items = if keys.is_empty() { Default::default() } else { self.items(&keys, deadline).await? };
        let items: Vec<Result<EventItem, Failure>> = items.into_values().flatten().map(read).collect();
        let all = items.len();
        let mut events: Vec<EventItem> = items.into_iter().filter_map(Result::ok).collect();
        let unreadable = all - events.len();
        // The index follows the table; what has left the state since is not shown.
        events.retain(|event| event.state == state);
        events.sort_by(|a, b| (a.first_claimed_at, &a.id).cmp(&(b.first_claimed_at, &b.id)));
        Ok(Waiting { events, unreadable, next })
    }

    /// Reads a person, following the pointer of one that was merged.
    ///
    /// # Errors
    /// [`Failure::Retryable`] where DynamoDB does not answer.
    pub async fn person(&self, key: &PersonKey) -> Result<Option<PersonItem>, Failure> {
        let mut key = key.item_key();
        for _ in 0..3 {
            let Some(item) = self.get(&key).await? else { return Ok(None) };
            let person: PersonItem = read(item)?;
            match &person.merged_into {
                Some(next) => key = next.item_key(),
                None => return Ok(Some(person)),
            }
        }
        Ok(None)
    }

    /// Notes that a release is about to be sent. Answers `false` where the event does not wait under this token any more.
    ///
    /// # Errors
    /// [`Failure::Retryable`] where DynamoDB does not answer.
    pub async fn releasing(&self, event: &EventItem, releasing: &Releasing) -> Result<bool, Failure> {
        let text = |text: &str| AttributeValue::S(text.to_owned());
        let update = self
            .client
            .update_item()
            .table_name(&self.table)
            .key("id", text(&event.id))
            .condition_expression("#owner = :owner AND #state = :state")
            .update_expression("SET releasing = :releasing, rev = rev + :one")
            .expression_attribute_names("#owner", "owner")
            .expression_attribute_names("#state", "state")
            .expression_attribute_values(":owner", text(&event.owner))
            .expression_attribute_values(":state", text(event.state.as_str()))
            .expression_attribute_values(":releasing", AttributeValue::M(to_item(releasing)?))
            .expression_attribute_values(":one", number(1));
        match update.send().await {
            Ok(_) => Ok(true),
            Err(error) if refused(&error) => Ok(false),
            Err(error) => Err(failure(&error)),
        }
    }

    /// Rejects a held or observed event: it ends, and its fact is void. `force`: though its release is on its way.
    ///
    /// # Errors
    /// [`NotRejected`]; nothing changed, except that after [`NotRejected::Failed`] it is unknown.
    pub async fn reject(&self, event_key: &str, rejection: &Rejection, force: bool) -> Result<EventItem, NotRejected> {
        let waits = |state| match state {
            State::Held | State::Observed => Ok(()),
            other @ (State::Running
            | State::Retry
            | State::Parked
            | State::Applied
            | State::Unchanged
            | State::Superseded
            | State::Rejected) => Err(NotRejected::NotWaiting(other)),
        };
        self.end(event_key, rejection, force, waits).await
    }

    /// Rejects a parked event likewise. A message of it that is still in the dead-letter queue, or on its way from there, is a
    /// duplicate from then on.
    ///
    /// # Errors
    /// As [`Ledger::reject`].
    pub async fn reject_parked(&self, event_key: &str, rejection: &Rejection) -> Result<EventItem, NotRejected> {
        let parked = |state| if state == State::Parked { Ok(()) } else { Err(NotRejected::NotParked(state)) };
        self.end(event_key, rejection, true, parked).await
    }

    async fn end(
        &self,
        event_key: &str,
        rejection: &Rejection,
        force: bool,
        may: impl Fn(State) -> Result<(), NotRejected>,
    ) -> Result<EventItem, NotRejected> {
        for _ in 0..TRIES {
            let event = self.event(event_key).await?.ok_or(NotRejected::Unknown)?;
            if event.state == State::Rejected && event.rejected.as_ref() == Some(rejection) {
                return Ok(event);
            }
            may(event.state)?;
            if let Some(releasing) = event.releasing.as_ref().filter(|_| !force) {
                return Err(NotRejected::Released(releasing.clone()));
            }
            let person = match &event.person {
                Some(key) => self.person(key).await?,
                None => None,
            };
            if self.try_reject(&event, person, rejection).await? {
                let state = State::Rejected;
                let settled_at = Some(rejection.at.as_millisecond());
                return Ok(EventItem { state, settled_at, rejected: Some(rejection.clone()), ..event });
            }
            self.host.sleep(self.host.jitter(Duration::from_millis(200))).await;
        }
        Err(NotRejected::Failed(Failure::retryable(Cause::Contended)))
    }

    /// Answers whether it was written; `false`: something changed, or another transaction was under way.
    async fn try_reject(
        &self,
        event: &EventItem,
        person: Option<PersonItem>,
        rejection: &Rejection,
    ) -> Result<bool, Failure> {
        let mut writes = vec![TransactWriteItem::builder().update(self.rejected(event, rejection)?).build()];
        if let Some(mut person) = person
            && event.asserts.as_ref().is_some_and(|asserted| person.facts.reject(asserted, rejection.at))
        {
            writes.push(TransactWriteItem::builder().update(self.facts_update(&person)?).build());
        }
        match self.client.transact_write_items().set_transact_items(Some(writes)).send().await {
            Ok(_) => Ok(true),
            Err(error) => match cancelled(&error) {
                Some(_) => Ok(false),
                None => Err(failure(&error)),
            },
        }
    }

    /// Only the facts change: a lease that is under way, and what its attempt learns, are another's.
    fn facts_update(&self, person: &PersonItem) -> Result<Update, Failure> {
        let item = to_item(person)?;
        let facts = item.into_iter().filter(|(name, _)| name == "facts").collect();
        let (expression, names, mut values) = set_all(facts, &["facts"]);
        values.insert(":rev".into(), number(person.rev));
        values.insert(":one".into(), number(1));
        Update::builder()
            .table_name(&self.table)
            .key("id", AttributeValue::S(person.id.clone()))
            .condition_expression("rev = :rev")
            .update_expression(format!("{expression}, rev = rev + :one"))
            .set_expression_attribute_names(Some(names))
            .set_expression_attribute_values(Some(values))
            .build()
            .map_err(|_| unbuilt())
    }

    fn rejected(&self, event: &EventItem, rejection: &Rejection) -> Result<Update, Failure> {
        let outcome = Outcome::decided(State::Rejected, Reason::Rejected, None, event.plan.as_ref());
        let text = |text: &str| AttributeValue::S(text.to_owned());
        let expiration = rejection.at.as_second() + REMEMBERED_FOR;
        Update::builder()
            .table_name(&self.table)
            .key("id", AttributeValue::S(event.id.clone()))
            .condition_expression("rev = :rev AND #owner = :owner AND #state = :before")
            .update_expression(
                "SET #status = :status, #state = :state, #data = :data, rejected = :rejected, settled_at = :settled, \
                 expiration = :expiration, rev = rev + :one REMOVE attention, releasing, #event",
            )
            .expression_attribute_names("#status", "status")
            .expression_attribute_names("#state", "state")
            .expression_attribute_names("#data", "data")
            .expression_attribute_names("#owner", "owner")
            .expression_attribute_names("#event", "event")
            .expression_attribute_values(":rev", number(event.rev))
            .expression_attribute_values(":one", number(1))
            .expression_attribute_values(":owner", text(&event.owner))
            .expression_attribute_values(":before", text(event.state.as_str()))
            .expression_attribute_values(":status", text(State::Rejected.status()))
            .expression_attribute_values(":state", text(State::Rejected.as_str()))
            .expression_attribute_values(":data", AttributeValue::S(outcome.to_json()))
            .expression_attribute_values(":rejected", AttributeValue::M(to_item(rejection)?))
            .expression_attribute_values(":settled", AttributeValue::N(rejection.at.as_millisecond().to_string()))
            .expression_attribute_values(":expiration", AttributeValue::N(expiration.to_string()))
            .build()
            .map_err(|_| unbuilt())
    }
}
