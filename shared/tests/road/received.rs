//! What was received: each element once, as worker events, folded, parked, or nothing; whatever goes wrong on the way.
//!
//! The stage's clock stands at noon of 2026-11-23.

use crate::announced::company::{Company, one};
use crate::announced::in_force;
use jiff::{SignedDuration, Timestamp};
use rollcall::event::wire::Assurance;
use rollcall::host::Host;
use rollcall::intake::receipt::Receipt;
use rollcall::intake::serve::Handled;
use rollcall::intake::{Headers, Received, Source};
use rollcall::queue::PARKED_AS;
use rollcall::store::Store;
use serde_json::{Value, json};

/// A roster of two days ago: the first person works there, the second has left, the third leaves next week.
const ROSTER: &str = "worker_id,email,time_zone,status,end_date,provider_subject_ids\n\
    lwa-0,p0@lwa.example,Europe/Paris,active,,okta:00u0;finch:f-0\n\
    lwa-1,p1@lwa.example,Europe/Paris,terminated,2026-11-20,finch:f-1;ukg:U-1\n\
    lwa-2,p2@lwa.example,Europe/Paris,active,2026-11-30,gusto:g-2\n";

/// One delivery of a source: its receipt is kept, and the queue tells.
async fn received(company: &Company, source: Source, headers: &[(&str, &str)], body: &str, id: &str) -> Handled {
    let message = kept(company, source, headers, body, id).await;
    let handled = company.handle(one(&message)).await;
    company.drain().await;
    handled
}

async fn kept(company: &Company, source: Source, headers: &[(&str, &str)], body: &str, id: &str) -> String {
    let headers = Headers::new(headers.iter().copied());
    let received = Received { body: body.as_bytes(), headers: &headers, at: company.stage.host.now() };
    let receipt = Receipt::new(source, Assurance::HmacBody, None, &received);
    let key = receipt.key(id);
    company.bucket.write(&key, serde_json::to_vec(&receipt).unwrap()).await.unwrap();
    json!({ "receipt": key }).to_string()
}

async fn company() -> Company {
    let company = Company::new(3).await;
    in_force(&company, ROSTER, "2026-11-21T02:00:00Z").await;
    company
}

fn user(company: &Company, n: usize) -> String {
    company.stage.users()[&format!("lwa/u{n}")].clone()
}

fn deactivated(uuid: &str, published: &str) -> String {
    json!({ "data": { "events": [{
        "uuid": uuid, "published": published, "eventType": "user.lifecycle.deactivate",
        "target": [{ "id": "00u0", "type": "User", "alternateId": "p0@lwa.example" }],
    }] } })
    .to_string()
}

async fn record(company: &Company, id: &str) -> Value {
    let item = company.stage.item(&format!("receipt#{id}")).await.unwrap();
    serde_json::from_str(item["data"].as_s().unwrap()).unwrap()
}

#[tokio::test]
async fn a_request_becomes_a_worker_event_with_what_the_roster_knows_and_acts() {
    let company = company().await;
    let handled = received(&company, Source::Okta, &[], &deactivated("u-1", "2026-11-23T11:59:00Z"), "1").await;
    assert_eq!((handled.tally.told, handled.tally.late), (1, 0));
    assert_eq!(user(&company, 0), "Suspended");
    let published = company.published.lock().unwrap().clone();
    assert_eq!(published.len(), 1);
    assert_eq!(published[0]["subject"]["workerId"], "lwa-0");
    assert_eq!(published[0]["subject"]["providerSubjectId"], "okta:00u0");
    assert_eq!(published[0]["assurance"], "hmac_body");
    let record = record(&company, "okta:u-1").await;
    assert_eq!(record["events"], json!(["account.status.effective"]));
    assert_eq!(record["filled"], json!({ "subject.workerId": "roster" }));
}

