//! The real tool against an embedded DynamoDB, the local Chime, and stand-ins for the few calls of SSM, SQS, EventBridge and
//! Lambda that it makes. What waits or is parked got there by the real road.

#![expect(clippy::unwrap_used, reason = "a helper of a test that cannot go on may panic, as its tests may")]

mod account;
mod audit;
mod aws;
mod brake;
mod dynamo;
mod held;
mod parked;
mod pause;
mod permissions;
mod send;
mod stack;
mod stage;
mod status;
mod story;
