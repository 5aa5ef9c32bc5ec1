//! What Chime's answers mean: HTTP 200 is not success, and each error has one meaning.

use crate::directory::{Answer, Code, UserId};
use crate::failure::{Cause, Failure, Refusal, RefusalCode, ServiceError, classify, user_error};
use crate::person::WorkEmail;
use aws_sdk_chime::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_chime::types::{EmailStatus, Invite, InviteStatus, UserError};
use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use std::collections::HashMap;

/// The answer for each user of a batch that the service took: HTTP 200 is not success.
///
/// An entry that names nobody who was sent may be about anybody: then who has no entry is not confirmed.
pub(super) fn per_user(users: &[UserId], errors: Vec<UserError>) -> Vec<Answer> {
    let mut named: HashMap<String, String> = HashMap::new();
    let mut nameless = false;
    for error in errors {
        let code = error.error_code.map_or_else(String::new, |code| code.as_str().to_owned());
        match error.user_id.filter(|id| users.iter().any(|user| user.as_ref() == id)) {
            Some(id) => drop(named.insert(id, code)),
            None => nameless = true,
        }
    }
    users
        .iter()
        .map(|user| match named.get(user.as_ref()) {
            Some(code) => answer(user_error(code), code),
            None if nameless => Answer::Unknown,
            None => Answer::Confirmed,
        })
        .collect()
}

pub(super) fn whole<E: ProvideErrorMetadata>(error: &SdkError<E, HttpResponse>) -> Answer {
    let code = error.as_service_error().and_then(ProvideErrorMetadata::code).unwrap_or("unnamed");
    answer(meaning(error), code)
}

pub(super) fn answer(meaning: ServiceError, code: &str) -> Answer {
    match meaning {
        ServiceError::Throttled => Answer::Throttled,
        ServiceError::Unknown => Answer::Unknown,
        ServiceError::NotFound => Answer::NotFound,
        ServiceError::Refused => Answer::Refused(Code::new(code)),
    }
}

pub(super) fn meaning<E: ProvideErrorMetadata>(error: &SdkError<E, HttpResponse>) -> ServiceError {
    if matches!(error, SdkError::ConstructionFailure(_)) {
        // The request never left: it cannot be built, and will not be next time.
        return ServiceError::Refused;
    }
    let code = error.as_service_error().and_then(ProvideErrorMetadata::code);
    let status = error.raw_response().map(|response| response.status().as_u16());
    classify(code, status)
}

/// What a failed read means. A read that is refused parks the event: somebody must mend the role or the account.
pub(super) fn read_failure<E: ProvideErrorMetadata>(error: &SdkError<E, HttpResponse>) -> Failure {
    match meaning(error) {
        ServiceError::Throttled => Failure::retryable(Cause::Throttled),
        ServiceError::Unknown | ServiceError::NotFound => Failure::retryable(Cause::Unanswered),
        ServiceError::Refused => {
            let code = Code::new(error.as_service_error().and_then(ProvideErrorMetadata::code).unwrap_or("unnamed"));
            let message = format!("refused a look-up with {code}");
            Failure::Permanent(Refusal::new(RefusalCode::RefusedByDirectory, "directory", message))
        }
    }
}

/// An answer without what the service model promises.
pub(super) fn unreadable(operation: &'static str) -> Failure {
    tracing::error!(operation, "an answer of the directory lacks what its model promises");
    Failure::retryable(Cause::IncompleteListing)
}

/// The answer for each address of an invitation that the service took, matched by address. One that is not there may
/// have been invited or not.
pub(super) fn per_address(addresses: &[WorkEmail], invites: &[Invite]) -> Vec<Answer> {
    let of = |address: &WorkEmail| {
        let same = |invite: &&Invite| {
            invite.email_address.as_deref().is_some_and(|email| email.to_lowercase() == address.as_ref())
        };
        invites.iter().find(same)
    };
    addresses
        .iter()
        .map(|address| match of(address) {
            None => Answer::Unknown,
            Some(invite) => {
                let failed = invite.status == Some(InviteStatus::Failed);
                if failed || invite.email_status == Some(EmailStatus::Failed) {
                    Answer::Bounced
                } else {
                    Answer::Confirmed
                }
            }
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(user: Option<&str>, code: &str) -> UserError {
        UserError::builder().set_user_id(user.map(str::to_owned)).error_code(code.into()).build()
    }

    #[test]
    fn http_200_confirms_only_who_has_no_entry() {
        let users: Vec<UserId> = ["u1", "u2"].map(|id| UserId::try_from(id.to_owned()).unwrap()).to_vec();
        let table = [
            (vec![], [Answer::Confirmed, Answer::Confirmed]),
            (vec![entry(Some("u2"), "NotFound")], [Answer::Confirmed, Answer::NotFound]),
            (vec![entry(Some("u1"), "Throttled")], [Answer::Throttled, Answer::Confirmed]),
            // An entry about nobody who was sent may be about anybody.
            (vec![entry(None, "Forbidden")], [Answer::Unknown, Answer::Unknown]),
            (vec![entry(Some("u9"), "Forbidden"), entry(Some("u1"), "NotFound")], [Answer::NotFound, Answer::Unknown]),
        ];
        for (errors, expected) in table {
            assert_eq!(per_user(&users, errors), expected);
        }
    }
}
