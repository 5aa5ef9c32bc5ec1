//! docs/events/: a page for each kind of event, and one for the members that they have.

use super::tables::Schema;
use super::{Parts, actions, fill, pages};
use crate::{every_event, read};
use rollcall::event::wire::Detail;
use rollcall::event::{EventType, Kind, LoginStatus, Phase, WorkerEvent, parse};
use rollcall::routes::{Function, consumer};
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};

/// The samples in `events/`, without `.json`. Another test holds them against what functions consume.
pub(super) const CONSUMED: [&str; 26] = [
    "worker.hire.scheduled",
    "worker.hire.effective",
    "worker.hire.rescinded",
    "worker.termination.scheduled",
    "worker.termination.effective",
    "worker.termination.rescinded",
    "worker.rehire.scheduled",
    "worker.rehire.effective",
    "worker.rehire.rescinded",
    "worker.job_change.scheduled",
    "worker.job_change.effective",
    "worker.job_change.rescinded",
    "worker.leave.scheduled",
    "worker.leave.effective",
    "worker.leave.rescinded",
    "worker.return.scheduled",
    "worker.return.effective",
    "worker.return.rescinded",
    "worker.identity_change.scheduled",
    "worker.identity_change.effective",
    "worker.identity_change.rescinded",
    "account.status.effective",
    "account.status.effective.active",
    "credential.compromise.detected",
    "license.reclaim.requested",
    "access.removal.requested",
];

/// A sample, and who consumes it.
pub(super) fn sample(name: &str) -> (WorkerEvent, Function) {
    let event = parse(&read(&format!("events/{name}.json"))).unwrap_or_else(|refusal| panic!("{name}: {refusal}"));
    let function = consumer(event.event_type, event.login).unwrap();
    (event, function)
}

/// The page of a kind.
fn page(kind: Kind) -> String {
    kind.as_str().to_owned()
}

fn types(kind: Kind) -> Vec<EventType> {
    let mut types: Vec<EventType> = EventType::all().into_iter().filter(|event| event.kind() == kind).collect();
    types.sort_by_key(|event| event.phase());
    types
}

fn consumes(event_type: EventType, login: Option<LoginStatus>) -> &'static str {
    consumer(event_type, login).map_or("nobody: the queue `unrouted`", Function::as_str)
}

/// Which detail-types a kind has, what each says, and whose they are.
fn routes(schema: &Schema, kind: Kind) -> String {
    let mut text = String::from("| detail-type | says | consumed by | sample |\n|---|---|---|---|\n");
    let phases: BTreeMap<&str, String> = schema.values("Phase").into_iter().collect();
    for event_type in types(kind) {
        let phase = json!(event_type.phase());
        let says = match event_type.phase() {
            Phase::Scheduled | Phase::Effective | Phase::Rescinded => &phases[phase.as_str().unwrap()],
            Phase::Unknown | Phase::Detected | Phase::Requested => &String::from("The only one of its kind."),
        };
        let mut line = |says: &str, function: &str, name: &str| {
            let sample = CONSUMED.contains(&name).then(|| format!("[{name}.json](../../events/{name}.json)"));
            let cells = [&format!("`{}`", event_type.detail_type()), says, function, &sample.unwrap_or("none".into())];
            text.push_str(&format!("| {} |\n", cells.join(" | ")));
        };
        let name = event_type.detail_type();
        if kind == Kind::AccountStatus {
            let (on, off) = logins(event_type);
            line(&format!("`status.after` is {on}"), Function::ReinstateUser.as_str(), &format!("{name}.active"));
            line(&format!("`status.after` is {off}"), Function::SuspendUser.as_str(), name);
        } else {
            line(says, consumes(event_type, None), name);
        }
    }
    text
}

