//! The queues, as SQS has them: at least once, in no order, each message invisible for a while after each receive.
//!
//! Each function has a queue and a dead-letter queue. Messages are numbered over all of them.

use crate::bounds::{MAX_RECEIVES, VISIBILITY};
use crate::functions::Function;
use aws_lambda_events::event::sqs::{SqsEvent, SqsMessage, SqsMessageAttribute};
use rollcall::queue::PARKED_AS;
use rollcall::release::{RELEASED_AS, RELEASED_BY};

/// One message.
#[derive(Clone, Debug)]
pub(crate) struct Message {
    /// The event that it carries, by position in the story.
    pub(crate) telling: usize,
    /// Whose queue it is in.
    pub(crate) function: Function,
    /// The token of a redrive.
    pub(crate) parked_as: Option<String>,
    /// The token of a release.
    pub(crate) released_as: Option<String>,
    body: String,
    visible_at: i64,
    receives: u32,
    gone: bool,
}

/// A message in the dead-letter queue.
#[derive(Clone, Debug)]
pub(crate) struct Dead {
    /// Whose it is.
    pub(crate) function: Function,
    /// Its body.
    pub(crate) body: String,
    /// `ErrorCode`; `None` where SQS put it here by itself.
    pub(crate) code: Option<&'static str>,
    /// `ParkedAs`.
    pub(crate) parked_as: Option<String>,
}

/// The queues and their dead-letter queues.
#[derive(Debug, Default)]
pub(crate) struct Mailbox {
    messages: Vec<Message>,
    pub(crate) dead: Vec<Dead>,
}

impl Mailbox {
    /// Takes a message in. Answers its position.
    pub(crate) fn send(
        &mut self,
        function: Function,
        telling: usize,
        body: String,
        parked_as: Option<String>,
        now: i64,
    ) -> usize {
        let released_as = None;
        self.messages.push(Message {
            telling,
            function,
            parked_as,
            released_as,
            body,
            visible_at: now,
            receives: 0,
            gone: false,
        });
        self.messages.len() - 1
    }

    /// Takes the release of an event in. Answers its position.
    pub(crate) fn release(
        &mut self,
        function: Function,
        telling: usize,
        body: String,
        token: String,
        now: i64,
    ) -> usize {
        let index = self.send(function, telling, body, None, now);
        if let Some(message) = self.messages.get_mut(index) {
            message.released_as = Some(token);
        }
        index
    }

    /// The messages of a queue that can be received now.
    pub(crate) fn visible(&self, function: Function, now: i64) -> Vec<usize> {
        let can = |(_, message): &(usize, &Message)| {
            message.function == function && !message.gone && message.visible_at <= now
        };
        self.messages.iter().enumerate().filter(can).map(|(index, _)| index).collect()
    }

    /// Receives messages. What was received too often is given up instead.
    pub(crate) fn receive(&mut self, indexes: &[usize], now: i64) -> (SqsEvent, Vec<usize>) {
        let (mut event, mut received) = (SqsEvent::default(), Vec::new());
        for index in indexes {
            let Some(message) = self.messages.get_mut(*index) else { continue };
            message.receives += 1;
            message.visible_at = now + VISIBILITY;
            if message.receives > MAX_RECEIVES {
                message.gone = true;
                let parked_as = message.parked_as.clone();
                let (function, body) = (message.function, message.body.clone());
                self.dead.push(Dead { function, body, code: None, parked_as });
                continue;
            }
            event.records.push(record(*index, message));
            received.push(*index);
        }
        (event, received)
    }

    /// Sets when a message shows again, by the receipt of its last receive. Answers in which queue, and when.
    pub(crate) fn delay(&mut self, receipt: &str, now: i64, wait: i64) -> Option<(Function, i64)> {
        let (index, receives) = receipt.split_once('/')?;
        let message = self.messages.get_mut(index.parse::<usize>().ok()?)?;
        let last = message.receives == receives.parse::<u32>().ok()?;
        if message.gone || !last {
            return None;
        }
        message.visible_at = now + wait;
        Some((message.function, message.visible_at))
    }

    /// Shows a received message again before its time: SQS promises at least once.
    pub(crate) fn show(&mut self, index: usize, at: i64) {
        if let Some(message) = self.messages.get_mut(index) {
            message.visible_at = at;
        }
    }

    /// Deletes a message.
    pub(crate) fn delete(&mut self, index: usize) {
        if let Some(message) = self.messages.get_mut(index) {
            message.gone = true;
        }
    }

    /// A message.
    pub(crate) fn get(&self, index: usize) -> Option<&Message> {
        self.messages.get(index)
    }

    /// The messages that were not deleted.
    pub(crate) fn left(&self) -> impl Iterator<Item = (usize, &Message)> {
        self.messages.iter().enumerate().filter(|(_, message)| !message.gone)
    }
}

/// The id of a message.
pub(crate) fn message_id(index: usize) -> String {
    format!("m{index}")
}

fn record(index: usize, message: &Message) -> SqsMessage {
    let mut record = SqsMessage::default();
    record.message_id = Some(message_id(index));
    record.receipt_handle = Some(format!("{index}/{}", message.receives));
    record.body = Some(message.body.clone());
    record.attributes.insert("ApproximateReceiveCount".into(), message.receives.to_string());
    let by = message.released_as.as_ref().map(|_| "operator".to_owned());
    let attributes = [(PARKED_AS, &message.parked_as), (RELEASED_AS, &message.released_as), (RELEASED_BY, &by)];
    for (name, value) in attributes {
        if let Some(value) = value {
            let mut attribute = SqsMessageAttribute::default();
            attribute.string_value = Some(value.clone());
            record.message_attributes.insert(name.into(), attribute);
        }
    }
    record
}
