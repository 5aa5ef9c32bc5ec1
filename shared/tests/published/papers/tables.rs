//! A JSON Schema as tables: one for each kind of object, with the places where it stands.

use serde_json::Value;
use std::fmt::Write as _;

/// A schema with its definitions.
pub(super) struct Schema(Value);

/// One kind of object, and where it stands.
struct Shape<'s> {
    places: Vec<String>,
    schema: &'s Value,
}

impl Schema {
    pub(super) fn new(schema: Value) -> Schema {
        Schema(schema)
    }

    /// The members of the whole document, in the schema's order.
    pub(super) fn members(&self) -> Vec<&str> {
        self.0["properties"].as_object().unwrap().keys().map(String::as_str).collect()
    }

    /// What a member of the document is for.
    pub(super) fn about(&self, member: &str) -> String {
        cell(&self.0["properties"][member]["description"])
    }

    /// The words of each value of an enumeration.
    pub(super) fn values(&self, definition: &str) -> Vec<(&str, String)> {
        let values = self.0["$defs"][definition]["oneOf"].as_array().unwrap().iter();
        values.map(|value| (value["const"].as_str().unwrap(), cell(&value["description"]))).collect()
    }

    /// The tables of one member of the document and of all objects in it.
    pub(super) fn tables_of(&self, member: &str) -> String {
        let property = &self.0["properties"][member];
        let mut shapes = Vec::new();
        self.collect(member, property, &mut shapes);
        let mut text = String::new();
        if !self.bare(property)["properties"].is_object() {
            text = self.table(&self.0, &[member]);
        }
        self.add(&mut text, &shapes);
        text
    }

    /// The tables of the whole document.
    pub(super) fn tables(&self) -> String {
        let mut shapes = Vec::new();
        let members = self.members();
        for member in &members {
            self.collect(member, &self.0["properties"][member], &mut shapes);
        }
        let mut text = self.table(&self.0, &members);
        self.add(&mut text, &shapes);
        text
    }

    fn add(&self, text: &mut String, shapes: &[Shape<'_>]) {
        for shape in shapes {
            let places: Vec<String> = shape.places.iter().map(|place| format!("`{place}`")).collect();
            let members: Vec<&str> =
                shape.schema["properties"].as_object().unwrap().keys().map(String::as_str).collect();
            let about = cell(&shape.schema["description"]);
            let table = self.table(shape.schema, &members);
            write!(text, "\n### {}\n\n{about}\n\n{table}", places.join(", ")).unwrap();
        }
    }

    /// Finds the objects in a schema, each kind once, from the outside inwards.
    fn collect<'s>(&'s self, place: &str, schema: &'s Value, shapes: &mut Vec<Shape<'s>>) {
        let schema = self.bare(schema);
        if schema["items"].is_object() {
            return self.collect(&format!("{place}[]"), &schema["items"], shapes);
        }
        if schema["additionalProperties"].is_object() {
            return self.collect(&format!("{place}.<name>"), &schema["additionalProperties"], shapes);
        }
        let Some(members) = schema["properties"].as_object() else { return };
        match shapes.iter_mut().find(|shape| std::ptr::eq(shape.schema, schema)) {
            Some(shape) => shape.places.push(place.to_owned()),
            None => shapes.push(Shape { places: vec![place.to_owned()], schema }),
        }
        for (name, member) in members {
            self.collect(&format!("{place}.{name}"), member, shapes);
        }
    }

    /// A schema without what only says that it may be absent, and behind its reference.
    fn bare<'s>(&'s self, schema: &'s Value) -> &'s Value {
        if let Some(choices) = schema["anyOf"].as_array() {
            let mut real = choices.iter().filter(|choice| choice["type"] != "null");
            let (first, more) = (real.next(), real.next());
            if let (Some(real), None, true) = (first, more, schema.get("properties").is_none()) {
                return self.bare(real);
            }
        }
        match schema["$ref"].as_str() {
            Some(name) => &self.0["$defs"][name.trim_start_matches("#/$defs/")],
            None => schema,
        }
    }

