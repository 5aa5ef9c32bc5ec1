//! hr-receive: takes what HR and identity systems send to its URL, and keeps it for intake. Wiring only.

use lambda_runtime::{Error, run, service_fn};
use rollcall::config::ReceiveConfig;
use rollcall::intake::receive::serve::{serve, service};
use rollcall::telemetry;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    telemetry::init();
    let service = service(ReceiveConfig::from_env()?).await?;
    run(service_fn(|event| serve(&service, event))).await
}
