//! Faults on command: each is armed for an operation and strikes so many times, or by chance from a seed.

use super::random::Random;
use super::routes::{Operation, Routed};
use serde::{Deserialize, Serialize};

/// A fault to come. Those of one operation strike one after the other, in the order they were armed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Fault {
    /// The operation that it strikes.
    pub operation: Operation,
    /// What it does.
    pub kind: FaultKind,
    /// How many calls pass before it strikes.
    #[serde(default)]
    pub after: u32,
    /// How many calls it strikes.
    #[serde(default = "once")]
    pub times: u32,
}

/// A fault that strikes by chance, the same calls for the same seed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Chance {
    /// The operation that it strikes; absent: all.
    #[serde(default)]
    pub operation: Option<Operation>,
    /// What it does.
    pub kind: FaultKind,
    /// How many calls of a thousand it strikes.
    pub per_mille: u32,
    /// Where its numbers come from.
    pub seed: u64,
}

/// What a fault does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum FaultKind {
    /// 429 `ThrottledClientException`; nothing is done.
    Throttle,
    /// Each user of a batch gets an entry `Throttled` inside HTTP 200; nothing is done.
    ThrottleUsers,
    /// Every so many users of a batch get an entry, the others take effect. 1: all; 3: the third, sixth and so on.
    UserErrors {
        /// What the entries say.
        code: EntryCode,
        /// Every how many users.
        every: u32,
    },
    /// 500 `ServiceFailureException`; nothing is done.
    ServiceFailure,
    /// 503 `ServiceUnavailableException`; nothing is done.
    ServiceUnavailable,
    /// 400 `BadRequestException`; nothing is done.
    BadRequest,
    /// 401 `UnauthorizedClientException`; nothing is done.
    Unauthorized,
    /// 403 `ForbiddenException`; nothing is done.
    Forbidden,
    /// 404 `NotFoundException`; nothing is done.
    NotFound,
    /// 409 `ConflictException`; nothing is done.
    Conflict,
    /// 422 `UnprocessableEntityException`; nothing is done.
    Unprocessable,
    /// It takes effect, and the answer comes late.
    Slow {
        /// How late, in milliseconds.
        millis: u32,
    },
    /// The connection is cut before anything is done.
    CutBefore,
    /// It takes effect, and then the connection is cut.
    LostAnswer,
    /// A later page of a listing answers 500. First pages pass and do not count.
    PageFails,
    /// A later page comes as if so many of those before it had gone: as many are skipped.
    ListShrinks {
        /// How many.
        by: u32,
    },
    /// A later page comes as if the listing had been turned round: some come twice, others never.
    ListReorders,
    /// The token of a later page has expired: 400.
    TokenExpired,
    /// The token of a later page is taken for a forged one: 400.
    TokenForged,
}

/// What an entry of `UserErrors` says: the ten words that clients have known since 2018.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum EntryCode {
    /// As its name says.
    Unauthorized,
    /// As its name says.
    Forbidden,
    /// As its name says.
    NotFound,
    /// As its name says.
    BadRequest,
    /// As its name says.
    Conflict,
    /// As its name says.
    ServiceFailure,
    /// As its name says.
    ServiceUnavailable,
    /// As its name says.
    Unprocessable,
    /// As its name says.
    Throttled,
    /// As its name says.
    PreconditionFailed,
}

impl FaultKind {
    /// It makes sense for this operation.
    #[must_use]
    pub fn fits(self, operation: Operation) -> bool {
        match self {
            FaultKind::ThrottleUsers | FaultKind::UserErrors { .. } => operation.has_entries(),
            FaultKind::PageFails
            | FaultKind::ListShrinks { .. }
            | FaultKind::ListReorders
            | FaultKind::TokenExpired
            | FaultKind::TokenForged => operation.has_pages(),
            FaultKind::Throttle
            | FaultKind::ServiceFailure
            | FaultKind::ServiceUnavailable
            | FaultKind::BadRequest
            | FaultKind::Unauthorized
            | FaultKind::Forbidden
            | FaultKind::NotFound
            | FaultKind::Conflict
            | FaultKind::Unprocessable
            | FaultKind::Slow { .. }
            | FaultKind::CutBefore
            | FaultKind::LostAnswer => true,
        }
    }

    /// It strikes later pages only.
    fn waits_for_a_page(self) -> bool {
        self.fits(Operation::ListUsers) && !self.fits(Operation::GetUser)
    }

    fn meets(self, routed: &Routed) -> bool {
        self.fits(routed.operation) && (routed.has_token() || !self.waits_for_a_page())
    }
}

fn once() -> u32 {
    1
}

/// The faults that are armed, in the order they were.
#[derive(Clone, Debug, Default)]
pub struct Faults {
    armed: Vec<Fault>,
    chances: Vec<(Chance, Random)>,
}

impl Faults {
    /// Arms a fault.
    pub fn arm(&mut self, fault: Fault) {
        self.armed.push(fault);
    }

    /// Arms a fault that strikes by chance.
    pub fn arm_chance(&mut self, chance: Chance) {
        let random = Random::new(chance.seed);
        self.chances.push((chance, random));
    }

    /// Disarms all.
    pub fn disarm(&mut self) {
        *self = Faults::default();
    }

    /// The fault that strikes this call, if one does. Counts the call.
    pub fn strike(&mut self, routed: &Routed) -> Option<FaultKind> {
        self.strike_in_sequence(routed).or_else(|| self.strike_by_chance(routed))
    }

    fn strike_in_sequence(&mut self, routed: &Routed) -> Option<FaultKind> {
        let meets = |fault: &&mut Fault| fault.operation == routed.operation && fault.kind.meets(routed);
        let fault = self.armed.iter_mut().find(meets)?;
        if fault.after > 0 {
            fault.after -= 1;
            return None;
        }
        fault.times = fault.times.saturating_sub(1);
        let kind = fault.kind;
        self.armed.retain(|fault| fault.times > 0);
        Some(kind)
    }

    /// Every chance that meets the call draws its number, so that one never changes when another strikes.
    fn strike_by_chance(&mut self, routed: &Routed) -> Option<FaultKind> {
        let meets = |chance: &Chance| {
            chance.operation.is_none_or(|operation| operation == routed.operation) && chance.kind.meets(routed)
        };
        let mut struck = None;
        for (chance, random) in self.chances.iter_mut().filter(|(chance, _)| meets(chance)) {
            if random.chance(chance.per_mille) {
                struck = struck.or(Some(chance.kind));
            }
        }
        struck
    }

    /// The faults that did not strike yet.
    #[must_use]
    pub fn armed(&self) -> &[Fault] {
        &self.armed
    }

    /// The faults that strike by chance.
    pub fn chances(&self) -> impl Iterator<Item = &Chance> {
        self.chances.iter().map(|(chance, _)| chance)
    }
}
