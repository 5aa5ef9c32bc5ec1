//! The invariants: what must hold at every write, at every effect, and at the end, whatever goes wrong.
//!
//! The watch sees what the services see, writes and effects, and never asks the product what it thinks. Each rule
//! counts how often its premise occurred: a rule that nothing ever puts to the test proves nothing.

mod brake;
mod directory;
mod end;
mod giving;
mod identity;
mod known;
mod ledger;
mod licence;
mod mail;
mod outcome;
mod pin;
mod record;
mod session;

pub use directory::{Before, Effect};

use crate::story::Story;
use crate::timeline::TaskId;
use record::Plan;
use std::collections::{BTreeMap, BTreeSet};
use std::str::FromStr;

macro_rules! rules {
    ($($(#[$about:meta])* $name:ident = $letter:literal, $words:literal, $premise:literal;)*) => {
        /// An invariant.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
        pub enum Rule { $($(#[$about])* $name,)* }

        impl Rule {
            /// Every invariant.
            pub const ALL: [Rule; [$($letter),*].len()] = [$(Rule::$name),*];

            /// Its letter.
            #[must_use]
            pub fn letter(self) -> &'static str {
                match self { $(Rule::$name => $letter,)* }
            }

            /// What it says.
            #[must_use]
            pub fn words(self) -> &'static str {
                match self { $(Rule::$name => $words,)* }
            }

            /// What its premise is: what is counted.
            #[must_use]
            pub fn premise(self) -> &'static str {
                match self { $(Rule::$name => $premise,)* }
            }
        }
    };
}

impl FromStr for Rule {
    type Err = String;

    fn from_str(letter: &str) -> Result<Rule, String> {
        let known = || Rule::ALL.map(Rule::letter).join(", ");
        Rule::ALL.into_iter().find(|rule| rule.letter() == letter).ok_or_else(|| format!("the rules are {}", known()))
    }
}

rules! {
    /// A leaver never keeps access.
    Leaver = "a1", "who has no access due in the end has none, save for held and parked events", "people without access due";
    /// Nobody else loses it.
    Kept = "a2", "nobody loses access while it is due by all facts known at the claim", "plans that take access";
    /// Only to whom it is due.
    Given = "a4", "nobody is given access while none is due by all facts known at the claim", "plans that give access";
    /// Whoever was given it has it.
    Has = "a5", "whose access was given last has it in the end", "people who were given access last";
    /// No fact is lost.
    Facts = "a3", "the ledger ends with the newest assertion of every fact, whatever the order of arrival", "people with facts";
    /// One mail.
    Mail = "b", "one mail an invitation, a second only where the plan says so, and none to who is there", "mails sent";
    /// One outcome.
    Outcome = "c", "every event ends in exactly one recorded outcome, and in one that it may have", "events";
    /// Partition.
    Partition = "d", "ids reported as failed and ids settled are exactly the batch, disjoint", "batches answered";
    /// Brake.
    Brake = "e", "in no window are more people touched than the brake allows, each event counts once, and a latched brake stays so", "changes that the brake held";
    /// Protection.
    Protected = "f", "nothing is taken from whom the policy protects, and a group keeps its minimum, unless an operator releases it", "events held for protection";
    /// Confirmed is shown.
    Shown = "g", "no step is confirmed that the directory does not show", "steps confirmed";
    /// Drains.
    Drained = "h", "when the faults stop, the queue drains, and no lease or retry is left", "messages sent";
    /// Plan first.
    Planned = "i", "nothing reaches the directory that is not in a stored plan, under a lease of its sender", "changes sent";
    /// Fence.
    Fenced = "j", "no attempt writes over another's lease, nor after it lost its own", "leases taken over";
    /// Taken.
    Taken = "k", "what was taken is written once, as the directory had it, and only where something was", "people whom access was taken from";
    /// Restored.
    Restored = "l", "who gets access back gets the licence of before, or what it was to become meanwhile", "licences to give back";
    /// Licence.
    Licence = "o", "the licence is the one that facts and policy say", "licences decided";
    /// Identity.
    Identity = "q", "nothing is done for an event to a user who is known to be another person's", "events that find another person's user";
    /// Compromise.
    Session = "s", "a compromise acts at once: on its own record alone, and without waiting for anybody", "compromises recorded";
    /// PIN.
    PinOnce = "m", "no PIN is reset twice for an event whose outcome does not say so", "events with PINs reset";
    /// Auxiliary.
    Auxiliary = "n", "an auxiliary step that fails never stops the decisive one", "auxiliary steps failed";
    /// In time.
    InTime = "p", "no call to the directory starts that would not end 5 s before the deadline", "calls to the directory";
    /// True reasons.
    Reason = "r", "the reason that is recorded is true", "reasons recorded";
}

/// A rule that was broken.
#[derive(Clone, Debug)]
pub struct Violation {
    /// Which.
    pub rule: Rule,
    /// What happened.
    pub what: String,
}

impl std::fmt::Display for Violation {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} ({}): {}", self.rule.letter(), self.rule.words(), self.what)
    }
}

