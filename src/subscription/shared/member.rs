//! A member: what it knows, and its life from beat to beat.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    time::Duration,
};

use tokio::{
    sync::{mpsc, watch},
    time::Instant,
};
use tokio_util::sync::CancellationToken;
use tracing::debug;

use super::{QUEUE, outbox::Outbox};
use crate::{
    error::Error,
    store::subscription::{Enrolled, Member, Roster},
    subscription::{
        Context, Ended,
        assign::assign,
        commits::{Commit, Ear},
        counted,
        held::{Held, is_too_slow},
        lane::{Lane, Told as FromLane},
    },
};

/// How many entries of the lanes may wait to be looked at, and how many are looked at in one go.
const LANES_QUEUE: usize = 256;
const BATCH: usize = 64;
/// How often the store is asked for commits while many deliveries wait for theirs: they may have come to another replica.
const HURRY: Duration = Duration::from_millis(100);

/// What acts for the stream.
pub(super) struct Player {
    pub(super) context: Context,
    pub(super) member: Member,
    window: usize,
    pub(super) ear: Ear,
    pub(super) held: BTreeMap<u16, Held>,
    pub(super) lanes: HashMap<u64, Lane>,
    pub(super) next_lane: u64,
    from_lanes: mpsc::Receiver<(u64, FromLane)>,
    pub(super) to_self: mpsc::Sender<(u64, FromLane)>,
    /// The shares that should be its own, by the last roster.
    pub(super) wanted: BTreeSet<u16>,
    /// Shares that it set out to take and may have, unless it holds them: the answer may be lost.
    pub(super) doubtful: BTreeSet<u16>,
    /// A share, or the place on the roster, was lost, and why was not looked at yet.
    pub(super) robbed: bool,
    roster: Vec<String>,
    /// Since when the store says that it is a member.
    since_ms: u64,
    /// When all leases are renewed.
    pub(super) renew_at: Instant,
    /// Since when the store has answered; `None`: it does not.
    reachable_since: Option<Instant>,
    pub(super) outbox: Outbox,
    /// Nothing is delivered any more.
    pub(super) failed: bool,
}

impl Player {
    /// A member that is on no roster yet. At most `window` deliveries may be under way.
    pub(super) fn new(context: Context, window: usize, outbox: Outbox) -> Self {
        let (to_self, from_lanes) = mpsc::channel(LANES_QUEUE);
        Self {
            ear: context.commits.listen(context.key.uid),
            member: context.new_member(),
            context,
            window,
            held: BTreeMap::new(),
            lanes: HashMap::new(),
            next_lane: 0,
            from_lanes,
            to_self,
            wanted: BTreeSet::new(),
            doubtful: BTreeSet::new(),
            robbed: false,
            roster: Vec::new(),
            since_ms: 0,
            renew_at: Instant::now(),
            reachable_since: None,
            outbox,
            failed: false,
        }
    }

    pub(super) async fn run(mut self, stop: CancellationToken, end: watch::Sender<Option<Ended>>) {
        let _counted = counted();
        let mut beat_at = Instant::now() + self.context.beat();
        let mut sync_at = beat_at;
        loop {
            let is_full = self.outbox.len() >= QUEUE;
            let may_deliver = !is_full && self.has_room() && self.is_leased(Instant::now());
            tokio::select! {
                biased;
                () = stop.cancelled() => break,
                () = tokio::time::sleep_until(beat_at.min(sync_at)) => {
                    let beats = Instant::now() >= beat_at;
                    match if beats { self.beat().await } else { self.look().await } {
                        Ok(None) => {}
                        Ok(Some(ended)) => {
                            end.send_replace(Some(ended));
                            break;
                        }
                        Err(error) => {
                            debug!(%error, "a member cannot reach the store now");
                            self.reachable_since = None;
                        }
                    }
                    let now = Instant::now();
                    if beats {
                        beat_at = now + self.context.beat();
                    }
                    sync_at = now + self.pace();
                }
                Some(commit) = self.ear.hear() => {
                    if self.hear(commit) {
                        sync_at = Instant::now();
                    }
                }
                () = self.outbox.taken(), if is_full => {}
                Some((lane, told)) = self.from_lanes.recv(), if may_deliver => {
                    self.take_in(lane, told);
                    for _ in 0..BATCH {
                        if !self.has_room() { break; }
                        let Ok((lane, told)) = self.from_lanes.try_recv() else { break };
                        self.take_in(lane, told);
                    }
                }
            }
        }
        self.leave().await;
    }

