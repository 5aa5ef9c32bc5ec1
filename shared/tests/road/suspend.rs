//! A termination takes access away, by account type.

use crate::stage::{Stage, account, envelope, event, failed, mapped, message, termination};
use aws_lambda_events::event::sqs::SqsEvent;
use serde_json::json;

fn all_types() -> serde_json::Value {
    json!([
        account("team", "Team", 2),
        account("lwa", "EnterpriseLWA", 2),
        account("ad", "EnterpriseDirectory", 2),
        account("oidc", "EnterpriseOIDC", 2),
    ])
}

/// What a termination does in an account of each type, with PIN resets on.
#[tokio::test]
async fn each_account_type_gets_its_own_steps() {
    let table = [
        ("team", "applied removed_from_team", vec!["LogoutUser", "ResetPersonalPIN", "BatchSuspendUser"], None),
        ("lwa", "applied suspended", vec!["BatchSuspendUser", "ResetPersonalPIN"], Some("Suspended")),
        ("ad", "applied directory_managed", vec!["LogoutUser", "ResetPersonalPIN"], Some("Registered")),
        ("oidc", "applied directory_managed", vec!["LogoutUser", "ResetPersonalPIN"], Some("Registered")),
    ];
    for (id, outcome, changes, status) in table {
        let stage = Stage::new(all_types()).await.with_policy(json!({ "pin_reset": "always" }));
        let report = stage.deliver(&[envelope(&termination("e1", id, 0))]).await;
        assert_eq!(Stage::told(&report)["e1"], outcome, "{id}");
        assert_eq!(failed(&report), Vec::<String>::new(), "{id}");
        assert_eq!(stage.changes(), changes, "{id}");
        assert_eq!(stage.users().get(&format!("{id}/u0")).map(String::as_str), status, "{id}");
        assert_eq!(stage.users()[&format!("{id}/u1")], "Registered", "{id}: nobody else is touched");
    }
}

#[tokio::test]
async fn a_duplicate_gets_the_stored_outcome_and_changes_nothing() {
    let stage = Stage::new(all_types()).await;
    let body = envelope(&termination("e1", "lwa", 0));
    stage.deliver(std::slice::from_ref(&body)).await;
    let changes = stage.changes();
    let report = stage.deliver(&[body.clone(), body]).await;
    assert_eq!(Stage::told(&report)["e1"], "duplicate");
    let rollcall::batch::Told::Duplicate(Some(stored)) = &report.events[0].told else { panic!("not a duplicate") };
    let stored: serde_json::Value = serde_json::from_str(stored.as_json()).unwrap();
    assert_eq!((&stored["outcome"], &stored["reason"]), (&json!("applied"), &json!("suspended")));
    assert_eq!(stored["steps"][0], json!({ "operation": "suspend", "status": "confirmed" }));
    assert_eq!(report.events[0].messages.len(), 2, "equal events are folded");
    assert_eq!(stage.changes(), changes);
}

#[tokio::test]
async fn what_was_taken_is_kept_for_the_way_back() {
    let stage = Stage::new(all_types()).await;
    stage.deliver(&[envelope(&termination("e1", "lwa", 0))]).await;
    let people = stage.people().await;
    let person = people.values().find(|person| person.taken.is_some()).unwrap();
    let taken = person.taken.clone().unwrap();
    assert_eq!((taken.licence.as_deref(), taken.event.as_str()), (Some("Pro"), "suspend-user#e1"));
    assert_eq!(person.lease, None);
    // A second termination takes nothing new, and does not overwrite what the first took.
    stage.deliver(&[envelope(&event("e2", "termination", "effective", "2026-11-23T08:00:00Z", "lwa", 0))]).await;
    let people = stage.people().await;
    assert_eq!(people.values().find_map(|person| person.taken.clone()), Some(taken));
}

#[tokio::test]
async fn somebody_who_is_suspended_already_needs_no_change() {
    let mut accounts = all_types();
    accounts[1]["users"][0]["UserRegistrationStatus"] = json!("Suspended");
    let stage = Stage::new(accounts).await;
    let report = stage.deliver(&[envelope(&termination("e1", "lwa", 0))]).await;
    assert_eq!(Stage::told(&report)["e1"], "unchanged already_suspended");
    assert_eq!(stage.changes(), Vec::<String>::new());
}

