//! What a sender asks once, before it sends anything: a challenge to repeat, or a ping to answer.
//!
//! These are answered before the signature is looked at. They change nothing, and an answer holds nothing but what the
//! question held.

use super::{Headers, Source};
use serde_json::{Value, json};
use std::fmt;

/// The answer to a handshake.
#[derive(Clone, PartialEq, Eq)]
pub struct Answer {
    /// The HTTP status.
    pub status: u16,
    /// The type of the body.
    pub content_type: &'static str,
    /// The body.
    pub body: String,
}

/// A challenge is the sender's.
impl fmt::Debug for Answer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Answer").field("status", &self.status).finish_non_exhaustive()
    }
}

impl Answer {
    fn ok(body: &Value) -> Answer {
        Answer { status: 200, content_type: "application/json", body: body.to_string() }
    }
}

/// The answer to a source's handshake; `None` for whatever is none.
#[must_use]
pub fn handshake(source: Source, method: &str, headers: &Headers, body: &[u8]) -> Option<Answer> {
    let posted = || (method == "POST").then(|| serde_json::from_slice::<Value>(body).ok()).flatten();
    match source {
        Source::Okta => {
            let challenge = headers.get("x-okta-verification-challenge").filter(|_| method == "GET")?;
            Some(Answer::ok(&json!({ "verification": challenge })))
        }
        // Two pings: the bare text, then an object with the text. Nothing is known of the body that it wants.
        Source::HiBob => {
            let ping = posted()?;
            let pings = [json!("Ping test"), json!({ "text": "Ping test" })];
            pings.contains(&ping).then(|| Answer::ok(&json!({})))
        }
        // The reference knows that there is a ping, not its shape; `action` is where every Greenhouse body has its kind.
        Source::Greenhouse => (posted()?.get("action")?.as_str()? == "ping").then(|| Answer::ok(&json!({}))),
        Source::Canonical
        | Source::CloudEvents
        | Source::BambooHr
        | Source::Gusto
        | Source::Finch
        | Source::Scim
        | Source::Auth0
        | Source::OneLogin
        | Source::Personio
        | Source::Adp
        | Source::SuccessFactors
        | Source::Ukg
        | Source::Entra
        | Source::SailPoint
        | Source::Merge
        | Source::Deel
        | Source::Risc
        | Source::Health
        | Source::IdentityCenter => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const CHALLENGE: &str = include_str!("../../../events/sources/okta/challenge.txt");
    const TEXT_PING: &[u8] = include_bytes!("../../../events/sources/hibob/ping.json");
    const OBJECT_PING: &[u8] = include_bytes!("../../../events/sources/hibob/ping.object.json");
    const GREENHOUSE_PING: &[u8] = include_bytes!("../../../events/sources/greenhouse/ping.json");

    #[test]
    fn okta_gets_its_challenge_back() {
        let headers = Headers::new([("X-Okta-Verification-Challenge", CHALLENGE.trim())]);
        let answer = handshake(Source::Okta, "GET", &headers, b"").unwrap();
        assert_eq!((answer.status, answer.content_type), (200, "application/json"));
        assert_eq!(answer.body, format!(r#"{{"verification":"{}"}}"#, CHALLENGE.trim()));
        assert_eq!(handshake(Source::Okta, "POST", &headers, b""), None);
        assert_eq!(handshake(Source::Okta, "GET", &Headers::default(), b""), None);
        assert_eq!(handshake(Source::HiBob, "GET", &headers, b""), None);
    }

    #[test]
    fn a_challenge_cannot_leave_its_string() {
        let headers = Headers::new([("x-okta-verification-challenge", "a\",\"b\":\"<c>")]);
        let answer = handshake(Source::Okta, "GET", &headers, b"").unwrap();
        assert_eq!(serde_json::from_str::<Value>(&answer.body).unwrap(), json!({ "verification": "a\",\"b\":\"<c>" }));
    }

    #[test]
    fn pings_are_answered_to_their_own_source_only() {
        for (source, ping) in
            [(Source::HiBob, TEXT_PING), (Source::HiBob, OBJECT_PING), (Source::Greenhouse, GREENHOUSE_PING)]
        {
            for asked in Source::ALL {
                let answer = handshake(asked, "POST", &Headers::default(), ping);
                assert_eq!(answer.is_some_and(|answer| answer.status == 200), asked == source, "{asked:?}");
            }
            assert_eq!(handshake(source, "GET", &Headers::default(), ping), None);
        }
    }

    #[test]
    fn an_event_is_no_ping() {
        for body in
            [&br#"{"text":"Ping test","type":"employee.left"}"#[..], br#"{"action":"hire_candidate"}"#, b"{", b""]
        {
            for source in Source::ALL {
                assert_eq!(handshake(source, "POST", &Headers::default(), body), None);
            }
        }
    }
}
