//! The local Chime: the Amazon Chime admin API (2018-05-01), on the wire as real clients expect it.
//!
//! [`core::Core`] answers requests without any network, so that a simulation can drive it; [`LocalChime`] puts it on a
//! port of 127.0.0.1, with test hooks under `/_local/` and a page for people at `/`. Facts are Amazon's service model
//! and guides; what they leave open is decided in [`choices`] and nowhere else. The service itself closed on 2026-02-20.

pub mod auth;
pub mod calls;
pub mod choices;
pub mod clock;
pub mod core;
pub mod faults;
pub mod generate;
pub mod http;
mod input;
mod pages;
pub mod random;
pub mod routes;
pub mod seed;
mod server;
pub mod state;

pub use server::LocalChime;
