//! Signature Version 4, in the header or in the query, as far as a service without secrets can read it.
//!
//! Any key is taken, and no signature is computed: what is checked is that the request was meant for this service.

use super::choices::{BadSignature, Choices, ScopeRegion, Unsigned};
use super::http::{ApiError, Exception, Request, query};

const ALGORITHM: &str = "AWS4-HMAC-SHA256";

/// Who signed a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Signer {
    /// The access key.
    pub access_key: String,
}

/// Reads the signature; `None` where there is none.
///
/// # Errors
/// Where it is malformed, or meant for another service.
pub fn signer(request: &Request, choices: &Choices) -> Result<Option<Signer>, ApiError> {
    let refuse = |message: &str| {
        let exception = match choices.bad_signature {
            BadSignature::Unauthorized => Exception::Unauthorized,
            BadSignature::Forbidden => Exception::Forbidden,
        };
        Err(ApiError::new(exception, format!("AWS authorization failed: {message}")))
    };
    let credential = match (&request.authorization, query(&request.query)) {
        (Some(header), _) => in_header(header),
        (None, query) if query.contains_key("X-Amz-Signature") || query.contains_key("X-Amz-Algorithm") => {
            let whole = query.get("X-Amz-Algorithm").is_some_and(|algorithm| algorithm == ALGORITHM)
                && ["X-Amz-Date", "X-Amz-SignedHeaders", "X-Amz-Signature"]
                    .iter()
                    .all(|part| query.contains_key(*part));
            query.get("X-Amz-Credential").filter(|_| whole).cloned()
        }
        (None, _) => {
            return match choices.unsigned {
                Unsigned::Accepted => Ok(None),
                Unsigned::Refused => refuse("the request is not signed"),
            };
        }
    };
    let Some(credential) = credential else {
        return refuse("the signature is malformed");
    };
    // An access key may hold a slash in theory; the four parts after it may not.
    let mut parts = credential.rsplitn(5, '/');
    let (end, service, region, _date, key) = (parts.next(), parts.next(), parts.next(), parts.next(), parts.next());
    let Some(key) = key.filter(|key| !key.is_empty() && end == Some("aws4_request")) else {
        return refuse("the credential scope is malformed");
    };
    if service != Some("chime") {
        return refuse("the credential must be scoped to the service chime");
    }
    if choices.scope_region == ScopeRegion::UsEast1 && region != Some("us-east-1") {
        return refuse("the credential must be scoped to the region us-east-1");
    }
    Ok(Some(Signer { access_key: key.to_owned() }))
}

/// The credential of an `Authorization` header that has all its parts.
fn in_header(header: &str) -> Option<String> {
    let parts = header.strip_prefix(ALGORITHM)?;
    let part = |name: &str| {
        let mut named = parts.split(',').filter_map(|part| part.trim().split_once('='));
        named.find(|(known, _)| *known == name).map(|(_, value)| value.trim())
    };
    part("SignedHeaders").filter(|value| !value.is_empty())?;
    part("Signature").filter(|value| !value.is_empty())?;
    part("Credential").map(str::to_owned)
}
