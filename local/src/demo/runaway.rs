//! A broken feed says that 400 people left. The brake lets through what its limits allow and holds the rest; an
//! operator, with the real tool, looks, resets, releases three and rejects the others.

use super::play::{Item, Stage, outcome, text};
use super::scenario::{Scenario, event};
use super::users::users;
use super::{ActReport, EventReport, Played, Report};
use crate::chime::seed;
use crate::stack::{ACCESS_KEY, How, Progress, REGION, Stack, build};
use anyhow::{Context, Result, bail};
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;
use tokio::process::Command;

/// Who works there.
const PEOPLE: usize = 450;

/// Who left within one moment, says the feed. The rest of the 400 go one by one.
const BURST: usize = 360;
const DRIP: usize = 40;

/// One of the drip each second: ten in ten seconds pass the short limit.
const DRIP_EVERY: Duration = Duration::from_secs(1);

/// The limits: so many in ten seconds, and so many in an hour.
const IN_TEN_SECONDS: usize = 20;
const IN_AN_HOUR: usize = 25;

/// Whom the operator finds to have left in truth.
const RELEASED: usize = 3;

/// How long each part may take to come to rest.
const REST_WITHIN: Duration = Duration::from_secs(180);

const ACCOUNT: &str = "5d1bb9a4-3e43-5b6f-9d5d-0c3c7c2f3a11";

/// What an operator says of a rejected event.
const REASON: &str = "the feed was broken";

/// Plays it.
#[expect(clippy::disallowed_methods, reason = "the demo's events happen now")]
pub(super) async fn run(scenario: Scenario, how: &How, progress: &Progress) -> Result<Played> {
    progress.step("building the operator's tool");
    let tool = build(&[("rollcall-cli", "rollcall")], false).await?.swap_remove(0);
    let stack = Stack::start(seed::read(&company().to_string())?, &policy(), how, progress).await?;
    let play = Play { stage: Stage::new(&stack).await?, tool, now: Timestamp::now() };
    let before = users(&stack);
    let mut acts = Vec::new();
    let mut told = |act: &str, expected: String, got: String| {
        progress.step(act);
        acts.push(ActReport { act: act.to_owned(), expected, got });
    };

    let counted = play.operator(&["brake", "population", &PEOPLE.to_string()]).await?;
    told("the operator tells how many users there are", "true".into(), counted["done"].to_string());

    progress.step(&format!("{BURST} terminations at once"));
    play.publish(0..BURST).await?;
    let ledger = play.rest(BURST).await?;
    told(
        &format!("the feed says that {BURST} people left, all at once; {IN_TEN_SECONDS} in ten seconds are allowed"),
        counts(IN_TEN_SECONDS, BURST - IN_TEN_SECONDS, 0),
        counted_by_state(&ledger),
    );
    let brake = play.operator(&["brake", "show"]).await?;
    told("the brake has latched", "latched".into(), latched(&brake));
    let reset = play.operator(&["brake", "reset", "access"]).await?;
    told("the operator resets it, and nothing is released", "true".into(), reset["done"].to_string());

    for person in BURST..BURST + DRIP {
        progress.step(&format!("one termination a second: {} of {DRIP}", person - BURST + 1));
        play.publish(person..person + 1).await?;
        tokio::time::sleep(DRIP_EVERY).await;
    }
    let ledger = play.rest(BURST + DRIP).await?;
    let (applied, held) = (IN_TEN_SECONDS + IN_AN_HOUR, BURST + DRIP - IN_TEN_SECONDS - IN_AN_HOUR);
    told(
        &format!("the feed goes on with {DRIP} more, one a second; {IN_AN_HOUR} in an hour are allowed"),
        counts(applied, held, 0),
        counted_by_state(&ledger),
    );

    let waiting = play.operator(&["held", "list", "--limit", "3"]).await?;
    let chosen: Vec<String> = waiting["events"]
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(|event| event["event"].as_str().map(str::to_owned))
        .collect();
    let mut release = vec!["held", "release", "--by", "demo-operator"];
    release.extend(chosen.iter().map(String::as_str));
    let released = play.operator(&release).await?;
    let after_release = play.rest_without(&chosen).await?;
    told(
        "the operator releases three, who have left in truth",
        format!("{RELEASED} released; {}", counts(applied + RELEASED, held - RELEASED, 0)),
        format!("{} released; {}", results(&released, "released"), counted_by_state(&after_release)),
    );
    let rejected =
        play.operator(&["held", "reject", "--all", "held", "--by", "demo-operator", "--reason", REASON]).await?;
    let ledger = play.rest(BURST + DRIP).await?;
    told(
        "the operator rejects the rest",
        format!("{} rejected; {}", held - RELEASED, counts(applied + RELEASED, 0, held - RELEASED)),
        format!("{} rejected; {}", results(&rejected, "rejected"), counted_by_state(&ledger)),
    );

    let after = users(&stack);
    let suspended: BTreeSet<String> =
        after.iter().filter(|user| user.status == "Suspended").map(|user| user.user.clone()).collect();
    let confirmed: BTreeSet<String> = events(&ledger)
        .filter(|(_, item)| text(item, "state") == "applied")
        .map(|(key, _)| format!("Person {}", key.rsplit('-').next().unwrap_or_default()))
        .collect();
    told(
        "the directory shows who lost access",
        format!("{} suspended, exactly those whose event was applied", applied + RELEASED),
        if suspended == confirmed {
            format!("{} suspended, exactly those whose event was applied", suspended.len())
        } else {
            format!("{} suspended, {} applied", suspended.len(), confirmed.len())
        },
    );
    let unexpected: Vec<String> = acts
        .iter()
        .filter(|act| act.expected != act.got)
        .map(|act| format!("{}: {}, expected {}", act.act, act.got, act.expected))
        .collect();
    let calls = stack.chime.core().calls().iter().map(|call| json!(call)).collect();
    let events = events(&ledger).map(|(key, item)| report(key, item)).collect();
    let (scenario, ok) = (scenario.name().into(), unexpected.is_empty());
    let report = Report { scenario, ok, acts, events, before, after, calls, unexpected };
    drop(play);
    Ok(Played { report, stack })
}

