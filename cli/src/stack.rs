//! The clients of one stack.

use crate::arguments::StackArguments;
use anyhow::{Context, Result, bail};
use aws_config::{Region, SdkConfig};
use jiff::{SignedDuration, Timestamp};
use rollcall::bus::EventBus;
use rollcall::directory::Deadline;
use rollcall::directory::chime::Chime;
use rollcall::host::{Host, System};
use rollcall::ledger::Ledger;
use rollcall::roster::Roster;
use rollcall::seal::Keys;
use rollcall::start;
use rollcall::store::s3::Bucket;

/// How long one command may take.
const WITHIN: SignedDuration = SignedDuration::from_mins(10);

/// The clients of one stack.
pub(crate) struct Stack {
    pub(crate) queues: aws_sdk_sqs::Client,
    dynamo: aws_sdk_dynamodb::Client,
    table: String,
    queue_urls: Vec<(String, String)>,
    person_key: Option<String>,
    sdk: SdkConfig,
    host: System,
}

impl Stack {
    pub(crate) async fn connect(arguments: &StackArguments) -> Stack {
        let mut loader = start::sdk_loader();
        if let Some(profile) = &arguments.profile {
            loader = loader.profile_name(profile);
        }
        if let Some(region) = &arguments.region {
            loader = loader.region(Region::new(region.clone()));
        }
        if let Some(endpoint) = &arguments.endpoint_url {
            loader = loader.endpoint_url(endpoint);
        }
        let sdk = loader.load().await;
        Stack {
            queues: aws_sdk_sqs::Client::new(&sdk),
            dynamo: aws_sdk_dynamodb::Client::new(&sdk),
            table: arguments.table.clone(),
            queue_urls: arguments.queues.clone(),
            person_key: arguments.person_key.clone(),
            sdk,
            host: System::default(),
        }
    }

    pub(crate) fn ledger(&self) -> Result<Ledger<System>> {
        if self.table.is_empty() {
            bail!("which ledger? Give --table, or set ROLLCALL_TABLE; it is the stack's output LedgerTable");
        }
        Ok(Ledger::new(self.dynamo.clone(), self.table.clone(), self.host.clone()))
    }

    /// The queue of the function that an event's record belongs to.
    pub(crate) fn queue_of(&self, event_key: &str) -> Option<&str> {
        let (function, _) = event_key.split_once('#')?;
        self.queue_urls.iter().find(|(known, _)| known == function).map(|(_, url)| url.as_str())
    }

    /// The keys that open an event, where the person key was given.
    pub(crate) fn keys(&self) -> Result<Option<Keys>> {
        let keys = self.person_key.as_deref().map(Keys::from_secret).transpose();
        keys.map_err(|weak| anyhow::anyhow!("the person key {weak}"))
    }

    /// The directory.
    pub(crate) fn chime(&self) -> Chime<System> {
        Chime::new(&self.sdk, self.host.clone())
    }

    /// A bucket, for example the audit's.
    pub(crate) fn bucket(&self, name: &str) -> Bucket {
        Bucket::new(&self.sdk, name.to_owned())
    }

    /// The bus that events go to.
    pub(crate) fn bus(&self, name: &str) -> EventBus<System> {
        EventBus::new(aws_sdk_eventbridge::Client::new(&self.sdk), name.to_owned(), self.host.clone())
    }

    /// The roster table.
    pub(crate) fn roster(&self, table: &str) -> Result<Roster<System>> {
        let keys = self.keys()?.context("the roster table needs the person key: give --person-key")?;
        Ok(Roster::new(self.dynamo.clone(), table, keys, self.host.clone()))
    }

    /// The ledger's name.
    pub(crate) fn table(&self) -> &str {
        &self.table
    }

    pub(crate) fn now(&self) -> Timestamp {
        self.host.now()
    }

    pub(crate) fn deadline(&self) -> Deadline {
        let now = self.now();
        Deadline::at(now.saturating_add(WITHIN).unwrap_or(now))
    }
}
