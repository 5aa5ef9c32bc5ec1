//! The judgement: every address once, by every rule; the report, the plan and the numbers come of it.

use super::check::{Checked, checked_key};
use super::finding::{AccountSummary, Effect, Finding, RosterUsed, Savings, Summary};
use super::join::{Joined, Known};
use super::listing::AccountListing;
use super::plan::Planner;
use super::protected::Protected;
use super::report::Reporter;
use super::rules::{Ground, Hr, Person, about_accounts, judge};
use super::run::Run;
use super::seen::SeenUser;
use super::{Audit, AuditFailure};
use crate::brake::Population;
use crate::directory::listing::{ListedAccount, Listing};
use crate::directory::{AccountType, Registration};
use crate::host::Host;
use crate::policy::{Policy, Price};
use crate::store::{Store, must_read_json, write_json};
use std::collections::BTreeMap;

/// Departments that are told by name; what is in others is told together.
const DEPARTMENTS: usize = 500;

/// Where departments beyond those go.
const OTHERS: &str = "(others)";

/// The object with a run's numbers.
fn summary_key(run: &str) -> String {
    format!("audits/{run}/summary.json")
}

impl<D: Listing, S: Store, H: Host> Audit<D, S, H> {
    /// Judges everybody, and writes the report, the plan and the numbers.
    ///
    /// # Errors
    /// [`AuditFailure`].
    pub async fn judge(&self, run: &str, policy: &Policy) -> Result<Summary, AuditFailure> {
        let run = self.run_of(run).await?;
        let checked: Checked = must_read_json(&self.store, &checked_key(&run.id)).await?;
        let mut joined = Joined::open(&self.store, &run, &checked.listings, policy).await?;
        let protected = Protected::new(&policy.protected);
        let ground = Ground {
            policy,
            protected: &protected,
            accounts: &checked.listings,
            vanished: !run.vanished(&checked.listings).is_empty(),
            roster: joined.roster.state(),
            weeks: run.usage.weeks,
            now: run.at,
        };
        let folder = format!("audits/{}", run.id);
        let mut reporter = Reporter::new(&self.store, &folder);
        let mut planner = Planner::new(&self.store, &run.id);
        let mut tally = Tally::new(&run, &ground);
        for finding in about_accounts(&ground) {
            tally.found(&finding);
            reporter.add(&finding).await?;
        }
        while let Some(known) = joined.next().await? {
            self.progress.judged(known.users.len());
            let person = Person {
                email: &known.email,
                users: &known.users,
                rows: &known.rows,
                hosting_days: known.hosting_days.filter(|_| run.usage.weeks > 0),
                asked: &known.asked,
                looked_up: checked.absent.contains(&known.email),
            };
            let judged = judge(&ground, &person);
            tally.counts(&ground, &known);
            if let Some(exemption) = judged.exempted {
                *tally.summary.exempted.entry(exemption).or_default() += 1;
            }
            for (index, finding) in judged.findings.iter().enumerate() {
                tally.found(finding);
                tally.saves(finding, index);
                planner.add(finding).await?;
                reporter.add(finding).await?;
            }
        }
        let summary = tally.finish(policy.audit.hosting_day_price.as_ref());
        let loaded_at = run.roster.as_ref().map(|index| index.loaded_at);
        planner.finish(&self.store, &run.id, run.at, loaded_at).await?;
        reporter.finish(&summary).await?;
        write_json(&self.store, &summary_key(&run.id), &summary).await?;
        Ok(summary)
    }

    /// The numbers of a run.
    ///
    /// # Errors
    /// [`AuditFailure`], also where the run has none yet.
    pub async fn summary_of(&self, run: &str) -> Result<Summary, AuditFailure> {
        crate::store::read_json(&self.store, &summary_key(run)).await?.ok_or(AuditFailure::UnknownRun)
    }
}

/// The numbers, while they are counted.
struct Tally {
    summary: Summary,
}

