//! suspend-user: who loses access, and who keeps it.

use crate::{ALWAYS, KEEP, PAST, SHOWN, Scene, Shown, TYPES, account, consumed, detail, of_type};
use rollcall::decide::Known;
use rollcall::directory::{AccountType, Found};
use rollcall::event::{Kind, Phase};
use rollcall::routes::Function;
use serde_json::{Value, json};

fn check(detail: &Value, facts: &[Value], known: Known<'_>, takeover: bool, policy: &'static str) -> String {
    let scene = Scene { facts: facts.to_vec(), takeover, policy, ..Scene::new(Function::SuspendUser, detail.clone()) };
    scene.told(known)
}

/// What suspend-user does, by account type and user state.
pub(crate) fn cell(kind: AccountType, shown: Shown) -> &'static str {
    match (kind, shown) {
        (_, Shown::Nobody) => "Unchanged UserNotFound",
        (AccountType::EnterpriseLwa, Shown::Suspended) => "Unchanged AlreadySuspended",
        (AccountType::EnterpriseLwa, Shown::Pending | Shown::Bounced | Shown::Registered | Shown::Unknown) => {
            "suspend, [reset_pin]"
        }
        (
            AccountType::Team,
            Shown::Pending | Shown::Bounced | Shown::Registered | Shown::Suspended | Shown::Unknown,
        ) => "[logout], [reset_pin], remove",
        (
            AccountType::EnterpriseDirectory | AccountType::EnterpriseOidc,
            Shown::Pending | Shown::Bounced | Shown::Registered | Shown::Suspended | Shown::Unknown,
        ) => "logout, [reset_pin]",
    }
}

/// What is known before an event of this type, so that it finds no access due. `None`: it asks for none to be taken.
fn before(kind: Kind, phase: Phase) -> Option<Vec<Value>> {
    let employed = || detail("hire", "effective", "2025-01-02T08:00:00Z");
    let ago = |kind: &str| detail(kind, "effective", "2026-11-10T08:00:00Z");
    match (kind, phase) {
        (Kind::Termination | Kind::Leave | Kind::AccountStatus, Phase::Effective) => Some(vec![employed()]),
        // Where no fact says, the audit's evidence suffices.
        (Kind::Hire, Phase::Rescinded) | (Kind::AccessRemoval, Phase::Requested) => Some(Vec::new()),
        (Kind::Rehire, Phase::Rescinded) => Some(vec![employed(), ago("termination")]),
        (Kind::Return, Phase::Rescinded) => Some(vec![employed(), ago("leave")]),
        (Kind::IdentityChange, _) => None,
        other => panic!("suspend-user does not consume {other:?}"),
    }
}

/// Event × account type × user state.
#[test]
fn every_cell() {
    for (event_type, login) in consumed(Function::SuspendUser) {
        let event = of_type(event_type, login);
        for (kind, shown) in TYPES.into_iter().flat_map(|kind| SHOWN.map(|shown| (kind, shown))) {
            let context = format!("{} {login:?}, {kind:?}, {shown:?}", event_type.detail_type());
            let facts = before(event_type.kind(), event_type.phase());
            let expected = if facts.is_some() { cell(kind, shown) } else { "Unchanged IdentityRecorded" };
            let found = shown.found(kind);
            let facts = facts.unwrap_or_default();
            assert_eq!(check(&event, &facts, Known::Found(&found), false, ALWAYS), expected, "{context}");
        }
    }
    // After a takeover the wished state is sent again, never inferred from a look-up.
    let found = Shown::Suspended.found(AccountType::EnterpriseLwa);
    let told = check(&detail("termination", "effective", PAST), &[], Known::Found(&found), true, ALWAYS);
    assert_eq!(told, "suspend, [reset_pin]");
}

/// What is known of the user, for a termination that is due.
#[test]
fn a_due_termination_by_what_is_known_of_the_user() {
    let acc = account(AccountType::EnterpriseLwa);
    let user = "u1".to_owned().try_into().unwrap();
    let table = [
        (Known::NotYet, "look up"),
        (Known::NoAddress, "hold NoAddress"),
        (Known::Remembered { account: &acc, user: &user, licence: Some("Pro") }, "suspend"),
        (Known::Remembered { account: &acc, user: &user, licence: None }, "look up"),
        (Known::Found(&Found::Nobody { account: None }), "Unchanged UserNotFound"),
        (Known::Found(&Found::SomebodyElses), "hold AddressReused"),
        (Known::Found(&Found::SeveralAccounts), "park several_accounts detail.subject.email"),
        (Known::Found(&Found::UnknownAccount), "park unknown_account policy.accounts"),
    ];
    for (known, expected) in table {
        assert_eq!(check(&detail("termination", "effective", PAST), &[], known, false, "{}"), expected, "{known:?}");
    }
}

