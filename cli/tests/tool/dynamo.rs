//! The stack's tables.

use aws_sdk_dynamodb::Client;
use rollcall_tables::{Definition, Served};
use serde::Serialize;

pub(crate) const LEDGER: &str = "acme-ledger";
pub(crate) const ROSTER: &str = "acme-roster";

/// An empty DynamoDB with both tables.
pub(crate) fn serve() -> Served {
    Served::start(&[Definition::ledger(LEDGER).unwrap(), Definition::roster(ROSTER).unwrap()]).unwrap()
}

/// Writes an item.
pub(crate) async fn put<T: Serialize>(dynamo: &Client, table: &str, item: &T) {
    let item = serde_dynamo::to_item(item).unwrap();
    dynamo.put_item().table_name(table).set_item(Some(item)).send().await.unwrap();
}
