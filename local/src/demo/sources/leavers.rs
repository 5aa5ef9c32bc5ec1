//! One leaver for each source: what that system sends about them, and what must come of it. Written from the sources'
//! tables (`docs/sources/README.md`), before any run.

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

/// How a source reaches the intake.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Way {
    /// `Authorization: Bearer <secret>`.
    Bearer,
    /// `Authorization: <secret>`.
    Exact,
    /// A keyed hash in this header, made as the source does it.
    Hmac(&'static str),
    /// A signed token.
    Token,
    /// Nobody can say who sends; the policy lets it in.
    Unverified,
    /// On a bus: its rule puts the event on the intake queue, as the scenario does.
    Bus,
}

/// Somebody who leaves, by what one source tells.
pub(super) struct Leaver {
    /// The source's name, and the person's: `<source>@sources.example`.
    pub(super) source: &'static str,
    /// What is sent, in words.
    pub(super) sent: &'static str,
    pub(super) way: Way,
    /// The method and what follows the source in the address.
    pub(super) to: (&'static str, &'static str),
    /// The source's own id of the person.
    pub(super) id: &'static str,
    /// What the roster says of the last day: none, yesterday.
    pub(super) leaves_by_roster: bool,
    pub(super) body: String,
    /// What the sender did not tell, and where it was found: `fact: whence`, sorted.
    pub(super) filled: &'static [&'static str],
    /// How the user ends.
    pub(super) ends: &'static str,
    /// What is published.
    pub(super) events: &'static [&'static str],
}

const GONE: &str = "Suspended";
const OFF: &[&str] = &["account.status.effective"];
const LEFT: &[&str] = &["worker.termination.effective"];
/// Who it is at work, by the roster.
const WHO: &[&str] = &["subject.email: roster", "subject.workerId: roster"];
const NUMBER: &[&str] = &["subject.workerId: roster"];

/// The token that Personio, `BambooHR`, `HiBob` and Gusto are asked with.
pub(super) const API_TOKEN: &str = "a-token-of-the-demo-for-apis";

