//! The bounds of a pass: its time, its pages, how many it asks for, what the network does meanwhile, and what it writes.

use super::office::{LWA, Office};
use crate::privacy::Log;
use crate::roster::company::in_force;
use crate::stage::{self, Fault, Strike, envelope, event, keys, termination};
use aws_sdk_dynamodb::types::AttributeValue;
use jiff::SignedDuration;
use rollcall::directory::Deadline;
use rollcall::ledger::{Known, Ledger};
use rollcall::person::{PersonKey, What};
use rollcall::reconcile::{MOST, Outcome};
use rollcall::roster::load::{Load, Nowhere, index};
use rollcall::roster::{Shrinkage, Version};
use rollcall::store::Store;
use serde_json::{Value, json};

#[tokio::test]
async fn a_pass_stops_a_minute_before_its_deadline_and_the_next_begins_anew() {
    let office = Office::new(4, json!({})).await;
    office.hire(0..4).await;
    office.roster(4, &[(1, "2026-11-20"), (2, "2026-11-20")]).await;
    let late = office.pass_within(SignedDuration::from_secs(60)).await.unwrap();
    assert_eq!((late.outcome, late.missed, late.taken), (Outcome::OutOfTime, 0, 0));
    assert_eq!(office.asked(), Vec::<Value>::new());
    assert_eq!(office.pass_within(SignedDuration::from_secs(61)).await.unwrap().missed, 2);
}

#[tokio::test]
async fn what_may_pass_fails_the_invocation_and_the_retry_asks_under_the_same_ids() {
    let office = Office::new(4, json!({})).await;
    office.roster(4, &[(1, "2026-11-20"), (2, "2026-11-20")]).await;
    *office.bus.refuses.lock().unwrap() = true;
    assert_eq!(office.pass_within(SignedDuration::from_secs(900)).await.unwrap_err(), "the bus: throttled");
    *office.bus.refuses.lock().unwrap() = false;
    office.company.bucket.fail_reads(1);
    let unread = office.pass_within(SignedDuration::from_secs(900)).await.unwrap_err();
    assert!(
        unread.starts_with("rosters/") && unread.ends_with("/leavers-0000.jsonl: no answer; try again"),
        "{unread}"
    );
    office.pass().await;
    let first = office.asked();
    // Where a table asks for fewer requests, all is asked for all the same.
    office.stage().wire.set(Strike::on(Fault::Throttle, "BatchGetItem", 1, 2));
    office.pass().await;
    assert_eq!(office.asked(), first);
}

/// Many people are read a hundred a call, and whoever was merged is who they were found to be.
#[tokio::test]
async fn people_are_read_by_the_hundred_and_through_their_pointers() {
    let office = Office::new(4, json!({})).await;
    let mut by_address = termination("t1", LWA, 1);
    by_address["subject"] = json!({ "email": format!("p1@{LWA}.example") });
    by_address["factId"] = json!("termination");
    let mut by_both = by_address.clone();
    (by_both["eventId"], by_both["occurredAt"]) = (json!("t2"), json!("2026-11-21T08:00:00Z"));
    by_both["subject"]["workerId"] = json!("1");
    office.stage().deliver(&[envelope(&by_address), envelope(&by_both)]).await;
    let key = |what, value: &str| PersonKey::named(rollcall::batch::REALM, what, value, &keys());
    let (address, worker) = (key(What::Email, &format!("p1@{LWA}.example")), key(What::Worker, "1"));
    let mut asked: Vec<PersonKey> = (100..350).map(|n| key(What::Worker, &n.to_string())).collect();
    asked.extend([address.clone(), worker.clone()]);
    office.stage().wire.forget();
    let ledger = Ledger::new(office.stage().watched(), stage::TABLE, office.stage().host.clone());
    let people = ledger.people(&asked, office.stage().deadline()).await.unwrap();
    assert_eq!(people.len(), asked.len());
    let Known::Person(person) = &people[&worker] else { panic!("{:?}", people[&worker]) };
    assert_eq!(people[&address], Known::Person(person.clone()), "the address leads to the same person");
    assert_eq!(people.values().filter(|known| **known == Known::Nobody).count(), 250);
    let calls = office.stage().wire.calls().iter().filter(|call| call.as_str() == "BatchGetItem").count();
    assert_eq!(calls, 4, "252 people, and one pointer");
}

