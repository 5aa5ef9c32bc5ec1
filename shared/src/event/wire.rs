//! The event as it travels: the shape of the EventBridge `detail`.
//!
//! These types mirror the published schema and nothing else; [`super::parse`] turns them into a
//! [`super::WorkerEvent`] that cannot be wrong. Times and dates are text here: a parser's error would quote them. The schema in `events/schema/` is generated from them.

use super::strict::{object, objects, optional_object};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

/// A worker life-cycle event (the EventBridge `detail`), at most 64 KB of JSON.
#[derive(Clone, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Detail {
    /// Version of this shape; always `1.0`.
    pub schema_version: SchemaVersion,
    /// Business id, stable across redelivery, replay and redrive.
    #[schemars(regex(pattern = r"^[A-Za-z0-9._:-]{1,128}$"))]
    pub event_id: String,
    /// What happened.
    pub kind: Kind,
    /// Whether it is announced, in force or taken back.
    pub phase: Phase,
    /// When the sender says that it asserted this, in UTC (`…Z`).
    #[schemars(with = "String", extend("format" = "date-time", "pattern" = "Z$"))]
    pub occurred_at: String,
    /// Where `occurredAt` comes from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub occurred_at_source: Option<OccurredAtSource>,
    /// When intake received it, in UTC.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "String", extend("format" = "date-time", "pattern" = "Z$"))]
    pub received_at: Option<String>,
    /// Which system said so.
    #[serde(deserialize_with = "optional_object", default, skip_serializing_if = "Option::is_none")]
    pub provider: Option<Provider>,
    /// Whom it is about: `workerId`, `email` or `providerSubjectId` at least.
    #[serde(deserialize_with = "object")]
    pub subject: Subject,
    /// When it bites. Required for dated kinds.
    #[serde(deserialize_with = "optional_object", default, skip_serializing_if = "Option::is_none")]
    pub effective: Option<Effective>,
    /// Login status before and after.
    #[serde(deserialize_with = "optional_object", default, skip_serializing_if = "Option::is_none")]
    pub status: Option<Status>,
    /// Why.
    #[serde(deserialize_with = "optional_object", default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<Reason>,
    /// Which fields changed.
    #[serde(deserialize_with = "objects", default, skip_serializing_if = "Vec::is_empty")]
    pub changes: Vec<Change>,
    /// Which credential was compromised.
    #[serde(deserialize_with = "optional_object", default, skip_serializing_if = "Option::is_none")]
    pub credential: Option<Credential>,
    /// Facts that this event does not carry. No destructive action is taken while one that it needs is here.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub missing: BTreeSet<Missing>,
    /// How far the sender was authenticated.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub assurance: Option<Assurance>,
    /// SHA-256 of the sender's raw element, lower-case hexadecimal.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(regex(pattern = r"^[0-9a-f]{64}$"))]
    pub raw_sha256: Option<String>,
    /// Which fact this asserts, corrects or rescinds. Default: kind and effective date.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fact_id: Option<String>,
    /// What a request of the audit rests on. For people: nothing is decided by it.
    #[serde(deserialize_with = "optional_object", default, skip_serializing_if = "Option::is_none")]
    pub evidence: Option<Evidence>,
}

/// The version of [`Detail`].
#[derive(Clone, Copy, Serialize, Deserialize, JsonSchema)]
pub enum SchemaVersion {
    /// The only version so far.
    #[serde(rename = "1.0")]
    V1,
}

/// What happened to a person, a login or a licence.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// A first employment starts.
    Hire,
    /// An employment ends.
    Termination,
    /// An employment starts again.
    Rehire,
    /// Job, department, location or manager changes.
    JobChange,
    /// A leave starts.
    Leave,
    /// A leave ends.
    Return,
    /// Name or address changes.
    IdentityChange,
    /// An identity provider activated or deactivated the login. Not a termination.
    AccountStatus,
    /// A credential of the person is in foreign hands.
    CredentialCompromise,
    /// A sender's event that nobody could read.
    Unclassified,
    /// The licence audit asks for a licence back.
    LicenseReclaim,
    /// The licence audit found a user whom HR no longer employs or does not know. Evidence, not a fact.
    AccessRemoval,
}

