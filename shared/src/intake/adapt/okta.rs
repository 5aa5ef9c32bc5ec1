//! Okta: event hooks (a batch in `data.events`) and one System Log event in an EventBridge envelope.
//!
//! The person is the one `target` of type `User`, never the `actor`, who is the administrator; of a breached credential
//! the actor is the victim. There is no employee number. A deactivated login is no termination: it may be leave, or
//! tidying up. Nothing tells which fields a changed profile changed.
//!
//! A log stream carries the whole System Log, so types outside `user.lifecycle` and `user.account` are nothing. The
//! level of a changed risk has no documented place: that event is parked. Beyond the reference: `id` beside
//! `alternateId`, as Okta's help pages list it.

use super::draft::{Draft, batch};
use super::element::{Element, id};
use super::{Adapted, Received, Source, timestamps};
use crate::event::wire::{ChangedField, EmailKind};
use crate::event::{Kind, LoginStatus, Phase};
use serde_json::Value;

const BUS: &str = "aws.partner/okta.com/";

pub(super) fn adapt(received: Received<'_>) -> Vec<Adapted> {
    // The bus names the tenant: `aws.partner/okta.com/<subdomain>/<source>`.
    let tenant = Element::whole(received.body)
        .and_then(|whole| Some(whole.text("source")?.strip_prefix(BUS)?.split('/').next()?.to_owned()));
    batch(Source::Okta, received, events, |draft, event| one(draft.tenant(tenant.clone()), event))
}

fn events(whole: Element<'_>) -> Option<Vec<Element<'_>>> {
    match whole.off_the_bus() {
        Some(event) => Some(vec![event]),
        None => whole.member("data")?.member("events")?.items(),
    }
}

fn one(draft: Draft<'_>, event: &Element<'_>) -> Adapted {
    let Some(event_type) = event.text("eventType") else {
        return draft.unclassified("there is no eventType");
    };
    let draft =
        draft.named(Some(event_type)).id(event.id("uuid")).occurred(event.text("published").and_then(timestamps::text));
    let actor = event.at("actor");
    let draft = if event_type == "security.breached_credential.detected" {
        person(draft, actor)
    } else {
        let users: Vec<&Value> = event.list("target").iter().filter(|target| target["type"] == "User").collect();
        match users.as_slice() {
            [user] => person(draft, Some(user)),
            [] | [..] => draft,
        }
    };
    match event_type {
        "user.lifecycle.create" => Adapted::Nothing("a login was created: another event tells when it is active"),
        "user.lifecycle.activate" | "user.lifecycle.reactivate" | "user.lifecycle.unsuspend" => {
            draft.login(LoginStatus::Active)
        }
        "user.lifecycle.suspend" => draft.login(LoginStatus::Suspended),
        "user.lifecycle.deactivate" => draft.login(LoginStatus::Deactivated),
        "user.lifecycle.delete.initiated" | "user.lifecycle.delete.completed" => draft.login(LoginStatus::Deleted),
        "user.account.update_profile" => draft.changed([ChangedField::Other]).notice(),
        "user.account.update_primary_email" => {
            draft.changed([ChangedField::Email]).event(Kind::IdentityChange, Phase::Effective)
        }
        "security.breached_credential.detected" => draft.event(Kind::CredentialCompromise, Phase::Detected),
        "user.risk.change" => draft.unclassified("a risk changed, and its level has no documented place"),
        "user.session.clear" => Adapted::Nothing("sessions were cleared: the login is as it was"),
        other if other.starts_with("user.lifecycle.") || other.starts_with("user.account.") => {
            draft.unclassified("an event of a user's account that is not in the table")
        }
        _ => Adapted::Nothing("an event of the System Log about nobody's employment or login"),
    }
}

fn person<'a>(draft: Draft<'a>, person: Option<&Value>) -> Draft<'a> {
    let Some(person) = person else { return draft };
    draft.provider_subject(id(&person["id"])).email(person["alternateId"].as_str(), EmailKind::Login)
}

#[cfg(test)]
pub(super) const CASES: &[super::tests::Case] = &[
    case!("okta/account_status.deactivated", "account_status/effective=deactivated | id email(login) | - | worker"),
    case!(
        "okta/account_status.batch",
        "account_status/effective=suspended | id email(login) | - | worker",
        "account_status/effective=active | id | - | email worker",
        "account_status/effective=deleted | id email(login) | - | worker"
    ),
    case!("okta/account_status.bus", "account_status/effective=active | id email(login) | - | worker"),
    case!("okta/identity_change", "identity_change/effective | id email(login) | - | worker values"),
    case!("okta/credential_compromise", "credential_compromise/detected | id email(login) | - | worker"),
    case!("okta/profile", "unclassified/unknown | id email(login) | - | worker date zone kind phase values"),
    case!(
        "okta/unclassified",
        "parked unclassified/unknown | id email(login) | - | worker date zone kind phase",
        "parked unclassified/unknown | id | - | email worker date zone kind phase",
        "nothing",
        "nothing"
    ),
];
