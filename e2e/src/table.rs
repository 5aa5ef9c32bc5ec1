//! What became of the scenarios, as a table.

use crate::play::Row;
use comfy_table::{Cell, Color, ContentArrangement, Table, presets};
use std::fmt::Write;
use std::time::Duration;

/// Columns where there is no terminal.
const WIDTH: u16 = 150;

/// The table, what was unexpected, and how long it all took.
pub(crate) fn table(rows: &[Row], took: Duration) -> String {
    let mut table = Table::new();
    table.load_style(presets::UTF8_FULL_CONDENSED).set_content_arrangement(ContentArrangement::Dynamic);
    if !std::io::IsTerminal::is_terminal(&std::io::stdout()) {
        table.force_no_tty().set_width(WIDTH);
    }
    table.set_header(["scenario", "what was asserted", "result", "seconds"]);
    for row in rows {
        let (word, color) = if row.unexpected.is_empty() { ("pass", Color::Green) } else { ("FAIL", Color::Red) };
        table.add_row([
            Cell::new(&row.name),
            Cell::new(row.asserted.join("\n")),
            Cell::new(word).fg(color),
            Cell::new(format!("{:.1}", row.took.as_secs_f64())),
        ]);
    }
    let mut text = format!("{table}\n");
    for row in rows {
        for problem in &row.unexpected {
            let _written = writeln!(text, "UNEXPECTED in {}: {problem}", row.name);
        }
    }
    let failed = rows.iter().filter(|row| !row.unexpected.is_empty()).count();
    let passed = rows.len() - failed;
    let _written = write!(text, "{passed} of {} pass, in {:.0} s", rows.len(), took.as_secs_f64());
    text
}
