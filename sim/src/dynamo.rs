//! An in-memory DynamoDB: one table with the key `id`, and the requests that the ledger sends, on the wire's JSON.
//!
//! It is as strict as it is small: a request, an expression or a type that it does not know is an error. A
//! differential test holds it against an embedded DynamoDB that is verified against the real one.

mod attribute;
mod evaluate;
mod syntax;
mod transaction;

pub use attribute::{Attribute, Item, at, number_at, text_at, write};

use attribute::item;
use serde_json::{Map, Value, json};
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

/// The largest request of a transaction or a batch, in bytes. Source: DynamoDB's quotas (4 MB, 16 MB).
const REQUEST_LIMIT: usize = 4 * 1024 * 1024;

/// The attributes that an index has as its keys, and their types: `by_person`, `by_attention`, `by_due`.
const INDEXED: [(&str, &str); 6] = [
    ("person", "S"),
    ("occurred_at", "S"),
    ("attention", "S"),
    ("first_claimed_at", "N"),
    ("due", "S"),
    ("due_at", "N"),
];

/// The table, and the tokens of transactions that were written.
#[derive(Debug, Default)]
pub struct Dynamo {
    items: BTreeMap<String, Arc<Item>>,
    tokens: HashMap<String, transaction::Remembered>,
}

/// One item that a request changed.
#[derive(Clone, Debug)]
pub struct Change {
    /// Its key.
    pub id: String,
    /// The item before; `None` where there was none.
    pub before: Option<Arc<Item>>,
    /// The item after; `None` where it was deleted.
    pub after: Option<Arc<Item>>,
}

/// Why a request was refused. Nothing of it was done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Refused {
    /// `ValidationException`.
    Validation(String),
    /// This DynamoDB does not know the construct: the simulator has to learn it first.
    Unsupported(String),
    /// `ConditionalCheckFailedException`.
    Condition,
    /// `TransactionCanceledException`, with the code of each action.
    Cancelled(Vec<&'static str>),
    /// `IdempotentParameterMismatchException`.
    Mismatch,
}

impl Refused {
    fn validation(message: &str) -> Refused {
        Refused::Validation(message.to_owned())
    }

    fn unsupported(what: &str) -> Refused {
        Refused::Unsupported(format!("the simulator's DynamoDB does not know {what}"))
    }

    /// The name of the exception.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Refused::Validation(_) | Refused::Unsupported(_) => "ValidationException",
            Refused::Condition => "ConditionalCheckFailedException",
            Refused::Cancelled(_) => "TransactionCanceledException",
            Refused::Mismatch => "IdempotentParameterMismatchException",
        }
    }

    /// The body of the answer, whose status is 400.
    #[must_use]
    pub fn body(&self) -> Value {
        let message = match self {
            Refused::Validation(message) | Refused::Unsupported(message) => message.as_str(),
            Refused::Condition => "The conditional request failed",
            Refused::Cancelled(_) => "Transaction cancelled, please refer cancellation reasons for specific reasons",
            Refused::Mismatch => "The token came before with other parameters",
        };
        let mut body =
            json!({ "__type": format!("com.amazonaws.dynamodb.v20120810#{}", self.name()), "message": message });
        if let Refused::Cancelled(codes) = self {
            body["CancellationReasons"] = codes.iter().map(|code| json!({ "Code": code })).collect();
        }
        body
    }
}

/// The answer to a request, and what it changed.
pub type Answer = Result<(Value, Vec<Change>), Refused>;

impl Dynamo {
    /// Answers one request. `operation` is the word after the dot of `X-Amz-Target`.
    ///
    /// # Errors
    /// [`Refused`]; nothing was done.
    pub fn answer(&mut self, operation: &str, body: &[u8], now_ms: i64) -> Answer {
        if body.len() > REQUEST_LIMIT {
            return Err(Refused::validation("the request is too large"));
        }
        let Ok(Value::Object(mut request)) = serde_json::from_slice(body) else {
            return Err(Refused::validation("the request is no JSON object"));
        };
        match operation {
            "GetItem" => self.get_item(&mut request),
            "BatchGetItem" => self.batch_get_item(&mut request),
            "PutItem" => self.single("Put", request),
            "UpdateItem" => self.single("Update", request),
            "DeleteItem" => self.single("Delete", request),
            "TransactWriteItems" => self.transact(request, now_ms),
            _ => Err(Refused::unsupported("the operation")),
        }
    }

