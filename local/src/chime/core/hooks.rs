//! What people do and the API cannot: accept an invitation, register, sign in, release domains. For tests.

use super::Core;
use crate::chime::state::{AccountState, AccountType, Invitation, Registration, User, UserType};

/// Why a hook did nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HookError {
    /// No such account or user.
    NotFound,
    /// It cannot be done as things stand; the words say why.
    NotNow(&'static str),
}

impl Core {
    /// A pending user accepts: registered, with the account's default licence and a new PIN.
    ///
    /// # Errors
    /// Where there is no such user, or it is not pending; nothing changed.
    pub fn accept(&mut self, account: &str, user: &str, display_name: Option<String>) -> Result<(), HookError> {
        let (pin, now) = (self.pin(), self.now());
        let state = self.account_mut(account).ok_or(HookError::NotFound)?;
        let license = state.account.default_license;
        let user = unregistered(state, user)?;
        user.user_registration_status = Registration::Registered;
        user.user_invitation_status = Some(Invitation::Accepted);
        user.registered_on = Some(now);
        user.license_type = Some(license);
        user.personal_pin = Some(pin);
        user.display_name = display_name.or(user.display_name.take());
        Ok(())
    }

    /// The mail to a pending user bounces.
    ///
    /// # Errors
    /// Where there is no such user, or it is not pending; nothing changed.
    pub fn bounce(&mut self, account: &str, user: &str) -> Result<(), HookError> {
        let state = self.account_mut(account).ok_or(HookError::NotFound)?;
        unregistered(state, user)?.user_invitation_status = Some(Invitation::Failed);
        Ok(())
    }

    /// Somebody registers with an address of a claimed domain. Answers the new user's id.
    ///
    /// # Errors
    /// Where there is no such account, it has no such domain, or the address is taken; nothing changed.
    pub fn register(&mut self, account: &str, email: &str, display_name: Option<String>) -> Result<String, HookError> {
        let state = self.account(account).ok_or(HookError::NotFound)?;
        if state.account.account_type == AccountType::Team || state.domains_released {
            return Err(HookError::NotNow("the account has no claimed domain"));
        }
        let Some((_, domain)) = email.rsplit_once('@') else {
            return Err(HookError::NotNow("email must be an e-mail address"));
        };
        let claimed = |known: &String| known.to_lowercase() == domain.to_lowercase();
        if !state.domains.is_empty() && !state.domains.iter().any(claimed) {
            return Err(HookError::NotNow("the account did not claim this domain"));
        }
        if state.by_email(email).is_some() {
            return Err(HookError::NotNow("a user of the account has this address"));
        }
        let license = state.account.default_license;
        let (id, pin, now) = (self.state.random.uuid(), self.pin(), self.now());
        let user = User {
            primary_email: Some(email.to_owned()),
            display_name,
            license_type: Some(license),
            user_type: Some(UserType::PrivateUser),
            user_registration_status: Registration::Registered,
            registered_on: Some(now),
            personal_pin: Some(pin),
            ..User::new(id.clone())
        };
        self.account_mut(account).ok_or(HookError::NotFound)?.add(user);
        Ok(id)
    }

    /// A registered user signs in on one more device. Answers how many sessions it has.
    ///
    /// # Errors
    /// Where there is no such user, or it may not sign in; nothing changed.
    pub fn sign_in(&mut self, account: &str, user: &str) -> Result<u32, HookError> {
        let user = self.account_mut(account).and_then(|state| state.user_mut(user)).ok_or(HookError::NotFound)?;
        match user.user_registration_status {
            Registration::Registered => {
                user.sessions = user.sessions.saturating_add(1);
                Ok(user.sessions)
            }
            Registration::Unregistered => Err(HookError::NotNow("the user is not registered")),
            Registration::Suspended => Err(HookError::NotNow("the user is suspended")),
        }
    }

    /// An administrator claims domains for an account; with none, releases all, so that it may be deleted.
    ///
    /// # Errors
    /// Where there is no such account.
    pub fn claim_domains(&mut self, account: &str, domains: Vec<String>) -> Result<(), HookError> {
        let state = self.account_mut(account).ok_or(HookError::NotFound)?;
        state.domains_released = domains.is_empty();
        state.domains = domains;
        Ok(())
    }

    /// The id of the user with an address.
    #[must_use]
    pub fn user_id_of(&self, account: &str, email: &str) -> Option<String> {
        self.account(account)?.by_email(email).map(|user| user.user_id.clone())
    }
}

fn unregistered<'a>(state: &'a mut AccountState, user: &str) -> Result<&'a mut User, HookError> {
    let user = state.user_mut(user).ok_or(HookError::NotFound)?;
    match user.user_registration_status {
        Registration::Unregistered => Ok(user),
        Registration::Registered | Registration::Suspended => Err(HookError::NotNow("the user is registered already")),
    }
}