/// Which statuses of a login lead to reinstate-user, and which to suspend-user.
fn logins(event_type: EventType) -> (String, String) {
    let statuses = every_event().into_iter().filter(|(other, _)| *other == event_type).filter_map(|(_, login)| login);
    let (on, off): (Vec<_>, Vec<_>) = statuses.partition(|login| match consumer(event_type, Some(*login)) {
        Some(Function::ReinstateUser) => true,
        Some(Function::SuspendUser) => false,
        other => panic!("{other:?} consumes logins, and this page does not say so"),
    });
    let words = |logins: &[LoginStatus]| {
        let words = logins.iter().map(|login| format!("`{}`", json!(login).as_str().unwrap()));
        words.collect::<Vec<String>>().join(", ")
    };
    (words(&on), words(&off))
}

/// The members without which the parser refuses a sample: each is taken out by itself, and seen to be missed.
fn required(name: &str) -> BTreeSet<String> {
    let envelope: Value = serde_json::from_str(&read(&format!("events/{name}.json"))).unwrap();
    let without = |member: &&String| {
        let mut body = envelope.clone();
        body["detail"].as_object_mut().unwrap().remove(*member);
        parse(&body.to_string()).is_err()
    };
    envelope["detail"].as_object().unwrap().keys().filter(without).cloned().collect()
}

fn must_have(kind: Kind) -> String {
    let of_kind = CONSUMED.iter().filter(|name| sample(name).0.event_type.kind() == kind);
    let mut all = of_kind.map(|name| required(name));
    let first = all.next().unwrap();
    assert!(all.all(|other| other == first), "the phases of {} must have different members", kind.as_str());
    let words: Vec<String> = first.iter().map(|member| format!("`{member}`")).collect();
    format!(
        "An event of this kind must have {}, and in `subject` one of `workerId`, `email` and `providerSubjectId`. All \
         others may be left out. [Members](members.md) tells what each means.",
        words.join(", ")
    )
}

/// The sample that shows a kind best.
fn example(kind: Kind) -> String {
    let mut of_kind = CONSUMED.iter().filter(|name| sample(name).0.event_type.kind() == kind);
    let is_shown = |name: &&&str| sample(name).0.event_type.phase() != Phase::Scheduled;
    let name = of_kind.find(is_shown).unwrap();
    let body = read(&format!("events/{name}.json"));
    format!(
        "[events/{name}.json](../../events/{name}.json), as EventBridge delivers it:\n\n```json\n{}\n```",
        body.trim()
    )
}

#[test]
fn each_kind_of_event_has_its_page() {
    let schema = Schema::new(json!(schemars::schema_for!(Detail)));
    let kinds: BTreeSet<Kind> = EventType::all().into_iter().map(EventType::kind).collect();
    let index = ["README".to_owned(), "members".to_owned()];
    let expected: BTreeSet<String> = kinds.iter().map(|kind| page(*kind)).chain(index).collect();
    assert_eq!(pages("events"), expected, "docs/events/ has a page for each kind of event, and no other");
    for kind in &kinds {
        let mut parts = Parts::from([("routes", routes(&schema, *kind))]);
        if *kind != Kind::Unclassified {
            parts.insert("required", must_have(*kind));
            parts.insert("actions", actions::tables(*kind));
            parts.insert("example", example(*kind));
        }
        fill(&format!("docs/events/{}.md", page(*kind)), &parts);
    }
    fill("docs/events/members.md", &Parts::from([("members", schema.tables())]));
    let about: BTreeMap<&str, String> = schema.values("Kind").into_iter().collect();
    let lines = kinds.iter().map(|kind| {
        let name = page(*kind);
        let named = types(*kind).into_iter().map(|event| format!("`{}`", event.detail_type()));
        format!(
            "| [{name}]({name}.md) | {} | {} |\n",
            about[kind.as_str()],
            named.collect::<Vec<String>>().join("<br>")
        )
    });
    let table = format!("| kind | what happened | detail-types |\n|---|---|---|\n{}", lines.collect::<String>());
    fill("docs/events/README.md", &Parts::from([("kinds", table)]));
}