    /// The items, by key.
    #[must_use]
    pub fn items(&self) -> &BTreeMap<String, Arc<Item>> {
        &self.items
    }

    fn get_item(&self, request: &mut Map<String, Value>) -> Answer {
        let id = key(request)?;
        table(request)?;
        let _consistent = request.remove("ConsistentRead");
        nothing_else(request)?;
        let found = self.items.get(&id);
        Ok((found.map_or_else(|| json!({}), |item| json!({ "Item": write(item) })), Vec::new()))
    }

    fn batch_get_item(&self, request: &mut Map<String, Value>) -> Answer {
        let Some(Value::Object(tables)) = request.remove("RequestItems") else {
            return Err(Refused::validation("RequestItems is required"));
        };
        nothing_else(request)?;
        let mut responses = Map::new();
        for (table, wanted) in tables {
            let Value::Object(mut wanted) = wanted else {
                return Err(Refused::validation("RequestItems must hold objects"));
            };
            let Some(Value::Array(keys)) = wanted.remove("Keys") else {
                return Err(Refused::validation("Keys is required"));
            };
            if wanted.remove("ConsistentRead") != Some(Value::Bool(true)) {
                return Err(Refused::unsupported("a read that is not consistent"));
            }
            nothing_else(&wanted)?;
            let mut seen = std::collections::BTreeSet::new();
            let mut found = Vec::new();
            for key in keys {
                let id = only_id(key)?;
                found.extend(self.items.get(&id).map(|item| write(item)));
                if !seen.insert(id) {
                    return Err(Refused::validation("the provided list of item keys contains duplicates"));
                }
            }
            if seen.is_empty() || seen.len() > 100 {
                return Err(Refused::validation("a batch must have 1 to 100 keys"));
            }
            responses.insert(table, Value::Array(found));
        }
        Ok((json!({ "Responses": responses, "UnprocessedKeys": {} }), Vec::new()))
    }

    /// A write of its own: as a transaction of one action, with the errors of a single write.
    fn single(&mut self, action: &str, request: Map<String, Value>) -> Answer {
        let write = transaction::Write::read(action, request)?;
        let change = write.evaluate(self)?;
        self.apply(std::slice::from_ref(&change));
        Ok((json!({}), vec![change]))
    }

    fn apply(&mut self, changes: &[Change]) {
        for change in changes {
            match &change.after {
                Some(after) => drop(self.items.insert(change.id.clone(), Arc::clone(after))),
                None => drop(self.items.remove(&change.id)),
            }
        }
    }
}

/// Takes the table's name: there is one table, whatever its name.
fn table(request: &mut Map<String, Value>) -> Result<(), Refused> {
    match request.remove("TableName") {
        Some(Value::String(_)) => Ok(()),
        Some(_) | None => Err(Refused::validation("TableName is required")),
    }
}

/// Takes the key of a request.
fn key(request: &mut Map<String, Value>) -> Result<String, Refused> {
    request.remove("Key").map_or_else(|| Err(Refused::validation("Key is required")), only_id)
}

/// The `id` of a key, which has nothing else.
fn only_id(key: Value) -> Result<String, Refused> {
    let invalid = || Refused::validation("the provided key element does not match the schema");
    let Value::Object(members) = key else { return Err(invalid()) };
    let mut key = item(members)?;
    match (key.remove("id"), key.is_empty()) {
        (Some(Attribute::Text(id)), true) if !id.is_empty() => Ok(id),
        (_, _) => Err(invalid()),
    }
}

/// Refuses a request that asks for something more.
fn nothing_else(request: &Map<String, Value>) -> Result<(), Refused> {
    match request.keys().next() {
        None => Ok(()),
        Some(member) => Err(Refused::unsupported(&format!("the member {member}"))),
    }
}

/// Refuses an item whose index keys have another type.
fn check_item(item: &Item) -> Result<(), Refused> {
    for (name, letter) in INDEXED {
        if item.get(name).is_some_and(|value| value.letter() != letter || value.text() == Some("")) {
            return Err(Refused::validation("one or more parameter values were invalid: type mismatch for index key"));
        }
    }
    Ok(())
}
