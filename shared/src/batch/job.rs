//! From SQS records to jobs: each message parsed, and equal events folded into one job.

use crate::event::{WorkerEvent, parse};
use crate::failure::{Refusal, RefusalCode};
use crate::person::{GivenUp, Identity, PersonKey};
use crate::queue::PARKED_AS;
use crate::release::{self, RELEASED_AS, RELEASED_BY, Release};
use crate::routes::Function;
use crate::seal::{Keys, sha256};
use aws_lambda_events::event::sqs::{SqsEvent, SqsMessage};
use std::panic::{AssertUnwindSafe, catch_unwind};

/// The realm of people, until the policy maps senders to realms.
pub const REALM: &str = "hr";

/// After so many receives a record whose code panics is parked.
pub(super) const PANICS: u32 = 5;

/// One event of a batch, and the messages that carry it.
#[derive(Clone, Debug)]
pub(super) struct Job {
    pub(super) messages: Vec<Message>,
    /// Key of its ledger record.
    pub(super) event_key: String,
    /// The event, or why it cannot be one.
    pub(super) content: Result<WorkerEvent, Refusal>,
    /// Keyed hash of what it means.
    pub(super) validation: String,
    /// Who it is about, strongest identifier first.
    pub(super) identities: Vec<Identity>,
    /// The address that the person gave up.
    pub(super) given_up: Option<GivenUp>,
    /// The person that those lead to, once recalled.
    pub(super) person: Option<PersonKey>,
    /// The token of the parking that this message is a redrive of.
    pub(super) parked_as: Option<String>,
    /// The release that this message is.
    pub(super) release: Option<Release>,
    /// The owner token of the claim whose fate is unknown, so that it is recognised as ours.
    pub(super) owner: Option<String>,
    /// How often it lost a race or went round again.
    pub(super) rounds: u32,
    /// The remembered user id did not hold in this invocation.
    pub(super) stale_id: bool,
}

/// One SQS message. Its body is personal data.
#[derive(Clone)]
pub(super) struct Message {
    pub(super) id: String,
    pub(super) receipt: String,
    pub(super) body: String,
    pub(super) receive_count: u32,
}

impl std::fmt::Debug for Message {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Message").field("id", &self.id).finish_non_exhaustive()
    }
}

/// Reads a batch. Every message is in exactly one job.
pub(super) fn read(event: SqsEvent, function: Function, keys: &Keys) -> Vec<Job> {
    let mut jobs: Vec<Job> = Vec::new();
    for record in event.records {
        let job = job(record, function, keys);
        let same = |known: &&mut Job| {
            (&known.event_key, &known.validation, &known.parked_as, &known.release)
                == (&job.event_key, &job.validation, &job.parked_as, &job.release)
        };
        match jobs.iter_mut().find(same) {
            Some(known) => known.messages.extend(job.messages),
            None => jobs.push(job),
        }
    }
    jobs
}

fn job(record: SqsMessage, function: Function, keys: &Keys) -> Job {
    let receive_count = record.attributes.get("ApproximateReceiveCount").and_then(|count| count.parse().ok());
    let message = Message {
        id: record.message_id.unwrap_or_default(),
        receipt: record.receipt_handle.unwrap_or_default(),
        body: record.body.unwrap_or_default(),
        receive_count: receive_count.unwrap_or(1),
    };
    let attribute = |name| record.message_attributes.get(name).and_then(|attribute| attribute.string_value.clone());
    let parked_as = attribute(PARKED_AS);
    let release = attribute(RELEASED_AS).map(|token| {
        let sender = record.attributes.get("SenderId").cloned();
        Release { token, by: attribute(RELEASED_BY).unwrap_or_default(), sender }
    });
    let content = catch_unwind(AssertUnwindSafe(|| match release::open(&message.body, keys) {
        Some(opened) => parse(&opened?),
        None => parse(&message.body),
    }));
    let content = content.unwrap_or_else(|_| Err(panicked()));
    let (event_key, validation, identities, given_up) = match &content {
        Ok(event) => (
            format!("{}#{}", function.as_str(), event.id.as_str()),
            keys.validation(event.meaning.as_str()),
            event.subject.identities(REALM, keys),
            event.subject.given_up(event.occurred_at, REALM, keys),
        ),
        Err(_) => (unreadable_key(function, &message.body), sha256(&message.body), Vec::new(), None),
    };
    Job {
        messages: vec![message],
        event_key,
        content,
        validation,
        identities,
        given_up,
        person: None,
        parked_as,
        release,
        owner: None,
        rounds: 0,
        stale_id: false,
    }
}

impl Job {
    /// The body of the event, as its first message carries it.
    pub(super) fn body(&self) -> &str {
        self.messages.first().map(|message| message.body.as_str()).unwrap_or_default()
    }

    /// How often its messages were received, at most.
    pub(super) fn receive_count(&self) -> u32 {
        self.messages.iter().map(|message| message.receive_count).max().unwrap_or(1)
    }

    /// The same messages under a record of their own: their event id belongs to an event that says something else.
    pub(super) fn under_its_body(mut self, function: Function, refusal: Refusal) -> Job {
        self.event_key = unreadable_key(function, self.body());
        self.validation = sha256(self.body());
        self.content = Err(refusal);
        self.identities = Vec::new();
        self.given_up = None;
        self
    }
}

pub(super) fn panicked() -> Refusal {
    Refusal::new(RefusalCode::Panicked, "body", "makes the code that handles it panic; this is a defect of Rollcall")
}

/// The record of a body that is no event: it has no other name than its hash.
fn unreadable_key(function: Function, body: &str) -> String {
    format!("{}#body:{}", function.as_str(), sha256(body))
}
