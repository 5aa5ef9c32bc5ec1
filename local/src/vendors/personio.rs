//! Personio, version 2: access tokens, persons, and their employments.

use super::{Answer, Request, Shared, Standing, unauthorized};
use axum::http::Method;
use serde_json::{Value, json};
use std::collections::BTreeMap;

pub(super) fn answer(known: &mut Shared, request: &Request<'_>, authorization: &str) -> Answer {
    if request.path.as_slice() == ["v2", "auth", "token"] && *request.method == Method::POST {
        return token(known, request.body);
    }
    if known.issued == 0 || authorization != format!("Bearer papi-{}", known.issued) {
        return unauthorized();
    }
    let ["v2", "persons", id, what @ ..] = request.path.as_slice() else { return Answer::not_found() };
    let Some(person) = known.people.get(*id) else { return Answer::not_found() };
    let gone = person.standing == Standing::Terminated;
    match what {
        [] => Answer::ok(json!({
            "id": person.id,
            "email": person.email,
            "first_name": "Never",
            "status": if gone { "INACTIVE" } else { "ACTIVE" },
        })),
        ["employments"] => {
            let mut employment = json!({
                "id": "e-1",
                "person": { "id": person.id },
                "status": if gone { "INACTIVE" } else { "ACTIVE" },
                "employment_start_date": person.started,
                "termination": person.ends.as_ref().map(|end| json!({ "termination_date": end, "type": "QUIT" })),
            });
            if let Value::Object(members) = &mut employment {
                members.retain(|name, _| !person.hidden.contains(name));
            }
            let former = json!({ "id": "e-0", "status": "INACTIVE", "employment_start_date": "2011-01-01" });
            Answer::ok(json!({ "_data": [employment, former], "_meta": { "links": {} } }))
        }
        _ => Answer::not_found(),
    }
}

/// Client credentials for an access token.
fn token(known: &mut Shared, body: &[u8]) -> Answer {
    let form = String::from_utf8_lossy(body).into_owned();
    let form: BTreeMap<&str, &str> = form.split('&').filter_map(|pair| pair.split_once('=')).collect();
    let (id, secret) = known.token.split_once(':').unwrap_or((&known.token, ""));
    let expected = BTreeMap::from([("grant_type", "client_credentials"), ("client_id", id), ("client_secret", secret)]);
    if form != expected {
        return unauthorized();
    }
    known.issued += 1;
    let access = format!("papi-{}", known.issued);
    Answer::ok(json!({ "access_token": access, "token_type": "Bearer", "expires_in": 86400 }))
}
