//! Named subscriptions, whose place in the log Chatbridge keeps.
//!
//! A **durable** subscription has one stream at a time: [`durable`] is a subscriber with a task that keeps its slot. A
//! **shared** one has members that split its 256 shares of the conversations: [`shared`] is a member, [`assign`] says who should
//! hold what, [`lane`] reads shares that lie together, and [`held`] knows what of a share is under way. The store judges who
//! holds what by leases on its own clock; its generations make commits of former owners harmless. Nothing in here is decided
//! by whether a message between replicas arrives: there are none.

mod assign;
mod behind;
mod commits;
mod definition;
mod durable;
mod held;
mod judge;
mod lane;
mod shared;
mod status;
mod stream;

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use bytes::Bytes;
use tokio::{sync::oneshot, time::Instant};
use tokio_util::task::TaskTracker;

use self::{behind::Looks, commits::Commits, durable::Durable, shared::Shared};
pub use self::{
    definition::{Definition, Kind, StartAt, Subscription},
    judge::{State, stalls_after_ms},
    status::{Seen, Status},
    stream::{Ended, SubscriptionStream, Told},
};
use crate::{
    error::Error,
    event::TenantId,
    fanout::{GapPolicy, Hub},
    store::{
        Cursor, StoreError,
        cursor::CursorError,
        partition,
        subscription::{
            Committed, Defined, Enrolled, Member, Roster, SharedSubscriptions, Slots, SubscriptionKey,
        },
    },
};

/// The longest time between two looks at the store of a stream.
const BEAT_MAX: Duration = Duration::from_secs(1);
/// How long a new stream waits for the live feed before it is refused.
const JOIN_WAIT: Duration = Duration::from_secs(1);
/// How long [`Subscriptions::close`] waits for streams to give back what they hold.
const CLOSE_WAIT: Duration = Duration::from_secs(1);

/// What the names of Chatbridge's own subscriptions begin with: nobody else may create, read or commit one.
pub const OWN_PREFIX: &str = "chatbridge.";
/// The subscription of each tenant from which webhooks of Chat API v2 get their events.
pub const CHAT_V2: &str = "chatbridge.chat-v2";

/// Named subscriptions.
#[derive(Clone)]
pub struct Subscriptions {
    hub: Arc<Hub>,
    store: SharedSubscriptions,
    commits: Arc<Commits>,
    looks: Arc<Looks>,
    seen: Arc<Mutex<Arc<[Seen]>>>,
    tasks: TaskTracker,
}

/// How somebody wants to read a subscription.
#[derive(Debug, Clone)]
pub struct Reading {
    /// What the client calls the stream.
    pub member_name: String,
    /// What to do where entries are gone.
    pub policy: GapPolicy,
    /// How many deliveries of a shared subscription may be under way.
    pub window: usize,
}

/// What a stream of a subscription works with.
#[derive(Clone)]
struct Context {
    hub: Arc<Hub>,
    store: SharedSubscriptions,
    commits: Arc<Commits>,
    tasks: TaskTracker,
    key: SubscriptionKey,
    subscription: Arc<Subscription>,
    member_name: String,
    policy: GapPolicy,
    join_wait: Duration,
}

impl Subscriptions {
    /// Subscriptions over a log and a store.
    pub fn new(hub: Arc<Hub>, store: SharedSubscriptions) -> Self {
        Self {
            hub,
            store,
            commits: Arc::default(),
            looks: Arc::default(),
            seen: Arc::new(Mutex::new(Arc::from([]))),
            tasks: TaskTracker::new(),
        }
    }

    /// Creates a subscription, or answers the one that was created with the same definition.
    pub async fn create(
        &self,
        tenant: &TenantId,
        name: &str,
        definition: Definition,
    ) -> Result<Subscription, Error> {
        let now_ms = self.hub.store().now_ms().await?;
        let subscription = Subscription {
            uid: rand::random(),
            created_ms: now_ms,
            from: self.resolve(&definition.start, now_ms).await?,
            definition,
        };
        match self.store.define(tenant, name, &subscription.encode()?).await? {
            Defined::New => Ok(subscription),
            Defined::Full => Err(Error::TooManySubscriptions),
            Defined::Exists(known) => {
                let known = Subscription::decode(&known)?;
                if known.definition != subscription.definition {
                    return Err(Error::SubscriptionExists(name.to_owned()));
                }
                Ok(known)
            }
        }
    }

