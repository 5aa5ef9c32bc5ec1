//! One run of the audit: what it rests on, and its beginning.

use super::history::{HISTORY_KEY, History};
use super::listing::{AccountListing, listing_key};
use super::usage::{Keeper, UsageGiven};
use super::{Audit, AuditFailure};
use crate::directory::listing::{ListedAccount, Listing};
use crate::host::Host;
use crate::policy::AuditMode;
use crate::roster;
use crate::runs::RunInfo;
use crate::store::{Store, StoreFailure, must_read_json, read_json, write_json};
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// The object with the listings that were believed last.
const BELIEVED_KEY: &str = "audits/believed.json";

/// How long a listing is compared with.
const BELIEVED_FOR: SignedDuration = SignedDuration::from_hours(8 * 24);

/// What is asked of a run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request {
    /// The run's name: letters, digits and `-`. Trying again under the same name goes on with the same run.
    pub run: String,
    /// When it begins.
    pub at: Timestamp,
    /// What becomes of what it proposes; `None`: as the policy says.
    pub mode: Option<AuditMode>,
    /// The roster in force.
    pub roster: Option<roster::Index>,
    /// The objects with usage reports.
    pub usage: Vec<String>,
}

/// What a run rests on.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Run {
    /// Its name.
    pub id: String,
    /// When it began.
    pub at: Timestamp,
    /// What becomes of what it proposes; `None`: as the policy says.
    pub mode: Option<AuditMode>,
    /// How many accounts there are.
    pub accounts: usize,
    /// The roster that was in force.
    pub roster: Option<roster::Index>,
    /// The usage that was given.
    pub usage: UsageGiven,
    /// What was asked for lately.
    pub history: Vec<RunInfo>,
    /// The listing of each account that was believed last, by the account's id, if that is not too long ago.
    pub before: BTreeMap<String, Believed>,
}

impl Run {
    /// The accounts that were there at the last audit and are not listed now.
    pub(super) fn vanished(&self, listings: &[AccountListing]) -> Vec<&ListedAccount> {
        let listed = |id: &str| listings.iter().any(|listing| listing.account.id.as_ref() == id);
        let before = self.before.iter().filter(|(id, _)| !listed(id));
        before.map(|(_, believed)| &believed.account).collect()
    }
}

/// A listing that was believed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Believed {
    /// Of which account.
    pub account: ListedAccount,
    /// When its run began.
    pub at: Timestamp,
    /// How many users it had.
    pub users: u64,
    /// The users.
    pub runs: Vec<RunInfo>,
}

/// When the last run began whose listing of an account was believed; `None` before the first, or where it is long ago.
///
/// # Errors
/// [`StoreFailure`].
pub async fn last_believed(store: &impl Store) -> Result<Option<Timestamp>, StoreFailure> {
    let believed: Option<BTreeMap<String, Believed>> = read_json(store, BELIEVED_KEY).await?;
    Ok(believed.unwrap_or_default().into_values().map(|believed| believed.at).max())
}

fn run_key(run: &str) -> String {
    format!("audits/{run}/run.json")
}

impl<D: Listing, S: Store, H: Host> Audit<D, S, H> {
    /// Begins a run: finds the accounts, and keeps what the run rests on. Answers how many accounts there are.
    ///
    /// A run that has begun goes on as it is.
    ///
    /// # Errors
    /// [`AuditFailure`].
    pub async fn open(&self, request: Request) -> Result<usize, AuditFailure> {
        let plain = |c: char| c.is_ascii_alphanumeric() || c == '-';
        if request.run.is_empty() || request.run.len() > 128 || !request.run.chars().all(plain) {
            return Err(AuditFailure::BadRun);
        }
        if let Some(run) = read_json::<Run>(&self.store, &run_key(&request.run)).await? {
            return Ok(run.accounts);
        }
        let accounts = self.directory.accounts().await.map_err(AuditFailure::Directory)?;
        let listings: Vec<AccountListing> =
            accounts.into_iter().enumerate().map(|(number, account)| AccountListing::new(account, number)).collect();
        for listing in &listings {
            write_json(&self.store, &listing_key(&request.run, listing.number), listing).await?;
        }
        let history: Option<History> = read_json(&self.store, HISTORY_KEY).await?;
        let run = Run {
            usage: self.usage(&request.run, &request.usage).await?,
            id: request.run,
            at: request.at,
            mode: request.mode,
            accounts: listings.len(),
            roster: request.roster,
            history: history.unwrap_or_default().runs,
            before: self.believed_before(request.at).await?,
        };
        write_json(&self.store, &run_key(&run.id), &run).await?;
        self.progress.accounts(listings.len());
        Ok(listings.len())
    }

    /// A run that has begun.
    ///
    /// # Errors
    /// [`AuditFailure`], also where there is no such run.
    pub async fn run_of(&self, run: &str) -> Result<Run, AuditFailure> {
        read_json(&self.store, &run_key(run)).await?.ok_or(AuditFailure::UnknownRun)
    }

    /// The listings of a run's accounts, by their numbers.
    pub(super) async fn listings(&self, run: &Run) -> Result<Vec<AccountListing>, AuditFailure> {
        let mut listings = Vec::with_capacity(run.accounts);
        for number in 0..run.accounts {
            listings.push(must_read_json(&self.store, &listing_key(&run.id, number)).await?);
        }
        Ok(listings)
    }

    /// The listings that may still be compared with.
    async fn believed_before(&self, now: Timestamp) -> Result<BTreeMap<String, Believed>, AuditFailure> {
        let mut before: BTreeMap<String, Believed> = read_json(&self.store, BELIEVED_KEY).await?.unwrap_or_default();
        before.retain(|_, believed| now.duration_since(believed.at) < BELIEVED_FOR);
        Ok(before)
    }

    /// Keeps the listings that are believed, for the next run to compare with.
    pub(super) async fn keep_believed(&self, run: &Run, listings: &[AccountListing]) -> Result<(), AuditFailure> {
        let mut before: BTreeMap<String, Believed> = read_json(&self.store, BELIEVED_KEY).await?.unwrap_or_default();
        for listing in listings.iter().filter(|listing| listing.is_complete()) {
            let (account, runs) = (listing.account.clone(), listing.runs.clone());
            let believed = Believed { account, at: run.at, users: listing.users, runs };
            before.insert(listing.account.id.as_ref().to_owned(), believed);
        }
        Ok(write_json(&self.store, BELIEVED_KEY, &before).await?)
    }

    async fn usage(&self, run: &str, keys: &[String]) -> Result<UsageGiven, AuditFailure> {
        let mut keeper = Keeper::new(&self.store, format!("audits/{run}"));
        for key in keys {
            keeper.read(key).await?;
        }
        Ok(keeper.finish().await?)
    }
}
