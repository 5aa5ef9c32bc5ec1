//! An office: a roster in an embedded `DynamoDB`, a clock that only the test moves, and tokens.

use aws_config::{BehaviorVersion, SdkConfig};
use aws_sdk_dynamodb::config::{Credentials, Region, SharedCredentialsProvider};
use jiff::{SignedDuration, Timestamp};
use rollcall::directory::Deadline;
use rollcall::failure::Failure;
use rollcall::host::Host;
use rollcall::intake::Source;
use rollcall::intake::complete::{Token, Tokens};
use rollcall::roster::load::Rows;
use rollcall::roster::{Format, Refused, Roster, Row, Shrinkage, Version, read};
use rollcall::seal::Keys;
use rollcall_tables::{Definition, Served};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// Time that only sleeping and the test move.
#[derive(Clone, Debug)]
pub(crate) struct TestHost {
    now: Arc<Mutex<Timestamp>>,
    slept: Arc<Mutex<Vec<Duration>>>,
}

impl TestHost {
    pub(crate) fn at(now: &str) -> TestHost {
        TestHost { now: Arc::new(Mutex::new(now.parse().unwrap())), slept: Arc::default() }
    }

    pub(crate) fn advance(&self, by: Duration) {
        *self.now.lock().unwrap() += by;
    }

    pub(crate) fn slept(&self) -> Vec<Duration> {
        self.slept.lock().unwrap().clone()
    }
}

impl Host for TestHost {
    fn now(&self) -> Timestamp {
        *self.now.lock().unwrap()
    }

    async fn sleep(&self, duration: Duration) {
        self.slept.lock().unwrap().push(duration);
        self.advance(duration);
        tokio::task::yield_now().await;
    }

    fn random(&self) -> u128 {
        7
    }
}

/// Tokens by source.
#[derive(Default)]
pub(crate) struct Drawer(pub(crate) BTreeMap<Source, String>);

impl Tokens for Drawer {
    async fn token(&self, source: Source) -> Result<Option<Token>, Failure> {
        Ok(self.0.get(&source).map(|token| Token::new(token)))
    }
}

/// A roster table that rows are put into directly.
pub(crate) struct Office {
    pub(crate) roster: Roster<TestHost>,
    pub(crate) host: TestHost,
    _database: Served,
}

impl Office {
    pub(crate) async fn new(now: &str) -> Office {
        let database = Served::start(&[Definition::roster("roster").unwrap()]).unwrap();
        let config = SdkConfig::builder()
            .behavior_version(BehaviorVersion::v2026_01_12())
            .region(Region::new("eu-west-1"))
            .credentials_provider(SharedCredentialsProvider::new(Credentials::new("test", "test", None, None, "test")))
            .endpoint_url(database.endpoint())
            .http_client(aws_smithy_http_client::Builder::new().build_http())
            .build();
        let dynamo = aws_sdk_dynamodb::Client::new(&config);
        let host = TestHost::at(now);
        let keys = Keys::from_secret("a-person-key-of-more-than-32-characters").unwrap();
        Office { roster: Roster::new(dynamo, "roster", keys, host.clone()), host, _database: database }
    }

    /// A version with these people, dropped at a time.
    pub(crate) async fn load(&self, dropped: &str, csv: &str) -> Version {
        let at: Timestamp = dropped.parse().unwrap();
        let version = Version::new(at, at, 7);
        let deadline = Deadline::at(self.host.now() + SignedDuration::from_secs(900));
        let loading = self.roster.loading();
        loading.put(&version, &rows(csv), deadline).await.unwrap();
        loading.end(&version, deadline).await.unwrap();
        version
    }
}

/// The rows of a CSV roster.
pub(crate) fn rows(csv: &str) -> Vec<Row> {
    let mut rows = Vec::new();
    read(Format::Csv, csv.as_bytes(), Shrinkage { before: None, percent: 0 }, |row| {
        rows.push(row);
        Ok::<(), Refused>(())
    })
    .unwrap();
    rows
}
