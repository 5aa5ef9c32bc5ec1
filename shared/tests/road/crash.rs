//! Whatever dies, waits or gets lost on the way, the end is the same: what is due, applied once, with proof.

use crate::stage::{Fault, Stage, Strike, account, batch, envelope, failed, message, termination, told};
use rollcall::ledger::{EventItem, State};
use rollcall::seal::sha256;
use serde_json::{Value, json};

/// What a termination must leave in an account of one type.
struct Due {
    account: &'static str,
    reason: &'static str,
    status: Option<&'static str>,
    takes: bool,
    /// The operation that decides.
    decisive: &'static str,
}

const DUE: [Due; 3] = [
    Due { account: "team", reason: "removed_from_team", status: None, takes: true, decisive: "BatchSuspendUser" },
    Due { account: "lwa", reason: "suspended", status: Some("Suspended"), takes: true, decisive: "BatchSuspendUser" },
    Due {
        account: "ad",
        reason: "directory_managed",
        status: Some("Registered"),
        takes: false,
        decisive: "LogoutUser",
    },
];

const WRITE: &str = "TransactWriteItems";

async fn stage() -> Stage {
    let accounts = json!([
        account("team", "Team", 2),
        account("lwa", "EnterpriseLWA", 2),
        account("ad", "EnterpriseDirectory", 2)
    ]);
    Stage::new(accounts).await.with_policy(json!({ "pin_reset": "always" }))
}

impl Due {
    fn bodies(&self) -> [String; 1] {
        [envelope(&termination("e1", self.account, 0))]
    }

    /// The calls of a worker whom nothing befalls.
    async fn clean_run(&self) -> Vec<String> {
        let stage = stage().await;
        let report = stage.deliver(&self.bodies()).await;
        assert_eq!(Stage::told(&report)["e1"], format!("applied {}", self.reason));
        self.check(&stage, "clean run").await;
        stage.wire.calls()
    }

    async fn check(&self, stage: &Stage, context: &str) {
        let context = format!("{}: {context}", self.account);
        let users = stage.users();
        assert_eq!(users.get(&format!("{}/u0", self.account)).map(String::as_str), self.status, "{context}");
        assert_eq!(users.values().filter(|status| *status == "Registered").count(), 5 + usize::from(!self.takes));
        let event = stage.event("e1").await.unwrap();
        assert_eq!((event.state, event.status.as_str()), (State::Applied, "COMPLETED"), "{context}");
        assert_eq!(stage.outcome("e1").await["reason"], self.reason, "{context}");
        let person = stage.person().await;
        assert_eq!(person.lease, None, "{context}");
        let licence = person.taken.map(|taken| taken.licence.unwrap_or_default());
        assert_eq!(licence.as_deref(), self.takes.then_some("Pro"), "{context}");
        let resets = stage.changes().iter().filter(|change| *change == "ResetPersonalPIN").count();
        assert!((1..=2).contains(&resets), "{context}: a PIN is reset once more at most, not {resets} times");
    }

    fn decisive_calls(&self, stage: &Stage) -> usize {
        stage.changes().iter().filter(|change| *change == self.decisive).count()
    }
}

#[tokio::test]
async fn a_crash_at_any_remote_call_ends_as_if_it_never_was() {
    for due in DUE {
        let calls = due.clean_run().await;
        let strikes = (1..=calls.len())
            .flat_map(|n| [Fault::StopBefore, Fault::StopAfter].map(|fault| (fault, n, calls[n - 1].clone())));
        for (fault, n, name) in strikes {
            let context = format!("{fault:?} call {n} ({name})");
            let stage = stage().await;
            let died = stage.deliver_until(&due.bodies(), Strike::at(fault, n)).await;
            assert!(died.is_none(), "{context}: the worker finished: {died:?}");
            stage.outlive_leases();
            stage.deliver_to_the_end(&due.bodies()).await;
            due.check(&stage, &context).await;
        }
    }
}

#[tokio::test]
async fn a_message_that_comes_back_before_the_lease_is_over_waits_for_its_end() {
    for due in DUE {
        let stage = stage().await;
        let died = stage.deliver_until(&due.bodies(), Strike::on(Fault::StopAfter, WRITE, 1, 1)).await;
        assert!(died.is_none());
        let report = stage.deliver(&due.bodies()).await;
        assert_eq!(Stage::told(&report)["e1"], "again busy");
        assert_eq!(stage.changes(), Vec::<String>::new(), "nothing is done beside a running lease");
        let delay = stage.queue.delays.lock().unwrap()[0].1;
        // Deadline of 60 s and 30 s: the message shows when the lease is over, not sooner and not much later.
        assert!((90..100).contains(&delay.as_secs()), "{delay:?}");
        stage.wait_for_the_queue();
        let report = stage.deliver(&due.bodies()).await;
        assert_eq!(Stage::told(&report)["e1"], format!("applied {}", due.reason), "it waited no longer than needed");
        assert_eq!(stage.event("e1").await.unwrap().attempt, 2, "the wait was no attempt, the crash was");
        due.check(&stage, "redelivered at the lease's end").await;
    }
}

