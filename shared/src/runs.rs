//! Sorted runs: something large, cut into objects that are each sorted, and small enough to be sorted in memory.

use serde::{Deserialize, Serialize};

/// One sorted run: an object of JSON lines.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RunInfo {
    /// The key of the object.
    pub key: String,
    /// Its length in bytes.
    pub bytes: u64,
    /// How many lines it has.
    pub rows: u64,
}
