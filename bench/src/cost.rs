//! What a million events cost, from what was counted.
//!
//! List prices on demand in us-east-1, US dollars: DynamoDB (since 2024-11-01) 0.625 a million write request units and
//! 0.125 a million read request units; Lambda 0.20 a million requests, and on arm64 0.0000133334 a GB-second; SQS 0.40 a
//! million requests of a standard queue. No free tier. Left out: EventBridge, logs, the empty polls of idle queues.

use serde::Serialize;

/// Dollars a write request unit.
const WRITE: f64 = 0.625e-6;
/// Dollars a read request unit.
const READ: f64 = 0.125e-6;
/// Dollars an invocation.
const INVOCATION: f64 = 0.20e-6;
/// Dollars a GB-second on arm64.
const GB_SECOND: f64 = 0.000_013_333_4;
/// Dollars an SQS request.
const QUEUE_REQUEST: f64 = 0.40e-6;

/// The functions' memory in `template.yaml`, in GB.
const MEMORY_GB: f64 = 128.0 / 1024.0;

/// How much longer processor time takes in a function of 128 MB: a whole processor comes with 1,769 MB. Source: AWS Lambda
/// Developer Guide, "Configure Lambda function memory".
pub(crate) const SHARE: f64 = 1769.0 / 128.0;

/// The most messages of one receive or one delete request. Source: SQS quotas.
const QUEUE_BATCH: f64 = 10.0;

/// What one event uses.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Use {
    /// Events an invocation.
    pub(crate) batch: f64,
    /// Write request units an event, indexes included.
    pub(crate) writes: f64,
    /// Read request units an event.
    pub(crate) reads: f64,
    /// How long an invocation takes, in seconds, on a whole processor.
    pub(crate) wall: f64,
    /// Of that processor time, in seconds.
    pub(crate) processor: f64,
}

/// US dollars a million events.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub(crate) struct Cost {
    pub(crate) dynamodb: f64,
    pub(crate) lambda: f64,
    pub(crate) sqs: f64,
}

impl Cost {
    /// Of a million events that use this.
    pub(crate) fn of(used: Use) -> Cost {
        let million = 1e6;
        let billed = used.wall + used.processor * (SHARE - 1.0);
        let invocation = INVOCATION + billed * MEMORY_GB * GB_SECOND;
        // One send an event. A poller receives, and deletes, at most ten at once.
        let queue = 1.0 + 2.0 / used.batch.min(QUEUE_BATCH);
        Cost {
            dynamodb: million * (used.writes * WRITE + used.reads * READ),
            lambda: million * invocation / used.batch,
            sqs: million * queue * QUEUE_REQUEST,
        }
    }

    /// All of it.
    pub(crate) fn total(&self) -> f64 {
        self.dynamodb + self.lambda + self.sqs
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn near(a: f64, b: f64) -> bool {
        (a - b).abs() < 1e-9
    }

    /// By hand: two writes are 1.25 dollars a million, batches of ten ask the queue 1.2 times an event.
    #[test]
    fn a_million_events_cost_what_the_price_lists_say() {
        let cost = Cost::of(Use { batch: 10.0, writes: 2.0, reads: 1.0, wall: 0.0, processor: 0.0 });
        assert!(near(cost.dynamodb, 1.25 + 0.125));
        assert!(near(cost.lambda, 0.02));
        assert!(near(cost.sqs, 0.48));
        assert!(near(cost.total(), 1.25 + 0.125 + 0.02 + 0.48));
    }

    /// By hand: 8 seconds at an eighth of a GB are one GB-second.
    #[test]
    fn time_is_billed_by_memory_and_processor_time_by_its_share() {
        let waiting = Cost::of(Use { batch: 1.0, writes: 0.0, reads: 0.0, wall: 8.0, processor: 0.0 });
        assert!(near(waiting.lambda, 1e6 * (0.20e-6 + 0.000_013_333_4)));
        let working = Cost::of(Use { batch: 1.0, writes: 0.0, reads: 0.0, wall: 1.0, processor: 1.0 });
        assert!(near(working.lambda, 1e6 * (0.20e-6 + SHARE / 8.0 * 0.000_013_333_4)));
    }

    #[test]
    fn a_batch_of_one_asks_the_queue_three_times() {
        assert!(near(Cost::of(Use { batch: 1.0, writes: 0.0, reads: 0.0, wall: 0.0, processor: 0.0 }).sqs, 1.2));
    }
}
