//! Whether the listings are believed: nobody in two pages, nobody left out as far as HR can tell, not far fewer than
//! last time.

use super::listing::{AccountListing, Incomplete};
use super::protected::Protected;
use super::rules::{Ground, should_be_there};
use super::run::Run;
use super::seen::SeenUser;
use super::{Audit, AuditFailure, join};
use crate::directory::UserId;
use crate::directory::listing::Listing;
use crate::host::Host;
use crate::person::WorkEmail;
use crate::policy::Policy;
use crate::runs::{Merged, RunInfo};
use crate::store::{Store, write_json};
use serde::{Deserialize, Serialize};
use std::collections::hash_map::RandomState;
use std::collections::{BTreeMap, BTreeSet, BinaryHeap, HashSet};
use std::hash::BuildHasher;

/// How many people who seem to be missing are looked up, for each account: enough to find a listing that skips, and a
/// bound on the calls.
const LOOK_UPS: usize = 25;

/// What the check leaves for the judgement.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Checked {
    /// The listings, by their numbers.
    pub(super) listings: Vec<AccountListing>,
    /// The addresses that were looked up and that nobody has.
    pub(super) absent: BTreeSet<String>,
}

/// The object that the check writes.
pub(super) fn checked_key(run: &str) -> String {
    format!("audits/{run}/checked.json")
}

/// People who seem to be missing, of one account: those with the smallest hashes, which is any of them.
type Candidates = BinaryHeap<(u64, String)>;

impl<D: Listing, S: Store, H: Host> Audit<D, S, H> {
    /// Decides which accounts' listings are believed.
    ///
    /// # Errors
    /// [`AuditFailure`].
    pub async fn check(&self, run: &str, policy: &Policy) -> Result<(), AuditFailure> {
        let run = self.run_of(run).await?;
        let mut checked = Checked { listings: self.listings(&run).await?, absent: BTreeSet::new() };
        for listing in &mut checked.listings {
            let before = run.before.get(listing.account.id.as_ref()).map_or(0, |believed| believed.users);
            let gone = before.saturating_sub(listing.users);
            if !listing.done {
                listing.doubt(Incomplete::PageFailed);
            } else if gone * 100 > before * u64::from(policy.audit.accounts_shrink_at_most) {
                listing.doubt(Incomplete::Shrank);
            }
        }
        let candidates = self.look_through(&run, &mut checked.listings, policy).await?;
        for email in candidates.into_values().flatten().map(|(_, email)| email) {
            let Ok(address) = WorkEmail::parse(&email) else { continue };
            let accounts = self.directory.accounts_with(&address).await.map_err(AuditFailure::Directory)?;
            for listing in checked.listings.iter_mut().filter(|listing| accounts.contains(&listing.account.id)) {
                listing.doubt(Incomplete::SkippedSomebody);
            }
            if accounts.is_empty() {
                checked.absent.insert(email);
            }
        }
        write_json(&self.store, &checked_key(&run.id), &checked).await?;
        self.keep_believed(&run, &checked.listings).await
    }

    /// Reads all users once: doubts the listings in which one came twice, and finds who seems to be missing: whom HR
    /// employs, and whoever had a user when the account was last listed.
    async fn look_through(
        &self,
        run: &Run,
        listings: &mut [AccountListing],
        policy: &Policy,
    ) -> Result<BTreeMap<Option<usize>, Candidates>, AuditFailure> {
        let mut users: Merged<'_, S, SeenUser> = Merged::open(&self.store, join::user_runs(listings)).await?;
        let mut roster = join::open_roster(&self.store, run, policy).await?;
        let (runs, owners) = self.earlier_runs(run, listings).await?;
        let mut earlier: Merged<'_, S, SeenUser> = Merged::open(&self.store, runs).await?;
        let protected = Protected::default();
        let vanished = !run.vanished(listings).is_empty();
        // Sixteen bytes a user, more or less: two of a million are taken for one by chance once in forty million runs.
        let (hasher, mut seen) = (RandomState::new(), HashSet::new());
        let mut repeated: BTreeSet<usize> = BTreeSet::new();
        let mut missing = Missing { hasher: RandomState::new(), by_account: BTreeMap::new() };
        loop {
            let key = [users.peek(), roster.peek(), earlier.peek()].into_iter().flatten().min().map(str::to_owned);
            let Some(key) = key else { break };
            // Who shows no address cannot be looked up by one, and there may be many of them.
            let mut there: Vec<(usize, UserId)> = Vec::new();
            while users.peek() == Some(key.as_str()) {
                let Some(user) = users.next().await? else { break };
                self.progress.checked(1);
                if !seen.insert(hasher.hash_one((user.account, &user.id))) {
                    repeated.insert(user.account);
                }
                if !key.is_empty() {
                    there.push((user.account, user.id));
                }
            }
            while earlier.peek() == Some(key.as_str()) {
                let Some((source, user)) = earlier.next_of().await? else { break };
                let Some(account) = owners.get(source).copied().filter(|_| !key.is_empty()) else { continue };
                if !there.contains(&(account, user.id)) {
                    missing.add(Some(account), &key);
                }
            }
            let rows = roster.group(&key).await?;
            let ground = Ground {
                policy,
                protected: &protected,
                accounts: listings,
                vanished,
                roster: roster.state(),
                weeks: 0,
                now: run.at,
            };
            if should_be_there(&ground, &key, &rows, !there.is_empty()) {
                missing.add(super::rules::home(&ground, &key), &key);
            }
        }
        for account in repeated {
            if let Some(listing) = listings.get_mut(account) {
                listing.doubt(Incomplete::Repeated);
            }
        }
        Ok(missing.by_account)
    }

    /// The runs of the accounts' last listings that are still there, and the number of each one's account.
    async fn earlier_runs(
        &self,
        run: &Run,
        listings: &[AccountListing],
    ) -> Result<(Vec<RunInfo>, Vec<usize>), AuditFailure> {
        let (mut runs, mut owners) = (Vec::new(), Vec::new());
        for listing in listings.iter().filter(|listing| listing.is_complete()) {
            let Some(believed) = run.before.get(listing.account.id.as_ref()) else { continue };
            for info in &believed.runs {
                // Somebody may have tidied up.
                if self.store.stamp(&info.key).await?.is_some() {
                    runs.push(info.clone());
                    owners.push(listing.number);
                }
            }
        }
        Ok((runs, owners))
    }
}

/// Who seems to be missing, by account: a few of them.
struct Missing {
    hasher: RandomState,
    by_account: BTreeMap<Option<usize>, Candidates>,
}

impl Missing {
    fn add(&mut self, account: Option<usize>, email: &str) {
        let few = self.by_account.entry(account).or_default();
        few.push((self.hasher.hash_one(email), email.to_owned()));
        if few.len() > LOOK_UPS {
            few.pop();
        }
    }
}
