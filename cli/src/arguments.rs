//! The command line.

use anyhow::Context;
use clap::{Args, Parser, Subcommand, ValueEnum};
use jiff::Timestamp;
use rollcall::brake::{budget_key, quota_key};
use rollcall::ledger::State;
use rollcall::person::AccessPolicy;
use rollcall::plan::ActionClass;
use rollcall::policy::{AuditMode, Policy};
use rollcall::routes::Function;
use std::path::PathBuf;

/// Looks after a Rollcall stack: what is held, the mass-change brake, and the licence audit.
#[derive(Parser)]
#[command(name = "rollcall", version)]
pub(crate) struct Arguments {
    #[command(flatten)]
    pub(crate) stack: StackArguments,
    /// How to print.
    #[arg(long, global = true, value_enum, default_value_t = Output::Table)]
    pub(crate) output: Output,
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// Where the stack is.
#[derive(Args)]
pub(crate) struct StackArguments {
    /// The ledger table: the stack's output `LedgerTable`.
    #[arg(long, global = true, env = "ROLLCALL_TABLE", default_value = "")]
    pub(crate) table: String,
    /// The queues that released events go to: `<function>=<url>`, for example `suspend-user=https://…`; the stack's outputs
    /// `<Function>QueueUrl`. May be given several times, or with commas.
    #[arg(long = "queue", global = true, env = "ROLLCALL_QUEUES", value_delimiter = ',', value_parser = queue)]
    pub(crate) queues: Vec<(String, String)>,
    /// The stack's secret `PersonKey`. With it, `held show` opens the event; nothing else needs it.
    #[arg(long, global = true, env = "ROLLCALL_PERSON_KEY", hide_env_values = true)]
    pub(crate) person_key: Option<String>,
    /// A profile of the AWS configuration files.
    #[arg(long, global = true)]
    pub(crate) profile: Option<String>,
    /// An AWS Region.
    #[arg(long, global = true)]
    pub(crate) region: Option<String>,
    /// Where AWS answers, for example a local one.
    #[arg(long, global = true)]
    pub(crate) endpoint_url: Option<String>,
}

/// How to print.
#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Output {
    /// For people.
    Table,
    /// For programs: one JSON value.
    Json,
}

#[derive(Subcommand)]
pub(crate) enum Command {
    /// Events that wait for a person.
    #[command(subcommand)]
    Held(HeldCommand),
    /// The mass-change brake.
    #[command(subcommand)]
    Brake(BrakeCommand),
    /// The licence audit.
    #[command(subcommand)]
    Audit(AuditCommand),
    /// Tells the whole story of a person or an event: what HR says, what came, what was decided and sent, and who had a say.
    Why {
        /// An event's id, a person's hash, an address, `worker:<number>` or `subject:<id>`. Identifiers of people need the
        /// person key.
        who: String,
        #[command(flatten)]
        policy: PolicyArgument,
    },
    /// Draws up what the ledger can prove: one person's access as a document, or every record of a time as JSON lines. Exit
    /// code 1 where no access is due and no lock-out is proven.
    Proof {
        /// A person, or an event of theirs, as for `why`.
        #[arg(required_unless_present = "since", conflicts_with = "since")]
        who: Option<String>,
        /// Every record that ended at this time or later, for example `2026-11-01T00:00:00Z`.
        #[arg(long)]
        since: Option<Timestamp>,
        /// And before this one. Default: now.
        #[arg(long, requires = "since")]
        until: Option<Timestamp>,
        #[command(flatten)]
        policy: PolicyArgument,
    },
}

/// The policy that says whether leaves and inactive logins take access.
#[derive(Args)]
pub(crate) struct PolicyArgument {
    /// The policy document.
    #[arg(long, default_value = "policy.json")]
    policy: PathBuf,
}

impl PolicyArgument {
    /// What takes access, by this policy.
    pub(crate) fn read(&self) -> anyhow::Result<AccessPolicy> {
        let text = std::fs::read_to_string(&self.policy)
            .with_context(|| format!("{} cannot be read", self.policy.display()))?;
        Ok(Policy::parse(&text)?.access_policy())
    }
}

