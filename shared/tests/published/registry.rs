//! `template.yaml`: the schema that EventBridge's registry shows is that of the types.

use crate::template::{resources, text};
use crate::{published, read};
use rollcall::event::SOURCE;
use rollcall::event::wire::Detail;
use schemars::generate::SchemaSettings;
use serde_json::{Value, json};

/// The schema in the form that the registry takes. Source: the `EventBridge` user guide, "Creating a schema by using a
/// template"; the envelope as the registry itself writes it for events of AWS.
fn schema() -> Value {
    let mut generator = SchemaSettings::openapi3().into_generator();
    let detail = generator.subschema_for::<Detail>();
    let mut schemas = generator.take_definitions(true);
    let text = json!({ "type": "string" });
    let envelope = json!({
        "type": "object",
        "required": ["source", "detail-type", "detail"],
        "properties": { "source": { "type": "string", "enum": [SOURCE] }, "detail-type": text, "detail": detail },
    });
    schemas.insert("AWSEvent".to_owned(), envelope);
    json!({
        "openapi": "3.0.0",
        "info": { "version": "1.0.0", "title": "WorkerEvent" },
        "paths": {},
        "components": { "schemas": schemas },
    })
}

#[test]
fn the_registry_shows_the_schema_of_the_types() {
    let template = read("template.yaml");
    let (before, rest) = template.split_once("      # Generated.\n").unwrap();
    let (_, after) = rest.split_once('\n').unwrap();
    let content = schema().to_string().replace('\'', "''");
    published("template.yaml", &format!("{before}      # Generated.\n      Content: '{content}'\n{after}"));

    let properties = &resources()["WorkerEventSchema"]["Properties"];
    assert_eq!(properties["Type"].as_str(), Some("OpenApi3"));
    let content: Value = serde_json::from_str(&text(&properties["Content"])).unwrap();
    for (name, schema) in content["components"]["schemas"].as_object().unwrap() {
        assert!(schema.is_object(), "{name}");
    }
    // Every reference leads somewhere.
    let written = content.to_string();
    for reference in written.split("\"$ref\":\"#").skip(1) {
        let pointer = reference.split('"').next().unwrap();
        assert!(content.pointer(pointer).is_some(), "{pointer}");
    }
}
