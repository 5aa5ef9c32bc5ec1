//! A roster in JSON: an array of objects, or one object after the other.

use super::reader::Watched;
use super::row::{Column, Fields};
use super::{ROW_LIMIT, Refused, Row, Why};
use std::collections::HashMap;
use std::io::{BufRead, BufReader, Read};

/// What is between two rows.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Place {
    /// Nothing has come yet.
    Start,
    /// Rows of an array, the last of which is followed by a comma or `]`.
    Array,
    /// The array has ended.
    End,
    /// Rows that follow each other.
    Lines,
}

pub(super) fn read<R: Read, E: From<Refused>>(
    input: &mut Watched<R>,
    mut each: impl FnMut(Row) -> Result<(), E>,
) -> Result<(), E> {
    let mut scanner = Scanner { input: BufReader::new(input), line: 1 };
    let mut place = Place::Start;
    let mut may_begin = true;
    let mut text = Vec::new();
    let mut names = Names::default();
    while let Some(byte) = scanner.next_visible()? {
        place = match (place, byte) {
            (Place::Start, b'[') => Place::Array,
            (Place::Start | Place::Lines, b'{') => {
                scanner.object(&mut text)?;
                each(row(&text, scanner.line, &mut names)?)?;
                Place::Lines
            }
            (Place::Array, b'{') if may_begin => {
                scanner.object(&mut text)?;
                each(row(&text, scanner.line, &mut names)?)?;
                may_begin = false;
                Place::Array
            }
            (Place::Array, b',') if !may_begin => {
                may_begin = true;
                Place::Array
            }
            (Place::Array, b']') => Place::End,
            (Place::Start | Place::Array | Place::End | Place::Lines, _) => {
                return Err(Refused::at(scanner.line, Why::Malformed).into());
            }
        };
    }
    match place {
        Place::Array => Err(Refused::at(scanner.line, Why::Truncated).into()),
        Place::Start | Place::End | Place::Lines => Ok(()),
    }
}

/// Cuts a stream into objects. What is in them is serde's business.
struct Scanner<R> {
    input: BufReader<R>,
    line: u64,
}

impl<R: Read> Scanner<R> {
    fn next(&mut self) -> Result<Option<u8>, Refused> {
        let unreadable = |error: std::io::Error| Refused::at(self.line, Why::Unreadable(error.kind()));
        let byte = self.input.fill_buf().map_err(unreadable)?.first().copied();
        if let Some(byte) = byte {
            self.input.consume(1);
            self.line += u64::from(byte == b'\n');
        }
        Ok(byte)
    }

    fn next_visible(&mut self) -> Result<Option<u8>, Refused> {
        loop {
            match self.next()? {
                // Space, and what Excel puts before UTF-8.
                Some(b' ' | b'\t' | b'\r' | b'\n' | 0xef | 0xbb | 0xbf) => {}
                other => return Ok(other),
            }
        }
    }

    /// Reads on to the end of the object whose `{` has been read.
    fn object(&mut self, text: &mut Vec<u8>) -> Result<(), Refused> {
        text.clear();
        text.push(b'{');
        let (mut depth, mut in_string, mut escaped) = (1u32, false, false);
        while depth > 0 {
            let byte = self.next()?.ok_or(Refused::at(self.line, Why::Truncated))?;
            match byte {
                _ if escaped => escaped = false,
                b'\\' if in_string => escaped = true,
                b'"' => in_string = !in_string,
                b'{' if !in_string => depth += 1,
                b'}' if !in_string => depth -= 1,
                _ => {}
            }
            text.push(byte);
            if text.len() > ROW_LIMIT {
                return Err(Refused::at(self.line, Why::TooLarge));
            }
        }
        Ok(())
    }
}

/// What names of members mean. Every row has the same ones, so each is read once.
#[derive(Default)]
struct Names(HashMap<String, Option<Column>>);

impl Names {
    /// More different names than any roster has are not kept: they could fill the memory.
    const MOST: usize = 1000;

    fn column(&mut self, name: &str) -> Option<Column> {
        if let Some(column) = self.0.get(name) {
            return *column;
        }
        let column = Column::named(name);
        if self.0.len() < Names::MOST {
            self.0.insert(name.to_owned(), column);
        }
        column
    }
}

fn row(text: &[u8], line: u64, names: &mut Names) -> Result<Row, Refused> {
    let text = std::str::from_utf8(text).map_err(|_| Refused::at(line, Why::NotUtf8))?;
    let members: serde_json::Map<String, serde_json::Value> =
        serde_json::from_str(text).map_err(|_| Refused::at(line, Why::Malformed))?;
    let mut fields = Fields::default();
    let mut given = Vec::new();
    for (name, value) in &members {
        let Some(column) = names.column(name) else { continue };
        if given.contains(&column) {
            return Err(Refused::in_column(line, column, Why::Twice));
        }
        given.push(column);
        let text = word(value).ok_or(Refused::in_column(line, column, Why::Value("must be a text or a number")))?;
        fields.put(column, &text);
    }
    fields.into_row(line)
}

/// A member as a field: texts, whole numbers, and lists of them.
fn word(value: &serde_json::Value) -> Option<String> {
    match value {
        serde_json::Value::Null => Some(String::new()),
        serde_json::Value::String(text) => Some(text.clone()),
        serde_json::Value::Number(number) if number.is_i64() || number.is_u64() => Some(number.to_string()),
        serde_json::Value::Array(values) => {
            let words: Option<Vec<String>> = values.iter().map(word).collect();
            Some(words?.join(";"))
        }
        serde_json::Value::Number(_) | serde_json::Value::Bool(_) | serde_json::Value::Object(_) => None,
    }
}
