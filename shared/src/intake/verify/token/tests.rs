//! Tokens: published ones of RFC 7515, and our own with a key that the test makes.

use super::*;
use proptest::prelude::*;
use ring::rand::SystemRandom;
use ring::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair};
use serde_json::json;

const ISSUER: &str = "https://idp.acme.example";
const AUDIENCE: &str = "https://rollcall.acme.example";
const NOW: i64 = 1_794_821_400;

fn now() -> Timestamp {
    Timestamp::from_second(NOW).unwrap()
}

fn encode(bytes: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

/// An issuer with a key of its own.
struct Issuer {
    pair: EcdsaKeyPair,
    random: SystemRandom,
}

impl Issuer {
    fn new() -> Issuer {
        let random = SystemRandom::new();
        let pkcs8 = EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &random).unwrap();
        let pair = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, pkcs8.as_ref(), &random).unwrap();
        Issuer { pair, random }
    }

    fn key(&self, id: &str) -> Value {
        let point = self.pair.public_key().as_ref();
        json!({ "kty": "EC", "crv": "P-256", "kid": id, "use": "sig", "x": encode(&point[1..33]), "y": encode(&point[33..]) })
    }

    fn keys(&self) -> Jwks {
        Jwks::parse(&json!({ "keys": [self.key("k-1")] }).to_string()).unwrap()
    }

    fn sign(&self, header: &Value, claims: &Value) -> String {
        let text = format!("{}.{}", encode(header.to_string().as_bytes()), encode(claims.to_string().as_bytes()));
        let tag = self.pair.sign(&self.random, text.as_bytes()).unwrap();
        format!("{text}.{}", encode(tag.as_ref()))
    }
}

fn header() -> Value {
    json!({ "alg": "ES256", "kid": "k-1", "typ": "secevent+jwt" })
}

fn claims() -> Value {
    json!({ "iss": ISSUER, "aud": AUDIENCE, "iat": NOW, "jti": "set-1" })
}

fn check(token: &str, keys: &Jwks) -> Result<Claims, Refused> {
    verify_jwt(token, keys, ISSUER, AUDIENCE, now())
}

#[test]
fn a_token_of_the_issuer_is_believed() {
    let issuer = Issuer::new();
    let claims = check(&issuer.sign(&header(), &claims()), &issuer.keys()).unwrap();
    assert_eq!(claims.get("jti"), Some(&json!("set-1")));
    assert_eq!(format!("{claims:?}"), "Claims(redacted)");
    // A key set in rotation, with keys of other kinds; a token that names no key.
    let set = json!({ "keys": [
        Issuer::new().key("k-0"), { "kty": "oct", "k": "AAAA" }, { "kty": "EC", "crv": "P-384" }, 7, issuer.key("k-2"),
    ] });
    let keys = Jwks::parse(&set.to_string()).unwrap();
    assert!(
        check(
            &issuer.sign(&json!({ "alg": "ES256" }), &json!({ "iss": ISSUER, "aud": ["x", AUDIENCE], "iat": NOW })),
            &keys
        )
        .is_ok()
    );
    // A retry of last week says what happened last week.
    assert!(
        check(
            &issuer.sign(&header(), &json!({ "iss": ISSUER, "aud": AUDIENCE, "iat": NOW - 604_800 })),
            &issuer.keys()
        )
        .is_ok()
    );
}

#[test]
fn a_token_of_anybody_else_is_refused() {
    let (issuer, other) = (Issuer::new(), Issuer::new());
    let token = issuer.sign(&header(), &claims());
    assert_eq!(check(&token, &other.keys()).err(), Some(Refused::Wrong));
    let [head, payload, tag] = token.split('.').collect::<Vec<_>>()[..] else { panic!("three parts") };
    // The claims of another under the same signature; no signature; one of another length.
    let forged = encode(json!({ "iss": ISSUER, "aud": AUDIENCE, "iat": NOW, "jti": "set-2" }).to_string().as_bytes());
    for wrong in
        [format!("{head}.{forged}.{tag}"), format!("{head}.{payload}."), format!("{head}.{payload}.{}", &tag[..40])]
    {
        assert_eq!(check(&wrong, &issuer.keys()).err(), Some(Refused::Wrong));
    }
    for cut in ["", ".", "..", "a.b", "a.b.c.d", &format!("{token}.x"), &format!("{token}=")] {
        assert!(check(cut, &issuer.keys()).is_err(), "{cut}");
    }
}

#[test]
fn the_key_says_which_algorithm_counts() {
    let issuer = Issuer::new();
    for (header, wanted) in [
        (json!({ "alg": "none", "kid": "k-1" }), Refused::UnknownKey),
        (json!({ "alg": "HS256", "kid": "k-1" }), Refused::UnknownKey),
        (json!({ "alg": "RS256", "kid": "k-1" }), Refused::UnknownKey),
        (json!({ "alg": "ES256", "kid": "k-9" }), Refused::UnknownKey),
        (json!({ "alg": "ES256", "crit": ["b64"], "b64": false }), Refused::Malformed("crit")),
        (json!({ "kid": "k-1" }), Refused::Malformed("token")),
    ] {
        assert_eq!(check(&issuer.sign(&header, &claims()), &issuer.keys()).err(), Some(wanted), "{header}");
    }
}

