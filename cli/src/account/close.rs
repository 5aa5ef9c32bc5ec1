//! Closing an account for good.
//!
//! Chime deletes a Team account only when nobody is in it, and there `BatchSuspendUser` *removes*. Of an Enterprise account
//! the claimed domains must be released, which suspends everybody, and no operation of the API releases a domain: so nobody
//! is touched here, and Chime says whether they are.
//! Source: <https://docs.aws.amazon.com/goto/WebAPI/chime/DeleteAccount>.

use crate::aws;
use crate::report::table;
use anyhow::{Context, Result, bail};
use aws_sdk_chime::Client;
use aws_sdk_chime::error::ProvideErrorMetadata;
use aws_sdk_chime::types::{Account, AccountType, RegistrationStatus, User};
use indicatif::{ProgressBar, ProgressStyle};
use rollcall::directory::AccountId;
use rollcall::failure::{ServiceError, classify, user_error};
use rollcall::host::{Host, System};
use serde::Serialize;
use std::collections::BTreeMap;
use std::io::{BufRead, IsTerminal, Write};
use std::time::Duration;

/// The most users of one request. Source: the Amazon Chime API reference, `BatchSuspendUser`.
const BATCH: usize = 50;

/// The most users of one page. Source: the Amazon Chime API reference, `ListUsers`.
const PAGE: i32 = 200;

/// How often everybody who is left is tried.
const ROUNDS: u32 = 5;

/// The wait before the second round, doubled before each other.
const BACKOFF: Duration = Duration::from_secs(1);

/// What became of an account.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Closed {
    account: String,
    name: String,
    /// People who were removed by this command.
    removed: u64,
    /// People who are still there.
    left: u64,
    /// What Chime said of those it did not remove at once, and how often.
    errors: BTreeMap<String, u64>,
    /// Whether the account is deleted.
    pub(super) deleted: bool,
    message: String,
}

pub(super) async fn close(chime: &Client, id: &AccountId, yes: Option<&str>, host: &System) -> Result<Closed> {
    let account = chime.get_account().account_id(id.as_ref()).send().await.map_err(aws::told)?.account;
    let account = account.context("Chime does not tell what the account is")?;
    confirm(&account, yes)?;
    let mut closed = Closed {
        account: account.account_id.clone(),
        name: account.name.clone(),
        removed: 0,
        left: 0,
        errors: BTreeMap::new(),
        deleted: false,
        message: String::new(),
    };
    match account.account_type {
        Some(AccountType::Team) => {
            if let Err(error) = drain(chime, id, &mut closed, host).await {
                closed.message = format!("cut off, and not deleted: {error:#}; run it again");
                return Ok(closed);
            }
        }
        Some(_) => {}
        None => bail!("Chime does not tell the account's type, so nobody knows how to close it"),
    }
    if closed.left > 0 {
        closed.message = "people are left, so it is not deleted; run it again once the errors are mended".to_owned();
        return Ok(closed);
    }
    match chime.delete_account().account_id(id.as_ref()).send().await {
        Ok(_) => closed.deleted = true,
        // The answer to an earlier send was lost.
        Err(error) if error.code() == Some("NotFoundException") => closed.deleted = true,
        Err(error) if error.code() == Some("UnprocessableEntityException") => {
            closed.message = if account.account_type == Some(AccountType::Team) {
                "Chime says that people are left; run it again".to_owned()
            } else {
                "its claimed domains must be released first, in the Chime console: the API cannot. That suspends everybody \
                 in it"
                    .to_owned()
            };
        }
        Err(error) => closed.message = format!("nobody is left in it, and it is not deleted: {:#}", aws::told(error)),
    }
    if closed.deleted {
        closed.message = "deleted; only AWS Support restores it, within 90 days".to_owned();
    }
    Ok(closed)
}

