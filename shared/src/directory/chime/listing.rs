//! Chime as a whole: every account and every user, page by page.

use super::answers::{meaning, read_failure, unreadable};
use super::look_up::{next, user};
use super::{Chime, account};
use crate::directory::listing::{ListedAccount, ListedUser, Listing, PAGE, Settings, UserPage};
use crate::directory::{AccountId, User};
use crate::failure::{Cause, Failure, ServiceError};
use crate::host::Host;
use crate::person::WorkEmail;
use aws_sdk_chime::operation::list_accounts::ListAccountsOutput;
use aws_sdk_chime::types::UserType;
use aws_smithy_types::DateTime;
use jiff::Timestamp;

impl<H: Host> Chime<H> {
    /// Every account, or those that have a user with an address.
    async fn list_accounts(&self, email: Option<&WorkEmail>) -> Result<Vec<ListedAccount>, Failure> {
        let mut accounts: Vec<ListedAccount> = Vec::new();
        let mut token: Option<String> = None;
        loop {
            let request = self.client.list_accounts().set_user_email(email.map(|email| email.as_ref().to_owned()));
            // A page as large as can be, but for a look-up, which has one account at most.
            let request = if email.is_none() { request.max_results(PAGE as i32) } else { request };
            let page = request.set_next_token(token.clone()).send().await.or_else(|error| match meaning(&error) {
                // The list of errors allows "no such user" to be a 404 as well.
                ServiceError::NotFound if email.is_some() => Ok(ListAccountsOutput::builder().build()),
                ServiceError::NotFound | ServiceError::Throttled | ServiceError::Unknown | ServiceError::Refused => {
                    Err(read_failure(&error))
                }
            })?;
            for listed in page.accounts() {
                let (account, state) = account(listed).ok_or_else(|| unreadable("ListAccounts"))?;
                // Pages that go in a circle would list for ever.
                if accounts.iter().any(|known| known.id == account.id) {
                    return Err(Failure::retryable(Cause::IncompleteListing));
                }
                let name = listed.name.clone();
                let (kind, active, licences) = (state.kind, state.active, state.licences);
                accounts.push(ListedAccount { id: account.id, name, kind, active, licences });
            }
            token = next(token.as_deref(), page.next_token)?;
            if token.is_none() {
                return Ok(accounts);
            }
        }
    }
}

impl<H: Host> Listing for Chime<H> {
    async fn accounts(&self) -> Result<Vec<ListedAccount>, Failure> {
        self.list_accounts(None).await
    }

    async fn settings(&self, account: &AccountId) -> Result<Settings, Failure> {
        let answer = self.client.get_account_settings().account_id(account.as_ref()).send().await;
        let settings = answer.map_err(|error| read_failure(&error))?.account_settings;
        let settings = settings.ok_or_else(|| unreadable("GetAccountSettings"))?;
        Ok(Settings {
            disable_remote_control: settings.disable_remote_control,
            enable_dial_out: settings.enable_dial_out,
        })
    }

    async fn users(&self, account: &AccountId, token: Option<&str>) -> Result<UserPage, Failure> {
        let request = self.client.list_users().account_id(account.as_ref()).max_results(PAGE as i32);
        let request = request.set_next_token(token.map(str::to_owned));
        let page = request.send().await.map_err(|error| read_failure(&error))?;
        let users = page.users().iter().map(listed).collect::<Result<_, _>>()?;
        Ok(UserPage { users, next: next(token, page.next_token)? })
    }

    async fn accounts_with(&self, email: &WorkEmail) -> Result<Vec<AccountId>, Failure> {
        Ok(self.list_accounts(Some(email)).await?.into_iter().map(|account| account.id).collect())
    }

    async fn user_with(&self, account: &AccountId, email: &WorkEmail) -> Result<Option<ListedUser>, Failure> {
        let request = self.client.list_users().account_id(account.as_ref()).user_email(email.as_ref());
        let page = request.send().await.map_err(|error| read_failure(&error))?;
        let users: Vec<ListedUser> = page.users().iter().map(listed).collect::<Result<_, _>>()?;
        Ok(users.into_iter().find(|user| user.email.as_ref() == Some(email)))
    }
}

fn listed(shown: &aws_sdk_chime::types::User) -> Result<ListedUser, Failure> {
    let User { id, registration, invitation, licence } = user(shown)?;
    Ok(ListedUser {
        id,
        email: shown.primary_email.as_deref().and_then(|email| WorkEmail::parse(email).ok()),
        registration,
        invitation,
        licence,
        invited_on: shown.invited_on.as_ref().and_then(timestamp),
        registered_on: shown.registered_on.as_ref().and_then(timestamp),
        shared_device: shown.user_type == Some(UserType::SharedDevice),
    })
}

fn timestamp(at: &DateTime) -> Option<Timestamp> {
    Timestamp::from_second(at.secs()).ok()
}
