//! The road from end to end: the real handler, the real SDK clients, an embedded DynamoDB and the local Chime.

mod stage;
mod suspend;
