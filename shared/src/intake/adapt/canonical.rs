//! Rollcall's own event, as it is: a bare detail or an EventBridge envelope of one.
//!
//! It is read as strictly as on a queue. What a sender says of its own assurance, of when we received it and of its
//! raw bytes' hash does not count: intake says that.

use super::piece::Piece;
use crate::event;
use crate::event::wire::{Detail, Kind, OccurredAtSource};
use crate::failure::RefusalCode;
use crate::intake::{Adapted, Received, Source};

/// Reads one request: one event.
#[must_use]
pub fn adapt(received: Received<'_>) -> Vec<Adapted> {
    let element = Piece::whole(Source::Canonical, received);
    vec![match std::str::from_utf8(received.body) {
        Ok(text) => read(&element, text),
        Err(_) => element.unclassified("canonical", "the body is not UTF-8"),
    }]
}

/// Reads a canonical event from a text.
pub(super) fn read(element: &Piece<'_>, text: &str) -> Adapted {
    let event = match event::parse(text) {
        Ok(event) => event,
        Err(refusal) => return element.unclassified("canonical", reason(refusal.code)),
    };
    // What the event means is the detail without the marks of its transport, which are put on anew.
    let Ok(mut detail) = serde_json::from_str::<Box<Detail>>(event.meaning.as_str()) else {
        return element.unclassified("canonical", "the canonical event cannot be written back");
    };
    let blank = element.event(detail.kind, detail.phase, "canonical");
    detail.occurred_at_source = Some(OccurredAtSource::Payload);
    detail.received_at = blank.received_at;
    detail.raw_sha256 = blank.raw_sha256;
    match detail.kind {
        Kind::Unclassified => Adapted::Unclassified { reason: "its sender calls it unclassified", event: detail },
        Kind::Hire
        | Kind::Termination
        | Kind::Rehire
        | Kind::JobChange
        | Kind::Leave
        | Kind::Return
        | Kind::IdentityChange
        | Kind::AccountStatus
        | Kind::CredentialCompromise
        | Kind::LicenseReclaim
        | Kind::AccessRemoval => Adapted::Event(detail),
    }
}

/// Why a canonical event is refused. The member is named by the refusal of [`event::parse`], which anybody can repeat.
fn reason(code: RefusalCode) -> &'static str {
    match code {
        RefusalCode::NotJson => "the canonical event is not JSON",
        RefusalCode::WrongEnvelope => "the body is neither an envelope of a canonical event nor a detail",
        RefusalCode::WrongDetailType => "detail-type disagrees with detail.kind and detail.phase",
        RefusalCode::TooLarge => "the canonical event is too large",
        RefusalCode::MissingField => "a required member of the canonical event is missing",
        RefusalCode::InvalidField
        | RefusalCode::FromTheFuture
        | RefusalCode::NotYetEffective
        | RefusalCode::TooOld
        | RefusalCode::EventIdReused
        | RefusalCode::TooManyFacts
        | RefusalCode::SeveralAccounts
        | RefusalCode::UnknownAccount
        | RefusalCode::NoAccount
        | RefusalCode::AccountSuspended
        | RefusalCode::LicenceByGroups
        | RefusalCode::UnsupportedLicence
        | RefusalCode::RefusedByDirectory
        | RefusalCode::GaveUp
        | RefusalCode::AttemptsExhausted
        | RefusalCode::Panicked
        | RefusalCode::Unopenable
        | RefusalCode::Unclassified
        | RefusalCode::Expired => "a member of the canonical event has a value that it cannot have",
    }
}

#[cfg(test)]
mod tests {
    use super::super::laws::{event, parked};
    use super::*;
    use serde_json::json;

    const DETAIL: &str = include_str!("../../../../events/sources/canonical/detail.json");
    const ENVELOPE: &str = include_str!("../../../../events/sources/canonical/envelope.json");

    #[test]
    fn a_detail_stays_as_it_is_but_for_what_intake_says() {
        let event = event(adapt, DETAIL.as_bytes());
        assert_eq!(event["eventId"], "acme-leaver-0001");
        assert_eq!(event["provider"]["name"], "acme-hr");
        assert_eq!(event["subject"]["workerId"], "000417");
        assert_eq!(event["effective"]["zone"], "Europe/Paris");
        assert_eq!(event["receivedAt"], "2026-11-16T09:30:05Z");
        assert_eq!(event["rawSha256"].as_str().unwrap().len(), 64);
        // The sender called itself `signed_jwt`.
        assert_eq!(event.get("assurance"), None);
    }

    #[test]
    fn an_envelope_is_taken_off() {
        let event = event(adapt, ENVELOPE.as_bytes());
        assert_eq!((&event["eventId"], &event["kind"]), (&json!("acme-leave-0002"), &json!("leave")));
        assert_eq!(event["missing"], json!(["subject.email"]));
    }

    #[test]
    fn it_is_as_strict_as_on_a_queue() {
        for (from, to, wanted) in [
            (
                "\"workerId\": \"000417\", ",
                "\"workerID\": \"000417\", ",
                "a member of the canonical event has a value that it cannot have",
            ),
            ("\"eventId\": \"acme-leaver-0001\",", "", "a required member of the canonical event is missing"),
            (
                "\"phase\": \"scheduled\"",
                "\"phase\": \"scheduled\", \"phase\": \"effective\"",
                "a member of the canonical event has a value that it cannot have",
            ),
            ("{", "[", "the body is neither an envelope of a canonical event nor a detail"),
            ("}", "", "the canonical event is not JSON"),
        ] {
            assert_eq!(parked(adapt, DETAIL.replace(from, to).as_bytes()).0, wanted);
        }
        let other = ENVELOPE.replace("worker.leave.effective", "worker.leave.rescinded");
        assert_eq!(parked(adapt, other.as_bytes()).0, "detail-type disagrees with detail.kind and detail.phase");
        assert_eq!(parked(adapt, b"\xff").0, "the body is not UTF-8");
    }
}
