//! `parked`: what was refused for good is listed, shown, and sent down the road again, never lost on the way.

use crate::dynamo::{LEDGER, put};
use crate::stage::{LWA, SECRET, Stage, account, dlq_of, policy, queue, queue_of, termination};
use rollcall::ledger::State;
use rollcall::queue::PARKED_AS;
use rollcall::routes::Function;
use serde_json::{Value, json};

const SUSPEND: Function = Function::SuspendUser;

/// A stage whose policy names an account that is not there, so that each of `n` events is parked.
async fn parked(name: &str, n: usize) -> Stage {
    let stage = Stage::new(name, json!([account(LWA, "EnterpriseLWA", n.max(1))]), &json!({})).await;
    let mut wrong = policy(&json!({}));
    wrong["accounts"][0]["account"] = "lwb".into();
    stage.set_policy(&wrong);
    let events: Vec<Value> = (0..n).map(|n| termination(&format!("t{n}"), n)).collect();
    stage.terminate(&events).await;
    assert_eq!(stage.aws.there().queues[&dlq_of(SUSPEND)].len(), n, "the road parked them");
    stage.set_policy(&policy(&json!({})));
    stage
}

fn letters(stage: &Stage) -> usize {
    stage.aws.there().queues[&dlq_of(SUSPEND)].len()
}

fn results(out: &Value) -> Vec<(&str, &str)> {
    out.as_array().unwrap().iter().map(|it| (it["event"].as_str().unwrap(), it["result"].as_str().unwrap())).collect()
}

fn record(id: &str, at: &str, code: &str, message: &str) -> Value {
    let at: jiff::Timestamp = at.parse().unwrap();
    let data = json!({ "outcome": "parked", "reason": code, "message": message });
    json!({
        "id": id, "status": "COMPLETED", "state": "parked", "rev": 2, "owner": "o", "attempt": 1, "attention": "parked",
        "first_claimed_at": at.as_millisecond(), "validation": "v", "data": data.to_string(),
    })
}

const GOLDEN: &str = "\
┌─────────────────┬──────────────────────┬─────────────────┬───────────────────────────────────────────────────────────────────────────────────┐
│ event           ┆ since                ┆ code            ┆ why                                                                               │
╞═════════════════╪══════════════════════╪═════════════════╪═══════════════════════════════════════════════════════════════════════════════════╡
│ suspend-user#t1 ┆ 2024-02-01T09:00:00Z ┆ unknown_account ┆ policy.accounts names an account for this domain that the directory does not have │
│ invite-user#h1  ┆ 2024-02-02T10:30:00Z ┆ too_many_facts  ┆ detail.subject has more facts than may be kept                                    │
└─────────────────┴──────────────────────┴─────────────────┴───────────────────────────────────────────────────────────────────────────────────┘
2 parked
dead letters: suspend-user 1
unrouted: 2
undelivered: 0";

#[tokio::test]
async fn a_list_tells_why_and_counts_what_nobody_takes() {
    let stage = Stage::new("parked-list", json!([]), &json!({})).await;
    let facts = "detail.subject has more facts than may be kept";
    let unknown = "policy.accounts names an account for this domain that the directory does not have";
    put(&stage.dynamo, LEDGER, &record("invite-user#h1", "2024-02-02T10:30:00Z", "too_many_facts", facts)).await;
    put(&stage.dynamo, LEDGER, &record("suspend-user#t1", "2024-02-01T09:00:00Z", "unknown_account", unknown)).await;
    {
        let mut there = stage.aws.there();
        there.put(&dlq_of(SUSPEND), "{}", Value::Null);
        there.put(&queue("unrouted"), "{}", Value::Null);
        there.put(&queue("unrouted"), "{}", Value::Null);
    }
    let told = stage.run("parked list").await;
    assert_eq!((told.out.as_str(), told.code), (GOLDEN, Some(0)));
    let one = stage.run("parked list --limit 1 --output json").await.json();
    assert_eq!((one["events"].as_array().unwrap().len(), &one["events"][0]["event"]), (1, &json!("suspend-user#t1")));
}

