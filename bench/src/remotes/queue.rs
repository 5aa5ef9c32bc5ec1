//! A queue that takes everything: what SQS answers to the operations of the functions.

use anyhow::{Context, Result};
use axum::Router;
use axum::extract::State;
use axum::http::HeaderMap;
use axum::routing::any;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};
use tokio::net::TcpListener;

type Calls = Arc<Mutex<BTreeMap<String, u64>>>;

/// The queue. It serves until its process ends.
#[derive(Debug)]
pub(super) struct Queue {
    address: SocketAddr,
    calls: Calls,
}

impl Queue {
    /// Serves on a free port of 127.0.0.1.
    ///
    /// # Errors
    /// Where there is no free port.
    pub(super) async fn start() -> Result<Queue> {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.context("no free port")?;
        let address = listener.local_addr()?;
        let calls = Calls::default();
        let router = Router::new().fallback(any(answer)).with_state(Arc::clone(&calls));
        tokio::spawn(async move {
            let _ended = axum::serve(listener, router).await;
        });
        Ok(Queue { address, calls })
    }

    /// Its endpoint, for `AWS_ENDPOINT_URL_SQS`.
    pub(super) fn endpoint(&self) -> String {
        format!("http://{}", self.address)
    }

    /// The calls since they were last taken, by operation.
    pub(super) fn take_calls(&self) -> BTreeMap<String, u64> {
        std::mem::take(&mut *self.calls.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// Every entry of a batch succeeded, and a single operation did.
async fn answer(State(calls): State<Calls>, headers: HeaderMap, body: axum::body::Bytes) -> axum::Json<Value> {
    let target = headers.get("x-amz-target").and_then(|value| value.to_str().ok()).unwrap_or_default();
    let operation = target.rsplit_once('.').map_or(target, |(_, operation)| operation).to_owned();
    *calls.lock().unwrap_or_else(PoisonError::into_inner).entry(operation).or_default() += 1;
    let request: Value = serde_json::from_slice(&body).unwrap_or_default();
    let entries = request["Entries"].as_array().map(Vec::as_slice).unwrap_or_default();
    let succeeded: Vec<Value> =
        entries.iter().map(|entry| json!({ "Id": entry["Id"], "MessageId": "m", "MD5OfMessageBody": "" })).collect();
    axum::Json(json!({ "Successful": succeeded, "Failed": [] }))
}
