//! Who an event is about, where identifiers are shared, stale or private: nobody is taken for another, and nobody is
//! called absent unseen.

use crate::stage::{Fault, Stage, Strike, account, envelope, event, failed, mapped, termination};
use rollcall_local::chime::state::AccountType;
use serde_json::json;

async fn stage() -> Stage {
    Stage::new(json!([account("lwa", "EnterpriseLWA", 3), account("team", "Team", 2)])).await
}

/// A leaver and a successor with one address, both first seen in one batch.
#[tokio::test]
async fn two_people_of_one_batch_may_share_an_address() {
    let stage = stage().await;
    let mut leaver = termination("t", "lwa", 0);
    leaver["subject"]["workerId"] = json!("former");
    let mut successor = event("h", "hire", "effective", "2026-11-23T08:00:00Z", "lwa", 0);
    successor["subject"]["workerId"] = json!("successor");
    successor["occurredAt"] = json!("2026-11-22T08:00:00Z");
    let neighbour = termination("n", "lwa", 1);
    let report = stage.deliver(&[&successor, &leaver, &neighbour].map(envelope)).await;
    assert_eq!(failed(&report), Vec::<String>::new());
    let told = Stage::told(&report);
    assert_eq!(told["n"], "applied suspended");
    assert_eq!(told["t"], "held no_address", "the address is the successor's now");
    assert_eq!(stage.users()["lwa/u0"], "Registered");
}

/// One event knows the address, another the number too: whichever is first, the facts meet in one person.
#[tokio::test]
async fn an_address_and_a_number_of_one_batch_are_one_person() {
    let mut rehire = event("r", "rehire", "effective", "2026-11-23T08:00:00Z", "lwa", 0);
    rehire["subject"] = json!({ "email": "p0@lwa.example" });
    let termination = termination("t", "lwa", 0);
    for order in [[&rehire, &termination], [&termination, &rehire]] {
        let stage = stage().await;
        stage.deliver(&order.map(envelope)).await;
        let people = stage.people().await;
        let whole: Vec<_> = people.values().filter(|person| person.merged_into.is_none()).collect();
        assert_eq!(whole.len(), 1, "{people:?}");
        assert_eq!(whole[0].facts.iter().count(), 2);
    }
}

/// An identity provider ties address and its own id; HR's older event knows all three.
#[tokio::test]
async fn a_person_that_is_being_merged_is_no_stranger() {
    let stage = stage().await;
    let mut login = event("l", "leave", "scheduled", "2026-12-20T08:00:00Z", "lwa", 0);
    login["subject"] = json!({ "providerSubjectId": "idp-1", "email": "p0@lwa.example" });
    login["occurredAt"] = json!("2026-11-21T08:00:00Z");
    stage.deliver(&[envelope(&login)]).await;
    let mut termination = termination("t", "lwa", 0);
    termination["subject"]["providerSubjectId"] = json!("idp-1");
    let report = stage.deliver(&[envelope(&termination)]).await;
    assert_eq!(Stage::told(&report)["t"], "applied suspended");
}

#[tokio::test]
async fn a_private_address_finds_nobody_at_work() {
    let stage = stage().await;
    let mut leaver = termination("t", "lwa", 0);
    leaver["subject"]["emailKind"] = json!("personal");
    let report = stage.deliver(&[envelope(&leaver)]).await;
    assert_eq!(Stage::told(&report)["t"], "held no_address");
}

/// The remembered id is stale and the event has no address: nobody looked, so nobody is called absent.
#[tokio::test]
async fn a_stale_id_without_an_address_waits_for_a_person() {
    let stage = stage().await;
    stage.deliver(&[envelope(&event("h", "hire", "effective", "2026-01-05T08:00:00Z", "team", 0))]).await;
    stage.chime.core().arm(rollcall_local::chime::faults::Fault {
        operation: rollcall_local::chime::routes::Operation::BatchSuspendUser,
        kind: rollcall_local::chime::faults::FaultKind::Throttle,
        after: 0,
        times: 3,
    });
    stage.deliver(&[envelope(&termination("t1", "team", 0))]).await;
    stage.chime.core().account_mut("team").unwrap().suspend("u0").unwrap();
    let mut by_number = event("t2", "termination", "effective", "2026-11-23T08:00:00Z", "team", 0);
    by_number["subject"] = json!({ "workerId": "team-0" });
    let report = stage.deliver(&[envelope(&by_number)]).await;
    assert_eq!(Stage::told(&report)["t2"], "held no_address");
}

