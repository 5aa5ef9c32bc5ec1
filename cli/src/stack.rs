//! The clients of one stack, and where everything of it is. Nothing is asked for before a command needs it.

mod places;

pub(crate) use places::{Part, Place};

use crate::arguments::StackArguments;
use crate::aws;
use anyhow::{Context, Result, bail};
use aws_config::{Region, SdkConfig};
use jiff::{SignedDuration, Timestamp};
use places::{Places, secret_parameter};
use rollcall::bus::EventBus;
use rollcall::directory::Deadline;
use rollcall::directory::chime::Chime;
use rollcall::host::{Host, System};
use rollcall::ledger::Ledger;
use rollcall::policy::Policy;
use rollcall::routes::Function;
use rollcall::seal::Keys;
use rollcall::start;
use rollcall::store::s3::Bucket;
use std::path::Path;
use tokio::sync::OnceCell;

/// How long one command may take.
const WITHIN: SignedDuration = SignedDuration::from_mins(10);

/// The policy document where no stack and no file is named.
const POLICY_FILE: &str = "policy.json";

/// The clients of one stack.
pub(crate) struct Stack<'a> {
    arguments: &'a StackArguments,
    sdk: OnceCell<SdkConfig>,
    places: OnceCell<Places>,
    host: System,
}