#[tokio::test]
async fn bare_details_and_sns_notifications_are_read_as_well() {
    let stage = Stage::new(all_types()).await;
    let bare = termination("e1", "lwa", 0).to_string();
    let sns = |message: String| json!({ "Type": "Notification", "MessageId": "x", "Message": message }).to_string();
    let wrapped = sns(envelope(&termination("e2", "lwa", 1)));
    let wrapped_bare = sns(termination("e3", "ad", 0).to_string());
    let report = stage.deliver(&[bare, wrapped, wrapped_bare]).await;
    let told = Stage::told(&report);
    assert_eq!(
        [&told["e1"], &told["e2"], &told["e3"]],
        ["applied suspended", "applied suspended", "applied directory_managed"]
    );
}

#[tokio::test]
async fn a_person_is_found_by_address_alone_and_by_a_number_tied_to_it() {
    let stage = Stage::new(all_types()).await;
    // The hire ties number and address together; then each alone names the person.
    stage.deliver(&[envelope(&event("h", "hire", "effective", "2026-11-01T08:00:00Z", "lwa", 0))]).await;
    let mut by_address = termination("t", "lwa", 0);
    by_address["subject"] = json!({ "email": "p0@lwa.example" });
    let report = stage.deliver(&[envelope(&by_address)]).await;
    assert_eq!(Stage::told(&report)["t"], "applied suspended");
    assert_eq!(stage.people().await.len(), 1, "it is the same person");
}

#[tokio::test]
async fn two_persons_found_to_be_one_are_merged() {
    let stage = Stage::new(all_types()).await;
    let mut by_address = event("h", "rehire", "effective", "2026-11-23T08:00:00Z", "lwa", 0);
    by_address["subject"] = json!({ "email": "p0@lwa.example" });
    stage.deliver(&[envelope(&by_address)]).await;
    // The older termination knows the number as well: the address's facts count for it.
    let report = stage.deliver(&[envelope(&termination("t", "lwa", 0))]).await;
    assert_eq!(Stage::told(&report)["t"], "superseded access_due");
    let people = stage.people().await;
    assert_eq!(people.values().filter(|person| person.merged_into.is_none()).count(), 1);
    assert_eq!(people.values().filter(|person| person.merged_into.is_some()).count(), 1);
}

#[tokio::test]
async fn a_reused_address_belongs_to_another_person() {
    let stage = Stage::new(all_types()).await;
    let about = |id: &str, kind: &str, worker: &str, occurred: &str, at: &str| {
        let mut event = event(id, kind, "effective", at, "lwa", 0);
        event["subject"]["workerId"] = json!(worker);
        event["occurredAt"] = json!(occurred);
        envelope(&event)
    };
    stage.deliver(&[about("h1", "hire", "old", "2026-01-01T08:00:00Z", "2026-01-01T08:00:00Z")]).await;
    // The directory's user is the former holder's: the successor inherits nothing.
    let report = stage.deliver(&[about("h2", "hire", "new", "2026-10-01T08:00:00Z", "2026-10-01T08:00:00Z")]).await;
    assert_eq!(Stage::told(&report)["h2"], "held address_reused");
    let report =
        stage.deliver(&[about("t2", "termination", "new", "2026-11-01T08:00:00Z", "2026-11-02T08:00:00Z")]).await;
    assert_eq!(Stage::told(&report)["t2"], "held address_reused");
    assert_eq!(stage.users()["lwa/u0"], "Registered");
    // The former holder's late termination takes the former holder's user.
    let report =
        stage.deliver(&[about("t1", "termination", "old", "2026-09-01T08:00:00Z", "2026-09-30T08:00:00Z")]).await;
    assert_eq!(Stage::told(&report)["t1"], "applied suspended");
}

