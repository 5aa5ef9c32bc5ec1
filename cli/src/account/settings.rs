//! An account's settings, before and after.

use crate::aws;
use crate::report::table;
use anyhow::{Context, Result};
use aws_sdk_chime::Client;
use aws_sdk_chime::types::AccountSettings;
use clap::ValueEnum;
use rollcall::directory::AccountId;
use serde::Serialize;

/// On or off.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ValueEnum)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Switch {
    /// It may.
    On,
    /// It may not.
    Off,
}

impl Switch {
    fn of(on: bool) -> Switch {
        if on { Switch::On } else { Switch::Off }
    }

    fn as_str(self) -> &'static str {
        match self {
            Switch::On => "on",
            Switch::Off => "off",
        }
    }
}

/// What an account lets people do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Settings {
    remote_control: Switch,
    dial_out: Switch,
}

/// Settings before and after.
#[derive(Debug, Serialize)]
pub(super) struct Changed {
    before: Settings,
    after: Settings,
}

/// Changes what is given, and nothing else.
///
/// Chime does not say what becomes of a setting that a request leaves out, so both are always sent.
pub(super) async fn change(
    chime: &Client,
    account: &AccountId,
    remote_control: Option<Switch>,
    dial_out: Option<Switch>,
) -> Result<Changed> {
    let before = read(chime, account).await?;
    if remote_control.is_none() && dial_out.is_none() {
        return Ok(Changed { before, after: before });
    }
    let wanted = Settings {
        remote_control: remote_control.unwrap_or(before.remote_control),
        dial_out: dial_out.unwrap_or(before.dial_out),
    };
    // Chime asks whether remote control is disabled.
    let settings = AccountSettings::builder()
        .disable_remote_control(wanted.remote_control == Switch::Off)
        .enable_dial_out(wanted.dial_out == Switch::On)
        .build();
    let request = chime.update_account_settings().account_id(account.as_ref()).account_settings(settings);
    request.send().await.map_err(aws::told)?;
    Ok(Changed { before, after: read(chime, account).await? })
}

async fn read(chime: &Client, account: &AccountId) -> Result<Settings> {
    let answer = chime.get_account_settings().account_id(account.as_ref()).send().await.map_err(aws::told)?;
    let settings = answer.account_settings.context("Chime does not tell the account's settings")?;
    Ok(Settings {
        remote_control: Switch::of(!settings.disable_remote_control.unwrap_or_default()),
        dial_out: Switch::of(settings.enable_dial_out.unwrap_or_default()),
    })
}

pub(super) fn tell(changed: &Changed) -> String {
    let mut table = table(&["setting", "before", "after"]);
    let Changed { before, after } = changed;
    table.add_row(["remote control", before.remote_control.as_str(), after.remote_control.as_str()]);
    table.add_row(["dial-out", before.dial_out.as_str(), after.dial_out.as_str()]);
    table.to_string()
}
