//! `rollcall why`: a person's story for people.

use crate::arguments::Output;
use crate::report::Report;
use crate::stack::Stack;
use crate::story::{ActedLine, DueAccess, EventLine, FactLine, RequestLine, StepLine, Story, tell, word};
use anyhow::Result;
use clap::Args;
use jiff::{SignedDuration, Timestamp};
use rollcall::ledger::State;
use rollcall::person::Standing;
use rollcall::plan::StepStatus;
use std::fmt::Write;
use std::path::PathBuf;

/// Whose story.
#[derive(Args)]
pub(crate) struct Why {
    /// An event's id, a person's hash, an address, `worker:<number>` or `subject:<id>`. Identifiers of people need the
    /// person key, which is read from the stack unless it is given.
    who: String,
    /// The policy document, which says whether leaves and inactive logins take access. Default: the stack's own, or
    /// `policy.json`.
    #[arg(long)]
    policy: Option<PathBuf>,
}

pub(crate) async fn run(why: &Why, stack: &Stack<'_>, output: Output) -> Result<Report> {
    let policy = stack.policy(why.policy.as_deref()).await?;
    let story = tell(stack, &why.who, policy.access_policy()).await?;
    Ok(Report::of(&story, output, text))
}

/// The story as text.
pub(crate) fn text(story: &Story) -> String {
    let mut text = String::new();
    for line in head(story) {
        let _infallible = writeln!(text, "{line}");
    }
    if !story.facts.is_empty() {
        let _infallible = writeln!(text, "\nwhat HR says");
        for fact in &story.facts {
            let _infallible = writeln!(text, "  {}", fact_line(fact));
        }
    }
    let _infallible = writeln!(text, "\nwhat happened");
    for event in &story.events {
        for line in told(event, story.asked.as_deref() == Some(&event.event)) {
            let _infallible = writeln!(text, "{line}");
        }
    }
    text.trim_end().to_owned()
}

/// The answer in a few lines: whether access is due, what was taken by what, and what waits.
fn head(story: &Story) -> Vec<String> {
    let mut lines = Vec::new();
    if let Some(person) = &story.person {
        let mut line = format!("person {person}");
        for (name, value) in [("user", &story.user), ("licence", &story.licence), ("licence to be set", &story.wish)] {
            if let Some(value) = value {
                let _infallible = write!(line, ", {name} {value}");
            }
        }
        lines.push(line);
        let by = story.access_by.as_ref().map(|fact| format!(": {}", fact_line(fact))).unwrap_or_default();
        lines.push(match story.access {
            DueAccess::Due => format!("access is due{by}"),
            DueAccess::NotDue => format!("no access is due{by}"),
            DueAccess::AsIs => "no fact says whether access is due: it stays as the directory has it".to_owned(),
            DueAccess::Unreadable => {
                "what is kept of the person cannot be read (a newer version's, or damage): nobody knows whether access is \
                 due"
                    .to_owned()
            }
        });
    }
    if let Some(taken) = &story.taken {
        let licence = taken.licence.as_ref().map(|licence| format!("; the licence was {licence}")).unwrap_or_default();
        let pin = if taken.pin_replaced { "; the meeting PIN was replaced" } else { "" };
        lines.push(format!("access was taken {} by {}{licence}{pin}", time(taken.at), taken.by));
    }
    let waiting = story.events.iter().filter(|event| event.state.attention().is_some()).count();
    if waiting > 0 {
        lines.push(format!("{waiting} of {} records wait for somebody", story.events.len()));
    }
    if story.unreadable > 0 {
        lines.push(format!("{} records cannot be read: they are of a newer version, or damaged", story.unreadable));
    }
    lines
}

fn fact_line(fact: &FactLine) -> String {
    let from =
        fact.from.map_or_else(|| "at a time that cannot be told".to_owned(), |from| format!("from {}", time(from)));
    let active = match fact.active {
        Some(true) => " (login active)",
        Some(false) => " (login not active)",
        None => "",
    };
    let standing = match fact.standing {
        Standing::Asserted => String::new(),
        Standing::Rescinded | Standing::Rejected => format!(", {}", word(&fact.standing)),
    };
    format!("{}{active} {from}{standing}, said {}", fact.kind, time(fact.said_at))
}

