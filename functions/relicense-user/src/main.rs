//! relicense-user: sets the licence that the policy gives to a job. Wiring only.

use lambda_runtime::{Error, run, service_fn};
use rollcall::config::Config;
use rollcall::routes::Function;
use rollcall::{start, telemetry};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    telemetry::init();
    let service = start::service(Function::RelicenseUser, Config::from_env()?).await?;
    run(service_fn(|event| start::serve(&service, event))).await
}
