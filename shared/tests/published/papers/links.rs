//! Links between the papers: the file is there, and so is the heading.

use crate::root;
use pulldown_cmark::{Event, Options, Parser, Tag, TagEnd};
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Component, Path, PathBuf};

/// Folders that hold no papers of ours.
const SKIPPED: [&str; 4] = ["target", ".git", ".aws-sam", "node_modules"];

/// A page: what it points to, and what its headings are called in links.
#[derive(Default)]
struct Page {
    links: Vec<String>,
    anchors: BTreeSet<String>,
}

/// Every Markdown file under a folder, as paths from there.
fn papers(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(root().join(folder)).unwrap().map(|entry| entry.unwrap());
    entries
        .flat_map(|entry| {
            let path = folder.join(entry.file_name());
            let skipped = SKIPPED.iter().any(|name| entry.file_name() == *name);
            match entry.file_type().unwrap() {
                kind if kind.is_dir() && !skipped => papers(&path),
                kind if kind.is_file() && path.extension().is_some_and(|kind| kind == "md") => vec![path],
                _ => Vec::new(),
            }
        })
        .collect()
}

#[expect(clippy::wildcard_enum_match_arm, reason = "of a Markdown parser's events only links and headings count")]
fn page(text: &str) -> Page {
    let mut page = Page::default();
    let mut heading: Option<String> = None;
    for event in Parser::new_ext(text, Options::ENABLE_TABLES) {
        match event {
            Event::Start(Tag::Link { dest_url, .. } | Tag::Image { dest_url, .. }) => {
                page.links.push(dest_url.into_string())
            }
            Event::Start(Tag::Heading { .. }) => heading = Some(String::new()),
            Event::End(TagEnd::Heading(_)) => {
                let anchor = anchor(&heading.take().unwrap());
                let again = (1..).map(|count| format!("{anchor}-{count}"));
                let mut names = std::iter::once(anchor.clone()).chain(again);
                page.anchors.insert(names.find(|name| !page.anchors.contains(name)).unwrap());
            }
            Event::Text(words) | Event::Code(words) => {
                if let Some(heading) = &mut heading {
                    heading.push_str(&words);
                }
            }
            _ => {}
        }
    }
    page
}

/// What GitHub calls a heading in links: lower case, spaces as hyphens, no other punctuation.
fn anchor(heading: &str) -> String {
    let kept = heading.trim().chars().filter(|c| c.is_alphanumeric() || matches!(c, ' ' | '-' | '_'));
    kept.collect::<String>().to_lowercase().replace(' ', "-")
}

/// A path without `.` and `..`.
fn plain(path: &Path) -> PathBuf {
    path.components().fold(PathBuf::new(), |mut plain, component| {
        match component {
            Component::CurDir => {}
            Component::ParentDir => assert!(plain.pop(), "{} leads out of the repository", path.display()),
            Component::Normal(_) | Component::RootDir | Component::Prefix(_) => plain.push(component),
        }
        plain
    })
}

#[test]
fn every_link_between_papers_leads_somewhere() {
    let pages: BTreeMap<PathBuf, Page> = papers(Path::new(""))
        .into_iter()
        .map(|path| (path.clone(), page(&std::fs::read_to_string(root().join(&path)).unwrap())))
        .collect();
    let mut broken = Vec::new();
    let mut followed = 0;
    for (path, page) in &pages {
        for link in page.links.iter().filter(|link| !link.contains("://") && !link.starts_with("mailto:")) {
            let (file, heading) = link.split_once('#').map_or((link.as_str(), None), |(file, name)| (file, Some(name)));
            let target =
                if file.is_empty() { path.clone() } else { plain(&path.parent().unwrap_or(Path::new("")).join(file)) };
            let named = |name: &str| pages.get(&target).is_some_and(|page| page.anchors.contains(name));
            if !root().join(&target).exists() || !heading.is_none_or(named) {
                broken.push(format!("{}: {link}", path.display()));
            }
            followed += 1;
        }
    }
    assert!(broken.is_empty(), "links that lead nowhere:\n{}", broken.join("\n"));
    assert!(followed > 100, "only {followed} links were found");
}

/// Who opens docs/ finds every page from there, in one step or through an index of its own.
#[test]
fn the_index_leads_to_every_paper() {
    let read = |path: &Path| page(&std::fs::read_to_string(root().join(path)).unwrap());
    let all: BTreeSet<PathBuf> = papers(Path::new("docs")).into_iter().collect();
    let mut reached = BTreeSet::new();
    let mut ahead = vec![PathBuf::from("docs/README.md")];
    while let Some(path) = ahead.pop() {
        let folder = path.parent().unwrap();
        let links = read(&path).links;
        let links = links.iter().filter(|link| !link.contains("://") && !link.starts_with('#'));
        let targets = links.map(|link| plain(&folder.join(link.split('#').next().unwrap())));
        let found: Vec<PathBuf> = targets.filter(|target| all.contains(target)).collect();
        reached.insert(path);
        // Other pages may point further; only indexes count.
        let (indexes, pages): (Vec<_>, Vec<_>) = found.into_iter().partition(|target| target.ends_with("README.md"));
        ahead.extend(indexes.into_iter().filter(|index| !reached.contains(index)));
        reached.extend(pages);
    }
    let lost: Vec<_> = all.difference(&reached).collect();
    assert!(lost.is_empty(), "no index leads to {lost:?}");
}

#[test]
fn headings_are_called_as_github_calls_them() {
    let table = [
        ("The brake", "the-brake"),
        ("What `decide` does: it's pure!", "what-decide-does-its-pure"),
        ("Team, EnterpriseLWA", "team-enterpriselwa"),
        ("snake_case and kebab-case", "snake_case-and-kebab-case"),
    ];
    for (heading, expected) in table {
        assert!(page(&format!("# {heading}\n")).anchors.contains(expected), "{heading}");
    }
    let twice = page("# Set up\n\n## Set up\n");
    assert_eq!(twice.anchors, BTreeSet::from(["set-up".to_owned(), "set-up-1".to_owned()]));
    assert_eq!(page("`[no](link.md)`\n\n```\n[nor](this.md)\n# no heading\n```\n").links, Vec::<String>::new());
}