fn told(event: &EventLine, asked: bool) -> Vec<String> {
    let came = event.came_at.map(time).unwrap_or_default();
    let kind = event.detail_type.as_deref().or(event.source.as_deref()).unwrap_or("a record");
    let mut lines = vec![format!("{} {came}  {kind}  {}", if asked { ">" } else { " " }, event.event)];
    let mut more = |line: String| lines.push(format!("      {line}"));
    let said = event.said_at.map(|at| format!("said {}", time(at)));
    let effective = event.effective_at.map(|at| format!("takes effect {}", time(at)));
    let times: Vec<String> = said.into_iter().chain(effective).collect();
    if !times.is_empty() {
        more(times.join(", "));
    }
    if !event.filled.is_empty() {
        let filled: Vec<String> = event.filled.iter().map(|(what, whence)| format!("{what} from {whence}")).collect();
        more(format!("it lacked: {}", filled.join(", ")));
    }
    if let Some(release) = &event.released {
        more(acted("released", release, "it was held: "));
    }
    let settled = event.settled_at.map(|at| format!(" {}", time(at))).unwrap_or_default();
    let took = event.took_seconds.map(|took| format!(" ({})", after(took))).unwrap_or_default();
    let message = event.message.as_ref().map(|message| format!(": {message}")).unwrap_or_default();
    more(format!("{}{settled}{message}{took}", event.state.as_str()));
    if let Some(due) = event.due_at {
        more(format!("wakes up {}", time(due)));
    }
    if let Some(fact) = &event.decided_by {
        more(format!("decided by {}", fact_line(fact)));
    }
    if let Some(rejection) = &event.rejected {
        more(acted("rejected", rejection, ""));
    }
    for step in &event.steps {
        more(step_line(step, event.state));
        for request in &step.requests {
            more(format!("  {}", request_line(request)));
        }
    }
    lines
}

fn acted(what: &str, acted: &ActedLine, before: &str) -> String {
    let why = acted.reason.as_ref().map(|reason| format!(" ({before}{reason})")).unwrap_or_default();
    let sender = acted.sender.as_ref().map(|sender| format!(", sent by {sender}")).unwrap_or_default();
    format!("{what} {} by {}{sender}{why}", time(acted.at), acted.by)
}

/// How long after it was due something was done.
fn after(seconds: i64) -> String {
    if seconds < 1 {
        "within a second".to_owned()
    } else {
        format!("{:#} after it was due", SignedDuration::from_secs(seconds))
    }
}

fn step_line(step: &StepLine, state: State) -> String {
    let code = step.code.as_ref().map(|code| format!(" ({code})")).unwrap_or_default();
    let read_back = step.read_back_at.map(|at| format!(", read back {}", exact(at))).unwrap_or_default();
    let repeated = if step.repeated { ", sent again: an earlier send was not answered" } else { "" };
    let role = if step.decisive { "" } else { " (auxiliary)" };
    let status = match step.status {
        // The plan is stored before it is sent, and what came of it afterwards.
        StepStatus::Planned if state == State::Running => {
            "planned, and perhaps sent: its attempt is under way, or died"
        }
        StepStatus::Planned => "not sent",
        StepStatus::Confirmed => "confirmed",
        StepStatus::Refused => "refused",
        StepStatus::Unknown => "without an answer",
    };
    format!("{}{role} {status}{code}{read_back}{repeated}", step.operation.as_str())
}

fn request_line(request: &RequestLine) -> String {
    let sent = request.sent_at.map(exact).unwrap_or_default();
    match &request.request_id {
        Some(id) => format!("sent {sent}, answered after {} ms, request {id}", request.took_ms),
        None => format!("sent {sent}, no answer within {} ms", request.took_ms),
    }
}

fn time(at: Timestamp) -> String {
    format!("{at:.0}")
}

pub(crate) fn exact(at: Timestamp) -> String {
    format!("{at:.3}")
}
