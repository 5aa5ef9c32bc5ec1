//! The port to the alarm clock: Amazon EventBridge Scheduler, one schedule for each announced fact.
//!
//! A schedule is only a wake-up: what it says is where to look. Its precision is 60 seconds (source: the user guide of
//! EventBridge Scheduler): it may come up to a minute late, and the sweep finds what never came.

use crate::failure::{Cause, Failure, Refusal, RefusalCode, ServiceError, classify};
use aws_sdk_scheduler::Client;
use aws_sdk_scheduler::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_scheduler::types::{
    ActionAfterCompletion, DeadLetterConfig, FlexibleTimeWindow, FlexibleTimeWindowMode, Target,
};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use std::future::Future;

/// What a schedule puts on the intake queue: the record that may be due.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Wake {
    /// The key of the record.
    pub wake: String,
}

/// The alarm clock.
pub trait Clock {
    /// Sets the alarm of a name for a record, in the place of the one that it had.
    ///
    /// # Errors
    /// [`Failure`]; the sweep finds the record all the same.
    fn set(&self, name: &str, at: Timestamp, record: &str) -> impl Future<Output = Result<(), Failure>>;
}

/// EventBridge Scheduler.
#[derive(Clone, Debug)]
pub struct Scheduler {
    client: Client,
    places: Places,
}

/// Where schedules live, and what they reach.
#[derive(Clone, Debug)]
pub struct Places {
    /// The schedule group.
    pub group: String,
    /// The ARN of the intake queue.
    pub queue: String,
    /// The ARN of the role that may send there.
    pub role: String,
    /// The ARN of the queue for what could not be sent.
    pub undelivered: String,
}

impl Scheduler {
    /// Schedules of a group.
    #[must_use]
    pub fn new(client: Client, places: Places) -> Scheduler {
        Scheduler { client, places }
    }

    fn target(&self, record: &str) -> Option<Target> {
        let input = serde_json::to_string(&Wake { wake: record.to_owned() }).ok()?;
        let dead = DeadLetterConfig::builder().arn(&self.places.undelivered).build();
        Target::builder()
            .arn(&self.places.queue)
            .role_arn(&self.places.role)
            .input(input)
            .dead_letter_config(dead)
            .build()
            .ok()
    }
}

impl Clock for Scheduler {
    async fn set(&self, name: &str, at: Timestamp, record: &str) -> Result<(), Failure> {
        let unbuilt = || Failure::retryable(Cause::Unanswered);
        let target = self.target(record).ok_or_else(unbuilt)?;
        let off = FlexibleTimeWindow::builder().mode(FlexibleTimeWindowMode::Off).build().map_err(|_| unbuilt())?;
        let create = self
            .client
            .create_schedule()
            .group_name(&self.places.group)
            .name(name)
            .schedule_expression(expression(at))
            .schedule_expression_timezone("UTC")
            .flexible_time_window(off.clone())
            .action_after_completion(ActionAfterCompletion::Delete)
            .target(target.clone());
        let error = match create.send().await {
            Ok(_) => return Ok(()),
            Err(error) => error,
        };
        if error.as_service_error().and_then(ProvideErrorMetadata::code) != Some("ConflictException") {
            return Err(failure(&error));
        }
        // There is one for this fact already: it is told the new time, and the new record.
        let update = self
            .client
            .update_schedule()
            .group_name(&self.places.group)
            .name(name)
            .schedule_expression(expression(at))
            .schedule_expression_timezone("UTC")
            .flexible_time_window(off)
            .action_after_completion(ActionAfterCompletion::Delete)
            .target(target);
        // Gone since: it has just fired. Trying again makes another.
        update.send().await.map(|_| ()).map_err(|error| failure(&error))
    }
}

/// `at(...)` in UTC, whole seconds, never before the instant.
fn expression(at: Timestamp) -> String {
    let whole = at.as_second() + i64::from(at.subsec_nanosecond() > 0);
    let at = Timestamp::from_second(whole).unwrap_or(at);
    format!("at({})", at.strftime("%Y-%m-%dT%H:%M:%S"))
}

fn failure<E: ProvideErrorMetadata>(
    error: &SdkError<E, aws_smithy_runtime_api::client::orchestrator::HttpResponse>,
) -> Failure {
    let code = error.as_service_error().and_then(ProvideErrorMetadata::code);
    match classify(code, error.raw_response().map(|response| response.status().as_u16())) {
        ServiceError::Throttled => Failure::retryable(Cause::Throttled),
        ServiceError::Unknown | ServiceError::NotFound => Failure::retryable(Cause::Unanswered),
        ServiceError::Refused => Failure::Permanent(Refusal::new(
            RefusalCode::InvalidField,
            "schedule",
            "is refused; see whether the role allows scheduler:CreateSchedule and iam:PassRole",
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_instant_is_rounded_up_to_the_second() {
        let at = |text: &str| expression(text.parse().unwrap());
        assert_eq!(at("2026-11-30T22:59:59.000001Z"), "at(2026-11-30T23:00:00)");
        assert_eq!(at("2026-11-30T23:00:00Z"), "at(2026-11-30T23:00:00)");
    }
}
