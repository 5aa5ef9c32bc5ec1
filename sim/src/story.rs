//! What happens in one run, apart from faults: accounts, people, what HR tells of them and when, all from a seed.

mod biography;
mod people;
mod poison;
mod safety;
mod wire;

pub use people::{Account, AccountKind, Bounce, Person, Standing};
pub use poison::Poison;
pub use safety::{Act, Desk, Group, Limit, Limits, Observes, Safety};

use crate::bounds::{BATCH, MINUTE, MS, SECOND};
use crate::functions::Function;
use crate::oracle::{Absences, Asks, Assertion, Licence, Licences};
use rollcall_local::chime::random::Random;
use serde_json::{Value, json};

/// Every run starts at noon of 2026-11-23, UTC.
pub const NOON: i64 = 1_795_435_200 * SECOND;

/// The day of [`NOON`], in days since 1970.
pub const TODAY: i64 = 20_780;

/// What happens in one run.
#[derive(Clone, Debug)]
pub struct Story {
    /// The accounts.
    pub accounts: Vec<Account>,
    /// The people.
    pub people: Vec<Person>,
    /// The events.
    pub tellings: Vec<Telling>,
    /// When each of them is sent to its queue.
    pub sends: Vec<Send>,
    /// What administrators do in the console.
    pub console: Vec<Console>,
    /// Which absences take access away.
    pub absences: Absences,
    /// Which licence a job comes with; `None`: Rollcall sets none.
    pub licences: Option<Licences>,
    /// What keeps Rollcall safe to act unattended.
    pub safety: Safety,
    /// The policy document.
    pub policy: Value,
    /// The policy says whose domain is whose account's.
    pub mapped: bool,
    /// How many workers each function has at once.
    pub workers: [usize; Function::ALL.len()],
    /// The most messages of a batch.
    pub batch: usize,
    /// How long a call takes one way, at the most, where nothing goes wrong.
    pub latency: i64,
}

/// One event, as a sender tells it.
#[derive(Clone, Debug)]
pub struct Telling {
    /// Its id; empty where the body has none that can be read.
    pub id: String,
    /// Whose queue it is sent to.
    pub function: Function,
    /// Key of its record in the ledger.
    pub key: String,
    /// Whom it is about, by position.
    pub person: Option<usize>,
    /// What it says, where it says something.
    pub assertion: Option<Assertion>,
    /// What is wrong with it.
    pub poison: Option<Poison>,
    /// The address that it carries.
    pub email: Option<String>,
    /// The identifiers that it carries.
    pub identifiers: Vec<String>,
    /// It asks for a reset of the PIN by its reason.
    pub security: bool,
    /// The message body.
    pub body: String,
    /// What it says, for people.
    pub words: String,
}

impl Telling {
    /// What it asks for. The first of two events with one id is a return of long ago.
    #[must_use]
    pub fn asks(&self) -> Option<Asks> {
        match self.poison {
            Some(Poison::ReusedId) => Some(Asks::Giving),
            Some(_) | None => self.assertion.as_ref().map(Assertion::asks),
        }
    }
}

/// A message that is sent.
#[derive(Clone, Copy, Debug)]
pub struct Send {
    /// The event, by position.
    pub telling: usize,
    /// When, after the start.
    pub at: i64,
}

/// What an administrator does.
#[derive(Clone, Debug)]
pub struct Console {
    /// To whom, by position.
    pub person: usize,
    /// What.
    pub what: ConsoleAct,
    /// When, after the start.
    pub at: i64,
}

/// What an administrator does to somebody's user.
#[derive(Clone, Debug)]
pub enum ConsoleAct {
    /// Makes it anew, under another id.
    Anew,
    /// Gives it another address.
    Rename(String),
}

impl Story {
    /// Draws a story.
    #[must_use]
    pub fn draw(seed: u64) -> Story {
        let mut random = Random::new(seed);
        let accounts = people::accounts(&mut random);
        let people = people::people(&mut random, &accounts);
        let absences = Absences { leave: random.chance(700), login: random.chance(700) };
        let mut writer = biography::Writer::new(&mut random, &people);
        for person in 0..people.len() {
            writer.person(person);
        }
        let (mut tellings, mut sends) = writer.finish();
        poison::add(&mut random, &people, &mut tellings, &mut sends);
        let console = console(&mut random, &people);
        let safety = Safety::draw(&mut random, &people);
        let mapped = random.chance(700);
        let mut policy = policy(&mut random, &accounts, absences, mapped);
        let licences = licences(&mut random);
        if let Some(licences) = &licences {
            policy["licences"] = written(licences);
        }
        safety.write(&mut policy);
        let latency = [2 * MS, 20 * MS, 200 * MS, 1_200 * MS];
        Story {
            workers: std::array::from_fn(|_| usize::try_from(1 + random.below(3)).unwrap_or(1)),
            batch: [1, 3, 10, BATCH, BATCH][usize::try_from(random.below(5)).unwrap_or(0)],
            latency: latency.into_iter().nth(usize::try_from(random.below(4)).unwrap_or(0)).unwrap_or(MS),
            accounts,
            people,
            tellings,
            sends,
            console,
            absences,
            licences,
            safety,
            policy,
            mapped,
        }
    }

