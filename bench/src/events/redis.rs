//! The Redis of a system, and what it says of its commands.

use std::{
    path::Path,
    process::Command,
    sync::Arc,
    time::{Duration, Instant},
};

use super::process::{Process, STARTS_WITHIN, free_address};
use crate::Result;

/// A Redis without persistence, as all systems here have it.
pub(crate) struct Redis {
    pub(crate) url: String,
    pub(crate) client: Arc<::redis::Client>,
    pub(crate) process: Process,
}

impl Redis {
    /// Starts one that keeps its files in `dir`.
    pub(crate) async fn start(dir: &Path) -> Result<Self> {
        let address = free_address()?;
        let mut command = Command::new("redis-server");
        command
            .args(["--port", &address.port().to_string(), "--bind", "127.0.0.1"])
            .args(["--save", "", "--appendonly", "no", "--dir"])
            .arg(dir);
        let process = Process::start("redis-server", &mut command)?;
        let url = format!("redis://{address}");
        let client = Arc::new(::redis::Client::open(url.as_str())?);
        let begun = Instant::now();
        while client.get_multiplexed_async_connection().await.is_err() {
            if begun.elapsed() > STARTS_WITHIN {
                return Err("redis-server does not answer".into());
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        Ok(Self { url, client, process })
    }

    /// Calls and microseconds of each command since the last reset.
    pub(crate) async fn statistics(&self) -> Result<Vec<(String, f64, f64)>> {
        let mut connection = self.client.get_multiplexed_async_connection().await?;
        let text: String = ::redis::cmd("INFO")
            .arg("commandstats")
            .query_async(&mut connection)
            .await?;
        let commands = text.lines().filter_map(|line| line.strip_prefix("cmdstat_"));
        let read = commands.filter_map(|line| {
            let (name, rest) = line.split_once(':')?;
            let field = |wanted: &str| {
                let mut fields = rest.split(',').filter_map(|field| field.split_once('='));
                fields.find_map(|(name, value)| (name == wanted).then(|| value.parse().ok())?)
            };
            Some((name.to_owned(), field("calls")?, field("usec")?))
        });
        Ok(read.collect())
    }

    /// Microseconds of a script call since the last reset.
    pub(crate) async fn script_us(&self) -> Result<f64> {
        let statistics = self.statistics().await?;
        let script = statistics.iter().find(|(name, ..)| name == "evalsha");
        Ok(script.map_or(f64::NAN, |(_, calls, usec)| usec / calls))
    }

    /// Starts the statistics anew.
    pub(crate) async fn reset_statistics(&self) -> Result<()> {
        let mut connection = self.client.get_multiplexed_async_connection().await?;
        Ok(::redis::cmd("CONFIG")
            .arg("RESETSTAT")
            .exec_async(&mut connection)
            .await?)
    }
}
