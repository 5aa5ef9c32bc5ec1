//! The queue port: parking what is refused for good, and setting when a message shows again.

use crate::failure::{Cause, Refusal, ServiceError, classify};
use crate::ledger::EventItem;
use crate::release::{self, RELEASED_AS, RELEASED_BY};
use aws_sdk_sqs::Client;
use aws_sdk_sqs::error::ProvideErrorMetadata;
use aws_sdk_sqs::types::builders::SendMessageBatchRequestEntryBuilder;
use aws_sdk_sqs::types::{
    ChangeMessageVisibilityBatchRequestEntry, MessageAttributeValue, SendMessageBatchRequestEntry,
};
use std::future::Future;
use std::time::Duration;

/// The largest message, its attributes included, in bytes. Source: SQS quotas.
const MESSAGE_LIMIT: usize = 1_048_576;

/// The most entries of one batch request. Source: SQS quotas.
const ENTRIES: usize = 10;

/// The longest visibility timeout. Source: SQS quotas (12 hours).
const LONGEST_DELAY: Duration = Duration::from_secs(12 * 60 * 60);

/// The message attribute that names the attempt under which a message was parked: only with it a redrive reopens it.
pub const PARKED_AS: &str = "ParkedAs";

/// A message that is refused for good.
#[derive(Clone, Debug)]
pub struct Parked {
    /// Its body, unchanged.
    pub body: String,
    /// Why.
    pub refusal: Refusal,
    /// The owner token that it is parked under.
    pub parked_as: String,
}

/// The port to the function's queue and its dead-letter queue.
pub trait Queue {
    /// Sends messages to the dead-letter queue; answers in order whether each is there for certain.
    fn park(&self, messages: &[Parked]) -> impl Future<Output = Vec<bool>>;

    /// Sets when messages, by receipt handle, show again. Best effort: they show again in any case.
    fn delay(&self, messages: &[(String, Duration)]) -> impl Future<Output = ()>;
}

/// The real thing.
#[derive(Clone, Debug)]
pub struct Sqs {
    client: Client,
    queue_url: String,
    dlq_url: String,
}

impl Sqs {
    /// The queue that feeds the function, and its dead-letter queue.
    pub fn new(client: Client, queue_url: impl Into<String>, dlq_url: impl Into<String>) -> Sqs {
        Sqs { client, queue_url: queue_url.into(), dlq_url: dlq_url.into() }
    }

    async fn send(&self, entries: Vec<SendMessageBatchRequestEntry>) -> Vec<usize> {
        let sent = self.client.send_message_batch().queue_url(&self.dlq_url).set_entries(Some(entries)).send().await;
        match sent {
            Ok(answer) => answer.successful.iter().filter_map(|entry| entry.id.parse().ok()).collect(),
            Err(_) => {
                tracing::warn!("the dead-letter queue took nothing; the messages come again");
                Vec::new()
            }
        }
    }
}

impl Queue for Sqs {
    async fn park(&self, messages: &[Parked]) -> Vec<bool> {
        let mut parked = vec![false; messages.len()];
        let (mut entries, mut bytes) = (Vec::new(), 0);
        for (index, message) in messages.iter().enumerate() {
            let Some((entry, size)) = entry(index, message) else { continue };
            if entries.len() == ENTRIES || bytes + size > MESSAGE_LIMIT {
                self.send(std::mem::take(&mut entries)).await.into_iter().for_each(|index| parked[index] = true);
                bytes = 0;
            }
            entries.push(entry);
            bytes += size;
        }
        if !entries.is_empty() {
            self.send(entries).await.into_iter().for_each(|index| parked[index] = true);
        }
        parked
    }

    async fn delay(&self, messages: &[(String, Duration)]) {
        for chunk in messages.chunks(ENTRIES) {
            let entries = chunk.iter().enumerate().filter_map(|(index, (receipt, delay))| {
                ChangeMessageVisibilityBatchRequestEntry::builder()
                    .id(index.to_string())
                    .receipt_handle(receipt)
                    .visibility_timeout(seconds(*delay))
                    .build()
                    .ok()
            });
            let request = self.client.change_message_visibility_batch().queue_url(&self.queue_url);
            if request.set_entries(Some(entries.collect())).send().await.is_err() {
                tracing::warn!("a visibility timeout was not changed; the queue's own applies");
            }
        }
    }
}

