//! The secrets of one source: one, or two while one follows the other.

use super::Refused;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use ring::hmac;
use std::fmt;
use thiserror::Error;

/// The shortest secret, in bytes: whatever is shorter can be guessed from one signed request.
const MINIMUM: usize = 16;

/// The secrets that are valid for a source now. Without one, no scheme that needs one lets anything in.
#[derive(Clone, Default)]
pub struct Secrets(Vec<Vec<u8>>);

impl fmt::Debug for Secrets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Secrets({} redacted)", self.0.len())
    }
}

/// A secret that cannot be one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("must be at least {MINIMUM} bytes of secret, without space around it")]
pub struct WeakSecret;

impl Secrets {
    /// The secret of a source; during rotation the one before it, too.
    ///
    /// # Errors
    /// [`WeakSecret`] for a short one, or one with space around it (the line feed at the end of a file).
    pub fn new(current: &str, previous: Option<&str>) -> Result<Secrets, WeakSecret> {
        let secret = |text: &str| {
            let good = text.len() >= MINIMUM && text.trim() == text;
            if good { Ok(text.as_bytes().to_vec()) } else { Err(WeakSecret) }
        };
        [Some(current), previous].into_iter().flatten().map(secret).collect::<Result<_, _>>().map(Secrets)
    }

    /// No secret: for schemes that need none.
    #[must_use]
    pub fn none() -> Secrets {
        Secrets::default()
    }

    /// Whether a fixed secret was given.
    ///
    /// Two hashes are compared instead of the secrets, so that the time tells nothing of their length either.
    pub(super) fn is_one_of(&self, given: &str) -> Result<(), Refused> {
        self.any(|secret| {
            let key = hmac::Key::new(hmac::HMAC_SHA256, secret);
            hmac::verify(&key, given.as_bytes(), hmac::sign(&key, secret).as_ref()).is_ok()
        })
    }

    /// Whether one of the tags is a secret's over the text.
    pub(super) fn signed(&self, algorithm: hmac::Algorithm, text: &[u8], tags: &[Vec<u8>]) -> Result<(), Refused> {
        self.any(|secret| {
            let key = hmac::Key::new(algorithm, secret);
            tags.iter().any(|tag| hmac::verify(&key, text, tag).is_ok())
        })
    }

    /// The bytes of secrets that are given in base64. One that is not is left out.
    pub(super) fn decoded(&self) -> Result<Secrets, Refused> {
        if self.0.is_empty() {
            return Err(Refused::NoSecret);
        }
        let decoded: Vec<Vec<u8>> = self.0.iter().filter_map(|secret| STANDARD.decode(secret).ok()).collect();
        if decoded.is_empty() { Err(Refused::UnusableSecret) } else { Ok(Secrets(decoded)) }
    }

    fn any(&self, good: impl Fn(&[u8]) -> bool) -> Result<(), Refused> {
        if self.0.is_empty() {
            return Err(Refused::NoSecret);
        }
        if self.0.iter().any(|secret| good(secret)) { Ok(()) } else { Err(Refused::Wrong) }
    }
}
