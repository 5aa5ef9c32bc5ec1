//! Playing a scenario: publish, wait until the ledger and the queues are at rest, and compare with what was expected.

use super::scenario::{self, Act, Body, COMPROMISE, Published, Scenario};
use super::{EventReport, Report, UserReport};
use crate::chime::faults::Fault;
use crate::stack::{Progress, Stack, policy, seeded};
use anyhow::{Context, Result, bail};
use aws_sdk_dynamodb::types::AttributeValue;
use aws_sdk_eventbridge::types::PutEventsRequestEntry;
use aws_sdk_sqs::types::QueueAttributeName;
use serde_json::{Value, json};
use std::collections::{BTreeMap, HashMap};
use std::time::Duration;

/// How long one act may take.
const ACT_WITHIN: Duration = Duration::from_secs(90);

/// How often an event is published that shall be a duplicate.
const COPIES: usize = 3;

/// Plays a scenario on a stack of its own.
///
/// # Errors
/// Where the stack does not start, or an act does not come to rest in time.
pub async fn run(scenario: Scenario, progress: &Progress) -> Result<Report> {
    match scenario {
        Scenario::FirstLight => first_light(scenario, progress).await,
        Scenario::RunawayFeed => super::runaway::run(scenario, progress).await,
    }
}

#[expect(clippy::disallowed_methods, reason = "the demo's events happen now")]
async fn first_light(scenario: Scenario, progress: &Progress) -> Result<Report> {
    let stack = Stack::start(seeded("acme.json")?, &policy()?, progress).await?;
    let stage = Stage::new(&stack).await?;
    let before = users(&stack, &BTreeMap::new());
    let mut events = Vec::new();
    let mut unexpected = Vec::new();
    for act in scenario::first_light(jiff::Timestamp::now()) {
        for published in &act.events {
            progress.step(published.story);
        }
        stage.play(&act, &mut events, &mut unexpected).await?;
    }
    let known =
        before.iter().map(|user| ((user.account.clone(), user.user.clone()), user.account_type.clone())).collect();
    let after = users(&stack, &known);
    compare(&before, &after, &mut unexpected);
    for item in stage.ledger().await?.values().filter(|item| item.contains_key("lease")) {
        unexpected.push(format!("a lease was left on {:?}", item.get("id")));
    }
    let calls = stack.chime.core().calls().iter().map(|call| json!(call)).collect();
    let acts = Vec::new();
    let (scenario, ok) = (scenario.name().into(), unexpected.is_empty());
    Ok(Report { scenario, ok, acts, events, before, after, calls, unexpected })
}

pub(super) type Item = HashMap<String, AttributeValue>;

/// The clients that publish and watch.
pub(super) struct Stage<'a> {
    pub(super) stack: &'a Stack,
    pub(super) events: aws_sdk_eventbridge::Client,
    queues: aws_sdk_sqs::Client,
    ledger: aws_sdk_dynamodb::Client,
    queue_url: String,
    queues_to_drain: Vec<String>,
}

