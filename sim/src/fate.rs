//! What befalls a call: drawn when it is sent.

use crate::bounds::{MS, SECOND};
use crate::call::{Reply, Request};
use crate::faults::{Fault, Faults};
use rollcall_local::chime::choices::Choices;
use rollcall_local::chime::faults::{EntryCode, FaultKind};
use rollcall_local::chime::http::Request as ChimeRequest;
use rollcall_local::chime::random::Random;
use rollcall_local::chime::routes::{Operation, route};
use serde_json::{Value, json};

/// What befalls one call.
#[derive(Clone, Debug)]
pub(crate) struct Fate {
    /// How long it is on its way to its service.
    pub(crate) out: i64,
    /// How long the answer is on its way back.
    pub(crate) back: i64,
    /// What the service does.
    pub(crate) service: Service,
    /// What comes back.
    pub(crate) answer: Answer,
    /// The faults that struck.
    pub(crate) struck: Vec<Fault>,
}

/// What the service does with a request.
#[derive(Clone, Debug)]
pub(crate) enum Service {
    /// What was asked.
    Works,
    /// What was asked, under a fault of its own.
    Under(FaultKind),
    /// What was asked, and then it answers this.
    Then(Reply),
    /// Nothing, and it answers this.
    Answers(Reply),
    /// Nothing: the request never came.
    Nothing,
    /// It takes some messages and does not say so, or takes none.
    ParksInSilence(bool),
    /// It leaves some keys of a batch unprocessed: those at odd, or at all positions but the first.
    LeavesKeys,
}

/// What comes back of an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Answer {
    /// The answer.
    Comes,
    /// The connection breaks.
    Breaks,
    /// Nothing, ever.
    Never,
}

impl Fate {
    /// Draws what befalls a request. `latency` is the longest way where nothing goes wrong.
    pub(crate) fn draw(request: &Request, latency: i64, now: i64, faults: &mut Faults, random: &mut Random) -> Fate {
        let mut way = || MS + i64::try_from(random.below(u64::try_from(latency).unwrap_or(1))).unwrap_or(0);
        let (out, back) = (way(), way());
        let mut fate = Fate { out, back, service: Service::Works, answer: Answer::Comes, struck: Vec::new() };
        if fate.strikes(faults, Fault::Slow, now) {
            fate.back += faults.below(Fault::Slow, 3 * SECOND);
        }
        match request {
            Request::Ledger { operation, .. } => fate.ledger(operation, now, faults),
            Request::Directory { request, .. } => fate.directory(operation(request), now, faults),
            Request::Park(_) => {
                if fate.strikes(faults, Fault::ParkFails, now) {
                    fate.service = Service::ParksInSilence(faults.below(Fault::ParkFails, 2) == 0);
                }
            }
            Request::Delay(_) | Request::Release { .. } => {}
        }
        if !matches!(request, Request::Park(_)) {
            fate.connection(now, faults);
        }
        if matches!(request, Request::Directory { request, .. } if operation(request) == Some(Operation::InviteUsers))
            && fate.strikes(faults, Fault::LateInvitation, now)
        {
            fate.out = faults.late_invitation();
            (fate.service, fate.answer) = (Service::Works, Answer::Never);
        }
        fate
    }

    fn strikes(&mut self, faults: &mut Faults, kind: Fault, now: i64) -> bool {
        let strikes = faults.strikes(kind, now);
        if strikes {
            self.struck.push(kind);
        }
        strikes
    }

    fn connection(&mut self, now: i64, faults: &mut Faults) {
        if self.strikes(faults, Fault::LostBefore, now) {
            (self.service, self.answer) = (Service::Nothing, Answer::Breaks);
        } else if self.strikes(faults, Fault::LostAfter, now) {
            self.answer = if faults.below(Fault::LostAfter, 2) == 0 { Answer::Breaks } else { Answer::Never };
        } else if self.strikes(faults, Fault::LateEffect, now) {
            self.out = faults.late();
            self.answer = Answer::Never;
        } else if self.strikes(faults, Fault::Hang, now) {
            (self.service, self.answer) = (Service::Nothing, Answer::Never);
        }
    }

