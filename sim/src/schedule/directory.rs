//! The directory at work: what a request changes, for whom, and how each stood before.

use super::Schedule;
use crate::call::{Call, Reply};
use crate::fate::{Fate, Service};
use crate::watch::{Before, Effect};
use crate::worker::millis;
use rollcall_local::chime::choices::Choices;
use rollcall_local::chime::faults as chime_faults;
use rollcall_local::chime::http::{Reply as ChimeReply, Request as ChimeRequest, Response};
use rollcall_local::chime::routes::{Operation, Routed, route};
use rollcall_local::chime::state::{Moment, User};
use serde_json::Value;

impl Schedule<'_> {
    pub(super) fn directory_serves(&mut self, call: &Call, fate: &Fate, request: &ChimeRequest) -> Reply {
        let now = self.timeline.now();
        self.directory.clock_mut().tick(Moment::from_millis(millis(now)));
        let routed = route(request, &Choices::default()).ok();
        let mut effects =
            routed.as_ref().map(|routed| self.effects(now, call, routed, &request.body)).unwrap_or_default();
        if let (Service::Under(kind), Some(routed)) = (&fate.service, &routed) {
            let operation = routed.operation;
            self.directory.arm(chime_faults::Fault { operation, kind: *kind, after: 0, times: 1 });
        }
        let reply = self.directory.answer(request);
        self.directory.disarm();
        let mut response = match reply {
            ChimeReply::Answer(response) | ChimeReply::Late(_, response) => response,
            ChimeReply::Cut => return Reply::Broken,
        };
        let failed = failed_users(&response);
        for effect in &mut effects {
            effect.done = response.status < 300 && !failed.contains(&effect.user);
            effect.mailed = effect.done && mailed(&response, &effect.user);
        }
        let account = routed.and_then(|routed| routed.account).unwrap_or_default();
        let mut invited = Vec::new();
        for effect in effects {
            let (address, mailed) = (effect.user.clone(), effect.mailed);
            let person = self.watch.effect(effect);
            invited.extend(person.filter(|_| mailed).map(|person| (address, person)));
        }
        self.invited(&account, &invited, &mut response);
        Reply::Http {
            status: response.status,
            error_type: response.error_type,
            body: response.body.map_or_else(String::new, |body| body.to_string()),
        }
    }

    /// What a request would change, one entry a user, with how each stands before.
    fn effects(&self, now: i64, call: &Call, routed: &Routed, body: &[u8]) -> Vec<Effect> {
        let operation = match routed.operation {
            Operation::BatchSuspendUser => "suspend",
            Operation::BatchUnsuspendUser => "unsuspend",
            Operation::BatchUpdateUser => "set_licence",
            Operation::InviteUsers => "invite",
            Operation::LogoutUser => "logout",
            Operation::ResetPersonalPIN => "reset_pin",
            Operation::ListAccounts | Operation::GetAccount | Operation::ListUsers | Operation::GetUser => {
                return Vec::new();
            }
            // Nothing else is any function's business: no plan holds it.
            Operation::CreateAccount
            | Operation::UpdateAccount
            | Operation::DeleteAccount
            | Operation::AssociateSigninDelegateGroupsWithAccount
            | Operation::DisassociateSigninDelegateGroupsFromAccount
            | Operation::GetAccountSettings
            | Operation::UpdateAccountSettings
            | Operation::CreateUser
            | Operation::UpdateUser
            | Operation::GetUserSettings
            | Operation::UpdateUserSettings
            | Operation::GetGlobalSettings
            | Operation::UpdateGlobalSettings => "another change",
        };
        let account = routed.account.clone().unwrap_or_default();
        let effect = |(user, licence): (String, Option<String>)| {
            let known = self
                .directory
                .account(&account)
                .and_then(|account| if operation == "invite" { account.by_email(&user) } else { account.user(&user) });
            Effect {
                at: now,
                sent_at: call.sent_at,
                task: call.task,
                operation,
                account: account.clone(),
                person: known.and_then(|known| self.watch.owner(&known.user_id)),
                before: known.map(before),
                user,
                licence,
                done: false,
                mailed: false,
                event: None,
            }
        };
        whom(routed, body).into_iter().map(effect).collect()
    }
}

/// Whom a request names, by id or address, and the licence that each shall have.
fn whom(routed: &Routed, body: &[u8]) -> Vec<(String, Option<String>)> {
    if let Some(user) = &routed.user {
        return vec![(user.clone(), None)];
    }
    let body: Value = serde_json::from_slice(body).unwrap_or_default();
    let list = |member: &str| body[member].as_array().cloned().unwrap_or_default();
    let text = |value: &Value| value.as_str().map(str::to_owned);
    let names = list("UserIdList").into_iter().chain(list("UserEmailList"));
    let named = names.filter_map(|name| Some((text(&name)?, None)));
    let updates = list("UpdateUserRequestItems");
    let updated = updates.iter().filter_map(|item| Some((text(&item["UserId"])?, text(&item["LicenseType"]))));
    named.chain(updated).collect()
}

/// How a user stands.
fn before(user: &User) -> Before {
    let licence = serde_json::to_value(user.license_type).ok();
    Before {
        registration: user.user_registration_status,
        invitation: user.user_invitation_status,
        licence: licence.and_then(|word| word.as_str().map(str::to_owned)),
    }
}

fn failed_users(response: &Response) -> Vec<String> {
    let errors = response.body.as_ref().and_then(|body| body["UserErrors"].as_array());
    let ids = errors.into_iter().flatten().filter_map(|error| error["UserId"].as_str());
    ids.map(str::to_owned).collect()
}

/// Whether a mail went out to an address.
fn mailed(response: &Response, address: &str) -> bool {
    let invites = response.body.as_ref().and_then(|body| body["Invites"].as_array());
    invites.into_iter().flatten().any(|invite| invite["EmailAddress"] == address && invite["EmailStatus"] == "Sent")
}
