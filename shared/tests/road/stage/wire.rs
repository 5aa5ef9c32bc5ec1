//! Every remote call of every worker, in order, and the fault that strikes it.

use aws_smithy_runtime_api::client::http::{HttpConnector, HttpConnectorFuture, SharedHttpConnector};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_runtime_api::client::result::ConnectorError;
use aws_smithy_types::body::SdkBody;
use std::sync::{Arc, Mutex};
use tokio::sync::Notify;

/// What happens to a remote call, or to the worker that makes it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    /// The worker is stopped dead before the call reaches its service.
    StopBefore,
    /// The worker is stopped dead after the call took effect, before its answer comes back.
    StopAfter,
    /// The call waits before it reaches its service, until [`Wire::let_go`].
    Hold,
    /// The call takes effect, and its answer is lost.
    LoseAnswer,
    /// DynamoDB answers that another transaction is under way; nothing is done.
    Conflict,
    /// DynamoDB answers that there are too many requests; nothing is done.
    Throttle,
    /// DynamoDB answers that the first item of a batch is written and the others are not.
    WriteOne,
}

/// Which calls a fault strikes: those of one name or all, counted from 1 since the wire forgot.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Strike {
    fault: Fault,
    name: Option<&'static str>,
    first: usize,
    times: usize,
}

impl Strike {
    /// The `n`th call of all.
    pub(crate) fn at(fault: Fault, n: usize) -> Strike {
        Strike { fault, name: None, first: n, times: 1 }
    }

    /// The `n`th call of a name, and those that follow up to `times`.
    pub(crate) fn on(fault: Fault, name: &'static str, n: usize, times: usize) -> Strike {
        Strike { fault, name: Some(name), first: n, times }
    }

    fn strikes(&self, calls: &[String]) -> bool {
        let Some(last) = calls.last() else { return false };
        let same = |name: &String| self.name.is_none_or(|wanted| wanted == name);
        let count = calls.iter().filter(|name| same(name)).count();
        same(last) && (self.first..self.first + self.times).contains(&count)
    }
}

/// Every remote call of every worker, in order, and the strike that is set.
#[derive(Clone, Debug, Default)]
pub(crate) struct Wire(Arc<State>);

#[derive(Debug, Default)]
struct State {
    calls: Mutex<Vec<String>>,
    strike: Mutex<Option<Strike>>,
    struck: Notify,
    go: Notify,
}

impl Wire {
    /// Notes a call; answers the fault that strikes it, once that has let it through.
    pub(super) async fn pass(&self, name: &str) -> Option<Fault> {
        let fault = {
            let mut calls = self.0.calls.lock().unwrap();
            calls.push(name.to_owned());
            self.0.strike.lock().unwrap().filter(|strike| strike.strikes(&calls)).map(|strike| strike.fault)
        };
        match fault {
            Some(Fault::StopBefore) => self.die().await,
            Some(Fault::Hold) => {
                self.0.struck.notify_one();
                self.0.go.notified().await;
            }
            Some(Fault::StopAfter | Fault::LoseAnswer | Fault::Conflict | Fault::Throttle | Fault::WriteOne) | None => {
            }
        }
        fault
    }

    pub(super) async fn passed(&self, fault: Option<Fault>) {
        if fault == Some(Fault::StopAfter) {
            self.die().await;
        }
    }

    async fn die(&self) {
        self.0.struck.notify_one();
        std::future::pending::<()>().await;
    }

    /// Sets the strike; the calls count from here.
    pub(crate) fn set(&self, strike: Strike) {
        self.forget();
        *self.0.strike.lock().unwrap() = Some(strike);
    }

    /// Takes the strike away.
    pub(crate) fn clear(&self) {
        *self.0.strike.lock().unwrap() = None;
    }

    /// Waits until a worker was stopped or a call is held.
    pub(crate) async fn struck(&self) {
        self.0.struck.notified().await;
    }

    /// Lets the held call go on.
    pub(crate) fn let_go(&self) {
        self.0.go.notify_one();
    }

    pub(crate) fn calls(&self) -> Vec<String> {
        self.0.calls.lock().unwrap().clone()
    }

    pub(crate) fn forget(&self) {
        self.0.calls.lock().unwrap().clear();
    }
}

/// A connector that tells the wire of each request.
#[derive(Debug)]
pub(super) struct Watched {
    pub(super) inner: SharedHttpConnector,
    pub(super) wire: Wire,
}

impl HttpConnector for Watched {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let target =
            request.headers().get("x-amz-target").and_then(|target| target.split('.').nth(1)).map(str::to_owned);
        let name = target.unwrap_or_else(|| "chime".to_owned());
        let (inner, wire) = (self.inner.clone(), self.wire.clone());
        HttpConnectorFuture::new(async move {
            let fault = wire.pass(&name).await;
            if fault == Some(Fault::Conflict) {
                return Ok(conflict());
            }
            if fault == Some(Fault::Throttle) {
                return Ok(throttled());
            }
            if fault == Some(Fault::WriteOne) {
                return write_one(&inner, request).await;
            }
            let answer = inner.call(request).await;
            wire.passed(fault).await;
            if fault == Some(Fault::LoseAnswer) {
                return Err(ConnectorError::io("the answer was lost".into()));
            }
            answer
        })
    }
}

/// What DynamoDB answers while another transaction works on one of the items. Source: `CancellationReason` of its API.
fn conflict() -> HttpResponse {
    let body = serde_json::json!({
        "__type": "com.amazonaws.dynamodb.v20120810#TransactionCanceledException",
        "message": "Transaction cancelled, please refer cancellation reasons for specific reasons",
        "CancellationReasons": [{ "Code": "TransactionConflict" }, { "Code": "None" }],
    });
    HttpResponse::new(400.try_into().unwrap(), SdkBody::from(body.to_string()))
}

/// What DynamoDB answers where it wants fewer requests. Source: its API.
fn throttled() -> HttpResponse {
    let body = serde_json::json!({
        "__type": "com.amazonaws.dynamodb.v20120810#ProvisionedThroughputExceededException",
        "message": "The level of configured provisioned throughput for the table was exceeded.",
    });
    HttpResponse::new(400.try_into().unwrap(), SdkBody::from(body.to_string()))
}

/// Sends the first item of a `BatchWriteItem` on, and answers that the others are unprocessed.
async fn write_one(inner: &SharedHttpConnector, mut request: HttpRequest) -> Result<HttpResponse, ConnectorError> {
    let mut body: serde_json::Value = serde_json::from_slice(request.body().bytes().unwrap()).unwrap();
    let items = body["RequestItems"].as_object_mut().unwrap().values_mut().next().unwrap().as_array_mut().unwrap();
    let rest = items.split_off(1);
    let mut unprocessed = body["RequestItems"].clone();
    unprocessed.as_object_mut().unwrap().values_mut().for_each(|items| *items = rest.clone().into());
    let body = body.to_string();
    request.headers_mut().insert("content-length", body.len().to_string());
    *request.body_mut() = SdkBody::from(body);
    inner.call(request).await?;
    let answer = serde_json::json!({ "UnprocessedItems": unprocessed }).to_string();
    Ok(HttpResponse::new(200.try_into().unwrap(), SdkBody::from(answer)))
}
