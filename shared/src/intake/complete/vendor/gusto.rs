//! Gusto: `GET /v1/employees/{id}`, its `/terminations` and its `/rehire`.
//!
//! Token: an OAuth access token, as a bearer. The vendor lets it expire: whoever keeps it must renew it.
//!
//! Sources: "Get an employee" (docs.gusto.com, get-v1-employees: `work_email`, `email` is the private one, `department`,
//! `terminated`, `jobs[]` with `hire_date`), "Get terminations for an employee" (get-v1-terminations-employee_id:
//! `effective_date` is "the employee's last day of work"), "Get an employee rehire" (`effective_date` is "the day when the
//! employee returns to work"). Which fields came with which version of the API is not asked for: the application's own
//! version answers.
//!
//! Not seen on a vendor's page, but in generated clients: `hire_date` within `jobs[]`.
//!
//! There is no employee number, no zone and no leave.

use super::{Employee, Heard, Vendors, below, date, email, text};
use crate::failure::Failure;
use crate::host::Host;
use crate::intake::Source;
use crate::intake::complete::gather::Token;
use crate::person::Job;
use crate::roster::Status;
use jiff::civil::Date;
use reqwest::Url;
use serde_json::Value;

/// Where it answers, for everybody.
pub(super) const ADDRESS: &str = "https://api.gusto.com";

pub(super) async fn employee<H: Host>(
    vendors: &Vendors<H>,
    address: &Url,
    token: &Token,
    id: &str,
) -> Result<Option<Employee>, Failure> {
    let ask = async |what: &[&str]| {
        let url = below(address, &[&["v1", "employees", id], what].concat());
        let request = || {
            let request = vendors.http.get(url.clone()).bearer_auth(token.secret());
            request.header("accept", "application/json")
        };
        vendors.ask(Source::Gusto, request).await
    };
    let Heard::Answer(person) = ask(&[]).await? else { return Ok(None) };
    let terminations = or_nothing(ask(&["terminations"]).await?);
    let rehire = or_nothing(ask(&["rehire"]).await?);
    let last = |list: Option<&Value>, member: &str| -> Option<Date> {
        list.and_then(Value::as_array)?.iter().filter_map(|item| date(item.get(member))).max()
    };
    let started = last(person.get("jobs"), "hire_date").max(date(rehire.get("effective_date")));
    let to_come = started.is_some_and(|date| date > vendors.today());
    let department = text(person.get("department")).and_then(|text| Job::value(&text));
    Ok(Some(Employee {
        email: email(person.get("work_email")),
        status: match person.get("terminated").and_then(Value::as_bool) {
            Some(true) => Some(Status::Terminated),
            Some(false) if to_come => Some(Status::PreHire),
            Some(false) => Some(Status::Active),
            None => None,
        },
        started,
        ends: last(Some(&terminations), "effective_date"),
        tells_end: true,
        job: Job { department, ..Job::default() },
        ..Employee::default()
    }))
}

fn or_nothing(heard: Heard) -> Value {
    match heard {
        Heard::Answer(answer) => answer,
        Heard::Nobody => Value::Null,
    }
}
