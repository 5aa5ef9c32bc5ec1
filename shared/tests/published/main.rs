//! What the repository publishes agrees with the code: schemas, sample events, and the template's routes.
//!
//! Generated files are written anew with `ROLLCALL_ACCEPT=1 cargo test -p rollcall --test published`.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod alarms;
mod emitted;
mod papers;
mod protection;
mod receive;
mod reconcile;
mod registry;
mod roster;
mod samples;
mod template;

use rollcall::audit::Report;
use rollcall::event::wire::Detail;
use rollcall::event::{EventType, Kind, LoginStatus};
use rollcall::policy::Policy;
use serde_json::{Value, json};
use std::path::{Path, PathBuf};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_owned()
}

fn read(path: &str) -> String {
    std::fs::read_to_string(root().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// Compares a generated file, or writes it where the caller asked for that.
#[expect(clippy::disallowed_methods, reason = "the caller says by the environment that files shall be written")]
fn published(path: &str, generated: &str) {
    if std::env::var("ROLLCALL_ACCEPT").is_ok() {
        let path = root().join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, generated).unwrap();
    }
    assert!(read(path) == generated, "{path} is not what the code says; see the head of this test");
}

fn published_json(path: &str, generated: &Value) {
    published(path, &format!("{}\n", serde_json::to_string_pretty(generated).unwrap()));
}

/// Every event type, with each status that a login may have after it, and without one.
fn every_event() -> Vec<(EventType, Option<LoginStatus>)> {
    let logins = [
        LoginStatus::Active,
        LoginStatus::Pending,
        LoginStatus::OnLeave,
        LoginStatus::Suspended,
        LoginStatus::Deactivated,
        LoginStatus::Terminated,
        LoginStatus::Deleted,
        LoginStatus::Unknown,
    ];
    let with_logins = |event_type: EventType| {
        let logins = logins.iter().filter(move |_| event_type.kind() == Kind::AccountStatus);
        std::iter::once(None).chain(logins.copied().map(Some)).map(move |login| (event_type, login))
    };
    EventType::all().into_iter().flat_map(with_logins).collect()
}

#[test]
fn schemas_are_those_of_the_types() {
    published_json("events/schema/worker-event.schema.json", &json!(schemars::schema_for!(Detail)));
    published_json("events/schema/policy.schema.json", &json!(schemars::schema_for!(Policy)));
    published_json("events/schema/audit-report.schema.json", &json!(schemars::schema_for!(Report)));
}

#[test]
fn the_repositorys_policy_is_one() {
    Policy::parse(&read("policy.json")).unwrap();
}
