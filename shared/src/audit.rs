//! The licence audit: what each licence costs, who should lose one and why, and doing it fairly.
//!
//! A run goes through steps, each of which can be tried again, and which keep what they know in the [`Store`] only:
//!
//! 1. [`Audit::open`]: the accounts, and what the run rests on (roster, usage, what was asked for lately).
//! 2. [`Audit::slice`]: a hundred pages of an account's users, again and again, into sorted runs.
//! 3. [`Audit::check`]: which listings are believed. Nothing is said about the users of an account that is not.
//! 4. [`Audit::judge`]: every address once, by every rule ([`rules`]); report, plan and numbers.
//! 5. [`Audit::ask`]: events for what is proposed, where the operator wants that.
//!
//! On AWS a state machine goes through them (`statemachines/`); [`Audit::run`] does it in one process. Memory does not
//! grow with the users but by the 64-bit hash of each in the check: all else is read in the order of addresses.

mod check;
mod finding;
mod history;
mod join;
mod judgement;
mod listing;
mod plan;
mod protected;
pub mod report;
mod request;
pub mod rules;
mod run;
mod seen;
pub mod serve;

mod usage;

pub use finding::{
    AccountSummary, Action, Confidence, Effect, Exemption, Finding, Report, RosterState, RosterUsed, Rule, Savings,
    Summary, Withheld,
};
pub use history::Asked;
pub use listing::{AccountListing, Incomplete, SLICE};
pub use plan::{Part, Plan, Proposal};
pub use protected::Protected;
pub use request::{Again, Progress, event, is_removal};
pub use run::{Request, Run, last_believed};
pub use seen::SeenUser;
pub use usage::{BadUsage, Hosted, UsageGiven, read as read_usage};

use crate::directory::listing::Listing;
use crate::failure::Failure;
use crate::host::Host;
use crate::policy::Policy;
use crate::store::{Store, StoreFailure};
use futures_util::{StreamExt, TryStreamExt, stream};
use jiff::{SignedDuration, Timestamp};
use std::time::Duration;
use thiserror::Error;

/// Accounts that are listed at once. Chime's limits are unpublished: stay polite.
const AT_ONCE: usize = 4;

/// How often a slice is tried without a page that comes, before its account is given up.
const ATTEMPTS: u32 = 4;

/// The wait before a slice is tried again, at first.
const FIRST_WAIT: Duration = Duration::from_secs(2);

/// Why an audit cannot go on.
#[derive(Clone, Debug, PartialEq, Error)]
pub enum AuditFailure {
    /// The directory did not answer, or refuses.
    #[error("the directory: {0}")]
    Directory(Failure),
    /// An object could not be read or written.
    #[error(transparent)]
    Store(#[from] StoreFailure),
    /// The bus did not take events.
    #[error("the bus: {0}")]
    Bus(Failure),
    /// A usage report cannot be used.
    #[error(transparent)]
    Usage(#[from] BadUsage),
    /// The roster in force could not be read.
    #[error("the roster table: {0}")]
    Roster(Failure),
    /// The number of users could not be written to the ledger.
    #[error("the ledger: {0}")]
    Population(Failure),
    /// There is no run of this name, or it has not come so far.
    #[error("there is no run of this name, or it has not come so far")]
    UnknownRun,
    /// A run's name must be 1 to 128 letters, digits and `-`.
    #[error("a run's name must be 1 to 128 letters, digits and -")]
    BadRun,
    /// The run reports, or proposes and nobody has confirmed its plan.
    #[error("the run only reports, or nobody has confirmed its plan: run it with the mode propose, and apply the plan")]
    NotAsked,
    /// The plan is not the one that was confirmed.
    #[error("the plan has another digest: look at it again")]
    OtherPlan,
}

impl AuditFailure {
    /// Whether trying again may help.
    #[must_use]
    pub fn is_retryable(&self) -> bool {
        match self {
            AuditFailure::Directory(failure)
            | AuditFailure::Bus(failure)
            | AuditFailure::Roster(failure)
            | AuditFailure::Population(failure) => match failure {
                Failure::Retryable { .. } => true,
                Failure::Permanent(_) => false,
            },
            AuditFailure::Store(failure) => failure.is_retryable(),
            AuditFailure::Usage(_)
            | AuditFailure::UnknownRun
            | AuditFailure::BadRun
            | AuditFailure::NotAsked
            | AuditFailure::OtherPlan => false,
        }
    }
}

/// Something that an audit has done, for who watches it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Seen {
    /// It found so many accounts.
    Accounts(usize),
    /// It read a page of an account, of so many users.
    Page {
        /// The account's number.
        account: usize,
        /// Users of the page.
        users: usize,
    },
    /// It looked through so many users.
    Checked(usize),
    /// It judged so many users.
    Judged(usize),
    /// It asked for so much.
    Asked(usize),
}

/// Somebody who watches, for example a progress bar.
pub struct Watcher(Box<dyn Fn(Seen) + Send + Sync>);

impl std::fmt::Debug for Watcher {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Watcher")
    }
}