/// An account's type changes when somebody claims a domain: what was remembered does not decide what is done.
#[tokio::test]
async fn the_account_is_taken_as_it_is_now() {
    let stage = stage().await.with_policy(mapped(&["lwa"]));
    stage.deliver(&[envelope(&termination("t1", "lwa", 0))]).await;
    stage.chime.core().account_mut("lwa").unwrap().account.account_type = AccountType::EnterpriseOIDC;
    let later = event("t2", "termination", "effective", "2026-11-23T08:00:00Z", "lwa", 0);
    // Another worker: it read the account's type when it started, now.
    let report = stage.deliver(&[envelope(&later)]).await;
    assert_eq!(Stage::told(&report)["t2"], "applied directory_managed");
}

/// A held correction does not take the place of the date that stands.
#[tokio::test]
async fn a_correction_that_cannot_be_dated_leaves_the_date_that_stands() {
    let stage = stage().await;
    let mut announced = event("a", "termination", "scheduled", "2026-11-22T18:00:00Z", "lwa", 0);
    announced["factId"] = json!("end");
    let mut correction = announced.clone();
    correction["eventId"] = json!("c");
    correction["occurredAt"] = json!("2026-11-21T08:00:00Z");
    correction["effective"] =
        json!({ "date": "2026-11-25", "at": null, "zone": null, "basis": "unknown", "source": "payload" });
    let mut fired = announced.clone();
    fired["eventId"] = json!("f");
    fired["phase"] = json!("effective");
    let report = stage.deliver(&[&announced, &correction, &fired].map(envelope)).await;
    let told = Stage::told(&report);
    assert_eq!([&told["c"], &told["f"]], ["held undatable", "applied suspended"]);
}

/// The directory is silent: the fact counts at once for others, and the 24 hours begin.
#[tokio::test]
async fn a_look_up_without_an_answer_keeps_the_fact_and_starts_the_clock() {
    let stage = stage().await;
    let silent = |times| rollcall_local::chime::faults::Fault {
        operation: rollcall_local::chime::routes::Operation::ListAccounts,
        kind: rollcall_local::chime::faults::FaultKind::ServiceFailure,
        after: 0,
        times,
    };
    stage.chime.core().arm(silent(3));
    let body = [envelope(&termination("t", "lwa", 0))];
    let report = stage.deliver(&body).await;
    assert_eq!(Stage::told(&report)["t"], "again unanswered");
    let record = stage.event("t").await.unwrap();
    assert_eq!(record.state, rollcall::ledger::State::Retry);
    assert_eq!(stage.person().await.facts.iter().count(), 1);
    stage.host.advance(jiff::SignedDuration::from_hours(25));
    let report = stage.deliver(&body).await;
    assert_eq!(Stage::told(&report)["t"], "parked gave_up");
}

/// A listing that shrinks between two pages skips people: they are looked up by themselves before they are called absent.
#[tokio::test]
async fn nobody_is_absent_on_the_word_of_a_listing_that_changed() {
    let stage = Stage::new(json!([account("big", "EnterpriseLWA", 301)])).await.with_policy(mapped(&["big"]));
    stage.chime.core().arm(rollcall_local::chime::faults::Fault {
        operation: rollcall_local::chime::routes::Operation::ListUsers,
        kind: rollcall_local::chime::faults::FaultKind::ListShrinks { by: 10 },
        after: 0,
        times: 1,
    });
    let leavers: Vec<String> = (195..207).map(|n| envelope(&termination(&format!("e{n}"), "big", n))).collect();
    let told = Stage::told(&stage.deliver(&leavers).await);
    assert!(told.values().all(|told| told == "applied suspended"), "{told:?}");
    assert_eq!(stage.chime.core().armed().len(), 0, "the listing did shrink");
}

/// An event of `identity_change`: the address is `email` now, and was `previous`.
fn renamed(id: &str, worker: Option<&str>, previous: &str, email: &str) -> serde_json::Value {
    let mut event = event(id, "identity_change", "effective", "2026-11-20T08:00:00Z", "lwa", 0);
    event["subject"] = json!({ "workerId": worker, "email": email, "previousEmail": previous });
    event
}

fn hired(id: &str, worker: Option<&str>, email: &str, occurred: &str) -> serde_json::Value {
    let mut event = event(id, "hire", "effective", "2026-11-21T08:00:00Z", "lwa", 0);
    event["subject"] = json!({ "workerId": worker, "email": email });
    event["occurredAt"] = json!(occurred);
    event
}

