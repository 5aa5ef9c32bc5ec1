//! How parked events are told.

use super::{Listed, Shown};
use crate::report::{instant, table};
use rollcall::routes::Function;

pub(super) fn list(listed: &Listed) -> String {
    let mut table = table(&["event", "since", "code", "why"]);
    for event in &listed.events {
        table.add_row([event.event.clone(), instant(event.since), event.code.clone(), event.message.clone()]);
    }
    let first = if listed.truncated { "the first " } else { "" };
    let mut text = format!("{table}\n{first}{} parked", listed.events.len());
    let letters = listed.dead_letters.iter().filter(|(_, n)| **n > 0);
    let letters: Vec<String> = letters.map(|(function, n)| format!("{} {n}", Function::as_str(*function))).collect();
    if !listed.dead_letters.is_empty() {
        let letters = if letters.is_empty() { "none".to_owned() } else { letters.join(", ") };
        text.push_str(&format!("\ndead letters: {letters}"));
    }
    for (name, n) in [("unrouted", listed.unrouted), ("undelivered", listed.undelivered)] {
        if let Some(n) = n {
            text.push_str(&format!("\n{name}: {n}"));
        }
    }
    text
}

pub(super) fn show(event: &Shown) -> String {
    let mut table = table(&["", ""]);
    let mut row = |name: &str, value: String| {
        if !value.is_empty() {
            table.add_row([name.to_owned(), value]);
        }
    };
    let parked = &event.parked;
    row("event", parked.event.clone());
    row("state", parked.state.as_str().to_owned());
    row("since", instant(parked.since));
    row("occurred at", instant(event.occurred_at));
    row("code", parked.code.clone());
    row("why", parked.message.clone());
    row("steps", event.steps.join("\n"));
    row("person", parked.person.clone().unwrap_or_default());
    let message = match (event.in_dead_letters, &event.body) {
        (None, _) => "not looked for; give --open, or --person-key, to see it".to_owned(),
        (Some(false), _) => "not in the dead-letter queue (any more)".to_owned(),
        (Some(true), body) => {
            body.as_ref().and_then(|body| serde_json::to_string_pretty(body).ok()).unwrap_or_default()
        }
    };
    row("the message", message);
    table.to_string()
}
