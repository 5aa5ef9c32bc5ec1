use super::*;
use crate::event::wire::{Detail, Phase};
use crate::event::{Kind, parse};
use crate::ledger::{Lease, PersonItem};
use crate::person::{Asserted, Fact, FactKind};
use crate::policy::Policy;
use crate::roster::{Format, Leaver, Refused, Row, Shrinkage, read};
use serde_json::json;

/// When the roster was dropped. The time is six hours later.
const DROPPED: &str = "2026-11-23T06:00:00Z";
const NOW: &str = "2026-11-23T12:00:00Z";

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

fn keys() -> Keys {
    Keys::from_secret(&"k".repeat(32)).unwrap()
}

/// `status,end_date,time_zone,start_date` of employee 007.
fn row(text: &str) -> Row {
    let csv = format!(
        "worker_id,email,object_id,status,end_date,time_zone,start_date\n007,ann@acme.example,9:1;okta:00u1,{text}\n"
    );
    let mut rows = Vec::new();
    read(Format::Csv, csv.as_bytes(), Shrinkage { before: None, percent: 0 }, |row| {
        rows.push(row);
        Ok::<(), Refused>(())
    })
    .unwrap();
    rows.pop().unwrap()
}

/// A fact by `kind phase effective asserted`, its name being the kind.
fn fact(text: &str) -> Fact {
    let words: Vec<&str> = text.split(' ').collect();
    let [kind, phase, date, occurred] = words.as_slice() else { panic!("{text}") };
    let detail = json!({
        "schemaVersion": "1.0", "eventId": "e", "kind": kind, "phase": phase, "occurredAt": format!("{occurred}:00Z"),
        "subject": { "workerId": "007" }, "factId": kind,
        "effective": { "date": date, "zone": "UTC", "basis": "last_day_worked" },
        "changes": [{ "field": "job_code", "after": "ENG-1" }],
    });
    Fact::asserted_by(&parse(&detail.to_string()).unwrap()).unwrap()
}

fn person(facts: &[&str]) -> PersonItem {
    let mut person = PersonItem::default();
    for text in facts {
        person.facts.assert(fact(text), at(NOW)).unwrap();
    }
    person
}

fn rejected(mut person: PersonItem, kind: FactKind, when: &str) -> PersonItem {
    let asserted = Asserted::of(person.facts.iter().find(|fact| fact.kind == kind).unwrap());
    assert!(person.facts.reject(&asserted, at(when)));
    person
}

fn with<T>(policy: &str, judge: impl FnOnce(&Grounds<'_>) -> T) -> T {
    let policy = Policy::parse(policy).unwrap();
    judge(&Grounds::new(&policy, &keys(), at(DROPPED), at(NOW)))
}

const ZONED: &str = r#"{"sources":{"zone":"Europe/Paris"}}"#;

fn judged(policy: &str, text: &str, person: Option<&PersonItem>) -> Result<Detail, &'static str> {
    let Some(leaver) = Leaver::of(&row(text)) else { return Err("stays") };
    with(policy, |grounds| match judge(&leaver, person, grounds) {
        Judgement::Missed(detail) => Ok(*detail),
        Judgement::Known => Err("known"),
        Judgement::Elsewhen => Err("elsewhen"),
        Judgement::Undated => Err("undated"),
    })
}

