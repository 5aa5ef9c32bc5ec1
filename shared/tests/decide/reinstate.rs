//! reinstate-user: who is due again gets back what was taken.

use crate::{LICENCES, SHOWN, Scene, Shown, TYPES, account, consumed, detail, of_type, taken};
use rollcall::decide::{Decision, Known, Reason};
use rollcall::directory::AccountType;
use rollcall::event::{EventType, Kind, LoginStatus, Phase};
use rollcall::routes::Function;
use serde_json::Value;

/// What reinstate-user does where Basic was taken; whoever is there has Pro.
fn cell(kind: AccountType, shown: Shown) -> &'static str {
    match (kind, shown) {
        (AccountType::Team, Shown::Nobody | Shown::Suspended) => "invite, wish Basic",
        (AccountType::Team, Shown::Pending) => "Unchanged AlreadyInvited, wish Basic",
        (AccountType::Team, Shown::Bounced) => "hold InvitationFailed",
        (AccountType::Team, Shown::Registered | Shown::Unknown) => "set_licence Basic",
        (AccountType::EnterpriseLwa, Shown::Nobody | Shown::Pending | Shown::Bounced) => "Unchanged JoinsByDomain",
        (AccountType::EnterpriseLwa, Shown::Suspended) => "unsuspend, [set_licence Basic]",
        (AccountType::EnterpriseLwa, Shown::Registered | Shown::Unknown) => "set_licence Basic",
        (
            AccountType::EnterpriseDirectory | AccountType::EnterpriseOidc,
            Shown::Nobody | Shown::Pending | Shown::Bounced | Shown::Registered | Shown::Suspended | Shown::Unknown,
        ) => "Unchanged ManagedByDirectory",
    }
}

fn employed() -> Value {
    detail("hire", "effective", "2025-01-02T08:00:00Z")
}

fn event(event_type: EventType, login: Option<LoginStatus>) -> Scene {
    let scene = Scene::new(Function::ReinstateUser, of_type(event_type, login));
    Scene { facts: vec![employed()], ..scene }
}

/// Event × account type × user state, for somebody from whom access was taken.
#[test]
fn every_cell() {
    let events = consumed(Function::ReinstateUser);
    assert_eq!(events.len(), 5);
    for (event_type, login) in events {
        for (kind, shown) in TYPES.into_iter().flat_map(|kind| SHOWN.map(|shown| (kind, shown))) {
            let scene = Scene { taken: Some(taken(kind, "Basic", false)), ..event(event_type, login) };
            let context = format!("{}, {kind:?}, {shown:?}", event_type.detail_type());
            assert_eq!(scene.told(Known::Found(&shown.found(kind))), cell(kind, shown), "{context}");
        }
    }
}

fn back() -> Scene {
    event(EventType::new(Kind::Return, Phase::Effective).unwrap(), None)
}

/// Nothing was taken: whoever is blocked is unblocked since access is due, and nothing else is touched.
#[test]
fn where_nothing_was_taken() {
    let table = [
        (AccountType::EnterpriseLwa, Shown::Suspended, "unsuspend"),
        (AccountType::EnterpriseLwa, Shown::Registered, "Unchanged AlreadyRegistered"),
        (AccountType::Team, Shown::Registered, "Unchanged AlreadyRegistered"),
        (AccountType::Team, Shown::Nobody, "invite"),
    ];
    for (kind, shown, expected) in table {
        assert_eq!(back().told(Known::Found(&shown.found(kind))), expected, "{kind:?} {shown:?}");
    }
}

#[test]
fn the_facts_decide() {
    let ago = |kind: &str| detail(kind, "effective", "2026-11-10T08:00:00Z");
    let rescinded = Scene::new(Function::ReinstateUser, detail("termination", "rescinded", "2026-11-10T08:00:00Z"));
    let left = Scene { facts: vec![ago("termination")], ..back() };
    assert_eq!(left.told(Known::NotYet), "Superseded AccessNotDue", "back from a leave, and gone since");
    assert_eq!(rescinded.told(Known::NotYet), "Unchanged NothingTaken", "no fact says, and nothing was taken");
    // As it was before: what was taken by the termination is given back, though no hire is known.
    let took = Scene { taken: Some(taken(AccountType::EnterpriseLwa, "Pro", false)), ..rescinded.clone() };
    assert_eq!(took.told(Known::NotYet), "look up");
    let died = Scene { takeover: true, suspension_died: true, ..rescinded.clone() };
    assert_eq!(died.told(Known::NotYet), "look up", "an attempt that died may have taken it");
    let other = Scene { takeover: true, ..rescinded.clone() };
    assert_eq!(other.told(Known::NotYet), "Unchanged NothingTaken", "an attempt at a licence takes no access");
    let gone = Scene { facts: vec![ago("leave")], ..took };
    assert_eq!(gone.told(Known::NotYet), "Superseded AccessNotDue", "on leave all the same");
}

