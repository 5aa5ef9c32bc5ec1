//! Who sends: one entry a system, with how its requests are known to be its own.

use super::verify::{Encoding, Hash, Scheme, Signed};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A system that sends, by the last part of its address: `POST /<source>`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Source {
    /// Rollcall's own event, sent by anybody who speaks it.
    Canonical,
    /// A canonical event in a CloudEvents 1.0 envelope.
    CloudEvents,
    /// Okta event hooks, and its System Log on a partner bus.
    Okta,
    /// BambooHR webhooks.
    BambooHr,
    /// HiBob webhooks, version 2.
    HiBob,
    /// Gusto webhooks.
    Gusto,
    /// Finch webhooks.
    Finch,
    /// SCIM 2.0 PATCH and PUT requests for users.
    Scim,
    /// Auth0 Event Streams.
    Auth0,
    /// OneLogin, on a partner bus or as a batch webhook.
    OneLogin,
    /// Personio webhooks, version 2.
    Personio,
    /// Greenhouse webhooks.
    Greenhouse,
    /// ADP event notifications.
    Adp,
    /// SAP SuccessFactors Intelligent Services.
    SuccessFactors,
    /// UKG Pro webhooks.
    Ukg,
    /// Microsoft Entra lifecycle workflows, relayed by a Logic App.
    Entra,
    /// SailPoint event triggers.
    SailPoint,
    /// Merge webhooks.
    Merge,
    /// Deel webhooks.
    Deel,
    /// OpenID RISC and CAEP security event tokens.
    Risc,
    /// AWS Health RISK events, on the default bus.
    Health,
    /// AWS IAM Identity Center, told of by `CloudTrail` on the default bus.
    IdentityCenter,
}

impl Source {
    /// Every source.
    pub const ALL: [Source; 22] = [
        Source::Canonical,
        Source::CloudEvents,
        Source::Okta,
        Source::BambooHr,
        Source::HiBob,
        Source::Gusto,
        Source::Finch,
        Source::Scim,
        Source::Auth0,
        Source::OneLogin,
        Source::Personio,
        Source::Greenhouse,
        Source::Adp,
        Source::SuccessFactors,
        Source::Ukg,
        Source::Entra,
        Source::SailPoint,
        Source::Merge,
        Source::Deel,
        Source::Risc,
        Source::Health,
        Source::IdentityCenter,
    ];

    /// The last part of its address, and its name in events.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Source::Canonical => "canonical",
            Source::CloudEvents => "cloudevents",
            Source::Okta => "okta",
            Source::BambooHr => "bamboohr",
            Source::HiBob => "hibob",
            Source::Gusto => "gusto",
            Source::Finch => "finch",
            Source::Scim => "scim",
            Source::Auth0 => "auth0",
            Source::OneLogin => "onelogin",
            Source::Personio => "personio",
            Source::Greenhouse => "greenhouse",
            Source::Adp => "adp",
            Source::SuccessFactors => "successfactors",
            Source::Ukg => "ukg",
            Source::Entra => "entra",
            Source::SailPoint => "sailpoint",
            Source::Merge => "merge",
            Source::Deel => "deel",
            Source::Risc => "risc",
            Source::Health => "health",
            Source::IdentityCenter => "identitycenter",
        }
    }

    /// The source of an address; `None` for one that is not known.
    #[must_use]
    pub fn named(name: &str) -> Option<Source> {
        Source::ALL.into_iter().find(|source| source.as_str() == name)
    }

    /// How its requests are known to be its own. Where the documents do not say so for certain, nothing is invented.
    #[must_use]
    pub fn scheme(self) -> Scheme {
        let hmac = |header, hash, encoding, signed| Scheme::Hmac { header, prefix: "", hash, encoding, signed };
        match self {
            // Whoever speaks Rollcall's own event holds a secret that the operator chose.
            Source::Canonical | Source::CloudEvents | Source::Scim => Scheme::Bearer,
            Source::Okta | Source::Personio => Scheme::Exact,
            Source::Auth0 => Scheme::Bearer,
            Source::BambooHr => hmac(
                "x-bamboohr-signature",
                Hash::Sha256,
                Encoding::Hex,
                Signed::BodyThenTimestamp { header: "x-bamboohr-timestamp" },
            ),
            Source::HiBob => hmac("bob-signature", Hash::Sha512, Encoding::Base64, Signed::Body),
            Source::Gusto => hmac("x-gusto-signature", Hash::Sha256, Encoding::Hex, Signed::Body),
            Source::Finch => Scheme::Finch,
            Source::Greenhouse => Scheme::Hmac {
                header: "signature",
                prefix: "sha256 ",
                hash: Hash::Sha256,
                encoding: Encoding::Hex,
                signed: Signed::Body,
            },
            Source::Merge => hmac("x-merge-webhook-signature", Hash::Sha256, Encoding::Base64Url, Signed::Body),
            Source::Deel => hmac("x-deel-signature", Hash::Sha256, Encoding::Hex, Signed::MethodThenBody),
            // A signed token: its issuer's keys say whose it is.
            Source::Risc => Scheme::Jwt,
            // On a bus, which only the service or the partner can write.
            Source::Health | Source::IdentityCenter | Source::OneLogin => Scheme::Bus,
            // The header is not known, or there is none.
            Source::Ukg | Source::Adp | Source::SuccessFactors | Source::Entra | Source::SailPoint => {
                Scheme::Unverified
            }
        }
    }
}
