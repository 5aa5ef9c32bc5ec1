//! The weekly usage that Chime wrote to S3: who hosted how many meetings.
//!
//! Source: the guide to the end of support names the columns in words (name, e-mail, registration status, creation date,
//! meetings attended and hosted, messages), not their exact headings, so the two that count are found by their words.

use super::AuditFailure;
use crate::runs::{Keyed, RunInfo, write_run};
use crate::store::pipe::pipe;
use crate::store::{Store, StoreFailure, Trouble};
use jiff::civil::Date;
use serde::{Deserialize, Serialize};
use std::fmt;
use std::io::Read;
use thiserror::Error;
use tokio::sync::mpsc;

/// Rows of one run.
const RUN: usize = 20_000;

/// How much of a report is read at once, in bytes.
const CHUNK: u64 = 1024 * 1024;

/// Rows that come from the parser at once.
const BATCH: usize = 200;

/// On how many days of a week somebody hosted meetings, at most: the report counts meetings, not days.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hosted {
    /// The address, lower case.
    #[serde(rename = "e")]
    pub email: String,
    /// Days, 7 at most.
    #[serde(rename = "d")]
    pub days: u32,
}

/// It names a person.
impl fmt::Debug for Hosted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Hosted").field("days", &self.days).finish_non_exhaustive()
    }
}

impl Keyed for Hosted {
    fn key(&self) -> &str {
        &self.email
    }
}

/// A usage report cannot be used. The whole run is refused: a saving that counts half of the days is wrong.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("usage report, line {line}: {why}")]
pub struct BadUsage {
    /// The line, from 1.
    pub line: u64,
    /// What is wrong.
    pub why: &'static str,
}

/// Usage that was given to a run.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct UsageGiven {
    /// How many weeks it covers.
    pub weeks: u32,
    /// Its rows.
    pub runs: Vec<RunInfo>,
}

/// Reads one report row by row.
///
/// # Errors
/// [`BadUsage`], with the line.
pub fn read(input: impl Read, mut take: impl FnMut(Hosted)) -> Result<(), BadUsage> {
    let bad = |line: u64, why| BadUsage { line, why };
    let mut reader = csv::ReaderBuilder::new().has_headers(true).from_reader(input);
    let header = reader.headers().map_err(|_| bad(1, "cannot be read as CSV"))?.clone();
    let column = |words: &[&str]| {
        header.iter().position(|name| {
            let name: String = name.to_lowercase().chars().filter(char::is_ascii_alphanumeric).collect();
            words.iter().all(|word| name.contains(word))
        })
    };
    let email = column(&["mail"]).ok_or(bad(1, "has no column of e-mail addresses"))?;
    let hosted = column(&["hosted"]).or_else(|| column(&["organized"]));
    let hosted = hosted.ok_or(bad(1, "has no column of meetings hosted"))?;
    for record in reader.records() {
        let record = record.map_err(|error| {
            bad(error.position().map_or(1, csv::Position::line), "is cut short, or no row of this file")
        })?;
        let line = record.position().map_or(1, csv::Position::line);
        let email = record.get(email).unwrap_or_default().trim().to_lowercase();
        let text = record.get(hosted).unwrap_or_default().trim();
        let meetings: u32 = match text {
            "" => 0,
            text => text.parse().map_err(|_| bad(line, "has something else than a number of meetings hosted"))?,
        };
        if !email.is_empty() {
            take(Hosted { email, days: meetings.min(7) });
        }
    }
    Ok(())
}

/// The last day of the week that a report covers, by the end of its name: `…_yyyymmdd.csv`.
fn week(key: &str) -> Option<Date> {
    let name = key.rsplit('/').next()?.strip_suffix(".csv")?;
    let (_, digits) = name.rsplit_once('_')?;
    Date::strptime("%Y%m%d", digits).ok()
}

/// Keeps the rows of reports as runs, and tells how many weeks they cover.
pub(super) struct Keeper<'s, S> {
    store: &'s S,
    folder: String,
    rows: Vec<Hosted>,
    given: UsageGiven,
    weeks: Vec<Date>,
}

