//! The simulator's DynamoDB against an embedded one that is verified against the real service: the same requests, the
//! same answers, error codes, reasons and items.

#![expect(clippy::unwrap_used, reason = "a helper of a test that cannot go on may panic, as its tests may")]

use rollcall_local::chime::random::Random;
use rollcall_sim::dynamo::{Dynamo, Refused, write};
use rollcall_tables::Definition;
use serde_json::{Map, Value, json};

const TABLE: &str = "rollcall";
const SEEDS: u64 = 300;
const REQUESTS: usize = 60;

fn embedded() -> dynoxide::Database {
    rollcall_tables::database(&[Definition::ledger(TABLE).unwrap()]).unwrap()
}

/// The answer of the embedded one: a body, or an exception's name and the codes of its reasons.
fn ask(database: &dynoxide::Database, operation: &str, request: &Value) -> Result<Value, (String, Vec<String>)> {
    let body = request.clone();
    macro_rules! ask {
        ($method:ident) => {
            serde_json::from_value(body)
                .map_err(|error| json!({ "__type": if error.to_string().contains("VALIDATION") { "#ValidationException" } else { "#Unreadable" } }))
                .and_then(|request| {
                    let answer = database.$method(request).map(|answer| serde_json::to_value(answer).unwrap());
                    answer.map_err(|error| serde_json::from_str::<Value>(&error.to_json()).unwrap())
                })
        };
    }
    let answer = match operation {
        "TransactWriteItems" => ask!(transact_write_items),
        "BatchGetItem" => ask!(batch_get_item),
        "GetItem" => ask!(get_item),
        "PutItem" => ask!(put_item),
        "UpdateItem" => ask!(update_item),
        "DeleteItem" => ask!(delete_item),
        _ => panic!("{operation}"),
    };
    answer.map_err(|error| {
        let name = error["__type"].as_str().unwrap().rsplit_once('#').unwrap().1.to_owned();
        let reasons = error["CancellationReasons"].as_array().cloned().unwrap_or_default();
        (name, reasons.iter().map(|reason| reason["Code"].as_str().unwrap().to_owned()).collect())
    })
}

fn own(dynamo: &mut Dynamo, operation: &str, request: &Value) -> Result<Value, (String, Vec<String>)> {
    match dynamo.answer(operation, request.to_string().as_bytes(), 0) {
        Ok((answer, _)) => Ok(answer),
        Err(Refused::Unsupported(what)) => panic!("{what}: {request}"),
        Err(refused) => {
            let codes = if let Refused::Cancelled(codes) = &refused { codes.clone() } else { Vec::new() };
            Err((refused.name().to_owned(), codes.into_iter().map(str::to_owned).collect()))
        }
    }
}

/// Requests from a seed. Few keys, names and values, so that conditions hold as often as not.
struct Requests {
    random: Random,
    values: Map<String, Value>,
    names: Map<String, Value>,
}

