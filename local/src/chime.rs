//! The local Chime: the Amazon Chime admin API (2018-05-01), on the wire as real clients expect it.
//!
//! [`core::Core`] answers requests without any network, so that a simulation can drive it; [`LocalChime`] puts it on a
//! port of 127.0.0.1. What is documented and what is a choice is said beside each rule: the facts are Amazon's service
//! model and guides; the service itself closed on 2026-02-20.

pub mod calls;
pub mod core;
pub mod faults;
pub mod http;
pub mod routes;
pub mod seed;
mod server;
pub mod state;

pub use server::LocalChime;
