//! A stage for the audit: a company in a local Chime, what HR knows of it, and a directory for objects.

use aws_config::BehaviorVersion;
use jiff::{SignedDuration, Timestamp};
use rollcall::audit::{Audit, Finding, Report, Request, Summary};
use rollcall::bus::{Bus, Entry};
use rollcall::directory::chime::Chime;
use rollcall::failure::{Cause, Failure};
use rollcall::host::Host;
use rollcall::policy::{AuditMode, Policy};
use rollcall::roster::{self, Format, Index, Listed, Refused, Shrinkage};
use rollcall::runs::write_run;
use rollcall::store::files::Files;
use rollcall::store::must_read_json;
use rollcall_local::chime::LocalChime;
use rollcall_local::chime::core::Core;
use rollcall_local::chime::generate::{Plan, company};
use rollcall_local::chime::routes::Operation;
use rollcall_local::chime::state::{AccountState, User};
use serde_json::{Value, json};
use std::fmt::Write;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// When the audit runs.
pub(crate) const NOW: &str = "2026-11-23T03:00:00Z";

/// Time that only sleeping moves.
#[derive(Clone, Debug)]
pub(crate) struct TestHost {
    now: Arc<Mutex<Timestamp>>,
    random: Arc<AtomicU64>,
}

impl Default for TestHost {
    fn default() -> TestHost {
        TestHost { now: Arc::new(Mutex::new(NOW.parse().unwrap())), random: Arc::default() }
    }
}

impl Host for TestHost {
    fn now(&self) -> Timestamp {
        *self.now.lock().unwrap()
    }

    async fn sleep(&self, duration: Duration) {
        *self.now.lock().unwrap() += SignedDuration::try_from(duration).unwrap();
        tokio::task::yield_now().await;
    }

    fn random(&self) -> u128 {
        u128::from(self.random.fetch_add(1, Ordering::SeqCst)).wrapping_mul(0x9e37_79b9_7f4a_7c15_f39c_c060_5ced_c835)
    }
}

pub(crate) type TestAudit = Audit<Chime<TestHost>, Files, TestHost>;

/// What was published.
#[derive(Clone, Debug, Default)]
pub(crate) struct MemoryBus {
    pub(crate) published: Arc<Mutex<Vec<Entry>>>,
    /// So many calls pass, then they fail.
    pub(crate) passes: Arc<Mutex<Option<usize>>>,
}

impl Bus for MemoryBus {
    async fn publish(&self, entries: &[Entry]) -> Result<(), Failure> {
        if let Some(left) = self.passes.lock().unwrap().as_mut() {
            if *left == 0 {
                return Err(Failure::retryable(Cause::Unanswered));
            }
            *left -= 1;
        }
        self.published.lock().unwrap().extend_from_slice(entries);
        Ok(())
    }
}

pub(crate) struct Stage {
    pub(crate) chime: LocalChime,
    pub(crate) files: Files,
    pub(crate) host: TestHost,
    pub(crate) policy: Policy,
    csv: String,
}

impl Drop for Stage {
    fn drop(&mut self) {
        let _gone = std::fs::remove_dir_all(self.files.path(""));
    }
}

/// How HR knows the user of a number: every fiftieth not at all, others left, on leave, or new.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum InHr {
    Unknown,
    Left,
    OnLeave,
    New,
    Engineer,
    Clerk,
}

pub(crate) fn in_hr(number: usize) -> InHr {
    match number % 50 {
        0 => InHr::Unknown,
        1 => InHr::Left,
        2 => InHr::OnLeave,
        3 => InHr::New,
        n if n % 2 == 0 => InHr::Engineer,
        _ => InHr::Clerk,
    }
}

impl Stage {
    /// A company of so many accounts and users, whom HR knows as [`in_hr`] says.
    pub(crate) async fn generated(plan: &str) -> Stage {
        let accounts = company(plan.parse::<Plan>().unwrap());
        let mut csv = "worker_id,email,status,start_date,end_date,job_code,department\n".to_owned();
        for (index, account) in accounts.iter().enumerate() {
            for (number, user) in account.users().enumerate() {
                let email = user.primary_email.as_deref().unwrap();
                let row = match in_hr(number) {
                    InHr::Unknown => continue,
                    InHr::Left => format!("{email},terminated,2021-03-01,2026-10-01,OPS-1,Support"),
                    InHr::OnLeave => format!("{email},on_leave,2021-03-01,,OPS-1,Support"),
                    InHr::New => format!("{email},active,2026-11-10,,OPS-1,Sales"),
                    InHr::Engineer => format!("{email},active,2021-03-01,,ENG-1,Rockets"),
                    InHr::Clerk => format!("{email},active,2021-03-01,,OPS-1,\"Finance, Legal\""),
                };
                writeln!(csv, "{index}-{number},{row}").unwrap();
            }
        }
        let domains: Vec<Value> = accounts
            .iter()
            .enumerate()
            .map(|(index, state)| {
                json!({ "account": state.account.account_id, "domains": [format!("company-{}.example", index + 1)] })
            })
            .collect();
        let policy = json!({
            "accounts": domains,
            "licences": { "rules": [{ "job_code": ["ENG-*"], "licence": "Pro" }], "default": "Basic" },
        });
        Stage::new(accounts, policy, csv).await
    }

