//! What is in the service, for whoever holds it: tests, hooks, and the page.

use super::{Core, Snapshot, State};
use crate::chime::calls::{Call, CallLog};
use crate::chime::choices::Choices;
use crate::chime::clock::Clock;
use crate::chime::faults::{Chance, Fault};
use crate::chime::state::{AccountState, GlobalSettings};

impl Core {
    /// An account.
    #[must_use]
    pub fn account(&self, id: &str) -> Option<&AccountState> {
        self.state.accounts.get(self.state.by_id.get(id)?)
    }

    /// An account, to change: what an administrator does in the console.
    pub fn account_mut(&mut self, id: &str) -> Option<&mut AccountState> {
        self.state.accounts.get_mut(self.state.by_id.get(id)?)
    }

    /// The accounts, in the order they came.
    pub fn accounts(&self) -> impl Iterator<Item = &AccountState> {
        self.state.accounts.values()
    }

    /// The accounts, to change.
    pub fn accounts_mut(&mut self) -> impl Iterator<Item = &mut AccountState> {
        self.state.accounts.values_mut()
    }

    /// Settings above all accounts.
    #[must_use]
    pub fn global(&self) -> &GlobalSettings {
        &self.state.global
    }

    /// What is chosen where the documentation leaves it open.
    #[must_use]
    pub fn choices(&self) -> &Choices {
        &self.choices
    }

    /// The same, to change.
    pub fn choices_mut(&mut self) -> &mut Choices {
        &mut self.choices
    }

    /// The service's clock.
    #[must_use]
    pub fn clock(&self) -> &Clock {
        &self.clock
    }

    /// The same, to set.
    pub fn clock_mut(&mut self) -> &mut Clock {
        &mut self.clock
    }

    /// The calls so far; of very many, the last.
    #[must_use]
    pub fn calls(&self) -> &[Call] {
        self.log.calls()
    }

    /// Forgets the calls so far.
    pub fn forget_calls(&mut self) {
        self.log.forget();
    }

    /// The log of calls, with its counters.
    #[must_use]
    pub fn log(&self) -> &CallLog {
        &self.log
    }

    /// The same, to change.
    pub fn log_mut(&mut self) -> &mut CallLog {
        &mut self.log
    }

    /// Arms a fault.
    pub fn arm(&mut self, fault: Fault) {
        self.faults.arm(fault);
    }

    /// Arms a fault that strikes by chance.
    pub fn arm_chance(&mut self, chance: Chance) {
        self.faults.arm_chance(chance);
    }

    /// Disarms every fault.
    pub fn disarm(&mut self) {
        self.faults.disarm();
    }

    /// The faults that did not strike yet.
    #[must_use]
    pub fn armed(&self) -> &[Fault] {
        self.faults.armed()
    }

    /// The faults that strike by chance.
    pub fn chances(&self) -> impl Iterator<Item = &Chance> {
        self.faults.chances()
    }

    /// The state as it is now.
    #[must_use]
    pub fn snapshot(&self) -> Snapshot {
        Snapshot(self.state.clone())
    }

    /// Comes back to a state. Page tokens given since are no good any more.
    pub fn restore(&mut self, snapshot: Snapshot) {
        self.state = snapshot.0;
        self.tokens.forget();
    }

    /// Takes these accounts and settings for what was there.
    pub fn replace(&mut self, accounts: Vec<AccountState>, global: GlobalSettings) {
        let mut state = State { random: self.state.random.clone(), pins: self.state.pins, global, ..State::default() };
        for account in accounts {
            state.put(account);
        }
        self.restore(Snapshot(state));
    }
}
