//! Whether the listings are believed: nobody in two pages, nobody left out as far as HR can tell, not far fewer than
//! last time.

use super::listing::{AccountListing, Incomplete};
use super::protected::Protected;
use super::rules::{Ground, is_absent};
use super::run::Run;
use super::seen::SeenUser;
use super::{Audit, AuditFailure, join};
use crate::directory::listing::Listing;
use crate::host::Host;
use crate::person::WorkEmail;
use crate::policy::Policy;
use crate::runs::Merged;
use crate::store::{Store, write_json};
use serde::{Deserialize, Serialize};
use std::collections::hash_map::RandomState;
use std::collections::{BTreeMap, BTreeSet, BinaryHeap, HashSet};
use std::hash::BuildHasher;

/// How many people who seem to be absent are looked up, for each account: enough to find a listing that skips, and a
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

/// People who seem to be absent, of one account: those with the smallest hashes, which is any of them.
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
            let before = run.before.get(listing.account.id.as_ref()).copied().unwrap_or(0);
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
        self.keep_counts(&run, &checked.listings).await
    }

    /// Reads all users once: doubts the listings in which one came twice, and finds who seems to be absent.
    async fn look_through(
        &self,
        run: &Run,
        listings: &mut [AccountListing],
        policy: &Policy,
    ) -> Result<BTreeMap<Option<usize>, Candidates>, AuditFailure> {
        let mut users: Merged<'_, S, SeenUser> = Merged::open(&self.store, join::user_runs(listings)).await?;
        let mut roster = join::open_roster(&self.store, run, policy).await?;
        let protected = Protected::default();
        // Sixteen bytes a user, more or less: two of a million are taken for one by chance once in forty million runs.
        let (hasher, mut seen) = (RandomState::new(), HashSet::new());
        let mut repeated: BTreeSet<usize> = BTreeSet::new();
        let mut candidates: BTreeMap<Option<usize>, Candidates> = BTreeMap::new();
        loop {
            let key = [users.peek(), roster.peek()].into_iter().flatten().min().map(str::to_owned);
            let Some(key) = key else { break };
            let has_user = users.peek() == Some(key.as_str());
            while users.peek() == Some(key.as_str()) {
                let Some(user) = users.next().await? else { break };
                self.progress.checked(1);
                if !seen.insert(hasher.hash_one((user.account, &user.id))) {
                    repeated.insert(user.account);
                }
            }
            let rows = roster.group(&key).await?;
            let ground = Ground {
                policy,
                protected: &protected,
                accounts: listings,
                roster: roster.state(),
                weeks: 0,
                now: run.at,
            };
            if is_absent(&ground, &key, &rows, has_user) {
                let few = candidates.entry(super::rules::home(&ground, &key)).or_default();
                few.push((hasher.hash_one(&key), key));
                if few.len() > LOOK_UPS {
                    few.pop();
                }
            }
        }
        for account in repeated {
            if let Some(listing) = listings.get_mut(account) {
                listing.doubt(Incomplete::Repeated);
            }
        }
        Ok(candidates)
    }
}
