//! The tables of `docs/performance.md`, between the markers that say so.

use crate::programs::Program;
use crate::remotes::Delays;
use crate::report::{CaseReport, Report};
use crate::spread::Spread;
use anyhow::{Context, Result};
use std::fmt::Write;

const BEGIN: &str = "<!-- measured: begin; `cargo bench-all -- --write` writes what is between these lines -->\n";
const END: &str = "<!-- measured: end -->";

/// A page with these tables in the place of those that it had.
///
/// # Errors
/// Where the page has no markers.
pub(crate) fn rewritten(page: &str, tables: &str) -> Result<String> {
    let (before, rest) =
        page.split_once(BEGIN).context("docs/performance.md has lost the line that begins the tables")?;
    let (_, after) = rest.split_once(END).context("docs/performance.md has lost the line that ends the tables")?;
    Ok(format!("{before}{BEGIN}{tables}{END}{after}"))
}

/// A report as tables.
///
/// # Errors
/// None that is known: it writes into a string.
pub(crate) fn tables(report: &Report) -> Result<String> {
    let mut out = String::new();
    let machine = &report.machine;
    let versions: Vec<String> = report.versions.iter().map(|(name, version)| format!("{name} {version}")).collect();
    writeln!(
        out,
        "\nMeasured at {} on {} processors ({}), {:.0} GB, Linux {}; profile `{}`. {}.\n",
        report.at,
        machine.processors,
        machine.processor,
        machine.memory_kb as f64 / 1024.0 / 1024.0,
        machine.kernel,
        report.profile,
        versions.join(", ")
    )?;
    starts(&mut out, report)?;
    warm(&mut out, report)?;
    calls(&mut out, report)?;
    latencies(&mut out, report)?;
    costs(&mut out, report)?;
    Ok(out)
}

fn starts(out: &mut String, report: &Report) -> Result<()> {
    writeln!(
        out,
        "### Start\n\n| program | size, bytes | init, ms | processor time of it, ms | memory when ready, MB |"
    )?;
    writeln!(out, "|---|---|---|---|---|")?;
    for start in &report.starts {
        writeln!(
            out,
            "| {} | {} | {} | {} | {} |",
            start.program.name(),
            start.size_bytes,
            told(start.init_ms, 1),
            told(start.init_processor_ms, 1),
            told(start.memory_bytes.scaled(1.0 / 1024.0 / 1024.0), 1)
        )?;
    }
    writeln!(out)?;
    Ok(())
}

fn warm(out: &mut String, report: &Report) -> Result<()> {
    writeln!(out, "### Warm invocations\n")?;
    writeln!(
        out,
        "| program | batch of | events | an invocation, ms | an event, ms | processor time an event, µs | against naive | peak memory, MB | growth an event, KB |"
    )?;
    writeln!(out, "|---|---|---|---|---|---|---|---|---|")?;
    for case in &report.cases {
        #[expect(clippy::cast_precision_loss, reason = "a batch is far below 2^52")]
        let batch = case.batch as f64;
        writeln!(
            out,
            "| {} | {} | {} | {} | {:.3} | {} | {} | {:.1} | {:.1} |",
            case.program.name(),
            kind(case),
            case.batch,
            told(case.wall_ms, 2),
            case.wall_ms.median / batch,
            told(case.processor_ms.scaled(1e3 / batch), 0),
            against_naive(report, case, |case| case.processor_us_per_event),
            case.peak_memory_bytes as f64 / 1024.0 / 1024.0,
            case.memory_per_event_bytes / 1024.0
        )?;
    }
    writeln!(out)?;
    Ok(())
}