impl Default for Watcher {
    fn default() -> Watcher {
        Watcher(Box::new(|_| {}))
    }
}

impl Watcher {
    /// Tells a function of everything.
    #[must_use]
    pub fn new(tell: impl Fn(Seen) + Send + Sync + 'static) -> Watcher {
        Watcher(Box::new(tell))
    }

    fn accounts(&self, n: usize) {
        (self.0)(Seen::Accounts(n));
    }

    fn page(&self, account: usize, users: usize) {
        (self.0)(Seen::Page { account, users });
    }

    fn checked(&self, users: usize) {
        (self.0)(Seen::Checked(users));
    }

    fn judged(&self, users: usize) {
        (self.0)(Seen::Judged(users));
    }

    fn asked(&self, n: usize) {
        (self.0)(Seen::Asked(n));
    }
}

/// The audit: what it reads, and where it keeps what it knows.
#[derive(Debug)]
pub struct Audit<D, S, H> {
    /// The directory.
    pub directory: D,
    /// The objects.
    pub store: S,
    /// Time and chance.
    pub host: H,
    /// Pages of one slice: [`SLICE`], unless a test wants fewer.
    pub pages: usize,
    /// Who watches.
    pub progress: Watcher,
}

impl<D, S, H> Audit<D, S, H> {
    /// An audit that nobody watches.
    pub fn new(directory: D, store: S, host: H) -> Audit<D, S, H> {
        Audit { directory, store, host, pages: SLICE, progress: Watcher::default() }
    }
}

impl<D: Listing, S: Store, H: Host> Audit<D, S, H> {
    /// Goes through a run up to its report, in this process. One that was cut off goes on where it was.
    ///
    /// # Errors
    /// [`AuditFailure`].
    pub async fn run(&self, request: Request, policy: &Policy) -> Result<Summary, AuditFailure> {
        let run = request.run.clone();
        let accounts = self.open(request).await?;
        let listed = stream::iter(0..accounts).map(|number| self.list(&run, number)).buffer_unordered(AT_ONCE);
        listed.try_collect::<()>().await?;
        self.check(&run, policy).await?;
        self.judge(&run, policy).await
    }

    /// Lists an account to its end, or gives it up: what fails is tried again after a while, some times.
    async fn list(&self, run: &str, number: usize) -> Result<(), AuditFailure> {
        let (mut attempt, mut wait) = (1, FIRST_WAIT);
        loop {
            let forever = self.host.now().saturating_add(SignedDuration::from_hours(1)).unwrap_or(Timestamp::MAX);
            match self.slice(run, number, forever).await {
                Ok(true) => return Ok(()),
                Ok(false) => (attempt, wait) = (1, FIRST_WAIT),
                Err(AuditFailure::Directory(_)) if attempt < ATTEMPTS => {
                    self.host.sleep(self.host.jitter(wait)).await;
                    attempt += 1;
                    wait *= 2;
                }
                Err(AuditFailure::Directory(_)) => return self.give_up(run, number).await,
                Err(failure) => return Err(failure),
            }
        }
    }
}