impl<'a> Stage<'a> {
    pub(super) async fn new(stack: &'a Stack) -> Result<Stage<'a>> {
        let sdk = stack.sdk().await;
        Ok(Stage {
            stack,
            events: aws_sdk_eventbridge::Client::new(&sdk),
            queues: aws_sdk_sqs::Client::new(&sdk),
            ledger: aws_sdk_dynamodb::Client::new(&sdk),
            queue_url: stack.queue_url("suspend-user")?.to_owned(),
            queues_to_drain: Stack::functions()
                .map(|function| stack.queue_url(function).map(str::to_owned))
                .collect::<Result<_>>()?,
        })
    }

    async fn play(&self, act: &Act, reports: &mut Vec<EventReport>, unexpected: &mut Vec<String>) -> Result<()> {
        let before = self.ledger().await?;
        if let Some((operation, kind, times)) = act.fault {
            self.stack.chime.core().arm(Fault { operation, kind, after: 0, times });
        }
        for event in &act.events {
            self.publish(event).await?;
        }
        let expected_bodies = act.events.iter().filter(|event| event.is_unreadable()).count();
        let settled = async {
            loop {
                let ledger = self.ledger().await?;
                let new_bodies = bodies(&ledger).count() - bodies(&before).count();
                let at_rest =
                    act.events.iter().filter(|event| !event.is_unreadable()).all(|event| event.rests(&ledger));
                if at_rest && new_bodies == expected_bodies && self.drained().await? {
                    return Ok::<_, anyhow::Error>(ledger);
                }
                tokio::time::sleep(Duration::from_millis(100)).await;
            }
        };
        let after = tokio::time::timeout(ACT_WITHIN, settled).await;
        let after = after.context("the events did not come to rest within 90 s; see target/local/ministack.log")??;
        let mut new_bodies: Vec<&Item> =
            bodies(&after).filter(|item| !before.contains_key(&text(item, "id"))).collect();
        for event in &act.events {
            let report = event.report(&before, &after, &mut new_bodies);
            if (report.outcome.as_str(), report.reason.as_str()) != (event.outcome, event.reason) {
                let (is, wanted) =
                    (format!("{} {}", report.outcome, report.reason), format!("{} {}", event.outcome, event.reason));
                unexpected.push(format!("{}: {is}, expected {wanted}", event.id));
            }
            reports.push(report);
        }
        Ok(())
    }

    async fn publish(&self, event: &Published) -> Result<()> {
        let detail = match &event.body {
            Body::Queue(body) => {
                self.queues.send_message().queue_url(&self.queue_url).message_body(*body).send().await?;
                return Ok(());
            }
            Body::Bus(detail) => detail.to_string(),
        };
        let entry = PutEventsRequestEntry::builder()
            .event_bus_name(self.stack.output("BusName")?)
            .source("rollcall.hr")
            .detail_type(event.detail_type)
            .detail(detail)
            .build();
        let copies = if event.is_duplicate() { COPIES } else { 1 };
        let answer = self.events.put_events().set_entries(Some(vec![entry; copies])).send().await?;
        if answer.failed_entry_count != 0 {
            bail!("the bus refused {}", event.id);
        }
        Ok(())
    }

    /// Nothing waits on a queue, and nothing is under way.
    pub(super) async fn drained(&self) -> Result<bool> {
        let counts = [
            QueueAttributeName::ApproximateNumberOfMessages,
            QueueAttributeName::ApproximateNumberOfMessagesNotVisible,
        ];
        for queue in &self.queues_to_drain {
            let request = self.queues.get_queue_attributes().queue_url(queue);
            let answer = request.set_attribute_names(Some(counts.to_vec())).send().await?;
            let attributes = answer.attributes.unwrap_or_default();
            if !counts.iter().all(|count| attributes.get(count).is_some_and(|value| value == "0")) {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Every item of the ledger, by key.
    pub(super) async fn ledger(&self) -> Result<BTreeMap<String, Item>> {
        let table = self.stack.output("LedgerTable")?;
        let pages = self.ledger.scan().table_name(table).consistent_read(true).into_paginator().items().send();
        let items: Vec<Item> = pages.collect::<Result<_, _>>().await?;
        Ok(items.into_iter().map(|item| (text(&item, "id"), item)).collect())
    }
}

impl Published {
    fn is_duplicate(&self) -> bool {
        self.outcome == "duplicate"
    }

    /// Its record has no other name than the hash of its body.
    fn is_unreadable(&self) -> bool {
        self.outcome == "parked"
    }

    fn key(&self) -> String {
        let function = if self.detail_type == COMPROMISE { "logout-user" } else { "suspend-user" };
        format!("{function}#{}", self.id)
    }

    fn rests(&self, ledger: &BTreeMap<String, Item>) -> bool {
        ledger.get(&self.key()).is_some_and(|item| !matches!(text(item, "state").as_str(), "running" | "retry"))
    }

    fn report(
        &self,
        before: &BTreeMap<String, Item>,
        after: &BTreeMap<String, Item>,
        bodies: &mut Vec<&Item>,
    ) -> EventReport {
        let item = if self.is_unreadable() {
            let mine = bodies.iter().position(|item| outcome(item)["reason"] == self.reason).unwrap_or(0);
            (mine < bodies.len()).then(|| bodies.remove(mine))
        } else {
            after.get(&self.key())
        };
        let stored = item.map(outcome).unwrap_or_default();
        let word = |member: &str| stored[member].as_str().unwrap_or("missing").to_owned();
        let unchanged = before.get(&self.key()).is_some_and(|known| Some(known) == item);
        let (result, reason, message) = if self.is_duplicate() && unchanged {
            let told = format!("came before; its record is unchanged, its outcome stands: {}", word("outcome"));
            ("duplicate".to_owned(), word("outcome"), told)
        } else {
            (word("outcome"), word("reason"), word("message"))
        };
        let steps = if self.is_duplicate() { None } else { stored["steps"].as_array().cloned() };
        EventReport {
            event_id: self.id.clone(),
            detail_type: self.detail_type.to_owned(),
            story: self.story,
            outcome: result,
            reason,
            message,
            steps: steps.unwrap_or_default(),
        }
    }
}

fn bodies(ledger: &BTreeMap<String, Item>) -> impl Iterator<Item = &Item> {
    let unreadable =
        |(key, item): &(&String, &Item)| key.starts_with("suspend-user#body:") && text(item, "state") == "parked";
    ledger.iter().filter(unreadable).map(|(_, item)| item)
}

pub(super) fn outcome(item: &Item) -> Value {
    serde_json::from_str(&text(item, "data")).unwrap_or_default()
}

pub(super) fn text(item: &Item, attribute: &str) -> String {
    item.get(attribute).and_then(|value| value.as_s().ok()).cloned().unwrap_or_default()
}

/// How every user stands; those who were there before and are not now are told as removed.
pub(super) fn users(stack: &Stack, before: &BTreeMap<(String, String), String>) -> Vec<UserReport> {
    let core = stack.chime.core();
    let mut users: Vec<UserReport> = core
        .accounts()
        .flat_map(|account| account.users().map(move |user| (account, user)))
        .map(|(account, user)| UserReport {
            account: account.account.name.clone(),
            account_type: format!("{:?}", account.account.account_type),
            user: user.display_name.clone().unwrap_or_default(),
            status: format!("{:?}", user.user_registration_status),
            sessions: user.sessions,
        })
        .collect();
    for ((account, name), account_type) in before {
        if !users.iter().any(|user| &user.account == account && &user.user == name) {
            users.push(UserReport {
                account: account.clone(),
                account_type: account_type.clone(),
                user: name.clone(),
                status: "removed".into(),
                sessions: 0,
            });
        }
    }
    users.sort();
    users
}

/// Everybody ends as expected, and whoever is not named there stays as before.
fn compare(before: &[UserReport], after: &[UserReport], unexpected: &mut Vec<String>) {
    for user in after {
        let expected = scenario::FIRST_LIGHT_USERS.iter().find(|(name, _, _)| *name == user.user);
        let stayed = before.iter().find(|known| (&known.account, &known.user) == (&user.account, &user.user));
        let (status, sessions) = match (expected, stayed) {
            (Some((_, status, sessions)), _) => ((*status).to_owned(), *sessions),
            (None, Some(stayed)) => (stayed.status.clone(), stayed.sessions),
            (None, None) => ("absent".to_owned(), 0),
        };
        if (&user.status, user.sessions) != (&status, sessions) {
            unexpected.push(format!(
                "{}: {} with {} sessions, expected {status} with {sessions}",
                user.user, user.status, user.sessions
            ));
        }
    }
}