impl Tally {
    fn new(run: &Run, ground: &Ground<'_>) -> Tally {
        let index = run.roster.as_ref();
        let account = |listing: &AccountListing| AccountSummary {
            id: listing.account.id.as_ref().to_owned(),
            name: listing.account.name.clone(),
            kind: kind(listing.account.kind).to_owned(),
            users: listing.users,
            incomplete: listing.incomplete.map(|why| why.to_string()),
            ..AccountSummary::default()
        };
        let vanished = |account: &ListedAccount| AccountSummary {
            id: account.id.as_ref().to_owned(),
            name: account.name.clone(),
            kind: kind(account.kind).to_owned(),
            incomplete: Some("it was there at the last audit, and is not listed now".to_owned()),
            ..AccountSummary::default()
        };
        let vanished = run.vanished(ground.accounts).into_iter().map(vanished);
        let roster = RosterUsed {
            state: ground.roster,
            loaded_at: index.map(|index| index.loaded_at),
            rows: index.map_or(0, |index| index.rows),
            without_address: index.map_or(0, |index| index.without_address),
        };
        Tally {
            summary: Summary {
                run: run.id.clone(),
                at: run.at,
                mode: run.mode.unwrap_or(ground.policy.audit.mode),
                roster,
                accounts: ground.accounts.iter().map(account).chain(vanished).collect(),
                savings: Savings { weeks: run.usage.weeks, ..Savings::default() },
                ..Summary::default()
            },
        }
    }

    fn counts(&mut self, ground: &Ground<'_>, known: &Known) {
        let department = Hr::of(ground, &known.rows).row().and_then(|row| row.job.department.as_deref());
        for user in &known.users {
            let licence = licence(user);
            if let Some(account) = self.summary.accounts.get_mut(user.account) {
                *counter(&mut account.licences, licence) += 1;
                *match user.registration {
                    Registration::Registered | Registration::Unknown => &mut account.registered,
                    Registration::Suspended => &mut account.suspended,
                    Registration::Unregistered => &mut account.unregistered,
                } += 1;
            }
            if let Some(department) = department {
                let known = self.summary.departments.contains_key(department);
                let name = if known || self.summary.departments.len() < DEPARTMENTS { department } else { OTHERS };
                let licences = match self.summary.departments.get_mut(name) {
                    Some(licences) => licences,
                    None => self.summary.departments.entry(name.to_owned()).or_default(),
                };
                *counter(licences, licence) += 1;
            }
        }
    }

    fn found(&mut self, finding: &Finding) {
        *self.summary.findings.entry(finding.rule).or_default() += 1;
        *self.summary.effects.entry(finding.effect).or_default() += 1;
        if let Some(action) = finding.proposal {
            *self.summary.proposals.entry(action).or_default() += 1;
        }
    }

    /// The days of a person count once, whatever is found.
    fn saves(&mut self, finding: &Finding, index: usize) {
        let counts = match finding.effect {
            Effect::SavesMoney | Effect::ClosesAccess => index == 0,
            Effect::TidiesUp | Effect::Informs => false,
        };
        if counts {
            self.summary.savings.hosting_days += u64::from(finding.hosting_days.unwrap_or(0));
        }
    }

    #[expect(clippy::cast_precision_loss, reason = "days of hosting: far below 2^52")]
    fn finish(mut self, price: Option<&Price>) -> Summary {
        let savings = &mut self.summary.savings;
        let cost = |price: &Price| {
            let amount = (price.amount * savings.hosting_days as f64 * 100.0).round() / 100.0;
            Price { amount, currency: price.currency.clone() }
        };
        savings.cost = price.filter(|_| savings.weeks > 0).map(cost);
        self.summary
    }
}

fn counter<'a>(counts: &'a mut BTreeMap<String, u64>, name: &str) -> &'a mut u64 {
    if !counts.contains_key(name) {
        counts.insert(name.to_owned(), 0);
    }
    counts.entry(name.to_owned()).or_default()
}

fn licence(user: &SeenUser) -> &str {
    user.licence.as_deref().unwrap_or("none")
}

fn kind(kind: AccountType) -> &'static str {
    match kind {
        AccountType::Team => "Team",
        AccountType::EnterpriseLwa => "EnterpriseLWA",
        AccountType::EnterpriseDirectory => "EnterpriseDirectory",
        AccountType::EnterpriseOidc => "EnterpriseOIDC",
    }
}

impl Summary {
    /// How many registered, unsuspended users there are: what the brake's shares are of. `None` where a listing is not
    /// believed: a count is good as a whole.
    #[must_use]
    pub fn population(&self) -> Option<Population> {
        if self.accounts.is_empty() || self.accounts.iter().any(|account| account.incomplete.is_some()) {
            return None;
        }
        let accounts: BTreeMap<String, u64> =
            self.accounts.iter().map(|account| (account.id.clone(), account.registered)).collect();
        Some(Population { counted_at: self.at, users: accounts.values().sum(), accounts })
    }
}
