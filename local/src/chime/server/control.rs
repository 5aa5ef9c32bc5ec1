//! The hooks under `/_local/`: what people do, the clock, calls and counters, faults, choices, snapshots.

use super::view::view;
use super::{Shared, lock};
use crate::chime::choices::{ALTERNATIVES, Choices};
use crate::chime::core::{Core, HookError};
use crate::chime::faults::{Chance, Fault};
use crate::chime::seed;
use crate::chime::state::{AccountState, Moment, User};
use axum::Router;
use axum::body::Bytes;
use axum::extract::{DefaultBodyLimit, Query, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

/// The largest snapshot that is taken, in bytes: a million users and more.
const SNAPSHOT_LIMIT: usize = 2 * 1024 * 1024 * 1024;

pub(super) fn router() -> Router<Shared> {
    Router::new()
        .route("/view", get(view))
        .route("/calls", get(calls).delete(forget_calls))
        .route("/counters", get(counters).delete(reset_counters))
        .route("/state", get(state))
        .route("/snapshot", get(snapshot).put(restore))
        .route("/clock", get(clock).put(set_clock))
        .route("/choices", get(choices).patch(choose))
        .route("/faults", get(armed).post(arm).delete(disarm))
        .route("/chances", post(arm_chance))
        .route("/accept", post(accept))
        .route("/bounce", post(bounce))
        .route("/register", post(register))
        .route("/sign-in", post(sign_in))
        .route("/domains", post(domains))
        .layer(DefaultBodyLimit::max(SNAPSHOT_LIMIT))
}

/// A body that is not what the hook needs.
struct Refused(StatusCode, String);

impl IntoResponse for Refused {
    fn into_response(self) -> Response {
        (self.0, axum::Json(json!({ "message": self.1 }))).into_response()
    }
}

impl From<HookError> for Refused {
    fn from(error: HookError) -> Refused {
        match error {
            HookError::NotFound => Refused(StatusCode::NOT_FOUND, "there is no such account or user".into()),
            HookError::NotNow(why) => Refused(StatusCode::CONFLICT, why.into()),
        }
    }
}

fn bad(message: impl Into<String>) -> Refused {
    Refused(StatusCode::BAD_REQUEST, message.into())
}

/// Reads a body without asking for a content type.
fn read<T: DeserializeOwned>(body: &Bytes) -> Result<T, Refused> {
    // serde's words name members and words, and can hold a value: only its category and place are told.
    serde_json::from_slice(body).map_err(|error| {
        bad(format!("the body is not what this hook takes (line {}, column {})", error.line(), error.column()))
    })
}

#[derive(Deserialize)]
struct Since {
    #[serde(default)]
    since: u64,
}

async fn calls(State(core): State<Shared>, Query(Since { since }): Query<Since>) -> axum::Json<Value> {
    let core = lock(&core);
    let calls: Vec<_> = core.calls().iter().filter(|call| call.number > since).collect();
    axum::Json(json!({ "calls": calls }))
}

async fn forget_calls(State(core): State<Shared>) -> StatusCode {
    lock(&core).forget_calls();
    StatusCode::NO_CONTENT
}

async fn counters(State(core): State<Shared>) -> axum::Json<Value> {
    axum::Json(json!({ "counters": lock(&core).log().counters() }))
}

async fn reset_counters(State(core): State<Shared>) -> axum::Json<Value> {
    axum::Json(json!({ "counters": lock(&core).log_mut().reset_counters() }))
}

async fn state(State(core): State<Shared>) -> axum::Json<Value> {
    let core = lock(&core);
    let account = |state: &AccountState| {
        let mut value = json!(state.account);
        let user = |user: &User| {
            let mut value = json!(user);
            value["Sessions"] = json!(user.sessions);
            value["Mails"] = json!(user.mails);
            value
        };
        value["users"] = state.users().map(user).collect();
        value
    };
    axum::Json(json!({ "accounts": core.accounts().map(account).collect::<Vec<_>>() }))
}

async fn snapshot(State(core): State<Shared>) -> Result<Response, Refused> {
    let written = seed::write(&lock(&core)).map_err(|_| bad("the state cannot be written"))?;
    Ok(([(header::CONTENT_TYPE, "application/json")], written).into_response())
}

async fn restore(State(core): State<Shared>, body: Bytes) -> Result<StatusCode, Refused> {
    let (accounts, global) = seed::read_all(&body).map_err(|_| bad("the body is no seed; nothing changed"))?;
    lock(&core).replace(accounts, global);
    Ok(StatusCode::NO_CONTENT)
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct SetClock {
    now: Moment,
    #[serde(default)]
    frozen: bool,
}

async fn clock(State(core): State<Shared>) -> axum::Json<Value> {
    let core = lock(&core);
    axum::Json(json!({ "now": core.clock().now(), "frozen": core.clock().is_frozen() }))
}

async fn set_clock(State(core): State<Shared>, body: Bytes) -> Result<StatusCode, Refused> {
    let SetClock { now, frozen } = read(&body)?;
    lock(&core).clock_mut().set(now, frozen);
    Ok(StatusCode::NO_CONTENT)
}

async fn choices(State(core): State<Shared>) -> axum::Json<Value> {
    let alternatives: serde_json::Map<String, Value> =
        ALTERNATIVES.iter().map(|(name, words)| ((*name).to_owned(), json!(words))).collect();
    axum::Json(json!({ "choices": lock(&core).choices(), "alternatives": alternatives }))
}

/// Takes some choices; all or, where one is wrong, none.
async fn choose(State(core): State<Shared>, body: Bytes) -> Result<StatusCode, Refused> {
    let wanted: serde_json::Map<String, Value> = read(&body)?;
    let mut core = lock(&core);
    let mut chosen: Choices = core.choices().clone();
    for (name, value) in wanted {
        let value = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        chosen.set(&name, &value).map_err(|error| bad(error.to_string()))?;
    }
    *core.choices_mut() = chosen;
    Ok(StatusCode::NO_CONTENT)
}

#[derive(Deserialize)]
#[serde(untagged)]
enum OneOrMore {
    One(Fault),
    More(Vec<Fault>),
}

async fn arm(State(core): State<Shared>, body: Bytes) -> Result<StatusCode, Refused> {
    let faults = match read(&body)? {
        OneOrMore::One(fault) => vec![fault],
        OneOrMore::More(faults) => faults,
    };
    if let Some(fault) = faults.iter().find(|fault| !fault.kind.fits(fault.operation)) {
        return Err(bad(format!("{:?} makes no sense for {:?}", fault.kind, fault.operation)));
    }
    let mut core = lock(&core);
    faults.into_iter().for_each(|fault| core.arm(fault));
    Ok(StatusCode::NO_CONTENT)
}

async fn arm_chance(State(core): State<Shared>, body: Bytes) -> Result<StatusCode, Refused> {
    let chance: Chance = read(&body)?;
    lock(&core).arm_chance(chance);
    Ok(StatusCode::NO_CONTENT)
}

async fn armed(State(core): State<Shared>) -> axum::Json<Value> {
    let core = lock(&core);
    axum::Json(json!({ "armed": core.armed(), "chances": core.chances().collect::<Vec<_>>() }))
}

async fn disarm(State(core): State<Shared>) -> StatusCode {
    lock(&core).disarm();
    StatusCode::NO_CONTENT
}

/// Who a hook is about: an account, and a user by id or address.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct About {
    account: String,
    #[serde(default)]
    user: Option<String>,
    #[serde(default)]
    email: Option<String>,
    #[serde(default)]
    display_name: Option<String>,
    #[serde(default)]
    domains: Vec<String>,
}

impl About {
    fn user(&self, core: &Core) -> Result<String, Refused> {
        match (&self.user, &self.email) {
            (Some(user), _) => Ok(user.clone()),
            (None, Some(email)) => Ok(core.user_id_of(&self.account, email).ok_or(HookError::NotFound)?),
            (None, None) => Err(bad("user or email is required")),
        }
    }
}

async fn accept(State(core): State<Shared>, body: Bytes) -> Result<axum::Json<Value>, Refused> {
    let about: About = read(&body)?;
    let mut core = lock(&core);
    let user = about.user(&core)?;
    core.accept(&about.account, &user, about.display_name)?;
    Ok(axum::Json(json!({ "user": user })))
}

async fn bounce(State(core): State<Shared>, body: Bytes) -> Result<axum::Json<Value>, Refused> {
    let about: About = read(&body)?;
    let mut core = lock(&core);
    let user = about.user(&core)?;
    core.bounce(&about.account, &user)?;
    Ok(axum::Json(json!({ "user": user })))
}

async fn register(State(core): State<Shared>, body: Bytes) -> Result<axum::Json<Value>, Refused> {
    let about: About = read(&body)?;
    let email = about.email.ok_or_else(|| bad("email is required"))?;
    let user = lock(&core).register(&about.account, &email, about.display_name)?;
    Ok(axum::Json(json!({ "user": user })))
}

async fn sign_in(State(core): State<Shared>, body: Bytes) -> Result<axum::Json<Value>, Refused> {
    let about: About = read(&body)?;
    let mut core = lock(&core);
    let user = about.user(&core)?;
    let sessions = core.sign_in(&about.account, &user)?;
    Ok(axum::Json(json!({ "user": user, "sessions": sessions })))
}

async fn domains(State(core): State<Shared>, body: Bytes) -> Result<StatusCode, Refused> {
    let about: About = read(&body)?;
    lock(&core).claim_domains(&about.account, about.domains)?;
    Ok(StatusCode::NO_CONTENT)
}
