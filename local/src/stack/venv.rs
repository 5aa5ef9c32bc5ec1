//! The virtual environment of the local AWS, made once under the target directory.

use super::Progress;
use anyhow::{Context, Result, bail};
use std::path::{Path, PathBuf};
use tokio::process::Command;

/// What is installed, pinned.
const PACKAGES: [&str; 4] =
    ["ministack==1.5.33", "aws-sam-translator==1.113.0", "boto3==1.43.106", "cryptography==50.0.2"];

/// What to do where Python is missing.
const INSTALL: &str =
    "the local stack needs Python 3.10 or newer with venv; on Debian: apt-get install -y python3 python3-venv";

/// The environment's Python.
pub(super) fn python(venv: &Path) -> PathBuf {
    venv.join("bin/python")
}

/// Makes sure that the environment is there and complete; returns its Python.
pub(super) async fn ready(venv: &Path, progress: &Progress) -> Result<PathBuf> {
    let python = python(venv);
    let marker = venv.join("installed");
    let wanted = PACKAGES.join("\n");
    if std::fs::read_to_string(&marker).is_ok_and(|installed| installed == wanted) {
        return Ok(python);
    }
    progress.step("making the local AWS's Python environment (once, about half a minute)");
    check_python().await?;
    run(Command::new("python3").args(["-m", "venv", "--clear"]).arg(venv)).await.context(INSTALL)?;
    let pip = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check"];
    run(Command::new(&python).args(pip).args(PACKAGES)).await.context("pip could not install the local AWS")?;
    std::fs::write(&marker, wanted)?;
    Ok(python)
}

async fn check_python() -> Result<()> {
    let new_enough = "import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 10))";
    run(Command::new("python3").args(["-c", new_enough])).await.context(INSTALL)
}

async fn run(command: &mut Command) -> Result<()> {
    let output = command.output().await?;
    if !output.status.success() {
        bail!("{}", String::from_utf8_lossy(&output.stderr).trim());
    }
    Ok(())
}
