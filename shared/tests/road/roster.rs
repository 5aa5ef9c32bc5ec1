//! A roster from a file to force: good ones, refused ones, late ones, and what the network does meanwhile.

pub(crate) mod bucket;
pub(crate) mod company;
mod find;
mod size;

use crate::stage::{Fault, ROSTER, Strike};
use bucket::TestBucket;
use company::{Company, dropped, in_force, people};
use jiff::SignedDuration;
use rollcall::host::Host;
use rollcall::person::WorkerId;
use rollcall::roster::serve::Outcome;
use rollcall::roster::table::Force;
use rollcall::roster::{Index, Version};
use rollcall::store::{Store, must_read_json};
use serde_json::{Value, json};

#[tokio::test]
async fn a_good_roster_takes_force_and_a_later_one_its_place() {
    let company = Company::new().await;
    let full = "worker_id,object_id,email,time_zone,status,start_date,end_date,leave_start,leave_end,job_code,department,\
                location,employment_type,manager_id\n\
                007,s-1;s-2,Ann@Acme.example,Europe/Berlin,on_leave,2020-01-02,2027-03-04,2026-11-01,2026-12-31,ENG-1,\
                Rockets,Berlin,employee,12\n12,,,,active,,,,,,,,,\n";
    let first = in_force(company.drop("roster/all.csv", full).await);
    assert_eq!((first.rows, first.without_address, first.source.as_str()), (2, 1, "roster/all.csv"));
    assert_eq!(company.current().await.as_ref(), Some(&first));

    let row = async |worker: &str| company.roster().row(&first.version, &WorkerId::parse(worker).unwrap()).await;
    let mut parsed = Vec::new();
    let shrinkage = rollcall::roster::Shrinkage { before: None, percent: 0 };
    rollcall::roster::read(rollcall::roster::Format::Csv, full.as_bytes(), shrinkage, |row| {
        parsed.push(row);
        Ok::<(), rollcall::roster::Refused>(())
    })
    .unwrap();
    assert_eq!(row("007").await.unwrap().as_ref(), parsed.first(), "every column is there");
    assert_eq!(row("12").await.unwrap().as_ref(), parsed.last());
    assert_eq!(row("13").await.unwrap(), None);
    let items = company.stage.dynamo.scan().table_name(ROSTER).send().await.unwrap().items.unwrap();
    for item in items.iter().filter(|item| item["id"].as_s().unwrap() != "current") {
        let kinds = ["worker", "subject", "email"].map(|kind| format!("{}#{kind}#", first.version));
        assert!(kinds.iter().any(|kind| item["id"].as_s().unwrap().starts_with(kind)));
        let expiration: i64 = item["expiration"].as_n().unwrap().parse().unwrap();
        assert_eq!(expiration - company.stage.host.now().as_second(), 30 * 24 * 60 * 60);
    }

    company.stage.host.advance(SignedDuration::from_secs(1));
    let second = in_force(
        company.drop("roster/all.json", r#"[{"workerId":1,"status":"active"},{"workerId":2,"status":"active"}]"#).await,
    );
    assert!(second.version > first.version);
    assert_eq!((company.current().await, second.runs.len()), (Some(second), 0));
}

#[tokio::test]
async fn runs_are_sorted_by_address() {
    let company = Company::new().await;
    let index = in_force(company.drop("roster/all.csv", &people(300)).await);
    assert_eq!((index.rows, index.without_address), (300, 1));
    let runs = company.listed(&index).await;
    assert_eq!((runs.len(), runs[0].len()), (1, 299));
    assert!(runs[0].is_sorted_by(|a, b| a.email() < b.email()));
    assert_eq!(runs[0][0].email(), "p100@acme.example", "by bytes");
}

#[tokio::test]
async fn a_bad_roster_is_refused_whole_with_its_line_and_the_one_before_stays() {
    let company = Company::new().await;
    let good = in_force(company.drop("roster/good.csv", &people(600)).await);
    let whole = people(600);
    let table = [
        ("empty.csv", String::new(), (1, None, "has no row; export the roster again")),
        (
            "cut.csv",
            whole.clone() + "601,,active,\"",
            (602, None, "ends in the middle of a row; copy or export the whole file"),
        ),
        (
            "cut.json",
            r#"[{"workerId":1,"status":"active"},"#.into(),
            (1, None, "ends in the middle of a row; copy or export the whole file"),
        ),
        (
            "bad.csv",
            whole.replace("\n500,P100@acme.example", "\n500,somebody"),
            (501, Some("email"), "must be an e-mail address"),
        ),
        (
            "twice.csv",
            whole.replace("\n600,", "\n7,"),
            (601, Some("worker_id"), "comes a second time; each person has one row"),
        ),
        (
            "small.csv",
            people(539),
            (540, None, "has 539 rows, and the last roster had 600; if that is right, load it by hand"),
        ),
        ("all.xlsx", whole.clone(), (1, None, "its name must end in .csv, .json, .jsonl or .ndjson")),
    ];
    for (name, file, (line, column, why)) in table {
        company.stage.host.advance(SignedDuration::from_secs(60));
        let key = format!("roster/{name}");
        let Ok(Outcome::Refused(refusal)) = company.drop(&key, &file).await else { panic!("{name} is refused") };
        assert_eq!((refusal.line, refusal.column, refusal.why.as_str()), (line, column, why), "{name}");
        assert_eq!(company.current().await.as_ref(), Some(&good), "{name}");
        let last = company.bucket.keys("rosters/refused/").pop().unwrap();
        let kept: Value = must_read_json(&company.bucket, &last).await.unwrap();
        let at = company.stage.host.now();
        let expected = json!({ "source": key, "line": line, "column": column, "why": why, "at": at });
        assert_eq!(kept, expected, "{name}");
    }
    company.stage.host.advance(SignedDuration::from_secs(60));
    let small = in_force(company.drop("roster/good.csv", &people(540)).await);
    assert_eq!(company.current().await, Some(small), "a tenth less is allowed");
    let by_hand = json!({ "source": "roster/small.csv", "allow_shrink": true });
    company.bucket.write("roster/small.csv", people(3).into()).await.unwrap();
    company.stage.host.advance(SignedDuration::from_secs(60));
    assert!(matches!(company.by_hand(json!({ "source": "roster/small.csv" })).await, Ok(Outcome::Refused(_))));
    assert_eq!(in_force(company.by_hand(by_hand).await).rows, 3);
}

#[tokio::test]
async fn an_earlier_roster_never_takes_the_place_of_a_later_one() {
    let company = Company::new().await;
    let earlier = company.stage.host.now();
    company.bucket.write("roster/earlier.csv", people(20).into()).await.unwrap();
    company.stage.host.advance(SignedDuration::from_secs(60));
    let later = in_force(company.drop("roster/later.csv", &people(20)).await);
    // Its event comes once more, or only now.
    let outcome = company.by_hand(dropped("roster/earlier.csv", earlier)).await;
    assert!(matches!(outcome, Ok(Outcome::Overtaken { .. })), "{outcome:?}");
    assert_eq!(company.current().await.as_ref(), Some(&later));
}

/// It began earlier, and ends later: nobody had overtaken it when it began.
#[tokio::test]
async fn a_roster_that_ends_late_finds_what_took_force_meanwhile() {
    let company = Company::new().await;
    let roster = company.roster();
    let at = |seconds| company.stage.host.now() + SignedDuration::from_secs(seconds);
    let index = |seconds: i64, rows| Index {
        version: Version::new(at(seconds), at(seconds), 7),
        rows,
        without_address: 0,
        loaded_at: company.stage.host.now(),
        runs: Vec::new(),
        leavers: Vec::new(),
        source: "roster/all.csv".into(),
    };
    let (first, second, third, fourth) = (index(0, 9), index(1, 9), index(2, 9), index(3, 9));
    assert_eq!(roster.take_force(&second, None).await, Ok(Force::Taken));
    assert_eq!(roster.take_force(&second, None).await, Ok(Force::Taken), "the answer was lost");
    assert_eq!(roster.take_force(&first, None).await, Ok(Force::Overtaken));
    assert_eq!(roster.take_force(&first, Some(&second)).await, Ok(Force::Overtaken));
    // What it was compared with is no longer in force: it could be much smaller than what is.
    assert_eq!(roster.take_force(&third, None).await, Ok(Force::Contended));
    assert_eq!(roster.take_force(&third, Some(&second)).await, Ok(Force::Taken));
    assert_eq!(roster.take_force(&fourth, Some(&second)).await, Ok(Force::Contended));
    assert_eq!(company.current().await, Some(third));
}

#[tokio::test]
async fn what_the_table_does_not_take_is_sent_again() {
    let company = Company::new().await;
    for (fault, times) in [(Fault::WriteOne, 30), (Fault::Throttle, 40)] {
        company.stage.host.advance(SignedDuration::from_secs(60));
        company.stage.wire.set(Strike::on(fault, "BatchWriteItem", 1, times));
        let index = in_force(company.drop("roster/all.csv", &people(40)).await);
        company.stage.wire.clear();
        for worker in 1..=40 {
            let worker = WorkerId::parse(&worker.to_string()).unwrap();
            assert!(company.roster().row(&index.version, &worker).await.unwrap().is_some(), "{fault:?}");
        }
    }
}

#[tokio::test]
async fn what_may_pass_fails_the_invocation_and_changes_nothing() {
    let company = Company::new().await;
    let good = in_force(company.drop("roster/all.csv", &people(40)).await);
    company.stage.host.advance(SignedDuration::from_secs(60));
    // DynamoDB wants fewer requests until there is no time left.
    company.stage.wire.set(Strike::on(Fault::Throttle, "BatchWriteItem", 1, usize::MAX / 2));
    assert_eq!(company.drop("roster/all.csv", &people(40)).await.unwrap_err(), "the roster table: out_of_time");
    company.stage.wire.clear();
    let event = dropped("roster/all.csv", company.stage.host.now());
    let late = company.invoke(event.clone(), SignedDuration::from_secs(12)).await.unwrap_err();
    assert_eq!(late, "no time is left to load it; give the function more, or a smaller file");
    company.bucket.fail_reads(100);
    assert_eq!(company.by_hand(event.clone()).await.unwrap_err(), "roster/all.csv: no answer; try again");
    company.bucket.fail_reads(0);
    let gone = company.by_hand(json!({ "source": "roster/gone.csv" })).await.unwrap_err();
    assert_eq!(gone, "roster/gone.csv: is not there");
    let another = company.by_hand(json!({ "source": "audits/report.csv" })).await.unwrap_err();
    assert_eq!(another, "the key must begin with roster/");
    assert_eq!(company.current().await.as_ref(), Some(&good));
    // Then all is well again, even where four answers are lost in a row.
    company.bucket.fail_reads(4);
    let second = in_force(company.by_hand(event).await);
    assert_eq!(company.current().await, Some(second));
}

/// A file that is replaced while it is read would be read as a mixture, which may look good.
#[tokio::test]
async fn a_file_that_is_replaced_meanwhile_is_not_believed() {
    let company = Company::new().await;
    company.bucket.replace_after_first_read("roster/all.csv", people(41).into());
    let error = company.drop("roster/all.csv", &people(40)).await.unwrap_err();
    assert_eq!(error, "the file was replaced while it was read; it will be read again");
    assert_eq!(company.current().await, None);
}
