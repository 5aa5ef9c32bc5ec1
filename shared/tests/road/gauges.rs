//! What the sweep says of how things stand. The stage's clock stands at noon of 2026-11-23.

use crate::announced::company::{Company, one};
use crate::stage::{envelope, mapped, termination};
use jiff::{SignedDuration, Timestamp};
use rollcall::brake::budget_key;
use rollcall::event::wire::Assurance;
use rollcall::host::Host;
use rollcall::intake::gauges::Gauges;
use rollcall::intake::receipt::Receipt;
use rollcall::intake::{Headers, Received, Source};
use rollcall::plan::ActionClass;
use rollcall::store::Store;
use rollcall::telemetry::Invoked;
use serde_json::json;

/// Every removal is held; Okta may be silent for a day.
async fn company() -> Company {
    let mut company = Company::new(3).await;
    let mut policy = mapped(&["lwa"]);
    policy["brake"] = json!({ "access": { "limits": [{ "count": 0, "window": "1h" }] } });
    policy["sources"] = json!({ "systems": { "okta": { "silent_after_hours": 24 } } });
    company.stage = company.stage.with_policy(policy);
    company
}

async fn gauges(company: &Company) -> Gauges {
    company.sweep().await.tally.gauges.unwrap()
}

/// Okta sends something that asks for nothing.
async fn okta_speaks(company: &Company, id: &str) {
    let body = json!({ "data": { "events": [] } }).to_string();
    let headers = Headers::default();
    let received = Received { body: body.as_bytes(), headers: &headers, at: company.stage.host.now() };
    let receipt = Receipt::new(Source::Okta, Assurance::HmacBody, None, &received);
    let key = receipt.key(id);
    company.bucket.write(&key, serde_json::to_vec(&receipt).unwrap()).await.unwrap();
    company.handle(one(&json!({ "receipt": key }).to_string())).await;
}

async fn heard_at(company: &Company) -> Option<Timestamp> {
    let item = company.stage.item("source#okta").await?;
    Timestamp::from_millisecond(item.get("heard_at")?.as_n().unwrap().parse().unwrap()).ok()
}

#[tokio::test]
async fn what_is_held_and_latched_shows_until_somebody_decides() {
    let company = company().await;
    assert_eq!(gauges(&company).await, Gauges::default());
    company.stage.deliver(&[envelope(&termination("t1", "lwa", 1))]).await;
    company.stage.host.advance(SignedDuration::from_mins(30));
    company.stage.deliver(&[envelope(&termination("t2", "lwa", 2))]).await;
    company.stage.host.advance(SignedDuration::from_mins(90));
    // The oldest waits for two hours.
    assert_eq!(gauges(&company).await, Gauges { held: 2, oldest_held: 7200, latched: 1, silent: 0 });
    let key = budget_key(ActionClass::Access, None);
    assert_eq!(company.stage.ledger().reset_budget(&key).await, Ok(true));
    assert_eq!(gauges(&company).await.latched, 0);
}

#[tokio::test]
async fn a_source_that_is_not_heard_for_its_hours_is_silent_until_it_speaks() {
    let company = company().await;
    let day = SignedDuration::from_hours(24);
    let silent = async || gauges(&company).await.silent;
    // Never heard: it is looked for from the first sweep on, not from the beginning of time.
    assert_eq!(silent().await, 0);
    company.stage.host.advance(day);
    assert_eq!(silent().await, 0, "a day and no more");
    company.stage.host.advance(SignedDuration::from_secs(1));
    assert_eq!(silent().await, 1);
    okta_speaks(&company, "1").await;
    assert_eq!(silent().await, 0);
    company.stage.host.advance(day + SignedDuration::from_secs(1));
    assert_eq!(silent().await, 1);
}

#[tokio::test]
async fn that_a_source_was_heard_is_written_once_a_minute() {
    let company = company().await;
    let noon = company.stage.host.now();
    let mut noted = Vec::new();
    for (id, wait) in [("1", 0), ("2", 59), ("3", 1), ("4", 30)] {
        company.stage.host.advance(SignedDuration::from_secs(wait));
        okta_speaks(&company, id).await;
        noted.push(heard_at(&company).await.unwrap().duration_since(noon).as_secs());
    }
    assert_eq!(noted, [0, 0, 60, 60]);
}

#[test]
fn gauges_are_metrics_with_their_units() {
    let gauges = Gauges { held: 2, oldest_held: 7200, latched: 1, silent: 3 };
    let line = gauges.metrics(Invoked { function: "acme-hr-intake", request_id: "r-1" }, Timestamp::UNIX_EPOCH);
    let metrics = json!([
        { "Name": "HeldWaiting", "Unit": "Count" }, { "Name": "OldestHeld", "Unit": "Seconds" },
        { "Name": "Latched", "Unit": "Count" }, { "Name": "SilentSources", "Unit": "Count" },
    ]);
    assert_eq!(line["_aws"]["CloudWatchMetrics"][0]["Metrics"], metrics);
    let values = ["HeldWaiting", "OldestHeld", "Latched", "SilentSources"].map(|name| line[name].as_u64());
    assert_eq!(values, [Some(2), Some(7200), Some(1), Some(3)]);
}
