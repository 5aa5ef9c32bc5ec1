//! A company's week: one person in each type of account is hired, promoted, away, gone and back. Every sample event of
//! the repository is published, about these people and with the times of this week.

mod sample;
mod table;

use super::play::Stage;
use super::scenario::{Act, Body, Published, Record, Scenario};
use super::users::users;
use super::{EventReport, Played, Report, UserReport};
use crate::chime::state::AccountState;
use crate::stack::{How, Progress, Stack, policy, seeded};
use anyhow::{Context, Result};
use jiff::Timestamp;
use sample::{FOLDERS, Rewriting, Sample};
use serde_json::{Value, json};
use std::collections::BTreeSet;
use table::{ABSENT, Row, Step, Whom};

/// On how many devices people sign in.
const DEVICES: u32 = 2;

/// Whom the samples of each account type are about: so people call them.
const NAMES: [&str; 4] = ["Finn Aalto", "Ada Moreau", "Ivy Lindqvist", "Jo Petrov"];

/// Plays it.
#[expect(clippy::disallowed_methods, reason = "the demo's events happen now")]
pub(super) async fn run(scenario: Scenario, how: &How, progress: &Progress) -> Result<Played> {
    let mut accounts = seeded("acme.json")?;
    let mut people = Vec::new();
    for folder in FOLDERS {
        people.push(Sample::read(folder, "worker.hire.effective")?.email()?);
    }
    // They are hired this week.
    accounts.iter_mut().for_each(|account| leave_out(account, &people));
    let stack = Stack::start(accounts, &policy()?, how, progress).await?;
    let mut week = Week {
        stage: Stage::new(&stack).await?,
        people,
        now: Timestamp::now(),
        events: Vec::new(),
        unexpected: Vec::new(),
        samples: BTreeSet::new(),
        addresses: BTreeSet::new(),
        ids: 0,
    };
    let before = users(&stack);
    let mut parked = 0;
    for step in table::week() {
        match step {
            Step::Said(row) => {
                progress.step(row.story);
                parked += row.ends.iter().flatten().filter(|end| end.outcome == "parked").count();
                week.say(&row).await?;
            }
            Step::ComeIn { story, stand } => {
                progress.step(story);
                week.come_in(story)?;
                week.compare_standing(story, &week.people.clone(), &stand.map(Some));
            }
        }
    }
    week.say_nothing_clear().await?;
    week.check_end(parked, &before).await?;
    let Week { stage, events, unexpected, .. } = week;
    drop(stage);
    let after = users(&stack);
    let calls = stack.chime.core().calls().iter().map(|call| json!(call)).collect();
    let (scenario, ok) = (scenario.name().into(), unexpected.is_empty());
    let report = Report { scenario, ok, acts: Vec::new(), events, before, after, calls, unexpected };
    Ok(Played { report, stack })
}

fn leave_out(account: &mut AccountState, people: &[String]) {
    for email in people {
        if let Some(user) = account.by_email(email).map(|user| user.user_id.clone()) {
            account.remove(&user);
        }
    }
}

struct Week<'a> {
    stage: Stage<'a>,
    /// The addresses of the four, by account.
    people: Vec<String>,
    now: Timestamp,
    events: Vec<EventReport>,
    unexpected: Vec<String>,
    /// The samples that were published.
    samples: BTreeSet<String>,
    /// Everybody whom a row is about.
    addresses: BTreeSet<String>,
    ids: i64,
}

