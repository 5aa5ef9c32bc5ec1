//! A company with a roster table and a bucket, and what its HR system drops there.

use super::bucket::TestBucket;
use crate::stage::{ROSTER, Stage, TestHost, keys};
use jiff::SignedDuration;
use lambda_runtime::{Context, LambdaEvent};
use rollcall::host::Host;
use rollcall::policy::Policy;
use rollcall::roster::serve::{Outcome, Service, serve};
use rollcall::roster::{Index, Listed, Roster};
use rollcall::rules::{Loader, Rules, Source};
use rollcall::store::Store;
use serde_json::{Value, json};
use std::sync::{Arc, Mutex};

/// A stage with an empty roster table and an empty bucket.
pub(crate) struct Company {
    pub(crate) stage: Stage,
    pub(crate) bucket: TestBucket,
}

impl Company {
    pub(crate) async fn new() -> Company {
        Company::on(Stage::new(json!([])).await).await
    }

    pub(crate) async fn on(stage: Stage) -> Company {
        Company { stage, bucket: TestBucket::default() }
    }

    /// The roster table as another reader sees it.
    pub(crate) fn roster(&self) -> Roster<TestHost> {
        Roster::new(self.stage.dynamo.clone(), ROSTER, keys(), self.stage.host.clone())
    }

    pub(crate) async fn current(&self) -> Option<Index> {
        self.roster().current().await.unwrap()
    }

    /// A new environment of the function.
    fn function(&self) -> Service<TestBucket, TestHost> {
        let policy = r#"{"audit":{"roster_shrinks_at_most":10}}"#;
        Service {
            bucket: "audit".into(),
            store: self.bucket.clone(),
            roster: Roster::new(self.stage.watched(), ROSTER, keys(), self.stage.host.clone()),
            policy: Loader::without_events(Source::Inline(policy.into()), None, &keys()),
            rules: Mutex::new(Arc::new(Rules::new(Policy::parse(policy).unwrap(), &keys()))),
            host: self.stage.host.clone(),
        }
    }

    /// Invokes it with a deadline that far ahead.
    pub(crate) async fn invoke(&self, input: Value, within: SignedDuration) -> Result<Outcome, String> {
        let mut context = Context::default();
        context.deadline = u64::try_from((self.stage.host.now() + within).as_millisecond()).unwrap();
        let answer = serve(&self.function(), LambdaEvent::new(input, context)).await;
        answer.map_err(|error| error.to_string())
    }

    /// A file is dropped now.
    pub(crate) async fn drop(&self, key: &str, file: &str) -> Result<Outcome, String> {
        self.bucket.write(key, file.into()).await.unwrap();
        self.invoke(dropped(key, self.stage.host.now()), SignedDuration::from_secs(900)).await
    }

    pub(crate) async fn by_hand(&self, input: Value) -> Result<Outcome, String> {
        self.invoke(input, SignedDuration::from_secs(900)).await
    }

    /// The people of the runs of a version, run by run.
    pub(crate) async fn listed(&self, index: &Index) -> Vec<Vec<Listed>> {
        let mut runs = Vec::new();
        for run in &index.runs {
            let bytes = self.bucket.read(&run.key, 0, u64::MAX).await.unwrap().unwrap();
            assert_eq!(bytes.len() as u64, run.bytes);
            let lines = std::str::from_utf8(&bytes).unwrap().lines();
            let people: Vec<Listed> = lines.map(|line| serde_json::from_str(line).unwrap()).collect();
            assert_eq!(people.len() as u64, run.rows);
            runs.push(people);
        }
        runs
    }
}

pub(crate) fn dropped(key: &str, at: jiff::Timestamp) -> Value {
    json!({
        "detail-type": "Object Created", "source": "aws.s3", "time": at,
        "detail": { "bucket": { "name": "audit" }, "object": { "key": key, "size": 1 } },
    })
}

/// A roster of people `1` to `n`, the last of whom has no address.
pub(crate) fn people(n: usize) -> String {
    let row = |i: usize| match i {
        i if i == n => format!("{i},,active,2020-01-02\n"),
        i => format!("{i},P{}@acme.example,active,2020-01-02\n", n - i),
    };
    "worker_id,email,status,start_date\n".to_owned() + &(1..=n).map(row).collect::<String>()
}

pub(crate) fn in_force(outcome: Result<Outcome, String>) -> Index {
    let outcome = outcome.unwrap();
    let Outcome::InForce(index) = outcome else { panic!("{outcome:?}") };
    index
}
