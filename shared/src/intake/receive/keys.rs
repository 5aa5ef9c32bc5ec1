//! The keys of a token's issuer, from where it publishes them.

use crate::intake::verify::Jwks;
use jiff::{SignedDuration, Timestamp};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;
use thiserror::Error;

/// How long keys are used before they are asked for again.
const KEPT: SignedDuration = SignedDuration::from_mins(10);

/// How old keys must be before they are asked for again because a token names another: anybody can name one.
const ASKED_AGAIN: SignedDuration = SignedDuration::from_mins(1);

/// How long nobody is asked after there was no answer: each request would wait for it anew.
const PAUSE: SignedDuration = SignedDuration::from_secs(5);

/// How long an answer may take.
const WITHIN: Duration = Duration::from_secs(1);

/// The largest key set, in bytes.
const LIMIT: usize = 1024 * 1024;

/// The issuer's keys are not to be had, or are none.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("the issuer's keys are not to be had")]
pub struct NoKeys;

/// The key set of one issuer, as it was when it was last asked for.
#[derive(Debug, Default)]
pub struct Keys {
    // Never held across an await: plain mutexes are enough.
    client: Mutex<Option<reqwest::Client>>,
    kept: Mutex<Option<Kept>>,
}

#[derive(Clone, Debug)]
struct Kept {
    address: String,
    asked: Timestamp,
    keys: Result<Jwks, NoKeys>,
}

impl Keys {
    /// The keys at an address, at most ten minutes old.
    ///
    /// # Errors
    /// [`NoKeys`].
    pub async fn get(&self, address: &str, now: Timestamp) -> Result<Jwks, NoKeys> {
        self.at_most(KEPT, address, now).await
    }

    /// The same, for a token whose key is not among the kept ones: they are asked for anew, once a minute at most.
    ///
    /// # Errors
    /// [`NoKeys`].
    pub async fn anew(&self, address: &str, now: Timestamp) -> Result<Jwks, NoKeys> {
        self.at_most(ASKED_AGAIN, address, now).await
    }

    async fn at_most(&self, age: SignedDuration, address: &str, now: Timestamp) -> Result<Jwks, NoKeys> {
        let kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner).clone();
        if let Some(kept) = kept.filter(|kept| kept.address == address) {
            let lasts = if kept.keys.is_ok() { age } else { PAUSE };
            if now.duration_since(kept.asked) < lasts {
                return kept.keys;
            }
        }
        let keys = self.ask(address).await;
        let kept = Kept { address: address.to_owned(), asked: now, keys: keys.clone() };
        *self.kept.lock().unwrap_or_else(PoisonError::into_inner) = Some(kept);
        keys
    }

    async fn ask(&self, address: &str) -> Result<Jwks, NoKeys> {
        let mut answer = self.client()?.get(address).send().await.map_err(|_| NoKeys)?;
        if answer.status() != reqwest::StatusCode::OK {
            return Err(NoKeys);
        }
        let mut text = Vec::new();
        while let Some(part) = answer.chunk().await.map_err(|_| NoKeys)? {
            if text.len() + part.len() > LIMIT {
                return Err(NoKeys);
            }
            text.extend_from_slice(&part);
        }
        Jwks::parse(std::str::from_utf8(&text).map_err(|_| NoKeys)?).map_err(|_| NoKeys)
    }

    /// The client, which is made when it is needed: only one source has tokens.
    fn client(&self) -> Result<reqwest::Client, NoKeys> {
        let mut made = self.client.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(client) = &*made {
            return Ok(client.clone());
        }
        // reqwest asks for the process's TLS: ring, as in the AWS SDK. Whoever came first has set the same.
        let _set = rustls::crypto::ring::default_provider().install_default();
        let builder = reqwest::Client::builder().timeout(WITHIN).redirect(reqwest::redirect::Policy::none()).no_proxy();
        let client = builder.build().map_err(|_| NoKeys)?;
        *made = Some(client.clone());
        Ok(client)
    }
}
