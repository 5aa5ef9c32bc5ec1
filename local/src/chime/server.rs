//! The service on a port of 127.0.0.1. Test hooks live under `/_local/`, where no operation can be.

use super::core::Core;
use super::faults::Fault;
use super::http::{Reply, Request, Response};
use super::state::AccountState;
use anyhow::{Context, Result};
use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::http::{HeaderMap, Method, StatusCode, Uri, header};
use axum::response::Response as HttpResponse;
use axum::routing::{get, post};
use serde_json::{Value, json};
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::net::TcpListener;

/// The largest body that is read, in bytes.
const BODY_LIMIT: usize = 1024 * 1024;

/// A local Chime that serves until it is dropped.
#[derive(Debug)]
pub struct LocalChime {
    address: SocketAddr,
    core: Shared,
    serving: tokio::task::JoinHandle<()>,
}

type Shared = Arc<Mutex<Core>>;

impl LocalChime {
    /// Serves these accounts on a port of 127.0.0.1; port 0 takes a free one.
    ///
    /// # Errors
    /// Where the port cannot be bound.
    pub async fn start(accounts: Vec<AccountState>, port: u16) -> Result<LocalChime> {
        let listener =
            TcpListener::bind(("127.0.0.1", port)).await.with_context(|| format!("port {port} cannot be bound"))?;
        let address = listener.local_addr()?;
        let core: Shared = Arc::new(Mutex::new(Core::new(accounts)));
        let router = Router::new()
            .route("/_local/calls", get(calls).delete(forget_calls))
            .route("/_local/state", get(state))
            .route("/_local/faults", post(arm).get(armed))
            .fallback(serve)
            .layer(axum::extract::DefaultBodyLimit::max(BODY_LIMIT))
            .with_state(Arc::clone(&core));
        let serving = tokio::spawn(async move {
            // It ends when the handle is dropped.
            let _ended = axum::serve(listener, router).await;
        });
        Ok(LocalChime { address, core, serving })
    }

    /// Its endpoint, for `AWS_ENDPOINT_URL_CHIME`.
    #[must_use]
    pub fn endpoint(&self) -> String {
        format!("http://{}", self.address)
    }

    /// The service behind the port: state, calls and faults.
    pub fn core(&self) -> MutexGuard<'_, Core> {
        lock(&self.core)
    }
}

impl Drop for LocalChime {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

fn lock(core: &Shared) -> MutexGuard<'_, Core> {
    core.lock().unwrap_or_else(PoisonError::into_inner)
}

async fn serve(State(core): State<Shared>, method: Method, uri: Uri, headers: HeaderMap, body: Bytes) -> HttpResponse {
    let authorization = headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok()).map(str::to_owned);
    let request = Request {
        method: method.to_string(),
        path: uri.path().to_owned(),
        query: uri.query().unwrap_or_default().to_owned(),
        authorization,
        body: body.to_vec(),
    };
    let reply = lock(&core).answer(&request);
    match reply {
        Reply::Answer(response) => http(response),
        // Unwinding ends the connection's task, and so the connection, without a byte and without a panic's message.
        Reply::Cut => std::panic::resume_unwind(Box::new("the connection is cut on command")),
    }
}

fn http(response: Response) -> HttpResponse {
    let body = response.body.map(|body| Body::from(body.to_string())).unwrap_or_default();
    let mut http = HttpResponse::new(body);
    *http.status_mut() = StatusCode::from_u16(response.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let headers = http.headers_mut();
    headers.insert(header::CONTENT_TYPE, header::HeaderValue::from_static("application/json"));
    if let Ok(id) = header::HeaderValue::from_str(&uuid::Uuid::new_v4().to_string()) {
        headers.insert("x-amzn-requestid", id);
    }
    if let Some(name) = response.error_type {
        headers.insert("x-amzn-errortype", header::HeaderValue::from_static(name));
    }
    http
}

async fn calls(State(core): State<Shared>) -> axum::Json<Value> {
    axum::Json(json!({ "calls": lock(&core).calls() }))
}

async fn forget_calls(State(core): State<Shared>) -> StatusCode {
    lock(&core).forget_calls();
    StatusCode::NO_CONTENT
}

async fn state(State(core): State<Shared>) -> axum::Json<Value> {
    let core = lock(&core);
    let account = |state: &AccountState| {
        let mut value = json!(state.account);
        value["users"] = state
            .users()
            .map(|user| {
                let mut value = json!(user);
                value["Sessions"] = json!(user.sessions);
                value
            })
            .collect();
        value
    };
    axum::Json(json!({ "accounts": core.accounts().map(account).collect::<Vec<_>>() }))
}

async fn arm(State(core): State<Shared>, axum::Json(fault): axum::Json<Fault>) -> StatusCode {
    lock(&core).arm(fault);
    StatusCode::NO_CONTENT
}

async fn armed(State(core): State<Shared>) -> axum::Json<Value> {
    axum::Json(json!({ "armed": lock(&core).armed() }))
}
