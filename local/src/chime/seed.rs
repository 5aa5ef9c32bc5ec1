//! The seed file: `{"accounts":[{…Account members, "users":[{…User members}]}]}`, and the same written back.
//!
//! What is written can be read again: a snapshot that outlives the process.

use super::core::Core;
use super::state::{Account, AccountSettings, AccountState, GlobalSettings, Telephony, User};
use anyhow::{Context, Result, bail};
use serde::ser::SerializeSeq;
use serde::{Deserialize, Serialize, Serializer};

#[derive(Deserialize)]
struct Seed {
    accounts: Vec<SeedAccount>,
    #[serde(default)]
    settings: GlobalSettings,
}

#[derive(Deserialize)]
struct SeedAccount {
    #[serde(flatten)]
    account: Account,
    #[serde(default)]
    settings: AccountSettings,
    #[serde(default)]
    domains: Vec<String>,
    #[serde(default, rename = "domainsReleased")]
    domains_released: bool,
    #[serde(default)]
    users: Vec<User>,
}

/// Reads the accounts of a seed.
///
/// # Errors
/// Where it is not JSON of that shape, or an account or user stands in it twice.
pub fn read(text: &str) -> Result<Vec<AccountState>> {
    read_all(text.as_bytes()).map(|(accounts, _)| accounts)
}

/// Reads a seed with the settings above all accounts.
///
/// # Errors
/// As [`read`].
pub fn read_all(text: &[u8]) -> Result<(Vec<AccountState>, GlobalSettings)> {
    let seed: Seed = serde_json::from_slice(text).context("the seed is not {\"accounts\":[{…, \"users\":[…]}]}")?;
    let mut accounts: Vec<AccountState> = Vec::new();
    for SeedAccount { account, settings, domains, domains_released, users } in seed.accounts {
        if accounts.iter().any(|known| known.account.account_id == account.account_id) {
            bail!("accounts: AccountId {} is there twice", account.account_id);
        }
        let mut state = AccountState::new(account);
        (state.settings, state.domains, state.domains_released) = (settings, domains, domains_released);
        for user in users {
            let id = user.user_id.clone();
            if !state.add(user) {
                bail!("accounts[{}].users: UserId or PrimaryEmail of {id} is there twice", state.account.account_id);
            }
        }
        accounts.push(state);
    }
    Ok((accounts, seed.settings))
}

/// The whole state of a service as a seed.
///
/// # Errors
/// None that is known: every state is a seed.
pub fn write(core: &Core) -> Result<Vec<u8>> {
    #[derive(Serialize)]
    struct Written<'a> {
        accounts: Vec<WrittenAccount<'a>>,
        settings: &'a GlobalSettings,
    }
    let account = |state| WrittenAccount::of(state);
    Ok(serde_json::to_vec(&Written { accounts: core.accounts().map(account).collect(), settings: core.global() })?)
}

#[derive(Serialize)]
struct WrittenAccount<'a> {
    #[serde(flatten)]
    account: &'a Account,
    settings: AccountSettings,
    domains: &'a [String],
    #[serde(rename = "domainsReleased")]
    domains_released: bool,
    #[serde(serialize_with = "users")]
    users: &'a AccountState,
}

impl<'a> WrittenAccount<'a> {
    fn of(state: &'a AccountState) -> WrittenAccount<'a> {
        WrittenAccount {
            account: &state.account,
            settings: state.settings,
            domains: &state.domains,
            domains_released: state.domains_released,
            users: state,
        }
    }
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes a reference to the member")]
fn users<S: Serializer>(state: &&AccountState, serializer: S) -> Result<S::Ok, S::Error> {
    /// A user with what its wire form leaves out.
    #[derive(Serialize)]
    #[serde(rename_all = "PascalCase")]
    struct WrittenUser<'a> {
        #[serde(flatten)]
        user: &'a User,
        sessions: u32,
        mails: u32,
        telephony: Telephony,
    }
    let mut list = serializer.serialize_seq(Some(state.len()))?;
    for user in state.users() {
        let User { sessions, mails, telephony, .. } = *user;
        list.serialize_element(&WrittenUser { user, sessions, mails, telephony })?;
    }
    list.end()
}
