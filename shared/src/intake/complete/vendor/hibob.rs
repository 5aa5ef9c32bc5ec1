//! `HiBob`: `POST /v1/people/{id}` with the fields that are wanted.
//!
//! Token: `<id>:<token>` of an API service user, which is HTTP basic authentication.
//!
//! Sources: "Read company employee fields by employee ID" (apidocs.hibob.com/reference/post_people-identifier), "People
//! read API contract" (apidocs.hibob.com/docs/people-read-api-contract: ids of fields with dots in the request, with
//! slashes in the answer; fields that the user may not read are left out without a word), and "View employees' lifecycle
//! statuses" (help.hibob.com, 4409776355857): Hired, Employed, Terminated, Garden leave (after the last day of work, before
//! the termination date), Leave, Parental leave, and those that a company adds, of which nobody knows what they mean. The
//! ids `internal.lifecycleStatus`, `internal.terminationDate` and `work.employeeIdInCompany` are of public clients, not of
//! a vendor's page. A field comes as `"/<category>/<name>": {"value": …}`, or inside its category.
//!
//! Not read: departments and sites, which come as ids of lists; the zone of a site; dates of leaves, which are in a table.

use super::{Employee, Heard, Vendors, below, date, email, text, worker};
use crate::failure::Failure;
use crate::host::Host;
use crate::intake::Source;
use crate::intake::complete::gather::Token;
use crate::roster::Status;
use reqwest::Url;
use serde_json::{Value, json};

/// Where it answers, for everybody.
pub(super) const ADDRESS: &str = "https://api.hibob.com";

const EMAIL: (&str, &str) = ("root", "email");
const NUMBER: (&str, &str) = ("work", "employeeIdInCompany");
const STARTED: (&str, &str) = ("work", "startDate");
const STATUS: (&str, &str) = ("internal", "lifecycleStatus");
const ENDS: (&str, &str) = ("internal", "terminationDate");

pub(super) async fn employee<H: Host>(
    vendors: &Vendors<H>,
    address: &Url,
    token: &Token,
    id: &str,
) -> Result<Option<Employee>, Failure> {
    let (user, password) = token.secret().split_once(':').unwrap_or((token.secret(), ""));
    let fields = [EMAIL, NUMBER, STARTED, STATUS, ENDS].map(|(category, name)| format!("{category}.{name}"));
    let body = json!({ "fields": fields }).to_string();
    let url = below(address, &["v1", "people", id]);
    let request = || {
        let request = vendors.http.post(url.clone()).basic_auth(user, Some(password)).body(body.clone());
        request.header("accept", "application/json").header("content-type", "application/json")
    };
    let Heard::Answer(person) = vendors.ask(Source::HiBob, request).await? else { return Ok(None) };
    Ok(Some(Employee {
        worker_id: worker(field(&person, NUMBER)),
        email: email(field(&person, EMAIL)),
        status: text(field(&person, STATUS)).and_then(|word| status(&word)),
        started: date(field(&person, STARTED)),
        ends: date(field(&person, ENDS)),
        tells_end: field(&person, ENDS).is_some(),
        ..Employee::default()
    }))
}

fn field<'a>(person: &'a Value, (category, name): (&str, &str)) -> Option<&'a Value> {
    if let Some(flat) = person.get(format!("/{category}/{name}")) {
        return flat.get("value");
    }
    // What is in no category stands at the top.
    let within = if category == "root" { Some(person) } else { person.get(category) };
    within.and_then(|within| within.get(name))
}

fn status(word: &str) -> Option<Status> {
    let word: String = word.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect();
    match word.as_str() {
        "hired" => Some(Status::PreHire),
        "employed" => Some(Status::Active),
        "gardenleave" | "leave" | "parentalleave" => Some(Status::OnLeave),
        "terminated" => Some(Status::Terminated),
        _ => None,
    }
}
