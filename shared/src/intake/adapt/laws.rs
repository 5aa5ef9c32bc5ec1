//! What holds for every adapter here, whatever is sent.

use super::{canonical, cloud_events, health, risc, scim, successfactors};
use crate::event::{self, Kind, Phase};
use crate::intake::{Adapted, Headers, Received};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jiff::Timestamp;
use proptest::prelude::*;
use serde_json::Value;
use std::time::Duration;

const ADAPTERS: [fn(Received<'_>) -> Vec<Adapted>; 6] =
    [canonical::adapt, cloud_events::adapt, health::adapt, risc::adapt, scim::adapt, successfactors::adapt];

/// When the requests of the tests come.
pub(super) fn now() -> Timestamp {
    "2026-11-16T09:30:05Z".parse().unwrap()
}

/// What an adapter makes of a body.
pub(super) fn adapted(adapt: fn(Received<'_>) -> Vec<Adapted>, body: &[u8]) -> Vec<Adapted> {
    let headers = Headers::default();
    let all = adapt(Received { body, headers: &headers, at: now() });
    all.iter().for_each(holds);
    all
}

/// The one event of a body, as it travels. It is one that every function reads.
pub(super) fn event(adapt: fn(Received<'_>) -> Vec<Adapted>, body: &[u8]) -> Value {
    match &adapted(adapt, body)[..] {
        [Adapted::Event(event)] => serde_json::to_value(event).unwrap(),
        other => panic!("one event, not {other:?}"),
    }
}

/// Why the one element of a body is parked, and what is parked.
pub(super) fn parked(adapt: fn(Received<'_>) -> Vec<Adapted>, body: &[u8]) -> (&'static str, Value) {
    match &adapted(adapt, body)[..] {
        [Adapted::Unclassified { reason, event }] => (reason, serde_json::to_value(event).unwrap()),
        other => panic!("one parked element, not {other:?}"),
    }
}

/// A token with these claims. Nobody signed it: adapters look at what was verified before.
pub(super) fn token(claims: &str) -> Vec<u8> {
    format!("e30.{}.AA", URL_SAFE_NO_PAD.encode(claims)).into_bytes()
}

fn holds(adapted: &Adapted) {
    match adapted {
        Adapted::Event(event) => {
            let text = serde_json::to_string(event).unwrap();
            let parsed = event::parse(&text).map(|parsed| parsed.event_type.kind());
            assert_eq!(parsed, Ok(event.kind));
        }
        Adapted::Unclassified { event, reason } => {
            assert!(!reason.is_empty());
            assert_eq!((event.kind, event.phase), (Kind::Unclassified, Phase::Unknown));
            assert!(event::EventId::parse(&event.event_id).is_ok());
        }
        Adapted::Nothing(reason) => assert!(!reason.is_empty()),
    }
}

/// Whether every adapter answers soon, and with few elements.
fn soon(body: &[u8]) {
    for adapt in ADAPTERS {
        #[expect(clippy::disallowed_methods, reason = "the test measures")]
        let start = std::time::Instant::now();
        assert!(adapted(adapt, body).len() <= 1000);
        assert!(start.elapsed() < Duration::from_secs(5), "{:?}", start.elapsed());
    }
}

#[test]
fn deep_nesting_is_answered() {
    for (open, close) in [("[", "]"), (r#"{"a":"#, "}"), (r#"{"data":"#, "}"), (r#"{"Operations":[{"value":"#, "}]}")] {
        let deep = format!("{}1{}", open.repeat(10_000), close.repeat(10_000));
        soon(deep.as_bytes());
        soon(open.repeat(10_000).as_bytes());
        soon(&token(&deep));
        soon(format!(r#"{{"specversion":"1.0","id":"1","source":"s","type":"t","data":{deep}}}"#).as_bytes());
        soon(&token(&format!(r#"{{"events":{{"e":{deep}}},"sub_id":{deep}}}"#)));
    }
    soon("<a>".repeat(10_000).as_bytes());
    let user = r#"{"format":"complex","user":"#;
    soon(&token(&format!(r#"{{"events":{{"e":{{}}}},"sub_id":{}1{}}}"#, user.repeat(50), "}".repeat(50))));
}

#[test]
fn a_megabyte_is_answered() {
    const SIZE: usize = 1024 * 1024;
    let times = |piece: &str| piece.repeat(SIZE / piece.len());
    soon(times("\0").as_bytes());
    soon(times("é").as_bytes());
    soon(format!("[{}0]", times("0,")).as_bytes());
    soon(format!(r#"{{"a":"{}"}}"#, times("x")).as_bytes());
    soon(format!(r#"{{"Operations":[{}0]}}"#, times("{},")).as_bytes());
    soon(format!(r#"{{"Operations":[{}{{}}]}}"#, times(r#"{"op":"add","path":"active","value":true},"#)).as_bytes());
    soon(format!("<events>{}</events>", times("<event/>")).as_bytes());
    soon(format!("<events>{}</events>", times("<event></event>")).as_bytes());
    soon(format!("<events><event><eventId>{}</eventId></event></events>", times("&amp;")).as_bytes());
    soon(format!("<a {}/>", times("b='c' ")).as_bytes());
    let entities = format!(
        r#"{{"id":"1","source":"aws.health","detail":{{"service":"RISK","eventTypeCode":"CREDENTIALS_EXPOSED","affectedEntities":[{}{{}}]}}}}"#,
        times("{},")
    );
    soon(entities.as_bytes());
    soon(&token(&format!(r#"{{"events":{{{}"e":{{}}}}}}"#, times(r#""e":{},"#))));
    let many: String = (0..60_000).map(|n| format!(r#""{n}":{{}},"#)).collect();
    soon(&token(&format!(r#"{{"events":{{{many}"e":{{}}}}}}"#)));
}

proptest! {
    #[test]
    fn arbitrary_bytes_are_answered(body in prop::collection::vec(any::<u8>(), 0..400)) {
        for adapt in ADAPTERS {
            adapted(adapt, &body);
        }
    }

    #[test]
    fn arbitrary_changes_of_what_is_sent_are_answered(
        which in any::<prop::sample::Index>(),
        at in any::<prop::sample::Index>(),
        with in prop::collection::vec(any::<u8>(), 0..4),
        keep in 0..8_usize,
    ) {
        let samples = SAMPLES;
        let sample = which.get(&samples);
        let at = at.index(sample.len());
        let rest = sample.get(at + keep..).unwrap_or_default();
        let body = [&sample.as_bytes()[..at], &with, rest.as_bytes()].concat();
        for adapt in ADAPTERS {
            adapted(adapt, &body);
            adapted(adapt, &token(&String::from_utf8_lossy(&body)));
        }
    }

    #[test]
    fn the_same_bytes_are_the_same_events(which in any::<prop::sample::Index>()) {
        let samples = SAMPLES;
        let sample = which.get(&samples);
        for adapt in ADAPTERS {
            let ids = || -> Vec<String> {
                adapted(adapt, sample.as_bytes()).iter().filter_map(|one| match one {
                    Adapted::Event(event) | Adapted::Unclassified { event, .. } => Some(event.event_id.clone()),
                    Adapted::Nothing(_) => None,
                }).collect()
            };
            prop_assert_eq!(ids(), ids());
        }
    }
}

const SAMPLES: [&str; 13] = [
    include_str!("../../../../events/sources/successfactors/termination.xml"),
    include_str!("../../../../events/sources/canonical/detail.json"),
    include_str!("../../../../events/sources/canonical/envelope.json"),
    include_str!("../../../../events/sources/cloudevents/event.json"),
    include_str!("../../../../events/sources/cloudevents/batch.json"),
    include_str!("../../../../events/sources/health/credentials_exposed.json"),
    include_str!("../../../../events/sources/scim/patch.path.json"),
    include_str!("../../../../events/sources/scim/patch.on.json"),
    include_str!("../../../../events/sources/scim/put.json"),
    include_str!("../../../../events/sources/risc/credential-compromise.json"),
    include_str!("../../../../events/sources/risc/account-disabled.json"),
    include_str!("../../../../events/sources/risc/identifier-changed.json"),
    include_str!("../../../../events/sources/risc/session-revoked.json"),
];
