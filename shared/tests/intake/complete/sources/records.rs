//! What the ledger and the sender's own API know, and what comes of notices.

use super::bench::{BOB, Bench, GIL, NEW, OLD, PIA, person, with};
use crate::complete::fact;
use rollcall::intake::Source;
use rollcall::person::FactKind;
use rollcall_local::vendors::{Person, Standing};
use serde_json::json;

#[tokio::test]
async fn a_rescission_takes_back_what_the_ledger_has() {
    let bench = Bench::new().await;
    let end = fact(FactKind::Termination, "termination", Some("2026-12-31"), Some("2027-01-01T08:00:00Z"));
    let other = fact(FactKind::Termination, "termination:2026-12-30", Some("2026-12-30"), None);
    let gil = "101 gil@acme.example";
    bench
        .check(vec![
            (
                Source::Gusto,
                "gusto/termination.rescinded",
                with(OLD).ledger([end.clone(), fact(FactKind::Termination, "old", Some("2027-05-05"), None)]),
                &[&format!(
                    "termination/rescinded | {gil} | 2026-12-31 America/Los_Angeles instant @2027-01-01T08:00:00Z | \
                     termination | worker<roster email<roster zone<roster date<ledger |"
                )],
            ),
            // Another sender announced it, under a name of its own.
            (
                Source::Gusto,
                "gusto/termination.rescinded",
                with(OLD).ledger([other]),
                &[&format!(
                    "termination/rescinded | {gil} | 2026-12-30 America/Los_Angeles last_day | \
                     termination:2026-12-30 | worker<roster email<roster zone<roster date<ledger |"
                )],
            ),
            (
                Source::Gusto,
                "gusto/termination.rescinded",
                with(OLD),
                &[&format!(
                    "termination/rescinded | {gil} | - America/Los_Angeles instant @2026-11-20T08:15:00Z | \
                     termination | worker<roster email<roster zone<roster date<event_time |"
                )],
            ),
            (
                Source::Adp,
                "adp/rescinded",
                with(""),
                &[
                    "termination/rescinded | 00007731 - | - - instant @2026-12-01T09:00:00Z | termination | \
                     date<event_time | email time",
                    "rehire/rescinded | 00007731 - | - - instant @2026-12-01T09:00:00Z | rehire | \
                     date<event_time | email time",
                    "hire/rescinded | 00007731 - | - - instant @2026-12-01T09:00:00Z | hire | \
                     date<event_time | email time",
                ],
            ),
        ])
        .await;
}

#[tokio::test]
async fn the_api_is_asked_for_what_the_roster_lacks() {
    let bench = Bench::new().await;
    let gil = |ends| person(GIL, "2019-05-06", Some(ends));
    bench
        .check(vec![
            // The roster is older than the announcement: its day may be another's.
            (
                Source::Gusto,
                "gusto/termination.scheduled",
                with(OLD).api(gil("2026-12-24")),
                &["termination/scheduled | 101 gil@acme.example | 2026-12-24 America/Los_Angeles last_day | termination | \
                   worker<roster email<roster zone<roster date<api |"],
            ),
            (
                Source::Gusto,
                "gusto/termination.effective",
                with(OLD).api(gil("2026-11-19")),
                &["termination/effective | 101 gil@acme.example | 2026-11-19 America/Los_Angeles last_day | termination | \
                   worker<roster email<roster zone<roster date<api |"],
            ),
            // Without a roster, everything is the API's but the zone; an end without a zone is as good as its event's time.
            (
                Source::Gusto,
                "gusto/termination.effective",
                with("").api(gil("2026-11-19")),
                &["termination/effective | - api@acme.example | 2026-11-19 - instant @2026-11-20T08:15:00Z | termination | \
                   email<api date<api | worker"],
            ),
            (
                Source::Gusto,
                "gusto/rehire.scheduled",
                with(OLD).api(Person {
                    rehired: Some("2027-01-11".into()),
                    standing: Standing::Terminated,
                    ..gil("2026-09-30")
                }),
                &["rehire/scheduled | 101 gil@acme.example | 2027-01-11 America/Los_Angeles start | rehire | \
                   worker<roster email<roster zone<roster date<api |"],
            ),
            (
                Source::Personio,
                "personio/hire",
                with(OLD).api(person(PIA, "2026-11-30", None)),
                &["hire/effective | 102 pia@acme.example | 2026-11-30 Europe/Madrid start | hire | \
                   worker<roster email<roster zone<roster date<api |"],
            ),
            (
                Source::HiBob,
                "hibob/hire",
                with("").api(person(BOB, "2026-12-01", None)).policy(json!({ "zone": "Europe/Oslo" })),
                &["hire/effective | 4711 api@acme.example | 2026-12-01 Europe/Oslo start | hire | \
                   worker<api email<api zone<policy date<api |"],
            ),
        ])
        .await;
}

