//! `rollcall proof`: what the ledger can prove of one person's access, as a document an auditor can read; and every record
//! of a time as JSON lines. It names nobody: people are keyed hashes.

use crate::arguments::Output;
use crate::report::Report;
use crate::stack::{Place, Stack};
use crate::story::{ActedLine, DueAccess, EventLine, StepLine, Story, TakenLine, line, tell, word};
use crate::why::exact;
use anyhow::Result;
use clap::Args;
use jiff::{SignedDuration, Timestamp};
use rollcall::directory::Operation;
use rollcall::ledger::{Part, REMEMBERED_FOR, State};
use rollcall::plan::StepStatus;
use rollcall::routes::Function;
use serde::Serialize;
use std::fmt::Write as _;
use std::io::Write;
use std::path::PathBuf;

/// What is proven: one person's access, or a time.
#[derive(Args)]
pub(crate) struct Evidence {
    /// A person, or an event of theirs, as for `why`.
    #[arg(required_unless_present = "since", conflicts_with = "since")]
    who: Option<String>,
    /// Every record that ended at this time or later, and nothing that waits, for example `2026-11-01T00:00:00Z`.
    #[arg(long)]
    since: Option<Timestamp>,
    /// And before this one. Default: now.
    #[arg(long, requires = "since", conflicts_with = "who")]
    until: Option<Timestamp>,
    /// The policy document, which says whether leaves and inactive logins take access. Default: the stack's own, or
    /// `policy.json`.
    #[arg(long, conflicts_with = "since")]
    policy: Option<PathBuf>,
}

pub(crate) async fn run(evidence: &Evidence, stack: &Stack<'_>, output: Output) -> Result<Report> {
    let Some(who) = &evidence.who else {
        let (since, until) = (evidence.since.unwrap_or_default(), evidence.until.unwrap_or_else(|| stack.now()));
        let mut lines = Vec::new();
        let unreadable = window(stack, since, until, &mut lines).await?;
        let text = String::from_utf8(lines)?.trim_end().to_owned();
        return Ok(Report { text, done: true, notes: Vec::new() }.without(unreadable));
    };
    let policy = stack.policy(evidence.policy.as_deref()).await?;
    let story = tell(stack, who, policy.access_policy()).await?;
    let proof = Proof::of(story, &stack.place(Place::Table).await?, stack.now());
    Ok(Report { done: proof.holds(), ..Report::of(&proof, output, |proof| proof.document().trim_end().to_owned()) })
}

/// Evidence of one person's access.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Proof {
    /// When it was drawn up.
    pub(crate) drawn_up_at: Timestamp,
    /// The ledger that it was drawn from.
    pub(crate) ledger: String,
    pub(crate) conclusion: Conclusion,
    /// Why nothing is proven; only with `not_proven`.
    pub(crate) doubt: Option<Doubt>,
    /// The record of that change.
    pub(crate) by: Option<String>,
    /// From when it was due (or came, if later said) to its confirmation.
    pub(crate) seconds: Option<i64>,
    #[serde(flatten)]
    pub(crate) story: Story,
}

/// What the last confirmed change of access says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Conclusion {
    /// A confirmed request blocked or removed the user.
    LockedOut,
    /// What is kept of the person says that access was taken. The record with the request has expired.
    Taken,
    /// A confirmed request signed the user out.
    SignedOut,
    /// A confirmed request gave access.
    HasAccess,
    /// No record tells of a confirmed change.
    NothingSent,
    /// See [`Doubt`].
    NotProven,
}

/// Why nothing is proven, whatever the records tell.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Doubt {
    /// What is kept of the person cannot be read, so nobody knows what is due.
    PersonUnreadable,
    /// A record that cannot be read may tell that access was given since.
    RecordUnreadable,
    /// A request that gives access was sent since, and nobody knows whether it took effect.
    GivenPerhaps,
}

/// One record in a time, with whom it is about.
#[derive(Serialize)]
struct Recorded {
    person: Option<String>,
    #[serde(flatten)]
    line: EventLine,
}

/// Which way a confirmed, decisive step moved somebody's access.
enum Moved {
    Taken,
    SignedOut,
    Given,
}

