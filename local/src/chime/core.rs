//! The service without a network: a request in, a reply out.

mod access;
mod accounts;
mod batches;
mod hooks;
mod lists;
mod users;
mod wire;

pub use hooks::HookError;

use super::auth::{Signer, signer};
use super::calls::{CallLog, CallOutcome};
use super::choices::{BrokenConstraint, Choices, ErrorHeader, UnknownAccount};
use super::clock::Clock;
use super::faults::{FaultKind, Faults};
use super::http::{ApiError, Exception, Reply, Request, Response};
use super::pages::Tokens;
use super::random::Random;
use super::routes::{Operation, Routed, route};
use super::state::{AccountState, GlobalSettings, Moment};
use serde_json::json;
use std::collections::{BTreeMap, HashMap};
use std::time::Duration;

/// The first page token of a service comes from this number. Nothing is secret about it.
const TOKEN_SEED: u64 = 0x6368_696d_6500_0001;

/// Accounts, choices, the log of calls, and the faults to come.
#[derive(Debug)]
pub struct Core {
    state: State,
    choices: Choices,
    clock: Clock,
    log: CallLog,
    faults: Faults,
    tokens: Tokens,
    /// The second that is counted, and its requests.
    second: (i64, u32),
}

/// What the operations change: all that a snapshot holds.
#[derive(Clone, Debug, Default)]
struct State {
    accounts: BTreeMap<u64, AccountState>,
    by_id: HashMap<String, u64>,
    next: u64,
    global: GlobalSettings,
    pins: u64,
    random: Random,
}

/// A state to come back to. It holds no log, no faults, no choices and no clock.
#[derive(Clone, Debug)]
pub struct Snapshot(State);

impl Default for Core {
    fn default() -> Core {
        Core::new(Vec::new())
    }
}

impl Core {
    /// A service with these accounts, in this order. Of accounts with the same id the last is kept.
    #[must_use]
    pub fn new(accounts: Vec<AccountState>) -> Core {
        let mut state = State::default();
        for account in accounts {
            state.put(account);
        }
        Core {
            state,
            choices: Choices::default(),
            clock: Clock::default(),
            log: CallLog::default(),
            faults: Faults::default(),
            tokens: Tokens::new(TOKEN_SEED),
            second: (0, 0),
        }
    }

    /// Answers one request.
    pub fn answer(&mut self, request: &Request) -> Reply {
        let signer = signer(request, &self.choices);
        let routed = self.admit(request, signer.as_ref());
        let (users, access_key) = (
            routed.as_ref().map(|routed| batches::named_users(routed, &request.body)).unwrap_or_default(),
            signer.ok().flatten().map(|signer| signer.access_key),
        );
        let (reply, took_effect) = match &routed {
            Err(error) => (self.refusal(error), false),
            Ok(routed) => self.reply(routed, &request.body),
        };
        let outcome = CallOutcome::of(&reply, took_effect);
        let known = route(request, &self.choices).ok();
        self.log.note(self.clock.now(), known.as_ref(), users, access_key, outcome);
        reply
    }

    /// Answers one request under an id, which the log keeps.
    pub fn answer_as(&mut self, request: &Request, id: &str) -> Reply {
        let reply = self.answer(request);
        self.log.name_last(id);
        reply
    }

    /// What is asked for, and the fault that strikes it; refused before anything else: whom the service does not serve.
    fn admit(&mut self, request: &Request, signer: Result<&Option<Signer>, &ApiError>) -> Result<Routed, ApiError> {
        if self.choices.after_end_of_support {
            return Err(ApiError::new(Exception::Forbidden, "Support for the Amazon Chime application has ended"));
        }
        signer.map_err(Clone::clone)?;
        let mut routed = route(request, &self.choices)?;
        if self.is_over_the_rate() {
            return Err(ApiError::new(Exception::Throttled, "Too many requests"));
        }
        routed.fault = self.faults.strike(&routed);
        Ok(routed)
    }

    fn is_over_the_rate(&mut self) -> bool {
        let second = self.clock.now().millis().div_euclid(1000);
        if self.second.0 != second {
            self.second = (second, 0);
        }
        self.second.1 = self.second.1.saturating_add(1);
        self.choices.requests_per_second.is_some_and(|most| self.second.1 > most)
    }

    fn reply(&mut self, routed: &Routed, body: &[u8]) -> (Reply, bool) {
        if let Some(error) = routed.fault.and_then(|fault| struck(fault, routed)) {
            return (self.refusal(&error), false);
        }
        if routed.fault == Some(FaultKind::CutBefore) {
            return (Reply::Cut, false);
        }
        let (response, took_effect) = match self.operate(routed, body) {
            Ok(response) => (response, routed.fault != Some(FaultKind::ThrottleUsers)),
            Err(error) => return (self.refusal(&error), false),
        };
        match routed.fault {
            Some(FaultKind::LostAnswer) => (Reply::Cut, took_effect),
            Some(FaultKind::Slow { millis }) => {
                (Reply::Late(Duration::from_millis(u64::from(millis)), response), took_effect)
            }
            Some(_) | None => (Reply::Answer(response), took_effect),
        }
    }

    fn refusal(&self, error: &ApiError) -> Reply {
        let mut error = error.clone();
        if error.exception == Exception::Validation
            && self.choices.broken_constraint == BrokenConstraint::BadRequestException
        {
            error.exception = Exception::BadRequest;
        }
        if error == no_account() && self.choices.unknown_account == UnknownAccount::Forbidden {
            error.exception = Exception::Forbidden;
        }
        let mut response = error.response();
        if self.choices.error_header == ErrorHeader::Omitted {
            response.error_type = None;
        }
        Reply::Answer(response)
    }

