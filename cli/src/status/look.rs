//! Asking for everything that the status tells. What cannot be asked for is said, and the rest is told.

use super::{Announced, FunctionLine, Roster, Screen, Waiting};
use crate::aws;
use crate::brake;
use crate::queues::{Depth, depth};
use crate::stack::{Part, Place, Stack};
use anyhow::Result;
use futures_util::future::join_all;
use jiff::{SignedDuration, Timestamp};
use rollcall::audit::last_believed;
use rollcall::ledger::State;
use rollcall::policy::Policy;
use rollcall::roster::in_force;
use rollcall::routes::Function;
use std::path::Path;

/// How long after its time an announcement is overdue: two sweeps of hr-intake.
const OVERDUE: SignedDuration = SignedDuration::from_mins(30);

/// Keeps what could be asked for, and notes what could not.
struct Asked(Vec<String>);

impl Asked {
    fn keep<T>(&mut self, what: &str, answer: Result<Option<T>>) -> Option<T> {
        answer.unwrap_or_else(|error| {
            self.0.push(format!("{what}: {}", aws::line(&error)));
            None
        })
    }
}

pub(super) async fn screen(stack: &Stack<'_>, policy: Option<&Path>) -> Result<Screen> {
    // Without a place for the ledger there is nothing to look at.
    stack.place(Place::Table).await?;
    let mut asked = Asked(Vec::new());
    let mut screen = Screen::default();
    for (function, answers) in join_all(Function::ALL.map(|function| of_function(function, stack))).await {
        let name = function.as_str();
        screen.functions.push(FunctionLine {
            function,
            mapping: asked.keep(&format!("the mapping of {name}"), answers.0),
            queue: asked.keep(&format!("the queue of {name}"), answers.1),
            dlq: asked.keep(&format!("the dead-letter queue of {name}"), answers.2),
        });
    }
    let all = |depth: Depth| depth.all();
    screen.unrouted = asked.keep("unrouted", at_place(Place::Unrouted, stack).await).map(all);
    screen.undelivered = asked.keep("undelivered", at_place(Place::Undelivered, stack).await).map(all);
    screen.held = asked.keep("what is held", waiting(State::Held, stack).await);
    screen.observed = asked.keep("what is observed", waiting(State::Observed, stack).await);
    screen.parked = asked.keep("what is parked", waiting(State::Parked, stack).await);
    screen.announced = asked.keep("what is announced", announced(stack).await);
    let policy = asked.keep("the policy", self::policy(stack, policy).await).unwrap_or_default();
    screen.latched = asked.keep("the budgets", brake::latched(stack, &policy).await.map(Some)).unwrap_or_default();
    screen.roster = asked.keep("the roster", roster(stack, &policy).await);
    screen.last_audit = asked.keep("the last audit", last_audit(stack).await);
    screen.unknown = asked.0;
    Ok(screen)
}

type OfFunction = (Result<Option<String>>, Result<Option<Depth>>, Result<Option<Depth>>);

async fn of_function(function: Function, stack: &Stack<'_>) -> (Function, OfFunction) {
    let queue = async |part| depth(&stack.sqs().await, &stack.part(function, part).await?).await.map(Some);
    let mapping = async || {
        let id = stack.part(function, Part::Mapping).await?;
        let mapping = stack.lambda().await.get_event_source_mapping().uuid(id).send().await;
        Ok(mapping.map_err(aws::told)?.state)
    };
    (function, (mapping().await, queue(Part::Queue).await, queue(Part::Dlq).await))
}

async fn at_place(place: Place, stack: &Stack<'_>) -> Result<Option<Depth>> {
    depth(&stack.sqs().await, &stack.place(place).await?).await.map(Some)
}

async fn waiting(state: State, stack: &Stack<'_>) -> Result<Option<Waiting>> {
    let backlog = stack.ledger().await?.backlog(state, stack.deadline()).await?;
    Ok(Some(Waiting { count: backlog.count, oldest: backlog.oldest }))
}

async fn announced(stack: &Stack<'_>) -> Result<Option<Announced>> {
    let before = stack.now().saturating_sub(OVERDUE).unwrap_or(Timestamp::MIN);
    let announced = stack.ledger().await?.announced(before, stack.deadline()).await?;
    Ok(Some(Announced { count: announced.count, next: announced.next, overdue: announced.overdue }))
}

/// The policy where there is one: without a stack and a file the defaults serve.
async fn policy(stack: &Stack<'_>, file: Option<&Path>) -> Result<Option<Policy>> {
    if file.is_none() && stack.find(Place::Policy).await?.is_none() && !stack.has_policy_file() {
        return Ok(None);
    }
    stack.policy(file).await.map(Some)
}

async fn roster(stack: &Stack<'_>, policy: &Policy) -> Result<Option<Roster>> {
    let table = stack.place(Place::RosterTable).await?;
    let Some(index) = in_force(&stack.dynamo().await, &table).await? else { return Ok(None) };
    let dropped_at = index.version.dropped_at();
    Ok(Some(Roster {
        version: index.version.as_str().to_owned(),
        people: index.rows,
        dropped_at,
        age_seconds: stack.now().duration_since(dropped_at).as_secs(),
        at_most_seconds: i64::from(policy.audit.roster_max_age.seconds()),
    }))
}

async fn last_audit(stack: &Stack<'_>) -> Result<Option<Timestamp>> {
    match stack.find(Place::AuditBucket).await? {
        Some(bucket) => Ok(last_believed(&stack.bucket(&bucket).await).await?),
        None => Ok(None),
    }
}
