//! Who sent it: the signature over the raw bytes, before anything is read.
//!
//! Every comparison with a secret takes the same time wherever the first difference is. A signature is checked before
//! its time, so that [`Refused::Stale`] means an old request of the sender's own, and not just any old number.

mod secrets;
#[cfg(test)]
mod tests;
pub mod token;

pub use secrets::{Secrets, WeakSecret};
pub use token::{Claims, Jwks, verify_jwt};

use super::Received;
use crate::event::wire::Assurance;
use base64::Engine;
use base64::alphabet;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use jiff::{SignedDuration, Timestamp};
use ring::hmac;
use thiserror::Error;

/// How far a sender's clock and ours may differ.
const TOLERANCE: SignedDuration = SignedDuration::from_mins(5);

/// How old a request with a time in its signed text may be.
///
/// Its only sender is BambooHR, which tries again after 5, 10, 20, 40 and 80 minutes: 155 in all. Its documents do
/// not say whether a retry is signed anew, and what is refused never comes again: with five minutes, a leaver whose
/// first delivery failed would be lost. Three hours let every retry in. A replay within them changes nothing: its
/// event has the same id.
const RETRIED: SignedDuration = SignedDuration::from_hours(3);

/// How a source's requests are known to be its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scheme {
    /// `Authorization: Bearer <secret>`.
    Bearer,
    /// `Authorization: <secret>`, the whole value.
    Exact,
    /// A keyed hash in a header.
    Hmac {
        /// The header, in lower case.
        header: &'static str,
        /// What stands before the hash.
        prefix: &'static str,
        /// Which hash.
        hash: Hash,
        /// How the hash is written.
        encoding: Encoding,
        /// Over what.
        signed: Signed,
    },
    /// Finch's: `v1,<base64>`, several of them, over id, time and body.
    Finch,
    /// A token that its issuer signed: [`verify_jwt`].
    Jwt,
    /// A bus that only the service or the partner can write. It never comes by a request.
    Bus,
    /// Nobody knows.
    Unverified,
}

/// A hash function.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Hash {
    /// SHA-256.
    Sha256,
    /// SHA-512.
    Sha512,
}

/// How a hash is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Encoding {
    /// Hexadecimal digits, in either case.
    Hex,
    /// Base64.
    Base64,
    /// Base64 for URLs.
    Base64Url,
}

/// What a keyed hash is over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Signed {
    /// The body.
    Body,
    /// The body, then a header with the seconds since 1970, with nothing between.
    BodyThenTimestamp {
        /// The header, in lower case.
        header: &'static str,
    },
    /// `POST`, then the body, with nothing between.
    MethodThenBody,
}