#[test]
fn every_claim_counts() {
    let issuer = Issuer::new();
    for (name, value, wanted) in [
        ("iss", json!("https://idp.other.example"), Refused::WrongClaim("iss")),
        ("iss", Value::Null, Refused::WrongClaim("iss")),
        ("aud", json!("https://another.acme.example"), Refused::WrongClaim("aud")),
        ("aud", json!([]), Refused::WrongClaim("aud")),
        ("aud", Value::Null, Refused::WrongClaim("aud")),
        ("iat", json!("1794821400"), Refused::WrongClaim("iat")),
        ("iat", json!(1e300), Refused::WrongClaim("iat")),
        ("iat", json!(NOW + 301), Refused::FromTheFuture),
        ("nbf", json!(NOW + 301), Refused::FromTheFuture),
        ("exp", json!(NOW - 301), Refused::Stale),
        ("exp", json!("soon"), Refused::WrongClaim("exp")),
    ] {
        let mut claims = claims();
        claims[name] = value;
        assert_eq!(check(&issuer.sign(&header(), &claims), &issuer.keys()).err(), Some(wanted), "{name}");
    }
}

#[test]
fn a_set_without_a_usable_key_is_ours_to_mend() {
    let short = json!({ "keys": [{ "kty": "EC", "crv": "P-256", "use": "enc", "x": "AA", "y": "AA" }] }).to_string();
    for text in ["", "{}", "[]", r#"{"keys":[]}"#, r#"{"keys":[{"kty":"oct","k":"AAAA"}]}"#, &short] {
        assert_eq!(Jwks::parse(text).err(), Some(Refused::UnusableKeys));
    }
    assert!(Refused::UnusableKeys.is_ours() && !Refused::Wrong.is_ours());
}

/// RFC 7515, appendix A.3.
#[test]
fn the_published_es256_token_has_the_right_signature() {
    let keys = Jwks::parse(
        r#"{"keys":[{"kty":"EC","crv":"P-256","x":"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU","y":"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"}]}"#,
    );
    let token = "eyJhbGciOiJFUzI1NiJ9.eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ.DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJqPP3-Kg6NU1Q";
    published(&keys.unwrap(), token);
}

/// RFC 7515, appendix A.2.
#[test]
fn the_published_rs256_token_has_the_right_signature() {
    let keys = Jwks::parse(
        r#"{"keys":[{"kty":"RSA","e":"AQAB","n":"ofgWCuLjybRlzo0tZWJjNiuSfb4p4fAkd_wWJcyQoTbji9k0l8W26mPddxHmfHQp-Vaw-4qPCJrcS2mJPMEzP1Pt0Bm4d4QlL-yRT-SFd2lZS-pCgNMsD1W_YpRPEwOWvG6b32690r2jZ47soMZo9wGzjb_7OMg0LOL-bSf63kpaSHSXndS5z5rexMdbBYUsLA9e-KXBdQOS-UTo7WTBEMa2R2CapHg665xsmtdVMTBQY4uDZlxvb3qCo5ZwKh9kG4LT6_I5IhlJH7aGhyxXFvUK-DWNmoudF8NAco9_h9iaGNj8q2ethFkMLs91kzk2PAcDTW9gb54h4FRWyuXpoQ"}]}"#,
    );
    let token = "eyJhbGciOiJSUzI1NiJ9.eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ.cC4hiUPoj9Eetdgtv3hF80EGrhuB__dzERat0XF9g2VtQgr9PJbu3XOiZj5RZmh7AAuHIm4Bh-0Qc_lF5YKt_O8W2Fp5jujGbds9uJdbF9CUAr7t1dnZcAcQjbKBYNX4BAynRFdiuB--f_nZLgrnbyTyWzO75vRK5h6xBArLIARNPvkSjtQBMHlb1L07Qe7K0GarZRmB_eSN9383LcOLn6_dO--xi12jzDwusC-eOkHWEsqtFZESc6BfI7noOPqvhJ1phCnvWh6IeYI2w9QOYEUipUTI8np6LbgGY9Fs98rqVt5AXLIhWkWywlVmtVrBp0igcN_IoypGlUPQGe77Rw";
    published(&keys.unwrap(), token);
}

fn published(keys: &Jwks, token: &str) {
    assert_eq!(signed_claims(token, keys).unwrap().get("iss"), Some(&json!("joe")));
    let forged = token.replacen("eyJpc3MiOiJqb2Ui", "eyJpc3MiOiJqb2Vi", 1);
    assert_eq!(signed_claims(&forged, keys).err(), Some(Refused::Wrong));
    // Its signature is right, but it is for nobody.
    assert_eq!(verify_jwt(token, keys, "joe", AUDIENCE, now()).err(), Some(Refused::WrongClaim("aud")));
}

proptest! {
    #[test]
    fn arbitrary_tokens_are_refused_without_a_panic(text in "\\PC{0,200}", parts in prop::collection::vec(any::<u8>(), 0..200)) {
        let keys = Issuer::new().keys();
        prop_assert!(check(&text, &keys).is_err());
        let part = encode(&parts);
        let forged = format!("{part}.{part}.{part}");
        prop_assert!(check(&forged, &keys).is_err());
        let headed = format!("{}.{part}.{part}", encode(header().to_string().as_bytes()));
        prop_assert!(check(&headed, &keys).is_err());
        let _ = (Jwks::parse(&text), verified_before(&text));
    }
}
