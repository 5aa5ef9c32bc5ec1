//! The simulator: the real road, the real ledger and directory adapters on the real SDK, in a world of its own.
//!
//! Time is virtual, chance comes from a seed, and every remote call goes through [`schedule`], where faults strike it:
//!
//! - [`functions`]: the five of them, and whose queue an event goes to;
//! - [`story`]: accounts, people, and what HR tells of them;
//! - [`faults`] and [`bounds`]: what may go wrong, how often, and how far;
//! - [`timeline`], [`call`], [`worker`]: time, calls, and the product on top of them;
//! - [`dynamo`]: the ledger's service; the directory's is the local Chime's core;
//! - [`watch`] and [`oracle`]: the invariants, and what is due by a model of its own;
//! - [`campaign`] and [`shrink`]: many runs, and the smallest that fails.

pub mod bounds;
pub mod call;
pub mod campaign;
pub mod dynamo;
mod fate;
pub mod faults;
pub mod functions;
mod mailbox;
pub mod mutants;
pub mod oracle;
pub mod schedule;
pub mod shrink;
pub mod story;
pub mod timeline;
pub mod watch;
pub mod worker;
