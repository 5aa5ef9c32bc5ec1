//! What the table of sources must say: written down from the reference and from the heads of the adapters.

use rollcall::intake::Source;

/// One line of the table, but for its counts.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Expected {
    /// Detail-types without `worker.`, a login's with its status; then `notice`, `parked` and `nothing`.
    pub(crate) kinds: String,
    /// The assurance of a request that is the sender's own.
    pub(crate) believed: String,
    /// What is refused.
    pub(crate) refused: String,
    pub(crate) handshake: String,
    /// What events lack that are not parked; of a source whose events all are, what those lack.
    pub(crate) missing: String,
    /// What a second delivery is, some minutes later.
    pub(crate) folded: String,
}

/// Where what is missing comes from.
pub(crate) fn completed(source: Source) -> &'static str {
    match source {
        Source::Canonical | Source::CloudEvents => "roster, where the sender says what is missing",
        Source::BambooHr | Source::HiBob | Source::Gusto | Source::Personio => "roster, then its API",
        Source::Okta
        | Source::Finch
        | Source::Scim
        | Source::Auth0
        | Source::Greenhouse
        | Source::Adp
        | Source::SuccessFactors
        | Source::Ukg
        | Source::Entra
        | Source::SailPoint
        | Source::Merge
        | Source::Deel
        | Source::Risc
        | Source::IdentityCenter
        | Source::OneLogin
        | Source::Health => "roster",
    }
}

/// A static secret: the body is not signed, so a request with the secret may say anything.
const SECRET: (&str, &str) = ("static_secret", "a bit of the secret flipped, another secret, no secret");
const HMAC: (&str, &str) = ("hmac_body", "a bit flipped, another secret, no signature");
const TIMED: (&str, &str) =
    ("hmac_body_timestamp", "a bit flipped, another secret, no signature, too old, from the future");
const TOKEN: (&str, &str) =
    ("signed_jwt", "a bit flipped, another key, no signature, too old, from the future, for somebody else");
const BUS: (&str, &str) = ("a bus", "any request");
/// Everybody is let in, where the policy allows it.
const NOBODY: (&str, &str) = ("none", "");

/// What a notice lacks, by which nobody knows what happened.
const NOTICE: &str = "subject.email, subject.workerId, effective.date, effective.zone, kind, phase";
const WHO_AND_WHEN: &str = "subject.email, subject.workerId, effective.date, effective.zone";

/// The line of a source.
pub(crate) fn of(source: Source) -> Expected {
    let line = |kinds: &str, (believed, refused): (&str, &str), missing: &str| Expected {
        kinds: kinds.into(),
        believed: believed.into(),
        refused: refused.into(),
        handshake: "none".into(),
        missing: missing.into(),
        folded: "same ids".into(),
    };
    let asked = |line, handshake: &str| Expected { handshake: handshake.into(), ..line };
    // Neither an id nor a time: two equal requests may be two events, so the time of receipt is in the id.
    let timeless = |line| Expected { folded: "new ids".into(), ..line };
    match source {
        Source::Canonical => line("leave.effective, termination.scheduled", SECRET, "subject.email"),
        Source::CloudEvents => line(
            "account.status.effective=active, account.status.effective=suspended, termination.effective, nothing",
            SECRET,
            "",
        ),
        Source::Okta => asked(
            line(
                "account.status.effective=active, account.status.effective=deactivated, \
                 account.status.effective=deleted, account.status.effective=suspended, \
                 credential.compromise.detected, identity_change.effective, notice, parked, nothing",
                SECRET,
                &format!("{NOTICE}, changes.values"),
            ),
            "GET with a challenge",
        ),
        Source::BambooHr => line("notice, parked", TIMED, &format!("{NOTICE}, changes.values, occurredAt")),
        Source::HiBob => asked(
            line(
                "hire.effective, leave.effective, notice, parked, nothing",
                HMAC,
                &format!("{NOTICE}, changes.values"),
            ),
            "its pings",
        ),
        Source::Gusto => line(
            "rehire.effective, rehire.rescinded, rehire.scheduled, termination.effective, termination.rescinded, \
             termination.scheduled, parked, nothing",
            HMAC,
            WHO_AND_WHEN,
        ),
        Source::Finch => line("notice, parked, nothing", TIMED, &format!("{NOTICE}, occurredAt")),
        Source::Scim => timeless(line(
            "account.status.effective=active, account.status.effective=deactivated, parked, nothing",
            SECRET,
            "subject.email, subject.workerId, occurredAt",
        )),
        Source::Auth0 => line(
            "account.status.effective=active, account.status.effective=deactivated, \
             account.status.effective=deleted, notice, parked, nothing",
            SECRET,
            NOTICE,
        ),
        Source::OneLogin => {
            line("account.status.effective=suspended, parked, nothing", BUS, "subject.email, subject.workerId")
        }
        Source::Personio => line("hire.effective, termination.effective, notice, parked", SECRET, NOTICE),
        Source::Greenhouse => asked(
            line("hire.rescinded, hire.scheduled, parked, nothing", HMAC, &format!("{WHO_AND_WHEN}, occurredAt")),
            "its pings",
        ),
        Source::Adp => line(
            "hire.rescinded, rehire.rescinded, termination.rescinded, termination.scheduled, notice, parked",
            NOBODY,
            &format!("{NOTICE}, occurredAt"),
        ),
        Source::SuccessFactors => {
            line("termination.scheduled, parked", NOBODY, "subject.email, subject.workerId, effective.zone")
        }
        Source::Ukg => line("notice, parked", NOBODY, NOTICE),
        Source::Entra => {
            line("notice, parked", NOBODY, "subject.workerId, effective.date, effective.zone, kind, phase, occurredAt")
        }
        Source::SailPoint => timeless(line("notice, parked", NOBODY, &format!("{NOTICE}, changes.values, occurredAt"))),
        Source::Merge => timeless(line(
            "termination.effective, termination.scheduled, notice, parked",
            HMAC,
            &format!("{NOTICE}, occurredAt"),
        )),
        Source::Deel => line("termination.effective, parked", HMAC, WHO_AND_WHEN),
        Source::Risc => line(
            "account.status.effective=active, account.status.effective=deactivated, \
             credential.compromise.detected, identity_change.effective",
            TOKEN,
            "subject.email, subject.workerId",
        ),
        Source::Health => line("credential.compromise.detected, nothing", BUS, "subject.email, subject.workerId"),
        Source::IdentityCenter => line(
            "account.status.effective=active, account.status.effective=deactivated, \
             account.status.effective=deleted, notice, parked, nothing",
            BUS,
            &format!("{NOTICE}, changes.values"),
        ),
    }
}
