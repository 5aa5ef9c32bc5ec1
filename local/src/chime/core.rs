//! The service without a network: a request in, a reply out.

use super::calls::{Call, CallOutcome};
use super::faults::{Fault, FaultKind, Faults};
use super::http::{ApiError, Exception, Reply, Request, Response};
use super::routes::{Operation, Routed, route};
use super::state::{AccountState, User, UserProblem};
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// Users of a page, where the request does not say. Source: the service model.
const PAGE_DEFAULT: usize = 100;

/// The most users of a page. Source: the service model.
const PAGE_MOST: usize = 200;

/// The most ids of one BatchSuspendUser. Source: the service model.
const USER_IDS_MOST: usize = 50;

/// Accounts, the log of calls, and the faults to come.
#[derive(Debug, Default)]
pub struct Core {
    accounts: BTreeMap<String, AccountState>,
    order: Vec<String>,
    calls: Vec<Call>,
    faults: Faults,
    pins: u64,
}

impl Core {
    /// A service with these accounts, in this order.
    #[must_use]
    pub fn new(accounts: Vec<AccountState>) -> Core {
        let order = accounts.iter().map(|state| state.account.account_id.clone()).collect();
        let accounts = accounts.into_iter().map(|state| (state.account.account_id.clone(), state)).collect();
        Core { accounts, order, ..Core::default() }
    }

    /// An account.
    #[must_use]
    pub fn account(&self, id: &str) -> Option<&AccountState> {
        self.accounts.get(id)
    }

    /// An account, to change: what an administrator does in the console.
    pub fn account_mut(&mut self, id: &str) -> Option<&mut AccountState> {
        self.accounts.get_mut(id)
    }

    /// The accounts, in the order they came.
    pub fn accounts(&self) -> impl Iterator<Item = &AccountState> {
        self.order.iter().filter_map(|id| self.accounts.get(id))
    }

    /// The calls so far.
    #[must_use]
    pub fn calls(&self) -> &[Call] {
        &self.calls
    }

    /// Forgets the calls so far.
    pub fn forget_calls(&mut self) {
        self.calls.clear();
    }

    /// Arms a fault.
    pub fn arm(&mut self, fault: Fault) {
        self.faults.arm(fault);
    }

    /// The faults that did not strike yet.
    #[must_use]
    pub fn armed(&self) -> &[Fault] {
        self.faults.armed()
    }

    /// Answers one request.
    pub fn answer(&mut self, request: &Request) -> Reply {
        let routed = signed_for_chime(request).and_then(|()| route(request));
        let fault = routed.as_ref().ok().and_then(|routed| self.faults.strike(routed.operation));
        let users = routed.as_ref().map(|routed| users_of(routed, &request.body)).unwrap_or_default();
        let (reply, took_effect) = match (&routed, fault) {
            (Err(error), _) => (Reply::Answer(error.response()), false),
            (Ok(routed), None) => self.carry_out(routed, &request.body),
            (Ok(routed), Some(FaultKind::LostAnswer)) => {
                let (_, took_effect) = self.carry_out(routed, &request.body);
                (Reply::Cut, took_effect)
            }
            (Ok(_), Some(kind)) => (struck(kind, &users), false),
        };
        self.log(request, routed.as_ref().ok(), users, &reply, took_effect);
        reply
    }

    fn carry_out(&mut self, routed: &Routed, body: &[u8]) -> (Reply, bool) {
        match self.operate(routed, body) {
            Ok(response) => (Reply::Answer(response), true),
            Err(error) => (Reply::Answer(error.response()), false),
        }
    }

    fn operate(&mut self, routed: &Routed, body: &[u8]) -> Result<Response, ApiError> {
        match routed.operation {
            Operation::ListAccounts => self.list_accounts(routed),
            Operation::GetAccount => Ok(Response::ok(json!({ "Account": self.named(routed)?.account }))),
            Operation::ListUsers => list_users(self.named(routed)?, routed),
            Operation::GetUser => {
                let user = self.named(routed)?.user(user_id(routed)).ok_or_else(no_user)?;
                Ok(Response::ok(json!({ "User": user })))
            }
            Operation::BatchSuspendUser => {
                let ids = user_id_list(body)?;
                let account = self.named_mut(routed)?;
                let errors: Vec<Value> = ids
                    .iter()
                    .filter_map(|id| account.suspend(id).err().map(|problem| user_error(id, problem)))
                    .collect();
                Ok(Response::ok(json!({ "UserErrors": errors })))
            }
            Operation::LogoutUser => {
                let user = self.named_mut(routed)?.user_mut(user_id(routed)).ok_or_else(no_user)?;
                user.sessions = 0;
                Ok(Response::no_content())
            }
            Operation::ResetPersonalPIN => {
                self.pins += 1;
                let pin = format!("{:010}", (self.pins * 7_919 + 1_234_567_891) % 10_000_000_000);
                let user = self.named_mut(routed)?.user_mut(user_id(routed)).ok_or_else(no_user)?;
                user.personal_pin = Some(pin);
                Ok(Response::ok(json!({ "User": user })))
            }
        }
    }

