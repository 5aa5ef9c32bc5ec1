//! `HiBob`: one person, with the fields that were asked for.

use super::{Answer, Person, Request, Shared, Standing, basic, unauthorized};
use axum::http::Method;
use serde_json::{Map, Value, json};

pub(super) fn answer(known: &Shared, request: &Request<'_>, authorization: &str) -> Answer {
    let (user, token) = known.token.split_once(':').unwrap_or((&known.token, ""));
    if authorization != basic(user, token) {
        return unauthorized();
    }
    let ["v1", "people", id] = request.path.as_slice() else { return Answer::not_found() };
    let Some(person) = known.people.get(*id).filter(|_| *request.method == Method::POST) else {
        return Answer::not_found();
    };
    let body: Value = serde_json::from_slice(request.body).unwrap_or_default();
    let fields = body.get("fields").and_then(Value::as_array).cloned().unwrap_or_default();
    let mut told = Map::new();
    for field in fields.iter().filter_map(Value::as_str) {
        let value = value(person, field).filter(|_| !person.hidden.iter().any(|hidden| hidden == field));
        if let Some(value) = value {
            told.insert(format!("/{}", field.replace('.', "/")), json!({ "value": value }));
        }
    }
    Answer::ok(Value::Object(told))
}

fn value(person: &Person, field: &str) -> Option<Value> {
    match field {
        "root.id" => Some(json!(person.id)),
        "root.email" => Some(json!(person.email)),
        "home.privateEmail" => Some(json!("private@never.example")),
        // A number, where it looks like one.
        "work.employeeIdInCompany" => Some(match person.worker_id.as_deref().map(str::parse::<u64>) {
            Some(Ok(number)) => json!(number),
            Some(Err(_)) | None => json!(person.worker_id),
        }),
        "work.startDate" => Some(json!(person.started)),
        "internal.terminationDate" => Some(json!(person.ends)),
        "internal.lifecycleStatus" => Some(json!(match person.standing {
            Standing::Hired => "Hired",
            Standing::Employed => "Employed",
            Standing::OnLeave => "Parental leave",
            Standing::Terminated => "Terminated",
        })),
        _ => None,
    }
}
