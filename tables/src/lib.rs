//! An embedded DynamoDB with the tables of `template.yaml`, for tests and the benchmark.
//!
//! Keys and indexes are read from the template, so what is tested is what is deployed.

mod definition;

pub use definition::Definition;

use anyhow::{Context, Result, anyhow};
use dynoxide::Database;
use std::net::{Ipv4Addr, SocketAddr};
use tokio::net::TcpListener;
use tokio::sync::oneshot;

/// A database in memory with these tables, empty.
///
/// # Errors
/// Where there can be none, or a table is refused.
pub fn database(tables: &[Definition]) -> Result<Database> {
    let database = Database::memory().map_err(|error| anyhow!("no database in memory: {error}"))?;
    for table in tables {
        let request = serde_json::from_value(table.request()).context("the table is no CreateTable request")?;
        database.create_table(request).map_err(|error| anyhow!("a table is refused: {error}"))?;
    }
    Ok(database)
}

/// A database that is served on 127.0.0.1 until it is dropped.
#[derive(Debug)]
pub struct Served {
    address: SocketAddr,
    _stop: oneshot::Sender<()>,
}

impl Served {
    /// Serves these tables, empty, on a free port: on a thread of its own, since it blocks.
    ///
    /// # Errors
    /// Those of [`database`], and where no port is free.
    pub fn start(tables: &[Definition]) -> Result<Served> {
        let database = database(tables)?;
        let listener = std::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).context("no free port")?;
        listener.set_nonblocking(true)?;
        let address = listener.local_addr()?;
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let (stop, stopped) = oneshot::channel::<()>();
        std::thread::spawn(move || {
            runtime.block_on(async move {
                // Registers with the runtime, which only a full process refuses.
                let Ok(listener) = TcpListener::from_std(listener) else { return };
                tokio::select! {
                    _dropped = stopped => {}
                    _ended = dynoxide::server::serve_with_shutdown(listener, database, std::future::pending()) => {}
                }
            });
        });
        Ok(Served { address, _stop: stop })
    }

    /// Where it listens, as the SDK's `endpoint_url`.
    #[must_use]
    pub fn endpoint(&self) -> String {
        format!("http://{}", self.address)
    }
}
