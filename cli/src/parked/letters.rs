//! Looking through a dead-letter queue: each message once, and what is left there shows again at the end.

use crate::aws;
use anyhow::Result;
use aws_sdk_sqs::Client;
use aws_sdk_sqs::types::{
    ChangeMessageVisibilityBatchRequestEntry, Message, MessageAttributeValue, MessageSystemAttributeName,
};
use jiff::{SignedDuration, Timestamp};
use rollcall::host::{Host, System};
use rollcall::ledger::EventItem;
use rollcall::queue::PARKED_AS;
use rollcall::seal::sha256;
use std::collections::{HashMap, HashSet};
use std::fmt;

/// The most messages of one request. Source: the SQS API reference, `ReceiveMessage`.
pub(super) const AT_ONCE: usize = 10;

/// How long what was received stays hidden, in seconds: longer than a pass takes, so that each message comes once. Where
/// the tool dies, its messages show again after that.
const HIDDEN_FOR: i32 = 300;

/// How long a pass takes at most.
const PASS: SignedDuration = SignedDuration::from_secs(240);

/// The most messages of a pass. SQS hides 120,000 of a queue at once.
/// Source: <https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/quotas-messages.html>.
const MOST: usize = 100_000;

/// How often nothing new may come before the queue counts as empty. SQS samples its servers where it does not wait.
const EMPTY: u32 = 3;

/// How long SQS waits for a message, in seconds: long polling asks all its servers. Below the SDK's timeout of one attempt.
const WAIT: i32 = 1;

/// A message of a dead-letter queue. Its body is personal data.
pub(super) struct Letter {
    pub(super) id: String,
    pub(super) receipt: String,
    pub(super) body: String,
    /// When it was sent here, in milliseconds since 1970, by the clock of SQS.
    sent_at: Option<i64>,
    pub(super) attributes: HashMap<String, MessageAttributeValue>,
}

impl fmt::Debug for Letter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Letter").field("id", &self.id).finish_non_exhaustive()
    }
}

impl Letter {
    fn of(message: Message) -> Letter {
        let sent_at = message.attributes.as_ref().and_then(|it| it.get(&MessageSystemAttributeName::SentTimestamp));
        Letter {
            sent_at: sent_at.and_then(|at| at.parse().ok()),
            id: message.message_id.unwrap_or_default(),
            receipt: message.receipt_handle.unwrap_or_default(),
            body: message.body.unwrap_or_default(),
            attributes: message.message_attributes.unwrap_or_default(),
        }
    }

    /// The token that it was parked under.
    pub(super) fn parked_as(&self) -> Option<&str> {
        self.attributes.get(PARKED_AS)?.string_value()
    }

    /// Whether it is the message of an event as it is parked now. A body that left no room for the token is too large to be
    /// read, so its record has the name of its hash.
    pub(super) fn is_of(&self, event: &EventItem) -> bool {
        match self.parked_as() {
            Some(token) => token == event.owner,
            None => event.id.ends_with(&self.unreadable()),
        }
    }

    /// Whether it was sent here after a time.
    pub(super) fn is_later_than(&self, at: Timestamp) -> bool {
        self.sent_at.is_some_and(|sent| sent > at.as_millisecond())
    }

    /// How the key of its record ends, where its body is no event.
    pub(super) fn unreadable(&self) -> String {
        format!("#body:{}", sha256(&self.body))
    }
}

/// A pass through a queue.
pub(super) struct Letters<'a> {
    client: &'a Client,
    url: &'a str,
    host: &'a System,
    until: Timestamp,
    seen: HashSet<String>,
    back: Vec<String>,
    whole: bool,
}

impl<'a> Letters<'a> {
    pub(super) fn new(client: &'a Client, url: &'a str, host: &'a System) -> Letters<'a> {
        let until = host.now().saturating_add(PASS).unwrap_or(Timestamp::MAX);
        Letters { client, url, host, until, seen: HashSet::new(), back: Vec::new(), whole: false }
    }

    /// The next messages, ten at most; `None` at the queue's end, or where the pass has taken too long.
    pub(super) async fn next(&mut self) -> Result<Option<Vec<Letter>>> {
        let mut empty = 0;
        while empty < EMPTY {
            if self.seen.len() >= MOST || self.host.now() > self.until {
                return Ok(None);
            }
            let request = self.client.receive_message().queue_url(self.url);
            let request = request.max_number_of_messages(AT_ONCE as i32).visibility_timeout(HIDDEN_FOR);
            let request = request.wait_time_seconds(WAIT).message_attribute_names("All");
            let request = request.message_system_attribute_names(MessageSystemAttributeName::SentTimestamp);
            let received = request.send().await.map_err(aws::told)?.messages.unwrap_or_default();
            let new = received.into_iter().map(Letter::of).filter(|letter| self.seen.insert(letter.id.clone()));
            let new: Vec<Letter> = new.collect();
            if !new.is_empty() {
                return Ok(Some(new));
            }
            empty += 1;
        }
        self.whole = true;
        Ok(None)
    }

    /// Leaves a message where it is.
    pub(super) fn put_back(&mut self, letter: Letter) {
        self.back.push(letter.receipt);
    }

    /// Lets what was put back show again at once: best effort, it shows again in any case. Answers whether the queue was
    /// looked through to its end.
    pub(super) async fn end(self) -> bool {
        for receipts in self.back.chunks(AT_ONCE) {
            let entries = receipts.iter().enumerate().filter_map(|(index, receipt)| {
                let entry = ChangeMessageVisibilityBatchRequestEntry::builder().id(index.to_string());
                entry.receipt_handle(receipt).visibility_timeout(0).build().ok()
            });
            let request = self.client.change_message_visibility_batch().queue_url(self.url);
            let _shown = request.set_entries(Some(entries.collect())).send().await;
        }
        self.whole
    }
}
