//! What an audit leaves for people and programs: `report.json`, `findings.csv` and `report.html`.
//!
//! Findings are written as they come. *Invariant*: memory does not grow with their number. Each file holds one part of
//! an upload at most, and the page its first [`SHOWN`] findings of each rule.

mod csv;
mod html;
mod json;

use super::{Finding, Summary};
use crate::store::{Store, StoreFailure};

/// How many findings of a rule the page shows. The rest are in `findings.csv`.
pub const SHOWN: u64 = 200;

/// Version of the shape of `report.json`.
pub const SCHEMA_VERSION: &str = "1.0";

/// Writes the three files of one run.
pub struct Reporter<'s, S: Store> {
    json: json::Document<'s, S>,
    csv: csv::Table<'s, S>,
    html: html::Page<'s, S>,
}

impl<'s, S: Store> Reporter<'s, S> {
    /// Begins the files of a run in a folder.
    #[must_use]
    pub fn new(store: &'s S, folder: &str) -> Reporter<'s, S> {
        Reporter {
            json: json::Document::new(store, format!("{folder}/report.json")),
            csv: csv::Table::new(store, format!("{folder}/findings.csv")),
            html: html::Page::new(store, format!("{folder}/report.html")),
        }
    }

    /// Adds a finding.
    ///
    /// # Errors
    /// [`StoreFailure`]. The files are then not whole, and must be written anew.
    pub async fn add(&mut self, finding: &Finding) -> Result<(), StoreFailure> {
        self.json.add(finding).await?;
        self.csv.add(finding).await?;
        self.html.add(finding);
        Ok(())
    }

    /// Ends the files with the numbers of the run. The page comes last: where it is, the others are.
    ///
    /// # Errors
    /// [`StoreFailure`].
    pub async fn finish(self, summary: &Summary) -> Result<(), StoreFailure> {
        self.json.finish(summary).await?;
        self.csv.finish().await?;
        self.html.finish(summary).await
    }
}
