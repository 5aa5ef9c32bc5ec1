//! What of a stack needs a person. Pure.

use super::Screen;
use crate::queues::Depth;
use crate::report::instant;

/// Each thing that needs a person, with what to do.
pub(super) fn needs(screen: &Screen) -> Vec<String> {
    let mut needs = Vec::new();
    for line in &screen.functions {
        let name = line.function.as_str();
        if line.mapping.as_deref() == Some("Disabled") {
            needs.push(format!("{name} is paused: `rollcall resume {name}`"));
        }
    }
    if let Some(held) = screen.held.filter(|held| held.count > 0) {
        needs.push(format!("{} held: `rollcall held list`, then release or reject", events(held.count)));
    }
    for latched in &screen.latched {
        let (budget, since) = (&latched.budget, instant(Some(latched.since)));
        needs.push(format!("the brake holds everything of {budget} since {since}: `rollcall brake reset {budget}` once the cause is mended"));
    }
    let letters: u64 = screen.functions.iter().filter_map(|line| line.dlq.map(Depth::all)).sum();
    if let Some(parked) = screen.parked.filter(|parked| parked.count > 0) {
        needs.push(format!("{} parked: `rollcall parked list`", events(parked.count)));
    } else if letters > 0 {
        needs.push(format!("{letters} dead letters of no parked event: `rollcall parked redrive --all`"));
    }
    if let Some(late) = screen.announced.map(|announced| announced.overdue).filter(|late| *late > 0) {
        needs.push(format!("{late} announced and overdue: see whether hr-intake runs"));
    }
    if let Some(n) = screen.unrouted.filter(|n| *n > 0) {
        needs.push(format!("{n} in the queue `unrouted`: somebody publishes what no function consumes"));
    }
    if let Some(n) = screen.undelivered.filter(|n| *n > 0) {
        needs.push(format!(
            "{n} in the queue `undelivered`: what the bus could not deliver, or a roster that was not loaded"
        ));
    }
    if let Some(roster) = screen.roster.as_ref().filter(|roster| roster.age_seconds > roster.at_most_seconds) {
        let days = |seconds: i64| seconds / (24 * 60 * 60);
        let (age, most) = (days(roster.age_seconds), days(roster.at_most_seconds));
        needs.push(format!("the roster is {age} days old, and the policy lets it be {most}: drop a newer one"));
    }
    needs
}

fn events(n: u64) -> String {
    if n == 1 { "1 event is".to_owned() } else { format!("{n} events are") }
}