/// The old worker is held before each call after its claim, outlives its lease, and goes on when another is done.
#[tokio::test]
async fn a_worker_that_outlived_its_lease_changes_nothing_in_the_ledger() {
    for due in DUE {
        let calls = due.clean_run().await;
        let claim = calls.iter().position(|call| call == WRITE).unwrap() + 1;
        for n in claim + 1..=calls.len() {
            let context = format!("held before call {n} ({})", calls[n - 1]);
            let stage = stage().await;
            let old = stage.worker();
            stage.wire.set(Strike::at(Fault::Hold, n));
            let takeover = async {
                stage.wire.struck().await;
                stage.outlive_leases();
                let report = stage.deliver(&due.bodies()).await;
                assert_eq!(Stage::told(&report)["e1"], format!("applied {}", due.reason), "{context}");
                let ledger = (stage.event("e1").await, stage.people().await);
                stage.wire.let_go();
                ledger
            };
            let (late, ledger) = tokio::join!(old.handle(batch(&due.bodies()), stage.deadline()), takeover);
            assert_eq!(Stage::told(&late)["e1"], "again fenced", "{context}");
            assert_eq!(failed(&late), ["m0"], "{context}");
            assert_eq!((stage.event("e1").await, stage.people().await), ledger, "{context}");
            due.check(&stage, &context).await;
            let report = stage.deliver(&due.bodies()).await;
            assert_eq!(Stage::told(&report)["e1"], "duplicate", "{context}: the message that came again");
        }
    }
}

/// The claim itself comes too late: another worker recalled, claimed and settled in the meantime.
#[tokio::test]
async fn a_claim_that_rests_on_an_old_recall_is_refused() {
    for due in DUE {
        let stage = stage().await;
        let old = stage.worker();
        stage.wire.set(Strike::on(Fault::Hold, WRITE, 1, 1));
        let overtake = async {
            stage.wire.struck().await;
            stage.deliver(&due.bodies()).await;
            let ledger = (stage.event("e1").await, stage.people().await);
            stage.wire.let_go();
            ledger
        };
        let (late, ledger) = tokio::join!(old.handle(batch(&due.bodies()), stage.deadline()), overtake);
        assert_eq!(Stage::told(&late)["e1"], "duplicate", "it recalls again, and finds the outcome");
        assert_eq!((stage.event("e1").await, stage.people().await), ledger);
        assert_eq!(due.decisive_calls(&stage), 1);
        due.check(&stage, "overtaken before the claim").await;
    }
}

#[tokio::test]
async fn of_two_workers_with_one_message_exactly_one_applies() {
    for due in DUE {
        // Which of the two is faster is chance: a few tries meet several interleavings.
        for _ in 0..5 {
            let stage = stage().await;
            let (one, other) = (stage.worker(), stage.worker());
            let bodies = due.bodies();
            let (one, other) = tokio::join!(
                one.handle(batch(&bodies), stage.deadline()),
                other.handle(batch(&bodies), stage.deadline()),
            );
            let words = [told(&one.events[0].told), told(&other.events[0].told)];
            let applied = words.iter().filter(|word| word.starts_with("applied")).count();
            assert_eq!(applied, 1, "{words:?}");
            let waits = ["again busy", "again contended", "duplicate"];
            assert!(words.iter().any(|word| waits.contains(&word.as_str())), "{words:?}");
            assert_eq!(due.decisive_calls(&stage), 1, "{words:?}");
            due.check(&stage, "two workers").await;
            let report = stage.deliver(&bodies).await;
            assert_eq!(Stage::told(&report)["e1"], "duplicate");
        }
    }
}

/// One answer of a claim or settle is lost and the SDK asks again; or all three of its attempts are.
#[tokio::test]
async fn a_lost_answer_of_a_claim_or_settle_applies_once() {
    for due in DUE {
        for (what, nth, times) in [("claim", 1, 1), ("claim", 1, 3), ("settle", 2, 1), ("settle", 2, 3)] {
            let context = format!("{what} lost {times} times");
            let stage = stage().await;
            stage.wire.set(Strike::on(Fault::LoseAnswer, WRITE, nth, times));
            let report = stage.deliver(&due.bodies()).await;
            stage.wire.clear();
            assert_eq!(Stage::told(&report)["e1"], format!("applied {}", due.reason), "{}: {context}", due.account);
            assert_eq!(due.decisive_calls(&stage), 1, "{}: {context}", due.account);
            due.check(&stage, &context).await;
        }
    }
}

