//! Writes, alone and in a transaction: conditions first, then all of them or none.

use super::evaluate::Given;
use super::syntax::{Condition, Update};
use super::{Answer, Attribute, Change, Dynamo, Item, Refused, check_item, item, key, nothing_else, table};
use serde_json::{Map, Value, json};
use std::collections::BTreeSet;
use std::sync::Arc;

/// How long the service remembers the token of a transaction, in milliseconds. Source: `ClientRequestToken` of its API.
const TOKEN_REMEMBERED_FOR: i64 = 10 * 60 * 1000;

/// The most actions of a transaction. Source: DynamoDB's quotas.
const ACTIONS: usize = 100;

/// A transaction that was written, under its token.
#[derive(Clone, Debug)]
pub(super) struct Remembered {
    actions: Value,
    until: i64,
}

/// One write, read and not yet evaluated.
pub(super) struct Write {
    id: String,
    given: Given,
    condition: Option<Condition>,
    kind: Kind,
}

enum Kind {
    Put(Item),
    Update(Update),
    Delete,
    Check,
}

impl Write {
    /// Reads an action: `Put`, `Update`, `Delete` or `ConditionCheck`.
    pub(super) fn read(action: &str, mut request: Map<String, Value>) -> Result<Write, Refused> {
        table(&mut request)?;
        let given = Given::take(&mut request)?;
        let mut text = |name: &str| match request.remove(name) {
            None => Ok(None),
            Some(Value::String(text)) if !text.is_empty() => Ok(Some(text)),
            Some(_) => Err(Refused::validation("an expression must be text, and not empty")),
        };
        let condition = given.condition(text("ConditionExpression")?.as_deref())?;
        let update = text("UpdateExpression")?.map(|update| given.update(&update)).transpose()?;
        let (id, kind) = match (action, update) {
            ("Put", None) => {
                let Some(Value::Object(members)) = request.remove("Item") else {
                    return Err(Refused::validation("Item is required"));
                };
                let item = item(members)?;
                let id = item.get("id").and_then(Attribute::text).filter(|id| !id.is_empty()).map(str::to_owned);
                (id.ok_or_else(|| Refused::validation("the item has no key"))?, Kind::Put(item))
            }
            ("Update", Some(update)) => (key(&mut request)?, Kind::Update(update)),
            ("Delete", None) => (key(&mut request)?, Kind::Delete),
            ("ConditionCheck", None) if condition.is_some() => (key(&mut request)?, Kind::Check),
            (_, _) => return Err(Refused::unsupported("the action")),
        };
        given.check_used()?;
        nothing_else(&request)?;
        Ok(Write { id, given, condition, kind })
    }

    /// What it would change.
    pub(super) fn evaluate(&self, dynamo: &Dynamo) -> Result<Change, Refused> {
        let before = dynamo.items.get(&self.id).cloned();
        if let Some(condition) = &self.condition
            && !self.given.holds(condition, before.as_deref())?
        {
            return Err(Refused::Condition);
        }
        let after = match &self.kind {
            Kind::Put(item) => Some(Arc::new(item.clone())),
            Kind::Update(update) => {
                let key = || Item::from([("id".to_owned(), Attribute::Text(self.id.clone()))]);
                let base = before.as_deref().cloned().unwrap_or_else(key);
                let after = self.given.updated(update, &base)?;
                if after.get("id") != base.get("id") {
                    return Err(Refused::validation("cannot update the key"));
                }
                Some(Arc::new(after))
            }
            Kind::Delete => None,
            Kind::Check => before.clone(),
        };
        after.as_deref().map_or(Ok(()), check_item)?;
        Ok(Change { id: self.id.clone(), before, after })
    }
}

impl Dynamo {
    pub(super) fn transact(&mut self, mut request: Map<String, Value>, now_ms: i64) -> Answer {
        let token = match request.remove("ClientRequestToken") {
            Some(Value::String(token)) => Some(token),
            Some(_) | None => None,
        };
        let Some(Value::Array(actions)) = request.remove("TransactItems") else {
            return Err(Refused::validation("TransactItems is required"));
        };
        nothing_else(&request)?;
        if actions.is_empty() || actions.len() > ACTIONS {
            return Err(Refused::validation("a transaction must have 1 to 100 actions"));
        }
        let actions_sent = Value::Array(actions.clone());
        if let Some(known) =
            token.as_ref().and_then(|token| self.tokens.get(token)).filter(|known| known.until > now_ms)
        {
            return if known.actions == actions_sent { Ok((json!({}), Vec::new())) } else { Err(Refused::Mismatch) };
        }
        let writes = actions.into_iter().map(read).collect::<Result<Vec<Write>, Refused>>()?;
        let ids: BTreeSet<&String> = writes.iter().map(|write| &write.id).collect();
        if ids.len() < writes.len() {
            return Err(Refused::validation("transaction request cannot include multiple operations on one item"));
        }
        let changes = self.evaluate_all(&writes)?;
        self.apply(&changes);
        if let Some(token) = token {
            self.tokens.insert(token, Remembered { actions: actions_sent, until: now_ms + TOKEN_REMEMBERED_FOR });
        }
        Ok((json!({}), changes))
    }

    fn evaluate_all(&self, writes: &[Write]) -> Result<Vec<Change>, Refused> {
        let mut changes = Vec::new();
        let mut codes = Vec::new();
        for write in writes {
            let code = match write.evaluate(self) {
                Ok(change) => {
                    changes.push(change);
                    "None"
                }
                Err(Refused::Condition) => "ConditionalCheckFailed",
                Err(Refused::Validation(_)) => "ValidationError",
                Err(refused) => return Err(refused),
            };
            codes.push(code);
        }
        if codes.iter().any(|code| *code != "None") {
            return Err(Refused::Cancelled(codes));
        }
        changes.retain(|change| change.before != change.after);
        Ok(changes)
    }
}

fn read(action: Value) -> Result<Write, Refused> {
    let Value::Object(members) = action else {
        return Err(Refused::validation("an action must be an object"));
    };
    let mut members = members.into_iter();
    match (members.next(), members.next()) {
        (Some((action, Value::Object(request))), None) => Write::read(&action, request),
        (_, _) => Err(Refused::validation("an action must be one of Put, Update, Delete and ConditionCheck")),
    }
}
