//! When a completed event bites, as the road reads it: days without a midnight, days with two, and the edge of "now".

use super::{fact, facts, is, only, parsed, whence};
use jiff::{SignedDuration, Timestamp};
use rollcall::event::wire::Detail;
use rollcall::event::{Kind, Missing, Phase};
use rollcall::intake::Source;
use rollcall::intake::complete::{AT_ONCE, Completed, Event, Gathered, Whence, complete};
use rollcall::person::{Fact, FactKind, Facts};
use rollcall::policy::Policy;
use serde_json::json;

/// An event of Gusto about one person, in a zone that the policy names.
fn completed(kind: &str, phase: &str, date: Option<&str>, zone: &str, now: Timestamp) -> Event {
    let detail = json!({
        "schemaVersion": "1.0", "eventId": "gusto:1", "kind": kind, "phase": phase,
        "occurredAt": "2026-03-01T00:00:00Z",
        "subject": { "providerSubjectId": "e-7731" },
        "effective": { "date": date, "source": "payload" },
        "missing": ["subject.email", "subject.workerId", "effective.zone"],
    });
    let detail: Detail = serde_json::from_value(detail).unwrap();
    let rules = Policy::parse(&json!({ "sources": { "zone": zone } }).to_string()).unwrap().sources;
    let event = only(complete(detail, Source::Gusto, &Gathered::default(), &Facts::default(), &rules, now));
    assert_eq!(whence(&event, Missing::EffectiveZone), Some(Whence::Policy));
    event
}

#[test]
fn daylight_saving_moves_no_day() {
    let now: Timestamp = "2026-03-01T00:00:00Z".parse().unwrap();
    let table = [
        // Clocks in Santiago skip from 24:00 on 2026-09-05 to 01:00 on 2026-09-06 (IANA tzdb).
        ("termination", "2026-09-05", "America/Santiago", "2026-09-06T04:00:00Z"),
        // Clocks in Cairo skip from 00:00 to 01:00 on 2026-04-24, the last Friday of April.
        ("hire", "2026-04-24", "Africa/Cairo", "2026-04-23T22:00:00Z"),
        // Clocks in Havana go back from 01:00 to 00:00 on 2026-11-01: the day has two midnights, and begins with the first.
        ("termination", "2026-10-31", "America/Havana", "2026-11-01T04:00:00Z"),
        ("leave", "2026-11-01", "America/Havana", "2026-11-01T04:00:00Z"),
        ("termination", "2026-12-31", "Pacific/Kiritimati", "2026-12-31T10:00:00Z"),
        ("termination", "2026-12-31", "Pacific/Pago_Pago", "2027-01-01T11:00:00Z"),
    ];
    for (kind, date, zone, expected) in table {
        let event = completed(kind, "scheduled", Some(date), zone, now);
        assert_eq!(event.detail.effective.as_ref().unwrap().at, None, "it is computed each time");
        assert_eq!(parsed(&event).moment.at().unwrap().to_string(), expected, "{kind} {date} {zone}");
        assert!(event.detail.phase == Phase::Scheduled);
    }
}

#[test]
fn two_minutes_ahead_is_now() {
    // The end of the day in Oslo.
    let bites: Timestamp = "2026-11-30T23:00:00Z".parse().unwrap();
    let second = SignedDuration::from_secs(1);
    let table = [
        (bites - AT_ONCE - second, Phase::Scheduled),
        (bites - AT_ONCE, Phase::Effective),
        (bites, Phase::Effective),
        (bites + second, Phase::Effective),
    ];
    for (now, expected) in table {
        for announced in ["scheduled", "effective"] {
            let event = completed("termination", announced, Some("2026-11-30"), "Europe/Oslo", now);
            assert!(is(&event, Kind::Termination, expected), "{announced} {now}: {event:?}");
        }
        let taken_back = completed("termination", "rescinded", Some("2026-11-30"), "Europe/Oslo", now);
        assert!(is(&taken_back, Kind::Termination, Phase::Rescinded), "a rescission stays one");
    }
}

/// Kind, phase and date of an event, a row of the roster, what the ledger has, and the name of the event's fact.
type Row<'a> = (&'a str, &'a str, Option<&'a str>, &'a str, Vec<Fact>, &'a str);

