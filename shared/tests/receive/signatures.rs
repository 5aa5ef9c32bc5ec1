//! Every source with a secret: what is let in, and every way to be refused.

use crate::senders::{Sender, senders};
use crate::stage::{NOW, Stage, kept};
use rollcall::intake::Source;
use rollcall::intake::receipt::Message;
use rollcall::intake::verify::Scheme;
use serde_json::json;
use std::collections::BTreeSet;

/// A stage that knows the sender's secret.
fn stage(sender: &Sender) -> Stage {
    let stage = Stage::new();
    stage.secret(sender.source, sender.secret);
    stage
}

#[test]
fn the_table_has_every_source_with_a_secret() {
    let listed: BTreeSet<&str> = senders().iter().map(|sender| sender.source).collect();
    let with_secret = Source::ALL.into_iter().filter(|source| match source.scheme() {
        Scheme::Bearer | Scheme::Exact | Scheme::Hmac { .. } | Scheme::Finch => true,
        Scheme::Jwt | Scheme::Bus | Scheme::Unverified => false,
    });
    assert_eq!(listed, with_secret.map(Source::as_str).collect());
}

#[tokio::test]
async fn a_right_signature_is_let_in_kept_and_sent_on() {
    for sender in senders() {
        let stage = stage(&sender);
        let mut headers = sender.headers(sender.secret, NOW);
        headers.push(("x-canary".into(), "not to be kept".into()));
        headers.push(("greenhouse-event-id".into(), "kept-1".into()));
        let found = stage.outcome(sender.request(&headers, sender.body.as_bytes())).await;
        assert_eq!(found, (sender.thanks, "Received", 1, 1), "{}", sender.source);

        let (key, receipt) = stage.receipts().pop_first().unwrap();
        assert_eq!(stage.messages(), [Message { receipt: key.clone() }.body()], "{}", sender.source);
        assert_eq!(key, format!("receipts/{}/2026-11-20/{:032x}.json", sender.source, 1));
        assert_eq!((receipt.source.as_str(), receipt.at.as_second()), (sender.source, NOW));
        let user = (sender.source == "scim").then_some("7731");
        assert_eq!(receipt.user.as_deref(), user, "{}", sender.source);
        let (body, headers) = kept(&receipt);
        assert_eq!(body, sender.body.as_bytes(), "{}", sender.source);
        assert_eq!(headers.get("greenhouse-event-id"), Some("kept-1"));
        for gone in ["x-canary", "authorization", sender.header] {
            assert_eq!(headers.get(gone), None, "{}: {gone}", sender.source);
        }
        assert_eq!(receipt.assurance, assurance(&sender), "{}", sender.source);
    }
}

fn assurance(sender: &Sender) -> rollcall::event::wire::Assurance {
    use rollcall::event::wire::Assurance;
    match (sender.signs, sender.window) {
        (false, _) => Assurance::StaticSecret,
        (true, None) => Assurance::HmacBody,
        (true, Some(_)) => Assurance::HmacBodyTimestamp,
    }
}

/// A request, with one bit of a text turned over.
fn flipped(text: &[u8], bit: usize) -> Vec<u8> {
    let mut bytes = text.to_vec();
    bytes[bit / 8] ^= 1 << (bit % 8);
    bytes
}

#[tokio::test]
async fn one_bit_of_the_body_is_enough_to_be_refused() {
    for sender in senders().into_iter().filter(|sender| sender.signs) {
        let stage = stage(&sender);
        let headers = sender.headers(sender.secret, NOW);
        let last = sender.body.len() * 8 - 1;
        for bit in [0, 7, last / 2, last] {
            let event = sender.request(&headers, &flipped(sender.body.as_bytes(), bit));
            assert_eq!(stage.outcome(event).await, (401, "SignatureRefused", 0, 0), "{} bit {bit}", sender.source);
        }
        assert_eq!(stage.outcome(sender.good()).await, (sender.thanks, "Received", 1, 1), "{}", sender.source);
    }
}

#[tokio::test]
async fn one_digit_of_the_signature_is_enough_to_be_refused() {
    for sender in senders() {
        let stage = stage(&sender);
        let headers = sender.headers(sender.secret, NOW);
        let value = &headers.iter().find(|(name, _)| name == sender.header).unwrap().1;
        // Base64 ends in bits that count for nothing; the digit before does count.
        for at in [value.len() / 2, value.len() - 4] {
            let mut wrong = value.clone().into_bytes();
            wrong[at] = if wrong[at] == b'a' { b'b' } else { b'a' };
            let mut headers = headers.clone();
            headers.iter_mut().find(|(name, _)| name == sender.header).unwrap().1 = String::from_utf8(wrong).unwrap();
            let event = sender.request(&headers, sender.body.as_bytes());
            assert_eq!(stage.outcome(event).await, (401, "SignatureRefused", 0, 0), "{} at {at}", sender.source);
        }
    }
}

