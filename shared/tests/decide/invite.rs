//! invite-user: who was hired gets access, by account type.

use crate::{LICENCES, PAST, SHOWN, Scene, Shown, TYPES, account, consumed, detail, of_type, taken, with_job};
use rollcall::decide::{Decision, Known, Reason};
use rollcall::directory::{AccountType, Found, Licence, Operation};
use rollcall::plan::{Plan, StepStatus};
use rollcall::routes::Function;
use serde_json::json;

/// What invite-user does for a hire whose job comes with Basic; whoever is there has Pro.
fn cell(kind: AccountType, shown: Shown) -> &'static str {
    match (kind, shown) {
        (AccountType::Team, Shown::Nobody | Shown::Suspended) => "invite, wish Basic",
        (AccountType::Team, Shown::Pending) => "Unchanged AlreadyInvited, wish Basic",
        (AccountType::Team, Shown::Bounced) => "hold InvitationFailed",
        (AccountType::Team, Shown::Registered | Shown::Unknown) => "set_licence Basic",
        (AccountType::EnterpriseLwa, Shown::Nobody | Shown::Pending | Shown::Bounced) => "Unchanged JoinsByDomain",
        (AccountType::EnterpriseLwa, Shown::Suspended) => "unsuspend",
        (AccountType::EnterpriseLwa, Shown::Registered | Shown::Unknown) => "Unchanged AlreadyRegistered",
        (
            AccountType::EnterpriseDirectory | AccountType::EnterpriseOidc,
            Shown::Nobody | Shown::Pending | Shown::Bounced | Shown::Registered | Shown::Suspended | Shown::Unknown,
        ) => "Unchanged ManagedByDirectory",
    }
}

fn hire() -> Scene {
    let event = with_job(detail("hire", "effective", PAST), None, Some("HR-1"));
    Scene { policy: LICENCES, ..Scene::new(Function::InviteUser, event) }
}

/// Event × account type × user state.
#[test]
fn every_cell() {
    for (event_type, login) in consumed(Function::InviteUser) {
        let event = with_job(of_type(event_type, login), None, Some("HR-1"));
        let scene = Scene { policy: LICENCES, ..Scene::new(Function::InviteUser, event) };
        for (kind, shown) in TYPES.into_iter().flat_map(|kind| SHOWN.map(|shown| (kind, shown))) {
            let context = format!("{}, {kind:?}, {shown:?}", event_type.detail_type());
            assert_eq!(scene.told(Known::Found(&shown.found(kind))), cell(kind, shown), "{context}");
        }
    }
}

#[test]
fn by_what_is_known_of_the_user() {
    let user = "u1".to_owned().try_into().unwrap();
    let accounts = TYPES.map(account);
    let remembered = |kind: usize| Known::Remembered { account: &accounts[kind], user: &user, licence: None };
    let table = [
        (Known::NotYet, "look up"),
        (Known::NoAddress, "hold NoAddress"),
        (Known::Found(&Found::SeveralAccounts), "park several_accounts detail.subject.email"),
        (Known::Found(&Found::UnknownAccount), "park unknown_account policy.accounts"),
        (Known::Found(&Found::Nobody { account: None }), "park no_account detail.subject.email"),
        (Known::Found(&Found::SomebodyElses), "hold AddressReused"),
        (remembered(0), "look up"),
        (remembered(1), "look up"),
        (remembered(2), "Unchanged ManagedByDirectory"),
        (remembered(3), "Unchanged ManagedByDirectory"),
    ];
    for (known, expected) in table {
        assert_eq!(hire().told(known), expected, "{known:?}");
    }
}

#[test]
fn the_facts_decide() {
    let left = detail("termination", "effective", "2026-11-23T08:00:00Z");
    let away = detail("leave", "effective", "2026-11-23T08:00:00Z");
    let mut taken_back = detail("hire", "rescinded", PAST);
    taken_back["occurredAt"] = json!("2026-11-21T08:00:00Z");
    taken_back["eventId"] = json!("e2");
    let table = [
        (left, "Superseded AccessNotDue"),
        (away, "Superseded AccessNotDue"),
        (taken_back, "Superseded AccessNotDue"),
        (detail("termination", "effective", "2026-11-01T08:00:00Z"), "look up"),
    ];
    for (fact, expected) in table {
        let scene = Scene { facts: vec![fact.clone()], ..hire() };
        assert_eq!(scene.told(Known::NotYet), expected, "{fact}");
    }
}

#[test]
fn the_licence_of_who_joins() {
    let nobody = Shown::Nobody.found(AccountType::Team);
    let told = |job: Option<&str>, policy: &'static str, licences: Vec<&'static str>| {
        let event = with_job(detail("hire", "effective", PAST), None, job);
        let scene = Scene { policy, account: (true, licences), ..Scene::new(Function::InviteUser, event) };
        scene.told(Known::Found(&nobody))
    };
    let both = || vec!["Basic", "Pro"];
    assert_eq!(told(Some("ENG-7"), LICENCES, both()), "invite, wish Pro");
    assert_eq!(told(None, LICENCES, both()), "invite, wish Basic", "by default");
    assert_eq!(told(Some("ENG-7"), "{}", both()), "invite", "no policy, no wish");
    // What the account does not offer is not asked for, and said.
    assert_eq!(told(Some("ENG-7"), LICENCES, vec!["Basic"]), "invite, [set_licence Pro Unsupported]");
    // Whoever has it already needs nothing.
    let registered = Shown::Registered.found(AccountType::Team);
    let event = with_job(detail("hire", "effective", PAST), None, Some("ENG-7"));
    let scene = Scene { policy: LICENCES, ..Scene::new(Function::InviteUser, event) };
    assert_eq!(scene.told(Known::Found(&registered)), "Unchanged AlreadyRegistered, no wish");
    let untold = Scene { policy: LICENCES, ..Scene::new(Function::InviteUser, detail("hire", "effective", PAST)) };
    assert_eq!(untold.told(Known::Found(&registered)), "set_licence Basic", "by default");
}