impl Week<'_> {
    /// Publishes what a row says, and compares what came of it.
    async fn say(&mut self, row: &Row) -> Result<()> {
        self.ids += 1;
        let mut act = Act { fault: None, events: Vec::new() };
        let mut addresses = Vec::new();
        for (index, folder) in FOLDERS.into_iter().enumerate() {
            let sample = Sample::read(folder, row.sample)?;
            let address = match row.whom {
                Whom::Sample | Whom::Number | Whom::Successor => self.people[index].clone(),
                Whom::Newcomer | Whom::Blocked | Whom::Unknown => sample.address_of(row.whom)?,
            };
            addresses.push(address);
            let Some(end) = row.ends[index] else { continue };
            self.samples.insert(format!("{folder}{}", row.sample));
            let rewriting =
                Rewriting { number: self.ids, whom: row.whom, said: row.said, effective: row.effective, now: self.now };
            let detail = sample.rewritten(&rewriting)?;
            act.events.push(published(row.story, row.function, &sample, detail, (end.outcome, end.reason)));
        }
        let first = self.events.len();
        self.stage.play(&act, &mut self.events, &mut self.unexpected).await?;
        let told = self.events[first..].iter().zip(row.ends.iter().flatten());
        for (event, end) in told.filter(|(event, end)| steps(event) != end.steps) {
            self.unexpected.push(format!("{}: steps {}, expected {}", event.event_id, steps(event), end.steps));
        }
        let stand: Vec<Option<&str>> = row.ends.iter().zip(row.stand).map(|(end, stand)| end.map(|_| stand)).collect();
        self.compare_standing(row.story, &addresses, &stand);
        let shown = addresses.into_iter().zip(&row.ends).filter(|(_, end)| end.is_some());
        self.addresses.extend(shown.map(|(address, _)| address));
        Ok(())
    }

    /// A login event that tells no status, as the bus would deliver it: it has one consumer too, which refuses it.
    async fn say_nothing_clear(&mut self) -> Result<()> {
        self.ids += 1;
        let sample = Sample::read(FOLDERS[1], "account.status.effective")?;
        let rewriting = Rewriting { number: self.ids, whom: Whom::Sample, said: 1, effective: None, now: self.now };
        let mut detail = sample.rewritten(&rewriting)?;
        detail["status"] = json!({});
        let story = "a login event that does not tell the login's status";
        let unclear = published(story, "suspend-user", &sample, detail, ("parked", "missing_field"));
        let act = Act { fault: None, events: vec![Published { record: Record::Body, ..unclear }] };
        self.stage.play(&act, &mut self.events, &mut self.unexpected).await
    }

    /// What people do in Chime by themselves: accept or join, and sign in.
    fn come_in(&mut self, story: &str) -> Result<()> {
        let mut core = self.stage.stack.chime.core();
        let accounts: Vec<(String, String)> = core
            .accounts()
            .map(|account| (format!("{:?}", account.account.account_type), account.account.account_id.to_string()))
            .collect();
        for ((account_type, email), name) in table::ACCOUNTS.iter().zip(&self.people).zip(NAMES) {
            let account = accounts.iter().find(|(known, _)| known == account_type).context("the seed has each type")?;
            let account = account.1.as_str();
            // Who has registered before has nothing to accept, and who was not invited joins by the address.
            let user = match core.user_id_of(account, email) {
                Some(user) => {
                    let _registered = core.accept(account, &user, Some(name.to_owned()));
                    Ok(user)
                }
                None => core.register(account, email, Some(name.to_owned())),
            };
            let came = user.and_then(|user| {
                while core.sign_in(account, &user)? < DEVICES {}
                Ok(())
            });
            if let Err(error) = came {
                self.unexpected.push(format!("{story}: {name} cannot come in: {error:?}"));
            }
        }
        drop(core);
        self.events.push(EventReport {
            event_id: String::new(),
            detail_type: String::new(),
            function: String::new(),
            story: story.to_owned(),
            outcome: String::new(),
            reason: String::new(),
            message: "what people do in Chime by themselves".to_owned(),
            steps: Vec::new(),
        });
        Ok(())
    }

    fn compare_standing(&mut self, story: &str, addresses: &[String], stand: &[Option<&str>]) {
        let users = users(self.stage.stack);
        for (address, stand) in addresses.iter().zip(stand).filter_map(|(address, stand)| Some((address, (*stand)?))) {
            let now = users.iter().find(|user| &user.email == address).map(UserReport::standing);
            let now = now.as_deref().unwrap_or(ABSENT);
            if now != stand {
                self.unexpected.push(format!("after \"{story}\" {address} is {now}, expected {stand}"));
            }
        }
    }

    /// Nobody else was touched, nothing is left over, and no sample was left out.
    async fn check_end(&mut self, parked: usize, before: &[UserReport]) -> Result<()> {
        let stage = &self.stage;
        stage.no_lease_is_left(&[], &mut self.unexpected).await?;
        let after = users(stage.stack);
        let others = |users: &[UserReport]| -> Vec<UserReport> {
            users.iter().filter(|user| !self.addresses.contains(&user.email)).cloned().collect()
        };
        if others(before) != others(&after) {
            self.unexpected.push("somebody was touched whom no event was about".to_owned());
        }
        // What was refused for good waits in its function's dead-letter queue, and nothing anywhere else.
        let expected = [("RelicenseUserDlqUrl", parked), ("SuspendUserDlqUrl", 1)];
        let empty = ["InviteUserDlqUrl", "ReinstateUserDlqUrl", "LogoutUserDlqUrl", "UnroutedUrl", "UndeliveredUrl"];
        for (queue, count) in expected.into_iter().chain(empty.map(|queue| (queue, 0))) {
            let messages = stage.messages(stage.stack.output(queue)?).await?;
            if messages != count {
                self.unexpected.push(format!("{queue} holds {messages} messages, expected {count}"));
            }
        }
        for left_out in sample::all()?.difference(&self.samples) {
            self.unexpected.push(format!("the sample events/{left_out}.json was not published"));
        }
        Ok(())
    }
}

fn published(
    story: &str,
    function: &'static str,
    sample: &Sample,
    detail: Value,
    (outcome, reason): (&'static str, &'static str),
) -> Published {
    Published {
        id: detail["eventId"].as_str().unwrap_or_default().to_owned(),
        story: story.to_owned(),
        detail_type: sample.detail_type().to_owned(),
        body: Body::Bus(detail),
        function,
        record: Record::Id,
        outcome,
        reason,
    }
}

/// The operations of an event, with what became of those that are not confirmed.
fn steps(event: &EventReport) -> String {
    let step = |step: &Value| {
        let word = |member: &str| step[member].as_str().unwrap_or_default().to_owned();
        let status = word("status");
        if status == "confirmed" { word("operation") } else { format!("{} {status}", word("operation")) }
    };
    event.steps.iter().map(step).collect::<Vec<_>>().join(", ")
}
