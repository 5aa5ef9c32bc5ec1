//! One question of every error: will trying again help?
//!
//! [`classify`] is the only table of service errors; [`user_error`] the only one of per-user errors inside HTTP 200.

use serde::{Deserialize, Serialize};
use std::borrow::Cow;
use std::fmt;
use std::time::Duration;
use thiserror::Error;

/// Why something did not work.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum Failure {
    /// Trying again may help. The message goes back to the queue.
    #[error("{cause}")]
    Retryable {
        /// What stood in the way.
        cause: Cause,
        /// When to try again; `None`: after a back-off.
        after: Option<Duration>,
    },
    /// Trying again will not help. The message is parked in the dead-letter queue, with the reason.
    #[error("{0}")]
    Permanent(Refusal),
}

impl Failure {
    /// A passing failure with the usual back-off.
    #[must_use]
    pub fn retryable(cause: Cause) -> Failure {
        Failure::Retryable { cause, after: None }
    }

    /// When to try again, where somebody said so.
    #[must_use]
    pub fn after(&self) -> Option<Duration> {
        match self {
            Failure::Retryable { after, .. } => *after,
            Failure::Permanent(_) => None,
        }
    }
}

/// What stands in the way for now.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Cause {
    /// The service asks for fewer requests. It did nothing.
    Throttled,
    /// No answer, or an answer of 5xx: whether it took effect is unknown.
    Unanswered,
    /// Another attempt is at work on this person or event.
    Busy,
    /// Other workers changed the same items again and again.
    Contended,
    /// Too little time is left before the deadline.
    OutOfTime,
    /// A listing did not come to its end, so nobody may be called absent.
    IncompleteListing,
    /// The person's remembered user id is no longer there: look again.
    StaleId,
    /// The code that handles this record panicked.
    Panicked,
    /// The event bites within two minutes: clocks differ, and what is due so soon is not scheduled.
    NotQuiteYet,
    /// Another worker took this event over.
    Fenced,
    /// A sender's own API refuses our token, or what it may read: once it is renewed, trying again helps.
    TokenRefused,
}

impl Cause {
    /// The name in logs and in the ledger.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Cause::Throttled => "throttled",
            Cause::Unanswered => "unanswered",
            Cause::Busy => "busy",
            Cause::Contended => "contended",
            Cause::OutOfTime => "out_of_time",
            Cause::IncompleteListing => "incomplete_listing",
            Cause::StaleId => "stale_id",
            Cause::Panicked => "panicked",
            Cause::NotQuiteYet => "not_quite_yet",
            Cause::Fenced => "fenced",
            Cause::TokenRefused => "token_refused",
        }
    }
}

impl fmt::Display for Cause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A permanent no: what was wrong, where, and what it must be. It holds no personal data.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("{field} {message}")]
pub struct Refusal {
    /// The kind of refusal: `ErrorCode` of the parked message.
    pub code: RefusalCode,
    /// The field that is wrong, as a path from the body.
    pub field: Cow<'static, str>,
    /// What it must be.
    pub message: Cow<'static, str>,
}

impl Refusal {
    /// Builds a refusal. Neither field nor message may hold anything that a sender wrote.
    pub fn new(
        code: RefusalCode,
        field: impl Into<Cow<'static, str>>,
        message: impl Into<Cow<'static, str>>,
    ) -> Refusal {
        Refusal { code, field: field.into(), message: message.into() }
    }
}

/// The kinds of permanent refusal.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RefusalCode {
    /// The body or detail is not JSON.
    NotJson,
    /// The body is no envelope that is known.
    WrongEnvelope,
    /// The detail-type disagrees with the detail, or is another function's.
    WrongDetailType,
    /// The body or detail is too large.
    TooLarge,
    /// A field has a value that it cannot have.
    InvalidField,
    /// A required field is not there.
    MissingField,
    /// `occurredAt` lies more than 5 minutes ahead.
    FromTheFuture,
    /// The change bites later: publish it as scheduled.
    NotYetEffective,
    /// The event is too old to act on.
    TooOld,
    /// The same id came before with another meaning.
    EventIdReused,
    /// The person's facts do not fit into the ledger.
    TooManyFacts,
    /// The address is in several accounts.
    SeveralAccounts,
    /// The policy names an account that the directory does not have.
    UnknownAccount,
    /// The directory has no account for the address, and the policy names none.
    NoAccount,
    /// The account is suspended as a whole.
    AccountSuspended,
    /// Licences of the account come from the groups of the company's directory.
    LicenceByGroups,
    /// The account does not offer the policy's licence.
    UnsupportedLicence,
    /// The directory refuses the step.
    RefusedByDirectory,
    /// 24 hours went by since the first attempt.
    GaveUp,
    /// Five attempts ended without an outcome.
    AttemptsExhausted,
    /// The code that handles this record panics each time.
    Panicked,
    /// A released event does not open with the person key.
    Unopenable,
    /// Nobody can say what a sender means.
    Unclassified,
    /// What was received is not kept any more.
    Expired,
}

