//! BatchSuspendUser, BatchUnsuspendUser and BatchUpdateUser: HTTP 200, with an entry for each user that failed.

use super::Core;
use super::users::{UserUpdate, entry};
use crate::chime::choices::{
    BatchOnWrongType, Choices, EmptyBatch, EntryOrder, NoUserErrors, RepeatedIds, TeamRemoval, ThrottledEntry,
    UnknownId, UnsuspendUnknown,
};
use crate::chime::faults::{EntryCode, FaultKind};
use crate::chime::http::{ApiError, Response};
use crate::chime::input::{Member, body, not_blank};
use crate::chime::routes::{Operation, Routed};
use crate::chime::state::{AccountState, AccountType, UserProblem};
use serde_json::{Value, json};
use std::collections::BTreeSet;

/// The most ids of a batch. Source: the service model.
const USER_IDS_MOST: usize = 50;

/// The most items of BatchUpdateUser. Source: the service model.
const UPDATES_MOST: usize = 20;

const NOT_HERE: (&str, &str) = ("NotFound", "The user is not in this account");
const WRONG_TYPE: (&str, &str) = ("BadRequest", "The account's type does not allow this");

impl Core {
    pub(super) fn batch_suspend_user(&mut self, routed: &Routed, bytes: &[u8]) -> Result<Response, ApiError> {
        let choices = self.choices.clone();
        let ids = user_ids(bytes, &choices)?;
        let account = self.named_mut(routed)?;
        let is_wrong = account.account.account_type.is_directory();
        wrong_type(is_wrong, &choices)?;
        let kept =
            account.account.account_type == AccountType::Team && choices.team_removal == TeamRemoval::KeptSuspended;
        Ok(each(routed, &choices, &ids, |id| match if kept { account.block(id) } else { account.suspend(id) } {
            Err(UserProblem::NotFound) if choices.unknown_id == UnknownId::Ignored => Ok(()),
            suspended => suspended.map_err(problem),
        }))
    }

    pub(super) fn batch_unsuspend_user(&mut self, routed: &Routed, bytes: &[u8]) -> Result<Response, ApiError> {
        let choices = self.choices.clone();
        let ids = user_ids(bytes, &choices)?;
        let account = self.named_mut(routed)?;
        wrong_type(account.account.account_type != AccountType::EnterpriseLWA, &choices)?;
        Ok(each(routed, &choices, &ids, |id| match account.unsuspend(id) {
            Err(UserProblem::NotFound) if choices.unsuspend_unknown == UnsuspendUnknown::Ignored => Ok(()),
            unsuspended => unsuspended.map_err(problem),
        }))
    }

    pub(super) fn batch_update_user(&mut self, routed: &Routed, bytes: &[u8]) -> Result<Response, ApiError> {
        let choices = self.choices.clone();
        let updates = user_updates(bytes, &choices)?;
        let account = self.named_mut(routed)?;
        let ids: Vec<String> = updates.iter().map(|(id, _)| id.clone()).collect();
        let mut updates = updates.into_iter();
        Ok(each(routed, &choices, &ids, |id| {
            let update = updates.find(|(known, _)| known == id).map(|(_, update)| update);
            update.map_or(Ok(()), |update| relicense(account, id, &update, &choices))
        }))
    }
}

fn relicense(
    account: &mut AccountState,
    id: &str,
    update: &UserUpdate,
    choices: &Choices,
) -> Result<(), (&'static str, &'static str)> {
    if account.user(id).is_none() {
        return if choices.unknown_id == UnknownId::Ignored { Ok(()) } else { Err(NOT_HERE) };
    }
    let checked = update.check(account, choices);
    checked.map_err(|message| ("BadRequest", message))?;
    if let Some(user) = account.user_mut(id) {
        user.license_type = update.license.or(user.license_type);
    }
    Ok(())
}

/// Does it to each user that no fault strikes; answers the entries of those that failed.
fn each(
    routed: &Routed,
    choices: &Choices,
    ids: &[String],
    mut act: impl FnMut(&str) -> Result<(), (&'static str, &'static str)>,
) -> Response {
    let mut entries: Vec<(&String, Value)> = Vec::new();
    for (id, count) in ids.iter().zip(1_u32..) {
        let failed = match struck(routed, choices, count) {
            Some(code) => Some((code, "The service was told to fail here")),
            None => act(id).err(),
        };
        entries.extend(failed.map(|(code, message)| (id, entry(id, code, message))));
    }
    if choices.entry_order == EntryOrder::ById {
        entries.sort_by_key(|(id, _)| *id);
    }
    let entries: Vec<Value> = entries.into_iter().map(|(_, entry)| entry).collect();
    if entries.is_empty() && choices.no_user_errors == NoUserErrors::Absent {
        return Response::ok(json!({}));
    }
    Response::ok(json!({ "UserErrors": entries }))
}

