//! Sorted runs: how millions of rows are joined with a few of them in memory.
//!
//! A run is an object of JSON lines in the order of their keys. Many runs read side by side give all rows in that order
//! (a k-way merge), and several such streams side by side give everything that is known of one key.

use crate::store::{Store, StoreFailure, Trouble};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use std::cmp::Reverse;
use std::collections::BinaryHeap;

/// How much of a run is read at once, in bytes. Each run that is read side by side holds so much.
const CHUNK: u64 = 128 * 1024;

/// A row of a run.
pub trait Keyed: Serialize + DeserializeOwned {
    /// What runs are sorted by.
    fn key(&self) -> &str;
}

/// A run in the store.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RunInfo {
    /// Its object.
    pub key: String,
    /// The object's length in bytes.
    pub bytes: u64,
    /// How many rows it has.
    pub rows: u64,
}

/// Sorts rows and writes them as one run.
///
/// # Errors
/// [`StoreFailure`].
pub async fn write_run<T: Keyed>(store: &impl Store, key: &str, mut rows: Vec<T>) -> Result<RunInfo, StoreFailure> {
    rows.sort_by(|a, b| a.key().cmp(b.key()));
    let mut bytes = Vec::new();
    for row in &rows {
        line(&mut bytes, key, row)?;
    }
    let info = RunInfo { key: key.to_owned(), bytes: bytes.len() as u64, rows: rows.len() as u64 };
    store.write(key, bytes).await?;
    Ok(info)
}

/// Adds one row as a line.
///
/// # Errors
/// [`StoreFailure`] where it cannot be written as JSON.
pub fn line(bytes: &mut Vec<u8>, key: &str, row: &impl Serialize) -> Result<(), StoreFailure> {
    serde_json::to_writer(&mut *bytes, row).map_err(|_| StoreFailure::new(key, Trouble::Unreadable))?;
    bytes.push(b'\n');
    Ok(())
}

/// The rows of many runs, in the order of their keys.
#[derive(Debug)]
pub struct Merged<'s, S, T> {
    store: &'s S,
    sources: Vec<Source<T>>,
    heads: BinaryHeap<Reverse<(String, usize)>>,
}

/// One run that is being read.
#[derive(Debug)]
struct Source<T> {
    info: RunInfo,
    /// How much of the object has been read.
    read: u64,
    buffer: Vec<u8>,
    /// Where the next line begins in the buffer.
    at: usize,
    rows: u64,
    head: Option<T>,
}

impl<'s, S: Store, T: Keyed> Merged<'s, S, T> {
    /// Opens runs.
    ///
    /// # Errors
    /// [`StoreFailure`], also where one of them is not there or not what it was.
    pub async fn open(store: &'s S, runs: impl IntoIterator<Item = RunInfo>) -> Result<Self, StoreFailure> {
        let mut merged = Merged { store, sources: Vec::new(), heads: BinaryHeap::new() };
        for info in runs {
            merged.sources.push(Source { info, read: 0, buffer: Vec::new(), at: 0, rows: 0, head: None });
            merged.advance(merged.sources.len() - 1).await?;
        }
        Ok(merged)
    }

    /// The key of the next row.
    #[must_use]
    pub fn peek(&self) -> Option<&str> {
        self.heads.peek().map(|Reverse((key, _))| key.as_str())
    }

    /// The next row.
    ///
    /// # Errors
    /// [`StoreFailure`].
    pub async fn next(&mut self) -> Result<Option<T>, StoreFailure> {
        Ok(self.next_of().await?.map(|(_, row)| row))
    }

    /// The next row, and the number of the run that it is from.
    ///
    /// # Errors
    /// [`StoreFailure`].
    pub async fn next_of(&mut self) -> Result<Option<(usize, T)>, StoreFailure> {
        let Some(Reverse((_, index))) = self.heads.pop() else { return Ok(None) };
        let row = self.sources.get_mut(index).and_then(|source| source.head.take());
        self.advance(index).await?;
        Ok(row.map(|row| (index, row)))
    }

