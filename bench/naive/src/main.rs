//! bench-naive: terminations as a plain function handles them, one record after the other.
//!
//! It is what somebody writes who has read the documentation of Lambda, SQS and idempotency: five calls a record, each
//! awaited, and a report of the records that failed. It builds on the same SDK, HTTP client and TLS as Rollcall's
//! functions, so that only the processing differs. It has no order of facts, no brake and no fence.

use aws_config::BehaviorVersion;
use aws_lambda_events::event::sqs::{BatchItemFailure, SqsBatchResponse, SqsEvent, SqsMessage};
use aws_sdk_chime::Client as Chime;
use aws_sdk_dynamodb::Client as DynamoDb;
use aws_sdk_dynamodb::types::AttributeValue;
use aws_smithy_http_client::tls::{Provider, rustls_provider::CryptoMode};
use lambda_runtime::{Error, LambdaEvent, run, service_fn};
use serde::Deserialize;

/// What EventBridge puts around an event, as far as this function reads it.
#[derive(Deserialize)]
struct Envelope {
    detail: Detail,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Detail {
    event_id: String,
    subject: Subject,
}

#[derive(Deserialize)]
struct Subject {
    email: String,
}

struct Clients {
    dynamo: DynamoDb,
    chime: Chime,
    table: String,
    account: String,
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    tracing_subscriber::fmt().json().with_max_level(tracing::Level::INFO).init();
    let http = aws_smithy_http_client::Builder::new().tls_provider(Provider::Rustls(CryptoMode::Ring)).build_https();
    let config = aws_config::defaults(BehaviorVersion::v2026_01_12()).http_client(http).load().await;
    let clients = Clients {
        dynamo: DynamoDb::new(&config),
        chime: Chime::new(&config),
        table: variable("NAIVE_TABLE")?,
        account: variable("NAIVE_ACCOUNT")?,
    };
    run(service_fn(|event| handle(&clients, event))).await
}

#[expect(clippy::disallowed_methods, reason = "this is all the shell that the function has")]
fn variable(name: &str) -> Result<String, Error> {
    std::env::var(name).map_err(|_| format!("the environment variable {name} is not set").into())
}

async fn handle(clients: &Clients, event: LambdaEvent<SqsEvent>) -> Result<SqsBatchResponse, Error> {
    let mut response = SqsBatchResponse::default();
    for record in event.payload.records {
        if let Err(error) = suspend(clients, &record).await {
            tracing::error!(message.id = record.message_id, error, "the message comes again");
            let mut failure = BatchItemFailure::default();
            failure.item_identifier = record.message_id.unwrap_or_default();
            response.batch_item_failures.push(failure);
        }
    }
    Ok(response)
}

async fn suspend(clients: &Clients, record: &SqsMessage) -> Result<(), Error> {
    let Envelope { detail } = serde_json::from_str(record.body.as_deref().unwrap_or_default())?;
    let key = AttributeValue::S(detail.event_id.clone());
    let table = &clients.table;

    let known = clients.dynamo.get_item().table_name(table).key("id", key.clone()).send().await?;
    if known.item.is_some_and(|item| item.get("status") == Some(&AttributeValue::S("COMPLETED".into()))) {
        tracing::info!(event.id = detail.event_id, "came before");
        return Ok(());
    }

    let found =
        clients.chime.list_users().account_id(&clients.account).user_email(&detail.subject.email).send().await?;
    let user = found.users.unwrap_or_default().into_iter().next().map(|user| user.user_id);
    let user = user.ok_or("there is no such user")?;

    let claim = clients.dynamo.put_item().table_name(table).item("id", key.clone());
    let claim = claim.item("status", AttributeValue::S("INPROGRESS".into()));
    let claim = claim.condition_expression("attribute_not_exists(id) OR #status = :claimed");
    let claim = claim.expression_attribute_names("#status", "status");
    claim.expression_attribute_values(":claimed", AttributeValue::S("INPROGRESS".into())).send().await?;

    let request = clients.chime.batch_suspend_user().account_id(&clients.account);
    let suspended = request.user_id_list(&user).send().await?;
    if suspended.user_errors.is_some_and(|errors| !errors.is_empty()) {
        return Err("the user was not suspended".into());
    }

    let settle = clients.dynamo.update_item().table_name(table).key("id", key);
    let settle = settle.update_expression("SET #status = :completed").expression_attribute_names("#status", "status");
    settle.expression_attribute_values(":completed", AttributeValue::S("COMPLETED".into())).send().await?;
    tracing::info!(event.id = detail.event_id, user.id = user, "suspended");
    Ok(())
}
