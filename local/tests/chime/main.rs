//! The local Chime, judged by the Rust SDK and by raw requests. Expected values come from Amazon's model and guides and
//! from what `Choices` says, not from a run.

#![expect(clippy::unwrap_used, reason = "a test's helpers fail by panicking")]

mod checklist;
mod choices;
mod every_operation;
mod faults;
mod fuzz;
mod hooks;
mod model;
mod stage;
mod state;
mod validation;