impl Requests {
    fn one<'a>(&mut self, of: &[&'a str]) -> &'a str {
        self.random.one_of(of).unwrap()
    }

    fn key(&mut self) -> Value {
        json!({ "id": { "S": self.one(&["k0", "k1", "k2", "k3", "k4"]) } })
    }

    fn value(&mut self) -> Value {
        match self.random.below(8) {
            0..3 => json!({ "N": self.one(&["0", "1", "2", "-7", "1763899200000"]) }),
            3 | 4 => json!({ "S": self.one(&["a", "b", "running", ""]) }),
            5 => json!({ "BOOL": self.random.chance(500) }),
            6 => json!({ "M": { "owner": { "S": self.one(&["a", "b"]) }, "until": { "N": "2" } } }),
            _ => json!({ "L": [{ "N": "1" }, { "M": { "x": { "NULL": true } } }] }),
        }
    }

    fn given(&mut self) -> String {
        let value = self.value();
        let name = format!(":v{}", self.values.len());
        self.values.insert(name.clone(), value);
        name
    }

    fn path(&mut self) -> String {
        match self.random.below(10) {
            0..5 => self.one(&["rev", "kept", "word"]).to_owned(),
            5 | 6 => self.alias("lease"),
            7 | 8 => format!("{}.{}", self.alias("lease"), self.one(&["#owner", "until_then"]))
                .replace("#owner", &self.alias("owner")),
            _ => format!("{}.{}.deeper", self.alias("lease"), self.alias("owner")),
        }
    }

    fn alias(&mut self, name: &str) -> String {
        let alias = format!("#{name}");
        self.names.insert(alias.clone(), json!(name));
        alias
    }

    fn condition(&mut self, depth: u32) -> String {
        match self.random.below(if depth == 0 { 8 } else { 11 }) {
            0 | 1 => format!("attribute_not_exists({})", self.one(&["id", "rev", "kept"])),
            2 => format!("attribute_exists({})", self.path()),
            3..8 => {
                let sign = self.one(&["=", "=", "=", "<>", "<", "<=", ">", ">="]);
                // Only text and numbers have an order; comparing others with `<` is refused before it is evaluated.
                let right = if matches!(sign, "=" | "<>") { self.given() } else { self.ordered() };
                format!("{} {sign} {right}", self.path())
            }
            8 => format!("NOT {}", self.condition(depth - 1)),
            9 => format!("({}) AND {}", self.condition(depth - 1), self.condition(depth - 1)),
            _ => format!("({} OR {})", self.condition(depth - 1), self.condition(depth - 1)),
        }
    }

    fn ordered(&mut self) -> String {
        let value =
            if self.random.chance(700) { json!({ "N": self.one(&["0", "1", "5"]) }) } else { json!({ "S": "b" }) };
        let name = format!(":v{}", self.values.len());
        self.values.insert(name.clone(), value);
        name
    }

    fn update(&mut self) -> String {
        let (mut sets, mut removes) = (Vec::new(), Vec::new());
        for _ in 0..=self.random.below(3) {
            let path = self.path();
            match self.random.below(6) {
                0 => removes.push(path),
                1 => sets.push(format!("{path} = rev + {}", self.number())),
                2 => sets.push(format!("{path} = if_not_exists(kept, {})", self.given())),
                3 => sets.push(format!("{path} = if_not_exists(rev, {}) - {}", self.number(), self.number())),
                _ => sets.push(format!("{path} = {}", self.given())),
            }
        }
        let clause = |word: &str, all: &[String]| {
            if all.is_empty() { String::new() } else { format!("{word} {} ", all.join(", ")) }
        };
        format!("{}{}", clause("SET", &sets), clause("REMOVE", &removes))
    }

    fn number(&mut self) -> String {
        let name = format!(":v{}", self.values.len());
        self.values.insert(name.clone(), json!({ "N": "1" }));
        name
    }

    fn item(&mut self) -> Value {
        let mut item = self.key();
        for name in ["rev", "kept", "word", "lease"] {
            if self.random.chance(500) {
                item[name] = self.value();
            }
        }
        for (name, value) in [
            ("person", json!({ "S": "p" })),
            ("first_claimed_at", json!({ "N": "5" })),
            ("attention", json!({ "S": "held" })),
        ] {
            if self.random.chance(200) {
                item[name] = value;
            }
        }
        item
    }

    fn write(&mut self, kind: &str) -> Value {
        (self.values, self.names) = (Map::new(), Map::new());
        let mut request = json!({ "TableName": TABLE });
        match kind {
            "Put" => request["Item"] = self.item(),
            "Update" => {
                request["Key"] = self.key();
                request["UpdateExpression"] = json!(self.update());
            }
            _ => request["Key"] = self.key(),
        }
        if kind == "ConditionCheck" || self.random.chance(600) {
            request["ConditionExpression"] = json!(self.condition(2));
        }
        if request.get("ConditionExpression").is_some() && self.random.chance(10) {
            self.values.insert(":unused".into(), json!({ "N": "1" }));
        }
        for (name, given) in [("ExpressionAttributeValues", &self.values), ("ExpressionAttributeNames", &self.names)] {
            if !given.is_empty() {
                request[name] = json!(given);
            }
        }
        request
    }

    fn request(&mut self) -> (&'static str, Value) {
        match self.random.below(12) {
            0 => ("PutItem", self.write("Put")),
            1 => ("UpdateItem", self.write("Update")),
            2 => ("DeleteItem", self.write("Delete")),
            3 => ("GetItem", json!({ "TableName": TABLE, "Key": self.key(), "ConsistentRead": true })),
            4 => {
                let keys: Vec<Value> = (0..=self.random.below(3)).map(|_| self.key()).collect();
                ("BatchGetItem", json!({ "RequestItems": { TABLE: { "Keys": keys, "ConsistentRead": true } } }))
            }
            _ => {
                let kinds = ["Put", "Put", "Update", "Update", "Update", "Delete", "ConditionCheck"];
                let actions: Vec<Value> = (0..=self.random.below(3))
                    .map(|_| {
                        let kind = self.one(&kinds);
                        json!({ kind: self.write(kind) })
                    })
                    .collect();
                let mut request = json!({ "TransactItems": actions });
                if self.random.chance(200) {
                    request["ClientRequestToken"] = json!(self.one(&["token-1", "token-2"]));
                }
                ("TransactWriteItems", request)
            }
        }
    }
}

/// The answer without what the ledger never reads, and with items in one order.
fn essence(mut answer: Value) -> Value {
    if let Some(items) = answer.pointer_mut("/Responses/rollcall").and_then(Value::as_array_mut) {
        items.sort_by_key(|item| item["id"]["S"].to_string());
    }
    answer
}

#[test]
fn answers_and_items_are_those_of_the_embedded_dynamodb() {
    let (mut accepted, mut refused) = (0, 0);
    for seed in 0..SEEDS {
        let (database, mut dynamo) = (embedded(), Dynamo::default());
        let mut requests = Requests { random: Random::new(seed), values: Map::new(), names: Map::new() };
        let mut sent: Vec<(&str, Value)> = Vec::new();
        for _ in 0..REQUESTS {
            // Now and then a transaction comes twice: its token tells.
            let again = requests.random.chance(50).then(|| sent.last().cloned()).flatten();
            let (operation, request) = again.unwrap_or_else(|| requests.request());
            let expected = ask(&database, operation, &request).map(essence);
            let answer = own(&mut dynamo, operation, &request).map(essence);
            assert_eq!(answer, expected, "seed {seed}: {operation} {request:#}");
            if answer.is_ok() {
                accepted += 1
            } else {
                refused += 1
            }
            sent.push((operation, request));
        }
        let scanned = database.scan(serde_json::from_value(json!({ "TableName": TABLE })).unwrap()).unwrap();
        let mut theirs = serde_json::to_value(scanned).unwrap()["Items"].as_array().unwrap().clone();
        theirs.sort_by_key(|item| item["id"]["S"].to_string());
        let ours: Vec<Value> = dynamo.items().values().map(|item| write(item)).collect();
        assert_eq!(ours, theirs, "seed {seed}");
    }
    assert!(accepted > 2_000 && refused > 2_000, "{accepted} accepted, {refused} refused: both must be met");
}