#[derive(Subcommand)]
pub(crate) enum AuditCommand {
    /// Audits the directory from here, and writes the report into a folder. Changes nothing.
    Run {
        /// Where reports and what lies between two steps are kept.
        #[arg(long, default_value = "rollcall-audit")]
        folder: PathBuf,
        /// The run's name; the same name goes on with a run that was cut off. Default: the time.
        #[arg(long)]
        name: Option<String>,
        /// The roster: CSV or JSON, as HR exports it. Without one, nothing is said that rests on HR.
        #[arg(long)]
        roster: Option<PathBuf>,
        /// A weekly usage report of Chime. May be given several times.
        #[arg(long)]
        usage: Vec<PathBuf>,
        /// The policy document.
        #[arg(long, default_value = "policy.json")]
        policy: PathBuf,
        /// Only report, or make a plan that `audit apply` may apply. Default: as the policy says.
        #[arg(long, value_enum)]
        mode: Option<Mode>,
    },
    /// Shows the numbers of a run, and its plan.
    Show {
        /// The run's name.
        run: String,
        #[command(flatten)]
        place: AuditPlace,
    },
    /// Asks for what a plan proposes, as far as roster and directory still say so. What was asked for before is not again.
    Apply {
        /// The run's name.
        run: String,
        #[command(flatten)]
        place: AuditPlace,
        /// The plan's digest, as `audit show` tells it: what you have looked at is what is applied.
        #[arg(long)]
        digest: String,
        /// The stack's bus: its output `BusName`.
        #[arg(long)]
        bus: String,
        /// The policy document.
        #[arg(long, default_value = "policy.json")]
        policy: PathBuf,
        /// The roster of today, with --folder.
        #[arg(long)]
        roster: Option<PathBuf>,
        /// The stack's roster table, its output `RosterTableName`, with --bucket. Needs the person key.
        #[arg(long)]
        roster_table: Option<String>,
    },
}

/// Where a run is.
#[derive(Args)]
pub(crate) struct AuditPlace {
    /// The folder of a run from here.
    #[arg(long, default_value = "rollcall-audit")]
    pub(crate) folder: PathBuf,
    /// The stack's bucket, its output `AuditBucketName`, for a run of the state machine.
    #[arg(long)]
    pub(crate) bucket: Option<String>,
}

/// What becomes of what an audit would do.
#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Mode {
    /// It is told.
    Report,
    /// A plan is made.
    Propose,
}

impl Mode {
    pub(crate) fn audit(self) -> AuditMode {
        match self {
            Mode::Report => AuditMode::Report,
            Mode::Propose => AuditMode::Propose,
        }
    }
}

#[derive(Subcommand)]
pub(crate) enum HeldCommand {
    /// Lists what waits, oldest first.
    List {
        /// Only what waits like this.
        #[arg(long, value_enum, default_value_t = Waiting::Any)]
        state: Waiting,
        /// At most so many.
        #[arg(long, default_value_t = 1000)]
        limit: usize,
    },
    /// Shows one event: why it waits, what it would do, and with the person key whom it is about.
    Show {
        /// Its id (`<eventId>`, or `<function>#<eventId>`).
        event: String,
    },
    /// Sends events down the whole road again, each exactly once. What is due by then is applied, and nothing else.
    Release {
        #[command(flatten)]
        which: Which,
        /// Who releases them: kept with each event.
        #[arg(long, env = "ROLLCALL_OPERATOR")]
        by: String,
    },
    /// Ends events for good: nothing is applied, and the facts they assert are void.
    Reject {
        #[command(flatten)]
        which: Which,
        /// Who rejects them: kept with each event.
        #[arg(long, env = "ROLLCALL_OPERATOR")]
        by: String,
        /// Why: kept with each event.
        #[arg(long)]
        reason: String,
        /// Though its release is on its way: whichever comes first wins.
        #[arg(long)]
        force: bool,
    },
}

/// Which events.
#[derive(Args)]
#[group(required = true, multiple = false)]
pub(crate) struct Which {
    /// Their ids (`<eventId>`, or `<function>#<eventId>`).
    #[arg(value_name = "EVENT")]
    pub(crate) events: Vec<String>,
    /// All that wait like this.
    #[arg(long, value_enum)]
    pub(crate) all: Option<Waiting>,
}

