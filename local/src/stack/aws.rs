//! The process of the local AWS, with the functions that it starts.

use super::{ACCESS_KEY, How, REGION};
use anyhow::{Context, Result, bail};
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::process::{Child, Command};

/// How long the local AWS may take to answer for the first time.
const READY_WITHIN: Duration = Duration::from_secs(60);

/// A running local AWS. Dropping it stops it, with its functions, and removes its files.
#[derive(Debug)]
pub(super) struct LocalAws {
    pub(super) endpoint: String,
    process: Child,
    log: PathBuf,
    files: PathBuf,
}

impl LocalAws {
    /// Starts it on a free port of 127.0.0.1.
    pub(super) async fn start(dir: &Path, python: &Path, chime: &str, how: &How) -> Result<LocalAws> {
        let port = free_port()?;
        let endpoint = format!("http://127.0.0.1:{port}");
        let files = dir.join(format!("run-{port}"));
        std::fs::create_dir_all(files.join("tmp"))?;
        let log = how.recorded_in.as_deref().unwrap_or(dir).join("ministack.log");
        let mut command = match &how.recorded_in {
            None => Command::new(python.with_file_name("ministack")),
            Some(folder) => {
                let mut command = Command::new(python);
                command.args(["-c", include_str!("../../stack/aws.py")]).arg(folder.join("requests.jsonl"));
                command.env("AUTH", "true");
                command
            }
        };
        let output = std::fs::File::create(&log).with_context(|| format!("{} cannot be written", log.display()))?;
        command
            .env("GATEWAY_PORT", port.to_string())
            .env("BIND_HOST", "127.0.0.1")
            .env("IOT_MTLS_ENABLED", "0")
            .env("SFTP_ENABLED", "0")
            .env("STATE_DIR", &files)
            .env("TMPDIR", files.join("tmp"))
            // Functions inherit these.
            .env("AWS_ENDPOINT_URL", &endpoint)
            .env("AWS_ENDPOINT_URL_CHIME", chime)
            .env("AWS_REGION", REGION)
            .env("AWS_ACCESS_KEY_ID", ACCESS_KEY)
            .env("AWS_SECRET_ACCESS_KEY", ACCESS_KEY)
            .stdin(Stdio::null())
            .stdout(output.try_clone()?)
            .stderr(output)
            .process_group(0)
            .kill_on_drop(true);
        let process = command.spawn().context("the local AWS cannot be run")?;
        let mut aws = LocalAws { endpoint, process, log, files };
        aws.wait_until_ready(port).await?;
        Ok(aws)
    }

    async fn wait_until_ready(&mut self, port: u16) -> Result<()> {
        let log = self.log.clone();
        let ready = async {
            while !answers(port).await {
                if let Some(status) = self.process.try_wait()? {
                    bail!("the local AWS ended with {status}; its log is {}", log.display());
                }
                tokio::time::sleep(Duration::from_millis(100)).await;
            }
            Ok(())
        };
        tokio::time::timeout(READY_WITHIN, ready)
            .await
            .with_context(|| format!("the local AWS did not answer within 60 s; its log is {}", log.display()))?
    }

    pub(super) fn process_group(&self) -> Option<u32> {
        self.process.id()
    }

    pub(super) fn log(&self) -> &Path {
        &self.log
    }
}

impl Drop for LocalAws {
    fn drop(&mut self) {
        // The local AWS leads a process group of its own, with the functions that it started.
        if let Some(pid) = self.process.id() {
            signal("TERM", pid);
            let ended = (0..50).any(|_| {
                std::thread::sleep(Duration::from_millis(100));
                matches!(self.process.try_wait(), Ok(Some(_)))
            });
            if !ended {
                signal("KILL", pid);
            }
        }
        // Its copies of the functions' binaries take hundreds of megabytes.
        let _gone = std::fs::remove_dir_all(&self.files);
    }
}

/// Signals a process group. The shell's own `kill` is everywhere, the program is not.
fn signal(name: &str, group: u32) {
    let _ended = std::process::Command::new("sh").args(["-c", &format!("kill -s {name} -- -{group}")]).status();
}

fn free_port() -> Result<u16> {
    Ok(std::net::TcpListener::bind(("127.0.0.1", 0)).context("no free port")?.local_addr()?.port())
}

async fn answers(port: u16) -> bool {
    let ask = async {
        let mut connection = tokio::net::TcpStream::connect(("127.0.0.1", port)).await?;
        connection.write_all(b"GET /_ministack/health HTTP/1.0\r\nHost: 127.0.0.1\r\n\r\n").await?;
        let mut answer = String::new();
        connection.read_to_string(&mut answer).await?;
        Ok::<_, std::io::Error>(answer)
    };
    let answer = tokio::time::timeout(Duration::from_secs(2), ask).await;
    answer
        .is_ok_and(|answer| answer.is_ok_and(|answer| answer.lines().next().is_some_and(|line| line.contains(" 200"))))
}
