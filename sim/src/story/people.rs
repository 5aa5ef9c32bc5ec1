//! Accounts, and the people in them.

use crate::bounds::{MINUTE, SECOND};
use crate::oracle::Licence;
use rollcall_local::chime::random::Random;
use serde_json::{Value, json};

/// One account.
#[derive(Clone, Debug)]
pub struct Account {
    /// Its id, and the first part of its domain.
    pub id: String,
    /// How its people sign in.
    pub kind: AccountKind,
    /// Of a directory, whether it is Okta's: to Rollcall all directories are alike.
    pub is_okta: bool,
    /// The licences that its people may have.
    pub offers: Vec<Licence>,
}

impl Account {
    /// The name of its type in the API.
    #[must_use]
    pub fn word(&self) -> &'static str {
        match self.kind {
            AccountKind::Directory if self.is_okta => "EnterpriseOIDC",
            AccountKind::Team | AccountKind::Lwa | AccountKind::Directory => self.kind.word(),
        }
    }
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
    /// The account of its domain.
    pub home: usize,
    /// The account that holds its user at the start; `None` where there is none.
    pub account: Option<usize>,
    /// Its user's id at the start.
    pub user: String,
    /// Its address.
    pub email: String,
    /// The address that it gets while the run is under way, and when that is.
    pub renamed: Option<(String, i64)>,
    /// Whose address it has: of somebody who left, or got another.
    pub succeeds: Option<usize>,
    /// Its employee number.
    pub worker: String,
    /// The identity provider's id of it.
    pub subject: String,
    /// How its user stands at the start.
    pub standing: Standing,
    /// Its user's licence at the start.
    pub licence: Licence,
    /// What becomes of mails to it.
    pub bounce: Bounce,
    /// Which identifiers its events may carry: employee number, provider's id, address.
    pub(super) carries: &'static [Carried],
}

/// What becomes of the mail of an invitation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Bounce {
    /// It arrives, and is accepted after so long.
    Never(i64),
    /// It bounces while Chime still has the request.
    AtOnce,
    /// It bounces after so long.
    Later(i64),
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

/// What the events of somebody carry whose address does not stay its own: without more than an address, who comes
/// with it is somebody else.
const BY_NUMBER: [&[Carried]; 2] = [&[WE], &[W, WE, WE]];

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
    let mut account = |(index, kind)| Account {
        id: format!("acc{index}"),
        kind,
        is_okta: random.chance(300),
        offers: if random.chance(700) { vec![Licence::Basic, Licence::Pro] } else { Licence::ALL.to_vec() },
    };
    kinds.into_iter().enumerate().map(&mut account).collect()
}

pub(super) fn people(random: &mut Random, accounts: &[Account]) -> Vec<Person> {
    let count = usize::try_from(1 + random.below(6)).unwrap_or(1);
    let mut people: Vec<Person> = (0..count).map(|index| person(random, accounts, index)).collect();
    let addresses = random.below(10);
    let (renames, succeeds) = (matches!(addresses, 0 | 1), matches!(addresses, 1..4));
    let first = usize::try_from(random.below(people.len() as u64)).unwrap_or(0);
    if renames || succeeds {
        let carries = random.one_of(&BY_NUMBER).copied().unwrap_or(&[WE]);
        if let Some(person) = people.get_mut(first) {
            person.carries = carries;
            let at = (60 + i64::try_from(random.below(600)).unwrap_or(0)) * SECOND;
            person.renamed = renames.then(|| (person.email.replacen('p', "q", 1), at));
        }
    }
    if succeeds && let Some(former) = people.get(first).cloned() {
        let mut successor = person(random, accounts, people.len());
        (successor.home, successor.account, successor.succeeds) = (former.home, None, Some(first));
        (successor.email, successor.carries) = (former.email, BY_NUMBER[0]);
        people.push(successor);
    }
    people
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
    let offers = accounts.get(home).map_or(&[Licence::Pro][..], |account| &account.offers);
    let licence = random.one_of(offers).copied().unwrap_or(Licence::Pro);
    // Into a Team account people come by invitation only: more of them are not there yet.
    let absent = if kind == AccountKind::Team { 350 } else { 80 };
    let minutes = |random: &mut Random, most: u64| i64::try_from(random.below(most)).unwrap_or(0) * MINUTE;
    let bounce = match random.below(12) {
        0 => Bounce::AtOnce,
        1 => Bounce::Later(minutes(random, 20)),
        2..8 => Bounce::Never(minutes(random, 15)),
        _ => Bounce::Never(minutes(random, 120)),
    };
    Person {
        home,
        account: Some(home).filter(|_| !random.chance(absent)),
        renamed: None,
        succeeds: None,
        licence: if random.chance(700) { Licence::Pro } else { licence },
        bounce,
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
            "AccountId": account.id, "Name": account.id, "AccountType": account.word(), "users": users(index),
            "SupportedLicenses": account.offers.iter().map(|licence| licence.word()).collect::<Vec<_>>(),
        })
    };
    json!({ "accounts": accounts.iter().enumerate().map(account).collect::<Vec<_>>() })
}

fn user(person: &Person, id: &str) -> Value {
    let licence = Some(person.licence.word());
    let (status, sessions, invitation, licence) = match person.standing {
        Standing::Registered => ("Registered", 1, Some("Accepted"), licence),
        Standing::Unregistered => ("Unregistered", 0, Some("Pending"), None),
        Standing::Suspended => ("Suspended", 0, Some("Accepted"), licence),
    };
    json!({
        "UserId": id, "PrimaryEmail": person.email, "LicenseType": licence, "UserRegistrationStatus": status,
        "UserInvitationStatus": invitation, "PersonalPIN": "0123456789", "sessions": sessions,
    })
}
