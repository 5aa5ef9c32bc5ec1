//! An in-memory DynamoDB, with a ledger and a roster table as `template.yaml` has them.

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::types::{
    AttributeDefinition, BillingMode, GlobalSecondaryIndex, KeySchemaElement, KeyType, Projection, ProjectionType,
    ScalarAttributeType,
};
use serde::Serialize;
use tokio::sync::oneshot;

pub(crate) const LEDGER: &str = "acme-ledger";
pub(crate) const ROSTER: &str = "acme-roster";

/// Serves an empty in-memory DynamoDB on a thread of its own, since it blocks.
pub(crate) fn serve() -> (String, oneshot::Sender<()>) {
    let listener = std::net::TcpListener::bind(("127.0.0.1", 0)).unwrap();
    listener.set_nonblocking(true).unwrap();
    let address = listener.local_addr().unwrap();
    let (stop, stopped) = oneshot::channel();
    std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async move {
            let listener = tokio::net::TcpListener::from_std(listener).unwrap();
            let database = dynoxide::Database::memory().unwrap();
            let shutdown = async move {
                let _dropped = stopped.await;
            };
            tokio::select! {
                () = shutdown => {}
                _ = dynoxide::server::serve_with_shutdown(listener, database, std::future::pending()) => {}
            }
        });
    });
    (format!("http://{address}"), stop)
}

async fn create_table(dynamo: &Client) {
    let attribute = |name: &str, kind: ScalarAttributeType| {
        AttributeDefinition::builder().attribute_name(name).attribute_type(kind).build().unwrap()
    };
    let string = |name: &str| attribute(name, ScalarAttributeType::S);
    let number = |name: &str| attribute(name, ScalarAttributeType::N);
    let key =
        |name: &str, kind: KeyType| KeySchemaElement::builder().attribute_name(name).key_type(kind).build().unwrap();
    let index = |name: &str, partition: &str, sort: &str| {
        GlobalSecondaryIndex::builder()
            .index_name(name)
            .key_schema(key(partition, KeyType::Hash))
            .key_schema(key(sort, KeyType::Range))
            .projection(Projection::builder().projection_type(ProjectionType::KeysOnly).build())
            .build()
            .unwrap()
    };
    dynamo
        .create_table()
        .table_name(LEDGER)
        .attribute_definitions(string("id"))
        .attribute_definitions(string("person"))
        .attribute_definitions(string("occurred_at"))
        .attribute_definitions(string("attention"))
        .attribute_definitions(number("first_claimed_at"))
        .attribute_definitions(string("due"))
        .attribute_definitions(number("due_at"))
        .key_schema(key("id", KeyType::Hash))
        .global_secondary_indexes(index("by_person", "person", "occurred_at"))
        .global_secondary_indexes(index("by_attention", "attention", "first_claimed_at"))
        .global_secondary_indexes(index("by_due", "due", "due_at"))
        .billing_mode(BillingMode::PayPerRequest)
        .send()
        .await
        .unwrap();
}

async fn create_roster(dynamo: &Client) {
    let id =
        AttributeDefinition::builder().attribute_name("id").attribute_type(ScalarAttributeType::S).build().unwrap();
    let key = KeySchemaElement::builder().attribute_name("id").key_type(KeyType::Hash).build().unwrap();
    let request = dynamo.create_table().table_name(ROSTER).attribute_definitions(id).key_schema(key);
    request.billing_mode(BillingMode::PayPerRequest).send().await.unwrap();
}

/// Makes both tables.
pub(crate) async fn create(dynamo: &Client) {
    create_table(dynamo).await;
    create_roster(dynamo).await;
}

/// Writes an item.
pub(crate) async fn put<T: Serialize>(dynamo: &Client, table: &str, item: &T) {
    let item = serde_dynamo::to_item(item).unwrap();
    dynamo.put_item().table_name(table).set_item(Some(item)).send().await.unwrap();
}
