//! The seed file: `{"accounts":[{…Account members, "users":[{…User members}]}]}`.

use super::state::{Account, AccountState, User};
use anyhow::{Context, Result, bail};
use serde::Deserialize;

#[derive(Deserialize)]
struct Seed {
    accounts: Vec<SeedAccount>,
}

#[derive(Deserialize)]
struct SeedAccount {
    #[serde(flatten)]
    account: Account,
    #[serde(default)]
    users: Vec<User>,
}

/// Reads a seed.
///
/// # Errors
/// Where it is not JSON of that shape, or an account or user stands in it twice.
pub fn read(text: &str) -> Result<Vec<AccountState>> {
    let seed: Seed = serde_json::from_str(text).context("the seed is not {\"accounts\":[{…, \"users\":[…]}]}")?;
    let mut accounts: Vec<AccountState> = Vec::new();
    for SeedAccount { account, users } in seed.accounts {
        if accounts.iter().any(|known| known.account.account_id == account.account_id) {
            bail!("accounts: AccountId {} is there twice", account.account_id);
        }
        let mut state = AccountState::new(account);
        for user in users {
            let id = user.user_id.clone();
            if !state.add(user) {
                bail!("accounts[{}].users: UserId or PrimaryEmail of {id} is there twice", state.account.account_id);
            }
        }
        accounts.push(state);
    }
    Ok(accounts)
}
