//! `findings.csv`: every finding, a row each, for a spreadsheet.

use crate::audit::{Action, Finding, Withheld};
use crate::store::{Output, Store, StoreFailure, Trouble};
use std::borrow::Cow;

const HEADER: [&str; 15] = [
    "rule",
    "effect",
    "confidence",
    "account",
    "account_name",
    "user",
    "email",
    "worker_id",
    "department",
    "licence",
    "hosting_days",
    "proposal",
    "withheld",
    "reason",
    "evidence",
];

/// What makes a spreadsheet take a cell for a formula, where the cell begins with it.
const FORMULA: [char; 11] = ['=', '+', '-', '@', '\t', '\r', '\n', '＝', '＋', '－', '＠'];

/// The table as far as it is written.
pub(super) struct Table<'s, S: Store> {
    key: String,
    output: Output<'s, S>,
    begun: bool,
}

impl<'s, S: Store> Table<'s, S> {
    pub(super) fn new(store: &'s S, key: String) -> Table<'s, S> {
        Table { output: Output::new(store, &key), key, begun: false }
    }

    pub(super) async fn add(&mut self, finding: &Finding) -> Result<(), StoreFailure> {
        self.begin().await?;
        let row = self.line(&row(finding))?;
        self.output.add(&row).await
    }

    pub(super) async fn finish(mut self) -> Result<(), StoreFailure> {
        self.begin().await?;
        self.output.finish().await.map(|_| ())
    }

    async fn begin(&mut self) -> Result<(), StoreFailure> {
        if !std::mem::replace(&mut self.begun, true) {
            let header = self.line(&HEADER.map(Cow::from))?;
            self.output.add(&header).await?;
        }
        Ok(())
    }

    fn line(&self, cells: &[Cow<'_, str>; 15]) -> Result<Vec<u8>, StoreFailure> {
        let mut line = Vec::new();
        let mut writer = csv::WriterBuilder::new().buffer_capacity(1024).from_writer(&mut line);
        let written = writer.write_record(cells.iter().map(|cell| harmless(cell).into_owned()));
        let flushed = written.is_ok() && writer.flush().is_ok();
        drop(writer);
        if flushed { Ok(line) } else { Err(StoreFailure::new(&self.key, Trouble::Unreadable)) }
    }
}

fn row(finding: &Finding) -> [Cow<'_, str>; 15] {
    let evidence: Vec<String> = finding.evidence.iter().map(|(name, value)| format!("{name}={value}")).collect();
    [
        finding.rule.as_str().into(),
        finding.effect.as_str().into(),
        finding.confidence.as_str().into(),
        finding.account.as_deref().unwrap_or_default().into(),
        finding.account_name.as_deref().unwrap_or_default().into(),
        finding.user.as_deref().unwrap_or_default().into(),
        finding.email.as_deref().unwrap_or_default().into(),
        finding.worker_id.as_deref().unwrap_or_default().into(),
        finding.department.as_deref().unwrap_or_default().into(),
        finding.licence.as_deref().unwrap_or_default().into(),
        finding.hosting_days.map(|days| days.to_string()).unwrap_or_default().into(),
        finding.proposal.map(Action::as_str).unwrap_or_default().into(),
        finding.withheld.map(Withheld::sentence).unwrap_or_default().into(),
        finding.reason.as_str().into(),
        evidence.join("; ").into(),
    ]
}

/// A cell that no spreadsheet takes for a formula.
fn harmless(cell: &str) -> Cow<'_, str> {
    if cell.starts_with(FORMULA) { format!("'{cell}").into() } else { cell.into() }
}
