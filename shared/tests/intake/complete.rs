//! From a vendor's bytes to complete events: adapt, look up, complete.

pub(crate) mod stage;
