//! The live feed: blocking reads on connections of their own. One over all partitions; on a cluster, which refuses reads
//! over several slots, one for each partition.

use std::{
    collections::HashMap,
    sync::Arc,
    time::{Duration, Instant},
};

use ::redis::{AsyncConnectionConfig, Cmd, RedisError, Value, aio::MultiplexedConnection, cmd};
use async_trait::async_trait;
use futures_util::future::try_join_all;
use tokio::{sync::mpsc, task::JoinSet, time::timeout};

use super::{
    dial::Dial,
    error::{Failed, explain},
    keys::{Keys, slot_of},
    link::{RESPONSE_TIMEOUT, Request},
    poll::in_time,
    read,
    scripts::LOOK,
    topology::Topology,
    vault::{Vault, open_entries},
    wire,
};
use crate::{
    event::{EntryId, Position},
    store::{
        Entry, StoreError, Tail,
        entry::Stored,
        gap::{View, judge},
    },
};

/// How long Redis holds a read for which there is nothing.
const BLOCK: Duration = Duration::from_secs(2);

/// How late the answer to a blocking read may be before the connection counts as silent.
const GRACE: Duration = Duration::from_secs(2);

/// The most entries of one partition in one answer.
const BATCH: usize = 64;

/// From so many entries in an answer on, the next read waits a little. Redis wakes a blocked reader for each write and looks at all
/// its streams then.
const BUSY: usize = 4;
const BUSY_WAIT: Duration = Duration::from_micros(500);

/// How often one finds out anew which node of a cluster has a partition.
const TURNS: usize = 6;

/// A live feed. Reading goes on in tasks of its own, so that a caller may give up waiting and come back: a blocking read
/// that was given up would keep the connection busy, and those behind it waiting.
pub(super) struct RedisTail {
    answers: mpsc::Receiver<Result<Vec<Entry>, StoreError>>,
    _tasks: JoinSet<()>,
}

impl RedisTail {
    /// Opens a feed behind these positions, one for each partition.
    pub(super) async fn open(
        topology: &Arc<Topology>,
        keys: &Keys,
        vault: Option<&Arc<Vault>>,
        behind: Vec<EntryId>,
    ) -> Result<Self, StoreError> {
        if behind.len() != usize::from(keys.partitions()) {
            return Err(StoreError::Mismatch(format!(
                "a feed needs a position for each of {} partitions, and was given {}",
                keys.partitions(),
                behind.len()
            )));
        }
        let behind = (0..).zip(behind);
        let readers = match &**topology {
            Topology::One(server) => vec![Reader::open(server.dial(), keys, behind.collect(), false).await?],
            Topology::Cluster(_) => {
                let each = behind.map(|(partition, id)| open_on_cluster(topology, keys, partition, id));
                in_time(BLOCK + GRACE, try_join_all(each)).await?
            }
        };
        let (sender, answers) = mpsc::channel(readers.len());
        let mut tasks = JoinSet::new();
        for mut reader in readers {
            let sender = sender.clone();
            let vault = vault.cloned();
            tasks.spawn(async move {
                loop {
                    let answer = reader.next(vault.as_deref()).await;
                    let read = answer.as_ref().ok().map(Vec::len);
                    if sender.send(answer).await.is_err() {
                        return;
                    }
                    match read {
                        None => return,
                        Some(BUSY..) => tokio::time::sleep(BUSY_WAIT).await,
                        Some(_) => {}
                    }
                }
            });
        }
        Ok(Self {
            answers,
            _tasks: tasks,
        })
    }
}

/// Opens a feed of one partition, wherever it is.
async fn open_on_cluster(
    topology: &Arc<Topology>,
    keys: &Keys,
    partition: u16,
    behind: EntryId,
) -> Result<Reader, StoreError> {
    let Topology::Cluster(cluster) = &**topology else {
        return Err(StoreError::Corrupt("the Redis is no cluster".into()));
    };
    let slot = slot_of(keys.log(partition).as_bytes());
    let (mut node, mut asking) = (cluster.owner(slot).await?, false);
    for _ in 1..TURNS {
        let failed = match Reader::open(node.dial(), keys, vec![(partition, behind)], asking).await {
            Ok(reader) => return Ok(reader),
            Err(failed) => failed,
        };
        let next = match &failed {
            Ended::Redis(error) => cluster.next(slot, &node, &Failed::Answer(error.clone())).await,
            Ended::Store(_) => None,
        };
        let Some(next) = next else {
            // Whoever tries again then tries elsewhere, where that is so.
            cluster.refresh_soon();
            return Err(failed.into());
        };
        (node, asking) = next;
    }
    Ok(Reader::open(node.dial(), keys, vec![(partition, behind)], asking).await?)
}

/// Why a feed ended.
enum Ended {
    Redis(RedisError),
    Store(StoreError),
}

