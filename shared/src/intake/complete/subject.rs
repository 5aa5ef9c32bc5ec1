//! Whom an event is about: employee number, work address, and a provider's id that names one person only.

use super::known::{Known, is_canonical};
use super::{Event, Whence};
use crate::event::wire::{Detail, EmailKind};
use crate::event::{Kind, Missing};
use crate::intake::Source;
use crate::person::{SubjectId, WorkerId};
use crate::policy::SourceRules;

/// Completes whom the event is about.
pub(super) fn complete(event: &mut Event, known: &Known<'_>) {
    worker(event, known);
    email(event, known);
    let id = event.detail.subject.provider_subject_id.take();
    event.detail.subject.provider_subject_id = id.map(|id| qualified(known.source, &id));
}

/// The sender's own id of a person as events carry it: `<source>:<id>`, since two senders may use one number. Rollcall's
/// own events say themselves what they mean; an id that would become too long is no other's.
pub(super) fn qualified(source: Source, id: &str) -> String {
    let whole = format!("{}:{id}", source.as_str());
    let already = id.split_once(':').is_some_and(|(named, _)| named == source.as_str());
    if is_canonical(source) || already || SubjectId::parse(&whole).is_err() { id.to_owned() } else { whole }
}

/// The employee number that the sender's own id is, where the policy says so.
pub(super) fn worker_of_policy(detail: &Detail, source: Source, rules: &SourceRules) -> Option<String> {
    let is_number = rules.of(source).is_some_and(|rule| rule.subject_is_worker_id);
    let id = detail.subject.provider_subject_id.as_deref().filter(|_| is_number)?;
    let bare = id.strip_prefix(&format!("{}:", source.as_str())).unwrap_or(id);
    WorkerId::parse(bare).ok().map(|worker| worker.as_ref().to_owned())
}

fn worker(event: &mut Event, known: &Known<'_>) {
    if event.detail.subject.worker_id.is_some() {
        return;
    }
    let row = known.gathered.row.as_ref().map(|row| &row.worker_id);
    let employee = known.gathered.employee.as_ref().and_then(|employee| employee.worker_id.as_ref());
    let text = |worker: &WorkerId| worker.as_ref().to_owned();
    let found = worker_of_policy(&event.detail, known.source, known.rules)
        .map(|worker| (worker, Whence::Policy))
        .or(row.map(|worker| (text(worker), Whence::Roster)))
        .or(employee.map(|worker| (text(worker), Whence::Api)));
    if let Some((worker, whence)) = found {
        event.detail.subject.worker_id = Some(worker);
        event.fill(Missing::WorkerId, whence);
    }
}

/// The work address. A private one is none, and goes no further than it must.
fn email(event: &mut Event, known: &Known<'_>) {
    let subject = &mut event.detail.subject;
    let personal = matches!(subject.email_kind, Some(EmailKind::Personal));
    if subject.email.is_some() && !personal {
        return;
    }
    // A change of address that does not tell the new one: what the roster has may be the old one.
    let changes = event.detail.kind == Kind::IdentityChange;
    let row = known.gathered.row.as_ref().and_then(|row| row.email.as_ref());
    let employee = known.gathered.employee.as_ref().and_then(|employee| employee.email.as_ref());
    let found = row.map(|email| (email, Whence::Roster)).or(employee.map(|email| (email, Whence::Api)));
    if let Some((email, whence)) = found.filter(|_| !changes) {
        subject.email = Some(email.as_ref().to_owned());
        subject.email_kind = Some(EmailKind::Work);
        event.fill(Missing::Email, whence);
    } else if personal && (subject.worker_id.is_some() || subject.provider_subject_id.is_some()) {
        subject.email = None;
        subject.email_kind = None;
        event.detail.missing.insert(Missing::Email);
    }
}

/// Somebody is named by more than a private address.
pub(super) fn names_somebody(detail: &Detail) -> bool {
    let subject = &detail.subject;
    let at_work = subject.email.is_some() && !matches!(subject.email_kind, Some(EmailKind::Personal));
    at_work || subject.worker_id.is_some() || subject.provider_subject_id.is_some()
}
