//! Playing a scenario: publish, wait until the ledger and the queues are at rest, and compare with what was expected.

use super::scenario::{Act, Body, Published, Record, Scenario};
use super::{EventReport, Report};
use crate::chime::faults::Fault;
use crate::stack::{Boto, How, Progress, Stack};
use anyhow::{Context, Result, bail};
use aws_sdk_dynamodb::types::AttributeValue;
use aws_sdk_sqs::types::QueueAttributeName;
use serde_json::{Value, json};
use std::collections::{BTreeMap, HashMap};
use std::time::Duration;

/// How long one act may take.
const ACT_WITHIN: Duration = Duration::from_secs(90);

/// How often an event is published that shall be a duplicate.
const COPIES: usize = 3;

/// A scenario that was played.
#[derive(Debug)]
pub struct Played {
    /// What came of it.
    pub report: Report,
    /// The stack that it was played on: it is up until it is dropped.
    pub stack: Stack,
}

/// Plays a scenario on a stack of its own.
///
/// # Errors
/// Where the stack does not start, or an act does not come to rest in time.
pub async fn run(scenario: Scenario, how: &How, progress: &Progress) -> Result<Played> {
    match scenario {
        Scenario::CompanyWeek => super::week::run(scenario, how, progress).await,
        Scenario::FirstLight => super::first_light::run(scenario, how, progress).await,
        Scenario::RunawayFeed => super::runaway::run(scenario, how, progress).await,
        Scenario::Sources => super::sources::run(scenario, how, progress).await,
    }
}

pub(super) type Item = HashMap<String, AttributeValue>;

/// The clients that publish and watch.
pub(super) struct Stage<'a> {
    pub(super) stack: &'a Stack,
    pub(super) boto: Boto,
    queues: aws_sdk_sqs::Client,
    ledger: aws_sdk_dynamodb::Client,
    queues_to_drain: Vec<String>,
}