impl From<StoreError> for Ended {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

impl From<Ended> for StoreError {
    fn from(ended: Ended) -> Self {
        match ended {
            Ended::Redis(error) => explain(&error),
            Ended::Store(error) => error,
        }
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
    dial: Dial,
    /// Of the dial when the connection was made.
    generation: u64,
    /// Whether the slot is still being moved to where this reads: each command needs leave.
    asking: bool,
    keys: Keys,
    partitions: Vec<Partition>,
    /// Place in `partitions` by name of the stream.
    by_log: HashMap<String, usize>,
    checked: Instant,
}

#[derive(Clone)]
struct Partition {
    number: u16,
    log: String,
    /// Where it was read up to.
    at: EntryId,
}

fn moved_on(partition: u16, how: &str) -> StoreError {
    StoreError::Unavailable(format!(
        "partition {partition} of the log {how}: the live feed must be opened again"
    ))
}

impl Reader {
    /// Opens a feed of partitions that lie together, each with where to read on; `asking`: from a node that their slot is
    /// being moved to.
    async fn open(
        dial: &Dial,
        keys: &Keys,
        behind: Vec<(u16, EntryId)>,
        asking: bool,
    ) -> Result<Self, Ended> {
        // Blocking reads answer late by design: `next` has its own watch over that.
        let (connection, generation) = dial
            .open(AsyncConnectionConfig::new().set_response_timeout(None))
            .await?;
        let partition = |(number, at)| Partition {
            number,
            log: keys.log(number),
            at,
        };
        let partitions: Vec<Partition> = behind.into_iter().map(partition).collect();
        let by_log = (0..)
            .zip(&partitions)
            .map(|(place, p)| (p.log.clone(), place))
            .collect();
        let mut reader = Self {
            connection,
            dial: dial.clone(),
            generation,
            asking,
            keys: keys.clone(),
            partitions,
            by_log,
            checked: Instant::now(),
        };
        reader.verify().await?;
        Ok(reader)
    }

    async fn next(&mut self, vault: Option<&Vault>) -> Result<Vec<Entry>, StoreError> {
        let command = self.read_command();
        let request = Request::Command(&command);
        let answer = timeout(BLOCK + GRACE, request.send(&mut self.connection, self.asking));
        let answer = silent_or(answer.await)?;
        if self.dial.generation() != self.generation {
            return Err(StoreError::Unavailable(
                "Redis has another master: the live feed must be opened again".into(),
            ));
        }
        let mut entries = Vec::new();
        for (partition, taken) in self.take_in(answer).await? {
            entries.extend(open_entries(vault, partition, taken).await?);
        }
        if entries.is_empty() || self.checked.elapsed() > BLOCK {
            self.check().await?;
        }
        Ok(entries)
    }

    /// Whether nothing is missing behind any position.
    async fn verify(&mut self) -> Result<(), Ended> {
        let views = self.look(true).await?;
        for (partition, view) in self.partitions.iter().zip(views) {
            if let Some(gap) = judge(Position::After(partition.at), &view) {
                let how = format!("has lost what followed ({:?})", gap.reason);
                return Err(moved_on(partition.number, &how).into());
            }
        }
        Ok(())
    }

    /// Looks at all partitions around where they were read up to; `backwards`: also at what is before that.
    async fn look(&mut self, backwards: bool) -> Result<Vec<View>, Ended> {
        let places: Vec<_> = self
            .partitions
            .iter()
            .map(|p| (p.number, Position::After(p.at)))
            .collect();
        let command = LOOK.command(&read::look_at(&self.keys, &places, backwards));
        let views = read::views(self.ask(&Request::Script(&LOOK, &command)).await?)?;
        if views.len() != self.partitions.len() {
            return Err(StoreError::Corrupt("Redis told of another number of partitions".into()).into());
        }
        Ok(views)
    }

    async fn ask(&mut self, request: &Request<'_>) -> Result<Value, Ended> {
        let answer = timeout(RESPONSE_TIMEOUT, request.send(&mut self.connection, self.asking));
        silent_or(answer.await)
    }

    /// A read of what is behind all positions, which waits until there is something.
    fn read_command(&self) -> Cmd {
        let mut command = cmd("XREAD");
        command.arg("COUNT").arg(BATCH);
        command.arg("BLOCK").arg(BLOCK.as_millis()).arg("STREAMS");
        for partition in &self.partitions {
            command.arg(&partition.log);
        }
        for Partition { at, .. } in &self.partitions {
            command.arg(format!("{}-{}", at.ms, at.n));
        }
        command
    }

    /// Whether the log is still the one that is being read: a wiped or rewound one may never answer a blocking read
    /// behind a place that it does not have.
    async fn check(&mut self) -> Result<(), StoreError> {
        let views = self.look(false).await?;
        for (partition, view) in self.partitions.iter().zip(views) {
            if let Some(how) = contradiction(&view, partition.at) {
                return Err(moved_on(partition.number, how));
            }
        }
        self.checked = Instant::now();
        Ok(())
    }