#[tokio::test]
async fn a_redriven_event_runs_the_whole_road_again() {
    let stage = parked("parked-redrive", 3).await;
    let told = stage.run("parked redrive t1 suspend-user#t2 --output json").await;
    assert_eq!(results(&told.json()), [("suspend-user#t1", "redriven"), ("suspend-user#t2", "redriven")]);
    assert_eq!((told.code, letters(&stage)), (Some(0), 1), "{told:?}");
    {
        let there = stage.aws.there();
        let message = &there.queues[&queue_of(SUSPEND)][0];
        assert!(message.attribute(PARKED_AS).is_some() && message.attribute("ErrorCode").is_none(), "{message:?}");
        assert!(!there.queues[&dlq_of(SUSPEND)][0].hidden, "what was only looked at shows again");
    }
    assert_eq!(stage.work(SUSPEND).await, 2);
    assert_eq!(stage.event("suspend-user#t1").await.state, State::Applied);
    assert_eq!([stage.status(0), stage.status(1), stage.status(2)], ["Registered", "Suspended", "Suspended"]);
    let again = stage.run("parked redrive t1").await;
    assert_eq!(again.code, Some(1));
    assert!(again.out.contains("is applied, not parked"), "{again:?}");
}

#[tokio::test]
async fn all_takes_what_is_there_of_one_function_or_of_each() {
    let stage = parked("parked-all", 12).await;
    // What never was a readable event has no record of its own name; it goes too.
    stage.aws.there().put(&dlq_of(Function::InviteUser), "no JSON", Value::Null);
    let told = stage.run("parked redrive --all --function suspend-user --output json").await;
    assert_eq!((told.json().as_array().unwrap().len(), told.code, letters(&stage)), (12, Some(0), 0), "{told:?}");
    assert_eq!(stage.aws.there().queues[&dlq_of(Function::InviteUser)].len(), 1);
    let rest = stage.run("parked redrive --all --output json").await;
    let rest = rest.json();
    let gone = rest.as_array().unwrap().iter().filter(|acted| acted["result"] == "missing").count();
    assert_eq!(gone, 12, "they are on their way, and no letter is left: {rest}");
    let nobodys = |(event, result): &(&str, &str)| event.starts_with("invite-user, message ") && *result == "redriven";
    assert!(results(&rest).iter().any(nobodys), "{rest}");
    assert_eq!(stage.work(SUSPEND).await, 12);
    assert_eq!((0..12).filter(|n| stage.status(*n) == "Suspended").count(), 12);
}

/// The function takes a redriven message at once, and may park it again: taken once more, it would go round and round.
#[tokio::test]
async fn what_is_parked_again_meanwhile_stays() {
    let stage = parked("parked-again", 2).await;
    let later = (crate::stage::now() + jiff::SignedDuration::from_mins(1)).as_millisecond();
    stage.aws.there().queues.get_mut(&dlq_of(SUSPEND)).unwrap()[1].sent_at = later;
    let told = stage.run("parked redrive --all --function suspend-user --output json").await;
    let out = told.json();
    assert_eq!(results(&out), [("suspend-user#t1", "left"), ("suspend-user#t0", "redriven")]);
    assert_eq!((told.code, letters(&stage)), (Some(1), 1), "{told:?}");
    assert!(!stage.aws.there().queues[&dlq_of(SUSPEND)][0].hidden, "it shows again at once");
}

/// A function whose queue refuses takes nothing from the report of the others.
#[tokio::test]
async fn what_was_done_is_told_though_a_later_call_fails() {
    let stage = parked("parked-report", 1).await;
    stage.aws.there().denied.insert("ReceiveMessage relicense-user-dlq");
    let told = stage.run("parked redrive --all --output json").await;
    let out = told.json();
    let failed = ("relicense-user, the rest of its dead letters", "failed");
    assert_eq!((results(&out), told.code), (vec![("suspend-user#t0", "redriven"), failed], Some(1)), "{told:?}");
}

