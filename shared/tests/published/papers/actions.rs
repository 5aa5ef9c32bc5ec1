//! What comes of each sample event, by the type of account: worked out by `decide`, so a page cannot say otherwise.

use super::events::{CONSUMED, sample};
use crate::read;
use jiff::Timestamp;
use rollcall::decide::{Case, Concluded, Decision, Known, Reason, decide};
use rollcall::directory::{Account, AccountState, AccountType, Found, Invitation, Operation, Registration, User};
use rollcall::event::{Kind, Phase};
use rollcall::ledger::Taken;
use rollcall::person::{Fact, Facts};
use rollcall::plan::{Plan, Step};
use rollcall::policy::Policy;
use rollcall::protect::Guard;
use rollcall::routes::Function;
use std::collections::BTreeMap;
use std::fmt::Write as _;

/// The types of account, in the order of their columns, and what the column is called.
const TYPES: [(AccountType, &str); 4] = [
    (AccountType::Team, "Team"),
    (AccountType::EnterpriseLwa, "EnterpriseLWA"),
    (AccountType::EnterpriseDirectory, "EnterpriseDirectory"),
    (AccountType::EnterpriseOidc, "EnterpriseOIDC"),
];

/// How the directory shows the person.
#[derive(Clone, Copy)]
enum Shown {
    /// Registered, with this licence.
    Present,
    /// Rollcall took the access, and with it a Pro licence.
    Taken,
    /// No user has the address.
    Nobody,
}

/// The samples that came before one of this kind and phase, oldest first.
fn before(kind: Kind, phase: Phase, gives: bool) -> &'static [&'static str] {
    const HIRED: &str = "worker.hire.effective";
    const LEFT: &str = "worker.termination.effective";
    let taken_back = phase == Phase::Rescinded;
    match kind {
        Kind::Hire if taken_back => &[HIRED],
        Kind::Hire | Kind::Unclassified => &[],
        Kind::Termination if taken_back => &[HIRED, LEFT],
        Kind::Rehire if taken_back => &[HIRED, LEFT, "worker.rehire.effective"],
        Kind::Rehire | Kind::AccessRemoval => &[HIRED, LEFT],
        Kind::Leave if taken_back => &[HIRED, "worker.leave.effective"],
        Kind::Return if taken_back => &[HIRED, "worker.leave.effective", "worker.return.effective"],
        Kind::Return => &[HIRED, "worker.leave.effective"],
        Kind::AccountStatus if gives => &[HIRED, "account.status.effective"],
        Kind::Termination
        | Kind::Leave
        | Kind::JobChange
        | Kind::IdentityChange
        | Kind::AccountStatus
        | Kind::CredentialCompromise
        | Kind::LicenseReclaim => &[HIRED],
    }
}

/// The licence that the user has: what the event changes must differ from it.
fn licence(kind: Kind, phase: Phase) -> &'static str {
    match (kind, phase) {
        (Kind::JobChange, Phase::Scheduled | Phase::Effective) => "Basic",
        (
            Kind::Hire
            | Kind::Termination
            | Kind::Rehire
            | Kind::JobChange
            | Kind::Leave
            | Kind::Return
            | Kind::IdentityChange
            | Kind::AccountStatus
            | Kind::CredentialCompromise
            | Kind::Unclassified
            | Kind::LicenseReclaim
            | Kind::AccessRemoval,
            _,
        ) => "Pro",
    }
}

fn account(kind: AccountType) -> Account {
    Account { id: "account".to_owned().try_into().unwrap(), kind }
}

fn shown(shown: Shown, kind: AccountType, licence: &str) -> Found {
    let user = |registration| User {
        id: "user".to_owned().try_into().unwrap(),
        registration,
        invitation: Invitation::None,
        licence: Some(licence.to_owned()),
    };
    let somebody = |registration| Found::Somebody { account: account(kind), user: user(registration) };
    match (shown, kind) {
        (Shown::Nobody, _) | (Shown::Taken, AccountType::Team) => Found::Nobody { account: Some(account(kind)) },
        (Shown::Taken, AccountType::EnterpriseLwa) => somebody(Registration::Suspended),
        // Nothing can be taken there but sessions.
        (Shown::Taken, AccountType::EnterpriseDirectory | AccountType::EnterpriseOidc) | (Shown::Present, _) => {
            somebody(Registration::Registered)
        }
    }
}