struct Play<'a> {
    stage: Stage<'a>,
    tool: String,
    now: Timestamp,
}

impl Play<'_> {
    /// Runs the operator's tool on this stack; answers what it printed.
    async fn operator(&self, words: &[&str]) -> Result<Value> {
        let stack = self.stage.stack;
        let mut command = Command::new(&self.tool);
        command
            .args(["--output", "json"])
            .args(words)
            .env("AWS_ENDPOINT_URL", &stack.endpoint)
            .env("AWS_REGION", REGION)
            .env("AWS_ACCESS_KEY_ID", ACCESS_KEY)
            .env("AWS_SECRET_ACCESS_KEY", ACCESS_KEY)
            .env("ROLLCALL_TABLE", stack.output("LedgerTable")?)
            .env("ROLLCALL_QUEUES", format!("suspend-user={}", stack.queue_url("suspend-user")?));
        if words.starts_with(&["brake", "show"]) {
            let file = crate::stack::local_dir().join("runaway-policy.json");
            std::fs::write(&file, policy().to_string())?;
            command.arg("--policy").arg(file);
        }
        let output = command.output().await.context("the operator's tool cannot be run")?;
        if !output.status.success() {
            bail!("rollcall {} failed: {}", words.join(" "), String::from_utf8_lossy(&output.stderr));
        }
        serde_json::from_slice(&output.stdout).context("the operator's tool printed no JSON")
    }

    async fn publish(&self, people: std::ops::Range<usize>) -> Result<()> {
        let people: Vec<usize> = people.collect();
        for part in people.chunks(10) {
            let mut entries = Vec::new();
            for person in part {
                let (id, email) = (format!("left-{person}"), format!("p{person}@runaway.example"));
                let hour = SignedDuration::from_hours(1);
                let detail =
                    event(&id, "termination", &format!("R-{person}"), &email, self.now - hour * 2, self.now - hour);
                entries.push(self.stage.entry("worker.termination.effective", &detail)?);
            }
            self.stage.put(&entries).await?;
        }
        Ok(())
    }

    /// Waits until so many events are recorded, none is under way, and the queue is empty.
    async fn rest(&self, events_recorded: usize) -> Result<BTreeMap<String, Item>> {
        self.rest_where(|ledger| events(ledger).count() == events_recorded).await
    }

    /// The same, and none of these waits any more.
    async fn rest_without(&self, released: &[String]) -> Result<BTreeMap<String, Item>> {
        self.rest_where(|ledger| {
            released.iter().all(|key| ledger.get(key).is_some_and(|item| text(item, "state") != "held"))
        })
        .await
    }

    async fn rest_where(&self, at_rest: impl Fn(&BTreeMap<String, Item>) -> bool) -> Result<BTreeMap<String, Item>> {
        let resting = async {
            loop {
                let ledger = self.stage.ledger().await?;
                let under_way = |item: &Item| matches!(text(item, "state").as_str(), "running" | "retry");
                let busy = events(&ledger).any(|(_, item)| under_way(item));
                if !busy && at_rest(&ledger) && self.stage.drained().await? {
                    return Ok::<_, anyhow::Error>(ledger);
                }
                tokio::time::sleep(Duration::from_millis(200)).await;
            }
        };
        let rested = tokio::time::timeout(REST_WITHIN, resting).await;
        rested.context("the events did not come to rest within 180 s; see target/local/ministack.log")?
    }
}

