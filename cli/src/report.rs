//! What a command prints: a table for people, or one JSON value for programs.

use crate::arguments::Output;
use comfy_table::{ContentArrangement, Table, presets};
use serde::Serialize;
use serde_json::json;

/// How wide a table is where there is no terminal, or none that tells its width, in columns.
const WIDTH: u16 = 150;

/// What a command prints, and whether all that was asked for is done.
#[derive(Debug)]
pub(crate) struct Report {
    pub(crate) text: String,
    pub(crate) done: bool,
    /// What went wrong beside it: each a line of its own on the standard error.
    pub(crate) notes: Vec<String>,
}

impl Report {
    /// A value as JSON, or what `text` makes of it. All is done.
    pub(crate) fn of<T: Serialize + ?Sized>(value: &T, output: Output, text: impl FnOnce(&T) -> String) -> Report {
        let text = match output {
            Output::Json => serde_json::to_string(value).unwrap_or_default(),
            Output::Table => text(value),
        };
        Report { text, done: true, notes: Vec::new() }
    }

    /// The same, where so many records could not be read: then not all is told, or done.
    pub(crate) fn without(mut self, unreadable: usize) -> Report {
        if unreadable > 0 {
            let records = if unreadable == 1 { "1 record" } else { &format!("{unreadable} records") };
            self.notes.push(format!("{records} cannot be read, and not told here: of a newer version, or damaged"));
            self.done = false;
        }
        self
    }

    /// One thing that was done, or not.
    pub(crate) fn line(what: &str, told: &str, done: bool, output: Output) -> Report {
        let value = json!({ "what": what, "done": done, "message": told });
        Report { done, ..Report::of(&value, output, |_| format!("{what}: {told}")) }
    }
}

/// A table with these columns.
pub(crate) fn table(header: &[&str]) -> Table {
    let mut table = Table::new();
    table.load_style(presets::UTF8_FULL_CONDENSED).set_content_arrangement(ContentArrangement::Dynamic);
    // Some terminals say that they have no columns, for example those of a container.
    let unknown = table.width().is_none_or(|width| width == 0);
    if unknown || !std::io::IsTerminal::is_terminal(&std::io::stdout()) {
        table.force_no_tty().set_width(WIDTH);
    }
    table.set_header(header);
    table
}

/// An instant to the second, or nothing.
pub(crate) fn instant(at: Option<jiff::Timestamp>) -> String {
    at.map(|at| format!("{at:.0}")).unwrap_or_default()
}
