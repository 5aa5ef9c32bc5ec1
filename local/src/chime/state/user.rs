//! A user's members, as on the wire and in a seed.

use super::Moment;
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// What a user may do. Samples and console of the service offer Basic and Pro only.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum License {
    /// Attends and chats.
    Basic,
    /// Explained by no page of the service.
    Plus,
    /// Hosts meetings.
    #[default]
    Pro,
    /// The user's own free trial.
    ProTrial,
}

/// Who sits behind a user.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum UserType {
    /// A person.
    #[default]
    PrivateUser,
    /// A device in a room.
    SharedDevice,
}

/// Whether a user can sign in.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Registration {
    /// Invited, not yet registered.
    Unregistered,
    /// Registered.
    #[default]
    Registered,
    /// Blocked.
    Suspended,
}

/// What became of an invitation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Invitation {
    /// Sent, not yet answered.
    Pending,
    /// Accepted.
    Accepted,
    /// The mail bounced.
    Failed,
}

/// What a user's telephone may do. All off by default.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Telephony {
    /// Be called.
    pub inbound_calling: bool,
    /// Call.
    pub outbound_calling: bool,
    /// Send and receive text messages.
    #[serde(rename = "SMS")]
    pub sms: bool,
}

/// The members of a user, as on the wire.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct User {
    /// Its id.
    pub user_id: String,
    /// Its account. Filled in from the account that holds it.
    #[serde(default = "nowhere")]
    pub account_id: Arc<str>,
    /// Its address.
    #[serde(default)]
    pub primary_email: Option<String>,
    /// Its telephone number.
    #[serde(default)]
    pub primary_provisioned_number: Option<Box<str>>,
    /// Its name.
    #[serde(default)]
    pub display_name: Option<String>,
    /// Its licence.
    #[serde(default)]
    pub license_type: Option<License>,
    /// Who sits behind it.
    #[serde(default)]
    pub user_type: Option<UserType>,
    /// Whether it can sign in.
    #[serde(default)]
    pub user_registration_status: Registration,
    /// What became of its invitation.
    #[serde(default)]
    pub user_invitation_status: Option<Invitation>,
    /// When it registered.
    #[serde(default)]
    pub registered_on: Option<Moment>,
    /// When it was invited.
    #[serde(default)]
    pub invited_on: Option<Moment>,
    /// Its meeting PIN: ten digits.
    #[serde(default, rename = "PersonalPIN")]
    pub personal_pin: Option<String>,
    /// Open sessions. Not on the wire.
    #[serde(default, skip_serializing)]
    pub sessions: u32,
    /// Mails that invited it. Not on the wire.
    #[serde(default, skip_serializing)]
    pub mails: u32,
    /// Its settings: on the wire in an answer of their own.
    #[serde(default, skip_serializing)]
    pub telephony: Telephony,
}

impl User {
    /// A user of whom nothing is known but the id.
    #[must_use]
    pub fn new(user_id: String) -> User {
        User {
            user_id,
            account_id: nowhere(),
            primary_email: None,
            primary_provisioned_number: None,
            display_name: None,
            license_type: None,
            user_type: Some(UserType::PrivateUser),
            user_registration_status: Registration::Unregistered,
            user_invitation_status: None,
            registered_on: None,
            invited_on: None,
            personal_pin: None,
            sessions: 0,
            mails: 0,
            telephony: Telephony::default(),
        }
    }
}

/// Shows neither address nor name nor PIN.
impl std::fmt::Debug for User {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let status = (self.user_registration_status, self.user_invitation_status);
        f.debug_struct("User")
            .field("user_id", &self.user_id)
            .field("account_id", &self.account_id)
            .field("status", &status)
            .field("license_type", &self.license_type)
            .field("sessions", &self.sessions)
            .finish_non_exhaustive()
    }
}

fn nowhere() -> Arc<str> {
    Arc::from("")
}
