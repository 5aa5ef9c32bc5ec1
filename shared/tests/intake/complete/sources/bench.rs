//! The bench on which a fixture goes from bytes to complete events, and the people whom the roster knows.

use crate::complete::stage::{Drawer, Office};
use crate::complete::{facts, lines, parsed};
use rollcall::intake::adapt::adapt;
use rollcall::intake::complete::{Completed, Vendors, complete, look_up};
use rollcall::intake::{Adapted, Headers, Received, Source};
use rollcall::person::Fact;
use rollcall::policy::Policy;
use rollcall::roster::Version;
use rollcall_local::vendors::{LocalVendor, Person, Vendor};
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
pub(super) const OLD: &str = "2026-11-16T00:00:00Z";
pub(super) const NEW: &str = "2026-12-01T09:00:30Z";

/// What is known besides the roster.
#[derive(Clone, Default)]
pub(super) struct With {
    roster: &'static str,
    api: Option<Person>,
    facts: Vec<Fact>,
    policy: serde_json::Value,
}

pub(super) fn with(roster: &'static str) -> With {
    With { roster, policy: json!({}), ..With::default() }
}

impl With {
    pub(super) fn api(self, api: Person) -> With {
        With { api: Some(api), ..self }
    }

    pub(super) fn ledger(self, facts: impl IntoIterator<Item = Fact>) -> With {
        With { facts: facts.into_iter().collect(), ..self }
    }

    pub(super) fn policy(self, policy: serde_json::Value) -> With {
        With { policy, ..self }
    }
}

pub(super) struct Bench {
    pub(super) office: Office,
    pub(super) old: Version,
    pub(super) new: Version,
}

impl Bench {
    pub(super) async fn new() -> Bench {
        let office = Office::new(NOW).await;
        let (old, new) = (office.load(OLD, ROSTER).await, office.load(NEW, ROSTER).await);
        Bench { office, old, new }
    }

    /// Adapts a fixture, looks its people up and completes it: all elements, in order.
    pub(super) async fn run(&self, source: Source, name: &str, with: &With) -> Vec<Completed> {
        let path = format!("{}/../events/sources/{name}.json", env!("CARGO_MANIFEST_DIR"));
        let body = std::fs::read(path).unwrap();
        let headers = Headers::new([("greenhouse-event-id", "g-1"), ("finch-event-id", "f-1")]);
        let received = Received { body: &body, headers: &headers, at: NOW.parse().unwrap() };
        let known =
            [(Source::BambooHr, Vendor::BambooHr), (Source::HiBob, Vendor::HiBob), (Source::Gusto, Vendor::Gusto)];
        // Of the other sources no API is asked, whoever answers there.
        let vendor = known.iter().find(|(known, _)| *known == source).map_or(Vendor::Personio, |(_, vendor)| *vendor);
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

    pub(super) async fn check(&self, table: Vec<(Source, &str, With, &[&str])>) {
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

pub(super) fn person(id: &str, started: &str, ends: Option<&str>) -> Person {
    Person {
        id: id.into(),
        worker_id: Some("4711".into()),
        email: Some("api@acme.example".into()),
        started: Some(started.into()),
        ends: ends.map(Into::into),
        ..Person::default()
    }
}

pub(super) const BOB: &str = "3160045127339704991";
pub(super) const GIL: &str = "e7731000-aaaa-4bbb-8ccc-ddddeeeeffff";
pub(super) const PIA: &str = "410077";
