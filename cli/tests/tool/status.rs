//! `status`: one screen, and what of it needs a person.

use crate::dynamo::{LEDGER, ROSTER, put};
use crate::stage::{Stage, dlq_of, now, queue, queue_of};
use jiff::{SignedDuration, Timestamp};
use rollcall::roster::Version;
use rollcall::routes::Function;
use serde_json::{Value, json};

fn ms(at: &str) -> i64 {
    at.parse::<Timestamp>().unwrap().as_millisecond()
}

/// The record of an event that somebody should look at.
fn waiting(id: &str, state: &str, at: &str) -> Value {
    json!({ "id": id, "state": state, "attention": state, "first_claimed_at": ms(at) })
}

fn announced(id: &str, due: &str) -> Value {
    json!({ "id": id, "due": "due", "due_at": ms(due) })
}

fn roster(version: &str) -> Value {
    json!({
        "id": "current", "version": version, "rows": 1200, "without_address": 0, "loaded_at": "2024-01-01T06:00:00Z",
        "runs": [], "source": "roster/people.csv",
    })
}

const QUIET: &str = "\
┌────────────────┬─────────┬─────────┬───────────┬──────────────┐
│ function       ┆ mapping ┆ waiting ┆ in flight ┆ dead letters │
╞════════════════╪═════════╪═════════╪═══════════╪══════════════╡
│ invite-user    ┆ Enabled ┆ 0       ┆ 0         ┆ 0            │
│ suspend-user   ┆ Enabled ┆ 0       ┆ 0         ┆ 0            │
│ reinstate-user ┆ Enabled ┆ 0       ┆ 0         ┆ 0            │
│ logout-user    ┆ Enabled ┆ 0       ┆ 0         ┆ 0            │
│ relicense-user ┆ Enabled ┆ 0       ┆ 0         ┆ 0            │
│ hr-intake      ┆ Enabled ┆ 0       ┆ 0         ┆ 0            │
└────────────────┴─────────┴─────────┴───────────┴──────────────┘
┌─────────────────┬─────────────────────────────────┬─────────────────────────────────────────┐
│                 ┆                                 ┆                                         │
╞═════════════════╪═════════════════════════════════╪═════════════════════════════════════════╡
│ held            ┆ 0                               ┆                                         │
│ observed        ┆ 1                               ┆ the oldest since 2024-02-02T10:30:00Z   │
│ parked          ┆ 0                               ┆                                         │
│ announced       ┆ 1                               ┆ the next is due at 2999-01-01T08:00:00Z │
│ unrouted        ┆ 0                               ┆                                         │
│ undelivered     ┆ 0                               ┆                                         │
│ roster in force ┆ YYYYMMDDThhmmssZ-LLLLLLLLL-0001 ┆ 1200 people, 3 days old                 │
└─────────────────┴─────────────────────────────────┴─────────────────────────────────────────┘
nothing needs a person";

#[tokio::test]
async fn a_quiet_stack_needs_nobody() {
    let stage = Stage::new("status-quiet", json!([]), &json!({})).await;
    let dropped = now() - SignedDuration::from_hours(3 * 24 + 1);
    let version = Version::new(dropped, dropped, 1);
    put(&stage.dynamo, ROSTER, &roster(version.as_str())).await;
    // Observed events wait by design, and so do announcements before their time.
    put(&stage.dynamo, LEDGER, &waiting("invite-user#h1", "observed", "2024-02-02T10:30:00Z")).await;
    put(&stage.dynamo, LEDGER, &announced("invite-user#h2", "2999-01-01T08:00:00Z")).await;
    let told = stage.run("status").await;
    assert_eq!((told.out, told.code), (QUIET.replace("YYYYMMDDThhmmssZ-LLLLLLLLL-0001", version.as_str()), Some(0)));
    assert!(!stage.aws.there().calls.iter().any(|call| call.contains("secretsmanager")), "no key is read");
}

const NEEDY: &str = "\
┌────────────────┬──────────┬─────────┬───────────┬──────────────┐
│ function       ┆ mapping  ┆ waiting ┆ in flight ┆ dead letters │
╞════════════════╪══════════╪═════════╪═══════════╪══════════════╡
│ invite-user    ┆ Enabled  ┆ 0       ┆ 0         ┆ 0            │
│ suspend-user   ┆ Enabled  ┆ 2       ┆ 1         ┆ 1            │
│ reinstate-user ┆ Enabled  ┆ 0       ┆ 0         ┆ 0            │
│ logout-user    ┆ Disabled ┆ 0       ┆ 0         ┆ 0            │
│ relicense-user ┆ Enabled  ┆ 0       ┆ 0         ┆ 0            │
│ hr-intake      ┆ Enabled  ┆ 0       ┆ 0         ┆ 0            │
└────────────────┴──────────┴─────────┴───────────┴──────────────┘
┌─────────────────┬─────────────────────────────────┬──────────────────────────────────────────────────┐
│                 ┆                                 ┆                                                  │
╞═════════════════╪═════════════════════════════════╪══════════════════════════════════════════════════╡
│ held            ┆ 2                               ┆ the oldest since 2024-02-01T09:00:00Z            │
│ observed        ┆ 0                               ┆                                                  │
│ parked          ┆ 1                               ┆ the oldest since 2024-02-03T12:00:00Z            │
│ budget latched  ┆ access                          ┆ since 2024-02-01T09:00:05Z, by suspend-user#t2   │
│ budget latched  ┆ licence@lwa                     ┆ since 2024-02-04T07:00:00Z, by relicense-user#l1 │
│ announced       ┆ 2                               ┆ the next is due at 2024-02-05T08:00:00Z          │
│ unrouted        ┆ 3                               ┆                                                  │
│ undelivered     ┆ 1                               ┆                                                  │
│ roster in force ┆ 20200101T060000Z-000000000-0001 ┆ 1200 people, AGED days old                       │
└─────────────────┴─────────────────────────────────┴──────────────────────────────────────────────────┘
needs a person: logout-user is paused: `rollcall resume logout-user`
needs a person: 2 events are held: `rollcall held list`, then release or reject
needs a person: the brake holds everything of access since 2024-02-01T09:00:05Z: `rollcall brake reset access` once the \
cause is mended
needs a person: the brake holds everything of licence@lwa since 2024-02-04T07:00:00Z: `rollcall brake reset licence@lwa` \
once the cause is mended
needs a person: 1 event is parked: `rollcall parked list`
needs a person: 2 announced and overdue: see whether hr-intake runs
needs a person: 3 in the queue `unrouted`: somebody publishes what no function consumes
needs a person: 1 in the queue `undelivered`: what the bus could not deliver, or a roster that was not loaded
needs a person: the roster is AGED days old, and the policy lets it be 7: drop a newer one";