/// All of them. `now` is when the scenario begins.
pub(super) fn leavers(now: Timestamp) -> Vec<Leaver> {
    let ago = |hours: i64| now - SignedDuration::from_hours(hours);
    let seconds = |at: Timestamp| at.strftime("%Y-%m-%dT%H:%M:%SZ").to_string();
    let date = |at: Timestamp| at.strftime("%Y-%m-%d").to_string();
    let yesterday = date(ago(24));
    let leaver = |source, sent, way, id, body: Value| Leaver {
        source,
        sent,
        way,
        to: ("POST", ""),
        id,
        leaves_by_roster: true,
        body: with_gossip(body, source).to_string(),
        filled: WHO,
        ends: GONE,
        events: LEFT,
    };
    let canonical = |source: &str| {
        json!({
            "schemaVersion": "1.0", "eventId": format!("leaver-{source}"), "kind": "termination", "phase": "effective",
            "occurredAt": seconds(ago(2)),
            "subject": { "workerId": number(source), "email": address(source), "emailKind": "work" },
            "effective": { "at": seconds(ago(1)), "basis": "instant", "source": "payload" },
        })
    };
    let mut cloud = canonical("cloudevents");
    for member in ["eventId", "occurredAt"] {
        cloud.as_object_mut().map(|detail| detail.remove(member));
    }
    vec![
        Leaver { filled: &[], ..leaver("canonical", "a termination", Way::Bearer, "", canonical("canonical")) },
        Leaver {
            filled: &[],
            ..leaver(
                "cloudevents",
                "a termination in an envelope",
                Way::Bearer,
                "",
                json!({
                    "specversion": "1.0", "id": "leaver-1", "source": "/acme/hr", "type": "example.acme.leaver",
                    "time": seconds(ago(2)), "datacontenttype": "application/json", "data": cloud,
                }),
            )
        },
        Leaver {
            filled: NUMBER,
            events: OFF,
            ..leaver(
                "okta",
                "a login is deactivated",
                Way::Exact,
                "00uLEAVER1",
                json!({
                    "eventId": "hook-1", "eventTime": seconds(ago(1)), "data": { "events": [{
                        "uuid": "okta-leaver-1", "published": seconds(ago(1)), "eventType": "user.lifecycle.deactivate",
                        "actor": { "id": "00uADMIN", "type": "User", "alternateId": "admin@never.example" },
                        "target": [{ "id": "00uLEAVER1", "type": "User", "alternateId": address("okta") }],
                    }] },
                }),
            )
        },
        Leaver {
            filled: NUMBER,
            events: OFF,
            ..leaver(
                "auth0",
                "a login is blocked",
                Way::Bearer,
                "auth0|leaver1",
                json!({
                    "specversion": "1.0", "type": "user.updated", "source": "urn:auth0:acme", "id": "evt_leaver1",
                    "time": seconds(ago(1)), "a0tenant": "acme", "a0stream": "est_1",
                    "data": { "object": { "user_id": "auth0|leaver1", "email": address("auth0"), "blocked": true } },
                }),
            )
        },
        Leaver {
            events: OFF,
            ..leaver(
                "onelogin",
                "a user is suspended by the API",
                Way::Bus,
                "51007001",
                json!({
                    "version": "0", "id": "2d6a77c1-77aa-4b1e-9f13-5a1d2f0b7e13", "detail-type": "event",
                    "source": "aws.partner/onelogin.com/US-90001/acme", "account": "111122223333",
                    "time": seconds(ago(1)), "region": "us-east-1", "resources": [],
                    "detail": {
                        "uuid": "onelogin-leaver-1", "event_type_id": 551, "user_id": 51_007_001,
                        "event_timestamp": ago(1).strftime("%Y-%m-%d %H:%M:%S UTC").to_string(),
                    },
                }),
            )
        },
        Leaver {
            events: OFF,
            ..leaver(
                "identitycenter",
                "DisableUser, by CloudTrail",
                Way::Bus,
                "c3d4e5f6-7081-70aa-1111-000000000001",
                json!({
                    "version": "0", "id": "e1c0f6d2-0000-4000-8000-00000000000a", "detail-type": "AWS API Call via CloudTrail",
                    "source": "aws.sso-directory", "account": "111122223333", "time": seconds(ago(1)),
                    "region": "us-east-1", "resources": [],
                    "detail": {
                        "eventVersion": "1.10", "eventTime": seconds(ago(1)), "eventName": "DisableUser",
                        "eventSource": "sso-directory.amazonaws.com", "eventID": "7c20a1be-0000-4000-8000-00000000000a",
                        "requestParameters": {
                            "identityStoreId": "d-90670000aa", "userId": "c3d4e5f6-7081-70aa-1111-000000000001",
                        },
                        "responseElements": null,
                    },
                }),
            )
        },
        Leaver {
            to: ("PATCH", "/Users/scim-leaver-1"),
            events: OFF,
            ..leaver(
                "scim",
                "PATCH active: false",
                Way::Bearer,
                "scim-leaver-1",
                json!({
                    "schemas": ["urn:ietf:params:scim:api:messages:2.0:PatchOp"],
                    "Operations": [{ "op": "replace", "path": "active", "value": false }],
                }),
            )
        },
        Leaver {
            events: OFF,
            ..leaver(
                "risc",
                "account-disabled, a signed token",
                Way::Token,
                "00uRISC1",
                json!({
                    "iss": "https://idp.sources.example", "aud": "https://rollcall.sources.example",
                    "iat": ago(1).as_second(), "jti": "risc-leaver-1",
                    "sub_id": { "format": "iss_sub", "iss": "https://idp.sources.example", "sub": "00uRISC1" },
                    "events": { "https://schemas.openid.net/secevent/risc/event-type/account-disabled": {} },
                }),
            )
        },
        Leaver {
            filled: &["effective.zone: roster", "subject.workerId: roster"],
            ..leaver(
                "merge",
                "an employee is INACTIVE",
                Way::Hmac("x-merge-webhook-signature"),
                "merge-leaver-1",
                json!({
                    "hook": { "id": "5ab00000-9999-4999-8999-000000000001", "event": "employee.changed" },
                    "data": {
                        "id": "merge-leaver-1", "work_email": address("merge"), "employment_status": "INACTIVE",
                        "termination_date": format!("{yesterday}T00:00:00Z"),
                    },
                }),
            )
        },
        Leaver {
            filled: &["effective.zone: roster", "subject.email: roster", "subject.workerId: roster"],
            ..leaver(
                "deel",
                "a contract was terminated",
                Way::Hmac("x-deel-signature"),
                "deel-leaver-1",
                json!({
                    "data": {
                        "meta": { "event_type": "contract.terminated", "tracking_id": "deel-1", "organization_id": "org-1" },
                        "resource": { "id": "deel-leaver-1", "completion_date": yesterday },
                    },
                    "timestamp": seconds(ago(1)),
                }),
            )
        },
        Leaver {
            filled: &["effective.zone: roster", "subject.email: roster", "subject.workerId: roster"],
            ..leaver("successfactors", "a termination, in XML", Way::Unverified, "sf-leaver-1", Value::Null)
        }
        .with(soap("sf-leaver-1", &date(now), ago(1))),
        Leaver {
            filled: &["effective.date: roster", "effective.zone: roster", "phase: roster", "subject.email: roster"],
            ..leaver(
                "adp",
                "worker.terminate, without a date",
                Way::Unverified,
                "adp-leaver-1",
                json!({
                    "events": [{
                        "eventID": "adp-leaver-1", "eventNameCode": { "codeValue": "worker.terminate" },
                        "data": { "eventContext": { "worker": {
                            "associateOID": "adp-leaver-1", "workerID": { "idValue": number("adp") },
                        } } },
                    }],
                }),
            )
        },
        Leaver {
            filled: &[
                "effective.date: event_time",
                "effective.zone: roster",
                "subject.email: roster",
                "subject.workerId: roster",
            ],
            events: &["worker.hire.rescinded"],
            ..leaver(
                "greenhouse",
                "a hire is taken back",
                Way::Hmac("signature"),
                "9017001",
                json!({
                    "action": "unhire_candidate",
                    "payload": { "application": { "id": 77001, "candidate": { "id": 9_017_001 } } },
                }),
            )
        },
        notice(leaver(
            "finch",
            "employment.updated, a notice",
            Way::Hmac("finch-signature"),
            "finch-leaver-1",
            json!({
                "company_id": "c-1", "connection_id": "n-1", "event_type": "employment.updated",
                "data": { "individual_id": "finch-leaver-1" },
            }),
        )),
        notice(leaver(
            "ukg",
            "EmploymentDetails, a notice",
            Way::Unverified,
            "UKGLEAVER1",
            json!({
                "EventId": "ukg-leaver-1", "EventTime": ago(1).strftime("%Y-%m-%dT%H:%M:%S").to_string(),
                "EventType": "EmploymentDetails", "Operation": "Update", "CoId": "C1", "EeId": "UKGLEAVER1", "Tenant": "ACME",
            }),
        )),
        notice(leaver(
            "entra",
            "a lifecycle workflow ran, a notice",
            Way::Unverified,
            "entra-leaver-1",
            json!({
                "subject": { "id": "entra-leaver-1", "email": null, "userPrincipalName": address("entra") },
                "workflow": { "id": "wf-leaver" }, "taskProcessingResult": { "id": "tpr-leaver-1" },
            }),
        ))
        .with_filled(&[
            "effective.date: roster",
            "effective.zone: roster",
            "kind: roster",
            "phase: roster",
            "subject.workerId: roster",
        ]),
        notice(leaver(
            "sailpoint",
            "an identity changed, a notice",
            Way::Unverified,
            "sp-leaver-1",
            json!({
                "identity": { "type": "IDENTITY", "id": "sp-leaver-1", "name": "a.leaver" },
                "changes": [{ "attribute": "cloudLifecycleState", "oldValue": "active", "newValue": "inactive" }],
            }),
        )),
        by_api(leaver(
            "bamboohr",
            "employee.updated, a notice",
            Way::Hmac("x-bamboohr-signature"),
            "7001",
            json!({
                "type": "employee.updated", "timestamp": ago(1).strftime("%Y-%m-%dT%H:%M:%S+0000").to_string(),
                "data": { "companyId": "40017", "employeeId": "7001", "changedFields": ["status"] },
            }),
        )),
        by_api(leaver(
            "hibob",
            "employee.left, a notice",
            Way::Hmac("bob-signature"),
            "3160045127339700001",
            json!({
                "companyId": 61044, "type": "employee.left", "triggeredBy": "system", "version": "v2",
                "triggeredAt": ago(1).strftime("%Y-%m-%dT%H:%M:%S.000").to_string(),
                "data": { "employeeId": "3160045127339700001" },
            }),
        )),
        Leaver {
            filled: &[
                "effective.date: api",
                "effective.zone: roster",
                "subject.email: roster",
                "subject.workerId: roster",
            ],
            leaves_by_roster: false,
            ..leaver(
                "gusto",
                "terminated_effective, ids only",
                Way::Hmac("x-gusto-signature"),
                "gusto-leaver-1",
                json!({
                    "uuid": "gusto-leaver-1", "event_type": "employee.terminated_effective", "resource_type": "Company",
                    "resource_uuid": "company-1", "entity_type": "Employee", "entity_uuid": "gusto-leaver-1",
                    "timestamp": ago(1).as_second(),
                }),
            )
        },
        Leaver {
            filled: &[
                "effective.date: api",
                "effective.zone: roster",
                "subject.email: roster",
                "subject.workerId: roster",
            ],
            leaves_by_roster: false,
            ..leaver(
                "personio",
                "employment.terminated, ids only",
                Way::Exact,
                "410001",
                json!({
                    "company_id": 88231, "event_name": "employment.terminated", "occurred_at": seconds(ago(1)),
                    "payload": { "person_id": "410001", "employment_id": "510001" }, "meta": {},
                }),
            )
        },
        Leaver {
            // No leaver: an access key in foreign hands signs its holder out, and takes nothing.
            ends: "Registered, signed out",
            events: &["credential.compromise.detected"],
            leaves_by_roster: false,
            ..leaver(
                "health",
                "an access key is exposed",
                Way::Bus,
                "AKIAROLLCALLDEMO001",
                json!({
                    "version": "0", "id": "c3a1d9be-6f6c-4a5b-8c1e-0d7a5e2b9f02", "detail-type": "AWS Health Event",
                    "source": "aws.health", "account": "111122223333", "time": seconds(ago(1)), "region": "us-east-1",
                    "resources": [], "detail": {
                        "service": "RISK", "eventTypeCode": "AWS_RISK_CREDENTIALS_EXPOSED", "eventTypeCategory": "issue",
                        "affectedEntities": [{ "entityValue": "AKIAROLLCALLDEMO001" }],
                    },
                }),
            )
        },
    ]
}