#[test]
fn from_memory_what_was_taken_needs_no_look_up() {
    let user = "u1".to_owned().try_into().unwrap();
    let accounts = TYPES.map(account);
    let remembered = |kind: usize| Known::Remembered { account: &accounts[kind], user: &user, licence: Some("Pro") };
    let took = |kind: AccountType| Scene { taken: Some(taken(kind, "Pro", false)), ..back() };
    let unsuspend = "unsuspend, [set_licence Pro]";
    assert_eq!(took(AccountType::EnterpriseLwa).told(remembered(1)), unsuspend, "precisely that, unseen");
    assert_eq!(back().told(remembered(1)), "look up");
    assert_eq!(Scene { takeover: true, ..back() }.told(remembered(1)), "unsuspend", "never inferred");
    assert_eq!(back().told(remembered(0)), "look up");
    assert_eq!(back().told(remembered(2)), "Unchanged ManagedByDirectory");
    assert_eq!(back().told(Known::NoAddress), "hold NoAddress");
}

/// Where nothing is recorded as taken, nobody's licence is touched; who is invited gets the policy's.
#[test]
fn the_policy_chooses_only_for_who_is_invited() {
    let policy = LICENCES;
    let died = Scene { policy, takeover: true, suspension_died: true, ..back() };
    let blocked = Shown::Suspended.found(AccountType::EnterpriseLwa);
    assert_eq!(died.told(Known::Found(&blocked)), "unsuspend");
    assert_eq!(Scene { policy, ..back() }.told(Known::Found(&blocked)), "unsuspend");
    let nobody = Shown::Nobody.found(AccountType::Team);
    assert_eq!(Scene { policy, ..back() }.told(Known::Found(&nobody)), "invite, wish Basic");
    let seen = Scene { last_licence: Some("Pro"), ..died };
    assert_eq!(seen.told(Known::Found(&nobody)), "invite, wish Pro", "what the dead attempt had seen");
}

/// What was wished for is there: nothing is left to wish for.
#[test]
fn a_wish_that_came_true_is_gone() {
    let registered = Shown::Registered.found(AccountType::Team);
    let scene = Scene { wish: Some(rollcall::directory::Licence::Pro), ..back() };
    assert_eq!(scene.told(Known::Found(&registered)), "Unchanged AlreadyRegistered, no wish");
}

/// After a takeover the wished state is sent again, though the look-up shows it.
#[test]
fn a_takeover_trusts_no_look_up() {
    let registered = Shown::Registered.found(AccountType::EnterpriseLwa);
    assert_eq!(Scene { takeover: true, ..back() }.told(Known::Found(&registered)), "unsuspend");
}

#[test]
fn what_cannot_be_restored_is_said() {
    let done = |scene: Scene, found| match scene.decide(Known::Found(&found)) {
        Decision::Act(plan) => plan.done,
        Decision::LookUp
        | Decision::Observe(_)
        | Decision::Conclude(_)
        | Decision::Hold(_)
        | Decision::Park(_)
        | Decision::Wait(_) => panic!("a plan"),
    };
    let lwa = |pin| Scene { taken: Some(taken(AccountType::EnterpriseLwa, "Pro", pin)), ..back() };
    let blocked = || Shown::Suspended.found(AccountType::EnterpriseLwa);
    assert_eq!(done(lwa(false), blocked()), Reason::Reinstated);
    assert_eq!(done(lwa(true), blocked()), Reason::ReinstatedNewPin);
    assert!(Reason::ReinstatedNewPin.sentence().contains("PIN"));
    let team = Scene { taken: Some(taken(AccountType::Team, "Pro", true)), ..back() };
    assert_eq!(done(team, Shown::Nobody.found(AccountType::Team)), Reason::Reinvited);
    assert!(Reason::Reinvited.sentence().contains("PIN"));
}

/// A trial is the user's own, and a licence that the account does not offer cannot be set.
#[test]
fn a_licence_that_cannot_be_given_is_left_alone_or_named() {
    let blocked = Shown::Suspended.found(AccountType::EnterpriseLwa);
    let trial = Scene { taken: Some(taken(AccountType::EnterpriseLwa, "ProTrial", false)), ..back() };
    assert_eq!(trial.told(Known::Found(&blocked)), "unsuspend");
    let plus = Scene { taken: Some(taken(AccountType::EnterpriseLwa, "Plus", false)), ..back() };
    assert_eq!(plus.told(Known::Found(&blocked)), "unsuspend, [set_licence Plus Unsupported]");
}