fn company() -> Value {
    let user = |person: usize| {
        json!({
            "UserId": format!("00000000-0000-4000-9000-{person:012}"), "PrimaryEmail": format!("p{person}@runaway.example"),
            "DisplayName": format!("Person {person}"), "LicenseType": "Pro", "UserRegistrationStatus": "Registered",
            "PersonalPIN": format!("{person:010}"), "Sessions": 1,
        })
    };
    let users: Vec<Value> = (0..PEOPLE).map(user).collect();
    json!({ "accounts": [
        { "AccountId": ACCOUNT, "Name": "Runaway", "AccountType": "EnterpriseLWA", "users": users },
    ] })
}

fn policy() -> Value {
    json!({
        "accounts": [{ "account": ACCOUNT, "domains": ["runaway.example"] }],
        "brake": { "access": { "limits": [
            { "count": IN_TEN_SECONDS, "percent": 50, "window": "10s" },
            { "count": IN_AN_HOUR, "percent": 50, "window": "1h" },
        ] } },
    })
}

fn events(ledger: &BTreeMap<String, Item>) -> impl Iterator<Item = (&String, &Item)> {
    ledger.iter().filter(|(key, _)| key.starts_with("suspend-user#"))
}

fn counts(applied: usize, held: usize, rejected: usize) -> String {
    format!("{applied} applied, {held} held, {rejected} rejected")
}

fn counted_by_state(ledger: &BTreeMap<String, Item>) -> String {
    let count = |state: &str| events(ledger).filter(|(_, item)| text(item, "state") == state).count();
    counts(count("applied"), count("held"), count("rejected"))
}

fn latched(brake: &Value) -> String {
    let latched = |line: &Value| line["budget"] == "access" && line["latchedAt"].is_string();
    if brake.as_array().is_some_and(|lines| lines.iter().any(latched)) { "latched".into() } else { "open".into() }
}

fn results(acted: &Value, result: &str) -> usize {
    acted.as_array().map_or(0, |acted| acted.iter().filter(|event| event["result"] == result).count())
}

fn report(key: &str, item: &Item) -> EventReport {
    let stored = outcome(item);
    let word = |member: &str| stored[member].as_str().unwrap_or("missing").to_owned();
    EventReport {
        event_id: key.rsplit('#').next().unwrap_or_default().to_owned(),
        detail_type: "worker.termination.effective".into(),
        function: "suspend-user".into(),
        story: "a broken feed".into(),
        outcome: word("outcome"),
        reason: word("reason"),
        message: word("message"),
        steps: stored["steps"].as_array().cloned().unwrap_or_default(),
    }
}
