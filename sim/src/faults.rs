//! What may go wrong, how often in this run, and how often it did.

use crate::bounds::{Bounds, FREEZE, MS, SECOND};
use rollcall_local::chime::random::Random;
use std::collections::BTreeSet;
use std::str::FromStr;

macro_rules! faults {
    ($($(#[$about:meta])* $name:ident = $word:literal, $most:literal;)*) => {
        /// A kind of fault.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
        pub enum Fault { $($(#[$about])* $name,)* }

        impl Fault {
            /// Every kind.
            pub const ALL: [Fault; [$($word),*].len()] = [$(Fault::$name),*];

            /// Its name in tables.
            #[must_use]
            pub fn word(self) -> &'static str {
                match self { $(Fault::$name => $word,)* }
            }

            /// How often it strikes at the most, of a thousand chances.
            fn most(self) -> u32 {
                match self { $(Fault::$name => $most,)* }
            }
        }
    };
}

impl Fault {
    /// Its name on the command line.
    #[must_use]
    pub fn option(self) -> String {
        self.word().replace(' ', "-")
    }

    /// How often it strikes where a run insists on it, of a thousand chances: more often than any run draws.
    #[must_use]
    pub fn insisted(self) -> u32 {
        (3 * self.most()).min(900)
    }
}

impl FromStr for Fault {
    type Err = String;

    fn from_str(text: &str) -> Result<Fault, String> {
        let known = || Fault::ALL.map(Fault::option).join(", ");
        Fault::ALL
            .into_iter()
            .find(|kind| kind.option() == text)
            .ok_or_else(|| format!("there is no such kind of fault; there are {}", known()))
    }
}

faults! {
    /// A worker dies at one of its awaits.
    Crash = "crash", 400;
    /// A message is delivered twice.
    Duplicate = "duplicate", 300;
    /// A batch is taken in another order.
    Reorder = "reorder", 600;
    /// A message comes late.
    Delay = "delay", 300;
    /// A request is lost before it takes effect.
    LostBefore = "lost before", 80;
    /// A request takes effect, and its answer is lost.
    LostAfter = "lost after", 80;
    /// Nobody waits any more when a request takes effect.
    LateEffect = "late effect", 60;
    /// The same of an invitation, which may take much longer.
    LateInvitation = "late invitation", 250;
    /// A request is never answered, and never takes effect.
    Hang = "hang", 40;
    /// An answer comes late, and still in time.
    Slow = "slow", 150;
    /// Chime wants fewer requests.
    Throttled = "throttled", 150;
    /// Chime fails with 5xx, before or after the effect.
    ServiceFails = "service fails", 100;
    /// Chime refuses a request for good.
    Refused = "refused", 15;
    /// HTTP 200, with an error entry for part of the users.
    UserErrors = "user errors", 200;
    /// DynamoDB wants fewer requests.
    LedgerThrottled = "ledger throttled", 100;
    /// DynamoDB fails with 500, before or after the effect.
    LedgerFails = "ledger fails", 60;
    /// Another transaction is under way on the same items.
    Conflict = "conflict", 150;
    /// DynamoDB leaves keys of a batch unprocessed.
    Unprocessed = "unprocessed", 150;
    /// A worker stands still for a while.
    Freeze = "freeze", 350;
    /// A worker goes on after its deadline: in the ledger, not in the directory.
    Zombie = "zombie", 700;
    /// The dead-letter queue takes a message, or not, and does not say so.
    ParkFails = "park fails", 200;
    /// A message that was handled is not deleted.
    LostDelete = "lost delete", 150;
    /// Whether clocks differ.
    Skew = "skew", 1000;
}

/// The faults of one run.
#[derive(Clone, Debug)]
pub struct Faults {
    rates: [u32; Fault::ALL.len()],
    randoms: [Random; Fault::ALL.len()],
    counts: [u64; Fault::ALL.len()],
    /// After this, nothing goes wrong any more.
    until: i64,
    /// What is bounded.
    pub bounds: Bounds,
}

impl Faults {
    /// Draws how often each kind strikes. A run has some of them only, so that rare ones are not drowned by others.
    #[must_use]
    pub fn draw(seed: u64, until: i64, bounds: Bounds, without: &BTreeSet<Fault>) -> Faults {
        let mut random = Random::new(seed);
        // One run in ten meets nothing at all, and some meet everything.
        let (share, strength) = match random.below(10) {
            0 => (0, 0),
            1 => (1000, 300),
            2..5 => (250, 1000),
            _ => (500, 600),
        };
        let mut faults = Faults {
            rates: [0; Fault::ALL.len()],
            randoms: std::array::from_fn(|_| Random::default()),
            counts: [0; Fault::ALL.len()],
            until,
            bounds,
        };
        for (index, kind) in Fault::ALL.iter().enumerate() {
            let (enabled, part) = (random.chance(share), random.below(1001));
            let rate = u64::from(kind.most()) * part * strength / 1_000_000;
            if enabled && !without.contains(kind) {
                faults.rates[index] = u32::try_from(rate).unwrap_or(0).max(1);
            }
            faults.randoms[index] = Random::new(random.number());
        }
        faults
    }

    /// Makes some kinds frequent: for a run beyond a bound.
    pub fn insist(&mut self, kinds: &[(Fault, u32)]) {
        for (kind, rate) in kinds {
            self.rates[*kind as usize] = *rate;
        }
    }

    /// Whether a fault strikes now. Each chance draws its number, so that one kind does not disturb another.
    pub fn strikes(&mut self, kind: Fault, now: i64) -> bool {
        let index = kind as usize;
        let struck = self.randoms[index].chance(self.rates[index]) && now < self.until;
        self.counts[index] += u64::from(struck);
        struck
    }

    /// A number for a fault that strikes: below `limit`.
    pub fn below(&mut self, kind: Fault, limit: i64) -> i64 {
        let limit = u64::try_from(limit).unwrap_or(1).max(1);
        i64::try_from(self.randoms[kind as usize].below(limit)).unwrap_or(0)
    }

    /// Takes a fault back that found nothing to strike.
    pub fn missed(&mut self, kind: Fault) {
        let count = &mut self.counts[kind as usize];
        *count = count.saturating_sub(1);
    }

    /// How often each kind struck.
    #[must_use]
    pub fn counts(&self) -> &[u64; Fault::ALL.len()] {
        &self.counts
    }

    /// When the faults stop.
    #[must_use]
    pub fn until(&self) -> i64 {
        self.until
    }

    /// How long a worker stands still.
    pub fn freeze(&mut self) -> i64 {
        // Short pauses are the common ones, and long ones the interesting ones.
        let most = [20 * SECOND, 50 * SECOND, FREEZE][usize::try_from(self.below(Fault::Freeze, 3)).unwrap_or(0)];
        SECOND + self.below(Fault::Freeze, most - SECOND)
    }

    /// How long after it was sent a late request takes effect: later than its client waits.
    pub fn late(&mut self) -> i64 {
        let most = self.bounds.late_effect - 3_500 * MS;
        3_500 * MS + self.below(Fault::LateEffect, most)
    }

    /// How long after it was sent a late invitation takes effect.
    pub fn late_invitation(&mut self) -> i64 {
        let most = self.bounds.late_invitation - 3_500 * MS;
        3_500 * MS + self.below(Fault::LateInvitation, most)
    }

    /// How far off the clock of a new worker is.
    pub fn skew(&mut self, now: i64) -> i64 {
        if !self.strikes(Fault::Skew, now) {
            return 0;
        }
        self.below(Fault::Skew, 2 * self.bounds.skew + 1) - self.bounds.skew
    }
}
