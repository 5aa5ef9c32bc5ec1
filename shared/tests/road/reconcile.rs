//! The reconcile pass from a roster to Chime: what a silent stream missed goes the whole road, under the brake; what is due
//! again is given back; and nothing else happens.

mod bounds;
mod office;

use crate::roster::company::in_force;
use crate::stage::{Stage, envelope, event, termination};
use jiff::SignedDuration;
use office::{LWA, Office};
use rollcall::ledger::{Rejection, State};
use rollcall::person::Standing;
use rollcall::reconcile::{Outcome, Summary};
use rollcall::roster::serve::Outcome as Loaded;
use serde_json::{Value, json};

fn ids(details: &[Value]) -> Vec<&str> {
    details.iter().map(|detail| detail["eventId"].as_str().unwrap()).collect()
}

fn rejection(office: &Office) -> Rejection {
    Rejection { by: "operator@desk".into(), at: office.now(), reason: "the feed was broken".into() }
}

#[tokio::test]
async fn leavers_that_nobody_told_of_are_suspended_under_the_brake() {
    let brake = json!({ "brake": { "access": { "limits": [{ "count": 2, "window": "1h" }] } } });
    let office = Office::new(20, brake).await;
    office.hire(0..20).await;
    let gone: Vec<(usize, &str)> = (3..8).map(|n| (n, "2026-11-20")).collect();
    office.roster(20, &gone).await;
    let summary = office.pass().await;
    assert_eq!((summary.outcome, summary.leavers, summary.missed), (Outcome::Done, 5, 5));
    assert_eq!((summary.restored, summary.contradicted, summary.unreached), (0, 0, 0));
    let asked = office.deliver().await;
    assert_eq!(office.suspended().len(), 2, "the brake lets two through");
    assert!(office.suspended().iter().all(|n| (3..8).contains(n)));
    assert_eq!(office.stage().waiting(State::Held).await.len(), 3);
    let dropped = office.company.current().await.unwrap().version.dropped_at();
    for detail in &asked {
        assert_eq!(detail["occurredAt"], json!(dropped), "as old as the roster");
        let told = [&detail["factId"], &detail["provider"]["name"], &detail["assurance"]];
        assert_eq!(told, ["termination", "roster", "polled"]);
    }
    // A second pass, by the next roster: held or applied, the ledger knows of all five.
    office.stage().host.advance(SignedDuration::from_hours(24));
    office.roster(20, &gone).await;
    let summary = office.pass().await;
    assert_eq!((summary.missed, summary.restored), (0, 0));
    assert_eq!(office.asked(), Vec::<Value>::new());
}

#[tokio::test]
async fn two_passes_over_one_roster_ask_under_the_same_ids_and_change_nothing_more() {
    let office = Office::new(4, json!({})).await;
    office.hire(0..4).await;
    office.roster(4, &[(1, "2026-11-20"), (2, "2026-11-21")]).await;
    office.pass().await;
    let first = office.asked();
    office.stage().host.advance(SignedDuration::from_secs(60));
    office.pass().await;
    let second = office.asked();
    assert_eq!((ids(&first).len(), &first), (2, &second), "nothing was delivered meanwhile");
    office.stage().deliver_by_function(first.iter().map(envelope).collect()).await;
    assert_eq!(office.suspended(), [1, 2]);
    let changes = office.stage().changes();
    let report = office.stage().deliver_by_function(second.iter().map(envelope).collect()).await;
    assert!(Stage::told(&report).values().all(|told| told == "duplicate"), "{:?}", Stage::told(&report));
    assert_eq!(office.stage().changes(), changes);
    assert_eq!(office.pass().await.missed, 0);
}

#[tokio::test]
async fn whom_no_event_has_ever_named_is_looked_for_by_the_address_of_the_roster() {
    let office = Office::new(3, json!({})).await;
    let csv = format!("worker_id,email,status,end_date\n1,,active,\n2,p1@{LWA}.example,terminated,2026-11-20\n");
    in_force(office.company.drop("roster/all.csv", &csv).await);
    assert_eq!(office.pass().await.missed, 1);
    office.deliver().await;
    assert_eq!(office.suspended(), [1]);
}

