//! The fixtures of a source: what it sends, with values of our own.

use crate::sender;
use jiff::Timestamp;
use rollcall::intake::adapt::{adapt, scim};
use rollcall::intake::{Adapted, Headers, Received, Source};
use std::path::{Path, PathBuf};

/// The headers that adapters read, as some sender sends them.
const HEADERS: [(&str, &str); 4] = [
    ("finch-event-id", "fe_7k2m"),
    ("finch-timestamp", "1795162500"),
    ("greenhouse-event-id", "5f0c2a9e-0d7b-4c55-9a53-2f6f4f3f9d11"),
    ("x-bamboohr-timestamp", "1795162500"),
];

/// One request's body, or the claims of a token.
pub(crate) struct Fixture {
    /// Its file's name.
    pub(crate) name: String,
    pub(crate) body: Vec<u8>,
}

/// The folder of a source.
pub(crate) fn folder(source: Source) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().join("events/sources").join(source.as_str())
}

/// All fixtures of a source, in the order of their names. Texts are handshakes' and no bodies.
pub(crate) fn of(source: Source) -> Vec<Fixture> {
    let folder = folder(source);
    let entries = std::fs::read_dir(&folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    let mut paths: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
    paths.retain(|path| path.extension().is_some_and(|extension| extension != "txt"));
    paths.sort();
    let read = |path: PathBuf| Fixture {
        name: path.file_name().unwrap().to_str().unwrap().to_owned(),
        body: std::fs::read(path).unwrap(),
    };
    paths.into_iter().map(read).collect()
}

impl Fixture {
    /// What comes of it.
    pub(crate) fn adapted(&self, source: Source, at: Timestamp) -> Vec<Adapted> {
        let headers = Headers::new(HEADERS);
        if source == Source::Risc {
            // Adapters look at what was verified before.
            let body = sender::unsigned(&self.body);
            return adapt(source, Received { body: &body, headers: &headers, at });
        }
        let received = Received { body: &self.body, headers: &headers, at };
        // A PATCH names its user in the address.
        if source == Source::Scim { scim::adapt_user(received, Some("u-417")) } else { adapt(source, received) }
    }
}
