//! Laws that hold for any batch (partition, chunks) and for any body (in the module below).

mod parsing;

use crate::stage::{Fault, Stage, Strike, account, envelope, event, failed, mapped, termination};
use proptest::prelude::*;
use proptest::sample::select;
use rollcall::batch::Told;
use rollcall::seal::sha256;
use rollcall_local::chime::faults::{self, FaultKind};
use rollcall_local::chime::routes::Operation;
use serde_json::json;
use std::collections::BTreeSet;

/// Nothing is written beside the tests: a failing case is shown, and stays as a case of its own.
fn config(cases: u32) -> ProptestConfig {
    ProptestConfig { cases, failure_persistence: None, ..ProptestConfig::default() }
}

/// Runs one case on a runtime of its own: each has a stage, and each stage a DynamoDB and a Chime.
fn block_on<T>(case: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(case)
}

/// What a message of a batch may be.
#[derive(Clone, Copy, Debug)]
enum Sort {
    Good,
    NotJson,
    /// Held: its date has no zone.
    Undatable,
    /// The same message as the one before it.
    Twin,
    /// Applied by an earlier batch.
    Replay,
    /// Claimed by a worker that did not come back yet.
    Busy,
    /// Its id came before, with another meaning.
    Reused,
}

fn body(sort: Sort, n: usize) -> String {
    let mut detail = termination(&format!("e{n}"), "lwa", n);
    match sort {
        Sort::NotJson => return format!("no JSON, {n}"),
        Sort::Undatable => detail["effective"] = json!({ "date": "2026-11-22", "basis": "last_day_worked" }),
        Sort::Good | Sort::Twin | Sort::Replay | Sort::Busy | Sort::Reused => {}
    }
    envelope(&detail)
}

/// What happened before the batch came.
async fn prepare(stage: &Stage, sorts: &[Sort]) {
    let of = |wanted: fn(&Sort) -> bool| sorts.iter().enumerate().filter(move |(_, sort)| wanted(sort));
    let replays: Vec<String> = of(|sort| matches!(sort, Sort::Replay)).map(|(n, sort)| body(*sort, n)).collect();
    let hires: Vec<String> = of(|sort| matches!(sort, Sort::Reused))
        .map(|(n, _)| envelope(&event(&format!("e{n}"), "hire", "rescinded", "2027-01-07T08:00:00Z", "lwa", n)))
        .collect();
    stage.deliver(&[replays, hires].concat()).await;
    let busy: Vec<String> = of(|sort| matches!(sort, Sort::Busy)).map(|(n, sort)| body(*sort, n)).collect();
    if !busy.is_empty() {
        let died = stage.deliver_until(&busy, Strike::on(Fault::StopAfter, "TransactWriteItems", 1, 1)).await;
        assert!(died.is_none());
    }
}

/// The batch, and the key of each message's record.
fn batch_of(sorts: &[Sort]) -> (Vec<String>, Vec<String>) {
    let (mut bodies, mut keys): (Vec<String>, Vec<String>) = (Vec::new(), Vec::new());
    for (n, sort) in sorts.iter().enumerate() {
        let twin = bodies.last().filter(|_| matches!(sort, Sort::Twin)).cloned();
        let body = twin.clone().unwrap_or_else(|| body(*sort, n));
        keys.push(match (sort, twin) {
            (Sort::Twin, Some(_)) => keys[n - 1].clone(),
            (Sort::NotJson | Sort::Reused, _) => format!("suspend-user#body:{}", sha256(&body)),
            (_, _) => format!("suspend-user#e{n}"),
        });
        bodies.push(body);
    }
    (bodies, keys)
}

