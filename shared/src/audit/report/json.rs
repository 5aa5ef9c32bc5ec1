//! `report.json`: one document of the shape [`Report`](crate::audit::Report), a finding a line.

use super::SCHEMA_VERSION;
use crate::audit::{Finding, Summary};
use crate::store::{Output, Store, StoreFailure, Trouble};
use serde::Serialize;

/// The document as far as it is written.
pub(super) struct Document<'s, S: Store> {
    key: String,
    output: Output<'s, S>,
    begun: bool,
}

impl<'s, S: Store> Document<'s, S> {
    pub(super) fn new(store: &'s S, key: String) -> Document<'s, S> {
        Document { output: Output::new(store, &key), key, begun: false }
    }

    pub(super) async fn add(&mut self, finding: &Finding) -> Result<(), StoreFailure> {
        let mut bytes = if self.begun { b",\n".to_vec() } else { head().into_bytes() };
        self.begun = true;
        self.render(finding, &mut bytes)?;
        self.output.add(&bytes).await
    }

    pub(super) async fn finish(mut self, summary: &Summary) -> Result<(), StoreFailure> {
        let mut bytes = if self.begun { Vec::new() } else { head().into_bytes() };
        bytes.extend_from_slice(b"\n],\"summary\":");
        self.render(summary, &mut bytes)?;
        bytes.extend_from_slice(b"}\n");
        self.output.add(&bytes).await?;
        self.output.finish().await.map(|_| ())
    }

    fn render(&self, value: &impl Serialize, bytes: &mut Vec<u8>) -> Result<(), StoreFailure> {
        serde_json::to_writer(bytes, value).map_err(|_| StoreFailure::new(&self.key, Trouble::Unreadable))
    }
}

/// What stands before the first finding.
fn head() -> String {
    format!("{{\"schemaVersion\":\"{SCHEMA_VERSION}\",\"findings\":[\n")
}
