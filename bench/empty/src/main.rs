//! bench-empty: the floor. What any function in Rust on a queue costs before it does anything.

use aws_lambda_events::event::sqs::{SqsBatchResponse, SqsEvent};
use lambda_runtime::{Error, LambdaEvent, run, service_fn};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    run(service_fn(async |_event: LambdaEvent<SqsEvent>| Ok::<_, Error>(SqsBatchResponse::default()))).await
}
