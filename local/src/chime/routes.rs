//! Method, path and fixed query to an operation, read strictly.
//!
//! `operation=` decides between operations on one path: a misspelt one must never fall through to another.

use super::choices::{BlankLabel, Choices, ConsolePrefix, LengthHeader, PathLabels, UnknownRequest};
use super::faults::FaultKind;
use super::http::{ApiError, Exception, Request, decode, query};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// The operations of the admin API.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Operation {
    /// `GET /accounts`
    ListAccounts,
    /// `POST /accounts`
    CreateAccount,
    /// `GET /accounts/{accountId}`
    GetAccount,
    /// `POST /accounts/{accountId}`
    UpdateAccount,
    /// `DELETE /accounts/{accountId}`
    DeleteAccount,
    /// `POST /accounts/{accountId}?operation=associate-signin-delegate-groups`
    AssociateSigninDelegateGroupsWithAccount,
    /// `POST /accounts/{accountId}?operation=disassociate-signin-delegate-groups`
    DisassociateSigninDelegateGroupsFromAccount,
    /// `GET /accounts/{accountId}/settings`
    GetAccountSettings,
    /// `PUT /accounts/{accountId}/settings`
    UpdateAccountSettings,
    /// `GET /accounts/{accountId}/users`
    ListUsers,
    /// `POST /accounts/{accountId}/users`
    BatchUpdateUser,
    /// `POST /accounts/{accountId}/users?operation=suspend`
    BatchSuspendUser,
    /// `POST /accounts/{accountId}/users?operation=unsuspend`
    BatchUnsuspendUser,
    /// `POST /accounts/{accountId}/users?operation=add`
    InviteUsers,
    /// `POST /accounts/{accountId}/users?operation=create`
    CreateUser,
    /// `GET /accounts/{accountId}/users/{userId}`
    GetUser,
    /// `POST /accounts/{accountId}/users/{userId}`
    UpdateUser,
    /// `POST /accounts/{accountId}/users/{userId}?operation=logout`
    LogoutUser,
    /// `POST /accounts/{accountId}/users/{userId}?operation=reset-personal-pin`
    ResetPersonalPIN,
    /// `GET /accounts/{accountId}/users/{userId}/settings`
    GetUserSettings,
    /// `PUT /accounts/{accountId}/users/{userId}/settings`
    UpdateUserSettings,
    /// `GET /settings`
    GetGlobalSettings,
    /// `PUT /settings`
    UpdateGlobalSettings,
}

impl Operation {
    /// All of them.
    pub const ALL: [Operation; 23] = [
        Operation::ListAccounts,
        Operation::CreateAccount,
        Operation::GetAccount,
        Operation::UpdateAccount,
        Operation::DeleteAccount,
        Operation::AssociateSigninDelegateGroupsWithAccount,
        Operation::DisassociateSigninDelegateGroupsFromAccount,
        Operation::GetAccountSettings,
        Operation::UpdateAccountSettings,
        Operation::ListUsers,
        Operation::BatchUpdateUser,
        Operation::BatchSuspendUser,
        Operation::BatchUnsuspendUser,
        Operation::InviteUsers,
        Operation::CreateUser,
        Operation::GetUser,
        Operation::UpdateUser,
        Operation::LogoutUser,
        Operation::ResetPersonalPIN,
        Operation::GetUserSettings,
        Operation::UpdateUserSettings,
        Operation::GetGlobalSettings,
        Operation::UpdateGlobalSettings,
    ];

    /// Its answer has `UserErrors`.
    #[must_use]
    pub fn has_entries(self) -> bool {
        matches!(self, Operation::BatchSuspendUser | Operation::BatchUnsuspendUser | Operation::BatchUpdateUser)
    }

    /// Its answer comes in pages.
    #[must_use]
    pub fn has_pages(self) -> bool {
        matches!(self, Operation::ListAccounts | Operation::ListUsers)
    }
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
    /// The fault that bends the operation itself.
    pub fault: Option<FaultKind>,
}

impl Routed {
    /// A member of the query.
    #[must_use]
    pub fn asked(&self, name: &str) -> Option<&str> {
        self.query.get(name).map(String::as_str)
    }

    /// The request is for a later page.
    #[must_use]
    pub fn has_token(&self) -> bool {
        self.asked("next-token").is_some_and(|token| !token.is_empty())
    }
}