    pub(crate) async fn new(accounts: Vec<AccountState>, policy: Value, csv: String) -> Stage {
        static STAGES: AtomicU64 = AtomicU64::new(0);
        let number = STAGES.fetch_add(1, Ordering::SeqCst);
        let folder = std::env::temp_dir().join(format!("rollcall-audit-{}-{number}", std::process::id()));
        Stage {
            chime: LocalChime::serve(Core::new(accounts), 0).await.unwrap(),
            files: Files::new(folder),
            host: TestHost::default(),
            policy: Policy::parse(&policy.to_string()).unwrap(),
            csv,
        }
    }

    /// A new process of the audit.
    pub(crate) async fn audit(&self) -> TestAudit {
        let sdk = aws_config::SdkConfig::builder()
            .behavior_version(BehaviorVersion::v2026_01_12())
            .region(aws_config::Region::new("us-east-1"))
            .endpoint_url(self.chime.endpoint())
            .credentials_provider(aws_sdk_dynamodb::config::SharedCredentialsProvider::new(
                aws_sdk_dynamodb::config::Credentials::new("test", "test", None, None, "test"),
            ))
            .http_client(aws_smithy_http_client::Builder::new().build_http())
            .sleep_impl(aws_smithy_async_sleep())
            .build();
        let chime = Chime::new(&sdk, self.host.clone());
        Audit { pages: 3, ..Audit::new(chime, self.files.clone(), self.host.clone()) }
    }

    /// Loads what HR knows.
    pub(crate) async fn roster(&self) -> Index {
        let mut rows: Vec<Listed> = Vec::new();
        let first = Shrinkage { before: None, percent: 0 };
        let n = roster::read(Format::Csv, self.csv.as_bytes(), first, |row| {
            rows.extend(Listed::of(&row));
            Ok::<(), Refused>(())
        });
        let run = write_run(&self.files, "rosters/test/run.jsonl", rows).await.unwrap();
        serde_json::from_value(json!({
            "version": "test", "rows": n.unwrap(), "without_address": 0, "loaded_at": NOW, "runs": [run], "source": "",
        }))
        .unwrap()
    }

    pub(crate) async fn request(&self, run: &str) -> Request {
        let (run, at) = (run.to_owned(), self.host.now());
        Request { run, at, mode: None, roster: Some(self.roster().await), usage: Vec::new() }
    }

    /// A whole run, which only reports.
    pub(crate) async fn run(&self, run: &str) -> Summary {
        self.run_as(run, AuditMode::Report).await
    }

    pub(crate) async fn run_as(&self, run: &str, mode: AuditMode) -> Summary {
        let request = Request { mode: Some(mode), ..self.request(run).await };
        self.audit().await.run(request, &self.policy).await.unwrap()
    }

    pub(crate) async fn findings(&self, run: &str) -> Vec<Finding> {
        let report: Report = must_read_json(&self.files, &format!("audits/{run}/report.json")).await.unwrap();
        report.findings
    }

    /// How often an operation was called.
    pub(crate) fn calls(&self, operation: Operation) -> u64 {
        self.chime.core().log().counters().get(&operation).map_or(0, |counter| counter.calls)
    }

    /// Every user with the number of its account and its own number there.
    pub(crate) fn users(&self) -> Vec<(usize, usize, User)> {
        let core = self.chime.core();
        let accounts = core.accounts().enumerate();
        accounts
            .flat_map(|(index, state)| {
                state.users().enumerate().map(move |(number, user)| (index, number, user.clone()))
            })
            .collect()
    }
}

fn aws_smithy_async_sleep() -> aws_sdk_dynamodb::config::SharedAsyncSleep {
    aws_sdk_dynamodb::config::SharedAsyncSleep::new(Sleep)
}

/// The SDK's waits between two attempts take no time.
#[derive(Debug)]
struct Sleep;

impl aws_sdk_dynamodb::config::AsyncSleep for Sleep {
    fn sleep(&self, duration: Duration) -> aws_sdk_dynamodb::config::Sleep {
        // Timeouts are long, back-offs are short.
        let short = duration < Duration::from_millis(2500);
        let duration = if short { Duration::from_millis(1) } else { duration };
        aws_sdk_dynamodb::config::Sleep::new(tokio::time::sleep(duration))
    }
}