impl Kind {
    /// The name in events.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Kind::Hire => "hire",
            Kind::Termination => "termination",
            Kind::Rehire => "rehire",
            Kind::JobChange => "job_change",
            Kind::Leave => "leave",
            Kind::Return => "return",
            Kind::IdentityChange => "identity_change",
            Kind::AccountStatus => "account_status",
            Kind::CredentialCompromise => "credential_compromise",
            Kind::Unclassified => "unclassified",
            Kind::LicenseReclaim => "license_reclaim",
            Kind::AccessRemoval => "access_removal",
        }
    }
}

/// The stage of a fact that an event reports.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Phase {
    /// Announced for a later time.
    Scheduled,
    /// In force.
    Effective,
    /// Taken back: it is not so.
    Rescinded,
    /// Only with [`Kind::Unclassified`].
    Unknown,
    /// Only with [`Kind::CredentialCompromise`].
    Detected,
    /// Only with Rollcall's own requests.
    Requested,
}

/// Where `occurredAt` comes from.
#[derive(Clone, Copy, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum OccurredAtSource {
    /// The sender's payload.
    Payload,
    /// The payload, without an offset: read as UTC.
    PayloadAssumedUtc,
    /// A transport header.
    Header,
    /// The time of receipt.
    Received,
}

/// The system that sent the fact.
#[derive(Clone, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Provider {
    /// Name of the system.
    pub name: String,
    /// Its tenant.
    #[serde(default)]
    pub tenant: Option<String>,
    /// Its own name for this kind of event.
    pub event_type: String,
    /// Its own id of this event.
    #[serde(default)]
    pub event_id: Option<String>,
    /// Its ordering token, for example a sequence number.
    #[serde(default)]
    pub revision: Option<String>,
}

/// Whom the event is about.
#[derive(Clone, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schemars(extend("anyOf" = [{"required": ["workerId"]}, {"required": ["email"]}, {"required": ["providerSubjectId"]}]))]
pub struct Subject {
    /// HR's employee number, always a string (leading zeros).
    #[serde(default)]
    pub worker_id: Option<String>,
    /// The sender's own id of the person.
    #[serde(default)]
    pub provider_subject_id: Option<String>,
    /// The person's address.
    #[serde(default)]
    #[schemars(extend("format" = "email"))]
    pub email: Option<String>,
    /// What kind of address.
    #[serde(default)]
    pub email_kind: Option<EmailKind>,
    /// The address before a change.
    #[serde(default)]
    pub previous_email: Option<String>,
    /// The person's name.
    #[serde(default)]
    pub display_name: Option<String>,
}

/// What kind of address the sender gave.
#[derive(Clone, Copy, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum EmailKind {
    /// The employer's address.
    Work,
    /// The login name.
    Login,
    /// A private address.
    Personal,
    /// Not known.
    Unknown,
}

/// When the change bites.
#[derive(Clone, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Effective {
    /// The date in the person's work zone.
    #[serde(default)]
    #[schemars(with = "Option<String>", extend("format" = "date"))]
    pub date: Option<String>,
    /// The instant, where the sender gave one or zone and basis are known.
    #[serde(default)]
    #[schemars(with = "Option<String>", extend("format" = "date-time"))]
    pub at: Option<String>,
    /// IANA zone of the work site.
    #[serde(default)]
    pub zone: Option<String>,
    /// What the date means.
    #[serde(default)]
    pub basis: Basis,
    /// Where it comes from.
    #[serde(default)]
    pub source: EffectiveSource,
}

/// What an effective date means.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Basis {
    /// The change bites at the end of that day.
    LastDayWorked,
    /// The change bites at the start of that day; the day is already without work.
    FirstDayInactive,
    /// The change bites at the start of that day.
    StartOfDay,
    /// The sender gave an instant.
    Instant,
    /// Not known: a date alone is not enough.
    #[default]
    Unknown,
}

/// Where the effective date comes from.
#[derive(Clone, Copy, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum EffectiveSource {
    /// The sender's payload.
    Payload,
    /// Looked up by intake.
    Enriched,
    /// The time of the event itself.
    EventTime,
    /// Nowhere.
    #[default]
    None,
}

