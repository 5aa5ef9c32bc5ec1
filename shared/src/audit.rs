//! The licence audit: what each licence costs, who should lose one and why.

mod finding;
pub mod report;

pub use finding::{
    AccountSummary, Action, Confidence, Effect, Exemption, Finding, Report, RosterState, RosterUsed, Rule, Savings,
    Summary, Withheld,
};
