//! The scenarios, and on which stage each is played.

use clap::ValueEnum;
use rollcall_local::demo;

/// What can be played, in the order that it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, ValueEnum)]
pub(crate) enum Scenario {
    /// The demo's: terminations in every account type, and what can go wrong with them.
    FirstLight,
    /// The demo's: a week of one person in each type of account, with every sample event.
    CompanyWeek,
    /// The demo's: a broken feed, the brake, and an operator.
    RunawayFeed,
    /// The demo's: a leaver for each HR and identity system.
    Sources,
    /// Changes are announced, corrected and taken back.
    Announcing,
    /// The policy document is broken: every function starts by the last good one.
    BrokenPolicy,
    /// The same event again, as an event and as a message.
    Redelivery,
    /// What was parked comes back: with its token, and without.
    Redrive,
    /// Records that cannot be done now among good ones.
    PartialBatch,
    /// A function is paused, events wait, and it goes on.
    Pause,
    /// A new version is deployed while events flow.
    NewVersion,
    /// A function's process dies in the middle of a batch.
    Crash,
    /// What was announced comes true at its time.
    Announced,
    /// What functions seldom do, and have permissions for.
    EveryAction,
    /// A roster, audits by the state machine, and what they ask for.
    Audit,
    /// The reconcile pass finds whom the streams forgot.
    Reconcile,
    /// 10,000 events while Chime misbehaves.
    Load,
}

/// A company, and the stack that it is played on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Stage {
    /// A scenario of the demo brings its own.
    Demo(Demo),
    /// Many people in a Team and an EnterpriseLWA account, all with recognisable names, addresses and PINs.
    Company,
    /// The demo's company, and the policy of the repository.
    Acme,
    /// As many people as events.
    Crowd,
}

/// The demo's scenarios. Its own enumeration has no order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Demo {
    FirstLight,
    CompanyWeek,
    RunawayFeed,
    Sources,
}

impl Demo {
    pub(crate) fn scenario(self) -> demo::Scenario {
        match self {
            Demo::FirstLight => demo::Scenario::FirstLight,
            Demo::CompanyWeek => demo::Scenario::CompanyWeek,
            Demo::RunawayFeed => demo::Scenario::RunawayFeed,
            Demo::Sources => demo::Scenario::Sources,
        }
    }
}

impl Scenario {
    /// The name on the command line, and of the program that plays it.
    pub(crate) fn name(self) -> String {
        self.to_possible_value().map(|value| value.get_name().to_owned()).unwrap_or_default()
    }

    /// Where it is played.
    pub(crate) fn stage(self) -> Stage {
        match self {
            Scenario::FirstLight => Stage::Demo(Demo::FirstLight),
            Scenario::CompanyWeek => Stage::Demo(Demo::CompanyWeek),
            Scenario::RunawayFeed => Stage::Demo(Demo::RunawayFeed),
            Scenario::Sources => Stage::Demo(Demo::Sources),
            Scenario::Announcing
            | Scenario::BrokenPolicy
            | Scenario::Redelivery
            | Scenario::Redrive
            | Scenario::PartialBatch
            | Scenario::Pause
            | Scenario::NewVersion
            | Scenario::Crash
            | Scenario::Announced
            | Scenario::EveryAction => Stage::Company,
            Scenario::Audit | Scenario::Reconcile => Stage::Acme,
            Scenario::Load => Stage::Crowd,
        }
    }

    /// Whether it is played when none is named: it takes less than four minutes.
    pub(crate) fn by_default(self) -> bool {
        self.stage() != Stage::Crowd
    }
}
