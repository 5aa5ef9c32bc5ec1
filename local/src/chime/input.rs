//! Reading a body: every member's type and constraint is checked before anything is done.
//!
//! Clients check almost nothing themselves. A refusal names the member and the constraint, and never repeats a value.

use super::http::ApiError;
use super::state::{License, UserType};
use serde_json::Value;

/// A place in a body, and what is there. `null` counts as absent.
#[derive(Debug)]
pub(super) struct Member<'a> {
    path: String,
    value: Option<&'a Value>,
}

/// Reads a body, which must be a JSON object. An empty one counts as `{}`: no operation's members are all required.
pub(super) fn body(bytes: &[u8]) -> Result<Value, ApiError> {
    if bytes.iter().all(u8::is_ascii_whitespace) {
        return Ok(Value::Object(serde_json::Map::new()));
    }
    let value: Value = serde_json::from_slice(bytes).map_err(|_| ApiError::constraint("body", "must be JSON"))?;
    if !value.is_object() {
        return Err(ApiError::constraint("body", "must be a JSON object"));
    }
    Ok(value)
}

/// A word of an enumeration that a request can hold.
pub(super) trait Word: Copy + 'static {
    const WORDS: &'static [(&'static str, Self)];
}

impl Word for License {
    const WORDS: &'static [(&'static str, License)] =
        &[("Basic", License::Basic), ("Plus", License::Plus), ("Pro", License::Pro), ("ProTrial", License::ProTrial)];
}

impl Word for UserType {
    const WORDS: &'static [(&'static str, UserType)] =
        &[("PrivateUser", UserType::PrivateUser), ("SharedDevice", UserType::SharedDevice)];
}

/// A word, by what it says.
pub(super) fn word<W: Word>(path: &str, text: &str) -> Result<W, ApiError> {
    let found = W::WORDS.iter().find(|(word, _)| *word == text).map(|(_, value)| *value);
    found.ok_or_else(|| {
        let words: Vec<&str> = W::WORDS.iter().map(|(word, _)| *word).collect();
        ApiError::constraint(path, &format!("must be one of {}", words.join(", ")))
    })
}

/// Text that is not blank. Source: the model's pattern `.*\S.*`.
pub(super) fn not_blank<'a>(path: &str, text: &'a str) -> Result<&'a str, ApiError> {
    if text.trim().is_empty() {
        return Err(ApiError::constraint(path, "must not be blank"));
    }
    Ok(text)
}

/// An account's name. Source: the model, 1 to 100 characters.
pub(super) fn account_name<'a>(path: &str, text: &'a str) -> Result<&'a str, ApiError> {
    if text.chars().count() > 100 {
        return Err(ApiError::constraint(path, "must have at most 100 characters"));
    }
    not_blank(path, text)
}

/// An address. Source: the model's pattern `.+@.+\..+`, which is searched for and whose dot matches no line break.
pub(super) fn address<'a>(path: &str, text: &'a str) -> Result<&'a str, ApiError> {
    let at = |line: &str| {
        line.char_indices().filter(|(index, character)| *character == '@' && *index > 0).any(|(index, _)| {
            let domain = &line[index + 1..];
            domain.char_indices().any(|(dot, character)| character == '.' && dot > 0 && dot + 1 < domain.len())
        })
    };
    if text.lines().count() == 1 && at(text) {
        return Ok(text);
    }
    Err(ApiError::constraint(path, "must be an e-mail address"))
}

impl<'a> Member<'a> {
    /// The body itself.
    pub(super) fn root(value: &'a Value) -> Member<'a> {
        Member { path: String::new(), value: Some(value) }
    }

    /// A member of this one.
    pub(super) fn member(&self, name: &str) -> Member<'a> {
        let path = if self.path.is_empty() { name.to_owned() } else { format!("{}.{name}", self.path) };
        Member { path, value: self.value.and_then(|value| value.get(name)).filter(|value| !value.is_null()) }
    }

    /// Where it is.
    pub(super) fn path(&self) -> &str {
        &self.path
    }

    /// It is there.
    pub(super) fn is_there(&self) -> bool {
        self.value.is_some()
    }

    /// Refused where it is absent.
    pub(super) fn required(self) -> Result<Member<'a>, ApiError> {
        match self.value {
            Some(_) => Ok(self),
            None => Err(ApiError::constraint(&self.path, "is required")),
        }
    }

    /// It, as text.
    pub(super) fn text(&self) -> Result<Option<&'a str>, ApiError> {
        self.typed("must be a string", Value::as_str)
    }

    /// It, as true or false.
    pub(super) fn flag(&self) -> Result<Option<bool>, ApiError> {
        self.typed("must be true or false", Value::as_bool)
    }

    /// It, as a word.
    pub(super) fn word<W: Word>(&self) -> Result<Option<W>, ApiError> {
        self.text()?.map(|text| word(&self.path, text)).transpose()
    }

    /// Refused where it is there and no object.
    pub(super) fn object(self) -> Result<Member<'a>, ApiError> {
        self.typed("must be an object", Value::as_object)?;
        Ok(self)
    }

    /// The members of a required list.
    pub(super) fn list(self, most: usize) -> Result<Vec<Member<'a>>, ApiError> {
        let member = self.required()?;
        let list = member.typed("must be a list", Value::as_array)?.map(Vec::as_slice).unwrap_or_default();
        if list.len() > most {
            return Err(ApiError::constraint(&member.path, &format!("must have at most {most} members")));
        }
        let at = |(index, value)| Member { path: format!("{}[{index}]", member.path), value: Some(value) };
        Ok(list.iter().enumerate().map(at).collect())
    }

    fn typed<T>(&self, constraint: &str, read: impl FnOnce(&'a Value) -> Option<T>) -> Result<Option<T>, ApiError> {
        let read = self.value.map(|value| read(value).ok_or_else(|| ApiError::constraint(&self.path, constraint)));
        read.transpose()
    }
}
