//! Personio, version 2: `GET /v2/persons/{id}` and its `/employments`, with a token from `POST /v2/auth/token`.
//!
//! Token: `<client id>:<client secret>` of API credentials, which get an access token for a day. It is kept in memory and
//! asked for again shortly before it expires: the vendor counts those requests.
//!
//! Sources: "List employments of a given Person" (developer.personio.de/reference/get_v2-persons-person-id-employments:
//! the most recent first, 50 a page at most, 404 for a person who is not there), the vendor's pages on persons (`email`), and
//! what users quote of an employment in the vendor's forum: `status`, `termination` with `termination_date` and
//! `last_working_date`. `_data`, `employment_start_date` and the members of the token's answer (`access_token`,
//! `expires_in`) are of public clients, not of a vendor's page.
//!
//! `termination_date` is taken: the contract ends then, and the event `employment.terminated` comes then. Statuses other
//! than `ACTIVE` and `INACTIVE` are not read, nor positions and org units (titles and ids), nor custom attributes, one of
//! which may be the employee number. There is no zone.

use super::{Employee, Heard, Vendors, below, date, email, text};
use crate::failure::{Cause, Failure};
use crate::host::Host;
use crate::intake::Source;
use crate::intake::complete::gather::Token;
use crate::roster::Status;
use jiff::{SignedDuration, Timestamp};
use reqwest::Url;
use serde_json::Value;
use std::sync::PoisonError;

/// Where it answers, for everybody.
pub(super) const ADDRESS: &str = "https://api.personio.de";

/// So long before it expires an access token is used no more.
const MARGIN: SignedDuration = SignedDuration::from_mins(5);

/// An access token, for which credentials and address, and until when.
pub(super) struct Access {
    credentials: Token,
    address: Url,
    token: Token,
    until: Timestamp,
}

pub(super) async fn employee<H: Host>(
    vendors: &Vendors<H>,
    address: &Url,
    credentials: &Token,
    id: &str,
) -> Result<Option<Employee>, Failure> {
    let token = access(vendors, address, credentials).await?;
    let ask = async |what: &[&str]| {
        let url = below(address, &[&["v2", "persons", id], what].concat());
        let request = || {
            let request = vendors.http.get(url.clone()).bearer_auth(token.secret());
            request.header("accept", "application/json")
        };
        let heard = vendors.ask(Source::Personio, request).await;
        if matches!(heard, Err(Failure::Retryable { cause: Cause::TokenRefused, .. })) {
            // It may have been revoked: the next attempt gets another.
            *vendors.personio.lock().unwrap_or_else(PoisonError::into_inner) = None;
        }
        heard
    };
    let Heard::Answer(person) = ask(&[]).await? else { return Ok(None) };
    let Heard::Answer(employments) = ask(&["employments"]).await? else { return Ok(None) };
    let all = employments.get("_data").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    let is_active = |employment: &&Value| text(employment.get("status")).as_deref() == Some("ACTIVE");
    // The present one; without it the most recent.
    let employment = all.iter().find(is_active).or(all.first());
    let member = |name: &str| employment.and_then(|employment| employment.get(name));
    Ok(Some(Employee {
        email: email(person.get("email")),
        status: match text(member("status")).as_deref() {
            Some("ACTIVE") => Some(Status::Active),
            Some("INACTIVE") => Some(Status::Terminated),
            Some(_) | None => None,
        },
        started: date(member("employment_start_date")),
        ends: date(member("termination").and_then(|termination| termination.get("termination_date"))),
        tells_end: member("termination").is_some(),
        ..Employee::default()
    }))
}

/// The access token in memory, or a new one.
async fn access<H: Host>(vendors: &Vendors<H>, address: &Url, credentials: &Token) -> Result<Token, Failure> {
    let now = vendors.host.now();
    {
        let known = vendors.personio.lock().unwrap_or_else(PoisonError::into_inner);
        let fits = |known: &&Access| {
            known.credentials == *credentials && known.address == *address && now < known.until - MARGIN
        };
        if let Some(known) = known.as_ref().filter(fits) {
            return Ok(known.token.clone());
        }
    }
    let (id, secret) = credentials.secret().split_once(':').unwrap_or((credentials.secret(), ""));
    let form = [("grant_type", "client_credentials"), ("client_id", id), ("client_secret", secret)];
    let url = below(address, &["v2", "auth", "token"]);
    let body = encoded(&form);
    let request = || {
        let request = vendors.http.post(url.clone()).header("content-type", "application/x-www-form-urlencoded");
        request.header("accept", "application/json").body(body.clone())
    };
    let unanswered = || Failure::retryable(Cause::Unanswered);
    let Heard::Answer(answer) = vendors.ask(Source::Personio, request).await? else { return Err(unanswered()) };
    let token = Token::new(&text(answer.get("access_token")).ok_or_else(unanswered)?);
    let lives = answer.get("expires_in").and_then(Value::as_i64).unwrap_or_default().clamp(0, 86_400);
    let until = now + SignedDuration::from_secs(lives);
    let known = Access { credentials: credentials.clone(), address: address.clone(), token: token.clone(), until };
    *vendors.personio.lock().unwrap_or_else(PoisonError::into_inner) = Some(known);
    Ok(token)
}

/// As a form: reqwest's own is behind a feature that nothing else needs.
fn encoded(form: &[(&str, &str)]) -> String {
    let mut url = match Url::parse(ADDRESS) {
        Ok(url) => url,
        Err(_) => return String::new(),
    };
    url.query_pairs_mut().extend_pairs(form);
    url.query().unwrap_or_default().to_owned()
}
