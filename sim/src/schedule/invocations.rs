//! Invocations: a batch to a worker, its future polled when it is woken, and how it ends, by an answer or otherwise.

use super::Schedule;
use crate::bounds::{FUNCTION_TIMEOUT, MINUTE, MS};
use crate::fate::Fate;
use crate::faults::Fault;
use crate::functions::{Function, short};
use crate::mailbox::message_id;
use crate::story::Poison;
use crate::timeline::{Happening, TaskId};
use crate::watch::Invocation;
use crate::worker::{self, instant};
use aws_lambda_events::event::sqs::SqsEvent;
use rollcall::batch::{BatchReport, Told};
use rollcall::directory::Deadline;
use rollcall::seal::sha256;
use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

/// One invocation under way.
pub(super) struct Task {
    future: Pin<Box<dyn Future<Output = Done>>>,
    waker: Waker,
    pub(super) worker: usize,
    batch: Vec<usize>,
    polls: u32,
    crash_at: Option<u32>,
    freeze: Option<(u32, i64)>,
    frozen: bool,
    /// Its deadline has passed: Lambda thinks that it is gone.
    pub(super) zombie: bool,
}

/// What a task came to.
pub(super) enum Done {
    /// A batch was answered.
    Batch(BatchReport),
    /// The operator is done, and says so.
    Desk(String),
}

