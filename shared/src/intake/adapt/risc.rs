//! OpenID RISC and CAEP: a security event token, which was verified when it came.
//!
//! The kind of an event is the key of `events`. Whom it is about is `sub_id`, else the event's own `subject`, which
//! earlier drafts had. Read are the subject formats `email`, `iss_sub` and `opaque`, and a `complex` one's `user`.

use super::piece::{PIECES, Piece, about, email, name, nobody, park, subject_id};
use crate::event::EventId;
use crate::event::wire::{
    Change, ChangedField, Credential, CredentialKind, Detail, EmailKind, Kind, LoginStatus, OccurredAtSource, Phase,
    Status, Subject,
};
use crate::intake::verify::token;
use crate::intake::{Adapted, Received, Source};
use serde_json::{Map, Value};

/// What the names of all OpenID events begin with.
const EVENTS: &str = "https://schemas.openid.net/secevent/";

/// Reads one token. Its signature is not looked at here: [`crate::intake::verify::verify_jwt`] did that.
#[must_use]
pub fn adapt(received: Received<'_>) -> Vec<Adapted> {
    let element = Piece::whole(Source::Risc, received);
    let claims = std::str::from_utf8(received.body).ok().and_then(|body| token::verified_before(body.trim()));
    let Some(claims) = claims else {
        return vec![element.unclassified("unreadable", "the body is no signed token")];
    };
    let Some(events) = claims.get("events").and_then(Value::as_object).filter(|events| !events.is_empty()) else {
        return vec![element.unclassified("unreadable", "the claim events is missing")];
    };
    if events.len() > PIECES {
        return vec![element.unclassified("unreadable", "the claim events has more than 1000 entries")];
    }
    let alone = events.len() == 1;
    events
        .iter()
        .map(|(uri, event)| {
            let base = base(&element, &claims, uri, event, alone);
            read(base, uri, event)
        })
        .collect()
}

/// What all events of a token say alike: id, time, issuer, subject.
fn base(element: &Piece<'_>, claims: &Map<String, Value>, uri: &str, event: &Value, alone: bool) -> Box<Detail> {
    let mut detail = element.event(Kind::Unclassified, Phase::Unknown, uri);
    let text = |name: &str| claims.get(name).and_then(Value::as_str);
    if let Some(jti) = text("jti") {
        let own = EventId::parse(jti).ok().filter(|_| alone).map(|id| id.as_str().to_owned());
        let issuer = text("iss").unwrap_or_default();
        detail.event_id = own.unwrap_or_else(|| element.id(&[issuer.as_bytes(), jti.as_bytes(), uri.as_bytes()]));
    } else {
        detail.event_id = element.id(&[element.raw, uri.as_bytes()]);
    }
    let at = event.get("event_timestamp").and_then(token::instant);
    if let Some(at) = at.or_else(|| claims.get("iat").and_then(token::instant)) {
        detail.occurred_at = at.to_string();
        detail.occurred_at_source = Some(OccurredAtSource::Payload);
    }
    if let Some(provider) = &mut detail.provider {
        provider.tenant = text("iss").map(name);
        provider.event_id = text("jti").map(name);
    }
    detail.subject = claims.get("sub_id").or_else(|| event.get("subject")).map_or_else(nobody, subject);
    detail
}

fn subject(id: &Value) -> Subject {
    let text = |name: &str| id.get(name).and_then(Value::as_str);
    match text("format") {
        Some("email") => {
            let email = text("email").and_then(email);
            Subject { email_kind: email.is_some().then_some(EmailKind::Login), email, ..nobody() }
        }
        Some("iss_sub") => Subject { provider_subject_id: text("sub").and_then(subject_id), ..nobody() },
        Some("opaque") => Subject { provider_subject_id: text("id").and_then(subject_id), ..nobody() },
        // One step down, and no further: a `complex` subject holds simple ones.
        Some("complex") => match id.get("user") {
            Some(user) if user.get("format").and_then(Value::as_str) != Some("complex") => subject(user),
            Some(_) | None => nobody(),
        },
        Some(_) | None => nobody(),
    }
}

fn read(detail: Box<Detail>, uri: &str, event: &Value) -> Adapted {
    let kind = uri.strip_prefix(EVENTS).and_then(|rest| rest.split_once("/event-type/"));
    match kind {
        Some(("risc", "credential-compromise")) => compromised(
            detail,
            event.get("credential_type").and_then(Value::as_str).map_or(CredentialKind::Other, credential),
        ),
        // The receiver is to end the person's sessions: that is what a compromised session asks for.
        Some(("caep", "session-revoked")) => compromised(detail, CredentialKind::Session),
        Some(("risc", "account-disabled")) => switched(detail, LoginStatus::Deactivated),
        Some(("risc", "account-enabled")) => switched(detail, LoginStatus::Active),
        Some(("risc", "identifier-changed")) => renamed(detail, event),
        // The sender tries whether its stream arrives.
        Some(("ssf" | "risc", "verification")) => Adapted::Nothing("a check of the stream"),
        Some((_, _)) | None => park(detail, "the kind of the event is not known"),
    }
}

/// The types of credential that have a name of their own in a canonical event.
fn credential(kind: &str) -> CredentialKind {
    match kind {
        "password" => CredentialKind::Password,
        _ => CredentialKind::Other,
    }
}

