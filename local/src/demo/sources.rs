//! One leaver for each source: each sends as it does, and each leaver ends suspended. What a sender did not tell is shown,
//! and where it was found.

mod leavers;
mod sender;

use super::play::{Item, Stage, outcome, text};
use super::scenario::Scenario;
use super::users::users;
use super::{ActReport, Played, Report, UserReport};
use crate::chime::seed;
use crate::stack::{How, Progress, Stack};
use crate::vendors::{LocalVendor, Person, Standing, Vendor};
use anyhow::{Context, Result, bail};
use jiff::{SignedDuration, Timestamp};
use leavers::{API_TOKEN, Leaver, Way, address, leavers, number};
use sender::{Issuer, SECRET, finch_secret, request};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::time::Duration;

const ACCOUNT: &str = "7f0e6c1d-0d3b-5b60-8f1c-6b8f6a0a2c55";

/// Where everybody works.
const ZONE: &str = "Europe/Paris";

/// How long the roster, and then all of the senders, may take.
const WITHIN: Duration = Duration::from_secs(120);

/// The four whose own API is asked, and the form of their tokens.
const APIS: [(&str, Vendor, &str); 4] = [
    ("bamboohr", Vendor::BambooHr, API_TOKEN),
    ("hibob", Vendor::HiBob, "demo:a-token-of-the-demo-for-apis"),
    ("gusto", Vendor::Gusto, API_TOKEN),
    ("personio", Vendor::Personio, "demo:a-token-of-the-demo-for-apis"),
];

/// Plays it.
#[expect(clippy::disallowed_methods, reason = "the demo's events happen now")]
pub(super) async fn run(scenario: Scenario, how: &How, progress: &Progress) -> Result<Played> {
    // TLS is ring's, as everywhere here. Somebody may have said so already.
    let _known = rustls::crypto::ring::default_provider().install_default();
    let now = Timestamp::now();
    let leavers = leavers(now);
    let yesterday = (now - SignedDuration::from_hours(24)).strftime("%Y-%m-%d").to_string();
    let mut apis = Vec::new();
    for (source, vendor, token) in APIS {
        let leaver = leavers.iter().find(|leaver| leaver.source == source).context("each API has a leaver")?;
        let person = Person {
            id: leaver.id.to_owned(),
            worker_id: Some(number(source)),
            email: Some(address(source)),
            standing: Standing::Terminated,
            ends: Some(yesterday.clone()),
            ..Person::default()
        };
        apis.push((source, LocalVendor::start(vendor, token, vec![person]).await?));
    }
    let issuer = Issuer::start().await?;
    let company = seed::read(&company(&leavers).to_string())?;
    let stack = Stack::start(company, &policy(&apis, &issuer), how, progress).await?;
    let play = Play { stage: Stage::new(&stack).await?, stack: &stack };
    let before = users(&stack);
    progress.step("secrets and tokens go to Parameter Store");
    play.secrets(&leavers).await?;
    progress.step("HR's roster is dropped in the bucket");
    play.roster(&leavers, &yesterday).await?;
    for leaver in &leavers {
        progress.step(&format!("{}: {}", leaver.source, leaver.sent));
        play.send(leaver, &issuer, Timestamp::now()).await?;
    }
    progress.step("everybody's functions are at work");
    let ledger = play.rest(leavers.len()).await?;
    let after = users(&stack);
    let acts: Vec<ActReport> = leavers.iter().map(|leaver| act(leaver, &ledger, &before, &after)).collect();
    let unexpected: Vec<String> = acts
        .iter()
        .filter(|act| act.expected != act.got)
        .map(|act| format!("{}: {}, expected {}", act.act, act.got, act.expected))
        .collect();
    let calls = stack.chime.core().calls().iter().map(|call| json!(call)).collect();
    let (scenario, ok) = (scenario.name().into(), unexpected.is_empty());
    let report = Report { scenario, ok, acts, events: Vec::new(), before, after, calls, unexpected };
    drop(play);
    Ok(Played { report, stack })
}

