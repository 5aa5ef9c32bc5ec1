//! SECURITY.md: what each function's role allows, as `template.yaml` says.

use super::{Parts, fill};
use crate::template::resources;
use std::collections::BTreeSet;
use yaml_rust2::Yaml;

/// What every function has, each for itself: SECURITY.md says it in words.
const COMMON: [&str; 6] = ["kms:", "logs:", "sqs:ChangeMessageVisibility", "ssm:GetParameterHistory", "xray:", "sts:"];

/// A value, or the values of a list; of `!If`, what stands in either branch.
fn texts(value: &Yaml) -> Vec<String> {
    match (value.as_str(), value.as_vec()) {
        (Some(text), _) => vec![text.to_owned()],
        (None, Some(values)) => values.iter().flat_map(texts).collect(),
        (None, None) => {
            assert!(value.is_badvalue(), "{value:?} is neither a name nor a list of names");
            Vec::new()
        }
    }
}

/// The statements of a role. Of `!If`, the one that may be there.
fn statements(role: &Yaml) -> Vec<&Yaml> {
    let all = role["Properties"]["Policies"].as_vec().unwrap().iter();
    let listed = all.flat_map(|policy| policy["PolicyDocument"]["Statement"].as_vec().unwrap());
    listed
        .map(|one| one.as_vec().map_or(one, |branches| branches.iter().find(|it| it.as_hash().is_some()).unwrap()))
        .collect()
}

/// A resource by its name in the template, with the part of it that counts.
fn resource(text: &str) -> String {
    let inner = text.replace("${AWS::StackName}", "STACK").replace("${WakeUps}", "WakeUps");
    let inner = inner.rsplit_once("${AWS::AccountId}:").map_or(inner.as_str(), |(_, name)| name);
    inner.replace(".Arn}", "").replace("${", "").replace('}', "").trim_end_matches(".Arn").to_owned()
}

/// The words of a statement: which actions, on what.
fn words(statement: &Yaml) -> String {
    let actions: Vec<String> = texts(&statement["Action"]).iter().map(|action| format!("`{action}`")).collect();
    let places = texts(&statement["Resource"]).into_iter().filter(|text| text != "SecretsInSecretsManager");
    let places: BTreeSet<String> = places.map(|text| resource(&text)).collect();
    let condition = &statement["Condition"];
    let keys =
        ["ForAllValues:StringLike", "ForAllValues:StringEquals"].map(|kind| &condition[kind]["dynamodb:LeadingKeys"]);
    let keys: Vec<String> = keys.into_iter().flat_map(texts).map(|key| format!("`{key}`")).collect();
    let types = texts(&condition["StringEquals"]["events:detail-type"]);
    let sources = ["StringEquals", "ForAllValues:StringEquals"].map(|kind| &condition[kind]["events:source"]);
    let sources: Vec<String> = sources.into_iter().flat_map(texts).map(|source| format!("`{source}`")).collect();
    let mut text = format!("{} on {}", actions.join(", "), places.into_iter().collect::<Vec<_>>().join(", "));
    if !keys.is_empty() {
        text += &format!(", keys {}", keys.join(", "));
    }
    if !sources.is_empty() {
        text += &format!(", source {}", sources.join(", "));
    }
    if !types.is_empty() {
        text += &format!(", {} detail-types", types.len());
    }
    text
}

#[test]
fn security_tells_what_each_role_allows() {
    let resources = resources();
    let mut table = String::from("| function | in Chime | elsewhere |\n|---|---|---|\n");
    let mut functions = 0;
    for function in resources.as_hash().unwrap().values() {
        if function["Type"].as_str() != Some("AWS::Serverless::Function") {
            continue;
        }
        let role = function["Properties"]["Role"].as_str().unwrap().trim_end_matches(".Arn");
        let (mut chime, mut elsewhere) = (Vec::new(), Vec::new());
        for statement in statements(&resources[role]) {
            let actions = texts(&statement["Action"]);
            if actions.iter().all(|action| action.starts_with("chime:")) {
                chime.extend(actions.iter().map(|action| action.trim_start_matches("chime:").to_owned()));
            } else if !actions.iter().any(|action| COMMON.iter().any(|common| action.starts_with(common))) {
                elsewhere.push(words(statement));
            }
        }
        let chime = if chime.is_empty() { "nothing".into() } else { chime.join(", ") };
        let name = function["Properties"]["CodeUri"].as_str().unwrap().trim_start_matches("functions/");
        table += &format!("| {name} | {chime} | {} |\n", elsewhere.join("<br>"));
        functions += 1;
    }
    assert_eq!(functions, 10, "each function of the template is in the table");
    fill("SECURITY.md", &Parts::from([("roles", table)]));
}