/// Status and date of the roster, nobody being known: from when, as the road dates it.
#[test]
fn who_left_by_the_roster_and_since_when() {
    let first_day = r#"{"sources":{"zone":"Europe/Paris","roster_end_date":"first_day_inactive"}}"#;
    let short = r#"{"sources":{"zone":"Europe/Paris","reconcile":{"looks_back_days":2}}}"#;
    let table: [(&str, &str, Result<&str, &str>); 22] = [
        (ZONED, "terminated,2026-11-20,,", Ok("2026-11-20T23:00:00Z")),
        (ZONED, "terminated,2026-11-20,America/Los_Angeles,", Ok("2026-11-21T08:00:00Z")),
        (ZONED, "terminated,2026-11-20,Pacific/Auckland,", Ok("2026-11-20T11:00:00Z")),
        (first_day, "terminated,2026-11-20,,", Ok("2026-11-19T23:00:00Z")),
        // HR's status lags behind its date.
        (ZONED, "active,2026-11-22,,", Ok("2026-11-22T23:00:00Z")),
        (ZONED, "on_leave,2026-11-22,,", Ok("2026-11-22T23:00:00Z")),
        // Today is the last day: it ends at midnight, in Auckland an hour ago.
        (ZONED, "active,2026-11-23,,", Err("elsewhen")),
        (ZONED, "terminated,2026-11-23,,", Err("elsewhen")),
        (ZONED, "active,2026-11-23,Pacific/Auckland,", Ok("2026-11-23T11:00:00Z")),
        (ZONED, "active,2026-12-31,,", Err("elsewhen")),
        (ZONED, "active,,,", Err("stays")),
        // HR's word without a date, or without a zone: when it was said.
        (ZONED, "terminated,,,", Ok(DROPPED)),
        ("{}", "terminated,,,", Ok(DROPPED)),
        ("{}", "terminated,2026-11-21,,", Ok(DROPPED)),
        // The 22nd is over everywhere at noon of the 23rd, and the word is from six.
        ("{}", "terminated,2026-11-22,,", Err("elsewhen")),
        ("{}", "active,2026-11-21,,", Err("undated")),
        ("{}", "active,2026-11-22,,", Err("undated")),
        ("{}", "active,2026-11-23,,", Err("elsewhen")),
        // 30 days back.
        (ZONED, "terminated,2026-10-24,,", Ok("2026-10-24T22:00:00Z")),
        (ZONED, "terminated,2026-10-23,,", Err("elsewhen")),
        (short, "terminated,2026-11-20,,", Err("elsewhen")),
        ("{}", "active,2026-09-01,,", Err("elsewhen")),
    ];
    for (policy, text, expected) in table {
        let found = judged(policy, text, None).map(|detail| {
            let event = parse(&serde_json::to_string(&detail).unwrap()).unwrap();
            assert_eq!(event.occurred_at, at(DROPPED), "what was said since wins");
            assert_eq!((event.fact.as_str(), event.missing.len()), ("termination", 0));
            event.moment.at().unwrap().to_string()
        });
        assert_eq!(found.as_deref().map_err(|why| *why), expected, "{policy} {text}");
    }
}

/// What the ledger knows, against a leaver of the 20th whose roster is of the 23rd.
#[test]
fn what_the_ledger_knows_or_has_heard_since_is_not_asked_for() {
    let hired = "hire effective 2020-01-01 2020-01-01T08:00";
    let is_missed = |person: &PersonItem| match judged(ZONED, "terminated,2026-11-20,,", Some(person)) {
        Ok(_) => true,
        Err(why) => {
            assert_eq!(why, "known");
            false
        }
    };
    let table: [(&[&str], bool, &str); 13] = [
        (&[], true, "nothing is known"),
        (&[hired], true, "only the start is known"),
        (&[hired, "termination effective 2026-11-20 2026-11-20T09:00"], false, "it is known"),
        (&["termination effective 2026-11-20 2026-11-20T09:00"], false, "it is known, and no start"),
        (&[hired, "termination effective 2026-11-01 2026-11-01T09:00"], false, "another date, and no access is due"),
        (&[hired, "termination effective 2026-12-31 2026-11-01T09:00"], true, "an older word names a later day"),
        (&[hired, "termination effective 2026-12-31 2026-11-23T07:00"], false, "a newer word names a later day"),
        (&[hired, "termination rescinded 2026-11-20 2026-11-22T09:00"], true, "it was taken back before"),
        (&[hired, "termination rescinded 2026-11-20 2026-11-23T07:00"], false, "it was taken back since"),
        (&[hired, "rehire effective 2026-11-21 2026-11-21T09:00"], false, "employed again since"),
        (&[hired, "rehire effective 2026-11-20 2026-11-20T09:00"], false, "a change of contract on the day"),
        (&[hired, "rehire effective 2026-11-19 2026-11-19T09:00"], true, "employed again before that"),
        (
            &["termination effective 2024-01-31 2024-01-31T09:00", "rehire effective 2025-03-01 2025-03-01T09:00"],
            true,
            "an end of a former employment says nothing",
        ),
    ];
    for (facts, missed, why) in table {
        assert_eq!(is_missed(&person(facts)), missed, "{why}: {facts:?}");
    }
    let ended = || person(&[hired, "termination effective 2026-11-20 2026-11-20T09:00"]);
    assert!(is_missed(&rejected(ended(), FactKind::Termination, "2026-11-22T09:00:00Z")), "HR says so again since");
    assert!(!is_missed(&rejected(ended(), FactKind::Termination, "2026-11-23T07:00:00Z")), "an operator's no is newer");
}