/// Ends and starts have one name, whatever comes first. Those of another employment than the one that is in force have
/// another: taken for a correction, they would give back what an end took, or take what a start gave.
#[test]
fn the_end_of_a_second_contract_is_no_correction_of_the_first() {
    let detail = |kind: &str, phase: &str, date: Option<&str>| -> Detail {
        let detail = json!({
            "schemaVersion": "1.0", "eventId": "sap:1", "kind": kind, "phase": phase,
            "occurredAt": "2026-11-20T08:00:00Z", "subject": { "workerId": "7" },
            "effective": { "date": date, "zone": "UTC" }, "missing": ["subject.email"],
        });
        serde_json::from_value(detail).unwrap()
    };
    let dated = |kind, name: &str, date: &str| fact(kind, name, Some(date), Some(&format!("{date}T00:00:00Z")));
    let hired = || dated(FactKind::Hire, "hire", "2020-03-01");
    let ended = |name: &str, date: &str| dated(FactKind::Termination, name, date);
    let again = |name: &str, date: &str| dated(FactKind::Rehire, name, date);
    let row = |line: &str| super::stage::rows(&format!("worker_id,status,start_date,end_date\n{line}\n")).pop();
    let second_contract = || vec![hired(), ended("termination", "2026-01-31"), again("rehire", "2026-04-01")];
    let with = |more: Vec<Fact>| [second_contract(), more].concat();
    let nothing = "";
    let table: [Row<'_>; 15] = [
        ("termination", "scheduled", Some("2026-12-31"), nothing, vec![hired()], "termination"),
        // A correction of what is in force, or of what is to come.
        (
            "termination",
            "scheduled",
            Some("2026-12-31"),
            nothing,
            vec![hired(), ended("termination", "2026-11-15")],
            "termination",
        ),
        (
            "termination",
            "scheduled",
            Some("2026-12-31"),
            nothing,
            vec![hired(), ended("termination", "2026-12-15")],
            "termination",
        ),
        // A start lies between: in the ledger, whether in force or announced, or in the roster.
        ("termination", "scheduled", Some("2027-12-31"), nothing, second_contract(), "termination-after:2026-01-31"),
        (
            "termination",
            "scheduled",
            Some("2027-12-31"),
            nothing,
            vec![hired(), ended("termination", "2026-10-31"), again("rehire", "2027-04-01")],
            "termination-after:2026-10-31",
        ),
        (
            "termination",
            "scheduled",
            Some("2027-12-31"),
            "7,pre_hire,2027-04-01,",
            vec![hired(), ended("termination", "2026-10-31")],
            "termination-after:2026-10-31",
        ),
        // That one corrected has the same name; and a third contract's end the next.
        (
            "termination",
            "scheduled",
            Some("2027-06-30"),
            nothing,
            with(vec![ended("termination-after:2026-01-31", "2027-12-31")]),
            "termination-after:2026-01-31",
        ),
        (
            "termination",
            "scheduled",
            Some("2027-06-30"),
            nothing,
            with(vec![
                ended("termination-after:2026-01-31", "2026-06-30"),
                again("rehire-after:2026-04-01", "2026-08-01"),
            ]),
            "termination-after:2026-06-30",
        ),
        // The end of the first contract, corrected backwards.
        ("termination", "effective", Some("2026-01-15"), nothing, second_contract(), "termination"),
        // What is taken back without a date is the latest.
        (
            "termination",
            "rescinded",
            None,
            nothing,
            with(vec![ended("termination-after:2026-01-31", "2027-12-31")]),
            "termination-after:2026-01-31",
        ),
        // A start that settled long ago is not moved: the next one comes, heard of before the end between.
        (
            "rehire",
            "scheduled",
            Some("2027-09-01"),
            nothing,
            vec![hired(), again("rehire", "2023-05-01")],
            "rehire-after:2023-05-01",
        ),
        ("hire", "scheduled", Some("2027-09-01"), nothing, vec![hired()], "hire-after:2020-03-01"),
        ("hire", "scheduled", Some("2026-12-15"), nothing, vec![dated(FactKind::Hire, "hire", "2026-11-10")], "hire"),
        ("hire", "scheduled", Some("2026-12-15"), nothing, vec![dated(FactKind::Hire, "hire", "2026-12-08")], "hire"),
        (
            "rehire",
            "scheduled",
            Some("2026-12-01"),
            nothing,
            vec![again("rehire", "2026-11-01"), ended("termination", "2026-11-10")],
            "rehire-after:2026-11-01",
        ),
    ];
    let rules = Policy::parse(r#"{"sources":{"zone":"UTC"}}"#).unwrap().sources;
    let now: Timestamp = "2026-11-20T09:00:00Z".parse().unwrap();
    for (kind, phase, date, line, ledger, expected) in table {
        let at = (!line.is_empty()).then_some("2026-11-20T08:30:00Z".parse().unwrap());
        let gathered = Gathered { row: at.and_then(|_| row(line)), roster_at: at, ..Gathered::default() };
        let told = format!("{kind}/{phase} {date:?} {line} after {} facts", ledger.len());
        let done = complete(detail(kind, phase, date), Source::SuccessFactors, &gathered, &facts(ledger), &rules, now);
        assert_eq!(only(done).detail.fact_id.as_deref(), Some(expected), "{told}");
    }
}

/// A record may still have the dates of a former employment: none of them is this event's.
#[test]
fn a_date_before_the_change_that_it_follows_is_another_ones() {
    let detail = |kind: &str, phase: &str| -> Detail {
        let detail = json!({
            "schemaVersion": "1.0", "eventId": "sap:1", "kind": kind, "phase": phase,
            "occurredAt": "2026-11-20T08:00:00Z", "subject": { "workerId": "7" },
            "effective": {}, "missing": ["effective.date", "effective.zone", "subject.email"],
        });
        serde_json::from_value(detail).unwrap()
    };
    let rules = Policy::parse(r#"{"sources":{"zone":"Europe/Oslo"}}"#).unwrap().sources;
    let now: Timestamp = "2026-11-20T09:00:00Z".parse().unwrap();
    let hired = fact(FactKind::Hire, "hire", Some("2024-03-01"), Some("2024-02-29T23:00:00Z"));
    let ended = fact(FactKind::Termination, "termination", Some("2023-01-31"), Some("2023-01-31T23:00:00Z"));
    let row = |line: &str| {
        let csv = format!("worker_id,status,start_date,end_date\n{line}\n");
        super::stage::rows(&csv).pop()
    };
    let roster = |at: &str| Some(at.parse().unwrap());
    let (old, new) = (roster("2026-11-01T00:00:00Z"), roster("2026-11-20T08:30:00Z"));
    let table = [
        // The roster knows the end of the former employment only.
        ("termination", "effective", "7,active,2019-01-01,2023-01-31", old, vec![hired.clone()], None),
        ("termination", "effective", "7,active,2024-03-01,2023-01-31", old, vec![], None),
        ("termination", "effective", "7,terminated,2024-03-01,2026-11-19", old, vec![hired], Some("2026-11-19")),
        ("rehire", "effective", "7,active,2019-01-01,", old, vec![ended.clone()], None),
        ("rehire", "effective", "7,active,2026-11-20,", old, vec![ended], Some("2026-11-20")),
        // Announced, so it is to come, unless the roster is newer than the announcement.
        ("termination", "scheduled", "7,active,2019-01-01,2026-11-10", old, vec![], None),
        ("termination", "scheduled", "7,active,2019-01-01,2026-11-10", new, vec![], Some("2026-11-10")),
        ("termination", "scheduled", "7,active,2019-01-01,2026-12-10", old, vec![], Some("2026-12-10")),
        // In force, so it is not to come.
        ("termination", "effective", "7,active,2019-01-01,2026-11-21", new, vec![], None),
    ];
    for (kind, phase, line, roster_at, ledger, expected) in table {
        let gathered = Gathered { row: row(line), roster_at, ..Gathered::default() };
        let done = complete(detail(kind, phase), Source::SuccessFactors, &gathered, &facts(ledger), &rules, now);
        let Completed::Events(events) = done else { panic!("{kind}") };
        let date = events[0].detail.effective.as_ref().unwrap().date.as_deref();
        assert_eq!(date, expected, "{kind}/{phase} {line}");
        let undated = events[0].detail.missing.contains(&Missing::EffectiveDate);
        assert_eq!(undated, expected.is_none() && phase == "scheduled", "{kind}/{phase} {line}");
    }
}
