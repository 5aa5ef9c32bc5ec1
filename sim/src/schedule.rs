//! One run: a story, its faults, and everything that happens because of them, in virtual time.

mod arrivals;
mod desk;
mod directory;
mod invocations;
mod people;

use crate::bounds::{Bounds, DRAIN, MINUTE, SECOND};
use crate::call::Call;
use crate::dynamo::Dynamo;
use crate::fate::Fate;
use crate::faults::{Fault, Faults};
use crate::functions::Function;
use crate::mailbox::Mailbox;
use crate::story::{NOON, Story, Telling};
use crate::timeline::{Happening, Step, TaskId, Timeline};
use crate::watch::{Rule, Violation, Watch};
use crate::worker::SimRoad;
use invocations::Task;
use rollcall::policy::Policy;
use rollcall::seal::Keys;
use rollcall_local::chime::core::Core;
use rollcall_local::chime::random::Random;
use rollcall_local::chime::seed;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// When the faults stop, after the start.
const FAULTS_STOP: i64 = 70 * MINUTE;

/// A run of so many calls does not come to its end.
const CALLS: u64 = 20_000;

/// When the operator looks after what is parked, after the faults stopped.
const OPERATOR: [i64; 3] = [20 * MINUTE, 60 * MINUTE, 100 * MINUTE];

/// How a run is done.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// What is bounded, and how.
    pub bounds: Bounds,
    /// Kinds of fault that do not strike.
    pub without: BTreeSet<Fault>,
    /// Messages that are not sent, by position in the story.
    pub unsent: BTreeSet<usize>,
    /// Kinds of fault that strike so often, of a thousand chances.
    pub insist: Vec<(Fault, u32)>,
    /// The only rule that is watched; `None`: all of them.
    pub only: Option<Rule>,
    /// Whether a trace is written.
    pub trace: bool,
}

/// What came of a run.
#[derive(Clone, Debug)]
pub struct Report {
    /// The rule that was broken first.
    pub violation: Option<Violation>,
    /// How often the premise of each rule occurred.
    pub premises: [u64; Rule::ALL.len()],
    /// How often each kind of fault struck.
    pub faults: [u64; Fault::ALL.len()],
    /// What happened, line by line.
    pub trace: Vec<String>,
    /// How many messages the story has.
    pub sends: usize,
    /// How many calls were made.
    pub calls: u64,
}

/// Runs the schedule of a seed.
///
/// # Errors
/// Where the story itself cannot be told: a defect of the simulator.
pub fn run(seed: u64, options: &Options, keys: &Keys) -> anyhow::Result<Report> {
    // The SDK draws the jitter of its retries, and its tokens, from this generator of the thread.
    fastrand::seed(seed);
    let mut seeds = Random::new(seed);
    let story = Story::draw(seeds.number());
    let mut faults = Faults::draw(seeds.number(), NOON + FAULTS_STOP, options.bounds, &options.without);
    faults.insist(&options.insist);
    let accounts = seed::read(&story.directory().to_string())?;
    let mut schedule = Schedule {
        timeline: Timeline::new(NOON, seeds.number()),
        ledger: Dynamo::default(),
        directory: Core::new(accounts),
        queue: Mailbox::default(),
        tasks: BTreeMap::new(),
        next_task: 0,
        workers: story.worker_slots(),
        calls: BTreeMap::new(),
        n_calls: 0,
        watch: Watch::new(&story, options.only),
        ways: Random::new(seeds.number()),
        sent: BTreeSet::new(),
        starved: BTreeSet::new(),
        trace: Vec::new(),
        policy: Policy::parse(&story.policy.to_string())?,
        story: &story,
        faults,
        options,
        keys,
    };
    schedule.count_users();
    schedule.play();
    Ok(schedule.report())
}

/// A worker's place: its process, if one is there, and what it does.
struct Slot {
    function: Function,
    road: Option<(Arc<SimRoad>, i64)>,
    busy: Option<TaskId>,
}

struct Schedule<'a> {
    story: &'a Story,
    options: &'a Options,
    keys: &'a Keys,
    policy: Policy,
    timeline: Timeline,
    faults: Faults,
    ledger: Dynamo,
    directory: Core,
    queue: Mailbox,
    tasks: BTreeMap<TaskId, Task>,
    next_task: TaskId,
    workers: Vec<Slot>,
    calls: BTreeMap<u64, (Call, Fate, Option<crate::call::Reply>)>,
    n_calls: u64,
    watch: Watch<'a>,
    /// Chance that is no fault: ways, orders, which worker.
    ways: Random,
    /// The events that were sent, by position.
    sent: BTreeSet<usize>,
    /// Messages wait in the queues of these, and no worker was free.
    starved: BTreeSet<Function>,
    trace: Vec<String>,
}

impl Story {
    fn worker_slots(&self) -> Vec<Slot> {
        let places = Function::ALL.into_iter().zip(self.workers);
        let place = |function| Slot { function, road: None, busy: None };
        places.flat_map(|(function, count)| (0..count).map(move |_| place(function))).collect()
    }
}

