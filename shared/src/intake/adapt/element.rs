//! One element of a request: as JSON, and as it came.

use super::piece::PIECES;
use serde_json::Value;
use serde_json::value::RawValue;
use std::collections::HashMap;

/// The most objects and lists of one body. Each takes hundreds of bytes in memory for the five that it may be written in;
/// a request of a thousand events has twenty for each, and more than most.
const MOST: usize = 30_000;

/// An element of a request. It holds personal data.
pub(super) struct Element<'a> {
    /// What came, byte for byte.
    pub(super) raw: &'a [u8],
    json: Value,
}

impl<'a> Element<'a> {
    /// The whole body; `None` where it is no JSON, is nested too deeply, or has more than 30,000 objects and lists.
    pub(super) fn whole(body: &'a [u8]) -> Option<Element<'a>> {
        Element::read(std::str::from_utf8(body).ok()?)
    }

    /// Bytes that nobody could read.
    pub(super) fn unreadable(raw: &'a [u8]) -> Element<'a> {
        Element { raw, json: Value::Null }
    }

    fn read(raw: &'a str) -> Option<Element<'a>> {
        let openings = raw.bytes().filter(|byte| matches!(byte, b'{' | b'[')).count();
        if openings > MOST {
            return None;
        }
        Some(Element { raw: raw.as_bytes(), json: serde_json::from_str(raw).ok()? })
    }

    /// A member, with its own raw bytes.
    pub(super) fn member(&self, name: &str) -> Option<Element<'a>> {
        let members: HashMap<String, &'a RawValue> = serde_json::from_str(std::str::from_utf8(self.raw).ok()?).ok()?;
        Element::read(members.get(name)?.get())
    }

    /// The elements of a list; `None` where it is no list, or too long a one.
    pub(super) fn items(&self) -> Option<Vec<Element<'a>>> {
        let whole = self.json.as_array()?;
        if whole.len() > PIECES {
            return None;
        }
        let items: Vec<&'a RawValue> = serde_json::from_str(std::str::from_utf8(self.raw).ok()?).ok()?;
        items.into_iter().map(|item| Element::read(item.get())).collect()
    }

    /// The `detail` of an EventBridge envelope, where this is one.
    pub(super) fn off_the_bus(&self) -> Option<Element<'a>> {
        self.text("detail-type")?;
        self.member("detail")
    }

    /// The value at a path of members, `a.b.c`.
    pub(super) fn at(&self, path: &str) -> Option<&Value> {
        path.split('.').try_fold(&self.json, |value, name| value.as_object()?.get(name))
    }

    /// The text at a path, unless it is empty.
    pub(super) fn text(&self, path: &str) -> Option<&str> {
        self.at(path)?.as_str().filter(|text| !text.trim().is_empty())
    }

    /// The identifier at a path: a text, or a whole number.
    pub(super) fn id(&self, path: &str) -> Option<String> {
        id(self.at(path)?)
    }

    /// The list at a path.
    pub(super) fn list(&self, path: &str) -> &[Value] {
        self.at(path).and_then(Value::as_array).map_or(&[], Vec::as_slice)
    }

    /// The value of a member of that name, however deep; `None` where two of them differ.
    pub(super) fn anywhere(&self, name: &str) -> Option<&Value> {
        let mut found = Vec::new();
        collect(&self.json, name, &mut found);
        let first = *found.first()?;
        found.iter().all(|other| *other == first).then_some(first)
    }

    /// Whether it is a list.
    pub(super) fn is_list(&self) -> bool {
        self.json.is_array()
    }

    /// Whether it is this text and nothing else.
    pub(super) fn is_text(&self, text: &str) -> bool {
        self.json.as_str() == Some(text)
    }
}

/// An identifier: a text that is not empty, or a whole number.
pub(super) fn id(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.trim().to_owned()).filter(|text| !text.is_empty()),
        Value::Number(number) if number.is_u64() || number.is_i64() => Some(number.to_string()),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::Array(_) | Value::Object(_) => None,
    }
}

/// The depth is bounded: JSON is read to a depth of 128.
fn collect<'v>(value: &'v Value, name: &str, found: &mut Vec<&'v Value>) {
    match value {
        Value::Object(members) => {
            found.extend(members.get(name));
            members.values().for_each(|member| collect(member, name, found));
        }
        Value::Array(items) => items.iter().for_each(|item| collect(item, name, found)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}
