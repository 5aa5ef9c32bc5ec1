//! Security event tokens, against an issuer that publishes its keys on this machine.

use crate::stage::{NOW, Stage, event};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::rand::SystemRandom;
use ring::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair};
use rollcall::event::wire::Assurance;
use rollcall::intake::receive::{NotTaken, Outcome};
use rollcall::intake::verify::Refused;
use serde_json::{Value, json};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

const ISSUER: &str = "https://idp.acme.example";
const AUDIENCE: &str = "https://rollcall.acme.example";

fn encode(bytes: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

/// A key pair of an issuer.
struct Key {
    id: &'static str,
    pair: EcdsaKeyPair,
    random: SystemRandom,
}

impl Key {
    fn new(id: &'static str) -> Key {
        let random = SystemRandom::new();
        let pkcs8 = EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &random).unwrap();
        let pair = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, pkcs8.as_ref(), &random).unwrap();
        Key { id, pair, random }
    }

    fn public(&self) -> Value {
        let point = self.pair.public_key().as_ref();
        json!({ "kty": "EC", "crv": "P-256", "kid": self.id, "x": encode(&point[1..33]), "y": encode(&point[33..]) })
    }

    fn token(&self, claims: &Value) -> String {
        let header = json!({ "alg": "ES256", "kid": self.id, "typ": "secevent+jwt" });
        let text = format!("{}.{}", encode(header.to_string().as_bytes()), encode(claims.to_string().as_bytes()));
        format!("{text}.{}", encode(self.pair.sign(&self.random, text.as_bytes()).unwrap().as_ref()))
    }
}

fn claims() -> Value {
    let mut claims: Value =
        serde_json::from_str(include_str!("../../../events/sources/risc/account-disabled.json")).unwrap();
    claims["iss"] = json!(ISSUER);
    claims["aud"] = json!(AUDIENCE);
    claims["iat"] = json!(NOW);
    claims
}

/// Where keys are published.
struct Publisher {
    answer: Arc<Mutex<Vec<u8>>>,
    asked: Arc<AtomicUsize>,
    address: String,
}

impl Publisher {
    async fn start(keys: &[&Key]) -> Publisher {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let address = format!("http://{}/keys", listener.local_addr().unwrap());
        let (answer, asked) = (Arc::new(Mutex::new(Vec::new())), Arc::new(AtomicUsize::new(0)));
        let publisher = Publisher { answer: Arc::clone(&answer), asked: Arc::clone(&asked), address };
        publisher.publishes(keys);
        tokio::spawn(async move {
            loop {
                let (mut connection, _) = listener.accept().await.unwrap();
                asked.fetch_add(1, Ordering::SeqCst);
                let answer = answer.lock().unwrap().clone();
                tokio::spawn(async move {
                    let mut request = [0; 4096];
                    let _read = connection.read(&mut request).await;
                    if answer.is_empty() {
                        return tokio::time::sleep(Duration::from_secs(5)).await;
                    }
                    let _written = connection.write_all(&answer).await;
                });
            }
        });
        publisher
    }

    fn answers(&self, status: &str, body: &str) {
        let length = body.len();
        let text = format!("HTTP/1.1 {status}\r\ncontent-length: {length}\r\nconnection: close\r\n\r\n{body}");
        *self.answer.lock().unwrap() = text.into_bytes();
    }

    fn publishes(&self, keys: &[&Key]) {
        let keys: Vec<Value> = keys.iter().map(|key| key.public()).collect();
        self.answers("200 OK", &json!({ "keys": keys }).to_string());
    }

    fn is_silent(&self) {
        self.answer.lock().unwrap().clear();
    }

    fn asked(&self) -> usize {
        self.asked.load(Ordering::SeqCst)
    }

    fn stage(&self) -> Stage {
        let tokens = json!({ "issuer": ISSUER, "audience": AUDIENCE, "keys": self.address });
        Stage::with_policy(&json!({ "sources": { "systems": { "risc": { "tokens": tokens } } } }))
    }
}

fn post(token: &str) -> Value {
    event("POST", "/risc", &[("content-type".into(), "application/secevent+jwt".into())], token.as_bytes())
}

#[tokio::test]
async fn a_token_of_the_issuer_is_accepted() {
    let key = Key::new("k-1");
    let publisher = Publisher::start(&[&key]).await;
    let stage = publisher.stage();
    let token = key.token(&claims());
    let told = stage.take(post(&format!("{token}\n"))).await;
    assert_eq!((told.response().status_code, told.response().body.as_str()), (202, ""), "{told:?}");
    assert_eq!((told.count(), stage.messages().len()), ("Received", 1));
    let (_, receipt) = stage.receipts().pop_first().unwrap();
    assert_eq!(receipt.assurance, Assurance::SignedJwt);
    assert_eq!(receipt.request().unwrap().0, format!("{token}\n").as_bytes());
    assert_eq!(stage.look_ups(), 0, "there is no secret to look for");
}

