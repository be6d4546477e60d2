//! How well the machine keeps up: bounds on times cannot be closer than that.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use tokio::{task::JoinHandle, time::sleep};

/// How often the machine is asked whether it keeps up.
const TICK: Duration = Duration::from_millis(20);

/// The longest time for which the machine let a task of ours wait that was due.
#[derive(Clone, Default)]
pub struct Stalls(Arc<Mutex<Duration>>);

impl Stalls {
    pub fn longest(&self) -> Duration {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// How much wider bounds are. What is measured goes through several processes, and each may have had to wait.
    pub fn slack(&self) -> Duration {
        self.longest() * 4
    }

    /// Measures until what this answers is dropped.
    pub fn watch(&self) -> Watch {
        let own = self.clone();
        Watch(tokio::spawn(async move {
            loop {
                let due = Instant::now() + TICK;
                sleep(TICK).await;
                let mut longest = own.0.lock().unwrap_or_else(PoisonError::into_inner);
                *longest = due.elapsed().max(*longest);
            }
        }))
    }
}

/// A measurement.
pub struct Watch(JoinHandle<()>);

impl Drop for Watch {
    fn drop(&mut self) {
        self.0.abort();
    }
}
