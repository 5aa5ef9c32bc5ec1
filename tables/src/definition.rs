//! What a table is: its keys and indexes, as `CreateTable` takes them.

use anyhow::{Context, Result};
use serde_json::{Map, Value, json};
use yaml_rust2::{Yaml, YamlLoader};

const TEMPLATE: &str = include_str!("../../template.yaml");

/// Of a table's properties, those that `CreateTable` has too; what they cost and how they answer depends on them.
const MEMBERS: [&str; 3] = ["AttributeDefinitions", "KeySchema", "GlobalSecondaryIndexes"];

/// A table under a name of the caller's.
#[derive(Clone, Debug, PartialEq)]
pub struct Definition(Value);

impl Definition {
    /// The ledger of `template.yaml`.
    ///
    /// # Errors
    /// Where the template has none.
    pub fn ledger(name: &str) -> Result<Definition> {
        deployed("Ledger", name)
    }

    /// The roster table of `template.yaml`.
    ///
    /// # Errors
    /// Where the template has none.
    pub fn roster(name: &str) -> Result<Definition> {
        deployed("RosterTable", name)
    }

    /// A table of no template: the key `id`, a string, and no index.
    #[must_use]
    pub fn plain(name: &str) -> Definition {
        Definition(json!({
            "TableName": name, "BillingMode": "PAY_PER_REQUEST",
            "AttributeDefinitions": [{ "AttributeName": "id", "AttributeType": "S" }],
            "KeySchema": [{ "AttributeName": "id", "KeyType": "HASH" }],
        }))
    }

    /// The request of `CreateTable`, on the wire's JSON.
    #[must_use]
    pub fn request(&self) -> Value {
        self.0.clone()
    }
}

fn deployed(resource: &str, name: &str) -> Result<Definition> {
    let documents = YamlLoader::load_from_str(TEMPLATE).context("template.yaml is no YAML")?;
    let template = documents.first().context("template.yaml is empty")?;
    let properties = &template["Resources"][resource]["Properties"];
    properties.as_hash().with_context(|| format!("template.yaml has no {resource}"))?;
    let mut request = json!({ "TableName": name, "BillingMode": "PAY_PER_REQUEST" });
    for member in MEMBERS {
        if !properties[member].is_badvalue() {
            request[member] = value(&properties[member]).with_context(|| format!("{resource}: {member}"))?;
        }
    }
    Ok(Definition(request))
}

/// What a table is made of: lists, members and words.
fn value(yaml: &Yaml) -> Option<Value> {
    if let Some(list) = yaml.as_vec() {
        return list.iter().map(value).collect::<Option<Vec<_>>>().map(Value::Array);
    }
    if let Some(members) = yaml.as_hash() {
        let member = |(name, member): (&Yaml, &Yaml)| Some((name.as_str()?.to_owned(), value(member)?));
        return members.iter().map(member).collect::<Option<Map<_, _>>>().map(Value::Object);
    }
    yaml.as_str().map(Value::from)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_ledger_has_the_indexes_of_the_design() {
        let ledger = Definition::ledger("acme").unwrap().request();
        let names: Vec<&str> = ledger["GlobalSecondaryIndexes"]
            .as_array()
            .unwrap()
            .iter()
            .map(|index| index["IndexName"].as_str().unwrap())
            .collect();
        assert_eq!(names, ["by_person", "by_attention", "by_due"]);
        assert_eq!(ledger["KeySchema"], json!([{ "AttributeName": "id", "KeyType": "HASH" }]));
        assert_eq!(ledger["TableName"], "acme");
    }

    #[test]
    fn the_roster_is_found_by_its_key_alone() {
        assert_eq!(Definition::roster("acme").unwrap(), Definition::plain("acme"));
    }

    #[test]
    fn a_table_that_is_not_in_the_template_is_told() {
        let error = deployed("Leger", "acme").unwrap_err().to_string();
        assert_eq!(error, "template.yaml has no Leger");
    }
}
