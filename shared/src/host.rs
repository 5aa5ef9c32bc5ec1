//! Time and chance, as arguments.

use jiff::Timestamp;
use std::future::Future;
use std::time::Duration;

/// What the road needs of the machine it runs on: the system's clock in a Lambda, a virtual one in a simulation.
pub trait Host {
    /// The time now.
    fn now(&self) -> Timestamp;

    /// Waits.
    fn sleep(&self, duration: Duration) -> impl Future<Output = ()>;

    /// Random bits, new for each call.
    fn random(&self) -> u128;

    /// A fraction of `most`, evenly spread: the jitter of every back-off.
    fn jitter(&self, most: Duration) -> Duration {
        let millis = u128::from(u64::try_from(most.as_millis()).unwrap_or(u64::MAX));
        Duration::from_millis(u64::try_from(self.random() % (millis + 1)).unwrap_or(u64::MAX))
    }
}

/// The machine itself.
#[derive(Clone, Debug)]
pub struct System {
    random: ring::rand::SystemRandom,
}

impl Default for System {
    fn default() -> Self {
        System { random: ring::rand::SystemRandom::new() }
    }
}

impl Host for System {
    #[expect(clippy::disallowed_methods, reason = "the one place that reads the clock")]
    fn now(&self) -> Timestamp {
        Timestamp::now()
    }

    async fn sleep(&self, duration: Duration) {
        tokio::time::sleep(duration).await;
    }

    #[expect(clippy::expect_used, reason = "without chance there is no fencing token: better no work than two owners")]
    fn random(&self) -> u128 {
        let mut bytes = [0; 16];
        ring::rand::SecureRandom::fill(&self.random, &mut bytes).expect("the kernel has a random generator");
        u128::from_be_bytes(bytes)
    }
}