#[tokio::test]
async fn an_old_request_is_refused_where_its_time_is_signed() {
    for sender in senders() {
        let Some(window) = sender.window else { continue };
        for (age, let_in) in [(window, true), (window + 1, false), (-5 * 60, true), (-5 * 60 - 1, false)] {
            let stage = stage(&sender);
            let found = stage.outcome(sender.signed(sender.secret, NOW - age)).await;
            let expected = if let_in { (200, "Received", 1, 1) } else { (401, "SignatureRefused", 0, 0) };
            assert_eq!(found, expected, "{} {age}", sender.source);
        }
        // An old signature under a time of now.
        let stage = stage(&sender);
        let mut headers = sender.headers(sender.secret, NOW);
        let old = sender.headers(sender.secret, NOW - window - 60);
        let signature = old.into_iter().find(|(name, _)| name == sender.header).unwrap();
        headers.retain(|(name, _)| name != sender.header);
        headers.push(signature);
        let found = stage.outcome(sender.request(&headers, sender.body.as_bytes())).await;
        assert_eq!(found, (401, "SignatureRefused", 0, 0), "{}", sender.source);
    }
}

#[tokio::test]
async fn a_wrong_secret_is_refused() {
    for sender in senders() {
        let stage = stage(&sender);
        let found = stage.outcome(sender.signed(sender.other, NOW)).await;
        assert_eq!(found, (401, "SignatureRefused", 0, 0), "{}", sender.source);
    }
}

/// What is sent twice is taken twice: its event has the same id, so that it changes nothing.
#[tokio::test]
async fn a_replay_is_another_receipt_of_the_same_bytes() {
    for sender in senders() {
        let stage = stage(&sender);
        stage.take(sender.good()).await;
        assert_eq!(stage.outcome(sender.good()).await, (sender.thanks, "Received", 2, 2), "{}", sender.source);
    }
}

#[tokio::test]
async fn during_rotation_either_secret_is_let_in() {
    for sender in senders() {
        let stage = Stage::new();
        stage.secret(sender.source, &json!({ "current": sender.other, "previous": sender.secret }).to_string());
        for (secret, receipts) in [(sender.secret, 1), (sender.other, 2)] {
            let found = stage.outcome(sender.signed(secret, NOW)).await;
            assert_eq!(found, (sender.thanks, "Received", receipts, receipts), "{}", sender.source);
        }
    }
}

#[tokio::test]
async fn another_secret_is_found_as_soon_as_the_kept_one_does_not_do() {
    for sender in senders() {
        let stage = stage(&sender);
        stage.take(sender.good()).await;
        stage.secret(sender.source, sender.other);
        // Kept for half a minute whatever comes.
        stage.later(29);
        let found = stage.outcome(sender.signed(sender.other, NOW + 29)).await;
        assert_eq!((found, stage.look_ups()), ((401, "SignatureRefused", 1, 1), 1), "{}", sender.source);
        stage.later(1);
        let found = stage.outcome(sender.signed(sender.other, NOW + 30)).await;
        assert_eq!((found, stage.look_ups()), ((sender.thanks, "Received", 2, 2), 2), "{}", sender.source);
        let found = stage.outcome(sender.signed(sender.secret, NOW + 30)).await;
        assert_eq!((found, stage.look_ups()), ((401, "SignatureRefused", 2, 2), 2), "{}: the old one", sender.source);
    }
}

#[tokio::test]
async fn a_header_that_is_not_there_or_there_twice_is_refused_without_a_look_up() {
    for sender in senders() {
        let headers = sender.headers(sender.secret, NOW);
        for (without, _) in &headers {
            let stage = stage(&sender);
            let others: Vec<_> = headers.iter().filter(|(name, _)| name != without).cloned().collect();
            let found = stage.outcome(sender.request(&others, sender.body.as_bytes())).await;
            assert_eq!(found, (401, "SignatureRefused", 0, 0), "{} without {without}", sender.source);
            assert_eq!(stage.look_ups(), 0, "{} without {without}", sender.source);

            // As a list, and as two names that differ in case.
            let mut list = sender.good();
            let value = list["headers"][without].clone();
            list["headers"][without] = json!([value, value]);
            let mut cases = sender.good();
            cases["headers"][without.to_uppercase()] = value.clone();
            for event in [list, cases] {
                let found = stage.outcome(event).await;
                assert_eq!(found, (401, "SignatureRefused", 0, 0), "{} twice {without}", sender.source);
                assert_eq!(stage.look_ups(), 0, "{} twice {without}", sender.source);
            }
        }
        // As Lambda joins them.
        let stage = stage(&sender);
        let mut joined = sender.good();
        let value = joined["headers"][sender.header].as_str().unwrap().to_owned();
        joined["headers"][sender.header] = json!(format!("{value},{value}"));
        assert_eq!(stage.outcome(joined).await, (401, "SignatureRefused", 0, 0), "{}", sender.source);
    }
}
