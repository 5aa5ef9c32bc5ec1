//! What is announced: kept, woken at its time, corrected, taken back, late, and whatever goes wrong on the way.
//!
//! The stage's clock stands at noon of 2026-11-23.

pub(crate) mod company;
mod orders;

use crate::stage::{batch, envelope, event};
use company::{Company, one};
use jiff::{SignedDuration, Timestamp};
use rollcall::directory::Deadline;
use rollcall::ledger::State;
use rollcall::roster::load::Rows;
use rollcall::roster::{Format, Index, Refused, Row, Shrinkage, Version, read};
use rollcall::routes::Function;
use serde_json::{Value, json};

/// The end of somebody of the account, announced for an instant.
fn end(id: &str, at: &str, n: usize) -> Value {
    let mut end = event(id, "termination", "scheduled", at, "lwa", n);
    end["factId"] = json!("termination");
    end
}

fn user(company: &Company, n: usize) -> String {
    company.stage.users()[&format!("lwa/u{n}")].clone()
}

#[tokio::test]
async fn an_announcement_wakes_up_at_its_time_and_acts() {
    let company = Company::new(1).await;
    // The last day is the 30th, in Paris: it ends with that day there.
    let mut announced = end("6f9619ff-8b86-d011-b42d-00c04fc964ff", "", 0);
    announced["effective"] = json!({
        "date": "2026-11-30", "at": null, "zone": "Europe/Paris", "basis": "last_day_worked", "source": "payload",
    });
    company.deliver(&[envelope(&announced)]).await;
    assert_eq!(user(&company, 0), "Registered");
    let alarms = company.clock.alarms.lock().unwrap().clone();
    let (name, (at, record)) = alarms.first_key_value().unwrap();
    assert_eq!(at.to_string(), "2026-11-30T23:00:00Z");
    assert_eq!(record, "hr-intake#6f9619ff-8b86-d011-b42d-00c04fc964ff");
    let (kind, hash) = name.split_once('-').unwrap();
    assert_eq!((kind, hash.len()), ("termination", 32));
    assert!(hash.bytes().all(|byte| byte.is_ascii_hexdigit()));

    company.until("2026-11-30T22:57:00Z").await;
    assert_eq!(user(&company, 0), "Registered");
    company.until("2026-11-30T23:00:00Z").await;
    assert_eq!(user(&company, 0), "Suspended");
    assert_eq!(company.waiting().await, [] as [String; 0]);

    let published = company.published.lock().unwrap().clone();
    let [fired] = published.as_slice() else { panic!("published once: {published:?}") };
    // UUIDv5(6f9619ff-8b86-d011-b42d-00c04fc964ff, "effective"), as any other library computes it.
    assert_eq!(fired["eventId"], "826e3df8-a901-5a58-810e-8911ada19513");
    assert_eq!((&fired["occurredAt"], &fired["factId"]), (&announced["occurredAt"], &json!("termination")));
    let record = company.stage.event_of(Function::HrIntake, "6f9619ff-8b86-d011-b42d-00c04fc964ff").await.unwrap();
    assert_eq!((record.state, record.event, record.due), (State::Applied, None, None));
    assert!(record.expiration.is_some(), "it is remembered for 60 days from now on");
}

#[tokio::test]
async fn what_is_due_within_two_minutes_is_published_at_once() {
    for (at, alarms) in [("2026-11-23T12:02:00Z", 0), ("2026-11-23T12:02:01Z", 1)] {
        let company = Company::new(1).await;
        let handled = company.handle(one(&envelope(&end("e", at, 0)))).await;
        assert_eq!(company.clock.alarms.lock().unwrap().len(), alarms, "{at}");
        assert_eq!((handled.tally.published, handled.tally.late), (1 - alarms as u64, 0), "{at}");
        company.drain().await;
        company.until("2026-11-23T12:03:00Z").await;
        assert_eq!(user(&company, 0), "Suspended", "{at}");
    }
}

#[tokio::test]
async fn a_late_announcement_acts_at_once_and_says_so() {
    let company = Company::new(2).await;
    let late = company.handle(one(&envelope(&end("late", "2026-11-23T10:59:59Z", 0)))).await;
    assert_eq!((late.tally.published, late.tally.late), (1, 1));
    let in_time = company.handle(one(&envelope(&end("in-time", "2026-11-23T11:30:00Z", 1)))).await;
    assert_eq!((in_time.tally.published, in_time.tally.late), (1, 0));
    company.drain().await;
    assert_eq!([user(&company, 0), user(&company, 1)], ["Suspended", "Suspended"]);
}