/// What is decided about a sample, with the repository's policy.
fn decided(name: &str, state: Shown, kind: AccountType) -> Decision {
    let (event, function) = sample(name);
    let now: Timestamp = "2026-11-23T12:00:00Z".parse().unwrap();
    let mut facts = Facts::default();
    let gives = function == Function::ReinstateUser;
    let earlier = before(event.event_type.kind(), event.event_type.phase(), gives);
    for fact in earlier.iter().map(|name| sample(name).0).chain([event.clone()]) {
        if let Some(fact) = Fact::asserted_by(&fact) {
            facts.assert(fact, now).unwrap();
        }
    }
    let found = shown(state, kind, licence(event.event_type.kind(), event.event_type.phase()));
    let took = matches!(state, Shown::Taken) && matches!(kind, AccountType::Team | AccountType::EnterpriseLwa);
    let taken = took.then(|| Taken {
        account: account(kind),
        licence: Some("Pro".to_owned()),
        pin: false,
        event: "suspend-user#earlier".to_owned(),
        at: "2026-11-10T08:00:00Z".parse().unwrap(),
    });
    let account = AccountState { kind, active: true, licences: vec!["Basic".into(), "Pro".into()] };
    decide(&Case {
        function,
        event: &event,
        facts: &facts,
        known: Known::Found(&found),
        account: Some(&account),
        taken: taken.as_ref(),
        wish: None,
        prior: None,
        may_look_up: true,
        renamed: false,
        last_licence: None,
        takeover: false,
        suspension_died: false,
        policy: &Policy::parse(&read("policy.json")).unwrap(),
        guard: Guard::Open,
        released: None,
        now,
    })
}

/// The operation of Chime's API.
fn call(step: &Step) -> String {
    let operation = match step.operation {
        Operation::Invite => "InviteUsers",
        Operation::Unsuspend => "BatchUnsuspendUser",
        Operation::SetLicence => "BatchUpdateUser",
        Operation::Suspend | Operation::Remove => "BatchSuspendUser",
        Operation::Logout => "LogoutUser",
        Operation::ResetPin => "ResetPersonalPIN",
    };
    let licence = step.licence.map(|licence| format!(" ({})", licence.as_str()));
    let call = format!("{operation}{}", licence.unwrap_or_default());
    if step.decisive { format!("**{call}**") } else { call }
}

fn acts(plan: &Plan) -> String {
    let calls: Vec<String> = plan.steps.iter().map(call).collect();
    let later = plan.wish.map(|licence| format!("; once registered BatchUpdateUser ({})", licence.as_str()));
    format!("{}{}", calls.join(", then "), later.unwrap_or_default())
}

fn word(reason: Reason) -> String {
    serde_json::to_value(reason).unwrap().as_str().unwrap().to_owned()
}

/// A decision in a cell, and the reason that its outcome has.
fn cell(decision: &Decision) -> (String, Option<Reason>) {
    match decision {
        Decision::Act(plan) => (format!("{}: `{}`", acts(plan), word(plan.done)), Some(plan.done)),
        Decision::Observe(plan) => (format!("observed: {}", acts(plan)), Some(plan.done)),
        Decision::Conclude(conclusion) => {
            let result = match conclusion.result {
                Concluded::Applied => "applied",
                Concluded::Unchanged => "no call",
                Concluded::Superseded => "superseded",
            };
            (format!("{result}: `{}`", word(conclusion.reason)), Some(conclusion.reason))
        }
        Decision::Hold(reason) => (format!("held: `{}`", word(*reason)), Some(*reason)),
        Decision::Park(refusal) => (format!("parked: `{}`", refusal.code.as_str()), None),
        Decision::LookUp | Decision::Wait(_) => panic!("a sample whose user was looked up is decided"),
    }
}

/// What comes of the samples of a kind that act, a table each.
pub(super) fn tables(kind: Kind) -> String {
    let mut text = String::new();
    let samples = CONSUMED.iter().filter(|name| sample(name).0.event_type.kind() == kind);
    for name in samples.filter(|name| sample(name).1 != Function::HrIntake) {
        let (event, function) = sample(name);
        let licence = licence(kind, event.event_type.phase());
        let mut reasons = BTreeMap::new();
        let login = event.login.map(|login| format!(", login {}", serde_json::to_value(login).unwrap()));
        writeln!(
            text,
            "### `{}`{}: {}\n",
            event.event_type.detail_type(),
            login.unwrap_or_default(),
            function.as_str()
        )
        .unwrap();
        let columns: Vec<&str> = TYPES.iter().map(|(_, name)| *name).collect();
        writeln!(text, "| the person | {} |\n|---|{}", columns.join(" | "), "---|".repeat(columns.len())).unwrap();
        let states = [
            (Shown::Present, format!("has access, licence {licence}")),
            (Shown::Taken, "had access, Rollcall took it".to_owned()),
            (Shown::Nobody, "has no user".to_owned()),
        ];
        for (state, words) in states {
            let cells = TYPES.map(|(kind, _)| {
                let (cell, reason) = cell(&decided(name, state, kind));
                reasons.extend(reason.map(|reason| (word(reason), reason.sentence())));
                cell
            });
            writeln!(text, "| {words} | {} |", cells.join(" | ")).unwrap();
        }
        let legend: Vec<String> = reasons.iter().map(|(word, sentence)| format!("- `{word}`: {sentence}")).collect();
        writeln!(text, "\n{}\n", legend.join("\n")).unwrap();
    }
    text
}
