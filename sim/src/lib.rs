//! wip
pub mod dynamo;
