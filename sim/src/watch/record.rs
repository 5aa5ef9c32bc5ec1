//! Reading the ledger's items, as anybody could who knows "The ledger" in ARCHITECTURE.md and not the code.

use crate::dynamo::{Item, at, number_at, text_at};
use crate::oracle::Licence;

/// A stored plan.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Plan {
    pub(super) account: String,
    pub(super) kind: String,
    /// `None` where an invitation makes it.
    pub(super) user: Option<String>,
    pub(super) steps: Vec<Step>,
}

impl Plan {
    /// It suspends or removes. Signing out takes nothing.
    pub(super) fn takes(&self) -> bool {
        self.steps.iter().any(|step| matches!(step.operation.as_str(), "suspend" | "remove"))
    }
}

impl Plan {
    /// The licence that it sets decisively: not what comes along with access.
    pub(super) fn relicenses(&self) -> Option<&str> {
        let step = self.steps.iter().find(|step| step.operation == "set_licence" && step.decisive)?;
        step.licence.as_deref()
    }

    /// Its step of a kind.
    pub(super) fn step(&self, operation: &str) -> Option<&Step> {
        self.steps.iter().find(|step| step.operation == operation)
    }
}

/// One of its steps.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Step {
    pub(super) operation: String,
    pub(super) decisive: bool,
    pub(super) status: String,
    pub(super) repeated: bool,
    pub(super) licence: Option<String>,
    pub(super) code: Option<String>,
}

/// What was taken from a person.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Taken {
    pub(super) account: String,
    pub(super) licence: Option<String>,
    /// The event that took it: written once, it stays.
    pub(super) event: String,
}

/// A hold on a person.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Lease {
    pub(super) owner: String,
    pub(super) until: i64,
    pub(super) event: String,
}

pub(super) fn state(item: &Item) -> &str {
    text_at(item, &["state"]).unwrap_or_default()
}

pub(super) fn owner(item: &Item) -> &str {
    text_at(item, &["owner"]).unwrap_or_default()
}

pub(super) fn is_done(state: &str) -> bool {
    matches!(state, "applied" | "unchanged" | "superseded" | "rejected")
}

/// The member `reason` of the outcome.
pub(super) fn reason(item: &Item) -> String {
    let outcome = text_at(item, &["data"]).and_then(|data| serde_json::from_str::<serde_json::Value>(data).ok());
    outcome.and_then(|outcome| outcome["reason"].as_str().map(str::to_owned)).unwrap_or_default()
}

pub(super) fn plan(item: &Item) -> Option<Plan> {
    let plan = at(item, &["plan"])?.map()?;
    let step = |step: &crate::dynamo::Attribute| {
        let step = step.map()?;
        Some(Step {
            operation: text_at(step, &["operation"])?.to_owned(),
            decisive: at(step, &["decisive"])?.flag()?,
            status: text_at(step, &["status"])?.to_owned(),
            repeated: at(step, &["repeated"]).and_then(|flag| flag.flag()).unwrap_or(false),
            licence: text_at(step, &["licence"]).map(str::to_owned),
            code: text_at(step, &["code"]).map(str::to_owned),
        })
    };
    Some(Plan {
        account: text_at(plan, &["account", "id"])?.to_owned(),
        kind: text_at(plan, &["account", "type"])?.to_owned(),
        user: text_at(plan, &["user"]).map(str::to_owned),
        steps: at(plan, &["steps"])?.list()?.iter().filter_map(step).collect(),
    })
}

pub(super) fn taken(item: &Item) -> Option<Taken> {
    at(item, &["taken"])?.map()?;
    Some(Taken {
        account: text_at(item, &["taken", "account", "id"]).unwrap_or_default().to_owned(),
        licence: text_at(item, &["taken", "licence"]).map(str::to_owned),
        event: text_at(item, &["taken", "event"]).unwrap_or_default().to_owned(),
    })
}

/// The licence that a person is to have as soon as it can be set.
pub(super) fn wish(item: &Item) -> Option<&str> {
    text_at(item, &["wish"])
}

/// The licence to give back: what it was to become meanwhile, else what was taken, where that is one that can be set.
pub(super) fn licence_to_restore(item: &Item) -> Option<Licence> {
    let word = wish(item).map(str::to_owned).or_else(|| taken(item)?.licence);
    word.and_then(|word| Licence::named(&word))
}

pub(super) fn lease(item: &Item) -> Option<Lease> {
    Some(Lease {
        owner: text_at(item, &["lease", "owner"])?.to_owned(),
        until: number_at(item, &["lease", "until"])?,
        event: text_at(item, &["lease", "event"])?.to_owned(),
    })
}
