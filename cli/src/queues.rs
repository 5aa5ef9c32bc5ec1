//! What a queue says of itself.

use crate::aws;
use anyhow::Result;
use aws_sdk_sqs::Client;
use aws_sdk_sqs::types::QueueAttributeName;
use serde::Serialize;
use std::collections::HashMap;

/// How full a queue is, about: SQS counts approximately.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Depth {
    /// Messages that may be received now, and those that show later.
    pub(crate) waiting: u64,
    /// Messages that were received and are neither deleted nor shown again yet.
    pub(crate) in_flight: u64,
    /// How long it keeps a message, in seconds.
    #[serde(skip)]
    pub(crate) kept_for: i64,
}

impl Depth {
    /// All messages in it.
    pub(crate) fn all(self) -> u64 {
        self.waiting + self.in_flight
    }
}

/// How full a queue is.
pub(crate) async fn depth(client: &Client, url: &str) -> Result<Depth> {
    let wanted = [
        QueueAttributeName::ApproximateNumberOfMessages,
        QueueAttributeName::ApproximateNumberOfMessagesDelayed,
        QueueAttributeName::ApproximateNumberOfMessagesNotVisible,
        QueueAttributeName::MessageRetentionPeriod,
    ];
    let request = client.get_queue_attributes().queue_url(url).set_attribute_names(Some(wanted.to_vec()));
    let attributes = request.send().await.map_err(aws::told)?.attributes.unwrap_or_default();
    let [ready, delayed, in_flight, kept_for] = wanted.map(|name| number(&attributes, &name));
    Ok(Depth { waiting: ready + delayed, in_flight, kept_for: i64::try_from(kept_for).unwrap_or(i64::MAX) })
}

fn number(attributes: &HashMap<QueueAttributeName, String>, name: &QueueAttributeName) -> u64 {
    attributes.get(name).and_then(|value| value.parse().ok()).unwrap_or_default()
}
