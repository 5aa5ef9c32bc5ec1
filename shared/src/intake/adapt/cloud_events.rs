//! Rollcall's own event in a CloudEvents 1.0 envelope: structured JSON, one event or a list of them.
//!
//! `data` is a canonical detail. Where it has no `eventId` or `occurredAt`, the envelope's `source` with its `id`, hashed,
//! and its `time` stand for them. Not read: binary mode, whose envelope is in the headers, and `data_base64`.

use super::canonical;
use super::piece::{PIECES, Piece};
use crate::intake::{Adapted, Received, Source};
use jiff::Timestamp;
use serde::Deserialize;
use serde_json::value::RawValue;

/// The members of an envelope that Rollcall looks at.
#[derive(Deserialize)]
struct Envelope<'a> {
    specversion: String,
    id: String,
    source: String,
    #[serde(rename = "type")]
    kind: String,
    time: Option<String>,
    #[serde(borrow)]
    data: Option<&'a RawValue>,
    data_base64: Option<String>,
    /// `test` on a test event.
    a0purpose: Option<String>,
}

/// Whether a detail says these two itself.
#[derive(Deserialize)]
struct Said<'a> {
    #[serde(rename = "eventId", borrow)]
    id: Option<&'a RawValue>,
    #[serde(rename = "occurredAt", borrow)]
    at: Option<&'a RawValue>,
}

/// Reads one request: one event, or a list of them.
#[must_use]
pub fn adapt(received: Received<'_>) -> Vec<Adapted> {
    let whole = Piece::whole(Source::CloudEvents, received);
    let Ok(body) = std::str::from_utf8(received.body) else {
        return vec![whole.unclassified("unreadable", "the body is not UTF-8")];
    };
    if !body.trim_start().starts_with('[') {
        return vec![read(&whole, body)];
    }
    match serde_json::from_str::<Vec<&RawValue>>(body) {
        Ok(all) if all.len() > PIECES => {
            vec![whole.unclassified("unreadable", "the list has more than 1000 events")]
        }
        Ok(all) => all.iter().map(|raw| read(&Piece { raw: raw.get().as_bytes(), ..whole }, raw.get())).collect(),
        Err(_) => vec![whole.unclassified("unreadable", "the body is not JSON")],
    }
}

fn read(element: &Piece<'_>, text: &str) -> Adapted {
    let envelope =
        text.trim_start().starts_with('{').then(|| serde_json::from_str::<Envelope<'_>>(text).ok()).flatten();
    let Some(envelope) = envelope else {
        return element.unclassified("unreadable", "the body is no CloudEvents envelope");
    };
    if envelope.a0purpose.as_deref() == Some("test") {
        return Adapted::Nothing("a test event");
    }
    if envelope.specversion != "1.0" {
        return element.unclassified(&envelope.kind, "specversion is not 1.0");
    }
    if envelope.data_base64.is_some() {
        return element.unclassified(&envelope.kind, "data_base64 is not read");
    }
    let Some(data) = envelope.data.map(RawValue::get) else {
        return element.unclassified(&envelope.kind, "the envelope has no data");
    };
    match filled(element, &envelope, data) {
        Ok(detail) => canonical::read(element, &detail),
        Err(reason) => element.unclassified(&envelope.kind, reason),
    }
}

/// The detail with the envelope's id and time where it has none of its own. The text is added to and not written
/// anew, so that [`canonical::read`] sees whatever the sender wrote twice.
fn filled(element: &Piece<'_>, envelope: &Envelope<'_>, data: &str) -> Result<String, &'static str> {
    let rest = data.strip_prefix('{').ok_or("data is not an object")?;
    let said: Said<'_> = serde_json::from_str(data).map_err(|_| "data names a member twice")?;
    let mut start = String::from("{");
    if said.id.is_none() {
        // Two sources may give the same id: only with its source it is unique.
        let id = element.id(&[envelope.source.as_bytes(), envelope.id.as_bytes()]);
        start.push_str(&format!("\"eventId\":\"{id}\","));
    }
    if said.at.is_none() {
        let time = envelope.time.as_deref().ok_or("neither data.occurredAt nor time is there")?;
        let time: Timestamp = time.parse().map_err(|_| "time is no time with an offset")?;
        start.push_str(&format!("\"occurredAt\":\"{time}\","));
    }
    Ok(start + rest)
}

