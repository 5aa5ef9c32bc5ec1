//! Sending as each system does: its signature, its headers, and its tokens.

use super::leavers::{Leaver, Way};
use anyhow::{Context, Result, bail};
use axum::Router;
use axum::routing::get;
use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE, URL_SAFE_NO_PAD};
use jiff::Timestamp;
use ring::hmac;
use ring::rand::SystemRandom;
use ring::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair};
use serde_json::json;

/// The secret of every source that has one.
pub(super) const SECRET: &str = "a-secret-of-the-demo-0123456789";

/// An issuer of signed tokens: its key, and where it publishes it.
pub(super) struct Issuer {
    pair: EcdsaKeyPair,
    /// Where its key set is.
    pub(super) keys: String,
}

impl Issuer {
    /// Makes a key, and publishes it on a port of 127.0.0.1.
    pub(super) async fn start() -> Result<Issuer> {
        let random = SystemRandom::new();
        let algorithm = &ECDSA_P256_SHA256_FIXED_SIGNING;
        let key = EcdsaKeyPair::generate_pkcs8(algorithm, &random).map_err(|_| anyhow::anyhow!("no key was made"))?;
        let pair = EcdsaKeyPair::from_pkcs8(algorithm, key.as_ref(), &random)
            .map_err(|_| anyhow::anyhow!("the key that was made cannot be read"))?;
        let point = pair.public_key().as_ref();
        let part = |range: std::ops::Range<usize>| URL_SAFE_NO_PAD.encode(point.get(range).unwrap_or_default());
        let set = json!({ "keys": [{
            "kty": "EC", "crv": "P-256", "use": "sig", "alg": "ES256", "kid": "demo", "x": part(1..33), "y": part(33..65),
        }] });
        let listener = tokio::net::TcpListener::bind(("127.0.0.1", 0)).await?;
        let keys = format!("http://{}/keys", listener.local_addr()?);
        let text = set.to_string();
        let router = Router::new().route("/keys", get(move || async move { text }));
        tokio::spawn(async move { axum::serve(listener, router).await });
        Ok(Issuer { pair, keys })
    }

    fn token(&self, claims: &str) -> Result<String> {
        let head = URL_SAFE_NO_PAD.encode(json!({ "alg": "ES256", "kid": "demo", "typ": "secevent+jwt" }).to_string());
        let text = format!("{head}.{}", URL_SAFE_NO_PAD.encode(claims));
        let signed = self.pair.sign(&SystemRandom::new(), text.as_bytes());
        let signed = signed.map_err(|_| anyhow::anyhow!("the token cannot be signed"))?;
        Ok(format!("{text}.{}", URL_SAFE_NO_PAD.encode(signed.as_ref())))
    }
}

/// What a source's request consists of.
pub(super) struct Request {
    pub(super) headers: Vec<(&'static str, String)>,
    pub(super) body: String,
}

/// A leaver's request as its source sends it now.
pub(super) fn request(leaver: &Leaver, issuer: &Issuer, now: Timestamp) -> Result<Request> {
    let body = leaver.body.clone();
    let seconds = now.as_second().to_string();
    let hmac = |algorithm, text: &[u8]| hmac::sign(&hmac::Key::new(algorithm, SECRET.as_bytes()), text);
    let hex = |tag: hmac::Tag| tag.as_ref().iter().map(|byte| format!("{byte:02x}")).collect::<String>();
    let mut headers = match leaver.way {
        Way::Bearer => vec![("authorization", format!("Bearer {SECRET}"))],
        Way::Exact => vec![("authorization", SECRET.to_owned())],
        Way::Unverified | Way::Bus => Vec::new(),
        Way::Token => {
            let headers = vec![("content-type", "application/secevent+jwt".to_owned())];
            return Ok(Request { headers, body: issuer.token(&body)? });
        }
        Way::Hmac(header) => match leaver.source {
            "merge" => vec![(header, URL_SAFE.encode(hmac(hmac::HMAC_SHA256, body.as_bytes())))],
            "deel" => vec![(header, hex(hmac(hmac::HMAC_SHA256, format!("POST{body}").as_bytes())))],
            "greenhouse" => vec![
                (header, format!("sha256 {}", hex(hmac(hmac::HMAC_SHA256, body.as_bytes())))),
                ("greenhouse-event-id", "greenhouse-leaver-1".to_owned()),
            ],
            "finch" => {
                let key = STANDARD.decode(finch_secret()).context("the secret is base64")?;
                let text = format!("finch-leaver-1.{seconds}.{body}");
                let tag = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, &key), text.as_bytes());
                vec![
                    (header, format!("v1,{}", STANDARD.encode(tag))),
                    ("finch-event-id", "finch-leaver-1".to_owned()),
                    ("finch-timestamp", seconds),
                ]
            }
            "bamboohr" => vec![
                (header, hex(hmac(hmac::HMAC_SHA256, format!("{body}{seconds}").as_bytes()))),
                ("x-bamboohr-timestamp", seconds),
            ],
            "hibob" => vec![(header, STANDARD.encode(hmac(hmac::HMAC_SHA512, body.as_bytes())))],
            "gusto" => vec![(header, hex(hmac(hmac::HMAC_SHA256, body.as_bytes())))],
            other => bail!("nobody says how {other} signs"),
        },
    };
    let kind = if leaver.source == "successfactors" { "text/xml" } else { "application/json" };
    headers.push(("content-type", kind.to_owned()));
    Ok(Request { headers, body })
}

/// Finch gives its secret in base64.
pub(super) fn finch_secret() -> String {
    STANDARD.encode(SECRET)
}
