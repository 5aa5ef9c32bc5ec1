//! One table: fixture, and what it is expected to say. Each source's lines stand at the end of its module.

mod arbitrary;
mod provider;

use super::*;
use crate::event::wire::{Detail, EmailKind};
use crate::intake::Headers;
use std::collections::BTreeSet;

/// A fixture and what it is expected to say.
pub(super) struct Case {
    pub(super) name: &'static str,
    pub(super) body: &'static str,
    pub(super) headers: &'static [(&'static str, &'static str)],
    /// `kind/phase=login | subject | effective date | missing`, one an element. `parked` before those that nobody reads.
    pub(super) expected: &'static [&'static str],
}

/// Every source that is written, with its cases.
const SOURCES: &[(Source, &[Case])] = &[
    (Source::Okta, okta::CASES),
    (Source::BambooHr, bamboohr::CASES),
    (Source::HiBob, hibob::CASES),
    (Source::Gusto, gusto::CASES),
    (Source::Finch, finch::CASES),
    (Source::Auth0, auth0::CASES),
    (Source::OneLogin, onelogin::CASES),
    (Source::Personio, personio::CASES),
    (Source::Greenhouse, greenhouse::CASES),
    (Source::Adp, adp::CASES),
    (Source::Ukg, ukg::CASES),
    (Source::Entra, entra::CASES),
    (Source::SailPoint, sailpoint::CASES),
    (Source::Merge, merge::CASES),
    (Source::Deel, deel::CASES),
    (Source::IdentityCenter, identity_center::CASES),
];

/// When every fixture is received.
const AT: &str = "2026-12-01T09:00:00Z";

fn received(source: Source, body: &[u8], headers: &[(&str, &str)]) -> Vec<Adapted> {
    let headers = Headers::new(headers.iter().copied());
    adapt(source, Received { body, headers: &headers, at: AT.parse().unwrap() })
}

fn cases() -> impl Iterator<Item = (Source, &'static Case)> {
    SOURCES.iter().flat_map(|(source, cases)| cases.iter().map(|case| (*source, case)))
}

fn detail(adapted: &Adapted) -> Option<&Detail> {
    match adapted {
        Adapted::Event(event) | Adapted::Unclassified { event, .. } => Some(event),
        Adapted::Nothing(_) => None,
    }
}

/// The line that a case expects.
fn line(adapted: &Adapted) -> String {
    let Some(event) = detail(adapted) else { return "nothing".into() };
    let word = |value: &dyn erased::Word| value.word();
    let parked = if matches!(adapted, Adapted::Unclassified { .. }) { "parked " } else { "" };
    let login = event.status.as_ref().and_then(|status| status.after).map(|after| format!("={}", word(&after)));
    let email = event.subject.email_kind.filter(|_| event.subject.email.is_some()).map(|kind| match kind {
        EmailKind::Work => "email(work)",
        EmailKind::Login => "email(login)",
        EmailKind::Personal => "email(personal)",
        EmailKind::Unknown => "email(unknown)",
    });
    let subject: Vec<&str> = [
        event.subject.worker_id.as_ref().map(|_| "worker"),
        event.subject.provider_subject_id.as_ref().map(|_| "id"),
        email,
    ]
    .into_iter()
    .flatten()
    .collect();
    let date = event.effective.as_ref().and_then(|effective| effective.date.as_deref()).unwrap_or("-");
    let missing: Vec<String> = event.missing.iter().map(|missing| word(missing)).collect();
    format!(
        "{parked}{}/{}{} | {} | {date} | {}",
        word(&event.kind),
        word(&event.phase),
        login.unwrap_or_default(),
        subject.join(" "),
        missing.join(" ")
    )
}

/// Names as the wire writes them; of a missing fact a short one.
mod erased {
    pub(super) trait Word {
        fn word(&self) -> String;
    }

    impl<T: serde::Serialize> Word for T {
        fn word(&self) -> String {
            let name = serde_json::to_value(self).unwrap().as_str().unwrap().to_owned();
            match name.as_str() {
                "subject.email" => "email".into(),
                "subject.workerId" => "worker".into(),
                "effective.date" => "date".into(),
                "effective.zone" => "zone".into(),
                "changes.values" => "values".into(),
                "occurredAt" => "time".into(),
                _ => name,
            }
        }
    }
}

fn check(source: Source) {
    let (_, cases) = SOURCES.iter().find(|(named, _)| *named == source).unwrap();
    for case in *cases {
        let lines: Vec<String> = received(source, case.body.as_bytes(), case.headers).iter().map(line).collect();
        assert_eq!(lines, case.expected, "{}", case.name);
    }
}

macro_rules! tables {
    ($($name:ident: $source:ident),+ $(,)?) => {
        $(#[test]
        fn $name() {
            check(Source::$source);
        })+
    };
}

tables! {
    okta_table: Okta,
    bamboohr_table: BambooHr,
    hibob_table: HiBob,
    gusto_table: Gusto,
    finch_table: Finch,
    auth0_table: Auth0,
    onelogin_table: OneLogin,
    personio_table: Personio,
    greenhouse_table: Greenhouse,
    adp_table: Adp,
    ukg_table: Ukg,
    entra_table: Entra,
    sailpoint_table: SailPoint,
    merge_table: Merge,
    deel_table: Deel,
    identity_center_table: IdentityCenter,
}

/// What every answer owes, whatever came.
fn is_canonical(source: Source, adapted: &Adapted) {
    let Some(event) = detail(adapted) else { return };
    let text = serde_json::to_string(event).unwrap();
    let parsed = crate::event::parse(&text).unwrap_or_else(|refusal| panic!("{}: {refusal:?}", source.as_str()));
    assert!(parsed.id.as_str().starts_with(&format!("{}:", source.as_str())));
    assert!(event.assurance.is_none());
}

#[test]
fn the_road_accepts_every_event_and_no_address_is_another_ones() {
    for (source, case) in cases() {
        for adapted in received(source, case.body.as_bytes(), case.headers) {
            is_canonical(source, &adapted);
            let text = detail(&adapted).map(|event| serde_json::to_string(event).unwrap()).unwrap_or_default();
            // Administrators, private addresses, former employers, managers: none of them is the person.
            assert!(!text.contains("never.example"), "{}", case.name);
        }
    }
}

#[test]
fn what_is_received_twice_is_one_event() {
    for (source, case) in cases() {
        let ids = || -> Vec<String> {
            let all = received(source, case.body.as_bytes(), case.headers);
            all.iter().filter_map(detail).map(|event| event.event_id.clone()).collect()
        };
        let first = ids();
        assert_eq!(first, ids(), "{}", case.name);
        assert_eq!(first.iter().collect::<BTreeSet<_>>().len(), first.len(), "{}: one id each", case.name);
    }
}

/// Every fixture is read by a case: none lies about unused.
#[test]
fn every_fixture_is_in_the_table() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../events/sources");
    let named: BTreeSet<String> = cases().map(|(_, case)| format!("{}.json", case.name)).collect();
    for (source, _) in SOURCES {
        for entry in std::fs::read_dir(format!("{folder}/{}", source.as_str())).unwrap() {
            let name = format!("{}/{}", source.as_str(), entry.unwrap().file_name().to_str().unwrap());
            // Handshakes are answered before anything is adapted.
            if ["okta/challenge.txt", "hibob/ping.text.json", "hibob/ping.object.json"].contains(&name.as_str()) {
                continue;
            }
            assert!(named.contains(&name), "{name}");
        }
    }
}
