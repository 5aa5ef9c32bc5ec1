//! Invitations: a mail each, so never twice; read back where the answer was lost; and the licence that follows.

use crate::stage::{Fault as Cut, Stage, Strike, account, envelope, event, failed, mapped, termination};
use jiff::SignedDuration;
use rollcall::directory::Licence;
use rollcall::ledger::State;
use rollcall_local::chime::faults::{Fault, FaultKind};
use rollcall_local::chime::routes::Operation;
use serde_json::{Value, json};

const NEW: usize = 7;

/// A Team account with two users; the policy gives Basic to whoever is no engineer.
async fn stage() -> Stage {
    let mut policy = mapped(&["team"]);
    policy["licences"] = json!({ "rules": [{ "job_code": ["ENG-*"], "licence": "Pro" }], "default": "Basic" });
    Stage::new(json!([account("team", "Team", 2)])).await.with_policy(policy)
}

fn hire(id: &str, n: usize) -> Value {
    event(id, "hire", "effective", "2026-11-23T08:00:00Z", "team", n)
}

fn bodies(n: usize) -> [String; 1] {
    [envelope(&hire("h", n))]
}

fn arm(stage: &Stage, kind: FaultKind, times: u32) {
    stage.chime.core().arm(Fault { operation: Operation::InviteUsers, kind, after: 0, times });
}

fn invitations(stage: &Stage) -> usize {
    stage.changes().iter().filter(|change| *change == "InviteUsers").count()
}

/// The invited user: id, and whether it is pending.
fn invited(stage: &Stage, n: usize) -> Option<(String, String)> {
    let core = stage.chime.core();
    let user = core.account("team").unwrap().by_email(&format!("p{n}@team.example"))?;
    Some((user.user_id.clone(), format!("{:?} {:?}", user.user_registration_status, user.user_invitation_status)))
}

fn accept(stage: &Stage, n: usize) {
    let (user, _) = invited(stage, n).unwrap();
    stage.chime.core().accept("team", &user, None).unwrap();
}

fn licence(stage: &Stage, n: usize) -> String {
    let core = stage.chime.core();
    let user = core.account("team").unwrap().by_email(&format!("p{n}@team.example")).unwrap();
    format!("{:?}", user.license_type.unwrap())
}

#[tokio::test]
async fn a_hire_is_invited_once_and_gets_its_licence_when_it_has_registered() {
    let stage = stage().await;
    assert_eq!(Stage::told(&stage.deliver(&bodies(NEW)).await)["h"], "applied invited");
    assert_eq!(invited(&stage, NEW).unwrap().1, "Unregistered Some(Pending)");
    let person = stage.person().await;
    assert_eq!((person.wish, person.attention.as_deref()), (Some(Licence::Basic), Some("licence_wish")));
    assert_eq!(person.lease, None);
    assert_eq!(Stage::told(&stage.deliver(&bodies(NEW)).await)["h"], "duplicate");
    // Another hire, and the first is not yet accepted.
    assert_eq!(Stage::told(&stage.deliver(&[envelope(&hire("h2", NEW))]).await)["h2"], "unchanged already_invited");
    accept(&stage, NEW);
    assert_eq!(licence(&stage, NEW), "Pro", "the account's default");
    assert_eq!(Stage::told(&stage.deliver(&[envelope(&hire("h3", NEW))]).await)["h3"], "applied licence_set");
    assert_eq!(licence(&stage, NEW), "Basic");
    let person = stage.person().await;
    assert_eq!((person.wish, person.attention, person.first_claimed_at), (None, None, None));
    assert_eq!(invitations(&stage), 1);
}

#[tokio::test]
async fn up_to_fifty_addresses_are_one_call() {
    let stage = stage().await;
    let bodies: Vec<String> = (10..58).map(|n| envelope(&hire(&format!("h{n}"), n))).collect();
    let report = stage.deliver(&bodies).await;
    assert_eq!(failed(&report), Vec::<String>::new());
    assert!(Stage::told(&report).values().all(|told| told == "applied invited"));
    assert_eq!(stage.changes(), ["InviteUsers"]);
    assert_eq!(stage.users().len(), 2 + 48);
}

