//! Settle: outcome, steps and what was learnt, under the owner token; the lease is released.

use super::claim::{cancelled, failed_conditions, number, to_item, unbuilt};
use super::items::{State, Taken, WISH};
use super::{Ledger, TRANSACTION_ACTIONS, failure};
use crate::directory::{Account, Deadline, UserId};
use crate::failure::{Cause, Failure};
use crate::host::Host;
use crate::person::PersonKey;
use crate::plan::{Plan, Wish};
use aws_sdk_dynamodb::types::{AttributeValue, TransactWriteItem, Update};
use std::collections::BTreeSet;
use std::time::Duration;

/// How one claimed event ended.
#[derive(Clone, Debug)]
pub struct Settlement {
    /// Key of its record.
    pub event_key: String,
    /// The claim's owner token.
    pub owner: String,
    /// The state that it is in now.
    pub state: State,
    /// The outcome, as JSON.
    pub data: String,
    /// The plan, with what became of its steps.
    pub plan: Option<Plan>,
    /// When DynamoDB may forget it, in seconds since 1970.
    pub expiration: Option<i64>,
    /// When it ended, in milliseconds since 1970.
    pub settled_at: i64,
    /// The person whose lease is released, and what was learnt of it.
    pub person: Option<(PersonKey, Learnt)>,
    /// A decisive step was sent whose answer never came: it may still take effect, so the person's other events wait until the
    /// lease has run out.
    pub unresolved: bool,
}

/// What an attempt learnt of a person's user.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Learnt {
    /// Account and user id to remember; `None`: forget them.
    pub user: Option<(Account, UserId)>,
    /// The account that the person was invited into, while there is no user id to remember.
    pub account: Option<Account>,
    /// The licence that was set; `None`: it is as it was.
    pub licence: Option<String>,
    /// What becomes of what was taken.
    pub taken: TakenChange,
    /// What becomes of the licence that the person is to have.
    pub wish: Wish,
    /// When, in milliseconds since 1970.
    pub at: i64,
}

/// What becomes of what is kept as taken from a person.
#[derive(Clone, Debug, Default, PartialEq)]
pub enum TakenChange {
    /// It stays.
    #[default]
    Keep,
    /// This was taken. Never overwrites what an earlier event took.
    Took(Taken),
    /// It was given back.
    Restored,
}

/// What became of one settlement.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Settled {
    /// It is written.
    Written,
    /// Another worker took the event over; its outcome counts.
    Fenced,
    /// DynamoDB did not take it in time: the lease runs out, and the event comes again.
    Failed(Failure),
}

impl<H: Host> Ledger<H> {
    /// Settles a slice: at most [`super::SLICE_EVENTS`] events. Answers in the order given.
    ///
    /// Retries conflicts and failures until too little time is left. Takes its own stored outcome for success: the
    /// answer of an earlier try may have been lost.
    pub async fn settle(&self, settlements: &[Settlement], deadline: Deadline) -> Vec<Settled> {
        let mut settled: Vec<Option<Settled>> = vec![None; settlements.len()];
        let mut backoff = Duration::from_millis(50);
        loop {
            let open: Vec<usize> = (0..settlements.len()).filter(|index| settled[*index].is_none()).collect();
            let part = fitting(&open, settlements);
            if part.is_empty() {
                break;
            }
            match self.try_settle(&part, settlements).await {
                Ok(()) => part.iter().for_each(|index| settled[*index] = Some(Settled::Written)),
                Err(SettleError::Fenced(lost)) => {
                    for index in lost {
                        settled[index] = Some(self.own_outcome(&settlements[index]).await);
                    }
                }
                Err(SettleError::Failed(failure)) => {
                    if !deadline.allows(self.host.now(), 1) {
                        open.iter().for_each(|index| settled[*index] = Some(Settled::Failed(failure.clone())));
                        break;
                    }
                    self.host.sleep(self.host.jitter(backoff)).await;
                    backoff = (backoff * 2).min(Duration::from_secs(2));
                }
            }
        }
        settled.into_iter().map(|settled| settled.unwrap_or(Settled::Failed(unbuilt()))).collect()
    }

    async fn try_settle(&self, part: &[usize], settlements: &[Settlement]) -> Result<(), SettleError> {
        let (mut writes, mut owners) = (Vec::new(), Vec::new());
        for index in part {
            let settlement = &settlements[*index];
            let event = self.event_update(settlement).map_err(SettleError::Failed)?;
            writes.push(TransactWriteItem::builder().update(event).build());
            owners.push(*index);
            if let Some((person, learnt)) = &settlement.person {
                let update = self.release(settlement, person, learnt).map_err(SettleError::Failed)?;
                writes.push(TransactWriteItem::builder().update(update).build());
                owners.push(*index);
            }
        }
        let answer = self.client.transact_write_items().set_transact_items(Some(writes)).send().await;
        answer.map(|_| ()).map_err(|error| match cancelled(&error) {
            Some(reasons) => {
                let lost: BTreeSet<usize> =
                    failed_conditions(reasons).filter_map(|action| owners.get(action).copied()).collect();
                if lost.is_empty() {
                    SettleError::Failed(Failure::retryable(Cause::Contended))
                } else {
                    SettleError::Fenced(lost)
                }
            }
            None => SettleError::Failed(failure(&error)),
        })
    }

    /// The condition failed: either another worker owns the event now, or an earlier try of ours was written.
    async fn own_outcome(&self, settlement: &Settlement) -> Settled {
        match self.event(&settlement.event_key).await {
            Ok(Some(item)) if item.owner == settlement.owner && item.state == settlement.state => Settled::Written,
            Ok(_) => Settled::Fenced,
            Err(failure) => Settled::Failed(failure),
        }
    }