/// What a pass writes names people by their keyed hashes, whatever it finds of them.
#[tokio::test]
async fn a_pass_tells_numbers_and_hashes() {
    let office = Office::new(6, json!({ "sources": {} })).await;
    office.hire(1..3).await;
    let end = |n: usize| envelope(&termination(&format!("t{n}"), LWA, n));
    office.stage().deliver_by_function(vec![end(1), end(3)]).await;
    let away = event("l2", "leave", "effective", "2026-11-01T08:00:00Z", LWA, 2);
    office.stage().deliver(&[envelope(&away)]).await;
    let mut unknown = event("l5", "leave", "effective", "2026-11-01T08:00:00Z", LWA, 5);
    unknown["subject"] = json!({ "email": format!("p5@{LWA}.example") });
    office.stage().deliver(&[envelope(&unknown)]).await;
    // Access is due again to the two, and nobody has acted on it: the ledger no longer has their leaves.
    for id in ["l2", "l5"] {
        let person = office.stage().event(id).await.unwrap().person.unwrap();
        let mut item = office.stage().item(&person.item_key()).await.unwrap();
        let mut facts = item["facts"].as_l().unwrap().clone();
        facts.retain(|fact| fact.as_m().unwrap()["kind"].as_s().unwrap() != "leave");
        item.insert("facts".into(), AttributeValue::L(facts));
        office.stage().dynamo.put_item().table_name(stage::TABLE).set_item(Some(item)).send().await.unwrap();
    }
    let rows = "lwa-1,p1@lwa.example,active,,\nlwa-2,p2@lwa.example,active,,\nlwa-3,,terminated,2026-11-20,UTC\n\
                lwa-4,p4@lwa.example,active,2026-11-20,\nlwa-6,p0@lwa.example,terminated,2026-11-20,UTC\n";
    let csv = format!("worker_id,email,status,end_date,time_zone\n{rows}");
    in_force(office.company.drop("roster/all.csv", &csv).await);
    let log = Log::default();
    // With one listener alone, tracing asks the thread that comes first to a line whether anybody listens; that may be
    // another test's. With two it asks the listeners.
    let _second = tracing::Dispatch::new(tracing::subscriber::NoSubscriber::default());
    let summary = {
        let _listening = log.listen();
        office.pass().await
    };
    let found = (summary.missed, summary.undated, summary.restored, summary.contradicted, summary.unreached);
    assert_eq!(found, (1, 1, 1, 1, 1), "{summary:?}");
    let text = log.text().to_lowercase();
    assert!(text.lines().count() >= 6, "{text}");
    let told =
        format!("{text} {summary:?} {} {:?}", serde_json::to_string(&summary).unwrap(), office.service().reconcile);
    for personal in ["lwa-", ".example", "@"] {
        assert!(!told.to_lowercase().contains(personal), "{personal}: {told}");
    }
}

#[tokio::test]
async fn no_more_than_ten_thousand_are_asked_for_and_the_rest_is_counted() {
    let office = Office::new(1, json!({})).await;
    let people = usize::try_from(MOST).unwrap() + 105;
    let rows: String = (0..people).map(|n| format!("{n},,terminated,2026-11-20\n")).collect();
    office
        .company
        .bucket
        .write("roster/many.csv", format!("worker_id,email,status,end_date\n{rows}").into())
        .await
        .unwrap();
    let load = Load {
        from: &office.company.bucket,
        source: "roster/many.csv",
        version: Version::new(office.now(), office.now(), 1),
        shrinkage: Shrinkage { before: None, percent: 0 },
        deadline: Deadline::at(office.now() + SignedDuration::from_secs(900)),
    };
    let many = index(&load, &office.company.bucket, &Nowhere, &office.stage().host).await.unwrap();
    office.company.roster().take_force(&many, None).await.unwrap();
    let summary = office.pass().await;
    assert_eq!((summary.leavers, summary.missed, summary.deferred), (people as u64, MOST, 105));
    assert_eq!(office.asked().len() as u64, MOST, "the last few as well");
}

/// A ledger of several pages in each part of the scan: everybody from whom something was taken is found once.
#[tokio::test]
async fn everybody_from_whom_something_was_taken_is_found_in_a_large_ledger() {
    let office = Office::new(1, json!({})).await;
    office.roster(1, &[]).await;
    let text = |text: String| AttributeValue::S(text);
    let taken =
        json!({ "account": { "id": LWA, "type": "EnterpriseLWA" }, "event": "suspend-user#e", "at": office.now() });
    let taken: AttributeValue = serde_dynamo::to_attribute_value(taken).unwrap();
    for n in 0..400 {
        let mut put = office.stage().dynamo.put_item().table_name(stage::TABLE);
        put = put.item("id", text(format!("person#{n:032x}"))).item("rev", AttributeValue::N("1".into()));
        put = put.item("filler", text("x".repeat(20_000)));
        if n % 2 == 0 {
            put = put.item("taken", taken.clone());
        }
        put.send().await.unwrap();
    }
    office.stage().wire.forget();
    let summary = office.pass().await;
    assert_eq!((summary.outcome, summary.taken, summary.unreached), (Outcome::Done, 200, 200));
    let scans = office.stage().wire.calls().iter().filter(|call| call.as_str() == "Scan").count();
    assert!(scans > 4, "{scans} calls for 8 MB");
}