/// Nothing was looked up for the former holder: the user may be theirs or the successor's, so neither event decides.
#[tokio::test]
async fn a_late_event_about_a_former_holder_is_held() {
    let stage = Stage::new(all_types()).await;
    let about = |id: &str, kind: &str, phase: &str, worker: &str, occurred: &str, at: &str| {
        let mut event = event(id, kind, phase, at, "lwa", 0);
        event["subject"]["workerId"] = json!(worker);
        event["occurredAt"] = json!(occurred);
        envelope(&event)
    };
    let (january, october) = ("2026-01-01T08:00:00Z", "2026-10-01T08:00:00Z");
    stage.deliver(&[about("h1", "hire", "scheduled", "old", january, january)]).await;
    let successor = about("h2", "hire", "effective", "new", october, october);
    assert_eq!(Stage::told(&stage.deliver(&[successor]).await)["h2"], "held address_reused");
    let late = about("t1", "termination", "effective", "old", "2026-09-01T08:00:00Z", "2026-09-30T08:00:00Z");
    assert_eq!(Stage::told(&stage.deliver(&[late]).await)["t1"], "held no_address");
    assert_eq!(stage.users()["lwa/u0"], "Registered");
    let left = about("t2", "termination", "effective", "new", "2026-11-01T08:00:00Z", "2026-11-02T08:00:00Z");
    assert_eq!(Stage::told(&stage.deliver(&[left]).await)["t2"], "held address_reused");
    // An operator knows whose it is.
    assert_eq!(Stage::told(&stage.release(&["t2"], "ana").await)["t2"], "applied suspended");
}

#[tokio::test]
async fn a_stale_user_id_is_looked_up_again_in_the_same_attempt() {
    let stage = Stage::new(all_types()).await;
    stage.deliver(&[envelope(&termination("e1", "lwa", 0))]).await;
    {
        // An administrator deletes the user in the console and the person registers anew.
        let mut core = stage.chime.core();
        let account = core.account_mut("lwa").unwrap();
        let user = account.user("u0").unwrap().clone();
        account.account.account_type = rollcall_local::chime::state::AccountType::Team;
        account.suspend("u0").unwrap();
        account.account.account_type = rollcall_local::chime::state::AccountType::EnterpriseLWA;
        let registration = rollcall_local::chime::state::Registration::Registered;
        account.add(rollcall_local::chime::state::User {
            user_id: "u0b".into(),
            user_registration_status: registration,
            ..user
        });
    }
    let report =
        stage.deliver(&[envelope(&event("e2", "termination", "effective", "2026-11-23T08:00:00Z", "lwa", 0))]).await;
    assert_eq!(Stage::told(&report)["e2"], "applied suspended");
    assert_eq!(stage.users()["lwa/u0b"], "Suspended");
}

#[tokio::test]
async fn a_parked_event_is_reopened_only_by_its_token() {
    let stage = Stage::new(json!([account("lwa", "EnterpriseLWA", 1)])).await.with_policy(mapped(&["gone"]));
    let mut detail = termination("e1", "lwa", 0);
    detail["subject"]["email"] = json!("p0@gone.example");
    let body = envelope(&detail);
    let report = stage.deliver(std::slice::from_ref(&body)).await;
    assert_eq!(Stage::told(&report)["e1"], "parked unknown_account");
    assert_eq!(failed(&report), Vec::<String>::new(), "a parked message is acknowledged");
    let parked = stage.queue.parked.lock().unwrap().clone();
    assert_eq!((parked.len(), parked[0].body.as_str()), (1, body.as_str()));
    assert_eq!(stage.event("e1").await.unwrap().owner, parked[0].parked_as);

    let report = stage.deliver(std::slice::from_ref(&body)).await;
    assert_eq!(Stage::told(&report)["e1"], "duplicate", "without the token it is a duplicate");

    // The policy is mended, and the message redriven with its attributes.
    let stage = stage.with_policy(json!({}));
    let mut redrive = SqsEvent::default();
    redrive.records = vec![message(0, &body, Some(&parked[0].parked_as))];
    let report = stage.worker().handle(redrive, stage.deadline()).await;
    assert_eq!(Stage::told(&report)["e1"], "unchanged user_not_found");
}

#[tokio::test]
async fn what_the_dead_letter_queue_does_not_take_comes_again() {
    let stage = Stage::new(all_types()).await;
    *stage.queue.broken.lock().unwrap() = true;
    let report = stage.deliver(&["no JSON".to_owned()]).await;
    assert_eq!(failed(&report), ["m0"]);
    *stage.queue.broken.lock().unwrap() = false;
    let report = stage.deliver(&["no JSON".to_owned()]).await;
    assert_eq!(failed(&report), Vec::<String>::new());
    assert_eq!(stage.queue.parked.lock().unwrap().len(), 1);
}