#[tokio::test]
async fn what_comes_twice_is_folded_and_counted() {
    let company = company().await;
    let body = deactivated("u-1", "2026-11-23T11:59:00Z");
    received(&company, Source::Okta, &[], &body, "1").await;
    // The queue delivers it again; the sender delivers it again; somebody replays it within the hour.
    let again = received(&company, Source::Okta, &[], &body, "1").await;
    assert_eq!((again.tally.told, again.tally.duplicates), (0, 1));
    company.stage.host.advance(SignedDuration::from_mins(55));
    let replayed = received(&company, Source::Okta, &[], &body, "2").await;
    assert_eq!((replayed.tally.told, replayed.tally.duplicates), (0, 1));
    assert_eq!(company.published.lock().unwrap().len(), 1);
}

#[tokio::test]
async fn a_redelivery_without_a_time_of_its_own_is_the_first_one() {
    let company = company().await;
    let body = json!({
        "action": "hire_candidate",
        "payload": { "application": { "candidate": { "id": 77 }, "offer": { "starts_at": "2026-12-07" } } },
    })
    .to_string();
    let headers = [("greenhouse-event-id", "g-1")];
    received(&company, Source::Greenhouse, &headers, &body, "1").await;
    company.stage.host.advance(SignedDuration::from_hours(2));
    let again = received(&company, Source::Greenhouse, &headers, &body, "2").await;
    assert_eq!(again.tally.duplicates, 1);
    let published = company.published.lock().unwrap().clone();
    assert_eq!(published.len(), 1, "{published:?}");
    assert_eq!(published[0]["occurredAt"], "2026-11-23T12:00:00Z");
}

#[tokio::test]
async fn a_crash_before_the_end_publishes_the_same_again() {
    let company = company().await;
    let message = kept(&company, Source::Okta, &[], &deactivated("u-1", "2026-11-23T11:59:00Z"), "1").await;
    *company.bus.broken.lock().unwrap() = true;
    let handled = company.handle(one(&message)).await;
    assert_eq!((handled.response.batch_item_failures.len(), handled.tally.told), (1, 0));
    *company.bus.broken.lock().unwrap() = false;
    // Meanwhile the roster knows somebody else by that id. What was made of the request stays.
    let other = ROSTER.replace("okta:00u0;", "").replace("finch:f-1;", "okta:00u0;");
    in_force(&company, &other, "2026-11-22T02:00:00Z").await;
    let handled = company.handle(one(&message)).await;
    assert_eq!((handled.response.batch_item_failures.len(), handled.tally.told), (0, 1));
    company.drain().await;
    assert_eq!(company.published.lock().unwrap()[0]["subject"]["workerId"], "lwa-0");
}

#[tokio::test]
async fn a_notice_is_what_the_roster_says() {
    let company = company().await;
    let notice = |id: &str| json!({ "event_type": "employment.updated", "data": { "individual_id": id } }).to_string();
    let left = received(&company, Source::Finch, &[("finch-event-id", "f-e-1")], &notice("f-1"), "1").await;
    assert_eq!(left.tally.told, 1);
    assert_eq!(user(&company, 1), "Suspended");
    let published = company.published.lock().unwrap().clone();
    assert_eq!(published[0]["effective"]["date"], "2026-11-20");
    assert_eq!((&published[0]["kind"], &published[0]["factId"]), (&json!("termination"), &json!("termination")));
    // The roster is older than the notice, and says nothing of an end: nobody can say what changed.
    let unknown = received(&company, Source::Finch, &[("finch-event-id", "f-e-2")], &notice("f-0"), "2").await;
    assert_eq!(unknown.tally.unclassified, 1);
    assert_eq!(user(&company, 0), "Registered");
}