impl RefusalCode {
    /// The name in message attributes, logs and the ledger.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            RefusalCode::NotJson => "not_json",
            RefusalCode::WrongEnvelope => "wrong_envelope",
            RefusalCode::WrongDetailType => "wrong_detail_type",
            RefusalCode::TooLarge => "too_large",
            RefusalCode::InvalidField => "invalid_field",
            RefusalCode::MissingField => "missing_field",
            RefusalCode::FromTheFuture => "from_the_future",
            RefusalCode::NotYetEffective => "not_yet_effective",
            RefusalCode::TooOld => "too_old",
            RefusalCode::EventIdReused => "event_id_reused",
            RefusalCode::TooManyFacts => "too_many_facts",
            RefusalCode::SeveralAccounts => "several_accounts",
            RefusalCode::UnknownAccount => "unknown_account",
            RefusalCode::NoAccount => "no_account",
            RefusalCode::AccountSuspended => "account_suspended",
            RefusalCode::LicenceByGroups => "licence_by_groups",
            RefusalCode::UnsupportedLicence => "unsupported_licence",
            RefusalCode::RefusedByDirectory => "refused_by_directory",
            RefusalCode::GaveUp => "gave_up",
            RefusalCode::AttemptsExhausted => "attempts_exhausted",
            RefusalCode::Panicked => "panicked",
            RefusalCode::Unopenable => "unopenable",
            RefusalCode::Unclassified => "unclassified",
            RefusalCode::Expired => "expired",
        }
    }
}

/// What a service's error means for the request that met it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ServiceError {
    /// Nothing was done; fewer requests are wanted.
    Throttled,
    /// Whether anything was done is unknown.
    Unknown,
    /// The thing asked for is not there.
    NotFound,
    /// Nothing was done, and nothing will be.
    Refused,
}

/// Classifies a whole answer of the Chime API by its modelled error name and HTTP status.
///
/// The name decides where it is known; else the status. Source: the service model (2018-05-01) lists these exceptions.
#[must_use]
pub fn classify(code: Option<&str>, status: Option<u16>) -> ServiceError {
    match code {
        Some("ThrottledClientException" | "ThrottlingException" | "TooManyRequestsException") => {
            ServiceError::Throttled
        }
        Some("ServiceFailureException" | "ServiceUnavailableException") => ServiceError::Unknown,
        Some("NotFoundException") => ServiceError::NotFound,
        Some(
            "BadRequestException"
            | "UnauthorizedClientException"
            | "ForbiddenException"
            | "AccessDeniedException"
            | "ConflictException"
            | "UnprocessableEntityException"
            | "ResourceLimitExceededException",
        ) => ServiceError::Refused,
        Some(_) | None => match status {
            Some(429) => ServiceError::Throttled,
            Some(404) => ServiceError::NotFound,
            Some(400..=499) => ServiceError::Refused,
            // No answer at all, 5xx, or an answer that cannot be read, a success among them.
            Some(_) | None => ServiceError::Unknown,
        },
    }
}

/// Classifies one entry of `UserErrors`. Source: `ErrorCode` of the service model.
#[must_use]
pub fn user_error(code: &str) -> ServiceError {
    match code {
        "Throttled" | "Throttling" => ServiceError::Throttled,
        "ServiceFailure" | "ServiceUnavailable" => ServiceError::Unknown,
        "NotFound" => ServiceError::NotFound,
        "BadRequest"
        | "Conflict"
        | "Forbidden"
        | "PreconditionFailed"
        | "ResourceLimitExceeded"
        | "AccessDenied"
        | "Unauthorized"
        | "Unprocessable"
        | "VoiceConnectorGroupAssociationsExist"
        | "PhoneNumberAssociationsExist" => ServiceError::Refused,
        // A code that the model does not know yet: the entry says that this user failed, not whether for good.
        _ => ServiceError::Unknown,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_modelled_exception_has_one_answer() {
        let table = [
            (Some("ThrottledClientException"), Some(429), ServiceError::Throttled),
            (Some("ServiceFailureException"), Some(500), ServiceError::Unknown),
            (Some("ServiceUnavailableException"), Some(503), ServiceError::Unknown),
            (Some("NotFoundException"), Some(404), ServiceError::NotFound),
            (Some("BadRequestException"), Some(400), ServiceError::Refused),
            (Some("UnauthorizedClientException"), Some(401), ServiceError::Refused),
            (Some("ForbiddenException"), Some(403), ServiceError::Refused),
            (Some("ConflictException"), Some(409), ServiceError::Refused),
            (Some("UnprocessableEntityException"), Some(422), ServiceError::Refused),
            (None, Some(429), ServiceError::Throttled),
            (None, Some(404), ServiceError::NotFound),
            (None, Some(403), ServiceError::Refused),
            (None, Some(502), ServiceError::Unknown),
            (None, Some(200), ServiceError::Unknown),
            (None, None, ServiceError::Unknown),
            (Some("SomethingNew"), Some(503), ServiceError::Unknown),
        ];
        for (code, status, expected) in table {
            assert_eq!(classify(code, status), expected, "{code:?} {status:?}");
        }
    }

    #[test]
    fn every_user_error_code_has_one_answer() {
        let table = [
            ("BadRequest", ServiceError::Refused),
            ("Conflict", ServiceError::Refused),
            ("Forbidden", ServiceError::Refused),
            ("NotFound", ServiceError::NotFound),
            ("PreconditionFailed", ServiceError::Refused),
            ("ResourceLimitExceeded", ServiceError::Refused),
            ("ServiceFailure", ServiceError::Unknown),
            ("AccessDenied", ServiceError::Refused),
            ("ServiceUnavailable", ServiceError::Unknown),
            ("Throttled", ServiceError::Throttled),
            ("Throttling", ServiceError::Throttled),
            ("Unauthorized", ServiceError::Refused),
            ("Unprocessable", ServiceError::Refused),
            ("VoiceConnectorGroupAssociationsExist", ServiceError::Refused),
            ("PhoneNumberAssociationsExist", ServiceError::Refused),
        ];
        for (code, expected) in table {
            assert_eq!(user_error(code), expected, "{code}");
        }
    }
}
