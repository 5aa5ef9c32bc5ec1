//! The licence audit: the real Chime adapter on a local Chime, objects in files, and what it leaves for people and
//! programs.
//!
//! The golden report is written anew with `ROLLCALL_ACCEPT=1 cargo test -p rollcall --test audit`.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod enforce;
mod faults;
mod golden;
mod pages;
mod report;
mod stage;
mod whole;
