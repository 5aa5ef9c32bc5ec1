//! Loading a roster: an object is read as a stream, its rows go to a sink, and sorted runs of it to the store.
//!
//! Nothing holds the whole file. Chunks of 1 MiB go through a pipe to the parser, which has a thread of its own; its rows
//! come back in small batches, and are gathered to a run until that is sorted and written. Both channels are bounded, so
//! whoever is slowest sets the pace.

use super::sorted::Sorted;
use super::{Format, Leaver, Listed, Refused, Row, Shrinkage, Version, Why, read};
use crate::directory::Deadline;
use crate::failure::Failure;
use crate::host::Host;
use crate::runs::RunInfo;
use crate::store::pipe::{Pipe, pipe};
use crate::store::{Store, StoreFailure, Trouble};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use std::future::Future;
use std::time::Duration;
use thiserror::Error;
use tokio::sync::mpsc;

/// How much of the object is read at once, in bytes.
pub const CHUNK: u64 = 1024 * 1024;

/// The most rows that come from the parser at once, and the most that a sink is given.
const BATCH: usize = 200;

/// How often a chunk is asked for before the load fails.
const ATTEMPTS: u32 = 5;

/// A roster that was read to its end and found good: where its runs are.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Index {
    /// Which load it was.
    pub version: Version,
    /// How many people it has.
    pub rows: u64,
    /// How many of them have no address, and are in no run.
    pub without_address: u64,
    /// When the last row was read.
    pub loaded_at: Timestamp,
    /// Its sorted runs: JSON lines of [`Listed`], by address.
    pub runs: Vec<RunInfo>,
    /// Who has left or will: JSON lines of [`Leaver`], each object by employee number. An index that was written before
    /// there were any has none.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub leavers: Vec<RunInfo>,
    /// The key of the file.
    pub source: String,
}