/// Login status before and after the event.
#[derive(Clone, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Status {
    /// Before.
    #[serde(default)]
    pub before: Option<LoginStatus>,
    /// After.
    #[serde(default)]
    pub after: Option<LoginStatus>,
}

/// A status that an identity provider reports.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum LoginStatus {
    /// May sign in.
    Active,
    /// Not yet activated.
    Pending,
    /// On leave.
    OnLeave,
    /// Blocked for a time.
    Suspended,
    /// Switched off.
    Deactivated,
    /// Employment over.
    Terminated,
    /// Gone.
    Deleted,
    /// Not known.
    Unknown,
}

/// Why.
#[derive(Clone, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Reason {
    /// The sender's code.
    #[serde(default)]
    pub code: Option<String>,
    /// What it amounts to.
    #[serde(default)]
    pub category: Option<ReasonCategory>,
}

/// What a reason amounts to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ReasonCategory {
    /// The person's own wish.
    Voluntary,
    /// Not the person's wish.
    Involuntary,
    /// A matter of security.
    Security,
    /// Not known.
    Unknown,
}

/// One changed field.
#[derive(Clone, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Change {
    /// Which.
    pub field: ChangedField,
    /// The value before.
    #[serde(default)]
    pub before: Option<String>,
    /// The value after.
    #[serde(default)]
    pub after: Option<String>,
    /// Whether the values above are the real ones.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub value_known: Option<bool>,
}

/// A field that HR can change.
#[derive(Clone, Copy, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ChangedField {
    /// The address.
    Email,
    /// The name.
    Name,
    /// The job's title.
    JobTitle,
    /// The job's code.
    JobCode,
    /// The department.
    Department,
    /// The location.
    Location,
    /// The manager.
    Manager,
    /// The kind of employment.
    EmploymentType,
    /// Anything else.
    Other,
}

/// A compromised credential.
#[derive(Clone, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Credential {
    /// What kind.
    #[serde(default, rename = "type", skip_serializing_if = "Option::is_none")]
    pub kind: Option<CredentialKind>,
    /// The sender's reference to it.
    #[serde(default, rename = "ref")]
    pub reference: Option<String>,
}

/// A kind of credential.
#[derive(Clone, Copy, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum CredentialKind {
    /// A password.
    Password,
    /// An access key.
    AccessKey,
    /// A session.
    Session,
    /// A second factor.
    Mfa,
    /// Anything else.
    Other,
}

/// What a request of the audit rests on. It says whom the audit saw where, and asserts nothing.
#[derive(Clone, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Evidence {
    /// The run of the audit that found it.
    pub run: String,
    /// The rule by which it was found.
    pub rule: String,
    /// How sure the rule is.
    pub confidence: String,
    /// The account that the directory showed the user in.
    #[serde(default)]
    pub account: Option<String>,
    /// The directory's id of the user.
    #[serde(default)]
    pub user: Option<String>,
    /// When the roster was loaded that the user was compared with.
    #[serde(default)]
    pub roster_loaded_at: Option<String>,
}

/// A fact that an event does not carry.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
pub enum Missing {
    /// The address.
    #[serde(rename = "subject.email")]
    Email,
    /// The employee number.
    #[serde(rename = "subject.workerId")]
    WorkerId,
    /// The effective date.
    #[serde(rename = "effective.date")]
    EffectiveDate,
    /// The zone of the date.
    #[serde(rename = "effective.zone")]
    EffectiveZone,
    /// The kind.
    #[serde(rename = "kind")]
    Kind,
    /// The phase.
    #[serde(rename = "phase")]
    Phase,
    /// The changed values.
    #[serde(rename = "changes.values")]
    ChangedValues,
    /// When the sender asserted it.
    #[serde(rename = "occurredAt")]
    OccurredAt,
}

/// How far the sender was authenticated.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Assurance {
    /// A partner event bus.
    PartnerBus,
    /// An AWS service.
    AwsService,
    /// A keyed hash over the body.
    HmacBody,
    /// A keyed hash over body and time.
    HmacBodyTimestamp,
    /// A fixed secret.
    StaticSecret,
    /// A signed token.
    SignedJwt,
    /// A token bound to its holder.
    OauthPop,
    /// Fetched by intake itself.
    Polled,
    /// Not at all.
    None,
}
