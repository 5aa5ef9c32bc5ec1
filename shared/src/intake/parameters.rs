//! Secrets and tokens of sources: parameters of Systems Manager under one prefix.
//!
//! `<prefix>/<source>/secret` is what a source signs with, `<prefix>/<source>/token` what its API wants. Both are
//! `SecureString`s, at rest under Rollcall's key or the account's own key for parameters.
//!
//! A secret is the text itself. While another follows it, it is `{"current": "...", "previous": "..."}`, and both are
//! valid. To rotate: write both here, the new one as `current`; after [`ASKED_AGAIN`] give the sender the new one; when
//! nothing signs with the old one any more, write the new one alone.
//!
//! Secrets Manager: with a prefix that begins with [`SECRETS_MANAGER`], Parameter Store hands secrets of Secrets Manager
//! through, so that `/aws/reference/secretsmanager/rollcall/sources/gusto/secret` is the secret
//! `rollcall/sources/gusto/secret`, always decrypted. The role needs `secretsmanager:GetSecretValue` on it besides; the
//! template's parameter `SourceSecretsIn` sets both.
//! Source: <https://docs.aws.amazon.com/systems-manager/latest/userguide/integration-ps-secretsmanager.html>.

use super::Source;
use super::verify::Secrets;
use crate::failure::{Cause, Failure, ServiceError, classify};
use aws_sdk_ssm::Client;
use aws_sdk_ssm::error::ProvideErrorMetadata;
use jiff::{SignedDuration, Timestamp};
use serde::Deserialize;
use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Mutex, PoisonError};
use thiserror::Error;

#[cfg(test)]
mod tests;

/// What the names of Secrets Manager's secrets begin with in Parameter Store.
pub const SECRETS_MANAGER: &str = "/aws/reference/secretsmanager/";

/// How long a value is used before its parameter is asked for again.
const KEPT: SignedDuration = SignedDuration::from_mins(5);

/// How old a value must be before it is asked for again because it did not do.
///
/// Whoever sends wrong signatures must not use up the account's requests: Parameter Store takes 40 a second by default.
pub const ASKED_AGAIN: SignedDuration = SignedDuration::from_secs(30);

/// The value of a parameter.
#[derive(Clone, PartialEq, Eq)]
pub struct Value(String);

/// It is a secret.
impl fmt::Debug for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Value(redacted)")
    }
}

/// A parameter holds no secret that can be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error(
    "must be the secret, or {{\"current\": ..., \"previous\": ...}}, each at least 16 bytes without space around it"
)]
pub struct NoSecret;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Rotating {
    current: String,
    previous: Option<String>,
}

impl Value {
    /// A value.
    pub fn new(text: impl Into<String>) -> Value {
        Value(text.into())
    }

    /// The text, for whoever sends it on.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// The secrets that it holds: one, or two during rotation. A text that begins with `{` is never a secret itself.
    ///
    /// # Errors
    /// [`NoSecret`].
    pub fn secrets(&self) -> Result<Secrets, NoSecret> {
        if !self.0.trim_start().starts_with('{') {
            return Secrets::new(&self.0, None).map_err(|_| NoSecret);
        }
        let both: Rotating = serde_json::from_str(&self.0).map_err(|_| NoSecret)?;
        Secrets::new(&both.current, both.previous.as_deref()).map_err(|_| NoSecret)
    }
}

/// What a parameter of a source is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// What the source signs its requests with.
    Secret,
    /// What the source's own API wants.
    Token,
}

impl Purpose {
    /// The last part of its name.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Purpose::Secret => "secret",
            Purpose::Token => "token",
        }
    }
}

/// The parameters under a prefix, as they were when they were last asked for.
#[derive(Debug)]
pub struct Parameters {
    client: Client,
    prefix: String,
    // Never held across an await: a plain mutex is enough.
    kept: Mutex<BTreeMap<String, Kept>>,
}

#[derive(Clone, Debug)]
struct Kept {
    asked: Timestamp,
    value: Option<Value>,
}

impl Parameters {
    /// The parameters under a prefix, for example `/rollcall/sources`.
    #[must_use]
    pub fn new(client: Client, prefix: &str) -> Parameters {
        Parameters { client, prefix: prefix.trim_end_matches('/').to_owned(), kept: Mutex::default() }
    }

    /// The name of a parameter.
    #[must_use]
    pub fn name(&self, source: Source, purpose: Purpose) -> String {
        format!("{}/{}/{}", self.prefix, source.as_str(), purpose.as_str())
    }

    /// The value of a parameter, at most five minutes old; `None` where there is no such parameter.
    ///
    /// # Errors
    /// A retryable [`Failure`] where there is no answer, or none that the role may have.
    pub async fn get(&self, source: Source, purpose: Purpose, now: Timestamp) -> Result<Option<Value>, Failure> {
        self.at_most(KEPT, source, purpose, now).await
    }

    /// The same, for a caller whom the kept value did not help: it is asked for anew, unless it is younger than
    /// [`ASKED_AGAIN`].
    ///
    /// # Errors
    /// As [`Parameters::get`].
    pub async fn anew(&self, source: Source, purpose: Purpose, now: Timestamp) -> Result<Option<Value>, Failure> {
        self.at_most(ASKED_AGAIN, source, purpose, now).await
    }

    async fn at_most(
        &self,
        age: SignedDuration,
        source: Source,
        purpose: Purpose,
        now: Timestamp,
    ) -> Result<Option<Value>, Failure> {
        let name = self.name(source, purpose);
        let kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner).get(&name).cloned();
        if let Some(kept) = kept.filter(|kept| now.duration_since(kept.asked) < age) {
            return Ok(kept.value);
        }
        let value = self.ask(&name).await?;
        let kept = Kept { asked: now, value: value.clone() };
        self.kept.lock().unwrap_or_else(PoisonError::into_inner).insert(name, kept);
        Ok(value)
    }

    async fn ask(&self, name: &str) -> Result<Option<Value>, Failure> {
        let error = match self.client.get_parameter().name(name).with_decryption(true).send().await {
            Ok(answer) => return Ok(answer.parameter.and_then(|parameter| parameter.value).map(Value)),
            Err(error) => error,
        };
        let code = error.as_service_error().and_then(ProvideErrorMetadata::code);
        if code == Some("ParameterNotFound") {
            return Ok(None);
        }
        Err(Failure::retryable(match classify(code, error.raw_response().map(|response| response.status().as_u16())) {
            ServiceError::Throttled => Cause::Throttled,
            ServiceError::Unknown => Cause::Unanswered,
            // Mending the role or the key helps: whatever waits for the value comes again.
            ServiceError::NotFound | ServiceError::Refused => {
                tracing::error!(
                    parameter = name,
                    "a parameter is refused; see whether the role allows ssm:GetParameter on it, and kms:Decrypt on its key"
                );
                Cause::Unanswered
            }
        }))
    }
}
