//! The live feed: one blocking read over all partitions, on a connection of its own.

use std::{
    collections::HashMap,
    time::{Duration, Instant},
};

use ::redis::{AsyncConnectionConfig, Client, Cmd, Pipeline, Value, aio::MultiplexedConnection, cmd};
use async_trait::async_trait;
use tokio::{sync::mpsc, time::timeout};
use tokio_util::task::AbortOnDropHandle;

use super::{
    error::explain,
    keys::Keys,
    link::{CONNECT_TIMEOUT, RESPONSE_TIMEOUT},
    read, wire,
};
use crate::{
    event::{EntryId, Position},
    store::{
        Entry, StoreError, Tail,
        gap::{Meta, judge},
    },
};

/// How long Redis holds a read for which there is nothing.
const BLOCK: Duration = Duration::from_secs(2);

/// How late the answer to a blocking read may be before the connection counts as silent.
const GRACE: Duration = Duration::from_secs(2);

/// The most entries of one partition in one answer.
const BATCH: usize = 64;

/// A live feed. Reading goes on in a task of its own, so that a caller may give up waiting and come back: a blocking read
/// that was given up would keep the connection busy, and those behind it waiting.
pub(super) struct RedisTail {
    answers: mpsc::Receiver<Result<Vec<Entry>, StoreError>>,
    _task: AbortOnDropHandle<()>,
}

impl RedisTail {
    /// Opens a feed behind these positions, one for each partition.
    pub(super) async fn open(client: &Client, keys: &Keys, behind: Vec<EntryId>) -> Result<Self, StoreError> {
        let mut reader = Reader::open(client, keys, behind).await?;
        let (sender, answers) = mpsc::channel(1);
        let task = tokio::spawn(async move {
            loop {
                let answer = reader.next().await;
                let over = answer.is_err();
                if sender.send(answer).await.is_err() || over {
                    return;
                }
            }
        });
        Ok(Self {
            answers,
            _task: AbortOnDropHandle::new(task),
        })
    }
}

#[async_trait]
impl Tail for RedisTail {
    async fn next(&mut self) -> Result<Vec<Entry>, StoreError> {
        let over = || StoreError::Unavailable("the live feed is over: it must be opened again".into());
        self.answers.recv().await.ok_or_else(over)?
    }
}

/// What reads for a feed.
struct Reader {
    connection: MultiplexedConnection,
    keys: Vec<PartitionKeys>,
    /// Partition by name of its stream.
    partitions: HashMap<String, u16>,
    /// Where each partition was read up to.
    at: Vec<EntryId>,
    checked: Instant,
}

struct PartitionKeys {
    log: String,
    meta: String,
}

fn moved_on(partition: usize, how: &str) -> StoreError {
    StoreError::Unavailable(format!(
        "partition {partition} of the log {how}: the live feed must be opened again"
    ))
}

impl Reader {
    async fn open(client: &Client, keys: &Keys, behind: Vec<EntryId>) -> Result<Self, StoreError> {
        if behind.len() != usize::from(keys.partitions()) {
            return Err(StoreError::Mismatch(format!(
                "a feed needs a position for each of {} partitions, and was given {}",
                keys.partitions(),
                behind.len()
            )));
        }
        // Blocking reads answer late by design: `next` has its own watch over that.
        let config = AsyncConnectionConfig::new()
            .set_connection_timeout(Some(CONNECT_TIMEOUT))
            .set_response_timeout(None);
        let connection = client
            .get_multiplexed_async_connection_with_config(&config)
            .await
            .map_err(|error| explain(&error))?;
        let mut tail = Self {
            connection,
            partitions: (0..keys.partitions()).map(|p| (keys.log(p), p)).collect(),
            keys: (0..keys.partitions())
                .map(|p| PartitionKeys {
                    log: keys.log(p),
                    meta: keys.meta(p),
                })
                .collect(),
            at: behind,
            checked: Instant::now(),
        };
        tail.verify(keys).await?;
        Ok(tail)
    }

