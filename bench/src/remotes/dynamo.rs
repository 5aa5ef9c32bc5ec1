//! An embedded DynamoDB, and a proxy before it that counts calls and request units, and slows answers down.
//!
//! Units are what the embedded DynamoDB says that each request consumed, by AWS's rules: the proxy asks for them in every
//! request and takes them out of every answer, so that the function under test sees neither. A transaction is charged
//! twice for the table and once for its indexes (the crate's authors read that off AWS's own answers).

use super::{Counts, Delays};
use crate::{clock, tables};
use anyhow::{Context, Result};
use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::http::{HeaderMap, Request, StatusCode, header};
use axum::response::Response;
use axum::routing::any;
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use rollcall_tables::{Definition, Served};
use serde_json::Value;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::net::TcpListener;

/// The largest answer that is read, in bytes. Source: DynamoDB quotas, 16 MB for a batch of reads.
const ANSWER_LIMIT: usize = 16 * 1024 * 1024;

struct Proxy {
    client: Client<HttpConnector, Body>,
    database: Served,
    counts: Mutex<Counts>,
    delays: Mutex<Delays>,
}

/// The service. It serves until its process ends.
pub(super) struct Dynamo {
    address: SocketAddr,
    proxy: Arc<Proxy>,
}

impl Dynamo {
    /// Serves both tables, empty, on a free port of 127.0.0.1.
    ///
    /// # Errors
    /// Where there is no free port, or a table cannot be made.
    pub(super) async fn start() -> Result<Dynamo> {
        let database = Served::start(&[Definition::ledger(tables::LEDGER)?, Definition::plain(tables::NAIVE)])?;
        let proxy = Arc::new(Proxy {
            client: Client::builder(TokioExecutor::new()).build_http(),
            database,
            counts: Mutex::default(),
            delays: Mutex::default(),
        });
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.context("no free port")?;
        let address = listener.local_addr()?;
        let router = Router::new().fallback(any(pass)).with_state(Arc::clone(&proxy));
        tokio::spawn(async move {
            let _ended = axum::serve(listener, router).await;
        });
        Ok(Dynamo { address, proxy })
    }

    /// Its endpoint, for `AWS_ENDPOINT_URL_DYNAMODB`.
    pub(super) fn endpoint(&self) -> String {
        format!("http://{}", self.address)
    }

    /// What was counted since this was last taken.
    pub(super) fn take_counts(&self) -> Counts {
        std::mem::take(&mut *lock(&self.proxy.counts))
    }

    /// From now on it takes at least so long.
    pub(super) fn delay(&self, delays: Delays) {
        *lock(&self.proxy.delays) = delays;
    }
}

impl Proxy {
    async fn ask(&self, target: &str, body: Bytes) -> Result<(StatusCode, Bytes)> {
        let request = Request::post(format!("{}/", self.database.endpoint()))
            .header(header::CONTENT_TYPE, "application/x-amz-json-1.0")
            .header("x-amz-target", target)
            // The embedded DynamoDB wants a signature, and checks none.
            .header(header::AUTHORIZATION, "AWS4-HMAC-SHA256 Credential=test/20261127/us-east-1/dynamodb/aws4_request, SignedHeaders=host;x-amz-date, Signature=0")
            .header("x-amz-date", "20261127T000000Z")
            .body(Body::from(body))?;
        let answer = self.client.request(request).await?;
        let status = answer.status();
        let body = axum::body::to_bytes(Body::new(answer.into_body()), ANSWER_LIMIT).await?;
        Ok((status, body))
    }
}

async fn pass(State(proxy): State<Arc<Proxy>>, headers: HeaderMap, body: Bytes) -> Result<Response, StatusCode> {
    let came = clock::moment();
    let target = headers.get("x-amz-target").and_then(|value| value.to_str().ok()).unwrap_or_default().to_owned();
    let operation = target.rsplit_once('.').map_or(target.as_str(), |(_, operation)| operation);
    let mut request: Value = serde_json::from_slice(&body).map_err(|_| StatusCode::BAD_REQUEST)?;
    request["ReturnConsumedCapacity"] = "INDEXES".into();
    let asked = proxy.ask(&target, request.to_string().into()).await;
    let (status, body) = asked.map_err(|_| StatusCode::BAD_GATEWAY)?;
    let mut answer: Value = serde_json::from_slice(&body).map_err(|_| StatusCode::BAD_GATEWAY)?;
    let consumed = answer.as_object_mut().and_then(|members| members.remove("ConsumedCapacity"));
    note(&mut lock(&proxy.counts), operation, status, consumed.as_ref());
    let delays = *lock(&proxy.delays);
    let least = if operation == "TransactWriteItems" { delays.transaction_ms } else { delays.dynamodb_ms };
    tokio::time::sleep(Duration::from_millis(least.into()).saturating_sub(came.elapsed())).await;
    Response::builder()
        .status(status)
        .header(header::CONTENT_TYPE, "application/x-amz-json-1.0")
        .header("x-amzn-requestid", uuid::Uuid::new_v4().to_string())
        .body(Body::from(answer.to_string()))
        .map_err(|_| StatusCode::INTERNAL_SERVER_ERROR)
}