/// Every message is either settled, and its record says so, or reported to come again: never both, never neither.
async fn partition(sorts: &[Sort], fault: Option<FaultKind>, dlq_is_broken: bool) -> Result<(), TestCaseError> {
    let stage = Stage::new(json!([account("lwa", "EnterpriseLWA", 20)])).await.with_policy(mapped(&["lwa"]));
    prepare(&stage, sorts).await;
    if let Some(kind) = fault {
        stage.chime.core().arm(faults::Fault { operation: Operation::BatchSuspendUser, kind, after: 0, times: 3 });
    }
    *stage.queue.broken.lock().unwrap() = dlq_is_broken;
    let (bodies, keys) = batch_of(sorts);
    let report = stage.deliver(&bodies).await;

    let failures = failed(&report);
    let distinct: BTreeSet<&String> = failures.iter().collect();
    prop_assert_eq!(distinct.len(), failures.len(), "no message is reported twice");
    let messages = |again: fn(&Told) -> bool| -> usize {
        report.events.iter().filter(|event| again(&event.told)).map(|event| event.messages.len()).sum()
    };
    prop_assert_eq!(messages(|_| true), bodies.len());
    prop_assert_eq!(messages(|told| matches!(told, Told::Again(_))), failures.len());
    for (n, key) in keys.iter().enumerate() {
        let record = stage.item(key).await;
        let state = record.as_ref().map_or("none", |record| record["state"].as_s().unwrap());
        let settled = ["applied", "unchanged", "superseded", "held", "parked"].contains(&state);
        let failed = failures.contains(&format!("m{n}"));
        prop_assert!(settled != failed, "m{} ({:?}) is {}, and failed: {}", n, sorts[n], state, failed);
    }
    prop_assert!(!dlq_is_broken || stage.queue.parked.lock().unwrap().is_empty());
    Ok(())
}

/// No request names more than 50 users, there are no more requests than needed, and each person is in one of them.
async fn chunks(people: usize, kind: &str) -> Result<(), TestCaseError> {
    let stage = Stage::new(json!([account("acc", kind, 130)])).await.with_policy(mapped(&["acc"]));
    let bodies: Vec<String> = (0..people).map(|n| envelope(&termination(&format!("e{n}"), "acc", n))).collect();
    let report = stage.deliver(&bodies).await;
    prop_assert_eq!(failed(&report), Vec::<String>::new());
    let core = stage.chime.core();
    let calls = core.calls().iter().filter(|call| call.operation == Some(Operation::BatchSuspendUser));
    let requests: Vec<&Vec<String>> = calls.map(|call| &call.users).collect();
    prop_assert_eq!(requests.len(), people.div_ceil(50));
    prop_assert!(requests.iter().all(|users| users.len() <= 50));
    let mut named: Vec<String> = requests.into_iter().flatten().cloned().collect();
    named.sort();
    let mut due: Vec<String> = (0..people).map(|n| format!("u{n}")).collect();
    due.sort();
    prop_assert_eq!(named, due);
    Ok(())
}

fn any_sort() -> impl Strategy<Value = Sort> {
    use Sort::{Busy, Good, NotJson, Replay, Reused, Twin, Undatable};
    select(vec![Good, NotJson, Undatable, Twin, Replay, Busy, Reused])
}

fn any_fault() -> impl Strategy<Value = Option<FaultKind>> {
    use FaultKind::{Forbidden, LostAnswer, Throttle, ThrottleUsers};
    prop::option::of(select(vec![ThrottleUsers, Throttle, Forbidden, LostAnswer]))
}

proptest! {
    #![proptest_config(config(24))]

    #[test]
    fn failed_and_settled_messages_make_up_the_batch(
        sorts in prop::collection::vec(any_sort(), 1..20),
        fault in any_fault(),
        dlq_is_broken in prop::bool::weighted(0.2),
    ) {
        block_on(partition(&sorts, fault, dlq_is_broken))?;
    }
}

proptest! {
    #![proptest_config(config(16))]

    #[test]
    fn chunks_are_small_and_lose_nobody(people in 1..=130_usize, kind in select(vec!["EnterpriseLWA", "Team"])) {
        block_on(chunks(people, kind))?;
    }
}