fn compromised(mut detail: Box<Detail>, kind: CredentialKind) -> Adapted {
    detail.kind = Kind::CredentialCompromise;
    detail.phase = Phase::Detected;
    detail.credential = Some(Credential { kind: Some(kind), reference: None });
    about(detail)
}

fn switched(mut detail: Box<Detail>, after: LoginStatus) -> Adapted {
    detail.kind = Kind::AccountStatus;
    detail.phase = Phase::Effective;
    detail.status = Some(Status { before: None, after: Some(after) });
    about(detail)
}

/// `sub_id` holds the address before, `new-value` the one after.
fn renamed(mut detail: Box<Detail>, event: &Value) -> Adapted {
    let Some(before) = detail.subject.email.clone() else {
        return park(detail, "sub_id holds no address before the change");
    };
    let Some(after) = event.get("new-value").and_then(Value::as_str).and_then(email) else {
        return park(detail, "new-value holds no address after the change");
    };
    detail.kind = Kind::IdentityChange;
    detail.phase = Phase::Effective;
    detail.subject.email = Some(after.clone());
    detail.subject.previous_email = Some(before.clone());
    detail.changes =
        vec![Change { field: ChangedField::Email, before: Some(before), after: Some(after), value_known: Some(true) }];
    about(detail)
}

#[cfg(test)]
mod tests {
    use super::super::laws::{adapted, event, parked, token};
    use super::*;
    use serde_json::json;

    const COMPROMISE: &str = include_str!("../../../../events/sources/risc/credential-compromise.json");
    const DISABLED: &str = include_str!("../../../../events/sources/risc/account-disabled.json");
    const ENABLED: &str = include_str!("../../../../events/sources/risc/account-enabled.json");
    const CHANGED: &str = include_str!("../../../../events/sources/risc/identifier-changed.json");
    const REVOKED: &str = include_str!("../../../../events/sources/risc/session-revoked.json");

    #[test]
    fn a_compromised_credential_is_about_its_holder() {
        let event = event(adapt, &token(COMPROMISE));
        assert_eq!(
            (&event["kind"], &event["eventId"]),
            (&json!("credential_compromise"), &json!("set-credential-compromise"))
        );
        // The event's own time wins over the token's.
        assert_eq!(event["occurredAt"], "2026-11-16T09:23:20Z");
        assert_eq!(event["subject"]["email"], "lin@acme.example");
        assert_eq!(event["credential"]["type"], "other");
        assert_eq!(event["missing"], json!(["subject.workerId"]));
    }

    #[test]
    fn a_revoked_session_is_the_user_s_of_a_complex_subject() {
        let event = event(adapt, &token(REVOKED));
        assert_eq!(
            (&event["kind"], &event["credential"]["type"]),
            (&json!("credential_compromise"), &json!("session"))
        );
        assert_eq!(event["subject"]["email"], "lin@acme.example");
    }

    #[test]
    fn an_account_is_switched_off_and_on() {
        for (claims, after) in [(DISABLED, "deactivated"), (ENABLED, "active")] {
            let event = event(adapt, &token(claims));
            assert_eq!((&event["kind"], &event["status"]["after"]), (&json!("account_status"), &json!(after)));
            assert_eq!(event["subject"]["providerSubjectId"], "00u417");
            assert_eq!(event["occurredAt"], "2026-11-16T09:30:00Z");
            assert_eq!(event["provider"]["tenant"], "https://idp.acme.example");
        }
    }

    #[test]
    fn a_changed_address_leads_from_the_old_one_to_the_new_one() {
        let event = event(adapt, &token(CHANGED));
        assert_eq!(event["kind"], "identity_change");
        assert_eq!(event["subject"]["email"], "lin.new@acme.example");
        assert_eq!(event["subject"]["previousEmail"], "lin@acme.example");
        let (reason, _) = parked(adapt, &token(&CHANGED.replace("new-value", "new_value")));
        assert_eq!(reason, "new-value holds no address after the change");
        let (reason, _) = parked(adapt, &token(&CHANGED.replace("\"email\": \"lin@", "\"mail\": \"lin@")));
        assert_eq!(reason, "sub_id holds no address before the change");
    }

    #[test]
    fn several_events_of_one_token_have_ids_of_their_own() {
        let two = COMPROMISE.replace(
            "\"events\": {",
            "\"events\": { \"https://schemas.openid.net/secevent/risc/event-type/account-disabled\": {},",
        );
        let all = adapted(adapt, &token(&two));
        let [Adapted::Event(one), Adapted::Event(other)] = &all[..] else { panic!("{all:?}") };
        assert_ne!(one.event_id, other.event_id);
    }

    #[test]
    fn what_is_not_understood_is_parked() {
        for (claims, wanted) in [
            (
                COMPROMISE.replace("credential-compromise\": {", "account-purged\": {"),
                "the kind of the event is not known",
            ),
            (COMPROMISE.replace("\"sub_id\"", "\"sub\""), "it names nobody"),
            (COMPROMISE.replace("\"format\": \"email\"", "\"format\": \"phone_number\""), "it names nobody"),
            (COMPROMISE.replace("\"events\"", "\"event\""), "the claim events is missing"),
        ] {
            assert_eq!(parked(adapt, &token(&claims)).0, wanted);
        }
        assert_eq!(parked(adapt, COMPROMISE.as_bytes()).0, "the body is no signed token");
        let check = COMPROMISE.replace("risc/event-type/credential-compromise", "ssf/event-type/verification");
        assert!(matches!(adapted(adapt, &token(&check))[..], [Adapted::Nothing(_)]));
    }
}
