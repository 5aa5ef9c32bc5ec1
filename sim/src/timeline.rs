//! Virtual time: what is due, in order, and the alarms and calls of the tasks that wait for it.
//!
//! Nothing here reads a clock. Time goes from one thing that is due to the next; things due at one instant happen in
//! the order in which they were set.

use crate::call::{Call, Request, Slot, Waiting};
use crate::functions::Function;
use rollcall_local::chime::random::Random;
use std::cmp::Reverse;
use std::collections::{BinaryHeap, VecDeque};
use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Wake, Waker};

/// Names one invocation of a worker. Counts from 0.
pub type TaskId = usize;

/// Something that the schedule does at its time.
#[derive(Clone, Debug)]
pub enum Happening {
    /// A call reaches its service.
    Reach(u64),
    /// The answer of a call comes back.
    Answer(u64),
    /// A message is sent to the queue, by its position in the story.
    Send(usize),
    /// Lambda asks a function's queue for a batch.
    Poll(Function),
    /// SQS deletes a message that was handled.
    Delete(usize),
    /// An invocation reaches its deadline.
    Deadline(TaskId),
    /// A worker that stood still goes on.
    Thaw(TaskId),
    /// A worker that outlived its deadline is gone for good.
    Bury(TaskId),
    /// An administrator does something in the console, by its position in the story.
    Console(usize),
    /// A mail of an invitation reached its person, or did not: account and user.
    Mail(String, String),
    /// An operator sends back what was parked because of faults.
    Operator,
    /// The operator does something about what waits, by its position in the story.
    Desk(usize),
}

/// Virtual time, shared with whoever waits for it.
#[derive(Clone, Debug)]
pub struct Timeline(Arc<Mutex<Inner>>);

#[derive(Debug)]
struct Inner {
    now: i64,
    order: u64,
    due: BinaryHeap<Reverse<Entry>>,
    ready: VecDeque<TaskId>,
    started: Vec<Call>,
    calls: u64,
    current: TaskId,
    random: Random,
}

#[derive(Debug)]
struct Entry {
    at: i64,
    order: u64,
    what: Due,
}

#[derive(Debug)]
enum Due {
    Alarm(Arc<Mutex<Alarm>>),
    Happening(Happening),
}

impl PartialEq for Entry {
    fn eq(&self, other: &Entry) -> bool {
        self.order == other.order
    }
}

impl Eq for Entry {}

impl PartialOrd for Entry {
    fn partial_cmp(&self, other: &Entry) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Entry {
    fn cmp(&self, other: &Entry) -> std::cmp::Ordering {
        (self.at, self.order).cmp(&(other.at, other.order))
    }
}

/// Locks what only one thread ever uses: the SDK demands that it could be shared.
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Timeline {
    /// A timeline that starts at an instant, in microseconds since 1970. `seed` is for the chance of the tasks.
    #[must_use]
    pub fn new(now: i64, seed: u64) -> Timeline {
        Timeline(Arc::new(Mutex::new(Inner {
            now,
            order: 0,
            due: BinaryHeap::new(),
            ready: VecDeque::new(),
            started: Vec::new(),
            calls: 0,
            current: 0,
            random: Random::new(seed),
        })))
    }

    /// The time now, in microseconds since 1970.
    #[must_use]
    pub fn now(&self) -> i64 {
        lock(&self.0).now
    }

    /// The next random bits of the tasks.
    #[must_use]
    pub fn random(&self) -> u128 {
        let mut inner = lock(&self.0);
        u128::from(inner.random.number()) << 64 | u128::from(inner.random.number())
    }

    /// Lets something happen after a while.
    pub fn after(&self, wait: i64, happening: Happening) {
        lock(&self.0).set(wait, Due::Happening(happening));
    }

    /// A future that is ready after a while.
    #[must_use]
    pub fn sleep(&self, wait: i64) -> Sleep {
        let alarm = Arc::new(Mutex::new(Alarm::default()));
        lock(&self.0).set(wait, Due::Alarm(Arc::clone(&alarm)));
        Sleep(alarm)
    }

    /// Starts a call of the task that runs now. The schedule decides when it reaches its service, and what befalls it.
    #[must_use]
    pub fn call(&self, worker: usize, request: Request) -> Waiting {
        let slot = Arc::new(Mutex::new(Slot::default()));
        let mut inner = lock(&self.0);
        let id = inner.calls;
        inner.calls += 1;
        let (task, sent_at) = (inner.current, inner.now);
        inner.started.push(Call { id, task, worker, sent_at, request, slot: Arc::clone(&slot) });
        Waiting(slot)
    }

    /// Takes the calls that were started since the last time.
    pub(crate) fn take_started(&self) -> Vec<Call> {
        std::mem::take(&mut lock(&self.0).started)
    }

    /// Says which task runs from now on, so that its calls are known as its own.
    pub(crate) fn run(&self, task: TaskId) {
        lock(&self.0).current = task;
    }

    /// The next task that was woken.
    pub(crate) fn next_ready(&self) -> Option<TaskId> {
        lock(&self.0).ready.pop_front()
    }

    /// A waker of a task.
    pub(crate) fn waker(&self, task: TaskId) -> Waker {
        Waker::from(Arc::new(TaskWaker { timeline: self.clone(), task }))
    }

    /// Wakes a task.
    pub(crate) fn wake(&self, task: TaskId) {
        let mut inner = lock(&self.0);
        if !inner.ready.contains(&task) {
            inner.ready.push_back(task);
        }
    }

    /// Goes on to what is due next; `None` where nothing is. Alarms go off on the way.
    pub(crate) fn next(&self) -> Option<Step> {
        let Reverse(entry) = lock(&self.0).due.pop()?;
        lock(&self.0).now = entry.at;
        match entry.what {
            Due::Happening(happening) => Some(Step::Happening(happening)),
            Due::Alarm(alarm) => {
                let waker = {
                    let mut alarm = lock(&alarm);
                    alarm.rang = true;
                    alarm.waker.take()
                };
                if let Some(waker) = waker {
                    waker.wake();
                }
                Some(Step::Alarm)
            }
        }
    }
}

/// What was due.
#[derive(Debug)]
pub(crate) enum Step {
    /// A task's alarm went off.
    Alarm,
    /// The schedule has something to do.
    Happening(Happening),
}

impl Inner {
    fn set(&mut self, wait: i64, what: Due) {
        self.order += 1;
        let entry = Entry { at: self.now + wait.max(0), order: self.order, what };
        self.due.push(Reverse(entry));
    }
}

struct TaskWaker {
    timeline: Timeline,
    task: TaskId,
}

impl Wake for TaskWaker {
    fn wake(self: Arc<Self>) {
        self.timeline.wake(self.task);
    }
}

#[derive(Debug, Default)]
struct Alarm {
    rang: bool,
    waker: Option<Waker>,
}

/// A wait of a task.
#[derive(Debug)]
pub struct Sleep(Arc<Mutex<Alarm>>);

impl Future for Sleep {
    type Output = ();

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        let mut alarm = lock(&self.0);
        if alarm.rang {
            return Poll::Ready(());
        }
        alarm.waker = Some(context.waker().clone());
        Poll::Pending
    }
}

impl Drop for Sleep {
    fn drop(&mut self) {
        // Nobody waits any more: the alarm goes off in silence.
        lock(&self.0).waker = None;
    }
}