    fn named(&self, routed: &Routed) -> Result<&AccountState, ApiError> {
        self.accounts.get(routed.account.as_deref().unwrap_or_default()).ok_or_else(no_account)
    }

    fn named_mut(&mut self, routed: &Routed) -> Result<&mut AccountState, ApiError> {
        self.accounts.get_mut(routed.account.as_deref().unwrap_or_default()).ok_or_else(no_account)
    }

    fn list_accounts(&self, routed: &Routed) -> Result<Response, ApiError> {
        let name = routed.query.get("name").map(|name| name.to_lowercase());
        let email = routed.query.get("user-email");
        let matching: Vec<&AccountState> = self
            .accounts()
            .filter(|state| name.as_ref().is_none_or(|name| state.account.name.to_lowercase().starts_with(name)))
            .filter(|state| email.is_none_or(|email| state.by_email(email).is_some()))
            .collect();
        let page = Page::of(routed)?;
        let from = usize::try_from(page.from).unwrap_or(usize::MAX);
        let shown: Vec<Value> = matching.iter().skip(from).take(page.size).map(|state| json!(state.account)).collect();
        let next = (from + shown.len() < matching.len()).then(|| page.token((from + shown.len()) as u64));
        Ok(Response::ok(json!({ "Accounts": shown, "NextToken": next })))
    }

    fn log(
        &mut self,
        request: &Request,
        routed: Option<&Routed>,
        users: Vec<String>,
        reply: &Reply,
        took_effect: bool,
    ) {
        let outcome = match reply {
            Reply::Cut => CallOutcome { status: None, error: None, user_errors: 0, took_effect },
            Reply::Answer(response) => CallOutcome {
                status: Some(response.status),
                error: response.error_type,
                user_errors: response.body.as_ref().and_then(|body| body["UserErrors"].as_array()).map_or(0, Vec::len),
                took_effect,
            },
        };
        self.calls.push(Call {
            number: self.calls.len() as u64 + 1,
            operation: routed.map(|routed| routed.operation),
            account: routed.and_then(|routed| routed.account.clone()),
            users,
            access_key: request.authorization.as_deref().and_then(scope).map(|scope| scope.0.to_owned()),
            outcome,
        });
    }
}

/// One page of a listing: where it starts, and how much it shows.
struct Page {
    from: u64,
    size: usize,
}

impl Page {
    /// The token carries the page size, because AWS's own samples send it without `max-results`.
    fn of(routed: &Routed) -> Result<Page, ApiError> {
        let size = match routed.query.get("max-results").map(|size| size.parse::<usize>()) {
            None => None,
            Some(Ok(size)) if (1..=PAGE_MOST).contains(&size) => Some(size),
            Some(_) => return Err(ApiError::bad_request(format!("max-results must be 1 to {PAGE_MOST}"))),
        };
        let Some(token) = routed.query.get("next-token").filter(|token| !token.is_empty()) else {
            return Ok(Page { from: 0, size: size.unwrap_or(PAGE_DEFAULT) });
        };
        let parts: Option<Vec<u64>> = token
            .strip_prefix("v1-")
            .map(|token| token.split('-').filter_map(|part| u64::from_str_radix(part, 16).ok()).collect());
        match parts.as_deref() {
            Some([from, carried, sum]) if *sum == checksum(*from, *carried) => {
                let carried = usize::try_from(*carried).unwrap_or(PAGE_DEFAULT);
                Ok(Page { from: *from, size: size.unwrap_or(carried) })
            }
            Some(_) | None => Err(ApiError::bad_request("next-token is not one that this service gave")),
        }
    }

    fn token(&self, next: u64) -> String {
        let size = self.size as u64;
        format!("v1-{next:x}-{size:x}-{:x}", checksum(next, size))
    }
}

fn checksum(from: u64, size: u64) -> u64 {
    (from.wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ size.wrapping_mul(0xc2b2_ae3d_27d4_eb4f)) >> 32
}

