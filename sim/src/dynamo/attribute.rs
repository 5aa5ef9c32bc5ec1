//! Attribute values, as on the wire: `{"S": "…"}` and so on. Only the types that the ledger stores.

use super::Refused;
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;

/// One item, or a map inside one.
pub type Item = BTreeMap<String, Attribute>;

/// One value.
#[derive(Clone, Debug, PartialEq)]
pub enum Attribute {
    /// `S`
    Text(String),
    /// `N`: the ledger counts, and never measures.
    Number(i64),
    /// `BOOL`
    Flag(bool),
    /// `NULL`
    Null,
    /// `B`, still in base 64.
    Bytes(String),
    /// `M`
    Map(Item),
    /// `L`
    List(Vec<Attribute>),
}

impl Attribute {
    /// The text, where it is one.
    #[must_use]
    pub fn text(&self) -> Option<&str> {
        if let Attribute::Text(text) = self { Some(text) } else { None }
    }

    /// The number, where it is one.
    #[must_use]
    pub fn number(&self) -> Option<i64> {
        if let Attribute::Number(number) = self { Some(*number) } else { None }
    }

    /// The flag, where it is one.
    #[must_use]
    pub fn flag(&self) -> Option<bool> {
        if let Attribute::Flag(flag) = self { Some(*flag) } else { None }
    }

    /// The map, where it is one.
    #[must_use]
    pub fn map(&self) -> Option<&Item> {
        if let Attribute::Map(map) = self { Some(map) } else { None }
    }

    /// The list, where it is one.
    #[must_use]
    pub fn list(&self) -> Option<&[Attribute]> {
        if let Attribute::List(list) = self { Some(list) } else { None }
    }

    /// The letter of its type.
    pub(super) fn letter(&self) -> &'static str {
        match self {
            Attribute::Text(_) => "S",
            Attribute::Number(_) => "N",
            Attribute::Flag(_) => "BOOL",
            Attribute::Null => "NULL",
            Attribute::Bytes(_) => "B",
            Attribute::Map(_) => "M",
            Attribute::List(_) => "L",
        }
    }

    /// Reads a value off the wire. A type that the ledger does not store is refused, not guessed at.
    pub(super) fn read(value: Value) -> Result<Attribute, Refused> {
        let Value::Object(members) = value else {
            return Err(Refused::validation("an attribute value must be an object"));
        };
        let mut members = members.into_iter();
        let (Some((letter, value)), None) = (members.next(), members.next()) else {
            return Err(Refused::validation("an attribute value must have one type"));
        };
        match (letter.as_str(), value) {
            ("S", Value::String(text)) => Ok(Attribute::Text(text)),
            ("N", Value::String(text)) => text
                .parse()
                .map(Attribute::Number)
                .map_err(|_| Refused::unsupported("a number that is no whole number of 64 bits")),
            ("BOOL", Value::Bool(flag)) => Ok(Attribute::Flag(flag)),
            ("NULL", Value::Bool(true)) => Ok(Attribute::Null),
            ("B", Value::String(bytes)) => Ok(Attribute::Bytes(bytes)),
            ("M", Value::Object(map)) => item(map).map(Attribute::Map),
            ("L", Value::Array(list)) => {
                list.into_iter().map(Attribute::read).collect::<Result<_, _>>().map(Attribute::List)
            }
            _ => Err(Refused::unsupported("an attribute value of another type")),
        }
    }

    /// Writes a value as on the wire.
    #[must_use]
    pub fn write(&self) -> Value {
        match self {
            Attribute::Text(text) => json!({ "S": text }),
            Attribute::Number(number) => json!({ "N": number.to_string() }),
            Attribute::Flag(flag) => json!({ "BOOL": flag }),
            Attribute::Null => json!({ "NULL": true }),
            Attribute::Bytes(bytes) => json!({ "B": bytes }),
            Attribute::Map(map) => json!({ "M": write(map) }),
            Attribute::List(list) => json!({ "L": list.iter().map(Attribute::write).collect::<Vec<_>>() }),
        }
    }
}

/// Reads an item, or a map of values, off the wire.
pub(super) fn item(members: Map<String, Value>) -> Result<Item, Refused> {
    members.into_iter().map(|(name, value)| Ok((name, Attribute::read(value)?))).collect()
}

/// Writes an item as on the wire.
#[must_use]
pub fn write(item: &Item) -> Value {
    Value::Object(item.iter().map(|(name, value)| (name.clone(), value.write())).collect())
}

/// The value at a path of map members.
#[must_use]
pub fn at<'a>(item: &'a Item, path: &[&str]) -> Option<&'a Attribute> {
    let (first, rest) = path.split_first()?;
    let value = item.get(*first)?;
    if rest.is_empty() { Some(value) } else { at(value.map()?, rest) }
}

/// The text at a path of map members.
#[must_use]
pub fn text_at<'a>(item: &'a Item, path: &[&str]) -> Option<&'a str> {
    at(item, path)?.text()
}

/// The number at a path of map members.
#[must_use]
pub fn number_at(item: &Item, path: &[&str]) -> Option<i64> {
    at(item, path)?.number()
}