#[tokio::test]
async fn each_thing_that_needs_a_person_is_a_line_and_the_exit_code_is_1() {
    let stage = Stage::new("status-needy", json!([]), &json!({})).await;
    put(&stage.dynamo, ROSTER, &roster("20200101T060000Z-000000000-0001")).await;
    let latch =
        |key: &str, at: &str, event: &str| json!({ "id": key, "rev": 1, "latch": { "at": at, "event": event } });
    for item in [
        waiting("suspend-user#t2", "held", "2024-02-01T09:00:05Z"),
        waiting("suspend-user#t1", "held", "2024-02-01T09:00:00Z"),
        waiting("suspend-user#t3", "parked", "2024-02-03T12:00:00Z"),
        announced("suspend-user#t4", "2024-02-05T08:00:00Z"),
        announced("invite-user#h2", "2024-02-06T08:00:00Z"),
        latch("budget#access", "2024-02-01T09:00:05Z", "suspend-user#t2"),
        latch("budget#licence#lwa", "2024-02-04T07:00:00Z", "relicense-user#l1"),
    ] {
        put(&stage.dynamo, LEDGER, &item).await;
    }
    {
        let mut there = stage.aws.there();
        there.mappings.insert("map-logout-user".to_owned(), "Disabled");
        let suspend = queue_of(Function::SuspendUser);
        for queue in [&suspend, &suspend, &suspend, &dlq_of(Function::SuspendUser), &queue("undelivered")] {
            there.put(queue, "{}", Value::Null);
        }
        there.queues.get_mut(&suspend).unwrap()[0].hidden = true;
        (0..3).for_each(|_| there.put(&queue("unrouted"), "{}", Value::Null));
    }
    let dropped: Timestamp = "2020-01-01T06:00:00Z".parse().unwrap();
    let age = (now().duration_since(dropped).as_hours() / 24).to_string();
    let told = stage.run("status").await;
    assert_eq!((told.out, told.code), (NEEDY.replace("AGED", &age), Some(1)));
    let json = stage.run("status --output json").await.json();
    assert_eq!(json["needs"].as_array().unwrap().len(), 9, "{json}");
    assert_eq!((&json["held"]["count"], &json["latched"][1]["budget"]), (&json!(2), &json!("licence@lwa")));
}

/// An older stack's parameter may not name everything: nobody takes a blank for a zero.
#[tokio::test]
async fn what_has_no_place_is_unknown() {
    let stage = Stage::new("status-places", json!([]), &json!({})).await;
    let parameter = json!({ "table": LEDGER, "policy": crate::stage::POLICY }).to_string();
    stage.aws.there().parameters.insert(format!("/{}/operator", crate::stage::STACK), parameter);
    let told = stage.run("status").await;
    assert_eq!(told.code, Some(1), "{told:?}");
    for line in [
        "unknown: the mapping of logout-user: which mapping of logout-user? Give --stack-name, or --mapping logout-user=…",
        "unknown: the dead-letter queue of hr-intake: which dlq of hr-intake? Give --stack-name, or --dlq hr-intake=…",
        "unknown: unrouted: which stack? Give --stack-name",
        "unknown: the roster: which roster table? Give --stack-name, or --roster-table",
    ] {
        assert!(told.out.contains(line), "{line}: {told:?}");
    }
}

/// What cannot be asked is said, the rest is told, and nobody takes it for a quiet stack.
#[tokio::test]
async fn what_cannot_be_asked_is_unknown() {
    let stage = Stage::new("status-unknown", json!([]), &json!({})).await;
    stage.aws.there().denied.insert("GetEventSourceMapping");
    stage.aws.there().denied.insert("GetQueueAttributes unrouted");
    let told = stage.run("status").await;
    assert_eq!(told.code, Some(1));
    let refused = "AccessDeniedException: the role does not allow it";
    assert!(told.out.contains(&format!("unknown: the mapping of logout-user: {refused}")), "{told:?}");
    assert!(told.out.contains(&format!("unknown: unrouted: {refused}")), "{told:?}");
    assert!(told.out.contains("│ held") && !told.out.contains("nothing needs a person"), "{told:?}");
}
