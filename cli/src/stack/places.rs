//! Where everything of a stack is: what its parameter `/<stack>/operator` says (`OperatorParameter` in `template.yaml`).

use anyhow::{Context, Result};
use rollcall::routes::Function;
use serde::Deserialize;
use serde_json::Value;
use std::collections::BTreeMap;

/// Something of a stack that has a name of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Place {
    /// The ledger table.
    Table,
    /// The roster table.
    RosterTable,
    /// The bus.
    Bus,
    /// The parameter with the policy document.
    Policy,
    /// The ARN of the secret with the person key.
    PersonKey,
    /// The bucket of audits and rosters.
    AuditBucket,
    /// The queue of events that no function consumes.
    Unrouted,
    /// The queue of what the bus could not deliver.
    Undelivered,
}

impl Place {
    /// What it is, as an error asks for it.
    pub(super) fn asked(self) -> &'static str {
        match self {
            Place::Table => "which ledger? Give --stack-name, or --table",
            Place::RosterTable => "which roster table? Give --stack-name, or --roster-table",
            Place::Bus => "which bus? Give --stack-name, or --bus",
            Place::Policy => "which policy? Give --stack-name, or --policy",
            Place::PersonKey => "this needs the person key: give --stack-name, or --person-key",
            Place::AuditBucket => "which bucket? Give --stack-name, or --bucket",
            Place::Unrouted | Place::Undelivered => "which stack? Give --stack-name",
        }
    }
}

/// What a function has of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Part {
    /// Its queue.
    Queue,
    /// Its dead-letter queue.
    Dlq,
    /// Its event source mapping.
    Mapping,
}

impl Part {
    /// The flag that names it.
    pub(super) fn flag(self) -> &'static str {
        match self {
            Part::Queue => "--queue",
            Part::Dlq => "--dlq",
            Part::Mapping => "--mapping",
        }
    }
}

/// The document. A member that is missing is asked for when it is needed: an older stack serves the commands that it can.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct Places {
    table: Option<String>,
    roster_table: Option<String>,
    bus: Option<String>,
    policy: Option<String>,
    person_key: Option<String>,
    audit_bucket: Option<String>,
    unrouted: Option<String>,
    undelivered: Option<String>,
    functions: BTreeMap<String, Parts>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Parts {
    mapping: Option<String>,
    queue: Option<String>,
    dlq: Option<String>,
}

impl Places {
    /// Reads the document.
    pub(super) fn parse(text: &str) -> Result<Places> {
        // By way of an object: serde would take a list for one as well.
        let object = serde_json::from_str(text).and_then(|object| serde_json::from_value(Value::Object(object)));
        object.context("it is not the document that Rollcall's template writes")
    }

    pub(super) fn of(&self, place: Place) -> Option<&str> {
        let place = match place {
            Place::Table => &self.table,
            Place::RosterTable => &self.roster_table,
            Place::Bus => &self.bus,
            Place::Policy => &self.policy,
            Place::PersonKey => &self.person_key,
            Place::AuditBucket => &self.audit_bucket,
            Place::Unrouted => &self.unrouted,
            Place::Undelivered => &self.undelivered,
        };
        place.as_deref().filter(|place| !place.is_empty())
    }

    pub(super) fn of_function(&self, function: Function, part: Part) -> Option<&str> {
        let parts = self.functions.get(function.as_str())?;
        match part {
            Part::Queue => parts.queue.as_deref(),
            Part::Dlq => parts.dlq.as_deref(),
            Part::Mapping => parts.mapping.as_deref(),
        }
    }
}

/// The parameter that Parameter Store hands a secret through as.
///
/// A secret's ARN ends with `secret:<name>-<6 characters>`. Source:
/// <https://docs.aws.amazon.com/secretsmanager/latest/userguide/whats-in-a-secret.html>.
pub(super) fn secret_parameter(arn: &str) -> Result<String> {
    let name = arn.split_once(":secret:").map_or(arn, |(_, name)| name);
    let whole = name.rsplit_once('-').filter(|(_, suffix)| suffix.len() == 6).map(|(name, _)| name);
    let name = whole.context("the stack's personKey is no ARN of a secret")?;
    Ok(format!("{}{name}", rollcall::intake::parameters::SECRETS_MANAGER))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_known_by_its_name_without_the_six_characters() {
        let arn = |name: &str| format!("arn:aws:secretsmanager:eu-west-1:111122223333:secret:{name}");
        let table = [
            ("PersonKey-abc123-x9Yz0Q", "/aws/reference/secretsmanager/PersonKey-abc123"),
            ("rollcall/person-key-x9Yz0Q", "/aws/reference/secretsmanager/rollcall/person-key"),
        ];
        for (name, expected) in table {
            assert_eq!(secret_parameter(&arn(name)).unwrap(), expected);
        }
        assert!(secret_parameter(&arn("nosuffix")).is_err());
    }

    #[test]
    fn what_is_not_there_is_none() {
        let places =
            Places::parse(r#"{"table":"t","bus":"","functions":{"suspend-user":{"queue":"q"}},"new":1}"#).unwrap();
        assert_eq!(places.of(Place::Table), Some("t"));
        assert_eq!(places.of(Place::Bus), None);
        assert_eq!(places.of_function(Function::SuspendUser, Part::Queue), Some("q"));
        assert_eq!(places.of_function(Function::SuspendUser, Part::Dlq), None);
        assert_eq!(places.of_function(Function::InviteUser, Part::Queue), None);
        assert!(Places::parse("[]").is_err());
    }

    /// What the template writes is what is read here, every place of it.
    #[test]
    fn the_templates_own_parameter_names_every_place() {
        let template = include_str!("../../../template.yaml");
        let parameter = template.split_once("  OperatorParameter:\n").unwrap().1;
        let value = parameter.split_once("Value: !Sub |\n").unwrap().1.split_once("\n\n").unwrap().0;
        let places = Places::parse(value).unwrap();
        let table = [
            (Place::Table, "${Ledger}"),
            (Place::RosterTable, "${RosterTable}"),
            (Place::Bus, "${Bus}"),
            (Place::Policy, "${PolicyDocument}"),
            (Place::PersonKey, "${PersonKey}"),
            (Place::AuditBucket, "${AuditBucket}"),
            (Place::Unrouted, "${Unrouted}"),
            (Place::Undelivered, "${Undelivered}"),
        ];
        for (place, expected) in table {
            assert_eq!(places.of(place), Some(expected), "{place:?}");
        }
        for function in Function::ALL {
            // `suspend-user` is the logical id `SuspendUser`.
            let words = function.as_str().split('-').map(|word| word[..1].to_uppercase() + &word[1..]);
            let id: String = words.collect();
            for (part, end) in [(Part::Queue, "Queue"), (Part::Dlq, "Dlq"), (Part::Mapping, "Messages")] {
                assert_eq!(places.of_function(function, part), Some(format!("${{{id}{end}}}").as_str()));
            }
        }
    }
}