    /// Where a subscription starts, as a cursor that means the same at any time.
    async fn resolve(&self, start: &StartAt, now_ms: u64) -> Result<Bytes, Error> {
        let partitions = self.hub.store().partitions();
        let cursor = match start {
            StartAt::Earliest => Cursor::at_time(0, partitions),
            StartAt::Time(ms) => Cursor::at_time((*ms).min(now_ms), partitions),
            StartAt::Cursor(bytes) => Cursor::decode(bytes)?.without_lanes()?,
            StartAt::Latest => {
                let tails = self.hub.store().tails().await?;
                Cursor {
                    time_ms: tails.iter().map(|id| id.ms).max().unwrap_or(0),
                    partitions,
                    positions: (0..).zip(tails).collect(),
                    lanes: Vec::new(),
                }
            }
        };
        Ok(cursor.encode().into())
    }

    /// A subscription as it is kept, and read.
    async fn find(&self, tenant: &TenantId, name: &str) -> Result<(Bytes, Subscription), Error> {
        let kept = self.store.definition(tenant, name).await?;
        let kept = kept.ok_or_else(|| Error::UnknownSubscription(name.to_owned()))?;
        let subscription = Subscription::decode(&kept)?;
        Ok((kept, subscription))
    }

    /// A subscription and how it is doing.
    pub async fn get(&self, tenant: &TenantId, name: &str) -> Result<(Subscription, Status), Error> {
        let (_, subscription) = self.find(tenant, name).await?;
        let status = self.status(tenant, name, &subscription).await?;
        Ok((subscription, status))
    }

    /// Subscriptions behind a name, in the order of their names, with how each is doing.
    pub async fn list(
        &self,
        tenant: &TenantId,
        behind: &str,
        limit: usize,
    ) -> Result<Vec<(String, Subscription, Status)>, Error> {
        let mut listed = Vec::new();
        for (name, kept) in self.store.definitions(tenant, behind, limit).await? {
            let subscription = Subscription::decode(&kept)?;
            let status = self.status(tenant, &name, &subscription).await?;
            listed.push((name, subscription, status));
        }
        Ok(listed)
    }

    /// Deletes a subscription.
    pub async fn delete(&self, tenant: &TenantId, name: &str) -> Result<(), Error> {
        let (kept, subscription) = self.find(tenant, name).await?;
        let key = subscription.key(tenant, name);
        if self.store.undefine(&key, &kept).await? {
            return Ok(());
        }
        Err(Error::UnknownSubscription(name.to_owned()))
    }

    /// Moves a subscription's place to a response's cursor; whether that moved it.
    pub async fn commit(&self, tenant: &TenantId, name: &str, cursor: &[u8]) -> Result<bool, Error> {
        let committed = self.try_commit(tenant, name, cursor).await;
        let result = match &committed {
            Ok(true) => "moved",
            Ok(false) => "unmoved",
            Err(Error::CursorSuperseded) => "superseded",
            Err(Error::StoreUnavailable) => "unavailable",
            Err(_) => "refused",
        };
        metrics::counter!("chatbridge_subscription_commits_total", "result" => result).increment(1);
        committed
    }

    async fn try_commit(&self, tenant: &TenantId, name: &str, cursor: &[u8]) -> Result<bool, Error> {
        let (place, mark) = Cursor::decode_marked(cursor)?;
        let Some(mark) = mark else {
            return Err(CursorError::new("the cursor is of a stream without a subscription").into());
        };
        let key = SubscriptionKey {
            tenant: tenant.clone(),
            name: name.to_owned(),
            uid: mark.subscription,
        };
        let partitions = self.hub.store().partitions();
        let (slots, slot) = match mark.share {
            Some(share) => (Slots::Shares(partition::of_share(share, partitions)), share),
            None => (Slots::Durable, 0),
        };
        let committed = if mark.generation == 0 {
            Committed::Unknown
        } else {
            let position = place.encode().into();
            self.store
                .commit(&key, slots, slot, mark.generation, mark.seq, &position)
                .await?
        };
        match committed {
            Committed::Moved | Committed::Before => {
                let commit = commits::Commit {
                    share: slot,
                    generation: mark.generation,
                    seq: mark.seq,
                };
                self.commits.tell(mark.subscription, commit);
                Ok(committed == Committed::Moved)
            }
            Committed::Superseded => Err(Error::CursorSuperseded),
            Committed::Unknown => {
                let (_, subscription) = self.find(tenant, name).await?;
                if subscription.uid != mark.subscription {
                    return Err(CursorError::new("the cursor is of another subscription").into());
                }
                // That of a heartbeat of a shared subscription belongs to no share.
                if mark.generation == 0 {
                    Ok(false)
                } else {
                    Err(Error::CursorSuperseded)
                }
            }
        }
    }

