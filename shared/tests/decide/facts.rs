//! Which events there are, and how many facts a person keeps.

use crate::{detail, now};
use rollcall::event::{EventType, Kind, Phase, parse};
use rollcall::person::{Fact, Facts};

#[test]
fn kinds_and_phases_that_do_not_go_together_do_not_exist() {
    assert_eq!(EventType::new(Kind::Termination, Phase::Detected), None);
    assert_eq!(EventType::new(Kind::AccountStatus, Phase::Scheduled), None);
    assert_eq!(EventType::all().len(), 7 * 3 + 5);
}

/// Twenty seasons of a seasonal worker are more facts than the ledger keeps: the old ones make room, and the last counts.
#[test]
fn a_person_with_a_long_history_can_still_leave() {
    let mut facts = Facts::default();
    for year in 2001..=2020 {
        for (kind, day) in [("rehire", "04-01"), ("leave", "06-01"), ("return", "06-15"), ("termination", "10-31")] {
            let event = parse(&detail(kind, "effective", &format!("{year}-{day}T08:00:00Z")).to_string()).unwrap();
            facts.assert(Fact::asserted_by(&event).unwrap(), now()).unwrap();
        }
    }
    assert_eq!(facts.iter().count(), 32);
    let access = facts.access(now(), rollcall::person::AccessPolicy::default());
    let last = facts.iter().find(|fact| {
        fact.kind == rollcall::person::FactKind::Termination
            && fact.at.is_some_and(|at| at.to_string().starts_with("2020"))
    });
    assert_eq!(access, rollcall::person::Access::NotDue(last.unwrap().id.clone()));
}