/// One invocation, as far as the rules need it.
#[derive(Clone, Debug)]
pub struct Invocation {
    /// How far off its clock is.
    pub skew: i64,
    /// When it ends.
    pub deadline: i64,
    /// The tokens of parking that its messages carry.
    pub parked_as: BTreeSet<String>,
    /// The tokens of holds that its messages carry.
    pub released_as: BTreeSet<String>,
    /// It is the operator.
    pub is_desk: bool,
    /// A fault struck it.
    pub was_struck: bool,
}

/// One attempt at an event: a claim that was written.
#[derive(Clone, Debug)]
struct Attempt {
    task: TaskId,
    event: String,
    person: Option<String>,
    plan: Option<Plan>,
    /// When the claim was written.
    claimed_at: i64,
    /// When its lease ends.
    until: i64,
    /// When it settled, or the claim already wrote the outcome.
    settled_at: Option<i64>,
}

/// What is watched of one run.
#[derive(Debug)]
pub struct Watch<'a> {
    story: &'a Story,
    only: Option<Rule>,
    premises: [u64; Rule::ALL.len()],
    broken: Option<Violation>,
    invocations: BTreeMap<TaskId, Invocation>,
    attempts: BTreeMap<String, Attempt>,
    /// Who holds a person now, by the person's key: the token.
    leases: BTreeMap<String, String>,
    /// The last attempt that had a hold on a person.
    last_holder: BTreeMap<String, String>,
    /// Whom a person's item is about.
    people: BTreeMap<String, usize>,
    /// The events whose facts are recorded, by position in the story.
    recorded: Vec<usize>,
    /// When each of them was.
    recorded_at: BTreeMap<usize, i64>,
    effects: Vec<Effect>,
    /// What the brake must count, by budget.
    brake: brake::Counts,
    /// The records of events that an operator rejected.
    rejected: BTreeSet<String>,
    /// People of whom an operator said that a user by their address is theirs.
    passed_on: BTreeSet<usize>,
    /// How often an operator said yes to another invitation, by event.
    released: BTreeMap<String, usize>,
    /// Whose a user of the directory is, by its id: the position in the story.
    owners: BTreeMap<String, usize>,
    /// Who gave or took a person's access last.
    last_act: BTreeMap<usize, giving::Act>,
    /// What the last licence event made of a person's licence.
    last_licence: BTreeMap<usize, licence::Told>,
    /// When a mail reached a person, who registers then, or when it came back.
    mails: BTreeMap<usize, i64>,
    /// What people had when access was first taken from them, and not given back since: account and licence.
    first_taken: BTreeMap<usize, directory::FirstTaken>,
    /// People whose access an attempt was about to give back when its lease ran out. Whether it did, nobody can know.
    perhaps_given: BTreeSet<String>,
    /// The tokens of the messages that reached the dead-letter queue.
    parked: BTreeSet<String>,
    /// How many attempts in a row ended without a settle, by event.
    unsettled: BTreeMap<String, u32>,
    /// Reasons for which an event may be parked because of a fault that struck.
    excused: BTreeSet<&'static str>,
}