/// The directory may know who was renamed by the address of before: no second user is made.
#[test]
fn who_was_renamed_is_not_called_absent() {
    let nobody = Shown::Nobody.found(AccountType::Team);
    let renamed = Scene { renamed: true, ..hire() };
    assert_eq!(renamed.told(Known::Found(&nobody)), "hold FormerAddress");
    let released = Scene { released: Some(Reason::FormerAddress), ..renamed };
    assert_eq!(released.told(Known::Found(&nobody)), "invite, wish Basic");
}

#[test]
fn a_suspended_account_lets_nobody_in() {
    for (kind, shown) in [(AccountType::Team, Shown::Nobody), (AccountType::EnterpriseLwa, Shown::Suspended)] {
        let scene = Scene { account: (false, vec![]), ..hire() };
        assert_eq!(scene.told(Known::Found(&shown.found(kind))), "park account_suspended account");
    }
}

/// The plan of an attempt whose invitation got no answer; `repeated`: it was the second.
fn unanswered(repeated: bool) -> Plan {
    let nobody = Shown::Nobody.found(AccountType::Team);
    let Decision::Act(mut plan) = hire().decide(Known::Found(&nobody)) else { panic!("an invitation") };
    plan.steps[0].status = StepStatus::Unknown;
    plan.steps[0].repeated = repeated;
    plan
}

/// An invitation whose answer was lost: pending or registered is confirmed; absent is sent once more; unknown again is held.
#[test]
fn an_invitation_without_an_answer_is_read_back() {
    let table = [
        (Shown::Pending, false, "Applied Invited, wish Basic"),
        (Shown::Registered, false, "Applied Invited, wish Basic"),
        (Shown::Bounced, false, "hold InvitationFailed"),
        (Shown::Nobody, false, "invite, wish Basic"),
        (Shown::Pending, true, "Applied Invited, wish Basic"),
        (Shown::Nobody, true, "hold InvitationUnknown"),
    ];
    for (shown, repeated, expected) in table {
        let scene = Scene { prior: Some(unanswered(repeated)), ..hire() };
        let found = shown.found(AccountType::Team);
        assert_eq!(scene.told(Known::Found(&found)), expected, "{shown:?} {repeated}");
    }
    let scene = Scene { prior: Some(unanswered(false)), ..hire() };
    let Decision::Act(plan) = scene.decide(Known::Found(&Shown::Nobody.found(AccountType::Team))) else { panic!() };
    assert!(plan.step(Operation::Invite).unwrap().repeated, "the outcome says that it was sent again");
    // An operator says yes to one more, and then it is as if the first were still out.
    let released = unanswered(true).mailing_again();
    let scene = Scene { prior: Some(released), released: Some(Reason::InvitationUnknown), ..hire() };
    assert_eq!(scene.told(Known::Found(&Shown::Nobody.found(AccountType::Team))), "invite, wish Basic");
    let scene = Scene { prior: Some(unanswered(true)), ..scene };
    assert_eq!(scene.told(Known::Found(&Shown::Nobody.found(AccountType::Team))), "hold InvitationUnknown");
}

#[test]
fn a_bounced_invitation_is_sent_again_when_an_operator_says_so() {
    let scene = Scene { released: Some(Reason::InvitationFailed), ..hire() };
    assert_eq!(scene.told(Known::Found(&Shown::Bounced.found(AccountType::Team))), "invite, wish Basic");
    let mut bounced = unanswered(false);
    (bounced.steps[0].status, bounced.steps[0].code) = (StepStatus::Refused, Some("MailFailed".to_owned()));
    let nobody = Shown::Nobody.found(AccountType::Team);
    for released in [None, Some(Reason::InvitationFailed)] {
        let scene = Scene { prior: Some(bounced.clone()), released, ..hire() };
        assert_eq!(scene.told(Known::Found(&nobody)), "hold InvitationFailed", "one yes is one mail");
        let shown = Shown::Bounced.found(AccountType::Team);
        assert_eq!(scene.told(Known::Found(&shown)), "hold InvitationFailed", "one yes is one mail");
    }
}

/// A hire of somebody who was blocked before: the licence of before comes back where the policy has none.
#[test]
fn what_was_taken_comes_back_with_a_hire() {
    let blocked = Shown::Suspended.found(AccountType::EnterpriseLwa);
    let scene = Scene { taken: Some(taken(AccountType::EnterpriseLwa, "Basic", false)), ..hire() };
    assert_eq!(scene.told(Known::Found(&blocked)), "unsuspend, [set_licence Basic]");
    let scene = Scene { wish: Some(Licence::Plus), account: (true, vec![]), ..scene };
    assert_eq!(scene.told(Known::Found(&blocked)), "unsuspend, [set_licence Plus]");
}
