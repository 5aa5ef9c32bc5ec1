//! A local Lambda Runtime API: hands a function its invocations, and takes its answers.
//!
//! Source: AWS Lambda Developer Guide, "Using the Lambda runtime API for custom runtimes" (version 2018-06-01). Of it
//! there are the paths that a runtime needs: next, response, and the two for errors.

use crate::clock;
use anyhow::{Context, Result, bail};
use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::{DefaultBodyLimit, Path, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use axum::routing::{get, post};
use jiff::SignedDuration;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::net::TcpListener;
use tokio::sync::{Mutex, mpsc};

/// The functions' timeout in `template.yaml`.
const TIMEOUT: SignedDuration = SignedDuration::from_secs(60);

/// How long anything of a function is waited for. A batch of a thousand takes longer than the timeout where each call of
/// a plain function is slowed down, so this is not the deadline.
const PATIENCE: Duration = Duration::from_secs(180);

/// The largest response of a function, in bytes. Source: Lambda quotas, 6 MB.
const RESPONSE_LIMIT: usize = 6 * 1024 * 1024;

/// What a function did, in its order.
#[derive(Debug)]
enum Told {
    /// It asks for work.
    Polled(Instant),
    /// It was given work.
    Handed(Instant),
    /// It answered.
    Answered(Instant, Bytes),
    /// It said that it failed, in these words.
    Failed(String),
}

struct Shared {
    told: mpsc::UnboundedSender<Told>,
    // One environment serves one invocation at a time, so the lock is never waited for.
    work: Mutex<mpsc::UnboundedReceiver<Bytes>>,
}

/// A Runtime API for one function.
#[derive(Debug)]
pub(crate) struct Runtime {
    address: SocketAddr,
    told: mpsc::UnboundedReceiver<Told>,
    work: mpsc::UnboundedSender<Bytes>,
    serving: tokio::task::JoinHandle<()>,
}

/// How an invocation went.
#[derive(Debug)]
pub(crate) struct Answered {
    /// From the event being sent to the answer being there.
    pub(crate) took: Duration,
    /// The answer.
    pub(crate) body: Bytes,
}

impl Runtime {
    /// Serves on a free port of 127.0.0.1.
    ///
    /// # Errors
    /// Where there is no free port.
    pub(crate) async fn start() -> Result<Runtime> {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.context("no free port")?;
        let address = listener.local_addr()?;
        let (tell, told) = mpsc::unbounded_channel();
        let (work, handed) = mpsc::unbounded_channel();
        let shared = Arc::new(Shared { told: tell, work: Mutex::new(handed) });
        let runtime = Router::new()
            .route("/invocation/next", get(next))
            .route("/invocation/{id}/response", post(response))
            .route("/invocation/{id}/error", post(error))
            .route("/init/error", post(error));
        let router = Router::new()
            .nest("/2018-06-01/runtime", runtime)
            .layer(DefaultBodyLimit::max(RESPONSE_LIMIT))
            .with_state(shared);
        let serving = tokio::spawn(async move {
            // It ends when the handle is dropped.
            let _ended = axum::serve(listener, router).await;
        });
        Ok(Runtime { address, told, work, serving })
    }

    /// Its address, for `AWS_LAMBDA_RUNTIME_API`.
    pub(crate) fn address(&self) -> String {
        self.address.to_string()
    }

    /// Waits until the function asks for work, and says when it did.
    ///
    /// # Errors
    /// Where it fails, or does not ask in time.
    pub(crate) async fn polled(&mut self) -> Result<Instant> {
        match self.next().await? {
            Told::Polled(at) => Ok(at),
            Told::Failed(words) => bail!("the function failed: {words}"),
            Told::Handed(_) | Told::Answered(..) => bail!("the function broke the order of the Runtime API"),
        }
    }

    /// Gives work to a function that has asked for it, and waits for its answer.
    ///
    /// # Errors
    /// Where it fails, or does not answer in time.
    pub(crate) async fn invoke(&mut self, event: Bytes) -> Result<Answered> {
        self.work.send(event).context("the Runtime API has ended")?;
        let mut handed = None;
        loop {
            match self.next().await? {
                Told::Handed(at) => handed = Some(at),
                Told::Answered(at, body) => {
                    let handed = handed.context("an answer to nothing")?;
                    return Ok(Answered { took: at.saturating_duration_since(handed), body });
                }
                Told::Failed(words) => bail!("the function failed: {words}"),
                Told::Polled(_) => bail!("the function broke the order of the Runtime API"),
            }
        }
    }

    async fn next(&mut self) -> Result<Told> {
        let told = tokio::time::timeout(PATIENCE, self.told.recv()).await;
        told.context("the function did nothing for 180 s")?.context("the Runtime API has ended")
    }
}

impl Drop for Runtime {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

async fn next(State(shared): State<Arc<Shared>>) -> Result<Response, StatusCode> {
    let _nobody_listens = shared.told.send(Told::Polled(clock::moment()));
    let event = shared.work.lock().await.recv().await.ok_or(StatusCode::GONE)?;
    let deadline = clock::now().saturating_add(TIMEOUT).map_err(|_| StatusCode::INTERNAL_SERVER_ERROR)?;
    let response = Response::builder()
        .header("content-type", "application/json")
        .header("lambda-runtime-aws-request-id", uuid::Uuid::new_v4().to_string())
        .header("lambda-runtime-deadline-ms", deadline.as_millisecond().to_string())
        .header("lambda-runtime-invoked-function-arn", "arn:aws:lambda:us-east-1:111122223333:function:bench")
        .header("lambda-runtime-trace-id", "Root=1-5bef4de7-ad49b0e87f6ef6c87fc2e700;Parent=9a9197af755a6419;Sampled=0")
        .body(Body::from(event));
    let _nobody_listens = shared.told.send(Told::Handed(clock::moment()));
    response.map_err(|_| StatusCode::INTERNAL_SERVER_ERROR)
}

async fn response(State(shared): State<Arc<Shared>>, Path(_id): Path<String>, body: Bytes) -> StatusCode {
    let _nobody_listens = shared.told.send(Told::Answered(clock::moment(), body));
    StatusCode::ACCEPTED
}

async fn error(State(shared): State<Arc<Shared>>, headers: HeaderMap, body: Bytes) -> StatusCode {
    let kind = headers.get("lambda-runtime-function-error-type").and_then(|value| value.to_str().ok());
    let words = format!("{} {}", kind.unwrap_or_default(), String::from_utf8_lossy(&body));
    let _nobody_listens = shared.told.send(Told::Failed(words));
    StatusCode::ACCEPTED
}
