//! The clients of the vendors' APIs against local ones that answer as the vendors document it.

use crate::complete::stage::TestHost;
use jiff::civil::{Date, date};
use rollcall::failure::{Cause, Failure};
use rollcall::intake::Source;
use rollcall::intake::complete::{Employee, Token, Vendors};
use rollcall::person::{Job, WorkEmail, WorkerId};
use rollcall::policy::SystemRule;
use rollcall::roster::Status;
use rollcall_local::vendors::{Fault, LocalVendor, Person, Standing, Vendor};
use std::time::Duration;

const ID: &str = "7731";

const ALL: [(Source, Vendor, &str); 4] = [
    (Source::BambooHr, Vendor::BambooHr, "key-of-acme"),
    (Source::HiBob, Vendor::HiBob, "SERVICE-7:secret-of-acme"),
    (Source::Gusto, Vendor::Gusto, "access-of-acme"),
    (Source::Personio, Vendor::Personio, "client-7:secret-of-acme"),
];

/// A vendor's API, and a client that knows where it is.
struct Setting {
    source: Source,
    api: LocalVendor,
    token: Token,
    vendors: Vendors<TestHost>,
    host: TestHost,
}

impl Setting {
    async fn new((source, vendor, token): (Source, Vendor, &str), people: Vec<Person>) -> Setting {
        let api = LocalVendor::start(vendor, token, people).await.unwrap();
        let host = TestHost::at("2026-12-01T09:00:00Z");
        let vendors = Vendors::new(host.clone()).unwrap();
        Setting { source, api, token: Token::new(&format!(" {token}\n")), vendors, host }
    }

    async fn ask_for(&self, id: &str, token: &Token) -> Result<Option<Employee>, Failure> {
        let rule = SystemRule { api: Some(self.api.endpoint() + "/"), ..SystemRule::default() };
        self.vendors.employee(self.source, Some(&rule), token, id).await
    }

    async fn ask(&self) -> Result<Option<Employee>, Failure> {
        self.ask_for(ID, &self.token).await
    }
}

fn ann() -> Person {
    Person {
        id: ID.into(),
        worker_id: Some("4711".into()),
        email: Some("Ann@acme.example".into()),
        started: Some("2020-01-02".into()),
        ends: Some("2026-12-31".into()),
        department: Some("Rockets".into()),
        location: Some("Oslo".into()),
        ..Person::default()
    }
}

/// What each vendor has a member for, and no more.
#[tokio::test]
async fn each_vendor_tells_what_its_pages_say() {
    let job = |department: Option<&str>, location: Option<&str>| Job {
        department: department.map(str::to_owned),
        location: location.map(str::to_owned),
        ..Job::default()
    };
    let common = || Employee {
        email: Some(WorkEmail::parse("ann@acme.example").unwrap()),
        status: Some(Status::Active),
        started: Some(date(2020, 1, 2)),
        ends: Some(date(2026, 12, 31)),
        tells_end: true,
        ..Employee::default()
    };
    let numbered = || Employee { worker_id: Some(WorkerId::parse("4711").unwrap()), ..common() };
    let expected = [
        Employee { job: job(Some("Rockets"), Some("Oslo")), ..numbered() },
        numbered(),
        Employee { job: job(Some("Rockets"), None), ..common() },
        common(),
    ];
    for (vendor, expected) in ALL.into_iter().zip(expected) {
        let setting = Setting::new(vendor, vec![ann()]).await;
        assert!(setting.ask().await == Ok(Some(expected)), "{:?}: {:?}", vendor.0, setting.ask().await);
    }
}

