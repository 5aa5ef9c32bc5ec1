//! Method, path and fixed query to an operation, read strictly.
//!
//! `operation=` decides between operations on one path: a misspelt one must never fall through to another.

use super::http::{ApiError, Request, decode, query};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// The operations of the admin API that the local Chime serves.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Operation {
    /// `GET /accounts`
    ListAccounts,
    /// `GET /accounts/{accountId}`
    GetAccount,
    /// `GET /accounts/{accountId}/users`
    ListUsers,
    /// `GET /accounts/{accountId}/users/{userId}`
    GetUser,
    /// `POST /accounts/{accountId}/users?operation=suspend`
    BatchSuspendUser,
    /// `POST /accounts/{accountId}/users/{userId}?operation=logout`
    LogoutUser,
    /// `POST /accounts/{accountId}/users/{userId}?operation=reset-personal-pin`
    ResetPersonalPIN,
}

/// A request whose operation is known.
#[derive(Clone, Debug)]
pub struct Routed {
    /// The operation.
    pub operation: Operation,
    /// The account, where the path has one.
    pub account: Option<String>,
    /// The user, where the path has one.
    pub user: Option<String>,
    /// The query, decoded.
    pub query: BTreeMap<String, String>,
}

/// Finds the operation of a request.
///
/// # Errors
/// 400 for a blank label or an unknown `operation`; 404's wording for a path that is none of the API's.
pub fn route(request: &Request) -> Result<Routed, ApiError> {
    let query = query(&request.query);
    // SDKs of 2018 and 2019 sent this prefix.
    let path = request.path.strip_prefix("/console").unwrap_or(&request.path);
    let segments: Vec<String> = path.split('/').skip(1).map(decode).collect();
    let segments: Vec<&str> = segments.iter().map(String::as_str).collect();
    let fixed = query.get("operation").map(String::as_str);
    let method = request.method.as_str();
    let operation = match (method, segments.as_slice(), fixed) {
        ("GET", ["accounts"], None) => Operation::ListAccounts,
        ("GET", ["accounts", _], None) => Operation::GetAccount,
        ("GET", ["accounts", _, "users"], None) => Operation::ListUsers,
        ("GET", ["accounts", _, "users", _], None) => Operation::GetUser,
        ("POST", ["accounts", _, "users"], Some("suspend")) => Operation::BatchSuspendUser,
        ("POST", ["accounts", _, "users", _], Some("logout")) => Operation::LogoutUser,
        ("POST", ["accounts", _, "users", _], Some("reset-personal-pin")) => Operation::ResetPersonalPIN,
        _ => {
            return Err(ApiError::bad_request(format!(
                "no operation of this API has this method, path and query ({method})"
            )));
        }
    };
    let label = |index: usize, name: &str| match segments.get(index) {
        Some(label) if label.trim().is_empty() => Err(ApiError::bad_request(format!("{name} must not be blank"))),
        label => Ok(label.map(|label| (*label).to_owned())),
    };
    Ok(Routed { operation, account: label(1, "accountId")?, user: label(3, "userId")?, query })
}