    fn operate(&mut self, routed: &Routed, body: &[u8]) -> Result<Response, ApiError> {
        match routed.operation {
            Operation::ListAccounts => self.list_accounts(routed),
            Operation::CreateAccount => self.create_account(body),
            Operation::GetAccount => self.get_account(routed),
            Operation::UpdateAccount => self.update_account(routed, body),
            Operation::DeleteAccount => self.delete_account(routed),
            Operation::AssociateSigninDelegateGroupsWithAccount => self.associate_groups(routed, body),
            Operation::DisassociateSigninDelegateGroupsFromAccount => self.disassociate_groups(routed, body),
            Operation::GetAccountSettings => {
                Ok(Response::ok(json!({ "AccountSettings": self.named(routed)?.settings })))
            }
            Operation::UpdateAccountSettings => self.update_account_settings(routed, body),
            Operation::ListUsers => self.list_users(routed),
            Operation::BatchUpdateUser => self.batch_update_user(routed, body),
            Operation::BatchSuspendUser => self.batch_suspend_user(routed, body),
            Operation::BatchUnsuspendUser => self.batch_unsuspend_user(routed, body),
            Operation::InviteUsers => self.invite_users(routed, body),
            Operation::CreateUser => self.create_user(routed, body),
            Operation::GetUser => {
                let user = self.named(routed)?.user(user_id(routed)).ok_or_else(no_user)?;
                Ok(Response::ok(json!({ "User": wire::user(user, &self.choices) })))
            }
            Operation::UpdateUser => self.update_user(routed, body),
            Operation::LogoutUser => self.logout_user(routed),
            Operation::ResetPersonalPIN => self.reset_personal_pin(routed),
            Operation::GetUserSettings => {
                let user = self.named(routed)?.user(user_id(routed)).ok_or_else(no_user)?;
                Ok(Response::ok(json!({ "UserSettings": { "Telephony": user.telephony } })))
            }
            Operation::UpdateUserSettings => self.update_user_settings(routed, body),
            Operation::GetGlobalSettings => Ok(Response::ok(json!(self.state.global))),
            Operation::UpdateGlobalSettings => self.update_global_settings(body),
        }
    }

    fn named(&self, routed: &Routed) -> Result<&AccountState, ApiError> {
        self.account(routed.account.as_deref().unwrap_or_default()).ok_or_else(no_account)
    }

    fn named_mut(&mut self, routed: &Routed) -> Result<&mut AccountState, ApiError> {
        self.account_mut(routed.account.as_deref().unwrap_or_default()).ok_or_else(no_account)
    }

    /// The next meeting PIN: ten digits, never the one before.
    fn pin(&mut self) -> String {
        self.state.pins += 1;
        format!("{:010}", (self.state.pins * 7_919 + 1_234_567_891) % 10_000_000_000)
    }

    fn now(&self) -> Moment {
        self.clock.now()
    }
}

impl State {
    fn put(&mut self, account: AccountState) {
        let id = account.account.account_id.clone();
        let position = *self.by_id.entry(id).or_insert(self.next);
        self.next += 1;
        self.accounts.insert(position, account);
    }

    fn take(&mut self, id: &str) -> Option<AccountState> {
        self.accounts.remove(&self.by_id.remove(id)?)
    }
}

fn user_id(routed: &Routed) -> &str {
    routed.user.as_deref().unwrap_or_default()
}

fn no_account() -> ApiError {
    ApiError::new(Exception::NotFound, "There is no such account")
}

fn no_user() -> ApiError {
    ApiError::new(Exception::NotFound, "The user is not in this account")
}

/// The error that a fault answers in place of the operation.
fn struck(kind: FaultKind, routed: &Routed) -> Option<ApiError> {
    let (exception, message) = match kind {
        FaultKind::Throttle => (Exception::Throttled, "Too many requests"),
        FaultKind::ServiceFailure => (Exception::ServiceFailure, "The service failed"),
        FaultKind::PageFails => (Exception::ServiceFailure, "The page failed"),
        FaultKind::ServiceUnavailable => (Exception::ServiceUnavailable, "The service is not available"),
        FaultKind::BadRequest => (Exception::BadRequest, "Service received a bad request"),
        FaultKind::Unauthorized => (Exception::Unauthorized, "The client is not authorized"),
        FaultKind::Forbidden => (Exception::Forbidden, "AWS authorization failed"),
        FaultKind::NotFound => (Exception::NotFound, "There is no such thing"),
        FaultKind::Conflict => (Exception::Conflict, "Request could not be completed due to a conflict"),
        FaultKind::Unprocessable => (Exception::Unprocessable, "The request cannot be processed"),
        // Where there are no entries, the whole request is throttled.
        FaultKind::ThrottleUsers if !routed.operation.has_entries() => (Exception::Throttled, "Too many requests"),
        FaultKind::ThrottleUsers
        | FaultKind::UserErrors { .. }
        | FaultKind::Slow { .. }
        | FaultKind::CutBefore
        | FaultKind::LostAnswer
        | FaultKind::ListShrinks { .. }
        | FaultKind::ListReorders
        | FaultKind::TokenExpired
        | FaultKind::TokenForged => return None,
    };
    Some(ApiError::new(exception, message))
}
