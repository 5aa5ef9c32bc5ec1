//! The first scenario: terminations in every account type, and what can go wrong with them.

use super::play::Stage;
use super::scenario::{Act, Body, Published, Record, Scenario, event};
use super::users::users;
use super::{Played, Report, UserReport};
use crate::chime::faults::FaultKind;
use crate::chime::routes::Operation;
use crate::stack::{How, Progress, Stack, policy, seeded};
use anyhow::Result;
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

/// Who ends the first scenario how. Everybody else stays as before.
const USERS: &[(&str, &str, u32)] = &[
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

/// The events one of whose answers is lost.
const LOST: [&str; 2] = ["kim-leaves", "gus-leaves"];

const TERMINATION: &str = "worker.termination.effective";

/// Plays it.
#[expect(clippy::disallowed_methods, reason = "the demo's events happen now")]
pub(super) async fn run(scenario: Scenario, how: &How, progress: &Progress) -> Result<Played> {
    let stack = Stack::start(seeded("acme.json")?, &policy()?, how, progress).await?;
    let stage = Stage::new(&stack).await?;
    let before = users(&stack);
    let (mut events, mut unexpected) = (Vec::new(), Vec::new());
    for act in acts(Timestamp::now()) {
        for published in &act.events {
            progress.step(&published.story);
        }
        stage.play(&act, &mut events, &mut unexpected).await?;
    }
    let after = users(&stack);
    compare(&before, &after, &mut unexpected);
    stage.no_lease_is_left(&LOST, &mut unexpected).await?;
    let calls = stack.chime.core().calls().iter().map(|call| json!(call)).collect();
    let acts = Vec::new();
    let (scenario, ok) = (scenario.name().into(), unexpected.is_empty());
    let report = Report { scenario, ok, acts, events, before, after, calls, unexpected };
    drop(stage);
    Ok(Played { report, stack })
}

/// Everybody ends as expected, and whoever is not named there stays as before.
fn compare(before: &[UserReport], after: &[UserReport], unexpected: &mut Vec<String>) {
    for user in before {
        let expected = USERS.iter().find(|(name, _, _)| *name == user.user);
        let (status, sessions) =
            expected.map_or((user.status.as_str(), user.sessions), |(_, status, sessions)| (*status, *sessions));
        let now = after.iter().find(|now| now.email == user.email);
        let (status_now, sessions_now) = now.map_or(("removed", 0), |now| (now.status.as_str(), now.sessions));
        if (status_now, sessions_now) != (status, sessions) {
            unexpected.push(format!(
                "{}: {status_now} with {sessions_now} sessions, expected {status} with {sessions}",
                user.user
            ));
        }
    }
    for user in after.iter().filter(|user| !before.iter().any(|known| known.email == user.email)) {
        unexpected.push(format!("{} is there, and was not before", user.user));
    }
}

/// The acts of the first scenario, one after the other; each is over before the next begins.
fn acts(now: Timestamp) -> Vec<Act> {
    let hours = |hours: i64| now - SignedDuration::from_hours(hours);
    let leaver = |id: &str, worker: &str, email: &str, category: &str| {
        let mut detail = event(id, "termination", worker, email, hours(2), hours(1));
        detail["reason"] = json!({ "code": null, "category": category });
        detail
    };
    let on_bus = |story: &str, detail: Value, outcome, reason| Published {
        id: detail["eventId"].as_str().unwrap_or_default().to_owned(),
        story: story.to_owned(),
        detail_type: TERMINATION.to_owned(),
        body: Body::Bus(detail),
        function: "suspend-user",
        record: Record::Id,
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
                detail_type: "credential.compromise.detected".into(),
                function: "logout-user",
                ..on_bus("Hal's password is in foreign hands", leaked, "applied", "signed_out")
            },
            Published {
                detail_type: "worker.rehire.effective".into(),
                function: "reinstate-user",
                ..on_bus("Cleo was hired again yesterday", rehire, "unchanged", "already_registered")
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
            Published { record: Record::Body, ..on_bus("occurredAt is no time", malformed, "parked", "invalid_field") },
            Published {
                id: "not-json".into(),
                story: "a message that is not JSON".into(),
                detail_type: "-".into(),
                body: Body::Queue("{ this is not JSON"),
                function: "suspend-user",
                record: Record::Body,
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