/// The code of the entry that a fault makes of the user of this count.
fn struck(routed: &Routed, choices: &Choices, count: u32) -> Option<&'static str> {
    let throttled = match choices.throttled_entry {
        ThrottledEntry::Throttled => "Throttled",
        ThrottledEntry::Throttling => "Throttling",
    };
    match routed.fault {
        Some(FaultKind::ThrottleUsers) => Some(throttled),
        Some(FaultKind::UserErrors { code, every }) if count.is_multiple_of(every.max(1)) => Some(match code {
            EntryCode::Unauthorized => "Unauthorized",
            EntryCode::Forbidden => "Forbidden",
            EntryCode::NotFound => "NotFound",
            EntryCode::BadRequest => "BadRequest",
            EntryCode::Conflict => "Conflict",
            EntryCode::ServiceFailure => "ServiceFailure",
            EntryCode::ServiceUnavailable => "ServiceUnavailable",
            EntryCode::Unprocessable => "Unprocessable",
            EntryCode::Throttled => throttled,
            EntryCode::PreconditionFailed => "PreconditionFailed",
        }),
        Some(_) | None => None,
    }
}

fn problem(problem: UserProblem) -> (&'static str, &'static str) {
    match problem {
        UserProblem::NotFound => NOT_HERE,
        UserProblem::BadRequest => WRONG_TYPE,
    }
}

fn wrong_type(is_wrong: bool, choices: &Choices) -> Result<(), ApiError> {
    if is_wrong && choices.batch_on_wrong_type == BatchOnWrongType::BadRequest {
        return Err(ApiError::bad_request("AccountType: does not allow this operation"));
    }
    Ok(())
}

/// The ids of a batch, validated whole before anything is done.
fn user_ids(bytes: &[u8], choices: &Choices) -> Result<Vec<String>, ApiError> {
    let value = body(bytes)?;
    let members = Member::root(&value).member("UserIdList").list(USER_IDS_MOST)?;
    let id = |member: &Member<'_>| {
        let text = not_blank(member.path(), member.text()?.unwrap_or_default())?;
        Ok(text.to_owned())
    };
    let mut ids: Vec<String> = members.iter().map(id).collect::<Result<_, ApiError>>()?;
    once("UserIdList", &mut ids, String::as_str, choices)?;
    Ok(ids)
}

/// The items of BatchUpdateUser, validated whole before anything is done.
fn user_updates(bytes: &[u8], choices: &Choices) -> Result<Vec<(String, UserUpdate)>, ApiError> {
    let value = body(bytes)?;
    let mut updates: Vec<(String, UserUpdate)> = Vec::new();
    for item in Member::root(&value).member("UpdateUserRequestItems").list(UPDATES_MOST)? {
        let item = item.object()?;
        let id = item.member("UserId").required()?;
        let text = not_blank(id.path(), id.text()?.unwrap_or_default())?;
        updates.push((text.to_owned(), UserUpdate::read(&item)?));
    }
    once("UpdateUserRequestItems", &mut updates, |(id, _)| id, choices)?;
    Ok(updates)
}

/// Empty lists, and what is there twice.
fn once<T>(name: &str, list: &mut Vec<T>, id: impl Fn(&T) -> &str, choices: &Choices) -> Result<(), ApiError> {
    if list.is_empty() && choices.empty_batch == EmptyBatch::Refused {
        return Err(ApiError::constraint(name, "must have at least 1 member"));
    }
    let mut seen = BTreeSet::new();
    let before = list.len();
    list.retain(|member| seen.insert(id(member).to_owned()));
    if list.len() < before && choices.repeated_ids == RepeatedIds::Refused {
        return Err(ApiError::constraint(name, "must not hold an id twice"));
    }
    Ok(())
}

/// The users that a request names, for the log.
pub(super) fn named_users(routed: &Routed, bytes: &[u8]) -> Vec<String> {
    if let Some(user) = &routed.user {
        return vec![user.clone()];
    }
    let choices = Choices::default();
    match routed.operation {
        Operation::BatchSuspendUser | Operation::BatchUnsuspendUser => user_ids(bytes, &choices).unwrap_or_default(),
        Operation::BatchUpdateUser => {
            user_updates(bytes, &choices).unwrap_or_default().into_iter().map(|(id, _)| id).collect()
        }
        Operation::ListAccounts
        | Operation::CreateAccount
        | Operation::GetAccount
        | Operation::UpdateAccount
        | Operation::DeleteAccount
        | Operation::AssociateSigninDelegateGroupsWithAccount
        | Operation::DisassociateSigninDelegateGroupsFromAccount
        | Operation::GetAccountSettings
        | Operation::UpdateAccountSettings
        | Operation::ListUsers
        | Operation::InviteUsers
        | Operation::CreateUser
        | Operation::GetUser
        | Operation::UpdateUser
        | Operation::LogoutUser
        | Operation::ResetPersonalPIN
        | Operation::GetUserSettings
        | Operation::UpdateUserSettings
        | Operation::GetGlobalSettings
        | Operation::UpdateGlobalSettings => Vec::new(),
    }
}
