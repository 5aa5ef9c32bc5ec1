//! Every scheme against every way to be wrong.
//!
//! The reference names BambooHR's published vector without its body: the vectors here are our own, computed by
//! Python's hmac, and those of RFC 4231.

use super::*;
use crate::intake::Headers;
use crate::intake::Source;
use proptest::prelude::*;

const KEY: &str = "rollcall-test-secret-1";
const OTHER: &str = "rollcall-test-secret-2";
const BODY: &[u8] = br#"{"who":"000417","n":"\u00e9"}"#;
const TIME: &str = "1794821400";
const FINCH_KEY: &str = "ZmluY2gtYnl0ZXMtb2YtdGhlLWtleSEh";
const FINCH_OTHER: &str = "ZmluY2gtYnl0ZXMtb2YtYW5vdGhlciEh";

/// A request that a scheme lets in.
struct Good {
    source: Source,
    key: &'static str,
    other: &'static str,
    headers: Vec<(&'static str, &'static str)>,
    /// The header with the signature or the secret.
    signature: &'static str,
    /// The header with the time, and how old it may be.
    time: Option<(&'static str, SignedDuration)>,
    assurance: Assurance,
}

fn good() -> Vec<Good> {
    let hex = "6e04b83c5127ec9c3cec3c1eeaea4697ad3d8fa3f7ff2183897bec798c690dec";
    let plain = |source, header, value, assurance| Good {
        source,
        key: KEY,
        other: OTHER,
        headers: vec![(header, value)],
        signature: header,
        time: None,
        assurance,
    };
    let body = Assurance::HmacBody;
    vec![
        plain(Source::Canonical, "authorization", "Bearer rollcall-test-secret-1", Assurance::StaticSecret),
        plain(Source::Okta, "authorization", KEY, Assurance::StaticSecret),
        plain(Source::Gusto, "x-gusto-signature", hex, body),
        plain(
            Source::Greenhouse,
            "signature",
            "sha256 6e04b83c5127ec9c3cec3c1eeaea4697ad3d8fa3f7ff2183897bec798c690dec",
            body,
        ),
        plain(
            Source::HiBob,
            "bob-signature",
            "sk7Y7cJyS12Tdi1b9HN3bnkpQAvhV8STIerNfNAEYGvax9E0luptB7lopbjeHgVHjX+TuUckXRnx1600+P69uA==",
            body,
        ),
        plain(Source::Merge, "x-merge-webhook-signature", "bgS4PFEn7Jw87Dwe6upGl609j6P3_yGDiXvseYxpDew=", body),
        plain(
            Source::Deel,
            "x-deel-signature",
            "28d91d4bc4020777d5f7e0242dc63815d47cecf8403101963da1b0924fafe380",
            body,
        ),
        Good {
            source: Source::BambooHr,
            key: KEY,
            other: OTHER,
            headers: vec![
                ("x-bamboohr-timestamp", TIME),
                ("x-bamboohr-signature", "a8bdffb550e6ba225221412f02af449cbb8180c47017f1065cf51164b93bdfe1"),
            ],
            signature: "x-bamboohr-signature",
            time: Some(("x-bamboohr-timestamp", RETRIED)),
            assurance: Assurance::HmacBodyTimestamp,
        },
        Good {
            source: Source::Finch,
            key: FINCH_KEY,
            other: FINCH_OTHER,
            headers: vec![
                ("finch-event-id", "evt_1"),
                ("finch-timestamp", TIME),
                ("finch-signature", "v1,AAAA v2,x v1,Afdo9GThKXmTnHxPVH5ax3uMafhes8MI1ixKrQ30s1w="),
            ],
            signature: "finch-signature",
            time: Some(("finch-timestamp", TOLERANCE)),
            assurance: Assurance::HmacBodyTimestamp,
        },
    ]
}

fn now() -> Timestamp {
    Timestamp::from_second(TIME.parse().unwrap()).unwrap()
}

impl Good {
    fn check(
        &self,
        secrets: &Secrets,
        headers: &[(&str, String)],
        body: &[u8],
        at: Timestamp,
    ) -> Result<Assurance, Refused> {
        let headers = Headers::new(headers.iter().map(|(name, value)| (*name, value.as_str())));
        verify(self.source.scheme(), secrets, &Received { body, headers: &headers, at })
    }

    fn as_sent(&self) -> Vec<(&'static str, String)> {
        self.headers.iter().map(|(name, value)| (*name, (*value).to_owned())).collect()
    }

    fn secrets(&self) -> Secrets {
        Secrets::new(self.key, None).unwrap()
    }

