//! The tables: the ledger as `template.yaml` has it, indexes included, and a plain one for the plain function.

use anyhow::{Context, Result};
use rollcall_local::stack::workspace;
use serde_json::{Map, Value, json};
use yaml_rust2::{Yaml, YamlLoader};

/// Name of the ledger.
pub(crate) const LEDGER: &str = "ledger";

/// Name of the plain function's table.
pub(crate) const NAIVE: &str = "naive";

/// The request that makes the ledger. Its indexes cost units, so they are those that are deployed.
///
/// # Errors
/// Where the template cannot be read, or has no ledger.
pub(crate) fn ledger() -> Result<Value> {
    let path = workspace().join("template.yaml");
    let text = std::fs::read_to_string(&path).with_context(|| format!("{} cannot be read", path.display()))?;
    let documents = YamlLoader::load_from_str(&text).context("template.yaml is no YAML")?;
    let template = documents.first().context("template.yaml is empty")?;
    let properties = &template["Resources"]["Ledger"]["Properties"];
    let mut request = json!({ "TableName": LEDGER, "BillingMode": "PAY_PER_REQUEST" });
    for member in ["AttributeDefinitions", "KeySchema", "GlobalSecondaryIndexes"] {
        request[member] = value(&properties[member]).with_context(|| format!("the ledger has no {member}"))?;
    }
    Ok(request)
}

/// The request that makes the plain table.
pub(crate) fn naive() -> Value {
    json!({
        "TableName": NAIVE, "BillingMode": "PAY_PER_REQUEST",
        "AttributeDefinitions": [{ "AttributeName": "id", "AttributeType": "S" }],
        "KeySchema": [{ "AttributeName": "id", "KeyType": "HASH" }],
    })
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
    fn the_ledger_has_the_indexes_of_the_template() {
        let ledger = ledger().unwrap();
        let names: Vec<&str> = ledger["GlobalSecondaryIndexes"]
            .as_array()
            .unwrap()
            .iter()
            .map(|index| index["IndexName"].as_str().unwrap())
            .collect();
        assert_eq!(names, ["by_person", "by_attention", "by_due"]);
        assert_eq!(ledger["KeySchema"], json!([{ "AttributeName": "id", "KeyType": "HASH" }]));
    }
}