impl Proof {
    pub(crate) fn of(story: Story, ledger: &str, now: Timestamp) -> Proof {
        let mut changes: Vec<(&EventLine, Moved)> =
            story.events.iter().filter_map(|event| Some((event, moved(event)?))).collect();
        changes.sort_by_key(|(event, _)| event.settled_at);
        let (conclusion, event) = match changes.pop() {
            Some((event, Moved::Taken)) => (Conclusion::LockedOut, Some(event)),
            Some((event, Moved::SignedOut)) => (Conclusion::SignedOut, Some(event)),
            Some((event, Moved::Given)) => (Conclusion::HasAccess, Some(event)),
            None => (Conclusion::NothingSent, None),
        };
        let by = event.map(|event| event.event.clone());
        // Records expire, and `taken` stays until access is given again: whatever the records tell of a time before says
        // less.
        let since = event.and_then(|event| event.settled_at);
        let later = |taken: &&TakenLine| since.is_none_or(|it| it.as_millisecond() < taken.at.as_millisecond());
        let taken = story.taken.as_ref().filter(later);
        let (conclusion, event, by) = match taken {
            Some(taken) => (Conclusion::Taken, None, Some(taken.by.clone())),
            None => (conclusion, event, by),
        };
        let doubt = doubt(&story, conclusion, taken.map(|taken| taken.at).or(since));
        Proof {
            drawn_up_at: now,
            ledger: ledger.to_owned(),
            conclusion: if doubt.is_some() { Conclusion::NotProven } else { conclusion },
            doubt,
            by,
            seconds: event.and_then(|event| event.took_seconds),
            story,
        }
    }

    /// Whether it proves what is due: who must have no access was locked out.
    pub(crate) fn holds(&self) -> bool {
        match self.conclusion {
            Conclusion::LockedOut | Conclusion::Taken => true,
            Conclusion::SignedOut | Conclusion::HasAccess | Conclusion::NothingSent => {
                self.story.access != DueAccess::NotDue
            }
            Conclusion::NotProven => false,
        }
    }

    /// The document, in Markdown.
    pub(crate) fn document(&self) -> String {
        let mut text = String::from("# Evidence of access\n\n");
        let mut write = |line: String| {
            let _infallible = writeln!(text, "{line}");
        };
        write("| | |\n|---|---|".to_owned());
        write(format!("| person | {} (keyed hash) |", self.story.person.as_deref().unwrap_or("not named")));
        write(format!("| ledger | {} |", self.ledger));
        write(format!("| drawn up | {} |", exact(self.drawn_up_at)));
        write(format!("| access | {} |", access(&self.story)));
        write(format!("| conclusion | {} |", self.conclusion()));
        if let Some(taken) = &self.story.taken {
            write(format!("| taken | {}, by {} |", exact(taken.at), taken.by));
        }
        if self.story.unreadable > 0 {
            write(format!("| records that cannot be read | {} |", self.story.unreadable));
        }
        for event in self.story.events.iter().filter(|event| event.steps.iter().any(was_sent)) {
            write(format!("\n## {}\n", event.event));
            write("| what | when (UTC) |\n|---|---|".to_owned());
            for (what, at) in rows(event) {
                write(format!("| {what} | {} |", at.map_or_else(|| "not known".to_owned(), exact)));
            }
        }
        write("\n## Every record\n".to_owned());
        write("| came (UTC) | record | type | state | why |\n|---|---|---|---|---|".to_owned());
        for event in &self.story.events {
            let kind = event.detail_type.as_deref().unwrap_or_default();
            let why = event.message.as_deref().unwrap_or_default();
            let came = event.came_at.map(exact).unwrap_or_default();
            write(format!("| {came} | {} | {kind} | {} | {why} |", event.event, event.state.as_str()));
        }
        let rejected = self.story.events.iter().filter_map(|event| Some((event, event.rejected.as_ref()?)));
        let rejected: Vec<String> = rejected.map(rejection).collect();
        if !rejected.is_empty() {
            write("\n## Rejected by an operator\n".to_owned());
            write("| when (UTC) | record | by | why |\n|---|---|---|---|".to_owned());
            rejected.into_iter().for_each(&mut write);
        }
        write(format!("\n{HOW_TO_READ}"));
        text
    }