#[tokio::test]
async fn a_token_that_is_refused_is_told_why_in_the_standards_words() {
    let (key, other) = (Key::new("k-1"), Key::new("k-1"));
    let publisher = Publisher::start(&[&key]).await;
    let with = |name: &str, value: Value| {
        let mut claims = claims();
        claims[name] = value;
        key.token(&claims)
    };
    let good = key.token(&claims());
    let mut parts: Vec<&str> = good.split('.').collect();
    let payload = encode(claims().to_string().replace(ISSUER, "https://idp.evil.example").as_bytes());
    parts[1] = &payload;
    let changed = parts.join(".");
    let table = [
        (with("iss", json!("https://idp.evil.example")), "invalid_issuer"),
        (with("aud", json!("https://somebody.example")), "invalid_audience"),
        (with("iat", json!(NOW + 301)), "invalid_request"),
        (with("exp", json!(NOW - 301)), "invalid_request"),
        (other.token(&claims()), "invalid_key"),
        (changed, "invalid_key"),
        (Key::new("k-2").token(&claims()), "invalid_key"),
        ("no token".to_owned(), "invalid_request"),
        (String::new(), "invalid_request"),
    ];
    for (token, expected) in table {
        let stage = publisher.stage();
        let told = stage.take(post(&token)).await;
        let response = told.response();
        assert_eq!((response.status_code, told.count()), (400, "SignatureRefused"), "{token}");
        let body: Value = serde_json::from_str(&response.body).unwrap();
        assert_eq!(body["err"], expected, "{token}");
        assert!(!body["description"].as_str().unwrap().is_empty());
        assert_eq!(
            (response.headers["content-type"], response.headers["content-language"]),
            ("application/json", "en")
        );
        assert!(stage.receipts().is_empty() && stage.messages().is_empty(), "{token}");
    }
    // No UTF-8 is no token.
    let told = publisher.stage().take(event("POST", "/risc", &[], b"\xff.\xff.\xff")).await;
    assert_eq!(told.outcome, Outcome::Refused(Refused::Malformed("token")));
}

#[tokio::test]
async fn what_is_no_token_costs_the_issuer_nothing() {
    let publisher = Publisher::start(&[&Key::new("k-1")]).await;
    let stage = publisher.stage();
    for body in ["", "{}", "a.b", "a.b.c"] {
        assert_eq!(stage.outcome(post(body)).await, (400, "SignatureRefused", 0, 0), "{body}");
    }
    assert_eq!(publisher.asked(), 0);
}

#[tokio::test]
async fn keys_are_kept_for_ten_minutes() {
    let key = Key::new("k-1");
    let publisher = Publisher::start(&[&key]).await;
    let stage = publisher.stage();
    for (seconds, asked) in [(0, 1), (599, 1), (1, 2), (1, 2)] {
        stage.later(seconds);
        assert_eq!(stage.take(post(&key.token(&claims()))).await.count(), "Received");
        assert_eq!(publisher.asked(), asked);
    }
}

#[tokio::test]
async fn an_unknown_key_is_looked_for_once_a_minute() {
    let (one, two) = (Key::new("k-1"), Key::new("k-2"));
    let publisher = Publisher::start(&[&one]).await;
    let stage = publisher.stage();
    assert_eq!(stage.take(post(&one.token(&claims()))).await.count(), "Received");
    publisher.publishes(&[&one, &two]);
    stage.later(59);
    for _ in 0..3 {
        assert_eq!(stage.take(post(&two.token(&claims()))).await.outcome, Outcome::Refused(Refused::UnknownKey));
    }
    assert_eq!(publisher.asked(), 1);
    stage.later(1);
    assert_eq!(stage.take(post(&two.token(&claims()))).await.count(), "Received");
    assert_eq!(publisher.asked(), 2);
    let three = Key::new("k-3");
    assert_eq!(stage.take(post(&three.token(&claims()))).await.outcome, Outcome::Refused(Refused::UnknownKey));
    assert_eq!(publisher.asked(), 2);
}

#[tokio::test]
async fn keys_that_are_not_to_be_had_are_ours_to_mend() {
    let key = Key::new("k-1");
    let publisher = Publisher::start(&[&key]).await;
    // What would do, but for its size, and for its address.
    let large = json!({ "keys": [key.public()], "more": "x".repeat(1024 * 1024) }).to_string();
    let whole = json!({ "keys": [key.public()] }).to_string();
    let another = Publisher::start(&[&key]).await;
    let elsewhere = format!("302 Found\r\nlocation: {}", another.address);
    for (status, body) in [
        ("503 Service Unavailable", whole.as_str()),
        ("404 Not Found", whole.as_str()),
        (elsewhere.as_str(), ""),
        ("200 OK", "{}"),
        ("200 OK", r#"{"keys":[]}"#),
        ("200 OK", large.as_str()),
    ] {
        publisher.answers(status, body);
        let stage = publisher.stage();
        let told = stage.take(post(&key.token(&claims()))).await;
        assert_eq!(told.outcome, Outcome::NotTaken(NotTaken::Keys), "{status}");
        assert_eq!(told.response().status_code, 503);
        // Nobody is asked again at once; then it works.
        publisher.publishes(&[&key]);
        stage.later(4);
        assert_eq!(stage.take(post(&key.token(&claims()))).await.count(), "NotTaken", "{status}");
        stage.later(1);
        assert_eq!(stage.take(post(&key.token(&claims()))).await.count(), "Received", "{status}");
    }
    assert_eq!(another.asked(), 0, "the policy names the address, and nobody else does");
}

#[tokio::test]
async fn a_silent_publisher_is_waited_for_a_second() {
    let key = Key::new("k-1");
    let publisher = Publisher::start(&[&key]).await;
    publisher.is_silent();
    let stage = publisher.stage();
    let told = tokio::time::timeout(Duration::from_millis(1500), stage.take(post(&key.token(&claims())))).await;
    assert_eq!(told.expect("it is told within 1.5 s").outcome, Outcome::NotTaken(NotTaken::Keys));
}

#[tokio::test]
async fn without_a_rule_for_tokens_nobodys_are_believed() {
    let stage = Stage::new();
    let told = stage.take(post(&Key::new("k-1").token(&claims()))).await;
    assert_eq!(told.outcome, Outcome::NotTaken(NotTaken::Unverifiable(Refused::NeedsKeys)));
    assert_eq!((told.response().status_code, told.count()), (503, "Unconfigured"));
}
