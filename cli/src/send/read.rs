//! Files of events: one document, or JSON lines.

use anyhow::{Context, Result};
use serde::de::IgnoredAny;
use std::io::Read;
use std::path::{Path, PathBuf};

/// One event as it was written, and where.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Document {
    /// `<file>:<line>`, counted from 1.
    pub(super) at: String,
    pub(super) body: String,
}

/// Every event of these files, in order.
pub(super) fn documents(files: &[PathBuf]) -> Result<Vec<Document>> {
    let mut documents = Vec::new();
    for file in files {
        let text = text(file).with_context(|| format!("{} cannot be read", file.display()))?;
        documents.extend(split(&file.display().to_string(), &text));
    }
    Ok(documents)
}

fn text(file: &Path) -> std::io::Result<String> {
    if file == Path::new("-") {
        let mut text = String::new();
        std::io::stdin().read_to_string(&mut text)?;
        return Ok(text);
    }
    std::fs::read_to_string(file)
}

/// JSON lines are known by their first line: it is JSON by itself, and there is more. All else is one document.
fn split(name: &str, text: &str) -> Vec<Document> {
    let lines = || text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty());
    let Some((first, line)) = lines().next() else { return Vec::new() };
    let document =
        |(number, body): (usize, &str)| Document { at: format!("{name}:{}", number + 1), body: body.to_owned() };
    if serde_json::from_str::<IgnoredAny>(line).is_ok() {
        return lines().map(document).collect();
    }
    vec![document((first, text.trim()))]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_one_document_or_lines_of_them() {
        let table: [(&str, &[(&str, &str)]); 6] = [
            ("", &[]),
            ("\n  \n", &[]),
            ("{\"a\":1}", &[("f:1", "{\"a\":1}")]),
            ("\n{\n \"a\": 1\n}\n", &[("f:2", "{\n \"a\": 1\n}")]),
            ("{\"a\":1}\r\n\n{\"a\":\n{\"a\":3}\n", &[("f:1", "{\"a\":1}"), ("f:3", "{\"a\":"), ("f:4", "{\"a\":3}")]),
            ("{\"a\":\n1\n", &[("f:1", "{\"a\":\n1")]),
        ];
        for (text, expected) in table {
            let split = split("f", text);
            let found: Vec<(&str, &str)> = split.iter().map(|it| (it.at.as_str(), it.body.as_str())).collect();
            assert_eq!(found, expected, "{text:?}");
        }
    }
}