#[tokio::test]
async fn without_an_answer_of_the_scheduler_the_message_comes_again_and_nothing_is_lost() {
    let company = Company::new(1).await;
    let body = envelope(&end("e", "2026-11-30T18:00:00Z", 0));
    *company.clock.broken.lock().unwrap() = true;
    let handled = company.handle(one(&body)).await;
    assert_eq!(handled.response.batch_item_failures.len(), 1);
    assert_eq!(company.waiting().await, ["hr-intake#e"], "its fact and its record are there");
    *company.clock.broken.lock().unwrap() = false;
    // A duplicate of the ledger, and its schedule is made all the same.
    let handled = company.handle(one(&body)).await;
    assert_eq!((handled.response.batch_item_failures.len(), handled.tally.scheduled), (0, 1));
    assert_eq!(company.clock.alarms.lock().unwrap().len(), 1);
}

#[tokio::test]
async fn the_sweep_publishes_what_no_schedule_woke() {
    let company = Company::new(2).await;
    for n in [0, 1] {
        company.deliver(&[envelope(&end(&format!("e{n}"), "2026-11-24T18:00:00Z", n))]).await;
    }
    company.clock.alarms.lock().unwrap().clear();
    assert_eq!(company.sweep().await.tally.swept, 0, "nothing is due yet");
    company.until("2026-11-24T18:00:30Z").await;
    // The bus does not answer: the next sweep finds it.
    *company.bus.broken.lock().unwrap() = true;
    let broken = company.sweep().await;
    assert_eq!((broken.tally.swept, broken.tally.unswept), (0, 2));
    *company.bus.broken.lock().unwrap() = false;
    assert_eq!(company.sweep().await.tally.swept, 2);
    assert_eq!([user(&company, 0), user(&company, 1)], ["Suspended", "Suspended"]);
    assert_eq!(company.sweep().await.tally.swept, 0);
}