impl Stack<'_> {
    pub(crate) fn new(arguments: &StackArguments) -> Stack<'_> {
        Stack { arguments, sdk: OnceCell::new(), places: OnceCell::new(), host: System::default() }
    }

    /// Where something is: as a flag says, else as the stack's own parameter does.
    ///
    /// # Errors
    /// Where neither says, with what to give.
    pub(crate) async fn place(&self, place: Place) -> Result<String> {
        match self.find(place).await? {
            Some(found) => Ok(found),
            None => bail!("{}", place.asked()),
        }
    }

    /// The same; `None` where neither says.
    pub(crate) async fn find(&self, place: Place) -> Result<Option<String>> {
        let given = match place {
            Place::Table => &self.arguments.table,
            Place::RosterTable => &self.arguments.roster_table,
            Place::Bus => &self.arguments.bus,
            Place::Policy | Place::PersonKey | Place::AuditBucket | Place::Unrouted | Place::Undelivered => &None,
        };
        // An empty variable of the environment names nothing.
        if let Some(given) = given.as_ref().filter(|given| !given.is_empty()) {
            return Ok(Some(given.clone()));
        }
        Ok(self.places().await?.of(place).map(str::to_owned))
    }

    /// Where something of a function is, as [`Stack::place`].
    ///
    /// # Errors
    /// Where neither says, with what to give.
    pub(crate) async fn part(&self, function: Function, part: Part) -> Result<String> {
        let (name, flag) = (function.as_str(), part.flag());
        let found = self.find_part(function, part).await?;
        found.with_context(|| format!("which {} of {name}? Give --stack-name, or {flag} {name}=…", &flag[2..]))
    }

    /// The same; `None` where neither says.
    pub(crate) async fn find_part(&self, function: Function, part: Part) -> Result<Option<String>> {
        let given = match part {
            Part::Queue => &self.arguments.queues,
            Part::Dlq => &self.arguments.dlqs,
            Part::Mapping => &self.arguments.mappings,
        };
        if let Some((_, given)) = given.iter().flatten().find(|(known, _)| *known == function) {
            return Ok(Some(given.clone()));
        }
        Ok(self.places().await?.of_function(function, part).map(str::to_owned))
    }

    /// The stack's own parameter; empty where no stack was named.
    async fn places(&self) -> Result<&Places> {
        self.places
            .get_or_try_init(async || {
                let named = self.arguments.stack_name.as_ref().filter(|name| !name.is_empty());
                let Some(stack) = named else { return Ok(Places::default()) };
                let name = format!("/{stack}/operator");
                let text = self.parameter(&name).await.with_context(|| format!("where is everything of {stack}?"))?;
                Places::parse(&text).with_context(|| format!("the parameter {name}"))
            })
            .await
    }

    /// The value of a parameter, decrypted.
    async fn parameter(&self, name: &str) -> Result<String> {
        let client = aws_sdk_ssm::Client::new(self.sdk().await);
        let answer = client.get_parameter().name(name).with_decryption(true).send().await;
        let answer = answer.map_err(aws::told).with_context(|| format!("the parameter {name} cannot be read"))?;
        answer.parameter.and_then(|it| it.value).with_context(|| format!("the parameter {name} is empty"))
    }

    /// The ledger.
    ///
    /// # Errors
    /// Where nothing says which.
    pub(crate) async fn ledger(&self) -> Result<Ledger<System>> {
        let table = self.place(Place::Table).await?;
        Ok(Ledger::new(self.dynamo().await, table, self.host.clone()))
    }

    /// The keys that come from the person key, for whatever cannot be done without: from the flag, else from the stack's
    /// own secret, which needs the right to read it.
    ///
    /// # Errors
    /// Where there is none, or it is too short.
    pub(crate) async fn keys(&self) -> Result<Keys> {
        if let Some(keys) = self.given_keys()? {
            return Ok(keys);
        }
        let name = secret_parameter(&self.place(Place::PersonKey).await?)?;
        let secret = self.parameter(&name).await.context("this needs the person key")?;
        Keys::from_secret(&secret).map_err(|weak| anyhow::anyhow!("the person key {weak}"))
    }

    /// The keys where the person key was given: what can be shown more with them is not worth asking for a secret.
    ///
    /// # Errors
    /// Where it is too short.
    pub(crate) fn given_keys(&self) -> Result<Option<Keys>> {
        let given = self.arguments.person_key.as_deref().filter(|key| !key.is_empty());
        given.map(Keys::from_secret).transpose().map_err(|weak| anyhow::anyhow!("the person key {weak}"))
    }

    /// The policy: of a file, else the one of the stack, else `policy.json`.
    ///
    /// # Errors
    /// Where it cannot be read, or is broken.
    pub(crate) async fn policy(&self, file: Option<&Path>) -> Result<Policy> {
        let parameter = match file {
            None => self.find(Place::Policy).await?,
            Some(_) => None,
        };
        let text = match parameter {
            Some(name) => self.parameter(&name).await?,
            None => {
                let path = file.unwrap_or(Path::new(POLICY_FILE));
                std::fs::read_to_string(path)
                    .with_context(|| format!("the policy {} cannot be read; give --policy", path.display()))?
            }
        };
        Ok(Policy::parse(&text)?)
    }

    /// Whether a policy document lies here.
    pub(crate) fn has_policy_file(&self) -> bool {
        Path::new(POLICY_FILE).exists()
    }

    /// The directory.
    pub(crate) async fn chime(&self) -> Chime<System> {
        Chime::new(&self.chime_sdk().await, self.host.clone())
    }

    /// What clients of Amazon Chime are made of.
    pub(crate) async fn chime_sdk(&self) -> SdkConfig {
        match &self.arguments.chime_endpoint_url {
            Some(endpoint) if !endpoint.is_empty() => self.load(Some(endpoint)).await,
            Some(_) | None => self.sdk().await.clone(),
        }
    }

    /// A bucket, for example the audit's.
    pub(crate) async fn bucket(&self, name: &str) -> Bucket {
        Bucket::new(self.sdk().await, name.to_owned())
    }

    /// The bus that events go to.
    ///
    /// # Errors
    /// Where nothing says which.
    pub(crate) async fn bus(&self) -> Result<EventBus<System>> {
        let name = self.place(Place::Bus).await?;
        Ok(EventBus::new(aws_sdk_eventbridge::Client::new(self.sdk().await), name, self.host.clone()))
    }

    /// A client of Amazon DynamoDB.
    pub(crate) async fn dynamo(&self) -> aws_sdk_dynamodb::Client {
        aws_sdk_dynamodb::Client::new(self.sdk().await)
    }

    /// A client of Amazon SQS.
    pub(crate) async fn sqs(&self) -> aws_sdk_sqs::Client {
        aws_sdk_sqs::Client::new(self.sdk().await)
    }

    /// A client of AWS Lambda.
    pub(crate) async fn lambda(&self) -> aws_sdk_lambda::Client {
        aws_sdk_lambda::Client::new(self.sdk().await)
    }

    /// What every client is made of.
    async fn sdk(&self) -> &SdkConfig {
        self.sdk.get_or_init(|| self.load(self.arguments.endpoint_url.as_ref())).await
    }

    async fn load(&self, endpoint: Option<&String>) -> SdkConfig {
        let mut loader = start::sdk_loader();
        if let Some(profile) = &self.arguments.profile {
            loader = loader.profile_name(profile);
        }
        if let Some(region) = &self.arguments.region {
            loader = loader.region(Region::new(region.clone()));
        }
        if let Some(endpoint) = endpoint {
            loader = loader.endpoint_url(endpoint);
        }
        loader.load().await
    }

    /// The machine's clock and chance.
    pub(crate) fn host(&self) -> &System {
        &self.host
    }

    pub(crate) fn now(&self) -> Timestamp {
        self.host.now()
    }

    pub(crate) fn deadline(&self) -> Deadline {
        let now = self.now();
        Deadline::at(now.saturating_add(WITHIN).unwrap_or(now))
    }
}