#[tokio::test]
async fn standings_and_dates_are_read() {
    let person = |standing, started: &str, ends: Option<&str>, rehired: Option<&str>| Person {
        id: ID.into(),
        standing,
        started: Some(started.into()),
        ends: ends.map(Into::into),
        rehired: rehired.map(Into::into),
        ..Person::default()
    };
    let gone = || person(Standing::Terminated, "2020-01-02", Some("2026-11-30"), None);
    let hired = || person(Standing::Hired, "2027-02-01", None, None);
    let away = || person(Standing::OnLeave, "2020-01-02", None, None);
    let again = || person(Standing::Employed, "2020-01-02", Some("2024-05-31"), Some("2026-10-01"));
    let (bamboo, bob, gusto, personio) = (ALL[0], ALL[1], ALL[2], ALL[3]);
    let first = date(2020, 1, 2);
    type Told = (Option<Status>, Option<Date>, Option<Date>);
    let table: Vec<((Source, Vendor, &str), Person, Told)> = vec![
        (bamboo, gone(), (Some(Status::Terminated), Some(first), Some(date(2026, 11, 30)))),
        (bob, gone(), (Some(Status::Terminated), Some(first), Some(date(2026, 11, 30)))),
        (gusto, gone(), (Some(Status::Terminated), Some(first), Some(date(2026, 11, 30)))),
        (personio, gone(), (Some(Status::Terminated), Some(first), Some(date(2026, 11, 30)))),
        (bamboo, hired(), (Some(Status::PreHire), Some(date(2027, 2, 1)), None)),
        (bob, hired(), (Some(Status::PreHire), Some(date(2027, 2, 1)), None)),
        (gusto, hired(), (Some(Status::PreHire), Some(date(2027, 2, 1)), None)),
        (bob, away(), (Some(Status::OnLeave), Some(first), None)),
        // The second employment is the one.
        (gusto, again(), (Some(Status::Active), Some(date(2026, 10, 1)), Some(date(2024, 5, 31)))),
    ];
    for (vendor, person, expected) in table {
        let setting = Setting::new(vendor, vec![person]).await;
        let employee = setting.ask().await.unwrap().unwrap();
        let told = (employee.status, employee.started, employee.ends);
        assert_eq!(told, expected, "{:?}", vendor.0);
        assert!(employee.tells_end);
    }
}

/// A token that may not read the end gets an answer without it: that is not "there is none".
#[tokio::test]
async fn what_may_not_be_read_is_not_taken_for_nothing() {
    for (vendor, member) in [(ALL[0], "terminationDate"), (ALL[1], "internal.terminationDate"), (ALL[3], "termination")]
    {
        let hidden = vec![member.to_owned()];
        let setting = Setting::new(vendor, vec![Person { hidden, ..ann() }]).await;
        let employee = setting.ask().await.unwrap().unwrap();
        assert_eq!((employee.ends, employee.tells_end), (None, false), "{:?}", vendor.0);
        assert_eq!(employee.status, Some(Status::Active));
    }
}

#[tokio::test]
async fn nobody_is_there_and_a_wrong_token_is_told() {
    for vendor in ALL {
        let setting = Setting::new(vendor, vec![ann()]).await;
        assert_eq!(setting.ask_for("7732", &setting.token).await, Ok(None), "{:?}", vendor.0);
        let refused = Err(Failure::retryable(Cause::TokenRefused));
        assert_eq!(setting.ask_for(ID, &Token::new("another:token")).await, refused, "{:?}", vendor.0);
        setting.api.strike(Fault::Status(403));
        assert_eq!(setting.ask_for(ID, &setting.token).await, refused, "{:?}", vendor.0);
        setting.api.remove(ID);
        assert_eq!(setting.ask().await, Ok(None), "{:?}", vendor.0);
    }
}

#[tokio::test]
async fn a_passing_fault_is_tried_again_once() {
    for vendor in ALL {
        let setting = Setting::new(vendor, vec![ann()]).await;
        for fault in [Fault::Status(500), Fault::Status(503), Fault::Status(429), Fault::RetryAfter(1)] {
            setting.api.strike(fault);
            assert!(setting.ask().await.unwrap().is_some(), "{:?} {fault:?}", vendor.0);
        }
        assert!(setting.host.slept().contains(&Duration::from_secs(1)), "as long as the vendor asks");
        let before = setting.api.asked().len();
        setting.api.strike(Fault::Status(500));
        setting.api.strike(Fault::Status(502));
        assert_eq!(setting.ask().await, Err(Failure::retryable(Cause::Unanswered)));
        assert_eq!(setting.api.asked().len() - before, 2, "and not again");
        let before = setting.api.asked().len();
        setting.api.strike(Fault::RetryAfter(60));
        let after = Some(Duration::from_secs(60));
        assert_eq!(setting.ask().await, Err(Failure::Retryable { cause: Cause::Throttled, after }));
        assert_eq!(setting.api.asked().len() - before, 1, "a long wait is the queue's");
    }
}

