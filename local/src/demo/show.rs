//! The report as tables. Colour only on a terminal.

use super::{ActReport, EventReport, Report, UserReport};
use comfy_table::{Attribute, Cell, Color, ContentArrangement, Table, presets};
use serde_json::Value;
use std::collections::BTreeMap;
use std::fmt::Write;

/// The report for people.
#[must_use]
pub fn table(report: &Report) -> String {
    let mut text = String::new();
    let mut section = |title: &str, table: Table| {
        let _written = write!(text, "{title}\n{table}\n\n");
    };
    if report.acts.is_empty() {
        section("What happened to each event, and why", events(&report.events));
        section("The users, before and after", users(&report.before, &report.after));
        section("The calls that Chime was asked for", calls(&report.calls));
    } else {
        section("What was done, and what came of it", acts(&report.acts));
    }
    for problem in &report.unexpected {
        let _written = writeln!(text, "UNEXPECTED: {problem}");
    }
    let verdict =
        if report.ok { "Directory and ledger ended exactly as expected." } else { "This is not the expected end." };
    let _written = write!(text, "{verdict}");
    text
}

fn new_table(header: &[&str]) -> Table {
    let mut table = Table::new();
    table.load_style(presets::UTF8_FULL_CONDENSED).set_content_arrangement(ContentArrangement::Dynamic);
    if !std::io::IsTerminal::is_terminal(&std::io::stdout()) {
        table.force_no_tty().set_width(150);
    }
    table.set_header(header.iter().map(|name| Cell::new(name).add_attribute(Attribute::Bold)));
    table
}

fn acts(acts: &[ActReport]) -> Table {
    let mut table = new_table(&["what was done", "what must come of it", "what came of it"]);
    for act in acts {
        let color = if act.expected == act.got { Color::Green } else { Color::Red };
        table.add_row([Cell::new(&act.act), Cell::new(&act.expected), Cell::new(&act.got).fg(color)]);
    }
    table
}

fn events(events: &[EventReport]) -> Table {
    let mut table = new_table(&["event", "story", "function", "outcome", "why", "steps"]);
    for event in events {
        let steps: Vec<String> = event.steps.iter().map(step).collect();
        let color = match event.outcome.as_str() {
            "applied" => Color::Green,
            "parked" => Color::Red,
            "held" => Color::Yellow,
            _ => Color::Reset,
        };
        table.add_row([
            Cell::new(&event.event_id),
            Cell::new(&event.story),
            Cell::new(&event.function),
            Cell::new(&event.outcome).fg(color),
            Cell::new(&event.message),
            Cell::new(steps.join("\n")),
        ]);
    }
    table
}

fn step(step: &Value) -> String {
    let word = |member: &str| step[member].as_str().unwrap_or_default().to_owned();
    let repeated = if step["repeated"] == true { " (sent again)" } else { "" };
    let code = step["code"].as_str().map(|code| format!(" {code}")).unwrap_or_default();
    format!("{} {}{code}{repeated}", word("operation"), word("status"))
}

/// Everybody who was there before or is there after, once.
fn users(before: &[UserReport], after: &[UserReport]) -> Table {
    let mut table = new_table(&["account", "type", "user", "before", "after", "licence", "sessions", "invitation"]);
    let same = |a: &UserReport, b: &UserReport| (&a.account, &a.email) == (&b.account, &b.email);
    let pairs = before.iter().map(|user| (Some(user), after.iter().find(|now| same(now, user))));
    let new = after.iter().filter(|now| !before.iter().any(|user| same(now, user))).map(|now| (None, Some(now)));
    for (was, now) in pairs.chain(new) {
        let Some(user) = now.or(was) else { continue };
        let mark = |cell: Cell| if was == now { cell } else { cell.fg(Color::Green) };
        let status = |user: Option<&UserReport>, gone: &str| user.map_or(gone.to_owned(), |user| user.status.clone());
        let both = |word: &dyn Fn(&UserReport) -> String| {
            let told = |user: Option<&UserReport>| user.map_or("-".to_owned(), word);
            let (was, now) = (told(was), told(now));
            if was == now { now } else { format!("{was} → {now}") }
        };
        let licence = |user: &UserReport| user.licence.clone().unwrap_or_else(|| "-".to_owned());
        let invitation = |user: &UserReport| user.invitation.clone().unwrap_or_else(|| "-".to_owned());
        table.add_row([
            Cell::new(&user.account),
            Cell::new(&user.account_type),
            Cell::new(&user.user),
            Cell::new(status(was, "absent")),
            mark(Cell::new(status(now, "removed"))),
            mark(Cell::new(both(&licence))),
            mark(Cell::new(both(&|user| user.sessions.to_string()))),
            mark(Cell::new(both(&invitation))),
        ]);
    }
    table
}

/// From so many calls on they are counted, not listed.
const LISTED_CALLS: usize = 60;

fn calls(calls: &[Value]) -> Table {
    if calls.len() > LISTED_CALLS { counted_calls(calls) } else { listed_calls(calls) }
}

fn counted_calls(calls: &[Value]) -> Table {
    let mut counts: BTreeMap<(String, String), usize> = BTreeMap::new();
    for call in calls {
        let operation = call["operation"].as_str().unwrap_or("-").to_owned();
        *counts.entry((operation, answer(call))).or_default() += 1;
    }
    let mut table = new_table(&["operation", "answer", "calls"]);
    for ((operation, answer), count) in counts {
        table.add_row([operation, answer, count.to_string()]);
    }
    table
}

fn listed_calls(calls: &[Value]) -> Table {
    let mut table = new_table(&["", "operation", "users", "answer"]);
    for call in calls {
        table.add_row([
            call["number"].to_string(),
            call["operation"].as_str().unwrap_or("-").to_owned(),
            call["users"].as_array().map_or(0, Vec::len).to_string(),
            answer(call),
        ]);
    }
    table
}

fn answer(call: &Value) -> String {
    let outcome = &call["outcome"];
    match (outcome["status"].as_u64(), outcome["error"].as_str()) {
        (None, _) if outcome["tookEffect"] == true => "connection cut after it took effect".to_owned(),
        (None, _) => "connection cut".to_owned(),
        (Some(status), Some(error)) => format!("{status} {error}"),
        (Some(status), None) => match outcome["userErrors"].as_u64() {
            Some(0) | None => status.to_string(),
            Some(count) => format!("{status} with {count} user errors"),
        },
    }
}
