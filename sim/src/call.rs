//! One remote call of a worker: the request on its way, and the place where its answer is waited for.

use crate::timeline::{TaskId, lock};
use rollcall::queue::Parked;
use rollcall_local::chime::http::Request as ChimeRequest;
use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

/// A call that was started.
#[derive(Debug)]
pub struct Call {
    /// Counts from 0.
    pub id: u64,
    /// The invocation that makes it.
    pub task: TaskId,
    /// The worker, by position.
    pub worker: usize,
    /// When it was sent.
    pub sent_at: i64,
    /// What is asked for.
    pub request: Request,
    /// Where its answer is waited for.
    pub slot: Arc<Mutex<Slot>>,
}

/// What is asked for, and of whom.
#[derive(Debug)]
pub enum Request {
    /// Of DynamoDB.
    Ledger {
        /// The word after the dot of `X-Amz-Target`.
        operation: String,
        /// JSON.
        body: Vec<u8>,
    },
    /// Of Chime.
    Directory {
        /// The request.
        request: ChimeRequest,
        /// Which attempt of the SDK it is, from 1.
        attempt: u32,
    },
    /// Of the dead-letter queue.
    Park(Vec<Parked>),
    /// Of the queue: when messages show again, by receipt handle.
    Delay(Vec<(String, Duration)>),
    /// Of the queue: the release of an event.
    Release {
        /// Key of its record.
        event: String,
        /// The message body.
        body: String,
        /// The token of its hold.
        token: String,
    },
}

/// What comes back.
#[derive(Clone, Debug)]
pub enum Reply {
    /// An HTTP response.
    Http {
        /// Its status.
        status: u16,
        /// Its `x-amzn-errortype`.
        error_type: Option<&'static str>,
        /// Its body.
        body: String,
    },
    /// The connection broke.
    Broken,
    /// Whether each parked message is there for certain.
    Parked(Vec<bool>),
    /// The queue was told.
    Delayed,
}

/// Where an answer is waited for.
#[derive(Debug, Default)]
pub struct Slot {
    reply: Option<Reply>,
    waker: Option<Waker>,
}

impl Slot {
    /// Puts the answer there, and answers whom to wake.
    pub(crate) fn put(&mut self, reply: Reply) -> Option<Waker> {
        self.reply = Some(reply);
        self.waker.take()
    }
}

/// Waits for the answer of a call.
#[derive(Debug)]
pub struct Waiting(pub(crate) Arc<Mutex<Slot>>);

impl Future for Waiting {
    type Output = Reply;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Reply> {
        let mut slot = lock(&self.0);
        match slot.reply.take() {
            Some(reply) => Poll::Ready(reply),
            None => {
                slot.waker = Some(context.waker().clone());
                Poll::Pending
            }
        }
    }
}
