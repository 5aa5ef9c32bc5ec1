//! AWS Health RISK events from the default bus: an access key of the account is in foreign hands.
//!
//! They name the key, never whose it is. So the key's id goes for the person's id at this source: where the roster has it
//! among somebody's ids (`health:<access key id>`), that is whom it is about.
//! `startTime` is not looked at, because its weekday may be wrong; the envelope's `time` counts.

use super::piece::{PIECES, Piece, about, subject_id};
use crate::event::wire::{Credential, CredentialKind, Kind, OccurredAtSource, Phase};
use crate::intake::{Adapted, Received, Source};
use jiff::Timestamp;
use serde::Deserialize;

/// How the codes end that say so.
const CODES: [&str; 5] = [
    "CREDENTIALS_EXPOSED",
    "CREDENTIALS_COMPROMISED",
    "CREDENTIALS_COMPROMISE_SUSPECTED",
    "CREDENTIALS_EXPOSURE_SUSPECTED",
    "IAM_QUARANTINE",
];

#[derive(Deserialize)]
struct Envelope {
    id: String,
    source: String,
    account: Option<String>,
    time: Option<String>,
    detail: Health,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Health {
    service: String,
    event_type_code: String,
    #[serde(default)]
    affected_entities: Vec<Entity>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Entity {
    entity_value: Option<String>,
}

/// Reads one event of the bus: one canonical event an access key.
#[must_use]
pub fn adapt(received: Received<'_>) -> Vec<Adapted> {
    let element = Piece::whole(Source::Health, received);
    let Ok(envelope) = serde_json::from_slice::<Envelope>(received.body) else {
        return vec![element.unclassified("unreadable", "the body is no AWS Health event of a bus")];
    };
    let Health { service, event_type_code: code, affected_entities: entities } = &envelope.detail;
    if envelope.source != "aws.health" {
        return vec![element.unclassified(code, "source is not aws.health")];
    }
    if service != "RISK" {
        return vec![Adapted::Nothing("an AWS Health event of another service")];
    }
    if !CODES.iter().any(|known| code.ends_with(known)) {
        return vec![element.unclassified(code, "detail.eventTypeCode is not known")];
    }
    if entities.len() > PIECES {
        return vec![element.unclassified(code, "detail.affectedEntities has more than 1000 entries")];
    }
    let keys: Vec<&str> = entities.iter().filter_map(|entity| entity.entity_value.as_deref()).collect();
    if keys.is_empty() {
        return vec![compromise(&element, &envelope, None)];
    }
    keys.into_iter().map(|key| compromise(&element, &envelope, Some(key))).collect()
}

fn compromise(element: &Piece<'_>, envelope: &Envelope, key: Option<&str>) -> Adapted {
    let mut event = element.event(Kind::CredentialCompromise, Phase::Detected, &envelope.detail.event_type_code);
    event.event_id = element.id(&[envelope.id.as_bytes(), key.unwrap_or_default().as_bytes()]);
    if let Some(at) = envelope.time.as_deref().and_then(|time| time.parse::<Timestamp>().ok()) {
        event.occurred_at = at.to_string();
        event.occurred_at_source = Some(OccurredAtSource::Payload);
    }
    if let Some(provider) = &mut event.provider {
        provider.tenant = envelope.account.as_deref().map(super::piece::name);
        provider.event_id = Some(super::piece::name(&envelope.id));
    }
    event.credential =
        Some(Credential { kind: Some(CredentialKind::AccessKey), reference: key.map(super::piece::name) });
    event.subject.provider_subject_id = key.and_then(subject_id);
    about(event)
}

#[cfg(test)]
mod tests {
    use super::super::laws::{adapted, parked};
    use super::*;
    use crate::event::wire::Missing;

    const EXPOSED: &str = include_str!("../../../../events/sources/health/credentials_exposed.json");
    const OTHER: &str = include_str!("../../../../events/sources/health/other_service.json");

    #[test]
    fn every_key_is_an_event_with_its_id() {
        let all = adapted(adapt, EXPOSED.as_bytes());
        let keys: Vec<_> = all
            .iter()
            .map(|one| match one {
                Adapted::Event(event) => {
                    let key = event.credential.clone().unwrap().reference;
                    assert_eq!(event.subject.provider_subject_id, key);
                    assert_eq!(event.missing, [Missing::Email, Missing::WorkerId].into());
                    // The envelope's time, not the one with the wrong weekday.
                    assert_eq!(event.occurred_at, "2026-11-16T09:30:00Z");
                    assert_eq!(event.provider.as_ref().unwrap().event_type, "AWS_RISK_CREDENTIALS_EXPOSED");
                    (event.credential.clone().unwrap().reference.unwrap(), event.event_id.clone())
                }
                Adapted::Unclassified { .. } | Adapted::Nothing(_) => panic!("{one:?}"),
            })
            .collect();
        assert_eq!((&*keys[0].0, &*keys[1].0), ("AKIAROLLCALLSAMPLE01", "AKIAROLLCALLSAMPLE02"));
        assert_ne!(keys[0].1, keys[1].1);
    }

    #[test]
    fn every_code_of_the_reference_is_known() {
        for code in CODES {
            let body = EXPOSED.replace("CREDENTIALS_EXPOSED", code);
            assert_eq!(adapted(adapt, body.as_bytes()).len(), 2, "{code}");
        }
        let body = EXPOSED.replace("CREDENTIALS_EXPOSED", "SOMETHING_ELSE");
        assert_eq!(parked(adapt, body.as_bytes()).0, "detail.eventTypeCode is not known");
    }

    #[test]
    fn other_events_are_nothing_or_parked() {
        assert!(matches!(adapted(adapt, OTHER.as_bytes())[..], [Adapted::Nothing(_)]));
        assert_eq!(parked(adapt, EXPOSED.replace("aws.health", "acme").as_bytes()).0, "source is not aws.health");
        assert_eq!(parked(adapt, b"{}").0, "the body is no AWS Health event of a bus");
        let (reason, event) = parked(adapt, EXPOSED.replace("affectedEntities", "x").as_bytes());
        assert_eq!(reason, "it names nobody");
        assert_eq!(event["credential"]["ref"], serde_json::Value::Null);
    }
}
