//! From the log to outboxes: a member of a subscription of Chatbridge's own, which puts each event that v2 had a word for into the
//! outbox of its webhook, and then moves its place in the log.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    sync::Arc,
    time::Duration,
};

use futures_util::{FutureExt as _, future};
use tokio_util::sync::CancellationToken;
use tracing::{debug, warn};

use super::{Shared, directory::Whereto};
use crate::{
    chat_v2::{EVENTS, translate::event},
    error::Error,
    event::{ConversationKey, TenantId},
    fanout::{Delivery, GapPolicy},
    grpc::convert::decode_event,
    store::{
        Entry, StoreError,
        outbox::{DeadReason, Enqueued, UNROUTED, Waiting},
    },
    subscription::{CHAT_V2, Definition, Ended, Kind, Reading, StartAt, SubscriptionStream, Told},
};

/// How long a member that was not heard of keeps its shares of the conversations, in milliseconds.
const LEASE_MS: u64 = 10_000;
/// How many events may be on their way from the log to outboxes, and how many of them are looked at in one go.
const WINDOW: usize = 1024;
const BATCH: usize = 64;
/// How long it waits after an error.
const RETRY: Duration = Duration::from_secs(1);

/// What a stream brings, with what commits it.
struct Brought {
    delivery: Delivery,
    cursor: Vec<u8>,
    share: Option<u16>,
}

/// Routes a tenant's events until it is told to stop.
pub(super) async fn run(shared: Arc<Shared>, tenant: TenantId, stop: CancellationToken) {
    let router = Router { shared, tenant };
    while let Some(Err(error)) = stop.run_until_cancelled(router.route_all()).await {
        debug!(tenant = %router.tenant, %error, "events cannot be put into outboxes of webhooks now");
        if stop
            .run_until_cancelled(tokio::time::sleep(RETRY))
            .await
            .is_none()
        {
            break;
        }
    }
}

struct Router {
    shared: Arc<Shared>,
    tenant: TenantId,
}

impl Router {
    /// Ends with an error alone.
    async fn route_all(&self) -> Result<std::convert::Infallible, Error> {
        let mut stream = self.subscribe().await?;
        loop {
            let batch = next(&mut stream).await?;
            self.route(&batch).await?;
            self.commit(batch).await?;
        }
    }

    async fn subscribe(&self) -> Result<SubscriptionStream, Error> {
        let subscriptions = &self.shared.subscriptions;
        let definition = Definition {
            kind: Kind::Shared,
            conversations: BTreeSet::new(),
            kinds: event::KINDS.iter().map(|kind| *kind as i32).collect(),
            echoes: false,
            start: StartAt::Latest,
            lease_ms: LEASE_MS,
        };
        match subscriptions.create(&self.tenant, CHAT_V2, definition).await {
            // Another version of this program made it otherwise: its place counts.
            Ok(_) | Err(Error::SubscriptionExists(_)) => {}
            Err(error) => return Err(error),
        }
        let reading = Reading {
            member_name: "chat-v2".to_owned(),
            policy: GapPolicy::Earliest,
            window: WINDOW,
        };
        subscriptions.open(&self.tenant, CHAT_V2, reading).await
    }

    /// Conversations at once, and the events of each in turn.
    async fn route(&self, batch: &[Brought]) -> Result<(), StoreError> {
        let mut by_conversation: HashMap<&ConversationKey, Vec<&Entry>> = HashMap::new();
        for brought in batch {
            match &brought.delivery {
                Delivery::Entry(entry) => by_conversation.entry(&entry.key).or_default().push(entry),
                Delivery::Gap(gap, _) => {
                    warn!(tenant = %self.tenant, reason = ?gap.reason, missed_at_most = gap.missed_at_most,
                        "the log has lost events before it was known to which webhooks of Chat API v2 they go");
                    count("gap");
                }
                Delivery::Changed(_) | Delivery::TooSlow => {}
            }
        }
        let routed = by_conversation.into_iter().map(async |(key, entries)| {
            for entry in entries {
                count(self.route_one(key, entry).await?);
            }
            Ok::<_, StoreError>(())
        });
        future::try_join_all(routed).await?;
        Ok(())
    }

    /// Answers what became of it, as the metric says it.
    async fn route_one(&self, key: &ConversationKey, entry: &Entry) -> Result<&'static str, StoreError> {
        // What cannot be read now goes on: by the time that it is sent, its key may be there.
        let is_told = || decode_event(&entry.event).is_some_and(|event| event::write(&event).is_some());
        if entry.unreadable.is_none() && !is_told() {
            return Ok("no_counterpart");
        }
        let webhook = match self.shared.directory.look(key).await? {
            Whereto::Webhook(webhook) => webhook,
            Whereto::Unknown => UNROUTED,
            Whereto::Nowhere => return Ok("no_webhook"),
        };
        let waiting = Waiting {
            conversation: key.conversation.clone(),
            entry: entry.id,
        };
        let most = self.shared.sending.waiting_max;
        let enqueued = self
            .shared
            .outbox
            .enqueue(&key.tenant, webhook, &waiting, most)
            .await?;
        self.shared.bell(&self.tenant);
        Ok(match (enqueued, webhook) {
            (Enqueued::Full, _) => {
                super::count_dead(DeadReason::Full);
                "dead"
            }
            (Enqueued::Waits, UNROUTED) => "unrouted",
            (Enqueued::Waits, _) => "queued",
        })
    }

    /// Commits the last of each share, which stands for those before it.
    async fn commit(&self, batch: Vec<Brought>) -> Result<(), Error> {
        let last: BTreeMap<_, _> = batch.into_iter().map(|it| (it.share, it.cursor)).collect();
        let commits = last.into_values().map(async |cursor| {
            let committed = self.shared.subscriptions.commit(&self.tenant, CHAT_V2, &cursor);
            match committed.await {
                // Another replica has the share by now, and goes on from the place that it found.
                Ok(_) | Err(Error::CursorSuperseded) => Ok(()),
                Err(error) => Err(error),
            }
        });
        future::try_join_all(commits).await?;
        Ok(())
    }
}

/// Waits for something, and takes what is there with it.
async fn next(stream: &mut SubscriptionStream) -> Result<Vec<Brought>, Error> {
    let mut batch = vec![take(stream).await?];
    while batch.len() < BATCH {
        match take(stream).now_or_never() {
            Some(brought) => batch.push(brought?),
            None => break,
        }
    }
    Ok(batch)
}

async fn take(stream: &mut SubscriptionStream) -> Result<Brought, Error> {
    match stream.next().await? {
        Told::Delivery(delivery) => Ok(Brought {
            delivery,
            cursor: stream.cursor(),
            share: stream.share(),
        }),
        // It is opened anew, and made anew where it is gone.
        Told::Ended(Ended::TakenOver | Ended::TooSlow | Ended::Deleted | Ended::Lost) => {
            Err(Error::StoreUnavailable)
        }
    }
}

fn count(result: &'static str) {
    metrics::counter!(EVENTS, "result" => result).increment(1);
}