impl Schedule<'_> {
    /// Plays until nothing is due any more, or a rule is broken.
    fn play(&mut self) {
        self.tell_the_story();
        let end = NOON + FAULTS_STOP + DRAIN;
        while self.watch.broken().is_none() {
            if self.n_calls > CALLS {
                self.watch.runs_on(self.n_calls);
            }
            while let Some(task) = self.timeline.next_ready() {
                self.advance(task);
            }
            match self.timeline.next() {
                Some(_) if self.timeline.now() > end => break,
                Some(Step::Happening(happening)) => self.happens(happening),
                Some(Step::Alarm) => {}
                None => break,
            }
        }
        let left: Vec<String> = self.queue.left().map(|(index, message)| self.named(index, message.telling)).collect();
        let now = self.timeline.now().max(NOON + FAULTS_STOP);
        self.watch.ends(now, &self.ledger, &self.directory, &self.sent, &left);
    }

    fn tell_the_story(&mut self) {
        for (index, send) in self.story.sends.iter().enumerate() {
            if self.options.unsent.contains(&index) {
                continue;
            }
            let late =
                if self.faults.strikes(Fault::Delay, NOON) { self.faults.below(Fault::Delay, 15 * MINUTE) } else { 0 };
            self.timeline.after(send.at + late, Happening::Send(index));
            if self.faults.strikes(Fault::Duplicate, NOON) {
                let later = self.faults.below(Fault::Duplicate, 12 * MINUTE);
                self.timeline.after(send.at + later, Happening::Send(index));
            }
        }
        for (index, act) in self.story.console.iter().enumerate() {
            self.timeline.after(act.at, Happening::Console(index));
        }
        for (index, desk) in self.story.safety.desk.iter().enumerate() {
            self.timeline.after(desk.at, Happening::Desk(index));
        }
        for after in OPERATOR {
            self.timeline.after(FAULTS_STOP + after, Happening::Operator);
        }
    }

    fn happens(&mut self, happening: Happening) {
        match happening {
            Happening::Send(index) => self.send(index),
            Happening::Poll(function) => self.poll(function),
            Happening::Reach(call) => self.reach(call),
            Happening::Answer(call) => self.answer(call),
            Happening::Delete(message) => self.queue.delete(message),
            Happening::Deadline(task) => self.deadline(task),
            Happening::Thaw(task) => self.thaw(task),
            Happening::Bury(task) => drop(self.tasks.remove(&task)),
            Happening::Console(index) => self.console(index),
            Happening::Mail(account, user) => self.mail(&account, &user),
            Happening::Operator => self.operator(),
            Happening::Desk(index) => self.desk(index),
        }
    }

    fn send(&mut self, index: usize) {
        let Some(send) = self.story.sends.get(index) else { return };
        let Some(telling) = self.story.tellings.get(send.telling) else { return };
        let function = telling.function;
        let message = self.queue.send(function, send.telling, telling.body.clone(), None, self.timeline.now());
        self.sent.insert(send.telling);
        self.note(|schedule| {
            let who = schedule.story.who(telling.person);
            format!("hr         sends {} about {who}: {}", schedule.named(message, send.telling), telling.words)
        });
        let window = self.window();
        self.timeline.after(window, Happening::Poll(function));
    }

    /// An operator sends back what was parked because of faults.
    fn operator(&mut self) {
        let now = self.timeline.now();
        let fit = |dead: &crate::mailbox::Dead| {
            matches!(dead.code, Some("attempts_exhausted" | "gave_up" | "refused_by_directory"))
        };
        let (back, stay): (Vec<_>, Vec<_>) = std::mem::take(&mut self.queue.dead).into_iter().partition(fit);
        self.queue.dead = stay;
        for dead in back {
            let is_it = |telling: &Telling| telling.function == dead.function && telling.body == dead.body;
            let telling = self.story.tellings.iter().position(is_it);
            let telling = telling.unwrap_or(usize::MAX);
            let message = self.queue.send(dead.function, telling, dead.body, dead.parked_as, now);
            self.note(|schedule| format!("operator   sends {} back", schedule.named(message, telling)));
            self.timeline.after(SECOND, Happening::Poll(dead.function));
        }
    }

    /// A message, for people.
    fn named(&self, message: usize, telling: usize) -> String {
        let id = self.story.tellings.get(telling).map_or("?", |telling| telling.id.as_str());
        format!("m{message} ({})", if id.is_empty() { "no event" } else { id })
    }

    /// Writes a line of the trace, where one is wanted.
    fn note(&mut self, line: impl FnOnce(&Self) -> String) {
        if self.options.trace {
            let since = self.timeline.now() - NOON;
            let line = format!("{:>10.3} s  {}", since as f64 / SECOND as f64, line(self));
            self.trace.push(line);
        }
    }

    fn report(self) -> Report {
        Report {
            violation: self.watch.broken().cloned(),
            premises: *self.watch.premises(),
            faults: *self.faults.counts(),
            trace: self.trace,
            sends: self.story.sends.len(),
            calls: self.n_calls,
        }
    }
}