/// What the roster alone says of a notice.
fn notice(leaver: Leaver) -> Leaver {
    leaver.with_filled(&[
        "effective.date: roster",
        "effective.zone: roster",
        "kind: roster",
        "phase: roster",
        "subject.email: roster",
        "subject.workerId: roster",
    ])
}

/// What the vendor's API says of a notice, where the roster says who it is and nothing of an end.
fn by_api(leaver: Leaver) -> Leaver {
    Leaver { leaves_by_roster: false, ..leaver }.with_filled(&[
        "effective.date: api",
        "effective.zone: roster",
        "kind: api",
        "phase: api",
        "subject.email: roster",
        "subject.workerId: roster",
    ])
}

impl Leaver {
    fn with(self, body: String) -> Leaver {
        Leaver { body, ..self }
    }

    fn with_filled(self, filled: &'static [&'static str]) -> Leaver {
        Leaver { filled, ..self }
    }
}

/// Where bodies say something of a person.
const ABOUT: [&str; 10] = [
    "/data/events/0/target/0",
    "/data/object",
    "/data/resource",
    "/detail",
    "/events/0/data/eventContext/worker",
    "/identity",
    "/payload/application/candidate",
    "/payload",
    "/subject",
    "/data",
];

/// Systems tell more than anybody asked for: a name, a private address, a telephone number. Nothing of it may turn up
/// anywhere. The canonical event has no such members.
fn with_gossip(mut body: Value, source: &str) -> Value {
    if !matches!(source, "canonical" | "cloudevents") {
        let place = ABOUT.iter().copied().find(|place| body.pointer(place).is_some_and(Value::is_object)).unwrap_or("");
        if let Some(about) = body.pointer_mut(place).and_then(Value::as_object_mut) {
            about.insert("displayName".to_owned(), json!(format!("Quintessa Of {source}")));
            about.insert("personalEmail".to_owned(), json!(format!("q.{source}@private.example")));
            about.insert("mobilePhone".to_owned(), json!("+883500001234"));
        }
    }
    body
}

