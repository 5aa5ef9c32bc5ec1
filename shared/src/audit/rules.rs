//! The rules: from all that is known of one address to what is found. Pure: no I/O, no clock.
//!
//! A rule that could take something from somebody never names a new starter, somebody on leave, or whom the policy
//! protects. Nothing is found about users of an account whose listing is not believed: they are not even handed in.

mod accounts;
mod hr;
mod invitations;
mod licences;
mod people;
mod proposal;

pub use accounts::about_accounts;
pub use hr::{Hr, is_absent};

pub(super) use hr::{home, should_be_there};

use super::finding::{Confidence, Effect, Exemption, Finding, RosterState, Rule};
use super::history::Asked;
use super::listing::AccountListing;
use super::protected::Protected;
use super::seen::SeenUser;
use crate::policy::Policy;
use crate::roster::Listed;
use jiff::civil::Date;
use jiff::{SignedDuration, Timestamp, tz::TimeZone};
use std::collections::BTreeMap;

/// What every judgement of a run rests on.
#[derive(Clone, Copy, Debug)]
pub struct Ground<'a> {
    /// What the operator decided.
    pub policy: &'a Policy,
    /// Whom the policy protects.
    pub protected: &'a Protected,
    /// The accounts, by their numbers.
    pub accounts: &'a [AccountListing],
    /// An account that was there at the last audit is not listed.
    pub vanished: bool,
    /// Whether there is a roster to rest on.
    pub roster: RosterState,
    /// How many weeks of usage were given.
    pub weeks: u32,
    /// When the run began.
    pub now: Timestamp,
}

impl Ground<'_> {
    /// The day on which the run began, in UTC.
    fn today(&self) -> Date {
        self.now.to_zoned(TimeZone::UTC).date()
    }

    /// How many whole days lie between an instant and now.
    fn days_since(&self, at: Timestamp) -> i64 {
        self.now.duration_since(at).as_hours() / 24
    }

    /// How many days lie between a date and today.
    fn days_since_date(&self, date: Date) -> i64 {
        let day = SignedDuration::from_hours(24);
        self.today().duration_since(date).as_secs() / day.as_secs()
    }
}

/// All that is known of one address.
#[derive(Clone, Copy, Debug)]
pub struct Person<'a> {
    /// The address, lower case; empty for a user that shows none.
    pub email: &'a str,
    /// The users that have it, in accounts whose listing is believed.
    pub users: &'a [SeenUser],
    /// The people in HR who have it.
    pub rows: &'a [Listed],
    /// On how many days it hosted meetings at most, in the weeks of the usage that was given.
    pub hosting_days: Option<u32>,
    /// What was asked for lately.
    pub asked: &'a [Asked],
    /// A look-up by the address has shown that nobody has it.
    pub looked_up: bool,
}

/// What was found about one address.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Judged {
    /// What was found, the most urgent first.
    pub findings: Vec<Finding>,
    /// Who was spared, and why: one entry a person.
    pub exempted: Option<Exemption>,
}

/// Judges one address by every rule.
#[must_use]
pub fn judge(ground: &Ground<'_>, person: &Person<'_>) -> Judged {
    let case = Case { ground, person, hr: Hr::of(ground, person.rows) };
    let exempt = case.exemption();
    let mut judged = Judged::default();
    let people: Vec<&SeenUser> = person.users.iter().filter(|user| !user.shared_device).collect();
    for user in &people {
        // These speak of access that somebody should not have, and spare nobody.
        judged.findings.extend(people::orphan(&case, user).or_else(|| people::unknown_to_hr(&case, user)));
        judged.findings.extend(people::protected_unknown_to_hr(&case, user));
        let spared = [
            licences::above_policy(&case, user),
            licences::never_registered(&case, user),
            licences::unsupported(&case, user),
            licences::trial(&case, user),
            invitations::pending(&case, user),
            invitations::failed(&case, user),
        ];
        judged.take(spared.into_iter().flatten(), exempt);
    }
    judged.take(people::absent(&case), exempt);
    judged.findings.extend(people::duplicate(&case, &people));
    judged.findings.sort_by_key(|finding| finding.rule);
    judged
}

impl Judged {
    /// Takes findings, unless the person is spared.
    fn take(&mut self, findings: impl IntoIterator<Item = Finding>, exempt: Option<Exemption>) {
        for finding in findings {
            match exempt {
                Some(exemption) => self.exempted = Some(exemption),
                None => self.findings.push(finding),
            }
        }
    }
}

/// One address, and how HR stands with it.
struct Case<'a> {
    ground: &'a Ground<'a>,
    person: &'a Person<'a>,
    hr: Hr<'a>,
}

impl<'a> Case<'a> {
    fn rules(&self) -> &'a crate::policy::RuleSettings {
        &self.ground.policy.audit.rules
    }

    fn account(&self, user: &SeenUser) -> Option<&'a AccountListing> {
        self.ground.accounts.get(user.account)
    }

    /// The policy protects this person, by the address or HR's number.
    fn is_protected(&self) -> bool {
        let mut numbers = self.person.rows.iter().map(|row| row.worker_id.as_ref());
        self.ground.protected.has(self.person.email) || numbers.any(|number| self.ground.protected.has(number))
    }

    /// Why the person is spared by the rules that take something.
    fn exemption(&self) -> Option<Exemption> {
        if self.is_protected() {
            return Some(Exemption::Protected);
        }
        match self.hr {
            Hr::Employed(row) => {
                if hr::is_on_leave(row, self.ground.today()) {
                    return Some(Exemption::OnLeave);
                }
                // Who HR gives no first day may have begun today.
                let tenure = row.started.map_or(-1, |started| self.ground.days_since_date(started));
                (tenure < i64::from(self.ground.policy.audit.exempt.tenure_days)).then_some(Exemption::Tenure)
            }
            Hr::NotBegun(_) => Some(Exemption::Tenure),
            Hr::Left(_) | Hr::Leaving(_) | Hr::Unknown | Hr::NoRoster => None,
        }
    }

    /// A finding about a user.
    fn finding(&self, rule: Rule, user: Option<&SeenUser>, reason: impl Into<String>) -> Finding {
        let account = user.and_then(|user| self.account(user));
        let row = self.hr.row();
        let text = |text: &str| (!text.is_empty()).then(|| text.to_owned());
        let mut evidence = BTreeMap::new();
        if let Some(row) = row {
            evidence.insert("hr_status".to_owned(), hr::status(row).to_owned());
        }
        if let Some(user) = user {
            evidence.insert("chime_status".to_owned(), hr::registration(user).to_owned());
        }
        Finding {
            rule,
            account: account.map(|listing| listing.account.id.as_ref().to_owned()),
            account_name: account.map(|listing| listing.account.name.clone()),
            user: user.map(|user| user.id.as_ref().to_owned()),
            email: text(self.person.email),
            worker_id: row.map(|row| row.worker_id.as_ref().to_owned()),
            department: row.and_then(|row| row.job.department.clone()),
            licence: user.and_then(|user| user.licence.clone()),
            reason: reason.into(),
            evidence,
            confidence: Confidence::High,
            effect: Effect::Informs,
            hosting_days: None,
            proposal: None,
            withheld: None,
        }
    }
}

/// Adds a piece of evidence.
fn with(mut finding: Finding, name: &str, value: impl ToString) -> Finding {
    finding.evidence.insert(name.to_owned(), value.to_string());
    finding
}

#[cfg(test)]
mod tests;