#[tokio::test]
async fn what_is_rejected_is_over_and_its_message_a_duplicate() {
    let stage = parked("parked-reject", 1).await;
    let reject = ["parked", "reject", "t0", "--by", "ana", "--reason", "sent by mistake"];
    let told = stage.run_with(&reject, "").await;
    assert_eq!((told.code, letters(&stage)), (Some(0), 1), "{told:?}");
    let event = stage.event("suspend-user#t0").await;
    let rejection = event.rejected.unwrap();
    assert_eq!((event.state, rejection.by.as_str(), event.attention), (State::Rejected, "ana", None));
    let (at, kept) = (rejection.at, rollcall::ledger::REMEMBERED_FOR);
    assert_eq!((event.settled_at, event.expiration), (Some(at.as_millisecond()), Some(at.as_second() + kept)));
    // Its message ends as a duplicate, and what is over cannot be rejected once more.
    assert_eq!(stage.run("parked redrive --all").await.code, Some(0));
    assert_eq!((stage.work(SUSPEND).await, letters(&stage)), (1, 0));
    assert_eq!((stage.status(0).as_str(), stage.changes().len()), ("Registered", 0));
    let again = stage.run_with(&reject, "").await;
    assert!(again.code == Some(1) && again.out.contains("is rejected, not parked"), "{again:?}");
}

/// *Invariant*: it is deleted from the dead-letter queue only when its copy is on the function's queue.
#[tokio::test]
async fn whatever_stops_a_redrive_nothing_is_lost_and_nothing_happens_twice() {
    let stage = parked("parked-crash", 1).await;
    stage.aws.there().denied.insert("SendMessageBatch suspend-user");
    let told = stage.run("parked redrive t0 --output json").await;
    assert_eq!((results(&told.json()), told.code), (vec![("suspend-user#t0", "failed")], Some(1)));
    assert_eq!((letters(&stage), stage.aws.there().count("DeleteMessageBatch")), (1, 0));
    assert!(!stage.aws.there().queues[&dlq_of(SUSPEND)][0].hidden, "it shows again at once");
    stage.aws.there().denied = ["DeleteMessageBatch suspend-user-dlq"].into();
    let told = stage.run("parked redrive t0").await;
    assert!(told.out.contains("its copy stays in the dead-letter queue, and will be a duplicate"), "{told:?}");
    assert_eq!(stage.work(SUSPEND).await, 1);
    assert_eq!(stage.status(0), "Suspended");
    // The copy comes again: a duplicate.
    stage.aws.there().denied.clear();
    stage.aws.there().queues.get_mut(&dlq_of(SUSPEND)).unwrap()[0].hidden = false;
    let changes = stage.changes();
    let told = stage.run("parked redrive --all").await;
    assert_eq!((told.code, letters(&stage)), (Some(0), 0), "{told:?}");
    assert_eq!(stage.work(SUSPEND).await, 1);
    assert_eq!(stage.changes(), changes);
}

#[tokio::test]
async fn what_is_not_in_the_dead_letters_any_more_is_said() {
    let stage = parked("parked-gone", 2).await;
    stage.aws.there().queues.get_mut(&dlq_of(SUSPEND)).unwrap().remove(0);
    let told = stage.run("parked redrive t0 t1 nobody --output json").await;
    let out = told.json();
    let expected = [("nobody", "failed"), ("suspend-user#t1", "redriven"), ("suspend-user#t0", "missing")];
    assert_eq!((results(&out), told.code), (expected.to_vec(), Some(1)));
    assert!(out[2]["message"].as_str().unwrap().contains("under another id"), "{out}");
}

#[tokio::test]
async fn a_parked_event_is_shown_and_its_message_only_with_the_key() {
    let stage = parked("parked-show", 2).await;
    let closed = stage.run("parked show t1").await;
    assert_eq!(closed.code, Some(0), "{closed:?}");
    assert!(closed.out.contains("unknown_account") && !closed.out.contains("lwa.example"), "{closed:?}");
    assert_eq!(stage.aws.there().count("ReceiveMessage"), 0);
    let open = stage.run("parked show t1 --open --output json").await.json();
    assert_eq!((&open["inDeadLetters"], &open["body"]["subject"]["email"]), (&json!(true), &json!("p1@lwa.example")));
    assert!(stage.aws.there().calls.contains(&format!("GetParameter {SECRET}")));
    assert!(stage.aws.there().queues[&dlq_of(SUSPEND)].iter().all(|letter| !letter.hidden), "all show again");
    stage.aws.there().queues.get_mut(&dlq_of(SUSPEND)).unwrap().clear();
    let gone = stage.run("parked show t1 --open").await;
    assert!(gone.out.contains("not in the dead-letter queue (any more)"), "{gone:?}");
}
