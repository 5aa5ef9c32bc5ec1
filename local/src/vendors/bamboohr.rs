//! `BambooHR`: one employee, with the fields that were asked for.

use super::{Answer, Person, Request, Shared, Standing, basic, unauthorized};
use serde_json::{Map, Value, json};

pub(super) fn answer(known: &Shared, request: &Request<'_>, authorization: &str) -> Answer {
    if authorization != basic(&known.token, "x") {
        return unauthorized();
    }
    let ["api", "v1", "employees", id] = request.path.as_slice() else { return Answer::not_found() };
    let Some(person) = known.people.get(*id) else { return Answer::not_found() };
    let current = request.query.get("onlyCurrent").is_some_and(|only| only == "true");
    let mut told = Map::from_iter([("id".to_owned(), json!(person.id))]);
    for field in request.query.get("fields").map(String::as_str).unwrap_or_default().split(',') {
        let value = value(person, field, current).filter(|_| !person.hidden.iter().any(|hidden| hidden == field));
        if let Some(value) = value {
            told.insert(field.to_owned(), value);
        }
    }
    Answer::ok(Value::Object(told))
}

fn value(person: &Person, field: &str, current: bool) -> Option<Value> {
    // A date that nobody set.
    let date = |date: Option<&str>| json!(date.unwrap_or("0000-00-00"));
    let gone = person.standing == Standing::Terminated;
    match field {
        "employeeNumber" => Some(json!(person.worker_id)),
        "workEmail" => Some(json!(person.email)),
        "homeEmail" => Some(json!("private@never.example")),
        "status" if gone => Some(json!("Inactive")),
        "status" => Some(json!("Active")),
        "hireDate" => Some(date(person.started.as_deref())),
        // What is still to come is told only where more than the present is asked for.
        "terminationDate" => Some(date(person.ends.as_deref().filter(|_| gone || !current))),
        "department" => Some(json!(person.department)),
        "location" => Some(json!(person.location)),
        _ => None,
    }
}