    /// Until the slots are looked at again. The roster can wait for the beat: reading it costs the more, the more members
    /// there are.
    fn pace(&self) -> Duration {
        if 2 * self.pending() > self.window {
            HURRY.min(self.context.beat())
        } else {
            self.context.beat()
        }
    }

    fn pending(&self) -> usize {
        self.held.values().map(Held::pending).sum()
    }

    fn oldest(&self) -> Option<Instant> {
        self.held.values().filter_map(Held::oldest).min()
    }

    fn has_room(&self) -> bool {
        !self.failed && self.pending() < self.window
    }

    /// Whether all leases are known to hold. Where one does not, the store is out of reach; entries wait until it tells.
    fn is_leased(&self, now: Instant) -> bool {
        self.held.values().all(|held| now < held.leased_until)
    }

    /// Whether that was the last of a share that is to be given up.
    fn hear(&mut self, commit: Commit) -> bool {
        let Some(held) = self.held.get_mut(&commit.share) else {
            return false;
        };
        held.generation == commit.generation
            && held.commit(commit.seq) > 0
            && held.leaving
            && held.pending() == 0
    }

    /// Becomes a member, and takes what it finds free.
    pub(super) async fn join(&mut self) -> Result<(), Error> {
        let roster = self.context.enrol(&self.member, None).await?;
        self.want(&roster);
        if self.sync().await? {
            return Err(self.context.unknown());
        }
        Ok(())
    }

    fn want(&mut self, roster: &Roster) {
        let own = roster.members.iter().find(|member| member.id == self.member.id);
        let since_ms = own.map_or(0, |own| own.since_ms);
        self.robbed |= self.since_ms != 0 && self.since_ms != since_ms;
        self.since_ms = since_ms;
        let mut members: Vec<String> = roster.members.iter().map(|member| member.id.clone()).collect();
        members.sort_unstable();
        if members == self.roster {
            return;
        }
        let mut assigned = assign(members.iter().map(String::as_str));
        self.wanted = assigned.remove(self.member.id.as_str()).unwrap_or_default();
        self.roster = members;
    }

    async fn beat(&mut self) -> Result<Option<Ended>, Error> {
        let oldest_age = self.oldest();
        self.member.shares = u16::try_from(self.held.len()).unwrap_or(u16::MAX);
        match self.context.try_enrol(&self.member, oldest_age).await? {
            Enrolled::Gone => return Ok(Some(Ended::Deleted)),
            Enrolled::Member(roster) => self.want(&roster),
            // It was taken from the roster because it was not heard of, and others came.
            Enrolled::Full => {
                self.wanted.clear();
                // Once it is back, what it wants is computed anew, even if the others are the same.
                self.roster.clear();
            }
        }
        self.look().await
    }

    /// Whether the store has lost the subscription: its slots go without a word then.
    async fn is_forgotten(&mut self) -> Result<bool, Error> {
        let is_forgotten = self.robbed && self.context.is_forgotten().await?;
        self.robbed = is_forgotten;
        Ok(is_forgotten)
    }

    /// Looks after the slots, and judges itself.
    async fn look(&mut self) -> Result<Option<Ended>, Error> {
        // First, so that nothing is taken of a subscription that is lost.
        if self.is_forgotten().await? {
            return Ok(Some(Ended::Lost));
        }
        if self.sync().await? {
            return Ok(Some(Ended::Deleted));
        }
        if self.is_forgotten().await? {
            return Ok(Some(Ended::Lost));
        }
        // Only now: commits that came to another replica are known. Nobody could commit while the store was out of reach.
        let now = Instant::now();
        let reachable_since = *self.reachable_since.get_or_insert(now);
        let oldest = self.oldest().map(|oldest| oldest.max(reachable_since));
        let is_slow = is_too_slow(oldest, now, self.context.lease());
        if is_slow {
            metrics::counter!("chatbridge_subscription_slow_members_total").increment(1);
        }
        Ok(is_slow.then_some(Ended::TooSlow))
    }
}
