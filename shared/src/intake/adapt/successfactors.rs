//! SAP SuccessFactors Intelligent Services: a SOAP notification with one or more events.
//!
//! It carries neither an address nor a zone, and `userId` is its own id of the user. Known of the types is that of a
//! termination; others are parked by their names. `effective` is not looked at, because only one of its values is
//! known: a termination is scheduled for its date, and one whose date is over is late. What `effectiveStartDate` means
//! for a termination, the last day or the day after it, is not in the reference: its basis is unknown.

mod xml;

use super::piece::{PIECES, Piece, about, name, park, subject_id};
use crate::event::wire::{Basis, Effective, EffectiveSource, Kind, Missing, OccurredAtSource, Phase};
use crate::intake::{Adapted, Received, Source};
use jiff::Timestamp;
use jiff::civil::Date;
use xml::Node;

/// The type of a termination.
const TERMINATION: &str = "com.successfactors.Employment.AssignmentInformation.Termination";

/// A notification, as far as it is looked at.
#[derive(Default)]
struct Notification {
    id: Option<String>,
    kind: Option<String>,
    events: Vec<Event>,
}

/// One event of a notification.
#[derive(Default)]
struct Event {
    id: Option<String>,
    date: Option<String>,
    published: Option<String>,
    repost: bool,
    user: Option<String>,
    /// The name and the value of the key that is being read.
    key: (Option<String>, Option<String>),
}

/// Reads one notification.
#[must_use]
pub fn adapt(received: Received<'_>) -> Vec<Adapted> {
    let element = Piece::whole(Source::SuccessFactors, received);
    let Ok(text) = std::str::from_utf8(received.body) else {
        return vec![element.unclassified("unreadable", "the body is not UTF-8")];
    };
    let notification = match read(text) {
        Ok(notification) => notification,
        Err(reason) => return vec![element.unclassified("unreadable", reason)],
    };
    if notification.events.is_empty() {
        return vec![element.unclassified("unreadable", "the body holds no event")];
    }
    notification.events.iter().enumerate().map(|(at, event)| one(&element, &notification, at, event)).collect()
}

fn read(text: &str) -> Result<Notification, &'static str> {
    let mut notification = Notification::default();
    let mut event = Event::default();
    xml::read(text, |path, node| {
        let (parent, own) = match path {
            [.., parent, own] => (parent.as_str(), own.as_str()),
            [_] | [] => return Ok(()),
        };
        match (parent, own, node) {
            ("externalEventMeta", "externalEventId", Node::Text(text)) => notification.id = Some(text.to_owned()),
            ("externalEventMeta", "type", Node::Text(text)) => notification.kind = Some(text.to_owned()),
            ("event", "eventId", Node::Text(text)) => event.id = Some(text.to_owned()),
            ("event", "effectiveStartDate", Node::Text(text)) => event.date = Some(text.to_owned()),
            ("event", "publishedAt", Node::Text(text)) => event.published = Some(text.to_owned()),
            ("event", "repost", Node::Text(text)) => event.repost = text == "true",
            ("entityKey", "name", Node::Text(text)) => event.key.0 = Some(text.to_owned()),
            ("entityKey", "value", Node::Text(text)) => event.key.1 = Some(text.to_owned()),
            ("entityKeys", "entityKey", Node::Text(_) | Node::End) => {
                let (name, value) = std::mem::take(&mut event.key);
                if name.as_deref() == Some("userId") {
                    event.user = value;
                }
            }
            ("events", "event", Node::Text(_) | Node::End) => {
                if notification.events.len() == PIECES {
                    return Err("the body holds more than 1000 events");
                }
                notification.events.push(std::mem::take(&mut event));
            }
            (_, _, Node::Text(_) | Node::End) => {}
        }
        Ok(())
    })?;
    Ok(notification)
}

fn one(element: &Piece<'_>, notification: &Notification, at: usize, event: &Event) -> Adapted {
    let kind = notification.kind.as_deref().unwrap_or("unreadable");
    let mut detail = element.event(Kind::Termination, Phase::Scheduled, kind);
    detail.event_id = match (&notification.id, &event.id) {
        (Some(notification), Some(id)) => {
            // What is posted again is an event of its own about the same fact.
            let again = event.repost.then_some(event.published.as_deref()).flatten().unwrap_or_default();
            element.id(&[notification.as_bytes(), id.as_bytes(), again.as_bytes()])
        }
        (Some(_) | None, Some(_) | None) => element.id(&[element.raw, at.to_string().as_bytes()]),
    };
    let published = event.published.as_deref().and_then(|text| text.parse().ok());
    match published.and_then(|milliseconds| Timestamp::from_millisecond(milliseconds).ok()) {
        Some(at) => {
            detail.occurred_at = at.to_string();
            detail.occurred_at_source = Some(OccurredAtSource::Payload);
        }
        None => _ = detail.missing.insert(Missing::OccurredAt),
    }
    if let Some(provider) = &mut detail.provider {
        provider.event_id = event.id.as_deref().map(name);
    }
    detail.subject.provider_subject_id = event.user.as_deref().and_then(subject_id);
    // A date and nothing else: jiff reads the date of a longer text, too.
    let date = event.date.as_deref().filter(|text| text.len() == 10 && text.parse::<Date>().is_ok());
    detail.missing.insert(Missing::EffectiveZone);
    if date.is_none() {
        detail.missing.insert(Missing::EffectiveDate);
    }
    detail.effective = Some(Effective {
        date: date.map(str::to_owned),
        at: None,
        zone: None,
        basis: Basis::Unknown,
        source: if date.is_some() { EffectiveSource::Payload } else { EffectiveSource::None },
    });
    if kind != TERMINATION {
        return park(detail, "the type of the event is not known");
    }
    about(detail)
}

