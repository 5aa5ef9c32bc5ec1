//! The papers: what is generated in them is what the code says, and what they point to is there.
//!
//! A page is prose kept by hand, with parts between `<!-- begin: name -->` and `<!-- end: name -->` that come from the
//! published schemas, the routes, the decisions and the samples. `ROLLCALL_ACCEPT=1` writes those parts anew.

mod actions;
mod events;
mod links;
mod policy;
mod roles;
mod tables;

use crate::{published, read, root};
use std::collections::{BTreeMap, BTreeSet};

/// The generated parts of a page, by name.
type Parts = BTreeMap<&'static str, String>;

/// Compares the generated parts of a page with what they must be, or writes them. A page has each part once.
fn fill(path: &str, parts: &Parts) {
    let mut text = read(path);
    let mut named: Vec<&str> = parts.keys().copied().collect();
    for (name, content) in parts {
        let (begin, end) = (format!("<!-- begin: {name} -->\n"), format!("<!-- end: {name} -->\n"));
        let place = text.split_once(&begin).and_then(|(head, rest)| Some((head, rest.split_once(&end)?.1)));
        let (head, tail) = place.unwrap_or_else(|| panic!("{path} has no part {name}: write {begin}{end}"));
        text = format!("{head}{begin}\n{}\n\n{end}{tail}", content.trim());
    }
    let mut begun: Vec<&str> =
        text.split("<!-- begin: ").skip(1).filter_map(|rest| rest.split(" -->").next()).collect();
    begun.sort_unstable();
    named.sort_unstable();
    assert_eq!(begun, named, "{path}: parts that are written by hand between marks would be lost");
    published(path, &text);
}

/// The names of the pages in a folder of docs/, without `.md`.
fn pages(folder: &str) -> BTreeSet<String> {
    let files = std::fs::read_dir(root().join("docs").join(folder)).unwrap().map(|file| file.unwrap().path());
    files.map(|path| path.file_stem().unwrap().to_str().unwrap().to_owned()).collect()
}
