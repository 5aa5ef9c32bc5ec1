//! The command line: what every command shares. Each command's own arguments are in its module.

#[cfg(test)]
mod papers;

use crate::account::AccountCommand;
use crate::audit::AuditCommand;
use crate::brake::BrakeCommand;
use crate::completions::Completions;
use crate::held::HeldCommand;
use crate::parked::ParkedCommand;
use crate::pause::Pause;
use crate::proof::Evidence;
use crate::send::Send;
use crate::status::Status;
use crate::why::Why;
use clap::{Args, Parser, Subcommand, ValueEnum};
use rollcall::routes::Function;

/// Looks after a Rollcall stack.
///
/// Exit codes: 0, all that was asked for is done; 1, something was not, or needs a person, and each such thing is told; 2,
/// the command line is wrong.
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
    /// The `CloudFormation` stack: where everything is, is read from its parameter `/<stack>/operator`. The places below
    /// win over what stands there; where this flag is given, those of the environment do not count.
    #[arg(long, global = true, env = "ROLLCALL_STACK", value_name = "NAME")]
    pub(crate) stack_name: Option<String>,
    /// A profile of the AWS configuration files.
    #[arg(long, global = true)]
    pub(crate) profile: Option<String>,
    /// An AWS Region.
    #[arg(long, global = true)]
    pub(crate) region: Option<String>,
    /// Where AWS answers, for example a local one.
    #[arg(long, global = true, value_name = "URL")]
    pub(crate) endpoint_url: Option<String>,
    /// Where Amazon Chime answers, for example the local one. Wins over --endpoint-url.
    #[arg(long, global = true, env = "AWS_ENDPOINT_URL_CHIME", value_name = "URL")]
    pub(crate) chime_endpoint_url: Option<String>,
    /// The ledger table: the stack's output `LedgerTable`.
    #[arg(long, global = true, env = "ROLLCALL_TABLE", help_heading = "Places")]
    pub(crate) table: Option<String>,
    /// The roster table: the stack's output `RosterTableName`.
    #[arg(long, global = true, env = "ROLLCALL_ROSTER_TABLE", help_heading = "Places")]
    pub(crate) roster_table: Option<String>,
    /// The bus: the stack's output `BusName`.
    #[arg(long, global = true, env = "ROLLCALL_BUS", help_heading = "Places")]
    pub(crate) bus: Option<String>,
    /// The queues of the functions: `<function>=<url>`, for example `suspend-user=https://…`; the stack's outputs
    /// `<Function>QueueUrl`. May be given several times, or with commas.
    #[arg(long = "queue", global = true, env = "ROLLCALL_QUEUES", value_delimiter = ',', value_parser = of_function,
        value_name = "FUNCTION=URL", help_heading = "Places")]
    pub(crate) queues: Vec<Option<(Function, String)>>,
    /// Their dead-letter queues, likewise.
    #[arg(long = "dlq", global = true, env = "ROLLCALL_DLQS", value_delimiter = ',', value_parser = of_function,
        value_name = "FUNCTION=URL", help_heading = "Places")]
    pub(crate) dlqs: Vec<Option<(Function, String)>>,
    /// The ids of their event source mappings, likewise.
    #[arg(long = "mapping", global = true, env = "ROLLCALL_MAPPINGS", value_delimiter = ',', value_parser = of_function,
        value_name = "FUNCTION=ID", help_heading = "Places")]
    pub(crate) mappings: Vec<Option<(Function, String)>>,
    /// The stack's secret `PersonKey`. Without it, a command that needs it reads the secret of the stack.
    #[arg(long, global = true, env = "ROLLCALL_PERSON_KEY", hide_env_values = true, help_heading = "Places")]
    pub(crate) person_key: Option<String>,
}

impl StackArguments {
    /// Keeps only the places whose names pass.
    pub(crate) fn keep(&mut self, passes: impl Fn(&str) -> bool) {
        let one = [
            ("table", &mut self.table),
            ("roster_table", &mut self.roster_table),
            ("bus", &mut self.bus),
            ("person_key", &mut self.person_key),
        ];
        one.into_iter().filter(|(name, _)| !passes(name)).for_each(|(_, place)| *place = None);
        let several = [("queues", &mut self.queues), ("dlqs", &mut self.dlqs), ("mappings", &mut self.mappings)];
        several.into_iter().filter(|(name, _)| !passes(name)).for_each(|(_, places)| places.clear());
    }
}

/// How to print.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Output {
    /// For people.
    Table,
    /// For programs: one JSON value, and errors as `{"error": "…"}`.
    Json,
}