/// Finds the operation of a request.
///
/// # Errors
/// Refused: a blank label, and what is no operation of this API.
pub fn route(request: &Request, choices: &Choices) -> Result<Routed, ApiError> {
    let query = query(&request.query);
    let segments = segments(request, choices);
    let segments: Vec<&str> = segments.iter().map(String::as_str).collect();
    let fixed = query.get("operation").map(String::as_str);
    let operation = match (request.method.as_str(), segments.as_slice(), fixed) {
        ("GET", ["accounts"], None) => Operation::ListAccounts,
        ("POST", ["accounts"], None) => Operation::CreateAccount,
        ("GET", ["accounts", _], None) => Operation::GetAccount,
        ("POST", ["accounts", _], None) => Operation::UpdateAccount,
        ("DELETE", ["accounts", _], None) => Operation::DeleteAccount,
        ("POST", ["accounts", _], Some("associate-signin-delegate-groups")) => {
            Operation::AssociateSigninDelegateGroupsWithAccount
        }
        ("POST", ["accounts", _], Some("disassociate-signin-delegate-groups")) => {
            Operation::DisassociateSigninDelegateGroupsFromAccount
        }
        ("GET", ["accounts", _, "settings"], None) => Operation::GetAccountSettings,
        ("PUT", ["accounts", _, "settings"], None) => Operation::UpdateAccountSettings,
        ("GET", ["accounts", _, "users"], None) => Operation::ListUsers,
        ("POST", ["accounts", _, "users"], None) => Operation::BatchUpdateUser,
        ("POST", ["accounts", _, "users"], Some("suspend")) => Operation::BatchSuspendUser,
        ("POST", ["accounts", _, "users"], Some("unsuspend")) => Operation::BatchUnsuspendUser,
        ("POST", ["accounts", _, "users"], Some("add")) => Operation::InviteUsers,
        ("POST", ["accounts", _, "users"], Some("create")) => Operation::CreateUser,
        ("GET", ["accounts", _, "users", _], None) => Operation::GetUser,
        ("POST", ["accounts", _, "users", _], None) => Operation::UpdateUser,
        ("POST", ["accounts", _, "users", _], Some("logout")) => Operation::LogoutUser,
        ("POST", ["accounts", _, "users", _], Some("reset-personal-pin")) => Operation::ResetPersonalPIN,
        ("GET", ["accounts", _, "users", _, "settings"], None) => Operation::GetUserSettings,
        ("PUT", ["accounts", _, "users", _, "settings"], None) => Operation::UpdateUserSettings,
        ("GET", ["settings"], None) => Operation::GetGlobalSettings,
        ("PUT", ["settings"], None) => Operation::UpdateGlobalSettings,
        _ => return Err(unknown(choices)),
    };
    if choices.length_header == LengthHeader::Required && request.method == "POST" && !request.has_length {
        return Err(ApiError::new(Exception::LengthRequired, "Content-Length is required"));
    }
    let label = |index: usize, name: &str| match segments.get(index) {
        Some(label) if label.trim().is_empty() => Err(blank(name, choices)),
        label => Ok(label.map(|label| (*label).to_owned())),
    };
    Ok(Routed { operation, account: label(1, "AccountId")?, user: label(3, "UserId")?, query, fault: None })
}

fn segments(request: &Request, choices: &Choices) -> Vec<String> {
    let path = match choices.console_prefix {
        // SDKs of 2018 and 2019 sent this prefix.
        ConsolePrefix::Accepted => {
            request.path.strip_prefix("/console").filter(|path| path.starts_with('/')).unwrap_or(&request.path)
        }
        ConsolePrefix::Refused => &request.path,
    };
    match choices.path_labels {
        PathLabels::SplitFirst => path.split('/').skip(1).map(decode).collect(),
        PathLabels::DecodeFirst => decode(path).split('/').skip(1).map(str::to_owned).collect(),
    }
}

fn unknown(choices: &Choices) -> ApiError {
    let exception = match choices.unknown_request {
        UnknownRequest::BadRequest => Exception::BadRequest,
        UnknownRequest::NotFound => Exception::NotFound,
    };
    ApiError::new(exception, "no operation of this API has this method, path and query")
}

fn blank(name: &str, choices: &Choices) -> ApiError {
    let exception = match choices.blank_label {
        BlankLabel::BadRequest => Exception::BadRequest,
        BlankLabel::NotFound => Exception::NotFound,
    };
    ApiError::new(exception, format!("{name}: must not be blank"))
}
