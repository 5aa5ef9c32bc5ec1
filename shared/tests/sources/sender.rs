//! A sender that signs as its scheme says, and everybody who is not that sender.

use crate::fixtures::Fixture;
use crate::{now, word};
use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use jiff::{SignedDuration, Timestamp};
use ring::hmac;
use ring::rand::SystemRandom;
use ring::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair};
use rollcall::event::wire::Assurance;
use rollcall::intake::verify::{Encoding, Hash, Jwks, Refused, Scheme, Secrets, Signed, verify, verify_jwt};
use rollcall::intake::{Headers, Received, Source};
use serde_json::{Value, json};

/// Two secrets, one after the other, and a third that is nobody's. All are base64, which Finch's must be.
const CURRENT: &str = "cm9sbGNhbGwtdGVzdC1jdXJyZW50";
const PREVIOUS: &str = "cm9sbGNhbGwtdGVzdC1wcmV2aW91cw==";
const OTHERS: &str = "cm9sbGNhbGwtdGVzdC1zb21lYm9keQ==";

const ISSUER: &str = "https://idp.acme.example";
const AUDIENCE: &str = "https://rollcall.acme.example";

/// How requests that are not the sender's own were refused, by what was wrong with them.
#[derive(Default)]
pub(crate) struct Refusals(Vec<(&'static str, usize)>);

impl Refusals {
    fn add(&mut self, what: &'static str, answer: Result<Assurance, Refused>, wanted: impl Fn(Refused) -> bool) {
        match answer {
            Err(refused) => assert!(wanted(refused), "{what}: {refused:?}"),
            Ok(assurance) => panic!("{what}: believed as {assurance:?}"),
        }
        match self.0.iter_mut().find(|(name, _)| *name == what) {
            Some((_, count)) => *count += 1,
            None => self.0.push((what, 1)),
        }
    }

    pub(crate) fn names(&self) -> Vec<&'static str> {
        self.0.iter().map(|(name, _)| *name).collect()
    }

    pub(crate) fn counts(&self) -> String {
        let counts: Vec<String> = self.0.iter().map(|(name, count)| format!("{name} {count}")).collect();
        if counts.is_empty() { "nobody".into() } else { counts.join(", ") }
    }

    pub(crate) fn total(&self) -> usize {
        self.0.iter().map(|(_, count)| count).sum()
    }
}

/// How a source's own requests are believed, and whatever is refused. Each fixture is tried; every bit of the smallest.
pub(crate) fn tried(source: Source, fixtures: &[Fixture]) -> (String, Refusals) {
    let smallest = fixtures.iter().min_by_key(|fixture| fixture.body.len()).unwrap();
    match source.scheme() {
        Scheme::Jwt => tokens(fixtures, smallest),
        Scheme::Bus => {
            let mut refusals = Refusals::default();
            for fixture in fixtures {
                let request = Request { headers: vec![], body: fixture.body.clone() };
                refusals.add("any request", request.sent(source, now()), |refused| refused == Refused::NotByRequest);
            }
            ("a bus".into(), refusals)
        }
        scheme @ (Scheme::Bearer | Scheme::Exact | Scheme::Hmac { .. } | Scheme::Finch | Scheme::Unverified) => {
            let mut believed = Vec::new();
            for fixture in fixtures {
                for secret in [CURRENT, PREVIOUS] {
                    let request = Request::signed(scheme, &fixture.body, secret, now(), None);
                    believed.push(request.sent(source, now()).unwrap_or_else(|why| panic!("{}: {why}", fixture.name)));
                }
            }
            let one = believed[0];
            assert!(believed.iter().all(|other| word(other) == word(&one)));
            (word(&one), forged(source, scheme, &smallest.body))
        }
    }
}

/// Everybody else's requests.
fn forged(source: Source, scheme: Scheme, body: &[u8]) -> Refusals {
    let mut refusals = Refusals::default();
    if scheme == Scheme::Unverified {
        return refusals;
    }
    let wrong = |refused| refused == Refused::Wrong;
    let sign = |secret, at, bit| Request::signed(scheme, body, secret, at, bit);
    // In a body, where it is signed; else in the secret. Then in the signature.
    if is_over_body(scheme) {
        for bit in 0..body.len() * 8 {
            let mut request = sign(CURRENT, now(), None);
            request.body[bit / 8] ^= 1 << (bit % 8);
            refusals.add("a bit flipped", request.sent(source, now()), wrong);
        }
    }
    let signed = is_over_body(scheme);
    let flipped = if signed { "a bit flipped" } else { "a bit of the secret flipped" };
    // The eighth bit of a byte of a secret would be no text.
    for bit in (0..tag_bits(scheme)).filter(|bit| signed || bit % 8 != 7) {
        refusals.add(flipped, sign(CURRENT, now(), Some(bit)).sent(source, now()), wrong);
    }
    refusals.add("another secret", sign(OTHERS, now(), None).sent(source, now()), wrong);
    let bare = Request { headers: vec![], body: body.to_vec() };
    let none = if signed { "no signature" } else { "no secret" };
    refusals.add(none, bare.sent(source, now()), |refused| matches!(refused, Refused::MissingHeader(_)));
    if let Some(window) = window(scheme) {
        let signed = sign(CURRENT, now(), None);
        let second = SignedDuration::from_secs(1);
        assert!(
            signed.sent(source, now() + window).is_ok(),
            "a replay in time is let in: its events have the same ids"
        );
        refusals.add("too old", signed.sent(source, now() + window + second), |refused| refused == Refused::Stale);
        let early = now() - SignedDuration::from_mins(5) - second;
        refusals.add("from the future", signed.sent(source, early), |refused| refused == Refused::FromTheFuture);
    }
    refusals
}

fn is_over_body(scheme: Scheme) -> bool {
    match scheme {
        Scheme::Hmac { .. } | Scheme::Finch | Scheme::Jwt => true,
        Scheme::Bearer | Scheme::Exact | Scheme::Bus | Scheme::Unverified => false,
    }
}

/// How many bits the signature has, or the secret.
fn tag_bits(scheme: Scheme) -> usize {
    match scheme {
        Scheme::Hmac { hash: Hash::Sha512, .. } => 512,
        Scheme::Hmac { hash: Hash::Sha256, .. } | Scheme::Finch => 256,
        Scheme::Bearer | Scheme::Exact => CURRENT.len() * 8,
        Scheme::Jwt | Scheme::Bus | Scheme::Unverified => 0,
    }
}

/// How long a signed time counts: BambooHR tries again for 155 minutes, Finch says five.
fn window(scheme: Scheme) -> Option<SignedDuration> {
    match scheme {
        Scheme::Hmac { signed: Signed::BodyThenTimestamp { .. }, .. } => Some(SignedDuration::from_hours(3)),
        Scheme::Finch => Some(SignedDuration::from_mins(5)),
        Scheme::Hmac { signed: Signed::Body | Signed::MethodThenBody, .. }
        | Scheme::Bearer
        | Scheme::Exact
        | Scheme::Jwt
        | Scheme::Bus
        | Scheme::Unverified => None,
    }
}

/// A request as it is sent.
struct Request {
    headers: Vec<(&'static str, String)>,
    body: Vec<u8>,
}

impl Request {
    /// Signs a body; `flip` is a bit of the signature, or of the secret, that is sent another way.
    fn signed(scheme: Scheme, body: &[u8], secret: &str, at: Timestamp, flip: Option<usize>) -> Request {
        let flipped = |mut bytes: Vec<u8>| {
            flip.iter().for_each(|bit| bytes[bit / 8] ^= 1 << (bit % 8));
            bytes
        };
        let sent = || String::from_utf8(flipped(secret.as_bytes().to_vec())).unwrap();
        let tag = |algorithm, key: &[u8], text: &[u8]| {
            flipped(hmac::sign(&hmac::Key::new(algorithm, key), text).as_ref().to_vec())
        };
        let time = at.as_second().to_string();
        let headers = match scheme {
            Scheme::Bearer => vec![("authorization", format!("Bearer {}", sent()))],
            Scheme::Exact => vec![("authorization", sent())],
            Scheme::Hmac { header, prefix, hash, encoding, signed } => {
                let (text, timed) = match signed {
                    Signed::Body => (body.to_vec(), None),
                    Signed::BodyThenTimestamp { header } => ([body, time.as_bytes()].concat(), Some((header, time))),
                    Signed::MethodThenBody => ([b"POST", body].concat(), None),
                };
                let algorithm = match hash {
                    Hash::Sha256 => hmac::HMAC_SHA256,
                    Hash::Sha512 => hmac::HMAC_SHA512,
                };
                let tag = written(encoding, &tag(algorithm, secret.as_bytes(), &text));
                [(header, format!("{prefix}{tag}"))].into_iter().chain(timed).collect()
            }
            Scheme::Finch => {
                let text = [b"fe_7k2m.", time.as_bytes(), b".", body].concat();
                let tag = tag(hmac::HMAC_SHA256, &STANDARD.decode(secret).unwrap(), &text);
                let signature = format!("v1,{}", STANDARD.encode(tag));
                vec![("finch-event-id", "fe_7k2m".into()), ("finch-timestamp", time), ("finch-signature", signature)]
            }
            Scheme::Jwt | Scheme::Bus | Scheme::Unverified => vec![],
        };
        Request { headers, body: body.to_vec() }
    }

    /// What the receiver says, which holds two secrets.
    fn sent(&self, source: Source, at: Timestamp) -> Result<Assurance, Refused> {
        let secrets = Secrets::new(CURRENT, Some(PREVIOUS)).unwrap();
        let headers = Headers::new(self.headers.iter().map(|(name, value)| (name, value.clone())));
        verify(source.scheme(), &secrets, &Received { body: &self.body, headers: &headers, at })
    }
}

fn written(encoding: Encoding, tag: &[u8]) -> String {
    match encoding {
        Encoding::Hex => tag.iter().map(|byte| format!("{byte:02x}")).collect(),
        Encoding::Base64 => STANDARD.encode(tag),
        Encoding::Base64Url => URL_SAFE_NO_PAD.encode(tag),
    }
}

/// An issuer of tokens, with a key of its own.
struct Issuer {
    id: &'static str,
    pair: EcdsaKeyPair,
    random: SystemRandom,
}

impl Issuer {
    fn new(id: &'static str) -> Issuer {
        let random = SystemRandom::new();
        let pkcs8 = EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &random).unwrap();
        let pair = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, pkcs8.as_ref(), &random).unwrap();
        Issuer { id, pair, random }
    }

    fn key(&self) -> Value {
        let point = self.pair.public_key().as_ref();
        let part = |bytes: &[u8]| URL_SAFE_NO_PAD.encode(bytes);
        json!({ "kty": "EC", "crv": "P-256", "kid": self.id, "x": part(&point[1..33]), "y": part(&point[33..]) })
    }

    fn sign(&self, claims: &Value) -> String {
        let header = json!({ "alg": "ES256", "kid": self.id, "typ": "secevent+jwt" }).to_string();
        let text =
            format!("{}.{}", URL_SAFE_NO_PAD.encode(header), URL_SAFE_NO_PAD.encode(claims.to_string().as_bytes()));
        let tag = self.pair.sign(&self.random, text.as_bytes()).unwrap();
        format!("{text}.{}", URL_SAFE_NO_PAD.encode(tag.as_ref()))
    }
}

