//! The sweep, every quarter of an hour: how things stand, and what is due and was not woken.

use super::complete::Tokens;
use super::gauges::Gauges;
use super::serve::{AT_ONCE, Intake};
use super::silence::silent;
use super::tally::Tally;
use super::wake::Clock;
use crate::bus::Bus;
use crate::decide::SOON;
use crate::directory::Deadline;
use crate::failure::Failure;
use crate::host::Host;
use crate::queue::Queue;
use crate::store::Store;
use futures_util::{StreamExt, stream};
use jiff::Timestamp;
use std::collections::BTreeSet;

impl<Q: Queue, B: Bus, C: Clock, S: Store, T: Tokens, H: Host + Clone> Intake<Q, B, C, S, T, H> {
    /// Looks at how things stand, then at everything that is due. What fails is found by the next sweep.
    pub(super) async fn sweep(&self, deadline: Deadline, tally: &mut Tally) -> Result<(), Failure> {
        match self.measure(deadline).await {
            Ok(gauges) => tally.gauges = Some(gauges),
            // No figures are better than wrong ones: an alarm notices where they stay away.
            Err(failure) => tracing::warn!("how things stand cannot be read: {failure}"),
        }
        let by = self.road.host.now().saturating_add(SOON).unwrap_or(Timestamp::MAX);
        let mut from = None;
        loop {
            let page = self.road.ledger.due(by, from).await?;
            let looked = stream::iter(page.keys).map(|key| async move { (self.look(&key, deadline).await, key) });
            let looked: Vec<_> = looked.buffer_unordered(AT_ONCE).collect().await;
            for (woken, key) in looked {
                match woken {
                    Ok(woken) => tally.swept(woken),
                    Err(failure) => {
                        tally.unswept();
                        tracing::error!(event.id = key, "an announcement is due and cannot be published: {failure}");
                    }
                }
            }
            from = page.next;
            if from.is_none() || !deadline.allows(self.road.host.now(), 4) {
                return Ok(());
            }
        }
    }

    /// Three reads: what is held, the brake's budgets, and when sources were heard.
    async fn measure(&self, deadline: Deadline) -> Result<Gauges, Failure> {
        let (ledger, rules, now) = (&self.road.ledger, self.road.rules(), self.road.host.now());
        let held = ledger.held().await?;
        let keys = rules.policy.budget_keys();
        let budgets = ledger.budgets(&keys, deadline).await?;
        let latched =
            keys.iter().filter(|key| budgets.look(key).is_some_and(|budget| budget.latch().is_some())).count();

        let watched: BTreeSet<_> = rules.policy.sources.watched().map(|(source, _)| source).collect();
        let heard = ledger.heard(&watched, deadline).await?;
        for source in watched.iter().filter(|source| !heard.contains_key(source)) {
            ledger.watch_source(*source, now).await?;
        }
        let silent = silent(&rules.policy.sources, &heard, now);
        for one in &silent {
            tracing::warn!(source = one.source.as_str(), for_hours = one.for_hours, "a source has gone silent");
        }
        Ok(Gauges::new(held, latched, silent.len(), now))
    }
}
