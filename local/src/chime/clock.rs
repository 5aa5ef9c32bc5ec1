//! The service's clock: it follows the machine's until somebody sets it.

use super::state::Moment;

/// A clock that is told what time it is, so that a simulation needs none.
#[derive(Clone, Copy, Debug)]
pub struct Clock {
    machine: Moment,
    ahead: i64,
    frozen: bool,
}

impl Default for Clock {
    /// 2026-01-01T00:00:00Z, until the first [`Clock::tick`].
    fn default() -> Clock {
        Clock { machine: Moment::from_millis(1_767_225_600_000), ahead: 0, frozen: false }
    }
}

impl Clock {
    /// What time it is.
    #[must_use]
    pub fn now(&self) -> Moment {
        Moment::from_millis(self.machine.millis().saturating_add(self.ahead))
    }

    /// The machine's time is this now. A frozen clock does not care.
    pub fn tick(&mut self, machine: Moment) {
        if !self.frozen {
            self.machine = machine;
        }
    }

    /// Sets the clock. It goes on from there, or stands still.
    pub fn set(&mut self, now: Moment, frozen: bool) {
        self.ahead = now.millis().saturating_sub(self.machine.millis());
        self.frozen = frozen;
    }

    /// It stands still.
    #[must_use]
    pub fn is_frozen(&self) -> bool {
        self.frozen
    }
}