/// Sends held or observed events to their function's queue, sealed as they are, each with the token of its hold. Answers
/// in order whether each is there for certain.
pub async fn release(client: &Client, queue_url: &str, events: &[EventItem], by: &str) -> Vec<bool> {
    let mut released = vec![false; events.len()];
    // Ten sealed events are well below the size of one request: a detail has 64 KB at most.
    for (part, events) in events.chunks(ENTRIES).enumerate() {
        let entries = events.iter().enumerate().filter_map(|(index, event)| {
            let body = release::body(&event.id, event.event.as_ref()?);
            let attributes = [(RELEASED_AS, event.owner.clone()), (RELEASED_BY, by.to_owned())];
            with_attributes(
                SendMessageBatchRequestEntry::builder().id(index.to_string()).message_body(body),
                attributes,
            )
        });
        let request = client.send_message_batch().queue_url(queue_url).set_entries(Some(entries.collect()));
        if let Ok(answer) = request.send().await {
            let sent = answer.successful.iter().filter_map(|entry| entry.id.parse::<usize>().ok());
            sent.for_each(|index| released[part * ENTRIES + index] = true);
        }
    }
    released
}

/// Sends one message: it is there for certain, or not.
///
/// # Errors
/// What stands in the way. A queue that refuses is logged with what to do, and waited for: mending it helps.
pub async fn send(client: &Client, queue_url: &str, body: String) -> Result<(), Cause> {
    let Err(error) = client.send_message().queue_url(queue_url).message_body(body).send().await else { return Ok(()) };
    let code = error.as_service_error().and_then(ProvideErrorMetadata::code);
    match classify(code, error.raw_response().map(|response| response.status().as_u16())) {
        ServiceError::Throttled => Err(Cause::Throttled),
        ServiceError::Unknown => Err(Cause::Unanswered),
        ServiceError::NotFound | ServiceError::Refused => {
            tracing::error!("a queue refuses; see whether it is there and the role allows sqs:SendMessage and its key");
            Err(Cause::Unanswered)
        }
    }
}

/// Whole seconds, rounded up: a message that shows too early meets the same lease again.
fn seconds(delay: Duration) -> i32 {
    let delay = delay.min(LONGEST_DELAY);
    i32::try_from(delay.as_secs() + u64::from(delay.subsec_nanos() > 0)).unwrap_or(i32::MAX)
}

/// The entry and its size. A body that leaves no room for attributes goes without: its reason is in the ledger.
fn entry(index: usize, message: &Parked) -> Option<(SendMessageBatchRequestEntry, usize)> {
    let attributes = [
        ("ErrorCode", message.refusal.code.as_str().to_owned()),
        ("ErrorMessage", message.refusal.to_string()),
        (PARKED_AS, message.parked_as.clone()),
    ];
    let attribute_bytes: usize = attributes.iter().map(|(name, value)| name.len() + "String".len() + value.len()).sum();
    let builder = SendMessageBatchRequestEntry::builder().id(index.to_string()).message_body(&message.body);
    if message.body.len() + attribute_bytes > MESSAGE_LIMIT {
        return Some((builder.build().ok()?, message.body.len()));
    }
    Some((with_attributes(builder, attributes)?, message.body.len() + attribute_bytes))
}

fn with_attributes<const N: usize>(
    mut builder: SendMessageBatchRequestEntryBuilder,
    attributes: [(&str, String); N],
) -> Option<SendMessageBatchRequestEntry> {
    for (name, value) in attributes {
        let attribute = MessageAttributeValue::builder().data_type("String").string_value(value).build().ok()?;
        builder = builder.message_attributes(name, attribute);
    }
    builder.build().ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::failure::RefusalCode;

    fn parked(body: String) -> Parked {
        let refusal = Refusal::new(RefusalCode::TooLarge, "body", "is too large");
        Parked { body, refusal, parked_as: "owner-1".into() }
    }

    #[test]
    fn a_parked_message_carries_reason_and_token() {
        let (entry, _) = entry(0, &parked("{}".into())).unwrap();
        let attributes = entry.message_attributes.unwrap();
        let value = |name: &str| attributes[name].string_value.clone().unwrap();
        assert_eq!(value("ErrorCode"), "too_large");
        assert_eq!(value("ErrorMessage"), "body is too large");
        assert_eq!(value("ParkedAs"), "owner-1");
    }

    #[test]
    fn a_body_of_the_largest_size_goes_without_attributes() {
        let (entry, size) = entry(0, &parked("x".repeat(MESSAGE_LIMIT))).unwrap();
        assert_eq!((entry.message_attributes, size), (None, MESSAGE_LIMIT));
    }

    #[test]
    fn a_delay_is_rounded_up_and_capped() {
        assert_eq!(seconds(Duration::from_millis(1)), 1);
        assert_eq!(seconds(Duration::from_secs(60 * 60 * 24)), 43_200);
    }
}
