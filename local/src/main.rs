//! `rollcall-local chime`: the local Chime as a server of its own.

use anyhow::{Context, Result};
use clap::{Parser, Subcommand};
use rollcall_local::chime::{LocalChime, seed};
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
    Chime {
        /// Accounts and users to start with: {"accounts":[{…, "users":[…]}]}.
        #[arg(long)]
        seed: PathBuf,
        /// The port; 0 takes a free one.
        #[arg(long, default_value_t = 0)]
        port: u16,
    },
}

#[tokio::main(flavor = "current_thread")]
#[expect(clippy::print_stdout, reason = "the address is what the program prints")]
async fn main() -> Result<()> {
    match Arguments::parse().command {
        Command::Chime { seed: path, port } => {
            let text = std::fs::read_to_string(&path).with_context(|| format!("{} cannot be read", path.display()))?;
            let chime = LocalChime::start(seed::read(&text)?, port).await?;
            println!("{}", serde_json::json!({ "chime": chime.endpoint() }));
            tokio::signal::ctrl_c().await?;
        }
    }
    Ok(())
}
