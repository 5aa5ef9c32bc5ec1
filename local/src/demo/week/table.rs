//! What happens in the week, and what must come of it.
//!
//! Written from the rules: what is due by all facts of a person, and what each function does by account type. Nothing
//! here is copied from a run.

/// The accounts, in the order of every row.
pub(super) const ACCOUNTS: [&str; 4] = ["Team", "EnterpriseLWA", "EnterpriseDirectory", "EnterpriseOIDC"];

/// One thing that happens.
pub(super) enum Step {
    /// HR, the identity provider or the audit says something.
    Said(Box<Row>),
    /// The people accept their invitation or join by themselves, and sign in.
    ComeIn {
        story: &'static str,
        /// How they stand then.
        stand: [&'static str; 4],
    },
}

/// One event for each account.
pub(super) struct Row {
    pub(super) story: &'static str,
    /// Its sample in `events/`.
    pub(super) sample: &'static str,
    /// Its one consumer.
    pub(super) function: &'static str,
    pub(super) whom: Whom,
    /// So many days ago it was said.
    pub(super) said: i64,
    /// So many days from today it bites.
    pub(super) effective: Option<i64>,
    /// What must come of it; `None`: it is not said in this account.
    pub(super) ends: [Option<End>; 4],
    /// How the directory's user with the address stands then.
    pub(super) stand: [&'static str; 4],
}

/// Whom an event is about.
#[derive(Clone, Copy)]
pub(super) enum Whom {
    /// As the sample says.
    Sample,
    /// The same person, by employee number alone.
    Number,
    /// Somebody else, who is given the person's address.
    Successor,
    /// Somebody else, with an address of their own.
    Newcomer,
    /// Somebody whose user an administrator has suspended.
    Blocked,
    /// Somebody with a user, of whom HR has told nothing. The audit knows the address alone.
    Unknown,
}

/// What must come of one event.
#[derive(Clone, Copy)]
pub(super) struct End {
    pub(super) outcome: &'static str,
    pub(super) reason: &'static str,
    /// The operations that Chime confirmed.
    pub(super) steps: &'static str,
}

const fn end(outcome: &'static str, reason: &'static str, steps: &'static str) -> Option<End> {
    Some(End { outcome, reason, steps })
}

/// The same in each account.
const fn all(end: Option<End>) -> [Option<End>; 4] {
    [end; 4]
}

/// The two accounts whose users the company's directory makes end alike.
const fn by(team: Option<End>, lwa: Option<End>, directory: Option<End>) -> [Option<End>; 4] {
    [team, lwa, directory, directory]
}

const RECORDED: Option<End> = end("unchanged", "fact_recorded", "");
const IDENTITY: Option<End> = end("unchanged", "identity_recorded", "");
const MANAGED: Option<End> = end("unchanged", "managed_by_directory", "");
const PRESENT: Option<End> = end("unchanged", "already_registered", "");
const NOBODY: Option<End> = end("unchanged", "user_not_found", "");
const LICENCE_SET: Option<End> = end("applied", "licence_set", "set_licence");
const BY_GROUPS: Option<End> = end("parked", "licence_by_groups", "");
const INVITED: Option<End> = end("applied", "invited", "invite");
const REINVITED: Option<End> = end("applied", "reinvited", "invite");
const REMOVED: Option<End> = end("applied", "removed_from_team", "logout, remove");
const SUSPENDED: Option<End> = end("applied", "suspended", "suspend");
const SIGNED_OUT: Option<End> = end("applied", "directory_managed", "logout");
/// The licence of before comes back with the access.
const REINSTATED: Option<End> = end("applied", "reinstated", "unsuspend, set_licence");

/// Nobody has the address.
pub(super) const ABSENT: &str = "absent";
const NO_ONE: [&str; 4] = [ABSENT; 4];
/// Status, licence, sessions, invitation.
const PENDING: &str = "Unregistered - 0 Pending";
const TEAM_PRO: &str = "Registered Pro 2 Accepted";
const TEAM_BASIC: &str = "Registered Basic 2 Accepted";
const PRO: &str = "Registered Pro 2 -";
const BASIC: &str = "Registered Basic 2 -";
const PRO_OUT: &str = "Registered Pro 0 -";
const BASIC_OUT: &str = "Registered Basic 0 -";
const BLOCKED: &str = "Suspended Basic 0 -";

/// Everybody works, with the licence that is due where Rollcall sets it.
const AT_WORK: [&str; 4] = [TEAM_BASIC, BASIC, PRO, PRO];
/// Access was taken: removed, blocked, or signed out where only the directory can block.
const OUT: [&str; 4] = [ABSENT, BLOCKED, PRO_OUT, PRO_OUT];
/// Access was given back, and nobody has signed in yet.
const BACK: [&str; 4] = [PENDING, BASIC_OUT, PRO_OUT, PRO_OUT];
/// They signed in again. Who accepted an invitation has the account's default licence until the next event.
const IN_AGAIN: [&str; 4] = [TEAM_PRO, BASIC, PRO, PRO];

const GONE: [Option<End>; 4] = by(REMOVED, SUSPENDED, SIGNED_OUT);
const GIVEN_BACK: [Option<End>; 4] = by(REINVITED, REINSTATED, MANAGED);
/// An involuntary end is a matter for the meeting PIN as well (`pin_reset: security`).
const DISMISSED: [Option<End>; 4] = by(
    end("applied", "removed_from_team", "logout, reset_pin, remove"),
    end("applied", "suspended", "suspend, reset_pin"),
    end("applied", "directory_managed", "logout, reset_pin"),
);
/// And what is given back then comes with a new one.
const GIVEN_BACK_NEW_PIN: [Option<End>; 4] =
    by(REINVITED, end("applied", "reinstated_new_pin", "unsuspend, set_licence"), MANAGED);

/// The week. Of two neighbours the later was said later; `policy.json` gives managers Pro, and everybody else Basic.
pub(super) fn week() -> Vec<Step> {
    let mut week = joining();
    week.extend(working());
    week.extend(away());
    week.extend(leaving());
    week.extend(others());
    week
}

/// Hired, and in. Who is invited gets the policy's licence with the first event after registering.
fn joining() -> Vec<Step> {
    vec![
        said("a hire is announced", "worker.hire.scheduled", "hr-intake", 14, Some(3), all(RECORDED), NO_ONE),
        said(
            "the first day",
            "worker.hire.effective",
            "invite-user",
            7,
            Some(-7),
            by(INVITED, end("unchanged", "joins_by_domain", ""), MANAGED),
            [PENDING, ABSENT, ABSENT, ABSENT],
        ),
        Step::ComeIn { story: "invitations are accepted, others join by themselves", stand: [TEAM_PRO, PRO, PRO, PRO] },
        said(
            "the identity provider switched the login on",
            "account.status.effective.active",
            "reinstate-user",
            7,
            None,
            by(LICENCE_SET, PRESENT, MANAGED),
            [TEAM_BASIC, PRO, PRO, PRO],
        ),
    ]
}

/// Licences follow the job, sessions end after a compromise, and an address changes: the user is still known by the
/// employee number. A licence is not taken by number alone, since the policy protects patterns of addresses.
fn working() -> Vec<Step> {
    let already = end("unchanged", "licence_already", "");
    let before = [TEAM_BASIC, PRO, PRO, PRO];
    let signed_out = end("applied", "signed_out", "logout, reset_pin");
    let promoted = [TEAM_PRO, PRO, PRO, PRO];
    vec![
        said("a move is announced", "worker.job_change.scheduled", "hr-intake", 6, Some(30), all(RECORDED), before),
        said(
            "the move is called off: the licence is that of the job before",
            "worker.job_change.rescinded",
            "relicense-user",
            6,
            Some(30),
            by(already, LICENCE_SET, BY_GROUPS),
            AT_WORK,
        ),
        said(
            "the address changes",
            "worker.identity_change.effective",
            "suspend-user",
            6,
            Some(-6),
            all(IDENTITY),
            AT_WORK,
        ),
        Step::Said(Box::new(Row {
            story: "promoted to manager, says HR by employee number alone",
            sample: "worker.job_change.effective",
            function: "relicense-user",
            whom: Whom::Number,
            said: 6,
            effective: Some(-6),
            ends: by(LICENCE_SET, LICENCE_SET, BY_GROUPS),
            stand: promoted,
        })),
        said(
            "another address is announced",
            "worker.identity_change.scheduled",
            "hr-intake",
            5,
            Some(30),
            all(RECORDED),
            promoted,
        ),
        said(
            "the address does not change after all",
            "worker.identity_change.rescinded",
            "suspend-user",
            5,
            Some(-6),
            all(IDENTITY),
            promoted,
        ),
        said(
            "the audit asks the licence back",
            "license.reclaim.requested",
            "relicense-user",
            5,
            None,
            by(LICENCE_SET, LICENCE_SET, BY_GROUPS),
            AT_WORK,
        ),
        said(
            "the audit, with an old roster, asks for access to be taken: HR's facts win",
            "access.removal.requested",
            "suspend-user",
            5,
            None,
            all(end("superseded", "access_due", "")),
            AT_WORK,
        ),
        said(
            "a password is in foreign hands",
            "credential.compromise.detected",
            "logout-user",
            5,
            None,
            all(signed_out),
            ["Registered Basic 0 Accepted", BASIC_OUT, PRO_OUT, PRO_OUT],
        ),
        Step::ComeIn { story: "with a new password people sign in again", stand: AT_WORK },
    ]
}

/// Leaves and logins take access for a time.
fn away() -> Vec<Step> {
    let due = end("superseded", "access_due", "");
    let here = by(PRESENT, PRESENT, MANAGED);
    vec![
        said("a leave is announced", "worker.leave.scheduled", "hr-intake", 5, Some(20), all(RECORDED), AT_WORK),
        said("the leave is called off", "worker.leave.rescinded", "reinstate-user", 5, Some(20), here, AT_WORK),
        said("a leave begins", "worker.leave.effective", "suspend-user", 5, Some(-5), GONE, OUT),
        said("a return is announced", "worker.return.scheduled", "hr-intake", 5, Some(10), all(RECORDED), OUT),
        said("back from leave", "worker.return.effective", "reinstate-user", 4, Some(-4), GIVEN_BACK, BACK),
        Step::ComeIn { story: "people sign in again", stand: IN_AGAIN },
        said(
            "the announced return is called off: they are back already",
            "worker.return.rescinded",
            "suspend-user",
            4,
            Some(10),
            all(due),
            IN_AGAIN,
        ),
        said(
            "the identity provider confirms the login",
            "account.status.effective.active",
            "reinstate-user",
            4,
            None,
            by(LICENCE_SET, PRESENT, MANAGED),
            AT_WORK,
        ),
        said("it switches the login off", "account.status.effective", "suspend-user", 4, None, GONE, OUT),
        said("and on again", "account.status.effective.active", "reinstate-user", 4, None, GIVEN_BACK, BACK),
        Step::ComeIn { story: "people sign in again", stand: IN_AGAIN },
    ]
}

/// Dismissed, not dismissed after all, dismissed, hired again, and not hired again after all.
fn leaving() -> Vec<Step> {
    vec![
        said(
            "a termination is announced",
            "worker.termination.scheduled",
            "hr-intake",
            4,
            Some(3),
            all(RECORDED),
            IN_AGAIN,
        ),
        said("dismissed", "worker.termination.effective", "suspend-user", 3, Some(-3), DISMISSED, OUT),
        said(
            "the termination is taken back",
            "worker.termination.rescinded",
            "reinstate-user",
            2,
            Some(-3),
            GIVEN_BACK_NEW_PIN,
            BACK,
        ),
        Step::ComeIn { story: "people sign in again", stand: IN_AGAIN },
        said("dismissed in the end", "worker.termination.effective", "suspend-user", 2, Some(-2), DISMISSED, OUT),
        said("a rehire is announced", "worker.rehire.scheduled", "hr-intake", 2, Some(3), all(RECORDED), OUT),
        said("hired again", "worker.rehire.effective", "reinstate-user", 1, Some(-1), GIVEN_BACK_NEW_PIN, BACK),
        Step::ComeIn { story: "people sign in again", stand: IN_AGAIN },
        said("not hired again after all", "worker.rehire.rescinded", "suspend-user", 1, Some(-1), GONE, OUT),
    ]
}

/// Other people, and the address of somebody who left.
fn others() -> Vec<Step> {
    let reused = end("held", "address_reused", "");
    let row = |story, sample, function, whom, ends, stand| {
        Step::Said(Box::new(Row { story, sample, function, whom, said: 1, effective: Some(-1), ends, stand }))
    };
    vec![
        row(
            "somebody else is hired, with the address of who left",
            "worker.hire.effective",
            "invite-user",
            Whom::Successor,
            by(INVITED, reused, reused),
            [PENDING, BLOCKED, PRO_OUT, PRO_OUT],
        ),
        row(
            "a newcomer is hired",
            "worker.hire.effective",
            "invite-user",
            Whom::Newcomer,
            by(INVITED, end("unchanged", "joins_by_domain", ""), MANAGED),
            [PENDING, ABSENT, ABSENT, ABSENT],
        ),
        row(
            "the newcomer does not come",
            "worker.hire.rescinded",
            "suspend-user",
            Whom::Newcomer,
            by(REMOVED, NOBODY, NOBODY),
            NO_ONE,
        ),
        row(
            "somebody is hired whose user is suspended",
            "worker.hire.effective",
            "invite-user",
            Whom::Blocked,
            [None, end("applied", "reinstated", "unsuspend"), None, None],
            ["", "Registered Pro 0 -", "", ""],
        ),
        Step::Said(Box::new(Row {
            story: "the audit finds a user of whom HR has told nothing",
            sample: "access.removal.requested",
            function: "suspend-user",
            whom: Whom::Unknown,
            said: 1,
            effective: None,
            ends: GONE,
            stand: [ABSENT, "Suspended Pro 0 -", PRO_OUT, PRO_OUT],
        })),
    ]
}

fn said(
    story: &'static str,
    sample: &'static str,
    function: &'static str,
    said: i64,
    effective: Option<i64>,
    ends: [Option<End>; 4],
    stand: [&'static str; 4],
) -> Step {
    Step::Said(Box::new(Row { story, sample, function, whom: Whom::Sample, said, effective, ends, stand }))
}
