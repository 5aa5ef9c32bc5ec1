//! Who is in the directory, and the policy that the functions work under.

use anyhow::Result;
use rollcall_local::chime::seed;
use rollcall_local::chime::state::AccountState;
use serde_json::{Value, json};

/// The account of type EnterpriseLWA, whose people leave and return.
pub(crate) const LWA: &str = "lwa";

/// The account of type Team, which people are invited to.
pub(crate) const TEAM: &str = "team";

/// How many people the first has: as many as make look-ups cost what they cost in a company, where one page of two
/// hundred users does not show everybody.
pub(crate) const PEOPLE: usize = 10_000;

/// The accounts. All people have a Pro licence and are signed in; the Team account has its administrator only.
///
/// # Errors
/// None that is expected: it is a seed.
pub(crate) fn accounts() -> Result<Vec<AccountState>> {
    let user = |account: &str, person: usize| {
        json!({
            "UserId": format!("{account}-u{person}"), "PrimaryEmail": address(account, person), "LicenseType": "Pro",
            "UserRegistrationStatus": "Registered", "PersonalPIN": "0123456789", "Sessions": 1,
        })
    };
    let account = |id: &str, kind: &str, people: std::ops::Range<usize>| {
        let users: Vec<Value> = people.map(|person| user(id, person)).collect();
        json!({ "AccountId": id, "Name": id, "AccountType": kind, "users": users })
    };
    let accounts = [account(LWA, "EnterpriseLWA", 0..PEOPLE), account(TEAM, "Team", PEOPLE..PEOPLE + 1)];
    seed::read(&json!({ "accounts": accounts }).to_string())
}

/// Somebody's address.
pub(crate) fn address(account: &str, person: usize) -> String {
    format!("p{person}@{account}.example")
}

/// The policy: both accounts by their domains, licences by job, PINs as by default, and a brake that counts everybody
/// and stops nobody, since a brake costs units.
pub(crate) fn policy() -> Value {
    let limit = json!({ "count": 1_000_000, "window": "1h" });
    let rule = |account: &str| json!({ "account": account, "domains": [format!("{account}.example")] });
    json!({
        "accounts": [rule(LWA), rule(TEAM)],
        "pin_reset": "security",
        "licences": { "rules": [{ "job_code": ["ENG-*"], "licence": "Pro" }], "default": "Basic" },
        "brake": { "access": { "limits": [limit] }, "licence": { "limits": [limit] } },
    })
}
