//! The senders that sign, each as its documents say. What is expected of their signatures is computed here, not by the
//! code under test.

use crate::stage::{NOW, event};
use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE};
use ring::hmac;
use serde_json::Value;

pub(crate) const SECRET: &str = "rollcall-test-secret-1";
pub(crate) const OTHER: &str = "rollcall-test-secret-2";
const FINCH: &str = "ZmluY2gtYnl0ZXMtb2YtdGhlLWtleSEh";
const FINCH_OTHER: &str = "ZmluY2gtYnl0ZXMtb2YtYW5vdGhlciEh";

/// A request before it is signed.
pub(crate) type Sign = fn(&str, &[u8], i64) -> Vec<(String, String)>;

/// A system that sends.
#[derive(Clone, Copy)]
pub(crate) struct Sender {
    pub(crate) source: &'static str,
    pub(crate) method: &'static str,
    pub(crate) path: &'static str,
    pub(crate) body: &'static str,
    pub(crate) secret: &'static str,
    pub(crate) other: &'static str,
    /// The header with the signature or the secret.
    pub(crate) header: &'static str,
    /// Whether it signs the body.
    pub(crate) signs: bool,
    /// How old a request may be, in seconds.
    pub(crate) window: Option<i64>,
    /// The status of success.
    pub(crate) thanks: u16,
    pub(crate) sign: Sign,
}

impl Sender {
    pub(crate) fn headers(&self, secret: &str, at: i64) -> Vec<(String, String)> {
        (self.sign)(secret, self.body.as_bytes(), at)
    }

    /// A request that was signed with this secret then.
    pub(crate) fn signed(&self, secret: &str, at: i64) -> Value {
        self.request(&self.headers(secret, at), self.body.as_bytes())
    }

    pub(crate) fn request(&self, headers: &[(String, String)], body: &[u8]) -> Value {
        event(self.method, self.path, headers, body)
    }

    /// The request that is right.
    pub(crate) fn good(&self) -> Value {
        self.signed(self.secret, NOW)
    }
}

fn one(name: &str, value: impl Into<String>) -> Vec<(String, String)> {
    vec![(name.to_owned(), value.into())]
}

fn tag(algorithm: hmac::Algorithm, key: &[u8], parts: &[&[u8]]) -> Vec<u8> {
    hmac::sign(&hmac::Key::new(algorithm, key), &parts.concat()).as_ref().to_vec()
}

fn sha256(secret: &str, parts: &[&[u8]]) -> Vec<u8> {
    tag(hmac::HMAC_SHA256, secret.as_bytes(), parts)
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn bearer(secret: &str, _: &[u8], _: i64) -> Vec<(String, String)> {
    one("authorization", format!("Bearer {secret}"))
}

fn exact(secret: &str, _: &[u8], _: i64) -> Vec<(String, String)> {
    one("authorization", secret)
}

fn bamboohr(secret: &str, body: &[u8], at: i64) -> Vec<(String, String)> {
    let at = at.to_string();
    let signature = hex(&sha256(secret, &[body, at.as_bytes()]));
    vec![("x-bamboohr-timestamp".into(), at), ("x-bamboohr-signature".into(), signature)]
}

fn finch(secret: &str, body: &[u8], at: i64) -> Vec<(String, String)> {
    // A secret that is no base64 signs as text: it is wrong in any case.
    let key = STANDARD.decode(secret).unwrap_or_else(|_| secret.as_bytes().to_vec());
    let signature = tag(hmac::HMAC_SHA256, &key, &[format!("event-1.{at}.").as_bytes(), body]);
    vec![
        ("finch-event-id".into(), "event-1".into()),
        ("finch-timestamp".into(), at.to_string()),
        ("finch-signature".into(), format!("v1,{}", STANDARD.encode(signature))),
    ]
}

macro_rules! fixture {
    ($name:literal) => {
        include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/../events/sources/", $name, ".json"))
    };
}

/// Every source with a secret.
pub(crate) fn senders() -> Vec<Sender> {
    let sender = |source, path, body, header, sign| Sender {
        source,
        method: "POST",
        path,
        body,
        secret: SECRET,
        other: OTHER,
        header,
        signs: true,
        window: None,
        thanks: 200,
        sign,
    };
    let fixed = |source, path, body, sign| Sender { signs: false, ..sender(source, path, body, "authorization", sign) };
    vec![
        fixed("canonical", "/canonical", fixture!("canonical/detail"), bearer),
        fixed("cloudevents", "/cloudevents", fixture!("cloudevents/event"), bearer),
        Sender {
            method: "PATCH",
            thanks: 204,
            ..fixed("scim", "/scim/Users/7731", fixture!("scim/patch.path"), bearer)
        },
        Sender { method: "PUT", ..fixed("scim", "/scim/Users/7731", fixture!("scim/put"), bearer) },
        fixed("okta", "/okta", fixture!("okta/account_status.deactivated"), exact),
        fixed("personio", "/personio", fixture!("personio/termination"), exact),
        fixed("auth0", "/auth0", fixture!("auth0/account_status.blocked"), bearer),
        Sender {
            window: Some(3 * 60 * 60),
            ..sender("bamboohr", "/bamboohr", fixture!("bamboohr/updated"), "x-bamboohr-signature", bamboohr)
        },
        sender("hibob", "/hibob", fixture!("hibob/left"), "bob-signature", |secret, body, _| {
            one("bob-signature", STANDARD.encode(tag(hmac::HMAC_SHA512, secret.as_bytes(), &[body])))
        }),
        sender("gusto", "/gusto", fixture!("gusto/termination.effective"), "x-gusto-signature", |secret, body, _| {
            one("x-gusto-signature", hex(&sha256(secret, &[body])))
        }),
        Sender {
            secret: FINCH,
            other: FINCH_OTHER,
            window: Some(5 * 60),
            ..sender("finch", "/finch", fixture!("finch/individual"), "finch-signature", finch)
        },
        sender("greenhouse", "/greenhouse", fixture!("greenhouse/hire.scheduled"), "signature", |secret, body, _| {
            one("signature", format!("sha256 {}", hex(&sha256(secret, &[body]))))
        }),
        sender("merge", "/merge", fixture!("merge/active"), "x-merge-webhook-signature", |secret, body, _| {
            one("x-merge-webhook-signature", URL_SAFE.encode(sha256(secret, &[body])))
        }),
        sender("deel", "/deel", fixture!("deel/termination"), "x-deel-signature", |secret, body, _| {
            one("x-deel-signature", hex(&sha256(secret, &[b"POST", body])))
        }),
    ]
}
