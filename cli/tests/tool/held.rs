//! `held`: listed, released once, rejected for good.

use crate::dynamo::{LEDGER, put};
use crate::stage::{LWA, Stage, account, queue_of, termination};
use rollcall::ledger::State;
use rollcall::routes::Function;
use serde_json::{Value, json};

/// A stage with `n` events that the brake holds.
async fn holding(name: &str, n: usize) -> Stage {
    let brake = json!({ "brake": { "access": { "limits": [{ "count": 0, "window": "1h" }] } } });
    let stage = Stage::new(name, json!([account(LWA, "EnterpriseLWA", n)]), &brake).await;
    stage.terminate(&(0..n).map(|n| termination(&format!("t{n}"), n)).collect::<Vec<_>>()).await;
    assert_eq!(stage.event("suspend-user#t0").await.state, State::Held, "the road holds them");
    stage
}

fn record(id: &str, state: &str, at: &str, more: &Value) -> Value {
    let at: jiff::Timestamp = at.parse().unwrap();
    let mut record = json!({
        "id": id, "status": "COMPLETED", "state": state, "rev": 2, "owner": "o", "attempt": 1, "attention": state,
        "first_claimed_at": at.as_millisecond(), "validation": "v",
    });
    record.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    record
}

const GOLDEN: &str = "\
┌─────────────────┬──────────┬──────────────────────┬────────────────────────────────┬────────────────────┬──────────────────────────────────┐
│ event           ┆ state    ┆ since                ┆ why                            ┆ would do           ┆ person                           │
╞═════════════════╪══════════╪══════════════════════╪════════════════════════════════╪════════════════════╪══════════════════════════════════╡
│ suspend-user#t1 ┆ held     ┆ 2024-02-01T09:00:00Z ┆ the mass-change brake holds it ┆ suspend, reset_pin ┆ 0123456789abcdef0123456789abcdef │
│ invite-user#h1  ┆ observed ┆ 2024-02-02T10:30:00Z ┆                                ┆                    ┆                                  │
└─────────────────┴──────────┴──────────────────────┴────────────────────────────────┴────────────────────┴──────────────────────────────────┘
2 waiting";

#[tokio::test]
async fn a_list_tells_since_when_and_why_and_names_nobody() {
    let stage = Stage::new("held-list", json!([]), &json!({})).await;
    let outcome = json!({ "outcome": "held", "reason": "mass_change", "message": "the mass-change brake holds it" });
    let step = |operation: &str| json!({ "operation": operation, "decisive": true, "status": "planned" });
    let more = json!({
        "person": "0123456789abcdef0123456789abcdef", "data": outcome.to_string(),
        "plan": { "account": { "id": LWA, "type": "EnterpriseLWA" }, "user": "u1", "fresh": true,
            "steps": [step("suspend"), step("reset_pin")], "done": "suspended" },
    });
    put(&stage.dynamo, LEDGER, &record("invite-user#h1", "observed", "2024-02-02T10:30:00Z", &json!({}))).await;
    put(&stage.dynamo, LEDGER, &record("suspend-user#t1", "held", "2024-02-01T09:00:00Z", &more)).await;
    let told = stage.run("held list").await;
    assert_eq!((told.out.as_str(), told.code), (GOLDEN, Some(0)));
    let observed = stage.run("held list --state observed --output json").await.json();
    assert_eq!(
        (observed["events"].as_array().unwrap().len(), &observed["events"][0]["event"]),
        (1, &json!("invite-user#h1"))
    );
    let first = stage.run("held list --limit 1").await;
    assert!(first.out.ends_with("\nthe first 1 waiting"), "{first:?}");
    let truncated =
        async |limit| stage.run(&format!("held list --limit {limit} --output json")).await.json()["truncated"].clone();
    assert_eq!((truncated(1).await, truncated(2).await), (json!(true), json!(false)));
    // One that cannot be read hides nothing, and is told.
    let strange = json!({ "id": "suspend-user#x", "attention": "held", "first_claimed_at": 1, "state": "frozen" });
    put(&stage.dynamo, LEDGER, &strange).await;
    let told = stage.run("held list").await;
    assert_eq!((told.out.as_str(), told.code), (GOLDEN, Some(1)));
    assert_eq!(told.err, "rollcall: 1 record cannot be read, and not told here: of a newer version, or damaged");
}