#[tokio::test]
async fn conflicts_of_a_claim_or_settle_are_waited_out() {
    for due in DUE {
        for (what, nth, times) in [("claim", 1, 3), ("settle", 2, 6)] {
            let context = format!("{what} met {times} conflicts");
            let stage = stage().await;
            stage.wire.set(Strike::on(Fault::Conflict, WRITE, nth, times));
            let report = stage.deliver(&due.bodies()).await;
            assert_eq!(Stage::told(&report)["e1"], format!("applied {}", due.reason), "{}: {context}", due.account);
            assert_eq!(due.decisive_calls(&stage), 1, "{context}");
            due.check(&stage, &context).await;
        }
    }
}

#[tokio::test]
async fn conflicts_without_end_give_the_messages_back() {
    let stage = stage().await;
    let bodies = DUE[1].bodies();
    stage.wire.set(Strike::on(Fault::Conflict, WRITE, 1, usize::MAX - 1));
    let report = stage.deliver(&bodies).await;
    assert_eq!(Stage::told(&report)["e1"], "again contended");
    assert_eq!((failed(&report), stage.changes()), (vec!["m0".to_owned()], Vec::new()), "nothing without a claim");

    // The claim is written, the settle is not: it is tried until the deadline is near, then the lease runs out.
    stage.wire.set(Strike::on(Fault::Conflict, WRITE, 2, usize::MAX - 2));
    let report = stage.deliver(&bodies).await;
    assert_eq!(Stage::told(&report)["e1"], "again contended");
    assert_eq!(stage.event("e1").await.map(|event: EventItem| event.state), Some(State::Running));
    stage.wire.clear();
    stage.outlive_leases();
    stage.deliver_to_the_end(&bodies).await;
    DUE[1].check(&stage, "settle never took").await;
}

/// Parking sends to the dead-letter queue first: a crash may leave a second copy, and never loses the only one.
#[tokio::test]
async fn a_crash_while_parking_leaves_a_copy_that_is_a_duplicate() {
    let bodies = ["no JSON".to_owned()];
    let clean = stage().await;
    clean.deliver(&bodies).await;
    let calls = clean.wire.calls();
    assert!(calls.contains(&"sqs".to_owned()), "{calls:?}");
    for (fault, n) in (1..=calls.len()).flat_map(|n| [(Fault::StopBefore, n), (Fault::StopAfter, n)]) {
        let context = format!("{fault:?} call {n} ({})", calls[n - 1]);
        let stage = stage().await;
        assert!(stage.deliver_until(&bodies, Strike::at(fault, n)).await.is_none(), "{context}");
        stage.outlive_leases();
        stage.deliver_to_the_end(&bodies).await;
        let parked = stage.queue.parked.lock().unwrap().clone();
        assert!((1..=2).contains(&parked.len()), "{context}: {}", parked.len());
        let record = stage.item(&format!("suspend-user#body:{}", sha256(&bodies[0]))).await.unwrap();
        assert_eq!(record["state"].as_s().unwrap(), "parked", "{context}");
        for copy in &parked {
            // The last copy's token is the record's: only that one opens it again, to be parked anew.
            let opens = &copy.parked_as == record["owner"].as_s().unwrap();
            let mut redrive = batch(&[]);
            redrive.records = vec![message(0, &copy.body, Some(&copy.parked_as))];
            let report = stage.worker().handle(redrive, stage.deadline()).await;
            let expected = if opens { "parked not_json" } else { "duplicate" };
            assert_eq!(told(&report.events[0].told), expected, "{context}");
        }
    }
}

#[tokio::test]
async fn five_attempts_that_die_are_the_last() {
    for due in DUE {
        let stage = stage().await;
        for attempt in 1..=5 {
            let died = stage.deliver_until(&due.bodies(), Strike::on(Fault::StopAfter, WRITE, 1, 1)).await;
            assert!(died.is_none(), "attempt {attempt} claims, and dies");
            assert_eq!(stage.event("e1").await.unwrap().attempt, attempt);
            stage.outlive_leases();
        }
        let report = stage.deliver(&due.bodies()).await;
        assert_eq!(Stage::told(&report)["e1"], "parked attempts_exhausted", "{}", due.account);
        assert_eq!(failed(&report), Vec::<String>::new());
        assert_eq!(stage.changes(), Vec::<String>::new());
        assert_eq!(stage.person().await.lease, None, "a parked event releases the lease");
        let parked = stage.queue.parked.lock().unwrap().clone();
        assert_eq!((parked.len(), parked[0].body.clone()), (1, due.bodies()[0].clone()));
        let outcome: Value = stage.outcome("e1").await;
        assert_eq!((&outcome["outcome"], &outcome["reason"]), (&json!("parked"), &json!("attempts_exhausted")));
    }
}
