//! The road from end to end: the real handler, the real SDK clients, an embedded DynamoDB and the local Chime.

mod bad_input;
mod counts;
mod crash;
mod laws;
mod orders;
mod stage;
mod suspend;
mod unknown;
