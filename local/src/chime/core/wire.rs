//! Accounts and users as answers show them.

use crate::chime::choices::{Choices, SampleMembers};
use crate::chime::state::{Account, AccountState, AccountType, User};
use serde_json::{Value, json};

/// An account. AWS's samples show more members than the model has; clients must take them.
pub(super) fn account(state: &AccountState, choices: &Choices) -> Value {
    let mut value = json!(state.account);
    if choices.sample_members == SampleMembers::Shown {
        let Account { account_type, default_license, .. } = &state.account;
        let groups = match account_type {
            AccountType::EnterpriseDirectory => json!([{ "GroupId": "group-1", "License": default_license }]),
            AccountType::Team | AccountType::EnterpriseLWA | AccountType::EnterpriseOIDC => json!([]),
        };
        let directory = (*account_type == AccountType::EnterpriseDirectory).then_some("d-1234567890");
        extend(
            &mut value,
            json!({
                "Admins": null, "BillingType": "SeatBilling", "DelegationStatus": "NoDelegation",
                "DirectoryId": directory, "Domains": null, "Groups": groups, "Owner": null,
                "UseProTrialLicense": false,
            }),
        );
    }
    value
}

/// A user, with its PIN.
pub(super) fn user(user: &User, choices: &Choices) -> Value {
    let mut value = json!(user);
    if choices.sample_members == SampleMembers::Shown {
        extend(
            &mut value,
            json!({
                "Delegates": null, "Devices": null, "EmailAlias": [], "FullName": user.display_name,
                "IsProTrial": false, "LastActiveOn": null, "PresenceVisibility": "Public", "UserLocale": "en-US",
                "Vanity": null,
            }),
        );
    }
    value
}

/// A user as a listing shows it: without its PIN.
pub(super) fn listed(one: &User, choices: &Choices) -> Value {
    let mut value = user(one, choices);
    value["PersonalPIN"] = Value::Null;
    value
}

fn extend(value: &mut Value, more: Value) {
    if let (Some(members), Value::Object(more)) = (value.as_object_mut(), more) {
        members.extend(more);
    }
}