    fn event_update(&self, settlement: &Settlement) -> Result<Update, Failure> {
        let (mut sets, mut removes) = (
            vec!["#status = :status", "#state = :state", "#data = :data", "rev = rev + :one", "settled_at = :settled"],
            vec!["in_progress_expiration"],
        );
        let mut update = Update::builder()
            .table_name(&self.table)
            .key("id", AttributeValue::S(settlement.event_key.clone()))
            .condition_expression("#owner = :owner AND #state = :running")
            .expression_attribute_names("#status", "status")
            .expression_attribute_names("#state", "state")
            .expression_attribute_names("#data", "data")
            .expression_attribute_names("#owner", "owner")
            .expression_attribute_values(":owner", AttributeValue::S(settlement.owner.clone()))
            .expression_attribute_values(":running", AttributeValue::S(State::Running.as_str().to_owned()))
            .expression_attribute_values(":status", AttributeValue::S(settlement.state.status().to_owned()))
            .expression_attribute_values(":state", AttributeValue::S(settlement.state.as_str().to_owned()))
            .expression_attribute_values(":data", AttributeValue::S(settlement.data.clone()))
            .expression_attribute_values(":settled", AttributeValue::N(settlement.settled_at.to_string()))
            .expression_attribute_values(":one", number(1));
        if let Some(plan) = &settlement.plan {
            sets.push("#plan = :plan");
            update = update
                .expression_attribute_names("#plan", "plan")
                .expression_attribute_values(":plan", AttributeValue::M(to_item(plan)?));
        }
        if let Some(expiration) = settlement.expiration {
            sets.push("expiration = :expiration");
            update = update.expression_attribute_values(":expiration", AttributeValue::N(expiration.to_string()));
        }
        match settlement.state.attention() {
            Some(attention) => {
                sets.push("attention = :attention");
                update = update.expression_attribute_values(":attention", AttributeValue::S(attention.to_owned()));
            }
            None => removes.push("attention"),
        }
        update
            .update_expression(format!("SET {} REMOVE {}", sets.join(", "), removes.join(", ")))
            .build()
            .map_err(|_| unbuilt())
    }

    /// Releases the person's lease, unless something may still take effect under it. Touches nothing but what the attempt learnt.
    fn release(&self, settlement: &Settlement, person: &PersonKey, learnt: &Learnt) -> Result<Update, Failure> {
        let (mut sets, mut removes) = (vec!["rev = rev + :one"], Vec::new());
        if !settlement.unresolved {
            removes.push("#lease");
        }
        let mut update = Update::builder()
            .table_name(&self.table)
            .key("id", AttributeValue::S(person.item_key()))
            .condition_expression("#lease.#owner = :owner")
            .expression_attribute_names("#lease", "lease")
            .expression_attribute_names("#owner", "owner")
            .expression_attribute_names("#user", "user")
            .expression_attribute_names("#account", "account")
            .expression_attribute_values(":owner", AttributeValue::S(settlement.owner.clone()))
            .expression_attribute_values(":one", number(1));
        match &learnt.user {
            Some((account, user)) => {
                sets.extend(["#user = :user", "#account = :account"]);
                update = update
                    .expression_attribute_values(":user", AttributeValue::S(user.as_ref().to_owned()))
                    .expression_attribute_values(":account", AttributeValue::M(to_item(account)?));
            }
            None => {
                removes.extend(["#user", "licence"]);
                match &learnt.account {
                    Some(account) => {
                        sets.push("#account = :account");
                        update = update.expression_attribute_values(":account", AttributeValue::M(to_item(account)?));
                    }
                    None => removes.push("#account"),
                }
            }
        }
        if let (Some(licence), Some(_)) = (&learnt.licence, &learnt.user) {
            sets.push("licence = :licence");
            update = update.expression_attribute_values(":licence", AttributeValue::S(licence.clone()));
        }
        match &learnt.taken {
            TakenChange::Keep => {}
            TakenChange::Took(taken) => {
                sets.push("taken = if_not_exists(taken, :taken)");
                update = update.expression_attribute_values(":taken", AttributeValue::M(to_item(taken)?));
            }
            TakenChange::Restored => removes.push("taken"),
        }
        match learnt.wish {
            Wish::Keep => {}
            Wish::Set(licence) => {
                sets.extend([
                    "wish = :wish",
                    "attention = :attention",
                    "first_claimed_at = if_not_exists(first_claimed_at, :at)",
                ]);
                update = update
                    .expression_attribute_values(":wish", AttributeValue::S(licence.as_str().to_owned()))
                    .expression_attribute_values(":attention", AttributeValue::S(WISH.to_owned()))
                    .expression_attribute_values(":at", AttributeValue::N(learnt.at.to_string()));
            }
            Wish::Clear => removes.extend(["wish", "attention", "first_claimed_at"]),
        }
        let removes = if removes.is_empty() { String::new() } else { format!(" REMOVE {}", removes.join(", ")) };
        update.update_expression(format!("SET {}{removes}", sets.join(", "))).build().map_err(|_| unbuilt())
    }
}

/// Why a settle was not written.
enum SettleError {
    /// The owner token of these, by position, no longer holds.
    Fenced(BTreeSet<usize>),
    /// It may or may not have been written.
    Failed(Failure),
}

/// As many open settlements as fit into one transaction.
fn fitting(open: &[usize], settlements: &[Settlement]) -> Vec<usize> {
    let mut actions = 0;
    let fits = |index: &&usize| {
        actions += 1 + usize::from(settlements[**index].person.is_some());
        actions <= TRANSACTION_ACTIONS
    };
    open.iter().take_while(fits).copied().collect()
}
