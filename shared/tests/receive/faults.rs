//! What is ours to mend is answered with 503, so that it comes again, and success is never answered too early.

use crate::senders::senders;
use crate::stage::{Mood, NOW, Stage};
use jiff::Timestamp;
use rollcall::directory::Deadline;
use rollcall::failure::Cause;
use rollcall::intake::parameters::NoSecret;
use rollcall::intake::receive::{NotTaken, Outcome};
use rollcall::intake::verify::Refused;
use rollcall::store::Trouble;
use serde_json::json;
use std::time::{Duration, Instant};

#[tokio::test]
async fn without_a_secret_nothing_is_taken_and_it_comes_again() {
    for sender in senders() {
        let stage = Stage::new();
        let told = stage.take(sender.good()).await;
        let expected = Outcome::NotTaken(NotTaken::Unverifiable(Refused::NoSecret));
        assert_eq!(told.outcome, expected, "{}", sender.source);
        // Counted by itself: whoever sends to the address of a source that is not in use wakes nobody.
        assert_eq!(stage.outcome(sender.good()).await, (503, "Unconfigured", 0, 0), "{}", sender.source);
        // And is, once there is one.
        stage.secret(sender.source, sender.secret);
        stage.later(30);
        let found = stage.outcome(sender.signed(sender.secret, NOW + 30)).await;
        assert_eq!(found, (sender.thanks, "Received", 1, 1), "{}", sender.source);
    }
}

#[tokio::test]
async fn a_parameter_that_holds_no_secret_is_ours_to_mend() {
    for sender in senders() {
        for value in ["short", "{}", &format!("{}\n", sender.secret), &json!({ "previous": sender.secret }).to_string()]
        {
            let stage = Stage::new();
            stage.secret(sender.source, value);
            let told = stage.take(sender.good()).await;
            assert_eq!(told.outcome, Outcome::NotTaken(NotTaken::Secret(NoSecret)), "{} {value}", sender.source);
            assert_eq!(told.response().status_code, 503);
            // Mended, it is found as soon as another request comes.
            stage.secret(sender.source, sender.secret);
            stage.later(30);
            let told = stage.take(sender.signed(sender.secret, NOW + 30)).await;
            assert_eq!(told.count(), "Received", "{} {value}", sender.source);
        }
    }
}

#[tokio::test]
async fn finchs_secret_must_be_base64() {
    let finch = senders().into_iter().find(|sender| sender.source == "finch").unwrap();
    let stage = Stage::new();
    stage.secret("finch", "no base64: it has blanks");
    let told = stage.take(finch.good()).await;
    assert_eq!(told.outcome, Outcome::NotTaken(NotTaken::Unverifiable(Refused::UnusableSecret)));
    assert_eq!(told.count(), "NotTaken", "it is in use, and somebody must mend it");
}

#[tokio::test]
async fn a_parameter_store_that_does_not_tell_is_no_refusal() {
    for sender in senders() {
        for mood in [Mood::Failing, Mood::Forbidding] {
            let stage = Stage::new();
            stage.secret(sender.source, sender.secret);
            stage.parameter_store(mood);
            let told = stage.take(sender.good()).await;
            let expected = Outcome::NotTaken(NotTaken::Parameter(Cause::Unanswered));
            assert_eq!(told.outcome, expected, "{} {mood:?}", sender.source);
            stage.parameter_store(Mood::Well);
            assert_eq!(stage.outcome(sender.good()).await, (sender.thanks, "Received", 1, 1), "{}", sender.source);
        }
        // The kept secret is not the sender's, and nobody can say whether there is another by now.
        let stage = Stage::new();
        stage.secret(sender.source, sender.other);
        stage.take(sender.good()).await;
        stage.parameter_store(Mood::Failing);
        stage.later(30);
        let told = stage.take(sender.signed(sender.secret, NOW + 30)).await;
        assert_eq!(told.outcome, Outcome::NotTaken(NotTaken::Parameter(Cause::Unanswered)), "{}", sender.source);
    }
}

#[tokio::test]
async fn what_cannot_be_kept_is_not_sent_on() {
    for sender in senders() {
        let mut stage = Stage::new();
        stage.secret(sender.source, sender.secret);
        stage.break_store();
        let told = stage.take(sender.good()).await;
        assert_eq!(told.outcome, Outcome::NotTaken(NotTaken::Store(Trouble::Refused)), "{}", sender.source);
        assert_eq!((told.response().status_code, stage.messages().len()), (503, 0), "{}", sender.source);
    }
}

