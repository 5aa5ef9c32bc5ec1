//! Accounts, and the people in them.

use rollcall_local::chime::random::Random;
use serde_json::{Value, json};

/// One account.
#[derive(Clone, Debug)]
pub struct Account {
    /// Its id, and the first part of its domain.
    pub id: String,
    /// How its people sign in.
    pub kind: AccountKind,
}

/// How an account's people sign in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AccountKind {
    /// By invitation: suspending removes.
    Team,
    /// Login with Amazon: suspending blocks.
    Lwa,
    /// The company's directory decides: only sessions can be ended.
    Directory,
}

impl AccountKind {
    /// Its name in the API.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            AccountKind::Team => "Team",
            AccountKind::Lwa => "EnterpriseLWA",
            AccountKind::Directory => "EnterpriseDirectory",
        }
    }
}

/// One person.
#[derive(Clone, Debug)]
pub struct Person {
    /// The account that holds its user; `None` where there is none.
    pub account: Option<usize>,
    /// Its user's id at the start.
    pub user: String,
    /// Its address.
    pub email: String,
    /// Its employee number.
    pub worker: String,
    /// The identity provider's id of it.
    pub subject: String,
    /// How its user stands at the start.
    pub standing: Standing,
    /// Which identifiers its events may carry: employee number, provider's id, address.
    pub(super) carries: &'static [Carried],
}

/// Which identifiers an event carries: employee number, provider's id, address.
pub(super) type Carried = (bool, bool, bool);

/// How a user stands at the start.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// It can sign in.
    Registered,
    /// It was invited.
    Unregistered,
    /// An administrator blocked it.
    Suspended,
}

const W: Carried = (true, false, false);
const E: Carried = (false, false, true);
const WE: Carried = (true, false, true);

/// What the events of one person carry. Each set leaves no doubt who is meant, once everything was told: an address
/// that came with an employee number here and a provider's id there would look like one that changed hands.
const IDENTITIES: [&[Carried]; 5] = [
    &[WE],
    &[WE],
    &[E],
    &[W, E, WE, WE],
    &[(false, true, false), (false, true, true), (true, true, false), (true, true, true), (true, true, true)],
];

pub(super) fn accounts(random: &mut Random) -> Vec<Account> {
    let mut kinds = vec![AccountKind::Lwa, AccountKind::Team, AccountKind::Directory];
    let (first, count) = (random.below(3), 1 + random.below(3));
    kinds.rotate_left(usize::try_from(first).unwrap_or(0));
    kinds.truncate(usize::try_from(count).unwrap_or(1));
    kinds.into_iter().enumerate().map(|(index, kind)| Account { id: format!("acc{index}"), kind }).collect()
}

pub(super) fn people(random: &mut Random, accounts: &[Account]) -> Vec<Person> {
    let count = usize::try_from(1 + random.below(6)).unwrap_or(1);
    (0..count).map(|index| person(random, accounts, index)).collect()
}

fn person(random: &mut Random, accounts: &[Account], index: usize) -> Person {
    let home = usize::try_from(random.below(accounts.len() as u64)).unwrap_or(0);
    let domain = accounts.get(home).map_or("acc0", |account| account.id.as_str());
    let kind = accounts.get(home).map_or(AccountKind::Team, |account| account.kind);
    let standing = match (random.below(12), kind) {
        (0, AccountKind::Lwa) => Standing::Suspended,
        (1, AccountKind::Lwa | AccountKind::Team) => Standing::Unregistered,
        (_, AccountKind::Lwa | AccountKind::Team | AccountKind::Directory) => Standing::Registered,
    };
    Person {
        account: Some(home).filter(|_| !random.chance(80)),
        user: format!("u{index}"),
        email: format!("p{index}@{domain}.example"),
        worker: format!("00{index}"),
        subject: format!("subject-{index}"),
        standing,
        carries: random.one_of(&IDENTITIES).copied().unwrap_or(&[WE]),
    }
}

pub(super) fn directory(accounts: &[Account], people: &[Person]) -> Value {
    let users = |home: usize| -> Vec<Value> {
        let here = people.iter().filter(|person| person.account == Some(home));
        here.map(|person| user(person, &person.user)).collect()
    };
    let account = |(index, account): (usize, &Account)| {
        json!({
            "AccountId": account.id, "Name": account.id, "AccountType": account.kind.word(), "users": users(index),
        })
    };
    json!({ "accounts": accounts.iter().enumerate().map(account).collect::<Vec<_>>() })
}

fn user(person: &Person, id: &str) -> Value {
    let (status, sessions) = match person.standing {
        Standing::Registered => ("Registered", 1),
        Standing::Unregistered => ("Unregistered", 0),
        Standing::Suspended => ("Suspended", 0),
    };
    json!({
        "UserId": id, "PrimaryEmail": person.email, "LicenseType": "Pro", "UserRegistrationStatus": status,
        "PersonalPIN": "0123456789", "sessions": sessions,
    })
}
