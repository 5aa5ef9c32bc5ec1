//! Signed tokens (JWT): RS256 and ES256 against the keys of their issuer.
//!
//! The key says which algorithm counts, never the token: a token can only ask for the one that its key has.

use super::{Refused, TOLERANCE};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jiff::Timestamp;
use ring::signature::{self, RsaPublicKeyComponents, UnparsedPublicKey};
use serde::Deserialize;
use serde_json::{Map, Value};
use std::fmt;

#[cfg(test)]
mod tests;

/// The keys that an issuer publishes, as far as they sign with RS256 or ES256.
#[derive(Clone, Debug)]
pub struct Jwks(Vec<Key>);

#[derive(Clone, Debug)]
struct Key {
    id: Option<String>,
    public: Public,
}

#[derive(Clone, Debug)]
enum Public {
    /// RS256.
    Rsa { n: Vec<u8>, e: Vec<u8> },
    /// ES256: the uncompressed point.
    P256(Vec<u8>),
}

/// The claims of a token whose signature, issuer, audience and time are right. They may name a person.
#[derive(Clone)]
pub struct Claims(Map<String, Value>);

impl fmt::Debug for Claims {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Claims(redacted)")
    }
}

impl Claims {
    /// A claim.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&Value> {
        self.0.get(name)
    }
}

#[derive(Deserialize)]
struct WrittenSet {
    keys: Vec<Value>,
}

#[derive(Deserialize)]
struct WrittenKey {
    kty: String,
    kid: Option<String>,
    alg: Option<String>,
    #[serde(rename = "use")]
    purpose: Option<String>,
    crv: Option<String>,
    n: Option<String>,
    e: Option<String>,
    x: Option<String>,
    y: Option<String>,
}

impl Jwks {
    /// No key: no token is signed by any of them.
    #[must_use]
    pub fn none() -> Jwks {
        Jwks(Vec::new())
    }

    /// Reads a key set. Keys of other kinds and for other purposes are left out.
    ///
    /// # Errors
    /// [`Refused::UnusableKeys`] where no key is left.
    pub fn parse(text: &str) -> Result<Jwks, Refused> {
        let set: WrittenSet = serde_json::from_str(text).map_err(|_| Refused::UnusableKeys)?;
        let keys: Vec<Key> =
            set.keys.into_iter().filter_map(|key| Key::read(serde_json::from_value(key).ok()?)).collect();
        if keys.is_empty() { Err(Refused::UnusableKeys) } else { Ok(Jwks(keys)) }
    }
}

impl Key {
    fn read(written: WrittenKey) -> Option<Key> {
        let bytes = |text: Option<String>| URL_SAFE_NO_PAD.decode(text?).ok();
        let signs = written.purpose.is_none_or(|purpose| purpose == "sig");
        let (public, algorithm) = match (written.kty.as_str(), written.crv.as_deref()) {
            ("RSA", _) => (Public::Rsa { n: bytes(written.n)?, e: bytes(written.e)? }, "RS256"),
            ("EC", Some("P-256")) => (Public::P256([vec![4], bytes(written.x)?, bytes(written.y)?].concat()), "ES256"),
            (_, _) => return None,
        };
        let goes = signs && written.alg.is_none_or(|named| named == algorithm);
        goes.then_some(Key { id: written.kid, public })
    }

    fn algorithm(&self) -> &'static str {
        match self.public {
            Public::Rsa { .. } => "RS256",
            Public::P256(_) => "ES256",
        }
    }

    fn signed(&self, text: &[u8], tag: &[u8]) -> bool {
        match &self.public {
            // Below 2048 bits, ring refuses.
            Public::Rsa { n, e } => {
                RsaPublicKeyComponents { n, e }.verify(&signature::RSA_PKCS1_2048_8192_SHA256, text, tag).is_ok()
            }
            Public::P256(point) => {
                UnparsedPublicKey::new(&signature::ECDSA_P256_SHA256_FIXED, point).verify(text, tag).is_ok()
            }
        }
    }
}

