//! Apply: the only code that changes the directory.
//!
//! The steps of all plans of a batch go in waves: each plan's next step, grouped by operation and account into as few
//! calls as the directory allows.

use crate::decide::Reason;
use crate::directory::{AccountId, Acted, Answer, Change, Deadline, Directory, Licence, Operation, UserId};
use crate::failure::{Cause, Refusal, RefusalCode};
use crate::host::Host;
use crate::person::WorkEmail;
use crate::plan::{BOUNCED, NOT_FOUND, Plan, Step, StepStatus};
use futures_util::StreamExt;
use std::collections::BTreeMap;

/// How many calls are under way at once. Chime's limits are unpublished: stay polite.
const CALLS_AT_ONCE: usize = 4;

/// How one plan ended in this attempt.
#[derive(Clone, Debug, PartialEq)]
pub enum Ending {
    /// The decisive step is confirmed.
    Done(Reason),
    /// Not now: the message comes again.
    Again(Cause),
    /// The user id did not hold: look the person up and decide again, in this attempt.
    LookAgain,
    /// The user was looked up, and is gone since.
    Gone,
    /// The directory refuses the decisive step.
    Refused(Refusal),
}

/// Carries the plans out, and writes into their steps what became of each. Answers in the order of the plans.
pub async fn apply<D: Directory, H: Host>(
    directory: &D,
    host: &H,
    plans: &mut [Plan],
    deadline: Deadline,
) -> Vec<Ending> {
    let mut progress: Vec<Progress> = plans.iter().map(Progress::new).collect();
    loop {
        // An auxiliary call, the decisive one and then the settle must fit.
        if !deadline.allows(host.now(), 3) {
            progress.iter_mut().zip(plans.iter_mut()).for_each(|(progress, plan)| progress.leave_out(plan));
        }
        let calls = wave(plans, &progress);
        if calls.is_empty() {
            break;
        }
        // One call and then the settle must fit.
        if !deadline.allows(host.now(), 2) {
            progress.iter_mut().for_each(Progress::out_of_time);
            break;
        }
        let answers: Vec<(Call, Acted)> = futures_util::stream::iter(calls)
            .map(|call| async move {
                let in_time = deadline.allows(host.now(), 2);
                let acted = if in_time { directory.act(&call.account, &call.change).await } else { Acted::default() };
                (call, acted)
            })
            .buffer_unordered(CALLS_AT_ONCE)
            .collect()
            .await;
        for (call, Acted { answers, sent }) in answers {
            if answers.is_empty() {
                call.plans.iter().for_each(|index| progress[*index].out_of_time());
            }
            let together = call.plans.len() > 1;
            for (index, answer) in call.plans.iter().zip(answers) {
                if let Some(step) = plans[*index].steps.get_mut(progress[*index].step) {
                    step.note(&sent);
                }
                progress[*index].record(&mut plans[*index], answer, together);
            }
        }
    }
    progress
        .into_iter()
        .zip(plans.iter())
        .map(|(progress, plan)| match progress.ending {
            Some(ending) => ending,
            None if progress.step >= plan.steps.len() => Ending::Done(plan.done),
            // A step that could not be made into a call was not sent.
            None => Ending::Again(Cause::Unanswered),
        })
        .collect()
}

/// One call of a wave, and the plans that it serves.
struct Call {
    account: AccountId,
    change: Change,
    plans: Vec<usize>,
}

/// How far one plan got.
struct Progress {
    step: usize,
    ending: Option<Ending>,
    /// An invitation was refused together with others: it goes by itself, since the fault may be another's.
    alone: bool,
}

impl Progress {
    fn new(plan: &Plan) -> Progress {
        let mut progress = Progress { step: 0, ending: None, alone: false };
        progress.skip_tried(plan);
        progress
    }

    /// A PIN that an earlier attempt reset is not reset again, and an auxiliary logout has one try. What the account does
    /// not offer is not asked for.
    fn skip_tried(&mut self, plan: &Plan) {
        let tried = |step: &Step| match step.operation {
            Operation::Logout => !step.decisive && step.status != StepStatus::Planned,
            Operation::SetLicence => step.status == StepStatus::Confirmed || step.is_unsupported(),
            Operation::Invite | Operation::Unsuspend | Operation::Suspend | Operation::Remove | Operation::ResetPin => {
                step.status == StepStatus::Confirmed
            }
        };
        while plan.steps.get(self.step).is_some_and(tried) {
            self.step += 1;
        }
    }

    /// Leaves an auxiliary step out, so that the decisive one still has its time.
    fn leave_out(&mut self, plan: &mut Plan) {
        let decisive_follows = plan.steps.iter().skip(self.step + 1).any(|step| step.decisive);
        while let Some(step) = plan.steps.get_mut(self.step).filter(|step| !step.decisive && decisive_follows) {
            step.status = StepStatus::Refused;
            step.code = Some("NoTime".to_owned());
            self.step += 1;
        }
    }

    fn out_of_time(&mut self) {
        self.ending.get_or_insert(Ending::Again(Cause::OutOfTime));
    }

