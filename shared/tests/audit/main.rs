//! The licence audit: what it leaves for people and programs.
//!
//! The golden report is written anew with `ROLLCALL_ACCEPT=1 cargo test -p rollcall --test audit`.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod golden;
mod report;
