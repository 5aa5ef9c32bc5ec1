//! Every source has its page, its fixtures and its line in the list, and they say what the code does.

use crate::expected::{self, completed};
use crate::fixtures;
use rollcall::intake::Source;
use rollcall::intake::verify::Scheme;
use rollcall::policy::Policy;
use serde_json::Value;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

fn docs() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().join("docs/sources")
}

fn page(name: &str) -> String {
    let path = docs().join(name).with_extension("md");
    std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// What a page must name: where requests go to, and where what they are verified with is kept.
fn named(source: Source) -> Vec<String> {
    let name = source.as_str();
    let secret = format!("/<stack>/sources/{name}/secret");
    let mut named = vec![format!("https://<function-url>/{name}")];
    match source.scheme() {
        Scheme::Bearer | Scheme::Exact | Scheme::Finch | Scheme::Hmac { .. } => named.push(secret),
        Scheme::Jwt => named.push(format!("sources.systems.{name}.tokens")),
        Scheme::Unverified => named.push(format!("sources.systems.{name}.accept_unverified")),
        Scheme::Bus => named.push("answers 404".into()),
    }
    match source {
        Source::BambooHr | Source::HiBob | Source::Gusto | Source::Personio => {
            named.push(format!("/<stack>/sources/{name}/token"));
        }
        Source::Okta => named.push("OktaEventBus".into()),
        Source::Auth0 => named.push("Auth0EventBus".into()),
        Source::OneLogin => named.push("OneLoginEventBus".into()),
        Source::Health | Source::IdentityCenter => named.push("default bus".into()),
        Source::Scim => named.push("/scim/Users/<id>".into()),
        Source::Canonical
        | Source::CloudEvents
        | Source::Finch
        | Source::Greenhouse
        | Source::Adp
        | Source::SuccessFactors
        | Source::Ukg
        | Source::Entra
        | Source::SailPoint
        | Source::Merge
        | Source::Deel
        | Source::Risc => {}
    }
    named
}

#[test]
fn every_source_has_its_page_and_its_fixtures() {
    for source in Source::ALL {
        assert!(!fixtures::of(source).is_empty(), "{} has no fixture", source.as_str());
        let text = page(source.as_str());
        for named in named(source) {
            assert!(text.contains(&named), "{}.md does not name {named}", source.as_str());
        }
        for address in text.split("https://<function-url>/").skip(1) {
            assert!(address.starts_with(source.as_str()), "{}.md: another's address", source.as_str());
        }
        let headings: Vec<&str> = text.lines().filter(|line| line.starts_with('#')).skip(1).collect();
        assert_eq!(headings, ["## Set up", "## Test it", "## What it cannot tell"], "{}", source.as_str());
    }
}

/// Nothing lies about that is no source's.
#[test]
fn every_page_and_every_folder_is_a_sources() {
    let names = |folder: PathBuf| -> BTreeSet<String> {
        let entries = std::fs::read_dir(folder).unwrap();
        entries.map(|entry| entry.unwrap().file_name().to_str().unwrap().to_owned()).collect()
    };
    let sources = Source::ALL.map(|source| source.as_str().to_owned());
    let pages = sources.iter().map(|name| format!("{name}.md")).chain(["README.md".to_owned()]);
    assert_eq!(names(docs()), pages.collect());
    assert_eq!(names(fixtures::folder(Source::Okta).parent().unwrap().to_owned()), sources.into());
}

/// The words of the list for what is missing.
fn lacks(source: Source) -> String {
    let word = |fact: &str| match fact {
        "subject.email" => "address",
        "subject.workerId" => "number",
        "effective.date" => "date",
        "effective.zone" => "zone",
        "changes.values" => "changed values",
        "occurredAt" => "time",
        "kind" => "kind",
        "phase" => "phase",
        other => panic!("{other} has no word"),
    };
    let missing = expected::of(source).missing;
    let words: Vec<&str> = missing.split(", ").filter(|fact| !fact.is_empty()).map(word).collect();
    if words.is_empty() { "nothing".into() } else { words.join(", ") }
}

/// A word that says how a source is verified.
fn verified(source: Source) -> &'static str {
    match source.scheme() {
        Scheme::Bearer => "bearer secret",
        Scheme::Exact => "the secret in `Authorization`",
        Scheme::Hmac { header, .. } => header,
        Scheme::Finch => "finch-signature",
        Scheme::Jwt => "published keys",
        Scheme::Bus => "the bus",
        Scheme::Unverified => "not at all (`accept_unverified`)",
    }
}