/// Lost after it took effect: read back a quarter of an hour later, and not sent again.
#[tokio::test]
async fn an_invitation_whose_answer_is_lost_is_read_back() {
    for accepted in [false, true] {
        let stage = stage().await;
        arm(&stage, FaultKind::LostAnswer, 1);
        assert_eq!(Stage::told(&stage.deliver(&bodies(NEW)).await)["h"], "again unanswered");
        let delay = stage.queue.delays.lock().unwrap()[0].1;
        assert!(delay >= std::time::Duration::from_secs(15 * 60), "{delay:?}");
        // A redelivery that comes sooner finds it under way, and waits.
        stage.queue.delays.lock().unwrap().clear();
        assert_eq!(Stage::told(&stage.deliver(&bodies(NEW)).await)["h"], "again busy");
        // So does everything else about the person: what was sent may still take effect.
        let left = termination("t", "team", NEW);
        assert_eq!(Stage::told(&stage.deliver(&[envelope(&left)]).await)["t"], "again busy");
        if accepted {
            accept(&stage, NEW);
        }
        stage.wait_for_the_queue();
        assert_eq!(Stage::told(&stage.deliver(&bodies(NEW)).await)["h"], "applied invited", "{accepted}");
        assert_eq!(invitations(&stage), 1);
        let person = stage.person().await;
        assert_eq!((person.wish, person.lease, person.taken), (Some(Licence::Basic), None, None));
    }
}

/// Never took effect: sent once more when that is certain; then held, until an operator says to try again.
#[tokio::test]
async fn an_invitation_that_never_arrives_is_sent_twice_at_most() {
    let stage = stage().await;
    arm(&stage, FaultKind::CutBefore, 2);
    for sent in [1, 2] {
        assert_eq!(Stage::told(&stage.deliver(&bodies(NEW)).await)["h"], "again unanswered");
        assert_eq!(invitations(&stage), sent);
        stage.wait_for_the_queue();
    }
    assert_eq!(Stage::told(&stage.deliver(&bodies(NEW)).await)["h"], "held invitation_unknown");
    assert_eq!(invitations(&stage), 2);
    assert_eq!(Stage::told(&stage.deliver(&bodies(NEW)).await)["h"], "duplicate");
    assert_eq!(Stage::told(&stage.release(&["h"], "ana").await)["h"], "applied invited");
    let outcome = stage.outcome("h").await;
    assert_eq!(outcome["steps"][0]["repeated"], true, "{outcome}");
}

#[tokio::test]
async fn an_invitation_is_sent_again_once_where_the_first_never_arrived() {
    let stage = stage().await;
    arm(&stage, FaultKind::CutBefore, 1);
    stage.deliver(&bodies(NEW)).await;
    stage.wait_for_the_queue();
    assert_eq!(Stage::told(&stage.deliver(&bodies(NEW)).await)["h"], "applied invited");
    assert_eq!(stage.outcome("h").await["steps"][0]["repeated"], true);
    assert_eq!(invitations(&stage), 2);
}

/// The worker is stopped dead before or after the mail, at each of its calls: one mail in the end, never two.
#[tokio::test]
async fn a_worker_that_dies_mails_nobody_twice() {
    for cut in [Cut::StopBefore, Cut::StopAfter] {
        for n in 1.. {
            let stage = stage().await;
            let died = stage.deliver_until(&bodies(NEW), Strike::at(cut, n)).await;
            if died.is_some() {
                assert!(n > 4, "{cut:?} {n}: recall, look-up, claim, invite and settle");
                break;
            }
            stage.host.advance(SignedDuration::from_mins(17));
            stage.deliver_to_the_end(&bodies(NEW)).await;
            assert_eq!(stage.event("h").await.unwrap().state, State::Applied, "{cut:?} {n}");
            assert_eq!(invitations(&stage), 1, "{cut:?} {n}");
            assert_eq!(stage.users().len(), 3, "{cut:?} {n}");
            assert_eq!(stage.person().await.lease, None, "{cut:?} {n}");
        }
    }
}

#[tokio::test]
async fn throttled_and_refused_invitations_send_nothing_twice() {
    let stage = stage().await;
    arm(&stage, FaultKind::Throttle, 1);
    assert_eq!(Stage::told(&stage.deliver(&bodies(NEW)).await)["h"], "again throttled");
    assert_eq!(invitations(&stage), 1, "the SDK does not try again by itself");
    assert_eq!(stage.person().await.lease, None, "nothing was done");
    stage.wait_for_the_queue();
    assert_eq!(Stage::told(&stage.deliver(&bodies(NEW)).await)["h"], "applied invited");
    let stage = self::stage().await;
    arm(&stage, FaultKind::Forbidden, 1);
    assert_eq!(Stage::told(&stage.deliver(&bodies(NEW)).await)["h"], "parked refused_by_directory");
}

