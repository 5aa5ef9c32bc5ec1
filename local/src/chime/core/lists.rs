//! ListAccounts and ListUsers.

use super::{Core, no_account, wire};
use crate::chime::choices::{AccountsOfNobody, BothFilters, Choices, EmailFilter, NameFilter};
use crate::chime::faults::FaultKind;
use crate::chime::http::{ApiError, Exception, Response};
use crate::chime::input::{account_name, address, word};
use crate::chime::pages::Page;
use crate::chime::routes::Routed;
use crate::chime::state::{AccountState, User, UserType};
use serde_json::{Value, json};

impl Core {
    pub(super) fn list_accounts(&mut self, routed: &Routed) -> Result<Response, ApiError> {
        let email = routed.asked("user-email").map(|email| address("UserEmail", email)).transpose()?;
        let name = routed.asked("name").map(|name| account_name("Name", name)).transpose()?;
        let page = self.tokens.page(routed, &self.choices)?;
        let choices = &self.choices;
        let name = name.filter(|_| email.is_none() || choices.both_filters == BothFilters::And);
        let fits = |state: &AccountState| {
            name.is_none_or(|name| has_prefix(&state.account.name, name, choices))
                && email.is_none_or(|email| by_email(state, email, choices).is_some())
        };
        let accounts = &self.state.accounts;
        if email.is_some() && choices.accounts_of_nobody == AccountsOfNobody::NotFound && !accounts.values().any(fits) {
            return Err(ApiError::new(Exception::NotFound, "No account has this user"));
        }
        let positions = |from: u64, down: bool| -> Box<dyn Iterator<Item = (u64, &AccountState)>> {
            if down {
                Box::new(accounts.range(..=from).rev().map(|(position, state)| (*position, state)))
            } else {
                Box::new(accounts.range(from..).map(|(position, state)| (*position, state)))
            }
        };
        let (shown, next) =
            slice(routed, page, |from, down| Box::new(positions(from, down).filter(|(_, state)| fits(state))));
        let shown: Vec<Value> = shown.into_iter().map(|state| wire::account(state, choices)).collect();
        let token = next.map(|from| self.tokens.give(routed, page, from));
        Ok(Response::ok(json!({ "Accounts": shown, "NextToken": token })))
    }

    pub(super) fn list_users(&mut self, routed: &Routed) -> Result<Response, ApiError> {
        let email = routed.asked("user-email").map(|email| address("UserEmail", email)).transpose()?;
        let kind: Option<UserType> = routed.asked("user-type").map(|kind| word("UserType", kind)).transpose()?;
        let id = routed.account.as_deref().unwrap_or_default();
        let account = self.state.by_id.get(id).and_then(|position| self.state.accounts.get(position));
        let account = account.ok_or_else(no_account)?;
        let page = self.tokens.page(routed, &self.choices)?;
        let choices = &self.choices;
        let fits = |user: &User| kind.is_none_or(|kind| user.user_type == Some(kind));
        if let Some(email) = email {
            let users: Vec<Value> = by_email(account, email, choices)
                .filter(|user| fits(user))
                .map(|user| wire::listed(user, choices))
                .into_iter()
                .collect();
            return Ok(Response::ok(json!({ "Users": users, "NextToken": null })));
        }
        let (shown, next) = slice(routed, page, |from, down| -> Positions<'_, User> {
            if down {
                Box::new(account.users_down_from(from).filter(|(_, user)| fits(user)))
            } else {
                Box::new(account.users_from(from).filter(|(_, user)| fits(user)))
            }
        });
        let users: Vec<Value> = shown.into_iter().map(|user| wire::listed(user, choices)).collect();
        let token = next.map(|from| self.tokens.give(routed, page, from));
        Ok(Response::ok(json!({ "Users": users, "NextToken": token })))
    }
}

type Positions<'a, T> = Box<dyn Iterator<Item = (u64, &'a T)> + 'a>;

/// What one page shows, and the position of the next.
fn slice<'a, T>(
    routed: &Routed,
    page: Page,
    list: impl Fn(u64, bool) -> Positions<'a, T>,
) -> (Vec<&'a T>, Option<u64>) {
    if let (Some(FaultKind::ListReorders), Some(from)) = (routed.fault, page.from) {
        // The listing goes on as if this page had been shown, so its members come never, and others twice.
        let shown = list(from, page.newest_first).take(page.size).map(|(_, member)| member).collect();
        let next = list(from, !page.newest_first).nth(page.size).map(|(position, _)| position);
        return (shown, next);
    }
    let start = page.from.unwrap_or(if page.newest_first { u64::MAX } else { 0 });
    let mut rest = list(start, page.newest_first).skip(page.skip);
    let shown = rest.by_ref().take(page.size).map(|(_, member)| member).collect();
    (shown, rest.next().map(|(position, _)| position))
}

fn by_email<'a>(account: &'a AccountState, email: &str, choices: &Choices) -> Option<&'a User> {
    let user = account.by_email(email)?;
    match choices.email_filter {
        EmailFilter::IgnoreCase => Some(user),
        EmailFilter::Exact => Some(user).filter(|user| user.primary_email.as_deref() == Some(email)),
    }
}

fn has_prefix(name: &str, prefix: &str, choices: &Choices) -> bool {
    match choices.name_filter {
        NameFilter::IgnoreCase => name.to_lowercase().starts_with(&prefix.to_lowercase()),
        NameFilter::Exact => name.starts_with(prefix),
    }
}