/// Closing takes the account's name: by the flag, or typed.
fn confirm(account: &Account, yes: Option<&str>) -> Result<()> {
    let typed = match yes {
        Some(name) => name.to_owned(),
        None if std::io::stdin().is_terminal() => {
            let mut asked = std::io::stderr();
            write!(asked, "This removes everybody from {} and deletes it. Type its name: ", account.name)?;
            asked.flush()?;
            let mut line = String::new();
            std::io::stdin().lock().read_line(&mut line)?;
            line.trim_end_matches(['\r', '\n']).to_owned()
        }
        None => bail!("nobody is there to confirm: give --yes with the account's name, {:?}", account.name),
    };
    if typed != account.name {
        bail!("the account's name is {:?}: nothing was done", account.name);
    }
    Ok(())
}

/// Removes everybody, round by round: each begins with who is there by then, so it goes on where another was cut off.
async fn drain(chime: &Client, id: &AccountId, closed: &mut Closed, host: &System) -> Result<()> {
    let mut left = users(chime, id).await?;
    closed.left = left.len() as u64;
    // It shows on a terminal only.
    let bar = ProgressBar::new(left.len() as u64);
    bar.set_style(ProgressStyle::with_template("{bar:30} {human_pos}/{human_len} removed, {per_sec}, {eta} left")?);
    let mut backoff = BACKOFF;
    for round in 1..=ROUNDS {
        let mut again = false;
        for batch in left.chunks(BATCH) {
            again |= remove(chime, id, batch, &mut closed.errors).await;
            bar.inc(batch.len() as u64);
        }
        // Who is gone is what the listing says, whatever was answered.
        let now = users(chime, id).await;
        let now =
            now.with_context(|| format!("{} were asked to be removed, and who is gone cannot be listed", left.len()))?;
        closed.removed += left.len().saturating_sub(now.len()) as u64;
        bar.set_position(closed.removed);
        left = now;
        closed.left = left.len() as u64;
        if left.is_empty() || !again || round == ROUNDS {
            break;
        }
        host.sleep(backoff).await;
        backoff *= 2;
    }
    bar.finish_and_clear();
    Ok(())
}

/// Removes a batch, and counts what Chime says of whom it did not. Answers whether trying again may help.
async fn remove(chime: &Client, id: &AccountId, batch: &[String], errors: &mut BTreeMap<String, u64>) -> bool {
    let mut again = false;
    let mut count = |code: &str, n: usize, meaning: ServiceError| match meaning {
        // Gone is what they shall be.
        ServiceError::NotFound => {}
        ServiceError::Throttled | ServiceError::Unknown | ServiceError::Refused => {
            again |= meaning != ServiceError::Refused;
            *errors.entry(code.to_owned()).or_default() += n as u64;
        }
    };
    let request = chime.batch_suspend_user().account_id(id.as_ref()).set_user_id_list(Some(batch.to_vec()));
    match request.send().await {
        Ok(answer) => {
            for error in answer.user_errors() {
                let code = error.error_code().map_or("no code", |code| code.as_str());
                count(code, 1, user_error(code));
            }
        }
        Err(error) => {
            let status = error.raw_response().map(|response| response.status().as_u16());
            let meaning = classify(error.code(), status);
            count(error.code().unwrap_or("no answer"), batch.len(), meaning);
        }
    }
    again
}

/// The ids of everybody who is in an account and not suspended.
async fn users(chime: &Client, id: &AccountId) -> Result<Vec<String>> {
    let pages = chime.list_users().account_id(id.as_ref()).max_results(PAGE).into_paginator().send();
    let pages: Vec<_> = pages.collect::<Result<_, _>>().await.map_err(aws::told)?;
    let users = pages.into_iter().flat_map(|page| page.users.unwrap_or_default());
    let there = |user: &User| user.user_registration_status != Some(RegistrationStatus::Suspended);
    Ok(users.filter(there).map(|user| user.user_id).collect())
}

pub(super) fn tell(closed: &Closed) -> String {
    let mut table = table(&["account", "name", "removed", "left", "deleted"]);
    let deleted = if closed.deleted { "yes" } else { "no" };
    let (removed, left) = (closed.removed.to_string(), closed.left.to_string());
    table.add_row([&closed.account, &closed.name, &removed, &left, deleted]);
    let errors = closed.errors.iter().map(|(code, n)| format!("\n{code}: {n}"));
    format!("{table}{}\n{}", errors.collect::<String>(), closed.message)
}
