//! Measuring a case: services, people made known, a fresh function, and so many invocations.

use crate::case::{Case, Kind};
use crate::clock;
use crate::company;
use crate::events::{self, Assertion};
use crate::function::{Function, Taken};
use crate::programs::{Program, Programs};
use crate::remotes::{Counts, Delays, Remotes};
use crate::spread::Spread;
use crate::tables;
use anyhow::{Context, Result, ensure};
use jiff::Timestamp;
use std::path::Path;

/// How many events a batch of the preparation has.
const PREPARED_AT_ONCE: usize = 480;

/// What was measured of a case.
#[derive(Clone, Debug)]
pub(crate) struct Measured {
    /// From the batch being sent to the answer being there, in milliseconds an invocation.
    pub(crate) wall_ms: Spread,
    /// Processor time in milliseconds an invocation.
    pub(crate) processor_ms: Spread,
    /// Peak memory when it stood ready, in bytes.
    pub(crate) ready_memory: u64,
    /// Peak memory after the last batch, in bytes.
    pub(crate) peak_memory: u64,
    /// What the measured invocations asked the services for, all together.
    pub(crate) counts: Counts,
}

/// Measures a case.
///
/// # Errors
/// Where something does not run, a message is not handled, a service refuses a call, or the calls are not those that are
/// promised.
pub(crate) async fn measure(case: Case, programs: &Programs, delays: Delays) -> Result<Measured> {
    let mut remotes = Remotes::start().await?;
    // One time for all of a case: a duplicate is the same to the letter.
    let now = clock::now();
    prepare(case, now, programs, &remotes).await?;
    let mut function = Function::start(&programs.path(case.program), &environment(&remotes)).await?;
    let ready_memory = function.init_memory;
    remotes.delay(delays).await?;
    let mut taken = Vec::new();
    for invocation in 0..case.invocations() {
        if invocation == case.warm_up {
            remotes.counts().await?;
        }
        let batch = batch(case, invocation, now)?;
        let one = function.invoke(batch).await?;
        if invocation >= case.warm_up {
            taken.push(one);
        }
    }
    let counts = remotes.counts().await?;
    let peak_memory = function.peak_memory()?;
    function.stop().await?;
    check(case, &counts)?;
    let spread = |of: fn(&Taken) -> f64| Spread::of(taken.iter().map(of).collect()).context("nothing was measured");
    Ok(Measured {
        wall_ms: spread(|taken| taken.wall.as_secs_f64() * 1e3)?,
        processor_ms: spread(|taken| taken.processor.as_secs_f64() * 1e3)?,
        ready_memory,
        peak_memory,
        counts,
    })
}

/// What a program took from its start to its first question for work: milliseconds of time and of processor time, and
/// bytes of memory.
#[derive(Clone, Debug)]
pub(crate) struct Started {
    pub(crate) init_ms: Spread,
    pub(crate) processor_ms: Spread,
    pub(crate) memory: Spread,
}

/// Starts a program so many times.
///
/// # Errors
/// Where it does not start.
pub(crate) async fn starts(program: &Path, times: usize) -> Result<Started> {
    let remotes = Remotes::start().await?;
    let environment = environment(&remotes);
    let mut samples: [Vec<f64>; 3] = Default::default();
    // The first one reads the program from the disk.
    Function::start(program, &environment).await?.stop().await?;
    for _ in 0..times {
        let function = Function::start(program, &environment).await?;
        let [init, processor, memory] = &mut samples;
        init.push(function.init.as_secs_f64() * 1e3);
        processor.push(function.init_processor.as_secs_f64() * 1e3);
        #[expect(clippy::cast_precision_loss, reason = "bytes of memory are far below 2^52")]
        memory.push(function.init_memory as f64);
        function.stop().await?;
    }
    let [init, processor, memory] = samples.map(Spread::of);
    let none = "nothing was measured";
    Ok(Started { init_ms: init.context(none)?, processor_ms: processor.context(none)?, memory: memory.context(none)? })
}

