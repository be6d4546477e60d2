//! How much memory replicas take, all the time.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use tokio::time::sleep;
use tokio_util::task::AbortOnDropHandle;

/// How often it is looked at.
const EVERY: Duration = Duration::from_millis(500);

/// What a process took at some time.
#[derive(Debug, Clone)]
pub struct Sample {
    pub process: String,
    pub at: Instant,
    /// What it has in memory (`VmRSS`), in KiB.
    pub resident_kib: u64,
    /// The most that it ever had (`VmHWM`), in KiB.
    pub peak_kib: u64,
}

/// All samples. Clones share them.
#[derive(Clone, Default)]
pub struct Memory(Arc<Mutex<Vec<Sample>>>);

impl Memory {
    /// Looks at a process until what this answers is dropped, or the process is gone.
    pub fn watch(&self, process: &str, id: u32) -> AbortOnDropHandle<()> {
        let (own, process) = (self.clone(), process.to_owned());
        AbortOnDropHandle::new(tokio::spawn(async move {
            let file = format!("/proc/{id}/status");
            while let Ok(status) = tokio::task::block_in_place(|| std::fs::read_to_string(&file)) {
                let (Some(resident_kib), Some(peak_kib)) = (kib(&status, "VmRSS:"), kib(&status, "VmHWM:"))
                else {
                    return;
                };
                own.0.lock().unwrap_or_else(PoisonError::into_inner).push(Sample {
                    process: process.clone(),
                    at: Instant::now(),
                    resident_kib,
                    peak_kib,
                });
                sleep(EVERY).await;
            }
        }))
    }

    pub fn samples(&self) -> Vec<Sample> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

fn kib(status: &str, field: &str) -> Option<u64> {
    let line = status.lines().find_map(|line| line.strip_prefix(field))?;
    line.split_whitespace().next()?.parse().ok()
}
