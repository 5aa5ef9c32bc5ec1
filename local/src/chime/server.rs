//! The service on a port of 127.0.0.1. Test hooks live under `/_local/`, where no operation can be.

mod control;
mod view;

use super::core::Core;
use super::http::{ApiError, Reply, Request, Response};
use super::state::AccountState;
use anyhow::{Context, Result};
use axum::Router;
use axum::body::Body;
use axum::extract::{Request as HttpRequest, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{Html, Response as HttpResponse};
use axum::routing::get;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::net::TcpListener;

/// The largest body of an operation that is read, in bytes.
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
        LocalChime::serve(Core::new(accounts), port).await
    }

    /// Serves a service that is there already.
    ///
    /// # Errors
    /// Where the port cannot be bound.
    pub async fn serve(core: Core, port: u16) -> Result<LocalChime> {
        let listener =
            TcpListener::bind(("127.0.0.1", port)).await.with_context(|| format!("port {port} cannot be bound"))?;
        let address = listener.local_addr()?;
        let core: Shared = Arc::new(Mutex::new(core));
        drop(lock(&core));
        let router = Router::new()
            .route("/", get(async || Html(include_str!("page.html"))))
            .nest("/_local", control::router())
            .fallback(answer)
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

/// The service, told what time it is.
#[expect(clippy::disallowed_methods, reason = "the shell tells the service what time it is")]
fn lock(core: &Shared) -> MutexGuard<'_, Core> {
    let mut core = core.lock().unwrap_or_else(PoisonError::into_inner);
    core.clock_mut().tick(jiff::Timestamp::now().into());
    core
}

async fn answer(State(core): State<Shared>, request: HttpRequest) -> HttpResponse {
    let (parts, body) = request.into_parts();
    let Ok(body) = axum::body::to_bytes(body, BODY_LIMIT).await else {
        return http(ApiError::bad_request(format!("body: must have at most {BODY_LIMIT} bytes")).response());
    };
    let request = Request {
        method: parts.method.to_string(),
        path: parts.uri.path().to_owned(),
        query: parts.uri.query().unwrap_or_default().to_owned(),
        authorization: text(&parts.headers, header::AUTHORIZATION),
        has_length: [header::CONTENT_LENGTH, header::TRANSFER_ENCODING]
            .iter()
            .any(|name| parts.headers.contains_key(name)),
        body: body.to_vec(),
    };
    let id = uuid::Uuid::new_v4().to_string();
    let reply = lock(&core).answer_as(&request, &id);
    let named = |response| {
        let mut http = http(response);
        if let Ok(id) = HeaderValue::from_str(&id) {
            http.headers_mut().insert("x-amzn-requestid", id);
        }
        http
    };
    match reply {
        Reply::Answer(response) => named(response),
        Reply::Late(wait, response) => {
            tokio::time::sleep(wait).await;
            named(response)
        }
        // Unwinding ends the connection's task, and so the connection, without a byte and without a panic's message.
        Reply::Cut => std::panic::resume_unwind(Box::new("the connection is cut on command")),
    }
}

/// A header's value; one that is no text counts as there and empty.
fn text(headers: &HeaderMap, name: header::HeaderName) -> Option<String> {
    headers.get(name).map(|value| value.to_str().unwrap_or_default().to_owned())
}

fn http(response: Response) -> HttpResponse {
    let body = response.body.map(|body| Body::from(body.to_string())).unwrap_or_default();
    let mut http = HttpResponse::new(body);
    *http.status_mut() = StatusCode::from_u16(response.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let headers = http.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    if let Some(name) = response.error_type {
        headers.insert("x-amzn-errortype", HeaderValue::from_static(name));
    }
    http
}
