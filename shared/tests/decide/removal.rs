//! The audit's request to take access away: evidence, not a fact. HR's facts win over it, whichever way they go.

use crate::take::cell;
use crate::{ALWAYS, KEEP, PAST, SHOWN, Scene, Shown, TYPES, account, detail};
use rollcall::decide::{Decision, Known, Reason};
use rollcall::directory::{AccountType, Found};
use rollcall::event::parse;
use rollcall::person::Fact;
use rollcall::protect::Guard;
use rollcall::routes::Function;
use serde_json::{Value, json};

/// What HR has told of the person.
#[derive(Clone, Copy, Debug)]
enum Hr {
    Nothing,
    Employed,
    LeavesLater,
    Rehired,
    Left,
    OnLeave,
    Back,
    LoginOff,
    NeverBegan,
    BeginsLater,
    EndTakenBack,
}

const HR: [Hr; 11] = [
    Hr::Nothing,
    Hr::Employed,
    Hr::LeavesLater,
    Hr::Rehired,
    Hr::Left,
    Hr::OnLeave,
    Hr::Back,
    Hr::LoginOff,
    Hr::NeverBegan,
    Hr::BeginsLater,
    Hr::EndTakenBack,
];

/// What comes of the evidence.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Weighed {
    /// HR's facts say that access is due.
    Outweighed,
    /// They say that none is.
    ByFact,
    /// They say neither.
    ByEvidence,
}

impl Hr {
    fn weighed(self) -> Weighed {
        match self {
            Hr::Employed | Hr::LeavesLater | Hr::Rehired | Hr::Back => Weighed::Outweighed,
            Hr::Left | Hr::OnLeave | Hr::LoginOff | Hr::NeverBegan => Weighed::ByFact,
            Hr::Nothing | Hr::BeginsLater | Hr::EndTakenBack => Weighed::ByEvidence,
        }
    }

    fn facts(self) -> Vec<Value> {
        let hired = || detail("hire", "effective", "2025-01-02T08:00:00Z");
        let left = || detail("termination", "effective", "2026-11-10T18:00:00Z");
        let (past, ahead) = ("2026-11-15T08:00:00Z", "2026-12-15T08:00:00Z");
        match self {
            Hr::Nothing => Vec::new(),
            Hr::Employed => vec![hired()],
            Hr::LeavesLater => vec![hired(), detail("termination", "scheduled", ahead)],
            Hr::Rehired => vec![hired(), left(), detail("rehire", "effective", past)],
            Hr::Left => vec![hired(), left()],
            Hr::OnLeave => vec![hired(), detail("leave", "effective", past)],
            Hr::Back => {
                vec![hired(), detail("leave", "effective", "2026-11-10T08:00:00Z"), detail("return", "effective", past)]
            }
            Hr::LoginOff => {
                let mut login = detail("account_status", "effective", past);
                login["status"] = json!({ "after": "deactivated" });
                vec![hired(), login]
            }
            Hr::NeverBegan => vec![detail("hire", "rescinded", past)],
            Hr::BeginsLater => vec![detail("hire", "scheduled", ahead)],
            Hr::EndTakenBack => vec![detail("termination", "rescinded", past)],
        }
    }
}

/// The audit asks for access to be taken.
fn request() -> Value {
    let mut request = detail("access_removal", "requested", PAST);
    request["evidence"] = json!({ "run": "r1", "rule": "unknown_to_hr", "confidence": "medium", "account": "acc" });
    request.as_object_mut().unwrap().remove("effective");
    request
}

fn scene(hr: Hr) -> Scene {
    Scene { facts: hr.facts(), ..Scene::new(Function::SuspendUser, request()) }
}

/// What HR told × account type × user state.
#[test]
fn every_cell() {
    for hr in HR {
        for (kind, shown) in TYPES.into_iter().flat_map(|kind| SHOWN.map(|shown| (kind, shown))) {
            let expected = match hr.weighed() {
                Weighed::Outweighed => "Superseded AccessDue",
                Weighed::ByFact | Weighed::ByEvidence => cell(kind, shown),
            };
            let scene = Scene { policy: ALWAYS, ..scene(hr) };
            let found = shown.found(kind);
            assert_eq!(scene.told(Known::Found(&found)), expected, "{hr:?}, {kind:?}, {shown:?}");
        }
    }
}

/// Who is away keeps access where the policy says so, whatever the audit found.
#[test]
fn a_policy_may_leave_access_alone_during_absences() {
    for hr in [Hr::OnLeave, Hr::LoginOff] {
        let keeps = Scene { policy: KEEP, ..scene(hr) };
        assert_eq!(keeps.told(Known::NotYet), "Superseded AccessDue", "{hr:?}");
    }
}