impl<'s, S: Store> Keeper<'s, S> {
    pub(super) fn new(store: &'s S, folder: String) -> Keeper<'s, S> {
        Keeper { store, folder, rows: Vec::new(), given: UsageGiven::default(), weeks: Vec::new() }
    }

    /// A report begins. Two of one week, of two accounts, are one week.
    fn begin(&mut self, key: &str) {
        match week(key) {
            Some(week) if self.weeks.contains(&week) => {}
            Some(week) => {
                self.weeks.push(week);
                self.given.weeks += 1;
            }
            None => self.given.weeks += 1,
        }
    }

    /// Reads a report as a stream: on a thread that may wait, with a chunk of it in memory.
    pub(super) async fn read(&mut self, key: &str) -> Result<(), AuditFailure> {
        self.begin(key);
        let (chunks, report) = pipe();
        let (batches, mut rows) = mpsc::channel(1);
        let parser = tokio::task::spawn_blocking(move || {
            let mut batch = Vec::with_capacity(BATCH);
            // Where nobody takes them any more, the run has ended.
            read(report, |row| {
                batch.push(row);
                if batch.len() == BATCH {
                    let _ended = batches.blocking_send(std::mem::take(&mut batch));
                }
            })?;
            let _ended = batches.blocking_send(batch);
            Ok::<(), BadUsage>(())
        });
        let store = self.store;
        let feed = async {
            let mut from = 0;
            loop {
                let chunk = store.read(key, from, CHUNK).await?;
                let chunk = chunk.ok_or_else(|| StoreFailure::new(key, Trouble::Missing))?;
                let length = chunk.len() as u64;
                // A parser that has ended needs no more.
                if chunks.send(chunk).await.is_err() || length == 0 {
                    return Ok::<(), AuditFailure>(());
                }
                from += length;
            }
        };
        let take = async {
            while let Some(batch) = rows.recv().await {
                for row in batch {
                    self.take(row).await?;
                }
            }
            let unreadable = |_| StoreFailure::new(key, Trouble::Unreadable);
            Ok(parser.await.map_err(unreadable)??)
        };
        futures_util::future::try_join(feed, take).await.map(drop)
    }

    async fn take(&mut self, row: Hosted) -> Result<(), StoreFailure> {
        self.rows.push(row);
        if self.rows.len() >= RUN { self.flush().await } else { Ok(()) }
    }

    async fn flush(&mut self) -> Result<(), StoreFailure> {
        let key = format!("{}/usage-{:05}.jsonl", self.folder, self.given.runs.len());
        self.given.runs.push(write_run(self.store, &key, std::mem::take(&mut self.rows)).await?);
        Ok(())
    }

    pub(super) async fn finish(mut self) -> Result<UsageGiven, StoreFailure> {
        if !self.rows.is_empty() {
            self.flush().await?;
        }
        Ok(self.given)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rows(text: &str) -> Result<Vec<(String, u32)>, BadUsage> {
        let mut rows = Vec::new();
        read(text.as_bytes(), |row| rows.push((row.email, row.days)))?;
        Ok(rows)
    }

    #[test]
    fn columns_are_found_by_their_words() {
        let text = "User Name,E-mail Address,Registration Status,Meetings Attended,Meetings Hosted,Messages Sent\n\
                    \"Ito, Ben\",Ben@X.example,Registered,3,2,40\nAda,ada@x.example,Registered,9,12,1\nEve,eve@x.example,,,,\n";
        let expected = [("ben@x.example", 2), ("ada@x.example", 7), ("eve@x.example", 0)];
        assert_eq!(rows(text).unwrap(), expected.map(|(email, days)| (email.to_owned(), days)));
    }

    #[test]
    fn a_report_that_cannot_be_read_is_refused_with_its_line() {
        let table = [
            ("Name,Meetings Hosted\n", 1, "has no column of e-mail addresses"),
            ("Email,Meetings Attended\n", 1, "has no column of meetings hosted"),
            ("Email,Hosted\na@x.example,1\nb@x.example\n", 3, "is cut short, or no row of this file"),
            ("Email,Hosted\na@x.example,two\n", 2, "has something else than a number of meetings hosted"),
        ];
        for (text, line, why) in table {
            assert_eq!(rows(text), Err(BadUsage { line, why }), "{text}");
        }
    }

    #[test]
    fn a_report_tells_its_week_by_its_name() {
        assert_eq!(week("a/b/Acme_0b1c_20260214.csv"), Some(jiff::civil::date(2026, 2, 14)));
        assert_eq!(week("usage.csv"), None);
    }
}
