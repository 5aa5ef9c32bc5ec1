//! The bus: where Rollcall's own events go out.

use crate::event::SOURCE;
use crate::failure::{Cause, Failure, Refusal, RefusalCode, ServiceError, classify};
use crate::host::Host;
use aws_sdk_eventbridge::Client;
use aws_sdk_eventbridge::error::ProvideErrorMetadata;
use aws_sdk_eventbridge::types::PutEventsRequestEntry;
use std::fmt;
use std::future::Future;
use std::time::Duration;

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

impl<H: Host> Bus for EventBus<H> {
    async fn publish(&self, entries: &[Entry]) -> Result<(), Failure> {
        let mut left = entries.to_vec();
        let mut backoff = Duration::from_millis(100);
        for _ in 0..ATTEMPTS {
            let request = left.iter().map(|entry| {
                PutEventsRequestEntry::builder()
                    .event_bus_name(&self.name)
                    .source(SOURCE)
                    .detail_type(entry.detail_type)
                    .detail(&entry.detail)
                    .build()
            });
            let answer = self.client.put_events().set_entries(Some(request.collect())).send().await;
            let answer = answer.map_err(|error| {
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
            })?;
            // HTTP 200 is not success: each entry has its own answer, in the order asked.
            let failed = answer.entries().iter().map(|result| result.error_code.is_some());
            left = left.into_iter().zip(failed).filter_map(|(entry, failed)| failed.then_some(entry)).collect();
            if left.is_empty() {
                return Ok(());
            }
            self.host.sleep(self.host.jitter(backoff)).await;
            backoff *= 2;
        }
        Err(Failure::retryable(Cause::Throttled))
    }
}
