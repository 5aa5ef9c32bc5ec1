//! A company with a Chime account, a roster, a bus that keeps what it is given, and a reconcile pass.

use crate::roster::bucket::TestBucket;
use crate::roster::company::{Company, in_force};
use crate::stage::{self, ROSTER, Stage, TestHost, account, envelope, event, keys, mapped};
use jiff::{SignedDuration, Timestamp};
use lambda_runtime::{Context, LambdaEvent};
use rollcall::bus::{Bus, ENTRIES, Entry};
use rollcall::failure::{Cause, Failure};
use rollcall::ledger::Ledger;
use rollcall::reconcile::serve::{Service, serve};
use rollcall::reconcile::{Reconcile, Summary};
use rollcall::roster::Roster;
use rollcall::rules::{Loader, Rules, Source};
use serde_json::{Value, json};
use std::sync::{Arc, Mutex};

pub(super) const LWA: &str = "lwa";

/// A bus that keeps what it is given, and may refuse.
#[derive(Clone, Debug, Default)]
pub(super) struct MemoryBus {
    taken: Arc<Mutex<Vec<Entry>>>,
    pub(super) refuses: Arc<Mutex<bool>>,
}

impl Bus for MemoryBus {
    async fn publish(&self, entries: &[Entry]) -> Result<(), Failure> {
        assert!((1..=ENTRIES).contains(&entries.len()), "{} at once", entries.len());
        if *self.refuses.lock().unwrap() {
            return Err(Failure::retryable(Cause::Throttled));
        }
        self.taken.lock().unwrap().extend(entries.iter().cloned());
        Ok(())
    }
}

/// A company with a Chime account, a roster, and a reconcile pass.
pub(super) struct Office {
    pub(super) company: Company,
    pub(super) bus: MemoryBus,
    policy: Value,
}

impl Office {
    /// `people` registered users of one account; the policy's other sections on top of the mapping.
    pub(super) async fn new(people: usize, sections: Value) -> Office {
        let mut policy = mapped(&[LWA]);
        policy["sources"] = json!({ "zone": "UTC" });
        for (name, section) in sections.as_object().unwrap() {
            policy[name] = section.clone();
        }
        let stage = Stage::new(json!([account(LWA, "EnterpriseLWA", people)])).await.with_policy(policy.clone());
        Office { company: Company::on(stage).await, bus: MemoryBus::default(), policy }
    }

    pub(super) fn stage(&self) -> &Stage {
        &self.company.stage
    }

    /// A roster in which these people left on a day, and all others of so many work.
    pub(super) async fn roster(&self, people: usize, left: &[(usize, &str)]) {
        let row = |n: usize| match left.iter().find(|(gone, _)| *gone == n) {
            // Who has left has no address any more.
            Some((_, day)) => format!("{LWA}-{n},,terminated,{day}\n"),
            None => format!("{LWA}-{n},p{n}@{LWA}.example,active,\n"),
        };
        let rows: String = (0..people).map(row).collect();
        in_force(self.company.drop("roster/all.csv", &format!("worker_id,email,status,end_date\n{rows}")).await);
    }

    pub(super) fn service(&self) -> Service<TestBucket, MemoryBus, TestHost> {
        let host = self.stage().host.clone();
        let policy = self.policy.to_string();
        Service {
            reconcile: Reconcile {
                roster: Roster::new(self.stage().watched(), ROSTER, keys(), host.clone()),
                ledger: Ledger::new(self.stage().watched(), stage::TABLE, host.clone()),
                store: self.company.bucket.clone(),
                bus: self.bus.clone(),
                keys: keys(),
                host,
            },
            rules: Mutex::new(Arc::new(Rules::new(self.stage().policy.clone(), &keys()))),
            policy: Loader::without_events(Source::Inline(policy), None, &keys()),
        }
    }

    /// A pass that must be done by then; what it asks for waits on the bus.
    pub(super) async fn pass_within(&self, within: SignedDuration) -> Result<Summary, String> {
        let mut context = Context::default();
        context.deadline = u64::try_from((self.now() + within).as_millisecond()).unwrap();
        serve(&self.service(), LambdaEvent::new(json!({}), context)).await.map_err(|error| error.to_string())
    }

    pub(super) async fn pass(&self) -> Summary {
        self.pass_within(SignedDuration::from_secs(900)).await.unwrap()
    }

    pub(super) fn now(&self) -> Timestamp {
        self.stage().host.now_then(SignedDuration::ZERO)
    }

    /// What the bus was given since last time.
    pub(super) fn asked(&self) -> Vec<Value> {
        let entries = self.bus.taken.lock().unwrap().drain(..).collect::<Vec<_>>();
        let detail = |entry: &Entry| {
            let detail: Value = serde_json::from_str(&entry.detail).unwrap();
            assert!(envelope(&detail).contains(&format!("\"detail-type\":\"{}\"", entry.detail_type)));
            detail
        };
        entries.iter().map(detail).collect()
    }

    /// What the bus was given goes its road.
    pub(super) async fn deliver(&self) -> Vec<Value> {
        let asked = self.asked();
        self.stage().deliver_by_function(asked.iter().map(envelope).collect()).await;
        asked
    }

    pub(super) fn suspended(&self) -> Vec<usize> {
        let users = self.stage().users();
        let number = |key: &String| key.rsplit_once('u').unwrap().1.parse::<usize>().unwrap();
        let mut all: Vec<usize> =
            users.iter().filter(|(_, it)| *it == "Suspended").map(|(key, _)| number(key)).collect();
        all.sort_unstable();
        all
    }

    pub(super) async fn hire(&self, people: std::ops::Range<usize>) {
        let hire = |n| event(&format!("h{n}"), "hire", "effective", "2020-01-01T08:00:00Z", LWA, n);
        self.stage().deliver_by_function(people.map(|n| envelope(&hire(n))).collect()).await;
    }
}
