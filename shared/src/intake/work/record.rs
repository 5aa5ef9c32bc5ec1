//! The record of one element: what it says of a message that carries it, and how it begins and ends. Pure.

use crate::ledger::{EventItem, REMEMBERED_FOR, State};
use crate::outcome::Outcome;
use jiff::Timestamp;
use serde_json::{Value, json};

/// Whether an element's record says that a message which carries it is a duplicate. What is parked opens again with the
/// token that it was parked under.
pub(super) fn is_over(record: Option<&EventItem>, parked_as: Option<&str>) -> bool {
    record.is_some_and(|record| match record.state {
        State::Running | State::Retry => false,
        State::Parked => parked_as != Some(record.owner.as_str()),
        State::Held | State::Observed | State::Applied | State::Unchanged | State::Superseded | State::Rejected => true,
    })
}

/// Whether a record is that of another event with the same id. One of the two did not say what it means: it may be the same.
pub(super) fn means_another(record: &EventItem, validation: &str) -> bool {
    !record.validation.is_empty() && !validation.is_empty() && record.validation != validation
}

/// A record of which nothing is known but its key and when it came.
pub(super) fn blank(key: &str, at: Timestamp) -> EventItem {
    EventItem {
        id: key.to_owned(),
        status: State::Running.status().to_owned(),
        state: State::Running,
        rev: 0,
        owner: String::new(),
        attempt: 1,
        person: None,
        occurred_at: None,
        detail_type: None,
        effective_at: None,
        first_claimed_at: at.as_millisecond(),
        received_at: None,
        settled_at: None,
        in_progress_expiration: None,
        expiration: None,
        validation: String::new(),
        data: None,
        plan: None,
        attention: None,
        event: None,
        asserts: None,
        releasing: None,
        due: None,
        due_at: None,
        takes_back: false,
        braked: None,
        released: None,
        rejected: None,
    }
}

/// Ends a record with an outcome, and what else is told of it.
pub(super) fn end(record: &mut EventItem, outcome: &Outcome, more: Value, now: Timestamp) {
    record.state = outcome.outcome;
    record.status = outcome.outcome.status().to_owned();
    record.settled_at = Some(now.as_millisecond());
    record.expiration = Some(now.as_second() + REMEMBERED_FOR);
    let mut data = json!(outcome);
    if let (Some(data), Value::Object(more)) = (data.as_object_mut(), more) {
        data.extend(more);
    }
    record.data = Some(data.to_string());
}
