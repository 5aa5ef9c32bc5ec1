//! `BambooHR`: `GET /api/v1/employees/{id}?fields=…`.
//!
//! Token: the API key, which is the user of HTTP basic authentication; the password may be anything. The address is the
//! company's own, `https://<company>.bamboohr.com`: the policy names it.
//!
//! Sources: "Get Employee" (documentation.bamboohr.com/reference/get-employee: `fields`, `onlyCurrent`; fields that the
//! key may not read are left out of the answer without a word), and the list of field names
//! (bamboohr.com/api/documentation/employees.php): `employeeNumber`, `workEmail`, `status` ("Active or Inactive"),
//! `hireDate`, `terminationDate`, and `department` and `location`, which are the current ones. With `onlyCurrent=false`
//! values to come are told, so that an announced end is seen; of the job the present one is wanted: two requests.
//!
//! Not seen on a vendor's page, but in clients of others: the path, and that a date that is not there is `0000-00-00`.
//!
//! Not read: `employmentHistoryStatus`, whose values each account chooses. There is neither zone nor leave.

use super::{Employee, Heard, Vendors, below, date, email, text, worker};
use crate::failure::Failure;
use crate::host::Host;
use crate::intake::Source;
use crate::intake::complete::gather::Token;
use crate::person::Job;
use crate::roster::Status;
use reqwest::Url;
use serde_json::Value;

pub(super) async fn employee<H: Host>(
    vendors: &Vendors<H>,
    address: &Url,
    token: &Token,
    id: &str,
) -> Result<Option<Employee>, Failure> {
    let ask = async |fields: &str, only_current: &str| {
        let url = below(address, &["api", "v1", "employees", id]);
        let request = || {
            let query = [("fields", fields), ("onlyCurrent", only_current)];
            let request = vendors.http.get(url.clone()).query(&query).basic_auth(token.secret(), Some("x"));
            request.header("accept", "application/json")
        };
        vendors.ask(Source::BambooHr, request).await
    };
    let Heard::Answer(person) = ask("employeeNumber,workEmail,status,hireDate,terminationDate", "false").await? else {
        return Ok(None);
    };
    let job = match ask("department,location", "true").await? {
        Heard::Answer(job) => job,
        Heard::Nobody => Value::Null,
    };
    let value = |member: &str| text(job.get(member)).and_then(|text| Job::value(&text));
    let started = date(person.get("hireDate"));
    let to_come = started.is_some_and(|date| date > vendors.today());
    Ok(Some(Employee {
        worker_id: worker(person.get("employeeNumber")),
        email: email(person.get("workEmail")),
        status: match text(person.get("status")).as_deref() {
            Some("Active" | "Inactive") if to_come => Some(Status::PreHire),
            Some("Active") => Some(Status::Active),
            Some("Inactive") => Some(Status::Terminated),
            Some(_) | None => None,
        },
        started,
        ends: date(person.get("terminationDate")),
        tells_end: person.get("terminationDate").is_some(),
        job: Job { department: value("department"), location: value("location"), ..Job::default() },
        ..Employee::default()
    }))
}
