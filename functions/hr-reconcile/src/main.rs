//! hr-reconcile: compares the roster with the ledger, and asks for what was missed. Wiring only.

use lambda_runtime::{Error, run, service_fn};
use rollcall::config::ReconcileConfig;
use rollcall::reconcile::serve::{serve, service};
use rollcall::telemetry;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    telemetry::init();
    let service = service(ReconcileConfig::from_env()?).await?;
    run(service_fn(|event| serve(&service, event))).await
}