    /// All rows of a key, where it is the next one.
    ///
    /// # Errors
    /// [`StoreFailure`].
    pub async fn group(&mut self, key: &str) -> Result<Vec<T>, StoreFailure> {
        let mut rows = Vec::new();
        while self.peek() == Some(key) {
            rows.extend(self.next().await?);
        }
        Ok(rows)
    }

    /// Reads the next row of a run.
    async fn advance(&mut self, index: usize) -> Result<(), StoreFailure> {
        let Some(source) = self.sources.get_mut(index) else { return Ok(()) };
        if let Some(row) = source.next(self.store).await? {
            self.heads.push(Reverse((row.key().to_owned(), index)));
            source.head = Some(row);
        }
        Ok(())
    }
}

impl<T: Keyed> Source<T> {
    async fn next(&mut self, store: &impl Store) -> Result<Option<T>, StoreFailure> {
        let unreadable = |info: &RunInfo| StoreFailure::new(&info.key, Trouble::Unreadable);
        loop {
            let rest = self.buffer.get(self.at..).unwrap_or_default();
            if let Some(length) = rest.iter().position(|byte| *byte == b'\n') {
                let row: T = serde_json::from_slice(&rest[..length]).map_err(|_| unreadable(&self.info))?;
                self.at += length + 1;
                self.rows += 1;
                return Ok(Some(row));
            }
            if self.read >= self.info.bytes {
                // Every row came, and nothing is left over.
                let whole = rest.is_empty() && self.rows == self.info.rows;
                self.buffer = Vec::new();
                return if whole { Ok(None) } else { Err(unreadable(&self.info)) };
            }
            self.buffer.drain(..self.at);
            self.at = 0;
            let chunk = store.read(&self.info.key, self.read, CHUNK).await?;
            let chunk = chunk.ok_or_else(|| StoreFailure::new(&self.info.key, Trouble::Missing))?;
            if chunk.is_empty() {
                return Err(unreadable(&self.info));
            }
            self.read += chunk.len() as u64;
            self.buffer.extend_from_slice(&chunk);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::files::Files;

    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    struct Row {
        key: String,
        number: u32,
    }

    impl Keyed for Row {
        fn key(&self) -> &str {
            &self.key
        }
    }

    fn row(key: &str, number: u32) -> Row {
        Row { key: key.to_owned(), number }
    }

    #[tokio::test]
    async fn many_runs_are_one_in_order() {
        let store = Files::new(std::env::temp_dir().join(format!("rollcall-runs-{}", std::process::id())));
        let first = write_run(&store, "1", vec![row("c", 1), row("a", 2)]).await.unwrap();
        let second = write_run(&store, "2", vec![row("b", 3), row("a", 4), row("d", 5)]).await.unwrap();
        // Longer than two chunks.
        let many: Vec<Row> = (0..20_000).map(|number| row(&format!("k{number:05}"), number)).collect();
        let third = write_run(&store, "3", many).await.unwrap();
        let mut merged: Merged<'_, Files, Row> = Merged::open(&store, [first.clone(), second, third]).await.unwrap();
        assert_eq!(merged.peek(), Some("a"));
        let numbers: Vec<u32> = merged.group("a").await.unwrap().iter().map(|row| row.number).collect();
        assert_eq!(numbers, [2, 4]);
        assert!(merged.group("a").await.unwrap().is_empty());
        let (mut last, mut rows) = (String::new(), 0);
        while let Some(row) = merged.next().await.unwrap() {
            assert!(row.key >= last);
            last = row.key;
            rows += 1;
        }
        assert_eq!(rows, 3 + 20_000);
        // A run that lost a row is not believed.
        let short = RunInfo { rows: 3, ..first };
        let mut merged: Merged<'_, Files, Row> = Merged::open(&store, [short]).await.unwrap();
        merged.next().await.unwrap();
        assert_eq!(merged.next().await, Err(StoreFailure::new("1", Trouble::Unreadable)));
        std::fs::remove_dir_all(store.path("")).unwrap();
    }
}