#[tokio::test]
async fn what_the_queue_does_not_take_is_not_taken() {
    for sender in senders() {
        for mood in [Mood::Failing, Mood::Forbidding] {
            let stage = Stage::new();
            stage.secret(sender.source, sender.secret);
            stage.queue(mood);
            let told = stage.take(sender.good()).await;
            assert_eq!(told.outcome, Outcome::NotTaken(NotTaken::Queue(Cause::Unanswered)), "{}", sender.source);
            assert_eq!(stage.outcome(sender.good()).await, (503, "NotTaken", 2, 0), "{}", sender.source);
            stage.queue(Mood::Well);
            assert_eq!(stage.outcome(sender.good()).await, (sender.thanks, "Received", 3, 1), "{}", sender.source);
        }
    }
}

/// Whoever does not answer: the sender is told in time. Okta and Personio wait for 3 s.
#[tokio::test]
async fn a_service_that_is_silent_does_not_hold_the_answer_up() {
    let gusto = senders().into_iter().find(|sender| sender.source == "gusto").unwrap();
    let silence: [fn(&Stage); 2] = [|stage| stage.parameter_store(Mood::Silent), |stage| stage.queue(Mood::Silent)];
    for (index, silent) in silence.into_iter().enumerate() {
        let stage = Stage::new();
        stage.secret("gusto", gusto.secret);
        silent(&stage);
        #[expect(clippy::disallowed_methods, reason = "the test measures")]
        let began = Instant::now();
        // Lambda's deadline is 500 ms ahead, and 300 of them are for the answer.
        let deadline = Timestamp::from_millisecond(NOW * 1000 + 500).unwrap();
        let told = stage.take_until(gusto.good(), Deadline::at(deadline)).await;
        let took = began.elapsed();
        assert_eq!(told.outcome, Outcome::NotTaken(NotTaken::OutOfTime), "{index}");
        assert!((Duration::from_millis(150)..Duration::from_millis(450)).contains(&took), "{index}: {took:?}");
    }
}

#[tokio::test]
async fn a_deadline_that_is_far_does_not_make_a_sender_wait_longer_than_it_does() {
    let gusto = senders().into_iter().find(|sender| sender.source == "gusto").unwrap();
    let stage = Stage::new();
    stage.secret("gusto", gusto.secret);
    stage.queue(Mood::Silent);
    let deadline = Timestamp::from_second(NOW + 60).unwrap();
    let told = stage.take_until(gusto.good(), Deadline::at(deadline));
    let told = tokio::time::timeout(Duration::from_millis(2900), told).await.expect("it is told within 3 s");
    assert_eq!(told.outcome, Outcome::NotTaken(NotTaken::OutOfTime));
}

#[tokio::test]
async fn a_panic_is_ours_to_mend() {
    let gusto = senders().into_iter().find(|sender| sender.source == "gusto").unwrap();
    let stage = Stage::new();
    stage.secret("gusto", gusto.secret);
    stage.break_chance();
    let told = stage.take_until(gusto.good(), Deadline::at(Timestamp::from_second(NOW + 3).unwrap())).await;
    assert_eq!(told.outcome, Outcome::NotTaken(NotTaken::Panicked));
    assert!(stage.messages().is_empty());
}

#[tokio::test]
async fn what_is_ours_is_not_told_to_the_sender() {
    for (outcome, count) in [
        (NotTaken::Unverifiable(Refused::NoSecret), "Unconfigured"),
        (NotTaken::Unverifiable(Refused::NeedsKeys), "Unconfigured"),
        (NotTaken::Unverifiable(Refused::UnusableSecret), "NotTaken"),
        (NotTaken::Unverifiable(Refused::UnusableKeys), "NotTaken"),
        (NotTaken::Secret(NoSecret), "NotTaken"),
        (NotTaken::Parameter(Cause::Throttled), "NotTaken"),
        (NotTaken::Keys, "NotTaken"),
        (NotTaken::Store(Trouble::Refused), "NotTaken"),
        (NotTaken::Queue(Cause::Unanswered), "NotTaken"),
        (NotTaken::OutOfTime, "NotTaken"),
        (NotTaken::Panicked, "NotTaken"),
    ] {
        let told = rollcall::intake::receive::Told { source: None, outcome: Outcome::NotTaken(outcome) };
        let response = told.response();
        assert_eq!(response.body, r#"{"error":"it could not be taken; send it again"}"#);
        assert_eq!((response.status_code, told.count()), (503, count));
    }
}