#[derive(Subcommand)]
pub(crate) enum Command {
    /// Validates events and publishes them on the stack's bus.
    Send(Send),
    /// How the stack is, on one screen. Exits 1 where something needs a person.
    Status(Status),
    /// Events that wait for a person.
    #[command(subcommand)]
    Held(HeldCommand),
    /// Events that were refused for good.
    #[command(subcommand)]
    Parked(ParkedCommand),
    /// The mass-change brake.
    #[command(subcommand)]
    Brake(BrakeCommand),
    /// Stops functions from taking messages: those wait in their queues.
    Pause(Pause),
    /// Lets paused functions take messages again.
    Resume(Pause),
    /// Tells the whole story of a person or an event: what HR says, what came, what was decided and sent, and who had a say.
    Why(Why),
    /// Draws up what the ledger can prove: one person's access as a document, or every record of a time as JSON lines. Exit
    /// code 1 where no access is due and no lock-out is proven.
    Proof(Evidence),
    /// The licence audit.
    #[command(subcommand)]
    Audit(AuditCommand),
    /// Amazon Chime's own accounts.
    #[command(subcommand)]
    Account(AccountCommand),
    /// Prints what a shell needs to complete this tool's words.
    Completions(Completions),
}

/// Reads the name of a function.
pub(crate) fn function(text: &str) -> Result<Function, String> {
    let known: Vec<&str> = Function::ALL.iter().map(|function| function.as_str()).collect();
    let found = Function::ALL.into_iter().find(|function| function.as_str() == text);
    found.ok_or_else(|| format!("must be a function: {}", known.join(", ")))
}

/// Reads what must say something: who did a thing, for example.
pub(crate) fn words(text: &str) -> Result<String, String> {
    if text.trim().is_empty() {
        return Err("must say something".to_owned());
    }
    Ok(text.to_owned())
}

/// Reads something of a function. An empty variable of the environment names nothing.
fn of_function(text: &str) -> Result<Option<(Function, String)>, String> {
    if text.is_empty() {
        return Ok(None);
    }
    let (name, value) = text.split_once('=').ok_or("must be <function>=<value>")?;
    Ok(Some((function(name)?, value.to_owned())))
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
    fn events_or_all_but_not_both_and_not_neither() {
        let parses = |words: &str| Arguments::try_parse_from(words.split(' ')).is_ok();
        assert!(parses("rollcall held release e-1 e-2 --by me"));
        assert!(parses("rollcall held reject --all held --by me --reason wrong"));
        assert!(!parses("rollcall held release --by me"));
        assert!(!parses("rollcall held release e-1 --all held --by me"));
        assert!(parses("rollcall held release --all held --reason mass_change,undatable --yes --by me"));
        assert!(parses("rollcall held release --all observed --by me"), "there is one reason only");
        assert!(!parses("rollcall held release --all held --by me"), "for which reason?");
        assert!(!parses("rollcall held release --all any --yes --by me"), "for which reason?");
        assert!(!parses("rollcall held release --all held --reason brake --by me"), "no such reason");
        assert!(!parses("rollcall held release e-1 --reason any --by me"));
        let by_nobody = |by| Arguments::try_parse_from(["rollcall", "held", "release", "e-1", "--by", by]).is_err();
        assert!(by_nobody("") && by_nobody(" "), "who?");
        assert!(!parses("rollcall held reject e-1 --by me"), "a reject needs its reason");
        assert!(parses("rollcall parked redrive e-1"));
        assert!(parses("rollcall parked redrive --all --function suspend-user"));
        assert!(!parses("rollcall parked redrive"));
        assert!(!parses("rollcall parked redrive e-1 --all"));
        assert!(!parses("rollcall parked redrive e-1 --function suspend-user"), "an event has its function");
        assert!(!parses("rollcall parked redrive --all --function suspend"), "no such function");
        assert!(parses("rollcall pause suspend-user logout-user"));
        assert!(parses("rollcall resume --all"));
        assert!(!parses("rollcall pause"));
        assert!(!parses("rollcall pause suspend-user --all"));
        assert!(!parses("rollcall send"), "which file?");
    }

    #[test]
    fn a_place_of_a_function_names_it() {
        let url = "https://sqs.eu-west-1.amazonaws.com/111122223333/q?a=b";
        assert_eq!(of_function(&format!("logout-user={url}")), Ok(Some((Function::LogoutUser, url.to_owned()))));
        assert!(of_function("logout=x").is_err());
        assert!(of_function("logout-user").is_err());
    }
}
