//! suspend-user: takes access away from the people who must no longer have it. Wiring only.

use lambda_runtime::{Error, run, service_fn};
use rollcall::config::Config;
use rollcall::routes::Function;
use rollcall::{start, telemetry};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    telemetry::init();
    let service = start::service(Function::SuspendUser, Config::from_env()?).await?;
    run(service_fn(|event| start::serve(&service, event))).await
}