#[tokio::test]
async fn notices_become_what_the_record_says() {
    let bench = Bench::new().await;
    let gone = Person { standing: Standing::Terminated, ..person(BOB, "2020-01-02", Some("2026-11-30")) };
    let ann = person("7731", "2020-01-02", Some("2026-12-31"));
    let no_answer = "parked: it says no more than that a record changed, and the sender's API did not tell of the person: \
                     add a token for it, or redrive the event once a later roster was loaded";
    let no_record = "parked: it says no more than that a record changed: redrive it once a later roster was loaded";
    let no_news = "nothing: the record says nothing that the ledger does not have";
    bench
        .check(vec![
            (
                Source::HiBob,
                "hibob/left",
                with(OLD).api(gone),
                &["termination/effective | 100 bo@acme.example | 2026-11-30 Europe/Berlin last_day | termination | \
                   worker<roster email<roster kind<api phase<api date<api zone<roster |"],
            ),
            // Nobody knows the zone: the end is held, and not announced nor in force.
            (
                Source::BambooHr,
                "bamboohr/updated",
                with("").api(ann.clone()),
                &["termination/scheduled | 4711 api@acme.example | 2026-12-31 - last_day | termination | \
                   worker<api email<api kind<api date<api | zone phase"],
            ),
            (
                Source::BambooHr,
                "bamboohr/updated",
                with("").api(ann).policy(json!({ "systems": { "bamboohr": { "zone": "America/Denver" } } })),
                &["termination/scheduled | 4711 api@acme.example | 2026-12-31 America/Denver last_day | termination | \
                   worker<api email<api kind<api phase<api date<api zone<policy |"],
            ),
            (Source::BambooHr, "bamboohr/updated", with(OLD), &[no_answer]),
            (Source::BambooHr, "bamboohr/updated", with(OLD).api(person("7732", "2020-01-02", None)), &[no_answer]),
            // It was so before the notice already.
            (
                Source::SailPoint,
                "sailpoint/changed",
                with(OLD),
                &["termination/effective | 107 tove.dahl@acme.example | 2026-11-15 Europe/Oslo last_day | termination | \
                   worker<roster email<roster kind<roster phase<roster date<roster zone<roster | time"],
            ),
            (Source::Finch, "finch/individual", with(OLD), &[no_record]),
            (
                Source::SailPoint,
                "sailpoint/changed",
                with(NEW),
                &["termination/effective | 107 tove.dahl@acme.example | 2026-11-15 Europe/Oslo last_day | termination | \
                   worker<roster email<roster kind<roster phase<roster date<roster zone<roster | time"],
            ),
            (Source::Finch, "finch/individual", with(NEW), &[no_news]),
            (Source::Ukg, "ukg/changed", with(NEW), &[no_record]),
            (Source::Entra, "entra/workflow", with(NEW), &[no_record]),
        ])
        .await;
}

#[tokio::test]
async fn what_two_people_have_names_nobody() {
    let bench = Bench::new().await;
    let roster = "worker_id,object_id,email,status\n1,sailpoint:2c9180777731,a@acme.example,active\n\
                  2,sailpoint:2c9180777731,b@acme.example,active\n";
    let version = bench.office.load("2026-12-01T09:00:40Z", roster).await;
    let bench = Bench { new: version, ..bench };
    bench
        .check(vec![(
            Source::SailPoint,
            "sailpoint/changed",
            with(NEW),
            &["parked: it says no more than that a record changed, and several people of the roster have its identifiers: \
               mend the roster, and redrive it"],
        )])
        .await;
}
