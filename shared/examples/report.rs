//! Writes the golden report's files into a directory: `cargo run -p rollcall --example report -- <directory>`.

#[path = "../tests/audit/golden.rs"]
#[expect(clippy::unwrap_used, reason = "the times of the golden run are times")]
mod golden;

use rollcall::audit::report::Reporter;
use rollcall::store::files::Files;
use std::error::Error;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let directory = std::env::args().nth(1).ok_or("say the directory to write into")?;
    let files = Files::new(directory);
    let mut reporter = Reporter::new(&files, "golden");
    for finding in golden::findings() {
        reporter.add(&finding).await?;
    }
    Ok(reporter.finish(&golden::summary()).await?)
}