/// Who left has left until the new contract begins, though its end is heard of in the same breath.
#[tokio::test]
async fn a_second_contract_with_an_end_gives_nothing_back_before_it_begins() {
    let company = company().await;
    let mut end = crate::stage::event("left", "termination", "effective", "2026-10-31T23:00:00Z", "lwa", 1);
    (end["factId"], end["occurredAt"]) = (json!("termination"), json!("2026-10-20T08:00:00Z"));
    company.deliver(&[crate::stage::envelope(&end)]).await;
    assert_eq!(user(&company, 1), "Suspended");
    let next = "worker_id,email,time_zone,status,start_date,end_date,provider_subject_ids\n\
                lwa-1,p1@lwa.example,UTC,pre_hire,2026-12-01,2026-12-31,finch:f-1\n";
    // Newer than the notice.
    in_force(&company, next, "2026-11-23T12:00:30Z").await;
    let body = json!({ "event_type": "employment.updated", "data": { "individual_id": "f-1" } }).to_string();
    received(&company, Source::Finch, &[("finch-event-id", "f-e-1")], &body, "1").await;
    let published = company.published.lock().unwrap().clone();
    let mut told: Vec<[&Value; 3]> = published.iter().map(|it| [&it["kind"], &it["phase"], &it["factId"]]).collect();
    told.sort_by_key(|it| it[0].as_str());
    let expected = [["rehire", "scheduled", "rehire"], ["termination", "scheduled", "termination-after:2026-10-31"]];
    assert_eq!(told, expected);
    assert_eq!(user(&company, 1), "Suspended");
    company.until("2026-11-30T23:59:00Z").await;
    assert_eq!(user(&company, 1), "Suspended");
    company.until("2026-12-01T00:05:00Z").await;
    assert_eq!(user(&company, 1), "Registered");
    company.until("2027-01-01T00:05:00Z").await;
    assert_eq!(user(&company, 1), "Suspended");
}

#[tokio::test]
async fn an_older_roster_does_not_undo_what_was_said_since() {
    let company = company().await;
    let mut rescinded = crate::stage::event("r", "termination", "rescinded", "2026-11-20T23:00:00Z", "lwa", 1);
    (rescinded["factId"], rescinded["occurredAt"]) = (json!("termination"), json!("2026-11-22T08:00:00Z"));
    company.deliver(&[crate::stage::envelope(&rescinded)]).await;
    let body = json!({ "event_type": "employment.updated", "data": { "individual_id": "f-1" } }).to_string();
    let handled = received(&company, Source::Finch, &[("finch-event-id", "f-e-1")], &body, "1").await;
    assert_eq!((handled.tally.told, handled.tally.unclassified), (0, 1));
    assert_eq!(user(&company, 1), "Registered");
}

#[tokio::test]
async fn what_is_announced_is_scheduled_and_taken_back_by_the_same_source() {
    let company = company().await;
    let gusto = |uuid: &str, event_type: &str, at: i64| {
        json!({ "uuid": uuid, "event_type": event_type, "entity_uuid": "g-2", "timestamp": at }).to_string()
    };
    let at: Timestamp = "2026-11-20T09:00:00Z".parse().unwrap();
    let terminated = gusto("1", "employee.terminated", at.as_second());
    received(&company, Source::Gusto, &[], &terminated, "1").await;
    let alarms = company.clock.alarms.lock().unwrap().clone();
    let due: Vec<String> = alarms.values().map(|(at, _)| at.to_string()).collect();
    assert_eq!(due, ["2026-11-30T23:00:00Z"], "the last day by the roster, at the work site");
    let cancelled = gusto("2", "employee.termination_cancelled", at.as_second() + 60);
    received(&company, Source::Gusto, &[], &cancelled, "2").await;
    company.until("2026-12-02T00:00:00Z").await;
    assert_eq!(user(&company, 2), "Registered");
    assert_eq!(company.waiting().await, [] as [String; 0]);
}

#[tokio::test]
async fn what_nobody_can_read_is_parked_once_and_opens_with_its_token() {
    let company = company().await;
    let body = json!({ "data": { "events": [
        { "uuid": "u-9", "published": "2026-11-23T11:00:00Z", "eventType": "user.risk.change" },
        { "uuid": "u-8", "published": "2026-11-23T11:00:00Z", "eventType": "user.session.clear" },
    ] } })
    .to_string();
    let handled = received(&company, Source::Okta, &[], &body, "1").await;
    assert_eq!((handled.tally.unclassified, handled.tally.nothing, handled.tally.told), (1, 1, 0));
    let parked = company.stage.queue.parked.lock().unwrap().clone();
    assert_eq!(parked.len(), 1);
    assert_eq!(parked[0].refusal.code.as_str(), "unclassified");
    assert_eq!(parked[0].body, json!({ "receipt": "receipts/okta/2026-11-23/1.json" }).to_string());
    let again = received(&company, Source::Okta, &[], &body, "2").await;
    assert_eq!((again.tally.unclassified, again.tally.duplicates), (0, 1));
    // A redrive carries the token: it is looked at again, and parked anew.
    let mut redriven = one(&parked[0].body);
    let mut token = aws_lambda_events::event::sqs::SqsMessageAttribute::default();
    token.string_value = Some(parked[0].parked_as.clone());
    redriven.records[0].message_attributes.insert(PARKED_AS.into(), token);
    let handled = company.handle(redriven).await;
    assert_eq!(handled.tally.unclassified, 1);
    let waiting = company.stage.waiting(rollcall::ledger::State::Parked).await;
    assert_eq!(waiting, ["okta:u-9"]);
}