#[tokio::test]
async fn what_is_released_is_applied_and_nothing_else() {
    let stage = holding("held-release", 3).await;
    let told = stage.run("held release t0 suspend-user#t1 nobody --by ana").await;
    assert_eq!(told.code, Some(1), "one of them is not there: {told:?}");
    assert!(told.out.ends_with("2 of 3 done"), "{told:?}");
    assert_eq!(stage.work(Function::SuspendUser).await, 2);
    assert_eq!([stage.status(0), stage.status(1), stage.status(2)], ["Suspended", "Suspended", "Registered"]);
    assert_eq!(stage.event("suspend-user#t0").await.released.unwrap().by, "ana");
    let rest = stage.run("held release --all held --reason mass_change --yes --by ana --output json").await;
    let expected = json!([{ "event": "suspend-user#t2", "result": "released",
        "message": "on its way: the whole road again, what is due included" }]);
    assert_eq!((rest.json(), rest.code), (expected, Some(0)));
    // A queue that takes nothing leaves it as it was.
    stage.aws.there().queues.get_mut(&queue_of(Function::SuspendUser)).unwrap().clear();
    stage.aws.there().denied.insert("SendMessageBatch");
    let refused = stage.run("held release t2 --by ana").await;
    assert_eq!((refused.code, stage.event("suspend-user#t2").await.state), (Some(1), State::Held));
}

/// A yes to the brake is none to a protected person.
#[tokio::test]
async fn all_are_released_by_their_reason_and_only_when_somebody_says_yes() {
    let stage = holding("held-reason", 2).await;
    let protected = json!({ "outcome": "held", "reason": "protected", "message": "m" });
    let mut other = stage.event("suspend-user#t0").await;
    other.data = Some(protected.to_string());
    put(&stage.dynamo, LEDGER, &other).await;
    let asked = stage.run("held release --all held --reason any --by ana").await;
    let nobody = "rollcall: this releases 2: 1 mass_change, 1 protected; nobody is there to confirm: give --yes";
    assert_eq!((asked.code, asked.err.as_str()), (Some(1), nobody));
    assert_eq!(stage.run("held release --all held --yes --by ana").await.code, Some(2), "for which reason?");
    assert_eq!(stage.aws.there().count("SendMessageBatch"), 0);
    let told = stage.run("held release --all held --reason mass_change,undatable --yes --by ana").await;
    assert_eq!((told.code, told.err.as_str()), (Some(0), "this releases 1: 1 mass_change"), "{told:?}");
    assert_eq!(stage.work(Function::SuspendUser).await, 1);
    assert_eq!([stage.status(0), stage.status(1)], ["Registered", "Suspended"]);
    let none = stage.run("held release --all observed --by ana").await;
    assert_eq!(none.code, Some(0), "nothing waits, and nobody is asked: {none:?}");
}

#[tokio::test]
async fn what_is_rejected_is_void_and_keeps_who_said_so() {
    let stage = holding("held-reject", 2).await;
    let told = stage.run_with(&["held", "reject", "t0", "--by", "ana", "--reason", "a broken feed"], "").await;
    assert_eq!(told.code, Some(0), "{told:?}");
    let rejected = stage.event("suspend-user#t0").await;
    let rejection = rejected.rejected.unwrap();
    assert_eq!(rejected.settled_at, Some(rejection.at.as_millisecond()), "it ended then, and not when it was held");
    assert_eq!(
        (rejected.state, rejection.by.as_str(), rejection.reason.as_str()),
        (State::Rejected, "ana", "a broken feed")
    );
    assert_eq!(stage.run_with(&["held", "reject", "t1", "--by", "ana", "--reason", " "], "").await.code, Some(1));
    assert_eq!(stage.run("held release t0 --by ana").await.code, Some(1));
    assert_eq!(stage.aws.there().count("SendMessageBatch"), 0);
    assert_eq!(stage.changes(), Vec::<String>::new());
}
