//! The operator: releases, rejects, and resets, with the product's own ledger and messages.

use super::Schedule;
use crate::bounds::{MS, SECOND};
use crate::dynamo::{Attribute, Item, number_at, text_at};
use crate::story::{Act, NOON};
use crate::timeline::Happening;
use crate::worker::{self, instant};
use aws_smithy_types::base64;
use rollcall::brake::Population;
use rollcall::ledger::Rejection;
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
        let now = self.timeline.now();
        for (key, item) in self.waiting(some) {
            let Some(Attribute::Bytes(sealed)) = item.get("event") else { continue };
            let Ok(sealed) = base64::decode(sealed) else { continue };
            let token = text_at(&item, &["owner"]).unwrap_or_default().to_owned();
            let telling = self.story.tellings.iter().position(|telling| telling.key == key).unwrap_or(usize::MAX);
            let message = self.queue.release(telling, release::body(&key, &sealed), token, now);
            self.note(|schedule| format!("operator   releases {}", schedule.named(message, telling)));
        }
        self.timeline.after(10 * MS, Happening::Poll);
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
                let answer = ledger.reject(&key, &rejection).await;
                told.push(answer.map_or_else(|why| format!("{key}: {why}"), |_| format!("{key} is rejected")));
            }
            told.join("; ")
        });
    }

    fn reset(&mut self) {
        let keys: Vec<String> =
            self.ledger.items().keys().filter(|key| key.starts_with("budget#access")).cloned().collect();
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
