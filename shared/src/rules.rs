//! The policy in force: where it comes from, and how another takes its place without a deployment.
//!
//! *Invariant*: a document that is broken never takes the place of one that is not. It is refused with its line, and the
//! last good one stays in force, in an environment that starts anew as well.

use crate::batch::REALM;
use crate::policy::{BrokenPolicy, Mode, Policy};
use crate::protect::Shield;
use crate::routes::Function;
use crate::seal::Keys;
use jiff::{SignedDuration, Timestamp};
use std::fmt;
use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};
use thiserror::Error;

/// How long a policy is used before its source is asked again.
const FRESH_FOR: SignedDuration = SignedDuration::from_secs(60);

/// How many versions of a parameter are looked at for the last good one. Source: Parameter Store keeps 100.
const VERSIONS: usize = 100;

/// A policy document in force, and whom it protects.
#[derive(Clone, Debug, Default)]
pub struct Rules {
    /// The document.
    pub policy: Policy,
    /// Whom it protects.
    pub shield: Shield,
}

impl Rules {
    /// The rules of a policy.
    #[must_use]
    pub fn new(policy: Policy, keys: &Keys) -> Rules {
        Rules { shield: Shield::new(&policy.protected, REALM, keys), policy }
    }
}

/// Where the policy document comes from, as `ROLLCALL_POLICY` says.
#[derive(Clone, PartialEq, Eq)]
pub enum Source {
    /// The variable is the document.
    Inline(String),
    /// `file:<path>`: a file, for example in a layer.
    File(PathBuf),
    /// `ssm:<name>`: a parameter of Systems Manager's Parameter Store.
    Parameter(String),
}

/// A document names people.
impl fmt::Debug for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Source::Inline(_) => f.write_str("Inline(redacted)"),
            Source::File(path) => f.debug_tuple("File").field(path).finish(),
            Source::Parameter(name) => f.debug_tuple("Parameter").field(name).finish(),
        }
    }
}

impl Source {
    /// Reads the variable.
    #[must_use]
    pub fn parse(text: &str) -> Source {
        let text = text.trim();
        if let Some(path) = text.strip_prefix("file:") {
            return Source::File(PathBuf::from(path));
        }
        match text.strip_prefix("ssm:") {
            Some(name) => Source::Parameter(name.to_owned()),
            None => Source::Inline(text.to_owned()),
        }
    }
}

/// No policy can be had.
#[derive(Debug, Error)]
pub enum NoPolicy {
    /// The source does not answer, or has no document.
    #[error("the policy cannot be read from {0}")]
    Unreadable(&'static str),
    /// The document is broken, and no earlier one is good.
    #[error("{0}")]
    Broken(#[from] BrokenPolicy),
}

/// Loads the policy, and looks for another from time to time.
#[derive(Debug)]
pub struct Loader {
    source: Source,
    ssm: Option<aws_sdk_ssm::Client>,
    observes: Option<Function>,
    keys: Keys,
    // Never held across an await: a plain mutex is enough.
    seen: Mutex<Seen>,
}

/// What was loaded last, good or not.
#[derive(Default)]
struct Seen {
    at: Option<Timestamp>,
    text: String,
}

/// A document names people.
impl fmt::Debug for Seen {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Seen").field("at", &self.at).finish_non_exhaustive()
    }
}

impl Loader {
    /// A loader for a function. `mode`: the whole function only observes, whatever the document says. `ssm` is needed
    /// for [`Source::Parameter`].
    #[must_use]
    pub fn new(
        source: Source,
        ssm: Option<aws_sdk_ssm::Client>,
        function: Function,
        mode: Mode,
        keys: &Keys,
    ) -> Loader {
        let observes = (mode == Mode::Observe).then_some(function);
        Loader { source, ssm, observes, keys: keys.clone(), seen: Mutex::default() }
    }

    /// A loader for a function that consumes no events.
    #[must_use]
    pub fn without_events(source: Source, ssm: Option<aws_sdk_ssm::Client>, keys: &Keys) -> Loader {
        Loader { source, ssm, observes: None, keys: keys.clone(), seen: Mutex::default() }
    }

    /// Loads the policy for the first time. Where the document is broken, the last good version of its parameter is used.
    ///
    /// # Errors
    /// [`NoPolicy`]: the function cannot start.
    pub async fn first(&self, now: Timestamp) -> Result<Rules, NoPolicy> {
        let text = self.read().await?;
        self.remember(now, &text);
        match self.rules(&text) {
            Ok(rules) => Ok(rules),
            Err(broken) => {
                refused(&broken);
                self.last_good().await.ok_or(NoPolicy::Broken(broken))
            }
        }
    }