fn canonical(id: &str, n: usize) -> Value {
    let mut event = crate::stage::event(id, "termination", "effective", "2026-11-22T18:00:00Z", "lwa", n);
    event["factId"] = json!("termination");
    event
}

/// Two sources of CloudEvents count by themselves; one sender that uses an id twice is told.
#[tokio::test]
async fn an_id_counts_with_its_source_and_never_has_two_meanings() {
    let company = company().await;
    let enveloped = |source: &str, n: usize| {
        let mut data = canonical("x", n);
        data.as_object_mut().unwrap().remove("eventId");
        let at = "2026-11-23T09:00:00Z";
        json!({ "specversion": "1.0", "id": "1001", "source": source, "type": "leaver", "time": at, "data": data })
    };
    let de = received(&company, Source::CloudEvents, &[], &enveloped("/hr/de", 0).to_string(), "1").await;
    let us = received(&company, Source::CloudEvents, &[], &enveloped("/hr/us", 1).to_string(), "2").await;
    assert_eq!((de.tally.told, us.tally.told), (1, 1));
    assert_eq!([user(&company, 0), user(&company, 1)], ["Suspended", "Suspended"]);
    let again = received(&company, Source::CloudEvents, &[], &enveloped("/hr/us", 1).to_string(), "3").await;
    assert_eq!((again.tally.told, again.tally.duplicates), (0, 1));
    // One source says something else under an id that it has used.
    let other = received(&company, Source::CloudEvents, &[], &enveloped("/hr/us", 2).to_string(), "4").await;
    assert_eq!((other.tally.duplicates, other.tally.unclassified), (0, 1));
    let first = canonical("own", 2);
    let mut second = first.clone();
    second["effective"]["at"] = json!("2026-11-22T19:00:00Z");
    let one = received(&company, Source::Canonical, &[], &first.to_string(), "5").await;
    let twice = received(&company, Source::Canonical, &[], &first.to_string(), "6").await;
    let reused = received(&company, Source::Canonical, &[], &second.to_string(), "7").await;
    let reused_twice = received(&company, Source::Canonical, &[], &second.to_string(), "8").await;
    assert_eq!((one.tally.told, twice.tally.duplicates, reused.tally.unclassified), (1, 1, 1));
    assert_eq!((reused_twice.tally.duplicates, reused_twice.tally.unclassified), (1, 0), "it is parked once");
    // In one request, too: the same to the byte is one, and another meaning is told.
    let both = json!([enveloped("/hr/fr", 0), enveloped("/hr/fr", 0), enveloped("/hr/fr", 1)]).to_string();
    let both = received(&company, Source::CloudEvents, &[], &both, "9").await;
    assert_eq!((both.tally.told, both.tally.duplicates, both.tally.unclassified), (1, 1, 1));
    assert_eq!(company.stage.queue.parked.lock().unwrap().len(), 3);
    let words = company.stage.queue.parked.lock().unwrap()[1].refusal.message.to_string();
    assert!(words.contains("came before with another meaning"), "{words}");
}

