//! hr-receive from a function URL's event to the receipt in the store and the message on the queue: the real handler and
//! the real SDK clients, against a store of files, and a Parameter Store and a queue that record.

#![expect(clippy::unwrap_used, reason = "a helper of a test that cannot go on may panic, as its tests may")]

mod addresses;
mod faults;
mod privacy;
mod senders;
mod signatures;
mod stage;
mod tokens;