struct Play<'a> {
    stage: Stage<'a>,
    stack: &'a Stack,
}

impl Play<'_> {
    async fn secrets(&self, leavers: &[Leaver]) -> Result<()> {
        let put = async |name: String, value: String| {
            let input = json!({ "Name": name, "Value": value, "Type": "SecureString" });
            self.stage.boto.call("ssm", "put_parameter", input).await
        };
        for leaver in leavers {
            let secret = match (leaver.source, leaver.way) {
                ("finch", _) => finch_secret(),
                (_, Way::Bearer | Way::Exact | Way::Hmac(_)) => SECRET.to_owned(),
                (_, Way::Token | Way::Unverified | Way::Bus) => continue,
            };
            put(format!("/rollcall/sources/{}/secret", leaver.source), secret).await?;
        }
        for (source, _, token) in APIS {
            put(format!("/rollcall/sources/{source}/token"), token.to_owned()).await?;
        }
        Ok(())
    }

    /// Drops the roster, and waits until it is in force.
    async fn roster(&self, leavers: &[Leaver], yesterday: &str) -> Result<()> {
        let mut csv = "worker_id,email,time_zone,status,end_date,provider_subject_ids\n".to_owned();
        for leaver in leavers {
            let (status, end) = if leaver.leaves_by_roster { ("terminated", yesterday) } else { ("active", "") };
            let id = if leaver.id.is_empty() { String::new() } else { format!("{}:{}", leaver.source, leaver.id) };
            let (number, address) = (number(leaver.source), address(leaver.source));
            csv.push_str(&format!("{number},{address},{ZONE},{status},{end},{id}\n"));
        }
        let bucket = self.stack.output("AuditBucketName")?;
        let dropped = json!({ "Bucket": bucket, "Key": "roster/all.csv", "Body": csv });
        self.stage.boto.call("s3", "put_object", dropped).await?;
        let current =
            json!({ "TableName": self.stack.output("RosterTableName")?, "Key": { "id": { "S": "current" } } });
        let loaded = async {
            loop {
                let current = self.stage.boto.call("dynamodb", "get_item", current.clone()).await?;
                if current["Item"].is_object() {
                    return Ok::<_, anyhow::Error>(());
                }
                tokio::time::sleep(Duration::from_millis(200)).await;
            }
        };
        tokio::time::timeout(WITHIN, loaded).await.context("the roster did not take force within 120 s")?
    }

    async fn send(&self, leaver: &Leaver, issuer: &Issuer, now: Timestamp) -> Result<()> {
        if leaver.way == Way::Bus {
            // Only the partner, or AWS, can write to that bus. Its rule would put the event on this queue.
            return self.stage.send("hr-intake", &leaver.body).await;
        }
        let (method, rest) = leaver.to;
        let url = format!("{}{}{rest}", self.stack.receive_url()?, leaver.source);
        let made = request(leaver, issuer, now)?;
        let method = reqwest::Method::from_bytes(method.as_bytes()).context("the method is one")?;
        let mut sending = reqwest::Client::new().request(method, &url).timeout(Duration::from_secs(10)).body(made.body);
        for (name, value) in made.headers {
            sending = sending.header(name, value);
        }
        let status = sending.send().await.with_context(|| format!("{} got no answer", leaver.source))?.status();
        if !status.is_success() {
            bail!("{} was answered {status}", leaver.source);
        }
        Ok(())
    }

    /// Waits until each request has become events, those have their outcome, and the queues are empty.
    async fn rest(&self, requests: usize) -> Result<BTreeMap<String, Item>> {
        let resting = async {
            loop {
                let ledger = self.stage.ledger().await?;
                let received = ledger.keys().filter(|key| key.starts_with("receipt#")).count();
                let under_way = |item: &Item| matches!(text(item, "state").as_str(), "running" | "retry");
                if received >= requests && !ledger.values().any(under_way) && self.stage.drained().await? {
                    return Ok::<_, anyhow::Error>(ledger);
                }
                tokio::time::sleep(Duration::from_millis(200)).await;
            }
        };
        let rested = tokio::time::timeout(WITHIN, resting).await;
        rested.context("the events did not come to rest within 120 s; see target/local/ministack.log")?
    }
}