impl<'a> Watch<'a> {
    /// A watch over a story; `only`: for one rule.
    #[must_use]
    pub fn new(story: &'a Story, only: Option<Rule>) -> Watch<'a> {
        Watch {
            story,
            only,
            premises: [0; Rule::ALL.len()],
            broken: None,
            invocations: BTreeMap::new(),
            attempts: BTreeMap::new(),
            leases: BTreeMap::new(),
            last_holder: BTreeMap::new(),
            people: BTreeMap::new(),
            recorded: Vec::new(),
            recorded_at: BTreeMap::new(),
            effects: Vec::new(),
            brake: brake::Counts::default(),
            rejected: BTreeSet::new(),
            passed_on: BTreeSet::new(),
            released: BTreeMap::new(),
            owners: story.people.iter().enumerate().map(|(index, person)| (person.user.clone(), index)).collect(),
            last_act: BTreeMap::new(),
            last_licence: BTreeMap::new(),
            mails: BTreeMap::new(),
            first_taken: BTreeMap::new(),
            perhaps_given: BTreeSet::new(),
            parked: BTreeSet::new(),
            unsettled: BTreeMap::new(),
            excused: BTreeSet::new(),
        }
    }

    /// The first rule that was broken.
    #[must_use]
    pub fn broken(&self) -> Option<&Violation> {
        self.broken.as_ref()
    }

    /// How often each rule's premise occurred.
    #[must_use]
    pub fn premises(&self) -> &[u64; Rule::ALL.len()] {
        &self.premises
    }

    /// An invocation begins.
    pub fn begins(&mut self, task: TaskId, invocation: Invocation) {
        self.invocations.insert(task, invocation);
    }

    /// A fault struck an invocation.
    pub fn struck(&mut self, task: TaskId) {
        if let Some(invocation) = self.invocations.get_mut(&task) {
            invocation.was_struck = true;
        }
    }

    /// Whose a user of the directory is.
    #[must_use]
    pub fn owner(&self, user: &str) -> Option<usize> {
        self.owners.get(user).copied()
    }

    /// Somebody has a user of the directory from now on.
    pub fn owns(&mut self, user: &str, person: usize) {
        self.owners.entry(user.to_owned()).or_insert(person);
    }

    /// A mail reached its person, or came back.
    pub fn has_mail(&mut self, person: usize, now: i64) {
        self.mails.insert(person, now);
    }

    /// A message reached the dead-letter queue under this token.
    pub fn parked(&mut self, token: &str) {
        self.parked.insert(token.to_owned());
    }

    /// A fault struck after which an event may end as parked, under this reason.
    pub fn excuse(&mut self, reason: &'static str) {
        self.excused.insert(reason);
    }

    /// An invocation answered: so many messages came, these failed, and it reports so many of each.
    pub fn answered(&mut self, batch: &[String], failed: &[String], reported: usize, reported_again: usize) {
        self.premise(Rule::Partition);
        let distinct: BTreeSet<&String> = failed.iter().collect();
        let known = failed.iter().all(|id| batch.contains(id));
        if distinct.len() != failed.len() || !known || reported != batch.len() || reported_again != failed.len() {
            let what = format!(
                "a batch of {}: {} reported, {reported_again} of them to come again, {} as failed",
                batch.len(),
                reported,
                failed.len()
            );
            self.breaks(Rule::Partition, what);
        }
    }

    /// A message was not reported as failed: its event must have its outcome now, or wait for a person.
    pub fn acknowledged(&mut self, event: &str, state: Option<&str>) {
        if !matches!(state, Some("applied" | "unchanged" | "superseded" | "rejected" | "held" | "observed" | "parked"))
        {
            let state = state.unwrap_or("not recorded");
            self.breaks(Rule::Partition, format!("{event} was not reported as failed, and is {state}"));
        }
    }

    /// So many calls were made, and no end is in sight.
    pub fn runs_on(&mut self, calls: u64) {
        self.breaks(Rule::Drained, format!("{calls} calls were made, and no end is in sight"));
    }

    /// The simulator's DynamoDB refused a request that it cannot serve: the simulator has to learn it first.
    pub fn unserved(&mut self, operation: &str, what: &str) {
        self.breaks(Rule::Fenced, format!("{operation} was refused: {what}"));
    }

    fn premise(&mut self, rule: Rule) {
        self.premises[rule as usize] += 1;
    }

    fn breaks(&mut self, rule: Rule, what: String) {
        if self.only.is_none_or(|only| only == rule) {
            self.broken.get_or_insert(Violation { rule, what });
        }
    }

    fn check(&mut self, rule: Rule, holds: bool, what: impl FnOnce() -> String) {
        if !holds {
            self.breaks(rule, what());
        }
    }

    fn worker_now(&self, task: TaskId, now: i64) -> i64 {
        now + self.invocations.get(&task).map_or(0, |invocation| invocation.skew)
    }
}
