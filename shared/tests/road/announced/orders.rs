//! Scheduled, corrected and taken back, in every order of arrival and each of them twice: the end is the same.

use super::company::Company;
use super::end;
use crate::stage::{envelope, event};
use serde_json::{Value, json};

/// One assertion of the end: said on a day of November 2026, for another.
#[derive(Clone, Copy)]
enum Says {
    /// Announced, or corrected: the sender does not tell which.
    Announced { said: u8, on: u8 },
    /// It is so by now, HR says itself.
    Effective { said: u8, on: u8 },
    /// Taken back.
    Rescinded { said: u8 },
}

use Says::{Announced, Effective, Rescinded};

impl Says {
    fn body(self, index: usize, n: usize) -> String {
        let (phase, said, on) = match self {
            Announced { said, on } => ("scheduled", said, on),
            Effective { said, on } => ("effective", said, on),
            // The date that a sender tells with a rescission is the one of before, or none that matters.
            Rescinded { said } => ("rescinded", said, 29),
        };
        let mut event = end(&format!("{index}-{n}"), &format!("2026-11-{on:02}T18:00:00Z"), n);
        event["phase"] = json!(phase);
        event["occurredAt"] = json!(format!("2026-11-{said:02}T09:00:00Z"));
        envelope(&event)
    }
}

/// Every order of some things.
fn orders(items: &[usize]) -> Vec<Vec<usize>> {
    if items.is_empty() {
        return vec![Vec::new()];
    }
    let mut all = Vec::new();
    for (index, item) in items.iter().enumerate() {
        let rest: Vec<usize> = items.iter().enumerate().filter(|(at, _)| *at != index).map(|(_, it)| *it).collect();
        all.extend(orders(&rest).into_iter().map(|mut order| {
            order.insert(0, *item);
            order
        }));
    }
    all
}

/// What is left of a person: their facts, and whether anything still waits.
async fn left(company: &Company, n: usize) -> (String, Vec<Value>) {
    let user = company.stage.users()[&format!("lwa/u{n}")].clone();
    let people = company.stage.people().await;
    let own = |fact: &Value| fact["kind"] == "termination";
    let ids = |person: &rollcall::ledger::PersonItem| json!(person.facts).as_array().cloned().unwrap_or_default();
    let of_n = people.values().find(|person| {
        ids(person).iter().any(|fact| fact["event"].as_str().is_some_and(|event| event == format!("hired-{n}")))
    });
    let mut facts: Vec<Value> = of_n.map(ids).unwrap_or_default().into_iter().filter(own).collect();
    for fact in &mut facts {
        // Which event carried the assertion differs by design: the announcement, or what it fired.
        fact["event"] = Value::Null;
    }
    (user, facts)
}

/// In every order, each event once more right after, and once more at the end: on the 23rd, on the 28th and on the 31st.
async fn ends(story: &str, sequence: &[Says], expected: [&str; 2]) {
    let indexes: Vec<usize> = (0..sequence.len()).collect();
    let orders = orders(&indexes);
    let company = Company::new(orders.len()).await;
    for (n, order) in orders.iter().enumerate() {
        let mut hired = event(&format!("hired-{n}"), "hire", "effective", "2025-01-02T08:00:00Z", "lwa", n);
        hired["occurredAt"] = json!("2025-01-01T08:00:00Z");
        company.deliver(&[envelope(&hired)]).await;
        for index in order.iter().flat_map(|index| [index, index]).chain(order) {
            company.deliver(&[sequence[*index].body(*index, n)]).await;
        }
    }
    let mut first = None;
    for (then, expected) in ["2026-11-28T00:00:00Z", "2026-12-01T00:00:00Z"].into_iter().zip(expected) {
        company.until(then).await;
        for (n, order) in orders.iter().enumerate() {
            let (user, facts) = left(&company, n).await;
            assert_eq!(user, expected, "{story}: {order:?} by {then}");
            if then.starts_with("2026-12") {
                let first = first.get_or_insert_with(|| facts.clone());
                assert_eq!(&facts, first, "{story}: {order:?}");
            }
        }
    }
    assert_eq!(company.waiting().await, [] as [String; 0], "{story}: nothing waits");
    let running = company.stage.items().await.into_iter().filter(|item| item.contains_key("lease")).count();
    assert_eq!(running, 0, "{story}: no lease is left");
}

const GONE: &str = "Suspended";
const THERE: &str = "Registered";

#[tokio::test]
async fn corrected_to_an_earlier_day() {
    ends("earlier", &[Announced { said: 1, on: 29 }, Announced { said: 2, on: 26 }], [GONE, GONE]).await;
}

#[tokio::test]
async fn corrected_to_a_later_day() {
    ends("later", &[Announced { said: 1, on: 26 }, Announced { said: 2, on: 29 }], [THERE, GONE]).await;
}

#[tokio::test]
async fn corrected_and_taken_back() {
    let all = [Announced { said: 1, on: 29 }, Announced { said: 2, on: 26 }, Rescinded { said: 3 }];
    ends("taken back", &all, [THERE, THERE]).await;
}

#[tokio::test]
async fn taken_back_and_announced_anew() {
    let all = [Announced { said: 1, on: 26 }, Rescinded { said: 2 }, Announced { said: 3, on: 29 }];
    ends("anew", &all, [THERE, GONE]).await;
}

#[tokio::test]
async fn corrected_twice_taken_back_and_announced_for_a_day_that_is_past() {
    let all = [
        Announced { said: 1, on: 29 },
        Announced { said: 2, on: 26 },
        Rescinded { said: 3 },
        Announced { said: 4, on: 20 },
    ];
    ends("past", &all, [GONE, GONE]).await;
}

#[tokio::test]
async fn in_force_already_and_then_corrected_to_a_later_day() {
    let all = [Announced { said: 1, on: 20 }, Effective { said: 1, on: 20 }, Announced { said: 22, on: 29 }];
    ends("in force, then later", &all, [THERE, GONE]).await;
}

#[tokio::test]
async fn in_force_already_and_then_taken_back() {
    let all = [Announced { said: 1, on: 20 }, Effective { said: 2, on: 20 }, Rescinded { said: 22 }];
    ends("in force, then taken back", &all, [THERE, THERE]).await;
}