    /// Takes in what a read answered, by partition.
    async fn take_in(&mut self, answer: Value) -> Result<Vec<(u16, Vec<(EntryId, Stored)>)>, StoreError> {
        let streams = wire::streams(answer)?;
        self.learn_epochs(&streams).await?;
        let mut taken = Vec::new();
        for (stream, values) in streams {
            let Some(place) = self.by_log.get(&stream).copied() else {
                continue;
            };
            let Some(Partition { number, at, .. }) = self.partitions.get(place).cloned() else {
                continue;
            };
            let (mut last, mut entries) = (at, Vec::with_capacity(values.len()));
            for value in values {
                let (id, stored) = wire::entry(value, at.epoch)?;
                if id.n != last.n + 1 && !self.all_erased(number, last.n, id.n).await? {
                    return Err(moved_on(number, "does not go on where it was read up to"));
                }
                last = id;
                entries.push((id, stored));
            }
            if let Some(partition) = self.partitions.get_mut(place) {
                partition.at = last;
            }
            taken.push((number, entries));
        }
        Ok(taken)
    }

    /// Whether all entries between two numbers were erased.
    async fn all_erased(&mut self, partition: u16, behind: u64, before: u64) -> Result<bool, StoreError> {
        if before <= behind {
            return Ok(false);
        }
        let mut count = cmd("ZCOUNT");
        count.arg(self.keys.erased(partition));
        count.arg(format!("({behind}")).arg(format!("({before}"));
        let erased = wire::number(&self.ask(&Request::Command(&count)).await?)?;
        Ok(erased == before - behind - 1)
    }

    /// A partition gets its epoch when it is first written, and entries do not carry it.
    async fn learn_epochs(&mut self, streams: &[(String, Vec<Value>)]) -> Result<(), StoreError> {
        let is_new = |(stream, _): &(String, Vec<Value>)| {
            let place = self
                .by_log
                .get(stream)
                .and_then(|place| self.partitions.get(*place));
            place.is_some_and(|partition| partition.at.epoch == 0)
        };
        if !streams.iter().any(is_new) {
            return Ok(());
        }
        let views = self.look(false).await?;
        for (stream, _) in streams {
            let Some(place) = self.by_log.get(stream).copied() else {
                continue;
            };
            if let (Some(Partition { at, .. }), Some(view)) =
                (self.partitions.get_mut(place), views.get(place))
                && at.epoch == 0
            {
                at.epoch = view.meta.epoch;
            }
        }
        Ok(())
    }
}

/// Why a partition cannot be the one that was read up to `at`.
fn contradiction(view: &View, at: EntryId) -> Option<&'static str> {
    let (meta, more) = (view.meta, view.following.is_some());
    if at.epoch != 0 && meta.epoch != at.epoch {
        return Some("was wiped");
    }
    let rewound = match meta.n.cmp(&at.n) {
        std::cmp::Ordering::Less => true,
        std::cmp::Ordering::Equal => meta.ms != at.ms || more,
        // It has newer entries, but with older times, or all of them were erased.
        std::cmp::Ordering::Greater => !more && view.erased.before_following != meta.n - at.n,
    };
    rewound.then_some("has lost entries")
}

fn silent_or<T, E>(answer: Result<Result<T, RedisError>, E>) -> Result<T, Ended> {
    match answer {
        Ok(answer) => answer.map_err(Ended::Redis),
        Err(_) => Err(StoreError::Unavailable("the live feed's connection to Redis is silent".into()).into()),
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;
    use crate::store::gap::{Erased, Meta};

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
        assert_eq!(contradiction(&view(meta, more, 0), at).is_none(), goes_on);
    }

    fn view(meta: Meta, more: bool, before_following: u64) -> View {
        View {
            meta,
            following: more.then_some((meta.ms, meta.n)),
            erased: Erased {
                before_following,
                ..Erased::default()
            },
            ..View::default()
        }
    }

    #[test]
    fn a_log_whose_newest_entries_were_erased_is_the_same() {
        let at = EntryId {
            epoch: 1,
            ms: 50,
            n: 5,
        };
        assert_eq!(contradiction(&view(meta(1, 7, 70), false, 2), at), None);
        assert!(contradiction(&view(meta(1, 7, 70), false, 1), at).is_some());
    }

    #[rstest]
    #[case::still_not_written(meta(0, 0, 0), false)]
    #[case::written_by_now(meta(1, 1, 10), true)]
    fn a_partition_that_was_never_written_may_be(#[case] meta: Meta, #[case] more: bool) {
        assert_eq!(contradiction(&view(meta, more, 0), EntryId::default()), None);
    }
}
