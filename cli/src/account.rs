//! Amazon Chime's own accounts. With its parts the only place of the tool that names `aws_sdk_chime`.

mod close;
mod settings;

use crate::arguments::Output;
use crate::aws;
use crate::report::{Report, table};
use crate::stack::Stack;
use anyhow::{Context, Result};
use aws_sdk_chime::Client;
use aws_sdk_chime::config::retry::RetryConfig;
use aws_sdk_chime::error::SdkError;
use aws_sdk_chime::types::{Account, License};
use clap::Subcommand;
use rollcall::directory::AccountId;
use rollcall::directory::chime::Throttled;
use serde::Serialize;
use settings::Switch;

/// How often the SDK sends a call: nobody waits for a lease here, and a throttled listing should come to its end.
const ATTEMPTS: u32 = 8;

#[derive(Subcommand)]
pub(crate) enum AccountCommand {
    /// Lists the accounts of this AWS account.
    List,
    /// Creates a Team account. Chime makes no other: it becomes an Enterprise account when a domain is claimed, in the
    /// console.
    Create {
        /// Its name, 1 to 100 characters.
        #[arg(value_parser = account_name)]
        name: String,
    },
    /// Gives an account another name.
    Rename {
        /// The account's id.
        #[arg(value_parser = account_id)]
        account: AccountId,
        /// Its new name, 1 to 100 characters.
        #[arg(value_parser = account_name)]
        name: String,
    },
    /// Shows the settings of an account, and changes those that are given.
    Settings {
        /// The account's id.
        #[arg(value_parser = account_id)]
        account: AccountId,
        /// Whether people may take control of a shared screen.
        #[arg(long, value_enum)]
        remote_control: Option<Switch>,
        /// Whether people may be called by a meeting.
        #[arg(long, value_enum)]
        dial_out: Option<Switch>,
    },
    /// Closes an account for good: removes its people in batches of 50, then deletes it. Goes on where it was cut off.
    Close {
        /// The account's id.
        #[arg(value_parser = account_id)]
        account: AccountId,
        /// The account's name, so that nobody is asked to type it.
        #[arg(long, value_name = "NAME")]
        yes: Option<String>,
    },
}

/// One account.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Line {
    id: String,
    name: String,
    #[serde(rename = "type")]
    kind: String,
    status: String,
    default_license: String,
    supported_licenses: Vec<String>,
}

impl Line {
    fn of(account: &Account) -> Line {
        Line {
            id: account.account_id.clone(),
            name: account.name.clone(),
            kind: account.account_type.as_ref().map(|kind| kind.as_str().to_owned()).unwrap_or_default(),
            status: account.account_status.as_ref().map(|status| status.as_str().to_owned()).unwrap_or_default(),
            default_license: account.default_license.as_ref().map(|it| it.as_str().to_owned()).unwrap_or_default(),
            supported_licenses: account.supported_licenses().iter().map(License::as_str).map(str::to_owned).collect(),
        }
    }
}

pub(crate) async fn run(command: &AccountCommand, stack: &Stack<'_>, output: Output) -> Result<Report> {
    let chime = &client(stack).await;
    match command {
        AccountCommand::List => {
            let pages = chime.list_accounts().into_paginator().send();
            let pages: Vec<_> = pages.collect::<Result<_, _>>().await.map_err(aws::told)?;
            let lines: Vec<Line> = pages.iter().flat_map(|page| page.accounts()).map(Line::of).collect();
            Ok(Report::of(&lines, output, |lines| tell(lines)))
        }
        AccountCommand::Create { name } => {
            let line = Line::of(&create(chime, name).await?);
            Ok(Report::of(&line, output, |line| tell(std::slice::from_ref(line))))
        }
        AccountCommand::Rename { account, name } => {
            let renamed = chime.update_account().account_id(account.as_ref()).name(name).send().await;
            let line =
                Line::of(&renamed.map_err(aws::told)?.account.context("Chime does not say what the account is now")?);
            Ok(Report::of(&line, output, |line| tell(std::slice::from_ref(line))))
        }
        AccountCommand::Settings { account, remote_control, dial_out } => {
            let changed = settings::change(chime, account, *remote_control, *dial_out).await?;
            Ok(Report::of(&changed, output, settings::tell))
        }
        AccountCommand::Close { account, yes } => {
            let closed = close::close(chime, account, yes.as_deref(), stack.host()).await?;
            Ok(Report { done: closed.deleted, ..Report::of(&closed, output, close::tell) })
        }
    }
}

async fn client(stack: &Stack<'_>) -> Client {
    let retries = RetryConfig::standard().with_max_attempts(ATTEMPTS);
    let config = aws_sdk_chime::config::Builder::from(&stack.chime_sdk().await);
    // A call with all its attempts may take longer than one on the road.
    let timeouts =
        rollcall::start::timeouts().to_builder().operation_timeout(std::time::Duration::from_secs(60)).build();
    Client::from_conf(config.retry_config(retries).timeout_config(timeouts).retry_classifier(Throttled).build())
}

/// Sent once: `CreateAccount` knows no token, so a second send would make a second account.
async fn create(chime: &Client, name: &str) -> Result<Account> {
    let once = aws_sdk_chime::config::Config::builder().retry_config(RetryConfig::disabled());
    let answer = chime.create_account().name(name).customize().config_override(once).send().await;
    let answer = answer.map_err(|error| {
        let unanswered = !matches!(error, SdkError::ServiceError(_) | SdkError::ConstructionFailure(_));
        let told = aws::told(error);
        if unanswered {
            told.context("no answer; it may be there: `rollcall account list` before another try")
        } else {
            told
        }
    });
    answer?.account.context("Chime does not say what it created; look with `rollcall account list`")
}

fn tell(lines: &[Line]) -> String {
    let mut table = table(&["account", "name", "type", "status", "default licence", "licences"]);
    for line in lines {
        let licences = line.supported_licenses.join(", ");
        table.add_row([&line.id, &line.name, &line.kind, &line.status, &line.default_license, &licences]);
    }
    table.to_string()
}

fn account_id(text: &str) -> Result<AccountId, String> {
    AccountId::try_from(text.to_owned()).map_err(|error| error.to_string())
}

/// Source: the Amazon Chime API reference, `CreateAccount`: 1 to 100 characters, one of them not blank.
fn account_name(text: &str) -> Result<String, String> {
    if (1..=100).contains(&text.chars().count()) && !text.trim().is_empty() {
        return Ok(text.to_owned());
    }
    Err("must be 1 to 100 characters, one of them not blank".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_as_chime_takes_it() {
        for (name, taken) in [("Acme", true), (" a", true), ("", false), ("  ", false), (&"x".repeat(101), false)] {
            assert_eq!(account_name(name).is_ok(), taken, "{name:?}");
        }
        assert!(account_name(&"ü".repeat(100)).is_ok(), "characters, not bytes");
    }
}
