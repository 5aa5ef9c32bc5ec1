//! Who an event is about: identifiers that cannot be wrong, and never show themselves.
//!
//! Identifiers of people are personal data. Their `Debug` is redacted; the ledger knows them by a keyed hash only.

mod due;
mod facts;
mod job;

pub use due::{Access, AccessPolicy, Employment};
pub use facts::{Asserted, Assertion, Fact, FactKind, Facts, Standing, TooManyFacts};
pub use job::Job;

use crate::failure::{Refusal, RefusalCode};
use crate::seal::Keys;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use std::cmp::Ordering;
use std::fmt;

/// The longest identifier that is accepted, in bytes.
const IDENTIFIER_LIMIT: usize = 256;

macro_rules! personal {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(String);

        impl AsRef<str> for $name {
            fn as_ref(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(concat!(stringify!($name), "(redacted)"))
            }
        }
    };
}

personal! {
    /// HR's employee number. A string: leading zeros count.
    WorkerId
}
personal! {
    /// The identity provider's own id of a person.
    SubjectId
}
personal! {
    /// A work address, lower case. Chime compares addresses without regard to case.
    WorkEmail
}

impl WorkerId {
    /// Reads an employee number.
    ///
    /// # Errors
    /// A [`Refusal`] that names `detail.subject.workerId`.
    pub fn parse(text: &str) -> Result<WorkerId, Refusal> {
        identifier(text, "detail.subject.workerId").map(WorkerId)
    }
}

impl SubjectId {
    /// Reads an identity provider's id.
    ///
    /// # Errors
    /// A [`Refusal`] that names `detail.subject.providerSubjectId`.
    pub fn parse(text: &str) -> Result<SubjectId, Refusal> {
        identifier(text, "detail.subject.providerSubjectId").map(SubjectId)
    }
}

impl WorkEmail {
    /// Reads an address: something, `@`, and a domain with a dot, without spaces (Chime's own pattern is `.+@.+\..+`).
    ///
    /// # Errors
    /// A [`Refusal`] that names `detail.subject.email`.
    pub fn parse(text: &str) -> Result<WorkEmail, Refusal> {
        let whole = text.trim().to_lowercase();
        let good = whole.len() <= IDENTIFIER_LIMIT
            && !whole.chars().any(|c| c.is_whitespace() || c.is_control())
            && whole.rsplit_once('@').is_some_and(|(name, domain)| {
                !name.is_empty()
                    && domain.split_once('.').is_some_and(|(host, top)| !host.is_empty() && !top.is_empty())
            });
        if good {
            return Ok(WorkEmail(whole));
        }
        Err(Refusal::new(RefusalCode::InvalidField, "detail.subject.email", "must be an e-mail address"))
    }

    /// The part after the last `@`.
    #[must_use]
    pub fn domain(&self) -> &str {
        self.0.rsplit_once('@').map_or("", |(_, domain)| domain)
    }
}

fn identifier(text: &str, field: &'static str) -> Result<String, Refusal> {
    let whole = text.trim();
    if whole.is_empty() || whole.len() > IDENTIFIER_LIMIT || whole.chars().any(char::is_control) {
        return Err(Refusal::new(RefusalCode::InvalidField, field, "must be 1 to 256 visible characters"));
    }
    Ok(whole.to_owned())
}

/// All that an event says about who it is about; at least one member is there.
#[derive(Clone, Debug)]
pub struct Subject {
    /// HR's employee number.
    pub worker_id: Option<WorkerId>,
    /// The identity provider's id.
    pub provider_subject: Option<SubjectId>,
    /// The address.
    pub email: Option<WorkEmail>,
    /// The address that the person gave up, where an event tells that it changed.
    pub former_email: Option<WorkEmail>,
}

impl Subject {
    /// The keyed hashes of the identifiers, strongest first: employee number, provider's id, address.
    ///
    /// Where nothing but addresses is known, the address before a change says who it is, and the new one is tied to it.
    #[must_use]
    pub fn identities(&self, realm: &str, keys: &Keys) -> Vec<Identity> {
        let by_address = self.worker_id.is_none() && self.provider_subject.is_none();
        [
            (What::Worker, self.worker_id.as_ref().map(AsRef::as_ref)),
            (What::Subject, self.provider_subject.as_ref().map(AsRef::as_ref)),
            (What::Email, self.changed_email().filter(|_| by_address).map(AsRef::as_ref)),
            (What::Email, self.email.as_ref().map(AsRef::as_ref)),
        ]
        .into_iter()
        .filter_map(|(what, value)| Some(identity(what, value?, realm, keys)))
        .collect()
    }

    /// The address that the person gave up at a time, which may be anybody's from then on. `None` where it is all that
    /// names them.
    #[must_use]
    pub fn given_up(&self, at: Timestamp, realm: &str, keys: &Keys) -> Option<GivenUp> {
        let by_more = self.worker_id.is_some() || self.provider_subject.is_some();
        let address = self.changed_email().filter(|_| by_more)?.as_ref();
        let hash = keys.hash(&[realm, What::Email.as_str(), address, &at.to_string()]);
        Some(GivenUp { address: identity(What::Email, address, realm, keys), stranger: PersonKey(hash) })
    }

