//! The operations on one user, and those that make users.

use super::{Core, no_user, user_id, wire};
use crate::chime::choices::{
    Choices, CreatedUser, EmptyBatch, InviteOnEnterprise, InviteRegistered, LicenceOnDirectory, OtherUserMembers,
    PinOfUnregistered, PrivateUserOnTeam, RepeatedIds, SessionsOnDirectory, UnsupportedLicence, UpdateUserAnswer,
};
use crate::chime::http::{ApiError, Exception, Response};
use crate::chime::input::{Member, address, body};
use crate::chime::routes::Routed;
use crate::chime::state::{AccountState, AccountType, Invitation, License, Registration, Telephony, User, UserType};
use serde_json::{Value, json};

/// The most addresses of one InviteUsers. Source: the service model.
const ADDRESSES_MOST: usize = 50;

impl Core {
    pub(super) fn create_user(&mut self, routed: &Routed, bytes: &[u8]) -> Result<Response, ApiError> {
        let value = body(bytes)?;
        let root = Member::root(&value);
        let name = root.member("Username").text()?;
        let email = root.member("Email").text()?.map(|email| address("Email", email)).transpose()?;
        let kind: UserType = root.member("UserType").word()?.unwrap_or_default();
        let account = self.named(routed)?;
        if kind == UserType::PrivateUser {
            let refused = match account.account.account_type {
                AccountType::Team => self.choices.private_user_on_team == PrivateUserOnTeam::Refused,
                // Reported: an account with a validated domain refuses them, in these words.
                AccountType::EnterpriseDirectory | AccountType::EnterpriseLWA | AccountType::EnterpriseOIDC => true,
            };
            if refused {
                return Err(ApiError::bad_request("Service received a bad request"));
            }
        }
        if email.is_some_and(|email| self.accounts().any(|account| account.by_email(email).is_some())) {
            return Err(ApiError::new(Exception::Conflict, "Email: another user has it"));
        }
        let license = account.account.default_license;
        let (id, pin, now) = (self.state.random.uuid(), self.pin(), self.now());
        let mut user = User::new(id.clone());
        user.primary_email = email.map(str::to_owned);
        user.display_name = name.map(str::to_owned);
        user.user_type = Some(kind);
        if self.choices.created_user == CreatedUser::Registered {
            user.user_registration_status = Registration::Registered;
            user.license_type = Some(license);
            user.registered_on = Some(now);
            user.personal_pin = Some(pin);
        }
        self.named_mut(routed)?.add(user);
        let user = self.named(routed)?.user(&id).ok_or_else(no_user)?;
        Ok(Response::created(json!({ "User": wire::user(user, &self.choices) })))
    }

    pub(super) fn invite_users(&mut self, routed: &Routed, bytes: &[u8]) -> Result<Response, ApiError> {
        let value = body(bytes)?;
        let root = Member::root(&value);
        let kind: UserType = root.member("UserType").word()?.unwrap_or_default();
        let mut addresses: Vec<&str> = Vec::new();
        for member in root.member("UserEmailList").list(ADDRESSES_MOST)? {
            let text = address(member.path(), member.text()?.unwrap_or_default())?;
            let repeated = addresses.iter().any(|known| known.to_lowercase() == text.to_lowercase());
            match self.choices.repeated_ids {
                RepeatedIds::Refused if repeated => {
                    return Err(ApiError::bad_request("UserEmailList: holds one twice"));
                }
                RepeatedIds::Refused | RepeatedIds::Once if !repeated => addresses.push(text),
                RepeatedIds::Refused | RepeatedIds::Once => {}
            }
        }
        if addresses.is_empty() && self.choices.empty_batch == EmptyBatch::Refused {
            return Err(ApiError::constraint("UserEmailList", "must have at least 1 member"));
        }
        self.may_invite(routed, &addresses)?;
        let now = self.now();
        let mut invites = Vec::new();
        for email in addresses {
            let (invite, id) = (self.state.random.uuid(), self.state.random.uuid());
            let account = self.named_mut(routed)?;
            let known = account.by_email(email).map(|user| (user.user_id.clone(), user.user_registration_status));
            let (status, mail) = match known {
                Some((_, Registration::Registered | Registration::Suspended)) => (Invitation::Accepted, "NotSent"),
                Some((known, Registration::Unregistered)) => {
                    if let Some(user) = account.user_mut(&known) {
                        user.user_invitation_status = Some(Invitation::Pending);
                        user.invited_on = Some(now);
                        user.mails = user.mails.saturating_add(1);
                    }
                    (Invitation::Pending, "Sent")
                }
                None => {
                    let mut user = User::new(id);
                    user.primary_email = Some(email.to_owned());
                    user.user_type = Some(kind);
                    user.user_invitation_status = Some(Invitation::Pending);
                    user.invited_on = Some(now);
                    user.mails = 1;
                    account.add(user);
                    (Invitation::Pending, "Sent")
                }
            };
            invites.push(json!({
                "InviteId": invite, "Status": status, "EmailAddress": email, "EmailStatus": mail,
            }));
        }
        Ok(Response::created(json!({ "Invites": invites })))
    }

