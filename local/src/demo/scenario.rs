//! What each scenario publishes and expects. Expectations come from the design: what is due by all facts of a person,
//! and what suspend-user does by account type.

use crate::chime::faults::FaultKind;
use crate::chime::routes::Operation;
use clap::ValueEnum;
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

/// The scenarios.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Scenario {
    /// Terminations in every account type, and what can go wrong with them.
    FirstLight,
    /// 400 terminations from a broken feed, as a burst and as a drip: the brake holds them, and an operator decides.
    RunawayFeed,
}

impl Scenario {
    /// The name on the command line.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Scenario::FirstLight => "first-light",
            Scenario::RunawayFeed => "runaway-feed",
        }
    }
}

/// Who ends the first scenario how. Everybody else stays as before.
pub(super) const FIRST_LIGHT_USERS: &[(&str, &str, u32)] = &[
    ("Finn Aalto", "removed", 0),
    ("Gus Okafor", "removed", 0),
    ("Ada Moreau", "Suspended", 0),
    ("Ben Castro", "Suspended", 0),
    ("Dan Eriksen", "Suspended", 0),
    ("Kim Osei", "Suspended", 0),
    // Signed out, and nothing taken.
    ("Hal Brandt", "Registered", 0),
    // Signed out; only the company's directory can block them.
    ("Ivy Lindqvist", "Registered", 0),
    ("Jo Petrov", "Registered", 0),
];

/// What is published together.
pub(super) struct Act {
    /// What Chime does to the next calls.
    pub(super) fault: Option<(Operation, FaultKind, u32)>,
    pub(super) events: Vec<Published>,
}

/// One event, and what must come of it.
pub(super) struct Published {
    pub(super) id: String,
    pub(super) story: &'static str,
    pub(super) detail_type: &'static str,
    pub(super) body: Body,
    pub(super) outcome: &'static str,
    pub(super) reason: &'static str,
}

/// How an event is published.
pub(super) enum Body {
    /// On the bus.
    Bus(Value),
    /// Straight on the queue, as it is.
    Queue(&'static str),
}

const TERMINATION: &str = "worker.termination.effective";
pub(super) const COMPROMISE: &str = "credential.compromise.detected";

/// The acts of the first scenario, one after the other; each is over before the next begins.
pub(super) fn first_light(now: Timestamp) -> Vec<Act> {
    let hours = |hours: i64| now - SignedDuration::from_hours(hours);
    let leaver = |id: &str, worker: &str, email: &str, category: &str| {
        let mut detail = event(id, "termination", worker, email, hours(2), hours(1));
        detail["reason"] = json!({ "code": null, "category": category });
        detail
    };
    let on_bus = |story, detail: Value, outcome, reason| Published {
        id: detail["eventId"].as_str().unwrap_or_default().to_owned(),
        story,
        detail_type: TERMINATION,
        body: Body::Bus(detail),
        outcome,
        reason,
    };
    let ben = || leaver("ben-leaves", "1002", "ben@acme.example", "voluntary");
    let mut malformed = leaver("no-time", "1009", "nobody@acme.example", "voluntary");
    malformed["occurredAt"] = json!("yesterday");
    let mut rehire = event("cleo-is-back", "rehire", "1003", "cleo@acme.example", hours(30), hours(20));
    rehire["kind"] = json!("rehire");
    let mut leaked = leaver("hal-leaked", "2003", "hal@contractors.acme.example", "security");
    (leaked["kind"], leaked["phase"]) = (json!("credential_compromise"), json!("detected"));
    let act = |events| Act { fault: None, events };
    vec![
        act(vec![
            on_bus(
                "Finn leaves a Team account",
                leaver("finn-leaves", "2001", "finn@contractors.acme.example", "voluntary"),
                "applied",
                "removed_from_team",
            ),
            on_bus(
                "Ada is dismissed, EnterpriseLWA",
                leaver("ada-leaves", "1001", "ada@acme.example", "involuntary"),
                "applied",
                "suspended",
            ),
            on_bus("Ben leaves, EnterpriseLWA", ben(), "applied", "suspended"),
            on_bus(
                "Ivy leaves, EnterpriseDirectory",
                leaver("ivy-leaves", "3001", "ivy@works.acme.example", "voluntary"),
                "applied",
                "directory_managed",
            ),
            on_bus(
                "Jo leaves, EnterpriseOIDC",
                leaver("jo-leaves", "4001", "jo@labs.acme.example", "voluntary"),
                "applied",
                "directory_managed",
            ),
            on_bus(
                "somebody whom Chime does not know",
                leaver("zoe-leaves", "1010", "zoe@acme.example", "voluntary"),
                "unchanged",
                "user_not_found",
            ),
            Published {
                detail_type: COMPROMISE,
                ..on_bus("Hal's password is in foreign hands", leaked, "applied", "signed_out")
            },
            Published {
                detail_type: "worker.rehire.effective",
                ..on_bus("Cleo was hired again yesterday", rehire, "unchanged", "fact_recorded")
            },
        ]),
        act(vec![
            Published {
                id: "ben-leaves".into(),
                ..on_bus("the same event, three times more", ben(), "duplicate", "applied")
            },
            on_bus(
                "Cleo's old termination comes late",
                event("cleo-left", "termination", "1003", "cleo@acme.example", hours(40), hours(36)),
                "superseded",
                "access_due",
            ),
            on_bus("occurredAt is no time", malformed, "parked", "invalid_field"),
            Published {
                id: "not-json".into(),
                story: "a message that is not JSON",
                detail_type: "-",
                body: Body::Queue("{ this is not JSON"),
                outcome: "parked",
                reason: "not_json",
            },
        ]),
        Act {
            fault: Some((Operation::BatchSuspendUser, FaultKind::Throttle, 1)),
            events: vec![on_bus(
                "Dan leaves; Chime throttles",
                leaver("dan-leaves", "1004", "dan@acme.example", "voluntary"),
                "applied",
                "suspended",
            )],
        },
        Act {
            fault: Some((Operation::BatchSuspendUser, FaultKind::LostAnswer, 1)),
            events: vec![on_bus(
                "Kim leaves; one answer is lost",
                leaver("kim-leaves", "1006", "kim@acme.example", "voluntary"),
                "applied",
                "suspended",
            )],
        },
        Act {
            // As many as the SDK tries: the road itself must find out what took effect.
            fault: Some((Operation::BatchSuspendUser, FaultKind::LostAnswer, 3)),
            events: vec![on_bus(
                "Gus leaves a Team account; every answer is lost",
                leaver("gus-leaves", "2002", "gus@contractors.acme.example", "voluntary"),
                "applied",
                "removed_from_team",
            )],
        },
    ]
}

pub(super) fn event(id: &str, kind: &str, worker: &str, email: &str, occurred: Timestamp, at: Timestamp) -> Value {
    json!({
        "schemaVersion": "1.0", "eventId": id, "kind": kind, "phase": "effective",
        "occurredAt": format!("{occurred:.3}"),
        "provider": { "name": "acme-hr", "tenant": "acme", "eventType": kind },
        "subject": { "workerId": worker, "email": email, "emailKind": "work" },
        "effective": { "date": null, "at": format!("{at:.3}"), "zone": "Europe/Paris", "basis": "instant", "source": "payload" },
    })
}