/// Facts, user and history follow the worker. Chime keeps the old address: nobody is looked up by the new one.
#[tokio::test]
async fn a_new_address_changes_nobody() {
    let stage = stage().await.with_policy(mapped(&["lwa"]));
    stage.deliver(&[envelope(&hired("h", Some("w"), "p0@lwa.example", "2026-11-10T08:00:00Z"))]).await;
    let report = stage.deliver(&[envelope(&renamed("n", Some("w"), "p0@lwa.example", "new@lwa.example"))]).await;
    assert_eq!(Stage::told(&report)["n"], "unchanged identity_recorded");
    // An identity provider knows the new address only, and means the same person.
    let mut left = termination("t", "lwa", 0);
    left["subject"] = json!({ "email": "new@lwa.example" });
    assert_eq!(Stage::told(&stage.deliver(&[envelope(&left)]).await)["t"], "applied suspended");
    assert_eq!(stage.users()["lwa/u0"], "Suspended");
    let person = stage.person().await;
    assert_eq!(person.facts.iter().count(), 2, "hire and termination meet in one person");
}

/// The address that was given up is given to somebody else, who is known by it alone, by a number, or by one and then
/// the other: a stranger who inherits neither facts nor user.
#[tokio::test]
async fn an_address_that_was_given_up_is_a_strangers() {
    for newcomers in [vec![None], vec![Some("b")], vec![None, Some("b")], vec![Some("b"), None]] {
        let stage = stage().await.with_policy(mapped(&["lwa"]));
        stage.deliver(&[envelope(&hired("h", Some("a"), "p0@lwa.example", "2026-11-10T08:00:00Z"))]).await;
        stage.deliver(&[envelope(&renamed("n", Some("a"), "p0@lwa.example", "new@lwa.example"))]).await;
        for (index, worker) in newcomers.iter().enumerate() {
            let event = hired(&format!("b{index}"), *worker, "p0@lwa.example", "2026-11-21T08:00:00Z");
            let report = stage.deliver(&[envelope(&event)]).await;
            let told = Stage::told(&report)[&format!("b{index}")].clone();
            assert_eq!(told, "held address_reused", "{newcomers:?}");
        }
        let people = stage.people().await;
        let whole: Vec<_> = people.values().filter(|person| person.merged_into.is_none()).collect();
        assert_eq!(whole.len(), 2, "{newcomers:?}: {people:?}");
        let users: Vec<_> = whole.iter().filter_map(|person| person.user.as_ref()).collect();
        assert_eq!(users.len(), 1, "{newcomers:?}: the user stays with the former holder");
        // The stranger leaves: the former holder's user is not touched.
        let mut left = termination("t", "lwa", 0);
        left["subject"] = json!({ "workerId": newcomers.last().unwrap(), "email": "p0@lwa.example" });
        left["occurredAt"] = json!("2026-11-22T08:00:00Z");
        assert_eq!(Stage::told(&stage.deliver(&[envelope(&left)]).await)["t"], "held address_reused", "{newcomers:?}");
        assert_eq!(stage.users()["lwa/u0"], "Registered");
        // The former holder leaves: by number alone.
        let mut left = termination("t2", "lwa", 0);
        left["subject"] = json!({ "workerId": "a" });
        assert_eq!(Stage::told(&stage.deliver(&[envelope(&left)]).await)["t2"], "applied suspended", "{newcomers:?}");
    }
}

/// Whoever is known by addresses alone is found by the one before.
#[tokio::test]
async fn a_person_known_by_address_alone_may_change_it() {
    let stage = stage().await.with_policy(mapped(&["lwa"]));
    stage.deliver(&[envelope(&hired("h", None, "p0@lwa.example", "2026-11-10T08:00:00Z"))]).await;
    stage.deliver(&[envelope(&renamed("n", None, "p0@lwa.example", "new@lwa.example"))]).await;
    let mut left = termination("t", "lwa", 0);
    left["subject"] = json!({ "email": "new@lwa.example" });
    assert_eq!(Stage::told(&stage.deliver(&[envelope(&left)]).await)["t"], "applied suspended");
    assert_eq!(stage.person().await.facts.iter().count(), 2);
}