/// What must come of a leaver, and what did.
fn act(leaver: &Leaver, ledger: &BTreeMap<String, Item>, before: &[UserReport], after: &[UserReport]) -> ActReport {
    let of_source = |item: &&Item| outcome(item)["source"] == leaver.source;
    let records: Vec<Value> = ledger
        .iter()
        .filter(|(key, item)| key.starts_with("receipt#") && of_source(item))
        .map(|(_, item)| outcome(item))
        .collect();
    let events: Vec<String> = records.iter().flat_map(|record| words(&record["events"])).collect();
    let mut filled: Vec<String> = records
        .iter()
        .filter_map(|record| record["filled"].as_object())
        .flat_map(|filled| filled.iter().map(|(fact, whence)| format!("{fact}: {}", whence.as_str().unwrap_or("?"))))
        .collect();
    filled.sort();
    let find = |users: &[UserReport]| users.iter().find(|user| user.email == address(leaver.source)).cloned();
    let ends = match (find(before), find(after)) {
        (Some(was), Some(now)) if now.status == was.status && now.sessions < was.sessions => {
            format!("{}, signed out", now.status)
        }
        (_, Some(now)) => now.status,
        (_, None) => "removed".to_owned(),
    };
    let told = |events: String, filled: String, ends: &str| format!("{events}\nfilled in: {filled}\n{ends}");
    let list = |filled: Vec<String>| if filled.is_empty() { "nothing".to_owned() } else { filled.join(", ") };
    let expected: Vec<String> = leaver.filled.iter().map(|one| (*one).to_owned()).collect();
    ActReport {
        act: format!("{}: {}", leaver.source, leaver.sent),
        expected: told(leaver.events.join(" "), list(expected), leaver.ends),
        got: told(events.join(" "), list(filled), &ends),
    }
}

fn words(list: &Value) -> Vec<String> {
    list.as_array().into_iter().flatten().filter_map(|word| word.as_str().map(str::to_owned)).collect()
}

fn company(leavers: &[Leaver]) -> Value {
    let user = |(index, leaver): (usize, &Leaver)| {
        json!({
            "UserId": format!("00000000-0000-4000-9000-{index:012}"), "PrimaryEmail": address(leaver.source),
            "DisplayName": format!("Leaver of {}", leaver.source), "LicenseType": "Pro",
            "UserRegistrationStatus": "Registered", "PersonalPIN": format!("{index:010}"), "Sessions": 1,
        })
    };
    let users: Vec<Value> = leavers.iter().enumerate().map(user).collect();
    json!({ "accounts": [{ "AccountId": ACCOUNT, "Name": "Sources", "AccountType": "EnterpriseLWA", "users": users }] })
}

fn policy(apis: &[(&'static str, LocalVendor)], issuer: &Issuer) -> Value {
    let mut systems = json!({
        "successfactors": { "accept_unverified": true, "end_date": "first_day_inactive" },
        "adp": { "accept_unverified": true }, "ukg": { "accept_unverified": true },
        "entra": { "accept_unverified": true }, "sailpoint": { "accept_unverified": true },
        "risc": { "tokens": {
            "issuer": "https://idp.sources.example", "audience": "https://rollcall.sources.example", "keys": issuer.keys,
        } },
    });
    for (source, api) in apis {
        systems[*source] = json!({ "api": api.endpoint() });
    }
    json!({
        "accounts": [{ "account": ACCOUNT, "domains": ["sources.example"] }],
        "sources": { "systems": systems },
    })
}
