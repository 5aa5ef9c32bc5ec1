//! A plausible company, made of nothing but a few numbers: the same numbers make the same company.

use super::random::Random;
use super::state::{Account, AccountState, AccountType, Invitation, License, Moment, Registration, User, UserType};
use anyhow::{Context, Result, bail};
use std::str::FromStr;

/// The first moment that anything happened: 2023-01-02T08:00:00Z.
const FOUNDED: i64 = 1_672_646_400_000;

const DAY: u64 = 86_400_000;

/// The days in which people came: about three years.
const DAYS: u64 = 1_090;

const TYPES: [AccountType; 4] =
    [AccountType::Team, AccountType::EnterpriseLWA, AccountType::EnterpriseDirectory, AccountType::EnterpriseOIDC];

const FIRST: [&str; 24] = [
    "Ada", "Ben", "Chioma", "Dan", "Elif", "Finn", "Gus", "Hana", "Ivy", "Jo", "Kim", "Lars", "Mei", "Nia", "Omar",
    "Priya", "Quinn", "Rosa", "Sven", "Tariq", "Uma", "Vera", "Wim", "Yuki",
];

const LAST: [&str; 24] = [
    "Aalto",
    "Brandt",
    "Castro",
    "Diaz",
    "Eriksen",
    "Fofana",
    "Garcia",
    "Hansen",
    "Ito",
    "Jansen",
    "Kaya",
    "Lindqvist",
    "Moreau",
    "Novak",
    "Okafor",
    "Petrov",
    "Quist",
    "Rossi",
    "Sato",
    "Tanaka",
    "Ueda",
    "Varga",
    "Weber",
    "Zhang",
];

/// What is generated: `accounts=3,users=100000,rng-seed=7`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Plan {
    /// How many accounts; their types come in turn.
    pub accounts: u64,
    /// How many users, over all accounts.
    pub users: u64,
    /// Where the numbers come from.
    pub rng_seed: u64,
}

impl FromStr for Plan {
    type Err = anyhow::Error;

    fn from_str(text: &str) -> Result<Plan> {
        let mut plan = Plan { accounts: 4, users: 1_000, rng_seed: 1 };
        for part in text.split(',').filter(|part| !part.trim().is_empty()) {
            let (name, value) = part.split_once('=').with_context(|| format!("{part:?} is not name=number"))?;
            let number = value.trim().parse().with_context(|| format!("{name} must be a number"))?;
            match name.trim() {
                "accounts" => plan.accounts = number,
                "users" => plan.users = number,
                "rng-seed" => plan.rng_seed = number,
                other => bail!("{other:?} is none of accounts, users, rng-seed"),
            }
        }
        if plan.accounts == 0 && plan.users > 0 {
            bail!("users need at least one account");
        }
        Ok(plan)
    }
}

/// Makes the company.
#[must_use]
pub fn company(plan: Plan) -> Vec<AccountState> {
    let mut random = Random::new(plan.rng_seed);
    (0..plan.accounts)
        .zip(TYPES.into_iter().cycle())
        .map(|(number, account_type)| {
            let mut account = account(number, account_type, &mut random);
            let more = u64::from(number < plan.users % plan.accounts);
            for user in 0..plan.users / plan.accounts + more {
                account.add(person(number, user, account_type, &mut random));
            }
            account
        })
        .collect()
}

fn account(number: u64, account_type: AccountType, random: &mut Random) -> AccountState {
    let created = Moment::from_millis(FOUNDED);
    let name = format!("Generated {}", number + 1);
    let mut state = AccountState::new(Account { account_type, ..Account::new(random.uuid(), name, created) });
    if account_type != AccountType::Team {
        state.domains = vec![domain(number)];
    }
    state
}

fn domain(number: u64) -> String {
    format!("company-{}.example", number + 1)
}

fn person(account: u64, number: u64, account_type: AccountType, random: &mut Random) -> User {
    let (first, last) = (random.one_of(&FIRST).copied().unwrap_or(""), random.one_of(&LAST).copied().unwrap_or(""));
    let day = |random: &mut Random| Moment::from_millis(FOUNDED + (random.below(DAYS * DAY).cast_signed()));
    let came = day(random);
    let mut user = User::new(random.uuid());
    // The number makes the address one person's.
    user.primary_email = Some(format!("{}.{}.{number}@{}", first.to_lowercase(), last.to_lowercase(), domain(account)));
    let is_team = account_type == AccountType::Team;
    if is_team {
        user.invited_on = Some(came);
        user.user_invitation_status = Some(if random.chance(80) {
            Invitation::Pending
        } else if random.chance(20) {
            Invitation::Failed
        } else {
            Invitation::Accepted
        });
        if user.user_invitation_status != Some(Invitation::Accepted) {
            return user;
        }
    }
    let hours = random.below(72 * 3_600_000).cast_signed();
    user.registered_on = Some(Moment::from_millis(came.millis() + if is_team { hours } else { 0 }));
    user.display_name = Some(format!("{first} {last}"));
    user.license_type = Some(if random.chance(300) { License::Basic } else { License::Pro });
    user.user_registration_status = Registration::Registered;
    user.personal_pin = Some(random.pin());
    if random.chance(10) {
        user.user_type = Some(UserType::SharedDevice);
    }
    // Chime itself can block the people of Login with Amazon; elsewhere the directory does.
    if account_type == AccountType::EnterpriseLWA && random.chance(40) {
        user.user_registration_status = Registration::Suspended;
    } else {
        user.sessions = u32::try_from(random.below(4)).unwrap_or(0);
    }
    user
}