#[test]
fn one_id_for_one_meaning() {
    let id = |policy: &str, text: &str| judged(policy, text, None).ok().unwrap().event_id;
    let first = id(ZONED, "terminated,2026-11-20,,");
    assert_eq!(first, id(ZONED, "terminated,2026-11-20,,"), "two passes ask once");
    // Another zone or date is another event: the same id with another meaning would be parked.
    assert_ne!(first, id(ZONED, "terminated,2026-11-20,UTC,"));
    assert_ne!(first, id(ZONED, "terminated,2026-11-19,,"));
    let policy = Policy::parse(ZONED).unwrap();
    let leaver = Leaver::of(&row("terminated,2026-11-20,,")).unwrap();
    let own = keys();
    let later = Grounds::new(&policy, &own, at("2026-11-23T07:00:00Z"), at(NOW));
    let Judgement::Missed(detail) = judge(&leaver, None, &later) else { panic!("missed") };
    assert_ne!(first, detail.event_id, "another roster says it at another time");
    let other = Keys::from_secret(&"x".repeat(32)).unwrap();
    let Judgement::Missed(detail) = judge(&leaver, None, &Grounds { keys: &other, dropped_at: at(DROPPED), ..later })
    else {
        panic!("missed")
    };
    assert_ne!(first, detail.event_id, "nobody without the person key can tell whose it is");
}

/// Who is named by a provider's id is reached by it, where it says whose it is.
#[test]
fn an_event_names_the_person_by_all_that_the_roster_has() {
    let subject = judged(ZONED, "terminated,2026-11-20,,", None).ok().unwrap().subject;
    assert_eq!(subject.worker_id.as_deref(), Some("007"));
    assert_eq!(subject.email.as_deref(), Some("ann@acme.example"));
    assert_eq!(subject.provider_subject_id.as_deref(), Some("okta:00u1"), "9:1 may be anybody's");
}

fn took(mut person: PersonItem, event: &str) -> PersonItem {
    let taken =
        json!({ "account": { "id": "lwa", "type": "EnterpriseLWA" }, "event": event, "at": "2026-11-21T00:00:00Z" });
    person.taken = Some(serde_json::from_value(taken).unwrap());
    person
}

fn restored(person: &PersonItem, text: Option<&str>) -> Result<(Kind, Phase, Detail), &'static str> {
    with(ZONED, |grounds| match restore(person, text.map(row).as_ref(), grounds) {
        Restoring::Due(detail) => Ok((detail.kind, detail.phase, *detail)),
        Restoring::NotDue => Err("not due"),
        Restoring::Busy => Err("busy"),
        Restoring::Contradicted => Err("contradicted"),
        Restoring::Unreached => Err("unreached"),
    })
}