/// Ten thousand of the same, or more objects than a request has, take neither time nor memory.
#[tokio::test]
async fn a_body_of_many_elements_is_bounded() {
    let company = company().await;
    let many = |one: &str, n: usize| format!("{{\"events\":[{}]}}", vec![one; n].join(","));
    company.stage.wire.forget();
    let same = received(&company, Source::Adp, &[], &many("1", 1000), "1").await;
    assert_eq!((same.tally.duplicates, same.tally.unclassified), (999, 1));
    assert!(company.stage.wire.calls().len() < 20, "{} calls", company.stage.wire.calls().len());
    let nested = format!("{{\"events\":[{{\"data\":[{}]}}]}}", vec!["{}"; 30_000].join(","));
    let expected = [("2", many("1", 1001), "too long a one"), ("3", nested, "more than 30,000 objects")];
    for (id, body, words) in expected {
        let handled = received(&company, Source::Adp, &[], &body, id).await;
        assert_eq!((handled.tally.told, handled.tally.unclassified), (0, 1), "{id}");
        let parked = company.stage.queue.parked.lock().unwrap().last().unwrap().refusal.message.to_string();
        assert!(parked.contains(words), "{parked}");
    }
}

/// Where the time ends first, what was read is done, and the next attempt goes on from there.
#[tokio::test]
async fn a_long_request_is_worked_through_in_parts() {
    let company = company().await;
    let events: Vec<Value> = (0..30).map(|n| canonical(&format!("e{n}"), n % 3)).collect();
    let envelope = |data: &Value| {
        let (id, at) = (&data["eventId"], "2026-11-23T09:00:00Z");
        json!({ "specversion": "1.0", "id": id, "source": "/hr", "type": "leaver", "time": at, "data": data })
    };
    // The first is none: it is parked by the first attempt, though that does not come to its end.
    let elements: Vec<Value> = std::iter::once(json!(7)).chain(events.iter().map(envelope)).collect();
    let message = kept(&company, Source::CloudEvents, &[], &json!(elements).to_string(), "1").await;
    *company.bus.slow.lock().unwrap() = Some((company.stage.host.clone(), SignedDuration::from_secs(3)));
    let mut attempts = 0;
    loop {
        attempts += 1;
        let handled = company.handle(one(&message)).await;
        company.drain().await;
        assert_eq!(company.stage.queue.parked.lock().unwrap().len(), 1);
        if handled.response.batch_item_failures.is_empty() {
            break;
        }
        assert!(attempts < 30, "each attempt must come further");
    }
    assert!(attempts > 1);
    let mut ids: Vec<String> = company.published.lock().unwrap().iter().map(|it| it["eventId"].to_string()).collect();
    ids.sort();
    ids.dedup();
    assert_eq!((ids.len(), company.published.lock().unwrap().len()), (30, 30));
}

/// What does not work comes again later and later, and after a day a person looks.
#[tokio::test]
async fn what_does_not_work_for_a_day_is_parked_with_its_reason() {
    let company = company().await;
    let message = kept(&company, Source::Okta, &[], &deactivated("u-1", "2026-11-23T11:59:00Z"), "1").await;
    *company.bus.broken.lock().unwrap() = true;
    let came = |hours: i64, count: u32| {
        let mut batch = one(&message);
        let sent = company.stage.host.now() - SignedDuration::from_hours(hours);
        batch.records[0].attributes.insert("SentTimestamp".into(), sent.as_millisecond().to_string());
        batch.records[0].attributes.insert("ApproximateReceiveCount".into(), count.to_string());
        batch
    };
    let mut most = Vec::new();
    for (hours, count) in [(0, 1), (12, 5), (23, 60)] {
        let handled = company.handle(came(hours, count)).await;
        assert_eq!(handled.response.batch_item_failures.len(), 1, "{hours} h");
        most.push(
            company.stage.queue.delays.lock().unwrap().drain(..).map(|(_, after)| after.as_secs()).max().unwrap(),
        );
    }
    assert!(most[0] <= 2 && most[1] <= 32 && most[2] <= 900, "{most:?}");
    assert_eq!(company.stage.queue.parked.lock().unwrap().len(), 0);
    let handled = company.handle(came(24, 61)).await;
    assert_eq!(handled.response.batch_item_failures.len(), 0);
    let parked = company.stage.queue.parked.lock().unwrap().clone();
    assert_eq!((parked.len(), parked[0].refusal.code.as_str(), &parked[0].body), (1, "gave_up", &message));
    // Mended and redriven, it is done.
    *company.bus.broken.lock().unwrap() = false;
    company.handle(one(&message)).await;
    company.drain().await;
    assert_eq!(user(&company, 0), "Suspended");
}