#[cfg(test)]
mod tests {
    use super::super::laws::{adapted, event, parked};
    use super::*;

    const EVENT: &str = include_str!("../../../../events/sources/cloudevents/event.json");
    const BATCH: &str = include_str!("../../../../events/sources/cloudevents/batch.json");

    #[test]
    fn the_envelope_stands_for_id_and_time() {
        let event = event(adapt, EVENT.as_bytes());
        assert_eq!(event["eventId"].as_str().map(str::len), Some(32));
        assert_eq!(event["occurredAt"], "2026-11-16T09:30:00Z");
        assert_eq!(event["kind"], "termination");
    }

    #[test]
    fn the_detail_s_own_id_and_time_win() {
        let own = r#""data": { "eventId": "own-1", "occurredAt": "2026-11-16T01:00:00Z","#;
        let event = event(adapt, EVENT.replace("\"data\": {", own).as_bytes());
        assert_eq!((&event["eventId"], &event["occurredAt"]), (&"own-1".into(), &"2026-11-16T01:00:00Z".into()));
    }

    #[test]
    fn a_list_is_read_one_by_one() {
        let all = adapted(adapt, BATCH.as_bytes());
        let [Adapted::Event(first), Adapted::Nothing("a test event"), Adapted::Event(third)] = &all[..] else {
            panic!("{all:?}")
        };
        assert_ne!(first.event_id, third.event_id);
        assert_ne!(first.raw_sha256, third.raw_sha256);
        assert!(adapted(adapt, b"[]").is_empty());
    }

    #[test]
    fn an_id_counts_with_its_source() {
        let id = |text: &str| event(adapt, text.as_bytes())["eventId"].clone();
        assert_eq!(id(EVENT), id(&EVENT.replace("10:30", "10:31")));
        assert_ne!(id(EVENT), id(&EVENT.replace("/acme/hr", "/acme/hr2")));
        assert_ne!(id(EVENT), id(&EVENT.replace("3b8f0c52-leaver", "3b8f 0c52")));
    }

    #[test]
    fn what_is_no_envelope_of_a_detail_is_parked() {
        let data_base64 = EVENT.replace("\"data\"", "\"data_base64\": \"e30=\", \"data\"");
        for (text, wanted) in [
            ("7", "the body is no CloudEvents envelope"),
            (r#"["1.0","1","s","t"]"#, "the body is no CloudEvents envelope"),
            ("[1,", "the body is not JSON"),
            (&*EVENT.replace("\"1.0\",\n  \"id\"", "\"0.3\",\n  \"id\""), "specversion is not 1.0"),
            (&*EVENT.replace("\"data\"", "\"payload\""), "the envelope has no data"),
            (&*data_base64, "data_base64 is not read"),
            (&*EVENT.replace("+01:00", ""), "time is no time with an offset"),
            (&*EVENT.replace("\"time\"", "\"when\""), "neither data.occurredAt nor time is there"),
            (
                &*EVENT.replace("\"data\": {", "\"data\": { \"eventId\": \"a\", \"eventId\": \"b\","),
                "data names a member twice",
            ),
            (
                &*EVENT.replace("\"kind\"", "\"sort\""),
                "a member of the canonical event has a value that it cannot have",
            ),
        ] {
            let all = adapted(adapt, text.as_bytes());
            assert_eq!(all.len(), if text.starts_with('[') && text.ends_with(']') { 4 } else { 1 });
            assert!(matches!(&all[0], Adapted::Unclassified { reason, .. } if *reason == wanted), "{wanted}: {all:?}");
        }
        assert_eq!(parked(adapt, b"\xff").0, "the body is not UTF-8");
    }
}