    async fn next(&mut self) -> Result<Vec<Entry>, StoreError> {
        let command = self.read_command(BATCH, Some(BLOCK));
        let answer = timeout(BLOCK + GRACE, command.query_async::<Value>(&mut self.connection));
        let answer = silent_or(answer.await)?;
        let entries = self.take_in(answer).await?;
        if entries.is_empty() || self.checked.elapsed() > BLOCK {
            self.check().await?;
        }
        Ok(entries)
    }

    /// Whether nothing is missing behind any position.
    async fn verify(&mut self, keys: &Keys) -> Result<(), StoreError> {
        let mut pipeline = Pipeline::new();
        pipeline.atomic();
        for (partition, id) in (0..).zip(&self.at) {
            read::ask(&mut pipeline, keys, partition, Position::After(*id), 1);
        }
        let mut answers = wire::array(self.pipeline(&pipeline).await?)?.into_iter();
        for (partition, id) in self.at.iter().enumerate() {
            let four: Vec<Value> = answers.by_ref().take(4).collect();
            let (view, _) = read::view(wire::array_of(Value::Array(four))?)?;
            if let Some(gap) = judge(Position::After(*id), &view) {
                return Err(moved_on(
                    partition,
                    &format!("has lost what followed ({:?})", gap.reason),
                ));
            }
        }
        Ok(())
    }

    async fn pipeline(&mut self, pipeline: &Pipeline) -> Result<Value, StoreError> {
        let answer = timeout(RESPONSE_TIMEOUT, pipeline.query_async(&mut self.connection));
        silent_or(answer.await)
    }

    fn read_command(&self, count: usize, block: Option<Duration>) -> Cmd {
        let mut command = cmd("XREAD");
        command.arg("COUNT").arg(count);
        if let Some(block) = block {
            command.arg("BLOCK").arg(block.as_millis());
        }
        command.arg("STREAMS");
        for keys in &self.keys {
            command.arg(&keys.log);
        }
        for id in &self.at {
            command.arg(format!("{}-{}", id.ms, id.n));
        }
        command
    }

    async fn metas(&mut self) -> Result<Vec<Meta>, StoreError> {
        let mut pipeline = Pipeline::new();
        pipeline.atomic();
        for keys in &self.keys {
            pipeline.cmd("HMGET").arg(&keys.meta).arg(&wire::META_FIELDS);
        }
        let answer = self.pipeline(&pipeline).await?;
        wire::array(answer)?.into_iter().map(wire::meta).collect()
    }

    /// Whether the log is still the one that is being read: a wiped or rewound one may never answer a blocking read
    /// behind a place that it does not have.
    async fn check(&mut self) -> Result<(), StoreError> {
        let mut pipeline = Pipeline::new();
        pipeline.atomic();
        for keys in &self.keys {
            pipeline.cmd("HMGET").arg(&keys.meta).arg(&wire::META_FIELDS);
        }
        pipeline.add_command(self.read_command(1, None));
        let mut answers = wire::array(self.pipeline(&pipeline).await?)?;
        let waiting = wire::streams(answers.pop().unwrap_or_default())?;
        let waiting: Vec<u16> = waiting
            .iter()
            .filter_map(|(stream, _)| self.partitions.get(stream).copied())
            .collect();
        for (partition, (meta, at)) in answers.into_iter().zip(&self.at).enumerate() {
            let meta = wire::meta(meta)?;
            let more = waiting.contains(&u16::try_from(partition).unwrap_or(u16::MAX));
            if let Some(how) = contradiction(meta, *at, more) {
                return Err(moved_on(partition, how));
            }
        }
        self.checked = Instant::now();
        Ok(())
    }