/// Makes known who must be known, and handles what must have been handled.
async fn prepare(case: Case, now: Timestamp, programs: &Programs, remotes: &Remotes) -> Result<()> {
    let (acquainting, before) = case.acquaintance();
    // The plain function remembers nobody, and the empty one nothing.
    if case.program.is_rollcalls() {
        deliver(case, now, (Kind::Known, before, acquainting), programs, remotes).await?;
    }
    if case.program != Program::BenchEmpty {
        deliver(case, now, (Kind::Duplicates, case.assertion(), case.program), programs, remotes).await?;
    }
    Ok(())
}

/// Lets a program handle an event about everybody in a case who is of a kind.
async fn deliver(
    case: Case,
    now: Timestamp,
    (kind, assertion, program): (Kind, Assertion, Program),
    programs: &Programs,
    remotes: &Remotes,
) -> Result<()> {
    let invocations = if case.kind == Kind::Duplicates { 1 } else { case.invocations() };
    let mut people = Vec::new();
    for invocation in 0..invocations {
        let of_kind = (0..case.batch).filter(|place| case.kind.of_place(*place) == kind);
        people.extend(of_kind.map(|place| case.person(invocation, place)));
    }
    if people.is_empty() {
        return Ok(());
    }
    let mut function = Function::start(&programs.path(program), &environment(remotes)).await?;
    for people in people.chunks(PREPARED_AT_ONCE) {
        let bodies = people.iter().map(|person| events::body(assertion, *person, now));
        function.invoke(events::batch(&bodies.collect::<Result<Vec<_>>>()?, now)).await?;
    }
    function.stop().await
}

fn batch(case: Case, invocation: usize, now: Timestamp) -> Result<axum::body::Bytes> {
    let body = |place| events::body(case.assertion(), case.person(invocation, place), now);
    Ok(events::batch(&(0..case.batch).map(body).collect::<Result<Vec<_>>>()?, now))
}

/// The environment of every program: each reads what it needs.
fn environment(remotes: &Remotes) -> Vec<(&'static str, String)> {
    let addresses = &remotes.addresses;
    vec![
        ("AWS_REGION", "us-east-1".into()),
        ("AWS_ACCESS_KEY_ID", "test".into()),
        ("AWS_SECRET_ACCESS_KEY", "test".into()),
        // As long as a role's token is: every request carries one.
        ("AWS_SESSION_TOKEN", "t".repeat(900)),
        ("AWS_ENDPOINT_URL_DYNAMODB", addresses.dynamodb.clone()),
        ("AWS_ENDPOINT_URL_CHIME", addresses.chime.clone()),
        ("AWS_ENDPOINT_URL_SQS", addresses.sqs.clone()),
        ("ROLLCALL_TABLE", tables::LEDGER.into()),
        ("ROLLCALL_QUEUE_URL", format!("{}/111122223333/queue", addresses.sqs)),
        ("ROLLCALL_DLQ_URL", format!("{}/111122223333/dlq", addresses.sqs)),
        ("ROLLCALL_PERSON_KEY", "a-person-key-of-the-benchmark-alone".into()),
        ("ROLLCALL_POLICY", company::policy().to_string()),
        ("NAIVE_TABLE", tables::NAIVE.into()),
        ("NAIVE_ACCOUNT", company::LWA.into()),
    ]
}

/// Time is measured and never judged; calls are counted, and must be what [`Case::promised`] says.
fn check(case: Case, counts: &Counts) -> Result<()> {
    ensure!(counts.refused == 0, "{} calls were refused", counts.refused);
    if let Some(mut promised) = case.promised() {
        promised.values_mut().for_each(|calls| *calls *= case.samples as u64);
        ensure!(
            counts.calls == promised,
            "{} {}, batch {}: over {} invocations {promised:?} calls are promised, and these were made: {:?}",
            case.program.name(),
            case.kind.word(),
            case.batch,
            case.samples,
            counts.calls
        );
    }
    Ok(())
}