    fn table(&self, schema: &Value, members: &[&str]) -> String {
        let mut text = String::from("| member | type | default | meaning |\n|---|---|---|---|\n");
        for name in members {
            let member = &schema["properties"][name];
            let required = schema["required"].as_array().is_some_and(|all| all.iter().any(|one| one == name));
            let bare = self.bare(member);
            let mut meaning = cell(&member["description"]);
            match bare["oneOf"].as_array() {
                Some(values) => values.iter().for_each(|value| {
                    let (word, about) = (value["const"].as_str().unwrap(), cell(&value["description"]));
                    write!(meaning, "<br>`{word}`: {about}").unwrap();
                }),
                // A scalar of a name of its own: what the name means belongs to the member.
                None if !std::ptr::eq(bare, member) && bare["properties"].is_null() => {
                    write!(meaning, " {}", cell(&bare["description"])).unwrap();
                }
                None => {}
            }
            let (kind, default) = (self.kind(bare), self.default(name, member, required));
            writeln!(text, "| `{name}` | {kind} | {default} | {} |", meaning.trim()).unwrap();
        }
        text
    }

    /// What a value may be, with its limits.
    fn kind(&self, schema: &Value) -> String {
        if let Some(values) = schema["oneOf"].as_array() {
            let words: Vec<String> =
                values.iter().map(|value| format!("`{}`", value["const"].as_str().unwrap())).collect();
            let (last, head) = words.split_last().unwrap();
            return if head.is_empty() { last.clone() } else { format!("{} or {last}", head.join(", ")) };
        }
        let named = |name: &str| {
            let own = schema["type"].as_str() == Some(name);
            own || schema["type"].as_array().is_some_and(|types| types.iter().any(|one| one == name))
        };
        if schema["additionalProperties"].is_object() {
            return format!("object, by name: {}", self.kind(self.bare(&schema["additionalProperties"])));
        }
        if schema["properties"].is_object() {
            return "object".into();
        }
        if named("array") {
            return format!("list: {}", self.kind(self.bare(&schema["items"])));
        }
        if named("boolean") {
            return "`true` or `false`".into();
        }
        if named("integer") || named("number") {
            let kind = if named("integer") { "whole number" } else { "number" };
            let limit = |name: &str, words: &str| schema[name].as_number().map(|limit| format!("{words} {limit}"));
            let above = limit("exclusiveMinimum", "above").or_else(|| limit("minimum", "at least"));
            let limits: Vec<String> = above.into_iter().chain(limit("maximum", "at most")).collect();
            return [vec![kind.to_owned()], limits].concat().join(", ");
        }
        assert!(named("string"), "{schema} is of a type that no table has words for");
        let format = match schema["format"].as_str() {
            Some("date-time") => "time, ISO 8601",
            Some("date") => "date, ISO 8601",
            Some("email") => "e-mail address",
            Some(other) => panic!("the format {other} has no words"),
            None => "text",
        };
        let pattern = schema["pattern"].as_str().map(|pattern| format!(", `{}`", pattern.replace('|', "\\|")));
        format!("{format}{}", pattern.unwrap_or_default())
    }

    /// What counts where a member is left out. An enumeration, a number and a switch must tell it.
    fn default(&self, name: &str, member: &Value, required: bool) -> String {
        if required {
            return "required".into();
        }
        let bare = self.bare(member);
        match member.get("default") {
            Some(Value::Array(values)) if values.is_empty() => "none".into(),
            Some(Value::Null) => "absent".into(),
            Some(default) => format!("`{default}`"),
            None if bare["type"] == "array" || bare["additionalProperties"].is_object() => "none".into(),
            None if member["anyOf"].is_array() || member["type"].is_array() || bare["type"] == "string" => {
                "absent".into()
            }
            None if bare["properties"].is_object() => "see below".into(),
            None => panic!("the schema tells no default of {name}: make its type Serialize"),
        }
    }
}

/// Words in a cell of a table: one line, no bars, no links of rustdoc.
fn cell(words: &Value) -> String {
    let words = words.as_str().unwrap_or_default();
    words.replace('\n', " ").replace('|', "\\|").replace("[`", "`").replace("`]", "`")
}