fn list_users(account: &AccountState, routed: &Routed) -> Result<Response, ApiError> {
    let page = Page::of(routed)?;
    if let Some(email) = routed.query.get("user-email") {
        let users: Vec<Value> = account.by_email(email).map(listed).into_iter().collect();
        return Ok(Response::ok(json!({ "Users": users, "NextToken": null })));
    }
    let mut rest = account.users_from(page.from);
    let users: Vec<Value> = rest.by_ref().take(page.size).map(|(_, user)| listed(user)).collect();
    let next = rest.next().map(|(position, _)| page.token(position));
    Ok(Response::ok(json!({ "Users": users, "NextToken": next })))
}

/// A user as a listing shows it: without its PIN.
fn listed(user: &User) -> Value {
    let mut value = json!(user);
    value["PersonalPIN"] = Value::Null;
    value
}

fn user_id(routed: &Routed) -> &str {
    routed.user.as_deref().unwrap_or_default()
}

fn user_error(id: &str, problem: UserProblem) -> Value {
    let (code, message) = match problem {
        UserProblem::NotFound => ("NotFound", "The user is not in this account"),
        UserProblem::BadRequest => ("BadRequest", "The account's type does not allow this"),
    };
    json!({ "UserId": id, "ErrorCode": code, "ErrorMessage": message })
}

fn no_account() -> ApiError {
    ApiError::new(Exception::NotFound, "There is no such account")
}

fn no_user() -> ApiError {
    ApiError::new(Exception::NotFound, "The user is not in this account")
}

/// The ids of a batch, validated whole before anything is done.
fn user_id_list(body: &[u8]) -> Result<Vec<String>, ApiError> {
    let body: Value = serde_json::from_slice(body).map_err(|_| ApiError::bad_request("the body must be JSON"))?;
    let ids = body.get("UserIdList").and_then(Value::as_array);
    let ids = ids.ok_or_else(|| ApiError::bad_request("UserIdList is required, and must be a list"))?;
    if ids.len() > USER_IDS_MOST {
        return Err(ApiError::bad_request(format!("UserIdList must have at most {USER_IDS_MOST} members")));
    }
    let id = |id: &Value| {
        let text = id.as_str().filter(|text| !text.trim().is_empty());
        text.map(str::to_owned).ok_or_else(|| ApiError::bad_request("UserIdList must hold ids that are not blank"))
    };
    let mut ids: Vec<String> = ids.iter().map(id).collect::<Result<_, _>>()?;
    // An id that is there twice is applied once.
    let mut seen = std::collections::BTreeSet::new();
    ids.retain(|id| seen.insert(id.clone()));
    Ok(ids)
}

/// The users that a request names, for the log.
fn users_of(routed: &Routed, body: &[u8]) -> Vec<String> {
    match &routed.user {
        Some(user) => vec![user.clone()],
        None => user_id_list(body).unwrap_or_default(),
    }
}

/// Access key and service name of a credential scope.
fn scope(authorization: &str) -> Option<(&str, &str)> {
    let credential = authorization.split_once("Credential=")?.1.split([',', ' ']).next()?;
    let mut parts = credential.split('/');
    let (key, service) = (parts.next()?, parts.nth(2)?);
    Some((key, service))
}

/// Any key and any region is taken, but the signature must be meant for Chime.
fn signed_for_chime(request: &Request) -> Result<(), ApiError> {
    match request.authorization.as_deref().map(scope) {
        None => Ok(()),
        Some(Some((_, "chime"))) => Ok(()),
        Some(_) => Err(ApiError::new(
            Exception::Forbidden,
            "AWS authorization failed: the signature is not for the service chime",
        )),
    }
}

fn struck(kind: FaultKind, users: &[String]) -> Reply {
    let error = |exception, message: &str| Reply::Answer(ApiError::new(exception, message).response());
    match kind {
        FaultKind::Throttle => error(Exception::Throttled, "Too many requests"),
        FaultKind::ThrottleUsers => {
            let entry =
                |id: &String| json!({ "UserId": id, "ErrorCode": "Throttled", "ErrorMessage": "Too many requests" });
            Reply::Answer(Response::ok(json!({ "UserErrors": users.iter().map(entry).collect::<Vec<_>>() })))
        }
        FaultKind::ServiceFailure => error(Exception::ServiceFailure, "The service failed"),
        FaultKind::ServiceUnavailable => error(Exception::ServiceUnavailable, "The service is not available"),
        FaultKind::Forbidden => error(Exception::Forbidden, "AWS authorization failed"),
        FaultKind::CutBefore | FaultKind::LostAnswer => Reply::Cut,
    }
}