#[tokio::test]
async fn what_is_no_answer_is_none() {
    for vendor in ALL {
        let setting = Setting::new(vendor, vec![ann()]).await;
        for fault in [Fault::Garbage, Fault::Huge(2 * 1024 * 1024), Fault::Redirect, Fault::Status(400)] {
            setting.api.strike(fault);
            assert_eq!(setting.ask().await, Err(Failure::retryable(Cause::Unanswered)), "{:?} {fault:?}", vendor.0);
        }
        assert!(setting.ask().await.unwrap().is_some());
        assert!(!setting.api.asked().iter().any(|asked| asked.contains("/elsewhere")), "a token goes nowhere else");
    }
}

/// Five seconds and no more, whatever the vendor does.
#[tokio::test]
async fn a_slow_vendor_is_not_waited_for() {
    let setting = Setting::new(ALL[0], vec![ann()]).await;
    // Two requests of three seconds are one too many.
    setting.api.strike(Fault::Slow(3000));
    setting.api.strike(Fault::Slow(3000));
    let answer = tokio::time::timeout(Duration::from_secs(9), setting.ask()).await;
    assert_eq!(answer.unwrap(), Err(Failure::retryable(Cause::Unanswered)));
}

#[tokio::test]
async fn an_id_is_never_another_path() {
    for vendor in ALL {
        let setting = Setting::new(vendor, vec![ann()]).await;
        for id in ["", "..", "7731/terminations", "7731?fields=ssn", "a b", "%2e%2e"] {
            assert_eq!(setting.ask_for(id, &setting.token).await, Ok(None), "{:?} {id:?}", vendor.0);
        }
        assert_eq!(setting.api.asked(), Vec::<String>::new());
    }
    // Nobody said where it is.
    let vendors = Vendors::new(TestHost::at("2026-12-01T09:00:00Z")).unwrap();
    assert_eq!(vendors.employee(Source::BambooHr, None, &Token::new("key"), ID).await, Ok(None));
    assert_eq!(vendors.employee(Source::Okta, None, &Token::new("key"), ID).await, Ok(None));
}

#[tokio::test]
async fn personio_gives_one_token_for_a_day() {
    let setting = Setting::new(ALL[3], vec![ann()]).await;
    let tokens = || setting.api.asked().iter().filter(|asked| asked.contains("/v2/auth/token")).count();
    setting.ask().await.unwrap();
    setting.ask().await.unwrap();
    assert_eq!(tokens(), 1);
    setting.host.advance(Duration::from_secs(86_400 - 240));
    setting.ask().await.unwrap();
    assert_eq!(tokens(), 2, "it is about to expire");
    setting.api.revoke();
    assert_eq!(setting.ask().await, Err(Failure::retryable(Cause::TokenRefused)));
    assert!(setting.ask().await.unwrap().is_some(), "the next attempt gets another");
    assert_eq!(tokens(), 3);
}

/// `BambooHR` tells what is to come only where that is asked for.
#[tokio::test]
async fn an_announced_end_is_asked_for_and_the_job_of_today() {
    let setting = Setting::new(ALL[0], vec![ann()]).await;
    setting.ask().await.unwrap();
    let asked = setting.api.asked();
    assert!(asked[0].contains("terminationDate") && asked[0].ends_with("onlyCurrent=false"), "{asked:?}");
    assert!(asked[1].contains("department") && asked[1].ends_with("onlyCurrent=true"), "{asked:?}");
}

#[tokio::test]
async fn neither_people_nor_tokens_show() {
    let setting = Setting::new(ALL[0], vec![ann()]).await;
    let employee = setting.ask().await.unwrap();
    let shown = format!("{employee:?} {:?} {:?}", setting.token, setting.vendors);
    for canary in ["ann@", "4711", "Rockets", "2020", "key-of-acme"] {
        assert!(!shown.contains(canary), "{shown}");
    }
}