impl<'a> Stage<'a> {
    pub(super) async fn new(stack: &'a Stack) -> Result<Stage<'a>> {
        let sdk = stack.sdk().await;
        Ok(Stage {
            stack,
            boto: Boto::start(stack)?,
            queues: aws_sdk_sqs::Client::new(&sdk),
            ledger: aws_sdk_dynamodb::Client::new(&sdk),
            queues_to_drain: Stack::functions()
                .map(|function| stack.queue_url(function).map(str::to_owned))
                .collect::<Result<_>>()?,
        })
    }

    pub(super) async fn play(
        &self,
        act: &Act,
        reports: &mut Vec<EventReport>,
        unexpected: &mut Vec<String>,
    ) -> Result<()> {
        let before = self.ledger().await?;
        if let Some((operation, kind, times)) = act.fault {
            self.stack.chime.core().arm(Fault { operation, kind, after: 0, times });
        }
        for event in &act.events {
            self.publish(event).await?;
        }
        let unreadable = |event: &&Published| event.record == Record::Body;
        let expected_bodies = act.events.iter().filter(unreadable).count();
        let settled = async {
            loop {
                let ledger = self.ledger().await?;
                let new_bodies = bodies(&ledger).count() - bodies(&before).count();
                let at_rest = act.events.iter().filter(|event| !unreadable(event)).all(|event| event.rests(&ledger));
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
            let got = format!("{}: {} {}", report.function, report.outcome, report.reason);
            let wanted = format!("{}: {} {}", event.function, event.outcome, event.reason);
            if got != wanted {
                unexpected.push(format!("{}: {got}, expected {wanted}", event.id));
            }
            reports.push(report);
        }
        Ok(())
    }

    async fn publish(&self, event: &Published) -> Result<()> {
        let detail = match &event.body {
            Body::Queue(body) => {
                return self.send(event.function, body).await;
            }
            Body::Bus(detail) => detail,
        };
        let copies = if event.is_duplicate() { COPIES } else { 1 };
        self.put(&vec![self.entry(&event.detail_type, detail)?; copies]).await
    }

    /// An event as `PutEvents` takes it.
    pub(super) fn entry(&self, detail_type: &str, detail: &Value) -> Result<Value> {
        let bus = self.stack.output("BusName")?;
        let detail = detail.to_string();
        Ok(json!({ "EventBusName": bus, "Source": "rollcall.hr", "DetailType": detail_type, "Detail": detail }))
    }

    /// Puts events on the bus, ten at most.
    pub(super) async fn put(&self, entries: &[Value]) -> Result<()> {
        let answer = self.boto.call("events", "put_events", json!({ "Entries": entries })).await?;
        match answer["FailedEntryCount"].as_u64() {
            Some(0) => Ok(()),
            refused => bail!("the bus refused {refused:?} events"),
        }
    }

    /// Puts a message straight on a function's queue.
    pub(super) async fn send(&self, function: &str, body: &str) -> Result<()> {
        let message = json!({ "QueueUrl": self.stack.queue_url(function)?, "MessageBody": body });
        self.boto.call("sqs", "send_message", message).await.map(drop)
    }

    /// Nothing waits on a queue, and nothing is under way.
    pub(super) async fn drained(&self) -> Result<bool> {
        for queue in &self.queues_to_drain {
            if self.messages(queue).await? > 0 {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// How many messages a queue holds, those under way among them.
    pub(super) async fn messages(&self, queue_url: &str) -> Result<usize> {
        let counts = [
            QueueAttributeName::ApproximateNumberOfMessages,
            QueueAttributeName::ApproximateNumberOfMessagesNotVisible,
        ];
        let request = self.queues.get_queue_attributes().queue_url(queue_url);
        let attributes = request.set_attribute_names(Some(counts.to_vec())).send().await?.attributes;
        let attributes = attributes.context("the local AWS does not count messages")?;
        let count =
            |name| Ok(attributes.get(name).context("the local AWS does not count messages")?.parse::<usize>()?);
        counts.iter().map(count).sum()
    }

    /// Every lease ends with its event; but those of events whose answer was lost may run on, since what was sent may
    /// still take effect.
    pub(super) async fn no_lease_is_left(&self, but: &[&str], unexpected: &mut Vec<String>) -> Result<()> {
        for item in self.ledger().await?.values() {
            let lease = item.get("lease").and_then(|lease| lease.as_m().ok());
            let event = lease.map(|lease| text(lease, "event"));
            let runs_on = |event: &String| event.rsplit('#').next().is_some_and(|id| but.contains(&id));
            if let Some(event) = event.filter(|event| !runs_on(event)) {
                unexpected.push(format!("a lease of {event} was left on {}", text(item, "id")));
            }
        }
        Ok(())
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

    fn key(&self) -> String {
        format!("{}#{}", self.function, self.id)
    }

    /// The functions that have a record of it: whichever the bus gave it to.
    fn consumers<'a>(&self, ledger: &'a BTreeMap<String, Item>) -> Vec<&'a str> {
        let of = |key: &'a String| key.split_once('#').filter(|(_, id)| *id == self.id);
        ledger.keys().filter_map(of).map(|(function, _)| function).collect()
    }

    fn rests(&self, ledger: &BTreeMap<String, Item>) -> bool {
        let at_rest = |item: &Item| !matches!(text(item, "state").as_str(), "running" | "retry");
        let consumers = self.consumers(ledger);
        let mut records = consumers.iter().filter_map(|function| ledger.get(&format!("{function}#{}", self.id)));
        !consumers.is_empty() && records.all(at_rest)
    }

    fn report(
        &self,
        before: &BTreeMap<String, Item>,
        after: &BTreeMap<String, Item>,
        bodies: &mut Vec<&Item>,
    ) -> EventReport {
        let item = if self.record == Record::Body {
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
        let function = match self.record {
            Record::Id => self.consumers(after).join(" and "),
            Record::Body => item.map_or_else(String::new, |_| self.function.to_owned()),
        };
        EventReport {
            event_id: self.id.clone(),
            detail_type: self.detail_type.clone(),
            function,
            story: self.story.clone(),
            outcome: result,
            reason,
            message,
            steps: steps.unwrap_or_default(),
        }
    }
}

fn bodies(ledger: &BTreeMap<String, Item>) -> impl Iterator<Item = &Item> {
    let unreadable = |(key, item): &(&String, &Item)| key.contains("#body:") && text(item, "state") == "parked";
    ledger.iter().filter(unreadable).map(|(_, item)| item)
}

pub(super) fn outcome(item: &Item) -> Value {
    serde_json::from_str(&text(item, "data")).unwrap_or_default()
}

pub(super) fn text(item: &Item, attribute: &str) -> String {
    item.get(attribute).and_then(|value| value.as_s().ok()).cloned().unwrap_or_default()
}