    /// Whether the body counts at all: a fixed secret signs nothing.
    fn signs(&self) -> bool {
        self.assurance != Assurance::StaticSecret
    }
}

#[test]
fn every_scheme_lets_its_own_requests_in_and_nothing_else() {
    for case in good() {
        let (sent, secrets, named) = (case.as_sent(), case.secrets(), case.source);
        let check =
            |secrets: &Secrets, headers: &[(&str, String)], body: &[u8]| case.check(secrets, headers, body, now());
        assert_eq!(check(&secrets, &sent, BODY), Ok(case.assurance), "{named:?}");

        // The secret: another, none, and two at once during rotation.
        let rotated = Secrets::new(case.other, Some(case.key)).unwrap();
        assert_eq!(check(&rotated, &sent, BODY), Ok(case.assurance), "{named:?}: second secret");
        assert_eq!(check(&Secrets::new(case.other, None).unwrap(), &sent, BODY), Err(Refused::Wrong), "{named:?}");
        assert_eq!(check(&Secrets::none(), &sent, BODY), Err(Refused::NoSecret), "{named:?}");

        // The body: a flipped bit, and another one with the same signature.
        for bit in [0, BODY.len() * 8 - 1] {
            let mut flipped = BODY.to_vec();
            flipped[bit / 8] ^= 1 << (bit % 8);
            let wanted = if case.signs() { Err(Refused::Wrong) } else { Ok(case.assurance) };
            assert_eq!(check(&secrets, &sent, &flipped), wanted, "{named:?}: flipped");
            assert_eq!(check(&secrets, &sent, b"{}"), wanted, "{named:?}: another body");
        }

        // The headers: each missing, each twice, each cut short.
        for index in 0..sent.len() {
            let mut without = sent.clone();
            let (name, value) = without.remove(index);
            assert_eq!(check(&secrets, &without, BODY), Err(Refused::MissingHeader(name)), "{named:?}");
            let twice = [sent.clone(), vec![(name, value.clone())]].concat();
            assert_eq!(check(&secrets, &twice, BODY), Err(Refused::MissingHeader(name)), "{named:?}: twice");
            let mut short = sent.clone();
            // Two characters: the padding alone does not count.
            short[index].1.truncate(value.len() - 2);
            assert!(check(&secrets, &short, BODY).is_err(), "{named:?}: {name} cut short");
        }

        // The signature: every character is another.
        let index = sent.iter().position(|(name, _)| *name == case.signature).unwrap();
        let start = case.headers[index].1.rfind("v1,").map_or(0, |at| at + 3);
        for at in start..sent[index].1.len() {
            let mut bytes = sent[index].1.clone().into_bytes();
            bytes[at] = if bytes[at] == b'7' { b'8' } else { b'7' };
            let mut forged = sent.clone();
            forged[index].1 = String::from_utf8(bytes).unwrap();
            assert!(check(&secrets, &forged, BODY).is_err(), "{named:?}: character {at}");
        }
    }
}

#[test]
fn a_time_counts_where_it_is_signed() {
    for case in good() {
        let Some((header, window)) = case.time else { continue };
        let (sent, secrets) = (case.as_sent(), case.secrets());
        let at = |at| case.check(&secrets, &sent, BODY, at);
        let second = SignedDuration::from_secs(1);
        assert_eq!(at(now() + window), Ok(case.assurance));
        assert_eq!(at(now() + window + second), Err(Refused::Stale));
        assert_eq!(at(now() - TOLERANCE), Ok(case.assurance));
        assert_eq!(at(now() - TOLERANCE - second), Err(Refused::FromTheFuture));
        // A new time under the old signature, and no time at all.
        for (value, wanted) in [
            ("1794821401", Refused::Wrong),
            ("", Refused::Malformed(header)),
            ("+1794821400", Refused::Malformed(header)),
            ("1794821400.0", Refused::Malformed(header)),
            ("99999999999999999999", Refused::Malformed(header)),
            ("9999999999999999", Refused::Malformed(header)),
        ] {
            let mut other = sent.clone();
            other.iter_mut().filter(|(name, _)| *name == header).for_each(|(_, old)| *old = value.to_owned());
            assert_eq!(case.check(&secrets, &other, BODY, now()), Err(wanted), "{value}");
        }
    }
}

#[test]
fn a_bamboohr_request_is_let_in_at_its_last_retry() {
    let retries = SignedDuration::from_mins(5 + 10 + 20 + 40 + 80);
    let case = good().into_iter().find(|case| case.source == Source::BambooHr).unwrap();
    assert!(case.check(&case.secrets(), &case.as_sent(), BODY, now() + retries).is_ok());
}

#[test]
fn bamboohr_s_body_and_time_cannot_run_together() {
    // Nothing stands between them, so a digit may pass from one to the other: the time is another by far.
    let case = good().into_iter().find(|case| case.source == Source::BambooHr).unwrap();
    let mut sent = case.as_sent();
    sent[0].1 = TIME[1..].to_owned();
    let body = [BODY, &TIME.as_bytes()[..1]].concat();
    assert_eq!(case.check(&case.secrets(), &sent, &body, now()), Err(Refused::Stale));
}

#[test]
fn another_ones_finch_event_id_is_wrong() {
    let case = good().into_iter().find(|case| case.source == Source::Finch).unwrap();
    let mut sent = case.as_sent();
    sent[0].1 = "evt_2".to_owned();
    assert_eq!(case.check(&case.secrets(), &sent, BODY, now()), Err(Refused::Wrong));
    // A key that is not base64 is ours to mend, not the sender's.
    let secrets = Secrets::new("not base64, and long enough", None).unwrap();
    assert_eq!(case.check(&secrets, &case.as_sent(), BODY, now()), Err(Refused::UnusableSecret));
}

#[test]
fn a_bearer_is_written_as_the_standard_says() {
    let secrets = Secrets::new(KEY, None).unwrap();
    let check = |value: String| {
        let headers = Headers::new([("authorization", value)]);
        verify(Scheme::Bearer, &secrets, &Received { body: b"", headers: &headers, at: now() })
    };
    assert_eq!(check(format!("bearer {KEY}")), Ok(Assurance::StaticSecret));
    assert_eq!(check(KEY.to_owned()), Err(Refused::Malformed("authorization")));
    assert_eq!(check(format!("Basic {KEY}")), Err(Refused::Malformed("authorization")));
    assert_eq!(check(format!("Bearer {KEY} ")), Err(Refused::Wrong));
    assert_eq!(check("Bearer ".to_owned()), Err(Refused::Wrong));
}

#[test]
fn what_never_comes_by_a_request_is_refused() {
    let headers = Headers::default();
    let check = |scheme| {
        verify(scheme, &Secrets::new(KEY, None).unwrap(), &Received { body: b"", headers: &headers, at: now() })
    };
    assert_eq!(check(Scheme::Bus), Err(Refused::NotByRequest));
    assert_eq!(check(Scheme::Jwt), Err(Refused::NeedsKeys));
    assert_eq!(check(Scheme::Unverified), Ok(Assurance::None));
}

#[test]
fn rfc_4231_test_case_4() {
    let key: String = (1..=0x19_u8).map(char::from).collect();
    let secrets = Secrets::new(&key, None).unwrap();
    for (hash, tag) in [
        (Hash::Sha256, "82558a389a443c0ea4cc819899f2083a85f0faa3e578f8077a2e3ff46729665b"),
        (
            Hash::Sha512,
            "b0ba465637458c6990e5a8c5f61d4af7e576d97ff94b872de76f8050361ee3dba91ca5c11aa25eb4d679275cc5788063a5f19741120c4f2de2adebeb10a298dd",
        ),
    ] {
        let scheme = Scheme::Hmac { header: "s", prefix: "", hash, encoding: Encoding::Hex, signed: Signed::Body };
        let headers = Headers::new([("s", tag)]);
        let received = Received { body: &[0xcd; 50], headers: &headers, at: now() };
        assert_eq!(verify(scheme, &secrets, &received), Ok(Assurance::HmacBody));
    }
}

#[test]
fn a_secret_that_can_be_guessed_is_refused_and_none_is_shown() {
    assert_eq!(format!("{:?}", Secrets::new(KEY, Some(OTHER)).unwrap()), "Secrets(2 redacted)");
    for weak in ["", "fifteen-bytes-x", "                        ", "rollcall-test-secret-1\n"] {
        assert_eq!(Secrets::new(weak, None).err(), Some(WeakSecret));
        assert_eq!(Secrets::new(KEY, Some(weak)).err(), Some(WeakSecret));
    }
}

proptest! {
    #[test]
    fn arbitrary_requests_are_refused_without_a_panic(
        body in prop::collection::vec(any::<u8>(), 0..200),
        values in prop::collection::vec("\\PC{0,80}", 3),
        time in any::<i64>(),
    ) {
        let secrets = Secrets::new(KEY, Some(FINCH_KEY)).unwrap();
        for case in good() {
            let headers: Vec<(&str, String)> =
                case.headers.iter().map(|(name, _)| *name).zip(values.iter().cloned()).collect();
            prop_assert!(case.check(&secrets, &headers, &body, now()).is_err());
            let mut headers = case.as_sent();
            if let Some((name, _)) = case.time {
                headers.iter_mut().filter(|(known, _)| *known == name).for_each(|(_, old)| *old = time.to_string());
                prop_assert!(case.check(&case.secrets(), &headers, BODY, now()).is_err() || time == 1_794_821_400);
            }
        }
    }
}