/// How an event waits.
#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Waiting {
    /// Held: by the brake, for protection, or for a fact that is not there.
    Held,
    /// Observed: recorded in observe mode.
    Observed,
    /// Either.
    Any,
}

impl Waiting {
    pub(crate) fn states(self) -> &'static [State] {
        match self {
            Waiting::Held => &[State::Held],
            Waiting::Observed => &[State::Observed],
            Waiting::Any => &[State::Held, State::Observed],
        }
    }
}

#[derive(Subcommand)]
pub(crate) enum BrakeCommand {
    /// Shows each budget: what is used, what is allowed, and since when it holds everything.
    Show {
        /// The policy document with the limits.
        #[arg(long, default_value = "policy.json")]
        policy: PathBuf,
    },
    /// Empties a budget's window and opens its latch. Releases nothing.
    Reset {
        /// `access`, `licence`, `access@<account id>`, `licence@<account id>` or `group:<name>`.
        #[arg(value_parser = BudgetName::parse)]
        budget: BudgetName,
    },
    /// Tells how many registered, unsuspended users there are: what `percent` is a share of, for seven days.
    Population {
        /// In all accounts.
        users: u64,
        /// In one account: `<account id>=<users>`. May be given several times.
        #[arg(long = "account", value_parser = account_users)]
        accounts: Vec<(String, u64)>,
    },
}

/// Names a budget on the command line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum BudgetName {
    Class(ActionClass, Option<String>),
    Group(String),
}

impl BudgetName {
    fn parse(text: &str) -> Result<BudgetName, String> {
        if let Some(group) = text.strip_prefix("group:") {
            return Ok(BudgetName::Group(group.to_owned()));
        }
        let (class, account) = text.split_once('@').map_or((text, None), |(class, account)| (class, Some(account)));
        let class = ActionClass::ALL.into_iter().find(|known| known.as_str() == class);
        class
            .map(|class| BudgetName::Class(class, account.map(str::to_owned)))
            .ok_or_else(|| "must be access, licence, access@<account id>, licence@<account id> or group:<name>".into())
    }

    pub(crate) fn key(&self) -> String {
        match self {
            BudgetName::Class(class, account) => budget_key(*class, account.as_deref()),
            BudgetName::Group(group) => quota_key(group),
        }
    }
}

fn queue(text: &str) -> Result<(String, String), String> {
    let (function, url) = text.split_once('=').ok_or("must be <function>=<url>")?;
    if Function::ALL.iter().any(|known| known.as_str() == function) {
        return Ok((function.to_owned(), url.to_owned()));
    }
    let known: Vec<&str> = Function::ALL.iter().map(|function| function.as_str()).collect();
    Err(format!("must begin with a function: {}", known.join(", ")))
}

fn account_users(text: &str) -> Result<(String, u64), String> {
    let (account, users) = text.split_once('=').ok_or("must be <account id>=<users>")?;
    Ok((account.to_owned(), users.parse().map_err(|_| "must be <account id>=<users>, users being a number")?))
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn the_command_line_is_consistent() {
        Arguments::command().debug_assert();
    }

    #[test]
    fn a_budget_has_its_key() {
        let table = [
            ("access", "budget#access"),
            ("licence@a-1", "budget#licence#a-1"),
            ("group:administrators", "budget#group#administrators"),
        ];
        for (name, key) in table {
            assert_eq!(BudgetName::parse(name).map(|name| name.key()), Ok(key.to_owned()));
        }
        assert!(BudgetName::parse("acces").is_err());
    }

    #[test]
    fn events_or_all_but_not_both_and_not_neither() {
        let parses = |words: &str| Arguments::try_parse_from(words.split(' ')).is_ok();
        assert!(parses("rollcall held release e-1 e-2 --by me"));
        assert!(parses("rollcall held reject --all held --by me --reason wrong"));
        assert!(!parses("rollcall held release --by me"));
        assert!(!parses("rollcall held release e-1 --all held --by me"));
        assert!(!parses("rollcall held reject e-1 --by me"), "a reject needs its reason");
    }
}
