//! Companies whose people can be recognised wherever they turn up: no name, address, number or PIN of theirs occurs
//! anywhere else.

use serde_json::{Value, json};

/// The account that blocks its users.
pub(crate) const LWA: &str = "0c9b6f7e-5d0f-5a55-9a53-2f1b7f0f6f01";

/// The account that removes them.
pub(crate) const TEAM: &str = "0c9b6f7e-5d0f-5a55-9a53-2f1b7f0f6f02";

/// The seed of a company with so many people in an EnterpriseLWA account, and a tenth as many in a Team account.
pub(crate) fn seed(people: usize) -> Value {
    let user = |account: usize, domain: &str, person: usize| {
        json!({
            "UserId": format!("5e2e0000-0000-4000-900{account}-{person:012}"),
            "PrimaryEmail": format!("zq-{person}@{domain}"), "DisplayName": format!("Quintessa Zq{account}x{person}"),
            "LicenseType": "Pro", "UserRegistrationStatus": "Registered",
            "PersonalPIN": format!("86{account}{person:07}"), "Sessions": 1,
        })
    };
    let users =
        |account, domain: &str, people: usize| (0..people).map(|person| user(account, domain, person)).collect();
    let (lwa, team): (Vec<Value>, Vec<Value>) =
        (users(1, "canary.example", people), users(2, "team.canary.example", people / 10));
    json!({ "accounts": [
        { "AccountId": LWA, "Name": "Canary", "AccountType": "EnterpriseLWA", "users": lwa },
        { "AccountId": TEAM, "Name": "Canary Team", "AccountType": "Team", "users": team },
    ] })
}

/// A policy for it, with a brake that lets it all pass.
pub(crate) fn policy() -> Value {
    let high = json!({ "count": 100_000, "percent": 100, "window": "1h" });
    json!({
        "accounts": [
            { "account": LWA, "domains": ["canary.example"] }, { "account": TEAM, "domains": ["team.canary.example"] },
        ],
        "licences": { "rules": [{ "job_code": ["ENG-*"], "licence": "Pro" }], "default": "Basic" },
        "brake": { "access": { "limits": [high] }, "licence": { "limits": [high] } },
        "protected": { "emails": ["zq-0@canary.example"] },
    })
}
