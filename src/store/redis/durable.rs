//! Writes that are answered only once enough replicas have them (`WAIT`).
//!
//! `WAIT` looks at the last write of its own connection and blocks it, so such writes have connections of their own, and
//! each must write something even where nothing was left to do. What comes while a connection waits goes out together, in
//! front of one `WAIT`.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use ::redis::{Cmd, Pipeline, Value};
use tokio::{
    sync::{Mutex, mpsc, oneshot},
    time::timeout,
};
use tracing::{info, warn};

use super::{
    dial::Dial,
    error::{Failed, ends_connection},
    link::{Link, RESPONSE_TIMEOUT, Request, is_unknown_script},
    scripts::Script,
};
use crate::store::StoreError;

/// Connections to a server: while one waits, the others go on.
const CONNECTIONS: usize = 4;

/// The most writes in front of one `WAIT`.
const BATCH: usize = 128;

/// Writes that may wait for a connection.
const QUEUE: usize = 1024;

/// On how many replicas an event must be before its webhook is answered 2xx.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Wait {
    /// Replicas that must have acknowledged it; at least 1.
    pub replicas: u16,
    /// How long they may take, at least 1 ms.
    pub within: Duration,
}

/// One write.
#[derive(Clone)]
pub(super) struct Write {
    pub(super) command: Cmd,
    /// The script that the command runs, where it runs one.
    pub(super) script: Option<Arc<Script>>,
}

impl Write {
    pub(super) fn command(command: &Cmd) -> Self {
        Self {
            command: command.clone(),
            script: None,
        }
    }
}

struct Job {
    writes: Vec<Write>,
    answer: oneshot::Sender<Result<Vec<Value>, Failed>>,
}

/// Connections to one server for writes that must be durable.
pub(super) struct Durable {
    jobs: mpsc::Sender<Job>,
    /// How long a write may take, waiting for its turn included.
    within: Duration,
}

impl Durable {
    /// Connections that are made when they are first used.
    pub(super) fn new(dial: &Dial, wait: Wait) -> Self {
        let (jobs, queue) = mpsc::channel(QUEUE);
        let (queue, short) = (Arc::new(Mutex::new(queue)), Arc::new(AtomicBool::new(false)));
        for _ in 0..CONNECTIONS {
            let worker = Worker {
                link: Link::new(dial.clone(), RESPONSE_TIMEOUT + wait.within),
                queue: queue.clone(),
                short: short.clone(),
                wait,
            };
            tokio::spawn(worker.run());
        }
        Self {
            jobs,
            within: RESPONSE_TIMEOUT + wait.within,
        }
    }

    /// Writes, and answers once enough replicas have it all. Fails where any of it was refused.
    pub(super) async fn write(&self, writes: Vec<Write>) -> Result<Vec<Value>, Failed> {
        let over = || Failed::Short(StoreError::Unavailable("Redis did not take a write".into()));
        let (answer, answered) = oneshot::channel();
        let written = async {
            self.jobs.send(Job { writes, answer }).await.map_err(|_| over())?;
            answered.await.map_err(|_| over())?
        };
        // Those before it may be waiting for replicas. It may still be done, and whoever sent it sends it again.
        timeout(self.within, written).await.map_err(|_| {
            Failed::Short(StoreError::Unavailable(
                "Redis and its replicas did not take a write in time".into(),
            ))
        })?
    }
}

struct Worker {
    link: Link,
    queue: Arc<Mutex<mpsc::Receiver<Job>>>,
    /// Whether too few replicas answered last, which is told once.
    short: Arc<AtomicBool>,
    wait: Wait,
}

impl Worker {
    async fn run(self) {
        while let Some(jobs) = self.next().await {
            if jobs.is_empty() {
                continue;
            }
            let again = self.serve(jobs).await;
            if !again.is_empty() {
                self.serve(again).await;
            }
        }
    }

