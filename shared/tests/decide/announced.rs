//! hr-intake: what is announced is kept until it is due, whoever the directory shows.

use crate::{SHOWN, Scene, TYPES, consumed, detail, of_type};
use rollcall::decide::Known;
use rollcall::event::Phase;
use rollcall::routes::Function;
use serde_json::{Value, json};

const AHEAD: &str = "2026-12-20T18:00:00Z";

fn told(event: Value, facts: Vec<Value>) -> String {
    Scene { facts, ..Scene::new(Function::HrIntake, event) }.told(Known::NotYet)
}

/// Event × account type × user state.
#[test]
fn every_cell() {
    let events = consumed(Function::HrIntake);
    assert_eq!(events.len(), 7);
    for (event_type, login) in events {
        assert_eq!(event_type.phase(), Phase::Scheduled);
        let mut event = of_type(event_type, login);
        event["effective"]["at"] = json!(AHEAD);
        let scene = Scene::new(Function::HrIntake, event);
        for (kind, shown) in TYPES.into_iter().flat_map(|kind| SHOWN.map(|shown| (kind, shown))) {
            let context = format!("{}, {kind:?}, {shown:?}", event_type.detail_type());
            let expected = "Unchanged FactRecorded, due 2026-12-20T18:00:00Z";
            assert_eq!(scene.told(Known::Found(&shown.found(kind))), expected, "{context}");
        }
    }
}

#[test]
fn only_the_newest_assertion_of_a_fact_wakes_up() {
    let end = |phase: &str, at: &str, occurred: &str, id: &str| {
        let mut end = detail("termination", phase, at);
        (end["factId"], end["occurredAt"], end["eventId"]) = (json!("end"), json!(occurred), json!(id));
        end
    };
    let announced = || end("scheduled", AHEAD, "2026-11-20T08:00:00Z", "e1");
    let table = [
        ("alone", vec![], "Unchanged FactRecorded, due 2026-12-20T18:00:00Z"),
        (
            "an older one",
            vec![end("scheduled", "2026-12-01T18:00:00Z", "2026-11-19T08:00:00Z", "e0")],
            "Unchanged FactRecorded, due 2026-12-20T18:00:00Z",
        ),
        (
            "corrected since",
            vec![end("scheduled", "2026-12-01T18:00:00Z", "2026-11-21T08:00:00Z", "e2")],
            "Superseded NewerAssertion",
        ),
        ("taken back since", vec![end("rescinded", AHEAD, "2026-11-21T08:00:00Z", "e2")], "Superseded NewerAssertion"),
    ];
    for (story, facts, expected) in table {
        assert_eq!(told(announced(), facts), expected, "{story}");
    }
}

#[test]
fn without_a_date_it_is_held() {
    let mut event = detail("termination", "scheduled", AHEAD);
    event["effective"] =
        json!({ "date": "2026-12-20", "at": null, "zone": null, "basis": "unknown", "source": "payload" });
    assert_eq!(told(event, vec![]), "hold Undatable");
}
