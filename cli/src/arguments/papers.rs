//! Every command of this tool that a paper shows is one that it takes.

use super::Arguments;
use clap::error::ErrorKind;
use clap::{Error, Parser};
use std::path::{Path, PathBuf};

/// What papers write for a value that has a form of its own, and one such value.
const VALUES: [(&str, &str); 6] = [
    ("FUNCTION", "suspend-user"),
    ("TIME", "2026-11-01T00:00:00Z"),
    ("USERS", "1200"),
    ("ADDRESS", "ana@acme.example"),
    ("…", ""),
    ("...", "x"),
];

fn papers(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    entries
        .flat_map(|path| match path.is_dir() {
            true => papers(&path),
            false if path.extension().is_some_and(|kind| kind == "md") => vec![path],
            false => Vec::new(),
        })
        .collect()
}

/// The commands of a page: lines of its code blocks, and code within its prose.
fn commands(page: &str) -> Vec<String> {
    let (mut commands, mut block) = (Vec::new(), false);
    let mut prose = String::new();
    for line in page.lines() {
        if line.trim_start().starts_with("```") {
            block = !block;
        } else if block {
            commands.push(line.trim().to_owned());
        } else {
            prose.push_str(line);
            prose.push(' ');
        }
    }
    commands.extend(prose.split('`').skip(1).step_by(2).map(str::to_owned));
    // What is behind a pipe is a command too; a variable before it is none of ours.
    let parts = commands.iter().flat_map(|line| line.split(" | ")).map(str::trim);
    parts.filter(|part| part.starts_with("rollcall ")).map(str::to_owned).collect()
}

/// The words of a command: quotes hold together, and a comment or a redirection ends it.
fn words(command: &str) -> Vec<String> {
    let (mut words, mut word, mut quoted) = (Vec::new(), String::new(), false);
    for c in command.chars().chain([' ']) {
        match c {
            '"' => quoted = !quoted,
            ' ' if !quoted => words.extend(Some(std::mem::take(&mut word)).filter(|word| !word.is_empty())),
            _ => word.push(c),
        }
    }
    let end = words.iter().position(|word| matches!(word.as_str(), "#" | ">")).unwrap_or(words.len());
    words.truncate(end);
    let value =
        |word: String| VALUES.iter().find(|(name, _)| *name == word).map_or(word, |(_, value)| (*value).to_owned());
    words.into_iter().map(value).filter(|word| !word.is_empty()).collect()
}

#[test]
fn the_tool_takes_every_command_that_a_paper_shows() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let mut pages = papers(&root.join("docs"));
    pages.extend(["README.md", "CONTRIBUTING.md", "SECURITY.md"].map(|page| root.join(page)));
    let (mut wrong, mut count) = (Vec::new(), 0);
    for page in pages {
        for command in commands(&std::fs::read_to_string(&page).unwrap()) {
            let mut words = words(&command);
            // Who acts may come from the environment, as it does for whoever follows the page.
            if words.iter().any(|word| word == "release" || word == "reject") && !words.contains(&"--by".to_owned()) {
                words.extend(["--by".to_owned(), "ana".to_owned()]);
            }
            count += 1;
            // Prose may name a command without its arguments.
            let missing = [ErrorKind::MissingRequiredArgument, ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand];
            let named = |error: &Error| words.len() <= 3 && missing.contains(&error.kind());
            if let Err(error) = Arguments::try_parse_from(&words)
                && !named(&error)
            {
                wrong.push(format!("{}: {command}: {}", page.display(), error.to_string().lines().next().unwrap()));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(count > 60, "only {count} commands were found");
}
