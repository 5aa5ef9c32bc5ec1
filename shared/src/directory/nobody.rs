//! No directory: for a function that has no business with one.

use super::{AccountId, AccountState, Acted, Answer, Change, Code, Deadline, Directory, Found, Sought};
use crate::failure::{Failure, Refusal, RefusalCode};

/// A directory that refuses everything.
#[derive(Clone, Copy, Debug)]
pub struct Nobody;

fn refused() -> Failure {
    let message = "is not for this function: it has no rights there";
    Failure::Permanent(Refusal::new(RefusalCode::RefusedByDirectory, "directory", message))
}

impl Directory for Nobody {
    async fn look_up(&self, sought: &[Sought], _deadline: Deadline) -> Vec<Result<Found, Failure>> {
        sought.iter().map(|_| Err(refused())).collect()
    }

    async fn account(&self, _account: &AccountId, _deadline: Deadline) -> Result<Option<AccountState>, Failure> {
        Err(refused())
    }

    async fn act(&self, _account: &AccountId, change: &Change) -> Acted {
        Acted { answers: vec![Answer::Refused(Code::new("NoDirectory")); change.len()], sent: Vec::new() }
    }
}