    /// Looks for another policy where the last look is a minute old. `None`: what is in force stays.
    pub async fn newer(&self, now: Timestamp) -> Option<Rules> {
        let (fresh, known) = {
            let seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
            (seen.at.is_some_and(|at| now.duration_since(at) < FRESH_FOR), seen.text.clone())
        };
        if fresh || matches!(self.source, Source::Inline(_)) {
            return None;
        }
        // Asked once a minute, whether or not there is an answer.
        self.remember(now, &known);
        let Ok(text) = self.read().await else {
            tracing::warn!("the policy cannot be read now; the last good one stays in force");
            return None;
        };
        self.remember(now, &text);
        if text == known {
            return None;
        }
        match self.rules(&text) {
            Ok(rules) => {
                tracing::info!("another policy is in force");
                Some(rules)
            }
            Err(broken) => {
                refused(&broken);
                None
            }
        }
    }

    fn remember(&self, now: Timestamp, text: &str) {
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        *seen = Seen { at: Some(now), text: text.to_owned() };
    }

    fn rules(&self, text: &str) -> Result<Rules, BrokenPolicy> {
        let mut policy = Policy::parse(text)?;
        if let Some(function) = self.observes {
            policy.mode.functions.insert(function, Mode::Observe);
        }
        Ok(Rules::new(policy, &self.keys))
    }

    async fn read(&self) -> Result<String, NoPolicy> {
        match &self.source {
            Source::Inline(text) => Ok(text.clone()),
            Source::File(path) => std::fs::read_to_string(path).map_err(|_| NoPolicy::Unreadable("its file")),
            Source::Parameter(name) => {
                let ssm = self.ssm.as_ref().ok_or(NoPolicy::Unreadable("its parameter"))?;
                let answer = ssm.get_parameter().name(name).with_decryption(true).send().await;
                let parameter = answer.ok().and_then(|answer| answer.parameter?.value);
                parameter.ok_or(NoPolicy::Unreadable("its parameter"))
            }
        }
    }

    /// The newest version of the parameter that is a policy.
    async fn last_good(&self) -> Option<Rules> {
        let (Source::Parameter(name), Some(ssm)) = (&self.source, &self.ssm) else { return None };
        let pages = ssm.get_parameter_history().name(name).with_decryption(true).into_paginator().send();
        let pages = pages.collect::<Result<Vec<_>, _>>().await.ok()?;
        let mut versions: Vec<_> = pages.into_iter().flat_map(|page| page.parameters.unwrap_or_default()).collect();
        versions.sort_by_key(|version| std::cmp::Reverse(version.version));
        let good = versions.iter().take(VERSIONS).find_map(|version| {
            let rules = self.rules(version.value.as_deref()?).ok()?;
            Some((version.version, rules))
        });
        good.map(|(version, rules)| {
            tracing::warn!(policy.version = version, "the last good policy is in force");
            rules
        })
    }
}

fn refused(broken: &BrokenPolicy) {
    tracing::error!("a policy is refused: {broken}");
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: &str = "the person key of a test, of 32 characters at least";

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_second(1_795_000_000 + seconds).unwrap()
    }

    #[test]
    fn the_variable_says_where_the_policy_is() {
        let table = [
            (" {} ", Source::Inline("{}".to_owned())),
            ("file:/opt/policy.json", Source::File("/opt/policy.json".into())),
            ("ssm:/rollcall/policy", Source::Parameter("/rollcall/policy".to_owned())),
        ];
        for (text, expected) in table {
            assert_eq!(Source::parse(text), expected);
        }
    }