    /// The address before, where it is another one.
    fn changed_email(&self) -> Option<&WorkEmail> {
        self.former_email.as_ref().filter(|former| self.email.as_ref() != Some(former))
    }
}

/// An address that somebody gave up, and whoever comes with it alone from then on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GivenUp {
    /// The address.
    pub address: Identity,
    /// Nobody who is known.
    pub stranger: PersonKey,
}

fn identity(what: What, value: &str, realm: &str, keys: &Keys) -> Identity {
    Identity { what, hash: keys.hash(&[realm, what.as_str(), value]), realm: realm.to_owned() }
}

/// What kind of identifier an [`Identity`] stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum What {
    /// An employee number.
    Worker,
    /// An identity provider's id.
    Subject,
    /// An address.
    Email,
}

impl What {
    /// The stronger of two kinds: an employee number, then a provider's id, then an address.
    #[must_use]
    pub fn stronger(self, other: Option<What>) -> What {
        let rank = |what: What| match what {
            What::Worker => 2,
            What::Subject => 1,
            What::Email => 0,
        };
        other.filter(|other| rank(*other) > rank(self)).unwrap_or(self)
    }

    fn as_str(self) -> &'static str {
        match self {
            What::Worker => "worker",
            What::Subject => "subject",
            What::Email => "email",
        }
    }
}

/// One identifier of a person, hashed with the person key.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Identity {
    what: What,
    realm: String,
    hash: String,
}

impl Identity {
    /// An identifier that somebody names, for example an operator: an address has an `@` and is compared in lower case.
    #[must_use]
    pub fn named(realm: &str, what: What, value: &str, keys: &Keys) -> Identity {
        identity(what, value, realm, keys)
    }

    /// What kind of identifier it is.
    #[must_use]
    pub fn what(&self) -> What {
        self.what
    }

    /// The person that this identifier names by itself.
    #[must_use]
    pub fn person(&self) -> PersonKey {
        PersonKey(self.hash.clone())
    }

    /// The ledger key under which this identifier is tied to a person.
    #[must_use]
    pub fn alias_key(&self) -> String {
        format!("alias#{}#{}#{}", self.realm, self.what.as_str(), self.hash)
    }
}

/// A person, known by a keyed hash: 32 hexadecimal digits. Safe to log.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct PersonKey(String);

impl PersonKey {
    /// The person that an identifier names by itself.
    #[must_use]
    pub fn named(realm: &str, what: What, value: &str, keys: &Keys) -> PersonKey {
        identity(what, value, realm, keys).person()
    }

    /// The hash as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The ledger key of the person's item.
    #[must_use]
    pub fn item_key(&self) -> String {
        format!("person#{}", self.0)
    }

    /// The person that an identifier names by itself, by its ledger key (`alias#<realm>#<what>#<hash>`); `None` where it is
    /// no alias's.
    #[must_use]
    pub fn of_alias(key: &str) -> Option<PersonKey> {
        let hash = key.strip_prefix("alias#")?.rsplit('#').next()?;
        Some(PersonKey(hash.to_owned()))
    }

    /// A key as it is printed: 32 hexadecimal digits; `None` for anything else.
    #[must_use]
    pub fn parse(text: &str) -> Option<PersonKey> {
        let hash = text.strip_prefix("person#").unwrap_or(text);
        let is_hash =
            hash.len() == 32 && hash.bytes().all(|byte| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte));
        is_hash.then(|| PersonKey(hash.to_owned()))
    }

    /// Whose item a ledger key is of; `None` where it is no person's.
    #[must_use]
    pub fn of_item(key: &str) -> Option<PersonKey> {
        key.strip_prefix("person#").map(|hash| PersonKey(hash.to_owned()))
    }
}

/// Names one fact of a person: 1 to 256 visible characters.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct FactId(String);

/// A sender chose it: it may be anything.
impl fmt::Debug for FactId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("FactId(redacted)")
    }
}

/// A sender's ordering token inside one fact: numbers by value, before them no token, after them words.
#[derive(Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Revision(String);

impl Revision {
    /// Reads a token.
    ///
    /// # Errors
    /// A [`Refusal`] that names `detail.provider.revision`.
    pub fn parse(text: &str) -> Result<Revision, Refusal> {
        identifier(text, "detail.provider.revision").map(Revision)
    }

    /// The token as text. A sender chose it: not for logs.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    fn order(&self) -> (u8, u128, &str) {
        self.0.parse().map_or((1, 0, self.0.as_str()), |number| (0, number, ""))
    }
}

impl Ord for Revision {
    fn cmp(&self, other: &Revision) -> Ordering {
        self.order().cmp(&other.order()).then_with(|| self.0.cmp(&other.0))
    }
}

impl PartialOrd for Revision {
    fn partial_cmp(&self, other: &Revision) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

/// A sender chose it: it may be anything.
impl fmt::Debug for Revision {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Revision(redacted)")
    }
}

impl FactId {
    /// Reads a fact's name.
    ///
    /// # Errors
    /// A [`Refusal`] that names `detail.factId`.
    pub fn parse(text: &str) -> Result<FactId, Refusal> {
        identifier(text, "detail.factId").map(FactId)
    }

    /// The name as text. A sender chose it: not for logs.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}