    fn conclusion(&self) -> String {
        let by = self.by.as_deref().unwrap_or_default();
        let took = self.seconds.map(|seconds| format!(", {:#} after it was due", SignedDuration::from_secs(seconds)));
        let took = took.unwrap_or_default();
        let not_due = self.story.access == DueAccess::NotDue;
        match self.conclusion {
            Conclusion::LockedOut => format!("locked out by {by}{took}"),
            Conclusion::Taken => {
                let at = self.story.taken.as_ref().map(|taken| exact(taken.at)).unwrap_or_default();
                format!("taken {at} by {by}; its record has expired, so no request can be shown")
            }
            Conclusion::SignedOut => {
                format!("signed out by {by}{took}; the company's directory must block the login: look there")
            }
            Conclusion::HasAccess if not_due => {
                format!("NOT locked out: no access is due, and the last change, {by}, gave it")
            }
            Conclusion::HasAccess => format!("access was given by {by}"),
            Conclusion::NothingSent if not_due && self.may_have_expired() => {
                "not proven: no access is due, and no record that is left confirms a request; those that ended 60 days ago \
                 have expired"
                    .to_owned()
            }
            Conclusion::NothingSent if not_due => {
                "NOT locked out by Rollcall: no access is due, and no request was confirmed".to_owned()
            }
            Conclusion::NothingSent => "no record that is left tells of a change by Rollcall".to_owned(),
            Conclusion::NotProven => self.doubt.map(Doubt::sentence).unwrap_or_default().to_owned(),
        }
    }

    /// Whether what ended when it fell due may have expired since. Where the record of who said so is left, it has not.
    fn may_have_expired(&self) -> bool {
        let Some(fact) = &self.story.access_by else { return true };
        let left = self.story.events.iter().any(|it| it.event.split_once('#').is_some_and(|(_, id)| id == fact.event));
        let due = fact.from.map(|from| from.max(fact.said_at));
        !left && due.is_none_or(|due| self.drawn_up_at.duration_since(due).as_secs() >= REMEMBERED_FOR)
    }
}

impl Doubt {
    fn sentence(self) -> &'static str {
        match self {
            Doubt::PersonUnreadable => {
                "not proven: what is kept of the person cannot be read (a newer version's, or damage), so nobody knows what \
                 is due"
            }
            Doubt::GivenPerhaps => {
                "not proven: since access was taken, a request that gives it was sent, or may have been, and has no answer: \
                 look in the directory"
            }
            Doubt::RecordUnreadable => {
                "not proven: a record that cannot be read (a newer version's, or damage) may tell that access was given since"
            }
        }
    }
}

/// What speaks against the conclusion that the records allow of a change at `since`.
fn doubt(story: &Story, conclusion: Conclusion, since: Option<Timestamp>) -> Option<Doubt> {
    if story.access == DueAccess::Unreadable {
        return Some(Doubt::PersonUnreadable);
    }
    match conclusion {
        Conclusion::LockedOut | Conclusion::Taken => {}
        Conclusion::SignedOut | Conclusion::HasAccess | Conclusion::NothingSent | Conclusion::NotProven => return None,
    }
    if story.events.iter().any(|event| gives_perhaps(event, since)) {
        return Some(Doubt::GivenPerhaps);
    }
    // `taken` is cleared when access is given: where it stands, no record tells otherwise.
    (conclusion == Conclusion::LockedOut && story.unreadable > 0 && story.taken.is_none())
        .then_some(Doubt::RecordUnreadable)
}

/// What the words of the document mean.
const HOW_TO_READ: &str = "\
*Confirmed* means that the directory answered with success and named no error for this user, or that a look-up showed it \
afterwards (*read back*). Request ids are the directory's own: AWS CloudTrail has each call of Amazon Chime under the same \
`requestID`, with the role that signed it. One request may be about several people. Who is removed from a Team account \
stays a free user of Amazon Chime. A meeting PIN that was replaced is never read. In accounts that a company's directory \
manages, Rollcall signs out, and the directory must block the login. A record expires 60 days after it ended, and its \
requests with it; what was *taken* from a person, when, and by which event stays until access is given again. \
Who released or rejected is in the operator's own words; the principal that sent a release is what Amazon SQS saw.";

fn rejection((event, rejected): (&EventLine, &ActedLine)) -> String {
    let why = rejected.reason.as_deref().unwrap_or_default();
    format!("| {} | {} | {} | {} |", exact(rejected.at), event.event, cell(&rejected.by), cell(why))
}

/// An operator's words as a cell of a table.
fn cell(words: &str) -> String {
    words.replace(['\n', '\r'], " ").replace('|', "\\|")
}

fn access(story: &Story) -> String {
    let by = story.access_by.as_ref().and_then(|fact| Some(format!(", by the {} of {}", fact.kind, exact(fact.from?))));
    let by = by.unwrap_or_default();
    match story.access {
        DueAccess::Due => format!("due{by}"),
        DueAccess::NotDue => format!("not due{by}"),
        DueAccess::AsIs => "no fact says".to_owned(),
        DueAccess::Unreadable => "not known: what is kept of the person cannot be read".to_owned(),
    }
}