    #[tokio::test]
    async fn a_broken_document_is_refused_and_the_last_good_one_stays() {
        let path = std::env::temp_dir().join(format!("rollcall-policy-{}.json", std::process::id()));
        let write = |text: &str| std::fs::write(&path, text).unwrap();
        let keys = Keys::from_secret(KEY).unwrap();
        let loader = Loader::new(Source::File(path.clone()), None, Function::SuspendUser, Mode::Act, &keys);
        let pin = |rules: &Rules| rules.policy.pin_reset;
        write(r#"{"pin_reset":"always"}"#);
        assert_eq!(pin(&loader.first(at(0)).await.unwrap()), crate::policy::PinReset::Always);
        write("{\n \"pin_reset\": \"sometimes\"\n}");
        assert!(loader.newer(at(59)).await.is_none(), "not asked yet");
        assert!(loader.newer(at(60)).await.is_none(), "refused");
        write(r#"{"pin_reset":"never"}"#);
        assert_eq!(pin(&loader.newer(at(120)).await.unwrap()), crate::policy::PinReset::Never);
        assert!(loader.newer(at(180)).await.is_none(), "the same");
        std::fs::remove_file(&path).unwrap();
        assert!(loader.newer(at(240)).await.is_none(), "a source that is gone changes nothing");
        assert!(matches!(loader.first(at(300)).await, Err(NoPolicy::Unreadable(_))));
    }

    /// Parameter Store: answers these values to `GetParameter`, one after the other, and this history.
    fn store(values: &[&str], history: &[(i64, &str)]) -> aws_sdk_ssm::Client {
        use aws_smithy_runtime_api::client::http::{
            HttpConnector, HttpConnectorFuture, SharedHttpConnector, http_client_fn,
        };
        use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
        use serde_json::json;

        #[derive(Debug)]
        struct Store {
            values: Mutex<std::collections::VecDeque<String>>,
            history: String,
        }
        impl HttpConnector for Store {
            fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
                let target = request.headers().get("x-amz-target").unwrap_or_default().to_owned();
                let body = match target.as_str() {
                    "AmazonSSM.GetParameterHistory" => Some(self.history.clone()),
                    _ => self.values.lock().unwrap().pop_front(),
                };
                let status = if body.is_some() { 200 } else { 400 };
                let body = aws_smithy_types::body::SdkBody::from(body.unwrap_or_default());
                HttpConnectorFuture::ready(Ok(HttpResponse::new(status.try_into().unwrap(), body)))
            }
        }
        let values = values.iter().map(|value| json!({ "Parameter": { "Value": value } }).to_string()).collect();
        let versions: Vec<_> =
            history.iter().map(|(version, value)| json!({ "Version": version, "Value": value })).collect();
        let history = json!({ "Parameters": versions }).to_string();
        let store = SharedHttpConnector::new(Store { values: Mutex::new(values), history });
        let config = aws_sdk_ssm::Config::builder()
            .behavior_version(aws_config::BehaviorVersion::v2026_01_12())
            .region(aws_config::Region::new("eu-west-1"))
            .credentials_provider(aws_sdk_ssm::config::Credentials::new("test", "test", None, None, "test"))
            .retry_config(aws_config::retry::RetryConfig::disabled())
            .http_client(http_client_fn(move |_, _| store.clone()))
            .build();
        aws_sdk_ssm::Client::from_conf(config)
    }

    fn parameter(values: &[&str], history: &[(i64, &str)]) -> Loader {
        let keys = Keys::from_secret(KEY).unwrap();
        let source = Source::Parameter("/rollcall/policy".to_owned());
        Loader::new(source, Some(store(values, history)), Function::SuspendUser, Mode::Act, &keys)
    }

    #[tokio::test]
    async fn a_parameter_is_asked_each_minute() {
        let loader = parameter(&[r#"{"pin_reset":"always"}"#, r#"{"pin_reset":"never"}"#], &[]);
        let pin = |rules: Rules| rules.policy.pin_reset;
        assert_eq!(pin(loader.first(at(0)).await.unwrap()), crate::policy::PinReset::Always);
        assert!(loader.newer(at(59)).await.is_none());
        assert_eq!(pin(loader.newer(at(60)).await.unwrap()), crate::policy::PinReset::Never);
        assert!(loader.newer(at(120)).await.is_none(), "it does not answer now");
    }

    /// An environment that starts while the newest version is broken works with the last good one.
    #[tokio::test]
    async fn a_new_environment_finds_the_last_good_version() {
        let broken = r#"{"pin_reset":"sometimes"}"#;
        let history = [(1, r#"{"pin_reset":"always"}"#), (3, broken), (2, r#"{"pin_reset":"never"}"#)];
        let rules = parameter(&[broken], &history).first(at(0)).await.unwrap();
        assert_eq!(rules.policy.pin_reset, crate::policy::PinReset::Never);
        let error = parameter(&[broken], &[(1, broken)]).first(at(0)).await.unwrap_err();
        assert!(error.to_string().starts_with("the policy is wrong at line 1"), "{error}");
    }

    #[tokio::test]
    async fn the_whole_function_may_only_observe() {
        let keys = Keys::from_secret(KEY).unwrap();
        let source = Source::Inline(r#"{"mode":{"functions":{"suspend-user":"act"}}}"#.to_owned());
        let loader = Loader::new(source, None, Function::SuspendUser, Mode::Observe, &keys);
        let rules = loader.first(at(0)).await.unwrap();
        assert_eq!(rules.policy.mode.of(Function::SuspendUser, None), Mode::Observe);
    }
}
