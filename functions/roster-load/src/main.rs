//! roster-load: loads the roster that an HR system drops in a bucket. Wiring only.

use lambda_runtime::{Error, run, service_fn};
use rollcall::config::RosterConfig;
use rollcall::roster::serve::{serve, service};
use rollcall::telemetry;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    telemetry::init();
    let service = service(RosterConfig::from_env()?).await?;
    run(service_fn(|event| serve(&service, event))).await
}
