//! The decision tables: for each function every event, user state and account type, and what comes of it.
//!
//! Expectations were written before the code: what each function does, what is due, what is held and what is parked. Each table is a
//! total match, so that a cell that is missing does not compile.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod announced;
mod facts;
mod invite;
mod logout;
mod reinstate;
mod relicense;
mod removal;
mod take;

use jiff::Timestamp;
use rollcall::decide::{Case, Concluded, Decision, Known, Reason, decide};
use rollcall::directory::{Account, AccountState, AccountType, Found, Invitation, Licence, Registration, User};
use rollcall::event::{EventType, LoginStatus, parse};
use rollcall::ledger::Taken;
use rollcall::person::{Fact, Facts};
use rollcall::plan::{Plan, Wish};
use rollcall::policy::Policy;
use rollcall::protect::Guard;
use rollcall::routes::{Function, consumer};
use serde_json::{Value, json};

pub(crate) const PAST: &str = "2026-11-22T18:00:00Z";
pub(crate) const ALWAYS: &str = r#"{"pin_reset":"always"}"#;
/// Absences leave access alone.
pub(crate) const KEEP: &str = r#"{"access":{"on_leave":"keep","on_inactive_login":"keep"}}"#;
/// Engineers get Pro, everybody else Basic.
pub(crate) const LICENCES: &str =
    r#"{"licences":{"rules":[{"job_code":["ENG-*"],"licence":"Pro"}],"default":"Basic"}}"#;

pub(crate) const TYPES: [AccountType; 4] =
    [AccountType::Team, AccountType::EnterpriseLwa, AccountType::EnterpriseDirectory, AccountType::EnterpriseOidc];

/// How the directory shows a person.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Shown {
    Nobody,
    Pending,
    Bounced,
    Registered,
    Suspended,
    Unknown,
}

pub(crate) const SHOWN: [Shown; 6] =
    [Shown::Nobody, Shown::Pending, Shown::Bounced, Shown::Registered, Shown::Suspended, Shown::Unknown];

impl Shown {
    pub(crate) fn found(self, kind: AccountType) -> Found {
        let (registration, invitation) = match self {
            Shown::Nobody => return Found::Nobody { account: Some(account(kind)) },
            Shown::Pending => (Registration::Unregistered, Invitation::Pending),
            Shown::Bounced => (Registration::Unregistered, Invitation::Failed),
            Shown::Registered => (Registration::Registered, Invitation::None),
            Shown::Suspended => (Registration::Suspended, Invitation::None),
            Shown::Unknown => (Registration::Unknown, Invitation::None),
        };
        Found::Somebody { account: account(kind), user: user(registration, invitation, "Pro") }
    }
}

pub(crate) fn now() -> Timestamp {
    "2026-11-23T12:00:00Z".parse().unwrap()
}

pub(crate) fn detail(kind: &str, phase: &str, at: &str) -> Value {
    json!({
        "schemaVersion": "1.0", "eventId": "e1", "kind": kind, "phase": phase, "occurredAt": "2026-11-20T08:00:00Z",
        "subject": { "workerId": "1", "email": "a@b.example" },
        "effective": { "date": null, "at": at, "zone": null, "basis": "instant", "source": "payload" },
    })
}

/// An event of a type, for a person of whom nothing else is told.
pub(crate) fn of_type(event_type: EventType, login: Option<LoginStatus>) -> Value {
    let word = |value: Value| value.as_str().unwrap().to_owned();
    let (kind, phase) = (word(json!(event_type.kind())), word(json!(event_type.phase())));
    let mut detail = detail(&kind, &phase, PAST);
    if let Some(login) = login {
        detail["status"] = json!({ "after": login });
    }
    detail
}

/// Every event that a function consumes: each type, a login's in both states.
pub(crate) fn consumed(function: Function) -> Vec<(EventType, Option<LoginStatus>)> {
    let logins = [None, Some(LoginStatus::Active), Some(LoginStatus::Deactivated)];
    let all = EventType::all().into_iter().flat_map(|event_type| logins.map(|login| (event_type, login)));
    let is_login = |event_type: EventType| event_type.detail_type() == "account.status.effective";
    all.filter(|(event_type, login)| login.is_some() == is_login(*event_type))
        .filter(|(event_type, login)| consumer(*event_type, *login) == Some(function))
        .collect()
}

/// The same with a job, as the change of it tells.
pub(crate) fn with_job(mut detail: Value, before: Option<&str>, after: Option<&str>) -> Value {
    detail["changes"] = json!([{ "field": "job_code", "before": before, "after": after }]);
    detail
}

pub(crate) fn account(kind: AccountType) -> Account {
    Account { id: "acc".to_owned().try_into().unwrap(), kind }
}

pub(crate) fn user(registration: Registration, invitation: Invitation, licence: &str) -> User {
    User { id: "u1".to_owned().try_into().unwrap(), registration, invitation, licence: Some(licence.to_owned()) }
}