/// Why a roster was not loaded.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum NotLoaded {
    /// It is refused as a whole; trying again would not help.
    #[error(transparent)]
    Refused(#[from] Refused),
    /// An object cannot be read or written.
    #[error(transparent)]
    Store(#[from] StoreFailure),
    /// The table did not take its rows.
    #[error("the roster table: {0}")]
    Table(#[from] Failure),
    /// Another file took its place while it was read.
    #[error("the file was replaced while it was read; it will be read again")]
    Replaced,
    /// Another roster took force meanwhile.
    #[error("another roster took force meanwhile; this one will be read again")]
    Contended,
    /// Too little time is left.
    #[error("no time is left to load it; give the function more, or a smaller file")]
    OutOfTime,
    /// The parser ended without an answer.
    #[error("the parser ended without an answer: this is a defect of Rollcall")]
    Interrupted,
}

/// Where rows go besides the runs.
pub trait Rows {
    /// Takes rows of a version. What it takes is good for nothing until the whole file was read.
    fn put(&self, version: &Version, rows: &[Row], deadline: Deadline) -> impl Future<Output = Result<(), Failure>>;

    /// The whole file was read and found good: what can only be said of all rows together.
    fn end(&self, _version: &Version, _deadline: Deadline) -> impl Future<Output = Result<(), Failure>> {
        async { Ok(()) }
    }
}

/// Rows go nowhere: only the runs are wanted.
#[derive(Clone, Copy, Debug)]
pub struct Nowhere;

impl Rows for Nowhere {
    async fn put(&self, _version: &Version, _rows: &[Row], _deadline: Deadline) -> Result<(), Failure> {
        Ok(())
    }
}

/// What to load, and within which bounds.
#[derive(Debug)]
pub struct Load<'a, F> {
    /// Where the file is.
    pub from: &'a F,
    /// Its key. The end of it says how it is written.
    pub source: &'a str,
    /// Which load it is.
    pub version: Version,
    /// By how much it may be smaller than the last one.
    pub shrinkage: Shrinkage,
    /// When it must be done.
    pub deadline: Deadline,
}

/// Loads a roster: its rows into `rows`, its sorted runs and its leavers under `rosters/<version>/` of `to`. Nothing takes force by it.
///
/// # Errors
/// [`NotLoaded::Refused`] with line and column; everything else may pass.
pub async fn index<F: Store, S: Store, R: Rows, H: Host>(
    load: &Load<'_, F>,
    to: &S,
    rows: &R,
    host: &H,
) -> Result<Index, NotLoaded> {
    let format = Format::of(load.source).ok_or(Refused::at(1, Why::Name))?;
    let stamp = load.insist(host, async || load.from.stamp(load.source).await).await?;
    if stamp.is_none() {
        return Err(StoreFailure::new(load.source, Trouble::Missing).into());
    }
    let read = load.read(format, to, rows, host).await;
    match &read {
        // Chunks of two files make a third that nobody exported, good or not.
        Ok(_) | Err(NotLoaded::Refused(_)) => {
            let now = load.insist(host, async || load.from.stamp(load.source).await).await?;
            if now == stamp { read } else { Err(NotLoaded::Replaced) }
        }
        Err(
            NotLoaded::Store(_)
            | NotLoaded::Table(_)
            | NotLoaded::Replaced
            | NotLoaded::Contended
            | NotLoaded::OutOfTime
            | NotLoaded::Interrupted,
        ) => read,
    }
}

impl<F: Store> Load<'_, F> {
    async fn read<S: Store, R: Rows, H: Host>(
        &self,
        format: Format,
        to: &S,
        rows: &R,
        host: &H,
    ) -> Result<Index, NotLoaded> {
        let (chunks, pipe) = pipe();
        let (batches, mut parsed) = mpsc::channel(1);
        let shrinkage = self.shrinkage;
        let parser = tokio::task::spawn_blocking(move || parse(format, pipe, shrinkage, &batches));
        let mut runs = Sorted::new(to, format!("rosters/{}/run-", self.version));
        let mut leavers = Sorted::new(to, format!("rosters/{}/leavers-", self.version));
        let mut without_address = 0;
        let take = async {
            while let Some(batch) = parsed.recv().await {
                rows.put(&self.version, &batch, self.deadline).await?;
                for row in &batch {
                    if let Some(leaver) = Leaver::of(row) {
                        leavers.add(&leaver).await?;
                    }
                    match Listed::of(row) {
                        Some(listed) => runs.add(&listed).await?,
                        None => without_address += 1,
                    }
                }
            }
            parser.await.map_err(|_| NotLoaded::Interrupted)?
        };
        // Where the feeding fails, its error is the answer, and the rest ends with its channels.
        let ((), count) = futures_util::future::try_join(self.feed(chunks, host), take).await?;
        rows.end(&self.version, self.deadline).await?;
        Ok(Index {
            version: self.version.clone(),
            rows: count,
            without_address,
            loaded_at: host.now(),
            runs: runs.finish().await?,
            leavers: leavers.finish().await?,
            source: self.source.to_owned(),
        })
    }

    /// Reads the object, chunk by chunk, until it ends or nobody wants more of it.
    async fn feed(&self, chunks: mpsc::Sender<Vec<u8>>, host: &impl Host) -> Result<(), NotLoaded> {
        let mut from = 0;
        loop {
            let read = self.insist(host, async || self.from.read(self.source, from, CHUNK).await).await?;
            let chunk = read.ok_or_else(|| StoreFailure::new(self.source, Trouble::Missing))?;
            let length = chunk.len() as u64;
            if chunks.send(chunk).await.is_err() || length == 0 {
                return Ok(());
            }
            from += length;
        }
    }

    /// Asks the store again where it does not answer. A body that breaks off is not sent again by the SDK.
    async fn insist<T>(
        &self,
        host: &impl Host,
        ask: impl AsyncFn() -> Result<T, StoreFailure>,
    ) -> Result<T, NotLoaded> {
        let mut backoff = Duration::from_millis(50);
        for attempt in 1.. {
            if !self.deadline.allows(host.now(), 1) {
                return Err(NotLoaded::OutOfTime);
            }
            match ask().await {
                Err(failure) if failure.is_retryable() && attempt < ATTEMPTS => {
                    host.sleep(host.jitter(backoff)).await;
                    backoff *= 2;
                }
                answer => return Ok(answer?),
            }
        }
        Err(NotLoaded::OutOfTime)
    }
}

/// Parses on a thread that may wait, and hands the rows over.
fn parse(
    format: Format,
    input: Pipe,
    shrinkage: Shrinkage,
    batches: &mpsc::Sender<Vec<Row>>,
) -> Result<u64, NotLoaded> {
    let hand_over = |batch| batches.blocking_send(batch).map_err(|_| NotLoaded::Interrupted);
    let mut batch = Vec::with_capacity(BATCH);
    let rows = read(format, input, shrinkage, |row| {
        batch.push(row);
        if batch.len() < BATCH {
            return Ok(());
        }
        hand_over(std::mem::replace(&mut batch, Vec::with_capacity(BATCH)))
    })?;
    hand_over(batch)?;
    Ok(rows)
}
