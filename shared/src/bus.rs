//! The bus: where Rollcall's own events go out.

use crate::event::SOURCE;
use crate::failure::{Cause, Failure, Refusal, RefusalCode, ServiceError, classify};
use crate::host::Host;
use aws_sdk_eventbridge::Client;
use aws_sdk_eventbridge::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_eventbridge::operation::put_events::PutEventsError;
use aws_sdk_eventbridge::types::PutEventsRequestEntry;
use std::fmt;
use std::future::Future;
use std::time::Duration;
use thiserror::Error;

/// The most entries of one call. Source: the EventBridge API reference.
pub const ENTRIES: usize = 10;

/// How often an entry is sent.
const ATTEMPTS: u32 = 4;

/// An event to be published. It may name a person.
#[derive(Clone, PartialEq, Eq)]
pub struct Entry {
    /// The `detail-type`.
    pub detail_type: &'static str,
    /// The `detail`, as JSON.
    pub detail: String,
}

/// It may name a person.
impl fmt::Debug for Entry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Entry").field("detail_type", &self.detail_type).finish_non_exhaustive()
    }
}

/// The port to the bus.
pub trait Bus {
    /// Publishes at most [`ENTRIES`] events: all of them, or a failure. Sending again is harmless: an event's id tells.
    ///
    /// # Errors
    /// [`Failure`]; some of the events may be published then.
    fn publish(&self, entries: &[Entry]) -> impl Future<Output = Result<(), Failure>>;
}

/// A bus of Amazon EventBridge.
#[derive(Debug)]
pub struct EventBus<H> {
    client: Client,
    name: String,
    host: H,
}

impl<H: Host> EventBus<H> {
    /// A bus by its name.
    #[must_use]
    pub fn new(client: Client, name: String, host: H) -> EventBus<H> {
        EventBus { client, name, host }
    }
}

/// Why an entry is not known to be on the bus.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum Unpublished {
    /// The bus did not take it, for this reason of EventBridge's.
    #[error("the bus did not take it: {0}")]
    Refused(String),
    /// The request failed as a whole; it may be there.
    #[error("the request failed: {0}")]
    Failed(Failure),
}

impl<H: Host> EventBus<H> {
    /// Publishes at most [`ENTRIES`] events, and answers for each, in order.
    ///
    /// HTTP 200 is not success: each entry has its own answer. Those that failed are sent again, four times at most.
    pub async fn put(&self, entries: &[Entry]) -> Vec<Result<(), Unpublished>> {
        let mut answers = vec![Ok(()); entries.len()];
        let mut left: Vec<usize> = (0..entries.len()).collect();
        let mut backoff = Duration::from_millis(100);
        for attempt in 1..=ATTEMPTS {
            let request = left.iter().map(|index| {
                PutEventsRequestEntry::builder()
                    .event_bus_name(&self.name)
                    .source(SOURCE)
                    .detail_type(entries[*index].detail_type)
                    .detail(&entries[*index].detail)
                    .build()
            });
            match self.client.put_events().set_entries(Some(request.collect())).send().await {
                Ok(answer) => {
                    let mut failed = Vec::new();
                    // The answers come in the order asked. One that is not there is no success.
                    for (place, index) in left.into_iter().enumerate() {
                        let result = answer.entries().get(place);
                        let code = result.map_or(Some("NoAnswer"), |result| result.error_code());
                        answers[index] = code.map_or(Ok(()), |code| Err(Unpublished::Refused(code.to_owned())));
                        failed.extend(code.map(|_| index));
                    }
                    left = failed;
                }
                Err(error) => {
                    let failure = failure(&error);
                    left.iter().for_each(|index| answers[*index] = Err(Unpublished::Failed(failure.clone())));
                    return answers;
                }
            }
            if left.is_empty() {
                return answers;
            }
            if attempt < ATTEMPTS {
                self.host.sleep(self.host.jitter(backoff)).await;
                backoff *= 2;
            }
        }
        answers
    }
}

impl<H: Host> Bus for EventBus<H> {
    async fn publish(&self, entries: &[Entry]) -> Result<(), Failure> {
        let unpublished = self.put(entries).await.into_iter().find_map(Result::err);
        unpublished.map_or(Ok(()), |why| {
            Err(match why {
                Unpublished::Failed(failure) => failure,
                Unpublished::Refused(_) => Failure::retryable(Cause::Throttled),
            })
        })
    }
}

/// What the failure of a whole request means.
fn failure(error: &SdkError<PutEventsError>) -> Failure {
    let code = error.as_service_error().and_then(ProvideErrorMetadata::code);
    match classify(code, error.raw_response().map(|response| response.status().as_u16())) {
        ServiceError::Throttled => Failure::retryable(Cause::Throttled),
        ServiceError::Unknown => Failure::retryable(Cause::Unanswered),
        ServiceError::NotFound | ServiceError::Refused => Failure::Permanent(Refusal::new(
            RefusalCode::InvalidField,
            "bus",
            "refuses events; see whether it is there and the role allows events:PutEvents",
        )),
    }
}
