//! Keyed hashes of people, and the sealing of events that wait.
//!
//! One secret, the person key, never rotates: it names people in the ledger. From it come three keys of their own
//! purpose. `ring` does the work, because TLS already brings it.

use ring::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use ring::{digest, hmac};
use std::fmt;
use thiserror::Error;

/// The shortest person key, in bytes.
const KEY_MINIMUM: usize = 32;

/// The keys that come from the person key.
#[derive(Clone)]
pub struct Keys {
    hash: hmac::Key,
    validation: hmac::Key,
    seal: LessSafeKey,
}

impl fmt::Debug for Keys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Keys(redacted)")
    }
}

/// The person key is too short.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("must be at least {KEY_MINIMUM} characters of secret")]
pub struct WeakKey;

/// A sealed event does not open: another key, or changed bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("the sealed event does not open with this person key")]
pub struct Unopenable;

impl Keys {
    /// Derives the keys.
    ///
    /// # Errors
    /// [`WeakKey`] below 32 bytes.
    pub fn from_secret(secret: &str) -> Result<Keys, WeakKey> {
        if secret.len() < KEY_MINIMUM {
            return Err(WeakKey);
        }
        let root = hmac::Key::new(hmac::HMAC_SHA256, secret.as_bytes());
        let derive = |purpose: &str| hmac::sign(&root, purpose.as_bytes());
        let key = |purpose: &str| hmac::Key::new(hmac::HMAC_SHA256, derive(purpose).as_ref());
        let seal = UnboundKey::new(&AES_256_GCM, derive("rollcall/seal/1").as_ref()).map_err(|_| WeakKey)?;
        Ok(Keys {
            hash: key("rollcall/person/1"),
            validation: key("rollcall/validation/1"),
            seal: LessSafeKey::new(seal),
        })
    }

    /// Hashes the parts of an identifier: 128 bits, as 32 hexadecimal digits.
    #[must_use]
    pub fn hash(&self, parts: &[&str]) -> String {
        let mut context = hmac::Context::with_key(&self.hash);
        for part in parts {
            // Length first, so that two lists of parts never run together.
            context.update(&(part.len() as u64).to_be_bytes());
            context.update(part.as_bytes());
        }
        hex(&context.sign().as_ref()[..16])
    }

    /// Hashes what an event means: the `validation` of its record.
    #[must_use]
    pub fn validation(&self, meaning: &str) -> String {
        hex(&hmac::sign(&self.validation, meaning.as_bytes()).as_ref()[..16])
    }

    /// Seals the text of an event that waits. `nonce` must be new for each call.
    #[must_use]
    pub fn seal(&self, body: &str, event_key: &str, nonce: [u8; NONCE_LEN]) -> Option<Vec<u8>> {
        let mut sealed = body.as_bytes().to_vec();
        let tag = self
            .seal
            .seal_in_place_separate_tag(Nonce::assume_unique_for_key(nonce), Aad::from(event_key), &mut sealed)
            .ok()?;
        Some([&nonce[..], &sealed, tag.as_ref()].concat())
    }

    /// Opens what [`Keys::seal`] sealed.
    ///
    /// # Errors
    /// [`Unopenable`] with another key, another event's key, or changed bytes.
    pub fn open(&self, sealed: &[u8], event_key: &str) -> Result<String, Unopenable> {
        let (nonce, rest) = sealed.split_at_checked(NONCE_LEN).ok_or(Unopenable)?;
        let nonce = Nonce::try_assume_unique_for_key(nonce).map_err(|_| Unopenable)?;
        let mut rest = rest.to_vec();
        let body = self.seal.open_in_place(nonce, Aad::from(event_key), &mut rest).map_err(|_| Unopenable)?;
        String::from_utf8(body.to_vec()).map_err(|_| Unopenable)
    }
}

/// SHA-256 of a body that could not be read, as hexadecimal digits: its only name.
#[must_use]
pub fn sha256(body: &str) -> String {
    hex(digest::digest(&digest::SHA256, body.as_bytes()).as_ref())
}

/// Bytes as lower-case hexadecimal digits.
pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn keys(secret: &str) -> Keys {
        Keys::from_secret(&secret.repeat(8)).unwrap()
    }

    #[test]
    fn what_is_sealed_opens_with_the_same_key_and_event_only() {
        let sealed = keys("abcd").seal("body", "suspend-user#e-1", [7; NONCE_LEN]).unwrap();
        assert_eq!(keys("abcd").open(&sealed, "suspend-user#e-1").as_deref(), Ok("body"));
        assert_eq!(keys("abcd").open(&sealed, "suspend-user#e-2"), Err(Unopenable));
        assert_eq!(keys("abce").open(&sealed, "suspend-user#e-1"), Err(Unopenable));
    }

    #[test]
    fn parts_do_not_run_together() {
        assert_ne!(keys("abcd").hash(&["ab", "c"]), keys("abcd").hash(&["a", "bc"]));
    }

    #[test]
    fn a_short_key_is_refused() {
        assert_eq!(Keys::from_secret("short").err(), Some(WeakKey));
    }
}