fn calls(out: &mut String, report: &Report) -> Result<()> {
    writeln!(out, "### Remote calls and request units\n")?;
    writeln!(
        out,
        "| program | batch of | events | calls an invocation | calls an event | against naive | write units an event: table | indexes | read units an event |"
    )?;
    writeln!(out, "|---|---|---|---|---|---|---|---|---|")?;
    for case in report.cases.iter().filter(|case| case.program != Program::BenchEmpty) {
        let calls: Vec<String> = case
            .calls
            .iter()
            .map(|(name, calls)| format!("{} {}", name.rsplit('.').next().unwrap_or(name), whole(*calls)))
            .collect();
        writeln!(
            out,
            "| {} | {} | {} | {} | {:.2} | {} | {:.2} | {:.2} | {:.2} |",
            case.program.name(),
            kind(case),
            case.batch,
            calls.join(", "),
            case.calls_per_event,
            against_naive(report, case, |case| case.calls_per_event),
            case.table_writes,
            case.index_writes,
            case.reads
        )?;
    }
    writeln!(out)?;
    Ok(())
}

fn latencies(out: &mut String, report: &Report) -> Result<()> {
    writeln!(out, "### From event to answer, with slow services\n")?;
    writeln!(
        out,
        "| DynamoDB, ms | transactions, ms | Chime, ms | program | events | p50, ms | p90 | p99 | samples |"
    )?;
    writeln!(out, "|---|---|---|---|---|---|---|---|---|")?;
    for latency in &report.latencies {
        let Delays { dynamodb_ms, transaction_ms, chime_ms } = latency.delays;
        let wall = latency.wall_ms;
        let p99 = wall.p99.map_or_else(|| format!("(largest {:.0})", wall.max), |p99| format!("{p99:.0}"));
        writeln!(
            out,
            "| {dynamodb_ms} | {transaction_ms} | {chime_ms} | {} | {} | {:.0} | {:.0} | {p99} | {} |",
            latency.program.name(),
            latency.batch,
            wall.median,
            wall.p90,
            wall.samples
        )?;
    }
    writeln!(out)?;
    Ok(())
}

fn costs(out: &mut String, report: &Report) -> Result<()> {
    writeln!(out, "### A million terminations of known people, US dollars\n")?;
    writeln!(out, "| program | events a batch | DynamoDB | Lambda | SQS | all |\n|---|---|---|---|---|---|")?;
    for one in &report.costs {
        writeln!(
            out,
            "| {} | {} | {:.2} | {:.2} | {:.2} | {:.2} |",
            one.program.name(),
            one.batch,
            one.cost.dynamodb,
            one.cost.lambda,
            one.cost.sqs,
            one.cost.total()
        )?;
    }
    writeln!(out)?;
    Ok(())
}

/// The kind of a batch; an empty function sees no difference.
fn kind(case: &CaseReport) -> &'static str {
    if case.program == Program::BenchEmpty { "any" } else { case.kind.word() }
}

/// A figure of suspend-user's as a share of the plain function's.
fn against_naive(report: &Report, case: &CaseReport, figure: fn(&CaseReport) -> f64) -> String {
    let same =
        |other: &&CaseReport| (other.program, other.kind, other.batch) == (Program::BenchNaive, case.kind, case.batch);
    match report.cases.iter().find(same) {
        Some(naive) if case.program == Program::SuspendUser && figure(naive) > 0.0 => {
            format!("× {:.2}", figure(case) / figure(naive))
        }
        _ => String::new(),
    }
}

/// Median, and the range of the middle eight tenths.
fn told(spread: Spread, decimals: usize) -> String {
    let Spread { median, p10, p90, .. } = spread;
    format!("{median:.decimals$} ({p10:.decimals$}–{p90:.decimals$})")
}

/// A number without decimals where it needs none.
fn whole(number: f64) -> String {
    if number.fract() == 0.0 { format!("{number:.0}") } else { format!("{number:.1}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_between_the_markers_is_written() {
        let page = format!("# Performance\n{BEGIN}old\n{END}\nafter\n");
        let again = rewritten(&page, "new\n").unwrap();
        assert_eq!(again, format!("# Performance\n{BEGIN}new\n{END}\nafter\n"));
        assert!(rewritten("# Performance\n", "new").is_err());
    }

    /// The page of this repository can be written.
    #[test]
    fn the_page_has_its_markers() {
        let page = std::fs::read_to_string(rollcall_local::stack::workspace().join("docs/performance.md")).unwrap();
        assert!(rewritten(&page, "").is_ok());
    }
}
