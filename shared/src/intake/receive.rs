//! hr-receive: takes what sources send to the function's URL.
//!
//! A request that is let in is kept as a receipt, then told of on the intake queue, and only then answered with success:
//! Lambda freezes after its answer, and what was answered never comes again. Nothing of it is read here but who sent it.
//!
//! 1. [`request`]: what came, from the event of a function's URL.
//! 2. [`read`]: which source it is for, and whether there is anything to verify.
//! 3. [`serve`]: verifies it, keeps it and sends it on, in time for the strictest sender.
//! 4. [`outcome`]: what is answered, counted and logged.
//!
//! | status | when | does the sender try again? |
//! |---|---|---|
//! | 200, 202, 204 | it is kept and on the queue, or it is a handshake | no |
//! | 400, 401 | the token, signature or secret is refused | no |
//! | 403 | nobody can say who sends it, and the policy does not accept that | no |
//! | 404, 405 | no such source, or not this way | no |
//! | 413 | it is larger than [`LIMIT`] | no |
//! | 503 | anything of ours: no secret, no answer of a service, no time | yes |

pub mod keys;
pub mod outcome;
pub mod request;
pub mod serve;

pub use outcome::{NotTaken, Outcome, Response, Told, Unknown};
pub use request::Request;

use super::Source;
use super::handshake::handshake;
use super::verify::Scheme;
use outcome::Thanks;
use request::Body;
use std::fmt;

/// The largest body, in bytes.
pub const LIMIT: usize = 1024 * 1024;

/// The longest id of a user in an address, in bytes.
const USER: usize = 256;

/// A request whose sender is to be verified.
#[derive(Clone, Copy)]
pub struct Call<'r> {
    /// Whom it says to be from.
    pub source: Source,
    /// How that is verified.
    pub scheme: Scheme,
    /// SCIM alone: the user of the address.
    user: Option<&'r str>,
    /// The body.
    body: &'r [u8],
    thanks: Thanks,
}

/// It holds personal data.
impl fmt::Debug for Call<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Call").field("source", &self.source).finish_non_exhaustive()
    }
}

/// Says what there is to verify of a request.
///
/// # Errors
/// What the request is told at once, without any look-up.
pub fn read(request: &Request) -> Result<Call<'_>, Told> {
    let mut parts = request.path.iter().map(String::as_str);
    let named = parts.next().and_then(Source::named);
    // What comes on a bus has no address.
    let source = named.filter(|source| source.scheme() != Scheme::Bus);
    let source = source.ok_or(Told { source: None, outcome: Outcome::Unknown(Unknown::Source) })?;
    let told = |outcome| Told { source: Some(source), outcome };
    let rest: Vec<&str> = parts.collect();
    let (user, methods) = match (source, rest.as_slice()) {
        (Source::Scim, ["Users", id]) if (1..=USER).contains(&id.len()) => (Some(*id), Methods::Scim),
        (Source::Scim, _) | (_, [_, ..]) => return Err(told(Outcome::Unknown(Unknown::Source))),
        (_, []) => (None, Methods::Webhook),
    };
    let body: &[u8] = match &request.body {
        Body::Bytes(bytes) => bytes,
        Body::TooLarge => return Err(told(Outcome::TooLarge)),
        Body::Unreadable => return Err(told(Outcome::Unknown(Unknown::Body))),
    };
    if let Some(answer) = handshake(source, &request.method, &request.headers, body) {
        return Err(told(Outcome::Handshake(answer)));
    }
    let thanks = match (methods, request.method.as_str()) {
        (Methods::Webhook, "POST") if source == Source::Risc => Thanks::Accepted,
        (Methods::Webhook, "POST") | (Methods::Scim, "PUT") => Thanks::Object,
        (Methods::Scim, "PATCH") => Thanks::NoContent,
        (Methods::Webhook, _) => return Err(told(Outcome::Unknown(Unknown::Method { allowed: "POST" }))),
        (Methods::Scim, _) => return Err(told(Outcome::Unknown(Unknown::Method { allowed: "PATCH, PUT" }))),
    };
    Ok(Call { source, scheme: source.scheme(), user, body, thanks })
}

/// Which methods an address takes.
#[derive(Clone, Copy)]
enum Methods {
    Webhook,
    Scim,
}
