//! Ids, times and tenants: the vendor's own where it has them.

use super::{AT, Received, Source, adapt, cases, detail, is_canonical, received};
use crate::event::wire::OccurredAtSource;
use crate::intake::Headers;
use jiff::Timestamp;

#[test]
fn ids_and_times_are_the_vendors_where_it_has_them() {
    let table = [
        (Source::Okta, "okta/account_status.deactivated", "okta:6a1f0c52-0001", "2026-11-20T08:15:00Z"),
        (
            Source::Gusto,
            "gusto/termination.scheduled",
            "gusto:b3f1c0de-0000-4000-8000-000000000000",
            "2026-11-20T08:15:00Z",
        ),
        (Source::Finch, "finch/individual", "finch:fe_7k2m", "2026-11-20T08:15:00Z"),
        (Source::Greenhouse, "greenhouse/hire.scheduled", "greenhouse:5f0c2a9e-0d7b-4c55-9a53-2f6f4f3f9d11", AT),
        (Source::Deel, "deel/termination.list", "deel:tr-4417aa:ctr7731", "2026-11-27T17:05:00Z"),
        (Source::Auth0, "auth0/account_status.bus", "auth0:evt_2Hq7731", "2026-11-20T08:15:00Z"),
        (Source::OneLogin, "onelogin/bus", "onelogin:0199aaaa-0000-7000-8000-000000000004", "2026-11-20T08:15:00Z"),
        (Source::Adp, "adp/termination", "adp:adp-evt-1", AT),
        (Source::Ukg, "ukg/changed", "ukg:ukg-5512", "2026-11-20T08:15:00Z"),
        (Source::Entra, "entra/workflow", "entra:tpr-88120077", AT),
        (
            Source::IdentityCenter,
            "identitycenter/account_status.disabled",
            "identitycenter:7c20a1be-0000-4000-8000-000000000001",
            "2026-11-20T08:15:00Z",
        ),
        (Source::HiBob, "hibob/leave", "", "2026-11-30T23:00:02.118Z"),
        (Source::BambooHr, "bamboohr/updated", "", "2026-11-20T08:15:00Z"),
        (Source::Merge, "merge/active", "", AT),
    ];
    for (source, name, id, occurred_at) in table {
        let (_, case) = cases().find(|(_, case)| case.name == name).unwrap();
        let all = received(source, case.body.as_bytes(), case.headers);
        let event = detail(&all[0]).unwrap();
        assert_eq!(event.occurred_at, occurred_at, "{name}");
        if id.is_empty() {
            let (prefix, hash) = event.event_id.split_once(':').unwrap();
            assert_eq!((prefix, hash.len()), (source.as_str(), 32), "{name}");
        } else {
            assert_eq!(event.event_id, id, "{name}");
        }
    }
}

#[test]
fn tenants_and_types_are_the_vendors_own() {
    let table = [
        (Source::Okta, "okta/account_status.bus", Some("acme"), "user.lifecycle.activate"),
        (Source::Okta, "okta/account_status.deactivated", None, "user.lifecycle.deactivate"),
        (Source::BambooHr, "bamboohr/updated", Some("40017"), "employee.updated"),
        (Source::HiBob, "hibob/left", Some("61044"), "employee.left"),
        (Source::Finch, "finch/individual", Some("f2000000-1111-4111-8111-000000000002"), "employment.updated"),
        (Source::Personio, "personio/hire", Some("88231"), "employment.started"),
        (Source::Deel, "deel/termination", Some("org-2201"), "contract.terminated"),
        (Source::Auth0, "auth0/account_status.blocked", Some("acme"), "user.updated"),
        (Source::Ukg, "ukg/changed", Some("ACME01"), "EmploymentDetails"),
        (Source::Entra, "entra/workflow", None, "wf-leaver-01"),
        (Source::Merge, "merge/active", None, "employee.changed"),
        (Source::IdentityCenter, "identitycenter/scim.patched", Some("111122223333"), "PatchUser"),
    ];
    for (source, name, tenant, event_type) in table {
        let (_, case) = cases().find(|(_, case)| case.name == name).unwrap();
        let all = received(source, case.body.as_bytes(), case.headers);
        let provider = detail(&all[0]).unwrap().provider.as_ref().unwrap();
        let named = (provider.name.as_str(), provider.tenant.as_deref(), provider.event_type.as_str());
        assert_eq!(named, (source.as_str(), tenant, event_type), "{name}");
    }
}

/// ADP writes employee numbers with leading zeros.
#[test]
fn an_employee_number_is_a_text() {
    let (source, case) = cases().find(|(_, case)| case.name == "adp/termination").unwrap();
    let all = received(source, case.body.as_bytes(), case.headers);
    assert_eq!(detail(&all[0]).unwrap().subject.worker_id.as_deref(), Some("00007731"));
}

/// Two equal snapshots without id and time may be two events; two equal events with a time are one.
#[test]
fn without_id_and_time_the_time_of_receipt_tells_events_apart() {
    let id = |source, name, at: &str| {
        let (_, case) = cases().find(|(_, case)| case.name == name).unwrap();
        let headers = Headers::default();
        let at: Timestamp = at.parse().unwrap();
        let all = adapt(source, Received { body: case.body.as_bytes(), headers: &headers, at });
        detail(&all[0]).unwrap().event_id.clone()
    };
    let later = "2026-12-02T09:00:00Z";
    assert_ne!(id(Source::Merge, "merge/active", AT), id(Source::Merge, "merge/active", later));
    assert_eq!(id(Source::HiBob, "hibob/left", AT), id(Source::HiBob, "hibob/left", later));
}

#[test]
fn a_time_without_an_offset_says_that_utc_was_assumed() {
    for (source, name) in [(Source::HiBob, "hibob/left"), (Source::Ukg, "ukg/changed")] {
        let (_, case) = cases().find(|(_, case)| case.name == name).unwrap();
        let all = received(source, case.body.as_bytes(), case.headers);
        let assumed = detail(&all[0]).unwrap().occurred_at_source;
        assert!(matches!(assumed, Some(OccurredAtSource::PayloadAssumedUtc)), "{name}");
    }
}

#[test]
fn an_id_that_does_not_fit_is_hashed() {
    for id in ["with space", &"x".repeat(200), "né"] {
        let body = serde_json::json!({"EventId": id, "EventType": "Any", "EeId": "1"}).to_string();
        let all = received(Source::Ukg, body.as_bytes(), &[]);
        is_canonical(Source::Ukg, &all[0]);
        assert_eq!(detail(&all[0]).unwrap().event_id.len(), "ukg:".len() + 32);
    }
}
