//! Reports as tables or as JSON.

use crate::arguments::Output;
use crate::audit::Told;
use crate::brake::BudgetLine;
use crate::held::{Acted, Held, Shown};
use comfy_table::{ContentArrangement, Table, presets};
use rollcall::audit::RosterState;
use serde::Serialize;
use serde_json::json;

pub(crate) fn held(held: &[Held], output: Output) -> String {
    if output == Output::Json {
        return json(held);
    }
    let mut table = table(&["event", "state", "since", "why", "would do", "person"]);
    for event in held {
        table.add_row([
            event.event.clone(),
            event.state.as_str().to_owned(),
            text(event.since),
            event.message.clone(),
            event.steps.join(", "),
            event.person.clone().unwrap_or_default(),
        ]);
    }
    format!("{table}\n{} waiting", held.len())
}

pub(crate) fn event(event: &Shown, output: Output) -> String {
    if output == Output::Json {
        return json(event);
    }
    let mut table = table(&["", ""]);
    let mut row = |name: &str, value: String| {
        if !value.is_empty() {
            table.add_row([name.to_owned(), value]);
        }
    };
    row("event", event.held.event.clone());
    row("state", event.held.state.as_str().to_owned());
    row("since", text(event.held.since));
    row("occurred at", text(event.held.occurred_at));
    row("why", format!("{}: {}", event.held.reason, event.held.message));
    row("would do", event.held.steps.join(", "));
    row("person", event.held.person.clone().unwrap_or_default());
    row("being released by", event.held.releasing.clone().unwrap_or_default());
    row("released", event.released.as_ref().map(ToString::to_string).unwrap_or_default());
    row("rejected", event.rejected.as_ref().map(ToString::to_string).unwrap_or_default());
    let detail = event.detail.as_ref().and_then(|detail| serde_json::to_string_pretty(detail).ok());
    row("the event", detail.unwrap_or_else(|| "sealed; give --person-key to open it".to_owned()));
    table.to_string()
}

pub(crate) fn acted(acted: &[Acted], output: Output) -> String {
    if output == Output::Json {
        return json(acted);
    }
    let mut table = table(&["event", "result", ""]);
    for event in acted {
        table.add_row([&event.event, event.result, &event.message]);
    }
    let done = acted.iter().filter(|event| event.is_done()).count();
    format!("{table}\n{done} of {} done", acted.len())
}

pub(crate) fn budgets(lines: &[BudgetLine], output: Output) -> String {
    if output == Output::Json {
        return json(lines);
    }
    if lines.is_empty() {
        return "the policy has no brake and no group with a minimum".to_owned();
    }
    let mut table = table(&["budget", "window", "used", "allowed", "holds everything since", "because of"]);
    for line in lines {
        table.add_row([
            line.budget.clone(),
            line.window_seconds.map(|seconds| format!("{seconds} s")).unwrap_or_default(),
            line.used.to_string(),
            line.allowed.to_string(),
            line.latched_at.clone().unwrap_or_default(),
            line.latched_by.clone().unwrap_or_default(),
        ]);
    }
    table.to_string()
}

pub(crate) fn audit(told: &Told, output: Output) -> String {
    if output == Output::Json {
        return json(told);
    }
    let summary = &told.summary;
    let mut accounts = table(&["account", "type", "users", "registered", "suspended", "not registered", "believed"]);
    for account in &summary.accounts {
        accounts.add_row([
            account.name.clone(),
            account.kind.clone(),
            account.users.to_string(),
            account.registered.to_string(),
            account.suspended.to_string(),
            account.unregistered.to_string(),
            account.incomplete.as_ref().map_or_else(|| "yes".to_owned(), |why| format!("no: {why}")),
        ]);
    }
    let mut findings = table(&["finding", "how many"]);
    for (rule, n) in &summary.findings {
        findings.add_row([rule.title(), &n.to_string()]);
    }
    let roster = match summary.roster.state {
        RosterState::Used => format!("{} people in HR", summary.roster.rows),
        RosterState::TooOld => "the roster is too old: nothing is said that rests on HR".to_owned(),
        RosterState::Missing => "no roster: nothing is said that rests on HR".to_owned(),
    };
    let proposed: Vec<String> =
        summary.proposals.iter().map(|(action, n)| format!("{n} {}", action.as_str())).collect();
    let proposed = if proposed.is_empty() { "nothing".to_owned() } else { proposed.join(", ") };
    let plan = told.plan.as_ref().map_or_else(String::new, |plan| format!("\nplan {}", plan.digest));
    format!(
        "{accounts}\n{findings}\nrun {}: {roster}; would ask for {proposed}{plan}\nreport {}",
        summary.run, told.report
    )
}

/// A value as JSON, or as its own text.
pub(crate) fn either<T: Serialize>(value: &T, output: Output, text: impl FnOnce(&T) -> String) -> String {
    match output {
        Output::Json => json(value),
        Output::Table => text(value).trim_end().to_owned(),
    }
}

/// One thing that was done, or not.
pub(crate) fn line(what: &str, told: &str, done: bool, output: Output) -> String {
    match output {
        Output::Json => json(&json!({ "what": what, "done": done, "message": told })),
        Output::Table => format!("{what}: {told}"),
    }
}

fn json<T: Serialize + ?Sized>(value: &T) -> String {
    serde_json::to_string(value).unwrap_or_default()
}

fn text(at: Option<jiff::Timestamp>) -> String {
    at.map(|at| format!("{at:.0}")).unwrap_or_default()
}

fn table(header: &[&str]) -> Table {
    let mut table = Table::new();
    table.load_style(presets::UTF8_FULL_CONDENSED).set_content_arrangement(ContentArrangement::Dynamic);
    if !std::io::IsTerminal::is_terminal(&std::io::stdout()) {
        table.force_no_tty().set_width(150);
    }
    table.set_header(header);
    table
}
