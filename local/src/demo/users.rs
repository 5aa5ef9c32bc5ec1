//! How the users of the local Chime stand.

use super::UserReport;
use crate::chime::state::{AccountState, User};
use crate::stack::Stack;

/// How every user stands, account by account.
pub(super) fn users(stack: &Stack) -> Vec<UserReport> {
    let core = stack.chime.core();
    let mut users: Vec<UserReport> =
        core.accounts().flat_map(|account| account.users().map(move |user| report(account, user))).collect();
    users.sort();
    users
}

fn report(account: &AccountState, user: &User) -> UserReport {
    UserReport {
        account: account.account.name.clone(),
        account_type: format!("{:?}", account.account.account_type),
        user: user.display_name.clone().unwrap_or_else(|| "(has not said)".to_owned()),
        email: user.primary_email.clone().unwrap_or_default(),
        status: format!("{:?}", user.user_registration_status),
        licence: user.license_type.map(|licence| format!("{licence:?}")),
        invitation: user.user_invitation_status.map(|invitation| format!("{invitation:?}")),
        sessions: user.sessions,
    }
}

impl UserReport {
    /// Status, licence, sessions and invitation in one line.
    pub(super) fn standing(&self) -> String {
        let word = |word: &Option<String>| word.clone().unwrap_or_else(|| "-".to_owned());
        format!("{} {} {} {}", self.status, word(&self.licence), self.sessions, word(&self.invitation))
    }
}
