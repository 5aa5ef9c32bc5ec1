//! Calls reaching their services, and answers coming back.

use super::Schedule;
use crate::bounds::MS;
use crate::call::{Call, Reply, Request};
use crate::dynamo::Refused;
use crate::fate::{Answer, Fate, Service, leave_keys};
use crate::faults::Fault;
use crate::functions::{self, Function};
use crate::mailbox::Dead;
use crate::timeline::{Happening, lock};
use crate::worker::{micros, millis};
use serde_json::Value;

impl Schedule<'_> {
    /// A call reaches its service, and is answered, unless a fault says otherwise.
    pub(super) fn reach(&mut self, id: u64) {
        let Some((call, fate, _)) = self.calls.remove(&id) else { return };
        let reply = match &fate.service {
            Service::Nothing => None,
            Service::Answers(reply) => Some(reply.clone()),
            Service::Then(reply) => {
                let _done = self.serve(&call, &fate);
                Some(reply.clone())
            }
            Service::Works | Service::Under(_) | Service::ParksInSilence(_) | Service::LeavesKeys => {
                Some(self.serve(&call, &fate))
            }
        };
        self.note(|_| told(&call, &fate, reply.as_ref()));
        let reply = match (fate.answer, reply) {
            (Answer::Never, _) => return,
            (Answer::Breaks, _) | (Answer::Comes, None) => Reply::Broken,
            (Answer::Comes, Some(reply)) => reply,
        };
        self.timeline.after(fate.back, Happening::Answer(id));
        self.calls.insert(id, (call, fate, Some(reply)));
    }

    /// An answer comes back.
    pub(super) fn answer(&mut self, id: u64) {
        let Some((call, _, Some(reply))) = self.calls.remove(&id) else { return };
        let waker = lock(&call.slot).put(reply);
        if let Some(waker) = waker {
            waker.wake();
        }
    }

    fn serve(&mut self, call: &Call, fate: &Fate) -> Reply {
        match &call.request {
            Request::Ledger { operation, body } => self.ledger_serves(call, fate, operation, body),
            Request::Directory { request, .. } => self.directory_serves(call, fate, request),
            Request::Park(messages) => {
                let silent = if let Service::ParksInSilence(taken) = fate.service { Some(taken) } else { None };
                if silent != Some(false) {
                    for message in messages {
                        let code = Some(message.refusal.code.as_str());
                        let Some(function) = self.workers.get(call.worker).map(|slot| slot.function) else { continue };
                        let (body, parked_as) = (message.body.clone(), Some(message.parked_as.clone()));
                        let dead = Dead { function, body, code, parked_as };
                        self.watch.parked(&message.parked_as);
                        self.queue.dead.push(dead);
                    }
                }
                Reply::Parked(vec![silent.is_none(); messages.len()])
            }
            Request::Delay(delays) => {
                let now = self.timeline.now();
                for (receipt, wait) in delays {
                    if let Some((function, at)) = self.queue.delay(receipt, now, micros(*wait)) {
                        self.timeline.after(at - now, Happening::Poll(function));
                    }
                }
                Reply::Delayed
            }
            Request::Release { event, body, token } => {
                let telling = self.story.tellings.iter().position(|telling| &telling.key == event);
                let now = self.timeline.now();
                if let Some(function) = Function::of_key(event) {
                    self.queue.release(function, telling.unwrap_or(usize::MAX), body.clone(), token.clone(), now);
                    self.timeline.after(10 * MS, Happening::Poll(function));
                }
                Reply::Delayed
            }
        }
    }

    fn ledger_serves(&mut self, call: &Call, fate: &Fate, operation: &str, body: &[u8]) -> Reply {
        let now = self.timeline.now();
        let left = matches!(fate.service, Service::LeavesKeys).then(|| leave_keys(body)).flatten();
        if left.is_none() && matches!(fate.service, Service::LeavesKeys) {
            self.faults.missed(Fault::Unprocessed);
        }
        let asked = left.as_ref().map_or(body, |(asked, _)| asked.as_slice());
        match self.ledger.answer(operation, asked, millis(now)) {
            Ok((mut answer, changes)) => {
                if let Some((_, unprocessed)) = left {
                    answer["UnprocessedKeys"] = unprocessed;
                }
                self.watch.wrote(now, call.task, &changes, &self.directory);
                Reply::Http { status: 200, error_type: None, body: answer.to_string() }
            }
            Err(refused) => {
                if let Refused::Unsupported(what) | Refused::Validation(what) = &refused {
                    self.watch.unserved(operation, what);
                }
                Reply::Http { status: 400, error_type: None, body: refused.body().to_string() }
            }
        }
    }
}

/// A call that reached its service, for people.
fn told(call: &Call, fate: &Fate, reply: Option<&Reply>) -> String {
    let what = match &call.request {
        Request::Ledger { operation, body } => format!("{operation}{}", keys(body)),
        Request::Directory { request, attempt } => {
            let again = if *attempt > 1 { format!(" (attempt {attempt})") } else { String::new() };
            let query = if request.query.is_empty() { String::new() } else { format!("?{}", request.query) };
            format!("{} {}{query} {}{again}", request.method, request.path, String::from_utf8_lossy(&request.body))
        }
        Request::Release { event, .. } => format!("release of {event}"),
        Request::Park(messages) => format!("park {} messages", messages.len()),
        Request::Delay(delays) => {
            let all = delays.iter().map(|(receipt, wait)| format!("m{receipt} {} ms", wait.as_millis()));
            format!("delay {}", all.collect::<Vec<_>>().join(", "))
        }
    };
    let answer = match reply {
        Some(Reply::Http { status: 200..300, .. } | Reply::Delayed) => "ok".to_owned(),
        Some(Reply::Http { status, body, .. }) => format!("{status} {body}"),
        Some(Reply::Parked(there)) => format!("{there:?}"),
        Some(Reply::Broken) | None => "nothing".to_owned(),
    };
    let faults: Vec<&str> = fate.struck.iter().map(|fault| fault.word()).collect();
    let faults = if faults.is_empty() { String::new() } else { format!("  [{}]", faults.join(", ")) };
    let took = (fate.out + MS / 2) / MS;
    format!("invocation {} {what}: {answer}{faults}, sent {took} ms before", call.task)
}

/// The keys that a request names.
fn keys(body: &[u8]) -> String {
    let body: Value = serde_json::from_slice(body).unwrap_or_default();
    let mut keys = Vec::new();
    collect(&body, &mut keys);
    keys.iter().map(|key| format!(" {key}")).collect()
}

fn collect(value: &Value, keys: &mut Vec<String>) {
    match value {
        Value::Object(members) => {
            for (name, member) in members {
                match member["S"].as_str().filter(|_| name == "id") {
                    Some(id) => keys.push(short(id)),
                    None => collect(member, keys),
                }
            }
        }
        Value::Array(list) => list.iter().for_each(|member| collect(member, keys)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

/// A key without most of its hash.
fn short(key: &str) -> String {
    functions::short(key).chars().take(20).collect()
}