#[derive(Deserialize)]
struct Header {
    alg: String,
    kid: Option<String>,
    /// Extensions that must be understood: none is.
    crit: Option<Value>,
}

/// Verifies a token and gives its claims.
///
/// `iss` must be the issuer, `aud` the audience or a list with it, `iat` not later than now, and `exp`, where there is
/// one, not over. A token without `exp` may be of any age: security event tokens have none, and a late one still says
/// what happened. A replay has the same `jti`.
///
/// # Errors
/// A [`Refused`].
pub fn verify_jwt(token: &str, jwks: &Jwks, issuer: &str, audience: &str, now: Timestamp) -> Result<Claims, Refused> {
    let claims = signed_claims(token, jwks)?;
    if claims.get("iss").and_then(Value::as_str) != Some(issuer) {
        return Err(Refused::WrongClaim("iss"));
    }
    let for_us = match claims.get("aud") {
        Some(Value::String(named)) => named == audience,
        Some(Value::Array(named)) => named.iter().any(|one| one.as_str() == Some(audience)),
        Some(Value::Null | Value::Bool(_) | Value::Number(_) | Value::Object(_)) | None => false,
    };
    if !for_us {
        return Err(Refused::WrongClaim("aud"));
    }
    let issued = claims.get("iat").and_then(instant).ok_or(Refused::WrongClaim("iat"))?;
    if issued.duration_since(now) > TOLERANCE {
        return Err(Refused::FromTheFuture);
    }
    if let Some(nbf) = claims.get("nbf") {
        let from = instant(nbf).ok_or(Refused::WrongClaim("nbf"))?;
        if from.duration_since(now) > TOLERANCE {
            return Err(Refused::FromTheFuture);
        }
    }
    if let Some(exp) = claims.get("exp") {
        let until = instant(exp).ok_or(Refused::WrongClaim("exp"))?;
        if now.duration_since(until) > TOLERANCE {
            return Err(Refused::Stale);
        }
    }
    Ok(Claims(claims))
}

/// The claims of a token whose signature is right.
fn signed_claims(token: &str, jwks: &Jwks) -> Result<Map<String, Value>, Refused> {
    let (text, tag) = token.rsplit_once('.').ok_or(Refused::Malformed("token"))?;
    let (head, payload) = text.split_once('.').ok_or(Refused::Malformed("token"))?;
    let tag = URL_SAFE_NO_PAD.decode(tag).map_err(|_| Refused::Malformed("token"))?;
    let head = URL_SAFE_NO_PAD.decode(head).map_err(|_| Refused::Malformed("token"))?;
    let header: Header = serde_json::from_slice(&head).map_err(|_| Refused::Malformed("token"))?;
    if header.crit.is_some() {
        return Err(Refused::Malformed("crit"));
    }
    let fits = |key: &&Key| key.algorithm() == header.alg && (header.kid.is_none() || key.id == header.kid);
    let mut keys = jwks.0.iter().filter(fits).peekable();
    if keys.peek().is_none() {
        return Err(Refused::UnknownKey);
    }
    if !keys.any(|key| key.signed(text.as_bytes(), &tag)) {
        return Err(Refused::Wrong);
    }
    claims_of(payload).ok_or(Refused::Malformed("token"))
}

/// The claims in the middle of a token.
fn claims_of(payload: &str) -> Option<Map<String, Value>> {
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(payload).ok()?).ok()
}

/// The claims of a token that was verified when it was received. Whoever calls this on another believes anybody.
pub(in crate::intake) fn verified_before(token: &str) -> Option<Map<String, Value>> {
    let mut parts = token.split('.');
    let payload = parts.nth(1)?;
    (parts.count() == 1).then(|| claims_of(payload))?
}

/// Seconds since 1970, whole or not.
pub(in crate::intake) fn instant(value: &Value) -> Option<Timestamp> {
    match value.as_i64() {
        Some(seconds) => Timestamp::from_second(seconds).ok(),
        None => {
            let since = jiff::SignedDuration::try_from_secs_f64(value.as_f64()?).ok()?;
            Timestamp::from_duration(since).ok()
        }
    }
}
