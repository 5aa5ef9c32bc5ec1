//! What the functions are given: HR's events in EventBridge's envelope, in a batch of SQS.

use crate::company::{LWA, TEAM, address};
use anyhow::Result;
use axum::body::Bytes;
use jiff::{SignedDuration, Timestamp, Unit};
use serde_json::{Value, json};

/// What an event asserts. Times lie in the past of the run, so that each is due.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Assertion {
    /// Somebody of the LWA account left, three weeks ago.
    LeftBefore,
    /// Somebody of the LWA account left, an hour ago.
    Left,
    /// They came back, half an hour ago.
    Returned,
    /// Somebody of the LWA account got a job that comes with Pro, three weeks ago.
    Engineer,
    /// And one that comes with Basic, an hour ago.
    Clerk,
    /// A credential of somebody of the LWA account leaked, five minutes ago.
    Leaked,
    /// Somebody was hired into the Team account, an hour ago.
    Hired,
}

impl Assertion {
    /// A word for it, of its event ids.
    fn word(self) -> &'static str {
        match self {
            Assertion::LeftBefore => "left-before",
            Assertion::Left => "left",
            Assertion::Returned => "returned",
            Assertion::Engineer => "engineer",
            Assertion::Clerk => "clerk",
            Assertion::Leaked => "leaked",
            Assertion::Hired => "hired",
        }
    }

    fn kind(self) -> &'static str {
        match self {
            Assertion::LeftBefore | Assertion::Left => "termination",
            Assertion::Returned => "rehire",
            Assertion::Engineer | Assertion::Clerk => "job_change",
            Assertion::Leaked => "credential_compromise",
            Assertion::Hired => "hire",
        }
    }

    fn detail_type(self) -> String {
        match self {
            Assertion::Leaked => "credential.compromise.detected".into(),
            Assertion::LeftBefore
            | Assertion::Left
            | Assertion::Returned
            | Assertion::Engineer
            | Assertion::Clerk
            | Assertion::Hired => format!("worker.{}.effective", self.kind()),
        }
    }

    /// How long ago it took effect.
    fn age(self) -> SignedDuration {
        match self {
            Assertion::LeftBefore | Assertion::Engineer => SignedDuration::from_hours(21 * 24),
            Assertion::Left | Assertion::Clerk | Assertion::Hired => SignedDuration::from_hours(1),
            Assertion::Returned => SignedDuration::from_mins(30),
            Assertion::Leaked => SignedDuration::from_mins(5),
        }
    }

    fn account(self) -> &'static str {
        match self {
            Assertion::Hired => TEAM,
            Assertion::LeftBefore
            | Assertion::Left
            | Assertion::Returned
            | Assertion::Engineer
            | Assertion::Clerk
            | Assertion::Leaked => LWA,
        }
    }
}

/// An event about a person: the body of an SQS message. Its id is the assertion's and the person's, so the same twice is
/// a duplicate.
///
/// # Errors
/// Where the clock stands at the end of time.
pub(crate) fn body(assertion: Assertion, person: usize, now: Timestamp) -> Result<String> {
    let at = now.round(Unit::Second)?.checked_sub(assertion.age())?;
    let account = assertion.account();
    let mut detail = json!({
        "schemaVersion": "1.0", "eventId": format!("{}-{person}", assertion.word()), "kind": assertion.kind(),
        "phase": "effective", "occurredAt": at.to_string(),
        "subject": { "workerId": format!("{account}-{person}"), "email": address(account, person) },
        "effective": {
            "date": at.strftime("%Y-%m-%d").to_string(), "at": at.to_string(), "zone": "UTC", "basis": "instant",
            "source": "payload",
        },
        "provider": { "name": "acme-hr", "eventType": "bench" },
    });
    match assertion {
        Assertion::Engineer => detail["changes"] = json!([{ "field": "job_code", "after": "ENG-2" }]),
        Assertion::Clerk => detail["changes"] = json!([{ "field": "job_code", "after": "HR-1" }]),
        Assertion::Leaked => detail["phase"] = "detected".into(),
        Assertion::LeftBefore | Assertion::Left | Assertion::Returned | Assertion::Hired => {}
    }
    let envelope = json!({
        "version": "0", "id": "6a7e8feb-b491-4cf7-a9f1-bf3703467718", "detail-type": assertion.detail_type(),
        "source": "rollcall.hr", "account": "111122223333", "time": now.round(Unit::Second)?.to_string(),
        "region": "us-east-1", "resources": [], "detail": detail,
    });
    Ok(envelope.to_string())
}

/// The invocation event of these messages. Source of its shape: AWS Lambda Developer Guide, "Using Lambda with Amazon SQS".
pub(crate) fn batch(bodies: &[String], now: Timestamp) -> Bytes {
    let sent = now.as_millisecond().to_string();
    let record = |(index, body): (usize, &String)| -> Value {
        json!({
            "messageId": format!("059f36b4-87a3-44ab-83d2-{index:012}"), "receiptHandle": format!("AQEBwJnKyrHigUMZj6rY{index:012}"),
            "body": body, "messageAttributes": {}, "md5OfBody": "e4e68fb7bd0e697a0ae8f1bb342846b3",
            "attributes": {
                "ApproximateReceiveCount": "1", "SentTimestamp": sent, "SenderId": "AIDAIENQZJOLO23YVJ4VO",
                "ApproximateFirstReceiveTimestamp": sent,
            },
            "eventSource": "aws:sqs", "eventSourceARN": "arn:aws:sqs:us-east-1:111122223333:bench", "awsRegion": "us-east-1",
        })
    };
    json!({ "Records": bodies.iter().enumerate().map(record).collect::<Vec<_>>() }).to_string().into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_event_twice_is_a_duplicate_and_another_person_is_not() {
        let now = "2026-11-27T12:00:00Z".parse().unwrap();
        let id = |assertion, person| {
            let body: Value = serde_json::from_str(&body(assertion, person, now).unwrap()).unwrap();
            body["detail"]["eventId"].clone()
        };
        assert_eq!(id(Assertion::Left, 3), id(Assertion::Left, 3));
        assert_ne!(id(Assertion::Left, 3), id(Assertion::Left, 4));
        assert_ne!(id(Assertion::Left, 3), id(Assertion::LeftBefore, 3));
    }

    #[test]
    fn nothing_is_ahead_of_its_time() {
        let now = "2026-11-27T12:00:00Z".parse().unwrap();
        let left: Value = serde_json::from_str(&body(Assertion::Left, 0, now).unwrap()).unwrap();
        assert_eq!(left["detail"]["effective"]["at"], "2026-11-27T11:00:00Z");
        assert_eq!(left["detail-type"], "worker.termination.effective");
    }
}
