//! A notice: what the record says now, against what the ledger knows.

use super::{fact, facts, kind_word};
use jiff::civil::Date;
use rollcall::event::wire::Detail;
use rollcall::intake::Source;
use rollcall::intake::complete::{Completed, Employee, Gathered, complete};
use rollcall::person::{Fact, FactKind, Job, Standing};
use rollcall::policy::{Policy, SourceRules};
use rollcall::roster::{Leave, Status};
use serde_json::json;

/// Sent at 09:00 in Oslo's winter, completed a minute later.
const SENT: &str = "2026-12-01T08:00:00Z";
const NOW: &str = "2026-12-01T08:01:00Z";

fn notice(id: &str) -> Detail {
    let detail = json!({
        "schemaVersion": "1.0", "eventId": id, "kind": "unclassified", "phase": "unknown", "occurredAt": SENT,
        "provider": { "name": "hibob", "eventType": "employee.updated" },
        "subject": { "providerSubjectId": "7731" },
        "changes": [{ "field": "other", "valueKnown": false }],
        "missing": ["subject.email", "subject.workerId", "effective.date", "effective.zone", "kind", "phase",
                    "changes.values"],
    });
    serde_json::from_value(detail).unwrap()
}

fn rules() -> SourceRules {
    Policy::parse(r#"{"sources":{"zone":"Europe/Oslo"}}"#).unwrap().sources
}

/// `kind/phase date`, an event each; `@` for the time of the notice.
fn told(gathered: &Gathered, ledger: Vec<Fact>) -> Vec<String> {
    let now = NOW.parse().unwrap();
    match complete(notice("hibob:n-1"), Source::HiBob, gathered, &facts(ledger), &rules(), now) {
        Completed::Events(events) => events
            .iter()
            .map(|event| {
                let kind = kind_word(&event.detail);
                let (word, _) = kind.split_once('/').unwrap();
                assert_eq!(event.detail.event_id, format!("hibob:n-1:{word}"));
                assert_eq!(event.detail.occurred_at, SENT);
                assert!(super::parsed(event).moment.at().is_some(), "{kind} is dated");
                let effective = event.detail.effective.as_ref().unwrap();
                let at = effective.at.as_deref().map(|at| if at == SENT { "@" } else { "ledger" });
                format!("{kind} {}", effective.date.as_deref().or(at).unwrap_or("-"))
            })
            .collect(),
        Completed::Parked(..) => vec!["parked".into()],
        Completed::Nothing(_) => Vec::new(),
    }
}

fn date(text: &str) -> Option<Date> {
    (!text.is_empty()).then(|| text.parse().unwrap())
}

/// What the API says; it speaks of the end.
fn api(status: Option<Status>, started: &str, ends: &str) -> Employee {
    let (started, ends) = (date(started), date(ends));
    Employee { status, started, ends, tells_end: true, ..Employee::default() }
}

fn check(table: Vec<(Employee, Vec<Fact>, &[&str])>) {
    for (index, (employee, ledger, expected)) in table.into_iter().enumerate() {
        let gathered = Gathered { employee: Some(employee), ..Gathered::default() };
        assert_eq!(told(&gathered, ledger), expected, "line {}", index + 1);
    }
}

/// The end of a day in Oslo.
fn end(date: &str) -> Fact {
    fact(FactKind::Termination, "termination", Some(date), Some(&format!("{date}T23:00:00Z")))
}

fn start(kind: FactKind, name: &str, date: &str) -> Fact {
    fact(kind, name, Some(date), Some(&format!("{date}T00:00:00Z")))
}

fn hire(date: &str) -> Fact {
    start(FactKind::Hire, "hire", date)
}

const ACTIVE: Option<Status> = Some(Status::Active);
const GONE: Option<Status> = Some(Status::Terminated);
const LONG_AGO: &str = "2015-01-01";

#[test]
fn an_end_that_the_ledger_does_not_have() {
    let rejected = Fact { standing: Standing::Rejected, ..end("2026-12-31") };
    let rescinded = Fact { standing: Standing::Rescinded, ..end("2026-12-31") };
    let by_time = fact(FactKind::Termination, "termination", None, Some("2026-11-30T23:00:00Z"));
    check(vec![
        (api(ACTIVE, LONG_AGO, "2026-12-31"), vec![], &["termination/scheduled 2026-12-31"]),
        (api(ACTIVE, LONG_AGO, "2026-12-31"), vec![end("2026-12-31")], &[]),
        (api(ACTIVE, LONG_AGO, "2026-12-31"), vec![end("2026-12-24")], &["termination/scheduled 2026-12-31"]),
        (api(ACTIVE, LONG_AGO, "2026-12-31"), vec![rescinded], &["termination/scheduled 2026-12-31"]),
        // An operator said no to just this.
        (api(ACTIVE, LONG_AGO, "2026-12-31"), vec![rejected], &[]),
        (api(GONE, LONG_AGO, "2026-11-30"), vec![], &["termination/effective 2026-11-30"]),
        // The ledger has the same end, by its time alone.
        (api(GONE, LONG_AGO, "2026-11-30"), vec![by_time], &[]),
        (api(GONE, LONG_AGO, ""), vec![], &["termination/effective @"]),
        (api(GONE, LONG_AGO, ""), vec![end("2026-11-20")], &[]),
        (api(GONE, LONG_AGO, ""), vec![end("2026-12-31")], &["termination/effective @"]),
        // Of a person whom the ledger does not know an old end is no news.
        (api(GONE, LONG_AGO, "2020-01-31"), vec![], &[]),
        (api(GONE, LONG_AGO, "2020-01-31"), vec![hire(LONG_AGO)], &["termination/effective 2020-01-31"]),
        // The end of a former employment.
        (api(GONE, LONG_AGO, "2020-01-31"), vec![hire("2021-01-01")], &[]),
        (api(ACTIVE, "2021-01-01", "2020-01-31"), vec![hire("2021-01-01")], &[]),
        (api(ACTIVE, LONG_AGO, "2020-01-31"), vec![hire(LONG_AGO)], &[]),
        // A status may lag a day behind its date.
        (api(ACTIVE, LONG_AGO, "2026-11-30"), vec![hire(LONG_AGO)], &["termination/effective 2026-11-30"]),
        (api(None, LONG_AGO, "2026-12-31"), vec![], &["termination/scheduled 2026-12-31"]),
    ]);
}

#[test]
fn an_end_that_is_taken_back() {
    let silent = |employee: Employee| Employee { tells_end: false, ..employee };
    let late = |mut fact: Fact| {
        fact.assertion.occurred_at = "2026-12-01T08:00:30Z".parse().unwrap();
        fact
    };
    check(vec![
        (api(ACTIVE, LONG_AGO, ""), vec![hire(LONG_AGO), end("2026-12-31")], &["termination/rescinded 2026-12-31"]),
        (api(ACTIVE, LONG_AGO, ""), vec![end("2026-11-20")], &["termination/rescinded 2026-11-20"]),
        (
            api(Some(Status::OnLeave), LONG_AGO, ""),
            vec![end("2026-12-31")],
            &["termination/rescinded 2026-12-31", "leave/effective @"],
        ),
        // Nobody spoke of the end: the token may not read it.
        (silent(api(ACTIVE, LONG_AGO, "")), vec![end("2026-12-31")], &[]),
        (silent(api(ACTIVE, LONG_AGO, "")), vec![end("2026-11-30")], &[]),
        // But days later nobody works there who has left.
        (silent(api(ACTIVE, LONG_AGO, "")), vec![end("2026-11-20")], &["termination/rescinded 2026-11-20"]),
        (api(None, LONG_AGO, ""), vec![end("2026-12-31")], &[]),
        // It was asserted after the notice.
        (api(ACTIVE, LONG_AGO, ""), vec![late(end("2026-12-31"))], &[]),
        // The start of the employment whose end is taken back is no other start.
        (api(ACTIVE, "2026-11-20", ""), vec![end("2026-11-25")], &["termination/rescinded 2026-11-25"]),
        // A later start follows that end.
        (api(ACTIVE, "2026-11-20", ""), vec![end("2026-11-10"), start(FactKind::Rehire, "rehire", "2026-11-20")], &[]),
    ]);
}

#[test]
fn a_start_that_the_ledger_does_not_have() {
    let hired = Some(Status::PreHire);
    check(vec![
        (api(hired, "2026-12-15", ""), vec![], &["hire/scheduled 2026-12-15"]),
        (api(hired, "2026-12-15", ""), vec![hire("2026-12-15")], &[]),
        (api(hired, "2026-12-15", ""), vec![hire("2026-12-08")], &["hire/scheduled 2026-12-15"]),
        (
            api(hired, "2026-12-15", "2027-06-30"),
            vec![],
            &["hire/scheduled 2026-12-15", "termination/scheduled 2027-06-30"],
        ),
        (api(ACTIVE, "2026-12-01", ""), vec![], &["hire/effective 2026-12-01"]),
        // Somebody who has been there for long is no hire.
        (api(ACTIVE, LONG_AGO, ""), vec![], &[]),
        // Again, after an end.
        (api(hired, "2026-12-15", ""), vec![end("2026-11-15")], &["rehire/scheduled 2026-12-15"]),
        (api(ACTIVE, "2026-10-01", "2024-05-31"), vec![end("2024-05-31")], &["rehire/effective 2026-10-01"]),
        (api(GONE, "2026-12-15", "2024-05-31"), vec![end("2024-05-31")], &[]),
    ]);
}

#[test]
fn leaves_and_returns() {
    let away = |from: &str, to: &str| Employee {
        leave: Some(Leave { from: date(from).unwrap(), to: date(to) }),
        ..api(Some(Status::OnLeave), LONG_AGO, "")
    };
    let leave = |name: &str, from: &str| start(FactKind::Leave, name, from);
    let back = |name: &str, from: &str| start(FactKind::Return, name, from);
    let on_leave = || api(Some(Status::OnLeave), LONG_AGO, "");
    check(vec![
        (away("2026-12-10", "2026-12-20"), vec![], &["leave/scheduled 2026-12-10", "return/scheduled 2026-12-21"]),
        (away("2026-11-10", ""), vec![], &["leave/effective 2026-11-10"]),
        (
            away("2026-11-10", "2026-12-20"),
            vec![leave("leave:2026-11-10", "2026-11-10")],
            &["return/scheduled 2026-12-21"],
        ),
        (
            away("2026-11-10", "2026-12-20"),
            vec![leave("leave:2026-11-10", "2026-11-10"), back("return:2026-12-21", "2026-12-21")],
            &[],
        ),
        // It is over, and nobody was told of it.
        (away("2026-01-10", "2026-01-20"), vec![], &[]),
        (on_leave(), vec![], &["leave/effective @"]),
        (on_leave(), vec![leave("leave:2026-11-10", "2026-11-10")], &[]),
        (api(ACTIVE, LONG_AGO, ""), vec![leave("leave:2026-11-10", "2026-11-10")], &["return/effective @"]),
        (
            api(ACTIVE, LONG_AGO, ""),
            vec![leave("leave:2026-11-10", "2026-11-10"), back("return:2026-11-20", "2026-11-20")],
            &[],
        ),
        (api(GONE, LONG_AGO, ""), vec![end("2026-11-20"), leave("leave:2026-11-10", "2026-11-10")], &[]),
    ]);
}

#[test]
fn another_job_is_told_where_the_ledger_knows_one() {
    let job = |department: &str, location: &str| Job {
        department: Job::value(department),
        location: Job::value(location),
        ..Job::default()
    };
    let known = || Fact { job: job("Rockets", ""), ..hire(LONG_AGO) };
    let record = |department, location| Employee { job: job(department, location), ..api(ACTIVE, LONG_AGO, "") };
    check(vec![
        (record("Rovers", "Oslo"), vec![known()], &["job_change/effective @"]),
        (record("Rockets", "Oslo"), vec![known()], &[]),
        (record("", "Oslo"), vec![known()], &[]),
        (record("Rovers", "Oslo"), vec![hire(LONG_AGO)], &[]),
    ]);
    let gathered = Gathered { employee: Some(record("Rovers", "Oslo")), ..Gathered::default() };
    let now = NOW.parse().unwrap();
    let done = complete(notice("hibob:n-1"), Source::HiBob, &gathered, &facts([known()]), &rules(), now);
    let changes = serde_json::to_value(&super::only(done).detail.changes).unwrap();
    let expected = json!([{ "field": "department", "before": "Rockets", "after": "Rovers", "valueKnown": true }]);
    assert_eq!(changes, expected);
}

#[test]
fn a_hire_tells_the_job() {
    let job = Job { department: Job::value("Rockets"), ..Job::default() };
    let gathered =
        Gathered { employee: Some(Employee { job, ..api(ACTIVE, "2026-12-01", "") }), ..Gathered::default() };
    let now = NOW.parse().unwrap();
    let done = complete(notice("hibob:n-1"), Source::HiBob, &gathered, &facts([]), &rules(), now);
    assert_eq!(super::parsed(&super::only(done)).job.department.as_deref(), Some("Rockets"));
}

#[test]
fn a_roster_that_is_older_than_the_notice_speaks_of_an_end_in_force_alone() {
    let gathered = |line: &str, at: &str| Gathered {
        row: super::stage::rows(&format!("worker_id,status,start_date,end_date\n{line}\n")).pop(),
        roster_at: Some(at.parse().unwrap()),
        ..Gathered::default()
    };
    let (old, new) = ("2026-12-01T08:00:00Z", "2026-12-01T08:00:01Z");
    let gone = "7,terminated,2015-01-01,2026-11-30";
    // An end in force is one whichever roster says so, where the ledger has heard nothing of the employment since.
    assert_eq!(told(&gathered(gone, old), vec![]), ["termination/effective 2026-11-30"]);
    let mut since = hire("2015-01-01");
    since.assertion.occurred_at = "2026-12-01T08:30:00Z".parse().unwrap();
    assert_eq!(told(&gathered(gone, old), vec![since]), ["parked"]);
    assert_eq!(told(&gathered("7,active,2015-01-01,", old), vec![]), ["parked"]);
    assert_eq!(told(&gathered("7,active,2015-01-01,2026-12-31", old), vec![]), ["parked"], "an end to come");
    assert_eq!(told(&gathered(gone, new), vec![]), ["termination/effective 2026-11-30"]);
    // A roster without a column for the end looks the same as one where nobody leaves.
    let works = "7,active,2015-01-01,";
    assert_eq!(told(&gathered(works, new), vec![end("2026-12-31")]), Vec::<String>::new());
    assert_eq!(told(&gathered(works, new), vec![end("2026-11-30")]), Vec::<String>::new());
    assert_eq!(told(&gathered(works, new), vec![end("2026-11-20")]), ["termination/rescinded 2026-11-20"]);
    // The API comes first.
    let both = Gathered { employee: Some(api(ACTIVE, LONG_AGO, "")), ..gathered(gone, new) };
    assert_eq!(told(&both, vec![]), Vec::<String>::new());
    let mute = Gathered { employee: Some(Employee::default()), ..gathered(gone, new) };
    assert_eq!(told(&mute, vec![]), ["parked"]);
    assert_eq!(told(&Gathered::default(), vec![]), ["parked"]);
}

#[test]
fn a_long_id_still_makes_one_event_id_each() {
    let long = format!("hibob:{}", "x".repeat(122));
    let gathered =
        Gathered { employee: Some(api(Some(Status::PreHire), "2026-12-15", "2027-06-30")), ..Gathered::default() };
    let done = complete(notice(&long), Source::HiBob, &gathered, &facts([]), &rules(), NOW.parse().unwrap());
    let Completed::Events(events) = done else { panic!() };
    let ids: std::collections::BTreeSet<&str> = events.iter().map(|event| event.detail.event_id.as_str()).collect();
    assert_eq!(ids.len(), 2);
    events.iter().for_each(|event| assert!(super::parsed(event).id.as_str().starts_with("hibob:")));
}