/// An operator says that the user is the successor's: then it is, and no longer the former holder's.
#[tokio::test]
async fn a_released_user_changes_hands() {
    let stage = stage().await.with_policy(mapped(&["lwa"]));
    stage.deliver(&[envelope(&hired("h", Some("a"), "p0@lwa.example", "2026-11-10T08:00:00Z"))]).await;
    let mut gone = termination("g", "lwa", 0);
    gone["subject"] = json!({ "workerId": "a" });
    stage.deliver(&[envelope(&gone)]).await;
    let successor = hired("b", Some("b"), "p0@lwa.example", "2026-11-21T08:00:00Z");
    assert_eq!(Stage::told(&stage.deliver(&[envelope(&successor)]).await)["b"], "held address_reused");
    assert_eq!(Stage::told(&stage.release(&["b"], "ana").await)["b"], "applied reinstated");
    assert_eq!(stage.users()["lwa/u0"], "Registered");
    // A late event about the former holder finds no user, and no address of its own.
    let mut late = event("l", "leave", "effective", "2026-11-22T20:00:00Z", "lwa", 0);
    late["subject"] = json!({ "workerId": "a" });
    assert_eq!(Stage::told(&stage.deliver(&[envelope(&late)]).await)["l"], "held no_address");
    assert_eq!(stage.users()["lwa/u0"], "Registered");
}

/// Renamed before anybody looked them up: the change of address is the last chance to see whose user it is.
#[tokio::test]
async fn a_user_is_seen_under_the_address_of_before() {
    let stage = stage().await.with_policy(mapped(&["lwa"]));
    stage.deliver(&[envelope(&renamed("n", Some("a"), "p0@lwa.example", "new@lwa.example"))]).await;
    let successor = hired("b", Some("b"), "p0@lwa.example", "2026-11-21T08:00:00Z");
    assert_eq!(Stage::told(&stage.deliver(&[envelope(&successor)]).await)["b"], "held address_reused");
    let mut left = termination("t", "lwa", 0);
    left["subject"] = json!({ "workerId": "a", "email": "new@lwa.example" });
    assert_eq!(Stage::told(&stage.deliver(&[envelope(&left)]).await)["t"], "applied suspended");
}

/// Nobody was there to be seen when the address changed: whoever left is not called absent by the new one.
#[tokio::test]
async fn who_had_another_address_is_not_called_absent() {
    let stage = stage().await.with_policy(mapped(&["lwa"]));
    stage.deliver(&[envelope(&renamed("n", Some("a"), "before@lwa.example", "new@lwa.example"))]).await;
    let mut left = termination("t", "lwa", 0);
    left["subject"] = json!({ "workerId": "a", "email": "new@lwa.example" });
    assert_eq!(Stage::told(&stage.deliver(&[envelope(&left)]).await)["t"], "held former_address");
    assert_eq!(Stage::told(&stage.release(&["t"], "ana").await)["t"], "unchanged user_not_found");
}

/// HR tells by number and address, an identity provider by its own id and the address: they may be one person, so neither
/// blocks the other.
#[tokio::test]
async fn hr_and_an_identity_provider_do_not_block_each_other() {
    let stage = stage().await.with_policy(mapped(&["lwa"]));
    stage.deliver(&[envelope(&hired("h", Some("a"), "p0@lwa.example", "2026-11-10T08:00:00Z"))]).await;
    let mut off = event("off", "account_status", "effective", "2026-11-21T08:00:00Z", "lwa", 0);
    off["subject"] = json!({ "providerSubjectId": "okta-1", "email": "p0@lwa.example" });
    off["occurredAt"] = json!("2026-11-21T08:00:00Z");
    off["status"] = json!({ "after": "deactivated" });
    assert_eq!(Stage::told(&stage.deliver(&[envelope(&off)]).await)["off"], "applied suspended");
    let mut left = termination("t", "lwa", 0);
    left["subject"] = json!({ "workerId": "a", "email": "p0@lwa.example" });
    left["occurredAt"] = json!("2026-11-22T08:00:00Z");
    let told = Stage::told(&stage.deliver(&[envelope(&left)]).await)["t"].clone();
    assert!(["applied suspended", "unchanged already_suspended"].contains(&told.as_str()), "{told}");
    assert_eq!(stage.users()["lwa/u0"], "Suspended");
}

