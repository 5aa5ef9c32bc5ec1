//! The six functions, in the simulator's own words: whose queue an event belongs to.

use crate::oracle::{Kind, Phase};

/// A function that consumes events from a queue of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Function {
    /// Invites who was hired.
    Invite,
    /// Takes access away.
    Suspend,
    /// Gives access back.
    Reinstate,
    /// Ends sessions after a compromise.
    Logout,
    /// Sets licences.
    Relicense,
    /// Keeps what is announced.
    Intake,
}

impl Function {
    /// All of them.
    pub const ALL: [Function; 6] = [
        Function::Invite,
        Function::Suspend,
        Function::Reinstate,
        Function::Logout,
        Function::Relicense,
        Function::Intake,
    ];

    /// Its name, and the prefix of its records.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Function::Invite => "invite-user",
            Function::Suspend => "suspend-user",
            Function::Reinstate => "reinstate-user",
            Function::Logout => "logout-user",
            Function::Relicense => "relicense-user",
            Function::Intake => "hr-intake",
        }
    }

    /// The key of a record.
    #[must_use]
    pub fn key(self, id: &str) -> String {
        format!("{}#{id}", self.word())
    }

    /// The function whose record a key names; `None` for all other items.
    #[must_use]
    pub fn of_key(key: &str) -> Option<Function> {
        let (prefix, _) = key.split_once('#')?;
        Function::ALL.into_iter().find(|function| function.word() == prefix)
    }

    /// Whose queue an event goes to. Whatever is announced is for the intake.
    #[must_use]
    pub fn of(kind: Kind, phase: Phase, active: bool) -> Function {
        match (kind, phase) {
            (
                Kind::Hire
                | Kind::Termination
                | Kind::Rehire
                | Kind::JobChange
                | Kind::Leave
                | Kind::Return
                | Kind::Identity,
                Phase::Scheduled,
            ) => Function::Intake,
            (Kind::Hire, Phase::Effective) => Function::Invite,
            (Kind::Termination | Kind::Leave, Phase::Effective)
            | (Kind::Hire | Kind::Rehire | Kind::Return, Phase::Rescinded)
            | (Kind::Identity, Phase::Effective | Phase::Rescinded) => Function::Suspend,
            (Kind::Rehire | Kind::Return, Phase::Effective) | (Kind::Termination | Kind::Leave, Phase::Rescinded) => {
                Function::Reinstate
            }
            (Kind::Login, Phase::Scheduled | Phase::Effective | Phase::Rescinded) => {
                if active {
                    Function::Reinstate
                } else {
                    Function::Suspend
                }
            }
            (Kind::JobChange, Phase::Effective | Phase::Rescinded)
            | (Kind::Reclaim, Phase::Scheduled | Phase::Effective | Phase::Rescinded) => Function::Relicense,
            (Kind::Compromise, Phase::Scheduled | Phase::Effective | Phase::Rescinded) => Function::Logout,
        }
    }
}

/// A key without its function.
#[must_use]
pub fn short(key: &str) -> &str {
    Function::of_key(key).and_then(|_| key.split_once('#')).map_or(key, |(_, id)| id)
}
