//! The table of sources: what each tells, how it is believed and refused, what it lacks, and where that comes from.
//!
//! `cargo test -p rollcall --test sources -- --nocapture` prints it. Everything in it is computed, from the fixtures in
//! `events/sources` and from requests that the test signs; and compared with what `expected.rs` says.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod expected;
mod fixtures;
mod pages;
mod sender;

use expected::{Expected, completed};
use fixtures::Fixture;
use jiff::{SignedDuration, Timestamp};
use rollcall::event::EventType;
use rollcall::event::wire::{Detail, Kind};
use rollcall::intake::handshake::handshake;
use rollcall::intake::{Adapted, Headers, Source};
use sender::Refusals;
use std::collections::BTreeSet;

/// When every request is received.
fn now() -> Timestamp {
    "2026-12-01T09:00:00Z".parse().unwrap()
}

/// How an enum is written on the wire.
fn word<T: serde::Serialize>(value: &T) -> String {
    serde_json::to_value(value).unwrap().as_str().unwrap().to_owned()
}

/// One source, as it was computed.
struct Row {
    source: Source,
    kinds: String,
    believed: String,
    refusals: Refusals,
    handshake: String,
    missing: String,
    folded: String,
}

impl Row {
    fn of(source: Source) -> Row {
        let fixtures = fixtures::of(source);
        let (believed, refusals) = sender::tried(source, &fixtures);
        let (kinds, missing) = (kinds(source, &fixtures), missing(source, &fixtures));
        Row {
            source,
            kinds,
            believed,
            refusals,
            handshake: handshakes(source),
            missing,
            folded: folded(source, &fixtures),
        }
    }

    /// What can be written down beforehand: all but the counts.
    fn claims(&self) -> Expected {
        let refused: Vec<&str> = self.refusals.names();
        Expected {
            kinds: self.kinds.clone(),
            believed: self.believed.clone(),
            refused: refused.join(", "),
            handshake: self.handshake.clone(),
            missing: self.missing.clone(),
            folded: self.folded.clone(),
        }
    }
}

fn detail(adapted: &Adapted) -> Option<&Detail> {
    match adapted {
        Adapted::Event(event) | Adapted::Unclassified { event, .. } => Some(event),
        Adapted::Nothing(_) => None,
    }
}

/// The kinds that come of the fixtures, by their detail-types; a login's with its status. Then what is no kind.
fn kinds(source: Source, fixtures: &[Fixture]) -> String {
    let all: Vec<Adapted> = fixtures.iter().flat_map(|fixture| fixture.adapted(source, now())).collect();
    let mut kinds: BTreeSet<String> = BTreeSet::new();
    let mut others: BTreeSet<&str> = BTreeSet::new();
    for adapted in &all {
        match adapted {
            Adapted::Event(event) if event.kind == Kind::Unclassified => _ = others.insert("1 notice"),
            Adapted::Event(event) => {
                let name = EventType::new(event.kind, event.phase).unwrap().detail_type();
                let status = event.status.as_ref().and_then(|status| status.after);
                let status = status.map(|status| format!("={}", word(&status))).unwrap_or_default();
                kinds.insert(format!("{}{status}", name.trim_start_matches("worker.")));
            }
            Adapted::Unclassified { .. } => _ = others.insert("2 parked"),
            Adapted::Nothing(_) => _ = others.insert("3 nothing"),
        }
    }
    kinds.into_iter().chain(others.into_iter().map(|name| name[2..].to_owned())).collect::<Vec<_>>().join(", ")
}

/// The events that a source is judged by: those that are not parked, and of a source whose events all are, those.
fn telling(source: Source, fixtures: &[Fixture]) -> impl Fn(&&Adapted) -> bool {
    let mut adapted = fixtures.iter().flat_map(|fixture| fixture.adapted(source, now()));
    let all_parked = !adapted.any(|adapted| matches!(adapted, Adapted::Event(_)));
    move |adapted| all_parked || matches!(adapted, Adapted::Event(_))
}

/// What its events lack; all fixtures together.
fn missing(source: Source, fixtures: &[Fixture]) -> String {
    let all: Vec<Adapted> = fixtures.iter().flat_map(|fixture| fixture.adapted(source, now())).collect();
    let events = all.iter().filter(telling(source, fixtures)).filter_map(detail);
    let missing: BTreeSet<_> = events.flat_map(|event| &event.missing).collect();
    missing.into_iter().map(word).collect::<Vec<_>>().join(", ")
}

/// Whether a request that comes twice is one event: then both have the same ids. Nothing of the ledger is in it.
fn folded(source: Source, fixtures: &[Fixture]) -> String {
    let counts = telling(source, fixtures);
    let ids = |fixture: &Fixture, at| -> Vec<String> {
        let all = fixture.adapted(source, at);
        all.iter().filter(&counts).filter_map(detail).map(|event| event.event_id.clone()).collect()
    };
    let later = now() + SignedDuration::from_mins(5);
    let (mut all, mut same) = (0, 0);
    for fixture in fixtures {
        let first = ids(fixture, now());
        assert_eq!(first, ids(fixture, now()), "one receipt, read twice: {}", fixture.name);
        if first.is_empty() {
            continue;
        }
        all += 1;
        same += usize::from(first == ids(fixture, later));
    }
    match all - same {
        0 => "same ids".into(),
        other if other == all => "new ids".into(),
        other => format!("same ids, but for {other} of {all}"),
    }
}

/// Which questions of a sender are answered at once.
fn handshakes(source: Source) -> String {
    let challenge = Headers::new([("x-okta-verification-challenge", "acme-challenge")]);
    let asked = handshake(source, "GET", &challenge, b"").map(|answer| {
        assert!(answer.status == 200 && answer.body.contains("acme-challenge"));
        "GET with a challenge".to_owned()
    });
    let mut pings = 0;
    let own = fixtures::of(source).iter().filter(|fixture| fixture.name.contains("ping")).count();
    for fixture in Source::ALL.into_iter().flat_map(fixtures::of) {
        if let Some(answer) = handshake(source, "POST", &Headers::default(), &fixture.body) {
            assert_eq!(answer.status, 200);
            assert!(fixture.name.contains("ping"), "{} is no question", fixture.name);
            pings += 1;
        }
    }
    assert_eq!(pings, own, "the pings of {} and no other's are answered", source.as_str());
    let pings = (pings > 0).then(|| "its pings".to_owned());
    asked.or(pings).unwrap_or_else(|| "none".into())
}

#[test]
fn the_table_of_sources() {
    let rows: Vec<Row> = Source::ALL.into_iter().map(Row::of).collect();
    println!(
        "| source | kinds | believed | refused | handshake | missing | completed | a second delivery |\n|{}",
        "---|".repeat(8)
    );
    for row in &rows {
        println!(
            "| {} | {} | {} | {} | {} | {} | {} | {} |",
            row.source.as_str(),
            row.kinds,
            row.believed,
            row.refusals.counts(),
            row.handshake,
            row.missing,
            completed(row.source),
            row.folded
        );
    }
    let refused: usize = rows.iter().map(|row| row.refusals.total()).sum();
    println!("\n{} sources; {refused} requests that were not a sender's own, each of them refused.", rows.len());
    for row in &rows {
        assert_eq!(row.claims(), expected::of(row.source), "{}", row.source.as_str());
    }
}