/// The work address of a source's leaver.
pub(super) fn address(source: &str) -> String {
    format!("{source}@sources.example")
}

/// HR's number of a source's leaver.
pub(super) fn number(source: &str) -> String {
    format!("W-{source}")
}

fn soap(user: &str, first_day_out: &str, published: Timestamp) -> String {
    let at = published.as_millisecond();
    format!(
        r#"<?xml version="1.0" encoding="UTF-8"?>
<s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/"><s:Body>
<n:ExternalEvent xmlns:n="http://notification.event.successfactors.com">
<n:externalEventMeta><n:externalEventId>sf-external-1</n:externalEventId>
<n:type>com.successfactors.Employment.AssignmentInformation.Termination</n:type>
<n:publishedAt>{at}</n:publishedAt><n:effective>past</n:effective><n:repost>false</n:repost></n:externalEventMeta>
<n:events><n:event><n:eventId>sf-leaver-1</n:eventId><n:entityType>EmpJob</n:entityType>
<n:effectiveStartDate>{first_day_out}</n:effectiveStartDate><n:publishedAt>{at}</n:publishedAt><n:repost>false</n:repost>
<n:entityKeys><n:entityKey><name>seqNumber</name><value>1</value></n:entityKey>
<n:entityKey><name>userId</name><value>{user}</value></n:entityKey></n:entityKeys>
<n:params><n:param><name>displayName</name><value>Quintessa Of successfactors</value></n:param></n:params>
</n:event></n:events>
</n:ExternalEvent></s:Body></s:Envelope>"#
    )
}
