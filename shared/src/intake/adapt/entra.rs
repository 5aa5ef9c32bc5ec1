//! Microsoft Entra lifecycle workflows, relayed by a Logic App.
//!
//! A workflow ran for a person: the id, the address and the login name, and no employee number, date or kind beyond the
//! workflow's own id. A notice. The id of the event is `taskProcessingResult.id`.
//!
//! The reference does not say in which object the members stand: `data` is looked into, and the body itself. It tells no
//! time of the run.

use super::draft::single;
use super::element::Element;
use super::{Adapted, Received, Source};
use crate::event::wire::EmailKind;

pub(super) fn adapt(received: Received<'_>) -> Vec<Adapted> {
    single(Source::Entra, received, |draft, event| {
        let draft = draft.named(id(event, "workflow.id").as_deref()).id(id(event, "taskProcessingResult.id"));
        let draft = draft.provider_subject(id(event, "subject.id"));
        let draft = match (id(event, "subject.email"), id(event, "subject.userPrincipalName")) {
            (Some(email), _) => draft.email(Some(&email), EmailKind::Unknown),
            (None, login) => draft.email(login.as_deref(), EmailKind::Login),
        };
        match id(event, "subject.id") {
            Some(_) => draft.notice(),
            None => draft.unclassified("there is no subject"),
        }
    })
}

fn id(event: &Element<'_>, path: &str) -> Option<String> {
    event.id(&format!("data.{path}")).or_else(|| event.id(path))
}

#[cfg(test)]
pub(super) const CASES: &[super::tests::Case] = &[
    case!("entra/workflow", "unclassified/unknown | id email(unknown) | - | worker date zone kind phase time"),
    case!("entra/login", "unclassified/unknown | id email(login) | - | worker date zone kind phase time"),
    case!("entra/unclassified", "parked unclassified/unknown | id | - | email worker date zone kind phase time"),
];
