//! Claim: one conditional transaction that says "this is ours, and this is the plan".
//!
//! It fails where anything changed since the recall. Nothing is sent to the directory that is not in a plan stored here.

use super::budgets::Budgets;
use super::items::{AliasItem, EventItem, PersonItem};
use super::recall::AliasWrite;
use super::{BUDGET_ACTIONS, Item, Ledger, TRANSACTION_ACTIONS, failure, set_all};
use crate::failure::{Cause, Failure};
use crate::host::Host;
use aws_sdk_dynamodb::error::SdkError;
use aws_sdk_dynamodb::operation::transact_write_items::TransactWriteItemsError;
use aws_sdk_dynamodb::types::{AttributeValue, CancellationReason, ConditionCheck, Put, TransactWriteItem, Update};
use std::collections::BTreeSet;

/// What a transaction may hold, in bytes: three quarters of DynamoDB's quota of 4 MB.
const TRANSACTION_BYTES: usize = 3_000_000;

/// What a claim's items take at most, a sealed event aside: a plan, an outcome, 32 facts with what they tell of a job.
const ITEM_BYTES: usize = 48_000;

/// The writes of one event's claim.
#[derive(Clone, Debug)]
pub struct Claim {
    /// The event's record as it shall be.
    pub event: EventItem,
    /// The `rev` of the record as recalled; `None` where there was none.
    pub event_rev: Option<u64>,
    /// The person as it shall be. `None` where the event concerns no person's facts.
    pub person: Option<PersonItem>,
    /// Other people that change with that one, as they shall be: merged into it, or no longer holding its user.
    pub merged: Vec<PersonItem>,
    /// The identifiers to tie.
    pub aliases: Vec<AliasWrite>,
    /// Keys of items that must still be absent.
    pub absent: Vec<String>,
    /// Keys of people who must not have been merged into others.
    pub apart: BTreeSet<String>,
    /// Keys of the budgets that it draws on.
    pub budgets: BTreeSet<String>,
}

/// Why a claim was not written. Nothing of it was.
#[derive(Clone, Debug, PartialEq)]
pub enum ClaimError {
    /// These claims, by position, met items that changed since the recall. The others may be tried without them.
    Lost(BTreeSet<usize>),
    /// A budget changed since it was read. The claims may be tried again with the budgets as they are now.
    Spent,
    /// Another transaction was under way on the same items.
    Conflict,
    /// DynamoDB did not answer: it may have been written.
    Failed(Failure),
}

impl Claim {
    /// How many actions of the transaction it takes.
    #[must_use]
    pub fn actions(&self) -> usize {
        let people = usize::from(self.person.is_some()) + self.merged.len();
        1 + people + self.aliases.len() + self.absent.len() + self.apart.len()
    }

    /// About how many bytes it takes: a sealed event, or else little.
    fn bytes(&self) -> usize {
        ITEM_BYTES + self.event.event.as_ref().map_or(0, |sealed| sealed.len())
    }
}

/// Splits claims so that each part fits into one transaction, together with the budgets that it draws on.
#[must_use]
pub(crate) fn transactions(claims: &[Claim]) -> Vec<std::ops::Range<usize>> {
    let (mut parts, mut start, mut actions, mut bytes) = (Vec::new(), 0, 0, 0);
    let mut budgets: BTreeSet<&String> = BTreeSet::new();
    for (index, claim) in claims.iter().enumerate() {
        let drawn = budgets.iter().copied().chain(&claim.budgets).collect::<BTreeSet<_>>().len();
        let full = actions + claim.actions() + drawn.max(BUDGET_ACTIONS) > TRANSACTION_ACTIONS;
        if full || bytes + claim.bytes() > TRANSACTION_BYTES {
            parts.push(start..index);
            (start, actions, bytes) = (index, 0, 0);
            budgets.clear();
        }
        actions += claim.actions();
        bytes += claim.bytes();
        budgets.extend(&claim.budgets);
    }
    parts.push(start..claims.len());
    parts.retain(|part| !part.is_empty());
    parts
}