/// Counts a call and what it consumed: an object, or for a call about several tables a list of them.
fn note(counts: &mut Counts, operation: &str, status: StatusCode, consumed: Option<&Value>) {
    counts.note("DynamoDB", operation, 1);
    counts.refused += u64::from(!status.is_success());
    let tables = consumed.map_or(&[][..], |consumed| match consumed {
        Value::Array(tables) => tables.as_slice(),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Object(_) => {
            std::slice::from_ref(consumed)
        }
    });
    let reads = ["GetItem", "BatchGetItem", "Query", "Scan", "TransactGetItems"].contains(&operation);
    for table in tables {
        let own = units(&table["Table"]);
        let indexes = table["GlobalSecondaryIndexes"].as_object();
        let of_indexes: f64 = indexes.into_iter().flat_map(|indexes| indexes.values()).map(units).sum();
        if reads {
            counts.reads += own + of_indexes;
        } else {
            counts.table_writes += own;
            counts.index_writes += of_indexes;
        }
    }
}

fn units(of: &Value) -> f64 {
    of["CapacityUnits"].as_f64().unwrap_or(0.0)
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn put(name: &str, size: usize) -> Value {
        json!({ "id": { "S": name }, "text": { "S": "x".repeat(size) } })
    }

    async fn send(dynamo: &Dynamo, operation: &str, body: Value) -> Value {
        let request = Request::post(dynamo.endpoint())
            .header("x-amz-target", format!("DynamoDB_20120810.{operation}"))
            .body(Body::from(body.to_string()))
            .unwrap();
        let answer = dynamo.proxy.client.request(request).await.unwrap();
        let body = axum::body::to_bytes(Body::new(answer.into_body()), ANSWER_LIMIT).await.unwrap();
        serde_json::from_slice(&body).unwrap()
    }

    /// The rules of the developer guide: a write unit a started KB, twice in a transaction; a read unit every started
    /// 4 KB, half where the read need not be consistent.
    #[tokio::test]
    async fn units_are_those_of_the_rules() {
        let dynamo = Dynamo::start().await.unwrap();
        let table = tables::NAIVE;
        let transaction = json!({ "TransactItems": [{ "Put": { "TableName": table, "Item": put("c", 100) } }, { "Put": { "TableName": table, "Item": put("d", 1100) } }] });
        let steps = [
            ("PutItem", json!({ "TableName": table, "Item": put("a", 100) }), 1.0, 0.0),
            ("PutItem", json!({ "TableName": table, "Item": put("b", 5000) }), 5.0, 0.0),
            ("TransactWriteItems", transaction, 2.0 + 4.0, 0.0),
            ("GetItem", json!({ "TableName": table, "Key": { "id": { "S": "b" } } }), 0.0, 1.0),
            ("GetItem", json!({ "TableName": table, "Key": { "id": { "S": "a" } }, "ConsistentRead": true }), 0.0, 1.0),
            ("GetItem", json!({ "TableName": table, "Key": { "id": { "S": "a" } } }), 0.0, 0.5),
        ];
        for (operation, body, writes, reads) in steps {
            let answer = send(&dynamo, operation, body).await;
            assert_eq!(answer.get("ConsumedCapacity"), None, "the function does not see them");
            let counts = dynamo.take_counts();
            assert_eq!(counts.calls, [(format!("DynamoDB.{operation}"), 1)].into());
            assert_eq!((counts.table_writes, counts.reads, counts.refused), (writes, reads, 0), "{operation}");
        }
    }

    /// An item that an index lists costs that index a unit more, in a transaction too.
    #[tokio::test]
    async fn indexes_are_counted_by_themselves() {
        let dynamo = Dynamo::start().await.unwrap();
        let item =
            json!({ "id": { "S": "e" }, "person": { "S": "p" }, "occurred_at": { "S": "2026-11-27T00:00:00Z" } });
        let put = json!({ "TransactItems": [{ "Put": { "TableName": tables::LEDGER, "Item": item } }] });
        send(&dynamo, "TransactWriteItems", put).await;
        let counts = dynamo.take_counts();
        assert_eq!((counts.table_writes, counts.index_writes), (2.0, 1.0));
    }

    #[tokio::test]
    async fn an_answer_comes_no_earlier_than_told() {
        let dynamo = Dynamo::start().await.unwrap();
        dynamo.delay(Delays { dynamodb_ms: 40, transaction_ms: 0, chime_ms: 0 });
        let began = clock::moment();
        send(&dynamo, "GetItem", json!({ "TableName": tables::NAIVE, "Key": { "id": { "S": "a" } } })).await;
        assert!(began.elapsed() >= Duration::from_millis(40));
    }

    #[tokio::test]
    async fn a_refused_call_is_counted_as_refused() {
        let dynamo = Dynamo::start().await.unwrap();
        send(&dynamo, "GetItem", json!({ "TableName": "nowhere", "Key": { "id": { "S": "a" } } })).await;
        assert_eq!(dynamo.take_counts().refused, 1);
    }
}
