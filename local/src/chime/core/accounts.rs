//! The operations on accounts, their settings, and the settings above all of them.

use super::{Core, no_account, wire};
use crate::chime::choices::{
    AbsentSettings, DeleteWithDomains, DeleteWithUsers, DeletedAccount, GroupsElsewhere, RepeatedGroups,
};
use crate::chime::http::{ApiError, Exception, Response};
use crate::chime::input::{Member, account_name, body, not_blank};
use crate::chime::routes::Routed;
use crate::chime::state::{
    Account, AccountState, AccountStatus, AccountType, CdrSettings, License, SigninDelegateGroup,
};
use serde_json::json;

impl Core {
    pub(super) fn create_account(&mut self, bytes: &[u8]) -> Result<Response, ApiError> {
        let value = body(bytes)?;
        let name = Member::root(&value).member("Name").required()?;
        let name = account_name("Name", name.text()?.unwrap_or_default())?.to_owned();
        let account = AccountState::new(Account::new(self.state.random.uuid(), name, self.now()));
        let shown = wire::account(&account, &self.choices);
        self.state.put(account);
        Ok(Response::created(json!({ "Account": shown })))
    }

    pub(super) fn get_account(&self, routed: &Routed) -> Result<Response, ApiError> {
        Ok(Response::ok(json!({ "Account": wire::account(self.named(routed)?, &self.choices) })))
    }

    pub(super) fn update_account(&mut self, routed: &Routed, bytes: &[u8]) -> Result<Response, ApiError> {
        let value = body(bytes)?;
        let root = Member::root(&value);
        let name = root.member("Name").text()?.map(|name| account_name("Name", name)).transpose()?;
        let license: Option<License> = root.member("DefaultLicense").word()?;
        let account = self.named_mut(routed)?;
        if license.is_some_and(|license| !account.account.supported_licenses.contains(&license)) {
            return Err(ApiError::bad_request("DefaultLicense: must be one of the account's SupportedLicenses"));
        }
        if let Some(name) = name {
            name.clone_into(&mut account.account.name);
        }
        if let Some(license) = license {
            account.account.default_license = license;
        }
        self.get_account(routed)
    }

    pub(super) fn delete_account(&mut self, routed: &Routed) -> Result<Response, ApiError> {
        let choices = self.choices.clone();
        let account = self.named_mut(routed)?;
        let refusal = match account.account.account_type {
            AccountType::Team if !account.is_empty() && choices.delete_with_users == DeleteWithUsers::Refused => {
                Some("The account has users: suspend them first")
            }
            AccountType::EnterpriseDirectory | AccountType::EnterpriseLWA | AccountType::EnterpriseOIDC
                if !account.domains_released && choices.delete_with_domains == DeleteWithDomains::Refused =>
            {
                Some("The account has claimed domains: release them first")
            }
            AccountType::Team
            | AccountType::EnterpriseDirectory
            | AccountType::EnterpriseLWA
            | AccountType::EnterpriseOIDC => None,
        };
        if let Some(message) = refusal {
            return Err(ApiError::new(Exception::Unprocessable, message));
        }
        match choices.deleted_account {
            DeletedAccount::Gone => {
                let id = routed.account.as_deref().unwrap_or_default();
                self.state.take(id).ok_or_else(no_account)?;
            }
            DeletedAccount::Suspended => account.account.account_status = AccountStatus::Suspended,
        }
        Ok(Response::no_content())
    }

    pub(super) fn update_account_settings(&mut self, routed: &Routed, bytes: &[u8]) -> Result<Response, ApiError> {
        let value = body(bytes)?;
        let settings = Member::root(&value).member("AccountSettings").required()?.object()?;
        let remote = settings.member("DisableRemoteControl").flag()?;
        let dial_out = settings.member("EnableDialOut").flag()?;
        let absent = self.choices.absent_settings;
        let account = self.named_mut(routed)?;
        let merged = |given: Option<bool>, known: bool| match absent {
            AbsentSettings::Unchanged => given.unwrap_or(known),
            AbsentSettings::Reset => given.unwrap_or(false),
        };
        account.settings.disable_remote_control = merged(remote, account.settings.disable_remote_control);
        account.settings.enable_dial_out = merged(dial_out, account.settings.enable_dial_out);
        Ok(Response::no_content())
    }

