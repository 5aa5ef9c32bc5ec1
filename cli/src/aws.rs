//! What a service said, as one line for the operator.

use aws_sdk_sqs::error::{ProvideErrorMetadata, SdkError};
use rollcall::failure::{Cause, Failure};
use std::error::Error;

/// A service's own code and message where it answered; else what stood in the way.
pub(crate) fn told<E, R>(error: SdkError<E, R>) -> anyhow::Error
where
    E: ProvideErrorMetadata + Error + 'static,
    R: std::fmt::Debug + 'static,
{
    let said = error.as_service_error().map(|service| (service.code(), service.message()));
    match said {
        Some((Some(code), Some(message))) => anyhow::anyhow!("{code}: {message}"),
        Some((Some(code), None)) => anyhow::anyhow!("{code}"),
        Some((None, _)) | None => anyhow::anyhow!("{}", causes(&error)),
    }
}

/// What an operator may look at, where the ledger's own failures name no cause that helps.
pub(crate) fn hint(error: &anyhow::Error) -> Option<&'static str> {
    match error.downcast_ref::<Failure>()? {
        Failure::Retryable { cause: Cause::Unanswered, .. } => Some(
            "DynamoDB does not answer, or refuses: see whether the table is there, and Region, credentials, endpoint and \
             permissions are right",
        ),
        Failure::Retryable { .. } | Failure::Permanent(_) => None,
    }
}

/// An error as one line, with the hint.
pub(crate) fn line(error: &anyhow::Error) -> String {
    let hint = hint(error).map(|hint| format!(": {hint}")).unwrap_or_default();
    format!("{error:#}{hint}")
}

/// An error and what caused it, without the SDK's debug forms: those hold whole requests.
fn causes(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(next) = cause {
        text.push_str(": ");
        text.push_str(&next.to_string());
        cause = next.source();
    }
    text
}
