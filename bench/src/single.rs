//! A driver that has one thread. Where it has several, handing over between them takes from the cores what is to be measured.

use std::thread::{self, JoinHandle};

use tokio::{runtime::Builder, sync::oneshot};

use crate::Result;

/// Runs `work` on a thread of its own, on which all that it spawns stays. Who no longer waits for it ends it.
pub(crate) async fn threaded<T, W, F>(work: W) -> Result<T>
where
    T: Send + 'static,
    W: FnOnce() -> F + Send + 'static,
    F: Future<Output = Result<T>>,
{
    let (stop, stopped) = oneshot::channel::<()>();
    let (done, result) = oneshot::channel();
    let run = move || -> Result<T> {
        let runtime = Builder::new_current_thread().enable_all().build()?;
        runtime.block_on(async {
            tokio::select! {
                result = work() => result,
                _ = stopped => Err("stopped".into()),
            }
        })
    };
    let _thread = Thread {
        stop: Some(stop),
        thread: Some(thread::spawn(move || drop(done.send(run())))),
    };
    result.await?
}

/// Dropped, it ends the thread and waits for that.
struct Thread {
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Drop for Thread {
    fn drop(&mut self) {
        drop(self.stop.take());
        // One that panicked has left its result unsent, which whoever waits for it sees.
        let _ = self.thread.take().map(JoinHandle::join);
    }
}