/// Who is not employed or on leave loses access by whichever event says so; who is, keeps it.
#[test]
fn the_facts_decide_and_not_the_event() {
    let hired = |at: &str| detail("hire", "effective", at);
    let on_leave = detail("leave", "effective", "2026-11-10T08:00:00Z");
    let newer = |phase: &str, at: &str| {
        let mut newer = detail("termination", phase, at);
        newer["factId"] = json!("end");
        newer["occurredAt"] = json!("2026-11-21T08:00:00Z");
        newer["eventId"] = json!("e2");
        newer
    };
    let mut end = detail("termination", "effective", PAST);
    end["factId"] = json!("end");
    let cases: [(&str, Value, Vec<Value>, &str); 15] = [
        ("taken back since", end.clone(), vec![newer("rescinded", PAST)], "Superseded NewerAssertion"),
        (
            "corrected to a time that is past too",
            end.clone(),
            vec![newer("scheduled", "2026-11-20T18:00:00Z")],
            "look up",
        ),
        (
            "corrected to a time ahead",
            end.clone(),
            vec![newer("scheduled", "2026-12-20T18:00:00Z")],
            "Superseded NewerAssertion",
        ),
        ("the newer assertion says the same", end, vec![newer("effective", PAST)], "look up"),
        (
            "rehired since",
            detail("termination", "effective", "2026-11-01T18:00:00Z"),
            vec![hired("2026-11-02T08:00:00Z")],
            "Superseded AccessDue",
        ),
        ("left since", detail("termination", "effective", PAST), vec![hired("2025-01-02T08:00:00Z")], "look up"),
        (
            "the return is taken back: the leave goes on",
            detail("return", "rescinded", PAST),
            vec![hired("2025-01-02T08:00:00Z"), on_leave],
            "look up",
        ),
        ("the only start is taken back", detail("hire", "rescinded", PAST), vec![], "look up"),
        ("a rehire that nothing came before", detail("rehire", "rescinded", PAST), vec![], "Unchanged NothingDue"),
        (
            "a start that lies ahead is taken back",
            detail("hire", "rescinded", "2026-12-01T08:00:00Z"),
            vec![],
            "Unchanged NothingDue",
        ),
        (
            "the end lies ahead",
            detail("termination", "effective", "2026-12-01T18:00:00Z"),
            vec![],
            "park not_yet_effective detail.effective",
        ),
        ("clocks differ", detail("termination", "effective", "2026-11-23T12:00:40Z"), vec![], "wait 40 s"),
        ("due soon", detail("termination", "effective", "2026-11-23T12:02:00Z"), vec![], "wait 120 s"),
        (
            "due too late to be waited for",
            detail("termination", "effective", "2026-11-23T12:02:01Z"),
            vec![],
            "park not_yet_effective detail.effective",
        ),
        (
            "start and end on one day",
            dated("termination", "2026-11-20"),
            vec![dated("rehire", "2026-11-20")],
            "Superseded AccessDue",
        ),
    ];
    for (story, detail, facts, expected) in cases {
        assert_eq!(check(&detail, &facts, Known::NotYet, false, "{}"), expected, "{story}");
    }
}

/// The directory may know who was renamed by the address of before: nobody is called absent unseen.
#[test]
fn who_was_renamed_is_not_called_absent() {
    let nobody = Shown::Nobody.found(AccountType::EnterpriseLwa);
    let renamed =
        Scene { renamed: true, ..Scene::new(Function::SuspendUser, detail("termination", "effective", PAST)) };
    assert_eq!(renamed.told(Known::Found(&nobody)), "hold FormerAddress");
    let released = Scene { released: Some(rollcall::decide::Reason::FormerAddress), ..renamed };
    assert_eq!(released.told(Known::Found(&nobody)), "Unchanged UserNotFound");
    // A change of address is the last chance to see who had the former one.
    let mut change = detail("identity_change", "effective", PAST);
    change["subject"]["previousEmail"] = json!("before@b.example");
    assert_eq!(Scene::new(Function::SuspendUser, change).told(Known::NotYet), "look up");
}

fn dated(kind: &str, date: &str) -> Value {
    let mut detail = detail(kind, "effective", PAST);
    detail["effective"] =
        json!({ "date": date, "at": null, "zone": "Asia/Tokyo", "basis": "start_of_day", "source": "payload" });
    detail
}

#[test]
fn a_policy_may_leave_access_alone_during_absences() {
    let keep = KEEP;
    assert_eq!(check(&detail("leave", "effective", PAST), &[], Known::NotYet, false, keep), "Unchanged NothingDue");
    let mut login = detail("account_status", "effective", PAST);
    login["status"] = json!({ "after": "deactivated" });
    assert_eq!(check(&login, &[], Known::NotYet, false, keep), "Unchanged NothingDue");
    assert_eq!(check(&detail("termination", "effective", PAST), &[], Known::NotYet, false, keep), "look up");
}

#[test]
fn a_destructive_action_is_never_taken_while_a_fact_it_needs_is_missing() {
    let table = [
        ("kind", "hold MissingFacts"),
        ("phase", "hold MissingFacts"),
        ("effective.date", "hold MissingFacts"),
        ("effective.zone", "look up"),
        ("occurredAt", "look up"),
        ("changes.values", "look up"),
        ("subject.workerId", "look up"),
        ("subject.email", "look up"),
    ];
    for (missing, expected) in table {
        let mut detail = detail("termination", "effective", PAST);
        detail["missing"] = json!([missing]);
        assert_eq!(check(&detail, &[], Known::NotYet, false, "{}"), expected, "{missing}");
    }
}

/// A leave that nobody ended, a termination, and a rehire: the leave ended with the former employment.
#[test]
fn a_leave_of_a_former_employment_takes_nothing_from_the_present_one() {
    let facts = [
        detail("hire", "effective", "2024-01-08T08:00:00Z"),
        detail("leave", "effective", "2024-06-03T08:00:00Z"),
        detail("rehire", "effective", "2026-02-02T08:00:00Z"),
    ];
    let late = detail("termination", "effective", "2024-09-30T18:00:00Z");
    assert_eq!(check(&late, &facts, Known::NotYet, false, "{}"), "Superseded AccessDue");
}
