//! One table: a vendor's fixture, what is known besides, and what it comes to: what was missing, and whence it came.

mod bench;
mod records;

use super::lines;
use bench::{Bench, GIL, NEW, OLD, with};
use rollcall::intake::Source;
use serde_json::json;

#[tokio::test]
async fn what_the_roster_knows_completes_an_event() {
    let bench = Bench::new().await;
    bench
        .check(vec![
            (
                Source::HiBob,
                "hibob/hire",
                with(OLD),
                &["hire/effective | 100 bo@acme.example | 2026-12-01 Europe/Berlin start | hire | \
                   worker<roster email<roster zone<roster date<roster |"],
            ),
            // Announced on the 20th, for a day that the older roster has too.
            (
                Source::Gusto,
                "gusto/termination.scheduled",
                with(OLD),
                &["termination/scheduled | 101 gil@acme.example | 2026-12-31 America/Los_Angeles last_day | termination | \
                   worker<roster email<roster zone<roster date<roster |"],
            ),
            // It is in force, so the day to come is not its day.
            (
                Source::Gusto,
                "gusto/termination.effective",
                with(OLD),
                &["termination/effective | 101 gil@acme.example | \
                   - America/Los_Angeles instant @2026-11-20T08:15:00Z | termination | \
                   worker<roster email<roster zone<roster date<event_time |"],
            ),
            (
                Source::Personio,
                "personio/termination",
                with(OLD),
                &["termination/effective | 102 pia@acme.example | 2026-11-29 Europe/Madrid last_day | termination | \
                   worker<roster email<roster zone<roster date<roster |"],
            ),
            (
                Source::Personio,
                "personio/termination",
                with(OLD).policy(json!({ "roster_end_date": "first_day_inactive" })),
                &["termination/effective | 102 pia@acme.example | 2026-11-29 Europe/Madrid first_day_off | termination | \
                   worker<roster email<roster zone<roster date<roster |"],
            ),
            (
                Source::Greenhouse,
                "greenhouse/hire.scheduled",
                with(OLD),
                &["hire/scheduled | 104 noor.haddad@acme.example | 2027-02-01 Europe/Paris start | hire | \
                   worker<roster email<roster zone<roster | time"],
            ),
            // Announced or in force, nobody said: the roster's day is to come.
            (
                Source::Adp,
                "adp/termination",
                with(OLD),
                &["termination/scheduled | 00007731 adele@acme.example | 2026-12-15 America/New_York last_day | \
                   termination | email<roster zone<roster date<roster phase<roster | time"],
            ),
            (
                Source::Merge,
                "merge/termination.effective",
                with(OLD),
                &["termination/effective | 105 ines.okafor@acme.example | 2026-11-18 Africa/Lagos last_day | termination | \
                   worker<roster zone<roster | time"],
            ),
            (
                Source::Merge,
                "merge/termination.undated",
                with(OLD),
                &["termination/effective | 105 ines.okafor@acme.example | 2026-11-18 Africa/Lagos last_day | termination | \
                   worker<roster zone<roster date<roster | time"],
            ),
            (
                Source::Deel,
                "deel/termination",
                with(OLD).policy(json!({ "systems": { "deel": { "end_date": "first_day_inactive" } } })),
                &["termination/effective | 106 dee@acme.example | 2026-11-27 Pacific/Auckland first_day_off | \
                   termination | worker<roster email<roster zone<roster |"],
            ),
        ])
        .await;
}

#[tokio::test]
async fn logins_and_compromises_are_completed_in_their_subject_and_stay_what_they_are() {
    let bench = Bench::new().await;
    bench
        .check(vec![
            (
                Source::Okta,
                "okta/account_status.deactivated",
                with(NEW),
                &["account_status/effective | 103 mara.lindqvist@acme.example |  | - | worker<roster |"],
            ),
            (
                Source::Okta,
                "okta/credential_compromise",
                with(NEW),
                &["credential_compromise/detected | 103 mara.lindqvist@acme.example |  | - | worker<roster |"],
            ),
            (
                Source::Okta,
                "okta/identity_change",
                with(NEW),
                &["identity_change/effective | 103 mara.lindqvist@acme.example |  | - | worker<roster | values"],
            ),
            (
                Source::Auth0,
                "auth0/account_status.deleted",
                with(NEW),
                &["account_status/effective | 109 liv.brandt@acme.example |  | - | worker<roster email<roster |"],
            ),
            (
                Source::Okta,
                "okta/account_status.deactivated",
                with(""),
                &["account_status/effective | - mara.lindqvist@acme.example |  | - |  | worker"],
            ),
        ])
        .await;
}

/// Rollcall's own event means what it says; one whose day has come is in force.
#[tokio::test]
async fn a_canonical_event_keeps_its_words() {
    let bench = Bench::new().await;
    let told = bench.run(Source::Canonical, "canonical/detail", &with(NEW)).await;
    assert_eq!(
        lines(&told[0]),
        ["termination/effective | 000417 lin@acme.example | 2026-11-30 Europe/Paris last_day | - |  |"]
    );
}

#[tokio::test]
async fn what_nobody_knows_stays_missing() {
    let bench = Bench::new().await;
    let zone = json!({ "zone": "Europe/Paris" });
    bench
        .check(vec![
            (
                Source::Adp,
                "adp/termination.changed",
                with(OLD),
                &["termination/scheduled | - - | 2027-03-31 - last_day | termination |  | email worker zone phase time"],
            ),
            (
                Source::Adp,
                "adp/termination.changed",
                with(OLD).policy(zone.clone()),
                &["termination/scheduled | - - | 2027-03-31 Europe/Paris last_day | termination | \
                   zone<policy phase<policy | email worker time"],
            ),
            // Announced, and undated: the road holds it.
            (
                Source::Gusto,
                "gusto/rehire.scheduled",
                with(OLD),
                &["rehire/scheduled | 101 gil@acme.example | - America/Los_Angeles unknown | rehire | \
                   worker<roster email<roster zone<roster | date"],
            ),
            // In force, and dated by itself: its own time will do.
            (
                Source::HiBob,
                "hibob/leave",
                with(""),
                &["leave/effective | - - | - - instant @2026-11-30T23:00:02.118Z | - | date<event_time | email worker"],
            ),
            // A date of the sender's own is not overruled by the time of its event.
            (
                Source::Deel,
                "deel/termination",
                with(""),
                &["termination/effective | - - | 2026-11-27 - last_day | termination |  | email worker zone"],
            ),
            (
                Source::Gusto,
                "gusto/termination.effective",
                with("").policy(json!({ "systems": { "gusto": { "subject_is_worker_id": true } } })),
                &[&format!(
                    "termination/effective | {GIL} - | - - instant @2026-11-20T08:15:00Z | termination | \
                     worker<policy date<event_time | email"
                )],
            ),
        ])
        .await;
}
