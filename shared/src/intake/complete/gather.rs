//! Gathering: what the roster and the sender's own API know of the person of an event. Nothing is decided here.

use super::is_notice;
use super::record::Record;
use super::subject;
use super::vendor::{Employee, Vendor, Vendors};
use crate::event::wire::{Detail, EmailKind};
use crate::event::{EventType, Phase};
use crate::failure::Failure;
use crate::host::Host;
use crate::intake::Source;
use crate::person::{SubjectId, WorkEmail, WorkerId};
use crate::policy::SourceRules;
use crate::roster::{Found, Roster, Row, Version};
use jiff::Timestamp;
use std::fmt;
use std::future::Future;

/// What is known of the person of an event, beside the event and the ledger.
#[derive(Clone, Debug, Default)]
pub struct Gathered {
    /// The person's row of the roster in force.
    pub row: Option<Row>,
    /// When the roster in force was dropped; `None` before the first.
    pub roster_at: Option<Timestamp>,
    /// The person as the sender's own API has them now.
    pub employee: Option<Employee>,
    /// Several people of the roster have the identifiers: it is nobody's row.
    pub several: bool,
}

/// What opens a sender's API, in the form that its vendor's module names.
#[derive(Clone, PartialEq, Eq)]
pub struct Token(String);

impl Token {
    /// A token, without the space and line breaks around it.
    #[must_use]
    pub fn new(secret: &str) -> Token {
        Token(secret.trim().to_owned())
    }

    pub(super) fn secret(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Token(redacted)")
    }
}

/// Where tokens of senders' APIs are kept.
pub trait Tokens {
    /// The token of a sender's API; `None` where nobody put one there.
    ///
    /// # Errors
    /// Where the store of tokens does not answer.
    fn token(&self, source: Source) -> impl Future<Output = Result<Option<Token>, Failure>>;
}

/// Looks the person of an event up: in the roster first, then through the sender's own API where that is not enough and a
/// token is there.
///
/// `in_force` is the version of the roster to ask, `None` before the first. The API is asked of `BambooHR`, `HiBob`, Gusto
/// and Personio only; of a notice always, of another event where the roster lacks what the event needs.
///
/// # Errors
/// [`Failure::Retryable`] where the roster, the tokens or the API do not answer, or the API refuses the token.
pub async fn look_up<H: Host, T: Tokens>(
    detail: &Detail,
    source: Source,
    (roster, in_force): (&Roster<H>, Option<&Version>),
    (vendors, tokens): (&Vendors<H>, &T),
    rules: &SourceRules,
) -> Result<Gathered, Failure> {
    let mut gathered = Gathered::default();
    if let Some(version) = in_force {
        gathered.roster_at = Some(version.dropped_at());
        match in_roster(detail, source, roster, version, rules).await? {
            Found::Row(row) => gathered.row = Some(*row),
            Found::Nobody => {}
            Found::Several => gathered.several = true,
        }
    }
    let id = detail.subject.provider_subject_id.as_deref();
    if let Some(id) = id.filter(|_| Vendor::of(source).is_some() && is_wanting(detail, source, &gathered, rules))
        && let Some(token) = tokens.token(source).await?
    {
        gathered.employee = vendors.employee(source, rules.of(source), &token, id).await?;
    }
    Ok(gathered)
}

async fn in_roster<H: Host>(
    detail: &Detail,
    source: Source,
    roster: &Roster<H>,
    version: &Version,
    rules: &SourceRules,
) -> Result<Found, Failure> {
    let subject = &detail.subject;
    let of_policy = || subject::worker_of_policy(detail, source, rules);
    let worker = subject.worker_id.clone().or_else(of_policy).and_then(|worker| WorkerId::parse(&worker).ok());
    // The roster's column may hold them either way. The qualified one is nobody else's.
    let id = subject.provider_subject_id.as_deref();
    let ids = id.into_iter().flat_map(|id| [subject::qualified(source, id), id.to_owned()]);
    let mut subjects: Vec<SubjectId> = ids.filter_map(|id| SubjectId::parse(&id).ok()).collect();
    subjects.dedup();
    // A private address is in no roster of work addresses; should it be, it is another's.
    let personal = matches!(subject.email_kind, Some(EmailKind::Personal));
    let email = subject.email.as_deref().filter(|_| !personal).and_then(|email| WorkEmail::parse(email).ok());
    roster.find(version, worker.as_ref(), &subjects, email.as_ref()).await
}

/// Something is needed that neither the event nor the roster has, and the API may know.
///
/// A date of a roster that is older than the event may be that of another change: the API is asked all the same.
fn is_wanting(detail: &Detail, source: Source, gathered: &Gathered, rules: &SourceRules) -> bool {
    let row = gathered.row.as_ref();
    let worker = detail.subject.worker_id.is_none()
        && row.is_none()
        && subject::worker_of_policy(detail, source, rules).is_none();
    let email = detail.subject.email.is_none() && row.is_none_or(|row| row.email.is_none());
    let dated = EventType::new(detail.kind, detail.phase).is_some_and(EventType::is_dated);
    let told = detail.effective.as_ref().is_some_and(|effective| effective.date.is_some() || effective.at.is_some());
    let occurred: Option<Timestamp> = detail.occurred_at.parse().ok();
    let newer = gathered.roster_at.zip(occurred).is_some_and(|(roster, occurred)| roster > occurred);
    let in_row = newer && row.is_some_and(|row| Record::of_row(row).date_of(detail.kind).is_some());
    let date = dated && detail.phase != Phase::Rescinded && !told && !in_row;
    is_notice(detail) || worker || email || date
}
