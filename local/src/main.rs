//! `rollcall-local chime`: the local Chime as a server of its own.

use anyhow::{Context, Result};
use clap::{Args, Parser, Subcommand};
use rollcall_local::chime::core::Core;
use rollcall_local::chime::generate::{Plan, company};
use rollcall_local::chime::state::GlobalSettings;
use rollcall_local::chime::{LocalChime, seed};
use rollcall_local::stack::interrupted;
use serde_json::json;
use std::io::Write;
use std::path::PathBuf;

/// The whole of Rollcall on one machine.
#[derive(Parser)]
#[command(version)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Serves the Amazon Chime admin API on 127.0.0.1 until Ctrl-C.
    Chime(Chime),
}

#[derive(Args)]
struct Chime {
    /// Accounts and users to start with: {"accounts":[{…, "users":[…]}]}; a snapshot is one, too.
    #[arg(long)]
    seed: Option<PathBuf>,
    /// Accounts and users to make up, the same for the same numbers: accounts=3,users=100000,rng-seed=7.
    #[arg(long)]
    generate: Option<Plan>,
    /// What to do where the documentation leaves it open: name=alternative; again for more.
    #[arg(long, value_name = "NAME=ALTERNATIVE")]
    choose: Vec<String>,
    /// The port; 0 takes a free one.
    #[arg(long, default_value_t = 0)]
    port: u16,
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<()> {
    match Arguments::parse().command {
        Command::Chime(arguments) => serve(arguments).await,
    }
}

async fn serve(arguments: Chime) -> Result<()> {
    let (mut accounts, mut global) = (Vec::new(), GlobalSettings::default());
    if let Some(path) = &arguments.seed {
        let text = std::fs::read(path).with_context(|| format!("{} cannot be read", path.display()))?;
        (accounts, global) = seed::read_all(&text)?;
    }
    accounts.extend(arguments.generate.map(company).unwrap_or_default());
    let users: usize = accounts.iter().map(rollcall_local::chime::state::AccountState::len).sum();
    let told = json!({ "accounts": accounts.len(), "users": users });
    let mut core = Core::default();
    core.replace(accounts, global);
    for choice in &arguments.choose {
        let (name, value) = choice.split_once('=').with_context(|| format!("{choice:?} is not name=alternative"))?;
        core.choices_mut().set(name, value)?;
    }
    let chime = LocalChime::serve(core, arguments.port).await?;
    let endpoint = chime.endpoint();
    let line = json!({
        "chime": endpoint, "page": format!("{endpoint}/"), "hooks": format!("{endpoint}/_local/"), "holds": told,
    });
    writeln!(std::io::stdout(), "{line}")?;
    interrupted().await
}