/// The mail bounces later: the next event says so, and does not mail again unless somebody asks for it.
#[tokio::test]
async fn a_bounced_invitation_is_a_named_outcome() {
    let stage = stage().await;
    stage.deliver(&bodies(NEW)).await;
    let (user, _) = invited(&stage, NEW).unwrap();
    stage.chime.core().bounce("team", &user).unwrap();
    assert_eq!(Stage::told(&stage.deliver(&[envelope(&hire("h2", NEW))]).await)["h2"], "held invitation_failed");
    assert_eq!(invitations(&stage), 1);
    assert_eq!(Stage::told(&stage.release(&["h2"], "ana").await)["h2"], "applied invited");
    assert_eq!(invited(&stage, NEW).unwrap().1, "Unregistered Some(Pending)");
    assert_eq!(invitations(&stage), 2);
}

/// Who left before they registered: the invitation goes, and the licence that was wished for is not set by it.
#[tokio::test]
async fn a_leaver_keeps_no_invitation() {
    let stage = stage().await;
    stage.deliver(&bodies(NEW)).await;
    let mut left = termination("t", "team", NEW);
    left["effective"]["at"] = json!("2026-11-23T10:00:00Z");
    left["effective"]["date"] = json!("2026-11-24");
    assert_eq!(Stage::told(&stage.deliver(&[envelope(&left)]).await)["t"], "applied removed_from_team");
    assert_eq!(invited(&stage, NEW), None);
    assert_eq!(stage.changes().iter().filter(|change| *change == "BatchUpdateUser").count(), 0);
}

#[tokio::test]
async fn which_account_is_a_named_outcome_where_it_is_not_clear() {
    let accounts = json!([account("team", "Team", 1), account("other", "Team", 1)]);
    let about = |id: &str, email: &str| {
        let mut event = hire(id, NEW);
        event["subject"]["email"] = json!(email);
        envelope(&event)
    };
    // No policy: nobody has the address, so no account is known for it.
    let stage = Stage::new(accounts.clone()).await;
    assert_eq!(Stage::told(&stage.deliver(&[about("a", "new@team.example")]).await)["a"], "parked no_account");
    assert_eq!(
        Stage::told(&stage.deliver(&[about("b", "p0@team.example")]).await)["b"],
        "unchanged already_registered"
    );
    let unknown = json!({ "accounts": [{ "account": "gone", "domains": ["team.example"] }] });
    let stage = Stage::new(accounts.clone()).await.with_policy(unknown);
    assert_eq!(Stage::told(&stage.deliver(&[about("c", "new@team.example")]).await)["c"], "parked unknown_account");
    let stage = Stage::new(accounts).await.with_policy(mapped(&["team"]));
    stage.chime.core().account_mut("team").unwrap().account.account_status =
        rollcall_local::chime::state::AccountStatus::Suspended;
    assert_eq!(Stage::told(&stage.deliver(&[about("d", "new@team.example")]).await)["d"], "parked account_suspended");
    assert_eq!(invitations(&stage), 0);
}

/// One yes of an operator is one mail.
#[tokio::test]
async fn a_release_mails_once() {
    let stage = stage().await;
    stage.deliver(&bodies(NEW)).await;
    let (user, _) = invited(&stage, NEW).unwrap();
    stage.chime.core().bounce("team", &user).unwrap();
    stage.deliver(&[envelope(&hire("h2", NEW))]).await;
    assert_eq!(Stage::told(&stage.release(&["h2"], "ana").await)["h2"], "applied invited");
    let (user, _) = invited(&stage, NEW).unwrap();
    stage.chime.core().bounce("team", &user).unwrap();
    assert_eq!(Stage::told(&stage.deliver(&[envelope(&hire("h3", NEW))]).await)["h3"], "held invitation_failed");
    assert_eq!(invitations(&stage), 2);
    // No answer to what was released, twice: held again.
    arm(&stage, FaultKind::CutBefore, 2);
    let mut told = Stage::told(&stage.release(&["h3"], "ana").await)["h3"].clone();
    for _ in 0..4 {
        if told != "again unanswered" && told != "again busy" {
            break;
        }
        stage.wait_for_the_queue();
        told = Stage::told(&stage.deliver(&[envelope(&hire("h3", NEW))]).await)["h3"].clone();
    }
    assert_eq!(told, "held invitation_unknown");
    assert_eq!(invitations(&stage), 2 + 2);
}

