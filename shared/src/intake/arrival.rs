//! What a message of the intake queue is.

use super::Source;
use super::receipt;
use super::wake::Wake;
use serde::Deserialize;

/// A message of the intake queue, by its body.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Arrival {
    /// hr-receive took a request: this is the key of its receipt.
    Receipt(String),
    /// An event of a partner's or of AWS's own bus: it is the raw request itself.
    Raw(Source),
    /// A schedule says that this record may be due.
    Wake(String),
    /// Every quarter of an hour: whatever is due and was not woken.
    Sweep,
    /// Everything else: an announcement of our own bus, or nothing that anybody can read. The road knows.
    Canonical,
}

/// What the schedule of the sweep sends.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Sweep {
    sweep: bool,
}

/// As far as an envelope of EventBridge tells where it comes from.
#[derive(Deserialize)]
struct Envelope {
    source: String,
    #[serde(rename = "detail-type")]
    _detail_type: String,
    #[serde(default)]
    detail: Detail,
}

/// As far as `CloudTrail` tells which service was called.
#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Detail {
    event_source: Option<String>,
}

impl Arrival {
    /// Reads a body. What is no other is [`Arrival::Canonical`].
    #[must_use]
    pub fn of(body: &str) -> Arrival {
        if let Ok(message) = serde_json::from_str::<receipt::Message>(body) {
            return Arrival::Receipt(message.receipt);
        }
        if let Ok(wake) = serde_json::from_str::<Wake>(body) {
            return Arrival::Wake(wake.wake);
        }
        if serde_json::from_str::<Sweep>(body).is_ok_and(|sweep| sweep.sweep) {
            return Arrival::Sweep;
        }
        let envelope = serde_json::from_str::<Envelope>(body).ok();
        envelope.and_then(|envelope| on_bus(&envelope)).map_or(Arrival::Canonical, Arrival::Raw)
    }
}

/// Who sends an event of another bus. Partners' `source` begins with the partner's name, and the rest is the tenant's. Calls
/// on IAM Identity Center are known by the service that was called (`docs/sources/identitycenter.md`).
fn on_bus(envelope: &Envelope) -> Option<Source> {
    const IDENTITY_CENTER: [&str; 3] =
        ["sso-directory.amazonaws.com", "identitystore.amazonaws.com", "identitystore-scim.amazonaws.com"];
    let source = envelope.source.as_str();
    let called = envelope.detail.event_source.as_deref();
    if source.starts_with("aws.") && called.is_some_and(|called| IDENTITY_CENTER.contains(&called)) {
        return Some(Source::IdentityCenter);
    }
    let partners = [
        ("aws.partner/okta.com/", Source::Okta),
        ("aws.partner/auth0.com/", Source::Auth0),
        ("aws.partner/onelogin.com/", Source::OneLogin),
    ];
    let partner = partners.into_iter().find(|(prefix, _)| source.starts_with(prefix));
    partner.map(|(_, source)| source).or((source == "aws.health").then_some(Source::Health))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_body_is_what_it_says() {
        let envelope = |source: &str| format!(r#"{{"source":"{source}","detail-type":"t","detail":{{}},"id":"1"}}"#);
        let called = |source: &str, service: &str| {
            format!(r#"{{"source":"{source}","detail-type":"t","detail":{{"eventSource":"{service}"}}}}"#)
        };
        let receipt = "receipts/gusto/2026-11-27/1.json";
        let table = [
            (format!(r#"{{"receipt":"{receipt}"}}"#), Arrival::Receipt(receipt.into())),
            (r#"{"wake":"hr-intake#e-1"}"#.into(), Arrival::Wake("hr-intake#e-1".into())),
            (r#"{"sweep":true}"#.into(), Arrival::Sweep),
            (r#"{"sweep":false}"#.into(), Arrival::Canonical),
            (envelope("aws.partner/okta.com/acme/log"), Arrival::Raw(Source::Okta)),
            (envelope("aws.partner/auth0.com/acme-1/log"), Arrival::Raw(Source::Auth0)),
            (envelope("aws.partner/onelogin.com/US-1/log"), Arrival::Raw(Source::OneLogin)),
            (envelope("aws.partner/other.com/1"), Arrival::Canonical),
            (envelope("aws.health"), Arrival::Raw(Source::Health)),
            (envelope("rollcall.hr"), Arrival::Canonical),
            (called("aws.sso-directory", "sso-directory.amazonaws.com"), Arrival::Raw(Source::IdentityCenter)),
            (called("aws.identitystore", "identitystore-scim.amazonaws.com"), Arrival::Raw(Source::IdentityCenter)),
            (called("aws.iam", "iam.amazonaws.com"), Arrival::Canonical),
            (called("somebody", "sso-directory.amazonaws.com"), Arrival::Canonical),
            (r#"{"receipt":"a","wake":"b"}"#.into(), Arrival::Canonical),
            ("no JSON".into(), Arrival::Canonical),
        ];
        for (body, expected) in table {
            assert_eq!(Arrival::of(&body), expected, "{body}");
        }
    }
}
