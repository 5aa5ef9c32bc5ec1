//! One table: a vendor's fixture, what is known besides, and what it comes to: what was missing, and whence it came.

use super::stage::{Drawer, Office};
use super::{fact, facts, lines, parsed};
use rollcall::intake::adapt::adapt;
use rollcall::intake::complete::{Completed, Vendors, complete, look_up};
use rollcall::intake::{Adapted, Headers, Received, Source};
use rollcall::person::{Fact, FactKind};
use rollcall::policy::Policy;
use rollcall::roster::Version;
use rollcall_local::vendors::{LocalVendor, Person, Standing, Vendor};
use serde_json::json;

/// When every fixture is received and completed.
const NOW: &str = "2026-12-01T09:00:00Z";

/// The people of the fixtures, by the ids that each vendor has for them, qualified or bare.
const ROSTER: &str = "\
worker_id,object_id,email,time_zone,status,start_date,end_date
100,hibob:3160045127339704991,bo@acme.example,Europe/Berlin,active,2026-12-01,
101,e7731000-aaaa-4bbb-8ccc-ddddeeeeffff,gil@acme.example,America/Los_Angeles,active,2019-05-06,2026-12-31
102,personio:410077,pia@acme.example,Europe/Madrid,terminated,2018-01-01,2026-11-29
103,okta:00uMARA7731,mara.lindqvist@acme.example,Europe/Stockholm,active,,
104,9017731,noor.haddad@acme.example,Europe/Paris,pre_hire,2027-02-01,
00007731,,adele@acme.example,America/New_York,active,2015-01-01,2026-12-15
105,,ines.okafor@acme.example,Africa/Lagos,terminated,2016-01-01,2026-11-18
106,deel:ctr7731,dee@acme.example,Pacific/Auckland,active,2021-01-01,
107,sailpoint:2c9180777731,tove.dahl@acme.example,Europe/Oslo,terminated,2017-01-01,2026-11-15
108,finch:f7731000-2222-4222-8222-000000000003,fay@acme.example,Europe/Rome,active,2015-01-01,
109,one-of-two;auth0:auth0|7731,liv.brandt@acme.example,,active,,
";

/// Dropped before any fixture's event, and after all of them.
const OLD: &str = "2026-11-16T00:00:00Z";
const NEW: &str = "2026-12-01T09:00:30Z";

/// What is known besides the roster.
#[derive(Clone, Default)]
struct With {
    roster: &'static str,
    api: Option<Person>,
    facts: Vec<Fact>,
    policy: serde_json::Value,
}

fn with(roster: &'static str) -> With {
    With { roster, policy: json!({}), ..With::default() }
}

impl With {
    fn api(self, api: Person) -> With {
        With { api: Some(api), ..self }
    }

    fn ledger(self, facts: impl IntoIterator<Item = Fact>) -> With {
        With { facts: facts.into_iter().collect(), ..self }
    }

    fn policy(self, policy: serde_json::Value) -> With {
        With { policy, ..self }
    }
}

struct Bench {
    office: Office,
    old: Version,
    new: Version,
}

impl Bench {
    async fn new() -> Bench {
        let office = Office::new(NOW).await;
        let (old, new) = (office.load(OLD, ROSTER).await, office.load(NEW, ROSTER).await);
        Bench { office, old, new }
    }

    /// Adapts a fixture, looks its people up and completes it: all elements, in order.
    async fn run(&self, source: Source, name: &str, with: &With) -> Vec<Completed> {
        let path = format!("{}/../events/sources/{name}.json", env!("CARGO_MANIFEST_DIR"));
        let body = std::fs::read(path).unwrap();
        let headers = Headers::new([("greenhouse-event-id", "g-1"), ("finch-event-id", "f-1")]);
        let received = Received { body: &body, headers: &headers, at: NOW.parse().unwrap() };
        let vendor = match source {
            Source::BambooHr => Vendor::BambooHr,
            Source::HiBob => Vendor::HiBob,
            Source::Gusto => Vendor::Gusto,
            _ => Vendor::Personio,
        };
        let api = LocalVendor::start(vendor, "user:secret", with.api.iter().cloned().collect()).await.unwrap();
        let mut tokens = Drawer::default();
        if with.api.is_some() {
            tokens.0.insert(source, "user:secret".into());
        }
        let mut policy = with.policy.clone();
        policy["systems"][source.as_str()]["api"] = json!(api.endpoint());
        let rules = Policy::parse(&json!({ "sources": policy }).to_string()).unwrap().sources;
        let vendors = Vendors::new(self.office.host.clone()).unwrap();
        let version = match with.roster {
            "" => None,
            OLD => Some(&self.old),
            _ => Some(&self.new),
        };
        let mut all = Vec::new();
        for adapted in adapt(source, received) {
            let Adapted::Event(detail) = adapted else { panic!("{name} is an event") };
            let roster = (&self.office.roster, version);
            let gathered = look_up(&detail, source, roster, (&vendors, &tokens), &rules).await.unwrap();
            let now = "2026-12-01T09:01:00Z".parse().unwrap();
            all.push(complete(*detail, source, &gathered, &facts(with.facts.clone()), &rules, now));
        }
        all
    }

    async fn check(&self, table: Vec<(Source, &str, With, &[&str])>) {
        for (source, name, with, expected) in table {
            let completed = self.run(source, name, &with).await;
            let told: Vec<String> = completed.iter().flat_map(lines).collect();
            assert_eq!(told, expected, "{name} {}", with.roster);
            for event in completed.iter().filter_map(|completed| match completed {
                Completed::Events(events) => Some(events),
                Completed::Parked(..) | Completed::Nothing(_) => None,
            }) {
                // What the road reads agrees with what stands there.
                event.iter().for_each(|event| assert!(parsed(event).id.as_str().starts_with(source.as_str())));
            }
        }
    }
}

fn person(id: &str, started: &str, ends: Option<&str>) -> Person {
    Person {
        id: id.into(),
        worker_id: Some("4711".into()),
        email: Some("api@acme.example".into()),
        started: Some(started.into()),
        ends: ends.map(Into::into),
        ..Person::default()
    }
}

const BOB: &str = "3160045127339704991";
const GIL: &str = "e7731000-aaaa-4bbb-8ccc-ddddeeeeffff";
const PIA: &str = "410077";

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
            (Source::SailPoint, "sailpoint/changed", with(OLD), &[no_record]),
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
