//! The whole of Rollcall on one machine: a local Chime that behaves like the real one, and the local stack.
//!
//! - [`chime`]: the Amazon Chime admin API, as a library that binds a port of its own choice and returns its address.
//! - [`stack`]: the real `template.yaml` with the real Lambda binaries on a local AWS.
//! - [`demo`]: what the demo publishes, what it expects, and how it tells.
//! - [`vendors`]: APIs of HR systems, each as its vendor documents it.

pub mod chime;
pub mod demo;
pub mod stack;
pub mod vendors;