pub(crate) fn taken(kind: AccountType, licence: &str, pin: bool) -> Taken {
    let (event, licence) = ("suspend-user#t".to_owned(), Some(licence.to_owned()));
    Taken { account: account(kind), licence, pin, event, at: "2026-11-10T08:00:00Z".parse().unwrap() }
}

/// A decision in one line: its steps (an auxiliary one in brackets), or its kind and reason; then what becomes of a wish,
/// and of what was taken.
pub(crate) fn told(decision: &Decision) -> String {
    let steps = |plan: &Plan| {
        let step = |step: &rollcall::plan::Step| {
            let licence = step.licence.map(|licence| format!(" {}", licence.as_str())).unwrap_or_default();
            let refused = step.code.as_ref().map(|code| format!(" {code}")).unwrap_or_default();
            let name = format!("{}{licence}{refused}", step.operation.as_str());
            if step.decisive { name } else { format!("[{name}]") }
        };
        let wish = plan.wish.map(|licence| format!(", wish {}", licence.as_str())).unwrap_or_default();
        format!("{}{wish}", plan.steps.iter().map(step).collect::<Vec<_>>().join(", "))
    };
    match decision {
        Decision::LookUp => "look up".into(),
        Decision::Act(plan) => steps(plan),
        Decision::Observe(plan) => format!("observe {}", steps(plan)),
        Decision::Conclude(conclusion) => {
            let wish = match conclusion.wish {
                Wish::Keep => String::new(),
                Wish::Set(licence) => format!(", wish {}", licence.as_str()),
                Wish::Clear => ", no wish".to_owned(),
            };
            let result = match conclusion.result {
                Concluded::Applied => "Applied",
                Concluded::Unchanged => "Unchanged",
                Concluded::Superseded => "Superseded",
            };
            let due = conclusion.due.map(|at| format!(", due {at}")).unwrap_or_default();
            format!("{result} {:?}{wish}{due}", conclusion.reason)
        }
        Decision::Hold(reason) => format!("hold {reason:?}"),
        Decision::Park(refusal) => format!("park {} {}", refusal.code.as_str(), refusal.field),
        Decision::Wait(after) => format!("wait {} s", after.as_secs()),
    }
}

/// One case, before it is decided.
#[derive(Clone)]
pub(crate) struct Scene {
    pub(crate) function: Function,
    pub(crate) event: Value,
    /// Other events whose facts are known.
    pub(crate) facts: Vec<Value>,
    pub(crate) taken: Option<Taken>,
    pub(crate) wish: Option<Licence>,
    pub(crate) prior: Option<Plan>,
    pub(crate) takeover: bool,
    /// The attempt that died was a suspension.
    pub(crate) suspension_died: bool,
    pub(crate) renamed: bool,
    pub(crate) last_licence: Option<&'static str>,
    pub(crate) policy: &'static str,
    pub(crate) guard: Guard,
    pub(crate) released: Option<Reason>,
    /// The account as it is: in use, with these licences.
    pub(crate) account: (bool, Vec<&'static str>),
}

impl Scene {
    pub(crate) fn new(function: Function, event: Value) -> Scene {
        Scene {
            function,
            event,
            facts: Vec::new(),
            taken: None,
            wish: None,
            prior: None,
            takeover: false,
            suspension_died: false,
            renamed: false,
            last_licence: None,
            policy: "{}",
            guard: Guard::Open,
            released: None,
            account: (true, vec!["Basic", "Pro"]),
        }
    }

    pub(crate) fn told(&self, known: Known<'_>) -> String {
        told(&self.decide(known))
    }

    pub(crate) fn decide(&self, known: Known<'_>) -> Decision {
        let event = parse(&self.event.to_string()).unwrap_or_else(|refusal| panic!("{refusal}"));
        let mut all = Facts::default();
        for other in self.facts.iter().map(|fact| parse(&fact.to_string()).unwrap()).chain([event.clone()]) {
            if let Some(fact) = Fact::asserted_by(&other) {
                all.assert(fact, now()).unwrap();
            }
        }
        let policy = Policy::parse(self.policy).unwrap();
        let kind = match known {
            Known::Remembered { account, .. } => Some(account.kind),
            Known::Found(Found::Somebody { account, .. } | Found::Nobody { account: Some(account) }) => {
                Some(account.kind)
            }
            Known::Found(_) | Known::NotYet | Known::NoAddress => None,
        };
        let licences = self.account.1.iter().map(|licence| (*licence).to_owned()).collect();
        let account = kind.map(|kind| AccountState { kind, active: self.account.0, licences });
        decide(&Case {
            function: self.function,
            event: &event,
            facts: &all,
            known,
            account: account.as_ref(),
            taken: self.taken.as_ref(),
            wish: self.wish,
            prior: self.prior.as_ref(),
            may_look_up: true,
            renamed: self.renamed,
            last_licence: self.last_licence,
            takeover: self.takeover,
            suspension_died: self.suspension_died,
            policy: &policy,
            guard: self.guard,
            released: self.released,
            now: now(),
        })
    }
}