    /// The accounts with their users, as a seed of the local Chime.
    #[must_use]
    pub fn directory(&self) -> Value {
        people::directory(&self.accounts, &self.people)
    }

    /// Whom an event is about, for people.
    #[must_use]
    pub fn who(&self, person: Option<usize>) -> String {
        match person.and_then(|person| Some((person, self.people.get(person)?))) {
            Some((index, person)) => {
                let kind = self.accounts.get(person.home).map_or("", Account::word);
                let absent = if person.account.is_none() { ", not there at first" } else { "" };
                format!("p{index} ({kind}{absent})")
            }
            None => "nobody".to_owned(),
        }
    }
}

fn console(random: &mut Random, people: &[Person]) -> Vec<Console> {
    let rename = |(person, someone): (usize, &Person)| {
        let (email, at) = someone.renamed.clone()?;
        Some(Console { person, what: ConsoleAct::Rename(email), at })
    };
    let renames = people.iter().enumerate().filter_map(rename);
    let acts = if random.chance(250) { 1 + random.below(3) } else { 0 };
    let act = |_| Console {
        person: usize::try_from(random.below(people.len() as u64)).unwrap_or(0),
        what: ConsoleAct::Anew,
        at: i64::try_from(random.below(3_600)).unwrap_or(0) * SECOND,
    };
    renames.chain((0..acts).map(act)).collect()
}

/// Which licence a job comes with. Half of the rules look at the code, which a change of department leaves untold.
fn licences(random: &mut Random) -> Option<Licences> {
    let one = |random: &mut Random| match random.below(9) {
        0..4 => Licence::Basic,
        4..8 => Licence::Pro,
        _ => Licence::Plus,
    };
    if !random.chance(800) {
        return None;
    }
    let rules = (0..1 + random.below(4)).map(|_| {
        let code = random.one_of(&biography::CODES).copied();
        let department = random.one_of(&biography::DEPARTMENTS).copied();
        match random.below(5) {
            0..3 => (code, None, one(random)),
            3 => (None, department, one(random)),
            _ => (code, department, one(random)),
        }
    });
    let rules = rules.collect();
    let default = random.chance(600).then(|| one(random));
    Some(Licences { rules, default, reclaim: if random.chance(900) { Licence::Basic } else { Licence::Plus } })
}

/// The same as the policy's section.
fn written(licences: &Licences) -> Value {
    let rule = |(code, department, licence): &(Option<&str>, Option<&str>, Licence)| {
        let mut rule = json!({ "licence": licence.word() });
        if let Some(code) = code {
            rule["job_code"] = json!([code]);
        }
        if let Some(department) = department {
            rule["department"] = json!([department]);
        }
        rule
    };
    let mut section = json!({ "rules": licences.rules.iter().map(rule).collect::<Vec<_>>() });
    if let Some(default) = licences.default {
        section["default"] = json!(default.word());
    }
    if licences.reclaim != Licence::Basic {
        section["reclaim"] = json!(licences.reclaim.word());
    }
    section
}

fn policy(random: &mut Random, accounts: &[Account], absences: Absences, mapped: bool) -> Value {
    let absence = |takes: bool| if takes { "suspend" } else { "keep" };
    let rule = |account: &Account| json!({ "account": account.id, "domains": [format!("{}.example", account.id)] });
    let rules: Vec<Value> = accounts.iter().filter(|_| mapped).map(rule).collect();
    let pin_reset = random.one_of(&["always", "security", "security", "never"]).copied().unwrap_or("never");
    json!({
        "accounts": rules,
        "pin_reset": pin_reset,
        "access": { "on_leave": absence(absences.leave), "on_inactive_login": absence(absences.login) },
    })
}

/// Over how long the messages of a story are spread.
fn window(random: &mut Random) -> i64 {
    [SECOND, 20 * SECOND, 10 * MINUTE, 50 * MINUTE][usize::try_from(random.below(4)).unwrap_or(0)]
}
