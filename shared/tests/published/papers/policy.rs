//! docs/policy/: a page for each section of the policy.

use super::tables::Schema;
use super::{Parts, fill, pages};
use crate::read;
use rollcall::policy::Policy;
use serde_json::{Value, json};
use std::collections::BTreeSet;

fn schema() -> Schema {
    Schema::new(json!(schemars::schema_for!(Policy)))
}

#[test]
fn each_section_has_its_page_with_the_members_of_the_schema() {
    let schema = schema();
    let sections: BTreeSet<String> = schema.members().into_iter().map(str::to_owned).collect();
    let expected: BTreeSet<String> = sections.iter().cloned().chain(["README".to_owned()]).collect();
    assert_eq!(pages("policy"), expected, "docs/policy/ has a page for each section of the policy, and no other");
    for section in &sections {
        fill(&format!("docs/policy/{section}.md"), &Parts::from([("members", schema.tables_of(section))]));
    }
    let lines = sections.iter().map(|name| format!("| [{name}]({name}.md) | {} |\n", schema.about(name)));
    let index = format!("| section | what it says |\n|---|---|\n{}", lines.collect::<String>());
    fill("docs/policy/README.md", &Parts::from([("sections", index)]));
}

/// Each page shows the section that it is about, as it may stand in a policy.
#[test]
fn the_examples_of_the_pages_are_policies() {
    for page in pages("policy") {
        let text = read(&format!("docs/policy/{page}.md"));
        let blocks = text.split("```json\n").skip(1).map(|rest| rest.split("```").next().unwrap().trim());
        // A part of a policy is written without the braces around it.
        let documents = blocks.map(|block| if block.starts_with('{') { block.into() } else { format!("{{{block}}}") });
        let documents: Vec<String> = documents.collect();
        for document in &documents {
            Policy::parse(document).unwrap_or_else(|error| panic!("docs/policy/{page}.md: {error}"));
        }
        let shows = |document: &String| serde_json::from_str::<Value>(document).unwrap().get(&page).is_some();
        assert!(page == "README" || documents.iter().any(shows), "docs/policy/{page}.md has no example of {page}");
    }
}