    /// Opens a stream of a subscription.
    pub async fn open(
        &self,
        tenant: &TenantId,
        name: &str,
        reading: Reading,
    ) -> Result<SubscriptionStream, Error> {
        let (_, subscription) = self.find(tenant, name).await?;
        let kind = subscription.definition.kind;
        let context = Context {
            hub: Arc::clone(&self.hub),
            store: SharedSubscriptions::clone(&self.store),
            commits: Arc::clone(&self.commits),
            tasks: self.tasks.clone(),
            key: subscription.key(tenant, name),
            subscription: Arc::new(subscription),
            member_name: reading.member_name,
            policy: reading.policy,
            join_wait: JOIN_WAIT,
        };
        let (hand_over, opened) = oneshot::channel();
        // In a task: a caller that gives up in the middle would leave a member that nobody knows of for a lease. A stream that
        // nobody takes is dropped, and gives back what it holds.
        self.tasks.spawn(async move {
            let stream = match kind {
                Kind::Durable => Durable::open(context, || hand_over.is_closed())
                    .await
                    .map(|durable| stream::Kind::Durable(Box::new(durable))),
                Kind::Shared => Shared::open(context, reading.window)
                    .await
                    .map(|shared| stream::Kind::Shared(Box::new(shared))),
            };
            let _ = hand_over.send(stream.map(SubscriptionStream));
        });
        opened.await.map_err(|_| Error::StoreUnavailable)?
    }

    /// Waits, once all streams are gone, until they have given back what they held, so that others need not wait for leases.
    pub async fn close(&self) {
        self.tasks.close();
        let _ = tokio::time::timeout(CLOSE_WAIT, self.tasks.wait()).await;
    }
}

impl Context {
    fn lease_ms(&self) -> u64 {
        self.subscription.definition.lease_ms
    }

    fn lease(&self) -> Duration {
        Duration::from_millis(self.lease_ms())
    }

    /// How often a stream looks at the store. A lease is renewed three times while it lasts; somebody who joins should not
    /// wait for long.
    fn beat(&self) -> Duration {
        (self.lease() / 3).min(BEAT_MAX)
    }

    fn partitions(&self) -> u16 {
        self.hub.store().partitions()
    }

    async fn now_ms(&self) -> Result<u64, StoreError> {
        self.hub.store().now_ms().await
    }

    fn unknown(&self) -> Error {
        Error::UnknownSubscription(self.key.name.clone())
    }

    fn new_member(&self) -> Member {
        Member {
            id: format!("{:016x}", rand::random::<u64>()),
            name: self.member_name.clone(),
            ..Member::default()
        }
    }

    async fn try_enrol(&self, member: &Member, oldest: Option<Instant>) -> Result<Enrolled, StoreError> {
        let age = oldest.map(|oldest| u64::try_from(oldest.elapsed().as_millis()).unwrap_or(u64::MAX));
        self.store.enrol(&self.key, member, age, self.lease_ms()).await
    }

    async fn enrol(&self, member: &Member, oldest: Option<Instant>) -> Result<Roster, Error> {
        match self.try_enrol(member, oldest).await? {
            Enrolled::Member(roster) => Ok(roster),
            Enrolled::Full => Err(Error::TooManyMembers),
            Enrolled::Gone => Err(self.unknown()),
        }
    }

    async fn strike(&self, member: &str) -> Result<(), Error> {
        Ok(self.store.strike(&self.key, member).await?)
    }

    /// Waits until the live feed is there.
    async fn wait_for_feed(&self) -> Result<(), Error> {
        let mut live = self.hub.live();
        match tokio::time::timeout(self.join_wait, live.wait_for(|live| *live)).await {
            Ok(Ok(_)) => Ok(()),
            _ => Err(Error::StoreUnavailable),
        }
    }

    /// Whether the subscription is not known any more. Where nothing says that it was deleted, the store has lost it.
    async fn is_forgotten(&self) -> Result<bool, Error> {
        let kept = self.store.definition(&self.key.tenant, &self.key.name).await?;
        let uid = kept
            .map(|kept| Subscription::decode(&kept))
            .transpose()?
            .map(|known| known.uid);
        Ok(uid != Some(self.key.uid))
    }
}

/// Counts a member of this replica until it is dropped.
fn counted() -> impl Drop {
    struct Counted;
    impl Drop for Counted {
        fn drop(&mut self) {
            metrics::gauge!("chatbridge_subscription_members").decrement(1.0);
        }
    }
    metrics::gauge!("chatbridge_subscription_members").increment(1.0);
    Counted
}
