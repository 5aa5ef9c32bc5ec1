//! hr-intake: makes worker events of what HR and identity systems send, and keeps announcements until they are due. Wiring
//! only.

use lambda_runtime::{Error, run, service_fn};
use rollcall::config::IntakeConfig;
use rollcall::intake::service::{serve, service};
use rollcall::telemetry;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    telemetry::init();
    let service = service(IntakeConfig::from_env()?).await?;
    run(service_fn(|event| serve(&service, event))).await
}