/// Why a request is not believed. It names headers and claims, never their values.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Error)]
pub enum Refused {
    /// A header that the scheme needs is not there, or is there twice.
    #[error("the header {0} is missing, or is there twice")]
    MissingHeader(&'static str),
    /// A header, or a part of a token, is not what the scheme says.
    #[error("{0} is malformed")]
    Malformed(&'static str),
    /// It was signed too long ago.
    #[error("it was signed too long ago")]
    Stale,
    /// It was signed later than now.
    #[error("it was signed later than now")]
    FromTheFuture,
    /// No secret that is valid made this signature over these bytes.
    #[error("the signature or the secret is wrong")]
    Wrong,
    /// A token's claim is not there, or is another.
    #[error("the claim {0} is missing or another")]
    WrongClaim(&'static str),
    /// A token names a key, or a kind of key, that its issuer's set does not have.
    #[error("the token's key is not in the issuer's set")]
    UnknownKey,
    /// Ours: no secret is configured.
    #[error("no secret is configured for this source")]
    NoSecret,
    /// Ours: the secret is not what the scheme needs.
    #[error("the secret of this source is not base64")]
    UnusableSecret,
    /// Ours: the issuer's key set holds no key that can be used.
    #[error("the issuer's key set holds no usable key")]
    UnusableKeys,
    /// Ours: tokens are verified with their issuer's keys, not with a secret.
    #[error("a token is verified with its issuer's keys")]
    NeedsKeys,
    /// This source comes on a bus; whoever sends it a request is somebody else.
    #[error("this source comes on a bus, never by a request")]
    NotByRequest,
}

impl Refused {
    /// Whether we are to blame: the sender must be told to try again, and the operator to look.
    #[must_use]
    pub fn is_ours(self) -> bool {
        match self {
            Refused::NoSecret | Refused::UnusableSecret | Refused::UnusableKeys | Refused::NeedsKeys => true,
            Refused::MissingHeader(_)
            | Refused::Malformed(_)
            | Refused::Stale
            | Refused::FromTheFuture
            | Refused::Wrong
            | Refused::WrongClaim(_)
            | Refused::UnknownKey
            | Refused::NotByRequest => false,
        }
    }
}

/// Says how far a request's sender is known, over its raw bytes.
///
/// [`Scheme::Unverified`] lets everybody in, as [`Assurance::None`]: whether that is enough is the policy's matter.
///
/// # Errors
/// A [`Refused`].
pub fn verify(scheme: Scheme, secrets: &Secrets, received: &Received<'_>) -> Result<Assurance, Refused> {
    match scheme {
        Scheme::Bearer => {
            let value = header(received, "authorization")?;
            let token = value.split_once(' ').filter(|(name, _)| name.eq_ignore_ascii_case("bearer"));
            let (_, token) = token.ok_or(Refused::Malformed("authorization"))?;
            secrets.is_one_of(token).map(|()| Assurance::StaticSecret)
        }
        Scheme::Exact => secrets.is_one_of(header(received, "authorization")?).map(|()| Assurance::StaticSecret),
        Scheme::Hmac { header: name, prefix, hash, encoding, signed } => {
            let tag = header(received, name)?.strip_prefix(prefix).and_then(|text| decode(encoding, text));
            let tag = tag.ok_or(Refused::Malformed(name))?;
            let time = match signed {
                Signed::BodyThenTimestamp { header } => Some(seconds(received, header)?),
                Signed::Body | Signed::MethodThenBody => None,
            };
            secrets.signed(algorithm(hash), &text(signed, received), &[tag])?;
            let Some(time) = time else { return Ok(Assurance::HmacBody) };
            in_time(time, received.at, RETRIED).map(|()| Assurance::HmacBodyTimestamp)
        }
        Scheme::Finch => finch(secrets, received),
        Scheme::Jwt => Err(Refused::NeedsKeys),
        Scheme::Bus => Err(Refused::NotByRequest),
        Scheme::Unverified => Ok(Assurance::None),
    }
}

/// Finch's own: HMAC-SHA256 with the secret's bytes, which are given in base64, over `id.time.body`.
fn finch(secrets: &Secrets, received: &Received<'_>) -> Result<Assurance, Refused> {
    let id = header(received, "finch-event-id")?;
    let time = seconds(received, "finch-timestamp")?;
    let tags: Vec<Vec<u8>> = header(received, "finch-signature")?
        .split(' ')
        // A later version of the scheme may stand beside the first: it is not looked at.
        .filter_map(|signature| signature.strip_prefix("v1,"))
        .filter_map(|text| decode(Encoding::Base64, text))
        .take(SIGNATURES)
        .collect();
    if tags.is_empty() {
        return Err(Refused::Malformed("finch-signature"));
    }
    let stamp = header(received, "finch-timestamp")?;
    let signed = [id.as_bytes(), b".", stamp.as_bytes(), b".", received.body].concat();
    secrets.decoded()?.signed(hmac::HMAC_SHA256, &signed, &tags)?;
    in_time(time, received.at, TOLERANCE).map(|()| Assurance::HmacBodyTimestamp)
}

/// How many signatures of one request are looked at.
const SIGNATURES: usize = 8;

fn header<'a>(received: &Received<'a>, name: &'static str) -> Result<&'a str, Refused> {
    received.headers.get(name).ok_or(Refused::MissingHeader(name))
}

/// A header with the seconds since 1970: digits and nothing else.
fn seconds(received: &Received<'_>, name: &'static str) -> Result<Timestamp, Refused> {
    let text = header(received, name)?;
    let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let time = digits.then(|| text.parse().ok()).flatten().and_then(|seconds| Timestamp::from_second(seconds).ok());
    time.ok_or(Refused::Malformed(name))
}

fn in_time(signed: Timestamp, now: Timestamp, window: SignedDuration) -> Result<(), Refused> {
    let age = now.duration_since(signed);
    if age > window {
        return Err(Refused::Stale);
    }
    if age < -TOLERANCE {
        return Err(Refused::FromTheFuture);
    }
    Ok(())
}

fn text(signed: Signed, received: &Received<'_>) -> Vec<u8> {
    match signed {
        Signed::Body => received.body.to_vec(),
        Signed::BodyThenTimestamp { header } => {
            [received.body, received.headers.get(header).unwrap_or_default().as_bytes()].concat()
        }
        Signed::MethodThenBody => [b"POST", received.body].concat(),
    }
}

fn algorithm(hash: Hash) -> hmac::Algorithm {
    match hash {
        Hash::Sha256 => hmac::HMAC_SHA256,
        Hash::Sha512 => hmac::HMAC_SHA512,
    }
}

fn decode(encoding: Encoding, text: &str) -> Option<Vec<u8>> {
    match encoding {
        Encoding::Hex => unhex(text),
        Encoding::Base64 => base64::engine::general_purpose::STANDARD.decode(text).ok(),
        Encoding::Base64Url => BASE64_URL.decode(text).ok(),
    }
}

/// Base64 for URLs, with or without its padding: senders do either.
const BASE64_URL: GeneralPurpose = GeneralPurpose::new(
    &alphabet::URL_SAFE,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

fn unhex(text: &str) -> Option<Vec<u8>> {
    let digit = |byte: &u8| char::from(*byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
    let (pairs, rest) = text.as_bytes().as_chunks::<2>();
    rest.is_empty().then(|| pairs.iter().map(|[high, low]| Some(digit(high)? << 4 | digit(low)?)).collect())?
}