/// A domain that another company claimed refuses the whole request: the others are invited all the same.
#[tokio::test]
async fn one_address_that_is_refused_costs_nobody_else_an_invitation() {
    let accounts = json!([account("team", "Team", 2), account("claimer", "EnterpriseLWA", 0)]);
    let mut policy = mapped(&["team"]);
    policy["accounts"][0]["domains"] = json!(["team.example", "claimed.example"]);
    let stage = Stage::new(accounts).await.with_policy(policy);
    stage.chime.core().account_mut("claimer").unwrap().domains = vec!["claimed.example".to_owned()];
    let mut refused = hire("x", 20);
    refused["subject"]["email"] = json!("x@claimed.example");
    let bodies = [envelope(&hire("a", 21)), envelope(&refused), envelope(&hire("b", 22))];
    let told = Stage::told(&stage.deliver(&bodies).await);
    assert_eq!((told["a"].as_str(), told["b"].as_str()), ("applied invited", "applied invited"));
    assert_eq!(told["x"], "parked refused_by_directory");
    assert_eq!(invitations(&stage), 1 + 3);
}

/// The first mail's fate is unknown, and the second has to wait for its turn: it is still to come.
#[tokio::test]
async fn a_second_mail_that_was_throttled_was_not_sent() {
    let stage = stage().await;
    arm(&stage, FaultKind::CutBefore, 1);
    stage.deliver(&bodies(NEW)).await;
    stage.wait_for_the_queue();
    arm(&stage, FaultKind::Throttle, 1);
    assert_eq!(Stage::told(&stage.deliver(&bodies(NEW)).await)["h"], "again throttled");
    stage.wait_for_the_queue();
    stage.host.advance(SignedDuration::from_mins(16));
    assert_eq!(Stage::told(&stage.deliver(&bodies(NEW)).await)["h"], "applied invited");
    assert_eq!(stage.users().len(), 3);
}

/// The policy moves the domain to another account while an invitation is out: it is read back where it was sent.
#[tokio::test]
async fn an_invitation_is_read_back_where_it_was_sent() {
    let accounts = json!([account("team", "Team", 1), account("other", "Team", 1)]);
    let stage = Stage::new(accounts).await.with_policy(mapped(&["team"]));
    arm(&stage, FaultKind::LostAnswer, 1);
    stage.deliver(&bodies(NEW)).await;
    stage.wait_for_the_queue();
    let moved = json!({ "accounts": [{ "account": "other", "domains": ["team.example"] }], "pin_reset": "never" });
    let stage = stage.with_policy(moved);
    assert_eq!(Stage::told(&stage.deliver(&bodies(NEW)).await)["h"], "applied invited");
    assert_eq!(invitations(&stage), 1);
    // And whoever was invited there leaves from there.
    let mut left = termination("t", "team", NEW);
    left["effective"] = json!({ "at": "2026-11-23T11:00:00Z", "basis": "instant" });
    left["effective"]["date"] = json!("2026-11-24");
    assert_eq!(Stage::told(&stage.deliver(&[envelope(&left)]).await)["t"], "applied removed_from_team");
    assert_eq!(invited(&stage, NEW), None);
}

/// The attempt that found them not registered yet died, and they registered since: what is taken is what they have.
#[tokio::test]
async fn a_leaver_who_registers_meanwhile_loses_what_they_have_then() {
    let stage = stage().await;
    stage.deliver(&bodies(NEW)).await;
    let mut left = termination("t", "team", NEW);
    left["effective"]["at"] = json!("2026-11-23T10:00:00Z");
    left["effective"]["date"] = json!("2026-11-24");
    let left = [envelope(&left)];
    let strike = Strike::on(Cut::StopAfter, "TransactWriteItems", 1, 1);
    assert!(stage.deliver_until(&left, strike).await.is_none());
    accept(&stage, NEW);
    let has = licence(&stage, NEW);
    stage.outlive_leases();
    assert_eq!(Stage::told(&stage.deliver(&left).await)["t"], "applied removed_from_team");
    assert_eq!(stage.person().await.taken.unwrap().licence, Some(has));
}

/// Somebody who was removed is being invited again, and nobody knows yet whether the mail went out: whoever comes with
/// the same address does not get that user.
#[tokio::test]
async fn who_is_being_invited_again_keeps_the_user() {
    let stage = stage().await;
    stage.deliver(&[envelope(&termination("t", "team", 0))]).await;
    arm(&stage, FaultKind::LostAnswer, 1);
    let mut rehire = event("r", "rehire", "effective", "2026-11-23T08:00:00Z", "team", 0);
    rehire["occurredAt"] = json!("2026-11-23T08:00:00Z");
    assert_eq!(Stage::told(&stage.deliver(&[envelope(&rehire)]).await)["r"], "again unanswered");
    let mut successor = hire("s", 0);
    successor["subject"]["workerId"] = json!("successor");
    successor["occurredAt"] = json!("2026-11-23T09:00:00Z");
    assert_eq!(Stage::told(&stage.deliver(&[envelope(&successor)]).await)["s"], "held address_reused");
}