/// A token that nobody signed.
pub(crate) fn unsigned(claims: &[u8]) -> Vec<u8> {
    format!("e30.{}.AA", URL_SAFE_NO_PAD.encode(claims)).into_bytes()
}

/// Signed tokens: two keys are in force, a third is somebody's who calls himself like the first.
fn tokens(fixtures: &[Fixture], smallest: &Fixture) -> (String, Refusals) {
    let (current, previous, other) = (Issuer::new("k-2"), Issuer::new("k-1"), Issuer::new("k-2"));
    let keys = Jwks::parse(&json!({ "keys": [current.key(), previous.key()] }).to_string()).unwrap();
    let answer = |token: &str| verify_jwt(token, &keys, ISSUER, AUDIENCE, now()).map(|_| Assurance::SignedJwt);
    let claims = |fixture: &Fixture| -> Value { serde_json::from_slice(&fixture.body).unwrap() };
    for fixture in fixtures {
        for issuer in [&current, &previous] {
            answer(&issuer.sign(&claims(fixture))).unwrap_or_else(|why| panic!("{}: {why}", fixture.name));
        }
    }
    let claims = claims(smallest);
    let changed = |name: &str, value: Value| {
        let mut claims = claims.clone();
        claims[name] = value;
        answer(&current.sign(&claims))
    };
    let mut refusals = Refusals::default();
    let good = current.sign(&claims);
    // The eighth bit would be no text.
    for bit in (0..good.len() * 8).filter(|bit| bit % 8 != 7) {
        let mut bytes = good.clone().into_bytes();
        bytes[bit / 8] ^= 1 << (bit % 8);
        refusals.add("a bit flipped", answer(&String::from_utf8(bytes).unwrap()), |refused| !refused.is_ours());
    }
    refusals.add("another key", answer(&other.sign(&claims)), |refused| refused == Refused::Wrong);
    let unsigned = String::from_utf8(unsigned(&smallest.body)).unwrap();
    refusals.add("no signature", answer(&unsigned), |refused| refused == Refused::Malformed("token"));
    let past = now().as_second() - 301;
    refusals.add("too old", changed("exp", json!(past)), |refused| refused == Refused::Stale);
    let ahead = now().as_second() + 301;
    refusals.add("from the future", changed("iat", json!(ahead)), |refused| refused == Refused::FromTheFuture);
    for name in ["iss", "aud"] {
        let changed = changed(name, json!("https://other.example"));
        refusals.add("for somebody else", changed, |refused| refused == Refused::WrongClaim(name));
    }
    (word(&Assurance::SignedJwt), refusals)
}