#[cfg(test)]
mod tests {
    use super::super::laws::{adapted, event, parked};
    use super::*;
    use serde_json::json;

    const LEAVER: &str = include_str!("../../../../events/sources/successfactors/termination.xml");
    const OTHER: &str = include_str!("../../../../events/sources/successfactors/other.xml");

    #[test]
    fn a_termination_is_scheduled_for_its_date() {
        let event = event(adapt, LEAVER.as_bytes());
        assert_eq!((&event["kind"], &event["phase"]), (&json!("termination"), &json!("scheduled")));
        assert_eq!(event["subject"]["providerSubjectId"], "acme&417");
        assert_eq!(event["effective"]["date"], "2026-12-01");
        assert_eq!(event["occurredAt"], "2026-11-16T09:29:59Z");
        assert_eq!(event["missing"], json!(["subject.email", "subject.workerId", "effective.zone"]));
    }

    #[test]
    fn ids_are_of_the_sender_s_ids_and_of_a_repost() {
        let id = |text: &str| event(adapt, text.as_bytes())["eventId"].clone();
        let spaced = LEAVER.replace("<n:events>", "<n:events> ");
        assert_eq!(id(LEAVER), id(&spaced));
        assert_ne!(id(LEAVER), id(&LEAVER.replace("acme-event-1", "acme-event-2")));
        assert_ne!(id(LEAVER), id(&LEAVER.replace("acme-external-1", "acme-external-2")));
        assert_ne!(id(LEAVER), id(&LEAVER.replace("repost>false", "repost>true")));
    }

    #[test]
    fn what_is_not_understood_is_parked() {
        assert_eq!(parked(adapt, OTHER.as_bytes()).0, "the type of the event is not known");
        assert_eq!(parked(adapt, LEAVER.replace("userId", "x").as_bytes()).0, "it names nobody");
        assert_eq!(parked(adapt, b"<a/>").0, "the body holds no event");
        assert_eq!(parked(adapt, b"\xff").0, "the body is not UTF-8");
        let undated = event(adapt, LEAVER.replace("2026-12-01", "2026-12-01T00:00:00").as_bytes());
        assert!(undated["missing"].as_array().unwrap().contains(&json!("effective.date")));
    }

    #[test]
    fn a_document_that_defines_entities_is_refused_whole() {
        let bomb = format!(
            r#"<!DOCTYPE a [<!ENTITY a "ha"><!ENTITY b "{}">]>{}"#,
            "&a;".repeat(1000),
            LEAVER.replace("<?xml version=\"1.0\" encoding=\"UTF-8\"?>", "").replace("&amp;", "&b;")
        );
        assert_eq!(parked(adapt, bomb.as_bytes()).0, "the body defines a document type");
        let outside = LEAVER.replace("&amp;", "&b;");
        assert_eq!(parked(adapt, outside.as_bytes()).0, "the body uses an entity that XML does not have");
        let number = LEAVER.replace("&amp;", "&#x41;");
        assert_eq!(event(adapt, number.as_bytes())["subject"]["providerSubjectId"], "acmeA417");
    }

    #[test]
    fn a_document_without_end_or_measure_is_refused() {
        for (body, wanted) in [
            ("<a>".repeat(40), "the body is nested too deeply"),
            ("<a><b></a></b>".to_owned(), "the body is not XML"),
            ("<a>".to_owned(), "the body is not XML"),
            ("nothing".to_owned(), "the body holds no event"),
            (format!("<a>{}</a>", "x".repeat(5000)), "a text of the body is too long"),
            (
                format!("<e><events>{}</events></e>", "<event></event>".repeat(1001)),
                "the body holds more than 1000 events",
            ),
        ] {
            assert_eq!(parked(adapt, body.as_bytes()).0, wanted);
        }
        assert_eq!(adapted(adapt, "<e><events><event></event></events></e>".as_bytes()).len(), 1);
    }
}
