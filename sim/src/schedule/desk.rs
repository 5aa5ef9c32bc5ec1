//! The operator: releases, rejects, and resets, with the product's own ledger and messages.

use super::Schedule;
use crate::bounds::SECOND;
use crate::call::Request;
use crate::dynamo::{Item, number_at, text_at};
use crate::story::{Act, NOON};
use crate::worker::{self, instant};
use rollcall::brake::Population;
use rollcall::ledger::{Rejection, Releasing};
use rollcall::release;
use std::collections::BTreeMap;

impl Schedule<'_> {
    /// Somebody counted the users before the run.
    pub(super) fn count_users(&mut self) {
        let Some(users) = self.story.safety.population else { return };
        let population = Population { counted_at: instant(NOON - SECOND), users, accounts: BTreeMap::new() };
        let ledger = worker::desk(&self.timeline);
        self.attend(async move {
            let counted = ledger.set_population(&population).await;
            format!("counted {users} users: {}", if counted.is_ok() { "written" } else { "not written" })
        });
    }

    /// The operator does something about what waits.
    pub(super) fn desk(&mut self, index: usize) {
        let Some(desk) = self.story.safety.desk.get(index).copied() else { return };
        match desk.act {
            Act::Release(some) => self.release(some),
            Act::Reject(some) => self.reject(some),
            Act::Reset => self.reset(),
        }
    }

    /// Those of what is held or observed whose position has its bit set.
    fn waiting(&self, some: u8) -> Vec<(String, Item)> {
        let waits = |(_, item): &(&String, &std::sync::Arc<Item>)| {
            matches!(text_at(item, &["state"]), Some("held" | "observed"))
        };
        let mut waiting: Vec<(i64, String, Item)> = self
            .ledger
            .items()
            .iter()
            .filter(waits)
            .map(|(key, item)| (number_at(item, &["first_claimed_at"]).unwrap_or(0), key.clone(), (**item).clone()))
            .collect();
        waiting.sort_by(|a, b| (a.0, &a.1).cmp(&(b.0, &b.1)));
        let chosen = waiting.into_iter().enumerate().filter(|(index, _)| some >> (index % 4) & 1 == 1);
        chosen.map(|(_, (_, key, item))| (key, item)).collect()
    }

    fn release(&mut self, some: u8) {
        let keys: Vec<String> = self.waiting(some).into_iter().map(|(key, _)| key).collect();
        let (ledger, timeline) = (worker::desk(&self.timeline), self.timeline.clone());
        let at = instant(self.timeline.now());
        self.note(|_| format!("operator   releases {}", keys.join(", ")));
        self.attend(async move {
            let mut told = Vec::new();
            for key in keys {
                let Ok(Some(event)) = ledger.event(&key).await else { continue };
                let releasing = Releasing { by: "operator".to_owned(), at };
                if event.event.is_none() || ledger.releasing(&event, &releasing).await != Ok(true) {
                    told.push(format!("{key} does not wait any more"));
                    continue;
                }
                let body = release::body(&key, event.event.as_ref().map_or(&[], |sealed| sealed.as_slice()));
                let request = Request::Release { event: key.clone(), body, token: event.owner };
                let _sent = timeline.call(usize::MAX, request).await;
                told.push(format!("{key} is released"));
            }
            told.join("; ")
        });
    }

    fn reject(&mut self, some: u8) {
        let keys: Vec<String> = self.waiting(some).into_iter().map(|(key, _)| key).collect();
        let ledger = worker::desk(&self.timeline);
        let at = instant(self.timeline.now());
        self.note(|_| format!("operator   rejects {}", keys.join(", ")));
        self.attend(async move {
            let rejection = Rejection { by: "operator".to_owned(), at, reason: "was wrong".to_owned() };
            let mut told = Vec::new();
            for key in keys {
                let answer = ledger.reject(&key, &rejection, false).await;
                told.push(answer.map_or_else(|why| format!("{key}: {why}"), |_| format!("{key} is rejected")));
            }
            told.join("; ")
        });
    }

    fn reset(&mut self) {
        let keys: Vec<String> = self.ledger.items().keys().filter(|key| key.starts_with("budget#")).cloned().collect();
        let ledger = worker::desk(&self.timeline);
        self.note(|_| format!("operator   resets {}", keys.join(", ")));
        self.attend(async move {
            let mut told = Vec::new();
            for key in keys {
                let reset = ledger.reset_budget(&key).await;
                told.push(format!("{key}: {}", if reset == Ok(true) { "reset" } else { "not reset" }));
            }
            told.join("; ")
        });
    }
}
