//! Sorted runs, as they are written while a roster is read: a bounded part of them is in memory.

use crate::runs::{Keyed, RunInfo};
use crate::store::{Output, Store, StoreFailure, Trouble};

/// The most rows of a run.
pub const RUN_ROWS: usize = 20_000;

/// A run of so many bytes is full, however few rows it has.
const RUN_BYTES: usize = 8 * 1024 * 1024;

/// Rows of one kind on their way to the store.
pub(super) struct Sorted<'s, S> {
    store: &'s S,
    prefix: String,
    /// The lines of the next run, each with its key.
    lines: Vec<(String, String)>,
    bytes: usize,
    written: Vec<RunInfo>,
}

impl<'s, S: Store> Sorted<'s, S> {
    /// Runs whose keys begin like this; a number of four digits follows.
    pub(super) fn new(store: &'s S, prefix: String) -> Sorted<'s, S> {
        Sorted { store, prefix, lines: Vec::new(), bytes: 0, written: Vec::new() }
    }

    pub(super) async fn add(&mut self, row: &impl Keyed) -> Result<(), StoreFailure> {
        let line = serde_json::to_string(row);
        let line = line.map_err(|_| StoreFailure::new(&self.prefix, Trouble::Unreadable))? + "\n";
        self.bytes += line.len();
        self.lines.push((row.key().to_owned(), line));
        if self.lines.len() >= RUN_ROWS || self.bytes >= RUN_BYTES { self.write().await } else { Ok(()) }
    }

    async fn write(&mut self) -> Result<(), StoreFailure> {
        self.lines.sort_unstable();
        let key = format!("{}{:04}.jsonl", self.prefix, self.written.len());
        let mut output = Output::new(self.store, &key);
        let rows = self.lines.len() as u64;
        for (_, line) in self.lines.drain(..) {
            output.add(line.as_bytes()).await?;
        }
        let bytes = output.finish().await?;
        self.written.push(RunInfo { key, bytes, rows });
        self.bytes = 0;
        Ok(())
    }

    pub(super) async fn finish(mut self) -> Result<Vec<RunInfo>, StoreFailure> {
        if !self.lines.is_empty() {
            self.write().await?;
        }
        Ok(self.written)
    }
}