impl Schedule<'_> {
    /// Lambda takes a batch of a function's queue, if there is one and a worker of that function is free.
    pub(super) fn poll(&mut self, function: Function) {
        let now = self.timeline.now();
        let mut visible = self.queue.visible(function, now);
        if visible.is_empty() {
            return;
        }
        let Some(worker) = self.workers.iter().position(|slot| slot.function == function && slot.busy.is_none()) else {
            self.starved.insert(function);
            return;
        };
        if self.faults.strikes(Fault::Reorder, now) {
            for index in 0..visible.len() {
                let other = self.faults.below(Fault::Reorder, i64::try_from(visible.len()).unwrap_or(1));
                visible.swap(index, usize::try_from(other).unwrap_or(0));
            }
        }
        if visible.len() > self.story.batch {
            visible.truncate(self.story.batch);
            self.timeline.after(10 * MS, Happening::Poll(function));
        }
        let (event, batch) = self.queue.receive(&visible, now);
        for message in &batch {
            let twice = self.faults.strikes(Fault::Duplicate, now);
            let again = if twice { self.faults.below(Fault::Duplicate, 5_000) * MS } else { crate::bounds::VISIBILITY };
            if twice {
                self.queue.show(*message, now + again);
            }
            self.timeline.after(again, Happening::Poll(function));
        }
        if !batch.is_empty() {
            self.begin(function, worker, event, batch);
        }
    }

    fn begin(&mut self, function: Function, worker: usize, event: SqsEvent, batch: Vec<usize>) {
        let now = self.timeline.now();
        let (road, skew) = self.process(function, worker);
        let deadline = now + FUNCTION_TIMEOUT;
        let id = self.next_task;
        self.next_task += 1;
        let crash_at = self.draw_poll(Fault::Crash);
        let freeze = self.draw_poll(Fault::Freeze).map(|poll| (poll, self.faults.freeze()));
        let messages: Vec<_> = batch.iter().filter_map(|index| self.queue.get(*index)).collect();
        let parked_as = messages.iter().filter_map(|message| message.parked_as.clone()).collect();
        let released_as = messages.iter().filter_map(|message| message.released_as.clone()).collect();
        let is_desk = false;
        self.watch.begins(id, Invocation { skew, deadline, parked_as, released_as, is_desk, was_struck: false });
        self.note(|schedule| {
            let names = batch.iter().map(|index| {
                schedule.named(*index, schedule.queue.get(*index).map_or(usize::MAX, |message| message.telling))
            });
            let clock = if skew == 0 { String::new() } else { format!(", clock {:+} ms", skew / MS) };
            let names = names.collect::<Vec<_>>().join(", ");
            format!("worker {worker}   of {} takes {names} (invocation {id}{clock})", function.word())
        });
        let deadline_at = Deadline::at(instant(deadline));
        let future = async move { Done::Batch(road.handle(event, deadline_at).await) };
        let task = Task {
            future: Box::pin(future),
            waker: self.timeline.waker(id),
            worker,
            batch,
            polls: 0,
            crash_at,
            freeze,
            frozen: false,
            zombie: false,
        };
        self.tasks.insert(id, task);
        if let Some(slot) = self.workers.get_mut(worker) {
            slot.busy = Some(id);
        }
        self.timeline.after(FUNCTION_TIMEOUT, Happening::Deadline(id));
        self.timeline.wake(id);
    }

    /// The operator's tool starts to do something.
    pub(super) fn attend(&mut self, future: impl Future<Output = String> + 'static) {
        let id = self.next_task;
        self.next_task += 1;
        let (skew, deadline) = (0, i64::MAX);
        let (parked_as, released_as) = Default::default();
        let is_desk = true;
        self.watch.begins(id, Invocation { skew, deadline, parked_as, released_as, is_desk, was_struck: false });
        let task = Task {
            future: Box::pin(async move { Done::Desk(future.await) }),
            waker: self.timeline.waker(id),
            worker: usize::MAX,
            batch: Vec::new(),
            polls: 0,
            crash_at: None,
            freeze: None,
            frozen: false,
            zombie: false,
        };
        self.tasks.insert(id, task);
        self.timeline.wake(id);
    }

    /// The worker's process: as it is, or just started.
    fn process(&mut self, function: Function, worker: usize) -> (Arc<worker::SimRoad>, i64) {
        let now = self.timeline.now();
        let fresh = self.ways.chance(100);
        let known = self.workers.get(worker).and_then(|slot| slot.road.clone()).filter(|_| !fresh);
        known.unwrap_or_else(|| {
            let skew = self.faults.skew(now);
            let road = worker::road(&self.timeline, function, worker, skew, &self.policy, self.keys);
            let process = (Arc::new(road), skew);
            if let Some(slot) = self.workers.get_mut(worker) {
                slot.road = Some(process.clone());
            }
            process
        })
    }

    /// At which of its polls something befalls an invocation: early ones are the likelier ones.
    fn draw_poll(&mut self, kind: Fault) -> Option<u32> {
        let now = self.timeline.now();
        let strikes = self.faults.strikes(kind, now);
        let most = 1 << self.faults.below(kind, 6);
        strikes.then(|| u32::try_from(1 + self.faults.below(kind, most)).unwrap_or(1))
    }

    /// Polls a task that was woken.
    pub(super) fn advance(&mut self, id: TaskId) {
        let Some(task) = self.tasks.get_mut(&id).filter(|task| !task.frozen) else { return };
        self.timeline.run(id);
        task.polls += 1;
        let mut context = Context::from_waker(&task.waker);
        // As Lambda's runtime does: a panic ends the invocation, and its messages come again.
        let polled = catch_unwind(AssertUnwindSafe(|| task.future.as_mut().poll(&mut context)));
        let (polls, crash_at, freeze) = (task.polls, task.crash_at, task.freeze);
        let started = self.timeline.take_started();
        let Ok(polled) = polled else {
            self.note(|_| format!("invocation {id} panics"));
            return self.kill(id);
        };
        match polled {
            Poll::Ready(Done::Batch(report)) => {
                self.missed(id);
                return self.finish(id, &report);
            }
            Poll::Ready(Done::Desk(told)) => {
                self.note(|_| format!("operator   {told}"));
                return drop(self.tasks.remove(&id));
            }
            Poll::Pending => {}
        }
        let crashes = crash_at == Some(polls);
        for call in started {
            // What a dying worker sent just now may not have left it.
            let leaves = !crashes || self.faults.below(Fault::Crash, 2) == 0;
            if leaves {
                self.start(call);
            }
        }
        if crashes {
            self.note(|_| format!("invocation {id} dies"));
            return self.kill(id);
        }
        if let Some((_, pause)) = freeze.filter(|(at, _)| *at == polls) {
            self.note(|_| format!("invocation {id} stands still for {} s", pause / crate::bounds::SECOND));
            self.watch.struck(id);
            if let Some(task) = self.tasks.get_mut(&id) {
                task.frozen = true;
            }
            self.timeline.after(pause, Happening::Thaw(id));
        }
    }

    /// Faults that were drawn for an invocation that ended before they struck.
    fn missed(&mut self, id: TaskId) {
        let Some(task) = self.tasks.get(&id) else { return };
        if task.crash_at.is_some_and(|at| at >= task.polls) {
            self.faults.missed(Fault::Crash);
        }
        if task.freeze.is_some_and(|(at, _)| at >= task.polls) {
            self.faults.missed(Fault::Freeze);
        }
    }

    pub(super) fn thaw(&mut self, id: TaskId) {
        if let Some(task) = self.tasks.get_mut(&id) {
            task.frozen = false;
            self.timeline.wake(id);
        }
    }

    /// Lambda kills what is still at work. A zombie goes on for a while, in the ledger.
    pub(super) fn deadline(&mut self, id: TaskId) {
        let now = self.timeline.now();
        if !self.tasks.contains_key(&id) {
            return;
        }
        if self.faults.strikes(Fault::Zombie, now) {
            self.note(|_| format!("invocation {id} reaches its deadline, and goes on as a zombie"));
            if let Some(task) = self.tasks.get_mut(&id) {
                task.zombie = true;
            }
            self.timeline.after(5 * MINUTE, Happening::Bury(id));
            self.free(id);
        } else {
            self.note(|_| format!("invocation {id} reaches its deadline, and is killed"));
            self.kill(id);
        }
    }

    fn kill(&mut self, id: TaskId) {
        self.free(id);
        self.tasks.remove(&id);
    }

    /// The worker's place is free again, and its process gone.
    fn free(&mut self, id: TaskId) {
        if let Some(slot) = self.workers.iter_mut().find(|slot| slot.busy == Some(id)) {
            (slot.road, slot.busy) = (None, None);
        }
        self.feed();
    }

    fn feed(&mut self) {
        for function in std::mem::take(&mut self.starved) {
            self.timeline.after(10 * MS, Happening::Poll(function));
        }
    }

    fn finish(&mut self, id: TaskId, report: &BatchReport) {
        let Some(task) = self.tasks.remove(&id) else { return };
        let now = self.timeline.now();
        let failed: Vec<String> =
            report.response.batch_item_failures.iter().map(|failure| failure.item_identifier.clone()).collect();
        self.note(|_| {
            let told = report.events.iter().map(|event| {
                let word = match &event.told {
                    Told::Outcome(outcome) => format!("{} {}", outcome.outcome.as_str(), outcome.reason.word()),
                    Told::Duplicate(_) => "duplicate".to_owned(),
                    Told::Again(cause) => format!("again: {cause}"),
                };
                format!("{} {word}", short(&event.event_key))
            });
            format!("invocation {id} answers: {}", told.collect::<Vec<_>>().join("; "))
        });
        if task.zombie {
            return;
        }
        if let Some(slot) = self.workers.get_mut(task.worker) {
            slot.busy = None;
        }
        let ids: Vec<String> = task.batch.iter().map(|index| message_id(*index)).collect();
        let again = report.events.iter().filter(|event| matches!(event.told, Told::Again(_)));
        let again: usize = again.map(|event| event.messages.len()).sum();
        let reported = report.events.iter().map(|event| event.messages.len()).sum();
        self.watch.answered(&ids, &failed, reported, again);
        for index in task.batch.iter().filter(|index| failed.contains(&message_id(**index))) {
            let telling = self.queue.get(*index).and_then(|message| self.story.tellings.get(message.telling));
            if let Some(telling) = telling {
                let record = self.ledger.items().get(&telling.key);
                self.watch.comes_again(now, id, telling, record.map(AsRef::as_ref));
            }
        }
        for index in task.batch.into_iter().filter(|index| !failed.contains(&message_id(*index))) {
            self.acknowledged(index);
            if !self.faults.strikes(Fault::LostDelete, now) {
                let soon = i64::try_from(self.ways.below(50)).unwrap_or(0) * MS;
                self.timeline.after(soon, Happening::Delete(index));
            }
        }
        self.feed();
    }

    /// What was not reported as failed must have its outcome.
    fn acknowledged(&mut self, message: usize) {
        let telling = self.queue.get(message).and_then(|message| self.story.tellings.get(message.telling));
        let Some(telling) = telling else { return };
        let record = |key: &str| self.ledger.items().get(key);
        let mut item = record(&telling.key);
        if telling.poison == Some(Poison::ReusedId) {
            // Of two events with one id, the second is recorded under its body.
            item = record(&telling.function.key(&format!("body:{}", sha256(&telling.body)))).or(item);
        }
        let state = item.and_then(|item| crate::dynamo::text_at(item, &["state"])).map(str::to_owned);
        self.watch.acknowledged(&telling.key, state.as_deref());
    }

    /// A call leaves its worker.
    fn start(&mut self, call: crate::call::Call) {
        let now = self.timeline.now();
        self.n_calls += 1;
        let fate = Fate::draw(&call.request, self.story.latency, now, &mut self.faults, &mut self.ways);
        if !fate.struck.is_empty() {
            self.watch.struck(call.task);
        }
        let invites = |request: &crate::call::Request| matches!(request, crate::call::Request::Directory { request, .. } if request.query.contains("operation=add"));
        if invites(&call.request) {
            // A worker may also die before the answer comes.
            self.watch.excuse("invitation_unknown");
        }
        if fate.struck.contains(&Fault::Refused) {
            self.watch.excuse("refused_by_directory");
        }
        if let crate::call::Request::Directory { request, attempt } = &call.request {
            let zombie = self.tasks.get(&call.task).is_none_or(|task| task.zombie);
            if zombie {
                // The process is gone since its deadline: what it starts now, nobody sends.
                return;
            }
            self.watch.calls(now, call.task, request, *attempt);
        }
        self.timeline.after(fate.out, Happening::Reach(call.id));
        self.calls.insert(call.id, (call, fate, None));
    }
}
