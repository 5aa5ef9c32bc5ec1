//! Gusto: an employee, the employee's terminations, and a rehire.

use super::{Answer, Request, Shared, Standing, unauthorized};
use serde_json::{Value, json};

pub(super) fn answer(known: &Shared, request: &Request<'_>, authorization: &str) -> Answer {
    if authorization != format!("Bearer {}", known.token) {
        return unauthorized();
    }
    let ["v1", "employees", id, what @ ..] = request.path.as_slice() else { return Answer::not_found() };
    let Some(person) = known.people.get(*id) else { return Answer::not_found() };
    let gone = person.standing == Standing::Terminated;
    match what {
        [] => Answer::ok(json!({
            "uuid": person.id,
            "first_name": "Never",
            "email": "private@never.example",
            "work_email": person.email,
            "department": person.department,
            "terminated": gone,
            "onboarded": true,
            "jobs": [{ "uuid": "j-1", "primary": true, "hire_date": person.started }],
        })),
        ["terminations"] => {
            let one = |end: &String| json!({ "uuid": "t-1", "employee_uuid": person.id, "active": gone, "effective_date": end });
            Answer::ok(person.ends.iter().map(one).collect::<Vec<Value>>().into())
        }
        ["rehire"] => match &person.rehired {
            Some(date) => Answer::ok(json!({ "employee_uuid": person.id, "effective_date": date, "active": !gone })),
            None => Answer::not_found(),
        },
        _ => Answer::not_found(),
    }
}
