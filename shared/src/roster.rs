//! The roster: everybody whom HR knows, read as a stream from a file that any HR system can export.
//!
//! [`read`] is pure. [`load`] reads an object as a stream and writes sorted runs of it, [`table`] keeps its rows in
//! DynamoDB, and [`serve`] is the function that does both whenever a file is dropped.
//!
//! A roster is good as a whole or refused as a whole: half of one would make leavers of the other half. What is wrong is
//! told with its line and column, never with a value: every value is personal data.
//!
//! Two formats. CSV (RFC 4180, UTF-8, a header row, any order of columns, unknown columns are skipped) and JSON (an array
//! of objects, or one object a line). Names of columns and members are compared without regard to case, spaces, `-` and
//! `_`, so `Employee ID` and `employee_id` are one.

mod asked;
mod csv;
mod find;
mod item;
mod json;
mod leaver;
mod listed;
pub mod load;
mod pointer;
mod reader;
mod row;
pub mod serve;
mod sorted;
pub mod table;
mod version;

pub use find::Found;
pub use leaver::Leaver;
pub use listed::Listed;
pub use load::Index;
pub use pointer::Loading;
pub use row::{Leave, Row, Status};
pub use sorted::RUN_ROWS;
pub use table::{Roster, in_force};
pub use version::Version;

use reader::Watched;
use row::Column;
use std::collections::HashSet;
use std::collections::hash_map::RandomState;
use std::fmt;
use std::hash::BuildHasher;
use std::io::Read;

/// The largest row, in bytes.
const ROW_LIMIT: usize = 64 * 1024;

/// How a roster is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// Rows of fields, the first of which names them.
    Csv,
    /// An array of objects, or one object a line.
    Json,
}

impl Format {
    /// The format of a file by the end of its name: `.csv`, `.json`, `.jsonl` or `.ndjson`.
    #[must_use]
    pub fn of(name: &str) -> Option<Format> {
        let (_, end) = name.rsplit_once('.')?;
        match end.to_ascii_lowercase().as_str() {
            "csv" => Some(Format::Csv),
            "json" | "jsonl" | "ndjson" => Some(Format::Json),
            _ => None,
        }
    }
}

/// Why a roster is refused, as a whole.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refused {
    /// The line on which the row begins, from 1; after empty lines, the first of those. In JSON, that on which it ends.
    pub line: u64,
    /// The column or member, by its own name here.
    pub column: Option<&'static str>,
    /// What is wrong.
    pub why: Why,
}

/// What is wrong with a roster.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Why {
    /// It has no row.
    Empty,
    /// It ends in the middle of a row.
    Truncated,
    /// It is not what its format says.
    Malformed,
    /// It is not UTF-8.
    NotUtf8,
    /// A row has more or fewer fields than the header.
    Fields {
        /// So many the header has.
        expected: u64,
        /// So many the row has.
        found: u64,
    },
    /// A column that every roster must have is not there, or a row has nothing in it.
    Missing,
    /// Two columns have the same meaning.
    Twice,
    /// Another row has the same employee number.
    Duplicate,
    /// A row is larger than 64 KiB.
    TooLarge,
    /// A value is not what its column holds.
    Value(&'static str),
    /// It has so much fewer rows than the last one that it is taken for a part.
    Shrank {
        /// So many rows the last one had.
        before: u64,
        /// So many it has.
        now: u64,
    },
    /// Its name does not say how it is written.
    Name,
    /// It cannot be read on.
    Unreadable(std::io::ErrorKind),
}

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}", self.line)?;
        if let Some(column) = self.column {
            write!(f, ", column {column}")?;
        }
        write!(f, ": {}", self.why)
    }
}

impl fmt::Display for Why {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Why::Empty => f.write_str("has no row; export the roster again"),
            Why::Truncated => f.write_str("ends in the middle of a row; copy or export the whole file"),
            Why::Malformed => f.write_str("cannot be read; export it as CSV (RFC 4180) or JSON"),
            Why::NotUtf8 => f.write_str("is not UTF-8; export it in that encoding"),
            Why::Fields { expected, found } => write!(f, "has {found} fields, and the header has {expected}"),
            Why::Missing => f.write_str("is missing"),
            Why::Twice => f.write_str("is there twice; leave one of the two columns out"),
            Why::Duplicate => f.write_str("comes a second time; each person has one row"),
            Why::TooLarge => write!(f, "the row is larger than {ROW_LIMIT} bytes"),
            Why::Value(must) => f.write_str(must),
            Why::Shrank { before, now } => {
                write!(f, "has {now} rows, and the last roster had {before}; if that is right, load it by hand")
            }
            Why::Name => f.write_str("its name must end in .csv, .json, .jsonl or .ndjson"),
            Why::Unreadable(kind) => write!(f, "cannot be read on: {kind}"),
        }
    }
}

impl std::error::Error for Refused {}

impl Refused {
    fn at(line: u64, why: Why) -> Refused {
        Refused { line, column: None, why }
    }

    fn in_column(line: u64, column: Column, why: Why) -> Refused {
        Refused { line, column: Some(column.name()), why }
    }
}

/// By how much a roster may be smaller than the last one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shrinkage {
    /// The rows of the last one; `None` for the first.
    pub before: Option<u64>,
    /// So many of a hundred rows may be gone.
    pub percent: u8,
}

/// Reads a roster row by row, and hands each to `take` in the order of the file. Answers how many there were.
///
/// What is read so far is good for nothing until the answer is there: the last row may refuse the whole. Needs a row of
/// memory, and about 16 bytes for each row to find an employee number that comes twice.
///
/// # Errors
/// [`Refused`], with line and column; whatever `take` answered, at once.
pub fn read<E: From<Refused>>(
    format: Format,
    input: impl Read,
    shrinkage: Shrinkage,
    mut take: impl FnMut(Row) -> Result<(), E>,
) -> Result<u64, E> {
    let mut rows = 0u64;
    let mut seen = Seen::default();
    let mut input = Watched::new(input);
    let each = |row: Row| {
        if !seen.is_new(row.worker_id.as_ref()) {
            return Err(E::from(Refused::in_column(row.line, Column::WorkerId, Why::Duplicate)));
        }
        rows += 1;
        take(row)
    };
    match format {
        Format::Csv => csv::read(&mut input, each)?,
        Format::Json => json::read(&mut input, each)?,
    }
    let line = input.line();
    if rows == 0 {
        return Err(Refused::at(line, Why::Empty).into());
    }
    match shrinkage.before {
        Some(before) if before.saturating_sub(rows) * 100 > before * u64::from(shrinkage.percent) => {
            Err(Refused::at(line, Why::Shrank { before, now: rows }).into())
        }
        Some(_) | None => Ok(rows),
    }
}

/// The employee numbers that came, as hashes: two of a million are the same by chance once in thirty million rosters.
#[derive(Default)]
struct Seen {
    hasher: RandomState,
    hashes: HashSet<u64>,
}

impl Seen {
    fn is_new(&mut self, worker_id: &str) -> bool {
        self.hashes.insert(self.hasher.hash_one(worker_id))
    }
}

#[cfg(test)]
mod tests;
