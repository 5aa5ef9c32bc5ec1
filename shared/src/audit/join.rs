//! Everything that is known of one address, side by side: users, HR, usage, and what was asked for lately.

use super::finding::RosterState;
use super::history::Asked;
use super::listing::AccountListing;
use super::run::Run;
use super::seen::SeenUser;
use super::usage::Hosted;
use crate::policy::Policy;
use crate::roster::Listed;
use crate::runs::{Keyed, Merged, RunInfo};
use crate::store::{Store, StoreFailure};

impl Keyed for Listed {
    fn key(&self) -> &str {
        self.email()
    }
}

/// The runs of the accounts whose listings are believed.
pub(super) fn user_runs(listings: &[AccountListing]) -> Vec<RunInfo> {
    listings.iter().filter(|listing| listing.is_complete()).flat_map(|listing| listing.runs.clone()).collect()
}

/// The roster of a run, as far as it can be used.
pub(super) struct Roster<'s, S> {
    state: RosterState,
    rows: Merged<'s, S, Listed>,
}

pub(super) async fn open_roster<'s, S: Store>(
    store: &'s S,
    run: &Run,
    policy: &Policy,
) -> Result<Roster<'s, S>, StoreFailure> {
    let state = roster_state(run, policy);
    let index = run.roster.as_ref().filter(|_| state == RosterState::Used);
    let rows = Merged::open(store, index.map(|index| index.runs.clone()).unwrap_or_default()).await?;
    Ok(Roster { state, rows })
}

/// Whether the roster of a run is new enough.
pub(super) fn roster_state(run: &Run, policy: &Policy) -> RosterState {
    match &run.roster {
        None => RosterState::Missing,
        Some(index) => {
            let age = run.at.duration_since(index.loaded_at).as_secs();
            if age > i64::from(policy.audit.roster_max_age.seconds()) { RosterState::TooOld } else { RosterState::Used }
        }
    }
}

impl<S: Store> Roster<'_, S> {
    pub(super) fn state(&self) -> RosterState {
        self.state
    }

    pub(super) fn peek(&self) -> Option<&str> {
        self.rows.peek()
    }

    pub(super) async fn group(&mut self, email: &str) -> Result<Vec<Listed>, StoreFailure> {
        self.rows.group(email).await
    }
}

/// All streams of a run.
pub(super) struct Joined<'s, S> {
    users: Merged<'s, S, SeenUser>,
    pub(super) roster: Roster<'s, S>,
    usage: Merged<'s, S, Hosted>,
    history: Merged<'s, S, Asked>,
}

/// What the streams have of one address.
pub(super) struct Known {
    pub(super) email: String,
    pub(super) users: Vec<SeenUser>,
    pub(super) rows: Vec<Listed>,
    pub(super) hosting_days: Option<u32>,
    pub(super) asked: Vec<Asked>,
}

impl<'s, S: Store> Joined<'s, S> {
    pub(super) async fn open(
        store: &'s S,
        run: &Run,
        listings: &[AccountListing],
        policy: &Policy,
    ) -> Result<Joined<'s, S>, StoreFailure> {
        Ok(Joined {
            users: Merged::open(store, user_runs(listings)).await?,
            roster: open_roster(store, run, policy).await?,
            usage: Merged::open(store, run.usage.runs.clone()).await?,
            history: Merged::open(store, run.history.clone()).await?,
        })
    }

    /// What is known of the next address that has a user or somebody in HR. Users without an address come one by one.
    pub(super) async fn next(&mut self) -> Result<Option<Known>, StoreFailure> {
        let email = [self.users.peek(), self.roster.peek()].into_iter().flatten().min().map(str::to_owned);
        let Some(email) = email else { return Ok(None) };
        let users = if email.is_empty() {
            self.users.next().await?.into_iter().collect()
        } else {
            self.users.group(&email).await?
        };
        let rows = self.roster.group(&email).await?;
        let usage = skip_to(&mut self.usage, &email).await?;
        let asked = skip_to(&mut self.history, &email).await?;
        let hosting_days = (!usage.is_empty()).then(|| usage.iter().map(|row| row.days).sum());
        Ok(Some(Known { email, users, rows, hosting_days, asked }))
    }
}

/// The rows of a key, past all that come before it.
async fn skip_to<S: Store, T: Keyed>(rows: &mut Merged<'_, S, T>, key: &str) -> Result<Vec<T>, StoreFailure> {
    while rows.peek().is_some_and(|next| next < key) {
        rows.next().await?;
    }
    rows.group(key).await
}
