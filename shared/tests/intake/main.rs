//! Intake: from what senders send to worker events, with the roster on an embedded `DynamoDB` and local APIs of vendors.

#![expect(clippy::unwrap_used, reason = "a helper of a test that cannot go on may panic, as its tests may")]

mod complete;
mod vendors;