    fn record(&mut self, plan: &mut Plan, answer: Answer, together: bool) {
        let resumes_removal = plan.resumes_removal();
        let decided = plan.steps.iter().any(|step| step.decisive && step.status == StepStatus::Confirmed);
        let Some(step) = plan.steps.get_mut(self.step) else {
            return;
        };
        let answer = if let Answer::Repeated(answer) = answer {
            (step.repeated, step.echoed) = (true, true);
            // Nothing was done this time; the time before, nobody knows.
            if *answer == Answer::Throttled { Answer::Unknown } else { *answer }
        } else {
            answer
        };
        match answer {
            Answer::Repeated(_) => step.status = StepStatus::Unknown,
            Answer::Confirmed => step.status = StepStatus::Confirmed,
            Answer::Bounced => {
                step.status = StepStatus::Refused;
                step.code = Some(BOUNCED.to_owned());
                self.ending = Some(Ending::LookAgain);
            }
            Answer::NotFound => {
                step.code = Some(NOT_FOUND.to_owned());
                let removal = step.operation == Operation::Remove && step.repeated;
                if removal || (!plan.fresh && !resumes_removal && !decided) {
                    step.status = if removal { StepStatus::Unknown } else { StepStatus::Refused };
                    self.ending = Some(Ending::LookAgain);
                } else {
                    step.status = StepStatus::Refused;
                    if step.decisive {
                        self.ending = Some(Ending::Gone);
                    }
                }
            }
            Answer::Refused(_) if together && step.operation == Operation::Invite => {
                // One address is enough for the whole request to be refused, and nobody was invited.
                self.alone = true;
                return;
            }
            Answer::Refused(code) => {
                step.status = StepStatus::Refused;
                step.code = Some(code.to_string());
                if step.decisive {
                    let message = format!("refused {} with {code}", step.operation.as_str());
                    self.ending =
                        Some(Ending::Refused(Refusal::new(RefusalCode::RefusedByDirectory, "directory", message)));
                }
            }
            Answer::Throttled => {
                if step.decisive {
                    self.ending = Some(Ending::Again(Cause::Throttled));
                } else {
                    step.status = StepStatus::Refused;
                    step.code = Some("Throttled".to_owned());
                }
            }
            Answer::Unknown => {
                step.status = StepStatus::Unknown;
                // A licence that may still be set would overtake a later one: it is sent again, until that is known.
                if step.decisive || step.operation == Operation::SetLicence {
                    self.ending = Some(Ending::Again(Cause::Unanswered));
                } else if step.operation == Operation::ResetPin && !step.repeated {
                    step.repeated = true;
                    return;
                }
            }
        }
        self.step += 1;
        self.skip_tried(plan);
    }
}

/// The next step of each plan that goes on, as calls.
fn wave(plans: &[Plan], progress: &[Progress]) -> Vec<Call> {
    let mut groups: BTreeMap<(Operation, &AccountId), Vec<usize>> = BTreeMap::new();
    for (index, (plan, progress)) in plans.iter().zip(progress).enumerate() {
        if let (None, Some(step)) = (&progress.ending, plan.steps.get(progress.step)) {
            groups.entry((step.operation, &plan.account.id)).or_default().push(index);
        }
    }
    let calls = groups.into_iter().flat_map(|((operation, account), members)| {
        let (alone, together): (Vec<usize>, Vec<usize>) = members.into_iter().partition(|index| progress[*index].alone);
        let chunks = together.chunks(operation.users_per_call()).chain(alone.chunks(1)).map(<[usize]>::to_vec);
        let chunks: Vec<Vec<usize>> = chunks.collect();
        chunks.into_iter().filter_map(move |chunk| {
            let change = change(operation, chunk.iter().map(|index| &plans[*index]))?;
            Some(Call { account: account.clone(), change, plans: chunk })
        })
    });
    calls.collect()
}

/// One call for these plans; `None` where one of them lacks whom it is about, which no decision makes.
fn change<'a>(operation: Operation, mut plans: impl Iterator<Item = &'a Plan>) -> Option<Change> {
    let user = |plan: &Plan| plan.user.clone();
    let licensed = |plan: &Plan| Some((plan.user.clone()?, plan.step(Operation::SetLicence)?.licence?));
    Some(match operation {
        Operation::Invite => {
            Change::Invite(plans.map(|plan| plan.address.clone()).collect::<Option<Vec<WorkEmail>>>()?)
        }
        Operation::Unsuspend => Change::Unsuspend(plans.map(user).collect::<Option<Vec<UserId>>>()?),
        Operation::SetLicence => Change::SetLicence(plans.map(licensed).collect::<Option<Vec<(UserId, Licence)>>>()?),
        Operation::Suspend => Change::Suspend(plans.map(user).collect::<Option<Vec<UserId>>>()?),
        Operation::Remove => Change::Remove(plans.map(user).collect::<Option<Vec<UserId>>>()?),
        Operation::Logout => Change::Logout(plans.next()?.user.clone()?),
        Operation::ResetPin => Change::ResetPin(plans.next()?.user.clone()?),
    })
}