    pub(super) fn update_global_settings(&mut self, bytes: &[u8]) -> Result<Response, ApiError> {
        let value = body(bytes)?;
        let root = Member::root(&value);
        let (calling, connector) = (bucket(&root, "BusinessCalling")?, bucket(&root, "VoiceConnector")?);
        let global = &mut self.state.global;
        match self.choices.absent_settings {
            AbsentSettings::Unchanged => {
                global.business_calling = calling.or(global.business_calling.take());
                global.voice_connector = connector.or(global.voice_connector.take());
            }
            AbsentSettings::Reset => (global.business_calling, global.voice_connector) = (calling, connector),
        }
        Ok(Response::no_content())
    }

    pub(super) fn associate_groups(&mut self, routed: &Routed, bytes: &[u8]) -> Result<Response, ApiError> {
        let value = body(bytes)?;
        let mut groups: Vec<Option<String>> = Vec::new();
        for group in Member::root(&value).member("SigninDelegateGroups").list(usize::MAX)? {
            let name = group.object()?.member("GroupName");
            let text = name.text()?.map(|text| not_blank(name.path(), text)).transpose()?;
            groups.push(text.map(str::to_owned));
        }
        let repeated = self.choices.repeated_groups;
        let account = self.with_groups(routed)?;
        let known = |name: &Option<String>, account: &AccountState| {
            account.account.signin_delegate_groups.iter().any(|group| group.group_name == *name)
        };
        if repeated == RepeatedGroups::Refused && groups.iter().any(|name| known(name, account)) {
            return Err(ApiError::bad_request("SigninDelegateGroups: has a group that is associated already"));
        }
        for group_name in groups {
            if !known(&group_name, account) {
                account.account.signin_delegate_groups.push(SigninDelegateGroup { group_name });
            }
        }
        Ok(Response::ok(json!({})))
    }

    pub(super) fn disassociate_groups(&mut self, routed: &Routed, bytes: &[u8]) -> Result<Response, ApiError> {
        let value = body(bytes)?;
        let names = Member::root(&value).member("GroupNames").list(usize::MAX)?;
        if names.is_empty() {
            return Err(ApiError::constraint("GroupNames", "must have at least 1 member"));
        }
        let names: Vec<Option<&str>> = names.iter().map(Member::text).collect::<Result<_, _>>()?;
        let repeated = self.choices.repeated_groups;
        let groups = &mut self.with_groups(routed)?.account.signin_delegate_groups;
        let known = |name: &Option<&str>| groups.iter().any(|group| group.group_name.as_deref() == *name);
        if repeated == RepeatedGroups::Refused && !names.iter().all(known) {
            return Err(ApiError::bad_request("GroupNames: has a group that is not associated"));
        }
        groups.retain(|group| !names.contains(&group.group_name.as_deref()));
        Ok(Response::ok(json!({})))
    }

    /// The account, where it may have sign-in delegate groups.
    fn with_groups(&mut self, routed: &Routed) -> Result<&mut AccountState, ApiError> {
        let elsewhere = self.choices.groups_elsewhere;
        let account = self.named_mut(routed)?;
        if account.account.account_type != AccountType::EnterpriseDirectory && elsewhere == GroupsElsewhere::Refused {
            return Err(ApiError::bad_request("AccountType: only EnterpriseDirectory has sign-in delegate groups"));
        }
        Ok(account)
    }
}

fn bucket(root: &Member<'_>, name: &str) -> Result<Option<CdrSettings>, ApiError> {
    let settings = root.member(name).object()?;
    let cdr_bucket = settings.member("CdrBucket").text()?.map(str::to_owned);
    Ok(settings.is_there().then_some(CdrSettings { cdr_bucket }))
}