/// By what is known of the user, where no fact says.
#[test]
fn what_is_known_of_the_user() {
    let (lwa, team, directory) =
        (account(AccountType::EnterpriseLwa), account(AccountType::Team), account(AccountType::EnterpriseDirectory));
    let user = "u1".to_owned().try_into().unwrap();
    let (user, licence) = (&user, Some("Pro"));
    let table = [
        (Known::NotYet, "look up"),
        (Known::NoAddress, "hold NoAddress"),
        (Known::Remembered { account: &lwa, user, licence }, "suspend"),
        (Known::Remembered { account: &team, user, licence }, "[logout], remove"),
        (Known::Remembered { account: &directory, user, licence }, "logout"),
        (Known::Remembered { account: &lwa, user, licence: None }, "look up"),
        (Known::Found(&Found::Nobody { account: None }), "Unchanged UserNotFound"),
        (Known::Found(&Found::SomebodyElses), "hold AddressReused"),
        (Known::Found(&Found::SeveralAccounts), "park several_accounts detail.subject.email"),
        (Known::Found(&Found::UnknownAccount), "park unknown_account policy.accounts"),
    ];
    for (known, expected) in table {
        assert_eq!(scene(Hr::Nothing).told(known), expected, "{known:?}");
    }
}

/// It asserts no fact; an outcome names HR's, and its own only where there is none.
#[test]
fn the_outcome_names_what_decided() {
    assert_eq!(Fact::asserted_by(&parse(&request().to_string()).unwrap()), None);
    let nobody = Shown::Nobody.found(AccountType::EnterpriseLwa);
    let decided_by = |scene: &Scene| {
        let Decision::Conclude(conclusion) = scene.decide(Known::Found(&nobody)) else { panic!("nobody is there") };
        conclusion.decided_by.map(|fact| fact.as_str().to_owned())
    };
    let table = [
        (Hr::Nothing, "access"),
        (Hr::EndTakenBack, "access"),
        (Hr::Employed, "hire:2025-01-02"),
        (Hr::Left, "termination:2026-11-10"),
        (Hr::OnLeave, "leave:2026-11-15"),
    ];
    for (hr, fact) in table {
        assert_eq!(decided_by(&scene(hr)).as_deref(), Some(fact), "{hr:?}");
    }
    let mut named = scene(Hr::Nothing);
    named.event["factId"] = json!("finding-7");
    assert_eq!(decided_by(&named).as_deref(), Some("finding-7"));
}

/// Whom the policy protects loses nothing by evidence either, unless an operator says so. Who keeps access is not held.
#[test]
fn protection_and_observe_mode_hold_it_like_every_taking() {
    let found = Shown::Registered.found(AccountType::EnterpriseLwa);
    let told = |scene: &Scene| scene.told(Known::Found(&found));
    for hr in HR {
        for (guard, reason, held) in [
            (Guard::Protected, Reason::Protected, "hold Protected"),
            (Guard::Unsure, Reason::ProtectionUnknown, "hold ProtectionUnknown"),
        ] {
            let guarded = Scene { guard, ..scene(hr) };
            let released = Scene { released: Some(reason), ..guarded.clone() };
            // A yes to something else is no yes to this.
            let braked = Scene { released: Some(Reason::MassChange), ..guarded.clone() };
            let expected = match hr.weighed() {
                Weighed::Outweighed => ["Superseded AccessDue"; 3],
                Weighed::ByFact | Weighed::ByEvidence => [held, "suspend", held],
            };
            assert_eq!([told(&guarded), told(&released), told(&braked)], expected, "{hr:?}, {guard:?}");
        }
        let observe =
            [r#"{"mode":{"functions":{"suspend-user":"observe"}}}"#, r#"{"mode":{"classes":{"access":"observe"}}}"#];
        for policy in observe {
            let expected = match hr.weighed() {
                Weighed::Outweighed => "Superseded AccessDue",
                Weighed::ByFact | Weighed::ByEvidence => "observe suspend",
            };
            assert_eq!(told(&Scene { policy, ..scene(hr) }), expected, "{hr:?}, {policy}");
        }
    }
}

#[test]
fn nobody_is_called_absent_who_was_renamed() {
    let nobody = Shown::Nobody.found(AccountType::Team);
    let renamed = Scene { renamed: true, ..scene(Hr::Nothing) };
    assert_eq!(renamed.told(Known::Found(&nobody)), "hold FormerAddress");
    let released = Scene { released: Some(Reason::FormerAddress), ..renamed };
    assert_eq!(released.told(Known::Found(&nobody)), "Unchanged UserNotFound");
}

/// After a takeover the wished state is sent again, never inferred from a look-up.
#[test]
fn a_takeover_sends_again() {
    let blocked = Shown::Suspended.found(AccountType::EnterpriseLwa);
    let takeover = Scene { takeover: true, ..scene(Hr::Nothing) };
    assert_eq!(takeover.told(Known::Found(&blocked)), "suspend");
}

#[test]
fn a_request_that_lacks_what_it_needs_is_held() {
    for (missing, expected) in [
        ("kind", "hold MissingFacts"),
        ("phase", "hold MissingFacts"),
        ("subject.workerId", "look up"),
        ("occurredAt", "look up"),
    ] {
        let mut lacking = scene(Hr::Nothing);
        lacking.event["missing"] = json!([missing]);
        assert_eq!(lacking.told(Known::NotYet), expected, "{missing}");
    }
}