/// The same address before and after, there and back again, and taken back: no write meets itself, and nobody is split.
#[tokio::test]
async fn changes_of_address_that_change_little() {
    let stage = stage().await.with_policy(mapped(&["lwa"]));
    let (p0, q) = ("p0@lwa.example", "q@lwa.example");
    let mut later = renamed("n3", None, q, p0);
    later["occurredAt"] = json!("2026-11-21T08:00:00Z");
    let changes = [renamed("n1", None, p0, p0), renamed("n2", None, p0, q), later];
    for change in changes {
        let id = change["eventId"].as_str().unwrap().to_owned();
        let told = Stage::told(&stage.deliver(&[envelope(&change), envelope(&termination("t", "lwa", 1))]).await);
        assert_eq!(told[&id], "unchanged identity_recorded");
    }
    let whole = stage.people().await.into_values().filter(|person| person.merged_into.is_none()).count();
    assert_eq!(whole, 2, "the renamed one, and whoever left beside");
    let mut back = renamed("n4", Some("w"), p0, "x@lwa.example");
    (back["phase"], back["occurredAt"]) = (json!("rescinded"), json!("2026-11-22T08:00:00Z"));
    assert_eq!(Stage::told(&stage.deliver(&[envelope(&back)]).await)["n4"], "unchanged identity_recorded");
    let mut left = termination("t2", "lwa", 0);
    (left["subject"], left["occurredAt"]) = (json!({ "email": p0 }), json!("2026-11-22T09:00:00Z"));
    assert_eq!(Stage::told(&stage.deliver(&[envelope(&left)]).await)["t2"], "applied suspended");
}

/// An address that changes later changes nothing yet.
#[tokio::test]
async fn a_change_of_address_that_lies_ahead_ties_nothing() {
    let stage = stage().await.with_policy(mapped(&["lwa"]));
    stage.deliver(&[envelope(&hired("h", Some("a"), "p0@lwa.example", "2026-11-10T08:00:00Z"))]).await;
    let mut ahead = renamed("n", Some("a"), "p0@lwa.example", "new@lwa.example");
    ahead["effective"]["at"] = json!("2026-12-24T08:00:00Z");
    assert_eq!(Stage::told(&stage.deliver(&[envelope(&ahead)]).await)["n"], "parked not_yet_effective");
    let mut left = termination("t", "lwa", 0);
    left["subject"] = json!({ "email": "p0@lwa.example" });
    assert_eq!(Stage::told(&stage.deliver(&[envelope(&left)]).await)["t"], "applied suspended");
    assert_eq!(stage.person().await.facts.iter().count(), 2);
}

/// A yes to one more mail goes to nobody else: the address of the event is somebody else's by now.
#[tokio::test]
async fn an_address_that_was_given_up_gets_no_mail_of_its_former_holder() {
    let stage = stage().await.with_policy(mapped(&["team"]));
    let about = |id: &str, kind: &str, subject: serde_json::Value, occurred: &str| {
        let mut event = event(id, kind, "effective", "2026-11-20T08:00:00Z", "team", 0);
        (event["subject"], event["occurredAt"]) = (subject, json!(occurred));
        [envelope(&event)]
    };
    let of = |worker: &str, email: &str| json!({ "workerId": worker, "email": email });
    let bounce = |email: &str| {
        let mut core = stage.chime.core();
        let user = core.account("team").unwrap().by_email(email).unwrap().user_id.clone();
        core.bounce("team", &user).unwrap();
    };
    let (p, q) = ("p0@team.example", "new@team.example");
    stage.deliver(&about("t", "termination", of("a", p), "2026-11-09T08:00:00Z")).await;
    // The worker dies once the mail is out, and the mail bounces.
    let rehire = about("r", "rehire", of("a", p), "2026-11-10T08:00:00Z");
    let strike = Strike::on(Fault::StopBefore, "TransactWriteItems", 2, 1);
    assert!(stage.deliver_until(&rehire, strike).await.is_none());
    bounce(p);
    stage.host.advance(jiff::SignedDuration::from_mins(17));
    assert_eq!(Stage::told(&stage.deliver(&rehire).await)["r"], "held invitation_failed");
    // An administrator gives the user the new address, and the successor gets the one of before.
    {
        let mut core = stage.chime.core();
        let id = core.account("team").unwrap().by_email(p).unwrap().user_id.clone();
        core.account_mut("team").unwrap().user_mut(&id).unwrap().primary_email = Some(q.to_owned());
    }
    stage.deliver(&about("s", "hire", of("b", p), "2026-11-21T09:00:00Z")).await;
    let mut renamed = of("a", q);
    renamed["previousEmail"] = json!(p);
    stage.deliver(&about("n", "identity_change", renamed, "2026-11-21T08:00:00Z")).await;
    assert_eq!(Stage::told(&stage.release(&["r"], "ana").await)["r"], "held no_address");
}
