//! The environment of a function, read once at start.

use crate::intake::wake::Places;
use crate::policy::Mode;
use crate::rules::Source;
use crate::seal::Keys;
use thiserror::Error;

/// What a function needs to know about where it runs.
#[derive(Clone, Debug)]
pub struct Config {
    /// Name of the ledger table: `ROLLCALL_TABLE`.
    pub table: String,
    /// URL of the queue that feeds the function: `ROLLCALL_QUEUE_URL`.
    pub queue_url: String,
    /// URL of its dead-letter queue: `ROLLCALL_DLQ_URL`.
    pub dlq_url: String,
    /// The keys that come from `ROLLCALL_PERSON_KEY`, a secret of at least 32 characters that never changes.
    pub keys: Keys,
    /// Where the policy document is: `ROLLCALL_POLICY`, JSON itself, `file:<path>` or `ssm:<parameter>`. Default: `{}`.
    pub policy: Source,
    /// `ROLLCALL_MODE`: `act` (default), or `observe`, which holds whatever the policy says.
    pub mode: Mode,
}

/// What roster-load needs to know about where it runs.
#[derive(Clone, Debug)]
pub struct RosterConfig {
    /// Name of the roster table: `ROLLCALL_ROSTER_TABLE`.
    pub table: String,
    /// Name of the bucket that rosters are dropped in: `ROLLCALL_BUCKET`.
    pub bucket: String,
    /// The keys that come from `ROLLCALL_PERSON_KEY`, the same secret as every function's.
    pub keys: Keys,
    /// Where the policy document is: `ROLLCALL_POLICY`, as every function's.
    pub policy: Source,
}

/// What license-audit needs to know about where it runs.
#[derive(Clone, Debug)]
pub struct AuditConfig {
    /// Name of the ledger table: `ROLLCALL_TABLE`.
    pub ledger_table: String,
    /// Name of the roster table: `ROLLCALL_ROSTER_TABLE`.
    pub roster_table: String,
    /// Name of the bucket that it works in: `ROLLCALL_BUCKET`.
    pub bucket: String,
    /// Name of the bus that its requests go to: `ROLLCALL_BUS`.
    pub bus: String,
    /// The keys that come from `ROLLCALL_PERSON_KEY`, the same secret as every function's.
    pub keys: Keys,
    /// Where the policy document is: `ROLLCALL_POLICY`, as every function's.
    pub policy: Source,
}

/// What hr-intake needs to know about where it runs.
#[derive(Clone, Debug)]
pub struct IntakeConfig {
    /// What every function with a queue needs.
    pub road: Config,
    /// Name of the roster table: `ROLLCALL_ROSTER_TABLE`.
    pub roster_table: String,
    /// Name of the bucket that receipts are kept in: `ROLLCALL_INTAKE_BUCKET`.
    pub bucket: String,
    /// Name of the bus that its events go to: `ROLLCALL_BUS`.
    pub bus: String,
    /// The prefix of the parameters with vendors' tokens: `ROLLCALL_SOURCES`.
    pub sources: String,
    /// Where its schedules live, and what they reach: `ROLLCALL_SCHEDULE_GROUP`, `ROLLCALL_QUEUE_ARN`,
    /// `ROLLCALL_WAKE_ROLE_ARN`, `ROLLCALL_UNDELIVERED_ARN`.
    pub places: Places,
}

/// What hr-receive needs to know about where it runs.
#[derive(Clone, Debug)]
pub struct ReceiveConfig {
    /// Name of the bucket that receipts are kept in: `ROLLCALL_INTAKE_BUCKET`.
    pub bucket: String,
    /// URL of the queue that says where they are: `ROLLCALL_INTAKE_QUEUE_URL`.
    pub queue_url: String,
    /// The prefix of the parameters with the sources' secrets: `ROLLCALL_SOURCES`.
    pub sources: String,
    /// Where the policy document is: `ROLLCALL_POLICY`, as every function's.
    pub policy: Source,
}

