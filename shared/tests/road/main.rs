//! The road from end to end: the real handler, the real SDK clients, an embedded DynamoDB and the local Chime.

#![expect(clippy::unwrap_used, reason = "a helper of a test that cannot go on may panic, as its tests may")]

mod announced;
mod bad_input;
mod brake;
mod counts;
mod crash;
mod evidence;
mod fences;
mod gauges;
mod holds;
mod identity;
mod invite;
mod laws;
mod logout;
mod orders;
mod privacy;
mod protected;
mod received;
mod reconcile;
mod reinstate;
mod relicense;
mod removal;
mod roster;
mod stage;
mod suspend;
mod unknown;