    /// What has come by now, at least one.
    async fn next(&self) -> Option<Vec<Job>> {
        let mut queue = self.queue.lock().await;
        let mut jobs = vec![queue.recv().await?];
        while jobs.len() < BATCH
            && let Ok(job) = queue.try_recv()
        {
            jobs.push(job);
        }
        // Nobody waits for these any more, and whoever sent them was told so.
        jobs.retain(|job| !job.answer.is_closed());
        Some(jobs)
    }

    /// Answers jobs, but for those whose script was not known: it is by then.
    async fn serve(&self, jobs: Vec<Job>) -> Vec<Job> {
        let mut pipeline = Pipeline::new();
        for write in jobs.iter().flat_map(|job| &job.writes) {
            pipeline.add_command(write.command.clone());
        }
        let within = u64::try_from(self.wait.within.as_millis()).unwrap_or(u64::MAX);
        pipeline.cmd("WAIT").arg(self.wait.replicas).arg(within);
        pipeline.ignore_errors();
        let mut answers = match self.link.run(&Request::Pipeline(&pipeline), false).await {
            Ok(Value::Array(answers)) => answers,
            Ok(_) => {
                let failed = || StoreError::Corrupt("Redis answered a pipeline with something else".into());
                fail(jobs, || Failed::Unsent(failed()));
                return Vec::new();
            }
            Err(failed) => {
                fail(jobs, || failed.clone());
                return Vec::new();
            }
        };
        let reached = match answers.pop().unwrap_or_default().extract_error() {
            Ok(Value::Int(reached)) => u64::try_from(reached).unwrap_or_default(),
            Ok(_) => 0,
            Err(error) => {
                self.link.leave();
                fail(jobs, || Failed::Answer(error.clone()));
                return Vec::new();
            }
        };
        self.tell(reached);
        let (mut answers, mut again) = (answers.into_iter(), Vec::new());
        for job in jobs {
            let answers: Vec<Value> = answers.by_ref().take(job.writes.len()).collect();
            match self.judge(&job.writes, answers, reached).await {
                Some(result) => {
                    let _ = job.answer.send(result);
                }
                None => again.push(job),
            }
        }
        again
    }

    /// What to answer a job; nothing where it must be served again.
    async fn judge(
        &self,
        writes: &[Write],
        answers: Vec<Value>,
        reached: u64,
    ) -> Option<Result<Vec<Value>, Failed>> {
        for (write, answer) in writes.iter().zip(&answers) {
            let Some(error) = answer.clone_error() else {
                continue;
            };
            if let Some(script) = write.script.as_ref().filter(|_| is_unknown_script(&error)) {
                let loaded = self.link.run(&Request::Command(&script.load()), false).await;
                return loaded.err().map(Err);
            }
            if ends_connection(&error) {
                self.link.leave();
            }
            return Some(Err(Failed::Answer(error)));
        }
        if reached >= u64::from(self.wait.replicas) {
            return Some(Ok(answers));
        }
        // It is written, and a repeat will find it so.
        Some(Err(Failed::Short(StoreError::Unavailable(
            self.shortage(reached),
        ))))
    }

    fn shortage(&self, reached: u64) -> String {
        let Wait { replicas, within } = self.wait;
        format!("{reached} of the {replicas} replicas asked for have acknowledged a write within {within:?}")
    }

    fn tell(&self, reached: u64) {
        let is_short = reached < u64::from(self.wait.replicas);
        if self.short.swap(is_short, Ordering::Relaxed) == is_short {
            return;
        }
        if is_short {
            let problem = self.shortage(reached);
            warn!(
                problem,
                "too few replicas of Redis acknowledge writes: webhooks are answered 503 until enough do"
            );
        } else {
            info!("enough replicas of Redis acknowledge writes again");
        }
    }
}

fn fail(jobs: Vec<Job>, why: impl Fn() -> Failed) {
    for job in jobs {
        let _ = job.answer.send(Err(why()));
    }
}

trait CloneError {
    fn clone_error(&self) -> Option<::redis::RedisError>;
}

impl CloneError for Value {
    fn clone_error(&self) -> Option<::redis::RedisError> {
        match self {
            Self::ServerError(_) => self.clone().extract_error().err(),
            _ => None,
        }
    }
}