#[test]
fn the_list_has_one_line_a_source_that_says_what_the_code_does() {
    let text = page("README");
    let lines: Vec<Vec<&str>> = text
        .lines()
        .filter(|line| line.starts_with("| ["))
        .map(|line| line.trim_matches('|').split('|').map(str::trim).collect())
        .collect();
    assert_eq!(lines.len(), Source::ALL.len());
    for (source, line) in Source::ALL.into_iter().zip(lines) {
        let name = source.as_str();
        let [link, comes, by, missing, from, cannot] = line[..] else { panic!("{name}: six cells, not {line:?}") };
        assert_eq!(link, format!("[{name}]({name}.md)"), "in the order of the code");
        assert_eq!((missing, from), (lacks(source).as_str(), completed(source)), "{name}");
        assert!(by.to_lowercase().contains(&verified(source).to_lowercase()), "{name}: {by}");
        assert!(!comes.is_empty() && !cannot.is_empty(), "{name}");
    }
}

/// The blocks of JSON in a page. A part of the policy is written without the braces around it.
fn blocks(text: &str) -> Vec<String> {
    let blocks = text.split("```json\n").skip(1).map(|rest| rest.split("```").next().unwrap().trim().to_owned());
    blocks.map(|block| if block.starts_with('{') { block } else { format!("{{{block}}}") }).collect()
}

/// Members of the policy that pages name are there, and samples of it are read.
#[test]
fn what_pages_say_of_the_policy_is_so() {
    let schema = serde_json::to_value(schemars::schema_for!(Policy)).unwrap();
    let members = &schema["$defs"]["SystemRule"]["properties"];
    assert!(members["zone"].is_object());
    let mut named = 0;
    for name in Source::ALL.iter().map(|source| source.as_str()).chain(["README"]) {
        let text = page(name);
        for path in text.split("`sources.systems.").skip(1).map(|rest| rest.split('`').next().unwrap()) {
            let Some((system, member)) = path.split_once('.') else { continue };
            assert!(Source::named(system).is_some_and(|source| source.as_str() == name), "{name}: {path}");
            assert!(members[member].is_object(), "{name}: sources.systems.{path}");
            named += 1;
        }
        let short = text.split("`.").skip(1).filter_map(|rest| rest.split('`').next());
        for member in short.filter(|text| text.chars().all(|c| c.is_ascii_lowercase() || c == '_')) {
            assert!(members[member].is_object(), "{name}: .{member}");
            named += 1;
        }
        for block in blocks(&text) {
            let json: Value = serde_json::from_str(&block).unwrap_or_else(|error| panic!("{name}: {error}"));
            if json.get("sources").is_some() {
                Policy::parse(&block).unwrap_or_else(|error| panic!("{name}: {error}"));
            }
        }
    }
    assert!(named > 20, "{named}");
}

/// Files that pages point to are there.
#[test]
fn what_pages_point_to_is_there() {
    let root = docs().parent().unwrap().parent().unwrap().to_owned();
    for name in Source::ALL.iter().map(|source| source.as_str()).chain(["README"]) {
        let text = page(name);
        for link in text.split("](").skip(1).map(|rest| rest.split(')').next().unwrap()) {
            let path = link.split('#').next().unwrap();
            assert!(path.starts_with("https://") || docs().join(path).exists(), "{name}: {link}");
        }
        let words = text.split(|c: char| c.is_whitespace() || matches!(c, '`' | '@'));
        for file in words.filter(|word| word.starts_with("events/") || word.starts_with("shared/")) {
            let file = file.trim_end_matches([',', '.', ';', ')']);
            assert!(file.contains('*') || file.contains('<') || root.join(file).exists(), "{name}: {file}");
        }
    }
}