/// A compromise signs out and takes no access, so its record says nothing here.
fn moved(event: &EventLine) -> Option<Moved> {
    if event.event.starts_with(Function::LogoutUser.as_str()) {
        return None;
    }
    let confirmed = |step: &&StepLine| step.decisive && step.status == StepStatus::Confirmed;
    event.steps.iter().filter(confirmed).find_map(|step| match step.operation {
        Operation::Suspend | Operation::Remove => Some(Moved::Taken),
        Operation::Logout => Some(Moved::SignedOut),
        Operation::Invite | Operation::Unsuspend => Some(Moved::Given),
        Operation::SetLicence | Operation::ResetPin => None,
    })
}

/// Whether a request of this record may have given access after `since`: it has no answer, or is being sent right now.
fn gives_perhaps(event: &EventLine, since: Option<Timestamp>) -> bool {
    event.steps.iter().filter(|step| step.decisive && gives(step.operation)).any(|step| match step.status {
        StepStatus::Unknown => {
            let sent = step.requests.last().and_then(|request| request.sent_at).or(event.settled_at).or(event.came_at);
            sent.is_none_or(|sent| since.is_none_or(|since| sent > since))
        }
        StepStatus::Planned => event.state == State::Running,
        StepStatus::Confirmed | StepStatus::Refused => false,
    })
}

fn gives(operation: Operation) -> bool {
    match operation {
        Operation::Invite | Operation::Unsuspend => true,
        Operation::Suspend | Operation::Remove | Operation::Logout | Operation::SetLicence | Operation::ResetPin => {
            false
        }
    }
}

fn was_sent(step: &StepLine) -> bool {
    !step.requests.is_empty() || step.read_back_at.is_some()
}

/// The times of one record, in the order in which they follow.
fn rows(event: &EventLine) -> Vec<(String, Option<Timestamp>)> {
    let kind = event.detail_type.as_deref().unwrap_or("event");
    let mut rows = vec![(format!("the sender said it (`{kind}`)"), event.said_at)];
    if event.effective_at.is_some() {
        rows.push(("it takes effect".to_owned(), event.effective_at));
    }
    rows.push(("Rollcall received it".to_owned(), event.came_at));
    if let Some(release) = &event.released {
        let sender = release.sender.as_ref().map(|sender| format!(", sent by the AWS principal `{sender}`"));
        rows.push((format!("released by {}{}", cell(&release.by), sender.unwrap_or_default()), Some(release.at)));
    }
    for step in &event.steps {
        for request in &step.requests {
            let answered = request.sent_at.map(|at| at + SignedDuration::from_millis(i64::from(request.took_ms)));
            rows.push((format!("{}: sent", step.operation.as_str()), request.sent_at));
            match &request.request_id {
                Some(id) => rows.push((format!("{}: answered, request `{id}`", step.operation.as_str()), answered)),
                None => rows.push((format!("{}: no answer", step.operation.as_str()), answered)),
            }
        }
        let status = word(&step.status);
        let code = step.code.as_ref().map(|code| format!(" ({code})")).unwrap_or_default();
        match step.read_back_at {
            Some(at) => rows.push((format!("{}: read back", step.operation.as_str()), Some(at))),
            None if step.status == StepStatus::Confirmed => {}
            None => rows.push((format!("{}: {status}{code}", step.operation.as_str()), event.settled_at)),
        }
    }
    rows.push((format!("recorded as {}", event.state.as_str()), event.settled_at));
    rows
}

/// Writes every record that ended in a time as one line of JSON, in no order. Answers how many more cannot be read.
async fn window(stack: &Stack<'_>, since: Timestamp, until: Timestamp, out: &mut impl Write) -> Result<usize> {
    let ledger = stack.ledger().await?;
    let mut unreadable = 0;
    for part in Part::all(1) {
        let mut next = Some(part);
        while let Some(part) = next {
            let page = ledger.ended_between(part, since, until).await?;
            for event in &page.events {
                let person = event.person.as_ref().map(|person| person.as_str().to_owned());
                serde_json::to_writer(&mut *out, &Recorded { person, line: line(event, &[], stack.now()) })?;
                out.write_all(b"\n")?;
            }
            unreadable += page.unreadable;
            next = page.next;
        }
    }
    Ok(unreadable)
}