impl<H: Host> Ledger<H> {
    /// Writes claims, and what they took from the budgets, in one transaction: all of it or nothing.
    ///
    /// # Errors
    /// [`ClaimError`]; nothing was written, except that after [`ClaimError::Failed`] it is unknown.
    pub async fn claim(&self, claims: &[Claim], before: &Budgets, after: &Budgets) -> Result<(), ClaimError> {
        let mut writes = Vec::new();
        let mut owners = Vec::new();
        for (index, claim) in claims.iter().enumerate() {
            let before = writes.len();
            self.writes(claim, &mut writes).map_err(ClaimError::Failed)?;
            owners.extend(std::iter::repeat_n(index, writes.len() - before));
        }
        for (key, item, rev) in after.changes(before).map_err(ClaimError::Failed)? {
            let put = self.put_at(&key, item, rev).map_err(ClaimError::Failed)?;
            writes.push(TransactWriteItem::builder().put(put).build());
        }
        let answer = self.client.transact_write_items().set_transact_items(Some(writes)).send().await;
        answer.map(|_| ()).map_err(|error| match cancelled(&error) {
            Some(reasons) => {
                let failed: Vec<usize> = failed_conditions(reasons).collect();
                let lost: BTreeSet<usize> = failed.iter().filter_map(|action| owners.get(*action).copied()).collect();
                match (lost.is_empty(), failed.is_empty()) {
                    (false, _) => ClaimError::Lost(lost),
                    (true, false) => ClaimError::Spent,
                    (true, true) => ClaimError::Conflict,
                }
            }
            None => ClaimError::Failed(failure(&error)),
        })
    }

    fn writes(&self, claim: &Claim, writes: &mut Vec<TransactWriteItem>) -> Result<(), Failure> {
        let event = to_item(&claim.event)?;
        let put = Put::builder().table_name(&self.table).set_item(Some(event));
        let put = match claim.event_rev {
            None => put.condition_expression("attribute_not_exists(id)"),
            Some(rev) => put.condition_expression("rev = :rev").expression_attribute_values(":rev", number(rev)),
        };
        writes.push(TransactWriteItem::builder().put(put.build().map_err(|_| unbuilt())?).build());
        for person in claim.person.iter().chain(&claim.merged) {
            writes.push(TransactWriteItem::builder().update(self.person_update(person)?).build());
        }
        let absent = claim.absent.iter().map(|key| (key, "attribute_not_exists(id)"));
        let apart = claim.apart.iter().map(|key| (key, "attribute_not_exists(merged_into)"));
        for (key, condition) in absent.chain(apart) {
            let check = ConditionCheck::builder()
                .table_name(&self.table)
                .key("id", AttributeValue::S(key.clone()))
                .condition_expression(condition);
            writes.push(TransactWriteItem::builder().condition_check(check.build().map_err(|_| unbuilt())?).build());
        }
        for alias in &claim.aliases {
            writes.push(TransactWriteItem::builder().put(self.alias_put(alias)?).build());
        }
        Ok(())
    }

    /// Writes a person whose `rev` is one more than it was as recalled.
    fn person_update(&self, person: &PersonItem) -> Result<Update, Failure> {
        let (expression, names, mut values) = set_all(to_item(person)?, &PersonItem::OWNED);
        let update = Update::builder()
            .table_name(&self.table)
            .key("id", AttributeValue::S(person.id.clone()))
            .update_expression(expression)
            .set_expression_attribute_names(Some(names));
        let update = if person.rev <= 1 {
            update.condition_expression("attribute_not_exists(id)")
        } else {
            values.insert(":rev".into(), number(person.rev - 1));
            update.condition_expression("rev = :rev")
        };
        update.set_expression_attribute_values(Some(values)).build().map_err(|_| unbuilt())
    }

    fn alias_put(&self, write: &AliasWrite) -> Result<Put, Failure> {
        let put = Put::builder().table_name(&self.table).set_item(Some(to_item::<AliasItem>(&write.item)?));
        let put = match &write.prior {
            None => put.condition_expression("attribute_not_exists(id)"),
            Some(prior) => put
                .condition_expression("person = :person AND since = :since")
                .expression_attribute_values(":person", AttributeValue::S(prior.person.as_str().to_owned()))
                .expression_attribute_values(":since", AttributeValue::S(prior.since.to_string())),
        };
        put.build().map_err(|_| unbuilt())
    }
}

/// The reasons of a cancelled transaction, one for each action.
pub(super) fn cancelled<R>(error: &SdkError<TransactWriteItemsError, R>) -> Option<&[CancellationReason]> {
    let TransactWriteItemsError::TransactionCanceledException(cancelled) = error.as_service_error()? else {
        return None;
    };
    Some(cancelled.cancellation_reasons())
}

/// The positions of the actions whose condition failed.
pub(super) fn failed_conditions(reasons: &[CancellationReason]) -> impl Iterator<Item = usize> {
    reasons
        .iter()
        .enumerate()
        .filter(|(_, reason)| reason.code() == Some("ConditionalCheckFailed"))
        .map(|(action, _)| action)
}

pub(super) fn to_item<T: serde::Serialize>(value: &T) -> Result<Item, Failure> {
    serde_dynamo::to_item(value).map_err(|_| unbuilt())
}

pub(super) fn number(value: u64) -> AttributeValue {
    AttributeValue::N(value.to_string())
}

/// Our own items always build; if one does not, nothing was sent.
pub(super) fn unbuilt() -> Failure {
    Failure::retryable(Cause::Unanswered)
}