/// A record that does not open with this key never will.
#[tokio::test]
async fn what_another_try_would_not_help_is_parked_at_once() {
    let company = company().await;
    let message = kept(&company, Source::Okta, &[], &deactivated("u-1", "2026-11-23T11:59:00Z"), "1").await;
    *company.bus.broken.lock().unwrap() = true;
    company.handle(one(&message)).await;
    *company.bus.broken.lock().unwrap() = false;
    let mut item = company.stage.item("receipt#okta:u-1").await.unwrap();
    item.insert(
        "event".into(),
        aws_sdk_dynamodb::types::AttributeValue::B(aws_sdk_dynamodb::primitives::Blob::new([1; 60])),
    );
    company.stage.dynamo.put_item().table_name(crate::stage::TABLE).set_item(Some(item)).send().await.unwrap();
    let handled = company.handle(one(&message)).await;
    assert_eq!(handled.response.batch_item_failures.len(), 0);
    let parked = company.stage.queue.parked.lock().unwrap().clone();
    assert_eq!((parked.len(), parked[0].refusal.code.as_str()), (1, "unopenable"));
}

#[tokio::test]
async fn without_a_dead_letter_queue_nothing_is_called_parked() {
    let company = company().await;
    *company.stage.queue.broken.lock().unwrap() = true;
    let handled = received(&company, Source::Gusto, &[], "no JSON", "1").await;
    assert_eq!((handled.response.batch_item_failures.len(), handled.tally.unclassified), (1, 0));
    assert!(company.stage.items().await.iter().all(|item| !item["id"].as_s().unwrap().starts_with("receipt#")));
    *company.stage.queue.broken.lock().unwrap() = false;
    assert_eq!(received(&company, Source::Gusto, &[], "no JSON", "1").await.tally.unclassified, 1);
}

#[tokio::test]
async fn a_receipt_that_is_gone_is_told() {
    let company = company().await;
    for key in ["receipts/okta/2026-11-01/gone.json", "roster/all.csv"] {
        let handled = company.handle(one(&json!({ "receipt": key }).to_string())).await;
        assert_eq!(handled.tally.unclassified, 1);
    }
    let parked = company.stage.queue.parked.lock().unwrap().clone();
    assert!(parked.iter().all(|parked| parked.refusal.code.as_str() == "expired"));
    assert_eq!(parked.len(), 2);
}

#[tokio::test]
async fn a_raw_event_of_a_partner_bus_is_kept_and_worked_on() {
    let company = company().await;
    let event: Value = serde_json::from_str(&deactivated("u-1", "2026-11-23T11:59:00Z")).unwrap();
    let envelope = json!({
        "version": "0", "id": "1", "detail-type": "SystemLog", "source": "aws.partner/okta.com/acme/log",
        "account": "111122223333", "time": "2026-11-23T11:59:30Z", "region": "eu-west-1", "resources": [],
        "detail": event["data"]["events"][0],
    });
    let handled = company.handle(one(&envelope.to_string())).await;
    company.drain().await;
    assert_eq!((handled.tally.told, user(&company, 0).as_str()), (1, "Suspended"));
    assert_eq!(company.published.lock().unwrap()[0]["assurance"], "partner_bus");
    let kept = company.bucket.keys("receipts/okta/");
    assert_eq!(kept.len(), 1, "it is kept for replay");
    let replayed = company.handle(one(&json!({ "receipt": kept[0] }).to_string())).await;
    assert_eq!(replayed.tally.duplicates, 1);
}

#[tokio::test]
async fn what_came_late_acts_at_once_and_says_so() {
    let company = company().await.with_sources(json!({ "zone": "Europe/Paris" }));
    let body = json!({
        "hook": { "id": "h", "event": "employee.changed" },
        "data": {
            "id": "m-2", "work_email": "p2@lwa.example", "employment_status": "INACTIVE",
            "termination_date": "2026-11-10T00:00:00Z",
        },
    })
    .to_string();
    let handled = received(&company, Source::Merge, &[], &body, "1").await;
    assert_eq!((handled.tally.told, handled.tally.late), (1, 1));
    assert_eq!(user(&company, 2), "Suspended");
}
