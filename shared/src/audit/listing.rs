//! Listing one account: in slices of pages, each of which can be tried again, and believed only as a whole.

use super::seen::SeenUser;
use super::{Audit, AuditFailure};
use crate::directory::UserId;
use crate::directory::listing::{ListedAccount, Listing, PAGE, Settings};
use crate::failure::Failure;
use crate::host::Host;
use crate::runs::{RunInfo, write_run};
use crate::store::{Store, must_read_json, write_json};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use std::collections::HashSet;
use std::fmt;

/// Pages of one slice.
pub const SLICE: usize = 100;

/// How often a listing begins anew.
const RESTARTS: u32 = 2;

/// How far the listing of one account has come: what a slice leaves for the next.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AccountListing {
    /// The account.
    pub account: ListedAccount,
    /// Its number in this run.
    pub number: usize,
    /// Its settings, once they were read.
    #[serde(default)]
    pub settings: Option<Settings>,
    /// The token of the next page.
    #[serde(default)]
    pub token: Option<String>,
    /// How many pages were read.
    pub pages: u64,
    /// How many users they had.
    pub users: u64,
    /// The users, in runs.
    pub runs: Vec<RunInfo>,
    /// Nothing more is to be read.
    pub done: bool,
    /// Why the listing is not believed.
    #[serde(default)]
    pub incomplete: Option<Incomplete>,
    /// The tokens that slices began with: none may come again.
    #[serde(default)]
    pub began_with: Vec<String>,
    /// How often it began anew.
    #[serde(default)]
    pub restarts: u32,
}

/// Why the listing of an account is not believed. Nothing is said or proposed about its users then.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Incomplete {
    /// A page did not come, however often it was asked for.
    PageFailed,
    /// A page came twice: its token, or one of its users.
    Repeated,
    /// A page that is not the last had fewer users than it can have.
    ShortPage,
    /// Somebody has a user there who was in no page.
    SkippedSomebody,
    /// It has far fewer users than at the last complete count.
    Shrank,
}

impl fmt::Display for Incomplete {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Incomplete::PageFailed => "a page did not come",
            Incomplete::Repeated => "a page or a user came twice",
            Incomplete::ShortPage => "a page was cut short",
            Incomplete::SkippedSomebody => "somebody who is there was in no page",
            Incomplete::Shrank => "it has far fewer users than at the last count",
        })
    }
}

impl AccountListing {
    pub(super) fn new(account: ListedAccount, number: usize) -> AccountListing {
        AccountListing {
            account,
            number,
            settings: None,
            token: None,
            pages: 0,
            users: 0,
            runs: Vec::new(),
            done: false,
            incomplete: None,
            began_with: Vec::new(),
            restarts: 0,
        }
    }

    /// The listing came to its end, and nothing speaks against it.
    #[must_use]
    pub fn is_complete(&self) -> bool {
        self.done && self.incomplete.is_none()
    }

    /// Begins anew, where a page was asked for by a token that is no good any more: an answer may have been lost that
    /// spent it. Answers whether that may still be.
    fn restart(&mut self) -> bool {
        if self.token.is_none() || self.restarts >= RESTARTS {
            return false;
        }
        let fresh = AccountListing::new(self.account.clone(), self.number);
        *self = AccountListing { settings: self.settings, restarts: self.restarts + 1, ..fresh };
        true
    }

    /// It is not believed, and not read on.
    pub(super) fn doubt(&mut self, why: Incomplete) {
        self.done = true;
        self.incomplete = self.incomplete.or(Some(why));
    }
}

/// The object that says how far an account's listing has come.
pub(super) fn listing_key(run: &str, number: usize) -> String {
    format!("audits/{run}/accounts/{number:05}/listing.json")
}

impl<D: Listing, S: Store, H: Host> Audit<D, S, H> {
    /// Reads the next slice of an account: 100 pages at most, fewer where the time ends. Answers whether it was the last.
    ///
    /// What was read is kept before an error is answered, so trying again goes on at the page that did not come.
    ///
    /// # Errors
    /// [`AuditFailure`], where trying again may help.
    pub async fn slice(&self, run: &str, number: usize, until: Timestamp) -> Result<bool, AuditFailure> {
        let key = listing_key(run, number);
        let mut listing: AccountListing = must_read_json(&self.store, &key).await?;
        if listing.done {
            return Ok(true);
        }
        let began_with = listing.token.clone().unwrap_or_default();
        if listing.began_with.contains(&began_with) {
            listing.doubt(Incomplete::Repeated);
        }
        let mut users = Vec::new();
        let failed = self.pages(&mut listing, &mut users, until).await.err();
        if !users.is_empty() {
            let (restart, slice) = (listing.restarts, listing.runs.len());
            // A name of its own: of two attempts at one slice, each keeps what its own listing speaks of.
            let attempt = self.host.random();
            let object = format!("audits/{run}/accounts/{number:05}/run-{restart}-{slice:05}-{attempt:032x}.jsonl");
            listing.users += users.len() as u64;
            listing.runs.push(write_run(&self.store, &object, users).await?);
            listing.began_with.push(began_with);
        }
        // A failure that will not pass is the end of this listing, or its beginning.
        if matches!(failed, Some(Failure::Permanent(_))) && !listing.restart() {
            listing.doubt(Incomplete::PageFailed);
        }
        write_json(&self.store, &key, &listing).await?;
        match failed {
            Some(failure @ Failure::Retryable { .. }) => Err(AuditFailure::Directory(failure)),
            Some(Failure::Permanent(_)) | None => Ok(listing.done),
        }
    }

    /// Reads pages until the slice, the time or the listing ends.
    async fn pages(
        &self,
        listing: &mut AccountListing,
        users: &mut Vec<SeenUser>,
        until: Timestamp,
    ) -> Result<(), Failure> {
        let account = listing.account.id.clone();
        if listing.settings.is_none() {
            listing.settings = Some(self.directory.settings(&account).await?);
        }
        let mut seen: HashSet<UserId> = HashSet::new();
        for _ in 0..self.pages {
            if listing.done || self.host.now() >= until {
                return Ok(());
            }
            let page = self.directory.users(&account, listing.token.as_deref()).await?;
            listing.pages += 1;
            self.progress.page(listing.number, page.users.len());
            if page.next.is_some() && page.users.len() < PAGE {
                listing.doubt(Incomplete::ShortPage);
            }
            if page.users.iter().any(|user| !seen.insert(user.id.clone())) {
                listing.doubt(Incomplete::Repeated);
            }
            users.extend(page.users.into_iter().map(|user| SeenUser::new(user, listing.number)));
            listing.done |= page.next.is_none();
            listing.token = page.next;
        }
        Ok(())
    }

    /// Gives an account's listing up, since its pages do not come.
    ///
    /// # Errors
    /// [`AuditFailure`].
    pub async fn give_up(&self, run: &str, number: usize) -> Result<(), AuditFailure> {
        let key = listing_key(run, number);
        let mut listing: AccountListing = must_read_json(&self.store, &key).await?;
        listing.doubt(Incomplete::PageFailed);
        Ok(write_json(&self.store, &key, &listing).await?)
    }
}
