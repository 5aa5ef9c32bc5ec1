//! How HR stands with an address, and the words for it.

use super::Ground;
use crate::audit::finding::RosterState;
use crate::audit::listing::AccountListing;
use crate::audit::seen::SeenUser;
use crate::directory::{AccountType, Registration};
use crate::person::WorkEmail;
use crate::roster::{Listed, Status};
use jiff::civil::Date;

/// How HR stands with an address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Hr<'a> {
    /// There is no roster to ask.
    NoRoster,
    /// Nobody in HR has it.
    Unknown,
    /// Has a contract, and has not begun.
    NotBegun(&'a Listed),
    /// Works there, or is on leave.
    Employed(&'a Listed),
    /// Has left, and not so long ago that the rule would say so.
    Leaving(&'a Listed),
    /// Has left.
    Left(&'a Listed),
}

impl<'a> Hr<'a> {
    /// How HR stands with the people who have an address. An employment beats one that is over: who comes back keeps
    /// the old row in many an export.
    #[must_use]
    pub fn of(ground: &Ground<'_>, rows: &'a [Listed]) -> Hr<'a> {
        match ground.roster {
            RosterState::TooOld | RosterState::Missing => return Hr::NoRoster,
            RosterState::Used => {}
        }
        let best = rows.iter().max_by_key(|row| (rank(row.status), row.ends, row.started));
        let Some(row) = best else { return Hr::Unknown };
        match row.status {
            Status::Active | Status::OnLeave => Hr::Employed(row),
            Status::PreHire => Hr::NotBegun(row),
            Status::Terminated => {
                let days = i64::from(ground.policy.audit.rules.orphan.days);
                // Who left in HR without a last day has left.
                let gone = row.ends.is_none_or(|ends| ground.days_since_date(ends) > days);
                if gone { Hr::Left(row) } else { Hr::Leaving(row) }
            }
        }
    }

    /// The person in HR.
    #[must_use]
    pub fn row(self) -> Option<&'a Listed> {
        match self {
            Hr::NotBegun(row) | Hr::Employed(row) | Hr::Leaving(row) | Hr::Left(row) => Some(row),
            Hr::NoRoster | Hr::Unknown => None,
        }
    }
}

fn rank(status: Status) -> u8 {
    match status {
        Status::Active => 3,
        Status::OnLeave => 2,
        Status::PreHire => 1,
        Status::Terminated => 0,
    }
}

/// Several people who work there have one address: nobody can say which job counts.
pub(super) fn are_several(rows: &[Listed]) -> bool {
    rows.iter().filter(|row| rank(row.status) >= 2).count() > 1
}

/// Whether somebody should have a user by now, and has none. Nobody is called absent while the listing of an account
/// that could have them is not believed.
#[must_use]
pub fn is_absent(ground: &Ground<'_>, email: &str, rows: &[Listed], has_user: bool) -> bool {
    let rule = ground.policy.audit.rules.absent_from_chime;
    let Hr::Employed(row) = Hr::of(ground, rows) else { return false };
    let long_enough = row.started.is_some_and(|started| ground.days_since_date(started) > i64::from(rule.days));
    !has_user && row.status == Status::Active && long_enough && home_is_listed(ground, email)
}

/// Whether HR employs somebody who has no user where the listing is believed: worth a look-up by the address. Whoever is on
/// leave has none in a Team account, from which a leave removes.
pub(in crate::audit) fn should_be_there(ground: &Ground<'_>, email: &str, rows: &[Listed], has_user: bool) -> bool {
    let Hr::Employed(row) = Hr::of(ground, rows) else { return false };
    let team = home(ground, email).and_then(|number| ground.accounts.get(number));
    let may_be_removed = row.status == Status::OnLeave
        && team.is_none_or(|listing| match listing.account.kind {
            AccountType::Team => true,
            AccountType::EnterpriseLwa | AccountType::EnterpriseDirectory | AccountType::EnterpriseOidc => false,
        });
    !has_user && !may_be_removed && home_is_listed(ground, email)
}

/// The number of the account that the policy names for an address.
pub(in crate::audit) fn home(ground: &Ground<'_>, email: &str) -> Option<usize> {
    let id = ground.policy.account_of(&WorkEmail::parse(email).ok()?)?;
    ground.accounts.iter().position(|listing| &listing.account.id == id)
}

/// Whether every account that could have the address is listed, and believed.
fn home_is_listed(ground: &Ground<'_>, email: &str) -> bool {
    let complete = |listing: &AccountListing| listing.is_complete();
    let Ok(address) = WorkEmail::parse(email) else { return false };
    match ground.policy.account_of(&address) {
        Some(id) => ground.accounts.iter().any(|listing| &listing.account.id == id && complete(listing)),
        None => !ground.vanished && !ground.accounts.is_empty() && ground.accounts.iter().all(complete),
    }
}

pub(super) fn is_on_leave(row: &Listed, today: Date) -> bool {
    let covers = row.leave.is_some_and(|leave| leave.from <= today && leave.to.is_none_or(|to| today <= to));
    row.status == Status::OnLeave || covers
}

pub(super) fn status(row: &Listed) -> &'static str {
    match row.status {
        Status::Active => "active",
        Status::OnLeave => "on_leave",
        Status::PreHire => "pre_hire",
        Status::Terminated => "terminated",
    }
}

pub(super) fn registration(user: &SeenUser) -> &'static str {
    match user.registration {
        Registration::Registered => "registered",
        Registration::Unregistered => "unregistered",
        Registration::Suspended => "suspended",
        Registration::Unknown => "unknown",
    }
}