#[tokio::test]
async fn the_sweep_looks_at_more_than_a_page() {
    let company = Company::new(1).await;
    let bodies: Vec<String> = (0..205).map(|n| envelope(&end(&format!("e{n}"), "2026-11-24T18:00:00Z", n))).collect();
    for part in bodies.chunks(48) {
        assert_eq!(company.handle(batch(part)).await.response.batch_item_failures.len(), 0);
    }
    company.stage.host.advance(SignedDuration::from_hours(31));
    let swept = company.handle(one(r#"{"sweep":true}"#)).await;
    assert_eq!((swept.tally.swept, company.bus.entries.lock().unwrap().len()), (205, 205));
}

#[tokio::test]
async fn a_wake_up_that_comes_twice_or_after_the_sweep_changes_nothing() {
    let company = Company::new(1).await;
    company.deliver(&[envelope(&end("e", "2026-11-24T18:00:00Z", 0))]).await;
    company.until("2026-11-24T18:00:00Z").await;
    let calls = company.stage.changes().len();
    company.deliver(&[r#"{"wake":"hr-intake#e"}"#.into(), r#"{"wake":"hr-intake#nobody"}"#.into()]).await;
    company.sweep().await;
    assert_eq!(company.stage.changes().len(), calls);
    assert_eq!(company.published.lock().unwrap().len(), 1);
}

#[tokio::test]
async fn a_correction_of_what_was_applied_takes_it_back_and_waits() {
    let company = Company::new(1).await;
    let mut hired = event("h", "hire", "effective", "2025-01-02T08:00:00Z", "lwa", 0);
    hired["occurredAt"] = json!("2025-01-01T08:00:00Z");
    let mut gone = end("e", "2026-11-22T18:00:00Z", 0);
    gone["phase"] = json!("effective");
    company.deliver(&[envelope(&hired), envelope(&gone)]).await;
    assert_eq!(user(&company, 0), "Suspended");
    let mut corrected = end("c", "2026-11-30T18:00:00Z", 0);
    corrected["occurredAt"] = json!("2026-11-23T09:00:00Z");
    company.deliver(&[envelope(&corrected)]).await;
    assert_eq!(user(&company, 0), "Registered", "what was taken is given back");
    let phases: Vec<Value> = company.published.lock().unwrap().iter().map(|event| event["phase"].clone()).collect();
    assert_eq!(phases, ["rescinded"]);
    company.until("2026-11-30T18:00:00Z").await;
    assert_eq!(user(&company, 0), "Suspended");
}

#[tokio::test]
async fn a_newer_roster_that_says_the_person_stays_holds_an_end() {
    let roster = "worker_id,status,end_date\nlwa-0,active,\nlwa-1,active,2026-11-24\nlwa-2,terminated,\nlwa-3,active,2026-12-31\n";
    let company = Company::new(5).await;
    for n in 0..5 {
        company.deliver(&[envelope(&end(&format!("e{n}"), "2026-11-24T18:00:00Z", n))]).await;
    }
    in_force(&company, roster, "2026-11-24T02:00:00Z").await;
    company.until("2026-11-24T18:00:00Z").await;
    let users: Vec<String> = (0..5).map(|n| user(&company, n)).collect();
    // The fourth's end is later in the roster; the fifth is in no roster.
    assert_eq!(users, ["Registered", "Suspended", "Suspended", "Registered", "Suspended"]);
    assert_eq!(company.stage.waiting(State::Held).await, ["e0", "e3"]);
    company.release("e0").await;
    assert_eq!(user(&company, 0), "Suspended", "an operator said yes");
    assert_eq!(user(&company, 3), "Registered");
}

/// One end, as a last day, as the day after, and as an instant: the roster means the same, or it does not.
#[tokio::test]
async fn a_roster_that_tells_the_same_end_in_other_words_does_not_disagree() {
    let dated = |date: &str, basis: &str| json!({ "date": date, "zone": "Pacific/Auckland", "basis": basis, "source": "payload" });
    let instant = |at: &str| json!({ "at": at, "basis": "instant", "source": "payload" });
    let (last_day, first_day) = ("last_day_worked", "first_day_inactive");
    let table = [
        // The roster's date and what it means; the announcement; whether they agree.
        ("active,2026-11-30", last_day, dated("2026-11-30", last_day), true),
        ("active,2026-12-01", first_day, dated("2026-11-30", last_day), true),
        ("active,2026-11-30", last_day, dated("2026-12-01", first_day), true),
        ("active,2026-12-02", first_day, dated("2026-11-30", last_day), false),
        ("active,2026-12-01", last_day, dated("2026-12-01", first_day), false),
        // Midnight in Auckland is noon of the day before in Greenwich.
        ("active,2026-12-01", first_day, instant("2026-11-30T11:00:00Z"), true),
        ("active,2026-11-30", last_day, instant("2026-11-30T11:00:00Z"), true),
        ("active,2026-11-30", last_day, instant("2026-11-30T04:00:00Z"), true),
        ("active,2026-12-01", last_day, instant("2026-11-30T11:00:00Z"), false),
    ];
    for (row, means, effective, agrees) in table {
        let company = Company::new(1).await.with_sources(json!({ "roster_end_date": means }));
        let mut end = end("e", "2026-11-30T11:00:00Z", 0);
        end["effective"] = effective.clone();
        company.deliver(&[envelope(&end)]).await;
        let roster = format!("worker_id,time_zone,status,end_date\nlwa-0,Pacific/Auckland,{row}\n");
        in_force(&company, &roster, "2026-11-24T02:00:00Z").await;
        company.until("2026-12-02T00:00:00Z").await;
        let expected = if agrees { "Suspended" } else { "Registered" };
        assert_eq!(user(&company, 0), expected, "{row} {means} {effective}");
    }
}

#[tokio::test]
async fn a_roster_that_does_not_speak_of_ends_holds_none() {
    for (roster, expected) in [
        ("worker_id,status\nlwa-0,active\n", "Suspended"),
        ("worker_id,status,last_day_of_work\nlwa-0,active,\n", "Registered"),
    ] {
        let company = Company::new(1).await;
        company.deliver(&[envelope(&end("e", "2026-11-24T18:00:00Z", 0))]).await;
        in_force(&company, roster, "2026-11-24T02:00:00Z").await;
        company.until("2026-11-24T18:00:00Z").await;
        assert_eq!(user(&company, 0), expected, "{roster}");
    }
}

#[tokio::test]
async fn a_roster_older_than_the_announcement_has_no_say() {
    let company = Company::new(1).await;
    in_force(&company, "worker_id,status,end_date\nlwa-0,active,\n", "2026-11-19T02:00:00Z").await;
    company.deliver(&[envelope(&end("e", "2026-11-24T18:00:00Z", 0))]).await;
    company.until("2026-11-24T18:00:00Z").await;
    assert_eq!(user(&company, 0), "Suspended");
}

/// Puts a roster in force that was dropped at an instant.
pub(crate) async fn in_force(company: &Company, csv: &str, dropped: &str) {
    let at: Timestamp = dropped.parse().unwrap();
    let mut rows: Vec<Row> = Vec::new();
    let count = read(Format::Csv, csv.as_bytes(), Shrinkage { before: None, percent: 0 }, |row| {
        rows.push(row);
        Ok::<(), Refused>(())
    });
    let version = Version::new(at, at, 1);
    let deadline = Deadline::at(company.stage.deadline().instant() + SignedDuration::from_hours(1));
    let roster = company.roster();
    let loading = roster.loading();
    loading.put(&version, &rows, deadline).await.unwrap();
    loading.end(&version, deadline).await.unwrap();
    let source = "roster/all.csv".to_owned();
    let index = Index {
        version,
        rows: count.unwrap(),
        without_address: 0,
        loaded_at: at,
        runs: Vec::new(),
        leavers: Vec::new(),
        source,
    };
    let before = company.roster().current().await.unwrap();
    company.roster().take_force(&index, before.as_ref()).await.unwrap();
}