    fn ledger(&mut self, operation: &str, now: i64, faults: &mut Faults) {
        if self.strikes(faults, Fault::LedgerThrottled, now) {
            let names = ["ProvisionedThroughputExceededException", "ThrottlingException"];
            let name = names[usize::from(faults.below(Fault::LedgerThrottled, 2) == 0)];
            self.service = Service::Answers(ledger_error(400, name, &[]));
        } else if self.strikes(faults, Fault::LedgerFails, now) {
            let reply = ledger_error(500, "InternalServerError", &[]);
            let done = faults.below(Fault::LedgerFails, 2) == 0;
            self.service = if done { Service::Then(reply) } else { Service::Answers(reply) };
        } else if operation == "TransactWriteItems" && self.strikes(faults, Fault::Conflict, now) {
            let codes = ["TransactionConflict", "None"];
            self.service = Service::Answers(ledger_error(400, "TransactionCanceledException", &codes));
        } else if operation == "BatchGetItem" && self.strikes(faults, Fault::Unprocessed, now) {
            self.service = Service::LeavesKeys;
        }
    }

    fn directory(&mut self, operation: Option<Operation>, now: i64, faults: &mut Faults) {
        let batch = operation.is_some_and(Operation::has_entries);
        let error = |status, name, code: &str| Reply::Http {
            status,
            error_type: Some(name),
            body: json!({ "Code": code, "Message": "a fault" }).to_string(),
        };
        if self.strikes(faults, Fault::Throttled, now) {
            self.service = Service::Answers(error(429, "ThrottledClientException", "Throttled"));
        } else if self.strikes(faults, Fault::ServiceFails, now) {
            let reply = match faults.below(Fault::ServiceFails, 4) {
                0 | 1 => error(500, "ServiceFailureException", "ServiceFailure"),
                _ => error(503, "ServiceUnavailableException", "ServiceUnavailable"),
            };
            let done = faults.below(Fault::ServiceFails, 2) == 0;
            self.service = if done { Service::Then(reply) } else { Service::Answers(reply) };
        } else if self.strikes(faults, Fault::Refused, now) {
            self.service = if batch && faults.below(Fault::Refused, 2) == 0 {
                Service::Under(FaultKind::UserErrors { code: EntryCode::Forbidden, every: 1 })
            } else {
                Service::Answers(error(403, "ForbiddenException", "Forbidden"))
            };
        } else if batch && self.strikes(faults, Fault::UserErrors, now) {
            let codes = [EntryCode::Throttled, EntryCode::ServiceFailure, EntryCode::ServiceUnavailable];
            let every = u32::try_from(1 + faults.below(Fault::UserErrors, 3)).unwrap_or(1);
            let code = codes[usize::try_from(faults.below(Fault::UserErrors, 3)).unwrap_or(0)];
            self.service = Service::Under(match faults.below(Fault::UserErrors, 4) {
                0 => FaultKind::ThrottleUsers,
                _ => FaultKind::UserErrors { code, every },
            });
        }
    }
}

fn operation(request: &ChimeRequest) -> Option<Operation> {
    route(request, &Choices::default()).ok().map(|routed| routed.operation)
}

fn ledger_error(status: u16, name: &str, codes: &[&str]) -> Reply {
    let mut body = json!({ "__type": format!("com.amazonaws.dynamodb.v20120810#{name}"), "message": "a fault" });
    if !codes.is_empty() {
        body["CancellationReasons"] = codes.iter().map(|code| json!({ "Code": code })).collect();
    }
    Reply::Http { status, error_type: None, body: body.to_string() }
}

/// Takes some keys out of a `BatchGetItem`, and puts them where the answer names what it left.
pub(crate) fn leave_keys(body: &[u8]) -> Option<(Vec<u8>, Value)> {
    let mut request: Value = serde_json::from_slice(body).ok()?;
    let table = request.get_mut("RequestItems")?.as_object_mut()?.values_mut().next()?;
    let keys = table.get_mut("Keys")?.as_array_mut()?;
    let mut position = 0;
    let mut left = Vec::new();
    keys.retain(|key| {
        position += 1;
        let stays = position % 2 == 1;
        if !stays {
            left.push(key.clone());
        }
        stays
    });
    if left.is_empty() {
        return None;
    }
    let mut unprocessed = request.get("RequestItems")?.clone();
    for table in unprocessed.as_object_mut()?.values_mut() {
        table["Keys"] = Value::Array(left.clone());
    }
    Some((serde_json::to_vec(&request).ok()?, unprocessed))
}
