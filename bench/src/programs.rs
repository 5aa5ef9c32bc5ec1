//! The programs that are measured, and where they are.

use anyhow::{Context, Result, bail, ensure};
use rollcall_local::stack::{Progress, local_dir, workspace};
use serde::Serialize;
use std::path::{Path, PathBuf};
use std::process::Stdio;

/// A program that is measured. Its name is its package's.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Program {
    /// A function that reads its batch and does nothing.
    BenchEmpty,
    /// Plain per-record processing of terminations.
    BenchNaive,
    InviteUser,
    SuspendUser,
    ReinstateUser,
    LogoutUser,
    RelicenseUser,
}

impl Program {
    /// All of them, those to compare with first.
    pub(crate) const ALL: [Program; 7] = [
        Program::BenchEmpty,
        Program::BenchNaive,
        Program::SuspendUser,
        Program::ReinstateUser,
        Program::InviteUser,
        Program::LogoutUser,
        Program::RelicenseUser,
    ];

    /// Its package.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Program::BenchEmpty => "bench-empty",
            Program::BenchNaive => "bench-naive",
            Program::InviteUser => "invite-user",
            Program::SuspendUser => "suspend-user",
            Program::ReinstateUser => "reinstate-user",
            Program::LogoutUser => "logout-user",
            Program::RelicenseUser => "relicense-user",
        }
    }

    /// One of Rollcall's functions, which keep a ledger.
    pub(crate) fn is_rollcalls(self) -> bool {
        match self {
            Program::BenchEmpty | Program::BenchNaive => false,
            Program::InviteUser
            | Program::SuspendUser
            | Program::ReinstateUser
            | Program::LogoutUser
            | Program::RelicenseUser => true,
        }
    }
}

/// The programs, built.
#[derive(Clone, Debug)]
pub(crate) struct Programs {
    directory: PathBuf,
    /// The profile that they were built with, or the directory that they were found in.
    pub(crate) profile: String,
}

impl Programs {
    /// Builds them: with the profile that is shipped, or for a quick look the one of every day.
    ///
    /// # Errors
    /// Where they do not build.
    pub(crate) async fn build(debug: bool, progress: &Progress) -> Result<Programs> {
        let (profile, directory) = if debug { ("dev", "debug") } else { ("release", "release") };
        progress.step(&format!("building the functions with profile {profile}; the first time takes minutes"));
        let mut cargo = tokio::process::Command::new("cargo");
        cargo.args(["build", "--quiet", "--profile", profile]);
        for program in Program::ALL {
            cargo.args(["--package", program.name()]);
        }
        // `cargo run` tells its program about itself. Build scripts that look at that would run, and compile, again.
        for (name, _) in std::env::vars_os() {
            let text = name.to_string_lossy();
            if text.starts_with("CARGO_PKG_") || text.starts_with("CARGO_MANIFEST_") {
                cargo.env_remove(&name);
            }
        }
        let status = cargo.current_dir(workspace()).stdin(Stdio::null()).status().await;
        if !status.context("cargo cannot be run; install Rust with rustup")?.success() {
            bail!("cargo build failed");
        }
        let target = local_dir().parent().map(Path::to_path_buf).context("no target directory")?;
        Ok(Programs { directory: target.join(directory), profile: profile.into() })
    }

    /// Takes those of a directory as they are. Each is a file of its package's name.
    ///
    /// # Errors
    /// Where one is not there.
    pub(crate) fn found(directory: PathBuf) -> Result<Programs> {
        for program in Program::ALL {
            let path = directory.join(program.name());
            ensure!(path.is_file(), "{} is not there; cargo build makes it", path.display());
        }
        Ok(Programs { directory, profile: "as found".into() })
    }

    /// Where a program is.
    pub(crate) fn path(&self, program: Program) -> PathBuf {
        self.directory.join(program.name())
    }

    /// Its size in bytes.
    ///
    /// # Errors
    /// Where it cannot be looked at.
    pub(crate) fn size(&self, program: Program) -> Result<u64> {
        let path = self.path(program);
        Ok(std::fs::metadata(&path).with_context(|| format!("{} is not there", path.display()))?.len())
    }
}