#[tokio::test]
async fn who_works_there_is_not_taken_for_who_has_left_and_had_the_address() {
    let office = Office::new(4, json!({})).await;
    let csv = format!(
        "worker_id,object_id,email,status,end_date\n\
         C-7,okta:1,p1@{LWA}.example,terminated,2026-11-20\n\
         112,okta:1,p1@{LWA}.example,active,\n\
         C-8,okta:2,p2@{LWA}.example,terminated,2026-11-20\n"
    );
    in_force(office.company.drop("roster/all.csv", &csv).await);
    let summary = office.pass().await;
    assert_eq!((summary.leavers, summary.missed), (2, 2));
    let asked = office.deliver().await;
    let subject =
        |worker: &str| asked.iter().find(|detail| detail["subject"]["workerId"] == worker).unwrap()["subject"].clone();
    assert_eq!((&subject("C-7")["email"], &subject("C-7")["providerSubjectId"]), (&Value::Null, &Value::Null));
    assert_eq!(subject("C-8")["email"], format!("p2@{LWA}.example"));
    assert_eq!(office.suspended(), [2], "112 goes on");
    let waiting = office.stage().waiting(State::Held).await;
    assert_eq!(waiting.len(), 1, "an operator is asked for the address of C-7");
}

#[tokio::test]
async fn a_rejected_termination_is_restored() {
    let office = Office::new(4, json!({})).await;
    office.hire(1..2).await;
    let leave = |phase, at| event("x", "leave", phase, at, LWA, 1);
    let mut away = leave("effective", "2026-11-01T08:00:00Z");
    away["eventId"] = json!("l1");
    office.stage().deliver(&[envelope(&away)]).await;
    assert_eq!(office.suspended(), [1]);
    // Held, its fact counts: so the return finds that access is not due.
    let mut undated = termination("t1", LWA, 1);
    undated["missing"] = json!(["kind"]);
    office.stage().deliver(&[envelope(&undated)]).await;
    let back = event("r1", "return", "effective", "2026-11-23T08:00:00Z", LWA, 1);
    office.stage().deliver(&[envelope(&back)]).await;
    assert_eq!(office.stage().outcome("r1").await["reason"], "access_not_due");
    let held = office.stage().event("t1").await.unwrap();
    assert_eq!(held.state, State::Held);
    office.stage().ledger().reject(&held.id, &rejection(&office), false).await.unwrap();
    assert_eq!(office.suspended(), [1], "nobody asks again");
    office.roster(4, &[]).await;
    let before = office.stage().person().await;
    let summary = office.pass().await;
    assert_eq!((summary.taken, summary.restored, summary.missed), (1, 1, 0));
    let asked = office.deliver().await;
    assert_eq!(asked[0]["kind"], "hire");
    assert_eq!(office.suspended(), Vec::<usize>::new());
    let person = office.stage().person().await;
    assert_eq!(person.taken, None);
    let without_names = |person: &rollcall::ledger::PersonItem| -> Vec<_> {
        person.facts.iter().map(|fact| (fact.kind, fact.standing, fact.at, fact.assertion.occurred_at)).collect()
    };
    assert_eq!(without_names(&person), without_names(&before), "nothing new is asserted");
    assert_eq!(office.pass().await.restored, 0);
}

#[tokio::test]
async fn where_no_fact_says_what_was_taken_is_given_back_by_taking_the_rejected_fact_back() {
    let office = Office::new(4, json!({})).await;
    let away = event("l1", "leave", "effective", "2026-11-01T08:00:00Z", LWA, 1);
    office.stage().deliver(&[envelope(&away)]).await;
    let mut held = termination("t1", LWA, 1);
    held["missing"] = json!(["kind"]);
    let mut rescinded = away.clone();
    (rescinded["eventId"], rescinded["phase"]) = (json!("l2"), json!("rescinded"));
    rescinded["occurredAt"] = json!("2026-11-22T08:00:00Z");
    office.stage().deliver(&[envelope(&held), envelope(&rescinded)]).await;
    assert_eq!(office.suspended(), [1]);
    let held = office.stage().event("t1").await.unwrap();
    office.stage().ledger().reject(&held.id, &rejection(&office), false).await.unwrap();
    office.roster(4, &[]).await;
    assert_eq!(office.pass().await.restored, 1);
    let asked = office.deliver().await;
    assert_eq!((&asked[0]["kind"], &asked[0]["phase"]), (&json!("leave"), &json!("rescinded")));
    assert_eq!(office.suspended(), Vec::<usize>::new());
    let standings: Vec<Standing> = office.stage().person().await.facts.iter().map(|fact| fact.standing).collect();
    assert_eq!(standings, [Standing::Rejected, Standing::Rescinded], "the reject stands");
}