#[test]
fn who_is_due_to_have_it_back_and_by_which_event() {
    let hired = "hire effective 2020-01-01 2020-01-01T08:00";
    let ended = "termination effective 2026-11-20 2026-11-20T09:00";
    let leave = "leave effective 2026-11-01 2026-11-01T09:00";
    let back = "leave rescinded 2026-11-01 2026-11-22T09:00";
    let rehired = "rehire effective 2026-11-21 2026-11-21T09:00";
    let works = Some("active,,,");
    /// Facts, row, the event or why there is none, and what that is about.
    type Line<'a> = (&'a [&'a str], Option<&'a str>, Result<(Kind, Phase), &'a str>, &'a str);
    let due = |kind, phase| Ok((kind, phase));
    let table: [Line<'_>; 11] = [
        (&[hired], works, due(Kind::Hire, Phase::Effective), "employed, and nothing is in the way"),
        (&[hired, ended, rehired], works, due(Kind::Rehire, Phase::Effective), "employed again"),
        (&[back], works, due(Kind::Leave, Phase::Rescinded), "no fact says, and a leave was taken back"),
        (&[], works, Err("unreached"), "no fact says, and none was taken back"),
        (&[hired, leave], works, Err("not due"), "on leave"),
        (&[hired, ended], Some("terminated,2026-11-20,,"), Err("not due"), "gone by both"),
        (&[hired, ended], None, Err("not due"), "gone, and no longer in the roster"),
        (&[hired, ended], works, Err("contradicted"), "the roster of the 23rd has the person"),
        (&[hired, "termination effective 2026-11-20 2026-11-23T07:00"], works, Err("not due"), "the end is newer"),
        (&[hired], None, Err("unreached"), "nobody says who it is"),
        (&[hired], Some("terminated,2026-09-01,,"), Err("not due"), "HR says that the person left, however long ago"),
    ];
    for (facts, text, expected, why) in table {
        let found = restored(&took(person(facts), "suspend-user#e"), text);
        assert_eq!(found.map(|(kind, phase, _)| (kind, phase)), expected, "{why}");
    }
    let nothing = person(&[hired]);
    assert_eq!(restored(&nothing, works).err(), Some("not due"), "nothing was taken");
    let rejection = |when| rejected(person(&[ended]), FactKind::Termination, when);
    let rejected = took(rejection("2026-11-23T07:00:00Z"), "suspend-user#e");
    let (kind, phase, _) = restored(&rejected, Some("terminated,2026-11-20,,")).unwrap();
    assert_eq!((kind, phase), (Kind::Termination, Phase::Rescinded), "an operator's no is newer than the roster");
    let early = took(rejection("2026-11-22T09:00:00Z"), "suspend-user#e");
    assert_eq!(restored(&early, Some("terminated,2026-11-20,,")).err(), Some("not due"), "HR says so again since");
    // What the audit took, though no fact says, is not the pass's to give back.
    let audit = "suspend-user#audit-removal-0123456789abcdef";
    assert_eq!(restored(&took(person(&[back]), audit), works).err(), Some("not due"));
    assert!(restored(&took(person(&[hired]), audit), works).is_ok(), "HR's facts win over it");
}

#[test]
fn a_person_whom_an_attempt_is_at_work_on_waits_for_the_next_pass() {
    let mut person = took(person(&["hire effective 2020-01-01 2020-01-01T08:00"]), "suspend-user#e");
    let lease = |until: &str| Lease { owner: "o".into(), until: at(until).as_millisecond(), event: "e".into() };
    person.lease = Some(lease("2026-11-23T12:00:01Z"));
    assert_eq!(restored(&person, Some("active,,,")).err(), Some("busy"));
    person.lease = Some(lease(NOW));
    assert!(restored(&person, Some("active,,,")).is_ok(), "its worker died");
}

/// Asked for again, a fact is what it was: the job that it tells of, its date and who asserted it when.
#[test]
fn what_is_asked_for_again_asserts_nothing_new() {
    let now = at(NOW);
    for facts in [["hire effective 2020-01-01 2020-01-01T08:00"], ["termination rescinded 2026-11-20 2026-11-22T09:00"]]
    {
        let before = took(person(&facts), "suspend-user#e");
        let (_, _, detail) = restored(&before, Some("active,,,")).unwrap();
        let event = parse(&serde_json::to_string(&detail).unwrap()).unwrap();
        let again = Fact::asserted_by(&event).unwrap();
        let known = before.facts.iter().next().unwrap();
        let mut named_alike = again.clone();
        named_alike.assertion.event.clone_from(&known.assertion.event);
        assert_eq!(&named_alike, known);
        let mut after = before.facts.clone();
        after.assert(again, now).unwrap();
        assert_eq!(after.access(now, AccessPolicy::default()), before.facts.access(now, AccessPolicy::default()));
        let (_, _, twice) = restored(&before, Some("active,,,")).unwrap();
        assert_eq!(detail.event_id, twice.event_id);
        let mut taken_again = before.clone();
        taken_again.taken.as_mut().unwrap().at = now;
        let (_, _, later) = restored(&taken_again, Some("active,,,")).unwrap();
        assert_ne!(detail.event_id, later.event_id, "what is taken another time is due back another time");
    }
}
