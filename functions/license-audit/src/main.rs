//! license-audit: looks through all licences, one step of a run for each invocation. Wiring only.

use lambda_runtime::{Error, run, service_fn};
use rollcall::audit::serve::{serve, service};
use rollcall::config::AuditConfig;
use rollcall::telemetry;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    telemetry::init();
    let service = service(AuditConfig::from_env()?).await?;
    run(service_fn(|event| serve(&service, event))).await
}
