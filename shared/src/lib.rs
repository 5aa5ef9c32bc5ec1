//! The core of Rollcall: what happens between an HR event on a queue and a Chime account that follows it.
//!
//! The road of one batch, one module a step:
//!
//! 1. [`event`]: parse a message body into a [`event::WorkerEvent`] that cannot be wrong, or refuse it.
//! 2. [`ledger`]: recall what is known of events and persons; claim; settle (DynamoDB).
//! 3. [`directory`]: look people up, and the port to whatever holds the accounts (Amazon Chime).
//! 4. [`decide`]: from event, facts and directory to a [`decide::Decision`]. Pure.
//! 5. [`apply`]: the only code that changes the directory, in as few calls as it allows.
//! 6. [`batch`]: SQS in, the road for all messages together, exactly the messages to see again out.
//!
//! Beside the road: [`reconcile`] (what a silent stream missed), [`roster`] (everybody whom HR knows, from a file), [`runs`] (sorted pieces of something large),
//! [`store`] (objects).
//!
//! What those steps speak of: [`person`] (identifiers, facts, what is due), [`plan`] (steps), [`outcome`], [`failure`]
//! (will trying again help?), [`routes`] (which function consumes what). Around them: [`config`], [`policy`], [`rules`] (the
//! policy in force), [`seal`],
//! [`host`] (time and chance), [`queue`], [`telemetry`], [`start`] (wiring).

pub mod apply;
pub mod audit;
pub mod batch;
pub mod brake;
pub mod bus;
pub mod config;
pub mod decide;
pub mod directory;
pub mod event;
pub mod failure;
pub mod host;
pub mod intake;
pub mod ledger;
pub mod outcome;
pub mod pattern;
pub mod person;
pub mod plan;
pub mod policy;
pub mod protect;
pub mod queue;
pub mod reconcile;
pub mod release;
pub mod roster;
pub mod routes;
pub mod rules;
pub mod runs;
pub mod seal;
pub mod start;
pub mod store;
pub mod telemetry;