#[tokio::test]
async fn what_hr_says_after_the_roster_wins_and_before_it_loses() {
    // A termination at a later day, and a rescission; both asserted an hour after the roster was dropped, and before it.
    for (hours, suspended) in [(1, false), (-1, true)] {
        for (phase, at) in [("scheduled", "2026-12-31T18:00:00Z"), ("rescinded", "2026-11-20T18:00:00Z")] {
            for late in [true, false] {
                let office = Office::new(4, json!({})).await;
                office.hire(1..2).await;
                office.roster(4, &[(1, "2026-11-20")]).await;
                let mut real = event("t1", "termination", phase, at, LWA, 1);
                real["factId"] = json!("termination");
                real["occurredAt"] = json!(office.now() + SignedDuration::from_hours(hours));
                office.stage().host.advance(SignedDuration::from_hours(2));
                if late {
                    office.pass().await;
                    office.deliver().await;
                    assert_eq!(office.suspended(), [1]);
                }
                office.stage().deliver(&[envelope(&real)]).await;
                if !late {
                    assert_eq!(office.pass().await.missed, u64::from(suspended), "{phase} {hours}");
                    office.deliver().await;
                }
                // A later day gives nothing back by itself: its sender rescinds too, or the next pass gives it back.
                office.pass().await;
                office.deliver().await;
                let expected = if suspended { vec![1] } else { Vec::new() };
                assert_eq!(office.suspended(), expected, "{phase} {hours} {late}");
            }
        }
    }
}

#[tokio::test]
async fn a_refused_roster_changes_nothing_and_the_pass_works_with_the_one_before() {
    let office = Office::new(10, json!({})).await;
    office.hire(0..10).await;
    office.roster(10, &[(1, "2026-11-20")]).await;
    let good = office.company.current().await.unwrap();
    let bad = [
        ("empty", String::new()),
        ("cut short", "worker_id,email,status,end_date\n1,,terminated,2026-11-20\n2,,terminated,\"2026".to_owned()),
        ("shrunken", "worker_id,email,status,end_date\nlwa-2,,terminated,2026-11-20\n".to_owned()),
    ];
    for (name, file) in bad {
        office.stage().host.advance(SignedDuration::from_secs(60));
        let loaded = office.company.drop("roster/bad.csv", &file).await.unwrap();
        assert!(matches!(loaded, Loaded::Refused(_)), "{name}: {loaded:?}");
        let summary = office.pass().await;
        assert_eq!((summary.outcome, summary.leavers, summary.missed), (Outcome::Done, 1, 1), "{name}");
        office.asked();
    }
    assert_eq!(office.company.current().await, Some(good));
}

#[tokio::test]
async fn without_a_roster_or_with_an_old_one_nothing_is_done_and_that_is_told() {
    let office = Office::new(4, json!({ "audit": { "roster_max_age": "2d" } })).await;
    assert_eq!(office.pass().await, Summary { outcome: Outcome::NoRoster, ..Summary::default() });
    office.roster(4, &[(1, "2026-11-20")]).await;
    office.stage().host.advance(SignedDuration::from_hours(48));
    assert_eq!(office.pass().await.missed, 1);
    office.stage().host.advance(SignedDuration::from_secs(1));
    office.asked();
    assert_eq!(office.pass().await, Summary { outcome: Outcome::RosterTooOld, ..Summary::default() });
    assert_eq!(office.asked(), Vec::<Value>::new());
}

#[tokio::test]
async fn who_works_by_the_roster_and_left_by_the_ledger_is_told_and_not_acted_on() {
    let office = Office::new(4, json!({})).await;
    office.hire(1..3).await;
    office.stage().deliver(&[envelope(&termination("t1", LWA, 1))]).await;
    office.roster(4, &[]).await;
    let summary = office.pass().await;
    assert_eq!((summary.taken, summary.contradicted, summary.restored, summary.missed), (1, 1, 0, 0));
    assert_eq!(office.asked(), Vec::<Value>::new());
    assert_eq!(office.suspended(), [1]);
}
