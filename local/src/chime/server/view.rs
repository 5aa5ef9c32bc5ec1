//! What the page at `/` shows, in one answer: accounts, one page of one account's users, and the last calls.

use super::{Shared, lock};
use crate::chime::core::Core;
use crate::chime::state::{AccountState, User};
use axum::extract::{Query, State};
use serde::Deserialize;
use serde_json::{Value, json};

/// Users shown at once.
const USERS_SHOWN: usize = 50;

/// Calls shown at once.
const CALLS_SHOWN: usize = 30;

#[derive(Deserialize)]
pub(super) struct Asked {
    /// The account whose users are shown; absent: the first.
    account: Option<String>,
    /// The position that they start at.
    #[serde(default)]
    from: u64,
    /// An address; only its user is shown.
    email: Option<String>,
}

pub(super) async fn view(State(core): State<Shared>, Query(asked): Query<Asked>) -> axum::Json<Value> {
    let mut core = lock(&core);
    let accounts: Vec<Value> = core
        .accounts_mut()
        .map(|state| {
            let counts = state.counts();
            json!({
                "id": state.account.account_id, "name": state.account.name, "type": state.account.account_type,
                "status": state.account.account_status, "counts": counts,
            })
        })
        .collect();
    let calls: Vec<Value> = core.calls().iter().rev().take(CALLS_SHOWN).map(|call| json!(call)).collect();
    let armed = core.armed().len() + core.chances().count();
    axum::Json(json!({
        "now": core.clock().now(), "accounts": accounts, "users": users(&core, &asked), "calls": calls,
        "armed": armed, "endOfSupport": core.choices().after_end_of_support,
    }))
}

fn users(core: &Core, asked: &Asked) -> Value {
    let chosen = match &asked.account {
        Some(id) => core.account(id),
        None => core.accounts().next(),
    };
    let Some(account) = chosen else { return json!({ "account": null, "shown": [], "next": null }) };
    let id = &account.account.account_id;
    if let Some(email) = asked.email.as_deref().filter(|email| !email.trim().is_empty()) {
        let found: Vec<Value> = account.by_email(email.trim()).map(shown).into_iter().collect();
        return json!({ "account": id, "shown": found, "next": null });
    }
    let mut rest = account.users_from(asked.from);
    let page: Vec<Value> = rest.by_ref().take(USERS_SHOWN).map(|(_, user)| shown(user)).collect();
    let next = rest.next().map(|(position, _)| position);
    json!({ "account": id, "shown": page, "next": next, "previous": previous(account, asked.from) })
}

/// Where the page before starts.
fn previous(account: &AccountState, from: u64) -> Option<u64> {
    let before = from.checked_sub(1)?;
    account.users_down_from(before).take(USERS_SHOWN).last().map(|(position, _)| position)
}

fn shown(user: &User) -> Value {
    json!({
        "id": user.user_id, "name": user.display_name, "email": user.primary_email, "type": user.user_type,
        "status": user.user_registration_status, "invitation": user.user_invitation_status,
        "licence": user.license_type, "sessions": user.sessions,
    })
}