/// What hr-reconcile needs to know about where it runs.
#[derive(Clone, Debug)]
pub struct ReconcileConfig {
    /// Name of the ledger table: `ROLLCALL_TABLE`.
    pub ledger_table: String,
    /// Name of the roster table: `ROLLCALL_ROSTER_TABLE`.
    pub roster_table: String,
    /// Name of the bucket that rosters are kept in: `ROLLCALL_BUCKET`.
    pub bucket: String,
    /// Name of the bus that its events go to: `ROLLCALL_BUS`.
    pub bus: String,
    /// The keys that come from `ROLLCALL_PERSON_KEY`, the same secret as every function's.
    pub keys: Keys,
    /// Where the policy document is: `ROLLCALL_POLICY`, as every function's.
    pub policy: Source,
}

/// The environment cannot be used. The function does not start.
#[derive(Debug, Error)]
pub enum BadConfig {
    /// A variable is not there.
    #[error("the environment variable {0} is not set")]
    Missing(&'static str),
    /// The person key is too short.
    #[error("the environment variable ROLLCALL_PERSON_KEY {0}")]
    PersonKey(#[from] crate::seal::WeakKey),
    /// The mode is none.
    #[error("the environment variable ROLLCALL_MODE must be act or observe")]
    Mode,
}

impl Config {
    /// Reads the process's environment.
    ///
    /// # Errors
    /// [`BadConfig`], which names the variable and what it must be.
    pub fn from_env() -> Result<Config, BadConfig> {
        Config::read(process)
    }

    /// Reads an environment.
    ///
    /// # Errors
    /// [`BadConfig`], which names the variable and what it must be.
    pub fn read(variable: impl Fn(&str) -> Option<String>) -> Result<Config, BadConfig> {
        let required = |name| required(&variable, name);
        Ok(Config {
            table: required("ROLLCALL_TABLE")?,
            queue_url: required("ROLLCALL_QUEUE_URL")?,
            dlq_url: required("ROLLCALL_DLQ_URL")?,
            keys: Keys::from_secret(&required("ROLLCALL_PERSON_KEY")?)?,
            policy: Source::parse(variable("ROLLCALL_POLICY").as_deref().unwrap_or("{}")),
            mode: match variable("ROLLCALL_MODE").as_deref().map(str::trim) {
                None | Some("" | "act") => Mode::Act,
                Some("observe") => Mode::Observe,
                Some(_) => return Err(BadConfig::Mode),
            },
        })
    }
}

impl IntakeConfig {
    /// Reads the process's environment.
    ///
    /// # Errors
    /// [`BadConfig`], which names the variable and what it must be.
    pub fn from_env() -> Result<IntakeConfig, BadConfig> {
        IntakeConfig::read(process)
    }

    /// Reads an environment.
    ///
    /// # Errors
    /// [`BadConfig`], which names the variable and what it must be.
    pub fn read(variable: impl Fn(&str) -> Option<String>) -> Result<IntakeConfig, BadConfig> {
        let required = |name| required(&variable, name);
        Ok(IntakeConfig {
            roster_table: required("ROLLCALL_ROSTER_TABLE")?,
            bucket: required("ROLLCALL_INTAKE_BUCKET")?,
            bus: required("ROLLCALL_BUS")?,
            sources: required("ROLLCALL_SOURCES")?,
            places: Places {
                group: required("ROLLCALL_SCHEDULE_GROUP")?,
                queue: required("ROLLCALL_QUEUE_ARN")?,
                role: required("ROLLCALL_WAKE_ROLE_ARN")?,
                undelivered: required("ROLLCALL_UNDELIVERED_ARN")?,
            },
            road: Config::read(variable)?,
        })
    }
}

impl RosterConfig {
    /// Reads the process's environment.
    ///
    /// # Errors
    /// [`BadConfig`], which names the variable and what it must be.
    pub fn from_env() -> Result<RosterConfig, BadConfig> {
        RosterConfig::read(process)
    }

    /// Reads an environment.
    ///
    /// # Errors
    /// [`BadConfig`], which names the variable and what it must be.
    pub fn read(variable: impl Fn(&str) -> Option<String>) -> Result<RosterConfig, BadConfig> {
        let required = |name| required(&variable, name);
        Ok(RosterConfig {
            table: required("ROLLCALL_ROSTER_TABLE")?,
            bucket: required("ROLLCALL_BUCKET")?,
            keys: Keys::from_secret(&required("ROLLCALL_PERSON_KEY")?)?,
            policy: Source::parse(variable("ROLLCALL_POLICY").as_deref().unwrap_or("{}")),
        })
    }
}

impl ReceiveConfig {
    /// Reads the process's environment.
    ///
    /// # Errors
    /// [`BadConfig`], which names the variable and what it must be.
    pub fn from_env() -> Result<ReceiveConfig, BadConfig> {
        ReceiveConfig::read(process)
    }

    /// Reads an environment.
    ///
    /// # Errors
    /// [`BadConfig`], which names the variable and what it must be.
    pub fn read(variable: impl Fn(&str) -> Option<String>) -> Result<ReceiveConfig, BadConfig> {
        let required = |name| required(&variable, name);
        Ok(ReceiveConfig {
            bucket: required("ROLLCALL_INTAKE_BUCKET")?,
            queue_url: required("ROLLCALL_INTAKE_QUEUE_URL")?,
            sources: required("ROLLCALL_SOURCES")?,
            policy: Source::parse(variable("ROLLCALL_POLICY").as_deref().unwrap_or("{}")),
        })
    }
}

impl AuditConfig {
    /// Reads the process's environment.
    ///
    /// # Errors
    /// [`BadConfig`], which names the variable and what it must be.
    pub fn from_env() -> Result<AuditConfig, BadConfig> {
        AuditConfig::read(process)
    }

    /// Reads an environment.
    ///
    /// # Errors
    /// [`BadConfig`], which names the variable and what it must be.
    pub fn read(variable: impl Fn(&str) -> Option<String>) -> Result<AuditConfig, BadConfig> {
        let required = |name| required(&variable, name);
        Ok(AuditConfig {
            ledger_table: required("ROLLCALL_TABLE")?,
            roster_table: required("ROLLCALL_ROSTER_TABLE")?,
            bucket: required("ROLLCALL_BUCKET")?,
            bus: required("ROLLCALL_BUS")?,
            keys: Keys::from_secret(&required("ROLLCALL_PERSON_KEY")?)?,
            policy: Source::parse(variable("ROLLCALL_POLICY").as_deref().unwrap_or("{}")),
        })
    }
}

impl ReconcileConfig {
    /// Reads the process's environment.
    ///
    /// # Errors
    /// [`BadConfig`], which names the variable and what it must be.
    pub fn from_env() -> Result<ReconcileConfig, BadConfig> {
        ReconcileConfig::read(process)
    }

    /// Reads an environment.
    ///
    /// # Errors
    /// [`BadConfig`], which names the variable and what it must be.
    pub fn read(variable: impl Fn(&str) -> Option<String>) -> Result<ReconcileConfig, BadConfig> {
        let required = |name| required(&variable, name);
        Ok(ReconcileConfig {
            ledger_table: required("ROLLCALL_TABLE")?,
            roster_table: required("ROLLCALL_ROSTER_TABLE")?,
            bucket: required("ROLLCALL_BUCKET")?,
            bus: required("ROLLCALL_BUS")?,
            keys: Keys::from_secret(&required("ROLLCALL_PERSON_KEY")?)?,
            policy: Source::parse(variable("ROLLCALL_POLICY").as_deref().unwrap_or("{}")),
        })
    }
}

#[expect(clippy::disallowed_methods, reason = "the one place that reads the environment")]
fn process(name: &str) -> Option<String> {
    std::env::var(name).ok()
}

fn required(variable: impl Fn(&str) -> Option<String>, name: &'static str) -> Result<String, BadConfig> {
    variable(name).filter(|value| !value.trim().is_empty()).ok_or(BadConfig::Missing(name))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(overridden: &str, value: Option<&str>) -> Result<Config, BadConfig> {
        Config::read(|name| match name {
            name if name == overridden => value.map(str::to_owned),
            "ROLLCALL_TABLE" => Some("rollcall".into()),
            "ROLLCALL_QUEUE_URL" | "ROLLCALL_DLQ_URL" => Some("http://queue".into()),
            "ROLLCALL_PERSON_KEY" => Some("k".repeat(32)),
            _ => None,
        })
    }

    #[test]
    fn a_missing_or_bad_variable_is_named() {
        let table = [
            ("ROLLCALL_TABLE", None, "the environment variable ROLLCALL_TABLE is not set"),
            ("ROLLCALL_DLQ_URL", Some(" "), "the environment variable ROLLCALL_DLQ_URL is not set"),
            ("ROLLCALL_MODE", Some("dry"), "the environment variable ROLLCALL_MODE must be act or observe"),
            (
                "ROLLCALL_PERSON_KEY",
                Some("short"),
                "the environment variable ROLLCALL_PERSON_KEY must be at least 32 characters of secret",
            ),
        ];
        for (name, value, expected) in table {
            assert_eq!(read(name, value).unwrap_err().to_string(), expected);
        }
    }

    #[test]
    fn the_roster_has_variables_of_its_own() {
        let all = ["ROLLCALL_ROSTER_TABLE", "ROLLCALL_BUCKET", "ROLLCALL_PERSON_KEY"];
        let read =
            |without: &str| RosterConfig::read(|name| (all.contains(&name) && name != without).then(|| "k".repeat(32)));
        read("").unwrap();
        for name in all {
            let expected = format!("the environment variable {name} is not set");
            assert_eq!(read(name).unwrap_err().to_string(), expected);
        }
    }

    #[test]
    fn the_audit_has_variables_of_its_own() {
        let all = ["ROLLCALL_TABLE", "ROLLCALL_ROSTER_TABLE", "ROLLCALL_BUCKET", "ROLLCALL_BUS", "ROLLCALL_PERSON_KEY"];
        let read =
            |without: &str| AuditConfig::read(|name| (all.contains(&name) && name != without).then(|| "k".repeat(32)));
        read("").unwrap();
        for name in all {
            let expected = format!("the environment variable {name} is not set");
            assert_eq!(read(name).unwrap_err().to_string(), expected);
        }
    }

    #[test]
    fn receiving_has_variables_of_its_own_and_no_person_key() {
        let all = ["ROLLCALL_INTAKE_BUCKET", "ROLLCALL_INTAKE_QUEUE_URL", "ROLLCALL_SOURCES"];
        let read = |without: &str| {
            ReceiveConfig::read(|name| (all.contains(&name) && name != without).then(|| "k".repeat(32)))
        };
        read("").unwrap();
        for name in all {
            let expected = format!("the environment variable {name} is not set");
            assert_eq!(read(name).unwrap_err().to_string(), expected);
        }
    }

    #[test]
    fn the_reconcile_pass_has_variables_of_its_own() {
        let all = ["ROLLCALL_TABLE", "ROLLCALL_ROSTER_TABLE", "ROLLCALL_BUCKET", "ROLLCALL_BUS", "ROLLCALL_PERSON_KEY"];
        let read = |without: &str| {
            ReconcileConfig::read(|name| (all.contains(&name) && name != without).then(|| "k".repeat(32)))
        };
        read("").unwrap();
        for name in all {
            let expected = format!("the environment variable {name} is not set");
            assert_eq!(read(name).unwrap_err().to_string(), expected);
        }
    }

    #[test]
    fn the_person_key_does_not_show() {
        let shown = format!("{:?}", read("", None).unwrap());
        assert!(!shown.contains("kkkk"), "{shown}");
    }
}