    /// Whether all of these may be invited: nobody is before everybody may be.
    fn may_invite(&self, routed: &Routed, addresses: &[&str]) -> Result<(), ApiError> {
        let account = self.named(routed)?;
        if account.account.account_type != AccountType::Team {
            let exception = match self.choices.invite_on_enterprise {
                InviteOnEnterprise::BadRequest => Exception::BadRequest,
                InviteOnEnterprise::Forbidden => Exception::Forbidden,
            };
            return Err(ApiError::new(exception, "AccountType: only a Team account invites users"));
        }
        let claimed = |email: &str| {
            let domain = email.rsplit('@').next().unwrap_or_default().to_lowercase();
            self.accounts().any(|other| other.domains.iter().any(|claimed| claimed.to_lowercase() == domain))
        };
        if addresses.iter().any(|email| claimed(email)) {
            return Err(ApiError::bad_request("UserEmailList: holds an address whose domain another account claimed"));
        }
        let registered = |email: &&str| {
            account.by_email(email).is_some_and(|user| user.user_registration_status != Registration::Unregistered)
        };
        if self.choices.invite_registered == InviteRegistered::Refused && addresses.iter().any(registered) {
            return Err(ApiError::bad_request("UserEmailList: holds the address of a registered user"));
        }
        Ok(())
    }

    pub(super) fn update_user(&mut self, routed: &Routed, bytes: &[u8]) -> Result<Response, ApiError> {
        let value = body(bytes)?;
        let update = UserUpdate::read(&Member::root(&value))?;
        let choices = self.choices.clone();
        let account = self.named_mut(routed)?;
        if account.user(user_id(routed)).is_none() {
            return Err(no_user());
        }
        update.check(account, &choices).map_err(ApiError::bad_request)?;
        let user = account.user_mut(user_id(routed)).ok_or_else(no_user)?;
        user.license_type = update.license.or(user.license_type);
        let shown = match choices.update_user_answer {
            UpdateUserAnswer::Full => wire::user(user, &choices),
            UpdateUserAnswer::IdOnly => json!({ "UserId": user.user_id }),
        };
        Ok(Response::ok(json!({ "User": shown })))
    }

    pub(super) fn logout_user(&mut self, routed: &Routed) -> Result<Response, ApiError> {
        self.may_touch_sessions(routed)?;
        let user = self.named_mut(routed)?.user_mut(user_id(routed)).ok_or_else(no_user)?;
        user.sessions = 0;
        Ok(Response::no_content())
    }

    pub(super) fn reset_personal_pin(&mut self, routed: &Routed) -> Result<Response, ApiError> {
        self.may_touch_sessions(routed)?;
        let user = self.named(routed)?.user(user_id(routed)).ok_or_else(no_user)?;
        if user.user_registration_status == Registration::Unregistered
            && self.choices.pin_of_unregistered == PinOfUnregistered::Refused
        {
            return Err(ApiError::bad_request("UserId: the user is not registered, and has no PIN"));
        }
        let pin = self.pin();
        let user = self.named_mut(routed)?.user_mut(user_id(routed)).ok_or_else(no_user)?;
        user.personal_pin = Some(pin);
        let user = self.named(routed)?.user(user_id(routed)).ok_or_else(no_user)?;
        Ok(Response::ok(json!({ "User": wire::user(user, &self.choices) })))
    }

    fn may_touch_sessions(&self, routed: &Routed) -> Result<(), ApiError> {
        let is_directory = self.named(routed)?.account.account_type.is_directory();
        if is_directory && self.choices.sessions_on_directory == SessionsOnDirectory::Refused {
            return Err(ApiError::bad_request("AccountType: the directory manages its users"));
        }
        Ok(())
    }

    pub(super) fn update_user_settings(&mut self, routed: &Routed, bytes: &[u8]) -> Result<Response, ApiError> {
        let value = body(bytes)?;
        let settings = Member::root(&value).member("UserSettings").required()?.object()?;
        let telephony = settings.member("Telephony").required()?.object()?;
        let flag = |name: &str| Ok::<_, ApiError>(telephony.member(name).required()?.flag()?.unwrap_or_default());
        let telephony = Telephony {
            inbound_calling: flag("InboundCalling")?,
            outbound_calling: flag("OutboundCalling")?,
            sms: flag("SMS")?,
        };
        self.named_mut(routed)?.user_mut(user_id(routed)).ok_or_else(no_user)?.telephony = telephony;
        Ok(Response::no_content())
    }
}

/// The members of UpdateUser, and of one item of BatchUpdateUser.
pub(super) struct UserUpdate {
    pub(super) license: Option<License>,
    has_others: bool,
}

impl UserUpdate {
    pub(super) fn read(member: &Member<'_>) -> Result<UserUpdate, ApiError> {
        let kind: Option<UserType> = member.member("UserType").word()?;
        let alexa = member.member("AlexaForBusinessMetadata").object()?;
        alexa.member("IsAlexaForBusinessEnabled").flag()?;
        alexa.member("AlexaForBusinessRoomArn").text()?;
        let has_others = kind.is_some() || alexa.is_there();
        Ok(UserUpdate { license: member.member("LicenseType").word()?, has_others })
    }

    /// Whether this account's users can be updated so.
    pub(super) fn check(&self, account: &AccountState, choices: &Choices) -> Result<(), &'static str> {
        if self.has_others && choices.other_user_members == OtherUserMembers::Refused {
            return Err("only LicenseType can be updated");
        }
        let Some(license) = self.license else { return Ok(()) };
        if account.account.account_type.is_directory() && choices.licence_on_directory == LicenceOnDirectory::Refused {
            return Err("LicenseType: the directory's groups decide in this account");
        }
        let supported = account.account.supported_licenses.contains(&license);
        if !supported && choices.unsupported_licence == UnsupportedLicence::Refused {
            return Err("LicenseType: must be one of the account's SupportedLicenses");
        }
        Ok(())
    }
}

/// An entry of `UserErrors`.
pub(super) fn entry(id: &str, code: &str, message: &str) -> Value {
    json!({ "UserId": id, "ErrorCode": code, "ErrorMessage": message })
}