    /// Takes in what a read answered.
    async fn take_in(&mut self, answer: Value) -> Result<Vec<Entry>, StoreError> {
        let streams = wire::streams(answer)?;
        self.learn_epochs(&streams).await?;
        let mut entries = Vec::new();
        let mut at = self.at.clone();
        for (stream, values) in streams {
            let Some(partition) = self.partitions.get(&stream).copied() else {
                continue;
            };
            let place = &mut at[usize::from(partition)];
            for value in values {
                let entry = wire::entry(value, partition, place.epoch)?;
                if entry.id.n != place.n + 1 {
                    return Err(moved_on(
                        partition.into(),
                        "does not go on where it was read up to",
                    ));
                }
                *place = entry.id;
                entries.push(entry);
            }
        }
        self.at = at;
        Ok(entries)
    }

    /// A partition gets its epoch when it is first written, and entries do not carry it.
    async fn learn_epochs(&mut self, streams: &[(String, Vec<Value>)]) -> Result<(), StoreError> {
        let is_new = |stream: &String| {
            let partition = self.partitions.get(stream);
            partition.is_some_and(|p| self.at[usize::from(*p)].epoch == 0)
        };
        if !streams.iter().any(|(stream, _)| is_new(stream)) {
            return Ok(());
        }
        let metas = self.metas().await?;
        for (stream, _) in streams {
            let Some(partition) = self.partitions.get(stream).map(|p| usize::from(*p)) else {
                continue;
            };
            if let (Some(at), Some(meta)) = (self.at.get_mut(partition), metas.get(partition))
                && at.epoch == 0
            {
                at.epoch = meta.epoch;
            }
        }
        Ok(())
    }
}

/// Why a partition cannot be the one that was read up to `at`; `more`: whether entries lie behind that place.
fn contradiction(meta: Meta, at: EntryId, more: bool) -> Option<&'static str> {
    if at.epoch != 0 && meta.epoch != at.epoch {
        return Some("was wiped");
    }
    let rewound = match meta.n.cmp(&at.n) {
        std::cmp::Ordering::Less => true,
        std::cmp::Ordering::Equal => meta.ms != at.ms || more,
        // It has newer entries, but with older times.
        std::cmp::Ordering::Greater => !more,
    };
    rewound.then_some("has lost entries")
}

fn silent_or<T, E>(answer: Result<Result<T, ::redis::RedisError>, E>) -> Result<T, StoreError> {
    match answer {
        Ok(answer) => answer.map_err(|error| explain(&error)),
        Err(_) => Err(StoreError::Unavailable(
            "the live feed's connection to Redis is silent".into(),
        )),
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    fn meta(epoch: u64, n: u64, ms: u64) -> Meta {
        Meta {
            epoch,
            n,
            ms,
            trimmed_ms: 0,
        }
    }

    #[rstest]
    #[case::nothing_new(meta(1, 5, 50), false, true)]
    #[case::more_to_read(meta(1, 7, 70), true, true)]
    #[case::wiped(meta(0, 0, 0), false, false)]
    #[case::wiped_and_written_anew(meta(2, 5, 50), false, false)]
    #[case::rewound(meta(1, 4, 40), false, false)]
    #[case::rewound_and_written_anew(meta(1, 5, 55), true, false)]
    #[case::rewound_and_written_anew_with_older_times(meta(1, 5, 45), false, false)]
    #[case::rewound_and_more_was_written_with_older_times(meta(1, 8, 49), false, false)]
    fn a_log_that_is_another_is_noticed(#[case] meta: Meta, #[case] more: bool, #[case] goes_on: bool) {
        let at = EntryId {
            epoch: 1,
            ms: 50,
            n: 5,
        };
        assert_eq!(contradiction(meta, at, more).is_none(), goes_on);
    }

    #[rstest]
    #[case::still_not_written(meta(0, 0, 0), false)]
    #[case::written_by_now(meta(1, 1, 10), true)]
    fn a_partition_that_was_never_written_may_be(#[case] meta: Meta, #[case] more: bool) {
        assert_eq!(contradiction(meta, EntryId::default(), more), None);
    }
}
